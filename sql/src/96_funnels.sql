-- What is read from events: funnels; the aggregate that gives a level at once; summaries of funnels.

CREATE OR REPLACE FUNCTION pql._window_funnel_moved(state internal) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql__window_funnel_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._window_funnel_moved(internal) IS 'The result of pql.window_funnel over a frame.';

--@ for times
CREATE OR REPLACE FUNCTION pql.window_funnel(state pql.events{_times}_state, within {length}, modes text[] DEFAULT '{}') RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_window_funnel' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.window_funnel(pql.events{_times}_state, {length}, text[]) IS 'How many steps were taken in order within a time of the first one. Modes: increase, once, dedup, order, reentry, steps_only.';
CREATE OR REPLACE FUNCTION pql.activated(state pql.events{_times}_state, within {length}, modes text[] DEFAULT '{}') RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_activated' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.activated(pql.events{_times}_state, {length}, text[]) IS 'Whether all steps were taken in order within a time of the first one.';
CREATE OR REPLACE FUNCTION pql.funnel_times(state pql.events{_times}_state, within {length}, modes text[] DEFAULT '{}') RETURNS {instant}[]
  AS 'MODULE_PATHNAME', 'pql_funnel_times' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pql.funnel_times(pql.events{_times}_state, {length}, text[]) IS 'When the steps of the winning chain were taken: of the chains that got furthest first the one that began last.';
CREATE OR REPLACE FUNCTION pql.funnel_conversion(state pql.events{_times}_state, within {length}, modes text[] DEFAULT '{}') RETURNS {span}
  AS 'MODULE_PATHNAME', 'pql_funnel_conversion' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pql.funnel_conversion(pql.events{_times}_state, {length}, text[]) IS 'The time from the first step to the last; null when not all were taken within the time.';
CREATE OR REPLACE FUNCTION pql.any_order(state pql.events{_times}_state, within {length}) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_any_order' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.any_order(pql.events{_times}_state, {length}) IS 'The most steps that were taken within a time, in any order.';

-- The final function sorts the state in place. Since only that of the moving form is read-only, window functions take that one.
CREATE OR REPLACE FUNCTION pql._window_funnel_final(state pql.events{_times}_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql__window_funnel_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._window_funnel_final(pql.events{_times}_state) IS 'The result of pql.window_funnel.';
--@ for conditions
CREATE OR REPLACE FUNCTION pql._window_funnel_add(state pql.events{_times}_state, within {length}, ts {time}, {conditions}) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__window_funnel_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_funnel_add(pql.events{_times}_state, {length}, {time}, {booleans}) IS 'Adds an event to the state of pql.window_funnel.';
CREATE OR REPLACE FUNCTION pql._window_funnel_move(state internal, within {length}, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_funnel_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_funnel_move(internal, {length}, {time}, {booleans}) IS 'Adds an event to the moving state of pql.window_funnel.';
CREATE OR REPLACE FUNCTION pql._window_funnel_unmove(state internal, within {length}, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_funnel_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_funnel_unmove(internal, {length}, {time}, {booleans}) IS 'Takes an event back from the moving state of pql.window_funnel.';
CREATE AGGREGATE pql.window_funnel(within {length}, ts {time}, {conditions}) (
  SFUNC = pql._window_funnel_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._window_funnel_final, FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._window_funnel_move, MINVFUNC = pql._window_funnel_unmove, MSTYPE = internal, MFINALFUNC = pql._window_funnel_moved,
  MFINALFUNC_MODIFY = READ_ONLY);
COMMENT ON AGGREGATE pql.window_funnel({length}, {time}, {booleans}) IS 'How many steps were taken in order within a time of the first one. For other modes, or to keep the events, use pql.events_agg.';
--@ end
CREATE OR REPLACE FUNCTION pql._window_funnel_add(state pql.events{_times}_state, within {length}, ts {time}, conditions boolean[]) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__window_funnel_add_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_funnel_add(pql.events{_times}_state, {length}, {time}, boolean[]) IS 'Adds an event to the state of pql.window_funnel.';
CREATE OR REPLACE FUNCTION pql._window_funnel_move(state internal, within {length}, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_funnel_move_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_funnel_move(internal, {length}, {time}, boolean[]) IS 'Adds an event to the moving state of pql.window_funnel.';
CREATE OR REPLACE FUNCTION pql._window_funnel_unmove(state internal, within {length}, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__window_funnel_unmove_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._window_funnel_unmove(internal, {length}, {time}, boolean[]) IS 'Takes an event back from the moving state of pql.window_funnel.';
CREATE AGGREGATE pql.window_funnel(within {length}, ts {time}, VARIADIC conditions boolean[]) (
  SFUNC = pql._window_funnel_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._window_funnel_final, FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._window_funnel_move, MINVFUNC = pql._window_funnel_unmove, MSTYPE = internal, MFINALFUNC = pql._window_funnel_moved,
  MFINALFUNC_MODIFY = READ_ONLY);
COMMENT ON AGGREGATE pql.window_funnel({length}, {time}, VARIADIC boolean[]) IS 'How many steps were taken in order within a time of the first one. For other modes, or to keep the events, use pql.events_agg.';

--@ state funnel_summary{_times}_state What pql.funnel_summary gives: how a funnel went in a stretch of time, in constant size, to be joined with what follows.{times_are}

CREATE OR REPLACE FUNCTION pql.funnel_summary(state pql.events{_times}_state, within {length}, modes text[] DEFAULT '{}') RETURNS pql.funnel_summary{_times}_state
  AS 'MODULE_PATHNAME', 'pql_funnel_summary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pql.funnel_summary(pql.events{_times}_state, {length}, text[]) IS 'Sums a funnel up, in constant size, so that stretches of time that do not overlap (days) can be joined with pql.rollup. Modes: increase.';
CREATE OR REPLACE FUNCTION pql.window_funnel(summary pql.funnel_summary{_times}_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_window_funnel_summary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.window_funnel(pql.funnel_summary{_times}_state) IS 'How many steps were taken in order within the time that the summary was made for.';
CREATE OR REPLACE FUNCTION pql.activated(summary pql.funnel_summary{_times}_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_activated_summary' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql.activated(pql.funnel_summary{_times}_state) IS 'Whether all steps were taken in order within the time that the summary was made for.';
CREATE AGGREGATE pql.funnel_rollup(pql.funnel_summary{_times}_state) (SFUNC = pql._state_add, STYPE = pql.funnel_summary{_times}_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.funnel_rollup(pql.funnel_summary{_times}_state) IS 'Joins summaries of stretches of time that do not overlap, in any order. The same as pql.rollup.';
--@ end

CREATE OR REPLACE FUNCTION pql._funnel_histogram_add(reached bigint[], level integer, steps integer) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'pql__funnel_histogram_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._funnel_histogram_add(bigint[], integer, integer) IS 'Counts a level.';
CREATE OR REPLACE FUNCTION pql._funnel_histogram_subtract(reached bigint[], level integer, steps integer) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'pql__funnel_histogram_subtract' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._funnel_histogram_subtract(bigint[], integer, integer) IS 'Takes a level back.';
CREATE OR REPLACE FUNCTION pql._funnel_histogram_combine(reached bigint[], other bigint[]) RETURNS bigint[]
  AS 'MODULE_PATHNAME', 'pql__funnel_histogram_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._funnel_histogram_combine(bigint[], bigint[]) IS 'Adds up two histograms.';
CREATE AGGREGATE pql.funnel_histogram(level integer, steps integer) (
  SFUNC = pql._funnel_histogram_add, STYPE = bigint[], COMBINEFUNC = pql._funnel_histogram_combine, PARALLEL = SAFE,
  MSFUNC = pql._funnel_histogram_add, MINVFUNC = pql._funnel_histogram_subtract, MSTYPE = bigint[]);
COMMENT ON AGGREGATE pql.funnel_histogram(integer, integer) IS 'How many reached at least each step, of levels as pql.window_funnel gives them.';
