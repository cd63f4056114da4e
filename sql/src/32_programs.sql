-- Programs compared, and the language that they are written in.

CREATE OR REPLACE FUNCTION pql._diff_documents(old_document jsonb, new_document jsonb)
  RETURNS TABLE (path text, change text)
  AS 'MODULE_PATHNAME', 'pql__diff_documents' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION pql._diff_documents(jsonb, jsonb) IS 'What changed from one program document to another. Error: 22023 a document can''t be read.';

CREATE OR REPLACE FUNCTION pql.diff_programs(program text, old_version int, new_version int)
  RETURNS TABLE (path text, change text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  documents jsonb[];
  wanted int;
  versions text;
BEGIN
  IF program IS NULL OR old_version IS NULL OR new_version IS NULL THEN
    RAISE EXCEPTION '% must not be null',
      CASE WHEN program IS NULL THEN 'program' WHEN old_version IS NULL THEN 'old_version' ELSE 'new_version' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOREACH wanted IN ARRAY ARRAY[old_version, new_version] LOOP
    documents := documents || (SELECT p.document FROM pql.program AS p
                               WHERE p.program = diff_programs.program AND p.version = wanted);
    CONTINUE WHEN documents[cardinality(documents)] IS NOT NULL;
    SELECT string_agg(p.version::text, ', ' ORDER BY p.version) INTO versions FROM pql.program AS p
    WHERE p.program = diff_programs.program;
    IF versions IS NULL THEN
      RAISE EXCEPTION 'program "%" does not exist', program USING ERRCODE = 'undefined_object';
    END IF;
    RAISE EXCEPTION 'program "%" has no version %', program, wanted
      USING ERRCODE = 'undefined_object', HINT = format('It has %s.', versions);
  END LOOP;
  RETURN QUERY SELECT d.path, d.change FROM pql._diff_documents(documents[1], documents[2]) AS d;
END $$;
COMMENT ON FUNCTION pql.diff_programs(text, int, int) IS
  'What changed from one version of a program to another, one line for each change, as a person reads it; no row when nothing did. Errors: 42704 unknown program or version, 22004 null argument.';

CREATE OR REPLACE FUNCTION pql.program_schema() RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 50 RETURN $schema$
--@ file doc/program.schema.json
$schema$::jsonb;
COMMENT ON FUNCTION pql.program_schema() IS
  'The JSON schema of a program document, for editors and for whatever writes programs; doc/program.schema.json. What is right by it may still be refused by pql.check_program().';
