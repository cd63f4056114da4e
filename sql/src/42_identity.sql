-- Who is who: ids that turned out to be others', users who belong to another account than their events say, and who was erased.
CREATE TABLE pql.identity (
  merge_id   bigint PRIMARY KEY,
  kind       text NOT NULL CHECK (kind IN ('user', 'account', 'move', 'erased_user', 'erased_account', 'erasure_key')),
  old_id     text COLLATE "C" NOT NULL,
  new_id     text COLLATE "C",
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor      text NOT NULL DEFAULT session_user,
  undone_at  timestamptz,
  changed    bigint NOT NULL,
  sealed     boolean NOT NULL DEFAULT false,
  CHECK (new_id IS NOT NULL OR kind NOT IN ('user', 'account'))
);
CREATE INDEX identity_old_id ON pql.identity (old_id) WHERE undone_at IS NULL;
CREATE INDEX identity_new_id ON pql.identity (new_id) WHERE undone_at IS NULL;
CREATE UNIQUE INDEX identity_changed ON pql.identity (changed);
COMMENT ON TABLE pql.identity IS 'Which user or account was merged into which, which user was moved to which account (null: to none), and hashes of the ids of those who were erased: written by pql.merge_users, pql.merge_accounts, pql.move_user, pql.undo_merge, pql.erase_user and pql.erase_account only.';
COMMENT ON COLUMN pql.identity.merge_id IS 'The number of the line, which pql.undo_merge takes.';
COMMENT ON COLUMN pql.identity.kind IS 'What it is: user or account (a merge), move (of a user to an account), erased_user, erased_account, erasure_key (what ids of the erased are hashed with).';
COMMENT ON COLUMN pql.identity.new_id IS 'What it was merged into, or the account it was moved to (null: none); of an erasure_key, the key; of an erasure null.';
COMMENT ON COLUMN pql.identity.at IS 'When it was done, by the clock on the wall.';
COMMENT ON COLUMN pql.identity.actor IS 'The role that did it.';
COMMENT ON COLUMN pql.identity.undone_at IS 'When it was undone (pql.undo_merge); null: it holds.';
COMMENT ON COLUMN pql.identity.old_id IS 'Who was merged or moved; of one that was erased, its hash: SHA-256 over the key (new_id of the row of kind erasure_key) and the id.';
COMMENT ON COLUMN pql.identity.changed IS 'Numbers what was made and undone in the order of commits: backends learn of what is newer than what they know.';
COMMENT ON COLUMN pql.identity.sealed IS 'Events that counted by it were sealed (pql.retain): it can''t be undone.';
SELECT pg_catalog.pg_extension_config_dump('pql.identity', '');

CREATE TRIGGER identities_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.identity
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();

CREATE TABLE pql.identity_lock ();
ALTER TABLE pql.identity_lock REPLICA IDENTITY FULL;
COMMENT ON TABLE pql.identity_lock IS 'Has no rows, and is never vacuumed: writers of state lock it against merges, and merges against writers.';

-- Events that are not due are found by their user when he is merged.
CREATE INDEX held_event_user_id ON pql.held_event (user_id);

CREATE OR REPLACE FUNCTION pql._canonical_user(user_id text) RETURNS text
  AS 'MODULE_PATHNAME', 'pql__canonical_user' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._canonical_user(text) IS 'Whom a user''s id stands for; he stays that until the transaction ends.';
REVOKE ALL ON FUNCTION pql._canonical_user(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_erased(home text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__is_erased' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5;
COMMENT ON FUNCTION pql._is_erased(text) IS 'Whether the user or the account whose own home it is was erased; that stays so until the transaction ends. Null: no.';
REVOKE ALL ON FUNCTION pql._is_erased(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.merge_users(old_id text, new_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_merge_users' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql.merge_users(text, text) IS
  'From now on the old user''s events, past and future, count for the new one (anonymous, then identified). Returns the number that pql.undo_merge takes; of a merge that was made already, that one''s. Ids may be unknown yet. Errors: 22004 null or empty argument, 22023 too long, or into itself, 42710 merged into another already, 55000 it would go in a circle, or an events table can''t be read.';
REVOKE ALL ON FUNCTION pql.merge_users(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.merge_accounts(old_id text, new_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_merge_accounts' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql.merge_accounts(text, text) IS
  'From now on the old account''s events, past and future, count for the new one. Returns the number that pql.undo_merge takes; of a merge that was made already, that one''s. Ids may be unknown yet. Errors: as pql.merge_users.';
REVOKE ALL ON FUNCTION pql.merge_accounts(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.move_user(user_id text, new_account_id text) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_move_user' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql.move_user(text, text) IS
  'From now on all of a user''s events, past and future and whatever account they name, count in that account (null: in none), but for those that are sealed. The last move counts. Returns the number that pql.undo_merge takes; of a move that was made already, that one''s. Errors: 22004 null or empty user, empty account, 22023 too long, 55000 an events table can''t be read.';
REVOKE ALL ON FUNCTION pql.move_user(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.undo_merge(merge_id bigint) RETURNS void
  AS 'MODULE_PATHNAME', 'pql_undo_merge' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql.undo_merge(bigint) IS
  'Takes back a merge or a move, in any order: the state is what it would be without it. Errors: 42704 no such merge, 22004 null argument, 55000 undone already, events that counted by it were sealed since, or an events table can''t be read.';
REVOKE ALL ON FUNCTION pql.undo_merge(bigint) FROM PUBLIC;
