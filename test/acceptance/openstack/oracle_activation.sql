-- Activation: how far each subject came through the checklist.
--
-- In order: level s is reached by an event r of step s when there are events r1, ..., rs = r of the steps 1 to s, no one later
-- than the next (one event may serve several steps), with rs - r1 <= within. What matters of the chains that end by an instant
-- is the latest start: whatever an earlier start allows, a later one does too. Equal times count as in order.
-- In any order: the level at an event is the number of steps whose newest event lies within the time before it.
--
-- The level is the best ever reached; reached_at the first instant at which it was; started_at the latest start of the chains
-- that got there then. Lists every difference from pql.activation().
-- covers: S3-6, S3-7, S3-10
CREATE TABLE oracle.checklist AS
  SELECT program, coalesce(document->'activation'->>'order', 'in_order') = 'in_order' AS in_order,
         (document->'activation'->>'within')::interval AS within, jsonb_array_length(document->'activation'->'steps') AS steps
  FROM oracle.program;

-- Instants at which a subject took a step.
CREATE TABLE oracle.step AS
  SELECT DISTINCT m.program, m.subject_id, s.step::int, m.occurred_at AS at
  FROM oracle.program AS p
  CROSS JOIN jsonb_array_elements_text(p.document->'activation'->'steps') WITH ORDINALITY AS s(name, step)
  JOIN oracle.milestone_event AS m ON (m.program, m.unit, m.name) = (p.program, p.unit, s.name);
CREATE INDEX ON oracle.step (program, subject_id, step, at);
ANALYZE oracle.step;

-- In order: chains of s steps are chains of s - 1 steps and an event that isn't earlier.
CREATE TABLE oracle.chain AS
  SELECT program, subject_id, 1 AS level, at AS reached_at, at AS started_at FROM oracle.step JOIN oracle.checklist USING (program)
  WHERE in_order AND step = 1;
DO $$
BEGIN
  FOR s IN 2 .. (SELECT max(steps) FROM oracle.checklist) LOOP
    INSERT INTO oracle.chain
    SELECT program, subject_id, s, at, started_at
    FROM (SELECT program, subject_id, at, ends_here,
                 max(start) OVER (PARTITION BY program, subject_id ORDER BY at RANGE UNBOUNDED PRECEDING) AS started_at
          FROM (SELECT program, subject_id, reached_at AS at, started_at AS start, false AS ends_here FROM oracle.chain
                WHERE level = s - 1
                UNION ALL
                SELECT program, subject_id, at, NULL, true FROM oracle.step WHERE step = s) AS x) AS y
    JOIN oracle.checklist USING (program)
    WHERE in_order AND ends_here AND at - started_at <= within;
  END LOOP;
END $$;

-- In any order: for each instant, the newest time of each step up to it.
INSERT INTO oracle.chain
SELECT program, subject_id, count(*), at, min(newest)
FROM (SELECT i.program, i.subject_id, i.at, c.within, n.step,
             (SELECT max(o.at) FROM oracle.step AS o WHERE o.program = i.program AND o.subject_id = i.subject_id
                AND o.step = n.step AND o.at <= i.at AND o.at >= i.at - c.within) AS newest
      FROM (SELECT DISTINCT program, subject_id, at FROM oracle.step) AS i
      JOIN oracle.checklist AS c ON c.program = i.program AND NOT c.in_order
      CROSS JOIN LATERAL generate_series(1, c.steps) AS n(step)) AS x
WHERE newest IS NOT NULL
GROUP BY program, subject_id, at;

CREATE TABLE oracle.activation AS
  SELECT DISTINCT ON (program, subject_id) program, subject_id, level, level = steps AS complete, started_at, reached_at
  FROM oracle.chain JOIN oracle.checklist USING (program)
  ORDER BY program, subject_id, level DESC, reached_at, started_at DESC;

SELECT coalesce(o.program, a.program) AS program, coalesce(o.subject_id, a.subject_id) AS subject,
       coalesce(o.level, 0) AS expected, o.started_at, o.reached_at, coalesce(a.level, 0) AS got, a.started_at, a.reached_at
FROM oracle.activation AS o
FULL JOIN (SELECT p.program, a.* FROM oracle.program AS p, LATERAL pql.activation(p.program) AS a) AS a
  ON (a.program, a.subject_id) = (o.program, o.subject_id)
WHERE (coalesce(o.level, 0), o.started_at, o.reached_at, coalesce(o.complete, false))
  IS DISTINCT FROM (coalesce(a.level, 0), a.started_at, a.reached_at, coalesce(a.complete, false));
