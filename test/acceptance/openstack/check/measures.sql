-- measures of every signal of every user and account at 50 instants: those of the formula, to nine digits
-- covers: S2-4, S2-18, S2-19, S2-20, S2-22, S2u-4
-- What is below 1e-12 counts as nothing.
SELECT e.n, e.program, e.subject_id AS subject, e.signal, coalesce(v.value, 0) AS expected, e.value AS got
FROM oracle.explained AS e LEFT JOIN oracle.value AS v USING (n, program, subject_id, signal)
WHERE NOT abs(e.value - coalesce(v.value, 0)) <= 1e-9 * coalesce(v.value, 0) + 1e-12
UNION ALL
SELECT n, program, subject_id, 'signals explained', 6, count(e.signal)
FROM oracle.score LEFT JOIN oracle.explained AS e USING (n, program, subject_id)
GROUP BY n, program, subject_id HAVING count(e.signal) <> 6 OR count(DISTINCT e.signal) <> 6;
