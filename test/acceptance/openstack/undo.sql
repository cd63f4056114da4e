-- The opposite of change.sql; and a change that is rolled back.
UPDATE events SET (occurred_at, user_id, account_id, event, props) = (was.occurred_at, was.user_id, was.account_id, was.event, was.props)
  FROM was WHERE events.event_id = was.event_id;
INSERT INTO events SELECT event_id, occurred_at, received_at, user_id, account_id, event, props FROM was WHERE n <= 81;
BEGIN;
DELETE FROM events WHERE event_id % 500 = 7;
ROLLBACK;
