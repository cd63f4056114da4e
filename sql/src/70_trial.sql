-- Programs tried on the events that there are. Nothing of this writes anything.
CREATE OR REPLACE FUNCTION pql.preview(program jsonb, as_of timestamptz DEFAULT NULL, replay boolean DEFAULT false)
  RETURNS TABLE (change text, subject_id text, score_before int, score_after int, reasons jsonb, subjects bigint)
  AS 'MODULE_PATHNAME', 'pql_preview' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 500;
COMMENT ON FUNCTION pql.preview(jsonb, timestamptz, boolean) IS
  'What a document would change, were it in force at an instant (null: now), compared with the version of its name that is: a row for each subject that enters or leaves, with its reasons by the document, and a last one, "stays", with the number of those that stay; of these "stays, below enter", if there are some, counts whose points would have them enter by that version, and who would not by the document. Where all that it looks at is kept already, as when only points, thresholds or motions changed, it is told by that, else (or with replay) by the events; writes nothing. Errors: 22023 wrong document or an instant before what is retained, 22004 null document.';
REVOKE ALL ON FUNCTION pql.preview(jsonb, timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.preview_summary(program jsonb, as_of timestamptz DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n record;
BEGIN
  SELECT coalesce(sum(p.subjects) FILTER (WHERE p.change = 'enters'), 0) AS enter,
         coalesce(sum(p.subjects) FILTER (WHERE p.change = 'leaves'), 0) AS leave,
         coalesce(sum(p.subjects) FILTER (WHERE p.change = 'stays'), 0) AS stay,
         coalesce(sum(p.subjects) FILTER (WHERE p.change = 'stays, below enter'), 0) AS below
  INTO n FROM pql.preview(preview_summary.program, preview_summary.as_of) AS p;
  RETURN format('of %s %s PQL%s %s leave%s, %s enter%s', CASE WHEN as_of IS NULL THEN 'today''s' ELSE 'the' END, n.leave + n.stay,
                CASE WHEN n.leave + n.stay <> 1 THEN 's' END, n.leave, CASE WHEN n.leave = 1 THEN 's' END, n.enter, CASE WHEN n.enter = 1 THEN 's' END)
    || CASE WHEN n.below > 0 THEN format('; %s of those that stay would not enter any more', n.below) ELSE '' END;
END $$;
COMMENT ON FUNCTION pql.preview_summary(jsonb, timestamptz) IS 'What a document would change, in one sentence: of today''s 31 PQLs 12 leave, 40 enter. As pql.preview.';
REVOKE ALL ON FUNCTION pql.preview_summary(jsonb, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.score_history(program text, subject text, starts_at timestamptz, ends_at timestamptz, step interval)
  RETURNS TABLE (at timestamptz, score int, kinds jsonb)
  AS 'MODULE_PATHNAME', 'pql_score_history' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000 ROWS 100;
COMMENT ON FUNCTION pql.score_history(text, text, timestamptz, timestamptz, interval) IS
  'The score of a subject at each step from one instant to another, as pql.score gives it, from one pass over its events; with the points by kind of signal. Errors: 42704 program not in force, 22023 a step that is not above 0 or of no fixed length, an end before the start, an instant before what is retained, 54000 more than 10,000 steps, 22004 null argument.';

CREATE OR REPLACE FUNCTION pql.backtest_episodes(program jsonb, starts_at timestamptz, ends_at timestamptz, compare boolean DEFAULT false,
    part int DEFAULT 0, parts int DEFAULT 1)
  RETURNS TABLE (subject_id text, entered_at timestamptz, left_at timestamptz, score int, in_force boolean)
  AS 'MODULE_PATHNAME', 'pql_backtest_episodes' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 10000;
COMMENT ON FUNCTION pql.backtest_episodes(jsonb, timestamptz, timestamptz, boolean, int, int) IS
  'The episodes between two instants that the trigger would have written under a document, had the events come one by one in the order of their times: who entered when, with which score, and when they left (null: not by the end). With compare those of the version in force too (in_force). part, parts: of one of so many equal shares of the subjects, so that several sessions can do the work of one. Errors: 22023 wrong document, an end before the start, a start before what is retained, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.backtest_episodes(jsonb, timestamptz, timestamptz, boolean, int, int) FROM PUBLIC;

-- The rows of a relation of outcomes, given by name, or those of pql.outcome that are good news.
CREATE OR REPLACE FUNCTION pql._outcomes_query(outcomes regclass) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $_$
BEGIN
  IF outcomes IS NULL THEN
    RETURN $$SELECT o.subject_id, o.at FROM pql.outcome AS o WHERE o.outcome IN ('converted', 'paid', 'expanded')$$;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = outcomes) THEN
    RAISE EXCEPTION 'there is no relation with OID %', outcomes::oid USING ERRCODE = 'undefined_table';
  END IF;
  IF (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = outcomes AND a.attname IN ('subject_id', 'at') AND NOT a.attisdropped) < 2 THEN
    RAISE EXCEPTION 'relation % has no outcomes', outcomes
      USING ERRCODE = 'undefined_column', HINT = 'They are told by the columns subject_id and at; a view can give them.';
  END IF;
  RETURN format('SELECT o.subject_id::text AS subject_id, o.at::timestamptz AS at FROM %s AS o WHERE o.subject_id IS NOT NULL AND o.at IS NOT NULL', outcomes);
END $_$;
COMMENT ON FUNCTION pql._outcomes_query(regclass) IS 'A query for the outcomes in a relation with the columns subject_id and at (null: for those of pql.outcome that are converted, paid or expanded).';

CREATE OR REPLACE FUNCTION pql.backtest(program jsonb, starts_at timestamptz, ends_at timestamptz, outcomes regclass DEFAULT NULL,
    capacity int DEFAULT NULL)
  RETURNS TABLE (week timestamptz, qualified bigint, subjects bigint, with_live bigint, converted bigint, "precision" float8,
                 settled boolean, median_lead interval, over_capacity bigint, score_at_capacity int)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 50 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM pql._require_document(backtest.program, false);
  IF starts_at IS NULL OR ends_at IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN starts_at IS NULL THEN 'starts_at' ELSE 'ends_at' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF ends_at < starts_at OR NOT isfinite(starts_at) OR NOT isfinite(ends_at) THEN
    RAISE EXCEPTION 'starts_at and ends_at must be finite, and in this order' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF extract(epoch FROM ends_at) - extract(epoch FROM starts_at) > 10000 * 604800::numeric THEN
    RAISE EXCEPTION 'from starts_at to ends_at are more than 10,000 weeks' USING ERRCODE = 'program_limit_exceeded', HINT = 'Each week is a row: name the years that there are events of.';
  END IF;
  IF capacity < 1 THEN
    RAISE EXCEPTION 'capacity must be above 0' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY EXECUTE format($query$
    WITH won AS MATERIALIZED (%s),
    replayed AS MATERIALIZED (SELECT * FROM pql.backtest_episodes($1, $2, $3, true)),
    entry AS MATERIALIZED (
      SELECT r.*, date_bin('7 days', r.entered_at, $2) AS week,
             row_number() OVER (PARTITION BY date_bin('7 days', r.entered_at, $2) ORDER BY r.score DESC, r.entered_at, r.subject_id) AS place
      FROM replayed AS r WHERE NOT r.in_force AND r.entered_at >= $2),
    result AS (
      SELECT e.subject_id, e.entered_at, min(o.at) AS at FROM entry AS e JOIN won AS o USING (subject_id)
      WHERE o.at >= e.entered_at AND o.at < e.entered_at + '90 days' GROUP BY e.subject_id, e.entered_at),
    known AS (
      SELECT e.*, r.at AS outcome_at,
             EXISTS (SELECT FROM replayed AS l WHERE l.in_force AND l.subject_id = e.subject_id
                     AND l.entered_at <= coalesce(e.left_at, 'infinity') AND coalesce(l.left_at, 'infinity') >= e.entered_at) AS with_live
      FROM entry AS e LEFT JOIN result AS r USING (subject_id, entered_at))
    SELECT w.week, count(k.subject_id), count(DISTINCT k.subject_id),
           CASE WHEN $6 THEN count(*) FILTER (WHERE k.with_live) END,
           CASE WHEN $5 THEN count(k.outcome_at) END,
           CASE WHEN $5 THEN count(k.outcome_at)::float8 / nullif(count(k.subject_id), 0) END,
           w.week + '97 days' <= $7,
           justify_hours(percentile_cont(0.5) WITHIN GROUP (ORDER BY k.outcome_at - k.entered_at)),
           count(*) FILTER (WHERE k.place > $4),
           min(k.score) FILTER (WHERE k.place = $4)
    FROM generate_series($2, $3 - interval '1 microsecond', '7 days') AS w(week) LEFT JOIN known AS k USING (week)
    GROUP BY w.week ORDER BY w.week$query$, pql._outcomes_query(outcomes))
  USING backtest.program, starts_at, ends_at, capacity, outcomes IS NOT NULL OR EXISTS (SELECT FROM pql.outcome),
    EXISTS (SELECT FROM pql.program AS p WHERE p.program = backtest.program->>'program' AND p.status IN ('live', 'shadow')
            AND p.document->>'unit' = backtest.program->>'unit'),
    pql._now();
END $$;
COMMENT ON FUNCTION pql.backtest(jsonb, timestamptz, timestamptz, regclass, int) IS
  'What a document would have led to, week by week from the first instant to the second: entries and whose; how many of them are in an episode of the version in force, too, replayed the same way (with_live; null: there is none); how many were followed by an outcome within 90 days (converted, precision; settled: whether all have had their 90 days), half of them within median_lead; and, of a capacity of hand-offs a week, how many entries are beyond it, and the score of the last within. Outcomes: a relation with the columns subject_id and at, read with the rights of the caller. Errors: as pql.backtest_episodes; 22023 capacity below 1.';
REVOKE ALL ON FUNCTION pql.backtest(jsonb, timestamptz, timestamptz, regclass, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._judge(document jsonb, subjects text[])
  RETURNS TABLE (subject text, score int, qualified boolean, motion text)
  AS 'MODULE_PATHNAME', 'pql__judge' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION pql._judge(jsonb, text[]) IS 'What a document says of subjects now; reads the events of their homes only.';
REVOKE ALL ON FUNCTION pql._judge(jsonb, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._check_examples(document jsonb) RETURNS TABLE (subject text, expect text, found text, problem text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 5
  BEGIN ATOMIC
    SELECT e.subject, e.expect, f.found,
           CASE WHEN f.found <> e.expect THEN format('expected %s, found %s (%s points)', e.expect, f.found, j.score) END
    FROM ROWS FROM (jsonb_to_recordset(CASE jsonb_typeof(document->'examples') WHEN 'array' THEN document->'examples' ELSE '[]' END)
                      AS (subject text, expect text)) WITH ORDINALITY AS e (subject, expect, place)
      JOIN pql._judge(document - 'examples',
             ARRAY(SELECT DISTINCT x->>'subject' FROM jsonb_array_elements(
               CASE jsonb_typeof(document->'examples') WHEN 'array' THEN document->'examples' ELSE '[]' END) AS x)) AS j USING (subject),
      LATERAL (SELECT CASE WHEN NOT j.qualified THEN 'not_qualified'
                           WHEN e.expect IN ('qualified', 'not_qualified') THEN 'qualified' ELSE j.motion END AS found) AS f
    ORDER BY e.place;
  END;
COMMENT ON FUNCTION pql._check_examples(jsonb) IS 'The examples of a document: what is expected of each subject, what the document says of it now, and the difference, if there is one.';
REVOKE ALL ON FUNCTION pql._check_examples(jsonb) FROM PUBLIC;

-- Reading with the rights of the caller, of which whoever lacks some is told all that it takes.
CREATE OR REPLACE FUNCTION pql._require_reader(tables text[]) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 250 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(tables) AS t WHERE NOT has_table_privilege('pql.' || t, 'SELECT')) THEN
    RAISE EXCEPTION 'permission denied to read pql''s tables' USING ERRCODE = 'insufficient_privilege',
      HINT = format('GRANT SELECT ON ALL TABLES IN SCHEMA pql TO %I.', current_user);
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_reader(text[]) IS 'Raises 42501 unless the caller may read these tables of pql''s. Everybody may ask.';

CREATE OR REPLACE FUNCTION pql._audit_signals(program text, converted text[])
  RETURNS TABLE (place int, signal text, kind text, events bigint, subjects bigint, single bigint, other text, shared bigint, converted_subjects bigint)
  AS 'MODULE_PATHNAME', 'pql__audit_signals' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION pql._audit_signals(text, text[]) IS 'Of each signal of a program: its events, the subjects that have some, those that have a single one, the signal that most of them have as well, and those of a list. Wants the rights of pql.score.';

CREATE OR REPLACE FUNCTION pql.audit_signals(program text, outcomes regclass DEFAULT NULL)
  RETURNS TABLE (signal text, kind text, events bigint, subjects bigint, coverage float8, overlaps_with text, overlap float8,
                 lift float8, one_off boolean, note text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  converted text[];
  everybody bigint;
  base float8;
BEGIN
  IF program IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM pql._require_reader('{state,milestone_log,program,tracker,source,outcome}');
  EXECUTE format('SELECT array_agg(DISTINCT o.subject_id) FROM (%s) AS o', pql._outcomes_query(outcomes)) INTO converted;
  SELECT count(*), count(*) FILTER (WHERE s.subject_id = ANY (converted))::float8 / nullif(count(*), 0) INTO everybody, base
  FROM pql.subjects AS s
  WHERE s.unit = (SELECT p.document->>'unit' FROM pql.program AS p WHERE p.program = audit_signals.program AND p.status IN ('live', 'shadow')
                  ORDER BY p.status LIMIT 1);
  RETURN QUERY
  SELECT a.signal, a.kind, a.events, a.subjects, x.coverage, a.other, x.overlap, x.lift, x.one_off,
         nullif(concat_ws('; ',
           CASE WHEN a.events = 0 THEN 'nobody has it: nothing matches its event and its condition yet'
                WHEN a.subjects < 30 THEN 'too few have it to judge' END,
           CASE WHEN x.coverage > 0.9 THEN 'nearly everybody has it: it tells nobody apart' END,
           CASE WHEN x.overlap > 0.9 THEN format('nearly all who have it have "%s" as well: together they may count one thing twice', a.other) END,
           CASE WHEN x.one_off THEN 'rests on a single event for nearly all: give it context by another signal' END,
           CASE WHEN x.lift < 0.8 THEN 'those who have it convert less than others' END), '')
  FROM pql._audit_signals(program, coalesce(converted, '{}')) AS a,
    LATERAL (SELECT a.subjects::float8 / nullif(everybody, 0) AS coverage, a.shared::float8 / nullif(a.subjects, 0) AS overlap,
                    a.converted_subjects::float8 / nullif(a.subjects, 0) / nullif(base, 0) AS lift,
                    a.subjects > 0 AND a.single >= 0.9 * a.subjects AS one_off) AS x
  ORDER BY a.place;
END $$;
COMMENT ON FUNCTION pql.audit_signals(text, regclass) IS
  'What each signal of a program rests on: its events, who has any (coverage: of all subjects), the other signal that most of those have as well (overlap), how much more often those convert (lift: the share of them with an outcome, by that of all; null without outcomes), whether it is a single event for nine of ten (one_off), and what to think of it. Outcomes: a relation with the columns subject_id and at. Errors: 42704 program not in force, 22004 null program, 42501 no right to read pql''s tables.';

-- How many of the events with a time of arrival came later than a source's max_event_age; of some 100,000 of them.
CREATE OR REPLACE FUNCTION pql._lateness(source int) RETURNS TABLE (sampled bigint, late bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s pql.source;
  rows float8;
BEGIN
  SELECT * INTO STRICT s FROM pql.source AS x WHERE x.source_id = source;
  SELECT greatest(sum(c.reltuples), 0) INTO rows FROM pg_class AS c
  WHERE c.oid = s.relation OR c.oid IN (SELECT t.relid FROM pg_partition_tree(s.relation) AS t);
  RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE e.received - e.at > %L) FROM'
    ' (SELECT (%s)::timestamptz AS received, (%s)::timestamptz AS at FROM %s AS t TABLESAMPLE SYSTEM (%s)) AS e WHERE e.received IS NOT NULL',
    s.max_event_age, s.received_at, s.occurred_at, s.relation, least(100, 100 * 100000 / greatest(rows, 1)));
END $$;
COMMENT ON FUNCTION pql._lateness(int) IS 'Of a sample of a source''s events that have a time of arrival, how many came too late to lead to anything. Reads with the rights of the caller.';

CREATE OR REPLACE FUNCTION pql.readiness(program text DEFAULT NULL)
  RETURNS TABLE (item text, pass boolean, found text, wanted text, hint text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 15 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  n record;
  named record;
  members bigint;
  latest timestamptz;
  known boolean; -- whether there are events
  seen ALIAS FOR $4; -- found is PL/pgSQL's own
BEGIN
  PERFORM pql._require_reader('{state,program,source,unusable_event,backfill_job,held_event,members,subjects,unusable,sources}');
  PERFORM pql._flush();
  SELECT p.document, p.document->>'unit' AS unit INTO named FROM pql.program AS p
  WHERE p.program = readiness.program AND p.status <> 'retired' ORDER BY p.status = 'live' DESC, p.version DESC LIMIT 1;
  IF program IS NOT NULL AND NOT FOUND THEN
    IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = readiness.program) THEN
      RAISE EXCEPTION 'program "%" is retired', program
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Publish it anew with pql.publish(), or save a draft.';
    END IF;
    RAISE EXCEPTION 'program "%" does not exist', program
      USING ERRCODE = 'undefined_object', HINT = 'Publish it first with pql.publish().';
  END IF;

  SELECT count(*) AS sources, count(*) FILTER (WHERE s.intact) AS intact, bool_and(s.duplicates <> 'counted') AS ids,
         string_agg(s.relation || ': ' || s.duplicates, ', ' ORDER BY s.source_id) AS duplicates,
         count(*) FILTER (WHERE NOT s.history_folded) AS unfolded, coalesce(sum(s.held), 0) AS held,
         coalesce(bool_and(s.clock = 'event'), false) AS by_events
  INTO n FROM pql.sources AS s;
  item := 'source'; pass := n.sources > 0; seen := format('%s attached', n.sources); wanted := 'an events table';
  hint := CASE WHEN NOT pass THEN 'Attach one with pql.attach().' END; RETURN NEXT;
  item := 'source intact'; pass := n.intact = nullif(n.sources, 0); seen := format('%s of %s', n.intact, n.sources); wanted := 'all';
  hint := CASE WHEN NOT pass THEN 'See pql.sources: triggers are missing or disabled, or columns were changed.' END; RETURN NEXT;
  item := 'event ids'; pass := n.ids; seen := coalesce(n.duplicates, 'no source'); wanted := 'repeated events refused';
  hint := CASE WHEN NOT pass THEN 'Make a unique index led by the event''s id, or attach with dedup.' END; RETURN NEXT;
  item := 'history'; pass := CASE WHEN n.sources > 0 THEN n.unfolded = 0 END; seen := format('%s of %s sources not folded', n.unfolded, n.sources); wanted := 'none';
  hint := CASE WHEN NOT pass THEN 'CALL pql.backfill().' END; RETURN NEXT;

  SELECT coalesce(sum(m.events), 0) AS events, coalesce(sum(m.events) FILTER (WHERE m.account_id IS NOT NULL), 0) AS mapped,
         count(DISTINCT m.account_id) AS accounts, max(m.last_seen) AS newest,
         extract(epoch FROM max(m.last_seen) - min(m.first_seen)) / 604800 AS weeks
  INTO STRICT n FROM pql.members AS m;
  latest := CASE WHEN (SELECT bool_and(s.clock = 'event') FROM pql.source AS s) THEN n.newest ELSE statement_timestamp() END;
  SELECT coalesce(sum(u.events), 0) INTO members FROM pql.unusable AS u WHERE u.reason NOT IN ('duplicate', 'sealed');
  item := 'usable events'; pass := CASE WHEN n.events + members > 0 THEN members <= 0.01 * (n.events + members) END;
  seen := format('%s of %s unusable', members, n.events + members); wanted := 'at most one in a hundred';
  hint := CASE WHEN NOT pass THEN 'pql.unusable says why.' END; RETURN NEXT;
  item := 'volume'; pass := n.events >= 100 * greatest(n.weeks, 1); wanted := 'at least 100 events a week';
  seen := format('%s events in %s weeks', n.events, coalesce(round(n.weeks, 1), 0)); hint := CASE WHEN n.events = 0 THEN 'No events yet.' WHEN NOT pass THEN 'With so few events, talk to everybody.' END; RETURN NEXT;
  item := 'users mapped to accounts'; pass := named.unit IS NOT DISTINCT FROM 'user' OR CASE WHEN n.events > 0 THEN n.mapped >= 0.8 * n.events END;
  seen := format('%s of %s events name an account', n.mapped, n.events); wanted := 'at least 80 % of them, unless the program is about users';
  hint := CASE WHEN NOT pass THEN 'Give pql.attach() an account_id: a column, or an expression over the row.' END; RETURN NEXT;

  known := n.events > 0;
  SELECT count(*) FILTER (WHERE s.last_seen > latest - interval '28 days') AS active, count(*) AS everybody INTO n FROM pql.subjects AS s
  WHERE s.unit = coalesce(named.unit, 'user');
  item := 'active subjects'; pass := n.active >= 100; seen := format('%s of %s %ss in 28 days', n.active, n.everybody, coalesce(named.unit, 'user'));
  wanted := 'at least 100'; hint := CASE WHEN NOT pass THEN 'Too few to learn from: what is right for one tells little of another.' END; RETURN NEXT;

  SELECT count(*) AS accounts, count(*) FILTER (WHERE a.members > 1) AS teams INTO n
  FROM (SELECT count(*) AS members FROM pql.members AS m WHERE m.account_id IS NOT NULL GROUP BY m.account_id) AS a;
  item := 'unit'; pass := CASE WHEN known THEN named.unit IS NULL OR (named.unit <> 'user') = (n.accounts > 0 AND n.teams >= 0.5 * n.accounts) END;
  seen := format('%s of %s accounts have several users', n.teams, n.accounts);
  wanted := 'accounts where most are teams, users where most are alone';
  hint := CASE WHEN NOT pass THEN format('Most are %s: score %s.', CASE WHEN n.accounts > 0 AND n.teams >= 0.5 * n.accounts THEN 'teams' ELSE 'alone' END,
                 CASE WHEN n.accounts > 0 AND n.teams >= 0.5 * n.accounts THEN 'accounts' ELSE 'users' END) END; RETURN NEXT;

  FOR n IN SELECT s.source_id, s.relation, s.received_at IS NOT NULL AS told, has_table_privilege(s.relation, 'SELECT') AS may, s.max_event_age
           FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation ORDER BY s.source_id LOOP
    item := 'lateness'; wanted := format('at most one in a hundred later than %s', n.max_event_age); pass := NULL;
    seen := format('%s: not known', n.relation); hint := 'Attach with received_at to know.';
    IF n.told AND n.may THEN
      SELECT CASE WHEN l.sampled > 0 THEN l.late <= 0.01 * l.sampled END, format('%s: %s of %s', n.relation, l.late, l.sampled) INTO pass, seen FROM pql._lateness(n.source_id) AS l;
      hint := CASE WHEN NOT pass THEN 'What comes later changes scores, and leads to no routing row.' END;
    ELSIF n.told THEN
      hint := 'It takes SELECT on the table.';
    END IF;
    RETURN NEXT;
  END LOOP;

  IF named.document IS NULL THEN
    RETURN;
  END IF;
  item := 'activation'; pass := named.document ? 'activation'; seen := CASE WHEN pass THEN 'defined' ELSE 'none' END; wanted := 'steps within a time';
  hint := CASE WHEN NOT pass THEN 'Add "activation" to the document: without it nobody can say who has seen the value.' END; RETURN NEXT;
  item := 'activation reached';
  IF named.document ? 'activation' AND EXISTS (SELECT FROM pql.program AS p WHERE p.program = readiness.program AND p.status IN ('live', 'shadow')) THEN
    SELECT count(*) FILTER (WHERE a.complete) AS complete, count(*) AS everybody INTO n FROM pql.activation(program) AS a;
    pass := CASE WHEN n.everybody > 0 THEN n.complete > 0 END; seen := format('%s of %s', n.complete, n.everybody); wanted := 'some';
    hint := CASE WHEN NOT pass THEN 'Nobody completes it: check the names of its events, and the time.' END; RETURN NEXT;
  END IF;
  IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = readiness.program AND p.status IN ('live', 'shadow')) THEN
    SELECT count(*) FILTER (WHERE b.score >= (named.document->'qualify'->>'enter')::int) AS above, count(*) AS everybody INTO n
    FROM pql.scoreboard(program) AS b;
    item := 'selective'; pass := CASE WHEN n.everybody > 0 THEN n.above > 0 AND n.above <= 0.5 * n.everybody END; seen := format('%s of %s reach the threshold', n.above, n.everybody);
    wanted := 'some, and at most half'; hint := CASE WHEN NOT pass THEN 'pql.preview() shows what another threshold would do.' END; RETURN NEXT;
  END IF;
  IF named.document::text ~ '\m(attr|account)\.' THEN
    item := 'attributes'; seen := 'none attached'; wanted := 'the relation that rules name'; pass := false;
    hint := 'Attach it with pql.attach_accounts(), pql.attach_users() or pql.attach_workspaces().';
    IF to_regclass('pql.attribute_source') IS NOT NULL THEN
      EXECUTE 'SELECT count(*) > 0, format(''%s attached'', count(*)) FROM pql.attribute_source' INTO pass, seen;
    END IF;
    RETURN NEXT;
  END IF;
END $$;
COMMENT ON FUNCTION pql.readiness(text) IS
  'What must be there before scores mean something, each with what was found: a source that is intact, ids, folded history, usable events in a volume that tells something, users mapped to accounts, the right unit, lateness; and, of a program, an activation that somebody reaches, a threshold that some reach and most do not, attributes where its rules name them. pass is null where it can''t be known, as most of it while there are no events. Errors: 42704 unknown program, 55000 retired, 42501 no right to read pql''s tables.';
