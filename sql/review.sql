-- The weekly review: a program without anything, the week beside the week before, what to keep, drop, re-weigh and add, and what it would do.
-- covers: S2-26, S1-46, S2-24
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA review;
SET search_path = review;
SELECT * FROM pql.weekly_review(NULL);
SELECT * FROM pql.weekly_review('nobody');
SELECT pql.publish('{"program": "sell", "unit": "account", "signals": {
      "sso":     {"kind": "intent", "event": "sso", "half_life": "14 days", "points_each": 5, "max_points": 30},
      "pricing": {"kind": "depth", "event": "pricing", "half_life": "14 days", "saturates_at": 3, "max_points": 30}},
    "qualify": {"enter": 20, "leave": 10},
    "motions": [{"otherwise": true, "motion": "inside_sales", "after": "0", "by": "1 day"}]}');
SELECT * FROM pql.weekly_review('sell', NULL);
SELECT part, item, verdict, was, becomes, reason FROM pql.weekly_review('sell', '2026-02-02');

-- A year of hand-offs, as they were frozen: sso is what people buy for, pricing is curiosity, and half of them said something before.
CREATE TABLE message (id int PRIMARY KEY, at timestamptz, who text, org text, body text);
INSERT INTO message
SELECT i, timestamptz '2026-02-01' - i * interval '1 day' - interval '1 hour', 'u' || i, 'o' || i, CASE WHEN i % 2 = 0 THEN 'Do you support SAML?' ELSE 'Good morning.' END FROM generate_series(1, 300) AS i;
SELECT count(*) FROM pql.attach_conversations('review.message', user_id => 'who', body => 'body', occurred_at => 'at', account_id => 'org');
INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, account_id, episode, signal_at, qualified_at, decided_at, qualification, score,
                         reasons, headline, motion, contact_after, state, state_since, context)
SELECT i, 'a:o' || i, 'sell', 1, 'account', 'o' || i, 'o' || i, i, t.at, t.at, t.at, 'first', 20 + sso, jsonb_build_array(jsonb_build_object('signal', 'sso', 'points', sso),
       jsonb_build_object('signal', 'pricing', 'points', CASE WHEN i % 7 < 3 THEN 0 ELSE 20 END)), 'a hand-off', 'inside_sales', t.at, 'ready', t.at, '{}'
FROM generate_series(1, 300) AS i, LATERAL (SELECT timestamptz '2026-02-01' - i * interval '1 day' AS at, CASE WHEN i % 3 = 0 THEN 30 ELSE 0 END AS sso) AS t;
SELECT count(pql.record_outcome('o' || i, 'paid', 10, timestamptz '2026-02-01' - i * interval '1 day' + interval '3 days')) FROM generate_series(4, 300) AS i
WHERE CASE WHEN i % 3 = 0 THEN i % 5 > 0 WHEN i % 2 = 0 THEN i % 5 < 3 ELSE i % 5 = 0 END;
SELECT part, item, verdict, was, becomes, reason, support, round(low::numeric, 2), round(high::numeric, 2) FROM pql.weekly_review('sell', '2026-02-01 12:00');
SELECT count(*) FROM pql.propose_program('sell', '2026-02-01');
SELECT part, item, verdict, was, becomes, reason, support FROM pql.weekly_review('sell', '2026-02-01 12:00') WHERE part <> 'week';
SELECT pql.weekly_summary('sell', '2026-02-01 12:00');

-- A draft, and what it would do.
SELECT pql.save_draft(document || '{"qualify": {"enter": 60, "leave": 10}}') FROM pql.program;
SELECT part, item, verdict, was, becomes, reason, support FROM pql.weekly_review('sell') WHERE part = 'list';

-- Who may not preview is told so; reps see none of it, since it names all signals.
CREATE ROLE regress_pql_analyst;
CREATE ROLE regress_pql_kai;
GRANT USAGE ON SCHEMA pql TO regress_pql_analyst, regress_pql_kai;
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO regress_pql_analyst, regress_pql_kai;
SET ROLE regress_pql_analyst;
SELECT part, item, verdict, reason FROM pql.weekly_review('sell', '2026-02-01 12:00') WHERE part = 'list';
RESET ROLE;
INSERT INTO pql.reps (rep_id, db_role) VALUES ('kai', 'regress_pql_kai');
SET ROLE regress_pql_kai;
SELECT part FROM pql.weekly_review('sell');
RESET ROLE;
DROP OWNED BY regress_pql_analyst, regress_pql_kai;
DROP ROLE regress_pql_analyst, regress_pql_kai;
DROP SCHEMA review CASCADE;
DROP EXTENSION pql;
