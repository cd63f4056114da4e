-- What became of hand-offs: which outcomes count for which row, whether somebody worked it, and when the answer is final.

CREATE OR REPLACE FUNCTION pql._same_homes() RETURNS TABLE (home text, same text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN -- rows keep the ids that they were written with, also of accounts and users who are one by now
  IF NOT EXISTS (SELECT FROM pql.identity AS i WHERE i.kind IN ('user', 'account') AND i.undone_at IS NULL) THEN
    RETURN;
  END IF;
  RETURN QUERY
    WITH RECURSIVE ends(kind, a, b) AS (
      SELECT i.kind, i.old_id COLLATE "C", i.new_id COLLATE "C" FROM pql.identity AS i WHERE i.kind IN ('user', 'account') AND i.undone_at IS NULL
      UNION ALL SELECT i.kind, i.new_id, i.old_id FROM pql.identity AS i WHERE i.kind IN ('user', 'account') AND i.undone_at IS NULL),
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
         coalesce((p.document #> '{outcome,worked,touches}')::int, 4) AS touches,
         coalesce((p.document #> '{outcome,worked,kinds}')::int, least(2, (p.document #> '{outcome,worked,touches}')::int, jsonb_array_length(p.document #> '{outcome,worked,channels}'))) AS kinds,
         (SELECT array_agg(x.v ORDER BY x.n) FROM jsonb_array_elements_text(p.document #> '{outcome,worked,channels}') WITH ORDINALITY AS x(v, n)) AS channels,
         coalesce((p.document #> '{outcome,worked,meeting}')::boolean, true) AS meeting
  FROM pql.program AS p WHERE p.status <> 'draft' OFFSET 0;
COMMENT ON VIEW pql.outcome_rules IS 'What each version of a program calls an outcome (its "outcome", with what goes without saying): which ones count, for how long, and what is work.';
--@ comments outcome_rules program program version status
COMMENT ON COLUMN pql.outcome_rules.converted IS 'The outcomes that count as a conversion.';
COMMENT ON COLUMN pql.outcome_rules.lost IS 'The outcomes that say that the subject is lost.';
COMMENT ON COLUMN pql.outcome_rules.horizon IS 'How long after it qualified an outcome of the subject counts; then its label is final.';
COMMENT ON COLUMN pql.outcome_rules.touches IS 'From so many touches on a hand-off was worked, if they are of as many kinds as kinds says.';
COMMENT ON COLUMN pql.outcome_rules.kinds IS 'By so many different channels.';
COMMENT ON COLUMN pql.outcome_rules.channels IS 'The channels whose touches count; null: all.';
COMMENT ON COLUMN pql.outcome_rules.meeting IS 'Whether a meeting is work by itself: a touch by the channel meeting, or a disposition meeting_set or converted.';

-- Labels rest on a narrow table with one line for each row, since routing rows are wide and there may be millions: whatever is written of a home puts it
-- on a list, tick makes its lines anew, and until then whoever reads makes them for himself. Writers wait for nobody, and readers see what is true.
-- What is counted most often comes first: a row is read up to the last column that is asked for.
CREATE TABLE pql.handoff_fact (
  routing_id       bigint NOT NULL,
  signal_at        timestamptz NOT NULL,
  qualified_at     timestamptz NOT NULL,
  asked_at         timestamptz NOT NULL,
  matures_at       timestamptz NOT NULL,
  version          int NOT NULL,
  score            int NOT NULL,
  week             date NOT NULL,
  touches          int NOT NULL,
  credits          int NOT NULL,
  holdout          boolean NOT NULL,
  program          text NOT NULL,
  motion           text NOT NULL,
  state            text NOT NULL,
  first_touch_at   timestamptz,
  worked_at        timestamptz,
  converted_at     timestamptz,
  last_outcome_at  timestamptz,
  last_touch_at    timestamptz,
  disposed_at      timestamptz,
  lost_at          timestamptz,
  failed_at        timestamptz,
  contact_by       timestamptz,
  value            numeric,
  disposition      text,
  need_matched     boolean,
  timing_right     boolean,
  context_enough   boolean,
  follows          bigint,
  segment          text,
  owner            text,
  broken_by        text,
  signals          text[] NOT NULL,
  credited         numeric,
  complete         real,
  met_at           timestamptz,
  opportunity_at   timestamptz,
  accepted_at      timestamptz,
  claimed_at       timestamptz,
  home             text COLLATE "C" NOT NULL,
  unit             text NOT NULL,
  subject_id       text NOT NULL,
  account_id       text,
  PRIMARY KEY (home, routing_id)
);
COMMENT ON TABLE pql.handoff_fact IS 'What pql.label is made of: what each routing row is and what became of it, with all that is recorded, whenever it happens. Made from the other tables; those of pql.handoff_due are yet to be made anew.';
COMMENT ON COLUMN pql.handoff_fact.matures_at IS 'When the horizon ends (pql.outcome_rules): what the subject does later isn''t counted.';
COMMENT ON COLUMN pql.handoff_fact.week IS 'The Monday of the week in which it qualified, UTC.';
COMMENT ON COLUMN pql.handoff_fact.touches IS 'How many contacts were made, of those that count (pql.outcome_rules).';
COMMENT ON COLUMN pql.handoff_fact.last_outcome_at IS 'The last outcome that counts; null: there is none.';
COMMENT ON COLUMN pql.handoff_fact.last_touch_at IS 'When somebody reached out last; null: nobody did.';
COMMENT ON COLUMN pql.handoff_fact.lost_at IS 'When the subject was first lost after it qualified; null: it wasn''t.';
COMMENT ON COLUMN pql.handoff_fact.value IS 'What the outcomes that count are worth together; null: nobody said, or there are none.';
COMMENT ON COLUMN pql.handoff_fact.opportunity_at IS 'The first outcome named opportunity; null: there is none.';
COMMENT ON COLUMN pql.handoff_fact.accepted_at IS 'When a rep accepted it first; null: nobody did.';
COMMENT ON COLUMN pql.handoff_fact.claimed_at IS 'When a rep claimed it first; null: nobody did.';
COMMENT ON COLUMN pql.handoff_fact.credited IS 'What the outcomes that are credited to it are worth, together.';
COMMENT ON COLUMN pql.handoff_fact.segment IS 'As the packet has it: the attribute segment, or else industry, tier or plan; null: none of these.';
--@ comments handoff_fact routing routing_id signal_at qualified_at version score holdout program motion state first_touch_at contact_by
--@ comments handoff_fact disposition disposition need_matched timing_right context_enough
--@ comments handoff_fact routing follows owner home unit subject_id account_id
COMMENT ON COLUMN pql.handoff_fact.asked_at IS 'From when on somebody could have reached out: when the subject qualified or, of a row that follows another, when it was decided.';
COMMENT ON COLUMN pql.handoff_fact.broken_by IS 'The rep whose row it was when its promise was broken.';
COMMENT ON COLUMN pql.handoff_fact.signals IS 'Those with points, of which reps may know.';
COMMENT ON COLUMN pql.handoff_fact.complete IS 'How complete the packet is.';
COMMENT ON COLUMN pql.handoff_fact.worked_at IS 'When it had been worked enough to be called work (pql.outcome_rules).';
COMMENT ON COLUMN pql.handoff_fact.met_at IS 'The first meeting, held or set.';
COMMENT ON COLUMN pql.handoff_fact.disposed_at IS 'When the last disposition was told, of which are disposition and the rep''s three answers; null: there is none.';
COMMENT ON COLUMN pql.handoff_fact.failed_at IS 'When a disposition first said that the tone, the timing or the person was wrong.';
COMMENT ON COLUMN pql.handoff_fact.converted_at IS 'The first outcome that counts; last_outcome_at is the last one, value what they are worth together.';
COMMENT ON COLUMN pql.handoff_fact.credits IS 'How many outcomes are credited to the row, which had been worked by then: each to the one row that was worked last, of all whose subjects it is an outcome of. What they are worth together stands in credited.';

CREATE INDEX handoff_fact_program ON pql.handoff_fact (program, qualified_at);

CREATE TABLE pql.handoff_hidden (
  home        text COLLATE "C" NOT NULL,
  routing_id  bigint NOT NULL,
  signals     text[] NOT NULL,
  PRIMARY KEY (home, routing_id)
);
COMMENT ON TABLE pql.handoff_hidden IS 'The signals with points of which reps may not know (may_show_rep), of the lines of pql.handoff_fact that have some. Reps see none of it.';
COMMENT ON COLUMN pql.handoff_hidden.signals IS 'The names of these signals.';
--@ comments handoff_hidden routing home routing_id

CREATE TABLE pql.handoff_due (
  home  text COLLATE "C" NOT NULL
);
ALTER TABLE pql.handoff_due REPLICA IDENTITY FULL;
CREATE INDEX handoff_due_home ON pql.handoff_due (home);
COMMENT ON TABLE pql.handoff_due IS 'The homes of whose rows something was written since their lines of pql.handoff_fact were made. Only tick takes something from it.';
--@ comments handoff_due routing home

SELECT pg_catalog.pg_extension_config_dump('pql.handoff_fact', '');
SELECT pg_catalog.pg_extension_config_dump('pql.handoff_hidden', '');
SELECT pg_catalog.pg_extension_config_dump('pql.handoff_due', '');

ALTER TABLE pql.handoff_fact ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.handoff_fact USING (coalesce(owner = ANY ((SELECT pql._visible_owners())::text[]), true)) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.handoff_fact IS 'Whoever sees a routing row sees what became of it.';
ALTER TABLE pql.handoff_hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.handoff_hidden USING (NOT (SELECT pql._is_rep())) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.handoff_hidden IS 'No rep sees of which signals reps may not know.';

CREATE INDEX routing_person ON pql.routing (subject_id) WHERE unit = 'user';
COMMENT ON INDEX pql.routing_person IS 'The rows of a person, whose outcomes may be theirs and not their account''s.';
CREATE INDEX routing_workspace ON pql.routing (account_id) WHERE unit = 'workspace';
COMMENT ON INDEX pql.routing_workspace IS 'The rows of an account''s workspaces, whose outcomes are the account''s.';

CREATE OR REPLACE FUNCTION pql._handoffs_written() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__handoffs_written' LANGUAGE C COST 500;
COMMENT ON FUNCTION pql._handoffs_written() IS 'The trigger that puts homes on the list of those whose labels are to be made anew. Writers need no rights on it. Its argument is an SQL expression over a written row n, for a list of homes.';
REVOKE ALL ON FUNCTION pql._handoffs_written() FROM PUBLIC;

CREATE TRIGGER handoffs_inserted AFTER INSERT ON pql.routing REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_updated AFTER UPDATE ON pql.routing REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_deleted AFTER DELETE ON pql.routing REFERENCING OLD TABLE AS pql_old
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_inserted AFTER INSERT ON pql.touch REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_updated AFTER UPDATE ON pql.touch REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_deleted AFTER DELETE ON pql.touch REFERENCING OLD TABLE AS pql_old
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_inserted AFTER INSERT ON pql.disposition REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_updated AFTER UPDATE ON pql.disposition REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_deleted AFTER DELETE ON pql.disposition REFERENCING OLD TABLE AS pql_old
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_inserted AFTER INSERT ON pql.outcome REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_updated AFTER UPDATE ON pql.outcome REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_deleted AFTER DELETE ON pql.outcome REFERENCING OLD TABLE AS pql_old
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('ARRAY[n.home]');
CREATE TRIGGER handoffs_inserted AFTER INSERT ON pql.identity REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('CASE WHEN n.kind IN (''user'', ''account'') THEN ARRAY[left(n.kind, 1) || '':'' || n.old_id, left(n.kind, 1) || '':'' || n.new_id] END');
CREATE TRIGGER handoffs_updated AFTER UPDATE ON pql.identity REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._handoffs_written('CASE WHEN n.kind IN (''user'', ''account'') THEN ARRAY[left(n.kind, 1) || '':'' || n.old_id, left(n.kind, 1) || '':'' || n.new_id] END');

CREATE OR REPLACE FUNCTION pql._homes_concerned(written text[]) RETURNS SETOF text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF written = '{}' THEN
    RETURN;
  END IF;
  RETURN QUERY
    WITH p AS MATERIALIZED ( -- a person's and a workspace's rows share outcomes with rows of other homes, and only one of them is credited
      SELECT x COLLATE "C" AS home FROM unnest(written) AS x
      UNION SELECT CASE r.unit WHEN 'user' THEN 'u:' || r.subject_id ELSE 'a:' || r.account_id END COLLATE "C"
            FROM pql.routing AS r WHERE r.home = ANY (written) AND r.unit <> 'account' AND (r.unit = 'user' OR r.account_id IS NOT NULL)),
    w AS MATERIALIZED (SELECT p.home FROM p UNION SELECT m.same FROM pql._same_homes() AS m JOIN p ON p.home = m.home COLLATE "C")
    SELECT w.home FROM w
    UNION SELECT r.home FROM w JOIN pql.routing AS r ON r.unit = 'user' AND r.subject_id = substr(w.home, 3) COLLATE "default" WHERE w.home LIKE 'u:%'
    UNION SELECT r.home FROM w JOIN pql.routing AS r ON r.unit = 'workspace' AND r.account_id = substr(w.home, 3) COLLATE "default" WHERE w.home LIKE 'a:%';
END $$;
COMMENT ON FUNCTION pql._homes_concerned(text[]) IS 'The homes whose rows'' labels may change by what was written of some homes: theirs, and those of rows for which the same outcomes count.';

CREATE OR REPLACE FUNCTION pql._due_homes() RETURNS SETOF text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT c.* FROM pql._homes_concerned(ARRAY(SELECT DISTINCT d.home FROM pql.handoff_due AS d)) AS c;
END $$;
COMMENT ON FUNCTION pql._due_homes() IS 'The homes whose lines of pql.handoff_fact may not be as they should.';

CREATE OR REPLACE FUNCTION pql._signals_in(reasons jsonb) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 500
  RETURN ARRAY(SELECT (x.v ->> 'signal') COLLATE "C" FROM jsonb_array_elements(reasons) AS x(v)
               WHERE x.v ->> 'signal' IS NOT NULL AND (x.v ->> 'points')::numeric <> 0 ORDER BY 1);
COMMENT ON FUNCTION pql._signals_in(jsonb) IS 'The signals that have points, of the reasons of a routing row.';

CREATE OR REPLACE FUNCTION pql._hidden_of(homes text[]) RETURNS TABLE (home text, routing_id bigint, signals text[])
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT x.home, x.routing_id, x.signals
    FROM (SELECT s.home, s.routing_id, ARRAY(SELECT y FROM unnest(pql._signals_in(s.reasons)) AS y WHERE y <> ALL (pql._signals_in(r.reasons)) ORDER BY y) AS signals
          FROM pql.scoring_packet AS s JOIN pql.routing AS r ON r.home = s.home AND r.routing_id = s.routing_id WHERE s.home = ANY (homes)) AS x
    WHERE x.signals <> '{}';
END $$;
COMMENT ON FUNCTION pql._hidden_of(text[]) IS 'The lines of pql.handoff_hidden of some homes, made from what there is.';

CREATE OR REPLACE FUNCTION pql._facts_of(homes text[]) RETURNS SETOF pql.handoff_fact
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  around text[]; -- with those whose rows share outcomes with rows of theirs
BEGIN
  IF homes = '{}' THEN
    RETURN;
  END IF;
  around := ARRAY(SELECT c.* FROM pql._homes_concerned(homes) AS c);
  RETURN QUERY
    WITH v AS MATERIALIZED (SELECT * FROM pql.outcome_rules AS x),
    m AS MATERIALIZED (SELECT x.home, array_agg(x.same) AS same FROM pql._same_homes() AS x GROUP BY x.home),
    -- For each row by indexes, so that it takes as long for each, however many there are and whatever the planner thinks of that.
    b AS (
      SELECT r.home, r.routing_id, r.program, r.version, r.unit, r.subject_id, r.account_id, r.segment, r.motion, r.score, pql._signals_in(r.reasons) AS signals,
             r.signal_at, r.qualified_at, CASE WHEN r.follows IS NULL THEN r.qualified_at ELSE least(greatest(r.qualified_at, r.decided_at), r.first_touch_at) END AS asked_at, r.qualified_at + make_interval(secs => extract(epoch FROM v.horizon)::float8) AS matures_at, (date_trunc('week', r.qualified_at, 'UTC') AT TIME ZONE 'UTC')::date AS week,
             r.holdout, r.owner, r.sla_breached_by AS broken_by, r.state, r.follows, (r.context ->> 'completeness')::real AS complete, r.contact_by, c.claimed_at, c.accepted_at,
             r.first_touch_at, t.last_at AS last_touch_at, coalesce(t.touches, 0)::int AS touches,
             least(CASE WHEN v.meeting THEN least(t.met_at, d.met_at) END, t.worked_at) AS worked_at, least(t.met_at, d.met_at) AS met_at,
             l.at AS disposed_at, l.disposition, l.need_matched, l.timing_right, l.context_enough, d.failed_at,
             o.converted_at, o.last_at AS last_outcome_at, o.value, o.opportunity_at, o.lost_at, o.ids, o.ats, o.worths
      FROM pql.routing AS r JOIN v ON v.program = r.program AND v.version = r.version
        LEFT JOIN m ON m.home = r.home
        -- An outcome counts for the rows of its subject; that of an account also for those of its people and workspaces. A person's home is the account's.
        CROSS JOIN LATERAL (SELECT CASE r.unit WHEN 'user' THEN 'u:' || r.subject_id WHEN 'workspace' THEN 'a:' || r.account_id END COLLATE "C" AS place) AS p
        LEFT JOIN m AS n ON n.home = p.place
        CROSS JOIN LATERAL (
          SELECT min(x.at) FILTER (WHERE x.counts) AS converted_at, max(x.at) FILTER (WHERE x.counts) AS last_at, sum(x.value) FILTER (WHERE x.counts) AS value,
                 min(x.at) FILTER (WHERE x.outcome = ANY (v.lost)) AS lost_at, min(x.at) FILTER (WHERE x.outcome = 'opportunity') AS opportunity_at,
                 array_agg(x.outcome_id) FILTER (WHERE x.counts) AS ids, array_agg(x.at) FILTER (WHERE x.counts) AS ats, array_agg(x.value) FILTER (WHERE x.counts) AS worths
          FROM (SELECT y.*, y.outcome = ANY (v.converted) AS counts FROM pql.outcome AS y
                WHERE y.home = ANY (ARRAY[r.home, p.place] || m.same || n.same) AND y.at > r.qualified_at AND y.at <= r.qualified_at + make_interval(secs => extract(epoch FROM v.horizon)::float8)) AS x) AS o
        CROSS JOIN LATERAL (
          SELECT count(*) AS touches, max(z.at) AS last_at, min(z.at) FILTER (WHERE z.channel = 'meeting') AS met_at,
                 min(z.at) FILTER (WHERE z.nth >= v.touches AND z.so_many_kinds >= v.kinds) AS worked_at
          FROM (SELECT y.channel, y.at, y.nth, count(*) FILTER (WHERE y.new_kind) OVER (ORDER BY y.nth) AS so_many_kinds
                FROM (SELECT x.channel, x.at, row_number() OVER (ORDER BY x.at, x.touch_id) AS nth,
                             row_number() OVER (PARTITION BY x.channel ORDER BY x.at, x.touch_id) = 1 AS new_kind
                      FROM pql.touch AS x WHERE x.home = r.home AND x.routing_id = r.routing_id AND (v.channels IS NULL OR x.channel = ANY (v.channels))) AS y) AS z) AS t
        CROSS JOIN LATERAL (
          SELECT max(x.disposition_id) AS last, min(x.at) FILTER (WHERE x.disposition IN ('meeting_set', 'converted')) AS met_at,
                 min(x.at) FILTER (WHERE x.failure IS NOT NULL) AS failed_at
          FROM pql.disposition AS x WHERE x.home = r.home AND x.routing_id = r.routing_id) AS d
        CROSS JOIN LATERAL (
          SELECT min(x.at) FILTER (WHERE x.to_state = 'claimed') AS claimed_at, min(x.at) FILTER (WHERE x.to_state = 'accepted') AS accepted_at
          FROM pql.routing_transition AS x WHERE x.home = r.home AND x.routing_id = r.routing_id) AS c
        LEFT JOIN pql.disposition AS l ON l.home = r.home AND l.disposition_id = d.last
      WHERE r.home = ANY (around)),
    -- Each outcome is credited to the row that was worked last before it.
    x AS (
      SELECT b.*, u.worth, b.worked_at <= u.at AND NOT b.holdout AND row_number() OVER (PARTITION BY u.id
               ORDER BY coalesce(b.worked_at <= u.at AND NOT b.holdout, false) DESC, b.worked_at DESC, b.routing_id DESC) = 1 AS won
      FROM b LEFT JOIN LATERAL unnest(b.ids, b.ats, b.worths) AS u(id, at, worth) ON true)
    SELECT DISTINCT ON (x.home, x.routing_id) x.routing_id, x.signal_at, x.qualified_at, x.asked_at, x.matures_at, x.version, x.score, x.week, x.touches,
           (count(*) FILTER (WHERE x.won) OVER w)::int, x.holdout, x.program, x.motion, x.state, x.first_touch_at, x.worked_at, x.converted_at, x.last_outcome_at,
           x.last_touch_at, x.disposed_at, x.lost_at, x.failed_at, x.contact_by, x.value, x.disposition, x.need_matched, x.timing_right, x.context_enough,
           x.follows, x.segment, x.owner, x.broken_by, x.signals, sum(x.worth) FILTER (WHERE x.won) OVER w, x.complete, x.met_at, x.opportunity_at, x.accepted_at, x.claimed_at,
           x.home, x.unit, x.subject_id, x.account_id
    FROM x JOIN unnest(homes) AS h(home) ON h.home COLLATE "C" = x.home WINDOW w AS (PARTITION BY x.home, x.routing_id) ORDER BY x.home, x.routing_id;
END $$;
COMMENT ON FUNCTION pql._facts_of(text[]) IS 'The lines of pql.handoff_fact of some homes, made from what there is.';

CREATE OR REPLACE FUNCTION pql._facts_due(sees_all boolean) RETURNS SETOF pql.handoff_fact
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  f pql.handoff_fact;
BEGIN
  IF sees_all THEN
    RETURN QUERY SELECT x.* FROM pql._facts_of(ARRAY(SELECT d.* FROM pql._due_homes() AS d)) AS x;
    RETURN;
  END IF;
  FOR f IN SELECT x.* FROM pql._facts_of(ARRAY(SELECT d.* FROM pql._due_homes() AS d)) AS x LOOP
    SELECT h.credits, h.credited INTO f.credits, f.credited FROM pql.handoff_fact AS h WHERE h.home = f.home AND h.routing_id = f.routing_id;
    f.credits := coalesce(f.credits, 0);
    RETURN NEXT f;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._facts_due(boolean) IS 'The lines of pql.handoff_fact that are to be made anew, as they will be. Who doesn''t see all rows can''t tell whose work came last: he gets credits as they are.';

CREATE OR REPLACE FUNCTION pql._fold_handoffs(most int DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  homes text[];
BEGIN
  -- One at a time, so that what is older never comes later; and where each statement sees what is there by then.
  IF NOT EXISTS (SELECT FROM pql.handoff_due) OR current_setting('transaction_isolation') <> 'read committed'
     OR NOT pg_try_advisory_xact_lock(hashtextextended('pql handoffs', 0)) THEN
    RETURN 0;
  END IF;
  WITH chosen AS (SELECT DISTINCT d.home FROM pql.handoff_due AS d ORDER BY d.home LIMIT most),
  gone AS (DELETE FROM pql.handoff_due AS d USING chosen AS s WHERE d.home = s.home RETURNING d.home)
  SELECT array_agg(DISTINCT g.home) INTO homes FROM gone AS g;
  homes := ARRAY(SELECT c.* FROM pql._homes_concerned(homes) AS c);
  DELETE FROM pql.handoff_fact AS f WHERE f.home = ANY (homes);
  DELETE FROM pql.handoff_hidden AS h WHERE h.home = ANY (homes);
  INSERT INTO pql.handoff_fact SELECT f.* FROM pql._facts_of(homes) AS f;
  INSERT INTO pql.handoff_hidden (home, routing_id, signals)
  SELECT x.home, x.routing_id, x.signals FROM pql._hidden_of(homes) AS x;
  RETURN cardinality(homes);
END $$;
COMMENT ON FUNCTION pql._fold_handoffs(int) IS 'Makes the lines of pql.handoff_fact anew of up to so many homes (null: all) that are due; returns of how many.';
REVOKE ALL ON FUNCTION pql._fold_handoffs(int) FROM PUBLIC;

-- One statement that the planner makes part of the query that asks: whoever counts reads no more than what is counted.
CREATE VIEW pql._handoffs_now WITH (security_invoker = true) AS
  SELECT f.routing_id, f.signal_at, f.qualified_at, f.asked_at, f.matures_at, f.version, f.score, f.week, f.touches, f.credits, f.holdout, f.program, f.motion, f.state,
         f.first_touch_at, f.worked_at, f.converted_at, f.last_outcome_at, f.last_touch_at, f.disposed_at, f.lost_at, f.failed_at, f.contact_by, f.value,
         f.disposition, f.need_matched, f.timing_right, f.context_enough, f.follows, f.segment, f.owner, f.broken_by, f.signals, f.credited, f.complete, f.met_at,
         f.opportunity_at, f.accepted_at, f.claimed_at, f.home, f.unit, f.subject_id, f.account_id
  FROM (SELECT h.*, false AS due FROM pql.handoff_fact AS h UNION ALL SELECT d.*, true FROM pql._facts_due((SELECT pql._visible_owners()) IS NULL) AS d) AS f
  WHERE f.due OR (SELECT NOT EXISTS (SELECT FROM pql.handoff_due)) OR f.home NOT IN (SELECT d.home COLLATE "C" FROM pql._due_homes() AS d(home));
COMMENT ON VIEW pql._handoffs_now IS 'The lines of pql.handoff_fact as they are when all that is due has been made anew.';
--@ comments _handoffs_now handoff_fact routing_id signal_at qualified_at asked_at matures_at version score week touches credits holdout program motion state first_touch_at worked_at converted_at last_outcome_at last_touch_at disposed_at lost_at failed_at contact_by value disposition need_matched timing_right context_enough follows segment owner broken_by signals credited complete met_at opportunity_at accepted_at claimed_at home unit subject_id account_id

CREATE OR REPLACE FUNCTION pql._value_at(home text, id bigint, until timestamptz) RETURNS numeric
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  RETURN (
    SELECT sum(o.value) FROM pql.routing AS r JOIN pql.outcome_rules AS v ON v.program = r.program AND v.version = r.version
      JOIN pql.outcome AS o ON o.home = ANY (ARRAY[r.home, (CASE r.unit WHEN 'user' THEN 'u:' || r.subject_id ELSE 'a:' || r.account_id END)]
        || ARRAY(SELECT m.same FROM pql._same_homes() AS m WHERE m.home IN (r.home, CASE r.unit WHEN 'user' THEN 'u:' || r.subject_id ELSE 'a:' || r.account_id END)))
    WHERE r.home = home AND r.routing_id = id AND o.outcome = ANY (v.converted) AND o.at > r.qualified_at AND o.at <= least(until, r.qualified_at + make_interval(secs => extract(epoch FROM v.horizon)::float8)));
END $$;
COMMENT ON FUNCTION pql._value_at(text, bigint, timestamptz) IS 'What the outcomes that count for a routing row were worth by an instant, when later ones count, too.';

CREATE OR REPLACE FUNCTION pql._touches_at(home text, id bigint, until timestamptz) RETURNS int
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
  RETURN (
    SELECT count(*) FROM pql.routing AS r JOIN pql.outcome_rules AS v ON v.program = r.program AND v.version = r.version
      JOIN pql.touch AS t ON t.home = r.home AND t.routing_id = r.routing_id
    WHERE r.home = home AND r.routing_id = id AND t.at <= until AND (v.channels IS NULL OR t.channel = ANY (v.channels)));
END $$;
COMMENT ON FUNCTION pql._touches_at(text, bigint, timestamptz) IS 'How many touches that count a routing row had by an instant, when there are later ones, too.';

CREATE OR REPLACE FUNCTION pql._answer_at(home text, id bigint, until timestamptz) RETURNS pql.disposition
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  d pql.disposition;
BEGIN
  SELECT x.* INTO d FROM pql.disposition AS x WHERE x.home = home AND x.routing_id = id AND x.at <= until ORDER BY x.disposition_id DESC LIMIT 1;
  RETURN d;
END $$;
COMMENT ON FUNCTION pql._answer_at(text, bigint, timestamptz) IS 'The last disposition of a routing row by an instant, when there are later ones, too.';

CREATE OR REPLACE FUNCTION pql.labels(as_of timestamptz DEFAULT statement_timestamp(), program text DEFAULT NULL)
  RETURNS TABLE (routing_id bigint, home text, program text, version int, unit text, subject_id text, account_id text, team text, segment text, motion text,
    score int, signal_at timestamptz, qualified_at timestamptz, holdout boolean, treated boolean, first_touch_at timestamptz, touch_delay interval,
    disposition text, need_matched boolean, timing_right boolean, context_enough boolean, converted boolean, converted_at timestamptz, value numeric,
    matures_at timestamptz, burnt boolean, rep text, state text, follows bigint, touches int, failed boolean, lost_at timestamptz, met_at timestamptz,
    worked_at timestamptz, signals text[], complete real, claimed_at timestamptz, accepted_at timestamptz, contact_by timestamptz, opportunity_at timestamptz,
    credits int, credited numeric, week date, false_positive boolean, broken_by text)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 100000
  BEGIN ATOMIC
    SELECT f.routing_id, f.home, f.program, f.version, f.unit, f.subject_id, f.account_id, p.team, f.segment, f.motion, f.score, f.signal_at, f.qualified_at,
           f.holdout,
           coalesce(NOT f.holdout AND f.worked_at <= labels.as_of AND f.worked_at <= f.matures_at
             AND (f.first_touch_at <= f.converted_at OR f.converted_at > labels.as_of OR f.converted_at IS NULL), false),
           CASE WHEN f.first_touch_at <= labels.as_of THEN f.first_touch_at END,
           CASE WHEN f.first_touch_at <= labels.as_of THEN f.first_touch_at - f.asked_at END,
           CASE WHEN f.disposed_at > labels.as_of THEN (pql._answer_at(f.home, f.routing_id, labels.as_of)).disposition ELSE f.disposition END,
           CASE WHEN f.disposed_at > labels.as_of THEN (pql._answer_at(f.home, f.routing_id, labels.as_of)).need_matched ELSE f.need_matched END,
           CASE WHEN f.disposed_at > labels.as_of THEN (pql._answer_at(f.home, f.routing_id, labels.as_of)).timing_right ELSE f.timing_right END,
           CASE WHEN f.disposed_at > labels.as_of THEN (pql._answer_at(f.home, f.routing_id, labels.as_of)).context_enough ELSE f.context_enough END,
           CASE WHEN f.converted_at <= labels.as_of THEN true WHEN labels.as_of >= f.matures_at THEN false END,
           CASE WHEN f.converted_at <= labels.as_of THEN f.converted_at END,
           CASE WHEN f.last_outcome_at > labels.as_of THEN pql._value_at(f.home, f.routing_id, labels.as_of) ELSE f.value END,
           f.matures_at,
           coalesce(f.first_touch_at <= labels.as_of AND (f.converted_at <= labels.as_of) IS NOT TRUE
             AND (f.failed_at <= labels.as_of OR f.lost_at > f.first_touch_at AND f.lost_at <= labels.as_of), false),
           f.owner, f.state, f.follows,
           CASE WHEN f.last_touch_at > labels.as_of THEN pql._touches_at(f.home, f.routing_id, labels.as_of) ELSE f.touches END,
           coalesce(f.failed_at <= labels.as_of, false),
           CASE WHEN f.lost_at <= labels.as_of THEN f.lost_at END,
           CASE WHEN f.met_at <= labels.as_of THEN f.met_at END,
           CASE WHEN f.worked_at <= labels.as_of THEN f.worked_at END,
           f.signals, f.complete,
           CASE WHEN f.claimed_at <= labels.as_of THEN f.claimed_at END,
           CASE WHEN f.accepted_at <= labels.as_of THEN f.accepted_at END,
           f.contact_by,
           CASE WHEN f.opportunity_at <= labels.as_of THEN f.opportunity_at END,
           f.credits, f.credited, f.week,
           coalesce(f.first_touch_at <= labels.as_of AND f.matures_at <= labels.as_of AND (f.converted_at <= labels.as_of) IS NOT TRUE
             AND CASE WHEN f.disposed_at > labels.as_of THEN (pql._answer_at(f.home, f.routing_id, labels.as_of)).disposition = 'disqualified'
                        OR NOT (pql._answer_at(f.home, f.routing_id, labels.as_of)).need_matched
                      ELSE f.disposition = 'disqualified' OR NOT f.need_matched END, false),
           f.broken_by
    FROM pql._handoffs_now AS f LEFT JOIN pql.reps AS p ON p.rep_id = f.owner
    WHERE f.qualified_at <= labels.as_of AND (labels.program IS NULL OR f.program = labels.program);
  END;
COMMENT ON FUNCTION pql.labels(timestamptz, text) IS
  'What became of every hand-off as of an instant, of a program (null: of all), for learning and for measuring: one row for each routing row that had qualified by then. What was done and what became of it counts by when it happened, whenever it was recorded; motion, owner and state are as they are now. Columns as in pql.label. Null as_of: no rows.';

CREATE VIEW pql.label WITH (security_invoker = true) AS
  SELECT l.routing_id, l.home, l.program, l.version, l.unit, l.subject_id, l.account_id, l.team, l.segment, l.motion, l.score, l.signal_at, l.qualified_at, l.holdout,
         l.treated, l.first_touch_at, l.touch_delay, l.disposition, l.need_matched, l.timing_right, l.context_enough, l.converted, l.converted_at, l.value,
         l.matures_at, l.burnt, l.rep, l.state, l.follows, l.touches, l.failed, l.lost_at,
         l.met_at, l.worked_at, l.signals, l.complete, l.claimed_at, l.accepted_at, l.contact_by,
         l.opportunity_at, l.credits, l.credited, l.week, l.false_positive, l.broken_by
  FROM pql.labels(statement_timestamp()) AS l;
COMMENT ON VIEW pql.label IS 'What became of every hand-off, as of now (pql.labels): converted, not, or not known yet; worked or not; burnt or not.';
COMMENT ON COLUMN pql.label.need_matched IS 'The rep''s answer: was the need the one that the packet told of? Null: not answered.';
COMMENT ON COLUMN pql.label.timing_right IS 'The rep''s answer: was it the right moment? Null: not answered.';
COMMENT ON COLUMN pql.label.context_enough IS 'The rep''s answer: did the story say enough? Null: not answered.';
COMMENT ON COLUMN pql.label.converted_at IS 'When the first outcome that counts happened; null: none did.';
COMMENT ON COLUMN pql.label.rep IS 'The owner of the row as it is now; null: it has none.';
COMMENT ON COLUMN pql.label.accepted_at IS 'When a rep accepted it first; null: nobody did.';
--@ comments label routing routing_id home program version unit subject_id account_id motion score signal_at qualified_at holdout first_touch_at state contact_by
COMMENT ON COLUMN pql.label.team IS 'The owner''s team; null: it has no owner, or he isn''t among the reps any more.';
COMMENT ON COLUMN pql.label.segment IS 'As the packet has it: the attribute segment, or else industry, tier or plan, of the subject; frozen when the row was decided.';
COMMENT ON COLUMN pql.label.treated IS 'Whether somebody worked it, as the program''s version calls work (pql.outcome_rules), beginning before it converted and within the horizon.';
COMMENT ON COLUMN pql.label.touch_delay IS 'From the moment at which the subject qualified (of a row that follows another: at which that was decided) until somebody reached out; null: nobody did.';
COMMENT ON COLUMN pql.label.broken_by IS 'The rep whose row it was when its promise was broken, who need not have it now; null: it wasn''t broken.';
COMMENT ON COLUMN pql.label.disposition IS 'What was said last; the three answers were given with it. Null: nothing was.';
COMMENT ON COLUMN pql.label.converted IS 'True as soon as an outcome that counts falls within the horizon after the subject qualified; false only when the horizon has passed; null: not known yet.';
COMMENT ON COLUMN pql.label.value IS 'What the outcomes that count are worth, together; null: nobody said.';
COMMENT ON COLUMN pql.label.matures_at IS 'When the horizon ends: from then on converted is never null.';
COMMENT ON COLUMN pql.label.burnt IS 'Whether contact did harm: it was touched, did not convert, and the tone, the timing or the person was wrong, or the subject was lost after that.';
COMMENT ON COLUMN pql.label.follows IS 'The row of the same episode that this one followed; null: it is the first.';
COMMENT ON COLUMN pql.label.touches IS 'How many contacts were made, of channels that count (pql.outcome_rules).';
COMMENT ON COLUMN pql.label.failed IS 'Whether a disposition says that the tone, the timing or the person was wrong.';
COMMENT ON COLUMN pql.label.lost_at IS 'When the subject was first lost after it qualified, within the horizon; null: it wasn''t.';
COMMENT ON COLUMN pql.label.met_at IS 'The first meeting, held or set; null: there was none.';
COMMENT ON COLUMN pql.label.worked_at IS 'When it had been worked enough to be called work; null: it hasn''t.';
COMMENT ON COLUMN pql.label.signals IS 'The signals that had points, of which reps may know.';
COMMENT ON COLUMN pql.label.complete IS 'How complete the packet is, from 0 to 1.';
COMMENT ON COLUMN pql.label.claimed_at IS 'When a rep claimed it first; null: nobody did.';
COMMENT ON COLUMN pql.label.opportunity_at IS 'The first outcome named opportunity, within the horizon; null: there is none.';
COMMENT ON COLUMN pql.label.credits IS 'How many outcomes are credited to the row, whose work came first: each to the one that was worked last, of all rows for which it counts; with all that is recorded by now, and for reps by the last tick.';
COMMENT ON COLUMN pql.label.credited IS 'What the outcomes that are credited to it are worth, together.';
COMMENT ON COLUMN pql.label.week IS 'The Monday of the week in which it qualified, UTC.';
COMMENT ON COLUMN pql.label.false_positive IS 'Whether it was touched, is final, didn''t convert, and was disqualified or not in need.';
