-- What each measure should be, in plain SQL from doc/programs.md, of some subjects. Variables: accounts and users, how many.
\set ON_ERROR_STOP on
CREATE SCHEMA oracle;
CREATE TABLE oracle.instant AS
  SELECT row_number() OVER (ORDER BY as_of)::int AS n, as_of
  FROM (SELECT date_trunc('second', first + n * (last - first) / 24) AS as_of
        FROM (SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events) AS x, generate_series(0, 24) AS n
        UNION
        (SELECT occurred_at FROM (SELECT DISTINCT occurred_at FROM events) AS e ORDER BY md5('at ' || extract(epoch FROM occurred_at)::bigint) LIMIT 25)) AS x;

-- The busiest few, and others by chance.
CREATE TABLE oracle.subject AS
  SELECT unit, subject_id FROM (
    SELECT unit, subject_id, row_number() OVER (PARTITION BY unit ORDER BY CASE WHEN busiest <= 3 THEN 0 ELSE 1 END, md5('who ' || subject_id)) AS place
    FROM (SELECT unit, subject_id, row_number() OVER (PARTITION BY unit ORDER BY count(*) DESC, subject_id) AS busiest
          FROM (SELECT 'account' AS unit, account_id AS subject_id FROM events WHERE account_id IS NOT NULL
                UNION ALL SELECT 'user', user_id FROM events) AS x GROUP BY unit, subject_id) AS y) AS z
  WHERE place <= CASE unit WHEN 'account' THEN :accounts ELSE :users END;

CREATE TABLE oracle.event AS
  SELECT s.unit, s.subject_id, e.occurred_at AS at, date_trunc('day', e.occurred_at, 'UTC') AS day, e.user_id AS who, e.event AS name,
         (e.props->>'quantity')::float8 AS quantity, e.props->>'workspace' AS workspace
  FROM oracle.subject AS s JOIN events AS e ON s.subject_id = CASE s.unit WHEN 'account' THEN e.account_id ELSE e.user_id END;
CREATE INDEX ON oracle.event (unit, subject_id, at);
ANALYZE oracle.event;

-- Patterns and the activation, which is one in order: their steps, and the first instant at which all were done within the time.
CREATE TABLE oracle.step_of (pattern text, in_order boolean, within interval, steps text[]);
INSERT INTO oracle.step_of VALUES
  ('together', false, '2 days', '{coded,wrote_test,changed_api}'), ('together_lately', false, '72 hours', '{wrote_docs,changed_schema}'),
  ('in_turn', true, '10 days', '{changed_ci,coded,wrote_test}'), ('activation', true, '20 days', '{coded,wrote_test,wrote_docs}');
CREATE TABLE oracle.step AS
  SELECT p.pattern, p.in_order, p.within, cardinality(p.steps) AS steps, s.step, e.unit, e.subject_id, e.at
  FROM oracle.step_of AS p, unnest(p.steps) WITH ORDINALITY AS s(name, step), oracle.event AS e
  WHERE e.name = s.name OR s.name = 'coded' AND e.name = 'changed_code' AND e.quantity > 3;
CREATE TABLE oracle.done AS
  SELECT pattern AS name, unit, subject_id, min(at) AS at
  FROM (SELECT *, max(first) FILTER (WHERE step = 2) OVER so_far AS second
        FROM (SELECT *, max(at) FILTER (WHERE step = 1) OVER so_far AS first, max(at) FILTER (WHERE step = 2) OVER so_far AS newest_2,
                     max(at) FILTER (WHERE step = 3) OVER so_far AS newest_3
              FROM oracle.step WINDOW so_far AS (PARTITION BY pattern, unit, subject_id ORDER BY at RANGE UNBOUNDED PRECEDING)) AS x
        WINDOW so_far AS (PARTITION BY pattern, unit, subject_id ORDER BY at RANGE UNBOUNDED PRECEDING)) AS y
  WHERE CASE WHEN in_order THEN step = 3 AND at - second <= within
             ELSE first IS NOT NULL AND newest_2 IS NOT NULL AND (steps = 2 OR newest_3 IS NOT NULL)
                  AND at - least(first, newest_2, CASE WHEN steps = 3 THEN newest_3 END) <= within END
  GROUP BY pattern, unit, subject_id
  UNION ALL SELECT 'coded', unit, subject_id, min(at) FROM oracle.event WHERE name = 'changed_code' AND quantity > 3 GROUP BY unit, subject_id
  UNION ALL SELECT 'tested', unit, subject_id, min(at) FROM oracle.event WHERE name = 'wrote_test' GROUP BY unit, subject_id
  UNION ALL SELECT 'documented', unit, subject_id, min(at) FROM oracle.event WHERE name = 'wrote_docs' GROUP BY unit, subject_id;
CREATE INDEX ON oracle.done (unit, subject_id);

-- From one event of a person to the next, where that is no longer than the gap that ends a session.
CREATE TABLE oracle.stretch AS
  SELECT unit, subject_id, gap, before, at
  FROM (SELECT k.gap, e.unit, e.subject_id, e.at, lag(e.at) OVER (PARTITION BY k.gap, e.unit, e.subject_id, e.who ORDER BY e.at) AS before
        FROM (VALUES (interval '30 minutes', '*'), ('1 hour', '*'), ('6 hours', 'changed_code')) AS k(gap, name), oracle.event AS e
        WHERE k.name IN ('*', e.name)) AS x
  WHERE at - before <= gap AND at > before;
CREATE INDEX ON oracle.stretch (unit, subject_id, gap, at);
CREATE FUNCTION oracle.hours(of_unit text, of_subject text, of_gap interval, since timestamptz, until timestamptz, known timestamptz) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(extract(epoch FROM greatest('0', least(at, until) - greatest(before, since)))), 0) / 3600
  FROM oracle.stretch WHERE (unit, subject_id, gap) = (of_unit, of_subject, of_gap) AND at > since AND before < until AND at <= known $$;

-- Days one after the other, the last of them today or yesterday, of those that begin in the window.
CREATE TABLE oracle.day AS
  SELECT unit, subject_id, k.name, day, min(at) AS first FROM oracle.event AS e, (VALUES ('*'), ('changed_code')) AS k(name) WHERE k.name IN ('*', e.name)
  GROUP BY unit, subject_id, k.name, day;
CREATE INDEX ON oracle.day (unit, subject_id, name, day);
CREATE FUNCTION oracle.streak(of_unit text, of_subject text, of_name text, w interval, as_of timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT n FROM (
    SELECT max(day) AS last, count(*) AS n
    FROM (SELECT day, day - row_number() OVER (ORDER BY day) * interval '1 day' AS run FROM oracle.day
          WHERE (unit, subject_id, name) = (of_unit, of_subject, of_name) AND day > as_of - w AND first <= as_of) AS x GROUP BY run) AS y
    WHERE as_of - last < '2 days' ORDER BY last DESC LIMIT 1), 0) $$;

CREATE FUNCTION oracle.growth(now float8, before float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT (now - before) / greatest(before, 1)';
CREATE FUNCTION oracle.faded(age interval, half_life interval) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  'SELECT power(2, - least(extract(epoch FROM age) / extract(epoch FROM half_life), 1000))::float8';

CREATE FUNCTION oracle.told(u text, s text, as_of timestamptz) RETURNS TABLE (signal text, value float8) LANGUAGE sql STABLE AS $$
  WITH e AS MATERIALIZED (SELECT *, as_of - at AS age FROM oracle.event WHERE (unit, subject_id) = (u, s) AND at <= as_of AND at > as_of - interval '1200 days'),
  done AS MATERIALIZED (SELECT name, as_of - at AS age FROM oracle.done WHERE (unit, subject_id) = (u, s) AND at <= as_of),
  a AS MATERIALIZED (
    SELECT count(*) FILTER (WHERE name = 'changed_code' AND age < '30 days') AS count,
           count(*) FILTER (WHERE age < '5 days') AS count_all,
           count(*) FILTER (WHERE name <> 'changed_code' AND quantity > 5 AND age < '90 days') AS count_where,
           sum(oracle.faded(age, '7 days')) FILTER (WHERE name = 'changed_code') AS count_fading,
           sum(quantity) FILTER (WHERE name = 'changed_api' AND age < '60 days') AS sum,
           sum((quantity / 4 - 1) * oracle.faded(age, '21 days')) FILTER (WHERE workspace <> 'nova') AS sum_fading,
           count(DISTINCT day) FILTER (WHERE as_of - day < '28 days') AS days,
           count(DISTINCT day) FILTER (WHERE as_of - day >= '28 days' AND as_of - day < '56 days') AS days_before,
           count(DISTINCT day) FILTER (WHERE name = 'wrote_test' AND as_of - day < '36 hours') AS days_of_test,
           count(DISTINCT day) FILTER (WHERE name = 'changed_driver' AND as_of - day < '30 days') AS per_day,
           avg((quantity > 2)::int) FILTER (WHERE name = 'changed_code' AND age < '45 days') AS rate,
           count(*) FILTER (WHERE name = 'changed_code' AND age < '60 days' AND age >= '30 days') AS count_before,
           sum(quantity) FILTER (WHERE age < '20 days') AS sum_20, sum(quantity) FILTER (WHERE age < '40 days' AND age >= '20 days') AS sum_20_before,
           count(*) FILTER (WHERE name = 'changed_schema' AND age < '40 days') AS once,
           count(*) FILTER (WHERE name = 'changed_other' AND age < '9 days') AS capped,
           sum(quantity) FILTER (WHERE age < '9 days') AS sum_capped,
           count(DISTINCT day) FILTER (WHERE name = 'changed_code' AND as_of - day < '21 days') AS worked,
           count(DISTINCT who) FILTER (WHERE age < '14 days') AS users,
           count(DISTINCT who) FILTER (WHERE name = 'wrote_test' AND age < '60 days') AS users_of_test,
           count(DISTINCT who) FILTER (WHERE age < '30 days') AS users_30, count(DISTINCT who) FILTER (WHERE age < '60 days' AND age >= '30 days') AS users_30_before
    FROM e),
  m AS MATERIALIZED (
    SELECT max(age) FILTER (WHERE name = 'coded') AS coded, max(age) FILTER (WHERE name = 'tested') AS tested, max(age) FILTER (WHERE name = 'documented') AS documented,
           max(age) FILTER (WHERE name = 'activation') AS activation, max(age) FILTER (WHERE name = 'together') AS together,
           max(age) FILTER (WHERE name = 'together_lately') AS together_lately, max(age) FILTER (WHERE name = 'in_turn') AS in_turn FROM done),
  newest AS (SELECT max(at) AS at, max(at) FILTER (WHERE name = 'wrote_docs') AS docs FROM oracle.event WHERE (unit, subject_id) = (u, s) AND at <= as_of)
  SELECT v.signal, coalesce(v.value, 0) FROM a, m, newest, LATERAL (VALUES
    ('count', a.count::float8), ('count_all', a.count_all), ('count_where', a.count_where), ('count_fading', a.count_fading), ('sum', a.sum), ('sum_fading', a.sum_fading),
    ('milestone', (m.coded IS NOT NULL)::int), ('milestone_fading', oracle.faded(m.tested, '100 days')), ('milestone_lately', (m.documented < '200 days')::int),
    ('activation', (m.activation IS NOT NULL)::int), ('activation_too', (m.activation IS NOT NULL)::int), ('activation_fading', oracle.faded(m.activation, '300 days')),
    ('days', a.days), ('days_of_test', a.days_of_test), ('streak', oracle.streak(u, s, '*', '90 days', as_of)), ('streak_of_code', oracle.streak(u, s, 'changed_code', '5 days', as_of)),
    ('recency', extract(epoch FROM as_of - newest.at) / 86400), ('recency_of_docs', extract(epoch FROM as_of - newest.docs) / 86400),
    ('time', oracle.hours(u, s, '30 minutes', as_of - interval '7 days', as_of, as_of)), ('time_of_code', oracle.hours(u, s, '6 hours', as_of - interval '30 days', as_of, as_of)),
    ('rate', a.rate), ('grown', oracle.growth(a.count, a.count_before)), ('sum_grown', oracle.growth(coalesce(a.sum_20, 0), coalesce(a.sum_20_before, 0))),
    ('more_days', oracle.growth(a.days, a.days_before)),
    ('more_time', oracle.growth(oracle.hours(u, s, '1 hour', as_of - interval '14 days', as_of, as_of),
                                oracle.hours(u, s, '1 hour', as_of - interval '28 days', as_of - interval '14 days', as_of))),
    ('together', oracle.faded(m.together, '400 days')), ('together_lately', (m.together_lately < '500 days')::int), ('in_turn', oracle.faded(m.in_turn, '100 days')),
    ('value', a.worked / 2.0 + (coalesce(m.tested, '0') > '240 hours')::int), ('flag', 0), ('once', least(a.once, 1)), ('per_day', a.per_day),
    ('capped', least(a.capped, 3)), ('sum_capped', least(coalesce(a.sum_capped, 0), 40)),
    ('time_capped', least(oracle.hours(u, s, '30 minutes', as_of - interval '2 days', as_of, as_of), 0.5)),
    ('users', a.users), ('users_of_test', a.users_of_test), ('more_users', oracle.growth(a.users_30, a.users_30_before))) AS v(signal, value)
  WHERE u = 'account' OR v.signal !~ 'users'
$$;
