-- The half hour a week in which Product, RevOps and Sales look at a program: what came of it, and which signals to keep, to drop, to add and to
-- re-weigh.

CREATE TYPE pql.review_line AS (part text, item text, verdict text, was text, becomes text, reason text, support bigint, low float8, high float8);
COMMENT ON TYPE pql.review_line IS 'A line of pql.weekly_review().';
COMMENT ON COLUMN pql.review_line.part IS 'week, signal, add, list or capacity.';
COMMENT ON COLUMN pql.review_line.item IS 'What it is about: a figure, a signal, an event that is no signal, a change of the list.';
COMMENT ON COLUMN pql.review_line.verdict IS 'Of a figure or the list more, less, same or unknown; of a signal keep, drop, re-weigh or add; of capacity enough, short or same (no limit).';
COMMENT ON COLUMN pql.review_line.was IS 'The figure of the week before, or the points now; null: there is none.';
COMMENT ON COLUMN pql.review_line.becomes IS 'The figure of the last week, or the points proposed; null: there is none.';
COMMENT ON COLUMN pql.review_line.reason IS 'Why; null: it goes without saying.';
COMMENT ON COLUMN pql.review_line.support IS 'How many hand-offs or subjects it rests on.';
COMMENT ON COLUMN pql.review_line.low IS 'The lower bound (95%) of the signal''s weight, or of its lift.';
COMMENT ON COLUMN pql.review_line.high IS 'The upper bound.';

CREATE OR REPLACE FUNCTION pql._review_week(program text, as_of timestamptz) RETURNS SETOF pql.review_line
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 7 SET search_path = pg_catalog, pg_temp
  BEGIN ATOMIC
    WITH those AS (
      SELECT l.*, l.qualified_at > _review_week.as_of - interval '7 days' AS late FROM pql.labels(_review_week.as_of, _review_week.program) AS l
      WHERE l.qualified_at > _review_week.as_of - interval '14 days' AND l.qualified_at <= _review_week.as_of),
    final AS (
      SELECT l.*, l.matures_at > _review_week.as_of - interval '7 days' AS late FROM pql.labels(_review_week.as_of, _review_week.program) AS l
      WHERE l.matures_at > _review_week.as_of - interval '14 days' AND l.matures_at <= _review_week.as_of AND l.follows IS NULL),
    week AS (
      SELECT t.late, count(*) AS n, count(*) FILTER (WHERE t.holdout) AS held_out, count(t.accepted_at)::float8 / nullif(count(t.rep), 0) AS accepted, count(t.rep) AS offered,
             avg(extract(epoch FROM t.touch_delay))::float8 / 3600 AS hours, count(t.first_touch_at) AS touched, count(t.met_at) AS met,
             count(*) FILTER (WHERE t.disposition = 'disqualified' OR NOT t.need_matched) AS false_positives, count(*) FILTER (WHERE t.burnt) AS burnt
      FROM those AS t GROUP BY t.late),
    known AS (SELECT f.late, count(*) AS n, count(*) FILTER (WHERE f.converted) AS converted FROM final AS f GROUP BY f.late),
    said (place, late, figure, text, n) AS (
      SELECT 1, w.late, w.n::float8, w.n || CASE WHEN w.held_out > 0 THEN format(' (%s held out)', w.held_out) ELSE '' END, w.n FROM week AS w
      UNION ALL SELECT 2, w.late, w.accepted, pql._share_text(w.accepted), w.offered FROM week AS w
      UNION ALL SELECT 3, w.late, w.hours, round(w.hours::numeric, 1)::text, w.touched FROM week AS w
      UNION ALL SELECT 4, w.late, w.met, w.met::text, w.touched FROM week AS w
      UNION ALL SELECT 5, k.late, k.converted::float8 / nullif(k.n, 0), pql._share_text(k.converted::float8 / nullif(k.n, 0)), k.n FROM known AS k
      UNION ALL SELECT 6, w.late, w.false_positives, w.false_positives::text, w.touched FROM week AS w
      UNION ALL SELECT 7, w.late, w.burnt, w.burnt::text, w.touched FROM week AS w)
    SELECT 'week', p.item,
           CASE WHEN f.now IS NULL OR f.before IS NULL THEN 'unknown' WHEN f.now > f.before THEN 'more' WHEN f.now < f.before THEN 'less' ELSE 'same' END,
           coalesce(before.text, CASE WHEN p.place IN (1, 4, 6, 7) THEN '0' END), coalesce(now.text, CASE WHEN p.place IN (1, 4, 6, 7) THEN '0' END), NULL, coalesce(now.n, 0), NULL::float8, NULL::float8
    FROM (VALUES (1, 'hand-offs'), (2, 'accepted'), (3, 'hours to first touch'), (4, 'meetings'), (5, 'converted, of those whose label became final'), (6, 'disqualified, or need not matched'), (7, 'burnt')) AS p(place, item)
    LEFT JOIN said AS now ON now.place = p.place AND now.late
    LEFT JOIN said AS before ON before.place = p.place AND NOT before.late
    CROSS JOIN LATERAL ( -- of nothing there is a number, but neither a share nor a mean
      SELECT CASE WHEN p.place IN (1, 4, 6, 7) THEN coalesce(now.figure, 0) ELSE now.figure END AS now,
             CASE WHEN p.place IN (1, 4, 6, 7) THEN coalesce(before.figure, 0) ELSE before.figure END AS before) AS f
    ORDER BY p.place;
  END;
COMMENT ON FUNCTION pql._review_week(text, timestamptz) IS 'What came of a program in the last seven days, and in the seven before; unknown: a share or a mean of nothing.';

CREATE OR REPLACE FUNCTION pql._review_signals(program text, number int, as_of timestamptz) RETURNS SETOF pql.review_line
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 5000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m pql.model;
BEGIN
  SELECT x.* INTO m FROM pql.model AS x WHERE x.program = _review_signals.program AND x.version = number AND x.as_of <= _review_signals.as_of
  ORDER BY x.as_of DESC, x.model_id DESC LIMIT 1;
  IF FOUND THEN
    RETURN QUERY
      SELECT 'signal', s.v ->> 'signal',
             CASE WHEN (s.v ->> 'open')::boolean OR s.v -> 'points' = s.v -> 'proposed' THEN 'keep' WHEN abs((s.v ->> 'proposed')::int) <= 1 THEN 'drop' ELSE 're-weigh' END,
             s.v ->> 'points', s.v ->> 'proposed', pql._why_points(s.v) || format(' (as of %s%s)', to_char(m.as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD'), CASE WHEN abs((s.v ->> 'proposed')::int) <= 1 THEN '; kept at one point, so that it can be learned again' ELSE '' END),
             (s.v #>> '{with,hand_offs}')::bigint, (s.v ->> 'low')::float8, (s.v ->> 'high')::float8
      FROM jsonb_array_elements(m.signals) WITH ORDINALITY AS s(v, n)
      ORDER BY s.v -> 'points' = s.v -> 'proposed', abs((s.v ->> 'proposed')::int - (s.v ->> 'points')::int) DESC, s.n;
    RETURN;
  END IF;
  RETURN QUERY
    SELECT 'signal', s.signal, 'keep', s.points::text, s.points::text, format('nothing is learned since version %s was published: pql.propose_program()', number), p.support, p.lift_low, p.lift_high
    FROM pql._scored_signals(program, number) AS k, LATERAL unnest(k.signals, k.points) AS s(signal, points)
    LEFT JOIN pql.signal_performance(program, NULL, as_of) AS p ON p.signal = s.signal
    ORDER BY s.signal;
END $$;
COMMENT ON FUNCTION pql._review_signals(text, int, timestamptz) IS 'What becomes of each signal of a version by the newest model of it.';

CREATE OR REPLACE FUNCTION pql._review_additions(program text, number int, as_of timestamptz) RETURNS SETOF pql.review_line
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 5 SET search_path = pg_catalog, pg_temp
  BEGIN ATOMIC
    WITH final AS MATERIALIZED (
      SELECT l.routing_id, l.home, l.unit, l.subject_id, l.qualified_at, l.converted FROM pql.labels(_review_additions.as_of, _review_additions.program) AS l
      WHERE l.matures_at <= _review_additions.as_of AND l.follows IS NULL AND l.converted IS NOT NULL),
    every AS (SELECT count(*) AS n, count(*) FILTER (WHERE f.converted) AS converted FROM final AS f),
    used AS (
      SELECT u.name FROM pql.program AS p, jsonb_each(p.document -> 'signals') AS s, LATERAL (VALUES (s.value ->> 'milestone'), (s.value ->> 'event'), ('topic:' || (s.value ->> 'topic'))) AS u(name)
      WHERE p.program = _review_additions.program AND p.version = _review_additions.number AND u.name IS NOT NULL),
    seen AS (
      SELECT f.routing_id, f.converted, 'milestone ' || m.name AS item FROM final AS f JOIN pql.milestones AS m ON m.unit = f.unit AND m.subject_id = f.subject_id AND m.reached_at <= f.qualified_at
      WHERE NOT EXISTS (SELECT FROM pql.tracker AS t, used AS u WHERE t.kind = 'milestone' AND t.unit = m.unit AND t.name = m.name AND (u.name = m.name OR u.name = ANY (t.events)))
      UNION
      SELECT f.routing_id, f.converted, 'topic ' || i.topic FROM final AS f JOIN pql.intent AS i ON i.home = f.home AND i.occurred_at <= f.qualified_at
      WHERE NOT EXISTS (SELECT FROM used AS u WHERE u.name = i.event)),
    counted AS (SELECT s.item, count(*) AS n, count(*) FILTER (WHERE s.converted) AS converted FROM seen AS s GROUP BY s.item)
    SELECT 'add', c.item, 'add', NULL, NULL,
           format('%s of %s with it converted, %s of %s without: no signal of the program has it', c.converted, c.n, e.converted - c.converted, e.n - c.n), c.n, r.low, r.high
    FROM counted AS c CROSS JOIN every AS e CROSS JOIN LATERAL pql.ratio_interval(c.converted, c.n, e.converted - c.converted, e.n - c.n) AS r
    WHERE c.n >= 20 AND r.low > 1 ORDER BY r.low DESC, c.item LIMIT 5;
  END;
COMMENT ON FUNCTION pql._review_additions(text, int, timestamptz) IS 'What hand-offs that convert have done or said before, more than others, that no signal of the version has.';

CREATE OR REPLACE FUNCTION pql._review_effect(program text, as_of timestamptz) RETURNS SETOF pql.review_line
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  draft pql.program;
  entering bigint;
  names text;
BEGIN
  SELECT p.* INTO draft FROM pql.program AS p WHERE p.program = _review_effect.program AND p.status = 'draft';
  IF NOT FOUND THEN
    RETURN NEXT ('list', 'this week''s list', 'same', NULL, NULL, coalesce(
      (SELECT format('what was learned as of %s agrees with version %s', to_char(m.as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD'), m.version) FROM pql.model AS m
       WHERE m.program = _review_effect.program AND m.as_of <= _review_effect.as_of AND m.version = pql._learned_version(_review_effect.program)
         AND m.document = (SELECT p.document FROM pql.program AS p WHERE p.program = m.program AND p.version = m.version)
       ORDER BY m.as_of DESC, m.model_id DESC LIMIT 1), 'there is no draft: pql.propose_program() makes one'), NULL, NULL, NULL)::pql.review_line;
  ELSIF NOT has_function_privilege('pql.preview(jsonb,timestamptz,boolean)', 'EXECUTE') THEN
    RETURN NEXT ('list', 'this week''s list', 'unknown', NULL, NULL, format('version %s is a draft; you may not preview it', draft.version), NULL, NULL, NULL)::pql.review_line;
  ELSE
    FOR names, entering, draft.note IN
      SELECT string_agg(v.subject_id, ', ' ORDER BY v.score_after DESC, v.subject_id) FILTER (WHERE v.place <= 5), sum(v.subjects), v.change
      FROM (SELECT x.*, row_number() OVER (PARTITION BY x.change ORDER BY x.score_after DESC, x.subject_id) AS place FROM pql.preview(draft.document, as_of) AS x) AS v
      GROUP BY v.change ORDER BY v.change
    LOOP
      RETURN NEXT ('list', draft.note, CASE draft.note WHEN 'enters' THEN 'more' WHEN 'leaves' THEN 'less' ELSE 'same' END, NULL, entering::text,
                   CASE WHEN draft.note = 'stays' THEN NULL ELSE names || CASE WHEN entering > 5 THEN format(' and %s others', entering - 5) ELSE '' END END, entering, NULL, NULL)::pql.review_line;
    END LOOP;
  END IF;
  RETURN QUERY
    SELECT 'capacity', 'places of reps', CASE WHEN c.unlimited THEN 'same' WHEN c.waiting > c.places - c.open THEN 'short' ELSE 'enough' END, c.open || ' taken',
           CASE WHEN c.unlimited THEN 'no limit' ELSE greatest(c.places - c.open, 0) || ' free' END, format('%s hand-offs of all programs wait for a rep', c.waiting), c.open, NULL::float8, NULL::float8
    FROM (SELECT coalesce(sum(r.capacity), 0)::bigint AS places, coalesce(sum(l.open), 0)::bigint AS open, coalesce(bool_or(r.capacity IS NULL), true) AS unlimited,
                 (SELECT count(*) FROM pql.routing AS w WHERE w.state IN ('pending', 'ready') AND w.owner IS NULL AND pql._needs_rep(w.motion)) AS waiting
          FROM pql.reps AS r LEFT JOIN pql.rep_load AS l ON l.rep_id = r.rep_id) AS c;
END $$;
COMMENT ON FUNCTION pql._review_effect(text, timestamptz) IS 'What the draft of a program would do to the list, and what reps have room for.';

CREATE OR REPLACE FUNCTION pql.weekly_review(program text, as_of timestamptz DEFAULT statement_timestamp()) RETURNS SETOF pql.review_line
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 ROWS 30 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number CONSTANT int := pql._learned_version(program);
BEGIN
  IF as_of IS NULL THEN
    RAISE EXCEPTION 'as_of must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF as_of < '0001-01-01' THEN
    RAISE EXCEPTION 'as_of lies before the year 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY SELECT * FROM pql._review_week(program, as_of);
  RETURN QUERY SELECT * FROM pql._review_signals(program, number, as_of);
  RETURN QUERY SELECT * FROM pql._review_additions(program, number, as_of);
  RETURN QUERY SELECT * FROM pql._review_effect(program, as_of);
END $$;
COMMENT ON FUNCTION pql.weekly_review(text, timestamptz) IS
  'What to talk about once a week: what came of the last seven days beside the seven before (part week), which signals to keep, drop and re-weigh by the newest model (signal), what converts and is no signal (add: lift of at least 20 final hand-offs, its 95 % interval above 1), what the draft would do to the list, and what reps have room for (list, capacity). was and becomes are figures, or points; low and high an interval of the weight, or of the lift. Errors: 42704 unknown program, 42501 a rep asks, 22004 null, 22023 before the year 1.';

CREATE OR REPLACE FUNCTION pql.weekly_summary(program text, as_of timestamptz DEFAULT statement_timestamp()) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  said pql.review_line[] := ARRAY(SELECT x FROM pql.weekly_review(program, as_of) AS x);
BEGIN
  RETURN format(E'# %s, week to %s\n\n| | the week before | this week |\n| --- | --- | --- |\n', program, to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD'))
    || (SELECT string_agg(format('| %s | %s | %s |', l.item, coalesce(l.was, '-'), coalesce(l.becomes, '-')), E'\n' ORDER BY l.n)
                 FROM unnest(said) WITH ORDINALITY AS l(part, item, verdict, was, becomes, reason, support, low, high, n) WHERE l.part = 'week')
    || E'\n\n## Signals\n\n' || coalesce((
      SELECT string_agg(format('- **%s** %s%s: %s', pql._capital(l.verdict), pql._plain_text(l.item), CASE WHEN l.was <> l.becomes THEN format(', %s to %s points', l.was, l.becomes) ELSE '' END, l.reason), E'\n' ORDER BY l.n)
      FROM unnest(said) WITH ORDINALITY AS l(part, item, verdict, was, becomes, reason, support, low, high, n) WHERE l.part IN ('signal', 'add')), 'None.')
    || E'\n\n## The list, and who works it\n\n' || (
      SELECT string_agg('- ' || CASE WHEN l.part = 'capacity' THEN format('Reps: %s, %s; %s.', l.was, l.becomes, l.reason)
                                     WHEN l.becomes IS NULL THEN l.reason || '.'
                                     ELSE format('%s %s by the draft%s.', l.becomes, CASE l.item WHEN 'enters' THEN 'enter' WHEN 'leaves' THEN 'leave' ELSE 'stay' END, coalesce(': ' || pql._plain_text(l.reason), '')) END, E'\n' ORDER BY l.n)
      FROM unnest(said) WITH ORDINALITY AS l(part, item, verdict, was, becomes, reason, support, low, high, n) WHERE l.part IN ('list', 'capacity')) || E'\n';
END $$;
COMMENT ON FUNCTION pql.weekly_summary(text, timestamptz) IS 'pql.weekly_review as a page of Markdown. Errors: the same.';
