-- What a company may have before it has pql: four months of events, accounts and invoices. About 200,000 events of 2,000 accounts.
SET TIME ZONE 'UTC';
CREATE SCHEMA app;
CREATE TABLE app.accounts (id text PRIMARY KEY, plan text NOT NULL, employees int NOT NULL);
INSERT INTO app.accounts SELECT 'org' || n, CASE WHEN n % 3 = 0 THEN 'team' ELSE 'free' END, 3 + n * 7919 % 900 FROM generate_series(1, 2000) AS n;
CREATE TABLE app.events (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text NOT NULL, org_id text, name text NOT NULL);
INSERT INTO app.events
SELECT row_number() OVER (ORDER BY e.ts), e.ts, e.user_id, e.org_id, e.name
FROM (
  SELECT now() - interval '120 days' + i * interval '51 seconds' AS ts, 'u' || i % 4 || '@org' || a.n AS user_id, 'org' || a.n AS org_id,
         (ARRAY['signup', 'project_created', 'integration_activated', 'invite_sent', 'api_called', 'api_called', 'api_called', 'page_viewed', 'page_viewed', 'pricing_viewed', 'sso_requested'])
           [1 + least((i / 2000) * 7 % 11, CASE WHEN a.n % 5 = 0 THEN 10 ELSE 8 END)] AS name
  FROM generate_series(1, 200000) AS i, LATERAL (SELECT 1 + (i::bigint * 7919 % 2000) AS n) AS a) AS e;
CREATE INDEX ON app.events (org_id, ts);
CREATE INDEX ON app.events (user_id, ts);
CREATE TABLE app.invoices (id bigint PRIMARY KEY, org_id text NOT NULL, status text NOT NULL, amount numeric NOT NULL, paid_at timestamptz NOT NULL);
INSERT INTO app.invoices SELECT n, 'org' || n, 'paid', 500 + n, now() - interval '30 days' + n * interval '20 minutes' FROM generate_series(1, 2000, 9) AS n;
ANALYZE;
