-- What every routing row should have said, by the events that had arrived when it was written.
-- covers: S1-4, S3-4, S3-9

CREATE TABLE oracle.decided AS
  SELECT r.*, b.last_event, c.as_of
  FROM pql.routing AS r
  CROSS JOIN LATERAL (SELECT min(last_event) AS last_event FROM batch WHERE last_routing >= r.routing_id) AS b
  -- The clock is the events' own: now is the newest event that has arrived.
  CROSS JOIN LATERAL (SELECT max(occurred_at) AS as_of FROM events WHERE event_id <= b.last_event) AS c;

CREATE TABLE oracle.reason AS
  SELECT d.routing_id, s.position, s.signal, s.kind, v.value, oracle.raw_points(s, v.value) AS raw, v.at, v.event_id
  FROM oracle.decided AS d
  JOIN oracle.signal AS s USING (program)
  CROSS JOIN LATERAL (
    SELECT sum(oracle.faded(c.v, c.occurred_at, d.as_of, s.half_life)) AS value, max(c.occurred_at) AS at,
           (array_agg(c.event_id ORDER BY c.occurred_at DESC, c.event_id DESC))[1] AS event_id
    FROM oracle.contribution AS c
    WHERE s.measure = 'decay' AND c.program = s.program AND c.signal = s.signal AND c.subject_id = d.subject_id
      AND c.event_id <= d.last_event AND c.occurred_at <= d.as_of
    HAVING count(*) > 0
    UNION ALL
    SELECT 1, min(m.occurred_at), (array_agg(m.event_id ORDER BY m.occurred_at, m.event_id))[1]
    FROM oracle.milestone_event AS m
    WHERE s.measure = 'milestone' AND m.name = s.milestone AND m.event_id <= d.last_event
      AND (d.unit = 'user' AND m.user_id = d.subject_id OR d.unit = 'account' AND m.account_id = d.subject_id)
    HAVING count(*) > 0
    UNION ALL
    SELECT 1, a.reached_at, NULL FROM oracle.reached AS a
    WHERE s.measure = 'activation' AND a.scope = d.routing_id AND a.level = a.steps AND a.reached_at <= d.as_of) AS v;

CREATE TABLE oracle.told AS
  SELECT d.routing_id, x ->> 'signal' AS signal, x ->> 'kind' AS kind, (x ->> 'points')::int AS points,
         (x ->> 'value')::float8 AS value, (x ->> 'at')::timestamptz AS at, (x ->> 'event_id')::bigint AS event_id
  FROM oracle.decided AS d CROSS JOIN LATERAL jsonb_array_elements(d.reasons) AS x;
