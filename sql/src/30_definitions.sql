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

-- What was published stays as it was, also for the owner: decisions refer to it.
CREATE OR REPLACE FUNCTION pql._keep_versions() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 50 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    RAISE EXCEPTION 'published versions can''t be deleted' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'pql.retire() takes a program out of force.';
  END IF;
  IF TG_OP = 'UPDATE' AND new.status <> 'draft' AND (new.program_id, new.program, new.version, new.document, new.note, new.published_at, new.published_by)
      IS NOT DISTINCT FROM (old.program_id, old.program, old.version, old.document, old.note, old.published_at, old.published_by) THEN
    RETURN new;
  END IF;
  RAISE EXCEPTION 'version % of program "%" is published and can''t be %', old.version, old.program,
      CASE TG_OP WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END
    USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = CASE TG_OP WHEN 'UPDATE' THEN 'Publish another version with pql.publish().' ELSE 'pql.retire() takes a program out of force.' END;
END $$;
COMMENT ON FUNCTION pql._keep_versions() IS 'Trigger on pql.program: a published version never changes, but for its status.';
REVOKE ALL ON FUNCTION pql._keep_versions() FROM PUBLIC;

CREATE TRIGGER keep_versions BEFORE UPDATE OR DELETE ON pql.program
  FOR EACH ROW WHEN (old.status <> 'draft') EXECUTE FUNCTION pql._keep_versions();
CREATE TRIGGER keep_all_versions BEFORE TRUNCATE ON pql.program
  FOR EACH STATEMENT EXECUTE FUNCTION pql._keep_versions();

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

CREATE OR REPLACE FUNCTION pql._this_database() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  RETURN (SELECT format('%s/%s', c.system_identifier, d.oid) FROM pg_catalog.pg_control_system() AS c, pg_catalog.pg_database AS d
          WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database());
COMMENT ON FUNCTION pql._this_database() IS 'Tells this database from the one that a dump was made of. Everybody may ask: whoever writes to pql.destination does.';

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
    INSERT INTO pql.backfill_job (job_id, source_id, relation, trackers, members, boundary, relfilenode, made_in, pages)
    SELECT coalesce(max(j.job_id), 0) + 1, source, leaf, trackers, members, pql._boundary()::pg_snapshot,
           pg_relation_filenode(leaf), pql._this_database(), pages
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
  IF NOT EXISTS (SELECT FROM pql.program AS b WHERE b.status = 'building') THEN
    RETURN;
  END IF;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
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

CREATE OR REPLACE FUNCTION pql._require_document(document jsonb, draft boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first record;
  said text;
BEGIN
  IF document IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT c.*, count(*) OVER () AS problems INTO first FROM pql.check_program(document) AS c WHERE NOT draft OR c.path IN ('', 'program');
  IF NOT FOUND THEN
    RETURN;
  END IF;
  said := CASE WHEN first.path = '' THEN first.problem ELSE first.path || ': ' || first.problem END;
  IF first.problems > 1 THEN
    RAISE EXCEPTION '%', said USING ERRCODE = 'invalid_parameter_value', HINT = coalesce(first.hint, ''),
      DETAIL = format('The document has %s problems; pql.check_program() lists them all.', first.problems);
  END IF;
  RAISE EXCEPTION '%', said USING ERRCODE = 'invalid_parameter_value', HINT = coalesce(first.hint, '');
END $$;
COMMENT ON FUNCTION pql._require_document(jsonb, boolean) IS 'Raises the first problem of a document; a draft needs no more than the name of its program.';
REVOKE ALL ON FUNCTION pql._require_document(jsonb, boolean) FROM PUBLIC;

-- Definitions that change every week make routing that nobody relies on (limits.min_days_between_versions).
CREATE OR REPLACE FUNCTION pql._require_pause(program text, override text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  last record;
BEGIN
  IF override !~ '\S' THEN
    RAISE EXCEPTION 'override must say why' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT p.version, x.days, p.promoted_at + x.days * interval '24 hours' AS until INTO last
  FROM pql.program AS p, LATERAL (SELECT (p.document->'limits'->>'min_days_between_versions')::int AS days) AS x
  WHERE p.program = _require_pause.program AND p.promoted_at IS NOT NULL ORDER BY p.promoted_at DESC LIMIT 1;
  IF override IS NULL AND last.until > clock_timestamp() THEN
    RAISE EXCEPTION 'program "%" went live with version % less than % days ago', program, last.version, last.days
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The next version may go live from %s on.', last.until),
        HINT = 'Wait, or say why not: override => ''reason''. Until then it can be kept with pql.save_draft().';
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_pause(text, text) IS 'Raises 55000 while the version that went live last is too new to be replaced without a reason.';
REVOKE ALL ON FUNCTION pql._require_pause(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_examples(document jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  failed record;
BEGIN
  IF to_regprocedure('pql._check_examples(jsonb)') IS NULL THEN
    RETURN;
  END IF;
  SELECT c.subject, c.problem, count(*) OVER () AS examples INTO failed FROM pql._check_examples(document) AS c WHERE c.problem IS NOT NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'example "%": %', failed.subject, failed.problem
      USING ERRCODE = 'invalid_parameter_value',
        HINT = CASE WHEN failed.examples > 1 THEN format('%s of the examples fail. ', failed.examples) ELSE '' END
          || 'Change the program, or the example if it expects what is not wanted any more.';
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_examples(jsonb) IS 'Raises 22023 for the first example of a document that comes out otherwise than it expects.';
REVOKE ALL ON FUNCTION pql._require_examples(jsonb) FROM PUBLIC;

-- Drafts come after all that is published. The caller has locked the table.
CREATE OR REPLACE FUNCTION pql._add_version(document jsonb, status text, note text) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  name text := document->>'program';
  number int;
  id int;
BEGIN
  SELECT coalesce(max(version), 0) + 1 INTO number FROM pql.program WHERE program = name AND status <> 'draft';
  SELECT program_id INTO id FROM pql.program WHERE program = name LIMIT 1;
  IF id IS NULL THEN
    SELECT coalesce(max(program_id), 0) + 1 INTO id FROM pql.program;
  END IF;
  UPDATE pql.program SET version = number + 1 WHERE program = name AND status = 'draft';
  INSERT INTO pql.program (program_id, program, version, status, goes_live, document, note)
  VALUES (id, name, number, _add_version.status,
    _add_version.status = 'building' AND EXISTS (SELECT FROM pql.program WHERE program = name AND status = 'live'), document, note);
  RETURN number;
END $$;
COMMENT ON FUNCTION pql._add_version(jsonb, text, text) IS 'Adds the next version of a program and returns its number.';
REVOKE ALL ON FUNCTION pql._add_version(jsonb, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.publish(program jsonb, note text DEFAULT NULL, override text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  document jsonb := publish.program;
  name text := document->>'program';
  number int;
  fresh smallint[];
  clash record;
  s record;
BEGIN
  PERFORM pql._require_document(document, false);
  IF document->>'unit' = 'workspace' AND NOT EXISTS (SELECT FROM pql.source AS e WHERE e.workspace IS NOT NULL) THEN
    RAISE EXCEPTION 'program "%" is about workspaces, and no events table says which workspace its events are of', name
      USING ERRCODE = 'object_not_in_prerequisite_state',
        HINT = 'Attach the table with the column or expression that names it: pql.attach(..., workspace => ''project_id'').';
  END IF;
  -- Who writes is waited for before anything is locked that a rollback would wait for: what is new here needs the past.
  IF EXISTS (SELECT n.key FROM pql._program_trackers(document) AS n EXCEPT SELECT t.key FROM pql.tracker AS t) THEN
    PERFORM pql._wait_for_writers(e.relation) FROM pql.source AS e JOIN pg_class AS c ON c.oid = e.relation;
  END IF;
  -- Changes of programs exclude each other, and so do publications: versions and trackers are numbered without gaps.
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  IF override IS NOT NULL OR EXISTS (SELECT FROM pql.program WHERE program = name AND status = 'live') THEN
    PERFORM pql._require_pause(name, override);
  END IF;
  PERFORM pql._require_examples(document);
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
  -- What still waited to come into force never will.
  UPDATE pql.program SET status = 'retired', retired_at = clock_timestamp() WHERE program = name AND status = 'building';
  number := pql._add_version(document, 'building', note);
  IF fresh IS NOT NULL THEN
    FOR s IN SELECT source_id FROM pql.source ORDER BY source_id LOOP
      PERFORM pql._add_history(s.source_id, fresh, false);
    END LOOP;
    -- Events that are held will count for what is new when they fall due, and are history too: derived, their homes have all of it already.
    PERFORM pql._derive_homes(ARRAY(SELECT DISTINCT h.home FROM pql.held_event AS h));
  END IF;
  PERFORM pql._use_attributes();  -- which may decide anew, and then holds homes: a writer who waits for one must not be waited for
  PERFORM pql._settle_programs();
  PERFORM pql._audit('publish', name, jsonb_build_object('version', number, 'note', note)
    || CASE WHEN override IS NULL THEN '{}' ELSE jsonb_build_object('override', override) END);
  IF EXISTS (SELECT FROM pql.program WHERE program = name AND version = number AND status = 'building') THEN
    RAISE NOTICE 'program "%" version % waits for the history of its new definitions', name, number
      USING HINT = 'Run CALL pql.backfill().';
  END IF;
  RETURN number;
END $$;
COMMENT ON FUNCTION pql.publish(jsonb, text, text) IS
  'Publishes a version of a program and returns its number. Wrong documents, and those whose examples fail, are refused (22023). A first version starts in shadow (see pql.promote), a later one replaces the live one, but not sooner than limits.min_days_between_versions of that allow (55000) unless override says why; either waits for CALL pql.backfill() where events are there whose history its new definitions need, and takes the place of one that still waits. A program on workspaces needs an events table that was attached with workspace (55000).';
REVOKE ALL ON FUNCTION pql.publish(jsonb, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.save_draft(program jsonb, note text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  document jsonb := save_draft.program;
  name text := document->>'program';
  number int;
BEGIN
  PERFORM pql._require_document(document, true);
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM pql.program WHERE program = name AND status = 'draft';
  number := pql._add_version(document, 'draft', note);
  PERFORM pql._audit('save_draft', name, jsonb_build_object('version', number, 'note', note));
  RETURN number;
END $$;
COMMENT ON FUNCTION pql.save_draft(jsonb, text) IS
  'Keeps a document as the draft of its program''s next version, in place of an earlier draft, and returns the number that it would have. It may still be wrong but for its name (22023) and does nothing until pql.publish_draft. Error: 22004 null argument.';
REVOKE ALL ON FUNCTION pql.save_draft(jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.publish_draft(program text, override text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  draft record;
BEGIN
  IF program IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM pql.program AS p WHERE p.program = publish_draft.program AND p.status = 'draft' RETURNING p.document, p.note INTO draft;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" has no draft', program USING ERRCODE = 'undefined_object', HINT = 'Save one with pql.save_draft().';
  END IF;
  RETURN pql.publish(draft.document, draft.note, override);
END $$;
COMMENT ON FUNCTION pql.publish_draft(text, text) IS
  'Publishes the draft of a program as pql.publish would, and returns its number. Errors: 42704 no draft, 22004 null argument, and those of pql.publish.';
REVOKE ALL ON FUNCTION pql.publish_draft(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._open_standing(program text) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__open_standing' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._open_standing(text) IS 'Opens shadow episodes for subjects that are above a program''s threshold already.';
REVOKE ALL ON FUNCTION pql._open_standing(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._emit_standing(program text, homes text[], subjects text[]) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__emit_standing' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._emit_standing(text, text[], text[]) IS 'Begins episodes anew, with routing rows, of subjects of a live program that are in one of its shadow.';
REVOKE ALL ON FUNCTION pql._emit_standing(text, text[], text[]) FROM PUBLIC;

-- How many of those who stand above the threshold are to be emitted: 'none', 'best 25' or 'all' (null).
CREATE OR REPLACE FUNCTION pql._standing_limit(standing text) RETURNS int
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 50 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  digits text := substring(standing FROM '^best +([0-9]+)$');
BEGIN
  IF standing = 'none' THEN
    RETURN 0;
  ELSIF standing = 'all' THEN
    RETURN NULL;
  ELSIF digits IS NULL THEN
    RAISE EXCEPTION 'standing "%" is none of none, best n and all', standing
      USING ERRCODE = 'invalid_parameter_value', HINT = 'It says who of those already above the threshold is emitted, such as ''best 25''.';
  ELSIF digits::numeric NOT BETWEEN 1 AND 1000000 THEN
    RAISE EXCEPTION 'standing "%": the number must be from 1 to 1000000', standing USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN digits::int;
END $$;
COMMENT ON FUNCTION pql._standing_limit(text) IS 'How many a promotion emits of those who stand; null for all.';
REVOKE ALL ON FUNCTION pql._standing_limit(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.promote(program text, standing text DEFAULT 'none', override text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  newest record;
  best record;
  most int;
  events regclass;
BEGIN
  IF program IS NULL OR standing IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN program IS NULL THEN 'program' ELSE 'standing' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  most := pql._standing_limit(standing);
  IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = promote.program AND p.status = 'shadow') THEN
    PERFORM pql._wait_for_writers(s.relation) FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation; -- as publish does
  END IF;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  SELECT p.* INTO newest FROM pql.program AS p
  WHERE p.program = promote.program AND p.status IN ('building', 'shadow', 'live') ORDER BY p.version DESC LIMIT 1;
  IF NOT FOUND THEN
    IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = promote.program AND p.status = 'retired') THEN
      RAISE EXCEPTION 'program "%" is retired', program
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Publish it anew with pql.publish(), then promote that version.';
    END IF;
    RAISE EXCEPTION 'program "%" does not exist', program
      USING ERRCODE = 'undefined_object', HINT = 'Publish it first with pql.publish().';
  END IF;
  IF newest.status = 'live' AND standing = 'none' THEN
    RETURN newest.version;
  ELSIF newest.status = 'live' THEN
    RAISE EXCEPTION 'program "%" is live already, with version %', program, newest.version
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Who stands above the threshold is emitted when a program goes live only.';
  END IF;
  IF newest.status = 'building' THEN
    RAISE EXCEPTION 'program "%" version % is not built yet', program, newest.version
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL pql.backfill() first.';
  END IF;
  PERFORM pql._require_pause(program, override);
  -- Nobody enters meanwhile who is not seen here, and by a definition that doesn't emit.
  FOR events IN SELECT s.relation FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation ORDER BY s.source_id LOOP
    PERFORM pql._hold_up_writers(events);
  END LOOP;
  -- Who is above the threshold already stands: without an episode, the live program would emit them at their next event.
  PERFORM pql._open_standing(program);
  SELECT array_agg(x.home) AS homes, array_agg(x.subject_id) AS subjects INTO best
  FROM (SELECT e.home, e.subject_id
        FROM pql.scoreboard(program) AS b JOIN pql.episode AS e ON e.program_id = newest.program_id AND e.subject_id = b.subject_id
        WHERE most IS DISTINCT FROM 0 AND e.left_at IS NULL AND e.shadow AND b.score >= (newest.document->'qualify'->>'enter')::int
        ORDER BY b.score DESC, e.entered_at, e.subject_id COLLATE "C" LIMIT most) AS x;
  UPDATE pql.program AS p SET status = 'live', promoted_at = clock_timestamp()
  WHERE (p.program, p.version) = (newest.program, newest.version);
  PERFORM pql._emit_standing(program, best.homes, best.subjects);
  PERFORM pql._audit('promote', program, jsonb_build_object('version', newest.version, 'standing', standing, 'override', override));
  RETURN newest.version;
END $$;
COMMENT ON FUNCTION pql.promote(text, text, text) IS
  'Takes a program from shadow to live: from now on it emits routing rows. Returns the version. standing says what becomes of subjects that are above the threshold already: ''none'' (nothing until their next episode), ''best 25'' (so many of them, by score, are emitted now) or ''all''. Errors: 42704 unknown program, 55000 history not folded yet, retired, live already, or sooner after the last version than limits.min_days_between_versions (unless override says why), 22023 another standing, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.promote(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.rollback(program text, reason text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  current int;
  previous record;
BEGIN
  IF program IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  SELECT p.version INTO current FROM pql.program AS p WHERE p.program = rollback.program AND p.status = 'live';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" is not live', program USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  -- The one before it in time: of two that were rolled back from, neither comes again.
  SELECT p.version, p.document INTO previous FROM pql.program AS p
  WHERE p.program = rollback.program AND p.version < current AND p.promoted_at IS NOT NULL ORDER BY p.promoted_at DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" was not live before version %', program, current
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'pql.retire() takes it out of force.';
  END IF;
  PERFORM pql._require_document(previous.document, false);
  UPDATE pql.program AS p SET status = 'retired', retired_at = clock_timestamp(), finishing = p.status <> 'building'
  WHERE p.program = rollback.program AND p.status IN ('building', 'shadow', 'live');
  UPDATE pql.program AS p SET status = 'live', promoted_at = clock_timestamp(), retired_at = NULL, finishing = false
  WHERE p.program = rollback.program AND p.version = previous.version;
  PERFORM pql._use_attributes();
  PERFORM pql._audit('rollback', program, jsonb_build_object('version', previous.version, 'from', current, 'reason', reason));
  RETURN previous.version;
END $$;
COMMENT ON FUNCTION pql.rollback(text, text) IS
  'Brings the version that was live before the present one into force again, at once and under its own number, which it returns. The present one is retired, and so is one that still waits. Errors: 55000 not live, or nothing to go back to; 22004 null argument.';
REVOKE ALL ON FUNCTION pql.rollback(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.retire(program text) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  number int;
BEGIN
  IF program IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  UPDATE pql.program AS p SET status = 'retired', retired_at = clock_timestamp()
  WHERE p.program = retire.program AND p.status NOT IN ('draft', 'retired');
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" is not in force', program USING ERRCODE = 'undefined_object';
  END IF;
  SELECT max(p.version) INTO number FROM pql.program AS p WHERE p.program = retire.program AND p.status <> 'draft';
  PERFORM pql._audit('retire', program, jsonb_build_object('version', number));
  RETURN number;
END $$;
COMMENT ON FUNCTION pql.retire(text) IS 'Takes a program out of force. Its state, episodes and routing rows stay. Returns its newest version. Errors: 42704 not in force, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.retire(text) FROM PUBLIC;
