SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pql;
RESET client_min_messages;
-- SQL expressions as rules (over named variables) and as arguments of attach (over a row): what is accepted, what is
-- refused and with which words, and what they give.
\set VERBOSITY default
\pset null '(right)'
\pset format unaligned
\pset tuples_only on
SET TIME ZONE 'America/New_York';

CREATE FUNCTION pg_temp.rule(rule text, wanted regtype DEFAULT 'bool') RETURNS text LANGUAGE sql AS $$
  SELECT rule || coalesce(E'\n    ' || replace(pql._check_rule(rule,
    ARRAY['props jsonb', 'event text', 'occurred_at timestamptz', 'as_of timestamptz', 'attr.plan text',
          'attr.seats int'], wanted), E'\n', E'\n    '), '    (right)')
$$;
CREATE FUNCTION pg_temp.value(rule text, wanted regtype DEFAULT 'bool') RETURNS text LANGUAGE sql AS $$
  SELECT rule || ' => ' || coalesce(pql._eval_rule(rule,
    '{"count": 3, "units": "2.5", "plan": "pro", "paid": true, "tags": ["a", "b"], "none": null, "when": "2026-01-02"}',
    'invite_sent', '2026-03-01 03:30:00+00', '2026-03-08 00:00:00+00', wanted), 'NULL')
$$;

--
-- Rules that are right, and what they give
--

SELECT pg_temp.value(r) FROM unnest(ARRAY[
  'true',
  'null',
  '(props->>''count'')::int >= 2',
  '(props->''count'')::int between 1 and 3',
  'props->>''plan'' in (''team'', ''pro'')',
  'props->>''plan'' = any (array[''team'', ''pro''])',
  'props @> ''{"paid": true}''',
  'props ? ''missing''',
  'props->''tags'' ? ''b'' and not (props->>''paid'')::bool',
  'props[''tags''][1] = ''"b"''',
  'props @@ ''$.count > 2''',
  'jsonb_path_exists(props, ''$.tags[*] ? (@ == "a")'')',
  'event like ''invite%'' and event ~ ''^inv.*t$''',
  'lower(event) = event collate "C"',
  'coalesce(props->>''none'', ''x'') = ''x''',
  'case event when ''invite_sent'' then true else false end',
  'greatest(1, 2) = 2 and nullif(1, 1) is null',
  'occurred_at < as_of - interval ''160 hours''',
  'occurred_at + 100 * interval ''1 hour'' > ''2026-01-01''',
  'now() = as_of and current_timestamp = as_of and statement_timestamp() = as_of and transaction_timestamp() = as_of',
  'as_of - occurred_at > interval ''6 days''',
  '(occurred_at at time zone ''UTC'')::date = ''2026-03-01''',
  '(occurred_at at time zone ''America/New_York'')::date = ''2026-02-28''',
  'extract(hour from occurred_at at time zone ''UTC'') = 3',
  'extract(epoch from as_of - occurred_at) > 0 and extract(epoch from occurred_at) > 0',
  'date_trunc(''day'', occurred_at, ''UTC'') = timestamptz ''2026-03-01''',
  'occurred_at >= ''2026-02-28 23:00:00-05''',
  'occurred_at > ''2026-02-28 22:00 EST''',
  'make_interval(hours => 2) > interval ''1 hour''',
  'concat(event, 1, true) = ''invite_sent1t'' and concat_ws(''-'', event, 2) = ''invite_sent-2''',
  'format(''%s/%L'', event, 1) = ''invite_sent/''''1''''''',
  'event || 5 = ''invite_sent5'' and 5 || event = ''5invite_sent''',
  'array_to_string(string_to_array(event, ''_''), ''-'') = ''invite-sent''',
  'jsonb_build_object(''a'', 1, ''b'', event) @> ''{"b": "invite_sent"}'' and to_jsonb(1) = ''1''',
  'num_nulls(event, null) = 1',
  '(props->>''none'')::uuid is null',
  'pg_catalog.length(event) operator(pg_catalog.>) 3',
  '''now'' = event or ''today'' <> event',
  '-- a comment'||E'\n'||'true /* another */',
  'event is distinct from ''x'' and (event is not null) is true',
  '(event, 1) = (''invite_sent'', 1)',
  '1 = any (''{1,2}''::int[]) and array[1, 2] @> array[1]',
  'round(2.5) = 3 and lpad(event, 3) = ''inv'' and log(100) = 2'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.value(r, 'float8') FROM unnest(ARRAY[
  '(props->>''units'')::float8', '(props->>''units'')::numeric', '(props->>''count'')::int',
  '(props->''count'')::float4', '7', 'null',
  '(props->>''none'')::float8', 'extract(epoch from as_of - occurred_at)', '''12.5'''
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.value('props->''count''', 'jsonb'), pg_temp.value('upper(event)', 'text'),
  pg_temp.value('as_of', 'timestamptz');
SELECT pg_temp.rule('attr.plan in (''free'', ''team'') and attr.seats < 5 and "attr"."seats" > 1');
-- What literals mean doesn't depend on the session that compiles.
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'sql_standard';
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET transform_null_equals = on;
SET timezone_abbreviations = 'India';
SELECT pg_temp.value(r) FROM unnest(ARRAY[
  'occurred_at > ''2026-03-01 03:29'' and occurred_at < ''2026-03-01 03:31''',
  'interval ''-1 2:00:00'' = interval ''-22 hours''',
  E'length(''\\\\'') = 2', '(props->>''none'' = null) is null', 'occurred_at = ''2026-03-01 05:30 IST'''
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
RESET DateStyle;
RESET IntervalStyle;
RESET standard_conforming_strings;
RESET escape_string_warning;
RESET transform_null_equals;
RESET timezone_abbreviations;

-- An expression that the data breaks says which, and keeps its SQLSTATE.
DO $$ BEGIN
  PERFORM pql._eval_rule('(props->>''plan'')::int > 1', '{"plan": "pro"}', 'x', now(), now(), 'bool');
EXCEPTION WHEN invalid_text_representation THEN RAISE NOTICE 'caught: %', sqlerrm;
END $$;
SELECT pql._eval_rule('(props->>''plan'')::int > 1', '{"plan": "pro"}', 'x', now(), now(), 'bool');
SELECT pql._eval_rule('1 / (props->>''zero'')::int > 1', '{"zero": 0}', 'x', now(), now(), 'bool');
SELECT pql._eval_rule('propz->>''plan'' = ''x''', '{}', 'x', now(), now(), 'bool');

--
-- Rules that are refused: not one expression
--

SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  '', '  -- nothing', 'true, false', 'true) , (false', 'true; drop table x', 'true --' || E'\n' || ', false', 'true)',
  '(true', 'true /*',
  'select true', 'true from pg_class', 'true where true', 'true union select false', 'true limit 1',
  'true order by 1', 'distinct true',
  'true as yes', 'true yes', 'true group by 1', 'true having true', 'true for update', 'event = ''x',
  'event == ''x''', '*', 'props.*'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

-- names and types
SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  'evnt = ''x''', 'attr.plam = ''x''', 'a.b.c = 1', 'rule.event = ''x''', '"Event" = ''x''', 'no_such(event)',
  'event + 1 > 2',
  'event::no_such = 1', 'props', 'props->''paid''', 'event', '1', 'null::jsonb', '''maybe''', 'event = 1',
  'grün = ''x'' or event + 1 > 2',
  '1 / 0 = 1'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.rule(r, 'float8') FROM unnest(ARRAY[
  'event', 'props->''units''', 'props->>''units''', 'true', 'as_of'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

-- Over a subject: names with a dot and names without, the nearest ones for a wrong one, and nothing besides.
CREATE FUNCTION pg_temp.subject(rule text, wanted regtype DEFAULT 'bool') RETURNS text LANGUAGE sql AS $$
  SELECT rule || coalesce(E'\n    ' || replace(pql._check_rule(rule,
    ARRAY['attr.plan text', 'attr.seats int', 'attr.mrr numeric', 'attr.Odd|name text', 'attr.renews_at timestamptz', 'signal.api_calls float8',
          'points.api_calls float8', 'kind.intent float8', 'usage_value float8', 'score float8', 'users_active float8',
          'milestone.signed_up timestamptz', 'as_of timestamptz'], wanted), E'\n', E'\n    '), '    (right)')
$$;
SELECT pg_temp.subject(r) FROM unnest(ARRAY[
  'usage_value > 100 and attr.seats < 5 or users_active > 7 and attr.mrr between 500 and 1667',
  'attr."Odd|name" is null and signal.api_calls > 0 and points.api_calls <= 20 and kind.intent >= 10 and score > 70',
  'as_of - milestone.signed_up < interval ''14 days'' and now() > attr.renews_at',
  'attr.plam = ''x''', 'seats > 5', 'attr.api_calls > 1', 'signal.apicalls > 1', 'api_call > 1', 'milestone.sigend_up is null', 'scroe > 1', 'users > 1',
  'attr.odd_nme is null', 'employees > 5', 'attr > 1', 'attr.* is null', 'a.b.c > 1',
  'attr.seats > ''many''', 'attr.plan > 5', 'milestone.signed_up > 5', 'score', 'attr.plan',
  'exists (select from pg_class)', 'score > (select 1)', 'sum(score) > 1', 'count(*) > 1', 'sum(score) over () > 1', 'row_number() over () > 1',
  'max(score) filter (where true) > 1', 'generate_series(1, 2) > 1',
  'random() > 0.5', 'pg_sleep(1) is null', 'current_setting(''work_mem'') = ''x''', 'attr.renews_at::date > ''2026-01-01''',
  'milestone.signed_up > as_of - interval ''14 days''', 'current_date > attr.renews_at', 'current_user = attr.plan', 'clock_timestamp() > as_of',
  'pg_read_file(attr.plan) is null', 'nextval(attr.plan) > 1', 'attr.plan::regclass is null'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.subject(r, 'float8') FROM unnest(ARRAY[
  'case when attr.seats > 50 then 15 else 0 end', 'attr.mrr / 100', 'ln(usage_value)', 'attr.seats > 5', 'attr.plan', 'as_of'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

-- what an expression can't contain
SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  '(select true)', 'exists (select from pg_class)', 'event in (select ''x'')', 'array(select 1) = array[1]',
  'event = any (select ''x'')',
  'count(*) > 1', 'count(event) > 1', 'sum(1) over () > 1', 'row_number() over () = 1',
  'max(event) filter (where true) = ''x''',
  'percentile_cont(0.5) within group (order by 1) > 1', 'string_agg(event, '','' order by event) = ''x''',
  'grouping(event) = 1',
  'generate_series(1, 2) = 1', 'jsonb_array_elements(props) = ''1''', 'unnest(array[1]) = 1', '$1', '$1 = event',
  ':x = 1', '@x = 1',
  'row(1, 2) < row(1, 3)', 'row(1, 2) is null', 'row(event) = row(event)', 'xmlparse(content event) is null',
  'xmlelement(name a) is null',
  'event is document', 'xml_is_well_formed_document(event)', 'default'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

-- time that is not the event's
SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  'clock_timestamp() > occurred_at', 'timeofday() = ''x''', 'current_date = ''2026-01-01''',
  'current_timestamp(0) > occurred_at',
  'localtime > ''10:00''', 'localtimestamp > ''2026-01-01''', 'current_time is null',
  'age(occurred_at) > interval ''1 day''',
  'occurred_at > ''now''', 'occurred_at > timestamptz ''  Today ''', 'date ''tomorrow'' > ''2026-01-01''',
  'occurred_at > ''yesterday 10:00''',
  'array[''now'']::timestamptz[] is null', '''{2026-01-01,today}''::date[] is null',
  'cast(''now'' as timestamp) is null',
  'timestamptz(''now'') is null', 'occurred_at in (''2026-01-01'', ''today'')',
  'coalesce(occurred_at, ''NOW'') is null',
  '(''now''::text)::timestamptz > occurred_at', 'localtimestamp(2) is null'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
-- without as_of
SELECT pql._check_rule('now() > ''2026-01-01''', ARRAY['event text'], 'bool');

-- settings of the session
SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  'occurred_at::date = ''2026-01-01''', 'date(occurred_at) = ''2026-01-01''', 'occurred_at::timestamp is null',
  'occurred_at::time is null', 'occurred_at::text = ''x''',
  'extract(hour from occurred_at) = 1', 'date_part(''dow'', occurred_at) = 1',
  'date_trunc(''day'', occurred_at) = occurred_at',
  'occurred_at > date ''2026-01-01''', 'occurred_at = timestamp ''2026-01-01''',
  'occurred_at + interval ''1 day'' > as_of',
  'occurred_at - interval ''1 month'' > as_of', 'occurred_at + make_interval(hours => (props->>''h'')::int) > as_of',
  'interval ''1 day'' + occurred_at > as_of',
  'age(as_of, occurred_at) > interval ''1 day''', 'to_char(occurred_at, ''HH'') = ''x''',
  'to_char(1.5, ''9D9'') = ''x''',
  'to_number(event, ''9'') = 1', 'to_date(event, ''YYYY'') is null', 'to_timestamp(event, ''YYYY'') is null',
  '(props->>''t'')::timestamptz is null',
  '(props->>''t'')::timestamp is null', '(props->>''t'')::date is null', '(props->>''t'')::time is null',
  '(props->>''t'')::interval is null',
  'interval ''1 day''::text = ''x''', '(1.5::float8)::text = ''x''', '(1.5::float4)::text = ''x''',
  'event::bytea::text = ''x''', 'now() at time zone ''EST'' is null',
  'occurred_at at time zone ''IST'' is null', 'occurred_at at time zone (props->>''zone'') is null',
  'occurred_at at time zone ''Mars/Base'' is null',
  'occurred_at at time zone ''Japan'' is null', 'date_trunc(''day'', occurred_at, ''CET'') is null',
  'concat(occurred_at) = ''x''', 'concat(1.5::float8) = ''x''', 'event || occurred_at = ''x''',
  'format(''%I'', event) = ''x''', 'format(''%1$-10I'', event) = ''x''', 'format(event) = ''x''',
  'format(''%s'', occurred_at) = ''x''', 'to_jsonb(occurred_at) is null', 'to_jsonb(1.5::float8) is null',
  'jsonb_build_object(''t'', occurred_at) is null', 'array_to_string(array[occurred_at], '','') = ''x''',
  'quote_ident(event) = ''x''',
  '(props->>''a'')::int[] is null', 'array[1]::text = ''x''', 'current_setting(''work_mem'') = ''x''',
  'pg_client_encoding() = ''x''',
  'current_user = ''x''', 'session_user = ''x''', 'current_schema = ''x''', 'current_database() = ''x''',
  'version() = ''x'''
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

-- side effects, the catalogue, files, locks
SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  'random() > 0.5', 'gen_random_uuid() is null', 'set_config(''work_mem'', ''1MB'', false) = ''x''',
  'pg_sleep(1) is null', 'pg_advisory_lock(1) is null',
  'pg_try_advisory_lock(1)', 'nextval(''x'') = 1', 'pg_read_file(''x'') = ''x''', 'pg_ls_dir(''x'') = ''x''',
  'lo_import(''x'') is null', 'lo_get(1) is null',
  'has_table_privilege(''x'', ''select'')', 'to_regclass(event) is null', 'event::regclass is null',
  'pg_get_viewdef(event) is null',
  'query_to_xml(event, true, true, ''x'') is null', 'pg_backend_pid() = 1', 'pg_terminate_backend(1)',
  'txid_current() = 1',
  'pg_notify(''a'', ''b'') is null', 'to_tsvector(event) is null', 'to_tsvector(''english'', event) is null',
  'event::money is null', 'event::xml is null', 'event::oid = 1', 'int4range(1, 2) is null', 'point(1, 2) is null',
  'jsonb_populate_record(null::pg_class, props) is null', 'dblink(event) is null'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

-- wrong constants are found before any event comes (the setting in a hint is "DateStyle" since PostgreSQL 18)
SELECT replace(pg_temp.rule(r), '"DateStyle"', '"datestyle"') FROM unnest(ARRAY[
  'event ~ ''(''', 'event !~* ''[''', 'regexp_match(event, ''a{2,1}'') is null',
  'regexp_replace(event, ''x'', ''y'', ''q'') = ''x''', 'event ~ ''^ok''',
  'extract(nonsense from as_of - occurred_at) = 1', 'extract(dow from as_of - occurred_at) = 1',
  'date_part(event, occurred_at at time zone ''UTC'') = 1',
  'extract(hour from date ''2026-01-01'') = 1', 'date_trunc(''dekade'', occurred_at, ''UTC'') is null',
  'props @@ ''$.''', 'props @> ''{''', '''x''::int = 1', 'occurred_at > ''soon''', 'occurred_at > ''01/02/2026'''
]) WITH ORDINALITY AS t(r, n) ORDER BY n;

--
-- Code of users never runs, not even while an expression is parsed
--

CREATE SCHEMA app;
CREATE FUNCTION app.trap(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN RAISE EXCEPTION 'a user''s function ran'; END $$;
CREATE FUNCTION app.trap(int, int) RETURNS bool LANGUAGE sql IMMUTABLE RETURN app.trap('x');
CREATE OPERATOR app.= (LEFTARG = int, RIGHTARG = int, FUNCTION = app.trap);
CREATE DOMAIN app.checked AS text CHECK (app.trap(VALUE));
CREATE TYPE app.pair AS (a app.checked);
CREATE TYPE app.plan AS ENUM ('free', 'pro');
CREATE FUNCTION app.to_text(app.pair) RETURNS text LANGUAGE sql IMMUTABLE RETURN app.trap('x')::text;
CREATE CAST (app.pair AS text) WITH FUNCTION app.to_text(app.pair) AS IMPLICIT;
SET search_path = app, public, pg_catalog;
SELECT pg_temp.rule(r) FROM unnest(ARRAY[
  'trap(event)', 'app.trap(event)', '1 operator(app.=) 1', '1 = 1', 'event::app.checked = ''x''',
  '''x''::app.checked = ''x''',
  '''{x}''::app.checked[] is null', '''(x)''::app.pair is null', 'app.checked(''x'') = ''x''',
  'app.checked ''x'' = ''x''', 'row(event)::app.pair is null',
  'event = ''x''::app.plan::text', 'event::app.plan = ''pro''', 'pg_temp.rule(event) = ''x''', 'pql.version() = ''x'''
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
RESET search_path;

--
-- Rows
--

CREATE DOMAIN app.id AS bigint;
CREATE DOMAIN app.email AS text CHECK (app.trap(VALUE));
CREATE TYPE app.money_range AS RANGE (subtype = numeric);
CREATE TABLE app.events (
  id bigint, uid int, org uuid, name varchar(40), kind app.plan, code char(3), ts timestamp, tsz timestamptz, day date,
  epoch bigint, weight float8, props jsonb, doc json, raw text, mail app.email, did app.id, pair app.pair,
  checks app.checked[], plans app.plan[], span app.money_range, tags text[], "Odd name" text, german text COLLATE "C",
  english text COLLATE "POSIX", loud text GENERATED ALWAYS AS (upper(raw)) STORED);
CREATE FUNCTION pg_temp.row(expression text, wanted regtype DEFAULT 'text', argument text DEFAULT 'user_id')
RETURNS text LANGUAGE sql AS $$
  SELECT expression || ' as ' || coalesce(wanted::text, 'it is')
    || coalesce(E'\n    ' || replace(pql._check_expression('app.events', expression, wanted, argument),
                                     E'\n', E'\n    '), '    (right)')
$$;
SELECT pg_temp.row(r) FROM unnest(ARRAY[
  'uid', 'org', 'name', 'kind', 'code', 'raw', 'mail', 'did', 'did + 1', '"Odd name"', 'loud', 'events.uid',
  'app.events.uid', 'lower(mail)', '(props->>''uid'')', 'props #>> ''{a,b}''', 'doc->>''uid''',
  'coalesce(uid::text, ''anon'')', '''u'' || uid', 'tags[1]', 'kind::text', 'case kind when ''pro'' then raw end',
  'epoch % 10'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.row(r, 'timestamptz', 'occurred_at') FROM unnest(ARRAY[
  'tsz', 'ts at time zone ''UTC''', 'ts AT TIME ZONE ''Europe/Berlin''', 'day::timestamp at time zone ''UTC''',
  'to_timestamp(epoch)', 'to_timestamp((props->>''t'')::float8)', '''2026-01-01''',
  'ts', 'day', 'coalesce(ts, ''2026-01-01 it''''s'')', 'coalesce(ts, ''2026-01-01'')', 'epoch', 'raw',
  'raw::timestamptz', 'now()', 'current_timestamp', '''now''', 'props'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.row(r, 'jsonb', 'properties') FROM unnest(ARRAY[
  'props', 'doc', 'raw::jsonb', 'props || jsonb_build_object(''id'', id)', '''{}''', 'jsonb_strip_nulls(props)',
  'raw', 'events', 'to_jsonb(events)', 'row_to_json(events)::jsonb', 'to_jsonb(tsz)'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.row(r, NULL) FROM unnest(ARRAY[
  'uid', 'org', 'lower(raw)', '''x''', 'plans', 'tags'
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pg_temp.row(r) FROM unnest(ARRAY[
  'user_id', 'uidd', 'orders.uid', 'b.events.uid', 'a.app.events.uid', 'events', 'events.*', '*', 'events is null',
  'ctid', 'tableoid', 'xmin', 'props', 'doc', 'weight', 'tsz', 'day', 'pair', '(pair).a', 'checks[1]',
  'checks = ''{x}''', 'span', 'lower(span)', 'pair::text', 'mail::app.checked', 'app.trap(raw)', 'german < english',
  'german || english', 'german collate "C" < english',
  'uid, org', 'uid from other', '(select 1)', 'count(*)', '$1', 'now()', 'random()', 'current_user', ''
]) WITH ORDINALITY AS t(r, n) ORDER BY n;
SELECT pql._check_expression('app.events', 'lower(raw)', 'text'), pql._check_expression(NULL, 'raw', 'text');
SELECT pql._check_rule('true', NULL, 'bool');
SELECT pql._check_rule('true', ARRAY['props'], 'bool');
SELECT pql._check_rule('x is null', ARRAY['x pg_class'], 'bool');

-- The position is that of the expression's own character, and the caller's settings are untouched.
SELECT pql._eval_rule('props->>''ä'' = ''x'' and evnt = ''y''', '{}', 'x', now(), now(), 'bool');
SHOW TimeZone;
SHOW search_path;

-- Nobody but the owner calls these.
CREATE ROLE pql_expression_nobody;
SELECT p.oid::regprocedure FROM pg_proc p
WHERE proname IN ('_check_rule', '_check_expression', '_eval_rule', '_compile_expression')
  AND has_function_privilege('pql_expression_nobody', p.oid, 'EXECUTE');
DROP ROLE pql_expression_nobody;
SET client_min_messages = warning;
DROP SCHEMA app CASCADE;
