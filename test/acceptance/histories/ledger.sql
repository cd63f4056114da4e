-- Each row is a breach of what holds of episodes and routing rows, whatever happened.
WITH episode AS (
  SELECT e.*, row_number() OVER (PARTITION BY program_id, subject_id, shadow ORDER BY episode_id) AS expected,
         max(left_at) OVER earlier AS was_left,
         lag(left_at) OVER by_age + coalesce((lag(p.document) OVER by_age->'qualify'->>'cool_down')::interval, '0') AS cool,
         lag(e.shadow) OVER by_age AND NOT e.shadow AND e.entered_at = lag(left_at) OVER by_age AS begun_anew
  FROM pql.episode AS e JOIN pql.program AS p USING (program_id, version)
  WINDOW by_age AS (PARTITION BY program_id, subject_id ORDER BY episode_id),
         earlier AS (PARTITION BY program_id, subject_id ORDER BY episode_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
SELECT 'a routing row has no episode', program, subject_id, r.routing_id::text FROM pql.routing AS r
  WHERE NOT EXISTS (SELECT FROM pql.episode AS e WHERE (e.home, e.episode_id, e.program, e.version, e.unit, e.subject_id, e.entered_at)
    = (r.home, r.episode, r.program, r.version, r.unit, r.subject_id, r.qualified_at)
    AND (e.score = r.score OR EXISTS (SELECT FROM pql.routing_transition AS t WHERE (t.home, t.routing_id) = (r.home, r.routing_id)
      AND (t.reason LIKE 'motion %' OR t.reason = 'nothing blocks it')))) -- it was decided anew
UNION ALL
SELECT 'an episode has several routing rows', min(program), min(subject_id), episode::text FROM pql.routing WHERE follows IS NULL GROUP BY home, episode HAVING count(*) > 1
UNION ALL
SELECT 'an episode that counts has no routing row', program, subject_id, episode_id::text FROM pql.episode AS e
  WHERE NOT shadow AND NOT EXISTS (SELECT FROM pql.routing AS r WHERE r.home = e.home AND r.episode = e.episode_id) AND NOT EXISTS (SELECT FROM pql.identity)
UNION ALL
SELECT 'a routing row of an episode in shadow', r.program, r.subject_id, r.episode::text FROM pql.routing AS r JOIN pql.episode AS e ON (e.home, e.episode_id) = (r.home, r.episode)
  WHERE e.shadow
UNION ALL
SELECT 'several open episodes', program, subject_id, string_agg(home, ' ') FROM pql.episode WHERE left_at IS NULL GROUP BY program, subject_id HAVING count(*) > 1
UNION ALL
SELECT 'numbered with a gap', program, subject_id, format('%s: %s, not %s', episode_id, number, expected) FROM episode WHERE number <> expected
UNION ALL
SELECT 'left before it entered', program, subject_id, episode_id::text FROM episode WHERE left_at < entered_at
UNION ALL
SELECT 'entered in an episode', program, subject_id, episode_id::text FROM episode WHERE entered_at < was_left
UNION ALL
SELECT 'entered while it cooled down', program, subject_id, format('%s: %s before %s', episode_id, entered_at, cool) FROM episode
  WHERE entered_at < cool AND NOT begun_anew
UNION ALL
SELECT 'first or again', r.program, r.subject_id, r.routing_id::text FROM pql.routing AS r JOIN pql.episode AS e ON (e.home, e.episode_id) = (r.home, r.episode)
  WHERE (r.qualification = 'first') <> (e.number = 1)
UNION ALL
SELECT 'routed by a version that never was live', r.program, r.subject_id, r.version::text FROM pql.routing AS r LEFT JOIN pql.program AS p USING (program, version)
  WHERE p.promoted_at IS NULL
UNION ALL
SELECT 'points do not add up', program, subject_id, routing_id::text FROM pql.routing AS r
  WHERE score <> (SELECT coalesce(sum((x->>'points')::int), 0) FROM jsonb_array_elements(reasons) AS x)
UNION ALL
SELECT 'times of a hand-off', program, subject_id, routing_id::text FROM pql.routing
  WHERE NOT (signal_at <= contact_after AND qualified_at <= contact_after AND coalesce(contact_after <= contact_by, true) AND qualified_at <= state_since)
UNION ALL
SELECT 'qualified without an open episode', p.program, b.subject_id, b.qualified::text FROM pql.program AS p, LATERAL pql.scoreboard(p.program) AS b
  WHERE p.status IN ('shadow', 'live') AND b.qualified AND NOT EXISTS (SELECT FROM pql.episode AS e WHERE e.program = p.program AND e.subject_id = b.subject_id
    AND (e.left_at IS NULL OR e.left_at > pql._now())) -- a tick may have gone ahead
