-- Members: when each user was first and last seen in each account (or in none), and how many events that were.
-- Lists every difference from pql.members, and from pql.subjects.
-- covers: S1-19, S3-12
CREATE TABLE oracle.member AS
  SELECT account_id, user_id, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS events
  FROM events GROUP BY account_id, user_id;
CREATE TABLE oracle.subject AS
  SELECT unit, subject_id, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(*) AS events
  FROM oracle.subject_event GROUP BY unit, subject_id;

SELECT 'member only expected' AS what, * FROM (TABLE oracle.member EXCEPT ALL TABLE pql.members) AS x
UNION ALL
SELECT 'only in pql.members', * FROM (TABLE pql.members EXCEPT ALL TABLE oracle.member) AS x
UNION ALL
SELECT 'subject only expected', * FROM (TABLE oracle.subject EXCEPT ALL TABLE pql.subjects) AS x
UNION ALL
SELECT 'only in pql.subjects', * FROM (TABLE pql.subjects EXCEPT ALL TABLE oracle.subject) AS x;
