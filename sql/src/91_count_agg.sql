-- window_count_agg: how many rows there were in windows of time. count_map_agg: a sum for each key.

--@ for times
--@ state window_count{_times}_state What pql.window_count_agg keeps: the number of rows at each instant, back from the newest row by the longest window.{times_are}

CREATE OR REPLACE FUNCTION pql._window_count_add(state pql.window_count{_times}_state, ts {time}, windows {lengths}) RETURNS pql.window_count{_times}_state
  AS 'MODULE_PATHNAME', 'pql__window_count_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_count_add(pql.window_count{_times}_state, {time}, {lengths}) IS 'Adds a row to the state of pql.window_count_agg.';
CREATE OR REPLACE FUNCTION pql._window_count_move(state internal, ts {time}, windows {lengths}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_count_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_count_move(internal, {time}, {lengths}) IS 'Adds a row to the moving state of pql.window_count_agg.';
CREATE OR REPLACE FUNCTION pql._window_count_unmove(state internal, ts {time}, windows {lengths}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_count_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_count_unmove(internal, {time}, {lengths}) IS 'Takes a row back from the moving state of pql.window_count_agg.';
CREATE OR REPLACE FUNCTION pql._window_count_moved{_times}(state internal) RETURNS pql.window_count{_times}_state
  AS 'MODULE_PATHNAME', 'pql__window_count_moved{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._window_count_moved{_times}(internal) IS 'The moving state of pql.window_count_agg as a value.{times_are}';
CREATE AGGREGATE pql.window_count_agg(ts {time}, windows {lengths}) (
  SFUNC = pql._window_count_add, STYPE = pql.window_count{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._window_count_move, MINVFUNC = pql._window_count_unmove, MSTYPE = internal, MFINALFUNC = pql._window_count_moved{_times});
COMMENT ON AGGREGATE pql.window_count_agg({time}, {lengths}) IS 'Counts rows in windows of time, whose lengths are given. Read with count_in. Rows that are older than the newest one by the longest window are forgotten.';

CREATE OR REPLACE FUNCTION pql.count_in(state pql.window_count{_times}_state, as_of {time}, w {length}) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_count_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.count_in(pql.window_count{_times}_state, {time}, {length}) IS 'The number of rows after as_of - w, up to as_of. Error 22023: a window that is longer than those aggregated, or begins before what is kept.';
--@ end

--@ state count_map_state What pql.count_map_agg keeps: an exact sum for each key; keys whose sum is zero are left out.

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
