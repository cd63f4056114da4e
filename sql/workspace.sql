-- A level between user and account: programs on workspaces (a project, a repository, a team of an account), beside others on users and
-- accounts over the same events, which come early, late and twice, are changed and deleted, of users who are merged and moved. The
-- oracle is plain SQL over the events; after each block the state is what a scan of the events gives.
-- covers: S3-14
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, project int, name text, props jsonb);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);

CREATE FUNCTION at(text) RETURNS timestamptz LANGUAGE sql AS $$ SELECT ('2026-03-' || $1 || 'Z')::timestamptz $$;

-- Nothing says which workspace an event is of: refused.
CREATE FUNCTION program(name text, unit text, signals jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', name, 'unit', unit,
    'milestones', '{"start": {"event": "start"}, "done": {"event": "done"}}'::jsonb,
    'activation', '{"steps": ["start", "done"], "within": "7 days"}'::jsonb,
    'signals', '{"work": {"kind": "depth", "event": "work", "half_life": "7 days", "saturates_at": 10, "max_points": 50},
                 "week": {"kind": "depth", "event": "*", "measure": "count", "window": "7 days", "saturates_at": 100, "max_points": 5},
                 "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}}'::jsonb || signals,
    'qualify', '{"enter": 60, "leave": 40}'::jsonb,
    'motions', '[{"otherwise": true, "motion": "account_executive"}]'::jsonb)
$$;
CREATE FUNCTION of_workspaces() RETURNS jsonb LANGUAGE sql AS $$
  SELECT program('w', 'workspace', '{"people": {"kind": "breadth", "measure": "distinct_users", "event": "work", "window": "30 days", "points_each": 1, "max_points": 5},
                                     "active": {"kind": "breadth", "value": "users_active", "max_points": 5}}')
$$;
SELECT * FROM pql.check_program(of_workspaces());
SELECT pql.publish(of_workspaces());
SELECT what, finding, advice FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  properties => 'props', workspace => 'nothing', clock => 'event');
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  properties => 'props', clock => 'event');
SELECT pql.publish(of_workspaces());
SELECT pql.detach('ev');
INSERT INTO ev VALUES (-1, at('01 00:00'), 'ann', 'acme', 7, 'x'), (-2, at('01 00:00'), 'ann', 'acme', NULL, 'x');
SELECT what, finding FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  properties => 'props', workspace => 'project', clock => 'event', dry_run => true) WHERE what LIKE 'workspace%';
TRUNCATE ev;
SELECT what, advice FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  properties => 'props', workspace => 'project', clock => 'event') WHERE what LIKE '%index%';
CREATE INDEX ON ev (project, ts);

-- Whom ids stand for, for the oracle.
CREATE TABLE same (old text PRIMARY KEY, new text);
CREATE TABLE moved (who text PRIMARY KEY, org text);
CREATE VIEW event AS
  SELECT e.id, e.ts, e.name, e.project::text AS project, coalesce(s.new, e.who) AS who,
         CASE WHEN m.who IS NOT NULL THEN m.org ELSE coalesce(a.new, e.org) END AS org
  FROM ev AS e LEFT JOIN same AS s ON s.old = e.who LEFT JOIN moved AS m ON m.who = coalesce(s.new, e.who) LEFT JOIN same AS a ON a.old = 'account ' || e.org;
CREATE VIEW expected AS
  SELECT project AS subject_id, min(ts) AS first_seen, max(ts) AS last_seen, count(*) AS events FROM event WHERE project IS NOT NULL GROUP BY 1;
CREATE VIEW expected_milestones AS
  SELECT DISTINCT ON (project, name) project AS subject_id, name, ts AS reached_at, id::text AS event_id
  FROM event WHERE project IS NOT NULL AND name IN ('start', 'done') ORDER BY project, name, ts, id;
CREATE VIEW expected_values AS
  SELECT x.subject_id, v.signal, v.value FROM expected AS x, (SELECT max(ts) AS now FROM ev) AS n,
    LATERAL (SELECT count(*) FILTER (WHERE e.ts > n.now - interval '7 days') AS week,
                    count(DISTINCT e.who) FILTER (WHERE e.name = 'work' AND e.ts > n.now - interval '30 days') AS people,
                    count(DISTINCT e.who) FILTER (WHERE e.ts > n.now - interval '30 days') AS active
             FROM event AS e WHERE e.project = x.subject_id) AS c,
    LATERAL (VALUES ('week', c.week), ('people', c.people), ('active', c.active)) AS v(signal, value);
CREATE FUNCTION found_values() RETURNS TABLE (subject_id text, signal text, value bigint) LANGUAGE sql AS $$
  SELECT x.subject_id, e.signal, e.value::bigint FROM expected AS x, LATERAL pql.explain('w', x.subject_id) AS e WHERE e.signal IN ('week', 'people', 'active')
$$;
-- What is wrong: what the oracle and pql don't have in common, and what verify finds. Nothing, each time.
CREATE FUNCTION wrong() RETURNS TABLE (what text, found text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql._flush();
  RETURN QUERY
    SELECT 'seen', x::text FROM ((SELECT * FROM expected EXCEPT SELECT subject_id, first_seen, last_seen, events FROM pql.subjects WHERE unit = 'workspace')
      UNION ALL (SELECT subject_id, first_seen, last_seen, events FROM pql.subjects WHERE unit = 'workspace' EXCEPT SELECT * FROM expected)) AS x
    UNION ALL SELECT 'milestone', x::text FROM ((SELECT * FROM expected_milestones EXCEPT SELECT subject_id, name, reached_at, event_id FROM pql.milestones WHERE unit = 'workspace')
      UNION ALL (SELECT subject_id, name, reached_at, event_id FROM pql.milestones WHERE unit = 'workspace' EXCEPT SELECT * FROM expected_milestones)) AS x
    UNION ALL SELECT 'value', x::text FROM ((SELECT * FROM expected_values EXCEPT SELECT * FROM found_values())
      UNION ALL (SELECT * FROM found_values() EXCEPT SELECT * FROM expected_values)) AS x
    UNION ALL SELECT 'members', x::text FROM (
      (SELECT org, who, count(*) FROM event GROUP BY 1, 2 EXCEPT SELECT account_id, user_id, events FROM pql.members)
      UNION ALL (SELECT account_id, user_id, events FROM pql.members EXCEPT SELECT org, who, count(*) FROM event GROUP BY 1, 2)) AS x
    UNION ALL SELECT 'verify', v::text FROM pql.verify() AS v;
END $$;
CREATE VIEW account_of AS -- of the newest event, as the state has it
  SELECT DISTINCT ON (f.home) f.subject, split_part(f.value, ' ', 4) AS account FROM pql._state_fields(true, now()) AS f WHERE f.what LIKE 'latest account%' ORDER BY f.home;

-- A program of each unit over the same events; that on workspaces comes later, so that its history must be folded.
SELECT pql.publish(program('p', 'account')), pql.publish(program('q', 'user'));
SELECT pql.promote('p'), pql.promote('q');
INSERT INTO ev VALUES
  (1, at('01 08:00'), 'ann', 'acme', 7, 'start'), (2, at('01 09:00'), 'bob', 'acme', 7, 'work'), (3, at('01 10:00'), 'ann', 'acme', 8, 'start'),
  (4, at('02 08:00'), 'ann', 'acme', NULL, 'work'), (5, at('02 09:00'), 'zoe', NULL, 9, 'start'), (6, at('03 09:00'), 'cid', 'bolt', 9, 'work');
SELECT count(*) FROM pql.state WHERE home LIKE 'w:%';
SELECT DISTINCT unit FROM pql.tracker ORDER BY 1;
SET client_min_messages = notice;
SELECT pql.publish(of_workspaces());
SET client_min_messages = warning;
SELECT unit, kind, name FROM pql.tracker WHERE unit = 'workspace' ORDER BY tracker_id;
-- While it is built, events come and go.
INSERT INTO ev VALUES (7, at('03 10:00'), 'bob', 'acme', 8, 'work');
DELETE FROM ev WHERE id = 2;
CALL pql.backfill();
SELECT * FROM wrong();
SELECT unit, subject_id, events FROM pql.subjects ORDER BY 1, 2;
SELECT * FROM pql.milestones WHERE unit = 'workspace' ORDER BY 2, 3;
SELECT * FROM account_of ORDER BY 1;

-- Late and early events, several at one instant, and in another order than the activation wants it.
INSERT INTO ev VALUES (11, at('01 07:00'), 'dan', 'acme', 7, 'start'), (12, at('04 09:00'), 'ann', 'acme', 7, 'done'), (13, at('04 09:00'), 'ann', 'acme', 7, 'done');
INSERT INTO ev SELECT 20 + i, at('05 08:00') + i * interval '1 hour', (ARRAY['ann', 'bob', 'cid'])[1 + i % 3], 'acme', 7 + i % 3, 'work' FROM generate_series(1, 9) AS i;
INSERT INTO ev VALUES (30, at('03 07:00'), 'eve', 'bolt', 8, 'done');
SELECT * FROM wrong();
SELECT subject_id, level, complete, reached_at FROM pql.activation('w') ORDER BY 1;
SELECT subject_id, score FROM pql.scoreboard('w') ORDER BY 1;

-- Another workspace: the event moves; to none, and from none.
UPDATE ev SET project = 8 WHERE id IN (12, 13);
SELECT * FROM wrong();
SELECT subject_id, name, reached_at FROM pql.milestones WHERE unit = 'workspace' ORDER BY 1, 2;
UPDATE ev SET project = NULL WHERE id = 30;
UPDATE ev SET project = 10 WHERE id = 4;
SELECT * FROM wrong();
UPDATE ev SET ts = ts - interval '1 day', name = 'done' WHERE id = 4;
DELETE FROM ev WHERE id = 3;
SELECT * FROM wrong();
SELECT count(*) AS nothing_is_left FROM pql.subjects WHERE unit = 'workspace' AND events = 0;

-- Live: routing rows of workspaces, with their accounts.
SELECT pql.promote('w');
INSERT INTO ev SELECT 100 + i, at('06 08:00') + i * interval '1 minute', (ARRAY['ann', 'bob', 'cid'])[1 + i % 3], 'acme', 7, 'work' FROM generate_series(1, 30) AS i;
INSERT INTO ev VALUES (140, at('06 09:00'), 'ann', 'acme', 7, 'done');
SELECT * FROM wrong();
SELECT program, unit, home, subject_id, account_id, user_id, headline, motion FROM pql.routing ORDER BY 1, 4;
SELECT jsonb_pretty(context) FROM pql.routing WHERE program = 'w';
SELECT pql.score('w', '7') > 60, pql.score('w', '8') < 60, pql.score('w', 'nobody');
SELECT pql.score('w', '7', at('01 08:30')), pql.score('w', '7', at('05 12:00'));
SELECT subject_id, qualified FROM pql.scoreboard('w') ORDER BY 1;
-- Less is left of it, and it leaves.
DELETE FROM ev WHERE id > 110 AND id < 140;
SELECT * FROM wrong();
SELECT program, subject_id, left_at IS NOT NULL AS over FROM pql.episode WHERE program = 'w';

-- Merged and moved users, merged accounts, and all of that taken back.
CREATE TABLE merge AS SELECT 'ann' AS what, pql.merge_users('ann', 'bob') AS id;
INSERT INTO same VALUES ('ann', 'bob');
SELECT * FROM wrong();
INSERT INTO merge SELECT 'cid', pql.move_user('cid', 'core');
INSERT INTO moved VALUES ('cid', 'core');
INSERT INTO ev VALUES (150, at('07 09:00'), 'cid', 'acme', 9, 'work'), (151, at('07 09:00'), 'ann', 'acme', 8, 'work');
SELECT * FROM wrong();
SELECT * FROM account_of ORDER BY 1;
INSERT INTO merge SELECT 'acme', pql.merge_accounts('acme', 'bolt');
INSERT INTO same VALUES ('account acme', 'bolt');
SELECT * FROM wrong();
SELECT * FROM account_of ORDER BY 1;
SELECT pql.undo_merge(id) FROM merge WHERE what = 'ann';
DELETE FROM same WHERE old = 'ann';
SELECT * FROM wrong();
SELECT pql.undo_merge(id) FROM merge WHERE what = 'acme';
DELETE FROM same WHERE old = 'account acme';
SELECT * FROM wrong();
SELECT * FROM account_of ORDER BY 1;
SELECT pql.undo_merge(id) FROM merge WHERE what = 'cid';
DELETE FROM moved;
SELECT * FROM wrong();

-- Rules see the workspace's attributes and those of its account.
CREATE TABLE project (id int PRIMARY KEY, stars int);
CREATE TABLE org (id text PRIMARY KEY, plan text);
INSERT INTO project VALUES (7, 500), (8, 3);
INSERT INTO org VALUES ('acme', 'team'), ('bolt', 'free');
SELECT path, problem FROM pql.check_program(program('x', 'workspace', '{"stars": {"kind": "fit", "value": "attr.stars / 100", "max_points": 10}}'));
SELECT what, finding FROM pql.attach_workspaces('project', workspace_id => 'id') WHERE what IN ('rows', 'columns');
SELECT count(*) FROM pql.attach_accounts('org', account_id => 'id');
SELECT pql.publish(program('x', 'workspace', '{"stars": {"kind": "fit", "value": "attr.stars / 100", "max_points": 10},
  "team": {"kind": "fit", "value": "case when account.plan = ''team'' then 1 else 0 end", "points_each": 10, "max_points": 10}}'));
CALL pql.backfill();
SELECT x.id, e.signal, e.value FROM (VALUES ('7'), ('8'), ('9')) AS x(id), LATERAL pql.explain('x', x.id) AS e WHERE e.kind = 'fit' ORDER BY 1, 2;
UPDATE project SET stars = 900 WHERE id = 8;
SELECT value FROM pql.explain('x', '8') WHERE signal = 'stars';
SELECT * FROM wrong();

-- What lies in the future counts when it is due, in both homes; a workspace that is derived again keeps what it holds.
SET TIME ZONE 'UTC';
INSERT INTO ev VALUES (160, now() + interval '5 days', 'fay', 'acme', 7, 'work'), (161, now() + interval '5 days', 'fay', 'acme', 11, 'work');
DELETE FROM ev WHERE id = 101;
UPDATE ev SET project = 12 WHERE id = 102;
SELECT home, user_id FROM pql.held_event ORDER BY 1;
SELECT held FROM pql.sources;
UPDATE ev SET ts = at('08 08:00') WHERE id >= 160;
INSERT INTO ev VALUES (162, at('08 08:00'), 'ann', 'acme', 12, 'work'); -- the clock goes on with what comes
SELECT count(*) FROM pql.held_event;
SELECT * FROM wrong();

-- Rebuilt, the state is the same. So is it when the table is emptied, and filled at once.
SELECT pql.state_digest() AS digest \gset
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest';
CREATE TABLE kept AS TABLE ev;
TRUNCATE ev;
SELECT count(*) FROM pql.subjects;
INSERT INTO ev SELECT * FROM kept ORDER BY md5(id::text);
SELECT pql.state_digest() = :'digest';
SELECT * FROM wrong();
-- In a savepoint that is rolled back, nothing came.
BEGIN;
SAVEPOINT s;
INSERT INTO ev VALUES (170, at('08 09:00'), 'ann', 'acme', 7, 'work');
UPDATE ev SET project = 8 WHERE project = 7;
ROLLBACK TO s;
COMMIT;
SELECT pql.state_digest() = :'digest';

-- A document on trial decides as the published one does.
SELECT change, count(*) FROM pql.preview(of_workspaces()) GROUP BY 1 ORDER BY 1;
SELECT subject_id, entered_at FROM pql.backtest_episodes(of_workspaces(), at('01 00:00'), at('20 00:00'));
SELECT points = s.score FROM (SELECT score AS points FROM pql.score_history('w', '7', at('07 00:00'), at('07 00:00'), '1 day')) AS h,
  LATERAL (SELECT pql.score('w', '7', at('07 00:00')) AS score) AS s;
SELECT pql.publish(of_workspaces() || '{"examples": [{"subject": "8", "expect": "qualified"}]}');

-- Sealed, workspaces go on from what they were; users who are merged later are one in them, too.
SELECT pql.retain('ev', at('05 00:00')) > 0;
DELETE FROM ev WHERE ts < at('05 00:00');
SELECT pql.state_digest() = :'digest';
SELECT * FROM pql.verify();
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest';
SELECT pql.merge_users('ann', 'bob') > 0, pql.merge_accounts('acme', 'bolt') > 0;
SELECT * FROM pql.verify();
SELECT * FROM account_of ORDER BY 1;

-- Detached, nothing is left.
SELECT pql.detach('ev');
SELECT count(*) FROM pql.subjects;

-- Where pql compares ids, it does so in each home: of rows with one id, in a workspace one counts. Rows of a partitioned table.
DROP TABLE ev CASCADE;
CREATE TABLE ev (id text, ts timestamptz, who text, org text, project text, name text, props jsonb, got timestamptz) PARTITION BY RANGE (ts);
CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM (at('01 00:00')) TO (at('05 00:00'));
CREATE TABLE ev_2 PARTITION OF ev DEFAULT;
CREATE FUNCTION counted() RETURNS TABLE (unit text, subject_id text, events bigint) LANGUAGE sql AS $$
  SELECT unit, subject_id, events FROM pql.subjects WHERE unit <> 'user' ORDER BY 1, 2 $$;
SELECT pql.retire('w'), pql.retire('x');
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  properties => 'props', received_at => 'got', workspace => '''team '' || (1 / (length(project) - 2))::text || upper(project)', clock => 'event', dedup => '90 days');
INSERT INTO ev VALUES ('a', at('01 08:00'), 'kim', 'north', 'x', 'work', NULL, at('01 08:00')), ('a', at('01 08:00'), 'kim', 'north', 'x', 'work', NULL, at('01 08:01')),
  ('b', at('06 08:00'), 'kim', 'north', 'x', 'work', NULL, at('06 08:00'));
INSERT INTO ev VALUES ('a', at('01 08:00'), 'lea', 'south', 'x', 'work', NULL, at('01 08:02'));
INSERT INTO ev VALUES ('b', at('06 08:00'), 'kim', 'north', 'y', 'work', NULL, at('06 08:01'));
SELECT * FROM counted();
SELECT * FROM pql.verify();
DELETE FROM ev WHERE id = 'a' AND got = at('01 08:00');
SELECT * FROM counted();
SELECT * FROM pql.verify();
UPDATE ev SET project = NULL WHERE id = 'a' AND org = 'north';
SELECT * FROM counted();
SELECT * FROM pql.verify();
-- What the expression fails on has no workspace, nor has what is too long to be an id; it counts all the same.
INSERT INTO ev VALUES ('d', at('07 08:00'), 'kim', 'north', 'xx', 'work', NULL, at('07 08:00')), ('e', at('07 09:00'), 'kim', 'north', 'z', 'work', NULL, at('07 09:00'));
INSERT INTO ev VALUES ('c', at('07 08:00'), 'kim', 'north', repeat('long ', 250), 'work', NULL, at('07 08:00'));
SELECT * FROM counted();
SELECT pql.state_digest() AS digest \gset
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest';
ALTER TABLE ev DETACH PARTITION ev_1;
CALL pql.backfill();
SELECT * FROM counted();
SELECT * FROM pql.verify();

-- The first program on workspaces comes when there are events already, whose ids pql compares: what repeats one of them later, counts once,
-- also while the history is being folded. So it is with what was held.
DROP EXTENSION pql CASCADE;
CREATE EXTENSION pql;
CREATE TABLE past (id text, ts timestamptz, who text, org text, project uuid, name text, got timestamptz);
CREATE FUNCTION project(int) RETURNS uuid LANGUAGE sql AS $$ SELECT ('00000000-0000-0000-0000-' || lpad($1::text, 12, '0'))::uuid $$;
INSERT INTO past SELECT i, at('01 00:00') + i * interval '1 hour', 'u' || i % 5, 'o' || i % 3, project(i % 4), 'work', at('01 00:00') + i * interval '1 hour' FROM generate_series(1, 40) AS i;
INSERT INTO past VALUES ('f', now() + interval '3 days', 'u1', 'o1', project(1), 'work', at('01 00:00'));
SELECT count(*) > 0 FROM pql.attach('past', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  received_at => 'got', workspace => 'project', dedup => '90 days');
SELECT pql.publish(program('p', 'account'));
CALL pql.backfill();
SELECT pql.publish(of_workspaces());
INSERT INTO past SELECT i, at('01 00:00') + i * interval '1 hour', 'u' || i % 5, 'o' || i % 3, project(i % 4), 'work', at('03 00:00') FROM generate_series(30, 50) AS i;
CALL pql.backfill();
INSERT INTO past SELECT i, at('01 00:00') + i * interval '1 hour', 'u' || i % 5, 'o' || i % 3, project(i % 4), 'work', at('04 00:00') FROM generate_series(1, 50) AS i;
SELECT sum(events) FROM pql.subjects WHERE unit = 'workspace';
SELECT unit, sum(events) FROM counted() GROUP BY 1 ORDER BY 1;
SELECT left(home, 1) AS home, count(*) FROM pql.held_event GROUP BY 1 ORDER BY 1;
-- What is of two accounts counts once in the workspace, also on trial.
INSERT INTO past SELECT 'twice', at('05 00:00'), 'u' || i, 'o' || i, project(1), 'work', at('05 00:00') + i * interval '1 hour' FROM generate_series(1, 2) AS i;
SELECT unit, sum(events) FROM counted() GROUP BY 1 ORDER BY 1;
SELECT signal, events, subjects FROM pql.audit_signals('w') WHERE signal = 'work';
SELECT * FROM pql.verify();
SELECT pql.state_digest() AS digest \gset
CALL pql.rebuild();
SELECT pql.state_digest() = :'digest';
SELECT left(home, 1) AS home, count(*) FROM pql.held_event GROUP BY 1 ORDER BY 1;
-- A second program on workspaces needs the history of what is new in it, and counts nobody twice.
SELECT pql.publish(program('v', 'workspace', '{"often": {"kind": "depth", "event": "work", "measure": "active_days", "window": "90 days", "max_points": 5}}'));
CALL pql.backfill();
SELECT unit, sum(events) FROM counted() GROUP BY 1 ORDER BY 1;
SELECT * FROM pql.verify();

-- What was sealed before there was such a program, isn't known of workspaces.
DROP EXTENSION pql CASCADE;
CREATE EXTENSION pql;
SELECT count(*) > 0 FROM pql.attach('past', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', workspace => 'project');
CALL pql.backfill();
SELECT pql.retain('past', at('02 00:00'));
SELECT pql.publish(of_workspaces());
CALL pql.backfill();
INSERT INTO past SELECT NULL, at('05 00:00'), 'u' || i, 'o1', project(i), 'work' FROM generate_series(1, 3) AS i;
SELECT unit, sum(events) FROM counted() GROUP BY 1 ORDER BY 1;
SELECT * FROM pql.verify();
DROP TABLE past;
DROP FUNCTION project;
DROP EXTENSION pql CASCADE;
DROP TABLE ev, ev_1, kept, same, moved, merge, project, org CASCADE;
DROP FUNCTION program, of_workspaces, found_values, wrong, counted, at;
