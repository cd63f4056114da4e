-- What is sealed of a person's activation is that of all of his homes together, as it was before.
-- covers: S3-10, S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
SELECT count(*) > 0 FROM pql.attach('event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event');
SELECT pql.publish('{"program": "person", "unit": "user", "milestones": {"one": {"event": "e1"}, "two": {"event": "e2"}, "three": {"event": "e3"}},
  "activation": {"steps": ["one", "two", "three"], "order": "any_order", "within": "6 days"},
  "signals": {"activation": {"kind": "activation", "milestone": "activation_complete", "max_points": 50},
              "in_turn": {"kind": "intent", "sequence": ["e1", "e2"], "within": "1 day", "window": "60 days", "max_points": 40}},
  "qualify": {"enter": 40, "leave": 20}}');
SELECT pql.promote('person');
-- ada is through it in acme alone, and sooner with what she did in tiny, and without an account; ben is on his way in two; cho is in one.
INSERT INTO event SELECT row_number() OVER (), timestamptz '2026-03-01' + v.day * interval '1 day', v.who, v.org, v.name FROM (VALUES
  (0.0, 'ada', 'acme', 'e1'), (1.0, 'ada', 'tiny', 'e2'), (2.0, 'ada', NULL, 'e3'), (3.0, 'ada', 'acme', 'e2'), (4.0, 'ada', 'acme', 'e3'),
  (0.1, 'ben', 'tiny', 'e1'), (0.2, 'ben', 'acme', 'e1'), (5.0, 'ben', 'bolt', 'e2'), (1.0, 'cho', 'acme', 'e1'), (1.5, 'cho', 'acme', 'e2')) AS v(day, who, org, name);
CREATE VIEW told AS SELECT subject_id, level, started_at, reached_at, next_step, pql.score('person', subject_id) FROM pql.activation('person') ORDER BY 1;
TABLE told;
-- not with the snapshot of a transaction, in which writers who are waited for would be left out
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pql.retain('event', '2026-03-10');
ROLLBACK;
SELECT pql.retain('event', '2026-03-10');
TABLE told;
SELECT count(*) FROM pql.verify();
DELETE FROM event;
TABLE told;
SELECT count(*) FROM pql.verify();
-- later steps, in other homes, and another seal
INSERT INTO event VALUES (21, '2026-03-10 01:00', 'ben', 'acme', 'e3'), (22, '2026-03-10 02:00', 'ben', 'aaa', 'e2'), (23, '2026-03-11', 'ben', 'zzz', 'e1'), (24, '2026-03-12', 'cho', 'bolt', 'e3');
TABLE told;
SELECT count(*) FROM pql.verify();
SELECT pql.retain('event', '2026-03-20');
TABLE told;
CALL pql.rebuild();
TABLE told;
SELECT count(*) FROM pql.verify();
SELECT subject_id, left_at IS NULL FROM pql.episode ORDER BY entered_at, subject_id;
DROP TABLE event CASCADE;
