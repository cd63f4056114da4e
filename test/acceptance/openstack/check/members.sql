-- members of accounts (and people without one): first seen, last seen, events
-- covers: S3-12
SELECT 'only expected' AS what, * FROM (TABLE oracle.member EXCEPT ALL TABLE pql.members) AS x
UNION ALL
SELECT 'only in pql.members', * FROM (TABLE pql.members EXCEPT ALL TABLE oracle.member) AS x;
