-- Expressions, looked at from SQL: for whoever defines programs, and for tests.

CREATE OR REPLACE FUNCTION pql._check_rule(rule text, variables text[], wanted regtype) RETURNS text
  AS 'MODULE_PATHNAME', 'pql__check_rule' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._check_rule(text, text[], regtype) IS 'What is wrong with a rule over the variables (each a name and a type: props jsonb) that should give the wanted type; null when nothing is.';
REVOKE ALL ON FUNCTION pql._check_rule(text, text[], regtype) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._check_expression(relation regclass, expression text, wanted regtype, argument text DEFAULT 'expression') RETURNS text
  AS 'MODULE_PATHNAME', 'pql__check_expression' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._check_expression(regclass, text, regtype, text) IS 'What is wrong with an expression over a row of the relation, as an argument of pql.attach that wants a type (null: any); null when nothing is.';
REVOKE ALL ON FUNCTION pql._check_expression(regclass, text, regtype, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._eval_rule(rule text, props jsonb, event text, occurred_at timestamptz, as_of timestamptz, wanted regtype) RETURNS text
  AS 'MODULE_PATHNAME', 'pql__eval_rule' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._eval_rule(text, jsonb, text, timestamptz, timestamptz, regtype) IS 'What a rule over an event gives, as text.';
REVOKE ALL ON FUNCTION pql._eval_rule(text, jsonb, text, timestamptz, timestamptz, regtype) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._compile_expression(relation regclass, expression text, wanted regtype, argument text) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__compile_expression' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._compile_expression(regclass, text, regtype, text) IS 'Compiles an argument of pql.attach (wanted null: an identifier) and raises what is wrong with it.';
REVOKE ALL ON FUNCTION pql._compile_expression(regclass, text, regtype, text) FROM PUBLIC;
