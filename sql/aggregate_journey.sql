-- journey_agg: the first and the last events of somebody.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file

-- Rows of 10 users over 20 days, in no order; some at the same time, some without a time or a label.
CREATE TABLE journey_rows AS
  SELECT i AS id, i % 10 AS g,
         CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 97) * interval '5 hours' END AS ts,
         CASE WHEN i % 37 > 0 THEN (ARRAY['signup', 'view', 'view', 'a "quoted" \ label', 'pay', 'zwölf Wünsche'])[1 + i * 31 % 6] END AS label
  FROM generate_series(1, 600) AS i;
SELECT * FROM aggregate_laws.laws('journey_rows', 'pql.journey_agg(ts, label)', 'pql.journey_state');
SELECT * FROM aggregate_laws.laws('journey_rows', 'pql.journey_agg(ts, label, 3, 2)', 'pql.journey_state');

-- As by sorting all.
SELECT m, n, count(*) AS groups, bool_and(journey_count(s) = total AND journey_elided(s) = greatest(total - m - n, 0)) AS counts,
       bool_and((SELECT array_agg(l ORDER BY i, o) FROM jsonb_array_elements(journey_steps(s)) WITH ORDINALITY AS e (step, i),
                   LATERAL (SELECT step->>'label' AS l, o FROM generate_series(1, (step->>'n')::int) AS o) AS x WHERE step ? 'n')
                IS NOT DISTINCT FROM CASE WHEN total <= m + n THEN all_of ELSE nullif(all_of[:m] || all_of[total - n + 1:], '{}') END) AS labels
FROM (VALUES (20, 20), (3, 2), (0, 1), (1, 0), (0, 0), (60, 60), (1000, 1000)) AS t (m, n),
  LATERAL (SELECT g, journey_agg(ts, label, m, n) AS s, count(*) AS total, array_agg(label ORDER BY ts, label COLLATE "C") AS all_of
           FROM journey_rows WHERE ts IS NOT NULL AND label IS NOT NULL GROUP BY g) AS x
GROUP BY m, n ORDER BY m, n;

CREATE TEMP TABLE trip AS
  SELECT * FROM (VALUES ('2026-03-02 10:00+00'::timestamptz, 'signup'), ('2026-03-02 10:01+00', 'view'), ('2026-03-02 10:02+00', 'view'), ('2026-03-02 10:03+00', 'view'),
                        ('2026-03-02 10:04+00', 'search'), ('2026-03-02 10:05+00', 'cart'), ('2026-03-02 10:05+00', 'cart'), ('2026-03-02 10:06+00', 'view'), ('2026-03-02 10:07+00', 'pay')) AS t (ts, label);
SELECT journey_text(journey_agg(ts, label)), journey_text(journey_agg(ts, label), ' / ') FROM trip;
SELECT m, n, journey_text(journey_agg(ts, label, m, n)) FROM trip, (VALUES (2, 2), (0, 2), (2, 0), (0, 0), (4, 5), (4, 4)) AS t (m, n) GROUP BY m, n ORDER BY m, n;
SELECT jsonb_pretty(journey_steps(journey_agg(ts, label, 3, 2))) FROM trip;
SELECT journey_steps(journey_agg(ts, label, 0, 1)) AS last_one, journey_steps(journey_agg(ts, label, 0, 0)) AS none FROM trip;
SELECT after, next_after(s, after) AS next, next_after(short, after) AS next_in_short
FROM (SELECT journey_agg(ts, label) AS s, journey_agg(ts, label, 4, 2) AS short FROM trip) AS x, (VALUES ('signup'), ('view'), ('cart'), ('pay'), ('nothing')) AS t (after);
-- The next event after a label, over frames.
SELECT label, journey_text(journey_agg(ts, label, 2, 2) OVER (ORDER BY ts ROWS 5 PRECEDING)) FROM trip ORDER BY ts, label;
SELECT s, state_info(s) FROM (SELECT journey_agg(ts, label, 1, 1) AS s FROM trip) AS x;
-- Labels are compared by their bytes, and may be empty or long.
SELECT journey_text(journey_agg('2026-03-02 10:00+00', label), ',') FROM (VALUES ('b'), ('B'), ('ä'), (''), ('a')) AS t (label);
SELECT length(journey_text(s)), journey_count(s), s::text::journey_state = s AS text FROM (SELECT journey_agg(ts, repeat(label, 3000), 2, 2) AS s FROM trip) AS x;
-- Only rows without a time or a label: nothing.
SELECT journey_agg(NULL, 'x'), journey_agg(now(), NULL), journey_agg(now(), NULL, NULL, NULL), journey_text(NULL), next_after(NULL, 'x');

-- The plans that the documentation speaks of.
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL enable_hashagg = off;
EXPLAIN (COSTS OFF) SELECT g, journey_text(journey_agg(ts, label)) FROM journey_rows GROUP BY g;
COMMIT;

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT journey_agg(timestamptz 'infinity', label) FROM journey_rows$$),
  ($$SELECT journey_agg(ts, label, -1, 5) FROM journey_rows$$),
  ($$SELECT journey_agg(ts, label, 5, 1001) FROM journey_rows$$),
  ($$SELECT journey_agg(ts, label, NULL, 5) FROM journey_rows$$),
  ($$SELECT journey_agg(ts, label, id, 5) FROM journey_rows$$),
  ($$SELECT journey_agg(ts, label, 5, id) OVER (ORDER BY ts ROWS 3 PRECEDING) FROM journey_rows$$),
  ($$SELECT journey_agg(ts, label, 5, 5) || (SELECT journey_agg(ts, label) FROM journey_rows) FROM journey_rows$$),
  ($$SELECT '{"journey_state": 1, "max_first": 1, "max_last": 1, "total": 1, "steps": []}'::journey_state$$),
  ($$SELECT '{"journey_state": 1, "max_first": 1, "max_last": 1, "total": 2, "steps": [[2, "a"], [1, "b"]]}'::journey_state$$),
  ($$SELECT _journey_add(s, now(), 'x') FROM (SELECT journey_agg(now(), 'x') AS s) AS x$$)) AS t (query);
DROP TABLE journey_rows;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
