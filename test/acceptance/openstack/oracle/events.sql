-- Which events count for what: the documents' rules are SQL, and here PostgreSQL runs them itself, over the events table.
-- covers: S2u-12

-- Each event once for the user, and once for the account that it belongs to, if any.
CREATE TABLE oracle.subject_event AS
  SELECT 'user' AS unit, user_id AS subject_id, event_id, occurred_at, event, props FROM events
  UNION ALL
  SELECT 'account', account_id, event_id, occurred_at, event, props FROM events WHERE account_id IS NOT NULL;
CREATE INDEX ON oracle.subject_event (event_id);
CREATE INDEX ON oracle.subject_event (subject_id);

-- Every event that meets the condition of a milestone (those of an account's program are its members' too), and every event that
-- a signal counts, with its value. Epochs are exact for this stream.
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
CREATE INDEX ON oracle.milestone_event (subject_id, name);
CREATE INDEX ON oracle.signal_event (subject_id, signal, occurred_at);
ANALYZE;
