-- What the two documents mean, in plain SQL over the events table; the other oracles rest on it. Nothing here calls pql:
-- the rules of the documents are SQL, and PostgreSQL runs them itself.
-- covers: S3-4, S3-7, S3-10
\set ON_ERROR_STOP on
CREATE SCHEMA oracle;

CREATE TABLE oracle.program AS
  SELECT d->>'program' AS program, d->>'unit' AS unit, (d->'qualify'->>'enter')::int AS enter, d AS document
  FROM (VALUES (:'account_expansion'::jsonb), (:'contributor'::jsonb)) AS v(d);

CREATE TABLE oracle.signal AS
  SELECT program, unit, name AS signal, ordinality AS place, s->>'kind' AS kind,
         CASE WHEN s->>'milestone' = 'activation_complete' THEN 'activation' WHEN s ? 'milestone' THEN 'milestone'
              ELSE coalesce(s->>'measure', 'count') END AS measure,
         s->>'event' AS event, coalesce(s->>'where', 'true') AS where_rule,
         coalesce(s->>'of', '1') AS of_rule, s->>'milestone' AS milestone,
         extract(epoch FROM (s->>'half_life')::interval)::float8 AS half_life,
         (s->>'max_points')::float8 AS max_points, (s->>'points_each')::float8 AS points_each,
         (s->>'saturates_at')::float8 AS saturates_at, (s->>'half_saturation')::float8 AS half_saturation
  FROM oracle.program, jsonb_each(document->'signals') WITH ORDINALITY AS e(name, s, ordinality);

-- The curves: points before rounding for a measure.
CREATE FUNCTION oracle.raw_points(s oracle.signal, value float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN s.measure IN ('milestone', 'activation') THEN s.max_points * value
              WHEN s.points_each IS NOT NULL THEN least(s.max_points, s.points_each * value)
              WHEN s.half_saturation IS NOT NULL THEN s.max_points * (1 - power(2, -least(value / s.half_saturation, 1000)))
              ELSE s.max_points * least(1, value / coalesce(s.saturates_at, 1)) END
$$;

-- Each event once for the user, and once for the account that it belongs to, if any. Epochs in seconds, exact for this stream.
CREATE VIEW oracle.subject_event AS
  SELECT 'user' AS unit, user_id AS subject_id, event_id, occurred_at, event, props FROM events
  UNION ALL
  SELECT 'account', account_id, event_id, occurred_at, event, props FROM events WHERE account_id IS NOT NULL;

-- Every event that meets the condition of a milestone (the milestones of an account's program are its members' too), and every
-- event that a signal counts, with its value.
CREATE TABLE oracle.milestone_event (program text, unit text, name text, subject_id text, event_id bigint, occurred_at timestamptz);
CREATE TABLE oracle.signal_event (program text, signal text, subject_id text, event_id bigint, occurred_at timestamptz,
                                  epoch float8, value float8);
DO $$
DECLARE
  m record;
  s record;
BEGIN
  FOR m IN SELECT program, counted, name, d->>'event' AS event, coalesce(d->>'where', 'true') AS where_rule
           FROM oracle.program, unnest(ARRAY['user', nullif(unit, 'user')]) AS counted, jsonb_each(document->'milestones') AS e(name, d)
           WHERE counted IS NOT NULL LOOP
    EXECUTE format('INSERT INTO oracle.milestone_event SELECT %L, %L, %L, subject_id, event_id, occurred_at'
                   ' FROM oracle.subject_event WHERE unit = %2$L AND event = %4$L AND (%5$s)',
                   m.program, m.counted, m.name, m.event, m.where_rule);
  END LOOP;
  FOR s IN SELECT * FROM oracle.signal WHERE event IS NOT NULL LOOP
    EXECUTE format('INSERT INTO oracle.signal_event SELECT %L, %L, subject_id, event_id, occurred_at,'
                   ' extract(epoch FROM occurred_at)::float8, (%s)::float8'
                   ' FROM oracle.subject_event WHERE unit = %L AND event = %L AND (%s)',
                   s.program, s.signal, s.of_rule, s.unit, s.event, s.where_rule);
  END LOOP;
END $$;
CREATE INDEX ON oracle.milestone_event (program, subject_id, name);
CREATE INDEX ON oracle.signal_event (program, signal, subject_id);
ANALYZE;
