-- scoreboards at ten instants: everybody who had been seen by then, once, with the explained score and its points by kind
-- covers: S2-4
WITH x AS (
  SELECT n, program, subject_id, sum(points) AS score, jsonb_object_agg(kind, points) AS kinds
  FROM (SELECT n, program, subject_id, kind, sum(points) AS points FROM oracle.explained
        WHERE n % 5 = 0 GROUP BY n, program, subject_id, kind) AS k
  GROUP BY n, program, subject_id)
SELECT 'only expected' AS what, * FROM (TABLE x EXCEPT ALL TABLE oracle.board) AS y
UNION ALL
SELECT 'only on the board', * FROM (TABLE oracle.board EXCEPT ALL TABLE x) AS y;
