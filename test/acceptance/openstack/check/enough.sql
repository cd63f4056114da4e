-- what was compared is not all alike: levels, scores, both programs, old and late events
SELECT 'levels of activation' AS too_few, count(*)
FROM (SELECT DISTINCT program, level FROM oracle.activation WHERE scope = 0) AS x HAVING count(*) < 7
UNION ALL
SELECT 'instants', count(*) FROM oracle.instant HAVING count(*) <> 50
UNION ALL
SELECT 'scores', count(DISTINCT score) FROM oracle.board HAVING count(*) < 1000 OR count(DISTINCT score) < 40
UNION ALL
SELECT 'routing rows of ' || p.program, count(r.routing_id) FROM oracle.program AS p LEFT JOIN pql.routing AS r USING (program)
GROUP BY p.program HAVING count(r.routing_id) < 20
UNION ALL
SELECT 'late milestones', count(*) FROM oracle.milestone AS m JOIN oracle.milestone_event AS e USING (unit, subject_id, name)
WHERE e.event_id < m.event_id AND e.occurred_at > m.reached_at HAVING count(*) < 100;
