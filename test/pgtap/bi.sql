-- Views for BI tools: flat, with a comment on each column, with the reader's rights, true on an empty database and of what there is.
-- covers: S1-46
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SELECT * FROM no_plan();

CREATE TEMP VIEW bi_column AS
  SELECT c.relname, a.attname, a.attnum, t.typtype, t.typname, t.typcategory, a.attcollation, col_description(c.oid, a.attnum) AS comment
  FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 JOIN pg_type AS t ON t.oid = a.atttypid
  WHERE c.relnamespace = 'pql'::regnamespace AND c.relname ~ '^bi_';
SELECT is(count(DISTINCT relname), 15::bigint, 'there are fifteen') FROM bi_column;
SELECT is_empty('SELECT relname, attname, typname FROM bi_column WHERE typname ~ ''^_?jsonb?$'' OR typcategory IN (''A'', ''C'', ''R'') OR typtype NOT IN (''b'')',
  'no column is JSON, an array, a composite or a range');
SELECT bag_eq('SELECT DISTINCT typname::text FROM bi_column', ARRAY['text', 'int4', 'int8', 'float8', 'numeric', 'bool', 'date', 'timestamptz'], 'they are of types that every tool knows');
SELECT is_empty('SELECT relname, attname FROM bi_column WHERE typname = ''text'' AND attcollation = 0', 'every text can be sorted');
SELECT is_empty('SELECT relname, attname FROM bi_column WHERE coalesce(comment, '''') = ''''', 'every column has a comment');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relnamespace = 'pql'::regnamespace AND relname ~ '^bi_' AND NOT 'security_invoker=true' = ANY (reloptions)$$, 'readers see what they may');

-- Empty ones are empty, and no error.
CREATE FUNCTION pg_temp.rows_of(relation text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM (SELECT x::text FROM pql.%I AS x) AS y', relation) INTO n;
  RETURN n;
END $$;
SELECT is(pg_temp.rows_of(relname), 0::bigint, relname || ' is empty where nothing is') FROM (SELECT DISTINCT relname FROM bi_column) AS v ORDER BY relname;

-- Four accounts: one is worked and buys, one waits beyond its promise, one is held out, one isn't for people.
INSERT INTO pql.reps (rep_id, team, capacity, weekly_capacity) VALUES ('ann', 'sales', 5, 1), ('bo', 'sales', 5, 1);
CREATE TABLE public.event (id bigint PRIMARY KEY, at timestamptz NOT NULL, who text, org text, name text);
SELECT pql.attach('event', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event') \g /dev/null
UPDATE pql.source SET max_event_age = '10000 days';
SELECT pql.publish('{"program": "p", "unit": "account", "milestones": {"used_it": {"event": "use"}},
  "signals": {"usage": {"kind": "depth", "event": "use", "half_life": "7 days", "saturates_at": 2, "max_points": 60}, "more": {"kind": "intent", "event": "ask", "half_life": "7 days", "max_points": 40}},
  "qualify": {"enter": 25, "leave": 5}, "outcome": {"horizon": "30 days"},
  "motions": [{"when": "signal.more > 0", "motion": "in_app", "by": "1 day"}, {"otherwise": true, "motion": "account_executive", "after": "0", "by": "4 hours"}]}') \g /dev/null
SELECT pql.promote('p') \g /dev/null
INSERT INTO event SELECT n, timestamptz '2026-01-05 09:00Z' + n * interval '1 minute', 'ada', org, name
FROM (VALUES (1, 'acme', 'use'), (2, 'bolt', 'use'), (4, 'dyne', 'ask')) AS e(n, org, name);
SELECT pql.tick('2026-01-05 09:10Z') \g /dev/null
SELECT owner AS rep FROM pql.routing WHERE subject_id = 'acme' \gset
SELECT routing_id AS acme FROM pql.routing WHERE subject_id = 'acme' \gset
INSERT INTO event VALUES (9, '2026-01-07 09:00Z', 'clock', 'clock', 'seen');
SELECT pql.claim(:'rep', 1, :acme) \g /dev/null
SELECT pql.touch(:acme, 'phone', 'asked for a demo', '2026-01-05 11:01Z') \g /dev/null
SELECT pql.touch(:acme, 'meeting', NULL, '2026-01-06 11:01Z') \g /dev/null
SELECT pql.dispose(:acme, 'meeting_set', true) \g /dev/null
SELECT pql.record_outcome('acme', 'paid', 1200, '2026-01-20 09:00Z') \g /dev/null

SELECT results_eq('SELECT subject_id, motion, for_people, held_out, promise, round(hours_to_first_touch::numeric, 1), worked, converted, final, value FROM pql.bi_handoffs ORDER BY 1',
  $$VALUES ('acme', 'account_executive', true, false, 'kept', 2.0, true, true, true, 1200::numeric), ('bolt', 'account_executive', true, false, 'broken', NULL, false, false, true, NULL),
    ('dyne', 'in_app', false, false, 'broken', NULL, false, false, true, NULL)$$, 'bi_handoffs has a line for each');
SELECT results_eq('SELECT place, step, sum(handoffs)::int FROM pql.bi_funnel GROUP BY 1, 2 ORDER BY 1',
  $$VALUES (1, 'qualified', 3), (2, 'offered to a rep', 2), (3, 'accepted', 1), (4, 'contacted', 1), (5, 'meeting', 1), (6, 'converted after contact', 1)$$, 'bi_funnel has the steps');
SELECT results_eq('SELECT sum(handoffs)::int, sum(touched)::int, round(max(median_hours)::numeric, 1), sum(within_4_hours)::int, sum(waiting)::int FROM pql.bi_first_touch', 'VALUES (2, 1, 2.0, 1, 1)',
  'bi_first_touch has those that were offered');
SELECT results_eq('SELECT delay, place, handoffs::int, converted::int FROM pql.bi_delays ORDER BY place', $$VALUES ('within 4 hours', 2, 1, 1), ('never', 7, 2, 0)$$, 'bi_delays has places that mean the same everywhere');
SELECT results_eq('SELECT sum(promises)::int, sum(kept)::int, sum(broken)::int, sum(open)::int FROM pql.bi_sla', 'VALUES (3, 1, 2, 0)', 'bi_sla has the promises');
SELECT results_eq('SELECT team, week, handoffs::int, touched::int, waiting::int, reps::int, weekly_capacity::int, used FROM pql.bi_capacity', $$VALUES ('sales', date '2026-01-05', 2, 1, 1, 2, 2, 1::float8)$$, 'bi_capacity has what came and what can be taken');
SELECT results_eq('SELECT signal, handoffs::int, verdict FROM pql.bi_signals ORDER BY 1', $$VALUES ('more', 1, 'too few'), ('usage', 2, 'too few')$$, 'bi_signals has verdicts');
SELECT results_eq('SELECT motion, handoffs::int, held_out::int FROM pql.bi_motions ORDER BY 1', $$VALUES ('account_executive', 2, 0), ('in_app', 1, 0)$$, 'bi_motions has the arms');
SELECT results_eq('SELECT sum(handoffs)::int, sum(converted)::int FROM pql.bi_reps', 'VALUES (2, 1)', 'bi_reps has what they made of it');
SELECT results_eq('SELECT subject_id, routing_id = (SELECT x.routing_id FROM pql.routing AS x WHERE x.subject_id = a.subject_id), stage FROM pql.bi_accounts AS a ORDER BY 1',
  $$VALUES ('acme', true, 'meeting'), ('bolt', true, 'qualified'), ('dyne', true, 'qualified')$$, 'bi_accounts has the newest hand-offs and the stages');
SELECT results_eq($$SELECT kind, what, detail FROM pql.bi_timeline WHERE subject_id = 'acme' AND kind IN ('milestone', 'contact', 'answer', 'outcome') ORDER BY at, kind$$,
  $$VALUES ('milestone', 'used it', NULL), ('contact', 'phone', 'asked for a demo'), ('contact', 'meeting', NULL), ('answer', 'meeting set', NULL), ('outcome', 'paid', '1200')$$, 'bi_timeline has what happened');
SELECT is((SELECT s.story FROM pql.bi_stories AS s WHERE s.routing_id = :acme), pql.story(:acme), 'bi_stories has what the rep reads');

SELECT * FROM finish();
ROLLBACK;
