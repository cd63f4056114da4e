-- decay_agg: sums and counts that fade, Σ v·2^((ts − as_of)/half_life). The functions state_… and _state_… are the same in C for
-- all types of states (src/pg/aggregate.cpp).

CREATE TYPE pql.decay_state;
COMMENT ON TYPE pql.decay_state IS 'What pql.decay_agg keeps of rows: a decayed sum, a decayed count, and the newest time. Exact and independent of order: equal rows give equal states.';
CREATE OR REPLACE FUNCTION pql.decay_state_in(text cstring) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql_decay_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.decay_state_in(cstring) IS 'Reads a pql.decay_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.decay_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.decay_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.decay_state_recv(bytes internal) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql_decay_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.decay_state_recv(internal) IS 'Reads a pql.decay_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.decay_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.decay_state) IS 'A state in its binary form.';
CREATE TYPE pql.decay_state (INPUT = pql.decay_state_in, OUTPUT = pql.state_out, RECEIVE = pql.decay_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.decay_state, b pql.decay_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.decay_state, pql.decay_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.decay_state, b pql.decay_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.decay_state, pql.decay_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.decay_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.decay_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.decay_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.decay_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.decay_state, RIGHTARG = pql.decay_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.decay_state, pql.decay_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.decay_state, RIGHTARG = pql.decay_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.decay_state, pql.decay_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.decay_state_ops DEFAULT FOR TYPE pql.decay_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.decay_state), FUNCTION 2 pql.state_hash_extended(pql.decay_state, bigint);
COMMENT ON OPERATOR CLASS pql.decay_state_ops USING hash IS 'Values of pql.decay_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.decay_state_ops USING hash IS 'What hashes pql.decay_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.decay_state, b pql.decay_state) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.decay_state, pql.decay_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.decay_state, RIGHTARG = pql.decay_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.decay_state, pql.decay_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.decay_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.decay_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.decay_state, other pql.decay_state) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.decay_state, pql.decay_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.decay_state) RETURNS pql.decay_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.decay_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.decay_state) (SFUNC = pql._state_add, STYPE = pql.decay_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.decay_state) IS 'The state of the rows of all these states.';

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
