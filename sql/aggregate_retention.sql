-- retention_agg, retention and cohort_retention_agg.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 30 users over 20 weeks, in no order; some at the same time, some without a time.
CREATE TABLE retention_rows AS
  SELECT i AS id, i % 30 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-01-01 00:00+00' + (i * 7919 % 140) * interval '1 day' + (i % 5) * interval '7 hours' END AS ts,
         CASE WHEN i % 37 > 0 THEN i * 31 % 97 END AS e
  FROM generate_series(1, 700) AS i;

-- retention_agg
SELECT * FROM aggregate_laws.laws('retention_rows', 'pql.retention_agg(e > 80, e % 5 = 0, e = 7, e < 0)', 'pql.retention_state');
SELECT * FROM aggregate_laws.laws('retention_rows', 'pql.retention_agg(VARIADIC ARRAY[e > 10, e < 5, NULL, e = 0, e = 1, e = 2, e = 3, e = 4, e = 5, e = 6])', 'pql.retention_state');
SELECT bool_and(retained(s) = ARRAY[a, a AND b, a AND c] AND r = retained(s) AND v = r) AS equal, count(*) FILTER (WHERE a), count(*) FILTER (WHERE a AND c)
FROM (SELECT retention_agg(e > 80, e % 5 = 0, e = 7) AS s, retention(e > 80, e % 5 = 0, e = 7) AS r, retention(VARIADIC ARRAY[e > 80, e % 5 = 0, e = 7]) AS v,
             coalesce(bool_or(e > 80), false) AS a, coalesce(bool_or(e % 5 = 0), false) AS b, coalesce(bool_or(e = 7), false) AS c
      FROM retention_rows GROUP BY g) AS x;
-- In any order; without the first condition nobody is retained; null is false.
SELECT retention(a, b) AS b_then_a FROM (VALUES (false, true), (true, false)) AS t (a, b);
SELECT retention(a, b) AS no_anchor FROM (VALUES (false, true), (NULL, true)) AS t (a, b);
SELECT retention(NULL, NULL) AS nulls, retention(true) AS one, retention(VARIADIC array_fill(true, ARRAY[32])) AS most;
SELECT retention(true, true) FILTER (WHERE false) AS no_rows, retained(retention_agg(false, true)) AS not_retained;
SELECT retention(true), retention(true, true), retention(true, true, true), retention(true, true, true, true), retention(true, true, true, true, false),
       retention(true, true, true, true, true, false), retention(true, true, true, true, true, true, false), retention(true, true, true, true, true, true, true, false),
       retention(true, true, true, true, true, true, true, true, false);
SELECT id, retention(c, d) OVER w, retention(VARIADIC ARRAY[c, d]) OVER w, retained(retention_agg(c, d) OVER w), retention(c, d) FILTER (WHERE c) OVER w AS filtered
FROM (VALUES (1, true, false), (2, false, true), (3, false, false), (4, false, true), (5, true, false), (6, NULL, NULL)) AS t (id, c, d)
WINDOW w AS (ORDER BY id ROWS 2 PRECEDING);
SELECT s, state_info(s) FROM (SELECT retention_agg(true, false, true) AS s) AS x;

-- cohort_retention_agg
SELECT * FROM aggregate_laws.laws('retention_rows', 'pql.cohort_retention_agg(ts, interval ''7 days'', e > 30)', 'pql.cohort_state');
SELECT * FROM aggregate_laws.laws('retention_rows', 'pql.cohort_retention_agg(ts, interval ''5 hours'')', 'pql.cohort_state');
SELECT bool_and(retained_periods(s) = weeks) AS equal, bool_and(cohort(s) IS NOT DISTINCT FROM first) AS cohorts, max(cardinality(weeks)) AS most, count(*) FILTER (WHERE weeks = '{}') AS without
FROM (SELECT g, cohort_retention_agg(ts, '7 days', e > 93) AS s FROM retention_rows GROUP BY g) AS x
JOIN (SELECT g, min(week) FILTER (WHERE e > 93) AS first FROM (SELECT *, date_bin('7 days', ts, '2000-01-03 00:00+00') AS week FROM retention_rows) AS r GROUP BY g) AS f USING (g)
CROSS JOIN LATERAL (SELECT coalesce(array_agg(DISTINCT n ORDER BY n), '{}') AS weeks
                    FROM (SELECT (extract(epoch FROM date_bin('7 days', ts, '2000-01-03 00:00+00') - first) / 604800)::int AS n FROM retention_rows AS o WHERE o.g = x.g) AS o
                    WHERE n >= 0) AS e;
SELECT retained_periods(s), cohort(s), s, state_info(s)
FROM (SELECT cohort_retention_agg(t, '1 day', a) AS s FROM (VALUES (timestamptz '1999-12-30 23:59:59.999999+00', false), ('1999-12-31 12:00+00', true), ('2000-01-01 00:00+00', false),
      ('2000-01-01 13:00+00', true), ('2000-03-05 00:00+00', NULL), (NULL, true)) AS r (t, a)) AS x;
SELECT retained_periods(s) AS none, cohort(s) AS nobody, s FROM (SELECT cohort_retention_agg(timestamptz '2026-01-05 00:00+00', '7 days', false) AS s) AS x;
SELECT cohort_retention_agg(NULL::timestamptz, NULL::interval) AS nothing;

-- A long frame costs no more than a short one: computed anew, each of these would take a minute.
SET statement_timeout = '20s';
SELECT count(r), count(c)
FROM (SELECT retention(i % 3 = 0, i % 70000 = 1) OVER w AS r, cohort_retention_agg(timestamptz '2026-01-01 00:00+00' + i * interval '1 minute', '30 days') OVER w AS c
      FROM generate_series(1, 60000) AS i WINDOW w AS (ORDER BY i ROWS 20000 PRECEDING)) AS x;
RESET statement_timeout;

SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT retention_agg(VARIADIC array_fill(true, ARRAY[33]))$$),
  ($$SELECT retention_agg(VARIADIC '{}'::boolean[])$$),
  ($$SELECT retention_agg(VARIADIC NULL::boolean[])$$),
  ($$SELECT retention_agg(VARIADIC array_fill(true, ARRAY[id])) FROM retention_rows WHERE id < 5$$),
  ($$SELECT retention(VARIADIC array_fill(true, ARRAY[id])) OVER (ORDER BY id ROWS 1 PRECEDING) FROM retention_rows WHERE id < 5$$),
  ($$SELECT retention_agg(true) || retention_agg(true, true)$$),
  ($$SELECT '{"retention_state": 1, "seen": []}'::retention_state$$),
  ($$SELECT '{"retention_state": 1, "seen": [2]}'::retention_state$$),
  ($$SELECT '{"retention_state": 1, "seen": [0, 1]} x'::retention_state$$),
  ($$SELECT cohort_retention_agg(ts, '1 month') FROM retention_rows$$),
  ($$SELECT cohort_retention_agg(ts, '1 minute') FROM retention_rows$$),
  ($$SELECT cohort_retention_agg(ts, '-7 days') FROM retention_rows$$),
  ($$SELECT cohort_retention_agg(ts, NULL) FROM retention_rows$$),
  ($$SELECT cohort_retention_agg(ts, make_interval(days => id)) FROM retention_rows$$),
  ($$SELECT cohort_retention_agg(ts, make_interval(days => id)) OVER (ORDER BY id ROWS 2 PRECEDING) FROM retention_rows$$),
  ($$SELECT cohort_retention_agg('infinity', '7 days') FROM retention_rows$$),
  ($$SELECT cohort_retention_agg(ts, '7 days') || (SELECT cohort_retention_agg(ts, '1 day') FROM retention_rows) FROM retention_rows$$),
  ($$SELECT '{"cohort_state": 1, "period": 86400000000, "first": 1, "words": [[0, 1]]}'::cohort_state$$),
  ($$SELECT '{"cohort_state": 1, "period": 86400000000, "words": [[1, 1], [0, 1]]}'::cohort_state$$),
  ($$SELECT '{"cohort_state": 1, "period": 86400000000, "words": [[0, 18446744073709551616]]}'::cohort_state$$)) AS t (query);
SELECT retained_periods('{"cohort_state": 1, "period": 86400000000, "first": -1, "words": [[-1, 9223372036854775808], [0, 18446744073709551615]]}'::cohort_state) @> '{0, 1, 64}' AS words;
SELECT aggregate_laws.refused($$SELECT retained_periods('{"cohort_state": 1, "period": 86400000000, "first": 0, "words": [[0, 1], [72057594037927936, 1]]}'::cohort_state)$$);
DROP TABLE retention_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
