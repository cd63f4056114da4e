-- after ten quiet years no episode is open, and each ended at the microsecond at which its score fell
-- open_episode is what was open before.
SELECT e.program, e.subject_id, e.entered_at, e.left_at, x.*
FROM open_episode AS o JOIN pql.episode AS e USING (home, episode_id)
JOIN (SELECT program, version, (document -> 'qualify' ->> 'leave')::int AS leave FROM pql.program) AS p
  ON (p.program, p.version) = (e.program, e.version)
CROSS JOIN LATERAL (SELECT pql.score(e.program, e.subject_id, e.left_at - interval '1 microsecond') AS before,
                           pql.score(e.program, e.subject_id, e.left_at) AS after, p.leave) AS x
WHERE (x.after < x.leave AND (x.before >= x.leave OR e.left_at = e.entered_at)) IS NOT TRUE
UNION ALL
SELECT program, subject_id, entered_at, left_at, NULL, NULL, NULL FROM pql.episode WHERE left_at IS NULL
UNION ALL
SELECT 'too few to compare', NULL, NULL, NULL, count(*)::int, NULL, NULL FROM open_episode HAVING count(*) < 3;
