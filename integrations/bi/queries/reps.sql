SELECT * FROM pql.bi_reps ORDER BY team, rep
