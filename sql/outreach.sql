-- What is sent to people who didn't ask for it: templates, what they may say, when nothing more is sent.
-- covers: S2-6, S2-28, S2-29, S2-30, S2u-8, S2u-10, S1-42
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA outreach;
CREATE TABLE outreach.ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON outreach.ev (org, ts);
CREATE TABLE outreach.org (id text PRIMARY KEY, company text, seats int, renews_at timestamptz, signed_on date, plan text, tickets int DEFAULT 0);
SELECT count(*) > 0 FROM pql.attach('outreach.ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
INSERT INTO outreach.org VALUES ('acme', 'Acme', 37, '2026-04-01 23:30+00', '2025-12-24', 'team'), ('bolt', NULL, NULL, NULL, NULL, NULL), ('cora', E'Cora https://evil.example/x', 3, 'infinity', NULL, 'free'),
  ('dyne', 'Dyne', 4, '2026-03-20', NULL, 'free'), ('eton', E'Eton\r\n\tBcc: all@example.org\u200b', 5, NULL, NULL, 'free');
SELECT count(*) > 0 FROM pql.attach_accounts('outreach.org', account_id => 'id');

CREATE TABLE outreach.doc AS SELECT jsonb $${"program": "teams", "unit": "account", "objective": "conversion",
  "milestones": {"signed_up": {"event": "signup"}, "integrated": {"event": "integration_activated"}, "invited": {"event": "invite_sent"}},
  "activation": {"steps": ["signed_up", "integrated", "invited"], "within": "30 days"},
  "signals": {"builds": {"kind": "depth", "event": "build_run", "half_life": "700 days", "points_each": 10, "max_points": 50, "why": "runs builds"},
              "pricing": {"kind": "intent", "event": "pricing_viewed", "half_life": "700 days", "points_each": 10, "max_points": 20, "may_mention": false, "why": "looked at prices"},
              "hidden": {"kind": "intent", "event": "secret_seen", "half_life": "700 days", "points_each": 1, "max_points": 2, "may_show_rep": false}},
  "qualify": {"enter": 20, "leave": 1},
  "motions": [{"when": "attr.seats = 4", "motion": "in_app", "by": "10 days"},
              {"otherwise": true, "motion": "inside_sales", "channel": "email", "after": "1 hour", "by": "20 days"}],
  "guardrails": [{"block_when": "attr.tickets > 0", "reason": "open ticket"}],
  "outreach": {"may_mention": ["attr.company", "attr.seats", "attr.renews_at", "attr.signed_on", "attr.plan"],
    "stop": {"unanswered": 2, "pause": "2 days", "most": 5, "per": "20 days"},
    "templates": {
      "setup": {"motion": "inside_sales", "channel": "email", "subject": "A hand with {{next}}",
        "body": "Hi {{company}} team,\n\nteams of your size use {{topic}} most with {{next}} done. I help with that: {{ask}}\n\n{{opt_out}}",
        "ask": "would ten minutes on Tuesday at 10:30 suit you?", "opt_out": "A short no is enough, and I won't write again.",
        "variables": {"company": {"type": "text", "from": "attr.company", "default": "your"},
                      "topic": {"type": "text", "from": "signal.builds", "say": "builds"},
                      "next": {"type": "text", "from": "activation.next", "say": {"signed_up": "an account", "integrated": "your repository connected", "invited": "the whole team"}}}},
      "values": {"motion": ["inside_sales", "in_app"], "subject": "Plan {{plan}}", "body": "{{company}}: {{seats}} seats, until {{until}}, {{left}} from now, since {{since}}. {{ask}}", "ask": "Is that right?",
        "variables": {"company": {"type": "text", "from": "attr.company"}, "seats": {"type": "number", "from": "attr.seats"}, "until": {"type": "date", "from": "attr.renews_at", "default": "further notice"},
                      "left": {"type": "until", "from": "attr.renews_at", "default": "a while"}, "since": {"type": "date", "from": "attr.signed_on", "default": "last year"},
                      "plan": {"type": "text", "from": "attr.plan", "say": {"team": "Team"}}}},
      "rest": {"motion": "inside_sales", "channel": "email", "subject": "For your {{start}}", "body": "I help with {{open}}, by {{offer}}. {{ask}}", "ask": "Is that useful?",
        "variables": {"start": {"type": "text", "from": "milestone.signed_up", "say": "first project", "default": "team"}, "offer": {"type": "text", "from": "offer", "default": "a call"},
                      "open": {"type": "list", "from": "activation.skipped", "say": {"signed_up": "an account", "integrated": "your repository", "invited": "the team"}}}},
      "nudge": {"motion": "in_app", "body": "For {{who}}. {{ask}}", "ask": "Let me know.", "variables": {"who": {"type": "text", "from": "people"}}}}}}$$ AS d;
SELECT * FROM outreach.doc, pql.check_program(d);

-- what is refused when it is published, beyond what the unit tests have: what the database knows
SELECT c.* FROM outreach.doc, pql.check_program(jsonb_set(d, '{outreach,may_mention}', '["attr.company", "attr.seats", "attr.renews_at", "attr.signed_on", "attr.plan", "attr.shoe_size"]')) AS c;
SELECT c.* FROM outreach.doc, pql.check_program(jsonb_set(d, '{outreach,templates,values,variables,until,from}', '"attr.seats"')) AS c;
SELECT c.* FROM outreach.doc, pql.check_program(jsonb_set(d, '{outreach,templates,values,variables,seats,from}', '"attr.plan"')) AS c;
SELECT c.* FROM outreach.doc, pql.check_program(jsonb_set(jsonb_set(d, '{unit}', '"user"'), '{outreach,may_mention}', '["attr.name", "account.company"]') #- '{outreach,templates}' #- '{motions,0}' #- '{guardrails}') AS c;
SELECT c.* FROM outreach.doc, pql.check_program(jsonb_set(d, '{outreach,templates,setup,body}', '"We noticed you clicked pricing_viewed 4 times this week. {{ask}} {{opt_out}}"')) AS c;
SELECT c.* FROM outreach.doc, pql.check_program(jsonb_set(d, '{outreach,templates,setup,variables,topic,from}', '"signal.pricing"')) AS c;
SELECT pql.publish(jsonb_set(d, '{outreach,templates,setup,variables,topic,from}', '"signal.hidden"')) FROM outreach.doc;
SELECT pql.publish(d) FROM outreach.doc;
SELECT pql.promote('teams');
SELECT unit, name FROM pql.attribute_use ORDER BY 1, 2;

INSERT INTO outreach.ev (ts, who, org, name) SELECT '2026-03-02 09:00', 'u', o, 'signup' FROM unnest('{acme,bolt,cora,dyne,eton}'::text[]) AS o;
INSERT INTO outreach.ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'u', 'bolt', 'invite_sent');
INSERT INTO outreach.ev (ts, who, org, name) SELECT '2026-03-02 09:00'::timestamptz + n * interval '1 minute', 'u', o, e
  FROM unnest('{acme,bolt,cora,dyne,eton}'::text[]) AS o, generate_series(1, 3) AS n, unnest('{build_run,pricing_viewed,secret_seen}'::text[]) AS e;
INSERT INTO outreach.ev (ts, who, org, name) VALUES ('2026-03-02 12:00', 'u', 'zzz', 'tick');
SELECT ready FROM pql.tick();
CREATE FUNCTION outreach.row(org text) RETURNS bigint LANGUAGE sql STABLE AS $$SELECT max(routing_id) FROM pql.routing WHERE subject_id = org$$;
CREATE FUNCTION outreach.stopped(org text, template text DEFAULT 'setup') RETURNS text LANGUAGE sql AS $$SELECT stopped_because FROM pql.render_outreach(outreach.row(org), template)$$;

-- rendering
SELECT subject, body, channel, stopped_because, warnings FROM pql.render_outreach(outreach.row('acme'), 'setup');
SELECT jsonb_pretty(rests_on) FROM pql.render_outreach(outreach.row('acme'), 'setup');
SELECT subject, body, warnings FROM pql.render_outreach(outreach.row('acme'), 'values');
SELECT subject, body, channel, warnings FROM pql.render_outreach(outreach.row('dyne'), 'values');
SELECT body, warnings FROM pql.render_outreach(outreach.row('dyne'), 'nudge');
-- an attribute that isn't there: the default, or a refusal, and never a gap
SELECT body, warnings FROM pql.render_outreach(outreach.row('bolt'), 'setup');
SELECT * FROM pql.render_outreach(outreach.row('bolt'), 'values');
-- what a value brings in
SELECT * FROM pql.render_outreach(outreach.row('cora'), 'setup');
SELECT body FROM pql.render_outreach(outreach.row('eton'), 'setup');
UPDATE outreach.org SET company = 'pricing_viewed' WHERE id = 'eton';
SELECT outreach.stopped('eton');
UPDATE outreach.org SET company = 'Eton' WHERE id = 'eton';
-- what has been done since isn't offered help with
INSERT INTO outreach.ev (ts, who, org, name) VALUES ('2026-03-02 13:00', 'u', 'eton', 'integration_activated');
SELECT outreach.stopped('eton');
-- steps that were left out; what the packet says of milestones and offers
SELECT subject, body, warnings FROM pql.render_outreach(outreach.row('bolt'), 'rest');
UPDATE pql.routing SET context = context || '{"offer": "an audit", "milestones": [{"name": "signed_up", "event_id": "1", "may_mention": true}]}' WHERE subject_id = 'bolt';
SELECT subject, body, rests_on -> 2 AS start, warnings FROM pql.render_outreach(outreach.row('bolt'), 'rest');
SELECT outreach.stopped('acme', 'rest');
-- unknown and missing
SELECT * FROM pql.render_outreach(outreach.row('acme'), 'setpu');
SELECT * FROM pql.render_outreach(NULL, 'setup');
SELECT * FROM pql.render_outreach(1, NULL);
SELECT count(*) FROM pql.render_outreach(-1, 'setup');
SELECT outreach.stopped('acme', 'nudge');

-- stop rules
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'acme', 'email', false, '2026-03-02 12:30');
SELECT outreach.stopped('acme');
DELETE FROM pql.consent;
SELECT outreach.stopped('acme');
UPDATE outreach.org SET tickets = 1 WHERE id = 'acme';
SELECT outreach.stopped('acme');
UPDATE outreach.org SET tickets = 0 WHERE id = 'acme';
SELECT outreach.stopped('acme');
INSERT INTO pql.reps (rep_id, weight) VALUES ('ann', 1), ('ben', 0);
INSERT INTO pql.account_owner VALUES ('dyne', 'ben');
SELECT ready FROM pql.tick('2026-03-02 16:00');
SELECT state FROM pql.claim('ann', 1, outreach.row('acme'));
SELECT outreach.stopped('acme');
-- while it is theirs, a ticket is opened
UPDATE outreach.org SET tickets = 1 WHERE id = 'acme';
SELECT state, outreach.stopped('acme') FROM pql.routing WHERE subject_id = 'acme';
UPDATE outreach.org SET tickets = 0 WHERE id = 'acme';
SELECT state FROM pql.touch(outreach.row('acme'), 'email');
SELECT outreach.stopped('acme');
-- the same days later, and after two touches
INSERT INTO outreach.ev (ts, who, org, name) VALUES ('2026-03-05 12:00', 'u', 'zzz', 'tick');
SELECT outreach.stopped('acme'), body IS NOT NULL FROM pql.render_outreach(outreach.row('acme'), 'setup');
SELECT state FROM pql.touch(outreach.row('acme'), 'email');
INSERT INTO outreach.ev (ts, who, org, name) VALUES ('2026-03-08 12:00', 'u', 'zzz', 'tick');
SELECT outreach.stopped('acme');
SELECT state FROM pql.dispose(outreach.row('acme'), 'meeting_set');
SELECT outreach.stopped('acme');
SELECT outreach.stopped('cora', 'values');
SELECT pql.record_outcome('bolt', 'paid', 100, '2026-03-07 12:00') IS NOT NULL;
SELECT outreach.stopped('bolt');

-- another program's rep is at work on the account
SELECT pql.publish('{"program": "calls", "unit": "account", "signals": {"builds": {"kind": "depth", "event": "build_run", "half_life": "700 days", "max_points": 50}}, "qualify": {"enter": 1}, "consent": "opt_in",
  "motions": [{"otherwise": true, "motion": "inside_sales"}], "outreach": {"templates": {"hello": {"motion": "inside_sales", "channel": "sms", "body": "{{ask}}", "ask": "Is ten minutes all right?"}}}}');
SELECT pql.promote('calls', 'all');
SELECT pql.tick('2026-03-09 16:00') IS NOT NULL;
SELECT state FROM pql.claim('ben', 1, (SELECT routing_id FROM pql.routing WHERE program = 'calls' AND subject_id = 'dyne'));
SELECT stopped_because FROM pql.routing AS r, pql.render_outreach(r.routing_id, 'values') WHERE r.program = 'teams' AND r.subject_id = 'dyne';

-- by a channel to which nobody has agreed
SELECT stopped_because, body FROM pql.routing AS r, pql.render_outreach(r.routing_id, 'hello') WHERE r.program = 'calls' AND r.subject_id = 'dyne';
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'dyne', 'sms', true, '2026-03-02 12:30');
SELECT stopped_because, body FROM pql.routing AS r, pql.render_outreach(r.routing_id, 'hello') WHERE r.program = 'calls' AND r.subject_id = 'dyne';
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) VALUES ('account', 'dyne', '', false, '2026-03-03 12:30');
SELECT stopped_because, body FROM pql.routing AS r, pql.render_outreach(r.routing_id, 'hello') WHERE r.program = 'calls' AND r.subject_id = 'dyne';

-- who sees the row, and nobody else
CREATE ROLE regress_pql_ann;
CREATE ROLE regress_pql_ben;
CREATE ROLE regress_pql_nobody;
INSERT INTO outreach.ev (ts, who, org, name) SELECT '2026-03-08 09:00', 'u', 'fern', 'build_run' FROM generate_series(1, 3);
INSERT INTO outreach.org VALUES ('fern', 'Fern', 9);
UPDATE pql.reps SET weight = 1, db_role = 'regress_pql_' || rep_id, team = rep_id;
INSERT INTO pql.account_owner VALUES ('fern', 'ann');
SELECT count(*) FROM pql.tick('2026-03-09 16:00');
SELECT owner, state FROM pql.routing WHERE program = 'teams' AND subject_id = 'fern';
SELECT routing_id AS fern FROM pql.routing WHERE program = 'teams' AND subject_id = 'fern' \gset
GRANT SELECT ON pql.routing TO regress_pql_ann, regress_pql_ben;
SET ROLE regress_pql_ann;
SELECT subject, stopped_because FROM pql.render_outreach(:fern, 'setup');
SELECT pql._render_outreach(:fern, 'setup');
SET ROLE regress_pql_ben;
SELECT count(*) FROM pql.render_outreach(:fern, 'setup');
SET ROLE regress_pql_nobody;
SELECT count(*) FROM pql.render_outreach(:fern, 'setup');
RESET ROLE;
-- a row is rendered by the version that it was decided by, also when that is gone
SELECT pql.publish(jsonb_set(d, '{outreach,templates,setup,ask}', '"Would a template help?"')) FROM outreach.doc;
SELECT substr(body, strpos(body, ': ') + 2, 20) FROM pql.render_outreach(:fern, 'setup');
SELECT pql.retire('teams');
SELECT substr(body, strpos(body, ': ') + 2, 20) FROM pql.render_outreach(:fern, 'setup');
SELECT path, change FROM pql.diff_programs('teams', 1, 2);
-- a published text that a later version wouldn't publish: the program stays in force, the text is refused
ALTER TABLE pql.program DISABLE TRIGGER ALL;
UPDATE pql.program SET document = jsonb_set(document, '{outreach,templates,setup,subject}', '"We noticed you, {{next}}"') WHERE program = 'teams' AND version = 1;
ALTER TABLE pql.program ENABLE TRIGGER ALL;
SELECT stopped_because FROM pql.render_outreach(:fern, 'setup');
-- nothing is written
BEGIN READ ONLY;
SELECT count(*) FROM pql.render_outreach(:fern, 'setup');
COMMIT;

DROP OWNED BY regress_pql_ann, regress_pql_ben, regress_pql_nobody;
DROP EXTENSION pql CASCADE;
DROP SCHEMA outreach CASCADE;
DROP ROLE regress_pql_ann, regress_pql_ben, regress_pql_nobody;
