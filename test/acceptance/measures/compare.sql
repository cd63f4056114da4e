-- What pql explains at the 50 instants, and where it differs from plain SQL by more than it says itself.
\set ON_ERROR_STOP on
CREATE TABLE oracle.explained AS
  SELECT i.n, s.unit, s.subject_id, x.signal, x.value, coalesce((x.evidence->>'error')::float8, 0) AS error, coalesce((x.evidence->>'at_least')::boolean, false) AS at_least
  FROM oracle.instant AS i CROSS JOIN oracle.subject AS s, LATERAL pql.explain('by_' || s.unit, s.subject_id, i.as_of) AS x;
CREATE TABLE oracle.compared AS
  SELECT n, unit, subject_id, signal, t.value AS told, x.value AS found, x.error, x.at_least
  FROM oracle.instant AS i CROSS JOIN oracle.subject AS s CROSS JOIN LATERAL oracle.told(s.unit, s.subject_id, i.as_of) AS t
  FULL JOIN oracle.explained AS x USING (n, unit, subject_id, signal);
