-- Scores: the points of every user and account at 50 instants of the 16 years, by the formulas of the documents in float8.
-- Half of the instants are those of an event, so that "at or before" is tried at equality.
-- Lists every difference from pql.scoreboard(). A total may differ by 1 only where the exact one ends in .5, to 1e-6.
-- covers: S2-4, S2-18, S2-19, S2-20, S2-22, S3-4
CREATE TABLE oracle.instant AS
  SELECT as_of, extract(epoch FROM as_of)::float8 AS epoch
  FROM (SELECT date_trunc('second', first + n * (last - first) / 24) AS as_of
        FROM (SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events) AS x, generate_series(0, 24) AS n
        UNION
        (SELECT occurred_at FROM (SELECT DISTINCT occurred_at FROM events) AS e ORDER BY md5('instant ' || extract(epoch FROM occurred_at)::bigint)
         LIMIT 25)) AS x;

-- The measures. After a thousand half-lives float8 has nothing left of an event.
CREATE TABLE oracle.value AS
  SELECT i.as_of, s.program, s.signal, e.subject_id, sum(e.value * power(2, (e.epoch - i.epoch) / s.half_life)) AS value
  FROM oracle.instant AS i
  CROSS JOIN oracle.signal AS s
  JOIN oracle.signal_event AS e ON (e.program, e.signal) = (s.program, s.signal)
  WHERE e.epoch <= i.epoch AND e.epoch >= i.epoch - 1000 * s.half_life
  GROUP BY i.as_of, s.program, s.signal, e.subject_id;
INSERT INTO oracle.value
  SELECT i.as_of, s.program, s.signal, m.subject_id, 1
  FROM oracle.instant AS i JOIN oracle.milestone AS m ON m.reached_at <= i.as_of
  JOIN oracle.signal AS s ON s.measure = 'milestone' AND s.unit = m.unit AND s.milestone = m.name
  UNION ALL
  SELECT i.as_of, s.program, s.signal, a.subject_id, 1
  FROM oracle.instant AS i JOIN oracle.activation AS a ON a.complete AND a.reached_at <= i.as_of
  JOIN oracle.signal AS s ON s.measure = 'activation' AND s.program = a.program;

CREATE TABLE oracle.score AS
  SELECT as_of, program, subject_id, raw, floor(raw + 0.5)::int AS score
  FROM (SELECT v.as_of, v.program, v.subject_id, sum(oracle.raw_points(s, v.value)) AS raw
        FROM oracle.value AS v JOIN oracle.signal AS s USING (program, signal)
        GROUP BY v.as_of, v.program, v.subject_id) AS x;
ANALYZE oracle.score;

CREATE TABLE oracle.board AS
  SELECT i.as_of, p.program, b.subject_id, b.score, b.kinds
  FROM oracle.instant AS i, oracle.program AS p, LATERAL pql.scoreboard(p.program, i.as_of) AS b;
ANALYZE oracle.board;

SELECT coalesce(o.as_of, b.as_of) AS as_of, coalesce(o.program, b.program) AS program,
       coalesce(o.subject_id, b.subject_id) AS subject, o.raw, coalesce(o.score, 0) AS expected, b.score AS got
FROM oracle.score AS o FULL JOIN oracle.board AS b
  ON (b.as_of, b.program, b.subject_id) = (o.as_of, o.program, o.subject_id)
WHERE b.score IS NULL AND o.score > 0
   OR coalesce(o.score, 0) <> b.score
      AND NOT (abs(o.score - b.score) = 1 AND abs(o.raw + 0.5 - round(o.raw + 0.5)) < 1e-6)
UNION ALL
SELECT as_of, program, subject_id, sum(points::int), score, score -- the points by kind add up
FROM oracle.board, jsonb_each_text(kinds) AS k(kind, points)
GROUP BY as_of, program, subject_id, score HAVING sum(points::int) <> score;
