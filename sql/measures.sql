-- Measures over windows of time: each is what SQL says of the events, however and in whatever order they came.
-- covers: S1-6, S2-1, S3-4, S3-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text, props jsonb);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id',
                                    properties => 'props', clock => 'event');
SELECT pql.publish($${"program": "all_of_it", "unit": "account",
  "milestones": {"began": {"event": "a", "where": "(props->>'n')::int > 3"}},
  "signals": {
    "count":      {"kind": "depth", "event": "a", "measure": "count", "window": "7 days", "saturates_at": 50, "max_points": 10},
    "count_all":  {"kind": "depth", "event": "*", "measure": "count", "window": "3 days", "saturates_at": 50, "max_points": 10},
    "some":       {"kind": "depth", "event": "*", "where": "event <> 'a' and (props->>'n')::int > 5", "measure": "count", "window": "7 days", "saturates_at": 9, "max_points": 10},
    "sum":        {"kind": "depth", "event": "b", "measure": "sum", "of": "(props->>'n')::float8 / 4 - 1", "window": "10 days", "saturates_at": 50, "max_points": 10},
    "once":       {"kind": "intent", "event": "c", "repeat": "once", "window": "4 days", "max_points": 5},
    "capped":     {"kind": "intent", "event": "c", "repeat": "capped", "cap": 3, "window": "9 days", "points_each": 2, "max_points": 7},
    "users":      {"kind": "breadth", "measure": "distinct_users", "window": "5 days", "points_each": 1, "max_points": 10},
    "users_of_c": {"kind": "breadth", "event": "c", "measure": "distinct_users", "window": "12 hours", "points_each": 1, "max_points": 10},
    "days":       {"kind": "depth", "measure": "active_days", "window": "14 days", "points_each": 1, "max_points": 10},
    "streak":     {"kind": "depth", "event": "a", "measure": "streak", "points_each": 1, "max_points": 10},
    "recency":    {"kind": "risk", "event": "c", "measure": "recency", "over": 2, "max_points": -10},
    "time":       {"kind": "depth", "measure": "time_in_product", "window": "6 days", "saturates_at": 20, "max_points": 10},
    "rate":       {"kind": "risk", "event": "b", "measure": "success_rate", "success": "(props->>'ok')::boolean", "window": "8 days", "max_points": 10},
    "grown":      {"kind": "breadth", "event": "a", "measure": "growth", "of": "count", "window": "6 days", "over": 0.5, "max_points": 10},
    "sum_grown":  {"kind": "breadth", "event": "b", "measure": "growth", "of": "sum", "sum_of": "(props->>'n')::float8", "window": "6 days", "over": 0.5, "max_points": 10},
    "more_users": {"kind": "breadth", "measure": "growth", "of": "distinct_users", "window": "2 days", "over": 0.1, "max_points": 10},
    "more_days":  {"kind": "breadth", "event": "c", "measure": "growth", "of": "active_days", "window": "10 days", "over": 0.1, "max_points": 10},
    "more_time":  {"kind": "breadth", "measure": "growth", "of": "time_in_product", "gap": "1 hour", "window": "5 days", "over": 0.1, "max_points": 10},
    "together":   {"kind": "intent", "all_of": ["began", "c"], "within": "20 minutes", "half_life": "10 days", "max_points": 10},
    "in_turn":    {"kind": "intent", "sequence": ["b", "c"], "within": "5 minutes", "window": "30 days", "max_points": 10},
    "fading":     {"kind": "activation", "milestone": "began", "half_life": "20 days", "max_points": 10},
    "calls":      {"kind": "depth", "event": "*", "measure": "count", "half_life": "5 days", "saturates_at": 100, "max_points": 10}},
  "qualify": {"enter": 60, "leave": 40}, "motions": [{"otherwise": true, "motion": "none"}]}$$);
SELECT pql.promote('all_of_it');
SELECT kind, count(*) FROM pql.tracker GROUP BY 1 ORDER BY 1;
SELECT events, rules, window_length, spans, gap FROM pql.tracker WHERE kind IN ('sessions', 'users', 'latest') ORDER BY tracker_id;

-- What the events say of an account. Independent of how pql reads them.
CREATE FUNCTION seen(account text, as_of timestamptz) RETURNS SETOF ev LANGUAGE sql STABLE AS
  'SELECT * FROM ev WHERE org = account AND at <= as_of';
CREATE FUNCTION hours(account text, as_of timestamptz, since timestamptz, until timestamptz, gap interval) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(extract(epoch FROM greatest('0', least(at, until) - greatest(before, since)))), 0) / 3600
  FROM (SELECT at, lag(at) OVER (PARTITION BY who ORDER BY at) AS before FROM seen(account, as_of)) AS x WHERE at - before <= gap $$;
CREATE FUNCTION growth(now float8, before float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT (now - before) / greatest(before, 1)';
CREATE FUNCTION told(account text, as_of timestamptz) RETURNS TABLE (signal text, value float8) LANGUAGE sql STABLE AS $$
  WITH e AS MATERIALIZED (SELECT *, (props->>'n')::float8 AS n, as_of - at AS age, date_trunc('day', at, 'UTC') AS day FROM seen(account, as_of)),
    pairs AS (SELECT x.at AS first, y.at AS second FROM e AS x, e AS y WHERE x.name = 'a' AND x.n > 3 AND y.name = 'c'),
    turns AS (SELECT y.at AS second FROM e AS x, e AS y WHERE x.name = 'b' AND y.name = 'c' AND y.at - x.at BETWEEN '0' AND '5 minutes'),
    days AS (SELECT DISTINCT day FROM e WHERE name = 'a' AND as_of - day < '90 days'),
    runs AS (SELECT max(day) AS last, count(*) AS n FROM (SELECT day, day - row_number() OVER (ORDER BY day) * interval '1 day' AS run FROM days) AS x GROUP BY run)
  SELECT 'count', count(*) FILTER (WHERE name = 'a' AND age < '7 days') FROM e
  UNION ALL SELECT 'count_all', count(*) FILTER (WHERE age < '3 days') FROM e
  UNION ALL SELECT 'some', count(*) FILTER (WHERE age < '7 days' AND name <> 'a' AND n > 5) FROM e
  UNION ALL SELECT 'sum', coalesce(sum(n / 4 - 1) FILTER (WHERE name = 'b' AND age < '10 days'), 0) FROM e
  UNION ALL SELECT 'once', least(count(*) FILTER (WHERE name = 'c' AND age < '4 days'), 1) FROM e
  UNION ALL SELECT 'capped', least(count(*) FILTER (WHERE name = 'c' AND age < '9 days'), 3) FROM e
  UNION ALL SELECT 'users', count(DISTINCT who) FILTER (WHERE age < '5 days') FROM e
  UNION ALL SELECT 'users_of_c', count(DISTINCT who) FILTER (WHERE name = 'c' AND age < '12 hours') FROM e
  UNION ALL SELECT 'days', count(DISTINCT day) FILTER (WHERE as_of - day < '14 days') FROM e
  UNION ALL SELECT 'streak', coalesce((SELECT n FROM runs WHERE as_of - last < '2 days' ORDER BY last DESC LIMIT 1), 0)
  UNION ALL SELECT 'recency', coalesce(extract(epoch FROM min(age) FILTER (WHERE name = 'c')) / 86400, 0) FROM e
  UNION ALL SELECT 'time', hours(account, as_of, as_of - interval '6 days', as_of, '30 minutes')
  UNION ALL SELECT 'rate', coalesce(avg(coalesce((props->>'ok')::boolean, false)::int) FILTER (WHERE name = 'b' AND age < '8 days'), 0) FROM e
  UNION ALL SELECT 'grown', growth(count(*) FILTER (WHERE age < '6 days'), count(*) FILTER (WHERE age >= '6 days' AND age < '12 days')) FROM e WHERE name = 'a'
  UNION ALL SELECT 'sum_grown', growth(coalesce(sum(n) FILTER (WHERE age < '6 days'), 0), coalesce(sum(n) FILTER (WHERE age >= '6 days' AND age < '12 days'), 0)) FROM e WHERE name = 'b'
  UNION ALL SELECT 'more_users', growth(count(DISTINCT who) FILTER (WHERE age < '2 days'), count(DISTINCT who) FILTER (WHERE age >= '2 days' AND age < '4 days')) FROM e
  UNION ALL SELECT 'more_days', growth(count(DISTINCT day) FILTER (WHERE as_of - day < '10 days'), count(DISTINCT day) FILTER (WHERE as_of - day >= '10 days' AND as_of - day < '20 days')) FROM e WHERE name = 'c'
  UNION ALL SELECT 'more_time', growth(hours(account, as_of, as_of - interval '5 days', as_of, '1 hour'), hours(account, as_of, as_of - interval '10 days', as_of - interval '5 days', '1 hour'))
  UNION ALL SELECT 'together', coalesce(power(2, -extract(epoch FROM as_of - min(greatest(first, second))) / extract(epoch FROM interval '10 days')), 0) FROM pairs
    WHERE greatest(first, second) - least(first, second) <= '20 minutes'
  UNION ALL SELECT 'in_turn', CASE WHEN as_of - min(second) < '30 days' THEN 1 ELSE 0 END FROM turns
  UNION ALL SELECT 'fading', coalesce(power(2, -extract(epoch FROM as_of - min(at)) / extract(epoch FROM interval '20 days')), 0) FROM e WHERE name = 'a' AND n > 3
  UNION ALL SELECT 'calls', coalesce(sum(power(2, -extract(epoch FROM age) / extract(epoch FROM interval '5 days'))), 0) FROM e
$$;
CREATE TABLE instants (as_of timestamptz);
INSERT INTO instants SELECT '2026-03-01'::timestamptz + g * interval '115 hours 13 minutes' FROM generate_series(0, 9) AS g;
INSERT INTO instants VALUES ('2026-03-11'), ('2026-03-14 23:59:59.999999'), ('2026-05-01');
CREATE VIEW compared AS
  SELECT o.org, i.as_of, t.signal, t.value AS told, x.value AS found
  FROM (SELECT DISTINCT org FROM ev) AS o, instants AS i, told(o.org, i.as_of) AS t
  JOIN LATERAL (SELECT * FROM pql.explain('all_of_it', o.org, i.as_of)) AS x USING (signal);
CREATE VIEW wrong AS SELECT * FROM compared WHERE abs(told - found) > 1e-6 * (1 + abs(told)) OR found IS NULL;

-- Of four accounts, in bursts, in no order, in statements of many sizes.
CREATE FUNCTION random_of(n int, what text, below int) RETURNS int LANGUAGE sql IMMUTABLE AS
  $$ SELECT (('x' || left(md5(n || what), 7))::bit(28)::int) % below $$;
CREATE TABLE source AS
  SELECT g AS id, '2026-03-01'::timestamptz + random_of(g / 4, 'day', 40 * 24) * interval '1 hour' + random_of(g, 'minute', 50) * interval '1 minute' AS at,
         'u' || random_of(g, 'who', 7) AS who, (ARRAY['acme', 'beta', 'core', 'dove'])[1 + random_of(g / 4, 'org', 4)] AS org,
         (ARRAY['a', 'b', 'c', 'unheard of'])[1 + random_of(g, 'name', 4)] AS name,
         jsonb_build_object('n', random_of(g, 'n', 10), 'ok', random_of(g, 'ok', 3) > 0) AS props, random_of(g, 'order', 1000000) AS place
  FROM generate_series(1, 400) AS g;
DO $$
DECLARE
  from_place int := 0;
  n int := 1;
BEGIN
  WHILE from_place < 1000000 LOOP
    INSERT INTO ev SELECT id, at, who, org, name, props FROM source WHERE place >= from_place AND place < from_place + n * 3000 ORDER BY md5(id::text);
    from_place := from_place + n * 3000;
    n := n % 13 + 4;
  END LOOP;
END $$;
SELECT count(*), count(*) FILTER (WHERE found <> 0) > 500 AS worth_it FROM compared;
SELECT * FROM wrong LIMIT 9;
SELECT * FROM pql.verify();
-- points add up, and what is taken off is below zero
SELECT count(*) FROM instants AS i, (SELECT DISTINCT org FROM ev) AS o
WHERE pql.score('all_of_it', org, as_of) <> (SELECT sum(points) FROM pql.explain('all_of_it', org, as_of));
SELECT min(points), max(points) FROM instants, pql.explain('all_of_it', 'acme', as_of) WHERE signal = 'recency';

-- what changes, is taken away, or comes late
UPDATE ev SET at = at + interval '36 hours' WHERE id % 11 = 0;
UPDATE ev SET org = 'dove', who = 'u9' WHERE id % 17 = 0;
UPDATE ev SET props = '{"n": 9}' WHERE id % 13 = 0;
DELETE FROM ev WHERE id % 7 = 0;
INSERT INTO ev SELECT 1000 + id, at - interval '100 hours', who, org, name, props FROM source WHERE id % 9 = 0;
INSERT INTO ev VALUES (5000, '2026-02-02', 'u1', 'acme', 'a', '{"n": 1}'), (5001, '2026-02-02', 'u1', 'acme', 'a', 'null'), (5002, '2026-04-12', 'u1', 'acme', 'b', '{}');
SELECT * FROM wrong LIMIT 9;
SELECT * FROM pql.verify();
-- an account that leaves no window untouched
INSERT INTO ev SELECT 10000 + g, '2026-04-13'::timestamptz + g * interval '97 seconds', 'u' || g % 41, 'busy', 'a', '{"n": 1, "ok": true}' FROM generate_series(1, 3000) AS g;
SELECT count(*), count(*) FILTER (WHERE found > 0) FROM compared WHERE org = 'busy' AND as_of = '2026-05-01' AND told = 0;
SELECT signal, round(told::numeric, 3) AS told, abs(found - told) / told < 0.05 AS about FROM told('busy', '2026-04-20') AS t (signal, told)
  JOIN (SELECT signal, value AS found FROM pql.explain('all_of_it', 'busy', '2026-04-20')) AS x USING (signal)
WHERE told > 0 ORDER BY signal;
-- what isn't exact says by how much it may be off
SELECT signal, abs(value - told) <= (evidence->>'error')::float8 AS within FROM pql.explain('all_of_it', 'busy', '2026-04-19 10:00') JOIN told('busy', '2026-04-19 10:00') AS t (signal, told) USING (signal)
WHERE evidence ? 'error' ORDER BY signal;
SELECT count(*) FROM pql.explain('all_of_it', 'acme', '2026-04-20') WHERE evidence ?| ARRAY['error', 'at_least'];
SELECT * FROM pql.verify();

-- a program that comes later needs the history of what is new in it, and shares the rest
SELECT count(*) AS trackers FROM pql.tracker \gset
SELECT pql.publish($${"program": "later", "unit": "account",
  "signals": {"users": {"kind": "breadth", "measure": "distinct_users", "window": "5 days", "points_each": 1, "max_points": 10},
              "days":  {"kind": "depth", "event": "b", "measure": "active_days", "window": "20 days", "points_each": 1, "max_points": 10},
              "new":   {"kind": "depth", "event": "*", "measure": "sum", "of": "(props->>'n')::float8", "window": "9 days", "saturates_at": 100, "max_points": 10}},
  "qualify": {"enter": 10, "leave": 5}, "motions": [{"otherwise": true, "motion": "none"}]}$$);
SELECT pql.publish($${"program": "person", "unit": "user",
  "signals": {"time":   {"kind": "depth", "event": "a", "measure": "time_in_product", "gap": "2 hours", "window": "30 days", "points_each": 1, "max_points": 10},
              "streak": {"kind": "depth", "measure": "streak", "window": "10 days", "points_each": 1, "max_points": 10},
              "last":   {"kind": "risk", "measure": "recency", "points_each": 1, "max_points": -10}},
  "qualify": {"enter": 10, "leave": 5}, "motions": [{"otherwise": true, "motion": "none"}]}$$);
SELECT count(*) - :trackers AS more_trackers FROM pql.tracker;
CALL pql.backfill();
SELECT * FROM pql.verify();
SELECT count(*) FROM (SELECT DISTINCT org FROM ev) AS o, instants AS i, pql.explain('later', org, as_of) AS x
WHERE abs(value - CASE signal
    WHEN 'users' THEN (SELECT count(DISTINCT who) FROM ev WHERE ev.org = o.org AND at <= as_of AND at > as_of - interval '5 days')
    WHEN 'days' THEN (SELECT count(DISTINCT date_trunc('day', at)) FROM ev WHERE ev.org = o.org AND name = 'b' AND at <= as_of AND date_trunc('day', at) > as_of - interval '20 days')
    ELSE (SELECT coalesce(sum((props->>'n')::float8), 0) FROM ev WHERE ev.org = o.org AND at <= as_of AND at > as_of - interval '9 days') END) > 1e-6
  AND (org <> 'busy' OR signal <> 'new');
SELECT count(*) FROM (SELECT DISTINCT who FROM ev) AS o, instants AS i, pql.explain('person', who, as_of) AS x
WHERE signal <> 'streak' AND abs(value - CASE signal
    WHEN 'last' THEN (SELECT coalesce(extract(epoch FROM as_of - max(at)) / 86400, 0) FROM ev WHERE ev.who = o.who AND at <= as_of)
    ELSE (SELECT coalesce(sum(extract(epoch FROM greatest('0', at - greatest(before, as_of - interval '30 days')))), 0) / 3600
          FROM (SELECT at, lag(at) OVER (ORDER BY at) AS before FROM ev WHERE ev.who = o.who AND at <= as_of AND name = 'a') AS y WHERE at - before <= '2 hours') END) > 1e-6;
SELECT pql.state_digest() AS before \gset
CALL pql.rebuild();
SELECT pql.state_digest() = :'before' AS same;
SELECT * FROM pql.verify();
-- what is sealed counts on
CREATE TABLE before AS SELECT * FROM compared WHERE as_of >= '2026-04-10' AND org <> 'busy';
SELECT pql.retain('ev', '2026-04-08') > 0;
DELETE FROM ev WHERE at < '2026-04-08';
SELECT * FROM pql.verify();
SELECT count(*) > 20 AS some, count(*) FILTER (WHERE b.found IS DISTINCT FROM x.value) AS others FROM before AS b JOIN LATERAL (SELECT * FROM pql.explain('all_of_it', b.org, b.as_of)) AS x USING (signal)
WHERE b.as_of >= (SELECT max(at) FROM ev WHERE org <> 'busy');

-- verify says what differs
SET session_replication_role = replica;
DELETE FROM ev WHERE id = (SELECT id FROM ev WHERE org = 'acme' ORDER BY at DESC, id DESC LIMIT 1);
RESET session_replication_role;
SELECT what, streamed ~ '^\d+ to \d{4}-[^\[]* \[[0-9a-f]{16}\]$' AS told FROM pql.verify() WHERE subject = 'acme' AND what !~ 'seen|events|decay|funnel|milestone' ORDER BY 1;
-- what is wrong with a measure is said when it is published
SELECT path, problem FROM pql.check_program($${"program": "p", "unit": "account",
  "signals": {"rate": {"kind": "risk", "event": "b", "measure": "success_rate", "success": "props->>'ok'", "window": "8 days", "max_points": 10},
              "g": {"kind": "depth", "event": "b", "measure": "growth", "of": "sum", "sum_of": "nothing", "window": "8 days", "over": 1, "max_points": 60}},
  "qualify": {"enter": 60, "leave": 40}, "motions": [{"otherwise": true, "motion": "none"}]}$$);
DROP TABLE ev CASCADE;
DROP EXTENSION pql CASCADE;
