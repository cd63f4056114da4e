-- The context packet and its story: twelve accounts of a simulated company, as a salesperson reads them.
-- covers: S1-18 S1-19 S1-20 S1-29 S1-30 S1-31 S1-32 S1-33 S1-34 S1-47 S1-49 S2-29 S2u-10 S3-9 S3-14 S3-16
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA simulated;
CREATE TABLE simulated.ev (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, ts timestamptz NOT NULL, who text NOT NULL, org text, name text NOT NULL);
CREATE INDEX ON simulated.ev (org, ts);
CREATE INDEX ON simulated.ev (who, ts);
CREATE TABLE simulated.accounts (id text PRIMARY KEY, plan text, segment text, seats int, employees int, credit_risk int, crm_tool text);
SELECT count(*) > 0 FROM pql.attach('simulated.ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) > 0 FROM pql.attach_accounts('simulated.accounts', account_id => 'id');
INSERT INTO simulated.accounts VALUES
  ('acme', 'team', 'mid-market', 12, 140, 1, 'Salesforce'), ('bolt', 'free', 'small', 1, 1, 1, NULL), ('cargo', 'team', 'mid-market', 6, 90, 1, 'HubSpot'),
  ('delta', 'team', 'start-up', 5, 25, 1, NULL), ('echo', 'trial', 'mid-market', 20, 300, 1, NULL), ('fjord', 'business', 'enterprise', 40, 2000, 1, 'Salesforce'),
  ('gamma', 'team', 'small', 3, 12, 1, NULL), ('hotel', 'team', 'mid-market', 9, 80, 1, NULL), ('iris', NULL, NULL, NULL, NULL, NULL, NULL),
  ('jäde *&* [co]', 'trial', 'small', 2, 8, 1, NULL), ('kite', 'team', 'mid-market', 7, 60, 9, NULL), ('lumen', 'team', 'mid-market', 8, 75, 1, NULL);

SELECT pql.publish($${"program": "rollout", "unit": "account",
  "milestones": {"signed_up": {"event": "signup"}, "connected_a_source": {"event": "connect"}, "invited_teammates": {"event": "invite"},
                 "went_live": {"event": "deploy"}, "asked_for_single_sign_on": {"event": "sso"}, "was_checked_for_credit": {"event": "credit_check"}},
  "activation": {"steps": ["signed_up", "invited_teammates", "connected_a_source"], "order": "any_order", "within": "30 days"},
  "measures": {"hours": {"measure": "time_in_product", "event": "*", "gap": "1 hour", "window": "28 days"}},
  "signals": {
    "set_up": {"kind": "activation", "milestone": "activation_complete", "max_points": 20, "why": "finished the set-up"},
    "single_sign_on": {"kind": "intent", "event": "sso", "half_life": "14 days", "max_points": 30, "why": "asked for single sign-on, which only Business has"},
    "queries": {"kind": "depth", "event": "query", "half_life": "7 days", "saturates_at": 20, "max_points": 25, "why": "runs queries every day"},
    "colleagues": {"kind": "breadth", "measure": "distinct_users", "event": "*", "window": "14 days", "over": 2, "max_points": 10, "why": "more and more colleagues use it"},
    "live": {"kind": "activation", "milestone": "went_live", "max_points": 15, "why": "went live"},
    "limit": {"kind": "intent", "event": "limit", "half_life": "7 days", "max_points": 40, "why": "reached the limit of the plan"},
    "pricing": {"kind": "intent", "event": "pricing", "half_life": "3 days", "max_points": 20, "may_mention": false, "why": "compared the plans"},
    "credit": {"kind": "fit", "event": "credit_check", "half_life": "90 days", "max_points": 15, "may_show_rep": false, "why": "passed the secret credit check"},
    "risky": {"kind": "fit", "value": "case when attr.credit_risk > 5 then 5 else 0 end", "max_points": 5, "may_show_rep": false},
    "procurement": {"kind": "intent", "topic": "enterprise_procurement", "half_life": "30 days", "max_points": 30, "why": "talks about procurement"},
    "integration": {"kind": "intent", "topic": "technical_integration", "half_life": "30 days", "max_points": 30, "why": "plans to build on the API"},
    "competition": {"kind": "intent", "topic": "competitive_urgency", "half_life": "14 days", "max_points": 40, "may_mention": false, "why": "compares vendors"},
    "failing": {"kind": "risk", "event": "error", "window": "7 days", "saturates_at": 5, "max_points": 40, "why": "runs into the same error again and again"}},
  "qualify": {"enter": 50, "leave": 30, "cool_down": "1 day"},
  "known": {"team size": {"value": "attr.seats", "may_mention": true}, "CRM": "attr.crm_tool"},
  "motions": [
    {"when": "signal.failing > 3", "motion": "customer_success", "by": "4 hours", "next_best_action": "Solve the error before anything else.", "offer": "a quick audit of their set-up", "play": {"never": "An upgrade."}},
    {"when": "users_active = 1 and attr.plan = 'free'", "motion": "in_app", "by": "1 day"},
    {"when": "signal.competition > 0", "motion": "account_executive", "by": "4 hours", "next_best_action": "Ask what decides it for them, and by when.", "offer": "a side-by-side trial plan", "floor": 0.7},
    {"when": "signal.integration > 0", "motion": "solutions_engineer", "after": "1 hour", "by": "2 days", "next_best_action": "Go through their rate limits with an engineer.", "offer": "office hours with our API team", "floor": 0.7},
    {"when": "signal.single_sign_on > 0 or signal.procurement > 0", "motion": "enterprise", "after": "30 minutes", "by": "1 day", "next_best_action": "Bring the security pack.", "offer": "a 10-minute setup call on single sign-on", "floor": 0.7},
    {"otherwise": true, "motion": "account_executive", "after": "4 hours", "by": "2 days", "next_best_action": "Plan the roll-out to the next team with them.", "offer": "a 10-minute setup call", "floor": 0.7}]}$$);
SELECT pql.promote('rollout');

-- Twelve who bought: ten of them had invited teammates before.
INSERT INTO simulated.ev (ts, who, org, name)
  SELECT '2026-01-05'::timestamptz + n * interval '1 hour' + s.place * interval '1 day', 'c' || n, 'customer' || n, s.name
  FROM generate_series(1, 12) AS n, unnest('{signup,connect,invite}'::text[]) WITH ORDINALITY AS s (name, place) WHERE s.place < 3 OR n <= 10;
SELECT count(pql.record_outcome('customer' || n, 'paid', 100, '2026-01-20')) FROM generate_series(1, 12) AS n;
SELECT pql.refresh_step_shares();
SELECT step, did, converters, pql._share_text(did, converters) FROM pql.step_share WHERE step <> '' ORDER BY step COLLATE "C";

-- What the trigger on a table of conversations does: a row of pql.intent, and the event that it is to the engine.
CREATE PROCEDURE simulated.say(at timestamptz, who text, org text, topic text, channel text, quote text, language text DEFAULT 'en') LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO pql.intent (home, source_id, event_id, user_id, account_id, topic, occurred_at, channel, quote, language)
    VALUES ('a:' || org, 99, 'm' || extract(epoch FROM at)::bigint, who, org, topic, at, channel, quote, language);
  INSERT INTO simulated.ev (ts, who, org, name) VALUES (at, who, org, 'topic:' || topic);
END $$;
CREATE PROCEDURE simulated.work(org text, who text, from_day date, days int, name text DEFAULT 'query', per_day int DEFAULT 3) LANGUAGE sql AS $$
  INSERT INTO simulated.ev (ts, who, org, name)
    SELECT from_day + d * interval '1 day' + interval '9 hours' + n * interval '20 minutes', who, org, name FROM generate_series(0, days - 1) AS d, generate_series(0, per_day - 1) AS n;
$$;

-- lumen was spoken with in January, and left for some weeks.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-01-15 09:00', 'lea', 'lumen', 'signup'), ('2026-01-16 09:00', 'lea', 'lumen', 'connect'), ('2026-01-17 09:00', 'lea', 'lumen', 'invite'), ('2026-01-20 12:00', 'lea', 'lumen', 'sso');
SELECT ready FROM pql.tick('2026-01-20 13:00');
SELECT count(*) FROM pql.routing AS r, pql.claim('ann', 1, r.routing_id) AS c, pql.accept(r.routing_id) AS a, pql.touch(r.routing_id, 'phone') AS t,
  pql.dispose(r.routing_id, 'nurture', note => 'Budget comes in March, decided by their CFO.') AS d WHERE r.subject_id = 'lumen';
SELECT episodes_reviewed FROM pql.tick('2026-02-25');

-- acme rolls out: the whole set-up, colleagues, and single sign-on.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-02 09:00', 'ada@acme.com', 'acme', 'signup'), ('2026-02-02 09:40', 'ada@acme.com', 'acme', 'connect'), ('2026-02-04 10:00', 'ada@acme.com', 'acme', 'invite');
CALL simulated.work('acme', 'ada@acme.com', '2026-02-10', 5);
CALL simulated.work('acme', 'ben@acme.com', '2026-02-20', 4, per_day => 2);
CALL simulated.work('acme', 'cleo@acme.com', '2026-02-27', 2, 'browse', 2);
CALL simulated.say('2026-03-01 15:00', 'ben@acme.com', 'acme', 'enterprise_procurement', 'chat', 'Our security team needs SAML before we can give this to the other departments.');
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 11:00', 'ben@acme.com', 'acme', 'sso');
-- bolt is one person on the free plan who reaches a limit.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-20 09:00', 'bo', 'bolt', 'signup'), ('2026-02-20 10:00', 'bo', 'bolt', 'connect');
CALL simulated.work('bolt', 'bo', '2026-02-26', 4, per_day => 5);
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 12:00', 'bo', 'bolt', 'limit');
-- cargo skipped to invite teammates.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-18 09:00', 'carl@cargo.io', 'cargo', 'signup'), ('2026-02-19 10:00', 'carl@cargo.io', 'cargo', 'connect'), ('2026-02-25 10:00', 'carl@cargo.io', 'cargo', 'deploy');
CALL simulated.work('cargo', 'carl@cargo.io', '2026-02-26', 5, per_day => 4);
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 13:00', 'carl@cargo.io', 'cargo', 'pricing');
-- delta builds on the API.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-10 09:00', 'dan@delta.dev', 'delta', 'signup'), ('2026-02-10 09:20', 'dan@delta.dev', 'delta', 'connect'), ('2026-02-24 10:00', 'dee@delta.dev', 'delta', 'invite');
CALL simulated.work('delta', 'dee@delta.dev', '2026-02-25', 4, per_day => 4);
CALL simulated.say('2026-03-02 14:00', 'dee@delta.dev', 'delta', 'technical_integration', 'support ticket', 'Which rate limits apply when our backend calls you for every order?');
-- echo evaluates three vendors.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-27 09:00', 'eva', 'echo', 'signup'), ('2026-02-27 09:05', 'eva', 'echo', 'connect');
CALL simulated.work('echo', 'eva', '2026-02-27', 3);
CALL simulated.say('2026-03-02 14:30', 'eva', 'echo', 'competitive_urgency', 'webinar', 'Wir schauen uns gerade drei Anbieter an und entscheiden bis Ende März.', 'de');
-- fjord is a customer that came back after a break.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-01-02 09:00', 'finn@fjord.no', 'fjord', 'signup'), ('2026-01-03 09:00', 'finn@fjord.no', 'fjord', 'connect'), ('2026-01-06 09:00', 'frida@fjord.no', 'fjord', 'invite'), ('2026-01-20 09:00', 'frida@fjord.no', 'fjord', 'deploy');
CALL simulated.work('fjord', 'finn@fjord.no', '2026-02-05', 3);
CALL simulated.work('fjord', 'fritz@fjord.no', '2026-02-25', 4, 'browse');
CALL simulated.work('fjord', 'frida@fjord.no', '2026-02-24', 5, per_day => 6);
-- gamma runs into errors.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-25 09:00', 'gus', 'gamma', 'signup'), ('2026-02-25 11:00', 'gus', 'gamma', 'connect'), ('2026-02-26 11:00', 'gus', 'gamma', 'invite');
CALL simulated.work('gamma', 'gus', '2026-02-27', 3, 'error', 2);
-- hotel's first users are gone, and somebody new does it all.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-01-10 09:00', 'hans', 'hotel', 'signup'), ('2026-01-10 10:00', 'hans', 'hotel', 'connect'), ('2026-02-26 09:00', 'hilda', 'hotel', 'invite'), ('2026-02-28 09:00', 'hilda', 'hotel', 'deploy');
CALL simulated.work('hotel', 'heidi', '2026-01-12', 2, 'browse');
CALL simulated.work('hotel', 'hugo', '2026-01-12', 2, 'browse');
CALL simulated.work('hotel', 'hilda', '2026-02-26', 4, per_day => 6);
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 15:30', 'hilda', 'hotel', 'limit');
-- Of iris nearly nothing is known: nobody gets that.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 15:40', 'ida', 'iris', 'sso'), ('2026-03-02 15:41', 'ida', 'iris', 'limit');
-- jäde's names and words could be taken for Markdown.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-28 09:00', E'# j\n<b>jo</b>', 'jäde *&* [co]', 'signup'), ('2026-02-28 09:30', E'# j\n<b>jo</b>', 'jäde *&* [co]', 'connect');
CALL simulated.work('jäde *&* [co]', E'# j\n<b>jo</b>', '2026-02-28', 2, per_day => 4);
CALL simulated.say('2026-03-02 15:50', E'# j\n<b>jo</b>', 'jäde *&* [co]', 'enterprise_procurement', 'call', E'**We** need <script> an invoice,\nand a contract |now|.');
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 15:52', E'# j\n<b>jo</b>', 'jäde *&* [co]', 'pricing');
-- kite has what reps may not see, and what they may not mention.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-02-20 09:00', 'kim', 'kite', 'signup'), ('2026-02-21 09:00', 'kim', 'kite', 'connect'), ('2026-02-22 09:00', 'kit', 'kite', 'invite'), ('2026-02-23 09:00', 'kim', 'kite', 'credit_check');
CALL simulated.work('kite', 'kit', '2026-02-27', 2);
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 16:00', 'kim', 'kite', 'pricing');
-- lumen comes back.
CALL simulated.work('lumen', 'lea', '2026-02-28', 2);
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 16:30', 'lea', 'lumen', 'limit');

SELECT subject_id, motion, state, blocked_by, score, qualification FROM pql.routing ORDER BY routing_id;
SELECT pql.story(routing_id) FROM pql.routing ORDER BY subject_id, routing_id;
SELECT pql.story(routing_id, 'text') FROM pql.routing WHERE subject_id IN ('jäde *&* [co]', 'bolt') ORDER BY subject_id;
-- Thirty seconds: so many words at the most, the last line apart.
SELECT max(array_length(regexp_split_to_array(regexp_replace(pql.story(routing_id, 'text'), '\n[^\n]*\n$', ''), '\s+'), 1)) <= 135 AS short FROM pql.routing;

-- What is behind them.
SELECT jsonb_pretty(pql.packet(routing_id)) FROM pql.routing WHERE subject_id = 'cargo';
SELECT jsonb_pretty(pql.packet(routing_id, 'outreach')) FROM pql.routing WHERE subject_id = 'acme';
SELECT subject_id, p -> 'context_keys' AS context_keys, p -> 'completeness' AS completeness, p -> 'missing' AS missing
  FROM pql.routing, pql.packet(routing_id) AS p ORDER BY subject_id, routing_id;

-- The shipped schema describes them. Of JSON Schema it takes what that uses.
\getenv source PG_ABS_SRCDIR
\set path :source '/doc/context.schema.json'
\set schema `cat :'path'`
CREATE FUNCTION simulated.fits(v jsonb, s jsonb, root jsonb, path text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  x record;
BEGIN
  IF s ? '$ref' THEN
    RETURN QUERY SELECT * FROM simulated.fits(v, root -> '$defs' -> split_part(s ->> '$ref', '/', 3), root, path);
  END IF;
  IF s ? 'oneOf' AND (SELECT count(*) FROM jsonb_array_elements(s -> 'oneOf') AS o (s) WHERE NOT EXISTS (SELECT FROM simulated.fits(v, o.s, root, path))) <> 1 THEN
    RETURN NEXT path || ': not one of them';
  END IF;
  IF s ? 'const' AND v <> s -> 'const' OR s ? 'enum' AND NOT s -> 'enum' @> jsonb_build_array(v) THEN
    RETURN NEXT path || ': is ' || v;
  END IF;
  IF s ? 'type' AND NOT (CASE jsonb_typeof(s -> 'type') WHEN 'array' THEN s -> 'type' ELSE jsonb_build_array(s -> 'type') END)
      ?| (ARRAY[jsonb_typeof(v)] || CASE WHEN jsonb_typeof(v) = 'number' AND v::text !~ '[.]' THEN '{integer}' ELSE '{}'::text[] END) THEN
    RETURN NEXT path || ': is a ' || jsonb_typeof(v);
    RETURN;
  END IF;
  IF jsonb_typeof(v) = 'number' AND ((v #>> '{}')::numeric < (s ->> 'minimum')::numeric OR (v #>> '{}')::numeric > (s ->> 'maximum')::numeric
      OR (v #>> '{}')::numeric <= (s ->> 'exclusiveMinimum')::numeric) OR jsonb_typeof(v) = 'string' AND v #>> '{}' !~ (s ->> 'pattern') THEN
    RETURN NEXT path || ': is ' || v;
  END IF;
  IF jsonb_typeof(v) = 'array' THEN
    IF jsonb_array_length(v) < (s ->> 'minItems')::int OR jsonb_array_length(v) > (s ->> 'maxItems')::int THEN
      RETURN NEXT path || ': has ' || jsonb_array_length(v);
    END IF;
    RETURN QUERY SELECT f.* FROM jsonb_array_elements(v) AS e (v), simulated.fits(e.v, s -> 'items', root, path || '[]') AS f WHERE s ? 'items';
  END IF;
  IF jsonb_typeof(v) = 'object' THEN
    RETURN QUERY SELECT path || '.' || k || ': is not there' FROM jsonb_array_elements_text(s -> 'required') AS k WHERE NOT v ? k;
    FOR x IN SELECT * FROM jsonb_each(v) LOOP
      IF s -> 'properties' ? x.key THEN
        RETURN QUERY SELECT * FROM simulated.fits(x.value, s -> 'properties' -> x.key, root, path || '.' || x.key);
      ELSIF jsonb_typeof(s -> 'additionalProperties') = 'object' THEN
        RETURN QUERY SELECT * FROM simulated.fits(x.value, s -> 'additionalProperties', root, path || '.' || x.key);
      ELSIF s -> 'additionalProperties' = 'false' THEN
        RETURN NEXT path || '.' || x.key || ': is not described';
      END IF;
    END LOOP;
  END IF;
END $$;
SELECT audience, count(DISTINCT r.routing_id) AS packets, array_agg(DISTINCT f.problem) FILTER (WHERE f.problem IS NOT NULL) AS problems
  FROM pql.routing AS r, unnest('{rep,scoring,outreach}'::text[]) AS audience
    LEFT JOIN LATERAL simulated.fits(pql.packet(r.routing_id, audience), :'schema'::jsonb -> '$defs' -> CASE audience WHEN 'outreach' THEN 'outreach' ELSE 'packet' END, :'schema') AS f (problem) ON true
  GROUP BY audience ORDER BY audience;
SELECT count(*) FROM pql.routing AS r, simulated.fits(pql.packet(r.routing_id) - 'score' || '{"surprise": 1}', :'schema'::jsonb -> '$defs' -> 'packet', :'schema') AS f
  WHERE f.f IN ('.score: is not there', '.surprise: is not described') AND r.subject_id = 'acme';

-- Every fact says what it rests on: an event that is there, or a source.
CREATE VIEW simulated.fact AS
  SELECT r.routing_id, k.part, f.v AS fact
  FROM pql.routing AS r, unnest('{reasons,tried,milestones,members,intents,known}'::text[]) AS k (part),
    LATERAL jsonb_path_query(pql.packet(r.routing_id, 'scoring') -> k.part, '$[*]') AS f (v)
  UNION ALL SELECT r.routing_id, 'time', pql.packet(r.routing_id, 'scoring') -> 'time' FROM pql.routing AS r WHERE r.context ? 'time'
  UNION ALL SELECT r.routing_id, 'skips', f.v FROM pql.routing AS r, jsonb_path_query(r.context, '$.activation.skips[*]') AS f (v);
SELECT part, count(*) > 0 AS some, count(*) FILTER (WHERE fact ->> 'event_id' IS NULL AND coalesce(fact ->> 'source', '') = ''
    AND coalesce(jsonb_array_length(fact -> 'evidence'), 0) = 0) AS without_evidence FROM simulated.fact GROUP BY part ORDER BY part;
SELECT DISTINCT fact ->> 'signal', fact ->> 'source' FROM simulated.fact WHERE part = 'reasons' AND fact ? 'source';
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE NOT EXISTS (SELECT FROM simulated.ev AS e WHERE e.id::text = x.id) AND NOT EXISTS (SELECT FROM pql.intent AS i WHERE i.event_id = x.id)) AS unknown
  FROM (SELECT fact ->> 'event_id' AS id FROM simulated.fact UNION ALL SELECT e.id FROM simulated.fact, jsonb_path_query(fact, '$.evidence[*]') AS v (e), LATERAL (SELECT v.e #>> '{}' AS id) AS e) AS x
  WHERE x.id IS NOT NULL;
-- The points add up, for every audience that sees them.
SELECT audience, count(*) FILTER (WHERE (p -> 'score')::int <> (SELECT sum((x -> 'points')::int) FROM jsonb_path_query(p -> 'reasons', '$[*]') AS x)) AS wrong
  FROM pql.routing, unnest('{rep,scoring}'::text[]) AS audience, pql.packet(routing_id, audience) AS p GROUP BY audience ORDER BY audience;

-- What reps may not see is in nothing that they read; what may not be mentioned, in nothing that is sent.
SELECT r.subject_id, s.headline, jsonb_array_length(s.reasons) - jsonb_array_length(r.reasons) AS more_reasons FROM pql.scoring_packet AS s JOIN pql.routing AS r USING (routing_id) ORDER BY 1;
SELECT x.v ->> 'signal' AS signal, x.v ->> 'points' AS points FROM pql.routing, jsonb_path_query(pql.packet(routing_id, 'scoring') -> 'reasons', '$[*]') AS x (v) WHERE subject_id = 'kite' ORDER BY 1;
SELECT count(*) FILTER (WHERE r::text || pql.packet(r.routing_id)::text || pql.story(r.routing_id) || pql.packet(r.routing_id, 'outreach')::text ~ 'credit|risky') AS seen,
       count(*) FILTER (WHERE pql.packet(r.routing_id, 'outreach')::text ~ 'pricing|competit|compared|vendors') AS mentioned,
       count(*) FILTER (WHERE pql.packet(r.routing_id, 'outreach')::text ~ 'event_id|evidence|quote|SAML|rate limits|Anbieter|Budget|Salesforce|[0-9]:[0-9]') AS telemetry
  FROM pql.routing AS r;
CREATE ROLE regress_pql_kai;
CREATE ROLE regress_pql_bea;
CREATE ROLE regress_pql_lead;
INSERT INTO pql.reps (rep_id, team, db_role, manager) VALUES ('kai', 'east', 'regress_pql_kai', false), ('bea', 'west', 'regress_pql_bea', false), ('lead', 'east', 'regress_pql_lead', true);
CREATE ROLE regress_pql_learning;
GRANT SELECT ON pql.routing, pql.scoring_packet, pql.inbox, pql.handoffs TO regress_pql_kai, regress_pql_bea, regress_pql_lead, regress_pql_learning;
UPDATE pql.routing SET owner = CASE subject_id WHEN 'kite' THEN 'kai' ELSE 'bea' END WHERE subject_id IN ('kite', 'acme');
SET ROLE regress_pql_kai;
SELECT count(*) FROM pql.scoring_packet;
SELECT pql.packet(routing_id, 'scoring') FROM pql.routing WHERE subject_id = 'kite';
SELECT subject_id, pql.packet(routing_id) IS NOT NULL AS packet, pql.story(routing_id) IS NOT NULL AS story, pql.packet(routing_id, 'outreach') IS NOT NULL AS outreach
  FROM pql.routing WHERE subject_id IN ('kite', 'acme') ORDER BY 1;
SELECT jsonb_path_query_array(pql.packet(routing_id), '$.known[*].label') FROM pql.routing WHERE subject_id = 'lumen' ORDER BY routing_id DESC LIMIT 1;
SET ROLE regress_pql_lead;
SELECT count(*) FROM pql.scoring_packet;
SELECT pql.packet(routing_id, 'scoring') FROM pql.routing WHERE subject_id = 'kite';
SET ROLE regress_pql_bea;
SELECT count(*) FROM pql.routing WHERE subject_id = 'kite';
SET ROLE regress_pql_learning;
SELECT count(*) FROM pql.scoring_packet;
SELECT count(pql.packet(routing_id, 'scoring')) FROM pql.routing;
-- an application that works for a rep sees what the rep sees
SET pql.rep = 'kai';
SELECT count(*) FROM pql.scoring_packet;
SELECT pql.packet(routing_id, 'scoring') FROM pql.routing WHERE subject_id = 'kite';
RESET pql.rep;
RESET ROLE;
-- asked wrongly
SELECT pql.packet(1, 'everybody');
SELECT pql.packet(1, NULL);
SELECT pql.packet(NULL), pql.packet(-1), pql.story(-1, 'text'), pql.story(NULL);
SELECT pql.story(1, 'html');
SELECT pql.refresh_step_shares('nothing');

-- A person is forgotten in the packets of others.
SELECT count(*) FROM pql.routing WHERE context::text ~ 'ada@acme.com';
SELECT pql._forget_in_packets('ada@acme.com'), pql._forget_in_packets('kim'), pql._forget_in_packets('nobody');
SELECT count(*) FILTER (WHERE r::text ~ 'ada@acme.com|"kim"'), count(*) FILTER (WHERE s::text ~ 'ada@acme.com|"kim"') FROM pql.routing AS r LEFT JOIN pql.scoring_packet AS s USING (home, routing_id);
SELECT pql.story(routing_id) FROM pql.routing WHERE subject_id = 'acme';

-- What was too thin is released when more is known; a floor takes nothing from reps who have got it.
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 17:00', 'ida', 'iris', 'signup');
SELECT state, blocked_by, context -> 'completeness' FROM pql.routing WHERE subject_id = 'iris';
INSERT INTO pql.reps (rep_id) VALUES ('max');
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 17:30', 'ida', 'iris', 'error');
SELECT state, blocked_by FROM pql.routing WHERE subject_id = 'iris';
-- ticks find nothing to do to what is still too thin
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-02 18:00', 'nils', 'nobody knows', 'sso'), ('2026-03-02 18:00', 'nils', 'nobody knows', 'limit');
SELECT state, blocked_by FROM pql.routing WHERE subject_id = 'nobody knows';
SELECT state, (SELECT count(*) FROM pql.routing_transition AS t WHERE t.routing_id = r.routing_id) FROM pql.routing AS r, pql.tick('2026-03-02 20:00') AS t WHERE subject_id = 'nobody knows';
SELECT state, (SELECT count(*) FROM pql.routing_transition AS t WHERE t.routing_id = r.routing_id) FROM pql.routing AS r WHERE subject_id = 'nobody knows';

-- One sentence may be of two topics, and is said once.
CALL simulated.say('2026-03-02 21:00', 'max', 'twice', 'enterprise_procurement', 'chat', 'Our security team needs SAML.');
CALL simulated.say('2026-03-02 21:00', 'max', 'twice', 'technical_integration', 'chat', 'Our security team needs SAML.');
SELECT pql._story_said(r, 'text') FROM pql.routing AS r WHERE subject_id = 'twice';

-- A merged person's packets tell of one person.
SELECT count(*) > 0 FROM pql.merge_users('anna@acme.com', 'ben@acme.com');
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-03 09:00', 'anna@acme.com', 'zeta', 'signup'), ('2026-03-03 09:10', 'ben@acme.com', 'zeta', 'connect');
CALL simulated.say('2026-03-03 09:20', 'anna@acme.com', 'zeta', 'enterprise_procurement', 'call', 'Who signs the contract on your side?');
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-03 09:30', 'anna@acme.com', 'zeta', 'limit');
SELECT DISTINCT x #>> '{}', context -> 'member_count' FROM pql.routing, jsonb_path_query(context, '$.**.user_id') AS x WHERE subject_id = 'zeta';

-- Of a person: their account's attributes, what somebody flagged, and who else is there; a signal that isn't shown may say when.
SELECT pql.publish($${"program": "champions", "unit": "user", "milestones": {"signed_up": {"event": "signup"}, "connected_a_source": {"event": "connect"}},
  "signals": {"wants_more": {"kind": "intent", "event": "limit", "half_life": "7 days", "max_points": 30, "why": "reached a limit"},
              "vip": {"kind": "intent", "flag": true, "max_points": 30, "why": "somebody knows them"},
              "vetted": {"kind": "fit", "event": "vetted", "half_life": "90 days", "max_points": 10, "may_show_rep": false, "contact": {"after": "2 hours"}}},
  "qualify": {"enter": 60, "leave": 10}, "known": {"plan of the account": "account.plan"},
  "motions": [{"otherwise": true, "motion": "inside_sales", "by": "1 day"}]}$$);
CALL pql.backfill();
SELECT pql.promote('champions', override => 'test');
SELECT pql.flag_subject('champions', 'hilda', 'vip', 'Met at the fair; asked for a call.', 'max') > 0;
INSERT INTO simulated.ev (ts, who, org, name) VALUES ('2026-03-03 11:00', 'hilda', 'hotel', 'limit'), ('2026-03-03 12:00', 'hilda', 'hotel', 'vetted');
SELECT pql.story(routing_id) FROM pql.routing WHERE program = 'champions';
SELECT context -> 'timing', pql.packet(routing_id, 'scoring') -> 'timing', jsonb_path_query_array(context, '$.members[*].user_id') FROM pql.routing WHERE program = 'champions';
SELECT subject_id, context -> 'timing' AS shown, pql.packet(routing_id, 'scoring') -> 'timing' AS timing, contact_after, r.context::text || r.reasons || r.headline ~ 'vetted' AS seen
  FROM pql.routing AS r WHERE program = 'champions' ORDER BY 1;
SELECT count(*) FROM pql.tick('2026-03-03 13:59');
SELECT subject_id, state, contact_after FROM pql.routing WHERE program = 'champions' ORDER BY 1;
SELECT count(*) FROM pql.tick('2026-03-03 14:00');
SELECT subject_id, state, contact_after FROM pql.routing WHERE program = 'champions' ORDER BY 1;

-- What is wrong with the keys is said when it is published.
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "signals": {"a": {"kind": "intent", "event": "e", "max_points": 1}}, "qualify": {"enter": 1},
  "known": {"size": "attr.seats", "plain": "attr.nothing", "": "attr.plan", "twice": {"may_mention": true}, "number": 3},
  "motions": [{"when": "score > 1", "motion": "email", "floor": 0.5, "offer": ""}, {"otherwise": true, "motion": "enterprise", "floor": 2}]}') ORDER BY path;
SELECT pql.publish((SELECT document #- '{motions,2,floor}' || '{"known": {"team size": "attr.seats", "employees": "attr.employees"}}' FROM pql.program WHERE program = 'rollout'));
SELECT * FROM pql.diff_programs('rollout', 1, 2);

DROP OWNED BY regress_pql_kai, regress_pql_bea, regress_pql_lead, regress_pql_learning;
DROP EXTENSION pql CASCADE;
DROP SCHEMA simulated CASCADE;
DROP ROLE regress_pql_kai, regress_pql_bea, regress_pql_lead, regress_pql_learning;
