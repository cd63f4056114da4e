-- History: events that were there before attach or publish, folded by pql.backfill() in steps, while others come, change and go.
-- covers: S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint, ts timestamptz, who text, org text, name text, note text);
INSERT INTO ev SELECT g, '2026-01-01'::timestamptz + g * interval '1 minute', 'u' || g % 7, nullif('a' || g % 4, 'a0'),
  (ARRAY['start', 'work', 'done', 'look'])[1 + g * 13 % 4], repeat('x', 100) FROM generate_series(1, 400) AS g;
SELECT pql.publish($${"program": "p", "unit": "account", "milestones": {"start": {"event": "start"}, "done": {"event": "done"}},
  "activation": {"steps": ["start", "done"], "within": "7 days"},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 10, "max_points": 50},
              "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
  "qualify": {"enter": 20, "leave": 10}}$$);
SELECT pql.promote('p');
CREATE FUNCTION pg_temp.attach(relation regclass, dedup interval DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
  SELECT finding <> 'none' FROM pql.attach(relation, user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                 clock => 'event', dedup => dedup) WHERE what = 'history'
$$;
CREATE VIEW total AS SELECT sum(events) AS events, count(*) AS members FROM pql.members;

--
-- All at once
--

SELECT pg_temp.attach('ev');
SELECT relation, history_folded FROM pql.sources;
SELECT job_id, relation, percent, events, started_at, finished_at, remaining FROM pql.backfill_progress;
SELECT * FROM total;
CALL pql.backfill('ev');
SELECT relation, history_folded FROM pql.sources;
SELECT job_id, relation, percent, events, finished_at >= started_at, remaining FROM pql.backfill_progress;
SELECT * FROM total;
SELECT * FROM pql.verify();
-- nothing is emitted, and again it does nothing
SELECT count(*) FROM pql.episode;
SELECT count(*) FROM pql.routing;
SELECT pql.state_digest() AS digest \gset
CALL pql.backfill();
CALL pql.backfill('ev');
SELECT pql.state_digest() = :'digest' AS unchanged;
CALL pql.backfill('pg_class');

--
-- Step by step, with writes of every sort in between
--

SELECT pql.detach('ev');
SELECT * FROM total;
SELECT pg_temp.attach('ev');
SET pql.backfill_batch = 1;
SELECT pql._backfill_step(1);
SELECT job_id, relation, percent > 0 AND percent < 100 AS under_way, events > 0 AND events < 400 AS some, remaining IS NOT NULL FROM pql.backfill_progress;
INSERT INTO ev VALUES (1001, '2026-01-02', 'u1', 'a1', 'work'), (1002, '2026-01-02', 'new', 'new', 'start');
DELETE FROM ev WHERE id IN (1, 2, 399, 400);
UPDATE ev SET who = 'moved' WHERE id IN (3, 398);
SELECT pql._backfill_step(1);
UPDATE ev SET org = 'a9' WHERE id IN (4, 200, 390);
UPDATE ev SET name = 'work' WHERE id = 1001;
DELETE FROM ev WHERE id = 1002;
BEGIN;
SELECT pql._backfill_step(1);
ROLLBACK;
BEGIN;
DELETE FROM ev WHERE id = 391;
INSERT INTO ev VALUES (1003, '2026-01-02', 'u2', 'a2', 'done');
SELECT pql._backfill_step(1);
COMMIT;
RESET pql.backfill_batch;
CALL pql.backfill();
SELECT history_folded FROM pql.sources;
SELECT count(*) FROM ev;
SELECT * FROM total;
SELECT * FROM pql.verify();
SELECT pql._backfill_step(1);
SELECT pql._backfill_step(99);

-- updates that change nothing that pql reads, of events whose history is still to be folded
SELECT pql.detach('ev');
SELECT pg_temp.attach('ev');
SET pql.backfill_batch = 1;
SELECT pql._backfill_step(1);
RESET pql.backfill_batch;
UPDATE ev SET note = 'seen' WHERE id % 2 = 0;
CALL pql.backfill();
SELECT * FROM total;
SELECT * FROM pql.verify();

-- rows that move
SELECT pql.detach('ev');
SELECT pg_temp.attach('ev');
SET pql.backfill_batch = 1;
SELECT pql._backfill_step(1);
RESET pql.backfill_batch;
VACUUM FULL ev;
CALL pql.backfill();
CALL pql.rebuild();
SELECT history_folded FROM pql.sources;
SELECT * FROM total;
SELECT * FROM pql.verify();

-- emptied in the middle
SELECT pql.detach('ev');
CREATE TABLE copy AS SELECT * FROM ev;
SELECT pg_temp.attach('ev');
SET pql.backfill_batch = 1;
SELECT pql._backfill_step(1);
RESET pql.backfill_batch;
TRUNCATE ev;
INSERT INTO ev SELECT * FROM copy WHERE id < 50;
CALL pql.backfill();
SELECT count(*) FROM ev;
SELECT * FROM total;
SELECT * FROM pql.verify();

--
-- A second source for the same accounts; a program that comes later
--

SELECT pg_temp.attach('copy');
SELECT relation, history_folded FROM pql.sources ORDER BY source_id;
INSERT INTO ev VALUES (2001, '2026-01-03', 'u1', 'a1', 'start');
INSERT INTO copy VALUES (2002, '2026-01-03', 'u1', 'a1', 'start');
SET client_min_messages = notice;
SELECT pql.publish($${"program": "p", "unit": "account", "milestones": {"start": {"event": "start"}, "looked": {"event": "look"}},
  "signals": {"looked": {"kind": "intent", "event": "look", "half_life": "2 days", "points_each": 5, "max_points": 50}},
  "qualify": {"enter": 20, "leave": 10}}$$);
SET client_min_messages = warning;
SELECT version, status, goes_live FROM pql.program WHERE program = 'p' ORDER BY version;
SELECT relation, history_folded FROM pql.sources ORDER BY source_id;
CALL pql.backfill('ev');
SELECT version, status FROM pql.program WHERE program = 'p' ORDER BY version;
SELECT relation, history_folded FROM pql.sources ORDER BY source_id;
DELETE FROM copy WHERE id % 10 = 0;
CALL pql.backfill();
SELECT version, status FROM pql.program WHERE program = 'p' ORDER BY version;
SELECT relation, history_folded FROM pql.sources ORDER BY source_id;
SELECT (SELECT count(*) FROM ev) + (SELECT count(*) FROM copy);
SELECT * FROM total;
SELECT * FROM pql.verify();
SELECT subject_id, reached_at, event_id FROM pql.milestones WHERE unit = 'account' AND name = 'looked' ORDER BY subject_id;

-- rebuild in place of a backfill: programs come into force too
SELECT pql.publish($${"program": "late", "unit": "user", "milestones": {"worked": {"event": "work"}},
  "signals": {"worked": {"kind": "activation", "milestone": "worked", "max_points": 50}}, "qualify": {"enter": 20, "leave": 10}}$$);
SELECT version, status FROM pql.program WHERE program = 'late';
CALL pql.rebuild();
SELECT version, status FROM pql.program WHERE program = 'late';
SELECT history_folded FROM pql.sources;
SELECT * FROM pql.verify();
SELECT pql.detach('ev');
SELECT pql.detach('copy');
SELECT * FROM total;

--
-- Repeated events in the history
--

INSERT INTO copy SELECT * FROM copy WHERE id % 3 = 0;
SELECT count(*), count(DISTINCT id) FROM copy;
SELECT pg_temp.attach('copy', '90 days');
INSERT INTO copy SELECT * FROM copy WHERE id % 5 = 1;
SET pql.backfill_batch = 1;
SELECT pql._backfill_step(job_id) FROM pql.backfill_progress WHERE finished_at IS NULL;
INSERT INTO copy SELECT * FROM copy WHERE id % 7 = 1;
DELETE FROM copy WHERE id % 11 = 1;
CALL pql.backfill();
RESET pql.backfill_batch;
SELECT count(DISTINCT id) FROM copy;
SELECT * FROM total;
SELECT * FROM pql.verify();
-- history of another tracker: the ids are known already
SELECT pql.publish($${"program": "late", "unit": "account", "milestones": {"looked_at": {"event": "look"}},
  "signals": {"looks": {"kind": "intent", "event": "look", "half_life": "9 days", "points_each": 5, "max_points": 50}},
  "qualify": {"enter": 20, "leave": 10}}$$);
CALL pql.backfill();
SELECT * FROM total;
SELECT * FROM pql.verify();
SELECT pql.detach('copy');

--
-- A partitioned table with events, and events of the future in the history
--

CREATE TABLE part (LIKE ev) PARTITION BY RANGE (ts);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2026-01-01 03:00');
CREATE TABLE part_2 PARTITION OF part DEFAULT;
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
INSERT INTO part SELECT DISTINCT ON (id) * FROM copy;
INSERT INTO part VALUES (5000, '2999-01-01', 'u1', 'a1', 'start');
SELECT pg_temp.attach('part');
SELECT relation, percent FROM pql.backfill_progress ORDER BY relation::text;
UPDATE part SET ts = '2026-01-02' WHERE id = 10;
DELETE FROM part WHERE id BETWEEN 11 AND 20;
INSERT INTO part VALUES (5001, '2026-01-01', 'u1', 'a1', 'start');
CALL pql.backfill('part');
SELECT relation, percent FROM pql.backfill_progress ORDER BY relation::text;
SELECT count(*) FROM part;
SELECT * FROM total;
SELECT held FROM pql.sources;
SELECT * FROM pql.verify();

-- attach and publish draw a line through history: not in a transaction that wrote events itself
\set VERBOSITY sqlstate
SELECT pql.detach('part');
BEGIN;
INSERT INTO part VALUES (6000, '2026-01-01', 'u1', 'a1', 'start');
SELECT pg_temp.attach('part');
ROLLBACK;
BEGIN;
DELETE FROM ev WHERE id = 7;
SELECT pg_temp.attach('ev');
ROLLBACK;
SELECT count(*) FROM pql.sources;

-- one of two tables is emptied before its history is folded: the other's still is, and a TRUNCATE that is taken back leaves everything
CREATE TABLE one AS SELECT id, ts, who, org, name FROM copy LIMIT 0;
CREATE TABLE two AS SELECT g AS id, '2026-01-01'::timestamptz + g * interval '1 minute' AS ts, 'u' || g % 7 AS who, 'a' || g % 4 AS org, 'work' AS name
FROM generate_series(1, 300) AS g;
INSERT INTO one SELECT * FROM two;
SELECT pg_temp.attach('one'), pg_temp.attach('two');
INSERT INTO two VALUES (1000, '2026-02-01', 'u9', 'a1', 'work');
TRUNCATE one;
SELECT sum(events) FROM pql.members;
CALL pql.backfill();
SELECT sum(events) FROM pql.members;
BEGIN;
SAVEPOINT s;
TRUNCATE two;
SELECT sum(events) FROM pql.members;
ROLLBACK TO s;
SELECT sum(events) FROM pql.members;
COMMIT;
SELECT sum(events) FROM pql.members;
SELECT * FROM pql.verify();

-- what is held while a program is published, or found by a backfill, falls due before its history is folded, or meanwhile: it counts once
CREATE TABLE ahead (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE FUNCTION pg_temp.publish(name text, half_life text) RETURNS int LANGUAGE sql AS $$ SELECT pql.publish(jsonb_build_object('program', name, 'unit', 'account',
  'qualify', '{"enter": 50}'::jsonb, 'signals', jsonb_build_object('works', jsonb_build_object('kind', 'depth', 'event', 'work', 'half_life', half_life, 'max_points', 90)))) $$;
INSERT INTO ahead VALUES (1, now(), 'u1', 'a1', 'work'), (2, now() + interval '0.3 seconds', 'u1', 'a1', 'work'), (3, now() + interval '0.6 seconds', 'u2', 'a1', 'work');
SELECT count(*) FROM pql.attach('ahead', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT pg_temp.publish('first', '1 day');
INSERT INTO ahead VALUES (4, now() + interval '0.2 seconds', 'u1', 'a2', 'work'), (5, now() + interval '0.4 seconds', 'u1', 'a3', 'work');
SELECT pg_temp.publish('second', '2 days');
SELECT pg_sleep(0.3);
SELECT held_released > 0 AS released FROM pql.tick();
CALL pql.backfill();
SELECT pg_sleep(0.3);
SELECT count(*) FROM pql.tick();
SELECT * FROM pql.verify();
SELECT pql.detach('ahead');

DROP TABLE ahead;
DROP TABLE ev, copy, part, one, two CASCADE;
DROP VIEW total;
DROP EXTENSION pql CASCADE;
