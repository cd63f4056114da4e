-- Partitions that are attached, detached, emptied or dropped by themselves fire no trigger: tick, verify and pql.sources tell, and
-- backfill or rebuild mends.
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

CREATE TABLE ev (id bigint, ts timestamptz NOT NULL, who text, org text, name text) PARTITION BY RANGE (ts);
CREATE INDEX ON ev (org, ts);
CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.publish($${"program": "p", "unit": "account", "milestones": {"start": {"event": "start"}},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 10, "max_points": 50}},
  "qualify": {"enter": 20, "leave": 10}}$$);
SELECT pql.promote('p');
CREATE VIEW shown AS SELECT account_id, user_id, events FROM pql.members ORDER BY 1, 2;
CREATE VIEW wrong AS SELECT what, subject, streamed, recomputed FROM pql.verify() WHERE what IN ('events', 'partition');
CREATE VIEW changed AS SELECT intact, changed_partitions FROM pql.sources ORDER BY source_id;
INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'start'), (2, '2026-02-01', 'ben', 'acme', 'start'), (3, '2026-02-02', 'ada', 'acme', 'work');
SELECT * FROM changed;
SELECT * FROM pql.tick();
SELECT * FROM pql.verify();

--
-- Nothing to tell
--

-- created as a partition, and filled through the trigger, in one transaction or in several
CREATE TABLE ev_3 PARTITION OF ev FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO ev VALUES (10, '2026-03-01', 'cho', 'acme', 'work');
BEGIN;
CREATE TABLE ev_4 PARTITION OF ev FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
INSERT INTO ev VALUES (11, '2026-04-01', 'cho', 'acme', 'work');
INSERT INTO ev_4 VALUES (12, '2026-04-02', 'cho', 'acme', 'work');
COMMIT;
-- attached without events
CREATE TABLE ev_5 (LIKE ev);
ALTER TABLE ev ATTACH PARTITION ev_5 FOR VALUES FROM ('2026-05-01') TO ('2026-06-01');
INSERT INTO ev VALUES (13, '2026-05-01', 'cho', 'acme', 'work');
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
-- moved to another file, with and without rows in it
CREATE TABLE ev_6 PARTITION OF ev FOR VALUES FROM ('2026-06-01') TO ('2026-07-01');
SELECT partitions_changed FROM pql.tick();
VACUUM FULL ev_1;
VACUUM FULL ev_6;
CREATE INDEX ev_2_ts ON ev_2 (ts);
CLUSTER ev_2 USING ev_2_ts;
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
VACUUM FULL ev_1;
SELECT partitions_changed FROM pql.tick();
-- emptied through the parent, which fires a trigger
BEGIN;
TRUNCATE ev;
SELECT * FROM changed;
SELECT count(*) FROM shown;
ROLLBACK;
SELECT * FROM changed;
SELECT * FROM pql.verify();

--
-- TRUNCATE
--

TRUNCATE ev_5;
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
-- it is news once, and stays to be seen
SELECT partitions_changed FROM pql.tick();
SELECT * FROM changed;
INSERT INTO ev VALUES (14, '2026-05-02', 'dee', 'acme', 'work');
SELECT partitions_changed FROM pql.tick();
SELECT * FROM wrong;
-- whose events they were, nobody knows
CALL pql.backfill('ev_5');
SELECT * FROM changed;
CALL pql.rebuild();
SELECT * FROM changed;
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- of a partition that was never looked at with rows in it
INSERT INTO ev VALUES (15, '2026-06-01', 'eve', 'acme', 'work');
TRUNCATE ev_6;
SELECT partitions_changed FROM pql.tick();
CALL pql.rebuild();
SELECT * FROM shown;
-- one that is rewritten: verify finds that nothing is missing
ALTER TABLE ev_4 SET UNLOGGED;
SELECT * FROM changed;
SELECT count(*) FROM pql.verify(0.5);
BEGIN TRANSACTION READ ONLY;
SELECT * FROM pql.verify();
COMMIT;
SELECT * FROM changed;
SELECT * FROM pql.verify();
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();

--
-- DETACH and ATTACH
--

ALTER TABLE ev DETACH PARTITION ev_3;
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
SELECT partitions_changed FROM pql.tick();
SELECT * FROM wrong;
CALL pql.backfill('ev_3');
SELECT * FROM changed;
SELECT * FROM shown;
SELECT * FROM pql.verify();
CALL pql.backfill('ev_3');
-- rows come into it while it is none
INSERT INTO ev_3 VALUES (20, '2026-03-02', 'fay', 'fine', 'work'), (21, '2026-03-03', NULL, NULL, 'work');
ALTER TABLE ev ATTACH PARTITION ev_3 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO ev VALUES (22, '2026-03-04', 'gus', 'fine', 'work');
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
SELECT partitions_changed FROM pql.tick();
SELECT * FROM wrong;
CALL pql.backfill();
SELECT * FROM changed;
SELECT * FROM shown;
SELECT * FROM pql.verify();
CALL pql.backfill();
SELECT * FROM shown;
-- gone, changed, and there again before anybody looked
ALTER TABLE ev DETACH PARTITION ev_3;
DELETE FROM ev_3 WHERE id = 20;
ALTER TABLE ev ATTACH PARTITION ev_3 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
SELECT partitions_changed FROM pql.tick();
CALL pql.backfill('ev_3');
CALL pql.rebuild();
SELECT * FROM changed;
SELECT * FROM shown;
-- told of, and gone again before it was mended
CREATE TABLE ev_7 (LIKE ev);
INSERT INTO ev_7 VALUES (30, '2026-07-01', 'hal', 'fine', 'work');
ALTER TABLE ev ATTACH PARTITION ev_7 FOR VALUES FROM ('2026-07-01') TO ('2026-08-01');
SELECT partitions_changed FROM pql.tick();
ALTER TABLE ev DETACH PARTITION ev_7;
SELECT partitions_changed FROM pql.tick();
CALL pql.backfill('ev_7');
SELECT * FROM changed;
SELECT * FROM pql.verify();
-- made, filled and attached by one transaction
BEGIN;
CREATE TABLE ev_8 (LIKE ev);
INSERT INTO ev_8 VALUES (31, '2026-08-01', 'ivy', 'fine', 'work');
ALTER TABLE ev ATTACH PARTITION ev_8 FOR VALUES FROM ('2026-08-01') TO ('2026-09-01');
COMMIT;
SELECT partitions_changed FROM pql.tick();
CALL pql.backfill('ev_8');
SELECT * FROM changed;
SELECT * FROM pql.verify();
-- detached, and emptied after that
ALTER TABLE ev DETACH PARTITION ev_8;
TRUNCATE ev_8;
CALL pql.backfill('ev_8');
CALL pql.rebuild();
SELECT * FROM changed;
-- more homes than are derived at once; nothing is emitted
SELECT count(*) FROM pql.routing;
CREATE TABLE ev_9 (LIKE ev);
INSERT INTO ev_9 SELECT 1000 + g, '2026-09-01', 'u' || g, 'o' || g % 1200, 'work' FROM generate_series(1, 3600) AS g;
INSERT INTO ev_9 SELECT 5000 + g, '2026-09-01', 'u0', 'heavy', 'work' FROM generate_series(1, 20) AS g;
ALTER TABLE ev ATTACH PARTITION ev_9 FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
SELECT * FROM changed;
SET client_min_messages = notice;
CALL pql.backfill();
SET client_min_messages = warning;
SELECT * FROM changed;
SELECT * FROM pql.verify();
SELECT count(*) FROM pql.routing;
-- one whose columns are others
ALTER TABLE ev DETACH PARTITION ev_9;
ALTER TABLE ev_9 DROP COLUMN who;
CALL pql.backfill('ev_9');
SELECT changed_partitions FROM pql.sources;

--
-- DROP, and what was sealed
--

DROP TABLE ev_9;
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
CALL pql.backfill();
CALL pql.rebuild();
SELECT * FROM changed;
SELECT * FROM pql.verify();
INSERT INTO ev VALUES (40, '2026-06-02', 'jon', 'fine', 'work');
SELECT pql.retain('ev', '2026-03-01');
TRUNCATE ev_1;
DROP TABLE ev_2;
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
SELECT * FROM pql.verify();
CREATE TABLE ev_0 (LIKE ev);
INSERT INTO ev_0 VALUES (41, '2025-12-01', 'kay', 'fine', 'work');
ALTER TABLE ev ATTACH PARTITION ev_0 FOR VALUES FROM ('2025-12-01') TO ('2026-01-01');
SELECT * FROM changed;
SELECT * FROM pql.verify();
ALTER TABLE ev DETACH PARTITION ev_1;
ALTER TABLE ev DETACH PARTITION ev_3;
SELECT * FROM changed;
CALL pql.backfill();
SELECT * FROM changed;
SELECT * FROM pql.verify();
SELECT pql.detach('ev');
SELECT count(*) FROM pql.source_leaf;
DROP TABLE ev, ev_1, ev_3, ev_7, ev_8;

--
-- Trees, and bounds that tell nothing of time
--

CREATE TABLE tree (id bigint, ts timestamptz NOT NULL, who text, org text, name text) PARTITION BY LIST (org);
CREATE TABLE tree_a PARTITION OF tree FOR VALUES IN ('a') PARTITION BY RANGE (ts, id);
CREATE TABLE tree_a_1 PARTITION OF tree_a FOR VALUES FROM ('2026-01-01', 0) TO ('2026-02-01', MINVALUE);
CREATE TABLE tree_a_2 PARTITION OF tree_a FOR VALUES FROM ('2026-02-01', MINVALUE) TO ('2026-03-01', 7);
CREATE TABLE tree_a_3 PARTITION OF tree_a DEFAULT;
CREATE TABLE tree_b PARTITION OF tree DEFAULT;
INSERT INTO tree VALUES (1, '2026-01-01', 'u1', 'a', 'work'), (2, '2026-02-01', 'u1', 'a', 'work'), (3, '2026-03-01', 'u1', 'b', 'work'), (4, '2026-04-01', 'u1', 'a', 'work');
SELECT count(*) FROM pql.attach('tree', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
CALL pql.backfill();
SELECT name, holds_until FROM pql.source_leaf ORDER BY name;
SELECT partitions_changed FROM pql.tick();
TRUNCATE tree_a;
SELECT * FROM changed;
CALL pql.rebuild();
SELECT * FROM changed;
-- a subtree comes with its leaves
CREATE TABLE tree_c (LIKE tree) PARTITION BY HASH (id);
CREATE TABLE tree_c_1 PARTITION OF tree_c FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE tree_c_2 PARTITION OF tree_c FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO tree_c SELECT g, '2026-01-01', 'u2', 'c', 'work' FROM generate_series(1, 20) AS g;
ALTER TABLE tree ATTACH PARTITION tree_c FOR VALUES IN ('c');
SELECT * FROM changed;
CALL pql.backfill('tree');
SELECT * FROM changed;
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- sealed, but bounds that don't tell
SELECT pql.retain('tree', '2026-05-01');
DROP TABLE tree_a_2, tree_a_1;
SELECT * FROM changed;
-- nothing is missing, as verify finds
SELECT * FROM pql.verify();
SELECT * FROM changed;
-- a trigger that is disabled on a partition
ALTER TABLE tree_b DISABLE TRIGGER pql_row;
SELECT * FROM changed;
ALTER TABLE tree_b ENABLE ALWAYS TRIGGER pql_row;
SELECT * FROM changed;
SELECT pql.detach('tree');
DROP TABLE tree;

--
-- Ids that repeat, and events of the future
--

CREATE TABLE ids (id bigint, ts timestamptz NOT NULL, who text, org text, name text) PARTITION BY LIST (name);
CREATE TABLE ids_work PARTITION OF ids FOR VALUES IN ('work');
CREATE INDEX ON ids (org, ts);
SELECT count(*) FROM pql.attach('ids', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days');
INSERT INTO ids VALUES (1, '2026-01-02', 'ada', 'acme', 'work'), (2, '2026-01-02', 'ada', 'acme', 'work');
CREATE TABLE ids_start (LIKE ids);
INSERT INTO ids_start VALUES (1, '2026-01-01', 'ben', 'acme', 'start'), (2, '2026-01-03', 'ben', 'acme', 'start'), (3, '2999-01-01', 'ben', 'acme', 'start'),
  (4, '2026-01-01', 'ben', 'acme', 'start'), (4, '2026-01-01', 'ben', 'acme', 'start');
ALTER TABLE ids ATTACH PARTITION ids_start FOR VALUES IN ('start');
CALL pql.backfill('ids_start');
SELECT * FROM shown;
SELECT held FROM pql.sources;
SELECT * FROM pql.verify();
INSERT INTO ids VALUES (4, '2026-01-02', 'cho', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
ALTER TABLE ids DETACH PARTITION ids_start;
CALL pql.backfill('ids');
SELECT * FROM shown;
SELECT held FROM pql.sources;
SELECT * FROM pql.verify();
SELECT pql.detach('ids');
DROP TABLE ids, ids_start;

--
-- A table that becomes a partition
--

CREATE TABLE ev (id bigint, ts timestamptz NOT NULL, who text, org text, name text);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'work');
CREATE TABLE whole (LIKE ev) PARTITION BY RANGE (ts);
ALTER TABLE whole ATTACH PARTITION ev DEFAULT;
INSERT INTO whole VALUES (2, '2026-01-02', 'ben', 'acme', 'work');
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
SELECT partitions_changed FROM pql.tick();
SELECT * FROM wrong;
CALL pql.backfill();
CALL pql.rebuild();
SELECT * FROM wrong;
SELECT partitions_changed FROM pql.tick();
-- of both, each counts what it sees
SELECT count(*) FROM pql.attach('whole', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
CALL pql.backfill();
INSERT INTO ev VALUES (3, '2026-01-03', 'cho', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM changed;
SELECT pql.detach('ev');
SELECT * FROM changed;
SELECT * FROM shown;
SELECT * FROM pql.verify();
ALTER TABLE whole DETACH PARTITION ev;
CALL pql.backfill('ev');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- detached, and attached for itself
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
CALL pql.backfill();
SELECT * FROM changed;
SELECT * FROM pql.verify();

DROP TABLE ev, whole CASCADE;
SELECT * FROM changed;
SELECT partitions_changed FROM pql.tick();
DROP VIEW shown, changed, wrong;
DROP EXTENSION pql CASCADE;
