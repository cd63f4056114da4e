-- Who gets which routing row, and when contact is to be made.
-- covers: S1-23 S1-25 S2-5 S2-8 S2u-5
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE TABLE orgs (id text PRIMARY KEY, country text, segment text, plan text);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) FROM pql.attach_accounts('orgs', account_id => 'id');
CREATE FUNCTION program(name text, motion jsonb) RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('program', name, 'unit', 'account', 'qualify', '{"enter": 5}'::jsonb, 'signals',
      jsonb_build_object('uses', jsonb_build_object('kind', 'intent', 'event', name, 'points_each', 5, 'max_points', 5, 'half_life', '7 days')),
      'motions', jsonb_build_array(motion || '{"otherwise": true}'))$$;
CREATE FUNCTION started(name text, motion jsonb) RETURNS void LANGUAGE plpgsql AS
  $$BEGIN PERFORM pql.publish(program(name, motion)); PERFORM pql.promote(name); END$$;
CREATE SEQUENCE n;
CREATE FUNCTION happens(name text, org text, ts timestamptz) RETURNS void LANGUAGE sql AS
  $$INSERT INTO ev VALUES (nextval('n'), ts, 'u-' || org, org, name)$$;
CREATE VIEW r AS SELECT subject_id, motion, owner, contact_after, contact_by, state FROM pql.routing ORDER BY routing_id;
CREATE VIEW why AS SELECT r.subject_id, x.rep_id, x.verdict, x.reason FROM pql.routing AS r, pql.explain_route(r.routing_id) AS x ORDER BY r.routing_id, x.at, x.rep_id;

SELECT started('calls', '{"motion": "account_executive", "after": "2 working hours", "by": "1 working day"}');
SELECT started('asks', '{"motion": "enterprise", "skills": ["sso"], "by": "4 hours"}');
SELECT started('nudges', '{"motion": "in_app"}');
SELECT started('fails', '{"motion": "customer_success", "skills": ["rescue"], "when_nobody": "overflow"}');
SELECT started('tries', '{"motion": "inside_sales", "skills": ["video"], "when_nobody": "downgrade", "downgrade_to": "email"}');

-- without reps: working time by the usual calendar (UTC), and nobody owns anything; 2025-11-21 is a Friday
SELECT happens('calls', 'org0', '2025-11-21 16:00');
SELECT episodes_reviewed FROM pql.tick();
SELECT * FROM r;
SELECT count(*) FROM pql.route_decision;
-- another default
INSERT INTO pql.team VALUES ('default', 'America/New_York', NULL);
SELECT happens('calls', 'org1', '2025-11-21 16:00');
SELECT * FROM r WHERE subject_id = 'org1';

-- a rep in Berlin, where Monday is a holiday
INSERT INTO pql.reps (rep_id, zone, capacity) VALUES ('ada', 'Europe/Berlin', 3);
INSERT INTO pql.holidays VALUES ('Europe/Berlin', '2025-11-24', 'a holiday');
SELECT episodes_reviewed FROM pql.tick('2025-11-21 16:30');
SELECT * FROM r;
SELECT * FROM why;
SELECT rep_id, open, taken_this_week, week_start, deficit FROM pql.rep_load;
SELECT episodes_reviewed FROM pql.tick('2025-11-21 16:30');
SELECT open FROM pql.rep_load;

-- skills: nobody has them, and a row is told so once; then somebody has
SELECT happens('asks', 'org2', '2025-11-25 09:00');
SELECT pql._assign_pending('2025-11-25 09:01', 100), pql._assign_pending('2025-11-25 09:02', 100);
SELECT owner, state FROM r WHERE subject_id = 'org2';
SELECT * FROM why WHERE subject_id = 'org2';
INSERT INTO pql.reps (rep_id, zone, skills, away) VALUES ('bob', 'Asia/Kathmandu', '{sso,talk}', '{[2025-11-25 00:00,2025-11-26 12:00)}');
SELECT pql._assign_pending('2025-11-25 09:03', 100);
SELECT * FROM why WHERE subject_id = 'org2';
SELECT pql._assign_pending('2025-11-26 12:00', 100);
SELECT owner, contact_after, contact_by FROM r WHERE subject_id = 'org2';
-- a motion that needs nobody takes nobody
SELECT happens('nudges', 'org3', '2025-11-26 12:00');
SELECT pql._assign_pending('2025-11-26 12:01', 100);
SELECT owner, motion FROM r WHERE subject_id = 'org3';

-- nobody can rescue: whoever has capacity does; nobody has video: an e-mail is sent
SELECT happens('fails', 'org4', '2025-11-26 12:02'), happens('tries', 'org5', '2025-11-26 12:03');
SELECT pql._assign_pending('2025-11-26 12:04', 100);
SELECT subject_id, motion, owner IS NOT NULL AS owned FROM r WHERE subject_id IN ('org4', 'org5');
SELECT * FROM why WHERE subject_id IN ('org4', 'org5') ORDER BY 1, 2;
SELECT pql._assign_pending('2025-11-26 12:05', 100);

-- named accounts: the owner first, though he has no skill and no share; not above his capacity
UPDATE pql.reps SET weight = 0, capacity = 4 WHERE rep_id = 'ada';
INSERT INTO pql.account_owner VALUES ('org6', 'ada'), ('org7', 'ada');
UPDATE pql.rep_load SET open = 3 WHERE rep_id = 'ada';
SELECT happens('asks', 'org6', '2025-11-27 10:00'), happens('asks', 'org7', '2025-11-27 10:01');
SELECT pql._assign_pending('2025-11-27 10:02', 100);
SELECT * FROM why WHERE subject_id IN ('org6', 'org7') ORDER BY 1, 2;
-- one account, one rep: what is open with somebody goes to the same
SELECT happens('calls', 'org7', '2025-11-27 10:05');
SELECT pql._assign_pending('2025-11-27 10:06', 100);
SELECT owner FROM r WHERE subject_id = 'org7';
-- he who gives one back can have another
SELECT pql._take_rep('ada'), pql._release_rep('ada'), pql._take_rep('ada'), pql._take_rep('nobody');
SELECT open FROM pql.rep_load WHERE rep_id = 'ada';

-- territories and segments, by attributes
DELETE FROM pql.reps;
INSERT INTO pql.reps (rep_id, team, segments) VALUES ('de1', 'dach', '{}'), ('us1', 'us', '{}'), ('us2', 'us', '{big}');
INSERT INTO pql.territories (attribute, "values", team) VALUES ('country', '{DE,AT}', 'dach'), ('country', '{US}', 'us');
INSERT INTO orgs VALUES ('org8', 'AT', 'big', 'free'), ('org9', 'US', 'small', 'free'), ('org10', 'FR', 'big', 'free');
SELECT happens('calls', o, '2025-11-28 10:00') FROM unnest('{org8,org9}'::text[]) AS o;
SELECT pql._assign_pending('2025-11-28 10:06', 100);
SELECT * FROM why WHERE subject_id IN ('org8', 'org9') ORDER BY 1, 2;

-- shares follow weights, and capacities of the week hold
TRUNCATE pql.territories, pql.reps, pql.rep_load;
INSERT INTO pql.reps (rep_id, weight) VALUES ('a', 1), ('b', 2), ('c', 3);
INSERT INTO pql.reps (rep_id, weekly_capacity) VALUES ('d', 5);
INSERT INTO ev SELECT nextval('n'), '2025-11-28 11:00', 'v' || i, 'many' || i, 'calls' FROM generate_series(1, 65) AS i;
SELECT pql._assign_pending('2025-11-28 11:01', 10), pql._assign_pending('2025-11-28 11:01', 1000);
SELECT owner, count(*) FROM pql.routing WHERE subject_id LIKE 'many%' GROUP BY 1 ORDER BY 1;
SELECT rep_id, open, taken_this_week, round(deficit::numeric, 3) FROM pql.rep_load ORDER BY 1;
SELECT round(sum(deficit)::numeric, 6) FROM pql.rep_load;
INSERT INTO ev SELECT nextval('n'), '2025-12-02 11:00', 'w' || i, 'more' || i, 'calls' FROM generate_series(1, 7) AS i;
SELECT pql._assign_pending('2025-12-02 11:01', 1000);
SELECT owner, count(*) FROM pql.routing WHERE subject_id LIKE 'more%' GROUP BY 1 ORDER BY 1;

-- a savepoint that is taken back takes the assignment back, and what it changed in reps
SELECT happens('calls', 'org11', '2025-12-02 12:00');
BEGIN;
SAVEPOINT s;
UPDATE pql.reps SET active = false WHERE rep_id <> 'a';
SELECT pql._assign_pending('2025-12-02 12:01', 10);
SELECT owner FROM r WHERE subject_id = 'org11';
ROLLBACK TO s;
SELECT owner FROM r WHERE subject_id = 'org11';
SELECT pql._assign_pending('2025-12-02 12:01', 10);
SELECT owner <> 'a' FROM r WHERE subject_id = 'org11';
COMMIT;
-- above READ COMMITTED nothing is assigned
SELECT happens('calls', 'org12', '2025-12-02 12:00');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pql._assign_pending('2025-12-02 12:02', 10);
COMMIT;
SELECT pql._assign_pending('2025-12-02 12:02', 0), pql._assign_pending('2025-12-02 12:02', NULL);
SELECT (SELECT sum(open) FROM pql.rep_load) = count(*) FROM pql.routing WHERE owner IN ('a', 'b', 'c', 'd');

-- Who has no room for one more stops looking: what is free stays free for others.
DELETE FROM pql.reps;
SELECT happens('asks', 'free' || n, '2025-12-03 10:00') FROM generate_series(1, 4) AS n;
SELECT count(*) FROM pql.tick('2025-12-03 10:00');
INSERT INTO pql.reps (rep_id, capacity) VALUES ('small', 1);
BEGIN;
SELECT count(*) FROM pql.claim('small', 9);
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND mode = 'ExclusiveLock'; -- what it took, and what it tried
ROLLBACK;

-- A version that was replaced counts working time, though none in force does; 2025-12-06 is a Saturday.
DELETE FROM pql.team;
SELECT count(pql.retire(program)) FROM (SELECT DISTINCT program FROM pql.program) AS p;
SELECT pql.publish('{"program": "rises", "unit": "account", "qualify": {"enter": 5},
  "signals": {"low": {"kind": "intent", "event": "low", "points_each": 5, "max_points": 5, "half_life": "30 days"},
              "high": {"kind": "intent", "event": "high", "points_each": 5, "max_points": 5, "half_life": "30 days"}},
  "motions": [{"when": "points.high > 0", "motion": "enterprise", "after": "2 working hours", "by": "1 working day"}, {"otherwise": true, "motion": "inside_sales"}]}');
CALL pql.backfill();
SELECT pql.promote('rises');
SELECT happens('low', 'org20', '2025-12-06 09:00');
SELECT pql.publish('{"program": "rises", "unit": "account", "qualify": {"enter": 5},
  "signals": {"low": {"kind": "intent", "event": "low", "points_each": 5, "max_points": 5, "half_life": "30 days"}}, "motions": [{"otherwise": true, "motion": "inside_sales"}]}');
SELECT happens('high', 'org20', '2025-12-06 10:00');
SELECT version, motion, contact_after, contact_by FROM pql.routing WHERE subject_id = 'org20';

-- A time zone that isn't known any more, and hours that nobody can read, fail nobody's insert.
SET session_replication_role = replica;
INSERT INTO pql.team VALUES ('default', 'Mars/Olympus', '{"someday": []}');
RESET session_replication_role;
INSERT INTO pql.holidays VALUES ('nobody', '2025-12-01');
SELECT pql.publish(program('lasts', '{"motion": "inside_sales", "after": "2 working hours"}'));
CALL pql.backfill();
SELECT pql.promote('lasts');
SELECT happens('lasts', 'org21', '2025-12-06 10:00');
SELECT motion, contact_after FROM pql.routing WHERE subject_id = 'org21';

-- what somebody gave to a rep by hand was no part of the week, and taking it away again makes no room in it
DELETE FROM pql.reps;
DELETE FROM pql.team;
INSERT INTO pql.reps (rep_id, weekly_capacity) VALUES ('hana', 1);
UPDATE pql.routing SET state = 'expired' WHERE state = 'pending';
SELECT happens('lasts', 'org31', '2025-12-08 09:00'), happens('lasts', 'org32', '2025-12-08 09:01'), happens('lasts', 'org33', '2025-12-08 09:02');
SELECT pql._assign_pending('2025-12-08 09:05', 100);
SELECT subject_id, owner FROM r WHERE subject_id IN ('org31', 'org32', 'org33');
SELECT owner FROM pql.reassign((SELECT routing_id FROM pql.routing WHERE subject_id = 'org32'), 'hana', 'knows them');
SELECT owner FROM pql.reassign((SELECT routing_id FROM pql.routing WHERE subject_id = 'org32'), NULL, 'no longer');
SELECT open, taken_this_week FROM pql.rep_load WHERE rep_id = 'hana';
SELECT pql._assign_pending('2025-12-08 09:06', 100);

-- what nobody can do becomes another motion only where there is consent to its channel, and that one follows what is said of it
SELECT pql.publish(program('falls', '{}') || '{"consent": "opt_in", "quiet_hours": {"zone": "null::text", "default_zone": "UTC", "hours": ["20:00-08:00"]}, "motions": [
  {"when": "signal.uses > 0", "motion": "enterprise", "skills": ["none has"], "when_nobody": "downgrade", "downgrade_to": "email"},
  {"otherwise": true, "motion": "email", "channel": "email"}]}');
CALL pql.backfill();
SELECT pql.promote('falls');
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'org41', 'email', true, '2025-12-01'), ('account', 'org42', 'email', false, '2025-12-01');
SELECT happens('falls', o, '2025-12-09 09:00') FROM unnest('{org41, org42, org43}'::text[]) AS o;
CREATE VIEW fallen AS SELECT subject_id, motion, state, blocked_by, contact_after FROM pql.routing WHERE program = 'falls' ORDER BY subject_id;
SELECT assigned FROM pql.tick('2025-12-09 09:01');
TABLE fallen;
SELECT * FROM why WHERE subject_id IN ('org42', 'org43');
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'org41', '', false, '2025-12-09 09:02'), ('account', 'org42', 'email', true, '2025-12-09 09:02');
SELECT assigned FROM pql.tick('2025-12-09 09:03');
TABLE fallen;
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'org41', 'email', true, '2025-12-09 09:04');
SELECT assigned FROM pql.tick('2025-12-09 09:05');
TABLE fallen;
-- and quiet hours are the subject's, whatever the motion
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'org43', 'email', true, '2025-12-09 20:30');
SELECT happens('falls', 'org44', '2025-12-09 21:00');
SELECT assigned, ready FROM pql.tick('2025-12-09 21:00');
TABLE fallen;
DROP TABLE ev CASCADE;
DROP FUNCTION program(text, jsonb);
DROP EXTENSION pql CASCADE;
