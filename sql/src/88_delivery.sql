-- Delivery: routing rows are posted to where people work. The routing table, with its transitions, is the outbox: nothing is written for
-- delivery when a row is decided or changes. Whoever delivers finds out what is to be told (pql._untold), notes it in pql.delivery under
-- a key that stays the same, takes some of it with a lease, posts it, and says what became of it. The posting itself is pqlctl's.

CREATE OR REPLACE FUNCTION pql._settings_of(kind text) RETURNS text[]
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
  RETURN CASE kind WHEN 'slack' THEN ARRAY['channel', 'mentions'] WHEN 'hubspot' THEN ARRAY['object', 'key_property', 'company', 'id_property', 'properties']
    WHEN 'salesforce' THEN ARRAY['api_version', 'key_field', 'account', 'oauth', 'client_id'] ELSE ARRAY['headers'] END;
COMMENT ON FUNCTION pql._settings_of(text) IS 'The settings that a kind of destination has.';

-- pg_current_snapshot() leaves the own transaction out of its list, and so takes it for committed as soon as a later one is.
CREATE OR REPLACE FUNCTION pql._committed() RETURNS pg_snapshot
  LANGUAGE sql STABLE PARALLEL SAFE COST 50
  BEGIN ATOMIC
    SELECT CASE WHEN own IS NULL OR own >= pg_snapshot_xmax(s) THEN s
      ELSE format('%s:%s:%s', pg_snapshot_xmin(s), pg_snapshot_xmax(s),
             (SELECT string_agg(x::text, ',' ORDER BY x) FROM (SELECT pg_snapshot_xip(s) AS x UNION SELECT own) AS l))::pg_snapshot END
    FROM (SELECT pg_current_snapshot() AS s, pg_current_xact_id_if_assigned() AS own) AS c;
  END;
COMMENT ON FUNCTION pql._committed() IS 'What is committed by now; what the own transaction writes is not. Everybody may ask: whoever writes to pql.destination does.';

CREATE TABLE pql.destination (
  destination   text COLLATE "C" PRIMARY KEY CONSTRAINT destination_is_a_name CHECK (destination ~ '^[a-z][a-z0-9_]{0,62}$'),
  kind          text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('slack', 'hubspot', 'salesforce', 'webhook')),
  url           text,
  settings      jsonb NOT NULL DEFAULT '{}' CONSTRAINT settings_are_an_object CHECK (jsonb_typeof(settings) = 'object'),
  secret        text CONSTRAINT secret_is_a_name CHECK (secret ~ '^[a-z][a-z0-9_]{0,62}$'),
  audience      text NOT NULL DEFAULT 'rep' CONSTRAINT audience_is_known CHECK (audience IN ('rep', 'outreach')),
  programs      text[] CONSTRAINT programs_are_not_null CHECK (array_position(programs, NULL) IS NULL),
  motions       text[] CONSTRAINT motions_are_known CHECK (motions <@ ARRAY['none', 'in_app', 'email', 'inside_sales', 'account_executive', 'enterprise',
                                                                            'solutions_engineer', 'customer_success']),
  teams         text[] CONSTRAINT teams_are_not_null CHECK (array_position(teams, NULL) IS NULL),
  min_score     int,
  events        text[] CONSTRAINT events_are_known CHECK (events <@ ARRAY['ready', 'updated', 'withdrawn'] AND 'ready' = ANY (events)),
  per_second    float8 CONSTRAINT per_second_is_positive CHECK (per_second > 0 AND per_second <= 1e6),
  burst         int NOT NULL DEFAULT 10 CONSTRAINT burst_is_positive CHECK (burst > 0),
  max_attempts  int NOT NULL DEFAULT 16 CONSTRAINT max_attempts_is_positive CHECK (max_attempts > 0),
  timeout       interval NOT NULL DEFAULT '10 seconds' CONSTRAINT timeout_is_from_a_moment_to_five_minutes CHECK (timeout BETWEEN '100 milliseconds' AND '5 minutes'),
  backlog       boolean NOT NULL DEFAULT false,
  enabled       boolean NOT NULL DEFAULT true,
  key_space     uuid NOT NULL DEFAULT gen_random_uuid(),
  created_after bigint NOT NULL DEFAULT pql.next_id(),
  created_with  pg_snapshot NOT NULL DEFAULT pql._committed(),
  created_in    text NOT NULL DEFAULT pql._this_database(),
  CONSTRAINT url_is_https CHECK (url ~ '^https://[^/@?#[:space:]]+([/?][^#[:space:]]*)?$' OR url ~ '^http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?(/[^#[:space:]]*)?$'),
  CONSTRAINT there_is_a_url CHECK (url IS NOT NULL OR kind = 'slack')
);
COMMENT ON TABLE pql.destination IS 'Where routing rows are posted to by pqlctl deliver, and which of them.';
COMMENT ON COLUMN pql.destination.destination IS 'The destination''s name, which you choose.';
COMMENT ON COLUMN pql.destination.enabled IS 'Whether it is posted to.';
COMMENT ON COLUMN pql.destination.kind IS 'slack, hubspot, salesforce, or webhook: JSON, signed as Standard Webhooks are.';
COMMENT ON COLUMN pql.destination.url IS 'Where to: https, or plain http on the same machine. Null: a Slack webhook, whose address is the secret.';
COMMENT ON COLUMN pql.destination.settings IS 'What the kind needs besides (doc/delivery.md). Never a secret.';
COMMENT ON COLUMN pql.destination.secret IS 'The name by which pqlctl finds the secret, in its environment or its file of secrets; null: the destination''s name. The secret itself is never in the database.';
COMMENT ON COLUMN pql.destination.audience IS 'Who reads it there: reps, or (outreach) also those whom it is about.';
COMMENT ON COLUMN pql.destination.programs IS 'Rows of which programs; null: of all.';
COMMENT ON COLUMN pql.destination.motions IS 'Rows with which motions; null: all but none, and to Slack only those that are a person''s work.';
COMMENT ON COLUMN pql.destination.teams IS 'Rows whose owner is of one of these teams; null: all.';
COMMENT ON COLUMN pql.destination.min_score IS 'Rows with at least that score; null: with any.';
COMMENT ON COLUMN pql.destination.events IS 'What is told of a row: that it is ready to be worked, that it was updated since, that it was withdrawn. Null: all of it; to Slack, ready and withdrawn.';
COMMENT ON COLUMN pql.destination.per_second IS 'At most so many posts a second, by all workers together; null: no limit.';
COMMENT ON COLUMN pql.destination.burst IS 'After a pause, so many posts at once.';
COMMENT ON COLUMN pql.destination.max_attempts IS 'After so many attempts a delivery is dead.';
COMMENT ON COLUMN pql.destination.timeout IS 'How long one attempt may take.';
COMMENT ON COLUMN pql.destination.backlog IS 'Whether rows are told that were ready before there was this destination.';
COMMENT ON COLUMN pql.destination.key_space IS 'Makes the keys of its deliveries its own, wherever else it receives from.';
COMMENT ON COLUMN pql.destination.created_after IS 'Transitions with lower numbers came before it.';
COMMENT ON COLUMN pql.destination.created_with IS 'What was committed when it was made: all later is its.';
COMMENT ON COLUMN pql.destination.created_in IS 'The database that created_with is of.';
SELECT pg_catalog.pg_extension_config_dump('pql.destination', '');

CREATE OR REPLACE FUNCTION pql._check_destination() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  headers CONSTANT jsonb := new.settings -> 'headers';
  wrong text;
BEGIN
  IF jsonb_typeof(new.settings) <> 'object' OR new.settings IS NULL THEN
    RETURN new; -- the table refuses it
  END IF;
  wrong := (SELECT k FROM jsonb_object_keys(new.settings) AS k WHERE k <> ALL (pql._settings_of(new.kind)) ORDER BY k LIMIT 1);
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'a % destination has no setting "%"', new.kind, wrong USING ERRCODE = 'invalid_parameter_value',
      HINT = format('It has %s. Secrets are kept by pqlctl, not here.', array_to_string(pql._settings_of(new.kind), ', '));
  END IF;
  wrong := (SELECT k FROM jsonb_object_keys(CASE WHEN jsonb_typeof(headers) = 'object' THEN headers ELSE '{}' END) AS k
            WHERE k ~* '^(authorization|proxy-authorization|cookie|host|content-.*|webhook-.*|transfer-encoding|connection|idempotency-key)$|secret|token|key|password'
               OR k !~ '^[A-Za-z0-9-]+$' ORDER BY k LIMIT 1);
  IF wrong IS NOT NULL OR jsonb_typeof(headers) <> 'object' OR headers @? '$.* ? (@.type() != "string" || @ like_regex "[[:cntrl:]]")' THEN
    RAISE EXCEPTION '%', CASE WHEN wrong IS NULL THEN 'headers must be an object of texts of one line' ELSE format('header "%s" can''t be set', wrong) END USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Requests are signed with the secret that pqlctl keeps; a secret is never in the database.';
  END IF;
  IF new.kind = 'hubspot' AND new.settings ->> 'object' NOT IN ('tasks', 'companies') THEN
    RAISE EXCEPTION 'object "%" is not known', new.settings ->> 'object' USING ERRCODE = 'invalid_parameter_value', HINT = 'There are tasks and companies.';
  END IF;
  IF new.kind = 'salesforce' AND (new.settings ->> 'api_version' !~ '^v[0-9]{2}\.0$' OR new.settings ->> 'key_field' !~ '^[A-Za-z][A-Za-z0-9_]*$') THEN
    RAISE EXCEPTION 'api_version must be like v59.0, and key_field a name' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF new.kind = 'salesforce' AND new.settings ->> 'oauth' NOT IN ('client_credentials', 'refresh_token') THEN
    RAISE EXCEPTION 'oauth "%" is not known', new.settings ->> 'oauth' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'There are client_credentials and refresh_token.';
  END IF;
  IF new.kind = 'salesforce' AND (new.settings -> 'oauth' IS NULL) <> (coalesce(new.settings ->> 'client_id', '') = '') THEN
    RAISE EXCEPTION 'oauth and client_id need each other' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'client_id is the consumer key of the connected app; its secret is kept by pqlctl.';
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION pql._check_destination() IS 'Refuses settings that a kind of destination doesn''t have, and secrets among them.';
REVOKE ALL ON FUNCTION pql._check_destination() FROM PUBLIC;
CREATE TRIGGER check_destination BEFORE INSERT OR UPDATE OF kind, settings ON pql.destination
  FOR EACH ROW EXECUTE FUNCTION pql._check_destination();

-- One of the same name that is made later is another, which has been told nothing.
CREATE OR REPLACE FUNCTION pql._destination_changed() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF tg_op = 'DELETE' THEN
    DELETE FROM pql.delivery AS e WHERE e.destination = old.destination;
    DELETE FROM pql.delivery_mark AS m WHERE m.destination = old.destination;
  ELSE
    UPDATE pql.delivery AS e SET destination = new.destination WHERE e.destination = old.destination;
    UPDATE pql.delivery_mark AS m SET destination = new.destination WHERE m.destination = old.destination;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._destination_changed() IS 'What is known of a destination''s deliveries goes with it, and has its name.';
REVOKE ALL ON FUNCTION pql._destination_changed() FROM PUBLIC;
CREATE TRIGGER destination_deleted AFTER DELETE ON pql.destination FOR EACH ROW EXECUTE FUNCTION pql._destination_changed();
CREATE TRIGGER destination_renamed AFTER UPDATE OF destination ON pql.destination
  FOR EACH ROW WHEN (old.destination <> new.destination) EXECUTE FUNCTION pql._destination_changed();

CREATE TABLE pql.delivery_mark (
  destination   text COLLATE "C" PRIMARY KEY,
  seen          pg_snapshot,
  made_in       text NOT NULL,
  later_than    bigint NOT NULL DEFAULT 0,
  tokens        float8,
  refilled_at   timestamptz,
  paused_until  timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE pql.delivery_mark IS 'How far each destination is: what of the transitions has been looked at, how many posts its rate still allows, and until when it asked to be left alone.';
COMMENT ON COLUMN pql.delivery_mark.destination IS 'The destination (pql.destination).';
COMMENT ON COLUMN pql.delivery_mark.tokens IS 'How many posts it might get at once, as of refilled_at; null: as many as burst says.';
COMMENT ON COLUMN pql.delivery_mark.refilled_at IS 'When tokens was computed.';
COMMENT ON COLUMN pql.delivery_mark.paused_until IS 'Until when the destination asked to be left alone; null: it didn''t.';
COMMENT ON COLUMN pql.delivery_mark.seen IS 'All transitions of transactions that this snapshot shows have been looked at.';
COMMENT ON COLUMN pql.delivery_mark.made_in IS 'The database that the snapshot is of: in another one, that it was restored into, all rows are looked at once more.';
COMMENT ON COLUMN pql.delivery_mark.later_than IS 'In a restored database: rows that were ready before this number aren''t told, unless they were before.';
SELECT pg_catalog.pg_extension_config_dump('pql.delivery_mark', '');

CREATE TABLE pql.delivery (
  home             text COLLATE "C" NOT NULL,
  delivery_id      bigint NOT NULL DEFAULT pql.next_id(),
  destination      text COLLATE "C" NOT NULL,
  routing_id       bigint NOT NULL,
  transition_id    bigint NOT NULL,
  event            text NOT NULL CHECK (event IN ('ready', 'updated', 'withdrawn')),
  owner            text,
  follows          bigint,
  idempotency_key  text NOT NULL,
  state            text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'dead', 'void')),
  attempts         int NOT NULL DEFAULT 0,
  tried            int NOT NULL DEFAULT 0,
  next_at          timestamptz NOT NULL DEFAULT statement_timestamp(),
  claimed_until    timestamptz,
  claimed_by       text,
  http_status      int,
  last_error       text,
  created_at       timestamptz NOT NULL DEFAULT statement_timestamp(),
  ended_at         timestamptz,
  PRIMARY KEY (home, delivery_id),
  CONSTRAINT a_transition_is_told_once UNIQUE (home, routing_id, destination, transition_id)
) WITH (fillfactor = 80);
CREATE INDEX delivery_due ON pql.delivery (destination, next_at, delivery_id) WHERE state = 'pending';
CREATE INDEX delivery_id ON pql.delivery (delivery_id);
COMMENT ON TABLE pql.delivery IS 'What is posted, or was: one row for each thing that a destination is told of a routing row.';
COMMENT ON COLUMN pql.delivery.delivery_id IS 'The number of the delivery.';
COMMENT ON COLUMN pql.delivery.destination IS 'Where to (pql.destination).';
COMMENT ON COLUMN pql.delivery.routing_id IS 'The routing row that it tells of (pql.routing).';
COMMENT ON COLUMN pql.delivery.claimed_until IS 'Until when the worker has it; null or past: none has.';
COMMENT ON COLUMN pql.delivery.http_status IS 'What the destination answered last, as HTTP has it; null: nothing.';
COMMENT ON COLUMN pql.delivery.last_error IS 'What went wrong last; null: nothing did.';
COMMENT ON COLUMN pql.delivery.created_at IS 'When it was noted.';
--@ comments delivery routing home
COMMENT ON COLUMN pql.delivery.transition_id IS 'The transition of the routing row as of which it is told (pql.routing_transition).';
COMMENT ON COLUMN pql.delivery.event IS 'ready: it is to be worked; updated: something of it changed since; withdrawn: it is no longer to be worked.';
COMMENT ON COLUMN pql.delivery.owner IS 'Whose row it was then.';
COMMENT ON COLUMN pql.delivery.follows IS 'What the destination was told of the row before (delivery_id): as long as that is pending, this waits. Null: nothing.';
COMMENT ON COLUMN pql.delivery.idempotency_key IS 'Goes with every attempt: a receiver that has seen it has had this delivery.';
COMMENT ON COLUMN pql.delivery.state IS 'pending; sent: the destination took it; dead: refused for good, or tried too often; void: what it told of was over before it was told.';
COMMENT ON COLUMN pql.delivery.attempts IS 'How often it was taken to be posted; counted anew by pql.redeliver.';
COMMENT ON COLUMN pql.delivery.tried IS 'How often altogether: if ever, the destination may have received it, whatever became of it.';
COMMENT ON COLUMN pql.delivery.next_at IS 'Not before then; of one that is claimed, when its lease ends.';
COMMENT ON COLUMN pql.delivery.claimed_by IS 'The worker that has it, or had it last.';
COMMENT ON COLUMN pql.delivery.ended_at IS 'When it was sent, given up or void.';
SELECT pg_catalog.pg_extension_config_dump('pql.delivery', '');

ALTER TABLE pql.delivery ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.delivery USING ((SELECT pql._visible_owners()) IS NULL OR EXISTS (
  SELECT FROM pql.routing AS r WHERE r.home = delivery.home AND r.routing_id = delivery.routing_id)) WITH CHECK (true);

-- Whether a row is to be worked, is over for now or for good, or is done: only the first is told to anybody who doesn't know of it yet.
CREATE OR REPLACE FUNCTION pql._delivery_stage(r pql.routing) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 10
  RETURN CASE WHEN r.holdout OR r.state IN ('blocked', 'suppressed', 'expired') THEN 'gone' WHEN r.snoozed_until IS NOT NULL OR r.state IN ('pending', 'declined') THEN 'waits'
    WHEN r.state = 'disposed' THEN 'done' ELSE 'open' END;
COMMENT ON FUNCTION pql._delivery_stage(pql.routing) IS 'What a routing row is to those who are told of it: open, waits, gone, done.';
REVOKE ALL ON FUNCTION pql._delivery_stage(pql.routing) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_meant(d pql.destination, r pql.routing) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE COST 200
  BEGIN ATOMIC
    SELECT coalesce(r.program = ANY (d.programs), true) AND coalesce(r.score >= d.min_score, true)
      AND coalesce(r.motion = ANY (d.motions), r.motion <> 'none' AND (d.kind <> 'slack' OR pql._needs_rep(r.motion)))
      AND (d.teams IS NULL OR EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = r.owner AND p.team = ANY (d.teams)));
  END;
COMMENT ON FUNCTION pql._is_meant(pql.destination, pql.routing) IS 'Whether rows like this one are told to a destination.';
REVOKE ALL ON FUNCTION pql._is_meant(pql.destination, pql.routing) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._delivery_key(d pql.destination, routing_id bigint, transition_id bigint) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20
  RETURN format('msg_%s_%s_%s', substr(replace(d.key_space::text, '-', ''), 1, 20), routing_id, transition_id);
COMMENT ON FUNCTION pql._delivery_key(pql.destination, bigint, bigint) IS 'The idempotency key: told by what it tells, so that it is the same wherever it is worked out.';

-- Of transactions that a snapshot doesn't show, those that another one does: nothing is lost that is committed late, as it is by number or by time.
CREATE OR REPLACE FUNCTION pql._untold(d pql.destination, seen pg_snapshot, shown pg_snapshot, later_than bigint)
  RETURNS TABLE (home text, routing_id bigint, transition_id bigint, event text, owner text, told_id bigint)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    WITH changed AS MATERIALIZED (
      SELECT t.home, t.routing_id FROM pql.routing_transition AS t
      WHERE seen IS NOT NULL AND t.written_in >= pg_snapshot_xmin(seen) AND t.written_in < pg_snapshot_xmax(shown) AND NOT pg_visible_in_snapshot(t.written_in, seen)
      UNION
      SELECT r.home, r.routing_id FROM pql.routing AS r WHERE seen IS NULL AND r.state IN ('ready', 'claimed', 'accepted', 'touched')
      UNION
      SELECT e.home, e.routing_id FROM pql.delivery AS e WHERE seen IS NULL AND e.destination = d.destination AND (e.state <> 'void' OR e.tried > 0)),
    looked AS (
      SELECT r.home, r.routing_id, r.state, r.owner, pql._delivery_stage(r) AS stage, pql._is_meant(d, r) AS meant, turn.last, turn.ready,
             told.delivery_id, told.transition_id AS told_at, told.event AS told, told.owner AS told_owner
      FROM changed AS c JOIN pql.routing AS r ON r.home = c.home AND r.routing_id = c.routing_id
      CROSS JOIN LATERAL (
        SELECT max(t.transition_id) AS last, max(t.transition_id) FILTER (WHERE t.to_state = 'ready' AND t.from_state <> 'ready') AS ready
        FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id) AS turn
      LEFT JOIN LATERAL (
        SELECT e.delivery_id, e.transition_id, e.event, e.owner FROM pql.delivery AS e
        WHERE e.home = r.home AND e.routing_id = r.routing_id AND e.destination = d.destination AND (e.state <> 'void' OR e.tried > 0)
        ORDER BY e.transition_id DESC LIMIT 1) AS told ON true),
    news AS (
      SELECT l.*, CASE
          WHEN l.last IS NULL OR l.last <= l.told_at THEN NULL
          WHEN coalesce(l.told, 'withdrawn') = 'withdrawn' THEN
            CASE WHEN l.meant AND l.ready > later_than THEN CASE l.stage WHEN 'open' THEN 'ready' WHEN 'done' THEN CASE WHEN l.told IS NULL THEN 'updated' END END END
          WHEN l.stage = 'gone' OR l.stage = 'open' AND NOT l.meant THEN 'withdrawn'
          WHEN l.stage = 'open' AND (l.state = 'ready' AND l.ready > l.told_at OR l.owner IS DISTINCT FROM l.told_owner AND l.state = 'ready') THEN 'ready'
          WHEN l.stage IN ('open', 'done') THEN 'updated' END AS event
      FROM looked AS l)
    SELECT n.home, n.routing_id, n.last, n.event, n.owner, n.delivery_id FROM news AS n
    WHERE n.event = ANY (coalesce(d.events, CASE d.kind WHEN 'slack' THEN ARRAY['ready', 'withdrawn'] ELSE ARRAY['ready', 'updated', 'withdrawn'] END))
    ORDER BY n.last;
END $$;
COMMENT ON FUNCTION pql._untold(pql.destination, pg_snapshot, pg_snapshot, bigint) IS
  'What a destination isn''t told yet of rows that changed in transactions which the second snapshot shows and the first doesn''t (null: of all), and the delivery that told it last of each.';
REVOKE ALL ON FUNCTION pql._untold(pql.destination, pg_snapshot, pg_snapshot, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._find_destination(name text) RETURNS pql.destination
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  d pql.destination;
BEGIN
  IF name IS NULL THEN
    RAISE EXCEPTION 'destination must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO d FROM pql.destination AS x WHERE x.destination = name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'destination "%" does not exist', name USING ERRCODE = 'undefined_object', HINT = 'Table pql.destination has those that do.';
  END IF;
  IF pql._visible_owners() IS NOT NULL OR pql._is_rep() THEN -- they would pass over what they don't see, for ever
    RAISE EXCEPTION 'permission denied to deliver for reps' USING ERRCODE = 'insufficient_privilege', HINT = 'Deliver as a role that is no rep''s, and without the setting pql.rep.';
  END IF;
  RETURN d;
END $$;
COMMENT ON FUNCTION pql._find_destination(text) IS 'A destination by its name. Error: 42704 there is none, 42501 the role is a rep''s.';
REVOKE ALL ON FUNCTION pql._find_destination(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._plan_deliveries(d pql.destination) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m pql.delivery_mark;
  shown pg_snapshot;
  planned bigint;
BEGIN
  INSERT INTO pql.delivery_mark AS x (destination, seen, made_in)
  SELECT d.destination, CASE WHEN NOT d.backlog THEN d.created_with END, d.created_in
  WHERE NOT EXISTS (SELECT FROM pql.delivery_mark AS x WHERE x.destination = d.destination)
  ON CONFLICT (destination) DO NOTHING;
  SELECT * INTO m FROM pql.delivery_mark AS x WHERE x.destination = d.destination FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0; -- somebody is planning right now
  END IF;
  IF m.made_in <> pql._this_database() THEN
    m.seen := NULL;
    m.later_than := CASE WHEN d.backlog THEN 0 ELSE d.created_after END;
  END IF;
  shown := pql._committed(); -- of this statement: the next one shows all of it
  WITH news AS MATERIALIZED (SELECT * FROM pql._untold(d, m.seen, shown, m.later_than)),
  -- What nobody has begun to tell is told as it is now, once.
  still AS MATERIALIZED (
    SELECT e.home, e.delivery_id, n.transition_id, CASE WHEN e.event = 'ready' AND n.event = 'updated' THEN 'ready' ELSE n.event END AS event, n.owner
    FROM news AS n JOIN pql.delivery AS e ON e.home = n.home AND e.delivery_id = n.told_id
    WHERE e.state = 'pending' AND e.tried = 0 FOR UPDATE OF e SKIP LOCKED),
  changed AS (
    UPDATE pql.delivery AS e SET transition_id = s.transition_id, event = s.event, owner = s.owner, idempotency_key = pql._delivery_key(d, e.routing_id, s.transition_id)
    FROM still AS s WHERE e.home = s.home AND e.delivery_id = s.delivery_id RETURNING e.delivery_id)
  INSERT INTO pql.delivery (home, destination, routing_id, transition_id, event, owner, follows, idempotency_key)
  SELECT n.home, d.destination, n.routing_id, n.transition_id, n.event, n.owner, n.told_id, pql._delivery_key(d, n.routing_id, n.transition_id)
  FROM news AS n WHERE coalesce(n.told_id <> ALL (ARRAY(SELECT s.delivery_id FROM still AS s)), true)
  ON CONFLICT ON CONSTRAINT a_transition_is_told_once DO NOTHING;
  GET DIAGNOSTICS planned = ROW_COUNT;
  -- An idle one writes nothing: what it would have passed over is nothing the next time as well.
  IF planned > 0 OR m.seen IS NULL OR EXISTS (
      SELECT FROM pql.routing_transition AS t WHERE t.written_in >= pg_snapshot_xmin(m.seen) AND t.written_in < pg_snapshot_xmax(shown)
        AND NOT pg_visible_in_snapshot(t.written_in, m.seen)) THEN
    UPDATE pql.delivery_mark AS x SET seen = shown, made_in = pql._this_database(), later_than = m.later_than WHERE x.destination = d.destination;
  END IF;
  RETURN planned;
END $$;
COMMENT ON FUNCTION pql._plan_deliveries(pql.destination) IS 'Notes what a destination is to be told of what changed since it was asked last; returns how many deliveries that are. One at a time: who comes meanwhile goes on without.';
REVOKE ALL ON FUNCTION pql._plan_deliveries(pql.destination) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._allowance(d pql.destination, wanted int) RETURNS int
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  m pql.delivery_mark;
  n int := wanted;
  now timestamptz;
BEGIN
  SELECT * INTO m FROM pql.delivery_mark AS x WHERE x.destination = d.destination;
  IF m.paused_until > clock_timestamp() THEN
    RETURN 0;
  END IF;
  IF d.per_second IS NULL THEN
    RETURN wanted;
  END IF;
  SELECT * INTO m FROM pql.delivery_mark AS x WHERE x.destination = d.destination FOR UPDATE; -- workers take from one bucket
  now := clock_timestamp();
  m.tokens := least(d.burst, coalesce(m.tokens + greatest(extract(epoch FROM now - m.refilled_at), 0) * d.per_second, d.burst));
  n := least(wanted, floor(m.tokens)::int);
  IF n > 0 THEN
    UPDATE pql.delivery_mark AS x SET tokens = m.tokens - n, refilled_at = now WHERE x.destination = d.destination;
  END IF;
  RETURN n;
END $$;
COMMENT ON FUNCTION pql._allowance(pql.destination, int) IS 'How many posts the rate of a destination allows now, of so many; they are taken from it.';
REVOKE ALL ON FUNCTION pql._allowance(pql.destination, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._delivery_payload(d pql.destination, e pql.delivery) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing;
  told jsonb;
BEGIN
  SELECT * INTO r FROM pql.routing AS x WHERE x.home = e.home AND x.routing_id = e.routing_id;
  told := jsonb_build_object('type', 'routing.' || e.event, 'id', e.idempotency_key, 'destination', d.destination,
    'row_key', format('pql_%s_%s', substr(replace(d.key_space::text, '-', ''), 1, 20), e.routing_id), 'created_at', e.created_at,
    'routing', jsonb_build_object('routing_id', r.routing_id, 'program', r.program, 'version', r.version, 'unit', r.unit, 'subject_id', r.subject_id,
      'account_id', r.account_id, 'user_id', r.user_id, 'motion', r.motion));
  IF d.audience = 'outreach' THEN
    RETURN told || CASE WHEN e.event = 'withdrawn' THEN '{}' ELSE jsonb_build_object('packet', pql.packet(r.routing_id, 'outreach')) END;
  END IF;
  told := jsonb_set(told, '{routing}', (told -> 'routing') || jsonb_build_object('state', r.state, 'state_since', r.state_since, 'owner', r.owner, 'score', r.score,
    'contact_after', r.contact_after, 'contact_by', r.contact_by, 'blocked_by', r.blocked_by, 'disposition', r.disposition, 'first_touch_at', r.first_touch_at,
    'crm_owner_id', (SELECT p.crm_owner_id FROM pql.reps AS p WHERE p.rep_id = r.owner)));
  IF e.event = 'withdrawn' THEN
    RETURN told;
  END IF;
  RETURN told || jsonb_build_object('headline', r.headline, 'next_best_action', r.next_best_action, 'story', pql.story(r.routing_id, 'text'),
    'packet', pql.packet(r.routing_id, 'rep'));
END $$;
COMMENT ON FUNCTION pql._delivery_payload(pql.destination, pql.delivery) IS 'What a delivery says, as the routing row is now and as far as its audience may see it.';
REVOKE ALL ON FUNCTION pql._delivery_payload(pql.destination, pql.delivery) FROM PUBLIC;

-- What came to nothing before it was told. Something that may have been received (it was tried) is taken back, too.
CREATE OR REPLACE FUNCTION pql._why_void(d pql.destination, e pql.delivery) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r pql.routing;
BEGIN
  SELECT * INTO r FROM pql.routing AS x WHERE x.home = e.home AND x.routing_id = e.routing_id;
  IF NOT FOUND THEN
    RETURN 'the routing row is gone';
  END IF;
  IF e.event = 'withdrawn' THEN
    RETURN CASE WHEN NOT EXISTS (SELECT FROM pql.delivery AS b WHERE b.home = e.home AND b.routing_id = e.routing_id AND b.destination = e.destination
      AND b.delivery_id < e.delivery_id AND (b.state <> 'void' OR b.tried > 0)) THEN 'it was never told of' END;
  END IF;
  RETURN CASE WHEN pql._delivery_stage(r) IN ('gone', 'waits') THEN format('the routing row is %s', CASE WHEN r.holdout THEN 'held out' WHEN r.snoozed_until IS NOT NULL THEN 'snoozed' ELSE r.state END)
    WHEN NOT pql._is_meant(d, r) THEN 'the routing row is for others now' END;
END $$;
COMMENT ON FUNCTION pql._why_void(pql.destination, pql.delivery) IS 'Why a delivery is not to be posted any more; null: it is.';
REVOKE ALL ON FUNCTION pql._why_void(pql.destination, pql.delivery) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.claim_deliveries(destination text, n int DEFAULT 10, lease interval DEFAULT '1 minute', worker text DEFAULT NULL)
  RETURNS TABLE (delivery_id bigint, idempotency_key text, event text, attempt int, routing_id bigint, owner text, payload jsonb)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  d pql.destination := pql._find_destination(claim_deliveries.destination);
  e pql.delivery;
  why text;
  left_of_it int;
  now timestamptz;
BEGIN
  IF n IS NULL OR lease IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN n IS NULL THEN 'n' ELSE 'lease' END USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF n NOT BETWEEN 1 AND 1000 OR lease NOT BETWEEN '1 second' AND '1 hour' THEN
    RAISE EXCEPTION '%', CASE WHEN n NOT BETWEEN 1 AND 1000 THEN 'n must be from 1 to 1000' ELSE 'lease must be from a second to an hour' END
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'deliveries can only be claimed at isolation level READ COMMITTED' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF NOT d.enabled THEN
    RETURN;
  END IF;
  PERFORM pql._plan_deliveries(d);
  now := clock_timestamp(); -- later than what was planned just now
  IF NOT EXISTS (SELECT FROM pql.delivery AS x WHERE x.destination = d.destination AND x.state = 'pending' AND x.next_at <= now) THEN
    RETURN; -- and takes nothing from its rate
  END IF;
  left_of_it := pql._allowance(d, n);
  IF left_of_it <= 0 THEN
    RETURN;
  END IF;
  FOR e IN
    SELECT x.* FROM pql.delivery AS x
    WHERE x.destination = d.destination AND x.state = 'pending' AND x.next_at <= now
      AND NOT EXISTS (SELECT FROM pql.delivery AS b WHERE b.home = x.home AND b.delivery_id = x.follows AND b.state = 'pending')
    ORDER BY x.next_at, x.delivery_id LIMIT left_of_it FOR UPDATE SKIP LOCKED
  LOOP
    why := pql._why_void(d, e);
    IF why IS NULL AND e.attempts >= d.max_attempts THEN -- its worker died with the last attempt
      UPDATE pql.delivery AS x SET state = 'dead', ended_at = clock_timestamp(), last_error = coalesce(x.last_error, 'the worker died'), claimed_until = NULL
      WHERE x.home = e.home AND x.delivery_id = e.delivery_id;
      CONTINUE;
    END IF;
    IF why IS NOT NULL THEN
      UPDATE pql.delivery AS x SET state = 'void', ended_at = clock_timestamp(), last_error = why, claimed_until = NULL
      WHERE x.home = e.home AND x.delivery_id = e.delivery_id;
      CONTINUE;
    END IF;
    UPDATE pql.delivery AS x SET attempts = x.attempts + 1, tried = x.tried + 1, claimed_until = clock_timestamp() + lease, next_at = clock_timestamp() + lease, claimed_by = worker
    WHERE x.home = e.home AND x.delivery_id = e.delivery_id RETURNING x.* INTO e;
    delivery_id := e.delivery_id;
    idempotency_key := e.idempotency_key;
    event := e.event;
    attempt := e.attempts;
    routing_id := e.routing_id;
    payload := pql._delivery_payload(d, e);
    owner := CASE WHEN d.audience = 'rep' THEN payload #>> '{routing,owner}' END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.claim_deliveries(text, int, interval, text) IS
  'Finds out what is new to a destination, and takes up to n deliveries that are due, for a worker, for as long as a lease: if it says nothing of them by then, another may take them, with the same key. Skips what others are taking. Nothing while the destination is not enabled, has asked to be left alone, or has had what its rate allows. Errors: 22004 null, 22023 out of range, 42704 no such destination, 42501 a rep asks, 55000 another isolation level than READ COMMITTED.';
REVOKE ALL ON FUNCTION pql.claim_deliveries(text, int, interval, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.preview_deliveries(destination text, n int DEFAULT 10)
  RETURNS TABLE (delivery_id bigint, idempotency_key text, event text, attempt int, routing_id bigint, owner text, payload jsonb)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  d pql.destination := pql._find_destination(preview_deliveries.destination);
  m pql.delivery_mark;
  e pql.delivery;
  same boolean;
BEGIN
  IF n < 0 THEN
    RAISE EXCEPTION 'n must not be negative' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO m FROM pql.delivery_mark AS x WHERE x.destination = d.destination;
  IF m.made_in IS NULL THEN
    m.seen := CASE WHEN NOT d.backlog THEN d.created_with END;
    m.made_in := d.created_in;
  END IF;
  same := m.made_in = pql._this_database();
  FOR e IN
    SELECT x.* FROM pql.delivery AS x WHERE x.destination = d.destination AND x.state = 'pending'
    UNION ALL
    SELECT u.home, NULL, d.destination, u.routing_id, u.transition_id, u.event, u.owner, u.told_id, pql._delivery_key(d, u.routing_id, u.transition_id), 'pending', 0, 0,
           statement_timestamp(), NULL, NULL, NULL, NULL, statement_timestamp(), NULL
    FROM pql._untold(d, CASE WHEN same THEN m.seen END, pql._committed(), CASE WHEN same THEN coalesce(m.later_than, 0) WHEN d.backlog THEN 0 ELSE d.created_after END) AS u
    WHERE NOT EXISTS (SELECT FROM pql.delivery AS x WHERE x.home = u.home AND x.delivery_id = u.told_id AND x.state = 'pending' AND x.tried = 0)
    ORDER BY 13, 2, 5 LIMIT n
  LOOP
    CONTINUE WHEN e.delivery_id IS NOT NULL AND pql._why_void(d, e) IS NOT NULL;
    delivery_id := e.delivery_id;
    idempotency_key := e.idempotency_key;
    event := e.event;
    attempt := e.attempts + 1;
    routing_id := e.routing_id;
    payload := pql._delivery_payload(d, e);
    owner := CASE WHEN d.audience = 'rep' THEN payload #>> '{routing,owner}' END;
    RETURN NEXT;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql.preview_deliveries(text, int) IS 'What pql.claim_deliveries would take if all of it were due, without taking it: nothing is written. Errors: 22004 null, 42704 no such destination, 42501 a rep asks.';
REVOKE ALL ON FUNCTION pql.preview_deliveries(text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._end_delivery(id bigint, to_state text, status int, error text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF id IS NULL THEN
    RAISE EXCEPTION 'delivery_id must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE pql.delivery AS x SET state = to_state, ended_at = clock_timestamp(), http_status = status, last_error = left(error, 500), claimed_until = NULL
  WHERE x.delivery_id = id AND (x.state = 'pending' OR x.state = 'dead' AND to_state = 'sent');
  RETURN FOUND;
END $$;
COMMENT ON FUNCTION pql._end_delivery(bigint, text, int, text) IS 'Ends a delivery that is pending; one that was given up may still turn out to be sent. Whether it did.';
REVOKE ALL ON FUNCTION pql._end_delivery(bigint, text, int, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.delivery_done(delivery_id bigint, http_status int DEFAULT NULL) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN pql._end_delivery(delivery_id, 'sent', http_status, NULL);
END $$;
COMMENT ON FUNCTION pql.delivery_done(bigint, int) IS 'Says that a destination took a delivery, whoever has it by now. False when that was known, or it isn''t there (any more).';
REVOKE ALL ON FUNCTION pql.delivery_done(bigint, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.delivery_dead(delivery_id bigint, error text, http_status int DEFAULT NULL) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN pql._end_delivery(delivery_id, 'dead', http_status, error);
END $$;
COMMENT ON FUNCTION pql.delivery_dead(bigint, text, int) IS 'Says that a destination refused a delivery for good. False when it was not pending. pql.redeliver has it tried again.';
REVOKE ALL ON FUNCTION pql.delivery_dead(bigint, text, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.delivery_failed(delivery_id bigint, attempt int, retry_at timestamptz, error text, http_status int DEFAULT NULL,
                                               pause_until timestamptz DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  e pql.delivery;
BEGIN
  IF delivery_id IS NULL OR attempt IS NULL OR retry_at IS NULL THEN
    RAISE EXCEPTION 'delivery_id, attempt and retry_at must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE pql.delivery AS x SET
    state = CASE WHEN x.attempts >= d.max_attempts THEN 'dead' ELSE 'pending' END,
    ended_at = CASE WHEN x.attempts >= d.max_attempts THEN clock_timestamp() END,
    next_at = least(retry_at, clock_timestamp() + interval '1 day'), claimed_until = NULL, http_status = delivery_failed.http_status, last_error = left(error, 500)
  FROM pql.destination AS d WHERE x.delivery_id = delivery_failed.delivery_id AND d.destination = x.destination AND x.state = 'pending' AND x.attempts = attempt
  RETURNING x.* INTO e; -- what another has taken by now is theirs
  IF NOT FOUND THEN
    RETURN (SELECT x.state FROM pql.delivery AS x WHERE x.delivery_id = delivery_failed.delivery_id);
  END IF;
  IF pause_until IS NOT NULL THEN
    UPDATE pql.delivery_mark AS x SET paused_until = least(pause_until, clock_timestamp() + interval '1 day') WHERE x.destination = e.destination;
  END IF;
  RETURN e.state;
END $$;
COMMENT ON FUNCTION pql.delivery_failed(bigint, int, timestamptz, text, int, timestamptz) IS
  'Says that an attempt failed, and when (a day from now at the latest) to try again; after the destination''s max_attempts the delivery is dead. With pause_until the whole destination is left alone until then. Returns the delivery''s state; of a newer attempt nothing is said. Errors: 22004 null.';
REVOKE ALL ON FUNCTION pql.delivery_failed(bigint, int, timestamptz, text, int, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.release_deliveries(worker text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n bigint;
BEGIN
  UPDATE pql.delivery AS x SET claimed_until = NULL, next_at = clock_timestamp(), attempts = x.attempts - 1, tried = x.tried - 1
  WHERE x.state = 'pending' AND x.claimed_by = worker AND x.claimed_until > clock_timestamp();
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
COMMENT ON FUNCTION pql.release_deliveries(text) IS 'Gives back what a worker has taken and not begun to post, at once; returns how many.';
REVOKE ALL ON FUNCTION pql.release_deliveries(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.redeliver(destination text DEFAULT NULL, delivery_id bigint DEFAULT NULL, since timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n bigint;
BEGIN
  IF destination IS NULL AND delivery_id IS NULL THEN
    RAISE EXCEPTION 'destination and delivery_id must not both be null' USING ERRCODE = 'null_value_not_allowed', HINT = 'View pql.deliveries lists what is dead.';
  END IF;
  IF NOT EXISTS (SELECT FROM pql.destination AS d WHERE d.destination = redeliver.destination) AND destination IS NOT NULL THEN
    RAISE EXCEPTION 'destination "%" does not exist', destination USING ERRCODE = 'undefined_object', HINT = 'Table pql.destination has those that do.';
  END IF;
  UPDATE pql.delivery AS x SET state = 'pending', attempts = 0, next_at = clock_timestamp(), ended_at = NULL, claimed_until = NULL
  WHERE (redeliver.destination IS NULL OR x.destination = redeliver.destination) AND (redeliver.since IS NULL OR x.ended_at >= redeliver.since)
    AND CASE WHEN redeliver.delivery_id IS NULL THEN x.state = 'dead' ELSE x.delivery_id = redeliver.delivery_id AND x.state IN ('dead', 'sent') END;
  GET DIAGNOSTICS n = ROW_COUNT;
  PERFORM pql._hint_deliveries();
  RETURN n;
END $$;
COMMENT ON FUNCTION pql.redeliver(text, bigint, timestamptz) IS
  'Has dead deliveries of a destination (that died since an instant) tried again, or one by its number, though it was sent; with the same key. Returns how many. Errors: 22004 neither is named, 42704 no such destination.';
REVOKE ALL ON FUNCTION pql.redeliver(text, bigint, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.purge_deliveries(older_than interval DEFAULT '90 days') RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n bigint;
BEGIN
  IF older_than IS NULL OR older_than < '0' THEN
    RAISE EXCEPTION 'older_than must not be null or negative' USING ERRCODE = CASE WHEN older_than IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END;
  END IF;
  -- The last one of a row says what its destination knows of it, for as long as there may be more to tell.
  DELETE FROM pql.delivery AS x WHERE x.state <> 'pending' AND x.ended_at < clock_timestamp() - older_than
    AND (x.state = 'void' AND x.tried = 0 OR EXISTS (SELECT FROM pql.delivery AS b WHERE b.home = x.home AND b.routing_id = x.routing_id AND b.destination = x.destination
                 AND (b.state <> 'void' OR b.tried > 0) AND b.transition_id > x.transition_id)
         OR NOT EXISTS (SELECT FROM pql.routing AS r WHERE r.home = x.home AND r.routing_id = x.routing_id AND r.state NOT IN ('disposed', 'expired', 'suppressed')));
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
COMMENT ON FUNCTION pql.purge_deliveries(interval) IS 'Deletes deliveries that ended so long ago, but for the last one of each routing row that isn''t done; returns how many. Error: 22004 null, 22023 negative.';
REVOKE ALL ON FUNCTION pql.purge_deliveries(interval) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._hint_deliveries() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pql.destination AS d WHERE d.enabled) THEN
    PERFORM pg_notify('pql_delivery', '');
  END IF;
END $$;
COMMENT ON FUNCTION pql._hint_deliveries() IS 'Wakes workers that wait for something to deliver, where there are destinations. Only a hint: they look by themselves, too.';
REVOKE ALL ON FUNCTION pql._hint_deliveries() FROM PUBLIC;

CREATE VIEW pql.deliveries WITH (security_invoker = true) AS
  SELECT e.delivery_id, e.destination, e.event, e.routing_id, r.program, r.unit, r.subject_id, e.owner, CASE WHEN e.claimed_until > clock_timestamp() THEN 'claimed' ELSE e.state END AS state,
         e.attempts, e.http_status, e.last_error, e.created_at, CASE WHEN e.state = 'pending' THEN e.next_at END AS next_at, e.ended_at, e.idempotency_key
  FROM pql.delivery AS e LEFT JOIN pql.routing AS r ON r.home = e.home AND r.routing_id = e.routing_id;
COMMENT ON VIEW pql.deliveries IS 'Each delivery, with the routing row that it tells of.';
COMMENT ON COLUMN pql.deliveries.next_at IS 'When it is tried next, at the earliest; null: it is no longer pending.';
--@ comments deliveries delivery delivery_id destination event routing_id
--@ comments deliveries routing program unit subject_id
--@ comments deliveries delivery owner attempts http_status last_error created_at ended_at idempotency_key
COMMENT ON COLUMN pql.deliveries.state IS 'pending, claimed (a worker has it), sent, dead, void.';

CREATE VIEW pql.delivery_stats WITH (security_invoker = true) AS
  SELECT d.destination, d.kind, d.enabled, coalesce(s.pending, 0) AS pending, coalesce(s.claimed, 0) AS claimed, s.oldest_pending_at, coalesce(s.retrying, 0) AS retrying,
         coalesce(s.sent, 0) AS sent, coalesce(s.dead, 0) AS dead, coalesce(s.void, 0) AS void, s.last_sent_at,
         CASE WHEN m.paused_until > clock_timestamp() THEN m.paused_until END AS paused_until
  FROM pql.destination AS d LEFT JOIN pql.delivery_mark AS m USING (destination)
  LEFT JOIN (
    SELECT e.destination, count(*) FILTER (WHERE e.state = 'pending') AS pending, count(*) FILTER (WHERE e.claimed_until > clock_timestamp()) AS claimed,
           min(e.created_at) FILTER (WHERE e.state = 'pending') AS oldest_pending_at, count(*) FILTER (WHERE e.state = 'pending' AND e.last_error IS NOT NULL) AS retrying,
           count(*) FILTER (WHERE e.state = 'sent') AS sent, count(*) FILTER (WHERE e.state = 'dead') AS dead, count(*) FILTER (WHERE e.state = 'void') AS void,
           max(e.ended_at) FILTER (WHERE e.state = 'sent') AS last_sent_at
    FROM pql.delivery AS e GROUP BY e.destination) AS s USING (destination);
COMMENT ON VIEW pql.delivery_stats IS 'How delivery is doing, by destination.';
COMMENT ON COLUMN pql.delivery_stats.claimed IS 'Of the pending ones, those that a worker has.';
COMMENT ON COLUMN pql.delivery_stats.oldest_pending_at IS 'When the oldest pending one was noted; null: none is.';
COMMENT ON COLUMN pql.delivery_stats.sent IS 'How many the destination took.';
COMMENT ON COLUMN pql.delivery_stats.dead IS 'How many were refused for good, or tried too often.';
COMMENT ON COLUMN pql.delivery_stats.void IS 'How many were over before they were told.';
COMMENT ON COLUMN pql.delivery_stats.last_sent_at IS 'When the last one was taken; null: none was.';
--@ comments delivery_stats destination destination kind enabled
COMMENT ON COLUMN pql.delivery_stats.pending IS 'Noted, and not sent: claimed ones and those that wait for another attempt included.';
COMMENT ON COLUMN pql.delivery_stats.retrying IS 'Of the pending ones, those that failed before.';
COMMENT ON COLUMN pql.delivery_stats.paused_until IS 'Until when the destination asked to be left alone; null: it doesn''t.';
