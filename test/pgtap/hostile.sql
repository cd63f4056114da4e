-- A role that was granted all of pql, as doc/concepts.md has it, defines what it likes with what it may read itself: it gets nobody
-- else's rights by it, runs no code as anybody else, and can't change what is noted of it.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE ROLE pgtap_hostile;
CREATE ROLE pgtap_finance;
GRANT CREATE, USAGE ON SCHEMA public TO pgtap_hostile;
GRANT USAGE ON SCHEMA pql TO pgtap_hostile;
GRANT ALL ON ALL TABLES IN SCHEMA pql TO pgtap_hostile;
GRANT ALL ON ALL SEQUENCES IN SCHEMA pql TO pgtap_hostile;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pql TO pgtap_hostile;

-- An error as a client sees it.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;

-- What isn't theirs.
CREATE TABLE public.secret (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text, body text);
ALTER TABLE public.secret OWNER TO pgtap_finance;
INSERT INTO public.secret VALUES (1, now() - interval '1 hour', 'card 4111', 'acme', 'use', 'we need SAML');
CREATE TABLE public.salary (id text PRIMARY KEY, amount int);
ALTER TABLE public.salary OWNER TO pgtap_finance;
INSERT INTO public.salary VALUES ('acme', 4111);
-- Whose rights some code ran with.
CREATE TABLE public.ran (as_role text);
GRANT ALL ON public.ran TO PUBLIC;

SET LOCAL ROLE pgtap_hostile;
CREATE TABLE public.event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
CREATE TABLE public.account (id text PRIMARY KEY, plan text);
CREATE TABLE public.message (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, body text);
CREATE TABLE public.deal (id text PRIMARY KEY, org text, stage text);
INSERT INTO public.account VALUES ('acme', 'free');
INSERT INTO public.message VALUES (1, now(), 'ada', 'we need SAML');
CREATE FUNCTION public.evil(t text DEFAULT 'x') RETURNS text LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
  INSERT INTO public.ran VALUES (current_user);
  RETURN t;
END $$;
SELECT lives_ok(statement, 'they attach what is theirs: ' || statement) FROM unnest(ARRAY[
  $$SELECT pql.attach('event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id')$$,
  $$SELECT pql.attach_accounts('account', 'id')$$, $$SELECT pql.attach_conversations('message', 'who', 'body', 'at', message_id => 'id')$$,
  $$SELECT pql.attach_facts('deals', 'deal', account_id => 'org')$$, $$SELECT pql.attach_consent('deal', 'stage = ''yes''', account_id => 'org')$$,
  $$SELECT pql.attach_outcomes('deal', 'id', 'stage', account_id => 'org')$$, $$SELECT pql.attach_dispositions('deal', 'id', 'stage', account_id => 'org')$$,
  'UPDATE pql.source SET max_event_age = ''30 days''']) AS statement;

-- What isn't theirs can't be attached, neither by the functions,
SELECT matches(pg_temp.failure('SELECT pql.' || call), '^42501 ', 'they may not ' || call) FROM unnest(ARRAY[
  $$attach('secret', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id')$$, $$attach_accounts('salary', 'id')$$,
  $$attach_conversations('secret', 'who', 'body', 'at', message_id => 'id')$$, $$attach_facts('salaries', 'salary', account_id => 'id')$$,
  $$attach_consent('salary', 'amount > 1', account_id => 'id')$$, $$attach_outcomes('salary', 'id', 'id', account_id => 'id')$$, $$attach_dispositions('salary', 'id', 'id', account_id => 'id')$$]) AS call;
-- nor by writing down that it were,
SELECT matches(pg_temp.failure(statement), '^42501 permission denied ', 'nor ' || statement) FROM unnest(ARRAY[
  $$UPDATE pql.source SET relation = 'secret' WHERE source_id <> 0$$, $$UPDATE pql.conversation_source SET relation = 'secret'$$,
  $$INSERT INTO pql.source (source_id, relation, user_id, event, occurred_at, clock, mode, capture, unique_ids) VALUES (77, 'secret', 'who', 'name', 'at', 'wall', 'sync', 'statement', true)$$,
  $$UPDATE pql.source SET attached_by = 'pgtap_finance'$$, $$UPDATE pql.attribute_source SET relation_name = 'salary', owner = 'pgtap_finance', attached_by = 'pgtap_finance'$$,
  $$UPDATE pql.fact_source SET relation_name = 'salary', owner = 'pgtap_finance', key_column = 'id', attached_by = 'pgtap_finance'$$, $$UPDATE pql.consent_source SET attached_by = 'pgtap_finance'$$,
  $$UPDATE pql.outcome_source SET attached_by = 'postgres'$$, $$UPDATE pql.disposition_source SET attached_by = 'nobody at all'$$]) AS statement;
SELECT matches(pg_temp.failure($$INSERT INTO pql.backfill_job (job_id, source_id, relation, members, boundary, relfilenode, made_in, pages) VALUES (99, 1, 'secret', true, pg_current_snapshot(), 1, 'x', 1)$$),
  '^42501 relation public.secret is not part of an attached table', 'nor have it read as history');
-- nor by asking what pql asks itself.
SELECT matches(pg_temp.failure('SELECT * FROM pql.' || call), '^42501 permission denied ', 'nor ' || call) FROM unnest(ARRAY[
  $$_read_columns('public', 'salary', 'pgtap_finance', 'pgtap_finance', ARRAY['id'], ARRAY['id']) AS r$$,
  $$_read_consent('public', 'salary', 'pgtap_finance', 'pgtap_finance', 'id', '''email''', 'true', NULL, NULL)$$,
  $$_homes_in((SELECT source_id FROM pql.source WHERE relation = 'event'::regclass), 'secret'::regclass)$$,
  $$_match_messages((SELECT source_id FROM pql.conversation_source), 'secret'::regclass, NULL, false)$$, $$_execute_as('pgtap_finance', 'SELECT 1')$$]) AS call;

-- A relation of theirs that is given what isn't theirs is read with their rights, or its owner's: also by whoever else asks.
CREATE VIEW public.peek AS SELECT s.id, s.amount::text AS plan FROM public.salary AS s;
SELECT matches(pg_temp.failure($$SELECT pql.attach_accounts('peek', 'id')$$), '^42501 permission denied for table salary', 'views read with their owner''s rights');
DROP TABLE public.account;
CREATE VIEW public.account AS SELECT 'acme'::text AS id, public.evil() AS plan;
RESET ROLE;
SELECT lives_ok('SELECT * FROM pql.refresh_attributes()', 'the owner refreshes');
SELECT lives_ok('SELECT * FROM pql.refresh_facts()', 'all of it');
SELECT lives_ok('SELECT * FROM pql.tick()', 'and ticks');

-- No code of theirs gets into what others run.
SET LOCAL ROLE pgtap_hostile;
SELECT matches(pg_temp.failure(format('UPDATE pql.conversation_source SET %I = %L', name, code)), '^42501 messages can''t be read so', format('no code: %s = %s', name, code))
FROM unnest(ARRAY['body', 'message_id', 'user_id', 'occurred_at', 'channel']) AS name, unnest(ARRAY['public.evil(body)', '(SELECT 1)', 'body) FROM secret; --', 'pg_read_file(''/etc/passwd'')']) AS code;
SELECT isnt(pg_temp.failure('SELECT pql.publish(' || quote_literal(format('{"program": "evil", "unit": "account", "signals": {"x": {"kind": "fit", "value": %s, "max_points": 10}}, "qualify": {"enter": 5}}', to_json(rule))) || ')'),
  'none', 'no rule ' || rule)
FROM unnest(ARRAY['public.evil(''x'') = ''x''', '(SELECT amount FROM salary)', 'pg_read_file(''/etc/passwd'')', 'current_setting(''x'')', 'query_to_xml(''SELECT 1'', true, true, '''') IS NULL',
  'lo_import(''/etc/passwd'') > 0', 'nextval(''pql.id_seq'')', 'set_config(''a.b'', ''c'', false) = ''c''', 'pg_sleep(1) IS NULL', 'dblink(''x'', ''y'') IS NULL', '1); DROP TABLE event; --']) AS rule;
-- An expression of events that isn't right makes events unusable, and does no more.
UPDATE pql.source SET event = 'public.evil(name)' WHERE source_id <> 0;
RESET ROLE;
INSERT INTO public.event VALUES (1, now(), 'ada', 'acme', 'use');
SELECT is((SELECT count(*) FROM pql.milestones), 0::bigint, 'what was inserted did nothing');
UPDATE pql.source SET event = 'name' WHERE source_id <> 0;
SELECT lives_ok($$SELECT * FROM pql.rematch('message')$$, 'the owner reads messages');
SELECT lives_ok($$SELECT * FROM pql.search_conversations('SAML')$$, 'and searches them');
SELECT set_eq('SELECT as_role FROM public.ran', ARRAY['pgtap_hostile'], 'their code ran, with nobody''s rights but theirs');
SELECT is_empty($$SELECT * FROM pql.members WHERE user_id ~ '4111' UNION ALL SELECT NULL, a.attributes::text, NULL, NULL, NULL FROM pql.attributes AS a WHERE a.attributes::text ~ '4111'$$, 'nothing was learnt of what isn''t theirs');

-- What was noted stays: of them, too.
SET LOCAL ROLE pgtap_hostile;
SELECT isnt_empty('TABLE pql.audit', 'there is a record of what they did');
SELECT is(pg_temp.failure(statement), '42501 what stands in pql.audit can''t be changed or deleted', 'not for them: ' || statement)
FROM unnest(ARRAY['DELETE FROM pql.audit', 'UPDATE pql.audit SET actor = ''somebody else''', 'TRUNCATE pql.audit']) AS statement;
SELECT lives_ok($$INSERT INTO pql.audit (audit_id, at, actor, action, object) VALUES (-1, '2020-01-01', 'somebody else', 'publish', 'p')$$, 'they may add');
SELECT results_eq('SELECT actor = session_user, at > ''2026-01-01'' FROM pql.audit WHERE audit_id = -1', 'VALUES (true, true)', 'as themselves, and now');
RESET ROLE;
SELECT lives_ok('DELETE FROM pql.audit WHERE audit_id = -1', 'the owner answers for it');

SELECT * FROM finish();
ROLLBACK;
