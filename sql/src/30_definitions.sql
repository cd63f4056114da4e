-- Backends keep definitions compiled; these triggers tell them of every change.
CREATE OR REPLACE FUNCTION pql._definitions_changed() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__definitions_changed' LANGUAGE C COST 50;
COMMENT ON FUNCTION pql._definitions_changed() IS 'Trigger on pql''s own tables of definitions: makes every backend read them again.';
REVOKE ALL ON FUNCTION pql._definitions_changed() FROM PUBLIC;

CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.source
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.tracker
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.program
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER definitions_changed AFTER INSERT OR DELETE OR TRUNCATE ON pql.backfill_job
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER backfill_finished AFTER UPDATE OF finished_at ON pql.backfill_job
  FOR EACH ROW WHEN (new.finished_at IS NOT NULL AND old.finished_at IS NULL) EXECUTE FUNCTION pql._definitions_changed();

CREATE OR REPLACE FUNCTION pql.check_program(document jsonb)
  RETURNS TABLE (path text, problem text, hint text)
  AS 'MODULE_PATHNAME', 'pql_check_program' LANGUAGE C STABLE PARALLEL UNSAFE COST 5000 ROWS 5;
COMMENT ON FUNCTION pql.check_program(jsonb) IS
  'Every problem of a program document, each with its path, what is wrong and what to do; no row when it can be published.';

CREATE OR REPLACE FUNCTION pql._program_trackers(document jsonb)
  RETURNS TABLE (kind text, unit text, name text, events text[], rules text[], value_rule text, half_life interval,
                 in_order boolean, within interval, window_length interval, spans int, gap interval, key text)
  AS 'MODULE_PATHNAME', 'pql__program_trackers' LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 5000 ROWS 20;
COMMENT ON FUNCTION pql._program_trackers(jsonb) IS 'What a right document needs maintained; no row for a wrong one.';
REVOKE ALL ON FUNCTION pql._program_trackers(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._audit(action text, object text, detail jsonb DEFAULT NULL) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 50
  BEGIN ATOMIC
    INSERT INTO pql.audit (audit_id, action, object, detail) VALUES (pql.next_id(), action, object, detail);
  END;
COMMENT ON FUNCTION pql._audit(text, text, jsonb) IS 'Records who changed what.';
REVOKE ALL ON FUNCTION pql._audit(text, text, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._boundary() RETURNS text
  AS 'MODULE_PATHNAME', 'pql__boundary' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._boundary() IS 'The transactions that had not ended by now, subtransactions included, in the form of a pg_snapshot: what is history, and what is not.';
REVOKE ALL ON FUNCTION pql._boundary() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._wrote(relation regclass) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__wrote' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._wrote(regclass) IS 'Whether this transaction has written to a table.';
REVOKE ALL ON FUNCTION pql._wrote(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._wait_for_writers(relation regclass) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__wait_for_writers' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._wait_for_writers(regclass) IS 'Waits for the transactions that write to a table now, or to a partition of it, and keeps nobody waiting.';
REVOKE ALL ON FUNCTION pql._wait_for_writers(regclass) FROM PUBLIC;

-- Whoever waits for a table's lock has all later writers wait behind him. So those who write are waited for without asking for the
-- lock; it is asked for when they are done, and given up soon if another came meanwhile: before PostgreSQL looks for deadlocks.
CREATE OR REPLACE FUNCTION pql._hold_up_writers(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before text := current_setting('lock_timeout');
  patience int := 100;
BEGIN
  LOOP
    PERFORM pql._wait_for_writers(relation);
    BEGIN
      PERFORM set_config('lock_timeout', patience::text, true);
      EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
      PERFORM set_config('lock_timeout', before, true);
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      patience := least(2 * patience, 800);
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._hold_up_writers(regclass) IS 'Locks an events table against writers once nobody writes to it.';
REVOKE ALL ON FUNCTION pql._hold_up_writers(regclass) FROM PUBLIC;

-- Draws a boundary for some trackers on every table of a source, under a lock that waits for all its writers: what is visible
-- before it is history, to be folded by a backfill; what comes later is the trigger's.
CREATE OR REPLACE FUNCTION pql._add_history(source int, trackers smallint[], members boolean) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  root regclass;
  leaf regclass;
  pages bigint;
  total bigint := 0;
BEGIN
  SELECT s.relation INTO STRICT root FROM pql.source AS s WHERE s.source_id = source;
  IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = root) THEN
    RETURN 0;  -- the table was dropped
  END IF;
  -- What this transaction wrote before has no trigger's eye on it, and is nobody's history either.
  FOR leaf IN SELECT t.relid FROM pg_partition_tree(root) AS t UNION SELECT root ORDER BY 1 LOOP
    IF pql._wrote(leaf) THEN
      RAISE EXCEPTION 'this transaction has already written to table %', leaf
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Commit first.';
    END IF;
  END LOOP;
  PERFORM pql._hold_up_writers(root);
  FOR leaf IN
    SELECT c.oid FROM pg_partition_tree(root) AS t JOIN pg_class AS c ON c.oid = t.relid WHERE c.relkind = 'r'
    UNION SELECT root WHERE (SELECT relkind FROM pg_class WHERE oid = root) = 'r'
    ORDER BY 1
  LOOP
    pages := pg_relation_size(leaf) / current_setting('block_size')::int;
    CONTINUE WHEN pages = 0;
    total := total + pages;
    INSERT INTO pql.backfill_job (job_id, source_id, relation, trackers, members, boundary, relfilenode, pages)
    SELECT coalesce(max(j.job_id), 0) + 1, source, leaf, trackers, members, pql._boundary()::pg_snapshot,
           pg_relation_filenode(leaf), pages
    FROM pql.backfill_job AS j;
  END LOOP;
  RETURN total;
END $$;
COMMENT ON FUNCTION pql._add_history(int, smallint[], boolean) IS 'Registers what a backfill has to fold; returns its size in pages.';
REVOKE ALL ON FUNCTION pql._add_history(int, smallint[], boolean) FROM PUBLIC;

-- Programs whose trackers are all built come into force.
CREATE OR REPLACE FUNCTION pql._settle_programs() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p record;
BEGIN
  FOR p IN
    SELECT b.program, b.version, b.goes_live FROM pql.program AS b
    WHERE b.status = 'building' AND NOT EXISTS (
      SELECT FROM pql.backfill_job AS j
      WHERE j.finished_at IS NULL AND j.trackers && ARRAY(
        SELECT t.tracker_id FROM pql.tracker AS t JOIN pql._program_trackers(b.document) AS n USING (key)))
    ORDER BY b.program, b.version
  LOOP
    UPDATE pql.program AS o SET status = 'retired', retired_at = clock_timestamp(), finishing = true
    WHERE o.program = p.program AND o.version <> p.version
      AND (o.status = 'shadow' OR (o.status = 'live' AND p.goes_live));
    UPDATE pql.program AS o
    SET status = CASE WHEN p.goes_live THEN 'live' ELSE 'shadow' END,
        promoted_at = CASE WHEN p.goes_live THEN clock_timestamp() END
    WHERE (o.program, o.version) = (p.program, p.version);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._settle_programs() IS 'Brings versions into force whose history has been folded.';
REVOKE ALL ON FUNCTION pql._settle_programs() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.publish(program jsonb, note text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  document jsonb := publish.program;
  name text := document->>'program';
  problems bigint;
  first record;
  number int;
  id int;
  fresh smallint[];
  clash record;
  s record;
BEGIN
  IF document IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT count(*) INTO problems FROM pql.check_program(document);
  IF problems > 0 THEN
    SELECT * INTO first FROM pql.check_program(document) LIMIT 1;
    RAISE EXCEPTION '%', CASE WHEN first.path = '' THEN first.problem ELSE first.path || ': ' || first.problem END
      USING ERRCODE = 'invalid_parameter_value',
        DETAIL = CASE WHEN problems > 1 THEN format('The document has %s problems; pql.check_program() lists them all.', problems) ELSE '' END,
        HINT = coalesce(first.hint, '');
  END IF;
  -- Publications exclude each other: versions and trackers are numbered without gaps.
  LOCK TABLE pql.tracker IN SHARE ROW EXCLUSIVE MODE;
  SELECT n.name, t.events[1] AS event INTO clash FROM pql._program_trackers(document) AS n
    JOIN pql.tracker AS t ON t.kind = 'milestone' AND n.kind = 'milestone' AND (t.unit, t.name) = (n.unit, n.name)
    WHERE (t.events, t.rules) <> (n.events, n.rules) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'milestones.%: another program defines this milestone differently', clash.name
      USING ERRCODE = 'duplicate_object', DETAIL = format('It is the first event "%s" there.', clash.event),
        HINT = 'A milestone means the same everywhere: give the new one a name of its own.';
  END IF;
  WITH added AS (
    INSERT INTO pql.tracker (tracker_id, kind, unit, name, events, rules, value_rule, half_life, in_order, within,
                             window_length, spans, gap, key, state)
    SELECT (SELECT coalesce(max(tracker_id), 0) FROM pql.tracker) + row_number() OVER (ORDER BY n.ordinality), n.kind, n.unit, n.name,
           n.events, n.rules, n.value_rule, n.half_life, n.in_order, n.within, n.window_length, n.spans, n.gap, n.key, 'active'
    FROM pql._program_trackers(document) WITH ORDINALITY AS n
    WHERE NOT EXISTS (SELECT FROM pql.tracker AS t WHERE t.key = n.key)
    RETURNING tracker_id)
  SELECT array_agg(tracker_id ORDER BY tracker_id) INTO fresh FROM added;
  SELECT coalesce(max(version), 0) + 1 INTO number FROM pql.program WHERE program = name;
  SELECT program_id INTO id FROM pql.program WHERE program = name LIMIT 1;
  IF id IS NULL THEN
    SELECT coalesce(max(program_id), 0) + 1 INTO id FROM pql.program;
  END IF;
  INSERT INTO pql.program (program_id, program, version, status, goes_live, document, note)
  VALUES (id, name, number, 'building', EXISTS (SELECT FROM pql.program WHERE program = name AND status = 'live'), document, note);
  IF fresh IS NOT NULL THEN
    FOR s IN SELECT source_id FROM pql.source ORDER BY source_id LOOP
      PERFORM pql._add_history(s.source_id, fresh, false);
    END LOOP;
  END IF;
  PERFORM pql._settle_programs();
  PERFORM pql._audit('publish', name, jsonb_build_object('version', number, 'note', note));
  IF EXISTS (SELECT FROM pql.program WHERE program = name AND version = number AND status = 'building') THEN
    RAISE NOTICE 'program "%" version % waits for the history of its new definitions', name, number
      USING HINT = 'Run CALL pql.backfill().';
  END IF;
  RETURN number;
END $$;
COMMENT ON FUNCTION pql.publish(jsonb, text) IS
  'Publishes a version of a program and returns its number. Wrong documents are refused (22023). A first version starts in shadow (see pql.promote), a later one replaces the live one; either waits for CALL pql.backfill() where events are there whose history its new definitions need.';
REVOKE ALL ON FUNCTION pql.publish(jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._open_standing(program text) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__open_standing' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._open_standing(text) IS 'Opens shadow episodes for subjects that are above a program''s threshold already.';
REVOKE ALL ON FUNCTION pql._open_standing(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.promote(program text, standing text DEFAULT 'none', override text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  newest record;
BEGIN
  IF program IS NULL OR standing IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN program IS NULL THEN 'program' ELSE 'standing' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF standing <> 'none' THEN
    RAISE EXCEPTION 'standing "%" is not supported by this version', standing
      USING ERRCODE = 'feature_not_supported', HINT = 'Use ''none'': subjects already above the threshold are not emitted.';
  END IF;
  SELECT p.* INTO newest FROM pql.program AS p
  WHERE p.program = promote.program AND p.status IN ('building', 'shadow', 'live') ORDER BY p.version DESC LIMIT 1 FOR UPDATE;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = promote.program) THEN
      RAISE EXCEPTION 'program "%" is retired', program
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Publish it anew with pql.publish(), then promote that version.';
    END IF;
    RAISE EXCEPTION 'program "%" does not exist', program
      USING ERRCODE = 'undefined_object', HINT = 'Publish it first with pql.publish().';
  END IF;
  IF newest.status = 'live' THEN
    RETURN newest.version;
  END IF;
  IF newest.status = 'building' THEN
    RAISE EXCEPTION 'program "%" version % is not built yet', program, newest.version
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL pql.backfill() first.';
  END IF;
  -- Who is above the threshold already stands: without an episode, the live program would emit them at their next event.
  PERFORM pql._open_standing(program);
  UPDATE pql.program AS p SET status = 'live', promoted_at = clock_timestamp()
  WHERE (p.program, p.version) = (newest.program, newest.version);
  PERFORM pql._audit('promote', program, jsonb_build_object('version', newest.version, 'standing', standing, 'override', override));
  RETURN newest.version;
END $$;
COMMENT ON FUNCTION pql.promote(text, text, text) IS
  'Takes a program from shadow to live: from now on it emits routing rows. Returns the version. Subjects already above the threshold are not emitted (standing => ''none''). Errors: 42704 unknown program, 55000 history not folded yet or retired, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.promote(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.retire(program text) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  number int;
BEGIN
  IF program IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE pql.program AS p SET status = 'retired', retired_at = clock_timestamp()
  WHERE p.program = retire.program AND p.status <> 'retired';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" is not in force', program USING ERRCODE = 'undefined_object';
  END IF;
  SELECT max(p.version) INTO number FROM pql.program AS p WHERE p.program = retire.program;
  PERFORM pql._audit('retire', program, jsonb_build_object('version', number));
  RETURN number;
END $$;
COMMENT ON FUNCTION pql.retire(text) IS 'Takes a program out of force. Its state, episodes and routing rows stay. Returns its newest version. Errors: 42704 not in force, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.retire(text) FROM PUBLIC;
