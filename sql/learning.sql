-- What is learned from outcomes: evidence that can be taken back, proposals with their reasons, chances, and whether they still hold.
-- covers: S1-35, S1-36, S1-39, S1-46, S1-50
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
SET extra_float_digits = 0;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA learning;
SET search_path = learning;
CREATE FUNCTION program(more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
  SELECT '{"program": "sell", "unit": "account", "signals": {
      "sso":     {"kind": "intent", "event": "sso", "half_life": "14 days", "points_each": 5, "max_points": 30},
      "pricing": {"kind": "depth", "event": "pricing", "half_life": "14 days", "saturates_at": 3, "max_points": 30},
      "secret":  {"kind": "intent", "event": "secret", "window": "30 days", "saturates_at": 10, "max_points": 20, "may_show_rep": false},
      "rare":    {"kind": "depth", "event": "rare", "window": "30 days", "max_points": 10},
      "failing": {"kind": "risk", "event": "error", "window": "1 day", "saturates_at": 10, "max_points": -20},
      "watched": {"kind": "depth", "event": "watched", "window": "30 days", "max_points": 10, "may_score": false}},
    "qualify": {"enter": 20, "leave": 10},
    "motions": [{"otherwise": true, "motion": "inside_sales", "after": "0", "by": "1 day"}]}'::jsonb || more $$;

-- Nothing there.
SELECT pql.propose_program(NULL);
SELECT pql.propose_program('nobody');
SELECT pql.propose_program('sell', NULL);
SELECT * FROM pql.drift('nobody');
SELECT * FROM pql.calibration(NULL);
SELECT pql.model_card('nobody');
SELECT pql.likelihood(1), pql.likelihood(NULL), pql.likelihood(1, 2);
SELECT count(*) FROM pql.likelihoods('nobody');
SELECT pql.refresh_evidence(), pql.refresh_evidence('nobody');
SELECT count(*) FROM pql.evidence_weights('nobody');

SELECT pql.publish(program());
SELECT pql.propose_program('sell');
SELECT count(*) FROM pql.drift('sell');
SELECT count(*) FROM pql.calibration('sell');
SELECT pql.model_card('sell');

-- Hand-offs of two years, as they were frozen; sso is what people buy for, pricing is curiosity. No random numbers: a grid.
CREATE TABLE lead AS
  SELECT i, timestamptz '2026-01-01' - i * interval '12 hours' AS at, (i * 7) % 31 AS sso, (i * 11) % 31 AS pricing, (i * 13) % 21 AS secret, -((i * 3) % 21) AS failing,
         CASE WHEN i % 400 = 0 THEN 10 ELSE 0 END AS rare, CASE WHEN i % 3 = 0 THEN 'large' WHEN i % 3 = 1 THEN 'small' END AS segment,
         ((i * 7919) % 1000) / 1000.0 AS luck
  FROM generate_series(1, 1400) AS i;
CREATE FUNCTION hand_off(l lead, version int DEFAULT 1) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  whole jsonb := jsonb_build_array(jsonb_build_object('signal', 'sso', 'points', l.sso), jsonb_build_object('signal', 'pricing', 'points', l.pricing),
                   jsonb_build_object('signal', 'secret', 'points', l.secret), jsonb_build_object('signal', 'failing', 'points', l.failing),
                   jsonb_build_object('signal', 'rare', 'points', l.rare));
BEGIN
  INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, episode, signal_at, qualified_at, decided_at, qualification, score,
                           reasons, headline, motion, contact_after, state, state_since, context, holdout)
  VALUES (l.i, 'a:o' || l.i, 'sell', version, 'account', 'o' || l.i, 'o' || l.i, l.i, l.at, l.at, l.at, 'first', l.sso + l.pricing + l.secret + l.failing + l.rare,
          CASE WHEN l.secret = 0 THEN whole ELSE jsonb_set(whole, '{2,signal}', 'null') END, 'a hand-off', 'inside_sales', l.at, 'ready', l.at,
          CASE WHEN l.segment IS NULL THEN '{}' ELSE jsonb_build_object('segment', jsonb_build_object('segment', l.segment)) END, l.i % 10 = 0);
  IF l.secret > 0 THEN
    INSERT INTO pql.scoring_packet VALUES ('a:o' || l.i, l.i, 'a hand-off', whole, '{}');
  END IF;
  IF l.luck < 1 / (1 + exp(-(-2.5 + 3 * l.sso / 30.0 + l.failing / 20.0 + CASE l.segment WHEN 'large' THEN 0.5 ELSE 0 END))) THEN
    INSERT INTO pql.outcome VALUES ('a:o' || l.i, l.i, 'account', 'o' || l.i, 'paid', 100, l.at + (l.i * 17 % 60) * interval '1 day', l.at, 'billing');
  END IF;
END $$;
SELECT count(hand_off(l)) FROM lead AS l WHERE i > 1370;
SELECT pql.propose_program('sell', '2026-01-01');
SELECT (SELECT count(*) FROM pql.model), (SELECT count(*) FROM pql.evidence), (SELECT count(*) FROM pql.program WHERE status = 'draft');
SELECT count(hand_off(l)) FROM lead AS l WHERE i <= 1370;

-- Every signal with what it becomes and why; nothing changes but a draft.
SELECT path, what, was, becomes, support, reason FROM pql.propose_program('sell', '2026-01-01');
SELECT version, status, note LIKE 'learned, model %' AS learned FROM pql.program ORDER BY version;
SELECT path, change FROM pql._diff_documents(program(), (SELECT document FROM pql.program WHERE status = 'draft'));
SELECT sum(abs((s.value ->> 'max_points')::int)) FROM pql.program AS p, jsonb_each(p.document -> 'signals') AS s GROUP BY p.version ORDER BY p.version;
SELECT m.program, m.version, m.as_of, m.method, m.labels, m.converted, m.open, m.half_life, m.document = p.document AS is_draft,
       m.brier BETWEEN 0.1 AND 0.2 AS good, m.auc > 0.65 AS tells_apart, m.calibration_error < 0.05 AS calibrated
FROM pql.model AS m JOIN pql.program AS p ON p.status = 'draft';
SELECT kind, told #>> '{with,converted}' AS converted, told #>> '{with,hand_offs}' AS of FROM pql.model, jsonb_each(kinds) AS k(kind, told) ORDER BY kind;
SELECT action, object, detail ->> 'version' AS version FROM pql.audit WHERE action IN ('propose_program', 'save_draft') ORDER BY audit_id;

-- Learned again, the same: what was learned depends on nothing else.
SELECT count(*) FROM pql.propose_program('sell', '2026-01-01');
SELECT count(DISTINCT (body, signals, document)), count(*) FROM pql.model;

-- The chance of a hand-off: by the newest model, by one of them, for all at once.
SELECT l.i, round(pql.likelihood(l.i)::numeric, 2) AS chance, l.sso FROM lead AS l WHERE l.i IN (31, 62, 18, 27, 49) ORDER BY l.sso;
SELECT bool_and(pql.likelihood(x.routing_id) = x.likelihood), count(*) FROM pql.likelihoods('sell') AS x;
SELECT bool_and(pql.likelihood(x.routing_id, m.model_id) = x.likelihood) FROM pql.model AS m, LATERAL pql.likelihoods('sell', m.model_id) AS x;
SELECT abs(avg(likelihood) - avg((converted IS TRUE)::int)) < 0.03 AS as_many_as_said FROM pql.likelihoods('sell') JOIN pql.labels('2026-06-01') USING (routing_id);
SELECT pql.likelihood(5, 1);

-- Evidence: what was counted is what is there, whatever came in between, to the last digit.
CREATE FUNCTION digest() RETURNS text LANGUAGE sql AS
  $$SELECT md5(string_agg(e::text, ';' ORDER BY e::text)) || ' ' || (SELECT count(*) FROM pql.counted_label) FROM pql.evidence AS e$$;
CREATE TABLE kept AS SELECT digest() AS evidence;
SELECT pql.refresh_evidence('sell', '2026-01-01');
DELETE FROM pql.outcome WHERE outcome_id = 600;
UPDATE pql.outcome SET outcome = 'other' WHERE outcome_id BETWEEN 700 AND 800;
SELECT pql.refresh_evidence('sell', '2026-01-01');
SELECT digest() = evidence FROM kept;
UPDATE pql.outcome SET outcome = 'paid' WHERE outcome = 'other';
SELECT pql.refresh_evidence('sell', '2026-01-01') > 0, digest() = evidence FROM kept;
BEGIN;
DELETE FROM pql.scoring_packet WHERE routing_id % 2 = 0;
DELETE FROM pql.routing WHERE routing_id % 2 = 0;
SELECT pql.refresh_evidence(NULL, '2026-01-01');
CREATE TABLE half AS SELECT digest() AS evidence;
DELETE FROM pql.counted_label;
DELETE FROM pql.evidence;
SELECT pql.refresh_evidence('sell', '2026-01-01'), digest() = evidence FROM half;
ROLLBACK;
SELECT digest() = evidence FROM kept;
-- An earlier instant takes nothing away.
SELECT pql.refresh_evidence('sell', '2025-06-01'), (SELECT count(*) FROM pql.counted_label) AS labels;
SELECT pql.refresh_evidence('sell', '2026-01-01'), digest() = evidence FROM kept;
SELECT signal, points, round(weight::numeric, 2) AS weight, round(low::numeric, 2) AS low, round(high::numeric, 2) AS high, proven
FROM pql.evidence_weights('sell', as_of => '2026-01-01');
SELECT signal, points, round(weight::numeric, 2) AS weight, proven FROM pql.evidence_weights('sell', 'large', as_of => '2026-01-01') WHERE signal = 'sso';
SELECT signal, points, round(weight::numeric, 2) AS weight, proven FROM pql.evidence_weights('sell', 'unheard of', 'new team', '2026-01-01') WHERE signal = 'sso';

-- A disposition and what came of it change the next proposal: fifty more who paid for what was curiosity.
CREATE TABLE before AS SELECT path, becomes::int FROM pql.propose_program('sell', '2026-03-01') WHERE path ~ 'pricing|sso';
INSERT INTO lead SELECT 2000 + i, timestamptz '2025-11-01' + i * interval '1 hour', 0, 10 + 20 * (i % 2), 5, 0, 0, NULL, 1 - (i % 2) FROM generate_series(1, 300) AS i;
UPDATE lead SET luck = CASE WHEN i > 2000 THEN 1 - (i % 2) ELSE luck END;
SELECT count(hand_off(l)) FROM lead AS l WHERE i > 2000;
INSERT INTO pql.outcome SELECT 'a:o' || i, i, 'account', 'o' || i, 'paid', 100, at + interval '9 days', at, 'billing' FROM lead WHERE i > 2000 AND i % 2 = 1 AND luck >= 0
  ON CONFLICT DO NOTHING;
SELECT path, p.becomes::int > b.becomes AS more, p.becomes::int < b.becomes AS less FROM pql.propose_program('sell', '2026-03-01') AS p JOIN before AS b USING (path) ORDER BY path;

-- Whether it holds: on what came after it was learned.
SELECT basis, count(*), sum(hand_offs), bool_and(low <= observed AND observed <= high) FROM pql.calibration('sell', as_of => '2026-03-01') GROUP BY basis ORDER BY basis;
DELETE FROM pql.model WHERE as_of = '2026-03-01';
SELECT basis, count(*), sum(hand_offs) FROM pql.calibration('sell', 1, '2026-07-01') GROUP BY basis ORDER BY basis;
SELECT count(*) FROM pql.calibration('sell', 7);
INSERT INTO lead SELECT 3000 + i, timestamptz '2026-01-02' + i * interval '6 hours', 30 - (i % 3), 0, 0, 0, 0, NULL, 1 FROM generate_series(1, 200) AS i;
SELECT count(hand_off(l)) FROM lead AS l WHERE i > 3000;
SELECT what, name, round(value::numeric, 2) AS value, round(limit_value::numeric, 2) AS limit_value, hand_offs, alarm, reason FROM pql.drift('sell', '2026-02-01');
SELECT what, name, round(value::numeric, 2) AS value, round(limit_value::numeric, 2) AS limit_value, hand_offs, alarm, reason FROM pql.drift('sell', '2026-08-01');
SELECT basis, bin, hand_offs, round(predicted::numeric, 2) AS predicted, round(observed::numeric, 2) AS observed FROM pql.calibration('sell', as_of => '2026-08-01') WHERE basis = 'since';
SELECT pql.model_card('sell', '2026-08-01');

-- A draft that somebody wrote stays.
SELECT pql.save_draft(program('{"description": "by hand"}'), 'mine');
SELECT DISTINCT draft FROM pql.propose_program('sell', '2026-01-01');
SELECT note FROM pql.program WHERE status = 'draft';
-- The document that was learned can be published; packets of both versions are learned from.
SELECT pql.publish(document) FROM pql.model WHERE version = 1 ORDER BY model_id DESC LIMIT 1;
SELECT what, count(*) FROM pql.propose_program('sell', '2026-02-01') GROUP BY what ORDER BY what;
SELECT DISTINCT version FROM pql.model ORDER BY 1;
-- A signal that means something else by now isn't learned from old packets.
SELECT pql._points_by_version('sell', 2);
SELECT pql.publish(jsonb_set(program(), '{signals,sso,half_life}', '"1 day"'));
SELECT pql._points_by_version('sell', 3);

-- A model of another program is refused, whichever row comes first.
BEGIN;
UPDATE pql.routing SET program = 'other' WHERE routing_id = 1;
SELECT pql.likelihood(r.routing_id, m.model_id) FROM pql.model AS m, pql.routing AS r WHERE r.routing_id IN (1, 2) AND m.version = 1 ORDER BY m.model_id, r.routing_id DESC LIMIT 2;
ROLLBACK;

-- A document with less in it.
SELECT pql._with_points('{"qualify": {}, "signals": {"a": {"max_points": 3}, "b": {"max_points": -4, "points_each": 0.5}}}',
  '[{"signal": "a", "points": 3, "proposed": 5}, {"signal": "b", "points": -4, "proposed": -2}]', 9, 8);
SELECT pql._with_points('{"qualify": {"enter": 4}, "signals": {"a": {"max_points": 3}}}', '[{"signal": "a", "points": 3, "proposed": 3}]', 9, 8);

-- Rights: who reads may ask for chances, and reps learn nothing of what they may not see.
CREATE ROLE learning_reader;
CREATE ROLE learning_rep;
GRANT USAGE ON SCHEMA pql, learning TO learning_reader, learning_rep;
GRANT SELECT ON ALL TABLES IN SCHEMA pql, learning TO learning_reader, learning_rep;
INSERT INTO pql.reps (rep_id, db_role) VALUES ('kim', 'learning_rep');
SET ROLE learning_reader;
SELECT count(likelihood), count(*) FROM pql.likelihoods('sell');
SELECT pql.likelihood(31) IS NOT NULL, pql.likelihood(21) IS NOT NULL;
SELECT count(*) > 0 FROM pql.model;
SELECT pql.propose_program('sell');
SELECT pql.refresh_evidence();
SELECT count(*) > 0 FROM pql.drift('sell');
SELECT count(*) > 0 FROM pql.calibration('sell');
SELECT length(pql.model_card('sell')) > 1000;
SELECT count(*) > 0 FROM pql.evidence_weights('sell');
SET ROLE learning_rep;
SELECT pql.drift('sell');
SELECT pql.model_card('sell');
SELECT count(*) FROM pql.evidence_weights('sell');
SELECT count(likelihood) = count(*) FILTER (WHERE routing_id % 21 = 0 OR routing_id > 3000), count(likelihood) > 0 FROM pql.likelihoods('sell') WHERE routing_id < 2000 OR routing_id > 3000;
SELECT pql.likelihood(31) IS NOT NULL, pql.likelihood(21) IS NOT NULL;
SELECT (SELECT count(*) FROM pql.model), (SELECT count(*) FROM pql.evidence), (SELECT count(*) FROM pql.counted_label);
RESET ROLE;
CREATE ROLE learning_nobody;
GRANT USAGE ON SCHEMA pql TO learning_nobody;
SET ROLE learning_nobody;
SELECT pql.likelihood(31);
SELECT pql.drift('sell');
RESET ROLE;

-- A transaction that is rolled back leaves nothing.
SELECT count(*) FROM pql.model \gset models_
BEGIN;
SELECT count(*) > 0 FROM pql.propose_program('sell', '2026-01-01');
ROLLBACK;
SELECT count(*) - :models_count FROM pql.model;

-- What can't be: refused, and never for ever.
SELECT pql._quality('{NaN}', '{t}');
SELECT pql._quality('{0.5,2}', '{t,f}');
SELECT pql._weigh(-1e17, 0, 0, 0, 0.5, 0.5, 1);
SELECT pql._bins('[]', ARRAY(SELECT 's' || i FROM generate_series(1, 1000) AS i), ARRAY(SELECT 1 FROM generate_series(1, 1000)));
-- A draft that somebody wrote, with a note or without, is not overwritten.
SELECT pql.save_draft(document || '{"qualify": {"enter": 21, "leave": 10}}') FROM pql.program WHERE program = 'sell' AND version = 1;
SELECT count(draft) FROM pql.propose_program('sell', '2026-01-01');
SELECT document #>> '{qualify,enter}' FROM pql.program WHERE program = 'sell' AND status = 'draft';
-- A horizon has the same length in every time zone.
SET TIME ZONE 'Europe/Berlin';
SELECT count(*) FROM pql.labels('2026-06-01') WHERE matures_at - qualified_at <> '90 days';
SET TIME ZONE 'UTC';

DROP SCHEMA learning CASCADE;
DROP OWNED BY learning_reader, learning_rep, learning_nobody;
DROP ROLE learning_reader, learning_rep, learning_nobody;
DROP EXTENSION pql CASCADE;
