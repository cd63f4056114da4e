-- Rows change hands: reps leave, fall ill, come and go, and what each has is counted right whatever happens.
-- covers: S1-23 S2-24 S2u-6
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA handover;
SET search_path = handover;
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE TABLE orgs (id text PRIMARY KEY, country text, segment text, plan text);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) > 0 FROM pql.attach_accounts('orgs', account_id => 'id');
CREATE FUNCTION started(name text, motions jsonb, unit text DEFAULT 'account') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql.publish(jsonb_build_object('program', name, 'unit', unit, 'qualify', '{"enter": 10, "leave": 5}'::jsonb, 'signals',
    jsonb_build_object('wants', jsonb_build_object('kind', 'intent', 'event', name, 'half_life', '7 days', 'max_points', 10)), 'motions', motions));
  PERFORM pql.promote(name);
END $$;
CREATE PROCEDURE happens(name text, orgs text[], ts timestamptz) LANGUAGE sql AS
  $$INSERT INTO ev (ts, who, org, name) SELECT ts, 'u-' || o, o, name FROM unnest(orgs) AS o$$;
CREATE FUNCTION row_of(subject text, program text DEFAULT 'buy') RETURNS bigint LANGUAGE sql
  RETURN (SELECT max(r.routing_id) FROM pql.routing AS r WHERE (r.subject_id, r.program) = ($1, $2));
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN concat_ws(' | ', SQLSTATE, SQLERRM);
END $$;
CREATE VIEW r AS SELECT subject_id, state, owner, contact_by FROM pql.routing ORDER BY subject_id, routing_id;
CREATE VIEW loads AS SELECT l.rep_id, l.open, l.taken_this_week, round(l.deficit::numeric, 2) AS deficit FROM pql.rep_load AS l ORDER BY 1;
SELECT started('buy', '[{"otherwise": true, "motion": "inside_sales", "by": "1 day"}]');
SELECT started('late', '[{"otherwise": true, "motion": "inside_sales", "by": "4 hours"}]');
SELECT started('team', '[{"otherwise": true, "motion": "inside_sales", "by": "4 hours", "on_breach": "escalate", "escalate_to": {"team": "leads"}}]');
SELECT started('skill', '[{"otherwise": true, "motion": "inside_sales", "by": "4 hours", "on_breach": "escalate", "escalate_to": {"skill": "closing"}}]');
SELECT started('rep', '[{"otherwise": true, "motion": "inside_sales", "by": "4 hours", "on_breach": "escalate", "escalate_to": {"rep": "max"}}]');
SELECT started('fall', '[{"when": "score < 0", "motion": "email", "next_best_action": "Send the guide", "after": "2 hours", "by": "3 days"},
  {"otherwise": true, "motion": "enterprise", "next_best_action": "Call the CTO", "skills": ["sso"], "by": "4 hours", "when_nobody": "downgrade", "downgrade_to": "email"}]');
SELECT started('drop', '[{"otherwise": true, "motion": "enterprise", "next_best_action": "Call the CTO", "skills": ["sso"], "by": "4 hours", "when_nobody": "downgrade", "downgrade_to": "in_app"}]');
-- an attribute that a rule names; the others are kept only for territories and segments
SELECT started('plans', '[{"when": "attr.plan = ''free''", "motion": "none"}, {"otherwise": true, "motion": "inside_sales"}]');

--
-- Who is no rep any more, or not active, has nothing any more from the next tick on; who is away keeps what can wait.
--

INSERT INTO pql.reps (rep_id) VALUES ('ann'), ('ben'), ('cyd'), ('dee');
INSERT INTO pql.account_owner SELECT o || n, rep FROM (VALUES ('a', 'ann'), ('b', 'ben'), ('c', 'cyd')) AS v(o, rep), generate_series(1, 4) AS n;
CALL happens('buy', '{a1,a2,a3,a4,b1,b2,b3,b4,c1,c2,c3}', '2026-03-02 09:00');
SELECT assigned, ready FROM pql.tick('2026-03-02 09:00');
SELECT (SELECT c.owner FROM pql.claim(rep, 1, row_of(org)) AS c) FROM (VALUES ('ann', 'a2'), ('ann', 'a3'), ('ben', 'b2'), ('ben', 'b3'), ('cyd', 'c2')) AS v(rep, org);
SELECT (SELECT t.state FROM pql.touch(row_of(org), 'phone') AS t) FROM unnest('{a3,b3,c2}'::text[]) AS org;
SELECT state, snoozed_until FROM pql.snooze(row_of('a4'), '2026-03-04') UNION ALL SELECT state, snoozed_until FROM pql.snooze(row_of('b4'), '2026-03-04');
SELECT * FROM loads;
BEGIN;
DELETE FROM pql.reps WHERE rep_id = 'ann';
UPDATE pql.reps SET active = false WHERE rep_id = 'ben';
-- c1 can't be kept: cyd is away beyond its contact_by; c2 is touched; c3 can wait
UPDATE pql.routing SET contact_by = '2026-03-09' WHERE routing_id = row_of('c3');
UPDATE pql.reps SET away = '{[2026-03-02 10:00, 2026-03-05 00:00)}' WHERE rep_id = 'cyd';
SELECT failure($$SELECT pql.reassign(row_of('c1'), 'ben', 'he knows them')$$);
SELECT assigned, ready, breached, expired FROM pql.tick('2026-03-02 10:30');
SELECT subject_id, state, owner FROM r;
SELECT h.subject_id, h.from_state, h.to_state, h.actor, h.rep, h.reason FROM pql.routing_history AS h WHERE h.at = '2026-03-02 10:30' AND h.from_state <> h.to_state ORDER BY h.subject_id, h.reason NULLS LAST;
SELECT * FROM loads;
SELECT what, subject FROM pql.verify();
SELECT assigned, ready, breached, expired FROM pql.tick('2026-03-02 10:30');
-- and what slept wakes up as somebody else's
SELECT returned, assigned FROM pql.tick('2026-03-04');
SELECT subject_id, state, owner FROM r WHERE subject_id IN ('a4', 'b4');
SELECT what, subject FROM pql.verify();
-- the last one: without reps whoever says who they are is one
DELETE FROM pql.reps;
SELECT assigned FROM pql.tick('2026-03-04 00:01');
SELECT count(*), count(owner) FROM pql.routing WHERE state IN ('pending', 'ready', 'claimed', 'accepted', 'touched');
SELECT * FROM loads;
SELECT ready FROM pql.tick('2026-03-05');
SELECT count(*) FROM pql.claim('ann', 2);
-- and who becomes a rep has what is his
INSERT INTO pql.reps (rep_id, capacity) VALUES ('ann', 3);
SELECT count(*) FROM pql.claim('ann', 9);
SELECT * FROM loads;
SELECT what, subject FROM pql.verify();
ROLLBACK;

--
-- Given away and back again: what was no part of a share is given back to it once, and to the week that it was taken from.
--

BEGIN;
SELECT * FROM loads;
SELECT owner FROM pql.reassign(row_of('a1'), 'dee', 'holiday');
SELECT * FROM loads WHERE rep_id IN ('ann', 'dee'); -- the account is ann's: it was no part of the shares
CALL happens('buy', '{x1}', '2026-03-02 09:00');
SELECT assigned FROM pql.tick('2026-03-02 09:00');
SELECT owner AS first FROM pql.routing WHERE routing_id = row_of('x1') \gset
SELECT rep_id <> :'first', open, taken_this_week, deficit FROM loads WHERE rep_id = :'first';
SELECT count(*) FROM pql.reassign(row_of('x1'), CASE :'first' WHEN 'dee' THEN 'cyd' ELSE 'dee' END, 'away');
SELECT open, taken_this_week, deficit FROM loads WHERE rep_id = :'first';
SELECT count(*) FROM pql.reassign(row_of('x1'), :'first', 'and back');
SELECT count(*) FROM pql.reassign(row_of('x1'), CASE :'first' WHEN 'dee' THEN 'cyd' ELSE 'dee' END, 'away again');
SELECT open, taken_this_week, deficit FROM loads WHERE rep_id = :'first';
ROLLBACK;
BEGIN;
UPDATE pql.rep_load SET week_start = '2026-03-09', taken_this_week = 3 WHERE rep_id = 'ann'; -- he has got three since
SELECT owner FROM pql.reassign(row_of('a1'), 'dee', 'holiday');
SELECT open, taken_this_week FROM loads WHERE rep_id = 'ann';
ROLLBACK;

--
-- Whose work a row is: that of the transaction that asks, also in its savepoints.
--

SELECT pql._is_own(xmin) FROM pql.reps LIMIT 1;
BEGIN;
UPDATE pql.reps SET weight = 1 WHERE rep_id = 'ann';
SAVEPOINT s;
UPDATE pql.reps SET weight = 1 WHERE rep_id = 'ben';
RELEASE s;
SELECT rep_id, pql._is_own(xmin) FROM pql.reps ORDER BY 1;
ROLLBACK;

--
-- A wrong count is found, and mended.
--

UPDATE pql.rep_load SET open = open + 2 WHERE rep_id = 'ben';
SELECT what, subject, streamed::int - recomputed::int AS more FROM pql.verify();
CALL pql.rebuild();
SELECT what, subject, streamed::int - recomputed::int AS more FROM pql.verify();
SELECT * FROM loads;

--
-- tick counts what expired by it, also what it ended itself.
--

CALL happens('quiet', '{nobody}', '2026-03-20');
SELECT expired FROM pql.tick('2026-03-20');
SELECT expired FROM pql.tick('2026-03-20');
SELECT state, count(*) FROM pql.routing GROUP BY 1 ORDER BY 1;
SELECT what, subject FROM pql.verify();

--
-- A promise that was broken: whoever broke it gets the row again only if nobody else can.
--

BEGIN;
DELETE FROM pql.reps;
DELETE FROM pql.account_owner;
SELECT count(*) FROM pql.tick('2026-03-21');
INSERT INTO pql.reps (rep_id, team, skills, weight, capacity) VALUES ('fay', 'field', '{}', 5, 2), ('gus', 'field', '{}', 1, NULL),
  ('max', 'leads', '{closing}', 0, 1), ('nan', 'leads', '{}', 1, 1);
INSERT INTO pql.account_owner VALUES ('e1', 'fay');
UPDATE pql.reps SET active = rep_id = 'fay';
CALL happens('late', '{e1,e2}', '2026-03-23 09:00');
SELECT assigned FROM pql.tick('2026-03-23 09:00');
UPDATE pql.reps SET active = rep_id IN ('fay', 'gus');
SAVEPOINT s;
SELECT breached, assigned FROM pql.tick('2026-03-23 14:00');
SELECT subject_id, owner, escalated_to FROM pql.handoffs WHERE subject_id ~ '^e' ORDER BY 1;
SELECT x.rep_id, x.verdict, x.reason FROM pql.explain_route(row_of('e1', 'late')) AS x WHERE x.at > '2026-03-23 09:00' ORDER BY 1;
ROLLBACK TO s;
-- nobody else can
UPDATE pql.reps SET active = rep_id = 'fay';
SELECT breached, assigned FROM pql.tick('2026-03-23 14:00');
SELECT subject_id, owner, sla_breached_by FROM pql.handoffs WHERE subject_id ~ '^e' ORDER BY 1;
SELECT x.rep_id, x.verdict, x.reason FROM pql.explain_route(row_of('e1', 'late')) AS x WHERE x.at > '2026-03-23 09:00' ORDER BY 1;
SELECT what, subject FROM pql.verify();
ROLLBACK;

--
-- A promise that was broken is escalated, by the motion's on_breach: to a rep, a team or a skill; as long as one of them can.
--

BEGIN;
DELETE FROM pql.reps;
DELETE FROM pql.account_owner;
SELECT count(*) FROM pql.tick('2026-03-21');
INSERT INTO pql.reps (rep_id, team, skills, weight, capacity) VALUES ('fay', 'field', '{}', 5, NULL), ('max', 'leads', '{closing}', 0, 2), ('nan', 'leads', '{}', 1, 1);
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "qualify": {"enter": 5},
  "signals": {"s": {"kind": "intent", "event": "e", "points_each": 5, "max_points": 5, "half_life": "7 days"}},
  "motions": [{"otherwise": true, "motion": "enterprise", "on_breach": "escalate", "escalate_to": {"boss": "max"}}]}');
INSERT INTO pql.account_owner VALUES ('f1', 'fay'), ('f2', 'fay'), ('g1', 'fay'), ('h1', 'fay'), ('h2', 'fay');
CALL happens('team', '{f1,f2}', '2026-03-23 09:00');
CALL happens('skill', '{g1}', '2026-03-23 09:00');
CALL happens('rep', '{h1,h2}', '2026-03-23 09:00');
SELECT assigned FROM pql.tick('2026-03-23 09:00');
SELECT (SELECT c.owner FROM pql.claim('fay', 1, row_of('f1', 'team')) AS c), (SELECT a.state FROM pql.accept(row_of('f1', 'team')) AS a);
SELECT breached, assigned FROM pql.tick('2026-03-23 14:00');
SELECT subject_id, state, owner, sla_breached_by, escalated_to FROM pql.handoffs WHERE subject_id ~ '^[fgh]' ORDER BY 1;
SELECT rep, subject_id, sla, escalated_to FROM pql.inbox WHERE subject_id ~ '^[fgh]' ORDER BY 2;
SELECT h.subject_id, h.from_state, h.to_state, h.actor, h.rep, h.reason FROM pql.routing_history AS h WHERE h.reason ~ '^sla' AND h.subject_id ~ '^[fgh]' ORDER BY 1;
SELECT x.rep_id, x.verdict, x.reason FROM pql.explain_route(row_of('f1', 'team')) AS x WHERE x.at > '2026-03-23 09:00' ORDER BY 1;
-- nobody else can by now: h2 goes to who let it pass
SELECT x.rep_id, x.verdict, x.reason FROM pql.explain_route(row_of('h2', 'rep')) AS x WHERE x.at > '2026-03-23 09:00' ORDER BY 1;
SELECT breached FROM pql.tick('2026-03-23 14:00');
SELECT * FROM loads;
SELECT what, subject FROM pql.verify();
ROLLBACK;

--
-- Nobody can: what happens instead is what the other motion says, and when that does.
--

BEGIN;
DELETE FROM pql.reps;
SELECT count(*) FROM pql.tick('2026-03-21');
INSERT INTO pql.reps (rep_id) VALUES ('fay');
CALL happens('fall', '{i1}', '2026-03-23 09:00');
CALL happens('drop', '{i2}', '2026-03-23 09:00');
SELECT assigned, ready FROM pql.tick('2026-03-23 10:00');
SELECT subject_id, motion, next_best_action, contact_after, contact_by, state FROM pql.routing WHERE subject_id ~ '^i' ORDER BY 1;
SELECT subject_id, from_state, to_state, actor, reason FROM pql.routing_history WHERE subject_id ~ '^i' AND from_state IS NOT NULL ORDER BY 1, at, from_state, to_state DESC;
SELECT assigned, ready FROM pql.tick('2026-03-23 11:00');
ROLLBACK;

--
-- What territories and segments need of the attributes is kept, though no rule names it, from when they need it.
--

DELETE FROM pql.reps;
INSERT INTO orgs VALUES ('t1', 'AT', 'big', 'team'), ('t2', 'US', 'big', 'team'), ('t3', 'US', 'small', 'team');
SELECT attributes FROM pql.attributes WHERE subject_id = 't1' AND valid_to = 'infinity';
INSERT INTO pql.reps (rep_id, team, segments) VALUES ('de1', 'dach', '{}'), ('us1', 'us', '{small}'), ('us2', 'us', '{big}');
INSERT INTO pql.territories (attribute, "values", team) VALUES ('country', '{DE,AT}', 'dach'), ('country', '{US}', 'us'), ('planet', '{Mars}', 'us');
CALL happens('buy', '{t1,t2,t3}', '2026-03-24 09:00');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT assigned FROM pql.tick('2026-03-24 09:00');
ROLLBACK;
SELECT assigned FROM pql.tick('2026-03-24 09:00');
SELECT attributes FROM pql.attributes WHERE subject_id = 't1' AND valid_to = 'infinity';
SELECT subject_id, owner FROM r WHERE subject_id ~ '^t' ORDER BY 1;
SELECT count(*) AS columns FROM pql.attribute_source, unnest(columns);
-- what comes afterwards is read, too
UPDATE orgs SET country = 'DE' WHERE id = 't3';
SELECT attributes ->> 'country' FROM pql.attributes WHERE subject_id = 't3' AND valid_to = 'infinity';
SELECT what, subject FROM pql.verify();

DROP EXTENSION pql CASCADE;
DROP SCHEMA handover CASCADE;
