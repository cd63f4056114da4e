-- window_count_agg: how many rows there were in windows of time. count_map_agg: a sum for each key.

CREATE TYPE pql.window_count_state;
COMMENT ON TYPE pql.window_count_state IS 'What pql.window_count_agg keeps: the number of rows at each instant, back from the newest row by the longest window.';
CREATE OR REPLACE FUNCTION pql.window_count_state_in(text cstring) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql_window_count_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.window_count_state_in(cstring) IS 'Reads a pql.window_count_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.window_count_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.window_count_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.window_count_state_recv(bytes internal) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql_window_count_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.window_count_state_recv(internal) IS 'Reads a pql.window_count_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.window_count_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.window_count_state) IS 'A state in its binary form.';
CREATE TYPE pql.window_count_state (INPUT = pql.window_count_state_in, OUTPUT = pql.state_out, RECEIVE = pql.window_count_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.window_count_state, b pql.window_count_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.window_count_state, pql.window_count_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.window_count_state, b pql.window_count_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.window_count_state, pql.window_count_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.window_count_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.window_count_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.window_count_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.window_count_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.window_count_state, RIGHTARG = pql.window_count_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.window_count_state, pql.window_count_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.window_count_state, RIGHTARG = pql.window_count_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.window_count_state, pql.window_count_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.window_count_state_ops DEFAULT FOR TYPE pql.window_count_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.window_count_state), FUNCTION 2 pql.state_hash_extended(pql.window_count_state, bigint);
COMMENT ON OPERATOR CLASS pql.window_count_state_ops USING hash IS 'Values of pql.window_count_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.window_count_state_ops USING hash IS 'What hashes pql.window_count_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.window_count_state, b pql.window_count_state) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.window_count_state, pql.window_count_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.window_count_state, RIGHTARG = pql.window_count_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.window_count_state, pql.window_count_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.window_count_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.window_count_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.window_count_state, other pql.window_count_state) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.window_count_state, pql.window_count_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.window_count_state) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.window_count_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.window_count_state) (SFUNC = pql._state_add, STYPE = pql.window_count_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.window_count_state) IS 'The state of the rows of all these states.';

CREATE OR REPLACE FUNCTION pql._window_count_add(state pql.window_count_state, ts timestamptz, windows interval[]) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql__window_count_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_count_add(pql.window_count_state, timestamptz, interval[]) IS 'Adds a row to the state of pql.window_count_agg.';
CREATE OR REPLACE FUNCTION pql._window_count_move(state internal, ts timestamptz, windows interval[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_count_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_count_move(internal, timestamptz, interval[]) IS 'Adds a row to the moving state of pql.window_count_agg.';
CREATE OR REPLACE FUNCTION pql._window_count_unmove(state internal, ts timestamptz, windows interval[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_count_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_count_unmove(internal, timestamptz, interval[]) IS 'Takes a row back from the moving state of pql.window_count_agg.';
CREATE OR REPLACE FUNCTION pql._window_count_moved(state internal) RETURNS pql.window_count_state
  AS 'MODULE_PATHNAME', 'pql__window_count_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._window_count_moved(internal) IS 'The moving state of pql.window_count_agg as a value.';
CREATE AGGREGATE pql.window_count_agg(ts timestamptz, windows interval[]) (
  SFUNC = pql._window_count_add, STYPE = pql.window_count_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._window_count_move, MINVFUNC = pql._window_count_unmove, MSTYPE = internal, MFINALFUNC = pql._window_count_moved);
COMMENT ON AGGREGATE pql.window_count_agg(timestamptz, interval[]) IS 'Counts rows in windows of time, whose lengths are given. Read with count_in. Rows that are older than the newest one by the longest window are forgotten.';

CREATE OR REPLACE FUNCTION pql.count_in(state pql.window_count_state, as_of timestamptz, w interval) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_count_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.count_in(pql.window_count_state, timestamptz, interval) IS 'The number of rows after as_of - w, up to as_of. Error 22023: a window that is longer than those aggregated, or begins before what is kept.';

CREATE TYPE pql.count_map_state;
COMMENT ON TYPE pql.count_map_state IS 'What pql.count_map_agg keeps: an exact sum for each key; keys whose sum is zero are left out.';
CREATE OR REPLACE FUNCTION pql.count_map_state_in(text cstring) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql_count_map_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.count_map_state_in(cstring) IS 'Reads a pql.count_map_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.count_map_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.count_map_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.count_map_state_recv(bytes internal) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql_count_map_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.count_map_state_recv(internal) IS 'Reads a pql.count_map_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.count_map_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.count_map_state) IS 'A state in its binary form.';
CREATE TYPE pql.count_map_state (INPUT = pql.count_map_state_in, OUTPUT = pql.state_out, RECEIVE = pql.count_map_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.count_map_state, b pql.count_map_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.count_map_state, pql.count_map_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.count_map_state, b pql.count_map_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.count_map_state, pql.count_map_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.count_map_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.count_map_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.count_map_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.count_map_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.count_map_state, RIGHTARG = pql.count_map_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.count_map_state, pql.count_map_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.count_map_state, RIGHTARG = pql.count_map_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.count_map_state, pql.count_map_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.count_map_state_ops DEFAULT FOR TYPE pql.count_map_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.count_map_state), FUNCTION 2 pql.state_hash_extended(pql.count_map_state, bigint);
COMMENT ON OPERATOR CLASS pql.count_map_state_ops USING hash IS 'Values of pql.count_map_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.count_map_state_ops USING hash IS 'What hashes pql.count_map_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.count_map_state, b pql.count_map_state) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.count_map_state, pql.count_map_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.count_map_state, RIGHTARG = pql.count_map_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.count_map_state, pql.count_map_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.count_map_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.count_map_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.count_map_state, other pql.count_map_state) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.count_map_state, pql.count_map_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.count_map_state) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.count_map_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.count_map_state) (SFUNC = pql._state_add, STYPE = pql.count_map_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.count_map_state) IS 'The state of the rows of all these states.';

CREATE OR REPLACE FUNCTION pql._count_map_add(state pql.count_map_state, key text) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql__count_map_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._count_map_add(pql.count_map_state, text) IS 'Adds a row to the state of pql.count_map_agg.';
CREATE OR REPLACE FUNCTION pql._count_map_move(state internal, key text) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__count_map_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._count_map_move(internal, text) IS 'Adds a row to the moving state of pql.count_map_agg.';
CREATE OR REPLACE FUNCTION pql._count_map_unmove(state internal, key text) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__count_map_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._count_map_unmove(internal, text) IS 'Takes a row back from the moving state of pql.count_map_agg.';
CREATE OR REPLACE FUNCTION pql._count_map_add(state pql.count_map_state, key text, n bigint) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql__count_map_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._count_map_add(pql.count_map_state, text, bigint) IS 'Adds a row to the state of pql.count_map_agg.';
CREATE OR REPLACE FUNCTION pql._count_map_move(state internal, key text, n bigint) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__count_map_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._count_map_move(internal, text, bigint) IS 'Adds a row to the moving state of pql.count_map_agg.';
CREATE OR REPLACE FUNCTION pql._count_map_unmove(state internal, key text, n bigint) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__count_map_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._count_map_unmove(internal, text, bigint) IS 'Takes a row back from the moving state of pql.count_map_agg.';
CREATE OR REPLACE FUNCTION pql._count_map_moved(state internal) RETURNS pql.count_map_state
  AS 'MODULE_PATHNAME', 'pql__count_map_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._count_map_moved(internal) IS 'The moving state of pql.count_map_agg as a value.';
CREATE AGGREGATE pql.count_map_agg(key text) (
  SFUNC = pql._count_map_add, STYPE = pql.count_map_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._count_map_move, MINVFUNC = pql._count_map_unmove, MSTYPE = internal, MFINALFUNC = pql._count_map_moved);
COMMENT ON AGGREGATE pql.count_map_agg(text) IS 'Counts rows by key. Read with counts, count_of, top. Rows without a key are ignored.';
CREATE AGGREGATE pql.count_map_agg(key text, n bigint) (
  SFUNC = pql._count_map_add, STYPE = pql.count_map_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._count_map_move, MINVFUNC = pql._count_map_unmove, MSTYPE = internal, MFINALFUNC = pql._count_map_moved);
COMMENT ON AGGREGATE pql.count_map_agg(text, bigint) IS 'Sums numbers by key. Read with counts, count_of, top. Rows with a null are ignored.';

CREATE OR REPLACE FUNCTION pql.counts(state pql.count_map_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_counts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.counts(pql.count_map_state) IS 'The sum of each key, as a JSON object.';
CREATE OR REPLACE FUNCTION pql.count_of(state pql.count_map_state, key text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_count_of' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.count_of(pql.count_map_state, text) IS 'The sum of a key; 0 when it is not there.';
CREATE OR REPLACE FUNCTION pql.top(state pql.count_map_state, n int DEFAULT 10) RETURNS TABLE (key text, count bigint)
  AS 'MODULE_PATHNAME', 'pql_top' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 10;
COMMENT ON FUNCTION pql.top(pql.count_map_state, int) IS 'The n keys with the greatest sums, the greatest first; equal ones in the order of their bytes.';
