-- Outcomes that lie in a table of the CRM or of billing: copied to pql.outcome, and taken back with their rows.
CREATE TABLE pql.outcome_source (
  source_id      bigint PRIMARY KEY DEFAULT pql.next_id(),
  schema_name    text NOT NULL,
  relation_name  text NOT NULL,
  owner          text NOT NULL,
  unit           text NOT NULL CHECK (unit IN ('user', 'account')),
  names          text[] NOT NULL,
  columns        text[] NOT NULL,
  outcome        text,
  broken         text,
  refreshed_at   timestamptz,
  attached_at    timestamptz NOT NULL DEFAULT now(),
  attached_by    text NOT NULL DEFAULT current_user,
  CONSTRAINT outcomes_are_attached_once UNIQUE (schema_name, relation_name)
);
COMMENT ON TABLE pql.outcome_source IS 'The relations that outcomes come from, by name. Made by pql.attach_outcomes.';
COMMENT ON COLUMN pql.outcome_source.source_id IS 'The number of the source.';
COMMENT ON COLUMN pql.outcome_source.schema_name IS 'The schema of the relation.';
COMMENT ON COLUMN pql.outcome_source.relation_name IS 'The relation''s name.';
COMMENT ON COLUMN pql.outcome_source.unit IS 'Whose outcomes its rows are: user or account.';
COMMENT ON COLUMN pql.outcome_source.columns IS 'The columns that give the arguments in names, in the same order.';
COMMENT ON COLUMN pql.outcome_source.refreshed_at IS 'When it was last read; null: never.';
COMMENT ON COLUMN pql.outcome_source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.outcome_source.attached_by IS 'The role that attached it, with whose rights it is read.';
COMMENT ON COLUMN pql.outcome_source.owner IS 'Who owned the relation when it was attached.';
COMMENT ON COLUMN pql.outcome_source.names IS 'The arguments of pql.attach_outcomes that were given, of which columns has the columns; the first is id.';
COMMENT ON COLUMN pql.outcome_source.outcome IS 'What each row is, where no column says it.';
COMMENT ON COLUMN pql.outcome_source.broken IS 'Why it couldn''t be read the last time; null: it could.';

CREATE TABLE pql.outcome_import (
  source_id  bigint NOT NULL,
  id         text COLLATE "C" NOT NULL,
  home       text COLLATE "C",
  outcome    text,
  at         timestamptz,
  value      numeric,
  problem    text,
  PRIMARY KEY (source_id, id)
);
COMMENT ON TABLE pql.outcome_import IS 'What the rows of attached relations have said, by their ids, so that it can be corrected and taken back; and why what couldn''t be used couldn''t.';
COMMENT ON COLUMN pql.outcome_import.source_id IS 'The relation (pql.outcome_source).';
COMMENT ON COLUMN pql.outcome_import.id IS 'The row''s id there.';
COMMENT ON COLUMN pql.outcome_import.home IS 'The home of the outcome that was recorded (pql.outcome); null: none was.';
COMMENT ON COLUMN pql.outcome_import.outcome IS 'Its name; null: none was recorded.';
COMMENT ON COLUMN pql.outcome_import.value IS 'What the row says that it is worth; null: nothing.';
COMMENT ON COLUMN pql.outcome_import.problem IS 'Why the row couldn''t be used; null: it could.';
COMMENT ON COLUMN pql.outcome_import.at IS 'When the row says it happened, or else when it was first seen.';
SELECT pg_catalog.pg_extension_config_dump('pql.outcome_source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.outcome_import', '');

CREATE OR REPLACE FUNCTION pql._number_or_null(text text) RETURNS numeric
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN text::numeric;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._number_or_null(text) IS 'The number that a text is, if it is one.';
REVOKE ALL ON FUNCTION pql._number_or_null(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._instant_or_null(text text) RETURNS timestamptz
  LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN text::timestamptz;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._instant_or_null(text) IS 'The instant that a text is, if it is one.';
REVOKE ALL ON FUNCTION pql._instant_or_null(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._copy_outcomes(s pql.outcome_source, OUT told bigint, OUT corrected bigint, OUT taken_back bigint, OUT problems bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  name text := format('%I.%I', s.schema_name, s.relation_name);
BEGIN
  WITH read AS MATERIALIZED (
    SELECT r.id, coalesce(r.said ->> 'user_id', r.said ->> 'account_id') AS subject_id, lower(coalesce(r.said ->> 'outcome', s.outcome)) AS outcome,
           r.said ->> 'value' AS value_text, pql._number_or_null(r.said ->> 'value') AS value, r.said ->> 'at' AS at_text, pql._instant_or_null(r.said ->> 'at') AS at
    FROM pql._read_columns(s.schema_name, s.relation_name, s.owner, s.attached_by, s.names, s.columns) AS r
    WHERE r.id <> '' AND NOT pql._is_erased(left(s.unit, 1) || ':' || coalesce(r.said ->> 'user_id', r.said ->> 'account_id'))
  ), said AS MATERIALIZED ( -- of an id that stands there twice, one row
    SELECT DISTINCT ON (r.id) r.id, (left(s.unit, 1) || ':' || r.subject_id) COLLATE "C" AS home, r.subject_id, r.outcome,
           CASE WHEN r.value = 'NaN' THEN NULL ELSE r.value END AS value, coalesce(r.at, i.at, statement_timestamp()) AS at,
           CASE WHEN coalesce(r.subject_id, '') = '' THEN 'it doesn''t say whose it is'
                WHEN octet_length(r.subject_id) > 1000 THEN 'its subject''s id is longer than 1000 bytes'
                WHEN r.outcome IS NULL THEN 'it doesn''t say what became of it'
                WHEN r.outcome !~ '^[a-z][a-z0-9_]{0,62}$' THEN 'its outcome is not a name'
                WHEN r.value_text IS NOT NULL AND (r.value IS NULL OR r.value IN ('NaN', 'Infinity', '-Infinity')) THEN 'its value is not a number'
                WHEN r.at_text IS NOT NULL AND NOT coalesce(isfinite(r.at), false) THEN 'it doesn''t say when'
                WHEN r.at > statement_timestamp() THEN 'it is of the future' END AS problem
    FROM read AS r LEFT JOIN pql.outcome_import AS i ON i.source_id = s.source_id AND i.id = r.id ORDER BY r.id, r.at, r.outcome
  ), wanted AS MATERIALIZED ( -- rows that say the same of one instant are one outcome, worth what they are together
    SELECT d.home, min(d.subject_id) AS subject_id, d.outcome, d.at, sum(d.value) AS value FROM said AS d WHERE d.problem IS NULL GROUP BY d.home, d.outcome, d.at
  ), gone AS MATERIALIZED ( -- by sets, which takes no longer for what the planner doesn't know yet
    SELECT i.home, i.outcome, i.at FROM pql.outcome_import AS i WHERE i.source_id = s.source_id AND i.problem IS NULL
    EXCEPT SELECT w.home, w.outcome, w.at FROM wanted AS w
  ), telling AS ( -- what was recorded otherwise stays as it was
    INSERT INTO pql.outcome AS o (home, outcome_id, unit, subject_id, outcome, value, at, recorded_at, recorded_by)
    SELECT w.home, pql.next_id(), s.unit, w.subject_id, w.outcome, w.value, w.at, clock_timestamp(), name
    FROM wanted AS w LEFT JOIN pql.outcome AS x ON (x.home, x.outcome, x.at) = (w.home, w.outcome, w.at)
    WHERE x.home IS NULL OR x.value IS DISTINCT FROM w.value ORDER BY w.home, w.outcome, w.at
    ON CONFLICT ON CONSTRAINT outcome_is_recorded_once DO UPDATE SET value = excluded.value
    WHERE o.recorded_by = excluded.recorded_by AND o.value IS DISTINCT FROM excluded.value
    RETURNING o.xmax = 0 AS added
  ), taking AS (
    DELETE FROM pql.outcome AS o USING gone AS g WHERE (o.home, o.outcome, o.at) = (g.home, g.outcome, g.at) AND o.recorded_by = name RETURNING 1
  ), noting AS (
    INSERT INTO pql.outcome_import AS i (source_id, id, home, outcome, at, value, problem)
    SELECT s.source_id, d.id, CASE WHEN d.problem IS NULL THEN d.home END, CASE WHEN d.problem IS NULL THEN d.outcome END, d.at, d.value, d.problem FROM said AS d
    ON CONFLICT ON CONSTRAINT outcome_import_pkey DO UPDATE SET home = excluded.home, outcome = excluded.outcome, at = excluded.at, value = excluded.value, problem = excluded.problem
    WHERE (i.home, i.outcome, i.at, i.value, i.problem) IS DISTINCT FROM (excluded.home, excluded.outcome, excluded.at, excluded.value, excluded.problem)
  ), forgetting AS (
    DELETE FROM pql.outcome_import AS i USING (
      SELECT x.id FROM pql.outcome_import AS x WHERE x.source_id = s.source_id EXCEPT SELECT d.id FROM said AS d) AS g
    WHERE i.source_id = s.source_id AND i.id = g.id
  )
  SELECT (SELECT count(*) FILTER (WHERE t.added) FROM telling AS t), (SELECT count(*) FILTER (WHERE NOT t.added) FROM telling AS t), (SELECT count(*) FROM taking),
         (SELECT count(*) FROM said AS d WHERE d.problem IS NOT NULL) INTO told, corrected, taken_back, problems;
  UPDATE pql.outcome_source AS x SET refreshed_at = statement_timestamp(), broken = NULL WHERE x.source_id = s.source_id;
END $$;
COMMENT ON FUNCTION pql._copy_outcomes(pql.outcome_source) IS 'Brings pql.outcome in line with an attached relation. Fails when that can''t be read.';
REVOKE ALL ON FUNCTION pql._copy_outcomes(pql.outcome_source) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attach_outcomes(relation regclass, names text[], given text[], what_it_is text) RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 4 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  used text[];
  columns text[];
  s pql.outcome_source;
  counted record;
BEGIN
  IF relation IS NULL OR given[1] IS NULL OR given[2] IS NULL AND what_it_is IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN relation IS NULL THEN 'relation' WHEN given[1] IS NULL THEN 'id' ELSE 'outcome' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF num_nonnulls(given[3], given[4]) <> 1 THEN
    RAISE EXCEPTION 'whose outcome it is must be said once' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Give user_id or account_id: the column that says it.';
  END IF;
  PERFORM pql._check_attachable(relation, 'outcomes');
  columns := pql._columns_of(relation, given);
  used := ARRAY(SELECT g.name FROM unnest(names, given) WITH ORDINALITY AS g(name, given, n) WHERE g.given IS NOT NULL ORDER BY g.n);
  INSERT INTO pql.outcome_source AS x (schema_name, relation_name, owner, unit, names, columns, outcome)
  SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), CASE WHEN given[3] IS NULL THEN 'account' ELSE 'user' END, used, columns, what_it_is
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.oid = relation
  ON CONFLICT ON CONSTRAINT outcomes_are_attached_once DO UPDATE SET owner = excluded.owner, unit = excluded.unit, names = excluded.names, columns = excluded.columns,
    outcome = excluded.outcome, broken = NULL, attached_at = excluded.attached_at, attached_by = excluded.attached_by
  RETURNING * INTO s;
  SELECT * INTO counted FROM pql._copy_outcomes(s);
  PERFORM pql._audit('attach_outcomes', relation::text);
  what := 'told'; finding := counted.told::text; advice := NULL; RETURN NEXT;
  what := 'corrected'; finding := counted.corrected::text; RETURN NEXT;
  what := 'taken back'; finding := counted.taken_back::text; RETURN NEXT;
  what := 'problems'; finding := counted.problems::text;
  advice := CASE WHEN counted.problems > 0 THEN 'Table pql.outcome_import has why; they are tried again.' END;
  RETURN NEXT;
  what := 'kept by'; finding := 'pql.refresh_outcomes()'; advice := 'Call it after changes: in cron, or where the relation is made.'; RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._attach_outcomes(regclass, text[], text[], text) IS 'Attaches a relation with outcomes.';
REVOKE ALL ON FUNCTION pql._attach_outcomes(regclass, text[], text[], text) FROM PUBLIC;

-- Names are resolved with the caller's search path.
CREATE OR REPLACE FUNCTION pql.attach_outcomes(relation text, id text, outcome text DEFAULT NULL, account_id text DEFAULT NULL, user_id text DEFAULT NULL,
                                               at text DEFAULT NULL, value text DEFAULT NULL, named text DEFAULT NULL)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 5
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_outcomes(attach_outcomes.relation::regclass, ARRAY['id', 'outcome', 'user_id', 'account_id', 'at', 'value'],
      ARRAY[attach_outcomes.id, attach_outcomes.outcome, attach_outcomes.user_id, attach_outcomes.account_id, attach_outcomes.at, attach_outcomes.value],
      attach_outcomes.named) AS a;
  END;
COMMENT ON FUNCTION pql.attach_outcomes(text, text, text, text, text, text, text, text) IS
  'Attaches a relation whose rows are outcomes, as billing or a CRM has them, held by its name: id is the column that tells rows apart, outcome the one that says what became of the subject (in lower case; or named: what each row is, where no column says it), account_id or user_id whose it is, at since when (none or null: since it was first seen), value what it is worth. pql.refresh_outcomes() copies it to pql.outcome: what is new is added, what was corrected is corrected, and what isn''t there any more is taken back; what was recorded otherwise (pql.record_outcome) stays. Errors: 42P01 no such relation, 42703 no such column, 22023 not one of user_id and account_id, 42809 not a table or view, 42501 no rights, 55000 wrong isolation level, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.attach_outcomes(text, text, text, text, text, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_outcomes(relation text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  gone bigint;
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'relation must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  DELETE FROM pql.outcome_source AS s WHERE relation IN (format('%I.%I', s.schema_name, s.relation_name), s.schema_name || '.' || s.relation_name)
  RETURNING s.source_id INTO gone;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no outcomes are attached from "%"', relation USING ERRCODE = 'undefined_object', HINT = 'Table pql.outcome_source has those that are.';
  END IF;
  DELETE FROM pql.outcome_import AS i WHERE i.source_id = gone;
  PERFORM pql._audit('detach_outcomes', relation);
END $$;
COMMENT ON FUNCTION pql.detach_outcomes(text) IS 'Forgets a relation with outcomes, by its name with the schema; what it said stays in pql.outcome. Errors: 42704 not attached, 22004 null.';
REVOKE ALL ON FUNCTION pql.detach_outcomes(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.refresh_outcomes(OUT relation text, OUT told bigint, OUT corrected bigint, OUT taken_back bigint, OUT problems bigint)
  RETURNS SETOF record LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s pql.outcome_source;
  why text;
BEGIN
  FOR s IN SELECT * FROM pql.outcome_source AS x ORDER BY x.schema_name, x.relation_name FOR UPDATE LOOP
    relation := format('%I.%I', s.schema_name, s.relation_name);
    BEGIN
      SELECT c.told, c.corrected, c.taken_back, c.problems INTO told, corrected, taken_back, problems FROM pql._copy_outcomes(s) AS c;
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL;
        why := concat_ws(': ', SQLERRM, nullif(why, ''));
        told := 0;
        corrected := 0;
        taken_back := 0;
        problems := 0;
        UPDATE pql.outcome_source AS x SET broken = why WHERE x.source_id = s.source_id;
        RAISE WARNING '%', why USING DETAIL = 'What it said stays.', HINT = 'See pql.outcome_source.';
    END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.refresh_outcomes() IS 'Brings pql.outcome in line with the attached relations: adds, corrects and takes back. Returns for each relation how many of each, and how many rows can''t be used (pql.outcome_import has why). Fails for none of them: what can''t be read is told of in a warning and in pql.outcome_source.broken.';
REVOKE ALL ON FUNCTION pql.refresh_outcomes() FROM PUBLIC;
