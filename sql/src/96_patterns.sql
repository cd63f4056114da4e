-- What is read from events: patterns; the aggregate that matches one at once.

CREATE OR REPLACE FUNCTION pql._sequence_match_moved(state internal) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__sequence_match_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._sequence_match_moved(internal) IS 'The result of pql.sequence_match over a frame.';

--@ for times
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
--@ end
