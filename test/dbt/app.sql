-- The product's table, to which pql is attached.
CREATE EXTENSION pql;
CREATE SCHEMA app;
CREATE TABLE app.events (id bigint PRIMARY KEY, user_id text, account_id text, name text NOT NULL, ts timestamptz NOT NULL);
SELECT pql.attach('app.events', user_id => 'user_id', account_id => 'account_id', event => 'name', occurred_at => 'ts', event_id => 'id');
UPDATE pql.source SET max_event_age = '100 days';
