CREATE OR REPLACE FUNCTION pql._ingest() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__ingest' LANGUAGE C COST 5000;
COMMENT ON FUNCTION pql._ingest() IS 'The trigger on events tables: rows in, state out. Writes pql''s tables directly, so that writers need no rights on them; refuses tables that pql.attach() did not attach.';
REVOKE ALL ON FUNCTION pql._ingest() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_mode(mode text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF mode NOT IN ('sync', 'deferred') THEN
    RAISE EXCEPTION 'mode "%" is not known', mode USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use ''sync'' (each event is in the state when its transaction commits), or ''deferred'' (it is folded later).';
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_mode(text) IS 'Refuses what is no mode of a source.';
REVOKE ALL ON FUNCTION pql._require_mode(text) FROM PUBLIC;

-- The triggers of a source. Ordinary tables: statement triggers with transition tables. Partitioned tables and targets of
-- logical replication: row triggers that collect, until the end of the statement or, where rows are applied without one, of the transaction.
CREATE OR REPLACE FUNCTION pql._create_triggers(source int) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
BEGIN
  SELECT * INTO STRICT s FROM pql.source AS x WHERE x.source_id = source;
  IF s.capture = 'statement' THEN
    EXECUTE format('CREATE OR REPLACE TRIGGER pql_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS pql_new FOR EACH STATEMENT EXECUTE FUNCTION pql._ingest(%L)', s.relation, source);
    EXECUTE format('CREATE OR REPLACE TRIGGER pql_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS pql_old NEW TABLE AS pql_new FOR EACH STATEMENT EXECUTE FUNCTION pql._ingest(%L)', s.relation, source);
    EXECUTE format('CREATE OR REPLACE TRIGGER pql_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS pql_old FOR EACH STATEMENT EXECUTE FUNCTION pql._ingest(%L)', s.relation, source);
  ELSE
    EXECUTE format('CREATE OR REPLACE TRIGGER pql_row AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION pql._ingest(%L)', s.relation, source);
  END IF;
  EXECUTE format('CREATE OR REPLACE TRIGGER pql_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION pql._ingest(%L)', s.relation, source);
  -- Whoever applies replicated rows does so as a replica.
  IF s.capture = 'row' THEN
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER pql_row, ENABLE ALWAYS TRIGGER pql_truncate', s.relation);
  END IF;
END $$;
COMMENT ON FUNCTION pql._create_triggers(int) IS 'Creates the triggers of a source.';
REVOKE ALL ON FUNCTION pql._create_triggers(int) FROM PUBLIC;

-- An expression that fails on one row's values makes the sample fail, unless it is taken carefully: row by row, and fewer of them.
CREATE OR REPLACE FUNCTION pql._sample_events(events regclass, user_id text, account_id text, event text, occurred_at text,
    event_id text, properties text, received_at text, workspace text, carefully boolean)
  RETURNS TABLE (failure text, who text, account text, name text, at timestamptz, id text, bare boolean, received timestamptz, project text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  expressions text := format('NULL::text, (%s)::text, (%s)::text, (%s)::text, (%s)::timestamptz, (%s)::text, (%s)::jsonb IS NULL,'
    ' (%s)::timestamptz, (%s)::text', user_id, coalesce(account_id, 'NULL'), event, occurred_at, coalesce(event_id, 'NULL'),
    coalesce(properties, 'NULL'), coalesce(received_at, 'NULL'), coalesce(workspace, 'NULL'));
  r record;
BEGIN
  IF NOT carefully THEN
    RETURN QUERY EXECUTE format('SELECT %s FROM (SELECT * FROM %s LIMIT 100000) AS t', expressions, events);
    RETURN;
  END IF;
  FOR r IN EXECUTE format('SELECT t AS whole FROM %s AS t LIMIT 10000', events) LOOP
    BEGIN
      EXECUTE format('SELECT %s FROM (SELECT ($1::%s).*) AS t', expressions, events) USING r.whole
        INTO failure, who, account, name, at, id, bare, received, project;
    EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
      SELECT SQLERRM INTO failure, who, account, name, at, id, bare, received, project; -- the others are null
    END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._sample_events(regclass, text, text, text, text, text, text, text, text, boolean) IS 'What the arguments of pql.attach give for the first rows of a table, or why they fail.';
REVOKE ALL ON FUNCTION pql._sample_events(regclass, text, text, text, text, text, text, text, text, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_serial_apply(events regclass, mode text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  subscription text;
BEGIN
  SELECT min(x.subname) INTO subscription FROM pg_subscription_rel AS r JOIN pg_subscription AS x ON x.oid = r.srsubid
  WHERE r.srrelid = events AND x.substream::text = 'p';
  IF mode = 'sync' AND subscription IS NOT NULL THEN
    RAISE EXCEPTION 'table % is written by a subscription that applies transactions in parallel', events USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = 'Two of its processes could wait for each other in the state of an account, in a circle.',
      HINT = format('ALTER SUBSCRIPTION %I SET (streaming = on), or defer the table''s events: mode ''deferred''.', subscription);
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_serial_apply(regclass, text) IS 'Refuses the mode sync for a table whose subscription applies transactions in parallel.';
REVOKE ALL ON FUNCTION pql._require_serial_apply(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.attach(events regclass, user_id text, event text, occurred_at text, account_id text DEFAULT NULL,
    event_id text DEFAULT NULL, properties text DEFAULT NULL, received_at text DEFAULT NULL, workspace text DEFAULT NULL,
    clock text DEFAULT 'wall', mode text DEFAULT 'sync', dedup interval DEFAULT NULL, dry_run boolean DEFAULT false)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  kind "char";
  partition boolean;
  capture text;
  arg record;
  complaint text;
  unique_ids boolean := false;
  indexed boolean := false;
  newest int;
  pages bigint;
  n record;
  carefully boolean;
  subscription record;
  absent text := (ARRAY['events', 'user_id', 'event', 'occurred_at', 'clock', 'mode', 'dry_run'])[array_position(
    ARRAY[events IS NULL, user_id IS NULL, event IS NULL, occurred_at IS NULL, clock IS NULL, mode IS NULL, dry_run IS NULL], true)];
BEGIN
  IF absent IS NOT NULL THEN
    RAISE EXCEPTION '% must not be null', absent USING ERRCODE = 'null_value_not_allowed',
      HINT = CASE WHEN absent IN ('user_id', 'event', 'occurred_at') THEN 'It is a column, or an SQL expression over a row.' ELSE '' END;
  END IF;
  SELECT c.relkind, c.relispartition INTO kind, partition FROM pg_class AS c WHERE c.oid = events;
  IF kind IS NULL THEN
    RAISE EXCEPTION 'relation with OID % does not exist', events::oid USING ERRCODE = 'undefined_table';
  END IF;
  IF kind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION '"%" is not a table', events USING ERRCODE = 'wrong_object_type',
      DETAIL = CASE kind WHEN 'v' THEN 'A view has no rows of its own, so nothing can be seen to arrive.'
                         WHEN 'm' THEN 'A materialized view does not fire triggers.'
                         WHEN 'f' THEN 'A foreign table''s rows arrive elsewhere.' ELSE 'pql reads ordinary and partitioned tables.' END,
      HINT = 'Attach the table that the events are inserted into.';
  END IF;
  IF (SELECT c.relpersistence FROM pg_class AS c WHERE c.oid = events) = 't' THEN
    RAISE EXCEPTION '"%" is a temporary table', events USING ERRCODE = 'wrong_object_type',
      DETAIL = 'Other sessions could not read it when they derive state again.', HINT = 'Attach a table that all sessions see.';
  END IF;
  IF partition THEN
    RAISE EXCEPTION '"%" is a partition', events USING ERRCODE = 'wrong_object_type',
      HINT = 'Attach the partitioned table that it belongs to.';
  END IF;
  IF (SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = events) = 'pql'
     AND events <> 'pql.events'::regclass THEN
    RAISE EXCEPTION '"%" is one of pql''s own tables', events USING ERRCODE = 'wrong_object_type';
  END IF;
  IF NOT dry_run AND NOT has_table_privilege(events, 'TRIGGER') THEN
    RAISE EXCEPTION 'permission denied for table %', events USING ERRCODE = 'insufficient_privilege',
      HINT = format('Attaching needs the TRIGGER and SELECT privileges on it: GRANT TRIGGER, SELECT ON %s TO %I.', events, current_user);
  END IF;
  IF NOT has_table_privilege(events, 'SELECT') THEN
    RAISE EXCEPTION 'permission denied for table %', events USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF clock NOT IN ('wall', 'event') THEN
    RAISE EXCEPTION 'clock "%" is not known', clock USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Use ''wall'' (the time of the database), or ''event'' (the newest event seen) for replays.';
  END IF;
  PERFORM pql._require_mode(mode);
  IF dedup IS NOT NULL AND (extract(month FROM dedup) <> 0 OR extract(year FROM dedup) <> 0 OR dedup <= interval '0' OR dedup > interval '36525 days') THEN
    RAISE EXCEPTION 'dedup must be a positive length without months, of 100 years at most' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example ''90 days''.';
  END IF;
  IF dedup IS NOT NULL AND event_id IS NULL THEN
    RAISE EXCEPTION 'dedup needs event_id' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Say which column or expression identifies an event.';
  END IF;
  IF EXISTS (SELECT FROM pql.source AS s WHERE s.relation = events) THEN
    RAISE EXCEPTION 'table % is attached already', events USING ERRCODE = 'duplicate_object',
      HINT = 'pql.detach() it first to attach it differently.';
  END IF;
  IF EXISTS (SELECT FROM pql.source AS s WHERE s.sealed_before IS NOT NULL) THEN
    RAISE EXCEPTION 'a table is sealed already, so that no other can be attached' USING ERRCODE = 'feature_not_supported',
      DETAIL = 'An activation may rest on events of several tables; sealing one parts them.';
  END IF;
  FOR arg IN SELECT * FROM (VALUES ('user_id', user_id, NULL::regtype), ('event', event, 'text'::regtype),
      ('occurred_at', occurred_at, 'timestamptz'::regtype), ('account_id', account_id, NULL), ('event_id', event_id, NULL),
      ('properties', properties, 'jsonb'::regtype), ('received_at', received_at, 'timestamptz'::regtype),
      ('workspace', workspace, NULL)) AS a(name, expression, wanted) WHERE expression IS NOT NULL
  LOOP
    PERFORM pql._compile_expression(events, arg.expression, arg.wanted, arg.name);
  END LOOP;

  PERFORM pql._require_serial_apply(events, mode);
  SELECT string_agg(quote_ident(x.subname), ', ' ORDER BY x.subname) AS names
    INTO subscription FROM pg_subscription_rel AS r JOIN pg_subscription AS x ON x.oid = r.srsubid WHERE r.srrelid = events;
  capture := CASE WHEN kind = 'p' OR EXISTS (SELECT FROM pg_subscription_rel AS r WHERE r.srrelid = events) THEN 'row' ELSE 'statement' END;
  IF event_id IS NOT NULL THEN
    unique_ids := EXISTS (SELECT FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = events AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
        AND (i.indnkeyatts = 1 OR kind = 'p') AND quote_ident(a.attname) = event_id);
  END IF;
  indexed := EXISTS (SELECT FROM pg_index AS i
    WHERE i.indrelid = events AND i.indisvalid AND i.indpred IS NULL AND pg_get_indexdef(i.indexrelid, 1, false) = coalesce(account_id, user_id));

  what := 'table'; finding := format('%s, %s', CASE kind WHEN 'p' THEN 'partitioned' ELSE 'ordinary' END,
    CASE capture WHEN 'row' THEN 'captured row by row' ELSE 'captured by statement' END); advice := NULL;
  RETURN NEXT;
  IF subscription.names IS NOT NULL THEN
    what := 'replication'; finding := format('written by %s', subscription.names);
    advice := CASE WHEN NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = events AND (c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index AS i
        WHERE i.indrelid = events AND i.indisvalid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)))
      THEN format('Updates and deletes can''t be applied without a replica identity: ALTER TABLE %s ADD PRIMARY KEY, as at the publisher.', events) END;
    RETURN NEXT;
  END IF;
  IF dry_run THEN
    FOREACH carefully IN ARRAY ARRAY[false, true] LOOP
      BEGIN
        SELECT count(*) AS events, CASE WHEN carefully THEN 10000 ELSE 100000 END AS most,
               count(e.failure) AS failed, min(e.failure) AS failure,
               count(*) FILTER (WHERE e.who IS NULL AND e.failure IS NULL) AS no_user, count(DISTINCT e.who) AS users,
               count(*) FILTER (WHERE e.account IS NULL AND e.failure IS NULL) AS no_account, count(DISTINCT e.account) AS accounts,
               count(*) FILTER (WHERE e.project IS NULL AND e.failure IS NULL) AS no_workspace, count(DISTINCT e.project) AS workspaces,
               count(DISTINCT e.name) AS names, count(*) FILTER (WHERE e.at > clock_timestamp()) AS future,
               min(e.at) AS first, max(e.at) AS last, count(DISTINCT e.id) AS ids,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM e.received - e.at))
                 FILTER (WHERE isfinite(e.received) AND isfinite(e.at)) AS late
          INTO n
          FROM pql._sample_events(events, user_id, account_id, event, occurred_at, event_id, properties, received_at, workspace,
                                  carefully) AS e;
        EXIT;
      EXCEPTION WHEN data_exception OR program_limit_exceeded OR feature_not_supported THEN
        NULL; -- some row made an expression fail: which ones do?
      END;
    END LOOP;
    what := 'events'; finding := n.events || CASE WHEN n.events = n.most THEN format(' (the first %s were read)', n.most) ELSE '' END;
    advice := CASE WHEN n.events > 0 THEN 'Their history is folded by CALL pql.backfill().' END; RETURN NEXT;
    IF n.failed > 0 THEN
      what := 'failures'; finding := format('%s: %s', pql._events_text(n.failed), n.failure);
      advice := 'An expression fails on their values: they are counted in pql.unusable, and not used.'; RETURN NEXT;
    END IF;
    what := 'time'; finding := CASE WHEN n.first IS NOT NULL THEN format('from %s to %s', n.first, n.last) ELSE 'no events' END;
    advice := CASE WHEN n.future = 1 THEN 'One event lies in the future: it is held until it is due.'
      WHEN n.future > 1 THEN format('%s events lie in the future: they are held until they are due.', n.future) END; RETURN NEXT;
    what := 'users'; finding := format('%s; %s without one', n.users, pql._events_text(n.no_user));
    advice := CASE WHEN n.no_user > 0 THEN 'Events without a user are counted in pql.unusable, and not used.' END; RETURN NEXT;
    what := 'accounts'; finding := format('%s; %s without one', n.accounts, pql._events_text(n.no_account));
    advice := CASE WHEN account_id IS NULL THEN 'Give account_id to score accounts.' END; RETURN NEXT;
    IF workspace IS NOT NULL THEN
      what := 'workspaces'; finding := format('%s; %s without one', n.workspaces, pql._events_text(n.no_workspace)); advice := NULL; RETURN NEXT;
    END IF;
    what := 'event names'; finding := n.names::text; advice := NULL; RETURN NEXT;
    IF received_at IS NOT NULL THEN
      what := 'lateness'; finding := format('%s at the median', make_interval(secs => coalesce(n.late, 0))); advice := NULL; RETURN NEXT;
    END IF;
    IF event_id IS NOT NULL THEN
      what := 'ids'; finding := format('%s distinct among %s', n.ids, pql._events_text(n.events - n.failed));
      advice := CASE WHEN n.ids < n.events - n.failed THEN 'Some events share an id: with dedup or a unique index they count once.' END; RETURN NEXT;
    END IF;
  END IF;
  what := 'duplicates';
  finding := CASE WHEN dedup IS NOT NULL THEN format('refused by pql, for %s by %s', dedup, CASE WHEN received_at IS NULL THEN 'occurred_at' ELSE 'received_at' END)
    WHEN unique_ids THEN 'refused by a unique index'
    WHEN event_id IS NULL THEN 'counted: events have no id' ELSE 'counted: nothing refuses them' END;
  advice := CASE WHEN dedup IS NULL AND NOT unique_ids THEN 'Give event_id and a unique index on it, or dedup => ''90 days'', so that a replay changes nothing.'
    WHEN dedup IS NOT NULL AND received_at IS NULL THEN 'Give received_at, so that it counts from when rows arrive, and not from when their events happened.' END;
  RETURN NEXT;
  what := 'index'; finding := CASE WHEN indexed THEN 'there is one' ELSE 'missing' END;
  advice := CASE WHEN NOT indexed THEN format('CREATE INDEX ON %s (%s, %s); without it, updates and deletes of events, and scores of the past, read the whole table.', events, coalesce(account_id, user_id), occurred_at) END;
  RETURN NEXT;
  IF workspace IS NOT NULL AND NOT EXISTS (SELECT FROM pg_index AS i
      WHERE i.indrelid = events AND i.indisvalid AND i.indpred IS NULL AND pg_get_indexdef(i.indexrelid, 1, false) = workspace) THEN
    what := 'workspace index'; finding := 'missing';
    advice := format('CREATE INDEX ON %s (%s, %s); without it, once a program is about workspaces, updates and deletes of events read the whole table.',
      events, workspace, occurred_at);
    RETURN NEXT;
  END IF;
  what := 'cost'; finding := CASE WHEN mode = 'deferred' THEN 'one row of pql.deferred a statement, folded later' WHEN capture = 'row' THEN 'one trigger call a row, one write an account and transaction' ELSE 'one trigger call a statement, one write an account and statement' END;
  advice := CASE mode WHEN 'deferred' THEN 'What isn''t folded yet isn''t in any score: have the background worker fold it (pql.worker), or CALL pql.fold().'
    ELSE 'Insert many rows a statement where you can.' END; RETURN NEXT;
  IF dry_run THEN
    RETURN;
  END IF;

  -- Whoever publishes meanwhile would give the new definitions no history in this table, nor this one history for them.
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  LOCK TABLE pql.source IN SHARE ROW EXCLUSIVE MODE;
  SELECT coalesce(max(s.source_id), 0) + 1 INTO newest FROM pql.source AS s;
  INSERT INTO pql.source (source_id, relation, user_id, account_id, event, occurred_at, event_id, properties, received_at, workspace,
    clock, mode, capture, dedup, unique_ids)
  VALUES (newest, events, user_id, account_id, event, occurred_at, event_id, properties, received_at, workspace, clock, mode, capture,
    dedup, unique_ids)
  ON CONFLICT (relation) DO NOTHING;
  IF NOT FOUND THEN -- somebody did while this one waited
    RAISE EXCEPTION 'table % is attached already', events USING ERRCODE = 'duplicate_object',
      HINT = 'pql.detach() it first to attach it differently.';
  END IF;
  PERFORM pql._create_triggers(newest);
  pages := pql._add_history(newest, ARRAY(SELECT t.tracker_id FROM pql.tracker AS t WHERE t.state = 'active' ORDER BY 1), true);
  PERFORM pql._know_leaves(newest);
  PERFORM pql._audit('attach', events::text, jsonb_build_object('source_id', newest));
  what := 'history'; finding := CASE WHEN pages = 0 THEN 'none' ELSE format('%s', pg_size_pretty(pages * current_setting('block_size')::int)) END;
  advice := CASE WHEN pages > 0 THEN 'CALL pql.backfill() folds it.' END; RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql.attach(regclass, text, text, text, text, text, text, text, text, text, text, interval, boolean) IS
  'Attaches an events table: from now on its rows become state. Each text is a column or an SQL expression over the row. With dedup, of rows with one id that arrive within that time only the first counts: by received_at or, where it is NULL, infinite or not given, by occurred_at. With mode => ''deferred'' writers leave their events to be folded by pql.tick(), the background worker or CALL pql.fold(). With dry_run it only tells what it found: ids, duplicates, lateness, missing indexes, cost. Errors: 42809 not a table, 42710 attached already, 42703 unknown column, 42501 no rights, 22023 bad argument, 22004 null argument, 55000 a subscription applies transactions in parallel (streaming = parallel).';
REVOKE ALL ON FUNCTION pql.attach(regclass, text, text, text, text, text, text, text, text, text, text, interval, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach(events regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
  name text;
BEGIN
  IF events IS NULL THEN
    RAISE EXCEPTION 'events must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF events = to_regclass('pql.intent') THEN
    RAISE EXCEPTION 'table % goes with the conversations that are attached', events USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Detach those with pql.detach_conversations().';
  END IF;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE; -- first, as publish does
  SELECT * INTO s FROM pql.source AS x WHERE x.relation = events FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % is not attached', events USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM pql._fold_alone(); -- who folds may be reading the table
  IF EXISTS (SELECT FROM pg_class AS c WHERE c.oid = events) THEN
    FOREACH name IN ARRAY ARRAY['pql_insert', 'pql_update', 'pql_delete', 'pql_row', 'pql_truncate'] LOOP
      IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = events AND t.tgname = name AND NOT t.tgisinternal AND t.tgparentid = 0) THEN
        EXECUTE format('DROP TRIGGER %I ON %s', name, events);
      END IF;
    END LOOP;
  END IF;
  DELETE FROM pql.backfill_job AS j WHERE j.source_id = s.source_id;
  DELETE FROM pql.deferred AS d WHERE d.source_id = s.source_id;
  DELETE FROM pql.seen_event AS e WHERE e.source_id = s.source_id;
  DELETE FROM pql.forgotten_event AS e WHERE e.source_id = s.source_id;
  DELETE FROM pql.sealed_event AS e WHERE e.source_id = s.source_id;
  DELETE FROM pql.held_event AS e WHERE e.source_id = s.source_id;
  DELETE FROM pql.base_state AS b WHERE b.source_id = s.source_id;
  UPDATE pql.identity AS i SET sealed = false WHERE i.sealed AND NOT EXISTS (SELECT FROM pql.base_state);
  DELETE FROM pql.unusable_event AS e WHERE e.source_id = s.source_id;
  DELETE FROM pql.source_leaf AS k WHERE k.source_id = s.source_id;
  DELETE FROM pql.source AS x WHERE x.source_id = s.source_id;
  IF NOT EXISTS (SELECT FROM pql.source AS x WHERE x.clock = 'event') THEN
    DELETE FROM pql.event_clock;
  END IF;
  PERFORM pql._settle_programs();
  PERFORM pql._rebuild();
  PERFORM pql._know_leaves();
  PERFORM pql._audit('detach', events::text, jsonb_build_object('source_id', s.source_id));
END $$;
COMMENT ON FUNCTION pql.detach(regclass) IS
  'Detaches an events table: drops its triggers and takes its events out of the state (the events themselves stay). Errors: 42704 not attached, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.detach(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._seal(source int, since timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__seal' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._seal(int, timestamptz) IS 'Turns what is older into the base of later derivations; returns how many events that were.';
REVOKE ALL ON FUNCTION pql._seal(int, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.retain(events regclass, since timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
  sealed bigint;
BEGIN
  IF events IS NULL OR since IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN events IS NULL THEN 'events' ELSE 'since' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT isfinite(since) OR since > statement_timestamp() THEN
    RAISE EXCEPTION 'since must be an instant of the past' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- What writers commit while they are waited for would be in no base and in no later derivation.
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'events can''t be sealed at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do it at READ COMMITTED.';
  END IF;
  -- Somebody else may seal or detach it at this moment: what it is, is asked when nobody can any more.
  IF EXISTS (SELECT FROM pql.source AS x WHERE x.relation = events) THEN
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', events);
  END IF;
  SELECT * INTO s FROM pql.source AS x WHERE x.relation = events;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % is not attached', events USING ERRCODE = 'undefined_object';
  END IF;
  IF (SELECT count(*) FROM pql.source) > 1 THEN
    RAISE EXCEPTION 'sealing is not supported where several tables are attached' USING ERRCODE = 'feature_not_supported',
      DETAIL = 'An activation may rest on events of several tables; sealing one would part them.';
  END IF;
  IF since <= s.sealed_before THEN
    RAISE EXCEPTION 'table % is sealed up to % already', events, s.sealed_before USING ERRCODE = 'invalid_parameter_value',
      HINT = 'What is sealed can''t be opened again.';
  END IF;
  IF EXISTS (SELECT FROM pql.backfill_job AS j WHERE j.source_id = s.source_id AND j.finished_at IS NULL) THEN
    RAISE EXCEPTION 'the history of table % is not folded yet', events USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Run CALL pql.backfill() first.';
  END IF;
  PERFORM pql._fold_all(s.source_id);
  sealed := pql._seal(s.source_id, since);
  PERFORM pql._audit('retain', events::text, jsonb_build_object('since', since, 'events', sealed));
  RETURN sealed;
END $$;
COMMENT ON FUNCTION pql.retain(regclass, timestamptz) IS
  'Seals events older than an instant and returns how many there were: from then on they may be purged without changing any state, older ones that still arrive are not used, and verify and rebuild start there. With dedup, ids of sealed events are remembered for the horizon and max_event_age before the instant. Errors: 42704 not attached, 22023 bad instant, 22004 null argument, 55000 history not folded yet, or another isolation level than READ COMMITTED, 0A000 several tables attached.';
REVOKE ALL ON FUNCTION pql.retain(regclass, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._assert_milestone(user_id text, tracker smallint, reached_at timestamptz, evidence text) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__assert_milestone' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._assert_milestone(text, smallint, timestamptz, text) IS 'Folds one asserted milestone into its user''s own home.';
REVOKE ALL ON FUNCTION pql._assert_milestone(text, smallint, timestamptz, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.upsert_user_milestone(user_id text, name text, reached_at timestamptz DEFAULT statement_timestamp(),
    evidence text DEFAULT NULL) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  tracker smallint;
  known boolean;
  who text;
BEGIN
  IF coalesce(user_id, '') = '' OR name IS NULL OR reached_at IS NULL THEN
    RAISE EXCEPTION 'user_id, name and reached_at must not be null or empty' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF octet_length(user_id) > 1000 THEN
    RAISE EXCEPTION 'user_id is longer than 1000 bytes' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT isfinite(reached_at) THEN
    RAISE EXCEPTION 'reached_at must be finite' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT t.tracker_id INTO tracker FROM pql.tracker AS t
  WHERE t.kind = 'milestone' AND t.unit = 'user' AND t.name = upsert_user_milestone.name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'milestone "%" is not defined', name USING ERRCODE = 'undefined_object',
      HINT = coalesce('Defined are: ' || (SELECT string_agg(t.name, ', ' ORDER BY t.name) FROM pql.tracker AS t
        WHERE t.kind = 'milestone' AND t.unit = 'user') || '.', 'Publish a program that defines it.');
  END IF;
  IF pql._is_erased('u:' || user_id) THEN
    RETURN false;
  END IF;
  who := pql._canonical_user(user_id);
  -- The earliest assertion stays; the row's lock makes two sessions agree on who was first.
  INSERT INTO pql.asserted_milestone AS a (user_id, name, reached_at, evidence)
  VALUES (user_id, name, reached_at, evidence)
  ON CONFLICT (user_id, name) DO UPDATE
    SET reached_at = least(a.reached_at, excluded.reached_at),
        evidence = CASE WHEN excluded.reached_at < a.reached_at THEN excluded.evidence
                        WHEN excluded.reached_at > a.reached_at THEN a.evidence
                        WHEN excluded.evidence IS NULL OR a.evidence IS NULL THEN NULL
                        ELSE least(a.evidence COLLATE "C", excluded.evidence COLLATE "C") END;
  PERFORM pql._flush();
  known := EXISTS (SELECT FROM pql.user_home AS h JOIN pql.milestone_log AS l ON l.home = h.home
      AND l.member = CASE WHEN h.home LIKE 'a:%' THEN h.user_id WHEN h.home LIKE 'u:%' THEN '' END,
    LATERAL pql._logged_milestones(l.home, l.member, l.body) AS m
    WHERE h.user_id = who AND m.tracker_id = tracker);
  PERFORM pql._assert_milestone(user_id, tracker, reached_at, evidence);
  RETURN NOT known;
END $$;
COMMENT ON FUNCTION pql.upsert_user_milestone(text, text, timestamptz, text) IS
  'States that a user reached a milestone; the earliest time wins. Returns true when it was not known before. Of a user who was erased nothing is kept. Errors: 42704 milestone not defined, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.upsert_user_milestone(text, text, timestamptz, text) FROM PUBLIC;

CREATE TABLE pql.events (
  event_id     bigint PRIMARY KEY DEFAULT pql.next_id(),
  user_id      text NOT NULL,
  account_id   text,
  event        text NOT NULL,
  occurred_at  timestamptz NOT NULL,
  properties   jsonb
);
CREATE INDEX events_account ON pql.events (account_id, occurred_at);
COMMENT ON TABLE pql.events IS 'Events recorded by pql.record_event(), for callers without a table of their own.';
COMMENT ON COLUMN pql.events.event_id IS 'The event''s id, given by pql.';
COMMENT ON COLUMN pql.events.user_id IS 'Who did it.';
COMMENT ON COLUMN pql.events.account_id IS 'In which account; null: none.';
COMMENT ON COLUMN pql.events.event IS 'The event''s name.';
COMMENT ON COLUMN pql.events.occurred_at IS 'When it happened.';
COMMENT ON COLUMN pql.events.properties IS 'Its properties; null: it has none.';
SELECT pg_catalog.pg_extension_config_dump('pql.events', '');

CREATE OR REPLACE FUNCTION pql.record_event(user_id text, event text, account_id text DEFAULT NULL, properties jsonb DEFAULT NULL,
    occurred_at timestamptz DEFAULT statement_timestamp()) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  id bigint;
BEGIN
  IF coalesce(user_id, '') = '' OR coalesce(event, '') = '' OR occurred_at IS NULL THEN
    RAISE EXCEPTION 'user_id, event and occurred_at must not be null or empty' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT EXISTS (SELECT FROM pql.source AS s WHERE s.relation = 'pql.events'::regclass) THEN
    PERFORM pql.attach('pql.events', user_id => 'user_id', account_id => 'account_id', event => 'event',
      occurred_at => 'occurred_at', event_id => 'event_id', properties => 'properties');
  END IF;
  INSERT INTO pql.events (user_id, account_id, event, occurred_at, properties)
  VALUES (user_id, account_id, event, occurred_at, properties) RETURNING event_id INTO id;
  RETURN id;
END $$;
COMMENT ON FUNCTION pql.record_event(text, text, text, jsonb, timestamptz) IS
  'Records an event in pql.events, which is attached when first used. Returns its id; of a user or an account that was erased nothing is recorded: null. Error: 22004 null or empty argument.';
REVOKE ALL ON FUNCTION pql.record_event(text, text, text, jsonb, timestamptz) FROM PUBLIC;
