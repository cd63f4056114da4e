-- session_agg: rows that follow each other within a gap.

--@ for times
--@ state session{_times}_state What pql.session_agg keeps of rows: the start, the end and the number of rows of each session. Independent of order: equal rows give equal states.{times_are}

CREATE OR REPLACE FUNCTION pql._session_add(state pql.session{_times}_state, gap {length}, ts {time}) RETURNS pql.session{_times}_state
  AS 'MODULE_PATHNAME', 'pql__session_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_add(pql.session{_times}_state, {length}, {time}) IS 'Adds a row to the state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_move(state internal, gap {length}, ts {time}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_move(internal, {length}, {time}) IS 'Adds a row to the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_unmove(state internal, gap {length}, ts {time}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_unmove(internal, {length}, {time}) IS 'Takes a row back from the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_add(state pql.session{_times}_state, gap {length}, ts {time}, min_length {length}) RETURNS pql.session{_times}_state
  AS 'MODULE_PATHNAME', 'pql__session_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_add(pql.session{_times}_state, {length}, {time}, {length}) IS 'Adds a row to the state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_move(state internal, gap {length}, ts {time}, min_length {length}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_move(internal, {length}, {time}, {length}) IS 'Adds a row to the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_unmove(state internal, gap {length}, ts {time}, min_length {length}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__session_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._session_unmove(internal, {length}, {time}, {length}) IS 'Takes a row back from the moving state of pql.session_agg.';
CREATE OR REPLACE FUNCTION pql._session_moved{_times}(state internal) RETURNS pql.session{_times}_state
  AS 'MODULE_PATHNAME', 'pql__session_moved{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._session_moved{_times}(internal) IS 'The moving state of pql.session_agg as a value.{times_are}';
CREATE AGGREGATE pql.session_agg(gap {length}, ts {time}) (
  SFUNC = pql._session_add, STYPE = pql.session{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._session_move, MINVFUNC = pql._session_unmove, MSTYPE = internal, MFINALFUNC = pql._session_moved{_times});
COMMENT ON AGGREGATE pql.session_agg({length}, {time}) IS 'Groups rows into sessions: a new one begins with a row later than gap after the one before. Read with sessions, session_count, time_in_product, longest_session.';
CREATE AGGREGATE pql.session_agg(gap {length}, ts {time}, min_length {length}) (
  SFUNC = pql._session_add, STYPE = pql.session{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._session_move, MINVFUNC = pql._session_unmove, MSTYPE = internal, MFINALFUNC = pql._session_moved{_times});
COMMENT ON AGGREGATE pql.session_agg({length}, {time}, {length}) IS 'Groups rows into sessions as session_agg(gap, ts) does; those shorter than min_length are not told of, unless they grow when states are merged.';

CREATE OR REPLACE FUNCTION pql.sessions(state pql.session{_times}_state) RETURNS TABLE (started {instant}, ended {instant}, events bigint)
  AS 'MODULE_PATHNAME', 'pql_sessions' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION pql.sessions(pql.session{_times}_state) IS 'The sessions in order: the times of the first and the last row of each, and how many rows it has.';
CREATE OR REPLACE FUNCTION pql.session_count(state pql.session{_times}_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_session_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.session_count(pql.session{_times}_state) IS 'The number of sessions.';
CREATE OR REPLACE FUNCTION pql.time_in_product(state pql.session{_times}_state) RETURNS {span}
  AS 'MODULE_PATHNAME', 'pql_time_in_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.time_in_product(pql.session{_times}_state) IS 'The lengths of all sessions together, each from its first row to its last.';
CREATE OR REPLACE FUNCTION pql.time_in_product(state pql.session{_times}_state, tail {length}) RETURNS {span}
  AS 'MODULE_PATHNAME', 'pql_time_in_product' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.time_in_product(pql.session{_times}_state, {length}) IS 'The lengths of all sessions together, with a tail for each: what is assumed to follow its last row.';
CREATE OR REPLACE FUNCTION pql.longest_session(state pql.session{_times}_state) RETURNS {span}
  AS 'MODULE_PATHNAME', 'pql_longest_session' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.longest_session(pql.session{_times}_state) IS 'The length of the longest session; null when there is none.';
--@ end
