-- Pilots: a definition tried on a segment, for a time, with some held out by their lot; watched by guardrails that tighten it or take it back.
-- A pilot is a program of its own, "growth_pilot" for "growth", and the program's version in force leaves the segment to it meanwhile: whoever writes
-- events meets nothing but two programs.

CREATE TABLE pql.pilot (
  pilot_id        bigint PRIMARY KEY,
  program         text NOT NULL,
  pilot_program   text NOT NULL,
  version         int,
  rest_version    int,
  document        jsonb NOT NULL,
  segment         text NOT NULL,
  share           float8,
  holdout         float8 NOT NULL,
  metric          text NOT NULL CONSTRAINT metric_is_known CHECK (metric IN ('conversion', 'value')),
  baseline        float8 NOT NULL,
  minimum_effect  float8 NOT NULL,
  alpha           float8 NOT NULL,
  power           float8 NOT NULL,
  planned_sample  bigint NOT NULL,
  expected_sample bigint,
  targets         jsonb NOT NULL,
  scale_after     interval NOT NULL,
  tighten_by      int NOT NULL,
  tighten_every   interval NOT NULL,
  tightened       int NOT NULL DEFAULT 0,
  tightened_at    timestamptz[] NOT NULL DEFAULT '{}',
  duration        interval NOT NULL,
  horizon         interval NOT NULL,
  asked_by        text NOT NULL DEFAULT session_user,
  asked_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at      timestamptz,
  ends_at         timestamptz,
  ended_at        timestamptz,
  checked_at      timestamptz,
  let_go_at       timestamptz,
  good_since      timestamptz,
  state           text NOT NULL DEFAULT 'building' CONSTRAINT state_is_known
    CHECK (state IN ('building', 'running', 'may_scale', 'scaled', 'stopped', 'rolled_back')),
  reason          text,
  problem         text
);
CREATE UNIQUE INDEX pilot_under_way ON pql.pilot (program) WHERE ended_at IS NULL;
COMMENT ON TABLE pql.pilot IS 'Pilots, made by pql.start_pilot: which definition is tried on which segment, how it was planned, and how far it came. Read pql.pilot_report().';
COMMENT ON COLUMN pql.pilot.pilot_id IS 'The number of the pilot.';
COMMENT ON COLUMN pql.pilot.program IS 'The program that is to become what is tried.';
COMMENT ON COLUMN pql.pilot.alpha IS 'The chance of finding a difference where there is none that the plan allows.';
COMMENT ON COLUMN pql.pilot.power IS 'The chance of finding the minimum effect that the plan asks for.';
COMMENT ON COLUMN pql.pilot.tighten_every IS 'How long it is left alone after it was tightened.';
COMMENT ON COLUMN pql.pilot.tightened IS 'How often it was tightened.';
COMMENT ON COLUMN pql.pilot.duration IS 'For how long it lets subjects in.';
COMMENT ON COLUMN pql.pilot.asked_by IS 'The role that started it.';
COMMENT ON COLUMN pql.pilot.asked_at IS 'When it was asked for, with pql.start_pilot.';
COMMENT ON COLUMN pql.pilot.started_at IS 'When it began to run; null: its history isn''t folded yet.';
COMMENT ON COLUMN pql.pilot.ends_at IS 'When it is to end; null: it hasn''t begun.';
COMMENT ON COLUMN pql.pilot.reason IS 'Why it is in that state: what has been reached, or why it ended; null: it goes without saying.';
COMMENT ON COLUMN pql.pilot.pilot_program IS 'The program by which it is tried: its hand-offs have this name.';
COMMENT ON COLUMN pql.pilot.version IS 'The version of pilot_program in force, or that was last.';
COMMENT ON COLUMN pql.pilot.rest_version IS 'The version of program that leaves the segment to the pilot, or that was live when it ended; null: none was live.';
COMMENT ON COLUMN pql.pilot.document IS 'What is tried, as it is to be for everybody: tightened as the pilot was.';
COMMENT ON COLUMN pql.pilot.segment IS 'A rule: whom it is tried on.';
COMMENT ON COLUMN pql.pilot.share IS 'Which share of those who would have entered lately it is tried on; null: not known.';
COMMENT ON COLUMN pql.pilot.holdout IS 'Which share of those is held out, by a lot that stays the same.';
COMMENT ON COLUMN pql.pilot.metric IS 'What its verdict is about: conversion or value.';
COMMENT ON COLUMN pql.pilot.baseline IS 'The share that was expected to convert without contact.';
COMMENT ON COLUMN pql.pilot.minimum_effect IS 'By how much contact must raise that share to be worth it.';
COMMENT ON COLUMN pql.pilot.planned_sample IS 'How many subjects it takes to find that with the chance power, in a test that may be looked at at any time.';
COMMENT ON COLUMN pql.pilot.expected_sample IS 'How many were expected to come, by what the last 90 days would have brought.';
COMMENT ON COLUMN pql.pilot.targets IS 'What the leading indicators must reach before it may scale.';
COMMENT ON COLUMN pql.pilot.scale_after IS 'For how long they must have, with no guardrail red.';
COMMENT ON COLUMN pql.pilot.tighten_by IS 'By how many points a red guardrail raises the score to enter; three times at the most, and not sooner than tighten_every after the last time.';
COMMENT ON COLUMN pql.pilot.tightened_at IS 'When, each time: from then on its guardrails count those who come later, by what is left of alpha.';
COMMENT ON COLUMN pql.pilot.horizon IS 'For how long after it qualified what becomes of a subject counts; for so long nobody hands over who was held out, though the pilot be over.';
COMMENT ON COLUMN pql.pilot.let_go_at IS 'When those were let go last whom it held out and whose horizon was over: once an hour, by tick.';
COMMENT ON COLUMN pql.pilot.checked_at IS 'When its guardrails were looked at last: once an hour, by tick.';
COMMENT ON COLUMN pql.pilot.good_since IS 'Since when targets are reached and no guardrail is red; null: it isn''t so.';
COMMENT ON COLUMN pql.pilot.ended_at IS 'When it ended: from then on nobody was let in any more; null: it hasn''t.';
COMMENT ON COLUMN pql.pilot.state IS 'building (its history isn''t folded yet), running, may_scale (a person may have it for everybody), scaled, stopped, rolled_back.';
COMMENT ON COLUMN pql.pilot.problem IS 'Why tick couldn''t look after it the last time; null: it could.';

CREATE TABLE pql.pilot_guardrail (
  pilot_id   bigint NOT NULL,
  kind       text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('false_positives', 'complaints', 'retention', 'rep_load', 'cannibalised')),
  at_most    float8 NOT NULL CONSTRAINT at_most_is_a_share CHECK (at_most >= 0 AND at_most <= 1),
  action     text NOT NULL CONSTRAINT action_is_known CHECK (action IN ('warn', 'tighten', 'rollback')),
  within     interval NOT NULL DEFAULT '30 days' CONSTRAINT within_is_positive CHECK (within > interval '0'),
  outcomes   text[] NOT NULL DEFAULT '{complaint,unsubscribed,spam}',
  red_since  timestamptz,
  PRIMARY KEY (pilot_id, kind)
);
COMMENT ON TABLE pql.pilot_guardrail IS 'What mustn''t happen in a pilot, and what is done about it. May be changed while it runs.';
COMMENT ON COLUMN pql.pilot_guardrail.pilot_id IS 'The pilot (pql.pilot).';
COMMENT ON COLUMN pql.pilot_guardrail.kind IS 'false_positives: disqualified, or the need didn''t match, of those of whom reps said something. complaints: of those touched, an outcome of these names or consent withdrawn. retention: how many more are lost than of those held out. rep_load: promises broken. cannibalised: the share of conversions that would have come without contact.';
COMMENT ON COLUMN pql.pilot_guardrail.at_most IS 'Red is what is above it, so far that chance doesn''t explain it, however often one looks.';
COMMENT ON COLUMN pql.pilot_guardrail.action IS 'What tick does when it is red: warn, tighten (raise the score to enter) or rollback.';
COMMENT ON COLUMN pql.pilot_guardrail.within IS 'Of retention: how soon after it qualified a subject must be lost to count.';
COMMENT ON COLUMN pql.pilot_guardrail.outcomes IS 'Of complaints: the names of the outcomes that are complaints.';
COMMENT ON COLUMN pql.pilot_guardrail.red_since IS 'Since when it is red; null: it isn''t.';
SELECT pg_catalog.pg_extension_config_dump('pql.pilot', '');
SELECT pg_catalog.pg_extension_config_dump('pql.pilot_guardrail', '');

-- Statistics, as src/core/pilot has them.

CREATE OR REPLACE FUNCTION pql.sample_size(baseline float8, minimum_effect float8, holdout float8 DEFAULT 0.5, alpha float8 DEFAULT 0.05, power float8 DEFAULT 0.8,
                                           looks text DEFAULT 'any') RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_sample_size' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.sample_size(float8, float8, float8, float8, float8, text) IS
  'How many subjects, held out or not, it takes to find with the chance power that contact adds minimum_effect to the share baseline that converts without. looks: any (a test that may be looked at at any time: Robbins 1970, Johari et al. 2022), one (once, at the end: Fleiss, Levin and Paik 2003, 4.18) or exact (the same with the continuity correction of Casagrande, Pike and Smith 1978). Null for null. Errors: 22023 shares or chances that are none, unknown looks.';

CREATE OR REPLACE FUNCTION pql.sample_size_of_mean(deviation float8, minimum_effect float8, holdout float8 DEFAULT 0.5, alpha float8 DEFAULT 0.05, power float8 DEFAULT 0.8) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_sample_size_of_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql.sample_size_of_mean(float8, float8, float8, float8, float8) IS
  'How many subjects, held out or not, it takes to find with the chance power that contact adds minimum_effect to a mean, in a test that may be looked at at any time; deviation is the standard deviation among subjects. Null for null. Errors: 22023 no deviation, no effect, shares or chances that are none.';

CREATE OR REPLACE FUNCTION pql._compare_arms(first float8[], second float8[], planned float8, alpha float8, weight float8, is_share boolean)
  RETURNS TABLE (first_mean float8, second_mean float8, estimate float8, low float8, high float8, p float8, variance_reduction float8)
  AS 'MODULE_PATHNAME', 'pql__compare_arms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION pql._compare_arms(float8[], float8[], float8, float8, float8, boolean) IS
  'The mean of one arm less weight times that of another, from their sums (n, y, y*y, x, x*x, x*y), with the interval and the p-value that hold at every look (normal mixture: Robbins 1970, Johari et al. 2022, Waudby-Smith et al. 2024), less the variance that x explains (CUPED: Deng et al. 2013). Only the means where there are too few.';

CREATE OR REPLACE FUNCTION pql._ratio_p(k float8, n float8, expected float8) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql__ratio_p' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._ratio_p(float8, float8, float8) IS
  'The p-value, which holds at every look, of k of n having fallen on an arm with the share expected (Lindon and Malek 2022).';

CREATE OR REPLACE FUNCTION pql._above_limit_p(k float8, n float8, at_most float8) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql__above_limit_p' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql._above_limit_p(float8, float8, float8) IS
  'The p-value, which holds at every look, of a share being at most so much, after k of n (mixture of likelihood ratios: Robbins 1970).';

-- What there is to judge by.

CREATE OR REPLACE FUNCTION pql._state_at(r pql.routing, as_of timestamptz) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  RETURN coalesce((SELECT t.from_state FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id AND t.at > as_of ORDER BY t.transition_id LIMIT 1), r.state);
COMMENT ON FUNCTION pql._state_at(pql.routing, timestamptz) IS 'The state in which a routing row was at an instant.';

CREATE OR REPLACE FUNCTION pql._times_tightened(p pql.pilot, as_of timestamptz) RETURNS int
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
  RETURN (SELECT count(*) FROM unnest(p.tightened_at) AS t WHERE t <= as_of);
COMMENT ON FUNCTION pql._times_tightened(pql.pilot, timestamptz) IS 'How often a pilot had been tightened by an instant.';

CREATE OR REPLACE FUNCTION pql._before_pilot(p pql.pilot, as_of timestamptz) RETURNS timestamptz
  LANGUAGE sql STABLE PARALLEL SAFE COST 10
  RETURN p.started_at - make_interval(secs => extract(epoch FROM least(as_of, coalesce(p.ended_at, 'infinity')) - p.started_at)::float8);
COMMENT ON FUNCTION pql._before_pilot(pql.pilot, timestamptz) IS 'From when on it is as long until a pilot began as from then to an instant.';

CREATE OR REPLACE FUNCTION pql._pilot_rows(pilot bigint, as_of timestamptz, earlier text[])
  RETURNS TABLE (version int, held_out boolean, score int, qualified_at timestamptz, matures_at timestamptz, converted boolean, value numeric, lost_at timestamptz,
    touch_delay interval, accepted boolean, declined boolean, met boolean, answered boolean, false_positive boolean, complained boolean, promised boolean, broken boolean, burnt boolean,
    reached boolean)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 2000
  BEGIN ATOMIC
    -- Each subject once, in the arm of its lot whoever made contact all the same: what one compares is what was intended. Its score is that with which
    -- it entered: a row's may be decided anew, of those who aren't held out.
    SELECT DISTINCT ON (l.subject_id) l.version, l.holdout OR r.holdout_exempt IS NOT NULL, e.score, l.qualified_at, l.matures_at, l.converted, l.value, l.lost_at,
           l.touch_delay,
           EXISTS (SELECT FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id AND t.to_state = 'accepted' AND t.at <= _pilot_rows.as_of),
           EXISTS (SELECT FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id AND t.to_state = 'declined' AND t.at <= _pilot_rows.as_of),
           EXISTS (SELECT FROM pql.disposition AS d WHERE d.home = r.home AND d.routing_id = r.routing_id AND d.disposition IN ('meeting_set', 'converted') AND d.at <= _pilot_rows.as_of)
             OR EXISTS (SELECT FROM pql.touch AS t WHERE t.home = r.home AND t.routing_id = r.routing_id AND t.channel = 'meeting' AND t.at <= _pilot_rows.as_of),
           l.need_matched IS NOT NULL OR coalesce(l.disposition <> 'no_response', false),
           coalesce(l.disposition = 'disqualified', false) OR l.need_matched IS FALSE,
           EXISTS (SELECT FROM pql.outcome AS o WHERE o.home IN (r.home, 'a:' || r.account_id, 'u:' || r.user_id) AND o.outcome = ANY (g.outcomes)
                   AND o.at >= l.first_touch_at AND o.at <= _pilot_rows.as_of)
             OR EXISTS (SELECT FROM pql.consent AS c WHERE NOT c.granted AND c.at > l.first_touch_at AND c.at <= _pilot_rows.as_of
                        AND (c.unit = 'user' AND c.subject_id = r.user_id OR c.unit = 'account' AND c.subject_id = r.account_id)),
           pql._needs_rep(r.motion) AND r.contact_by <= _pilot_rows.as_of
             AND (coalesce(r.sla_breached_at <= _pilot_rows.as_of, false) OR pql._state_at(r, _pilot_rows.as_of) NOT IN ('blocked', 'suppressed', 'expired')),
           coalesce(r.sla_breached_at <= _pilot_rows.as_of, false) OR coalesce(l.first_touch_at > r.contact_by, false), l.burnt,
           EXISTS (SELECT FROM pql.touch AS t JOIN pql.routing AS x ON x.home = t.home AND x.routing_id = t.routing_id
                   WHERE t.home = r.home AND x.subject_id = r.subject_id AND t.at > l.qualified_at AND t.at <= least(_pilot_rows.as_of, l.matures_at))
    FROM pql.pilot AS p
      CROSS JOIN LATERAL (SELECT CASE WHEN _pilot_rows.earlier IS NULL THEN p.pilot_program ELSE p.program END AS program,
                                 CASE WHEN _pilot_rows.earlier IS NULL THEN p.started_at ELSE pql._before_pilot(p, _pilot_rows.as_of) END AS since,
                                 CASE WHEN _pilot_rows.earlier IS NULL THEN coalesce(p.ended_at, 'infinity') ELSE p.started_at END AS until) AS w
      CROSS JOIN LATERAL pql.labels(_pilot_rows.as_of, w.program) AS l
      JOIN pql.routing AS r ON r.home = l.home AND r.routing_id = l.routing_id
      JOIN pql.episode AS e ON e.home = r.home AND e.episode_id = r.episode
      LEFT JOIN pql.pilot_guardrail AS g ON g.pilot_id = p.pilot_id AND g.kind = 'complaints'
    WHERE p.pilot_id = _pilot_rows.pilot AND l.qualified_at >= w.since AND l.qualified_at <= w.until
      AND (_pilot_rows.earlier IS NULL OR l.subject_id = ANY (_pilot_rows.earlier))
      -- who was in an earlier one is no new subject before it is known what became of that: whom it held out, the next may not draw
      AND (_pilot_rows.earlier IS NOT NULL OR NOT EXISTS (SELECT FROM pql.pilot AS o JOIN pql.routing AS f ON f.program = o.pilot_program AND f.qualified_at BETWEEN o.started_at AND o.ended_at
                      WHERE o.pilot_program = p.pilot_program AND o.ended_at <= p.started_at AND f.home = l.home AND f.subject_id = l.subject_id AND f.qualified_at + o.horizon > l.qualified_at))
    ORDER BY l.subject_id, l.qualified_at, l.routing_id;
  END;
COMMENT ON FUNCTION pql._pilot_rows(bigint, timestamptz, text[]) IS
  'The subjects of a pilot, as of an instant, each with its first hand-off and what became of it. earlier: some that its program handed over before it, in a span of the same length.';

CREATE OR REPLACE FUNCTION pql._pilot_sums(pilot bigint, as_of timestamptz, earlier text[])
  RETURNS TABLE (indicator text, treated float8[], held_out float8[], treated_n bigint, level float8)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10
  BEGIN ATOMIC
    WITH subject AS MATERIALIZED (SELECT r.*, coalesce(_pilot_sums.earlier IS NOT NULL OR r.qualified_at > p.tightened_at[pql._times_tightened(p, _pilot_sums.as_of)], true) AS newest, g.within FROM pql._pilot_rows(_pilot_sums.pilot, _pilot_sums.as_of, _pilot_sums.earlier) AS r
                                  JOIN pql.pilot AS p ON p.pilot_id = _pilot_sums.pilot
                                  LEFT JOIN pql.pilot_guardrail AS g ON g.pilot_id = p.pilot_id AND g.kind = 'retention'),
    outcome AS (
      SELECT x.indicator, s.held_out, x.y, s.score::float8 AS x
      FROM subject AS s CROSS JOIN LATERAL (VALUES
        ('subjects', 0::float8),
        ('conversion', CASE WHEN s.matures_at <= _pilot_sums.as_of THEN s.converted::int END),
        ('value', CASE WHEN s.matures_at <= _pilot_sums.as_of THEN coalesce(s.value, 0) END),
        ('churn', CASE WHEN s.matures_at <= _pilot_sums.as_of THEN (s.lost_at IS NOT NULL)::int END),
        ('retention', CASE WHEN s.newest AND s.qualified_at + s.within <= _pilot_sums.as_of THEN coalesce(s.lost_at <= s.qualified_at + s.within, false)::int END)) AS x(indicator, y)
      WHERE x.y IS NOT NULL),
    arm AS (
      SELECT o.indicator, o.held_out, ARRAY[count(*), sum(o.y), sum(o.y * o.y), sum(o.x), sum(o.x * o.x), sum(o.x * o.y)]::float8[] AS sums
      FROM outcome AS o GROUP BY o.indicator, o.held_out)
    SELECT i.indicator, coalesce(t.sums, '{0,0,0,0,0,0}'), coalesce(h.sums, '{0,0,0,0,0,0}'), NULL::bigint, NULL::float8
    FROM (VALUES ('subjects'), ('conversion'), ('value'), ('churn'), ('retention')) AS i(indicator)
      LEFT JOIN arm AS t ON t.indicator = i.indicator AND NOT t.held_out LEFT JOIN arm AS h ON h.indicator = i.indicator AND h.held_out
    UNION ALL
    SELECT x.indicator, NULL, NULL, x.n, x.level
    FROM (SELECT count(*) FILTER (WHERE s.accepted OR s.declined) AS asked, count(*) FILTER (WHERE s.accepted) AS accepted,
                 count(*) FILTER (WHERE s.touch_delay IS NOT NULL) AS touched, count(*) FILTER (WHERE s.met) AS met, count(*) FILTER (WHERE s.burnt) AS burnt,
                 percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM s.touch_delay)::float8 / 3600) AS hours,
                 count(*) FILTER (WHERE s.newest AND s.answered) AS answered, count(*) FILTER (WHERE s.newest AND s.answered AND s.false_positive) AS wrong,
                 count(*) FILTER (WHERE s.newest AND s.touch_delay IS NOT NULL) AS reached, count(*) FILTER (WHERE s.newest AND s.touch_delay IS NOT NULL AND s.complained) AS complaints,
                 count(*) FILTER (WHERE s.newest AND s.promised) AS promised, count(*) FILTER (WHERE s.newest AND s.promised AND s.broken) AS broken
          FROM subject AS s WHERE NOT s.held_out) AS c
      CROSS JOIN LATERAL (VALUES ('hours_to_first_touch', c.touched, c.hours), ('acceptance', c.asked, c.accepted::float8 / nullif(c.asked, 0)),
        ('meeting_rate', c.touched, c.met::float8 / nullif(c.touched, 0)), ('burnt', c.touched, c.burnt::float8 / nullif(c.touched, 0)), ('false_positives', c.answered, c.wrong::float8 / nullif(c.answered, 0)),
        ('complaints', c.reached, c.complaints::float8 / nullif(c.reached, 0)), ('rep_load', c.promised, c.broken::float8 / nullif(c.promised, 0))) AS x(indicator, n, level)
    UNION ALL
    SELECT 'held_out_reached', NULL, NULL, count(*), avg(s.reached::int) FROM subject AS s WHERE s.held_out;
  END;
COMMENT ON FUNCTION pql._pilot_sums(bigint, timestamptz, text[]) IS
  'What a pilot''s numbers are made of, as of an instant: the sums of both arms, or how many of the treated (held_out_reached: of those held out) there are and the level among them. Conversions count once their horizon has passed; guardrails count those who came since it was tightened last.';

CREATE TYPE pql.pilot_line AS (part text, indicator text, treated float8, treated_n bigint, held_out float8, held_out_n bigint, before float8, before_n bigint, estimate float8, low float8, high float8,
  p_value float8, variance_reduction float8, target float8, verdict text);
COMMENT ON TYPE pql.pilot_line IS 'A line of pql.pilot_report().';
COMMENT ON COLUMN pql.pilot_line.part IS 'check, leading, lagging, guardrail or verdict.';
COMMENT ON COLUMN pql.pilot_line.indicator IS 'What is measured (pql.pilot_report).';
COMMENT ON COLUMN pql.pilot_line.treated IS 'Its level among those who were handed over; null: there are none.';
COMMENT ON COLUMN pql.pilot_line.treated_n IS 'How many of these it is of.';
COMMENT ON COLUMN pql.pilot_line.held_out IS 'Its level among those who were held out; null: there are none.';
COMMENT ON COLUMN pql.pilot_line.held_out_n IS 'How many of these it is of.';
COMMENT ON COLUMN pql.pilot_line.before IS 'Its level in as long a span before the pilot; null: not known, or not for you to see.';
COMMENT ON COLUMN pql.pilot_line.before_n IS 'How many it is of.';
COMMENT ON COLUMN pql.pilot_line.estimate IS 'The difference between treated and held out.';
COMMENT ON COLUMN pql.pilot_line.low IS 'Its lower bound, which holds however often one looks.';
COMMENT ON COLUMN pql.pilot_line.high IS 'Its upper bound.';
COMMENT ON COLUMN pql.pilot_line.p_value IS 'The chance of so large a difference if there were none; it holds however often one looks.';
COMMENT ON COLUMN pql.pilot_line.variance_reduction IS 'Which share of the variance the score on entering explains (CUPED); null: it wasn''t used.';
COMMENT ON COLUMN pql.pilot_line.target IS 'What it is to reach or, of a guardrail, not to be above; null: nothing.';
COMMENT ON COLUMN pql.pilot_line.verdict IS 'Of a comparison more, less or open (chance may be all of it); of a guardrail green, watch or red; of a target reached, missed or no target; of a check right, watch or mismatch; of any too few or no data; of the part verdict a sentence.';

CREATE OR REPLACE FUNCTION pql._judge_comparison(p pql.pilot, indicator text, treated float8[], held_out float8[]) RETURNS pql.pilot_line
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  l pql.pilot_line;
  c record;
BEGIN
  SELECT * INTO c FROM pql._compare_arms(treated, held_out, p.planned_sample, p.alpha, 1, indicator <> 'value') AS x;
  l.indicator := indicator;
  l.treated := c.first_mean; l.treated_n := treated[1]; l.held_out := c.second_mean; l.held_out_n := held_out[1];
  l.estimate := c.estimate; l.low := c.low; l.high := c.high; l.p_value := c.p; l.variance_reduction := c.variance_reduction;
  l.verdict := CASE WHEN l.treated_n + l.held_out_n = 0 THEN 'no data' WHEN l.estimate IS NULL THEN 'too few' WHEN l.low > 0 THEN 'more' WHEN l.high < 0 THEN 'less' ELSE 'open' END;
  RETURN l;
END $$;
COMMENT ON FUNCTION pql._judge_comparison(pql.pilot, text, float8[], float8[]) IS 'A line about the treated and those held out: more, less, open (as long as it isn''t known), too few, no data.';

CREATE OR REPLACE FUNCTION pql._judge_guardrail(p pql.pilot, g pql.pilot_guardrail, treated float8[], held_out float8[], n bigint, level float8) RETURNS pql.pilot_line
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  l pql.pilot_line;
  above float8;
BEGIN
  IF g.kind = 'retention' THEN
    l := pql._judge_comparison(p, g.kind, treated, held_out);
    above := l.low - g.at_most;
  ELSIF g.kind = 'cannibalised' THEN -- of those held out, more convert than at_most times the treated
    SELECT x.first_mean, x.second_mean, x.low INTO l.held_out, l.treated, above FROM pql._compare_arms(held_out, treated, p.planned_sample, p.alpha, g.at_most, true) AS x;
    l.treated_n := treated[1]; l.held_out_n := held_out[1];
    l.estimate := CASE WHEN above IS NOT NULL THEN l.held_out / nullif(l.treated, 0) END;
  ELSE
    l.treated := level; l.treated_n := n;
    l.p_value := CASE WHEN n > 0 THEN pql._above_limit_p(round(level * n), n, g.at_most) END;
    above := CASE WHEN l.p_value < p.alpha THEN 1 WHEN n > 0 THEN 0 END;
  END IF;
  l.part := 'guardrail'; l.indicator := g.kind; l.target := g.at_most;
  l.verdict := CASE WHEN coalesce(l.treated_n, 0) + coalesce(l.held_out_n, 0) = 0 THEN 'no data' WHEN above IS NULL THEN 'too few' WHEN above > 0 THEN 'red'
                    WHEN coalesce(l.estimate, level) > g.at_most THEN 'watch' ELSE 'green' END;
  RETURN l;
END $$;
COMMENT ON FUNCTION pql._judge_guardrail(pql.pilot, pql.pilot_guardrail, float8[], float8[], bigint, float8) IS
  'A line about a guardrail: red (above its limit, and chance doesn''t explain it), watch (above it), green, too few, no data.';

CREATE OR REPLACE FUNCTION pql._judge_pilot(p pql.pilot, as_of timestamptz) RETURNS SETOF pql.pilot_line
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 200000 ROWS 12 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  few constant int := 10; -- below which a level says nothing
  s record;
  l pql.pilot_line;
  watched pql.pilot := p;
BEGIN
  -- Each time that it is tightened guardrails begin to count anew: half of alpha is for the first time, a quarter for the second, an eighth for the
  -- third and for the last, so that all of them together are misled as often as alpha says.
  watched.alpha := p.alpha / 2 ^ least(pql._times_tightened(p, as_of) + 1, 3);
  FOR s IN
    WITH sums AS MATERIALIZED (SELECT * FROM pql._pilot_sums(p.pilot_id, as_of, NULL))
    SELECT i.place, NULL AS kind, i.part, x.*, NULL::pql.pilot_guardrail AS guardrail
    FROM sums AS x JOIN (VALUES (1, 'check', 'subjects'), (2, 'check', 'held_out_reached'), (3, 'leading', 'hours_to_first_touch'), (4, 'leading', 'acceptance'), (5, 'leading', 'meeting_rate'),
                                (6, 'lagging', 'conversion'), (7, 'lagging', 'value'), (8, 'lagging', 'churn'), (9, 'lagging', 'burnt')) AS i(place, part, indicator) USING (indicator)
    UNION ALL
    SELECT 10, g.kind, 'guardrail', x.*, g FROM pql.pilot_guardrail AS g JOIN sums AS x ON x.indicator = CASE g.kind WHEN 'cannibalised' THEN 'conversion' ELSE g.kind END
    WHERE g.pilot_id = p.pilot_id
    ORDER BY 1, 2
  LOOP
    l := NULL;
    IF s.part = 'guardrail' THEN
      l := pql._judge_guardrail(CASE s.kind WHEN 'cannibalised' THEN p ELSE watched END, s.guardrail, s.treated, s.held_out, s.treated_n, s.level);
    ELSIF s.indicator = 'held_out_reached' THEN
      l.indicator := s.indicator; l.held_out := s.level; l.held_out_n := s.treated_n;
      l.verdict := CASE WHEN s.treated_n = 0 THEN 'no data' WHEN s.level > 0 THEN 'watch' ELSE 'right' END;
    ELSIF s.part = 'check' THEN
      l.indicator := 'sample_ratio'; l.target := p.holdout; l.treated_n := s.treated[1]; l.held_out_n := s.held_out[1];
      l.held_out := s.held_out[1] / nullif(s.treated[1] + s.held_out[1], 0); l.treated := 1 - l.held_out;
      l.p_value := pql._ratio_p(s.held_out[1], s.treated[1] + s.held_out[1], p.holdout);
      l.verdict := CASE WHEN l.treated IS NULL THEN 'no data' WHEN l.p_value < 0.001 THEN 'mismatch' ELSE 'right' END;
    ELSIF s.treated IS NULL THEN
      l.indicator := s.indicator; l.treated := s.level; l.treated_n := s.treated_n; l.target := (p.targets ->> s.indicator)::float8;
      l.verdict := CASE WHEN s.treated_n = 0 THEN 'no data' WHEN l.target IS NULL THEN 'no target' WHEN s.treated_n < few THEN 'too few'
                        WHEN CASE s.indicator WHEN 'hours_to_first_touch' THEN l.treated <= l.target ELSE l.treated >= l.target END THEN 'reached' ELSE 'missed' END;
    ELSE
      l := pql._judge_comparison(p, s.indicator, s.treated, s.held_out);
      l.target := CASE s.indicator WHEN p.metric THEN p.minimum_effect END;
    END IF;
    l.part := s.part;
    RETURN NEXT l;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._judge_pilot(pql.pilot, timestamptz) IS 'What pql.pilot_report says of a pilot, but for its last row.';

-- Planning.

CREATE OR REPLACE FUNCTION pql._pilot_candidate(program text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  candidate jsonb;
BEGIN
  SELECT p.document INTO candidate FROM pql.program AS p WHERE p.program = _pilot_candidate.program AND p.status IN ('draft', 'shadow', 'live')
  ORDER BY array_position('{draft,shadow,live}', p.status) LIMIT 1;
  IF FOUND THEN
    PERFORM pql._require_document(candidate, false);
    RETURN candidate;
  END IF;
  IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = _pilot_candidate.program) THEN
    RAISE EXCEPTION 'program "%" has no version to try', program USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Save a draft with pql.save_draft(), or publish a version and have its history folded with CALL pql.backfill().';
  END IF;
  RAISE EXCEPTION 'program "%" does not exist', program USING ERRCODE = 'undefined_object', HINT = 'Publish it first with pql.publish(), or save a draft.';
END $$;
COMMENT ON FUNCTION pql._pilot_candidate(text) IS 'What a pilot of a program tries: its draft, or else the version in shadow, or else the live one.';
REVOKE ALL ON FUNCTION pql._pilot_candidate(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._within_segment(document jsonb, segment text, is_inside boolean) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50
  RETURN document || jsonb_build_object('segment',
    coalesce('(' || (document ->> 'segment') || ') and ', '') || '(' || segment || ')' || CASE WHEN is_inside THEN '' ELSE ' is not true' END);
COMMENT ON FUNCTION pql._within_segment(jsonb, text, boolean) IS 'A document for those of its segment who are in another one, too, or for those who aren''t.';

CREATE OR REPLACE FUNCTION pql._pilot_document(document jsonb, name text, segment text, holdout float8) RETURNS jsonb
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50
  RETURN pql._within_segment(document, segment, true) - 'examples' - 'limits' || jsonb_build_object('program', name, 'holdout', holdout);
COMMENT ON FUNCTION pql._pilot_document(jsonb, text, text, float8) IS 'A document as its pilot has it. Its examples may be outside of the segment, and a pilot changes when it must.';

CREATE OR REPLACE FUNCTION pql._require_segment(document jsonb, segment text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bad record;
BEGIN -- by itself first, so that it is one rule and no more
  SELECT c.problem, c.hint INTO bad FROM pql.check_program(document || jsonb_build_object('segment', segment)) AS c WHERE c.path = 'segment' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'segment: %', bad.problem USING ERRCODE = 'invalid_parameter_value', HINT = coalesce(bad.hint, '');
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_segment(jsonb, text) IS 'Raises 22023 for a segment that isn''t a rule of a document.';
REVOKE ALL ON FUNCTION pql._require_segment(jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._those_within(document jsonb, segment text, subjects text[]) RETURNS text[]
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN ARRAY(
    SELECT j.subject FROM pql._judge(
      jsonb_build_object('program', 'anybody', 'unit', document -> 'unit', 'milestones', coalesce(document -> 'milestones', '{}'), 'measures', coalesce(document -> 'measures', '{}'),
        'segment', segment, 'signals', '{"one": {"kind": "fit", "value": "1", "max_points": 1}}'::jsonb, 'qualify', '{"enter": 1}'::jsonb), subjects) AS j
    WHERE j.qualified);
END $$;
COMMENT ON FUNCTION pql._those_within(jsonb, text, text[]) IS
  'Which subjects a segment holds for now, by the names that a document knows. What was, a replay doesn''t know of attributes that were attached lately.';
REVOKE ALL ON FUNCTION pql._those_within(jsonb, text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._share_within(document jsonb, segment text, subjects text[]) RETURNS float8
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  asked text[] := ARRAY(SELECT s FROM unnest(subjects) AS s ORDER BY md5(s) LIMIT 2000);
BEGIN
  RETURN coalesce(cardinality(pql._those_within(document, segment, asked))::float8 / nullif(cardinality(asked), 0), 0);
END $$;
COMMENT ON FUNCTION pql._share_within(jsonb, text, text[]) IS 'Which share of subjects a segment holds for now; of many, asks 2000.';
REVOKE ALL ON FUNCTION pql._share_within(jsonb, text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.plan_pilot(program text, segment text, duration interval DEFAULT '60 days', holdout float8 DEFAULT 0.2, minimum_effect float8 DEFAULT NULL,
    baseline float8 DEFAULT NULL, alpha float8 DEFAULT 0.05, power float8 DEFAULT 0.8, metric text DEFAULT 'conversion',
    OUT planned_sample bigint, OUT expected_sample bigint, OUT months float8, OUT share float8, OUT expected_baseline float8)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  candidate jsonb;
  n record;
  now timestamptz := pql._now();
  since timestamptz;
  days float8;
  entrants text[];
  deviation float8;
  everybody float8;
  inside float8;
BEGIN
  IF program IS NULL OR segment IS NULL OR duration IS NULL OR holdout IS NULL OR alpha IS NULL OR power IS NULL OR metric IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN program IS NULL THEN 'program' WHEN segment IS NULL THEN 'segment' WHEN duration IS NULL THEN 'duration'
      WHEN holdout IS NULL THEN 'holdout' WHEN alpha IS NULL THEN 'alpha' WHEN power IS NULL THEN 'power' ELSE 'metric' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF metric NOT IN ('conversion', 'value') THEN
    RAISE EXCEPTION 'metric "%" is not known', metric USING ERRCODE = 'invalid_parameter_value', HINT = 'There are conversion and value.';
  END IF;
  IF metric = 'value' AND minimum_effect IS NULL THEN
    RAISE EXCEPTION 'minimum_effect must be given for the metric value' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'By how much contact must raise what a subject is worth on average, in the unit of pql.label.value.';
  END IF;
  minimum_effect := coalesce(minimum_effect, 0.1);
  IF NOT (duration >= interval '1 day' AND duration <= interval '731 days') THEN
    RAISE EXCEPTION 'duration must be from 1 day to 2 years' USING ERRCODE = 'invalid_parameter_value', HINT = 'For example ''60 days''; pql.plan_pilot() says in how many months there are enough subjects.';
  END IF;
  IF NOT (holdout >= 0.01 AND holdout <= 0.5) THEN
    RAISE EXCEPTION 'holdout must be from 0.01 to 0.5' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Without anybody held out nobody can tell what contact brings.';
  END IF;
  candidate := pql._pilot_candidate(program);
  PERFORM pql._require_segment(candidate, segment);
  IF baseline IS NULL OR metric = 'value' THEN
    SELECT count(*) AS matured, count(*) FILTER (WHERE l.holdout) AS held_out, avg(l.converted::int) AS share, avg(l.converted::int) FILTER (WHERE l.holdout) AS without,
           avg(coalesce(l.value, 0)) AS worth, avg(coalesce(l.value, 0)) FILTER (WHERE l.holdout) AS worth_without, stddev_samp(coalesce(l.value, 0)) AS deviation INTO n
    FROM pql._programs_of(program) AS g, LATERAL pql.labels(now, g) AS l WHERE l.matures_at <= now AND l.follows IS NULL;
    IF n.matured < 20 THEN
      RAISE EXCEPTION '%', CASE metric WHEN 'value' THEN 'it is not known how much what hand-offs are worth differs' ELSE 'it is not known which share converts without contact' END
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('%s hand-offs of program "%s" have matured; it takes 20.', n.matured, program),
          HINT = CASE metric WHEN 'value' THEN 'Take metric => ''conversion'', or wait until the horizon of some has passed.' ELSE 'Say what you expect: baseline => 0.1, for example. pql.backtest() shows what was.' END;
    END IF;
    IF metric = 'value' AND n.deviation = 0 THEN
      RAISE EXCEPTION 'all hand-offs of program "%" are worth the same', program USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = format('%s have matured, each worth %s.', n.matured, round(n.worth, 2)), HINT = 'Record what outcomes are worth with pql.record_outcome(), or take metric => ''conversion''.';
    END IF;
    deviation := n.deviation;
    baseline := coalesce(baseline, CASE metric WHEN 'value' THEN CASE WHEN n.held_out >= 20 THEN n.worth_without ELSE n.worth END ELSE CASE WHEN n.held_out >= 20 THEN n.without ELSE n.share END END);
  END IF;
  expected_baseline := baseline;
  planned_sample := CASE metric WHEN 'value' THEN pql.sample_size_of_mean(deviation, minimum_effect, holdout, alpha, power)
                                ELSE pql.sample_size(baseline, minimum_effect, holdout, alpha, power) END;
  -- What the last 90 days, as far as there are events, would have brought.
  since := greatest(now - interval '90 days', (SELECT min(m.first_seen) FROM pql.members AS m), (SELECT max(s.sealed_before) FROM pql.source AS s));
  days := extract(epoch FROM now - since) / 86400;
  entrants := ARRAY(SELECT DISTINCT e.subject_id FROM pql.backtest_episodes(candidate - 'segment', since, now) AS e WHERE e.entered_at >= since);
  everybody := pql._share_within(candidate, coalesce(candidate ->> 'segment', 'true'), entrants) * cardinality(entrants);
  inside := pql._share_within(candidate, pql._within_segment(candidate, segment, true) ->> 'segment', entrants) * cardinality(entrants);
  share := inside / nullif(everybody, 0);
  expected_sample := CASE WHEN days >= 7 THEN floor(inside / days * extract(epoch FROM duration) / 86400) ELSE 0 END;
  months := CASE WHEN inside > 0 AND days >= 7 THEN planned_sample * days / inside / (365.25 / 12) END;
END $$;
COMMENT ON FUNCTION pql.plan_pilot(text, text, interval, float8, float8, float8, float8, float8, text) IS
  'What a pilot would take: how many subjects (pql.sample_size; for the metric value pql.sample_size_of_mean, by how much what has matured differs), how many would come while it lasts by what the last 90 days would have brought, in how many months there would be enough of them (null: none come), and which share of all who enter the segment has. Looks at the draft of the program, or else the version in shadow or live. baseline null: what has matured says. minimum_effect null: 0.1, for the metric conversion. Writes nothing. Errors: 42704 unknown program, 55000 nothing to try, or no baseline known, nor how much values differ, 22023 bad segment or numbers, 22004 null.';
REVOKE ALL ON FUNCTION pql.plan_pilot(text, text, interval, float8, float8, float8, float8, float8, text) FROM PUBLIC;

-- Beginning and ending.

CREATE OR REPLACE FUNCTION pql._note_pilot(p pql.pilot, action text, detail jsonb, automatic boolean) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 50
  BEGIN ATOMIC
    INSERT INTO pql.audit (audit_id, actor, action, object, detail)
    VALUES (pql.next_id(), CASE WHEN automatic THEN 'tick' ELSE session_user END, action, p.program, jsonb_build_object('pilot', p.pilot_id, 'started_by', p.asked_by) || detail);
  END;
COMMENT ON FUNCTION pql._note_pilot(pql.pilot, text, jsonb, boolean) IS 'Records what was done with a pilot, by a person or (automatic) by tick.';
REVOKE ALL ON FUNCTION pql._note_pilot(pql.pilot, text, jsonb, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._live_version(program text) RETURNS int
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  BEGIN ATOMIC
    SELECT p.version FROM pql.program AS p WHERE p.program = _live_version.program AND p.status = 'live';
  END;
COMMENT ON FUNCTION pql._live_version(text) IS 'The live version of a program; null: it isn''t live.';
REVOKE ALL ON FUNCTION pql._live_version(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._hold_up_everybody() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  events regclass;
BEGIN -- in the order in which pql.publish and pql.promote take these locks
  PERFORM pql._wait_for_writers(s.relation) FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation;
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  LOCK TABLE pql.tracker IN SHARE ROW EXCLUSIVE MODE;
  FOR events IN SELECT s.relation FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation ORDER BY s.source_id LOOP
    PERFORM pql._hold_up_writers(events);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._hold_up_everybody() IS 'Waits for who writes events or publishes, and keeps others from it: what is published after that waits for nobody while it holds homes.';
REVOKE ALL ON FUNCTION pql._hold_up_everybody() FROM PUBLIC;

-- Whoever holds homes by now mustn't wait for a writer, who may wait for one of those.
CREATE OR REPLACE FUNCTION pql._hold_up_everybody_soon() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  events regclass;
BEGIN
  PERFORM set_config('lock_timeout', '100ms', true);
  LOCK TABLE pql.program IN SHARE ROW EXCLUSIVE MODE;
  LOCK TABLE pql.tracker IN SHARE ROW EXCLUSIVE MODE;
  FOR events IN SELECT s.relation FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation ORDER BY s.source_id LOOP
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', events);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._hold_up_everybody_soon() IS
  'The same, but waits for no lock as long as PostgreSQL takes to look for deadlocks: 55P03 instead, from now to the end of the subtransaction.';
REVOKE ALL ON FUNCTION pql._hold_up_everybody_soon() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_folded(p pql.pilot) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  RETURN EXISTS (SELECT FROM pql.program AS x WHERE x.program = p.pilot_program AND x.version = p.version AND x.status = 'shadow');
COMMENT ON FUNCTION pql._is_folded(pql.pilot) IS 'Whether the history is folded that a pilot''s definitions need.';
REVOKE ALL ON FUNCTION pql._is_folded(pql.pilot) FROM PUBLIC;

-- The caller holds up whoever writes events.
CREATE OR REPLACE FUNCTION pql._begin_pilot(p pql.pilot, as_of timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  why text := format('pilot %s', p.pilot_id);
  rest int;
BEGIN
  IF pql._live_version(p.program) IS NOT NULL THEN
    SELECT pql.publish(pql._within_segment(x.document, p.segment, false) - 'examples', why || ': without its segment', why) INTO rest
    FROM pql.program AS x WHERE x.program = p.program AND x.status = 'live';
  END IF;
  PERFORM pql.promote(p.pilot_program, 'none', why);
  UPDATE pql.pilot AS x SET state = 'running', started_at = as_of, ends_at = as_of + p.duration, checked_at = as_of, let_go_at = as_of, rest_version = rest, problem = NULL
  WHERE x.pilot_id = p.pilot_id;
END $$;
COMMENT ON FUNCTION pql._begin_pilot(pql.pilot, timestamptz) IS 'Brings a pilot into force whose history is folded.';
REVOKE ALL ON FUNCTION pql._begin_pilot(pql.pilot, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._retire_pilot(p pql.pilot) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pql.program AS x WHERE x.program = p.pilot_program AND x.status NOT IN ('draft', 'retired')) THEN
    PERFORM pql.retire(p.pilot_program);
  END IF;
END $$;
COMMENT ON FUNCTION pql._retire_pilot(pql.pilot) IS 'Takes a pilot''s program out of force, unless somebody has done so.';
REVOKE ALL ON FUNCTION pql._retire_pilot(pql.pilot) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._with_segment_again(document jsonb, segment text) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rule text := document ->> 'segment';
  without text := '(' || segment || ') is not true';
BEGIN
  IF rule = without THEN
    RETURN document - 'segment';
  ELSIF rule LIKE '(%' AND right(rule, length(without) + 6) = ') and ' || without THEN
    RETURN document || jsonb_build_object('segment', substr(left(rule, -length(without) - 6), 2));
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._with_segment_again(jsonb, text) IS 'A document that leaves a segment to a pilot, as it is without that; null: it doesn''t leave it.';

-- Of what can't be done, the next best thing: a pilot that is over is never left in force.
CREATE OR REPLACE FUNCTION pql._withdraw_pilot(p pql.pilot, reason text) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  document jsonb := (SELECT pql._with_segment_again(x.document, p.segment) FROM pql.program AS x WHERE x.program = p.program AND x.status = 'live');
  problem text;
BEGIN
  PERFORM pql._retire_pilot(p);
  IF p.rest_version IS NULL THEN
    RETURN NULL;
  END IF;
  -- Somebody may have published another version since, which stands; if it still leaves the segment to the pilot, nobody would have that.
  FOR attempt IN CASE pql._live_version(p.program) WHEN p.rest_version THEN 1 ELSE 2 END .. CASE WHEN document IS NULL THEN 1 WHEN document ? 'examples' THEN 3 ELSE 2 END LOOP
    BEGIN
      IF attempt = 1 THEN
        PERFORM pql.rollback(p.program, reason);
      ELSE
        PERFORM pql.publish(CASE attempt WHEN 2 THEN document ELSE document - 'examples' END, reason, reason);
      END IF;
      RETURN NULL;
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN
        problem := concat_ws('; ', nullif(problem, SQLERRM), SQLERRM);
    END;
  END LOOP;
  RETURN problem;
END $$;
COMMENT ON FUNCTION pql._withdraw_pilot(pql.pilot, text) IS
  'Takes a pilot out of force, and gives the segment back to its program: by a rollback, or else by a version with the segment. Returns why neither could be done; null: all is well.';
REVOKE ALL ON FUNCTION pql._withdraw_pilot(pql.pilot, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._end_pilot(p pql.pilot, state text, reason text, as_of timestamptz, automatic boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  withheld text := pql._withdraw_pilot(p, format('pilot %s: %s', p.pilot_id, reason));
BEGIN
  UPDATE pql.pilot AS x SET state = _end_pilot.state, reason = _end_pilot.reason, ended_at = as_of, rest_version = pql._live_version(p.program),
    problem = 'the program goes on without the segment: ' || withheld WHERE x.pilot_id = p.pilot_id;
  PERFORM pql._note_pilot(p, CASE state WHEN 'rolled_back' THEN 'rollback_pilot' ELSE 'stop_pilot' END,
    jsonb_strip_nulls(jsonb_build_object('reason', reason, 'version', pql._live_version(p.program), 'problem', withheld)), automatic);
  IF withheld IS NOT NULL THEN
    RAISE WARNING 'program "%" goes on without the segment of pilot %: %', p.program, p.pilot_id, withheld USING HINT = 'Publish it with the segment that it is to have.';
  END IF;
END $$;
COMMENT ON FUNCTION pql._end_pilot(pql.pilot, text, text, timestamptz, boolean) IS 'Ends a pilot, for a reason. Whatever else can''t be done, its program is out of force after that.';
REVOKE ALL ON FUNCTION pql._end_pilot(pql.pilot, text, text, timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._set_guardrails(pilot bigint, guardrails jsonb) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  unknown text;
BEGIN
  INSERT INTO pql.pilot_guardrail (pilot_id, kind, at_most, action)
  VALUES (pilot, 'false_positives', 0.4, 'tighten'), (pilot, 'complaints', 0.02, 'rollback'), (pilot, 'retention', 0.05, 'rollback'),
         (pilot, 'rep_load', 0.3, 'warn'), (pilot, 'cannibalised', 0.9, 'warn');
  IF guardrails IS NULL THEN
    RETURN;
  END IF;
  IF jsonb_typeof(guardrails) <> 'object' OR EXISTS (SELECT FROM jsonb_each(guardrails) AS e WHERE jsonb_typeof(e.value) NOT IN ('object', 'null')) THEN
    RAISE EXCEPTION 'guardrails must be an object of objects' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example {"complaints": {"at_most": 0.01, "action": "rollback"}, "rep_load": null}.';
  END IF;
  SELECT k.word INTO unknown FROM (
    SELECT e.key AS word FROM jsonb_object_keys(guardrails) AS e(key) WHERE NOT EXISTS (SELECT FROM pql.pilot_guardrail AS g WHERE g.pilot_id = pilot AND g.kind = e.key)
    UNION ALL SELECT e.key || '.' || k FROM jsonb_each(guardrails) AS e, jsonb_object_keys(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END) AS k
              WHERE k NOT IN ('at_most', 'action', 'within', 'outcomes')) AS k ORDER BY 1 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'guardrail "%" is not known', unknown USING ERRCODE = 'invalid_parameter_value',
      HINT = 'There are false_positives, complaints, retention, rep_load and cannibalised, each with at_most, action, within and outcomes.';
  END IF;
  DELETE FROM pql.pilot_guardrail AS g WHERE g.pilot_id = pilot AND guardrails -> g.kind = 'null';
  BEGIN
    UPDATE pql.pilot_guardrail AS g SET at_most = coalesce(n.at_most, g.at_most), action = coalesce(n.action, g.action), within = coalesce(n.within, g.within),
      outcomes = coalesce(n.outcomes, g.outcomes)
    FROM (SELECT e.key, x.* FROM jsonb_each(guardrails) AS e, LATERAL jsonb_to_record(CASE jsonb_typeof(e.value) WHEN 'object' THEN e.value ELSE '{}' END)
            AS x(at_most float8, action text, within interval, outcomes text[])) AS n
    WHERE g.pilot_id = pilot AND g.kind = n.key;
  EXCEPTION WHEN check_violation OR data_exception THEN
    RAISE EXCEPTION 'guardrails: %', SQLERRM USING ERRCODE = 'invalid_parameter_value', HINT = 'at_most is a share, action is warn, tighten or rollback, within a length of time.';
  END;
END $$;
COMMENT ON FUNCTION pql._set_guardrails(bigint, jsonb) IS 'Gives a new pilot its guardrails: the usual ones, but for what is said.';
REVOKE ALL ON FUNCTION pql._set_guardrails(bigint, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_targets(targets jsonb) RETURNS void
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF jsonb_typeof(targets) <> 'object' OR EXISTS (SELECT FROM jsonb_each(CASE jsonb_typeof(targets) WHEN 'object' THEN targets ELSE '{}' END) AS e
      WHERE e.key NOT IN ('hours_to_first_touch', 'acceptance', 'meeting_rate') OR jsonb_typeof(e.value) <> 'number') THEN
    RAISE EXCEPTION 'targets must be numbers for hours_to_first_touch, acceptance or meeting_rate' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example {"meeting_rate": 0.2, "hours_to_first_touch": 24}.';
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_targets(jsonb) IS 'Raises 22023 for what can''t be the targets of a pilot.';

CREATE OR REPLACE FUNCTION pql.start_pilot(program text, segment text, duration interval DEFAULT '60 days', holdout float8 DEFAULT 0.2, minimum_effect float8 DEFAULT NULL,
    baseline float8 DEFAULT NULL, metric text DEFAULT 'conversion', alpha float8 DEFAULT 0.05, power float8 DEFAULT 0.8, max_share float8 DEFAULT 0.5,
    targets jsonb DEFAULT NULL, guardrails jsonb DEFAULT NULL, scale_after interval DEFAULT '14 days', tighten_by int DEFAULT 5, tighten_every interval DEFAULT '7 days',
    override text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  plan record;
  p pql.pilot;
BEGIN
  IF max_share IS NULL OR scale_after IS NULL OR tighten_by IS NULL OR tighten_every IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN max_share IS NULL THEN 'max_share' WHEN scale_after IS NULL THEN 'scale_after'
      WHEN tighten_by IS NULL THEN 'tighten_by' ELSE 'tighten_every' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF override !~ '\S' THEN
    RAISE EXCEPTION 'override must say why' USING ERRCODE = 'invalid_parameter_value', HINT = 'It is kept in pql.audit: say what somebody is to read there.';
  END IF;
  IF tighten_by NOT BETWEEN 1 AND 100 OR tighten_every < interval '1 hour' OR scale_after < interval '0' OR NOT (max_share > 0 AND max_share <= 1) THEN
    RAISE EXCEPTION '%', CASE WHEN tighten_by NOT BETWEEN 1 AND 100 THEN 'tighten_by must be from 1 to 100' WHEN tighten_every < interval '1 hour' THEN 'tighten_every must be at least 1 hour'
      WHEN scale_after < interval '0' THEN 'scale_after must not be below 0' ELSE 'max_share must be above 0 and at most 1' END USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Without it there is a sensible value: 5 points, 7 days, 14 days, and 0.5 of the funnel.';
  END IF;
  PERFORM pql._require_targets(coalesce(targets, '{}'));
  SELECT * INTO p FROM pql.pilot AS x WHERE x.program = program AND x.ended_at IS NULL;
  IF FOUND THEN
    RAISE EXCEPTION 'pilot % of program "%" is under way', p.pilot_id, program USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'End it first with pql.stop_pilot() or pql.scale_pilot().';
  END IF;
  SELECT * INTO plan FROM pql.plan_pilot(program, segment, duration, holdout, minimum_effect, baseline, alpha, power, metric);
  minimum_effect := coalesce(minimum_effect, 0.1);
  IF plan.share > max_share THEN
    RAISE EXCEPTION 'the pilot would have % of the funnel', pql._share_text(plan.share) USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = format('It may have %s (max_share): a pilot is a part, so that something is left if it goes wrong.', pql._share_text(max_share)),
      HINT = 'Take a narrower segment.';
  END IF;
  IF plan.expected_sample < plan.planned_sample AND override IS NULL THEN
    RAISE EXCEPTION 'too few subjects for an effect of %: % needed, about % expected', minimum_effect, plan.planned_sample, plan.expected_sample
      USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = CASE WHEN plan.months IS NULL THEN 'Nobody of the segment would have entered lately.' ELSE format('There would be enough in %s months.', round(plan.months::numeric, 1)) END,
        HINT = 'Take a longer duration, a greater minimum_effect, a holdout nearer to 0.5 or a wider segment, or say why it is worth it all the same: override => ''reason''.';
  END IF;
  p.pilot_program := left(program, 57) || '_pilot';
  IF EXISTS (SELECT FROM pql.program AS x WHERE x.program = p.pilot_program AND x.status NOT IN ('retired', 'draft')) THEN
    RAISE EXCEPTION 'program "%" exists already', p.pilot_program USING ERRCODE = 'duplicate_object', HINT = 'The pilot would have its name: retire it.';
  END IF;
  p.document := pql._pilot_candidate(program);
  INSERT INTO pql.pilot (pilot_id, program, pilot_program, document, segment, share, holdout, metric, baseline, minimum_effect, alpha, power, planned_sample, expected_sample,
                         targets, scale_after, tighten_by, tighten_every, duration, horizon)
  VALUES (pql.next_id(), program, p.pilot_program, p.document, segment, plan.share, holdout, metric, plan.expected_baseline, minimum_effect, alpha, power, plan.planned_sample,
          plan.expected_sample, coalesce(targets, '{}'), scale_after, tighten_by, tighten_every, duration,
          make_interval(secs => extract(epoch FROM coalesce((p.document #>> '{outcome,horizon}')::interval, '90 days'))::float8))
  ON CONFLICT DO NOTHING RETURNING * INTO p;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another pilot of program "%" was started at the same time', program USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Table pql.pilot has it.';
  END IF;
  PERFORM pql._set_guardrails(p.pilot_id, guardrails);
  PERFORM pql._hold_up_everybody();
  p.version := pql.publish(pql._pilot_document(p.document, p.pilot_program, segment, holdout), format('pilot %s', p.pilot_id));
  UPDATE pql.pilot AS x SET version = p.version WHERE x.pilot_id = p.pilot_id;
  IF pql._is_folded(p) THEN
    PERFORM pql._begin_pilot(p, pql._now());
  END IF;
  PERFORM pql._note_pilot(p, 'start_pilot', jsonb_build_object('segment', segment, 'holdout', holdout, 'planned_sample', p.planned_sample, 'override', override), false);
  RETURN p.pilot_id;
END $$;
COMMENT ON FUNCTION pql.start_pilot(text, text, interval, float8, float8, float8, text, float8, float8, float8, jsonb, jsonb, interval, int, interval, text) IS
  'Tries the draft of a program (or else its version in shadow, or the live one) on a segment, for a time: as program "..._pilot", with a share held out by lot, while the live version leaves the segment to it. Returns the pilot''s number. It begins at once, or, where its definitions need history, with the first tick after CALL pql.backfill(). targets: what leading indicators must reach, for scale_after, before it may scale. guardrails: what differs from pql.pilot_guardrail''s usual ones, null for one that isn''t wanted. Errors: 42704 unknown program, 55000 a pilot is under way, more of the funnel than max_share, fewer subjects expected than the effect takes (unless override says why), no baseline known; 42710 the pilot''s program exists, 22023 bad segment, numbers, targets or guardrails, 22004 null.';
REVOKE ALL ON FUNCTION pql.start_pilot(text, text, interval, float8, float8, float8, text, float8, float8, float8, jsonb, jsonb, interval, int, interval, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._pilot(pilot_id bigint) RETURNS pql.pilot
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p pql.pilot;
BEGIN
  IF pilot_id IS NULL THEN
    RAISE EXCEPTION 'pilot_id must not be null' USING ERRCODE = 'null_value_not_allowed', HINT = 'Table pql.pilot has those that there are.';
  END IF;
  SELECT * INTO p FROM pql.pilot AS x WHERE x.pilot_id = _pilot.pilot_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'pilot % does not exist', pilot_id USING ERRCODE = 'undefined_object', HINT = 'Table pql.pilot has those that do.';
  END IF;
  RETURN p;
END $$;
COMMENT ON FUNCTION pql._pilot(bigint) IS 'A pilot by its number.';

CREATE OR REPLACE FUNCTION pql._lock_pilot(pilot_id bigint) RETURNS pql.pilot
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM pql.pilot AS x WHERE x.pilot_id = _lock_pilot.pilot_id FOR UPDATE;
  RETURN pql._pilot(pilot_id);
END $$;
COMMENT ON FUNCTION pql._lock_pilot(bigint) IS 'A pilot by its number, locked.';
REVOKE ALL ON FUNCTION pql._lock_pilot(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.stop_pilot(pilot_id bigint, reason text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p pql.pilot := pql._lock_pilot(pilot_id);
BEGIN
  IF coalesce(reason, '') !~ '\S' THEN
    RAISE EXCEPTION 'stopping a pilot needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'It is kept with the pilot: say what somebody is to read there.';
  END IF;
  IF p.ended_at IS NOT NULL THEN
    RAISE EXCEPTION 'pilot % has ended', pilot_id USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It is %s: %s.', p.state, p.reason), HINT = 'Another one can be started with pql.start_pilot().';
  END IF;
  PERFORM pql._end_pilot(p, 'stopped', reason, pql._now(), false);
END $$;
COMMENT ON FUNCTION pql.stop_pilot(bigint, text) IS
  'Ends a pilot: its segment is its program''s again, as it was before. Hand-offs that there are stay. Errors: 42704 unknown pilot, 55000 it has ended, 22023 no reason, 22004 null.';
REVOKE ALL ON FUNCTION pql.stop_pilot(bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.scale_pilot(pilot_id bigint, override text DEFAULT NULL) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p pql.pilot := pql._lock_pilot(pilot_id);
  why text := concat_ws(': ', 'pilot ' || pilot_id, override);
  was_live boolean;
  number int;
BEGIN
  IF override !~ '\S' THEN
    RAISE EXCEPTION 'override must say why' USING ERRCODE = 'invalid_parameter_value', HINT = 'It is kept in pql.audit: say what somebody is to read there.';
  END IF;
  IF p.state <> 'may_scale' AND (override IS NULL OR p.state NOT IN ('running', 'stopped')) THEN
    RAISE EXCEPTION 'pilot % is %', pilot_id, p.state USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = CASE WHEN p.state IN ('running', 'stopped') THEN 'pql.pilot_report() says what it hasn''t reached. To have it for everybody all the same, say why: override => ''reason''.'
                  ELSE 'Another pilot can be started.' END;
  END IF;
  IF override IS NULL AND pql._live_version(p.program) IS DISTINCT FROM p.rest_version THEN
    RAISE EXCEPTION 'program "%" was changed since pilot % %', p.program, pilot_id, CASE WHEN p.ended_at IS NULL THEN 'began' ELSE 'ended' END USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'pql.diff_programs() shows how. To put what was tried in its place, say why: override => ''reason''.';
  END IF;
  was_live := pql._live_version(p.program) IS NOT NULL;
  PERFORM pql._retire_pilot(p);
  number := pql.publish(p.document, why, why);
  DELETE FROM pql.program AS x WHERE x.program = p.program AND x.status = 'draft' AND x.document #- '{qualify,enter}' = p.document #- '{qualify,enter}'; -- it is published now
  IF NOT was_live THEN
    number := pql.promote(p.program, 'none', why);
  END IF;
  UPDATE pql.pilot AS x SET state = 'scaled', reason = override, ended_at = coalesce(x.ended_at, pql._now()) WHERE x.pilot_id = p.pilot_id;
  PERFORM pql._note_pilot(p, 'scale_pilot', jsonb_build_object('version', number, 'override', override), false);
  RETURN number;
END $$;
COMMENT ON FUNCTION pql.scale_pilot(bigint, text) IS
  'Has what a pilot tried for everybody: publishes it, as it was tightened, as the next version of its program, promotes that if the program wasn''t live, and ends the pilot. Returns the version. Errors: 42704 unknown pilot, 55000 its criteria aren''t met or its program was changed meanwhile (unless override says why), or it was rolled back; 22004 null.';
REVOKE ALL ON FUNCTION pql.scale_pilot(bigint, text) FROM PUBLIC;

-- What tick does.

CREATE OR REPLACE FUNCTION pql._tighten_pilot(p pql.pilot, reason text, as_of timestamptz) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  document jsonb := (SELECT x.document FROM pql.program AS x WHERE x.program = p.pilot_program AND x.status = 'live');
  enter int := (document #>> '{qualify,enter}')::int;
  most int := (SELECT sum(greatest((s.value ->> 'max_points')::int, 0)) FROM jsonb_each(document -> 'signals') AS s WHERE coalesce((s.value ->> 'may_score')::boolean, true));
  raised int := least(enter + p.tighten_by, most);
  number int;
BEGIN
  IF document IS NULL OR raised <= enter OR p.tightened >= 3 THEN
    RETURN false;
  END IF;
  BEGIN
    number := pql.publish(jsonb_set(document, '{qualify,enter}', to_jsonb(raised)), format('pilot %s: %s', p.pilot_id, reason), format('pilot %s', p.pilot_id));
  EXCEPTION
    WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
      RAISE;
    WHEN OTHERS THEN -- what can't be made better must end
      RETURN false;
  END;
  UPDATE pql.pilot AS x SET version = number, tightened = x.tightened + 1, tightened_at = x.tightened_at || as_of, good_since = NULL,
    document = jsonb_set(x.document, '{qualify,enter}', to_jsonb(raised)) WHERE x.pilot_id = p.pilot_id;
  PERFORM pql._note_pilot(p, 'tighten_pilot', jsonb_build_object('reason', reason, 'version', number, 'enter', raised, 'from', enter), true);
  RETURN true;
END $$;
COMMENT ON FUNCTION pql._tighten_pilot(pql.pilot, text, timestamptz) IS 'Raises the score that a pilot takes to enter by one step; false: it was three times already, it can''t be any higher, or the program wouldn''t be published any more.';
REVOKE ALL ON FUNCTION pql._tighten_pilot(pql.pilot, text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._act_on_red(p pql.pilot, as_of timestamptz, kind text, reason text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  g pql.pilot_guardrail;
BEGIN
  SELECT * INTO g FROM pql.pilot_guardrail AS x WHERE x.pilot_id = p.pilot_id AND x.kind = _act_on_red.kind;
  IF g.red_since IS NULL THEN
    UPDATE pql.pilot_guardrail AS x SET red_since = as_of WHERE x.pilot_id = p.pilot_id AND x.kind = g.kind;
    PERFORM pql._note_pilot(p, 'guardrail_red', jsonb_build_object('guardrail', g.kind, 'reason', reason, 'action', g.action), true);
  END IF;
  IF g.action = 'warn' OR g.action = 'tighten' AND as_of < p.tightened_at[p.tightened] + p.tighten_every THEN
    RETURN false;
  END IF;
  IF g.action = 'rollback' OR NOT pql._tighten_pilot(p, reason, as_of) THEN
    PERFORM pql._end_pilot(p, 'rolled_back', reason, as_of, true);
  END IF;
  RETURN true;
END $$;
COMMENT ON FUNCTION pql._act_on_red(pql.pilot, timestamptz, text, text) IS 'Does what a red guardrail asks for; true: it changed the pilot''s definition.';
REVOKE ALL ON FUNCTION pql._act_on_red(pql.pilot, timestamptz, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._reason_of_red(l pql.pilot_line) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 50
  RETURN CASE l.indicator
    WHEN 'retention' THEN format('retention: %s of those contacted are lost, %s of those held out', pql._share_text(l.treated), pql._share_text(l.held_out))
    WHEN 'cannibalised' THEN format('cannibalised: %s of those contacted convert, %s of those held out', pql._share_text(l.treated), pql._share_text(l.held_out))
    ELSE format('%s: %s of %s, at most %s', l.indicator, pql._share_text(l.treated), l.treated_n, pql._share_text(l.target)) END;
COMMENT ON FUNCTION pql._reason_of_red(pql.pilot_line) IS 'A red guardrail in words.';

CREATE OR REPLACE FUNCTION pql._may_scale(p pql.pilot, said pql.pilot_line[]) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200
  RETURN NOT EXISTS (SELECT FROM unnest(said) AS l WHERE l.verdict IN ('red', 'mismatch') OR l.part = 'leading' AND l.target IS NOT NULL AND l.verdict <> 'reached'
                     OR l.indicator = p.metric AND l.verdict = 'less')
    AND (p.targets <> '{}' OR EXISTS (SELECT FROM unnest(said) AS l WHERE l.indicator = p.metric AND l.verdict = 'more'));
COMMENT ON FUNCTION pql._may_scale(pql.pilot, pql.pilot_line[]) IS
  'Whether all is well with a pilot: its targets are reached (without any: its metric is known to be better), no guardrail is red, nobody is missing from an arm, and its metric isn''t known to be worse.';

CREATE OR REPLACE FUNCTION pql._look_after_pilot(p pql.pilot, as_of timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said pql.pilot_line[] := ARRAY(SELECT j FROM pql._judge_pilot(p, as_of) AS j);
  red record;
  since timestamptz;
BEGIN
  UPDATE pql.pilot_guardrail AS g SET red_since = NULL WHERE g.pilot_id = p.pilot_id AND g.red_since IS NOT NULL
    AND NOT EXISTS (SELECT FROM unnest(said) AS l WHERE l.part = 'guardrail' AND l.indicator = g.kind AND l.verdict = 'red');
  FOR red IN SELECT l.indicator, pql._reason_of_red(l) AS reason FROM unnest(said) AS l JOIN pql.pilot_guardrail AS g ON g.pilot_id = p.pilot_id AND g.kind = l.indicator
             WHERE l.part = 'guardrail' AND l.verdict = 'red' ORDER BY array_position('{rollback,tighten,warn}', g.action), l.indicator LOOP
    IF pql._act_on_red(p, as_of, red.indicator, red.reason) THEN
      RETURN;
    END IF;
  END LOOP;
  since := CASE WHEN pql._may_scale(p, said) THEN coalesce(p.good_since, as_of) END;
  IF p.state = 'running' AND since + p.scale_after <= as_of THEN
    p.state := 'may_scale';
    p.reason := format('its targets are reached and no guardrail is red since %s', to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD'));
    PERFORM pql._note_pilot(p, 'may_scale', jsonb_build_object('reason', p.reason, 'advice', format('SELECT pql.scale_pilot(%s)', p.pilot_id)), true);
  ELSIF p.state = 'may_scale' AND since IS NULL THEN
    p.state := 'running';
    p.reason := NULL;
  END IF;
  UPDATE pql.pilot AS x SET good_since = since, state = p.state, reason = p.reason WHERE x.pilot_id = p.pilot_id;
  IF as_of >= p.ends_at THEN
    PERFORM pql._end_pilot(p, CASE p.state WHEN 'may_scale' THEN p.state ELSE 'stopped' END, concat_ws('; ', 'its time is over', p.reason), as_of, true);
  END IF;
END $$;
COMMENT ON FUNCTION pql._look_after_pilot(pql.pilot, timestamptz) IS 'Looks at a pilot''s numbers: acts on guardrails that are red, says when it may scale, ends it when its time is over.';
REVOKE ALL ON FUNCTION pql._look_after_pilot(pql.pilot, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._let_go(p pql.pilot, as_of timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 50000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  freed record;
BEGIN
  SELECT array_agg(e.home ORDER BY e.episode_id) AS homes, array_agg(e.subject_id ORDER BY e.episode_id) AS subjects INTO freed
  FROM pql.program AS g JOIN pql.episode AS e ON e.program_id = g.program_id AND e.shadow AND e.left_at IS NULL
    JOIN pql._handoffs_now AS f ON f.subject_id = e.subject_id AND f.program = p.pilot_program AND f.holdout AND f.qualified_at BETWEEN p.started_at AND coalesce(p.ended_at, 'infinity')
      AND f.qualified_at > p.let_go_at - p.horizon AND f.qualified_at <= as_of - p.horizon AND f.qualified_at <= e.entered_at
  WHERE g.program = p.program AND g.status = 'live';
  IF freed.homes IS NOT NULL THEN
    PERFORM pql._emit_standing(p.program, freed.homes, freed.subjects);
  END IF;
  UPDATE pql.pilot AS x SET let_go_at = as_of, problem = NULL WHERE x.pilot_id = p.pilot_id;
END $$;
COMMENT ON FUNCTION pql._let_go(pql.pilot, timestamptz) IS
  'Hands over those whom a pilot held out, whose horizon is over and who are in an episode of its program by now: until then that was one of shadow. The caller holds up whoever writes events.';
REVOKE ALL ON FUNCTION pql._let_go(pql.pilot, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._may_free(p pql.pilot, as_of timestamptz) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 10000
  RETURN p.let_go_at <= as_of - interval '1 hour' AND (p.problem IS NULL OR p.checked_at <= as_of - interval '1 hour') AND p.let_go_at < coalesce(p.ended_at, 'infinity') + p.horizon AND p.started_at + p.horizon <= as_of;
COMMENT ON FUNCTION pql._may_free(pql.pilot, timestamptz) IS 'Whether it is time to look for whom a pilot held out, and holds no more.';
REVOKE ALL ON FUNCTION pql._may_free(pql.pilot, timestamptz) FROM PUBLIC;

-- Homes are locked by now: what would wait for a writer is put off to the next tick.
CREATE OR REPLACE FUNCTION pql._tick_pilots_last(as_of timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  patience text := current_setting('lock_timeout');
  p pql.pilot;
BEGIN
  FOR p IN SELECT x.* FROM pql.pilot AS x
           WHERE x.state = 'building' AND coalesce(x.checked_at <= as_of - interval '1 hour', true) AND pql._is_folded(x) OR pql._may_free(x, as_of)
           ORDER BY x.pilot_id FOR UPDATE SKIP LOCKED LOOP
    BEGIN
      PERFORM pql._hold_up_everybody_soon();
      IF p.state = 'building' THEN
        PERFORM pql._begin_pilot(p, as_of);
      ELSE
        PERFORM pql._let_go(p, as_of);
      END IF;
      PERFORM set_config('lock_timeout', patience, true);
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN lock_not_available THEN -- somebody writes events, or publishes: there will be another tick
        NULL;
      WHEN OTHERS THEN
        PERFORM pql._note_problem(p, as_of, SQLERRM);
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._tick_pilots_last(timestamptz) IS 'Begins pilots whose history is folded, and lets go whom others have held out for long enough; unless somebody writes events just then.';
REVOKE ALL ON FUNCTION pql._tick_pilots_last(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._note_problem(p pql.pilot, as_of timestamptz, problem text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE pql.pilot AS x SET checked_at = as_of, problem = _note_problem.problem WHERE x.pilot_id = p.pilot_id;
  RAISE WARNING 'could not look after pilot %: %', p.pilot_id, problem;
END $$;
COMMENT ON FUNCTION pql._note_problem(pql.pilot, timestamptz, text) IS 'Notes why tick couldn''t look after a pilot; in an hour it tries again.';
REVOKE ALL ON FUNCTION pql._note_problem(pql.pilot, timestamptz, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._tick_pilots(as_of timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p pql.pilot;
BEGIN
  FOR p IN SELECT * FROM pql.pilot AS x WHERE x.ended_at IS NULL AND x.state <> 'building' AND (x.checked_at <= as_of - interval '1 hour' OR x.ends_at <= as_of)
           ORDER BY x.pilot_id FOR UPDATE SKIP LOCKED LOOP
    BEGIN
      UPDATE pql.pilot AS x SET checked_at = as_of, problem = NULL WHERE x.pilot_id = p.pilot_id;
      PERFORM pql._look_after_pilot(p, as_of);
    EXCEPTION
      WHEN transaction_rollback OR insufficient_resources OR operator_intervention THEN
        RAISE;
      WHEN OTHERS THEN -- a pilot that can't be looked after mustn't keep tick from what else is due
        PERFORM pql._note_problem(p, as_of, SQLERRM);
    END;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._tick_pilots(timestamptz) IS 'Looks after the pilots that are under way, each once an hour.';
REVOKE ALL ON FUNCTION pql._tick_pilots(timestamptz) FROM PUBLIC;

-- Reading.

CREATE OR REPLACE FUNCTION pql._pilot_verdict(p pql.pilot, said pql.pilot_line[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200
  RETURN (SELECT concat_ws('; ',
      CASE p.state WHEN 'may_scale' THEN 'it may scale' WHEN 'rolled_back' THEN 'rolled back' ELSE p.state END || coalesce(': ' || p.reason, ''),
      CASE WHEN bool_or(l.verdict = 'mismatch') THEN 'subjects are missing from an arm: nothing else can be trusted' END,
      (SELECT 'red: ' || string_agg(x.indicator, ', ' ORDER BY x.indicator) FROM unnest(said) AS x WHERE x.verdict = 'red'),
      CASE max(l.verdict) FILTER (WHERE l.indicator = p.metric) WHEN 'more' THEN 'contact brings more ' WHEN 'less' THEN 'contact brings less ' ELSE 'it isn''t known yet whether contact brings more ' END || p.metric)
    FROM unnest(said) AS l);
COMMENT ON FUNCTION pql._pilot_verdict(pql.pilot, pql.pilot_line[]) IS 'A pilot''s numbers in a sentence.';

CREATE OR REPLACE FUNCTION pql._pilot_as_of(p pql.pilot, as_of timestamptz) RETURNS pql.pilot
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 50 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF as_of < p.started_at THEN
    p.state := 'building'; p.reason := NULL;
  ELSIF as_of < p.ended_at OR p.state = 'may_scale' AND as_of < p.good_since + p.scale_after THEN
    p.state := 'running'; p.reason := NULL;
  END IF;
  RETURN p;
END $$;
COMMENT ON FUNCTION pql._pilot_as_of(pql.pilot, timestamptz) IS 'A pilot with the state that it was in at an instant: of one that has ended it isn''t kept whether it could have scaled before that.';

CREATE OR REPLACE FUNCTION pql._with_before(p pql.pilot, said pql.pilot_line[], as_of timestamptz) RETURNS pql.pilot_line[]
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  l pql.pilot_line;
  s record;
  since timestamptz := pql._before_pilot(p, as_of);
  earlier text[];
BEGIN
  IF as_of <= p.started_at IS NOT FALSE OR NOT has_function_privilege('pql._those_within(jsonb, text, text[])', 'EXECUTE') THEN
    RETURN said; -- whoever may only read can't ask who is in a segment
  END IF;
  earlier := pql._those_within(p.document, pql._within_segment(p.document, p.segment, true) ->> 'segment',
    ARRAY(SELECT DISTINCT x.subject_id FROM pql.labels(as_of, p.program) AS x WHERE x.qualified_at >= since AND x.qualified_at <= p.started_at));
  FOR s IN SELECT x.*, i.n FROM pql._pilot_sums(p.pilot_id, as_of, earlier) AS x
             JOIN unnest(said) WITH ORDINALITY AS i(part, indicator, treated, treated_n, held_out, held_out_n, before, before_n, estimate, low, high, p_value, variance_reduction, target, verdict, n)
               ON i.indicator = x.indicator AND x.indicator <> 'held_out_reached' LOOP
    l := said[s.n];
    l.before := CASE WHEN s.treated IS NULL THEN s.level ELSE s.treated[2] / nullif(s.treated[1], 0) END;
    l.before_n := CASE WHEN s.treated IS NULL THEN s.treated_n ELSE s.treated[1] END;
    said[s.n] := l;
  END LOOP;
  RETURN said;
END $$;
COMMENT ON FUNCTION pql._with_before(pql.pilot, pql.pilot_line[], timestamptz) IS
  'Lines of a report with what the same indicators were in as long a span before the pilot, of those of its segment whom its program handed over.';

CREATE OR REPLACE FUNCTION pql.pilot_report(pilot_id bigint, as_of timestamptz DEFAULT NULL) RETURNS SETOF pql.pilot_line
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 ROWS 13 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  now constant timestamptz := coalesce(as_of, pql._now());
  p pql.pilot := pql._pilot_as_of(pql._pilot(pilot_id), now);
  said pql.pilot_line[];
  l pql.pilot_line;
BEGIN
  IF pql._visible_owners() IS NOT NULL THEN
    RAISE EXCEPTION 'permission denied to judge pilot %', pilot_id USING ERRCODE = 'insufficient_privilege',
      DETAIL = 'It is judged by everybody''s hand-offs, and a rep sees those of the team.', HINT = 'Ask a manager, or whoever is no rep.';
  END IF;
  said := pql._with_before(p, ARRAY(SELECT j FROM pql._judge_pilot(p, now) AS j), now);
  l.part := 'verdict'; l.indicator := p.metric; l.verdict := pql._pilot_verdict(p, said);
  RETURN QUERY SELECT (x).* FROM unnest(said || l) AS x;
END $$;
COMMENT ON FUNCTION pql.pilot_report(bigint, timestamptz) IS
  'What a pilot has shown as of an instant (null: now). A line for each indicator: check (sample_ratio; held_out_reached: the share of those held out whom somebody contacted all the same before their horizon was over), leading (hours_to_first_touch, acceptance, meeting_rate), lagging (conversion, value, churn: of subjects whose horizon has passed; burnt: of those touched, for whom contact did harm), guardrail, and last the verdict. treated and held_out: the level in each arm, of so many; before: that of whom the program handed over of the segment in as long a span before (null for whoever may not start pilots); estimate: the difference, less what the score on entering explains of its variance (variance_reduction, CUPED), between low and high; interval and p_value hold however often one looks. Errors: 42704 unknown pilot, 42501 a rep who doesn''t see all hand-offs, 22004 null.';

CREATE OR REPLACE FUNCTION pql._pilot_level(indicator text, level float8) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
  RETURN CASE WHEN level IS NULL THEN '' WHEN indicator IN ('hours_to_first_touch', 'value') THEN round(level::numeric, 1)::text ELSE pql._share_text(level) END;
COMMENT ON FUNCTION pql._pilot_level(text, float8) IS 'The level of a pilot''s indicator as people write it: most are shares.';

CREATE OR REPLACE FUNCTION pql._pilot_level_of(indicator text, level float8, n bigint) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
  RETURN CASE WHEN n = 0 THEN 'none' ELSE pql._pilot_level(indicator, level) || CASE indicator WHEN 'sample_ratio' THEN ': ' ELSE ' of ' END || n END;
COMMENT ON FUNCTION pql._pilot_level_of(text, float8, bigint) IS 'The same, of how many subjects.';

CREATE OR REPLACE FUNCTION pql.pilot_summary(pilot_id bigint, as_of timestamptz DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  p pql.pilot := pql._pilot(pilot_id);
  said pql.pilot_line[] := ARRAY(SELECT x FROM pql.pilot_report(pilot_id, as_of) AS x);
BEGIN
  RETURN format(E'# Pilot of %s\n\n%s.\n\nSegment `%s`, %s of the funnel, %s of it held out; %s. It takes %s subjects to find an effect of %s.\n\n', p.program,
      said[array_upper(said, 1)].verdict, p.segment, coalesce(pql._share_text(p.share), 'an unknown share'), pql._share_text(p.holdout),
      CASE WHEN p.started_at IS NULL THEN 'not begun' ELSE format('from %s to %s', to_char(p.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
        to_char(coalesce(p.ended_at, p.ends_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD')) END, p.planned_sample, pql._pilot_level(p.metric, p.minimum_effect))
    || E'| | indicator | before | treated | held out | difference | target or limit | verdict |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n'
    || (SELECT string_agg(format('| %s | %s | %s | %s | %s | %s | %s | %s |', l.part, replace(l.indicator, '_', ' '), pql._pilot_level_of(l.indicator, l.before, l.before_n),
            pql._pilot_level_of(l.indicator, l.treated, l.treated_n), pql._pilot_level_of(l.indicator, l.held_out, l.held_out_n),
            CASE WHEN l.low IS NOT NULL THEN format('%s (%s to %s)', pql._pilot_level(l.indicator, l.estimate), pql._pilot_level(l.indicator, l.low), pql._pilot_level(l.indicator, l.high)) ELSE '' END,
            pql._pilot_level(l.indicator, l.target), l.verdict), E'\n' ORDER BY l.place)
        FROM unnest(said) WITH ORDINALITY AS l(part, indicator, treated, treated_n, held_out, held_out_n, before, before_n, estimate, low, high, p_value, variance_reduction, target, verdict, place)
        WHERE l.part <> 'verdict');
END $$;
COMMENT ON FUNCTION pql.pilot_summary(bigint, timestamptz) IS 'pql.pilot_report as a page of Markdown. Errors: the same.';
