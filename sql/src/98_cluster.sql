-- pql on a cluster of Citus: what is kept of homes lies in shards beside those of the events, in tables of schema pql_cluster that are made
-- by pql.distribute() and have the names and forms of pql's own; what is defined is sent to every node. Nothing of this needs Citus to be
-- there before it is called.

CREATE OR REPLACE FUNCTION pql._enter_shard(shard regclass) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__enter_shard' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._enter_shard(regclass) IS 'Until the end of the statement pql''s tables of homes are those of the shard that this table is of.';
REVOKE ALL ON FUNCTION pql._enter_shard(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._leave_shard() RETURNS void
  AS 'MODULE_PATHNAME', 'pql__leave_shard' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._leave_shard() IS 'Ends what pql._enter_shard() began.';
REVOKE ALL ON FUNCTION pql._leave_shard() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_spread() RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__is_spread' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10;
COMMENT ON FUNCTION pql._is_spread() IS 'Whether what is kept of homes is spread over shards, and this is asked from outside of them.';

CREATE OR REPLACE FUNCTION pql._on_shard(shard regclass, query text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rows jsonb;
BEGIN
  PERFORM pql._enter_shard(shard);
  EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(q)), ''[]'') FROM (%s) AS q', query) INTO rows;
  PERFORM pql._leave_shard();
  RETURN rows;
END $$;
COMMENT ON FUNCTION pql._on_shard(regclass, text) IS 'The rows of a query that is run within a shard.';
REVOKE ALL ON FUNCTION pql._on_shard(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_cluster() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'citus') THEN
    RAISE EXCEPTION 'extension citus is not installed in this database' USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'On every node: shared_preload_libraries = ''citus'', and CREATE EXTENSION citus.';
  END IF;
  IF to_regclass('pql_cluster.state') IS NULL THEN
    RAISE EXCEPTION 'pql is not distributed' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Distribute it with pql.distribute().';
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_cluster() IS 'Refuses where pql is not distributed.';
REVOKE ALL ON FUNCTION pql._require_cluster() FROM PUBLIC;

-- What one shard answers must not be lost: an error there is one here.
CREATE OR REPLACE FUNCTION pql._ask_shards(shards bigint[], query text) RETURNS TABLE (shard bigint, found jsonb)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r record;
BEGIN
  IF query IS NULL THEN
    RAISE EXCEPTION 'query must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOR r IN EXECUTE $q$
    SELECT a.* FROM (
      SELECT array_agg(n.nodename) AS nodes, array_agg(n.nodeport::int) AS ports, array_agg(format(
        'SELECT jsonb_build_object(''shard'', %s, ''rows'', pql._on_shard(%L, %L))', s.shardid, shard_name(s.logicalrelid, s.shardid, false), $2)) AS commands
      FROM pg_dist_shard AS s JOIN pg_dist_placement AS p ON p.shardid = s.shardid JOIN pg_dist_node AS n ON n.groupid = p.groupid AND n.noderole = 'primary'
      WHERE s.logicalrelid = 'pql_cluster.state'::regclass AND ($1 IS NULL OR s.shardid = ANY ($1))) AS x,
      LATERAL master_run_on_worker(x.nodes, x.ports, x.commands, true) AS a
    WHERE x.nodes IS NOT NULL $q$ USING shards, query
  LOOP
    IF NOT r.success THEN
      RAISE EXCEPTION 'node %:%: %', r.node_name, r.node_port, regexp_replace(r.result, '^ERROR:\s*', '') USING ERRCODE = 'external_routine_exception';
    END IF;
    RETURN QUERY SELECT (r.result::jsonb->>'shard')::bigint, x FROM jsonb_array_elements(r.result::jsonb->'rows') AS x;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._ask_shards(bigint[], text) IS 'The rows of a query, from some shards of pql''s state (null: all).';
REVOKE ALL ON FUNCTION pql._ask_shards(bigint[], text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.on_shards(query text) RETURNS TABLE (shard bigint, found jsonb)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._require_cluster();
  RETURN QUERY SELECT * FROM pql._ask_shards(NULL, query);
END $$;
COMMENT ON FUNCTION pql.on_shards(text) IS
  'Runs a query within every shard of a cluster, each as if pql had only that one, and returns their rows. Each shard has a transaction of its own, which the caller''s does not take back. Errors: 55000 not distributed, 22004 null argument, 38000 what a shard said.';
REVOKE ALL ON FUNCTION pql.on_shards(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.on_home(home text, query text) RETURNS SETOF jsonb
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  shard bigint;
BEGIN
  PERFORM pql._require_cluster();
  IF home IS NULL THEN
    RAISE EXCEPTION 'home must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  EXECUTE 'SELECT get_shard_id_for_distribution_column(''pql_cluster.state'', $1)' INTO shard USING home;
  RETURN QUERY SELECT a.found FROM pql._ask_shards(ARRAY[shard], query) AS a;
END $$;
COMMENT ON FUNCTION pql.on_home(text, text) IS
  'Runs a query within the shard of one home (a: and the account''s id, or u: and the id of a user without an account). Otherwise as pql.on_shards().';
REVOKE ALL ON FUNCTION pql.on_home(text, text) FROM PUBLIC;

-- What is defined: tables that every node has alike. They are written at the coordinator.

CREATE OR REPLACE FUNCTION pql._configuration_tables() RETURNS text[]
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
  RETURN ARRAY['source', 'tracker', 'program', 'backfill_job', 'attribute_source', 'attribute_use', 'fact_source', 'fact_use', 'free_mail_domain',
    'internal_domain', 'lexicon', 'lexicon_off', 'identity', 'team', 'reps', 'holidays', 'territories', 'account_owner', 'consent', 'capacity_threshold',
    'step_share', 'model', 'evaluation', 'asserted_milestone'];
COMMENT ON FUNCTION pql._configuration_tables() IS 'Tables that every node of a cluster has alike.';
REVOKE ALL ON FUNCTION pql._configuration_tables() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._home_tables() RETURNS TABLE (name text, columns text)
  LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 30
  BEGIN ATOMIC
    SELECT c.relname::text, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '')
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind = 'r' AND c.relname <> 'intent' AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'home' AND a.attnotnull) ORDER BY c.relname;
  END;
COMMENT ON FUNCTION pql._home_tables() IS 'Tables of which each row belongs to a home, and their columns.';
REVOKE ALL ON FUNCTION pql._home_tables() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._load_configuration() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  node bigint;
  columns text;
BEGIN
  EXECUTE 'SELECT groupid FROM pg_dist_local_group' INTO node;
  IF node = 0 THEN
    RETURN NULL; -- it was sent from here
  END IF;
  -- Ids are unique over all nodes: each node has a range of its own.
  PERFORM setval('pql.id_seq', node << 48) FROM pql.id_seq AS s WHERE s.last_value < node << 48;
  SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO columns FROM pg_attribute AS a
  WHERE a.attrelid = format('pql.%I', NEW.relation)::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '';
  PERFORM set_config('session_replication_role', 'replica', true); -- the coordinator's triggers have allowed it
  EXECUTE format('DELETE FROM pql.%I', NEW.relation);
  EXECUTE format('INSERT INTO pql.%1$I (%2$s) SELECT %2$s FROM jsonb_populate_recordset(NULL::pql.%1$I, $1)', NEW.relation, columns) USING NEW.rows;
  PERFORM set_config('session_replication_role', 'origin', true);
  UPDATE pql.source SET source_id = source_id WHERE false; -- the trigger makes every backend read the definitions again
  UPDATE pql.reps SET rep_id = rep_id WHERE false;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._load_configuration() IS 'On the other nodes of a cluster: takes over what the coordinator sends.';
REVOKE ALL ON FUNCTION pql._load_configuration() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._send_configuration(relation text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rows jsonb;
BEGIN
  EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(t)), ''[]'') FROM pql.%I AS t', relation) INTO rows;
  EXECUTE 'INSERT INTO pql_cluster.configuration AS c (relation, rows, sent_at) VALUES ($1, $2, $3)'
    ' ON CONFLICT (relation) DO UPDATE SET rows = excluded.rows, sent_at = excluded.sent_at' USING relation, rows, clock_timestamp();
END $$;
COMMENT ON FUNCTION pql._send_configuration(text) IS 'Sends a table of definitions to every node.';
REVOKE ALL ON FUNCTION pql._send_configuration(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._configuration_written() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._send_configuration(TG_TABLE_NAME);
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._configuration_written() IS 'The trigger on the coordinator''s tables of definitions, on a cluster.';
REVOKE ALL ON FUNCTION pql._configuration_written() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.send_configuration() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
BEGIN
  PERFORM pql._require_cluster();
  FOREACH name IN ARRAY pql._configuration_tables() LOOP
    PERFORM pql._send_configuration(name);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.send_configuration() IS
  'Sends all that is defined to every node of a cluster: after a node was added and has the reference tables. What is changed later is sent by itself. Error: 55000 not distributed.';
REVOKE ALL ON FUNCTION pql.send_configuration() FROM PUBLIC;

-- What stands in the way.

CREATE OR REPLACE FUNCTION pql._check_source(source pql.source) RETURNS TABLE (status text, what text, hint text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  relation text := source.relation::text;
  home record;
  wrong text;
  keyed text;
BEGIN
  IF (SELECT c.relkind FROM pg_class AS c WHERE c.oid = source.relation) <> 'r' THEN
    RETURN QUERY SELECT 'error', format('table %s is partitioned', relation), 'Partitioned events tables are not distributed yet.';
    RETURN;
  END IF;
  SELECT a.atttypid = 'text'::regtype AND a.attcollation = 'pg_catalog."C"'::regcollation AND a.attnotnull AND a.attgenerated = '' AS fits INTO home
  FROM pg_attribute AS a WHERE a.attrelid = source.relation AND a.attname = 'home' AND a.attnum > 0;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'error', format('table %s has no column home to be distributed by', relation), format(
      'ALTER TABLE %s ADD home text COLLATE "C"; fill it, and let writers fill it: ''a:'' || the account''s id or, of a user without one, ''u:'' || the user''s id.', relation);
  ELSIF NOT home.fits THEN
    RETURN QUERY SELECT 'error', format('column home of table %s is not text COLLATE "C" NOT NULL, or is generated', relation),
      format('ALTER TABLE %s ALTER home TYPE text COLLATE "C", ALTER home SET NOT NULL;', relation);
  ELSE
    EXECUTE format('SELECT e.home FROM (SELECT t.home, coalesce(''a:'' || (%s)::text, ''u:'' || (%s)::text) AS wanted FROM %s AS t LIMIT 100000) AS e'
      ' WHERE e.home <> e.wanted LIMIT 1', coalesce(source.account_id, 'NULL'), source.user_id, relation) INTO wrong;
    IF wrong IS NOT NULL THEN
      RETURN QUERY SELECT 'error', format('table %s has rows in a home that is not theirs, as "%s"', relation, wrong),
        'home is ''a:'' || the account''s id or, of a user without one, ''u:'' || the user''s id.';
    END IF;
    SELECT string_agg(x.indexrelid::regclass::text, ', ') INTO keyed FROM pg_index AS x
    WHERE x.indrelid = source.relation AND x.indisunique AND NOT EXISTS (
      SELECT FROM pg_attribute AS a WHERE a.attrelid = x.indrelid AND a.attname = 'home' AND a.attnum = ANY (x.indkey));
    IF keyed IS NOT NULL THEN
      RETURN QUERY SELECT 'error', format('unique keys of table %s are without home: %s', relation, keyed), 'On a cluster a key is unique within a home: put home into it.';
    END IF;
  END IF;
  IF source.mode <> 'sync' THEN
    RETURN QUERY SELECT 'error', format('table %s is attached in mode %s', relation, source.mode), format('SELECT pql.set_mode(%L, ''sync'');', relation);
  END IF;
  IF source.workspace IS NOT NULL THEN
    RETURN QUERY SELECT 'error', format('table %s is attached with workspaces', relation), 'The events of one may lie in shards of several accounts.';
  END IF;
  IF source.clock = 'event' THEN
    RETURN QUERY SELECT 'warning', format('table %s is attached with clock ''event''', relation), 'Each node has a clock of its own: the newest event that it has.';
  END IF;
END $$;
COMMENT ON FUNCTION pql._check_source(pql.source) IS 'What stands in the way of distributing an events table.';
REVOKE ALL ON FUNCTION pql._check_source(pql.source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._check_nodes() RETURNS TABLE ("check" text, status text, what text, hint text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  r record;
  here text := (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'pql') || ' ' || pql.version();
BEGIN
  EXECUTE 'SELECT count(*) FILTER (WHERE n.shouldhaveshards) AS holding, count(*) FILTER (WHERE n.groupid = 0) AS coordinators'
    ' FROM pg_dist_node AS n WHERE n.isactive AND n.noderole = ''primary''' INTO r;
  IF r.coordinators = 0 THEN
    RETURN QUERY SELECT 'nodes', 'error', 'the coordinator is not among the nodes', 'SELECT citus_set_coordinator_host(''its name'', its port);';
  END IF;
  IF r.holding = 0 THEN
    RETURN QUERY SELECT 'nodes', 'error', 'no node may hold shards', 'SELECT citus_add_node(''its name'', its port);';
  END IF;
  IF array_position(string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','), 'pql') IS NULL THEN
    RETURN QUERY SELECT 'preloading', 'error', 'the library of pql is not preloaded', 'shared_preload_libraries = ''citus,pql'', on every node: citus first.';
  END IF;
  FOR r IN EXECUTE 'SELECT * FROM run_command_on_workers($1)' USING $q$SHOW shared_preload_libraries$q$ LOOP
    IF NOT r.success OR array_position(string_to_array(replace(r.result, ' ', ''), ','), 'pql') IS NULL THEN
      RETURN QUERY SELECT 'preloading', 'error', format('node %s:%s does not preload the library of pql', r.nodename, r.nodeport),
        'shared_preload_libraries = ''citus,pql'', on every node: citus first.';
    END IF;
  END LOOP;
  FOR r IN EXECUTE 'SELECT * FROM run_command_on_workers($1)'
    USING $q$SELECT (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'pql') || ' ' || pql.version()$q$
  LOOP
    IF NOT r.success OR r.result IS DISTINCT FROM here THEN
      RETURN QUERY SELECT 'versions', 'error', format('node %s:%s has another version of pql, or none', r.nodename, r.nodeport),
        'Install the same files on every node; where pql was there before citus, also CREATE EXTENSION pql on the other nodes.';
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._check_nodes() IS 'What is wrong with the nodes that a cluster has.';
REVOKE ALL ON FUNCTION pql._check_nodes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._check_cluster() RETURNS TABLE ("check" text, status text, what text, hint text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  r record;
  digest text;
BEGIN
  SELECT md5(string_agg(t.program || t.version || t.status, ',' ORDER BY t.program, t.version)) INTO digest FROM pql.program AS t;
  FOR r IN EXECUTE 'SELECT * FROM run_command_on_workers($1)'
    USING $q$SELECT coalesce(md5(string_agg(t.program || t.version || t.status, ',' ORDER BY t.program, t.version)), '') || (SELECT count(*) FROM pql.source) FROM pql.program AS t$q$
  LOOP
    IF NOT r.success OR r.result <> coalesce(digest, '') || (SELECT count(*) FROM pql.source) THEN
      RETURN QUERY SELECT 'configuration', 'error', format('node %s:%s has other definitions than the coordinator', r.nodename, r.nodeport),
        'SELECT replicate_reference_tables(); SELECT pql.send_configuration();';
    END IF;
  END LOOP;
  FOR r IN SELECT s.relation, (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = s.relation AND t.tgfoid = 'pql._ingest()'::regprocedure AND t.tgtype & 32 = 0) AS triggers
    FROM pql.source AS s WHERE s.relation <> 'pql.intent'::regclass
  LOOP
    RETURN QUERY EXECUTE 'SELECT ''triggers'', ''error'', format(''shard %s of table %s has not all of pql''''s triggers'', s.shardid, $1), ''SELECT pql.undistribute(); SELECT pql.distribute();'''
      ' FROM run_command_on_shards($1, $2) AS s WHERE NOT s.success OR s.result <> $3'
      USING r.relation, $q$SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = '%s'::regclass AND t.tgfoid = 'pql._ingest()'::regprocedure AND t.tgtype & 32 = 0 AND t.tgenabled <> 'D'$q$,
        r.triggers::text;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._check_cluster() IS 'What is wrong with an installation that is distributed.';
REVOKE ALL ON FUNCTION pql._check_cluster() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.citus_check() RETURNS TABLE ("check" text, status text, what text, hint text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  node int;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_extension AS e WHERE e.extname = 'citus') THEN
    RETURN QUERY SELECT 'citus', 'error', 'extension citus is not installed in this database',
      'On every node: shared_preload_libraries = ''citus'', and CREATE EXTENSION citus.';
    RETURN;
  END IF;
  EXECUTE 'SELECT groupid FROM pg_dist_local_group' INTO node;
  IF node <> 0 THEN
    RETURN QUERY SELECT 'citus', 'error', 'this node is not the coordinator', 'Ask there.';
    RETURN;
  END IF;
  RETURN QUERY SELECT * FROM pql._check_nodes();
  IF to_regclass('pql_cluster.state') IS NOT NULL THEN
    RETURN QUERY SELECT * FROM pql._check_cluster();
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT FROM pql.source AS s WHERE s.relation <> 'pql.intent'::regclass) THEN
    RETURN QUERY SELECT 'events tables', 'error', 'no events table is attached', 'Attach it with pql.attach().';
  END IF;
  RETURN QUERY SELECT 'events tables', c.status, c.what, c.hint FROM pql.source AS s, LATERAL pql._check_source(s) AS c
  WHERE s.relation <> 'pql.intent'::regclass;
  RETURN QUERY SELECT 'history', 'error', format('the history of table %s is not folded', j.relation), 'CALL pql.backfill();'
  FROM pql.backfill_job AS j WHERE j.finished_at IS NULL;
  RETURN QUERY SELECT 'identities', 'error', 'users or accounts were merged or moved', 'Their homes may lie in different shards.' FROM pql.identity LIMIT 1;
  RETURN QUERY SELECT 'attributes', 'error', format('%s of %ss are attached', x.what, x.unit), 'Copies of attributes and facts are not kept up to date on a cluster yet.'
  FROM (SELECT 'attributes', s.unit FROM pql.attribute_source AS s UNION ALL SELECT 'facts', s.unit FROM pql.fact_source AS s) AS x(what, unit);
  RETURN QUERY SELECT 'conversations', 'error', 'conversations are attached', 'They are not heard on a cluster yet.' FROM pql.conversation_source LIMIT 1;
  RETURN QUERY SELECT 'people', 'warning', 'people were seen in several homes', 'On a cluster each of them is scored by itself.'
  FROM pql.user_home AS h GROUP BY h.user_id HAVING count(DISTINCT h.home) > 1 LIMIT 1;
END $$;
COMMENT ON FUNCTION pql.citus_check() IS
  'What stands in the way of distributing pql over a cluster of Citus, or is wrong with one: no row when nothing is. status error: pql.distribute() refuses; warning: it means something else on a cluster.';
REVOKE ALL ON FUNCTION pql.citus_check() FROM PUBLIC;

-- To a cluster and back.

CREATE OR REPLACE FUNCTION pql._drop_triggers(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY(SELECT t.tgname::text FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgfoid = 'pql._ingest()'::regprocedure) LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', name, relation);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._drop_triggers(regclass) IS 'Takes pql''s triggers off an events table.';
REVOKE ALL ON FUNCTION pql._drop_triggers(regclass) FROM PUBLIC;

-- With the same keys, but unique within a home, and the same grants.
CREATE OR REPLACE FUNCTION pql._make_cluster_table(name text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own oid := format('pql.%I', name)::regclass;
  options text;
  r record;
BEGIN
  SELECT ' WITH (' || array_to_string(c.reloptions || ARRAY(SELECT 'toast.' || o FROM pg_class AS t, unnest(t.reloptions) AS o WHERE t.oid = c.reltoastrelid), ', ') || ')'
    INTO options FROM pg_class AS c WHERE c.oid = own AND c.reloptions IS NOT NULL;
  EXECUTE format('CREATE TABLE pql_cluster.%1$I (LIKE pql.%1$I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING COMMENTS INCLUDING CONSTRAINTS)%2$s',
    name, options);
  EXECUTE format('COMMENT ON TABLE pql_cluster.%I IS %L', name, obj_description(own, 'pg_class'));
  FOR r IN SELECT k.conname, pg_get_constraintdef(k.oid) AS definition FROM pg_constraint AS k WHERE k.conrelid = own AND k.contype IN ('p', 'u') LOOP
    EXECUTE format('ALTER TABLE pql_cluster.%I ADD CONSTRAINT %I %s', name, r.conname, r.definition);
  END LOOP;
  FOR r IN
    SELECT replace(pg_get_indexdef(x.indexrelid), format(' ON pql.%I ', name), format(' ON pql_cluster.%I ', name)) AS definition, x.indisunique AND NOT EXISTS (
      SELECT FROM pg_attribute AS a WHERE a.attrelid = own AND a.attname = 'home' AND a.attnum = ANY (x.indkey)) AS too_wide
    FROM pg_index AS x WHERE x.indrelid = own AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = x.indexrelid AND k.conrelid = own)
  LOOP
    EXECUTE CASE WHEN r.too_wide THEN regexp_replace(r.definition, 'USING btree \(', 'USING btree (home, ') ELSE r.definition END;
  END LOOP;
  FOR r IN SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END AS to_whom, string_agg(DISTINCT g.privilege_type, ', ') AS rights
    FROM pg_class AS c, aclexplode(c.relacl) AS g WHERE c.oid = own AND g.grantee <> c.relowner GROUP BY g.grantee
  LOOP
    EXECUTE format('GRANT %s ON pql_cluster.%I TO %s', r.rights, name, r.to_whom);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._make_cluster_table(text) IS 'Makes the table that on a cluster stands for one of pql''s own.';
REVOKE ALL ON FUNCTION pql._make_cluster_table(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.distribute(shard_count int DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  events regclass[] := ARRAY(SELECT s.relation FROM pql.source AS s WHERE s.relation <> 'pql.intent'::regclass ORDER BY s.source_id);
  relation regclass;
  name text;
  r record;
  moved bigint := 0;
  n bigint;
BEGIN
  IF shard_count < 1 THEN
    RAISE EXCEPTION 'shard_count must be at least 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF to_regclass('pql_cluster.state') IS NOT NULL THEN
    RAISE EXCEPTION 'pql is distributed already' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'SELECT * FROM pql.citus_check();';
  END IF;
  SELECT * INTO r FROM pql.citus_check() AS c WHERE c.status = 'error' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'pql can''t be distributed: %', r.what USING ERRCODE = 'object_not_in_prerequisite_state', HINT = r.hint,
      DETAIL = 'SELECT * FROM pql.citus_check() tells all that stands in the way.';
  END IF;
  PERFORM set_config('citus.enable_unsafe_triggers', 'on', true);
  PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
  PERFORM set_config('client_min_messages', 'warning', true);
  FOREACH relation IN ARRAY events LOOP
    PERFORM pql._hold_up_writers(relation);
    PERFORM pql._drop_triggers(relation); -- or rows would count again when they are copied
    EXECUTE format('SELECT create_distributed_table(%L, ''home'', %s)', relation, CASE WHEN relation = events[1]
      THEN format('shard_count => %s, colocate_with => ''none''', coalesce(shard_count, current_setting('citus.shard_count')::int)) ELSE format('colocate_with => %L', events[1]) END);
    EXECUTE format('SELECT truncate_local_data_after_distributing_table(%L)', relation);
  END LOOP;
  -- Out of pql's own tables before there are others in their place.
  FOR r IN SELECT * FROM pql._home_tables() LOOP
    EXECUTE format('CREATE TEMPORARY TABLE %I ON COMMIT DROP AS SELECT %s FROM pql.%I', 'pql_moved_' || r.name, r.columns, r.name);
    EXECUTE format('TRUNCATE pql.%I', r.name);
  END LOOP;
  CREATE SCHEMA pql_cluster;
  COMMENT ON SCHEMA pql_cluster IS 'What pql keeps of homes, on a cluster. Made by pql.distribute(); pql.undistribute() takes it away.';
  GRANT USAGE ON SCHEMA pql_cluster TO PUBLIC;
  FOR r IN SELECT * FROM pql._home_tables() LOOP
    PERFORM pql._make_cluster_table(r.name);
    EXECUTE format('SELECT create_distributed_table(%L, ''home'', colocate_with => %L)', format('pql_cluster.%I', r.name), events[1]);
    EXECUTE format('INSERT INTO pql_cluster.%1$I (%2$s) SELECT %2$s FROM pg_temp.%3$I', r.name, r.columns, 'pql_moved_' || r.name);
    GET DIAGNOSTICS n = ROW_COUNT;
    moved := moved + n;
    EXECUTE format('DROP TABLE pg_temp.%I', 'pql_moved_' || r.name);
  END LOOP;
  CREATE TABLE pql_cluster.configuration (relation text PRIMARY KEY, rows jsonb NOT NULL, sent_at timestamptz NOT NULL);
  COMMENT ON TABLE pql_cluster.configuration IS 'What is defined, as the coordinator sends it to every node.';
  CREATE TRIGGER load AFTER INSERT OR UPDATE ON pql_cluster.configuration FOR EACH ROW EXECUTE FUNCTION pql._load_configuration();
  EXECUTE 'SELECT create_reference_table(''pql_cluster.configuration'')';
  PERFORM pql.send_configuration();
  FOREACH name IN ARRAY pql._configuration_tables() LOOP
    EXECUTE format('CREATE TRIGGER configuration_written AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.%I FOR EACH STATEMENT EXECUTE FUNCTION pql._configuration_written()', name);
  END LOOP;
  PERFORM pql._create_triggers(s.source_id) FROM pql.source AS s WHERE s.relation = ANY (events);
  PERFORM pql._know_leaves();
  PERFORM pql._audit('distribute', 'state', jsonb_build_object('rows', moved));
  RETURN format('distributed: %s rows of state', moved);
END $$;
COMMENT ON FUNCTION pql.distribute(int) IS
  'Turns an installation into one on a cluster of Citus: attached events tables and what is kept of homes are distributed by home, in so many shards (null: citus.shard_count), and what is defined is sent to every node. Writers wait meanwhile. Errors: 55000 what pql.citus_check() says, or distributed already; 22023 bad shard_count.';
REVOKE ALL ON FUNCTION pql.distribute(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.undistribute() RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
  r record;
  moved bigint := 0;
  n bigint;
  of_cluster boolean;
BEGIN
  IF to_regclass('pql_cluster.state') IS NULL THEN
    PERFORM pql._require_cluster();
  END IF;
  PERFORM set_config('citus.enable_unsafe_triggers', 'on', true);
  PERFORM set_config('citus.multi_shard_modify_mode', 'sequential', true);
  PERFORM set_config('client_min_messages', 'warning', true);
  FOREACH name IN ARRAY pql._configuration_tables() LOOP
    EXECUTE format('DROP TRIGGER IF EXISTS configuration_written ON pql.%I', name);
  END LOOP;
  FOR r IN SELECT s.source_id, s.relation::text AS relation FROM pql.source AS s WHERE s.relation <> 'pql.intent'::regclass LOOP
    PERFORM pql._drop_triggers(r.relation::regclass);
    of_cluster := to_regclass('pg_dist_partition') IS NOT NULL;
    IF of_cluster THEN -- where a dump was restored, tables are ordinary ones
      EXECUTE format('SELECT count(*) > 0 FROM pg_dist_partition AS p WHERE p.logicalrelid = %L::regclass', r.relation) INTO of_cluster;
    END IF;
    IF of_cluster THEN
      EXECUTE format('SELECT undistribute_table(%L)', r.relation);
    END IF;
    UPDATE pql.source AS s SET relation = r.relation::regclass WHERE s.source_id = r.source_id; -- it is another table now
  END LOOP;
  FOR r IN SELECT * FROM pql._home_tables() LOOP
    EXECUTE format('CREATE TEMPORARY TABLE %I ON COMMIT DROP AS SELECT %s FROM pql_cluster.%I', 'pql_moved_' || r.name, r.columns, r.name);
  END LOOP;
  DROP SCHEMA pql_cluster CASCADE;
  FOR r IN SELECT * FROM pql._home_tables() LOOP
    EXECUTE format('INSERT INTO pql.%1$I (%2$s) SELECT %2$s FROM pg_temp.%3$I', r.name, r.columns, 'pql_moved_' || r.name);
    GET DIAGNOSTICS n = ROW_COUNT;
    moved := moved + n;
    EXECUTE format('DROP TABLE pg_temp.%I', 'pql_moved_' || r.name);
  END LOOP;
  -- New ids come after those of all nodes.
  PERFORM setval('pql.id_seq', x.last) FROM (
    SELECT max(i.id) AS last FROM (
      SELECT e.episode_id FROM pql.episode AS e UNION ALL SELECT g.routing_id FROM pql.routing AS g UNION ALL SELECT t.transition_id FROM pql.routing_transition AS t) AS i(id)) AS x,
    pql.id_seq AS s WHERE x.last > s.last_value;
  PERFORM pql._create_triggers(s.source_id) FROM pql.source AS s WHERE s.relation <> 'pql.intent'::regclass;
  PERFORM pql._recount_loads();
  PERFORM pql._know_leaves();
  PERFORM pql._audit('undistribute', 'state', jsonb_build_object('rows', moved));
  RETURN format('undistributed: %s rows of state', moved);
END $$;
COMMENT ON FUNCTION pql.undistribute() IS
  'Brings all that pql.distribute() spread over a cluster back to the coordinator, events tables too; or takes back what a dump of a cluster has brought into a database that is none. Writers wait meanwhile. Error: 55000 not distributed.';
REVOKE ALL ON FUNCTION pql.undistribute() FROM PUBLIC;

-- What is done to all shards, and to the rows in them. Within a shard pql goes by how many rows reps have at work everywhere: it is told, by
-- one at a time.

CREATE OR REPLACE FUNCTION pql._loads() RETURNS jsonb
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  loads jsonb;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('pql loads', 0));
  SELECT jsonb_object_agg(o.owner, o.rows) INTO loads FROM (
    SELECT r.owner, count(*) AS rows FROM pql.routing AS r WHERE r.owner IS NOT NULL AND r.state <> 'disposed' AND r.snoozed_until IS NULL GROUP BY r.owner) AS o;
  RETURN coalesce(loads, '{}');
END $$;
COMMENT ON FUNCTION pql._loads() IS 'How many rows each rep has at work on a cluster. Whoever asks is the only one until his transaction ends.';
REVOKE ALL ON FUNCTION pql._loads() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._take_loads(loads jsonb) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 500
  BEGIN ATOMIC
    INSERT INTO pql.rep_load AS l (rep_id, seed, deficit, open)
    SELECT r.rep_id, hashtextextended(r.rep_id, 0), 0, coalesce((loads->>r.rep_id)::int, 0) FROM pql.reps AS r ORDER BY r.rep_id
    ON CONFLICT (rep_id) DO UPDATE SET open = excluded.open WHERE l.open <> excluded.open;
  END;
COMMENT ON FUNCTION pql._take_loads(jsonb) IS 'Notes on a node how many rows reps have at work.';
REVOKE ALL ON FUNCTION pql._take_loads(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._work_on_shard(loads jsonb, statement text) RETURNS SETOF pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._take_loads(loads);
  RETURN QUERY EXECUTE statement;
END $$;
COMMENT ON FUNCTION pql._work_on_shard(jsonb, text) IS 'Runs a statement about a routing row where the row is.';
REVOKE ALL ON FUNCTION pql._work_on_shard(jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._work_on_cluster(id bigint, statement text) RETURNS SETOF pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text;
BEGIN
  SELECT r.home INTO place FROM pql.routing AS r WHERE r.routing_id = id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no routing row %', id USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY SELECT (jsonb_populate_record(NULL::pql.routing, x)).* FROM pql.on_home(place, format('SELECT * FROM pql._work_on_shard(%L, %L)', pql._loads(), statement)) AS x;
END $$;
COMMENT ON FUNCTION pql._work_on_cluster(bigint, text) IS 'Sends a statement about a routing row to where the row is.';
REVOKE ALL ON FUNCTION pql._work_on_cluster(bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._claim_on_cluster(caller text, rep text, n int, id bigint) RETURNS SETOF pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  c record;
  taken int := 0;
  loads jsonb := pql._loads();
  mine pql.routing;
BEGIN
  IF rep IS NULL OR n IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN rep IS NULL THEN 'rep' ELSE 'n' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF rep !~ '\S' OR n < 1 THEN
    RAISE EXCEPTION '% must be %', CASE WHEN n < 1 THEN 'n' ELSE 'rep' END, CASE WHEN n < 1 THEN 'at least 1' ELSE 'a name' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pql._require_rep(caller, rep);
  IF id IS NOT NULL THEN
    RETURN QUERY SELECT * FROM pql._work_on_cluster(id, format('SELECT * FROM pql._claim(%L, %L, 1, %s)', caller, rep, id));
    RETURN;
  END IF;
  FOR c IN SELECT x.home, x.routing_id FROM pql.routing AS x WHERE x.state = 'ready' AND (x.owner = rep OR x.owner IS NULL)
    ORDER BY x.contact_by, x.score DESC, x.routing_id LIMIT n::bigint * 10 + 100
  LOOP
    FOR mine IN SELECT (jsonb_populate_record(NULL::pql.routing, x)).* FROM pql.on_home(c.home, format('SELECT * FROM pql._work_on_shard(%L, %L)', loads,
        format('SELECT * FROM pql._claim(%L, %L, 1, %s)', caller, rep, c.routing_id))) AS x
    LOOP
      RETURN NEXT mine;
      taken := taken + 1;
      loads := loads || jsonb_build_object(rep, coalesce((loads->>rep)::int, 0) + (c.routing_id = mine.routing_id)::int);
    END LOOP;
    EXIT WHEN taken >= n;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._claim_on_cluster(text, text, int, bigint) IS 'pql.claim, on a cluster: each row by itself, in the order of all, and at once for good.';
REVOKE ALL ON FUNCTION pql._claim_on_cluster(text, text, int, bigint) FROM PUBLIC;

CREATE TYPE pql._ticked AS (held_released bigint, episodes_reviewed bigint, ids_forgotten bigint, partitions_changed bigint, subjects_reviewed bigint,
  ready bigint, expired bigint, breached bigint, returned bigint, assigned bigint, events_folded bigint, more_due boolean);
COMMENT ON TYPE pql._ticked IS 'What pql.tick returns.';
COMMENT ON COLUMN pql._ticked.held_released IS 'Held events that fell due and were folded.';
COMMENT ON COLUMN pql._ticked.episodes_reviewed IS 'Episodes that were looked at because their end, or that of a cool-down, had come.';
COMMENT ON COLUMN pql._ticked.ids_forgotten IS 'Event ids past the dedup horizon that are no longer kept.';
COMMENT ON COLUMN pql._ticked.partitions_changed IS 'Partitions that came, went or were emptied unseen, and were told of now.';
COMMENT ON COLUMN pql._ticked.subjects_reviewed IS 'Subjects that were looked at because time alone may take them in or out.';
COMMENT ON COLUMN pql._ticked.ready IS 'Routing rows that were made ready.';
COMMENT ON COLUMN pql._ticked.expired IS 'Routing rows that expired, since their episode is over.';
COMMENT ON COLUMN pql._ticked.breached IS 'Routing rows that nobody had touched in time.';
COMMENT ON COLUMN pql._ticked.returned IS 'Snoozed routing rows that came back.';
COMMENT ON COLUMN pql._ticked.assigned IS 'Routing rows that were given to reps.';
COMMENT ON COLUMN pql._ticked.events_folded IS 'Events of deferred sources that were folded.';
COMMENT ON COLUMN pql._ticked.more_due IS 'Whether more is due, so that it is to be called again at once.';

CREATE OR REPLACE FUNCTION pql._is_coordinator() RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  node int;
BEGIN
  EXECUTE 'SELECT groupid FROM pg_dist_local_group' INTO node;
  RETURN node = 0;
END $$;
COMMENT ON FUNCTION pql._is_coordinator() IS 'Whether this node is the coordinator of its cluster.';
REVOKE ALL ON FUNCTION pql._is_coordinator() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._tick_on_shard(as_of timestamptz, loads jsonb, evaluated jsonb)
  RETURNS TABLE (done pql._ticked, evaluations jsonb)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('pql tick', 0));
  PERFORM pql._take_loads(loads);
  -- When programs were looked at is noted by the coordinator, for all shards.
  DELETE FROM pql.evaluation;
  INSERT INTO pql.evaluation SELECT e.key::int, e.value::timestamptz FROM jsonb_each_text(evaluated) AS e;
  SELECT t.* INTO done FROM pql._tick(as_of) AS t;
  evaluations := coalesce((SELECT jsonb_object_agg(e.program_id, e.evaluated_at) FROM pql.evaluation AS e), '{}');
  RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._tick_on_shard(timestamptz, jsonb, jsonb) IS 'pql.tick within a shard.';
REVOKE ALL ON FUNCTION pql._tick_on_shard(timestamptz, jsonb, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._tick_on_cluster(as_of timestamptz)
  RETURNS TABLE (held_released bigint, episodes_reviewed bigint, ids_forgotten bigint, partitions_changed bigint, subjects_reviewed bigint,
                 ready bigint, expired bigint, breached bigint, returned bigint, assigned bigint, events_folded bigint, more_due boolean)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  shard bigint;
  evaluated jsonb := coalesce((SELECT jsonb_object_agg(e.program_id, e.evaluated_at) FROM pql.evaluation AS e), '{}');
  all_done pql._ticked[];
  answer jsonb;
BEGIN
  IF NOT pql._is_coordinator() THEN
    RETURN QUERY SELECT 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint, false;
    RETURN;
  END IF;
  FOR shard IN EXECUTE 'SELECT s.shardid FROM pg_dist_shard AS s WHERE s.logicalrelid = ''pql_cluster.state''::regclass ORDER BY s.shardid' LOOP
    FOR answer IN SELECT a.found FROM pql._ask_shards(ARRAY[shard], format('SELECT * FROM pql._tick_on_shard(%L, %L, %L)', as_of, pql._loads(), evaluated)) AS a LOOP
      all_done := all_done || jsonb_populate_record(NULL::pql._ticked, answer->'done');
    END LOOP;
  END LOOP;
  INSERT INTO pql.evaluation AS e (program_id, evaluated_at)
  SELECT x.key::int, x.value::timestamptz FROM jsonb_each_text(answer->'evaluations') AS x WHERE x.value IS DISTINCT FROM evaluated->>x.key
  ON CONFLICT (program_id) DO UPDATE SET evaluated_at = excluded.evaluated_at;
  RETURN QUERY SELECT sum(d.held_released)::bigint, sum(d.episodes_reviewed)::bigint, sum(d.ids_forgotten)::bigint, sum(d.partitions_changed)::bigint,
    sum(d.subjects_reviewed)::bigint, sum(d.ready)::bigint, sum(d.expired)::bigint, sum(d.breached)::bigint, sum(d.returned)::bigint, sum(d.assigned)::bigint,
    sum(d.events_folded)::bigint, bool_or(d.more_due) FROM unnest(all_done) AS d;
END $$;
COMMENT ON FUNCTION pql._tick_on_cluster(timestamptz) IS 'pql.tick on a cluster: one shard after the other, each for good, at the coordinator; elsewhere nothing is to be done.';
REVOKE ALL ON FUNCTION pql._tick_on_cluster(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._verify_on_cluster(sample float8, since timestamptz) RETURNS TABLE (what text, subject text, streamed text, recomputed text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT a.found->>'what', a.found->>'subject', a.found->>'streamed', a.found->>'recomputed'
  FROM pql.on_shards(format('SELECT * FROM pql.verify(%L, %L)', sample, since)) AS a WHERE a.found->>'what' <> 'open rows';
END $$;
COMMENT ON FUNCTION pql._verify_on_cluster(float8, timestamptz) IS 'pql.verify on a cluster: of each shard.';
REVOKE ALL ON FUNCTION pql._verify_on_cluster(float8, timestamptz) FROM PUBLIC;
