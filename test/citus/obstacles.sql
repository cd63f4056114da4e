-- What pql.citus_check() finds in the way, one after the other; all of it is taken back.
\set SHOW_CONTEXT never
\set report 'SELECT "check", status, what FROM pql.citus_check() ORDER BY 1, 3;'
BEGIN;
ALTER TABLE events DROP CONSTRAINT events_pkey, ALTER home DROP NOT NULL;
:report
ALTER TABLE events DROP home CASCADE, ADD PRIMARY KEY (event_id);
:report
ROLLBACK;
BEGIN;
CREATE UNIQUE INDEX alone ON events (event_id);
INSERT INTO events VALUES ('a:another', -1, 'u1', 'o1', 'x', '2026-01-01 UTC', NULL);
UPDATE pql.source SET mode = 'deferred', clock = 'event';
:report
SELECT pql.distribute();
ROLLBACK;
SELECT pql.distribute(0);
SELECT pql.undistribute();
SELECT pql.on_shards('SELECT 1');
