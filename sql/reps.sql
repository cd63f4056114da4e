-- Reps, teams, holidays, territories: what is taken, and what is refused.
-- covers: S1-23 S2-24
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

INSERT INTO pql.team VALUES ('emea', 'Europe/Berlin', '{"mon": ["09:00-12:30", "13:30-17:00"], "tue": ["09:00-17:00"]}');
INSERT INTO pql.team VALUES ('nowhere', 'Mars/Olympus', NULL);
INSERT INTO pql.team VALUES ('', NULL, NULL);
INSERT INTO pql.reps (rep_id, team) VALUES ('ada', 'emea');
INSERT INTO pql.reps (rep_id, zone) VALUES ('bob', 'Asia/Kathmandu'), ('cyd', 'Australia/Lord_Howe');
INSERT INTO pql.reps (rep_id, zone) VALUES ('dan', 'Berlin');
INSERT INTO pql.reps (rep_id, working_hours) VALUES ('dan', '{"mon": ["09:00-25:00"]}');
INSERT INTO pql.reps (rep_id, working_hours) VALUES ('dan', '{"mon": ["9-17"]}');
INSERT INTO pql.reps (rep_id, working_hours) VALUES ('dan', '{"mon": ["22:00-06:00"]}');
INSERT INTO pql.reps (rep_id, working_hours) VALUES ('dan', '{"mon": ["09:00-12:00", "11:00-13:00"]}');
INSERT INTO pql.reps (rep_id, working_hours) VALUES ('dan', '{"monday": ["09:00-12:00"]}');
INSERT INTO pql.reps (rep_id, working_hours) VALUES ('dan', '[]');
UPDATE pql.reps SET working_hours = '{"mon": 1}' WHERE rep_id = 'ada';
UPDATE pql.reps SET zone = '' WHERE rep_id = 'ada';
INSERT INTO pql.reps (rep_id, capacity) VALUES ('dan', -1);
INSERT INTO pql.reps (rep_id, weight) VALUES ('dan', 'NaN');
INSERT INTO pql.reps (rep_id, skills) VALUES ('dan', '{sso,NULL}');
INSERT INTO pql.reps (rep_id, ramp_from) VALUES ('dan', '2026-01-01');
INSERT INTO pql.reps (rep_id, ramp_from, ramp_for) VALUES ('dan', '2026-01-01', '1 month');
INSERT INTO pql.reps (rep_id, ramp_from, ramp_for) VALUES ('dan', '2026-01-01', '200000000 days');
INSERT INTO pql.reps (rep_id, ramp_from, ramp_for) VALUES ('dan', 'infinity', '30 days');
INSERT INTO pql.territories (attribute, "values") VALUES ('country', '{DE}');
INSERT INTO pql.territories (attribute, "values", team) VALUES ('country', '{}', 'emea');
INSERT INTO pql.holidays (day) VALUES ('infinity');
SELECT rep_id, team, zone, skills, weight, away, active FROM pql.reps ORDER BY 1;
-- whoever was granted the table may write to it
BEGIN;
CREATE ROLE pql_planner;
GRANT USAGE ON SCHEMA pql TO pql_planner;
GRANT INSERT ON pql.reps, pql.team TO pql_planner;
SET LOCAL ROLE pql_planner;
INSERT INTO pql.reps (rep_id, zone, working_hours) VALUES ('eve', 'UTC', '{"mon": ["09:00-12:00"]}');
INSERT INTO pql.team VALUES ('night', 'UTC', '{"mon": ["00:00-06:00"]}');
ROLLBACK;

-- programs: working time, skills, and nobody
SELECT path, problem, hint FROM pql.check_program('{"program": "p", "unit": "account", "qualify": {"enter": 5},
  "signals": {"s": {"kind": "intent", "event": "e", "points_each": 5, "max_points": 5, "half_life": "7 working days"}},
  "motions": [{"when": "true", "motion": "enterprise", "by": "4 working weeks", "when_nobody": "downgrade"},
              {"otherwise": true, "motion": "enterprise", "after": "2 working hours", "by": "3 working days", "skills": ["sso"],
               "when_nobody": "downgrade", "downgrade_to": "enterprise"}]}');
SELECT * FROM pql.explain_route(1);
SELECT * FROM pql.explain_route(NULL);
DROP EXTENSION pql;
