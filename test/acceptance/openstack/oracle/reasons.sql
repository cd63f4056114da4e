-- What each routing row should have said of each signal: its measure, points before rounding, and the event that it rests on.
CREATE TABLE oracle.reason AS
  SELECT d.routing_id, s.signal, s.kind, v.value, oracle.raw_points(s, v.value) AS raw, v.at, v.event_id
  FROM oracle.decided AS d
  JOIN oracle.signal AS s USING (program)
  CROSS JOIN LATERAL (
    -- What fades rests on its newest event.
    SELECT sum(oracle.faded(e.value, e.epoch, extract(epoch FROM d.clock)::float8, s.half_life)) AS value, max(e.occurred_at) AS at,
           (array_agg(e.event_id ORDER BY e.occurred_at DESC, e.event_id DESC))[1] AS event_id
    FROM oracle.signal_event AS e
    WHERE (e.program, e.signal, e.subject_id) = (s.program, s.signal, d.subject_id) AND e.event_id <= d.last_event
    HAVING count(*) > 0
    UNION ALL
    -- A milestone on its first.
    SELECT 1, min(m.occurred_at), (array_agg(m.event_id ORDER BY m.occurred_at, m.event_id))[1]
    FROM oracle.milestone_event AS m
    WHERE s.measure = 'milestone' AND (m.program, m.unit, m.name, m.subject_id) = (s.program, s.unit, s.milestone, d.subject_id)
      AND m.event_id <= d.last_event
    HAVING count(*) > 0
    UNION ALL
    SELECT 1, a.reached_at, NULL FROM oracle.activation AS a
    WHERE s.measure = 'activation' AND a.scope = d.routing_id AND a.complete) AS v;

-- What it did say.
CREATE TABLE oracle.told AS
  SELECT d.routing_id, x ->> 'signal' AS signal, x ->> 'kind' AS kind, (x ->> 'points')::int AS points,
         (x ->> 'value')::float8 AS value, (x ->> 'at')::timestamptz AS at, (x ->> 'event_id')::bigint AS event_id
  FROM oracle.decided AS d CROSS JOIN LATERAL jsonb_array_elements(d.reasons) AS x;
