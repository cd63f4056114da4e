-- Patterns over the events of a subject.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file
SET timezone = 'UTC';
SET datestyle = ISO;

-- Events written as 'A@0 AB@5 -@7': seconds, conditions by letter, - for none.
CREATE FUNCTION seen(text) RETURNS events_state LANGUAGE sql AS $$
  SELECT coalesce(events_all_agg(timestamptz '2026-03-01 00:00Z' + split_part(w, '@', 2)::int * interval '1 second', w ~ 'A', w ~ 'B', w ~ 'C'), '{"events_state": 1, "conditions": 3, "keeps": 1, "within": -1, "pattern": "", "rows": []}')
  FROM regexp_split_to_table($1, ' +') AS w WHERE w <> ''
$$;

SELECT pattern, rows, sequence_match(seen(rows), pattern) AS match, sequence_count(seen(rows), pattern), sequence_events(seen(rows), pattern) AS longest
FROM (VALUES ('(?1)(?t<=10)(?2)', 'A@0 B@10'), ('(?1)(?t<10)(?2)', 'A@0 B@10'), ('(?1)(?t<=10)(?2)', 'A@0 C@3 B@10'), ('(?1)(?2)', 'A@0 C@3 B@10'), ('(?1)(?2)', 'A@0 -@3 B@10'),
  ('(?1)(?t<=10s)(?2)', 'A@0 A@50 B@55'), ('(?1).*(?2)', 'A@0 A@1 B@2 B@3'), ('(?1)(?1)', 'A@0 A@1 A@2 A@3 A@4'), ('(?1)(?t==10)(?2)', 'A@0 B@4 B@10'), ('(?1)(?t>=5)(?t<=10)(?2)', 'A@0 B@4 B@12'),
  ('(?1)(?2)', 'AB@0'), ('', 'A@0 B@1'), ('', ''), ('.', ''), ('(?1)(?t<=10)(?2)(?3)', 'A@0 B@5 B@100 C@101'), ('(?1).*(?t<=10)(?2)', 'A@0 B@100'), ('(?1)(?t<=1 day 12 hours).', 'A@0 C@7')) AS t (pattern, rows);
SELECT sequence_match(seen('A@0 B@100'), '(?1).*(?t<=10)(?2)', clickhouse_time_base => true) AS clickhouse, sequence_match(seen('A@0 A@5 B@11'), '(?1).*(?2)', '10 s') AS within,
       sequence_match(seen('A@0 B@11'), '(?1).*(?2)', within => '10 s') AS not_within, sequence_match(seen('A@0'), '(?t<=5)(?1)', clickhouse_time_base => true) AS leading;
SELECT which, sequence_events(seen('A@0 B@1 C@2 A@3 B@4 A@5'), '(?1)(?2)', which), sequence_events(seen('A@0 B@1 C@2 A@3 B@4 A@5'), '(?1)(?2)(?3)(?1)(?2)(?2)', which) AS no_match
FROM unnest(ARRAY['first', 'last', 'longest']) AS which;
SELECT sequence_match(NULL, '') IS NULL AS no_state, sequence_match(seen(''), NULL) IS NULL AS no_pattern, sequence_events(seen(''), '', NULL) IS NULL AS no_choice;

-- The event after a chain of neighbours.
SELECT n.*, t.* FROM (VALUES ('{1,2}'::int[], 'forward', 'first_match'), ('{1,2}', 'forward', 'last_match'), ('{1}', 'forward', 'head'), ('{3}', 'backward', 'tail'), ('{2,1}', 'backward', 'last_match')) AS t (chain, direction, base)
  LEFT JOIN LATERAL next_event(seen('A@0 -@1 A@2 B@3 BC@4'), chain, direction, base) AS n ON true;
SELECT next_event(seen('A@0 AC@1'), '{1}'), next_event(seen('A@0'), '{1}') IS NULL AS nothing;

-- At once, also over frames and in parallel: against the state.
CREATE TABLE sequence_rows AS
  SELECT i AS id, i % 23 AS g, timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '1 hour' AS ts, i % 4 = 0 AS a, i % 5 = 0 AS b, i % 7 < 2 AS c FROM generate_series(1, 600) AS i;
SELECT g, sequence_match('(?1)(?t<=30h)(?2)(?3)', ts, a, b, c), sequence_match('(?1)(?t<=30h)(?2)(?3)', ts, VARIADIC ARRAY[a, b, c]) AS by_array, sequence_match(events_agg(ts, a, b, c), '(?1)(?t<=30h)(?2)(?3)') AS by_state FROM sequence_rows GROUP BY g ORDER BY g;
SELECT count(*) AS rows, count(*) FILTER (WHERE found <> expected OR by_array <> expected) AS differ, count(*) FILTER (WHERE found) AS found FROM (
  SELECT sequence_match('(?1)(?t<=30h)(?2)(?3)', ts, a, b, c) OVER w AS found, sequence_match('(?1)(?t<=30h)(?2)(?3)', ts, VARIADIC ARRAY[a, b, c]) OVER w AS by_array,
         sequence_match(events_agg(ts, a, b, c) OVER w, '(?1)(?t<=30h)(?2)(?3)') AS expected FROM sequence_rows WINDOW w AS (PARTITION BY g ORDER BY ts ROWS BETWEEN 9 PRECEDING AND CURRENT ROW)) AS x;
BEGIN;
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2;
CREATE TEMP TABLE parallel_matches AS SELECT g, sequence_match('(?1)(?t<=30h)(?2)(?3)', ts, a, b, c) AS found FROM sequence_rows GROUP BY g;
COMMIT;
SELECT count(*) FROM parallel_matches JOIN (SELECT g, sequence_match(events_agg(ts, a, b, c), '(?1)(?t<=30h)(?2)(?3)') AS found FROM sequence_rows GROUP BY g) AS x USING (g, found);

-- Times that aren't, and ends.
SELECT sequence_events(seen('A@0 B@5 B@6'), '(?1)(?t!=5)(?2)', 'first') AS unequal, sequence_match(seen('A@0 B@5'), '(?1)(?t!=5)(?2)') AS equal,
       sequence_match(seen('A@0 B@5 C@6'), '^(?1).*(?3)$') AS whole, sequence_match(seen('A@0 B@5'), '^(?2)') AS not_first, sequence_match(seen('A@0 B@5'), '(?1)$') AS not_last,
       sequence_count(seen('A@0 A@5'), '^(?1)') AS at_most_once, sequence_match('^(?1)(?t!=1 hour)(?2)', ts, a, b) FROM sequence_rows;

-- No limit on steps; but a long search can be cancelled.
SELECT sequence_match(events_agg(timestamptz '2026-03-01 00:00+00' + i * interval '1 second', i % 2 = 0, i % 2 = 1, false), '(?1).*(?2).*(?1)(?t<=1h)(?2).*(?3)') FROM generate_series(1, 1000000) AS i;
SET statement_timeout = '200ms';
SELECT sequence_match(events_agg(timestamptz '2026-03-01 00:00+00' + i * interval '1 second', true), repeat('(?1).*', 5000)) FROM generate_series(1, 50000) AS i;
RESET statement_timeout;

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT sequence_match(seen(''), '(?1)(?4)')$$),
  ($$SELECT sequence_match(seen(''), '(?1)x')$$),
  ($$SELECT sequence_match(seen(''), '(?1)(?t<=1mon)(?2)')$$),
  ($$SELECT sequence_match(seen(''), '(?1)(?t!5)(?2)')$$),
  ($$SELECT sequence_match(seen(''), '(?t<=5)(?1)')$$),
  ($$SELECT sequence_match(seen(''), '(?1)(?t!=x)(?2)')$$),
  ($$SELECT sequence_match(seen(''), '(?1)^(?2)')$$),
  ($$SELECT sequence_match(seen(''), '^.*(?2)')$$),
  ($$SELECT sequence_match(seen(''), '^')$$),
  ($$SELECT sequence_match(seen(''), '(?1)(?t!=5)$')$$),
  ($$SELECT sequence_match(seen(''), '(?1)$ (?2)')$$),
  ($$SELECT sequence_match(seen(''), '(?1', '1 month')$$),
  ($$SELECT sequence_count(seen(''), 'äöü(?1')$$),
  ($$SELECT sequence_events(seen(''), '', 'all')$$),
  ($$SELECT sequence_match('(?4)', ts, a, b, c) FROM sequence_rows$$),
  ($$SELECT sequence_match('(?' || g || ')', ts, a, b, c) FROM sequence_rows$$),
  ($$SELECT sequence_match(NULL::text, ts, a, b, c) FROM sequence_rows$$),
  ($$SELECT sequence_match(repeat('.', 70000), ts, a, b, c) FROM sequence_rows$$),
  ($$SELECT next_event(seen(''), '{}')$$),
  ($$SELECT next_event(seen(''), '{4}')$$),
  ($$SELECT next_event(seen(''), '{NULL}')$$),
  ($$SELECT next_event(seen(''), '{1}', 'up')$$),
  ($$SELECT next_event(seen(''), '{1}', 'backward', 'head')$$),
  ($$SELECT next_event(seen(''), '{1}', 'forward', 'middle')$$)) AS t (query);
DROP TABLE sequence_rows;
DROP FUNCTION seen;
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
