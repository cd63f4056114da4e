-- What readiness, audits and trials say where there is nothing: no table, no events, no program, no rights.
-- covers: S2-7, S2-9, S2u-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on
\set document '{"program": "p", "unit": "account", "milestones": {"a": {"event": "a"}}, "activation": {"steps": ["a"], "within": "1 day"}, "signals": {"s": {"kind": "depth", "event": "a", "half_life": "1 day", "saturates_at": 1, "max_points": 50}}, "qualify": {"enter": 50, "leave": 40}}'
\set wrong '{"program": "p", "unit": "account", "segment": "attr.size > 3", "signals": {"s": {"kind": "depth", "event": "a", "half_life": "1 day", "saturates_at": 1, "max_points": 50}}, "qualify": {"enter": 50, "leave": 40}}'

-- Nothing is attached.
SELECT item, pass, found, hint FROM pql.readiness();
SELECT * FROM pql.readiness('p');
SELECT * FROM pql.audit_signals('p');
SELECT * FROM pql.audit_signals(NULL);
SELECT week, qualified FROM pql.backtest(:'document', '2026-01-01', '2026-01-10');
SELECT * FROM pql.backtest_episodes(:'document', '2026-01-01', '2026-01-10');
SELECT * FROM pql.preview(:'document');
SELECT pql.preview_summary(:'document');
-- No document, or a wrong one, wherever there are no events to see that by.
SELECT * FROM pql.backtest(NULL, '2026-01-01', '2026-01-01');
SELECT * FROM pql.backtest('{}', '2026-01-01', '2026-01-01');
SELECT * FROM pql.backtest(:'wrong', '2026-01-01', '2026-01-10');
SELECT * FROM pql.backtest_episodes(:'wrong', '2026-01-01', '2026-01-10');
SELECT * FROM pql.preview(:'wrong');
SELECT * FROM pql.preview(NULL);
-- An empty table.
CREATE TABLE nothing (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
SELECT count(*) > 0 FROM pql.attach('nothing', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', received_at => 'at');
SELECT pql.publish(:'document');
SELECT item, pass, found, hint FROM pql.readiness('p');
SELECT signal, events, subjects, coverage, overlap, lift, note FROM pql.audit_signals('p');
SELECT week, qualified, converted FROM pql.backtest(:'document', '2026-01-01', '2026-01-10');
SELECT * FROM pql.score_history('p', 'nobody', '2026-01-01', '2026-01-02', '1 day');
SELECT * FROM pql.triage();
-- A draft, and one that is retired.
SELECT pql.save_draft(jsonb_set(:'document', '{program}', '"d"'));
SELECT item, pass, found FROM pql.readiness('d') OFFSET 10;
SELECT * FROM pql.audit_signals('d');
SELECT pql.retire('p');
SELECT * FROM pql.readiness('p');
SELECT * FROM pql.audit_signals('p');
-- A role without rights.
CREATE ROLE regress_readiness;
SET ROLE regress_readiness;
SELECT * FROM pql.readiness();
SELECT * FROM pql.audit_signals('p');
SELECT * FROM pql.triage();
SELECT * FROM pql.backtest(:'document', '2026-01-01', '2026-01-10');
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO regress_readiness;
SET ROLE regress_readiness;
SELECT count(*) FROM pql.readiness();
SELECT count(*) FROM pql.triage();
RESET ROLE;
DROP OWNED BY regress_readiness;
DROP ROLE regress_readiness;

-- What tick is told of the future is now, by the wall's clock; and everything, where events are the clock.
SELECT pql.publish(:'document', override => 'again') > 1;
SELECT pql.promote('p', override => 'again') > 1;
INSERT INTO nothing VALUES (1, now(), 'ada', 'acme', 'a');
SELECT count(*) FROM pql.tick(now() + interval '30 days');
SELECT subject_id, left_at FROM pql.episode;
SELECT count(*) FROM pql.tick('infinity');
UPDATE pql.source SET clock = 'event';
SELECT episodes_reviewed FROM pql.tick(now() + interval '30 days');
SELECT subject_id, left_at > now() FROM pql.episode;
DROP TABLE nothing CASCADE;
