-- Milestones and activation: asserted, recorded, late, repeated, taken back; and events that are sealed and purged.
-- covers: S3-7, S3-10, S3-12
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
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props', clock => 'event');
SELECT pql.publish($${"program": "steps", "unit": "user",
  "milestones": {"a": {"event": "a"}, "b": {"event": "b"}, "c": {"event": "c"}, "many": {"event": "c", "where": "(props->>'n')::int > 2"}},
  "activation": {"steps": ["a", "b", "c"], "within": "2 days"},
  "signals": {"done": {"kind": "activation", "milestone": "activation_complete", "max_points": 10}}, "qualify": {"enter": 10, "leave": 5}}$$);
SELECT pql.publish($${"program": "any", "unit": "account", "milestones": {"a": {"event": "a"}, "b": {"event": "b"}, "c": {"event": "c"}},
  "activation": {"steps": ["a", "b", "c"], "order": "any_order", "within": "2 days"},
  "signals": {"done": {"kind": "activation", "milestone": "activation_complete", "max_points": 10}}, "qualify": {"enter": 10, "leave": 5}}$$);
CREATE VIEW reached AS
  SELECT unit, subject_id, name, reached_at, event_id FROM pql.milestones ORDER BY unit, subject_id COLLATE "C", name;

--
-- pql.upsert_user_milestone
--

SELECT pql.upsert_user_milestone('ada', 'a', '2026-01-02', 'crm');
SELECT pql.upsert_user_milestone('ada', 'a', '2026-01-02', 'crm');
SELECT pql.upsert_user_milestone('ada', 'a', '2026-01-03', 'later');
SELECT * FROM reached;
SELECT pql.upsert_user_milestone('ada', 'a', '2026-01-01', 'earlier');
SELECT * FROM reached;
INSERT INTO ev VALUES (1, '2025-12-31', 'ada', 'acme', 'a'), (2, '2026-01-05', 'ben', 'acme', 'a');
SELECT * FROM reached;
SELECT pql.upsert_user_milestone('ada', 'a', '2025-12-30', 'earliest');
SELECT pql.upsert_user_milestone('ben', 'a', '2026-01-06', 'later than the event');
SELECT * FROM reached;
DELETE FROM ev;
SELECT * FROM reached;
SELECT * FROM pql.verify();
BEGIN;
SELECT pql.upsert_user_milestone('cho', 'a', '2026-01-01');
SELECT pql.upsert_user_milestone('cho', 'a', '2026-01-01');
ROLLBACK;
SELECT pql.upsert_user_milestone('cho', 'a', '2026-01-01');
BEGIN;
SAVEPOINT s;
SELECT pql.upsert_user_milestone('dee', 'b', '2026-01-01');
ROLLBACK TO s;
SELECT pql.upsert_user_milestone('dee', 'b', '2026-01-02');
COMMIT;
SELECT * FROM reached;
SELECT * FROM pql.verify();
-- the same time with other evidence: the smallest counts, as for events
SELECT pql.upsert_user_milestone('eve', 'a', '2026-01-01', 'y');
SELECT pql.upsert_user_milestone('eve', 'a', '2026-01-01', 'x');
SELECT pql.upsert_user_milestone('eve', 'a', '2026-01-01', 'z');
SELECT * FROM pql.verify();
SELECT pql.upsert_user_milestone('eve', 'nothing');
SELECT pql.upsert_user_milestone(NULL, 'a');
SELECT pql.upsert_user_milestone('', 'a');
SELECT pql.upsert_user_milestone('eve', NULL);
SELECT pql.upsert_user_milestone('eve', 'a', NULL);
SELECT pql.upsert_user_milestone('eve', 'a', 'infinity');
DELETE FROM pql.asserted_milestone;
CALL pql.rebuild();
SELECT * FROM reached;

--
-- Late and repeated events
--

INSERT INTO ev VALUES (10, '2026-02-03', 'ada', 'acme', 'a');
INSERT INTO ev VALUES (11, '2026-02-02', 'ada', 'acme', 'a');
INSERT INTO ev VALUES (12, '2026-02-04', 'ada', 'acme', 'a');
INSERT INTO ev VALUES (9, '2026-02-02', 'ben', 'acme', 'a');
SELECT * FROM reached;
SELECT pql.state_digest() AS digest \gset
INSERT INTO ev SELECT * FROM ev ON CONFLICT DO NOTHING;
SELECT pql.state_digest() = :'digest' AS unchanged;
DELETE FROM ev WHERE id = 9;
SELECT * FROM reached;
DELETE FROM ev WHERE id = 11;
SELECT * FROM reached;
INSERT INTO ev VALUES (13, '2026-02-05', 'ada', 'acme', 'c', '{"n": 1}'), (14, '2026-02-06', 'ada', 'acme', 'c', '{"n": 3}');
UPDATE ev SET props = '{"n": 9}' WHERE id = 13;
SELECT * FROM reached;
SELECT * FROM pql.verify();

--
-- Activation
--

TRUNCATE ev;
CREATE FUNCTION pg_temp.journey(who text, events text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO ev SELECT (SELECT coalesce(max(id), 0) FROM ev) + n, '2026-03-01'::timestamptz + split_part(e, '@', 2)::interval, who, 'of ' || who, split_part(e, '@', 1)
  FROM unnest(string_to_array(events, ',')) WITH ORDINALITY AS x(e, n)
$$;
DO $$
DECLARE
  j record;
BEGIN
  FOR j IN SELECT * FROM (VALUES
    ('in order', 'a@0h,b@1h,c@2h'), ('out of order', 'c@0h,b@1h,a@2h'), ('at the limit', 'a@0h,b@1h,c@48h'), ('too late', 'a@0h,b@1h,c@48:00:00.000001'),
    ('same time', 'a@5h,b@5h,c@5h'), ('skips b', 'a@0h,c@1h'), ('skips a', 'b@0h,c@1h'), ('second try', 'a@0h,a@72h,b@73h,c@74h'),
    ('late step', 'a@0h,c@3h,b@2h'), ('earlier start', 'a@10h,b@11h,c@12h,a@0h,b@0h,c@1h'), ('only b', 'b@1h'), ('other', 'x@1h'),
    ('b again', 'b@0h,a@1h,b@2h,c@3h'), ('twice', 'a@0h,b@1h,c@2h,a@100h,b@101h,c@102h'), ('stuck', 'a@0h,b@1h,a@50h')) AS v(who, events)
  LOOP
    PERFORM pg_temp.journey(j.who, j.events);
  END LOOP;
END $$;
SELECT * FROM pql.activation('steps') ORDER BY subject_id COLLATE "C";
SELECT * FROM pql.activation('any') ORDER BY subject_id COLLATE "C";
SELECT * FROM pql.verify();
SELECT * FROM pql.activation('steps', 'in order');
SELECT * FROM pql.activation('steps', 'in order', '2026-03-01 01:30');
SELECT * FROM pql.activation('steps', 'in order', '2026-02-01');
SELECT * FROM pql.activation('steps', 'earlier start', '2026-03-01 10:30');
SELECT * FROM pql.activation('any', 'of out of order', '2026-03-01 01:00');
SELECT * FROM pql.activation('steps', 'nobody');
SELECT * FROM pql.activation('nothing');
-- a step goes, a late one comes
DELETE FROM ev WHERE who = 'in order' AND name = 'b';
SELECT * FROM pql.activation('steps', 'in order');
INSERT INTO ev VALUES (1000, '2026-03-01 00:30', 'in order', 'of in order', 'b');
SELECT * FROM pql.activation('steps', 'in order');
-- every order of arrival gives the same
CREATE TABLE order_of_arrival AS SELECT pql.state_digest() AS digest;
CREATE TABLE saved AS SELECT * FROM ev;
TRUNCATE ev;
INSERT INTO ev SELECT * FROM saved ORDER BY id DESC;
SELECT pql.state_digest() = digest FROM order_of_arrival;
TRUNCATE ev;
DO $$
DECLARE
  r ev;
BEGIN
  FOR r IN SELECT * FROM saved ORDER BY md5(id::text) LOOP
    INSERT INTO ev SELECT r.*;
  END LOOP;
END $$;
SELECT pql.state_digest() = digest FROM order_of_arrival;
SELECT * FROM pql.verify();

--
-- Sealed events may be purged
--

SELECT pql.retain('ev', '2026-03-01 02:00');
SELECT sealed_before FROM pql.sources;
SELECT pql.state_digest() = digest FROM order_of_arrival;
SELECT * FROM pql.verify();
DELETE FROM ev WHERE ts < '2026-03-01 02:00';
SELECT pql.state_digest() = digest FROM order_of_arrival;
SELECT * FROM pql.verify();
CALL pql.rebuild();
SELECT pql.state_digest() = digest FROM order_of_arrival;
-- what is older and still comes is not used
INSERT INTO ev VALUES (2000, '2026-02-01', 'in order', 'of in order', 'a');
SELECT reason, events FROM pql.unusable;
SELECT pql.state_digest() = digest FROM order_of_arrival;
DELETE FROM ev WHERE id = 2000;
-- later ones go on from the base
INSERT INTO ev VALUES (2001, '2026-03-01 03:00', 'skips b', 'of skips b', 'b'), (2002, '2026-03-01 04:00', 'skips b', 'of skips b', 'c');
SELECT * FROM pql.activation('steps', 'skips b');
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id = 2001;
SELECT * FROM pql.activation('steps', 'skips b');
SELECT * FROM pql.verify();
SELECT pql.state_digest() AS digest \gset
SELECT pql.retain('ev', '2026-03-02');
DELETE FROM ev WHERE ts < '2026-03-02';
SELECT pql.state_digest() = :'digest' AS unchanged;
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest' AS unchanged;
SELECT * FROM pql.verify();
SELECT pql.retain('ev', '2026-03-02');
SELECT pql.retain('ev', '2026-03-01');
SELECT pql.retain('ev', NULL);
SELECT pql.retain('ev', 'infinity');
SELECT pql.retain('ev', '2999-01-01');
SELECT pql.retain('saved', '2026-03-02');
TRUNCATE ev;
SELECT * FROM pql.verify();

--
-- pql.record_event
--

SELECT pql.detach('ev');
SELECT pql.record_event('ada', 'a', 'acme', '{"x": 1}', '2026-04-01') > 0;
SELECT pql.record_event('ada', 'b', occurred_at => '2026-04-02') > 0;
SELECT relation, clock, duplicates FROM pql.sources;
SELECT account_id, user_id, first_seen, events FROM pql.members ORDER BY account_id;
SELECT unit, subject_id, name, reached_at FROM reached WHERE unit = 'account' OR subject_id = 'ada';
SELECT pql.record_event(NULL, 'a');
SELECT pql.record_event('ada', '');
SELECT pql.record_event('ada', 'a', occurred_at => NULL);
SELECT pql.record_event('ada', 'a', occurred_at => 'infinity') > 0;
SELECT reason, events FROM pql.unusable;
SELECT * FROM pql.verify();
-- damage is told, and mended
UPDATE pql.milestone_log SET body = '\x00' WHERE home = 'a:acme';
SELECT count(*) FROM pql.milestones;
SELECT count(*) > 0 AS told FROM pql.verify();
CALL pql.rebuild();
SELECT count(*) FROM pql.verify();
SELECT count(*) > 0 AS mended FROM pql.milestones;

DROP TABLE ev, saved, order_of_arrival;
DROP VIEW reached;
DROP EXTENSION pql CASCADE;
