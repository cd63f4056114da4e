-- retention_agg: which conditions ever held. cohort_retention_agg: in which periods after the first there was anything.

--@ state retention_state What pql.retention_agg keeps: which of its conditions ever held.

--@ for conditions
CREATE OR REPLACE FUNCTION pql._retention_add(state pql.retention_state, {conditions}) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql__retention_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._retention_add(pql.retention_state, {booleans}) IS 'Adds a row to the state of pql.retention_agg.';
CREATE OR REPLACE FUNCTION pql._retention_move(state internal, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__retention_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._retention_move(internal, {booleans}) IS 'Adds a row to the moving state of pql.retention_agg.';
CREATE OR REPLACE FUNCTION pql._retention_unmove(state internal, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__retention_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._retention_unmove(internal, {booleans}) IS 'Takes a row back from the moving state of pql.retention_agg.';
--@ end
CREATE OR REPLACE FUNCTION pql._retention_add(state pql.retention_state, conditions boolean[]) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql__retention_add_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._retention_add(pql.retention_state, boolean[]) IS 'Adds a row to the state of pql.retention_agg.';
CREATE OR REPLACE FUNCTION pql._retention_move(state internal, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__retention_move_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._retention_move(internal, boolean[]) IS 'Adds a row to the moving state of pql.retention_agg.';
CREATE OR REPLACE FUNCTION pql._retention_unmove(state internal, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__retention_unmove_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._retention_unmove(internal, boolean[]) IS 'Takes a row back from the moving state of pql.retention_agg.';
CREATE OR REPLACE FUNCTION pql._retention_moved(state internal) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql__retention_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._retention_moved(internal) IS 'The moving state of pql.retention_agg as a value.';
CREATE OR REPLACE FUNCTION pql._retention_final(state pql.retention_state) RETURNS boolean[]
  AS 'MODULE_PATHNAME', 'pql__retention_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._retention_final(pql.retention_state) IS 'The result of pql.retention.';
CREATE OR REPLACE FUNCTION pql._retention_moved_final(state internal) RETURNS boolean[]
  AS 'MODULE_PATHNAME', 'pql__retention_moved_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._retention_moved_final(internal) IS 'The result of pql.retention from its moving state.';
--@ for conditions
CREATE AGGREGATE pql.retention_agg({conditions}) (
  SFUNC = pql._retention_add, STYPE = pql.retention_state, SSPACE = 32, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._retention_move, MINVFUNC = pql._retention_unmove, MSTYPE = internal, MFINALFUNC = pql._retention_moved);
COMMENT ON AGGREGATE pql.retention_agg({booleans}) IS 'Which conditions ever held. Read with retained. A condition that is null does not hold.';
--@ end
CREATE AGGREGATE pql.retention_agg(VARIADIC conditions boolean[]) (
  SFUNC = pql._retention_add, STYPE = pql.retention_state, SSPACE = 32, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._retention_move, MINVFUNC = pql._retention_unmove, MSTYPE = internal, MFINALFUNC = pql._retention_moved);
COMMENT ON AGGREGATE pql.retention_agg(VARIADIC boolean[]) IS 'Which conditions ever held. Read with retained. A condition that is null does not hold.';
--@ for conditions
CREATE AGGREGATE pql.retention({conditions}) (
  SFUNC = pql._retention_add, STYPE = pql.retention_state, SSPACE = 32, FINALFUNC = pql._retention_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._retention_move, MINVFUNC = pql._retention_unmove, MSTYPE = internal, MFINALFUNC = pql._retention_moved_final);
COMMENT ON AGGREGATE pql.retention({booleans}) IS 'For each condition, whether it and the first one held in some row: pql.retained(pql.retention_agg(...)) in one step.';
--@ end
CREATE AGGREGATE pql.retention(VARIADIC conditions boolean[]) (
  SFUNC = pql._retention_add, STYPE = pql.retention_state, SSPACE = 32, FINALFUNC = pql._retention_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._retention_move, MINVFUNC = pql._retention_unmove, MSTYPE = internal, MFINALFUNC = pql._retention_moved_final);
COMMENT ON AGGREGATE pql.retention(VARIADIC boolean[]) IS 'For each condition, whether it and the first one held in some row: pql.retained(pql.retention_agg(...)) in one step.';

CREATE OR REPLACE FUNCTION pql.retained(state pql.retention_state) RETURNS boolean[]
  AS 'MODULE_PATHNAME', 'pql_retained' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.retained(pql.retention_state) IS 'For each condition, whether it and the first one held in some row, in whatever order.';

--@ for times
--@ state cohort{_times}_state What pql.cohort_retention_agg keeps: the periods with a row, and the first one with an anchor.{times_are}

CREATE OR REPLACE FUNCTION pql._cohort_add(state pql.cohort{_times}_state, ts {time}, period {length}) RETURNS pql.cohort{_times}_state
  AS 'MODULE_PATHNAME', 'pql__cohort_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_add(pql.cohort{_times}_state, {time}, {length}) IS 'Adds a row to the state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_move(state internal, ts {time}, period {length}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_move(internal, {time}, {length}) IS 'Adds a row to the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_unmove(state internal, ts {time}, period {length}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_unmove(internal, {time}, {length}) IS 'Takes a row back from the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_add(state pql.cohort{_times}_state, ts {time}, period {length}, anchor boolean) RETURNS pql.cohort{_times}_state
  AS 'MODULE_PATHNAME', 'pql__cohort_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_add(pql.cohort{_times}_state, {time}, {length}, boolean) IS 'Adds a row to the state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_move(state internal, ts {time}, period {length}, anchor boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_move(internal, {time}, {length}, boolean) IS 'Adds a row to the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_unmove(state internal, ts {time}, period {length}, anchor boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_unmove(internal, {time}, {length}, boolean) IS 'Takes a row back from the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_moved{_times}(state internal) RETURNS pql.cohort{_times}_state
  AS 'MODULE_PATHNAME', 'pql__cohort_moved{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._cohort_moved{_times}(internal) IS 'The moving state of pql.cohort_retention_agg as a value.{times_are}';
CREATE AGGREGATE pql.cohort_retention_agg(ts {time}, period {length}) (
  SFUNC = pql._cohort_add, STYPE = pql.cohort{_times}_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._cohort_move, MINVFUNC = pql._cohort_unmove, MSTYPE = internal, MFINALFUNC = pql._cohort_moved{_times});
COMMENT ON AGGREGATE pql.cohort_retention_agg({time}, {length}) IS 'In which periods there were rows, the first one beginning the cohort. Read with retained_periods, cohort.';
CREATE AGGREGATE pql.cohort_retention_agg(ts {time}, period {length}, anchor boolean) (
  SFUNC = pql._cohort_add, STYPE = pql.cohort{_times}_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._cohort_move, MINVFUNC = pql._cohort_unmove, MSTYPE = internal, MFINALFUNC = pql._cohort_moved{_times});
COMMENT ON AGGREGATE pql.cohort_retention_agg({time}, {length}, boolean) IS 'In which periods there were rows, the first one that is an anchor beginning the cohort. Read with retained_periods, cohort.';

CREATE OR REPLACE FUNCTION pql.retained_periods(state pql.cohort{_times}_state) RETURNS int[]
  AS 'MODULE_PATHNAME', 'pql_retained_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.retained_periods(pql.cohort{_times}_state) IS 'The numbers of the periods with rows, counted from the first one with an anchor, which is 0. Rows before it do not count; without an anchor there are none.';
CREATE OR REPLACE FUNCTION pql.cohort(state pql.cohort{_times}_state) RETURNS {instant}
  AS 'MODULE_PATHNAME', 'pql_cohort' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.cohort(pql.cohort{_times}_state) IS 'When the first period with an anchor began; periods are counted from Monday, 2000-01-03, in UTC.';
--@ end
