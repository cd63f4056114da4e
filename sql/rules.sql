-- Rules over subjects: what each may name, what is wrong with it and where, what it says of a subject, and what becomes of it when
-- it fails.
-- covers: S2-17, S3-2
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, name text, props jsonb);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props', clock => 'event');

-- A document on accounts with these rules, each at its place: segment, value of a measure, value of a signal, when, one of at_least, when of
-- a motion, block_when. The rest of it is right.
CREATE FUNCTION pg_temp.program(name text, segment text DEFAULT 'true', measure text DEFAULT '1', signal text DEFAULT '1', "when" text DEFAULT 'true',
                                one_of text DEFAULT 'true', motion text DEFAULT 'true', block text DEFAULT 'false', unit text DEFAULT 'account') RETURNS jsonb
LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', name, 'unit', unit, 'segment', segment,
    'milestones', '{"signed_up": {"event": "signup"}, "paid": {"event": "pay", "where": "props->>''n'' is not null"}}'::jsonb,
    'measures', jsonb_build_object('weight', jsonb_build_object('value', measure), 'calls', '{"event": "call", "half_life": "7 days"}'::jsonb),
    'signals', jsonb_build_object('api_calls', '{"kind": "depth", "event": "call", "half_life": "7 days", "points_each": 2, "max_points": 20}'::jsonb,
      'came', '{"kind": "activation", "milestone": "signed_up", "max_points": 10}'::jsonb,
      'fit', jsonb_build_object('kind', 'fit', 'value', signal, 'max_points', 50)),
    'qualify', jsonb_build_object('enter', 10, 'leave', 5, 'when', "when", 'at_least', jsonb_build_object('count', 1, 'of', jsonb_build_array('false', one_of))),
    'motions', jsonb_build_array(jsonb_build_object('when', motion, 'motion', 'enterprise'), '{"otherwise": true, "motion": "email"}'::jsonb),
    'guardrails', jsonb_build_array(jsonb_build_object('block_when', block, 'reason', 'too small')))
$$;

--
-- Before anything is attached
--

SELECT path, problem, hint FROM pql._check_rules(pg_temp.program('p', segment => 'attr.plan = ''free'''));
SELECT path, problem, hint FROM pql._check_rules(pg_temp.program('p', segment => 'account.plan = ''free'''));
SELECT path, problem, hint FROM pql._check_rules(pg_temp.program('p', segment => 'attr.plan = account.plan', unit => 'user'));

-- Attributes, as attach_accounts and attach_users keep them.
INSERT INTO pql.attribute_source (unit, schema_name, relation_name, owner, key_column, usable_columns, usable_types, watched)
VALUES ('account', 'crm', 'accounts', 'x', 'id', '{plan,employees,mrr,score,big,paying,since,day,ratio,key,doc,"Odd name",quiet,few}',
        '{text,integer,numeric,"double precision",bigint,boolean,"timestamp with time zone",date,real,uuid,jsonb,"character varying",interval,smallint}', false),
       ('user', 'crm', 'users', 'x', 'id', '{role}', '{text}', false);

--
-- What each may name
--

SELECT path, problem, hint FROM pql._check_rules(pg_temp.program('right', segment => 'attr.plan in (''free'', ''team'') and attr.employees between 20 and 2000',
  measure => 'attr.employees + calls + users_active', signal => 'case when milestone.signed_up is null then attr.mrr / 10 else extract(epoch from as_of - milestone.signed_up) / 864000 end',
  "when" => 'weight > 100 and calls < 5 or users_active > 7 and attr.mrr between 500 and 1667 and score >= 10',
  one_of => 'signal.fit > 1 and points.api_calls >= 0 and kind.fit > 10 and kind.risk = 0', motion => 'now() > milestone.paid and as_of > attr.since',
  block => 'attr."Odd name" is null and not attr.paying'));
-- all in one pass, each at its path, with its character
SELECT path, problem, hint FROM pql._check_rules(pg_temp.program('wrong', segment => 'attr.plam = ''free''', measure => 'attr.employees >', signal => 'weight + 1',
  "when" => 'usage > 100', one_of => '(select true)', motion => 'signal.apicalls > 0', block => 'attr.mrr + 1')) ORDER BY path COLLATE "C";
-- nothing rests on what comes after it
SELECT path, problem, hint FROM unnest(ARRAY['score', 'points.fit', 'kind.fit', 'signal.api_calls', 'weight']) AS r, pql._check_rules(pg_temp.program('p', measure => r));
SELECT path, problem, hint FROM unnest(ARRAY['score', 'points.fit', 'kind.fit', 'signal.api_calls', 'weight']) AS r, pql._check_rules(pg_temp.program('p', segment => r || ' > 1'));
SELECT path, problem, hint FROM unnest(ARRAY['props->>''n'' = ''1''', 'event = ''x''', 'occurred_at > as_of', 'account.plan = ''x''', 'milestone.sigend_up is null', 'kind.intend > 1',
  'employees > 5', 'attr.mrr::text = ''x''', 'attr.since::date > ''2026-01-01''', 'random() > attr.mrr', 'count(*) > 1', 'sum(score) over () > 1', 'pql.version() = attr.plan',
  'attr.doc->>''tier'' = 1', 'attr.paying = 1', '1', 'milestone.signed_up > as_of - interval ''14 days''', 'current_date > attr.since', '', 'true; drop table ev']) WITH ORDINALITY AS t(r, n),
  pql._check_rules(pg_temp.program('p', "when" => r)) ORDER BY n;
-- a program on users
SELECT path, problem, hint FROM pql._check_rules(pg_temp.program('p', segment => 'attr.role = ''admin'' and account.plan = ''free''', "when" => 'attr.plan = ''free''', unit => 'user'));
-- events' rules of measures, too
SELECT path, problem, hint FROM pql._check_rules(jsonb_set(pg_temp.program('p'), '{measures,calls,where}', '"propz is null"'));

-- which columns they name
SELECT * FROM pql._program_attributes(pg_temp.program('p', segment => 'attr.plan = ''free''', "when" => 'attr.mrr > attr.employees and attr.plan is not null'));
SELECT * FROM pql._program_attributes(pg_temp.program('p', segment => 'attr.role = ''admin''', block => 'account.plan = ''free''', unit => 'user'));

--
-- What they say of a subject
--

-- Trackers for all of them: a program without rules.
SELECT pql.publish('{"program": "plain", "unit": "account", "milestones": {"signed_up": {"event": "signup"}, "paid": {"event": "pay", "where": "props->>''n'' is not null"}},
  "signals": {"api_calls": {"kind": "depth", "event": "call", "half_life": "7 days", "points_each": 2, "max_points": 20}, "came": {"kind": "activation", "milestone": "signed_up", "max_points": 10}},
  "qualify": {"enter": 30, "leave": 5}, "motions": [{"otherwise": true, "motion": "email"}]}');
SELECT pql.publish('{"program": "plain_user", "unit": "user", "milestones": {"signed_up": {"event": "signup"}, "paid": {"event": "pay", "where": "props->>''n'' is not null"}},
  "signals": {"api_calls": {"kind": "depth", "event": "call", "half_life": "7 days", "points_each": 2, "max_points": 20}, "came": {"kind": "activation", "milestone": "signed_up", "max_points": 10}},
  "qualify": {"enter": 30, "leave": 5}, "motions": [{"otherwise": true, "motion": "email"}]}');
INSERT INTO ev SELECT g, '2026-01-01'::timestamptz + g * interval '1 day', 'u' || g % 3, 'acme', CASE WHEN g = 1 THEN 'signup' ELSE 'call' END FROM generate_series(1, 5) AS g;
INSERT INTO ev VALUES (50, '2026-01-05', 'u0', 'tiny', 'call'), (51, '2025-11-01', 'u9', 'acme', 'call');
INSERT INTO pql.attribute VALUES
  ('a:acme', '-infinity', NULL, '{"plan": "free", "employees": 120, "mrr": 512.5, "score": 1.5, "big": 9007199254740993, "paying": true, "since": "2025-06-01T00:00:00+02:00", "day": "2025-06-01",
    "ratio": 0.5, "key": "00000000-0000-0000-0000-000000000001", "doc": {"tier": "gold"}, "Odd name": "x", "quiet": "1 day 02:00:00", "few": 7}'),
  ('a:tiny', '-infinity', NULL, '{"plan": null, "employees": "many", "mrr": "NaN", "score": 1e400, "big": 1e30, "paying": "maybe", "since": "soon", "day": 5, "ratio": 1e300, "key": "k", "quiet": true, "few": 70000}'),
  ('u:u0', '-infinity', 'acme', '{"role": "admin"}');
-- What is published goes through here; rules aren't served yet, so that the row is written. A version takes the place of the one before.
CREATE FUNCTION pg_temp.force(made jsonb) RETURNS void LANGUAGE sql AS $$
  UPDATE pql.program SET status = 'retired' WHERE status = 'live';
  INSERT INTO pql.program (program_id, program, version, status, document)
  SELECT coalesce(max(p.program_id) FILTER (WHERE p.program = made->>'program'), max(p.program_id) + 1), made->>'program',
         coalesce(max(p.version) FILTER (WHERE p.program = made->>'program'), 0) + 1, 'live', made
  FROM pql.program AS p
$$;
-- What a rule in a place says of acme and of tiny.
CREATE FUNCTION pg_temp.try(rule text, place text DEFAULT 'when', unit text DEFAULT 'account') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  out text;
BEGIN
  PERFORM pg_temp.force(CASE place WHEN 'when' THEN pg_temp.program('try', "when" => rule, unit => unit) WHEN 'segment' THEN pg_temp.program('try', segment => rule, unit => unit)
    ELSE pg_temp.program('try', signal => rule, unit => unit) END);
  SELECT rule || ': ' || string_agg(s || ' ' || CASE place WHEN 'when' THEN a.rules::text WHEN 'segment' THEN a.in_segment::text
      ELSE (SELECT coalesce(round(e.value::numeric, 3)::text, 'null') FROM pql.explain('try', s) AS e WHERE e.signal = 'fit') END, ', ' ORDER BY n) || CASE WHEN bool_or(a.moves) THEN ' (moves)' ELSE '' END
  INTO out FROM unnest(CASE unit WHEN 'user' THEN '{u0,u1}'::text[] ELSE '{acme,tiny,nobody}' END) WITH ORDINALITY AS x(s, n), pql._assess('try', s) AS a;
  RETURN out;
END $$;
SELECT pg_temp.try(r) FROM unnest(ARRAY[
  'attr.plan = ''free''', 'attr.plan is null', 'attr.employees between 100 and 200', 'attr.employees is null', 'attr.mrr > 500', 'attr.mrr = ''NaN''', 'attr.mrr is null',
  'attr.score = 1.5', 'attr.score is null', 'attr.big = 9007199254740993', 'attr.big is null', 'attr.paying', 'attr.paying is null',
  'attr.since = ''2025-05-31 22:00+00''', 'attr.since is null', 'attr.day = ''2025-06-01''', 'attr.day is null', 'attr.ratio = 0.5', 'attr.ratio is null',
  'attr.key = ''00000000-0000-0000-0000-000000000001''', 'attr.key is null', 'attr.doc->>''tier'' = ''gold''', 'attr.doc is null', 'attr."Odd name" = ''x''',
  'attr.quiet > interval ''25 hours''', 'attr.quiet is null', 'attr.few = 7', 'attr.few is null',
  'users_active = 3', 'users_active = 1', 'calls > 3', 'signal.api_calls > 3', 'points.api_calls > 6', 'points.api_calls + points.came + points.fit = score',
  'kind.depth > 6', 'kind.activation = 10', 'kind.intent = 0', 'score > 10', 'weight = 1', 'signal.fit = 1',
  'milestone.signed_up = ''2026-01-02''', 'milestone.paid is null', 'now() = as_of', 'as_of - milestone.signed_up > interval ''3 days''', 'null', 'not null::bool'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.try(r, 'segment') FROM unnest(ARRAY['attr.plan = ''free''', 'weight = 1 and calls > 1', 'attr.employees > 5 or attr.employees is null']) AS r;
SELECT pg_temp.try(r, 'signal') FROM unnest(ARRAY['case when attr.employees > 50 then 15 else 0 end', 'attr.mrr / 10', 'calls * 2', 'users_active', 'null', '''infinity''', '''NaN''', '-5',
  'extract(epoch from as_of - milestone.signed_up) / 86400', '7.5']) AS r;
SELECT pg_temp.try(r, unit => 'user') FROM unnest(ARRAY['attr.role = ''admin''', 'attr.role is null', 'account.plan = ''free''', 'account.plan is null', 'users_active = 1']) AS r;
-- settings of the session have no part in it
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'sql_standard';
SET TIME ZONE 'America/New_York';
SET search_path = pg_temp;
SELECT pg_temp.try(r) FROM unnest(ARRAY['attr.day = ''2025-06-01''', 'attr.since = ''2025-05-31 22:00''', 'attr.quiet > interval ''25 hours''']) AS r;
RESET search_path;
RESET DateStyle;
RESET IntervalStyle;
SET TIME ZONE 'UTC';
SET DateStyle = ISO;

-- The points add up, and a value shows.
SELECT pg_temp.force(pg_temp.program('fit', signal => 'attr.employees / 10.0', measure => 'users_active * 2', motion => 'attr.plan = ''team''', block => 'kind.fit < 5'));
SELECT e.signal, e.points, round(e.value::numeric, 3), pql.score('fit', s) FROM unnest('{acme,tiny,nobody}'::text[]) AS s, pql.explain('fit', s) AS e;
SELECT * FROM pql.scoreboard('fit') ORDER BY 1;
SELECT s, a.* FROM unnest('{acme,tiny,nobody}'::text[]) AS s, pql._assess('fit', s) AS a;
-- of the past: what was known of attributes, who was active, how far they had come
INSERT INTO pql.attribute_history VALUES ('a:acme', '2026-01-01', '2026-01-03', NULL, '{"plan": "team", "employees": 400}');
UPDATE pql.attribute SET since = '2026-01-03' WHERE home = 'a:acme';
SELECT t, a.* FROM unnest('{2025-12-01,2026-01-02 12:00,2026-01-04,2026-01-20,2026-03-01}'::timestamptz[]) AS t, pql._assess('fit', 'acme', t) AS a;
SELECT t, b.subject_id, b.score, b.kinds FROM unnest('{2026-01-02 12:00,2026-01-05}'::timestamptz[]) AS t, pql.scoreboard('fit', t) AS b ORDER BY 1, 2;

--
-- Rules that fail
--

SELECT pg_temp.force(pg_temp.program('fails', segment => '1 / (attr.employees - 120) > 0', measure => 'ln(calls - calls)', signal => '10 / (attr.employees - 120)', "when" => '1 / (users_active - 3) >= 0',
  one_of => 'attr.plan::int > 5', motion => 'repeat(attr.plan, 1000000000) = ''x''', block => 'points.fit / (score - score) > 1'));
SELECT * FROM pql._assess('fails', 'acme');
SELECT * FROM pql.rule_errors;
SELECT * FROM pql._assess('fails', 'acme', note => true);
SELECT * FROM pql._assess('fails', 'acme', note => true);
SELECT program, version, path, errors, last_at > now() - interval '1 hour', example FROM pql.rule_errors ORDER BY path COLLATE "C";
-- one failure takes nothing from the others
DELETE FROM pql.rule_error;
SELECT pg_temp.force(pg_temp.program('fails', signal => '1 / 0.0 * attr.mrr', measure => 'attr.employees', "when" => 'weight = 120', one_of => 'attr.plan::int > 5', motion => '1 / (users_active - 3) > 0',
  block => 'weight > 100'));
SELECT * FROM pql._assess('fails', 'acme', note => true);
SELECT path, errors, example FROM pql.rule_errors;
-- a column that is gone
UPDATE pql.attribute_source SET usable_columns = '{plan}', usable_types = '{text}' WHERE unit = 'account';
SELECT * FROM pql._assess('fails', 'acme', note => true);
SELECT path, errors, example FROM pql.rule_errors ORDER BY path COLLATE "C";
SELECT pql.score('fails', 'acme'), pql.score('plain', 'acme');
-- inserts go on
INSERT INTO ev VALUES (60, '2026-01-06', 'u0', 'acme', 'call');

-- Whoever may read scores needs no rights on what rules name, and rules have none.
CREATE ROLE pql_rules_reader;
GRANT SELECT ON pql.state, pql.milestone_log, pql.episode TO pql_rules_reader;
SELECT pg_temp.force(pg_temp.program('read', signal => 'case attr.plan when ''free'' then 5 end'));
SET ROLE pql_rules_reader;
SELECT e.signal, e.points FROM pql.explain('read', 'acme') AS e;
SELECT count(*) FROM pql.attribute;
SELECT * FROM pql._assess('read', 'acme');
RESET ROLE;
DROP OWNED BY pql_rules_reader;
DROP ROLE pql_rules_reader;
DROP TABLE ev;
DROP EXTENSION pql;
