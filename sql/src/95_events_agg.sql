-- events_agg and its relatives: the events of a subject, to read funnels and patterns from. Conditions are up to eight booleans, an
-- array of up to 32 (slower), or the number of a step.

--@ for times
--@ state events{_times}_state What pql.events_agg, pql.events_all_agg and pql.events_excl_agg keep: a time and the conditions that hold, of each event. Independent of order.{times_are}
CREATE OR REPLACE FUNCTION pql._events_moved{_times}(state internal) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_moved{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._events_moved{_times}(internal) IS 'The moving state of pql.events_agg as a value.{times_are}';

--@ for conditions
CREATE OR REPLACE FUNCTION pql._events_add(state pql.events{_times}_state, ts {time}, {conditions}) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_add(pql.events{_times}_state, {time}, {booleans}) IS 'Adds an event to the state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_move(state internal, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_move(internal, {time}, {booleans}) IS 'Adds an event to the moving state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_unmove(state internal, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_unmove(internal, {time}, {booleans}) IS 'Takes an event back from the moving state of pql.events_agg.';
CREATE AGGREGATE pql.events_agg(ts {time}, {conditions}) (
  SFUNC = pql._events_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_move, MINVFUNC = pql._events_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_agg({time}, {booleans}) IS 'Keeps the events for which a condition holds. A null condition is false, an event without a time is ignored.';
--@ end
CREATE OR REPLACE FUNCTION pql._events_add(state pql.events{_times}_state, ts {time}, conditions boolean[]) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_add_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_add(pql.events{_times}_state, {time}, boolean[]) IS 'Adds an event to the state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_move(state internal, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_move_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_move(internal, {time}, boolean[]) IS 'Adds an event to the moving state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_unmove(state internal, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_unmove_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_unmove(internal, {time}, boolean[]) IS 'Takes an event back from the moving state of pql.events_agg.';
CREATE AGGREGATE pql.events_agg(ts {time}, VARIADIC conditions boolean[]) (
  SFUNC = pql._events_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_move, MINVFUNC = pql._events_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_agg({time}, VARIADIC boolean[]) IS 'Keeps the events for which a condition holds. At most 32 conditions; up to eight are faster without VARIADIC. A null condition is false, an event without a time is ignored.';
CREATE OR REPLACE FUNCTION pql._events_add(state pql.events{_times}_state, ts {time}, step integer) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_add_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_add(pql.events{_times}_state, {time}, integer) IS 'Adds an event to the state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_move(state internal, ts {time}, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_move_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_move(internal, {time}, integer) IS 'Adds an event to the moving state of pql.events_agg.';
CREATE OR REPLACE FUNCTION pql._events_unmove(state internal, ts {time}, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_unmove_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_unmove(internal, {time}, integer) IS 'Takes an event back from the moving state of pql.events_agg.';
CREATE AGGREGATE pql.events_agg(ts {time}, step integer) (
  SFUNC = pql._events_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_move, MINVFUNC = pql._events_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_agg({time}, integer) IS 'Keeps the events for which a condition holds. Instead of conditions, the number of the step that the event is, from 1 on; null: none.';

--@ for conditions
CREATE OR REPLACE FUNCTION pql._events_all_add(state pql.events{_times}_state, ts {time}, {conditions}) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_all_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_add(pql.events{_times}_state, {time}, {booleans}) IS 'Adds an event to the state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_move(state internal, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_move(internal, {time}, {booleans}) IS 'Adds an event to the moving state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_unmove(state internal, ts {time}, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_unmove(internal, {time}, {booleans}) IS 'Takes an event back from the moving state of pql.events_all_agg.';
CREATE AGGREGATE pql.events_all_agg(ts {time}, {conditions}) (
  SFUNC = pql._events_all_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_all_move, MINVFUNC = pql._events_all_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_all_agg({time}, {booleans}) IS 'Keeps all events, also those for which no condition holds: mode order and next_event see them. A null condition is false, an event without a time is ignored.';
--@ end
CREATE OR REPLACE FUNCTION pql._events_all_add(state pql.events{_times}_state, ts {time}, conditions boolean[]) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_all_add_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_add(pql.events{_times}_state, {time}, boolean[]) IS 'Adds an event to the state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_move(state internal, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_move_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_move(internal, {time}, boolean[]) IS 'Adds an event to the moving state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_unmove(state internal, ts {time}, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_unmove_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_unmove(internal, {time}, boolean[]) IS 'Takes an event back from the moving state of pql.events_all_agg.';
CREATE AGGREGATE pql.events_all_agg(ts {time}, VARIADIC conditions boolean[]) (
  SFUNC = pql._events_all_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_all_move, MINVFUNC = pql._events_all_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_all_agg({time}, VARIADIC boolean[]) IS 'Keeps all events, also those for which no condition holds: mode order and next_event see them. At most 32 conditions; up to eight are faster without VARIADIC. A null condition is false, an event without a time is ignored.';
CREATE OR REPLACE FUNCTION pql._events_all_add(state pql.events{_times}_state, ts {time}, step integer) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_all_add_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_add(pql.events{_times}_state, {time}, integer) IS 'Adds an event to the state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_move(state internal, ts {time}, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_move_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_move(internal, {time}, integer) IS 'Adds an event to the moving state of pql.events_all_agg.';
CREATE OR REPLACE FUNCTION pql._events_all_unmove(state internal, ts {time}, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_all_unmove_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_all_unmove(internal, {time}, integer) IS 'Takes an event back from the moving state of pql.events_all_agg.';
CREATE AGGREGATE pql.events_all_agg(ts {time}, step integer) (
  SFUNC = pql._events_all_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_all_move, MINVFUNC = pql._events_all_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_all_agg({time}, integer) IS 'Keeps all events, also those for which no condition holds: mode order and next_event see them. Instead of conditions, the number of the step that the event is, from 1 on; null: none.';

--@ for conditions
CREATE OR REPLACE FUNCTION pql._events_excl_add(state pql.events{_times}_state, ts {time}, excluded boolean, {conditions}) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_excl_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_add(pql.events{_times}_state, {time}, boolean, {booleans}) IS 'Adds an event to the state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_move(state internal, ts {time}, excluded boolean, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_move(internal, {time}, boolean, {booleans}) IS 'Adds an event to the moving state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_unmove(state internal, ts {time}, excluded boolean, {conditions}) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_unmove(internal, {time}, boolean, {booleans}) IS 'Takes an event back from the moving state of pql.events_excl_agg.';
CREATE AGGREGATE pql.events_excl_agg(ts {time}, excluded boolean, {conditions}) (
  SFUNC = pql._events_excl_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_excl_move, MINVFUNC = pql._events_excl_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_excl_agg({time}, boolean, {booleans}) IS 'Keeps the events for which a condition holds, and those that no chain of steps may pass. A null condition is false, an event without a time is ignored.';
--@ end
CREATE OR REPLACE FUNCTION pql._events_excl_add(state pql.events{_times}_state, ts {time}, excluded boolean, conditions boolean[]) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_excl_add_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_add(pql.events{_times}_state, {time}, boolean, boolean[]) IS 'Adds an event to the state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_move(state internal, ts {time}, excluded boolean, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_move_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_move(internal, {time}, boolean, boolean[]) IS 'Adds an event to the moving state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_unmove(state internal, ts {time}, excluded boolean, conditions boolean[]) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_unmove_array{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_unmove(internal, {time}, boolean, boolean[]) IS 'Takes an event back from the moving state of pql.events_excl_agg.';
CREATE AGGREGATE pql.events_excl_agg(ts {time}, excluded boolean, VARIADIC conditions boolean[]) (
  SFUNC = pql._events_excl_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_excl_move, MINVFUNC = pql._events_excl_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_excl_agg({time}, boolean, VARIADIC boolean[]) IS 'Keeps the events for which a condition holds, and those that no chain of steps may pass. At most 32 conditions; up to eight are faster without VARIADIC. A null condition is false, an event without a time is ignored.';
CREATE OR REPLACE FUNCTION pql._events_excl_add(state pql.events{_times}_state, ts {time}, excluded boolean, step integer) RETURNS pql.events{_times}_state
  AS 'MODULE_PATHNAME', 'pql__events_excl_add_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_add(pql.events{_times}_state, {time}, boolean, integer) IS 'Adds an event to the state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_move(state internal, ts {time}, excluded boolean, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_move_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_move(internal, {time}, boolean, integer) IS 'Adds an event to the moving state of pql.events_excl_agg.';
CREATE OR REPLACE FUNCTION pql._events_excl_unmove(state internal, ts {time}, excluded boolean, step integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__events_excl_unmove_step{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._events_excl_unmove(internal, {time}, boolean, integer) IS 'Takes an event back from the moving state of pql.events_excl_agg.';
CREATE AGGREGATE pql.events_excl_agg(ts {time}, excluded boolean, step integer) (
  SFUNC = pql._events_excl_add, STYPE = pql.events{_times}_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._events_excl_move, MINVFUNC = pql._events_excl_unmove, MSTYPE = internal, MFINALFUNC = pql._events_moved{_times});
COMMENT ON AGGREGATE pql.events_excl_agg({time}, boolean, integer) IS 'Keeps the events for which a condition holds, and those that no chain of steps may pass. Instead of conditions, the number of the step that the event is, from 1 on; null: none.';
--@ end
