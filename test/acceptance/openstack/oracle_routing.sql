-- Routing rows: what each decided is what the events that had arrived by then (table decided) come to, as of qualified_at.
-- One row for one episode of its subject, its reasons add up to its score, and the score is at least the threshold.
-- Lists every breach.
-- covers: S1-4, S1-18, S3-1, S3-4, S3-12
CREATE TABLE oracle.decision AS
  SELECT r.*, d.arrived FROM pql.routing AS r JOIN decided AS d USING (routing_id);

CREATE TABLE oracle.decision_raw AS
  SELECT r.routing_id, sum(oracle.raw_points(s, coalesce(
           CASE s.measure
           WHEN 'milestone' THEN
             (SELECT 1 FROM oracle.milestone_event AS m WHERE (m.program, m.unit, m.subject_id, m.name) = (r.program, r.unit, r.subject_id, s.milestone)
                AND m.event_id <= r.arrived AND m.occurred_at <= r.qualified_at LIMIT 1)
           WHEN 'activation' THEN NULL -- left open: see below
           ELSE (SELECT sum(e.value * power(2, greatest(-1000, (e.epoch - extract(epoch FROM r.qualified_at)::float8) / s.half_life)))
                 FROM oracle.signal_event AS e WHERE (e.program, e.signal, e.subject_id) = (r.program, s.signal, r.subject_id)
                   AND e.event_id <= r.arrived AND e.occurred_at <= r.qualified_at) END, 0))) AS raw,
         max(s.max_points) FILTER (WHERE s.measure = 'activation') AS activation_points
  FROM oracle.decision AS r JOIN oracle.signal AS s USING (program)
  GROUP BY r.routing_id;

SELECT 'the score is not that of the events' AS breach, routing_id, program, subject_id AS subject, score::float8, raw
FROM oracle.decision JOIN oracle.decision_raw USING (routing_id)
-- Whether the activation was complete is the row's own word here: oracle_activation.sql judges it as of the end.
WHERE abs(score - raw - activation_points * (SELECT count(*) FROM jsonb_array_elements(reasons) AS x
            WHERE (program, x->>'signal') IN (SELECT s.program, s.signal FROM oracle.signal AS s WHERE s.measure = 'activation')
              AND (x->>'points')::int > 0)) > 0.5 + 1e-6
UNION ALL
SELECT 'the reasons do not add up', routing_id, program, subject_id, score, sum((x->>'points')::int)
FROM oracle.decision, jsonb_array_elements(reasons) AS x
GROUP BY routing_id, program, subject_id, score HAVING sum((x->>'points')::int) <> score
UNION ALL
SELECT 'no reasons', routing_id, program, subject_id, score, 0 FROM oracle.decision WHERE jsonb_array_length(reasons) = 0
UNION ALL
SELECT 'below the threshold', routing_id, program, subject_id, score, enter
FROM oracle.decision JOIN oracle.program USING (program) WHERE score < enter
UNION ALL
SELECT 'no episode of its own', routing_id, program, subject_id, score, episode
FROM oracle.decision AS r WHERE NOT EXISTS (
  SELECT FROM pql.episode AS e WHERE (e.episode_id, e.program, e.subject_id, e.entered_at) = (r.episode, r.program, r.subject_id, r.qualified_at))
UNION ALL
SELECT 'two rows for an episode', min(routing_id), program, subject_id, count(*), episode
FROM pql.routing GROUP BY program, subject_id, episode HAVING count(*) > 1
UNION ALL
SELECT 'two episodes at once', a.episode_id, a.program, a.subject_id, b.episode_id, NULL
FROM pql.episode AS a JOIN pql.episode AS b ON (a.program_id, a.subject_id) = (b.program_id, b.subject_id)
  AND a.episode_id < b.episode_id AND (a.left_at IS NULL OR b.entered_at < a.left_at)
UNION ALL
SELECT 'not noted', count(*), NULL, NULL, NULL, NULL FROM pql.routing WHERE routing_id NOT IN (SELECT routing_id FROM decided)
HAVING count(*) > 0;
