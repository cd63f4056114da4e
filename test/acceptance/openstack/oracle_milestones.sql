-- First times, members and subjects, by plain SQL over the events table.
-- covers: S3-6, S3-7, S1-19
CREATE SCHEMA IF NOT EXISTS oracle;

-- Which events count for which milestone. A milestone is kept for users; those of the account program for accounts too.
CREATE MATERIALIZED VIEW oracle.milestone_event AS
  SELECT m.name, m.of_accounts, e.event_id, e.occurred_at, e.user_id, e.account_id
  FROM events AS e
  CROSS JOIN LATERAL (VALUES
    ('first_code',         true,  e.event = 'changed_code'),
    ('first_test',         true,  e.event = 'wrote_test'),
    ('first_api',          true,  e.event = 'changed_api'),
    ('first_schema',       true,  e.event = 'changed_schema' AND (e.props ->> 'quantity')::float8 >= 2),
    ('first_release_note', true,  e.event = 'wrote_release_note'),
    ('joined_networking',  true,  e.event = 'changed_code' AND e.props ->> 'workspace' IN ('neutron', 'ironic')),
    ('big_test',           false, e.event = 'wrote_test' AND (e.props ->> 'quantity')::float8 >= 10)
  ) AS m(name, of_accounts, counts)
  WHERE m.counts;

CREATE INDEX ON oracle.milestone_event (user_id, name);
CREATE INDEX ON oracle.milestone_event (account_id, name);
ANALYZE oracle.milestone_event;

CREATE MATERIALIZED VIEW oracle.milestone AS
  SELECT DISTINCT ON (s.unit, s.subject_id, m.name) s.unit, s.subject_id, m.name, m.occurred_at AS reached_at, m.event_id
  FROM oracle.milestone_event AS m
  CROSS JOIN LATERAL (VALUES ('user', m.user_id), ('account', CASE WHEN m.of_accounts THEN m.account_id END))
    AS s(unit, subject_id)
  WHERE s.subject_id IS NOT NULL
  ORDER BY s.unit, s.subject_id, m.name, m.occurred_at, m.event_id;

CREATE VIEW oracle.member AS
  SELECT account_id, user_id, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS events
  FROM events GROUP BY account_id, user_id;

CREATE MATERIALIZED VIEW oracle.subject AS
  SELECT 'user' AS unit, user_id AS subject_id, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen,
         count(*) AS events
  FROM events GROUP BY user_id
  UNION ALL
  SELECT 'account', account_id, min(occurred_at), max(occurred_at), count(*)
  FROM events WHERE account_id IS NOT NULL GROUP BY account_id;
ANALYZE oracle.milestone;
ANALYZE oracle.subject;
