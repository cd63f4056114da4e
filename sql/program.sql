-- Programs: checked, published, promoted, replaced, retired; scores and episodes as time and events go on.
-- covers: S2-17, S3-2, S3-3, S3-4, S3-15
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
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props', clock => 'event');

--
-- What check_program says
--

SELECT * FROM pql.check_program($${"program": "Bad Name", "unit": "team", "colour": 1,
  "milestones": {"a": {"event": ""}, "b": {"even": "x"}, "activation_complete": {"event": "x"}, "c": {"event": "c", "where": "props->>'x' >"}},
  "activation": {"steps": ["a", "zzz"], "order": "backwards", "within": "2 months"},
  "signals": {"s": {"kind": "intent", "event": "e", "max_points": 10, "half_life": "0"}, "t": {"kind": "mood", "milestone": "nope", "max_points": 5000},
              "u": {"kind": "depth", "event": "e", "measure": "sum", "of": "random()", "half_life": "1 day", "max_points": 5},
              "v": {"kind": "depth", "event": "e", "where": "(SELECT true)", "half_life": "1 day", "max_points": 5}},
  "qualify": {"enter": 10, "leave": 50}, "motions": [{"motion": "shout"}]}$$);
SELECT * FROM pql.check_program('[]');
SELECT * FROM pql.check_program('null');
SELECT * FROM pql.check_program(NULL);
SELECT * FROM pql.check_program('{}');
SELECT * FROM pql.check_program($${"program": "p", "unit": "user", "signals": {"s": {"kind": "intent", "event": "e", "half_life": "1 day", "max_points": 10}},
  "qualify": {"enter": 10, "leave": 5, "capacity": true}, "segment": "true", "holdout": 0.1}$$);
SELECT pql.publish('{"program": "p"}');
SELECT pql.publish(NULL);
SELECT count(*) FROM pql.program;
SELECT count(*) FROM pql.tracker;

--
-- From shadow to live
--

\set usage '{"program": "usage", "unit": "account", "milestones": {"start": {"event": "start"}, "done": {"event": "done"}}, "activation": {"steps": ["start", "done"], "within": "7 days"}, "signals": {"activated": {"kind": "activation", "milestone": "activation_complete", "max_points": 30, "why": "all set up"}, "work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 10, "max_points": 50}, "pay": {"kind": "intent", "event": "pay", "measure": "sum", "of": "(props->>''n'')::float8", "half_life": "2 days", "half_saturation": 100, "max_points": 20, "may_mention": false}}, "qualify": {"enter": 60, "leave": 40}, "motions": [{"otherwise": true, "motion": "email", "after": "4 hours", "by": "2 days", "next_best_action": "Write to them."}]}'
-- trackers are numbered in the document's order, however they are looked for among those that exist
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT pql.publish(:'usage', 'the first');
RESET enable_hashjoin;
RESET enable_nestloop;
SELECT program_id, program, version, status, goes_live, note FROM pql.program;
SELECT kind, unit, name, events, rules, value_rule, half_life, in_order, within, state FROM pql.tracker ORDER BY tracker_id;
INSERT INTO ev SELECT g, '2026-01-01'::timestamptz + g * interval '1 hour', 'u' || g % 3, 'acme', (ARRAY['start', 'done', 'work', 'work'])[1 + g % 4] FROM generate_series(1, 30) AS g;
SELECT program, version, unit, subject_id, shadow, entered_at, score, leaves_at, left_at FROM pql.episode;
SELECT count(*) FROM pql.routing;
SELECT pql.promote('usage', 'some');
SELECT pql.promote('nothing');
SELECT pql.promote('usage');
SELECT pql.promote('usage');
-- who qualified in shadow is not emitted; a new one is
INSERT INTO ev VALUES (50, '2026-01-02 12:00', 'u1', 'acme', 'work');
SELECT count(*) FROM pql.routing;
INSERT INTO ev SELECT 100 + g, '2026-01-02'::timestamptz + g * interval '1 hour', 'b' || g % 3, 'beta', (ARRAY['start', 'done', 'work', 'work'])[1 + g % 4] FROM generate_series(1, 20) AS g;
INSERT INTO ev VALUES (150, '2026-01-03 00:00', 'b1', 'beta', 'pay', '{"n": 300}');
SELECT program, version, unit, subject_id, account_id, user_id, signal_at, qualified_at, score, headline, motion, next_best_action, owner,
       contact_after, contact_by, state, state_since, blocked_by, claimed_at, disposition, holdout FROM pql.routing;
SELECT jsonb_pretty(reasons) FROM pql.routing;
SELECT jsonb_pretty(context) FROM pql.routing;
SELECT (SELECT sum((r->>'points')::int) FROM jsonb_array_elements(reasons) AS r) = score FROM pql.routing;
SELECT r.episode = e.episode_id, e.score = r.score FROM pql.routing AS r JOIN pql.episode AS e ON e.home = r.home AND e.episode_id = r.episode;
SELECT subject_id, shadow, entered_at, score, left_at FROM pql.episode ORDER BY subject_id;
SELECT * FROM pql.verify();

--
-- Scores: past, now, future; they add up
--

SELECT pql.score('usage', 'beta'), pql.score('usage', 'beta', '2026-01-02 03:00'), pql.score('usage', 'beta', '2026-01-10'), pql.score('usage', 'nobody'),
       pql.score('usage', 'beta', '2025-01-01'), pql.score('usage', 'beta', '2099-01-01');
SELECT signal, kind, points, round(value::numeric, 6), evidence FROM pql.explain('usage', 'beta');
SELECT signal, points, round(value::numeric, 6) FROM pql.explain('usage', 'beta', '2026-01-05');
SELECT * FROM pql.explain('usage', 'nobody');
SELECT * FROM pql.scoreboard('usage') ORDER BY subject_id;
SELECT * FROM pql.scoreboard('usage', '2026-01-02 00:00') ORDER BY subject_id;
SELECT subject_id, score, kinds FROM pql.scoreboard('usage', '2026-02-01') ORDER BY subject_id;
SELECT count(*) FROM generate_series('2026-01-01'::timestamptz, '2026-03-01', '7 hours') AS t, unnest(ARRAY['acme', 'beta']) AS s
WHERE pql.score('usage', s, t) <> (SELECT sum(points) FROM pql.explain('usage', s, t))
   OR pql.score('usage', s, t) <> (SELECT b.score FROM pql.scoreboard('usage', t) AS b WHERE b.subject_id = s);
SELECT pql.score('nothing', 'beta');
SELECT pql.score('usage', 'beta', 'infinity');
SELECT pql.score(NULL, 'beta'), pql.score('usage', NULL);

--
-- Episodes end by time, by deletion, and begin again
--

SELECT * FROM pql.tick('2026-01-04');
SELECT subject_id, entered_at, left_at FROM pql.episode ORDER BY subject_id, entered_at;
SELECT * FROM pql.tick('2026-03-01');
SELECT subject_id, entered_at, left_at FROM pql.episode ORDER BY subject_id, entered_at;
SELECT pql.score('usage', subject_id, left_at - interval '1 second') >= 40, pql.score('usage', subject_id, left_at) < 40 FROM pql.episode ORDER BY subject_id;
SELECT * FROM pql.tick('2026-03-01');
SELECT count(*) FROM pql.routing;
INSERT INTO ev SELECT 200 + g, '2026-03-02'::timestamptz + g * interval '1 hour', 'b1', 'beta', 'work' FROM generate_series(1, 10) AS g;
SELECT subject_id, entered_at, left_at FROM pql.episode ORDER BY subject_id, entered_at;
SELECT subject_id, qualified_at, score FROM pql.routing ORDER BY qualified_at;
DELETE FROM ev WHERE id BETWEEN 200 AND 210;
SELECT subject_id, entered_at, left_at IS NOT NULL FROM pql.episode ORDER BY subject_id, entered_at;
SELECT * FROM pql.verify();
-- all of a subject's events go
INSERT INTO ev SELECT 300 + g, '2026-03-03'::timestamptz + g * interval '1 hour', 'g1', 'gamma', (ARRAY['start', 'done', 'work', 'work'])[1 + g % 4] FROM generate_series(1, 24) AS g;
DELETE FROM ev WHERE org = 'gamma';
SELECT subject_id, entered_at, left_at IS NOT NULL FROM pql.episode WHERE subject_id = 'gamma';
SELECT pql.score('usage', 'gamma');
SELECT * FROM pql.verify();
-- an old event changes the state, but emits nothing; nor does what is taken back
SELECT count(*) AS emitted FROM pql.routing \gset
INSERT INTO ev SELECT 400 + g, '2026-01-10'::timestamptz + g * interval '1 hour', 'd1', 'delta', (ARRAY['start', 'done', 'work', 'work'])[1 + g % 4] FROM generate_series(1, 24) AS g;
BEGIN;
INSERT INTO ev SELECT 500 + g, '2026-03-04'::timestamptz + g * interval '1 hour', 'e1', 'epsilon', (ARRAY['start', 'done', 'work', 'work'])[1 + g % 4] FROM generate_series(1, 24) AS g;
ROLLBACK;
SELECT count(*) - :emitted FROM pql.routing;
SELECT count(*) FROM pql.episode WHERE subject_id IN ('delta', 'epsilon');
SELECT * FROM pql.verify();

--
-- A second program, for users, side by side; shared and clashing definitions
--

TRUNCATE ev;
SELECT count(*) AS trackers FROM pql.tracker \gset
SELECT pql.publish($${"program": "copy", "unit": "account", "milestones": {"start": {"event": "start"}, "done": {"event": "done"}},
  "activation": {"steps": ["start", "done"], "within": "7 days"},
  "signals": {"activated": {"kind": "activation", "milestone": "activation_complete", "max_points": 30},
              "work": {"kind": "depth", "event": "work", "half_life": "7 days", "half_saturation": 5, "max_points": 30}},
  "qualify": {"enter": 50, "leave": 20}}$$);
SELECT count(*) - :trackers AS more_trackers FROM pql.tracker;
SELECT pql.publish($${"program": "clash", "unit": "account", "milestones": {"start": {"event": "begin"}},
  "signals": {"s": {"kind": "activation", "milestone": "start", "max_points": 30}}, "qualify": {"enter": 30, "leave": 20}}$$);
SELECT count(*) FROM pql.program WHERE program = 'clash';
-- nor for another unit
SELECT pql.publish($${"program": "people", "unit": "user", "milestones": {"start": {"event": "begin"}},
  "signals": {"s": {"kind": "activation", "milestone": "start", "max_points": 30}, "work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 5, "max_points": 30}},
  "qualify": {"enter": 50, "leave": 20}}$$);
SELECT pql.publish($${"program": "people", "unit": "user", "milestones": {"begun": {"event": "begin"}},
  "signals": {"s": {"kind": "activation", "milestone": "begun", "max_points": 30}, "work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 5, "max_points": 30}},
  "qualify": {"enter": 50, "leave": 20}}$$);
CALL pql.backfill();
SELECT pql.promote('people');
SELECT pql.promote('copy');
DELETE FROM pql.routing;
INSERT INTO ev SELECT g, '2026-04-01'::timestamptz + g * interval '1 hour', 'u' || g % 2, 'acme', (ARRAY['start', 'begin', 'done', 'work', 'work'])[1 + g % 5] FROM generate_series(1, 50) AS g;
SELECT program, unit, subject_id, account_id, user_id, qualified_at, score FROM pql.routing ORDER BY program, subject_id;
SELECT * FROM pql.scoreboard('people') ORDER BY subject_id;
-- who qualifies does so at the instant that is asked for: while the score lasts, or until the episode ended
SELECT * FROM pql.scoreboard('usage') WHERE subject_id = 'acme';
SELECT * FROM pql.scoreboard('usage', '2026-04-20') WHERE subject_id = 'acme';
SELECT * FROM pql.scoreboard('usage', '2026-05-01') WHERE subject_id = 'acme';
SELECT * FROM pql.scoreboard('usage', '2026-04-03 01:00') WHERE subject_id = 'acme';
BEGIN;
SELECT episodes_reviewed FROM pql.tick('2026-05-01');
SELECT entered_at, left_at FROM pql.episode WHERE program = 'usage' AND subject_id = 'acme' ORDER BY entered_at DESC LIMIT 1;
SELECT * FROM pql.scoreboard('usage', '2026-04-20') WHERE subject_id = 'acme';
SELECT * FROM pql.scoreboard('usage', '2026-05-01') WHERE subject_id = 'acme';
ROLLBACK;
-- a person with and without an account is one person
INSERT INTO ev VALUES (1000, '2026-04-04', 'zoe', 'acme', 'begin'), (1001, '2026-04-04', 'zoe', NULL, 'work'), (1002, '2026-04-04', 'zoe', 'beta', 'work'),
  (1003, '2026-04-04', 'zoe', NULL, 'work'), (1004, '2026-04-04', 'zoe', 'beta', 'work'), (1005, '2026-04-04', 'zoe', 'beta', 'work');
SELECT pql.score('people', 'zoe');
SELECT signal, points, round(value::numeric, 3) FROM pql.explain('people', 'zoe');
INSERT INTO ev VALUES (1006, '2026-04-04 01:00', 'zoe', 'gamma', 'look'), (1007, '2026-04-04 01:00', 'zoe', NULL, 'look'), (1008, '2026-04-04 01:00', 'zoe', 'beta', 'look');
SELECT program, subject_id, count(*) FROM pql.routing WHERE subject_id = 'zoe' GROUP BY 1, 2;
SELECT program, subject_id, count(*) FROM pql.episode WHERE subject_id = 'zoe' AND left_at IS NULL GROUP BY 1, 2;
SELECT * FROM pql.verify();
-- her past takes her own events, not those of her accounts
CREATE INDEX ON ev (who, ts);
BEGIN;
SET LOCAL enable_seqscan = off;
DROP INDEX ev_org_ts_idx;
SELECT seq_tup_read + idx_tup_fetch AS rows_read FROM pg_stat_xact_user_tables WHERE relname = 'ev' \gset
SELECT pql.score('people', 'zoe', '2026-04-04 00:30');
SELECT signal, points FROM pql.explain('people', 'zoe', '2026-04-04 00:30');
SELECT seq_tup_read + idx_tup_fetch - :rows_read = 2 * (SELECT count(*) FROM ev WHERE who = 'zoe') AS only_hers
FROM pg_stat_xact_user_tables WHERE relname = 'ev';
ROLLBACK;
DROP INDEX ev_who_ts_idx;
-- an episode that one home keeps is looked at earlier, or ends, when events of another go
SELECT pql.publish($${"program": "busy", "unit": "user",
  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 5, "max_points": 50}}, "qualify": {"enter": 40, "leave": 15}}$$);
INSERT INTO ev VALUES (1010, '2026-04-04 02:00', 'ira', 'beta', 'work'), (1011, '2026-04-04 02:00', 'ira', NULL, 'work');
INSERT INTO ev SELECT 1012 + g, '2026-04-04 02:00', 'ira', 'acme', 'work' FROM generate_series(1, 3) AS g;
CREATE VIEW ira AS SELECT home, entered_at, leaves_at, left_at FROM pql.episode WHERE program = 'busy' AND subject_id = 'ira' ORDER BY entered_at;
SELECT * FROM ira;
DELETE FROM ev WHERE id = 1010;
SELECT * FROM ira;
DELETE FROM ev WHERE id = 1013; -- from the home that keeps it
SELECT * FROM ira;
DELETE FROM ev WHERE id IN (1011, 1014);
SELECT * FROM ira;
INSERT INTO ev SELECT 1020 + g, '2026-04-04 02:30', 'ira', CASE WHEN g > 1 THEN 'beta' END, 'work' FROM generate_series(1, 3) AS g;
SELECT * FROM ira;
DELETE FROM ev WHERE who = 'ira' AND (org = 'acme' OR org IS NULL);
SELECT * FROM ira;
-- nor is it overlooked when everything is derived: the trigger saw nothing of this
INSERT INTO ev SELECT 1030 + g, '2026-04-04 03:00', 'ira', CASE WHEN g > 1 THEN 'delta' END, 'work' FROM generate_series(1, 3) AS g;
SELECT * FROM ira;
BEGIN;
ALTER TABLE ev DISABLE TRIGGER pql_delete;
DELETE FROM ev WHERE who = 'ira' AND org IN ('beta', 'delta');
ALTER TABLE ev ENABLE TRIGGER pql_delete;
COMMIT;
CALL pql.rebuild();
SELECT * FROM ira;
DROP VIEW ira;
-- a person whose events leave an account is found without one
INSERT INTO ev VALUES (1040, '2026-04-04 03:00', 'lou', 'beta', 'begin');
UPDATE ev SET org = NULL WHERE id = 1040;
SELECT pql.score('people', 'lou');
INSERT INTO ev VALUES (1041, '2026-04-04 03:00', 'lou', 'beta', 'work');
SELECT pql.score('people', 'lou');
SELECT * FROM pql.verify();
-- somebody whose events move to another of his homes stays who he is, whichever is derived first: his episode goes on, and no other begins
CREATE VIEW mia AS SELECT home, subject_id, entered_at, left_at FROM pql.episode WHERE program = 'busy' AND subject_id IN ('mia', 'max', 'moe') ORDER BY subject_id, entered_at;
INSERT INTO ev SELECT 1050 + g, '2026-04-04 03:00', 'mia', 'beta', 'work' FROM generate_series(1, 5) AS g;
UPDATE ev SET org = 'delta' WHERE who = 'mia';
UPDATE ev SET org = 'alpha' WHERE who = 'mia';
UPDATE ev SET org = NULL WHERE who = 'mia';
SELECT * FROM mia;
-- as do events that one statement deletes here and inserts there; nobody counts twice in between
WITH gone AS (DELETE FROM ev WHERE who = 'mia' RETURNING *) INSERT INTO ev SELECT id + 10, ts, who, 'beta', name FROM gone;
INSERT INTO ev SELECT 1070 + g, '2026-04-04 03:00', 'max', 'beta', 'work' FROM generate_series(1, 3) AS g;
UPDATE ev SET org = 'alpha' WHERE who = 'max';
UPDATE ev SET org = 'delta' WHERE who = 'max';
WITH gone AS (DELETE FROM ev WHERE who = 'max' RETURNING *) INSERT INTO ev SELECT id + 10, ts, who, 'beta', name FROM gone;
SELECT * FROM mia;
-- the home that was left keeps the episode, and ends it
UPDATE ev SET org = 'delta' WHERE who = 'mia';
SELECT account_id FROM pql.members WHERE user_id = 'mia';
DELETE FROM ev WHERE who = 'mia' AND id % 5 > 0;
SELECT * FROM mia;
SELECT pql.score('busy', 'mia', '2026-04-04 03:00');
-- what a savepoint takes back leads to nothing
BEGIN;
SAVEPOINT s;
INSERT INTO ev SELECT 1090 + g, '2026-04-04 03:00', 'moe', 'beta', 'work' FROM generate_series(1, 5) AS g;
ROLLBACK TO s;
INSERT INTO ev VALUES (1096, '2026-04-04 03:00', 'moe', 'beta', 'work');
SAVEPOINT s;
INSERT INTO ev VALUES (1097, '2026-04-04 03:00', 'moe', 'delta', 'work');
RELEASE s;
COMMIT;
SELECT * FROM mia;
BEGIN;
SAVEPOINT s;
INSERT INTO ev SELECT 1097 + g, '2026-04-04 03:00', 'moe', 'beta', 'work' FROM generate_series(1, 2) AS g;
RELEASE s;
COMMIT;
SELECT * FROM mia;
-- a transaction sees what follows from its statements, and what follows from the next
BEGIN;
UPDATE ev SET ts = '2026-04-04 04:00' WHERE who = 'max';
INSERT INTO ev SELECT 1100 + g, '2026-04-04 04:00', 'max', 'delta', 'work' FROM generate_series(1, 2) AS g;
SELECT * FROM mia WHERE subject_id = 'max';
DELETE FROM ev WHERE who = 'max' AND org <> 'delta';
SELECT * FROM mia WHERE subject_id = 'max';
ROLLBACK;
SELECT * FROM mia WHERE subject_id = 'max';
DROP VIEW mia;
SELECT * FROM pql.verify();

--
-- Versions: the second replaces the live one
--

SELECT pql.publish(jsonb_set(:'usage'::jsonb, '{qualify}', '{"enter": 30, "leave": 20}'), 'lower');
SELECT program, version, status, goes_live, note FROM pql.program WHERE program = 'usage' ORDER BY version;
INSERT INTO ev VALUES (1100, '2026-04-05', 'kim', 'kappa', 'start'), (1101, '2026-04-05', 'kim', 'kappa', 'done');
SELECT program, version, score FROM pql.routing WHERE subject_id = 'kappa';
-- one that needs history waits, and the live one stays in force
SELECT pql.publish(jsonb_set(:'usage'::jsonb, '{signals,look}', '{"kind": "intent", "event": "look", "half_life": "2 days", "points_each": 5, "max_points": 20}'));
SELECT program, version, status FROM pql.program WHERE program = 'usage' ORDER BY version;
SELECT pql.promote('usage');
SELECT pql.score('usage', 'gamma');
CALL pql.backfill();
SELECT program, version, status FROM pql.program WHERE program = 'usage' ORDER BY version;
SELECT pql.score('usage', 'gamma');
SELECT * FROM pql.verify();
-- in a transaction that wrote events it is refused, and nothing stays of it
BEGIN;
INSERT INTO ev VALUES (1200, '2026-04-05', 'kim', 'kappa', 'look');
SELECT pql.publish(jsonb_set(:'usage'::jsonb, '{signals,view}', '{"kind": "intent", "event": "view", "half_life": "2 days", "points_each": 5, "max_points": 20}'));
ROLLBACK;
SELECT max(version) FROM pql.program WHERE program = 'usage';
-- retire
SELECT pql.retire('usage');
SELECT program, version, status FROM pql.program WHERE program = 'usage' ORDER BY version;
SELECT pql.retire('usage');
SELECT pql.promote('usage');
SELECT pql.score('usage', 'kappa');
SELECT pql.publish(:'usage');
SELECT program, version, status FROM pql.program WHERE program = 'usage' ORDER BY version;
SELECT action, object, detail FROM pql.audit ORDER BY audit_id;
SELECT * FROM pql.verify();

--
-- Three ways to get in touch, each when its own threshold is crossed
--

SELECT pql.publish(format($${"program": "%1$s", "unit": "account",
  "signals": {"uses": {"kind": "depth", "event": "use", "half_life": "7 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": %2$s, "leave": 5}, "motions": [{"otherwise": true, "motion": "%1$s"}]}$$, motion, threshold)::jsonb)
FROM (VALUES ('in_app', 10), ('email', 20), ('account_executive', 30)) AS m(motion, threshold);
CALL pql.backfill();
SELECT pql.promote(program) FROM pql.program WHERE program IN ('in_app', 'email', 'account_executive') ORDER BY program_id;
INSERT INTO ev VALUES (1300, '2026-04-06', 'lee', 'lambda', 'use');
SELECT program, motion, score FROM pql.routing WHERE subject_id = 'lambda' ORDER BY qualified_at, program;
INSERT INTO ev VALUES (1301, '2026-04-06 00:01', 'lee', 'lambda', 'use'), (1302, '2026-04-06 00:02', 'lee', 'lambda', 'use');
SELECT program, motion, score FROM pql.routing WHERE subject_id = 'lambda' ORDER BY qualified_at, program;

DROP TABLE ev;
DROP EXTENSION pql CASCADE;
