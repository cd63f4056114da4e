-- window_count_agg and count_map_agg.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 10 users over 20 days, in no order; some at the same time, some without a time, key or number.
CREATE TABLE count_rows AS
  SELECT i AS id, i % 10 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 240) * interval '2 hours' END AS ts,
         CASE WHEN i % 43 > 0 THEN (ARRAY['', 'a', 'B', 'ä"\', E'\t', 'key', 'a longer key', repeat('x', 300)])[1 + i * 31 % 8] || CASE WHEN i % 3 = 0 THEN i % 17 || '' ELSE '' END END AS key,
         CASE WHEN i % 37 > 0 THEN i % 7 - 3 END AS n
  FROM generate_series(1, 600) AS i;

-- window_count_agg
SELECT * FROM aggregate_laws.laws('count_rows', 'pql.window_count_agg(ts, ARRAY[interval ''1 day'', ''36 hours'', ''4 hours''])', 'pql.window_count_state');
SELECT * FROM aggregate_laws.laws('count_rows', 'pql.window_count_agg(ts, ARRAY[interval ''1000 days''])', 'pql.window_count_state');

-- Against counting, at and after the newest row, and at earlier instants that it still knows.
SELECT count(*) AS windows, sum(expected) AS rows, bool_and(counted = expected) AS equal
FROM (SELECT as_of, w, (SELECT count_in(window_count_agg(ts, ARRAY[interval '3 days', '2 hours']), as_of, w) FROM count_rows WHERE g = u) AS counted,
             (SELECT count(*) FROM count_rows WHERE g = u AND ts > as_of - w AND ts <= as_of) AS expected
      FROM generate_series(0, 9) AS u,
           (VALUES (interval '0'), ('1 second'), ('2 hours'), ('1 day'), ('3 days')) AS v (w),
           (SELECT max(ts) AS newest FROM count_rows) AS m,
           LATERAL (VALUES (newest), (newest + interval '1 hour'), (newest + interval '2 days'), (newest + interval '1 year')) AS t (as_of)) AS x;
SELECT count_in(s, '2026-03-02', '1 day') AS whole_day, count_in(s, '2026-03-02 23:59:59', '1 day') AS next_day, count_in(s, '2026-03-02 12:00', '12 hours') AS half_open, state_info(s)
FROM (SELECT window_count_agg(t, ARRAY[interval '2 days']) AS s
      FROM (VALUES (timestamptz '2026-03-01 00:00'), ('2026-03-01 00:00:01'), ('2026-03-02 00:00'), ('2026-03-02 00:00'), ('2026-03-02 12:00')) AS r (t)) AS x;
SELECT window_count_agg(NULL::timestamptz, NULL::interval[]) AS nothing;
SELECT window_count_agg(ts, '{1 day}') = window_count_agg(ts, '{1 day}') FILTER (WHERE ts > (SELECT max(ts) - interval '1 day' FROM count_rows)) AS forgets FROM count_rows;

-- count_map_agg
SELECT * FROM aggregate_laws.laws('count_rows', 'pql.count_map_agg(key, n)', 'pql.count_map_state');
SELECT * FROM aggregate_laws.laws('count_rows', 'pql.count_map_agg(key)', 'pql.count_map_state');
SELECT bool_and(counts(m) = (SELECT coalesce(jsonb_object_agg(key, n) FILTER (WHERE n <> 0), '{}')
                             FROM (SELECT key, sum(n) AS n FROM count_rows WHERE g = u AND key IS NOT NULL AND n IS NOT NULL GROUP BY key) AS x)) AS equal
FROM (SELECT g AS u, count_map_agg(key, n) AS m FROM count_rows GROUP BY g) AS y;
SELECT bool_and(count_of(m, key) = sums) AS equal
FROM (SELECT count_map_agg(key, n) AS m FROM count_rows) AS y, (SELECT key, sum(n) AS sums FROM count_rows WHERE key IS NOT NULL GROUP BY key) AS x;
SELECT t.* FROM (SELECT count_map_agg(left(key, 8), n) AS m FROM count_rows WHERE key <> E'\t') AS x, top(m, 4) AS t;
SELECT count(*), sum(count), (SELECT count(*) FROM count_rows WHERE key IS NOT NULL) AS rows FROM (SELECT (top(count_map_agg(key), 1000)).* FROM count_rows) AS x;
SELECT m, counts(m), count_of(m, 'c'), state_info(m), (SELECT count(*) FROM top(m)) FROM (SELECT count_map_agg(k, n) AS m FROM (VALUES ('b', 2), ('a', 1), ('c', 5), ('c', -5), (NULL, 3), ('d', NULL)) AS r (k, n)) AS x;
SELECT count_map_agg('a', 0) AS empty, count_map_agg('a', 1) = count_map_agg('a', 1) || count_map_agg('b', 0) AS no_trace, count_map_agg(NULL) AS nothing;

-- Many keys, each of which comes back.
SELECT count(*), min(count), max(count) FROM (SELECT (top(count_map_agg(md5((i % 20000)::text)), 100000)).* FROM generate_series(1, 100000) AS i) AS x;

-- A long frame costs no more than a short one: computed anew, each of these would take a minute.
SET statement_timeout = '20s';
SELECT count(a) FROM (SELECT count_map_agg((i % 10)::text) OVER (ORDER BY i ROWS 20000 PRECEDING) AS a FROM generate_series(1, 60000) AS i) AS x;
RESET statement_timeout;

SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT window_count_agg(ts, NULL) FROM count_rows$$),
  ($$SELECT window_count_agg(ts, '{}') FROM count_rows$$),
  ($$SELECT window_count_agg(ts, '{1 day, NULL}') FROM count_rows$$),
  ($$SELECT window_count_agg(ts, '{1 day, 0}') FROM count_rows$$),
  ($$SELECT window_count_agg(ts, '{1 month}') FROM count_rows$$),
  ($$SELECT window_count_agg(ts, '{-1 days}') FROM count_rows$$),
  ($$SELECT window_count_agg(ts, ARRAY[make_interval(days => id)]) FROM count_rows$$),
  ($$SELECT window_count_agg(ts, ARRAY[make_interval(days => id)]) OVER (ORDER BY id ROWS 2 PRECEDING) FROM count_rows$$),
  ($$SELECT window_count_agg('-infinity', '{1 day}') FROM count_rows$$),
  ($$SELECT window_count_agg(ts, '{1 day}') || (SELECT window_count_agg(ts, '{2 days}') FROM count_rows) FROM count_rows$$),
  ($$SELECT count_in(window_count_agg(ts, '{1 day}'), '2026-04-01', '2 days') FROM count_rows$$),
  ($$SELECT count_in(window_count_agg(ts, '{1 day}'), '2026-03-02', '1 day') FROM count_rows$$),
  ($$SELECT count_in(window_count_agg(ts, '{1 day}'), '2026-04-01', '-1 day') FROM count_rows$$),
  ($$SELECT count_in(window_count_agg(ts, '{1 day}'), 'infinity', '1 day') FROM count_rows$$),
  ($$SELECT '{"window_count_state": 1, "longest": 5, "rows": [[1, 1], [0, 1]]}'::window_count_state$$),
  ($$SELECT '{"window_count_state": 1, "longest": 5, "rows": [[1, 1], [6, 1]]}'::window_count_state$$),
  ($$SELECT '{"window_count_state": 1, "longest": 5, "rows": []}'::window_count_state$$),
  ($$SELECT count_map_agg('a', 9223372036854775807) FROM count_rows$$),
  ($$SELECT count_map_agg('a', 9223372036854775807) OVER (ORDER BY id ROWS 2 PRECEDING) FROM count_rows$$),
  ($$SELECT m || m FROM (SELECT count_map_agg('a', -9223372036854775807) AS m) AS x$$),
  ($$SELECT top(count_map_agg('a'), -1)$$),
  ($$SELECT '{"count_map_state": 1, "counts": {"b": 1, "a": 1}}'::count_map_state$$),
  ($$SELECT '{"count_map_state": 1, "counts": {"a": 1, "a": 1}}'::count_map_state$$),
  ($$SELECT '{"count_map_state": 1, "counts": {"a": 0}}'::count_map_state$$),
  ($$SELECT '{"count_map_state": 1, "counts": {"\u0000": 1}}'::count_map_state$$),
  ($$SELECT '{"count_map_state": 1, "counts": {"a": 9223372036854775808}}'::count_map_state$$)) AS t (query);
SELECT '{"count_map_state": 1, "counts": {}}'::count_map_state, ' { "count_map_state" : 1 , "counts" : { "\u0041\n" : -9223372036854775808 } } '::count_map_state;
SELECT key, n, counts(count_map_agg(key, n) OVER (ORDER BY id ROWS 1 PRECEDING)) FROM (VALUES (1, 'a', 1), (2, 'a', -9223372036854775808), (3, 'b', 2)) AS t (id, key, n);
DROP TABLE count_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
