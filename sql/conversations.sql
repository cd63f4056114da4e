-- Conversations: messages in, topics out, as events like any other: late, changed, deleted, of people who are merged and moved, rebuilt
-- and verified; what is attached and detached; search. After each block the state is what a scan of pql.intent gives.
-- covers: S1-29, S1-30, S1-31, S1-32, S1-33, S1-40, S1-42, S1-47
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

-- A lexicon of the test's own: what is shipped changes.
UPDATE pql.lexicon SET active = false;
INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('en', 'enterprise_procurement', '\b(?:sso|saml|msa)\b'), ('en', 'enterprise_procurement', '\bdpa\b'),
  ('en', 'pricing', '\b(?:cost|pricing)\b'), ('de', 'pricing', '\bkostet\b'), ('de', 'enterprise_procurement', '\bsso\b');
INSERT INTO pql.lexicon (language, kind, pattern) VALUES ('en', 'before', '\bdon''t need\b'), ('en', 'break', '\bbut\b'), ('de', 'before', '\bkein\b');

CREATE SCHEMA app;
CREATE TABLE app.chats (id int PRIMARY KEY, ts timestamptz, who text, org text, thread int, body text, seen boolean DEFAULT false);
CREATE TABLE app.notes (a int, b int, ts timestamp, who uuid, note varchar, PRIMARY KEY (a, b));
CREATE VIEW app.v AS SELECT * FROM app.chats;

CREATE FUNCTION app.program(name text, unit text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', name, 'unit', unit,
    'signals', '{"procurement": {"kind": "intent", "topic": "enterprise_procurement", "measure": "count", "window": "3000 days", "points_each": 10, "max_points": 40},
                 "price": {"kind": "intent", "topic": "pricing", "half_life": "3000 days", "points_each": 5, "max_points": 20}}'::jsonb,
    'qualify', '{"enter": 20, "leave": 10}'::jsonb, 'motions', '[{"otherwise": true, "motion": "enterprise"}]'::jsonb) $$;
CREATE FUNCTION app.right() RETURNS TABLE (problem text) LANGUAGE sql AS $$
  SELECT v::text FROM pql.verify() AS v $$;
CREATE VIEW app.intents AS SELECT home, event_id, user_id, topic, quote FROM pql.intent ORDER BY home, source_id, event_id, topic;
CREATE FUNCTION app.points() RETURNS TABLE (line text) LANGUAGE sql AS $$
  SELECT format('%s %s %s', s.unit, s.subject_id, pql.score(CASE s.unit WHEN 'user' THEN 'people' ELSE 'deals' END, s.subject_id, now()))
  FROM pql.subjects AS s WHERE s.unit <> 'workspace' ORDER BY s.unit, s.subject_id $$;

--
-- What can't be attached.
--
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.v', 'who', 'body', 'ts')$$);
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.none', 'who', 'body', 'ts')$$);
SELECT pg_temp.try($$SELECT pql.attach_conversations('pql.audit', 'who', 'body', 'ts')$$);
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.chats', NULL, 'body', 'ts')$$);
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.chats', 'who', 'text', 'ts')$$);
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.chats', 'who', 'body', 'now()')$$);
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.notes', 'who', 'note', 'ts AT TIME ZONE ''UTC''')$$);
SELECT pg_temp.try($$SELECT pql.rematch('app.chats')$$);
SELECT pg_temp.try($$SELECT pql.detach_conversations('app.chats')$$);
SELECT count(*) FROM pql.source;

--
-- History is read when a table is attached; from then on, what is written.
--
INSERT INTO app.chats VALUES (1, now() - interval '30 days', 'ann', 'acme', 1, 'Hi! Do you support SAML?'), (2, now() - interval '29 days', 'bob', 'acme', 1, 'Thanks.');
SELECT count(*) > 0 FROM pql.publish(app.program('deals', 'account'));
SELECT count(*) > 0 FROM pql.publish(app.program('people', 'user'));
SELECT * FROM pql.attach_conversations('app.chats', user_id => 'who', body => 'body', occurred_at => 'ts', account_id => 'org', channel => '''chat''', conversation_id => 'thread');
SELECT * FROM pql.attach_conversations('app.notes', user_id => 'who', body => 'note', occurred_at => 'ts AT TIME ZONE ''UTC''', message_id => 'a || ''-'' || b');
SELECT pg_temp.try($$SELECT pql.attach_conversations('app.chats', 'who', 'body', 'ts')$$);
SELECT * FROM app.intents;
SELECT source_id, relation, event, intact FROM pql.sources;
INSERT INTO app.chats VALUES (3, now(), 'ann', 'acme', 1, E'We don''t need SSO, but what does it cost?\n> do you need an MSA'),
  (4, now(), 'bob', 'acme', 2, 'Was kostet das pro Monat? Wir brauchen kein SSO.'), (5, now(), 'cyd', 'bolt', 3, 'Need a DPA signed'), (6, now(), 'dan', NULL, 4, 'How much does SSO cost?'),
  (7, now(), NULL, 'acme', 5, 'SSO'), (8, NULL, 'ann', 'acme', 5, 'SSO'), (9, now(), 'ann', 'acme', 5, NULL), (10, now(), 'ann', 'acme', 5, '');
INSERT INTO app.notes VALUES (1, 2, now() AT TIME ZONE 'UTC', '00000000-0000-0000-0000-00000000000a', 'asked for pricing');
SELECT * FROM app.intents;
SELECT channel, conversation_id, account_id, count(*) FROM pql.intent GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT * FROM app.points();
SELECT reason, events FROM pql.unusable ORDER BY reason;
SELECT * FROM app.right();
SELECT program, subject_id, shadow FROM pql.episode ORDER BY 1, 2;

--
-- What is changed: the words, whose they are, when; or nothing that matters.
--
UPDATE app.chats SET seen = true;
UPDATE app.chats SET body = 'Thanks, all good' WHERE id = 1;
UPDATE app.chats SET org = 'bolt' WHERE id = 3;
UPDATE app.chats SET ts = ts - interval '1 day', thread = 9 WHERE id = 5;
UPDATE app.chats SET id = 40 WHERE id = 4;
UPDATE app.chats SET who = 'eve' WHERE id = 7;
SELECT * FROM app.intents;
SELECT conversation_id, occurred_at < now() - interval '23 hours' FROM pql.intent WHERE event_id = '5';
SELECT * FROM app.points();
SELECT * FROM app.right();
-- Deleted, rolled back, replayed.
DELETE FROM app.chats WHERE id = 40;
BEGIN;
INSERT INTO app.chats VALUES (11, now(), 'fay', 'acme', 5, 'SSO');
SAVEPOINT s;
INSERT INTO app.chats VALUES (12, now(), 'fay', 'acme', 5, 'pricing');
ROLLBACK TO s;
COMMIT;
BEGIN;
DELETE FROM app.chats;
ROLLBACK;
INSERT INTO app.chats VALUES (11, now(), 'fay', 'acme', 5, 'SSO') ON CONFLICT DO NOTHING;
SELECT * FROM app.intents;
SELECT * FROM app.points();
SELECT * FROM app.right();
SELECT pql.state_digest() AS before \gset
CALL pql.rebuild();
SELECT pql.state_digest() = :'before';

--
-- Who turns out to be whom takes along what he said; and back.
--
SELECT pql.merge_users('dan', 'ann') IS NOT NULL;
SELECT pql.move_user('cyd', 'acme') AS move \gset
SELECT pql.merge_accounts('bolt', 'acme') AS merge \gset
SELECT home, event_id, user_id, topic FROM app.intents;
INSERT INTO app.chats VALUES (13, now(), 'dan', 'bolt', 5, 'SAML');
SELECT home, event_id, user_id, topic FROM app.intents WHERE event_id = '13';
SELECT * FROM app.points();
SELECT * FROM app.right();
SELECT pql.undo_merge(:merge);
SELECT pql.undo_merge(:move);
SELECT home, event_id, user_id, topic FROM app.intents;
SELECT * FROM app.right();

--
-- The lexicon as it is when a message is written; older ones when that is asked for.
--
INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('en', 'data_residency', '\bhosted in (?:europe|the eu)\b');
UPDATE pql.lexicon SET active = false WHERE origin = 'own' AND pattern LIKE '%saml%';
INSERT INTO app.chats VALUES (20, now(), 'gus', 'corp', 5, 'SSO, hosted in the EU?'), (21, now(), 'gus', 'corp', 5, 'hosted in Europe, with an MSA');
UPDATE app.chats SET seen = true WHERE id = 11;
SELECT event_id, topic FROM app.intents WHERE event_id IN ('11', '20', '21');
SELECT messages > 0, topics > 0 FROM pql.rematch('app.chats', now() - interval '1 hour');
SELECT event_id, topic FROM app.intents WHERE home LIKE 'a:%';
SELECT * FROM app.right();
UPDATE pql.lexicon SET active = true WHERE origin = 'own';
SELECT messages > 0 FROM pql.rematch('app.chats');
SELECT * FROM pql.rematch('app.chats') AS again, (SELECT count(*) FROM pql.intent WHERE source_id = 1) AS rows WHERE again.topics <> rows.count;
SELECT event_id, topic FROM app.intents WHERE event_id = '20';
SELECT * FROM app.right();

--
-- No message fails an insert: what an expression makes of it, bytes, size.
--
CREATE TABLE app.calls (id int, ts timestamptz, who text, body text);
SELECT pg_temp.try($$SELECT count(*) FROM pql.attach_conversations('app.calls', 'who', 'body', 'body', message_id => 'id')$$);
SELECT count(*) FROM pql.attach_conversations('app.calls', 'who', 'body', 'ts', message_id => '10 / id');
INSERT INTO app.calls VALUES (0, now(), 'ivy', 'sso'), (5, now(), 'ivy', 'sso');
SELECT event_id FROM app.intents WHERE user_id = 'ivy';
CREATE TABLE app.tickets (id int, ts timestamptz, who text, body text) PARTITION BY RANGE (id);
CREATE TABLE app.tickets_1 PARTITION OF app.tickets FOR VALUES FROM (0) TO (100);
SELECT count(*) FROM pql.attach_conversations('app.tickets', 'who', 'body', 'ts', message_id => 'id', search_index => true);
CREATE TABLE app.tickets_2 PARTITION OF app.tickets FOR VALUES FROM (100) TO (200);
INSERT INTO app.tickets VALUES (1, now(), 'hal', 'sso'), (101, now(), 'hal', repeat('we hate this. ', 200000) || ' sso'), (102, 'infinity', 'hal', 'sso'), (103, now(), repeat('x', 2000), 'sso');
INSERT INTO app.tickets_2 VALUES (104, now(), 'hal', E'\u202Esso\u0301\U0001F600 ' || chr(1) || chr(2));
UPDATE app.tickets SET id = 150 WHERE id = 1;
SELECT event_id, topic, quote FROM app.intents WHERE user_id = 'hal';
TRUNCATE app.tickets_2; -- unseen, but for a rematch
INSERT INTO app.tickets VALUES (2, now(), 'hal', 'pricing');
SELECT event_id, topic FROM app.intents WHERE user_id = 'hal';
SELECT * FROM pql.rematch('app.tickets');
SELECT event_id, topic FROM app.intents WHERE user_id = 'hal';
TRUNCATE app.tickets;
SELECT count(*) FROM app.intents WHERE user_id = 'hal';
SELECT reason, events FROM pql.unusable WHERE events_table = 'pql.intent'::regclass ORDER BY reason;
SELECT * FROM app.right();

--
-- Search, where the messages are.
--
SELECT conversations, message_id, user_id, channel, excerpt FROM pql.search_conversations('cost -monat');
SELECT message_id FROM pql.search_conversations('"hosted in"', 'chats', most => 1);
SELECT count(*) FROM pql.search_conversations('saml', since => now() + interval '1 day');
SELECT count(*) FROM pql.search_conversations(NULL);
SELECT indexdef FROM pg_indexes WHERE tablename = 'tickets' AND indexdef LIKE '%gin%';

--
-- Detached: its topics are taken back, and the last takes the events table along. A table that lost a column fails no insert.
--
ALTER TABLE app.notes DROP COLUMN note;
INSERT INTO app.notes VALUES (3, 4, now() AT TIME ZONE 'UTC', '00000000-0000-0000-0000-00000000000a');
SELECT pg_temp.try($$SELECT pql.rematch('app.notes')$$);
SELECT pg_temp.try($$SELECT pql.detach('pql.intent')$$);
SELECT pql.detach_conversations(r) FROM unnest('{app.notes,app.calls,app.tickets}'::text[]) AS r;
SELECT * FROM app.right();
SELECT count(*) > 0 FROM app.intents;
SELECT pql.detach_conversations('app.chats');
SELECT count(*) FROM app.intents;
SELECT count(*) FROM pql.source;
INSERT INTO app.chats VALUES (30, now(), 'ann', 'acme', 1, 'SSO');
SELECT * FROM app.right();
SELECT action, object FROM pql.audit WHERE action ~ 'conversations|rematch' ORDER BY audit_id;

SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
