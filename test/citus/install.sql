-- An events table that can be distributed, a program, and events to come.
\set ON_ERROR_STOP on
CREATE EXTENSION pql;
CREATE TABLE events (home text COLLATE "C" NOT NULL, event_id bigint NOT NULL, user_id text NOT NULL, account_id text, name text NOT NULL,
                     at timestamptz NOT NULL, props jsonb, PRIMARY KEY (home, event_id));
CREATE INDEX ON events (account_id, at);
CREATE INDEX ON events (user_id, at);
CREATE VIEW incoming AS
  SELECT coalesce('a:' || account_id, 'u:' || user_id) COLLATE "C" AS home, event_id, user_id, account_id, name, at, props
  FROM (SELECT i AS event_id, 'u' || (i * 7919) % 400 AS user_id, CASE WHEN (i * 7919) % 400 < 360 THEN 'o' || (i * 7919) % 400 % 60 END AS account_id,
               (ARRAY['signup', 'invite', 'api', 'api', 'x', 'sso'])[1 + (i * i / 7) % 6] AS name,
               timestamptz '2026-01-01 UTC' + (i * 104729) % 2000000 * interval '1 second' AS at, jsonb_build_object('units', i % 13) AS props
        FROM generate_series(1, 6000) AS i) AS e;
SELECT count(*) FROM pql.attach('events', user_id => 'user_id', account_id => 'account_id', event => 'name', occurred_at => 'at', event_id => 'event_id',
                                properties => 'props');
UPDATE pql.source SET max_event_age = '36500 days'; -- the stream is old: its events decide all the same
SELECT pql.publish('{"program": "expansion", "unit": "account", "objective": "expansion",
  "milestones": {"signed_up": {"event": "signup"}, "invited": {"event": "invite"}, "integrated": {"event": "api", "where": "(props->>''units'')::int > 5"}},
  "activation": {"steps": ["signed_up", "integrated", "invited"], "order": "in_order", "within": "14 days"},
  "signals": {
    "activated": {"kind": "activation", "milestone": "activation_complete", "max_points": 20},
    "api":       {"kind": "depth", "event": "api", "measure": "sum", "of": "(props->>''units'')::float8", "half_life": "3650 days", "saturates_at": 100, "max_points": 40},
    "teammates": {"kind": "breadth", "measure": "distinct_users", "window": "3650 days", "points_each": 5, "max_points": 20},
    "sso":       {"kind": "intent", "event": "sso", "half_life": "3650 days", "max_points": 20}},
  "qualify": {"enter": 60, "leave": 30},
  "motions": [{"otherwise": true, "motion": "account_executive", "after": "0 minutes", "by": "1 day"}]}');
SELECT pql.promote('expansion', override => 'test');
