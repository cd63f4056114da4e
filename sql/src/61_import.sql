-- What pqlctl import has read of which file: where it goes on after it was stopped.
CREATE TABLE pql.import (
  import_id      bigint PRIMARY KEY DEFAULT pql.next_id(),
  relation       regclass NOT NULL,
  source         text NOT NULL,
  format         text NOT NULL,
  bytes          bigint NOT NULL,
  lines          bigint NOT NULL,
  digest         text NOT NULL,
  written        bigint NOT NULL,
  repeated       bigint NOT NULL,
  merged         bigint NOT NULL,
  passed_over    bigint NOT NULL,
  rejected       bigint NOT NULL,
  begun_at       timestamptz NOT NULL DEFAULT now(),
  last_batch_at  timestamptz NOT NULL DEFAULT now(),
  finished_at    timestamptz,
  imported_by    text NOT NULL DEFAULT session_user
);
CREATE INDEX import_relation ON pql.import (relation);
COMMENT ON TABLE pql.import IS 'Files that pqlctl import has read, and how far: each batch of rows is written with its line here in one transaction, so that an import that was stopped goes on where it was, and nothing comes twice.';
COMMENT ON COLUMN pql.import.import_id IS 'The number of the import.';
COMMENT ON COLUMN pql.import.format IS 'What the file is like, as pqlctl import was told or found.';
COMMENT ON COLUMN pql.import.lines IS 'How much of it was read, in lines.';
COMMENT ON COLUMN pql.import.begun_at IS 'When it was begun.';
COMMENT ON COLUMN pql.import.last_batch_at IS 'When the last batch of rows was written.';
COMMENT ON COLUMN pql.import.finished_at IS 'When the file''s end was reached; null: it wasn''t.';
COMMENT ON COLUMN pql.import.imported_by IS 'The role that imported it.';
COMMENT ON COLUMN pql.import.relation IS 'The table that the rows were written to.';
COMMENT ON COLUMN pql.import.source IS 'The file''s name when it was imported; it is recognised by what is in it.';
COMMENT ON COLUMN pql.import.bytes IS 'How much of it was read, in bytes, uncompressed.';
COMMENT ON COLUMN pql.import.digest IS 'SHA-256 of these bytes, in hexadecimal: a file that begins with them goes on behind them.';
COMMENT ON COLUMN pql.import.written IS 'Rows that were inserted.';
COMMENT ON COLUMN pql.import.repeated IS 'Rows that were not, because an event of their id was there already.';
COMMENT ON COLUMN pql.import.merged IS 'Records that said who somebody turned out to be, and were handed to pql.merge_users.';
COMMENT ON COLUMN pql.import.passed_over IS 'Records that are right, and no events.';
COMMENT ON COLUMN pql.import.rejected IS 'Records that are wrong; pqlctl wrote them into a file, with reasons.';
SELECT pg_catalog.pg_extension_config_dump('pql.import', '');
