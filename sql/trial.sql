-- Programs tried on the events that there are: preview, backtest, the history of a score, examples, readiness, the audit of signals.
-- covers: S1-35, S1-44, S2-7, S2-8, S2-9, S2-15, S2-16, S2-23, S2-31
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz, who text, org text, name text, props jsonb);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props', clock => 'event');
\set team '{"program": "team", "unit": "account", "milestones": {"start": {"event": "start"}, "done": {"event": "done", "where": "(props->>''n'')::int > 10"}}, "activation": {"steps": ["start", "done"], "within": "7 days"}, "signals": {"activated": {"kind": "activation", "milestone": "activation_complete", "max_points": 20, "why": "all set up"}, "work": {"kind": "depth", "event": "work", "half_life": "3 days", "saturates_at": 4, "max_points": 50}, "pay": {"kind": "intent", "event": "pay", "measure": "sum", "of": "(props->>''n'')::float8 - 20", "half_life": "2 days", "half_saturation": 60, "max_points": 30}}, "qualify": {"enter": 60, "leave": 45}, "motions": [{"otherwise": true, "motion": "email"}]}'
\set solo '{"program": "solo", "unit": "user", "milestones": {"started": {"event": "start"}}, "signals": {"began": {"kind": "activation", "milestone": "started", "max_points": 20}, "work": {"kind": "depth", "event": "work", "half_life": "5 days", "half_saturation": 2, "max_points": 60}, "pay": {"kind": "intent", "event": "pay", "where": "(props->>''n'')::int > 60", "half_life": "12 hours", "max_points": 20}}, "qualify": {"enter": 45, "leave": 30}}'
SELECT pql.publish(:'team'), pql.publish(:'solo');
SELECT pql.promote('team'), pql.promote('solo');

--
-- A replay decides as the trigger does
--

-- Some come at one instant. Most people are in an account.
CREATE TABLE stream AS
  SELECT g AS id, timestamptz '2026-01-01' + (hashint4(g / 3) & 262143) * interval '1 minute' AS ts, 'u' || (hashint4(g + 1) & 63) AS who,
         CASE WHEN hashint4(g + 1) & 7 <> 0 THEN 'a' || (hashint4(g + 1) & 15) END AS org,
         (ARRAY['start', 'done', 'work', 'work', 'pay', 'idle'])[1 + (hashint4(g + 2) & 1023) % 6] AS name,
         jsonb_build_object('n', hashint4(g + 3) & 127) AS props
  FROM generate_series(1, 4000) AS g;
DO $$
DECLARE
  r record;
BEGIN
  FOR r IN SELECT * FROM stream ORDER BY ts, id LOOP
    INSERT INTO ev VALUES (r.id, r.ts, r.who, r.org, r.name, r.props);
  END LOOP;
END $$;
SELECT episodes_reviewed > 0 FROM pql.tick();
CREATE VIEW written AS SELECT program, subject_id, entered_at, left_at, score FROM pql.episode;
CREATE VIEW replayed AS
  SELECT p.program, e.subject_id, e.entered_at, e.left_at, e.score
  FROM pql.program AS p, LATERAL pql.backtest_episodes(p.document, '2025-01-01', '2027-01-01') AS e;
SELECT program, count(*) > 50 AS many, count(left_at) < count(*) AS some_open FROM written GROUP BY program ORDER BY program;
SELECT 'not written', r.* FROM (SELECT * FROM replayed EXCEPT SELECT * FROM written) AS r;
SELECT 'not replayed', w.* FROM (SELECT * FROM written EXCEPT SELECT * FROM replayed) AS w;
-- nor does it matter in how many parts it is done, or whether there is room for it in memory
CREATE TABLE whole AS SELECT * FROM pql.backtest_episodes(:'solo', '2026-02-01', '2026-05-01', compare => true);
SELECT count(*) > 50, count(*) FILTER (WHERE in_force) * 2 = count(*), min(entered_at) < '2026-02-01', max(entered_at) < '2026-05-01' FROM whole;
SET work_mem = '64kB';
SELECT count(*) FROM (SELECT e.* FROM generate_series(0, 2) AS n, LATERAL pql.backtest_episodes(:'solo', '2026-02-01', '2026-05-01', true, n, 3) AS e
                      EXCEPT ALL SELECT * FROM whole) AS x;
SELECT count(*) FROM (SELECT * FROM whole EXCEPT ALL
                      SELECT e.* FROM generate_series(0, 2) AS n, LATERAL pql.backtest_episodes(:'solo', '2026-02-01', '2026-05-01', true, n, 3) AS e) AS x;
SET temp_file_limit = '1kB';
\set VERBOSITY sqlstate
SELECT count(*) FROM pql.backtest_episodes(:'solo', '2026-02-01', '2026-05-01');
\set VERBOSITY default
RESET temp_file_limit;
SELECT count(*) = (SELECT count(*) FROM whole WHERE NOT in_force) FROM pql.backtest_episodes(:'solo', '2026-02-01', '2026-05-01');
RESET work_mem;

--
-- The history of a score
--

SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-11', '2 days');
SELECT count(*) AS steps, count(DISTINCT h.score) > 15 AS changing, count(*) FILTER (WHERE h.score <> pql.score('team', s.id, h.at)) AS wrong
FROM (VALUES ('a3'), ('a9'), ('nobody')) AS s(id), LATERAL pql.score_history('team', s.id, '2025-12-25', '2026-08-01', '97 hours') AS h;
SELECT count(*) AS steps, count(DISTINCT h.score) > 15 AS changing, count(*) FILTER (WHERE h.score <> pql.score('solo', s.id, h.at)) AS wrong
FROM (VALUES ('u1'), ('u8'), ('u63')) AS s(id), LATERAL pql.score_history('solo', s.id, '2025-12-25', '2026-08-01', '101 hours') AS h;
SELECT count(*), bool_and((h.kinds->>'depth')::int + (h.kinds->>'intent')::int + (h.kinds->>'activation')::int = h.score)
FROM pql.score_history('solo', 'u1', '2026-01-01', '2026-01-02', '9 s') AS h;
-- to the instant, and not beyond
SELECT h.at, h.score FROM pql.score_history('team', 'a3', '2026-03-01', '2026-03-01', '1 s') AS h;
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '0');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '-1 hour');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '1 month');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '290000 years');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '2147483647 days 9223372036854775807 microseconds');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-01 02:46:40', '1 s');
SELECT count(*) FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-01 02:46:39', '1 s');
SELECT * FROM pql.score_history('team', 'a3', '-infinity', 'infinity', '1 day');
SELECT * FROM pql.score_history('team', 'a3', '4713-01-01 BC', '294276-01-01', '1 us');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-02', '2026-01-01', '1 day');
SELECT * FROM pql.score_history('team', 'a3', NULL, '2026-01-01', '1 day');
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', NULL);
SELECT * FROM pql.score_history('none', 'a3', '2026-01-01', '2026-01-02', '1 day');
SELECT count(*) FROM pql.score_history(NULL, 'a3', '2026-01-01', '2026-01-02', '1 day');

--
-- What a document would change
--

SELECT pql.state_digest() AS digest, (SELECT count(*) FROM pql.tracker) AS trackers, (SELECT count(*) FROM pql.episode) AS episodes \gset
\set other '{"program": "team", "unit": "account", "signals": {"work": {"kind": "depth", "event": "work", "half_life": "9 days", "saturates_at": 8, "max_points": 50}, "idle": {"kind": "breadth", "event": "idle", "where": "(props->>''n'')::int > 30", "half_life": "10 days", "saturates_at": 3, "max_points": 40}}, "qualify": {"enter": 60, "leave": 55}}'
SELECT * FROM pql.preview(:'team');
SELECT count(*) AS stand FROM pql.scoreboard('team') WHERE qualified;
SELECT change, count(*), sum(subjects) FROM pql.preview(:'other', '2026-04-01') GROUP BY change ORDER BY change;
SELECT change, subject_id, score_before, score_after, jsonb_path_query_array(reasons, '$[*].signal') FROM pql.preview(:'other', '2026-04-01')
WHERE change = 'leaves' ORDER BY subject_id LIMIT 3;
SELECT pql.preview_summary(:'other', '2026-04-01'), pql.preview_summary(:'other'), pql.preview_summary(:'team');
-- what is there before is what scoreboard says
SELECT count(*) AS wrong FROM pql.preview(:'other', '2026-04-01') AS p JOIN pql.scoreboard('team', '2026-04-01') AS b USING (subject_id)
WHERE p.score_before <> b.score OR (p.change = 'leaves') <> b.qualified;
-- a new program, and one of another unit, have nobody before
-- what is kept says what a replay says, of other thresholds and points
CREATE VIEW changed AS
  SELECT p.program, x.enter, x.as_of, x.factor, jsonb_set(p.document || jsonb_build_object('qualify', (p.document->'qualify') || jsonb_build_object('enter', x.enter, 'leave', x.enter / 2)),
    '{signals}', (SELECT jsonb_object_agg(s.key, s.value || jsonb_build_object('max_points', round((s.value->>'max_points')::int * x.factor))) FROM jsonb_each(p.document->'signals') AS s)) AS document
  FROM pql.program AS p,
    (VALUES (20, NULL::timestamptz, 1), (60, NULL, 1), (35, '2026-04-01', 1.4), (50, '2026-03-05 12:34', 0.8), (10, '2027-01-01', 1)) AS x(enter, as_of, factor)
  WHERE p.status IN ('shadow', 'live');
SELECT c.program, c.enter, sum(k.subjects) > 3 AS some,
       (SELECT count(*) FROM (SELECT * FROM pql.preview(c.document, c.as_of) EXCEPT ALL SELECT * FROM pql.preview(c.document, c.as_of, replay => true)) AS d) AS only_kept,
       (SELECT count(*) FROM (SELECT * FROM pql.preview(c.document, c.as_of, replay => true) EXCEPT ALL SELECT * FROM pql.preview(c.document, c.as_of)) AS d) AS only_replayed
FROM changed AS c, LATERAL pql.preview(c.document, c.as_of) AS k GROUP BY c.program, c.enter, c.document, c.as_of ORDER BY 1, 2;
SELECT change, min(score_before), count(*) FROM pql.preview(:'other'::jsonb || '{"program": "new"}') GROUP BY change ORDER BY change;
SELECT change, min(score_before), count(*) > 5 FROM pql.preview(:'solo'::jsonb || '{"program": "team"}') GROUP BY change ORDER BY change;
SELECT * FROM pql.preview('{"program": "team"}');
SELECT * FROM pql.preview(jsonb_set(:'solo', '{signals,pay,where}', '"props->>''n''"'));
SELECT * FROM pql.preview(NULL);
SELECT pql.preview_summary(NULL);
SELECT * FROM pql.preview(:'solo', 'infinity');
-- nothing was written
SELECT pql.state_digest() = :'digest', (SELECT count(*) FROM pql.tracker) = :trackers, (SELECT count(*) FROM pql.episode) = :episodes;

--
-- What a document would have led to
--

CREATE TABLE deal (subject_id text, at timestamptz);
INSERT INTO deal SELECT 'u' || g % 64, timestamptz '2026-01-10' + g * interval '31 hours' FROM generate_series(1, 60) AS g;
SELECT * FROM pql.backtest(:'solo', '2026-02-02', '2026-03-02');
SELECT week, qualified, subjects, with_live, converted, round("precision"::numeric, 3), settled, median_lead, over_capacity, score_at_capacity
FROM pql.backtest(jsonb_set(:'solo', '{qualify}', '{"enter": 60, "leave": 30}'), '2026-02-02', '2026-03-01', 'deal', 4);
SELECT sum(b.qualified) = (SELECT count(*) FROM written WHERE program = 'solo' AND entered_at >= '2026-02-02' AND entered_at < '2026-06-01')
FROM pql.backtest(:'solo', '2026-02-02', '2026-06-01') AS b;
SELECT with_live FROM pql.backtest(:'solo'::jsonb || '{"program": "new"}', '2026-02-02', '2026-02-09');
SELECT * FROM pql.backtest(:'solo', '2026-02-02', '2026-02-02');
SELECT * FROM pql.backtest(:'solo', '2026-02-02', '2026-02-01');
SELECT * FROM pql.backtest(:'solo', '2026-02-02', 'infinity');
SELECT * FROM pql.backtest(:'solo', '2026-02-02', NULL);
SELECT * FROM pql.backtest(:'solo', '2026-02-02', '2026-03-02', capacity => 0);
SELECT * FROM pql.backtest(:'solo', '2026-02-02', '2026-03-02', 'stream');
SELECT * FROM pql.backtest('{}', '2026-02-02', '2026-03-02');
SELECT * FROM pql.backtest(NULL, '2026-02-02', '2026-03-02');
SELECT * FROM pql.backtest_episodes(:'solo', '2026-02-02', '2026-03-02', part => 2, parts => 2);

--
-- Examples
--

SELECT * FROM pql._check_examples(:'team'::jsonb || '{"examples": [{"subject": "a3", "expect": "email"}, {"subject": "a9", "expect": "qualified"},
  {"subject": "a1", "expect": "not_qualified"}, {"subject": "a1", "expect": "email"}, {"subject": "nobody", "expect": "not_qualified"}]}');
SELECT subject_id, score >= 60 AS qualified FROM pql.scoreboard('team') WHERE subject_id IN ('a1', 'a3', 'a9') ORDER BY 1;
SELECT count(*) FROM pql._check_examples(:'team');
SELECT count(*) FROM pql._check_examples(:'team'::jsonb || '{"examples": []}');

--
-- Readiness and the audit
--

SELECT * FROM pql.readiness();
SELECT item, pass, found, hint FROM pql.readiness('team') WHERE item IN ('unit', 'activation', 'activation reached', 'selective', 'active subjects');
SELECT item, pass, found, hint FROM pql.readiness('solo') WHERE item IN ('unit', 'activation', 'activation reached', 'selective', 'users mapped to accounts');
SELECT * FROM pql.readiness('none');
SELECT signal, kind, events, subjects, coverage, overlaps_with, overlap, lift, one_off FROM pql.audit_signals('solo');
SELECT signal, subjects, round(coverage::numeric, 3), lift, note FROM pql.audit_signals('solo', 'deal');
SELECT s.signal, s.events = (SELECT count(*) FROM ev WHERE name = 'work' AND org IS NOT NULL) FROM pql.audit_signals('team') AS s WHERE s.signal = 'work';
SELECT * FROM pql.audit_signals('none');

--
-- Rights
--

CREATE ROLE regress_trial_reader;
SET ROLE regress_trial_reader;
SELECT * FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '1 day');
SELECT * FROM pql.preview('{}');
SELECT * FROM pql.backtest('{}', '2026-01-01', '2026-01-02');
SELECT * FROM pql.readiness();
SELECT * FROM pql.audit_signals('team');
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA pql TO regress_trial_reader;
SET ROLE regress_trial_reader;
SELECT count(*) FROM pql.score_history('team', 'a3', '2026-01-01', '2026-01-02', '1 day');
SELECT count(*) FROM pql.readiness('team');
SELECT count(*) FROM pql.audit_signals('team');
SELECT count(*) FROM pql.audit_signals('team', 'deal');
SELECT * FROM pql._judge('{}', '{}');
RESET ROLE;
DROP OWNED BY regress_trial_reader;
DROP ROLE regress_trial_reader;

--
-- A version that is published then says what its preview said
--

CREATE TABLE said AS SELECT * FROM pql.preview(:'other');
SELECT count(*) FROM said;
SELECT pql.publish(:'other');
CALL pql.backfill();
SELECT count(*) AS wrong FROM said WHERE change <> 'stays' AND score_after <> pql.score('team', subject_id);

--
-- Sealed and stated
--

SELECT pql.upsert_user_milestone('u7', 'started', '2026-01-01');
SELECT pql.upsert_user_milestone('u777', 'started', '2026-02-01');
SELECT pql.retain('ev', '2026-04-01') > 0;
DELETE FROM ev WHERE ts < '2026-04-01';
SELECT h.at, h.score, h.score = pql.score('solo', 'u777', h.at) FROM pql.score_history('solo', 'u777', '2026-04-01', '2026-04-02', '1 day') AS h;
SELECT count(*) AS steps, count(*) FILTER (WHERE h.score <> pql.score('solo', s.id, h.at)) AS wrong
FROM (VALUES ('u7'), ('u8'), ('u63')) AS s(id), LATERAL pql.score_history('solo', s.id, '2026-04-01', '2026-08-01', '101 hours') AS h;
SELECT count(*) AS steps, count(*) FILTER (WHERE h.score <> pql.score('team', s.id, h.at)) AS wrong
FROM (VALUES ('a7'), ('a9')) AS s(id), LATERAL pql.score_history('team', s.id, '2026-04-01', '2026-08-01', '101 hours') AS h;
SELECT * FROM pql.score_history('solo', 'u7', '2026-03-31', '2026-04-02', '1 day');
SELECT * FROM pql.backtest(:'solo', '2026-03-31', '2026-04-20');
SELECT sum(qualified) > 0 FROM pql.backtest(:'solo', '2026-04-01', '2026-06-20');
SELECT pql.preview_summary(:'solo');
SELECT count(*) AS stand FROM pql.scoreboard('solo') WHERE qualified;

--
-- Repeated events count once, and those of the future when they are due
--

SELECT pql.detach('ev');
CREATE TABLE ev2 (id bigint, ts timestamptz, who text, org text, name text, props jsonb);
CREATE INDEX ON ev2 (who, ts);
CREATE INDEX ON ev2 (org, ts);
SELECT count(*) FROM pql.attach('ev2', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
                                properties => 'props', dedup => '90 days');
INSERT INTO ev2 SELECT s.id, s.ts, s.who, s.org, s.name, s.props FROM stream AS s, generate_series(1, 2) WHERE s.who IN ('u1', 'u2') ORDER BY s.id;
INSERT INTO ev2 VALUES (-1, '2126-01-01', 'u1', 'a1', 'work');
SELECT held, unusable > 0 FROM pql.sources;
SELECT count(*) AS steps, count(*) FILTER (WHERE h.score <> pql.score('solo', 'u1', h.at)) AS wrong
FROM pql.score_history('solo', 'u1', '2026-01-01', '2026-08-01', '101 hours') AS h;
SELECT h.at, h.score, pql.score('solo', 'u1', h.at) FROM pql.score_history('solo', 'u1', '2125-12-31', '2126-01-02', '1 day') AS h;
SELECT sum(subjects) FROM pql.preview(:'solo'::jsonb || '{"program": "new", "qualify": {"enter": 20, "leave": 10}}');

-- lateness is known where arrival is
CREATE TABLE ev3 AS SELECT *, ts + CASE WHEN id % 10 = 0 THEN interval '8 days' ELSE '1 day' END AS received FROM stream WHERE id <= 100;
CREATE UNIQUE INDEX ON ev3 (id);
SELECT count(*) > 0 FROM pql.attach('ev3', user_id => 'who', event => 'name', occurred_at => 'ts', event_id => 'id', received_at => 'received');
SELECT item, pass, found, hint FROM pql.readiness() WHERE item IN ('lateness', 'history', 'event ids', 'users mapped to accounts');

DROP EXTENSION pql CASCADE;
DROP VIEW IF EXISTS written, replayed;
DROP TABLE ev, ev2, ev3, stream, whole, deal, said;
