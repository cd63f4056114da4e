-- What became of hand-offs: which outcomes count for which row, whether somebody worked it, and when the answer is final.

CREATE OR REPLACE FUNCTION pql._same_homes() RETURNS TABLE (home text, same text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN -- rows keep the ids that they were written with, also of accounts and users who are one by now
  IF NOT EXISTS (SELECT FROM pql.identity AS i WHERE i.kind <> 'move' AND i.undone_at IS NULL) THEN
    RETURN;
  END IF;
  RETURN QUERY
    WITH RECURSIVE ends(kind, a, b) AS (
      SELECT i.kind, i.old_id COLLATE "C", i.new_id COLLATE "C" FROM pql.identity AS i WHERE i.kind <> 'move' AND i.undone_at IS NULL
      UNION ALL SELECT i.kind, i.new_id, i.old_id FROM pql.identity AS i WHERE i.kind <> 'move' AND i.undone_at IS NULL),
    same(kind, a, b) AS (
      SELECT e.kind, e.a, e.a FROM ends AS e
      UNION SELECT s.kind, s.a, e.b FROM same AS s JOIN ends AS e ON e.kind = s.kind AND e.a = s.b)
    SELECT left(s.kind, 1) || ':' || s.a, left(s.kind, 1) || ':' || s.b FROM same AS s WHERE s.a <> s.b;
END $$;
COMMENT ON FUNCTION pql._same_homes() IS 'The other homes of users and accounts that were merged, for each of theirs.';

-- Nothing of a document is looked at once for each row: OFFSET keeps what is made of it from being moved to where it is used.
CREATE VIEW pql.outcome_rules WITH (security_invoker = true) AS
  SELECT p.program, p.version, p.status,
         coalesce((SELECT array_agg(x.v ORDER BY x.n) FROM jsonb_array_elements_text(p.document #> '{outcome,converted}') WITH ORDINALITY AS x(v, n)),
                  '{converted,paid,won,expanded}') AS converted,
         coalesce((SELECT array_agg(x.v ORDER BY x.n) FROM jsonb_array_elements_text(p.document #> '{outcome,lost}') WITH ORDINALITY AS x(v, n)),
                  '{churned}') AS lost,
         coalesce((p.document #>> '{outcome,horizon}')::interval, '90 days') AS horizon,
         coalesce((p.document #>> '{outcome,worked,touches}')::int, 4) AS touches,
         coalesce((p.document #>> '{outcome,worked,kinds}')::int, 2) AS kinds,
         (SELECT array_agg(x.v ORDER BY x.n) FROM jsonb_array_elements_text(p.document #> '{outcome,worked,channels}') WITH ORDINALITY AS x(v, n)) AS channels,
         coalesce((p.document #>> '{outcome,worked,meeting}')::boolean, true) AS meeting
  FROM pql.program AS p WHERE p.status <> 'draft' OFFSET 0;
COMMENT ON VIEW pql.outcome_rules IS 'What each version of a program calls an outcome (its "outcome", with what goes without saying): which ones count, for how long, and what is work.';
COMMENT ON COLUMN pql.outcome_rules.converted IS 'The outcomes that count as a conversion.';
COMMENT ON COLUMN pql.outcome_rules.lost IS 'The outcomes that say that the subject is lost.';
COMMENT ON COLUMN pql.outcome_rules.horizon IS 'How long after it qualified an outcome of the subject counts; then its label is final.';
COMMENT ON COLUMN pql.outcome_rules.touches IS 'From so many touches on a hand-off was worked, if they are of as many kinds as kinds says.';
COMMENT ON COLUMN pql.outcome_rules.kinds IS 'By so many different channels.';
COMMENT ON COLUMN pql.outcome_rules.channels IS 'The channels whose touches count; null: all.';
COMMENT ON COLUMN pql.outcome_rules.meeting IS 'Whether a meeting is work by itself: a touch by the channel meeting, or a disposition meeting_set or converted.';

-- An outcome counts for the rows of its subject; that of an account also for those of its people and workspaces. A person's home is the account's.
CREATE OR REPLACE FUNCTION pql._outcomes_of(as_of timestamptz)
  RETURNS TABLE (home text, routing_id bigint, outcome_id bigint, at timestamptz, value numeric, counts boolean)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
  BEGIN ATOMIC
    SELECT r.home, r.routing_id, o.outcome_id, o.at, o.value, o.outcome = ANY (v.converted)
    FROM (
        SELECT x.outcome_id, x.outcome, x.at, x.value, x.home FROM pql.outcome AS x
        UNION ALL SELECT x.outcome_id, x.outcome, x.at, x.value, m.same FROM pql.outcome AS x JOIN pql._same_homes() AS m ON m.home = x.home) AS o
      JOIN (
        SELECT x.home, x.home AS place, x.routing_id, x.program, x.version, x.qualified_at FROM pql.routing AS x
        UNION ALL SELECT x.home, 'u:' || x.subject_id, x.routing_id, x.program, x.version, x.qualified_at FROM pql.routing AS x
                  WHERE x.unit = 'user' AND x.account_id IS NOT NULL
        UNION ALL SELECT x.home, 'a:' || x.account_id, x.routing_id, x.program, x.version, x.qualified_at FROM pql.routing AS x WHERE x.unit = 'workspace') AS r
        ON r.place = o.home
      JOIN pql.outcome_rules AS v ON v.program = r.program AND v.version = r.version
    WHERE o.at > r.qualified_at AND o.at <= r.qualified_at + v.horizon AND o.at <= _outcomes_of.as_of AND o.outcome = ANY (v.converted || v.lost);
  END;
COMMENT ON FUNCTION pql._outcomes_of(timestamptz) IS 'The outcomes that count for routing rows, each within its row''s horizon, and those that say that the subject is lost.';

-- One statement that the planner makes part of the query that asks: whoever counts reads no more than what is counted.
CREATE OR REPLACE FUNCTION pql.labels(as_of timestamptz DEFAULT statement_timestamp(), program text DEFAULT NULL)
  RETURNS TABLE (routing_id bigint, home text, program text, version int, unit text, subject_id text, account_id text, team text, segment text, motion text,
    score int, signal_at timestamptz, qualified_at timestamptz, holdout boolean, treated boolean, first_touch_at timestamptz, touch_delay interval,
    disposition text, need_matched boolean, timing_right boolean, context_enough boolean, converted boolean, converted_at timestamptz, value numeric,
    matures_at timestamptz, burnt boolean, rep text, state text, follows bigint, touches int, failed boolean, lost_at timestamptz)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100000
  BEGIN ATOMIC
    SELECT r.routing_id, r.home, r.program, r.version, r.unit, r.subject_id, r.account_id, p.team, r.segment, r.motion, r.score, r.signal_at, r.qualified_at,
           r.holdout,
           coalesce(NOT r.holdout AND r.first_touch_at <= least(labels.as_of, c.converted_at, r.qualified_at + v.horizon)
             AND (v.meeting AND (t.met OR d.met) OR t.touches >= v.touches AND t.kinds >= v.kinds), false),
           CASE WHEN r.first_touch_at <= labels.as_of THEN r.first_touch_at END,
           CASE WHEN r.first_touch_at <= labels.as_of THEN r.first_touch_at - r.qualified_at END,
           l.disposition, l.need_matched, l.timing_right, l.context_enough,
           CASE WHEN c.converted_at IS NOT NULL THEN true WHEN labels.as_of >= r.qualified_at + v.horizon THEN false END,
           c.converted_at, c.value, r.qualified_at + v.horizon,
           r.first_touch_at <= labels.as_of AND c.converted_at IS NULL AND (coalesce(d.failed, false) OR coalesce(c.lost_at > r.first_touch_at, false)) IS TRUE,
           r.owner, r.state, r.follows, coalesce(t.touches, 0)::int, coalesce(d.failed, false), c.lost_at
    FROM pql.routing AS r
      JOIN pql.outcome_rules AS v ON v.program = r.program AND v.version = r.version
      LEFT JOIN pql.reps AS p ON p.rep_id = r.owner
      LEFT JOIN (
        SELECT k.home, k.routing_id, sum(k.touches) AS touches, count(*) AS kinds, bool_or(k.channel = 'meeting') AS met
        FROM (
          SELECT x.home, x.routing_id, x.channel, count(*) AS touches
          FROM pql.touch AS x JOIN pql.routing AS o ON o.home = x.home AND o.routing_id = x.routing_id
            JOIN pql.outcome_rules AS w ON w.program = o.program AND w.version = o.version
          WHERE x.at <= labels.as_of AND (w.channels IS NULL OR x.channel = ANY (w.channels))
          GROUP BY x.home, x.routing_id, x.channel) AS k
        GROUP BY k.home, k.routing_id) AS t ON t.home = r.home AND t.routing_id = r.routing_id
      LEFT JOIN (
        SELECT x.home, x.routing_id, max(x.disposition_id) AS last, bool_or(x.disposition IN ('meeting_set', 'converted')) AS met,
               bool_or(x.failure IS NOT NULL) AS failed
        FROM pql.disposition AS x WHERE x.at <= labels.as_of GROUP BY x.home, x.routing_id) AS d ON d.home = r.home AND d.routing_id = r.routing_id
      LEFT JOIN pql.disposition AS l ON l.home = d.home AND l.disposition_id = d.last
      LEFT JOIN (
        SELECT x.home, x.routing_id, min(x.at) FILTER (WHERE x.counts) AS converted_at, sum(x.value) FILTER (WHERE x.counts) AS value,
               min(x.at) FILTER (WHERE NOT x.counts) AS lost_at
        FROM pql._outcomes_of(labels.as_of) AS x GROUP BY x.home, x.routing_id) AS c ON c.home = r.home AND c.routing_id = r.routing_id
    WHERE r.qualified_at <= labels.as_of AND (labels.program IS NULL OR r.program = labels.program);
  END;
COMMENT ON FUNCTION pql.labels(timestamptz, text) IS
  'What became of every hand-off as of an instant, of a program (null: of all), for learning and for measuring: one row for each routing row that had qualified by then. What was done and what became of it counts by when it happened, whenever it was recorded; motion, owner and state are as they are now. Columns as in pql.label. Null as_of: no rows.';

CREATE VIEW pql.label WITH (security_invoker = true) AS
  SELECT l.routing_id, l.home, l.program, l.version, l.unit, l.subject_id, l.account_id, l.team, l.segment, l.motion, l.score, l.signal_at, l.qualified_at, l.holdout,
         l.treated, l.first_touch_at, l.touch_delay, l.disposition, l.need_matched, l.timing_right, l.context_enough, l.converted, l.converted_at, l.value,
         l.matures_at, l.burnt, l.rep, l.state, l.follows, l.touches, l.failed, l.lost_at
  FROM pql.labels(statement_timestamp()) AS l;
COMMENT ON VIEW pql.label IS 'What became of every hand-off, as of now (pql.labels): converted, not, or not known yet; worked or not; burnt or not.';
COMMENT ON COLUMN pql.label.team IS 'The owner''s.';
COMMENT ON COLUMN pql.label.segment IS 'As the packet has it: the attribute segment, or else industry, tier or plan, of the subject; frozen when the row was decided.';
COMMENT ON COLUMN pql.label.treated IS 'Whether somebody worked it, as the program''s version calls work (pql.outcome_rules), beginning before it converted and within the horizon.';
COMMENT ON COLUMN pql.label.touch_delay IS 'From the moment at which the subject qualified until somebody reached out.';
COMMENT ON COLUMN pql.label.disposition IS 'What was said last; so are the three answers.';
COMMENT ON COLUMN pql.label.converted IS 'True as soon as an outcome that counts falls within the horizon after the subject qualified; false only when the horizon has passed; null: not known yet.';
COMMENT ON COLUMN pql.label.value IS 'What the outcomes that count are worth, together; null where nobody said.';
COMMENT ON COLUMN pql.label.matures_at IS 'When the horizon ends: from then on converted is never null.';
COMMENT ON COLUMN pql.label.burnt IS 'Whether contact did harm: it was touched, did not convert, and the tone, the timing or the person was wrong, or the subject was lost after that.';
COMMENT ON COLUMN pql.label.follows IS 'The row of the same episode that this one followed.';
COMMENT ON COLUMN pql.label.touches IS 'Those of channels that count.';
COMMENT ON COLUMN pql.label.failed IS 'Whether a disposition says that the tone, the timing or the person was wrong.';
COMMENT ON COLUMN pql.label.lost_at IS 'When the subject was first lost after it qualified, within the horizon.';
