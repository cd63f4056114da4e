SELECT program, coalesce(team, 'nobody''s') AS team, coalesce(rep, 'nobody') AS rep, week, promises, kept, broken, open FROM pql.bi_sla ORDER BY program, week
