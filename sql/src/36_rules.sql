-- Rules over subjects: what they name, and which of them fail.
CREATE TABLE pql.rule_error (
  program  text NOT NULL,
  version  int NOT NULL,
  path     text NOT NULL,
  slot     int NOT NULL,
  errors   bigint NOT NULL,
  last_at  timestamptz NOT NULL,
  example  text NOT NULL,
  PRIMARY KEY (program, version, path, slot)
);
COMMENT ON TABLE pql.rule_error IS 'How often each rule of a program failed, or could not be evaluated, and so said no; in slots, so that writers do not wait for each other. Read it through pql.rule_errors.';
COMMENT ON COLUMN pql.rule_error.program IS 'The program.';
COMMENT ON COLUMN pql.rule_error.version IS 'The version of the program.';
COMMENT ON COLUMN pql.rule_error.path IS 'Where the rule stands in the document, as pql.check_program says it.';
COMMENT ON COLUMN pql.rule_error.slot IS 'One of several counters of the same rule, which are to be added.';
COMMENT ON COLUMN pql.rule_error.errors IS 'How often it failed, by this slot.';
COMMENT ON COLUMN pql.rule_error.last_at IS 'When it failed last, by this slot.';
COMMENT ON COLUMN pql.rule_error.example IS 'The last error of this slot.';
SELECT pg_catalog.pg_extension_config_dump('pql.rule_error', '');

CREATE VIEW pql.rule_errors WITH (security_invoker = true) AS
  SELECT DISTINCT ON (e.program, e.version, e.path) e.program, e.version, e.path,
         sum(e.errors) OVER rule::bigint AS errors, e.last_at, e.example
  FROM pql.rule_error AS e
  WINDOW rule AS (PARTITION BY e.program, e.version, e.path)
  ORDER BY e.program, e.version, e.path, e.last_at DESC;
COMMENT ON VIEW pql.rule_errors IS 'Rules that failed while events were written (a division by zero, a column that is gone): a condition that fails does not hold, a value that fails is none. Readers count nothing.';
COMMENT ON COLUMN pql.rule_errors.errors IS 'How often it failed.';
COMMENT ON COLUMN pql.rule_errors.last_at IS 'When it failed last.';
--@ comments rule_errors rule_error program version
COMMENT ON COLUMN pql.rule_errors.path IS 'Where the rule stands in the document, as pql.check_program says it.';
COMMENT ON COLUMN pql.rule_errors.example IS 'The last error.';

CREATE OR REPLACE FUNCTION pql._check_rules(document jsonb) RETURNS TABLE (path text, problem text, hint text)
  AS 'MODULE_PATHNAME', 'pql__check_rules' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 5;
COMMENT ON FUNCTION pql._check_rules(jsonb) IS 'As pql.check_program, of the whole language of programs, whether or not all of it is served.';
REVOKE ALL ON FUNCTION pql._check_rules(jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._program_attributes(document jsonb) RETURNS TABLE (unit text, name text)
  AS 'MODULE_PATHNAME', 'pql__program_attributes' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 5;
COMMENT ON FUNCTION pql._program_attributes(jsonb) IS 'The columns of attached relations that a document''s rules name: what pql.attribute_use is to have.';
REVOKE ALL ON FUNCTION pql._program_attributes(jsonb) FROM PUBLIC;

-- What rules name is kept, and a change of it decides anew.
CREATE OR REPLACE FUNCTION pql._use_attributes() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changed text;
BEGIN
  FOR changed IN
    WITH named AS MATERIALIZED (
      SELECT DISTINCT n.unit, n.name FROM pql.program AS p, pql._program_attributes(p.document) AS n
      WHERE p.status IN ('building', 'shadow', 'live') OR p.finishing),
    gone AS (
      DELETE FROM pql.attribute_use AS u WHERE (u.unit, u.name) NOT IN (SELECT n.unit, n.name FROM named AS n) RETURNING u.unit),
    came AS (
      INSERT INTO pql.attribute_use (unit, name) SELECT n.unit, n.name FROM named AS n ON CONFLICT DO NOTHING RETURNING unit)
    SELECT DISTINCT s.unit FROM pql.attribute_source AS s WHERE s.unit IN (SELECT gone.unit FROM gone UNION ALL SELECT came.unit FROM came) ORDER BY 1
  LOOP
    PERFORM pql.refresh_attributes(changed);
  END LOOP;
  PERFORM pql._use_facts();
END $$;
COMMENT ON FUNCTION pql._use_attributes() IS 'Keeps the attributes that the programs in force name, and notes the facts.';
REVOKE ALL ON FUNCTION pql._use_attributes() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._assess(program text, subject text, as_of timestamptz DEFAULT NULL, note boolean DEFAULT false)
  RETURNS TABLE (score int, kinds jsonb, measures jsonb, in_segment boolean, rules boolean, kinds_met boolean, motion text, blocked_by text,
                 moves boolean)
  AS 'MODULE_PATHNAME', 'pql__assess' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._assess(text, text, timestamptz, boolean) IS 'What the rules of a program say of a subject, whether or not it qualifies; moves: whether time alone can change that. With note, rules that fail are counted as a writer does.';
REVOKE ALL ON FUNCTION pql._assess(text, text, timestamptz, boolean) FROM PUBLIC;
