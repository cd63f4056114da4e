-- routing rows: the activation that the context tells of is a chain of events that had arrived, complete within the time
-- covers: S3-10
-- Not always the first such, with the latest start: a row that is written by the statement in which late events made the funnel
-- inexact tells what was certain before its home was derived again.
SELECT d.routing_id, d.subject_id, told.*, to_jsonb(a) AS expected
FROM oracle.decided AS d JOIN oracle.checklist AS k USING (program)
CROSS JOIN LATERAL (
  SELECT (d.context #>> '{activation,level}')::int AS level, (d.context #>> '{activation,started_at}')::timestamptz AS started_at,
         (d.context #>> '{activation,reached_at}')::timestamptz AS reached_at) AS told
LEFT JOIN oracle.activation AS a ON a.scope = d.routing_id
WHERE (coalesce(a.level, 0), a.started_at, a.reached_at) IS DISTINCT FROM (told.level, told.started_at, told.reached_at)
  AND NOT coalesce(told.reached_at >= a.reached_at AND told.reached_at - told.started_at <= k.within
    AND EXISTS (SELECT FROM oracle.step AS s
                WHERE (s.scope, s.program, s.subject_id, s.at) = (d.routing_id, d.program, d.subject_id, told.started_at))
    AND EXISTS (SELECT FROM oracle.chain AS c WHERE (c.scope, c.program, c.subject_id) = (d.routing_id, d.program, d.subject_id)
                  AND (c.level, c.reached_at) = (told.level, told.reached_at) AND c.started_at >= told.started_at), false);
