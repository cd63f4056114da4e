-- active_users_agg: how many different values there are.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 5 groups with 60 users over 20 days, in no order; some without a user.
CREATE TABLE active_rows AS
  SELECT i AS id, i % 5 AS g, timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '1 hour' AS ts,
         CASE WHEN i % 41 > 0 THEN 'user ' || i * i % 60 END AS who, (i * i % 60)::bigint AS number
  FROM generate_series(1, 400) AS i;
SELECT * FROM aggregate_laws.laws('active_rows', 'pql.active_users_agg(who)', 'pql.active_users_state');
SELECT * FROM aggregate_laws.laws('active_rows', 'pql.active_users_agg(number, true)', 'pql.active_users_state');
-- Some groups with registers, some without.
CREATE TABLE many_rows AS
  SELECT i AS id, i % 3 AS g, timestamptz '2026-03-01 00:00+00' + i * interval '1 hour' AS ts, CASE WHEN i % 3 = 0 THEN i % 50 ELSE i END AS who
  FROM generate_series(1, 9000) AS i;
CREATE TEMP TABLE parts AS SELECT g, id % 7 AS part, active_users_agg(who, true) AS s FROM many_rows GROUP BY 1, 2;
SELECT g, w.s = r.s AS equal, state_info(w.s) - 'bytes' AS info
FROM (SELECT g, active_users_agg(who, true) AS s FROM many_rows GROUP BY g) AS w
  JOIN (SELECT g, rollup(s ORDER BY part DESC) AS s FROM parts GROUP BY g) AS r USING (g) ORDER BY g;
SELECT bool_and(s::text::active_users_state = s) AS text FROM (SELECT active_users_agg(who, true) AS s FROM many_rows GROUP BY g) AS x;

-- As count(DISTINCT), of all kinds of types.
SELECT count(*) AS groups, bool_and(active_users(a) = n AND active_users(b) = n AND active_users(c) = n AND active_users(d) = n AND active_users(e) = n) AS equal,
       bool_and(one_step = n) AS one_step, bool_and(active_users_upto(a, n) = n AND active_users_upto(a, n - 1) = n AND active_users_upto(a, 3) = 4) AS upto
FROM (SELECT g, active_users_agg(number) AS a, active_users_agg(number::numeric) AS b, active_users_agg(md5(number::text)::uuid) AS c, active_users_agg(date '2026-03-01' + number::int) AS d,
             active_users_agg(ARRAY[number]) AS e, count_active_users(number) AS one_step, count(DISTINCT number) AS n FROM active_rows GROUP BY g) AS x;
-- Integers are equal whatever their size, and so are texts of different types.
SELECT active_users_agg(1::smallint) = active_users_agg(1) AND active_users_agg(1) = active_users_agg(1::bigint) AS integers,
       active_users_agg('ada'::text) = active_users_agg('ada'::varchar) AS texts;
-- Stored hashes stay what they are.
SELECT active_users_agg(v), state_info(active_users_agg(v)) FROM (VALUES (1), (2), (NULL), (2)) AS t (v);
-- Within four standard errors.
SELECT n, abs(active_users(s)::numeric / n - 1) < 0.0324 AS near FROM (SELECT n, active_users_agg(i, true) AS s
  FROM (VALUES (2048), (2049), (3000), (10000), (50000)) AS t (n), generate_series(1, n) AS i GROUP BY n) AS x ORDER BY n;

-- Rolling: the users of the last seven days at each row, and without them in one step.
SELECT count(*) AS rows, count(*) FILTER (WHERE active_users(s) = n AND one_step = n) AS equal
FROM (SELECT ts, g, active_users_agg(who) OVER w AS s, count_active_users(who) OVER w AS one_step
      FROM active_rows WINDOW w AS (PARTITION BY g ORDER BY ts RANGE '7 days' PRECEDING)) AS a,
  LATERAL (SELECT count(DISTINCT b.who) AS n FROM active_rows AS b WHERE b.g = a.g AND b.ts BETWEEN a.ts - interval '7 days' AND a.ts) AS x;
-- Frames with more values than are exact, and with fewer again.
SELECT count(*) AS rows, count(*) FILTER (WHERE moving = anew) AS equal, min(active_users(moving)) AS fewest, max(active_users(moving)) > 2048 AS many
FROM (SELECT active_users_agg(who, true) OVER w AS moving, active_users_agg(who, true) FILTER (WHERE random() >= 0) OVER w AS anew
      FROM many_rows WHERE id < 3200 AND (g > 0 OR id < 150) WINDOW w AS (ORDER BY id % 2100, id ROWS 2060 PRECEDING)) AS x;

-- Only rows without a value: nothing, and in one step zero.
SELECT active_users_agg(NULL::int), count_active_users(NULL::int), count_active_users(1) FILTER (WHERE false) AS filtered, active_users(NULL);

-- The plans that the documentation speaks of.
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT active_users(active_users_agg(who)) FROM active_rows;
COMMIT;

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT active_users_agg(who, NULL) FROM active_rows$$),
  ($$SELECT active_users_agg(who, id > 100) FROM active_rows$$),
  ($$SELECT active_users_agg(who, id > 100) OVER (ORDER BY id ROWS 200 PRECEDING) FROM active_rows$$),
  ($$SELECT active_users_agg(point(id, id)) FROM active_rows$$),
  ($$SELECT active_users_agg(who) || (SELECT active_users_agg(who, true) FROM active_rows) FROM active_rows$$),
  ($$SELECT active_users_upto(active_users_agg(who), -1) FROM active_rows$$),
  ($$SELECT '{"active_users_state": 1, "approximate": 0, "values": [2, 1]}'::active_users_state$$),
  ($$SELECT '{"active_users_state": 1, "approximate": 0, "values": "AAAA"}'::active_users_state$$),
  ($$SELECT _active_users_add(s, 1) FROM (SELECT active_users_agg(1) AS s) AS x$$),
  ($$SELECT _active_users_count(active_users_agg(1))$$)) AS t (query);
DROP TABLE active_rows, many_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
