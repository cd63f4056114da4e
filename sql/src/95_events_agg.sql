-- events_agg and its relatives: the events of a subject, to read funnels and patterns from. Conditions are up to eight booleans, an
-- array of up to 32 (slower), or the number of a step.

CREATE TYPE pql.events_state;
COMMENT ON TYPE pql.events_state IS 'What pql.events_agg, pql.events_all_agg and pql.events_excl_agg keep: a time and the conditions that hold, of each event. Independent of order.';
CREATE OR REPLACE FUNCTION pql.events_state_in(text cstring) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql_events_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.events_state_in(cstring) IS 'Reads a pql.events_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.events_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.events_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.events_state_recv(bytes internal) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql_events_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.events_state_recv(internal) IS 'Reads a pql.events_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.events_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.events_state) IS 'A state in its binary form.';
CREATE TYPE pql.events_state (INPUT = pql.events_state_in, OUTPUT = pql.state_out, RECEIVE = pql.events_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.events_state, b pql.events_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.events_state, pql.events_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.events_state, b pql.events_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.events_state, pql.events_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.events_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.events_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.events_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.events_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.events_state, RIGHTARG = pql.events_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.events_state, pql.events_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.events_state, RIGHTARG = pql.events_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.events_state, pql.events_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.events_state_ops DEFAULT FOR TYPE pql.events_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.events_state), FUNCTION 2 pql.state_hash_extended(pql.events_state, bigint);
COMMENT ON OPERATOR CLASS pql.events_state_ops USING hash IS 'Values of pql.events_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.events_state_ops USING hash IS 'What hashes pql.events_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.events_state, b pql.events_state) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.events_state, pql.events_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.events_state, RIGHTARG = pql.events_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.events_state, pql.events_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.events_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.events_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.events_state, other pql.events_state) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.events_state, pql.events_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.events_state) RETURNS pql.events_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.events_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.events_state) (SFUNC = pql._state_add, STYPE = pql.events_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.events_state) IS 'The state of the rows of all these states.';
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
