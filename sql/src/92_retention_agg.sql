-- retention_agg: which conditions ever held. cohort_retention_agg: in which periods after the first there was anything.

CREATE TYPE pql.retention_state;
COMMENT ON TYPE pql.retention_state IS 'What pql.retention_agg keeps: which of its conditions ever held.';
CREATE OR REPLACE FUNCTION pql.retention_state_in(text cstring) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql_retention_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.retention_state_in(cstring) IS 'Reads a pql.retention_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.retention_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.retention_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.retention_state_recv(bytes internal) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql_retention_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.retention_state_recv(internal) IS 'Reads a pql.retention_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.retention_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.retention_state) IS 'A state in its binary form.';
CREATE TYPE pql.retention_state (INPUT = pql.retention_state_in, OUTPUT = pql.state_out, RECEIVE = pql.retention_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.retention_state, b pql.retention_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.retention_state, pql.retention_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.retention_state, b pql.retention_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.retention_state, pql.retention_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.retention_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.retention_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.retention_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.retention_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.retention_state, RIGHTARG = pql.retention_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.retention_state, pql.retention_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.retention_state, RIGHTARG = pql.retention_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.retention_state, pql.retention_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.retention_state_ops DEFAULT FOR TYPE pql.retention_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.retention_state), FUNCTION 2 pql.state_hash_extended(pql.retention_state, bigint);
COMMENT ON OPERATOR CLASS pql.retention_state_ops USING hash IS 'Values of pql.retention_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.retention_state_ops USING hash IS 'What hashes pql.retention_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.retention_state, b pql.retention_state) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.retention_state, pql.retention_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.retention_state, RIGHTARG = pql.retention_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.retention_state, pql.retention_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.retention_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.retention_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.retention_state, other pql.retention_state) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.retention_state, pql.retention_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.retention_state) RETURNS pql.retention_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.retention_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.retention_state) (SFUNC = pql._state_add, STYPE = pql.retention_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.retention_state) IS 'The state of the rows of all these states.';

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

CREATE TYPE pql.cohort_state;
COMMENT ON TYPE pql.cohort_state IS 'What pql.cohort_retention_agg keeps: the periods with a row, and the first one with an anchor.';
CREATE OR REPLACE FUNCTION pql.cohort_state_in(text cstring) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql_cohort_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.cohort_state_in(cstring) IS 'Reads a pql.cohort_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.cohort_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.cohort_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.cohort_state_recv(bytes internal) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql_cohort_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.cohort_state_recv(internal) IS 'Reads a pql.cohort_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.cohort_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.cohort_state) IS 'A state in its binary form.';
CREATE TYPE pql.cohort_state (INPUT = pql.cohort_state_in, OUTPUT = pql.state_out, RECEIVE = pql.cohort_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.cohort_state, b pql.cohort_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.cohort_state, pql.cohort_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.cohort_state, b pql.cohort_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.cohort_state, pql.cohort_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.cohort_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.cohort_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.cohort_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.cohort_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.cohort_state, RIGHTARG = pql.cohort_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.cohort_state, pql.cohort_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.cohort_state, RIGHTARG = pql.cohort_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.cohort_state, pql.cohort_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.cohort_state_ops DEFAULT FOR TYPE pql.cohort_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.cohort_state), FUNCTION 2 pql.state_hash_extended(pql.cohort_state, bigint);
COMMENT ON OPERATOR CLASS pql.cohort_state_ops USING hash IS 'Values of pql.cohort_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.cohort_state_ops USING hash IS 'What hashes pql.cohort_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.cohort_state, b pql.cohort_state) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.cohort_state, pql.cohort_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.cohort_state, RIGHTARG = pql.cohort_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.cohort_state, pql.cohort_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.cohort_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.cohort_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.cohort_state, other pql.cohort_state) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.cohort_state, pql.cohort_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.cohort_state) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.cohort_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.cohort_state) (SFUNC = pql._state_add, STYPE = pql.cohort_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.cohort_state) IS 'The state of the rows of all these states.';

CREATE OR REPLACE FUNCTION pql._cohort_add(state pql.cohort_state, ts timestamptz, period interval) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql__cohort_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_add(pql.cohort_state, timestamptz, interval) IS 'Adds a row to the state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_move(state internal, ts timestamptz, period interval) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_move(internal, timestamptz, interval) IS 'Adds a row to the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_unmove(state internal, ts timestamptz, period interval) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_unmove(internal, timestamptz, interval) IS 'Takes a row back from the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_add(state pql.cohort_state, ts timestamptz, period interval, anchor boolean) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql__cohort_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_add(pql.cohort_state, timestamptz, interval, boolean) IS 'Adds a row to the state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_move(state internal, ts timestamptz, period interval, anchor boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_move(internal, timestamptz, interval, boolean) IS 'Adds a row to the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_unmove(state internal, ts timestamptz, period interval, anchor boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__cohort_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._cohort_unmove(internal, timestamptz, interval, boolean) IS 'Takes a row back from the moving state of pql.cohort_retention_agg.';
CREATE OR REPLACE FUNCTION pql._cohort_moved(state internal) RETURNS pql.cohort_state
  AS 'MODULE_PATHNAME', 'pql__cohort_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._cohort_moved(internal) IS 'The moving state of pql.cohort_retention_agg as a value.';
CREATE AGGREGATE pql.cohort_retention_agg(ts timestamptz, period interval) (
  SFUNC = pql._cohort_add, STYPE = pql.cohort_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._cohort_move, MINVFUNC = pql._cohort_unmove, MSTYPE = internal, MFINALFUNC = pql._cohort_moved);
COMMENT ON AGGREGATE pql.cohort_retention_agg(timestamptz, interval) IS 'In which periods there were rows, the first one beginning the cohort. Read with retained_periods, cohort.';
CREATE AGGREGATE pql.cohort_retention_agg(ts timestamptz, period interval, anchor boolean) (
  SFUNC = pql._cohort_add, STYPE = pql.cohort_state, SSPACE = 128, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._cohort_move, MINVFUNC = pql._cohort_unmove, MSTYPE = internal, MFINALFUNC = pql._cohort_moved);
COMMENT ON AGGREGATE pql.cohort_retention_agg(timestamptz, interval, boolean) IS 'In which periods there were rows, the first one that is an anchor beginning the cohort. Read with retained_periods, cohort.';

CREATE OR REPLACE FUNCTION pql.retained_periods(state pql.cohort_state) RETURNS int[]
  AS 'MODULE_PATHNAME', 'pql_retained_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.retained_periods(pql.cohort_state) IS 'The numbers of the periods with rows, counted from the first one with an anchor, which is 0. Rows before it do not count; without an anchor there are none.';
CREATE OR REPLACE FUNCTION pql.cohort(state pql.cohort_state) RETURNS timestamptz
  AS 'MODULE_PATHNAME', 'pql_cohort' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.cohort(pql.cohort_state) IS 'When the first period with an anchor began; periods are counted from Monday, 2000-01-03, in UTC.';
