-- What is remembered of people: that they cool down, wherever their events go; and by which version they are in.
-- covers: S3-12, S3-15
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE deed (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
SELECT count(*) > 0 FROM pql.attach('deed', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event');

-- A cool-down goes with the person when his account is merged into another, and he himself is moved.
SELECT pql.publish('{"program": "cool", "unit": "user", "signals": {"use": {"kind": "depth", "event": "use", "half_life": "1 day", "saturates_at": 1, "max_points": 50}},
  "qualify": {"enter": 40, "leave": 20, "cool_down": "30 days"}}');
SELECT pql.promote('cool');
INSERT INTO deed VALUES (1, '2026-03-01', 'ada', 'acme', 'use'), (2, '2026-03-01', 'ben', 'acme', 'use');
INSERT INTO deed VALUES (3, '2026-03-10', 'cho', 'bolt', 'look');
SELECT episodes_reviewed FROM pql.tick();
SELECT subject_id, entered_at, left_at, cools_until FROM pql.episode ORDER BY 1;
SELECT pql.merge_accounts('acme', 'globex') > 0, pql.move_user('ben', 'bolt') > 0;
INSERT INTO deed VALUES (4, '2026-03-11', 'ada', 'acme', 'use'), (5, '2026-03-11', 'ben', 'acme', 'use');
SELECT subject_id, entered_at FROM pql.episode ORDER BY 1, 2;
SELECT count(*) FROM pql.verify();
-- until it is over
INSERT INTO deed VALUES (6, '2026-04-20', 'ada', 'acme', 'use'), (7, '2026-04-20', 'ben', 'acme', 'use');
SELECT subject_id, entered_at FROM pql.episode WHERE left_at IS NULL ORDER BY 1, 2;
SELECT count(*) FROM pql.tick(), pql.verify();
SELECT pql.retire('cool');

-- Who is in by a version that scores a milestone stays by it, whatever the next one scores.
SELECT pql.publish('{"program": "stay", "unit": "user", "milestones": {"began": {"event": "begin"}},
  "signals": {"began": {"kind": "fit", "milestone": "began", "max_points": 50}}, "qualify": {"enter": 40, "leave": 20}}');
CALL pql.backfill();
SELECT pql.promote('stay');
INSERT INTO deed VALUES (11, '2026-04-21', 'dee', 'acme', 'begin');
SELECT pql.publish('{"program": "stay", "unit": "user",
  "signals": {"use": {"kind": "depth", "event": "use", "half_life": "1 day", "saturates_at": 1, "max_points": 50}}, "qualify": {"enter": 40, "leave": 20}}');
CALL pql.backfill();
INSERT INTO deed VALUES (12, '2026-04-22', 'dee', 'acme', 'look');
CALL pql.rebuild();
SELECT subject_id, version, left_at, leaves_at FROM pql.episode WHERE program = 'stay';
DROP TABLE deed CASCADE;
