-- Activation, by its definition: the most steps that one chain of events completes within the time, when such a chain was
-- first complete, and the latest start of those that were complete then. Ties in time count as in order.
-- covers: S3-6, S3-7, S3-10

-- The distinct instants of each step. Scope 0 is all events; others are what a routing row could know (by its id).
CREATE TABLE oracle.step (
  scope       bigint NOT NULL,
  program     text NOT NULL,
  subject_id  text NOT NULL,
  step        int NOT NULL,
  at          timestamptz NOT NULL
);

CREATE VIEW oracle.step_event AS
  SELECT p.program, CASE p.program WHEN 'contributor' THEN m.user_id ELSE m.account_id END AS subject_id, p.step,
         m.occurred_at AS at, m.event_id
  FROM oracle.milestone_event AS m
  JOIN (VALUES ('contributor', 1, 'first_code'), ('contributor', 2, 'first_test'), ('contributor', 3, 'first_release_note'),
               ('account_expansion', 1, 'first_code'), ('account_expansion', 2, 'first_test'),
               ('account_expansion', 3, 'first_api'), ('account_expansion', 4, 'first_schema')) AS p(program, step, name)
    USING (name)
  WHERE p.program = 'contributor' OR m.account_id IS NOT NULL;

INSERT INTO oracle.step SELECT DISTINCT 0, program, subject_id, step, at FROM oracle.step_event;

INSERT INTO oracle.step
SELECT DISTINCT r.routing_id, r.program, r.subject_id, s.step, s.at
FROM pql.routing AS r
JOIN (SELECT routing_id, (SELECT min(b.last_event) FROM batch AS b WHERE b.last_routing >= x.routing_id) AS last_event
      FROM pql.routing AS x) AS known USING (routing_id)
JOIN oracle.step_event AS s ON s.program = r.program AND s.subject_id = r.subject_id AND s.event_id <= known.last_event;

CREATE INDEX ON oracle.step (scope, program, subject_id, step, at);
ANALYZE oracle.step;

-- contributor: first_code, first_test, first_release_note, in order, within 30 days.
CREATE MATERIALIZED VIEW oracle.chain_in_order AS
  SELECT scope, subject_id, 1 AS level, at AS started_at, at AS reached_at
  FROM oracle.step WHERE program = 'contributor' AND step = 1
  UNION ALL
  SELECT scope, subject_id, 2, one.at, two.at
  FROM (SELECT * FROM oracle.step WHERE program = 'contributor' AND step = 1) AS one
  JOIN (SELECT * FROM oracle.step WHERE program = 'contributor' AND step = 2) AS two USING (scope, subject_id)
  WHERE two.at BETWEEN one.at AND one.at + interval '720 hours'
  UNION ALL
  SELECT scope, subject_id, 3, one.at, three.at
  FROM (SELECT * FROM oracle.step WHERE program = 'contributor' AND step = 1) AS one
  JOIN (SELECT * FROM oracle.step WHERE program = 'contributor' AND step = 3) AS three USING (scope, subject_id)
  WHERE three.at BETWEEN one.at AND one.at + interval '720 hours'
    AND EXISTS (SELECT FROM oracle.step AS two
                WHERE two.scope = one.scope AND two.program = 'contributor' AND two.subject_id = one.subject_id AND two.step = 2
                  AND two.at BETWEEN one.at AND three.at);

-- account_expansion: the four steps in any order within 90 days. At each instant: the latest time of each step so far.
CREATE MATERIALIZED VIEW oracle.chain_any_order AS
  SELECT i.scope, i.subject_id, count(*)::int AS level, min(s.latest) AS started_at, i.at AS reached_at,
         array_agg(s.step ORDER BY s.step) AS done
  FROM (SELECT DISTINCT scope, subject_id, at, one, two, three, four
        FROM (SELECT scope, subject_id, at, max(at) FILTER (WHERE step = 1) OVER so_far AS one,
                     max(at) FILTER (WHERE step = 2) OVER so_far AS two,
                     max(at) FILTER (WHERE step = 3) OVER so_far AS three,
                     max(at) FILTER (WHERE step = 4) OVER so_far AS four
              FROM oracle.step WHERE program = 'account_expansion'
              WINDOW so_far AS (PARTITION BY scope, subject_id ORDER BY at RANGE UNBOUNDED PRECEDING)) AS x) AS i
  CROSS JOIN LATERAL (VALUES (1, one), (2, two), (3, three), (4, four)) AS s(step, latest)
  WHERE s.latest >= i.at - interval '2160 hours'
  GROUP BY i.scope, i.subject_id, i.at;

CREATE VIEW oracle.activation_in_scope AS
  SELECT DISTINCT ON (scope, subject_id) scope, 'contributor' AS program, subject_id, level, 3 AS steps, started_at, reached_at,
         (ARRAY[1, 2, 3])[:level] AS done
  FROM oracle.chain_in_order
  ORDER BY scope, subject_id, level DESC, reached_at, started_at DESC;

CREATE VIEW oracle.activation_in_scope_any AS
  SELECT DISTINCT ON (scope, subject_id) scope, 'account_expansion' AS program, subject_id, level, 4 AS steps, started_at,
         reached_at, done
  FROM oracle.chain_any_order
  ORDER BY scope, subject_id, level DESC, reached_at, started_at DESC;

CREATE TABLE oracle.reached AS
  SELECT * FROM oracle.activation_in_scope UNION ALL SELECT * FROM oracle.activation_in_scope_any;
CREATE INDEX ON oracle.reached (scope, program, subject_id);
ANALYZE oracle.reached;

-- What pql.activation() should say of everybody, next step and steps left out included.
CREATE VIEW oracle.activation AS
  SELECT p.program, s.subject_id, coalesce(r.level, 0) AS level, p.steps, coalesce(r.level, 0) = p.steps AS complete,
         r.started_at, r.reached_at,
         (SELECT name FROM unnest(p.names) WITH ORDINALITY AS n(name, step)
          WHERE step <> ALL (coalesce(r.done, '{}')) ORDER BY step LIMIT 1) AS next_step,
         (SELECT coalesce(jsonb_agg(name ORDER BY step), '[]') FROM unnest(p.names) WITH ORDINALITY AS n(name, step)
          WHERE NOT EXISTS (SELECT FROM oracle.step AS x
                            WHERE x.scope = 0 AND x.program = p.program AND x.subject_id = s.subject_id AND x.step = n.step)
            AND EXISTS (SELECT FROM oracle.step AS x
                        WHERE x.scope = 0 AND x.program = p.program AND x.subject_id = s.subject_id AND x.step > n.step))
           AS skipped
  FROM (VALUES ('contributor', 'user', 3, ARRAY['first_code', 'first_test', 'first_release_note']),
               ('account_expansion', 'account', 4, ARRAY['first_code', 'first_test', 'first_api', 'first_schema']))
    AS p(program, unit, steps, names)
  JOIN oracle.subject AS s ON s.unit = p.unit
  LEFT JOIN oracle.reached AS r ON r.scope = 0 AND r.program = p.program AND r.subject_id = s.subject_id;
