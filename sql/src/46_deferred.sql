-- Deferred sources: writers append what they bring to pql.deferred, and whoever folds takes it from there into the state.

CREATE OR REPLACE FUNCTION pql._fold(alone boolean) RETURNS TABLE (statements bigint, events bigint)
  AS 'MODULE_PATHNAME', 'pql__fold' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION pql._fold(boolean) IS 'Folds rows of pql.deferred, as many as the setting pql.fold_batch says: of one source, beside others who fold; or, alone, of each source.';
REVOKE ALL ON FUNCTION pql._fold(boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._fold_alone() RETURNS void
  AS 'MODULE_PATHNAME', 'pql__fold_alone' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._fold_alone() IS 'From here on nobody else folds until the transaction ends. To be called before anything is locked that others may hold who fold.';
REVOKE ALL ON FUNCTION pql._fold_alone() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._fold_all(source int) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._fold_alone();
  WHILE EXISTS (SELECT FROM pql.deferred AS d WHERE d.source_id = source OR d.source_id IS NULL) LOOP
    PERFORM pql._fold(true);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._fold_all(int) IS 'Folds all that waits of a source whose writers are held up.';
REVOKE ALL ON FUNCTION pql._fold_all(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._deferred_homes() RETURNS TABLE (place bigint, home text)
  AS 'MODULE_PATHNAME', 'pql__deferred_homes' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql._deferred_homes() IS 'The homes of which something waits to be folded, by the snapshot of the query that asks.';
REVOKE ALL ON FUNCTION pql._deferred_homes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._erase_deferred(unit text, ids text[]) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__erase_deferred' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._erase_deferred(text, text[]) IS 'Takes what names a user or an account out of what waits to be folded; returns how much that was.';
REVOKE ALL ON FUNCTION pql._erase_deferred(text, text[]) FROM PUBLIC;

-- A procedure that commits can have no SET of its own: every name, type and operator is qualified.
CREATE OR REPLACE PROCEDURE pql.fold()
  LANGUAGE plpgsql AS $$
DECLARE
  folded bigint;
BEGIN
  PERFORM pql._require_commits('fold');
  LOOP
    SELECT f.statements INTO folded FROM pql._fold(false) AS f;
    COMMIT;
    EXIT WHEN folded OPERATOR(pg_catalog.=) 0;
  END LOOP;
END $$;
COMMENT ON PROCEDURE pql.fold() IS
  'Folds what writers of deferred sources have left, in batches that commit (pql.fold_batch), until nothing is left that others aren''t folding. Any number of sessions may do so at the same time. Watch pql.fold_lag.';
REVOKE ALL ON PROCEDURE pql.fold() FROM PUBLIC;

CREATE VIEW pql.fold_lag WITH (security_invoker = true) AS
  SELECT s.source_id, s.relation, count(d.appended_at) AS waiting, coalesce(sum(d.events), 0) AS events, min(d.appended_at) AS oldest,
         coalesce(clock_timestamp() - min(d.appended_at), '0') AS lag
  FROM pql.source AS s LEFT JOIN pql.deferred AS d ON d.source_id = s.source_id
  WHERE s.mode = 'deferred' GROUP BY s.source_id, s.relation;
COMMENT ON VIEW pql.fold_lag IS 'Of each deferred source, how far folding is behind: nothing that is told of state, scores and hand-offs knows what waits here.';
--@ comments fold_lag source source_id relation
COMMENT ON COLUMN pql.fold_lag.waiting IS 'Rows of pql.deferred: one a statement, more for a large one.';
COMMENT ON COLUMN pql.fold_lag.events IS 'The events they have, inserted, changed and deleted ones.';
COMMENT ON COLUMN pql.fold_lag.oldest IS 'When the statement began that has waited longest.';
COMMENT ON COLUMN pql.fold_lag.lag IS 'How long it has waited.';

CREATE OR REPLACE FUNCTION pql.set_mode(events regclass, mode text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
BEGIN
  IF events IS NULL OR mode IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN events IS NULL THEN 'events' ELSE 'mode' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM pql._require_mode(mode);
  SELECT * INTO s FROM pql.source AS x WHERE x.relation = events;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % is not attached', events USING ERRCODE = 'undefined_object', HINT = 'Attach it with pql.attach().';
  END IF;
  IF s.source_id = 0 THEN
    RAISE EXCEPTION 'table % goes with the conversations that are attached', events USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF s.mode = mode THEN
    RETURN;
  END IF;
  PERFORM pql._require_serial_apply(events, mode);
  IF mode = 'sync' AND EXISTS (SELECT FROM pg_class AS c WHERE c.oid = events) THEN
    PERFORM pql._hold_up_writers(events); -- so that nothing comes to wait that nobody would look for
    PERFORM pql._fold_all(s.source_id);
  END IF;
  UPDATE pql.source AS x SET mode = set_mode.mode WHERE x.source_id = s.source_id;
  PERFORM pql._audit('set_mode', events::text, jsonb_build_object('mode', mode));
END $$;
COMMENT ON FUNCTION pql.set_mode(regclass, text) IS
  'Sets whether events of an attached table are folded by whoever writes them (sync) or later (deferred). Back to sync, it folds what waits while writers are held up: CALL pql.fold() first. Errors: 42704 not attached, 22023 unknown mode, 22004 null argument, 55000 the table of intents, or one whose subscription applies transactions in parallel.';
REVOKE ALL ON FUNCTION pql.set_mode(regclass, text) FROM PUBLIC;
