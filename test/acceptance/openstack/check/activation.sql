-- activation of every user and account: level, when it began, when it got there, next step, steps left out
-- covers: S3-6, S3-7, S3-10
SELECT coalesce(o.program, a.program) AS program, coalesce(o.subject_id, a.subject_id) AS subject,
       to_jsonb(o) AS expected, to_jsonb(a) AS got
FROM (SELECT c.program, s.subject_id, coalesce(a.level, 0) AS level, c.steps, coalesce(a.complete, false) AS complete, a.started_at,
             a.reached_at, CASE WHEN a.level IS NULL THEN c.names[1] ELSE a.next_step END AS next_step, coalesce(a.skipped, '[]') AS skipped
      FROM oracle.checklist AS c JOIN oracle.subject AS s USING (unit)
      LEFT JOIN oracle.activation AS a ON a.scope = 0 AND (a.program, a.subject_id) = (c.program, s.subject_id)) AS o
FULL JOIN (SELECT p.program, a.* FROM oracle.program AS p, LATERAL pql.activation(p.program) AS a) AS a
  ON (a.program, a.subject_id) = (o.program, o.subject_id)
WHERE (o.level, o.steps, o.complete, o.started_at, o.reached_at, o.next_step, o.skipped)
  IS DISTINCT FROM (a.level, a.steps, a.complete, a.started_at, a.reached_at, a.next_step, a.skipped);
