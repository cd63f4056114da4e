-- Measures of all signals of everybody at 50 instants of the 16 years, by the documents' formulas, in float8. Half of the instants
-- are those of an event, so that "at or before" is tried at equality.
CREATE TABLE oracle.instant AS
  SELECT row_number() OVER (ORDER BY as_of)::int AS n, as_of, extract(epoch FROM as_of)::float8 AS epoch
  FROM (SELECT date_trunc('second', first + n * (last - first) / 24) AS as_of
        FROM (SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events) AS x, generate_series(0, 24) AS n
        UNION
        (SELECT occurred_at FROM (SELECT DISTINCT occurred_at FROM events) AS e
         ORDER BY md5('instant ' || extract(epoch FROM occurred_at)::bigint)
         LIMIT 25)) AS x;

-- After a hundred half-lives nothing is left that could be seen among 12 digits.
CREATE TABLE oracle.value AS
  SELECT i.n, s.program, e.subject_id, s.signal, sum(oracle.faded(e.value, e.epoch, i.epoch, s.half_life)) AS value
  FROM oracle.instant AS i
  CROSS JOIN oracle.signal AS s
  JOIN oracle.signal_event AS e ON (e.program, e.signal) = (s.program, s.signal)
  WHERE e.epoch <= i.epoch AND e.epoch >= i.epoch - 100 * s.half_life
  GROUP BY i.n, s.program, s.signal, e.subject_id
  UNION ALL
  SELECT i.n, s.program, m.subject_id, s.signal, 1
  FROM oracle.instant AS i JOIN oracle.milestone AS m ON m.reached_at <= i.as_of
  JOIN oracle.signal AS s ON s.measure = 'milestone' AND s.unit = m.unit AND s.milestone = m.name
  UNION ALL
  SELECT i.n, s.program, a.subject_id, s.signal, 1
  FROM oracle.instant AS i JOIN oracle.activation AS a ON a.scope = 0 AND a.complete AND a.reached_at <= i.as_of
  JOIN oracle.signal AS s ON s.measure = 'activation' AND s.program = a.program;

-- Who had been seen by an instant, and the sum of their points before rounding.
CREATE TABLE oracle.score AS
  SELECT i.n, p.program, u.subject_id, coalesce(v.raw, 0) AS raw
  FROM oracle.instant AS i CROSS JOIN oracle.program AS p
  JOIN oracle.subject AS u ON u.unit = p.unit AND u.first_seen <= i.as_of
  LEFT JOIN (SELECT n, program, subject_id, sum(oracle.raw_points(s, value)) AS raw
             FROM oracle.value JOIN oracle.signal AS s USING (program, signal) GROUP BY n, program, subject_id) AS v
    ON (v.n, v.program, v.subject_id) = (i.n, p.program, u.subject_id);
ANALYZE oracle.value;
ANALYZE oracle.score;
