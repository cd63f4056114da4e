\set ECHO none
-- What every aggregate of pql must keep, and the beginning of a regression test of one: \i it, then SELECT * FROM aggregate_laws.laws(...).
-- The table has the columns id (unique, in no order of time), g (groups), ts, and what the aggregate takes. Every law that is
-- kept gives one row; the plans that it was tried on are checked.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pql;
DROP SCHEMA IF EXISTS aggregate_laws CASCADE;
CREATE SCHEMA aggregate_laws;
RESET client_min_messages;
SET search_path = public, pql;

-- Whether the plan of a query has such a line.
CREATE OR REPLACE FUNCTION aggregate_laws.plan_has(query text, pattern text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line ~ pattern THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END $$;

-- All rows of a query, as text and in one order.
CREATE OR REPLACE FUNCTION aggregate_laws.all_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
  EXECUTE format('SELECT string_agg(q::text, E''\n'' ORDER BY q::text COLLATE "C") FROM (%s) q', query) INTO result;
  RETURN result;
END $$;

-- How a query fails.
CREATE OR REPLACE FUNCTION aggregate_laws.refused(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  EXECUTE query;
  RETURN 'not refused: ' || query;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || SQLERRM || CASE WHEN hint <> '' THEN '. ' || hint ELSE '' END;
END $$;

-- call: the aggregate over the table's columns. type: of its states. moving: whether it has a moving form.
CREATE OR REPLACE FUNCTION aggregate_laws.laws(source regclass, call text, type regtype, moving boolean DEFAULT true)
  RETURNS TABLE (law text, holds boolean) LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
  whole text := format('SELECT g, %s AS s FROM %s GROUP BY g', call, source);
  expected text := aggregate_laws.all_of(whole);
  file text := current_setting('data_directory') || '/pql_aggregate_laws';
  numbers boolean := (SELECT atttypid = 'bigint'::regtype FROM pg_attribute WHERE attrelid = source AND attname = 'ts'); -- seconds
  form text; frame text; ord text; excl text; a text; b text; n bigint; differ text := '';
BEGIN
  EXECUTE format('ANALYZE %s', source);
  law := 'there is something to compare'; holds := length(expected) > 100; RETURN NEXT;

  law := 'any order';
  holds := aggregate_laws.all_of(format('SELECT g, %s AS s FROM (SELECT * FROM %s ORDER BY md5(id::text)) x GROUP BY g', call, source)) = expected
       AND aggregate_laws.all_of(format('SELECT g, %s AS s FROM (SELECT * FROM %s ORDER BY ts DESC, id) x GROUP BY g', call, source)) = expected;
  RETURN NEXT;

  law := 'sorted and hashed groups';
  SET LOCAL enable_hashagg = off;
  holds := aggregate_laws.all_of(whole) = expected;
  RESET enable_hashagg;
  RETURN NEXT;

  law := 'any split, rolled up';
  holds := true;
  FOREACH n IN ARRAY ARRAY[1, 2, 7, 1000000] LOOP
    holds := holds AND expected = aggregate_laws.all_of(format('SELECT g, pql.rollup(s) AS s FROM (SELECT g, %s AS s FROM %s GROUP BY g, id %% %s) x GROUP BY g', call, source, n));
  END LOOP;
  holds := holds AND expected = aggregate_laws.all_of(format('SELECT g, pql.rollup(s) AS s FROM (SELECT g, pql.rollup(s) AS s FROM'
    ' (SELECT g, id %% 3 AS p, %s AS s FROM %s GROUP BY g, id %% 9, id %% 3) x GROUP BY g, p) y GROUP BY g', call, source));
  RETURN NEXT;

  law := 'state || state, and null is no rows';
  holds := expected = aggregate_laws.all_of(format(
    'SELECT g, (%1$s FILTER (WHERE id %% 3 = 0)) OPERATOR(pql.||) ((%1$s FILTER (WHERE id %% 3 = 1)) OPERATOR(pql.||) (%1$s FILTER (WHERE id %% 3 = 2))) AS s FROM %2$s GROUP BY g', call, source))
    AND expected = aggregate_laws.all_of(format(
    'SELECT g, (%1$s FILTER (WHERE id %% 3 > 0)) OPERATOR(pql.||) (%1$s FILTER (WHERE id %% 3 = 0)) AS s FROM %2$s GROUP BY g', call, source))
    AND expected = aggregate_laws.all_of(format(
    'SELECT g, (%1$s FILTER (WHERE id < 0)) OPERATOR(pql.||) %1$s OPERATOR(pql.||) (%1$s FILTER (WHERE id < 0)) AS s FROM %2$s GROUP BY g', call, source));
  RETURN NEXT;

  SET LOCAL parallel_setup_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 3;
  SET LOCAL cpu_tuple_cost = 1; SET LOCAL parallel_tuple_cost = 1; -- rows are dear, and so is passing them on: to aggregate first is far cheaper
  law := 'parallel plans have partial aggregates';
  holds := aggregate_laws.plan_has(whole, 'Partial'); RETURN NEXT;
  law := 'parallel and serial';
  holds := aggregate_laws.all_of(whole) = expected; RETURN NEXT;
  law := 'parallel and serial, one group';
  a := aggregate_laws.all_of(format('SELECT %s FROM %s', call, source));
  SET LOCAL max_parallel_workers_per_gather = 0;
  holds := a = aggregate_laws.all_of(format('SELECT %s FROM %s', call, source)); RETURN NEXT;

  DROP TABLE IF EXISTS aggregate_laws.parted;
  EXECUTE format('CREATE TABLE aggregate_laws.parted (LIKE %s) PARTITION BY HASH (id)', source);
  FOR n IN 0..2 LOOP
    EXECUTE format('CREATE TABLE aggregate_laws.parted%s PARTITION OF aggregate_laws.parted FOR VALUES WITH (MODULUS 3, REMAINDER %s)', n, n);
  END LOOP;
  EXECUTE format('INSERT INTO aggregate_laws.parted SELECT * FROM %s', source);
  ANALYZE aggregate_laws.parted;
  SET LOCAL enable_partitionwise_aggregate = on;
  a := format('SELECT g, %s AS s FROM aggregate_laws.parted GROUP BY g', call);
  law := 'partitionwise';
  holds := aggregate_laws.plan_has(a, 'Partial') AND aggregate_laws.all_of(a) = expected; RETURN NEXT;
  DROP TABLE aggregate_laws.parted;

  law := 'grouping sets';
  holds := expected = aggregate_laws.all_of(format('SELECT g, s FROM (SELECT g, %s AS s, grouping(g) AS level FROM %s GROUP BY GROUPING SETS ((g), ())) x WHERE level = 0', call, source));
  RETURN NEXT;

  law := 'stored, toasted, and rolled up later';
  DROP TABLE IF EXISTS aggregate_laws.stored;
  EXECUTE format('CREATE TABLE aggregate_laws.stored (day int, g int, s %s)', type);
  EXECUTE format('INSERT INTO aggregate_laws.stored SELECT id %% 5, g, %s FROM %s GROUP BY 1, 2', call, source);
  SELECT expected = aggregate_laws.all_of('SELECT g, pql.rollup(s) AS s FROM aggregate_laws.stored GROUP BY g')
    AND bool_and(coalesce(two OPERATOR(pql.=) (before OPERATOR(pql.||) s), two IS NULL AND before IS NULL AND s IS NULL)) INTO holds
    FROM (SELECT s, lag(s) OVER w AS before, pql.rollup(s) OVER w AS two FROM aggregate_laws.stored
          WINDOW w AS (PARTITION BY g ORDER BY day ROWS 1 PRECEDING)) AS x;
  RETURN NEXT;

  FOREACH form IN ARRAY ARRAY['text', 'binary'] LOOP
    law := form || ' out and in';
    EXECUTE format('CREATE TABLE aggregate_laws.again (LIKE aggregate_laws.stored)');
    EXECUTE format('COPY aggregate_laws.stored TO %L (FORMAT %s)', file, form);
    EXECUTE format('COPY aggregate_laws.again FROM %L (FORMAT %s)', file, form);
    SELECT count(*) INTO n FROM aggregate_laws.stored;
    SELECT n = count(*) AND count(o.s) = count(*) FILTER (WHERE o.s OPERATOR(pql.=) i.s) AND bool_and(o.s::text IS NOT DISTINCT FROM i.s::text)
      INTO holds FROM aggregate_laws.stored o JOIN aggregate_laws.again i USING (day, g);
    RETURN NEXT;
    DROP TABLE aggregate_laws.again;
  END LOOP;

  law := 'equal, unequal and hashed by value';
  SELECT count(DISTINCT s::text) INTO n FROM aggregate_laws.stored;
  SELECT n = count(*) INTO holds FROM (SELECT s FROM aggregate_laws.stored WHERE s IS NOT NULL GROUP BY s) x;
  SELECT holds AND n * n = count(*) FILTER (WHERE x.s OPERATOR(pql.<>) y.s) + count(*) FILTER (WHERE x.s OPERATOR(pql.=) y.s)
    AND n = count(*) FILTER (WHERE x.s OPERATOR(pql.=) y.s) INTO holds
    FROM (SELECT DISTINCT s FROM aggregate_laws.stored WHERE s IS NOT NULL) x, (SELECT DISTINCT s FROM aggregate_laws.stored WHERE s IS NOT NULL) y;
  RETURN NEXT;

  law := 'damaged bytes are refused, or another state';
  holds := aggregate_laws.hostile(type, file); RETURN NEXT;

  law := 'no rows, and rows that all are filtered: null';
  EXECUTE format('SELECT %1$s IS NULL AND %1$s FILTER (WHERE id < 0) IS NULL FROM %2$s WHERE false', call, source) INTO holds; RETURN NEXT;
  DROP TABLE aggregate_laws.stored;

  -- Over frames: with FILTER (WHERE a volatile condition) PostgreSQL computes each frame anew, and with EXCLUDE always.
  FOREACH ord IN ARRAY ARRAY['ts', 'ts DESC', 'id'] LOOP
    FOREACH frame IN ARRAY ARRAY['ROWS BETWEEN 3 PRECEDING AND CURRENT ROW', 'ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING',
        'ROWS BETWEEN 6 PRECEDING AND 3 PRECEDING', 'ROWS BETWEEN 1 FOLLOWING AND 4 FOLLOWING', 'ROWS UNBOUNDED PRECEDING',
        'ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING', 'GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING', 'GROUPS CURRENT ROW',
        'RANGE BETWEEN % PRECEDING AND CURRENT ROW', 'RANGE BETWEEN % PRECEDING AND % FOLLOWING', 'RANGE BETWEEN CURRENT ROW AND % FOLLOWING'] LOOP
      FOREACH excl IN ARRAY CASE WHEN frame ~ 'BETWEEN (2|%) PRECEDING AND [^C]' THEN ARRAY['', ' EXCLUDE CURRENT ROW', ' EXCLUDE GROUP', ' EXCLUDE TIES'] ELSE ARRAY[''] END LOOP
        form := format('PARTITION BY g ORDER BY %s %s%s', ord, replace(frame, '%', CASE WHEN ord = 'id' THEN '9' WHEN numbers THEN '25200' ELSE 'interval ''7 hours''' END), excl);
        EXECUTE format('SELECT count(*) FILTER (WHERE NOT coalesce(a OPERATOR(pql.=) b, a IS NULL AND b IS NULL)) FROM'
          ' (SELECT %1$s OVER (%2$s) AS a, %1$s FILTER (WHERE random() >= 0) OVER (%2$s) AS b FROM %3$s) x', call, form, source) INTO n;
        IF n > 0 THEN differ := differ || '; not ' || form; END IF;
      END LOOP;
    END LOOP;
  END LOOP;
  law := 'any frame, moving and recomputed' || differ; holds := differ = ''; RETURN NEXT;
  law := 'moving form';
  SELECT (count(*) > 0) = moving INTO holds FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
    WHERE format('%s.%s', p.pronamespace::regnamespace, p.proname) = split_part(call, '(', 1) AND a.aggminvtransfn <> 0;
  RETURN NEXT;
END $$;

-- Binary copies of the first stored states, with each byte changed and with the end cut off: an error of the right kind, or a
-- state that can be printed, merged and read back. True when nothing else happened.
CREATE OR REPLACE FUNCTION aggregate_laws.hostile(type regtype, file text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  whole bytea; body bytea; bad bytea; i int; o oid; state text; fine boolean := true;
BEGIN
  EXECUTE format('CREATE TEMP TABLE hostile (s %s)', type);
  FOR whole IN SELECT pql.state_send(s) FROM (SELECT s FROM aggregate_laws.stored WHERE s IS NOT NULL ORDER BY length(s::text) DESC LIMIT 1) x
      UNION ALL SELECT pql.state_send(s) FROM (SELECT s FROM aggregate_laws.stored WHERE s IS NOT NULL ORDER BY length(s::text) LIMIT 1) x LOOP
    FOR i IN 0..least(3 * length(whole), 250) LOOP
      bad := CASE WHEN i < least(length(whole), 150) THEN set_byte(whole, i, (get_byte(whole, i) + 1) % 256)
                  WHEN i % 3 = 0 THEN substr(whole, 1, i % length(whole))
                  WHEN i % 3 = 1 THEN set_byte(whole, (i * 7919) % length(whole), 255)
                  ELSE whole || whole END;
      body := '\x5047434f50590aff0d0a000000000000000000'::bytea || '\x0001'::bytea || int4send(length(bad)) || bad || '\xffff'::bytea;
      BEGIN
        o := lo_from_bytea(0, body);
        PERFORM lo_export(o, file), lo_unlink(o);
        TRUNCATE hostile;
        EXECUTE format('COPY hostile FROM %L (FORMAT binary)', file);
        EXECUTE format('SELECT (s::text::%s OPERATOR(pql.=) s)::text FROM hostile', type) INTO state;
        IF state <> 'true' THEN fine := false; RAISE WARNING 'no round trip: %', bad; END IF;
        PERFORM s OPERATOR(pql.||) s, pql.state_info(s) FROM hostile;
      EXCEPTION
        WHEN invalid_binary_representation OR numeric_value_out_of_range OR datetime_field_overflow OR character_not_in_repertoire THEN NULL;
        WHEN OTHERS THEN fine := false; RAISE WARNING '% %: %', SQLSTATE, SQLERRM, bad;
      END;
    END LOOP;
  END LOOP;
  DROP TABLE hostile;
  RETURN fine;
END $$;
\set ECHO all
