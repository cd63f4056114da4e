-- Activation: how far each subject came through its checklist.
--
-- In order: level s is reached by an event r of step s when there are events r1, ..., rs = r of the steps 1 to s, no one earlier
-- than the one before (one event may serve several steps), with rs - r1 <= within. What matters of the chains that end by an
-- instant is the latest start: whatever an earlier start allows, a later one does too. Equal times count as in order.
-- In any order: the level at an event is the number of steps whose newest event lies within the time before it.
--
-- The level is the best ever reached; reached_at the first instant at which it was; started_at the latest start of the chains
-- that got there then. Scope 0 knows all events; the scope of a routing row (by its id) those that had arrived when it was written.
CREATE TABLE oracle.step AS
  WITH step_event AS (
    SELECT c.program, m.subject_id, s.step::int, m.occurred_at AS at, m.event_id
    FROM oracle.checklist AS c CROSS JOIN unnest(c.names) WITH ORDINALITY AS s(name, step)
    JOIN oracle.milestone_event AS m ON (m.program, m.unit, m.name) = (c.program, c.unit, s.name))
  SELECT DISTINCT 0::bigint AS scope, program, subject_id, step, at FROM step_event
  UNION ALL
  SELECT DISTINCT d.routing_id, e.program, e.subject_id, e.step, e.at
  FROM oracle.decided AS d JOIN step_event AS e ON (e.program, e.subject_id) = (d.program, d.subject_id) AND e.event_id <= d.last_event;
CREATE INDEX ON oracle.step (subject_id, program, scope, step, at);
ANALYZE oracle.step;

-- In order: chains of s steps are chains of s - 1 steps and an event that isn't earlier.
CREATE TABLE oracle.chain AS
  SELECT scope, program, subject_id, 1 AS level, at AS reached_at, at AS started_at, ARRAY[1] AS done
  FROM oracle.step JOIN oracle.checklist USING (program)
  WHERE in_order AND step = 1;
DO $$
BEGIN
  FOR s IN 2 .. (SELECT max(steps) FROM oracle.checklist) LOOP
    INSERT INTO oracle.chain
    SELECT scope, program, subject_id, s, at, started_at, ARRAY(SELECT generate_series(1, s))
    FROM (SELECT scope, program, subject_id, at, ends_here,
                 max(start) OVER (PARTITION BY scope, program, subject_id ORDER BY at RANGE UNBOUNDED PRECEDING) AS started_at
          FROM (SELECT scope, program, subject_id, reached_at AS at, started_at AS start, false AS ends_here FROM oracle.chain
                WHERE level = s - 1
                UNION ALL
                SELECT scope, program, subject_id, at, NULL, true FROM oracle.step WHERE step = s) AS x) AS y
    JOIN oracle.checklist USING (program)
    WHERE in_order AND ends_here AND at - started_at <= within;
  END LOOP;
END $$;

-- In any order: for each instant, the newest time of each step up to it.
INSERT INTO oracle.chain
SELECT scope, program, subject_id, count(*), at, min(newest), array_agg(step ORDER BY step)
FROM (SELECT i.scope, i.program, i.subject_id, i.at, n.step,
             (SELECT max(o.at) FROM oracle.step AS o WHERE (o.scope, o.program, o.subject_id) = (i.scope, i.program, i.subject_id)
                AND o.step = n.step AND o.at <= i.at AND o.at >= i.at - c.within) AS newest
      FROM (SELECT DISTINCT scope, program, subject_id, at FROM oracle.step) AS i
      JOIN oracle.checklist AS c ON c.program = i.program AND NOT c.in_order
      CROSS JOIN LATERAL generate_series(1, c.steps) AS n(step)) AS x
WHERE newest IS NOT NULL
GROUP BY scope, program, subject_id, at;

-- No chain at all is level 0.
INSERT INTO oracle.chain
  SELECT DISTINCT scope, program, subject_id, 0, '-infinity'::timestamptz, NULL::timestamptz, '{}'::int[] FROM oracle.step;
CREATE INDEX ON oracle.chain (scope, program, subject_id);
ANALYZE oracle.chain;

-- The best as of an instant.
CREATE FUNCTION oracle.activation_at(as_of timestamptz)
  RETURNS TABLE (scope bigint, program text, subject_id text, level int, steps int, complete boolean, started_at timestamptz,
                 reached_at timestamptz, next_step text, skipped jsonb)
  LANGUAGE sql STABLE AS $$
  SELECT scope, program, subject_id, level, steps, level = steps, started_at, nullif(reached_at, '-infinity'),
         -- The first step that is not done; and those that were never taken, though later ones were.
         (SELECT name FROM unnest(names) WITH ORDINALITY AS n(name, step) WHERE step <> ALL (done) ORDER BY step LIMIT 1),
         (SELECT coalesce(jsonb_agg(name ORDER BY n.step), '[]') FROM unnest(names) WITH ORDINALITY AS n(name, step)
          WHERE NOT EXISTS (SELECT FROM oracle.step AS x WHERE (x.scope, x.program, x.subject_id) = (c.scope, c.program, c.subject_id)
                              AND x.step = n.step AND x.at <= as_of)
            AND EXISTS (SELECT FROM oracle.step AS x WHERE (x.scope, x.program, x.subject_id) = (c.scope, c.program, c.subject_id)
                          AND x.step > n.step AND x.at <= as_of))
  FROM (SELECT DISTINCT ON (scope, program, subject_id) * FROM oracle.chain WHERE reached_at <= as_of
        ORDER BY scope, program, subject_id, level DESC, reached_at, started_at DESC) AS c
  JOIN oracle.checklist USING (program)
$$;
CREATE TABLE oracle.activation AS SELECT * FROM oracle.activation_at('infinity');
CREATE INDEX ON oracle.activation (program, subject_id) WHERE complete;
ANALYZE oracle.activation;
