-- routing rows: the context tells of the activation as the events that had arrived have it, late ones too
-- covers: S3-10
SELECT d.routing_id, d.subject_id, told.*, to_jsonb(a) AS expected
FROM oracle.decided AS d
CROSS JOIN LATERAL (
  SELECT (d.context #>> '{activation,level}')::int AS level, (d.context #>> '{activation,started_at}')::timestamptz AS started_at,
         (d.context #>> '{activation,reached_at}')::timestamptz AS reached_at) AS told
LEFT JOIN oracle.activation AS a ON a.scope = d.routing_id
WHERE (coalesce(a.level, 0), a.started_at, a.reached_at) IS DISTINCT FROM (told.level, told.started_at, told.reached_at);
