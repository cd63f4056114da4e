-- scores of every user and account at 50 instants: the formula's sum, rounded; it may be off by 1e-9 before that
-- covers: S2-4, S2u-4
SELECT n, program, subject_id AS subject, o.raw AS expected, sum(e.points) AS got
FROM oracle.score AS o LEFT JOIN oracle.explained AS e USING (n, program, subject_id)
GROUP BY n, program, subject_id, o.raw
HAVING coalesce(sum(e.points) NOT BETWEEN floor(o.raw + 0.5 - 1e-9) AND floor(o.raw + 0.5 + 1e-9), true);
