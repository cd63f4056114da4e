-- :accounts accounts with events of the names :names: each three, of one user; each tenth thirty, of ten users.
INSERT INTO app.accounts
SELECT 'm' || a, CASE a % 2 WHEN 0 THEN 'free' ELSE 'team' END, 5 + a % 2000, 'US', a % 20000 FROM generate_series(1, :accounts) AS a;
INSERT INTO app.events (user_id, account_id, name, ts, props)
SELECT 'm' || a || '_' || k % 10, 'm' || a, (:names::text[])[1 + (a + k * k) % 40], now() - (k + a % 7) * interval '7 hours', '{"units": 1}'
FROM generate_series(1, :accounts) AS a, generate_series(0, CASE a % 10 WHEN 0 THEN 29 ELSE 2 END) AS k;
