-- What works: conversion by signal, motion and moment, beside what was held out; and the measures of the whole life of hand-offs.

CREATE OR REPLACE FUNCTION pql._delay_band(delay interval) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
  RETURN CASE WHEN delay IS NULL THEN '7 never' WHEN delay < '1 hour' THEN '1 within 1 hour' WHEN delay < '4 hours' THEN '2 within 4 hours'
              WHEN delay < '1 day' THEN '3 within 1 day' WHEN delay < '3 days' THEN '4 within 3 days' WHEN delay < '7 days' THEN '5 within 7 days' ELSE '6 later' END;
COMMENT ON FUNCTION pql._delay_band(interval) IS 'How long it took until somebody reached out, in a few steps that sort.';

CREATE OR REPLACE FUNCTION pql._slice(by text, motion text, segment text, version int, rep text, week date, treated boolean, delay interval) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 1
  RETURN CASE by WHEN 'motion' THEN motion WHEN 'segment' THEN segment WHEN 'version' THEN version::text WHEN 'team' THEN rep
              WHEN 'week' THEN to_char(week, 'YYYY-MM-DD') WHEN 'treated' THEN CASE WHEN treated THEN 'worked' ELSE 'not worked' END
              WHEN 'delay' THEN pql._delay_band(delay) END;
COMMENT ON FUNCTION pql._slice(text, text, text, int, text, date, boolean, interval) IS 'Of which slice a hand-off is; of a team, whose: reps are few, and looked up once they are counted (pql._sliced).';

CREATE OR REPLACE FUNCTION pql._sliced(by text, slice text) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 10
  RETURN CASE WHEN by = 'team' THEN (SELECT p.team FROM pql.reps AS p WHERE p.rep_id = slice) ELSE slice END;
COMMENT ON FUNCTION pql._sliced(text, text) IS 'The slice that is shown: a rep''s team.';

CREATE OR REPLACE FUNCTION pql._check_slice(by text, compared text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF by NOT IN ('motion', 'segment', 'version', 'team', 'week', 'treated', 'delay') THEN
    RAISE EXCEPTION 'by "%" is not known', by USING ERRCODE = 'invalid_parameter_value',
      HINT = 'There are motion, segment, version, team, week, treated and delay; null doesn''t slice.';
  END IF;
  IF by = compared THEN
    RAISE EXCEPTION 'what is compared by "%" can''t be sliced by it', by USING ERRCODE = 'invalid_parameter_value', HINT = 'Each has a row of its own.';
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION pql._check_slice(text, text) IS 'True for what hand-offs can be sliced by where something is compared; refuses what they can''t.';

CREATE VIEW pql._hidden_now WITH (security_invoker = true) AS
  SELECT h.home, h.routing_id, h.signals FROM pql.handoff_hidden AS h
  WHERE NOT EXISTS (SELECT FROM pql._due_homes() AS d(home) WHERE d.home COLLATE "C" = h.home)
  UNION ALL SELECT x.home, x.routing_id, x.signals FROM pql._hidden_of(ARRAY(SELECT d.* FROM pql._due_homes() AS d)) AS x;
COMMENT ON VIEW pql._hidden_now IS 'The lines of pql.handoff_hidden as they are when all that is due has been made anew.';
--@ comments _hidden_now handoff_hidden home routing_id signals

CREATE OR REPLACE FUNCTION pql.signal_performance(program text DEFAULT NULL, by text DEFAULT NULL, as_of timestamptz DEFAULT statement_timestamp())
  RETURNS TABLE (program text, slice text, signal text, kind text, support bigint, mature bigint, converted bigint, conversion float8, low float8, high float8,
    without_mature bigint, without_converted bigint, without_conversion float8, lift float8, lift_low float8, lift_high float8, value numeric,
    touched bigint, false_positives bigint, burnt bigint)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB' SET enable_mergejoin = off
  BEGIN ATOMIC
    WITH raw AS ( -- as many as there are sets of signals, not as there are rows
      SELECT l.program, pql._slice(signal_performance.by, l.motion, l.segment, l.version, l.rep, l.week, l.treated, l.touch_delay) AS slice, l.signals, h.signals AS hidden,
             count(*) AS support, count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= signal_performance.as_of) AS mature, count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= signal_performance.as_of AND l.converted) AS converted,
             sum(l.value) FILTER (WHERE l.follows IS NULL AND l.converted) AS value, count(l.first_touch_at) AS touched, count(*) FILTER (WHERE l.false_positive) AS false_positives,
             count(*) FILTER (WHERE l.burnt) AS burnt
      FROM pql.labels(signal_performance.as_of, signal_performance.program) AS l LEFT JOIN pql._hidden_now AS h ON h.home = l.home AND h.routing_id = l.routing_id GROUP BY 1, 2, 3, 4),
    cell AS MATERIALIZED (
      SELECT r.program, pql._sliced(signal_performance.by, r.slice) AS slice, r.signals, r.hidden, r.support, r.mature, r.converted, r.value, r.touched, r.false_positives, r.burnt FROM raw AS r),
    every AS (SELECT c.program, c.slice, sum(c.mature)::bigint AS mature, sum(c.converted)::bigint AS converted FROM cell AS c GROUP BY 1, 2),
    those AS (
      SELECT c.program, c.slice, s.signal, sum(c.support)::bigint AS support, sum(c.mature)::bigint AS mature, sum(c.converted)::bigint AS converted, sum(c.value) AS value,
             sum(c.touched)::bigint AS touched, sum(c.false_positives)::bigint AS false_positives, sum(c.burnt)::bigint AS burnt
      FROM cell AS c CROSS JOIN LATERAL unnest(c.signals || c.hidden) AS s(signal) GROUP BY 1, 2, 3)
    SELECT t.program, t.slice, t.signal,
           (SELECT p.document #>> ARRAY['signals', t.signal, 'kind'] FROM pql.program AS p
            WHERE p.program = t.program AND p.status <> 'draft' AND p.document -> 'signals' ? t.signal ORDER BY p.version DESC LIMIT 1),
           t.support, t.mature, t.converted, w.share, w.low, w.high, e.mature - t.mature, e.converted - t.converted,
           (e.converted - t.converted)::float8 / nullif(e.mature - t.mature, 0), k.ratio, k.low, k.high, t.value, t.touched, t.false_positives, t.burnt
    FROM those AS t JOIN every AS e ON e.program = t.program AND e.slice IS NOT DISTINCT FROM t.slice
      CROSS JOIN LATERAL pql.share_interval(t.converted, t.mature) AS w
      CROSS JOIN LATERAL pql.ratio_interval(t.converted, t.mature, e.converted - t.converted, e.mature - t.mature) AS k
    WHERE (SELECT pql._check_slice(signal_performance.by, NULL)) -- here, since further in it would keep a join that nobody needs
    ORDER BY t.program, t.slice, k.ratio DESC NULLS LAST, t.signal;
  END;
COMMENT ON FUNCTION pql.signal_performance(text, text, timestamptz) IS
  'Which signals tell of conversion: for each with points, of the hand-offs of a program (null: all programs, each by itself), sliced by motion, segment, version, team, week, treated or delay (null: not), as of an instant: how many had it (support), how many of those are old enough for their label to be final (mature), how many of these converted, as a share between bounds (Wilson, 95%), the same without the signal, and the lift, one by the other, between bounds (Katz, 95%). A row that follows another is in the support only: it is the same hand-off. False positives: touched, final, not converted, and disqualified or not in need. Reps see nothing of signals of which they may not know. Errors: 22023 unknown slice.';

CREATE VIEW pql.signal_performance WITH (security_invoker = true) AS
  SELECT s.program, s.signal, s.kind, s.support, s.mature, s.converted, s.conversion, s.low, s.high, s.without_mature, s.without_converted, s.without_conversion,
         s.lift, s.lift_low, s.lift_high, s.value, s.touched, s.false_positives, s.burnt
  FROM pql.signal_performance(NULL, NULL, statement_timestamp()) AS s;
COMMENT ON VIEW pql.signal_performance IS 'Which signals tell of conversion, as of now, of each program; the function of that name slices it.';
COMMENT ON COLUMN pql.signal_performance.program IS 'The program.';
COMMENT ON COLUMN pql.signal_performance.signal IS 'The signal.';
COMMENT ON COLUMN pql.signal_performance.kind IS 'Its kind: activation, depth, breadth, fit, intent, risk.';
COMMENT ON COLUMN pql.signal_performance.converted IS 'How many of mature converted.';
COMMENT ON COLUMN pql.signal_performance.conversion IS 'The share of mature ones that converted; null: there are none.';
COMMENT ON COLUMN pql.signal_performance.low IS 'The lower bound of conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.signal_performance.high IS 'The upper bound of conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.signal_performance.without_mature IS 'How many hand-offs without it have a final label.';
COMMENT ON COLUMN pql.signal_performance.without_converted IS 'How many of without_mature converted.';
COMMENT ON COLUMN pql.signal_performance.without_conversion IS 'The share of without_mature that converted; null: there are none.';
COMMENT ON COLUMN pql.signal_performance.lift_low IS 'The lift''s lower bound (Katz, 95%).';
COMMENT ON COLUMN pql.signal_performance.lift_high IS 'The lift''s upper bound.';
COMMENT ON COLUMN pql.signal_performance.value IS 'What the outcomes of converted ones that had it are worth; null: nobody said.';
COMMENT ON COLUMN pql.signal_performance.touched IS 'How many of those that had it were contacted.';
COMMENT ON COLUMN pql.signal_performance.burnt IS 'Of how many of those contact did harm (pql.label.burnt).';
COMMENT ON COLUMN pql.signal_performance.support IS 'How many hand-offs had points of it.';
COMMENT ON COLUMN pql.signal_performance.mature IS 'How many of those have a final label.';
COMMENT ON COLUMN pql.signal_performance.lift IS 'The conversion with it by the conversion without it; lift_low above 1: it tells something.';
COMMENT ON COLUMN pql.signal_performance.false_positives IS 'How many of those that had it were touched, are final, didn''t convert, and were disqualified or not in need.';

CREATE OR REPLACE FUNCTION pql.motion_performance(program text DEFAULT NULL, by text DEFAULT NULL, as_of timestamptz DEFAULT statement_timestamp())
  RETURNS TABLE (program text, slice text, motion text, handoffs bigint, touched bigint, worked bigint, mature bigint, converted bigint, conversion float8, low float8, high float8,
    worked_mature bigint, worked_converted bigint, worked_conversion float8, held_out bigint, held_out_mature bigint, held_out_converted bigint,
    held_out_conversion float8, held_out_low float8, held_out_high float8, uplift float8, uplift_low float8, uplift_high float8,
    value numeric, credited numeric, over_touched bigint, under_touched bigint, false_positives bigint, burnt bigint, burnt_cost numeric)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB'
  BEGIN ATOMIC
    WITH cell AS (
      SELECT l.program, pql._slice(motion_performance.by, NULL, l.segment, l.version, l.rep, l.week, l.treated, l.touch_delay) AS slice, l.motion, l.holdout,
             count(*) AS n, count(l.first_touch_at) AS touched, count(*) FILTER (WHERE l.treated) AS worked,
             count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= motion_performance.as_of) AS mature, count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= motion_performance.as_of AND l.converted) AS converted,
             count(*) FILTER (WHERE l.matures_at <= motion_performance.as_of AND l.treated) AS worked_mature, count(*) FILTER (WHERE l.matures_at <= motion_performance.as_of AND l.treated AND l.converted) AS worked_converted,
             count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= motion_performance.as_of AND l.first_touch_at IS NULL) AS untouched_mature,
             count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= motion_performance.as_of AND l.first_touch_at IS NULL AND l.converted) AS untouched_converted,
             count(l.value) FILTER (WHERE l.follows IS NULL AND l.converted) AS valued, sum(l.value) FILTER (WHERE l.follows IS NULL AND l.converted) AS value, sum(l.credited) AS credited,
             count(*) FILTER (WHERE l.touches > 8 AND l.converted IS NOT TRUE) AS over_touched,
             count(*) FILTER (WHERE l.first_touch_at IS NULL AND l.contact_by <= motion_performance.as_of AND l.state NOT IN ('blocked', 'suppressed')
               AND l.motion NOT IN ('none', 'in_app', 'email')) AS under_touched,
             count(*) FILTER (WHERE l.false_positive) AS false_positives, count(*) FILTER (WHERE l.burnt) AS burnt
      FROM pql.labels(motion_performance.as_of, motion_performance.program) AS l GROUP BY 1, 2, 3, 4),
    arm AS (
      SELECT c.program, pql._sliced(motion_performance.by, c.slice) AS slice, c.motion, sum(c.n) FILTER (WHERE NOT c.holdout)::bigint AS n, sum(c.touched)::bigint AS touched, sum(c.worked)::bigint AS worked,
             coalesce(sum(c.mature) FILTER (WHERE NOT c.holdout), 0)::bigint AS mature, coalesce(sum(c.converted) FILTER (WHERE NOT c.holdout), 0)::bigint AS converted,
             sum(c.worked_mature)::bigint AS worked_mature, sum(c.worked_converted)::bigint AS worked_converted,
             coalesce(sum(c.n) FILTER (WHERE c.holdout), 0)::bigint AS held_out, coalesce(sum(c.mature) FILTER (WHERE c.holdout), 0)::bigint AS held_out_mature,
             coalesce(sum(c.converted) FILTER (WHERE c.holdout), 0)::bigint AS held_out_converted,
             sum(c.untouched_mature)::bigint AS untouched_mature, sum(c.untouched_converted)::bigint AS untouched_converted,
             sum(c.value) / nullif(sum(c.valued), 0) AS worth, sum(c.value) AS value, sum(c.credited) AS credited, sum(c.over_touched)::bigint AS over_touched,
             sum(c.under_touched)::bigint AS under_touched, sum(c.false_positives)::bigint AS false_positives, sum(c.burnt)::bigint AS burnt
      FROM cell AS c GROUP BY 1, 2, 3)
    SELECT a.program, a.slice, a.motion, coalesce(a.n, 0), a.touched, a.worked, a.mature, a.converted, w.share, w.low, w.high,
           a.worked_mature, a.worked_converted, a.worked_converted::float8 / nullif(a.worked_mature, 0), a.held_out, a.held_out_mature, a.held_out_converted,
           h.share, h.low, h.high, d.difference, d.low, d.high, a.value, a.credited, a.over_touched, a.under_touched, a.false_positives, a.burnt,
           round(a.burnt * a.worth * coalesce(a.held_out_converted::numeric / nullif(a.held_out_mature, 0), a.untouched_converted::numeric / nullif(a.untouched_mature, 0)), 2)
    FROM arm AS a
      CROSS JOIN LATERAL pql.share_interval(a.converted, a.mature) AS w
      CROSS JOIN LATERAL pql.share_interval(a.held_out_converted, a.held_out_mature) AS h
      -- Who is held out is nobody's, and contacted by nobody: slices of what comes of contact would compare others than chance did.
      LEFT JOIN LATERAL pql.difference_interval(a.converted, a.mature, a.held_out_converted, a.held_out_mature) AS d
        ON motion_performance.by IS NULL OR motion_performance.by NOT IN ('treated', 'delay', 'team')
    WHERE (SELECT pql._check_slice(motion_performance.by, 'motion'))
    ORDER BY a.program, a.slice, a.motion;
  END;
COMMENT ON FUNCTION pql.motion_performance(text, text, timestamptz) IS
  'What each motion brings, of a program (null: all, each by itself), sliced by segment, version, team, week, treated or delay (null: not), as of an instant. Those that were not held out and those that were stand side by side, each with its share of conversions among final labels (Wilson, 95%), and uplift is the difference (Newcombe, 95%): of all who might have been contacted, so that choosing whom to work doesn''t count as an effect; there is none in slices by treated, delay and team, which follow from contact and aren''t those that chance made; worked_conversion is of those who were. A row that follows another, because a better motion came up, is the same hand-off: shares and values count the first, by the motion that was decided then. Over-touched: more than eight touches, and no conversion; under-touched: nobody reached out though it was promised. Burnt leads cost what they would have been worth: the mean value of a conversion times the share that converts when left alone (of those held out, or else of those that nobody touched). Errors: 22023 unknown slice.';

CREATE VIEW pql.motion_performance WITH (security_invoker = true) AS
  SELECT m.program, m.motion, m.handoffs, m.touched, m.worked, m.mature, m.converted, m.conversion, m.low, m.high, m.worked_mature, m.worked_converted, m.worked_conversion,
         m.held_out, m.held_out_mature, m.held_out_converted, m.held_out_conversion, m.held_out_low, m.held_out_high, m.uplift, m.uplift_low, m.uplift_high,
         m.value, m.credited, m.over_touched, m.under_touched, m.false_positives, m.burnt, m.burnt_cost
  FROM pql.motion_performance(NULL, NULL, statement_timestamp()) AS m;
COMMENT ON VIEW pql.motion_performance IS 'What each motion brings, as of now, of each program; the function of that name slices it.';
COMMENT ON COLUMN pql.motion_performance.program IS 'The program.';
COMMENT ON COLUMN pql.motion_performance.motion IS 'The motion.';
COMMENT ON COLUMN pql.motion_performance.handoffs IS 'How many hand-offs, without those that were held out.';
COMMENT ON COLUMN pql.motion_performance.touched IS 'How many were contacted.';
COMMENT ON COLUMN pql.motion_performance.worked IS 'How many were worked, as the program calls work (pql.outcome_rules).';
COMMENT ON COLUMN pql.motion_performance.mature IS 'How many, not held out, have a final label.';
COMMENT ON COLUMN pql.motion_performance.converted IS 'How many of mature converted.';
COMMENT ON COLUMN pql.motion_performance.conversion IS 'The share of mature that converted; null: there are none.';
COMMENT ON COLUMN pql.motion_performance.low IS 'The lower bound of conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.motion_performance.high IS 'The upper bound of conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.motion_performance.worked_mature IS 'How many that were worked have a final label.';
COMMENT ON COLUMN pql.motion_performance.worked_converted IS 'How many of worked_mature converted.';
COMMENT ON COLUMN pql.motion_performance.worked_conversion IS 'The share of worked_mature that converted; whom to work was chosen, so that this shows no effect.';
COMMENT ON COLUMN pql.motion_performance.held_out IS 'How many were held out.';
COMMENT ON COLUMN pql.motion_performance.held_out_mature IS 'How many of those have a final label.';
COMMENT ON COLUMN pql.motion_performance.held_out_converted IS 'How many of held_out_mature converted.';
COMMENT ON COLUMN pql.motion_performance.held_out_conversion IS 'The share of held_out_mature that converted; null: there are none.';
COMMENT ON COLUMN pql.motion_performance.held_out_low IS 'The lower bound of held_out_conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.motion_performance.held_out_high IS 'The upper bound of held_out_conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.motion_performance.uplift_low IS 'The uplift''s lower bound (Newcombe, 95%).';
COMMENT ON COLUMN pql.motion_performance.uplift_high IS 'The uplift''s upper bound.';
COMMENT ON COLUMN pql.motion_performance.value IS 'What the outcomes of converted ones are worth; null: nobody said.';
COMMENT ON COLUMN pql.motion_performance.over_touched IS 'How many had more than eight contacts, and didn''t convert.';
COMMENT ON COLUMN pql.motion_performance.under_touched IS 'How many nobody contacted though it was promised.';
COMMENT ON COLUMN pql.motion_performance.false_positives IS 'How many were touched, are final, didn''t convert, and were disqualified or not in need.';
COMMENT ON COLUMN pql.motion_performance.burnt IS 'Of how many contact did harm (pql.label.burnt).';
COMMENT ON COLUMN pql.motion_performance.uplift IS 'The conversion of those who were not held out less that of those who were; uplift_low above 0: contact helps.';
COMMENT ON COLUMN pql.motion_performance.credited IS 'What is credited to work (pql.label.credited).';
COMMENT ON COLUMN pql.motion_performance.burnt_cost IS 'What the burnt leads would have been worth had they been left alone; null where that isn''t known.';

CREATE OR REPLACE FUNCTION pql.timing_performance(program text DEFAULT NULL, by text DEFAULT NULL, as_of timestamptz DEFAULT statement_timestamp())
  RETURNS TABLE (program text, slice text, delay text, handoffs bigint, mature bigint, converted bigint, conversion float8, low float8, high float8,
    answered bigint, timing_right bigint, timing_fit float8, value numeric, burnt bigint)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB'
  BEGIN ATOMIC
    SELECT c.program, c.slice, substr(c.band, 3), c.n, c.mature, c.converted, w.share, w.low, w.high, c.answered, c.timing_right,
           c.timing_right::float8 / nullif(c.answered, 0), c.value, c.burnt
    FROM (
      SELECT r.program, pql._sliced(timing_performance.by, r.slice) AS slice, r.band, sum(r.n)::bigint AS n, sum(r.mature)::bigint AS mature, sum(r.converted)::bigint AS converted,
             sum(r.answered)::bigint AS answered, sum(r.timing_right)::bigint AS timing_right, sum(r.value) AS value, sum(r.burnt)::bigint AS burnt
      FROM (
        SELECT l.program, pql._slice(timing_performance.by, l.motion, l.segment, l.version, l.rep, l.week, l.treated, NULL) AS slice, pql._delay_band(l.touch_delay) AS band, count(*) AS n,
               count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= timing_performance.as_of) AS mature, count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= timing_performance.as_of AND l.converted) AS converted,
               count(l.timing_right) AS answered, count(*) FILTER (WHERE l.timing_right) AS timing_right, sum(l.value) FILTER (WHERE l.follows IS NULL AND l.converted) AS value,
               count(*) FILTER (WHERE l.burnt) AS burnt
        FROM pql.labels(timing_performance.as_of, timing_performance.program) AS l WHERE NOT l.holdout GROUP BY 1, 2, 3) AS r
      GROUP BY 1, 2, 3) AS c
      CROSS JOIN LATERAL pql.share_interval(c.converted, c.mature) AS w
    WHERE (SELECT pql._check_slice(timing_performance.by, 'delay'))
    ORDER BY c.program, c.slice, c.band;
  END;
COMMENT ON FUNCTION pql.timing_performance(text, text, timestamptz) IS
  'What speed brings: by how long it took from the moment at which the subject qualified until somebody reached out, of a program (null: all, each by itself), sliced by motion, segment, version, team, week or treated (null: not), as of an instant: how many, the share of conversions among final labels (Wilson, 95%), and how often the rep said that the timing was right. Without those that were held out; of rows that follow another only the first has a label here. Errors: 22023 unknown slice.';

CREATE VIEW pql.timing_performance WITH (security_invoker = true) AS
  SELECT t.program, t.slice AS motion, t.delay, t.handoffs, t.mature, t.converted, t.conversion, t.low, t.high, t.answered, t.timing_right, t.timing_fit, t.value, t.burnt
  FROM pql.timing_performance(NULL, 'motion', statement_timestamp()) AS t;
COMMENT ON VIEW pql.timing_performance IS 'What speed brings, as of now, of each program and motion; the function of that name slices it otherwise.';
COMMENT ON COLUMN pql.timing_performance.program IS 'The program.';
COMMENT ON COLUMN pql.timing_performance.motion IS 'The motion.';
COMMENT ON COLUMN pql.timing_performance.delay IS 'How long it took until somebody reached out: within 1 hour, within 4 hours, within 1 day, within 3 days, within 7 days, later, never.';
COMMENT ON COLUMN pql.timing_performance.handoffs IS 'How many hand-offs, without those that were held out.';
COMMENT ON COLUMN pql.timing_performance.mature IS 'How many of those have a final label.';
COMMENT ON COLUMN pql.timing_performance.converted IS 'How many of mature converted.';
COMMENT ON COLUMN pql.timing_performance.conversion IS 'The share of mature that converted; null: there are none.';
COMMENT ON COLUMN pql.timing_performance.low IS 'The lower bound of conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.timing_performance.high IS 'The upper bound of conversion (Wilson, 95%).';
COMMENT ON COLUMN pql.timing_performance.answered IS 'Of how many the rep said whether the timing was right.';
COMMENT ON COLUMN pql.timing_performance.timing_right IS 'Of how many the rep said that the timing was right.';
COMMENT ON COLUMN pql.timing_performance.value IS 'What the outcomes of converted ones are worth; null: nobody said.';
COMMENT ON COLUMN pql.timing_performance.burnt IS 'Of how many contact did harm (pql.label.burnt).';
COMMENT ON COLUMN pql.timing_performance.timing_fit IS 'The share of answers that say that the timing was right.';

-- Who touched whom too much, and too little: by how much a hand-off promised.
CREATE VIEW pql.touch_balance WITH (security_invoker = true) AS
  WITH score AS (
    SELECT l.program, l.score, count(*) AS n, sum(l.touches) AS touches, count(*) FILTER (WHERE l.first_touch_at IS NULL) AS untouched,
           count(*) FILTER (WHERE l.touches > 8 AND l.converted IS NOT TRUE) AS over_touched, count(*) FILTER (WHERE l.converted) AS converted
    FROM pql.labels(statement_timestamp()) AS l
    WHERE NOT l.holdout AND l.state NOT IN ('blocked', 'suppressed') AND l.motion NOT IN ('none', 'in_app', 'email') GROUP BY 1, 2),
  placed AS (
    SELECT s.*, (sum(s.n) OVER (PARTITION BY s.program ORDER BY s.score) - s.n / 2.0) / sum(s.n) OVER (PARTITION BY s.program) AS place FROM score AS s)
  SELECT p.program, CASE WHEN p.place < 0.25 THEN 'lowest quarter' WHEN p.place < 0.5 THEN 'second quarter' WHEN p.place < 0.75 THEN 'third quarter' ELSE 'highest quarter' END AS scores,
         min(p.score) AS lowest, max(p.score) AS highest, sum(p.n)::bigint AS handoffs, (sum(p.touches) / sum(p.n))::float8 AS touches_each, sum(p.untouched)::bigint AS untouched,
         sum(p.over_touched)::bigint AS over_touched, sum(p.converted)::bigint AS converted
  FROM placed AS p GROUP BY 1, 2 ORDER BY 1, 3;
COMMENT ON VIEW pql.touch_balance IS 'Whether effort goes where the scores are: touches by quarters of the scores of a program''s hand-offs to people.';
COMMENT ON COLUMN pql.touch_balance.program IS 'The program.';
COMMENT ON COLUMN pql.touch_balance.scores IS 'The quarter: lowest, second, third or highest.';
COMMENT ON COLUMN pql.touch_balance.lowest IS 'The lowest score in it.';
COMMENT ON COLUMN pql.touch_balance.highest IS 'The highest score in it.';
COMMENT ON COLUMN pql.touch_balance.handoffs IS 'How many hand-offs to people, without those that were held out or blocked.';
COMMENT ON COLUMN pql.touch_balance.touches_each IS 'How many contacts each had, on average, of those that count.';
COMMENT ON COLUMN pql.touch_balance.converted IS 'How many converted so far.';
COMMENT ON COLUMN pql.touch_balance.untouched IS 'How many nobody contacted: high scores among them are under-served.';
COMMENT ON COLUMN pql.touch_balance.over_touched IS 'How many had more than eight contacts, and no conversion.';

-- The whole life of hand-offs; a person's own rows are in pql.handoffs.
CREATE VIEW pql._handoff_counts WITH (security_invoker = true) AS
  SELECT l.program, l.version, l.motion, l.segment, l.week, count(*) AS volume, count(*) FILTER (WHERE l.holdout) AS held_out,
         count(*) FILTER (WHERE l.state IN ('blocked', 'suppressed') AND NOT l.holdout) AS blocked,
         count(*) FILTER (WHERE l.state NOT IN ('blocked', 'suppressed') AND l.motion NOT IN ('none', 'in_app', 'email')) AS offered,
         count(l.accepted_at) AS accepted, count(l.first_touch_at) AS touched,
         avg(date_part('epoch', l.touch_delay) / 3600) AS hours_to_first_touch,
         count(*) FILTER (WHERE NOT l.holdout AND (l.first_touch_at IS NOT NULL OR l.contact_by <= statement_timestamp()) AND l.contact_by IS NOT NULL) AS promised,
         count(*) FILTER (WHERE NOT l.holdout AND l.first_touch_at <= l.contact_by) AS kept, count(*) FILTER (WHERE l.treated) AS worked, count(l.met_at) AS meetings,
         count(l.opportunity_at) AS opportunities, count(*) FILTER (WHERE l.follows IS NULL AND l.converted) AS converted, count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= statement_timestamp()) AS mature,
         count(*) FILTER (WHERE l.follows IS NULL AND l.matures_at <= statement_timestamp() AND l.converted) AS mature_converted, sum(l.value) FILTER (WHERE l.follows IS NULL AND l.converted) AS revenue, sum(l.credited) AS credited,
         avg(l.complete) AS completeness, count(l.complete) AS packets, count(*) FILTER (WHERE l.need_matched IS NOT NULL OR l.timing_right IS NOT NULL OR l.context_enough IS NOT NULL) AS answered,
         count(l.timing_right) AS timing_answered, count(*) FILTER (WHERE l.timing_right) AS timing_right,
         count(l.need_matched) AS need_answered, count(*) FILTER (WHERE l.need_matched) AS need_matched,
         count(l.context_enough) AS context_answered, count(*) FILTER (WHERE l.context_enough) AS context_enough,
         count(l.disposition) AS disposed, count(*) FILTER (WHERE l.lost_at > l.first_touch_at) AS lost_after,
         count(*) FILTER (WHERE l.false_positive) AS false_positives, count(*) FILTER (WHERE l.burnt) AS burnt,
         count(*) FILTER (WHERE l.motion = 'customer_success' OR l.disposition = 'routed_to_cs') AS to_success
  FROM pql.labels(statement_timestamp()) AS l GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW pql._handoff_counts IS 'What pql.handoff_measures is made of.';

CREATE OR REPLACE FUNCTION pql._counted_handoffs() RETURNS SETOF pql._handoff_counts
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 2000 SET search_path = pg_catalog, pg_temp SET jit = off SET work_mem = '64MB'
  BEGIN ATOMIC
    SELECT c.* FROM pql._handoff_counts AS c;
  END;
COMMENT ON FUNCTION pql._counted_handoffs() IS 'pql._handoff_counts, counted in memory: there are few groups, which the planner doesn''t know.';

CREATE VIEW pql.handoff_measures WITH (security_invoker = true) AS
  SELECT m.program, m.version, m.motion, m.segment, m.week, m.volume, m.held_out, m.blocked, m.offered, m.accepted, m.accepted::float8 / nullif(m.offered, 0) AS acceptance,
         m.touched, m.hours_to_first_touch, m.promised, m.kept, m.kept::float8 / nullif(m.promised, 0) AS sla, m.worked, m.meetings, m.meetings::float8 / nullif(m.touched, 0) AS meeting_rate,
         m.opportunities, m.converted, m.mature, m.mature_converted::float8 / nullif(m.mature, 0) AS conversion, m.revenue, m.credited, m.completeness,
         m.answered, m.answered::float8 / nullif(m.disposed, 0) AS feedback, m.timing_right::float8 / nullif(m.timing_answered, 0) AS timing_fit,
         m.need_matched::float8 / nullif(m.need_answered, 0) AS need_fit, m.context_enough::float8 / nullif(m.context_answered, 0) AS context_fit,
         m.disposed, m.lost_after, m.lost_after::float8 / nullif(m.touched, 0) AS churn_after_handoff, m.false_positives, m.burnt, m.to_success
  FROM pql._counted_handoffs() AS m;
COMMENT ON VIEW pql.handoff_measures IS 'The whole life of hand-offs, by program, version, motion, segment and the week (from Monday, UTC) in which they qualified: never volume without what came of it.';
COMMENT ON COLUMN pql.handoff_measures.program IS 'The program.';
COMMENT ON COLUMN pql.handoff_measures.version IS 'The version of the program that decided.';
COMMENT ON COLUMN pql.handoff_measures.motion IS 'The motion.';
COMMENT ON COLUMN pql.handoff_measures.segment IS 'As the packet has it: the attribute segment, or else industry, tier or plan; null: none of these.';
COMMENT ON COLUMN pql.handoff_measures.week IS 'The Monday (UTC) of the week in which they qualified.';
COMMENT ON COLUMN pql.handoff_measures.volume IS 'How many hand-offs there were, of all kinds.';
COMMENT ON COLUMN pql.handoff_measures.held_out IS 'How many were held out.';
COMMENT ON COLUMN pql.handoff_measures.blocked IS 'How many a guardrail keeps from being worked.';
COMMENT ON COLUMN pql.handoff_measures.accepted IS 'How many a rep accepted.';
COMMENT ON COLUMN pql.handoff_measures.acceptance IS 'The share of those offered that was accepted; null: none was offered.';
COMMENT ON COLUMN pql.handoff_measures.touched IS 'How many were contacted.';
COMMENT ON COLUMN pql.handoff_measures.kept IS 'How many were contacted before contact_by.';
COMMENT ON COLUMN pql.handoff_measures.sla IS 'The share of promises that were kept; null: none was due.';
COMMENT ON COLUMN pql.handoff_measures.worked IS 'How many were worked, as the program calls work (pql.outcome_rules).';
COMMENT ON COLUMN pql.handoff_measures.meetings IS 'How many had a meeting, held or set.';
COMMENT ON COLUMN pql.handoff_measures.meeting_rate IS 'Meetings by those contacted; null: none was.';
COMMENT ON COLUMN pql.handoff_measures.opportunities IS 'How many had an outcome named opportunity.';
COMMENT ON COLUMN pql.handoff_measures.converted IS 'How many converted so far, without rows that follow another of the same episode.';
COMMENT ON COLUMN pql.handoff_measures.mature IS 'How many have a final label, without rows that follow another of the same episode.';
COMMENT ON COLUMN pql.handoff_measures.credited IS 'What outcomes that are credited to them are worth; each counts once.';
COMMENT ON COLUMN pql.handoff_measures.answered IS 'How many have at least one of the rep''s three answers.';
COMMENT ON COLUMN pql.handoff_measures.timing_fit IS 'The share of answers that say that the timing was right; null: nobody answered.';
COMMENT ON COLUMN pql.handoff_measures.need_fit IS 'The share of answers that say that the need was the one that the packet told of; null: nobody answered.';
COMMENT ON COLUMN pql.handoff_measures.context_fit IS 'The share of answers that say that the context was enough; null: nobody answered.';
COMMENT ON COLUMN pql.handoff_measures.disposed IS 'How many have a disposition.';
COMMENT ON COLUMN pql.handoff_measures.lost_after IS 'How many were lost after they had been contacted, within the horizon.';
COMMENT ON COLUMN pql.handoff_measures.false_positives IS 'How many were touched, are final, didn''t convert, and were disqualified or not in need.';
COMMENT ON COLUMN pql.handoff_measures.burnt IS 'Of how many contact did harm (pql.label.burnt).';
COMMENT ON COLUMN pql.handoff_measures.offered IS 'How many were for people, and not blocked.';
COMMENT ON COLUMN pql.handoff_measures.promised IS 'How many had a contact_by that has come, or were touched before it; those held out don''t count.';
COMMENT ON COLUMN pql.handoff_measures.hours_to_first_touch IS 'From qualifying (of rows that follow others: from when they were decided) until somebody reached out, on average, in hours.';
COMMENT ON COLUMN pql.handoff_measures.conversion IS 'The share of those with a final label (mature) that converted; null: none has one.';
COMMENT ON COLUMN pql.handoff_measures.revenue IS 'What the outcomes of converted ones are worth; null: nobody said. An outcome counts for each hand-off that it is an outcome of (in credited once).';
COMMENT ON COLUMN pql.handoff_measures.completeness IS 'How complete the packets are, from 0 to 1, on average.';
COMMENT ON COLUMN pql.handoff_measures.feedback IS 'The share of those disposed of with at least one of the three answers; null: none was.';
COMMENT ON COLUMN pql.handoff_measures.churn_after_handoff IS 'The share of those touched that was lost after that, within the horizon.';
COMMENT ON COLUMN pql.handoff_measures.to_success IS 'How many went to customer success.';
--@ comments _handoff_counts handoff_measures program version motion segment week volume held_out blocked offered accepted touched hours_to_first_touch promised kept worked meetings opportunities converted mature revenue credited completeness answered disposed lost_after false_positives burnt to_success
COMMENT ON COLUMN pql._handoff_counts.mature_converted IS 'How many of mature converted.';
COMMENT ON COLUMN pql._handoff_counts.packets IS 'How many have a completeness, of which it is the mean.';
COMMENT ON COLUMN pql._handoff_counts.timing_answered IS 'How many say whether the timing was right.';
COMMENT ON COLUMN pql._handoff_counts.timing_right IS 'How many say that it was.';
COMMENT ON COLUMN pql._handoff_counts.need_answered IS 'How many say whether the need was the one that the packet told of.';
COMMENT ON COLUMN pql._handoff_counts.need_matched IS 'How many say that it was.';
COMMENT ON COLUMN pql._handoff_counts.context_answered IS 'How many say whether the context was enough.';
COMMENT ON COLUMN pql._handoff_counts.context_enough IS 'How many say that it was.';

CREATE OR REPLACE FUNCTION pql._measured_reps() RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  acting text := nullif(current_setting('pql.rep', true), '');
  owner oid := (SELECT e.extowner FROM pg_extension AS e WHERE e.extname = 'pql');
  mine text[];
BEGIN
  mine := ARRAY(SELECT p.rep_id FROM pql.reps AS p WHERE pg_has_role(current_user, to_regrole(quote_ident(p.db_role)), 'MEMBER'));
  IF pg_has_role(current_user, owner, 'MEMBER') THEN
    mine := '{}';
  END IF;
  IF acting = ANY (mine) OR mine = '{}' AND EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = acting) THEN
    mine := ARRAY[acting];
  END IF;
  IF mine = '{}' OR EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = ANY (mine) AND p.manager) THEN
    RETURN NULL;
  END IF;
  RETURN mine;
END $$;
COMMENT ON FUNCTION pql._measured_reps() IS 'The reps of whose performance the current role may know: a rep of his own; null: everybody''s, as for managers, and who is no rep.';

CREATE VIEW pql.rep_performance WITH (security_invoker = true) AS
  SELECT p.rep_id AS rep, p.team, coalesce(m.handoffs, 0) AS handoffs, coalesce(m.open, 0) AS open, p.capacity, m.open::float8 / nullif(p.capacity, 0) AS load,
         m.handoffs::float8 / nullif(sum(m.handoffs) OVER everybody, 0) AS share, p.weight / nullif(sum(p.weight) OVER everybody, 0) AS fair_share,
         m.handoffs::float8 / nullif(sum(m.handoffs) OVER everybody, 0) / nullif(p.weight / nullif(sum(p.weight) OVER everybody, 0), 0) AS fairness,
         m.score AS mean_score, m.touched, m.hours_to_first_touch, m.kept::float8 / nullif(coalesce(m.promised, 0) + coalesce(b.broken, 0), 0) AS sla, m.worked, m.meetings, m.converted,
         m.credits, m.credited, m.answered::float8 / nullif(m.disposed, 0) AS feedback, m.false_positives, m.burnt
  FROM (SELECT r.* FROM pql.reps AS r, (SELECT pql._measured_reps() AS reps OFFSET 0) AS v WHERE coalesce(r.rep_id = ANY (v.reps), true)) AS p
    LEFT JOIN (
      SELECT l.rep, count(*) AS handoffs, count(*) FILTER (WHERE l.state IN ('pending', 'ready', 'claimed', 'accepted', 'touched')) AS open, avg(l.score)::float8 AS score,
             count(l.first_touch_at) AS touched, avg(date_part('epoch', l.touch_delay) / 3600) AS hours_to_first_touch,
             count(*) FILTER (WHERE (l.first_touch_at IS NOT NULL OR l.contact_by <= statement_timestamp()) AND l.contact_by IS NOT NULL
               AND coalesce(l.broken_by, l.rep) = l.rep) AS promised,
             count(*) FILTER (WHERE NOT l.holdout AND l.first_touch_at <= l.contact_by AND l.broken_by IS NULL) AS kept, count(*) FILTER (WHERE l.treated) AS worked, count(l.met_at) AS meetings,
             count(*) FILTER (WHERE l.converted) AS converted, sum(l.credits) AS credits, sum(l.credited) AS credited, count(l.disposition) AS disposed,
             count(*) FILTER (WHERE l.need_matched IS NOT NULL OR l.timing_right IS NOT NULL OR l.context_enough IS NOT NULL) AS answered,
             count(*) FILTER (WHERE l.false_positive) AS false_positives, count(*) FILTER (WHERE l.burnt) AS burnt
      FROM pql.labels(statement_timestamp()) AS l WHERE l.rep IS NOT NULL GROUP BY 1) AS m ON m.rep = p.rep_id
    LEFT JOIN (
      SELECT f.broken_by AS rep, count(*) AS broken FROM pql._handoffs_now AS f WHERE f.broken_by <> coalesce(f.owner, '') GROUP BY 1) AS b ON b.rep = p.rep_id
  WINDOW everybody AS (PARTITION BY p.team);
COMMENT ON VIEW pql.rep_performance IS 'What reps have and what they make of it. A rep sees his own line; managers, and who is no rep, see all.';
COMMENT ON COLUMN pql.rep_performance.handoffs IS 'How many routing rows the rep has, whatever became of them.';
COMMENT ON COLUMN pql.rep_performance.open IS 'How many of them are pending, ready, claimed, accepted or touched.';
COMMENT ON COLUMN pql.rep_performance.fair_share IS 'The share that the rep''s weight says, among those of the team.';
COMMENT ON COLUMN pql.rep_performance.fairness IS 'Share by fair_share: above 1 is more than the weight says.';
COMMENT ON COLUMN pql.rep_performance.mean_score IS 'The mean score of his hand-offs, in points.';
COMMENT ON COLUMN pql.rep_performance.touched IS 'How many he contacted; null: he has none.';
COMMENT ON COLUMN pql.rep_performance.hours_to_first_touch IS 'From qualifying until somebody reached out, on average, in hours.';
COMMENT ON COLUMN pql.rep_performance.worked IS 'How many were worked, as the program calls work (pql.outcome_rules).';
COMMENT ON COLUMN pql.rep_performance.meetings IS 'How many had a meeting, held or set.';
COMMENT ON COLUMN pql.rep_performance.converted IS 'How many converted so far.';
COMMENT ON COLUMN pql.rep_performance.credited IS 'What the outcomes credited to his work are worth.';
COMMENT ON COLUMN pql.rep_performance.feedback IS 'The share of those disposed of with at least one of the three answers.';
COMMENT ON COLUMN pql.rep_performance.false_positives IS 'How many were touched, are final, didn''t convert, and were disqualified or not in need.';
COMMENT ON COLUMN pql.rep_performance.burnt IS 'Of how many contact did harm (pql.label.burnt).';
--@ comments rep_performance reps rep=rep_id team capacity
COMMENT ON COLUMN pql.rep_performance.sla IS 'The share of promises that were kept. A broken one counts against the rep whose row it was then, not against who took it over; a rep himself sees no more of those that were taken from him.';
COMMENT ON COLUMN pql.rep_performance.load IS 'Open rows by capacity.';
COMMENT ON COLUMN pql.rep_performance.share IS 'His part of the hand-offs of the team, as far as they are shown; fair_share is what the weights say, fairness the one by the other.';
COMMENT ON COLUMN pql.rep_performance.credits IS 'Outcomes credited to his work.';

-- The same, for those who ask: product, marketing, sales and customer success.
CREATE VIEW pql.measures_for_product WITH (security_invoker = true) AS
  SELECT s.program, s.signal, s.kind, s.support AS volume, s.mature, s.converted, s.conversion, s.low, s.high, s.lift, s.lift_low, s.lift_high, s.value AS revenue,
         s.touched, s.false_positives, s.burnt,
         CASE WHEN s.mature < 10 THEN 'too few' WHEN s.lift_low > 1 THEN 'tells of conversion' WHEN s.lift_high < 1 THEN 'tells against it' ELSE 'not proven' END AS verdict
  FROM pql.signal_performance AS s;
COMMENT ON VIEW pql.measures_for_product IS 'For product: which behaviour tells of conversion, and which only looks like it.';
--@ comments measures_for_product signal_performance program signal kind volume=support mature converted conversion low high lift lift_low lift_high revenue=value touched false_positives burnt
COMMENT ON COLUMN pql.measures_for_product.verdict IS 'too few: less than ten final labels; otherwise by the bounds of the lift.';

CREATE VIEW pql.measures_for_marketing WITH (security_invoker = true) AS
  SELECT m.program, m.segment, m.week, sum(m.volume)::bigint AS volume, sum(m.offered)::bigint AS offered, sum(m.accepted)::bigint AS accepted,
         (sum(m.accepted) / nullif(sum(m.offered), 0))::float8 AS acceptance, sum(m.mature)::bigint AS mature, sum(m.converted)::bigint AS converted,
         sum(m.conversion * m.mature) / nullif(sum(m.mature), 0)::float8 AS conversion, sum(m.revenue) AS revenue, sum(m.false_positives)::bigint AS false_positives, sum(m.burnt)::bigint AS burnt
  FROM pql.handoff_measures AS m GROUP BY 1, 2, 3;
COMMENT ON VIEW pql.measures_for_marketing IS 'For marketing: how many of whom, and what came of them: never one without the other.';
--@ comments measures_for_marketing handoff_measures program segment week volume offered accepted acceptance mature converted conversion revenue false_positives burnt

CREATE VIEW pql.measures_for_sales WITH (security_invoker = true) AS
  SELECT m.program, m.motion, m.week, sum(m.volume)::bigint AS volume, sum(m.offered)::bigint AS offered, sum(m.accepted)::bigint AS accepted,
         (sum(m.accepted) / nullif(sum(m.offered), 0))::float8 AS acceptance, sum(m.touched)::bigint AS touched,
         sum(m.hours_to_first_touch * m.touched) / nullif(sum(m.touched), 0)::float8 AS hours_to_first_touch, (sum(m.kept) / nullif(sum(m.promised), 0))::float8 AS sla,
         sum(m.worked)::bigint AS worked, sum(m.meetings)::bigint AS meetings, sum(m.opportunities)::bigint AS opportunities, sum(m.converted)::bigint AS converted,
         sum(m.conversion * m.mature) / nullif(sum(m.mature), 0)::float8 AS conversion, sum(m.revenue) AS revenue, sum(m.credited) AS credited,
         (sum(m.answered) / nullif(sum(m.disposed), 0))::float8 AS feedback
  FROM pql.handoff_measures AS m GROUP BY 1, 2, 3;
COMMENT ON VIEW pql.measures_for_sales IS 'For sales: from the hand-off to the meeting and the deal, by motion and week; pql.rep_performance has it by rep.';
--@ comments measures_for_sales handoff_measures program motion week volume offered accepted acceptance touched hours_to_first_touch sla worked meetings opportunities converted conversion revenue credited feedback

CREATE VIEW pql.measures_for_success WITH (security_invoker = true) AS
  SELECT m.program, m.segment, m.week, sum(m.volume)::bigint AS volume, sum(m.to_success)::bigint AS to_success, sum(m.touched)::bigint AS touched,
         sum(m.lost_after)::bigint AS lost_after, (sum(m.lost_after) / nullif(sum(m.touched), 0))::float8 AS churn_after_handoff, sum(m.burnt)::bigint AS burnt,
         sum(m.converted)::bigint AS converted, (sum(m.mature_converted) / nullif(sum(m.mature), 0))::float8 AS conversion,
         (sum(m.timing_right) / nullif(sum(m.timing_answered), 0))::float8 AS timing_fit, (sum(m.need_matched) / nullif(sum(m.need_answered), 0))::float8 AS need_fit,
         (sum(m.context_enough) / nullif(sum(m.context_answered), 0))::float8 AS context_fit, sum(m.completeness * m.packets) / nullif(sum(m.packets), 0)::float8 AS completeness
  FROM pql._counted_handoffs() AS m GROUP BY 1, 2, 3;
COMMENT ON VIEW pql.measures_for_success IS 'For customer success: who came to them, and who left after somebody had been in contact.';
--@ comments measures_for_success handoff_measures program segment week volume to_success touched lost_after churn_after_handoff burnt converted conversion timing_fit need_fit context_fit completeness

-- To whom each outcome is credited, and why, or why not: what reps and their managers argue about.
CREATE VIEW pql.attribution WITH (security_invoker = true) AS
  SELECT o.outcome_id, o.unit, o.subject_id, o.outcome, o.value, o.at, c.routing_id, c.program, c.version, c.motion, c.owner AS rep,
         CASE WHEN v.owners IS NOT NULL AND NOT coalesce(c.worked_at <= o.at AND NOT c.holdout AND c.credits > 0, false) THEN 'not yours, as far as you see'
              WHEN c.worked_at <= o.at AND NOT c.holdout THEN 'credited: worked since ' || to_char(c.worked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')
              WHEN c.routing_id IS NULL THEN 'nobody''s: no hand-off within the horizon'
              WHEN c.holdout THEN 'nobody''s: held out'
              WHEN c.first_touch_at IS NULL OR c.first_touch_at > o.at THEN 'nobody''s: nobody had reached out'
              ELSE format('nobody''s: not enough work (%s %s, no meeting)', c.touches, CASE WHEN c.touches = 1 THEN 'touch' ELSE 'touches' END) END AS why,
         coalesce(c.worked_at <= o.at AND NOT c.holdout AND (v.owners IS NULL OR c.credits > 0), false) AS credited
  FROM pql.outcome AS o CROSS JOIN (SELECT pql._visible_owners() AS owners OFFSET 0) AS v
    LEFT JOIN (
      SELECT DISTINCT ON (x.outcome_id) x.outcome_id, f.*
      FROM pql._handoffs_now AS f JOIN pql.outcome_rules AS v ON v.program = f.program AND v.version = f.version
        CROSS JOIN LATERAL (SELECT CASE f.unit WHEN 'user' THEN 'u:' || f.subject_id WHEN 'workspace' THEN 'a:' || f.account_id END COLLATE "C" AS place) AS p
        LEFT JOIN (SELECT y.home, array_agg(y.same) AS same FROM pql._same_homes() AS y GROUP BY y.home) AS m ON m.home COLLATE "C" = f.home
        LEFT JOIN (SELECT y.home, array_agg(y.same) AS same FROM pql._same_homes() AS y GROUP BY y.home) AS n ON n.home COLLATE "C" = p.place
        CROSS JOIN LATERAL unnest(ARRAY[f.home, p.place] || m.same || n.same) AS u(place)
        JOIN pql.outcome AS x ON x.home = u.place COLLATE "C" AND x.at > f.qualified_at AND x.at <= f.matures_at AND x.outcome = ANY (v.converted)
      ORDER BY x.outcome_id, coalesce(f.worked_at <= x.at AND NOT f.holdout, false) DESC, f.worked_at DESC NULLS LAST, f.first_touch_at DESC NULLS LAST, f.routing_id DESC) AS c
      ON c.outcome_id = o.outcome_id
  WHERE o.outcome IN (SELECT unnest(v.converted) FROM pql.outcome_rules AS v);
COMMENT ON VIEW pql.attribution IS 'To whose work each outcome is credited: to the hand-off that was worked last before it, if one was (pql.outcome_rules says what work is), and otherwise why to none. A rep learns of his own; of others only that they aren''t.';
COMMENT ON COLUMN pql.attribution.program IS 'The program of that hand-off; null: there is none.';
COMMENT ON COLUMN pql.attribution.version IS 'The version of the program that decided it.';
COMMENT ON COLUMN pql.attribution.motion IS 'Its motion.';
COMMENT ON COLUMN pql.attribution.rep IS 'Its owner; null: nobody.';
COMMENT ON COLUMN pql.attribution.why IS 'credited and since when it was worked, or why to nobody''s work: no hand-off within the horizon, held out, nobody had reached out, not enough work. To a rep: not yours.';
COMMENT ON COLUMN pql.attribution.credited IS 'Whether it is credited to that hand-off.';
--@ comments attribution outcome outcome_id unit subject_id outcome value at
COMMENT ON COLUMN pql.attribution.routing_id IS 'The hand-off that it is credited to, or the one that came closest.';
