-- Who is who: users and accounts that are merged, users who are moved, and all of that taken back, in any order, around events that come
-- early, late, twice, or are changed and deleted. After each block the state equals a scan of the events.
-- covers: S2-7, S2u-11, S3-3, S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, name text, props jsonb);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props', clock => 'event');
SELECT pql.publish($${"program": "p", "unit": "account",
  "milestones": {"start": {"event": "start"}, "done": {"event": "done"}},
  "activation": {"steps": ["start", "done"], "within": "7 days"},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 10, "max_points": 50},
              "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
  "qualify": {"enter": 60, "leave": 40}}$$);
SELECT pql.publish($${"program": "q", "unit": "user",
  "milestones": {"start": {"event": "start"}, "done": {"event": "done"}},
  "activation": {"steps": ["start", "done"], "order": "any_order", "within": "2 days"},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "3 days", "saturates_at": 10, "max_points": 50},
              "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
  "qualify": {"enter": 60, "leave": 40}}$$);
SELECT pql.promote('p'), pql.promote('q');
CREATE VIEW shown AS
  SELECT account_id, user_id, to_char(first_seen, 'MM-DD HH24:MI') AS first_seen, to_char(last_seen, 'MM-DD HH24:MI') AS last_seen, events
  FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
CREATE VIEW reached AS
  SELECT unit, subject_id, name, to_char(reached_at, 'MM-DD HH24:MI') AS reached_at, event_id
  FROM pql.milestones ORDER BY unit, subject_id COLLATE "C", name;
CREATE VIEW merges AS
  SELECT kind, old_id, new_id, undone_at IS NOT NULL AS undone FROM pql.identity ORDER BY merge_id;
-- What a merge is called here, and its number.
CREATE TABLE made (name text PRIMARY KEY, id bigint);

--
-- What is refused
--

SELECT pql.merge_users(NULL, 'ada');
SELECT pql.merge_users('anon', '');
SELECT pql.merge_accounts('', 'acme');
SELECT pql.move_user(NULL, 'acme');
SELECT pql.move_user('ada', '');
SELECT pql.undo_merge(NULL);
SELECT pql.merge_users('ada', 'ada');
SELECT pql.merge_users(repeat('x', 1001), 'ada');
SELECT pql.undo_merge(0);
SELECT * FROM merges;

--
-- Anonymous, then identified: what came before counts, and what comes later
--

INSERT INTO ev VALUES (1, '2026-01-01', 'anon', NULL, 'start'), (2, '2026-01-02', 'ada', 'acme', 'work'),
  (3, '2026-01-02 12:00', 'anon', 'acme', 'done'), (4, '2026-01-03', 'ben', 'acme', 'work');
INSERT INTO made VALUES ('anon', pql.merge_users('anon', 'ada'));
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();
INSERT INTO ev VALUES (5, '2026-01-04', 'anon', 'globex', 'work'), (6, '2025-12-31', 'anon', 'acme', 'start');
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();
-- asked by either name, now and of the past
SELECT pql.score('q', 'ada') = pql.score('q', 'anon') AS same, pql.score('q', 'anon', '2026-01-02') = pql.score('q', 'ada', '2026-01-02') AS then_too;
SELECT subject_id, level FROM pql.activation('q', 'anon');
-- again: that is the one that there is
SELECT pql.merge_users('anon', 'ada') = id FROM made;
SELECT pql.merge_users('anon', 'ben');
SELECT pql.merge_users('ada', 'anon');
-- a chain
INSERT INTO made VALUES ('older', pql.merge_users('older', 'anon'));
INSERT INTO ev VALUES (7, '2025-12-30', 'older', NULL, 'work');
SELECT pql.merge_users('ada', 'older');
INSERT INTO made VALUES ('ada', pql.merge_users('ada', 'ada@acme'));
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- taken back from the middle
SELECT pql.undo_merge(id) FROM made WHERE name = 'anon';
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name = 'anon';
SELECT pql.undo_merge(id) FROM made WHERE name = 'ada';
SELECT pql.undo_merge(id) FROM made WHERE name = 'older';
SELECT * FROM shown;
SELECT * FROM reached;
SELECT * FROM pql.verify();
SELECT * FROM merges;
SELECT action, object, detail - 'merge_id' AS detail, (detail->>'merge_id')::bigint IN (SELECT merge_id FROM pql.identity) AS known
FROM pql.audit WHERE action ~ 'merge|move' ORDER BY audit_id;
SELECT bool_and(actor = session_user AND at <= undone_at) FROM pql.identity;

--
-- Ids that nobody has seen
--

SELECT pql.merge_users('nobody', 'noone') IS NOT NULL, pql.merge_accounts('nowhere', 'elsewhere') IS NOT NULL, pql.move_user('stray', 'home') IS NOT NULL;
INSERT INTO ev VALUES (8, '2026-01-05', 'nobody', 'nowhere', 'start'), (9, '2026-01-05', 'stray', 'nowhere', 'start');
SELECT * FROM shown;
SELECT * FROM pql.verify();

--
-- Accounts
--

INSERT INTO made VALUES ('acme', pql.merge_accounts('acme', 'globex'));
SELECT * FROM shown;
SELECT * FROM reached WHERE unit = 'account';
SELECT pql.merge_accounts('globex', 'acme');
SELECT pql.score('p', 'acme') = pql.score('p', 'globex') AS same;
INSERT INTO ev VALUES (10, '2026-01-06', 'cho', 'acme', 'work'), (11, '2026-01-06', 'acme', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- an account's id may be a user's too
SELECT pql.merge_users('acme', 'dee') IS NOT NULL;
SELECT * FROM shown WHERE user_id IN ('acme', 'dee');
SELECT pql.undo_merge(id) FROM made WHERE name = 'acme';
SELECT * FROM shown;
SELECT * FROM pql.verify();

--
-- Moves: whatever account events name, and none
--

INSERT INTO made VALUES ('ada to initech', pql.move_user('ada', 'initech'));
INSERT INTO ev VALUES (12, '2026-01-07', 'ada', 'acme', 'work'), (13, '2026-01-07', 'ada', NULL, 'work');
SELECT * FROM shown WHERE user_id = 'ada';
SELECT pql.move_user('ada', 'initech') = id FROM made WHERE name = 'ada to initech';
INSERT INTO made VALUES ('ada to none', pql.move_user('ada', NULL));
SELECT * FROM shown WHERE user_id = 'ada';
SELECT pql.move_user('ada', NULL) = id FROM made WHERE name = 'ada to none';
SELECT * FROM pql.verify();
-- the last counts of those that are left
SELECT pql.undo_merge(id) FROM made WHERE name = 'ada to none';
SELECT * FROM shown WHERE user_id = 'ada';
INSERT INTO made VALUES ('initech', pql.merge_accounts('initech', 'hooli'));
SELECT * FROM shown WHERE user_id = 'ada';
-- who is merged into somebody goes where he is, and back to where he was himself
INSERT INTO made VALUES ('anon to umbrella', pql.move_user('anon', 'umbrella'));
INSERT INTO made VALUES ('anon into ada', pql.merge_users('anon', 'ada'));
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name = 'ada to initech';
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name = 'anon into ada';
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
SELECT * FROM pql.verify();
-- a move that is asked for by another name is his who is meant
INSERT INTO made VALUES ('anon into ada again', pql.merge_users('anon', 'ada'));
INSERT INTO made VALUES ('ada by anon', pql.move_user('anon', 'acme'));
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
SELECT pql.undo_merge(id) FROM made WHERE name IN ('anon into ada again', 'ada by anon', 'anon to umbrella', 'initech') ORDER BY id;
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
SELECT * FROM pql.verify();

--
-- Transactions: what is taken back is forgotten, also by the backend that did it
--

BEGIN;
SELECT pql.merge_users('anon', 'ada') IS NOT NULL;
INSERT INTO ev VALUES (14, '2026-01-08', 'anon', 'acme', 'work');
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
ROLLBACK;
INSERT INTO ev VALUES (14, '2026-01-08', 'anon', 'acme', 'work');
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
BEGIN;
DELETE FROM ev WHERE id = 14;
SAVEPOINT s;
SELECT pql.merge_users('anon', 'ada') IS NOT NULL;
SELECT * FROM shown WHERE user_id IN ('ada', 'anon');
ROLLBACK TO s;
INSERT INTO ev VALUES (15, '2026-01-09', 'anon', 'acme', 'work');
SAVEPOINT s;
SELECT pql.merge_users('anon', 'ben') IS NOT NULL;
RELEASE s;
COMMIT;
SELECT * FROM shown WHERE user_id IN ('ada', 'anon', 'ben');
SELECT * FROM pql.verify();
BEGIN;
SELECT pql.undo_merge(merge_id) FROM pql.identity WHERE old_id = 'anon' AND undone_at IS NULL;
SELECT * FROM shown WHERE user_id IN ('anon', 'ben');
ROLLBACK;
INSERT INTO ev VALUES (16, '2026-01-10', 'anon', 'acme', 'work');
SELECT * FROM shown WHERE user_id IN ('anon', 'ben');
SELECT * FROM pql.verify();

--
-- Updates and deletes find whom they concern; rebuild and backfill count alike
--

UPDATE ev SET org = 'globex' WHERE who = 'anon' AND id = 16;
UPDATE ev SET who = 'ben' WHERE who = 'anon' AND id = 15;
DELETE FROM ev WHERE id = 3;
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.state_digest() AS digest \gset
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest' AS same;
CREATE TABLE older (id bigint PRIMARY KEY, at timestamptz, who text, org int, name text);
INSERT INTO older VALUES (1, '2025-11-01', 'anon', NULL, 'start'), (2, '2025-11-02', 'anon', 7, 'done'), (3, '2025-11-03', 'stray', 7, 'work');
SELECT count(*) FROM pql.attach('older', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event');
-- before its history is folded
SELECT pql.merge_users('anon2', 'anon') IS NOT NULL, pql.merge_accounts('7', 'seven') IS NOT NULL;
CALL pql.backfill();
SELECT * FROM shown WHERE first_seen LIKE '11%';
SELECT * FROM pql.verify();
SELECT pql.detach('older');
SELECT * FROM pql.verify();

--
-- Milestones that were stated
--

SELECT pql.upsert_user_milestone('eve', 'start', '2026-01-03', 'crm'), pql.upsert_user_milestone('guest', 'start', '2026-01-02', 'web');
INSERT INTO made VALUES ('guest', pql.merge_users('guest', 'eve'));
SELECT * FROM reached WHERE subject_id IN ('eve', 'guest');
SELECT pql.upsert_user_milestone('guest', 'start', '2026-01-01', 'earlier'), pql.upsert_user_milestone('guest', 'done', '2026-01-01');
SELECT * FROM reached WHERE subject_id IN ('eve', 'guest');
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name = 'guest';
SELECT * FROM reached WHERE subject_id IN ('eve', 'guest');
SELECT * FROM pql.verify();

--
-- Events that are not due yet
--

CREATE TABLE wall (id bigint PRIMARY KEY, at timestamptz, who text, org text, name text);
SELECT count(*) FROM pql.attach('wall', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id');
INSERT INTO wall VALUES (1, now() + interval '1 day', 'tim', 'acme', 'work'), (2, now() + interval '1 day', 'tim', NULL, 'work');
SELECT home, user_id FROM pql.held_event ORDER BY 1;
INSERT INTO made VALUES ('tim', pql.merge_users('tim', 'tom')), ('acme too', pql.merge_accounts('acme', 'hooli'));
SELECT home, user_id, account_id FROM pql.held_event ORDER BY 1;
INSERT INTO wall VALUES (3, now() + interval '2 days', 'tim', 'acme', 'work');
UPDATE wall SET at = at - interval '3 days' WHERE id = 1;
SELECT home, user_id, account_id FROM pql.held_event ORDER BY 1, occurred_at;
SELECT pql.undo_merge(id) FROM made WHERE name IN ('tim', 'acme too') ORDER BY id DESC;
SELECT home, user_id, account_id FROM pql.held_event ORDER BY 1, occurred_at;
SELECT account_id, user_id, events FROM pql.members WHERE user_id IN ('tim', 'tom');
SELECT * FROM pql.verify();
SELECT pql.detach('wall');

--
-- A table that can't be read
--

ALTER TABLE ev RENAME name TO called;
SELECT pql.merge_users('fay', 'gus');
ALTER TABLE ev RENAME called TO name;
SELECT pql.merge_users('fay', 'gus') IS NOT NULL;

--
-- Episodes: one that is open ends with its subject, and goes on for whom that is now, without another routing row
--

TRUNCATE ev;
SELECT count(pql.undo_merge(merge_id)) FROM pql.identity WHERE undone_at IS NULL;
DELETE FROM pql.asserted_milestone;
CALL pql.rebuild();
DELETE FROM pql.routing;
DELETE FROM pql.episode;
CREATE VIEW episodes AS
  SELECT e.program, e.subject_id, to_char(e.entered_at, 'MM-DD') AS entered, e.left_at IS NOT NULL AS ended, count(r.routing_id) AS rows
  FROM pql.episode AS e LEFT JOIN pql.routing AS r ON (r.home, r.episode) = (e.home, e.episode_id)
  GROUP BY e.home, e.episode_id ORDER BY e.episode_id;
INSERT INTO ev SELECT 100 + g, timestamptz '2026-02-01' + g * interval '1 minute', 'guest', NULL, CASE g WHEN 1 THEN 'start' WHEN 2 THEN 'done' ELSE 'work' END
FROM generate_series(1, 12) AS g;
SELECT * FROM episodes;
INSERT INTO made VALUES ('guest of ada', pql.merge_users('guest', 'ada'));
SELECT * FROM episodes;
SELECT * FROM pql.verify();
-- what comes later is another's episode, with a row of its own
DELETE FROM ev WHERE id > 104;
SELECT * FROM episodes;
INSERT INTO ev SELECT 200 + g, timestamptz '2026-02-02' + g * interval '1 minute', 'guest', NULL, 'work' FROM generate_series(1, 12) AS g;
SELECT * FROM episodes;
SELECT pql.undo_merge(id) FROM made WHERE name = 'guest of ada';
SELECT * FROM episodes;
-- two halves that reach the threshold together
INSERT INTO ev SELECT 300 + g, timestamptz '2026-02-03' + g * interval '1 minute', 'half' || g % 2, 'half' || g % 2, CASE g WHEN 1 THEN 'start' WHEN 2 THEN 'done' ELSE 'work' END
FROM generate_series(1, 14) AS g;
SELECT pql.merge_users('half1', 'half0') IS NOT NULL;
SELECT * FROM episodes;
INSERT INTO made VALUES ('halves', pql.merge_accounts('half1', 'half0'));
SELECT * FROM episodes;
SELECT pql.undo_merge(id) FROM made WHERE name = 'halves';
SELECT * FROM episodes;
-- an account with an open episode
INSERT INTO ev SELECT 400 + g, timestamptz '2026-02-04' + g * interval '1 minute', 'zoe', 'old inc', CASE g WHEN 1 THEN 'start' WHEN 2 THEN 'done' ELSE 'work' END
FROM generate_series(1, 12) AS g;
SELECT pql.merge_accounts('old inc', 'new inc') IS NOT NULL;
SELECT * FROM episodes WHERE subject_id LIKE '% inc';
SELECT * FROM pql.verify();

--
-- Any order of merges, moves, undoing and events of all kinds gives the state that the ids would give which were meant
--

CREATE FUNCTION meant(kind text, id text) RETURNS text LANGUAGE sql AS $$
  WITH RECURSIVE up (id, n) AS (SELECT $2 COLLATE "C", 0 UNION ALL SELECT i.new_id, up.n + 1 FROM up JOIN pql.identity AS i ON (i.kind, i.old_id) = ($1, up.id)
    WHERE i.undone_at IS NULL)
  SELECT up.id FROM up ORDER BY n DESC LIMIT 1 $$;
CREATE FUNCTION meant_account(who text, org text) RETURNS text LANGUAGE sql AS $$
  SELECT meant('account', CASE WHEN m.old_id IS NULL THEN org ELSE m.new_id END)
  FROM (SELECT) AS one LEFT JOIN LATERAL (SELECT * FROM pql.identity AS i WHERE i.kind = 'move' AND i.old_id = meant('user', who) AND i.undone_at IS NULL
    ORDER BY merge_id DESC LIMIT 1) AS m ON true $$;
CREATE FUNCTION any_of(VARIADIC things text[]) RETURNS text LANGUAGE sql AS $$ SELECT things[1 + floor(random() * cardinality(things))::int] $$;

CREATE PROCEDURE live(steps int) LANGUAGE plpgsql AS $$
DECLARE
  next bigint := 10000;
  one bigint;
BEGIN
  FOR step IN 1 .. steps LOOP
    BEGIN
      CASE floor(random() * 9)::int
        WHEN 0 THEN PERFORM pql.merge_users(any_of('a', 'b', 'c', 'd', 'e'), any_of('a', 'b', 'c', 'd', 'e'));
        WHEN 1 THEN PERFORM pql.merge_accounts(any_of('x', 'y', 'z'), any_of('x', 'y', 'z'));
        WHEN 2 THEN PERFORM pql.move_user(any_of('a', 'b', 'c', 'd', 'e'), any_of('x', 'y', 'z', NULL));
        WHEN 3 THEN
          SELECT merge_id INTO one FROM pql.identity WHERE undone_at IS NULL ORDER BY random() LIMIT 1;
          CONTINUE WHEN NOT FOUND;
          PERFORM pql.undo_merge(one);
        WHEN 4 THEN DELETE FROM ev WHERE id IN (SELECT id FROM ev ORDER BY random() LIMIT 3);
        WHEN 5 THEN UPDATE ev SET who = any_of('a', 'b', 'c', 'd', 'e'), org = any_of('x', 'y', 'z', NULL), ts = ts - interval '1 hour'
                    WHERE id IN (SELECT id FROM ev ORDER BY random() LIMIT 3);
        ELSE
          INSERT INTO ev SELECT next + g, timestamptz '2026-03-01' + random() * interval '20 days', any_of('a', 'b', 'c', 'd', 'e'), any_of('x', 'y', 'z', NULL),
            any_of('start', 'done', 'work', 'other') FROM generate_series(1, 6) AS g;
          next := next + 6;
      END CASE;
    EXCEPTION WHEN duplicate_object OR invalid_parameter_value OR object_not_in_prerequisite_state THEN
      NULL; -- it is merged already, or would go in a circle
    END;
    COMMIT;
    IF EXISTS (SELECT FROM pql.verify()) THEN
      RAISE EXCEPTION 'step %: the state is not what the events say', step;
    END IF;
  END LOOP;
END $$;

CREATE PROCEDURE compare() LANGUAGE plpgsql AS $$
DECLARE
  digest text := pql.state_digest();
  one bigint;
BEGIN
  IF NOT EXISTS (SELECT FROM pql.identity WHERE undone_at IS NULL) OR NOT EXISTS (SELECT FROM pql.members) THEN
    RAISE EXCEPTION 'nothing is compared';
  END IF;
  UPDATE ev SET who = meant('user', who), org = meant_account(who, org);
  IF pql.state_digest() <> digest THEN
    RAISE EXCEPTION 'the ids that are meant give another state';
  END IF;
  COMMIT;
  FOR one IN SELECT merge_id FROM pql.identity WHERE undone_at IS NULL ORDER BY random() LOOP
    PERFORM pql.undo_merge(one);
  END LOOP;
  IF pql.state_digest() <> digest THEN
    RAISE EXCEPTION 'merges leave something behind';
  END IF;
  COMMIT;
  PERFORM pql._rebuild();
  IF pql.state_digest() <> digest THEN
    RAISE EXCEPTION 'without any merge the state is another';
  END IF;
END $$;

DO $$
DECLARE
  seeds float8[] := ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
BEGIN
  FOR i IN 1 .. cardinality(seeds) LOOP
    PERFORM setseed(seeds[i]);
    TRUNCATE ev;
    COMMIT;
    CALL live(60);
    CALL compare();
  END LOOP;
END $$;

--
-- Ids of events: who was two had each his own, who is one has one of each
--

SELECT pql.detach('ev');
CREATE TABLE twice (id int, at timestamptz, who text, org text, name text);
CREATE INDEX ON twice (org, at);
CREATE INDEX ON twice (who, at);
SELECT count(*) FROM pql.attach('twice', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id',
                                clock => 'event', dedup => '90 days');
INSERT INTO twice VALUES (1, '2026-01-01', 'guest', NULL, 'start'), (1, '2026-01-02', 'ada', NULL, 'start'), (2, '2026-01-03', 'ada', 'acme', 'work'),
  (2, '2026-01-03', 'ada', 'globex', 'work');
SELECT * FROM shown;
INSERT INTO made VALUES ('dedup', pql.merge_users('guest', 'ada')), ('dedup accounts', pql.merge_accounts('acme', 'globex'));
SELECT * FROM shown;
INSERT INTO twice VALUES (1, '2026-01-04', 'guest', NULL, 'start'), (2, '2026-01-01', 'guest', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name IN ('dedup', 'dedup accounts') ORDER BY id;
SELECT * FROM shown;
SELECT * FROM pql.verify();
INSERT INTO twice VALUES (1, '2026-01-05', 'guest', NULL, 'start');
SELECT * FROM shown;
SELECT * FROM pql.verify();

--
-- What is sealed
--

INSERT INTO made VALUES ('before the seal', pql.merge_users('guest', 'ada'));
INSERT INTO made VALUES ('without events', pql.merge_users('unseen', 'ada'));
INSERT INTO made VALUES ('moved before', pql.move_user('ben', 'umbrella'));
INSERT INTO twice VALUES (3, '2026-01-06', 'ben', 'acme', 'start'), (4, '2026-01-06', 'cho', 'globex', 'start'), (5, '2026-01-06', 'cho2', 'globex', 'start'),
  (6, '2026-01-08', 'cho', NULL, 'start');
SELECT pql.retain('twice', '2026-01-07') AS sealed;
SELECT * FROM shown;
SELECT * FROM pql.verify();
\set VERBOSITY sqlstate
SELECT pql.undo_merge(id) FROM made WHERE name = 'before the seal';
SELECT pql.undo_merge(id) FROM made WHERE name = 'moved before';
\set VERBOSITY default
SELECT pql.undo_merge(id) FROM made WHERE name = 'without events';
DELETE FROM twice WHERE at < '2026-01-07';
-- merges of what is sealed, and what repeats it
INSERT INTO made VALUES ('cho', pql.merge_users('cho2', 'cho')), ('globex', pql.merge_accounts('globex', 'acme'));
SELECT * FROM shown;
INSERT INTO twice VALUES (4, '2026-01-08', 'cho2', 'acme', 'start'), (7, '2026-01-08', 'cho2', 'globex', 'start');
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name IN ('cho', 'globex') ORDER BY id;
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- a move takes along what is not sealed
SELECT pql.move_user('cho', 'hooli') IS NOT NULL;
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- sealed again, merged
SELECT pql.merge_users('cho2', 'cho') IS NOT NULL;
SELECT pql.state_digest() AS digest \gset
SELECT pql.retain('twice', '2026-01-09') AS sealed;
SELECT pql.state_digest() = :'digest' AS same;
SELECT home FROM pql.base_state ORDER BY 1;
SELECT * FROM pql.verify();
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest' AS same;
-- until there is nothing of it left
SELECT pql.detach('twice');
SELECT pql.undo_merge(id) FROM made WHERE name = 'before the seal';

--
-- Partitions: rows that are collected, and one that comes with events of whom was merged
--

CREATE TABLE parted (id bigint, at timestamptz, who text, org text, name text) PARTITION BY RANGE (at);
CREATE TABLE parted1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE parted2 (LIKE parted);
SELECT count(*) FROM pql.attach('parted', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', clock => 'event');
INSERT INTO parted VALUES (1, '2026-01-01', 'tab', 'acme', 'start'), (2, '2026-01-02', 'uma', NULL, 'work');
BEGIN;
INSERT INTO parted VALUES (3, '2026-01-03', 'tab', NULL, 'work');
INSERT INTO made VALUES ('tab', pql.merge_users('tab', 'uma'));
INSERT INTO parted1 VALUES (4, '2026-01-04', 'tab', 'acme', 'work');
COMMIT;
SELECT * FROM shown;
UPDATE parted SET org = NULL WHERE id = 1;
DELETE FROM parted1 WHERE id = 3;
SELECT * FROM shown;
SELECT * FROM pql.verify();
INSERT INTO parted2 VALUES (5, '2026-02-02', 'tab', 'globex', 'work'), (6, '2026-02-03', 'vic', 'globex', 'work');
SELECT pql.move_user('vic', 'acme') IS NOT NULL;
ALTER TABLE parted ATTACH PARTITION parted2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CALL pql.backfill('parted2');
SELECT * FROM shown;
SELECT * FROM pql.verify();
SELECT pql.undo_merge(id) FROM made WHERE name = 'tab';
SELECT * FROM shown;
SELECT * FROM pql.verify();

--
-- Rights
--

CREATE ROLE pql_identity_nobody;
SET ROLE pql_identity_nobody;
SELECT pql.merge_users('a', 'b');
SELECT pql.merge_accounts('a', 'b');
SELECT pql.move_user('a', 'b');
SELECT pql.undo_merge(1);
RESET ROLE;
DROP ROLE pql_identity_nobody;

DROP TABLE ev, older, wall, twice, parted CASCADE;
DROP TABLE made;
DROP FUNCTION meant, meant_account, any_of;
DROP PROCEDURE live, compare;
DROP EXTENSION pql CASCADE;
