-- Guardrails, motions decided anew, holdout, triage, and what a subject lacks.
-- covers: S1-14, S2-13, S2-14, S2u-4
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
CREATE INDEX ON app.events (org_id, ts);
CREATE TABLE app.accounts (id text PRIMARY KEY, employees int, bought boolean, mrr numeric, deal_until timestamptz);
INSERT INTO app.accounts VALUES ('acme', 120, false, 0), ('tiny', 4, false, 0), ('paid', 50, true, 0), ('zero', 50, false, NULL);
SELECT count(*) > 0 AS attached FROM pql.attach('app.events', user_id => 'user_id', account_id => 'org_id', event => 'name', occurred_at => 'ts',
  event_id => 'event_id', properties => 'props', clock => 'event');
SELECT count(*) > 0 AS attached FROM pql.attach_accounts('app.accounts', 'id');
UPDATE pql.source SET max_event_age = '10000 days';

SELECT pql.publish($${
  "program": "growth", "unit": "account",
  "signals": {"visits":  {"kind": "depth",  "event": "visit", "window": "7 days", "points_each": 10, "max_points": 50},
              "pricing": {"kind": "intent", "event": "pricing", "window": "7 days", "max_points": 30},
              "sso":     {"kind": "intent", "event": "sso", "window": "7 days", "max_points": 20},
              "called":  {"kind": "intent", "flag": true, "max_points": 20}},
  "qualify": {"enter": 30, "leave": 20, "dwell": "1 hour"},
  "motions": [{"when": "signal.sso > 0", "motion": "enterprise", "after": "30 minutes", "by": "4 hours", "next_best_action": "Send the security pack."},
              {"when": "kind.intent >= 30", "motion": "account_executive", "after": "2 hours"},
              {"otherwise": true, "motion": "in_app", "after": "1 hour", "by": "1 day"}],
  "guardrails": [{"block_when": "attr.employees < 10 and kind.intent < 30", "reason": "tiny account"},
                 {"block_when": "attr.bought", "reason": "converted self-serve"},
                 {"block_when": "attr.deal_until > as_of", "reason": "open deal"}]}$$);
SELECT pql.promote('growth');

CREATE VIEW app.rows AS
  SELECT subject_id, state, state_since, blocked_by, motion, motion_rank AS rank, score, contact_after, contact_by, follows IS NOT NULL AS follows
  FROM pql.routing ORDER BY subject_id, routing_id;
CREATE VIEW app.moves AS
  SELECT r.subject_id, t.at, t.from_state, t.to_state, t.actor, t.reason FROM pql.routing_transition AS t JOIN pql.routing AS r USING (home, routing_id)
  ORDER BY r.subject_id, r.routing_id, t.at, t.from_state, t.to_state;
CREATE FUNCTION app.visits(org text, at timestamptz, n int DEFAULT 1, what text DEFAULT 'visit') RETURNS void LANGUAGE sql AS
  $$INSERT INTO app.events SELECT coalesce((SELECT max(event_id) FROM app.events), 0) + i, 'u' || i, org, what, at, '{}' FROM generate_series(1, n) AS i$$;

-- In: nothing speaks against it, or the first guardrail that does says why not.
SELECT app.visits('acme', '2026-03-01 10:00', 3), app.visits('tiny', '2026-03-01 10:00', 3), app.visits('paid', '2026-03-01 10:00', 3);
SELECT * FROM app.rows;
SELECT * FROM app.moves;
SELECT blocked_by, score, state FROM pql.qualification('growth', 'tiny');

-- Twice the same is no decision.
SELECT app.visits('acme', '2026-03-01 10:10'), app.visits('tiny', '2026-03-01 10:10');
SELECT * FROM app.moves;

-- An event takes the block away, and calls for another motion.
SELECT app.visits('tiny', '2026-03-01 11:00', 1, 'pricing');
SELECT * FROM app.rows WHERE subject_id = 'tiny';
SELECT decided_at, signal_at, jsonb_array_length(reasons) AS reasons, headline, qualification FROM pql.routing WHERE subject_id = 'tiny';

-- A changed attribute does, and brings another one; in a savepoint that is taken back, it doesn't.
BEGIN;
SAVEPOINT s;
UPDATE app.accounts SET bought = false WHERE id = 'paid';
SELECT * FROM app.rows WHERE subject_id = 'paid';
ROLLBACK TO s;
SELECT * FROM app.rows WHERE subject_id = 'paid';
COMMIT;
SELECT app.visits('paid', '2026-03-01 11:10');
SELECT count(*) FROM app.moves WHERE subject_id = 'paid';
UPDATE app.accounts SET employees = 5 WHERE id = 'paid';
SELECT * FROM app.rows WHERE subject_id = 'paid';
UPDATE app.accounts SET employees = 50, bought = false WHERE id = 'paid';
SELECT * FROM app.rows WHERE subject_id = 'paid';
SELECT * FROM app.moves;

-- A ready row, too, is blocked, and what time alone takes away, tick does.
UPDATE pql.routing SET state = 'ready' WHERE subject_id = 'acme';
UPDATE app.accounts SET deal_until = '2026-03-02 00:00' WHERE id = 'acme';
SELECT * FROM app.rows WHERE subject_id = 'acme';
SELECT subjects_reviewed FROM pql.tick('2026-03-01 23:59');
SELECT * FROM app.rows WHERE subject_id = 'acme';
SELECT subjects_reviewed FROM pql.tick('2026-03-02 01:30');
SELECT * FROM app.rows WHERE subject_id = 'acme';
SELECT subjects_reviewed FROM pql.tick('2026-03-02 03:00');
SELECT * FROM app.moves WHERE subject_id = 'acme';

-- What somebody has taken up is his. A better motion waits until he has made contact; then a row follows. A worse one never does.
UPDATE pql.routing SET state = 'claimed' WHERE subject_id = 'acme';
SELECT app.visits('acme', '2026-03-02 03:10', 1, 'sso');
UPDATE app.accounts SET bought = true WHERE id = 'acme';
UPDATE app.accounts SET bought = false WHERE id = 'acme';
SELECT * FROM app.rows WHERE subject_id = 'acme';
UPDATE pql.routing SET state = 'touched', first_touch_at = '2026-03-02 03:20' WHERE subject_id = 'acme';
SELECT app.visits('acme', '2026-03-02 04:00');
SELECT * FROM app.rows WHERE subject_id = 'acme';
SELECT f.motion, f.qualified_at = r.qualified_at AS same_episode, f.next_best_action FROM pql.routing AS f JOIN pql.routing AS r ON r.routing_id = f.follows;
UPDATE pql.routing SET state = 'disposed' WHERE subject_id = 'acme' AND state = 'pending';
SELECT app.visits('acme', '2026-03-02 04:10', 1, 'pricing');
SELECT count(*) FROM app.rows WHERE subject_id = 'acme';
SELECT count(*) FROM (SELECT FROM pql.routing WHERE state IN ('pending', 'ready', 'blocked', 'claimed', 'accepted') GROUP BY home, episode HAVING count(*) > 1) AS x;

-- Before anybody has taken it up, the row itself does; also while it is blocked.
UPDATE app.accounts SET bought = true WHERE id = 'paid';
SELECT app.visits('paid', '2026-03-02 05:00', 1, 'sso');
SELECT * FROM app.rows WHERE subject_id = 'paid';
UPDATE app.accounts SET bought = false WHERE id = 'paid';
SELECT * FROM app.rows WHERE subject_id = 'paid';
SELECT * FROM app.moves WHERE subject_id = 'paid' AND at >= '2026-03-02 05:00';

-- A row that a person gives back is decided upon at the next review, though its motion and its guardrail are old.
UPDATE pql.routing SET state = 'accepted' WHERE subject_id = 'tiny';
SELECT app.visits('tiny', '2026-03-02 05:10', 1, 'sso');
UPDATE app.accounts SET bought = true WHERE id = 'tiny';
SELECT state, motion, blocked_by FROM app.rows WHERE subject_id = 'tiny';
UPDATE pql.routing SET state = 'pending' WHERE subject_id = 'tiny';
UPDATE app.accounts SET mrr = 1 WHERE id = 'tiny';
UPDATE app.accounts SET bought = false WHERE id = 'tiny';
UPDATE app.accounts SET bought = true WHERE id = 'tiny';
SELECT state, motion, blocked_by FROM app.rows WHERE subject_id = 'tiny';

-- The episode ends: what nobody has taken up expires, also what is blocked.
SELECT episodes_reviewed > 0 AS ended FROM pql.tick('2026-03-20');
SELECT r.subject_id, r.state, r.blocked_by, r.state_since = e.left_at AS at_the_end FROM pql.routing AS r JOIN pql.episode AS e ON e.home = r.home AND e.episode_id = r.episode
  ORDER BY r.subject_id, r.routing_id;
SELECT subject_id, from_state, to_state, actor, reason FROM app.moves WHERE to_state = 'expired';
-- then it comes again
SELECT app.visits('tiny', '2026-03-21 00:00', 3);
SELECT state, blocked_by, qualification FROM pql.routing WHERE subject_id = 'tiny' ORDER BY routing_id;
SELECT * FROM pql.verify();

-- A guardrail that fails blocks nobody, and is counted.
SELECT pql.publish($${
  "program": "ratio", "unit": "account",
  "signals": {"visits": {"kind": "depth", "event": "visit", "window": "7 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 10}, "guardrails": [{"block_when": "100 / attr.mrr < 1", "reason": "too rich"}]}$$);
CALL pql.backfill();
SELECT pql.promote('ratio');
SELECT app.visits('paid', '2026-03-21 01:00', 1);
SELECT state, blocked_by FROM pql.routing WHERE program = 'ratio';
SELECT path, example FROM pql.rule_errors;
UPDATE app.accounts SET mrr = 1000 WHERE id = 'paid';
SELECT state, blocked_by FROM pql.routing WHERE program = 'ratio';
SELECT pql.retire('ratio');

-- Wrong ones.
SELECT c.* FROM (VALUES ('{guardrails}', '[{"block_when": "attr.emploees < 3", "reason": "x"}]'), ('{guardrails}', '[{"block_when": "score"}]'),
  ('{holdout}', '0.6'), ('{holdout}', '"10%"')) AS w(path, value), pql.program AS p, pql.check_program(jsonb_set(p.document, w.path::text[], w.value::jsonb)) AS c
  WHERE p.program = 'growth';

-- Shadow: nothing is routed, and nothing looked for.
SELECT pql.publish(document || '{"program": "quiet"}') FROM pql.program WHERE program = 'growth';
CALL pql.backfill();
SELECT app.visits('paid', '2026-03-21 02:00', 3);
UPDATE app.accounts SET bought = true WHERE id = 'paid';
SELECT count(*) FROM pql.episode WHERE program = 'quiet' AND left_at IS NULL;
SELECT count(*) FROM pql.routing WHERE program = 'quiet';
SELECT pql.retire('quiet');

-- People: the episode may lie in another home than the events.
SELECT pql.publish($${
  "program": "person", "unit": "user",
  "signals": {"tries": {"kind": "depth", "event": "try", "window": "7 days", "points_each": 10, "max_points": 50},
              "asks":  {"kind": "intent", "event": "ask", "window": "7 days", "max_points": 20}},
  "qualify": {"enter": 20},
  "motions": [{"when": "signal.asks > 0", "motion": "inside_sales"}, {"otherwise": true, "motion": "email"}],
  "guardrails": [{"block_when": "points.tries > 30", "reason": "in the middle of it"}]}$$);
CALL pql.backfill();
SELECT pql.promote('person');
INSERT INTO app.events VALUES (1001, 'ada', 'one', 'try', '2026-03-22 10:00', '{}'), (1002, 'ada', 'two', 'try', '2026-03-22 10:00', '{}');
SELECT home, state, motion FROM pql.routing WHERE program = 'person';
INSERT INTO app.events VALUES (1003, 'ada', 'one', 'try', '2026-03-22 11:00', '{}'), (1004, 'ada', 'one', 'try', '2026-03-22 11:00', '{}');
SELECT home, state, motion, blocked_by FROM pql.routing WHERE program = 'person';
INSERT INTO app.events VALUES (1005, 'ada', 'two', 'ask', '2026-03-22 12:00', '{}');
SELECT home, state, motion, blocked_by FROM pql.routing WHERE program = 'person';
SELECT episodes_reviewed FROM pql.tick();
SELECT home, state, motion, blocked_by FROM pql.routing WHERE program = 'person';
SELECT * FROM pql.verify();

-- Holdout: always the same ones, a share of them, more when it is raised; whom somebody flagged isn't.
SELECT pql.publish($${
  "program": "held", "unit": "account", "holdout": 0.1,
  "signals": {"starts": {"kind": "depth", "event": "start", "window": "7 days", "max_points": 20},
              "asked":  {"kind": "intent", "flag": true, "max_points": 20}},
  "qualify": {"enter": 20}}$$);
CALL pql.backfill();
SELECT pql.promote('held');
INSERT INTO app.events SELECT 10000 + n, 'p' || n, 'org' || n, 'start', '2026-04-01 10:00', '{}' FROM generate_series(1, 2000) AS n;
SELECT count(*), count(*) FILTER (WHERE holdout) BETWEEN 160 AND 240 AS a_tenth FROM pql.routing WHERE program = 'held';
SELECT state, blocked_by, holdout, jsonb_array_length(context->'members') AS told FROM pql.routing WHERE program = 'held' GROUP BY 1, 2, 3, 4;
SELECT string_agg(subject_id, ' ' ORDER BY routing_id) FROM (SELECT * FROM pql.routing WHERE program = 'held' AND holdout ORDER BY routing_id LIMIT 8) AS x;
-- nothing changes that
UPDATE app.accounts SET bought = false;
INSERT INTO app.events SELECT 20000 + n, 'p' || n, 'org' || n, 'start', '2026-04-01 11:00', '{}' FROM generate_series(1, 2000) AS n;
SELECT count(*) FROM pql.routing_transition AS t JOIN pql.routing AS r USING (home, routing_id) WHERE r.program = 'held';
CREATE TABLE app.held AS SELECT subject_id FROM pql.routing WHERE program = 'held' AND holdout;
SELECT count(*) FROM pql.tick('2026-04-20');
SELECT state, count(*) > 100 AS many FROM pql.routing WHERE program = 'held' GROUP BY 1 ORDER BY 1;
SELECT pql.publish(jsonb_set(document, '{holdout}', '0.3')) FROM pql.program WHERE program = 'held';
SELECT pql.flag_subject('held', subject_id, 'asked', 'rang us up', 'kim', '2100-01-01') IS NOT NULL AS flagged FROM app.held ORDER BY subject_id LIMIT 1;
INSERT INTO app.events SELECT 30000 + n, 'p' || n, 'org' || n, 'start', '2026-04-21 10:00', '{}' FROM generate_series(1, 2000) AS n;
SELECT count(*), count(*) FILTER (WHERE holdout) BETWEEN 540 AND 660 AS three_tenths,
       (SELECT count(*) FROM app.held AS h WHERE NOT EXISTS (SELECT FROM pql.routing AS x WHERE x.subject_id = h.subject_id AND x.version = 2 AND x.holdout)) AS exempt
  FROM pql.routing WHERE program = 'held' AND version = 2;
SELECT blocked_by FROM pql.qualification('held', (SELECT max(subject_id) FROM app.held));
SELECT signal, points, evidence FROM pql.explain('held', (SELECT min(subject_id) FROM app.held)) ORDER BY 1;

-- Triage: enough points, and not all that it takes. People decide.
SELECT pql.publish($${
  "program": "needs", "unit": "account", "segment": "attr.employees is null or attr.employees > 10",
  "signals": {"uses":  {"kind": "depth", "event": "use", "window": "7 days", "points_each": 10, "max_points": 50},
              "wants": {"kind": "intent", "event": "want", "window": "7 days", "points_each": 10, "max_points": 50}},
  "qualify": {"enter": 40, "leave": 20, "cool_down": "10 days", "min_kinds": 2, "required_kinds": ["intent"], "when": "users_active >= 2",
              "at_least": {"count": 2, "of": ["signal.wants > 1", "attr.bought", "attr.mrr > 100"]}}}$$);
CALL pql.backfill();
SELECT pql.promote('needs');
SELECT app.visits('acme', '2026-04-22', 5, 'use'), app.visits('tiny', '2026-04-22', 5, 'use'), app.visits('one', '2026-04-22', 1, 'use'), app.visits('lone', '2026-04-22', 1, 'want'),
       app.visits('lone', '2026-04-22', 1, 'use'), app.visits('good', '2026-04-22', 3, 'want'), app.visits('good', '2026-04-22', 3, 'use');
SELECT * FROM pql.triage('needs') ORDER BY score DESC, subject_id;
SELECT program, count(*) FROM pql.triage() GROUP BY 1;
SELECT * FROM pql.triage('needs', '2026-04-21');
SELECT * FROM pql.qualification('needs', 'lone');
SELECT * FROM pql.qualification('needs', 'acme');
INSERT INTO app.accounts VALUES ('good', 50, true, 500);
SELECT * FROM pql.qualification('needs', 'good');
SELECT * FROM pql.triage('needs') WHERE subject_id = 'good';
SELECT count(*) > 0 AS ticked FROM pql.tick('2026-05-01');
SELECT * FROM pql.qualification('needs', 'good', '2026-05-01');
SELECT state, missing FROM pql.qualification('needs', 'good', '2026-05-15');
SELECT score, state, missing FROM pql.qualification('needs', 'nobody');
SELECT count(*) FROM pql.qualification(NULL, 'acme');
SELECT * FROM pql.qualification('nothing', 'acme');
SELECT * FROM pql.triage('nothing');
SELECT * FROM pql.triage('needs', 'infinity');

-- What blocks a row blocks none that a rep has taken up. When it comes back, the next tick blocks it.
SELECT pql.publish($${
  "program": "back", "unit": "account",
  "signals": {"calls":   {"kind": "intent", "event": "call", "window": "30 days", "points_each": 20, "max_points": 20},
              "tickets": {"kind": "risk", "event": "ticket", "window": "30 days", "points_each": 1, "max_points": 1}},
  "qualify": {"enter": 20}, "guardrails": [{"block_when": "signal.tickets > 0", "reason": "open ticket"}],
  "motions": [{"otherwise": true, "motion": "inside_sales", "channel": "phone"}]}$$);
CALL pql.backfill();
SELECT pql.promote('back');
CREATE VIEW app.back AS SELECT r.subject_id, r.state, r.blocked_by FROM pql.routing AS r WHERE r.program = 'back' ORDER BY r.subject_id;
CREATE FUNCTION app.id(subject text) RETURNS bigint LANGUAGE sql AS $$SELECT r.routing_id FROM pql.routing AS r WHERE r.program = 'back' AND r.subject_id = subject$$;
SELECT app.visits(o, '2026-05-20 10:00', 1, 'call') FROM unnest('{declined, nurtured, reassigned, worked}'::text[]) AS o;
SELECT ready FROM pql.tick('2026-05-20 10:01');
SELECT count(*) FROM unnest('{declined, nurtured, reassigned, worked}'::text[]) AS o, pql.claim('ann', 1, app.id(o));
SELECT state FROM pql.dispose(app.id('nurtured'), 'nurture');
SELECT state FROM pql.snooze(app.id('nurtured'), '2026-05-20 12:00');
SELECT app.visits(o, '2026-05-20 10:02', 1, 'ticket') FROM unnest('{declined, reassigned, worked}'::text[]) AS o;
INSERT INTO pql.consent (unit, subject_id, channel, granted) VALUES ('account', 'nurtured', 'phone', false);
SELECT state FROM pql.decline(app.id('declined'), 'not mine');
SELECT state FROM pql.reassign(app.id('reassigned'), 'bob', 'knows them');
TABLE app.back;
SELECT ready FROM pql.tick('2026-05-20 10:03');
TABLE app.back;
SELECT returned FROM pql.tick('2026-05-20 12:00');
SELECT returned FROM pql.tick('2026-05-20 12:01');
TABLE app.back;

DROP SCHEMA app CASCADE;
DROP EXTENSION pql CASCADE;
