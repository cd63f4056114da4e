-- routing rows: the score is that of the events that had arrived, as of the newest of them
-- covers: S3-1, S3-12
SELECT d.routing_id, d.program, d.subject_id, d.qualified_at, d.clock, d.score, sum(r.raw) AS expected
FROM oracle.decided AS d LEFT JOIN oracle.reason AS r USING (routing_id)
GROUP BY d.routing_id, d.program, d.subject_id, d.qualified_at, d.clock, d.score
HAVING d.qualified_at <> d.clock OR coalesce(d.score NOT BETWEEN floor(sum(r.raw) + 0.5 - 1e-9) AND floor(sum(r.raw) + 0.5 + 1e-9), true)
UNION ALL
SELECT routing_id, program, subject_id, qualified_at, NULL, score, NULL FROM pql.routing
WHERE routing_id NOT IN (SELECT routing_id FROM oracle.decided);
