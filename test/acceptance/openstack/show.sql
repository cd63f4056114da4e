-- What came of it, for people.
\pset tuples_only off
\pset format aligned
\pset footer off
SELECT program, count(*) AS routing_rows, count(DISTINCT subject_id) AS subjects, round(avg(score)) AS mean_score,
       min(qualified_at)::date AS first, max(qualified_at)::date AS last
FROM pql.routing GROUP BY program ORDER BY program;
SELECT program, subject_id, qualified_at, score, motion, headline
FROM (SELECT *, row_number() OVER (PARTITION BY program ORDER BY routing_id) AS place FROM pql.routing) AS r
WHERE place <= 4 ORDER BY program, place;
\t
\a
SELECT pql.story(routing_id) FROM pql.routing WHERE program = 'account_expansion' ORDER BY routing_id LIMIT 1;
