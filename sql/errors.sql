-- Bad input, and what it is answered: every function for users is called with one bad argument after the other, every table that
-- users write to gets bad rows, and so on. Whatever fails says what is wrong in words that the caller can act on. The rows below are
-- doc/errors.md (scripts/errors writes it). One that should be asked of a new function needs a good value in app.good.
SET client_min_messages = warning;
\set ECHO none
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA app;
CREATE TABLE app.canary (alive boolean NOT NULL);
INSERT INTO app.canary VALUES (true);
CREATE TABLE app.events (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text, props jsonb, zoneless timestamp);
CREATE INDEX ON app.events (org, at);
CREATE INDEX ON app.events (who, at);
CREATE TABLE app.others (LIKE app.events INCLUDING ALL); -- never attached
CREATE VIEW app.sight AS SELECT * FROM app.events;
CREATE TABLE app.accounts (id text PRIMARY KEY, plan text, employees int, since timestamptz, ok boolean);
CREATE TABLE app.people (id text PRIMARY KEY, org text, mail text);
CREATE TABLE app.projects (id text PRIMARY KEY, title text);
CREATE TABLE app.deals (id text PRIMARY KEY, org text, stage text, amount numeric, closed timestamptz);
CREATE TABLE app.messages (id bigint PRIMARY KEY, who text, org text, body text, at timestamptz, channel text);
INSERT INTO app.accounts VALUES ('acme', 'pro', 50, '2026-01-01', true), ('tiny', 'free', 2, '2026-01-01', false);
INSERT INTO app.people VALUES ('ada', 'acme', 'ada@acme.example'), ('ben', 'acme', 'ben@acme.example'), ('eve', 'tiny', 'eve@tiny.example');

SELECT count(*) > 0 FROM pql.attach('app.events', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', properties => 'props', clock => 'event') \g /dev/null
UPDATE pql.source SET max_event_age = '10000 days';
SELECT count(*) > 0 FROM pql.attach_accounts('app.accounts', 'id') \g /dev/null
SELECT count(*) > 0 FROM pql.attach_users('app.people', 'id', 'org') \g /dev/null
SELECT count(*) > 0 FROM pql.attach_facts('deal', 'app.deals', account_id => 'org') \g /dev/null
SELECT count(*) > 0 FROM pql.attach_conversations('app.messages', 'who', 'body', 'at', account_id => 'org', message_id => 'id') \g /dev/null
INSERT INTO pql.reps (rep_id, team, capacity) VALUES ('kim', 'sales', 10), ('lee', 'sales', 10);
CREATE FUNCTION app.program(more jsonb DEFAULT '{}') RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
  SELECT '{"program": "p", "unit": "account", "milestones": {"signed_up": {"event": "signup"}},
    "activation": {"steps": ["signed_up"], "within": "1 day"},
    "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "saturates_at": 2, "max_points": 60},
                "signup": {"kind": "activation", "milestone": "signed_up", "max_points": 40}},
    "qualify": {"enter": 90, "leave": 20},
    "motions": [{"otherwise": true, "motion": "inside_sales", "channel": "email"}],
    "limits": {"min_days_between_versions": 0}}'::jsonb || more $$;
SELECT pql.publish(app.program()) \g /dev/null
CALL pql.backfill();
SELECT pql.promote('p', override => 'for the test') \g /dev/null
INSERT INTO app.events VALUES (1, '2026-03-02 09:00', 'ada', 'acme', 'signup'), (2, '2026-03-02 09:30', 'ada', 'acme', 'use'), (3, '2026-03-02 10:00', 'ben', 'acme', 'use'),
  (4, '2026-03-02 10:30', 'ada', 'acme', 'use');
INSERT INTO pql.destination (destination, kind, url) VALUES ('hook', 'webhook', 'https://hook.example/');

--
-- What is tried
--
CREATE TABLE app.good (argument text PRIMARY KEY, literal text); -- of an argument of whatever function, or of function.argument
INSERT INTO app.good VALUES ('program', '''p'''), ('subject', '''acme'''), ('routing_id', '(SELECT min(routing_id) FROM pql.routing)'), ('events', '''app.events'''),
 ('as_of', '''2026-03-03'''), ('rep', '''kim'''), ('reason', '''why'''), ('channel', '''email'''), ('relation', '''app.deals'''), ('account_id', '''acme'''), ('user_id', '''ada'''),
 ('old_id','''ada'''),('new_id','''ben'''),('new_account_id','''tiny'''),('document','app.program()'),('destination','''hook'''),('delivery_id','1'),
 ('starts_at','''2026-03-01'''),('ends_at','''2026-03-05'''),('step','''1 day'''),('pilot_id','1'),('segment','''true'''),('kind','''deals'''),
 ('name','''signed_up'''),('event','''use'''),('message','''we need SAML'''),('outcome','''paid'''),('disposition','''nurture'''),('until','''2026-03-09'''),
 ('template','''hello'''),('address','''a@b.example'''),('merge_id','1'),('flag_id','1'),('signal','''usage'''),('part','1'),('whole','2'),('other_part','1'),('other_whole','3'),
 ('baseline','0.1'),('minimum_effect','0.1'),('deviation','200'),('mode','''sync'''),('since','''2026-03-01'''),('query','''SAML'''),('time_constant','''1 day'''),('worker','''w'''),
 ('error','''busy'''),('attempt','1'),('retry_at','''2026-03-05'''),('old_version','1'),('new_version','1'),('id','''id'''),('home','''a:acme'''),('n','1'),
 ('body','''body'''),('occurred_at','''at'''),
 ('publish.program','app.program()'),('save_draft.program','app.program()'),('preview.program','app.program()'),('preview_summary.program','app.program()'),('backtest.program','app.program()'),('backtest_episodes.program','app.program()'),
 ('attach.events','''app.others'''),('attach.user_id','''who'''),('attach.event','''name'''),
 ('attach_accounts.relation','''app.accounts'''),('attach_accounts.account_id','''id'''),('attach_users.relation','''app.people'''),('attach_users.user_id','''id'''),
 ('attach_workspaces.relation','''app.projects'''),('attach_workspaces.workspace_id','''id'''),
 ('attach_consent.given','''stage = ''''won'''''''),('attach_consent.account_id','''org'''), ('attach_consent.user_id','NULL'),
 ('attach_conversations.relation','''app.messages'''),('detach_conversations.relation','''app.messages'''),('rematch.relation','''app.messages'''),('attach_conversations.user_id','''who'''),
 ('attach_facts.account_id','''org'''),('attach_facts.user_id','NULL'),('attach_outcomes.account_id','''org'''),('attach_outcomes.user_id','NULL'),('attach_outcomes.outcome','''stage'''),
 ('attach_dispositions.disposition','''stage'''),('attach_dispositions.account_id','''org'''),('detach_facts.kind','''deal'''),('refresh_facts.kind','''deal'''),
 ('record_event.occurred_at','''2026-03-02'''),('search_conversations.relation','''app.messages'''),('on_shards.query','''SELECT 1'''),('on_home.query','''SELECT 1''');
CREATE TABLE app.bad (n int GENERATED ALWAYS AS IDENTITY, type text, literal text);
INSERT INTO app.bad (type, literal)
SELECT 'text', l FROM unnest(ARRAY['NULL', $$''$$, $$'  '$$, $$'nobody'$$, $$'x''"; DROP TABLE app.canary; --'$$, $$E'a\nb'$$, $$E'\u200B'$$, $$'%s %n \ $1'$$, $q$'$$;'$q$,
  $$repeat('x', 100000)$$, $$repeat('(', 20000)$$]) AS l
UNION ALL SELECT t, l FROM unnest(ARRAY['bigint', 'integer']) AS t, unnest(ARRAY['NULL', '0', '-1']) AS l
UNION ALL VALUES ('bigint', '9223372036854775807'), ('bigint', '(-9223372036854775808)'), ('integer', '2147483647'), ('integer', '(-2147483648)')
UNION ALL SELECT 'interval', l FROM unnest(ARRAY['NULL', $$'0'$$, $$'-1 day'$$, $$'1 month'$$, $$'178000000 years'$$, $$'1 microsecond'$$, $$'200000 days'$$]) AS l
UNION ALL SELECT 'timestamp with time zone', l FROM unnest(ARRAY['NULL', $$'infinity'$$, $$'-infinity'$$, $$'4714-11-24 BC'$$, $$'294276-12-31'$$, $$'1970-01-01'$$]) AS l
UNION ALL SELECT 'double precision', l FROM unnest(ARRAY['NULL', $$'NaN'$$, $$'Infinity'$$, $$'-Infinity'$$, '-1', '0', '2', '1e308', '1e-308']) AS l
UNION ALL SELECT 'numeric', l FROM unnest(ARRAY['NULL', $$'NaN'$$, $$'Infinity'$$, '-1', '1e1000']) AS l
UNION ALL SELECT 'jsonb', l FROM unnest(ARRAY['NULL', $$'null'$$, $$'{}'$$, $$'[]'$$, $$'1'$$, $$'"x"'$$, $$'{"": ""}'$$, $$'{"program": 1}'$$, $$(repeat('[', 5000) || repeat(']', 5000))::jsonb$$]) AS l
UNION ALL SELECT 'regclass', l FROM unnest(ARRAY['NULL', '0', '99', $$'pg_class'$$, $$'app.sight'$$, $$'app.events_pkey'$$, $$'pql.routing'$$, $$'app.others'$$, $$'app.nothing'$$]) AS l
UNION ALL VALUES ('boolean', 'NULL');

CREATE TABLE app.tried (n int GENERATED ALWAYS AS IDENTITY, topic text, shown text, statement text, answer text[]);

-- Every argument in turn; those of the others that a call needs are good.
INSERT INTO app.tried (topic, shown, statement)
WITH routine AS (
  SELECT p.* FROM pg_proc AS p WHERE p.pronamespace = 'pql'::regnamespace AND p.proname !~ '^_' AND p.prokind <> 'a'
    AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS t WHERE t IN ('internal'::regtype, 'cstring'::regtype) OR t::regtype::text LIKE 'pql.%')),
argument AS (
  SELECT p.oid, p.proname, p.prokind, a.i, a.name, format_type(p.proargtypes[a.i - 1], NULL) AS type,
         a.i <= p.pronargs - p.pronargdefaults OR own.literal IS NOT NULL AS needed, coalesce(own.literal, general.literal, 'NULL') AS good
  FROM routine AS p CROSS JOIN LATERAL unnest(p.proargnames) WITH ORDINALITY AS a (name, i)
    LEFT JOIN app.good AS own ON own.argument = p.proname || '.' || a.name LEFT JOIN app.good AS general ON general.argument = a.name
  WHERE coalesce(p.proargmodes[a.i], 'i') IN ('i', 'b', 'v')),
call AS (
  SELECT a.proname, a.i, b.n, a.prokind, format('pql.%s(%I => %s)', a.proname, a.name, b.literal) AS shown,
         (SELECT string_agg(format('%I => %s', o.name, CASE WHEN o.i = a.i THEN b.literal ELSE o.good END), ', ' ORDER BY o.i)
          FROM argument AS o WHERE o.oid = a.oid AND (o.needed OR o.i = a.i)) AS arguments
  FROM argument AS a JOIN app.bad AS b USING (type)
  UNION ALL
  SELECT p.proname, 0, 0, p.prokind, format('pql.%s(%s)', p.proname, CASE WHEN p.pronargs > 0 THEN '…' END),
         (SELECT string_agg(format('%I => %s', o.name, o.good), ', ' ORDER BY o.i) FROM argument AS o WHERE o.oid = p.oid AND o.needed)
  FROM routine AS p)
SELECT 'Functions', shown, format('%s pql.%s(%s)', CASE prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT * FROM' END, proname, arguments) FROM call ORDER BY proname, i, n, arguments COLLATE "C";

-- Documents
INSERT INTO app.tried (topic, shown, statement)
SELECT 'Documents of programs', d, format('SELECT pql.publish(app.program(''{"qualify": {"enter": 4, "leave": 2}}''::jsonb || %L))', d) FROM unnest(ARRAY[
 '{"program": null}', '{"program": ""}', '{"program": "x''; DROP TABLE app.canary; --"}', '{"unit": "galaxy"}', '{"unit": null}',
  '{"unit": "user"}', '{"colour": "red"}', '{"objective": "world peace"}',
 '{"signals": {}}', '{"signals": []}', '{"signals": {"x": {}}}', '{"signals": {"x": {"kind": "mood", "event": "use", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "soon", "max_points": 5}}}',
 '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "1 month", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "-1 day", "max_points": 5}}}',
 '{"signals": {"x": {"kind": "depth", "event": "use", "window": "0", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "1 day", "max_points": 1e400}}}', '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "1 day", "max_points": -5000000}}}',
 '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "1 day", "max_points": "many"}}}',
  '{"signals": {"x": {"kind": "depth", "event": "use", "half_life": "1 day", "saturates_at": 0, "max_points": 5}}}',
 '{"signals": {"x": {"kind": "fit", "value": "attr.nothing", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "fit", "value": "(SELECT 1)", "max_points": 5}}}', '{"signals": {"x": {"kind": "fit", "value": "1/0", "max_points": 5}}}',
 '{"signals": {"x": {"kind": "fit", "value": "pg_read_file(''/etc/passwd'')", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "fit", "value": "1; DROP TABLE app.canary", "max_points": 5}}}', '{"signals": {"x": {"kind": "fit", "value": "app.program()", "max_points": 5}}}',
 '{"signals": {"x": {"kind": "fit", "value": "random()", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "fit", "value": "''1''::app.canary", "max_points": 5}}}', '{"signals": {"x": {"kind": "fit", "value": "count(*)", "max_points": 5}}}', '{"signals": {"x": {"kind": "fit", "value": "''a''", "max_points": 5}}}',
 '{"signals": {"x": {"kind": "fit", "value": "$1", "max_points": 5}}}', '{"signals": {"x": {"kind": "fit", "value": "", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "activation", "milestone": "unknown", "max_points": 5}}}', '{"signals": {"x": {"kind": "intent", "topic": "unknown", "half_life": "1 day", "max_points": 5}}}',
 '{"signals": {"a b": {"kind": "depth", "event": "use", "half_life": "1 day", "max_points": 5}}}',
  '{"signals": {"x": {"kind": "depth", "event": "use", "where": "props ->> 1 = 2", "half_life": "1 day", "max_points": 5}}}', '{"signals": {"x": {"kind": "depth", "event": "use", "where": "now() > as_of", "half_life": "1 day", "max_points": 5}}}',
 '{"qualify": {}}', '{"qualify": {"enter": "high"}}', '{"qualify": {"enter": 10, "leave": 20}}', '{"qualify": {"enter": 10, "dwell": "-1 day"}}',
  '{"qualify": {"enter": 10, "when": "score"}}', '{"qualify": {"enter": 10, "required_kinds": ["mood"]}}', '{"qualify": {"enter": 10, "min_kinds": 99}}',
 '{"milestones": {"m": {}}}', '{"milestones": {"m": {"event": 7}}}', '{"milestones": {"": {"event": "x"}}}',
  '{"activation": {"steps": [], "within": "1 day"}}', '{"activation": {"steps": ["unknown"], "within": "1 day"}}', '{"activation": {"steps": ["signed_up", "signed_up"], "within": "1 day"}}', '{"activation": {"steps": ["signed_up"], "within": "1 year"}}',
 '{"motions": []}', '{"motions": [{"motion": "fax"}]}', '{"motions": [{"when": "true", "motion": "email"}]}',
  '{"motions": [{"otherwise": true, "motion": "email", "after": "2 days", "by": "1 day"}]}', '{"guardrails": [{"block_when": "1", "reason": "x"}]}', '{"guardrails": [{"block_when": "true"}]}',
 '{"examples": [{"subject": "acme", "expect": "glory"}]}', '{"examples": [{"subject": "acme", "expect": "not_qualified"}]}', '{"holdout": 2}',
  '{"holdout": "half"}', '{"limits": {"min_days_between_versions": -1}}', '{"segment": "score > 5"}', '{"quiet_hours": "always"}']) AS d;

-- Rows. Those that are taken must not keep events from being inserted.
INSERT INTO app.tried (topic, shown, statement)
SELECT 'Rows of tables', s, s || '; CALL app.go_on()' FROM unnest(ARRAY[
 'INSERT INTO pql.reps (rep_id, team) VALUES (NULL, ''sales'')', 'INSERT INTO pql.reps (rep_id, team) VALUES ('''', ''sales'')',
  'INSERT INTO pql.reps (rep_id, team) VALUES (''kim'', ''sales'')',
 'INSERT INTO pql.reps (rep_id, team, zone) VALUES (''max'', ''sales'', ''Atlantis'')',
  'INSERT INTO pql.reps (rep_id, team, working_hours) VALUES (''max'', ''sales'', ''{"mon": ["9", "17"]}'')', 'INSERT INTO pql.reps (rep_id, team, working_hours) VALUES (''max'', ''sales'', ''[]'')',
 'INSERT INTO pql.reps (rep_id, team, working_hours) VALUES (''max'', ''sales'', ''{"someday": []}'')',
  'INSERT INTO pql.reps (rep_id, team, capacity) VALUES (''max'', ''sales'', -1)', 'INSERT INTO pql.reps (rep_id, team, weight) VALUES (''max'', ''sales'', ''NaN'')', 'INSERT INTO pql.reps (rep_id, team, weight) VALUES (''max'', ''sales'', ''Infinity'')', 'INSERT INTO pql.reps (rep_id, team, weight) VALUES (''max'', ''sales'', -1)',
 'INSERT INTO pql.reps (rep_id, team, ramp_from, ramp_for) VALUES (''max'', ''sales'', ''infinity'', ''-1 day'')',
  'INSERT INTO pql.reps (rep_id, team, away) VALUES (''max'', ''sales'', ''{[2026-01-02, 2026-01-01)}'')', 'INSERT INTO pql.reps (rep_id, team, db_role) VALUES (''max'', ''sales'', ''no_such_role'')', 'UPDATE pql.reps SET team = NULL', 'INSERT INTO pql.reps (rep_id, team, segments) VALUES (''max'', ''sales'', ''{NULL}'')',
 'INSERT INTO pql.team VALUES ('''', NULL, NULL)', 'INSERT INTO pql.team VALUES (''east'', ''Mars/North'', NULL)',
  'INSERT INTO pql.team VALUES (''east'', NULL, ''"always"'')', 'INSERT INTO pql.holidays VALUES (''DE'', ''infinity'', ''never'')', 'INSERT INTO pql.holidays VALUES (NULL, ''2026-01-01'', NULL)',
 'INSERT INTO pql.territories (attribute, "values", team) VALUES ('''', ''{}'', ''sales'')',
  'INSERT INTO pql.territories (attribute, "values") VALUES (''country'', ''{DE}'')', 'INSERT INTO pql.territories (attribute, "values", rep_id) VALUES (''country'', ''{DE}'', ''nobody'')', 'INSERT INTO pql.account_owner (account_id, rep_id) VALUES (''acme'', ''nobody'')', 'INSERT INTO pql.account_owner (account_id, rep_id) VALUES ('''', ''kim'')',
 'INSERT INTO pql.consent (unit, subject_id, granted, at) VALUES (''galaxy'', ''acme'', true, now())',
  'INSERT INTO pql.consent (unit, subject_id, granted, at) VALUES (''account'', '''', true, now())', 'INSERT INTO pql.consent (unit, subject_id, granted, at) VALUES (''account'', ''acme'', true, ''infinity'')', 'INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES (''account'', ''acme'', ''Brief Post'', true, now())',
 'INSERT INTO pql.internal_domain VALUES ('''', ''own'')', 'INSERT INTO pql.internal_domain VALUES (''rival.example'', ''foe'')',
  'INSERT INTO pql.internal_domain VALUES (''a@rival.example'', ''competitor'')', 'INSERT INTO pql.free_mail_domain VALUES ('''')', 'INSERT INTO pql.free_mail_domain VALUES (''Mail.Example'')',
 'INSERT INTO pql.lexicon (topic, language, kind, pattern) VALUES (''x'', ''en'', ''phrase'', '''')',
  'INSERT INTO pql.lexicon (topic, language, kind, pattern) VALUES (''x'', ''en'', ''regex'', ''('')',
  'INSERT INTO pql.lexicon (topic, language, kind, pattern) VALUES (''x'', ''en'', ''regex'', ''(a+)+\1'')',
  'INSERT INTO pql.lexicon (topic, language, kind, pattern) VALUES (''x'', ''klingon'', ''phrase'', ''x'')', 'INSERT INTO pql.lexicon (topic, language, kind, pattern) VALUES (''x'', ''en'', ''mood'', ''x'')', 'INSERT INTO pql.lexicon (topic, language, kind, pattern) VALUES (''X Y'', ''en'', ''phrase'', ''x'')',
 'INSERT INTO pql.destination (destination, kind, url) VALUES ('''', ''webhook'', ''https://a.example/'')',
  'INSERT INTO pql.destination (destination, kind, url) VALUES (''d'', ''pigeon'', ''https://a.example/'')',
  'INSERT INTO pql.destination (destination, kind, url) VALUES (''d'', ''webhook'', NULL)',
  'INSERT INTO pql.destination (destination, kind, url) VALUES (''d'', ''webhook'', ''file:///etc/passwd'')',
  'INSERT INTO pql.destination (destination, kind, url, settings) VALUES (''d'', ''webhook'', ''https://a.example/'', ''[]'')',
  'INSERT INTO pql.destination (destination, kind, url, audience) VALUES (''d'', ''webhook'', ''https://a.example/'', ''world'')',
  'INSERT INTO pql.destination (destination, kind, url, events) VALUES (''d'', ''webhook'', ''https://a.example/'', ''{birth}'')',
  'INSERT INTO pql.destination (destination, kind, url, per_second) VALUES (''d'', ''webhook'', ''https://a.example/'', ''NaN'')',
  'INSERT INTO pql.destination (destination, kind, url, per_second) VALUES (''d'', ''webhook'', ''https://a.example/'', 0)',
  'INSERT INTO pql.destination (destination, kind, url, burst) VALUES (''d'', ''webhook'', ''https://a.example/'', 0)',
  'INSERT INTO pql.destination (destination, kind, url, max_attempts) VALUES (''d'', ''webhook'', ''https://a.example/'', -1)', 'INSERT INTO pql.destination (destination, kind, url, timeout) VALUES (''d'', ''webhook'', ''https://a.example/'', ''-1 s'')', 'INSERT INTO pql.destination (destination, kind, url, motions) VALUES (''d'', ''webhook'', ''https://a.example/'', ''{fax}'')',
 'UPDATE pql.source SET max_event_age = ''-1 day''', 'UPDATE pql.source SET max_event_age = ''1 month''',
  'UPDATE pql.source SET max_future = ''-1 day''', 'UPDATE pql.source SET dedup = ''1 month''',
  'UPDATE pql.source SET max_event_age = ''178000000 years''', 'UPDATE pql.source SET max_future = ''178000000 years''', 'UPDATE pql.source SET dedup = ''178000000 years''', 'UPDATE pql.source SET clock = ''sundial''', 'UPDATE pql.source SET mode = ''never''', 'UPDATE pql.source SET event = ''nothing''', 'UPDATE pql.source SET relation = ''app.others''',
 'INSERT INTO pql.events (user_id, event, occurred_at) VALUES (NULL, ''use'', now())',
  'INSERT INTO pql.events (user_id, event, occurred_at) VALUES (''ada'', NULL, now())', 'UPDATE pql.routing SET state = ''lost''', 'UPDATE pql.program SET document = ''{}''', 'DELETE FROM pql.program']) AS s;

INSERT INTO app.tried (topic, shown, statement)
SELECT 'Settings', s, s FROM unnest(ARRAY['SET pql.backfill_batch = 0', 'SET pql.backfill_batch = -1', 'SET pql.backfill_batch = 99999999999',
  'SET pql.backfill_batch = ''many''', 'SET pql.fold_batch = 0', 'SET pql.tick_batch = 0', 'SET pql.tick_batch = ''NaN''', 'SET pql.rep = ''no such rep''', 'SET pql.worker = ''perhaps''', 'SET pql.worker_interval = ''1 ms''', 'SET pql.worker_interval = ''-1''', 'SET pql.worker_timeout = ''1 fortnight''', 'SET pql.worker_role = ''nobody''', 'SET pql.no_such_setting = 1']) AS s;

-- Of two events; what is about their times has its own rows.
INSERT INTO app.tried (topic, shown, statement)
SELECT 'Aggregates', left(s, 100), 'SELECT pql.' || s || ' FROM (VALUES (1, timestamptz ''2026-03-01'', ''a''), (2, ''2026-03-02'', NULL)) AS e (n, ts, name)' FROM unnest(ARRAY[
 'decay_sum(''1 day'', ''infinity''::timestamptz)', 'events_agg(''-infinity''::timestamptz, true)', 'session_agg(''1 hour'',
  ''infinity''::timestamptz)', 'decay_sum(NULL, ts)', 'decay_sum(''0'', ts)', 'decay_sum(''-1 day'', ts)', 'decay_sum(''1 month'', ts)',
  'decay_sum(interval ''178000000 years'', ts)', 'decay_sum(''1 day'', ts, ''NaN'')', 'decay_sum(''1 day'', ts, ''Infinity'')', 'decay_sum(''1 day'', ts, 1e308)', 'decay_sum((n || '' days'')::interval, ts)', 'decay_score(pql.decay_agg(''1 day'', ts), ''infinity'')', 'decay_score(NULL, ''2026-03-01'')', 'decay_agg(''1 day'', name)', 'half_life(''-1 day'')',
 'window_count_agg(ts, ''{}'')', 'window_count_agg(ts, NULL)', 'window_count_agg(ts, ''{NULL}'')', 'window_count_agg(ts, ''{1 month}'')',
  'window_count_agg(ts, ''{-1 day}'')', 'window_count_agg(ts, ''{{1 day},{2 days}}'')', 'count_in(pql.window_count_agg(ts, ''{1 day}''), ''2026-03-01'', ''2 days'')', 'count_in(pql.window_count_agg(ts, ''{1 day}''), ''infinity'', ''1 day'')',
 'top(pql.count_map_agg(name), 0)', 'top(pql.count_map_agg(name), -1)', 'count_map_agg(repeat(name, 1000000))', 'count_map_agg(name, -1)',
  'count_map_agg(name, 9223372036854775807) OPERATOR(pql.||) pql.count_map_agg(name, 9223372036854775807)',
 'session_agg(''0'', ts)', 'session_agg(''-1 hour'', ts)', 'session_agg(''1 month'', ts)', 'session_agg(NULL, ts)',
  'time_in_product(pql.session_agg(''1 hour'', ts), ''-1 hour'')', 'session_agg((n || '' hours'')::interval, ts)',
 'events_agg(ts)', 'events_agg(ts, n)', 'events_agg(ts, 0)', 'events_agg(ts, 33)', 'events_agg(ts, -1)',
  'events_agg(ts, VARIADIC ''{}''::boolean[])', 'events_agg(ts, VARIADIC array_fill(true, ARRAY[100]))', 'events_agg(ts, VARIADIC NULL::boolean[])',
 'window_funnel(pql.events_agg(ts, true, true), ''-1 day'')', 'window_funnel(pql.events_agg(ts, true, true), ''1 month'')',
  'window_funnel(pql.events_agg(ts, true, true), NULL)', 'window_funnel(pql.events_agg(ts, true, true), ''1 day'', ''{nonsense}'')', 'window_funnel(pql.events_agg(ts, true, true), ''1 day'', ''{NULL}'')', 'window_funnel(''1 day'', ts, n > 0)', 'funnel_histogram(n, 0)', 'funnel_histogram(n, -1)', 'funnel_histogram(99, 2)',
 'sequence_match(pql.events_all_agg(ts, true, false), '''')', 'sequence_match(pql.events_all_agg(ts, true, false), ''(?1'')',
  'sequence_match(pql.events_all_agg(ts, true, false), ''(?9)'')', 'sequence_match(pql.events_all_agg(ts, true, false), ''(?t>)'')',
  'sequence_match(pql.events_all_agg(ts, true, false), repeat(''(?1)'', 5000))', 'sequence_match(pql.events_all_agg(ts, true, false), NULL)',
  'sequence_match(''(?1)(?t<-1)(?2)'', ts, true, false)', 'sequence_match(name, ts, true, false)',
  'sequence_events(pql.events_all_agg(ts, true, false), ''(?1)'', ''middling'')', 'sequence_count(pql.events_agg(ts, true, false), ''(?1)'')',
  'next_event(pql.events_all_agg(ts, true, false), ''{}'')', 'next_event(pql.events_all_agg(ts, true, false), ''{9}'')', 'next_event(pql.events_all_agg(ts, true, false), ''{1}'', ''sideways'')', 'next_event(pql.events_all_agg(ts, true, false), ''{1}'', ''forward'', ''bottom'')',
 'journey_agg(ts, NULL)', 'journey_agg(ts, name, -1, 5)', 'journey_agg(ts, name, 2147483647, 2147483647)', 'journey_agg(ts, repeat(name, 1000000))',
  'journey_text(pql.journey_agg(ts, name), NULL)', 'next_after(pql.journey_agg(ts, name), NULL)',
 'retention_agg(VARIADIC ''{}''::boolean[])', 'retention_agg(VARIADIC array_fill(true, ARRAY[100]))', 'cohort_retention_agg(ts, ''0'')',
  'cohort_retention_agg(ts, ''1 month'')', 'cohort_retention_agg(ts, ''-1 day'')', 'cohort_retention_agg(ts, NULL)',
 'active_users_agg(name, NULL)', 'count_active_users(NULL)', 'active_users_upto(pql.active_users_agg(name), -1)',
 'rollup(''x''::pql.decay_state)', 'rollup(''''::pql.decay_state)', 'rollup(''\x00''::pql.journey_state)', 'rollup(''{}''::pql.session_state)',
  'state_info(NULL::pql.decay_state)', 'decay_agg(''1 day'', ts) OPERATOR(pql.||) pql.decay_agg(''2 days'', ts)',
  'rollup(s) FROM (SELECT pql.session_agg(''1 hour'', ts) AS s FROM (VALUES (timestamptz ''2026-03-01'')) AS e (ts) UNION ALL SELECT pql.session_agg(''2 hours'', ts) FROM (VALUES (timestamptz ''2026-03-01'')) AS e (ts)) AS x --', 'decay_sum(''1 day'', 4)', 'decay_sum(4, 4)', 'decay_sum(4::pql.epoch_span, ts)']) AS s;

--
-- What it is answered
--
CREATE PROCEDURE app.go_on() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO app.events VALUES (11, '2026-03-02 11:00', 'nia', 'nova', 'signup'), (12, '2026-03-02 11:30', 'nia', 'nova', 'use'), (13, '2026-03-02 12:00', 'nia', 'nova', 'use'), (14, 'infinity', 'nia', 'nova', 'use');
  PERFORM FROM pql.tick();
END $$;
CREATE FUNCTION app.answer(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; context text;
BEGIN
  EXECUTE statement;
  SET CONSTRAINTS ALL IMMEDIATE;
  RAISE EXCEPTION USING ERRCODE = 'TRIED';
EXCEPTION WHEN SQLSTATE 'TRIED' THEN
  RETURN '{}';
WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
  RETURN ARRAY[SQLSTATE, message, detail, hint, context];
END $$;
UPDATE app.tried AS t SET answer = app.answer(t.statement);

-- As it is printed: in one line, without what is different each time, or from version to version, or too long to read.
CREATE FUNCTION app.line(t text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT replace(replace(replace(replace(regexp_replace(regexp_replace(t, '\((\d+) ms \.\. (\d+) ms\)', '(\1 .. \2)'), '(.)\1{29,}', '\1\1\1…', 'g'), E'\n', '\n'), E'\u200B', '\u200B'), '|', '\|'), 'at or near "(", at character 9997', 'at or near "("') $$;
CREATE FUNCTION app.words(t text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
  SELECT CASE WHEN t LIKE 'Failing row contains %' OR t LIKE 'Key (relation)=%' THEN '' ELSE regexp_replace(app.line(t), '([*_<])', '\\\1', 'g') END $$;
-- What several functions say in the same words is here once, of the first one.
CREATE TABLE app.rows AS
  SELECT n, topic, format('| `%s` | %s | %s | %s |', app.line(shown), coalesce(answer[1], ''), coalesce('`' || app.line(answer[2]) || '`', 'taken'),
                          concat_ws(' ', nullif(app.words(answer[3]), ''), nullif(app.words(answer[4]), ''))) AS line
  FROM (SELECT t.*, row_number() OVER (PARTITION BY topic, CASE WHEN topic <> 'Functions' THEN n END, answer[1], regexp_replace(answer[2], '"[^"]*("|$)|-?[0-9]+', '…', 'g'), answer[4] ORDER BY n) AS place FROM app.tried AS t) AS t
  WHERE place = 1 AND (topic <> 'Functions' OR answer <> '{}');
SELECT CASE WHEN place = 1 THEN format(E'\n## %s\n\n| tried | SQLSTATE | error | what is said besides |\n| --- | --- | --- | --- |\n', topic) ELSE '' END || line
FROM (SELECT *, row_number() OVER (PARTITION BY topic ORDER BY n) AS place FROM app.rows) AS r ORDER BY n;

-- Nothing internal, nothing of PL/pgSQL's own, nothing without words; nothing was executed, and all is as it was.
SELECT 'not for people', shown, answer[1:4] FROM app.tried WHERE answer[1] ~ '^(XX|P0|26|34|2D|25P|3B|42P0[^127])' OR answer[1] = '42804' AND topic = 'Functions' OR btrim(answer[2]) = '';
SELECT count(*) >= 2000 AND count(*) FILTER (WHERE answer <> '{}') >= 1000 AS enough FROM app.tried;
SELECT * FROM app.canary;
SELECT * FROM pql.verify();
SELECT program, version, status FROM pql.program;
SELECT subject_id, state, score FROM pql.routing;
DROP EXTENSION pql CASCADE;
DROP SCHEMA app CASCADE;
