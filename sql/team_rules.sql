-- Ten rules by which a real sales team works (test/data/rules.json), each as a program, on companies built to fit and not to fit.
-- covers: S2-12, S2-22, S2u-2, S2u-12, S3-2, S3-4, S3-8, S3-11
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
SET TIME ZONE 'UTC';
SET DATESTYLE = ISO;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text, props jsonb);
CREATE TABLE company (
  id text PRIMARY KEY, country text, employees int, industry text, revenue float8, icp_score float8, mrr float8, arr float8,
  paying_since timestamptz, subscribed boolean, forecast_bill float8, last_invoice float8, credits float8, credits_spent float8,
  rolls_off_at timestamptz, account_manager text, contact_title text, disqualified_at timestamptz);
SELECT count(*) > 0 FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id',
  properties => 'props', clock => 'event');
UPDATE pql.source SET max_event_age = '10000 days';
SELECT count(*) > 0 FROM pql.attach_accounts('company', 'id');

\getenv source PG_ABS_SRCDIR
\set path :source '/test/data/rules.json'
\set rules `cat :'path'`
CREATE TABLE rule AS SELECT r.place, r.rule->>'rule' AS text, r.rule->'program' AS program FROM jsonb_array_elements(:'rules') WITH ORDINALITY AS r(rule, place);
-- What the guardrail is to do is said otherwise.
UPDATE rule SET program = jsonb_set(program #- '{guardrails}', '{qualify,when}',
  '"attr.disqualified_at is null or as_of - attr.disqualified_at > interval ''720 hours''"') WHERE program->>'program' = 'demo_form';
SELECT place, c.* FROM rule, pql.check_program(program) AS c ORDER BY place;
SELECT place, pql.publish(program, text) FROM rule ORDER BY place;
SELECT count(pql.promote(program->>'program')) FROM rule;

INSERT INTO company (id, country, employees, mrr, paying_since) VALUES
  ('01 yes', 'DE', 60, 1000, '2025-10-01'), ('01 too few users', 'DE', 60, 1000, '2025-10-01'), ('01 too new', 'DE', 60, 1000, '2026-02-01'),
  ('01 elsewhere', 'FR', 60, 1000, '2025-10-01'), ('01 too rich', 'US', 60, 1668, '2025-10-01');
INSERT INTO company (id, icp_score) VALUES ('02 yes', 10), ('02 other plan', 10), ('02 low score', 7);
INSERT INTO company (id, mrr) VALUES ('03 yes', 1001), ('03 steady', 1001), ('03 small', 1000);
INSERT INTO company (id, arr, account_manager) VALUES ('04 yes', 20001, NULL), ('04 managed', 20001, 'kim'), ('04 small', 20000, NULL);
INSERT INTO company (id, employees) VALUES ('05 yes', 500), ('05 nobody invited', 500), ('05 small', 499);
INSERT INTO company (id, credits, credits_spent, last_invoice, rolls_off_at) VALUES ('06 yes by credits', 100, 50, 5001, NULL),
  ('06 yes by time', 100, 10, 2000, '2026-06-15'), ('06 too early', 100, 10, 2000, '2026-09-01'), ('06 too little', 100, 49, 5001, NULL), ('06 no credits', 0, 0, 5001, NULL);
INSERT INTO company (id, subscribed, forecast_bill) VALUES ('07 yes subscribed', true, 500), ('07 yes score', false, NULL), ('07 alone', false, NULL), ('07 low bill', true, 499);
INSERT INTO company (id, revenue, contact_title, industry, disqualified_at) VALUES ('08 yes', 2000000, 'CTO', 'retail', NULL),
  ('08 one of three', 2000000, 'CEO', 'retail', NULL), ('08 support', 2000000, 'CTO', 'software', NULL), ('08 lately disqualified', 2000000, 'CTO', 'software', '2026-03-01'),
  ('08 yes, long ago', 2000000, 'CTO', 'software', '2026-01-01');

INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', c.id || u, c.id, 'visit' FROM company AS c,
  generate_series(1, CASE WHEN c.id = '01 too few users' THEN 7 ELSE 8 END) AS u WHERE c.id LIKE '01%';
INSERT INTO ev (ts, who, org, name, props) SELECT '2026-03-10 10:00', 'u', id, 'subscribed', jsonb_build_object('plan', CASE WHEN id = '02 other plan' THEN 'team' ELSE 'scale' END)
  FROM company WHERE id LIKE '02%';
INSERT INTO ev (ts, who, org, name, props) SELECT t, 'u', id, 'usage_billed', jsonb_build_object('amount', CASE WHEN t < '2026-02-10' THEN 100 WHEN id = '03 steady' THEN 150 ELSE 151 END)
  FROM company, unnest('{2026-02-01 10:00, 2026-03-10 10:00}'::timestamptz[]) AS t WHERE id LIKE '03%' ORDER BY t;
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', 'u', id, 'support_ticket' FROM company WHERE id LIKE '04%';
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', 'u', id, n FROM company, unnest('{signup, event_ingested, invite_sent}'::text[]) AS n
  WHERE id LIKE '05%' AND (id <> '05 nobody invited' OR n <> 'invite_sent');
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', 'u', id, 'visit' FROM company WHERE id LIKE '06%';
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', id || u, id, 'visit' FROM company, generate_series(1, CASE id WHEN '07 yes score' THEN 4 ELSE 1 END) AS u WHERE id LIKE '07%';
INSERT INTO ev (ts, who, org, name, props) SELECT '2026-03-10 10:00', 'u', id, 'demo_form', jsonb_build_object('about', CASE id WHEN '08 support' THEN 'support' ELSE 'a demo' END)
  FROM company WHERE id LIKE '08%';
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', 'rep', '09 yes', n FROM unnest('{call_held, call_held, email_sent, email_sent, email_sent}'::text[]) AS n;
INSERT INTO ev (ts, who, org, name) SELECT '2026-03-10 10:00', 'rep', '09 hardly', n FROM unnest('{call_held, email_sent, email_sent}'::text[]) AS n;
INSERT INTO ev (ts, who, org, name) VALUES ('2026-03-10 10:00', 'kim', '10 yes', 'visit'), ('2026-03-10 10:00', 'kim', '10 nobody knows', 'visit');
SELECT pql.flag_subject('referrals', '10 yes', 'referral', 'met them at a fair', 'kim') IS NOT NULL;

-- who qualified where: exactly those who were built to
SELECT r.place, p.program, p.subject_id, p.qualification, p.motion FROM pql.routing AS p JOIN rule AS r ON r.program->>'program' = p.program ORDER BY 1, 3;
-- the same by the documents themselves, tried on the same events
SELECT r.place, b.subject_id FROM rule AS r, pql.backtest_episodes(r.program, '2026-03-10', '2026-03-11') AS b
  WHERE b.left_at IS NULL AND NOT EXISTS (SELECT FROM pql._program_attributes(r.program)) ORDER BY 1, 2;
SELECT * FROM pql.rule_errors;
SELECT * FROM pql.verify();
DROP TABLE ev, company, rule;
DROP EXTENSION pql CASCADE;
