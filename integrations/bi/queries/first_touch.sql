-- Medians don't add up, so they are taken anew over all teams.
SELECT program, week, count(*) AS handoffs, count(hours_to_first_touch) AS touched,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_first_touch) AS median_hours,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY hours_to_first_touch) AS p90_hours
FROM pql.bi_handoffs WHERE for_people AND NOT held_out AND NOT blocked
GROUP BY program, GROUPING SETS ((week), ()) ORDER BY program, week
