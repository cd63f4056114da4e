-- What works: what the views of performance say is what plain SQL says of the tables they are made of.
-- covers: S1-9, S1-10, S1-11, S1-12, S1-25, S1-35, S1-45, S1-48, S2-32
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

-- Intervals: as published, of nothing, and what isn't a count.
SELECT share, round(low::numeric, 4), round(high::numeric, 4) FROM pql.share_interval(0, 20);
SELECT round(difference::numeric, 4), round(low::numeric, 4), round(high::numeric, 4) FROM pql.difference_interval(56, 70, 48, 80);
SELECT round(ratio::numeric, 4), round(low::numeric, 4), round(high::numeric, 4) FROM pql.ratio_interval(15, 150, 100, 250);
SELECT s.share, s.low, s.high, d.difference, d.low, d.high, r.ratio, r.low, r.high FROM pql.share_interval(0, 0) AS s, pql.difference_interval(0, 0, 1, 2) AS d, pql.ratio_interval(0, 5, 0, 0) AS r;
SELECT high - low < (SELECT high - low FROM pql.share_interval(5, 10, 0.99)) FROM pql.share_interval(5, 10, 0.8);
SELECT pql.share_interval(NULL, 3);
SELECT pql.share_interval(-1, 3);
SELECT pql.difference_interval(1, 2, 3, 2);
SELECT pql.ratio_interval(1, 2, 1, 2, 0);
SELECT pql.ratio_interval(1, 2, 1, 2, 'NaN');

-- Nothing yet.
SELECT (SELECT count(*) FROM pql.signal_performance), (SELECT count(*) FROM pql.motion_performance), (SELECT count(*) FROM pql.timing_performance),
       (SELECT count(*) FROM pql.touch_balance), (SELECT count(*) FROM pql.handoff_measures), (SELECT count(*) FROM pql.rep_performance), (SELECT count(*) FROM pql.attribution);

CREATE SCHEMA performance;
SET search_path = performance;
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.publish(jsonb_build_object('program', p, 'unit', 'account', 'qualify', '{"enter": 10, "leave": 5}'::jsonb, 'signals',
  '{"asks": {"kind": "intent", "event": "ask", "half_life": "7 days", "max_points": 10}, "looks": {"kind": "depth", "event": "look", "half_life": "7 days", "max_points": 10},
    "pays": {"kind": "intent", "event": "pay", "half_life": "7 days", "max_points": 10, "may_show_rep": false}}'::jsonb,
  'motions', '[{"otherwise": true, "motion": "inside_sales"}]'::jsonb, 'outcome', '{"horizon": "30 days"}'::jsonb)), pql.promote(p) FROM unnest('{one,two}'::text[]) AS p;
INSERT INTO pql.reps (rep_id, team, capacity, weight) VALUES ('ann', 'east', 40, 1), ('ben', 'east', 80, 3), ('cyd', 'west', NULL, 1);

-- One hand-off.
INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, episode, signal_at, qualified_at, qualification, score, reasons, headline, motion,
  owner, contact_after, contact_by, state, state_since, context)
VALUES (1, 'a:only', 'one', 1, 'account', 'only', 'only', 1, '2026-01-05', '2026-01-05', 'first', 20, '[{"signal": "asks", "points": 20}, {"signal": "looks", "points": 0}]', 'x',
  'inside_sales', 'ann', '2026-01-05', '2026-01-06', 'ready', '2026-01-05', '{"completeness": 0.5}');
SELECT signal, support, mature, converted, conversion, low, round(high::numeric, 4), without_mature, without_conversion, lift, lift_low, lift_high FROM pql.signal_performance('one', NULL, '2026-01-20');
SELECT signal, support, mature, converted, conversion, low, round(high::numeric, 4), without_mature, without_conversion, lift, lift_low, lift_high FROM pql.signal_performance;
SELECT motion, handoffs, touched, mature, converted, conversion, held_out, uplift, uplift_low, uplift_high, value, under_touched, burnt, burnt_cost FROM pql.motion_performance;
SELECT delay, handoffs, mature, converted, timing_fit FROM pql.timing_performance;
SELECT scores, lowest, highest, handoffs, touches_each, untouched FROM pql.touch_balance;
SELECT rep, team, handoffs, open, load, share, fair_share, fairness, sla FROM pql.rep_performance ORDER BY rep;
SELECT week, volume, offered, accepted, acceptance, sla, completeness, feedback, conversion FROM pql.handoff_measures;
-- A row that follows another could be worked from when it was decided; a promise counts against who broke it, whoever has the row then.
INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, episode, follows, signal_at, qualified_at, decided_at, qualification, score, reasons, headline, motion,
  owner, contact_after, contact_by, state, state_since, context, first_touch_at, sla_breached_at, sla_breached_by)
VALUES (2, 'a:only', 'one', 1, 'account', 'only', 'only', 1, 1, '2026-01-05', '2026-01-05', '2026-01-15', 'first', 20, '[]', 'x', 'enterprise', 'ben', '2026-01-15', '2026-01-16', 'touched', '2026-01-18', '{}',
        '2026-01-18', '2026-01-16', 'ann'),
       (3, 'a:late', 'one', 1, 'account', 'late', 'late', 2, NULL, '2026-01-05', '2026-01-05', '2026-01-07', 'first', 20, '[]', 'x', 'enterprise', 'ben', '2026-01-05', '2026-01-16', 'touched', '2026-01-08', '{}',
        '2026-01-08', NULL, NULL);
SELECT routing_id, touch_delay, broken_by FROM pql.label ORDER BY 1;
SELECT rep, handoffs, hours_to_first_touch, sla FROM pql.rep_performance WHERE team = 'east' ORDER BY rep;
DELETE FROM pql.routing;

-- Six hundred, by a recipe: whose label, touches and answers follow from the number.
INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, episode, signal_at, qualified_at, qualification, score, reasons, headline, motion,
  owner, contact_after, contact_by, state, state_since, holdout, context, first_touch_at)
SELECT n, 'a:s' || n, CASE WHEN n % 3 = 0 THEN 'two' ELSE 'one' END, 1, 'account', 's' || n, 's' || n, n, q, q, 'first', 10 + n % 40,
  CASE WHEN n % 2 = 0 THEN '[{"signal": "asks", "points": 5}]' ELSE '[]' END::jsonb || CASE WHEN n % 5 < 2 THEN '[{"signal": "looks", "points": 7}]' ELSE '[]' END::jsonb,
  'x', (ARRAY['inside_sales', 'enterprise', 'email'])[1 + n % 7 % 3], CASE WHEN n % 11 <> 0 THEN (ARRAY['ann', 'ben', 'ben', 'cyd'])[1 + n % 4] END, q, q + interval '2 days',
  CASE WHEN n % 11 = 0 THEN 'suppressed' WHEN n % 13 = 0 THEN 'blocked' WHEN t THEN 'touched' ELSE 'ready' END, q, n % 11 = 0,
  jsonb_build_object('completeness', 0.5 + n % 2 / 4.0, 'segment', jsonb_build_object('segment', (ARRAY['big', 'small'])[1 + n % 2])), CASE WHEN t THEN q + n % 9 * interval '10 hours' + interval '30 minutes' END
FROM (SELECT n, timestamptz '2026-01-05' + n * interval '3 hours' AS q, n % 11 <> 0 AND n % 13 <> 0 AND n % 4 <> 3 AS t FROM generate_series(1, 600) AS n) AS x;
INSERT INTO pql.scoring_packet (home, routing_id, headline, reasons, context)
SELECT r.home, r.routing_id, r.headline, r.reasons || '[{"signal": "pays", "points": 9}]', r.context FROM pql.routing AS r WHERE r.routing_id % 10 = 0;
INSERT INTO pql.touch (home, touch_id, routing_id, rep, channel, at, actor)
SELECT r.home, r.routing_id * 100 + k, r.routing_id, r.owner, (ARRAY['email', 'phone', 'email', 'chat'])[1 + k % 4], r.first_touch_at + k * interval '1 hour', 'x'
FROM pql.routing AS r, generate_series(0, 9) AS k WHERE r.first_touch_at IS NOT NULL AND k <= r.routing_id % 12;
INSERT INTO pql.disposition (home, disposition_id, routing_id, rep, disposition, failure, need_matched, timing_right, context_enough, at, actor)
SELECT r.home, r.routing_id, r.routing_id, r.owner, (ARRAY['contacted', 'meeting_set', 'disqualified', 'no_response', 'routed_to_cs'])[1 + r.routing_id % 5],
  CASE WHEN r.routing_id % 17 = 0 THEN 'tone' END, r.routing_id % 3 <> 0, CASE WHEN r.routing_id % 2 = 0 THEN r.routing_id % 8 <> 0 END, true, r.first_touch_at + interval '2 days', 'x'
FROM pql.routing AS r WHERE r.first_touch_at IS NOT NULL AND r.routing_id % 6 <> 0;
INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor) SELECT r.home, r.routing_id, r.first_touch_at, 'ready', s, 'x'
FROM pql.routing AS r, unnest('{claimed,accepted}'::text[]) AS s WHERE r.first_touch_at IS NOT NULL;
INSERT INTO pql.outcome (home, outcome_id, unit, subject_id, outcome, value, at, recorded_at, recorded_by)
SELECT r.home, r.routing_id, 'account', r.subject_id, CASE WHEN r.routing_id % 19 = 0 THEN 'churned' WHEN r.routing_id % 23 = 0 THEN 'opportunity' ELSE 'paid' END,
  r.routing_id, r.qualified_at + r.routing_id % 45 * interval '1 day', now(), 'x'
FROM pql.routing AS r WHERE r.routing_id % 7 IN (1, 3) OR r.routing_id % 19 = 0 OR r.routing_id % 23 = 0;
ANALYZE;

-- What each is, by hand: at the first of March about half are final.
CREATE VIEW plain AS
  SELECT r.*, s.reasons AS hidden, r.qualified_at + interval '30 days' <= timestamptz '2026-03-01' AS final,
         (SELECT min(o.at) FROM pql.outcome AS o WHERE o.home = r.home AND o.outcome = 'paid' AND o.at > r.qualified_at AND o.at <= r.qualified_at + interval '30 days' AND o.at <= '2026-03-01') AS converted_at,
         (SELECT sum(o.value) FROM pql.outcome AS o WHERE o.home = r.home AND o.outcome = 'paid' AND o.at > r.qualified_at AND o.at <= r.qualified_at + interval '30 days' AND o.at <= '2026-03-01') AS worth,
         (SELECT min(o.at) FROM pql.outcome AS o WHERE o.home = r.home AND o.outcome = 'churned' AND o.at > r.qualified_at AND o.at <= r.qualified_at + interval '30 days' AND o.at <= '2026-03-01') AS lost_at,
         CASE WHEN r.first_touch_at <= '2026-03-01' THEN r.first_touch_at END AS touched_at,
         (SELECT count(*) FROM pql.touch AS t WHERE t.home = r.home AND t.routing_id = r.routing_id AND t.at <= '2026-03-01') AS touches,
         (SELECT count(DISTINCT t.channel) FROM pql.touch AS t WHERE t.home = r.home AND t.routing_id = r.routing_id AND t.at <= '2026-03-01') AS kinds,
         d.disposition AS said, d.failure, d.need_matched, d.timing_right
  FROM pql.routing AS r LEFT JOIN pql.scoring_packet AS s ON s.home = r.home AND s.routing_id = r.routing_id
    LEFT JOIN pql.disposition AS d ON d.home = r.home AND d.routing_id = r.routing_id AND d.at <= '2026-03-01'
  WHERE r.qualified_at <= '2026-03-01';
CREATE FUNCTION differs(a text, b text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((TABLE %1$s EXCEPT TABLE %2$s) UNION ALL (TABLE %2$s EXCEPT TABLE %1$s)) AS x', a, b) INTO n;
  RETURN n;
END $$;

-- Labels.
CREATE VIEW labels_plain AS
  SELECT p.routing_id, p.converted_at, CASE WHEN p.converted_at IS NOT NULL THEN true WHEN p.final THEN false END AS converted, p.worth, p.touched_at,
         NOT p.holdout AND p.touched_at IS NOT NULL AND coalesce(p.touched_at <= p.converted_at, true)
           AND (p.said = 'meeting_set' AND (SELECT d.at FROM pql.disposition AS d WHERE d.home = p.home AND d.routing_id = p.routing_id) <= p.qualified_at + interval '30 days' OR p.touches >= 4 AND p.kinds >= 2) IS TRUE AS treated,
         coalesce(p.touched_at IS NOT NULL AND p.converted_at IS NULL AND (p.failure IS NOT NULL OR p.lost_at > p.touched_at), false) AS burnt, p.touches::int
  FROM plain AS p;
CREATE VIEW labels_ours AS
  SELECT l.routing_id, l.converted_at, l.converted, l.value, l.first_touch_at, l.treated, l.burnt, l.touches FROM pql.labels('2026-03-01') AS l;
SELECT count(*), count(*) FILTER (WHERE converted), count(*) FILTER (WHERE converted IS NULL), count(*) FILTER (WHERE treated), count(*) FILTER (WHERE burnt) FROM labels_ours;
SELECT differs('labels_plain', 'labels_ours');

-- Signals.
CREATE VIEW signals_plain AS
  SELECT p.program, x.signal, count(*) AS support, count(*) FILTER (WHERE p.final) AS mature, count(*) FILTER (WHERE p.final AND p.converted_at IS NOT NULL) AS converted,
         (SELECT count(*) FROM plain AS o WHERE o.program = p.program AND o.final) - count(*) FILTER (WHERE p.final) AS without_mature,
         (SELECT count(*) FROM plain AS o WHERE o.program = p.program AND o.final AND o.converted_at IS NOT NULL) - count(*) FILTER (WHERE p.final AND p.converted_at IS NOT NULL) AS without_converted,
         sum(p.worth) AS value, count(p.touched_at) AS touched,
         count(*) FILTER (WHERE p.touched_at IS NOT NULL AND p.final AND p.converted_at IS NULL AND (p.said = 'disqualified' OR NOT p.need_matched)) AS false_positives
  FROM plain AS p, LATERAL (SELECT e ->> 'signal' AS signal FROM jsonb_array_elements(coalesce(p.hidden, p.reasons)) AS e) AS x GROUP BY 1, 2;
CREATE VIEW signals_ours AS
  SELECT s.program, s.signal, s.support, s.mature, s.converted, s.without_mature, s.without_converted, s.value, s.touched, s.false_positives FROM pql.signal_performance(NULL, NULL, '2026-03-01') AS s;
SELECT differs('signals_plain', 'signals_ours');
SELECT program, signal, kind, support, mature, converted, round(conversion::numeric, 3), round(low::numeric, 3), round(high::numeric, 3),
  round(lift::numeric, 3), round(lift_low::numeric, 3), round(lift_high::numeric, 3) FROM pql.signal_performance(NULL, NULL, '2026-03-01');
SELECT bool_and((s.conversion, s.low, s.high) = (w.share, w.low, w.high) AND (s.lift, s.lift_low, s.lift_high) = (k.ratio, k.low, k.high))
FROM pql.signal_performance(NULL, 'segment', '2026-03-01') AS s, pql.share_interval(s.converted, s.mature) AS w, pql.ratio_interval(s.converted, s.mature, s.without_converted, s.without_mature) AS k;
-- Slices add up to the whole.
SELECT by, count(DISTINCT slice), sum(support) FROM unnest('{motion,segment,version,team,week,treated,delay}'::text[]) AS by, pql.signal_performance('one', by, '2026-03-01') WHERE signal = 'asks' GROUP BY 1 ORDER BY 1;
SELECT * FROM pql.signal_performance('one', 'moon');
SELECT count(*) FROM pql.signal_performance('nobody');

-- Motions, and what was held out.
CREATE VIEW motions_plain AS
  SELECT p.program, p.motion, count(*) FILTER (WHERE NOT p.holdout) AS handoffs, count(*) FILTER (WHERE NOT p.holdout AND p.final) AS mature,
         count(*) FILTER (WHERE NOT p.holdout AND p.final AND p.converted_at IS NOT NULL) AS converted, count(*) FILTER (WHERE p.holdout AND p.final) AS held_out_mature,
         count(*) FILTER (WHERE p.holdout AND p.final AND p.converted_at IS NOT NULL) AS held_out_converted, sum(p.worth) AS value,
         count(*) FILTER (WHERE p.touches > 8 AND p.converted_at IS NULL) AS over_touched, count(l.burnt) FILTER (WHERE l.burnt) AS burnt
  FROM plain AS p JOIN labels_plain AS l USING (routing_id) GROUP BY 1, 2;
CREATE VIEW motions_ours AS
  SELECT m.program, m.motion, m.handoffs, m.mature, m.converted, m.held_out_mature, m.held_out_converted, m.value, m.over_touched, m.burnt FROM pql.motion_performance(NULL, NULL, '2026-03-01') AS m;
SELECT differs('motions_plain', 'motions_ours');
SELECT program, motion, mature, converted, held_out_mature, held_out_converted, round(uplift::numeric, 3), round(uplift_low::numeric, 3), round(uplift_high::numeric, 3), burnt, burnt_cost
FROM pql.motion_performance(NULL, NULL, '2026-03-01');
SELECT bool_and((m.uplift, m.uplift_low, m.uplift_high) IS NOT DISTINCT FROM (d.difference, d.low, d.high))
FROM pql.motion_performance(NULL, NULL, '2026-03-01') AS m, pql.difference_interval(m.converted, m.mature, m.held_out_converted, m.held_out_mature) AS d;

-- Delays.
SELECT delay, handoffs, mature, converted, round(conversion::numeric, 3), answered, timing_right, burnt FROM pql.timing_performance('one', NULL, '2026-03-01');
SELECT sum(handoffs) = (SELECT count(*) FROM plain AS p WHERE NOT p.holdout) FROM pql.timing_performance(NULL, 'motion', '2026-03-01');
SELECT count(*) FILTER (WHERE p.touched_at - p.qualified_at < interval '1 hour') AS "within 1 hour", count(*) FILTER (WHERE p.touched_at - p.qualified_at >= interval '3 days') AS "within 7 days",
  count(*) FILTER (WHERE p.touched_at IS NULL) AS never FROM plain AS p WHERE p.program = 'one' AND NOT p.holdout;

-- The whole life, as of now: all are final.
SELECT sum(volume), sum(held_out), sum(blocked), sum(touched), sum(meetings), sum(opportunities), sum(converted) = sum(mature * conversion), sum(lost_after) FROM pql.handoff_measures;
SELECT (SELECT count(*) FROM pql.routing), (SELECT count(*) FROM pql.routing WHERE holdout), (SELECT count(*) FROM pql.routing WHERE state = 'blocked'),
  (SELECT count(*) FROM pql.routing WHERE first_touch_at IS NOT NULL), (SELECT count(*) FROM pql.disposition WHERE disposition = 'meeting_set'),
  (SELECT count(*) FROM pql.outcome AS o JOIN pql.routing AS r USING (home) WHERE o.outcome = 'opportunity' AND o.at > r.qualified_at AND o.at <= r.qualified_at + interval '30 days'),
  (SELECT count(*) FROM pql.outcome AS o JOIN pql.routing AS r USING (home) WHERE o.outcome = 'churned' AND o.at > r.first_touch_at AND o.at <= r.qualified_at + interval '30 days');
SELECT program, motion, segment, volume, offered, accepted, round(acceptance::numeric, 3), round(hours_to_first_touch::numeric, 2), round(sla::numeric, 3), round(conversion::numeric, 3), revenue, credited,
  round(completeness::numeric, 3), round(feedback::numeric, 3), round(timing_fit::numeric, 3), round(churn_after_handoff::numeric, 3), to_success
FROM pql.handoff_measures WHERE week = '2026-02-02' ORDER BY 1, 2, 3;
-- Credit: all of it is work's, and none counts twice.
SELECT sum(credits) = (SELECT count(*) FROM pql.attribution WHERE credited), sum(credited) = (SELECT sum(value) FROM pql.attribution WHERE credited), sum(credits) < count(*) FILTER (WHERE converted) FROM pql.label;
SELECT (SELECT sum(revenue) FROM pql.measures_for_marketing) = sum(value) FILTER (WHERE converted), (SELECT sum(converted) FROM pql.measures_for_sales) = count(*) FILTER (WHERE converted),
  (SELECT sum(lost_after) FROM pql.measures_for_success) = count(*) FILTER (WHERE lost_at > first_touch_at), (SELECT sum(volume) FROM pql.measures_for_product WHERE signal = 'asks') = count(*) FILTER (WHERE 'asks' = ANY (signals)) FROM pql.label;
SELECT program, signal, verdict FROM pql.measures_for_product ORDER BY 1, 2;
-- Never volume without what came of it, for anybody.
SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'pql'::regnamespace AND c.relname LIKE 'measures\_for\_%'
  AND (SELECT count(*) FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname IN ('volume', 'conversion', 'converted')) < 3;
SELECT program, scores, lowest, highest, handoffs, round(touches_each::numeric, 3), untouched, over_touched, converted FROM pql.touch_balance;
SELECT rep, team, handoffs, open, round(load::numeric, 3), round(share::numeric, 3), fair_share, round(fairness::numeric, 3), touched, meetings, credits FROM pql.rep_performance ORDER BY rep;

-- Read from what tick makes, it is the same.
SELECT count(*) > 0 FROM pql.handoff_due;
SELECT more_due IS NOT NULL FROM pql.tick();
SELECT count(*) FROM pql.handoff_due;
SELECT count(*), (SELECT count(*) FROM pql.handoff_hidden) FROM pql.handoff_fact;
SELECT differs('labels_plain', 'labels_ours'), differs('signals_plain', 'signals_ours'), differs('motions_plain', 'motions_ours');

-- A row that follows another is the same hand-off: shares, bounds and values stay as they are.
CREATE TEMP TABLE share AS SELECT program, motion AS of, mature, converted, low, high, uplift, uplift_low, value FROM pql.motion_performance
  UNION ALL SELECT program, signal, mature, converted, low, high, lift, lift_low, value FROM pql.signal_performance;
BEGIN;
INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, episode, follows, signal_at, qualified_at, qualification, score, reasons, headline, motion,
                         contact_after, state, state_since, context)
SELECT -r.routing_id, r.home, r.program, r.version, r.unit, r.subject_id, r.account_id, r.episode, r.routing_id, r.signal_at, r.qualified_at, r.qualification, r.score, r.reasons, r.headline, r.motion,
       r.contact_after, 'ready', r.state_since, r.context
FROM pql.routing AS r JOIN pql.label AS l USING (home, routing_id) WHERE l.converted AND NOT r.holdout AND l.follows IS NULL;
SELECT count(*) > 0 FROM pql.label WHERE follows IS NOT NULL AND converted;
SELECT * FROM (SELECT program, motion AS of, mature, converted, low, high, uplift, uplift_low, value FROM pql.motion_performance
  UNION ALL SELECT program, signal, mature, converted, low, high, lift, lift_low, value FROM pql.signal_performance) AS x EXCEPT TABLE share;
ROLLBACK;

-- What was answered later says nothing of earlier; and what can't be sliced, isn't.
BEGIN;
CREATE TEMP TABLE earlier AS SELECT home, routing_id, false_positive FROM pql.labels('2026-05-01');
INSERT INTO pql.disposition (home, disposition_id, routing_id, rep, disposition, need_matched, at, actor)
SELECT l.home, -l.routing_id, l.routing_id, l.rep, CASE WHEN l.false_positive THEN 'contacted' ELSE 'disqualified' END, l.false_positive, '2026-06-01', 'x'
FROM pql.labels('2026-05-01') AS l WHERE l.first_touch_at IS NOT NULL;
SELECT count(*) FILTER (WHERE l.false_positive) > 0, bool_and(l.false_positive = e.false_positive) FROM pql.labels('2026-05-01') AS l JOIN earlier AS e USING (home, routing_id);
SELECT bool_and(l.false_positive = e.false_positive) FROM pql.label AS l JOIN earlier AS e USING (home, routing_id) WHERE l.first_touch_at IS NOT NULL;
ROLLBACK;
SELECT by, count(slice) > 1 AS sliced, count(uplift), sum(held_out) FROM unnest('{segment,team,treated,delay}'::text[]) AS by, pql.motion_performance(NULL, by) GROUP BY by ORDER BY by;
SELECT slice, sum(handoffs) FROM pql.timing_performance(NULL, 'team') GROUP BY slice ORDER BY slice;
SELECT count(*) FROM pql.timing_performance(NULL, 'delay');
SELECT count(*) FROM pql.motion_performance(NULL, 'motion');
SELECT (sum(timing_fit * volume) / sum(volume))::numeric(5, 3) IS NOT NULL, bool_and(timing_fit BETWEEN 0 AND 1) FROM pql.measures_for_success;

-- A rep sees his own performance, and nothing of signals of which he may not know; whoever is no rep sees all, and who has no rights nothing.
CREATE ROLE performance_ann;
CREATE ROLE performance_boss;
CREATE ROLE performance_nobody;
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO performance_ann, performance_boss;
UPDATE pql.reps SET db_role = 'performance_ann' WHERE rep_id = 'ann';
SET ROLE performance_ann;
SELECT rep FROM pql.rep_performance;
SELECT DISTINCT signal FROM pql.signal_performance ORDER BY 1;
SELECT count(*), count(*) FILTER (WHERE rep = 'cyd') FROM pql.label;
SELECT count(*) FROM pql.handoff_hidden;
SELECT count(*) FILTER (WHERE credited AND rep = 'cyd'), count(*) FILTER (WHERE credited) = (SELECT sum(credits) FROM pql.label) FROM pql.attribution;
SELECT DISTINCT why FROM pql.attribution WHERE NOT credited;
SET ROLE performance_boss;
SELECT rep FROM pql.rep_performance ORDER BY 1;
SELECT DISTINCT signal FROM pql.signal_performance ORDER BY 1;
SET ROLE performance_nobody;
SELECT * FROM pql.signal_performance;
SELECT * FROM pql.handoff_measures;
RESET ROLE;
SET pql.rep = 'ben';
SELECT rep FROM pql.rep_performance;
RESET pql.rep;
UPDATE pql.routing SET segment = DEFAULT;
SET ROLE performance_ann; -- nor while it is yet to be made anew
SELECT DISTINCT signal FROM pql.signal_performance ORDER BY 1;
SELECT count(*) FILTER (WHERE credited) = (SELECT sum(credits) FROM pql.label) FROM pql.attribution;
RESET ROLE;
DROP OWNED BY performance_ann, performance_boss, performance_nobody;
DROP ROLE performance_ann, performance_boss, performance_nobody;

DROP EXTENSION pql CASCADE;
DROP SCHEMA performance CASCADE;
