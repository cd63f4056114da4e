-- The seam between product and sales, from the first event to what the next hand-off knows: one table of events, one of what people said,
-- one program, two reps. Each part has tests of its own; this one is about what they do together.
-- covers: S1-8, S1-13, S1-15, S1-16, S1-17, S1-22, S1-38, S1-41, S2u-7
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\pset null '(null)'
\pset format unaligned
\pset footer off

CREATE SCHEMA seam;
SET search_path = seam;
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE TABLE orgs (id text PRIMARY KEY, plan text, seats int);
CREATE TABLE said (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, channel text, body text);
INSERT INTO orgs VALUES ('acme', 'team', 8), ('solo', 'free', 1);
INSERT INTO pql.reps (rep_id, skills) VALUES ('ann', '{security}'), ('bob', '{}');
SELECT count(*) > 0 AS attached FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) > 0 AS attached FROM pql.attach_accounts('orgs', account_id => 'id');
SELECT count(*) > 0 AS attached FROM pql.attach_conversations('said', user_id => 'who', account_id => 'org', body => 'body', occurred_at => 'ts', channel => 'channel', conversation_id => 'id');
SELECT pql.publish($${"program": "seam", "unit": "account", "objective": "expansion",
  "milestones": {"signed_up": {"event": "signup"}, "invited": {"event": "invite"}, "went_live": {"event": "deploy"}},
  "activation": {"steps": ["signed_up", "invited", "went_live"], "within": "30 days"},
  "signals": {
    "queries": {"kind": "depth", "event": "query", "half_life": "7 days", "saturates_at": 4, "max_points": 20, "why": "runs queries every day"},
    "limit": {"kind": "intent", "event": "limit", "half_life": "7 days", "max_points": 40, "why": "reached the limit of the plan"},
    "procurement": {"kind": "intent", "topic": "enterprise_procurement", "half_life": "30 days", "max_points": 40, "why": "asks what procurement asks"},
    "failing": {"kind": "risk", "event": "error", "measure": "count", "window": "1 day", "max_points": 0}},
  "qualify": {"enter": 40, "leave": 20, "cool_down": "1 day"},
  "known": {"seats": "attr.seats"},
  "motions": [
    {"when": "signal.failing > 2", "motion": "customer_success", "by": "4 hours", "next_best_action": "Solve the error before anything else."},
    {"when": "users_active = 1 and attr.plan = 'free'", "motion": "in_app", "by": "1 day", "next_best_action": "Show what the next plan allows."},
    {"when": "signal.procurement > 0", "motion": "enterprise", "skills": ["security"], "after": "30 minutes", "by": "1 day", "next_best_action": "Bring the security pack."},
    {"otherwise": true, "motion": "account_executive", "after": "1 day", "by": "3 days", "next_best_action": "Plan the roll-out."}],
  "outreach": {"may_mention": ["attr.plan"], "templates": {"follow_up": {"motion": "enterprise", "subject": "Single sign-on",
    "body": "Teams on plan {{plan}} set up single sign-on with us in an hour. {{ask}}", "ask": "Does Tuesday suit you?", "variables": {"plan": {"type": "text", "from": "attr.plan"}}}}}}$$);
SELECT pql.promote('seam');

--
-- One person on a free plan at its limit: a nudge in the product, and nobody's work.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'sol', 'solo', 'signup'), ('2026-03-02 10:00', 'sol', 'solo', 'limit');
SELECT ready, assigned FROM pql.tick('2026-03-02 10:00');
SELECT subject_id, motion, next_best_action, owner, state FROM pql.routing;
SELECT count(*) AS claimed FROM pql.claim('ann', 10);

--
-- A team: behaviour, and what it says. One row, in one place, for whoever knows about security; when things fail, for customer success instead.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'ada@acme.com', 'acme', 'signup'), ('2026-03-02 09:30', 'ada@acme.com', 'acme', 'invite');
INSERT INTO ev (ts, who, org, name) SELECT timestamptz '2026-03-03 09:00' + n * interval '10 minutes', 'ben@acme.com', 'acme', 'query' FROM generate_series(1, 4) AS n;
INSERT INTO said (ts, who, org, channel, body) VALUES
  ('2026-03-03 10:00', 'ben@acme.com', 'acme', 'onboarding call', 'Our security team needs SAML before we can give this to the other departments.');
SELECT ready, assigned FROM pql.tick('2026-03-03 10:30');
SELECT subject_id, motion, owner, state, contact_after, contact_by FROM pql.routing WHERE subject_id = 'acme';
INSERT INTO ev (ts, who, org, name) SELECT timestamptz '2026-03-03 10:40' + n * interval '1 minute', 'ben@acme.com', 'acme', 'error' FROM generate_series(1, 5) AS n;
SELECT subject_id, motion, next_best_action FROM pql.routing WHERE subject_id = 'acme';
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-04 11:00', 'ada@acme.com', 'acme', 'query');
SELECT ready, assigned FROM pql.tick('2026-03-04 11:00');
SELECT subject_id, motion, next_best_action, owner, state FROM pql.routing WHERE subject_id = 'acme';
-- one account, one row that is open, whatever applies
SELECT account_id, count(*) FILTER (WHERE state NOT IN ('disposed', 'expired', 'suppressed')) AS open FROM pql.routing GROUP BY 1 ORDER BY 1;
-- no row without what is to be done, and without its context
SELECT count(*) AS rows, count(*) FILTER (WHERE next_best_action <> '') AS say_what_to_do, count(*) FILTER (WHERE jsonb_array_length(context -> 'reasons') > 0) AS have_context FROM pql.routing;

--
-- The five components, of the team's row: enrichment, motion, timing, conversation; feedback is below.
--

CREATE FUNCTION row_of(subject text) RETURNS bigint LANGUAGE sql RETURN (SELECT max(r.routing_id) FROM pql.routing AS r WHERE r.subject_id = $1);
SELECT jsonb_object_keys(pql.packet(row_of('acme'))) AS key ORDER BY 1;
SELECT story FROM pql.story(row_of('acme')) AS story;
SELECT rep_id, verdict, chosen FROM pql.explain_route(row_of('acme')) ORDER BY chosen DESC, rep_id COLLATE "C";
SELECT topic, channel, quote FROM pql.intent ORDER BY topic COLLATE "C";
-- what assistants build on: the story above, what any text means, messages to ask, the CRM's stage, and a draft (below)
SELECT topic FROM pql.match_topics('We hit your rate limits every night.');
SELECT user_id FROM pql.search_conversations('SAML');
SELECT stage FROM pql.lifecycle WHERE subject_id = 'acme';

--
-- The answer takes one call. What it says is read again by whoever gets the next row, and nobody asks twice.
--

SELECT state FROM pql.claim('ann', 1, row_of('acme'));
SELECT state FROM pql.touch(row_of('acme'), 'phone');
SELECT state, disposition FROM pql.dispose(row_of('acme'), 'nurture', true, false, true, 'Decided by their CFO in April, after the audit.', 'timing');
SELECT stage FROM pql.lifecycle WHERE subject_id = 'acme';
SELECT pql.record_outcome('acme', 'churned', NULL, '2026-03-20') > 0 AS recorded;
-- What a bad hand-off entails is measured, of each week and motion: what was preserved, whether motion and moment fitted, who was lost after it.
SELECT motion, offered, accepted, touched, round(completeness::numeric, 2) AS completeness, need_fit, timing_fit, context_fit, feedback, lost_after, churn_after_handoff, burnt
FROM pql.handoff_measures ORDER BY motion COLLATE "C";
SELECT rep, handoffs FROM pql.rep_performance WHERE handoffs > 0;

-- They come back: another row, for the same rep, which says what is known.
INSERT INTO ev (ts, who, org, name) SELECT timestamptz '2026-05-04 09:00' + n * interval '10 minutes', 'ada@acme.com', 'acme', 'limit' FROM generate_series(1, 2) AS n;
SELECT ready FROM pql.tick('2026-05-05 12:00');
SELECT motion, state, qualification FROM pql.routing WHERE routing_id = row_of('acme');
SELECT k ->> 'label' AS label, k ->> 'value' AS value FROM jsonb_array_elements(pql.packet(row_of('acme')) -> 'known') AS k;
SELECT subject, body FROM pql.render_outreach(row_of('acme'), 'follow_up');

DROP EXTENSION pql CASCADE;
DROP SCHEMA seam CASCADE;
