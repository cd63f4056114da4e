-- Dispositions that lie in a table of the CRM: told to routing rows once each, as pql.touch and pql.dispose would be.
CREATE TABLE pql.disposition_source (
  schema_name    text NOT NULL,
  relation_name  text NOT NULL,
  owner          text NOT NULL,
  names          text[] NOT NULL,
  columns        text[] NOT NULL,
  broken         text,
  refreshed_at   timestamptz,
  attached_at    timestamptz NOT NULL DEFAULT now(),
  attached_by    text NOT NULL DEFAULT current_user,
  PRIMARY KEY (schema_name, relation_name)
);
COMMENT ON TABLE pql.disposition_source IS 'The relations that dispositions come from, by name. Made by pql.attach_dispositions.';
COMMENT ON COLUMN pql.disposition_source.schema_name IS 'The schema of the relation.';
COMMENT ON COLUMN pql.disposition_source.relation_name IS 'The relation''s name.';
COMMENT ON COLUMN pql.disposition_source.owner IS 'Who owned the relation when it was attached.';
COMMENT ON COLUMN pql.disposition_source.columns IS 'The columns that give the arguments in names, in the same order.';
COMMENT ON COLUMN pql.disposition_source.refreshed_at IS 'When it was last read; null: never.';
COMMENT ON COLUMN pql.disposition_source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.disposition_source.attached_by IS 'The role that attached it, with whose rights it is read.';
COMMENT ON COLUMN pql.disposition_source.names IS 'The arguments of pql.attach_dispositions that were given, of which columns has the columns; the first is id.';
COMMENT ON COLUMN pql.disposition_source.broken IS 'Why it couldn''t be read the last time; null: it could.';

CREATE TABLE pql.disposition_import (
  schema_name    text NOT NULL,
  relation_name  text NOT NULL,
  id             text COLLATE "C" NOT NULL,
  routing_id     bigint,
  at             timestamptz NOT NULL,
  problem        text,
  PRIMARY KEY (schema_name, relation_name, id)
);
COMMENT ON TABLE pql.disposition_import IS 'The rows of attached dispositions that were looked at, when, and which routing row they were told to; those that couldn''t be are tried again by the next pql.refresh_dispositions().';
COMMENT ON COLUMN pql.disposition_import.schema_name IS 'The schema of the relation.';
COMMENT ON COLUMN pql.disposition_import.relation_name IS 'The relation''s name.';
COMMENT ON COLUMN pql.disposition_import.id IS 'The row''s id there.';
COMMENT ON COLUMN pql.disposition_import.routing_id IS 'The routing row that it was told to; null: none.';
COMMENT ON COLUMN pql.disposition_import.at IS 'When the row was looked at last.';
COMMENT ON COLUMN pql.disposition_import.problem IS 'Why it couldn''t be told; null: it was.';
SELECT pg_catalog.pg_extension_config_dump('pql.disposition_source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.disposition_import', '');

CREATE OR REPLACE FUNCTION pql._read_columns(schema_name text, relation_name text, owner text, attached_by text, names text[], columns text[])
  RETURNS TABLE (id text, said jsonb)
  AS 'MODULE_PATHNAME', 'pql__read_columns' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 500;
COMMENT ON FUNCTION pql._read_columns(text, text, text, text, text[], text[]) IS 'Columns of a relation''s rows as text, by names; the first is the id. Read as pql._read_attributes does.';
REVOKE ALL ON FUNCTION pql._read_columns(text, text, text, text, text[], text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attach_dispositions(relation regclass, names text[], given text[]) RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  used text[];
  columns text[];
  counted record;
BEGIN
  IF relation IS NULL OR given[1] IS NULL OR given[2] IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN relation IS NULL THEN 'relation' WHEN given[1] IS NULL THEN 'id' ELSE 'disposition' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF num_nonnulls(given[3], given[4], given[5]) <> 1 THEN
    RAISE EXCEPTION 'what is disposed of must be said once' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give routing_id, account_id or user_id: the column that says it.';
  END IF;
  PERFORM pql._check_attachable(relation, 'dispositions');
  columns := pql._columns_of(relation, given);
  used := ARRAY(SELECT g.name FROM unnest(names, given) WITH ORDINALITY AS g(name, given, n) WHERE g.given IS NOT NULL ORDER BY g.n);
  INSERT INTO pql.disposition_source AS s (schema_name, relation_name, owner, names, columns)
  SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), used, columns FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
  ON CONFLICT ON CONSTRAINT disposition_source_pkey DO UPDATE SET owner = excluded.owner, names = excluded.names, columns = excluded.columns, broken = NULL,
    attached_at = excluded.attached_at, attached_by = excluded.attached_by;
  PERFORM pql._audit('attach_dispositions', relation::text);
  SELECT r.told, r.problems INTO counted FROM pql.refresh_dispositions() AS r WHERE r.relation::regclass = relation;
  what := 'told'; finding := counted.told::text; advice := NULL; RETURN NEXT;
  what := 'problems'; finding := counted.problems::text;
  advice := CASE WHEN counted.problems > 0 THEN 'Table pql.disposition_import has why; they are tried again.' END;
  RETURN NEXT;
  what := 'kept by'; finding := 'pql.refresh_dispositions()'; advice := 'Call it after changes: in cron, or where the relation is made.'; RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._attach_dispositions(regclass, text[], text[]) IS 'Attaches a relation with dispositions.';
REVOKE ALL ON FUNCTION pql._attach_dispositions(regclass, text[], text[]) FROM PUBLIC;

-- Names are resolved with the caller's search path.
CREATE OR REPLACE FUNCTION pql.attach_dispositions(relation text, id text, disposition text, routing_id text DEFAULT NULL, account_id text DEFAULT NULL,
                                                   user_id text DEFAULT NULL, at text DEFAULT NULL, channel text DEFAULT NULL, note text DEFAULT NULL)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 3
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_dispositions(attach_dispositions.relation::regclass,
      ARRAY['id', 'disposition', 'routing_id', 'account_id', 'user_id', 'at', 'channel', 'note'],
      ARRAY[attach_dispositions.id, attach_dispositions.disposition, attach_dispositions.routing_id, attach_dispositions.account_id, attach_dispositions.user_id,
            attach_dispositions.at, attach_dispositions.channel, attach_dispositions.note]) AS a;
  END;
COMMENT ON FUNCTION pql.attach_dispositions(text, text, text, text, text, text, text, text, text) IS
  'Attaches a relation whose rows are dispositions, as a CRM has them, held by its name; each argument is the column that says it. pql.refresh_dispositions() tells each row once, by its id, to the routing row meant: the one of a routing_id, or the one that somebody is at work on of an account or a user. A contact (at, by a channel) is told of with it where none was. Errors: 42P01 no such relation, 42703 no such column, 22023 not one of routing_id, account_id and user_id, 42809 not a table or view, 42501 no rights, 55000 wrong isolation level, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.attach_dispositions(text, text, text, text, text, text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_dispositions(relation text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'relation must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  DELETE FROM pql.disposition_source AS s WHERE relation IN (format('%I.%I', s.schema_name, s.relation_name), s.schema_name || '.' || s.relation_name);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no dispositions are attached from "%"', relation USING ERRCODE = 'undefined_object', HINT = 'Table pql.disposition_source has those that are.';
  END IF;
  PERFORM pql._audit('detach_dispositions', relation);
END $$;
COMMENT ON FUNCTION pql.detach_dispositions(text) IS 'Forgets a relation with dispositions, by its name with the schema; what was told stays, and is not told again when it is attached again. Errors: 42704 not attached, 22004 null.';
REVOKE ALL ON FUNCTION pql.detach_dispositions(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._meant_by(said jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  unit text := CASE WHEN said ? 'user_id' THEN 'user' ELSE 'account' END;
  subject text := coalesce(said ->> 'user_id', said ->> 'account_id');
  id bigint;
BEGIN
  IF said ? 'routing_id' THEN
    RETURN (said ->> 'routing_id')::bigint;
  END IF;
  IF subject IS NULL THEN
    RAISE EXCEPTION 'it doesn''t say whose it is' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT r.routing_id INTO id FROM pql.routing AS r
  WHERE r.state IN ('claimed', 'accepted', 'touched') AND CASE unit WHEN 'user' THEN r.user_id = subject
    ELSE coalesce('a:' || r.account_id, r.home) COLLATE "C" = ANY (pql._places(subject, NULL)) END
  ORDER BY r.snoozed_until IS NOT NULL, r.routing_id DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nobody is at work on % "%"', unit, subject USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN id;
END $$;
COMMENT ON FUNCTION pql._meant_by(jsonb) IS 'The routing row that an attached disposition means. Errors: 22023 it says none, 55000 nobody is at work on it.';
REVOKE ALL ON FUNCTION pql._meant_by(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._tell_disposition(said jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing := pql._lock_routing(pql._meant_by(said));
  now timestamptz := greatest(pql._now(), r.state_since);
  disposition text := lower(said ->> 'disposition');
BEGIN
  IF r.state IN ('claimed', 'accepted') AND (disposition NOT IN ('disqualified', 'nurture', 'routed_to_cs') OR said ? 'channel') THEN
    PERFORM pql._touch(NULL, r.routing_id, coalesce(lower(said ->> 'channel'), 'crm'), said ->> 'note',
      greatest(least(coalesce((said ->> 'at')::timestamptz, now), now), r.qualified_at));
  END IF;
  PERFORM pql._dispose(NULL, r.routing_id, disposition, NULL, NULL, NULL, said ->> 'note', NULL);
  RETURN r.routing_id;
END $$;
COMMENT ON FUNCTION pql._tell_disposition(jsonb) IS 'Tells an attached disposition to the routing row that it means.';
REVOKE ALL ON FUNCTION pql._tell_disposition(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.refresh_dispositions(OUT relation text, OUT told bigint, OUT problems bigint) RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s pql.disposition_source;
  row record;
  told_to bigint;
  why text;
BEGIN
  FOR s IN SELECT * FROM pql.disposition_source AS x ORDER BY x.schema_name, x.relation_name FOR UPDATE LOOP
    relation := format('%I.%I', s.schema_name, s.relation_name);
    told := 0;
    problems := 0;
    BEGIN
      FOR row IN
        SELECT d.id, d.said FROM pql._read_columns(s.schema_name, s.relation_name, s.owner, s.attached_by, s.names, s.columns) AS d
        WHERE d.id <> '' AND NOT EXISTS (SELECT FROM pql.disposition_import AS i
          WHERE (i.schema_name, i.relation_name, i.id) = (s.schema_name, s.relation_name, d.id) AND i.problem IS NULL)
          AND NOT pql._is_erased('u:' || (d.said ->> 'user_id')) AND NOT pql._is_erased('a:' || (d.said ->> 'account_id'))
        ORDER BY d.said ->> 'at', d.id
      LOOP
        told_to := NULL;
        why := NULL;
        BEGIN
          told_to := pql._tell_disposition(row.said);
          told := told + 1;
        EXCEPTION
          WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
            RAISE;
          WHEN OTHERS THEN
            why := SQLERRM;
            problems := problems + 1;
        END;
        INSERT INTO pql.disposition_import AS i (schema_name, relation_name, id, routing_id, at, problem)
        VALUES (s.schema_name, s.relation_name, row.id, told_to, statement_timestamp(), why)
        ON CONFLICT ON CONSTRAINT disposition_import_pkey DO UPDATE SET routing_id = excluded.routing_id, at = excluded.at, problem = excluded.problem;
      END LOOP;
      why := NULL;
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL;
        why := concat_ws(': ', SQLERRM, nullif(why, ''));
        told := 0; -- and taken back
        RAISE WARNING '%', why USING HINT = 'See pql.disposition_source.';
    END;
    UPDATE pql.disposition_source AS x SET refreshed_at = statement_timestamp(), broken = why
    WHERE (x.schema_name, x.relation_name) = (s.schema_name, s.relation_name);
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.refresh_dispositions() IS 'Tells the rows of attached dispositions that weren''t told yet to their routing rows, the oldest first. Returns for each relation how many were told and how many can''t be; pql.disposition_import has why. Fails for none of them.';
REVOKE ALL ON FUNCTION pql.refresh_dispositions() FROM PUBLIC;
