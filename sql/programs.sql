-- Program documents: what is wrong with wrong ones, what changed between two versions, and the schema.
-- covers: S2u-2, S3-15
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

--
-- Ten wrong programs, and what a person reads
--

CREATE TABLE right_one (document jsonb);
INSERT INTO right_one VALUES ('{"program": "trial", "unit": "account",
  "milestones": {"signed_up": {"event": "signup"}, "invited": {"event": "invite_sent"}},
  "activation": {"steps": ["signed_up", "invited"], "within": "14 days"},
  "signals": {"usage": {"kind": "depth", "event": "api_call", "half_life": "7 days", "max_points": 40},
              "pricing": {"kind": "intent", "event": "pricing_viewed", "half_life": "2 days", "max_points": 30}},
  "qualify": {"enter": 60, "leave": 40}}');
CREATE FUNCTION wrong(where_ text, instead text) RETURNS TABLE (path text, problem text, hint text) LANGUAGE sql AS
  $$SELECT c.* FROM right_one, pql.check_program(jsonb_set(document, where_::text[], instead::jsonb)) AS c$$;
SELECT count(*) FROM right_one, pql.check_program(document);
-- a misspelt word
SELECT * FROM wrong('{unit}', '"acount"');
-- a misspelt key
SELECT path, problem, split_part(hint, '.', 1) FROM wrong('{signals,usage}', '{"kind": "depth", "event": "api_call", "half_lief": "7 days", "max_points": 40}');
-- a length of time that has no fixed length
SELECT * FROM wrong('{activation,within}', '"1 month"');
-- a step that isn't a milestone
SELECT * FROM wrong('{activation,steps}', '["signed_up", "invted"]');
-- nothing says how long an event counts
SELECT * FROM wrong('{signals,usage}', '{"kind": "depth", "event": "api_call", "max_points": 40}');
-- a key that belongs to something else
SELECT * FROM wrong('{signals,usage}', '{"kind": "depth", "event": "api_call", "of": "(props->>''n'')::float8", "half_life": "7 days", "max_points": 40}');
-- two curves
SELECT * FROM wrong('{signals,usage}', '{"kind": "depth", "event": "api_call", "half_life": "7 days", "points_each": 2, "saturates_at": 9, "max_points": 40}');
-- a score that can't be reached
SELECT * FROM wrong('{qualify,enter}', '80');
-- SQL that can't be read
SELECT * FROM wrong('{milestones,invited,where}', '"(props->>''count'')::int >="');
-- a motion that nobody knows
SELECT * FROM wrong('{motions}', '[{"otherwise": true, "motion": "phone_call", "by": "4 working weeks"}]');

-- and three more: a signal without points is a risk or may not score; points have bounds; a motion must have its turn
SELECT * FROM wrong('{signals,usage,max_points}', '0');
SELECT * FROM wrong('{signals,usage,max_points}', '1001');
SELECT * FROM wrong('{motions}', '[{"otherwise": true, "motion": "email"}, {"otherwise": true, "motion": "none"}]');

--
-- What changed
--

SELECT pql.publish(document) FROM right_one;
SELECT * FROM pql.diff_programs('trial', 1, 1);
UPDATE right_one SET document = jsonb_set(document, '{signals,usage,half_life}', '"168 hours"');
SELECT pql.publish(document) FROM right_one;
SELECT * FROM pql.diff_programs('trial', 1, 2);
UPDATE right_one SET document = jsonb_set(jsonb_set(jsonb_set(document #- '{signals,pricing}', '{signals,usage,max_points}', '45'),
  '{signals,sso_request}', '{"kind": "intent", "event": "sso_requested", "half_life": "14 days", "max_points": 25}'),
  '{qualify}', '{"enter": 65}') || '{"motions": [{"otherwise": true, "motion": "enterprise", "after": "30 minutes"}]}';
SELECT pql.publish(document) FROM right_one;
SELECT * FROM pql.diff_programs('trial', 1, 3);
SELECT * FROM pql.diff_programs('trial', 3, 1);
SELECT * FROM pql.diff_programs('trial', 1, 4);
SELECT * FROM pql.diff_programs('trail', 1, 2);
SELECT * FROM pql.diff_programs(NULL, 1, 2);
SELECT * FROM pql.diff_programs('trial', NULL, 2);
SELECT * FROM pql.diff_programs('trial', 1, NULL);
-- a document that can't be read
SELECT * FROM pql._diff_documents('{"program": "x"}', '{}');
-- whoever may read versions may compare them
CREATE ROLE pql_programs_reader;
GRANT USAGE ON SCHEMA pql TO pql_programs_reader;
SET ROLE pql_programs_reader;
SELECT * FROM pql.diff_programs('trial', 1, 2);
RESET ROLE;
GRANT SELECT ON pql.program TO pql_programs_reader;
SET ROLE pql_programs_reader;
SELECT path FROM pql.diff_programs('trial', 1, 3) LIMIT 1;
RESET ROLE;
DROP OWNED BY pql_programs_reader;
DROP ROLE pql_programs_reader;

--
-- A signal without points is shown
--

CREATE TABLE happened (id bigint PRIMARY KEY, at timestamptz, who text, name text);
CREATE INDEX ON happened (who, at);
SELECT count(*) FROM pql.attach('happened', user_id => 'who', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event');
SELECT pql.publish('{"program": "risky", "unit": "user",
  "signals": {"use": {"kind": "depth", "event": "use", "half_life": "7 days", "max_points": 10},
              "errors": {"kind": "risk", "event": "error", "half_life": "7 days", "max_points": 0, "why": "it fails"},
              "halving": {"kind": "risk", "event": "error", "half_life": "7 days", "half_saturation": 3, "max_points": 0}},
  "qualify": {"enter": 10}}');
SELECT pql.promote('risky');
INSERT INTO happened VALUES (1, '2026-03-01', 'ada', 'error'), (2, '2026-03-01', 'ada', 'use');
SELECT signal, kind, points, value FROM pql.explain('risky', 'ada');
SELECT score, headline FROM pql.routing;

--
-- The schema: every key of the document at hand is described
--

SELECT pql.program_schema()->>'title', jsonb_typeof(pql.program_schema()->'$defs'->'signal'->'properties');
SELECT key FROM right_one, jsonb_object_keys(document) AS key WHERE NOT pql.program_schema()->'properties' ? key;

DROP TABLE right_one CASCADE;
DROP FUNCTION wrong;
DROP TABLE happened;
DROP EXTENSION pql CASCADE;
