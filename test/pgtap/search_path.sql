-- Nobody's objects stand in for PostgreSQL's or pql's. Everything is called twice: with nothing but PostgreSQL in the search path,
-- and with a schema before it that has a function, an operator, a type and a table for each of PostgreSQL's and pql's own, which
-- do something else and take a note of being used.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT * FROM no_plan();

--
-- The hostile schema
--

CREATE SCHEMA hostile;
CREATE TABLE hostile.caught (what text);
CREATE SEQUENCE hostile.calls; -- what is rolled back counts too
CREATE FUNCTION hostile.note(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM nextval('hostile.calls');
  INSERT INTO hostile.caught VALUES (what);
  RETURN true;
END $$;

CREATE PROCEDURE pg_temp.try(statement text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
EXCEPTION WHEN OTHERS THEN
  NULL; -- pseudo-types, mostly
END $$;

-- What stands in for functions. Again when pql has come anew, for those of its own types.
CREATE PROCEDURE hostile.lie_in_wait() LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  o record;
BEGIN
  FOR o IN
    SELECT p.proname AS name, p.proretset AS is_set, format_type(p.prorettype, NULL) AS type, p.prorettype = 'void'::regtype AS is_void,
           (SELECT string_agg(CASE WHEN p.provariadic <> 0 AND a.n = p.pronargs THEN 'VARIADIC ' ELSE '' END
                              || format_type(a.type, NULL), ', ' ORDER BY a.n)
            FROM unnest(p.proargtypes) WITH ORDINALITY AS a(type, n)) AS arguments
    FROM pg_proc AS p WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'pql'::regnamespace)
  LOOP
    CALL pg_temp.try(format('CREATE FUNCTION hostile.%I(%s) RETURNS %s %s LANGUAGE plpgsql AS %L', o.name, o.arguments,
      CASE WHEN o.is_set THEN 'SETOF' END, o.type, format('BEGIN PERFORM hostile.note(%L); RETURN %s; END',
        format('function %s(%s)', o.name, o.arguments), CASE WHEN NOT o.is_set AND NOT o.is_void THEN 'NULL' END)));
  END LOOP;
END $$;

CALL hostile.lie_in_wait();
DO $$
DECLARE
  o record;
BEGIN
  FOR o IN SELECT p.oid, p.oprname AS name, format_type(nullif(p.oprleft, 0), NULL) AS l, format_type(p.oprright, NULL) AS r,
                  format_type(p.oprresult, NULL) AS type
           FROM pg_operator AS p WHERE p.oprnamespace = 'pg_catalog'::regnamespace
  LOOP
    CALL pg_temp.try(format('CREATE FUNCTION hostile.operator_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', o.oid,
      concat_ws(', ', o.l, o.r), o.type,
      format('BEGIN PERFORM hostile.note(%L); RETURN NULL; END', format('operator %s(%s, %s)', o.name, o.l, o.r))));
    CALL pg_temp.try(format('CREATE OPERATOR hostile.%s (FUNCTION = hostile.operator_%s, %s RIGHTARG = %s)', o.name, o.oid,
      'LEFTARG = ' || o.l || ',', o.r));
  END LOOP;
  FOR o IN SELECT t.typname AS name FROM pg_type AS t
           WHERE t.typnamespace = 'pg_catalog'::regnamespace AND (t.typtype IN ('b', 'r') AND t.typcategory <> 'A' OR t.typname = 'record')
  LOOP
    CALL pg_temp.try(format('CREATE DOMAIN hostile.%I AS %s CHECK (hostile.note(%L))', o.name,
      CASE WHEN o.name = 'record' THEN 'int' ELSE format('pg_catalog.%I', o.name) END, 'type ' || o.name));
  END LOOP;
  FOR o IN SELECT c.relname AS name, c.oid::regclass AS relation FROM pg_class AS c
           WHERE c.relnamespace IN ('pg_catalog'::regnamespace, 'pql'::regnamespace) AND c.relkind IN ('r', 'v')
  LOOP
    CALL pg_temp.try(format('CREATE TABLE hostile.%I (LIKE %s)', o.name, o.relation));
  END LOOP;
END $$;

SELECT ok(count(*) > 2000, 'functions lie in wait')
FROM pg_proc WHERE pronamespace = 'hostile'::regnamespace AND proname NOT LIKE 'operator\_%';
SELECT ok(count(*) > 700, 'operators lie in wait') FROM pg_operator WHERE oprnamespace = 'hostile'::regnamespace;
SELECT ok(count(*) > 50, 'types lie in wait') FROM pg_type WHERE typnamespace = 'hostile'::regnamespace AND typtype = 'd';
SELECT ok(count(*) > 80, 'tables lie in wait') FROM pg_class WHERE relnamespace = 'hostile'::regnamespace AND relkind = 'r';

SET search_path = hostile, pg_catalog;
SELECT now(), 1 = 1, '2026-01-01'::timestamptz \g /dev/null
RESET search_path;
SELECT bag_eq('TABLE hostile.caught', ARRAY['function now()', 'operator =(integer, integer)', 'type timestamptz'],
  'who uses them is caught');
TRUNCATE hostile.caught;
SELECT setval('hostile.calls', 1, false) \g /dev/null

--
-- What is called. n of :round; result: a call in FROM. A statement is run as it stands.
--

CREATE SCHEMA plain;
CREATE TABLE plain.event (id bigint PRIMARY KEY, at timestamptz, who text, org text, name text, props jsonb);
CREATE INDEX ON plain.event (org, at);
CREATE TABLE plain.history (LIKE plain.event);
CREATE TABLE plain.news (LIKE plain.event);
INSERT INTO plain.history
  SELECT i, timestamptz '2026-03-01' + i * interval '6 minutes', 'u' || i % 7, 'o' || i % 3, 'signup', '{"count": 1}'
  FROM generate_series(1, 400) AS i; -- some pages
INSERT INTO plain.news
  SELECT i, timestamptz '2026-03-02' + i * interval '1 hour', 'u' || i % 7, 'o' || i % 3, (ARRAY['use', 'invite'])[1 + i % 2],
         '{"count": 3}'
  FROM generate_series(501, 550) AS i;
INSERT INTO plain.news VALUES (551, '2026-03-08', NULL, 'o1', 'use', '{}');
CREATE TYPE plain.size AS ENUM ('small', 'large');
CREATE DOMAIN plain.seats AS int;
CREATE TABLE plain.account (id text PRIMARY KEY, plan text, size plain.size DEFAULT 'small', seats plain.seats, since timestamptz);
CREATE TABLE plain.person (id text, job text, org text);
CREATE TABLE plain.project (id text PRIMARY KEY, stars int);
CREATE TABLE plain.chat (id int PRIMARY KEY, at timestamptz, who text, org text, body text);
INSERT INTO plain.chat VALUES (1, '2026-03-01', 'u1', 'o1', 'We need SSO');
INSERT INTO plain.account VALUES ('o1', 'free', 'large', 3, '2026-01-01'), ('o2', 'pro', NULL, NULL, NULL);
INSERT INTO plain.person VALUES ('u1', 'cto', 'o1'), ('u2', NULL, ''), (NULL, 'ghost', 'o1');
CREATE TABLE plain.step AS
  SELECT timestamptz '2026-03-01' + i * interval '7 hours' AS at, 'u' || i % 7 AS who, i % 5 AS n, i % 3 = 0 AS a, i % 3 = 1 AS b, i % 11 = 0 AS x
  FROM generate_series(1, 60) AS i;
CREATE TABLE plain.call (n int GENERATED ALWAYS AS IDENTITY, result text, statement text);
CREATE TABLE plain.result (round text, n int, result text);
-- What a statement fails with.
CREATE FUNCTION plain.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLERRM;
END $$;

INSERT INTO plain.call (statement) VALUES
  ('CREATE EXTENSION pql SCHEMA public'),
  ('CALL hostile.lie_in_wait()'),
  ('INSERT INTO plain.event TABLE plain.history');
INSERT INTO plain.call (result) VALUES
  ($$pql.attach('plain.event', 'who', 'name', 'at', 'org', 'id', 'props', clock => 'event', dry_run => true)$$),
  ($$pql.attach('plain.event', 'who', 'name', 'at', 'org', 'id', 'props', clock => 'event', dedup => '90 days')$$),
  ($$plain.failure('SELECT pql.attach(''plain.event'', ''who'', ''name'', ''at'')')$$),
  ($$plain.failure('SELECT pql.attach(''plain.news'', ''nobody'', ''name'', ''at'')')$$),
  ($$pql.check_program('{"program": "p", "signals": {"s": {"kind": "depth", "event": "e", "where": "evnt = ''e''"}}}')$$),
  ($$pql.publish('{"program": "p", "unit": "account",
      "milestones": {"signed_up": {"event": "signup"},
                     "invited": {"event": "invite", "where": "(props->>''count'')::int >= 2 and event like ''inv%''"}},
      "activation": {"steps": ["signed_up", "invited"], "within": "14 days"},
      "signals": {"set_up": {"kind": "activation", "milestone": "activation_complete", "max_points": 30},
                  "usage": {"kind": "depth", "event": "use", "measure": "sum", "of": "(props->>''count'')::float8", "half_life": "7 days",
                            "half_saturation": 10, "max_points": 50}},
      "outreach": {"templates": {"hello": {"motion": "email", "channel": "sms", "body": "I help with {{next}} and {{usage}}. {{ask}}",
                   "ask": "Is that useful?", "variables": {"next": {"type": "text", "from": "activation.next", "say": {"signed_up": "an account", "invited": "everybody"}, "default": "more"},
                   "usage": {"type": "text", "from": "signal.usage", "say": "builds", "default": "the rest"}}}}},
      "qualify": {"enter": 40, "leave": 20}, "motions": [{"otherwise": true, "motion": "email", "after": "1 hour", "by": "1 day"}]}')$$),
  ($$pql.publish('{"program": "u", "unit": "user", "milestones": {"user_signed_up": {"event": "signup"}},
      "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 50}},
      "qualify": {"enter": 40, "leave": 20, "when": "as_of > timestamptz ''2026-03-24 21:30 UTC''"}}')$$),
  ($$plain.failure('SELECT pql.publish(''{"program": "p"}'')')$$),
  ($$plain.failure('SELECT pql.promote(''p'')')$$);
INSERT INTO plain.call (statement) VALUES ('CALL pql.backfill()');
INSERT INTO plain.call (result) VALUES
  ($$(SELECT percent, events FROM pql.backfill_progress)$$),
  ($$pql.promote('p')$$),
  ($$plain.failure('CALL pql.backfill(''plain.news'')')$$);
INSERT INTO plain.call (statement) VALUES
  ('INSERT INTO plain.event TABLE plain.news'),
  ('UPDATE plain.event SET org = $$o2$$ WHERE id OPERATOR(pg_catalog.=) 504'),
  ('DELETE FROM plain.event WHERE id OPERATOR(pg_catalog.=) 505');
INSERT INTO plain.call (result) VALUES
  ($$pql.upsert_user_milestone('u1', 'user_signed_up', '2026-02-01')$$),
  ($$pql.attach('pql.events', 'user_id', 'event', 'occurred_at', 'account_id', 'event_id', 'properties', clock => 'event')$$),
  ($$pql.record_event('u1', 'use', 'o1', '{"count": 5}', '2026-03-06')$$),
  ($$(SELECT user_id, account_id, event, occurred_at, properties FROM pql.events)$$),
  ($$pql.merge_users('u1', 'u2')$$), ($$pql.merge_accounts('o1', 'o2')$$), ($$pql.move_user('u3', 'o1')$$), ('pql.state_digest()'),
  ($$pql.undo_merge((SELECT pg_catalog.max(merge_id) FROM pql.identity))$$),
  ($$plain.failure('SELECT pql.merge_users(''u2'', ''u1'')')$$),
  ($$pql.score('p', 'o1')$$), ($$pql.score('p', 'o1', '2026-03-05')$$), ($$pql.score('u', 'u1')$$),
  ($$plain.failure('SELECT pql.score(''q'', ''o1'')')$$),
  ($$pql.explain('p', 'o1')$$), ($$pql.scoreboard('p')$$), ($$pql.qualification('p', 'o1')$$), ($$pql.triage('u', '2026-03-24 21:00')$$), ($$pql.activation('p')$$),
  ('(SELECT unit, subject_id, name, reached_at, event_id FROM pql.milestones)'),
  ('(SELECT account_id, user_id, first_seen, last_seen, events FROM pql.members)'),
  ('(SELECT unit, subject_id, events FROM pql.subjects)'),
  ('(SELECT events_table, reason, events FROM pql.unusable)'),
  ('(SELECT source_id, relation, intact, duplicates, held, unusable, history_folded, changed_partitions FROM pql.sources)'),
  ('(SELECT subject_id, score, reasons, headline, contact_after, context FROM pql.routing)'),
  ('(SELECT s.* FROM pql.routing AS r, LATERAL pql.story(r.routing_id) AS s)'),
  ('(SELECT a, p.p OPERATOR(pg_catalog.-) $$routing_id$$ FROM pql.routing AS r, pg_catalog.unnest($${scoring,rep,outreach}$$::pg_catalog.text[]) AS a, LATERAL pql.packet(r.routing_id, a) AS p)'),
  ('pql.refresh_step_shares()'), ('plain.failure($f$SELECT pql.refresh_step_shares(''q'')$f$)'), ('pql.context_schema()'),
  ('(SELECT o.subject, o.body, o.channel, o.stopped_because FROM pql.routing AS r, LATERAL pql.render_outreach(r.routing_id, ''hello'') AS o WHERE r.program OPERATOR(pg_catalog.=) ''p'')'),
  ('pql.state_digest()'), ('pql.verify()'), ('pql.verify(0.5, $$2026-03-02$$)'), ('pql.tick()'), ('pql.tick($$2026-03-25$$)'),
  ('pql.version()'), ('pql._number_text(7)'), ('pql._span_text($$5 days$$)'), ('pql._events_text(12345)'), ('pql._plain_text($$a_b *c*$$)');
-- Aggregates, over groups and frames; what is kept, and what reads it.
INSERT INTO plain.call (statement) VALUES ('DROP TABLE IF EXISTS plain.kept'), ($$CREATE TABLE plain.kept AS
  SELECT pql.decay_agg('7 days', at, n) AS decay, pql.window_count_agg(at, '{1 day,7 days}') AS window_count, pql.count_map_agg(who, n) AS count_map,
         pql.retention_agg(a, b) AS retention, pql.cohort_retention_agg(at, '1 day', a) AS cohort, pql.events_agg(at, a, b) AS events,
         pql.funnel_summary(pql.events_agg(at, a, b), '7 days') AS funnel_summary, pql.session_agg('8 hours', at) AS session,
         pql.active_users_agg(who) AS active_users, pql.journey_agg(at, who, 2, 2) AS journey,
         pql.decay_agg('7 days', t) AS decay_timestamp, pql.window_count_agg(t, '{1 day}') AS window_count_timestamp,
         pql.cohort_retention_agg(t, '1 day') AS cohort_timestamp, pql.events_agg(t, a, b) AS events_timestamp,
         pql.funnel_summary(pql.events_agg(t, a, b), '7 days') AS funnel_summary_timestamp, pql.session_agg('8 hours', t) AS session_timestamp,
         pql.journey_agg(t, who) AS journey_timestamp,
         pql.decay_agg(604800, s) AS decay_bigint, pql.window_count_agg(s, '{86400}') AS window_count_bigint,
         pql.cohort_retention_agg(s, 86400) AS cohort_bigint, pql.events_agg(s, a, b) AS events_bigint,
         pql.funnel_summary(pql.events_agg(s, a, b), 604800) AS funnel_summary_bigint, pql.session_agg(28800, s) AS session_bigint,
         pql.journey_agg(s, who) AS journey_bigint
  FROM (SELECT *, at AT TIME ZONE 'UTC' AS t, pg_catalog.int8(pg_catalog.date_part('epoch', at)) AS s FROM plain.step) AS x$$);
INSERT INTO plain.call (result)
SELECT format($$(SELECT pql.%1$s_state_in(pql.state_out(s)), pql.state_send(s), pql.state_eq(s, s), pql.state_ne(s, s), pql.state_hash(s),
    pql.state_hash_extended(s, 1), pql.state_merge(s, NULL), NULL OPERATOR(pql.||) s, pql.state_info(s)
    FROM (SELECT pql.rollup(%1$s) AS s FROM plain.kept GROUP BY %1$s) AS x)$$, kind)
FROM (SELECT kind || times FROM unnest('{decay,window_count,cohort,events,funnel_summary,session,journey}'::text[]) AS kind,
    unnest('{"",_timestamp,_bigint}'::text[]) AS times
  UNION ALL SELECT unnest('{count_map,retention,active_users}'::text[])) AS k (kind);
INSERT INTO plain.call (result)
SELECT format('(SELECT pql.%1$s_in(%2$L), pql.%1$s_out(pql.%1$s(7)), pql.%1$s_send(7::pg_catalog.int8))', type, '7') FROM unnest('{epoch,epoch_span}'::text[]) AS type;
INSERT INTO plain.call (result) VALUES
  ($$(SELECT pql.decay_score(decay, '2026-03-09'), pql.decay_count(decay, '2026-03-09'), pql.decay_avg(decay), pql.last_seen(decay) FROM plain.kept)$$),
  ($$pql.half_life('1 day')$$),
  ($$(SELECT pql.count_in(window_count, '2026-03-19', '7 days') FROM plain.kept)$$),
  ($$(SELECT pql.counts(count_map), pql.count_of(count_map, 'u1') FROM plain.kept)$$),
  ($$(SELECT t.* FROM plain.kept, LATERAL pql.top(count_map, 3) AS t)$$),
  ($$(SELECT pql.retained(retention), pql.retained_periods(cohort), pql.cohort(cohort) FROM plain.kept)$$),
  ($$(SELECT pql.window_funnel(events, '7 days'), pql.activated(events, '7 days'), pql.funnel_times(events, '7 days', '{once}'),
      pql.funnel_conversion(events, '7 days'), pql.any_order(events, '7 days') FROM plain.kept)$$),
  ($$(SELECT pql.sequence_match(events, '(?1).*(?2)'), pql.sequence_count(events, '(?1)(?2)'), pql.sequence_events(events, '(?1)(?t<=1d)(?2)')
      FROM plain.kept)$$),
  ($$(SELECT e.* FROM plain.kept, LATERAL pql.next_event(events, '{1,2}') AS e)$$),
  ($$(SELECT pql.window_funnel(pql.funnel_rollup(funnel_summary)), pql.activated(pql.rollup(funnel_summary)) FROM plain.kept)$$),
  ($$(SELECT e.* FROM plain.kept, LATERAL pql.sessions(session) AS e)$$),
  ($$(SELECT pql.session_count(session), pql.time_in_product(session), pql.time_in_product(session, '1 hour'), pql.longest_session(session)
      FROM plain.kept)$$),
  ($$(SELECT pql.active_users(active_users), pql.active_users_upto(active_users, 3) FROM plain.kept)$$),
  ($$(SELECT pql.journey_text(journey), pql.journey_text(journey, ','), pql.journey_steps(journey), pql.next_after(journey, 'u1'),
      pql.journey_count(journey), pql.journey_elided(journey) FROM plain.kept)$$),
  ($$(SELECT pql.events_all_agg(at, a, b), pql.events_excl_agg(at, x, a, b), pql.retention(a, b), pql.window_funnel('7 days', at, a, b),
      pql.sequence_match('(?1).*(?2)', at, a, b), pql.funnel_histogram(n, 5), pql.count_active_users(who), pql.active_users_agg(who, true),
      pql.decay_sum('7 days', at, n)
      FROM plain.step GROUP BY who)$$),
  ($$(SELECT pql.decay_agg('7 days', at, n) OVER w, pql.decay_sum('7 days', at) OVER w, pql.window_count_agg(at, '{1 day}') OVER w, pql.count_map_agg(who) OVER w,
      pql.retention(a, b) OVER w, pql.cohort_retention_agg(at, '1 day') OVER w, pql.events_excl_agg(at, x, a, b) OVER w,
      pql.window_funnel('7 days', at, a, b) OVER w, pql.session_agg('8 hours', at) OVER w, pql.count_active_users(who) OVER w,
      pql.journey_agg(at, who) OVER w FROM plain.step WINDOW w AS (ORDER BY at ROWS 3 PRECEDING))$$);
INSERT INTO plain.call (result) VALUES ($$pql.attach_conversations('plain.chat', 'who', 'body', 'at', account_id => 'org', channel => '''chat''')$$),
  ($$(SELECT topic, quote FROM pql.match_topics('do you support SAML?'))$$);
INSERT INTO plain.call (statement) VALUES ($$INSERT INTO plain.chat VALUES (2, '2026-03-02', 'u1', 'o1', 'We need a plain_topic')$$), ($$UPDATE plain.chat SET org = 'o2' WHERE id OPERATOR(pg_catalog.=) 1$$),
  ($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('en', 'plain', 'plain_topic')$$), ($$UPDATE pql.lexicon SET active = false WHERE pattern OPERATOR(pg_catalog.=) 'plain_topic'$$),
  ($$UPDATE pql.lexicon SET active = true WHERE pattern OPERATOR(pg_catalog.=) 'plain_topic'$$), ($$UPDATE pql.lexicon SET active = false WHERE language OPERATOR(pg_catalog.=) 'de'$$);
INSERT INTO plain.call (result) VALUES ($$plain.failure('INSERT INTO pql.lexicon (language, topic, pattern) VALUES (''en'', ''plain'', ''(x'')')$$), ($$pql.rematch('plain.chat')$$),
  ('(SELECT home, event_id, topic, quote FROM pql.intent)'), ($$pql.search_conversations('need')$$), ($$pql.detach_conversations('plain.chat')$$);
INSERT INTO plain.call (statement) VALUES ($$DELETE FROM plain.chat WHERE id OPERATOR(pg_catalog.=) 2$$), ($$DELETE FROM pql.lexicon WHERE origin OPERATOR(pg_catalog.=) 'own'$$);
INSERT INTO plain.call (statement) VALUES ($$INSERT INTO pql.attribute_use VALUES ('account', 'plan'), ('account', 'size'), ('account', 'seats')$$);
INSERT INTO plain.call (result) VALUES ($$pql.attach_accounts('plain.account', 'id')$$), ($$pql.attach_users('plain.person', 'id', 'org')$$), ($$pql.attach_workspaces('plain.project', 'id')$$);
INSERT INTO plain.call (result) VALUES ($$pql.attach_facts('free', 'plain.account', account_id => 'id', "where" => 'plan = ''free'' and id <> ''o9''')$$),
  ($$pql.attach_facts('since', 'plain.account', account_id => 'id', measure => 'newest', value => 'since')$$), ($$pql.attach_facts('people', 'plain.person', account_id => 'org')$$),
  ($$plain.failure('SELECT pql.attach_facts(''people'', ''plain.person'', account_id => ''nobody'')')$$);
INSERT INTO plain.call (statement) VALUES ($$INSERT INTO plain.account VALUES ('o3', 'new', 'large', 4)$$),
  ($$UPDATE plain.account SET plan = plan OPERATOR(pg_catalog.||) '+'$$), ($$DELETE FROM plain.account WHERE id OPERATOR(pg_catalog.=) 'o2'$$),
  ($$UPDATE plain.person SET job = 'dev'$$);
INSERT INTO plain.call (result) VALUES ('pql.refresh_facts()'), ($$pql.refresh_facts('people')$$), ('(SELECT fact, subject_id, number FROM pql.facts)'),
  ('(SELECT kind, relation, subjects, kept_by, broken FROM pql.fact_sources)'), ($$pql.detach_facts('free')$$), ($$pql.detach_facts('since')$$), ($$pql.detach_facts('people')$$),
  ($$pql.attach_dispositions('plain.person', 'id', 'job', account_id => 'org')$$), ('pql.refresh_dispositions()'), ('(SELECT id, problem FROM pql.disposition_import)'),
  ($$pql.detach_dispositions('plain.person')$$),
  ($$pql.attach_consent('plain.account', 'plan = ''free'' and id <> ''o9''', account_id => 'id', channel => 'lower(plan)', at => 'since', "where" => 'id > ''a''')$$),
  ($$pql.attach_consent('plain.person', 'job <> ''cto''', user_id => 'id')$$), ('pql.refresh_consent()'), ($$plain.failure('SELECT pql.attach_consent(''plain.person'', ''job'', user_id => ''id'')')$$),
  ('(SELECT unit, subject_id, channel, granted, source FROM pql.consent)'), ('(SELECT subject_id, problem FROM pql.consent_problem)'),
  ($$pql.detach_consent('plain.account')$$), ($$pql.detach_consent('plain.person')$$);
INSERT INTO plain.call (statement) VALUES ('DELETE FROM pql.consent');
INSERT INTO plain.call (statement) VALUES ($$INSERT INTO pql.consent (unit, subject_id, granted, at) VALUES ('account', 'o1', false, '2026-01-01')$$),
  ($$UPDATE pql.consent SET granted = true$$), ($$DELETE FROM pql.consent$$), ($$INSERT INTO pql.internal_domain VALUES ('rival.example', 'competitor')$$);
INSERT INTO plain.call (result) VALUES ('pql.refresh_attributes()'), ($$pql.refresh_attributes('account')$$),
  ('(SELECT home, account_id, body FROM pql.attribute)'), ('(SELECT home, account_id, body FROM pql.attribute_history)'),
  ('(SELECT unit, subject_id, attributes FROM pql.attributes)'), ('(SELECT unit, relation, columns, types, rows, kept_by, broken FROM pql.attribute_sources)'),
  ($$plain.failure('SELECT pql.attach_accounts(''plain.person'', ''nobody'')')$$), ($$(SELECT pql.email_domain(a) FROM pg_catalog.unnest(ARRAY['a@b.example', 'a@gmail.com']) AS a)$$);
INSERT INTO plain.call (result) VALUES ($$plain.failure('SELECT pql.flag_subject(''p'', ''o1'', ''usage'', ''why'')')$$), ('pql.lift_flag(0)'), ('pql.readiness()'), ($$pql.readiness('p')$$), ($$pql.audit_signals('p')$$),
  ($$pql.score_history('p', 'o1', '2026-03-01', '2026-03-05', '1 day')$$), ($$pql.preview('{"program": "q", "unit": "account", "segment": "attr.plan is not null", "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 60}}, "qualify": {"enter": 10}, "examples": [{"subject": "o1", "expect": "not_qualified"}]}')$$), ($$pql.preview_summary('{"program": "q", "unit": "account", "segment": "attr.plan is not null", "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 60}}, "qualify": {"enter": 10}, "examples": [{"subject": "o1", "expect": "not_qualified"}]}')$$),
  ($$pql.backtest('{"program": "q", "unit": "account", "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 60}}, "qualify": {"enter": 10}, "examples": [{"subject": "o1", "expect": "not_qualified"}]}', '2026-03-01', '2026-03-08')$$), ($$pql.backtest_episodes('{"program": "q", "unit": "account", "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 60}}, "qualify": {"enter": 10}, "examples": [{"subject": "o1", "expect": "not_qualified"}]}', '2026-03-01', '2026-03-08')$$);
INSERT INTO plain.call (statement) VALUES ('TRUNCATE plain.account'), ($$INSERT INTO pql.free_mail_domain VALUES ('b.example')$$);
INSERT INTO plain.call (result) VALUES ($$(SELECT pql.email_domain('a@b.example') IS NULL)$$), ('pql.detach_accounts()'), ('pql.detach_users()'), ('pql.detach_workspaces()');
INSERT INTO plain.call (statement) VALUES ($$INSERT INTO plain.account VALUES ('o1', 'free', 'large', 3, '2026-01-01'), ('o2', 'pro', NULL, NULL, NULL)$$),
  ($$UPDATE plain.person SET job = 'cto' WHERE id OPERATOR(pg_catalog.=) 'u1'$$), ($$UPDATE plain.person SET job = NULL WHERE id OPERATOR(pg_catalog.=) 'u2'$$);
INSERT INTO plain.call (result) VALUES ($$pql.set_mode('plain.event', 'deferred')$$);
INSERT INTO plain.call (statement) VALUES ('INSERT INTO plain.event SELECT id OPERATOR(pg_catalog.+) 100000, at, who, org, name, props FROM plain.event ORDER BY id LIMIT 3'), ('CALL pql.fold()'), ('INSERT INTO plain.event SELECT id OPERATOR(pg_catalog.+) 200000, at, who, org, name, props FROM plain.event ORDER BY id LIMIT 3');
INSERT INTO plain.call (result) VALUES ($$pql.set_mode('plain.event', 'sync')$$);
INSERT INTO plain.call (statement) VALUES ('CALL pql.rebuild()');
INSERT INTO plain.call (result) VALUES ($$pql.promote('u', 'best 2')$$), ($$pql.tick('2026-03-26')$$), ($$(SELECT unit, subject_id, owner, state FROM pql.claim('kim', 9))$$),
  ($$(SELECT state, owner, disposition FROM pql.accept((SELECT pg_catalog.min(routing_id) FROM pql.routing WHERE state OPERATOR(pg_catalog.=) 'claimed')))$$),
  ($$(SELECT state, owner, disposition FROM pql.touch((SELECT pg_catalog.min(routing_id) FROM pql.routing WHERE state OPERATOR(pg_catalog.=) 'accepted'), 'phone'))$$),
  ($$(SELECT state, owner, disposition FROM pql.dispose((SELECT pg_catalog.min(routing_id) FROM pql.routing WHERE state OPERATOR(pg_catalog.=) 'touched'), 'nurture', true, false, failure => 'timing'))$$),
  ($$(SELECT state, owner, disposition FROM pql.snooze((SELECT pg_catalog.min(routing_id) FROM pql.routing WHERE state OPERATOR(pg_catalog.=) 'disposed'), '2026-05-01'))$$),
  ($$(SELECT unit, subject_id, owner, state FROM pql.claim('lee', 9))$$),
  ($$(SELECT state, owner, disposition FROM pql.decline((SELECT pg_catalog.min(routing_id) FROM pql.routing WHERE state OPERATOR(pg_catalog.=) 'claimed'), 'why'))$$),
  ($$(SELECT state, owner, disposition FROM pql.reassign((SELECT pg_catalog.min(routing_id) FROM pql.routing WHERE state OPERATOR(pg_catalog.=) 'pending'), 'lee', 'why'))$$),
  ($$(SELECT pql.record_outcome('o1', 'paid', 9) IS NOT NULL)$$),
  ($$(SELECT subject_id, program, touch_delay, disposition, burnt, converted, matures_at FROM pql.labels('2026-06-01'))$$),
  ($$(SELECT program, slice, signal, support, mature, converted, lift FROM pql.signal_performance(NULL, 'delay', '2026-06-01'))$$), ($$pql.motion_performance(NULL, 'week', '2026-06-01')$$),
  ($$pql.timing_performance('p', 'motion', '2026-06-01')$$), ($$(SELECT * FROM pql.handoff_measures)$$),
  ($$(SELECT subject_id, outcome, why FROM pql.attribution)$$), ($$pql.share_interval(1, 2)$$), ($$pql.difference_interval(1, 2, 1, 3)$$), ($$pql.ratio_interval(1, 2, 1, 3)$$),
  ($$pql.attach_outcomes('plain.person', 'id', user_id => 'id', named => 'signed_up')$$), ('pql.refresh_outcomes()'), ($$pql.detach_outcomes('plain.person')$$),
  ($$pql.refresh_evidence(NULL, '2026-09-01')$$), ($$(SELECT pg_catalog.count(*) FROM pql.evidence_weights('p', 'a segment', 'a team', '2026-09-01'))$$),
  ($$plain.failure('SELECT pql.propose_program(''p'', ''2026-09-01'')')$$), ($$(SELECT pql.likelihood(pg_catalog.min(routing_id)) FROM pql.routing)$$),
  ($$(SELECT pg_catalog.count(likelihood) FROM pql.likelihoods('p'))$$), ($$(SELECT pg_catalog.count(*) FROM pql.calibration('p'))$$),
  ($$(SELECT pg_catalog.count(*) FROM pql.drift('p'))$$), ($$pql.model_card('p')$$), ($$(SELECT pg_catalog.count(*) FROM pql.weekly_review('p', '2026-09-01'))$$), ($$pql.weekly_summary('p', '2026-09-01')$$),
  ($$pql.tick('2026-06-01')$$),
  ($$(SELECT rep, subject_id, to_do, minutes_left, sla FROM pql.inbox)$$),
  ($$(SELECT subject_id, from_state, to_state, rep, reason FROM pql.routing_history)$$),
  ($$(SELECT subject_id, state, disposition, touches, declined, time_to_first_touch FROM pql.handoffs)$$),
  ($$(SELECT unit, subject_id, stage, since FROM pql.lifecycle)$$),
  ($$(SELECT pg_catalog.count(*) FROM pql.explain_route((SELECT pg_catalog.min(routing_id) FROM pql.routing)))$$);
INSERT INTO plain.call (result) VALUES ('pql.sample_size(0.1, 0.1)'), ('pql.sample_size_of_mean(200, 50)'), ($$pql.plan_pilot('u', 'true', baseline => 0.1)$$),
  ($$(SELECT pql.start_pilot('u', 'true', '700 days', baseline => 0.1, max_share => 1, override => 'for the test', targets => '{"meeting_rate": 0.2}', guardrails => '{"complaints": {"at_most": 0.1, "outcomes": ["paid"]}, "rep_load": null}') IS NOT NULL)$$),
  ($$pql.tick('2026-06-03')$$), ($$(SELECT part, indicator, verdict FROM pql.pilot_report((SELECT pg_catalog.max(pilot_id) FROM pql.pilot)))$$),
  ($$(SELECT pql.pilot_summary((SELECT pg_catalog.max(pilot_id) FROM pql.pilot)) IS NOT NULL)$$), ($$(SELECT pql.stop_pilot((SELECT pg_catalog.max(pilot_id) FROM pql.pilot), 'for the test') IS NOT NULL)$$),
  ($$pql.scale_pilot((SELECT pg_catalog.max(pilot_id) FROM pql.pilot), 'for the test')$$), ($$(SELECT state, reason, document FROM pql.pilot)$$);
INSERT INTO plain.call (statement) VALUES ($$INSERT INTO pql.destination (destination, kind, url, backlog) VALUES ('hook', 'webhook', 'https://hook.example/', true)$$);
INSERT INTO plain.call (result) VALUES ('pql.state_digest()'),
  ($$pql.save_draft('{"program": "u", "unit": "user", "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 50}},
      "qualify": {"enter": 30, "leave": 20}}', 'a draft')$$),
  ($$pql.publish_draft('u', 'for the test')$$), ($$pql.rollback('u', 'for the test')$$), ($$pql.retire('u')$$),
  ($$pql.publish('{"program": "u", "unit": "user", "milestones": {"user_signed_up": {"event": "signup"}},
      "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 60}}, "qualify": {"enter": 40}}')$$),
  ($$pql.diff_programs('u', 1, 2)$$), ($$plain.failure('SELECT pql.diff_programs(''u'', 1, 9)')$$), ('pql.program_schema()'),
  ($$(SELECT pg_catalog.count(*) FROM pql.preview_deliveries('hook', 50))$$), ($$(SELECT pg_catalog.count(*) FROM pql.claim_deliveries('hook', 50))$$),
  ($$(SELECT pql.delivery_done(pg_catalog.min(delivery_id), 200) FROM pql.delivery)$$), ($$(SELECT pql.delivery_dead(pg_catalog.max(delivery_id), 'gone', 410) FROM pql.delivery)$$),
  ($$(SELECT pql.delivery_failed(pg_catalog.max(delivery_id), 1, pg_catalog.now(), 'busy', 503, NULL) FROM pql.delivery)$$),
  ($$pql.release_deliveries('nobody')$$), ($$pql.redeliver('hook')$$), ($$pql.purge_deliveries('1 day')$$), ($$(SELECT pg_catalog.count(*) FROM pql.restore_triggers('plain.event'))$$),
  ($$(SELECT pql.metrics_text() IS NOT NULL)$$), ('pql.citus_check()'), ($$plain.failure('SELECT pql.distribute(4)')$$), ($$plain.failure('SELECT pql.undistribute()')$$),
  ($$plain.failure('SELECT pql.send_configuration()')$$), ($$plain.failure('SELECT pql.on_shards(''SELECT 1'')')$$), ($$plain.failure('SELECT pql.on_home(''a:o1'', ''SELECT 1'')')$$),
  ($$(SELECT relation, removed, changed FROM pql.erase_user('u2'))$$), ($$(SELECT relation, removed, changed FROM pql.erase_account('o2'))$$),
  ($$pql.detach('pql.events')$$),
  ($$pql.retain('plain.event', '2026-03-02')$$), ('pql.verify()'), ($$pql.detach('plain.event')$$), ('pql.state_digest()');
CREATE VIEW plain.script AS
  SELECT n, coalesce(statement, format('INSERT INTO plain.result'
    ' SELECT pg_catalog.current_setting($$test.round$$), %s, r::pg_catalog.text FROM %s AS r', n, result)) AS command
  FROM plain.call;

SELECT is_empty($$
  SELECT p.oid::regprocedure FROM pg_proc AS p
  WHERE p.pronamespace = 'pql'::regnamespace AND p.proname !~ '^_' AND p.proname <> 'next_id' AND 'internal'::regtype <> ALL (p.proargtypes)
    AND NOT EXISTS (SELECT FROM plain.call AS c WHERE coalesce(c.result, c.statement) LIKE '%pql.' || p.proname || '(%')$$,
  'every function is called');

--
-- Once in peace, once among enemies
--

\set ON_ERROR_STOP off
DROP EXTENSION pql CASCADE;
SET pql.backfill_batch = 1;
SET test.round = 'plain';
SET search_path = pg_catalog;
SELECT command FROM plain.script ORDER BY n \gexec
DROP EXTENSION pql CASCADE;
TRUNCATE plain.event;

SET test.round = 'hostile';
SET search_path = hostile, pg_catalog;
SELECT command FROM plain.script ORDER BY n \gexec
RESET search_path;
\set ON_ERROR_STOP on

SELECT set_eq($$SELECT result FROM plain.call WHERE result IS NOT NULL AND n NOT IN (SELECT n FROM plain.result WHERE round = 'plain')$$,
  $$SELECT result FROM plain.call WHERE result LIKE 'pql.verify(%'$$, 'all but verify, which finds nothing, give something to compare');
SELECT is((SELECT string_agg(r.result, E'\n' ORDER BY r.result COLLATE "C") FROM plain.result AS r WHERE r.n = c.n AND r.round = 'hostile'),
          (SELECT string_agg(r.result, E'\n' ORDER BY r.result COLLATE "C") FROM plain.result AS r WHERE r.n = c.n AND r.round = 'plain'),
          'the same: ' || left(regexp_replace(c.result, '\s+', ' ', 'g'), 90))
FROM plain.call AS c WHERE c.result IS NOT NULL ORDER BY c.n;
SELECT is_empty('SELECT DISTINCT what FROM hostile.caught', 'nothing hostile was used');
SELECT ok(NOT is_called, 'nor in what was rolled back') FROM hostile.calls;

SELECT * FROM finish();
