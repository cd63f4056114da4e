-- decay_agg: sums and counts that fade.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 10 users over 20 days, in no order; some at the same time, some without a value or a time.
CREATE TABLE decay_rows AS
  SELECT i AS id, i % 10 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '1 hour' + (i % 3) * interval '1 second' END AS ts,
         CASE WHEN i % 37 > 0 THEN (i % 9 - 2) * 1.25 END AS v
  FROM generate_series(1, 600) AS i;
SELECT * FROM aggregate_laws.laws('decay_rows', 'pql.decay_agg(interval ''16 hours'', ts, v)', 'pql.decay_state');
SELECT * FROM aggregate_laws.laws('decay_rows', 'pql.decay_agg(interval ''20 minutes'', ts)', 'pql.decay_state');

-- Against the formula.
SELECT count(*) AS groups, bool_and(abs(decay_score(s, as_of) - score) < 1e-9 * (1 + abs(score))) AS scores,
       bool_and(abs(decay_count(s, as_of) - n) < 1e-9 * n) AS counts, bool_and(abs(decay_avg(s) - score / n) < 1e-9) AS averages,
       bool_and(last_seen(s) = newest) AS newest
FROM (SELECT as_of, decay_agg('16 hours', ts, v) AS s, max(ts) AS newest,
             sum(v * power(2, extract(epoch FROM ts - as_of)::float8 / 57600)) AS score, sum(power(2, extract(epoch FROM ts - as_of)::float8 / 57600)) AS n
      FROM decay_rows, (VALUES (timestamptz '2026-03-25'), ('2026-03-10'), ('2026-03-21 12:34:56.789')) AS t (as_of) -- the second before the newest rows
      WHERE ts IS NOT NULL AND v IS NOT NULL GROUP BY g, as_of) AS x;

-- A half-life later it is half; nothing was rounded.
SELECT decay_score(s, '2026-03-02') AS one, decay_score(s, '2026-03-09') AS half, decay_score(s, '2026-02-23') AS before_it_happened, s
FROM (SELECT decay_agg('7 days', timestamptz '2026-03-02 00:00+00') AS s) AS x;
SELECT decay_avg(decay_agg('1 minute', timestamptz '2026-03-02 00:00+00', 5)), decay_score(decay_agg('1 minute', timestamptz '2026-03-02', 5), '2036-03-02');
SELECT half_life('10 days'), half_life('1 second');
SELECT state_info(decay_agg('7 days', timestamptz '2026-03-02 00:00+00', 2));

-- decay_sum is the score as of the newest row, to the bit: of groups, of frames (where rows come and go, and some have none), and
-- below in parallel.
CREATE VIEW at_once AS
  SELECT g, decay_sum('16 hours', ts, v) AS sum, decay_score(decay_agg('16 hours', ts, v), last_seen(decay_agg('16 hours', ts, v))) AS score,
         decay_sum('20 minutes', ts) AS n, decay_count(decay_agg('20 minutes', ts), max(ts)) AS count FROM decay_rows GROUP BY g;
SELECT count(*), bool_and(sum = score) AS sums, bool_and(n = count) AS counts FROM at_once;
SELECT count(*), count(sum) AS with_rows, count(DISTINCT sum) > 100 AS differ, bool_and(sum IS NOT DISTINCT FROM decay_score(s, last_seen(s))) AS sums,
       bool_and(n IS NOT DISTINCT FROM decay_count(c, last_seen(c))) AS counts, bool_and(anew IS NOT DISTINCT FROM sum) AS anew
FROM (SELECT decay_sum('16 hours', ts, v) OVER w AS sum, decay_agg('16 hours', ts, v) OVER w AS s, decay_sum('20 minutes', ts) FILTER (WHERE v > 0) OVER w AS n,
             decay_agg('20 minutes', ts) FILTER (WHERE v > 0) OVER w AS c, decay_sum('16 hours', ts, v) FILTER (WHERE random() >= 0) OVER w AS anew
      FROM decay_rows WINDOW w AS (PARTITION BY g % 3 ORDER BY id % 50, id ROWS BETWEEN 7 PRECEDING AND 4 PRECEDING)) AS x;
SELECT count(*), bool_and(sum = score) AS sums
FROM (SELECT ts, decay_sum('16 hours', ts, v) OVER w AS sum, decay_score(decay_agg('16 hours', ts, v) OVER w, ts) AS score
      FROM decay_rows WHERE ts IS NOT NULL AND v IS NOT NULL WINDOW w AS (PARTITION BY g ORDER BY ts RANGE '2 days' PRECEDING)) AS x;
SELECT decay_sum('1 day', NULL::timestamptz), decay_sum('1 day', now(), NULL), round(decay_sum('1 day', now(), 3)::numeric, 9) AS three,
       (SELECT round(decay_sum('1 day', timestamptz '2026-03-02' - i * interval '1 day', 8)::numeric, 9) FROM generate_series(0, 2) AS i) AS fourteen;

-- Only rows with a null: nothing.
SELECT decay_agg('7 days', NULL::timestamptz), decay_agg('7 days', now(), NULL), decay_agg(NULL, NULL, NULL) IS NULL AS nothing;
SELECT decay_score(NULL, now()), NULL::decay_state || NULL::decay_state AS nothing;

-- Upserts.
CREATE TEMP TABLE heat (u int PRIMARY KEY, s decay_state);
INSERT INTO heat SELECT g, decay_agg('16 hours', ts, v) FROM decay_rows WHERE id <= 300 GROUP BY g;
INSERT INTO heat SELECT g, decay_agg('16 hours', ts, v) FROM decay_rows WHERE id > 300 GROUP BY g
  ON CONFLICT (u) DO UPDATE SET s = heat.s || excluded.s;
SELECT count(*) FROM heat JOIN (SELECT g, decay_agg('16 hours', ts, v) AS s FROM decay_rows GROUP BY g) AS x ON g = u AND x.s = heat.s;

-- A long frame costs no more than a short one: computed anew, each of these would take a minute.
SET statement_timeout = '20s';
SELECT count(a) FROM (SELECT decay_agg('1 hour', timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', i) OVER (ORDER BY i ROWS 20000 PRECEDING) AS a FROM generate_series(1, 60000) AS i) AS x;
SELECT count(a) FROM (SELECT decay_agg('1 hour', timestamptz '2026-01-01 00:00+00' + i * interval '1 minute') OVER (ORDER BY i DESC ROWS 20000 PRECEDING) AS a FROM generate_series(1, 60000) AS i) AS x;
RESET statement_timeout;

-- The plans that the documentation speaks of.
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL enable_hashagg = off;

EXPLAIN (COSTS OFF) SELECT g, decay_agg('7 days', ts, v) FROM decay_rows GROUP BY g;
EXPLAIN (COSTS OFF) SELECT g, decay_sum('7 days', ts, v) FROM decay_rows GROUP BY g;
SELECT count(*), bool_and(sum = score) AS sums, bool_and(n = count) AS counts FROM at_once;
COMMIT;

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT decay_agg('1 month', ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg('-1 day', ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg('0', ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg('1000 years', ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg('2000000000 days', ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg(NULL, ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg(make_interval(days => id), ts, v) FROM decay_rows$$),
  ($$SELECT decay_agg(make_interval(days => id), ts, v) OVER (ORDER BY id ROWS 2 PRECEDING) FROM decay_rows$$),
  ($$SELECT decay_agg('1 day', 'infinity'::timestamptz, v) FROM decay_rows$$),
  ($$SELECT decay_agg('1 day', ts, 'NaN') FROM decay_rows$$),
  ($$SELECT decay_agg('1 day', ts, 20000000) FROM decay_rows$$),
  ($$SELECT decay_sum(make_interval(days => id), ts) FROM decay_rows$$),
  ($$SELECT decay_sum(make_interval(days => id), ts, v) OVER (ORDER BY id ROWS 2 PRECEDING) FROM decay_rows$$),
  ($$SELECT _decay_sum_final(decay_agg('1 day', now()))$$),
  ($$SELECT decay_agg('1 day', ts) || (SELECT decay_agg('2 days', ts) FROM decay_rows) FROM decay_rows$$),
  ($$SELECT rollup(s) FROM (SELECT decay_agg(make_interval(days => g + 1), ts) AS s FROM decay_rows GROUP BY g) AS x$$),
  ($$SELECT decay_score(decay_agg('1 day', ts), 'infinity') FROM decay_rows$$),
  ($$SELECT half_life('1 year')$$),
  ($$SELECT 'x'::decay_state$$),
  ($$SELECT '{"decay_state": 1, "half_life": 86400000000, "newest": 0, "blocks": [[0, 1], [0, 0]]}'::decay_state$$),
  ($$SELECT '{"decay_state": 2, "half_life": 86400000000, "newest": 0, "blocks": [[0, 1099511627776]]}'::decay_state$$),
  ($$SELECT s || s FROM CAST('{"decay_state": 1, "half_life": 86400000000, "newest": 0, "blocks": [[170141183460469231731687303715884105727, 1099511627776]]}' AS decay_state) AS s$$),
  ($$SELECT _decay_add(s, '1 day', now(), 1), _state_add(s, s) FROM (SELECT decay_agg('1 day', now()) AS s) AS x$$),
  ($$SELECT _state_final(decay_agg('1 day', now()))$$)) AS t (query);
DROP VIEW at_once;
DROP TABLE decay_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
