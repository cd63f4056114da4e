-- journey_agg: the first and the last events of somebody, by their labels.

--@ for times
--@ state journey{_times}_state What pql.journey_agg keeps of events: the first and the last with their times and labels, and how many there are. Independent of order: equal events give equal states.{times_are}

CREATE OR REPLACE FUNCTION pql._journey_add(state pql.journey{_times}_state, ts {time}, label text) RETURNS pql.journey{_times}_state
  AS 'MODULE_PATHNAME', 'pql__journey_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_add(pql.journey{_times}_state, {time}, text) IS 'Adds a row to the state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_move(state internal, ts {time}, label text) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_move(internal, {time}, text) IS 'Adds a row to the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_unmove(state internal, ts {time}, label text) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_unmove(internal, {time}, text) IS 'Takes a row back from the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_add(state pql.journey{_times}_state, ts {time}, label text, max_first integer, max_last integer) RETURNS pql.journey{_times}_state
  AS 'MODULE_PATHNAME', 'pql__journey_add{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_add(pql.journey{_times}_state, {time}, text, integer, integer) IS 'Adds a row to the state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_move(state internal, ts {time}, label text, max_first integer, max_last integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_move{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_move(internal, {time}, text, integer, integer) IS 'Adds a row to the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_unmove(state internal, ts {time}, label text, max_first integer, max_last integer) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__journey_unmove{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._journey_unmove(internal, {time}, text, integer, integer) IS 'Takes a row back from the moving state of pql.journey_agg.';
CREATE OR REPLACE FUNCTION pql._journey_moved{_times}(state internal) RETURNS pql.journey{_times}_state
  AS 'MODULE_PATHNAME', 'pql__journey_moved{_times}' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._journey_moved{_times}(internal) IS 'The moving state of pql.journey_agg as a value.{times_are}';
CREATE AGGREGATE pql.journey_agg(ts {time}, label text) (
  SFUNC = pql._journey_add, STYPE = pql.journey{_times}_state, SSPACE = 512, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._journey_move, MINVFUNC = pql._journey_unmove, MSTYPE = internal, MFINALFUNC = pql._journey_moved{_times});
COMMENT ON AGGREGATE pql.journey_agg({time}, text) IS 'Keeps the first 20 and the last 20 events, by time and then by label, and how many there are. Read with journey_text, journey_steps, next_after, journey_count, journey_elided.';
CREATE AGGREGATE pql.journey_agg(ts {time}, label text, max_first integer, max_last integer) (
  SFUNC = pql._journey_add, STYPE = pql.journey{_times}_state, SSPACE = 512, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._journey_move, MINVFUNC = pql._journey_unmove, MSTYPE = internal, MFINALFUNC = pql._journey_moved{_times});
COMMENT ON AGGREGATE pql.journey_agg({time}, text, integer, integer) IS 'Keeps the first max_first and the last max_last events (up to 1000 each), by time and then by label, and how many there are.';

CREATE OR REPLACE FUNCTION pql.journey_text(state pql.journey{_times}_state) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_journey_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.journey_text(pql.journey{_times}_state) IS 'The journey as a line of labels with arrows between them; equal ones in a row are one, with their number.';
CREATE OR REPLACE FUNCTION pql.journey_text(state pql.journey{_times}_state, separator text) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_journey_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.journey_text(pql.journey{_times}_state, text) IS 'The journey as a line of labels with a separator between them; equal ones in a row are one, with their number.';
CREATE OR REPLACE FUNCTION pql.journey_steps(state pql.journey{_times}_state) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql_journey_steps' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.journey_steps(pql.journey{_times}_state) IS 'The journey as an array: label, number and times of each run of equal labels, and where events are left out how many.';
CREATE OR REPLACE FUNCTION pql.next_after(state pql.journey{_times}_state, label text) RETURNS text
  AS 'MODULE_PATHNAME', 'pql_next_after' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.next_after(pql.journey{_times}_state, text) IS 'The label that follows the first run of a label; null when nothing follows, it was left out, or the label is not there.';
CREATE OR REPLACE FUNCTION pql.journey_count(state pql.journey{_times}_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_journey_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.journey_count(pql.journey{_times}_state) IS 'The number of events, kept or not.';
CREATE OR REPLACE FUNCTION pql.journey_elided(state pql.journey{_times}_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_journey_elided' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.journey_elided(pql.journey{_times}_state) IS 'The number of events that are left out.';
--@ end
