-- Attributes of accounts and users: attaching relations, the copy that pql keeps of them, its history, what keeps it in line, and what is
-- refused.
-- covers: S3-11
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
-- The copy.
CREATE VIEW pg_temp.now AS SELECT home, account_id, body FROM pql.attribute ORDER BY home;
CREATE VIEW pg_temp.past AS SELECT home, body FROM pql.attribute_history ORDER BY home, valid_from;
CREATE FUNCTION pg_temp.broken() RETURNS SETOF text LANGUAGE sql AS 'SELECT unit || '': '' || broken FROM pql.attribute_sources WHERE broken IS NOT NULL ORDER BY 1';

CREATE SCHEMA crm;
SET search_path = crm, public;
CREATE TYPE tier AS ENUM ('small', 'large');
CREATE DOMAIN seats AS int CHECK (value >= 0);
CREATE TABLE accounts (id text PRIMARY KEY, plan text, seats seats, tier tier, mrr numeric(10, 2), since timestamptz, grows float8,
                       tags text[], place point, doc jsonb, seen int);
INSERT INTO accounts VALUES ('acme', 'free', 3, 'small', 10.50, '2026-01-01 12:00+01', 0.1, '{a}', '(1,2)', '{"a": 1}', 0),
                            ('bolt', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO accounts (id, plan) VALUES ('', 'free');

--
-- Attaching
--

SELECT * FROM pql.attach_accounts('accounts', account_id => 'id');
TABLE pg_temp.now;
SELECT unit, relation, key, account, columns, types, rows, kept_by, broken, attached_by = current_user FROM pql.attribute_sources;
-- what it says doesn't depend on who writes it
SET TIME ZONE 'Asia/Tokyo';
SET extra_float_digits = -3;
UPDATE accounts SET since = '2026-01-02 00:00+09', grows = 1 / 3.0::float8 WHERE id = 'acme';
RESET extra_float_digits;
SET TIME ZONE 'UTC';
SELECT body->>'since', body->>'grows' FROM pql.attribute WHERE home = 'a:acme';
SELECT * FROM pql.refresh_attributes();

--
-- Triggers
--

CREATE FUNCTION pg_temp.versions() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(home || '@' || xmin::text, ' ' ORDER BY home) FROM pql.attribute
$$;
SELECT pg_temp.versions() AS before \gset
UPDATE accounts SET tags = '{b}', place = '(3,4)';                      -- nothing that is kept
UPDATE accounts SET plan = plan;
UPDATE accounts SET mrr = 10.5 WHERE id = 'acme';
SELECT pg_temp.versions() = :'before' AS unwritten;
DELETE FROM pql.attribute_history;
UPDATE accounts SET plan = 'team' WHERE id = 'acme';
SELECT count(*) FROM pql.attribute_history;
UPDATE accounts SET id = 'bolts' WHERE id = 'bolt';
INSERT INTO accounts (id, plan) VALUES ('cato', 'free'), ('dyne', 'team') ON CONFLICT DO NOTHING;
INSERT INTO accounts (id, plan) VALUES ('cato', 'pro'), ('echo', 'pro') ON CONFLICT (id) DO UPDATE SET plan = excluded.plan;
SELECT home, body->>'plan' AS plan FROM pql.attribute ORDER BY home;
SELECT home, body->>'plan' AS plan FROM pql.attribute_history ORDER BY home, valid_from;
DELETE FROM accounts WHERE id IN ('echo', 'bolts');
BEGIN;
SAVEPOINT s;
UPDATE accounts SET plan = 'lost' WHERE id = 'cato';
ROLLBACK TO s;
DELETE FROM accounts WHERE id = 'dyne';
INSERT INTO accounts (id, plan) VALUES ('dyne', 'again');
COMMIT;
COPY accounts (id, plan) FROM stdin;
fuse	free
\.
MERGE INTO accounts AS a USING (VALUES ('fuse', 'pro'), ('gyro', 'pro')) AS n(id, plan) ON n.id = a.id
  WHEN MATCHED THEN UPDATE SET plan = n.plan WHEN NOT MATCHED THEN INSERT (id, plan) VALUES (n.id, n.plan);
SELECT home, body->>'plan' AS plan FROM pql.attribute ORDER BY home;
-- history has no gaps but where there was nothing, and no overlaps
SELECT a.subject_id, a.valid_to - b.valid_from FROM pql.attributes AS a JOIN pql.attributes AS b
  ON (b.unit, b.subject_id) = (a.unit, a.subject_id) AND b.valid_from > a.valid_from AND b.valid_from < a.valid_to;
SELECT subject_id, attributes->>'plan' AS plan, valid_to = 'infinity' AS still FROM pql.attributes WHERE subject_id IN ('acme', 'dyne', 'cato') ORDER BY 1, valid_from;
-- as of an instant
UPDATE pql.attribute SET since = '2026-03-01' WHERE home = 'a:acme';
DELETE FROM pql.attribute_history WHERE home = 'a:acme';
INSERT INTO pql.attribute_history VALUES ('a:acme', '2026-01-01', '2026-01-15', NULL, '{"plan": "free"}'), ('a:acme', '2026-01-15', '2026-02-01', NULL, '{"plan": "pro"}');
SELECT at, pql._attributes_of('a:acme', at)->>'plan' AS plan
FROM unnest(ARRAY[NULL, '-infinity', '2025-12-31', '2026-01-01', '2026-01-14 23:59', '2026-01-15', '2026-01-31', '2026-02-01', '2026-03-01', 'infinity']::timestamptz[]) AS at;
SELECT pql._attributes_of('a:nobody'), pql._attributes_of('a:nobody', now()), pql._attributes_of(NULL);
TRUNCATE accounts;
SELECT count(*) FROM pql.attribute;
SELECT count(*) FROM pql.attribute_history WHERE valid_to = 'infinity';

--
-- What only rules name is kept, and only a change of that is decided upon: the homes are written
--

INSERT INTO accounts (id, plan, seats, seen) VALUES ('acme', 'free', 1, 0), ('bolt', 'free', 1, 0);
CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id') \g /dev/null
INSERT INTO ev VALUES (1, now(), 'ada', 'acme', 'start'), (2, now(), 'ada', 'bolt', 'start'), (3, now(), 'cho', NULL, 'start');
CREATE TEMP TABLE written (home text, part int, x text);
CREATE FUNCTION pg_temp.written() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  homes text;
BEGIN
  SELECT string_agg(s.home, ' ' ORDER BY s.home) INTO homes FROM pql.state AS s
  WHERE NOT EXISTS (SELECT FROM written AS w WHERE (w.home, w.part, w.x) = (s.home, s.part, s.xmin::text));
  DELETE FROM written;
  INSERT INTO written SELECT home, part, xmin::text FROM pql.state;
  RETURN coalesce(homes, 'none');
END $$;
SELECT pg_temp.written();
UPDATE accounts SET plan = 'team';
SELECT pg_temp.written();
INSERT INTO pql.attribute_use VALUES ('account', 'plan'), ('account', 'mrr');
SELECT * FROM pql.refresh_attributes('account');
TABLE pg_temp.now;
SELECT pg_temp.written();
UPDATE accounts SET seats = 2;
SELECT pg_temp.written();
UPDATE accounts SET plan = CASE id WHEN 'acme' THEN 'pro' ELSE plan END;
SELECT pg_temp.written();
INSERT INTO accounts (id, plan) VALUES ('new', 'pro');
DELETE FROM accounts WHERE id = 'bolt';
SELECT pg_temp.written();
SELECT count(*) FROM pql.verify();
SELECT count(*) FROM pql.subjects WHERE subject_id = 'new';
-- users: wherever they are seen
CREATE TABLE users (id int PRIMARY KEY, login varchar(20) NOT NULL UNIQUE, team text, job text);
INSERT INTO users VALUES (1, 'ada', 'acme', 'cto'), (2, 'cho', '', 'dev'), (3, 'new', NULL, 'dev');
INSERT INTO pql.attribute_use VALUES ('user', 'job');
SELECT * FROM pql.attach_users('crm.users', 'login', account_id => 'team');
TABLE pg_temp.now;
SELECT pg_temp.written();
UPDATE users SET job = 'ceo' WHERE id = 1;
SELECT pg_temp.written();
UPDATE users SET team = 'bolt' WHERE id = 2;
SELECT pg_temp.written();
UPDATE users SET job = 'ceo' WHERE id = 3;
SELECT pg_temp.written();
SELECT subject_id, account_id, attributes FROM pql.attributes WHERE unit = 'user' AND valid_to = 'infinity' ORDER BY 1;
SELECT count(*) FROM pql.verify();
SELECT pql.detach_users();
SELECT pg_temp.written();
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'users'::regclass;
SELECT unit, count(*) FROM pql.attributes GROUP BY 1;

--
-- Relations change. No write fails because of it.
--

DELETE FROM pql.attribute_use;
SELECT finding FROM pql.attach_accounts('accounts', 'id') WHERE what = 'columns';
ALTER TABLE accounts RENAME plan TO package;
UPDATE accounts SET package = 'x' WHERE id = 'acme';
UPDATE accounts SET package = 'y' WHERE id = 'acme';
SELECT pg_temp.broken();
SELECT home, body->>'plan' AS plan FROM pql.attribute ORDER BY home;
ALTER TABLE accounts RENAME package TO plan;
SELECT * FROM pql.refresh_attributes();
SELECT pg_temp.broken();
SELECT home, body->>'plan' AS plan FROM pql.attribute ORDER BY home;
-- what changed on purpose is taken over
ALTER TABLE accounts DROP plan, ADD region text DEFAULT 'eu', ALTER seats TYPE bigint;
DELETE FROM accounts WHERE id = 'new';
SELECT pg_temp.broken();
SELECT * FROM pql.refresh_attributes();
SELECT columns, types, broken FROM pql.attribute_sources;
TABLE pg_temp.now;
UPDATE accounts SET region = 'us';
SELECT body->>'region' FROM pql.attribute;
-- a rule names what is gone
INSERT INTO pql.attribute_use VALUES ('account', 'plan');
SELECT * FROM pql.refresh_attributes();
SELECT pg_temp.broken();
DELETE FROM pql.attribute_use;
-- the key
ALTER TABLE accounts RENAME id TO key;
INSERT INTO accounts (key) VALUES ('zeta');
SELECT pg_temp.broken();
ALTER TABLE accounts RENAME key TO id;
-- a type's cast is not run with pql's rights
CREATE TYPE odd AS ENUM ('x', 'y');
CREATE FUNCTION odd_text(odd) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
CREATE FUNCTION odd_json(odd) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$;
CREATE CAST (odd AS text) WITH FUNCTION odd_text(odd);
CREATE CAST (odd AS json) WITH FUNCTION odd_json(odd);
ALTER TABLE accounts ADD odd odd;
SELECT * FROM pql.refresh_attributes();
UPDATE accounts SET odd = 'y';
SELECT home, body->>'odd' FROM pql.attribute ORDER BY home;
-- a value that can't be kept
ALTER TABLE accounts ADD j json;
SELECT * FROM pql.refresh_attributes();
UPDATE accounts SET j = '{"a": "\u0000"}', region = 'kept' WHERE id = 'acme';
SELECT region FROM accounts WHERE id = 'acme';
SELECT pg_temp.broken();
SELECT * FROM pql.refresh_attributes();
UPDATE accounts SET j = NULL;
SELECT * FROM pql.refresh_attributes();
-- ids that may repeat from now on
ALTER TABLE accounts DROP CONSTRAINT accounts_pkey;
INSERT INTO pql.attribute_use VALUES ('account', 'region');
INSERT INTO accounts (id, region) VALUES ('twin', 'eu'), ('twin', 'us');
SELECT pg_temp.written();
SELECT * FROM pql.refresh_attributes();
DELETE FROM accounts WHERE id = 'twin';
DELETE FROM pql.attribute_use;
SELECT * FROM pql.refresh_attributes();
SELECT kept_by, (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = 'accounts'::regclass) FROM pql.attribute_sources;
ALTER TABLE accounts ADD PRIMARY KEY (id);
SELECT * FROM pql.refresh_attributes();
-- a table that another takes the name of, as dbt does it
CREATE TABLE accounts_tmp (LIKE accounts INCLUDING ALL);
INSERT INTO accounts_tmp (id, region) VALUES ('acme', 'asia'), ('iota', 'eu');
ALTER TABLE accounts RENAME TO accounts_backup;
ALTER TABLE accounts_tmp RENAME TO accounts;
UPDATE accounts_backup SET region = 'no longer';
DROP TABLE accounts_backup;
SELECT pg_temp.broken();
SELECT home, body->>'region' AS region FROM pql.attribute ORDER BY home;
SELECT * FROM pql.refresh_attributes('account');
SELECT pg_temp.broken();
UPDATE accounts SET region = 'us' WHERE id = 'iota';
SELECT home, body->>'region' AS region FROM pql.attribute ORDER BY home;
ALTER TABLE accounts DISABLE TRIGGER pql_attributes_update;
SELECT pg_temp.broken();
SELECT count(*) FROM pql.refresh_attributes('account');
-- nothing holds it
DROP TABLE accounts;
SELECT pg_temp.broken();
SELECT * FROM pql.refresh_attributes();
SELECT count(*) FROM pql.attribute;

--
-- Views and others
--

CREATE TABLE base (id bigint, plan text);
INSERT INTO base VALUES (1, 'free'), (2, 'free'), (NULL, 'free');
CREATE VIEW v AS SELECT * FROM base;
CREATE MATERIALIZED VIEW m AS SELECT * FROM base WHERE id IS NOT NULL;
CREATE TABLE "Odd Name" ("Account Id" uuid UNIQUE, plan text);
INSERT INTO "Odd Name" VALUES ('5c0cbb1a-57a4-4b8e-9d1f-000000000001', 'pro');
CREATE TABLE parted (id text PRIMARY KEY, plan text) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted DEFAULT;
SELECT * FROM pql.attach_accounts('v', 'id');
UPDATE base SET plan = 'pro' WHERE id = 2;
INSERT INTO base VALUES (3, 'pro');
DELETE FROM base WHERE id = 1;
SELECT * FROM pql.refresh_attributes();
SELECT * FROM pql.refresh_attributes();
TABLE pg_temp.now;
SELECT count(*) FROM pql.attach_accounts('m', 'id');
TABLE pg_temp.now;
SELECT count(*) FROM pql.attach_accounts('"Odd Name"', '"Account Id"');
SELECT relation, key, kept_by FROM pql.attribute_sources;
UPDATE "Odd Name" SET plan = 'free';
TABLE pg_temp.now;
SELECT count(*) FROM pql.attach_accounts('parted', 'id');
SELECT count(*) FROM pg_trigger WHERE tgrelid = '"Odd Name"'::regclass;
INSERT INTO parted VALUES ('p', 'free');
INSERT INTO parted_1 VALUES ('q', 'free');  -- past the triggers
TABLE pg_temp.now;
SELECT * FROM pql.refresh_attributes();
-- not unique
INSERT INTO base VALUES (3, 'pro'), (3, 'free'), (2, 'pro');
SELECT * FROM pg_temp.try($$SELECT count(*) FROM pql.attach_accounts('base', 'id')$$);
SELECT relation FROM pql.attribute_sources;
DELETE FROM base WHERE plan = 'free' OR id = 2;
SELECT * FROM pg_temp.try($$SELECT count(*) FROM pql.attach_accounts('base', 'id')$$);
DELETE FROM base;
INSERT INTO base VALUES (3, 'pro');
SELECT finding, advice FROM pql.attach_accounts('base', 'id') WHERE what = 'kept by';
INSERT INTO base VALUES (3, 'pro'), (4, 'x');
SELECT * FROM pql.refresh_attributes();
SELECT pg_temp.broken();
TABLE pg_temp.now;

--
-- Whose code runs, and as whom
--

CREATE ROLE pql_crm;
CREATE ROLE pql_other;
GRANT USAGE, CREATE ON SCHEMA crm TO pql_crm, pql_other;
CREATE TABLE seen_as (who text, path text);
GRANT INSERT ON seen_as TO PUBLIC;
SET ROLE pql_crm;
CREATE FUNCTION spy() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO crm.seen_as VALUES (current_user, current_setting('search_path'));
  RETURN 'free';
END $$;
CREATE FUNCTION rise(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE command;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;
CREATE VIEW spied AS SELECT 'acme' AS id, spy() AS plan, rise('SET ROLE postgres') AS a, rise('RESET ROLE') AS b, rise('SET SESSION AUTHORIZATION DEFAULT') AS c,
  rise('CREATE ROLE pql_risen') AS d, rise('ALTER ROLE pql_crm SUPERUSER') AS e, rise('CREATE TEMP TABLE t ()') AS f, rise('DELETE FROM pql.attribute') AS g,
  rise('SET search_path = crm') AS h;
RESET ROLE;
SELECT count(*) FROM pql.attach_accounts('spied', 'id');
TABLE pg_temp.now;
TABLE seen_as;
SELECT current_user = session_user, current_setting('search_path');
-- the name is another's now
DROP VIEW spied;
SET ROLE pql_other;
CREATE VIEW spied AS SELECT 'acme' AS id, 'mine' AS plan;
RESET ROLE;
SELECT * FROM pql.refresh_attributes();
SELECT pg_temp.broken();
DROP VIEW spied;
-- whoever isn't the owner of pql reads as himself
SET ROLE pql_crm;
CREATE VIEW spied AS SELECT 'acme' AS id, spy() AS plan;
GRANT SELECT ON spied TO pql_other;
RESET ROLE;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pql TO pql_other;
GRANT ALL ON ALL TABLES IN SCHEMA pql TO pql_other;
GRANT ALL ON pql.id_seq TO pql_other;
SET ROLE pql_other;
SELECT count(*) FROM pql.attach_accounts('spied', 'id');
RESET ROLE;
SELECT who FROM seen_as OFFSET 1;
SELECT relation, attached_by FROM pql.attribute_sources;
REVOKE SELECT ON spied FROM pql_other;
SELECT * FROM pql.refresh_attributes();
SELECT pg_temp.broken();
SET ROLE pql_other;
SELECT pg_temp.try($$SELECT count(*) FROM pql.attach_accounts('spied', 'id')$$);
SELECT pg_temp.try($$SELECT pql._execute_as('pql_crm', 'SELECT 1')$$);
RESET ROLE;
-- writers need no rights on anything of pql's
CREATE TABLE plain (id text PRIMARY KEY, plan text);
SELECT count(*) FROM pql.attach_accounts('plain', 'id');
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pql FROM pql_other;
REVOKE ALL ON ALL TABLES IN SCHEMA pql FROM pql_other;
REVOKE ALL ON pql.id_seq FROM pql_other;
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON plain TO pql_other;
SET ROLE pql_other;
INSERT INTO plain VALUES ('a', 'free'), ('b', 'free');
UPDATE plain SET plan = 'pro' WHERE id = 'b';
DELETE FROM plain WHERE id = 'a';
SELECT pg_temp.try($$SELECT count(*) FROM pql.attach_accounts('plain', 'id')$$);
SELECT pg_temp.try($$SELECT count(*) FROM pql.refresh_attributes()$$);
SELECT pg_temp.try($$CREATE TRIGGER t AFTER INSERT ON plain FOR EACH STATEMENT EXECUTE FUNCTION pql._attributes_written('account')$$);
RESET ROLE;
TABLE pg_temp.now;

--
-- What is refused
--

CREATE TABLE odd_keys (id text, d date, j jsonb, a int[], tier tier);
CREATE SEQUENCE sq;
CREATE TEMP TABLE fleeting (id text);
SELECT c || E'\n  ' || pg_temp.try('SELECT count(*) FROM pql.' || c) FROM unnest(ARRAY[
  $$attach_accounts('nothing', 'id')$$, $$attach_accounts('nowhere.nothing', 'id')$$, $$attach_accounts('sq', 'id')$$, $$attach_accounts('fleeting', 'id')$$,
  $$attach_accounts('pql.state', 'home')$$, $$attach_accounts('pg_catalog.pg_class', 'nope')$$, $$attach_accounts('odd_keys', 'd')$$,
  $$attach_accounts('odd_keys', 'j')$$, $$attach_accounts('odd_keys', 'tier')$$, $$attach_accounts('odd_keys', 'ctid')$$, $$attach_accounts('odd_keys', 'lower(id)')$$,
  $$attach_users('odd_keys', 'id', 'a')$$, $$attach_users('odd_keys', 'id', 'nope')$$, $$attach_accounts(NULL, 'id')$$, $$attach_accounts('odd_keys', NULL)$$,
  $$attach_users('odd_keys', NULL)$$, $$refresh_attributes('accounts')$$, $$refresh_attributes('user')$$, $$detach_users()$$]) AS c;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.try($$SELECT count(*) FROM pql.attach_accounts('odd_keys', 'id')$$);
SELECT pg_temp.try($$SELECT count(*) FROM pql.refresh_attributes()$$);
ROLLBACK;
SELECT relation FROM pql.attribute_sources;
SELECT action, object, detail FROM pql.audit WHERE action LIKE '%account%' OR action LIKE '%user%' ORDER BY audit_id;

RESET search_path;
SET client_min_messages = error;
DROP EXTENSION pql CASCADE;
DROP SCHEMA crm CASCADE;
DROP ROLE pql_crm;
DROP ROLE pql_other;
