-- routing rows: every reason has the points, the measure and the event that it rests on
-- covers: S1-7, S3-4
SELECT routing_id, signal, to_jsonb(r) AS expected, to_jsonb(t) AS got
FROM oracle.told AS t FULL JOIN oracle.reason AS r USING (routing_id, signal)
WHERE CASE WHEN t.routing_id IS NULL THEN r.raw >= 1 + 1e-9
      ELSE r.routing_id IS NULL OR t.kind <> r.kind OR t.points < floor(r.raw - 1e-9) OR t.points > floor(r.raw + 1e-9) + 1
        OR abs(t.value - r.value) > 0.0000501 -- told with four digits
        OR (t.event_id, t.at) IS DISTINCT FROM (r.event_id, r.at) END;
