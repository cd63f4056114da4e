CREATE OR REPLACE FUNCTION pql._backfill_step(job int) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__backfill_step' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._backfill_step(int) IS 'Folds the next pages of a job; true when it is done.';
REVOKE ALL ON FUNCTION pql._backfill_step(int) FROM PUBLIC;

-- A procedure that commits can have no SET of its own: every name, type and operator is qualified.
CREATE OR REPLACE PROCEDURE pql.backfill(events regclass DEFAULT NULL)
  LANGUAGE plpgsql AS $$
DECLARE
  job pg_catalog.record;
  at pg_catalog.record;
  done boolean;
  told pg_catalog.timestamptz := pg_catalog.clock_timestamp();
  changed pql.source_leaf;
  homes pg_catalog.text[];
BEGIN
  PERFORM pql._require_commits('backfill');
  IF events IS NOT NULL AND NOT EXISTS (
      SELECT FROM pql.source AS s WHERE s.relation OPERATOR(pg_catalog.=) backfill.events
      UNION ALL SELECT FROM pql.source AS s, LATERAL pql._leaves(s.source_id) AS l WHERE l.leaf OPERATOR(pg_catalog.=) backfill.events
      UNION ALL SELECT FROM pql.source_leaf AS k WHERE k.leaf OPERATOR(pg_catalog.=) backfill.events) THEN
    RAISE EXCEPTION 'table % is not attached', events USING ERRCODE = 'undefined_object', HINT = 'Attach it with pql.attach().';
  END IF;
  -- After a restore nobody knows which rows the trigger has seen: all of them are history.
  IF EXISTS (SELECT FROM pql.backfill_job AS j WHERE j.finished_at IS NULL AND j.made_in OPERATOR(pg_catalog.<>) pql._this_database()) THEN
    RAISE NOTICE 'the database was restored before its history was folded: all of it is folded anew';
    PERFORM pql._rebuild();
    PERFORM pql._know_leaves();
    COMMIT;
  END IF;
  FOR job IN
    SELECT j.job_id, j.relation FROM pql.backfill_job AS j JOIN pql.source AS s ON s.source_id OPERATOR(pg_catalog.=) j.source_id
    WHERE j.finished_at IS NULL AND (backfill.events IS NULL OR backfill.events OPERATOR(pg_catalog.=) ANY (ARRAY[s.relation, j.relation]))
    ORDER BY j.job_id
  LOOP
    LOOP
      done := pql._backfill_step(job.job_id);
      COMMIT;
      IF done OR pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) told OPERATOR(pg_catalog.>) '3 seconds'::interval THEN
        told := pg_catalog.clock_timestamp();
        SELECT p.percent, p.events INTO at FROM pql.backfill_progress AS p WHERE p.job_id OPERATOR(pg_catalog.=) job.job_id;
        IF done OR at.percent OPERATOR(pg_catalog.<) 100 THEN -- all is read before what changed meanwhile is derived
          RAISE NOTICE '%: % %% of its history folded, %', job.relation, at.percent, pql._events_text(at.events);
        END IF;
      END IF;
      EXIT WHEN done;
    END LOOP;
  END LOOP;
  PERFORM pql._settle_programs();
  COMMIT;
  -- Partitions that came or went: whoever has events in them is derived again.
  FOR changed IN
    SELECT c.* FROM pql.source AS s, LATERAL pql._leaf_changes(s.source_id) AS c
    WHERE backfill.events IS NULL OR backfill.events OPERATOR(pg_catalog.=) ANY (ARRAY[s.relation::pg_catalog.oid, c.leaf])
    ORDER BY c.name
  LOOP
    IF changed.change IS NULL THEN
      PERFORM pql._know_leaf(changed);
      CONTINUE;
    END IF;
    IF changed.change OPERATOR(pg_catalog.<>) ALL (ARRAY['attached', 'detached']) THEN
      PERFORM pql._warn_of_leaf(changed);
      CONTINUE;
    END IF;
    homes := ARRAY(SELECT h.home FROM pql._homes_in(changed.source_id, changed.leaf) AS h ORDER BY h.place);
    FOR n IN 1 .. pg_catalog.cardinality(homes) BY 500 LOOP
      PERFORM pql._derive_homes(homes[n : n OPERATOR(pg_catalog.+) 499]);
      COMMIT;
    END LOOP;
    PERFORM pql._know_leaf(changed);
    COMMIT;
    RAISE NOTICE '%: its events were taken %', changed.name, CASE changed.change WHEN 'attached' THEN 'in' ELSE 'out' END;
  END LOOP;
END $$;
COMMENT ON PROCEDURE pql.backfill(regclass) IS
  'Folds the history of an attached table, or of one partition (null: of all tables) into the state, in batches that commit: it may be interrupted and called again, while events keep coming. Partitions that were attached with events, or detached, come in and go out. Emits nothing. Watch pql.backfill_progress. Programs that waited for it come into force.';
REVOKE ALL ON PROCEDURE pql.backfill(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._homes_in(source int, leaf oid) RETURNS TABLE (place bigint, home text)
  AS 'MODULE_PATHNAME', 'pql__homes_in' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql._homes_in(int, oid) IS 'The homes of the events in a partition, or in one that was detached.';
REVOKE ALL ON FUNCTION pql._homes_in(int, oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._derive_homes(homes text[]) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__derive_homes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._derive_homes(text[]) IS 'Derives homes again from the events. Emits nothing.';
REVOKE ALL ON FUNCTION pql._derive_homes(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._rebuild() RETURNS void
  AS 'MODULE_PATHNAME', 'pql__rebuild' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._rebuild() IS 'Derives the whole state again from the events, while writers wait.';
REVOKE ALL ON FUNCTION pql._rebuild() FROM PUBLIC;

CREATE OR REPLACE PROCEDURE pql.rebuild()
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql._require_commits('rebuild');
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE; -- first, as publish does
  PERFORM pql._rebuild();
  PERFORM pql._know_leaves();
  PERFORM pql._settle_programs();
  PERFORM pql._recount_loads();
  PERFORM pql._audit('rebuild', 'state');
  COMMIT;
END $$;
COMMENT ON PROCEDURE pql.rebuild() IS
  'Derives the whole state again from the events tables; writers of those wait meanwhile. Counts anew what reps have. Episodes and routing rows, being a record of what was decided, stay.';
REVOKE ALL ON PROCEDURE pql.rebuild() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._state_fields(streamed boolean, due timestamptz)
  RETURNS TABLE (home text, unit text, what text, subject text, value text)
  AS 'MODULE_PATHNAME', 'pql__state_fields' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql._state_fields(boolean, timestamptz) IS 'The state field by field: as it is stored (true), with held events that are due by an instant, or as the events say (false). Both are as of the snapshot of the query that asks.';
REVOKE ALL ON FUNCTION pql._state_fields(boolean, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.verify(sample float8 DEFAULT 1, since timestamptz DEFAULT NULL)
  RETURNS TABLE (what text, subject text, streamed text, recomputed text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  all_changed pql.source_leaf[];
  changed pql.source_leaf;
  differences bigint;
  writes boolean := NOT current_setting('transaction_read_only')::boolean;
  waiting text[];
BEGIN
  IF sample IS NULL OR NOT (sample > 0 AND sample <= 1) THEN
    RAISE EXCEPTION 'sample must be above 0 and at most 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF pql._is_spread() THEN
    RETURN QUERY SELECT * FROM pql._verify_on_cluster(sample, since);
    RETURN;
  END IF;
  -- before the comparison: what changes while it goes on is found the next time
  IF writes THEN
    PERFORM pql._begin_leaves();
  END IF;
  all_changed := ARRAY(SELECT c FROM pql.source AS x, LATERAL pql._leaf_changes(x.source_id) AS c ORDER BY c.name);
  PERFORM pql._flush(); -- before the snapshot: what this transaction did is in it
  waiting := ARRAY(SELECT w.home FROM pql._deferred_homes() AS w);
  IF cardinality(waiting) > 0 THEN
    RAISE NOTICE '% not compared: their events wait to be folded', CASE cardinality(waiting) WHEN 1 THEN 'a home is' ELSE cardinality(waiting) || ' homes are' END
      USING HINT = 'CALL pql.fold() folds them; pql.fold_lag tells how far that is behind.';
  END IF;
  RETURN QUERY
  WITH now AS MATERIALIZED (SELECT clock_timestamp() AS due), -- after it: nobody whose events it has could have held one that is due
       s AS (SELECT f.* FROM now, pql._state_fields(true, now.due) AS f WHERE hashtext(f.home) & 1048575 < verify.sample * 1048576),
       r AS (SELECT f.* FROM now, pql._state_fields(false, now.due) AS f WHERE hashtext(f.home) & 1048575 < verify.sample * 1048576),
       recent AS (SELECT DISTINCT x.home FROM (SELECT * FROM s UNION ALL SELECT * FROM r) AS x
                  WHERE verify.since IS NOT NULL AND x.what = 'last_seen' AND x.value::timestamptz >= verify.since)
  SELECT coalesce(s.what, r.what), coalesce(s.subject, r.subject), s.value, r.value
  FROM s FULL JOIN r ON s.home = r.home AND s.unit = r.unit AND s.what = r.what AND s.subject = r.subject
  WHERE s.value IS DISTINCT FROM r.value
    AND (verify.since IS NULL OR coalesce(s.home, r.home) IN (SELECT recent.home FROM recent))
    AND coalesce(s.home, r.home) NOT IN (SELECT w.home FROM pql._deferred_homes() AS w)
  ORDER BY 2, 1;
  GET DIAGNOSTICS differences = ROW_COUNT;
  FOREACH changed IN ARRAY all_changed LOOP
    -- whatever became of it: is the state what the events say?
    IF changed.change IS NULL OR changed.change <> 'is a partition itself' AND differences = 0 AND sample = 1 AND since IS NULL THEN
      IF writes THEN
        PERFORM pql._know_leaf(changed);
      END IF;
      CONTINUE;
    END IF;
    PERFORM pql._warn_of_leaf(changed);
    what := 'partition'; subject := changed.name; streamed := NULL; recomputed := changed.change;
    RETURN NEXT;
  END LOOP;
  RETURN QUERY SELECT 'open rows', l.rep_id, l.kept::text, l.counted::text FROM pql._load_differences() AS l;
END $$;
COMMENT ON FUNCTION pql.verify(float8, timestamptz) IS
  'Compares what the triggers kept with a scan of the events: one row for each difference, none when all is right; homes of which events wait to be folded (pql.fold_lag) are not compared; and one for each partition that came, went or was emptied without a trigger''s knowing, unless the whole state is right all the same; and one for each rep of whom another number of open rows is kept than there are. sample: the share of homes to compare; since: only those with an event since then. CALL pql.rebuild() mends. Error: 22023 bad sample.';
REVOKE ALL ON FUNCTION pql.verify(float8, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._release_held(as_of timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__release_held' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._release_held(timestamptz) IS 'Folds held events that are due, and not later than an instant; returns how many.';
REVOKE ALL ON FUNCTION pql._release_held(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._leave_due(as_of timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__leave_due' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._leave_due(timestamptz) IS 'Looks again at open episodes whose time to leave has come; returns how many.';
REVOKE ALL ON FUNCTION pql._leave_due(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._review_rising(as_of timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__review_rising' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._review_rising(timestamptz) IS 'Looks, as often as programs say (re_evaluate), for subjects that would enter or leave though nothing happened, because time alone raises their score or changes what a rule says; returns how many.';
REVOKE ALL ON FUNCTION pql._review_rising(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._now() RETURNS timestamptz
  AS 'MODULE_PATHNAME', 'pql__now' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 250;
COMMENT ON FUNCTION pql._now() IS 'The instant that now means: the time of the database, or the newest event where all sources have an event clock. Everybody may ask: readers of pql.inbox do.';

CREATE OR REPLACE FUNCTION pql._tick_batch() RETURNS int
  AS 'MODULE_PATHNAME', 'pql__tick_batch' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._tick_batch() IS 'Setting pql.tick_batch: of each thing that falls due, how many one tick deals with.';
REVOKE ALL ON FUNCTION pql._tick_batch() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._tick(as_of timestamptz)
  RETURNS TABLE (held_released bigint, episodes_reviewed bigint, ids_forgotten bigint, partitions_changed bigint, subjects_reviewed bigint,
                 ready bigint, expired bigint, breached bigint, returned bigint, assigned bigint, events_folded bigint, more_due boolean)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  ended pql.program[];
  folded bigint;
  waited bigint;
BEGIN
  -- One at a time: each step locks homes in their order, but of two ticks one may be a step ahead of the other.
  PERFORM pg_advisory_xact_lock(hashtextextended('pql tick', 0));
  SELECT f.statements, f.events INTO waited, events_folded FROM pql._fold(true) AS f; -- before anything is locked that others may hold who fold
  PERFORM pql._tick_pilots(coalesce(as_of, pql._now())); -- before homes are locked: it may publish, and so wait for who publishes
  PERFORM pql._keep_routing_attributes(); -- before rows are given to reps by them
  held_released := pql._release_held(coalesce(_tick.as_of, 'infinity'));
  episodes_reviewed := pql._leave_due(coalesce(as_of, pql._now()));
  PERFORM pql._end_flags();
  subjects_reviewed := pql._review_rising(coalesce(as_of, pql._now()));
  ended := ARRAY(SELECT p FROM pql.program AS p WHERE p.finishing AND NOT EXISTS (
    SELECT FROM pql.episode AS e WHERE (e.program_id, e.version) = (p.program_id, p.version) AND e.left_at IS NULL));
  IF cardinality(ended) > 0 THEN -- an UPDATE of no row, too, would make every backend read the definitions again
    UPDATE pql.program AS p SET finishing = false FROM unnest(ended) AS x WHERE (p.program, p.version) = (x.program, x.version);
  END IF;
  -- What comes in time is later than all that has been forgotten, by more than the horizon: the table need not be asked about it.
  WITH horizon AS MATERIALIZED (
    SELECT s.source_id, x.until,
           lpad(to_hex((extract(epoch FROM x.until - timestamptz '2000-01-01 UTC') * 1000000)::bigint # (-9223372036854775808)), 16, '0') AS rank
    FROM pql.source AS s, LATERAL (SELECT coalesce(_tick.as_of, statement_timestamp()) - s.dedup - s.max_event_age AS until) AS x
    WHERE s.dedup IS NOT NULL),
  due AS (
    SELECT e.home, e.source_id, e.event_id, h.rank FROM pql.seen_event AS e JOIN horizon AS h USING (source_id)
    WHERE e.arrived_at < (SELECT max(h.until) FROM horizon AS h) AND e.arrived_at < h.until AND e.rank < h.rank
    ORDER BY e.arrived_at LIMIT pql._tick_batch()),
  gone AS (
    DELETE FROM pql.seen_event AS e USING due AS d
    WHERE (e.home, e.source_id, e.event_id) = (d.home, d.source_id, d.event_id) AND e.rank < d.rank
    RETURNING e.source_id, e.rank),
  noted AS (
    INSERT INTO pql.forgotten_event AS f (source_id, rank)
    SELECT DISTINCT ON (g.source_id) g.source_id, g.rank FROM gone AS g ORDER BY g.source_id, g.rank DESC
    ON CONFLICT (source_id) DO UPDATE SET rank = greatest(f.rank, excluded.rank))
  SELECT count(*) INTO ids_forgotten FROM gone;
  partitions_changed := pql._compare_leaves();
  SELECT t.* INTO ready, expired, breached, returned, assigned FROM pql._tick_routing(coalesce(_tick.as_of, pql._now())) AS t;
  PERFORM pql._tick_step_shares();
  IF ready + expired + returned > 0 THEN
    PERFORM pql._hint_deliveries();
  END IF;
  folded := pql._fold_handoffs(pql._tick_batch());
  PERFORM pql._tick_pilots_last(least(coalesce(as_of, 'infinity'), pql._now()));
  more_due := greatest(folded, held_released, episodes_reviewed, ids_forgotten, subjects_reviewed, ready, expired, breached, returned, assigned) >= pql._tick_batch()
    OR waited >= current_setting('pql.fold_batch')::int;
  RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._tick(timestamptz) IS 'Does what time alone brings by any instant, also of the future: what that decides is decided then.';
REVOKE ALL ON FUNCTION pql._tick(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.tick(as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (held_released bigint, episodes_reviewed bigint, ids_forgotten bigint, partitions_changed bigint, subjects_reviewed bigint,
                 ready bigint, expired bigint, breached bigint, returned bigint, assigned bigint, events_folded bigint, more_due boolean)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT isfinite(as_of) THEN
    RAISE EXCEPTION 'as_of must be finite' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF as_of < '0001-01-01' THEN -- what is so long before it has no time
    RAISE EXCEPTION 'as_of lies before the year 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- The clock on the wall can't be put forward: whoever left ahead of it could come in again only after that.
  IF NOT coalesce((SELECT bool_and(s.clock = 'event') FROM pql.source AS s), false) AND as_of > pql._now() THEN
    as_of := pql._now();
  END IF;
  IF pql._is_spread() THEN
    RETURN QUERY SELECT * FROM pql._tick_on_cluster(as_of);
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM pql._tick(as_of);
END $$;
COMMENT ON FUNCTION pql.tick(timestamptz) IS
  'Does what time alone brings by an instant (null: now, by the sources'' clock; an instant of the future is taken for now, unless all sources have an event clock): folds what writers of deferred sources have left, and held events that are due (before their time none is), ends episodes whose score has fallen, lets in who has cooled down, looks for those whom time alone takes in or out (where programs have such rules or scores), forgets event ids past the dedup horizon; and makes routing rows ready, expires those whose episode is over, notes those that nobody touched in time, brings back snoozed ones, and gives rows to reps. Looks after each pilot once an hour (doc/pilots.md). Also tells, once each, of partitions that came, went or were emptied without a trigger''s knowing (pql.sources lists them until they are mended). Returns how many of each: no more, about, than the setting pql.tick_batch, and whether more is due, so that it is to be called again at once. Writes nothing when nothing is due. Safe to call at any time, from pg_cron, by hand, or by the background worker (pql.worker).';
REVOKE ALL ON FUNCTION pql.tick(timestamptz) FROM PUBLIC;
