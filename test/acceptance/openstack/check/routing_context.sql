-- routing rows: the context is what was known: events, since when, people, who did what first, activation
-- covers: S1-7, S1-18, S3-1
SELECT d.routing_id, d.subject_id, d.context, to_jsonb(k) AS seen, to_jsonb(m) AS first, to_jsonb(a) AS activation
FROM oracle.decided AS d
CROSS JOIN LATERAL (
  SELECT count(*) AS events, min(occurred_at) AS first_seen, max(occurred_at) AS last_seen, count(DISTINCT user_id) AS people
  FROM events AS e
  WHERE e.event_id <= d.last_event AND d.subject_id = CASE d.unit WHEN 'user' THEN e.user_id ELSE e.account_id END) AS k
CROSS JOIN LATERAL (
  SELECT jsonb_object_agg(name, at) AS reached
  FROM (SELECT name, min(occurred_at) AS at FROM oracle.milestone_event AS m
        WHERE (m.program, m.unit, m.subject_id) = (d.program, d.unit, d.subject_id) AND m.event_id <= d.last_event GROUP BY name) AS x) AS m
LEFT JOIN oracle.activation AS a ON a.scope = d.routing_id
WHERE ((d.context #>> '{subject,events}')::int, (d.context #>> '{subject,first_seen}')::timestamptz,
       (d.context #>> '{subject,last_seen}')::timestamptz)
        IS DISTINCT FROM (k.events, k.first_seen, k.last_seen)
   OR d.unit = 'account' AND (d.context ->> 'member_count')::int IS DISTINCT FROM k.people
   OR (SELECT jsonb_object_agg(x ->> 'name', (x ->> 'at')::timestamptz) FROM jsonb_array_elements(d.context -> 'milestones') AS x
       WHERE m.reached ? (x ->> 'name')) IS DISTINCT FROM m.reached
   OR ((d.context #>> '{activation,level}')::int, d.context #>> '{activation,next}', d.context #> '{activation,skipped}')
        IS DISTINCT FROM (coalesce(a.level, 0), a.next_step, a.skipped);
