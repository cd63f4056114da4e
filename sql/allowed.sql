-- What rules and attach's expressions may call: of PostgreSQL's own functions those that give the same for the same arguments, in every
-- session, and touch nothing. Every function of pg_catalog is asked for by name, with the types of its arguments; what may be called is
-- known to be harmless by a reason, and what must never be is named.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE EXTENSION IF NOT EXISTS pql;
\pset format unaligned
\pset tuples_only on

CREATE TEMP TABLE asked AS
SELECT p.oid, p.proname::text AS name, p.provolatile AS volatility, p.prorettype AS type, p.proargtypes AS types, p.proretset AS is_set, c.call,
       pql._check_rule(c.call, '{}', CASE WHEN y.typtype = 'p' THEN 'int4'::regtype ELSE y.oid::regtype END) AS problem
FROM pg_proc AS p JOIN pg_type AS y ON y.oid = p.prorettype CROSS JOIN LATERAL (
  SELECT format('pg_catalog.%I(%s)', p.proname, (SELECT string_agg(format('NULL::%s', CASE
           WHEN t.type IN ('anyarray'::regtype, 'anycompatiblearray'::regtype) THEN 'int4[]' WHEN t.type IN ('"any"'::regtype, 'anyelement'::regtype, 'anynonarray'::regtype,
             'anycompatible'::regtype, 'anycompatiblenonarray'::regtype) THEN 'int4' ELSE format_type(t.type, NULL) END), ', ' ORDER BY t.n) FROM unnest(p.proargtypes) WITH ORDINALITY AS t (type, n))) AS call) AS c
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.oid < 16384;

-- Both are many.
SELECT count(*) > 2500 AS asked, count(*) FILTER (WHERE problem IS NULL) BETWEEN 500 AND 1500 AS allowed FROM asked;

-- What may be called is immutable, by PostgreSQL's own word, but for these: now() means as_of, and what writes arguments as text is
-- looked at argument by argument.
SELECT name FROM asked WHERE problem IS NULL AND volatility <> 'i' GROUP BY name ORDER BY name COLLATE "C";
SELECT call FROM asked WHERE problem IS NULL AND (volatility = 'v' OR is_set);

-- It takes and gives plain values only: nothing that names an object of the catalogue, and nothing that runs what it is given.
SELECT call FROM asked WHERE problem IS NULL AND EXISTS (SELECT FROM unnest(types || type::oid) AS t JOIN pg_type AS y ON y.oid = t
  WHERE y.typname ~ '^(reg|pg_|xml|cstring|internal|refcursor|record|aclitem|xid|txid|snapshot|ts(vector|query)|void|trigger|event_trigger|language_handler|oid)');

-- Whatever is told of the server, the session, the catalogue, files or other sessions, has a side effect, or takes SQL, is refused.
CREATE TEMP TABLE forbidden (pattern text, why text);
INSERT INTO forbidden VALUES ('pg_read_|pg_ls_|pg_stat_file|pg_file_|pg_current_logfile|pg_hba_|pg_ident_', 'files'), ('lo_|loread|lowrite|lo(import|export)', 'large objects'),
  ('(query|table|schema|database|cursor)_to_xml|xml|xpath', 'XML, some of which runs queries'), ('ts_stat|ts_rewrite|ts_debug|ts_lexize|ts_parse|ts_token_type', 'text search, some of which runs queries'),
  ('nextval|currval|setval|lastval|pg_sequence_', 'sequences'), ('set_config|current_setting|pg_show_|pg_settings_|pg_reload_conf|pg_config', 'settings, some of which are secrets'),
  ('pg_sleep', 'waits'), ('pg_(terminate|cancel)_backend|pg_promote|pg_rotate_|pg_switch_wal|pg_create_restore_point|pg_wal_replay|pg_backup_|pg_(start|stop)_backup|pg_export_snapshot', 'the server'),
  ('pg_(try_)?advisory_', 'locks'), ('pg_notify|pg_listening|pg_logical_|pg_replication_|pg_create_.*_slot|pg_drop_replication_slot|pg_copy_', 'messages and replication'),
  ('random|setseed|gen_random_uuid|clock_timestamp|timeofday|pg_backend_pid|txid_|pg_current_xact_id|pg_current_snapshot|uuidv', 'other at each call'),
  ('current_(database|schemas?|query)|session_user|current_user|getpgusername|version|inet_(client|server)_|pg_(my_temp|is_in_recovery|postmaster|conf_load)', 'the session and the server'),
  ('has_|pg_has_role|row_security_active|pg_get_|obj_description|col_description|shobj_description|format_type|to_reg|pg_(table|function|type|operator|opclass|opfamily|collation|conversion|ts_\w+|statistics_obj)_is_visible', 'the catalogue'),
  ('pg_(relation|table|total_relation|indexes|database|tablespace|column)_size|pg_relation_file|pg_tablespace_|pg_stat_|pg_lock_status|pg_blocking_pids|pg_prepared_|pg_cursor|pg_partition_', 'statistics and storage'),
  ('binary_upgrade_|pg_import_system_collations|brin_|gin_clean|pg_nextoid|pg_stop_making|pg_event_trigger_|pg_extension_', 'maintenance'), ('dblink|http|plpgsql_', 'not in pg_catalog, or languages'),
  ('json(b)?_populate_|json(b)?_to_record|json(b)?_each|json(b)?_array_elements|generate_series|unnest|regexp_split_to_table|regexp_matches', 'rows, and types of users');
SELECT a.call, f.why FROM asked AS a JOIN forbidden AS f ON a.name ~ ('^(' || f.pattern || ')') WHERE a.problem IS NULL ORDER BY 1;
-- The patterns name something, each of them.
SELECT f.pattern FROM forbidden AS f WHERE NOT EXISTS (SELECT FROM asked AS a WHERE a.name ~ ('^(' || f.pattern || ')')) ORDER BY 1;

-- Operators are functions by other names; casts are, too.
SELECT o.oid::regoperator FROM pg_operator AS o JOIN asked AS a ON a.oid = o.oprcode
WHERE a.problem IS NULL AND a.volatility = 'v';

-- Somebody else's functions aren't allowed, whatever they say of themselves, and wherever they are.
CREATE SCHEMA allowed;
CREATE FUNCTION allowed.harmless(n int) RETURNS int IMMUTABLE LANGUAGE sql RETURN n;
CREATE FUNCTION allowed.lower(t text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'was called'; END $$;
CREATE FUNCTION allowed.same(a text, b text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'was called'; END $$;
CREATE OPERATOR allowed.= (FUNCTION = allowed.same, LEFTARG = text, RIGHTARG = text);
SET search_path = allowed, pg_catalog;
SELECT split_part(pql._check_rule(r, '{"event text"}', 'bool'), E'\n', 1)
FROM unnest(ARRAY['lower(event) = ''a''', 'event = ''a''', 'allowed.harmless(1) = 1', 'event OPERATOR(allowed.=) ''a''', 'allowed.lower(event) = ''a''', 'public.dblink(''x'') is null']) AS r;
RESET search_path;
DROP SCHEMA allowed CASCADE;
