CREATE OR REPLACE FUNCTION pql._flush() RETURNS void
  AS 'MODULE_PATHNAME', 'pql__flush' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._flush() IS 'Does what this transaction has pending, so that what it reads next is up to date.';

CREATE OR REPLACE FUNCTION pql._state_subjects(home text, body bytea)
  RETURNS TABLE (unit text, subject_id text, account_id text, user_id text, first_seen timestamptz, last_seen timestamptz, events bigint)
  AS 'MODULE_PATHNAME', 'pql__state_subjects' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 10;
COMMENT ON FUNCTION pql._state_subjects(text, bytea) IS 'The subjects in a row of pql.state: all of each, or a share.';

CREATE OR REPLACE FUNCTION pql._logged_milestones(home text, member text, body bytea)
  RETURNS TABLE (unit text, subject_id text, tracker_id smallint, reached_at timestamptz, event_id text, event_key bytea)
  AS 'MODULE_PATHNAME', 'pql__logged_milestones' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 5;
COMMENT ON FUNCTION pql._logged_milestones(text, text, bytea) IS 'The milestones in a row of pql.milestone_log; event_key sorts as event ids do.';

CREATE OR REPLACE FUNCTION pql._state_canonical(home text, bodies bytea[])
  RETURNS TABLE (unit text, subject_id text, state bytea)
  AS 'MODULE_PATHNAME', 'pql__state_canonical' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 250 ROWS 10;
COMMENT ON FUNCTION pql._state_canonical(text, bytea[]) IS 'The state of each subject in the rows of a home in one canonical form, without the ledger and milestones.';

CREATE OR REPLACE FUNCTION pql._readable(source int) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__readable' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._readable(int) IS 'Whether the columns of a source are there. Everybody may ask: readers of pql.sources do.';

CREATE VIEW pql.milestones WITH (security_invoker = true) AS
  SELECT DISTINCT ON (m.unit, m.subject_id, t.name) m.unit, m.subject_id, t.name, m.reached_at, m.event_id
  FROM pql.milestone_log AS l, LATERAL pql._logged_milestones(l.home, l.member, l.body) AS m
  JOIN pql.tracker AS t ON t.tracker_id = m.tracker_id
  ORDER BY m.unit, m.subject_id, t.name, m.reached_at, m.event_key;
COMMENT ON VIEW pql.milestones IS 'The first time each user, account or workspace did a thing: one row however often, and in whatever order, events arrive.';
COMMENT ON COLUMN pql.milestones.unit IS 'Who reached it: a user, an account or a workspace.';
COMMENT ON COLUMN pql.milestones.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.milestones.name IS 'The milestone''s name.';
COMMENT ON COLUMN pql.milestones.reached_at IS 'When it was reached first.';
COMMENT ON COLUMN pql.milestones.event_id IS 'The event it rests on; of several at that time, the one with the smallest id.';

CREATE VIEW pql.members WITH (security_invoker = true) AS
  SELECT m.account_id, m.user_id, min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen, sum(m.events)::bigint AS events
  FROM pql.state AS s, LATERAL pql._state_subjects(s.home, s.body) AS m
  WHERE m.user_id IS NOT NULL
  GROUP BY m.account_id, m.user_id;
COMMENT ON VIEW pql.members IS 'Who has been active in which account (null: in none), since when, until when and how often.';
COMMENT ON COLUMN pql.members.account_id IS 'The account; null: events without one.';
COMMENT ON COLUMN pql.members.user_id IS 'The user.';
COMMENT ON COLUMN pql.members.first_seen IS 'When the first of these events happened.';
COMMENT ON COLUMN pql.members.last_seen IS 'When the newest of them happened.';
COMMENT ON COLUMN pql.members.events IS 'How many there are.';

CREATE VIEW pql.subjects WITH (security_invoker = true) AS
  SELECT m.unit, m.subject_id, min(m.first_seen) AS first_seen, max(m.last_seen) AS last_seen,
         sum(m.events)::bigint AS events
  FROM pql.state AS s, LATERAL pql._state_subjects(s.home, s.body) AS m
  GROUP BY m.unit, m.subject_id;
COMMENT ON VIEW pql.subjects IS 'Every user and every account that has been seen, and, once there was a program on workspaces, every workspace.';
COMMENT ON COLUMN pql.subjects.unit IS 'What it is: user, account or workspace.';
COMMENT ON COLUMN pql.subjects.subject_id IS 'Its id.';
COMMENT ON COLUMN pql.subjects.first_seen IS 'When its first event happened.';
COMMENT ON COLUMN pql.subjects.last_seen IS 'When its newest event happened.';
COMMENT ON COLUMN pql.subjects.events IS 'How many events it has.';

CREATE VIEW pql.unusable WITH (security_invoker = true) AS
  SELECT s.relation AS events_table, u.reason, sum(u.events)::bigint AS events, max(u.last_at) AS last_at
  FROM pql.unusable_event AS u JOIN pql.source AS s USING (source_id)
  GROUP BY s.relation, u.reason;
COMMENT ON VIEW pql.unusable IS 'Events that could not be used, by reason: counted here instead of failing the insert.';
COMMENT ON COLUMN pql.unusable.events_table IS 'The table that they came by.';
COMMENT ON COLUMN pql.unusable.events IS 'How many there were.';
COMMENT ON COLUMN pql.unusable.last_at IS 'When the last one came.';
--@ comments unusable unusable_event reason

CREATE VIEW pql.sources WITH (security_invoker = true) AS
  SELECT s.source_id, s.relation,
         (SELECT count(*) FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = s.relation
            AND t.tgfoid = 'pql._ingest()'::regprocedure AND t.tgenabled <> 'D') = CASE s.capture WHEN 'row' THEN 2 ELSE 4 END
         AND NOT EXISTS (SELECT FROM pql._leaves(s.source_id) AS l JOIN pg_catalog.pg_trigger AS t ON t.oid = l.trigger_id
                         WHERE t.tgenabled = 'D')
         AND NOT (s.capture = 'statement'
                  AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = s.relation AND c.relispartition))
         AND pql._readable(s.source_id) AS intact,
         s.user_id, s.account_id, s.workspace, s.event, s.occurred_at, s.event_id, s.properties, s.clock, s.mode, s.capture,
         CASE WHEN s.dedup IS NOT NULL THEN 'refused for ' || s.dedup || CASE WHEN s.received_at IS NULL THEN ' by occurred_at' ELSE ' by received_at' END
              WHEN s.unique_ids THEN 'refused by a unique index'
              ELSE 'counted' END AS duplicates,
         s.max_event_age, s.max_future, s.sealed_before, s.attached_at,
         (SELECT count(*) FROM pql.held_event AS h WHERE h.source_id = s.source_id AND h.home NOT LIKE 'w:%') AS held,
         (SELECT coalesce(sum(u.events), 0)::bigint FROM pql.unusable_event AS u WHERE u.source_id = s.source_id) AS unusable,
         NOT EXISTS (SELECT FROM pql.backfill_job AS j WHERE j.source_id = s.source_id AND j.finished_at IS NULL) AS history_folded,
         ARRAY(SELECT c.name || ': ' || c.change FROM pql._leaf_changes(s.source_id) AS c WHERE c.change IS NOT NULL ORDER BY 1)
           AS changed_partitions
  FROM pql.source AS s;
COMMENT ON VIEW pql.sources IS 'Attached events tables: how they are read, whether they are intact, and what became of events that could not be used at once.';
COMMENT ON COLUMN pql.sources.unusable IS 'How many events could not be used (pql.unusable).';
COMMENT ON COLUMN pql.sources.history_folded IS 'Whether all history is in the state; false: CALL pql.backfill().';
--@ comments sources source source_id relation user_id account_id workspace event occurred_at event_id properties clock mode capture max_event_age max_future sealed_before attached_at
COMMENT ON COLUMN pql.sources.intact IS 'Whether pql''s triggers on the table and its partitions are there and enabled, and its columns are; a table that has become a partition itself is not.';
COMMENT ON COLUMN pql.sources.duplicates IS 'What becomes of rows that repeat an id: refused by a unique index; counted; or refused by pql (dedup) for a time, which is measured from one row to the other by their arrival (received_at) or, where pql.attach was not told of it, by when the events happened (occurred_at).';
COMMENT ON COLUMN pql.sources.changed_partitions IS 'What happened to partitions that fires no trigger, and is not mended: CALL pql.backfill() takes in what was attached with events, and takes out what was detached; pql.verify() tells whether one that was emptied or rewritten lost events, and CALL pql.rebuild() mends everything.';
COMMENT ON COLUMN pql.sources.held IS 'Events in the future, held until they are due.';

CREATE VIEW pql.backfill_progress WITH (security_invoker = true) AS
  SELECT j.job_id, j.relation, CASE WHEN j.pages = 0 THEN 100 ELSE round(100.0 * j.next_page / j.pages, 1) END AS percent, j.events,
         j.started_at, j.finished_at,
         CASE WHEN j.finished_at IS NULL AND j.next_page > 0
              THEN (clock_timestamp() - j.started_at) * ((j.pages - j.next_page)::float8 / j.next_page) END AS remaining
  FROM pql.backfill_job AS j;
COMMENT ON VIEW pql.backfill_progress IS 'How far the folding of history has come.';
COMMENT ON COLUMN pql.backfill_progress.percent IS 'How much of the table has been read, in percent of its pages.';
COMMENT ON COLUMN pql.backfill_progress.remaining IS 'How long it will take yet, at the speed so far; null: not begun, or done.';
--@ comments backfill_progress backfill_job job_id relation events started_at finished_at

CREATE OR REPLACE FUNCTION pql.state_digest() RETURNS text
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT pql._flush();
    WITH kept AS (
      SELECT s.home, c.unit, c.subject_id, md5(c.state) AS what
      FROM (SELECT r.home, array_agg(r.body) AS bodies FROM pql.state AS r GROUP BY r.home) AS s,
           LATERAL pql._state_canonical(s.home, s.bodies) AS c
      UNION ALL
      SELECT e.home, e.unit, e.subject_id, e.tracker_id || ' ' || extract(epoch FROM e.reached_at) || ' ' || encode(e.event_key, 'hex')
      FROM (SELECT DISTINCT ON (l.home, m.unit, m.subject_id, m.tracker_id) l.home, m.*
            FROM pql.milestone_log AS l, LATERAL pql._logged_milestones(l.home, l.member, l.body) AS m
            ORDER BY l.home, m.unit, m.subject_id, m.tracker_id, m.reached_at, m.event_key) AS e)
    SELECT md5(string_agg(k.home || ':' || k.unit || ':' || k.subject_id || ':' || k.what, ','
                          ORDER BY k.home COLLATE "C", k.unit COLLATE "C", k.subject_id COLLATE "C", k.what COLLATE "C"))
    FROM kept AS k;
  END;
COMMENT ON FUNCTION pql.state_digest() IS 'One digest of the whole state (members, milestones, signals, activation; not the ledger): equal events give equal digests, whatever their order and batching.';

CREATE OR REPLACE FUNCTION pql.activation(program text, subject text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (subject_id text, level int, steps int, complete boolean, started_at timestamptz, reached_at timestamptz,
                 next_step text, skipped jsonb)
  AS 'MODULE_PATHNAME', 'pql_activation' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 100;
COMMENT ON FUNCTION pql.activation(text, text, timestamptz) IS
  'How far subjects came through a program''s activation: the most steps one chain completed within the time (aggregate window_funnel, default mode), when the chain began and when it got there, the step it waits for, and steps that were left out though later ones were reached.';

CREATE OR REPLACE FUNCTION pql.score(program text, subject text, as_of timestamptz DEFAULT NULL) RETURNS int
  AS 'MODULE_PATHNAME', 'pql_score' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql.score(text, text, timestamptz) IS
  'The score of a user, account or workspace, in points, exact as of an instant (null: now, by the program''s clock). Unknown subjects have 0. Instants before the subject''s newest event are answered from the events. Error: 42704 program not in force.';

CREATE OR REPLACE FUNCTION pql.explain(program text, subject text, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (signal text, kind text, points int, value float8, evidence jsonb)
  AS 'MODULE_PATHNAME', 'pql_explain' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10;
COMMENT ON FUNCTION pql.explain(text, text, timestamptz) IS
  'Every signal of a score: its points (they sum exactly to the score), the value they come from, and the event they rest on, or who flagged the subject by hand, why, and until when.';

CREATE OR REPLACE FUNCTION pql.qualification(program text, subject text, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (score int, enter int, leave int, state text, since timestamptz, leaves_at timestamptz, cools_until timestamptz,
                 missing text[], motion text, blocked_by text)
  AS 'MODULE_PATHNAME', 'pql_qualification' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.qualification(text, text, timestamptz) IS
  'Where a user or account stands in a program as of an instant (null: now, by the program''s clock): its score and both thresholds; whether it is in, out, or cooling down, and since when; when it leaves if nothing happens (may be early, never late) or may enter again; what it lacks to enter; the motion that would be chosen now, and what would block it. Unknown subjects are out. Error: 42704 program not in force.';

CREATE TYPE pql.triage_case AS (program text, subject_id text, score int, missing text[]);
COMMENT ON TYPE pql.triage_case IS 'A subject that a program might be about, and what it lacks to enter: a row of pql.triage().';
COMMENT ON COLUMN pql.triage_case.program IS 'The program.';
COMMENT ON COLUMN pql.triage_case.subject_id IS 'The subject.';
COMMENT ON COLUMN pql.triage_case.score IS 'Its score, in points.';
COMMENT ON COLUMN pql.triage_case.missing IS 'What it lacks to enter: kinds of signals, and rules.';
CREATE OR REPLACE FUNCTION pql.triage(program text DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS SETOF pql.triage_case
  AS 'MODULE_PATHNAME', 'pql_triage' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 100;
COMMENT ON FUNCTION pql.triage(text, timestamptz) IS
  'Who is for people to look at: subjects of a program''s segment (null: of every program in force) that are neither in nor cooling down, whose score is not below leave, and who lack a kind of signals or a rule that entering takes; with all that they lack. None of them is routed by this. Error: 42704 program not in force.';

CREATE TYPE pql._row_scored AS (subject_id text, score int, kinds jsonb);
COMMENT ON TYPE pql._row_scored IS 'What pql._row_score() says of an account: a row of the scoreboard in the making.';
COMMENT ON COLUMN pql._row_scored.subject_id IS 'The account.';
COMMENT ON COLUMN pql._row_scored.score IS 'Its score, in points.';
COMMENT ON COLUMN pql._row_scored.kinds IS 'The points by kind: {"kind": points}.';
CREATE OR REPLACE FUNCTION pql._row_score(program_id int, version int, as_of timestamptz, home text, body bytea, attributes jsonb)
  RETURNS pql._row_scored
  AS 'MODULE_PATHNAME', 'pql__row_score' LANGUAGE C STABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION pql._row_score(int, int, timestamptz, text, bytea, jsonb) IS
  'The score of an account or workspace by the row of pql.state that has its head: null when nobody is there, without a score when the row alone does not tell.';
REVOKE ALL ON FUNCTION pql._row_score(int, int, timestamptz, text, bytea, jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.scoreboard(program text, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (subject_id text, score int, kinds jsonb, qualified boolean, since timestamptz)
  AS 'MODULE_PATHNAME', 'pql_scoreboard' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 10000;
COMMENT ON FUNCTION pql.scoreboard(text, timestamptz) IS
  'The score of every subject of a program as of an instant (null: now), the points by kind of signal, and since when it qualifies: it does from entering until it left or, while nobody noted that, as long as the score is not below leave.';
