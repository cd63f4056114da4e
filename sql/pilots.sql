-- Pilots: from answers to a version that is tried, tightened and rolled back by its guardrails; another that is scaled; and what is refused.
-- covers: S2-31 S2-32 S2-33 S2-34 S2u-9 S1-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
SET intervalstyle = postgres;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

-- Sample sizes: what is to be found, and how often one looks.
SELECT pql.sample_size(0.6, 0.1, looks => 'one'), pql.sample_size(0.6, 0.1, looks => 'exact'), pql.sample_size(0.6, 0.1), pql.sample_size(0.6, 0.1, holdout => 0.2), pql.sample_size(0.1, 0.05, power => 0.9);
SELECT pql.sample_size(NULL, 0.1);
SELECT pql.sample_size(0.6, 0.5);
SELECT pql.sample_size(0.6, 0);
SELECT pql.sample_size(0.6, 0.1, 'NaN');
SELECT pql.sample_size(0.6, 1e-9);
SELECT pql.sample_size(0.6, 0.1, looks => 'daily');

-- Four companies a day, every third of which is on the plan that matters.
CREATE SCHEMA trying;
SET search_path = trying, public;
CREATE TABLE ev (id bigserial PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE TABLE orgs (id text PRIMARY KEY, plan text);
INSERT INTO orgs SELECT 'o' || n, CASE n % 3 WHEN 0 THEN 'team' ELSE 'free' END FROM generate_series(1, 2000) AS n;
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) > 0 FROM pql.attach_accounts('orgs', account_id => 'id');
CREATE TABLE clock AS SELECT 0 AS n, timestamptz '2025-11-01' AS at;
CREATE VIEW versions AS SELECT program, version, status, document ->> 'segment' AS segment, document -> 'holdout' AS holdout, document #>> '{qualify,enter}' AS enter FROM pql.program ORDER BY 1, 2;
CREATE VIEW told AS SELECT regexp_replace(actor, '\d+', 'N') AS actor, action, object, regexp_replace((detail - 'pilot')::text, '(pilot |scale_pilot\()\d+', '\1N', 'g') AS detail
  FROM pql.audit WHERE action IN ('start_pilot', 'tighten_pilot', 'rollback_pilot', 'stop_pilot', 'scale_pilot', 'may_scale', 'guardrail_red', 'rollback', 'retire') ORDER BY audit_id;
CREATE FUNCTION fails(statement text) RETURNS text LANGUAGE plpgsql AS $$ -- and how, without the numbers of pilots
DECLARE
  detail text;
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'no';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || regexp_replace(concat_ws(E'\n  ', SQLERRM, nullif(detail, ''), nullif(hint, '')), 'pilot \d+', 'pilot N', 'g');
END $$;
CREATE FUNCTION passes(companies int) RETURNS void LANGUAGE plpgsql AS $$ -- companies come
DECLARE
  c clock;
BEGIN
  FOR i IN 1 .. companies LOOP
    UPDATE clock SET n = n + 1, at = at + '6 hours' RETURNING * INTO c;
    INSERT INTO ev (ts, who, org, name) SELECT c.at, 'u' || c.n, 'o' || c.n, 'use' FROM generate_series(1, 3 + c.n % 2);
  END LOOP;
END $$;
CREATE FUNCTION waits(days int) RETURNS void LANGUAGE sql AS $$ -- nobody comes
  WITH c AS (UPDATE clock SET at = at + make_interval(days => days) RETURNING at) INSERT INTO ev (ts, who, org, name) SELECT c.at, 'nobody', NULL, 'pulse' FROM c;
$$;
CREATE FUNCTION works(companies int, answers text[]) RETURNS void LANGUAGE plpgsql AS $$ -- companies come, and a rep answers what the pilot brings
DECLARE
  r pql.routing;
  done int := 0;
BEGIN
  FOR i IN 1 .. companies LOOP
    PERFORM passes(1);
    CONTINUE WHEN i % 4 > 0 AND i < companies;
    PERFORM pql.tick();
    FOR r IN SELECT * FROM pql.routing AS x WHERE x.program LIKE '%pilot' AND x.state = 'ready' LOOP
      done := done + 1;
      PERFORM pql.claim('max', 1, r.routing_id);
      PERFORM pql.accept(r.routing_id);
      PERFORM pql.touch(r.routing_id, 'phone');
      PERFORM pql.dispose(r.routing_id, answers[1 + done % cardinality(answers)]);
    END LOOP;
  END LOOP;
END $$;

-- A definition that is live.
SELECT pql.publish('{"program": "growth", "unit": "account", "signals": {"uses": {"kind": "depth", "event": "use", "points_each": 10, "max_points": 40, "half_life": "14 days"}},
  "qualify": {"enter": 40, "leave": 20}, "motions": [{"otherwise": true, "motion": "account_executive", "by": "1 day", "next_best_action": "Call."}]}');
SELECT pql.promote('growth');

-- Nothing to plan by yet.
SELECT * FROM pql.plan_pilot('growth', 'attr.plan = ''team''', baseline => 0.1);
SELECT * FROM pql.plan_pilot('growth', 'attr.plan = ''team''');
SELECT passes(360);

-- Answers say that too few come, so that a draft asks for less; it is to be tried.
SELECT pql.save_draft((SELECT jsonb_set(jsonb_set(document, '{qualify,enter}', '30'), '{examples}', '[{"subject": "o1", "expect": "qualified"}]') FROM pql.program WHERE status = 'live'), 'from 40 to 30');
UPDATE pql.program SET document = document - 'examples' WHERE status = 'draft'; -- the example is of November
SELECT planned_sample, expected_sample, round(months::numeric, 1), round(share::numeric, 2), expected_baseline FROM pql.plan_pilot('growth', 'attr.plan = ''team''', '240 days', 0.3, 0.3, 0.1);

-- What is refused.
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '30 days', 0.3, 0.3, 0.1);
SELECT pql.start_pilot('growth', 'attr.plan is not null', '240 days', 0.3, 0.3, 0.1);
SELECT pql.start_pilot('growth', 'attr.plan = ''gold''', '240 days', 0.3, 0.3, 0.1);
SELECT pql.start_pilot('growth', 'true) or (true', '240 days', 0.3, 0.3, 0.1);
SELECT pql.start_pilot('growth', 'attr.size > 3', '240 days', 0.3, 0.3, 0.1);
SELECT pql.start_pilot('nothing', 'true');
SELECT pql.start_pilot(NULL, 'true');
SELECT pql.start_pilot('growth', NULL);
SELECT pql.start_pilot('growth', 'true', '0 days');
SELECT pql.start_pilot('growth', 'true', holdout => 0);
SELECT pql.start_pilot('growth', 'true', holdout => 0.2, metric => 'smiles');
SELECT pql.start_pilot('growth', 'true', baseline => 0.95);
SELECT pql.start_pilot('growth', 'true', max_share => 1.5);
SELECT pql.start_pilot('growth', 'true', tighten_by => 0);
SELECT pql.start_pilot('growth', 'true', targets => '{"smiles": 3}');
SELECT pql.start_pilot('growth', 'true', targets => '[]');
SELECT pql.start_pilot('growth', 'true', baseline => 0.1, max_share => 1, override => ' ');
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', baseline => 0.1, override => 'try', guardrails => '{"smiles": {}}');
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', baseline => 0.1, override => 'try', guardrails => '{"complaints": {"at_least": 1}}');
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', baseline => 0.1, override => 'try', guardrails => '{"complaints": {"at_most": 3}}');
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', baseline => 0.1, override => 'try', guardrails => '[1]');
SELECT count(*) FROM pql.pilot;
SELECT * FROM versions;

-- A pilot begins: the live version leaves it the segment.
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '240 days', 0.3, 0.3, 0.1, tighten_by => 8, guardrails => '{"rep_load": null, "false_positives": {"at_most": 0.3}}') AS pilot \gset
SELECT * FROM versions;
SELECT program, version, rest_version, state, segment, started_at, ends_at, planned_sample, expected_sample FROM pql.pilot;
SELECT kind, at_most, action FROM pql.pilot_guardrail ORDER BY kind;
SELECT part, indicator, verdict FROM pql.pilot_report(:pilot);
SELECT fails($$SELECT pql.start_pilot('growth', 'attr.plan = ''team''', baseline => 0.1)$$);
SELECT fails(format('SELECT pql.scale_pilot(%s)', :pilot));

-- Who is in the segment comes to the pilot and who isn't to the program; the lot that holds out stays the same.
SELECT works(24, '{meeting_set,contacted}');
SELECT r.program, r.version, o.plan, count(*) FROM pql.routing AS r JOIN orgs AS o ON o.id = r.subject_id WHERE r.qualified_at > (SELECT started_at FROM pql.pilot) GROUP BY 1, 2, 3 ORDER BY 1, 3;
SELECT part, indicator, round(treated::numeric, 2) AS treated, treated_n, held_out_n, verdict FROM pql.pilot_report(:pilot) WHERE part <> 'lagging';

-- Reps say that it was wrong: the pilot tightens itself, once in a span, until it can't, and goes back to what was.
SELECT works(30, '{disqualified}');
SELECT indicator, round(treated::numeric, 2) AS treated, treated_n, p_value < 0.05 AS sure, verdict FROM pql.pilot_report(:pilot) WHERE part = 'guardrail';
SELECT version, state, tightened, document #>> '{qualify,enter}' AS enter FROM pql.pilot;
SELECT works(34, '{disqualified}');
SELECT tightened FROM pql.pilot;
BEGIN; -- not twice within a span
SELECT pql._act_on_red(p, p.tightened_at[p.tightened] + interval '6 days', 'false_positives', 'still') FROM pql.pilot AS p;
SELECT pql._act_on_red(p, p.tightened_at[p.tightened] + interval '7 days', 'false_positives', 'still') FROM pql.pilot AS p;
SELECT tightened FROM pql.pilot;
ROLLBACK;
SELECT works(96, '{disqualified}');
SELECT version, state, tightened, reason FROM pql.pilot;
SELECT * FROM versions;
SELECT * FROM told;
SELECT indicator, verdict FROM pql.pilot_report(:pilot) WHERE part = 'verdict';
SELECT passes(6);
SELECT r.program, r.version, o.plan, count(*) FROM pql.routing AS r JOIN orgs AS o ON o.id = r.subject_id WHERE r.qualified_at > (SELECT ended_at FROM pql.pilot) GROUP BY 1, 2, 3 ORDER BY 1, 3;
SELECT fails(format('SELECT pql.stop_pilot(%s, %L)', :pilot, 'again'));
SELECT fails(format('SELECT pql.scale_pilot(%s, %L)', :pilot, 'all the same'));

-- Another one, with targets: complaints would roll it back, but there are none.
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '240 days', 0.3, 0.3, 0.1, targets => '{"meeting_rate": 0.2, "hours_to_first_touch": 24}', scale_after => '7 days') AS pilot \gset
SELECT works(60, '{meeting_set,contacted,no_response}');
SELECT state, good_since IS NOT NULL AS good FROM pql.pilot WHERE pilot_id = :pilot;
SELECT works(220, '{meeting_set,contacted,no_response}');
SELECT state, reason FROM pql.pilot WHERE pilot_id = :pilot;
SELECT action, detail FROM told WHERE action = 'may_scale';
-- what came of it: contact helps
SELECT count(pql.record_outcome(r.subject_id, 'paid', 100, r.qualified_at + interval '10 days')) > 0 FROM pql.routing AS r
WHERE r.program = 'growth_pilot' AND r.qualified_at > (SELECT started_at FROM pql.pilot WHERE pilot_id = :pilot) AND (NOT r.holdout AND right(r.subject_id, 1) <> '3' OR right(r.subject_id, 1) = '6');
SELECT waits(100);
SELECT count(*) FROM pql.tick();
SELECT part, indicator, round(treated::numeric, 2) AS treated, treated_n, round(held_out::numeric, 2) AS held_out, held_out_n, round(estimate::numeric, 2) AS estimate, round(low::numeric, 2) AS low,
       round(high::numeric, 2) AS high, p_value < 0.05 AS sure, verdict FROM pql.pilot_report(:pilot);
SELECT pql.pilot_summary(:pilot);
-- subjects that are missing from an arm, some who are lost, and some who would have paid anyway
BEGIN;
DELETE FROM pql.routing WHERE holdout AND program = 'growth_pilot';
SELECT part, indicator, treated_n, held_out_n, p_value < 0.001 AS sure, verdict FROM pql.pilot_report(:pilot) WHERE part IN ('check', 'verdict');
ROLLBACK;
BEGIN;
SELECT count(pql.record_outcome(subject_id, 'churned', NULL, qualified_at + interval '20 days')) > 0 FROM pql.routing AS r WHERE r.program = 'growth_pilot' AND NOT r.holdout;
SELECT count(pql.record_outcome(subject_id, 'paid', 9, qualified_at + interval '21 days')) > 0 FROM pql.routing AS r WHERE r.program = 'growth_pilot' AND r.holdout AND r.subject_id !~ '[01]$';
DELETE FROM pql.outcome WHERE outcome = 'paid' AND value = 100 AND subject_id ~ '[0-4]$';
UPDATE pql.pilot_guardrail SET at_most = 0.1 WHERE kind = 'cannibalised';
SELECT part, indicator, round(treated::numeric, 2) AS treated, round(held_out::numeric, 2) AS held_out, round(estimate::numeric, 2) AS estimate, verdict FROM pql.pilot_report(:pilot) WHERE indicator IN ('churn', 'burnt', 'retention', 'cannibalised');
UPDATE pql.pilot SET checked_at = '-infinity';
SELECT count(*) FROM pql.tick();
SELECT state, reason FROM pql.pilot WHERE pilot_id = :pilot;
SELECT action, detail FROM told WHERE action = 'guardrail_red' ORDER BY detail COLLATE "C";
ROLLBACK;
-- one that may scale may do so when its time is over, too
BEGIN;
UPDATE pql.pilot SET ends_at = started_at + interval '100 days' WHERE pilot_id = :pilot;
SELECT count(*) FROM pql.tick();
SELECT state, reason, ended_at IS NOT NULL AS ended FROM pql.pilot WHERE pilot_id = :pilot;
SELECT * FROM versions WHERE status = 'live';
SAVEPOINT ended;
SELECT pql.scale_pilot(:pilot);
SELECT * FROM versions WHERE status IN ('live', 'draft');
-- but not over what somebody has published since
ROLLBACK TO ended;
SELECT pql.publish(document || '{"objective": "expansion"}', 'since', 'test') > 0 FROM pql.program WHERE program = 'growth' AND status = 'live';
SELECT fails(format('SELECT pql.scale_pilot(%s)', :pilot));
ROLLBACK;
-- what the intervals are, by hand
WITH arm AS (
  SELECT r.holdout, count(*) AS n, count(o.at)::float8 / count(*) AS p FROM (SELECT DISTINCT ON (subject_id) * FROM pql.routing WHERE program = 'growth_pilot'
    AND qualified_at > (SELECT started_at FROM pql.pilot WHERE pilot_id = :pilot) ORDER BY subject_id, qualified_at) AS r
  LEFT JOIN pql.outcome AS o ON o.home = r.home AND o.at > r.qualified_at GROUP BY 1)
SELECT round(t.p::numeric, 2), t.n, round(h.p::numeric, 2), h.n FROM arm AS t, arm AS h WHERE NOT t.holdout AND h.holdout;
SELECT pql.scale_pilot(:pilot);
SELECT state FROM pql.pilot WHERE pilot_id = :pilot;
SELECT * FROM versions;
SELECT passes(4);
SELECT r.program, r.version, count(*) FROM pql.routing AS r WHERE r.qualified_at > (SELECT ended_at FROM pql.pilot WHERE pilot_id = :pilot) GROUP BY 1, 2;

-- Complaints, and consent withdrawn after a contact, roll back.
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '240 days', 0.3, 0.3, 0.1, override => 'a test', guardrails => '{"complaints": {"at_most": 0.01, "outcomes": ["spam", "bounced"]}}') AS pilot \gset
SELECT works(40, '{contacted}');
SELECT count(pql.record_outcome(x.subject_id, 'spam')) FROM (SELECT * FROM pql.routing AS r WHERE r.program = 'growth_pilot' AND r.version = (SELECT version FROM pql.pilot WHERE pilot_id = :pilot) AND r.first_touch_at IS NOT NULL ORDER BY r.routing_id LIMIT 2) AS x;
INSERT INTO pql.consent (unit, subject_id, channel, granted, at) SELECT 'account', r.subject_id, '', false, r.first_touch_at + interval '1 hour'
FROM pql.routing AS r WHERE r.program = 'growth_pilot' AND r.version = (SELECT version FROM pql.pilot WHERE pilot_id = :pilot) AND r.first_touch_at IS NOT NULL ORDER BY r.routing_id DESC LIMIT 1;
SELECT waits(1);
SELECT count(*) FROM pql.tick();
SELECT state, reason FROM pql.pilot WHERE pilot_id = :pilot;

-- A version published by hand while a pilot runs stays when the pilot ends, with the segment again; a rolled back transaction leaves nothing.
BEGIN;
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '240 days', 0.3, 0.3, 0.1, override => 'a test') > 0;
ROLLBACK;
SELECT count(*) FROM pql.pilot WHERE ended_at IS NULL;
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '240 days', 0.3, 0.3, 0.1, override => 'a test') AS pilot \gset
SELECT pql.publish((SELECT jsonb_set(document, '{qualify,leave}', '15') FROM pql.program WHERE program = 'growth' AND status = 'live')) > 0;
SELECT pql.stop_pilot(:pilot, ' ');
SELECT pql.stop_pilot(NULL, 'x');
SELECT pql.stop_pilot(-1, 'x');
SELECT pql.stop_pilot(:pilot, 'enough');
SELECT program, status, segment FROM versions WHERE status = 'live';
SELECT note ~ '^pilot \d+: enough$' AS why, document #>> '{qualify,leave}' AS leave FROM pql.program WHERE program = 'growth' AND status = 'live';
SELECT state, reason FROM pql.pilot WHERE pilot_id = :pilot;

-- One of a program that isn't live yet: the rest isn't touched, and its time ends it.
SELECT pql.publish('{"program": "fresh", "unit": "account", "signals": {"uses": {"kind": "depth", "event": "use", "points_each": 10, "max_points": 40, "half_life": "14 days"}}, "qualify": {"enter": 30}}');
SELECT pql.start_pilot('fresh', 'attr.plan = ''team''', '10 days', 0.3, 0.3, 0.1, override => 'a test') AS pilot \gset
SELECT program, status FROM versions WHERE program LIKE 'fresh%';
SELECT waits(11);
SELECT count(*) FROM pql.tick();
SELECT state, reason FROM pql.pilot WHERE pilot_id = :pilot;
SELECT program, status FROM versions WHERE program LIKE 'fresh%';
SELECT pql.scale_pilot(:pilot, 'we know enough');
SELECT program, status FROM versions WHERE program LIKE 'fresh%';

-- One whose definitions need history begins after the backfill, by itself.
SELECT pql.save_draft((SELECT jsonb_set(document, '{signals,days}', '{"kind": "depth", "measure": "active_days", "window": "9 days", "points_each": 1, "max_points": 5}') FROM pql.program WHERE program = 'fresh' AND status = 'live')) > 0;
SELECT pql.start_pilot('fresh', 'attr.plan = ''team''', '10 days', 0.3, 0.3, 0.1, override => 'a test') AS pilot \gset
SELECT state, started_at FROM pql.pilot WHERE pilot_id = :pilot;
SELECT indicator, verdict FROM pql.pilot_report(:pilot) WHERE part = 'verdict';
SELECT count(*) FROM pql.tick();
CALL pql.backfill();
SELECT count(*) FROM pql.tick();
SELECT state, started_at IS NOT NULL AS begun FROM pql.pilot WHERE pilot_id = :pilot;

-- What goes wrong with a pilot keeps tick from nothing.
UPDATE pql.pilot SET checked_at = '-infinity' WHERE pilot_id = :pilot;
ALTER TABLE pql.pilot_guardrail RENAME COLUMN red_since TO elsewhere;
SET client_min_messages = error;
SELECT count(*) FROM pql.tick();
SET client_min_messages = warning;
ALTER TABLE pql.pilot_guardrail RENAME COLUMN elsewhere TO red_since;
SELECT problem FROM pql.pilot WHERE pilot_id = :pilot;

-- Rights.
CREATE ROLE regress_pilot_nobody;
GRANT USAGE ON SCHEMA pql, trying TO regress_pilot_nobody;
SET ROLE regress_pilot_nobody;
SELECT pql.start_pilot('growth', 'true');
SELECT pql.stop_pilot(1, 'x');
SELECT pql.scale_pilot(1);
SELECT * FROM pql.plan_pilot('growth', 'true');
SELECT * FROM pql.pilot_report(1);
RESET ROLE;
INSERT INTO pql.reps (rep_id, db_role) VALUES ('nob', 'regress_pilot_nobody');
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO regress_pilot_nobody;
SET ROLE regress_pilot_nobody;
RESET ROLE;
GRANT EXECUTE ON FUNCTION fails(text) TO regress_pilot_nobody;
SET ROLE regress_pilot_nobody;
SELECT fails('SELECT pql.pilot_report((SELECT min(pilot_id) FROM pql.pilot))');
RESET ROLE;
SELECT pql.pilot_report(NULL);
SELECT pql.pilot_summary(-1);
DROP OWNED BY regress_pilot_nobody;
DROP ROLE regress_pilot_nobody;
SELECT count(*) FROM pql.verify();
RESET search_path;
DROP SCHEMA trying CASCADE;
DROP EXTENSION pql CASCADE;
