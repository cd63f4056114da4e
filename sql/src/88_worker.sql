-- The background worker: what it does in this database, and when it has to come again. It is driven by settings (doc/operations.md).

CREATE OR REPLACE FUNCTION pql._next_due() RETURNS timestamptz
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT least(CASE WHEN EXISTS (SELECT FROM pql.source AS s WHERE s.mode = 'deferred') OR EXISTS (SELECT FROM pql.deferred) THEN statement_timestamp() + interval '1 second' END, CASE WHEN pql._now() >= statement_timestamp() THEN least(
      (SELECT min(h.occurred_at) FROM pql.held_event AS h WHERE h.occurred_at > statement_timestamp()),
      (SELECT min(e.leaves_at) FROM pql.episode AS e WHERE e.left_at IS NULL AND e.leaves_at > statement_timestamp()),
      (SELECT min(e.cools_until) FROM pql.episode AS e WHERE e.cools_until > statement_timestamp()),
      (SELECT min(f.expires_at) FROM pql.flag AS f WHERE NOT f.ended AND f.expires_at > statement_timestamp()),
      (SELECT min(r.snoozed_until) FROM pql.routing AS r WHERE r.snoozed_until > statement_timestamp()),
      (SELECT min(r.contact_after) FROM pql.routing AS r WHERE r.state = 'pending' AND r.snoozed_until IS NULL AND r.contact_after > statement_timestamp()),
      (SELECT min(r.contact_by) FROM pql.routing AS r
       WHERE r.state IN ('pending', 'ready', 'claimed', 'accepted') AND r.first_touch_at IS NULL AND r.sla_breached_at IS NULL
         AND r.snoozed_until IS NULL AND r.contact_by > statement_timestamp())) END);
  END;
COMMENT ON FUNCTION pql._next_due() IS 'The next instant at which tick will have something to do, of what is known now; null where sources have a clock of their own. Deferred sources are to be looked after every second.';
REVOKE ALL ON FUNCTION pql._next_due() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._worker()
  RETURNS TABLE (state text, pid int, ticks bigint, ticked_at timestamptz, duration interval, failures int, last_error text, failed_at timestamptz,
                 next_at timestamptz)
  AS 'MODULE_PATHNAME', 'pql__worker' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100 ROWS 1;
COMMENT ON FUNCTION pql._worker() IS 'What the background worker does in this database, for whoever may read pql.worker.';

CREATE VIEW pql.worker WITH (security_invoker = true) AS
  SELECT w.state, w.pid, w.ticks, w.ticked_at, w.duration, w.failures, w.last_error, w.failed_at, w.next_at FROM pql._worker() AS w;
COMMENT ON VIEW pql.worker IS 'What the background worker does in this database, since the server was started.';
COMMENT ON COLUMN pql.worker.failed_at IS 'When it failed last; null: it hasn''t.';
COMMENT ON COLUMN pql.worker.state IS 'not preloaded (shared_preload_libraries), off (the setting pql.worker), waiting, at work, failing (it waits longer after each failure).';
COMMENT ON COLUMN pql.worker.pid IS 'The process that is at work; null: none is.';
COMMENT ON COLUMN pql.worker.ticks IS 'How often it has called pql.tick().';
COMMENT ON COLUMN pql.worker.ticked_at IS 'When it called it last, successfully.';
COMMENT ON COLUMN pql.worker.duration IS 'How long that took.';
COMMENT ON COLUMN pql.worker.failures IS 'How often it has failed since then.';
COMMENT ON COLUMN pql.worker.last_error IS 'What was wrong the last time that it failed; null: it hasn''t.';
COMMENT ON COLUMN pql.worker.next_at IS 'When it will come again.';
