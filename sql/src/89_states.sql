-- What states of aggregates are made of: times that are numbers, and what every type of states has.

-- What an aggregate takes where times are bigint. Types of their own, which are to PostgreSQL as times and intervals are, so that it
-- doesn't wonder whether '2026-03-02' or '7 days' is a number: of what could be meant, timestamptz and interval are preferred.
CREATE TYPE pql.epoch;
COMMENT ON TYPE pql.epoch IS 'A time that is a number, of whatever unit. What is bigint or integer becomes one by itself.';
CREATE OR REPLACE FUNCTION pql.epoch_in(text cstring) RETURNS pql.epoch AS 'int8in' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_in(cstring) IS 'Reads a pql.epoch from text.';
CREATE OR REPLACE FUNCTION pql.epoch_out(n pql.epoch) RETURNS cstring AS 'int8out' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_out(pql.epoch) IS 'A pql.epoch as text.';
CREATE OR REPLACE FUNCTION pql.epoch_recv(bytes internal) RETURNS pql.epoch AS 'int8recv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_recv(internal) IS 'Reads a pql.epoch from its binary form.';
CREATE OR REPLACE FUNCTION pql.epoch_send(n pql.epoch) RETURNS bytea AS 'int8send' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_send(pql.epoch) IS 'A pql.epoch in its binary form.';
CREATE TYPE pql.epoch (INPUT = pql.epoch_in, OUTPUT = pql.epoch_out, RECEIVE = pql.epoch_recv, SEND = pql.epoch_send, LIKE = bigint, CATEGORY = 'D');
CREATE OR REPLACE FUNCTION pql.epoch(n integer) RETURNS pql.epoch AS 'int48' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch(integer) IS 'The number as a pql.epoch.';
CREATE CAST (bigint AS pql.epoch) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (bigint AS pql.epoch) IS 'Lets a bigint be a pql.epoch.';
CREATE CAST (integer AS pql.epoch) WITH FUNCTION pql.epoch(integer) AS IMPLICIT;
COMMENT ON CAST (integer AS pql.epoch) IS 'Lets an integer be a pql.epoch.';

CREATE TYPE pql.epoch_span;
COMMENT ON TYPE pql.epoch_span IS 'A length of such times as pql.epoch. What is bigint or integer becomes one by itself.';
CREATE OR REPLACE FUNCTION pql.epoch_span_in(text cstring) RETURNS pql.epoch_span
  AS 'MODULE_PATHNAME', 'pql_epoch_span_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.epoch_span_in(cstring) IS 'Reads a pql.epoch_span from text.';
CREATE OR REPLACE FUNCTION pql.epoch_span_out(n pql.epoch_span) RETURNS cstring AS 'int8out' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_span_out(pql.epoch_span) IS 'A pql.epoch_span as text.';
CREATE OR REPLACE FUNCTION pql.epoch_span_recv(bytes internal) RETURNS pql.epoch_span AS 'int8recv' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_span_recv(internal) IS 'Reads a pql.epoch_span from its binary form.';
CREATE OR REPLACE FUNCTION pql.epoch_span_send(n pql.epoch_span) RETURNS bytea AS 'int8send' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_span_send(pql.epoch_span) IS 'A pql.epoch_span in its binary form.';
CREATE TYPE pql.epoch_span (INPUT = pql.epoch_span_in, OUTPUT = pql.epoch_span_out, RECEIVE = pql.epoch_span_recv, SEND = pql.epoch_span_send, LIKE = bigint, CATEGORY = 'T');
CREATE OR REPLACE FUNCTION pql.epoch_span(n integer) RETURNS pql.epoch_span AS 'int48' LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pql.epoch_span(integer) IS 'The number as a pql.epoch_span.';
CREATE CAST (bigint AS pql.epoch_span) WITHOUT FUNCTION AS IMPLICIT;
COMMENT ON CAST (bigint AS pql.epoch_span) IS 'Lets a bigint be a pql.epoch_span.';
CREATE CAST (integer AS pql.epoch_span) WITH FUNCTION pql.epoch_span(integer) AS IMPLICIT;
COMMENT ON CAST (integer AS pql.epoch_span) IS 'Lets an integer be a pql.epoch_span.';

-- States are a category of types, of which those over timestamptz are preferred: accessors may be called with an untyped null.
-- The functions state_... and _state_... are the same in C for all of them (src/pg/aggregate.cpp).
--@ define state
CREATE TYPE pql.{state};
COMMENT ON TYPE pql.{state} IS '{about}';
CREATE OR REPLACE FUNCTION pql.{state}_in(text cstring) RETURNS pql.{state}
  AS 'MODULE_PATHNAME', 'pql_{state}_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.{state}_in(cstring) IS 'Reads a pql.{state} from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.{state}) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.{state}) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.{state}_recv(bytes internal) RETURNS pql.{state}
  AS 'MODULE_PATHNAME', 'pql_{state}_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.{state}_recv(internal) IS 'Reads a pql.{state} from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.{state}) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.{state}) IS 'A state in its binary form.';
CREATE TYPE pql.{state} (INPUT = pql.{state}_in, OUTPUT = pql.state_out, RECEIVE = pql.{state}_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended, CATEGORY = 's', PREFERRED = {preferred});

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.{state}, b pql.{state}) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.{state}, pql.{state}) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.{state}, b pql.{state}) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.{state}, pql.{state}) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.{state}) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.{state}) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.{state}, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.{state}, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.{state}, RIGHTARG = pql.{state}, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.{state}, pql.{state}) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.{state}, RIGHTARG = pql.{state}, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.{state}, pql.{state}) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.{state}_ops DEFAULT FOR TYPE pql.{state} USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.{state}), FUNCTION 2 pql.state_hash_extended(pql.{state}, bigint);
COMMENT ON OPERATOR CLASS pql.{state}_ops USING hash IS 'Values of pql.{state} are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.{state}_ops USING hash IS 'What hashes pql.{state}.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.{state}, b pql.{state}) RETURNS pql.{state}
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.{state}, pql.{state}) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.{state}, RIGHTARG = pql.{state}, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.{state}, pql.{state}) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.{state}) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.{state}) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.{state}, other pql.{state}) RETURNS pql.{state}
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.{state}, pql.{state}) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.{state}) RETURNS pql.{state}
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.{state}) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.{state}) (SFUNC = pql._state_add, STYPE = pql.{state}, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.{state}) IS 'The state of the rows of all these states.';
--@ end
