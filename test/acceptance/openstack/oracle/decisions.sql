-- What had arrived when each routing row was written: everything up to the end of its batch. Now was the newest event until then.
CREATE TABLE oracle.batch AS
  SELECT b.last_event, b.last_routing, lag(b.last_event, 1, 0) OVER w + 1 AS first_event,
         lag(b.last_routing, 1, 0::bigint) OVER w + 1 AS first_routing,
         max(e.clock) OVER w AS clock
  FROM batch AS b
  CROSS JOIN LATERAL (SELECT max(occurred_at) AS clock FROM events
                      WHERE event_id > coalesce((SELECT max(o.last_event) FROM batch AS o WHERE o.last_event < b.last_event), 0)
                        AND event_id <= b.last_event) AS e
  WINDOW w AS (ORDER BY b.last_event);

CREATE TABLE oracle.decided AS
  SELECT r.*, b.last_event, b.clock
  FROM pql.routing AS r JOIN oracle.batch AS b ON r.routing_id BETWEEN b.first_routing AND b.last_routing;
ANALYZE oracle.batch;
ANALYZE oracle.decided;
