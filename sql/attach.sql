-- pql.attach and pql.detach: what can be attached and how it is read, everything that is refused, and what happens to a source
-- whose table changes.
-- covers: S3-3, S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

-- What a statement raises: SQLSTATE, message, detail and hint; or what it gave.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; given text;
BEGIN
  EXECUTE statement INTO given;
  RETURN 'ok: ' || coalesce(given, '(null)');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n    ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE SCHEMA place;
SET search_path = place, public;
CREATE TABLE ev (id bigint, ts timestamptz, local timestamp, day date, who text, org text, name text, props jsonb, doc json,
                 number int, ok boolean, ids int[], raw bytea);
CREATE FUNCTION pg_temp.attach(arguments text, relation text DEFAULT 'ev') RETURNS text LANGUAGE sql AS $$
  SELECT arguments || E'\n  ' || pg_temp.try(format('SELECT count(*) FROM pql.attach(%L, %s)', relation, arguments))
$$;

--
-- The dry run, on an empty table and on one with events
--

SELECT * FROM pql.attach('ev', user_id => 'who', event => 'name', occurred_at => 'ts', dry_run => true);
SELECT * FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                         properties => 'props', received_at => 'ts + interval ''5 minutes''', dry_run => true);
INSERT INTO ev (id, ts, who, org, name)
SELECT g, '2026-01-01'::timestamptz + g * interval '1 hour', nullif('u' || g % 5, 'u0'), nullif('a' || g % 3, 'a0'), 'e' || g % 4
FROM generate_series(1, 60) AS g;
INSERT INTO ev (id, ts, who, org, name) VALUES (60, '2999-01-01', 'u1', 'a1', 'e1');
SELECT * FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                         received_at => 'ts + interval ''5 minutes''', dry_run => true);
CREATE INDEX ON ev (org, ts);
SELECT * FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                         dedup => '90 days', dry_run => true);
-- when a row arrived: what nobody knows, and what it decides with dedup
SELECT * FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days',
                         received_at => $$CASE WHEN id < 4 THEN ts + interval '5 minutes' WHEN id < 6 THEN 'infinity'::timestamptz WHEN id < 8 THEN '-infinity'::timestamptz END$$,
                         dry_run => true) WHERE what IN ('lateness', 'duplicates');
-- an expression that fails on some rows
UPDATE ev SET props = '{"at": "2026-01-01T00:00:00Z", "n": "1"}';
UPDATE ev SET props = '{"at": "x", "n": "one"}' WHERE id = 7;
UPDATE ev SET props = '{"n": 0}' WHERE id IN (8, 9);
SELECT * FROM pql.attach('ev', user_id => '(60 / (props->>''n'')::int)::text', account_id => 'org', event => 'name', occurred_at => 'ts',
                         event_id => 'id', dry_run => true);
SELECT * FROM pql.attach('ev', user_id => 'who', event => '(props->>''n'')::int::text', occurred_at => 'ts', dry_run => true) WHERE what = 'failures';
SELECT * FROM pql.attach('ev', user_id => 'who', event => 'name', occurred_at => 'ts', properties => '(props->>''at'')::jsonb', dry_run => true) WHERE what = 'failures';
-- nothing came of it
SELECT count(*) FROM pql.sources;
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'ev'::regclass;
TRUNCATE ev;

--
-- What is refused
--

SELECT pg_temp.attach(a) FROM unnest(ARRAY[
  $$user_id => 'nobody', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'who', event => 'nam', occurred_at => 'ts'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'tss'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', account_id => 'orgg'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'idd'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', properties => 'propss'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', received_at => 'gone'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'name'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'local'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'day'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'now()'$$,
  $$user_id => 'who', event => 'name', occurred_at => '''now''::timestamptz'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'local::timestamptz'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'clock_timestamp()'$$,
  $$user_id => 'who', event => 'ts', occurred_at => 'ts'$$,
  $$user_id => 'who', event => 'props', occurred_at => 'ts'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', properties => 'name'$$,
  $$user_id => 'random()::text', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'to_char(ts, ''YYYY'')', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'ts', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'ids', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'current_user', event => 'name', occurred_at => 'ts'$$,
  $$user_id => '(SELECT who)', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'max(who)', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'who; DROP TABLE ev', event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'who,', event => 'name', occurred_at => 'ts'$$,
  $$user_id => '', event => 'name', occurred_at => 'ts'$$,
  $$user_id => '$1', event => 'name', occurred_at => 'ts'$$,
  $$user_id => NULL, event => 'name', occurred_at => 'ts'$$,
  $$user_id => 'who', event => NULL, occurred_at => 'ts'$$,
  $$user_id => 'who', event => 'name', occurred_at => NULL$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', clock => 'sun'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', clock => NULL$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', mode => 'async'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', mode => NULL$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', dry_run => NULL$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', dedup => '90 days'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '3 months'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '0'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '-1 day'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days', received_at => 'gone'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days', received_at => 'number'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days', received_at => 'local'$$,
  $$user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', dedup => '90 days', received_at => 'now()'$$
]) AS a;

CREATE VIEW v AS SELECT * FROM ev;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM ev;
CREATE SEQUENCE sq;
CREATE TABLE parted (LIKE ev) PARTITION BY RANGE (ts);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TYPE pair AS (who text, name text, ts timestamptz);
SELECT r || ': ' || pg_temp.attach($$user_id => 'who', event => 'name', occurred_at => 'ts'$$, r)
FROM unnest(ARRAY['v', 'mv', 'sq', 'parted_1', 'ev_id_idx', 'nothing', 'pair', 'pql.state', 'pql.source', 'pql.routing']) AS r;
DROP VIEW v;
DROP MATERIALIZED VIEW mv;
SELECT pg_temp.try($$SELECT count(*) FROM pql.attach(NULL, 'who', 'name', 'ts')$$);
SELECT pg_temp.try('SELECT pql.' || c) FROM unnest(ARRAY['detach(NULL)', 'retain(NULL, now())', $$retain('ev', NULL)$$, 'promote(NULL)',
  $$promote('usage', NULL)$$, 'retire(NULL)', 'publish(NULL)']) AS c;

-- nothing changed
SELECT count(*) FROM pql.sources;
SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid WHERE c.relnamespace = 'place'::regnamespace;
SELECT count(*) FROM pql.audit;
SELECT count(*) FROM pql.backfill_job;

-- rights
CREATE ROLE pql_attacher;
GRANT USAGE ON SCHEMA place TO pql_attacher;
GRANT EXECUTE ON FUNCTION pql.attach TO pql_attacher;
SET ROLE pql_attacher;
SELECT pg_temp.attach($$user_id => 'who', event => 'name', occurred_at => 'ts'$$);
SELECT pg_temp.attach($$user_id => 'who', event => 'name', occurred_at => 'ts', dry_run => true$$);
RESET ROLE;
GRANT TRIGGER ON ev TO pql_attacher;
SET ROLE pql_attacher;
SELECT pg_temp.attach($$user_id => 'who', event => 'name', occurred_at => 'ts'$$);
RESET ROLE;
REVOKE ALL ON ev FROM pql_attacher;
REVOKE ALL ON FUNCTION pql.attach FROM pql_attacher;
-- a trigger of one's own reaches nothing
CREATE TABLE mine (LIKE ev);
ALTER TABLE mine OWNER TO pql_attacher;
SET ROLE pql_attacher;
SELECT pg_temp.try('CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pql._ingest(1)');
RESET ROLE;
DROP TABLE mine;

--
-- What a source looks like
--

SELECT * FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                         properties => 'props', clock => 'event');
SELECT pg_temp.attach($$user_id => 'who', event => 'name', occurred_at => 'ts'$$);
SELECT source_id, relation, intact, user_id, account_id, event, occurred_at, event_id, properties, clock, mode, capture, duplicates,
       max_event_age, max_future, sealed_before, held, unusable, history_folded FROM pql.sources;
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'ev'::regclass ORDER BY tgname;
SELECT action, object, detail FROM pql.audit ORDER BY audit_id;

-- events are written by whoever may write to the table, with no rights on pql
GRANT INSERT, SELECT ON ev TO pql_attacher;
SET ROLE pql_attacher;
INSERT INTO ev (id, ts, who, org, name) VALUES (1, '2026-01-01', 'ada', 'acme', 'signup');
SELECT pg_temp.try('SELECT count(*) FROM pql.state');
RESET ROLE;
SELECT * FROM pql.members;
SELECT * FROM pql.verify();

-- disabled triggers show
ALTER TABLE ev DISABLE TRIGGER pql_insert;
SELECT intact FROM pql.sources;
ALTER TABLE ev ENABLE TRIGGER pql_insert;
SELECT intact FROM pql.sources;

--
-- The table changes
--

ALTER TABLE ev ADD COLUMN later int DEFAULT 7;
ALTER TABLE ev DROP COLUMN raw;
INSERT INTO ev (id, ts, who, org, name) VALUES (2, '2026-01-02', 'ben', 'acme', 'signup');
ALTER TABLE ev RENAME TO ev2;
INSERT INTO ev2 (id, ts, who, org, name) VALUES (3, '2026-01-03', 'cho', 'acme', 'signup');
ALTER SCHEMA place RENAME TO other_place;
INSERT INTO other_place.ev2 (id, ts, who, org, name) VALUES (4, '2026-01-03', 'dee', 'acme', 'signup');
DELETE FROM other_place.ev2 WHERE id = 2;
ALTER SCHEMA other_place RENAME TO place;
ALTER TABLE ev2 RENAME TO ev;
SELECT relation, intact, unusable FROM pql.sources;
SELECT * FROM pql.members ORDER BY user_id;
SELECT * FROM pql.verify();

-- a column that pql does not need is renamed; then one that it reads
ALTER TABLE ev RENAME COLUMN number TO num;
INSERT INTO ev (id, ts, who, org, name) VALUES (5, '2026-01-03', 'eve', 'acme', 'signup');
ALTER TABLE ev RENAME COLUMN name TO title;
INSERT INTO ev (id, ts, who, org, title) VALUES (6, '2026-01-04', 'eve', 'acme', 'signup'), (7, '2026-01-04', 'fay', 'acme', 'signup');
SELECT relation, intact, unusable FROM pql.sources;
SELECT events_table, reason, events FROM pql.unusable;
ALTER TABLE ev RENAME COLUMN title TO name;
CALL pql.rebuild();
SELECT user_id, events FROM pql.members ORDER BY user_id;
SELECT * FROM pql.verify();

-- one that it reads gets another type
ALTER TABLE ev ALTER COLUMN ts TYPE text;
INSERT INTO ev (id, ts, who, org, name) VALUES (8, '2026-01-04', 'fay', 'acme', 'signup');
SELECT intact, unusable FROM pql.sources;
DELETE FROM ev WHERE id = 8;
ALTER TABLE ev ALTER COLUMN ts TYPE timestamptz USING ts::timestamptz;
SELECT intact FROM pql.sources;
SELECT * FROM pql.verify();

-- a column that pql reads is dropped: inserts, updates and deletes go on
ALTER TABLE ev DROP COLUMN props;
INSERT INTO ev (id, ts, who, org, name) VALUES (8, '2026-01-04', 'fay', 'acme', 'signup');
UPDATE ev SET name = 'sign_up' WHERE id = 8;
DELETE FROM ev WHERE id = 8;
SELECT relation, intact, unusable FROM pql.sources;

-- detach: triggers and state go, events stay
SELECT pql.detach('ev');
SELECT pg_temp.try($$SELECT pql.detach('ev')$$);
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'ev'::regclass;
SELECT count(*) FROM ev;
SELECT count(*) FROM pql.members;
SELECT count(*) FROM pql.unusable;
SELECT action, object, detail FROM pql.audit ORDER BY audit_id;
TRUNCATE ev;

-- the table is dropped: what it gave stays until the source is detached
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
INSERT INTO ev (id, ts, who, org, name) VALUES (1, '2026-01-01', 'ada', 'acme', 'signup');
SELECT 'ev'::regclass::oid AS ev_oid \gset
DROP TABLE ev CASCADE;
SELECT intact, unusable FROM pql.sources;
SELECT count(*) FROM pql.members;
SELECT pql.detach(:ev_oid);
SELECT count(*) FROM pql.sources;
SELECT count(*) FROM pql.members;

--
-- Types of ids, columns and expressions, kinds of tables. Each gets events, loses and changes some.
--

CREATE PROCEDURE pg_temp.exercise(relation regclass, who text, org text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO %1$s (id, ts, who, org, name) SELECT g, ''2026-01-01''::timestamptz + g * interval ''1 hour'','
    ' (%2$s)[1 + g %% 3], (%3$s)[1 + g %% 2], ''e'' FROM generate_series(1, 12) AS g', relation, who, org);
  EXECUTE format('DELETE FROM %s WHERE id = 3', relation);
  EXECUTE format('UPDATE %s SET name = ''f'' WHERE id = 4', relation);
  EXECUTE format('UPDATE %s SET who = (%s)[1] WHERE id = 5', relation, who);
  EXECUTE format('UPDATE %s SET org = NULL WHERE id IN (6, 7)', relation);
END $$;

CREATE TABLE t_int (id int PRIMARY KEY, ts timestamptz, who int, org smallint, name text);
SELECT count(*) FROM pql.attach('t_int', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
CALL pg_temp.exercise('t_int', 'ARRAY[1, -2, 3]', 'ARRAY[7, -32]::smallint[]');
SELECT duplicates FROM pql.sources;
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT * FROM pql.verify();
SELECT pql.detach('t_int');

CREATE TABLE t_big (id uuid, ts timestamptz, who bigint, org int, name text);
SELECT count(*) FROM pql.attach('t_big', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
INSERT INTO t_big SELECT md5(g::text)::uuid, '2026-01-01'::timestamptz + g * interval '1 hour',
  (ARRAY[9223372036854775807, -9223372036854775808, 1000000000000000000])[1 + g % 3], (ARRAY[2147483647, 1234567890])[1 + g % 2], 'e'
FROM generate_series(1, 12) AS g;
DELETE FROM t_big WHERE ts < '2026-01-01 04:30';
UPDATE t_big SET org = -2147483648 WHERE ts < '2026-01-01 06:30';
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT * FROM pql.verify();
SELECT pql.detach('t_big');

CREATE UNLOGGED TABLE t_uuid (id int, ts timestamptz, who uuid, org uuid, name varchar(10));
SELECT count(*) FROM pql.attach('t_uuid', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
CALL pg_temp.exercise('t_uuid', $$ARRAY[md5('1'), md5('2'), md5('3')]::uuid[]$$, $$ARRAY[md5('a'), md5('b')]::uuid[]$$);
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT * FROM pql.verify();
SELECT pql.detach('t_uuid');

-- expressions, a column that needs quotes, a column named as an SQL keyword
CREATE TABLE t_expr (id int, ts text, "Who is" text, org text, "order" text, payload jsonb);
SELECT count(*) FROM pql.attach('t_expr', user_id => 'lower("Who is")', account_id => 'payload->>''org''',
  event => '"order" || ''_'' || coalesce(payload->>''kind'', ''none'')', occurred_at => 'to_timestamp(ts::float8)',
  event_id => 'id::text || org', properties => 'payload->''props''');
INSERT INTO t_expr VALUES (1, '1767225600', 'ADA', 'x', 'click', '{"org": "acme", "kind": "button"}'),
  (2, '1767225660.5', 'Ada', 'x', 'click', '{}'), (3, 'no number', 'ada', 'x', 'click', '{}'), (4, '1767225600', NULL, 'x', 'click', '{}'),
  (5, '1767225600', 'ada', 'x', NULL, '{}'), (6, NULL, 'ada', 'x', 'click', '{}'), (7, 'infinity', 'ada', 'x', 'click', '{}');
SELECT * FROM pql.members ORDER BY account_id;
SELECT reason, events FROM pql.unusable ORDER BY reason;
-- homes are derived, and everything is, past rows on which an expression fails
INSERT INTO t_expr VALUES (8, '1767225700', 'ada', 'x', 'click', '{}');
DELETE FROM t_expr WHERE id = 8;
SELECT * FROM pql.members ORDER BY account_id;
SELECT * FROM pql.verify();
CALL pql.rebuild();
SELECT * FROM pql.members ORDER BY account_id;
UPDATE t_expr SET ts = '1767225601' WHERE id = 3;
DELETE FROM t_expr WHERE id = 1;
SELECT * FROM pql.members ORDER BY account_id;
SELECT * FROM pql.verify();
SELECT pql.detach('t_expr');
-- nor is one needed that tells whose the row is; what was there before is folded
SELECT count(*) FROM pql.attach('t_expr', user_id => '"Who is"', account_id => '(payload->>''org'')::int', event => '"order"',
  occurred_at => 'to_timestamp(ts::float8)', event_id => 'id::text');
INSERT INTO t_expr VALUES (11, '1767225600', 'ben', 'x', 'click', '{"org": "12"}'), (12, '1767225660', 'ben', 'x', 'click', '{"org": "acme"}'),
  (13, '1767225720', 'ben', 'x', 'click', '{"org": "12"}');
CALL pql.backfill();
SELECT * FROM pql.members ORDER BY account_id, user_id;
SELECT * FROM pql.verify();
DELETE FROM t_expr WHERE id = 13;
SELECT * FROM pql.members ORDER BY account_id, user_id;
SELECT * FROM pql.verify();
SELECT reason, events FROM pql.unusable ORDER BY reason;
SELECT pql.detach('t_expr');

-- a zone given by hand, a domain, a varchar
CREATE DOMAIN nick AS text CHECK (length(value) < 20);
CREATE TABLE t_zone (id int, ts timestamp, who nick, org varchar(20), name nick);
SELECT count(*) FROM pql.attach('t_zone', user_id => 'who::text', account_id => 'org', event => 'name::text', occurred_at => 'ts AT TIME ZONE ''Europe/Berlin''');
CALL pg_temp.exercise('t_zone', $$ARRAY['ada', 'ben', 'cho']$$, $$ARRAY['acme', 'beta']$$);
SELECT account_id, user_id, first_seen, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT * FROM pql.verify();
SELECT pql.detach('t_zone');

-- times as text: their parts say the same in every session
CREATE TABLE t_iso (id int PRIMARY KEY, ts text, who text);
SELECT count(*) FROM pql.attach('t_iso', user_id => 'who', event => '''x''', event_id => 'id', occurred_at => $$make_timestamp(left(ts, 4)::int,
  substr(ts, 6, 2)::int, substr(ts, 9, 2)::int, substr(ts, 12, 2)::int, substr(ts, 15, 2)::int, rtrim(substr(ts, 18), 'Z')::float8) AT TIME ZONE 'UTC'$$);
SET TIME ZONE 'Asia/Tokyo';
INSERT INTO t_iso VALUES (1, '2026-01-02T03:04:05.678901Z', 'ada'), (2, '2026-02-30T00:00:00Z', 'ada'), (3, 'soon', 'ada');
SET TIME ZONE 'UTC';
SELECT user_id, first_seen, events FROM pql.members;
SELECT reason, events FROM pql.unusable;
SELECT * FROM pql.verify();
SELECT pql.detach('t_iso');

-- partitioned, with a leaf whose columns are in another order
CREATE TABLE t_part (id int, ts timestamptz, who text, org text, name text, PRIMARY KEY (id, ts)) PARTITION BY RANGE (ts);
CREATE TABLE t_part_1 PARTITION OF t_part FOR VALUES FROM ('2026-01-01') TO ('2026-01-01 06:00');
CREATE TABLE t_part_2 (name text, org text, gone int, who text, ts timestamptz NOT NULL, id int NOT NULL);
ALTER TABLE t_part_2 DROP COLUMN gone;
ALTER TABLE t_part ATTACH PARTITION t_part_2 FOR VALUES FROM ('2026-01-01 06:00') TO ('2027-01-01');
SELECT * FROM pql.attach('t_part', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT intact, capture, duplicates FROM pql.sources;
CALL pg_temp.exercise('t_part', $$ARRAY['ada', 'ben', 'cho']$$, $$ARRAY['acme', 'beta']$$);
SELECT account_id, user_id, events FROM pql.members ORDER BY account_id COLLATE "C", user_id COLLATE "C";
SELECT * FROM pql.verify();
SELECT pql.detach('t_part');
SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'place'::regnamespace AND tgname LIKE 'pql%';

-- a temporary table is refused; one that others inherit from is not
CREATE TEMP TABLE t_temp (id int, ts timestamptz, who text, org text, name text);
SELECT count(*) FROM pql.attach('t_temp', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts');

CREATE TABLE t_parent (id int, ts timestamptz, who text, org text, name text);
CREATE TABLE t_child () INHERITS (t_parent);
SELECT count(*) FROM pql.attach('t_parent', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts');
INSERT INTO t_child VALUES (100, '2026-01-01', 'zoe', 'acme', 'e');
CALL pg_temp.exercise('t_parent', $$ARRAY['ada', 'ben', 'cho']$$, $$ARRAY['acme', 'beta']$$);
UPDATE t_parent SET name = 'g' WHERE id > 10;
DELETE FROM t_parent WHERE id > 11;
SELECT * FROM pql.verify();
SELECT pql.detach('t_parent');

-- two sources at once: the same account from both
SELECT count(*) FROM pql.attach('t_part', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
CREATE TABLE t_two (ts timestamptz, who text, org text, name text);
SELECT count(*) FROM pql.attach('t_two', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts');
INSERT INTO t_two VALUES ('2025-12-31', 'ada', 'acme', 'e'), ('2026-02-01', 'new', 'acme', 'e');
INSERT INTO t_part VALUES (200, '2026-03-01', 'ada', 'acme', 'e');
SELECT source_id, relation FROM pql.sources ORDER BY source_id;
SELECT user_id, first_seen, last_seen FROM pql.members WHERE account_id = 'acme' AND user_id IN ('ada', 'new') ORDER BY user_id;
SELECT pql.detach('t_two');
SELECT user_id, last_seen FROM pql.members WHERE account_id = 'acme' AND user_id IN ('ada', 'new') ORDER BY user_id;

RESET search_path;
SELECT pql.detach('place.t_part');
SET client_min_messages = warning;
DROP SCHEMA place CASCADE;
DROP ROLE pql_attacher;
DROP EXTENSION pql CASCADE;
