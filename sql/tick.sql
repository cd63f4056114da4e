-- What one tick does at most, what it writes when nothing is due, and when something will be. The background worker's own test is
-- test/tap/worker.pl.
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset format unaligned
CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT pql.publish('{"program": "p", "unit": "account",
  "signals": {"asks": {"kind": "intent", "event": "ask", "half_life": "7 days", "max_points": 50, "saturates_at": 1}},
  "qualify": {"enter": 20, "leave": 10, "cool_down": "1 day"},
  "motions": [{"otherwise": true, "motion": "account_executive", "after": "1 hour", "by": "2 hours"}]}');
SELECT pql.promote('p');
BEGIN; -- so that now is the same below
INSERT INTO ev SELECT i, now(), 'u' || i, 'o' || i, 'ask' FROM generate_series(1, 25) AS i;

-- Nothing is due yet; when will it be?
SELECT * FROM pql.tick();
SELECT pql._next_due() - now() AS next_due;

-- Everything in three parts: rows that become ready, promises that are broken, episodes that end and with them the rows.
SET pql.tick_batch = 10;
SELECT t.ready, t.more_due FROM generate_series(1, 4) AS n, LATERAL pql._tick(now() + interval '1 hour' + n * interval '1 second') AS t;
SELECT state, count(*) FROM pql.routing GROUP BY 1;
SELECT t.breached, t.ready, t.more_due FROM generate_series(1, 4) AS n, LATERAL pql._tick(now() + interval '3 hours' + n * interval '1 second') AS t;
SELECT t.episodes_reviewed, t.expired, t.more_due FROM generate_series(1, 7) AS n, LATERAL pql._tick(now() + interval '100 days' + n * interval '1 second') AS t;
SELECT state, count(*) FROM pql.routing GROUP BY 1;
SELECT count(*) FILTER (WHERE left_at IS NULL) AS open, count(*) FILTER (WHERE NOT settled) AS unsettled, count(cools_until) AS cooling FROM pql.episode;
COMMIT;

-- Whoever finds nothing writes nothing, also where there are reps.
INSERT INTO pql.reps (rep_id) VALUES ('ann');
SELECT pql._take_rep('ann');
BEGIN;
SELECT t.more_due FROM pql._tick(now() + interval '101 days') AS t;
SELECT pg_current_xact_id_if_assigned() IS NULL AS wrote_nothing;
COMMIT;

-- Episodes of a program that was retired stay as they are, and keep nobody else's from ending.
SELECT pql.publish('{"program": "gone", "unit": "account",
  "signals": {"buys": {"kind": "intent", "event": "buy", "half_life": "7 days", "max_points": 50, "saturates_at": 1}},
  "qualify": {"enter": 20, "leave": 10}}');
CALL pql.backfill();
SELECT pql.promote('gone');
INSERT INTO ev SELECT 100 + i, now(), 'v' || i, 'p' || i, 'buy' FROM generate_series(1, 12) AS i;
SELECT pql.retire('gone');
INSERT INTO ev VALUES (200, now(), 'w', 'late', 'ask');
SELECT t.episodes_reviewed, t.more_due FROM generate_series(1, 4) AS n, LATERAL pql._tick(now() + interval '300 days' + n * interval '1 second') AS t;
SELECT program, count(*) FROM pql.episode WHERE left_at IS NULL GROUP BY 1;

-- The settings.
SET pql.tick_batch = 0;
\set VERBOSITY sqlstate
SET pql.worker_interval = '10ms';
\set VERBOSITY default
CREATE ROLE regress_tick_nobody;
SET ROLE regress_tick_nobody;
SET pql.worker = on;
SET pql.worker_role = regress_tick_nobody;
RESET ROLE;
DROP ROLE regress_tick_nobody;
SELECT state <> 'at work' AS is_idle, pid, ticks, last_error FROM pql.worker;
DROP TABLE ev CASCADE;
