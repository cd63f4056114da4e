-- A large team of sales: :reps reps in eight teams, who take on as much as comes.
INSERT INTO pql.reps (rep_id, team) SELECT 'rep' || i, 't' || i % 8 FROM generate_series(1, :reps) AS i;
