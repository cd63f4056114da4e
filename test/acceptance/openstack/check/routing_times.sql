-- routing rows: both moments are kept, and the first and last times to get in touch follow from them
SELECT r.routing_id, r.signal_at, t.at AS newest_reason, r.qualified_at, r.contact_after, r.contact_by
FROM oracle.decided AS r
JOIN (SELECT routing_id, max(at) AS at FROM oracle.told WHERE points > 0 GROUP BY routing_id) AS t USING (routing_id)
JOIN oracle.program AS p USING (program)
CROSS JOIN LATERAL (SELECT document->'motions'->0 AS m) AS x
WHERE (r.signal_at, r.contact_after, r.contact_by) IS DISTINCT FROM
      (t.at, greatest(r.qualified_at, t.at + (m->>'after')::interval),
       greatest(r.qualified_at, t.at + (m->>'after')::interval) + (m->>'by')::interval);
