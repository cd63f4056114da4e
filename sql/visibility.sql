-- Who sees which routing rows: reps theirs, their team's and nobody's; managers, and who is no rep, all.
-- covers: S1-23 S3-13
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA visibility;
CREATE TABLE visibility.ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON visibility.ev (org, ts);
SELECT count(*) > 0 FROM pql.attach('visibility.ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.publish('{"program": "buy", "unit": "account", "qualify": {"enter": 10}, "motions": [{"otherwise": true, "motion": "inside_sales", "by": "1 day"}],
  "signals": {"wants": {"kind": "intent", "event": "buy", "half_life": "7 days", "max_points": 10}}}');
SELECT pql.promote('buy');
CREATE ROLE regress_pql_ann;
CREATE ROLE regress_pql_ben;
CREATE ROLE regress_pql_max;
CREATE ROLE regress_pql_bi;
CREATE ROLE regress_pql_both IN ROLE regress_pql_ann, regress_pql_ben;
GRANT USAGE ON SCHEMA visibility TO PUBLIC;
GRANT SELECT ON pql.routing, pql.inbox, pql.handoffs, pql.routing_history, pql.routing_transition, pql.touch, pql.disposition, pql.declined, pql.route_decision
  TO regress_pql_ann, regress_pql_ben, regress_pql_max, regress_pql_bi;
GRANT EXECUTE ON FUNCTION pql.explain_route TO regress_pql_ann, regress_pql_bi;
INSERT INTO pql.reps (rep_id, team, db_role, manager) VALUES ('ann', 'east', 'regress_pql_ann', false), ('art', 'east', NULL, false),
  ('ben', 'west', 'regress_pql_ben', false), ('max', 'leads', 'regress_pql_max', true);
INSERT INTO pql.account_owner VALUES ('a', 'ann'), ('r', 'art'), ('b', 'ben'), ('m', 'max');
INSERT INTO visibility.ev (ts, who, org, name) SELECT '2026-03-02 09:00', 'u', o, 'buy' FROM unnest('{a,r,b,m}'::text[]) AS o;
SELECT assigned, ready FROM pql.tick('2026-03-02 09:00');
INSERT INTO visibility.ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'u', 'free', 'buy');
SELECT owner, state FROM pql.claim('ben') ;
SELECT (SELECT t.state FROM pql.touch(r.routing_id, 'phone') AS t) FROM pql.routing AS r WHERE r.owner = 'ben';
CREATE VIEW visibility.seen AS
  SELECT string_agg(r.subject_id, ' ' ORDER BY r.subject_id) AS rows, (SELECT string_agg(i.subject_id, ' ' ORDER BY i.subject_id) FROM pql.inbox AS i) AS inbox,
    (SELECT count(*) FROM pql.handoffs) AS handoffs, (SELECT count(DISTINCT h.subject_id) FROM pql.routing_history AS h) AS histories,
    (SELECT count(*) FROM pql.touch) AS touches, (SELECT count(*) FROM pql.route_decision) AS decisions FROM pql.routing AS r;
ALTER VIEW visibility.seen SET (security_invoker = true);
GRANT SELECT ON visibility.seen TO PUBLIC;

SELECT * FROM visibility.seen;
SET ROLE regress_pql_ann;
SELECT * FROM visibility.seen;
SELECT owner, chosen FROM pql.routing AS r, pql.explain_route(r.routing_id) AS x WHERE x.chosen ORDER BY 1;
-- the setting makes nobody see more
SET pql.rep = 'ben';
SELECT * FROM visibility.seen;
RESET pql.rep;
SET ROLE regress_pql_ben;
SELECT * FROM visibility.seen;
SET ROLE regress_pql_max;
SELECT * FROM visibility.seen;
SET ROLE regress_pql_bi;
SELECT * FROM visibility.seen;
-- an application that is one role for all sees what the rep sees for whom it works
SET pql.rep = 'art';
SELECT * FROM visibility.seen;
SET pql.rep = 'nobody';
SELECT * FROM visibility.seen;
RESET pql.rep;
-- who is a member of two is both, or whom they say
SET ROLE regress_pql_both;
SELECT * FROM visibility.seen;
SET pql.rep = 'ben';
SELECT * FROM visibility.seen;
RESET pql.rep;
RESET ROLE;
-- nothing that looks over the shoulder of a query sees more
CREATE FUNCTION visibility.tells(subject text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE NOTICE '%', subject; RETURN true; END$$;
SET client_min_messages = notice;
SET ROLE regress_pql_ben;
SELECT count(*) FROM pql.inbox WHERE visibility.tells(subject_id);
SELECT count(*) FROM pql.routing WHERE visibility.tells(subject_id);
RESET ROLE;
SET client_min_messages = warning;
-- who moves to another team sees that one's
UPDATE pql.reps SET team = 'west' WHERE rep_id = 'ann';
SET ROLE regress_pql_ann;
SELECT * FROM visibility.seen;
RESET ROLE;
-- and the function behind it says no more than that
SET ROLE regress_pql_ben;
SELECT * FROM unnest(pql._visible_owners()) ORDER BY 1;
SELECT pql._seen_by('regress_pql_max');
RESET ROLE;

DROP OWNED BY regress_pql_ann, regress_pql_ben, regress_pql_max, regress_pql_bi;
DROP EXTENSION pql CASCADE;
DROP SCHEMA visibility CASCADE;
DROP ROLE regress_pql_both, regress_pql_ann, regress_pql_ben, regress_pql_max, regress_pql_bi;
