-- Scores at many instants, by the formula: each event counts v * 2^-(age / half_life), a curve turns the sum into points.
-- covers: S2-4, S2-19, S2-20, S1-36

CREATE TABLE oracle.signal (
  program          text NOT NULL,
  position         int NOT NULL,
  signal           text NOT NULL,
  kind             text NOT NULL,
  measure          text NOT NULL,  -- decay, milestone or activation
  half_life        float8,         -- seconds
  max_points       float8 NOT NULL,
  points_each      float8,
  saturates_at     float8,
  half_saturation  float8,
  milestone        text,
  PRIMARY KEY (program, signal)
);
INSERT INTO oracle.signal VALUES
  ('account_expansion', 1, 'activated',    'activation', 'activation', NULL,           15, NULL, NULL, NULL, NULL),
  ('account_expansion', 2, 'schema_work',  'depth',      'decay',      30 * 86400,     25, NULL, 12,   NULL, NULL),
  ('account_expansion', 3, 'api_work',     'depth',      'decay',      21 * 86400,     25, NULL, NULL, 40,   NULL),
  ('account_expansion', 4, 'drivers',      'breadth',    'decay',      45 * 86400,     15, 0.35, NULL, NULL, NULL),
  ('account_expansion', 5, 'networking',   'breadth',    'milestone',  NULL,           10, NULL, NULL, NULL, 'joined_networking'),
  ('account_expansion', 6, 'dependencies', 'intent',     'decay',      14.5 * 86400,   10, NULL, 6,    NULL, NULL),
  ('contributor',       1, 'activated',    'activation', 'activation', NULL,           20, NULL, NULL, NULL, NULL),
  ('contributor',       2, 'tests',        'depth',      'decay',      20 * 86400,     30, NULL, NULL, 60,   NULL),
  ('contributor',       3, 'code',         'depth',      'decay',      10 * 86400,     25, 1.5,  NULL, NULL, NULL),
  ('contributor',       4, 'release_notes','breadth',    'decay',      1.5 * 86400,    15, NULL, 3,    NULL, NULL),
  ('contributor',       5, 'big_test',     'breadth',    'milestone',  NULL,           5,  NULL, NULL, NULL, 'big_test'),
  ('contributor',       6, 'rescue',       'intent',     'decay',      15 * 86400,     10, NULL, 1,    NULL, NULL);

-- Which events count for which fading signal, and how much.
CREATE TABLE oracle.contribution AS
  SELECT c.program, c.signal, c.subject_id, e.event_id, e.occurred_at, c.v
  FROM events AS e
  CROSS JOIN LATERAL (VALUES
    ('account_expansion', 'schema_work',   e.account_id, e.event = 'changed_schema', 1::float8),
    ('account_expansion', 'api_work',      e.account_id, e.event = 'changed_api', (e.props ->> 'quantity')::float8),
    ('account_expansion', 'drivers',       e.account_id, e.event = 'changed_driver', 1),
    ('account_expansion', 'dependencies',  e.account_id,
       e.event = 'changed_dependency' AND e.props ->> 'workspace' <> 'nova', 1),
    ('contributor',       'tests',         e.user_id,    e.event = 'wrote_test', (e.props ->> 'quantity')::float8),
    ('contributor',       'code',          e.user_id,    e.event = 'changed_code', 1),
    ('contributor',       'release_notes', e.user_id,    e.event = 'wrote_release_note', 1),
    ('contributor',       'rescue',        e.user_id,    e.event = 'reverted', 1)
  ) AS c(program, signal, subject_id, counts, v)
  WHERE c.counts AND c.subject_id IS NOT NULL;
CREATE INDEX ON oracle.contribution (program, subject_id, signal, occurred_at);
ANALYZE oracle.contribution;

-- 50 instants over the whole time, the last of them the newest event; every other one is exactly the time of an event. One more
-- lies after the end. At five of them everybody is explained.
CREATE TABLE oracle.instant AS
  SELECT n, CASE WHEN n % 2 = 1 OR n > 50 THEN at ELSE (SELECT max(occurred_at) FROM events WHERE occurred_at <= at) END AS as_of,
         n IN (9, 24, 38, 50, 51) AS everybody
  FROM (SELECT n, s.first + (s.last - s.first) * (n / 50.0) + CASE WHEN n > 50 THEN interval '1000 hours' ELSE '0' END AS at
        FROM generate_series(1, 51) AS n, (SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events) AS s) AS x;

-- Points of a value before rounding.
CREATE FUNCTION oracle.raw_points(s oracle.signal, value float8) RETURNS float8
  LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN s.points_each IS NOT NULL THEN least(s.max_points, s.points_each * value)
    WHEN s.saturates_at IS NOT NULL THEN least(s.max_points, s.max_points * value / s.saturates_at)
    WHEN s.half_saturation IS NOT NULL THEN s.max_points * (1 - power(2::float8, greatest(-1000, -value / s.half_saturation)))
    ELSE s.max_points * value END
$$;

-- What one event counts at an instant. (2^-1000 is as good as nothing, and no underflow.)
CREATE FUNCTION oracle.faded(v float8, occurred_at timestamptz, as_of timestamptz, half_life float8) RETURNS float8
  LANGUAGE sql STABLE AS $$
  SELECT v * power(2::float8, greatest(-1000, extract(epoch FROM occurred_at - as_of)::float8 / half_life))
$$;

-- Everybody seen by an instant, every signal.
CREATE TABLE oracle.value AS
  WITH faded AS (
    SELECT c.program, c.subject_id, c.signal, i.n, sum(oracle.faded(c.v, c.occurred_at, i.as_of, s.half_life)) AS value
    FROM oracle.contribution AS c
    JOIN oracle.signal AS s USING (program, signal)
    JOIN oracle.instant AS i ON c.occurred_at <= i.as_of
    GROUP BY 1, 2, 3, 4)
  SELECT s.program, u.subject_id, i.n, s.signal, s.kind, v.value, oracle.raw_points(s, v.value) AS raw
  FROM oracle.instant AS i
  JOIN oracle.subject AS u ON u.first_seen <= i.as_of
  JOIN oracle.signal AS s ON s.program = CASE u.unit WHEN 'user' THEN 'contributor' ELSE 'account_expansion' END
  LEFT JOIN oracle.milestone AS m ON m.unit = u.unit AND m.subject_id = u.subject_id AND m.name = s.milestone
  LEFT JOIN oracle.reached AS a ON a.scope = 0 AND a.program = s.program AND a.subject_id = u.subject_id
  LEFT JOIN faded AS f ON f.program = s.program AND f.subject_id = u.subject_id AND f.signal = s.signal AND f.n = i.n
  CROSS JOIN LATERAL (SELECT CASE s.measure
    WHEN 'milestone' THEN (m.reached_at <= i.as_of)::int
    WHEN 'activation' THEN (a.level = a.steps AND a.reached_at <= i.as_of)::int
    ELSE f.value END) AS x(value)
  CROSS JOIN LATERAL (SELECT coalesce(x.value, 0)::float8 AS value) AS v;
CREATE INDEX ON oracle.value (program, subject_id, n);
ANALYZE oracle.value;
