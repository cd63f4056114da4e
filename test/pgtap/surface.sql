-- What CREATE EXTENSION leaves in a database: objects and their comments, how functions are marked and who may call them, whom it
-- all belongs to, and what a dump takes along. Whoever adds or changes an object says so here.
BEGIN;
SELECT * FROM no_plan();

CREATE TEMP VIEW member AS
  SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS object
  FROM pg_depend AS d JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
  WHERE d.deptype = 'e' AND e.extname = 'pql'
    AND NOT EXISTS (SELECT FROM pg_depend AS o WHERE (o.classid, o.objid, o.deptype) = (d.classid, d.objid, 'i')); -- row types
CREATE TEMP VIEW routine AS
  SELECT p.* FROM member AS m JOIN pg_proc AS p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid;
CREATE TEMP VIEW relation AS
  SELECT c.* FROM member AS m JOIN pg_class AS c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid;

-- The types of aggregates' states.
\set timed 'decay|window_count|cohort|events|funnel_summary|session|journey'
CREATE TEMP VIEW state_type AS
  SELECT unnest(ARRAY['count_map_state', 'retention_state', 'active_users_state']) AS name
  UNION ALL SELECT kind || times || '_state' FROM string_to_table(:'timed', '|') AS kind, unnest(ARRAY['', '_timestamp', '_bigint']) AS times;
\set states 'ARRAY(SELECT name FROM state_type)'

-- The extension.
SELECT results_eq(
  $$SELECT v.version, v.superuser, v.trusted, v.relocatable, v.schema, v.requires FROM pg_available_extension_versions AS v
    JOIN pg_extension AS e ON (e.extname, e.extversion) = (v.name, v.version) WHERE v.name = 'pql'$$,
  $$SELECT pql.version(), true, false, false, NULL::name, NULL::name[]$$,
  'what is installed is what the library says, for superusers only, and stays in its place');
SELECT isnt(coalesce(obj_description(oid, 'pg_extension'), ''), '', 'the extension says what it is')
FROM pg_extension WHERE extname = 'pql';

-- Objects.
SELECT bag_eq('SELECT relkind::text, relname::text FROM relation', $$VALUES
  ('r', 'source'), ('r', 'source_leaf'), ('r', 'tracker'), ('r', 'program'), ('r', 'state'), ('r', 'milestone_log'), ('r', 'base_state'), ('r', 'user_home'),
  ('r', 'held_event'), ('r', 'seen_event'), ('r', 'forgotten_event'), ('r', 'sealed_event'), ('r', 'unusable_event'), ('r', 'asserted_milestone'),
  ('r', 'backfill_job'), ('r', 'episode'), ('r', 'routing'), ('r', 'routing_transition'), ('r', 'touch'), ('r', 'disposition'), ('r', 'declined'), ('r', 'outcome'),
  ('r', 'team'), ('r', 'reps'), ('r', 'rep_load'), ('r', 'holidays'), ('r', 'territories'), ('r', 'account_owner'), ('r', 'consent'), ('r', 'route_decision'),
  ('v', 'inbox'), ('v', 'handoffs'), ('v', 'routing_history'), ('v', 'lifecycle'), ('v', 'lifecycle_history'), ('v', 'outcome_rules'), ('v', 'label'), ('r', 'evaluation'), ('r', 'flag'), ('v', 'flags'), ('r', 'audit'), ('r', 'event_clock'), ('r', 'events'), ('S', 'id_seq'),
  ('r', 'capacity_threshold'), ('v', 'capacity_cuts'), ('v', 'worker'),
  ('r', 'identity'), ('r', 'free_mail_domain'), ('r', 'identity_lock'), ('r', 'attribute_source'), ('r', 'attribute_use'), ('r', 'attribute'), ('r', 'attribute_history'), ('v', 'attributes'), ('v', 'attribute_sources'), ('r', 'fact_source'), ('r', 'fact_use'), ('r', 'fact_value'), ('r', 'fact_history'), ('v', 'facts'), ('v', 'fact_sources'), ('r', 'rule_error'), ('v', 'rule_errors'), ('r', 'internal_domain'), ('r', 'disposition_source'), ('r', 'disposition_import'),
  ('r', 'consent_source'), ('r', 'consent_import'), ('r', 'consent_problem'),
  ('r', 'intent'), ('r', 'scoring_packet'), ('r', 'step_share'), ('r', 'conversation_source'), ('r', 'lexicon'), ('r', 'lexicon_off'),
  ('v', 'milestones'), ('v', 'members'), ('v', 'subjects'), ('v', 'unusable'), ('v', 'sources'), ('v', 'backfill_progress')$$,
  'tables, views and a sequence');
SELECT bag_eq($$SELECT object FROM member WHERE classid NOT IN ('pg_proc'::regclass, 'pg_class'::regclass)$$,
  ARRAY['schema pql', 'type pql.triage_case', 'type pql._row_scored', 'type pql.epoch', 'type pql.epoch_span', 'cast from bigint to pql.epoch', 'cast from bigint to pql.epoch_span',
    'cast from integer to pql.epoch', 'cast from integer to pql.epoch_span'] || ARRAY(SELECT format(object, state) FROM unnest(:states) AS state, unnest(ARRAY['type pql.%s',
    'operator pql.=(pql.%1$s,pql.%1$s)', 'operator pql.<>(pql.%1$s,pql.%1$s)', 'operator pql.||(pql.%1$s,pql.%1$s)',
    'operator class pql.%s_ops for access method hash', 'operator family pql.%s_ops for access method hash']) AS object),
  'besides functions, and the schema, there are times that are numbers, and the types of states, which can be compared, hashed and merged');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class AS c
  WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind IN ('r', 'v', 'S', 'm', 'f', 'p') AND c.oid NOT IN (SELECT oid FROM relation)$$,
  'what is in the schema belongs to the extension');
-- What it is the comment of: overloads are one thing, and so are a function and its operator.
CREATE TEMP VIEW described AS
  SELECT m.object, obj_description(m.objid, m.classid::regclass::name) AS comment, coalesce('function ' || p.proname, m.object) AS thing
  FROM member AS m LEFT JOIN pg_operator AS o ON m.classid = 'pg_operator'::regclass AND o.oid = m.objid
    LEFT JOIN pg_proc AS p ON p.oid = o.oprcode OR m.classid = 'pg_proc'::regclass AND p.oid = m.objid;
SELECT is_empty($$SELECT object FROM described WHERE coalesce(comment, '') = ''$$, 'every object has a comment');
SELECT is_empty($$SELECT comment, array_agg(object) FROM described GROUP BY comment HAVING count(DISTINCT thing) > 1$$,
  'no comment is another''s');

-- Functions: volatility, parallel safety, strictness, and who may call them. Nobody but the owner calls what writes.
CREATE TEMP VIEW marking AS
  SELECT p.oid::regprocedure::text AS routine,
         CASE p.provolatile WHEN 'v' THEN 'volatile' WHEN 's' THEN 'stable' ELSE 'immutable' END AS volatility,
         CASE p.proparallel WHEN 'u' THEN 'unsafe' WHEN 'r' THEN 'restricted' ELSE 'safe' END AS in_parallel,
         CASE WHEN p.proisstrict THEN 'strict' ELSE '' END AS strictness,
         CASE WHEN EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0)
           THEN 'all' ELSE 'owner' END AS callers
  FROM routine AS p;
-- Aggregates, what reads their states, and what they are made of. All of it is immutable, parallel safe, and for everybody.
CREATE TEMP VIEW marking_of_instants (routine, strictness) AS
VALUES
  ('pql.activated(pql.events_state,interval,text[])', 'strict'),
  ('pql.activated(pql.funnel_summary_state)', 'strict'),
  ('pql.active_users(pql.active_users_state)', 'strict'),
  ('pql.active_users_agg(anyelement)', ''),
  ('pql.active_users_agg(anyelement,boolean)', ''),
  ('pql.active_users_upto(pql.active_users_state,bigint)', 'strict'),
  ('pql.any_order(pql.events_state,interval)', 'strict'),
  ('pql.cohort(pql.cohort_state)', 'strict'),
  ('pql.cohort_retention_agg(timestamp with time zone,interval)', ''),
  ('pql.cohort_retention_agg(timestamp with time zone,interval,boolean)', ''),
  ('pql.count_active_users(anyelement)', ''),
  ('pql.count_in(pql.window_count_state,timestamp with time zone,interval)', 'strict'),
  ('pql.count_map_agg(text)', ''),
  ('pql.count_map_agg(text,bigint)', ''),
  ('pql.count_of(pql.count_map_state,text)', 'strict'),
  ('pql.counts(pql.count_map_state)', 'strict'),
  ('pql.decay_agg(interval,timestamp with time zone)', ''),
  ('pql.decay_agg(interval,timestamp with time zone,double precision)', ''),
  ('pql.decay_avg(pql.decay_state)', 'strict'),
  ('pql.decay_count(pql.decay_state,timestamp with time zone)', 'strict'),
  ('pql.decay_score(pql.decay_state,timestamp with time zone)', 'strict'),
  ('pql.decay_sum(interval,timestamp with time zone)', ''),
  ('pql.decay_sum(interval,timestamp with time zone,double precision)', ''),
  ('pql.events_agg(timestamp with time zone,integer)', ''),
  ('pql.events_all_agg(timestamp with time zone,integer)', ''),
  ('pql.events_excl_agg(timestamp with time zone,boolean,integer)', ''),
  ('pql.funnel_conversion(pql.events_state,interval,text[])', 'strict'),
  ('pql.funnel_histogram(integer,integer)', ''),
  ('pql.funnel_rollup(pql.funnel_summary_state)', ''),
  ('pql.funnel_summary(pql.events_state,interval,text[])', 'strict'),
  ('pql.funnel_times(pql.events_state,interval,text[])', 'strict'),
  ('pql.half_life(interval)', 'strict'),
  ('pql.journey_agg(timestamp with time zone,text)', ''),
  ('pql.journey_agg(timestamp with time zone,text,integer,integer)', ''),
  ('pql.journey_count(pql.journey_state)', 'strict'),
  ('pql.journey_elided(pql.journey_state)', 'strict'),
  ('pql.journey_steps(pql.journey_state)', 'strict'),
  ('pql.journey_text(pql.journey_state)', 'strict'),
  ('pql.journey_text(pql.journey_state,text)', 'strict'),
  ('pql.last_seen(pql.decay_state)', 'strict'),
  ('pql.longest_session(pql.session_state)', 'strict'),
  ('pql.next_after(pql.journey_state,text)', 'strict'),
  ('pql.next_event(pql.events_state,integer[],text,text)', 'strict'),
  ('pql.retained(pql.retention_state)', 'strict'),
  ('pql.retained_periods(pql.cohort_state)', 'strict'),
  ('pql.sequence_count(pql.events_state,text,interval,boolean)', ''),
  ('pql.sequence_events(pql.events_state,text,text,interval,boolean)', ''),
  ('pql.sequence_match(pql.events_state,text,interval,boolean)', ''),
  ('pql.session_agg(interval,timestamp with time zone)', ''),
  ('pql.session_agg(interval,timestamp with time zone,interval)', ''),
  ('pql.session_count(pql.session_state)', 'strict'),
  ('pql.sessions(pql.session_state)', 'strict'),
  ('pql.time_in_product(pql.session_state)', 'strict'),
  ('pql.time_in_product(pql.session_state,interval)', 'strict'),
  ('pql.top(pql.count_map_state,integer)', 'strict'),
  ('pql.window_count_agg(timestamp with time zone,interval[])', ''),
  ('pql.window_funnel(pql.events_state,interval,text[])', 'strict'),
  ('pql.window_funnel(pql.funnel_summary_state)', 'strict'),
  ('pql._active_users_add(pql.active_users_state,anyelement)', ''),
  ('pql._active_users_add(pql.active_users_state,anyelement,boolean)', ''),
  ('pql._active_users_count(pql.active_users_state)', ''),
  ('pql._active_users_move(internal,anyelement)', ''),
  ('pql._active_users_move(internal,anyelement,boolean)', ''),
  ('pql._active_users_moved(internal)', ''),
  ('pql._active_users_moved_count(internal)', ''),
  ('pql._active_users_unmove(internal,anyelement)', ''),
  ('pql._active_users_unmove(internal,anyelement,boolean)', ''),
  ('pql._cohort_add(pql.cohort_state,timestamp with time zone,interval)', ''),
  ('pql._cohort_add(pql.cohort_state,timestamp with time zone,interval,boolean)', ''),
  ('pql._cohort_move(internal,timestamp with time zone,interval)', ''),
  ('pql._cohort_move(internal,timestamp with time zone,interval,boolean)', ''),
  ('pql._cohort_moved(internal)', ''),
  ('pql._cohort_unmove(internal,timestamp with time zone,interval)', ''),
  ('pql._cohort_unmove(internal,timestamp with time zone,interval,boolean)', ''),
  ('pql._count_map_add(pql.count_map_state,text)', ''),
  ('pql._count_map_add(pql.count_map_state,text,bigint)', ''),
  ('pql._count_map_move(internal,text)', ''),
  ('pql._count_map_move(internal,text,bigint)', ''),
  ('pql._count_map_moved(internal)', ''),
  ('pql._count_map_unmove(internal,text)', ''),
  ('pql._count_map_unmove(internal,text,bigint)', ''),
  ('pql._decay_add(pql.decay_state,interval,timestamp with time zone)', ''),
  ('pql._decay_add(pql.decay_state,interval,timestamp with time zone,double precision)', ''),
  ('pql._decay_move(internal,interval,timestamp with time zone)', ''),
  ('pql._decay_move(internal,interval,timestamp with time zone,double precision)', ''),
  ('pql._decay_moved(internal)', ''),
  ('pql._decay_sum_final(pql.decay_state)', ''),
  ('pql._decay_sum_moved(internal)', ''),
  ('pql._decay_unmove(internal,interval,timestamp with time zone)', ''),
  ('pql._decay_unmove(internal,interval,timestamp with time zone,double precision)', ''),
  ('pql._events_add(pql.events_state,timestamp with time zone,integer)', ''),
  ('pql._events_all_add(pql.events_state,timestamp with time zone,integer)', ''),
  ('pql._events_all_move(internal,timestamp with time zone,integer)', ''),
  ('pql._events_all_unmove(internal,timestamp with time zone,integer)', ''),
  ('pql._events_excl_add(pql.events_state,timestamp with time zone,boolean,integer)', ''),
  ('pql._events_excl_move(internal,timestamp with time zone,boolean,integer)', ''),
  ('pql._events_excl_unmove(internal,timestamp with time zone,boolean,integer)', ''),
  ('pql._events_move(internal,timestamp with time zone,integer)', ''),
  ('pql._events_moved(internal)', ''),
  ('pql._events_unmove(internal,timestamp with time zone,integer)', ''),
  ('pql._funnel_histogram_add(bigint[],integer,integer)', ''),
  ('pql._funnel_histogram_combine(bigint[],bigint[])', ''),
  ('pql._funnel_histogram_subtract(bigint[],integer,integer)', ''),
  ('pql._journey_add(pql.journey_state,timestamp with time zone,text)', ''),
  ('pql._journey_add(pql.journey_state,timestamp with time zone,text,integer,integer)', ''),
  ('pql._journey_move(internal,timestamp with time zone,text)', ''),
  ('pql._journey_move(internal,timestamp with time zone,text,integer,integer)', ''),
  ('pql._journey_moved(internal)', ''),
  ('pql._journey_unmove(internal,timestamp with time zone,text)', ''),
  ('pql._journey_unmove(internal,timestamp with time zone,text,integer,integer)', ''),
  ('pql._retention_final(pql.retention_state)', ''),
  ('pql._retention_moved(internal)', ''),
  ('pql._retention_moved_final(internal)', ''),
  ('pql._sequence_match_final(pql.events_state)', ''),
  ('pql._sequence_match_moved(internal)', ''),
  ('pql._session_add(pql.session_state,interval,timestamp with time zone)', ''),
  ('pql._session_add(pql.session_state,interval,timestamp with time zone,interval)', ''),
  ('pql._session_move(internal,interval,timestamp with time zone)', ''),
  ('pql._session_move(internal,interval,timestamp with time zone,interval)', ''),
  ('pql._session_moved(internal)', ''),
  ('pql._session_unmove(internal,interval,timestamp with time zone)', ''),
  ('pql._session_unmove(internal,interval,timestamp with time zone,interval)', ''),
  ('pql._window_count_add(pql.window_count_state,timestamp with time zone,interval[])', ''),
  ('pql._window_count_move(internal,timestamp with time zone,interval[])', ''),
  ('pql._window_count_moved(internal)', ''),
  ('pql._window_count_unmove(internal,timestamp with time zone,interval[])', ''),
  ('pql._window_funnel_final(pql.events_state)', ''),
  ('pql._window_funnel_moved(internal)', '')
UNION ALL -- of every type of states
SELECT format(signature, 'pql.' || state), strictness
FROM unnest(:states) AS state, (VALUES
  ('%s_in(cstring)', 'strict'), ('%s_recv(internal)', 'strict'), ('pql.state_out(%s)', 'strict'), ('pql.state_send(%s)', 'strict'),
  ('pql.state_eq(%1$s,%1$s)', 'strict'), ('pql.state_ne(%1$s,%1$s)', 'strict'), ('pql.state_hash(%s)', 'strict'),
  ('pql.state_hash_extended(%s,bigint)', 'strict'), ('pql.state_info(%s)', 'strict'), ('pql.state_merge(%1$s,%1$s)', ''),
  ('pql.rollup(%s)', ''), ('pql._state_add(%1$s,%1$s)', ''), ('pql._state_final(%s)', '')) AS f (signature, strictness)
UNION ALL -- with one to eight conditions, or all of them in an array
SELECT format('%s%s)', before, conditions), ''
FROM unnest(ARRAY['boolean[]'] || ARRAY(SELECT 'boolean' || repeat(',boolean', n - 1) FROM generate_series(1, 8) AS n)) AS conditions, (VALUES
  ('pql.events_agg(timestamp with time zone,'),
  ('pql.events_all_agg(timestamp with time zone,'),
  ('pql.events_excl_agg(timestamp with time zone,boolean,'),
  ('pql.retention('),
  ('pql.retention_agg('),
  ('pql.sequence_match(text,timestamp with time zone,'),
  ('pql.window_funnel(interval,timestamp with time zone,'),
  ('pql._events_add(pql.events_state,timestamp with time zone,'),
  ('pql._events_all_add(pql.events_state,timestamp with time zone,'),
  ('pql._events_all_move(internal,timestamp with time zone,'),
  ('pql._events_all_unmove(internal,timestamp with time zone,'),
  ('pql._events_excl_add(pql.events_state,timestamp with time zone,boolean,'),
  ('pql._events_excl_move(internal,timestamp with time zone,boolean,'),
  ('pql._events_excl_unmove(internal,timestamp with time zone,boolean,'),
  ('pql._events_move(internal,timestamp with time zone,'),
  ('pql._events_unmove(internal,timestamp with time zone,'),
  ('pql._retention_add(pql.retention_state,'),
  ('pql._retention_move(internal,'),
  ('pql._retention_unmove(internal,'),
  ('pql._sequence_match_add(pql.events_state,text,timestamp with time zone,'),
  ('pql._sequence_match_move(internal,text,timestamp with time zone,'),
  ('pql._sequence_match_unmove(internal,text,timestamp with time zone,'),
  ('pql._window_funnel_add(pql.events_state,interval,timestamp with time zone,'),
  ('pql._window_funnel_move(internal,interval,timestamp with time zone,'),
  ('pql._window_funnel_unmove(internal,interval,timestamp with time zone,')) AS f (before)
UNION ALL -- times that are numbers
SELECT format(signature, 'pql.' || type), 'strict'
FROM unnest(ARRAY['epoch', 'epoch_span']) AS type, unnest(ARRAY['%s_in(cstring)', '%1$s_out(%1$s)', '%s_recv(internal)', '%1$s_send(%1$s)', '%s(integer)']) AS signature;
-- What has to do with times is there for timestamp and bigint, too; bigint is taken as pql.epoch and pql.epoch_span.
CREATE TEMP VIEW aggregate_marking AS
  SELECT * FROM marking_of_instants
  UNION ALL
  SELECT replace(replace(replace(regexp_replace(regexp_replace(routine, '\m(' || :'timed' || ')_state\M', '\1_' || times || '_state', 'g'),
      '\m(_(' || :'timed' || ')_moved)\M', '\1_' || times), 'timestamp with time zone', time), 'interval[]', span || '[]'), 'interval', length), strictness
  FROM marking_of_instants,
    unnest(ARRAY['timestamp', 'bigint']) AS times,
    LATERAL (SELECT CASE WHEN times = 'timestamp' THEN 'timestamp without time zone' ELSE 'pql.epoch' END,
      CASE WHEN times = 'timestamp' THEN 'interval' ELSE 'pql.epoch_span' END,
      CASE WHEN times = 'timestamp' THEN 'interval' ELSE times END) AS t (time, length, span)
  WHERE routine ~ ('timestamp with time zone|_(' || :'timed' || ')_moved\(|\m(' || :'timed' || ')_state\M')
    AND routine !~ '^pql\.(\w*state_\w+|rollup)\(' AND routine <> 'pql.half_life(interval)'; -- of types, all are above
SELECT bag_eq('TABLE marking', $$VALUES
  ('pql.audit_signals(text,regclass)', 'volatile', 'unsafe', '', 'all'),
  ('pql.backtest(jsonb,timestamp with time zone,timestamp with time zone,regclass,integer)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.backtest_episodes(jsonb,timestamp with time zone,timestamp with time zone,boolean,integer,integer)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.preview(jsonb,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.preview_summary(jsonb,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.flag_subject(text,text,text,text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.lift_flag(bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._end_flags()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.readiness(text)', 'volatile', 'unsafe', '', 'all'),
  ('pql.score_history(text,text,timestamp with time zone,timestamp with time zone,interval)', 'volatile', 'unsafe', '', 'all'),
  ('pql._audit_signals(text,text[])', 'volatile', 'unsafe', 'strict', 'all'), -- checks the caller's rights itself
  ('pql._check_examples(jsonb)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._judge(jsonb,text[])', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._know_columns(text,oid)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._lateness(integer)', 'volatile', 'unsafe', '', 'all'),
  ('pql._outcomes_query(regclass)', 'stable', 'safe', '', 'all'),
  ('pql._review_rising(timestamp with time zone)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._use_attributes()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.activation(text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'all'),
  ('pql.attach(regclass,text,text,text,text,text,text,text,text,text,text,interval,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.attach_accounts(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.attach_dispositions(text,text,text,text,text,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_dispositions(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.refresh_dispositions()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.attach_consent(text,text,text,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_consent(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.refresh_consent()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.attach_facts(text,text,text,text,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_facts(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.refresh_facts(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._rematch(regclass,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._forget_messages(integer,text[])', 'volatile', 'unsafe', '', 'owner'),
  ('pql._match_history(integer,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._match_messages(integer,regclass,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._conversation_source(regclass)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attach_conversations(regclass,text,text,text,text,text,text,text,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._detach_conversations(regclass)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._writing_intents()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._hear()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._check_lexicon()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._note_switch()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._check_pattern(text,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._shipped_pattern(text)', 'stable', 'safe', '', 'owner'),
  ('pql.attach_conversations(text,text,text,text,text,text,text,text,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_conversations(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.rematch(text,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.search_conversations(text,text,timestamp with time zone,integer)', 'stable', 'safe', '', 'all'),
  ('pql.match_topics(text)', 'stable', 'safe', '', 'all'),
  ('pql.attach_users(text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.attach_workspaces(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.backfill(regclass)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._diff_documents(jsonb,jsonb)', 'immutable', 'safe', 'strict', 'all'),
  ('pql.diff_programs(text,integer,integer)', 'stable', 'safe', '', 'all'),
  ('pql.program_schema()', 'immutable', 'safe', '', 'all'),
  ('pql.context_schema()', 'immutable', 'safe', '', 'all'),
  ('pql.check_program(jsonb)', 'stable', 'unsafe', '', 'all'),
  ('pql.detach(regclass)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_accounts()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_users()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.detach_workspaces()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.email_domain(text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql.explain(text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'all'),
  ('pql.merge_accounts(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.merge_users(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.move_user(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.next_id()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.promote(text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.publish(jsonb,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.publish_draft(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.qualification(text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'all'),
  ('pql.rebuild()', 'volatile', 'unsafe', '', 'owner'),
  ('pql.record_event(text,text,text,jsonb,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.refresh_attributes(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.retain(regclass,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.retire(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.rollback(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.save_draft(jsonb,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.score(text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'all'),
  ('pql._row_score(integer,integer,timestamp with time zone,text,bytea,jsonb)', 'stable', 'safe', '', 'owner'),
  ('pql.scoreboard(text,timestamp with time zone)', 'volatile', 'unsafe', '', 'all'),
  ('pql.state_digest()', 'volatile', 'unsafe', '', 'all'),
  ('pql.story(bigint,text)', 'stable', 'restricted', 'strict', 'all'),
  ('pql._story_who(pql.routing,text)', 'stable', 'safe', 'strict', 'all'), -- these are of a row that one has
  ('pql._story_people(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_steps(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_time(pql.routing)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_skipped(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_step(pql.routing,text,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_person(pql.routing,text,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_why(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_said(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_points(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_do(pql.routing,text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._story_words(text,text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._capital(text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._list_text(text[],integer)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._share_text(bigint,bigint)', 'immutable', 'safe', 'strict', 'all'),
  ('pql.refresh_step_shares(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._tick_step_shares()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._without_person(jsonb,text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._forget_in_packets(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.packet(bigint,text)', 'stable', 'restricted', '', 'all'),
  ('pql.render_outreach(bigint,text)', 'volatile', 'unsafe', '', 'all'), -- of a row that one sees
  ('pql.claim(text,integer,bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.accept(bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.decline(bigint,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.touch(bigint,text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.dispose(bigint,text,boolean,boolean,boolean,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.reassign(bigint,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.snooze(bigint,timestamp with time zone,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.record_outcome(text,text,numeric,timestamp with time zone,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._same_homes()', 'stable', 'safe', '', 'all'),
  ('pql._outcomes_of(timestamp with time zone)', 'stable', 'restricted', '', 'all'),
  ('pql.labels(timestamp with time zone,text)', 'stable', 'restricted', '', 'all'),
  ('pql._claim(text,text,integer,bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._accept(text,bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._decline(text,bigint,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._touch(text,bigint,text,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._dispose(text,bigint,text,boolean,boolean,boolean,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._reassign(text,bigint,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._snooze(text,bigint,timestamp with time zone,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._next_states(text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._needs_rep(text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._has_reps()', 'stable', 'safe', '', 'owner'),
  ('pql._check_zone(text)', 'stable', 'safe', 'strict', 'all'),
  ('pql._check_hours(jsonb)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._check_calendar()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._assign_pending(timestamp with time zone,integer)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._is_own(xid)', 'stable', 'safe', 'strict', 'owner'),
  ('pql._open_rows(text)', 'stable', 'safe', 'strict', 'owner'),
  ('pql._load_differences()', 'stable', 'safe', '', 'owner'),
  ('pql._begin_loads()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._recount_loads()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._free_routing(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._release_rep(text,boolean,date)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._take_rep(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._escalation(pql.routing)', 'stable', 'safe', '', 'owner'),
  ('pql._routing_attributes()', 'stable', 'safe', '', 'owner'),
  ('pql._keep_routing_attributes()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._seen_by(text)', 'stable', 'safe', '', 'owner'),
  ('pql._visible_owners()', 'stable', 'restricted', '', 'all'),
  ('pql._acts_as_rep(text)', 'stable', 'safe', '', 'owner'),
  ('pql._is_rep()', 'stable', 'restricted', '', 'all'),
  ('pql._outreach_context(pql.routing)', 'stable', 'safe', '', 'all'), -- of a row that one has
  ('pql._notes_of(pql.routing)', 'stable', 'restricted', '', 'all'),
  ('pql._outreach_terms(jsonb,text)', 'immutable', 'safe', 'strict', 'owner'),
  ('pql._render_template(jsonb,text,jsonb,integer)', 'immutable', 'safe', 'strict', 'owner'),
  ('pql._outreach_attribute(text,text,timestamp with time zone,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._outreach_values(pql.routing,jsonb,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._outreach_stopped(pql.routing,record,text,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._render_outreach(bigint,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._coarse_time(timestamp with time zone,timestamp with time zone)', 'stable', 'safe', '', 'all'),
  ('pql._coarse_people(bigint)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._may_mention(jsonb)', 'immutable', 'safe', '', 'all'),
  ('pql._name_text(text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._delay_contacts(timestamp with time zone)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._delay_of(pql.routing)', 'stable', 'safe', '', 'all'), -- of a row that one has
  ('pql._deserted_rows(timestamp with time zone)', 'stable', 'safe', '', 'owner'),
  ('pql.explain_route(bigint)', 'stable', 'safe', '', 'owner'),
  ('pql._this_database()', 'stable', 'safe', '', 'owner'),
  ('pql._require_rep(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._lock_load(text[])', 'volatile', 'unsafe', '', 'owner'),
  ('pql._is_load_free(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._give_back(pql.routing,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._acting_rep()', 'stable', 'safe', '', 'owner'),
  ('pql._refuse(pql.routing,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._look_again(pql.routing)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._move(pql.routing,text,timestamp with time zone,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._lock_routing(bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._require_owner(text,pql.routing)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._places(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._is_worked(text[])', 'volatile', 'unsafe', '', 'owner'),
  ('pql._goes_on(pql.routing)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._expire_routing(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._return_snoozed(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._breach_routing(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._ready_routing(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._is_routing_due(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._tick_routing(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._tick_batch()', 'stable', 'safe', '', 'owner'),
  ('pql._next_due()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._worker()', 'volatile', 'unsafe', '', 'all'), -- who may read pql.worker
  ('pql.tick(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.triage(text,timestamp with time zone)', 'volatile', 'unsafe', '', 'all'),
  ('pql.undo_merge(bigint)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.upsert_user_milestone(text,text,timestamp with time zone,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.verify(double precision,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql.version()', 'stable', 'safe', 'strict', 'all'),
  ('pql._add_history(integer,smallint[],boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._add_version(jsonb,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._assess(text,text,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._assert_milestone(text,smallint,timestamp with time zone,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attach_attributes(text,regclass,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attribute_columns(text,oid)', 'stable', 'safe', '', 'owner'),
  ('pql._attribute_relation(text,text)', 'stable', 'safe', '', 'all'),
  ('pql._attribute_type(oid)', 'stable', 'safe', 'strict', 'owner'),
  ('pql._attributes_changed(text[])', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._attributes_written()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attach_dispositions(regclass,text[],text[])', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attach_consent(regclass,text,text,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._check_consent(regclass,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._copy_consent(pql.consent_source)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._read_consent(text,text,text,text,text,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._guards_written()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._history_of(text,text,text,timestamp with time zone,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._meant_by(jsonb)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._read_columns(text,text,text,text,text[],text[])', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._tell_disposition(jsonb)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._withdrawn_by(pql.routing,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attach_facts(text,regclass,text,text,text,text,text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._can_watch_facts(oid,text,text)', 'stable', 'safe', '', 'owner'),
  ('pql._check_attachable(regclass,text)', 'stable', 'safe', '', 'owner'),
  ('pql._expression_columns(oid,text,text,oid)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._fact_triggers(oid,text)', 'stable', 'safe', '', 'all'),
  ('pql._facts_written()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._id_column(regclass,text)', 'stable', 'safe', '', 'owner'),
  ('pql._program_facts(jsonb)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._read_facts(text,text[])', 'volatile', 'unsafe', '', 'owner'),
  ('pql._refresh_facts(text)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._unwatch_facts(text,oid)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._use_facts()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._watch_facts(text,regclass,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._attributes_of(text,timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._audit(text,text,jsonb)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._backfill_step(integer)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._begin_leaves()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._boundary()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._can_watch(oid,text,text)', 'stable', 'safe', '', 'owner'),
  ('pql._canonical_user(text)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._check_expression(regclass,text,regtype,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._check_rule(text,text[],regtype)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._check_rules(jsonb)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._compare_leaves()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._compile_expression(regclass,text,regtype,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._create_triggers(integer)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._definitions_changed()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._derive_homes(text[])', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._detach_attributes(text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._execute_as(text,text)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._emit_standing(text,text[],text[])', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._eval_rule(text,jsonb,text,timestamp with time zone,timestamp with time zone,regtype)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._events_text(bigint)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._flush()', 'volatile', 'unsafe', '', 'all'), -- only what the caller's own commit would do
  ('pql._free_mail_changed()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._has_older_rows(oid,oid,bigint)', 'volatile', 'unsafe', '', 'all'),
  ('pql._hold_up_writers(regclass)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._holds_until(integer,oid)', 'volatile', 'unsafe', 'strict', 'all'),
  ('pql._homes_in(integer,oid)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._ingest()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._is_watched(oid)', 'stable', 'safe', '', 'all'),
  ('pql._keep_versions()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._know_leaf(pql.source_leaf)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._know_leaves(integer)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._leaf_changes(integer)', 'volatile', 'unsafe', '', 'all'),
  ('pql._leave_due(timestamp with time zone)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._leaves(integer)', 'stable', 'restricted', '', 'all'),
  ('pql._logged_milestones(text,text,bytea)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._named_attributes()', 'stable', 'safe', '', 'owner'),
  ('pql._now()', 'volatile', 'unsafe', '', 'all'), -- says what time it is
  ('pql._number_text(bigint)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._open_standing(text)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._plain_text(text)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._program_attributes(jsonb)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._protect_free_mail()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._program_trackers(jsonb)', 'stable', 'unsafe', 'strict', 'owner'),
  ('pql._read_attributes(text)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._refresh_attributes(text)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._readable(integer)', 'volatile', 'unsafe', 'strict', 'all'),
  ('pql._rebuild()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._release_held(timestamp with time zone)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._require_reader(text[])', 'stable', 'safe', '', 'all'),
  ('pql._tick(timestamp with time zone)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._require_document(jsonb,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._require_examples(jsonb)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._require_pause(text,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._sample_events(regclass,text,text,text,text,text,text,text,text,boolean)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._seal(integer,timestamp with time zone)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._settle_programs()', 'volatile', 'unsafe', '', 'owner'),
  ('pql._span_text(interval)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._standing_limit(text)', 'immutable', 'safe', '', 'owner'),
  ('pql._state_canonical(text,bytea[])', 'stable', 'restricted', 'strict', 'all'),
  ('pql._state_fields(boolean)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._state_subjects(text,bytea)', 'immutable', 'safe', 'strict', 'all'),
  ('pql._unwatch_attributes(oid)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._watch_attributes(text,regclass,text)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._wait_for_writers(regclass)', 'volatile', 'unsafe', 'strict', 'owner'),
  ('pql._warn_of_leaf(pql.source_leaf)', 'volatile', 'unsafe', '', 'owner'),
  ('pql._wrote(regclass)', 'volatile', 'unsafe', 'strict', 'owner')
  UNION ALL SELECT routine, 'immutable', 'safe', strictness, 'all' FROM aggregate_marking$$,
  'functions are marked as this table says');
SELECT is_empty('SELECT oid::regprocedure FROM routine WHERE proleakproof', 'no function claims to be leakproof');
SELECT is_empty('SELECT oid::regprocedure FROM routine WHERE prosecdef', 'no function runs with the rights of its owner by its marking');
SELECT is_empty($$SELECT oid::regprocedure FROM routine
  WHERE prosecdef AND NOT coalesce(proconfig && ARRAY['search_path=pg_catalog, pg_temp', 'search_path=pg_catalog, pql, pg_temp'], false)$$,
  'and if one did, it would have its own search path');
SELECT is_empty($$SELECT oid::regprocedure, proconfig FROM routine
  WHERE EXISTS (SELECT FROM unnest(proconfig) AS s WHERE s NOT LIKE 'search\_path=%')
    AND oid <> 'pql._tick_routing(timestamptz)'::regprocedure$$, -- tells the planner that what is due is found by indexes
  'functions set nothing but their search path');

-- What everybody has.
SELECT schema_privs_are('pql', 'public', ARRAY['USAGE'], 'everybody may look into the schema, and nothing else');
SELECT is_empty($$SELECT r.oid::regclass, a.privilege_type FROM relation AS r, aclexplode(r.relacl) AS a WHERE a.grantee <> r.relowner$$,
  'nobody but the owner has a right on a table, a view or the sequence');
SELECT is_empty($$SELECT r.oid::regclass, c.attname FROM relation AS r JOIN pg_attribute AS c ON c.attrelid = r.oid
  WHERE c.attacl IS NOT NULL$$, 'nor on a column');
SELECT is_empty($$SELECT p.oid::regprocedure FROM routine AS p, aclexplode(p.proacl) AS a WHERE a.grantee NOT IN (0, p.proowner)$$,
  'functions are for the owner or for everybody');
SELECT is_empty($$SELECT oid::regclass FROM relation WHERE relkind = 'v'
  AND NOT EXISTS (SELECT FROM pg_options_to_table(reloptions) WHERE option_name = 'security_invoker' AND option_value = 'true')$$,
  'views read with the rights of their reader');

-- One owner, the extension's: what runs with the owner's rights runs with nobody else's.
SELECT is_empty($$
  SELECT m.object, o.refobjid::regrole FROM member AS m JOIN pg_extension AS e ON e.extname = 'pql'
    CROSS JOIN LATERAL (SELECT CASE m.classid WHEN 'pg_proc'::regclass THEN (SELECT proowner FROM pg_proc WHERE oid = m.objid)
                                              WHEN 'pg_class'::regclass THEN (SELECT relowner FROM pg_class WHERE oid = m.objid)
                                              WHEN 'pg_namespace'::regclass THEN (SELECT nspowner FROM pg_namespace WHERE oid = m.objid)
                                              WHEN 'pg_type'::regclass THEN (SELECT typowner FROM pg_type WHERE oid = m.objid)
                                              WHEN 'pg_operator'::regclass THEN (SELECT oprowner FROM pg_operator WHERE oid = m.objid)
                                              WHEN 'pg_opclass'::regclass THEN (SELECT opcowner FROM pg_opclass WHERE oid = m.objid)
                                              WHEN 'pg_cast'::regclass THEN e.extowner -- has none
                                              WHEN 'pg_opfamily'::regclass THEN (SELECT opfowner FROM pg_opfamily WHERE oid = m.objid)
                               END) AS o(refobjid)
  WHERE o.refobjid IS DISTINCT FROM e.extowner$$, 'everything belongs to the owner of the extension');

-- What users have is dumped, all of it.
SELECT bag_eq($$SELECT oid::regclass::text FROM relation WHERE relkind IN ('r', 'p', 'S')$$,
  $$SELECT unnest(extconfig)::regclass::text FROM pg_extension WHERE extname = 'pql' UNION ALL VALUES ('pql.source_leaf'), ('pql.identity_lock')$$,
  'every table and the sequence are dumped with their rows, but for what holds in this database only');
SELECT results_eq($$SELECT t::regclass::text COLLATE "C", c COLLATE "C" FROM pg_extension, unnest(extconfig, extcondition) AS x(t, c) WHERE extname = 'pql' AND c <> '' ORDER BY 1$$,
  $$SELECT t COLLATE "C", c COLLATE "C" FROM (VALUES ('pql.free_mail_domain', 'WHERE NOT builtin'), ('pql.lexicon', 'WHERE origin = ''own''')) AS x(t, c)$$, 'with all of their rows, but for those that come with pql');

SELECT * FROM finish();
ROLLBACK;
