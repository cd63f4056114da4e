-- Facts: rows of a CRM that guardrails rest on. Attaching, the copy and what keeps it in line, what follows, and what is refused.
-- covers: S1-14, S2-14
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

-- What a statement raises: SQLSTATE, message, detail and hint; or what it gave.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; given text;
BEGIN
  EXECUTE statement INTO given;
  RETURN 'ok: ' || coalesce(given, '(null)');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n    ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE SCHEMA app;
CREATE SCHEMA crm;
CREATE TABLE app.events (event_id bigint PRIMARY KEY, user_id text, org_id text, name text, ts timestamptz);
CREATE INDEX ON app.events (org_id, ts);
CREATE INDEX ON app.events (user_id, ts);
SELECT count(*) > 0 FROM pql.attach('app.events', user_id => 'user_id', account_id => 'org_id', event => 'name', occurred_at => 'ts', event_id => 'event_id', clock => 'event');
UPDATE pql.source SET max_event_age = '10000 days';
CREATE TABLE crm.deals (id int PRIMARY KEY, account text, stage text, amount numeric, closed_at timestamptz);
INSERT INTO crm.deals VALUES (1, 'acme', 'open', 100, NULL), (2, 'acme', 'won', 50, '2026-01-01'), (3, 'bolt', 'won', 5, '2026-01-02'), (4, NULL, 'open', 1, NULL),
  (5, '', 'open', 1, NULL);
CREATE VIEW app.facts AS SELECT fact, subject_id, number, "time", valid_to = 'infinity' AS still FROM pql.facts ORDER BY fact COLLATE "C", subject_id, valid_from;
CREATE FUNCTION app.events(org text, at timestamptz, n int, who text DEFAULT 'u') RETURNS void LANGUAGE sql AS
  $$INSERT INTO app.events SELECT coalesce((SELECT max(event_id) FROM app.events), 0) + i, who || i, org, 'visit', at FROM generate_series(1, n) AS i$$;
SELECT app.events('nobody', '2026-03-01 09:00', 1);

--
-- Attaching
--
SELECT * FROM pql.attach_facts('open_deals', 'crm.deals', account_id => 'account', "where" => 'stage <> ''won''');
TABLE app.facts;
-- with an index on the id, its rows are found again
CREATE INDEX ON crm.deals (account);
SELECT * FROM pql.attach_facts('open_deals', 'crm.deals', account_id => 'account', "where" => 'stage <> ''won''');
SELECT count(*) FROM pql.attach_facts('worth', 'crm.deals', account_id => 'account', measure => 'sum', value => 'amount');
SELECT count(*) FROM pql.attach_facts('largest', 'crm.deals', account_id => 'account', measure => 'max', value => 'amount', "where" => 'stage = ''open''');
SELECT count(*) FROM pql.attach_facts('last_closed', 'crm.deals', account_id => 'account', measure => 'newest', value => 'closed_at');
TABLE app.facts;
SELECT kind, unit, relation, key, "where", measure, value, subjects, kept_by, broken, named FROM pql.fact_sources ORDER BY kind;

--
-- Triggers
--
INSERT INTO crm.deals VALUES (6, 'acme', 'open', 300, NULL), (7, 'bolt', 'open', 7, NULL);
SELECT * FROM app.facts WHERE still;
UPDATE crm.deals SET stage = 'won', closed_at = '2026-02-01' WHERE id = 6;
UPDATE crm.deals SET account = 'bolt' WHERE id = 1;
SELECT * FROM app.facts WHERE still;
DELETE FROM crm.deals WHERE account = 'bolt';
SELECT * FROM app.facts WHERE still;
-- what doesn't count doesn't write
UPDATE crm.deals SET amount = 0 WHERE account IS NULL;
SELECT count(*) FROM pql.fact_history;
UPDATE crm.deals SET id = id + 100;
INSERT INTO crm.deals VALUES (8, 'acme', 'won', 0, NULL);
SELECT count(*) FROM pql.fact_history;
-- what is taken back was never there
BEGIN;
INSERT INTO crm.deals VALUES (9, 'newco', 'open', 9, NULL);
SELECT * FROM app.facts WHERE subject_id = 'newco';
ROLLBACK;
SELECT * FROM app.facts WHERE subject_id = 'newco';
TRUNCATE crm.deals;
SELECT * FROM app.facts WHERE still;
-- and what comes past them is found
SET session_replication_role = replica;
INSERT INTO crm.deals VALUES (1, 'acme', 'open', 100, NULL);
SET session_replication_role = origin;
SELECT * FROM pql.refresh_facts();
SELECT * FROM pql.refresh_facts();
SELECT * FROM app.facts WHERE still AND subject_id = 'acme';

--
-- What follows: a guardrail
--
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "signals": {"visits": {"kind": "depth", "event": "visit", "half_life": "7 days", "max_points": 50}},
  "qualify": {"enter": 30, "leave": 20}, "guardrails": [{"block_when": "fact.open_deal > 0", "reason": "open deal"}, {"block_when": "fact.last_closed > 1", "reason": "x"}]}');
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "signals": {"visits": {"kind": "depth", "event": "visit", "half_life": "7 days", "max_points": 50}},
  "measures": {"fact": {"event": "visit", "window": "1 day"}}, "qualify": {"enter": 30, "leave": 20}}');
SELECT pql.publish($${
  "program": "growth", "unit": "account",
  "signals": {"visits": {"kind": "depth", "event": "visit", "window": "30 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 30, "leave": 20},
  "guardrails": [{"block_when": "fact.open_deals > 0", "reason": "open deal"},
                 {"block_when": "as_of - fact.last_closed < interval '168 hours'", "reason": "bought lately"}]}$$);
CALL pql.backfill();
SELECT pql.promote('growth');
SELECT kind, named FROM pql.fact_sources ORDER BY kind;
CREATE VIEW app.rows AS SELECT program, subject_id, state, blocked_by FROM pql.routing ORDER BY program, subject_id, routing_id;
SELECT app.events('acme', '2026-03-01 10:00', 3), app.events('bolt', '2026-03-01 10:00', 3);
TABLE app.rows;
-- the deal is settled, and bolt gets one: each is decided upon in the same transaction
UPDATE crm.deals SET stage = 'won' WHERE account = 'acme';
INSERT INTO crm.deals VALUES (2, 'bolt', 'open', 10, NULL);
TABLE app.rows;
UPDATE crm.deals SET stage = 'won', closed_at = '2026-02-28' WHERE account = 'bolt';
TABLE app.rows;
-- once it is long enough ago, time alone lets it through
SELECT app.events('nobody', '2026-03-09 10:00', 1);
SELECT subjects_reviewed FROM pql.tick();
TABLE app.rows;
-- a backtest knows what was known then
SELECT measures, blocked_by FROM pql._assess('growth', 'bolt', '2026-03-01 12:00');
SELECT blocked_by FROM pql._assess('growth', 'acme', '2026-03-01 10:00');

--
-- People know the facts of their accounts, too, and are decided upon when those change
--
CREATE TABLE crm.cases (id int PRIMARY KEY, who text, open boolean);
CREATE INDEX ON crm.cases (who);
SELECT what, finding FROM pql.attach_facts('open_cases', 'crm.cases', user_id => 'who', "where" => 'open');
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "signals": {"visits": {"kind": "depth", "event": "visit", "half_life": "7 days", "max_points": 50}},
  "qualify": {"enter": 30, "leave": 20}, "guardrails": [{"block_when": "fact.open_cases > 0", "reason": "x"}]}');
SELECT pql.publish($${
  "program": "people", "unit": "user",
  "signals": {"visits": {"kind": "depth", "event": "visit", "window": "30 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 10, "leave": 10},
  "guardrails": [{"block_when": "fact.open_cases > 0", "reason": "support case open"}, {"block_when": "fact.open_deals > 0", "reason": "open deal"}]}$$);
CALL pql.backfill();
SELECT pql.promote('people');
SELECT app.events('corp', '2026-03-09 11:00', 2, 'w');
SELECT * FROM app.rows WHERE program = 'people';
INSERT INTO crm.cases VALUES (1, 'w1', true);
INSERT INTO crm.deals VALUES (3, 'corp', 'open', 10, NULL);
SELECT * FROM app.rows WHERE program = 'people';
UPDATE crm.cases SET open = false;
DELETE FROM crm.deals WHERE account = 'corp';
SELECT * FROM app.rows WHERE program = 'people';

--
-- A view, and workspaces
--
CREATE VIEW crm.open AS SELECT account AS org, amount FROM crm.deals WHERE stage <> 'won';
SELECT * FROM pql.attach_facts('open_deals', 'crm.open', account_id => 'org');
INSERT INTO crm.deals VALUES (4, 'acme', 'open', 10, NULL);
SELECT * FROM app.rows WHERE program = 'growth' AND subject_id = 'acme';
SELECT * FROM pql.refresh_facts('open_deals');
SELECT * FROM app.rows WHERE program = 'growth' AND subject_id = 'acme';
SELECT what, finding FROM pql.attach_facts('spaces', 'crm.open', workspace_id => 'org');
SELECT DISTINCT unit FROM pql.facts WHERE fact = 'spaces';
-- a relation that takes its name is the same one
DROP VIEW crm.open;
SELECT broken FROM pql.fact_sources WHERE kind = 'open_deals';
SELECT * FROM pql.refresh_facts('open_deals');
CREATE TABLE crm.open (org text, amount numeric);
CREATE INDEX ON crm.open (org);
SELECT * FROM pql.refresh_facts('open_deals');
SELECT kept_by, broken FROM pql.fact_sources WHERE kind = 'open_deals';
SELECT * FROM app.rows WHERE program = 'growth' AND subject_id = 'acme';

--
-- What becomes of the relation fails no write to it
--
ALTER TABLE crm.deals RENAME amount TO size;
SET client_min_messages = warning;
INSERT INTO crm.deals VALUES (10, 'acme', 'open', 10, NULL);
INSERT INTO crm.deals VALUES (11, 'acme', 'open', 10, NULL);
SELECT kind, broken FROM pql.fact_sources WHERE broken IS NOT NULL ORDER BY kind;
ALTER TABLE crm.deals RENAME size TO amount;
SELECT * FROM pql.refresh_facts('worth');
SELECT kind, broken FROM pql.fact_sources WHERE broken IS NOT NULL ORDER BY kind;
SELECT count(*) FROM pql.attach_facts('ratio', 'crm.deals', account_id => 'account', measure => 'max', value => '1 / amount');
INSERT INTO crm.deals VALUES (12, 'acme', 'open', 0, NULL);
SELECT kind, broken FROM pql.fact_sources WHERE broken IS NOT NULL ORDER BY kind;
SELECT * FROM pql.refresh_facts('ratio');
SELECT pql.detach_facts('ratio');

--
-- Detaching: what a rule names is nothing then, and says no
--
SELECT pql.detach_facts('open_cases');
SELECT pg_temp.try($$SELECT pql.detach_facts('open_cases')$$);
SELECT pg_temp.try($$SELECT pql.detach_facts(NULL)$$);
INSERT INTO crm.cases VALUES (2, 'w1', true);
SELECT app.events('corp', '2026-03-09 12:00', 1, 'w');
SELECT program, path, errors > 0, example FROM pql.rule_errors;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'crm.cases'::regclass AND NOT tgisinternal;

--
-- Points may rest on facts and on what was done about an account: a scoreboard says of everybody what score() says
--
CREATE FUNCTION app.scored(name text, unit text, value text) RETURNS text LANGUAGE sql AS $$
  SELECT pql.publish(jsonb_build_object('program', name, 'unit', unit, 'qualify', '{"enter": 50}'::jsonb, 'signals', jsonb_build_object(
    'visits', '{"kind": "depth", "event": "visit", "window": "9000 days", "points_each": 1, "max_points": 50}'::jsonb,
    'known', jsonb_build_object('kind', 'fit', 'value', value, 'max_points', 40)))) $$;
CREATE TABLE crm.calls (id int PRIMARY KEY, account text);
CREATE INDEX ON crm.calls (account);
SELECT count(*) > 0 FROM pql.attach_facts('calls', 'crm.calls', account_id => 'account');
SELECT app.scored('called', 'account', 'fact.calls * 7');
CALL pql.backfill();
SELECT app.scored('callee', 'user', 'fact.calls * 7');
CALL pql.backfill();
SELECT app.scored('rested', 'account', 'case when history.touches_30d = 0 then 11 end');
CALL pql.backfill();
SELECT app.events('scored', '2026-03-01 09:00', 1, 'sid'), app.events('quiet', '2026-03-01 09:00', 1, 'quinn');
INSERT INTO crm.calls VALUES (1, 'scored'), (2, 'scored');
SELECT p, s.subject_id, s.score, s.kinds, pql.score(p, s.subject_id) AS same FROM unnest('{called, callee, rested}'::text[]) AS p, pql.scoreboard(p) AS s
WHERE s.subject_id IN ('scored', 'quiet', 'sid1', 'quinn1') ORDER BY 1, 2;
SELECT count(*) FROM unnest('{called, callee, rested}'::text[]) AS p, unnest('{2026-02-01, 2026-03-02}'::timestamptz[]) AS t, pql.scoreboard(p, t) AS s
WHERE s.score <> pql.score(p, s.subject_id, t);

--
-- What is refused
--
SELECT pg_temp.try(format('SELECT finding FROM pql.attach_facts(%s)', a)) FROM unnest(ARRAY[
  $$NULL, 'crm.deals', account_id => 'account'$$, $$'deals', NULL, account_id => 'account'$$, $$'deals', 'crm.deals'$$,
  $$'deals', 'crm.deals', account_id => 'account', user_id => 'account'$$, $$'Deals', 'crm.deals', account_id => 'account'$$,
  $$'deals', 'crm.nothing', account_id => 'account'$$, $$'deals', 'crm.deals', account_id => 'acount'$$, $$'deals', 'crm.deals', account_id => 'amount'$$,
  $$'deals', 'crm.deals', account_id => 'account', measure => 'median', value => 'amount'$$, $$'deals', 'crm.deals', account_id => 'account', measure => 'sum'$$,
  $$'deals', 'crm.deals', account_id => 'account', value => 'amount'$$, $$'deals', 'crm.deals', account_id => 'account', "where" => 'stag = ''x'''$$,
  $$'deals', 'crm.deals', account_id => 'account', "where" => 'closed_at > now()'$$, $$'deals', 'crm.deals', account_id => 'account', "where" => 'amount'$$,
  $$'deals', 'crm.deals', account_id => 'account', "where" => 'pg_sleep(1) is null'$$, $$'deals', 'crm.deals', account_id => 'account', "where" => 'true) or (true'$$,
  $$'deals', 'crm.deals', account_id => 'account', measure => 'newest', value => 'stage'$$, $$'deals', 'pql.audit', account_id => 'action'$$]) AS a;
SELECT pg_temp.try($$SELECT pql.refresh_facts('deals')$$);
CREATE ROLE pql_facts_writer;
GRANT USAGE ON SCHEMA crm TO pql_facts_writer;
GRANT INSERT ON crm.deals TO pql_facts_writer;
SET ROLE pql_facts_writer;
-- whoever writes there needs no rights on anything of pql's, nor to read
INSERT INTO crm.deals VALUES (20, 'roled', 'open', 1, NULL);
SELECT pg_temp.try($$SELECT finding FROM pql.attach_facts('deals', 'crm.deals', account_id => 'account')$$);
RESET ROLE;
SELECT * FROM app.facts WHERE subject_id = 'roled' AND still;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.try($$SELECT finding FROM pql.attach_facts('deals', 'crm.deals', account_id => 'account')$$);
SELECT pg_temp.try($$SELECT pql.refresh_facts('worth')$$);
COMMIT;
REVOKE ALL ON crm.deals FROM pql_facts_writer;
REVOKE ALL ON SCHEMA crm FROM pql_facts_writer;
DROP ROLE pql_facts_writer;
DROP SCHEMA crm, app CASCADE;
DROP EXTENSION pql CASCADE;
