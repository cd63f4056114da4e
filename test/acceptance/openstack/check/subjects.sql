-- users and accounts: first seen, last seen, events
-- covers: S3-3, S3-12
SELECT 'only expected' AS what, * FROM (TABLE oracle.subject EXCEPT ALL TABLE pql.subjects) AS x
UNION ALL
SELECT 'only in pql.subjects', * FROM (TABLE pql.subjects EXCEPT ALL TABLE oracle.subject) AS x;
