-- What every type of states has. The functions state_... and _state_... are the same in C for all of them (src/pg/aggregate.cpp).
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
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

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
