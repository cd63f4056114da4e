-- What became of hand-offs: which outcomes count for which, what is work, and when the answer is final.
-- covers: S1-10, S1-11, S1-12, S1-37, S2-27
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA outcomes;
SET search_path = outcomes;
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE TABLE orgs (id text PRIMARY KEY, plan text);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT count(*) > 0 FROM pql.attach_accounts('orgs', account_id => 'id');
UPDATE pql.source SET max_event_age = '10000 days';
CREATE FUNCTION program(name text, unit text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('program', name, 'unit', unit, 'qualify', '{"enter": 10, "leave": 5}'::jsonb, 'signals',
      jsonb_build_object('wants', jsonb_build_object('kind', 'intent', 'event', name, 'half_life', '7 days', 'points_each', 10, 'max_points', 90)),
      'motions', '[{"otherwise": true, "motion": "inside_sales", "after": "0", "by": "1 day"}]'::jsonb) || more$$;
CREATE PROCEDURE now_is(at timestamptz) LANGUAGE sql AS $$INSERT INTO ev (ts, who, org, name) VALUES (at, 'clock', 'clock', 'clock')$$;
CREATE FUNCTION row_of(subject text, program text DEFAULT 'buy') RETURNS bigint LANGUAGE sql
  RETURN (SELECT max(r.routing_id) FROM pql.routing AS r WHERE (r.subject_id, r.program) = ($1, $2));
CREATE PROCEDURE worked(subject text, at timestamptz, VARIADIC channels text[]) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql.claim('kim', 1, row_of(subject)) FROM pql.routing AS r WHERE r.routing_id = row_of(subject) AND r.state = 'ready';
  FOR i IN 1 .. array_length(channels, 1) LOOP
    PERFORM pql.touch(row_of(subject), channels[i], NULL, at + i * interval '1 hour');
  END LOOP;
END $$;

-- Nothing yet.
SELECT count(*) FROM pql.label;
SELECT count(*) FROM pql.labels(NULL);
SELECT count(*) FROM pql.labels(program => 'nobody');

SELECT pql.publish(p), pql.promote(p->>'program')
FROM (VALUES (program('buy', 'account', '{"known": {"plan": "attr.plan"}}')), (program('person', 'user'))) AS v(p);
INSERT INTO orgs VALUES ('met', 'team'), ('mails', 'free'), ('calls', NULL);
SELECT added FROM pql.refresh_attributes();
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-02 09:00', 'u-' || org, org, 'buy'
FROM unnest('{met, set, mails, calls, later, wrong, lost, quiet, early}'::text[]) AS org;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'ada', 'club', 'person'), ('2026-03-02 09:00', 'ben', 'club', 'person'),
  ('2026-03-02 09:00', 'eve', NULL, 'person');
CALL now_is('2026-03-03 09:00');
SELECT ready FROM pql.tick('2026-03-03 09:00');
CALL now_is('2026-03-10');

-- What is work: a meeting, or four touches of two kinds; "a couple of e-mails and one call" isn't.
CALL worked('met', '2026-03-03 10:00', 'meeting');
CALL worked('set', '2026-03-03 10:00', 'phone');
CALL worked('mails', '2026-03-03 10:00', 'email', 'email', 'phone');
CALL worked('calls', '2026-03-03 10:00', 'email', 'email', 'phone', 'phone');
CALL worked('later', '2026-03-03 10:00', 'email', 'email', 'email', 'email');
CALL worked('wrong', '2026-03-03 10:00', 'phone');
CALL worked('lost', '2026-03-03 10:00', 'phone');
SELECT disposition FROM pql.dispose(row_of('set'), 'meeting_set', true, true, false);
SELECT disposition FROM pql.dispose(row_of('wrong'), 'disqualified', false, false, NULL, failure => 'wrong_person');

-- What counts: outcomes of the subject within 90 days after it qualified, by when they happened.
SELECT count(pql.record_outcome(subject, outcome, value, at, unit)) FROM (VALUES
  ('met', 'paid', 100, timestamptz '2026-03-20', 'account'), ('met', 'expanded', 50, '2026-05-01', 'account'), ('met', 'paid', 7, '2026-09-01', 'account'),
  ('set', 'signed_up', 1, '2026-03-20', 'account'), ('mails', 'won', NULL, '2026-05-31 09:00', 'account'),
  ('calls', 'paid', 9, '2026-05-31 09:00:01', 'account'), ('later', 'paid', 9, '2026-03-02 09:00', 'account'), ('lost', 'churned', NULL, '2026-04-01', 'account'),
  ('early', 'converted', 3, '2026-03-02 09:01', 'account'), ('club', 'paid', 20, '2026-04-01', 'account'), ('ben', 'paid', 30, '2026-03-15', 'user'),
  ('eve', 'paid', 2, '2026-03-15', 'user')) AS v(subject, outcome, value, at, unit);
SELECT subject_id, segment, treated, touches, disposition, need_matched, timing_right, context_enough, converted, converted_at, value, burnt, lost_at
FROM pql.labels('2026-04-15') ORDER BY program, subject_id;
SELECT DISTINCT matures_at FROM pql.labels('2026-04-15');
-- Open ones aren't lost: not known until the horizon has passed, to the instant.
SELECT count(*) FILTER (WHERE converted), count(*) FILTER (WHERE NOT converted), count(*) FILTER (WHERE converted IS NULL) FROM pql.labels('2026-05-31 08:59:59');
SELECT count(*) FILTER (WHERE converted), count(*) FILTER (WHERE NOT converted), count(*) FILTER (WHERE converted IS NULL) FROM pql.labels('2026-05-31 09:00');
-- As of then: before anybody did anything, and before anybody qualified.
SELECT count(*), count(*) FILTER (WHERE treated), count(touch_delay), sum(touches), count(disposition), count(converted) FROM pql.labels('2026-03-03 09:30');
SELECT count(*) FROM pql.labels('2026-03-02 08:59');
SELECT count(*), count(converted) FROM pql.labels('2026-06-30', 'person');
SELECT count(*) FROM pql.label WHERE converted IS NULL AND matures_at <= now();

-- Who turned out to be one and the same: what became of one became of the other.
SELECT pql.merge_accounts('quiet', 'club') IS NOT NULL;
SELECT subject_id, converted, value FROM pql.labels('2026-06-30') WHERE subject_id IN ('quiet', 'ada') ORDER BY 1;

--
-- The same, whether read at once or from what tick made of it; and what changes later is followed.
--

SELECT more_due FROM pql.tick('2026-03-10');
SELECT count(*) FROM pql.handoff_due;
CREATE TABLE folded AS SELECT * FROM pql.labels('2026-04-15');
SELECT count(*) FROM folded;
UPDATE pql.routing SET segment = DEFAULT; -- all are due again
SELECT count(*) > 0 FROM pql.handoff_due;
SELECT count(*) FROM (SELECT * FROM pql.labels('2026-04-15') EXCEPT SELECT * FROM folded) AS x;
SELECT more_due FROM pql.tick('2026-03-10');
SELECT count(*) FROM (SELECT * FROM pql.labels('2026-04-15') EXCEPT SELECT * FROM folded) AS x;
-- Somebody else's merge, and its undoing.
SELECT pql.undo_merge((SELECT merge_id FROM pql.identity)) IS NOT NULL;
SELECT converted, value FROM pql.labels('2026-06-30') WHERE subject_id = 'quiet';
SELECT more_due FROM pql.tick('2026-03-10');
SELECT converted, value FROM pql.labels('2026-06-30') WHERE subject_id = 'quiet';
-- As of an instant in the past, of what has gone on since.
SELECT touches, disposition, value FROM pql.labels('2026-03-03 12:30') WHERE subject_id = 'calls';
SELECT touches, treated, value FROM pql.labels('2026-04-30') WHERE subject_id IN ('calls', 'met') ORDER BY subject_id;
SELECT value, treated FROM pql.labels('2026-05-01') WHERE subject_id = 'met';
BEGIN;
DELETE FROM pql.outcome WHERE subject_id = 'met' AND outcome = 'paid';
SELECT converted_at, value FROM pql.labels('2026-06-30') WHERE subject_id = 'met';
DELETE FROM pql.routing WHERE subject_id = 'met';
SELECT count(*) FROM pql.labels('2026-06-30') WHERE subject_id = 'met';
SELECT more_due FROM pql.tick('2026-03-10');
SELECT count(*) FROM pql.labels('2026-06-30') WHERE subject_id = 'met';
ROLLBACK;

-- Of accounts that are one by now each outcome is credited once.
BEGIN;
SELECT pql.merge_accounts('set', 'met') IS NOT NULL;
SELECT sum(credits), (SELECT count(*) FROM pql.attribution WHERE credited) FROM pql.label WHERE subject_id IN ('met', 'set') OR credits > 0;
SELECT more_due FROM pql.tick('2026-03-10');
SELECT sum(credits), (SELECT count(*) FROM pql.attribution WHERE credited) FROM pql.label WHERE subject_id IN ('met', 'set') OR credits > 0;
ROLLBACK;

-- To whose work an outcome is credited, and why to nobody's.
SELECT subject_id, outcome, value, at, program, why FROM pql.attribution ORDER BY subject_id, at;
SELECT subject_id, credits, credited FROM pql.label WHERE credits > 0;

--
-- What a program calls an outcome, and work.
--

SELECT program, version, converted, lost, horizon, touches, kinds, channels, meeting FROM pql.outcome_rules ORDER BY 1, 2;
SELECT pql.publish(program('buy', 'account', '{"known": {"plan": "attr.plan"}, "outcome": {"converted": ["paid"], "lost": ["churned", "angry"], "horizon": "30 days",
  "worked": {"touches": 2.0, "channels": ["phone"], "meeting": false}}}'));
SELECT path, change FROM pql.diff_programs('buy', 1, 2);
INSERT INTO ev (ts, who, org, name) SELECT '2026-04-01 09:00', 'u-' || org, org, 'buy' FROM unnest('{one, two, held}'::text[]) AS org;
CALL now_is('2026-04-02 09:00');
SELECT ready FROM pql.tick('2026-04-02 09:00');
CALL now_is('2026-04-10');
CALL worked('one', '2026-04-02 10:00', 'phone', 'email', 'meeting');
CALL worked('two', '2026-04-02 10:00', 'phone', 'phone');
SELECT count(pql.record_outcome(subject, outcome, 10, at)) FROM (VALUES ('one', 'won', timestamptz '2026-04-03'), ('two', 'paid', '2026-05-02'), ('held', 'angry', '2026-04-03')) AS v(subject, outcome, at);
SELECT subject_id, treated, touches, converted, value, matures_at, lost_at FROM pql.labels('2026-04-30', 'buy') WHERE version = 2 ORDER BY 1;
SELECT subject_id, treated, touches, converted, value FROM pql.labels('2026-05-01 09:00', 'buy') WHERE version = 2 ORDER BY 1;
SELECT program, version, converted, lost, horizon, touches, kinds, channels, meeting FROM pql.outcome_rules WHERE version = 2;
SELECT path, problem FROM pql.check_program(program('buy', 'account', '{"outcome": {"horizon": "1 month", "worked": {"touches": 1, "kinds": 2}, "lost": ["paid"], "conversions": []}}'));

--
-- Outcomes in tables of one's own.
--

CREATE TABLE deals (id int, org text, stage text, amount text, closed timestamptz);
INSERT INTO deals VALUES (1, 'held', 'Paid', '100', '2026-04-20'), (2, 'held', 'Paid', '50', '2026-04-20'), (3, 'two', 'paid', '7', '2026-04-21'),
  (4, NULL, 'paid', '1', '2026-04-20'), (5, 'held', 'Closed won!', '1', '2026-04-20'), (6, 'held', 'paid', 'lots', '2026-04-20'), (7, 'held', 'paid', '1', 'infinity'),
  (8, 'held', NULL, '1', '2026-04-20'), (9, 'held', 'angry', NULL, NULL), (10, 'held', 'paid', '1', '2199-01-01');
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  RETURN concat_ws(' | ', SQLSTATE, SQLERRM);
END $$;
SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.attach_outcomes('nothing', 'id', 'stage', account_id => 'org')$$, $$SELECT pql.attach_outcomes('deals', 'id', 'stages', account_id => 'org')$$,
  $$SELECT pql.attach_outcomes('deals', 'id', 'stage')$$, $$SELECT pql.attach_outcomes('deals', 'id', 'stage', 'org', 'org')$$, $$SELECT pql.attach_outcomes('deals', 'id', account_id => 'org')$$,
  $$SELECT pql.attach_outcomes('deals', NULL, 'stage', account_id => 'org')$$, $$SELECT pql.attach_outcomes('ev_id_seq', 'id', 'stage', account_id => 'org')$$,
  $$SELECT pql.detach_outcomes('outcomes.deals')$$, $$SELECT pql.detach_outcomes(NULL)$$]) AS s;
SELECT what, finding, advice FROM pql.attach_outcomes('deals', 'id', 'stage', account_id => 'org', at => 'closed', value => 'amount');
SELECT id, home, outcome, value, problem FROM pql.outcome_import ORDER BY id::int;
SELECT subject_id, outcome, value, at, recorded_by FROM pql.outcome WHERE recorded_by LIKE 'outcomes.%' AND at < '2026-06-01' ORDER BY 1, 2, 4;
SELECT subject_id, converted, value FROM pql.labels('2026-05-30', 'buy') WHERE version = 2 ORDER BY 1;
-- Nothing new, nothing done; a correction, another day, and one that vanished. Those without an instant keep the one at which they were seen.
SELECT * FROM pql.refresh_outcomes();
UPDATE deals SET amount = '60' WHERE id = 2;
UPDATE deals SET closed = '2026-04-22' WHERE id = 3;
UPDATE deals SET amount = '5' WHERE id = 6;
SELECT * FROM pql.refresh_outcomes();
DELETE FROM deals WHERE id = 1;
SELECT * FROM pql.refresh_outcomes();
DELETE FROM deals WHERE id IN (2, 3, 6);
SELECT * FROM pql.refresh_outcomes();
SELECT subject_id, outcome, value FROM pql.outcome WHERE recorded_by LIKE 'outcomes.%' ORDER BY 1, 2;
SELECT subject_id, converted, value FROM pql.labels('2026-05-30', 'buy') WHERE version = 2 ORDER BY 1;
-- What was recorded by hand stays, whatever the table says of it.
SELECT pql.record_outcome('held', 'paid', 1, '2026-04-25') IS NOT NULL;
INSERT INTO deals VALUES (11, 'held', 'paid', '9', '2026-04-25');
SELECT * FROM pql.refresh_outcomes();
DELETE FROM deals WHERE id = 11;
SELECT * FROM pql.refresh_outcomes();
SELECT outcome, value FROM pql.outcome WHERE subject_id = 'held' AND at = '2026-04-25';
-- What can't be read keeps what it said.
SET client_min_messages = error;
ALTER TABLE deals RENAME TO old_deals;
SELECT * FROM pql.refresh_outcomes();
RESET client_min_messages;
SET client_min_messages = warning;
SELECT broken IS NOT NULL, (SELECT count(*) FROM pql.outcome WHERE recorded_by LIKE 'outcomes.%') FROM pql.outcome_source;
ALTER TABLE old_deals RENAME TO deals;
TRUNCATE deals;
SELECT * FROM pql.refresh_outcomes();
SELECT broken IS NOT NULL, (SELECT count(*) FROM pql.outcome WHERE recorded_by LIKE 'outcomes.%') FROM pql.outcome_source;
-- One word for all rows, of users.
CREATE VIEW renewals AS SELECT 'r' || n AS id, 'eve' AS person, n AS worth FROM generate_series(1, 2) AS n;
SELECT what, finding FROM pql.attach_outcomes('renewals', 'id', user_id => 'person', value => 'worth', named => 'expanded');
SELECT unit, subject_id, outcome, value FROM pql.outcome WHERE recorded_by = 'outcomes.renewals';
SELECT pql.detach_outcomes('outcomes.renewals'), pql.detach_outcomes('outcomes.deals');
SELECT count(*) FROM pql.outcome_import;
SELECT count(*) FROM pql.outcome WHERE recorded_by = 'outcomes.renewals';
SELECT action, object FROM pql.audit WHERE action LIKE '%outcomes' ORDER BY audit_id;

--
-- Who may see what.
--

CREATE ROLE outcomes_nobody;
CREATE ROLE outcomes_clerk;
CREATE ROLE outcomes_kim;
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO outcomes_kim;
GRANT USAGE ON SCHEMA outcomes TO outcomes_nobody;
GRANT EXECUTE ON FUNCTION pql.record_outcome, pql.next_id TO outcomes_clerk;
GRANT USAGE ON SEQUENCE pql.id_seq TO outcomes_clerk;
GRANT SELECT, INSERT, UPDATE ON pql.outcome TO outcomes_clerk;
GRANT SELECT ON pql.source, pql.event_clock TO outcomes_clerk;
SET ROLE outcomes_nobody;
SELECT outcomes.failure(s) FROM unnest('{SELECT * FROM pql.label,SELECT * FROM pql.attribution,SELECT pql.refresh_outcomes()}'::text[]) AS s;
RESET ROLE;
-- Who records outcomes needs no rights on what follows from them.
SET ROLE outcomes_clerk;
SELECT pql.record_outcome('held', 'paid', 2, '2026-04-26') IS NOT NULL;
RESET ROLE;
SELECT value FROM pql.labels('2026-05-30') WHERE subject_id = 'held';
-- A rep sees what became of the rows that he sees.
INSERT INTO pql.reps (rep_id, db_role, team) VALUES ('kim', 'outcomes_kim', 'east'), ('lee', NULL, 'west');
UPDATE pql.routing SET owner = 'lee' WHERE subject_id = 'one';
SELECT more_due IS NOT NULL FROM pql.tick('2026-04-10');
SELECT count(*) FILTER (WHERE subject_id = 'one') FROM pql.label;
SET ROLE outcomes_kim;
SELECT count(*) FILTER (WHERE subject_id = 'one'), count(*) > 0 FROM pql.label;
RESET ROLE;
DROP OWNED BY outcomes_nobody, outcomes_clerk, outcomes_kim;
DROP ROLE outcomes_nobody, outcomes_clerk, outcomes_kim;

DROP EXTENSION pql CASCADE;
DROP SCHEMA outcomes CASCADE;
