-- Events on their way into the state: every way to write rows, in one statement and in several, with and without an end; what
-- can't be used, what comes too early, what comes twice. After each block the state equals a scan of the events.
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

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, name text, props jsonb, note text);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props');
SELECT pql.publish($${"program": "p", "unit": "account",
  "milestones": {"start": {"event": "start"}, "done": {"event": "done"}, "big": {"event": "pay", "where": "100 / (props->>'n')::int < 10"}},
  "activation": {"steps": ["start", "done"], "within": "7 days"},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 10, "max_points": 50},
              "paid": {"kind": "intent", "event": "pay", "measure": "sum", "of": "(props->>'n')::float8", "half_life": "7 days",
                       "saturates_at": 100, "max_points": 20},
              "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
  "qualify": {"enter": 60, "leave": 40}}$$);
SELECT pql.publish($${"program": "q", "unit": "user",
  "milestones": {"start": {"event": "start"}, "done": {"event": "done"}},
  "activation": {"steps": ["start", "done"], "order": "any_order", "within": "2 days"},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "3 days", "saturates_at": 10, "max_points": 50},
              "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
  "qualify": {"enter": 60, "leave": 40}}$$);
CREATE VIEW shown AS
  SELECT account_id, user_id, to_char(first_seen, 'MM-DD HH24:MI') AS first_seen, to_char(last_seen, 'MM-DD HH24:MI') AS last_seen, events
  FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
CREATE VIEW reached AS
  SELECT unit, subject_id, name, to_char(reached_at, 'MM-DD HH24:MI') AS reached_at, event_id
  FROM pql.milestones ORDER BY unit, subject_id COLLATE "C", name;

--
-- INSERT of one row and of many, SELECT, COPY, ON CONFLICT
--

INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'start');
INSERT INTO ev VALUES (2, '2026-01-02', 'ada', 'acme', 'done'), (3, '2026-01-03', 'ben', 'acme', 'start'), (4, '2026-01-01', 'cho', NULL, 'start'),
  (5, '2026-01-02', 'cho', '', 'done'), (6, '2026-01-01', 'ada', 'beta', 'work');
INSERT INTO ev SELECT 10 + g, '2026-01-05'::timestamptz + g * interval '1 hour', 'u' || g % 3, 'a' || g % 2, 'work' FROM generate_series(1, 20) AS g;
INSERT INTO ev SELECT * FROM ev WHERE false;
\copy ev from stdin
40	2026-01-04 10:00+00	ada	acme	work	\N	\N
41	2026-01-04 11:00+00	ben	acme	pay	{"n": 20}	\N
42	2026-01-03 12:00+00	dee	\N	done	\N	\N
\.
INSERT INTO ev VALUES (1, '2025-01-01', 'ada', 'acme', 'start'), (43, '2026-01-04', 'dee', NULL, 'start') ON CONFLICT DO NOTHING;
INSERT INTO ev VALUES (1, '2025-12-31', 'ada', 'acme', 'start'), (44, '2026-01-04', 'dee', NULL, 'start')
  ON CONFLICT (id) DO UPDATE SET ts = excluded.ts;
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();

--
-- UPDATE, DELETE, TRUNCATE
--

SELECT pql.state_digest() AS digest \gset
UPDATE ev SET note = 'seen';
SELECT pql.state_digest() = :'digest' AS unchanged;
UPDATE ev SET who = 'eve' WHERE id = 3;
UPDATE ev SET org = 'gamma' WHERE id = 2;
UPDATE ev SET ts = ts - interval '1 day' WHERE id = 6;
UPDATE ev SET name = 'done' WHERE id = 40;
UPDATE ev SET org = NULL WHERE id = 41;
UPDATE ev SET org = 'delta' WHERE id = 4;
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id IN (2, 3);
DELETE FROM ev WHERE org LIKE 'a_';
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();
UPDATE ev SET id = id + 1000, props = '{"n": 50}' WHERE name = 'pay';
UPDATE ev SET props = '{"n": 5}' WHERE name = 'pay';
UPDATE ev SET props = NULL WHERE name = 'pay';
SELECT * FROM pql.verify();
TRUNCATE ev;
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();

--
-- One statement that inserts, updates and deletes events of the same account; MERGE
--

INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'start'), (2, '2026-01-02', 'ada', 'acme', 'work'), (3, '2026-01-03', 'ben', 'acme', 'work');
WITH gone AS (DELETE FROM ev WHERE id = 2 RETURNING *),
     moved AS (UPDATE ev SET ts = '2025-12-30', org = 'acme' WHERE id = 3 RETURNING *),
     new AS (INSERT INTO ev SELECT id + 100, ts, who, org, 'done' FROM gone RETURNING *)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM moved), (SELECT count(*) FROM new);
SELECT * FROM shown;
SELECT * FROM pql.verify();
WITH new AS (INSERT INTO ev VALUES (200, '2026-01-05', 'cho', 'acme', 'work') RETURNING id)
INSERT INTO ev SELECT id + 1, '2026-01-06', 'cho', 'acme', 'work' FROM new;
WITH gone AS (DELETE FROM ev RETURNING *) INSERT INTO ev SELECT id + 500, ts, who, org, name FROM gone;
SELECT * FROM shown;
SELECT * FROM pql.verify();
MERGE INTO ev USING (VALUES (701, 'start'), (703, 'work'), (800, 'work'), (801, 'done')) AS n(id, name) ON n.id = ev.id
  WHEN MATCHED AND n.name = 'start' THEN DELETE
  WHEN MATCHED THEN UPDATE SET name = n.name, who = 'dee'
  WHEN NOT MATCHED THEN INSERT (id, ts, who, org, name) VALUES (n.id, '2026-01-07', 'dee', 'acme', n.name);
SELECT * FROM shown;
SELECT * FROM pql.verify();

--
-- Transactions, savepoints, errors
--

TRUNCATE ev;
BEGIN;
INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'start');
INSERT INTO ev VALUES (2, '2026-01-02', 'ben', 'acme', 'start');
SELECT * FROM shown;
UPDATE ev SET who = 'cho' WHERE id = 2;
SELECT * FROM shown;
DELETE FROM ev WHERE id = 1;
SELECT * FROM shown;
COMMIT;
SELECT * FROM shown;
SELECT * FROM pql.verify();
BEGIN;
INSERT INTO ev VALUES (3, '2026-01-01', 'ada', 'acme', 'start');
DELETE FROM ev WHERE id = 2;
ROLLBACK;
SELECT * FROM shown;
SELECT * FROM pql.verify();
BEGIN;
INSERT INTO ev VALUES (3, '2026-01-01', 'ada', 'acme', 'start');
SAVEPOINT a;
INSERT INTO ev VALUES (4, '2025-12-01', 'ada', 'acme', 'start');
DELETE FROM ev WHERE id = 2;
SAVEPOINT b;
INSERT INTO ev VALUES (5, '2025-11-01', 'dee', 'acme', 'start');
RELEASE b;
ROLLBACK TO a;
INSERT INTO ev VALUES (6, '2026-01-03', 'ada', 'acme', 'done');
SAVEPOINT c;
INSERT INTO ev VALUES (6, '2026-01-03', 'ada', 'acme', 'done');
ROLLBACK TO c;
SAVEPOINT d;
UPDATE ev SET ts = '2026-01-04' WHERE id = 6;
RELEASE d;
COMMIT;
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();
-- an error in the middle of a statement leaves nothing
INSERT INTO ev VALUES (7, '2026-01-05', 'ada', 'acme', 'work'), (6, '2026-01-05', 'ada', 'acme', 'work');
SELECT * FROM pql.verify();
-- writes from functions, with blocks that fail
CREATE FUNCTION write_events() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  n int := 0;
BEGIN
  INSERT INTO ev VALUES (20, '2026-01-10', 'fay', 'acme', 'start');
  DELETE FROM ev WHERE id = 3;
  BEGIN
    INSERT INTO ev VALUES (21, '2025-01-10', 'fay', 'acme', 'start');
    DELETE FROM ev WHERE id = 2;
    PERFORM 1 / 0;
  EXCEPTION WHEN division_by_zero THEN
    n := n + 1;
  END;
  UPDATE ev SET who = 'gus' WHERE id = 20;
  RETURN n;
END $$;
SELECT write_events();
SELECT * FROM shown;
SELECT * FROM pql.verify();
DO $$
BEGIN
  DELETE FROM ev WHERE id = 20;
  BEGIN
    DELETE FROM ev WHERE id = 2;
    PERFORM pql.score('q', 'cho');
    RAISE EXCEPTION 'undone';
  EXCEPTION WHEN raise_exception THEN NULL;
  END;
END $$;
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- pending changes that are read within a block that fails
CREATE FUNCTION delete_and_look() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM ev WHERE id = 6;
  BEGIN
    PERFORM pql.score('q', 'ada');
    RAISE EXCEPTION 'undone';
  EXCEPTION WHEN raise_exception THEN NULL;
  END;
  RETURN 0;
END $$;
SELECT delete_and_look();
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- read committed is not the only level
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO ev VALUES (30, '2026-01-10', 'hal', 'acme', 'start');
UPDATE ev SET who = 'ivy' WHERE id = 30;
COMMIT;
SELECT * FROM pql.verify();
-- the first statement of a session, whose end comes unnoticed: the next one sees what it did
\c -
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
BEGIN;
UPDATE ev SET who = 'jan' WHERE id = 30;
SELECT user_id FROM pql.members WHERE user_id IN ('ivy', 'jan');
COMMIT;
INSERT INTO ev VALUES (29, '2026-01-10', 'jan', 'acme', 'work');
\c -
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
-- and a query in the midst of one does nothing that its trigger is to do
CREATE FUNCTION without(id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM ev WHERE ev.id = without.id;
  RETURN (SELECT 'kim' FROM pg_class LIMIT 1);
END $$;
INSERT INTO ev SELECT id + 100, '2026-01-11', without(id), 'acme', 'start' FROM ev WHERE who = 'jan';
SELECT user_id, events FROM pql.members WHERE user_id IN ('jan', 'kim');
SELECT * FROM pql.verify();
DROP FUNCTION without(bigint);

--
-- What can't be used is counted, and the insert succeeds
--

TRUNCATE ev;
INSERT INTO ev VALUES (1, '2026-01-01', NULL, 'acme', 'start'), (2, '2026-01-01', '', 'acme', 'start'), (3, NULL, 'ada', 'acme', 'start'),
  (4, 'infinity', 'ada', 'acme', 'start'), (5, '-infinity', 'ada', 'acme', 'start'), (6, '2026-01-01', 'ada', 'acme', NULL),
  (7, '2026-01-01', 'ada', 'acme', ''), (8, '2026-01-01', 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT reason, events FROM pql.unusable ORDER BY reason;
INSERT INTO ev VALUES (10, '2026-01-02', 'ada', 'acme', 'pay', '{"n": 0}'), (11, '2026-01-02', 'ada', 'acme', 'pay', '{"n": "x"}'),
  (12, '2026-01-02', 'ada', 'acme', 'pay', '{"n": 50}'), (13, '2026-01-02', 'ada', 'acme', 'pay', '{}'), (14, '2026-01-02', 'ada', 'acme', 'pay', NULL),
  (15, '2026-01-02', 'ada', 'acme', 'pay', '{"n": "1e300"}'), (16, '2026-01-02', 'ada', 'acme', 'pay', '[]'), (17, '2026-01-02', 'ada', 'acme', 'pay', '{"n": "NaN"}');
SELECT * FROM shown;
SELECT * FROM reached;
SELECT reason, events FROM pql.unusable ORDER BY reason;
SELECT unusable FROM pql.sources;
SELECT * FROM pql.verify();
UPDATE ev SET ts = '2026-01-01' WHERE id = 4;
UPDATE ev SET ts = 'infinity' WHERE id = 8;
UPDATE ev SET who = 'ben' WHERE id = 2;
DELETE FROM ev WHERE who IS NULL;
SELECT * FROM shown;
SELECT * FROM pql.verify();
TRUNCATE ev;
-- rules that run into a limit, or into what isn't supported, for some values only
SELECT pql.publish($${"program": "limits", "unit": "user", "milestones": {
    "long": {"event": "pay", "where": "length(repeat('xxxx', (props->>'n')::int)) > 8"},
    "dated": {"event": "pay", "where": "jsonb_path_exists(props, '$.d.datetime() ? (@ < \"2026-01-01T00:00:00+00\".datetime())')"}},
  "signals": {"long": {"kind": "intent", "milestone": "long", "max_points": 10}}, "qualify": {"enter": 10, "leave": 5}}$$);
INSERT INTO ev VALUES (20, '2026-01-03', 'long', NULL, 'pay', '{"n": 300000000}'), (21, '2026-01-03', 'fit', NULL, 'pay', '{"n": 3}'),
  (22, '2026-01-03', 'dated', NULL, 'pay', '{"n": 1, "d": "2025-01-01"}');
SELECT * FROM reached WHERE name IN ('long', 'dated');
SELECT reason, events FROM pql.unusable WHERE reason = 'rule failed';
UPDATE ev SET who = 'fit too' WHERE id IN (20, 21, 22);
SELECT * FROM reached WHERE name IN ('long', 'dated');
SELECT * FROM pql.verify();
SELECT pql.retire('limits') > 0;

--
-- Ids of all sorts
--

TRUNCATE ev;
INSERT INTO ev SELECT n, '2026-01-01'::timestamptz + n * interval '1 hour', who, org, 'start' FROM (VALUES
  (1, 'Ünï ☃ 𝄞', 'a''b"c\d$$'), (2, ' ', ' lead'), (3, E'tab\tnew\nline', '{"a": 1}'), (4, 'a:acme', 'u:acme'), (5, 'u:ada', NULL),
  (6, 'acme', NULL), (7, 'ada', 'acme'), (8, 'NULL', '{}'), (9, '%s', '$1'), (10, repeat('x', 1000), repeat('y', 1000)),
  (11, repeat('x', 1001), 'acme'), (12, 'ada', repeat('y', 1001)), (13, repeat('ü', 500), repeat('ü', 501)), (14, '\x00', 'A')) AS x(n, who, org);
SELECT length(account_id), length(user_id), CASE WHEN length(user_id) < 50 THEN account_id END, CASE WHEN length(user_id) < 50 THEN user_id END, events
FROM pql.members ORDER BY first_seen;
SELECT reason, events FROM pql.unusable WHERE reason LIKE 'id%';
SELECT * FROM pql.verify();
UPDATE ev SET name = 'done' WHERE id <> 10;
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id % 2 = 0;
SELECT * FROM pql.verify();
DELETE FROM ev;
SELECT count(*) FROM pql.members;
SELECT * FROM pql.verify();

--
-- Events of the future are held, and enter when they are due
--

INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'start'), (2, now() + interval '1 day', 'ada', 'acme', 'done'),
  (3, '2999-01-01', 'ben', 'acme', 'start'), (4, '2999-01-01', 'ben', NULL, 'start');
SELECT user_id, events FROM pql.members ORDER BY user_id;
-- as of then they will count, also in accounts where nobody has seen him
INSERT INTO ev VALUES (7, '2999-01-01', 'dan', 'acme', 'done'), (8, '2998-12-31', 'dan', 'globex', 'start'), (9, '2026-01-01', 'dan', NULL, 'look');
SELECT signal, value FROM pql.explain('q', 'dan', '2999-01-02') ORDER BY signal;
SELECT score = pql.score('q', 'dan', '2999-01-02') AS same FROM pql.scoreboard('q', '2999-01-02') WHERE subject_id = 'dan';
DELETE FROM ev WHERE who = 'dan';
SELECT held FROM pql.sources;
SELECT * FROM pql.verify();
SELECT * FROM pql.tick();
-- time does not come sooner because somebody asks for it
SELECT * FROM pql.tick('3000-01-01');
SELECT user_id, events FROM pql.members ORDER BY user_id;
SELECT * FROM pql.verify();
-- nor twice, when their home is not known yet and everything is derived
INSERT INTO ev VALUES (6, '2999-01-01', 'ivo', 'ivory', 'start');
CALL pql.rebuild();
SELECT held FROM pql.sources;
DELETE FROM ev WHERE id = 6;
UPDATE ev SET ts = '2998-01-01' WHERE id = 3;
DELETE FROM ev WHERE id = 4;
UPDATE ev SET ts = '2026-01-02' WHERE id = 2;
SELECT home, user_id, event, occurred_at FROM pql.held_event ORDER BY 1, 2;
SELECT * FROM reached;
SELECT * FROM pql.verify();
INSERT INTO ev VALUES (5, now() + interval '0.3 seconds', 'cho', 'acme', 'start');
SELECT held FROM pql.sources;
SELECT pg_sleep(0.4);
-- once due it counts for whoever reads, also before a tick, and is no difference
SELECT * FROM pql.verify();
SELECT * FROM pql.tick('2026-01-01');
SELECT * FROM pql.tick();
SELECT held FROM pql.sources;
SELECT user_id, events FROM pql.members ORDER BY user_id;
SELECT * FROM pql.verify();
-- later than the statement's start isn't later than now
INSERT INTO ev VALUES (6, clock_timestamp(), 'dee', 'acme', 'start');
SELECT held FROM pql.sources;
SELECT user_id, events FROM pql.members WHERE user_id = 'dee';
SELECT pql.detach('ev');
TRUNCATE ev;
-- by the event clock they are due as soon as they would not be held any more: max_future ahead of the wall's
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
INSERT INTO ev VALUES (1, clock_timestamp() + interval '9 minutes', 'ada', 'acme', 'start'), (2, clock_timestamp() + interval '10 minutes 1.5 seconds', 'ada', 'acme', 'work');
SELECT held FROM pql.sources;
SELECT held_released FROM pql.tick('3000-01-01');
SELECT pg_sleep(1.6);
SELECT held_released FROM pql.tick();
SELECT user_id, events FROM pql.members;
SELECT * FROM pql.verify();
SELECT pql.detach('ev');
TRUNCATE ev;

--
-- Events that come twice
--

CREATE TABLE again (id text, ts timestamptz, who text, org text, name text);
SELECT count(*) FROM pql.attach('again', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'start'), ('a', '2026-01-01', 'ada', 'acme', 'start');
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.detach('again');
TRUNCATE again;
SELECT count(*) FROM pql.attach('again', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days');
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'start'), ('a', '2026-01-01', 'ada', 'acme', 'start'), ('b', '2026-01-02', 'ada', 'acme', 'done');
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'start');
INSERT INTO again VALUES (NULL, '2026-01-01', 'ada', 'acme', 'start'), (NULL, '2026-01-01', 'ada', 'acme', 'start'), ('', '2026-01-03', 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT reason, events FROM pql.unusable;
SELECT * FROM pql.verify();
BEGIN;
SAVEPOINT s;
INSERT INTO again VALUES ('c', '2026-01-04', 'ada', 'acme', 'work');
ROLLBACK TO s;
INSERT INTO again VALUES ('c', '2026-01-04', 'ada', 'acme', 'work');
COMMIT;
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- one of the two goes, then the other; then it comes again
DELETE FROM again WHERE ctid = (SELECT min(ctid) FROM again WHERE id = 'a');
SELECT * FROM shown;
SELECT * FROM pql.verify();
DELETE FROM again WHERE id = 'a';
SELECT * FROM shown;
SELECT * FROM pql.verify();
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- the id changes, and the old one is used again
UPDATE again SET id = 'd' WHERE id = 'c';
INSERT INTO again VALUES ('c', '2026-01-05', 'ada', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- and the new one comes again
INSERT INTO again VALUES ('d', '2026-01-04', 'ada', 'acme', 'work');
SELECT * FROM pql.verify();
-- which of several rows with an id counts does not depend on their order: the earliest, then what they say
SELECT pql.detach('again');
TRUNCATE again;
CREATE TABLE orders (n int GENERATED ALWAYS AS IDENTITY, digest text);
SELECT count(*) FROM pql.attach('again', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days');
INSERT INTO again VALUES ('a', '2026-01-02', 'ada', 'acme', 'start');
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'work');
INSERT INTO again VALUES ('b', '2026-01-03', 'ada', 'acme', 'start');
INSERT INTO again VALUES ('b', '2026-01-03', 'ben', 'acme', 'done');
INSERT INTO orders (digest) SELECT pql.state_digest();
SELECT * FROM pql.verify();
UPDATE again SET who = who || '' WHERE ts <> '2026-01-01'; -- moves rows: nothing else changes
CALL pql.rebuild();
INSERT INTO orders (digest) SELECT pql.state_digest();
CREATE TABLE turned AS SELECT * FROM again ORDER BY id DESC, ts DESC, who DESC;
TRUNCATE again;
INSERT INTO again SELECT * FROM turned WHERE id = 'b';
INSERT INTO again SELECT * FROM turned WHERE id = 'a';
INSERT INTO orders (digest) SELECT pql.state_digest();
TRUNCATE again;
DO $$ DECLARE r again; BEGIN FOR r IN SELECT * FROM turned LOOP INSERT INTO again VALUES (r.*); END LOOP; END $$;
INSERT INTO orders (digest) SELECT pql.state_digest();
SELECT pql.detach('again');
SELECT count(*) FROM pql.attach('again', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days');
CALL pql.backfill();
INSERT INTO orders (digest) SELECT pql.state_digest();
SELECT count(*), count(DISTINCT digest) FROM orders;
SELECT sum(events) FROM pql.members;
SELECT * FROM pql.verify();
-- the same id beyond the horizon is another event, by when they happened and not by when they came; a forgotten one that comes again
-- is looked up in the table
INSERT INTO again VALUES ('a', '2026-06-01', 'ada', 'acme', 'done'), ('a', '2026-06-02', 'ada', 'acme', 'work'), ('a', '2026-02-01', 'ada', 'acme', 'work');
SELECT sum(events) FROM pql.members;
SELECT * FROM pql.verify();
SELECT ids_forgotten FROM pql._tick(now() + interval '98 days');
INSERT INTO again VALUES ('a', '2026-01-01', 'ada', 'acme', 'work'), ('b', '2026-01-03', 'ada', 'acme', 'start'), ('e', '2026-01-03', 'ada', 'acme', 'start');
SELECT sum(events) FROM pql.members;
SELECT * FROM pql.verify();
-- also when it is later than all that were forgotten; what is still to come is not
INSERT INTO again VALUES ('f', '2026-06-10', 'ada', 'acme', 'work'), ('g', '2999-01-01', 'ada', 'acme', 'work');
SELECT ids_forgotten FROM pql._tick(now() + interval '98 days');
INSERT INTO again VALUES ('f', '2026-06-11', 'ada', 'acme', 'work'), ('g', '2999-01-01', 'ada', 'acme', 'work');
SELECT sum(events) FROM pql.members;
SELECT * FROM pql.verify();
-- what repeats a row of its statement is past the horizon of one that came before, which that row repeats
INSERT INTO again VALUES ('h', '2026-01-01', 'ada', 'acme', 'work');
INSERT INTO again VALUES ('h', '2026-03-01', 'ada', 'acme', 'work'), ('h', '2026-04-15', 'ada', 'acme', 'work');
SELECT events FROM pql.members;
SELECT * FROM pql.verify();
-- one that was looked up is remembered by the row that counts, not by the one that repeats it
INSERT INTO again VALUES ('f', '2026-09-08 12:00', 'ada', 'acme', 'work');
SELECT sum(events) FROM pql.members;
SELECT * FROM pql.verify();
DROP TABLE orders, turned;
SELECT pql.detach('again');
TRUNCATE again;

--
-- A partitioned table: through the parent and straight into a leaf
--

CREATE TABLE part (id bigint, ts timestamptz, who text, org text, name text, PRIMARY KEY (id, ts)) PARTITION BY RANGE (ts);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
SELECT count(*) FROM pql.attach('part', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
INSERT INTO part VALUES (1, '2026-01-01', 'ada', 'acme', 'start'), (2, '2026-02-01', 'ben', 'acme', 'start');
INSERT INTO part_2 VALUES (3, '2026-02-02', 'ada', 'acme', 'done');
\copy part from stdin
4	2026-01-02	cho	acme	start
5	2026-02-02	cho	acme	done
\.
\copy part_1 from stdin
6	2026-01-03	dee	beta	start
\.
SELECT * FROM shown;
SELECT * FROM pql.verify();
BEGIN;
INSERT INTO part VALUES (7, '2026-01-04', 'eve', 'acme', 'start');
SELECT * FROM shown WHERE user_id = 'eve';
SELECT pql.score('p', 'acme', '2026-01-05');
SAVEPOINT a;
INSERT INTO part_1 VALUES (8, '2026-01-05', 'eve', 'acme', 'done');
SELECT * FROM shown WHERE user_id = 'eve';
ROLLBACK TO a;
SELECT * FROM shown WHERE user_id = 'eve';
UPDATE part SET ts = ts + interval '1 month' WHERE id = 7;
DELETE FROM part_2 WHERE id = 3;
COMMIT;
SELECT * FROM shown;
SELECT * FROM pql.verify();
CREATE FUNCTION write_part() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO part VALUES (20, '2026-01-10', 'fay', 'fine', 'start');
  BEGIN
    INSERT INTO part VALUES (21, '2026-01-11', 'fay', 'fine', 'done');
    PERFORM pql.score('p', 'fine');
    RAISE EXCEPTION 'undone';
  EXCEPTION WHEN raise_exception THEN NULL;
  END;
  INSERT INTO part VALUES (22, '2026-01-12', 'fay', 'fine', 'work');
END $$;
SELECT write_part();
SELECT * FROM shown WHERE account_id = 'fine';
SELECT * FROM pql.verify();
INSERT INTO part VALUES (1, '2026-01-01', 'ada', 'acme', 'start'), (30, '2026-01-01', 'gus', 'acme', 'start') ON CONFLICT DO NOTHING;
WITH gone AS (DELETE FROM part WHERE id = 4 RETURNING *), moved AS (UPDATE part SET ts = '2026-02-20' WHERE id = 1)
INSERT INTO part SELECT id + 100, ts, who, org, name FROM gone;
MERGE INTO part USING (VALUES (5, 'start'), (40, 'work')) AS n(id, name) ON n.id = part.id
  WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (n.id, '2026-01-20', 'hal', 'acme', n.name);
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- partitions that come later
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO part_3 VALUES (50, '2026-03-01', 'ivy', 'acme', 'start');
SELECT * FROM pql.verify();
-- what fires no trigger of the parent, verify finds and rebuild mends
ALTER TABLE part DETACH PARTITION part_3;
SELECT count(*) > 0 FROM pql.verify();
CALL pql.rebuild();
ALTER TABLE part ATTACH PARTITION part_3 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
INSERT INTO part VALUES (51, '2026-03-02', 'ivy', 'acme', 'work');
SELECT what, subject, streamed, recomputed FROM pql.verify() WHERE what IN ('events', 'first_seen');
CALL pql.rebuild();
TRUNCATE part_2;
SELECT count(*) > 0 FROM pql.verify();
CALL pql.rebuild();
DROP TABLE part_3;
SELECT count(*) > 0 FROM pql.verify();
CALL pql.rebuild();
SELECT * FROM pql.verify();
TRUNCATE part;
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.detach('part');

--
-- Rows that come without triggers
--

SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', properties => 'props');
INSERT INTO ev VALUES (1, '2026-01-01', 'ada', 'acme', 'start');
SET session_replication_role = replica;
INSERT INTO ev VALUES (2, '2026-01-02', 'ben', 'acme', 'done');
RESET session_replication_role;
SELECT * FROM pql.verify();
CALL pql.rebuild();
SELECT * FROM pql.verify();
SELECT * FROM shown;

--
-- A large account: 3000 members, 60 milestones
--

TRUNCATE ev;
SELECT pql.publish(jsonb_build_object('program', 'wide', 'unit', u,
  'milestones', (SELECT jsonb_object_agg('m' || g, jsonb_build_object('event', 'e' || g)) FROM generate_series(1, 60) AS g),
  'signals', '{"m": {"kind": "activation", "milestone": "m1", "max_points": 10}}'::jsonb, 'qualify', '{"enter": 10, "leave": 5}'::jsonb)
  || jsonb_build_object('program', 'wide_' || u))
FROM unnest(ARRAY['user', 'account']) AS u;
INSERT INTO ev SELECT g, '2026-01-01'::timestamptz + (g * 7919 % 100000) * interval '1 minute', 'user' || g % 3000, 'huge', 'e' || 1 + g * 31 % 60
FROM generate_series(1, 30000) AS g;
SELECT count(*), sum(events) FROM pql.members;
SELECT unit, count(*), min(reached_at) FROM pql.milestones GROUP BY unit ORDER BY unit;
SELECT count(*) > 100 FROM pql.state;
SELECT * FROM pql.verify();
BEGIN;
INSERT INTO ev SELECT 40000 + g, '2026-01-01'::timestamptz + g * interval '1 second', 'user' || 2990 + g, 'huge', 'e1' FROM generate_series(1, 50) AS g;
UPDATE ev SET name = 'e2' WHERE id = 100;
DELETE FROM ev WHERE id IN (5, 6, 40001);
COMMIT;
SELECT count(*), sum(events) FROM pql.members;
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id > 100;
SELECT count(*), sum(events) FROM pql.members;
SELECT * FROM pql.verify();

SET client_min_messages = warning;
DROP TABLE ev, again, part CASCADE;
DROP VIEW shown, reached;
DROP FUNCTION write_events(), delete_and_look(), write_part();
DROP EXTENSION pql CASCADE;
