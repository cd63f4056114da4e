-- session_agg: rows that follow each other within a gap.

--@ state session_state What pql.session_agg keeps of rows: the start, the end and the number of rows of each session. Independent of order: equal rows give equal states.

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
