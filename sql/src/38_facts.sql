-- Facts: what rows of customers' tables come to for an account, a user or a workspace, such as how many deals are open; kept as attributes are.
CREATE TABLE pql.fact_source (
  fact           text COLLATE "C" PRIMARY KEY,
  unit           text NOT NULL CHECK (unit IN ('user', 'account', 'workspace')),
  schema_name    text NOT NULL,
  relation_name  text NOT NULL,
  owner          text NOT NULL,
  key_column     text NOT NULL,
  condition      text,
  measure        text NOT NULL CHECK (measure IN ('count', 'sum', 'max', 'min', 'newest')),
  value          text,
  columns        text[] NOT NULL,
  types          text[] NOT NULL,
  watched        boolean NOT NULL,
  broken         text,
  refreshed_at   timestamptz,
  attached_at    timestamptz NOT NULL DEFAULT now(),
  attached_by    text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE pql.fact_source IS 'The relations that facts come from, by name. Made by pql.attach_facts, read through pql.fact_sources.';
COMMENT ON COLUMN pql.fact_source.fact IS 'The fact''s name: rules write fact and this, such as fact.open_deals.';
COMMENT ON COLUMN pql.fact_source.unit IS 'Whose facts they are: user, account or workspace.';
COMMENT ON COLUMN pql.fact_source.schema_name IS 'The schema of the relation.';
COMMENT ON COLUMN pql.fact_source.relation_name IS 'The relation''s name.';
COMMENT ON COLUMN pql.fact_source.key_column IS 'The column with the id of the account, user or workspace.';
COMMENT ON COLUMN pql.fact_source.value IS 'The value of a row, as SQL over it; null: rows are counted.';
COMMENT ON COLUMN pql.fact_source.types IS 'The types of columns, in the same order.';
COMMENT ON COLUMN pql.fact_source.refreshed_at IS 'When all of it was last compared with the relation; null: never.';
COMMENT ON COLUMN pql.fact_source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.fact_source.attached_by IS 'The role that attached it, with whose rights it is read.';
COMMENT ON COLUMN pql.fact_source.owner IS 'Who owned the relation when it was attached.';
COMMENT ON COLUMN pql.fact_source.condition IS 'A SQL boolean over the row: which rows count; null: all.';
COMMENT ON COLUMN pql.fact_source.measure IS 'How many rows there are (count), or what becomes of their values: sum, max, min, or the newest instant.';
COMMENT ON COLUMN pql.fact_source.columns IS 'Those that condition and value read, whose types are in types.';
COMMENT ON COLUMN pql.fact_source.watched IS 'Whether triggers keep the copy; otherwise only pql.refresh_facts() does.';
COMMENT ON COLUMN pql.fact_source.broken IS 'Why the copy couldn''t be renewed, and is kept as it was; null: it could.';

CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OF unit, measure OR DELETE OR TRUNCATE ON pql.fact_source
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();

CREATE TABLE pql.fact_use (
  name  text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE pql.fact_use IS 'The facts that rules of published programs name (fact.open_deals): a change of one has the subject decided upon anew.';
COMMENT ON COLUMN pql.fact_use.name IS 'The fact, with fact. before its name.';

CREATE TABLE pql.fact_value (
  home    text COLLATE "C" NOT NULL,
  fact    text COLLATE "C" NOT NULL,
  since   timestamptz NOT NULL,
  number  float8,
  "time"  timestamptz,
  PRIMARY KEY (home, fact)
) WITH (fillfactor = 80);
COMMENT ON TABLE pql.fact_value IS 'Facts as they are, by the key of the account''s, the user''s or the workspace''s own home.';
COMMENT ON COLUMN pql.fact_value.fact IS 'The fact''s name (pql.fact_source).';
--@ comments fact_value state home
COMMENT ON COLUMN pql.fact_value.since IS 'Since when; infinity: nothing was known yet.';
COMMENT ON COLUMN pql.fact_value.number IS 'A count, sum, minimum or maximum; null where no row counts, and for instants.';
COMMENT ON COLUMN pql.fact_value."time" IS 'The newest instant, of facts with measure newest; otherwise null.';

CREATE TABLE pql.fact_history (
  home        text COLLATE "C" NOT NULL,
  fact        text COLLATE "C" NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_to    timestamptz NOT NULL CHECK (valid_to > valid_from),
  number      float8,
  "time"      timestamptz,
  PRIMARY KEY (home, fact, valid_from)
);
COMMENT ON TABLE pql.fact_history IS 'Facts as they were, from when until when. Read both through pql.facts.';
COMMENT ON COLUMN pql.fact_history.valid_from IS 'Since when it was so.';
COMMENT ON COLUMN pql.fact_history.valid_to IS 'Until when; at that instant it was otherwise.';
--@ comments fact_history fact_value home fact number "time"

SELECT pg_catalog.pg_extension_config_dump('pql.fact_source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.fact_use', '');
SELECT pg_catalog.pg_extension_config_dump('pql.fact_value', '');
SELECT pg_catalog.pg_extension_config_dump('pql.fact_history', '');

CREATE VIEW pql.facts WITH (security_invoker = true) AS
  SELECT x.fact, CASE left(x.home, 1) WHEN 'a' THEN 'account' WHEN 'w' THEN 'workspace' ELSE 'user' END AS unit, substr(x.home, 3) AS subject_id,
         CASE WHEN s.measure IN ('count', 'sum') THEN coalesce(x.number, 0) ELSE x.number END AS number, x."time", x.valid_from, x.valid_to
  FROM (SELECT v.home, v.fact, v.number, v."time", v.since AS valid_from, 'infinity'::timestamptz AS valid_to FROM pql.fact_value AS v
        WHERE v.since < 'infinity'
        UNION ALL
        SELECT h.home, h.fact, h.number, h."time", h.valid_from, h.valid_to FROM pql.fact_history AS h) AS x
    JOIN pql.fact_source AS s ON s.fact = x.fact;
COMMENT ON VIEW pql.facts IS 'What attached relations come to for accounts, users and workspaces, and came to before: each row held from valid_from until valid_to (infinity: still). A subject without a row has none that count.';
COMMENT ON COLUMN pql.facts.fact IS 'The fact''s name (pql.fact_sources.kind).';
COMMENT ON COLUMN pql.facts.unit IS 'Whose fact it is: user, account or workspace.';
COMMENT ON COLUMN pql.facts.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.facts.number IS 'What it comes to: a count or a sum (0 where no row counts), a minimum or maximum (null where none does); null for instants.';
COMMENT ON COLUMN pql.facts."time" IS 'The newest instant, of facts with measure newest; otherwise null.';
COMMENT ON COLUMN pql.facts.valid_from IS 'Since when it is, or was, so.';
COMMENT ON COLUMN pql.facts.valid_to IS 'Until when it was; infinity: it still is.';

CREATE OR REPLACE FUNCTION pql._program_facts(document jsonb) RETURNS TABLE (kind text, name text)
  AS 'MODULE_PATHNAME', 'pql__program_facts' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 5;
COMMENT ON FUNCTION pql._program_facts(jsonb) IS 'The facts that a document''s rules name: what pql.fact_use is to have.';
REVOKE ALL ON FUNCTION pql._program_facts(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._use_facts() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  named text[];
BEGIN
  SELECT coalesce(array_agg(DISTINCT n.kind || '.' || n.name), '{}') INTO named FROM pql.program AS p, pql._program_facts(p.document) AS n
  WHERE p.status IN ('building', 'shadow', 'live') OR p.finishing;
  DELETE FROM pql.fact_use AS u WHERE u.name <> ALL (named);
  INSERT INTO pql.fact_use (name) SELECT unnest(named) ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION pql._use_facts() IS 'Notes the facts that the programs in force name.';
REVOKE ALL ON FUNCTION pql._use_facts() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._read_facts(fact text, keys text[] DEFAULT NULL)
  RETURNS TABLE (home text, number float8, "time" timestamptz, rows bigint)
  AS 'MODULE_PATHNAME', 'pql__read_facts' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql._read_facts(text, text[]) IS 'What the relation of a fact comes to for whom (keys null: for all), and of how many rows; rows without a key have no home. Read as pql._read_attributes does.';
REVOKE ALL ON FUNCTION pql._read_facts(text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._refresh_facts(fact text) RETURNS TABLE (subjects bigint, rows_read bigint, without_key bigint, changed bigint)
  AS 'MODULE_PATHNAME', 'pql__refresh_facts' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._refresh_facts(text) IS 'Brings the copy of a fact in line with its relation, and decides anew upon whom that concerns.';
REVOKE ALL ON FUNCTION pql._refresh_facts(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._expression_columns(relation oid, condition text, value text, value_type oid) RETURNS TABLE (name text, type text)
  AS 'MODULE_PATHNAME', 'pql__expression_columns' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 5;
COMMENT ON FUNCTION pql._expression_columns(oid, text, text, oid) IS 'The columns of a relation that a condition and a value read, as which types rules see them; raises what is wrong with them.';
REVOKE ALL ON FUNCTION pql._expression_columns(oid, text, text, oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._facts_written() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__facts_written' LANGUAGE C COST 5000;
COMMENT ON FUNCTION pql._facts_written() IS 'The trigger on tables with facts. Writes pql''s copy directly, so that writers need no rights on it; does nothing on a table that isn''t the one attached, and marks it broken, rather than fail, when its columns are others.';
REVOKE ALL ON FUNCTION pql._facts_written() FROM PUBLIC;

-- Whether writes can be seen by triggers of statements, and the rows of a subject found again without reading all.
CREATE OR REPLACE FUNCTION pql._can_watch_facts(relation oid, key_column text, role text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE COST 250
  RETURN EXISTS (
    SELECT FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = key_column
      JOIN pg_index AS i ON i.indrelid = c.oid AND i.indkey[0] = a.attnum
    WHERE c.oid = relation AND c.relkind IN ('r', 'p') AND i.indisvalid AND i.indpred IS NULL
      AND has_table_privilege(role, c.oid, 'TRIGGER')
      AND NOT EXISTS (SELECT FROM pg_subscription_rel AS r WHERE r.srrelid = c.oid));
COMMENT ON FUNCTION pql._can_watch_facts(oid, text, text) IS 'Whether triggers that a role may create see all that is written to a relation with facts, and an index finds the rows of a subject.';
REVOKE ALL ON FUNCTION pql._can_watch_facts(oid, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._fact_triggers(relation oid, fact text) RETURNS SETOF name
  LANGUAGE sql STABLE PARALLEL SAFE COST 250 ROWS 4
  BEGIN ATOMIC
    SELECT t.tgname FROM pg_trigger AS t
    WHERE t.tgrelid = relation AND t.tgfoid = 'pql._facts_written()'::regprocedure AND t.tgparentid = 0 AND t.tgenabled <> 'D'
      AND t.tgargs = convert_to(fact, getdatabaseencoding()) || '\x00'::bytea;
  END;
COMMENT ON FUNCTION pql._fact_triggers(oid, text) IS 'The triggers on a relation that keep a fact: four. Everybody may ask: readers of pql.fact_sources do.';

CREATE OR REPLACE FUNCTION pql._watch_facts(fact text, relation regclass, role text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._execute_as(role, format('CREATE OR REPLACE TRIGGER pql_fact_%s_%s AFTER %2$s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION pql._facts_written(%L)',
    fact, w.what, relation, w.sees, fact))
  FROM (VALUES ('insert', 'REFERENCING NEW TABLE AS pql_new'), ('update', 'REFERENCING OLD TABLE AS pql_old NEW TABLE AS pql_new'),
          ('delete', 'REFERENCING OLD TABLE AS pql_old'), ('truncate', '')) AS w(what, sees);
END $$;
COMMENT ON FUNCTION pql._watch_facts(text, regclass, text) IS 'Creates the triggers on a table with a fact, with the rights of a role.';
REVOKE ALL ON FUNCTION pql._watch_facts(text, regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._unwatch_facts(fact text, relation oid) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT t FROM pql._fact_triggers(relation, fact) AS t LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', name, relation::regclass);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._unwatch_facts(text, oid) IS 'Drops the triggers on a table with a fact.';
REVOKE ALL ON FUNCTION pql._unwatch_facts(text, oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._columns_of(relation regclass, given text[]) RETURNS text[]
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_columns text[];
  missing text;
BEGIN
  SELECT array_agg(a.name ORDER BY g.n), min(g.name) FILTER (WHERE a.name IS NULL) INTO found_columns, missing
  FROM unnest(given) WITH ORDINALITY AS g(name, n)
    LEFT JOIN LATERAL (SELECT x.attname::text AS name FROM pg_attribute AS x WHERE x.attrelid = relation AND x.attnum > 0 AND NOT x.attisdropped
      AND g.name IN (x.attname, quote_ident(x.attname)) ORDER BY x.attname = g.name DESC LIMIT 1) AS a ON true
  WHERE g.name IS NOT NULL;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of relation "%" does not exist', missing, relation USING ERRCODE = 'undefined_column';
  END IF;
  RETURN found_columns;
END $$;
COMMENT ON FUNCTION pql._columns_of(regclass, text[]) IS 'The columns of a relation that a caller names, as they are written or quoted; nulls are left out. Error: 42703 no such column.';
REVOKE ALL ON FUNCTION pql._columns_of(regclass, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._id_column(relation regclass, given text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_column text := (pql._columns_of(relation, ARRAY[given]))[1];
  type text;
BEGIN
  SELECT CASE WHEN coalesce(pql._attribute_type(a.atttypid) NOT IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'int2'::regtype,
      'int4'::regtype, 'int8'::regtype, 'uuid'::regtype), true) THEN format_type(a.atttypid, a.atttypmod) END
    INTO type FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = found_column;
  IF type IS NOT NULL THEN
    RAISE EXCEPTION 'column "%" of relation "%" can''t be an id', found_column, relation USING ERRCODE = 'datatype_mismatch',
      DETAIL = format('It is of type %s.', type), HINT = 'Ids are of type text, varchar, integer, bigint or uuid.';
  END IF;
  RETURN found_column;
END $$;
COMMENT ON FUNCTION pql._id_column(regclass, text) IS 'The column of a relation that a caller names as an id. Errors: 42703 no such column, 42804 no id.';
REVOKE ALL ON FUNCTION pql._id_column(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attach_facts(kind text, relation regclass, account_id text, user_id text, workspace_id text, condition text, measure text,
                                             value text)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  before pql.fact_source;
  unit text := CASE WHEN account_id IS NOT NULL THEN 'account' WHEN user_id IS NOT NULL THEN 'user' ELSE 'workspace' END;
  key text;
  value_type regtype := CASE measure WHEN 'newest' THEN 'timestamptz' WHEN 'sum' THEN 'numeric' ELSE 'float8' END;
  columns text[];
  types text[];
  watched boolean;
  counted record;
BEGIN
  IF kind IS NULL OR relation IS NULL OR measure IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN kind IS NULL THEN 'kind' WHEN relation IS NULL THEN 'relation' ELSE 'measure' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF num_nonnulls(account_id, user_id, workspace_id) <> 1 THEN
    RAISE EXCEPTION 'whose the rows are must be said once' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give account_id, user_id or workspace_id: the column that says it.';
  END IF;
  IF kind !~ '^[a-z][a-z0-9_]{0,39}$' THEN
    RAISE EXCEPTION 'kind "%" is not a name', kind USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Lower-case letters, digits and underscores, at most 40, for example ''open_deals''.';
  END IF;
  IF measure NOT IN ('count', 'sum', 'max', 'min', 'newest') THEN
    RAISE EXCEPTION 'measure "%" is not known', measure USING ERRCODE = 'invalid_parameter_value', HINT = 'There are count, sum, max, min and newest.';
  END IF;
  IF (measure = 'count') <> (value IS NULL) THEN
    RAISE EXCEPTION '%', CASE WHEN value IS NULL THEN format('measure "%s" needs a value', measure) ELSE 'measure "count" takes no value' END
      USING ERRCODE = 'invalid_parameter_value',
        HINT = CASE WHEN value IS NULL THEN 'Give a column or an expression over the row.' ELSE 'Name what becomes of the values: sum, max, min or newest.' END;
  END IF;
  PERFORM pql._check_attachable(relation, 'facts');
  key := pql._id_column(relation, coalesce(account_id, user_id, workspace_id));
  SELECT coalesce(array_agg(c.name), '{}'), coalesce(array_agg(c.type), '{}') INTO columns, types
  FROM pql._expression_columns(relation, condition, value, value_type) AS c;
  watched := pql._can_watch_facts(relation, key, current_user);

  LOCK TABLE pql.fact_source IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO before FROM pql.fact_source AS s WHERE s.fact = kind;
  IF FOUND THEN
    PERFORM pql._unwatch_facts(kind, pql._attribute_relation(before.schema_name, before.relation_name));
    IF (before.unit, before.measure = 'newest') <> (unit, measure = 'newest') THEN -- what was known is of something else
      DELETE FROM pql.fact_value AS v WHERE v.fact = kind;
      DELETE FROM pql.fact_history AS h WHERE h.fact = kind;
    END IF;
  END IF;
  INSERT INTO pql.fact_source AS s (fact, unit, schema_name, relation_name, owner, key_column, condition, measure, value, columns, types, watched, refreshed_at)
  SELECT kind, unit, n.nspname, c.relname, pg_get_userbyid(c.relowner), key, condition, measure, value, columns, types, watched, statement_timestamp()
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
  ON CONFLICT ON CONSTRAINT fact_source_pkey DO UPDATE SET unit = excluded.unit, schema_name = excluded.schema_name, relation_name = excluded.relation_name,
    owner = excluded.owner, key_column = excluded.key_column, condition = excluded.condition, measure = excluded.measure, value = excluded.value,
    columns = excluded.columns, types = excluded.types, watched = excluded.watched, broken = NULL, refreshed_at = excluded.refreshed_at,
    attached_at = excluded.attached_at, attached_by = excluded.attached_by;
  IF watched THEN
    PERFORM pql._watch_facts(kind, relation, current_user);
  END IF;
  SELECT * INTO counted FROM pql._refresh_facts(kind);
  PERFORM pql._audit('attach_facts', relation::text, jsonb_build_object('kind', kind, 'key', key));

  what := 'fact'; finding := 'fact.' || kind; advice := NULL; RETURN NEXT;
  what := 'rows'; finding := counted.rows_read::text;
  advice := CASE WHEN counted.without_key > 0
    THEN format('%s more have no usable %s (it is null, empty, or longer than 1000 bytes): they are ignored.', counted.without_key, key) END;
  RETURN NEXT;
  what := unit || 's'; finding := counted.subjects::text; advice := NULL; RETURN NEXT;
  what := 'kept by'; finding := CASE WHEN watched THEN 'triggers' ELSE 'pql.refresh_facts()' END;
  advice := CASE WHEN watched THEN NULL
    WHEN NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = relation AND c.relkind IN ('r', 'p')) THEN 'Call it after changes: in cron, or where the relation is made.'
    WHEN NOT has_table_privilege(relation, 'TRIGGER') THEN format('With GRANT TRIGGER ON %s TO %I it would follow by itself.', relation, current_user)
    ELSE format('Call it after changes. With an index on %s, a table follows by itself.', key) END;
  RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._attach_facts(text, regclass, text, text, text, text, text, text) IS 'Attaches a relation with rows that a fact is made of.';
REVOKE ALL ON FUNCTION pql._attach_facts(text, regclass, text, text, text, text, text, text) FROM PUBLIC;

-- Names are resolved with the caller's search path.
CREATE OR REPLACE FUNCTION pql.attach_facts(kind text, relation text, account_id text DEFAULT NULL, user_id text DEFAULT NULL, workspace_id text DEFAULT NULL,
                                            "where" text DEFAULT NULL, measure text DEFAULT 'count', value text DEFAULT NULL)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 5
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_facts(attach_facts.kind, attach_facts.relation::regclass, attach_facts.account_id,
      attach_facts.user_id, attach_facts.workspace_id, attach_facts."where", attach_facts.measure, attach_facts.value) AS a;
  END;
COMMENT ON FUNCTION pql.attach_facts(text, text, text, text, text, text, text, text) IS
  'Attaches a relation with many rows for an account (account_id is the column that says which), a user or a workspace, such as the deals of a CRM: a table, view, materialized view or foreign table, held by its name. Rules know what its rows come to as fact and the kind (fact.open_deals): how many there are (measure count), or the sum, max, min of a value, or its newest instant; of the rows for which a SQL boolean (where) holds. A table with an index on the id is followed by triggers, anything else by pql.refresh_facts(). Attaching the same kind again replaces it. Errors: 42P01 no such relation, 42703 no such column, 42804 no id, 22023 bad kind, measure or value, 42601 and others a wrong expression, 42809 not a table or view, 42501 no rights, 55000 wrong isolation level, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.attach_facts(text, text, text, text, text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_facts(kind text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s pql.fact_source;
  homes text[];
BEGIN
  IF kind IS NULL THEN
    RAISE EXCEPTION 'kind must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  DELETE FROM pql.fact_source AS x WHERE x.fact = kind RETURNING * INTO s;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'fact "%" is not attached', kind USING ERRCODE = 'undefined_object',
      HINT = coalesce((SELECT 'There are ' || string_agg(x.fact, ', ' ORDER BY x.fact) || '.' FROM pql.fact_source AS x), 'None is.');
  END IF;
  PERFORM pql._unwatch_facts(kind, pql._attribute_relation(s.schema_name, s.relation_name));
  WITH gone AS (DELETE FROM pql.fact_value AS v WHERE v.fact = kind RETURNING v.home)
  SELECT array_agg(g.home) INTO homes FROM gone AS g;
  DELETE FROM pql.fact_history AS h WHERE h.fact = kind;
  IF homes IS NOT NULL AND EXISTS (SELECT FROM pql.fact_use AS u WHERE u.name = 'fact.' || kind) THEN
    PERFORM pql._attributes_changed(homes);
  END IF;
  PERFORM pql._audit('detach_facts', format('%I.%I', s.schema_name, s.relation_name), jsonb_build_object('kind', kind));
END $$;
COMMENT ON FUNCTION pql.detach_facts(text) IS 'Forgets the relation that a fact comes from, what pql kept of it, and what that was before. A rule of a published program that names it can''t be had then, and says no (pql.rule_errors). Errors: 42704 not attached, 22004 null.';
REVOKE ALL ON FUNCTION pql.detach_facts(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.refresh_facts(INOUT kind text DEFAULT NULL, OUT subjects bigint, OUT changed bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted text := kind;
  s pql.fact_source;
  relation oid;
  detail text;
BEGIN
  IF wanted IS NOT NULL AND NOT EXISTS (SELECT FROM pql.fact_source AS x WHERE x.fact = wanted) THEN
    RAISE EXCEPTION 'fact "%" is not attached', wanted USING ERRCODE = 'undefined_object', HINT = 'Attach it with pql.attach_facts().';
  END IF;
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'facts can''t be refreshed at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do it at READ COMMITTED.';
  END IF;
  FOR s IN SELECT * FROM pql.fact_source AS x WHERE wanted IS NULL OR x.fact = wanted ORDER BY x.fact FOR UPDATE LOOP
    BEGIN
      relation := pql._attribute_relation(s.schema_name, s.relation_name);
      -- A table that took the name has no triggers.
      s.watched := coalesce(pql._can_watch_facts(relation, s.key_column, s.attached_by), false);
      IF s.watched AND (SELECT count(*) FROM pql._fact_triggers(relation, s.fact)) <> 4 THEN
        PERFORM pql._watch_facts(s.fact, relation, s.attached_by);
      ELSIF NOT s.watched THEN
        PERFORM pql._unwatch_facts(s.fact, relation);
      END IF;
      UPDATE pql.fact_source AS x SET watched = s.watched, broken = NULL, refreshed_at = statement_timestamp() WHERE x.fact = s.fact;
      SELECT s.fact, r.subjects, r.changed INTO kind, subjects, changed FROM pql._refresh_facts(s.fact) AS r;
      RETURN NEXT;
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        UPDATE pql.fact_source AS x SET broken = concat_ws(': ', SQLERRM, nullif(detail, '')) WHERE x.fact = s.fact;
        RAISE WARNING '%', SQLERRM USING ERRCODE = SQLSTATE, DETAIL = coalesce(nullif(detail, ''), 'What is known of facts stays.'),
          HINT = 'See pql.fact_sources.';
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.refresh_facts(text) IS
  'Compares pql''s copy of a fact (null: of all) with the relation that it comes from, takes over what differs, and decides anew upon whom that concerns. Views, models, foreign tables and tables without an index on the id are followed only by this; a table that took another''s place gets its triggers. Returns a row for each fact; one that can''t be read is told of in a warning and in pql.fact_sources, and the copy stays. Errors: 42704 not attached, 55000 wrong isolation level.';
REVOKE ALL ON FUNCTION pql.refresh_facts(text) FROM PUBLIC;

CREATE VIEW pql.fact_sources WITH (security_invoker = true) AS
  SELECT s.fact AS kind, s.unit, format('%I.%I', s.schema_name, s.relation_name) AS relation, s.key_column AS key, s.condition AS "where", s.measure, s.value,
         s.refreshed_at, (SELECT count(*) FROM pql.fact_value AS v WHERE v.fact = s.fact AND v.since < 'infinity') AS subjects,
         CASE WHEN s.watched THEN 'triggers' ELSE 'pql.refresh_facts()' END AS kept_by,
         CASE WHEN x.relation IS NULL THEN 'it doesn''t exist'
              WHEN s.broken IS NOT NULL THEN s.broken
              WHEN s.watched AND (SELECT count(*) FROM pql._fact_triggers(x.relation, s.fact)) <> 4
                THEN 'triggers are missing or disabled, as after a table took its name: pql.refresh_facts() mends it' END AS broken,
         EXISTS (SELECT FROM pql.fact_use AS u WHERE u.name = 'fact.' || s.fact) AS named, s.attached_by, s.attached_at
  FROM pql.fact_source AS s, LATERAL (SELECT pql._attribute_relation(s.schema_name, s.relation_name) AS relation) AS x;
COMMENT ON VIEW pql.fact_sources IS 'The relations that facts come from, and how pql''s copy follows them.';
COMMENT ON COLUMN pql.fact_sources.relation IS 'The relation, by its name.';
COMMENT ON COLUMN pql.fact_sources.subjects IS 'Of how many subjects pql has a value.';
COMMENT ON COLUMN pql.fact_sources.kept_by IS 'What keeps the copy: triggers, or pql.refresh_facts(), which you call after changes.';
--@ comments fact_sources fact_source kind=fact unit key=key_column "where"=condition measure value attached_by attached_at
COMMENT ON COLUMN pql.fact_sources.refreshed_at IS 'When all of it was last compared with the relation.';
COMMENT ON COLUMN pql.fact_sources.broken IS 'Why the copy doesn''t follow the relation; null when it does.';
COMMENT ON COLUMN pql.fact_sources.named IS 'Whether a rule of a published program names it.';
