-- Half a year of a simulated company, up to now: what its product and its CRM have, two teams of reps who work (or don't), what became of
-- hand-offs, a learned model and a pilot. Numbers are drawn by hashes of names: the same in every run, but for the dates.
\set QUIET on
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
CREATE EXTENSION IF NOT EXISTS pql;
CREATE SCHEMA company;
SET search_path = company;

CREATE FUNCTION u(what text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hashtextextended(what, 1) & 1048575) / 1048576.0 $$;
COMMENT ON FUNCTION u(text) IS 'A number from 0 to 1 that is always the same for the same text.';

CREATE TABLE account (id text PRIMARY KEY, plan text NOT NULL, employees int NOT NULL, segment text NOT NULL, starts_at timestamptz NOT NULL,
                      asks_for_sso boolean NOT NULL, team int NOT NULL, calls int NOT NULL, looks int NOT NULL);
INSERT INTO account
SELECT x.id, CASE WHEN u('plan' || x.id) < 0.45 THEN 'team' ELSE 'free' END, x.employees,
       CASE WHEN x.employees < 50 THEN 'small business' WHEN x.employees < 400 THEN 'mid-market' ELSE 'enterprise' END,
       date_trunc('day', now()) - interval '182 days' + x.n * interval '6 hours 30 minutes' + u('start' || x.id) * interval '5 hours',
       u('sso' || x.id) < 0.25 + 0.25 * (x.employees > 200)::int, (u('team' || x.id) * 7)::int, (u('calls' || x.id) * 11)::int, (u('looks' || x.id) * 3)::int
FROM (
  SELECT a.name || '-' || b.name AS id, row_number() OVER (ORDER BY md5(a.name || b.name)) AS n, (4 * exp(6.2 * u('employees' || a.name || b.name)))::int AS employees
  FROM unnest('{amber,birch,cobalt,delta,ember,fjord,granite,harbor,indigo,juniper,kestrel,lumen,meridian,northwind,opal,polar,quarry,river,saffron,tidal,umber,vela,willow,zephyr,summit,cedar}'::text[]) AS a(name),
    unnest('{analytics,biotech,cloud,devices,energy,foods,games,health,insurance,jobs,labs,logistics,media,mobility,optics,payments,retail,robotics,security,sports,studio,systems,telecom,travel,water}'::text[]) AS b(name)) AS x;

CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, who text NOT NULL, org text NOT NULL, name text NOT NULL);
CREATE INDEX ON event (org, at);
CREATE INDEX ON event (who, at);
CREATE TABLE message (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, who text NOT NULL, org text NOT NULL, channel text NOT NULL, body text NOT NULL);

-- What is going to happen, if nobody makes contact.
CREATE TABLE to_come AS
SELECT a.starts_at + e.hours * interval '1 hour' AS at, e.who || '@' || a.id || '.example' AS who, a.id AS org, e.name
FROM account AS a, LATERAL (
  SELECT 0.0 AS hours, 'ada' AS who, 'signup' AS name
  UNION ALL SELECT 1, 'ada', 'project_created'
  UNION ALL SELECT 4, 'ada', 'integration_activated' WHERE u('integrates' || a.id) < 0.7
  UNION ALL SELECT 5, 'ada', 'invite_sent' WHERE a.team > 0
  UNION ALL SELECT 8 + 7 * n, (ARRAY['ben', 'cho', 'dina', 'eli', 'fay', 'gus', 'hana'])[n], 'invite_accepted' FROM generate_series(1, a.team) AS n
  UNION ALL SELECT 3 + 9 * n, (ARRAY['ada', 'ben'])[1 + (n + a.team) % 2], 'api_called' FROM generate_series(1, a.calls) AS n
  UNION ALL SELECT 20 + 30 * n, 'ada', 'pricing_viewed' FROM generate_series(1, a.looks) AS n
  UNION ALL SELECT 34, 'ada', 'sso_requested' WHERE a.asks_for_sso) AS e;
CREATE INDEX ON to_come (at);
CREATE TABLE to_be_said AS
SELECT a.starts_at + interval '32 hours' AS at, 'ada@' || a.id || '.example' AS who, a.id AS org, 'chat' AS channel,
       (ARRAY['Our security team needs SAML first.', 'Do you have an audit log?', 'What are the rate limits of the API?'])[1 + (u('says' || a.id) * 2.9)::int % 3] AS body
FROM account AS a WHERE u('talks' || a.id) < 0.3;

INSERT INTO pql.reps (rep_id, team, capacity, weekly_capacity, weight, skills) VALUES
  ('ann', 'commercial', 30, 7, 1, '{}'), ('bo', 'commercial', 30, 7, 1, '{}'), ('chi', 'commercial', 15, 4, 0.5, '{}'),
  ('dee', 'enterprise', 20, 5, 1, '{security}'), ('eli', 'enterprise', 20, 5, 1, '{security}');

SELECT pql.attach('event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event') \g /dev/null
SELECT pql.attach_accounts('account', account_id => 'id') \g /dev/null
SELECT pql.attach_conversations('message', user_id => 'who', body => 'body', occurred_at => 'at', account_id => 'org', channel => 'channel') \g /dev/null
UPDATE pql.source SET max_event_age = '10000 days'; -- what is old counts here
SELECT pql.publish('{
  "program": "team_rollout", "unit": "account", "objective": "conversion",
  "milestones": {"signed_up": {"event": "signup"}, "created_a_project": {"event": "project_created"}, "connected_an_integration": {"event": "integration_activated"},
                 "invited_teammates": {"event": "invite_sent"}, "asked_for_single_sign_on": {"event": "sso_requested"}},
  "activation": {"steps": ["signed_up", "created_a_project", "connected_an_integration", "invited_teammates"], "within": "14 days"},
  "signals": {
    "activation":     {"kind": "activation", "milestone": "activation_complete", "max_points": 15, "why": "set it up with teammates within two weeks"},
    "teammates":      {"kind": "breadth", "event": "invite_accepted", "half_life": "14 days", "points_each": 5, "max_points": 25, "why": "colleagues accepted their invitations"},
    "api_usage":      {"kind": "depth", "event": "api_called", "half_life": "7 days", "points_each": 3, "max_points": 20, "why": "their own systems call the API"},
    "single_sign_on": {"kind": "intent", "event": "sso_requested", "half_life": "14 days", "points_each": 26, "max_points": 25, "why": "asked for what only the enterprise plan has"},
    "pricing":        {"kind": "intent", "event": "pricing_viewed", "half_life": "7 days", "points_each": 5, "max_points": 15, "may_mention": false, "why": "looked at prices"}},
  "qualify": {"enter": 45, "leave": 20},
  "guardrails": [{"block_when": "attr.employees < 6", "reason": "tiny account"}],
  "motions": [
    {"when": "signal.single_sign_on > 0", "motion": "enterprise", "after": "0", "by": "12 hours", "skills": ["security"],
     "next_best_action": "Answer their security questions, and offer a trial of single sign-on."},
    {"otherwise": true, "motion": "account_executive", "after": "0", "by": "24 hours", "next_best_action": "Plan the next team''s roll-out with them."}],
  "outcome": {"horizon": "45 days"}, "holdout": 0.1, "known": {"plan": "attr.plan", "employees": "attr.employees"}
}') \g /dev/null
SELECT pql.promote('team_rollout') \g /dev/null

-- What reps and customers do until an instant.
CREATE TABLE told (subject_id text PRIMARY KEY);
CREATE FUNCTION live(t timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r record;
  a company.account;
  rep text; -- whose it is, or else whoever is there
BEGIN
  FOR r IN SELECT x.*, d.at AS reaches_out_at FROM pql.routing AS x, LATERAL (
      SELECT x.contact_after + (0.3 + 24 * u('delay' || x.subject_id) ^ 2 * CASE x.owner WHEN 'bo' THEN 4 WHEN 'eli' THEN 2 WHEN 'dee' THEN 0.7 ELSE 1 END) * interval '1 hour' AS at) AS d
    WHERE x.state = 'ready' AND u('never' || x.subject_id) > 0.08 AND d.at <= t ORDER BY x.routing_id
  LOOP
    rep := coalesce(r.owner, 'ann');
    CONTINUE WHEN NOT EXISTS (SELECT FROM pql.claim(rep, 1, r.routing_id)); -- has as many as can be taken
    IF u('declines' || r.subject_id) < 0.05 THEN
      PERFORM pql.decline(r.routing_id, 'no time this week');
      CONTINUE;
    END IF;
    PERFORM pql.accept(r.routing_id);
    CONTINUE WHEN u('forgets' || r.subject_id) < 0.05;
    PERFORM pql.touch(r.routing_id, (ARRAY['phone', 'email', 'chat'])[1 + (u('by' || r.subject_id) * 2.9)::int % 3], NULL, r.reaches_out_at);
  END LOOP;
  FOR r IN SELECT * FROM pql.routing AS x WHERE x.state = 'touched' AND x.first_touch_at + interval '3 days' <= t ORDER BY x.routing_id LOOP
    SELECT * INTO a FROM company.account AS x WHERE x.id = r.subject_id;
    PERFORM pql.touch(r.routing_id, 'email');
    PERFORM pql.dispose(r.routing_id,
      CASE WHEN u('meets' || r.subject_id) < 0.15 + 0.4 * a.asks_for_sso::int + 0.05 * a.team THEN 'meeting_set' WHEN u('says' || r.subject_id) < 0.3 THEN 'no_response'
           WHEN u('says' || r.subject_id) < 0.5 THEN 'disqualified' WHEN u('says' || r.subject_id) < 0.6 THEN 'nurture' ELSE 'contacted' END,
      need_matched => CASE WHEN u('answers' || r.subject_id) < 0.7 THEN u('need' || r.subject_id) < 0.5 + 0.4 * a.asks_for_sso::int END,
      timing_right => CASE WHEN u('answers' || r.subject_id) < 0.6 THEN u('timing' || r.subject_id) < 0.8 END,
      context_enough => CASE WHEN u('answers' || r.subject_id) < 0.6 THEN u('context' || r.subject_id) < 0.9 END);
  END LOOP;
  -- Three weeks after, more or less, some buy: those who asked for single sign-on, teams, and those who were called.
  FOR r IN SELECT DISTINCT ON (x.subject_id) x.* FROM pql.routing AS x WHERE x.qualified_at + (10 + 25 * u('when' || x.subject_id)) * interval '1 day' <= t
    AND x.qualified_at > t - interval '40 days' AND NOT EXISTS (SELECT FROM company.told AS d WHERE d.subject_id = x.subject_id) ORDER BY x.subject_id, x.routing_id
  LOOP
    INSERT INTO company.told VALUES (r.subject_id);
    SELECT * INTO a FROM company.account AS x WHERE x.id = r.subject_id;
    IF u('buys' || r.subject_id) < 0.02 + 0.24 * a.asks_for_sso::int + 0.035 * a.team + 0.16 * (r.first_touch_at IS NOT NULL)::int THEN
      PERFORM pql.record_outcome(r.subject_id, 'opportunity', NULL, t - interval '5 days');
      PERFORM pql.record_outcome(r.subject_id, 'paid', round((1200 + 9 * a.employees * (1 + u('worth' || r.subject_id)))::numeric, -2), t);
    ELSIF u('leaves' || r.subject_id) < 0.05 THEN
      PERFORM pql.record_outcome(r.subject_id, 'churned', NULL, t);
    END IF;
  END LOOP;
END $$;

CREATE PROCEDURE days(first int, last int) LANGUAGE plpgsql AS $$
DECLARE
  t timestamptz;
BEGIN
  FOR n IN 3 * first .. 3 * last - 1 LOOP
    t := date_trunc('day', now()) - interval '182 days' + n * interval '8 hours';
    EXIT WHEN t > now();
    INSERT INTO company.event (at, who, org, name) SELECT c.at, c.who, c.org, c.name FROM company.to_come AS c WHERE c.at > t - interval '8 hours' AND c.at <= t ORDER BY c.at;
    INSERT INTO company.event (at, who, org, name) VALUES (t, 'monitor@status.example', 'status', 'looked');
    INSERT INTO company.message (at, who, org, channel, body) SELECT c.at, c.who, c.org, c.channel, c.body FROM company.to_be_said AS c WHERE c.at > t - interval '8 hours' AND c.at <= t ORDER BY c.at;
    PERFORM pql.tick();
    PERFORM company.live(t);
    COMMIT;
  END LOOP;
END $$;

CALL days(0, 98);
SELECT pql.save_draft((SELECT jsonb_set(document, '{qualify,enter}', '35') FROM pql.program WHERE program = 'team_rollout' AND status = 'live'), 'more of those on the team plan') \g /dev/null
SELECT pql.start_pilot('team_rollout', 'attr.plan = ''team''', '75 days', 0.3, 0.3, 0.15, max_share => 0.7, targets => '{"meeting_rate": 0.2, "hours_to_first_touch": 24}',
                       override => 'a small pilot is better than none') \g /dev/null
CALL days(98, 110);
SELECT count(*) FROM pql.propose_program('team_rollout', date_trunc('day', now()) - interval '72 days') \g /dev/null
CALL days(110, 183);
SELECT count(*) FROM pql.tick() \g /dev/null
ANALYZE;
