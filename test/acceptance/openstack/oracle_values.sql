-- Measures of each signal, as pql.explain() tells them: of every user and account as of the newest event, and of a sample of
-- both at instants of the past. Relative error at most 1e-9; what is below 1e-12 counts as nothing.
-- Lists every difference, and every explanation whose points don't add up to pql.score().
-- covers: S2-4, S3-4
CREATE TABLE oracle.asked AS
  SELECT p.program, s.subject_id, i.as_of
  FROM oracle.program AS p JOIN oracle.subject AS s USING (unit)
  JOIN LATERAL (SELECT max(as_of) AS as_of FROM oracle.instant) AS i ON true
  UNION
  (SELECT p.program, s.subject_id, i.as_of
   FROM oracle.program AS p JOIN oracle.subject AS s USING (unit) CROSS JOIN oracle.instant AS i
   WHERE s.first_seen <= i.as_of
   ORDER BY md5(p.program || s.subject_id || extract(epoch FROM i.as_of)::bigint) LIMIT 500);
CREATE TABLE oracle.explained AS
  SELECT a.*, e.* FROM oracle.asked AS a, LATERAL pql.explain(a.program, a.subject_id, a.as_of) AS e;

SELECT e.program, e.subject_id AS subject, e.as_of, e.signal, coalesce(v.value, 0) AS expected, e.value AS got
FROM oracle.explained AS e LEFT JOIN oracle.value AS v USING (as_of, program, signal, subject_id)
WHERE NOT abs(e.value - coalesce(v.value, 0)) <= 1e-9 * coalesce(v.value, 0) + 1e-12
UNION ALL
SELECT a.program, a.subject_id, a.as_of, 'not every signal is explained', count(*), count(e.signal)
FROM oracle.asked AS a JOIN oracle.signal AS s USING (program)
LEFT JOIN oracle.explained AS e USING (program, subject_id, as_of, signal)
GROUP BY a.program, a.subject_id, a.as_of HAVING count(*) <> count(e.signal)
UNION ALL
SELECT program, subject_id, as_of, 'sum of the points', pql.score(program, subject_id, as_of), sum(points)
FROM oracle.explained
GROUP BY program, subject_id, as_of HAVING sum(points) <> pql.score(program, subject_id, as_of);
