-- The threshold that follows the reps' free capacity: who gets a rep, who waits, and what is on record about it.
-- covers: S2-5 S2-8 S2-24
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text, props jsonb);
CREATE INDEX ON ev (org, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', properties => 'props', clock => 'event');
-- a program whose scores are what events of its name say
CREATE FUNCTION sells(name text, qualify jsonb, motion jsonb DEFAULT '{"motion": "inside_sales", "by": "90 days"}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pql.publish(jsonb_build_object('program', name, 'unit', 'account', 'qualify', qualify, 'signals', jsonb_build_object('asks',
    jsonb_build_object('kind', 'intent', 'event', name, 'measure', 'sum', 'of', '(props->>''n'')::float8', 'half_life', '90 days', 'points_each', 1, 'max_points', 100)),
    'motions', jsonb_build_array(motion || '{"otherwise": true}')));
  PERFORM pql.promote(name);
END $$;
CREATE FUNCTION asks(name text, ts timestamptz, prefix text, VARIADIC scores int[]) RETURNS void LANGUAGE sql AS
  $$INSERT INTO ev (ts, who, org, name, props) SELECT ts, 'u', prefix || n, name, jsonb_build_object('n', n) FROM unnest(scores) AS n$$;
CREATE VIEW r AS SELECT subject_id, score, state, owner IS NOT NULL AS owned FROM pql.routing ORDER BY routing_id;
CREATE VIEW threshold AS SELECT program, threshold, arrivals, taken, free, since FROM pql.capacity_threshold WHERE arrivals > 0 ORDER BY 1;
CREATE VIEW why AS SELECT r.subject_id, x.rep_id, x.verdict, x.reason, x.chosen FROM pql.routing AS r, pql.explain_route(r.routing_id) AS x ORDER BY r.routing_id, x.at, x.rep_id;

SELECT sells('sales', '{"enter": 10, "capacity": true}');
SELECT sells('support', '{"enter": 5, "capacity": true}', '{"motion": "customer_success", "skills": ["rescue"], "by": "2 days"}');
SELECT sells('plain', '{"enter": 5}', '{"motion": "inside_sales", "by": "1 day"}');
SELECT sells('mails', '{"enter": 5, "capacity": true}', '{"motion": "email"}');
SELECT program, document -> 'qualify' FROM pql.program ORDER BY 1;

-- no reps: no threshold, and everybody is ready
SELECT asks('sales', '2026-03-02 09:00', 'a', 11, 12, 13);
SELECT ready, assigned FROM pql.tick();
SELECT * FROM threshold;
SELECT * FROM r;

-- a rep who takes no matter how many, another with room for all: who enters gets one
INSERT INTO pql.reps (rep_id) VALUES ('ada');
SELECT asks('sales', '2026-03-02 10:00', 'b', 11, 12, 13);
SELECT assigned FROM pql.tick('2026-03-02 10:01');
SELECT * FROM threshold;
UPDATE pql.reps SET capacity = 100;
SELECT asks('sales', '2026-03-02 11:00', 'c', 14);
SELECT assigned FROM pql.tick('2026-03-02 11:01');
SELECT * FROM threshold;
SELECT count(*) FROM pql.capacity_cuts;

-- ten arrive, and there are places for four: the best four get them, and the others are told so, once
UPDATE pql.reps SET capacity = 8;
SELECT asks('sales', '2026-03-16 09:00', 'd', 20, 90, 30, 80, 40, 70, 50, 60, 25, 35);
SELECT assigned FROM pql.tick('2026-03-16 09:01');
SELECT * FROM threshold;
SELECT * FROM r WHERE subject_id ~ '^d' ORDER BY score DESC;
SELECT * FROM why WHERE subject_id IN ('d50', 'd60');
SELECT program, subject_id, score, threshold, at, state, owner FROM pql.capacity_cuts ORDER BY score DESC;
-- once more: nothing
SELECT assigned FROM pql.tick('2026-03-16 09:01');
SELECT assigned FROM pql.tick('2026-03-16 09:02');
SELECT * FROM threshold;
SELECT count(*) FROM pql.route_decision AS d JOIN pql.routing AS r USING (home, routing_id) WHERE r.subject_id ~ '^d';
-- who comes with less is below it, who comes with more isn't, and both wait
SELECT asks('sales', '2026-03-16 10:00', 'd', 45, 95);
SELECT assigned FROM pql.tick('2026-03-16 10:01');
SELECT threshold, arrivals, taken, free FROM threshold;
SELECT * FROM why WHERE subject_id IN ('d45', 'd95');

-- a place gets free: the threshold falls by one, and the best of those who wait gets it
SELECT count(*) FROM pql.routing AS r, pql.claim('ada', 1, r.routing_id) WHERE r.subject_id IN ('d70', 'd80');
SELECT count(*) FROM pql.routing AS r, pql.dispose(r.routing_id, 'disqualified') WHERE r.subject_id = 'd70';
SELECT assigned FROM pql.tick('2026-03-16 11:00');
SELECT threshold, arrivals, taken, free FROM threshold;
SELECT subject_id, rep_id, chosen FROM why WHERE subject_id = 'd95';
-- and the next one, who was below it once
SELECT count(*) FROM pql.routing AS r, pql.dispose(r.routing_id, 'disqualified') WHERE r.subject_id = 'd80';
SELECT assigned FROM pql.tick('2026-03-16 12:00');
SELECT assigned FROM pql.tick('2026-03-16 12:00');
SELECT * FROM threshold;
SELECT * FROM why WHERE subject_id = 'd50';
SELECT subject_id, threshold, state, owner FROM pql.capacity_cuts WHERE owner IS NOT NULL;

-- an account's own rep takes it all the same, and has no part in the places of others
INSERT INTO pql.reps (rep_id, weight) VALUES ('own', 0);
INSERT INTO pql.account_owner VALUES ('d20', 'own');
SELECT assigned FROM pql.tick('2026-03-16 12:30');
SELECT subject_id, rep_id, reason FROM why WHERE subject_id = 'd20' AND chosen;
SELECT threshold, arrivals, taken, free FROM threshold;

-- as long as he has a place; else it waits with the others, and is told so once
UPDATE pql.reps SET capacity = 1 WHERE rep_id = 'own';
INSERT INTO pql.account_owner VALUES ('d21', 'own');
SELECT asks('sales', '2026-03-16 12:31', 'd', 21);
SELECT assigned FROM pql.tick('2026-03-16 12:40');
SELECT assigned FROM pql.tick('2026-03-16 12:41');
SELECT * FROM why WHERE subject_id = 'd21';

-- places of the week count, and reps who are away, or have no skill that is asked for, have none
INSERT INTO pql.reps (rep_id, weekly_capacity, capacity) VALUES ('bob', 1, 5);
INSERT INTO pql.reps (rep_id, away) VALUES ('cyd', '{[2026-03-01,2026-04-01)}');
INSERT INTO pql.reps (rep_id, active) VALUES ('dan', false);
SELECT assigned FROM pql.tick('2026-03-16 13:00');
SELECT threshold, arrivals, taken, free FROM threshold;
SELECT subject_id, owned FROM r WHERE subject_id ~ '^d' AND NOT owned ORDER BY score DESC;

-- for seven days those who got a rep count; who waits counts as long as it does
SELECT assigned FROM pql.tick('2026-03-23 13:00');
SELECT * FROM threshold WHERE program = 'sales';
SELECT subject_id, owned FROM r WHERE subject_id ~ '^d' AND NOT owned ORDER BY score DESC;

-- two programs: each has its threshold; one that doesn't want any has none, and its rows take places, too
UPDATE pql.reps SET capacity = NULL, weekly_capacity = NULL;
SELECT assigned > 0 FROM pql.tick('2026-03-23 14:00');
TRUNCATE pql.reps, pql.rep_load, pql.account_owner;
INSERT INTO pql.reps (rep_id, capacity, skills) VALUES ('eve', 2, '{}'), ('fay', 1, '{rescue}');
SELECT asks('sales', '2026-05-04 09:00', 'e', 10, 20, 30, 40, 50), asks('support', '2026-05-04 09:00', 'f', 6, 7, 8), asks('plain', '2026-05-04 09:00', 'g', 5);
SELECT pql._assign_pending('2026-05-04 09:01', 100);
SELECT program, threshold, arrivals, taken, free FROM threshold;
SELECT program, subject_id, owner FROM pql.routing WHERE subject_id ~ '^[efg]' ORDER BY program, score DESC;
SELECT pql._assign_pending('2026-05-04 09:02', 100);
SELECT program, threshold, arrivals, taken, free FROM threshold;
SELECT subject_id, rep_id, reason FROM why WHERE subject_id IN ('e30', 'e40');

-- of equal scores all are in, and motions that need nobody are no arrivals
SELECT asks('mails', '2026-05-20 09:00', 'h', 5, 6), asks('support', '2026-05-20 09:00', 'h', 9), asks('support', '2026-05-20 09:00', 'i', 9), asks('support', '2026-05-20 09:00', 'j', 8, 9);
UPDATE pql.reps SET capacity = capacity + 2;
SELECT pql._assign_pending('2026-05-20 09:01', 100);
SELECT program, threshold, arrivals, taken, free FROM threshold;

-- above READ COMMITTED nothing is computed; a version that doesn't want it has no threshold, and neither has anybody when reps are gone
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pql._assign_pending('2026-06-20 09:01', 100);
COMMIT;
SELECT program, since FROM pql.capacity_threshold ORDER BY 1;
SELECT sells('support', '{"enter": 5}', '{"motion": "customer_success", "by": "2 days"}');
SELECT pql._assign_pending('2026-05-20 09:02', 100) > 0;
SELECT program FROM pql.capacity_threshold ORDER BY 1;
TRUNCATE pql.reps;
SELECT pql._assign_pending('2026-05-20 09:03', 100);
SELECT * FROM pql.capacity_threshold;
DROP TABLE ev CASCADE;
DROP FUNCTION sells(text, jsonb, jsonb);
DROP FUNCTION asks(text, timestamptz, text, int[]);
DROP EXTENSION pql CASCADE;
