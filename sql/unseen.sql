-- Whom only attributes or a flag tell of: they are decided upon as those are who have events, and cost nothing unless they enter.
-- covers: S2-4, S2-13, S2-21, S3-11
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE account (id text PRIMARY KEY, plan text, employees int, credits float8, rolls_off date);
CREATE TABLE person (id text PRIMARY KEY, title text);
CREATE TABLE event (id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text, org text, name text);
INSERT INTO account SELECT 'plain ' || n, 'free', n FROM generate_series(1, 500) AS n;
INSERT INTO account VALUES ('big', 'scale', 900, 0), ('small', 'scale', 10, 0), ('credit', 'startup', 20, 6000);
SELECT count(*) FROM pql.attach_accounts('account', 'id');
SELECT count(*) FROM pql.attach_users('person', 'id');
SELECT count(*) > 0 FROM pql.attach('event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id');

-- Requirements' acceptance rules 2 and 4: a high score of fit, and another plan; rule 10: anybody may flag an account.
SELECT pql.publish('{"program": "fit", "unit": "account", "segment": "attr.plan is distinct from ''closed''",
  "signals": {"icp": {"kind": "fit", "value": "case when attr.employees > 600 then 50 when attr.employees > 400 then 5 end", "saturates_at": 50, "max_points": 50},
              "scale": {"kind": "intent", "value": "case when attr.plan = ''scale'' then 40 end", "max_points": 40},
              "use": {"kind": "depth", "event": "use", "points_each": 20, "half_life": "7 days", "max_points": 40},
              "referral": {"kind": "intent", "flag": true, "max_points": 90}},
  "qualify": {"enter": 80, "leave": 50},
  "motions": [{"when": "attr.employees > 1000", "motion": "enterprise"}, {"otherwise": true, "motion": "account_executive"}]}');

-- Whoever is above the threshold already stands, though nothing ever happened.
SELECT pql.promote('fit', standing => 'all');
SELECT subject_id, score, qualification, motion, state, account_id, user_id, signal_at = qualified_at, headline FROM pql.routing;
SELECT jsonb_pretty(reasons) FROM pql.routing;
SELECT context FROM pql.routing \gset
SELECT jsonb_object_keys(:'context'::jsonb) ORDER BY 1;
SELECT subject_id, score, kinds, qualified FROM pql.scoreboard('fit') WHERE score >= 40 ORDER BY score DESC, subject_id;
SELECT count(*), min(score) FROM pql.scoreboard('fit');
SELECT pql.score('fit', 'big'), pql.score('fit', 'small'), pql.score('fit', 'plain 1'), pql.score('fit', 'nobody');
SELECT signal, points, value, evidence FROM pql.explain('fit', 'big');
SELECT state, score, missing FROM pql.qualification('fit', 'small');
-- Of 503 accounts one has a row: whoever enters nothing needs none.
SELECT home FROM pql.state ORDER BY 1 LIMIT 10;
SELECT count(*) FROM pql.subjects;

-- Attributes change.
UPDATE account SET employees = 700 WHERE id = 'small';
UPDATE account SET employees = employees + 1;
SELECT subject_id, score, number FROM pql.episode JOIN pql.program USING (program, version) ORDER BY entered_at, subject_id;
SELECT home FROM pql.state ORDER BY 1 LIMIT 10;
UPDATE account SET employees = 1500 WHERE id = 'small';
SELECT subject_id, motion, state FROM pql.routing ORDER BY 1;
UPDATE account SET plan = 'closed' WHERE id = 'small';
SELECT subject_id, left_at IS NOT NULL FROM pql.episode ORDER BY 1;
SELECT subject_id, state FROM pql.routing ORDER BY 1;
UPDATE account SET plan = 'scale' WHERE id = 'small';
SELECT subject_id, qualification, state FROM pql.routing ORDER BY routing_id;

-- By a flag.
SELECT pql.flag_subject('fit', 'plain 7', 'referral', 'met at a fair', 'dee') > 0;
SELECT pql.flag_subject('fit', 'unheard of', 'referral', 'a friend of the founder', 'dee') AS flag \gset
SELECT subject_id, score, state FROM pql.routing WHERE subject_id IN ('plain 7', 'unheard of') ORDER BY 1;
SELECT points, evidence->>'author' FROM pql.explain('fit', 'unheard of') WHERE signal = 'referral';
SELECT pql.score('fit', 'unheard of'), (SELECT qualified FROM pql.scoreboard('fit') WHERE subject_id = 'unheard of');
SELECT pql.lift_flag(:flag);
SELECT subject_id, state FROM pql.routing WHERE subject_id = 'unheard of';
SELECT pql.score('fit', 'unheard of'), (SELECT count(*) FROM pql.scoreboard('fit') WHERE subject_id = 'unheard of');

-- Then something happens: it is the same account, and the same episode.
INSERT INTO event VALUES (1, now(), 'ada', 'big', 'use'), (2, now(), 'eve', 'plain 450', 'use'), (3, now(), 'eve', 'plain 450', 'use');
SELECT e.subject_id, e.score, b.score FROM pql.episode AS e JOIN pql.scoreboard('fit') AS b USING (subject_id) WHERE subject_id IN ('big', 'plain 450');
UPDATE account SET plan = 'scale' WHERE id = 'plain 450';
SELECT subject_id, score FROM pql.routing WHERE subject_id = 'plain 450';
SELECT count(*) FROM pql.verify();
SELECT pql.state_digest() AS before \gset
SELECT count(*) AS open, string_agg(subject_id, ', ' ORDER BY subject_id) FROM pql.episode WHERE left_at IS NULL;
CALL pql.rebuild();
SELECT pql.state_digest() = :'before', count(*) FROM pql.verify();
SELECT count(*) AS open, string_agg(subject_id, ', ' ORDER BY subject_id) FROM pql.episode WHERE left_at IS NULL;
DELETE FROM event;
SELECT e.subject_id, b.score, b.qualified FROM pql.episode AS e JOIN pql.scoreboard('fit') AS b USING (subject_id) WHERE subject_id = 'big';
SELECT count(*) FROM pql.verify();

-- What becomes of it in a savepoint that is rolled back.
BEGIN;
SAVEPOINT a;
UPDATE account SET plan = 'scale', employees = 5000 WHERE id = 'plain 9';
SELECT subject_id, motion FROM pql.routing WHERE subject_id = 'plain 9';
ROLLBACK TO a;
SELECT pql.score('fit', 'plain 9'), (SELECT count(*) FROM pql.routing WHERE subject_id = 'plain 9');
COMMIT;
SELECT count(*) FROM pql.state WHERE home = 'a:plain 9';

-- Trials: what another threshold would do, kept or replayed.
CREATE FUNCTION trial(enter int) RETURNS jsonb LANGUAGE sql AS
  $$SELECT jsonb_set(document, '{qualify}', jsonb_build_object('enter', enter, 'leave', 40)) FROM pql.program WHERE program = 'fit' AND status = 'live'$$;
SELECT change, subject_id, score_before, score_after, subjects FROM pql.preview(trial(60)) ORDER BY 1, 2;
SELECT change, subject_id, score_before, score_after, subjects FROM pql.preview(trial(44)) ORDER BY 1, 2;
SELECT count(*) FROM (SELECT * FROM pql.preview(trial(44)) EXCEPT SELECT * FROM pql.preview(trial(44), replay => true)) AS x;
SELECT * FROM pql._judge(trial(60), '{small, plain 1, nobody}');
SELECT at = statement_timestamp(), score FROM pql.score_history('fit', 'small', statement_timestamp(), statement_timestamp(), '1 day');

-- An account that is merged into another isn't one any more, whatever is said of it.
SELECT pql.merge_accounts('small', 'plain 3') AS merge \gset
SELECT subject_id, left_at IS NULL FROM pql.episode WHERE subject_id IN ('small', 'plain 3') ORDER BY entered_at;
UPDATE account SET employees = 2000 WHERE id = 'small';
SELECT count(*) FROM pql.episode WHERE subject_id = 'small' AND left_at IS NULL;
SELECT count(*) FROM pql.scoreboard('fit') WHERE subject_id = 'small';
SELECT pql.undo_merge(:merge);
SELECT count(*) FROM pql.verify();

-- Rule 6: time alone brings them in.
UPDATE account SET rolls_off = current_date + 200 WHERE id = 'credit';
SELECT pql.publish('{"program": "credits", "unit": "account",
  "signals": {"ends": {"kind": "intent", "value": "case when attr.rolls_off - (as_of at time zone ''UTC'')::date < 150 then 50 end", "max_points": 50},
              "used": {"kind": "fit", "value": "case when attr.credits > 5000 then 50 end", "max_points": 50}},
  "qualify": {"enter": 90, "leave": 60, "required_kinds": ["fit"]}}') > 0;
SELECT pql.promote('credits');
SELECT * FROM pql.refresh_attributes('account');
SELECT subjects_reviewed FROM pql.tick();
SELECT subject_id, score FROM pql.triage('credits');
UPDATE pql.attribute SET body = body || jsonb_build_object('rolls_off', current_date + 120) WHERE home = 'a:credit'; -- as if 80 days had passed
UPDATE pql.evaluation SET evaluated_at = evaluated_at - interval '1 day';
SELECT subjects_reviewed FROM pql.tick();
SELECT subject_id, score FROM pql.routing WHERE program = 'credits';

-- Who looks for his kinds.
SELECT pql.publish('{"program": "looked_at", "unit": "account",
  "signals": {"icp": {"kind": "fit", "value": "attr.employees", "saturates_at": 400, "max_points": 50}, "use": {"kind": "depth", "event": "use", "points_each": 20, "half_life": "7 days", "max_points": 40}},
  "qualify": {"enter": 50, "leave": 50, "required_kinds": ["depth"]}}') > 0;
SELECT count(*), min(missing::text) FROM pql.triage('looked_at');

-- People.
INSERT INTO person VALUES ('ann', 'CTO'), ('bob', 'clerk');
SELECT pql.publish('{"program": "titles", "unit": "user",
  "signals": {"title": {"kind": "fit", "value": "case when attr.title = ''CTO'' then 50 end", "max_points": 50}},
  "qualify": {"enter": 50, "leave": 50}}') > 0;
SELECT pql.promote('titles', standing => 'all');
SELECT subject_id, user_id, account_id, score FROM pql.routing WHERE program = 'titles';
UPDATE person SET title = 'CTO' WHERE id = 'bob';
UPDATE person SET title = 'retired' WHERE id = 'ann';
SELECT subject_id, state FROM pql.routing WHERE program = 'titles' ORDER BY 1;
SELECT subject_id, score, qualified FROM pql.scoreboard('titles');
SELECT pql.merge_users('bob', 'cat') > 0;
SELECT subject_id, state FROM pql.routing WHERE program = 'titles' ORDER BY 1;
SELECT count(*) FROM pql.verify();

-- Without the relation nothing is known of them.
SELECT pql.detach_accounts();
SELECT subject_id FROM pql.episode WHERE left_at IS NULL ORDER BY 1;
SELECT count(*) FROM pql.scoreboard('fit');
DROP TABLE event, account, person CASCADE;
DROP FUNCTION trial;
