-- What is read from events: funnels and patterns; aggregates that give a level or a match at once; summaries of funnels.

CREATE OR REPLACE FUNCTION pql._window_funnel_moved(state internal) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql__window_funnel_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._window_funnel_moved(internal) IS 'The result of pql.window_funnel over a frame.';
CREATE OR REPLACE FUNCTION pql._sequence_match_moved(state internal) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__sequence_match_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._sequence_match_moved(internal) IS 'The result of pql.sequence_match over a frame.';

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

CREATE OR REPLACE FUNCTION pql.sequence_match(state pql.events{_times}_state, pattern text, within {length} DEFAULT NULL, clickhouse_time_base boolean DEFAULT false) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_sequence_match' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pql.sequence_match(pql.events{_times}_state, text, {length}, boolean) IS 'Whether the events match a pattern such as (?1)(?t<=7d)(?2).*(?3). within: the most between the first event of the match and the last.';
CREATE OR REPLACE FUNCTION pql.sequence_count(state pql.events{_times}_state, pattern text, within {length} DEFAULT NULL, clickhouse_time_base boolean DEFAULT false) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_sequence_count' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pql.sequence_count(pql.events{_times}_state, text, {length}, boolean) IS 'How often the events match a pattern, without overlap.';
CREATE OR REPLACE FUNCTION pql.sequence_events(state pql.events{_times}_state, pattern text, which text DEFAULT 'longest', within {length} DEFAULT NULL, clickhouse_time_base boolean DEFAULT false) RETURNS {instant}[]
  AS 'MODULE_PATHNAME', 'pql_sequence_events' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION pql.sequence_events(pql.events{_times}_state, text, text, {length}, boolean) IS 'The times of the events that matched the conditions of a pattern: in its first match, its last, or the longest beginning of it that matches.';
CREATE OR REPLACE FUNCTION pql.next_event(state pql.events{_times}_state, chain integer[], direction text DEFAULT 'forward', base text DEFAULT 'first_match',
    OUT at {instant}, OUT steps integer[])
  AS 'MODULE_PATHNAME', 'pql_next_event' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pql.next_event(pql.events{_times}_state, integer[], text, text) IS 'The event next after (backward: before) a chain of neighbouring events, each with its condition; base: head, tail, first_match, last_match.';

-- The final functions sort the state in place. Since only those of the moving form are read-only, window functions take that one.
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
CREATE OR REPLACE FUNCTION pql._sequence_match_final(state pql.events{_times}_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__sequence_match_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._sequence_match_final(pql.events{_times}_state) IS 'The result of pql.sequence_match.';
--@ for conditions
CREATE OR REPLACE FUNCTION pql._sequence_match_add(state pql.events{_times}_state, pattern text, ts {time}, {conditions}) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__sequence_match_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._sequence_match_add(pql.events{_times}_state, text, {time}, {booleans}) IS 'Adds an event to the state of pql.sequence_match.';
CREATE OR REPLACE FUNCTION pql._sequence_match_move(state internal, pattern text, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__sequence_match_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._sequence_match_move(internal, text, {time}, {booleans}) IS 'Adds an event to the moving state of pql.sequence_match.';
CREATE OR REPLACE FUNCTION pql._sequence_match_unmove(state internal, pattern text, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__sequence_match_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._sequence_match_unmove(internal, text, {time}, {booleans}) IS 'Takes an event back from the moving state of pql.sequence_match.';
CREATE AGGREGATE pql.sequence_match(pattern text, ts {time}, {conditions}) (
  SFUNC = pql._sequence_match_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._sequence_match_final, FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._sequence_match_move, MINVFUNC = pql._sequence_match_unmove, MSTYPE = internal, MFINALFUNC = pql._sequence_match_moved,
  MFINALFUNC_MODIFY = READ_ONLY);
COMMENT ON AGGREGATE pql.sequence_match(text, {time}, {booleans}) IS 'Whether the events match a pattern such as (?1)(?t<=7d)(?2).*(?3). To keep the events, use pql.events_agg.';
--@ end
CREATE OR REPLACE FUNCTION pql._sequence_match_add(state pql.events{_times}_state, pattern text, ts {time}, conditions boolean[]) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__sequence_match_add_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._sequence_match_add(pql.events{_times}_state, text, {time}, boolean[]) IS 'Adds an event to the state of pql.sequence_match.';
CREATE OR REPLACE FUNCTION pql._sequence_match_move(state internal, pattern text, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__sequence_match_move_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._sequence_match_move(internal, text, {time}, boolean[]) IS 'Adds an event to the moving state of pql.sequence_match.';
CREATE OR REPLACE FUNCTION pql._sequence_match_unmove(state internal, pattern text, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__sequence_match_unmove_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._sequence_match_unmove(internal, text, {time}, boolean[]) IS 'Takes an event back from the moving state of pql.sequence_match.';
CREATE AGGREGATE pql.sequence_match(pattern text, ts {time}, VARIADIC conditions boolean[]) (
  SFUNC = pql._sequence_match_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._sequence_match_final, FINALFUNC_MODIFY = SHAREABLE, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._sequence_match_move, MINVFUNC = pql._sequence_match_unmove, MSTYPE = internal, MFINALFUNC = pql._sequence_match_moved,
  MFINALFUNC_MODIFY = READ_ONLY);
COMMENT ON AGGREGATE pql.sequence_match(text, {time}, VARIADIC boolean[]) IS 'Whether the events match a pattern such as (?1)(?t<=7d)(?2).*(?3). To keep the events, use pql.events_agg.';

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
