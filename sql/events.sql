-- events_agg, events_all_agg, events_excl_agg: the events of a subject.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 10 users over 20 days, in no order; some at the same time, some without a time, without or with several conditions.
CREATE TABLE event_rows AS
  SELECT i AS id, i % 9 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '1 hour' + (i % 3) * interval '1 second' END AS ts,
         i % 4 = 0 AS a, CASE WHEN i % 37 > 0 THEN i % 5 = 0 END AS b, i % 7 < 2 AS c, i % 11 = 0 AS x, nullif(i % 5, 4) + 1 AS step
  FROM generate_series(1, 600) AS i;
SELECT * FROM aggregate_laws.laws('event_rows', 'pql.events_agg(ts, a, b, c)', 'pql.events_state');
SELECT * FROM aggregate_laws.laws('event_rows', 'pql.events_all_agg(ts, VARIADIC ARRAY[a, b])', 'pql.events_state');
SELECT * FROM aggregate_laws.laws('event_rows', 'pql.events_excl_agg(ts, x, step)', 'pql.events_state');

-- However many conditions, and however they are given: the same state. A null condition is false.
SELECT bool_and(s1 = s2 AND s2 = s3 AND s1 <> s4) AS same FROM (
  SELECT events_agg(ts, a, b, c, a, b, c, a, b) AS s1, events_agg(ts, VARIADIC ARRAY[a, b, c, a, b, c, a, b]) AS s2,
         events_agg(ts, a, coalesce(b, false), c, a, coalesce(b, false), c, a, coalesce(b, false)) AS s3, events_agg(ts, a, b, c, a, b, c, a, b, false) AS s4
  FROM event_rows GROUP BY g) AS x;
SELECT window_funnel(events_agg(ts, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, b), '1 day') FROM event_rows;
SELECT conditions, same FROM (VALUES (1, (SELECT events_agg(ts, a) = events_agg(ts, VARIADIC ARRAY[a]) FROM event_rows)),
              (2, (SELECT events_agg(ts, a, b) = events_agg(ts, VARIADIC ARRAY[a, b]) FROM event_rows)),
              (3, (SELECT events_agg(ts, a, b, c) = events_agg(ts, VARIADIC ARRAY[a, b, c]) FROM event_rows)),
              (4, (SELECT events_agg(ts, a, b, c, x) = events_agg(ts, VARIADIC ARRAY[a, b, c, x]) FROM event_rows)),
              (5, (SELECT events_agg(ts, a, b, c, x, a) = events_agg(ts, VARIADIC ARRAY[a, b, c, x, a]) FROM event_rows)),
              (6, (SELECT events_agg(ts, a, b, c, x, a, b) = events_agg(ts, VARIADIC ARRAY[a, b, c, x, a, b]) FROM event_rows)),
              (7, (SELECT events_agg(ts, a, b, c, x, a, b, c) = events_agg(ts, VARIADIC ARRAY[a, b, c, x, a, b, c]) FROM event_rows))) AS t (conditions, same);

-- What is kept: rows with a condition; all; those excluded.
SELECT state_info(events_agg(ts, a, b)), state_info(events_all_agg(ts, a, b)), state_info(events_excl_agg(ts, x, a, b)), state_info(events_agg(ts, step)),
       count(*) FILTER (WHERE a OR b) AS steps, count(*) AS n, count(*) FILTER (WHERE a OR b OR x) AS with_excluded, count(step) AS numbered
FROM event_rows WHERE ts IS NOT NULL;

-- An event without a condition is an event all the same; one without a time is none.
SELECT events_agg(now(), false), events_agg(NULL, true), state_info(events_agg(timestamptz '2026-03-01 00:00+00', false)), window_funnel(events_agg(now(), false), '0'),
       window_funnel(NULL, '1 day') IS NULL AS nothing;

-- Upserts.
CREATE TEMP TABLE history (u int PRIMARY KEY, s events_state);
INSERT INTO history SELECT g, events_agg(ts, a, b, c) FROM event_rows WHERE id <= 300 GROUP BY g;
INSERT INTO history SELECT g, events_agg(ts, a, b, c) FROM event_rows WHERE id > 300 GROUP BY g
  ON CONFLICT (u) DO UPDATE SET s = history.s || excluded.s;
SELECT count(*) FROM history JOIN (SELECT g, events_agg(ts, a, b, c) AS s FROM event_rows GROUP BY g) AS x ON g = u AND x.s = history.s;

-- The plans that the documentation speaks of.
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT g, window_funnel(events_agg(ts, a, b, c), '7 days') FROM event_rows GROUP BY g;
COMMIT;

-- Many rows at once, and many at one instant.
SELECT state_info(events_agg(timestamptz '2026-03-01 00:00+00' + i * interval '1 second', true)) ->> 'events' AS events,
       state_info(events_agg(timestamptz '2026-03-01 00:00+00', i % 3 = 0, i % 3 = 1)) ->> 'events' AS at_once
FROM generate_series(1, 100000) AS i;

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT events_agg('infinity'::timestamptz, true)$$),
  ($$SELECT events_agg('-infinity'::timestamptz, 1)$$),
  ($$SELECT events_agg(now(), 0)$$),
  ($$SELECT events_agg(now(), 33)$$),
  ($$SELECT events_agg(now(), VARIADIC array_fill(true, ARRAY[33]))$$),
  ($$SELECT events_agg(now(), VARIADIC '{}'::boolean[])$$),
  ($$SELECT events_agg(now(), VARIADIC NULL::boolean[])$$),
  ($$SELECT events_agg(now(), VARIADIC array_fill(true, ARRAY[g + 1])) FROM event_rows$$),
  ($$SELECT events_agg(ts, a) || events_agg(ts, a, b) FROM event_rows$$),
  ($$SELECT events_agg(ts, a) || events_all_agg(ts, a) FROM event_rows$$),
  ($$SELECT rollup(s) FROM (SELECT events_agg(now(), true) AS s UNION ALL SELECT events_excl_agg(now(), false, true)) AS x$$),
  ($$SELECT 'x'::events_state$$),
  ($$SELECT '{"events_state": 1, "conditions": 1, "keeps": 0, "within": -1, "pattern": "", "rows": [[0, 2]]}'::events_state$$),
  ($$SELECT '{"events_state": 1, "conditions": 1, "keeps": 0, "within": -1, "pattern": "", "rows": [[0, 0]]}'::events_state$$),
  ($$SELECT '{"events_state": 1, "conditions": 1, "keeps": 0, "within": -1, "pattern": "", "rows": [[1, 1], [0, 1]]}'::events_state$$),
  ($$SELECT '{"events_state": 1, "conditions": 1, "keeps": 3, "within": -1, "pattern": "", "rows": []}'::events_state$$),
  ($$SELECT '{"events_state": 1, "conditions": 1, "keeps": 0, "within": -1, "pattern": "", "rows": [[9223372036854775807, 1]]}'::events_state$$),
  ($$SELECT '{"events_state": 1, "conditions": 33, "keeps": 0, "within": -1, "pattern": "", "rows": []}'::events_state$$),
  ($$SELECT _events_add(s, now(), true) FROM (SELECT events_agg(now(), true) AS s) AS x$$)) AS t (query);
SELECT '{"events_state": 1, "conditions": 1, "keeps": 0, "within": -1, "pattern": "", "rows": []}'::events_state;
DROP TABLE event_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
