SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pql;
RESET client_min_messages;
-- Rules that every object of the extension keeps. Each query lists what breaks one rule, so every result is empty.
-- What may break a rule stands in this table, with the reason.
CREATE TEMP TABLE excused (rule text, object text, reason text);
INSERT INTO excused VALUES
  ('search path', 'pql.backfill', 'commits per batch, which a procedure with SET may not; qualifies names and operators instead'),
  ('search path', 'pql.fold', 'commits per batch, which a procedure with SET may not; qualifies names and operators instead'),
  ('search path', 'pql.rebuild', 'commits per batch, which a procedure with SET may not; qualifies names and operators instead'),
  ('security definer', 'pql._configuration_written', 'sends what somebody had the right to write, to the other nodes of a cluster'),
  ('security definer', 'pql._send_configuration', 'the same; nobody but the owner may call it himself'),
  ('security definer', 'pql._load_configuration', 'takes over what the coordinator sends, as whoever wrote it there; is of use as a trigger alone'),
  ('internal', 'pql._is_spread', 'asked by pql.tick and pql.verify, with the rights of whoever calls them; says yes or no'),
  ('internal', 'pql._flush', 'does what the caller''s own transaction would do when it commits'),
  ('internal', 'pql._state_canonical', 'reads definitions, which say how rows of a home add up'),
  ('internal', 'pql._now', 'asked by pql.inbox, with the rights of whoever reads it; says what time it is'),
  ('internal', 'pql._worker', 'asked by pql.worker, with the rights of whoever reads it; refuses others'),
  ('internal', 'pql._visible_owners', 'asked by the row security of pql.routing, with the rights of whoever reads it; says whose rows those are'),
  ('internal', 'pql._committed', 'asked by a default of pql.destination, with the rights of whoever writes to it; says what is committed'),
  ('internal', 'pql._this_database', 'likewise; says which database this is'),
  ('internal', 'pql._is_rep', 'asked by the row security of pql.scoring_packet, with the rights of whoever reads it; says yes or no'),
  ('internal', 'pql._notes_of', 'asked by pql.packet, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._outreach_context', 'asked by pql.packet, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._coarse_time', 'arithmetic, for pql.packet'),
  ('internal', 'pql._judge_pilot', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._pilot', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._pilot_rows', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._before_pilot', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._state_at', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._with_before', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._learner_of', 'part of pql.likelihoods, with the rights of whoever asks'),
  ('internal', 'pql._programs_of', 'part of pql.likelihoods, with the rights of whoever asks'),
  ('internal', 'pql._pilot_sums', 'part of pql.pilot_report, with the rights of whoever reads it'),
  ('internal', 'pql._story_who', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_people', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_steps', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_time', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_skipped', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_step', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_person', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_why', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_said', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_points', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._story_do', 'part of pql.story, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._delay_of', 'asked by pql.handoffs, with the rights of whoever reads it, of a row that they have'),
  ('internal', 'pql._check_zone', 'asked by the triggers of pql.reps and pql.team, with the rights of whoever writes to them'),
  ('internal', 'pql._check_pattern', 'asked by the trigger of pql.lexicon, with the rights of whoever writes to it'),
  ('internal', 'pql._readable', 'asked by pql.sources, with the rights of whoever reads it; says yes or no'),
  ('internal', 'pql._leaves', 'asked by pql.sources, with the rights of whoever reads it'),
  ('internal', 'pql._leaf_changes', 'asked by pql.sources, with the rights of whoever reads it'),
  ('internal', 'pql._has_older_rows', 'asked by pql.sources, with the rights of whoever reads it; says yes or no'),
  ('internal', 'pql._holds_until', 'asked by pql.sources, with the rights of whoever reads it; says what bounds say'),
  ('internal', 'pql._outcomes_query', 'asked by pql.backtest and pql.audit_signals, with the rights of whoever calls them; reads catalogs'),
  ('internal', 'pql._audit_signals', 'asked by pql.audit_signals, with the rights of whoever calls it, which it checks'),
  ('internal', 'pql._require_reader', 'asked by pql.readiness and pql.audit_signals, with the rights of whoever calls them'),
  ('internal', 'pql._lateness', 'asked by pql.readiness, with the rights of whoever calls it'),
  ('internal', 'pql._attribute_relation', 'asked by pql.attribute_sources, with the rights of whoever reads it; reads catalogs'),
  ('internal', 'pql._is_watched', 'asked by pql.attribute_sources, with the rights of whoever reads it; reads catalogs'),
  ('internal', 'pql._fact_triggers', 'asked by pql.fact_sources, with the rights of whoever reads it; reads catalogs'),
  ('internal', 'pql._review_week', 'part of pql.weekly_review, with the rights of whoever asks'),
  ('internal', 'pql._review_signals', 'part of pql.weekly_review, with the rights of whoever asks'),
  ('internal', 'pql._review_additions', 'part of pql.weekly_review, with the rights of whoever asks'),
  ('internal', 'pql._review_effect', 'part of pql.weekly_review, with the rights of whoever asks'),
  ('internal', 'pql._same_homes', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._chance', 'part of pql.likelihood, with the rights of whoever asks'),
  ('internal', 'pql._judged', 'part of pql.calibration and pql.drift, with the rights of whoever asks'),
  ('internal', 'pql._learned_version', 'part of pql.evidence_weights and pql.calibration, with the rights of whoever asks'),
  ('internal', 'pql._points_by_version', 'part of pql.likelihoods, with the rights of whoever asks'),
  ('internal', 'pql._scored_signals', 'part of pql.evidence_weights, with the rights of whoever asks'),
  ('internal', 'pql._homes_concerned', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._due_homes', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._facts_of', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._facts_due', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._hidden_of', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._value_at', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._touches_at', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._answer_at', 'part of pql.labels, with the rights of whoever reads them'),
  ('internal', 'pql._check_slice', 'part of pql.signal_performance and its like, with the rights of whoever reads them; looks at a word'),
  ('internal', 'pql._sliced', 'part of pql.signal_performance and its like, with the rights of whoever reads them; a rep''s team'),
  ('internal', 'pql._counted_handoffs', 'part of pql.handoff_measures, with the rights of whoever reads it'),
  ('internal', 'pql._slice', 'part of pql.signal_performance and its like; chooses one of its arguments'),
  ('internal', 'pql._measured_reps', 'asked by pql.rep_performance, with the rights of whoever reads it; says whose lines those are'),
  ('internal', 'pql._as_index_column', 'asked by pql.health, with the rights of whoever reads it; reads catalogs'),
  ('dump', 'pql.own_object', 'says what this installation''s tables were shipped with'),
  ('dump', 'pql.source_leaf', 'tells files by their numbers, which are others in another database'),
  ('dump', 'pql.identity_lock', 'has no rows'),
  ('parallel', 'pql.check_program', 'tries rules in a subtransaction, which PostgreSQL 15 refuses in parallel mode'),
  ('parallel', 'pql._program_trackers', 'tries rules in a subtransaction, which PostgreSQL 15 refuses in parallel mode');

-- The extension's objects, and its functions with the names that the rules are about.
CREATE TEMP VIEW member AS
  SELECT d.classid, d.objid, i.schema, pg_describe_object(d.classid, d.objid, 0) AS object
  FROM pg_depend d CROSS JOIN pg_identify_object(d.classid, d.objid, 0) i
  WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
    AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pql')
    -- row types and array types come with another object; later versions of PostgreSQL list them too
    AND NOT (d.classid = 'pg_type'::regclass
      AND EXISTS (SELECT FROM pg_depend o WHERE (o.classid, o.objid, o.deptype) = (d.classid, d.objid, 'i')));
CREATE TEMP VIEW routine AS
  SELECT m.object, p.*, l.lanname, 'pql.' || p.proname AS name,
         (SELECT substr(s, 13) FROM unnest(p.proconfig) s WHERE s LIKE 'search_path=%') AS path,
         -- the body without comments and string literals
         regexp_replace(regexp_replace(p.prosrc, '--[^\n]*', '', 'g'), '''[^'']*''', '', 'g') AS body
  FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
    JOIN pg_language l ON l.oid = p.prolang;
CREATE TEMP VIEW relation AS
  SELECT m.object, c.*, 'pql.' || c.relname AS name
  FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid;
-- There is something to look at, and every excuse excuses something.
SELECT 'no members' AS problem WHERE NOT EXISTS (SELECT FROM member WHERE object = 'function pql.version()');
SELECT * FROM excused WHERE object NOT IN (SELECT name FROM routine UNION SELECT name FROM relation);

-- The library and the SQL are of one version.
SELECT extversion, pql.version() AS library FROM pg_extension WHERE extname = 'pql' AND extversion <> pql.version();

-- Everything lies in the extension's schema.
SELECT object FROM member WHERE schema <> 'pql' ORDER BY 1;

-- Everything has a comment.
SELECT object FROM member
WHERE obj_description(objid, classid::regclass::name) IS NULL AND classid <> 'pg_opfamily'::regclass ORDER BY 1;

-- A body that is parsed when it runs has a pinned search path.
SELECT object FROM routine
WHERE lanname NOT IN ('c', 'internal') AND prosqlbody IS NULL
  AND path IS DISTINCT FROM 'pg_catalog, pg_temp' AND path IS DISTINCT FROM 'pg_catalog, pql, pg_temp'
  AND ('search path', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;

-- Such a body qualifies the extension's own names; without a pinned path, those of PostgreSQL's functions too.
SELECT r.object, o.name AS unqualified
FROM routine r JOIN (
    SELECT name, '\m(from|join|update|only|using|insert\s+into)\s+' || relname || '\M(?!\s*\.)' AS mention FROM relation
    UNION
    SELECT name, '(?<![.\w"])' || proname || '\s*\(' FROM routine
    WHERE proname NOT IN (SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace)) o
  ON r.body ~* o.mention
WHERE r.lanname NOT IN ('c', 'internal') AND r.prosqlbody IS NULL AND r.path IS DISTINCT FROM 'pg_catalog, pql, pg_temp'
  AND ('qualified names', r.name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1, 2;
SELECT DISTINCT r.object, call[1] AS unqualified
FROM routine r CROSS JOIN regexp_matches(r.body, '(?<![.\w"])([a-z_][a-z0-9_]*)\s*\(', 'gi') AS call
WHERE r.lanname NOT IN ('c', 'internal') AND r.prosqlbody IS NULL AND r.path IS NULL
  AND lower(call[1]) IN (SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace)
  AND ('qualified names', r.name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1, 2;

-- Nothing runs with the owner's rights; what must is not for everyone to call, and not in a trusted extension, where the
-- owner is the superuser.
SELECT object FROM routine
WHERE prosecdef AND ('security definer', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;
SELECT object FROM routine
WHERE prosecdef AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0) ORDER BY 1;
SELECT object FROM routine
WHERE prosecdef AND EXISTS (SELECT FROM pg_available_extension_versions
                            WHERE name = 'pql' AND version = pql.version() AND trusted) ORDER BY 1;

-- Nobody but the extension's owner calls internals, unless granted by name; what is immutable can do no harm.
SELECT object FROM routine
WHERE proname LIKE '\_%' AND provolatile <> 'i'
  AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) WHERE grantee = 0)
  AND ('internal', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;

-- Views read with the reader's rights.
SELECT object FROM relation
WHERE relkind = 'v' AND NOT EXISTS (SELECT FROM pg_options_to_table(reloptions)
                                    WHERE option_name = 'security_invoker' AND option_value::boolean)
  AND ('security invoker', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;

-- Labels are chosen, not forgotten. What only reads may run in parallel, what writes may not.
SELECT object, provolatile, proparallel FROM routine
WHERE prokind <> 'p' AND prorettype <> 'trigger'::regtype AND (proparallel = 'u') <> (provolatile = 'v')
  AND ('parallel', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;
-- The default costs: 100, and 1 in C, where only what is immutable may be that cheap.
SELECT object, procost FROM routine
WHERE prokind = 'f' AND prorettype <> ALL (ARRAY['trigger', 'internal']::regtype[])
  AND CASE WHEN lanname IN ('c', 'internal') THEN procost = 1 AND provolatile <> 'i' ELSE procost = 100 END
  AND ('cost', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;
-- The default number of rows.
SELECT object FROM routine
WHERE proretset AND prorows = 1000 AND ('rows', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;
SELECT object FROM routine WHERE proleakproof ORDER BY 1;

-- A C function is in our library, under our prefix.
SELECT object, probin, prosrc FROM routine WHERE lanname = 'c' AND (probin <> 'pql' OR prosrc NOT LIKE 'pql\_%') ORDER BY 1;

-- An aggregate whose state PostgreSQL can't see can still be combined between processes.
SELECT r.object FROM routine r JOIN pg_aggregate a ON a.aggfnoid = r.oid
WHERE a.aggtranstype = 'internal'::regtype AND 0::oid IN (a.aggcombinefn, a.aggserialfn, a.aggdeserialfn)
  AND ('aggregate', r.name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;

-- What users have in tables and sequences is dumped.
SELECT object FROM relation
WHERE relkind IN ('r', 'p', 'S') AND oid NOT IN (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'pql')
  AND ('dump', name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1;

-- A foreign key has an index that begins with its columns, in any order.
SELECT r.object, c.conname FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype = 'f'
WHERE NOT EXISTS (SELECT FROM pg_index i
                  WHERE i.indrelid = r.oid AND i.indpred IS NULL
                    AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
  AND ('foreign key', r.name) NOT IN (SELECT rule, object FROM excused) ORDER BY 1, 2;
