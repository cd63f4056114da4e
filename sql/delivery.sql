-- What destinations are told of routing rows: once, in order, whatever was committed when; leases, retries, dead letters, rates.
-- covers: S1-7, S1-34, S2-25, S3-13
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
UPDATE pql.source SET max_event_age = '10000 days';
CREATE FUNCTION program(name text, motion text, guardrails jsonb DEFAULT '[]') RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('program', name, 'unit', 'account', 'qualify', jsonb_build_object('enter', 10, 'leave', 5), 'signals',
      jsonb_build_object('wants', jsonb_build_object('kind', 'intent', 'event', name, 'half_life', '7 days', 'points_each', 10, 'max_points', 90),
                         'failing', jsonb_build_object('kind', 'risk', 'event', 'error_of_' || name, 'measure', 'count', 'window', '1 hour', 'max_points', 0)),
      'motions', jsonb_build_array(jsonb_build_object('otherwise', true, 'motion', motion, 'after', '0', 'by', '1 day')))
      || CASE WHEN guardrails <> '[]' THEN jsonb_build_object('guardrails', guardrails) ELSE '{}' END$$;
SELECT pql.publish(p), pql.promote(p->>'program')
FROM (VALUES (program('buy', 'account_executive', '[{"block_when": "signal.failing > 0", "reason": "it fails"}]')), (program('mail', 'email')), (program('nobody', 'none'))) AS v(p);
CREATE FUNCTION row_of(subject text, program text DEFAULT 'buy') RETURNS bigint LANGUAGE sql
  RETURN (SELECT max(r.routing_id) FROM pql.routing AS r WHERE (r.subject_id, r.program) = ($1, $2));
CREATE FUNCTION failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
  hint text;
BEGIN
  EXECUTE statement;
  RETURN 'none';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(CASE WHEN detail NOT LIKE 'Failing row%' THEN detail END, ''), nullif(hint, ''));
END $$;
-- What a destination is told, with numbers that are the same in each run.
CREATE FUNCTION told(destination text, n int DEFAULT 100) RETURNS SETOF text LANGUAGE sql AS
  $$SELECT concat_ws(' ', c.event, c.payload #>> '{routing,subject_id}', c.payload #>> '{routing,state}', coalesce(c.owner, '-'), 'attempt ' || c.attempt,
      CASE WHEN pql.delivery_done(c.delivery_id, 200) THEN 'sent' END) FROM pql.claim_deliveries($1, $2) AS c ORDER BY c.delivery_id$$;

--
-- What can't be a destination.
--

SELECT failure('INSERT INTO pql.destination (destination, kind, url, settings) VALUES ' || v) FROM unnest(ARRAY[
  $$('A', 'webhook', 'https://example.org/', '{}')$$, $$('a', 'fax', 'https://example.org/', '{}')$$, $$('a', 'webhook', 'http://example.org/', '{}')$$,
  $$('a', 'webhook', 'https://user:pass@example.org/', '{}')$$, $$('a', 'webhook', 'file:///etc/passwd', '{}')$$, $$('a', 'webhook', NULL, '{}')$$,
  $$('a', 'webhook', 'https://example.org/', '{"token": "x"}')$$, $$('a', 'slack', NULL, '{"headers": {}}')$$, $$('a', 'webhook', 'https://example.org/', '[]')$$,
  $$('a', 'webhook', 'https://example.org/', '{"headers": {"Authorization": "Bearer x"}}')$$, $$('a', 'webhook', 'https://example.org/', '{"headers": {"X-Team": 5}}')$$,
  $$('a', 'webhook', 'https://example.org/', '{"headers": {"X-Team": "a\r\nb"}}')$$, $$('a', 'hubspot', 'https://api.hubapi.com', '{"object": "deals"}')$$,
  $$('a', 'salesforce', 'https://x.my.salesforce.com', '{"api_version": "59"}')$$,
  $$('a', 'salesforce', 'https://x.my.salesforce.com', '{"oauth": "password", "client_id": "x"}')$$,
  $$('a', 'salesforce', 'https://x.my.salesforce.com', '{"oauth": "refresh_token"}')$$,
  $$('a', 'salesforce', 'https://x.my.salesforce.com', '{"client_id": "x"}')$$,
  $$('a', 'salesforce', 'https://x.my.salesforce.com', '{"oauth": "client_credentials", "client_id": "x", "client_secret": "y"}')$$]) AS v;
SELECT failure('INSERT INTO pql.destination (destination, kind, url, ' || c || ') VALUES (''a'', ''webhook'', ''https://example.org/'', ' || v || ')') FROM (VALUES
  ('motions', $$'{fax}'$$), ('events', $$'{updated}'$$), ('events', $$'{ready,lost}'$$), ('programs', $$'{buy,NULL}'$$), ('per_second', '0'), ('burst', '0'), ('max_attempts', '0'),
  ('timeout', $$'1 hour'$$), ('audience', $$'scoring'$$), ('secret', $$'My Secret'$$)) AS x(c, v);
SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.claim_deliveries(NULL)$$, $$SELECT pql.claim_deliveries('nowhere')$$, $$SELECT pql.preview_deliveries('nowhere')$$,
  $$SELECT pql.redeliver()$$, $$SELECT pql.delivery_done(NULL)$$, $$SELECT pql.delivery_failed(NULL, 1, now(), '')$$, $$SELECT pql.purge_deliveries(NULL)$$, $$SELECT pql.purge_deliveries('-1 day')$$]) AS s;

--
-- A row's life, told.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 08:00', 'u', 'before', 'buy');
SELECT ready FROM pql.tick('2026-03-02 08:00');
INSERT INTO pql.destination (destination, kind, url) VALUES ('hook', 'webhook', 'https://example.org/hook');
INSERT INTO pql.destination (destination, kind) VALUES ('chat', 'slack');
INSERT INTO pql.destination (destination, kind, url, backlog, audience) VALUES ('all', 'webhook', 'https://example.org/all', true, 'outreach');
SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.claim_deliveries('hook', 0)$$, $$SELECT pql.claim_deliveries('hook', 1, '0')$$, $$SELECT pql.claim_deliveries('hook', NULL)$$]) AS s;
SELECT told('hook');
-- nothing is written while there is nothing to tell
SELECT destination, seen IS NULL AS never FROM pql.delivery_mark;
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-02 09:00', 'u', org, name FROM (VALUES ('acme', 'buy'), ('beta', 'buy'), ('acme', 'mail'), ('ceta', 'nobody')) AS v(org, name);
SELECT told('hook');
SELECT ready FROM pql.tick('2026-03-02 09:00');
-- first looked at, then told
SELECT p.event, p.payload #>> '{routing,program}', p.payload #>> '{routing,subject_id}', p.delivery_id IS NULL AS not_noted, p.attempt FROM pql.preview_deliveries('hook') AS p;
SELECT count(*) FROM pql.delivery;
SELECT told('hook');
SELECT told('hook');
-- to Slack only what is a person's work
SELECT told('chat');
-- outreach sees what may be said; this one had asked for what was ready before
SELECT c.event, c.payload #>> '{routing,subject_id}', c.owner, (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(c.payload) AS k), (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(c.payload -> 'routing') AS k),
  c.payload #>> '{packet,audience}', pql.delivery_done(c.delivery_id) FROM pql.claim_deliveries('all') AS c ORDER BY c.delivery_id;
SELECT subject_id, state FROM pql.claim('kim', 1, row_of('acme'));
SELECT told('hook');
SELECT told('chat');
SELECT subject_id, state, owner FROM pql.decline(row_of('acme'), 'not my patch');
SELECT told('hook');
SELECT ready FROM pql.tick('2026-03-02 09:00');
SELECT told('hook');
SELECT told('chat');
-- several changes between two looks are told as one
SELECT state FROM pql.claim('lee', 1, row_of('acme'));
SELECT state FROM pql.accept(row_of('acme'));
SELECT state FROM pql.touch(row_of('acme'), 'phone');
SELECT told('hook');
SELECT state FROM pql.dispose(row_of('acme'), 'meeting_set', true, true, true);
SELECT c.event, c.payload #>> '{routing,disposition}', pql.delivery_done(c.delivery_id) FROM pql.claim_deliveries('hook') AS c;

--
-- Blocked before it was told: never told. Blocked after: taken back.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 10:00', 'u', 'secret', 'buy');
SELECT ready FROM pql.tick('2026-03-02 10:00');
SELECT count(*) FROM pql.claim_deliveries('chat', 1, '1 second');
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 10:01', 'u', 'secret', 'error_of_buy'), ('2026-03-02 10:01', 'u', 'beta', 'error_of_buy');
SELECT subject_id, state, blocked_by FROM pql.routing WHERE subject_id IN ('secret', 'beta') ORDER BY 1;
SELECT told('hook');
SELECT destination, event, state, attempts, last_error FROM pql.deliveries WHERE subject_id = 'secret' ORDER BY delivery_id;
-- it was tried at chat, and may have come through
UPDATE pql.delivery SET next_at = now() - interval '1 second' WHERE state = 'pending' AND destination = 'chat';
SELECT told('chat');
SELECT told('chat');
SELECT event, state, attempts, last_error FROM pql.deliveries WHERE subject_id = 'secret' AND destination = 'chat' ORDER BY delivery_id;

--
-- Leases, retries, dead letters.
--

-- the hour of failures is over
SELECT ready FROM pql.tick('2026-03-02 12:00');
SELECT told('hook');
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 12:10', 'u', 'delta', 'buy');
SELECT ready FROM pql.tick('2026-03-02 12:10');
CREATE TEMP TABLE first AS SELECT * FROM pql.claim_deliveries('hook', 10, '1 minute', 'one');
SELECT event, attempt, payload ->> 'type', payload ->> 'id' = idempotency_key AS same_key FROM first;
SELECT count(*) FROM pql.claim_deliveries('hook', 10, '1 minute', 'two');
SELECT state FROM pql.deliveries WHERE delivery_id = (SELECT delivery_id FROM first);
-- its lease ends: another has it, by the same key
UPDATE pql.delivery SET next_at = now(), claimed_until = now() WHERE delivery_id = (SELECT delivery_id FROM first);
CREATE TEMP TABLE second AS SELECT * FROM pql.claim_deliveries('hook', 10, '1 minute', 'two');
SELECT s.attempt, s.idempotency_key = f.idempotency_key AS same_key FROM second AS s, first AS f;
-- what the first one says now is of an old attempt
SELECT pql.delivery_failed(delivery_id, attempt, now() + interval '1 hour', 'timeout') FROM first;
SELECT attempts, claimed_by, last_error FROM pql.delivery WHERE delivery_id = (SELECT delivery_id FROM first);
SELECT pql.delivery_failed(delivery_id, attempt, now() + interval '1 hour', 'HTTP 500', 500) FROM second;
SELECT state, attempts, http_status, last_error, next_at > now() + interval '50 minutes' AS later FROM pql.deliveries WHERE delivery_id = (SELECT delivery_id FROM first);
SELECT count(*) FROM pql.claim_deliveries('hook');
UPDATE pql.destination SET max_attempts = 3 WHERE destination = 'hook';
UPDATE pql.delivery SET next_at = now() WHERE state = 'pending';
SELECT pql.delivery_failed(c.delivery_id, c.attempt, now(), 'HTTP 500', 500) FROM pql.claim_deliveries('hook') AS c;
SELECT state, attempts, next_at FROM pql.deliveries WHERE delivery_id = (SELECT delivery_id FROM first);
SELECT pending, sent > 0 AS some_sent, dead, void FROM pql.delivery_stats WHERE destination = 'hook';
SELECT pql.redeliver('hook'), pql.redeliver('hook');
SELECT told('hook');
SELECT pql.delivery_done(delivery_id), pql.delivery_dead(delivery_id, 'HTTP 404', 404) FROM first;
SELECT pql.redeliver(delivery_id => delivery_id) FROM first;
SELECT c.idempotency_key = f.idempotency_key AS same_key, pql.delivery_dead(c.delivery_id, 'HTTP 410', 410) FROM pql.claim_deliveries('hook') AS c, first AS f;
-- who has died with the last attempt
UPDATE pql.delivery SET state = 'pending', attempts = 3, next_at = now() WHERE delivery_id = (SELECT delivery_id FROM first);
SELECT count(*) FROM pql.claim_deliveries('hook');
SELECT state, attempts FROM pql.deliveries WHERE delivery_id = (SELECT delivery_id FROM first);
-- what isn't begun is given back
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 13:00', 'u', 'eta', 'buy');
SELECT ready FROM pql.tick('2026-03-02 13:00');
SELECT count(*) FROM pql.claim_deliveries('hook', 10, '1 minute', 'three');
SELECT pql.release_deliveries('nobody'), pql.release_deliveries('three'), pql.release_deliveries('three');

--
-- Rates, pauses, switches.
--

UPDATE pql.destination SET per_second = 0.001, burst = 2 WHERE destination = 'hook';
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-02 14:00', 'u', 'r' || i, 'buy' FROM generate_series(1, 4) AS i;
SELECT ready FROM pql.tick('2026-03-02 14:00');
SELECT count(*) FROM pql.claim_deliveries('hook', 100);
SELECT count(*) FROM pql.claim_deliveries('hook', 100);
UPDATE pql.delivery_mark SET refilled_at = refilled_at - interval '1000 seconds' WHERE destination = 'hook';
SELECT count(*) FROM pql.claim_deliveries('hook', 100);
UPDATE pql.destination SET per_second = NULL WHERE destination = 'hook';
SELECT pql.delivery_failed(c.delivery_id, c.attempt, now(), 'HTTP 429', 429, now() + interval '1 hour') FROM pql.claim_deliveries('hook', 1) AS c;
SELECT count(*) FROM pql.claim_deliveries('hook', 100);
SELECT pending, claimed, retrying, paused_until > now() AS paused FROM pql.delivery_stats WHERE destination = 'hook';
UPDATE pql.delivery_mark SET paused_until = NULL;
UPDATE pql.destination SET enabled = false WHERE destination = 'hook';
SELECT count(*) FROM pql.claim_deliveries('hook', 100);
UPDATE pql.destination SET enabled = true WHERE destination = 'hook';
UPDATE pql.delivery SET next_at = now(), claimed_until = NULL WHERE state = 'pending';
SELECT count(*) FROM pql.claim_deliveries('hook', 100) AS c WHERE pql.delivery_done(c.delivery_id);

--
-- Which rows: program, motion, team, score.
--

INSERT INTO pql.reps (rep_id, team, capacity) VALUES ('kim', 'east', 3), ('lee', 'west', 3);
INSERT INTO pql.destination (destination, kind, url, motions) VALUES ('mails', 'webhook', 'https://example.org/', '{email,none}');
INSERT INTO pql.destination (destination, kind, url, programs) VALUES ('mailed', 'webhook', 'https://example.org/', '{mail}');
INSERT INTO pql.destination (destination, kind, url, teams) VALUES ('east', 'webhook', 'https://example.org/', '{east}');
INSERT INTO pql.destination (destination, kind, url, min_score) VALUES ('high', 'webhook', 'https://example.org/', 20);
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-02 15:00', 'u', org, name FROM (VALUES ('m1', 'mail'), ('n1', 'nobody'), ('b1', 'buy'), ('b2', 'buy')) AS v(org, name);
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 15:00', 'u', 'b3', 'buy'), ('2026-03-02 15:00', 'u', 'b3', 'buy');
SELECT ready, assigned FROM pql.tick('2026-03-02 15:00');
SELECT subject_id, owner, score FROM pql.routing WHERE subject_id IN ('b1', 'b2', 'b3') ORDER BY 1;
SELECT d, told(d) FROM unnest(ARRAY['mails', 'mailed', 'high']) AS d;
SELECT count(*) FILTER (WHERE c.owner = 'kim') > 0 AS some, count(*) FILTER (WHERE c.owner IS DISTINCT FROM 'kim') AS others FROM pql.claim_deliveries('east', 100) AS c WHERE pql.delivery_done(c.delivery_id);
-- given to another team: taken back
SELECT r.owner FROM pql.routing AS x, pql.reassign(x.routing_id, 'lee', 'her region') AS r WHERE x.owner = 'kim' AND x.subject_id LIKE 'b_' ORDER BY x.routing_id LIMIT 1;
SELECT c.event, c.payload ? 'packet' AS packet, c.payload ? 'story' AS story, pql.delivery_done(c.delivery_id) FROM pql.claim_deliveries('east') AS c;

--
-- Who may: no rep, who would pass over what they don't see.
--

SET pql.rep = 'kim';
SELECT failure($$SELECT pql.claim_deliveries('hook')$$);
RESET pql.rep;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT failure($$SELECT pql.claim_deliveries('hook')$$);
ROLLBACK;

--
-- A transaction that is rolled back took nothing.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 16:00', 'u', 'late', 'mail');
SELECT ready FROM pql.tick('2026-03-02 16:00');
BEGIN;
SELECT count(*) FROM pql.claim_deliveries('mailed', 100);
ROLLBACK;
SELECT told('mailed');

--
-- Restored into another database: what was told is known, what wasn't is told.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 17:00', 'u', 'restored', 'mail');
SELECT ready FROM pql.tick('2026-03-02 17:00');
UPDATE pql.delivery_mark SET made_in = 'elsewhere', seen = '1000000000:1000000000:' WHERE destination IN ('mailed', 'mails', 'hook');
UPDATE pql.routing_transition SET written_in = '2000000000';
SELECT p.event, p.payload #>> '{routing,subject_id}' FROM pql.preview_deliveries('mailed') AS p;
SELECT told('mailed');
SELECT told('mailed');
SELECT m.destination, m.made_in = pql._this_database() AS here FROM pql.delivery_mark AS m WHERE m.destination = 'mailed';

--
-- What may have been received is taken back, whatever became of it since: it was to be told once more, or waited when its lease ended.
--

INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-03 09:00', 'u', 'twice', 'buy');
SELECT ready FROM pql.tick('2026-03-03 09:00');
SELECT told('hook');
SELECT pql.redeliver(delivery_id => d.delivery_id) FROM pql.deliveries AS d WHERE d.destination = 'hook' AND d.subject_id = 'twice';
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-03 09:01', 'u', 'twice', 'error_of_buy');
SELECT told('hook');
SELECT told('hook'); -- now that what came before it is over
SELECT event, state, attempts, tried, last_error FROM pql.delivery WHERE destination = 'hook' AND routing_id = row_of('twice') ORDER BY delivery_id;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-03 12:00', 'u', 'naps', 'buy');
SELECT ready FROM pql.tick('2026-03-03 12:00');
SELECT count(*) FROM pql.claim_deliveries('hook', 10);
SELECT snoozed_until FROM pql.snooze(row_of('naps'), '2026-03-03 15:00');
UPDATE pql.delivery SET next_at = now(), claimed_until = NULL WHERE state = 'pending';
SELECT told('hook');
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-03 12:01', 'u', 'naps', 'error_of_buy');
SELECT told('hook');
SELECT event, state, attempts, tried, last_error FROM pql.delivery WHERE destination = 'hook' AND routing_id = row_of('naps') ORDER BY delivery_id;

--
-- A destination that is made in one database, and told something for the first time in another; renamed; and made anew under an old name.
--

INSERT INTO pql.destination (destination, kind, url) VALUES ('early', 'webhook', 'https://example.org/early');
UPDATE pql.destination SET created_in = 'elsewhere', created_with = '2000000000:2000000000:' WHERE destination = 'early';
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-03 16:00', 'u', 'moved', 'buy');
SELECT ready FROM pql.tick('2026-03-03 16:00');
SELECT p.event, p.payload #>> '{routing,subject_id}' FROM pql.preview_deliveries('early') AS p;
SELECT told('early');
UPDATE pql.destination SET destination = 'later' WHERE destination = 'early';
SELECT told('later');
SELECT destination, sent FROM pql.delivery_stats WHERE destination = 'later';
DELETE FROM pql.destination WHERE destination = 'later';
INSERT INTO pql.destination (destination, kind, url, backlog) VALUES ('later', 'webhook', 'https://example.org/other', true);
SELECT count(*) > 0 AS told_anew FROM pql.claim_deliveries('later', 100) WHERE event = 'ready';
DELETE FROM pql.destination WHERE destination = 'later';
SELECT count(*) FROM pql.delivery WHERE destination IN ('early', 'later');
SELECT count(*) FROM pql.delivery_mark WHERE destination IN ('early', 'later');
SELECT told('mailed');

--
-- Erased with whom it is about; purged when it is old.
--

SELECT count(*) > 0 FROM pql.deliveries WHERE subject_id = 'acme';
SELECT relation, removed > 0 FROM pql.erase_account('acme') WHERE relation = 'pql.delivery';
SELECT count(*) FROM pql.delivery WHERE home = 'a:acme';
UPDATE pql.delivery SET last_error = 'HTTP 400: no company beta-corp' WHERE home = 'a:delta';
SELECT relation, changed FROM pql.erase_account('beta-corp') WHERE relation = 'pql.delivery';
SELECT last_error FROM pql.delivery WHERE home = 'a:delta' AND destination = 'hook';
SELECT pql.purge_deliveries('1 hour');
SELECT pql.purge_deliveries('0') > 0;
SELECT state, count(*) > 0 FROM pql.delivery WHERE state <> 'pending' GROUP BY 1;
-- and is not told again
SELECT count(*) FROM pql.claim_deliveries('mailed', 100);
DROP EXTENSION pql CASCADE;
DROP TABLE ev CASCADE;
DROP FUNCTION program, failure, told;
