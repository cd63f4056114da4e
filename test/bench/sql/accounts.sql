-- What the customer knows of the accounts :accounts.
CREATE TABLE app.accounts (id text PRIMARY KEY, plan text NOT NULL, employees int NOT NULL, country text, arr float8);
INSERT INTO app.accounts
SELECT id, (ARRAY['free', 'team', 'enterprise'])[1 + (hashtext(id) & 65535) % 3], 5 + (hashtext(id || 'e') & 1048575) % 2000,
       (ARRAY['US', 'GB', 'DE', 'FR', 'JP'])[1 + (hashtext(id || 'c') & 65535) % 5], (hashtext(id || 'r') & 1048575) % 20000
FROM (SELECT DISTINCT unnest(:accounts::text[]) AS id) AS a;
