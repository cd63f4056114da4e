-- every event arrived, and was used
SELECT 'not arrived' AS what, count(*) FROM arrived WHERE place NOT IN (SELECT event_id FROM events) HAVING count(*) > 0
UNION ALL
SELECT 'unusable: ' || reason, events FROM pql.unusable
UNION ALL
SELECT 'not as it should be: ' || s, NULL FROM pql.sources AS s
WHERE NOT (s.intact AND s.unusable = 0 AND s.held = 0 AND s.history_folded);
