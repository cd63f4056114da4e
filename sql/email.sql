-- Accounts by the domain of e-mail addresses: what is one, which form none, and what editing that list does.
-- covers: S3-11
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

SELECT a, pql.email_domain(a) FROM unnest(ARRAY['ada@acme.example', 'Ada.L+x@ACME.Example', 'ada@sub.acme.example', 'ada@xn--mnchen-3ya.de', 'ö@acme.example',
  'ada@gmail.com', 'Ada@GMAIL.com', 'ada@mail.gmail.com', 'ada@notgmail.com', 'ada@googlemail.com', 'ada@qq.com',
  '', '@', 'ada', 'ada@', '@acme.example', 'ada@acme', 'ada@@acme.example', 'a@b@acme.example', 'ada@acme..example', 'ada@.acme.example', 'ada@acme.example.',
  'ada@-acme.example', 'ada@acme-.example', 'ada@acme.example ', ' ada@acme.example', 'ada lovelace@acme.example', 'ada@acme_.example', 'ada@127.0.0.1', 'ada@[127.0.0.1]',
  'ada@3com.com', 'ada@acme.123', 'ada@münchen.de', '"ada"@acme.example', 'Ada <ada@acme.example>', E'ada\n@acme.example', 'mailto:ada@acme.example', NULL]) AS a;
SELECT pql.email_domain(repeat('a', 64) || '@acme.example'), pql.email_domain(repeat('a', 65) || '@acme.example'),
       length(pql.email_domain('a@' || repeat('a', 63) || '.example')), pql.email_domain('a@' || repeat('a', 64) || '.example'),
       length(pql.email_domain('a@' || repeat('a.', 126) || 'a')), pql.email_domain('a@' || repeat('a.', 127) || 'a');
SELECT count(*) >= 150, count(*) FILTER (WHERE pql.email_domain('x@' || domain) IS NOT NULL), count(*) FILTER (WHERE NOT builtin OR NOT is_free)
FROM pql.free_mail_domain;

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, email text, name text);
CREATE INDEX by_domain ON ev (pql.email_domain(email), ts);
CREATE INDEX ON ev (email, ts);
SELECT what, finding FROM pql.attach('ev', user_id => 'email', account_id => 'pql.email_domain(email)', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
INSERT INTO ev VALUES (1, '2026-01-01', 'ada@acme.example', 'a'), (2, '2026-01-02', 'ben@ACME.example', 'a'), (3, '2026-01-03', 'cho@gmail.com', 'a'),
  (4, '2026-01-04', 'nobody', 'a'), (5, '2026-01-05', 'dee@village.example', 'a'), (6, '2026-01-06', 'eve@village.example', 'a'), (7, '2026-01-06', 'fay@gmx.de', 'a');
CREATE VIEW pg_temp.seen AS SELECT unit, subject_id, events FROM pql.subjects ORDER BY 1, 2;
TABLE pg_temp.seen;
SELECT * FROM pql.verify();
-- by the index, as a derivation of one home
SET enable_seqscan = off;
UPDATE ev SET ts = ts + interval '1 minute' WHERE id IN (1, 5);
DELETE FROM ev WHERE id = 6;
SELECT * FROM pql.verify();
RESET enable_seqscan;
-- A list of one's own: a provider in the village, and a customer who is one
SET client_min_messages = notice;
INSERT INTO pql.free_mail_domain VALUES ('village.example', true), ('gmx.de', false);
SET client_min_messages = warning;
SELECT pql.email_domain('dee@village.example'), pql.email_domain('fay@gmx.de');
SET enable_seqscan = off;
SELECT count(*) FROM ev WHERE pql.email_domain(email) = 'gmx.de';
SELECT count(*) FROM ev WHERE pql.email_domain(email) = 'village.example';
RESET enable_seqscan;
INSERT INTO ev VALUES (8, '2026-01-08', 'dee@village.example', 'a'), (9, '2026-01-08', 'fay@gmx.de', 'a');
CALL pql.rebuild();
TABLE pg_temp.seen;
SELECT * FROM pql.verify();
-- taken back, with a transaction or for good
BEGIN;
DELETE FROM pql.free_mail_domain WHERE NOT builtin;
SELECT pql.email_domain('dee@village.example'), pql.email_domain('fay@gmx.de');
SAVEPOINT s;
INSERT INTO pql.free_mail_domain VALUES ('acme.example');
SELECT pql.email_domain('ada@acme.example');
ROLLBACK TO s;
SELECT pql.email_domain('ada@acme.example');
ROLLBACK;
SELECT pql.email_domain('dee@village.example'), pql.email_domain('fay@gmx.de');
UPDATE pql.free_mail_domain SET is_free = NOT is_free WHERE NOT builtin;
SELECT pql.email_domain('dee@village.example'), pql.email_domain('fay@gmx.de');
-- above READ COMMITTED, and in a worker
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM ev WHERE pql.email_domain(email) = 'acme.example';
COMMIT;
SELECT count(set_config(name, 'on', false)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query'); -- from 16 on
SELECT count(*) FROM ev WHERE pql.email_domain(email) = 'acme.example';
SELECT count(set_config(name, 'off', false)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
-- what comes with pql stays, or a dump would not have the difference
UPDATE pql.free_mail_domain SET is_free = false WHERE domain = 'gmail.com';
DELETE FROM pql.free_mail_domain WHERE domain = 'gmail.com';
INSERT INTO pql.free_mail_domain VALUES ('new.example', true, true);
UPDATE pql.free_mail_domain SET builtin = true WHERE NOT builtin;
TRUNCATE pql.free_mail_domain;
INSERT INTO pql.free_mail_domain VALUES ('Upper.example');
INSERT INTO pql.free_mail_domain VALUES ('x@y.example');
-- attach only: what a rule means must not depend on a list
SELECT pql._check_rule('pql.email_domain(event) = ''a.example''', ARRAY['event text'], 'bool');
SELECT pql._check_expression('ev', 'lower(pql.email_domain(email))', 'text');
SELECT pql._check_expression('ev', 'pql.story(id)', 'text');
CREATE FUNCTION pql.email_domain(text, text) RETURNS text LANGUAGE sql IMMUTABLE RETURN $1;
SELECT pql._check_expression('ev', 'pql.email_domain(email, email)', 'text');
DROP FUNCTION pql.email_domain(text, text);

DROP TABLE ev;
DROP EXTENSION pql CASCADE;
