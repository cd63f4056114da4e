-- active_users_agg: how many different values there are, exactly or approximately.

--@ state active_users_state What pql.active_users_agg keeps of values: their hashes or, when approximate and more than 2,048, the registers of HyperLogLog. Independent of order: equal sets give equal states.

CREATE OR REPLACE FUNCTION pql._active_users_add(state pql.active_users_state, value anyelement) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__active_users_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_add(pql.active_users_state, anyelement) IS 'Adds a row to the state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_move(state internal, value anyelement) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_move(internal, anyelement) IS 'Adds a row to the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_unmove(state internal, value anyelement) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_unmove(internal, anyelement) IS 'Takes a row back from the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_add(state pql.active_users_state, value anyelement, approximate boolean) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__active_users_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_add(pql.active_users_state, anyelement, boolean) IS 'Adds a row to the state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_move(state internal, value anyelement, approximate boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_move' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_move(internal, anyelement, boolean) IS 'Adds a row to the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_unmove(state internal, value anyelement, approximate boolean) RETURNS internal
  AS 'MODULE_PATHNAME', 'pql__active_users_unmove' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._active_users_unmove(internal, anyelement, boolean) IS 'Takes a row back from the moving state of pql.active_users_agg.';
CREATE OR REPLACE FUNCTION pql._active_users_moved(state internal) RETURNS pql.active_users_state
  AS 'MODULE_PATHNAME', 'pql__active_users_moved' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._active_users_moved(internal) IS 'The moving state of pql.active_users_agg as a value.';
CREATE OR REPLACE FUNCTION pql._active_users_count(state pql.active_users_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__active_users_count' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql._active_users_count(pql.active_users_state) IS 'The number of different values in the state of an aggregate.';
CREATE OR REPLACE FUNCTION pql._active_users_moved_count(state internal) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__active_users_moved_count' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql._active_users_moved_count(internal) IS 'The number of different values in the moving state of an aggregate.';
CREATE AGGREGATE pql.active_users_agg(value anyelement) (
  SFUNC = pql._active_users_add, STYPE = pql.active_users_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._active_users_move, MINVFUNC = pql._active_users_unmove, MSTYPE = internal, MFINALFUNC = pql._active_users_moved);
COMMENT ON AGGREGATE pql.active_users_agg(anyelement) IS 'Keeps different values, such as ids of users, by their hashes of 64 bits. Read with active_users, active_users_upto.';
CREATE AGGREGATE pql.active_users_agg(value anyelement, approximate boolean) (
  SFUNC = pql._active_users_add, STYPE = pql.active_users_state, SSPACE = 256, FINALFUNC = pql._state_final, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._active_users_move, MINVFUNC = pql._active_users_unmove, MSTYPE = internal, MFINALFUNC = pql._active_users_moved);
COMMENT ON AGGREGATE pql.active_users_agg(anyelement, boolean) IS 'Keeps different values as active_users_agg(value) does; approximate: of more than 2,048 only what HyperLogLog needs to tell their number within 0.81 percent (one standard error).';
CREATE AGGREGATE pql.count_active_users(value anyelement) (
  SFUNC = pql._active_users_add, STYPE = pql.active_users_state, SSPACE = 256, FINALFUNC = pql._active_users_count, COMBINEFUNC = pql._state_add, PARALLEL = SAFE,
  MSFUNC = pql._active_users_move, MINVFUNC = pql._active_users_unmove, MSTYPE = internal, MFINALFUNC = pql._active_users_moved_count);
COMMENT ON AGGREGATE pql.count_active_users(anyelement) IS 'The number of different values in one step: as active_users(active_users_agg(value)), 0 for no rows. Over frames a row costs the same at any length.';

CREATE OR REPLACE FUNCTION pql.active_users(state pql.active_users_state) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_active_users' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.active_users(pql.active_users_state) IS 'The number of different values.';
CREATE OR REPLACE FUNCTION pql.active_users_upto(state pql.active_users_state, n bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_active_users_upto' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION pql.active_users_upto(pql.active_users_state, bigint) IS 'The number of different values up to n; n + 1 when there are more.';
