-- Rows that repeat an id, where the table tells when they arrived: the horizon is measured from arrival to arrival. Which of them count
-- depends on no order or batching, whether they are streamed, loaded, derived again or forgotten meanwhile.
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

CREATE TABLE ev (id text, ts timestamptz, got timestamptz, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE TABLE parted (LIKE ev) PARTITION BY LIST (name);
CREATE TABLE parted_start PARTITION OF parted FOR VALUES IN ('start');
CREATE TABLE parted_others PARTITION OF parted DEFAULT;
CREATE FUNCTION attach(events regclass, received_at text DEFAULT 'got') RETURNS boolean LANGUAGE sql AS $$
  SELECT count(*) > 0 FROM pql.attach(events, user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                      received_at => received_at, dedup => '10 days')
$$;
SELECT attach('ev');
SELECT pql.publish($${"program": "p", "unit": "account",
  "milestones": {"start": {"event": "start"}, "work": {"event": "work"}, "done": {"event": "done"}},
  "activation": {"steps": ["start", "done"], "within": "7 days"},
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 40, "leave": 20}}$$);
SELECT pql.promote('p');
CREATE VIEW shown AS
  SELECT account_id, user_id, to_char(first_seen, 'YYYY-MM-DD') AS first_seen, to_char(last_seen, 'YYYY-MM-DD') AS last_seen, events
  FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
CREATE VIEW ids AS SELECT home, event_id FROM pql.seen_event ORDER BY home, event_id;

--
-- Within the horizon and past it
--

-- a replay doesn't count, however far apart the two say that they happened; nor does one that says it was earlier
INSERT INTO ev VALUES ('a', '2026-01-01', '2026-01-02', 'ada', 'acme', 'start');
INSERT INTO ev VALUES ('a', '2026-05-01', '2026-01-12', 'ada', 'acme', 'work'), ('a', '2025-01-01', '2026-01-12', 'ada', 'acme', 'done');
SELECT * FROM shown;
SELECT reason, events FROM pql.unusable;
SELECT * FROM pql.verify();
-- past the horizon it is another event, though both say that they happened at one time
INSERT INTO ev VALUES ('a', '2026-01-01', '2026-01-12 00:00:00.000001', 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- the copies come in another order than they arrived: the first that arrived counts
INSERT INTO ev VALUES ('b', '2026-02-01', '2026-02-05', 'ben', 'acme', 'work');
INSERT INTO ev VALUES ('b', '2026-02-03', '2026-02-04', 'cho', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- one that arrived between two that count takes the place of the second
INSERT INTO ev VALUES ('c', '2026-03-01', '2026-03-01', 'dee', 'acme', 'work'), ('c', '2026-03-01', '2026-03-14', 'dee', 'acme', 'work');
SELECT * FROM shown WHERE user_id IN ('dee', 'eve');
INSERT INTO ev VALUES ('c', '2026-03-02', '2026-03-12', 'eve', 'acme', 'work');
SELECT * FROM shown WHERE user_id IN ('dee', 'eve');
INSERT INTO ev VALUES ('c', '2026-03-03', '2026-03-10', 'eve', 'acme', 'work');
SELECT * FROM shown WHERE user_id IN ('dee', 'eve');
SELECT * FROM pql.verify();
-- it comes out that one arrived at another time, or nobody knows when
UPDATE ev SET got = '2026-03-08' WHERE got = '2026-03-12';
SELECT * FROM shown WHERE user_id IN ('dee', 'eve');
SELECT * FROM pql.verify();
UPDATE ev SET got = NULL WHERE id = 'c' AND got = '2026-03-14';
SELECT * FROM shown WHERE user_id IN ('dee', 'eve');
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id = 'c' AND got = '2026-03-01';
SELECT * FROM shown WHERE user_id IN ('dee', 'eve');
SELECT * FROM pql.verify();
-- scores of the past know of rows that arrived before and say that they happened later
INSERT INTO ev VALUES ('d', '2026-04-10', '2026-04-10', 'ada', 'beta', 'work');
INSERT INTO ev VALUES ('d', '2026-04-05', '2026-04-11', 'ada', 'beta', 'work');
SELECT pql.score('p', 'beta', '2026-04-07'), pql.score('p', 'beta', '2026-04-10');
SELECT * FROM pql.verify();
-- what is sealed is what counts, too
DELETE FROM ev WHERE org <> 'beta';
INSERT INTO ev VALUES ('d', '2026-03-01', '2026-04-12', 'ada', 'beta', 'work');
SELECT pql.retain('ev', '2026-04-08');
SELECT * FROM shown WHERE account_id = 'beta';
SELECT * FROM pql.verify();
DELETE FROM ev WHERE ts < '2026-04-08';
SELECT * FROM shown WHERE account_id = 'beta';
SELECT * FROM pql.verify();
SELECT pql.detach('ev');
TRUNCATE ev;

--
-- The same rows in several orders and batches
--

CREATE TABLE given (n int GENERATED ALWAYS AS IDENTITY, id text, ts timestamptz, got timestamptz, who text, org text, name text);
INSERT INTO given (id, ts, got, who, org, name) VALUES
  ('a', '2026-01-01', '2026-01-01', 'ada', 'acme', 'start'), ('a', '2026-01-02', '2026-01-05', 'ada', 'acme', 'done'),
  ('a', '2025-06-01', '2026-01-06', 'ben', 'acme', 'start'),
  -- again past the horizon
  ('b', '2026-01-01', '2026-01-01', 'ada', 'acme', 'work'), ('b', '2026-01-01', '2026-02-01', 'ada', 'acme', 'work'),
  -- nobody knows when some arrived: then by when they happened
  ('c', '2026-01-01', NULL, 'cho', 'acme', 'start'), ('c', '2026-01-20', '2026-01-05', 'cho', 'acme', 'work'),
  ('c', '2026-01-03', '-infinity', 'dee', 'acme', 'work'), ('c', '2026-01-12', 'infinity', 'dee', 'acme', 'done'),
  -- each within the horizon of the one before
  ('d', '2026-01-05', '2026-01-01', 'ada', 'acme', 'work'), ('d', '2026-01-04', '2026-01-08', 'ben', 'acme', 'work'),
  ('d', '2026-01-03', '2026-01-15', 'cho', 'acme', 'work'), ('d', '2026-01-02', '2026-01-22', 'dee', 'acme', 'work'),
  ('d', '2026-01-01', '2026-01-26', 'eve', 'acme', 'work'),
  -- at one instant: the one that happened first, then by what they say
  ('e', '2026-01-03', '2026-01-03', 'ada', 'beta', 'start'), ('e', '2026-01-02', '2026-01-03', 'ada', 'beta', 'work'),
  ('f', '2026-01-03', '2026-01-03', 'ben', 'beta', 'start'), ('f', '2026-01-03', '2026-01-03', 'ben', 'beta', 'work'),
  ('f', '2026-01-03', '2026-01-03', 'ben', 'beta', 'work'),
  -- ids are compared within a home
  ('a', '2026-01-01', '2026-01-02', 'ada', 'beta', 'work'), ('a', '2026-01-01', '2026-01-02', 'ada', NULL, 'work');
CREATE TABLE digests (how text, digest text);
CREATE FUNCTION digest(how text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO digests VALUES (how, pql.state_digest());
  RETURN QUERY SELECT format('%s: %s %s says %s, not %s', how, v.what, v.subject, v.streamed, v.recomputed) FROM pql.verify() AS v;
END $$;
-- Inserts what is given, so many rows a statement, and tells what verify finds.
CREATE FUNCTION stream(events regclass, ordered_by text, batch int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  many int := (SELECT count(*) FROM given);
BEGIN
  EXECUTE format('TRUNCATE %s', events);
  FOR place IN 1 .. many BY batch LOOP
    EXECUTE format('INSERT INTO %s SELECT id, ts, got, who, org, name FROM (SELECT *, row_number() OVER (ORDER BY %s) AS nth FROM given) AS g'
                   ' WHERE nth BETWEEN $1 AND $2 ORDER BY nth', events, ordered_by) USING place, place + batch - 1;
  END LOOP;
  RETURN QUERY SELECT digest(format('%s by %s, %s at a time', events, ordered_by, batch));
END $$;
CREATE VIEW orders AS SELECT o, batch FROM unnest(ARRAY['n', 'n DESC', 'ts, n', 'got, n', 'got DESC, n DESC', 'md5(n::text)', 'md5((n * 7)::text)']) AS o,
  unnest(ARRAY[1, 2, 7, 100]) AS batch;
SELECT attach('ev');
SELECT stream('ev', o, batch) FROM orders;
SELECT * FROM shown;
SELECT * FROM ids;
CALL pql.rebuild();
SELECT digest('rebuilt');
-- ids are forgotten on the way
DO $$ DECLARE r given; BEGIN
  TRUNCATE ev;
  FOR r IN SELECT * FROM given ORDER BY n DESC LOOP
    INSERT INTO ev VALUES (r.id, r.ts, r.got, r.who, r.org, r.name);
    PERFORM pql._tick('2999-01-01');
  END LOOP;
END $$;
SELECT digest('forgotten');
SELECT count(*) FROM pql.seen_event;
SELECT pql.detach('ev');
-- as history, a page at a time and with more of it to come
TRUNCATE ev;
INSERT INTO ev SELECT id, ts, got, who, org, name FROM given WHERE n % 2 = 0;
SELECT attach('ev');
INSERT INTO ev SELECT id, ts, got, who, org, name FROM given WHERE n % 2 = 1;
CALL pql.backfill();
SELECT digest('history');
SELECT pql.detach('ev');
-- row by row, into partitions
SELECT attach('parted');
SELECT stream('parted', o, batch) FROM orders WHERE o IN ('n', 'got DESC, n DESC');
SELECT pql.detach('parted');
SELECT count(*), count(DISTINCT digest) FROM digests;
-- without being told of them, by when they happened: other rows count
SELECT attach('ev', NULL);
CALL pql.backfill();
SELECT digest('not told');
SELECT count(*), count(DISTINCT digest) FROM digests;
SELECT * FROM shown;
SELECT duplicates FROM pql.sources;
SELECT pql.detach('ev');
TRUNCATE ev;

--
-- What is forgotten
--

SELECT attach('ev');
SELECT duplicates FROM pql.sources;
INSERT INTO ev VALUES ('a', '2026-01-01', '2026-05-01', 'ada', 'acme', 'start'), ('b', '2026-05-01', '2026-01-01', 'ada', 'acme', 'work'),
  ('c', '2026-01-01', NULL, 'ada', 'acme', 'work'), ('d', '2026-01-01', '2999-01-01', 'ada', 'acme', 'work');
SELECT ids_forgotten FROM pql._tick(now() + interval '16 days'); -- not yet: horizon and max_event_age
SELECT ids_forgotten FROM pql._tick(now() + interval '18 days');
SELECT * FROM ids;
-- looked up in the table: those that repeat it, and those that came before it
INSERT INTO ev VALUES ('a', '2026-05-11', '2026-05-11', 'ada', 'acme', 'start');
INSERT INTO ev VALUES ('b', '2026-05-01', '2025-12-25', 'ben', 'acme', 'work');
INSERT INTO ev VALUES ('c', '2026-03-01', '2026-01-02', 'ada', 'acme', 'work'), ('d', '2026-01-01', '2999-01-02', 'ada', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- past the horizon from the one that counts it is another event, though a repetition arrived between
INSERT INTO ev VALUES ('a', '2026-01-01', '2026-05-12', 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT * FROM ids;
SELECT * FROM pql.verify();
-- arrivals by an expression, which fails for one row
SELECT pql.detach('ev');
TRUNCATE ev;
CREATE TABLE counted (id int, ts timestamptz, seconds int, who text, org text, name text);
SELECT attach('counted', 'to_timestamp(1767225600 / seconds)');
INSERT INTO counted VALUES (1, '2026-01-01', 1, 'ada', 'acme', 'start'), (1, '2026-01-30', 1, 'ada', 'acme', 'start'), (1, '2026-01-01', 2, 'ada', 'acme', 'start'),
  (2, '2026-01-01', 0, 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT reason, events FROM pql.unusable ORDER BY 1;
SELECT * FROM pql.verify();
SELECT pql.detach('counted');
TRUNCATE counted;
-- nothing reads it where pql compares no ids
SELECT count(*) > 0 FROM pql.attach('counted', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                    received_at => 'to_timestamp(1767225600 / seconds)');
INSERT INTO counted VALUES (2, '2026-01-01', 0, 'ada', 'acme', 'start');
SELECT * FROM shown;
SELECT pql.detach('counted');

--
-- What is sealed
--

CREATE VIEW sealed AS SELECT home, event_id, count(*) FROM pql.sealed_event GROUP BY 1, 2 ORDER BY 1, 2;
SELECT attach('ev', NULL);
INSERT INTO ev VALUES ('a', '2026-01-01', NULL, 'ada', 'acme', 'work'), ('a', '2026-01-10', NULL, 'ada', 'acme', 'work'),
  ('b', '2026-01-02', NULL, 'ada', 'acme', 'work');
SELECT pql.retain('ev', '2026-01-05');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- what repeats it doesn't count, nor does it hide what is past the horizon
INSERT INTO ev VALUES ('b', '2026-01-12', NULL, 'ben', 'acme', 'work');
INSERT INTO ev VALUES ('b', '2026-01-12 00:00:00.000001', NULL, 'cho', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- what came too late to be sealed counts for nothing, and hides nothing
INSERT INTO ev VALUES ('c', '2026-01-04', NULL, 'dee', 'acme', 'work');
INSERT INTO ev VALUES ('c', '2026-01-06', NULL, 'eve', 'acme', 'work');
INSERT INTO ev VALUES ('d', '2026-01-04', NULL, 'fay', 'acme', 'work'), ('d', '2026-01-06', NULL, 'gus', 'acme', 'work');
SELECT * FROM shown;
SELECT reason, events FROM pql.unusable ORDER BY 1;
SELECT * FROM pql.verify();
-- purged, derived again and forgotten meanwhile
DELETE FROM ev WHERE ts < '2026-01-05';
DELETE FROM ev WHERE ts = '2026-01-12 00:00:00.000001';
INSERT INTO ev VALUES ('b', '2026-01-06', NULL, 'hal', 'acme', 'work');
CALL pql.rebuild();
INSERT INTO ev VALUES ('b', '2026-01-07', NULL, 'hal', 'acme', 'work');
SELECT ids_forgotten > 0 FROM pql._tick('2999-01-01');
INSERT INTO ev VALUES ('b', '2026-01-08', NULL, 'hal', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM sealed;
SELECT * FROM pql.verify();
-- by a new program, too
SELECT pql.publish($${"program": "later", "unit": "account", "signals": {"work": {"kind": "depth", "event": "work", "half_life": "3 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 40, "leave": 20}}$$);
CALL pql.backfill();
SELECT * FROM pql.verify();
SELECT pql.retire('later');
-- sealed again: repetitions of what was sealed before are none the less, and what is past the horizon is forgotten
SELECT pql.retain('ev', '2026-01-11');
SELECT * FROM shown;
SELECT * FROM sealed;
SELECT * FROM pql.verify();
DELETE FROM ev;
SELECT pql.retain('ev', '2026-01-21');
SELECT * FROM sealed;
INSERT INTO ev VALUES ('b', '2026-01-21', NULL, 'ida', 'acme', 'work'), ('d', '2026-01-21', NULL, 'ida', 'acme', 'work');
SELECT * FROM shown WHERE user_id = 'ida';
SELECT pql.retain('ev', '2026-01-24');
SELECT * FROM sealed;
SELECT * FROM ids;
SELECT * FROM pql.verify();
SELECT pql.detach('ev');
SELECT * FROM sealed;
TRUNCATE ev;
-- told of arrivals: one that arrived before a sealed one and is said to have happened after the seal repeats it
SELECT attach('ev');
INSERT INTO ev VALUES ('a', '2026-01-01', '2026-02-01', 'ada', 'acme', 'work'), ('a', '2026-01-02', '2026-02-13', 'ben', 'acme', 'work');
SELECT pql.retain('ev', '2026-02-20');
INSERT INTO ev VALUES ('a', '2026-02-21', '2026-01-30', 'cho', 'acme', 'work');
INSERT INTO ev VALUES ('a', '2026-02-21', '2026-02-12', 'cho', 'acme', 'work'), ('a', '2026-02-21', '2026-02-23', 'cho', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
INSERT INTO ev VALUES ('a', '2026-02-21', '2026-01-21', 'dee', 'acme', 'work'), ('a', '2026-02-21', '2026-02-24', 'eve', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM pql.verify();
-- it says when it arrived, long before the seal: remembered as long as rows rest on it
INSERT INTO ev VALUES ('b', '2026-02-22', '2025-06-01', 'ada', 'acme', 'work'), ('b', '2026-02-27', '2025-06-02', 'fay', 'acme', 'work');
SELECT pql.retain('ev', '2026-02-25');
DELETE FROM ev WHERE ts < '2026-02-25';
SELECT * FROM shown;
SELECT * FROM pql.verify();
DELETE FROM ev;
SELECT pql.retain('ev', '2026-02-26');
INSERT INTO ev VALUES ('b', '2026-02-27', '2025-06-02', 'fay', 'acme', 'work');
SELECT * FROM shown;
SELECT * FROM sealed;
SELECT * FROM pql.verify();
SELECT pql.detach('ev');
TRUNCATE ev;
-- row by row
TRUNCATE parted;
SELECT attach('parted', NULL);
INSERT INTO parted VALUES ('a', '2026-01-01', NULL, 'ada', 'acme', 'start');
SELECT pql.retain('parted', '2026-01-05');
INSERT INTO parted VALUES ('a', '2026-01-10', NULL, 'ben', 'acme', 'work'), ('b', '2026-01-04', NULL, 'cho', 'acme', 'start'),
  ('b', '2026-01-06', NULL, 'dee', 'acme', 'work');
SELECT * FROM shown;
SELECT reason, events FROM pql.unusable ORDER BY 1;
SELECT * FROM pql.verify();
SELECT pql.detach('parted');
TRUNCATE parted;

DROP VIEW sealed;

--
-- A new program over partitions, with an id in two of them: one row counts, whichever partition comes first
--

SELECT attach('parted', NULL);
INSERT INTO parted VALUES ('a', '2026-01-01', NULL, 'ada', 'acme', 'start'), ('a', '2026-01-02', NULL, 'ada', 'acme', 'work'),
  ('b', '2026-01-02', NULL, 'ada', 'acme', 'start'), ('b', '2026-01-01', NULL, 'ada', 'acme', 'work'), ('c', '2026-01-03', NULL, 'ada', 'acme', 'done');
SELECT pql.publish($${"program": "second", "unit": "account", "signals": {
  "start": {"kind": "depth", "event": "start", "half_life": "5 days", "points_each": 10, "max_points": 50},
  "work": {"kind": "depth", "event": "work", "half_life": "5 days", "points_each": 10, "max_points": 50},
  "done": {"kind": "depth", "event": "done", "half_life": "5 days", "points_each": 10, "max_points": 50}}, "qualify": {"enter": 40, "leave": 20}}$$);
SELECT count(*) FROM pql.backfill_job WHERE finished_at IS NULL;
-- of a home that is derived again meanwhile nothing more is taken in
INSERT INTO parted VALUES ('d', '2026-01-02', NULL, 'ada', 'beta', 'start'), ('d', '2026-01-01', NULL, 'ada', 'beta', 'work'),
  ('d', '2026-01-03', NULL, 'ada', 'beta', 'work');
UPDATE parted SET ts = '2026-01-04' WHERE org = 'beta' AND ts = '2026-01-01';
CALL pql.backfill('parted_others');
SELECT count(*) FROM pql.backfill_job WHERE finished_at IS NULL;
SELECT * FROM pql.verify();
SELECT pql.detach('parted');
TRUNCATE parted;

DROP VIEW shown, ids, orders;
DROP TABLE ev, parted, given, digests, counted;
DROP FUNCTION attach, digest, stream;
DROP EXTENSION pql CASCADE;
