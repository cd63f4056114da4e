-- journey_agg: the first and the last events of somebody, by their labels.

CREATE TYPE pql.journey_state;
COMMENT ON TYPE pql.journey_state IS 'What pql.journey_agg keeps of events: the first and the last with their times and labels, and how many there are. Independent of order: equal events give equal states.';
CREATE OR REPLACE FUNCTION pql.journey_state_in(text cstring) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql_journey_state_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.journey_state_in(cstring) IS 'Reads a pql.journey_state from text.';
CREATE OR REPLACE FUNCTION pql.state_out(state pql.journey_state) RETURNS cstring
  AS 'MODULE_PATHNAME', 'pql_state_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_out(pql.journey_state) IS 'A state as text: JSON.';
CREATE OR REPLACE FUNCTION pql.journey_state_recv(bytes internal) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql_journey_state_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.journey_state_recv(internal) IS 'Reads a pql.journey_state from its binary form.';
CREATE OR REPLACE FUNCTION pql.state_send(state pql.journey_state) RETURNS bytea
  AS 'MODULE_PATHNAME', 'pql_state_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_send(pql.journey_state) IS 'A state in its binary form.';
CREATE TYPE pql.journey_state (INPUT = pql.journey_state_in, OUTPUT = pql.state_out, RECEIVE = pql.journey_state_recv, SEND = pql.state_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);

CREATE OR REPLACE FUNCTION pql.state_eq(a pql.journey_state, b pql.journey_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_eq(pql.journey_state, pql.journey_state) IS 'Whether two states are of the same rows and settings.';
CREATE OR REPLACE FUNCTION pql.state_ne(a pql.journey_state, b pql.journey_state) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql_state_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_ne(pql.journey_state, pql.journey_state) IS 'Whether two states differ.';
CREATE OR REPLACE FUNCTION pql.state_hash(state pql.journey_state) RETURNS integer
  AS 'MODULE_PATHNAME', 'pql_state_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash(pql.journey_state) IS 'Hash of a state.';
CREATE OR REPLACE FUNCTION pql.state_hash_extended(state pql.journey_state, seed bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_state_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql.state_hash_extended(pql.journey_state, bigint) IS 'Hash of a state, of 64 bits.';
CREATE OPERATOR pql.= (LEFTARG = pql.journey_state, RIGHTARG = pql.journey_state, FUNCTION = pql.state_eq, COMMUTATOR = OPERATOR(pql.=),
  NEGATOR = OPERATOR(pql.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES);
COMMENT ON OPERATOR pql.= (pql.journey_state, pql.journey_state) IS 'Whether two states are of the same rows and settings.';
CREATE OPERATOR pql.<> (LEFTARG = pql.journey_state, RIGHTARG = pql.journey_state, FUNCTION = pql.state_ne, COMMUTATOR = OPERATOR(pql.<>),
  NEGATOR = OPERATOR(pql.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR pql.<> (pql.journey_state, pql.journey_state) IS 'Whether two states differ.';
CREATE OPERATOR CLASS pql.journey_state_ops DEFAULT FOR TYPE pql.journey_state USING hash AS
  OPERATOR 1 pql.=, FUNCTION 1 pql.state_hash(pql.journey_state), FUNCTION 2 pql.state_hash_extended(pql.journey_state, bigint);
COMMENT ON OPERATOR CLASS pql.journey_state_ops USING hash IS 'Values of pql.journey_state are grouped and joined by their bytes.';
COMMENT ON OPERATOR FAMILY pql.journey_state_ops USING hash IS 'What hashes pql.journey_state.';

CREATE OR REPLACE FUNCTION pql.state_merge(a pql.journey_state, b pql.journey_state) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql_state_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.state_merge(pql.journey_state, pql.journey_state) IS 'The state of the rows of both; null is no rows.';
CREATE OPERATOR pql.|| (LEFTARG = pql.journey_state, RIGHTARG = pql.journey_state, FUNCTION = pql.state_merge);
COMMENT ON OPERATOR pql.|| (pql.journey_state, pql.journey_state) IS 'The state of the rows of both; null is no rows.';
CREATE OR REPLACE FUNCTION pql.state_info(state pql.journey_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_state_info' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.state_info(pql.journey_state) IS 'What a state is: its type, version, size, settings and extent.';
CREATE OR REPLACE FUNCTION pql._state_add(state pql.journey_state, other pql.journey_state) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql__state_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_add(pql.journey_state, pql.journey_state) IS 'Adds a state to an aggregate''s.';
CREATE OR REPLACE FUNCTION pql._state_final(state pql.journey_state) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql__state_final' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._state_final(pql.journey_state) IS 'An aggregate''s state as a value.';
CREATE AGGREGATE pql.rollup(pql.journey_state) (SFUNC = pql._state_add, STYPE = pql.journey_state, FINALFUNC = pql._state_final,
  COMBINEFUNC = pql._state_add, PARALLEL = SAFE);
COMMENT ON AGGREGATE pql.rollup(pql.journey_state) IS 'The state of the rows of all these states.';

CREATE OR REPLACE FUNCTION pql._journey_add(state pql.journey_state, ts timestamptz, label text) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql__journey_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_add(pql.journey_state, timestamptz, text) IS 'Adds a row to the state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_move(state internal, ts timestamptz, label text) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_move(internal, timestamptz, text) IS 'Adds a row to the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_unmove(state internal, ts timestamptz, label text) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_unmove(internal, timestamptz, text) IS 'Takes a row back from the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_add(state pql.journey_state, ts timestamptz, label text, max_first integer, max_last integer) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql__journey_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_add(pql.journey_state, timestamptz, text, integer, integer) IS 'Adds a row to the state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_move(state internal, ts timestamptz, label text, max_first integer, max_last integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_move(internal, timestamptz, text, integer, integer) IS 'Adds a row to the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_unmove(state internal, ts timestamptz, label text, max_first integer, max_last integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_unmove(internal, timestamptz, text, integer, integer) IS 'Takes a row back from the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_moved(state internal) RETURNS pql.journey_state
  AS 'MODULE_PATHNAME', 'pql__journey_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._journey_moved(internal) IS 'The moving state of pql.journey_agg as a value.';
CREATE AGGREGATE pql.journey_agg(ts timestamptz, label text) (
  SFUNC = pql._journey_add, STYPE = pql.journey_state, SSPACE = 512, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._journey_move, MINVFUNC = pql._journey_unmove, MSTYPE = internal, MFINALFUNC = pql._journey_moved);
COMMENT ON AGGREGATE pql.journey_agg(timestamptz, text) IS 'Keeps the first 20 and the last 20 events, by time and then by label, and how many there are. Read with journey_text, journey_steps, next_after, journey_count, journey_elided.';
CREATE AGGREGATE pql.journey_agg(ts timestamptz, label text, max_first integer, max_last integer) (
  SFUNC = pql._journey_add, STYPE = pql.journey_state, SSPACE = 512, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._journey_move, MINVFUNC = pql._journey_unmove, MSTYPE = internal, MFINALFUNC = pql._journey_moved);
COMMENT ON AGGREGATE pql.journey_agg(timestamptz, text, integer, integer) IS 'Keeps the first max_first and the last max_last events (up to 1000 each), by time and then by label, and how many there are.';

CREATE OR REPLACE FUNCTION pql.journey_text(state pql.journey_state) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_journey_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.journey_text(pql.journey_state) IS 'The journey as a line of labels with arrows between them; equal ones in a row are one, with their number.';
CREATE OR REPLACE FUNCTION pql.journey_text(state pql.journey_state, separator text) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_journey_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.journey_text(pql.journey_state, text) IS 'The journey as a line of labels with a separator between them; equal ones in a row are one, with their number.';
CREATE OR REPLACE FUNCTION pql.journey_steps(state pql.journey_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_journey_steps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.journey_steps(pql.journey_state) IS 'The journey as an array: label, number and times of each run of equal labels, and where events are left out how many.';
CREATE OR REPLACE FUNCTION pql.next_after(state pql.journey_state, label text) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_next_after' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.next_after(pql.journey_state, text) IS 'The label that follows the first run of a label; null when nothing follows, it was left out, or the label is not there.';
CREATE OR REPLACE FUNCTION pql.journey_count(state pql.journey_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_journey_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.journey_count(pql.journey_state) IS 'The number of events, kept or not.';
CREATE OR REPLACE FUNCTION pql.journey_elided(state pql.journey_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_journey_elided' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.journey_elided(pql.journey_state) IS 'The number of events that are left out.';
