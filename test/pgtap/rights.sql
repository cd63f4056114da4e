-- Who may do what, as doc/concepts.md says: whoever writes events needs no right on pql, whoever reads needs the right to, and everybody
-- else is told what it takes.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE ROLE pgtap_stranger;
CREATE ROLE pgtap_writer;
CREATE ROLE pgtap_scorer;
CREATE ROLE pgtap_seller;
CREATE ROLE pgtap_analyst;
CREATE ROLE pgtap_recorder;

\set unread '''42501 permission denied to read pql''''s state; It takes SELECT on tables pql.state and pql.milestone_log.'''
\set writes 'ARRAY[''INSERT'', ''UPDATE'', ''DELETE'', ''TRUNCATE'', ''REFERENCES'', ''TRIGGER'']'

-- An error as a client sees it.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN concat_ws('; ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END $$;

CREATE TABLE public.event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
CREATE TABLE public.log (id bigint, at timestamptz NOT NULL, who text, org text, name text) PARTITION BY RANGE (id);
CREATE TABLE public.log_all PARTITION OF public.log DEFAULT;
SELECT pql.attach(t, user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event')
FROM unnest(ARRAY['event', 'log']::regclass[]) AS t \g /dev/null
SELECT pql.publish('{"program": "p", "unit": "account", "milestones": {"signed_up": {"event": "signup"}},
  "activation": {"steps": ["signed_up"], "within": "1 day"},
  "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "saturates_at": 2, "max_points": 60},
              "signup": {"kind": "activation", "milestone": "signed_up", "max_points": 40}},
  "qualify": {"enter": 90, "leave": 20}}') \g /dev/null
SELECT pql.promote('p') \g /dev/null

--
-- Whoever writes events: rights on the table, and none on anything of pql's, not even its schema.
--

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON public.event, public.log TO pgtap_writer;
REVOKE USAGE ON SCHEMA pql FROM PUBLIC;
SET LOCAL ROLE pgtap_writer;
SELECT lives_ok($$INSERT INTO event VALUES (1, '2026-03-01', 'ada', 'acme', 'signup'), (2, '2026-03-01', 'ben', 'acme', 'signup')$$,
  'inserts');
SELECT lives_ok($$INSERT INTO event VALUES (3, '2026-03-02', 'ada', 'acme', 'use'), (4, '2026-03-02', 'ben', 'acme', 'use')$$,
  'inserts more');
SELECT lives_ok($$UPDATE event SET who = 'cho' WHERE id = 2$$, 'updates');
SELECT lives_ok($$DELETE FROM event WHERE id = 4$$, 'deletes');
SELECT lives_ok($$INSERT INTO log VALUES (11, '2026-03-01', 'dee', 'tiny', 'signup'), (12, '2026-03-01', 'dee', 'tiny', 'use')$$,
  'inserts into partitions');
SELECT lives_ok($$UPDATE log SET who = 'eve' WHERE id = 11$$, 'updates partitions');
SELECT lives_ok($$DELETE FROM log WHERE id = 12$$, 'deletes from partitions');
COPY event FROM stdin;
5	2026-03-02 01:00:00Z	ben	acme	use
\.
SELECT is(pg_temp.failure('SELECT pql.version()'), '42501 permission denied for schema pql', 'and reaches nothing of pql''s');
RESET ROLE;
GRANT USAGE ON SCHEMA pql TO PUBLIC;
SELECT results_eq('SELECT account_id, user_id, events FROM pql.members ORDER BY 1, 2',
  $$VALUES ('acme', 'ada', 2::bigint), ('acme', 'ben', 1), ('acme', 'cho', 1), ('tiny', 'eve', 1)$$, 'all of it has become state');
SELECT results_eq('SELECT subject_id, score FROM pql.routing', $$VALUES ('acme', 100)$$, 'and a decision');
SELECT is_empty('SELECT * FROM pql.verify()', 'which is what the events say');
SET LOCAL ROLE pgtap_writer;
SELECT lives_ok('TRUNCATE log', 'truncates');
RESET ROLE;
SELECT is((SELECT count(*) FROM pql.members WHERE account_id = 'tiny'), 0::bigint, 'and that counts too');

--
-- A stranger may look into the schema, check a document, and do nothing more.
--

SET LOCAL ROLE pgtap_stranger;
SELECT lives_ok('SELECT pql.version()', 'everybody may ask for the version');
SELECT isnt_empty($$SELECT * FROM pql.check_program('{}')$$, 'everybody may check a document');
SELECT is(pg_temp.failure(statement), :unread, 'strangers are told what it takes: ' || statement)
FROM unnest(ARRAY[$$SELECT pql.score('p', 'acme')$$, $$SELECT pql.score('p', 'acme', '2026-03-01')$$,
  $$SELECT pql.score('unknown', 'acme')$$, $$SELECT * FROM pql.explain('p', 'acme')$$, $$SELECT * FROM pql.scoreboard('p')$$,
  $$SELECT * FROM pql.activation('p')$$, $$SELECT * FROM pql.activation('p', 'acme')$$]) AS statement;
SELECT is(pg_temp.failure('SELECT pql.state_digest()'), '42501 permission denied for table state', 'strangers get no digest');
SELECT is(pg_temp.failure('SELECT pql.story(1)'), '42501 permission denied for table routing', 'strangers read no story');
SELECT is(pg_temp.failure('CREATE TABLE pql.mine ()'), '42501 permission denied for schema pql', 'strangers put nothing into the schema');
SELECT is(pg_temp.failure('CREATE TEMP TABLE own (id int);'
    ' CREATE TRIGGER t AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION ' || p.oid::regproc || '()'),
  '42501 permission denied for function pql.' || p.proname, 'strangers have no trigger of pql''s: ' || p.proname)
FROM pg_proc AS p WHERE p.pronamespace = 'pql'::regnamespace AND p.prorettype = 'trigger'::regtype;
SELECT throws_ok(format('CALL pql.%I()', name), '42501', 'permission denied for procedure ' || name, 'strangers may not ' || name)
FROM unnest(ARRAY['backfill', 'fold', 'rebuild']) AS name;
SELECT is(pg_temp.failure('SELECT pql.' || call), '42501 permission denied for function ' || split_part(call, '(', 1),
  'strangers may not ' || call)
FROM unnest(ARRAY[$$attach('event', 'who', 'name', 'at')$$, $$detach('event')$$, $$retain('event', '2026-01-01')$$, $$set_mode('event', 'deferred')$$, $$publish('{}')$$,
  $$promote('p')$$, $$retire('p')$$, $$record_event('ada', 'use')$$, $$upsert_user_milestone('ada', 'signed_up')$$, 'verify()', 'tick()',
  'next_id()', $$merge_users('ada', 'eve')$$, $$merge_accounts('acme', 'globex')$$, $$move_user('ada', 'globex')$$, 'undo_merge(1)', $$erase_user('ada')$$, $$erase_account('acme')$$]) AS call;
-- Of views on views the inner one is named, from PostgreSQL 16 on the outer.
SELECT matches(pg_temp.failure('TABLE ' || c.oid::regclass), '^42501 permission denied for (table|view) '
  || CASE c.relname WHEN 'health' THEN '(health|_work_findings)' WHEN 'metrics' THEN '(metrics|_due)' ELSE c.relname END || '$',
  'strangers don''t read ' || c.relname)
FROM pg_class AS c WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname;
SELECT ok(NOT bool_or(has_table_privilege(c.oid, p)), 'and write none')
FROM pg_class AS c, unnest(:writes) AS p WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind IN ('r', 'v');
RESET ROLE;

--
-- Who reads scores: SELECT on two tables, both of them.
--

GRANT SELECT ON pql.state TO pgtap_scorer;
SET LOCAL ROLE pgtap_scorer;
SELECT is(pg_temp.failure($$SELECT pql.score('p', 'acme')$$),
  :unread, 'one table is not enough');
RESET ROLE;
REVOKE SELECT ON pql.state FROM pgtap_scorer;
GRANT SELECT ON pql.milestone_log TO pgtap_scorer;
SET LOCAL ROLE pgtap_scorer;
SELECT is(pg_temp.failure($$SELECT pql.score('p', 'acme')$$),
  :unread, 'nor is the other');
RESET ROLE;
GRANT SELECT ON pql.state TO pgtap_scorer;
SET LOCAL ROLE pgtap_scorer;
SELECT is(pql.score('p', 'acme'), 100, 'who may read both reads scores');
SELECT is(pql.score('p', 'acme', '2026-03-01'), 40, 'those of the past, which are computed from events, as well');
SELECT is((SELECT sum(points) FROM pql.explain('p', 'acme')), 100::bigint, 'their reasons');
SELECT is((SELECT score FROM pql.scoreboard('p') WHERE subject_id = 'acme'), 100, 'the scoreboard');
SELECT is((SELECT complete FROM pql.activation('p', 'acme')), true, 'the activation');
SELECT isnt(pql.state_digest(), NULL, 'and the digest');
SELECT is(pg_temp.failure('TABLE pql.routing'), '42501 permission denied for table routing', 'but no decisions');
SELECT is(pg_temp.failure('TABLE event'), '42501 permission denied for table event', 'and no events');
RESET ROLE;

-- Who reads decisions.
GRANT SELECT ON pql.routing TO pgtap_seller;
SET LOCAL ROLE pgtap_seller;
SELECT is((SELECT score FROM pql.routing WHERE subject_id = 'acme'), 100, 'who may read routing rows reads them');
SELECT matches((SELECT pql.story(routing_id) FROM pql.routing), 'acme reached 100 points: ', 'with their stories');
SELECT is(pg_temp.failure($$SELECT pql.score('p', 'acme')$$),
  :unread, 'but no scores of today');
RESET ROLE;

-- Who reads everything.
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO pgtap_analyst;
SET LOCAL ROLE pgtap_analyst;
SELECT lives_ok('TABLE ' || c.oid::regclass, 'who may read everything reads ' || c.relname)
FROM pg_class AS c WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY c.relname;
SELECT lives_ok('SELECT * FROM pql.' || call, 'who may read everything calls ' || call)
FROM unnest(ARRAY[$$score('p', 'acme')$$, $$explain('p', 'acme')$$, $$scoreboard('p')$$, $$activation('p')$$, 'state_digest()',
  'story((SELECT routing_id FROM pql.routing))']) AS call;
SELECT is((SELECT bool_and(intact) FROM pql.sources), true, 'and is told that sources are intact');
SELECT ok(NOT bool_or(has_table_privilege(c.oid, p)), 'but writes nothing')
FROM pg_class AS c, unnest(:writes) AS p WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind IN ('r', 'v');
SELECT is(pg_temp.failure('SELECT pql.tick()'), '42501 permission denied for function tick', 'and sets nothing going');
RESET ROLE;

--
-- Who records events without a table of their own, once pql.events is attached.
--

SELECT pql.record_event('fay', 'signup', 'acme', occurred_at => '2026-03-02') \g /dev/null
GRANT EXECUTE ON FUNCTION pql.record_event, pql.next_id TO pgtap_recorder;
GRANT USAGE ON SEQUENCE pql.id_seq TO pgtap_recorder;
GRANT SELECT ON pql.source TO pgtap_recorder;
GRANT SELECT, INSERT ON pql.events TO pgtap_recorder;
SET LOCAL ROLE pgtap_recorder;
SELECT lives_ok($$SELECT pql.record_event('gus', 'signup', 'acme', occurred_at => '2026-03-02')$$, 'whoever was granted it records events');
SELECT is(pg_temp.failure($$SELECT pql.upsert_user_milestone('gus', 'signed_up')$$),
  '42501 permission denied for function upsert_user_milestone', 'and does not state milestones');
RESET ROLE;
SELECT is((SELECT events FROM pql.members WHERE user_id = 'gus'), 1::bigint, 'which become state');
GRANT EXECUTE ON FUNCTION pql.merge_users, pql.undo_merge TO pgtap_recorder;
SET LOCAL ROLE pgtap_recorder;
SELECT lives_ok($$SELECT pql.undo_merge(pql.merge_users('gus', 'gustav'))$$, 'whoever was granted it merges users, and takes that back');
RESET ROLE;
GRANT EXECUTE ON FUNCTION pql.erase_user TO pgtap_recorder;
SET LOCAL ROLE pgtap_recorder;
SELECT lives_ok($$SELECT * FROM pql.erase_user('gus')$$, 'whoever was granted it erases users');
SELECT is(pql.record_event('gus', 'signup', 'acme', occurred_at => '2026-03-02'), NULL, 'of whom nobody records anything then');
RESET ROLE;
SELECT is((SELECT count(*) FROM pql.members WHERE user_id = 'gus'), 0::bigint, 'nor sees anything');

-- Who may execute a function still needs the rights of what it does.
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pql TO pgtap_stranger;
SET LOCAL ROLE pgtap_stranger;
SELECT is(pg_temp.failure($$SELECT pql.attach('event', 'who', 'name', 'at')$$), '42501 permission denied for table public.event; '
  'Attaching needs the TRIGGER and SELECT privileges on it: GRANT TRIGGER, SELECT ON public.event TO pgtap_stranger.',
  'attaching needs rights on the table');
SELECT is(left(pg_temp.failure('SELECT pql.' || call), 34), '42501 permission denied for table ', 'so does ' || call)
FROM unnest(ARRAY[$$detach('event')$$, $$retain('event', '2026-01-01')$$, $$promote('p')$$, $$retire('p')$$, $$record_event('ada', 'use')$$,
  $$upsert_user_milestone('ada', 'signed_up')$$]) AS call;
SELECT is(pg_temp.failure($$SELECT pql.score('p', 'acme')$$),
  :unread, 'and reading scores');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
