-- Times that are timestamptz, timestamp, or numbers: which is meant, that all of them give the same, and that they don't mix.
\getenv source PG_ABS_SRCDIR
\set file :source '/test/sql/aggregate_laws.sql'
\i :file
SET timezone = 'America/New_York';

-- What is meant: columns by their types; literals, parameters and nulls are timestamptz, as dates are.
PREPARE parameter AS SELECT decay_agg($1, $2);
SELECT call, aggregate_laws.all_of('SELECT pg_typeof(' || call || ') FROM (SELECT now() AS tz, localtimestamp AS t, current_date AS d, 1::bigint AS b, 1 AS i) AS x') AS gives
FROM unnest(ARRAY['decay_agg(''7 days'', tz, 1)', 'decay_agg(''7 days'', tz)', 'decay_agg(''7 days'', t, 1)', 'decay_agg(''7 days'', d, 1)', 'decay_agg(7, b, 1)',
  'decay_agg(7, i)', 'decay_agg(''7'', b)', 'decay_agg(''7 days'', ''2026-03-02'')', 'decay_agg(''7 days'', ''2026-03-02'', 1)', 'decay_agg(''7 days'', NULL, 1)',
  'decay_agg(NULL, NULL)', 'decay_sum(''7 days'', d)', 'decay_sum(7, i, 1)', 'decay_sum(''7 days'', ''2026-03-02'')', 'window_count_agg(t, ''{1 day}'')', 'window_count_agg(b, ''{86400}'')', 'window_count_agg(i, ARRAY[60, 86400])',
  'window_count_agg(''2026-03-02'', ''{1 day}'')', 'cohort_retention_agg(d, ''7 days'')', 'cohort_retention_agg(t, ''7 days'', true)', 'cohort_retention_agg(i, 7)',
  'cohort_retention_agg(''2026-03-02'', ''7 days'')', 'events_agg(tz, true, false)', 'events_agg(t, true)', 'events_agg(i, true, NULL)', 'events_agg(b, VARIADIC ARRAY[true])',
  'events_agg(i, i)', 'events_agg(t, 1)', 'events_agg(''2026-03-02'', 1)', 'events_agg(''2026-03-02'', true, false)', 'events_agg(NULL, true)',
  'events_all_agg(b, true)', 'events_all_agg(d, 1)', 'events_excl_agg(t, false, true)', 'events_excl_agg(i, false, 1)', 'events_excl_agg(''2026-03-02'', false, true)',
  'funnel_times(events_agg(tz, true), ''1 day'')', 'funnel_times(events_agg(t, true), ''1 day'')', 'funnel_times(events_agg(i, true), 60)', 'funnel_times(events_agg(i, true), ''60'')',
  'funnel_conversion(events_agg(b, true), 60)', 'funnel_summary(events_agg(t, true), ''1 day'')', 'funnel_summary(events_agg(i, true), 60)', 'window_funnel(''1 day'', t, true)',
  'window_funnel(60, i, true, false)', 'window_funnel(''1 day'', ''2026-03-02'', true)', 'sequence_match(''(?1)'', d, true)', 'sequence_match(''(?1)'', i, true)',
  'sequence_match(''(?1)'', ''2026-03-02'', true)', 'session_agg(''1 hour'', d)', 'session_agg(''1 hour'', t, ''1 minute'')', 'session_agg(3600, i)', 'session_agg(''1 hour'', ''2026-03-02'')',
  'time_in_product(session_agg(3600, b))', 'longest_session(session_agg(''1 hour'', t))', 'journey_agg(tz, ''x'')', 'journey_agg(t, ''x'', 2, 2)', 'journey_agg(b, ''x'')',
  'journey_agg(''2026-03-02'', ''x'')', 'journey_text(NULL)', 'last_seen(NULL)', 'window_funnel(NULL, ''1 day'')', 'funnel_times(NULL, ''1 day'')', 'count_in(NULL, ''2026-03-02'', ''1 day'')',
  'time_in_product(NULL, ''1 day'')', 'sequence_events(NULL, '''')']) AS call;
EXECUTE parameter ('7 days', '2026-03-02');
SELECT pg_typeof(decay_agg('7 days', s)) FROM generate_series(timestamp '2026-03-01', '2026-03-02', '1 hour') AS s;
SELECT pg_typeof(decay_agg('7 days', s)) FROM generate_series(timestamptz '2026-03-01', '2026-03-02', '1 hour') AS s;
SELECT pg_typeof(decay_agg(7, s)) FROM generate_series(1, 9) AS s;

-- The same rows with times of each kind: in seconds since 2000, UTC.
CREATE TABLE time_rows AS
  SELECT id, g, tz, tz AT TIME ZONE 'UTC' AS t, extract(epoch FROM tz - timestamptz '2000-01-01 00:00+00')::bigint AS n, id % 4 = 0 AS a, id % 5 = 0 AS b, id % 7 < 2 AS c, 'x' || id % 3 AS label
  FROM (SELECT i AS id, i % 9 AS g, CASE WHEN i % 41 > 0 THEN timestamptz '2026-03-01 00:00+00' + (i * 7919 % 480) * interval '1 hour' + (i % 3) * interval '1 second' END AS tz
        FROM generate_series(1, 500) AS i) AS x;
SELECT count(*), bool_and(decay_sum = decay_score(decay, last_seen(decay))) AS instants, bool_and(decay_sum_t = decay_sum) AS timestamps,
  bool_and(abs(decay_sum_n - decay_sum) < 1e-9 AND decay_sum_n = decay_score(decay_n, last_seen(decay_n))) AS numbers
FROM (SELECT decay_sum('16 hours', tz, id % 5) AS decay_sum, decay_agg('16 hours', tz, id % 5) AS decay, decay_sum('16 hours', t, id % 5) AS decay_sum_t,
        decay_sum(57600, n, id % 5) AS decay_sum_n, decay_agg(57600, n, id % 5) AS decay_n FROM time_rows GROUP BY g
      UNION ALL SELECT decay_sum('16 hours', tz) OVER w, decay_agg('16 hours', tz) OVER w, decay_sum('16 hours', t) OVER w, decay_sum(57600, n) OVER w, decay_agg(57600, n) OVER w
      FROM time_rows WHERE tz IS NOT NULL WINDOW w AS (ORDER BY id ROWS 5 PRECEDING)) AS x;
CREATE FUNCTION seconds(timestamptz) RETURNS bigint LANGUAGE sql RETURN extract(epoch FROM $1 - timestamptz '2000-01-01 00:00+00')::bigint;
CREATE FUNCTION seconds(interval) RETURNS bigint LANGUAGE sql RETURN extract(epoch FROM $1)::bigint;
CREATE VIEW states AS
  SELECT g, decay_agg('16 hours', tz) AS decay, decay_agg('16 hours', t) AS decay_t, decay_agg(57600, n) AS decay_n,
    window_count_agg(tz, ARRAY[interval '3 days']) AS counts, window_count_agg(t, ARRAY[interval '3 days']) AS counts_t, window_count_agg(n, ARRAY[259200]) AS counts_n,
    cohort_retention_agg(tz, '1 day', b) AS cohort, cohort_retention_agg(t, '1 day', b) AS cohort_t, cohort_retention_agg(n - 172800, 86400, b) AS cohort_n,
    events_agg(tz, a, b, c) AS events, events_agg(t, a, b, c) AS events_t, events_agg(n, a, b, c) AS events_n,
    session_agg('7 hours', tz) AS session, session_agg('7 hours', t) AS session_t, session_agg(25200, n) AS session_n,
    journey_agg(tz, label) AS journey, journey_agg(t, label) AS journey_t, journey_agg(n, label) AS journey_n
  FROM time_rows GROUP BY g;
SELECT bool_and(last_seen(decay) AT TIME ZONE 'UTC' = last_seen(decay_t) AND seconds(last_seen(decay)) = last_seen(decay_n)) AS last_seen,
  bool_and(decay_count(decay, '2026-03-22 00:00Z') = decay_count(decay_t, '2026-03-22 00:00') AND abs(decay_count(decay, '2026-03-22 00:00Z') - decay_count(decay_n, 827452800)) < 1e-9) AS decay_count,
  bool_and(count_in(counts, '2026-03-22 00:00Z', '2 days') = count_in(counts_t, '2026-03-22', '2 days') AND count_in(counts, '2026-03-22 00:00Z', '2 days') = count_in(counts_n, 827452800, 172800)) AS count_in,
  bool_and(retained_periods(cohort) = retained_periods(cohort_t) AND retained_periods(cohort) = retained_periods(cohort_n)) AS retained_periods,
  bool_and(cohort(cohort) AT TIME ZONE 'UTC' = cohort(cohort_t) AND seconds(cohort(cohort)) = cohort(cohort_n) + 172800) AS cohort,
  bool_and(time_in_product(session) = time_in_product(session_t) AND seconds(time_in_product(session, '1 minute')) = time_in_product(session_n, 60)) AS time_in_product,
  bool_and(longest_session(session) = longest_session(session_t) AND seconds(longest_session(session)) = longest_session(session_n)) AS longest_session,
  bool_and(journey_text(journey) = journey_text(journey_t) AND journey_text(journey) = journey_text(journey_n)) AS journey_text
FROM states;
SELECT bool_and(window_funnel(events, '1 day') = window_funnel(events_t, '1 day') AND window_funnel(events, '1 day') = window_funnel(events_n, 86400)) AS window_funnel,
  bool_and(funnel_conversion(events, '9 days') = funnel_conversion(events_t, '9 days') AND seconds(funnel_conversion(events, '9 days')) = funnel_conversion(events_n, 777600)) AS funnel_conversion,
  bool_and(any_order(events, '1 hour') = any_order(events_t, '1 hour') AND any_order(events, '1 hour') = any_order(events_n, 3600)) AS any_order,
  bool_and((SELECT array_agg(t AT TIME ZONE 'UTC') FROM unnest(funnel_times(events, '9 days')) AS t) = funnel_times(events_t, '9 days')
       AND (SELECT array_agg(seconds(t)) FROM unnest(funnel_times(events, '9 days')) AS t) = funnel_times(events_n, 777600)) AS funnel_times,
  bool_and((SELECT array_agg(t AT TIME ZONE 'UTC') FROM unnest(sequence_events(events, '(?1)(?t<=2h)(?2)')) AS t) = sequence_events(events_t, '(?1)(?t<=2h)(?2)')
       AND (SELECT array_agg(seconds(t)) FROM unnest(sequence_events(events, '(?1)(?t<=2h)(?2)')) AS t) = sequence_events(events_n, '(?1)(?t<=7200)(?2)')) AS sequence_events,
  bool_and(sequence_count(events, '(?1).*(?2)', '1 day') = sequence_count(events_t, '(?1).*(?2)', '1 day')
       AND sequence_count(events, '(?1).*(?2)', '1 day') = sequence_count(events_n, '(?1).*(?2)', 86400)) AS sequence_count,
  bool_and(((next_event(events, '{1}')).at AT TIME ZONE 'UTC', (next_event(events, '{1}')).steps) = ((next_event(events_t, '{1}')).at, (next_event(events_t, '{1}')).steps)
       AND seconds((next_event(events, '{1}')).at) = (next_event(events_n, '{1}')).at) AS next_event
FROM states;
SELECT count(*), bool_and((s.started AT TIME ZONE 'UTC', s.ended AT TIME ZONE 'UTC', s.events) = (t.started, t.ended, t.events)) AS timestamps,
  bool_and((seconds(s.started), seconds(s.ended), s.events) = (n.started, n.ended, n.events)) AS numbers
FROM states, ROWS FROM (sessions(session), sessions(session_t), sessions(session_n)) AS x (started, ended, events, started_t, ended_t, events_t, started_n, ended_n, events_n),
  LATERAL (VALUES (x.started, x.ended, x.events)) AS s (started, ended, events), LATERAL (VALUES (x.started_t, x.ended_t, x.events_t)) AS t (started, ended, events),
  LATERAL (VALUES (x.started_n, x.ended_n, x.events_n)) AS n (started, ended, events);
SELECT bool_and(tz = t AND tz = n) AS one_step, bool_and(m = mt AND m = mn) AS matches FROM (SELECT window_funnel('1 day', tz, a, b, c) AS tz, window_funnel('1 day', t, a, b, c) AS t, window_funnel(86400, n, a, b, c) AS n,
  sequence_match('(?1)(?t<=1h)(?2)', tz, a, b) AS m, sequence_match('(?1)(?t<=1h)(?2)', t, a, b) AS mt, sequence_match('(?1)(?t<=3600)(?2)', n, a, b) AS mn FROM time_rows GROUP BY g) AS x;
SELECT bool_and(tz = t AND tz = n) AS frames, bool_and(m = mt AND m = mn) AS matches FROM (SELECT window_funnel('1 day', tz, a, b, c) OVER w AS tz, window_funnel('1 day', t, a, b, c) OVER w AS t, window_funnel(86400, n, a, b, c) OVER w AS n,
  sequence_match('(?1)(?t<=1h)(?2)', tz, a, b) OVER w AS m, sequence_match('(?1)(?t<=1h)(?2)', t, a, b) OVER w AS mt, sequence_match('(?1)(?t<=3600)(?2)', n, a, b) OVER w AS mn
  FROM time_rows WINDOW w AS (PARTITION BY g ORDER BY tz ROWS 9 PRECEDING)) AS x;
SELECT window_funnel(rollup(s)), window_funnel(rollup(t)), window_funnel(rollup(n)) FROM (SELECT funnel_summary(events_agg(tz, a, b, c), '1 day') AS s,
  funnel_summary(events_agg(t, a, b, c), '1 day') AS t, funnel_summary(events_agg(n, a, b, c), 86400) AS n FROM time_rows WHERE g = 0 GROUP BY t::date) AS x;
SELECT journey_steps(journey_agg(tz, label, 1, 0)), journey_steps(journey_agg(t, label, 1, 0)), journey_steps(journey_agg(n, label, 1, 0)) FROM time_rows;
SELECT state_info(s), state_info(t), state_info(n) FROM (SELECT session_agg('1 hour', tz) AS s, session_agg('1 hour', t) AS t, session_agg(3600, n) AS n FROM time_rows) AS x;
SELECT state_info(funnel_summary(events_agg(t, a), '1 day')), state_info(funnel_summary(events_agg(n, a), 86400)) FROM time_rows;

-- The session's time zone has no part in it.
SET timezone = 'Asia/Kolkata';
CREATE TEMP TABLE elsewhere AS SELECT g, decay_agg('16 hours', t) AS decay_t, cohort_retention_agg(t, '1 day', b) AS cohort_t, events_agg(t, a, b, c) AS events_t FROM time_rows GROUP BY g;
SET timezone = 'America/New_York';
SELECT bool_and(s.decay_t = e.decay_t AND s.cohort_t = e.cohort_t AND s.events_t = e.events_t) AS same FROM states AS s JOIN elsewhere AS e USING (g);

-- All laws.
CREATE TABLE number_rows AS SELECT id, g, n AS ts, a, b, c, label FROM time_rows;
SELECT * FROM aggregate_laws.laws('number_rows', 'pql.decay_agg(57600, ts)', 'pql.decay_bigint_state') WHERE NOT holds;
SELECT * FROM aggregate_laws.laws('number_rows', 'pql.window_count_agg(ts, ARRAY[3600, 259200])', 'pql.window_count_bigint_state') WHERE NOT holds;
SELECT * FROM aggregate_laws.laws('number_rows', 'pql.cohort_retention_agg(ts, 100, b)', 'pql.cohort_bigint_state') WHERE NOT holds;
SELECT * FROM aggregate_laws.laws('number_rows', 'pql.events_agg(ts, a, b, c)', 'pql.events_bigint_state') WHERE NOT holds;
SELECT * FROM aggregate_laws.laws('number_rows', 'pql.session_agg(72000, ts)', 'pql.session_bigint_state') WHERE NOT holds;
SELECT * FROM aggregate_laws.laws('number_rows', 'pql.journey_agg(ts, label, 3, 3)', 'pql.journey_bigint_state') WHERE NOT holds;
CREATE TABLE timestamp_rows AS SELECT id, g, t AS ts, a, b, c, label FROM time_rows;
SELECT * FROM aggregate_laws.laws('timestamp_rows', 'pql.session_agg(''20 hours'', ts)', 'pql.session_timestamp_state') WHERE NOT holds;

-- Numbers go as far as times do.
SELECT last_seen(decay_agg(144115188075855872, 9223371331199999999)), last_seen(decay_agg(1, -211813488000000000)), decay_agg(1, 9223371331199999999) || decay_agg(1, -211813488000000000);
SELECT retained_periods(cohort_retention_agg(n, 1)), cohort(cohort_retention_agg(n, 1, n > 3)) FROM (VALUES (3::bigint), (4), (9)) AS x (n);
SELECT retained_periods(cohort_retention_agg(n, 1)) FROM (VALUES (-211813488000000000), (-211813488000000000 + 2147483647)) AS x (n);
SELECT time_in_product(session_agg(9223372036854775807, n)) FROM (VALUES (0), (9223371331199999999)) AS x (n);
SELECT window_funnel(events_agg(n, n < 0, n > 0), 9223372036854775807) FROM (VALUES (-211813488000000000), (9223371331199999999)) AS x (n);

-- What is refused.
SELECT aggregate_laws.refused(query) FROM (VALUES
  ($$SELECT decay_agg('7 days', tz) || decay_agg('7 days', t) FROM time_rows$$),
  ($$SELECT events_agg(tz, a) || events_agg(n, a) FROM time_rows$$),
  ($$SELECT decay_score(decay_agg('7 days', tz), 5) FROM time_rows$$),
  ($$SELECT window_funnel(events_agg(n, a), interval '1 day') FROM time_rows$$),
  ($$SELECT window_funnel(events_agg(t, a), 5) FROM time_rows$$),
  ($$SELECT decay_agg('7 days', n) FROM time_rows$$),
  ($$SELECT decay_agg(7, tz) FROM time_rows$$),
  ($$SELECT decay_agg(7, 1.5) FROM time_rows$$),
  ($$SELECT decay_agg('7 days', tz)::text::decay_timestamp_state FROM time_rows$$),
  ($$SELECT decay_agg('7 days', t)::text::decay_state FROM time_rows$$),
  ($$SELECT events_agg(n, a)::text::events_state FROM time_rows$$),
  ($$SELECT decay_agg('7 days', tz)::decay_timestamp_state FROM time_rows$$),
  ($$SELECT decay_agg('7 days', timestamp 'infinity')$$),
  ($$SELECT decay_agg(7, 9223371331200000000)$$),
  ($$SELECT events_agg(-211813488000000001, true)$$),
  ($$SELECT decay_score(decay_agg(7, 1), 9223372036854775807)$$),
  ($$SELECT decay_agg(0, 1)$$),
  ($$SELECT decay_agg(144115188075855873, 1)$$),
  ($$SELECT decay_agg(-1, 1)$$),
  ($$SELECT decay_agg(g, n) FROM time_rows WHERE g > 0$$),
  ($$SELECT window_count_agg(1, '{0}')$$),
  ($$SELECT window_count_agg(1, '{4611686018427387905}')$$),
  ($$SELECT count_in(window_count_agg(1, '{10}'), 1, 11)$$),
  ($$SELECT cohort_retention_agg(1, 0)$$),
  ($$SELECT retained_periods(cohort_retention_agg(n, 1)) FROM (VALUES (0), (2147483648)) AS x (n)$$),
  ($$SELECT session_agg(-1, 1)$$),
  ($$SELECT time_in_product(session_agg(1, 1), -1)$$),
  ($$SELECT time_in_product(session_agg(1, n), 9223372036854775807) FROM (VALUES (1), (9)) AS x (n)$$),
  ($$SELECT window_funnel(events_agg(1, true), -1)$$),
  ($$SELECT sequence_match(events_agg(1, true), '(?1)(?t<=7d)(?1)')$$),
  ($$SELECT sequence_match(events_agg(1, true), '(?1)(?t<=9223372036854775808)(?1)')$$),
  ($$SELECT sequence_match('(?1)(?t<=1h)(?1)', 1, true)$$)) AS t (query);
DROP VIEW states;
DROP TABLE time_rows, number_rows, timestamp_rows;
DROP FUNCTION seconds(timestamptz), seconds(interval);
SET client_min_messages = warning;
DROP SCHEMA aggregate_laws CASCADE;
