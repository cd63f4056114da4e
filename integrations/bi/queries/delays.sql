SELECT * FROM pql.bi_delays ORDER BY program, place
