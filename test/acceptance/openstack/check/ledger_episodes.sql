-- each routing row has its own episode, and a subject one at a time
-- covers: S3-12
SELECT 'no episode of its own' AS what, r.routing_id, r.program, r.subject_id, r.qualified_at
FROM pql.routing AS r WHERE NOT EXISTS (
  SELECT FROM pql.episode AS e
  WHERE (e.episode_id, e.program, e.subject_id, e.entered_at, e.score) = (r.episode, r.program, r.subject_id, r.qualified_at, r.score))
UNION ALL
SELECT 'two rows for an episode', min(routing_id), program, subject_id, min(qualified_at)
FROM pql.routing GROUP BY program, subject_id, episode HAVING count(*) > 1
UNION ALL
SELECT 'two episodes at once', a.episode_id, a.program, a.subject_id, b.entered_at
FROM pql.episode AS a JOIN pql.episode AS b ON (a.program_id, a.subject_id) = (b.program_id, b.subject_id) AND a.episode_id < b.episode_id
 AND coalesce(a.left_at, 'infinity') > b.entered_at AND coalesce(b.left_at, 'infinity') > a.entered_at;
