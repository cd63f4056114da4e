-- Who stands above the threshold when a program goes live.
-- covers: S1-44
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
CREATE VIEW e AS SELECT program, version, subject_id, shadow, score, entered_at = (SELECT max(left_at) FROM pql.episode AS f WHERE (f.program, f.subject_id) = (x.program, x.subject_id)) AS after_shadow, left_at IS NULL AS open
  FROM pql.episode AS x ORDER BY program, subject_id COLLATE "C", episode_id;

SELECT pql.publish(program('usage', 'account', 45));
INSERT INTO ev SELECT o * 100 + n, timestamptz '2026-01-01' + n * interval '1 minute' + o * interval '1 second', 'u' || n, 'org' || o, 'work'
FROM generate_series(1, 8) AS o, generate_series(1, o + 1) AS n;
SELECT subject_id, score, qualified FROM pql.scoreboard('usage') ORDER BY score DESC, subject_id;
SELECT * FROM e;
SELECT pql.promote('usage', 'some');
SELECT pql.promote('usage', 'best');
SELECT pql.promote('usage', 'best -3');
SELECT pql.promote('usage', 'best 0');
SELECT pql.promote('usage', 'best 1000001');
SELECT pql.promote('usage', 'best 99999999999999999999');
SELECT pql.promote('usage', 'all best 3');
SELECT pql.promote('usage', '');
SELECT pql.promote('usage', NULL);
BEGIN;
SELECT pql.promote('usage');
SELECT count(*) FROM pql.routing;
SELECT * FROM e;
ROLLBACK;
BEGIN;
SELECT pql.promote('usage', 'all');
SELECT subject_id, version, score, state, qualified_at >= signal_at FROM pql.routing ORDER BY routing_id;
ROLLBACK;
BEGIN;
SELECT pql.promote('usage', 'best 1000000');
SELECT count(*) FROM pql.routing;
ROLLBACK;
SELECT pql.promote('usage', 'best 2', 'they have waited long enough');
SELECT subject_id, version, score, state, qualified_at >= signal_at FROM pql.routing ORDER BY routing_id;
SELECT count(*) FROM pql.routing AS r JOIN pql.episode AS x ON x.home = r.home AND x.episode_id = r.episode
WHERE NOT x.shadow AND (x.score, x.entered_at) = (r.score, r.qualified_at) AND x.left_at IS NULL
  AND (SELECT sum((p->>'points')::int) FROM jsonb_array_elements(r.reasons) AS p) = r.score;
SELECT * FROM e;
-- none of them enters again while the episode lasts, and the others do
INSERT INTO ev SELECT o * 100 + 50, '2026-01-01 02:00', 'u1', 'org' || o, 'work' FROM generate_series(1, 8) AS o;
SELECT subject_id, score FROM pql.routing ORDER BY routing_id;
SELECT * FROM pql.verify();
-- once is enough
SELECT pql.promote('usage');
SELECT pql.promote('usage', 'all');
SELECT count(*) FROM pql.routing;
SELECT detail FROM pql.audit WHERE action = 'promote';

-- who has faded below the threshold to enter stands, but isn't emitted
SELECT pql.publish(program('faded', 'account', 35));
INSERT INTO ev SELECT o * 100 + 60, '2026-01-01 03:00', 'u1', 'org' || o, 'other' FROM generate_series(1, 8) AS o;
INSERT INTO ev VALUES (900, '2026-01-08', 'u1', 'nobody', 'other');
SELECT subject_id, score FROM pql.scoreboard('faded') WHERE qualified ORDER BY score DESC, subject_id;
SELECT pql.promote('faded', 'all');
SELECT subject_id, score FROM pql.routing WHERE program = 'faded' ORDER BY routing_id;
SELECT subject_id, shadow FROM e WHERE program = 'faded' AND open;

-- people, in whichever home the episode is
SELECT pql.publish(program('people', 'user', 50));
CALL pql.backfill();
INSERT INTO ev SELECT 1000 + n, '2026-01-08 01:00', CASE WHEN n < 11 THEN 'ada' ELSE 'ben' END, CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN 'org1' ELSE 'org2' END, 'work'
FROM generate_series(1, 18) AS n;
SELECT subject_id, score, qualified FROM pql.scoreboard('people') ORDER BY score DESC, subject_id LIMIT 4;
SELECT pql.promote('people', 'best 1');
SELECT subject_id, user_id, score FROM pql.routing WHERE program = 'people';
SELECT * FROM e WHERE program = 'people';
INSERT INTO ev VALUES (1100, '2026-01-08 02:00', 'ada', 'org3', 'work'), (1101, '2026-01-08 02:00', 'ben', NULL, 'work');
SELECT count(*) FROM e WHERE program = 'people' AND open;
SELECT * FROM pql.verify();
-- an episode that began in shadow ends like any other
SELECT count(*) > 0 FROM pql.tick('2026-06-01');
SELECT count(*) FROM e WHERE open;

-- another program's episode that is over, though nobody has noted it, is left to tick
INSERT INTO ev SELECT 3100 + n, '2026-06-03', 'u' || n, 'old', 'work' FROM generate_series(1, 4) AS n;
INSERT INTO ev VALUES (3200, '2026-07-01', 'u1', 'kappa', 'newer');
SELECT pql.retire('usage');
SELECT pql.publish(program('usage', 'account', 20));
SELECT pql.promote('usage', 'all');
SELECT program, subject_id FROM e WHERE subject_id = 'old' AND open;
SELECT * FROM pql.verify();

-- A walk around both thresholds: each event is ten points for ten days. In at 40, out after a day below 30, and five days of rest. Day 1 is the
-- fifth of July; what should come of it was worked out by hand.
SELECT pql.publish('{"program": "walk", "unit": "account",
  "signals": {"steps": {"kind": "depth", "event": "step", "measure": "count", "window": "10 days", "points_each": 10, "max_points": 90}},
  "qualify": {"enter": 40, "leave": 30, "dwell": "1 day", "cool_down": "5 days"}}');
CALL pql.backfill();
SELECT pql.promote('walk');
CREATE SEQUENCE step;
CREATE FUNCTION day(n float8) RETURNS timestamptz LANGUAGE sql AS $$SELECT timestamptz '2026-07-04' + n * interval '1 day'$$;
CREATE PROCEDURE steps(who text, n float8, many int) LANGUAGE sql AS
  $$INSERT INTO ev SELECT nextval('step') + 5000, day(n), 'u1', who, 'step' FROM generate_series(1, many)$$;
CREATE VIEW walked AS SELECT subject_id, number, extract(epoch FROM entered_at - day(0)) / 86400 AS entered, extract(epoch FROM left_at - day(0)) / 86400 AS out,
  extract(epoch FROM leaves_at - day(0)) / 86400 AS foretold, extract(epoch FROM cools_until - day(0)) / 86400 AS rests_until
  FROM pql.episode WHERE program = 'walk' ORDER BY subject_id, episode_id;
CALL steps('once', 1, 3);
SELECT count(*) AS not_yet FROM walked;
CALL steps('once', 2, 1);
CALL steps('once', 9, 1);
SELECT * FROM walked; -- 20 from day 11 on, so out on day 12
CALL steps('once', 11.5, 1);
SELECT * FROM walked; -- 30 again; 20 from day 12 on
CALL steps('once', 12.75, 1);
SELECT count(*) > 0 FROM pql.tick(day(19.5));
SELECT * FROM walked; -- has been low since day 19
SELECT count(*) > 0 FROM pql.tick(day(20.75));
SELECT * FROM walked; -- left when it was time, not when somebody looked
CALL steps('once', 21, 3);
CALL steps('once', 24.9999, 1);
SELECT count(*) AS still_one, max(score) FROM walked, pql.scoreboard('walk') AS b WHERE b.subject_id = 'once';
CALL steps('once', 25, 1);
SELECT * FROM walked WHERE number = 2;
CALL steps('once', 40, 4); -- nobody has looked since
SELECT * FROM walked WHERE number > 1;
CALL steps('once', 51.5, 5);
SELECT count(*) > 0 FROM pql.tick(day(55.9999));
SELECT count(*) AS still_three FROM walked;
SELECT count(*) > 0 FROM pql.tick(day(56));
SELECT * FROM walked WHERE number > 2;
SELECT subject_id, qualification, score, extract(epoch FROM qualified_at - day(0)) / 86400 AS day FROM pql.routing WHERE program = 'walk' ORDER BY routing_id;
-- the same walk sixty days later, looked at every three hours
DO $$
DECLARE
  hour int;
BEGIN
  FOR hour IN 24 .. 56 * 24 BY 3 LOOP
    INSERT INTO ev SELECT nextval('step') + 5000, e.ts + interval '60 days', e.who, 'often', e.name FROM ev AS e
    WHERE e.org = 'once' AND e.ts > day(hour / 24.0) - interval '3 hours' AND e.ts <= day(hour / 24.0);
    PERFORM pql.tick(day(60 + hour / 24.0));
  END LOOP;
END $$;
SELECT number, b.entered - a.entered AS entered, b.out - a.out AS out
FROM walked AS a JOIN walked AS b USING (number) WHERE a.subject_id = 'once' AND b.subject_id = 'often' ORDER BY number;
SELECT * FROM pql.verify();

DROP VIEW walked;
DROP FUNCTION day CASCADE;
DROP PROCEDURE steps;
DROP SEQUENCE step;
DROP TABLE ev;
DROP FUNCTION program;
DROP EXTENSION pql CASCADE;
