-- Milestones: the earliest event that meets the condition; of several at that instant, the one with the smallest id.
CREATE TABLE oracle.milestone AS
  SELECT DISTINCT ON (unit, subject_id, name) unit, subject_id, name, occurred_at AS reached_at, event_id
  FROM oracle.milestone_event
  ORDER BY unit, subject_id, name, occurred_at, event_id;
ANALYZE oracle.milestone;
