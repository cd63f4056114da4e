SELECT * FROM pql.bi_pilot_results ORDER BY pilot_id, place
