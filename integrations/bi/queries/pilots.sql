SELECT * FROM pql.bi_pilots ORDER BY started_at DESC NULLS FIRST, pilot_id DESC
