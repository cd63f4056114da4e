-- What became of hand-offs: which outcomes count for which, what is work, and when the answer is final.
-- covers: S1-10, S1-37, S2-27
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
