-- session_agg: rows that follow each other within a gap.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 10 users over 20 days, in no order; some at the same time, some exactly a gap apart, some without a time.
CREATE TABLE session_rows AS
  SELECT i AS id, i % 10 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '30 minutes' + (i % 3) * interval '1 second' END AS ts
  FROM generate_series(1, 600) AS i;
SELECT * FROM aggregate_laws.laws('session_rows', 'pql.session_agg(interval ''30 minutes'', ts)', 'pql.session_state');
SELECT * FROM aggregate_laws.laws('session_rows', 'pql.session_agg(interval ''5 hours'', ts, interval ''3 hours'')', 'pql.session_state');

-- As with lag: a row more than the gap after the one before begins a session.
CREATE VIEW by_lag AS
  SELECT gap, g, session, min(ts) AS started, max(ts) AS ended, count(*) AS events
  FROM (SELECT gap, g, ts, sum(CASE WHEN ts - before <= gap THEN 0 ELSE 1 END) OVER (PARTITION BY gap, g ORDER BY ts) AS session
        FROM (SELECT gap, g, ts, lag(ts) OVER (PARTITION BY gap, g ORDER BY ts) AS before
              FROM session_rows, (VALUES (interval '0'), ('1 second'), ('30 minutes'), ('2 hours'), ('5 hours'), ('30 days')) AS t (gap) WHERE ts IS NOT NULL) AS x) AS y
  GROUP BY gap, g, session;
CREATE TEMP TABLE session_states AS
  SELECT gap, g, session_agg(gap, ts) AS s FROM session_rows, (SELECT DISTINCT gap FROM by_lag) AS t GROUP BY gap, g;
SELECT count(*) AS sessions, count(*) FILTER (WHERE a.events = b.events AND a.ended = b.ended) AS equal
FROM (SELECT gap, g, sessions.* FROM session_states, sessions(s)) AS a FULL JOIN by_lag AS b USING (gap, g, started);
SELECT count(*) AS states, bool_and(session_count(s) = n) AS counts, bool_and(time_in_product(s) = total) AS times,
       bool_and(time_in_product(s, '90 seconds') = total + n * interval '90 seconds') AS with_tail, bool_and(longest_session(s) = longest) AS longest
FROM session_states JOIN (SELECT gap, g, count(*) AS n, sum(ended - started) AS total, max(ended - started) AS longest FROM by_lag GROUP BY gap, g) AS x USING (gap, g);
-- Sessions that are too short aren't told of, but make others longer when they come between them.
SELECT count(*) AS states, bool_and(session_count(s) = n AND time_in_product(s) = total) AS counts
FROM (SELECT g, session_agg('5 hours', ts, '6 hours') AS s FROM session_rows GROUP BY g) AS a
  JOIN (SELECT g, count(*) AS n, sum(ended - started) AS total FROM by_lag WHERE gap = '5 hours' AND ended - started >= '6 hours' GROUP BY g) AS b USING (g);
CREATE TEMP TABLE minutes (m int);
INSERT INTO minutes VALUES (0), (10), (50), (60), (61);
SELECT 'first half' AS rows, sessions.* FROM (SELECT session_agg('20 minutes', timestamptz '2026-03-02 00:00+00' + m * interval '1 minute', '11 minutes') AS s FROM minutes WHERE m < 60) AS x, sessions(s)
UNION ALL
SELECT 'all', sessions.* FROM (SELECT session_agg('20 minutes', timestamptz '2026-03-02 00:00+00' + m * interval '1 minute', '11 minutes') AS s FROM minutes) AS x, sessions(s)
UNION ALL
SELECT 'all and half an hour', sessions.* FROM (SELECT session_agg('20 minutes', timestamptz '2026-03-02 00:00+00' + m * interval '1 minute', '11 minutes') AS s FROM (SELECT m FROM minutes UNION ALL SELECT 30) AS y) AS x, sessions(s);

-- The last two days of each row, each as if there were no others.
SELECT count(*) AS rows, count(*) FILTER (WHERE session_count(s) = n AND time_in_product(s) = total) AS equal
FROM (SELECT g, ts, session_agg('5 hours', ts) OVER (PARTITION BY g ORDER BY ts RANGE '2 days' PRECEDING) AS s FROM session_rows WHERE ts IS NOT NULL) AS a,
  LATERAL (SELECT sum(CASE WHEN ts - before <= '5 hours' THEN 0 ELSE 1 END) AS n, coalesce(sum(ts - before) FILTER (WHERE ts - before <= '5 hours'), '0') AS total
           FROM (SELECT b.ts, lag(b.ts) OVER (ORDER BY b.ts) AS before FROM session_rows AS b WHERE b.g = a.g AND b.ts BETWEEN a.ts - interval '2 days' AND a.ts) AS y) AS x;

SELECT s, state_info(s) FROM (SELECT session_agg('20 minutes', timestamptz '2026-03-02 00:00+00' + m * interval '1 minute') AS s FROM minutes) AS x;
-- Only rows without a time: nothing.
SELECT session_agg('1 hour', NULL), session_agg(NULL, NULL, NULL) IS NULL AS nothing, session_count(NULL), longest_session(session_agg('1 hour', now(), '1 minute'));
SELECT * FROM sessions(NULL);
-- The ends of time.
SELECT session_count(s), time_in_product(s), longest_session(s)
FROM (SELECT session_agg('100000000 days', ts) AS s FROM (VALUES (timestamptz '4713-01-01 00:00+00 BC'), ('294276-12-31 23:59:59.999999+00')) AS t (ts)) AS x;
SELECT time_in_product(session_agg('106000000 days', ts)) FROM (VALUES (timestamptz '4713-01-01 00:00+00 BC'), ('100000-01-01 00:00+00'), ('294276-12-31 23:59:59.999999+00')) AS t (ts);

-- The plans that the documentation speaks of.
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT g, time_in_product(session_agg('30 minutes', ts)) FROM session_rows GROUP BY g;
COMMIT;

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT session_agg('1 month', ts) FROM session_rows$$),
  ($$SELECT session_agg('-1 second', ts) FROM session_rows$$),
  ($$SELECT session_agg('2000000000 days', ts) FROM session_rows$$),
  ($$SELECT session_agg(NULL, ts) FROM session_rows$$),
  ($$SELECT session_agg('1 hour', ts, NULL) FROM session_rows$$),
  ($$SELECT session_agg('1 hour', ts, '1 year') FROM session_rows$$),
  ($$SELECT session_agg('1 hour', ts, '-1 hour') FROM session_rows$$),
  ($$SELECT session_agg(make_interval(mins => id), ts) FROM session_rows$$),
  ($$SELECT session_agg('1 hour', ts, make_interval(mins => id)) FROM session_rows$$),
  ($$SELECT session_agg(make_interval(mins => id), ts) OVER (ORDER BY id ROWS 2 PRECEDING) FROM session_rows$$),
  ($$SELECT session_agg('1 hour', timestamptz '-infinity') FROM session_rows$$),
  ($$SELECT session_agg('1 hour', ts) || (SELECT session_agg('2 hours', ts) FROM session_rows) FROM session_rows$$),
  ($$SELECT session_agg('1 hour', ts) || (SELECT session_agg('1 hour', ts, '1 hour') FROM session_rows) FROM session_rows$$),
  ($$SELECT rollup(s) FROM (SELECT session_agg(make_interval(hours => g), ts) AS s FROM session_rows GROUP BY g) AS x$$),
  ($$SELECT time_in_product(session_agg('1 hour', ts), '1 month') FROM session_rows$$),
  ($$SELECT time_in_product(session_agg('0', ts), '100000000 days') FROM session_rows$$),
  ($$SELECT '{"session_state": 1, "gap": 5, "min_length": 0, "sessions": [[0, 0, 1], [5, 5, 1]]}'::session_state$$),
  ($$SELECT '{"session_state": 1, "gap": 5, "min_length": 0, "sessions": []}'::session_state$$),
  ($$SELECT _session_add(s, '1 hour', now()) FROM (SELECT session_agg('1 hour', now()) AS s) AS x$$)) AS t (query);
DROP VIEW by_lag;
DROP TABLE session_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
