-- pql.score: that of the explanation, for a sample; nobody has 0
SELECT n, program, subject_id AS subject, sum(points) AS expected, pql.score(program, subject_id, as_of) AS got
FROM (SELECT * FROM oracle.score ORDER BY md5(program || subject_id || n) LIMIT 300) AS s
JOIN oracle.instant USING (n) JOIN oracle.explained USING (n, program, subject_id)
GROUP BY n, program, subject_id, as_of HAVING sum(points) <> pql.score(program, subject_id, as_of)
UNION ALL
SELECT NULL, 'contributor', 'nobody', 0, pql.score('contributor', 'nobody') WHERE pql.score('contributor', 'nobody') <> 0;
