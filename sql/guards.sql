-- What keeps people from being contacted, besides the rules of a program about its own subject: consent to a channel, what was done about
-- the account by any program, domains that sales leaves alone, holdout and who is exempt of it; and dispositions from a CRM.
-- covers: S1-14, S2-6, S2-13, S2-14
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

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
CREATE TABLE app.events (event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, org_id text, name text, ts timestamptz);
CREATE INDEX ON app.events (org_id, ts);
CREATE INDEX ON app.events (user_id, ts);
SELECT count(*) > 0 FROM pql.attach('app.events', user_id => 'user_id', account_id => 'org_id', event => 'name', occurred_at => 'ts', event_id => 'event_id', clock => 'event');
UPDATE pql.source SET max_event_age = '10000 days';
CREATE FUNCTION app.does(org text, at timestamptz, what text DEFAULT 'visit', who text DEFAULT 'u', n int DEFAULT 1) RETURNS void LANGUAGE sql AS
  $$INSERT INTO app.events (user_id, org_id, name, ts) SELECT who, org, what, at FROM generate_series(1, n)$$;
CREATE FUNCTION app.program(name text, unit text DEFAULT 'account', more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql.publish(jsonb_build_object('program', name, 'unit', unit, 'qualify', '{"enter": 10, "leave": 5}'::jsonb,
    'signals', jsonb_build_object('visits', jsonb_build_object('kind', 'depth', 'event', name, 'window', '30 days', 'points_each', 10, 'max_points', 50))) || more);
  RETURN name;
END $$;
CREATE VIEW app.rows AS SELECT program, subject_id, motion, state, blocked_by FROM pql.routing ORDER BY program, subject_id, routing_id;
CREATE FUNCTION app.row_of(name text, subject text) RETURNS bigint LANGUAGE sql AS
  $$SELECT max(routing_id) FROM pql.routing WHERE program = name AND subject_id = subject$$;

--
-- Consent: a motion's channel, what was said about it, and what it means that nothing was
--
SELECT app.program('calls', more => '{"motions": [{"when": "signal.visits >= 3", "motion": "enterprise", "channel": "phone"},
  {"otherwise": true, "motion": "inside_sales", "channel": "email"}]}');
CALL pql.backfill();
SELECT pql.promote('calls');
SELECT app.program('asked', more => '{"consent": "opt_in", "motions": [{"otherwise": true, "motion": "inside_sales", "channel": "phone"}]}');
CALL pql.backfill();
SELECT pql.promote('asked');
SELECT app.program('people', 'user', '{"motions": [{"otherwise": true, "motion": "inside_sales", "channel": "email"}]}');
CALL pql.backfill();
SELECT pql.promote('people');
INSERT INTO pql.consent (unit, subject_id, channel, granted, at, source) VALUES ('account', 'bolt', 'email', false, '2026-02-01', 'crm'),
  ('account', 'cora', '', false, '2026-01-01', 'crm'), ('account', 'cora', 'phone', true, '2026-02-01', 'call'),
  ('account', 'dyne', 'email', true, '2026-01-01', 'form'), ('account', 'dyne', '', false, '2026-02-01', 'mail');
SELECT count(app.does(o, '2026-03-01 10:00', p)) FROM unnest('{acme, bolt, cora, dyne}'::text[]) AS o, unnest('{calls, asked}'::text[]) AS p;
TABLE app.rows;
-- a better motion by another channel; the row of cora is one that may be called
SELECT count(app.does(o, '2026-03-01 11:00', 'calls', n => 2)) FROM unnest('{bolt, cora}'::text[]) AS o;
SELECT * FROM app.rows WHERE program = 'calls';
-- withdrawn and given: each is decided upon at once
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'bolt', 'phone', false, '2026-03-01 11:30'), ('account', 'acme', 'phone', true, '2026-03-01 11:30');
SELECT * FROM app.rows WHERE subject_id IN ('acme', 'bolt');
DELETE FROM pql.consent WHERE subject_id = 'bolt' AND channel = 'phone';
UPDATE pql.consent SET granted = false WHERE subject_id = 'acme';
SELECT * FROM app.rows WHERE subject_id IN ('acme', 'bolt');
-- a person's word, and his account's
SELECT count(app.does('erco', '2026-03-01 12:00', 'people', w)) FROM unnest('{ann, ben, cho}'::text[]) AS w;
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('user', 'ann', 'email', false, '2026-03-01'), ('user', 'ben', 'email', true, '2026-03-01');
SELECT * FROM app.rows WHERE program = 'people';
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'erco', '', false, '2026-03-01');
SELECT * FROM app.rows WHERE program = 'people';
DELETE FROM pql.consent WHERE subject_id = 'erco';
SELECT blocked_by FROM pql.qualification('people', 'ann');
-- nobody makes contact by a channel that was withdrawn; what was done before is told of
SELECT app.does('clock', '2026-03-01 14:00');
SELECT ready FROM pql.tick();
SELECT subject_id, state FROM pql.claim('kim', 1, app.row_of('people', 'ben'));
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('user', 'ben', 'phone', false, '2026-03-01 14:00');
SELECT pg_temp.try(format('SELECT state FROM pql.touch(%s, ''phone'')', app.row_of('people', 'ben')));
SELECT state FROM pql.touch(app.row_of('people', 'ben'), 'email');
SELECT state FROM pql.touch(app.row_of('people', 'ben'), 'phone', at => '2026-03-01 13:30');

--
-- What was done about an account, by any program
--
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "signals": {"visits": {"kind": "depth", "event": "visit", "half_life": "7 days", "max_points": 50}},
  "qualify": {"enter": 30, "leave": 20}, "guardrails": [{"block_when": "history.touches_14 > 1", "reason": "x"}]}');
SELECT app.program('reach', more => '{"guardrails": [
  {"block_when": "history.days_since_disqualified < 30", "reason": "disqualified lately"},
  {"block_when": "history.touches_14d >= 2", "reason": "contacted often"},
  {"block_when": "history.converted", "reason": "converted self-serve"}]}');
CALL pql.backfill();
SELECT pql.promote('reach');
SELECT app.program('grow', more => '{"objective": "expansion"}');
CALL pql.backfill();
SELECT pql.promote('grow');
SELECT app.does('erco', '2026-03-01 15:00', 'reach'), app.does('fine', '2026-03-01 15:00', 'reach'), app.does('fine', '2026-03-01 15:00', 'grow');
SELECT * FROM app.rows WHERE program IN ('reach', 'grow');
-- a person's touches are his account's
SELECT h.* FROM pql._history_of('account', 'erco', NULL, '2026-03-01 15:00', true) AS h;
SELECT state FROM pql.dispose(app.row_of('people', 'ben'), 'disqualified');
SELECT count(*) FROM pql.tick();
SELECT * FROM app.rows WHERE program = 'reach';
SELECT pql.record_outcome('fine', 'paid') > 0;
SELECT count(*) FROM pql.tick();
SELECT * FROM app.rows WHERE program IN ('reach', 'grow');
-- it passes
SELECT app.does('clock', '2026-04-01 15:00'), app.does('erco', '2026-03-20 15:00', 'reach');
SELECT count(*) FROM pql.tick();
SELECT * FROM app.rows WHERE program = 'reach';
-- and what was known then is asked then
SELECT blocked_by FROM pql._assess('reach', 'erco', '2026-03-01 16:00');
SELECT pql.record_outcome('fine', 'churned') > 0;
SELECT days_since_converted FROM pql._history_of('account', 'fine', NULL, '2026-04-02', true);

--
-- Domains
--
SELECT app.does('shop.rival.example', '2026-04-01 16:00', 'grow'), app.does('mates.example', '2026-04-01 16:00', 'grow'), app.does('erco', '2026-04-01 16:00', 'people', 'Joe@Us.example');
SELECT * FROM app.rows WHERE subject_id ~* 'example';
INSERT INTO pql.internal_domain VALUES ('rival.example', 'competitor', NULL), ('us.example', 'employee', 'we');
SELECT app.does('rival.example', '2026-04-01 16:01', 'grow');
SELECT count(*) FROM pql.tick();
SELECT * FROM app.rows WHERE subject_id ~* 'example';
DELETE FROM pql.internal_domain WHERE kind = 'competitor';
SELECT count(*) FROM pql.tick();
SELECT * FROM app.rows WHERE subject_id ~* 'example';
SELECT pg_temp.try($$INSERT INTO pql.internal_domain VALUES ('Rival.example', 'competitor')$$), pg_temp.try($$INSERT INTO pql.internal_domain VALUES ('a.example', 'friend')$$);

--
-- Holdout: named accounts and whoever asks are contacted
--
SELECT app.program('held', more => '{"holdout": 0.5, "signals": {"visits": {"kind": "depth", "event": "held", "window": "30 days", "points_each": 10, "max_points": 50},
  "demo": {"kind": "intent", "event": "demo", "window": "30 days", "points_each": 10, "max_points": 50, "explicit": true}}}');
CALL pql.backfill();
SELECT pql.promote('held');
SELECT app.program('strict', more => '{"holdout": 0.5, "holdout_exempt": ["explicit_requests"]}');
CALL pql.backfill();
SELECT pql.promote('strict');
INSERT INTO pql.account_owner (account_id, rep_id) SELECT 'h' || n, 'kim' FROM generate_series(11, 20) AS n;
SELECT count(app.does('h' || n, '2026-04-01 17:00', CASE WHEN n > 20 THEN 'demo' ELSE 'held' END)) FROM generate_series(1, 30) AS n;
SELECT count(app.does('h' || n, '2026-04-01 17:00', 'strict')) FROM generate_series(11, 20) AS n;
SELECT program, substr(subject_id, 2)::int / 11 AS part, holdout, holdout_exempt, state, blocked_by, count(*) > 0 FROM pql.routing
WHERE program IN ('held', 'strict') GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4;

--
-- Dispositions of a CRM
--
SELECT app.program('desk');
CALL pql.backfill();
SELECT pql.promote('desk');
SELECT count(app.does('o' || n, '2026-04-01 18:00', 'desk')) FROM generate_series(1, 5) AS n;
SELECT app.does('clock', '2026-04-03 18:00');
SELECT ready > 0 FROM pql.tick();
SELECT count(*) FROM (SELECT pql.claim('kim', 1, app.row_of('desk', 'o' || n)) FROM generate_series(1, 3) AS n) AS c;
CREATE TABLE crm.results (id int PRIMARY KEY, account text, result text, at timestamptz, via text, note text);
INSERT INTO crm.results VALUES (1, 'o1', 'Meeting_Set', '2026-04-02 09:00', 'phone', 'Friday'), (2, 'o2', 'disqualified', NULL, NULL, NULL),
  (3, 'o3', 'maybe', NULL, NULL, NULL), (4, 'o4', 'contacted', NULL, NULL, NULL), (5, NULL, 'contacted', NULL, NULL, NULL), (6, 'o1', 'converted', '2026-04-03 10:00', 'phone', NULL);
SELECT * FROM pql.attach_dispositions('crm.results', 'id', 'result', account_id => 'account', at => 'at', channel => 'via', note => 'note');
SELECT id, routing_id IS NOT NULL AS told, problem FROM pql.disposition_import ORDER BY id;
SELECT subject_id, state, disposition, first_touch_at FROM pql.routing WHERE program = 'desk' ORDER BY 1;
SELECT d.disposition, d.note FROM pql.disposition AS d JOIN pql.routing AS r USING (home, routing_id) WHERE r.program = 'desk' ORDER BY d.disposition_id;
SELECT * FROM pql.refresh_dispositions();
UPDATE crm.results SET result = 'nurture' WHERE id = 3;
SELECT * FROM pql.refresh_dispositions();
ALTER TABLE crm.results RENAME result TO said;
SELECT * FROM pql.refresh_dispositions();
SELECT broken FROM pql.disposition_source;
SELECT pql.detach_dispositions('crm.results');
SELECT pg_temp.try(s) FROM unnest(ARRAY[$$SELECT pql.detach_dispositions('crm.results')$$, $$SELECT pql.attach_dispositions('crm.results', 'id', 'said')$$,
  $$SELECT pql.attach_dispositions('crm.results', 'id', 'say', account_id => 'account')$$, $$SELECT pql.attach_dispositions('crm.results', NULL, 'said', account_id => 'account')$$]) AS s;

--
-- Every guardrail in one program, each with its reason: S2-13, S2-14, S1-14
--
CREATE TABLE crm.accounts (id text PRIMARY KEY, employees int);
INSERT INTO crm.accounts SELECT 'all_' || s, CASE s WHEN 'tiny' THEN 3 ELSE 50 END
  FROM unnest('{tiny, keen, deal, bought, often, misfit, ticket, silent, rival, free, nofit}'::text[]) AS s;
INSERT INTO crm.accounts VALUES ('all.rival.example', 50);
SELECT count(*) > 0 FROM pql.attach_accounts('crm.accounts', 'id');
CREATE TABLE crm.deals (account text, stage text);
CREATE INDEX ON crm.deals (account);
CREATE TABLE crm.tickets (account text, open boolean);
CREATE INDEX ON crm.tickets (account);
SELECT count(*) FROM pql.attach_facts('open_deals', 'crm.deals', account_id => 'account', "where" => 'stage = ''open''');
SELECT count(*) FROM pql.attach_facts('open_tickets', 'crm.tickets', account_id => 'account', "where" => 'open');
INSERT INTO crm.deals VALUES ('all_deal', 'open'), ('all_free', 'won');
INSERT INTO crm.tickets VALUES ('all_ticket', true), ('all_free', false);
INSERT INTO pql.consent (unit, subject_id, granted, at) VALUES ('account', 'all_silent', false, '2026-01-01');
INSERT INTO pql.internal_domain VALUES ('rival.example', 'competitor');
SELECT pql.record_outcome('all_bought', 'paid') > 0;
-- of other programs: one was contacted twice, one disqualified
SELECT count(app.does('all_' || s, '2026-04-03 18:00', 'desk')) FROM unnest('{often, misfit}'::text[]) AS s;
SELECT app.does('clock', '2026-04-04 18:00');
SELECT ready > 0 FROM pql.tick();
SELECT count(*) FROM (SELECT pql.claim('kim', 1, app.row_of('desk', 'all_' || s)) FROM unnest('{often, misfit}'::text[]) AS s) AS c;
SELECT count(*) FROM (SELECT pql.touch(app.row_of('desk', 'all_often'), c) FROM unnest('{phone, email}'::text[]) AS c) AS t;
SELECT state FROM pql.dispose(app.row_of('desk', 'all_misfit'), 'disqualified');
SELECT app.program('every', more => '{"objective": "conversion", "holdout": 0.05,
  "signals": {"visits": {"kind": "depth", "event": "every", "window": "30 days", "points_each": 10, "max_points": 50},
              "pricing": {"kind": "intent", "event": "pricing", "window": "30 days", "points_each": 40, "max_points": 40}},
  "motions": [{"otherwise": true, "motion": "account_executive", "channel": "phone"}],
  "guardrails": [{"block_when": "fact.open_deals > 0", "reason": "open deal"},
                 {"block_when": "history.converted", "reason": "converted self-serve"},
                 {"block_when": "attr.employees < 10 and kind.intent < 30", "reason": "tiny account"},
                 {"block_when": "history.touches_14d >= 2", "reason": "contacted often"},
                 {"block_when": "history.days_since_disqualified < 30", "reason": "disqualified lately"},
                 {"block_when": "fact.open_tickets > 0", "reason": "support case open"}]}');
CALL pql.backfill();
SELECT pql.promote('every');
SELECT count(app.does(id, '2026-04-04 19:00', 'every')) FROM crm.accounts;
INSERT INTO crm.accounts VALUES ('all_eager', 3);
SELECT count(app.does('all_eager', '2026-04-04 19:00', e)) FROM unnest('{every, pricing}'::text[]) AS e;
SELECT subject_id, state, blocked_by FROM pql.routing WHERE program = 'every' ORDER BY subject_id COLLATE "C";
-- the same for who wants to sell more to those who bought
SELECT app.program('more', more => '{"objective": "expansion", "guardrails": [{"block_when": "fact.open_deals > 0", "reason": "open deal"}]}');
CALL pql.backfill();
SELECT pql.promote('more');
SELECT app.does('all_bought', '2026-04-04 19:00', 'more'), app.does('all_deal', '2026-04-04 19:00', 'more');
SELECT subject_id, state, blocked_by FROM pql.routing WHERE program = 'more' ORDER BY 1;
-- none of them is claimed
SELECT ready > 0 FROM pql.tick('2026-04-06');
SELECT DISTINCT r.state FROM pql.claim('lee', 100) AS c JOIN pql.routing AS r USING (routing_id) WHERE r.blocked_by IS NOT NULL;
DROP SCHEMA crm, app CASCADE;
DROP EXTENSION pql CASCADE;
