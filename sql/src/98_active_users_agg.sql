-- active_users_agg: how many different values there are, exactly or approximately.

CREATE TYPE pql.active_users_state;
COMMENT ON TYPE pql.active_users_state IS 'What pql.active_users_agg keeps of values: their hashes or, when approximate and more than 2,048, the registers of HyperLogLog. Independent of order: equal sets give equal states.';
CREATE OR REPLACE FUNCTION pql.active_users_state_in(text cstring) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql_active_users_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.active_users_state_in(cstring) IS 'Reads a pql.active_users_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.active_users_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.active_users_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.active_users_state_recv(bytes internal) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql_active_users_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.active_users_state_recv(internal) IS 'Reads a pql.active_users_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.active_users_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.active_users_state) IS 'A state in its binary form.';
CREATE TYPE pql.active_users_state (INPUT = pql.active_users_state_in, OUTPUT = pql.state_out, RECEIVE = pql.active_users_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.active_users_state, b pql.active_users_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.active_users_state, pql.active_users_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.active_users_state, b pql.active_users_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.active_users_state, pql.active_users_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.active_users_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.active_users_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.active_users_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.active_users_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.active_users_state, RIGHTARG = pql.active_users_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.active_users_state, pql.active_users_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.active_users_state, RIGHTARG = pql.active_users_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.active_users_state, pql.active_users_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.active_users_state_ops DEFAULT FOR TYPE pql.active_users_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.active_users_state), FUNCTION 2 pql.state_hash_extended(pql.active_users_state, bigint);
COMMENT ON OPERATOR CLASS pql.active_users_state_ops USING hash IS 'Values of pql.active_users_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.active_users_state_ops USING hash IS 'What hashes pql.active_users_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.active_users_state, b pql.active_users_state) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.active_users_state, pql.active_users_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.active_users_state, RIGHTARG = pql.active_users_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.active_users_state, pql.active_users_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.active_users_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.active_users_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.active_users_state, other pql.active_users_state) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.active_users_state, pql.active_users_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.active_users_state) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.active_users_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.active_users_state) (SFUNC = pql._state_add, STYPE = pql.active_users_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.active_users_state) IS 'The state of the rows of all these states.';

CREATE OR REPLACE FUNCTION pql._active_users_add(state pql.active_users_state, value anyelement) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__active_users_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_add(pql.active_users_state, anyelement) IS 'Adds a row to the state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_move(state internal, value anyelement) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_move(internal, anyelement) IS 'Adds a row to the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_unmove(state internal, value anyelement) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_unmove(internal, anyelement) IS 'Takes a row back from the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_add(state pql.active_users_state, value anyelement, approximate boolean) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__active_users_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_add(pql.active_users_state, anyelement, boolean) IS 'Adds a row to the state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_move(state internal, value anyelement, approximate boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_move(internal, anyelement, boolean) IS 'Adds a row to the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_unmove(state internal, value anyelement, approximate boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_unmove(internal, anyelement, boolean) IS 'Takes a row back from the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_moved(state internal) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__active_users_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._active_users_moved(internal) IS 'The moving state of pql.active_users_agg as a value.';
CREATE OR REPLACE FUNCTION pql._active_users_count(state pql.active_users_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__active_users_count' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql._active_users_count(pql.active_users_state) IS 'The number of different values in the state of an aggregate.';
CREATE OR REPLACE FUNCTION pql._active_users_moved_count(state internal) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__active_users_moved_count' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql._active_users_moved_count(internal) IS 'The number of different values in the moving state of an aggregate.';
CREATE AGGREGATE pql.active_users_agg(value anyelement) (
  SFUNC = pql._active_users_add, STYPE = pql.active_users_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._active_users_move, MINVFUNC = pql._active_users_unmove, MSTYPE = internal, MFINALFUNC = pql._active_users_moved);
COMMENT ON AGGREGATE pql.active_users_agg(anyelement) IS 'Keeps different values, such as ids of users, by their hashes of 64 bits. Read with active_users, active_users_upto.';
CREATE AGGREGATE pql.active_users_agg(value anyelement, approximate boolean) (
  SFUNC = pql._active_users_add, STYPE = pql.active_users_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._active_users_move, MINVFUNC = pql._active_users_unmove, MSTYPE = internal, MFINALFUNC = pql._active_users_moved);
COMMENT ON AGGREGATE pql.active_users_agg(anyelement, boolean) IS 'Keeps different values as active_users_agg(value) does; approximate: of more than 2,048 only what HyperLogLog needs to tell their number within 0.81 percent (one standard error).';
CREATE AGGREGATE pql.count_active_users(value anyelement) (
  SFUNC = pql._active_users_add, STYPE = pql.active_users_state, SSPACE = 256, FINALFUNC = pql._active_users_count, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._active_users_move, MINVFUNC = pql._active_users_unmove, MSTYPE = internal, MFINALFUNC = pql._active_users_moved_count);
COMMENT ON AGGREGATE pql.count_active_users(anyelement) IS 'The number of different values in one step: as active_users(active_users_agg(value)), 0 for no rows. Over frames a row costs the same at any length.';

CREATE OR REPLACE FUNCTION pql.active_users(state pql.active_users_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_active_users' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.active_users(pql.active_users_state) IS 'The number of different values.';
CREATE OR REPLACE FUNCTION pql.active_users_upto(state pql.active_users_state, n bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_active_users_upto' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.active_users_upto(pql.active_users_state, bigint) IS 'The number of different values up to n; n + 1 when there are more.';
