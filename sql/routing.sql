-- A routing row's life: who may do what when, and what time alone does.
-- covers: S1-3, S1-4, S2-25, S2-27, S2u-1, S2u-6, S3-13
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
CREATE FUNCTION program(name text, unit text, motion text, by text) RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_build_object('program', name, 'unit', unit, 'qualify', jsonb_build_object('enter', 10, 'leave', 5), 'signals',
      jsonb_build_object('wants', jsonb_build_object('kind', 'intent', 'event', name, 'half_life', '7 days', 'points_each', 10, 'max_points', 90)),
      'motions', jsonb_build_array(jsonb_build_object('otherwise', true, 'motion', motion, 'after', '1 hour', 'by', by)))$$;
SELECT pql.publish(p), pql.promote(p->>'program')
FROM (VALUES (program('buy', 'account', 'account_executive', '1 day')), (program('grow', 'account', 'inside_sales', '2 days')),
             (program('mail', 'account', 'email', '1 day')), (program('person', 'user', 'inside_sales', '1 day'))) AS v(p);
-- The newest event is what now means.
CREATE PROCEDURE now_is(at timestamptz) LANGUAGE sql AS $$INSERT INTO ev (ts, who, org, name) VALUES (at, 'clock', 'clock', 'clock')$$;
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
  RETURN regexp_replace(concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, '')), 'row \d+', 'row N', 'g');
END $$;
-- Whatever happened: nothing is lost, and no account is worked twice.
CREATE VIEW wrong AS
  SELECT 'broken chain' AS what, h.routing_id FROM (
    SELECT t.routing_id, t.from_state, lag(t.to_state) OVER (PARTITION BY t.routing_id ORDER BY t.transition_id) AS before FROM pql.routing_transition AS t) AS h
  WHERE h.from_state <> h.before
  UNION ALL SELECT 'another first state', r.routing_id FROM pql.routing AS r, LATERAL (
    SELECT t.from_state FROM pql.routing_transition AS t WHERE t.routing_id = r.routing_id ORDER BY t.transition_id LIMIT 1) AS t WHERE t.from_state <> 'pending'
  UNION ALL SELECT 'another last state', r.routing_id FROM pql.routing AS r
  WHERE r.state <> coalesce((SELECT t.to_state FROM pql.routing_transition AS t WHERE t.routing_id = r.routing_id ORDER BY t.transition_id DESC LIMIT 1), 'pending')
  UNION ALL SELECT 'goes back in time', h.routing_id FROM pql.routing_history AS h WHERE h.after < '0'
  UNION ALL SELECT 'worked twice', min(r.routing_id) FROM pql.routing AS r WHERE r.state IN ('claimed', 'accepted', 'touched') AND r.snoozed_until IS NULL
  GROUP BY r.account_id, CASE WHEN r.account_id IS NULL THEN r.home END HAVING count(*) > 1
  UNION ALL SELECT 'two open rows of an episode', min(r.routing_id) FROM pql.routing AS r WHERE r.state NOT IN ('disposed', 'expired', 'suppressed')
  GROUP BY r.home, r.episode HAVING count(*) > 1;

INSERT INTO ev (ts, who, org, name) SELECT '2026-03-02 09:00', 'u', org, 'buy' FROM unnest('{acme, beta, ceta, delta}'::text[]) AS org;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 09:00', 'v', 'acme', 'grow'), ('2026-03-02 09:00', 'w', 'acme', 'mail');
SELECT program, subject_id, motion, state, owner, contact_after, contact_by FROM pql.routing ORDER BY program, subject_id;

--
-- Ready when its time has come.
--

SELECT * FROM pql.claim('kim');
SELECT ready, expired, breached, returned, assigned FROM pql.tick('2026-03-02 09:59:59');
SELECT ready, expired, breached, returned, assigned FROM pql.tick('2026-03-02 10:00');
SELECT ready, expired, breached, returned, assigned FROM pql.tick('2026-03-02 10:00');
SELECT DISTINCT state, state_since FROM pql.routing;
CALL now_is('2026-03-02 10:30');
SELECT rep, program, subject_id, state, to_do, minutes_left, sla FROM pql.inbox;

--
-- Claiming.
--

SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.claim(NULL)$$, $$SELECT pql.claim('kim', NULL)$$, $$SELECT pql.claim('kim', 0)$$, $$SELECT pql.claim(' ')$$,
  $$SELECT pql.claim('kim', 1, -1)$$]) AS s;
BEGIN;
-- one row of an account, and none that needs nobody
SELECT owner, program, subject_id, state, claimed_at, state_since FROM pql.claim('kim', 100);
SELECT count(*) FROM pql.claim('lee', 100);
SELECT * FROM wrong;
ROLLBACK;
SELECT subject_id FROM pql.claim('kim', 1, row_of('delta'));
SELECT subject_id, state FROM pql.claim('kim', 1, row_of('delta'));
SELECT count(*) FROM pql.claim('lee', 1, row_of('delta'));
SELECT subject_id FROM pql.claim('kim', 2);
SELECT subject_id FROM pql.claim('lee', 2);
SELECT count(*) FROM pql.routing_transition WHERE to_state = 'claimed';

--
-- What may follow what. Each call on a row in each state; whatever it does is taken back.
--

CREATE TABLE call (place int GENERATED ALWAYS AS IDENTITY, statement text);
INSERT INTO call (statement) VALUES ($$pql.claim('kim', 1, $1)$$), ('pql.accept($1)'), ($$pql.decline($1, 'no budget')$$), ($$pql.touch($1, 'phone')$$),
  ($$pql.dispose($1, 'meeting_set')$$), ($$pql.dispose($1, 'nurture')$$), ($$pql.reassign($1, 'max', 'holiday')$$), ($$pql.reassign($1, NULL, 'holiday')$$),
  ($$pql.snooze($1, '2026-04-01')$$);
CREATE FUNCTION tried(id bigint, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r pql.routing;
BEGIN
  EXECUTE 'SELECT * FROM ' || statement INTO r USING id;
  RAISE EXCEPTION SQLSTATE 'UU000' USING MESSAGE = coalesce(format('%s, %s', r.state, coalesce(r.owner, 'nobody''s')) || ', snoozed until ' || r.snoozed_until,
    format('%s, %s', r.state, coalesce(r.owner, 'nobody''s')));
EXCEPTION WHEN SQLSTATE 'UU000' THEN
  RETURN SQLERRM;
WHEN object_not_in_prerequisite_state THEN
  RETURN 'refused';
END $$;
CREATE PROCEDURE reach(wanted text) LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM pql.routing_transition AS t WHERE t.routing_id = row_of('beta');
  UPDATE pql.routing AS r SET state = CASE wanted WHEN 'nurture' THEN 'disposed' ELSE wanted END, owner = CASE WHEN wanted NOT IN ('pending', 'ready') THEN 'kim' END, snoozed_until = NULL,
    blocked_by = CASE wanted WHEN 'blocked' THEN 'tiny account' END, disposition = CASE wanted WHEN 'disposed' THEN 'meeting_set' WHEN 'nurture' THEN 'nurture' END
  WHERE r.routing_id = row_of('beta');
END $$;
BEGIN;
DO $$
DECLARE
  s text;
BEGIN
  CREATE TABLE answer (state text, place int, statement text, answer text);
  FOREACH s IN ARRAY '{pending, ready, claimed, accepted, touched, disposed, nurture, declined, expired, blocked, suppressed}'::text[] LOOP
    CALL reach(s);
    INSERT INTO answer SELECT s, c.place, c.statement, tried(row_of('beta'), c.statement) FROM call AS c;
  END LOOP;
END $$;
SELECT statement, state, answer FROM answer WHERE answer <> 'refused' ORDER BY place, state, answer;
SELECT state, string_agg(split_part(split_part(statement, '(', 1), '.', 2) || CASE WHEN statement ~ 'nurture' THEN ' as nurture' ELSE '' END, ', ' ORDER BY place) FROM answer WHERE answer = 'refused' GROUP BY state ORDER BY state;
ROLLBACK;
-- what is refused says what is possible
BEGIN;
DO $$
DECLARE
  s text;
BEGIN
  CREATE TABLE answer (state text, answer text);
  FOREACH s IN ARRAY '{pending, ready, claimed, accepted, touched, disposed, nurture, declined, expired, blocked, suppressed}'::text[] LOOP
    CALL reach(s);
    INSERT INTO answer SELECT s, failure(format(CASE WHEN s IN ('claimed', 'accepted') THEN $q$SELECT pql.dispose(%s, 'converted')$q$
      WHEN s = 'touched' THEN 'SELECT pql.accept(%s)' ELSE $q$SELECT pql.touch(%s, 'phone')$q$ END, row_of('beta')));
  END LOOP;
END $$;
SELECT * FROM answer;
ROLLBACK;
-- arguments
SELECT failure('SELECT pql.' || s) FROM unnest(ARRAY['accept(NULL)', 'accept(-1)', $$decline(NULL, 'x')$$, $$decline(row_of('beta'), NULL)$$, $$decline(row_of('beta'), ' ')$$,
  $$touch(-1, 'phone')$$, $$touch(row_of('beta'), NULL)$$, $$touch(row_of('beta'), 'By Phone')$$, $$touch(row_of('beta'), 'phone', at => '2026-03-03')$$, $$touch(row_of('beta'), 'phone', at => 'infinity')$$,
  $$touch(row_of('beta'), 'phone', at => '2026-03-02 08:59')$$, $$dispose(NULL, 'nurture')$$, $$dispose(row_of('beta'), NULL)$$, $$dispose(row_of('beta'), 'won')$$,
  $$dispose(row_of('beta'), 'nurture', failure => 'smell')$$, $$reassign(NULL, 'max', 'x')$$, $$reassign(row_of('beta'), 'max', '')$$, $$reassign(row_of('beta'), '', 'x')$$, $$snooze(row_of('beta'), NULL)$$, $$snooze(NULL, '2026-04-01')$$,
  $$snooze(row_of('beta'), '2026-03-02')$$, $$snooze(row_of('beta'), 'infinity')$$]) AS s;
SELECT * FROM wrong;

--
-- A life from end to end, each call twice.
--

SELECT subject_id, program, owner, state FROM pql.routing WHERE state = 'claimed' ORDER BY subject_id;
SELECT state, owner FROM pql.accept(row_of('beta'));
SELECT state, owner FROM pql.accept(row_of('beta'));
CALL now_is('2026-03-02 11:00');
SELECT state, first_touch_at FROM pql.touch(row_of('beta'), 'phone', 'no answer', '2026-03-02 10:45');
SELECT state, first_touch_at FROM pql.touch(row_of('beta'), 'phone', 'no answer', '2026-03-02 10:45');
SELECT state, first_touch_at FROM pql.touch(row_of('beta'), 'email');
SELECT state, first_touch_at FROM pql.touch(row_of('beta'), 'phone', 'called before, too', '2026-03-02 10:40');
SELECT state, disposition FROM pql.dispose(row_of('beta'), 'meeting_set', true, false, true, 'wants SSO', 'timing');
SELECT state, disposition FROM pql.dispose(row_of('beta'), 'meeting_set', true, false, true, 'wants SSO', 'timing');
SELECT failure($$SELECT pql.dispose(row_of('beta'), 'disqualified')$$);
SELECT rep, channel, at, note, actor = session_user FROM pql.touch ORDER BY at, touch_id;
SELECT rep, disposition, failure, need_matched, timing_right, context_enough, note, at FROM pql.disposition;
SELECT at, from_state, to_state, rep, reason, after FROM pql.routing_history WHERE routing_id = row_of('beta');
SELECT state, qualified_at, ready_at, claimed_at, accepted_at, first_touch_at, disposed_at, disposition, failure, touches, declined, time_to_claim, time_to_first_touch, time_to_disposition, in_time
FROM pql.handoffs WHERE routing_id = row_of('beta');
-- whoever makes contact has accepted
SELECT state FROM pql.touch(row_of('acme'), 'email');
SELECT at, from_state, to_state, reason FROM pql.routing_history WHERE routing_id = row_of('acme');

--
-- Declined: for others, and not for whom declined.
--

SELECT state, owner, claimed_at FROM pql.decline(row_of('delta'), 'a friend of mine');
SELECT state, owner FROM pql.decline(row_of('delta'), 'a friend of mine');
SELECT ready FROM pql.tick('2026-03-02 11:00');
SELECT count(*) FROM pql.claim('kim', 1, row_of('delta'));
SELECT owner, state FROM pql.claim('lee', 1, row_of('delta'));
SELECT rep, reason FROM pql.declined;
-- by who it is for, not only once claimed
SELECT state, owner FROM pql.reassign(row_of('delta'), 'ann', 'closer by');
SELECT state, owner FROM pql.reassign(row_of('delta'), 'ann', 'closer by');
SELECT state, owner FROM pql.decline(row_of('delta'), 'too far');
SELECT ready FROM pql.tick('2026-03-02 11:00');
SET pql.rep = 'bob';
SELECT state, owner FROM pql.decline(row_of('delta'), 'not mine');
RESET pql.rep;
SELECT rep, reason FROM pql.declined ORDER BY rep;
SELECT from_state, to_state, rep, actor = session_user AS mine, reason FROM pql.routing_history WHERE routing_id = row_of('delta');
SELECT declined FROM pql.handoffs WHERE routing_id = row_of('delta');
SELECT * FROM wrong;

--
-- Who acts.
--

SELECT subject_id, owner FROM pql.routing WHERE state = 'claimed' ORDER BY subject_id;
SET pql.rep = 'kim';
SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.claim('lee')$$, $$SELECT pql.accept(row_of('ceta'))$$, $$SELECT pql.decline(row_of('ceta'), 'x')$$, $$SELECT pql.snooze(row_of('ceta'), '2026-04-01')$$,
  $$SELECT pql.dispose(row_of('ceta'), 'nurture')$$]) AS s;
SET pql.rep = 'lee';
SELECT state FROM pql.accept(row_of('ceta'));
RESET pql.rep;
SELECT actor, rep FROM pql.routing_history WHERE routing_id = row_of('ceta') AND to_state = 'accepted';
CREATE ROLE regress_pql_seller;
SET ROLE regress_pql_seller;
SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.claim('lee')$$, $$SELECT pql.accept(1)$$, $$SELECT pql.decline(1, 'x')$$, $$SELECT pql.touch(1, 'phone')$$, $$SELECT pql.dispose(1, 'nurture')$$,
  $$SELECT pql.reassign(1, 'kim', 'x')$$, $$SELECT pql.snooze(1, '2026-04-01')$$, $$SELECT pql.record_outcome('acme', 'paid')$$, 'SELECT * FROM pql.inbox']) AS s;
RESET ROLE;
-- to call them is all that it takes
GRANT EXECUTE ON FUNCTION pql.claim, pql.touch, pql.dispose TO regress_pql_seller;
BEGIN;
SET LOCAL ROLE regress_pql_seller;
SELECT subject_id, state FROM pql.claim('zoe');
SELECT failure('SELECT pql._claim(current_user, $$zoe$$, 1, NULL)');
SELECT failure('UPDATE pql.routing SET owner = $$zoe$$');
ROLLBACK;
-- where there are reps, with roles of their own and so much that they take on
BEGIN;
CREATE ROLE regress_pql_lee;
INSERT INTO pql.reps (rep_id, db_role, capacity) VALUES ('lee', 'regress_pql_lee', 2), ('zoe', 'regress_pql_seller', 1), ('max', 'nobody_has_this_role', 1), ('app', NULL, 1);
INSERT INTO pql.rep_load (rep_id, seed, open) VALUES ('lee', 0, 1);
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-02 11:00', 'u', org, 'buy' FROM unnest('{one, two, three}'::text[]) AS org;
-- nobody is chosen: they aren't ready, whatever the time
SELECT pql._ready_routing('2026-03-02 12:30');
SELECT state, owner FROM pql.reassign(row_of('one'), 'zoe', 'knows them');
SELECT failure($$SELECT pql.reassign(row_of('two'), 'zoe', 'knows them')$$);
SELECT failure($$SELECT pql.reassign(row_of('two'), 'nobody', 'knows them')$$);
SELECT pql._ready_routing('2026-03-02 12:30');
GRANT SELECT ON pql.routing TO regress_pql_seller;
GRANT EXECUTE ON FUNCTION pql.reassign TO regress_pql_seller;
SET LOCAL ROLE regress_pql_seller;
SELECT failure(s) FROM unnest(ARRAY[$$SELECT pql.claim('lee')$$, $$SELECT pql.claim('max')$$, $$SELECT pql.claim('nobody')$$, $$SELECT pql.dispose(row_of('ceta'), 'nurture')$$, $$SELECT pql.claim('app')$$]) AS s;
SELECT subject_id, state FROM pql.claim('zoe', 10);
-- nobody's name is put into the history by somebody else
SET LOCAL pql.rep = 'lee';
SELECT failure($$SELECT pql.reassign(row_of('two'), NULL, 'so it says')$$);
RESET pql.rep;
RESET ROLE;
SELECT rep_id, open FROM pql.rep_load ORDER BY rep_id;
-- by whoever has all rights
SELECT state, owner FROM pql.touch(row_of('one'), 'phone');
ROLLBACK;

--
-- Snoozed, and back.
--

SELECT state, owner, snoozed_until, contact_after, contact_by FROM pql.snooze(row_of('acme', 'grow'), '2026-03-05 12:00', 'asked for Thursday');
SELECT state, owner, snoozed_until FROM pql.snooze(row_of('acme', 'grow'), '2026-03-05 12:00', 'asked for Thursday');
SELECT state, snoozed_until FROM pql.snooze(row_of('ceta'), '2026-03-05 13:00', 'out of office');
SELECT failure($$SELECT pql.touch(row_of('ceta'), 'phone')$$);
SELECT subject_id, program, state FROM pql.inbox ORDER BY subject_id, program;
-- its account is free meanwhile
BEGIN;
SELECT state, owner FROM pql.reassign(row_of('acme', 'grow'), NULL, 'urgent');
SELECT ready FROM pql.tick('2026-03-02 11:00');
SELECT subject_id, program, state, owner FROM pql.claim('ann', 1, row_of('acme', 'grow'));
SELECT state, contact_by FROM pql.snooze(row_of('acme'), '2026-04-01', 'after the fair');
SELECT subject_id, program, state, owner FROM pql.claim('ann', 1, row_of('acme', 'grow'));
SELECT state FROM pql.touch(row_of('acme', 'grow'), 'phone');
-- and back, it waits until that is done
SELECT returned FROM pql.tick('2026-04-01');
SELECT owner, state FROM pql.routing WHERE routing_id = row_of('acme');
SELECT count(*) FROM pql.claim('kim', 1, row_of('acme'));
SELECT * FROM wrong;
ROLLBACK;
SELECT state, disposition FROM pql.dispose(row_of('acme'), 'nurture', note => 'next quarter');
SELECT state, snoozed_until FROM pql.snooze(row_of('acme'), '2026-03-05 14:00');
SELECT ready, expired, breached, returned FROM pql.tick('2026-03-05 11:59');
SELECT program, subject_id, state FROM pql.routing WHERE state = 'expired' OR sla_breached_at IS NOT NULL ORDER BY 1, 2;
BEGIN;
SELECT ready, expired, breached, returned FROM pql.tick('2026-03-05 14:00');
SELECT ready, expired, breached, returned FROM pql.tick('2026-03-05 14:00');
SELECT program, subject_id, state, owner, disposition, contact_by, snoozed_until FROM pql.routing WHERE subject_id IN ('acme', 'ceta') AND program <> 'mail' ORDER BY program, subject_id;
SELECT at, from_state, to_state, rep, reason FROM pql.routing_history WHERE routing_id IN (row_of('ceta'), row_of('acme', 'grow'), row_of('acme')) AND reason ~ 'snoozed|place' ORDER BY at, routing_id;
SELECT * FROM wrong;
ROLLBACK;
-- nobody needs it any more when it comes back
BEGIN;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-02 12:00', 'u', 'gone', 'buy');
CALL now_is('2026-03-02 14:00');
SELECT ready > 0 FROM pql.tick();
SELECT state FROM pql.claim('ann', 1, row_of('gone'));
SELECT state FROM pql.snooze(row_of('gone'), '2026-03-21', 'on holiday');
SELECT expired FROM pql.tick('2026-03-15');
SELECT state, left_at < '2026-03-15' FROM pql.routing AS r JOIN pql.episode AS e ON e.episode_id = r.episode WHERE r.routing_id = row_of('gone');
SELECT returned FROM pql.tick('2026-03-21');
SELECT state FROM pql.routing WHERE routing_id = row_of('gone');
ROLLBACK;
-- sooner, by hand
BEGIN;
SELECT state, owner, snoozed_until, contact_after, contact_by FROM pql.reassign(row_of('ceta'), 'ann', 'lee is ill');
SELECT state, owner FROM pql.claim('ann', 1, row_of('ceta'));
SELECT * FROM wrong;
ROLLBACK;

--
-- The promise, and its end.
--

INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 09:00', 'u', org, 'buy' FROM unnest('{s1, s2, s3, s4, s5}'::text[]) AS org;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-10 09:00', 'solo', NULL, 'person');
SELECT ready FROM pql.tick('2026-03-10 10:00');
SELECT owner, subject_id FROM pql.claim('kim', 1, row_of('s2')) UNION ALL SELECT owner, subject_id FROM pql.claim('kim', 1, row_of('s3')) UNION ALL SELECT owner, subject_id FROM pql.claim('kim', 1, row_of('s4'));
SELECT owner, subject_id, account_id FROM pql.claim('kim', 1, row_of('solo', 'person'));
SELECT state FROM pql.accept(row_of('s3'));
SELECT state FROM pql.touch(row_of('s4'), 'phone');
SELECT breached FROM pql.tick('2026-03-11 10:00');
SELECT ready, breached FROM pql.tick('2026-03-11 10:00:01');
SELECT ready, breached FROM pql.tick('2026-03-11 10:00:01');
SELECT subject_id, state, owner, sla_breached_at FROM pql.routing WHERE subject_id IN ('s1', 's2', 's3', 's4', 's5', 'solo') ORDER BY subject_id;
SELECT subject_id, at, from_state, to_state, actor, rep FROM pql.routing_history WHERE reason = 'sla' AND subject_id IN ('s1', 's2', 's3', 's4', 's5', 'solo') ORDER BY subject_id;
SELECT subject_id, state, minutes_left, sla FROM pql.inbox WHERE subject_id IN ('s1', 's2', 's3', 's4') ORDER BY subject_id;
SELECT state, first_touch_at FROM pql.touch(row_of('s3'), 'phone', at => '2026-03-10 09:30');
SELECT subject_id, sla_breached_at, in_time FROM pql.handoffs WHERE subject_id IN ('s3', 's4') ORDER BY subject_id;
-- the score falls, the episode ends, and nobody was in contact: claimed rows are people's
SELECT owner FROM pql.claim('kim', 1, row_of('s5'));
SELECT expired FROM pql.tick('2026-03-12');
SELECT expired FROM pql.tick('2026-03-20');
SELECT expired FROM pql.tick('2026-03-20');
SELECT expired FROM pql.tick('2026-03-20');
SELECT subject_id, program, state FROM pql.routing WHERE qualified_at > '2026-03-05' ORDER BY subject_id;
SELECT count(*), count(*) FILTER (WHERE settled) FROM pql.episode WHERE left_at IS NOT NULL;
-- and expire when they come back to everybody
SELECT state FROM pql.decline(row_of('s5'), 'cold by now');
SELECT expired, ready FROM pql.tick('2026-03-20');
SELECT state FROM pql.routing WHERE routing_id = row_of('s5');
-- of one that expired as its episode ended, the owner is let go
UPDATE pql.routing SET owner = 'kim' WHERE routing_id = row_of('s5');
UPDATE pql.episode AS e SET settled = false FROM pql.routing AS r WHERE r.routing_id = row_of('s5') AND e.episode_id = r.episode;
SELECT expired FROM pql.tick('2026-03-20');
SELECT r.owner, e.settled FROM pql.routing AS r JOIN pql.episode AS e ON e.episode_id = r.episode WHERE r.routing_id = row_of('s5');
SELECT * FROM wrong;

--
-- Merged: the episode goes on for another, and the row stays; an account that is two ids is worked once.
--

INSERT INTO ev (ts, who, org, name) SELECT '2026-04-01 09:00', 'u', org, 'buy' FROM unnest('{m1, m2, m3}'::text[]) AS org;
SELECT ready FROM pql.tick('2026-04-01 10:00');
SELECT pql.merge_accounts('m1', 'm') IS NOT NULL;
SELECT subject_id, left_at IS NULL AS open FROM pql.episode WHERE subject_id IN ('m', 'm1') ORDER BY 1;
SELECT expired FROM pql.tick('2026-04-01 10:00');
SELECT state FROM pql.routing WHERE routing_id = row_of('m1');
SELECT pql.merge_accounts('m2', 'm3') IS NOT NULL;
SELECT subject_id FROM pql.claim('kim', 1, row_of('m2'));
SELECT subject_id FROM pql.claim('lee', 1, row_of('m3'));
SELECT expired FROM pql.tick('2026-04-20');
SELECT subject_id, state FROM pql.routing WHERE subject_id LIKE 'm%' ORDER BY 1;
SELECT * FROM wrong;

--
-- Outcomes, and the stages of a CRM.
--

SELECT pql.record_outcome('beta', 'paid', 1200, '2026-03-20') IS NOT NULL;
SELECT pql.record_outcome('beta', 'paid', 1200, '2026-03-20') = pql.record_outcome('beta', 'paid', at => '2026-03-20');
SELECT pql.record_outcome('ada', 'churned', unit => 'user') IS NOT NULL;
SELECT unit, subject_id, outcome, value, at FROM pql.outcome ORDER BY subject_id;
SELECT failure('SELECT pql.record_outcome(' || s || ')') FROM unnest(ARRAY['NULL, $$paid$$', '$$$$, $$paid$$', '$$a$$, NULL', '$$a$$, $$Paid!$$', '$$a$$, $$paid$$, 1, $$infinity$$',
  '$$a$$, $$paid$$, unit => $$team$$', '$$a$$, $$paid$$, unit => NULL']) AS s;
SELECT stage, since, until FROM pql.lifecycle_history WHERE subject_id = 'beta' ORDER BY since;
SELECT subject_id, stage, since, until FROM pql.lifecycle_history WHERE subject_id IN ('acme', 's2', 's4') ORDER BY subject_id, since;
SELECT unit, subject_id, stage, since FROM pql.lifecycle ORDER BY 1, 2;
SELECT subject_id FROM pql.lifecycle_history WHERE until IS NULL GROUP BY unit, subject_id HAVING count(*) <> 1;

SELECT * FROM pql.verify();
DROP ROLE IF EXISTS regress_pql_lee;
DROP OWNED BY regress_pql_seller;
DROP ROLE regress_pql_seller;
DROP TABLE ev, call;
DROP EXTENSION pql CASCADE;
DROP FUNCTION tried, failure, program;
DROP PROCEDURE now_is, reach;
