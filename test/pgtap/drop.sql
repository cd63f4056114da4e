-- DROP EXTENSION leaves nothing of pql, and everything of the user's; and pql can come again, in the same session.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT * FROM no_plan();

CREATE TABLE event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
CREATE TABLE log (LIKE event) PARTITION BY RANGE (id);
CREATE TABLE log_all PARTITION OF log DEFAULT;

CREATE PROCEDURE set_up() LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql.attach(t, user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event')
  FROM unnest(ARRAY['event', 'log']::regclass[]) AS t;
  PERFORM pql.publish('{"program": "p", "unit": "account", "milestones": {"signed_up": {"event": "signup"}},
    "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 60}},
    "qualify": {"enter": 50, "leave": 20}}');
END $$;
CREATE FUNCTION write(first int) RETURNS void LANGUAGE sql AS $$
  INSERT INTO event SELECT i, '2026-03-01', 'ada', 'acme', 'use' FROM generate_series(first, first + 3) AS i;
  INSERT INTO log SELECT i, '2026-03-01', 'ben', 'acme', 'signup' FROM generate_series(first, first + 3) AS i;
  UPDATE event SET who = 'cho' WHERE id = first;
  UPDATE log SET who = 'cho' WHERE id = first;
  DELETE FROM event WHERE id = first + 1;
  DELETE FROM log WHERE id = first + 1;
$$;
-- What could be left of it.
CREATE VIEW remains AS
  SELECT 'trigger' AS what, t.tgname::text AS name FROM pg_trigger AS t WHERE t.tgname ~ 'pql' AND NOT t.tgisinternal
  UNION ALL SELECT 'schema', n.nspname FROM pg_namespace AS n WHERE n.nspname ~ 'pql'
  UNION ALL SELECT 'function', p.proname FROM pg_proc AS p WHERE p.probin ~ 'pql' OR p.proname ~ 'pql'
  UNION ALL SELECT 'relation', c.relname FROM pg_class AS c WHERE c.relname ~ 'pql' OR c.relnamespace NOT IN (SELECT oid FROM pg_namespace)
  UNION ALL SELECT 'event trigger', e.evtname FROM pg_event_trigger AS e
  UNION ALL SELECT 'comment', d.description FROM pg_description AS d WHERE d.description ~ '\ypql\.'
  UNION ALL SELECT 'extension', e.extname FROM pg_extension AS e WHERE e.extname = 'pql';

CALL set_up();
SELECT write(1) \g /dev/null
SELECT is_empty('SELECT * FROM pql.verify()', 'it works to begin with');
SELECT pql.state_digest() AS digest \gset
SELECT isnt_empty('TABLE remains', 'and is to be seen');

SELECT throws_ok('DROP EXTENSION pql', '2BP01', NULL, 'while tables are attached, it is not dropped by mistake');
SELECT is_empty('SELECT * FROM pql.verify()', 'and goes on');

DROP EXTENSION pql CASCADE;
SELECT is_empty('TABLE remains', 'nothing is left');
SELECT results_eq('SELECT count(*) FROM event UNION ALL SELECT count(*) FROM log', ARRAY[3::bigint, 3], 'but the events');
SELECT lives_ok('SELECT write(11)', 'which are inserted, updated and deleted as ever');
SELECT lives_ok('TRUNCATE event, log', 'and truncated');

-- Again, in this session, which has compiled definitions and plans of what is gone.
SELECT write(1) \g /dev/null
CREATE EXTENSION pql;
CALL set_up();
CALL pql.backfill();
SELECT is_empty('SELECT * FROM pql.verify()', 'it works when it has come again');
SELECT is(pql.state_digest(), :'digest', 'and says of the same events what it said');

-- Dropped by a query that has written events, what they lead to being due at its end.
CREATE FUNCTION write_and_drop(first int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM write(first);
  EXECUTE 'DROP EXTENSION pql CASCADE';
  PERFORM write(first + 10);
END $$;
SELECT write_and_drop(11) \g /dev/null
SELECT is_empty('TABLE remains', 'a query that wrote events leaves nothing either');
SELECT results_eq('SELECT count(*) FROM event UNION ALL SELECT count(*) FROM log', ARRAY[9::bigint, 9], 'and keeps what it wrote');

-- Dropped by such a query, and there again before the transaction ends; or not for good.
TRUNCATE event, log;
CREATE EXTENSION pql;
CALL set_up();
BEGIN;
SELECT write_and_drop(1) \g /dev/null
CREATE EXTENSION pql;
COMMIT;
SELECT is((SELECT count(*) FROM pql.members), 0::bigint, 'what is due to one that is gone is not done to its successor');
TRUNCATE event, log;
CALL set_up();
BEGIN;
SELECT write(1) \g /dev/null
SAVEPOINT s;
DROP EXTENSION pql CASCADE;
SELECT write(31) \g /dev/null
ROLLBACK TO s;
COMMIT;
SELECT is_empty('SELECT * FROM pql.verify()', 'a drop that is rolled back loses no event');
SELECT is(pql.state_digest(), :'digest', 'nor what had become of them');

-- When nothing is attached, nothing needs CASCADE.
SELECT pql.detach('event'), pql.detach('log') \g /dev/null
SELECT lives_ok('DROP EXTENSION pql', 'once every table is detached, it goes by itself');
SELECT is_empty('TABLE remains', 'and leaves nothing');

-- Who may have it: superusers, and nobody who has the schema ready.
BEGIN;
CREATE ROLE pgtap_owner;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO pgtap_owner', current_database()); END $$;
SET LOCAL ROLE pgtap_owner;
SELECT throws_ok('CREATE EXTENSION pql', '42501', NULL, 'to own a database is not enough to create it');
CREATE SCHEMA pql;
RESET ROLE;
SELECT throws_ok('CREATE EXTENSION pql', '42P06', NULL, 'it moves into nobody''s schema');
SELECT * FROM finish();
ROLLBACK;
