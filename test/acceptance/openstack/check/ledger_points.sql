-- reasons add up to the score, which is not below the threshold
-- covers: S1-7, S3-4
SELECT r.routing_id, r.program, r.subject_id, r.score, r.reasons
FROM pql.routing AS r JOIN pql.program AS p USING (program, version)
WHERE r.score IS DISTINCT FROM (SELECT sum((x ->> 'points')::int) FROM jsonb_array_elements(r.reasons) AS x)
   OR r.score < (p.document -> 'qualify' ->> 'enter')::int;
