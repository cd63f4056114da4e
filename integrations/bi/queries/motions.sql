SELECT * FROM pql.bi_motions ORDER BY program, motion
