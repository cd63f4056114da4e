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
  dedup          interval,
  unique_ids     boolean NOT NULL,
  max_event_age  interval NOT NULL DEFAULT '7 days',
  max_future     interval NOT NULL DEFAULT '10 minutes',
  sealed_before  timestamptz,
  attached_at    timestamptz NOT NULL DEFAULT now(),
  attached_by    text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE pql.source IS 'Events tables that are attached, and where in their rows pql finds who, what and when; made by pql.attach, read through pql.sources.';

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

CREATE TABLE pql.milestone_log (
  home    text COLLATE "C" NOT NULL,
  member  text COLLATE "C" NOT NULL,
  body    bytea NOT NULL
);
CREATE INDEX milestone_log_home ON pql.milestone_log (home, member);
COMMENT ON TABLE pql.milestone_log IS 'Milestones, as each statement found them: of a member of a home, or (empty) of its owner. Statements only add rows, of which the earliest occurrence counts; a derivation writes those of its home anew. Read it through pql.milestones.';

CREATE TABLE pql.base_state (
  home       text COLLATE "C" NOT NULL,
  source_id  int NOT NULL,
  body       bytea NOT NULL,
  PRIMARY KEY (home, source_id)
);
COMMENT ON TABLE pql.base_state IS 'What sealed events amounted to (pql.retain): the base that later events are added to whenever a home is derived again.';

CREATE TABLE pql.user_home (
  home     text COLLATE "C" NOT NULL,
  user_id  text COLLATE "C" NOT NULL
);
CREATE INDEX user_home_user_id ON pql.user_home (user_id) INCLUDE (home);
COMMENT ON TABLE pql.user_home IS 'In which homes a user has been seen; his state lies in those that aren''t workspaces''.';

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
CREATE INDEX held_event_home ON pql.held_event (home, occurred_at);
CREATE INDEX held_event_due ON pql.held_event (occurred_at);
COMMENT ON TABLE pql.held_event IS 'Events whose time has not come yet: they count for nothing until they are due.';

CREATE TABLE pql.seen_event (
  home        text COLLATE "C" NOT NULL,
  source_id   int NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  rank        text COLLATE "C" NOT NULL,
  arrived_at  timestamptz NOT NULL,
  PRIMARY KEY (home, source_id, event_id)
);
COMMENT ON TABLE pql.seen_event IS 'Event ids of sources attached with dedup, for as long as the horizon says, each with the rank of the row that counts: its arrival (received_at, or else occurred_at), its time and its content.';
CREATE INDEX seen_event_arrived_at ON pql.seen_event (arrived_at);
COMMENT ON COLUMN pql.seen_event.arrived_at IS 'When it was noted: only says how long it is remembered.';

CREATE TABLE pql.forgotten_event (
  source_id  int PRIMARY KEY,
  rank       text COLLATE "C" NOT NULL
);
COMMENT ON TABLE pql.forgotten_event IS 'Up to which rank event ids have been forgotten: whether lower ones came before, only the events table tells.';

CREATE TABLE pql.sealed_event (
  home        text COLLATE "C" NOT NULL,
  source_id   int NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  rank        text COLLATE "C" NOT NULL,
  PRIMARY KEY (home, source_id, event_id, rank)
);
COMMENT ON TABLE pql.sealed_event IS 'Sealed rows that counted (pql.retain), of sources attached with dedup: what repeats one is told by this, since the row itself may be purged. As of the last seal, for as long as the horizon says.';

CREATE TABLE pql.unusable_event (
  source_id  int NOT NULL,
  reason     text NOT NULL,
  slot       int NOT NULL,
  events     bigint NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (source_id, reason, slot)
);
COMMENT ON TABLE pql.unusable_event IS 'How many events could not be used, by reason; in slots, so that writers do not wait for each other. Read it through pql.unusable.';

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
ALTER TABLE pql.deferred REPLICA IDENTITY FULL; -- so that a publication of all tables doesn't forbid to delete
COMMENT ON TABLE pql.deferred IS 'What writers of deferred sources brought, and nobody has folded yet: one row a statement, more for a large one. Watch it through pql.fold_lag.';
COMMENT ON COLUMN pql.deferred.source_id IS 'Null: homes that are to be derived again.';
COMMENT ON COLUMN pql.deferred.trackers IS 'Trackers with smaller numbers fold it. To those that came later it is history.';
COMMENT ON COLUMN pql.deferred.body IS 'Events as their rows say them; rows that were changed or deleted; that the table was truncated (src/core/state/deferred.hpp).';
COMMENT ON COLUMN pql.deferred.properties IS 'Of events of which rules ask for them.';

CREATE TABLE pql.asserted_milestone (
  user_id     text COLLATE "C" NOT NULL,
  name        text NOT NULL,
  reached_at  timestamptz NOT NULL,
  evidence    text,
  PRIMARY KEY (user_id, name)
);
COMMENT ON TABLE pql.asserted_milestone IS 'Milestones that an application stated itself, by pql.upsert_user_milestone.';

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
COMMENT ON COLUMN pql.routing.follows IS 'The row of the same episode that had been acted upon when a better motion came to apply.';
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
COMMENT ON COLUMN pql.routing.contact_after IS 'Not before then, and not ready before then.';
COMMENT ON COLUMN pql.routing.contact_by IS 'The promise: touched by then.';
COMMENT ON COLUMN pql.routing.delay IS 'What tick moved contact_after for, when it did last: why, and after and by as they would be without it. It counts as long as contact_after is what it was moved to.';
COMMENT ON COLUMN pql.routing.segment IS 'The segment that the packet names, or else the tier: what is measured by.';
COMMENT ON COLUMN pql.routing.owner IS 'The rep whose row it is, chosen, claimed or assigned; null: whoever claims it.';
COMMENT ON COLUMN pql.routing.sla_breached_at IS 'When the promise was broken: contact_by of a row that nobody had touched by then. Noted once.';
COMMENT ON COLUMN pql.routing.sla_breached_by IS 'The rep whose row it was when the promise was broken: he gets it again only if nobody else can.';
COMMENT ON COLUMN pql.routing.escalated_to IS 'To whom the row was escalated when the promise was broken, by its motion''s on_breach: "rep max", "team leads", "skill closing".';
COMMENT ON COLUMN pql.routing.snoozed_until IS 'The row is out of sight until then, and ready again from then on (pql.snooze).';
COMMENT ON COLUMN pql.routing.disposition IS 'What the rep said last (pql.dispose); null when the row has come back since.';
COMMENT ON COLUMN pql.routing.qualification IS 'Whether the subject qualified for the first time, or again after it had left.';

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
CREATE INDEX routing_transition_routing ON pql.routing_transition (home, routing_id, transition_id);
CREATE INDEX routing_transition_written_in ON pql.routing_transition (written_in);
COMMENT ON TABLE pql.routing_transition IS 'How each routing row went from state to state: when, by whom and why. What changes a row and not its state has a line, too. Read it through pql.routing_history.';
COMMENT ON COLUMN pql.routing_transition.actor IS 'Who did it: the setting pql.rep or else the session''s user; pql, when tick did.';
COMMENT ON COLUMN pql.routing_transition.rep IS 'The rep whom it is about: who claimed, declined, was given or lost the row.';
COMMENT ON COLUMN pql.routing_transition.written_in IS 'The transaction that wrote it: whoever has seen all of a snapshot''s finds by it what was committed since, however late.';
COMMENT ON COLUMN pql.routing_transition.transition_id IS 'The order of a row''s transitions, of which several may have one time.';

CREATE TABLE pql.evaluation (
  program_id    int PRIMARY KEY,
  evaluated_at  timestamptz NOT NULL
);
COMMENT ON TABLE pql.evaluation IS 'When all subjects of a program were looked at last, because time alone changes what it says of them.';

CREATE TABLE pql.audit (
  audit_id  bigint PRIMARY KEY,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor     text NOT NULL DEFAULT session_user,
  action    text NOT NULL,
  object    text NOT NULL,
  detail    jsonb
);
COMMENT ON TABLE pql.audit IS 'Who changed a definition or a source, and when.';

CREATE TABLE pql.event_clock (
  slot    int PRIMARY KEY,
  newest  timestamptz NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE pql.event_clock IS 'The newest event of sources attached with clock => ''event''; in slots, so that writers do not wait for each other.';

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
