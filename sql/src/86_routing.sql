-- A routing row's life: pending -> ready -> claimed -> accepted -> touched -> disposed, and the ways out of it. Every change goes through
-- pql._move, which refuses what isn't in pql._next_states and writes the transition; the row's lock is held by then.
-- No circle of waits: whoever waits for a row holds no other of this call, whoever takes several (claim, tick) skips those that are locked,
-- and loads of reps are locked last (nobody who has one waits for rows or episodes), several of them in the order of their ids: tick takes all
-- of them before it takes a row.

CREATE TABLE pql.touch (
  home        text COLLATE "C" NOT NULL,
  touch_id    bigint NOT NULL,
  routing_id  bigint NOT NULL,
  rep         text NOT NULL,
  channel     text NOT NULL,
  at          timestamptz NOT NULL,
  note        text,
  actor       text NOT NULL,
  PRIMARY KEY (home, touch_id),
  CONSTRAINT touch_is_told_once UNIQUE (home, routing_id, at, channel, rep)
);
COMMENT ON TABLE pql.touch IS 'Contacts made with the subjects of routing rows: who, how and when (pql.touch).';
COMMENT ON COLUMN pql.touch.touch_id IS 'The number of the contact.';
COMMENT ON COLUMN pql.touch.routing_id IS 'The routing row (pql.routing).';
COMMENT ON COLUMN pql.touch.channel IS 'By which channel: phone, email, meeting ...';
COMMENT ON COLUMN pql.touch.at IS 'When it was made.';
COMMENT ON COLUMN pql.touch.note IS 'What the rep noted; null: nothing.';
--@ comments touch routing home
COMMENT ON COLUMN pql.touch.rep IS 'Whose row it was.';
COMMENT ON COLUMN pql.touch.actor IS 'Who said so: the setting pql.rep or else the session''s user.';
SELECT pg_catalog.pg_extension_config_dump('pql.touch', '');

CREATE TABLE pql.disposition (
  home            text COLLATE "C" NOT NULL,
  disposition_id  bigint NOT NULL,
  routing_id      bigint NOT NULL,
  rep             text NOT NULL,
  disposition     text NOT NULL,
  failure         text,
  need_matched    boolean,
  timing_right    boolean,
  context_enough  boolean,
  note            text,
  at              timestamptz NOT NULL,
  actor           text NOT NULL,
  PRIMARY KEY (home, disposition_id),
  CONSTRAINT disposition_is_known CHECK (disposition IN ('contacted', 'meeting_set', 'converted', 'disqualified', 'no_response', 'nurture', 'routed_to_cs')),
  CONSTRAINT failure_is_known CHECK (failure IN ('tone', 'timing', 'wrong_person'))
);
CREATE INDEX disposition_routing ON pql.disposition (home, routing_id);
CREATE INDEX disposition_converted ON pql.disposition (at) WHERE disposition = 'converted';
COMMENT ON TABLE pql.disposition IS 'What reps said became of routing rows (pql.dispose): more than one of a row that came back.';
COMMENT ON COLUMN pql.disposition.disposition_id IS 'The number of the disposition: of a row''s, the highest is the last.';
COMMENT ON COLUMN pql.disposition.routing_id IS 'The routing row (pql.routing).';
COMMENT ON COLUMN pql.disposition.disposition IS 'What became of it: contacted, meeting_set, converted, disqualified, no_response, nurture, routed_to_cs.';
COMMENT ON COLUMN pql.disposition.note IS 'What the rep noted; null: nothing.';
COMMENT ON COLUMN pql.disposition.at IS 'When it was told.';
COMMENT ON COLUMN pql.disposition.actor IS 'Who said so: the setting pql.rep or else the session''s user.';
--@ comments disposition routing home
COMMENT ON COLUMN pql.disposition.failure IS 'What went wrong: tone, timing or wrong_person; null: nothing.';
COMMENT ON COLUMN pql.disposition.need_matched IS 'Was the need that was stated the one that the behaviour told of? Null: not answered.';
COMMENT ON COLUMN pql.disposition.timing_right IS 'Was the timing right? Null: not answered.';
COMMENT ON COLUMN pql.disposition.context_enough IS 'Did the story say enough? Null: not answered.';
COMMENT ON COLUMN pql.disposition.rep IS 'Whose row it was.';
SELECT pg_catalog.pg_extension_config_dump('pql.disposition', '');

CREATE TABLE pql.declined (
  home        text COLLATE "C" NOT NULL,
  episode     bigint NOT NULL,
  rep         text NOT NULL,
  routing_id  bigint NOT NULL,
  reason      text NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (home, episode, rep)
);
COMMENT ON TABLE pql.declined IS 'Who declined a routing row: within that episode they aren''t asked again.';
COMMENT ON COLUMN pql.declined.episode IS 'The episode within which the rep isn''t asked again (pql.episode).';
COMMENT ON COLUMN pql.declined.rep IS 'Who declined.';
COMMENT ON COLUMN pql.declined.routing_id IS 'The routing row that he declined last in it (pql.routing).';
COMMENT ON COLUMN pql.declined.reason IS 'Why he did.';
COMMENT ON COLUMN pql.declined.at IS 'When he declined.';
--@ comments declined routing home
SELECT pg_catalog.pg_extension_config_dump('pql.declined', '');

CREATE TABLE pql.outcome (
  home         text COLLATE "C" NOT NULL,
  outcome_id   bigint NOT NULL,
  unit         text NOT NULL CHECK (unit IN ('user', 'account', 'workspace')),
  subject_id   text NOT NULL,
  outcome      text NOT NULL,
  value        numeric CONSTRAINT value_is_finite CHECK (value > '-Infinity' AND value < 'Infinity'),
  at           timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL,
  recorded_by  text NOT NULL,
  PRIMARY KEY (home, outcome_id),
  CONSTRAINT outcome_is_recorded_once UNIQUE (home, outcome, at)
);
CREATE INDEX outcome_converted ON pql.outcome (recorded_at) WHERE outcome IN ('paid', 'converted', 'won', 'expanded');
COMMENT ON TABLE pql.outcome IS 'What became of accounts and users (paid, expanded, churned ...), whether somebody was in contact or not (pql.record_outcome).';
COMMENT ON COLUMN pql.outcome.outcome_id IS 'The number of the outcome.';
COMMENT ON COLUMN pql.outcome.unit IS 'Of whom: a user, an account or a workspace.';
COMMENT ON COLUMN pql.outcome.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.outcome.outcome IS 'What it was: paid, expanded, churned, or any other name; pql.outcome_rules says which ones count as what.';
COMMENT ON COLUMN pql.outcome.at IS 'When it happened.';
COMMENT ON COLUMN pql.outcome.recorded_at IS 'When it was recorded.';
COMMENT ON COLUMN pql.outcome.recorded_by IS 'Who recorded it.';
--@ comments outcome routing home
COMMENT ON COLUMN pql.outcome.value IS 'What it is worth, in the unit that you count in.';
SELECT pg_catalog.pg_extension_config_dump('pql.outcome', '');

CREATE OR REPLACE FUNCTION pql._next_states(state text) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
  RETURN CASE state
    WHEN 'pending'  THEN ARRAY['ready', 'blocked', 'suppressed', 'expired']
    WHEN 'ready'    THEN ARRAY['claimed', 'declined', 'pending', 'blocked', 'suppressed', 'expired']
    WHEN 'blocked'  THEN ARRAY['pending', 'suppressed', 'expired']
    WHEN 'claimed'  THEN ARRAY['accepted', 'declined', 'disposed', 'ready', 'pending']
    WHEN 'accepted' THEN ARRAY['touched', 'disposed', 'ready', 'pending']
    WHEN 'touched'  THEN ARRAY['disposed', 'ready', 'pending']
    WHEN 'declined' THEN ARRAY['pending']
    WHEN 'disposed' THEN ARRAY['ready', 'pending']
    ELSE '{}'::text[] END;
COMMENT ON FUNCTION pql._next_states(text) IS 'The states that may follow one in the life of a routing row.';

CREATE OR REPLACE FUNCTION pql._needs_rep(motion text) RETURNS boolean
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
  RETURN motion NOT IN ('none', 'in_app', 'email');
COMMENT ON FUNCTION pql._needs_rep(text) IS 'Whether a motion is a person''s work.';

-- Reps: whom a session may act for, and how much they take on.

CREATE OR REPLACE FUNCTION pql._has_reps() RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pql.reps);
  END;
COMMENT ON FUNCTION pql._has_reps() IS 'Whether there are reps; without any, whoever says who they are is one.';
REVOKE ALL ON FUNCTION pql._has_reps() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_rep(caller text, rep text) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  role text;
BEGIN
  IF NOT pql._has_reps() THEN
    RETURN;
  END IF;
  SELECT p.db_role INTO role FROM pql.reps AS p WHERE p.rep_id = rep;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'rep "%" does not exist', rep USING ERRCODE = 'undefined_object', HINT = 'Table pql.reps has those who do.';
  END IF;
  IF caller IS NULL OR role IS NULL OR pg_has_role(caller, current_user, 'MEMBER')
     OR coalesce(pg_has_role(caller, to_regrole(quote_ident(role)), 'MEMBER'), false) THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'permission denied to act for rep "%"', rep USING ERRCODE = 'insufficient_privilege',
    HINT = format('It takes membership in role %I.', role);
END $$;
COMMENT ON FUNCTION pql._require_rep(text, text) IS 'Refuses a rep whom there isn''t, and one for whom a role (null: no matter which) may not act.';
REVOKE ALL ON FUNCTION pql._require_rep(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._lock_load(VARIADIC reps text[]) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM pql.rep_load AS l WHERE l.rep_id = ANY (reps) ORDER BY l.rep_id FOR UPDATE;
END $$;
COMMENT ON FUNCTION pql._lock_load(text[]) IS 'Locks what reps have taken on, in the order of their ids.';
REVOKE ALL ON FUNCTION pql._lock_load(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_load_free(rep text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM pql.rep_load AS l WHERE l.rep_id = rep FOR UPDATE SKIP LOCKED;
  RETURN FOUND OR NOT EXISTS (SELECT FROM pql.rep_load AS l WHERE l.rep_id = rep);
END $$;
COMMENT ON FUNCTION pql._is_load_free(text) IS 'Locks what a rep has taken on, if that needs no waiting.';
REVOKE ALL ON FUNCTION pql._is_load_free(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._give_back(r pql.routing, credit boolean) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  d record;
BEGIN
  IF r.owner IS NULL OR r.snoozed_until IS NOT NULL OR r.state = 'disposed' THEN
    RETURN;
  END IF;
  -- What was never counted for his share, or has been given back to it, can't be given back.
  SELECT x.decision_id, x.counts_in, x.candidates @> jsonb_build_array(jsonb_build_object('reps', jsonb_build_array(r.owner), 'verdict', 'owner')) AS owned INTO d
  FROM (SELECT * FROM pql.route_decision AS x WHERE x.home = r.home AND x.routing_id = r.routing_id AND x.outcome = 'assigned'
        ORDER BY x.decision_id DESC LIMIT 1) AS x WHERE credit AND x.chosen = r.owner AND x.counts_in IS NOT NULL;
  PERFORM pql._release_rep(r.owner, FOUND AND NOT d.owned, d.counts_in);
  IF d.decision_id IS NOT NULL THEN
    UPDATE pql.route_decision AS x SET counts_in = NULL WHERE x.home = r.home AND x.decision_id = d.decision_id;
  END IF;
END $$;
COMMENT ON FUNCTION pql._give_back(pql.routing, boolean) IS 'One routing row less for its owner, if it counts for one; with credit, it was none of their share.';
REVOKE ALL ON FUNCTION pql._give_back(pql.routing, boolean) FROM PUBLIC;

-- Going from state to state.

CREATE OR REPLACE FUNCTION pql._acting_rep() RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  RETURN nullif(current_setting('pql.rep', true), '');
COMMENT ON FUNCTION pql._acting_rep() IS 'The rep on whose behalf the session works, if it says so.';
REVOKE ALL ON FUNCTION pql._acting_rep() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._refuse(r pql.routing, done text, hint text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'routing row % can''t be %', r.routing_id, done USING ERRCODE = 'object_not_in_prerequisite_state',
    DETAIL = format('It is %s%s.', r.state, CASE WHEN r.snoozed_until IS NOT NULL THEN ', and snoozed until ' || r.snoozed_until ELSE '' END),
    HINT = coalesce(hint, CASE
      WHEN r.snoozed_until IS NOT NULL THEN 'It comes back by itself; pql.reassign() brings it back at once.'
      WHEN r.state = 'pending' THEN 'Its time has not come, or its rep is not chosen; pql.reassign() and pql.snooze() are possible.'
      WHEN r.state = 'ready' THEN 'Claim it with pql.claim(); pql.decline(), pql.reassign() and pql.snooze() are possible, too.'
      WHEN r.state = 'claimed' THEN 'Possible are pql.accept(), pql.decline(), pql.dispose(), pql.reassign() and pql.snooze().'
      WHEN r.state = 'accepted' THEN 'Possible are pql.touch(), pql.dispose(), pql.reassign() and pql.snooze().'
      WHEN r.state = 'touched' THEN 'Possible are pql.touch(), pql.dispose(), pql.reassign() and pql.snooze().'
      WHEN r.state = 'disposed' AND r.disposition = 'nurture' THEN 'pql.snooze() brings it back.'
      WHEN r.state = 'blocked' THEN format('%s keeps it from being worked.', coalesce(r.blocked_by, 'A guardrail'))
      ELSE 'Nothing more happens to it.' END);
END $$;
COMMENT ON FUNCTION pql._refuse(pql.routing, text, text) IS 'Says why something can''t be done with a routing row, and what can.';
REVOKE ALL ON FUNCTION pql._refuse(pql.routing, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._look_again(r pql.routing) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pql.internal_domain) OR EXISTS (
      SELECT FROM pql.program AS p WHERE p.program = r.program AND p.version = r.version
        AND (p.document ? 'guardrails' OR jsonb_path_exists(p.document, '$.motions[*] ? (exists (@.channel) || exists (@.accept_when))'))) THEN
    UPDATE pql.episode AS e SET leaves_at = least(e.leaves_at, r.state_since) WHERE (e.home, e.episode_id) IN (
      SELECT o.home, o.episode_id FROM pql.episode AS o WHERE o.home = r.home AND o.episode_id = r.episode AND o.left_at IS NULL
      FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
END $$;
COMMENT ON FUNCTION pql._look_again(pql.routing) IS 'Has the next tick look at a row''s subject, where anything may block it. Whoever has the episode isn''t waited for.';
REVOKE ALL ON FUNCTION pql._look_again(pql.routing) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._move(r pql.routing, to_state text, at timestamptz, reason text DEFAULT NULL, rep text DEFAULT NULL,
                                     actor text DEFAULT NULL) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  from_state text := r.state;
  since timestamptz := greatest(at, r.state_since, (SELECT t.at FROM pql.routing_transition AS t
    WHERE t.home = r.home AND t.routing_id = r.routing_id ORDER BY t.transition_id DESC LIMIT 1));
BEGIN
  IF to_state <> r.state AND to_state <> ALL (pql._next_states(r.state)) THEN
    PERFORM pql._refuse(r, to_state);
  END IF;
  INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor, reason, rep)
  VALUES (r.home, r.routing_id, since, r.state, to_state, coalesce(actor, pql._acting_rep(), session_user), reason, rep);
  UPDATE pql.routing AS x
  SET state = to_state, state_since = CASE WHEN to_state = r.state THEN x.state_since ELSE since END, owner = r.owner,
      contact_after = r.contact_after, contact_by = r.contact_by, claimed_at = r.claimed_at, first_touch_at = r.first_touch_at,
      sla_breached_at = r.sla_breached_at, sla_breached_by = r.sla_breached_by, escalated_to = r.escalated_to, snoozed_until = r.snoozed_until, disposition = r.disposition
  WHERE x.home = r.home AND x.routing_id = r.routing_id RETURNING x.* INTO r;
  IF from_state IN ('claimed', 'accepted', 'touched', 'declined', 'disposed') AND r.state IN ('ready', 'pending') THEN
    PERFORM pql._look_again(r); -- what blocks a row blocks none that somebody has taken up: now it may
  END IF;
  RETURN r;
END $$;
COMMENT ON FUNCTION pql._move(pql.routing, text, timestamptz, text, text, text) IS
  'Takes a routing row, which the caller has locked, to a state, with what of it the caller changed; writes the transition, or refuses it.';
REVOKE ALL ON FUNCTION pql._move(pql.routing, text, timestamptz, text, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._lock_routing(id bigint) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing;
BEGIN
  IF id IS NULL THEN
    RAISE EXCEPTION 'routing_id must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO r FROM pql.routing AS x WHERE x.routing_id = id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'routing row % does not exist', id USING ERRCODE = 'invalid_parameter_value', HINT = 'View pql.inbox lists those that wait.';
  END IF;
  RETURN r;
END $$;
COMMENT ON FUNCTION pql._lock_routing(bigint) IS 'A routing row, locked; waits for whoever has it.';
REVOKE ALL ON FUNCTION pql._lock_routing(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._require_owner(caller text, r pql.routing) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pql._acting_rep() IS DISTINCT FROM r.owner AND pql._acting_rep() IS NOT NULL THEN
    RAISE EXCEPTION 'routing row % is not %''s', r.routing_id, pql._acting_rep() USING ERRCODE = 'insufficient_privilege',
      DETAIL = CASE WHEN r.owner IS NULL THEN 'It is nobody''s.' ELSE format('It is %s''s.', r.owner) END,
      HINT = 'pql.reassign() gives it to another rep.';
  END IF;
  IF r.owner IS NOT NULL THEN
    PERFORM pql._require_rep(caller, r.owner);
  END IF;
END $$;
COMMENT ON FUNCTION pql._require_owner(text, pql.routing) IS 'Refuses whoever may not act for the owner of a routing row.';
REVOKE ALL ON FUNCTION pql._require_owner(text, pql.routing) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._places(account text, home text) RETURNS text[]
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  places text[] := ARRAY[coalesce('a:' || account, home)];
BEGIN
  -- Rows keep the ids that they were written with, also of accounts that are one by now.
  IF account IS NOT NULL AND EXISTS (SELECT FROM pql.identity AS i WHERE i.kind = 'account' AND i.undone_at IS NULL) THEN
    WITH RECURSIVE same(id) AS (
      SELECT account COLLATE "C"
      UNION SELECT CASE WHEN i.old_id = s.id THEN i.new_id ELSE i.old_id END
            FROM same AS s JOIN pql.identity AS i ON i.kind = 'account' AND i.undone_at IS NULL AND s.id IN (i.old_id, i.new_id))
    SELECT array_agg('a:' || s.id ORDER BY s.id) INTO places FROM same AS s;
  END IF;
  RETURN places;
END $$;
COMMENT ON FUNCTION pql._places(text, text) IS 'What rows of an account, by whichever of its ids, or (null) of the person whose home it is, are found by; sorted.';
REVOKE ALL ON FUNCTION pql._places(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_worked(places text[]) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pql.routing AS x WHERE coalesce('a:' || x.account_id, x.home) COLLATE "C" = ANY (places)
                 AND x.state IN ('claimed', 'accepted', 'touched') AND x.snoozed_until IS NULL);
END $$;
COMMENT ON FUNCTION pql._is_worked(text[]) IS 'Whether somebody is at work on an account, or a person (pql._places).';
REVOKE ALL ON FUNCTION pql._is_worked(text[]) FROM PUBLIC;

-- What reps do. caller is the role whose rights count: these run with the owner's (src/fn/work.cpp).

CREATE OR REPLACE FUNCTION pql._claim(caller text, rep text, n int, id bigint) RETURNS SETOF pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  -- Cursors, since most of what is ready need never be looked at; two, since PostgreSQL would sort what both have.
  own CURSOR FOR
    SELECT x.home, x.routing_id, x.account_id, x.contact_by, x.score FROM pql.routing AS x
    WHERE x.owner = rep AND x.state = 'ready' AND (id IS NULL OR x.routing_id = id) ORDER BY x.contact_by, x.score DESC, x.routing_id;
  free CURSOR FOR
    SELECT x.home, x.routing_id, x.account_id, x.contact_by, x.score FROM pql.routing AS x
    WHERE x.owner IS NULL AND x.state = 'ready' AND (id IS NULL OR x.routing_id = id) ORDER BY x.contact_by, x.score DESC, x.routing_id;
  mine record;
  other record;
  c record;
  r pql.routing;
  places text[];
  taken int := 0;
BEGIN
  IF rep IS NULL OR n IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN rep IS NULL THEN 'rep' ELSE 'n' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF rep !~ '\S' OR n < 1 THEN
    RAISE EXCEPTION '% must be %', CASE WHEN n < 1 THEN 'n' ELSE 'rep' END, CASE WHEN n < 1 THEN 'at least 1' ELSE 'a name' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF pql._acting_rep() <> rep THEN
    RAISE EXCEPTION 'permission denied to act for rep "%"', rep USING ERRCODE = 'insufficient_privilege',
      DETAIL = format('The session works for %s (pql.rep).', pql._acting_rep());
  END IF;
  PERFORM pql._require_rep(caller, rep);
  IF id IS NOT NULL THEN
    SELECT * INTO r FROM pql.routing AS x WHERE x.routing_id = id;
    IF NOT FOUND THEN
      PERFORM pql._lock_routing(id);
    ELSIF r.owner = rep AND r.state IN ('claimed', 'accepted', 'touched') THEN
      RETURN NEXT r;
      RETURN;
    END IF;
  END IF;
  own := NULL; -- a name that no other has
  free := NULL;
  OPEN own;
  OPEN free;
  FETCH own INTO mine;
  FETCH free INTO other;
  WHILE taken < n AND (mine.routing_id IS NOT NULL OR other.routing_id IS NOT NULL) LOOP
    IF other.routing_id IS NULL OR (coalesce(mine.contact_by, 'infinity'), -mine.score, mine.routing_id)
                                 < (coalesce(other.contact_by, 'infinity'), -other.score, other.routing_id) THEN
      c := mine;
      FETCH own INTO mine;
    ELSE
      c := other;
      FETCH free INTO other;
    END IF;
    places := pql._places(c.account_id, c.home);
    CONTINUE WHEN pql._is_worked(places);
    SELECT * INTO r FROM pql.routing AS x WHERE x.home = c.home AND x.routing_id = c.routing_id AND x.state = 'ready'
      AND (x.owner = rep OR x.owner IS NULL AND pql._needs_rep(x.motion)
             AND NOT EXISTS (SELECT FROM pql.declined AS d WHERE d.home = x.home AND d.episode = x.episode AND d.rep = rep))
    FOR UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND;
    -- Two rows of an account may have been looked at side by side: who has its lock looks again. The row comes first, because
    -- there is only so much room for locks of accounts, and tick may have many rows.
    CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended('pql ' || places[1], 0));
    CONTINUE WHEN pql._is_worked(places);
    IF r.owner IS NULL AND NOT pql._take_rep(rep) THEN
      other.routing_id := NULL; -- nor could they take the next one: let others have these
      CONTINUE;
    END IF;
    r.owner := rep;
    r.claimed_at := greatest(pql._now(), r.state_since);
    r := pql._move(r, 'claimed', r.claimed_at, NULL, rep);
    taken := taken + 1;
    RETURN NEXT r;
  END LOOP;
  CLOSE own;
  CLOSE free;
EXCEPTION WHEN unique_violation THEN -- by somebody whom our snapshot doesn't show, above READ COMMITTED
  RAISE EXCEPTION 'could not claim: an account was claimed by another transaction' USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
END $$;
COMMENT ON FUNCTION pql._claim(text, text, int, bigint) IS 'pql.claim, for a role.';
REVOKE ALL ON FUNCTION pql._claim(text, text, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._accept(caller text, id bigint) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing := pql._lock_routing(id);
BEGIN
  IF r.state NOT IN ('claimed', 'accepted') OR r.snoozed_until IS NOT NULL THEN
    PERFORM pql._refuse(r, 'accepted');
  END IF;
  PERFORM pql._require_owner(caller, r);
  IF r.state = 'accepted' THEN
    RETURN r;
  END IF;
  RETURN pql._move(r, 'accepted', pql._now(), NULL, r.owner);
END $$;
COMMENT ON FUNCTION pql._accept(text, bigint) IS 'pql.accept, for a role.';
REVOKE ALL ON FUNCTION pql._accept(text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._decline(caller text, id bigint, reason text) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  r pql.routing := pql._lock_routing(id);
  rep text := r.owner;
BEGIN
  IF coalesce(reason, '') !~ '\S' THEN
    RAISE EXCEPTION 'declining needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say what is wrong with it: whoever gets it next reads it.';
  END IF;
  IF r.owner IS NULL AND r.state IN ('pending', 'ready') AND EXISTS (
      SELECT FROM pql.declined AS d WHERE d.home = r.home AND d.episode = r.episode AND d.routing_id = r.routing_id
        AND d.rep = coalesce(pql._acting_rep(), d.rep)) THEN
    RETURN r;
  END IF;
  IF r.state NOT IN ('ready', 'claimed') OR r.snoozed_until IS NOT NULL OR r.owner IS NULL AND pql._acting_rep() IS NULL THEN
    PERFORM pql._refuse(r, 'declined');
  END IF;
  IF r.owner IS NULL THEN
    rep := pql._acting_rep(); -- not for me: it stays there for others
    PERFORM pql._require_rep(caller, rep);
  ELSE
    PERFORM pql._require_owner(caller, r);
  END IF;
  PERFORM pql._give_back(r, true);
  r.owner := NULL;
  r.claimed_at := NULL;
  r := pql._move(r, 'declined', pql._now(), reason, rep);
  INSERT INTO pql.declined AS d (home, episode, rep, routing_id, reason, at) VALUES (r.home, r.episode, rep, r.routing_id, reason, r.state_since)
  ON CONFLICT ON CONSTRAINT declined_pkey DO UPDATE SET routing_id = excluded.routing_id, reason = excluded.reason, at = excluded.at;
  RETURN pql._move(r, 'pending', r.state_since, 'for others', NULL, 'pql');
END $$;
COMMENT ON FUNCTION pql._decline(text, bigint, text) IS 'pql.decline, for a role.';
REVOKE ALL ON FUNCTION pql._decline(text, bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._touch(caller text, id bigint, channel text, note text, at timestamptz) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  r pql.routing := pql._lock_routing(id);
  now timestamptz := greatest(pql._now(), r.state_since);
BEGIN
  IF channel IS NULL THEN
    RAISE EXCEPTION 'channel must not be null' USING ERRCODE = 'null_value_not_allowed', HINT = 'For example ''phone'' or ''email''.';
  END IF;
  IF channel !~ '^[a-z][a-z0-9_]{0,62}$' THEN
    RAISE EXCEPTION 'channel "%" is not a name', channel USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Lower-case letters, digits and underscores, for example ''phone'' or ''email''.';
  END IF;
  IF at > now OR at < r.qualified_at THEN
    RAISE EXCEPTION 'at is %', CASE WHEN at > now THEN 'in the future' ELSE 'before the subject qualified' END
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Null is now.';
  END IF;
  IF r.state NOT IN ('claimed', 'accepted', 'touched') OR r.snoozed_until IS NOT NULL THEN
    PERFORM pql._refuse(r, 'touched');
  END IF;
  PERFORM pql._require_owner(caller, r);
  IF at IS NULL AND pql._withdrawn_by(r, channel) IS NOT NULL THEN
    RAISE EXCEPTION 'contact by % was withdrawn by %', channel, pql._withdrawn_by(r, channel) USING ERRCODE = 'object_not_in_prerequisite_state',
      DETAIL = 'Table pql.consent has what they said.', HINT = 'Take another channel. A contact that was made before is told of with its instant (at).';
  END IF;
  INSERT INTO pql.touch (home, touch_id, routing_id, rep, channel, at, note, actor)
  VALUES (r.home, pql.next_id(), r.routing_id, r.owner, channel, coalesce(at, now), note, coalesce(pql._acting_rep(), session_user))
  ON CONFLICT ON CONSTRAINT touch_is_told_once DO NOTHING;
  IF r.state = 'claimed' THEN -- whoever makes contact has accepted
    r := pql._move(r, 'accepted', now, NULL, r.owner);
  END IF;
  IF r.state = 'touched' AND r.first_touch_at <= coalesce(at, now) THEN
    RETURN r;
  END IF;
  r.first_touch_at := least(r.first_touch_at, coalesce(at, now));
  RETURN pql._move(r, 'touched', now, channel, r.owner);
END $$;
COMMENT ON FUNCTION pql._touch(text, bigint, text, text, timestamptz) IS 'pql.touch, for a role.';
REVOKE ALL ON FUNCTION pql._touch(text, bigint, text, text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._dispose(caller text, id bigint, disposition text, need_matched boolean, timing_right boolean,
                                        context_enough boolean, note text, failure text) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  r pql.routing := pql._lock_routing(id);
  now timestamptz := greatest(pql._now(), r.state_since);
BEGIN
  IF disposition IS NULL THEN
    RAISE EXCEPTION 'disposition must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF disposition NOT IN ('contacted', 'meeting_set', 'converted', 'disqualified', 'no_response', 'nurture', 'routed_to_cs') THEN
    RAISE EXCEPTION 'disposition "%" is not known', disposition USING ERRCODE = 'invalid_parameter_value',
      HINT = 'There are contacted, meeting_set, converted, disqualified, no_response, nurture and routed_to_cs.';
  END IF;
  IF failure NOT IN ('tone', 'timing', 'wrong_person') THEN
    RAISE EXCEPTION 'failure "%" is not known', failure USING ERRCODE = 'invalid_parameter_value', HINT = 'There are tone, timing and wrong_person.';
  END IF;
  IF r.state NOT IN ('claimed', 'accepted', 'touched') AND NOT (r.state = 'disposed' AND r.disposition = disposition) THEN
    PERFORM pql._refuse(r, 'disposed');
  END IF;
  PERFORM pql._require_owner(caller, r);
  IF r.state = 'disposed' THEN
    RETURN r;
  END IF;
  IF r.state <> 'touched' AND disposition NOT IN ('disqualified', 'nurture', 'routed_to_cs') THEN
    PERFORM pql._refuse(r, 'disposed as ' || disposition, 'Tell of the contact first, with pql.touch(); without one it can be disqualified, nurture or routed_to_cs.');
  END IF;
  PERFORM pql._give_back(r, false);
  INSERT INTO pql.disposition (home, disposition_id, routing_id, rep, disposition, failure, need_matched, timing_right, context_enough, note, at, actor)
  VALUES (r.home, pql.next_id(), r.routing_id, r.owner, disposition, failure, need_matched, timing_right, context_enough, note, now,
          coalesce(pql._acting_rep(), session_user));
  r.disposition := disposition;
  r.snoozed_until := NULL;
  RETURN pql._move(r, 'disposed', now, disposition, r.owner);
END $$;
COMMENT ON FUNCTION pql._dispose(text, bigint, text, boolean, boolean, boolean, text, text) IS 'pql.dispose, for a role.';
REVOKE ALL ON FUNCTION pql._dispose(text, bigint, text, boolean, boolean, boolean, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._reassign(caller text, id bigint, rep text, reason text) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  r pql.routing := pql._lock_routing(id);
  now timestamptz := greatest(pql._now(), r.state_since);
BEGIN
  IF coalesce(reason, '') !~ '\S' THEN
    RAISE EXCEPTION 'reassigning needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say why: it stands in pql.routing_history.';
  END IF;
  IF rep !~ '\S' THEN
    RAISE EXCEPTION 'rep must be a name' USING ERRCODE = 'invalid_parameter_value', HINT = 'Null gives the row to whoever claims it.';
  END IF;
  IF r.state NOT IN ('pending', 'ready', 'claimed', 'accepted', 'touched') THEN
    PERFORM pql._refuse(r, 'reassigned');
  END IF;
  IF pql._acting_rep() IS NOT NULL THEN
    PERFORM pql._require_rep(caller, pql._acting_rep()); -- the history names him
  END IF;
  IF rep IS NOT NULL THEN
    PERFORM pql._require_rep(NULL, rep);
  END IF;
  IF rep IS NOT DISTINCT FROM r.owner AND r.snoozed_until IS NULL THEN
    RETURN r;
  END IF;
  IF rep IS NOT NULL AND NOT coalesce((SELECT p.active FROM pql.reps AS p WHERE p.rep_id = rep), true) THEN
    RAISE EXCEPTION 'rep "%" is not active', rep USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Set active in pql.reps, or choose another.';
  END IF;
  PERFORM pql._begin_loads();
  PERFORM pql._lock_load(r.owner, rep);
  PERFORM pql._give_back(r, true);
  IF rep IS NOT NULL AND NOT pql._take_rep(rep) THEN
    RAISE EXCEPTION 'rep "%" has no capacity left', rep USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Raise capacity in pql.reps, or choose another.';
  END IF;
  r.owner := rep;
  r.claimed_at := NULL;
  IF r.snoozed_until IS NOT NULL AND r.first_touch_at IS NULL THEN
    r.contact_by := now + (r.contact_by - r.contact_after);
    r.contact_after := now;
  END IF;
  r.snoozed_until := NULL;
  RETURN pql._move(r, CASE WHEN rep IS NULL OR r.state = 'pending' THEN 'pending' ELSE 'ready' END, now, 'reassigned: ' || reason, rep);
END $$;
COMMENT ON FUNCTION pql._reassign(text, bigint, text, text) IS 'pql.reassign, for a role.';
REVOKE ALL ON FUNCTION pql._reassign(text, bigint, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._snooze(caller text, id bigint, until timestamptz, reason text) RETURNS pql.routing
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  r pql.routing := pql._lock_routing(id);
  now timestamptz := greatest(pql._now(), r.state_since);
BEGIN
  IF until IS NULL THEN
    RAISE EXCEPTION 'until must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF until <= now OR NOT isfinite(until) THEN
    RAISE EXCEPTION 'until must be an instant of the future' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF r.state NOT IN ('pending', 'ready', 'claimed', 'accepted', 'touched') AND NOT (r.state = 'disposed' AND r.disposition = 'nurture') THEN
    PERFORM pql._refuse(r, 'snoozed');
  END IF;
  PERFORM pql._require_owner(caller, r);
  IF r.snoozed_until = until THEN
    RETURN r;
  END IF;
  PERFORM pql._give_back(r, false);
  r.snoozed_until := until;
  IF r.first_touch_at IS NULL THEN -- the promise is one of the first contact
    r.contact_by := until + (r.contact_by - r.contact_after);
    r.contact_after := until;
  END IF;
  RETURN pql._move(r, CASE WHEN r.state = 'ready' THEN 'pending' ELSE r.state END, now, concat_ws(': ', 'snoozed', reason), r.owner);
END $$;
COMMENT ON FUNCTION pql._snooze(text, bigint, timestamptz, text) IS 'pql.snooze, for a role.';
REVOKE ALL ON FUNCTION pql._snooze(text, bigint, timestamptz, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.claim(rep text, n int DEFAULT 1, routing_id bigint DEFAULT NULL) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_claim' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.claim(text, int, bigint) IS
  'Claims for a rep up to n routing rows that are ready, theirs or nobody''s: those with the earliest contact_by, of these the highest scores; or (routing_id) the one that is meant, which, when it is theirs already, is returned again. Never waits, skips accounts that somebody is at work on and rows that they declined, and stops at the rep''s capacity. Errors: 22004 null rep or n, 22023 n below 1 or no such row, 42704 no such rep, 42501 may not act for them.';
REVOKE ALL ON FUNCTION pql.claim(text, int, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.accept(routing_id bigint) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_accept' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.accept(bigint) IS
  'Accepts a routing row that was claimed: its owner will make contact. Returns the row; twice is once. Errors: 22004 null, 22023 no such row, 55000 its state doesn''t allow it, 42501 another rep''s.';
REVOKE ALL ON FUNCTION pql.accept(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.decline(routing_id bigint, reason text) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_decline' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.decline(bigint, text) IS
  'Declines a routing row that was claimed or given: it waits for others, and in this episode the rep isn''t asked again. Returns the row. Errors: 22004 null, 22023 no reason or no such row, 55000 its state doesn''t allow it, 42501 another rep''s.';
REVOKE ALL ON FUNCTION pql.decline(bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.touch(routing_id bigint, channel text, note text DEFAULT NULL, at timestamptz DEFAULT NULL) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_touch' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.touch(bigint, text, text, timestamptz) IS
  'Tells of a contact made (null: now), by a channel (phone, email ...), with a row that was claimed; it is thereby accepted. The first one counts for the promise of contact_by; further ones are noted, and one at the same instant by the same channel is the same. Returns the row. Errors: 22004 null, 22023 no such row, bad channel or instant, 55000 its state doesn''t allow it or the subject doesn''t want contact by the channel (pql.consent), 42501 another rep''s.';
REVOKE ALL ON FUNCTION pql.touch(bigint, text, text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.dispose(routing_id bigint, disposition text, need_matched boolean DEFAULT NULL, timing_right boolean DEFAULT NULL,
                                       context_enough boolean DEFAULT NULL, note text DEFAULT NULL, failure text DEFAULT NULL) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_dispose' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.dispose(bigint, text, boolean, boolean, boolean, text, text) IS
  'Says what became of a routing row (contacted, meeting_set, converted, disqualified, no_response, nurture, routed_to_cs), whether need, timing and context were right, and what went wrong (tone, timing, wrong_person). Without a contact it can be disqualified, nurture or routed_to_cs. Returns the row; twice the same is once. Errors: 22004 null, 22023 no such row or unknown word, 55000 its state doesn''t allow it, 42501 another rep''s.';
REVOKE ALL ON FUNCTION pql.dispose(bigint, text, boolean, boolean, boolean, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.reassign(routing_id bigint, rep text, reason text) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_reassign' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.reassign(bigint, text, text) IS
  'Gives a routing row that isn''t done to another rep (null: to whoever claims it, or is chosen), whoever has it. Brings a snoozed one back. Returns the row. Errors: 22004 null row, 22023 no such row or no reason, 42704 no such rep, 55000 its state doesn''t allow it, or the rep has no capacity left.';
REVOKE ALL ON FUNCTION pql.reassign(bigint, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.snooze(routing_id bigint, until timestamptz, reason text DEFAULT NULL) RETURNS SETOF pql.routing
  AS 'MODULE_PATHNAME', 'pql_snooze' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.snooze(bigint, timestamptz, text) IS
  'Puts a routing row out of sight until an instant, at which tick makes it ready again, with as long to make contact as it had; also one that was disposed of as nurture. Returns the row. Errors: 22004 null, 22023 no such row or not in the future, 55000 its state doesn''t allow it, 42501 another rep''s.';
REVOKE ALL ON FUNCTION pql.snooze(bigint, timestamptz, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.record_outcome(subject text, outcome text, value numeric DEFAULT NULL, at timestamptz DEFAULT NULL,
                                              unit text DEFAULT 'account') RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  id bigint;
  place text := CASE unit WHEN 'account' THEN 'a:' ELSE 'u:' END || subject;
BEGIN
  IF coalesce(subject, '') = '' OR outcome IS NULL OR unit IS NULL THEN
    RAISE EXCEPTION 'subject, outcome and unit must not be null or empty' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF unit NOT IN ('user', 'account') THEN
    RAISE EXCEPTION 'unit "%" is not known', unit USING ERRCODE = 'invalid_parameter_value', HINT = 'There are user and account.';
  END IF;
  IF outcome !~ '^[a-z][a-z0-9_]{0,62}$' OR NOT isfinite(at) THEN
    RAISE EXCEPTION '%', CASE WHEN isfinite(at) IS NOT FALSE THEN format('outcome "%s" is not a name', outcome) ELSE 'at must be finite' END
      USING ERRCODE = 'invalid_parameter_value', HINT = CASE WHEN isfinite(at) IS NOT FALSE THEN 'Lower-case letters, digits and underscores, for example ''paid'' or ''churned''.' ELSE '' END;
  END IF;
  IF value IN ('NaN', 'Infinity', '-Infinity') THEN
    RAISE EXCEPTION 'value must be finite' USING ERRCODE = 'invalid_parameter_value', HINT = 'Null says that it is not known.';
  END IF;
  INSERT INTO pql.outcome AS o (home, outcome_id, unit, subject_id, outcome, value, at, recorded_at, recorded_by)
  VALUES (place, pql.next_id(), unit, subject, outcome, value, coalesce(at, pql._now()), clock_timestamp(), session_user)
  ON CONFLICT ON CONSTRAINT outcome_is_recorded_once DO UPDATE SET value = coalesce(excluded.value, o.value) RETURNING o.outcome_id INTO id;
  RETURN id;
END $$;
COMMENT ON FUNCTION pql.record_outcome(text, text, numeric, timestamptz, text) IS
  'Records what became of an account or a user (paid, expanded, churned ...), what it is worth, and when (null: now). Returns its number; the same subject, outcome and instant is the same one. Of one who was erased nothing is recorded: null. Errors: 22004 null or empty, 22023 bad outcome, unit or instant.';
REVOKE ALL ON FUNCTION pql.record_outcome(text, text, numeric, timestamptz, text) FROM PUBLIC;

-- What time alone does.

-- After a merge an episode goes on under another id, without a routing row of its own: the one that there is stays.
CREATE OR REPLACE FUNCTION pql._goes_on(r pql.routing) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pql.identity) AND EXISTS (
    SELECT FROM pql.episode AS e JOIN pql.identity AS i ON i.kind = r.unit
      AND ((i.old_id, i.new_id) = (r.subject_id, e.subject_id) OR (i.new_id, i.old_id) = (r.subject_id, e.subject_id))
    WHERE e.program = r.program AND e.left_at IS NULL AND NOT e.shadow
      AND NOT EXISTS (SELECT FROM pql.routing AS x WHERE x.home = e.home AND x.episode = e.episode_id));
END $$;
COMMENT ON FUNCTION pql._goes_on(pql.routing) IS 'Whether the row''s episode, which is over, goes on for whom its subject was merged into, or parted from.';
REVOKE ALL ON FUNCTION pql._goes_on(pql.routing) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._expire_routing(as_of timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing;
  rep text;
  expired bigint := 0;
BEGIN
  -- An expired row that has an owner expired when the episode ended, by whoever ended it: what its owner takes on is given back here.
  FOR r IN
    SELECT x.* FROM pql.episode AS e JOIN pql.routing AS x ON x.home = e.home AND x.episode = e.episode_id
    WHERE e.left_at <= as_of AND NOT e.settled
      AND (x.state IN ('pending', 'ready', 'blocked') AND x.first_touch_at IS NULL OR x.state = 'expired' AND x.owner IS NOT NULL)
    LIMIT pql._tick_batch() FOR UPDATE OF x SKIP LOCKED
  LOOP
    CONTINUE WHEN r.state <> 'expired' AND pql._goes_on(r) OR r.owner IS NOT NULL AND NOT pql._is_load_free(r.owner);
    PERFORM pql._give_back(r, true);
    IF r.state = 'expired' THEN
      UPDATE pql.routing AS x SET owner = NULL, snoozed_until = NULL WHERE x.home = r.home AND x.routing_id = r.routing_id;
      CONTINUE;
    END IF;
    rep := r.owner;
    r.owner := NULL;
    r.snoozed_until := NULL;
    PERFORM pql._move(r, 'expired', as_of, 'the episode ended', rep, 'pql');
    expired := expired + 1;
  END LOOP;
  -- Only when nothing is left of it that could come back: whoever has a row at this moment may be giving it back, unseen by us.
  UPDATE pql.episode AS e SET settled = true FROM (
    SELECT o.home, o.episode_id FROM pql.episode AS o WHERE o.left_at <= as_of AND NOT o.settled FOR NO KEY UPDATE SKIP LOCKED) AS o
  WHERE e.home = o.home AND e.episode_id = o.episode_id AND NOT EXISTS (
    SELECT FROM pql.routing AS x WHERE x.home = e.home AND x.episode = e.episode_id
      AND (x.state IN ('pending', 'ready', 'blocked', 'claimed', 'accepted', 'declined') AND x.first_touch_at IS NULL
           OR x.state = 'expired' AND x.owner IS NOT NULL));
  RETURN expired;
END $$;
COMMENT ON FUNCTION pql._expire_routing(timestamptz) IS 'Expires rows that nobody has taken on when their episode is over; returns how many.';
REVOKE ALL ON FUNCTION pql._expire_routing(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._return_snoozed(as_of timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing;
  returned bigint := 0;
BEGIN
  FOR r IN SELECT x.* FROM pql.routing AS x WHERE x.snoozed_until <= as_of ORDER BY x.snoozed_until LIMIT pql._tick_batch() FOR UPDATE SKIP LOCKED LOOP
    CONTINUE WHEN r.owner IS NOT NULL AND NOT pql._is_load_free(r.owner);
    IF r.state = 'disposed' AND EXISTS (SELECT FROM pql.routing AS x WHERE x.program = r.program AND x.subject_id = r.subject_id
        AND x.state IN ('pending', 'ready', 'blocked', 'claimed', 'accepted', 'touched')) THEN
      r.snoozed_until := NULL;
      PERFORM pql._move(r, r.state, as_of, 'a newer row took its place', NULL, 'pql');
      CONTINUE;
    END IF;
    r.snoozed_until := NULL;
    r.claimed_at := NULL;
    r.disposition := NULL;
    IF r.owner IS NOT NULL AND NOT pql._take_rep(r.owner) THEN
      r.owner := NULL; -- they have taken on others meanwhile, or take on none any more
    END IF;
    PERFORM pql._move(r, CASE WHEN r.state IN ('pending', 'blocked', 'suppressed', 'expired') THEN r.state
      WHEN r.owner IS NULL THEN 'pending' ELSE 'ready' END, as_of, 'snoozed until then', r.owner, 'pql');
    returned := returned + 1;
  END LOOP;
  RETURN returned;
END $$;
COMMENT ON FUNCTION pql._return_snoozed(timestamptz) IS 'Brings back snoozed rows whose time has come; returns how many.';
REVOKE ALL ON FUNCTION pql._return_snoozed(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._deserted_rows(as_of timestamptz) RETURNS TABLE (home text, routing_id bigint, owner text, reason text)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  anybody boolean := NOT pql._has_reps();
BEGIN
  -- One look into the index for each owner; only the rows of those who left, or are away, are looked at.
  RETURN QUERY
    WITH RECURSIVE owners(rep) AS (
      SELECT min(x.owner) FROM pql.routing AS x WHERE x.owner IS NOT NULL AND x.state <> 'disposed'
      UNION ALL
      SELECT (SELECT min(x.owner) FROM pql.routing AS x WHERE x.owner > o.rep AND x.owner IS NOT NULL AND x.state <> 'disposed')
      FROM owners AS o WHERE o.rep IS NOT NULL),
    left_by(rep, away, reason) AS (
      SELECT o.rep, p.away, CASE WHEN p.rep_id IS NULL THEN format('%s is no rep any more', o.rep) WHEN NOT p.active THEN format('%s is not active', o.rep) END
      FROM owners AS o LEFT JOIN pql.reps AS p ON p.rep_id = o.rep
      WHERE CASE WHEN p.rep_id IS NULL THEN NOT anybody OR EXISTS (SELECT FROM pql.rep_load AS l WHERE l.rep_id = o.rep)
                 ELSE NOT p.active OR p.away <> '{}' END)
    SELECT x.home, x.routing_id, x.owner, coalesce(g.reason,
             CASE WHEN a.until = 'infinity' THEN format('%s is away', g.rep)
                  ELSE format('%s is away until %s', g.rep, to_char(a.until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI"Z"')) END)
    FROM left_by AS g JOIN pql.routing AS x ON x.owner = g.rep AND x.state <> 'disposed' AND x.state <> 'expired' AND x.snoozed_until IS NULL
      LEFT JOIN LATERAL (
        SELECT coalesce(upper(s), 'infinity') AS until FROM unnest(g.away) AS s WHERE s @> greatest(x.contact_after, as_of)) AS a
        ON a.until > coalesce(x.contact_by, greatest(x.contact_after, as_of) + interval '7 days') AND x.first_touch_at IS NULL
    WHERE g.reason IS NOT NULL OR a.until IS NOT NULL;
END $$;
COMMENT ON FUNCTION pql._deserted_rows(timestamptz) IS
  'Rows of whoever is no rep any more or not active, and those that nobody has touched of whoever is away until after contact_by (or, where nothing is promised, for a week).';
REVOKE ALL ON FUNCTION pql._deserted_rows(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._free_routing(as_of timestamptz) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  x record;
  r pql.routing;
BEGIN
  FOR x IN SELECT d.* FROM pql._deserted_rows(as_of) AS d ORDER BY d.routing_id LIMIT pql._tick_batch() LOOP
    SELECT o.* INTO r FROM pql.routing AS o WHERE o.home = x.home AND o.routing_id = x.routing_id AND o.owner = x.owner
      AND o.state <> 'disposed' AND o.state <> 'expired' AND o.snoozed_until IS NULL FOR UPDATE SKIP LOCKED;
    CONTINUE WHEN NOT FOUND OR NOT pql._is_load_free(x.owner);
    PERFORM pql._give_back(r, true);
    r.owner := NULL;
    r.claimed_at := NULL;
    PERFORM pql._move(r, CASE WHEN r.state IN ('ready', 'claimed', 'accepted', 'touched') THEN 'pending' ELSE r.state END, as_of, x.reason, x.owner, 'pql');
  END LOOP;
  DELETE FROM pql.rep_load AS l WHERE NOT EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = l.rep_id) AND pql._open_rows(l.rep_id) = 0;
END $$;
COMMENT ON FUNCTION pql._free_routing(timestamptz) IS 'Takes deserted rows from their owners: others get them.';
REVOKE ALL ON FUNCTION pql._free_routing(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._escalation(r pql.routing) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT e.key || ' ' || e.value FROM pql.program AS p, LATERAL (SELECT p.document -> 'motions' -> r.motion_rank AS m) AS x,
            LATERAL jsonb_each_text(x.m -> 'escalate_to') AS e
          WHERE p.program = r.program AND p.version = r.version AND x.m ->> 'motion' = r.motion AND x.m ->> 'on_breach' = 'escalate');
END $$;
COMMENT ON FUNCTION pql._escalation(pql.routing) IS 'To whom the row''s motion has it escalated; null: it is reassigned.';
REVOKE ALL ON FUNCTION pql._escalation(pql.routing) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._breach_routing(as_of timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing;
  rep text;
  breached bigint := 0;
BEGIN
  FOR r IN
    SELECT x.* FROM pql.routing AS x
    WHERE x.contact_by < as_of AND x.state IN ('pending', 'ready', 'claimed', 'accepted') AND x.first_touch_at IS NULL
      AND x.sla_breached_at IS NULL AND x.snoozed_until IS NULL AND x.motion <> 'none'
    ORDER BY x.contact_by LIMIT pql._tick_batch() FOR UPDATE SKIP LOCKED
  LOOP
    rep := r.owner;
    r.escalated_to := pql._escalation(r);
    IF rep IS NOT NULL AND (r.state IN ('ready', 'claimed') OR r.escalated_to IS NOT NULL) THEN
      CONTINUE WHEN NOT pql._is_load_free(rep);
      PERFORM pql._give_back(r, false);
      r.owner := NULL;
      r.claimed_at := NULL;
    END IF;
    r.sla_breached_at := r.contact_by;
    r.sla_breached_by := rep;
    PERFORM pql._move(r, CASE WHEN r.owner IS DISTINCT FROM rep THEN 'pending' ELSE r.state END, as_of,
      concat_ws(': escalated to ', 'sla', r.escalated_to), rep, 'pql');
    breached := breached + 1;
  END LOOP;
  RETURN breached;
END $$;
COMMENT ON FUNCTION pql._breach_routing(timestamptz) IS 'Notes the rows that nobody touched in time, once each, and takes them from reps who have not accepted them, or, where the motion has it escalated, also from those; returns how many.';
REVOKE ALL ON FUNCTION pql._breach_routing(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._ready_routing(as_of timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  anybody boolean := NOT pql._has_reps();
  n bigint;
BEGIN
  WITH due AS (
    SELECT x.home, x.routing_id FROM pql.routing AS x
    WHERE x.state = 'pending' AND x.contact_after <= as_of AND x.snoozed_until IS NULL
      AND (x.owner IS NOT NULL OR anybody OR NOT pql._needs_rep(x.motion))
    LIMIT pql._tick_batch() FOR UPDATE SKIP LOCKED),
  moved AS (
    UPDATE pql.routing AS x SET state = 'ready', state_since = greatest(as_of, x.state_since) FROM due AS d
    WHERE x.home = d.home AND x.routing_id = d.routing_id RETURNING x.home, x.routing_id, x.state_since, x.owner)
  INSERT INTO pql.routing_transition (home, routing_id, at, from_state, to_state, actor, rep)
  SELECT m.home, m.routing_id, m.state_since, 'pending', 'ready', 'pql', m.owner FROM moved AS m;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
COMMENT ON FUNCTION pql._ready_routing(timestamptz) IS 'Makes rows ready whose time has come and whose rep is chosen, where they need one; returns how many.';
REVOKE ALL ON FUNCTION pql._ready_routing(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_routing_due(as_of timestamptz) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- The earliest of each is at the end of an index, whatever statistics make of as_of.
  RETURN coalesce(as_of >= (SELECT min(e.left_at) FROM pql.episode AS e WHERE NOT e.settled), false)
    OR coalesce(as_of >= (SELECT min(x.snoozed_until) FROM pql.routing AS x), false)
    OR coalesce(as_of > (SELECT min(x.contact_by) FROM pql.routing AS x WHERE x.state IN ('pending', 'ready', 'claimed', 'accepted')
      AND x.first_touch_at IS NULL AND x.sla_breached_at IS NULL AND x.snoozed_until IS NULL AND x.motion <> 'none'), false)
    OR coalesce(as_of >= (SELECT min(x.contact_after) FROM pql.routing AS x WHERE x.state = 'pending' AND x.snoozed_until IS NULL
      AND (x.owner IS NOT NULL OR NOT pql._needs_rep(x.motion) OR NOT pql._has_reps())), false)
    OR EXISTS (SELECT FROM pql.capacity_threshold)
    OR EXISTS (SELECT FROM pql._deserted_rows(as_of))
    OR EXISTS (SELECT FROM pql.routing AS x WHERE x.state = 'pending' AND x.owner IS NULL AND x.blocked_by IS NULL AND x.snoozed_until IS NULL
      AND pql._needs_rep(x.motion) AND pql._has_reps());
END $$;
COMMENT ON FUNCTION pql._is_routing_due(timestamptz) IS 'Whether time has something to do to routing rows. Looks without locking, so a row that somebody has counts.';
REVOKE ALL ON FUNCTION pql._is_routing_due(timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._tick_routing(as_of timestamptz, OUT ready bigint, OUT expired bigint, OUT breached bigint, OUT returned bigint,
                                             OUT assigned bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN -- what is due is few of many, which a plan for any as_of doesn't know; where there is no index it would be worth compiling, it seems
  SELECT 0, 0, 0, 0, 0 INTO ready, expired, breached, returned, assigned;
  IF NOT pql._is_routing_due(as_of) THEN -- the locks below would be written
    IF pql._delay_contacts(as_of) > 0 THEN
      ready := pql._ready_routing(as_of);
    END IF;
    RETURN;
  END IF;
  PERFORM pql._begin_loads();
  -- All at once and in their order: whoever has some by then and waits for the others may be waited for by who has these.
  PERFORM FROM pql.rep_load AS l ORDER BY l.rep_id FOR NO KEY UPDATE;
  -- In this order once more does nothing: what was taken from a rep is given to another, and ready, at once.
  expired := (SELECT count(*) FROM pql.episode AS e JOIN pql.routing AS x ON x.home = e.home AND x.episode = e.episode_id
    WHERE e.left_at IS NOT NULL AND NOT e.settled AND x.state = 'expired' AND pql._is_own(x.xmin)); -- by what this tick ended
  expired := expired + pql._expire_routing(as_of);
  returned := pql._return_snoozed(as_of);
  PERFORM pql._free_routing(as_of);
  breached := pql._breach_routing(as_of);
  expired := expired + pql._expire_routing(as_of); -- what came back of episodes that were over already
  assigned := pql._assign_pending(as_of, pql._tick_batch());
  PERFORM pql._delay_contacts(as_of);
  ready := pql._ready_routing(as_of);
END $$;
COMMENT ON FUNCTION pql._tick_routing(timestamptz) IS 'Does to routing rows what time alone brings; returns how many became ready, expired, broke the promise, came back, and got a rep.';
REVOKE ALL ON FUNCTION pql._tick_routing(timestamptz) FROM PUBLIC;

-- Who sees what. The rows themselves are guarded, so that whatever is made of them, views of yours too, shows no more.

CREATE OR REPLACE FUNCTION pql._seen_by(caller text) RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  acting text := pql._acting_rep();
  mine text[] := ARRAY(SELECT p.rep_id FROM pql.reps AS p WHERE pg_has_role(caller, to_regrole(quote_ident(p.db_role)), 'MEMBER'));
BEGIN
  IF acting = ANY (mine) OR mine = '{}' AND EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = acting) THEN
    mine := ARRAY[acting];
  END IF;
  IF mine = '{}' OR EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = ANY (mine) AND p.manager) THEN
    RETURN NULL;
  END IF;
  RETURN ARRAY(SELECT DISTINCT o.rep_id FROM pql.reps AS p JOIN pql.reps AS o ON o.team = p.team WHERE p.rep_id = ANY (mine));
END $$;
COMMENT ON FUNCTION pql._seen_by(text) IS 'The reps whose routing rows a role sees: those of its team; null: everybody''s, as for who is no rep, or a manager. The setting pql.rep says which rep it is, of those that it is a member of, or, where it is none, of all.';
REVOKE ALL ON FUNCTION pql._seen_by(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._visible_owners() RETURNS text[]
  AS 'MODULE_PATHNAME', 'pql__visible_owners' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION pql._visible_owners() IS 'The reps whose routing rows the current role sees; null: everybody''s. Asked by the row security of pql.routing, for whoever reads it.';

ALTER TABLE pql.routing ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.routing USING (coalesce(owner = ANY ((SELECT pql._visible_owners())::text[]), true)) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.routing IS 'Reps see what is theirs, their team''s and nobody''s; managers, and who is no rep, see all.';

-- What there is of a row is seen by whoever sees the row.
ALTER TABLE pql.routing_transition ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.routing_transition USING ((SELECT pql._visible_owners()) IS NULL OR EXISTS (
  SELECT FROM pql.routing AS r WHERE r.home = routing_transition.home AND r.routing_id = routing_transition.routing_id)) WITH CHECK (true);
ALTER TABLE pql.touch ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.touch USING ((SELECT pql._visible_owners()) IS NULL OR EXISTS (
  SELECT FROM pql.routing AS r WHERE r.home = touch.home AND r.routing_id = touch.routing_id)) WITH CHECK (true);
ALTER TABLE pql.disposition ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.disposition USING ((SELECT pql._visible_owners()) IS NULL OR EXISTS (
  SELECT FROM pql.routing AS r WHERE r.home = disposition.home AND r.routing_id = disposition.routing_id)) WITH CHECK (true);
ALTER TABLE pql.declined ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.declined USING ((SELECT pql._visible_owners()) IS NULL OR EXISTS (
  SELECT FROM pql.routing AS r WHERE r.home = declined.home AND r.routing_id = declined.routing_id)) WITH CHECK (true);
ALTER TABLE pql.route_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.route_decision USING ((SELECT pql._visible_owners()) IS NULL OR EXISTS (
  SELECT FROM pql.routing AS r WHERE r.home = route_decision.home AND r.routing_id = route_decision.routing_id)) WITH CHECK (true);

-- Looking.

CREATE VIEW pql.inbox WITH (security_invoker = true) AS
  SELECT r.owner AS rep, r.routing_id, r.program, r.unit, r.subject_id, r.account_id, r.headline, r.score, r.motion, r.next_best_action, r.state,
         CASE r.state WHEN 'ready' THEN 'claim' WHEN 'claimed' THEN 'accept or decline' WHEN 'accepted' THEN 'touch' ELSE 'dispose' END AS to_do,
         r.contact_after, r.contact_by,
         CASE WHEN r.first_touch_at IS NULL THEN floor(extract(epoch FROM r.contact_by - n.now) / 60)::bigint END AS minutes_left,
         CASE WHEN r.first_touch_at <= r.contact_by THEN 'kept'
              WHEN r.first_touch_at IS NOT NULL AND r.contact_by IS NOT NULL OR r.sla_breached_at IS NOT NULL OR r.contact_by < n.now THEN 'broken'
              WHEN r.contact_by - n.now < (r.contact_by - r.contact_after) / 4 THEN 'due soon'
              WHEN r.contact_by IS NOT NULL THEN 'in time' END AS sla,
         r.context -> 'play' AS play, r.escalated_to
  FROM pql.routing AS r, (SELECT pql._now() AS now) AS n
  WHERE r.state IN ('ready', 'claimed', 'accepted', 'touched') AND r.snoozed_until IS NULL AND pql._needs_rep(r.motion)
  ORDER BY r.contact_by, r.score DESC, r.routing_id;
COMMENT ON VIEW pql.inbox IS 'Routing rows that wait for a person, the most urgent first.';
--@ comments inbox routing routing_id program unit subject_id account_id headline score motion next_best_action state contact_after contact_by escalated_to
COMMENT ON COLUMN pql.inbox.rep IS 'Whose it is; null: whoever claims it.';
COMMENT ON COLUMN pql.inbox.to_do IS 'What is to be done next: the function of that name.';
COMMENT ON COLUMN pql.inbox.minutes_left IS 'Until contact_by, below zero when it is over; null once touched, and where nothing was promised.';
COMMENT ON COLUMN pql.inbox.play IS 'What to say first, and what never: {say, never}; null where the motion says nothing of it.';
COMMENT ON COLUMN pql.inbox.sla IS 'The promise of contact_by: in time, due soon (the last quarter of the time), kept, broken; null where there is none.';

-- Partitions name all that is asked by, so that the history of one row, or of one subject, is all that is read.
CREATE VIEW pql.routing_history WITH (security_invoker = true) AS
  SELECT h.routing_id, h.program, h.unit, h.subject_id, h.at, h.from_state, h.to_state, h.actor, h.rep, h.reason,
         h.at - lag(h.at) OVER (PARTITION BY h.routing_id, h.program, h.unit, h.subject_id ORDER BY h.transition_id) AS after
  FROM (
    SELECT r.routing_id, r.program, r.unit, r.subject_id, t.transition_id, t.at, t.from_state, t.to_state, t.actor, t.rep, t.reason
    FROM pql.routing AS r JOIN pql.routing_transition AS t ON t.home = r.home AND t.routing_id = r.routing_id
    UNION ALL
    SELECT r.routing_id, r.program, r.unit, r.subject_id, 0, r.qualified_at, NULL, coalesce((
      SELECT t.from_state FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id ORDER BY t.transition_id LIMIT 1), r.state),
      'pql', NULL, r.qualification FROM pql.routing AS r) AS h
  ORDER BY h.routing_id, h.transition_id;
COMMENT ON VIEW pql.routing_history IS 'The life of each routing row, from its decision on: what happened, when, who did it and why.';
COMMENT ON COLUMN pql.routing_history.at IS 'When it happened.';
COMMENT ON COLUMN pql.routing_history.to_state IS 'The state it came into.';
COMMENT ON COLUMN pql.routing_history.reason IS 'Why, or what was said; of the first line, whether the subject qualified for the first time.';
--@ comments routing_history routing routing_id program unit subject_id
--@ comments routing_history routing_transition actor rep
COMMENT ON COLUMN pql.routing_history.from_state IS 'Null: the row was written then. The same as to_state: something else of it changed.';
COMMENT ON COLUMN pql.routing_history.after IS 'How long after what happened before.';

CREATE VIEW pql.handoffs WITH (security_invoker = true) AS
  SELECT r.routing_id, r.program, r.version, r.unit, r.subject_id, r.account_id, r.episode, r.qualification, r.motion, r.score, r.owner, r.state,
         r.blocked_by, r.holdout, r.signal_at, r.qualified_at, t.ready_at, t.claimed_at, t.accepted_at, r.first_touch_at, t.disposed_at,
         d.disposition, d.failure, d.need_matched, d.timing_right, d.context_enough, t.expired_at, r.sla_breached_at, r.snoozed_until,
         t.declined::int AS declined, k.touches::int AS touches, r.contact_after, r.contact_by,
         t.claimed_at - r.qualified_at AS time_to_claim,
         r.first_touch_at - r.qualified_at AS time_to_first_touch,
         r.first_touch_at - r.signal_at AS signal_to_first_touch,
         t.disposed_at - r.first_touch_at AS time_to_disposition,
         r.first_touch_at <= r.contact_by AS in_time,
         CASE WHEN r.state = 'pending' THEN pql._delay_of(r) ->> 'why' END AS waits_for,
         r.sla_breached_by, r.escalated_to
  FROM pql.routing AS r
  CROSS JOIN LATERAL (
    SELECT min(x.at) FILTER (WHERE x.to_state = 'ready') AS ready_at, min(x.at) FILTER (WHERE x.to_state = 'claimed') AS claimed_at,
           min(x.at) FILTER (WHERE x.to_state = 'accepted') AS accepted_at, max(x.at) FILTER (WHERE x.to_state = 'disposed') AS disposed_at,
           min(x.at) FILTER (WHERE x.to_state = 'expired') AS expired_at,
           count(*) FILTER (WHERE x.to_state = 'declined') AS declined
    FROM pql.routing_transition AS x WHERE x.home = r.home AND x.routing_id = r.routing_id) AS t
  CROSS JOIN LATERAL (SELECT count(*) AS touches FROM pql.touch AS x WHERE x.home = r.home AND x.routing_id = r.routing_id) AS k
  LEFT JOIN LATERAL (
    SELECT x.disposition, x.failure, x.need_matched, x.timing_right, x.context_enough FROM pql.disposition AS x
    WHERE x.home = r.home AND x.routing_id = r.routing_id ORDER BY x.disposition_id DESC LIMIT 1) AS d ON true;
COMMENT ON VIEW pql.handoffs IS 'Each routing row''s life in one line: the first time that it was ready, claimed, accepted and touched, and what became of it last.';
COMMENT ON COLUMN pql.handoffs.ready_at IS 'When it was ready first; null: it never was.';
COMMENT ON COLUMN pql.handoffs.claimed_at IS 'When it was claimed first; null: it never was.';
COMMENT ON COLUMN pql.handoffs.accepted_at IS 'When it was accepted first; null: it never was.';
COMMENT ON COLUMN pql.handoffs.disposed_at IS 'When it was disposed of last; null: it never was.';
COMMENT ON COLUMN pql.handoffs.expired_at IS 'When it expired; null: it hasn''t.';
COMMENT ON COLUMN pql.handoffs.touches IS 'How many contacts were made.';
COMMENT ON COLUMN pql.handoffs.time_to_claim IS 'From the moment at which the subject qualified until it was claimed first.';
COMMENT ON COLUMN pql.handoffs.time_to_disposition IS 'From the first contact until it was disposed of last.';
--@ comments handoffs routing routing_id program version unit subject_id account_id episode qualification motion score owner state blocked_by holdout signal_at qualified_at first_touch_at snoozed_until contact_after contact_by
--@ comments handoffs disposition disposition failure need_matched timing_right context_enough
COMMENT ON COLUMN pql.handoffs.waits_for IS 'Of a pending row: what its contact was moved for, if it was.';
COMMENT ON COLUMN pql.handoffs.declined IS 'How often it was declined.';
COMMENT ON COLUMN pql.handoffs.time_to_first_touch IS 'From the moment at which the subject qualified until somebody reached out.';
COMMENT ON COLUMN pql.handoffs.signal_to_first_touch IS 'From the newest event behind the points until somebody reached out.';
COMMENT ON COLUMN pql.handoffs.in_time IS 'Whether the first touch kept the promise of contact_by; null while there is none, and where nothing was promised.';
COMMENT ON COLUMN pql.handoffs.sla_breached_at IS 'The contact_by at which nobody had touched it.';
COMMENT ON COLUMN pql.handoffs.sla_breached_by IS 'The rep whose row it was then.';
COMMENT ON COLUMN pql.handoffs.escalated_to IS 'To whom it was escalated then: "rep max", "team leads", "skill closing".';

CREATE VIEW pql.lifecycle_history WITH (security_invoker = true) AS
  SELECT s.unit, s.subject_id, s.stage, s.at AS since, lead(s.at) OVER (PARTITION BY s.unit, s.subject_id ORDER BY s.at, s.place) AS until,
         s.program, s.routing_id
  FROM (
    SELECT e.*, lag(e.stage) OVER (PARTITION BY e.unit, e.subject_id ORDER BY e.at, e.place) AS before
    FROM (
      SELECT r.unit, r.subject_id, r.program, r.routing_id, r.qualified_at AS at, 0 AS place, 'qualified' AS stage FROM pql.routing AS r WHERE NOT r.holdout
      UNION ALL
      SELECT r.unit, r.subject_id, r.program, r.routing_id, t.at, t.transition_id,
             CASE t.to_state WHEN 'claimed' THEN 'assigned' WHEN 'accepted' THEN 'assigned' WHEN 'touched' THEN 'contacted' WHEN 'expired' THEN 'lapsed'
               WHEN 'disposed' THEN CASE t.reason WHEN 'meeting_set' THEN 'meeting' WHEN 'no_response' THEN 'contacted' ELSE t.reason END
               WHEN 'declined' THEN NULL
               ELSE CASE WHEN t.from_state IN ('claimed', 'accepted', 'touched', 'disposed') THEN 'qualified' END END
      FROM pql.routing AS r JOIN pql.routing_transition AS t ON t.home = r.home AND t.routing_id = r.routing_id
      WHERE NOT r.holdout AND t.from_state <> t.to_state AND pql._needs_rep(r.motion)) AS e
    WHERE e.stage IS NOT NULL) AS s
  WHERE s.stage IS DISTINCT FROM s.before;
COMMENT ON VIEW pql.lifecycle_history IS 'The stages that each account and user has been in, as a CRM has them: qualified, assigned, contacted, meeting, converted, disqualified, nurture, routed_to_cs, lapsed (nobody was in contact while it lasted).';
COMMENT ON COLUMN pql.lifecycle_history.unit IS 'What it is: user, account or workspace.';
COMMENT ON COLUMN pql.lifecycle_history.subject_id IS 'Its id.';
COMMENT ON COLUMN pql.lifecycle_history.stage IS 'qualified, assigned, contacted, meeting, converted, disqualified, nurture, routed_to_cs, lapsed.';
COMMENT ON COLUMN pql.lifecycle_history.since IS 'When the stage began.';
COMMENT ON COLUMN pql.lifecycle_history.program IS 'The program whose routing row it is.';
COMMENT ON COLUMN pql.lifecycle_history.until IS 'When the stage ended; null: it is the one it is in.';
COMMENT ON COLUMN pql.lifecycle_history.routing_id IS 'The routing row by which the stage began.';

CREATE VIEW pql.lifecycle WITH (security_invoker = true) AS
  SELECT h.unit, h.subject_id, h.stage, h.since, h.program, h.routing_id FROM pql.lifecycle_history AS h WHERE h.until IS NULL;
COMMENT ON VIEW pql.lifecycle IS 'The stage that each account and user is in, and since when: what a CRM''s field is written from.';
--@ comments lifecycle lifecycle_history unit subject_id stage since program routing_id
