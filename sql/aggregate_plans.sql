-- How the examples of doc/aggregates.md are planned: what aggregates in parallel, and what moves with its frame.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pql;
CREATE SCHEMA aggregate_plans;
SET search_path = aggregate_plans, pql;
\set ECHO none
\set page `cat $PG_ABS_SRCDIR/doc/aggregates.md`
\set ECHO all

-- Statements of the page, in their order; a comment may end one.
CREATE TABLE statement AS
  SELECT row_number() OVER () AS n, btrim(regexp_replace(s, '^\s*--[^\n]*', ''), E' \n') AS text
  FROM regexp_matches(:'page', '```sql\n(.*?)\n```', 'g') AS block, string_to_table(block[1], ';') AS s;
DELETE FROM statement WHERE text = '';

-- The nodes of a plan that aggregate, gather or scan, from the top: others differ between versions, and don't matter here.
CREATE FUNCTION plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; nodes text[] = '{}';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line ~ '^ *(->  )?[A-Z][A-Za-z ]*$' OR line ~ 'Scan on' THEN
      line := regexp_replace(line, '^ *(->  )?(Gather)? *(Merge)?', '\2'); -- which of the two is a matter of costs
      IF line ~ 'Aggregate|Gather|Scan on (visit|step|click|heat|active|history|funnel)|WindowAgg' THEN nodes := nodes || line; END IF;
    END IF;
  END LOOP;
  RETURN array_to_string(nodes, ' > ');
END $$;

-- The aggregates in a query that can take rows back, where it has frames that move.
CREATE FUNCTION moving(query text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT string_agg(DISTINCT proname, ', ') FROM pg_proc JOIN pg_aggregate ON aggfnoid = pg_proc.oid
  WHERE query ~ 'PRECEDING' AND aggminvtransfn <> 0 AND pronamespace = 'pql'::regnamespace AND query ~ (proname || '\([^;]*\) OVER')
$$;

-- Tables of a size that is worth a plan; what is passed between processes is dear.
CREATE FUNCTION plans(OUT statement text, OUT plan text, OUT moving text) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE s record; name text;
BEGIN
  SET LOCAL enable_hashagg = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
  SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 1; SET LOCAL min_parallel_table_scan_size = 0;
  FOR s IN SELECT text FROM statement ORDER BY n LOOP
    IF s.text ~ '^(SELECT|EXPLAIN)' THEN
      statement := regexp_replace(s.text, '^EXPLAIN \(COSTS OFF\) ', '');
      PERFORM set_config('max_parallel_workers_per_gather', CASE WHEN statement ~ ' OVER ' THEN '0' ELSE '2' END, true); -- frames don't run in parallel
      plan := aggregate_plans.plan(statement);
      moving := aggregate_plans.moving(statement);
      statement := left(regexp_replace(statement, '\s+', ' ', 'g'), 90);
      RETURN NEXT;
    ELSIF s.text ~ '^(CREATE|INSERT)' THEN
      EXECUTE s.text;
      name := substring(s.text, '^(?:CREATE TABLE|INSERT INTO) (\w+)');
      EXECUTE format('ANALYZE %I', name);
      IF (SELECT reltuples BETWEEN 1 AND 1000 AND NOT relhasindex FROM pg_class WHERE oid = name::regclass) THEN
        EXECUTE format('INSERT INTO %I SELECT t.* FROM %1$I AS t, generate_series(1, 60)', name);
        EXECUTE format('ANALYZE %I', name);
      END IF;
    END IF;
  END LOOP;
END $$;
SELECT * FROM plans();
DROP SCHEMA aggregate_plans CASCADE;
