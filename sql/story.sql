-- The story of a routing row.
-- covers: S1-20, S1-21, S2u-10, S3-9, S3-16
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, name text);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.publish($${"program": "teams", "unit": "account",
  "milestones": {"signed_up": {"event": "signup"}, "built_something": {"event": "build"}, "invited": {"event": "invite"}},
  "activation": {"steps": ["signed_up", "invited", "built_something"], "within": "14 days"},
  "signals": {"api_calls": {"kind": "depth", "event": "call", "half_life": "7 days", "saturates_at": 10, "max_points": 50, "why": "calls the [API] *a lot*"},
              "pricing": {"kind": "intent", "event": "pricing", "half_life": "2 days", "points_each": 10, "max_points": 20, "may_mention": false, "why": "looked at prices"},
              "set_up": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
  "qualify": {"enter": 60, "leave": 40},
  "motions": [{"otherwise": true, "motion": "account_executive", "after": "4 hours", "by": "2 days", "next_best_action": "Ask about <limits>."}]}$$);
SELECT pql.publish($${"program": "people", "unit": "user", "milestones": {"signed_up": {"event": "signup"}},
  "signals": {"here": {"kind": "activation", "milestone": "signed_up", "max_points": 30}},
  "qualify": {"enter": 30, "leave": 10}, "motions": [{"otherwise": true, "motion": "none"}]}$$);
SELECT pql.promote('teams'), pql.promote('people');

INSERT INTO ev VALUES (1, '2026-01-01 09:00', 'ada', 'acme', 'signup'), (2, '2026-01-01 09:40', 'ada', 'acme', 'build'), (3, '2026-01-05 10:00', 'ben', 'acme', 'signup');
INSERT INTO ev SELECT 10 + g, '2026-01-06 10:00'::timestamptz + g * interval '10 minutes', 'user' || g % 7, 'acme', 'call' FROM generate_series(1, 12) AS g;
INSERT INTO ev VALUES (30, '2026-01-06 13:00', 'ada', 'acme', 'pricing');
SELECT pql.story(routing_id) FROM pql.routing WHERE program = 'teams';
SELECT pql.story(routing_id) FROM pql.routing WHERE program = 'people' ORDER BY subject_id LIMIT 1;
-- what is frozen does not change
CREATE TABLE told AS SELECT routing_id, pql.story(routing_id) AS story FROM pql.routing;
UPDATE ev SET who = 'zoe' WHERE id < 20;
DELETE FROM ev WHERE id > 20;
SELECT count(*) FROM told WHERE story <> pql.story(routing_id);
-- an account with one person, complete, without an account
INSERT INTO ev VALUES (100, '2026-02-01 09:00', 'solo', 'alone', 'signup'), (101, '2026-02-02 09:00', 'solo', 'alone', 'invite'), (102, '2026-02-03 09:00', 'solo', 'alone', 'build');
INSERT INTO ev SELECT 110 + g, '2026-02-03 10:00'::timestamptz + g * interval '1 minute', 'solo', 'alone', 'call' FROM generate_series(1, 12) AS g;
INSERT INTO ev VALUES (130, '2026-02-03 13:00', 'nobody', NULL, 'signup');
SELECT pql.story(routing_id) FROM pql.routing WHERE subject_id IN ('alone', 'nobody') ORDER BY subject_id;
-- names that could be taken for Markdown
INSERT INTO ev VALUES (200, '2026-03-01 09:00', E'# evil\n\n**bold** <script>', '[link](http://x) | `code`', 'signup');
SELECT pql.story(routing_id) FROM pql.routing WHERE subject_id LIKE '# evil%';
-- unknown rows, other time zones, whoever reads
SELECT pql.story(-1);
SELECT pql.story(NULL);
SET TIME ZONE 'America/New_York';
SELECT pql.story(routing_id) FROM pql.routing WHERE subject_id = 'nobody';
SET TIME ZONE 'UTC';
CREATE ROLE pql_story_reader;
SET ROLE pql_story_reader;
SELECT pql.story(1);
RESET ROLE;
DROP ROLE pql_story_reader;
-- rows with little in them
UPDATE pql.routing SET context = '{}', reasons = '[]', next_best_action = NULL, contact_by = NULL, headline = '' WHERE subject_id = 'alone';
SELECT pql.story(routing_id) FROM pql.routing WHERE subject_id = 'alone' AND program = 'teams';
SELECT pql._span_text(i) FROM unnest(ARRAY['0', '44 s', '45 s', '90 s', '44 min', '45 min', '1.6 hours', '21 hours', '22 hours', '30 hours', '36 hours', '13 days',
  '14 days', '25 days', '26 days', '44 days', '50 days', '400 days', '3 years', '-2 days']::interval[]) AS i;
SELECT pql._number_text(n) FROM unnest(ARRAY[0, 1, 12, 13, 1234567, -3]) AS n;

DROP TABLE ev, told;
DROP EXTENSION pql CASCADE;

-- What late events make of an activation is decided upon when it is known, and so frozen.
CREATE EXTENSION pql;
CREATE TABLE ev (id int PRIMARY KEY, at timestamptz NOT NULL, who text, org text, what text);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'what', occurred_at => 'at', event_id => 'id', clock => 'event');
SELECT pql.publish('{"program": "late", "unit": "account", "milestones": {"a": {"event": "a"}, "b": {"event": "b"}, "c": {"event": "c"}},
 "activation": {"steps": ["a", "b", "c"], "within": "14 days"},
 "signals": {"set_up": {"kind": "activation", "milestone": "activation_complete", "max_points": 30},
             "asks": {"kind": "intent", "event": "z", "half_life": "900 days", "saturates_at": 1, "max_points": 70}},
 "qualify": {"enter": 60, "leave": 10}}');
SELECT pql.promote('late');
CREATE TABLE arrivals AS
  SELECT row_number() OVER (ORDER BY org, day)::int AS id, org, timestamptz '2026-01-01' + day * interval '1 day' AS at, what, first
  FROM (SELECT 'o' || o AS org, (hashint8(o * 100 + n) & 1023) % 40 AS day, (ARRAY['a', 'b', 'c'])[1 + (hashint8(o * 977 + n) & 1023) % 3] AS what,
               (hashint8(o * 31 + n) & 3) > 0 AS first
        FROM generate_series(1, 150) AS o, generate_series(1, 12) AS n) AS x;
INSERT INTO ev SELECT id, at, org, org, what FROM arrivals WHERE first;
INSERT INTO ev SELECT id, at, org, org, what FROM arrivals WHERE NOT first
  UNION ALL SELECT 100000 + o, '2026-03-01', 'o' || o, 'o' || o, 'z' FROM generate_series(1, 150) AS o;
SELECT count(*), count(*) FILTER (WHERE a.complete) AS complete,
       count(*) FILTER (WHERE (r.context #>> '{activation,started_at}')::timestamptz IS DISTINCT FROM a.started_at
                           OR (r.context #>> '{activation,reached_at}')::timestamptz IS DISTINCT FROM a.reached_at
                           OR (r.context #>> '{activation,level}')::int <> a.level) AS wrong
FROM pql.routing AS r JOIN pql.activation('late') AS a USING (subject_id);
SELECT count(*) FROM pql.verify();
DROP TABLE ev, arrivals;
DROP EXTENSION pql CASCADE;
