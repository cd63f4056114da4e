-- Versions of programs: drafts, what is published stays, how often, how they replace each other, and back.
-- covers: S1-44, S2-26, S3-15
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
CREATE FUNCTION program(name text, unit text, enter int, event text DEFAULT 'work') RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('program', name, 'unit', unit, 'qualify', jsonb_build_object('enter', enter, 'leave', 5), 'signals',
      jsonb_build_object('uses', jsonb_build_object('kind', 'depth', 'event', event, 'half_life', '7 days', 'points_each', 10, 'max_points', 90)))$$;
CREATE VIEW v AS SELECT program, version, status, note FROM pql.program ORDER BY program_id, version;

--
-- Drafts
--

SELECT pql.save_draft(NULL);
SELECT pql.save_draft('[]');
SELECT pql.save_draft('{"program": "Bad Name"}');
SELECT pql.save_draft('{"program": "usage", "unit": "account"}', 'to be continued');
SELECT * FROM v;
-- it does nothing, and the next one takes its place
SELECT pql.promote('usage');
SELECT pql.retire('usage');
SELECT pql.rollback('usage');
SELECT pql.score('usage', 'acme');
SELECT pql.publish_draft('usage');
SELECT count(*) FROM pql.tracker;
SELECT pql.save_draft('{"program": "another"}');
SELECT pql.save_draft(program('usage', 'account', 50), 'better');
SELECT * FROM v;
DELETE FROM pql.program WHERE program = 'another';
UPDATE pql.program SET note = 'best' WHERE status = 'draft';
SELECT pql.publish_draft('usage');
SELECT * FROM v;
SELECT pql.publish_draft('usage');
SELECT pql.publish_draft(NULL);
-- whatever is published comes before it
SELECT pql.save_draft(program('usage', 'account', 40));
SELECT pql.publish(program('usage', 'account', 45));
SELECT * FROM v;
BEGIN;
SELECT pql.publish_draft('usage');
SELECT version, status, document->'qualify'->'enter' FROM pql.program ORDER BY version;
ROLLBACK;
DELETE FROM pql.program WHERE status = 'draft';
SELECT * FROM v;

--
-- What is published stays as it was
--

UPDATE pql.program SET document = jsonb_set(document, '{qualify,enter}', '1') WHERE version = 2;
UPDATE pql.program SET note = 'I never said that' WHERE version = 1;
UPDATE pql.program SET version = 7 WHERE version = 1;
UPDATE pql.program SET program = 'other';
UPDATE pql.program SET published_by = 'somebody', published_at = now();
UPDATE pql.program SET status = 'draft' WHERE version = 2;
DELETE FROM pql.program WHERE version = 1;
TRUNCATE pql.program;
INSERT INTO pql.program AS p SELECT * FROM pql.program WHERE version = 2
  ON CONFLICT (program, version) DO UPDATE SET document = '{}';
-- also for whoever may write to the table and is no superuser
CREATE ROLE version_writer;
GRANT ALL ON pql.program TO version_writer;
SET ROLE version_writer;
UPDATE pql.program SET document = '{}' WHERE version = 2;
RESET ROLE;
REVOKE ALL ON pql.program FROM version_writer;
DROP ROLE version_writer;
-- nothing is changed by writing what is there
UPDATE pql.program SET document = document, note = note;
SELECT * FROM v;
-- and only one is in force
INSERT INTO pql.program (program_id, program, version, status, document) SELECT program_id, program, 3, status, document FROM pql.program WHERE version = 2;

--
-- How often
--

SELECT pql.promote('usage');
SELECT pql.publish(program('other', 'account', 25));
SELECT pql.promote('other');
INSERT INTO ev SELECT n, '2026-01-01', 'u' || n, 'org', 'work' FROM generate_series(1, 3) AS n;
-- as if the one that is live had said so, or none had
CREATE PROCEDURE limit_days(days int) LANGUAGE sql AS $$
  ALTER TABLE pql.program DISABLE TRIGGER keep_versions;
  UPDATE pql.program SET document = CASE WHEN days IS NULL THEN document - 'limits'
    ELSE jsonb_set(document, '{limits}', jsonb_build_object('min_days_between_versions', days)) END
  WHERE program = 'usage' AND (status = 'live' OR days IS NULL);
  ALTER TABLE pql.program ENABLE TRIGGER keep_versions;
$$;
CALL limit_days(14);
DO $$
DECLARE
  state text;
  said text;
  detail text;
  hint text;
BEGIN
  PERFORM pql.publish(program('usage', 'account', 30));
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RAISE WARNING '% % | % | %', state, said, hint, detail = (
    SELECT format('The next version may go live from %s on.', promoted_at + interval '14 days') FROM pql.program WHERE program = 'usage' AND status = 'live');
END $$;
\set VERBOSITY terse
SELECT pql.publish(program('usage', 'account', 30), override => ' ');
SELECT pql.save_draft(program('usage', 'account', 30), 'urgent');
SELECT pql.publish_draft('usage');
SELECT pql.publish_draft('usage', 'the threshold let nobody in');
SELECT * FROM v WHERE program = 'usage';
SELECT detail FROM pql.audit WHERE action = 'publish' ORDER BY audit_id DESC LIMIT 1;
-- a version that was published without a limit may be replaced at once; one that doesn't go live yet may wait in shadow
CALL limit_days(NULL);
SELECT pql.publish(program('usage', 'account', 31));
CALL limit_days(14);
BEGIN;
SELECT pql.retire('usage');
SELECT pql.publish(program('usage', 'account', 32));
SAVEPOINT s;
SELECT pql.promote('usage');
ROLLBACK TO s;
SELECT pql.promote('usage', override => 'the pilot begins');
ROLLBACK;
-- the time has come
ALTER TABLE pql.program DISABLE TRIGGER ALL;
UPDATE pql.program SET promoted_at = promoted_at - interval '337 hours';
ALTER TABLE pql.program ENABLE TRIGGER ALL;
SELECT pql.publish(program('usage', 'account', 33));
SELECT * FROM v WHERE program = 'usage';
CALL limit_days(NULL);

--
-- And back
--

SELECT pql.rollback('nothing');
SELECT pql.rollback(NULL);
SELECT pql.rollback('other');
INSERT INTO ev VALUES (2001, '2026-06-02', 'u1', 'kappa', 'work'), (2002, '2026-06-02', 'u1', 'kappa', 'work'), (2003, '2026-06-02', 'u2', 'kappa', 'work');
SELECT count(*) FROM pql.routing WHERE program = 'usage' AND subject_id = 'kappa'; -- 33 is wanted
CALL limit_days(14); -- doesn't keep anybody from it
SELECT pql.rollback('usage', 'too strict');
CALL limit_days(NULL);
SELECT version, status, promoted_at IS NOT NULL AS was_live, retired_at IS NULL AS lasts, document->'qualify'->'enter' FROM pql.program WHERE program = 'usage' ORDER BY version;
-- at once, and it tells who it is
INSERT INTO ev VALUES (2004, '2026-06-02 00:00:01', 'u2', 'kappa', 'work');
SELECT version, score FROM pql.routing WHERE program = 'usage' AND subject_id = 'kappa';
-- further back; the version that was rolled back from is passed over
SELECT pql.rollback('usage');
SELECT pql.rollback('usage');
SELECT pql.rollback('usage');
SELECT * FROM v WHERE program = 'usage';
SELECT pql.publish(program('usage', 'account', 34));
SELECT pql.rollback('usage', 'again');
SELECT pql.publish(program('usage', 'account', 35));
SELECT pql.rollback('usage', 'and again');
SELECT * FROM v WHERE program = 'usage';
SELECT detail FROM pql.audit WHERE action = 'rollback' ORDER BY audit_id;
-- one that waits goes, too
SELECT pql.publish(program('usage', 'account', 36, 'other'));
SELECT pql.publish(program('usage', 'account', 37));
INSERT INTO ev VALUES (2999, '2026-06-03', 'u1', 'kappa', 'another');
BEGIN;
SELECT pql.publish(program('usage', 'account', 38, 'another'));
SELECT * FROM v WHERE program = 'usage' AND version > 7;
SELECT pql.rollback('usage');
SELECT * FROM v WHERE program = 'usage' AND version > 7;
ROLLBACK;

--
-- Those that wait for their history: the last one counts, in whatever order they are built
--

SELECT pql.publish(program('usage', 'account', 38, 'new'));
SELECT pql.publish(program('usage', 'account', 39, 'newer'));
SELECT * FROM v WHERE version > 9;
SELECT pql.publish(program('usage', 'account', 40)); -- needs no history
SELECT * FROM v WHERE version > 9;
CALL pql.backfill();
SELECT * FROM v WHERE version > 9;
SELECT * FROM pql.verify();

--
-- Others are left alone
--

CREATE TABLE others AS SELECT 'p' AS what, to_jsonb(p) AS was FROM pql.program AS p WHERE program <> 'usage'
  UNION ALL SELECT 't', to_jsonb(t) FROM pql.tracker AS t UNION ALL SELECT 'e', to_jsonb(x) FROM pql.episode AS x WHERE program <> 'usage'
  UNION ALL SELECT 'r', to_jsonb(r) FROM pql.routing AS r WHERE program <> 'usage';
SELECT what, count(*) > 0 FROM others GROUP BY what ORDER BY what;
SELECT pql.publish(program('usage', 'account', 20, 'newest'));
CALL pql.backfill();
SELECT pql.rollback('usage');
SELECT pql.retire('usage');
SELECT pql.publish(program('usage', 'account', 20));
SELECT pql.promote('usage');
SELECT pql.save_draft(program('usage', 'account', 10));
SELECT what, count(*) FROM (
  SELECT * FROM others
  EXCEPT (SELECT 'p', to_jsonb(p) FROM pql.program AS p UNION ALL SELECT 't', to_jsonb(t) FROM pql.tracker AS t
          UNION ALL SELECT 'e', to_jsonb(x) FROM pql.episode AS x UNION ALL SELECT 'r', to_jsonb(r) FROM pql.routing AS r)) AS x GROUP BY what;

--
-- Examples: a version that gets them wrong is not published
--

BEGIN;
CREATE OR REPLACE FUNCTION pql._check_examples(document jsonb) RETURNS TABLE (subject text, expect text, found text, problem text) LANGUAGE sql AS
  $$VALUES ('acme', 'qualified', 'email', NULL), ('org1', 'email', 'not_qualified', 'expected email, found not_qualified (20 points)'), ('org2', 'qualified', 'not_qualified', 'expected qualified, found not_qualified (30 points)')$$;
SAVEPOINT s;
\set VERBOSITY default
SELECT pql.publish(program('usage', 'account', 70));
ROLLBACK TO s;
CREATE OR REPLACE FUNCTION pql._check_examples(document jsonb) RETURNS TABLE (subject text, expect text, found text, problem text) LANGUAGE sql AS
  $$VALUES ('acme', 'qualified', 'email', NULL)$$;
SELECT pql.publish(program('usage', 'account', 70)) > 0;
ROLLBACK;

--
-- A publication that is rolled back leaves nothing
--

SELECT (SELECT count(*) FROM pql.tracker) AS trackers, (SELECT count(*) FROM pql.backfill_job) AS jobs, (SELECT count(*) FROM pql.audit) AS audits \gset
BEGIN;
SELECT pql.publish(program('usage', 'account', 60, 'latest')) > 0;
SELECT pql.publish(program('fresh', 'account', 60, 'latest')) > 0;
ROLLBACK;
SELECT count(*) - :trackers FROM pql.tracker;
SELECT count(*) - :jobs FROM pql.backfill_job;
SELECT count(*) - :audits FROM pql.audit;
SELECT pql.score('fresh', 'kappa');
INSERT INTO ev VALUES (4000, '2026-06-04', 'u1', 'kappa', 'latest');

-- who leaves by the version that the episode began under, and is somebody for the one that took its place, enters by that
CREATE TABLE plans (id text PRIMARY KEY, plan text);
INSERT INTO plans VALUES ('lambda', 'free');
SELECT count(*) > 0 FROM pql.attach_accounts('plans', account_id => 'id');
SELECT pql.publish(program('moves', 'account', 10, 'moved') || '{"segment": "attr.plan = ''free''"}');
CALL pql.backfill();
SELECT pql.promote('moves');
INSERT INTO ev VALUES (5000, '2026-06-05', 'u1', 'lambda', 'moved');
SELECT pql.publish(program('moves', 'account', 10, 'moved'));
SELECT version, left_at IS NULL FROM pql.episode WHERE program = 'moves' ORDER BY episode_id;
UPDATE plans SET plan = 'paid';
SELECT version, left_at IS NULL FROM pql.episode WHERE program = 'moves' ORDER BY episode_id;
SELECT version, qualification, state FROM pql.routing WHERE program = 'moves' ORDER BY routing_id;
SELECT * FROM pql.verify();

DROP TABLE ev, others, plans;
DROP FUNCTION program;
DROP PROCEDURE limit_days;
DROP EXTENSION pql CASCADE;
