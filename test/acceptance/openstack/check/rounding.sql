-- points of signals are whole numbers next to the exact ones, and what is rounded up has the largest remainders
WITH e AS (SELECT e.n, e.program, e.subject_id, e.signal, e.points, oracle.raw_points(s, coalesce(v.value, 0)) AS raw
           FROM oracle.explained AS e JOIN oracle.signal AS s USING (program, signal)
           LEFT JOIN oracle.value AS v USING (n, program, subject_id, signal))
SELECT n, program, subject_id AS subject, jsonb_object_agg(signal, ARRAY[points, raw]) AS points_and_raw
FROM e
GROUP BY n, program, subject_id
HAVING bool_or(points < floor(raw - 1e-9) OR points > floor(raw + 1e-9) + 1)
    OR min(raw - floor(raw)) FILTER (WHERE points > raw + 1e-9) < max(raw - floor(raw)) FILTER (WHERE points <= raw - 1e-9) - 2e-9;
