SELECT program, motion, week, place, step, sum(handoffs) AS handoffs FROM pql.bi_funnel GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4
