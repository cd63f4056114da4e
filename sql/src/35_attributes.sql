-- Attributes of accounts and users: pql's own copy of what relations of the customer's say of them, with its past.
CREATE TABLE pql.attribute_source (
  unit            text PRIMARY KEY CHECK (unit IN ('user', 'account', 'workspace')),
  schema_name     text NOT NULL,
  relation_name   text NOT NULL,
  owner           text NOT NULL,
  key_column      text NOT NULL,
  account_column  text,
  columns         text[] NOT NULL DEFAULT '{}',
  types           text[] NOT NULL DEFAULT '{}',
  usable_columns  text[] NOT NULL DEFAULT '{}',
  usable_types    text[] NOT NULL DEFAULT '{}',
  watched         boolean NOT NULL,
  broken          text,
  refreshed_at    timestamptz,
  attached_at     timestamptz NOT NULL DEFAULT now(),
  attached_by     text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE pql.attribute_source IS 'The relations that attributes come from, by name: one that is dropped and made anew, or replaced by renaming, is the same one. Made by pql.attach_accounts and pql.attach_users, read through pql.attribute_sources.';
COMMENT ON COLUMN pql.attribute_source.unit IS 'What its rows are about: user, account or workspace.';
COMMENT ON COLUMN pql.attribute_source.schema_name IS 'The schema of the relation.';
COMMENT ON COLUMN pql.attribute_source.relation_name IS 'The relation''s name.';
COMMENT ON COLUMN pql.attribute_source.key_column IS 'The column with the id of the account, user or workspace.';
COMMENT ON COLUMN pql.attribute_source.account_column IS 'Of users, the column with their account; null: none was named.';
COMMENT ON COLUMN pql.attribute_source.columns IS 'The columns that pql keeps of it.';
COMMENT ON COLUMN pql.attribute_source.types IS 'Their types, in the same order.';
COMMENT ON COLUMN pql.attribute_source.usable_types IS 'The types of usable_columns, in the same order.';
COMMENT ON COLUMN pql.attribute_source.refreshed_at IS 'When all of it was last compared with the relation; null: never.';
COMMENT ON COLUMN pql.attribute_source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.attribute_source.attached_by IS 'The role that attached it, with whose rights it is read.';
COMMENT ON COLUMN pql.attribute_source.owner IS 'Who owned it when it was attached: another owner''s views are not read with the rights of whoever trusted this one''s.';
COMMENT ON COLUMN pql.attribute_source.usable_columns IS 'The columns that a rule may name; those that one does are kept.';
COMMENT ON COLUMN pql.attribute_source.watched IS 'Whether triggers keep the copy; otherwise only pql.refresh_attributes() does.';
COMMENT ON COLUMN pql.attribute_source.broken IS 'Why the copy couldn''t be renewed, and is kept as it was; null: it could.';

CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OF columns, types, usable_columns, usable_types OR DELETE OR TRUNCATE ON pql.attribute_source
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();

CREATE TABLE pql.attribute_use (
  unit  text NOT NULL CHECK (unit IN ('user', 'account', 'workspace')),
  name  text NOT NULL,
  PRIMARY KEY (unit, name)
);
COMMENT ON TABLE pql.attribute_use IS 'The attributes that rules of published programs name. Of a unit with some, only these are kept, and a change of one has the subject decided upon anew; of a unit with none, the first 100 columns are kept, and nothing is decided.';
COMMENT ON COLUMN pql.attribute_use.unit IS 'Whose attribute it is: user, account or workspace.';
COMMENT ON COLUMN pql.attribute_use.name IS 'The attribute''s name: the column''s.';

CREATE TABLE pql.attribute (
  home        text COLLATE "C" PRIMARY KEY,
  since       timestamptz NOT NULL,
  account_id  text,
  body        jsonb NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE pql.attribute IS 'Attributes as they are, by the key of the account''s or the user''s own home.';
COMMENT ON COLUMN pql.attribute.since IS 'Since when it is as it is.';
COMMENT ON COLUMN pql.attribute.body IS 'The attributes: {"column": value}.';
--@ comments attribute state home
COMMENT ON COLUMN pql.attribute.account_id IS 'The account that a user belongs to, where pql.attach_users was told of one.';

CREATE TABLE pql.attribute_history (
  home        text COLLATE "C" NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_to    timestamptz NOT NULL CHECK (valid_to > valid_from),
  account_id  text,
  body        jsonb NOT NULL,
  PRIMARY KEY (home, valid_from)
);
COMMENT ON TABLE pql.attribute_history IS 'Attributes as they were, from when until when. Read both through pql.attributes.';
COMMENT ON COLUMN pql.attribute_history.valid_from IS 'Since when it was so.';
COMMENT ON COLUMN pql.attribute_history.valid_to IS 'Until when; at that instant it was otherwise.';
--@ comments attribute_history attribute home account_id body

SELECT pg_catalog.pg_extension_config_dump('pql.attribute_source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.attribute_use', '');
SELECT pg_catalog.pg_extension_config_dump('pql.attribute', '');
SELECT pg_catalog.pg_extension_config_dump('pql.attribute_history', '');

CREATE VIEW pql.attributes WITH (security_invoker = true) AS
  SELECT CASE left(x.home, 1) WHEN 'a' THEN 'account' WHEN 'w' THEN 'workspace' ELSE 'user' END AS unit, substr(x.home, 3) AS subject_id, x.valid_from, x.valid_to,
         x.account_id, x.body AS attributes
  FROM (SELECT a.home, a.since AS valid_from, 'infinity'::timestamptz AS valid_to, a.account_id, a.body FROM pql.attribute AS a
        UNION ALL
        SELECT h.home, h.valid_from, h.valid_to, h.account_id, h.body FROM pql.attribute_history AS h) AS x;
COMMENT ON VIEW pql.attributes IS 'What attached relations say of accounts and users, and said before: each row held from valid_from until valid_to (infinity: still).';
COMMENT ON COLUMN pql.attributes.unit IS 'Whose they are: user, account or workspace.';
COMMENT ON COLUMN pql.attributes.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.attributes.valid_from IS 'Since when they are, or were, so.';
COMMENT ON COLUMN pql.attributes.valid_to IS 'Until when they were; infinity: they still are.';
COMMENT ON COLUMN pql.attributes.attributes IS 'The values of the columns that are kept: {"column": value}.';
--@ comments attributes attribute account_id

CREATE OR REPLACE FUNCTION pql._attributes_of(home text, as_of timestamptz DEFAULT NULL) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql__attributes_of' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._attributes_of(text, timestamptz) IS 'The attributes kept of a home, as they are or (as_of) were: as rules read them.';
REVOKE ALL ON FUNCTION pql._attributes_of(text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._named_attributes() RETURNS TABLE (unit text, name text)
  LANGUAGE sql STABLE PARALLEL SAFE COST 50 ROWS 50
  BEGIN ATOMIC
    SELECT u.unit, u.name FROM pql.attribute_use AS u;
  END;
COMMENT ON FUNCTION pql._named_attributes() IS 'The attributes that rules of published programs read.';
REVOKE ALL ON FUNCTION pql._named_attributes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._routing_attributes() RETURNS TABLE (name text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT t.attribute FROM pql.territories AS t UNION SELECT 'segment' WHERE EXISTS (SELECT FROM pql.reps AS r WHERE r.segments <> '{}');
END $$;
COMMENT ON FUNCTION pql._routing_attributes() IS 'The attributes that say which rep may have a row: those of pql.territories, and segment, if reps name some.';
REVOKE ALL ON FUNCTION pql._routing_attributes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attribute_type(type oid) RETURNS oid
  AS 'MODULE_PATHNAME', 'pql__attribute_type' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._attribute_type(oid) IS 'The type that rules see for a column''s (an enum is text, a domain what it is made of); null for one that they can''t use.';
REVOKE ALL ON FUNCTION pql._attribute_type(oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._execute_as(role text, command text) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__execute_as' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._execute_as(text, text) IS 'Runs a command as a role that the caller may act as.';
REVOKE ALL ON FUNCTION pql._execute_as(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._read_attributes(unit text) RETURNS TABLE (home text, account_id text, body jsonb)
  AS 'MODULE_PATHNAME', 'pql__read_attributes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql._read_attributes(text) IS 'What the relation attached for a unit says of whom; a row without a key has no home. Read as whoever attached it, or, where that is a superuser or the owner of pql, as the relation''s owner.';
REVOKE ALL ON FUNCTION pql._read_attributes(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._refresh_attributes(unit text)
  RETURNS TABLE (rows_read bigint, without_key bigint, changed bigint, added bigint, removed bigint)
  AS 'MODULE_PATHNAME', 'pql__refresh_attributes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._refresh_attributes(text) IS 'Brings the copy of a unit''s attributes in line with its relation, and decides anew upon whom that concerns.';
REVOKE ALL ON FUNCTION pql._refresh_attributes(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attributes_changed(homes text[]) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__attributes_changed' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._attributes_changed(text[]) IS 'Decides anew upon accounts and users, by the keys of their own homes: every home that they are seen in is written, so that whoever decides at the same time with older attributes loses the race, and decides again.';
REVOKE ALL ON FUNCTION pql._attributes_changed(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attributes_written() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__attributes_written' LANGUAGE C COST 5000;
COMMENT ON FUNCTION pql._attributes_written() IS 'The trigger on tables with attributes. Writes pql''s copy directly, so that writers need no rights on it; does nothing on a table that isn''t the one attached, and marks it broken, rather than fail, when its columns are others.';
REVOKE ALL ON FUNCTION pql._attributes_written() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attribute_relation(schema_name text, relation_name text) RETURNS oid
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  RETURN (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = schema_name AND c.relname = relation_name AND c.relkind IN ('r', 'p', 'v', 'm', 'f'));
COMMENT ON FUNCTION pql._attribute_relation(text, text) IS 'The relation that has a name now, or null.';

-- Whether writes can be seen by triggers of statements: a row then has its key alone, and no writer passes them by.
CREATE OR REPLACE FUNCTION pql._can_watch(relation oid, key_column text, role text) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE COST 250
  RETURN EXISTS (
    SELECT FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = key_column
      JOIN pg_index AS i ON i.indrelid = c.oid AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    WHERE c.oid = relation AND c.relkind IN ('r', 'p') AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
      AND has_table_privilege(role, c.oid, 'TRIGGER')
      AND NOT EXISTS (SELECT FROM pg_subscription_rel AS r WHERE r.srrelid = c.oid));
COMMENT ON FUNCTION pql._can_watch(oid, text, text) IS 'Whether triggers that a role may create see all that is written to a relation with attributes.';
REVOKE ALL ON FUNCTION pql._can_watch(oid, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_watched(relation oid) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE COST 250
  RETURN (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = relation AND t.tgfoid = 'pql._attributes_written()'::regprocedure
            AND t.tgenabled <> 'D' AND t.tgparentid = 0) = 4;
COMMENT ON FUNCTION pql._is_watched(oid) IS 'Whether a relation has the triggers that keep its attributes.';

CREATE OR REPLACE FUNCTION pql._watch_attributes(unit text, relation regclass, role text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._execute_as(role, format('CREATE OR REPLACE TRIGGER pql_attributes_%s AFTER %1$s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION pql._attributes_written(%L)',
    w.what, relation, w.sees, unit))
  FROM (VALUES ('insert', 'REFERENCING NEW TABLE AS pql_new'), ('update', 'REFERENCING OLD TABLE AS pql_old NEW TABLE AS pql_new'),
          ('delete', 'REFERENCING OLD TABLE AS pql_old'), ('truncate', '')) AS w(what, sees);
END $$;
COMMENT ON FUNCTION pql._watch_attributes(text, regclass, text) IS 'Creates the triggers on a table with attributes, with the rights of a role.';
REVOKE ALL ON FUNCTION pql._watch_attributes(text, regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._unwatch_attributes(relation oid) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT t.tgname FROM pg_trigger AS t
    WHERE t.tgrelid = relation AND t.tgfoid = 'pql._attributes_written()'::regprocedure AND t.tgparentid = 0
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', name, relation::regclass);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._unwatch_attributes(oid) IS 'Drops the triggers on a table with attributes.';
REVOKE ALL ON FUNCTION pql._unwatch_attributes(oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attribute_columns(unit text, relation oid)
  RETURNS TABLE (name text, type text, declared text, kept boolean, why text)
  LANGUAGE sql STABLE PARALLEL SAFE COST 250 ROWS 20
  BEGIN ATOMIC
    WITH named AS MATERIALIZED (SELECT n.name FROM pql._named_attributes() AS n WHERE n.unit = _attribute_columns.unit),
    found AS MATERIALIZED (
      SELECT a.attnum, a.attname::text AS name, format_type(pql._attribute_type(a.atttypid), NULL) AS type,
             format_type(a.atttypid, a.atttypmod) AS declared,
             CASE WHEN pql._attribute_type(a.atttypid) IS NULL THEN 'rules can''t use its type'
                  WHEN EXISTS (SELECT FROM named) AND a.attname NOT IN (SELECT n.name FROM named AS n)
                    AND a.attname NOT IN (SELECT n.name FROM pql._routing_attributes() AS n) THEN 'no rule names it' END AS why
      FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped),
    placed AS MATERIALIZED (SELECT f.*, count(*) FILTER (WHERE f.why IS NULL) OVER (ORDER BY f.attnum) AS place FROM found AS f)
    SELECT p.name, p.type, p.declared, p.why IS NULL AND p.place <= 100,
           coalesce(p.why, CASE WHEN p.place > 100 THEN 'there are 100 before it' END)
    FROM placed AS p ORDER BY p.attnum;
  END;
COMMENT ON FUNCTION pql._attribute_columns(text, oid) IS 'The columns of a relation: as which type rules see them (null: they can''t), which are kept as attributes of a unit, and why the others aren''t.';
REVOKE ALL ON FUNCTION pql._attribute_columns(text, oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._check_attachable(relation regclass, what text) RETURNS void
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r record;
BEGIN
  SELECT c.relkind AS kind, c.relpersistence AS persistence, c.relnamespace::regnamespace::text AS schema_name INTO r FROM pg_class AS c WHERE c.oid = relation;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'relation with OID % does not exist', relation::oid USING ERRCODE = 'undefined_table';
  END IF;
  IF r.kind NOT IN ('r', 'p', 'v', 'm', 'f') THEN
    RAISE EXCEPTION '"%" is not a table or view', relation USING ERRCODE = 'wrong_object_type';
  END IF;
  IF r.persistence = 't' THEN
    RAISE EXCEPTION '"%" is temporary', relation USING ERRCODE = 'wrong_object_type', DETAIL = 'It ends with this session.',
      HINT = 'Attach a relation that stays.';
  END IF;
  IF r.schema_name = 'pql' THEN
    RAISE EXCEPTION '"%" is one of pql''s own relations', relation USING ERRCODE = 'wrong_object_type';
  END IF;
  IF NOT has_table_privilege(relation, 'SELECT') THEN
    RAISE EXCEPTION 'permission denied for relation %', relation USING ERRCODE = 'insufficient_privilege',
      HINT = format('GRANT SELECT ON %s TO %I.', relation, current_user);
  END IF;
  -- Rows that are committed between a transaction's snapshot and the triggers would be nobody's.
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION '% can''t be attached at isolation level %', what, current_setting('transaction_isolation')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do it at READ COMMITTED.';
  END IF;
END $$;
COMMENT ON FUNCTION pql._check_attachable(regclass, text) IS 'Refuses a relation that attributes, facts and their like can''t come from. Errors: 42P01, 42809, 42501, 55000.';
REVOKE ALL ON FUNCTION pql._check_attachable(regclass, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attach_attributes(unit text, relation regclass, key_column text, account_column text)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  r record;
  before record;
  given text;
  found_column text;
  columns text[];
  types text[];
  missing text;
  watched boolean;
  counted record;
  argument text := unit || '_id';
BEGIN
  IF relation IS NULL OR key_column IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN relation IS NULL THEN 'relation' ELSE argument END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM pql._check_attachable(relation, 'attributes');
  SELECT c.oid, c.relkind AS kind, c.relpersistence AS persistence, n.nspname AS schema_name, c.relname AS name, pg_get_userbyid(c.relowner) AS owner
    INTO r FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation;
  FOREACH given IN ARRAY ARRAY[key_column, account_column] LOOP
    CONTINUE WHEN given IS NULL;
    found_column := (pql._columns_of(relation, ARRAY[given]))[1];
    IF NOT EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = found_column
          AND pql._attribute_type(a.atttypid) IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'int2'::regtype, 'int4'::regtype,
                                                  'int8'::regtype, 'uuid'::regtype)) THEN
      RAISE EXCEPTION 'column "%" of relation "%" can''t be an id', found_column, relation USING ERRCODE = 'datatype_mismatch',
        DETAIL = format('It is of type %s.', (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = found_column)),
        HINT = 'Ids are of type text, varchar, integer, bigint or uuid.';
    END IF;
    IF given IS NOT DISTINCT FROM key_column THEN
      key_column := found_column;
    ELSE
      account_column := found_column;
    END IF;
  END LOOP;

  LOCK TABLE pql.attribute_source IN SHARE ROW EXCLUSIVE MODE;
  SELECT * INTO before FROM pql.attribute_source AS s WHERE s.unit = unit;
  IF FOUND AND (before.schema_name, before.relation_name) <> (r.schema_name, r.name) THEN
    PERFORM pql._unwatch_attributes(pql._attribute_relation(before.schema_name, before.relation_name));
  END IF;
  SELECT array_agg(c.name), array_agg(c.type) INTO columns, types FROM pql._attribute_columns(unit, relation) AS c WHERE c.kept;
  watched := pql._can_watch(relation, key_column, current_user);
  INSERT INTO pql.attribute_source AS s (unit, schema_name, relation_name, owner, key_column, account_column, columns, types, watched, refreshed_at)
  VALUES (unit, r.schema_name, r.name, r.owner, key_column, account_column, coalesce(columns, '{}'), coalesce(types, '{}'), watched, statement_timestamp())
  ON CONFLICT ON CONSTRAINT attribute_source_pkey DO UPDATE SET schema_name = excluded.schema_name, relation_name = excluded.relation_name,
    owner = excluded.owner, key_column = excluded.key_column, account_column = excluded.account_column, columns = excluded.columns,
    types = excluded.types, watched = excluded.watched, broken = NULL, refreshed_at = excluded.refreshed_at, attached_at = excluded.attached_at,
    attached_by = excluded.attached_by;
  PERFORM pql._know_columns(unit, relation);
  IF watched THEN
    PERFORM pql._watch_attributes(unit, relation, current_user);
  ELSE
    PERFORM pql._unwatch_attributes(relation);
  END IF;
  SELECT * INTO counted FROM pql._refresh_attributes(unit);
  PERFORM pql._audit('attach_' || unit || 's', relation::text, jsonb_build_object('key', key_column));

  what := 'rows'; finding := counted.rows_read::text;
  advice := CASE WHEN counted.without_key > 0 THEN format('%s more have no usable %s (it is null, empty, or longer than 1000 bytes): they are ignored.',
    counted.without_key, key_column) END;
  RETURN NEXT;
  what := 'columns'; finding := coalesce(array_to_string(columns, ', '), 'none'); advice := NULL; RETURN NEXT;
  FOR what, finding, advice IN
    SELECT 'ignored', format('%s (%s)', c.name, c.declared), upper(left(c.why, 1)) || substr(c.why, 2) || '.'
    FROM pql._attribute_columns(unit, relation) AS c WHERE NOT c.kept
  LOOP
    RETURN NEXT;
  END LOOP;
  SELECT string_agg(n.name, ', ' ORDER BY n.name) INTO missing FROM pql._named_attributes() AS n WHERE n.unit = unit AND n.name <> ALL (coalesce(columns, '{}'));
  IF missing IS NOT NULL THEN
    what := 'missing'; finding := missing; advice := 'Rules of published programs name them.'; RETURN NEXT;
  END IF;
  what := 'kept by'; finding := CASE WHEN watched THEN 'triggers' ELSE 'pql.refresh_attributes()' END;
  advice := CASE WHEN watched THEN NULL WHEN r.kind IN ('r', 'p') AND NOT has_table_privilege(relation, 'TRIGGER')
      THEN format('With GRANT TRIGGER ON %s TO %I it would follow by itself.', relation, current_user)
    WHEN r.kind IN ('r', 'p') THEN format('Call it after changes. With a unique index on %s alone, a table follows by itself.', key_column)
    ELSE 'Call it after changes: in cron, or where the relation is made.' END;
  RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._attach_attributes(text, regclass, text, text) IS 'Attaches a relation with attributes of a unit.';
REVOKE ALL ON FUNCTION pql._attach_attributes(text, regclass, text, text) FROM PUBLIC;

-- Names are resolved with the caller's search path.
CREATE OR REPLACE FUNCTION pql.attach_accounts(relation text, account_id text) RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_attributes('account', attach_accounts.relation::regclass, attach_accounts.account_id, NULL) AS a;
  END;
COMMENT ON FUNCTION pql.attach_accounts(text, text) IS
  'Attaches a relation with attributes of accounts, one row each: a table, view, materialized view or foreign table, held by its name, so that it may be dropped, and made anew. pql keeps a copy of its columns, and of what they were; a table with a unique index on the id is followed by triggers, anything else by pql.refresh_attributes(). Attaching another replaces it. Errors: 42P01 no such relation, 42703 no such column, 42804 no id, 23505 ids are not unique, 42809 not a table or view, 42501 no rights, 55000 wrong isolation level, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.attach_accounts(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.attach_users(relation text, user_id text, account_id text DEFAULT NULL) RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_attributes('user', attach_users.relation::regclass, attach_users.user_id, attach_users.account_id) AS a;
  END;
COMMENT ON FUNCTION pql.attach_users(text, text, text) IS
  'Attaches a relation with attributes of users, one row each, as pql.attach_accounts does for accounts. account_id is the column with the account that a user belongs to.';
REVOKE ALL ON FUNCTION pql.attach_users(text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.attach_workspaces(relation text, workspace_id text) RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_attributes('workspace', attach_workspaces.relation::regclass, attach_workspaces.workspace_id, NULL) AS a;
  END;
COMMENT ON FUNCTION pql.attach_workspaces(text, text) IS
  'Attaches a relation with attributes of workspaces, one row each, as pql.attach_accounts does for accounts.';
REVOKE ALL ON FUNCTION pql.attach_workspaces(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._know_columns(unit text, relation oid) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  c record;
BEGIN
  SELECT coalesce(array_agg(x.name) FILTER (WHERE x.kept), '{}') AS kept, coalesce(array_agg(x.type) FILTER (WHERE x.kept), '{}') AS kept_types,
         coalesce(array_agg(x.name) FILTER (WHERE x.type IS NOT NULL), '{}') AS usable,
         coalesce(array_agg(x.type) FILTER (WHERE x.type IS NOT NULL), '{}') AS types
  INTO c FROM pql._attribute_columns(unit, relation) AS x;
  -- An UPDATE of no row, too, would make every backend read the definitions again.
  IF EXISTS (SELECT FROM pql.attribute_source AS s WHERE s.unit = unit
             AND (s.columns, s.types, s.usable_columns, s.usable_types) IS DISTINCT FROM (c.kept, c.kept_types, c.usable, c.types)) THEN
    UPDATE pql.attribute_source AS s SET columns = c.kept, types = c.kept_types, usable_columns = c.usable, usable_types = c.types WHERE s.unit = unit;
  END IF;
END $$;
COMMENT ON FUNCTION pql._know_columns(text, oid) IS 'Notes which columns of a relation rules may name, and which are kept.';
REVOKE ALL ON FUNCTION pql._know_columns(text, oid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._detach_attributes(unit text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s record;
  homes text[];
BEGIN
  DELETE FROM pql.attribute_source AS x WHERE x.unit = unit RETURNING * INTO s;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no relation with attributes of %s is attached', unit USING ERRCODE = 'undefined_object';
  END IF;
  PERFORM pql._unwatch_attributes(pql._attribute_relation(s.schema_name, s.relation_name));
  WITH gone AS (DELETE FROM pql.attribute AS a WHERE a.home LIKE left(unit, 1) || ':%' RETURNING a.home)
  SELECT array_agg(g.home) INTO homes FROM gone AS g;
  DELETE FROM pql.attribute_history AS h WHERE h.home LIKE left(unit, 1) || ':%';
  IF EXISTS (SELECT FROM pql._named_attributes() AS n WHERE n.unit = unit) THEN
    PERFORM pql._attributes_changed(homes);
  END IF;
  PERFORM pql._audit('detach_' || unit || 's', format('%I.%I', s.schema_name, s.relation_name));
END $$;
COMMENT ON FUNCTION pql._detach_attributes(text) IS 'Forgets a relation with attributes of a unit, and the copy.';
REVOKE ALL ON FUNCTION pql._detach_attributes(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_accounts() RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT pql._detach_attributes('account');
  END;
COMMENT ON FUNCTION pql.detach_accounts() IS 'Forgets the relation with attributes of accounts, what pql kept of it, and what that was before. Error: 42704 none is attached.';
REVOKE ALL ON FUNCTION pql.detach_accounts() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_users() RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT pql._detach_attributes('user');
  END;
COMMENT ON FUNCTION pql.detach_users() IS 'Forgets the relation with attributes of users, what pql kept of it, and what that was before. Error: 42704 none is attached.';
REVOKE ALL ON FUNCTION pql.detach_users() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_workspaces() RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT pql._detach_attributes('workspace');
  END;
COMMENT ON FUNCTION pql.detach_workspaces() IS 'Forgets the relation with attributes of workspaces, what pql kept of it, and what that was before. Error: 42704 none is attached.';
REVOKE ALL ON FUNCTION pql.detach_workspaces() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.refresh_attributes(INOUT unit text DEFAULT NULL, OUT changed bigint, OUT added bigint, OUT removed bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  wanted text := unit;
  s pql.attribute_source;
  relation oid;
  found_columns text[];
  missing text;
  detail text;
BEGIN
  IF wanted NOT IN ('account', 'user', 'workspace') THEN
    RAISE EXCEPTION 'unit "%" is not known', wanted USING ERRCODE = 'invalid_parameter_value', HINT = 'Use ''account'', ''user'' or ''workspace''.';
  END IF;
  IF wanted IS NOT NULL AND NOT EXISTS (SELECT FROM pql.attribute_source AS x WHERE x.unit = wanted) THEN
    RAISE EXCEPTION 'no relation with attributes of %s is attached', wanted USING ERRCODE = 'undefined_object',
      HINT = format('Attach one with pql.attach_%ss().', wanted);
  END IF;
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'attributes can''t be refreshed at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do it at READ COMMITTED.';
  END IF;
  FOR s IN SELECT * FROM pql.attribute_source AS x WHERE wanted IS NULL OR x.unit = wanted ORDER BY x.unit FOR UPDATE LOOP
    BEGIN
      relation := pql._attribute_relation(s.schema_name, s.relation_name);
      -- What is there now: columns may have come, and a table that took the name has no triggers.
      SELECT array_agg(c.name) INTO found_columns FROM pql._attribute_columns(s.unit, relation) AS c WHERE c.kept;
      SELECT string_agg(n.name, ', ' ORDER BY n.name) INTO missing
      FROM pql._named_attributes() AS n WHERE n.unit = s.unit AND n.name <> ALL (coalesce(found_columns, '{}'));
      IF relation IS NOT NULL AND missing IS NOT NULL THEN
        RAISE EXCEPTION 'attributes in relation "%.%" can''t be read', s.schema_name, s.relation_name
          USING ERRCODE = 'undefined_column', DETAIL = format('Rules of published programs name columns that rules can''t read in it: %s.', missing);
      END IF;
      s.watched := coalesce(pql._can_watch(relation, s.key_column, s.attached_by), false);
      IF s.watched AND NOT pql._is_watched(relation) THEN
        PERFORM pql._watch_attributes(s.unit, relation, s.attached_by);
      ELSIF NOT s.watched AND pql._is_watched(relation) THEN
        PERFORM pql._unwatch_attributes(relation); -- of two rows with one key they would see one
      END IF;
      PERFORM pql._know_columns(s.unit, relation);
      UPDATE pql.attribute_source AS x SET watched = s.watched, broken = NULL, refreshed_at = statement_timestamp() WHERE x.unit = s.unit;
      SELECT s.unit, r.changed, r.added, r.removed INTO unit, changed, added, removed FROM pql._refresh_attributes(s.unit) AS r;
      RETURN NEXT;
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
        UPDATE pql.attribute_source AS x SET broken = concat_ws(': ', SQLERRM, nullif(detail, '')) WHERE x.unit = s.unit;
        RAISE WARNING '%', SQLERRM USING ERRCODE = SQLSTATE, DETAIL = coalesce(nullif(detail, ''), 'What is known of attributes stays.'),
          HINT = 'See pql.attribute_sources.';
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.refresh_attributes(text) IS
  'Compares pql''s copy of attributes (of accounts, users or workspaces; null: of all) with the relations they come from, takes over what differs, and decides anew upon whom that concerns. Views, models and foreign tables are followed only by this; a table that took another''s place gets its triggers. Returns a row for each relation; one that can''t be read is told of in a warning and in pql.attribute_sources, and the copy stays. Errors: 42704 none is attached, 22023 unknown unit, 55000 wrong isolation level.';
REVOKE ALL ON FUNCTION pql.refresh_attributes(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._keep_routing_attributes() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') OR NOT EXISTS (SELECT FROM pql._routing_attributes()) THEN
    RETURN;
  END IF;
  PERFORM pql.refresh_attributes(s.unit) FROM pql.attribute_source AS s, LATERAL (SELECT pql._attribute_relation(s.schema_name, s.relation_name) AS id) AS r
  WHERE s.broken IS NULL AND r.id IS NOT NULL AND EXISTS (
    SELECT FROM pql._attribute_columns(s.unit, r.id) AS c JOIN pql._routing_attributes() AS n ON n.name = c.name WHERE c.kept AND c.name <> ALL (s.columns));
END $$;
COMMENT ON FUNCTION pql._keep_routing_attributes() IS 'Reads the attributes that territories and segments of reps need and that were not kept so far.';
REVOKE ALL ON FUNCTION pql._keep_routing_attributes() FROM PUBLIC;

CREATE VIEW pql.attribute_sources WITH (security_invoker = true) AS
  SELECT s.unit, format('%I.%I', s.schema_name, s.relation_name) AS relation, s.key_column AS key, s.account_column AS account, s.columns, s.types,
         s.refreshed_at, (SELECT count(*) FROM pql.attribute AS a WHERE a.home LIKE left(s.unit, 1) || ':%') AS rows,
         CASE WHEN s.watched THEN 'triggers' ELSE 'pql.refresh_attributes()' END AS kept_by,
         CASE WHEN x.relation IS NULL THEN 'it doesn''t exist'
              WHEN s.broken IS NOT NULL THEN s.broken
              WHEN s.watched AND NOT pql._is_watched(x.relation) THEN 'triggers are missing or disabled, as after a table took its name: pql.refresh_attributes() mends it' END AS broken,
         s.attached_by, s.attached_at
  FROM pql.attribute_source AS s, LATERAL (SELECT pql._attribute_relation(s.schema_name, s.relation_name) AS relation) AS x;
COMMENT ON VIEW pql.attribute_sources IS 'The relations that attributes of accounts, users and workspaces come from, and how pql''s copy follows them.';
COMMENT ON COLUMN pql.attribute_sources.relation IS 'The relation, by its name.';
COMMENT ON COLUMN pql.attribute_sources.rows IS 'How many subjects pql has a copy of.';
COMMENT ON COLUMN pql.attribute_sources.kept_by IS 'What keeps the copy: triggers, or pql.refresh_attributes(), which you call after changes.';
--@ comments attribute_sources attribute_source unit key=key_column account=account_column columns types attached_by attached_at
COMMENT ON COLUMN pql.attribute_sources.refreshed_at IS 'When all of it was last compared with the relation.';
COMMENT ON COLUMN pql.attribute_sources.broken IS 'Why the copy doesn''t follow the relation; null when it does.';
