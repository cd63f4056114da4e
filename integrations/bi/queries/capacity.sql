SELECT * FROM pql.bi_capacity ORDER BY week, team
