-- Funnels: how far subjects came through a list of steps within a time.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file
SET timezone = 'UTC';
SET datestyle = ISO;
SET intervalstyle = postgres;

-- Events written as 'A@0 AB@5 -@7 !@8': seconds, conditions by letter, - for none, ! for excluded.
CREATE FUNCTION events(text) RETURNS TABLE (ts timestamptz, a boolean, b boolean, c boolean, d boolean, x boolean) LANGUAGE sql AS $$
  SELECT timestamptz '2026-03-01 00:00Z' + split_part(w, '@', 2)::int * interval '1 second', w ~ '^!?[B-D]*A', w ~ 'B.*@', w ~ 'C.*@', w ~ 'D.*@', w ~ '!'
  FROM regexp_split_to_table($1, ' +') AS w WHERE w <> ''
$$;
CREATE FUNCTION level(rows text, within interval, VARIADIC modes text[] DEFAULT '{}') RETURNS int LANGUAGE sql AS $$
  SELECT coalesce(window_funnel(events_all_agg(ts, a, b, c, d), within, modes), 0) FROM events(rows)
$$;

-- The window is inclusive and counts from the first step; ties are resolved in the subject's favour.
SELECT level('A@0 B@10', '10 s') = 2 AS inclusive, level('A@0 B@11', '10 s') = 1 AS late, level('B@5 A@5', '10 s') = 2 AS tie, level('B@5 A@5', '10 s', 'increase') = 1 AS no_tie,
       level('A@7 B@7', '0') = 2 AS no_time, level('A@0 B@5 A@9 C@12', '10 s') = 2 AS first_start, level('A@0 B@5 A@6 B@7 C@10', '10 s') = 3 AS restart;
SELECT level('ABC@5', '9 s') = 3 AS one_event, level('ABC@5 ABC@6 ABC@7', '9 s', 'once') = 3 AS three, level('AB@5 AB@5', '9 s', 'strict_once') = 2 AS two, level('AB@5', '9 s', 'once') = 1 AS once,
       level('A@0 A@5 B@5', '10 s', 'strict_increase') = 2 AS best_chain, level('A@7 A@7 B@8 B@8', '10 s') = 2 AS duplicates;
SELECT level('A@1 -@2 B@3 C@4', '1 h', 'order') = 1 AS foreign_event, level('-@1 A@2 B@3 C@4', '1 h', 'strict_order') = 3 AS before_it, level('A@1 C@2 B@3', '1 h', 'order') = 1 AS too_early,
       level('B@1 A@2 B@3 C@4', '1 h', 'order') = 3 AS not_begun, level('A@1 C@2 B@3 C@4', '1 h', 'order', 'allow_reentry') = 3 AS reentry, level('A@1 -@2 B@3 C@4', '1 h', 'order', 'reentry') = 1 AS not_forgiven,
       level('A@1 -@2 B@3 C@4', '1 h', 'order', 'steps_only') = 3 AS steps_only;
SELECT level('A@0 B@5 C@10 A@15 B@20 A@25 B@30 C@35 D@40', '60 s', 'dedup') = 3 AS dedup, level('A@1 B@2 D@3 B@4', '30 min', 'strict_deduplication') = 2 AS dedup_level, level('AB@1 AB@1 B@1 C@4', '9 s', 'once', 'dedup') = 2 AS dedup_once;

-- When, and how long it took.
SELECT funnel_times(s, '10 s'), funnel_times(s, '3 s'), funnel_conversion(s, '10 s'), funnel_conversion(s, '3 s'), activated(s, '10 s'), activated(s, '3 s'), any_order(s, '1 s')
FROM (SELECT events_agg(ts, a, b, c) AS s FROM events('A@0 A@2 B@3 B@5 C@7 A@8 B@8 C@9')) AS x;
SELECT funnel_times(events_agg(ts, a, b, c), '9 s', '{once}') AS once, funnel_times(events_all_agg(ts, a, b, c), '9 s', '{order}') AS ordered FROM events('A@0 BC@4 BC@5 -@6');

-- Excluded events.
SELECT n, window_funnel(events_excl_agg(ts, x, a, b, c), '9 s') AS level, any_order(events_excl_agg(ts, x, a, b, c), '9 s'), window_funnel(events_excl_agg(ts, x, a, b, c), '9 s', '{once,increase}') AS increase
FROM (VALUES (1, 'A@0 !@1 B@2 C@3'), (2, 'A@0 !@0 B@2 !@2 C@3'), (3, 'A@0 !@1 A@1 B@2 C@3'), (4, 'A@0 B@1 !B@2 C@3')) AS t (n, rows), events(rows) GROUP BY n ORDER BY n;

-- The aggregate that gives the level at once, and over frames: against the state.
CREATE TABLE funnel_rows AS
  SELECT i AS id, i % 23 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '1 hour' + (i % 3) * interval '1 second' END AS ts,
         i % 4 = 0 AS a, CASE WHEN i % 37 > 0 THEN i % 5 = 0 END AS b, i % 7 < 2 AS c
  FROM generate_series(1, 600) AS i;
SELECT g, window_funnel('1 day', ts, a, b, c), window_funnel('1 day', ts, VARIADIC ARRAY[a, b, c]) AS by_array, window_funnel(events_agg(ts, a, b, c), '1 day') AS by_state FROM funnel_rows GROUP BY g ORDER BY g;
SELECT frame, count(*) AS rows, count(*) FILTER (WHERE level IS DISTINCT FROM expected) AS differ, count(*) FILTER (WHERE by_array IS DISTINCT FROM expected) AS differ_by_array, array_agg(DISTINCT level ORDER BY level) AS levels FROM (
  SELECT 'RANGE' AS frame, window_funnel('1 day', ts, a, b, c) OVER w AS level, window_funnel('1 day', ts, VARIADIC ARRAY[a, b, c]) OVER w AS by_array, window_funnel(events_agg(ts, a, b, c) OVER w, '1 day') AS expected
  FROM funnel_rows WINDOW w AS (PARTITION BY g ORDER BY ts RANGE BETWEEN interval '40 hours' PRECEDING AND interval '10 hours' FOLLOWING)
  UNION ALL SELECT 'ROWS', window_funnel('30 hours', ts, a, b, c) OVER w, window_funnel('30 hours', ts, VARIADIC ARRAY[a, b, c]) OVER w, window_funnel(events_agg(ts, a, b, c) OVER w, '30 hours')
  FROM funnel_rows WINDOW w AS (ORDER BY ts ROWS BETWEEN 9 PRECEDING AND 1 PRECEDING)
  UNION ALL SELECT 'DESC', window_funnel('3 days', ts, a, b, c) OVER w, window_funnel('3 days', ts, VARIADIC ARRAY[a, b, c]) OVER w, window_funnel(events_agg(ts, a, b, c) OVER w, '3 days')
  FROM funnel_rows WINDOW w AS (PARTITION BY g ORDER BY ts DESC ROWS BETWEEN 4 PRECEDING AND CURRENT ROW)
  UNION ALL SELECT 'UNBOUNDED', window_funnel('1 day', ts, a, b, c) OVER w, window_funnel('1 day', ts, VARIADIC ARRAY[a, b, c]) OVER w, window_funnel(events_agg(ts, a, b, c) OVER w, '1 day')
  FROM funnel_rows WINDOW w AS (PARTITION BY g ORDER BY id)
  UNION ALL SELECT 'EXCLUDE', window_funnel('1 day', ts, a, b, c) FILTER (WHERE id % 3 > 0) OVER w, window_funnel('1 day', ts, VARIADIC ARRAY[a, b, c]) FILTER (WHERE id % 3 > 0) OVER w,
    window_funnel(events_agg(ts, a, b, c) FILTER (WHERE id % 3 > 0) OVER w, '1 day')
  FROM funnel_rows WINDOW w AS (PARTITION BY g ORDER BY ts GROUPS BETWEEN 8 PRECEDING AND 2 FOLLOWING EXCLUDE TIES)) AS x GROUP BY frame ORDER BY frame;
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT g, window_funnel('1 day', ts, a, b, c) FROM funnel_rows GROUP BY g;
CREATE TEMP TABLE parallel_levels AS SELECT g, window_funnel('1 day', ts, a, b, c) AS level FROM funnel_rows GROUP BY g;
COMMIT;
SELECT count(*) FROM parallel_levels JOIN (SELECT g, window_funnel(events_agg(ts, a, b, c), '1 day') AS level FROM funnel_rows GROUP BY g) AS x USING (g, level);

-- The order in which rows come, and how often the same chain is there, make no difference.
SELECT count(DISTINCT level) FROM (SELECT window_funnel('1 day', ts, a, b, c) AS level FROM (SELECT * FROM funnel_rows, generate_series(1, 5) AS n WHERE g = 3 ORDER BY md5(id::text || n)) AS r GROUP BY n) AS x;

-- Summaries of days, joined: the same as the whole.
CREATE TABLE days AS SELECT g, date_trunc('day', ts) AS day, funnel_summary(events_agg(ts, a, b, c), '30 hours') AS s, funnel_summary(events_agg(ts, a, b, c), '30 hours', '{increase}') AS i
  FROM funnel_rows WHERE ts IS NOT NULL GROUP BY g, day;
SELECT count(*) AS groups, bool_and(joined = whole) AS same, bool_and(shuffled = whole) AS any_order, bool_and(funnel = window_funnel(whole)) AS as_the_funnel, bool_and(increase = window_funnel(by_increase)) AS as_increase,
       bool_and(activated(whole) = (funnel = 3)) AS activated
FROM (SELECT g, rollup(s) AS joined, funnel_rollup(s ORDER BY md5(day::text)) AS shuffled, rollup(i) AS by_increase FROM days GROUP BY g) AS d
  JOIN (SELECT g, funnel_summary(events_agg(ts, a, b, c), '30 hours') AS whole, window_funnel(events_agg(ts, a, b, c), '30 hours') AS funnel,
               window_funnel(events_agg(ts, a, b, c), '30 hours', '{increase}') AS increase FROM funnel_rows GROUP BY g) AS w USING (g);
SELECT sum(length(s::text)) / count(*) < 400 AS small, window_funnel(funnel_summary(events_agg(now(), false, false), '1 day')) AS no_steps FROM days;
SELECT state_info(s), s, s::text::funnel_summary_state = s AS same FROM (SELECT funnel_summary(events_agg(ts, a, b, c), '10 s') AS s FROM events('A@0 B@5 C@20')) AS x;
SELECT window_funnel((SELECT s FROM days WHERE g = 1 ORDER BY day LIMIT 1) || NULL::funnel_summary_state) BETWEEN 0 AND 3 AS level;

-- How many reached each step.
SELECT funnel_histogram(level, 3), array_agg(level ORDER BY g) AS levels FROM (SELECT g, window_funnel('8 hours', ts, a, b, c) AS level FROM funnel_rows GROUP BY g) AS x;
SELECT funnel_histogram(level, 2) OVER (ORDER BY o ROWS 1 PRECEDING), funnel_histogram(level, 2) FILTER (WHERE level > 9) OVER () AS nothing FROM (VALUES (1, 0), (2, 2), (3, NULL), (4, 1)) AS t (o, level);

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT window_funnel(events_agg(ts, a), '1 month') FROM funnel_rows$$),
  ($$SELECT window_funnel(events_agg(ts, a), '-1 s') FROM funnel_rows$$),
  ($$SELECT window_funnel(events_agg(ts, a), '1 s', '{strict}') FROM funnel_rows$$),
  ($$SELECT window_funnel(events_agg(ts, a), '1 s', '{NULL}') FROM funnel_rows$$),
  ($$SELECT window_funnel(events_agg(ts, a), '1 s', '{order}') FROM funnel_rows$$),
  ($$SELECT window_funnel(events_all_agg(ts, a), '1 s', '{reentry}') FROM funnel_rows$$),
  ($$SELECT window_funnel(events_all_agg(ts, a), '1 s', '{steps_only}') FROM funnel_rows$$),
  ($$SELECT funnel_times(events_excl_agg(ts, b, a), '1 s', '{dedup}') FROM funnel_rows$$),
  ($$SELECT activated(events_agg(ts, 1), '1 s') FROM funnel_rows$$),
  ($$SELECT funnel_conversion(events_agg(ts, 1), '1 s') FROM funnel_rows$$),
  ($$SELECT any_order(events_agg(ts, a), '1 year') FROM funnel_rows$$),
  ($$SELECT window_funnel('1 month', ts, a) FROM funnel_rows$$),
  ($$SELECT window_funnel('-1 day', ts, a) FROM funnel_rows$$),
  ($$SELECT window_funnel(NULL::interval, ts, a) FROM funnel_rows$$),
  ($$SELECT window_funnel(make_interval(days => g), ts, a) FROM funnel_rows$$),
  ($$SELECT window_funnel(make_interval(days => g), ts, a) OVER (ORDER BY id ROWS 2 PRECEDING) FROM funnel_rows$$),
  ($$SELECT window_funnel('1 day', 'infinity'::timestamptz, a) FROM funnel_rows$$),
  ($$SELECT window_funnel('1 day', ts, VARIADIC array_fill(a, ARRAY[33])) FROM funnel_rows$$),
  ($$SELECT funnel_summary(events_agg(ts, a), '1 s', '{once}') FROM funnel_rows$$),
  ($$SELECT funnel_summary(events_excl_agg(ts, b, a), '1 s') FROM funnel_rows$$),
  ($$SELECT funnel_summary(events_agg(ts, 1), '1 s') FROM funnel_rows$$),
  ($$SELECT rollup(s) FROM (SELECT funnel_summary(events_agg(ts, a), '1 s') AS s FROM funnel_rows GROUP BY g) AS x$$),
  ($$SELECT s || s FROM days$$),
  ($$SELECT s || i FROM days$$),
  ($$SELECT 'x'::funnel_summary_state$$),
  ($$SELECT '{"funnel_summary_state": 1, "steps": 1, "within": 5, "increase": 0, "numbers": [0, 9, 0, 0]}'::funnel_summary_state || '{"funnel_summary_state": 1, "steps": 1, "within": 5, "increase": 0, "numbers": [9, 0, 0, 0]}'$$),
  ($$SELECT funnel_histogram(3, 2)$$),
  ($$SELECT funnel_histogram(-1, 2)$$),
  ($$SELECT funnel_histogram(1, 33)$$),
  ($$SELECT funnel_histogram(1, NULL)$$),
  ($$SELECT funnel_histogram(1, n) FROM generate_series(1, 2) AS n$$),
  ($$SELECT _funnel_histogram_add('{1,2}', 1, 2)$$)) AS t (query);
DROP TABLE funnel_rows, days;
DROP FUNCTION level, events;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
