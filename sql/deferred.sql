-- Deferred sources: writers leave their events, and whoever folds takes them into the state, once each, in any order. What derives homes
-- again meanwhile takes what it read out of what waits.
-- covers: S3-9 S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, project text, name text, props jsonb);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE INDEX ON ev (project, ts);
SELECT * FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', properties => 'props',
                         workspace => 'project', clock => 'event', mode => 'deferred');
\set program '{"program": "p", "unit": "account", "milestones": {"start": {"event": "start"}, "large": {"event": "work", "where": "(props->>''n'')::int > 5"}, "done": {"event": "done"}}, "activation": {"steps": ["start", "done"], "within": "7 days"}, "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "points_each": 10, "max_points": 50}, "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}}, "qualify": {"enter": 40, "leave": 20}}'
SELECT pql.publish(:'program');
SELECT pql.promote('p');
CREATE VIEW waits AS SELECT waiting, events, lag > '0' AS lags FROM pql.fold_lag;
CREATE VIEW shown AS
  SELECT account_id, user_id, to_char(first_seen, 'MM-DD') AS first_seen, to_char(last_seen, 'MM-DD') AS last_seen, events
  FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";

--
-- Writing and folding
--

-- a statement leaves one row, and nothing else is written
INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', NULL, 'start', NULL), (2, '2026-01-02', 'ada', 'acme', NULL, 'work', '{"n": 9}'),
  (3, '2026-01-02', 'ben', 'acme', NULL, 'work', '{"n": 1}'), (4, '2026-01-03', 'ben', 'beta', NULL, 'done', NULL);
TABLE waits;
SELECT count(*) FROM pql.state;
SELECT source_id, events, cardinality(properties), octet_length(body) < 150 AS compact FROM pql.deferred;
-- nothing is told of what waits, and that isn't a difference
SET client_min_messages = notice;
SELECT * FROM pql.verify();
SET client_min_messages = warning;
TABLE shown;
SELECT pql.score('p', 'acme');
CALL pql.fold();
TABLE waits;
TABLE shown;
SELECT unit, subject_id, name, reached_at, event_id FROM pql.milestones ORDER BY 1, 2, 3;
SELECT * FROM pql.verify();
-- there is nothing to be done a second time
CALL pql.fold();
TABLE shown;
-- routing rows come with the fold, and tick folds, too
INSERT INTO ev SELECT 10 + i, '2026-01-04', 'ada', 'acme', NULL, 'work', '{"n": 9}' FROM generate_series(1, 5) AS i;
SELECT count(*) FROM pql.routing;
SELECT events_folded, more_due FROM pql.tick();
SELECT subject_id, score, motion FROM pql.routing;
SELECT events_folded FROM pql.tick();
-- what is rolled back never waits
BEGIN;
INSERT INTO ev VALUES (20, '2026-01-04', 'cho', 'acme', NULL, 'work');
SAVEPOINT s;
INSERT INTO ev VALUES (21, '2026-01-04', 'dee', 'acme', NULL, 'work');
ROLLBACK TO s;
TABLE waits;
COMMIT;
TABLE waits;
CALL pql.fold();
SELECT * FROM pql.verify();
SELECT user_id FROM pql.members WHERE account_id = 'acme' ORDER BY 1;
-- an event that can't be used, a rule that fails on it, and one that isn't due
INSERT INTO ev VALUES (30, '2026-01-04', NULL, 'acme', NULL, 'work', NULL), (31, 'infinity', 'ada', 'acme', NULL, 'work', NULL),
  (32, '2026-01-05', 'eve', 'acme', NULL, 'work', '{"n": "x"}');
INSERT INTO ev SELECT 33, now() + interval '1 day', 'fay', 'acme', NULL, 'work', '{"n": 7}';
SELECT reason, events FROM pql.unusable ORDER BY 1;
CALL pql.fold();
SELECT reason, events FROM pql.unusable ORDER BY 1;
SELECT held, mode FROM pql.sources;
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id = 33;
CALL pql.fold();
SELECT held FROM pql.sources;
SELECT * FROM pql.verify();
-- a large statement leaves several rows; batches are bounded
INSERT INTO ev SELECT 1000 + i, timestamptz '2026-01-05' + i * interval '1 second', 'u' || i % 50, 'o' || i % 20, NULL, 'work' FROM generate_series(1, 5000) AS i;
SELECT waiting > 5, events FROM waits;
SET pql.fold_batch = 2;
SELECT statements, events < 5000 FROM pql._fold(false);
SELECT more_due FROM pql.tick();
CALL pql.fold();
TABLE waits;
SELECT * FROM pql.verify();
RESET pql.fold_batch;

--
-- Changes and deletes
--

-- before the events that they change were folded, and after; they leave what they touched
INSERT INTO ev VALUES (100, '2026-01-05', 'gus', 'acme', NULL, 'start'), (101, '2026-01-05', 'gus', 'acme', NULL, 'done');
UPDATE ev SET org = 'gamma' WHERE id = 100;
DELETE FROM ev WHERE id IN (101, 1);
UPDATE ev SET props = props WHERE id < 10; -- changes nothing that is read
TABLE waits;
SELECT * FROM pql.verify();
CALL pql.fold();
TABLE waits;
SELECT * FROM shown WHERE user_id IN ('gus', 'ada');
SELECT * FROM pql.verify();
-- with an expression that fails on a row, and no user any more
UPDATE ev SET who = NULL WHERE id = 100;
CALL pql.fold();
SELECT * FROM shown WHERE user_id = 'gus';
SELECT * FROM pql.verify();
-- whoever derives a home reads what waits, which isn't folded into it again; into others it is
INSERT INTO ev VALUES (110, '2026-01-06', 'hal', 'acme', NULL, 'work'), (111, '2026-01-06', 'hal', 'delta', NULL, 'work');
SELECT pql._derive_homes('{a:acme}');
SELECT * FROM shown WHERE user_id = 'hal';
TABLE waits;
CALL pql.fold();
SELECT * FROM shown WHERE user_id = 'hal';
SELECT * FROM pql.verify();
-- TRUNCATE: what waits goes with it, and what comes after doesn't
INSERT INTO ev VALUES (120, '2026-01-06', 'ida', 'epsilon', NULL, 'work');
TRUNCATE ev;
INSERT INTO ev VALUES (121, '2026-01-06', 'jim', 'acme', NULL, 'work');
SELECT * FROM pql.verify();
CALL pql.fold();
TABLE shown;
SELECT * FROM pql.verify();
-- what waits for long is told of
BEGIN;
INSERT INTO ev VALUES (122, '2026-01-07', 'jim', 'acme', NULL, 'work');
SELECT status FROM pql.health AS h WHERE h."check" = 'folding';
UPDATE pql.deferred SET appended_at = appended_at - interval '10 minutes';
SELECT status, hint FROM pql.health AS h WHERE h."check" = 'folding';
ROLLBACK;
-- rebuild takes all
INSERT INTO ev VALUES (122, '2026-01-07', 'jim', 'acme', NULL, 'work'), (123, '2026-01-07', NULL, 'acme', NULL, 'work');
CALL pql.rebuild();
TABLE waits;
-- and has counted what could not be used
SELECT reason, events FROM pql.unusable ORDER BY 1;
TABLE shown;
CALL pql.fold();
SELECT * FROM pql.verify();

--
-- Who is who
--

-- merges and moves: what waits is whose it is when it is folded
INSERT INTO ev VALUES (130, '2026-01-07', 'kim', 'acme', NULL, 'work'), (131, '2026-01-07', 'liz', 'beta', NULL, 'work');
SELECT pql.merge_users('kim', 'liz') > 0;
SELECT pql.move_user('jim', 'beta') > 0;
INSERT INTO ev VALUES (132, '2026-01-08', 'jim', 'acme', NULL, 'work'), (133, '2026-01-08', 'kim', 'acme', NULL, 'work');
CALL pql.fold();
TABLE shown;
SELECT * FROM pql.verify();
INSERT INTO ev VALUES (134, '2026-01-09', 'kim', 'acme', NULL, 'work'), (135, '2026-01-09', 'jim', 'acme', NULL, 'work');
SELECT pql.undo_merge(merge_id) FROM pql.identity WHERE kind = 'user' AND undone_at IS NULL;
SELECT pql.merge_accounts('beta', 'acme') > 0;
CALL pql.fold();
TABLE shown;
SELECT * FROM pql.verify();
-- erasing reaches what waits, whatever it says of others stays; and what comes later counts for nobody
INSERT INTO ev VALUES (140, '2026-01-10', 'mia', 'acme', NULL, 'work', '{"n": 8, "secret": "mia''s"}'), (141, '2026-01-10', 'ned', 'acme', NULL, 'work', '{"n": 8}');
UPDATE ev SET org = 'zeta' WHERE id = 140;
SELECT relation, removed FROM pql.erase_user('mia');
SELECT count(*) FROM pql.deferred AS d WHERE d::text LIKE '%secret%' OR encode(body, 'escape') LIKE '%mia%';
INSERT INTO ev VALUES (142, '2026-01-11', 'mia', 'acme', NULL, 'work');
CALL pql.fold();
SELECT * FROM shown WHERE user_id IN ('mia', 'ned');
SELECT * FROM pql.verify();
INSERT INTO ev VALUES (143, '2026-01-11', 'ned', 'eta', NULL, 'work'), (144, '2026-01-11', 'ned', 'acme', NULL, 'work');
SELECT relation, removed FROM pql.erase_account('eta') WHERE relation = 'pql.deferred';
CALL pql.fold();
SELECT account_id, events FROM pql.members WHERE user_id = 'ned' ORDER BY 1;
SELECT * FROM pql.verify();

--
-- Programs
--

-- what waits is history to whatever is published meanwhile, and is folded for what was known when it was written
INSERT INTO ev VALUES (150, '2026-01-11', 'ola', 'theta', 'web', 'start', NULL), (151, '2026-01-11', 'ola', 'theta', 'web', 'ask', '{"n": 7}');
SELECT pql.publish($${"program": "asks", "unit": "account", "milestones": {"asked": {"event": "ask", "where": "(props->>'n')::int > 5"}},
  "signals": {"asks": {"kind": "intent", "event": "ask", "half_life": "7 days", "points_each": 10, "max_points": 50}}, "qualify": {"enter": 40, "leave": 20}}$$);
SELECT pql.publish($${"program": "spaces", "unit": "workspace",
  "signals": {"asks": {"kind": "intent", "event": "ask", "half_life": "7 days", "points_each": 10, "max_points": 50}}, "qualify": {"enter": 40, "leave": 20}}$$);
INSERT INTO ev VALUES (152, '2026-01-12', 'ola', 'theta', 'web', 'ask', '{"n": 1}');
SELECT array_agg(DISTINCT trackers ORDER BY trackers) = ARRAY[min(trackers), max(trackers)] AND min(trackers) < max(trackers) FROM pql.deferred;
CALL pql.fold();
CALL pql.backfill();
SELECT pql.score('asks', 'theta'), pql.score('spaces', 'web');
SELECT * FROM pql.verify();
-- the other way round
INSERT INTO ev VALUES (153, '2026-01-12', 'ola', 'theta', 'web', 'new', '{"n": 7}');
SELECT pql.publish($${"program": "news", "unit": "account", "signals": {"news": {"kind": "intent", "event": "new", "half_life": "7 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 40, "leave": 20}}$$);
CALL pql.backfill();
SELECT * FROM pql.verify();
CALL pql.fold();
SELECT pql.score('news', 'theta');
SELECT * FROM pql.verify();
-- a home that is derived is taken out of what waits, in a workspace and in an account by itself
INSERT INTO ev VALUES (154, '2026-01-12', 'pia', 'theta', 'web', 'ask', '{"n": 7}');
SELECT pql._derive_homes('{w:web}');
TABLE waits;
SELECT pql._derive_homes('{a:theta}');
TABLE waits;
SELECT * FROM pql.verify();

--
-- Other modes
--

SELECT pql.set_mode('ev', 'async');
SELECT pql.set_mode('ev', NULL);
SELECT pql.set_mode('pql.source', 'sync');
INSERT INTO ev VALUES (160, '2026-01-12', 'quin', 'theta', 'web', 'work');
SELECT pql.set_mode('ev', 'sync');
TABLE waits;
INSERT INTO ev VALUES (161, '2026-01-12', 'quin', 'theta', 'web', 'work');
SELECT * FROM shown WHERE user_id = 'quin';
SELECT pql.set_mode('ev', 'deferred'), pql.set_mode('ev', 'deferred');
INSERT INTO ev VALUES (162, '2026-01-12', 'quin', 'theta', 'web', 'work');
TABLE waits;
-- sealing folds first
SELECT pql.retain('ev', '2026-01-12');
TABLE waits;
SELECT * FROM shown WHERE user_id = 'quin';
SELECT * FROM pql.verify();
DELETE FROM ev WHERE ts < '2026-01-12';
INSERT INTO ev VALUES (163, '2026-01-01', 'quin', 'theta', 'web', 'work');
CALL pql.fold();
SELECT reason, events FROM pql.unusable WHERE reason = 'sealed';
SELECT * FROM pql.verify();
-- a column that is gone: the insert goes on
BEGIN;
ALTER TABLE ev DROP COLUMN props CASCADE;
INSERT INTO ev VALUES (170, '2026-01-13', 'ron', 'theta', 'web', 'work');
SELECT pql._fold(true);
SELECT reason, events FROM pql.unusable WHERE reason = 'definition broken';
ROLLBACK;
-- detached, with what waited
INSERT INTO ev VALUES (171, '2026-01-13', 'sue', 'theta', 'web', 'work');
SELECT pql.detach('ev');
SELECT count(*) FROM pql.deferred;
TABLE shown;

--
-- Rows that row triggers see, and ids that pql compares
--

CREATE TABLE parted (id bigint, ts timestamptz, who text, org text, name text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
SELECT finding FROM pql.attach('parted', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event',
                               dedup => '10 days', mode => 'deferred') WHERE what IN ('table', 'cost', 'duplicates');
INSERT INTO parted SELECT i, '2026-01-01', 'u' || i % 3, 'acme', 'work' FROM generate_series(98, 103) AS i;
TABLE waits;
BEGIN;
INSERT INTO parted VALUES (104, '2026-01-01', 'u1', 'acme', 'work');
SAVEPOINT s;
INSERT INTO parted VALUES (105, '2026-01-01', 'u7', 'acme', 'work');
UPDATE parted SET who = 'u8' WHERE id = 98;
ROLLBACK TO s;
INSERT INTO parted VALUES (98, '2026-01-02', 'u9', 'acme', 'work'), (106, '2026-01-02', 'u2', 'beta', 'work');
COMMIT;
SELECT events FROM waits;
CALL pql.fold();
TABLE shown;
SELECT reason, events FROM pql.unusable;
SELECT * FROM pql.verify();
-- a row that arrived before the one that is known, and is folded after it
INSERT INTO parted VALUES (200, '2026-02-02', 'u1', 'gamma', 'work');
CALL pql.fold();
INSERT INTO parted VALUES (200, '2026-02-01', 'u2', 'gamma', 'work'), (201, '2026-02-01', 'u2', 'gamma', 'work');
CALL pql.fold();
SELECT * FROM shown WHERE account_id = 'gamma';
SELECT * FROM pql.verify();
DELETE FROM parted WHERE id = 200;
UPDATE parted SET id = id + 300 WHERE id = 201;
CALL pql.fold();
SELECT * FROM shown WHERE account_id = 'gamma';
SELECT * FROM pql.verify();

--
-- What the server is told
--

-- a damaged row says so, and a rebuild goes without it
INSERT INTO parted VALUES (300, '2026-02-03', 'u1', 'gamma', 'work');
UPDATE pql.deferred SET body = substr(body, 1, 9);
CALL pql.fold();
CALL pql.rebuild();
TABLE waits;
SELECT * FROM pql.verify();
-- a writer that must not fail with 40001: nothing of his waits for state
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO parted VALUES (301, '2026-02-04', 'u1', 'gamma', 'work');
COMMIT;
CALL pql.fold();
SELECT events FROM shown WHERE account_id = 'gamma' AND user_id = 'u1';
SELECT relacl IS NULL FROM pg_class WHERE oid = 'pql.deferred'::regclass;
DROP TABLE ev, parted;
