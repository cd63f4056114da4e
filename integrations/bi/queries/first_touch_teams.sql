SELECT program, coalesce(team, 'nobody''s') AS team, count(*) AS handoffs, count(hours_to_first_touch) AS touched,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_first_touch) AS median_hours,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY hours_to_first_touch) AS p90_hours,
       count(*) FILTER (WHERE hours_to_first_touch < 4)::float8 / count(*) AS within_4_hours,
       count(*) FILTER (WHERE hours_to_first_touch < 24)::float8 / count(*) AS within_24_hours
FROM pql.bi_handoffs WHERE for_people AND NOT held_out AND NOT blocked GROUP BY 1, 2 ORDER BY 1, 2
