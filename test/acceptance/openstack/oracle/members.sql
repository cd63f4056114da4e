-- Members and subjects: when each was first and last seen (a user in each account, or in none), and how many events that were.
CREATE TABLE oracle.member AS
  SELECT account_id, user_id, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS events
  FROM events GROUP BY account_id, user_id;
CREATE TABLE oracle.subject AS
  SELECT unit, subject_id, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS events
  FROM oracle.subject_event GROUP BY unit, subject_id;
ANALYZE oracle.subject;
