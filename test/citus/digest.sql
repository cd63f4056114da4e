-- What is kept and what is answered, in a few digests. Variable spread: whether it lies in shards.
\set ON_ERROR_STOP on
SELECT 'state ' || pql.state_digest();
\if :spread
SELECT 'milestones ' || md5(string_agg(found->>'x', ',' ORDER BY found->>'x' COLLATE "C")) FROM pql.on_shards('SELECT m::text AS x FROM pql.milestones AS m');
SELECT 'members ' || md5(string_agg(found->>'x', ',' ORDER BY found->>'x' COLLATE "C")) FROM pql.on_shards('SELECT m::text AS x FROM pql.members AS m');
SELECT 'scores ' || md5(string_agg(found->>'x', ',' ORDER BY found->>'x' COLLATE "C"))
FROM pql.on_shards('SELECT b.subject_id || '' '' || b.score || '' '' || b.kinds AS x FROM pql.scoreboard(''expansion'', ''2026-02-01'') AS b');
\else
SELECT 'milestones ' || md5(string_agg(m::text, ',' ORDER BY m::text COLLATE "C")) FROM pql.milestones AS m;
SELECT 'members ' || md5(string_agg(m::text, ',' ORDER BY m::text COLLATE "C")) FROM pql.members AS m;
SELECT 'scores ' || md5(string_agg(x, ',' ORDER BY x COLLATE "C"))
FROM (SELECT b.subject_id || ' ' || b.score || ' ' || b.kinds AS x FROM pql.scoreboard('expansion', '2026-02-01') AS b) AS b;
\endif
