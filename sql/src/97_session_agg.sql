-- session_agg: rows that follow each other within a gap.

CREATE TYPE pql.session_state;
COMMENT ON TYPE pql.session_state IS 'What pql.session_agg keeps of rows: the start, the end and the number of rows of each session. Independent of order: equal rows give equal states.';
CREATE OR REPLACE FUNCTION pql.session_state_in(text cstring) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql_session_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.session_state_in(cstring) IS 'Reads a pql.session_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.session_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.session_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.session_state_recv(bytes internal) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql_session_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.session_state_recv(internal) IS 'Reads a pql.session_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.session_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.session_state) IS 'A state in its binary form.';
CREATE TYPE pql.session_state (INPUT = pql.session_state_in, OUTPUT = pql.state_out, RECEIVE = pql.session_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.session_state, b pql.session_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.session_state, pql.session_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.session_state, b pql.session_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.session_state, pql.session_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.session_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.session_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.session_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.session_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.session_state, RIGHTARG = pql.session_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.session_state, pql.session_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.session_state, RIGHTARG = pql.session_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.session_state, pql.session_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.session_state_ops DEFAULT FOR TYPE pql.session_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.session_state), FUNCTION 2 pql.state_hash_extended(pql.session_state, bigint);
COMMENT ON OPERATOR CLASS pql.session_state_ops USING hash IS 'Values of pql.session_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.session_state_ops USING hash IS 'What hashes pql.session_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.session_state, b pql.session_state) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.session_state, pql.session_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.session_state, RIGHTARG = pql.session_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.session_state, pql.session_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.session_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.session_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.session_state, other pql.session_state) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.session_state, pql.session_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.session_state) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.session_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.session_state) (SFUNC = pql._state_add, STYPE = pql.session_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.session_state) IS 'The state of the rows of all these states.';

CREATE OR REPLACE FUNCTION pql._session_add(state pql.session_state, gap interval, ts timestamptz) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql__session_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_add(pql.session_state, interval, timestamptz) IS 'Adds a row to the state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_move(state internal, gap interval, ts timestamptz) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_move(internal, interval, timestamptz) IS 'Adds a row to the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_unmove(state internal, gap interval, ts timestamptz) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_unmove(internal, interval, timestamptz) IS 'Takes a row back from the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_add(state pql.session_state, gap interval, ts timestamptz, min_length interval) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql__session_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_add(pql.session_state, interval, timestamptz, interval) IS 'Adds a row to the state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_move(state internal, gap interval, ts timestamptz, min_length interval) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_move(internal, interval, timestamptz, interval) IS 'Adds a row to the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_unmove(state internal, gap interval, ts timestamptz, min_length interval) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_unmove(internal, interval, timestamptz, interval) IS 'Takes a row back from the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_moved(state internal) RETURNS pql.session_state
  AS 'MODULE_PATHNAME', 'pql__session_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._session_moved(internal) IS 'The moving state of pql.session_agg as a value.';
CREATE AGGREGATE pql.session_agg(gap interval, ts timestamptz) (
  SFUNC = pql._session_add, STYPE = pql.session_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._session_move, MINVFUNC = pql._session_unmove, MSTYPE = internal, MFINALFUNC = pql._session_moved);
COMMENT ON AGGREGATE pql.session_agg(interval, timestamptz) IS 'Groups rows into sessions: a new one begins with a row later than gap after the one before. Read with sessions, session_count, time_in_product, longest_session.';
CREATE AGGREGATE pql.session_agg(gap interval, ts timestamptz, min_length interval) (
  SFUNC = pql._session_add, STYPE = pql.session_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._session_move, MINVFUNC = pql._session_unmove, MSTYPE = internal, MFINALFUNC = pql._session_moved);
COMMENT ON AGGREGATE pql.session_agg(interval, timestamptz, interval) IS 'Groups rows into sessions as session_agg(gap, ts) does; those shorter than min_length are not told of, unless they grow when states are merged.';

CREATE OR REPLACE FUNCTION pql.sessions(state pql.session_state) RETURNS TABLE (started timestamptz, ended timestamptz, events bigint)
  AS 'MODULE_PATHNAME', 'pql_sessions' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION pql.sessions(pql.session_state) IS 'The sessions in order: the times of the first and the last row of each, and how many rows it has.';
CREATE OR REPLACE FUNCTION pql.session_count(state pql.session_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_session_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.session_count(pql.session_state) IS 'The number of sessions.';
CREATE OR REPLACE FUNCTION pql.time_in_product(state pql.session_state) RETURNS interval
  AS 'MODULE_PATHNAME', 'pql_time_in_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.time_in_product(pql.session_state) IS 'The lengths of all sessions together, each from its first row to its last.';
CREATE OR REPLACE FUNCTION pql.time_in_product(state pql.session_state, tail interval) RETURNS interval
  AS 'MODULE_PATHNAME', 'pql_time_in_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.time_in_product(pql.session_state, interval) IS 'The lengths of all sessions together, with a tail for each: what is assumed to follow its last row.';
CREATE OR REPLACE FUNCTION pql.longest_session(state pql.session_state) RETURNS interval
  AS 'MODULE_PATHNAME', 'pql_longest_session' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.longest_session(pql.session_state) IS 'The length of the longest session; null when there is none.';
