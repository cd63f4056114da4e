-- What pql.health finds: each finding is provoked, and mended by its own hint. What pql.stats and pql.metrics say. In a database of its own, since
-- it is about all that is in one.
SELECT current_database() AS home \gset
CREATE DATABASE pql_health TEMPLATE template0;
\c pql_health
SET client_min_messages = warning;
SET TIME ZONE 'UTC';
SET DateStyle = 'ISO';
CREATE EXTENSION pql;
CREATE FUNCTION fix(text) RETURNS text LANGUAGE sql AS $$
  SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace($1, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00', '<time>', 'g'), '''\d{5,}''', '''<oid>''', 'g'),
    'table \d{5,}', 'table <oid>', 'g'), 'process \d+|\(\d{2,}\)', '<process>', 'g') $$;
CREATE VIEW wrong AS SELECT h."check", h.status, fix(h.what) AS what, fix(h.hint) AS hint FROM pql.health AS h WHERE h.status <> 'ok';
CREATE VIEW hint AS SELECT h."check", h.hint FROM pql.health AS h WHERE h.status <> 'ok';
\pset format unaligned
\pset tuples_only on

-- Nothing is there yet: it says so, and every other check is well.
SELECT * FROM wrong;
SELECT count(*), count(DISTINCT h."check"), count(*) FILTER (WHERE status = 'ok') FROM pql.health AS h;
SELECT what FROM pql.health WHERE status = 'ok' AND (detail IS NOT NULL OR hint IS NOT NULL OR what IS NULL);

CREATE TABLE ev (id bigint, ts timestamptz, who text, org text, name text, props jsonb);
INSERT INTO ev SELECT n, now() - interval '3 days', 'u' || n, 'org' || n % 3, 'start', '{"n": 1}' FROM generate_series(1, 9) AS n;
SELECT pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', properties => 'props') \g /dev/null
SELECT pql.publish('{"program": "p", "unit": "account", "milestones": {"paid": {"event": "pay", "where": "1 / (props->>''n'')::int = 1"}},
  "signals": {"starts": {"kind": "intent", "event": "start", "points_each": 10, "half_life": "7 days", "max_points": 20}, "paid": {"kind": "depth", "milestone": "paid", "max_points": 10}},
  "qualify": {"enter": 10, "leave": 5, "when": "10 / (users_active - 1) > 0"},
  "motions": [{"when": "score >= 20", "motion": "enterprise", "after": "0", "by": "1 hour", "skills": ["security"]},
              {"otherwise": true, "motion": "account_executive", "after": "0", "by": "1 hour"}]}') > 0;
-- An installation in the making.
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" IN ('indexes', 'duplicates', 'history') \gexec
SELECT * FROM wrong;
SELECT pql.promote('p', override => 'test') > 0;
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'reps' \gexec
-- Somebody is there, without the skills.
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'reps' \gexec
INSERT INTO pql.reps (rep_id) VALUES ('bo');
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'capacity' \gexec
SELECT * FROM wrong;

-- Triggers that are lost or disabled, in a table and in a partition; what came meanwhile is taken in.
DROP TRIGGER pql_insert ON ev;
ALTER TABLE ev DISABLE TRIGGER pql_delete;
INSERT INTO ev VALUES (20, now(), 'u20', 'unseen', 'start', '{}');
SELECT * FROM wrong;
SELECT count(*) FROM pql.members WHERE account_id = 'unseen';
SELECT DISTINCT hint FROM hint WHERE "check" = 'triggers' \gexec
SELECT * FROM wrong;
SELECT count(*) FROM pql.members WHERE account_id = 'unseen';
SELECT * FROM pql.verify();
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'ev'::regclass ORDER BY 1;
SELECT pql.restore_triggers(NULL);
SELECT pql.restore_triggers('pg_class');
CREATE TABLE parted (LIKE ev) PARTITION BY RANGE (ts);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2100-01-01');
CREATE INDEX ON parted (org, ts);
CREATE UNIQUE INDEX ON parted (id, ts);
SELECT pql.attach('parted', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id') \g /dev/null
SELECT * FROM wrong;
ALTER TABLE parted_1 DISABLE TRIGGER pql_row;
INSERT INTO parted VALUES (1, now(), 'p1', 'parted org', 'start');
SELECT * FROM wrong;
SELECT detail FROM pql.health h WHERE h."check" = 'triggers';
SELECT hint FROM hint WHERE "check" = 'triggers' \gexec
SELECT * FROM wrong;
SELECT count(*) FROM pql.members WHERE account_id = 'parted org';
DROP TRIGGER pql_row ON parted;
INSERT INTO parted VALUES (2, now(), 'p2', 'parted org', 'start');
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'triggers' \gexec
SELECT * FROM wrong;
SELECT count(*) FROM pql.members WHERE account_id = 'parted org';
-- A partition that comes with events, and a table that becomes a partition.
CREATE TABLE parted_0 (LIKE parted);
INSERT INTO parted_0 VALUES (3, '2019-01-01', 'p3', 'parted org', 'start');
ALTER TABLE parted ATTACH PARTITION parted_0 FOR VALUES FROM ('2019-01-01') TO ('2020-01-01');
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'partitions' \gexec
SELECT * FROM wrong;
SELECT pql.detach('parted');
DROP TABLE parted;
-- Columns that are gone, and a table.
CREATE TABLE other (id bigint PRIMARY KEY, ts timestamptz, who text, name text);
CREATE INDEX ON other (who);
SELECT pql.attach('other', user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id') \g /dev/null
ALTER TABLE other RENAME COLUMN name TO event_name;
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'events tables' \gexec
SELECT pql.attach('other', user_id => 'who', event => 'event_name', occurred_at => 'ts', event_id => 'id') \g /dev/null
ALTER TABLE other RENAME TO others; -- follows
SELECT * FROM wrong;
DROP TABLE others;
SELECT * FROM wrong;
SELECT count(hint) FROM hint;
SELECT hint AS detach FROM hint WHERE "check" = 'events tables' \gset
:detach
SELECT * FROM wrong;

-- Events that can't be used, and rules that fail.
INSERT INTO ev VALUES (30, now(), NULL, 'org1', 'start', '{}'), (31, now(), 'u1', 'org1', 'pay', '{"n": 0}'),
  (32, now(), 'alone', 'alone', 'start', '{}');
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" IN ('unusable events', 'rules') \gexec
SELECT * FROM wrong;
-- Clocks that are ahead.
INSERT INTO ev VALUES (40, now() + interval '40 days', 'u40', 'org1', 'start', '{}');
SELECT "check", status, hint FROM wrong;
SELECT rtrim(hint, ';') AS shows FROM hint WHERE "check" = 'clocks' \gset
SELECT id FROM (:shows) AS x;
DELETE FROM ev WHERE id = 40;
SELECT * FROM wrong;
INSERT INTO pql.event_clock VALUES (1, now() + interval '2 days');
SELECT "check", status, hint FROM wrong;
SELECT hint FROM hint WHERE "check" = 'clocks' \gexec
DELETE FROM pql.event_clock;
SELECT * FROM wrong;
-- A program that waits for its history.
SET session_replication_role = replica;
UPDATE pql.program SET status = 'building', goes_live = true, published_at = now() - interval '2 hours' WHERE program = 'p';
RESET session_replication_role;
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'programs' \gexec
SELECT * FROM wrong;

-- Attributes, facts and imports that don't follow.
CREATE TABLE crm (id text PRIMARY KEY, plan text);
INSERT INTO crm VALUES ('org1', 'team');
CREATE VIEW crm_view AS SELECT * FROM crm;
SELECT pql.attach_accounts('crm', 'id') \g /dev/null
SELECT pql.attach_users('crm_view', 'id') \g /dev/null
SELECT pql.attach_facts('deals', 'crm', account_id => 'id') \g /dev/null
SELECT pql.attach_outcomes('crm_view', id => 'id', account_id => 'id', outcome => 'plan') \g /dev/null
SELECT * FROM wrong;
ALTER TABLE crm DISABLE TRIGGER USER;
UPDATE pql.attribute_source SET refreshed_at = now() - interval '3 days' WHERE unit = 'user';
UPDATE pql.outcome_source SET refreshed_at = now() - interval '3 days';
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" IN ('attributes', 'imports') \gexec
SELECT * FROM wrong;
-- Conversations.
CREATE TABLE said (id bigint PRIMARY KEY, ts timestamptz, who text, body text);
SELECT pql.attach_conversations('said', user_id => 'who', body => 'body', occurred_at => 'ts') \g /dev/null
SELECT * FROM wrong;
ALTER TABLE said DISABLE TRIGGER pql_hear;
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'conversations' \gexec
SELECT * FROM wrong;

-- Time that nobody looked after.
UPDATE pql.reps SET active = rep_id = 'bo';
SELECT count(*) FROM pql.tick();
INSERT INTO ev SELECT 100 + n, now() - interval '1 minute', 'late' || n, 'late', 'start', '{}' FROM generate_series(1, 4) AS n;
SELECT count(*) FROM pql.tick();
SELECT state, owner FROM pql.routing WHERE account_id = 'late';
SELECT "check", status FROM wrong WHERE "check" <> 'reps';
UPDATE pql.routing SET contact_after = now() - interval '2 hours', contact_by = now() - interval '90 minutes' WHERE account_id = 'late';
SELECT * FROM wrong WHERE "check" <> 'reps';
SELECT hint FROM hint WHERE "check" = 'tick' \g /dev/null
SELECT count(*) FROM pql.tick();
SELECT "check", status FROM wrong WHERE "check" <> 'reps';
UPDATE pql.reps SET active = true;
SELECT count(*) FROM pql.tick();
UPDATE pql.routing SET contact_after = now() - interval '2 hours', contact_by = now() - interval '90 minutes' WHERE account_id = 'late';
SELECT count(*) FROM pql.tick();
SELECT state, owner IS NOT NULL AS owned, contact_by < now() AS late FROM pql.routing WHERE account_id = 'late';
SELECT "check", status, hint FROM wrong;
SELECT rtrim(hint, ';') AS shows FROM hint WHERE "check" = 'overdue rows' \gset
SELECT program, subject_id, sla FROM (:shows) AS x;
UPDATE pql.routing SET contact_by = now() + interval '1 day' WHERE account_id = 'late';
SELECT * FROM wrong;

-- Whatever is on pql's tables and isn't pql's; and what is missing of its own.
CREATE INDEX mine ON pql.routing (headline);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER mine AFTER INSERT ON pql.routing FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE POLICY mine ON pql.routing USING (true);
ALTER TABLE pql.reps ADD COLUMN mine text, ADD CONSTRAINT mine CHECK (true);
DROP INDEX pql.routing_due;
DROP POLICY seen ON pql.touch;
ALTER TABLE pql.reps DISABLE TRIGGER check_calendar;
ALTER TABLE pql.routing DISABLE ROW LEVEL SECURITY;
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'own tables' \gexec
SELECT * FROM wrong;
-- pql.events may be attached as any table.
SELECT pql.record_event('ada', 'start') IS NOT NULL;
SELECT * FROM wrong WHERE "check" = 'own tables';
-- An index that failed to be made.
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pql.routing_due'::regclass;
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'indexes' \gexec
SELECT * FROM wrong;

-- The server: triggers that don't fire for somebody, autovacuum, dead rows, statistics, and transactions that hold it back.
ALTER DATABASE pql_health SET session_replication_role = 'replica';
SELECT * FROM wrong;
SELECT hint FROM hint WHERE "check" = 'replication role' \gexec
SELECT * FROM wrong;
ALTER TABLE pql.audit SET (autovacuum_enabled = off);
ALTER TABLE pql.rep_load SET (autovacuum_enabled = off);
INSERT INTO pql.audit (audit_id, action, object) SELECT -n, 'test', 'test' FROM generate_series(1, 60000) AS n;
DELETE FROM pql.audit WHERE audit_id BETWEEN -30000 AND -1;
INSERT INTO pql.rep_load (rep_id, seed) SELECT 'r' || n, n FROM generate_series(1, 200) AS n;
DO $$ BEGIN FOR n IN 1 .. 60 LOOP UPDATE pql.rep_load SET deficit = n WHERE rep_id LIKE 'r_%'; END LOOP; END $$;
SELECT pg_stat_force_next_flush();
SELECT "check", status, regexp_replace(what, '\d+', '<n>', 'g') AS what, hint FROM wrong;
SELECT hint FROM hint WHERE "check" IN ('autovacuum', 'vacuum', 'hot updates', 'statistics') \gexec
SELECT pg_stat_force_next_flush();
DELETE FROM pql.rep_load WHERE rep_id LIKE 'r_%';
DELETE FROM pql.audit WHERE audit_id < 0;
SELECT * FROM wrong WHERE "check" NOT IN ('vacuum', 'statistics');
-- Library and extension.
BEGIN;
UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'pql';
SELECT "check", status, hint FROM wrong WHERE "check" = 'versions';
UPDATE pg_extension SET extversion = '9.0.1' WHERE extname = 'pql';
SELECT "check", status, hint FROM wrong WHERE "check" = 'versions';
ROLLBACK;
-- A worker that was asked for and can't be there.
SET pql.worker = on;
SELECT "check", status, hint FROM wrong WHERE "check" = 'worker';
RESET pql.worker;

-- Figures.
SELECT sources, live_programs, lag = '0' AS nothing_due, worker, held_events, unusable_events, rule_failures, errors FROM pql.stats;
SELECT cache_hits BETWEEN 0 AND 1 AS cache, hot_updates IS NULL OR hot_updates BETWEEN 0 AND 1 AS hot, all_bytes > state_bytes AS bytes FROM pql.stats;
SELECT name, count(*) > 0, min(type), bool_and(help IS NOT NULL) FROM pql.metrics GROUP BY name ORDER BY name COLLATE "C";
SELECT name, labels, count(*) FROM pql.metrics GROUP BY 1, 2 HAVING count(*) > 1;
INSERT INTO pql.rule_error VALUES (E'a "quoted"\nback\\slash', 1, 'motions[0].when', 0, 3, now(), 'x');
SELECT l FROM regexp_split_to_table(pql.metrics_text(), E'\n') AS l WHERE l ~ 'pql_rule_failures_total';
-- Every line is a comment or a sample, and nothing is written twice.
SELECT l FROM regexp_split_to_table(pql.metrics_text(), E'\n') AS l
WHERE l !~ '^# (HELP|TYPE) [a-z_]+ \S.*$' AND l !~ '^[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? (-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|[+-]Inf|NaN)$' AND l <> '';
SELECT pql._metric_text(x) FROM unnest('{1,-0.5,Infinity,-Infinity,NaN,1e300}'::float8[]) AS x;

-- Who may read pql's tables may ask; nobody else. The view that is named depends on the version of PostgreSQL.
CREATE ROLE pql_health_reader;
SET ROLE pql_health_reader;
\set VERBOSITY sqlstate
SELECT count(*) FROM pql.health;
\set VERBOSITY default
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO pql_health_reader;
GRANT EXECUTE ON FUNCTION pql.metrics_text() TO pql_health_reader;
SET ROLE pql_health_reader;
SELECT count(*) > 20 FROM pql.health;
SELECT sources FROM pql.stats;
SELECT length(pql.metrics_text()) > 1000;
SELECT pql.restore_triggers('ev');
RESET ROLE;
\c :home
DROP DATABASE pql_health;
DROP ROLE pql_health_reader;
