-- Reps: who makes contact, when they work, what they can do and how much at once; and who got which routing row, and why.
CREATE OR REPLACE FUNCTION pql._check_zone(zone text) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__check_zone' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._check_zone(text) IS 'True for a time zone that PostgreSQL knows. Error: 22023 for others. Everybody may ask: whoever may write to pql.reps does.';

CREATE OR REPLACE FUNCTION pql._check_hours(working_hours jsonb) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__check_hours' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._check_hours(jsonb) IS 'True for working hours that can be read. Error: 22023 for others, with how they are written.';

CREATE OR REPLACE FUNCTION pql._check_calendar() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._check_zone(new.zone);
  PERFORM pql._check_hours(new.working_hours);
  RETURN new;
END $$;
COMMENT ON FUNCTION pql._check_calendar() IS 'Refuses time zones and working hours that can''t be read.';
REVOKE ALL ON FUNCTION pql._check_calendar() FROM PUBLIC;

CREATE TABLE pql.team (
  team           text COLLATE "C" PRIMARY KEY CONSTRAINT team_has_a_name CHECK (team <> ''),
  zone           text,
  working_hours  jsonb
);
COMMENT ON TABLE pql.team IS 'When the reps of a team work who don''t say so themselves. The team "default" is of those without one, and of routing rows until a rep is chosen; where it has no row, or says nothing, work is from 09:00 to 17:00 UTC, Monday to Friday.';
COMMENT ON COLUMN pql.team.team IS 'The team''s name.';
COMMENT ON COLUMN pql.team.zone IS 'A name of pg_timezone_names.';
COMMENT ON COLUMN pql.team.working_hours IS 'Blocks of local time by day: {"mon": ["09:00-12:30", "13:30-17:00"], ...}; days that are not there are free.';

CREATE TABLE pql.reps (
  rep_id           text COLLATE "C" PRIMARY KEY CONSTRAINT rep_has_an_id CHECK (rep_id <> ''),
  db_role          name UNIQUE,
  crm_owner_id     text,
  team             text COLLATE "C" NOT NULL DEFAULT 'default',
  zone             text,
  working_hours    jsonb,
  capacity         int CONSTRAINT capacity_is_not_negative CHECK (capacity >= 0),
  weekly_capacity  int CONSTRAINT weekly_capacity_is_not_negative CHECK (weekly_capacity >= 0),
  skills           text[] NOT NULL DEFAULT '{}' CONSTRAINT skills_are_not_null CHECK (array_position(skills, NULL) IS NULL),
  segments         text[] NOT NULL DEFAULT '{}' CONSTRAINT segments_are_not_null CHECK (array_position(segments, NULL) IS NULL),
  weight           float8 NOT NULL DEFAULT 1 CONSTRAINT weight_is_from_0_to_1000 CHECK (weight BETWEEN 0 AND 1000),
  ramp_from        timestamptz CONSTRAINT ramp_from_is_finite CHECK (isfinite(ramp_from)),
  ramp_for         interval CONSTRAINT ramp_is_a_fixed_length CHECK (ramp_for BETWEEN '0' AND '36525 days' AND extract(year FROM ramp_for) = 0 AND extract(month FROM ramp_for) = 0),
  away             tstzmultirange NOT NULL DEFAULT '{}',
  active           boolean NOT NULL DEFAULT true,
  manager          boolean NOT NULL DEFAULT false,
  CONSTRAINT ramp_has_both CHECK ((ramp_from IS NULL) = (ramp_for IS NULL))
);
COMMENT ON TABLE pql.reps IS 'Who makes contact. Without any, routing rows have no owner.';
COMMENT ON COLUMN pql.reps.rep_id IS 'The rep''s id, which pql.routing.owner refers to.';
COMMENT ON COLUMN pql.reps.team IS 'The rep''s team (pql.team).';
COMMENT ON COLUMN pql.reps.ramp_for IS 'For how long the weight grows; null: it is full.';
COMMENT ON COLUMN pql.reps.active IS 'Whether the rep gets routing rows at all.';
COMMENT ON COLUMN pql.reps.db_role IS 'The role by which the rep signs in to the database; null: he doesn''t.';
COMMENT ON COLUMN pql.reps.crm_owner_id IS 'What the CRM calls the rep; null: not known.';
COMMENT ON COLUMN pql.reps.zone IS 'A name of pg_timezone_names; null: the team''s.';
COMMENT ON COLUMN pql.reps.working_hours IS 'As in pql.team; null: the team''s.';
COMMENT ON COLUMN pql.reps.capacity IS 'How many routing rows at once; null: no limit.';
COMMENT ON COLUMN pql.reps.weekly_capacity IS 'How many routing rows a week, from Monday in the rep''s zone; null: no limit.';
COMMENT ON COLUMN pql.reps.skills IS 'What motions may ask for ("skills").';
COMMENT ON COLUMN pql.reps.segments IS 'Of whom the rep takes, by the attribute "segment"; empty: of all.';
COMMENT ON COLUMN pql.reps.weight IS 'The rep''s part in the shares; 0: only accounts of their own.';
COMMENT ON COLUMN pql.reps.ramp_from IS 'Since when a new rep works: the weight grows to its full size within ramp_for.';
COMMENT ON COLUMN pql.reps.manager IS 'Sees the routing rows of all teams; other reps with a db_role see theirs, their team''s and nobody''s.';
COMMENT ON COLUMN pql.reps.away IS 'When the rep is away: holidays of his own, illness.';

CREATE TRIGGER check_calendar BEFORE INSERT OR UPDATE OF zone, working_hours ON pql.team
  FOR EACH ROW EXECUTE FUNCTION pql._check_calendar();
CREATE TRIGGER check_calendar BEFORE INSERT OR UPDATE OF zone, working_hours ON pql.reps
  FOR EACH ROW EXECUTE FUNCTION pql._check_calendar();

CREATE TABLE pql.holidays (
  calendar  text COLLATE "C" NOT NULL DEFAULT '',
  day       date NOT NULL CONSTRAINT day_is_finite CHECK (isfinite(day)),
  name      text,
  PRIMARY KEY (calendar, day)
);
COMMENT ON TABLE pql.holidays IS 'Days on which nobody works.';
COMMENT ON COLUMN pql.holidays.day IS 'The day.';
COMMENT ON COLUMN pql.holidays.name IS 'What it is called; null: nobody said.';
COMMENT ON COLUMN pql.holidays.calendar IS 'For whom: a team, a time zone, or (empty) everybody.';

CREATE TABLE pql.territories (
  territory_id  bigint PRIMARY KEY DEFAULT pql.next_id(),
  attribute     text NOT NULL CONSTRAINT attribute_has_a_name CHECK (attribute <> ''),
  "values"      text[] NOT NULL CONSTRAINT there_are_values CHECK (cardinality("values") > 0 AND array_position("values", NULL) IS NULL),
  team          text COLLATE "C",
  rep_id        text COLLATE "C",
  priority      int NOT NULL DEFAULT 100,
  CONSTRAINT either_team_or_rep CHECK ((team IS NULL) <> (rep_id IS NULL))
);
COMMENT ON TABLE pql.territories IS 'Whose are subjects of whom an attribute has one of some values. The first row that matches, by priority, decides; where none does, everybody may.';
COMMENT ON COLUMN pql.territories.territory_id IS 'The number of the territory.';
COMMENT ON COLUMN pql.territories.attribute IS 'The attribute of the subject that is asked for.';
COMMENT ON COLUMN pql.territories."values" IS 'Its values that are of this territory.';
COMMENT ON COLUMN pql.territories.team IS 'The team that has it; null: a single rep has.';
COMMENT ON COLUMN pql.territories.rep_id IS 'The rep who has it; null: a team has.';
COMMENT ON COLUMN pql.territories.priority IS 'The lower, the earlier it is looked at.';

CREATE TABLE pql.account_owner (
  account_id  text COLLATE "C" PRIMARY KEY,
  rep_id      text COLLATE "C" NOT NULL,
  since       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pql.account_owner IS 'Accounts that are somebody''s own: he is asked first, whatever his skills and shares.';
COMMENT ON COLUMN pql.account_owner.account_id IS 'The account.';
COMMENT ON COLUMN pql.account_owner.rep_id IS 'Whose it is (pql.reps).';
COMMENT ON COLUMN pql.account_owner.since IS 'Since when it is.';

CREATE TABLE pql.consent (
  unit        text NOT NULL CONSTRAINT unit_is_known CHECK (unit IN ('user', 'account')),
  subject_id  text COLLATE "C" NOT NULL CONSTRAINT subject_has_an_id CHECK (subject_id <> ''),
  channel     text NOT NULL DEFAULT '',
  granted     boolean NOT NULL,
  at          timestamptz NOT NULL DEFAULT now() CONSTRAINT at_is_finite CHECK (isfinite(at)), -- or nobody could ever say anything newer
  source      text,
  PRIMARY KEY (unit, subject_id, channel, at)
);
COMMENT ON TABLE pql.consent IS 'Who agreed to be contacted, and who did not: when, by which channel (empty: any), and how it is known. The newest counts.';
COMMENT ON COLUMN pql.consent.unit IS 'Who said it: a user, or an account for all of its people.';
COMMENT ON COLUMN pql.consent.subject_id IS 'The id of that user or account.';
COMMENT ON COLUMN pql.consent.channel IS 'Which channel it is about; empty: any.';
COMMENT ON COLUMN pql.consent.granted IS 'Whether they agreed; false: they refused or withdrew.';
COMMENT ON COLUMN pql.consent.at IS 'Since when that is so; of one subject and channel the newest row counts.';
COMMENT ON COLUMN pql.consent.source IS 'How it is known; null: nobody said.';

CREATE TABLE pql.rep_load (
  rep_id           text COLLATE "C" PRIMARY KEY,
  open             int NOT NULL DEFAULT 0 CONSTRAINT open_is_not_negative CHECK (open >= 0),
  taken_this_week  int NOT NULL DEFAULT 0,
  week_start       date NOT NULL DEFAULT '2000-01-03',
  deficit          float8 NOT NULL DEFAULT 0,
  seed             bigint NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE pql.rep_load IS 'What each rep has. Only pql writes it: capacity is kept here, under the row''s lock.';
COMMENT ON COLUMN pql.rep_load.rep_id IS 'The rep (pql.reps).';
COMMENT ON COLUMN pql.rep_load.taken_this_week IS 'How many routing rows he has got in the week of week_start.';
COMMENT ON COLUMN pql.rep_load.week_start IS 'The Monday of that week, in his zone.';
COMMENT ON COLUMN pql.rep_load.open IS 'Routing rows that are his and not done.';
COMMENT ON COLUMN pql.rep_load.deficit IS 'How many rows he is behind what was his share of those that he could have had.';
COMMENT ON COLUMN pql.rep_load.seed IS 'Of two who are equal, the lower one is first.';

CREATE TABLE pql.route_decision (
  home         text COLLATE "C" NOT NULL,
  decision_id  bigint NOT NULL,
  routing_id   bigint NOT NULL,
  at           timestamptz NOT NULL,
  motion       text NOT NULL,
  outcome      text NOT NULL CHECK (outcome IN ('assigned', 'waits', 'downgraded', 'cut')),
  chosen       text,
  counts_in    date,
  candidates   jsonb NOT NULL,
  PRIMARY KEY (home, decision_id)
);
CREATE INDEX route_decision_routing ON pql.route_decision (routing_id, decision_id);
CREATE INDEX routing_unassigned ON pql.routing (coalesce(contact_by, 'infinity'), routing_id) WHERE state = 'pending' AND owner IS NULL;
COMMENT ON TABLE pql.route_decision IS 'Who was chosen for a routing row, and what spoke for and against each rep. A row that waits has another one only when the reasons change; of one that is below its program''s capacity threshold (outcome cut), the first score and threshold are kept.';
COMMENT ON COLUMN pql.route_decision.decision_id IS 'The number of the decision.';
COMMENT ON COLUMN pql.route_decision.routing_id IS 'The routing row (pql.routing).';
COMMENT ON COLUMN pql.route_decision.at IS 'When it was decided.';
COMMENT ON COLUMN pql.route_decision.motion IS 'The motion of the row then.';
COMMENT ON COLUMN pql.route_decision.outcome IS 'assigned (to a rep), waits (nobody can have it yet), downgraded (to a motion that needs no person), cut (its score was below the capacity threshold).';
COMMENT ON COLUMN pql.route_decision.chosen IS 'The rep who got it; null: nobody.';
--@ comments route_decision routing home
COMMENT ON COLUMN pql.route_decision.candidates IS 'Verdicts and reasons, each with the reps of whom it is to be said; pql.explain_route has a row for each rep.';

COMMENT ON COLUMN pql.route_decision.counts_in IS 'The week of the rep that the row counts in; null when that was given back to it.';

CREATE TABLE pql.capacity_threshold (
  program    text COLLATE "C" PRIMARY KEY,
  threshold  int NOT NULL,
  arrivals   bigint NOT NULL,
  taken      bigint NOT NULL,
  free       bigint,
  since      timestamptz NOT NULL
);
COMMENT ON TABLE pql.capacity_threshold IS 'The scores from which on reps get routing rows, of programs whose threshold follows the reps'' free capacity (qualify.capacity): the least of so many of the best arrivals as were taken within seven days or could be now, but never less than qualify.enter. Computed by pql.tick, when there are reps.';
COMMENT ON COLUMN pql.capacity_threshold.program IS 'The program.';
COMMENT ON COLUMN pql.capacity_threshold.threshold IS 'The least score with which a routing row is given to a rep.';
COMMENT ON COLUMN pql.capacity_threshold.arrivals IS 'Routing rows that wait for a rep, and those of the last seven days that have got one.';
COMMENT ON COLUMN pql.capacity_threshold.taken IS 'How many of them have got one.';
COMMENT ON COLUMN pql.capacity_threshold.free IS 'How many rows the reps could take besides; null: no matter how many.';
COMMENT ON COLUMN pql.capacity_threshold.since IS 'Since when it is so.';

SELECT pg_catalog.pg_extension_config_dump('pql.team', '');
SELECT pg_catalog.pg_extension_config_dump('pql.reps', '');
SELECT pg_catalog.pg_extension_config_dump('pql.holidays', '');
SELECT pg_catalog.pg_extension_config_dump('pql.territories', '');
SELECT pg_catalog.pg_extension_config_dump('pql.account_owner', '');
SELECT pg_catalog.pg_extension_config_dump('pql.consent', '');
SELECT pg_catalog.pg_extension_config_dump('pql.rep_load', '');
SELECT pg_catalog.pg_extension_config_dump('pql.route_decision', '');
SELECT pg_catalog.pg_extension_config_dump('pql.capacity_threshold', '');

CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.team
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.reps
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.holidays
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.territories
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();

CREATE OR REPLACE FUNCTION pql._assign_pending(as_of timestamptz, max_rows int) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__assign_pending' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._assign_pending(timestamptz, int) IS 'Gives pending routing rows to reps, the most urgent first; returns how many, at most max_rows. None above READ COMMITTED.';
REVOKE ALL ON FUNCTION pql._assign_pending(timestamptz, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_own(xid xid) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__is_own' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION pql._is_own(xid) IS 'Whether a row with this xmin was written by the transaction that asks.';
REVOKE ALL ON FUNCTION pql._is_own(xid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._open_rows(rep text) RETURNS int
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT count(*)::int FROM pql.routing AS r WHERE r.owner = rep AND r.state <> 'disposed' AND r.snoozed_until IS NULL;
  END;
COMMENT ON FUNCTION pql._open_rows(text) IS 'How many routing rows are a rep''s and not done: what pql.rep_load.open is to be.';
REVOKE ALL ON FUNCTION pql._open_rows(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._load_differences() RETURNS TABLE (rep_id text, kept int, counted int)
  LANGUAGE sql STABLE PARALLEL SAFE COST 5000 ROWS 1
  BEGIN ATOMIC
    SELECT l.rep_id, l.open, c.open FROM pql.rep_load AS l, LATERAL (SELECT pql._open_rows(l.rep_id) AS open) AS c WHERE l.open <> c.open ORDER BY 1;
  END;
COMMENT ON FUNCTION pql._load_differences() IS 'Reps of whom pql.rep_load says another number of open rows than there are: none, ever.';
REVOKE ALL ON FUNCTION pql._load_differences() FROM PUBLIC;

-- Of several that call it each waits for the one before in the order of rep_id, and none holds another's load by then.
CREATE OR REPLACE FUNCTION pql._begin_loads() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO pql.rep_load (rep_id, seed, deficit, open)
  SELECT r.rep_id, hashtextextended(r.rep_id, 0), coalesce((SELECT avg(l.deficit) FROM pql.rep_load AS l), 0), pql._open_rows(r.rep_id)
  FROM pql.reps AS r WHERE NOT EXISTS (SELECT FROM pql.rep_load AS l WHERE l.rep_id = r.rep_id) ORDER BY r.rep_id ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION pql._begin_loads() IS 'Notes what reps have who are new: the rows that are theirs, and a share in the middle of the others''. Call it before any of them is locked.';
REVOKE ALL ON FUNCTION pql._begin_loads() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._recount_loads() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM pql.rep_load AS l ORDER BY l.rep_id FOR NO KEY UPDATE; -- whoever changes a row of theirs has it, too
  UPDATE pql.rep_load AS l SET open = d.counted FROM pql._load_differences() AS d WHERE d.rep_id = l.rep_id;
END $$;
COMMENT ON FUNCTION pql._recount_loads() IS 'Counts anew how many routing rows each rep has.';
REVOKE ALL ON FUNCTION pql._recount_loads() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._release_rep(rep text, share boolean DEFAULT false, week date DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE pql.rep_load AS l SET open = greatest(l.open - 1, 0), deficit = l.deficit + share::int,
    taken_this_week = greatest(l.taken_this_week - coalesce(l.week_start = week, false)::int, 0)
  WHERE l.rep_id = rep;
END $$;
COMMENT ON FUNCTION pql._release_rep(text, boolean, date) IS 'A routing row of the rep is done, or goes to somebody else: then it was no part of his share, nor of the week that it was counted in. Call it after the routing row is locked.';
REVOKE ALL ON FUNCTION pql._release_rep(text, boolean, date) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._take_rep(rep text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._begin_loads();
  IF NOT EXISTS (SELECT FROM pql.reps) THEN -- whoever says who they are is one; but they may have been one before
    UPDATE pql.rep_load AS l SET open = l.open + 1 WHERE l.rep_id = rep;
    RETURN true;
  END IF;
  UPDATE pql.rep_load AS l SET open = l.open + 1 FROM pql.reps AS r
  WHERE l.rep_id = rep AND r.rep_id = rep AND r.active AND (r.capacity IS NULL OR l.open < r.capacity);
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION pql._take_rep(text) IS 'A rep takes a routing row that was nobody''s; false when there is no such rep, he isn''t active, or he has as many as he can have. Call it after the routing row is locked.';
REVOKE ALL ON FUNCTION pql._take_rep(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.explain_route(routing_id bigint)
  RETURNS TABLE (at timestamptz, motion text, rep_id text, verdict text, reason text, chosen boolean)
  LANGUAGE sql STABLE PARALLEL SAFE COST 500 ROWS 20
  BEGIN ATOMIC
    SELECT d.at, d.motion, r.rep, c.verdict, c.reason, coalesce(d.chosen = r.rep, false)
    FROM pql.route_decision AS d, LATERAL jsonb_to_recordset(d.candidates) AS c (verdict text, reason text, reps jsonb),
      LATERAL jsonb_array_elements_text(coalesce(c.reps, '[null]')) AS r (rep)
    WHERE d.routing_id = explain_route.routing_id
    ORDER BY d.decision_id, r.rep COLLATE "C";
  END;
COMMENT ON FUNCTION pql.explain_route(bigint) IS 'Every decision about who takes a routing row, with what spoke for and against each rep. Nothing for one about which there was none: no rep is needed, or none is there.';
REVOKE ALL ON FUNCTION pql.explain_route(bigint) FROM PUBLIC;

CREATE VIEW pql.capacity_cuts WITH (security_invoker = true) AS
  SELECT r.program, r.routing_id, r.unit, r.subject_id, (c.cut ->> 'score')::int AS score, (c.cut ->> 'threshold')::int AS threshold, d.at,
         r.state, r.owner
  FROM pql.route_decision AS d JOIN pql.routing AS r ON r.home = d.home AND r.routing_id = d.routing_id, LATERAL (SELECT d.candidates -> 0 AS cut) AS c
  WHERE d.outcome = 'cut';
COMMENT ON VIEW pql.capacity_cuts IS 'Routing rows that no rep got because their score was below the capacity threshold then, and what has become of them.';
COMMENT ON COLUMN pql.capacity_cuts.score IS 'The score when it was passed over first.';
COMMENT ON COLUMN pql.capacity_cuts.threshold IS 'The capacity threshold then.';
--@ comments capacity_cuts routing program routing_id unit subject_id state owner
COMMENT ON COLUMN pql.capacity_cuts.at IS 'When the row was passed over first.';
