-- Consent that lies in a table of the CRM or of a preference centre: copied to pql.consent, and taken back with its row.
CREATE TABLE pql.consent_source (
  source_id      bigint PRIMARY KEY DEFAULT pql.next_id(),
  schema_name    text NOT NULL,
  relation_name  text NOT NULL,
  owner          text NOT NULL,
  unit           text NOT NULL CHECK (unit IN ('user', 'account')),
  key_column     text NOT NULL,
  channel        text NOT NULL,
  given          text NOT NULL,
  at             text,
  condition      text,
  broken         text,
  refreshed_at   timestamptz,
  attached_at    timestamptz NOT NULL DEFAULT now(),
  attached_by    text NOT NULL DEFAULT current_user,
  CONSTRAINT channel_is_attached_once UNIQUE (schema_name, relation_name, unit, channel)
);
COMMENT ON TABLE pql.consent_source IS 'The relations that consent comes from, by name. Made by pql.attach_consent.';
COMMENT ON COLUMN pql.consent_source.source_id IS 'The number of the source.';
COMMENT ON COLUMN pql.consent_source.schema_name IS 'The schema of the relation.';
COMMENT ON COLUMN pql.consent_source.relation_name IS 'The relation''s name.';
COMMENT ON COLUMN pql.consent_source.unit IS 'Whose consent its rows are: user or account.';
COMMENT ON COLUMN pql.consent_source.key_column IS 'The column with the id of the user or account.';
COMMENT ON COLUMN pql.consent_source.given IS 'Whether they agreed, as a SQL boolean over the row.';
COMMENT ON COLUMN pql.consent_source.refreshed_at IS 'When it was last read; null: never.';
COMMENT ON COLUMN pql.consent_source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.consent_source.attached_by IS 'The role that attached it, with whose rights it is read.';
COMMENT ON COLUMN pql.consent_source.owner IS 'Who owned the relation when it was attached.';
COMMENT ON COLUMN pql.consent_source.channel IS 'Which channel a row is about, as SQL over the row.';
COMMENT ON COLUMN pql.consent_source.at IS 'Since when, as SQL over the row; null: since it was first seen to be so.';
COMMENT ON COLUMN pql.consent_source.condition IS 'Which rows count, as a SQL boolean over the row; null: all.';
COMMENT ON COLUMN pql.consent_source.broken IS 'Why it couldn''t be read the last time; null: it could.';

CREATE TABLE pql.consent_import (
  source_id   bigint NOT NULL,
  subject_id  text COLLATE "C" NOT NULL,
  channel     text NOT NULL,
  at          timestamptz NOT NULL,
  granted     boolean NOT NULL,
  dated       boolean NOT NULL,
  PRIMARY KEY (source_id, subject_id, channel, at)
);
COMMENT ON TABLE pql.consent_import IS 'What attached relations have said to pql.consent, so that it can be taken back.';
COMMENT ON COLUMN pql.consent_import.source_id IS 'The relation that said it (pql.consent_source).';
--@ comments consent_import consent subject_id channel at granted
COMMENT ON COLUMN pql.consent_import.dated IS 'Whether the row said when; otherwise it is when it was first seen.';

CREATE TABLE pql.consent_problem (
  source_id   bigint NOT NULL,
  subject_id  text COLLATE "C" NOT NULL,
  channel     text NOT NULL,
  problem     text NOT NULL,
  rows        bigint NOT NULL,
  PRIMARY KEY (source_id, subject_id, channel, problem)
);
COMMENT ON TABLE pql.consent_problem IS 'Rows of attached relations that couldn''t be copied to pql.consent, and why, as of the last pql.refresh_consent().';
COMMENT ON COLUMN pql.consent_problem.source_id IS 'The relation (pql.consent_source).';
COMMENT ON COLUMN pql.consent_problem.channel IS 'By which channel, as far as it is said.';
COMMENT ON COLUMN pql.consent_problem.problem IS 'Why they couldn''t be copied.';
COMMENT ON COLUMN pql.consent_problem.rows IS 'How many rows.';
COMMENT ON COLUMN pql.consent_problem.subject_id IS 'Of whom, as far as it is said; its first 100 characters.';
SELECT pg_catalog.pg_extension_config_dump('pql.consent_source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.consent_import', '');
SELECT pg_catalog.pg_extension_config_dump('pql.consent_problem', '');

CREATE OR REPLACE FUNCTION pql._read_consent(schema_name text, relation_name text, owner text, attached_by text, key_column text, channel text, given text, at text,
                                             condition text)
  RETURNS TABLE (subject_id text, channel text, given boolean, at timestamptz, problem text)
  AS 'MODULE_PATHNAME', 'pql__read_consent' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql._read_consent(text, text, text, text, text, text, text, text, text) IS 'What the rows of a relation say, of those that say something, and what is wrong with those for which an expression fails; at and condition may be null. Read as pql._read_attributes does.';
REVOKE ALL ON FUNCTION pql._read_consent(text, text, text, text, text, text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._check_consent(relation regclass, channel text, given text, at text, condition text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._compile_expression(relation, x.expression, x.wanted, x.argument)
  FROM (VALUES (channel, 'text'::regtype, 'channel'), (given, 'boolean', 'given'), (at, 'timestamptz', 'at'), (condition, 'boolean', 'where'))
    AS x(expression, wanted, argument) WHERE x.expression IS NOT NULL;
END $$;
COMMENT ON FUNCTION pql._check_consent(regclass, text, text, text, text) IS 'Raises what is wrong with the expressions of attached consent.';
REVOKE ALL ON FUNCTION pql._check_consent(regclass, text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._copy_consent(s pql.consent_source, OUT told bigint, OUT taken_back bigint, OUT problems bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  name text := format('%I.%I', s.schema_name, s.relation_name);
BEGIN
  WITH said AS MATERIALIZED (
    SELECT r.subject_id, coalesce(lower(r.channel), '') AS channel, r.given, r.at,
      CASE WHEN r.subject_id IS NULL OR r.subject_id = '' THEN 'it doesn''t say whose it is'
           WHEN octet_length(r.subject_id) > 1000 THEN 'its id is longer than 1000 bytes'
           WHEN octet_length(r.channel) > 200 THEN 'its channel is longer than 200 bytes'
           WHEN r.problem IS NOT NULL THEN left(r.problem, 500)
           WHEN NOT isfinite(r.at) THEN 'it doesn''t say when'
           WHEN r.at > statement_timestamp() THEN 'it is of the future' END AS problem
    FROM pql._read_consent(s.schema_name, s.relation_name, s.owner, s.attached_by, s.key_column, s.channel, s.given, s.at, s.condition) AS r WHERE NOT pql._is_erased(left(s.unit, 1) || ':' || r.subject_id)
  ), undated AS (
    SELECT DISTINCT ON (i.subject_id, i.channel) i.subject_id, i.channel, i.granted, i.at FROM pql.consent_import AS i
    WHERE i.source_id = s.source_id AND NOT i.dated ORDER BY i.subject_id, i.channel, i.at DESC
  ), one AS ( -- who agrees and objects at once objects
    SELECT d.subject_id, d.channel, d.at, bool_and(d.given) AS granted FROM said AS d WHERE d.problem IS NULL GROUP BY 1, 2, 3
  ), wanted AS MATERIALIZED (
    SELECT o.subject_id, o.channel, coalesce(o.at, u.at, statement_timestamp()) AS at, bool_and(o.granted) AS granted, bool_and(o.at IS NOT NULL) AS dated
    FROM one AS o LEFT JOIN undated AS u ON o.at IS NULL AND (u.subject_id, u.channel, u.granted) = (o.subject_id, o.channel, o.granted)
    GROUP BY 1, 2, 3
  ), newest AS (
    SELECT w.subject_id, w.channel, max(w.at) AS at FROM wanted AS w GROUP BY 1, 2
  ), changed AS MATERIALIZED (
    SELECT w.* FROM wanted AS w LEFT JOIN pql.consent_import AS i
      ON i.source_id = s.source_id AND (i.subject_id, i.channel, i.at) = (w.subject_id, w.channel, w.at)
    WHERE i.granted IS DISTINCT FROM w.granted
  ), gone AS MATERIALIZED ( -- what was said before the newest row stays, as what was true then; and all of whom a row can't be read
    SELECT i.subject_id, i.channel, i.at FROM pql.consent_import AS i LEFT JOIN newest AS n ON (n.subject_id, n.channel) = (i.subject_id, i.channel)
    WHERE i.source_id = s.source_id AND (n.at IS NULL OR i.at > n.at)
      AND NOT EXISTS (SELECT FROM said AS d WHERE d.problem IS NOT NULL AND d.subject_id = i.subject_id)
  ), telling AS ( -- of two who speak of one instant, the one who objects
    INSERT INTO pql.consent AS c (unit, subject_id, channel, granted, at, source)
    SELECT s.unit, w.subject_id, w.channel, w.granted, w.at, name FROM changed AS w ORDER BY w.subject_id, w.channel, w.at
    ON CONFLICT ON CONSTRAINT consent_pkey DO UPDATE SET granted = excluded.granted, source = excluded.source
    WHERE c.granted <> excluded.granted AND (c.granted OR c.source = excluded.source)
    RETURNING 1
  ), taking AS (
    DELETE FROM pql.consent AS c USING gone AS g
    WHERE (c.unit, c.subject_id, c.channel, c.at) = (s.unit, g.subject_id, g.channel, g.at) AND c.source = name
    RETURNING 1
  ), noting AS (
    INSERT INTO pql.consent_import AS i (source_id, subject_id, channel, at, granted, dated)
    SELECT s.source_id, w.subject_id, w.channel, w.at, w.granted, w.dated FROM changed AS w
    ON CONFLICT ON CONSTRAINT consent_import_pkey DO UPDATE SET granted = excluded.granted, dated = excluded.dated
  ), forgetting AS (
    DELETE FROM pql.consent_import AS i USING gone AS g
    WHERE i.source_id = s.source_id AND (i.subject_id, i.channel, i.at) = (g.subject_id, g.channel, g.at)
  ), bad AS MATERIALIZED (
    SELECT coalesce(left(d.subject_id, 100), '') AS subject_id, left(d.channel, 100) AS channel, d.problem, count(*) AS rows FROM said AS d
    WHERE d.problem IS NOT NULL GROUP BY 1, 2, 3
  ), listing AS (
    INSERT INTO pql.consent_problem AS p (source_id, subject_id, channel, problem, rows)
    SELECT s.source_id, b.subject_id, b.channel, b.problem, b.rows FROM bad AS b
    ON CONFLICT ON CONSTRAINT consent_problem_pkey DO UPDATE SET rows = excluded.rows WHERE p.rows <> excluded.rows
  ), unlisting AS (
    DELETE FROM pql.consent_problem AS p WHERE p.source_id = s.source_id
      AND NOT EXISTS (SELECT FROM bad AS b WHERE (b.subject_id, b.channel, b.problem) = (p.subject_id, p.channel, p.problem))
  )
  SELECT (SELECT count(*) FROM telling), (SELECT count(*) FROM taking), coalesce((SELECT sum(b.rows) FROM bad AS b), 0)
    INTO told, taken_back, problems;
  UPDATE pql.consent_source AS x SET refreshed_at = statement_timestamp(), broken = NULL WHERE x.source_id = s.source_id;
END $$;
COMMENT ON FUNCTION pql._copy_consent(pql.consent_source) IS 'Brings pql.consent in line with an attached relation. Fails when that can''t be read.';
REVOKE ALL ON FUNCTION pql._copy_consent(pql.consent_source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attach_consent(relation regclass, given text, user_id text, account_id text, channel text, at text, condition text)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 4 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  means text := coalesce(channel, '''''');
  key text;
  s pql.consent_source;
  counted record;
BEGIN
  IF relation IS NULL OR given IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN relation IS NULL THEN 'relation' ELSE 'given' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF num_nonnulls(user_id, account_id) <> 1 THEN
    RAISE EXCEPTION 'whose consent it is must be said once' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give user_id or account_id: the column that says it.';
  END IF;
  PERFORM pql._check_attachable(relation, 'consent');
  key := pql._id_column(relation, coalesce(user_id, account_id));
  PERFORM pql._check_consent(relation, means, given, at, condition);
  INSERT INTO pql.consent_source AS x (schema_name, relation_name, owner, unit, key_column, channel, given, at, condition)
  SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), CASE WHEN user_id IS NULL THEN 'account' ELSE 'user' END, key, means, given, at, condition
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
  ON CONFLICT ON CONSTRAINT channel_is_attached_once DO UPDATE SET owner = excluded.owner, key_column = excluded.key_column, given = excluded.given,
    at = excluded.at, condition = excluded.condition, attached_at = excluded.attached_at, attached_by = excluded.attached_by
  RETURNING * INTO s;
  SELECT * INTO counted FROM pql._copy_consent(s);
  PERFORM pql._audit('attach_consent', relation::text, jsonb_build_object('key', key, 'channel', means));
  what := 'told'; finding := counted.told::text; advice := NULL; RETURN NEXT;
  what := 'taken back'; finding := counted.taken_back::text; RETURN NEXT;
  what := 'problems'; finding := counted.problems::text;
  advice := CASE WHEN counted.problems > 0 THEN 'Table pql.consent_problem has why; they are tried again.' END;
  RETURN NEXT;
  what := 'kept by'; finding := 'pql.refresh_consent()'; advice := 'Call it after changes: in cron, or where the relation is made.'; RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._attach_consent(regclass, text, text, text, text, text, text) IS 'Attaches a relation with consent.';
REVOKE ALL ON FUNCTION pql._attach_consent(regclass, text, text, text, text, text, text) FROM PUBLIC;

-- Names are resolved with the caller's search path.
CREATE OR REPLACE FUNCTION pql.attach_consent(relation text, given text, user_id text DEFAULT NULL, account_id text DEFAULT NULL, channel text DEFAULT NULL,
                                              at text DEFAULT NULL, "where" text DEFAULT NULL)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 4
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_consent(attach_consent.relation::regclass, attach_consent.given, attach_consent.user_id,
      attach_consent.account_id, attach_consent.channel, attach_consent.at, attach_consent."where") AS a;
  END;
COMMENT ON FUNCTION pql.attach_consent(text, text, text, text, text, text, text) IS
  'Attaches a relation that has who agreed to be contacted and who objected, held by its name: user_id or account_id is the column that says who, given a SQL boolean over the row (null: nothing was said), channel a column or expression (none, null or empty: any channel; in lower case), at since when (none or null: since it was first seen to be so), of the rows for which a SQL boolean (where) holds. pql.refresh_consent() copies it to pql.consent, with the relation as source. Attaching a relation for the same unit and channel again replaces that; each channel with a column of its own is attached once. Errors: 42P01 no such relation, 42703 no such column, 42804 no id, 22023 not one of user_id and account_id, 42601 and others a wrong expression, 42809 not a table or view, 42501 no rights, 55000 wrong isolation level, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.attach_consent(text, text, text, text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_consent(relation text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  gone bigint[];
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'relation must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  WITH d AS (
    DELETE FROM pql.consent_source AS s WHERE relation IN (format('%I.%I', s.schema_name, s.relation_name), s.schema_name || '.' || s.relation_name)
    RETURNING s.source_id)
  SELECT array_agg(d.source_id) INTO gone FROM d;
  IF gone IS NULL THEN
    RAISE EXCEPTION 'no consent is attached from "%"', relation USING ERRCODE = 'undefined_object', HINT = 'Table pql.consent_source has what is.';
  END IF;
  DELETE FROM pql.consent_import AS i WHERE i.source_id = ANY (gone);
  DELETE FROM pql.consent_problem AS p WHERE p.source_id = ANY (gone);
  PERFORM pql._audit('detach_consent', relation);
END $$;
COMMENT ON FUNCTION pql.detach_consent(text) IS 'Forgets a relation with consent, by its name with the schema, for all channels; what it said stays in pql.consent. Errors: 42704 not attached, 22004 null.';
REVOKE ALL ON FUNCTION pql.detach_consent(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.refresh_consent(OUT relation text, OUT channel text, OUT told bigint, OUT taken_back bigint, OUT problems bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s pql.consent_source;
  why text;
BEGIN
  FOR s IN SELECT * FROM pql.consent_source AS x ORDER BY x.schema_name, x.relation_name, x.unit, x.channel FOR UPDATE LOOP
    relation := format('%I.%I', s.schema_name, s.relation_name);
    channel := s.channel;
    BEGIN
      SELECT c.told, c.taken_back, c.problems INTO told, taken_back, problems FROM pql._copy_consent(s) AS c;
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL;
        why := concat_ws(': ', SQLERRM, nullif(why, ''));
        told := 0;
        taken_back := 0;
        problems := 0;
        UPDATE pql.consent_source AS x SET broken = why WHERE x.source_id = s.source_id;
        RAISE WARNING '%', why USING DETAIL = 'What it said stays.', HINT = 'See pql.consent_source.';
    END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.refresh_consent() IS 'Brings pql.consent in line with the attached relations: what they newly say is added, what they don''t say any more is taken back, and decided upon. What was written to pql.consent otherwise stays, and counts when it is newer. Returns for each relation and channel what was told, what was taken back, and how many rows can''t be used (pql.consent_problem has why). Fails for none of them: what can''t be read is told of in a warning and in pql.consent_source.broken.';
REVOKE ALL ON FUNCTION pql.refresh_consent() FROM PUBLIC;
