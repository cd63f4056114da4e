-- after a tick, whoever still qualifies has the points to stay
SELECT p.program, b.subject_id, b.score, p.leave
FROM (SELECT program, (document -> 'qualify' ->> 'leave')::int AS leave FROM pql.program) AS p, LATERAL pql.scoreboard(p.program) AS b
WHERE b.qualified AND b.score < p.leave;
