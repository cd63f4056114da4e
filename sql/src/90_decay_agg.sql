-- decay_agg: sums and counts that fade, Σ v·2^((ts − as_of)/half_life).

--@ state decay_state What pql.decay_agg keeps of rows: a decayed sum, a decayed count, and the newest time. Exact and independent of order: equal rows give equal states.

CREATE OR REPLACE FUNCTION pql._decay_add(state pql.decay_state, half_life interval, ts timestamptz) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql__decay_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_add(pql.decay_state, interval, timestamptz) IS 'Adds a row to the state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_move(state internal, half_life interval, ts timestamptz) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_move(internal, interval, timestamptz) IS 'Adds a row to the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_unmove(state internal, half_life interval, ts timestamptz) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_unmove(internal, interval, timestamptz) IS 'Takes a row back from the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_add(state pql.decay_state, half_life interval, ts timestamptz, v double precision) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql__decay_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_add(pql.decay_state, interval, timestamptz, double precision) IS 'Adds a row to the state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_move(state internal, half_life interval, ts timestamptz, v double precision) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_move(internal, interval, timestamptz, double precision) IS 'Adds a row to the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_unmove(state internal, half_life interval, ts timestamptz, v double precision) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__decay_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._decay_unmove(internal, interval, timestamptz, double precision) IS 'Takes a row back from the moving state of pql.decay_agg.';
CREATE OR REPLACE FUNCTION pql._decay_moved(state internal) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql__decay_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._decay_moved(internal) IS 'The moving state of pql.decay_agg as a value.';
CREATE AGGREGATE pql.decay_agg(half_life interval, ts timestamptz) (
  SFUNC = pql._decay_add, STYPE = pql.decay_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._decay_move, MINVFUNC = pql._decay_unmove, MSTYPE = internal, MFINALFUNC = pql._decay_moved);
COMMENT ON AGGREGATE pql.decay_agg(interval, timestamptz) IS 'Counts rows that fade: each weighs half after every half_life. Read with decay_score, decay_count, last_seen.';
CREATE AGGREGATE pql.decay_agg(half_life interval, ts timestamptz, v double precision) (
  SFUNC = pql._decay_add, STYPE = pql.decay_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._decay_move, MINVFUNC = pql._decay_unmove, MSTYPE = internal, MFINALFUNC = pql._decay_moved);
COMMENT ON AGGREGATE pql.decay_agg(interval, timestamptz, double precision) IS 'Sums values that fade: each weighs half after every half_life. Read with decay_score, decay_count, decay_avg, last_seen. Rows with a null are ignored.';

CREATE OR REPLACE FUNCTION pql.decay_score(state pql.decay_state, as_of timestamptz) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql_decay_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.decay_score(pql.decay_state, timestamptz) IS 'The decayed sum of values as of an instant; before the newest row the weights are above 1.';
CREATE OR REPLACE FUNCTION pql.decay_count(state pql.decay_state, as_of timestamptz) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql_decay_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.decay_count(pql.decay_state, timestamptz) IS 'The decayed number of rows as of an instant.';
CREATE OR REPLACE FUNCTION pql.decay_avg(state pql.decay_state) RETURNS double precision
  AS 'MODULE_PATHNAME', 'pql_decay_avg' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.decay_avg(pql.decay_state) IS 'The average of the values, the newer ones weighing more; the same at any instant.';
CREATE OR REPLACE FUNCTION pql.last_seen(state pql.decay_state) RETURNS timestamptz
  AS 'MODULE_PATHNAME', 'pql_last_seen' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.last_seen(pql.decay_state) IS 'The time of the newest row.';
CREATE OR REPLACE FUNCTION pql.half_life(time_constant interval) RETURNS interval
  AS 'MODULE_PATHNAME', 'pql_half_life' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.half_life(interval) IS 'The half-life of weights that fade with a time constant, by e rather than by 2: time_constant * ln 2.';
