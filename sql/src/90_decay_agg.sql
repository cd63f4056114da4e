-- decay_agg: sums and counts that fade, the sum of v * 2^((ts - as_of) / half_life). decay_sum: such a sum as of the newest row.

CREATE OR REPLACE FUNCTION pql._decay_sum_moved(state internal) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql__decay_sum_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql._decay_sum_moved(internal) IS 'The result of pql.decay_sum over a frame.';

--@ for times
--@ state decay{_times}_state What pql.decay_agg keeps of rows: a decayed sum, a decayed count, and the newest time. Exact and independent of order: equal rows give equal states.{times_are}

CREATE OR REPLACE FUNCTION pql._decay_add(state pql.decay{_times}_state, half_life {length}, ts {time}) RETURNS pql.decay{_times}_state
  AS 'MODULE_PATHNAME', 'pql__decay_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_add(pql.decay{_times}_state, {length}, {time}) IS 'Adds a row to the state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_move(state internal, half_life {length}, ts {time}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_move(internal, {length}, {time}) IS 'Adds a row to the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_unmove(state internal, half_life {length}, ts {time}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_unmove(internal, {length}, {time}) IS 'Takes a row back from the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_add(state pql.decay{_times}_state, half_life {length}, ts {time}, v double precision) RETURNS pql.decay{_times}_state
  AS 'MODULE_PATHNAME', 'pql__decay_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_add(pql.decay{_times}_state, {length}, {time}, double precision) IS 'Adds a row to the state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_move(state internal, half_life {length}, ts {time}, v double precision) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_move(internal, {length}, {time}, double precision) IS 'Adds a row to the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_unmove(state internal, half_life {length}, ts {time}, v double precision) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_unmove(internal, {length}, {time}, double precision) IS 'Takes a row back from the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_moved{_times}(state internal) RETURNS pql.decay{_times}_state
  AS 'MODULE_PATHNAME', 'pql__decay_moved{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._decay_moved{_times}(internal) IS 'The moving state of pql.decay_agg as a value.{times_are}';
CREATE AGGREGATE pql.decay_agg(half_life {length}, ts {time}) (
  SFUNC = pql._decay_add, STYPE = pql.decay{_times}_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._decay_move, MINVFUNC = pql._decay_unmove, MSTYPE = internal, MFINALFUNC = pql._decay_moved{_times});
COMMENT ON AGGREGATE pql.decay_agg({length}, {time}) IS 'Counts rows that fade: each weighs half after every half_life. Read with decay_score, decay_count, last_seen.';
CREATE AGGREGATE pql.decay_agg(half_life {length}, ts {time}, v double precision) (
  SFUNC = pql._decay_add, STYPE = pql.decay{_times}_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._decay_move, MINVFUNC = pql._decay_unmove, MSTYPE = internal, MFINALFUNC = pql._decay_moved{_times});
COMMENT ON AGGREGATE pql.decay_agg({length}, {time}, double precision) IS 'Sums values that fade: each weighs half after every half_life. Read with decay_score, decay_count, decay_avg, last_seen. Rows with a null are ignored.';

CREATE OR REPLACE FUNCTION pql.decay_score(state pql.decay{_times}_state, as_of {time}) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql_decay_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.decay_score(pql.decay{_times}_state, {time}) IS 'The decayed sum of values as of an instant; before the newest row the weights are above 1.';
CREATE OR REPLACE FUNCTION pql.decay_count(state pql.decay{_times}_state, as_of {time}) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql_decay_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.decay_count(pql.decay{_times}_state, {time}) IS 'The decayed number of rows as of an instant.';
CREATE OR REPLACE FUNCTION pql.decay_avg(state pql.decay{_times}_state) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql_decay_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.decay_avg(pql.decay{_times}_state) IS 'The average of the values, the newer ones weighing more; the same at any instant.';
CREATE OR REPLACE FUNCTION pql.last_seen(state pql.decay{_times}_state) RETURNS {instant}
  AS 'MODULE_PATHNAME', 'pql_last_seen' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.last_seen(pql.decay{_times}_state) IS 'The time of the newest row.';

-- As decay_score of decay_agg gives it, without a state for each group or frame.
CREATE OR REPLACE FUNCTION pql._decay_sum_final(state pql.decay{_times}_state) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql__decay_sum_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql._decay_sum_final(pql.decay{_times}_state) IS 'The result of pql.decay_sum.';
CREATE AGGREGATE pql.decay_sum(half_life {length}, ts {time}) (
  SFUNC = pql._decay_add, STYPE = pql.decay{_times}_state, SSPACE = 128, FINALFUNC = pql._decay_sum_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._decay_move, MINVFUNC = pql._decay_unmove, MSTYPE = internal, MFINALFUNC = pql._decay_sum_moved);
COMMENT ON AGGREGATE pql.decay_sum({length}, {time}) IS 'Counts rows that fade, as of the newest: each weighs half after every half_life. To read it as of other instants, or to keep it, use pql.decay_agg.';
CREATE AGGREGATE pql.decay_sum(half_life {length}, ts {time}, v double precision) (
  SFUNC = pql._decay_add, STYPE = pql.decay{_times}_state, SSPACE = 128, FINALFUNC = pql._decay_sum_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._decay_move, MINVFUNC = pql._decay_unmove, MSTYPE = internal, MFINALFUNC = pql._decay_sum_moved);
COMMENT ON AGGREGATE pql.decay_sum({length}, {time}, double precision) IS 'Sums values that fade, as of the newest row: each weighs half after every half_life. Rows with a null are ignored. To read it as of other instants, or to keep it, use pql.decay_agg.';
--@ end

CREATE OR REPLACE FUNCTION pql.half_life(time_constant interval) RETURNS interval
  AS 'MODULE_PATHNAME', 'pql_half_life' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.half_life(interval) IS 'The half-life of weights that fade with a time constant, by e rather than by 2: time_constant * ln 2.';
