-- routing rows: each has a headline, and a story that names its subject, its score and what to do
-- covers: S1-7, S1-20, S1-21
SELECT routing_id, subject_id, headline, next_best_action, pql.story(routing_id) AS story
FROM pql.routing
WHERE (starts_with(headline, subject_id || ' reached ' || score || ' points') AND position(headline IN pql.story(routing_id)) > 0
       AND position(next_best_action IN pql.story(routing_id)) > 0) IS NOT TRUE;
