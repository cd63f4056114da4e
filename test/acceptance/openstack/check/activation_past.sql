-- activation as of instants of the past: who was complete, since when
-- covers: S3-10
WITH i AS (SELECT as_of FROM oracle.instant WHERE n IN (8, 25, 42)),
o AS (SELECT as_of, program, subject_id, started_at, reached_at FROM i, oracle.activation
      WHERE scope = 0 AND complete AND reached_at <= as_of),
a AS (SELECT as_of, program, subject_id, started_at, reached_at
      FROM i, oracle.program AS p, LATERAL pql.activation(p.program, NULL, i.as_of) AS a WHERE complete)
SELECT 'only expected' AS what, * FROM (TABLE o EXCEPT ALL TABLE a) AS x
UNION ALL
SELECT 'only by pql.activation', * FROM (TABLE a EXCEPT ALL TABLE o) AS x;
