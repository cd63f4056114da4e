-- Erasing users and accounts: whatever pql knows of them goes, from every table, and stays away, whoever tells it again; what is known of
-- others stays, and is what a scan of the events gives.
-- covers: S1-47, S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA erasure;
SET search_path = erasure;
-- What a statement raises, or gives.
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; hint text; given text;
BEGIN
  EXECUTE statement INTO given;
  RETURN 'ok: ' || coalesce(given, '(null)');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n    ', SQLSTATE || ' ' || message, nullif(hint, ''));
END $$;
-- Every row of every table of pql that has a word in it, binary columns included.
CREATE FUNCTION traces(word text) RETURNS TABLE (relation text, rows bigint) LANGUAGE plpgsql AS $$
DECLARE
  c record;
  bytes text;
BEGIN
  FOR c IN SELECT k.oid, k.relname FROM pg_class AS k JOIN pg_namespace AS n ON n.oid = k.relnamespace WHERE n.nspname = 'pql' AND k.relkind IN ('r', 'p') ORDER BY 2 LOOP
    SELECT string_agg(format('encode(t.%I, ''escape'')', a.attname), ', ') INTO bytes FROM pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.atttypid = 'bytea'::regtype AND a.attnum > 0 AND NOT a.attisdropped;
    EXECUTE format('SELECT count(*) FROM pql.%I AS t WHERE concat_ws('' '', t::text, %s) LIKE %L', c.relname, coalesce(bytes, ''''''), '%' || word || '%') INTO rows;
    relation := c.relname;
    IF rows > 0 THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;

CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE TABLE people (id text PRIMARY KEY, org text, role text);
CREATE TABLE orgs (id text PRIMARY KEY, plan text);
CREATE TABLE seats (who text, n int);
CREATE TABLE chats (id int PRIMARY KEY, ts timestamptz, who text, org text, body text);
CREATE TABLE agreed (who text, given boolean);
CREATE TABLE deals (id int PRIMARY KEY, who text, what text, worth numeric, at timestamptz);
CREATE TABLE answers (id int PRIMARY KEY, who text, what text);
INSERT INTO people VALUES ('zoe-quick', 'club', 'admin'), ('ben', 'club', 'dev');
INSERT INTO orgs VALUES ('club', 'team'), ('yard-works', 'free');
INSERT INTO seats VALUES ('zoe-quick', 3), ('ben', 1);
INSERT INTO agreed VALUES ('zoe-quick', true), ('ben', true);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
UPDATE pql.source SET max_event_age = '10000 days';
SELECT count(*) > 0 FROM pql.attach_users('people', user_id => 'id', account_id => 'org');
SELECT count(*) > 0 FROM pql.attach_accounts('orgs', account_id => 'id');
SELECT count(*) > 0 FROM pql.attach_facts('seats', 'seats', user_id => 'who', measure => 'max', value => 'n');
SELECT count(*) > 0 FROM pql.attach_conversations('chats', user_id => 'who', account_id => 'org', body => 'body', occurred_at => 'ts', message_id => 'id');
SELECT count(*) > 0 FROM pql.attach_consent('agreed', given => 'given', user_id => 'who', channel => '''email''');
SELECT count(*) > 0 FROM pql.attach_outcomes('deals', id => 'id', outcome => 'what', user_id => 'who', value => 'worth', at => 'at');
SELECT count(*) > 0 FROM pql.attach_dispositions('answers', id => 'id', disposition => 'what', user_id => 'who');
CREATE FUNCTION program(name text, unit text) RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('program', name, 'unit', unit, 'qualify', '{"enter": 10, "leave": 5}'::jsonb,
      'milestones', '{"bought": {"event": "buy"}, "asked": {"event": "ask"}}'::jsonb, 'activation', '{"steps": ["bought", "asked"], "within": "30 days"}'::jsonb,
      'known', CASE unit WHEN 'user' THEN '{"role": "attr.role"}'::jsonb ELSE '{"plan": "attr.plan"}'::jsonb END,
      'signals', '{"wants": {"kind": "intent", "event": "buy", "half_life": "30 days", "points_each": 10, "max_points": 90},
                   "price": {"kind": "intent", "topic": "pricing", "half_life": "3000 days", "points_each": 5, "max_points": 20}}'::jsonb
        || CASE unit WHEN 'user' THEN '{"size": {"kind": "fit", "measure": "value", "value": "fact.seats", "saturates_at": 10, "max_points": 10}}'::jsonb ELSE '{}' END
        || CASE unit WHEN 'user' THEN '{"word": {"kind": "intent", "flag": true, "max_points": 5}}'::jsonb ELSE '{}' END,
      'motions', '[{"otherwise": true, "motion": "inside_sales", "after": "0", "by": "1 day"}]'::jsonb)$$;
SELECT pql.publish(p), pql.promote(p->>'program') FROM (VALUES (program('buy', 'account')), (program('person', 'user'))) AS v(p);
INSERT INTO pql.reps (rep_id, capacity) VALUES ('kim', 50);

-- A company with two people, one of whom came as somebody else at first and spoke; another company of one; and one who is alone.
CREATE PROCEDURE tell() LANGUAGE sql AS $$
  INSERT INTO chats VALUES (1, '2026-03-02 08:00', 'zoe-quick', 'club', 'What does it cost? We have no pricing page.'), (2, '2026-03-02 08:00', 'ben', 'club', 'How much does it cost?');
  INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-01 09:00', 'zoe-quick-anonymous', NULL, 'ask'), ('2026-03-02 09:00', 'zoe-quick', 'club', 'buy'), ('2026-03-02 10:00', 'ben', 'club', 'buy'),
    ('2026-03-02 09:00', 'zoe-quick', 'yard-works', 'buy'), ('2026-03-02 11:00', 'ivy', 'yard-works', 'buy'), ('2026-03-02 11:00', 'lee', NULL, 'buy');
  INSERT INTO deals VALUES (1, 'zoe-quick', 'paid', 10, '2026-03-05'), (2, 'ben', 'paid', 5, '2026-03-05'), (3, 'lee', 'paid', 7, '2026-03-05')
$$;
SELECT pql.merge_users('zoe-quick-anonymous', 'zoe-quick') > 0;
CALL tell();
SELECT told FROM pql.refresh_consent();
SELECT told FROM pql.refresh_outcomes();
SELECT pql.upsert_user_milestone('zoe-quick', 'asked', '2026-02-20');
SELECT pql.record_outcome('zoe-quick', 'won', 3, '2026-03-06', unit => 'user') IS NOT NULL;
SELECT pql.flag_subject('person', 'zoe-quick', 'word', 'said zoe-quick herself') IS NOT NULL;
SELECT pql.record_event('zoe-quick', 'buy', 'club', occurred_at => '2026-03-03') > 0;
INSERT INTO answers VALUES (1, 'zoe-quick', 'contacted');
SELECT told, problems FROM pql.refresh_dispositions();
INSERT INTO ev (ts, who, org, name) VALUES ('2026-06-02', 'clock', 'clock', 'clock');
SELECT ready, assigned FROM pql.tick('2026-03-03 12:00');
SELECT count(*) FROM pql.routing AS r, LATERAL pql.claim(coalesce(r.owner, 'kim'), 1, r.routing_id) AS c,
  LATERAL pql.touch(c.routing_id, 'phone', 'spoke with zoe-quick, who knows 42 others', '2026-03-03 13:00') AS t WHERE r.state = 'ready';
SELECT count(*) FROM pql.tick();
SELECT count(*) > 0 FROM pql.refresh_evidence('person');
SELECT program, subject_id, state FROM pql.routing ORDER BY 1, subject_id COLLATE "C";
SELECT sum(converted + other) > 0 AS counted, count(*) FROM pql.evidence;
SELECT relation FROM traces('zoe-quick');
SELECT count(*) FROM pql.verify();

SELECT try('SELECT pql.erase_user(NULL)');
SELECT try('SELECT pql.erase_user('''')');
SELECT try('SELECT pql.erase_account(NULL)');
SELECT try(format('SELECT pql.erase_user(%L)', repeat('x', 1001)));
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT try('SELECT pql.erase_user(''zoe-quick'')');
ROLLBACK;
SET SESSION AUTHORIZATION DEFAULT;
CREATE ROLE erasure_nobody;
SET ROLE erasure_nobody;
SELECT pql.erase_user('zoe-quick');
RESET ROLE;

-- Taken back, nothing has happened; in the same transaction, all of it.
BEGIN;
SELECT count(*) > 10 FROM pql.erase_user('zoe-quick');
SELECT * FROM traces('zoe-quick');
ROLLBACK;
SELECT count(*) > 10 FROM traces('zoe-quick');
SELECT pql.score('person', 'zoe-quick', '2026-03-03') > 0;

CREATE TABLE before AS SELECT program, subject_id, score, jsonb_array_length(context->'members') AS members, jsonb_array_length(context->'intents') AS intents FROM pql.routing WHERE subject_id <> 'zoe-quick';
SELECT * FROM pql.erase_user('zoe-quick-anonymous') ORDER BY 1, 2;
SELECT * FROM traces('zoe-quick');
-- Others' hand-offs are as they were, but for her.
SELECT * FROM before ORDER BY 1, subject_id COLLATE "C";
SELECT program, subject_id, score, jsonb_array_length(context->'members') AS members, jsonb_array_length(context->'intents') AS intents FROM pql.routing ORDER BY 1, subject_id COLLATE "C";
SELECT note FROM pql.touch ORDER BY touch_id;
SELECT count(*) FROM pql.verify();
SELECT count(*) FROM pql._load_differences();
SELECT pql.score('person', 'zoe-quick', '2026-03-03'), pql.score('buy', 'club', '2026-03-03');
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT kind, old_id ~ '^sha256:[0-9a-f]{64}$' AS hashed, new_id FROM pql.identity WHERE kind LIKE 'erased%';
SELECT action, object ~ '^sha256:' AS hashed, detail FROM pql.audit WHERE action LIKE 'erase%';

-- Again, it is nobody; and whoever tells it again tells nothing.
SELECT * FROM pql.erase_user('zoe-quick');
DELETE FROM chats;
DELETE FROM deals;
CALL tell();
UPDATE chats SET body = body || ' The price?';
UPDATE people SET role = 'owner';
INSERT INTO seats VALUES ('zoe-quick', 9), ('ben', 9);
SELECT count(*) FROM pql.refresh_attributes();
SELECT count(*) FROM pql.refresh_facts();
SELECT told FROM pql.refresh_consent();
SELECT told FROM pql.refresh_outcomes();
SELECT told, problems FROM pql.refresh_dispositions();
SELECT pql.upsert_user_milestone('zoe-quick', 'asked', '2026-02-20');
SELECT pql.record_outcome('zoe-quick', 'won', 3, '2026-03-06', unit => 'user');
SELECT pql.record_event('zoe-quick', 'buy', 'club', occurred_at => '2026-03-03');
SELECT try($$SELECT pql.flag_subject('person', 'zoe-quick', 'word', 'said so')$$);
SELECT try($$SELECT pql.merge_users('zoe-quick', 'ben')$$);
SELECT try($$SELECT pql.merge_users('ben', 'zoe-quick')$$);
SELECT try($$SELECT pql.move_user('zoe-quick', 'club')$$);
SELECT try(format('SELECT pql.undo_merge(%s)', (SELECT min(merge_id) FROM pql.identity WHERE kind = 'erased_user')));
SELECT count(*) FROM pql.tick();
SELECT * FROM traces('zoe-quick');
SELECT reason, sum(events) > 0 AS some FROM pql.unusable_event GROUP BY 1;
CALL pql.rebuild();
SELECT * FROM traces('zoe-quick');
SELECT count(*) FROM pql.verify();

-- An account, under each of its names, with all that is said in it; its people stay where they were elsewhere.
SELECT pql.merge_accounts('yard-works-old', 'yard-works') > 0, pql.move_user('mia', 'yard-works') > 0;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-05-01', 'ivy', 'yard-works-old', 'buy'), ('2026-05-01', 'mia', 'club', 'buy');
SELECT relation FROM traces('yard-works');
SELECT count(*) > 0 FROM pql.erase_account('yard-works');
SELECT * FROM traces('yard-works');
INSERT INTO ev (ts, who, org, name) VALUES ('2026-05-02', 'ivy', 'yard-works-old', 'buy'), ('2026-05-01', 'ivy', 'club', 'buy');
SELECT count(*) FROM pql.refresh_attributes();
SELECT * FROM traces('yard-works');
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT * FROM pql.verify();

-- Whoever is called like something else is erased, and that stays: an account, a plan, a program, an event, a word in what somebody wrote.
CREATE TABLE kept AS SELECT routing_id, context, reasons, user_id FROM pql.routing;
CREATE TABLE audited AS SELECT audit_id, object, detail FROM pql.audit;
SELECT count(*) > 0 FROM kept;
SELECT count(pql.score('person', x)) FROM unnest('{club, team, person, buy, 2, won, session}'::text[]) AS x, pql.erase_user(x) AS e;
SELECT count(*) FROM kept AS k JOIN pql.routing AS r USING (routing_id) WHERE (k.context, k.reasons, k.user_id) IS DISTINCT FROM (r.context, r.reasons, r.user_id);
SELECT count(*) FROM audited AS k JOIN pql.audit AS r USING (audit_id) WHERE (k.object, k.detail) IS DISTINCT FROM (r.object, r.detail);
SELECT account_id FROM pql.members WHERE account_id = 'club' LIMIT 1;

-- One of whom nothing is known is erased for what may come.
SELECT * FROM pql.erase_user('to-be');
INSERT INTO ev (ts, who, org, name) VALUES ('2026-05-02', 'to-be', 'club', 'buy');
SELECT * FROM traces('to-be') WHERE relation <> 'lexicon';

-- What was sealed: the person goes, the account's number stays.
DROP EXTENSION pql CASCADE;
CREATE EXTENSION pql;
TRUNCATE ev;
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.publish(p), pql.promote(p->>'program') FROM (VALUES (jsonb_set(program('buy', 'account') - 'known', '{signals}', '{"wants": {"kind": "intent", "event": "buy", "half_life": "30 days", "points_each": 10, "max_points": 90}}'))) AS v(p);
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'zoe-quick', 'club', 'buy'), ('2026-03-02 10:00', 'ben', 'club', 'buy'), ('2026-03-02 10:00', 'zoe-quick', NULL, 'buy'),
  ('2026-06-02', 'zoe-quick', 'club', 'ask');
SELECT pql.retain('ev', '2026-03-20'::timestamptz);
SELECT relation, rows FROM traces('zoe-quick');
SELECT relation, removed FROM pql.erase_user('zoe-quick');
SELECT * FROM traces('zoe-quick');
SELECT pql.score('buy', 'club', '2026-03-03');
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT count(*) FROM pql.verify();
DROP EXTENSION pql CASCADE;
DROP SCHEMA erasure CASCADE;
DROP ROLE erasure_nobody;
