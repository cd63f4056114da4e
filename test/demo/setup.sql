-- The demo's database: tables of events, accounts and messages as a customer has them, pql attached to them, and one program in force.
-- Run with psql -v program="$(cat test/demo/program.json)". The month is simulated, so the clock is the events' own.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION pql;

CREATE TABLE app_events (
  event_id     bigint PRIMARY KEY,
  occurred_at  timestamptz NOT NULL,
  user_id      text NOT NULL,
  account_id   text,
  event        text NOT NULL,
  props        jsonb NOT NULL,
  received_at  timestamptz NOT NULL
);
CREATE INDEX ON app_events (account_id, occurred_at);
CREATE INDEX ON app_events (user_id, occurred_at);

-- What the customer knows of each account, and what people of it write.
CREATE TABLE accounts (
  account_id  text PRIMARY KEY,
  plan        text NOT NULL,
  employees   int NOT NULL
);
CREATE TABLE messages (
  message_id  bigint PRIMARY KEY,
  sent_at     timestamptz NOT NULL,
  user_id     text NOT NULL,
  account_id  text NOT NULL,
  channel     text NOT NULL,
  body        text NOT NULL
);

-- What really becomes of each account. pql never sees it.
CREATE TABLE truth (
  account_id  text PRIMARY KEY,
  will_buy    boolean NOT NULL,
  archetype   text NOT NULL,
  reason      text NOT NULL
);

-- One row per batch that arrived: which routing rows were there when it was in.
CREATE TABLE batch (
  batch           int PRIMARY KEY,
  received_until  timestamptz NOT NULL,
  last_routing    bigint
);

\o /dev/null
SELECT * FROM pql.attach('app_events', user_id => 'user_id', account_id => 'account_id', event => 'event',
  occurred_at => 'occurred_at', event_id => 'event_id', properties => 'props', clock => 'event');
SELECT * FROM pql.attach_accounts('accounts', account_id => 'account_id');
SELECT * FROM pql.attach_conversations('messages', user_id => 'user_id', body => 'body', occurred_at => 'sent_at', account_id => 'account_id', channel => 'channel');
SELECT pql.publish(:'program');
SELECT pql.promote(:'program'::jsonb ->> 'program');
\o
