-- Who may install, and what whoever owns a database can do afterwards. CREATE EXTENSION takes a superuser, since the trigger on events tables
-- runs with the owner's rights and a library in C++ is loaded; a role with the rights that doc/concepts.md names then needs none.
-- covers: S1-43
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT * FROM no_plan();

CREATE ROLE pgtap_owner;
GRANT CREATE, USAGE ON SCHEMA public TO pgtap_owner;
SELECT format('ALTER DATABASE %I OWNER TO pgtap_owner', current_database()) \gexec

-- An error as a client sees it.
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN concat_ws('; ', SQLSTATE || ' ' || SQLERRM, nullif(hint, ''));
END $$;

DROP EXTENSION pql;
SET LOCAL ROLE pgtap_owner;
SELECT is(pg_temp.failure('CREATE EXTENSION pql'), '42501 permission denied to create extension "pql"; Must be superuser to create this extension.',
  'the owner of the database can''t create the extension, and is told what it takes');
RESET ROLE;
CREATE EXTENSION pql;
SET LOCAL ROLE pgtap_owner;
SELECT is(pg_temp.failure('SELECT pql.publish(''{}'')'), '42501 permission denied for function publish', 'nor can they define anything in it yet');
RESET ROLE;

GRANT USAGE ON SCHEMA pql TO pgtap_owner;
GRANT ALL ON ALL TABLES IN SCHEMA pql TO pgtap_owner;
GRANT ALL ON ALL SEQUENCES IN SCHEMA pql TO pgtap_owner;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA pql TO pgtap_owner;

SET LOCAL ROLE pgtap_owner;
CREATE TABLE public.own_event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
SELECT lives_ok($$SELECT pql.attach('public.own_event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id')$$,
  'with the rights granted they attach their table');
SELECT lives_ok($$SELECT pql.publish('{"program": "own", "unit": "account", "qualify": {"enter": 50, "leave": 20}, "motions": [{"otherwise": true, "motion": "inside_sales"}],
  "signals": {"use": {"kind": "depth", "event": "use", "half_life": "7 days", "saturates_at": 2, "max_points": 60}}}')$$, 'publish a program');
SELECT lives_ok($$SELECT pql.promote('own')$$, 'and promote it');
SELECT lives_ok($$INSERT INTO public.own_event SELECT n, now(), 'ada', 'acme', 'use' FROM generate_series(1, 3) AS n$$, 'events come in');
SELECT results_eq('SELECT subject_id, score FROM pql.routing', $$VALUES ('acme', 60)$$, 'and become a routing row');
SELECT results_eq('SELECT ready FROM pql.tick()', 'VALUES (1::bigint)', 'tick works');
SELECT is_empty('SELECT * FROM pql.verify()', 'and so does verify');
SELECT lives_ok($$SELECT pql.detach('public.own_event')$$, 'they detach the table');
SELECT is(pg_temp.failure('DROP EXTENSION pql'), '42501 must be owner of extension pql', 'and the extension stays its owner''s');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
