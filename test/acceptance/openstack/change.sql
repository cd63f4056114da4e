-- Deletes some events, and changes every column of others that matters. The table was knows what they were.
CREATE TABLE was AS SELECT *, row_number() OVER () AS n FROM (SELECT * FROM events ORDER BY md5('undo ' || event_id) LIMIT 240) AS e;
DELETE FROM events USING was WHERE events.event_id = was.event_id AND n <= 80;
DELETE FROM events USING was WHERE events.event_id = was.event_id AND n = 81;
UPDATE events SET occurred_at = events.occurred_at - interval '40 days' FROM was
  WHERE events.event_id = was.event_id AND n BETWEEN 82 AND 120;
UPDATE events SET user_id = (SELECT user_id FROM was WHERE n = 1) FROM was WHERE events.event_id = was.event_id AND n BETWEEN 121 AND 150;
UPDATE events SET account_id = CASE WHEN events.account_id IS NULL THEN (SELECT max(account_id) FROM was) END FROM was
  WHERE events.event_id = was.event_id AND n BETWEEN 151 AND 180;
UPDATE events SET event = 'changed_schema', occurred_at = events.occurred_at + interval '2 hours' FROM was
  WHERE events.event_id = was.event_id AND n BETWEEN 181 AND 210;
UPDATE events SET props = events.props || '{"quantity": 77, "workspace": "ironic"}' FROM was
  WHERE events.event_id = was.event_id AND n BETWEEN 211 AND 240;
