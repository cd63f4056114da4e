-- Views for BI tools and dashboards (integrations/bi): flat, stable, every column with a comment, no JSON, no arrays, no composites. They only rename, join and count
-- what other views define; columns may be added at the end, and don't change.

CREATE VIEW pql.bi_handoffs WITH (security_invoker = true) AS
  SELECT l.routing_id, l.program, l.version, l.unit, l.subject_id, l.account_id, l.segment, l.motion, l.score, l.team, l.rep, l.state,
         l.motion NOT IN ('none', 'in_app', 'email') AS for_people, l.holdout AS held_out, l.state IN ('blocked', 'suppressed') AND NOT l.holdout AS blocked,
         l.week, l.signal_at, l.qualified_at, l.claimed_at, l.accepted_at, l.first_touch_at, l.contact_by,
         extract(epoch FROM l.touch_delay)::float8 / 3600 AS hours_to_first_touch,
         CASE WHEN l.holdout OR l.contact_by IS NULL THEN NULL WHEN l.first_touch_at <= l.contact_by THEN 'kept'
              WHEN l.first_touch_at IS NOT NULL OR l.contact_by <= statement_timestamp() THEN 'broken' ELSE 'open' END AS promise,
         l.touches, l.treated AS worked, l.met_at, l.opportunity_at, l.disposition, l.need_matched, l.timing_right, l.context_enough, l.complete::float8 AS completeness,
         l.converted, l.converted_at, l.matures_at, l.matures_at <= statement_timestamp() AS final, l.value, l.credited, l.false_positive, l.burnt, l.follows
  FROM pql.labels(statement_timestamp()) AS l;
COMMENT ON VIEW pql.bi_handoffs IS 'One line for each hand-off, for BI: who, when, how far it came and what became of it, as of now.';
COMMENT ON COLUMN pql.bi_handoffs.score IS 'The score when it was decided, in points.';
COMMENT ON COLUMN pql.bi_handoffs.state IS 'The state that it is in now: pending, ready, blocked, suppressed, claimed, accepted, declined, touched, disposed, expired.';
COMMENT ON COLUMN pql.bi_handoffs.for_people IS 'Whether a person is to make contact; false: the motions none, in_app and email.';
COMMENT ON COLUMN pql.bi_handoffs.held_out IS 'Whether it was deliberately left alone, to compare with.';
COMMENT ON COLUMN pql.bi_handoffs.blocked IS 'Whether a guardrail keeps it from being worked.';
COMMENT ON COLUMN pql.bi_handoffs.signal_at IS 'The newest event behind its points.';
COMMENT ON COLUMN pql.bi_handoffs.qualified_at IS 'When the subject qualified.';
COMMENT ON COLUMN pql.bi_handoffs.claimed_at IS 'When a rep claimed it first; null: nobody did.';
COMMENT ON COLUMN pql.bi_handoffs.accepted_at IS 'When a rep accepted it first; null: nobody did.';
COMMENT ON COLUMN pql.bi_handoffs.first_touch_at IS 'When somebody reached out first; null: nobody did.';
COMMENT ON COLUMN pql.bi_handoffs.contact_by IS 'Until when somebody was to reach out; null: nothing was promised.';
COMMENT ON COLUMN pql.bi_handoffs.hours_to_first_touch IS 'Hours from qualifying until somebody reached out; null: nobody did.';
COMMENT ON COLUMN pql.bi_handoffs.promise IS 'The promise of contact_by: kept, broken, or open while there is time; null where nothing was promised.';
COMMENT ON COLUMN pql.bi_handoffs.touches IS 'How many contacts were made, of those that count.';
COMMENT ON COLUMN pql.bi_handoffs.worked IS 'Whether somebody worked it, as the program calls work.';
COMMENT ON COLUMN pql.bi_handoffs.met_at IS 'The first meeting, held or set.';
COMMENT ON COLUMN pql.bi_handoffs.opportunity_at IS 'The first outcome named opportunity.';
COMMENT ON COLUMN pql.bi_handoffs.disposition IS 'What the rep said last.';
COMMENT ON COLUMN pql.bi_handoffs.need_matched IS 'The rep''s answer: was the need the one that the packet told?';
COMMENT ON COLUMN pql.bi_handoffs.timing_right IS 'The rep''s answer: was it the right moment?';
COMMENT ON COLUMN pql.bi_handoffs.context_enough IS 'The rep''s answer: was the context enough?';
COMMENT ON COLUMN pql.bi_handoffs.completeness IS 'How complete the packet is, from 0 to 1.';
COMMENT ON COLUMN pql.bi_handoffs.converted IS 'Whether it converted; null: not yet, and there is time (final is false).';
COMMENT ON COLUMN pql.bi_handoffs.converted_at IS 'When it converted.';
COMMENT ON COLUMN pql.bi_handoffs.matures_at IS 'When its horizon ends.';
COMMENT ON COLUMN pql.bi_handoffs.final IS 'Whether the horizon has passed, so that converted is the last word. Count shares of these only.';
COMMENT ON COLUMN pql.bi_handoffs.value IS 'What its outcomes are worth, in your unit; of a subject with several hand-offs in each.';
COMMENT ON COLUMN pql.bi_handoffs.credited IS 'What of that is credited to its work: each outcome once.';
COMMENT ON COLUMN pql.bi_handoffs.false_positive IS 'Touched, final, not converted, and disqualified or not in need.';
COMMENT ON COLUMN pql.bi_handoffs.burnt IS 'Whether contact did harm.';
COMMENT ON COLUMN pql.bi_handoffs.follows IS 'The hand-off of the same episode that it followed; null for the first. Shares are of firsts.';
COMMENT ON COLUMN pql.bi_handoffs.program IS 'The program.';
COMMENT ON COLUMN pql.bi_handoffs.motion IS 'What was to happen: account_executive, email, in_app ...';
COMMENT ON COLUMN pql.bi_handoffs.team IS 'The team of the owner; null: nobody''s, or the owner isn''t among the reps any more.';
COMMENT ON COLUMN pql.bi_handoffs.rep IS 'The owner; null: nobody''s.';
COMMENT ON COLUMN pql.bi_handoffs.week IS 'The Monday (UTC) of the week in which they qualified.';
COMMENT ON COLUMN pql.bi_handoffs.unit IS 'What qualifies: account, user or workspace.';
COMMENT ON COLUMN pql.bi_handoffs.subject_id IS 'The account, user or workspace.';
COMMENT ON COLUMN pql.bi_handoffs.account_id IS 'Its account; null for people who are in none.';
COMMENT ON COLUMN pql.bi_handoffs.routing_id IS 'The number of the hand-off.';
COMMENT ON COLUMN pql.bi_handoffs.version IS 'The version of the program that decided.';
COMMENT ON COLUMN pql.bi_handoffs.segment IS 'As the packet has it: the attribute segment, or else industry, tier or plan.';

CREATE VIEW pql.bi_funnel WITH (security_invoker = true) AS
  SELECT f.program, f.motion, f.segment, f.week, s.place, s.step, s.handoffs
  FROM (
    SELECT h.program, h.motion, h.segment, h.week, count(*) AS qualified, count(*) FILTER (WHERE o.offered) AS offered,
           count(*) FILTER (WHERE o.offered AND (h.accepted_at IS NOT NULL OR h.first_touch_at IS NOT NULL)) AS accepted,
           count(*) FILTER (WHERE o.offered AND h.first_touch_at IS NOT NULL) AS contacted,
           count(*) FILTER (WHERE o.offered AND h.first_touch_at IS NOT NULL AND h.met_at IS NOT NULL) AS meeting,
           count(*) FILTER (WHERE o.offered AND h.converted AND h.first_touch_at <= h.converted_at) AS converted
    FROM pql.bi_handoffs AS h CROSS JOIN LATERAL (SELECT h.for_people AND NOT h.held_out AND NOT h.blocked AS offered) AS o WHERE h.follows IS NULL GROUP BY 1, 2, 3, 4) AS f
    CROSS JOIN LATERAL (VALUES (1, 'qualified', f.qualified), (2, 'offered to a rep', f.offered), (3, 'accepted', f.accepted), (4, 'contacted', f.contacted),
      (5, 'meeting', f.meeting), (6, 'converted after contact', f.converted)) AS s(place, step, handoffs);
COMMENT ON VIEW pql.bi_funnel IS 'The hand-off funnel for BI: one line for each step of a program, motion, segment and week, with how many came that far.';
COMMENT ON COLUMN pql.bi_funnel.place IS 'The order of the steps, from 1.';
COMMENT ON COLUMN pql.bi_funnel.step IS 'qualified; offered to a rep (neither held out nor blocked, and a motion for people); accepted; contacted; meeting; converted after contact, with a meeting or without.';
COMMENT ON COLUMN pql.bi_funnel.handoffs IS 'How many came that far, without those that followed another of the same episode.';
COMMENT ON COLUMN pql.bi_funnel.program IS 'The program.';
COMMENT ON COLUMN pql.bi_funnel.motion IS 'What was to happen: account_executive, email, in_app ...';
COMMENT ON COLUMN pql.bi_funnel.week IS 'The Monday (UTC) of the week in which they qualified.';
COMMENT ON COLUMN pql.bi_funnel.segment IS 'As the packet has it: the attribute segment, or else industry, tier or plan.';

CREATE VIEW pql.bi_first_touch WITH (security_invoker = true) AS
  SELECT h.program, h.motion, h.team, h.week, count(*) AS handoffs, count(h.hours_to_first_touch) AS touched,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY h.hours_to_first_touch) AS median_hours, percentile_cont(0.9) WITHIN GROUP (ORDER BY h.hours_to_first_touch) AS p90_hours,
         count(*) FILTER (WHERE h.hours_to_first_touch < 4) AS within_4_hours, count(*) FILTER (WHERE h.hours_to_first_touch < 24) AS within_24_hours,
         count(*) FILTER (WHERE h.first_touch_at IS NULL AND h.state IN ('pending', 'ready', 'claimed', 'accepted')) AS waiting
  FROM pql.bi_handoffs AS h WHERE h.for_people AND NOT h.held_out AND NOT h.blocked GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW pql.bi_first_touch IS 'Speed to first touch for BI, by program, motion, team and week: of hand-offs that were offered to reps.';
COMMENT ON COLUMN pql.bi_first_touch.handoffs IS 'How many were offered.';
COMMENT ON COLUMN pql.bi_first_touch.touched IS 'How many of them were contacted.';
COMMENT ON COLUMN pql.bi_first_touch.median_hours IS 'Hours from qualifying until somebody reached out: half were faster. Medians don''t add up: for other groups ask pql.bi_handoffs.';
COMMENT ON COLUMN pql.bi_first_touch.p90_hours IS 'Nine of ten were faster.';
COMMENT ON COLUMN pql.bi_first_touch.within_4_hours IS 'How many were contacted within four hours.';
COMMENT ON COLUMN pql.bi_first_touch.within_24_hours IS 'How many within a day.';
COMMENT ON COLUMN pql.bi_first_touch.waiting IS 'How many still wait for the first contact.';
COMMENT ON COLUMN pql.bi_first_touch.program IS 'The program.';
COMMENT ON COLUMN pql.bi_first_touch.motion IS 'What was to happen: account_executive, email, in_app ...';
COMMENT ON COLUMN pql.bi_first_touch.team IS 'The team of the owner; null: nobody''s, or the owner isn''t among the reps any more.';
COMMENT ON COLUMN pql.bi_first_touch.week IS 'The Monday (UTC) of the week in which they qualified.';

CREATE VIEW pql.bi_delays WITH (security_invoker = true) AS
  SELECT t.program, t.delay, array_position('{within 1 hour,within 4 hours,within 1 day,within 3 days,within 7 days,later,never}'::text[], t.delay) AS place,
         t.handoffs, t.mature, t.converted, t.conversion, t.low, t.high, t.answered, t.timing_right, t.timing_fit
  FROM pql.timing_performance(NULL, NULL, statement_timestamp()) AS t;
COMMENT ON VIEW pql.bi_delays IS 'Conversion by the time it took until somebody reached out, for BI, by program; of what was not held out.';
COMMENT ON COLUMN pql.bi_delays.delay IS 'within 1 hour, within 4 hours, within 1 day, within 3 days, within 7 days, later, never.';
COMMENT ON COLUMN pql.bi_delays.place IS 'The order of the delays, from 1.';
COMMENT ON COLUMN pql.bi_delays.handoffs IS 'How many.';
COMMENT ON COLUMN pql.bi_delays.mature IS 'How many of them have a final label.';
COMMENT ON COLUMN pql.bi_delays.converted IS 'How many of these converted.';
COMMENT ON COLUMN pql.bi_delays.conversion IS 'The share of final ones that converted.';
COMMENT ON COLUMN pql.bi_delays.low IS 'Its lower bound (Wilson, 95%).';
COMMENT ON COLUMN pql.bi_delays.high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_delays.answered IS 'Of how many the rep said whether the timing was right.';
COMMENT ON COLUMN pql.bi_delays.timing_right IS 'Of how many he said that it was.';
COMMENT ON COLUMN pql.bi_delays.timing_fit IS 'The share of those.';
COMMENT ON COLUMN pql.bi_delays.program IS 'The program.';

CREATE VIEW pql.bi_sla WITH (security_invoker = true) AS
  SELECT h.program, h.team, h.rep, h.week, count(*) AS promises, count(*) FILTER (WHERE h.promise = 'kept') AS kept, count(*) FILTER (WHERE h.promise = 'broken') AS broken,
         count(*) FILTER (WHERE h.promise = 'open') AS open, count(*) FILTER (WHERE h.promise = 'kept')::float8 / nullif(count(*) FILTER (WHERE h.promise <> 'open'), 0) AS kept_share
  FROM pql.bi_handoffs AS h WHERE h.promise IS NOT NULL AND NOT h.blocked GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW pql.bi_sla IS 'Promises (contact_by) for BI, by program, team, rep and week.';
COMMENT ON COLUMN pql.bi_sla.promises IS 'How many hand-offs had a contact_by.';
COMMENT ON COLUMN pql.bi_sla.kept IS 'How many were contacted by then.';
COMMENT ON COLUMN pql.bi_sla.broken IS 'How many weren''t.';
COMMENT ON COLUMN pql.bi_sla.open IS 'How many may still be.';
COMMENT ON COLUMN pql.bi_sla.kept_share IS 'Kept of those that are no longer open; null while all are.';
COMMENT ON COLUMN pql.bi_sla.program IS 'The program.';
COMMENT ON COLUMN pql.bi_sla.team IS 'The team of the owner; null: nobody''s, or the owner isn''t among the reps any more.';
COMMENT ON COLUMN pql.bi_sla.rep IS 'The owner; null: nobody''s.';
COMMENT ON COLUMN pql.bi_sla.week IS 'The Monday (UTC) of the week in which they qualified.';

CREATE VIEW pql.bi_capacity WITH (security_invoker = true) AS
  SELECT coalesce(v.team, 'nobody''s') AS team, v.week, v.handoffs, v.touched, v.waiting, c.reps, c.weekly_capacity, v.handoffs::float8 / nullif(c.weekly_capacity, 0) AS used
  FROM (
    SELECT h.team, h.week, count(*) AS handoffs, count(h.first_touch_at) AS touched,
           count(*) FILTER (WHERE h.first_touch_at IS NULL AND h.state IN ('pending', 'ready', 'claimed', 'accepted')) AS waiting
    FROM pql.bi_handoffs AS h WHERE h.for_people AND NOT h.held_out AND NOT h.blocked GROUP BY 1, 2) AS v
    LEFT JOIN (
      SELECT p.team, count(*) AS reps, CASE WHEN bool_and(p.weekly_capacity IS NOT NULL) THEN sum(p.weekly_capacity) END AS weekly_capacity
      FROM pql.reps AS p WHERE p.active GROUP BY 1) AS c ON c.team = v.team;
COMMENT ON VIEW pql.bi_capacity IS 'Capacity against volume for BI, by team and week: how many hand-offs came for people, and how many the team''s reps can take.';
COMMENT ON COLUMN pql.bi_capacity.team IS 'The team; "nobody''s": those without an owner.';
COMMENT ON COLUMN pql.bi_capacity.handoffs IS 'How many came in that week for the team''s reps, neither held out nor blocked.';
COMMENT ON COLUMN pql.bi_capacity.touched IS 'How many of them were contacted, whenever.';
COMMENT ON COLUMN pql.bi_capacity.waiting IS 'How many of them still wait for the first contact.';
COMMENT ON COLUMN pql.bi_capacity.reps IS 'How many active reps the team has now.';
COMMENT ON COLUMN pql.bi_capacity.weekly_capacity IS 'How many hand-offs its active reps take in a week, as of now; null: one of them has no limit.';
COMMENT ON COLUMN pql.bi_capacity.used IS 'What came, as a share of that: above 1 is more than the team can take.';
COMMENT ON COLUMN pql.bi_capacity.week IS 'The Monday (UTC) of the week in which they qualified.';

CREATE VIEW pql.bi_signals WITH (security_invoker = true) AS
  SELECT s.program, s.signal, s.kind, s.volume AS handoffs, s.mature, s.converted, s.conversion, s.low, s.high, s.lift, s.lift_low, s.lift_high, s.revenue,
         s.touched, s.false_positives, s.burnt, s.verdict
  FROM pql.measures_for_product AS s;
COMMENT ON VIEW pql.bi_signals IS 'Which signals tell of conversion, for BI, by program.';
COMMENT ON COLUMN pql.bi_signals.signal IS 'The signal.';
COMMENT ON COLUMN pql.bi_signals.kind IS 'Its kind: activation, depth, breadth, fit, intent or risk.';
COMMENT ON COLUMN pql.bi_signals.handoffs IS 'How many hand-offs had points of it.';
COMMENT ON COLUMN pql.bi_signals.mature IS 'How many of them have a final label.';
COMMENT ON COLUMN pql.bi_signals.converted IS 'How many of these converted.';
COMMENT ON COLUMN pql.bi_signals.conversion IS 'The share of final ones that converted.';
COMMENT ON COLUMN pql.bi_signals.low IS 'Its lower bound (Wilson, 95%).';
COMMENT ON COLUMN pql.bi_signals.high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_signals.lift IS 'The conversion with the signal by that without it.';
COMMENT ON COLUMN pql.bi_signals.lift_low IS 'Its lower bound (Katz, 95%): above 1, the signal tells of conversion.';
COMMENT ON COLUMN pql.bi_signals.lift_high IS 'Its upper bound: below 1, it tells against it.';
COMMENT ON COLUMN pql.bi_signals.revenue IS 'What the outcomes are worth, in your unit.';
COMMENT ON COLUMN pql.bi_signals.touched IS 'How many were contacted.';
COMMENT ON COLUMN pql.bi_signals.false_positives IS 'How many were touched, didn''t convert, and were disqualified or not in need.';
COMMENT ON COLUMN pql.bi_signals.burnt IS 'To how many contact did harm.';
COMMENT ON COLUMN pql.bi_signals.verdict IS 'too few (less than ten final labels), tells of conversion, tells against it, not proven.';
COMMENT ON COLUMN pql.bi_signals.program IS 'The program.';

CREATE VIEW pql.bi_motions WITH (security_invoker = true) AS
  SELECT m.program, m.motion, m.handoffs, m.touched, m.worked, m.mature, m.converted, m.conversion, m.low, m.high, m.held_out, m.held_out_mature, m.held_out_converted,
         m.held_out_conversion, m.held_out_low, m.held_out_high, m.uplift, m.uplift_low, m.uplift_high, m.value, m.credited, m.false_positives, m.burnt
  FROM pql.motion_performance AS m;
COMMENT ON VIEW pql.bi_motions IS 'What each motion brings, for BI, by program: those who might have been contacted beside those who were held out.';
COMMENT ON COLUMN pql.bi_motions.handoffs IS 'How many were not held out.';
COMMENT ON COLUMN pql.bi_motions.touched IS 'How many were contacted.';
COMMENT ON COLUMN pql.bi_motions.worked IS 'How many were worked.';
COMMENT ON COLUMN pql.bi_motions.mature IS 'How many that were not held out have a final label.';
COMMENT ON COLUMN pql.bi_motions.converted IS 'How many of these converted.';
COMMENT ON COLUMN pql.bi_motions.conversion IS 'The share of them.';
COMMENT ON COLUMN pql.bi_motions.low IS 'Its lower bound (Wilson, 95%).';
COMMENT ON COLUMN pql.bi_motions.high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_motions.held_out IS 'How many were held out.';
COMMENT ON COLUMN pql.bi_motions.held_out_mature IS 'How many of them have a final label.';
COMMENT ON COLUMN pql.bi_motions.held_out_converted IS 'How many of these converted.';
COMMENT ON COLUMN pql.bi_motions.held_out_conversion IS 'The share of them; null without a holdout.';
COMMENT ON COLUMN pql.bi_motions.held_out_low IS 'Its lower bound.';
COMMENT ON COLUMN pql.bi_motions.held_out_high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_motions.uplift IS 'The one share less the other: what contact brings; null without a holdout.';
COMMENT ON COLUMN pql.bi_motions.uplift_low IS 'Its lower bound (Newcombe, 95%): above 0, contact helps.';
COMMENT ON COLUMN pql.bi_motions.uplift_high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_motions.value IS 'What the outcomes are worth, in your unit.';
COMMENT ON COLUMN pql.bi_motions.credited IS 'What of it is credited to work.';
COMMENT ON COLUMN pql.bi_motions.false_positives IS 'How many were touched, didn''t convert, and were disqualified or not in need.';
COMMENT ON COLUMN pql.bi_motions.burnt IS 'To how many contact did harm.';
COMMENT ON COLUMN pql.bi_motions.program IS 'The program.';
COMMENT ON COLUMN pql.bi_motions.motion IS 'What was to happen: account_executive, email, in_app ...';

CREATE VIEW pql.bi_calibration WITH (security_invoker = true) AS
  SELECT p.program, c.model_id, c.basis, c.bin, c.hand_offs AS handoffs, c.predicted, c.observed, c.low, c.high, c.brier, c.calibration_error
  FROM (SELECT DISTINCT m.program FROM pql.model AS m OFFSET 0) AS p CROSS JOIN LATERAL pql.calibration(p.program) AS c;
COMMENT ON VIEW pql.bi_calibration IS 'Whether the chances of each program''s newest model come true, for BI, in bins. Empty without a model, and for reps.';
COMMENT ON COLUMN pql.bi_calibration.model_id IS 'The model: the newest of the program.';
COMMENT ON COLUMN pql.bi_calibration.basis IS 'learned: the hand-offs that it was learned from; since: those that became final after it.';
COMMENT ON COLUMN pql.bi_calibration.bin IS 'The bin, from the lowest chances (1) up.';
COMMENT ON COLUMN pql.bi_calibration.handoffs IS 'How many are in it.';
COMMENT ON COLUMN pql.bi_calibration.predicted IS 'The share that was expected to convert.';
COMMENT ON COLUMN pql.bi_calibration.observed IS 'The share that did.';
COMMENT ON COLUMN pql.bi_calibration.low IS 'Its lower bound (Wilson, 95%).';
COMMENT ON COLUMN pql.bi_calibration.high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_calibration.brier IS 'The Brier score over all bins of the basis: less is better.';
COMMENT ON COLUMN pql.bi_calibration.calibration_error IS 'The mean distance of predicted and observed over all bins of the basis.';
COMMENT ON COLUMN pql.bi_calibration.program IS 'The program.';

CREATE VIEW pql.bi_pilots WITH (security_invoker = true) AS
  SELECT p.pilot_id, p.program, p.pilot_program, p.state, p.reason, p.segment, p.share, p.holdout, p.metric, p.baseline, p.minimum_effect, p.planned_sample, p.expected_sample,
         p.started_at, p.ends_at, p.ended_at, p.tightened
  FROM pql.pilot AS p;
COMMENT ON VIEW pql.bi_pilots IS 'Pilots for BI: what is tried, how it was planned and how far it is.';
COMMENT ON COLUMN pql.bi_pilots.pilot_id IS 'The pilot.';
COMMENT ON COLUMN pql.bi_pilots.pilot_program IS 'The program by which it is tried: its hand-offs have this name.';
COMMENT ON COLUMN pql.bi_pilots.state IS 'building, running, may_scale (a person may have it for everybody), scaled, stopped, rolled_back.';
COMMENT ON COLUMN pql.bi_pilots.reason IS 'Why it is in that state.';
COMMENT ON COLUMN pql.bi_pilots.segment IS 'A rule: whom it is tried on.';
COMMENT ON COLUMN pql.bi_pilots.share IS 'Of those who enter, which share it is tried on.';
COMMENT ON COLUMN pql.bi_pilots.holdout IS 'Which share of them is held out.';
COMMENT ON COLUMN pql.bi_pilots.metric IS 'What its verdict is about: conversion or value.';
COMMENT ON COLUMN pql.bi_pilots.baseline IS 'The share that was expected to convert without contact.';
COMMENT ON COLUMN pql.bi_pilots.minimum_effect IS 'By how much contact must raise that to be worth it.';
COMMENT ON COLUMN pql.bi_pilots.planned_sample IS 'How many subjects it takes to find that.';
COMMENT ON COLUMN pql.bi_pilots.expected_sample IS 'How many were expected to come.';
COMMENT ON COLUMN pql.bi_pilots.started_at IS 'Since when.';
COMMENT ON COLUMN pql.bi_pilots.ends_at IS 'Until when subjects may enter.';
COMMENT ON COLUMN pql.bi_pilots.ended_at IS 'When it ended; null: it runs.';
COMMENT ON COLUMN pql.bi_pilots.tightened IS 'How often guardrails raised the score to enter.';
COMMENT ON COLUMN pql.bi_pilots.program IS 'The program.';

CREATE VIEW pql.bi_pilot_results WITH (security_invoker = true) AS
  SELECT p.pilot_id, p.program, row_number() OVER (PARTITION BY p.pilot_id ORDER BY r.place)::int AS place, r.part, r.indicator, r.treated, r.treated_n, r.held_out, r.held_out_n,
         r.estimate, r.low, r.high, r.target, r.verdict, r.before, r.before_n
  FROM (SELECT x.pilot_id, x.program FROM pql.pilot AS x WHERE pql._visible_owners() IS NULL AND x.started_at IS NOT NULL OFFSET 0) AS p
    CROSS JOIN LATERAL pql.pilot_report(p.pilot_id) WITH ORDINALITY
      AS r(part, indicator, treated, treated_n, held_out, held_out_n, before, before_n, estimate, low, high, p_value, variance_reduction, target, verdict, place);
COMMENT ON VIEW pql.bi_pilot_results IS 'What each pilot has shown so far, for BI: one line for each indicator. Empty for reps.';
COMMENT ON COLUMN pql.bi_pilot_results.pilot_id IS 'The pilot.';
COMMENT ON COLUMN pql.bi_pilot_results.place IS 'The order of its lines, from 1.';
COMMENT ON COLUMN pql.bi_pilot_results.part IS 'check, leading, lagging, guardrail or verdict.';
COMMENT ON COLUMN pql.bi_pilot_results.indicator IS 'What is measured.';
COMMENT ON COLUMN pql.bi_pilot_results.treated IS 'Its level where contact was allowed: a share, or hours (hours_to_first_touch), or your unit (value).';
COMMENT ON COLUMN pql.bi_pilot_results.treated_n IS 'Of how many.';
COMMENT ON COLUMN pql.bi_pilot_results.held_out IS 'Its level among those held out.';
COMMENT ON COLUMN pql.bi_pilot_results.held_out_n IS 'Of how many.';
COMMENT ON COLUMN pql.bi_pilot_results.estimate IS 'What contact adds.';
COMMENT ON COLUMN pql.bi_pilot_results.low IS 'Its lower bound, which holds however often one looks.';
COMMENT ON COLUMN pql.bi_pilot_results.high IS 'Its upper bound.';
COMMENT ON COLUMN pql.bi_pilot_results.target IS 'What it must reach; of a guardrail: what it mustn''t exceed.';
COMMENT ON COLUMN pql.bi_pilot_results.verdict IS 'What that comes to, in words.';
COMMENT ON COLUMN pql.bi_pilot_results.before IS 'Its level among those whom the program handed over of the segment in as long a span before; null for whoever may not start pilots.';
COMMENT ON COLUMN pql.bi_pilot_results.before_n IS 'Of how many.';
COMMENT ON COLUMN pql.bi_pilot_results.program IS 'The program.';

CREATE VIEW pql.bi_reps WITH (security_invoker = true) AS
  SELECT r.rep, r.team, r.handoffs, r.open, r.capacity, r.load, r.share, r.fair_share, r.fairness, r.mean_score, r.touched, r.hours_to_first_touch, r.sla, r.worked, r.meetings,
         r.converted, r.credits, r.credited, r.feedback, r.false_positives, r.burnt
  FROM pql.rep_performance AS r;
COMMENT ON VIEW pql.bi_reps IS 'What reps have and what they make of it, for BI. A rep sees his own line; managers, and who is no rep, see all.';
COMMENT ON COLUMN pql.bi_reps.rep IS 'The rep.';
COMMENT ON COLUMN pql.bi_reps.team IS 'The team.';
COMMENT ON COLUMN pql.bi_reps.handoffs IS 'How many hand-offs are the rep''s, open or not.';
COMMENT ON COLUMN pql.bi_reps.open IS 'How many of them are open.';
COMMENT ON COLUMN pql.bi_reps.capacity IS 'How many may be open at once; null: no limit.';
COMMENT ON COLUMN pql.bi_reps.load IS 'Open by capacity.';
COMMENT ON COLUMN pql.bi_reps.share IS 'The rep''s share of the hand-offs of the team, as far as they are shown.';
COMMENT ON COLUMN pql.bi_reps.fair_share IS 'What it would be by the weights.';
COMMENT ON COLUMN pql.bi_reps.fairness IS 'The one by the other: 1 is what it is to be.';
COMMENT ON COLUMN pql.bi_reps.mean_score IS 'The mean score of the hand-offs, in points: whether one gets the better ones.';
COMMENT ON COLUMN pql.bi_reps.touched IS 'How many were contacted.';
COMMENT ON COLUMN pql.bi_reps.hours_to_first_touch IS 'Hours from qualifying until somebody reached out, on average.';
COMMENT ON COLUMN pql.bi_reps.sla IS 'The share of promises that were kept.';
COMMENT ON COLUMN pql.bi_reps.worked IS 'How many were worked.';
COMMENT ON COLUMN pql.bi_reps.meetings IS 'How many came to a meeting.';
COMMENT ON COLUMN pql.bi_reps.converted IS 'How many converted.';
COMMENT ON COLUMN pql.bi_reps.credits IS 'How many outcomes are credited to the rep''s work.';
COMMENT ON COLUMN pql.bi_reps.credited IS 'What they are worth, in your unit.';
COMMENT ON COLUMN pql.bi_reps.feedback IS 'The share of the dispositions with at least one of the three answers.';
COMMENT ON COLUMN pql.bi_reps.false_positives IS 'How many were touched, didn''t convert, and were disqualified or not in need.';
COMMENT ON COLUMN pql.bi_reps.burnt IS 'To how many contact did harm.';

CREATE VIEW pql.bi_accounts WITH (security_invoker = true) AS
  SELECT DISTINCT ON (r.program, r.unit, r.subject_id) r.program, r.unit, r.subject_id, r.account_id, r.routing_id, r.qualified_at, r.score, r.headline, r.motion, r.owner AS rep, r.state,
         r.contact_by, r.first_touch_at, l.stage, l.since AS stage_since
  FROM pql.routing AS r LEFT JOIN pql.lifecycle AS l ON l.unit = r.unit AND l.subject_id = r.subject_id
  ORDER BY r.program, r.unit, r.subject_id, r.qualified_at DESC, r.routing_id DESC;
COMMENT ON VIEW pql.bi_accounts IS 'For the account page of BI: each subject with its newest hand-off of each program, and the stage that it is in.';
COMMENT ON COLUMN pql.bi_accounts.routing_id IS 'Its newest hand-off.';
COMMENT ON COLUMN pql.bi_accounts.qualified_at IS 'When it qualified.';
COMMENT ON COLUMN pql.bi_accounts.score IS 'The score when that was decided, in points.';
COMMENT ON COLUMN pql.bi_accounts.headline IS 'Why, in a line.';
COMMENT ON COLUMN pql.bi_accounts.state IS 'The state that the hand-off is in now.';
COMMENT ON COLUMN pql.bi_accounts.contact_by IS 'Until when somebody was to reach out.';
COMMENT ON COLUMN pql.bi_accounts.first_touch_at IS 'When somebody reached out first; null: nobody did.';
COMMENT ON COLUMN pql.bi_accounts.stage IS 'The stage, as a CRM has it: qualified, assigned, contacted, meeting, converted ...';
COMMENT ON COLUMN pql.bi_accounts.stage_since IS 'Since when.';
COMMENT ON COLUMN pql.bi_accounts.program IS 'The program.';
COMMENT ON COLUMN pql.bi_accounts.motion IS 'What was to happen: account_executive, email, in_app ...';
COMMENT ON COLUMN pql.bi_accounts.rep IS 'The owner; null: nobody''s.';
COMMENT ON COLUMN pql.bi_accounts.unit IS 'What qualifies: account, user or workspace.';
COMMENT ON COLUMN pql.bi_accounts.subject_id IS 'The account, user or workspace.';
COMMENT ON COLUMN pql.bi_accounts.account_id IS 'Its account; null for people who are in none.';

CREATE VIEW pql.bi_timeline WITH (security_invoker = true) AS
  SELECT x.unit COLLATE "default" AS unit, x.subject_id COLLATE "default" AS subject_id, x.at, x.kind COLLATE "default" AS kind, x.what COLLATE "default" AS what,
         x.who COLLATE "default" AS who, x.detail COLLATE "default" AS detail, x.program COLLATE "default" AS program, x.routing_id
  FROM (
    SELECT m.unit, m.subject_id, m.reached_at AS at, 'milestone' AS kind, replace(m.name, '_', ' ') AS what, NULL::text AS who, NULL::text AS detail, NULL::text AS program, NULL::bigint AS routing_id
    FROM pql.milestones AS m
    UNION ALL
    SELECT 'account', i.account_id, i.occurred_at, 'topic', replace(i.topic, '_', ' '), i.user_id, i.quote, NULL, NULL FROM pql.intent AS i WHERE i.account_id IS NOT NULL
    UNION ALL
    SELECT h.unit, h.subject_id, h.at, 'hand-off', CASE WHEN h.from_state IS NULL THEN 'qualified' WHEN h.from_state = h.to_state THEN 'changed while ' || h.to_state ELSE h.to_state END,
           coalesce(h.rep, h.actor), h.reason, h.program, h.routing_id FROM pql.routing_history AS h
    UNION ALL
    SELECT r.unit, r.subject_id, t.at, 'contact', t.channel, t.rep, t.note, r.program, r.routing_id
    FROM pql.touch AS t JOIN pql.routing AS r ON r.home = t.home AND r.routing_id = t.routing_id
    UNION ALL
    SELECT r.unit, r.subject_id, d.at, 'answer', replace(d.disposition, '_', ' '), d.rep, d.note, r.program, r.routing_id
    FROM pql.disposition AS d JOIN pql.routing AS r ON r.home = d.home AND r.routing_id = d.routing_id
    UNION ALL
    SELECT o.unit, o.subject_id, o.at, 'outcome', replace(o.outcome, '_', ' '), o.recorded_by, o.value::text, NULL, NULL FROM pql.outcome AS o) AS x;
COMMENT ON VIEW pql.bi_timeline IS 'For the account page of BI: what happened of accounts, users and workspaces, one line each: milestones, topics of conversations, hand-offs and what was done with them, contacts, answers and outcomes.';
COMMENT ON COLUMN pql.bi_timeline.at IS 'When.';
COMMENT ON COLUMN pql.bi_timeline.kind IS 'milestone, topic, hand-off, contact, answer or outcome.';
COMMENT ON COLUMN pql.bi_timeline.what IS 'What happened.';
COMMENT ON COLUMN pql.bi_timeline.who IS 'Who did it: a rep, a user, pql; null: not known, or it is clear.';
COMMENT ON COLUMN pql.bi_timeline.detail IS 'A reason, a note, the quote, or what an outcome is worth.';
COMMENT ON COLUMN pql.bi_timeline.program IS 'The program of the hand-off; null: it is of none.';
COMMENT ON COLUMN pql.bi_timeline.routing_id IS 'The hand-off; null: it is of none.';
COMMENT ON COLUMN pql.bi_timeline.unit IS 'What qualifies: account, user or workspace.';
COMMENT ON COLUMN pql.bi_timeline.subject_id IS 'The account, user or workspace.';

CREATE VIEW pql.bi_stories WITH (security_invoker = true) AS
  SELECT r.routing_id, r.program, r.unit, r.subject_id, r.account_id, r.qualified_at, pql.story(r.routing_id) AS story
  FROM pql.routing AS r;
COMMENT ON VIEW pql.bi_stories IS 'For the account page of BI: what reps read of each hand-off. It takes a moment for each: ask for those you show.';
COMMENT ON COLUMN pql.bi_stories.qualified_at IS 'When the subject qualified.';
COMMENT ON COLUMN pql.bi_stories.story IS 'The story, as Markdown. It names people and what they did.';
COMMENT ON COLUMN pql.bi_stories.program IS 'The program.';
COMMENT ON COLUMN pql.bi_stories.unit IS 'What qualifies: account, user or workspace.';
COMMENT ON COLUMN pql.bi_stories.subject_id IS 'The account, user or workspace.';
COMMENT ON COLUMN pql.bi_stories.account_id IS 'Its account; null for people who are in none.';
COMMENT ON COLUMN pql.bi_stories.routing_id IS 'The number of the hand-off.';
