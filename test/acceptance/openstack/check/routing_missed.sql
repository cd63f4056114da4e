-- nobody is missed: who reached the threshold in a batch, by an event of the last week, has an episode then
-- covers: S1-5, S3-1
-- Points for the activation are left out here, so this asks for less than pql promises.
CREATE TABLE oracle.touched AS
  SELECT DISTINCT p.program, p.enter, e.subject_id, b.last_event, b.clock
  FROM oracle.batch AS b
  JOIN oracle.subject_event AS e ON e.event_id BETWEEN b.first_event AND b.last_event
   AND e.occurred_at >= b.clock - interval '168 hours'
  JOIN oracle.program AS p USING (unit);
CREATE TABLE oracle.reached AS
  SELECT t.program, t.enter, t.subject_id, t.clock, sum(oracle.raw_points(s, coalesce(v.value, 0))) AS raw
  FROM oracle.touched AS t JOIN oracle.signal AS s USING (program)
  CROSS JOIN LATERAL (
    SELECT CASE s.measure
      WHEN 'activation' THEN 0
      WHEN 'milestone' THEN (EXISTS (SELECT FROM oracle.milestone_event AS m
        WHERE (m.program, m.unit, m.name, m.subject_id) = (s.program, s.unit, s.milestone, t.subject_id)
          AND m.event_id <= t.last_event))::int
      ELSE (SELECT sum(oracle.faded(e.value, e.epoch, extract(epoch FROM t.clock)::float8, s.half_life)) FROM oracle.signal_event AS e
        WHERE (e.program, e.signal, e.subject_id) = (s.program, s.signal, t.subject_id) AND e.event_id <= t.last_event
          AND e.occurred_at > t.clock - make_interval(secs => 100 * s.half_life)) END AS value) AS v
  GROUP BY t.program, t.enter, t.subject_id, t.clock;

SELECT program, subject_id, clock, raw, enter FROM oracle.reached AS r
WHERE raw >= enter - 0.5 + 1e-9
  AND NOT EXISTS (SELECT FROM pql.episode AS e WHERE (e.program, e.subject_id) = (r.program, r.subject_id)
                    AND e.entered_at <= r.clock AND coalesce(e.left_at, 'infinity') > r.clock)
UNION ALL
SELECT 'too few to compare', NULL, NULL, count(*), NULL FROM oracle.reached WHERE raw >= enter - 0.5 + 1e-9 HAVING count(*) < 100;
