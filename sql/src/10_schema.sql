-- The extension owns its schema: it is made here, not by the control file, so that nobody else can own it.
CREATE SCHEMA pql;
COMMENT ON SCHEMA pql IS 'Product-led sales: milestones, scores, qualification and routing from product events';
GRANT USAGE ON SCHEMA pql TO PUBLIC;

CREATE OR REPLACE FUNCTION pql.version() RETURNS text
  AS 'MODULE_PATHNAME', 'pql_version' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.version() IS 'The version of the loaded library; equals the extension''s version unless only one of the two was updated.';

CREATE OR REPLACE FUNCTION pql._require_commits("procedure" text) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__require_commits' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._require_commits(text) IS 'Raises 25001 where the procedure that asks may not commit, as it does after each batch: in a transaction block, a function, or a block with EXCEPTION.';
REVOKE ALL ON FUNCTION pql._require_commits(text) FROM PUBLIC;

CREATE SEQUENCE pql.id_seq AS bigint;
COMMENT ON SEQUENCE pql.id_seq IS 'Behind pql.next_id().';

CREATE OR REPLACE FUNCTION pql.next_id() RETURNS bigint
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 50
  RETURN nextval('pql.id_seq'::regclass);
COMMENT ON FUNCTION pql.next_id() IS 'A new identifier: unique, not gapless, and ordered on one node only.';
REVOKE ALL ON FUNCTION pql.next_id() FROM PUBLIC;
