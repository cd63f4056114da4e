-- Milestones: the earliest event that meets the condition; of several at that instant, the one with the smallest id.
-- Lists every difference from pql.milestones.
-- covers: S3-4, S3-7, S3-12
CREATE TABLE oracle.milestone AS
  SELECT DISTINCT ON (unit, subject_id, name) unit, subject_id, name, occurred_at AS reached_at, event_id
  FROM oracle.milestone_event
  ORDER BY unit, subject_id, name, occurred_at, event_id;

SELECT 'only expected' AS what, * FROM (
  SELECT unit, subject_id, name, reached_at, event_id FROM oracle.milestone
  EXCEPT SELECT unit, subject_id, name, reached_at, event_id::bigint FROM pql.milestones) AS x
UNION ALL
SELECT 'only in pql.milestones', * FROM (
  SELECT unit, subject_id, name, reached_at, event_id::bigint FROM pql.milestones
  EXCEPT SELECT unit, subject_id, name, reached_at, event_id FROM oracle.milestone) AS x
UNION ALL
SELECT 'more than once', unit, subject_id, name, min(reached_at), count(*) FROM pql.milestones
GROUP BY unit, subject_id, name HAVING count(*) > 1;
