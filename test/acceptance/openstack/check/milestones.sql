-- milestones of users and accounts: each once, at the earliest event, of several the one with the smallest id
-- covers: S3-4, S3-7, S3-12
CREATE TEMP TABLE got AS SELECT unit, subject_id, name, reached_at, event_id::bigint FROM pql.milestones;
SELECT 'only expected' AS what, * FROM (TABLE oracle.milestone EXCEPT ALL TABLE got) AS x
UNION ALL
SELECT 'only in pql.milestones', * FROM (TABLE got EXCEPT ALL TABLE oracle.milestone) AS x;
