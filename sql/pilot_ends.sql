-- What outlasts a pilot: those held out are left alone until their label is final; what was learned; and ends that can't be as they should.
-- covers: S2-31 S2-32 S2-33 S2-34
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

CREATE SCHEMA ending;
SET search_path = ending, public;
CREATE TABLE ev (id bigserial PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE TABLE orgs (id text PRIMARY KEY, plan text);
INSERT INTO orgs SELECT 'o' || n, CASE n % 2 WHEN 0 THEN 'team' ELSE 'free' END FROM generate_series(1, 400) AS n;
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) > 0 FROM pql.attach_accounts('orgs', account_id => 'id');
CREATE TABLE clock AS SELECT timestamptz '2026-01-01' AS at;
CREATE FUNCTION use(days int, companies int4range) RETURNS void LANGUAGE sql AS $$ -- days pass, then companies come
  WITH c AS (UPDATE clock SET at = at + make_interval(days => days) RETURNING at)
  INSERT INTO ev (ts, who, org, name) SELECT c.at, 'u' || n, 'o' || n, 'use' FROM c, generate_series(lower(companies), upper(companies) - 1) AS n, generate_series(1, 4);
$$;
CREATE VIEW rows AS SELECT program, holdout, count(*) FROM pql.routing GROUP BY 1, 2 ORDER BY 1, 2;
SELECT pql.publish('{"program": "growth", "unit": "account", "signals": {"uses": {"kind": "depth", "event": "use", "points_each": 10, "max_points": 40, "half_life": "400 days"}},
  "qualify": {"enter": 30, "leave": 10}, "motions": [{"otherwise": true, "motion": "account_executive", "by": "1 day", "next_best_action": "Call."}]}');
SELECT pql.promote('growth');

SELECT use(0, '[399,399]');

-- Held out by a pilot of 60 days, and back when it is over, whether they leave the segment or not: nobody reaches them before their 90 days are.
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '60 days', 0.5, baseline => 0.1, override => 'a test') AS pilot \gset
SELECT use(1, '[1,40]');
SELECT * FROM rows;
UPDATE orgs SET plan = 'enterprise' WHERE id IN ('o2', 'o4', 'o6', 'o8');
SELECT count(*) FROM pql.refresh_attributes();
SELECT use(1, '[1,8]');
SELECT * FROM rows;
SELECT use(59, '[100,100]');
SELECT count(*) FROM pql.tick();
SELECT state, reason FROM pql.pilot;
SELECT use(1, '[1,40]');
SELECT * FROM rows;
-- who asks why is told
SELECT q.state, q.blocked_by, count(*) FROM pql.routing AS r, pql.qualification('growth', r.subject_id) AS q WHERE r.program = 'growth_pilot' AND r.holdout GROUP BY 1, 2;
-- a company of the other half is somebody's, and counts for the pilot as it was drawn
SELECT part, indicator, treated_n, held_out_n, round(held_out::numeric, 2) AS held_out, verdict FROM pql.pilot_report(:pilot) WHERE indicator IN ('sample_ratio', 'held_out_reached', 'conversion');
-- what they do by themselves goes on being counted
SELECT count(pql.record_outcome(r.subject_id, 'paid', 100, r.qualified_at + interval '80 days')) FROM pql.routing AS r WHERE r.program = 'growth_pilot' AND r.holdout AND right(r.subject_id, 1) = '0';
SELECT use(27, '[101,101]'); -- a day before it is known
SELECT count(*) FROM pql.tick();
SELECT * FROM rows;
SELECT indicator, treated_n, held_out_n, verdict FROM pql.pilot_report(:pilot) WHERE indicator = 'conversion';
SELECT use(2, '[102,102]'); -- their labels are final
SELECT count(*) FROM pql.tick();
SELECT * FROM rows;
SELECT indicator, treated_n, held_out_n, round(held_out::numeric, 2) AS held_out FROM pql.pilot_report(:pilot) WHERE indicator IN ('conversion', 'held_out_reached');
SELECT count(*) FROM pql.episode WHERE program = 'growth' AND shadow AND left_at IS NULL;
SELECT count(*) FROM pql.tick();
SELECT count(*) FROM pql.verify();

-- What a pilot handed over is learned by its program, and a draft that is learned while another pilot runs has no hole where that is.
SELECT count(pql.record_outcome('o' || n, 'paid', 10, (SELECT at FROM clock))) FROM generate_series(1, 40, 3) AS n;
SELECT use(1, '[200,240]');
SELECT count(pql.record_outcome('o' || n, 'paid', 10, (SELECT at + interval '1 day' FROM clock))) FROM generate_series(200, 240, 2) AS n;
SELECT use(100, '[301,301]');
SELECT count(*) FROM pql.tick();
SELECT pql.start_pilot('growth', 'attr.plan = ''free''', '30 days', 0.2, baseline => 0.1, override => 'a test') AS pilot \gset
SELECT program, document ->> 'segment' AS segment FROM pql.program WHERE status = 'live' ORDER BY 1;
SELECT program, count(*) FROM pql.label WHERE matures_at <= (SELECT at FROM clock) GROUP BY 1 ORDER BY 1;
SELECT count(*) > 0 FROM pql.propose_program('growth', (SELECT at FROM clock));
SELECT labels, document ? 'segment' AS has_hole FROM pql.model;
SELECT program, count(*) FROM pql.counted_label GROUP BY 1 ORDER BY 1;
SELECT DISTINCT program FROM pql.evidence;
SELECT pql.refresh_evidence('growth', (SELECT at FROM clock)), pql.refresh_evidence(NULL, (SELECT at FROM clock)), pql.refresh_evidence('growth_pilot', (SELECT at FROM clock));
SELECT use(1, '[21,39]');
SELECT part, indicator, before, before_n, treated_n FROM pql.pilot_report(:pilot) WHERE before_n > 0;
SELECT pql.stop_pilot(:pilot, 'enough');

-- As of an earlier instant a report says what was so then: neither that it has ended, nor of promises broken since, nor that rows have expired.
SELECT part, indicator, round(treated::numeric, 2) AS treated, treated_n, verdict FROM pql.pilot_report((SELECT min(pilot_id) FROM pql.pilot), '2026-01-02 12:00') WHERE indicator IN ('rep_load', 'conversion');
SELECT part, indicator, round(treated::numeric, 2) AS treated, treated_n, verdict FROM pql.pilot_report((SELECT min(pilot_id) FROM pql.pilot), '2026-01-20') WHERE indicator IN ('rep_load', 'conversion');

-- What somebody is worth is planned for by how much that differs; what isn't known is asked for.
SELECT planned_sample = pql.sample_size_of_mean(d.s, 5, 0.2) AS as_it_should, round(expected_baseline::numeric, 1) AS baseline
FROM pql.plan_pilot('growth', 'attr.plan = ''free''', metric => 'value', minimum_effect => 5),
     (SELECT stddev_samp(coalesce(value, 0))::float8 AS s FROM pql.labels((SELECT at FROM clock)) WHERE matures_at <= (SELECT at FROM clock)) AS d;
SELECT pql.plan_pilot('growth', 'attr.plan = ''free''', metric => 'value');
SELECT pql.plan_pilot('growth', 'attr.plan = ''free''', metric => NULL);
SELECT pql.save_draft('{"program": "fresh", "unit": "account", "signals": {"uses": {"kind": "depth", "event": "use", "points_each": 10, "max_points": 40, "half_life": "14 days"}}, "qualify": {"enter": 30}}');
SELECT pql.plan_pilot('fresh', 'attr.plan = ''free''', metric => 'value', minimum_effect => 5, baseline => 3);
SELECT pql.sample_size_of_mean(200, 50), pql.sample_size_of_mean(200, 50, 0.2), pql.sample_size_of_mean(NULL, 50);
SELECT pql.sample_size_of_mean(200, 0);
SELECT pql.sample_size_of_mean(0, 50);

-- Ends that can't be as they should. There is no version to go back to: the segment comes back with another one.
SELECT pql.start_pilot('growth', 'attr.plan = ''free''', '30 days', 0.2, baseline => 0.1, max_share => 1, override => 'a test', guardrails => '{"complaints": {"at_most": 0}}') AS pilot \gset
BEGIN;
UPDATE pql.program SET promoted_at = NULL WHERE program = 'growth' AND version < (SELECT rest_version FROM pql.pilot WHERE pilot_id = :pilot);
SELECT pql._act_on_red(p, pql._now(), 'complaints', 'one is too many') FROM pql.pilot AS p WHERE p.pilot_id = :pilot;
SELECT state, reason, problem FROM pql.pilot WHERE pilot_id = :pilot;
SELECT program, version - (SELECT rest_version FROM pql.pilot WHERE pilot_id = :pilot) AS later, document ->> 'segment' AS segment FROM pql.program WHERE status = 'live' ORDER BY 1;
SELECT actor, action, detail - 'pilot' AS detail FROM pql.audit WHERE action ~ 'pilot' AND actor = 'tick' ORDER BY audit_id DESC LIMIT 1;
ROLLBACK;
-- what its program was can't be published any more either: the pilot ends all the same, and says what is missing
BEGIN;
SET LOCAL session_replication_role = replica; -- as if they had been published by a version of pql that allowed it
UPDATE pql.program SET document = jsonb_set(document, '{qualify,leave}', '99') WHERE program = 'growth';
SET LOCAL session_replication_role = DEFAULT;
SET LOCAL client_min_messages = error; -- the warning has the pilot's number
SELECT pql._act_on_red(p, pql._now(), 'complaints', 'one is too many') FROM pql.pilot AS p WHERE p.pilot_id = :pilot;
SELECT state, reason, problem FROM pql.pilot WHERE pilot_id = :pilot;
SELECT program, status FROM pql.program WHERE program = 'growth_pilot' AND status <> 'retired';
SELECT actor, action, detail - 'pilot' AS detail FROM pql.audit WHERE action ~ 'pilot' AND actor = 'tick' ORDER BY audit_id DESC LIMIT 1;
ROLLBACK;
-- one that is to be tightened and can't be ends
BEGIN;
UPDATE pql.pilot_guardrail SET action = 'tighten' WHERE pilot_id = :pilot AND kind = 'complaints';
SET LOCAL session_replication_role = replica;
UPDATE pql.program SET document = jsonb_set(document, '{qualify,leave}', '99') WHERE program = 'growth_pilot';
SET LOCAL session_replication_role = DEFAULT;
SELECT pql._act_on_red(p, pql._now(), 'complaints', 'one is too many') FROM pql.pilot AS p WHERE p.pilot_id = :pilot;
SELECT state, tightened FROM pql.pilot WHERE pilot_id = :pilot;
ROLLBACK;

-- What one pilot holds out the next may not draw: whoever was in the first counts in the second once it is known what became of that.
SELECT pql.stop_pilot(:pilot, 'enough');
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '30 days', 0.5, baseline => 0.1, max_share => 1, override => 'a test') AS first \gset
SELECT use(1, '[42,81]');
SELECT treated_n, held_out_n FROM pql.pilot_report(:first) WHERE indicator = 'sample_ratio';
SELECT pql.stop_pilot(:first, 'enough');
SELECT pql.start_pilot('growth', 'attr.plan = ''team''', '30 days', 0.1, baseline => 0.1, max_share => 1, override => 'a test') AS second \gset
SELECT use(1, '[42,101]');
SELECT treated_n, held_out_n FROM pql.pilot_report(:second) WHERE indicator = 'sample_ratio';
SELECT p.program, count(*) FROM pql.routing AS r JOIN pql.routing AS p ON p.home = r.home AND p.qualified_at > r.qualified_at
WHERE r.program = 'growth_pilot' AND r.holdout AND r.qualified_at >= (SELECT started_at FROM pql.pilot WHERE pilot_id = :first) GROUP BY 1;
SELECT count(*) FROM pql.verify();
RESET search_path;
DROP SCHEMA ending CASCADE;
DROP EXTENSION pql CASCADE;
