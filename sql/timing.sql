-- The right motion at the right moment: what to say, what must be true before a rep works a row, and when contact is made.
-- covers: S1-1, S1-2, S1-26, S1-27, S1-28, S2-5, S3-8
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
  SELECT subject_id, state, motion, blocked_by, contact_after, contact_by, (SELECT h.waits_for FROM pql.handoffs AS h WHERE h.routing_id = r.routing_id) AS why FROM pql.routing AS r ORDER BY subject_id, routing_id;
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
  WHERE r.subject_id = 'acme' AND line ~ 'say|Say';
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

-- When: by the signal whose event is the newest, in the place of the motion's.
SELECT pql.publish($${
  "program": "when", "unit": "account",
  "milestones": {"premium": {"event": "premium"}, "one": {"event": "step1"}, "two": {"event": "step2"}, "three": {"event": "step3"}},
  "activation": {"steps": ["one", "two", "three"], "within": "14 days"},
  "signals": {"pricing": {"kind": "intent", "event": "pricing", "window": "7 days", "max_points": 20, "contact": {"after": "10 minutes", "by": "1 hour"}},
              "limit":   {"kind": "intent", "event": "limit", "window": "7 days", "max_points": 20, "contact": {"after": "2 working hours"}},
              "invites": {"kind": "breadth", "event": "invite", "window": "7 days", "max_points": 20},
              "waits":   {"kind": "depth", "event": "wait", "window": "7 days", "max_points": 20},
              "bars":    {"kind": "depth", "event": "bar", "window": "7 days", "max_points": 20}},
  "qualify": {"enter": 20},
  "motions": [{"when": "signal.waits > 0", "motion": "inside_sales", "after": "5 minutes", "by": "2 hours", "hold": {"session": "30 minutes", "activation": "1 hour"}},
              {"when": "signal.bars > 0", "motion": "inside_sales", "by": "2 hours", "not_within": [{"milestone": "premium", "for": "3 days"}]},
              {"otherwise": true, "motion": "inside_sales", "after": "1 day", "by": "2 days"}],
  "quiet_hours": {"zone": "attr.zone", "hours": ["21:00-08:00"], "days": {"sun": ["00:00-24:00"]}}}$$);
CALL pql.backfill();
SELECT pql.promote('when');
SELECT app.does('by-pricing', 'pricing', '2026-03-03 10:00'), app.does('by-limit', 'limit', '2026-03-03 16:00'), app.does('by-motion', 'invite', '2026-03-03 16:00');
SELECT subject_id, contact_after, contact_by, context -> 'timing' AS timing FROM pql.routing WHERE program = 'when' ORDER BY 1;

-- In the rep's hours it is the signal's, too.
INSERT INTO pql.reps (rep_id, zone, working_hours, capacity) VALUES ('kim', 'UTC', '{"tue": ["09:00-18:30"], "wed": ["09:00-17:00"], "thu": ["09:00-17:00"], "fri": ["09:00-17:00"]}', 100);
SELECT assigned FROM pql.tick('2026-03-03 16:01');
SELECT subject_id, owner, contact_after, contact_by FROM pql.routing WHERE program = 'when' ORDER BY 1;
DELETE FROM pql.reps;
UPDATE pql.routing SET state = 'expired', owner = NULL WHERE program = 'when';

-- A session is running: contact waits until it is over, though no longer than until contact_by as it was promised.
SELECT app.does('busy', 'wait', '2026-03-03 18:00'), app.does('calm', 'wait', '2026-03-03 18:00');
SELECT * FROM app.rows WHERE subject_id IN ('busy', 'calm');
SELECT ready FROM pql.tick('2026-03-03 18:04');
SELECT ready FROM pql.tick('2026-03-03 18:05');
SELECT * FROM app.rows WHERE subject_id IN ('busy', 'calm');
SELECT app.does('busy', 'work', '2026-03-03 18:25');
SELECT ready FROM pql.tick('2026-03-03 18:30');
SELECT * FROM app.rows WHERE subject_id IN ('busy', 'calm');
SELECT ready FROM pql.tick('2026-03-03 18:30');
SELECT app.does('busy', 'work', timestamptz '2026-03-03 18:24' + n * interval '20 minutes') FROM generate_series(1, 5) AS n;
SELECT ready FROM pql.tick('2026-03-03 19:55');
SELECT * FROM app.rows WHERE subject_id = 'busy';
SELECT app.does('busy', 'work', '2026-03-03 20:04');
SELECT ready FROM pql.tick('2026-03-03 20:05');
SELECT * FROM app.rows WHERE subject_id = 'busy';
SELECT at, from_state, to_state, reason FROM app.moves WHERE subject_id = 'busy';
-- tick once more changes nothing
SELECT count(*) FROM app.moves;
SELECT ready FROM pql.tick('2026-03-03 20:05');
SELECT count(*) FROM app.moves;

-- An activation is progressing.
SELECT app.does('new', 'step1', '2026-03-04 10:00'), app.does('new', 'wait', '2026-03-04 10:00'),
       app.does('done', 'step1', '2026-03-04 09:00'), app.does('done', 'step2', '2026-03-04 09:10'), app.does('done', 'step3', '2026-03-04 09:20'), app.does('done', 'wait', '2026-03-04 10:00');
SELECT ready FROM pql.tick('2026-03-04 10:45');
SELECT * FROM app.rows WHERE subject_id IN ('new', 'done');
SELECT app.does('new', 'step2', '2026-03-04 10:50');
SELECT ready FROM pql.tick('2026-03-04 11:00');
SELECT * FROM app.rows WHERE subject_id = 'new';
SELECT app.does('new', 'step3', '2026-03-04 11:10');
SELECT ready FROM pql.tick('2026-03-04 11:50');
SELECT * FROM app.rows WHERE subject_id = 'new';

-- A fresh milestone bars contact, whatever comes first; what is ready goes back, and what people have taken up is theirs.
SELECT app.does('early', 'premium', '2026-03-04 12:00'), app.does('early', 'bar', '2026-03-04 12:12'),
       app.does('late', 'bar', '2026-03-04 12:12'), app.does('held', 'bar', '2026-03-04 12:12'), app.does('never', 'bar', '2026-03-04 12:12');
SELECT * FROM app.rows WHERE subject_id IN ('early', 'late', 'held', 'never');
SELECT ready FROM pql.tick('2026-03-04 12:13');
SELECT subject_id FROM pql.claim('kim', 1, (SELECT routing_id FROM pql.routing WHERE subject_id = 'held'));
SELECT app.does('late', 'premium', '2026-03-04 12:20'), app.does('held', 'premium', '2026-03-04 12:20');
SELECT ready FROM pql.tick('2026-03-04 12:21');
SELECT * FROM app.rows WHERE subject_id IN ('early', 'late', 'held', 'never');
-- it was earlier than was known: contact is, too
SELECT app.does('early', 'premium', '2026-03-02 12:00'), app.does('late', 'premium', '2026-03-01 12:15');
SELECT ready FROM pql.tick('2026-03-04 12:22');
SELECT * FROM app.rows WHERE subject_id IN ('early', 'late');
SELECT from_state, to_state, reason FROM app.moves WHERE subject_id IN ('early', 'late');
SELECT ready FROM pql.tick('2026-03-05 12:00');
SELECT * FROM app.rows WHERE subject_id = 'early';

-- The prospect's quiet hours, across the night in which the clock of New York goes forward; zones that nobody knows have none.
INSERT INTO app.accounts (id, zone) VALUES ('ny', 'America/New_York'), ('berlin', 'Europe/Berlin'), ('mars', 'Mars/Olympus'), ('none', NULL);
SELECT app.does(org, 'pricing', '2026-03-07 02:00Z') FROM unnest('{ny, berlin, mars, none}'::text[]) AS org;
SELECT subject_id, contact_after, contact_by, context #> '{timing,zone}' AS zone FROM pql.routing WHERE subject_id IN ('ny', 'berlin', 'mars', 'none') ORDER BY 1;
SELECT ready FROM pql.tick('2026-03-07 02:15Z');
UPDATE pql.routing SET contact_after = '2026-03-08 02:30Z', contact_by = '2026-03-08 03:30Z' WHERE subject_id = 'ny'; -- as a session would
SELECT ready FROM pql.tick('2026-03-08 02:30Z');
SELECT * FROM app.rows WHERE subject_id IN ('ny', 'berlin', 'mars', 'none');
SELECT ready FROM pql.tick('2026-03-09 11:59:59Z');
SELECT ready FROM pql.tick('2026-03-09 12:00Z');
-- what comes late doesn't begin at night either
INSERT INTO app.accounts (id, zone) VALUES ('tardy', 'Europe/Berlin');
SELECT app.does('tardy', 'pricing', '2026-03-09 15:00Z');
SELECT ready FROM pql.tick('2026-03-09 22:00Z');
SELECT * FROM app.rows WHERE subject_id = 'tardy';
SELECT ready FROM pql.tick('2026-03-10 07:00Z');
SELECT * FROM app.rows WHERE subject_id = 'tardy';
-- what was decided stays, though the subject moves
UPDATE app.accounts SET zone = 'Asia/Tokyo' WHERE id = 'berlin';
SELECT context #> '{timing,zone}' FROM pql.routing WHERE subject_id = 'berlin';
SELECT * FROM pql.verify();

-- A default for whose zone isn't known, and what is wrong.
SELECT pql.publish(jsonb_set(document, '{quiet_hours,default_zone}', '"Asia/Tokyo"')) FROM pql.program WHERE program = 'when';
SELECT path, change FROM pql.diff_programs('when', 1, 2);
SELECT app.does('elsewhere', 'pricing', '2026-03-10 13:00Z');
SELECT contact_after, context #> '{timing,zone}' FROM pql.routing WHERE subject_id = 'elsewhere';
SELECT c.* FROM (VALUES ('{quiet_hours,default_zone}', '"Mars/Olympus"'), ('{quiet_hours,zone}', '"attr.zoone"'), ('{quiet_hours,zone}', '"attr.seats > 3"'),
    ('{quiet_hours,hours}', '["21-8"]'), ('{motions,0,hold}', '{"sesion": "1 hour"}'), ('{motions,1,not_within,0,milestone}', '"premum"'), ('{signals,limit,contact}', '{}')) AS w(path, value),
  pql.program AS p, pql.check_program(jsonb_set(p.document, w.path::text[], w.value::jsonb)) AS c
  WHERE p.program = 'when' AND p.version = 2;

-- People: what they do anywhere is what they are in the middle of.
SELECT pql.publish($${
  "program": "person", "unit": "user",
  "milestones": {"premium": {"event": "premium"}},
  "signals": {"tries": {"kind": "depth", "event": "try", "window": "7 days", "max_points": 20}},
  "qualify": {"enter": 20},
  "motions": [{"otherwise": true, "motion": "email", "by": "3 hours", "hold": {"session": "1 hour"}, "not_within": [{"milestone": "premium", "for": "2 hours"}]}]}$$);
CALL pql.backfill();
SELECT pql.promote('person');
INSERT INTO app.events (user_id, org_id, name, ts) VALUES ('ada', 'one', 'try', '2026-03-11 10:00'), ('ada', 'two', 'work', '2026-03-11 10:30');
SELECT ready FROM pql.tick('2026-03-11 10:31');
SELECT * FROM app.rows WHERE subject_id = 'ada';
INSERT INTO app.events (user_id, org_id, name, ts) VALUES ('ada', 'two', 'premium', '2026-03-11 10:40');
SELECT ready FROM pql.tick('2026-03-11 10:41');
SELECT * FROM app.rows WHERE subject_id = 'ada';
SELECT ready FROM pql.tick('2026-03-11 12:40');

DROP SCHEMA app CASCADE;
DROP EXTENSION pql CASCADE;
