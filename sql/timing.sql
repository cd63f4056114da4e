-- The right motion: what to say, what must be true before a rep works a row, and what to do.
-- covers: S1-1, S2-5, S3-8
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
CREATE TABLE app.events (event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id text, org_id text, name text, ts timestamptz);
CREATE INDEX ON app.events (org_id, ts);
CREATE TABLE app.accounts (id text PRIMARY KEY, seats int, zone text, per int);
SELECT count(*) > 0 AS attached FROM pql.attach('app.events', user_id => 'user_id', account_id => 'org_id', event => 'name', occurred_at => 'ts',
  event_id => 'event_id', clock => 'event');
SELECT count(*) > 0 AS attached FROM pql.attach_accounts('app.accounts', 'id');
UPDATE pql.source SET max_event_age = '10000 days';
CREATE FUNCTION app.does(org text, what text, at timestamptz) RETURNS void LANGUAGE sql AS
  $$INSERT INTO app.events (user_id, org_id, name, ts) VALUES ('u-' || org, org, what, at)$$;
CREATE VIEW app.rows AS
  SELECT subject_id, state, motion, blocked_by, contact_after, contact_by FROM pql.routing ORDER BY subject_id, routing_id;
CREATE VIEW app.moves AS SELECT subject_id, at, from_state, to_state, reason FROM pql.routing_history ORDER BY subject_id, routing_id, at;

-- What to say first, and what never: with the row, and as the version had it.
SELECT pql.publish($${
  "program": "plays", "unit": "account",
  "signals": {"sso":     {"kind": "intent", "event": "sso", "window": "7 days", "max_points": 20, "why": "asks for what only the enterprise plan has"},
              "invites": {"kind": "breadth", "event": "invite", "window": "7 days", "max_points": 20, "may_mention": false}},
  "qualify": {"enter": 20},
  "motions": [{"when": "signal.sso > 0", "motion": "enterprise",
               "play": {"say": "Ask who signs in today, and how.", "never": ["A discount.", "Prices, before they *ask*."]}},
              {"otherwise": true, "motion": "inside_sales", "next_best_action": "Thank them for the teammates.", "play": {"never": "Discovery questions."}}]}$$);
SELECT pql.promote('plays');
SELECT app.does('acme', 'sso', '2026-03-02 10:00'), app.does('team', 'invite', '2026-03-02 10:00');
SELECT subject_id, motion, next_best_action, context -> 'play' AS play FROM pql.routing ORDER BY 1;
SELECT string_agg(line, E'\n') FROM pql.routing AS r, string_to_table(pql.story(r.routing_id), E'\n') WITH ORDINALITY AS s(line, n)
  WHERE r.subject_id = 'acme' AND n > 12;
SELECT ready FROM pql.tick('2026-03-02 10:01');
SELECT subject_id, next_best_action, play FROM pql.inbox ORDER BY 1;
SELECT pql.publish(jsonb_set(document, '{motions,0,play,say}', '["Something else."]')) FROM pql.program WHERE program = 'plays' AND status = 'live';
SELECT path, change FROM pql.diff_programs('plays', 1, 2);
SELECT context #> '{play,say}' FROM pql.routing WHERE subject_id = 'acme';
-- a better motion has its own, as long as nobody has taken the row up
SELECT app.does('team', 'sso', '2026-03-02 10:30');
SELECT motion, next_best_action, context -> 'play' FROM pql.routing WHERE subject_id = 'team';
SELECT pql.retire('plays');

-- Without a next best action that a person could take, no person is asked to.
SELECT pql.publish($${
  "program": "mute", "unit": "account",
  "signals": {"looks":  {"kind": "intent", "event": "look", "window": "7 days", "max_points": 20, "may_mention": false},
              "hidden": {"kind": "intent", "event": "hide", "window": "7 days", "max_points": 20, "may_show_rep": false},
              "asks":   {"kind": "intent", "event": "ask", "window": "7 days", "max_points": 10}},
  "qualify": {"enter": 20},
  "motions": [{"when": "signal.hidden > 0 and signal.looks > 0", "motion": "email"}, {"otherwise": true, "motion": "inside_sales"}]}$$);
CALL pql.backfill();
SELECT pql.promote('mute');
SELECT app.does('quiet', 'look', '2026-03-02 11:00'), app.does('shy', 'hide', '2026-03-02 11:00');
SELECT subject_id, state, motion, blocked_by, next_best_action FROM pql.routing WHERE program = 'mute' ORDER BY 1;
SELECT blocked_by FROM pql.qualification('mute', 'quiet');
SELECT app.does('quiet', 'ask', '2026-03-02 11:05'), app.does('shy', 'look', '2026-03-02 11:05');
SELECT subject_id, state, motion, blocked_by, next_best_action FROM pql.routing WHERE program = 'mute' ORDER BY 1;
SELECT pql.retire('mute');

-- Before it is accepted no rep works it.
SELECT pql.publish($${
  "program": "big", "unit": "account",
  "signals": {"sso":   {"kind": "intent", "event": "sso2", "window": "7 days", "max_points": 20},
              "calls": {"kind": "depth", "event": "call", "window": "7 days", "points_each": 1, "max_points": 20}},
  "qualify": {"enter": 20, "leave": 10},
  "motions": [{"when": "signal.sso > 0", "motion": "enterprise", "by": "1 day", "accept_when": "attr.seats >= 5", "accept_because": "five seats or more"},
              {"otherwise": true, "motion": "inside_sales", "accept_when": "100 / attr.per > 3"}],
  "guardrails": [{"block_when": "attr.seats > 100", "reason": "named account"}]}$$);
CALL pql.backfill();
SELECT pql.promote('big');
INSERT INTO app.accounts (id, seats) VALUES ('small', 2), ('large', 8), ('huge', 500);
SELECT app.does(org, 'sso2', '2026-03-02 12:00') FROM unnest('{small, large, huge, unknown}'::text[]) AS org;
SELECT * FROM app.rows WHERE contact_after >= '2026-03-02 12:00';
SELECT blocked_by, motion FROM pql.qualification('big', 'small');
SELECT ready FROM pql.tick('2026-03-02 12:01');
UPDATE app.accounts SET seats = 5 WHERE id = 'small';
UPDATE app.accounts SET seats = 3 WHERE id = 'large';
INSERT INTO app.accounts (id, seats) VALUES ('unknown', 7);
SELECT * FROM app.rows WHERE contact_after >= '2026-03-02 12:00';
SELECT at, from_state, to_state, reason FROM app.moves WHERE subject_id IN ('small', 'large');
-- what somebody has taken up is his
SELECT count(*) FROM pql.tick('2026-03-02 12:05');
SELECT subject_id FROM pql.claim('kim', 1, (SELECT routing_id FROM pql.routing WHERE subject_id = 'small'));
UPDATE app.accounts SET seats = 1 WHERE id = 'small';
SELECT state, blocked_by FROM app.rows WHERE subject_id = 'small';
-- a rule that fails says no; without words it is shown itself
INSERT INTO app.accounts (id, seats, per) VALUES ('zero', 5, 0);
INSERT INTO app.events (user_id, org_id, name, ts) SELECT 'u', 'zero', 'call', '2026-03-02 13:00' FROM generate_series(1, 20);
SELECT state, blocked_by FROM app.rows WHERE subject_id = 'zero';
SELECT path, example FROM pql.rule_errors;
UPDATE app.accounts SET per = 10 WHERE id = 'zero';
SELECT state, blocked_by FROM app.rows WHERE subject_id = 'zero';
-- a better motion that isn't accepted blocks, and is the row's
SELECT app.does('zero', 'sso2', '2026-03-02 13:10');
UPDATE app.accounts SET seats = 4 WHERE id = 'zero';
SELECT state, motion, blocked_by FROM app.rows WHERE subject_id = 'zero';
SELECT path, problem FROM pql.program AS p, pql.check_program(jsonb_set(document, '{motions,0,accept_when}', '"attr.seeds > 3"')) WHERE p.program = 'big';
SELECT * FROM pql.verify();
SELECT pql.retire('big');

DROP SCHEMA app CASCADE;
DROP EXTENSION pql CASCADE;
