-- What a packet costs and when it is made; that what a rep may not see doesn't show through what is derived from it.
-- covers: S1-18 S1-29 S1-33
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA app;
CREATE TABLE app.ev (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, ts timestamptz NOT NULL, who text NOT NULL, org text, name text NOT NULL);
CREATE INDEX ON app.ev (org, ts);
CREATE INDEX ON app.ev (who, ts);
SELECT count(*) > 0 FROM pql.attach('app.ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
CREATE PROCEDURE app.does(at timestamptz, who text, org text, VARIADIC names text[]) LANGUAGE sql AS $$
  INSERT INTO app.ev (ts, who, org, name) SELECT at + n * interval '1 minute', who, org, name FROM unnest(names) WITH ORDINALITY AS x (name, n);
$$;
-- how often this transaction has looked into a table, after pg_stat_force_next_flush
CREATE FUNCTION app.looks(of_table regclass) RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT pg_stat_get_xact_numscans(of_table) + coalesce(sum(pg_stat_get_xact_numscans(indexrelid)), 0)::bigint FROM pg_index WHERE indrelid = of_table;
$$;

-- Where no program has an activation, no tick looks for who converted.
SELECT pg_stat_force_next_flush();
BEGIN;
SELECT FROM pql._tick_step_shares();
SELECT app.looks('pql.outcome') AS outcomes, app.looks('pql.disposition') AS dispositions;
COMMIT;

SELECT pql.publish($${"program": "sales", "unit": "account",
  "milestones": {"signed_up": {"event": "signup"}, "was_vetted": {"event": "vet"}, "invited": {"event": "invite"}, "went_live": {"event": "deploy"}},
  "activation": {"steps": ["signed_up", "was_vetted", "invited", "went_live"], "order": "in_order", "within": "30 days"},
  "measures": {"hours": {"measure": "time_in_product", "event": "*", "gap": "1 hour", "window": "28 days"}},
  "signals": {"limit": {"kind": "intent", "event": "limit", "half_life": "7 days", "max_points": 60},
              "vetted": {"kind": "fit", "event": "vet", "half_life": "90 days", "max_points": 5, "may_show_rep": false}},
  "qualify": {"enter": 50, "leave": 10},
  "motions": [{"otherwise": true, "motion": "account_executive", "by": "1 day", "next_best_action": "Call them.", "floor": 0.4}]}$$);
SELECT pql.promote('sales');
SELECT pql.publish($${"program": "tryout", "unit": "account",
  "milestones": {"signed_up": {"event": "signup"}, "invited": {"event": "invite"}}, "activation": {"steps": ["signed_up", "invited"], "order": "in_order", "within": "30 days"},
  "signals": {"limit": {"kind": "intent", "event": "limit", "half_life": "7 days", "max_points": 30}, "try": {"kind": "intent", "event": "try", "half_life": "7 days", "max_points": 60},
              "hours": {"kind": "depth", "measure": "time_in_product", "event": "*", "gap": "1 hour", "window": "28 days", "saturates_at": 100, "max_points": 5, "may_show_rep": false}},
  "qualify": {"enter": 30, "leave": 10}, "motions": [{"otherwise": true, "motion": "inside_sales", "by": "1 day", "next_best_action": "Call them."}]}$$);
INSERT INTO pql.reps (rep_id) VALUES ('max');

-- What is too thin is decided upon anew when it may have what it lacks, not with every event.
CALL app.does('2026-03-01 09:00', 'ann', 'thin', 'limit', 'limit');
SELECT state, blocked_by FROM pql.routing WHERE subject_id = 'thin';
SELECT pg_stat_force_next_flush();
BEGIN;
CALL app.does('2026-03-01 10:00', 'ann', 'thin', 'query', 'limit', 'query');
CALL app.does('2026-03-01 10:05', 'bob', 'thin', 'query');
SELECT app.looks('pql.step_share') AS packets, app.looks('pql.routing') AS rows;
CALL app.does('2026-03-01 10:10', 'bob', 'thin', 'invite');
SELECT app.looks('pql.step_share') > 0 AS made_anew;
COMMIT;
SELECT state, blocked_by, context -> 'completeness' FROM pql.routing WHERE subject_id = 'thin';

-- Nobody reads what a program in shadow would say.
SELECT pg_stat_force_next_flush();
BEGIN;
CALL app.does('2026-03-01 11:00', 'cid', 'shade', 'try');
SELECT app.looks('pql.step_share') AS packets, (SELECT count(*) FROM pql.episode WHERE subject_id = 'shade' AND shadow) AS episodes, (SELECT count(*) FROM pql.routing WHERE subject_id = 'shade') AS rows;
ROLLBACK;

-- Who was vetted and who wasn't look alike to reps: nothing of how far they got rests on a step that isn't shown.
CALL app.does('2026-03-02 09:00', 'dan', 'vetted', 'signup', 'vet', 'invite', 'deploy', 'limit', 'limit');
CALL app.does('2026-03-02 09:00', 'eve', 'unvetted', 'signup', 'query', 'invite', 'deploy', 'limit', 'limit');
CALL app.does('2026-03-02 09:00', 'fay', 'early', 'vet', 'vet', 'invite', 'limit', 'limit', 'signup');
SELECT subject_id, context -> 'activation' AS shown, pql.packet(routing_id, 'scoring') -> 'activation' AS whole FROM pql.routing WHERE subject_id ~ 'vetted|early' ORDER BY 1;
-- Nor how long they were there, as one program shows it to nobody: not even as who does more than before.
CALL app.does('2026-03-03 09:00', 'gus', 'hours', 'signup', 'limit', 'query', 'query');
CALL app.does('2026-03-03 09:30', 'gus', 'hours', 'query', 'query', 'limit', 'limit');
SELECT context ? 'time' AS shown, pql.packet(routing_id, 'scoring') -> 'time' -> 'hours' AS whole, context -> 'missing' FROM pql.routing WHERE subject_id = 'hours';

-- What is the same for all is read once for all that a statement decides.
SELECT pg_stat_force_next_flush();
BEGIN;
INSERT INTO app.ev (ts, who, org, name) SELECT '2026-03-04 09:00', 'who' || n, 'org' || n, 'limit' FROM generate_series(1, 20) AS n, generate_series(1, 2);
SELECT count(*) AS rows, app.looks('pql.step_share') AS looks FROM pql.routing WHERE subject_id ~ '^org';
COMMIT;

-- Who is forgotten is counted nowhere.
CALL app.does('2026-01-10 09:00', 'old', 'crowd', 'signup');
CALL app.does('2026-03-05 09:00', 'hal', 'crowd', 'signup', 'invite');
CALL app.does('2026-03-05 10:00', 'ida', 'crowd', 'invite', 'limit', 'limit');
SELECT context -> 'member_count' AS members, context -> 'active_count' AS active, context -> 'trends' AS trends FROM pql.routing WHERE subject_id = 'crowd';
SELECT pql._forget_in_packets('hal');
SELECT context -> 'member_count' AS members, context -> 'active_count' AS active, context -> 'trends' AS trends FROM pql.routing WHERE subject_id = 'crowd';
SELECT pql._forget_in_packets('old');
SELECT context -> 'member_count' AS members, context -> 'active_count' AS active, context -> 'trends' AS trends FROM pql.routing WHERE subject_id = 'crowd';
SELECT s.context -> 'active_count' AS active FROM pql.scoring_packet AS s JOIN pql.routing AS r USING (home, routing_id) WHERE r.subject_id = 'crowd';

-- What is known may be a number, whatever the session says of how numbers are written.
SELECT path, problem, hint FROM pql.check_program((SELECT document || '{"known": {"active": "users_active", "score": "score / 4.0", "hours": {"value": "round(hours::numeric, 2)"}, "when": "as_of", "reached": "score > 3"}}'
                                                    FROM pql.program WHERE program = 'sales')) ORDER BY path;
SELECT pql.publish((SELECT document || '{"known": {"active": "users_active", "cast": "(users_active::numeric)::text", "a quarter": "score / 4.0", "hours": {"value": "round(hours::numeric, 2)"}}}'
                     FROM pql.program WHERE program = 'sales'), 'test');
CALL pql.backfill();
SELECT pql.promote('sales', override => 'test');
SET extra_float_digits = -14;
CALL app.does('2026-03-06 09:00', 'jan', 'numbers', 'signup', 'invite');
CALL app.does('2026-03-06 09:05', 'kim', 'numbers', 'invite', 'limit', 'limit');
RESET extra_float_digits;
SELECT context -> 'known' FROM pql.routing WHERE subject_id = 'numbers';

DROP EXTENSION pql CASCADE;
DROP SCHEMA app CASCADE;
