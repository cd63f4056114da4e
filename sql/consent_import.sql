-- Consent that lies in tables of the CRM: what is told, taken back and left alone, what follows from it, what is wrong with rows and
-- relations, and what is refused.
-- covers: S2-6, S2-13
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
SELECT count(*) FROM (SELECT pql.publish(jsonb_build_object('program', p, 'unit', 'account', 'consent', c, 'qualify', '{"enter": 10, "leave": 5}'::jsonb,
    'signals', '{"visits": {"kind": "depth", "event": "visit", "window": "30 days", "points_each": 10, "max_points": 50}}'::jsonb,
    'motions', '[{"otherwise": true, "motion": "inside_sales", "channel": "phone"}]'::jsonb))
  FROM (VALUES ('calls', 'opt_out'), ('asked', 'opt_in')) AS x(p, c)) AS published;
CALL pql.backfill();
SELECT count(*) FROM (SELECT pql.promote(p) FROM unnest('{calls, asked}'::text[]) AS p) AS promoted;
INSERT INTO app.events (user_id, org_id, name, ts) SELECT 'u', o, 'visit', '2026-03-01 10:00' FROM unnest('{acme, bolt, cora, dyne}'::text[]) AS o;
CREATE VIEW app.rows AS SELECT program, subject_id, state, blocked_by FROM pql.routing ORDER BY program, subject_id, routing_id;
CREATE VIEW app.consent AS SELECT unit, subject_id, channel, granted, CASE WHEN at < '2026-06-01' THEN at END AS at, source FROM pql.consent ORDER BY 1, 2, 3, consent.at;

--
-- A log with dates: all of it is told, the newest counts, and rows follow
--
CREATE TABLE crm.asked (account text, via text, answer text, day timestamptz);
INSERT INTO crm.asked VALUES ('acme', 'phone', 'yes', '2026-01-01'), ('acme', 'Phone', 'no', '2026-02-01'), ('bolt', 'phone', 'yes', '2026-01-01'),
  ('cora', NULL, 'no', '2026-01-01'), ('dyne', 'phone', NULL, '2026-01-01'), (NULL, 'phone', 'no', '2026-01-01'), ('', 'phone', 'no', '2026-01-01'),
  (repeat('x', 1001), 'phone', 'no', '2026-01-01'), ('far', 'phone', 'no', 'infinity'), ('far', 'phone', 'yes', '2200-01-01'),
  ('far', repeat('y', 201), 'no', '2026-01-01'), ('test', 'phone', 'no', '2026-01-01');
TABLE app.rows;
SELECT * FROM pql.attach_consent('crm.asked', account_id => 'account', channel => 'via', given => 'answer = ''yes''', at => 'day', "where" => 'account is distinct from ''test''');
TABLE app.consent;
SELECT left(subject_id, 5), left(channel, 5), problem, rows FROM pql.consent_problem ORDER BY problem, subject_id;
TABLE app.rows;
SELECT * FROM pql.refresh_consent();
-- it is in line: nothing is told twice, nor what follows
SELECT count(*) FROM pql.consent WHERE source = 'crm.asked';
-- another answer; one that was changed; one that vanished, so that the one before counts; the last one vanished
INSERT INTO crm.asked VALUES ('acme', 'phone', 'yes', '2026-03-01');
UPDATE crm.asked SET answer = 'no' WHERE account = 'bolt';
DELETE FROM crm.asked WHERE account = 'cora' OR account = 'far';
SELECT * FROM pql.refresh_consent();
TABLE app.consent;
TABLE app.rows;
DELETE FROM crm.asked WHERE account = 'acme' AND day = '2026-03-01';
SELECT * FROM pql.refresh_consent();
SELECT program, state, blocked_by FROM app.rows WHERE subject_id = 'acme';
SELECT problem, rows FROM pql.consent_problem ORDER BY 1;

--
-- What a person wrote stays, and counts while it is newer
--
INSERT INTO pql.consent (unit, subject_id, channel, granted, at, source) VALUES ('account', 'bolt', 'phone', true, '2026-04-01', 'by hand'),
  ('account', 'dyne', 'phone', true, '2026-04-01', 'by hand'), ('account', 'cora', 'phone', true, '2026-05-01', 'by hand');
INSERT INTO crm.asked VALUES ('bolt', 'phone', 'no', '2026-03-15'), ('dyne', 'phone', 'no', '2026-04-01'), ('cora', 'phone', 'yes', '2026-05-01');
SELECT * FROM pql.refresh_consent();
SELECT * FROM app.consent WHERE subject_id <> 'acme';
TABLE app.rows;
DELETE FROM crm.asked WHERE account IN ('bolt', 'cora');
SELECT * FROM pql.refresh_consent();
SELECT * FROM app.consent WHERE subject_id <> 'acme';
-- one who agrees and objects at once objects
INSERT INTO crm.asked VALUES ('both', 'phone', 'no', '2026-03-15'), ('both', 'PHONE', 'yes', '2026-03-15');
SELECT told FROM pql.refresh_consent();
SELECT granted FROM pql.consent WHERE subject_id = 'both';
SELECT pql.detach_consent('crm.asked');
SELECT count(*) FROM pql.consent WHERE source = 'crm.asked';
SELECT (SELECT count(*) FROM pql.consent_source), (SELECT count(*) FROM pql.consent_import), (SELECT count(*) FROM pql.consent_problem);
-- attached again, it says what it said
SELECT what, finding FROM pql.attach_consent('crm.asked', account_id => 'account', channel => 'via', given => 'answer = ''yes''', at => 'day');
SELECT pql.detach_consent('crm.asked');
TRUNCATE pql.consent;

--
-- A column for each channel and no dates, as contacts of a CRM have them: each is attached, for when it was first seen to be so
--
CREATE TABLE crm.contacts (id int, no_calls boolean, no_mails boolean);
CREATE VIEW crm.people AS SELECT * FROM crm.contacts;
INSERT INTO crm.contacts VALUES (1, true, false), (2, false, true), (3, NULL, NULL);
SELECT finding FROM pql.attach_consent('crm.people', user_id => 'id', channel => '''phone''', given => 'not no_calls') WHERE what = 'told';
SELECT finding FROM pql.attach_consent('crm.people', user_id => 'id', channel => '''email''', given => 'not no_mails') WHERE what = 'told';
SELECT finding FROM pql.attach_consent('crm.people', user_id => 'id', channel => '''email''', given => 'not no_mails') WHERE what = 'told';
TABLE app.consent;
SELECT relation, channel, told, taken_back, problems FROM pql.refresh_consent();
UPDATE crm.contacts SET no_calls = false WHERE id = 1;
SELECT told FROM pql.refresh_consent();
UPDATE crm.contacts SET no_calls = true WHERE id = 1;
SELECT told FROM pql.refresh_consent();
SELECT granted FROM pql.consent WHERE subject_id = '1' AND channel = 'phone' ORDER BY at;
DELETE FROM crm.contacts WHERE id = 1;
SELECT taken_back FROM pql.refresh_consent();
SELECT unit, subject_id, channel, granted FROM app.consent;
-- what is taken back when the transaction is
BEGIN;
INSERT INTO crm.contacts VALUES (4, true, true);
SELECT told FROM pql.refresh_consent();
ROLLBACK;
SELECT told FROM pql.refresh_consent();

--
-- What can't be read any more is told of, and fails nothing
--
SET client_min_messages = error;
DROP VIEW crm.people;
SELECT * FROM pql.refresh_consent();
SELECT channel, broken FROM pql.consent_source ORDER BY 1;
CREATE VIEW crm.people AS SELECT id, no_calls::text AS no_calls, no_mails FROM crm.contacts;
SELECT channel, told FROM pql.refresh_consent();
SELECT channel, broken FROM pql.consent_source ORDER BY 1;
DROP VIEW crm.people;
CREATE VIEW crm.people AS SELECT * FROM crm.contacts;
ALTER VIEW crm.people RENAME COLUMN id TO contact;
SELECT told FROM pql.refresh_consent();
SELECT channel, broken FROM pql.consent_source ORDER BY 1;
ALTER VIEW crm.people RENAME COLUMN contact TO id;
SELECT told FROM pql.refresh_consent();
SELECT broken FROM pql.consent_source;
-- a row for which the expression fails is listed, of a table that has lost a column
CREATE TABLE crm.words (lost int, id text, said text);
ALTER TABLE crm.words DROP COLUMN lost;
INSERT INTO crm.words VALUES ('w1', 'true');
SELECT finding FROM pql.attach_consent('crm.words', user_id => 'id', given => 'said::boolean') WHERE what = 'told';
INSERT INTO crm.words VALUES ('w2', 'maybe'), ('w3', 'no');
SELECT relation, told, problems FROM pql.refresh_consent();
SELECT subject_id, problem, rows FROM pql.consent_problem;
SELECT subject_id, granted FROM pql.consent WHERE source = 'crm.words';
UPDATE crm.words SET said = 'false' WHERE id = 'w2';
SELECT relation, told, problems FROM pql.refresh_consent();
SELECT subject_id, granted FROM pql.consent WHERE source = 'crm.words' ORDER BY 1;
-- who objected has objected, whatever became of his row
UPDATE crm.words SET said = 'huh' WHERE id = 'w3';
SELECT relation, told, taken_back, problems FROM pql.refresh_consent();
SELECT granted FROM pql.consent WHERE subject_id = 'w3';
UPDATE crm.words SET said = NULL WHERE id = 'w3';
SELECT relation, told, taken_back, problems FROM pql.refresh_consent();
-- with the rights of whoever attached it
CREATE ROLE pql_consent_owner;
ALTER TABLE crm.words OWNER TO pql_consent_owner;
SELECT relation, told FROM pql.refresh_consent();
SELECT broken FROM pql.consent_source WHERE relation_name = 'words';
SET client_min_messages = warning;
SELECT pql.detach_consent('crm.words');
ALTER TABLE crm.words OWNER TO CURRENT_USER;
SET ROLE pql_consent_owner;
SELECT pg_temp.try('SELECT pql.refresh_consent()');
RESET ROLE;
DROP ROLE pql_consent_owner;

--
-- Partitions whose columns are in another order, names that need quotes, and a column that is called as rows are
--
CREATE TYPE crm.who AS ENUM ('a', 'b');
CREATE DOMAIN crm.yes AS boolean;
CREATE TABLE crm."Opt Ins" (junk int, t crm.who, "b B" crm.yes) PARTITION BY LIST (t);
CREATE TABLE crm.one ("b B" crm.yes, t crm.who, junk int);
ALTER TABLE crm."Opt Ins" ATTACH PARTITION crm.one FOR VALUES IN ('a');
CREATE TABLE crm.others PARTITION OF crm."Opt Ins" DEFAULT;
INSERT INTO crm."Opt Ins" VALUES (1, 'a', true), (2, 'b', false);
SELECT finding FROM pql.attach_consent('crm."Opt Ins"', '"b B"', user_id => 't', channel => 'junk::text') WHERE what = 'told';
SELECT subject_id, channel, granted FROM app.consent WHERE source = 'crm."Opt Ins"';
SELECT pql.detach_consent('crm.Opt Ins');

--
-- What is refused
--
CREATE TEMP TABLE soon (id text, said boolean);
SELECT pg_temp.try(s) FROM unnest(ARRAY[$$SELECT pql.detach_consent('crm.words')$$, 'SELECT pql.detach_consent(NULL)',
  $$SELECT pql.attach_consent('crm.words', 'true')$$, $$SELECT pql.attach_consent('crm.words', 'true', user_id => 'id', account_id => 'id')$$,
  $$SELECT pql.attach_consent('crm.words', NULL, user_id => 'id')$$, $$SELECT pql.attach_consent(NULL, 'true', user_id => 'id')$$,
  $$SELECT pql.attach_consent('crm.nothing', 'true', user_id => 'id')$$, $$SELECT pql.attach_consent('soon', 'said', user_id => 'id')$$,
  $$SELECT pql.attach_consent('crm.words', 'true', user_id => 'who')$$, $$SELECT pql.attach_consent('crm.words', 'said', user_id => 'id')$$,
  $$SELECT pql.attach_consent('crm.words', 'said = ', user_id => 'id')$$, $$SELECT pql.attach_consent('crm.words', 'true', user_id => 'id', at => 'said')$$,
  $$SELECT pql.attach_consent('crm.words', 'true', user_id => 'id', channel => 'via')$$, $$SELECT pql.attach_consent('crm.words', 'true', user_id => 'id', "where" => 'random() < 1')$$]) AS s;
SELECT count(*) FROM pql.consent_source WHERE relation_name = 'words';
DROP SCHEMA crm, app CASCADE;
DROP EXTENSION pql CASCADE;
