-- What rests on an inexact measure says how far it may be off.
-- covers: S1-19, S2u-12
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
SELECT count(*) > 0 FROM pql.attach('event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event');
SELECT pql.publish('{"program": "p", "unit": "account",
  "measures": {"calls": {"event": "call", "measure": "count", "window": "10 days"}, "people": {"measure": "distinct_users", "window": "20 days"},
               "days": {"event": "call", "measure": "active_days", "window": "10 days"}},
  "signals": {"called": {"kind": "depth", "event": "call", "measure": "count", "window": "10 days", "saturates_at": 400, "max_points": 20},
              "double": {"kind": "depth", "value": "calls * 2 + days", "saturates_at": 800, "max_points": 20},
              "capped": {"kind": "depth", "value": "calls * 2", "cap": 10, "saturates_at": 10, "max_points": 10},
              "step":   {"kind": "depth", "value": "case when calls > 1 then 5 else 0 end", "max_points": 10},
              "few":    {"kind": "fit", "value": "100 - calls", "saturates_at": 100, "max_points": 10},
              "fails":  {"kind": "fit", "value": "1 / (calls - calls)", "max_points": 10},
              "daily":  {"kind": "depth", "value": "days", "max_points": 10},
              "many":   {"kind": "breadth", "value": "people / 100", "max_points": 20},
              "lonely": {"kind": "fit", "value": "10000 - people", "saturates_at": 10000, "max_points": 10},
              "crowd":  {"kind": "breadth", "value": "case when people > 1000 then 7 else 0 end", "max_points": 10}},
  "qualify": {"enter": 100, "leave": 90}}');
SELECT pql.promote('p');
INSERT INTO event SELECT n, timestamptz '2026-03-01' + n * interval '50 minutes', 'u' || n % 7, 'acme', 'call' FROM generate_series(1, 400) AS n;
SELECT count(*) AS calls FROM event WHERE at > timestamptz '2026-03-16' - interval '10 days' AND at <= '2026-03-16';
SELECT signal, value, evidence - 'event_id' - 'at' FROM pql.explain('p', 'acme', '2026-03-16');
SELECT signal, evidence - 'event_id' - 'at' FROM pql.explain('p', 'acme', '2026-03-01') WHERE evidence ? 'error';
-- what failed only as it was supposed hasn't failed
SELECT path, errors FROM pql.rule_errors WHERE path <> 'signals.fails.value';
-- more people than are known by name
INSERT INTO event SELECT 1000 + n, timestamptz '2026-03-01' + n * interval '1 minute', 'v' || n, 'bolt', 'noise' FROM generate_series(1, 1500) AS n;
SELECT signal, value, evidence FROM pql.explain('p', 'bolt', '2026-03-20') WHERE signal IN ('many', 'lonely', 'crowd');
SELECT count(*) FROM pql.verify();
DROP TABLE event CASCADE;
