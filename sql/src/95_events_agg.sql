-- events_agg and its relatives: the events of a subject, to read funnels and patterns from. Conditions are up to eight booleans, an
-- array of up to 32 (slower), or the number of a step.

--@ state events_state What pql.events_agg, pql.events_all_agg and pql.events_excl_agg keep: a time and the conditions that hold, of each event. Independent of order.
CREATE OR REPLACE FUNCTION pql._events_moved(state internal) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._events_moved(internal) IS 'The moving state of pql.events_agg as a value.';

--@ for conditions
CREATE OR REPLACE FUNCTION pql._events_add(state pql.events_state, ts timestamptz, {conditions}) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_add(pql.events_state, timestamptz, {booleans}) IS 'Adds an event to the state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_move(state internal, ts timestamptz, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_move(internal, timestamptz, {booleans}) IS 'Adds an event to the moving state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_unmove(state internal, ts timestamptz, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_unmove(internal, timestamptz, {booleans}) IS 'Takes an event back from the moving state of pql.events_agg.';
CREATE AGGREGATE pql.events_agg(ts timestamptz, {conditions}) (
  SFUNC = pql._events_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_move, MINVFUNC = pql._events_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_agg(timestamptz, {booleans}) IS 'Keeps the events for which a condition holds. A null condition is false, an event without a time is ignored.';
--@ end
CREATE OR REPLACE FUNCTION pql._events_add(state pql.events_state, ts timestamptz, conditions boolean[]) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_add_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_add(pql.events_state, timestamptz, boolean[]) IS 'Adds an event to the state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_move(state internal, ts timestamptz, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_move_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_move(internal, timestamptz, boolean[]) IS 'Adds an event to the moving state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_unmove(state internal, ts timestamptz, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_unmove_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_unmove(internal, timestamptz, boolean[]) IS 'Takes an event back from the moving state of pql.events_agg.';
CREATE AGGREGATE pql.events_agg(ts timestamptz, VARIADIC conditions boolean[]) (
  SFUNC = pql._events_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_move, MINVFUNC = pql._events_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_agg(timestamptz, VARIADIC boolean[]) IS 'Keeps the events for which a condition holds. At most 32 conditions; up to eight are faster without VARIADIC. A null condition is false, an event without a time is ignored.';
CREATE OR REPLACE FUNCTION pql._events_add(state pql.events_state, ts timestamptz, step integer) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_add_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_add(pql.events_state, timestamptz, integer) IS 'Adds an event to the state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_move(state internal, ts timestamptz, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_move_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_move(internal, timestamptz, integer) IS 'Adds an event to the moving state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_unmove(state internal, ts timestamptz, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_unmove_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_unmove(internal, timestamptz, integer) IS 'Takes an event back from the moving state of pql.events_agg.';
CREATE AGGREGATE pql.events_agg(ts timestamptz, step integer) (
  SFUNC = pql._events_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_move, MINVFUNC = pql._events_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_agg(timestamptz, integer) IS 'Keeps the events for which a condition holds. Instead of conditions, the number of the step that the event is, from 1 on; null: none.';

--@ for conditions
CREATE OR REPLACE FUNCTION pql._events_all_add(state pql.events_state, ts timestamptz, {conditions}) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_all_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_add(pql.events_state, timestamptz, {booleans}) IS 'Adds an event to the state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_move(state internal, ts timestamptz, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_move(internal, timestamptz, {booleans}) IS 'Adds an event to the moving state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_unmove(state internal, ts timestamptz, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_unmove(internal, timestamptz, {booleans}) IS 'Takes an event back from the moving state of pql.events_all_agg.';
CREATE AGGREGATE pql.events_all_agg(ts timestamptz, {conditions}) (
  SFUNC = pql._events_all_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_all_move, MINVFUNC = pql._events_all_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_all_agg(timestamptz, {booleans}) IS 'Keeps all events, also those for which no condition holds: mode order and next_event see them. A null condition is false, an event without a time is ignored.';
--@ end
CREATE OR REPLACE FUNCTION pql._events_all_add(state pql.events_state, ts timestamptz, conditions boolean[]) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_all_add_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_add(pql.events_state, timestamptz, boolean[]) IS 'Adds an event to the state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_move(state internal, ts timestamptz, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_move_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_move(internal, timestamptz, boolean[]) IS 'Adds an event to the moving state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_unmove(state internal, ts timestamptz, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_unmove_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_unmove(internal, timestamptz, boolean[]) IS 'Takes an event back from the moving state of pql.events_all_agg.';
CREATE AGGREGATE pql.events_all_agg(ts timestamptz, VARIADIC conditions boolean[]) (
  SFUNC = pql._events_all_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_all_move, MINVFUNC = pql._events_all_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_all_agg(timestamptz, VARIADIC boolean[]) IS 'Keeps all events, also those for which no condition holds: mode order and next_event see them. At most 32 conditions; up to eight are faster without VARIADIC. A null condition is false, an event without a time is ignored.';
CREATE OR REPLACE FUNCTION pql._events_all_add(state pql.events_state, ts timestamptz, step integer) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_all_add_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_add(pql.events_state, timestamptz, integer) IS 'Adds an event to the state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_move(state internal, ts timestamptz, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_move_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_move(internal, timestamptz, integer) IS 'Adds an event to the moving state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_unmove(state internal, ts timestamptz, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_unmove_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_unmove(internal, timestamptz, integer) IS 'Takes an event back from the moving state of pql.events_all_agg.';
CREATE AGGREGATE pql.events_all_agg(ts timestamptz, step integer) (
  SFUNC = pql._events_all_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_all_move, MINVFUNC = pql._events_all_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_all_agg(timestamptz, integer) IS 'Keeps all events, also those for which no condition holds: mode order and next_event see them. Instead of conditions, the number of the step that the event is, from 1 on; null: none.';

--@ for conditions
CREATE OR REPLACE FUNCTION pql._events_excl_add(state pql.events_state, ts timestamptz, excluded boolean, {conditions}) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_excl_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_add(pql.events_state, timestamptz, boolean, {booleans}) IS 'Adds an event to the state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_move(state internal, ts timestamptz, excluded boolean, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_move(internal, timestamptz, boolean, {booleans}) IS 'Adds an event to the moving state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_unmove(state internal, ts timestamptz, excluded boolean, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_unmove(internal, timestamptz, boolean, {booleans}) IS 'Takes an event back from the moving state of pql.events_excl_agg.';
CREATE AGGREGATE pql.events_excl_agg(ts timestamptz, excluded boolean, {conditions}) (
  SFUNC = pql._events_excl_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_excl_move, MINVFUNC = pql._events_excl_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_excl_agg(timestamptz, boolean, {booleans}) IS 'Keeps the events for which a condition holds, and those that no chain of steps may pass. A null condition is false, an event without a time is ignored.';
--@ end
CREATE OR REPLACE FUNCTION pql._events_excl_add(state pql.events_state, ts timestamptz, excluded boolean, conditions boolean[]) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_excl_add_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_add(pql.events_state, timestamptz, boolean, boolean[]) IS 'Adds an event to the state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_move(state internal, ts timestamptz, excluded boolean, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_move_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_move(internal, timestamptz, boolean, boolean[]) IS 'Adds an event to the moving state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_unmove(state internal, ts timestamptz, excluded boolean, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_unmove_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_unmove(internal, timestamptz, boolean, boolean[]) IS 'Takes an event back from the moving state of pql.events_excl_agg.';
CREATE AGGREGATE pql.events_excl_agg(ts timestamptz, excluded boolean, VARIADIC conditions boolean[]) (
  SFUNC = pql._events_excl_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_excl_move, MINVFUNC = pql._events_excl_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_excl_agg(timestamptz, boolean, VARIADIC boolean[]) IS 'Keeps the events for which a condition holds, and those that no chain of steps may pass. At most 32 conditions; up to eight are faster without VARIADIC. A null condition is false, an event without a time is ignored.';
CREATE OR REPLACE FUNCTION pql._events_excl_add(state pql.events_state, ts timestamptz, excluded boolean, step integer) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__events_excl_add_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_add(pql.events_state, timestamptz, boolean, integer) IS 'Adds an event to the state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_move(state internal, ts timestamptz, excluded boolean, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_move_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_move(internal, timestamptz, boolean, integer) IS 'Adds an event to the moving state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_unmove(state internal, ts timestamptz, excluded boolean, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_unmove_step' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_unmove(internal, timestamptz, boolean, integer) IS 'Takes an event back from the moving state of pql.events_excl_agg.';
CREATE AGGREGATE pql.events_excl_agg(ts timestamptz, excluded boolean, step integer) (
  SFUNC = pql._events_excl_add, STYPE = pql.events_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_excl_move, MINVFUNC = pql._events_excl_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved);
COMMENT ON AGGREGATE pql.events_excl_agg(timestamptz, boolean, integer) IS 'Keeps the events for which a condition holds, and those that no chain of steps may pass. Instead of conditions, the number of the step that the event is, from 1 on; null: none.';
