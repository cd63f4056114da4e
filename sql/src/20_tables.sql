-- Tables. Keys of state tables begin with the home (src/core/state/home.hpp), so that they can be distributed by it.

CREATE TABLE pql.source (
  source_id      int PRIMARY KEY,
  relation       regclass NOT NULL UNIQUE,
  user_id        text NOT NULL,
  account_id     text,
  event          text NOT NULL,
  occurred_at    text NOT NULL,
  event_id       text,
  properties     text,
  received_at    text,
  workspace      text,
  clock          text NOT NULL CHECK (clock IN ('wall', 'event')),
  mode           text NOT NULL CHECK (mode IN ('sync', 'deferred')),
  capture        text NOT NULL CHECK (capture IN ('statement', 'row')),
  dedup          interval CONSTRAINT dedup_is_a_fixed_length CHECK (dedup > '0' AND dedup <= '36525 days' AND extract(year FROM dedup) = 0 AND extract(month FROM dedup) = 0),
  unique_ids     boolean NOT NULL,
  -- Beyond these an insert couldn't count with them.
  max_event_age  interval NOT NULL DEFAULT '7 days' CONSTRAINT max_event_age_is_from_0_to_100_years CHECK (max_event_age BETWEEN '0' AND '36525 days'),
  max_future     interval NOT NULL DEFAULT '10 minutes' CONSTRAINT max_future_is_from_0_to_100_years CHECK (max_future BETWEEN '0' AND '36525 days'),
  sealed_before  timestamptz,
  attached_at    timestamptz NOT NULL DEFAULT now(),
  attached_by    text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE pql.source IS 'Events tables that are attached, and where in their rows pql finds who, what and when; made by pql.attach, read through pql.sources.';
COMMENT ON COLUMN pql.source.source_id IS 'The number of the source, by which other tables refer to it.';
COMMENT ON COLUMN pql.source.relation IS 'The events table.';
COMMENT ON COLUMN pql.source.user_id IS 'A column or SQL expression over a row: who did it.';
COMMENT ON COLUMN pql.source.account_id IS 'A column or SQL expression over a row: the account it was done in; null: the source has none.';
COMMENT ON COLUMN pql.source.event IS 'A column or SQL expression over a row: the name of the event.';
COMMENT ON COLUMN pql.source.occurred_at IS 'A column or SQL expression over a row: when it happened.';
COMMENT ON COLUMN pql.source.event_id IS 'A column or SQL expression over a row: what identifies the event; null: nothing does.';
COMMENT ON COLUMN pql.source.properties IS 'A column or SQL expression over a row: the event''s properties, as jsonb; null: it has none.';
COMMENT ON COLUMN pql.source.received_at IS 'A column or SQL expression over a row: when the row arrived; null: taken to be when it happened. Only dedup asks for it.';
COMMENT ON COLUMN pql.source.workspace IS 'A column or SQL expression over a row: the workspace it was done in; null: the source has none.';
COMMENT ON COLUMN pql.source.clock IS 'What now means: wall (the time of the database), or event (the newest event seen).';
COMMENT ON COLUMN pql.source.mode IS 'sync: events are in the state when their transaction commits. deferred: they are folded later.';
COMMENT ON COLUMN pql.source.capture IS 'How the triggers see rows: by statement, or row by row (partitioned tables, and what a subscription writes).';
COMMENT ON COLUMN pql.source.dedup IS 'For how long pql remembers event ids, to refuse repetitions; null: it doesn''t.';
COMMENT ON COLUMN pql.source.unique_ids IS 'Whether a unique index begins with event_id, so that the table itself refuses repetitions.';
COMMENT ON COLUMN pql.source.max_event_age IS 'Events that are older on arrival change the state, and lead to no routing row.';
COMMENT ON COLUMN pql.source.max_future IS 'Events that are further ahead of the clock are held until they are due (pql.held_event).';
COMMENT ON COLUMN pql.source.sealed_before IS 'Events before that are sealed (pql.retain): older ones that still arrive are not used. Null: none is.';
COMMENT ON COLUMN pql.source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.source.attached_by IS 'The role that attached it.';

CREATE TABLE pql.tracker (
  tracker_id     smallint PRIMARY KEY,
  kind           text NOT NULL CHECK (kind IN ('milestone', 'decay', 'funnel', 'window', 'days', 'users', 'sessions', 'latest')),
  unit           text NOT NULL CHECK (unit IN ('user', 'account', 'workspace')),
  name           text,
  events         text[] NOT NULL,
  rules          text[] NOT NULL,
  value_rule     text,
  half_life      interval,
  in_order       boolean,
  within         interval,
  window_length  interval,
  spans          smallint,
  gap            interval,
  key            text NOT NULL,
  state          text NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'active'))
);
CREATE UNIQUE INDEX tracker_key ON pql.tracker (md5(key));
CREATE UNIQUE INDEX tracker_milestone_name ON pql.tracker (unit, name) WHERE kind = 'milestone';
COMMENT ON TABLE pql.tracker IS 'What the state keeps for each subject of a unit: the first time of a milestone, a decayed sum, a funnel of steps, the newest events of a window. Programs that need the same share one.';
COMMENT ON COLUMN pql.tracker.tracker_id IS 'The number of the tracker, by which pql.state knows it.';
COMMENT ON COLUMN pql.tracker.kind IS 'milestone: the first time. decay: a sum that fades. funnel: the furthest step. window: a count or sum over a time. days, users, sessions: how many different days, users and sessions there were in it. latest: the newest event.';
COMMENT ON COLUMN pql.tracker.unit IS 'Of whom it is kept: user, account or workspace.';
COMMENT ON COLUMN pql.tracker.name IS 'Of a milestone its name; null for most other kinds.';
COMMENT ON COLUMN pql.tracker.events IS 'The names of the events that it takes, * for all; of a funnel one for each step.';
COMMENT ON COLUMN pql.tracker.rules IS 'The condition of each of these events, as SQL over the event; empty: none.';
COMMENT ON COLUMN pql.tracker.value_rule IS 'What each event adds, as SQL over the event; null: 1.';
COMMENT ON COLUMN pql.tracker.half_life IS 'Of kind decay: after how long an event counts half.';
COMMENT ON COLUMN pql.tracker.in_order IS 'Of kind funnel: whether steps must follow each other.';
COMMENT ON COLUMN pql.tracker.within IS 'Of kind funnel: the time in which the steps must happen.';
COMMENT ON COLUMN pql.tracker.window_length IS 'How long the window is, of the kinds that have one.';
COMMENT ON COLUMN pql.tracker.spans IS 'How many such windows are looked at, one before the other: 2 for growth.';
COMMENT ON COLUMN pql.tracker.gap IS 'Of kind sessions: after how long a pause a new session begins.';
COMMENT ON COLUMN pql.tracker.state IS 'building: history is still to be folded into it. active: it is complete.';
COMMENT ON COLUMN pql.tracker.key IS 'All that makes the tracker what it is, as one text: two that have the same are the same.';

CREATE TABLE pql.program (
  program_id    int NOT NULL,
  program       text NOT NULL,
  version       int NOT NULL,
  status        text NOT NULL CHECK (status IN ('draft', 'building', 'shadow', 'live', 'retired')),
  goes_live     boolean NOT NULL DEFAULT false,
  finishing     boolean NOT NULL DEFAULT false,
  document      jsonb NOT NULL,
  note          text,
  published_at  timestamptz NOT NULL DEFAULT now(),
  published_by  text NOT NULL DEFAULT session_user,
  promoted_at   timestamptz,
  retired_at    timestamptz,
  PRIMARY KEY (program, version)
);
CREATE UNIQUE INDEX program_in_force ON pql.program (program, status) WHERE status <> 'retired';
COMMENT ON TABLE pql.program IS 'Every version of every program, as it was published, and drafts of the next ones. A version never changes; its status goes from building to shadow, live and retired, and back to live by pql.rollback.';
COMMENT ON COLUMN pql.program.program_id IS 'The number of the program, the same for all of its versions.';
COMMENT ON COLUMN pql.program.program IS 'The program''s name.';
COMMENT ON COLUMN pql.program.version IS 'The version''s number, from 1; with the name it identifies the row.';
COMMENT ON COLUMN pql.program.status IS 'draft (not published), building (history is being folded for it), shadow (computed, hands nothing over), live, retired.';
COMMENT ON COLUMN pql.program.document IS 'The definition, as it was published (doc/program.schema.json).';
COMMENT ON COLUMN pql.program.note IS 'What whoever published it said of it; null: nothing.';
COMMENT ON COLUMN pql.program.published_by IS 'The role that published or saved it.';
COMMENT ON COLUMN pql.program.retired_at IS 'When it went out of force last; null: it hasn''t.';
COMMENT ON COLUMN pql.program.finishing IS 'Whether the version was replaced and may still have open episodes, which end by its own rules.';
COMMENT ON COLUMN pql.program.goes_live IS 'Whether the version replaces a live one as soon as its trackers are built.';
COMMENT ON COLUMN pql.program.published_at IS 'When it was published; of a draft, when it was saved.';
COMMENT ON COLUMN pql.program.promoted_at IS 'When it came into force last.';

CREATE TABLE pql.state (
  home  text COLLATE "C" NOT NULL,
  part  int NOT NULL,
  body  bytea NOT NULL,
  PRIMARY KEY (home, part)
) WITH (fillfactor = 50, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE pql.state ALTER COLUMN body SET STORAGE MAIN;
COMMENT ON TABLE pql.state IS 'What is kept of accounts, users and workspaces, one row a home, more for large and for crowded accounts (doc/internals.md). Read it through pql.milestones, pql.members, pql.subjects and pql.activation.';
COMMENT ON COLUMN pql.state.home IS 'The home, by its key: a: and the account''s id, u: and the user''s, or w: and the workspace''s (doc/internals.md).';
COMMENT ON COLUMN pql.state.part IS '0: the head. Others have the members of a large account, or what writers of a crowded one added.';
COMMENT ON COLUMN pql.state.body IS 'The state, in pql''s own format.';

CREATE TABLE pql.milestone_log (
  home    text COLLATE "C" NOT NULL,
  member  text COLLATE "C" NOT NULL,
  body    bytea NOT NULL
);
ALTER TABLE pql.milestone_log REPLICA IDENTITY FULL;
CREATE INDEX milestone_log_home ON pql.milestone_log (home, member);
COMMENT ON TABLE pql.milestone_log IS 'Milestones, as each statement found them: of a member of a home, or (empty) of its owner. Statements only add rows, of which the earliest occurrence counts; a derivation writes those of its home anew. Read it through pql.milestones.';
COMMENT ON COLUMN pql.milestone_log.member IS 'The member that the milestones are of; empty: the home''s owner.';
COMMENT ON COLUMN pql.milestone_log.body IS 'The milestones, in pql''s own format.';
--@ comments milestone_log state home

CREATE TABLE pql.base_state (
  home       text COLLATE "C" NOT NULL,
  source_id  int NOT NULL,
  body       bytea NOT NULL,
  PRIMARY KEY (home, source_id)
);
COMMENT ON TABLE pql.base_state IS 'What sealed events amounted to (pql.retain): the base that later events are added to whenever a home is derived again.';
COMMENT ON COLUMN pql.base_state.source_id IS 'The source whose events were sealed (pql.source).';
COMMENT ON COLUMN pql.base_state.body IS 'The state, in pql''s own format.';
--@ comments base_state state home

CREATE TABLE pql.user_home (
  home     text COLLATE "C" NOT NULL,
  user_id  text COLLATE "C" NOT NULL
);
ALTER TABLE pql.user_home REPLICA IDENTITY FULL;
CREATE INDEX user_home_user_id ON pql.user_home (user_id) INCLUDE (home);
COMMENT ON TABLE pql.user_home IS 'In which homes a user has been seen; his state lies in those that aren''t workspaces''.';
COMMENT ON COLUMN pql.user_home.user_id IS 'The user.';
--@ comments user_home state home

CREATE TABLE pql.held_event (
  home         text COLLATE "C" NOT NULL,
  source_id    int NOT NULL,
  occurred_at  timestamptz NOT NULL,
  user_id      text NOT NULL,
  account_id   text,
  event        text NOT NULL,
  event_id     bytea NOT NULL,
  properties   jsonb,
  held_at      timestamptz NOT NULL DEFAULT statement_timestamp()
);
ALTER TABLE pql.held_event REPLICA IDENTITY FULL;
CREATE INDEX held_event_home ON pql.held_event (home, occurred_at);
CREATE INDEX held_event_due ON pql.held_event (occurred_at);
COMMENT ON TABLE pql.held_event IS 'Events whose time has not come yet: they count for nothing until they are due.';
COMMENT ON COLUMN pql.held_event.source_id IS 'The source that it came by (pql.source).';
COMMENT ON COLUMN pql.held_event.occurred_at IS 'When it is said to happen: until then it counts for nothing.';
COMMENT ON COLUMN pql.held_event.user_id IS 'Who did it.';
COMMENT ON COLUMN pql.held_event.account_id IS 'In which account; null: none.';
COMMENT ON COLUMN pql.held_event.event IS 'The event''s name.';
COMMENT ON COLUMN pql.held_event.event_id IS 'The event''s id, as bytes; empty if the source has none.';
COMMENT ON COLUMN pql.held_event.properties IS 'Its properties; null: it has none, or no rule asks for any.';
COMMENT ON COLUMN pql.held_event.held_at IS 'When it arrived.';
--@ comments held_event state home

CREATE TABLE pql.seen_event (
  home        text COLLATE "C" NOT NULL,
  source_id   int NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  rank        text COLLATE "C" NOT NULL,
  arrived_at  timestamptz NOT NULL,
  PRIMARY KEY (home, source_id, event_id)
);
COMMENT ON TABLE pql.seen_event IS 'Event ids of sources attached with dedup, for as long as the horizon says, each with the rank of the row that counts: its arrival (received_at, or else occurred_at), its time and its content.';
COMMENT ON COLUMN pql.seen_event.source_id IS 'The source that it came by (pql.source).';
COMMENT ON COLUMN pql.seen_event.event_id IS 'The event''s id, as text.';
COMMENT ON COLUMN pql.seen_event.rank IS 'The rank of the row that counts: of rows with one id the one with the lowest does.';
--@ comments seen_event state home
CREATE INDEX seen_event_arrived_at ON pql.seen_event (arrived_at);
COMMENT ON COLUMN pql.seen_event.arrived_at IS 'When it was noted: only says how long it is remembered.';

CREATE TABLE pql.forgotten_event (
  source_id  int PRIMARY KEY,
  rank       text COLLATE "C" NOT NULL
);
COMMENT ON TABLE pql.forgotten_event IS 'Up to which rank event ids have been forgotten: whether lower ones came before, only the events table tells.';
COMMENT ON COLUMN pql.forgotten_event.source_id IS 'The source (pql.source).';
COMMENT ON COLUMN pql.forgotten_event.rank IS 'The highest rank of which ids have been forgotten.';

CREATE TABLE pql.sealed_event (
  home        text COLLATE "C" NOT NULL,
  source_id   int NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  rank        text COLLATE "C" NOT NULL,
  PRIMARY KEY (home, source_id, event_id, rank)
);
COMMENT ON TABLE pql.sealed_event IS 'Sealed rows that counted (pql.retain), of sources attached with dedup: what repeats one is told by this, since the row itself may be purged. As of the last seal, for as long as the horizon says.';
--@ comments sealed_event seen_event home source_id
COMMENT ON COLUMN pql.sealed_event.event_id IS 'The event''s id, as text.';
COMMENT ON COLUMN pql.sealed_event.rank IS 'The rank of the sealed row.';

CREATE TABLE pql.unusable_event (
  source_id  int NOT NULL,
  reason     text NOT NULL,
  slot       int NOT NULL,
  events     bigint NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (source_id, reason, slot)
);
COMMENT ON TABLE pql.unusable_event IS 'How many events could not be used, by reason; in slots, so that writers do not wait for each other. Read it through pql.unusable.';
COMMENT ON COLUMN pql.unusable_event.source_id IS 'The source that they came by (pql.source).';
COMMENT ON COLUMN pql.unusable_event.reason IS 'user missing, event missing, time missing, time infinite, id longer than 1000 bytes, expression failed (one of pql.attach''s), message''s expression failed, rule failed, value out of range, definition broken, duplicate, sealed, erased.';
COMMENT ON COLUMN pql.unusable_event.slot IS 'One of several counters of the same thing, which are to be added.';
COMMENT ON COLUMN pql.unusable_event.events IS 'How many events it was, by this slot.';
COMMENT ON COLUMN pql.unusable_event.last_at IS 'When this slot was written last.';

-- A queue: rows are inserted, and deleted by whoever folds them. Any order will do, so it has no key and no index, and what a statement
-- brings lies in one row, whatever homes it is about.
CREATE TABLE pql.deferred (
  source_id    int,
  appended_at  timestamptz NOT NULL,
  events       int NOT NULL,
  trackers     smallint NOT NULL,
  body         bytea NOT NULL,
  properties   jsonb[]
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);
ALTER TABLE pql.deferred ALTER COLUMN body SET STORAGE MAIN;
ALTER TABLE pql.deferred REPLICA IDENTITY FULL; -- as of every table without a key: a publication of all tables would forbid to delete
COMMENT ON TABLE pql.deferred IS 'What writers of deferred sources brought, and nobody has folded yet: one row a statement, more for a large one. Watch it through pql.fold_lag.';
COMMENT ON COLUMN pql.deferred.appended_at IS 'When the statement that brought them began.';
COMMENT ON COLUMN pql.deferred.events IS 'How many events it has.';
COMMENT ON COLUMN pql.deferred.source_id IS 'The source (pql.source); null: not events, but homes that are to be derived again.';
COMMENT ON COLUMN pql.deferred.trackers IS 'Trackers with smaller numbers fold it. To those that came later it is history.';
COMMENT ON COLUMN pql.deferred.body IS 'Events as their rows say them; rows that were changed or deleted; that the table was truncated (src/core/state/deferred.hpp).';
COMMENT ON COLUMN pql.deferred.properties IS 'The properties of those events for which rules ask for them.';

CREATE TABLE pql.asserted_milestone (
  user_id     text COLLATE "C" NOT NULL,
  name        text NOT NULL,
  reached_at  timestamptz NOT NULL,
  evidence    text,
  PRIMARY KEY (user_id, name)
);
COMMENT ON TABLE pql.asserted_milestone IS 'Milestones that an application stated itself, by pql.upsert_user_milestone.';
COMMENT ON COLUMN pql.asserted_milestone.user_id IS 'Who reached it.';
COMMENT ON COLUMN pql.asserted_milestone.name IS 'The milestone''s name.';
COMMENT ON COLUMN pql.asserted_milestone.reached_at IS 'When it was reached: the earliest time that was stated.';
COMMENT ON COLUMN pql.asserted_milestone.evidence IS 'What the application says it rests on; null: nothing.';

CREATE TABLE pql.backfill_job (
  job_id        int PRIMARY KEY,
  source_id     int NOT NULL,
  relation      regclass NOT NULL,
  trackers      smallint[],
  members       boolean NOT NULL,
  boundary      pg_snapshot NOT NULL,
  relfilenode   oid NOT NULL,
  made_in       text NOT NULL,
  pages         bigint NOT NULL,
  next_page     bigint NOT NULL DEFAULT 0,
  events        bigint NOT NULL DEFAULT 0,
  started_at    timestamptz,
  finished_at   timestamptz
);
COMMENT ON TABLE pql.backfill_job IS 'History that is to be folded into the state: of which table, for which trackers (null: all), up to which boundary, and how far it came. Watch it through pql.backfill_progress.';
COMMENT ON COLUMN pql.backfill_job.job_id IS 'The number of the job.';
COMMENT ON COLUMN pql.backfill_job.source_id IS 'The source whose history it is (pql.source).';
COMMENT ON COLUMN pql.backfill_job.relation IS 'The table or partition that is read.';
COMMENT ON COLUMN pql.backfill_job.trackers IS 'The trackers that it is folded into (pql.tracker); null: all.';
COMMENT ON COLUMN pql.backfill_job.members IS 'Whether members and their activity are folded, too.';
COMMENT ON COLUMN pql.backfill_job.boundary IS 'The transactions that had ended when the job was made: only their rows are history.';
COMMENT ON COLUMN pql.backfill_job.relfilenode IS 'The file of the table then: another one means that it was rewritten or emptied since.';
COMMENT ON COLUMN pql.backfill_job.pages IS 'How many pages the table had then.';
COMMENT ON COLUMN pql.backfill_job.next_page IS 'Where it goes on: all pages before that are folded.';
COMMENT ON COLUMN pql.backfill_job.events IS 'How many events it has read so far.';
COMMENT ON COLUMN pql.backfill_job.started_at IS 'When it was begun; null: it waits.';
COMMENT ON COLUMN pql.backfill_job.finished_at IS 'When it was done; null: it isn''t yet.';
COMMENT ON COLUMN pql.backfill_job.made_in IS 'The database it was made in: in another one, that it was restored into, the boundary and the pages mean nothing.';

CREATE TABLE pql.episode (
  home        text COLLATE "C" NOT NULL,
  episode_id  bigint NOT NULL,
  program     text NOT NULL,
  program_id  int NOT NULL,
  version     int NOT NULL,
  unit        text NOT NULL,
  subject_id  text NOT NULL,
  shadow      boolean NOT NULL,
  number      int NOT NULL,
  entered_at  timestamptz NOT NULL,
  score       int NOT NULL,
  leaves_at   timestamptz NOT NULL,
  left_at     timestamptz,
  cools_until timestamptz,
  settled     boolean NOT NULL DEFAULT false,
  PRIMARY KEY (home, episode_id)
);
CREATE INDEX episode_subject ON pql.episode (program_id, subject_id, entered_at);
CREATE UNIQUE INDEX episode_open ON pql.episode (home, program_id, subject_id) WHERE left_at IS NULL;
CREATE INDEX episode_leaves_at ON pql.episode (leaves_at) WHERE left_at IS NULL;
CREATE INDEX episode_left_at ON pql.episode (left_at) WHERE left_at IS NOT NULL AND NOT settled;
CREATE INDEX episode_cools_until ON pql.episode (cools_until) WHERE cools_until IS NOT NULL;
COMMENT ON TABLE pql.episode IS 'Every spell of a subject above a program''s threshold: when it entered, with which score, and when it left.';
COMMENT ON COLUMN pql.episode.episode_id IS 'The number of the episode.';
COMMENT ON COLUMN pql.episode.program IS 'The program.';
COMMENT ON COLUMN pql.episode.program_id IS 'The program''s number (pql.program), the same for all versions.';
COMMENT ON COLUMN pql.episode.version IS 'The version of the program by whose rules it began.';
COMMENT ON COLUMN pql.episode.unit IS 'What the program scores: user, account or workspace.';
COMMENT ON COLUMN pql.episode.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.episode.shadow IS 'Whether it began in a version in shadow, which hands nothing over.';
COMMENT ON COLUMN pql.episode.entered_at IS 'When the subject qualified.';
COMMENT ON COLUMN pql.episode.score IS 'Its score then, in points.';
COMMENT ON COLUMN pql.episode.left_at IS 'When it left; null: the episode is open.';
--@ comments episode state home
COMMENT ON COLUMN pql.episode.number IS 'The how many-th spell of the subject in the program this is; those in shadow are counted by themselves.';
COMMENT ON COLUMN pql.episode.leaves_at IS 'When the episode ends if nothing more happens (the score has been below the leave threshold for the dwell time): may be early, never late.';
COMMENT ON COLUMN pql.episode.settled IS 'Whether tick has looked, since it ended, at what became of its routing rows.';
COMMENT ON COLUMN pql.episode.cools_until IS 'Until when the subject can''t enter again; null when that is over, and looked at.';

CREATE TABLE pql.routing (
  routing_id        bigint NOT NULL,
  home              text COLLATE "C" NOT NULL,
  program           text NOT NULL,
  version           int NOT NULL,
  unit              text NOT NULL,
  subject_id        text NOT NULL,
  account_id        text,
  user_id           text,
  episode           bigint NOT NULL,
  follows           bigint,
  signal_at         timestamptz NOT NULL,
  qualified_at      timestamptz NOT NULL,
  decided_at        timestamptz NOT NULL DEFAULT statement_timestamp(),
  qualification     text NOT NULL CHECK (qualification IN ('first', 'again')),
  score             int NOT NULL,
  reasons           jsonb NOT NULL,
  headline          text NOT NULL,
  motion            text NOT NULL,
  motion_rank       int NOT NULL DEFAULT 0,
  next_best_action  text,
  owner             text,
  contact_after     timestamptz NOT NULL,
  contact_by        timestamptz,
  state             text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'ready', 'blocked', 'suppressed',
                      'claimed', 'accepted', 'declined', 'touched', 'disposed', 'expired')),
  state_since       timestamptz NOT NULL,
  blocked_by        text,
  claimed_at        timestamptz,
  first_touch_at    timestamptz,
  sla_breached_at   timestamptz,
  sla_breached_by   text,
  escalated_to      text,
  snoozed_until     timestamptz,
  disposition       text,
  holdout           boolean NOT NULL DEFAULT false,
  holdout_exempt    text,
  context           jsonb NOT NULL,
  delay             jsonb,
  segment           text GENERATED ALWAYS AS (coalesce(context #>> '{segment,segment}', context #>> '{segment,tier}')) STORED,
  PRIMARY KEY (home, routing_id)
);
CREATE INDEX routing_id ON pql.routing (routing_id);
CREATE INDEX routing_subject ON pql.routing (program, subject_id);
CREATE INDEX routing_qualified_at ON pql.routing (program, qualified_at);
CREATE INDEX routing_episode ON pql.routing (home, episode);
COMMENT ON TABLE pql.routing IS 'Decisions: one open row per qualification episode, written in the transaction of the event that caused it, with its reasons and the context frozen as of decided_at. Until somebody takes it up it follows better motions and guardrails; after that, a better motion writes a row that follows it.';
COMMENT ON COLUMN pql.routing.routing_id IS 'The number of the routing row, unique in the database.';
COMMENT ON COLUMN pql.routing.program IS 'The program that decided.';
COMMENT ON COLUMN pql.routing.version IS 'The version of the program that decided (pql.program).';
COMMENT ON COLUMN pql.routing.unit IS 'What the program scores: user, account or workspace.';
COMMENT ON COLUMN pql.routing.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.routing.account_id IS 'The account that it is about: the subject, or the one that it belongs to; null: none.';
COMMENT ON COLUMN pql.routing.user_id IS 'The user, if the subject is one; otherwise null.';
COMMENT ON COLUMN pql.routing.episode IS 'The episode of the subject that led to it (pql.episode).';
COMMENT ON COLUMN pql.routing.signal_at IS 'When the newest event behind its points happened.';
COMMENT ON COLUMN pql.routing.qualified_at IS 'When the subject qualified, which is when its episode began.';
COMMENT ON COLUMN pql.routing.score IS 'The score as of decided_at, in points.';
COMMENT ON COLUMN pql.routing.reasons IS 'What the score is made of: a JSON array with a line for each signal, its points (they add up to the score), value, evidence and whether it may be mentioned. Signals that reps may not see are one line.';
COMMENT ON COLUMN pql.routing.headline IS 'The reasons in one sentence.';
COMMENT ON COLUMN pql.routing.motion IS 'What should happen: none, in_app, email, inside_sales, account_executive, enterprise, solutions_engineer, customer_success.';
COMMENT ON COLUMN pql.routing.next_best_action IS 'What to do next, in words; null: the program''s motion says nothing of it.';
COMMENT ON COLUMN pql.routing.state IS 'pending (its time hasn''t come, or no rep is free), ready (to be claimed), blocked (by a guardrail, which is looked at again), suppressed (by a guardrail, for good), claimed, accepted, declined (and pending again at once), touched, disposed, expired (the episode ended before anybody took it up).';
COMMENT ON COLUMN pql.routing.state_since IS 'When it came into that state.';
COMMENT ON COLUMN pql.routing.claimed_at IS 'When its owner claimed it; null: he didn''t, or there is none.';
COMMENT ON COLUMN pql.routing.first_touch_at IS 'When somebody reached out first; null: nobody did.';
COMMENT ON COLUMN pql.routing.context IS 'The packet: what a rep needs to know, as it was at decided_at (doc/context.schema.json).';
--@ comments routing state home
COMMENT ON COLUMN pql.routing.follows IS 'The row of the same episode that had been acted upon when a better motion came to apply; null: it is the episode''s first.';
COMMENT ON COLUMN pql.routing.decided_at IS 'As of when score, reasons, headline and context are: when it qualified or, later, got a better motion or was blocked no more.';
COMMENT ON COLUMN pql.routing.motion_rank IS 'The place of the motion among those of the program''s version, from 0: the lower, the better.';
COMMENT ON COLUMN pql.routing.blocked_by IS 'The reason of the guardrail that blocks it, or holdout; of a row that expired, what blocked it last.';
COMMENT ON COLUMN pql.routing.holdout_exempt IS 'Why it is contacted though the holdout''s lot fell on it: named account, explicit request, or flagged by hand.';
COMMENT ON COLUMN pql.routing.holdout IS 'Whether the subject is one of those that are deliberately not contacted.';
-- An account is worked once at a time, whoever tries.
CREATE UNIQUE INDEX routing_worked ON pql.routing ((coalesce('a:' || account_id, home) COLLATE "C"))
  WHERE state IN ('claimed', 'accepted', 'touched') AND snoozed_until IS NULL;
CREATE INDEX routing_free ON pql.routing (contact_by, score DESC, routing_id) WHERE state = 'ready' AND owner IS NULL;
CREATE INDEX routing_owner ON pql.routing (owner, contact_by, score DESC, routing_id)
  WHERE owner IS NOT NULL AND state <> 'disposed';
CREATE INDEX routing_due ON pql.routing (contact_after) WHERE state = 'pending' AND snoozed_until IS NULL;
CREATE INDEX routing_sla ON pql.routing (contact_by)
  WHERE state IN ('pending', 'ready', 'claimed', 'accepted') AND first_touch_at IS NULL AND sla_breached_at IS NULL AND snoozed_until IS NULL;
CREATE INDEX routing_snoozed ON pql.routing (snoozed_until) WHERE snoozed_until IS NOT NULL;
CREATE INDEX routing_timed ON pql.routing (routing_id) WHERE state IN ('pending', 'ready') AND context ? 'timing';
COMMENT ON COLUMN pql.routing.contact_after IS 'Nobody is to make contact before that; nor is the row ready before.';
COMMENT ON COLUMN pql.routing.contact_by IS 'The promise: somebody is to make contact by then; null: nothing was promised.';
COMMENT ON COLUMN pql.routing.delay IS 'What tick moved contact_after for, when it did last: why, and after and by as they would be without it. It counts as long as contact_after is what it was moved to.';
COMMENT ON COLUMN pql.routing.segment IS 'The segment that the packet names, or else the tier: what is measured by.';
COMMENT ON COLUMN pql.routing.owner IS 'The rep whose row it is, chosen, claimed or assigned; null: whoever claims it.';
COMMENT ON COLUMN pql.routing.sla_breached_at IS 'When the promise was broken: contact_by of a row that nobody had touched by then. Noted once.';
COMMENT ON COLUMN pql.routing.sla_breached_by IS 'The rep whose row it was when the promise was broken: he gets it again only if nobody else can.';
COMMENT ON COLUMN pql.routing.escalated_to IS 'To whom the row was escalated when the promise was broken, by its motion''s on_breach: "rep max", "team leads", "skill closing".';
COMMENT ON COLUMN pql.routing.snoozed_until IS 'The row is out of sight until then, and ready again from then on (pql.snooze).';
COMMENT ON COLUMN pql.routing.disposition IS 'What the rep said last (pql.dispose); null when the row has come back since.';
COMMENT ON COLUMN pql.routing.qualification IS 'first: the subject had never qualified before. again: it had, and had left.';

CREATE TABLE pql.routing_transition (
  home           text COLLATE "C" NOT NULL,
  routing_id     bigint NOT NULL,
  at             timestamptz NOT NULL,
  from_state     text,
  to_state       text NOT NULL,
  actor          text NOT NULL,
  reason         text,
  rep            text,
  transition_id  bigint NOT NULL DEFAULT pql.next_id(),
  written_in     xid8 NOT NULL DEFAULT pg_current_xact_id()
);
ALTER TABLE pql.routing_transition REPLICA IDENTITY FULL;
CREATE INDEX routing_transition_routing ON pql.routing_transition (home, routing_id, transition_id);
CREATE INDEX routing_transition_written_in ON pql.routing_transition (written_in);
COMMENT ON TABLE pql.routing_transition IS 'How each routing row went from state to state: when, by whom and why. What changes a row and not its state has a line, too. Read it through pql.routing_history.';
COMMENT ON COLUMN pql.routing_transition.routing_id IS 'The routing row (pql.routing).';
COMMENT ON COLUMN pql.routing_transition.at IS 'When it happened.';
COMMENT ON COLUMN pql.routing_transition.from_state IS 'The state it was in before.';
COMMENT ON COLUMN pql.routing_transition.to_state IS 'The state it came into; the same one: something else of it changed.';
COMMENT ON COLUMN pql.routing_transition.reason IS 'Why, or what was said; null: it goes without saying.';
--@ comments routing_transition state home
COMMENT ON COLUMN pql.routing_transition.actor IS 'Who did it: the setting pql.rep or else the session''s user; pql, when tick did.';
COMMENT ON COLUMN pql.routing_transition.rep IS 'The rep whom it is about: who claimed, declined, was given or lost the row.';
COMMENT ON COLUMN pql.routing_transition.written_in IS 'The transaction that wrote it: whoever has seen all of a snapshot''s finds by it what was committed since, however late.';
COMMENT ON COLUMN pql.routing_transition.transition_id IS 'The order of a row''s transitions, of which several may have one time.';

CREATE TABLE pql.evaluation (
  program_id    int PRIMARY KEY,
  evaluated_at  timestamptz NOT NULL
);
COMMENT ON TABLE pql.evaluation IS 'When all subjects of a program were looked at last, because time alone changes what it says of them.';
COMMENT ON COLUMN pql.evaluation.program_id IS 'The program''s number (pql.program).';
COMMENT ON COLUMN pql.evaluation.evaluated_at IS 'When they were looked at last.';

CREATE TABLE pql.audit (
  audit_id  bigint PRIMARY KEY,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor     text NOT NULL DEFAULT session_user,
  action    text NOT NULL,
  object    text NOT NULL,
  detail    jsonb
);
COMMENT ON TABLE pql.audit IS 'Who changed a definition or a source, and when.';
COMMENT ON COLUMN pql.audit.audit_id IS 'The number of the line.';
COMMENT ON COLUMN pql.audit.at IS 'When it was done, by the clock on the wall.';
COMMENT ON COLUMN pql.audit.actor IS 'The role that did it; tick, if it was pql itself.';
COMMENT ON COLUMN pql.audit.action IS 'The function that was called, such as publish, attach, erase_user.';
COMMENT ON COLUMN pql.audit.object IS 'What it was done to: a program, a relation, a subject. Never the id of somebody who was erased.';
COMMENT ON COLUMN pql.audit.detail IS 'What else is to be known, which depends on the action; null: nothing.';

CREATE TABLE pql.event_clock (
  slot    int PRIMARY KEY,
  newest  timestamptz NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE pql.event_clock IS 'The newest event of sources attached with clock => ''event''; in slots, so that writers do not wait for each other.';
COMMENT ON COLUMN pql.event_clock.slot IS 'One of several, of which the newest counts.';
COMMENT ON COLUMN pql.event_clock.newest IS 'When the newest event of this slot happened.';

-- All of it is the user's data: pg_dump takes it along.
SELECT pg_catalog.pg_extension_config_dump('pql.source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.tracker', '');
SELECT pg_catalog.pg_extension_config_dump('pql.program', '');
SELECT pg_catalog.pg_extension_config_dump('pql.state', '');
SELECT pg_catalog.pg_extension_config_dump('pql.milestone_log', '');
SELECT pg_catalog.pg_extension_config_dump('pql.base_state', '');
SELECT pg_catalog.pg_extension_config_dump('pql.user_home', '');
SELECT pg_catalog.pg_extension_config_dump('pql.held_event', '');
SELECT pg_catalog.pg_extension_config_dump('pql.seen_event', '');
SELECT pg_catalog.pg_extension_config_dump('pql.forgotten_event', '');
SELECT pg_catalog.pg_extension_config_dump('pql.sealed_event', '');
SELECT pg_catalog.pg_extension_config_dump('pql.unusable_event', '');
SELECT pg_catalog.pg_extension_config_dump('pql.deferred', '');
SELECT pg_catalog.pg_extension_config_dump('pql.asserted_milestone', '');
SELECT pg_catalog.pg_extension_config_dump('pql.backfill_job', '');
SELECT pg_catalog.pg_extension_config_dump('pql.episode', '');
SELECT pg_catalog.pg_extension_config_dump('pql.routing', '');
SELECT pg_catalog.pg_extension_config_dump('pql.routing_transition', '');
SELECT pg_catalog.pg_extension_config_dump('pql.evaluation', '');
SELECT pg_catalog.pg_extension_config_dump('pql.audit', '');
SELECT pg_catalog.pg_extension_config_dump('pql.id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('pql.event_clock', '');
