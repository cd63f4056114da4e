-- Who is decided upon, and how: segments, conditions over attributes and measures, kinds, dwell, cool-down, motions, versions, and what
-- time alone brings.
-- covers: S1-21, S1-24, S2-2, S2-3, S2-4, S2-21, S3-5, S3-11
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA app;
CREATE TABLE app.events (event_id bigint PRIMARY KEY, user_id text, org_id text, name text, ts timestamptz, props jsonb);
CREATE TABLE app.accounts (id text PRIMARY KEY, plan text, employees int, mrr numeric, renews_on date);
INSERT INTO app.accounts VALUES ('acme', 'free', 120, 0, '2026-06-01'), ('tiny', 'free', 4, 0, NULL), ('paid', 'enterprise', 900, 9000, NULL);
SELECT count(*) > 0 AS attached FROM pql.attach('app.events', user_id => 'user_id', account_id => 'org_id', event => 'name', occurred_at => 'ts',
  event_id => 'event_id', properties => 'props', clock => 'event');
SELECT what, finding FROM pql.attach_accounts('app.accounts', 'id') WHERE what IN ('rows', 'columns');
UPDATE pql.source SET max_event_age = '10000 days';

CREATE FUNCTION app.open() RETURNS TABLE (subject_id text, version int, entered_at timestamptz, score int, number int) LANGUAGE sql AS
  $$SELECT subject_id, version, entered_at, score, number FROM pql.episode WHERE left_at IS NULL ORDER BY subject_id$$;

SELECT pql.publish($${
  "program": "rollout", "unit": "account", "objective": "expansion",
  "segment": "attr.plan in ('free', 'team') and attr.employees >= 10",
  "measures": {"monthly_calls": {"event": "api_call", "measure": "count", "window": "30 days"}},
  "signals": {
    "calls":     {"kind": "depth",   "event": "api_call", "measure": "count", "half_life": "7 days", "points_each": 10, "max_points": 50},
    "teammates": {"kind": "breadth", "measure": "distinct_users", "window": "7 days", "points_each": 10, "max_points": 40},
    "size":      {"kind": "fit",     "value": "case when attr.employees > 100 then 15 else 0 end", "max_points": 15},
    "trouble":   {"kind": "risk",    "event": "error", "measure": "count", "half_life": "1 day", "points_each": 10, "max_points": -60}},
  "qualify": {"enter": 50, "leave": 30, "dwell": "1 day", "cool_down": "10 days", "min_kinds": 2, "required_kinds": ["breadth"],
              "when": "monthly_calls >= 3 and attr.mrr < 500"},
  "motions": [{"when": "users_active >= 3", "motion": "account_executive", "after": "1 day", "by": "3 days"},
              {"otherwise": true, "motion": "in_app"}]}$$);
SELECT * FROM pql.attribute_use ORDER BY 1, 2;
SELECT pql.promote('rollout');

-- The score is there, but not the measure that the condition names; then it is.
INSERT INTO app.events VALUES (1, 'u1', 'acme', 'api_call', '2026-03-01 10:00', '{}'), (2, 'u2', 'acme', 'api_call', '2026-03-01 11:00', '{}');
SELECT pql.score('rollout', 'acme'), (SELECT count(*) FROM app.open()) AS open;
INSERT INTO app.events VALUES (3, 'u2', 'acme', 'api_call', '2026-03-01 12:00', '{}');
SELECT * FROM app.open();
SELECT subject_id, qualification, motion, score, signal_at, contact_after FROM pql.routing ORDER BY routing_id;
SELECT signal, kind, points FROM pql.explain('rollout', 'acme');

-- Out of the segment, whatever the score: too small, or on another plan.
INSERT INTO app.events SELECT 10 + n, 'p' || n % 3, 'paid', 'api_call', '2026-03-01 12:00', '{}' FROM generate_series(1, 6) AS n;
INSERT INTO app.events SELECT 20 + n, 't' || n % 3, 'tiny', 'api_call', '2026-03-01 12:00', '{}' FROM generate_series(1, 6) AS n;
SELECT subject_id, score FROM pql.scoreboard('rollout') ORDER BY 1;
SELECT subject_id FROM app.open();
-- Until the attribute changes: that is decided upon in the same transaction.
BEGIN;
UPDATE app.accounts SET employees = 60 WHERE id = 'tiny';
SELECT subject_id, motion, qualification FROM pql.routing ORDER BY routing_id;
COMMIT;

-- Trouble takes points off, below leave. The episode goes on for as long as dwell says; the score recovers before that, by itself.
INSERT INTO app.events SELECT 100 + n, 'u1', 'acme', 'error', '2026-03-02 00:00', '{}' FROM generate_series(1, 6) AS n;
SELECT pql.score('rollout', 'acme') < 30 AS low, (SELECT count(*) FROM app.open() WHERE subject_id = 'acme') AS open;
INSERT INTO app.events VALUES (110, 'u1', 'acme', 'visit', '2026-03-02 23:30', '{}');
SELECT pql.score('rollout', 'acme') < 30 AS low, (SELECT count(*) FROM app.open() WHERE subject_id = 'acme') AS open;

-- Left for good, a day after it fell. Then it can't enter for ten days, whatever comes; after that it does, though nothing happens.
INSERT INTO app.events VALUES (120, 'u1', 'other', 'visit', '2026-03-12 00:00', '{}');
SELECT episodes_reviewed > 0 AS reviewed FROM pql.tick();
SELECT subject_id, number, left_at, cools_until FROM pql.episode ORDER BY subject_id, number;
INSERT INTO app.events SELECT 130 + n, 'u' || n, 'acme', 'api_call', '2026-03-19 00:00', '{}' FROM generate_series(1, 5) AS n;
SELECT pql.score('rollout', 'acme') >= 50 AS enough, (SELECT count(*) FROM app.open()) AS open;
SELECT subjects_reviewed, episodes_reviewed FROM pql.tick('2026-03-19 12:00');
SELECT episodes_reviewed FROM pql.tick('2026-03-21 00:00');
SELECT subject_id, number, entered_at FROM app.open();

-- What is taken off is among the reasons, or they would not add up to the score.
BEGIN;
INSERT INTO app.accounts VALUES ('sore', 'free', 20, 0, NULL);
INSERT INTO app.events VALUES (9000, 'p1', 'sore', 'error', '2026-03-21 12:00', '{}');
INSERT INTO app.events SELECT 9000 + n, 'p' || n % 4, 'sore', 'api_call', '2026-03-21 12:00', '{}' FROM generate_series(1, 5) AS n;
SELECT score, headline, jsonb_path_query_array(reasons, '$[*].points') AS points FROM pql.routing WHERE subject_id = 'sore';
SELECT count(*) FROM pql.routing WHERE score <> (SELECT sum((r->>'points')::int) FROM jsonb_array_elements(reasons) AS r);
ROLLBACK;

-- Versions: who is in stays in by the version that he began under.
INSERT INTO app.events SELECT 200 + n, 'u' || n, 'acme', 'api_call', '2026-03-25 00:00', '{}' FROM generate_series(1, 5) AS n;
SELECT * FROM app.open();
SELECT pql.publish(jsonb_set(document, '{segment}', '"attr.plan = ''team''"')) FROM pql.program WHERE program = 'rollout' AND version = 1;
INSERT INTO app.events VALUES (210, 'u1', 'acme', 'visit', '2026-03-25 01:00', '{}');
SELECT subject_id, version FROM app.open();
SELECT version, status, finishing FROM pql.program ORDER BY version;
SELECT * FROM pql.verify();

-- Time alone: nobody enters a program about age until the account is a week old, and nothing happens then.
SELECT pql.publish($${
  "program": "weekold", "unit": "account", "milestones": {"came": {"event": "visit"}},
  "signals": {"age": {"kind": "fit", "value": "case when as_of - milestone.came > interval '168 hours' then 20 else 0 end", "max_points": 20}},
  "qualify": {"enter": 20, "leave": 10}, "re_evaluate": "1 hour"}$$);
CALL pql.backfill();
SELECT pql.promote('weekold');
INSERT INTO app.events VALUES (300, 'n', 'new', 'visit', '2026-03-26 00:00', '{}');
SELECT subject_id FROM pql.episode WHERE program = 'weekold' AND left_at IS NULL ORDER BY 1;
SELECT subjects_reviewed FROM pql.tick('2026-04-01 23:00');
SELECT subjects_reviewed FROM pql.tick('2026-04-02 00:30');
SELECT subject_id, entered_at FROM pql.episode WHERE program = 'weekold' AND left_at IS NULL ORDER BY 1;

-- A rule that fails says no, fails no insert, and is counted.
SELECT pql.publish($${
  "program": "ratio", "unit": "account",
  "signals": {"visits": {"kind": "depth", "event": "visit", "half_life": "7 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 10, "when": "1000 / attr.mrr > 1"}}$$);
CALL pql.backfill();
SELECT pql.promote('ratio');
INSERT INTO app.events VALUES (400, 'n', 'acme', 'visit', '2026-04-03 00:00', '{}');
SELECT program, path, errors, example FROM pql.rule_errors;
SELECT count(*) FROM pql.episode WHERE program = 'ratio';
UPDATE app.accounts SET mrr = 100 WHERE id = 'acme';
SELECT subject_id FROM pql.episode WHERE program = 'ratio';
SELECT * FROM pql.verify();
-- when the last episode of a version that was replaced is over, so is the version
SELECT count(*) FROM pql.tick('2026-05-01');
SELECT version, status, finishing FROM pql.program WHERE program = 'rollout' ORDER BY version;
-- back to the first: what its rules name is kept again, and the second goes on for those who began under it
UPDATE app.accounts SET employees = 61 WHERE id = 'tiny';
SELECT pql.rollback('rollout');
SELECT version, status, finishing FROM pql.program WHERE program = 'rollout' ORDER BY version;
SELECT unit, name FROM pql.attribute_use ORDER BY 1, 2;
SELECT pql._attributes_of('a:tiny');

-- Flagged by hand: who, why, until when.
SELECT pql.publish($${
  "program": "referrals", "unit": "account",
  "signals": {"referral": {"kind": "intent", "flag": true, "max_points": 60, "why": "somebody knows that they want to talk"}},
  "qualify": {"enter": 60, "leave": 30}}$$);
SELECT pql.promote('referrals');
SELECT pql.flag_subject('referrals', 'acme', 'referral', 'met their CTO', 'kim') IS NOT NULL AS flagged;
SELECT subject_id, left_at IS NULL AS open, score FROM pql.episode WHERE program = 'referrals';
SELECT pql.score('referrals', 'acme'), pql.score('referrals', 'tiny');
SELECT subject_id, signal, author, reason, holds FROM pql.flags;
SELECT pql.lift_flag(flag_id) FROM pql.flags;
SELECT subject_id, left_at IS NULL AS open FROM pql.episode WHERE program = 'referrals';
SELECT pql.lift_flag(flag_id) FROM pql.flags;
SELECT pql.flag_subject('referrals', 'tiny', 'referral', 'for a moment', 'kim', clock_timestamp() + interval '0.2 seconds') IS NOT NULL AS flagged;
SELECT pg_sleep(0.3);
SELECT count(*) FROM pql.tick();
SELECT subject_id, left_at IS NULL AS open FROM pql.episode WHERE program = 'referrals' AND subject_id = 'tiny';
SELECT pql.flag_subject('referrals', 'acme', 'referal', 'x');
SELECT pql.flag_subject('referrals', 'acme', 'referral', ' ');
SELECT pql.flag_subject('rollout', 'acme', 'size', 'x');
SELECT pql.flag_subject('nothing', 'acme', 'size', 'x');
SELECT * FROM pql.verify();
-- When an episode ends is foreseen anew when events bring that forward: points that are taken off for good, ...
CREATE TABLE visits (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON visits (org, ts);
SELECT count(*) > 0 FROM pql.attach('visits', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.publish($${
  "program": "loyal", "unit": "account", "qualify": {"enter": 60, "leave": 20},
  "milestones": {"signed_up": {"event": "sign_up"}, "complained": {"event": "complaint"}},
  "signals": {"base": {"kind": "fit", "milestone": "signed_up", "max_points": 50},
              "visits": {"kind": "intent", "event": "visit", "points_each": 30, "max_points": 30, "window": "7 days"},
              "complaints": {"kind": "risk", "milestone": "complained", "max_points": -40}}}$$);
CALL pql.backfill();
SELECT pql.promote('loyal');
INSERT INTO visits VALUES (1, '2026-05-01', 'u', 'initech', 'sign_up'), (2, '2026-05-01 01:00', 'u', 'initech', 'visit');
SELECT leaves_at FROM pql.episode WHERE program = 'loyal';
INSERT INTO visits VALUES (3, '2026-05-02', 'u', 'initech', 'complaint');
SELECT leaves_at, left_at FROM pql.episode WHERE program = 'loyal';
SELECT episodes_reviewed FROM pql.tick('2026-05-20');
SELECT left_at FROM pql.episode WHERE program = 'loyal';
-- ... and a milestone that was earlier than it had seemed.
SELECT pql.publish($${
  "program": "fresh", "unit": "account", "qualify": {"enter": 60, "leave": 20}, "milestones": {"invited": {"event": "invite"}},
  "signals": {"inviting": {"kind": "intent", "milestone": "invited", "max_points": 60, "window": "7 days"}}}$$);
CALL pql.backfill();
SELECT pql.promote('fresh');
INSERT INTO visits VALUES (4, '2026-05-05', 'u', 'hooli', 'invite');
SELECT leaves_at FROM pql.episode WHERE program = 'fresh';
INSERT INTO visits VALUES (5, '2026-05-01', 'u', 'hooli', 'invite');
SELECT leaves_at FROM pql.episode WHERE program = 'fresh';
SELECT episodes_reviewed FROM pql.tick('2026-05-10');
SELECT left_at FROM pql.episode WHERE program = 'fresh';
-- When the end is dated afterwards, and points rest on a value that time lets fall: when it fell, not when it was last earned. Once a tick finds
-- it, and once an event does.
SELECT pql.publish($${
  "program": "busy", "unit": "account", "qualify": {"enter": 60, "leave": 40}, "measures": {"calls": {"event": "call", "measure": "count", "window": "7 days"}},
  "signals": {"usage": {"kind": "depth", "value": "case when calls >= 3 then 60 when calls >= 1 then 20 else 0 end", "max_points": 60}}}$$);
CALL pql.backfill();
SELECT pql.promote('busy');
INSERT INTO visits SELECT 10 + n, timestamptz '2026-06-01' + n * interval '1 day', 'u', org, 'call' FROM generate_series(0, 2) AS n, (VALUES ('vandelay')) AS v(org);
INSERT INTO visits SELECT 20 + n, timestamptz '2026-06-01' + n * interval '1 day', 'w', 'wayne', 'call' FROM generate_series(0, 2) AS n;
SELECT subject_id, entered_at FROM pql.episode WHERE program = 'busy' ORDER BY 1;
INSERT INTO visits VALUES (30, '2026-06-08 12:00', 'w', 'wayne', 'call');
SELECT count(*) FROM pql.tick('2026-06-09');
SELECT subject_id, left_at, pql.score('busy', subject_id, left_at - interval '1 us') AS before, pql.score('busy', subject_id, left_at) AS then
  FROM pql.episode WHERE program = 'busy' ORDER BY 1;
DROP TABLE visits CASCADE;
DROP SCHEMA app CASCADE;
DROP EXTENSION pql CASCADE;
