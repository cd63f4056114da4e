-- A scoreboard says of everybody what score() says, by one process or by several.
-- covers: S1-6, S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set VERBOSITY terse
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE accounts (id text PRIMARY KEY, plan text, seats int, arr float8, renewal timestamptz);
INSERT INTO accounts SELECT 'a' || n, CASE n % 3 WHEN 0 THEN 'free' WHEN 1 THEN 'team' END, n % 7, n * 10, timestamptz '2026-01-01' + n * interval '1 day'
FROM generate_series(1, 400) AS n;
CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
INSERT INTO ev VALUES (0, '2026-03-01', 'u0', 'a0', 'look');
SELECT count(*) FROM pql.attach_accounts('accounts', account_id => 'id');
-- per_seat fails where seats are 0; users_active are in many rows of a home
CREATE FUNCTION program(name text, signals jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', name, 'unit', 'account', 'segment', 'attr.plan is not null or attr.plan is null',
    'milestones', '{"keyed": {"event": "key"}, "asked": {"event": "ask"}}'::jsonb, 'measures', '{"uses": {"event": "work", "measure": "count", "half_life": "7 days"}}'::jsonb,
    'qualify', '{"enter": 50, "leave": 40, "when": "uses > 1"}'::jsonb,
    'signals', '{"works": {"kind": "depth", "event": "work", "measure": "count", "half_life": "7 days", "points_each": 5, "max_points": 40},
                 "key": {"kind": "intent", "milestone": "keyed", "half_life": "3 days", "max_points": 9}, "ask": {"kind": "intent", "milestone": "asked", "max_points": 7}}'::jsonb || signals) $$;
SELECT pql.publish(program('clean', '{"per_seat": {"kind": "fit", "value": "attr.arr / attr.seats", "max_points": 20}, "plan": {"kind": "fit", "value": "case when attr.plan = ''team'' then 5 else users_active end", "max_points": 9},
  "busy": {"kind": "depth", "value": "uses / users_active", "max_points": 5}}'));
SELECT pql.publish(program('types', '{"late": {"kind": "risk", "value": "case when attr.renewal < as_of then 5 else length(attr.plan) end", "max_points": 10}}'));
SELECT pql.publish(program('bare', '{}'));
SELECT pql.publish(program('times', '{"soon": {"kind": "intent", "value": "case when milestone.keyed > milestone.asked then 5 else 3 end", "max_points": 10}}'));
SELECT pql.publish(program('flagged', '{"said": {"kind": "intent", "measure": "flag", "max_points": 10}}'));
CALL pql.backfill('ev');
INSERT INTO ev SELECT n, timestamptz '2026-03-01' + n * interval '1 minute', 'u' || n % 900, 'a' || n % 300, (ARRAY['work', 'work', 'key', 'work', 'ask', 'look'])[1 + n % 6]
FROM generate_series(1, 2500) AS n;
-- one account lies in several rows, one has an event that isn't due yet
INSERT INTO ev SELECT 10000 + n, timestamptz '2026-03-01' + n * interval '1 minute', 'crowd' || n, 'a7', 'work' FROM generate_series(1, 300) AS n;
SELECT count(*) > 1 FROM pql.state WHERE home = 'a:a7';
INSERT INTO ev VALUES (20001, '2026-03-05', 'u1', 'a9', 'key');
SELECT pql.flag_subject('flagged', 'a5', 'said', 'they called') IS NOT NULL;
-- as it was, and as it is
UPDATE accounts SET plan = 'team', seats = 3 WHERE id IN ('a3', 'a8');
SELECT count(*) FROM pql.attributes WHERE valid_to BETWEEN '2026-03-02' AND '2026-03-06';

CREATE TABLE found (mode text, program text, as_of timestamptz, subject_id text, score int, kinds jsonb, qualified boolean, since timestamptz);
CREATE FUNCTION look(mode text) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO found SELECT mode, p, t, s.* FROM unnest(ARRAY['clean', 'types', 'bare', 'times', 'flagged']) AS p,
    unnest(ARRAY[NULL, '2026-03-02 00:00', '2026-03-06 00:00']::timestamptz[]) AS t, pql.scoreboard(p, t) AS s;
  SELECT count(*) FROM found WHERE found.mode = look.mode $$;
SELECT look('alone');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT look('together');
SET parallel_leader_participation = off;
SELECT look('workers');
RESET parallel_leader_participation;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT look('frozen');
COMMIT;
-- all say the same, and what score() says
SELECT program, as_of, count(*), sum(score) FROM found WHERE mode = 'alone' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT a.mode, count(*) FROM found AS a WHERE NOT EXISTS (SELECT FROM found AS b WHERE b.mode = 'alone' AND (b.program, b.subject_id, b.score, b.kinds, b.qualified) = (a.program, a.subject_id, a.score, a.kinds, a.qualified)
  AND b.as_of IS NOT DISTINCT FROM a.as_of AND b.since IS NOT DISTINCT FROM a.since) GROUP BY 1;
SELECT mode, count(DISTINCT (program, as_of, subject_id)) = count(*) FROM found GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM found WHERE mode = 'alone' AND subject_id LIKE '%7' AND score <> pql.score(program, subject_id, as_of);
-- with events that aren't due yet: one of somebody new
INSERT INTO ev VALUES (20002, now() + interval '1 day', 'u1', 'a9', 'work'), (20003, now() + interval '1 day', 'u1', 'new', 'work');
SELECT count(*), count(*) FILTER (WHERE s.score > 0), count(*) FILTER (WHERE s.score <> pql.score('bare', s.subject_id, d.due))
FROM (VALUES (now() + interval '2 days')) AS d (due), pql.scoreboard('bare', d.due) AS s;
-- in the transaction that writes
BEGIN;
INSERT INTO ev VALUES (30001, '2026-03-03 00:00', 'u1', 'a1', 'work');
SELECT count(*) FROM pql.scoreboard('bare') AS s WHERE s.score <> pql.score('bare', s.subject_id);
SELECT pql.publish(program('fresh', '{"per_seat": {"kind": "fit", "value": "attr.arr / attr.seats", "max_points": 20}}'));
SELECT count(*), count(*) FILTER (WHERE s.score <> pql.score('fresh', s.subject_id)) FROM pql.scoreboard('fresh') AS s;
ROLLBACK;
-- the row scorer isn't for everybody
CREATE ROLE scoreboard_reader;
SET ROLE scoreboard_reader;
SELECT pql._row_score(1, 1, now(), 'a:a1', '', NULL);
RESET ROLE;
DROP ROLE scoreboard_reader;
SELECT pql._row_score(1, 99, now(), 'a:a1', '', NULL);
DROP TABLE ev, accounts, found CASCADE;
DROP FUNCTION program, look;
