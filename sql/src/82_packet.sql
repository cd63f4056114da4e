-- The context packet: what a routing row carries, for three audiences. The row itself has what whoever makes contact may see; what they may
-- not see is kept apart, so that no view, function or delivery of rows can tell it.

CREATE TABLE pql.scoring_packet (
  home        text COLLATE "C" NOT NULL,
  routing_id  bigint NOT NULL,
  headline    text NOT NULL,
  reasons     jsonb NOT NULL,
  context     jsonb NOT NULL,
  PRIMARY KEY (home, routing_id)
);
COMMENT ON TABLE pql.scoring_packet IS 'Headline, reasons and context in full of routing rows whose own lack something, because it rests on signals that reps may not see (may_show_rep). Reps see none of it; read it through pql.packet.';
--@ comments scoring_packet routing home routing_id headline reasons context
SELECT pg_catalog.pg_extension_config_dump('pql.scoring_packet', '');

CREATE OR REPLACE FUNCTION pql._acts_as_rep(caller text) RETURNS boolean
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM pql.reps AS p WHERE p.rep_id = pql._acting_rep()) OR (NOT pg_has_role(caller, current_user, 'MEMBER')
    AND EXISTS (SELECT FROM pql.reps AS p WHERE pg_has_role(caller, to_regrole(quote_ident(p.db_role)), 'MEMBER')));
END $$;
COMMENT ON FUNCTION pql._acts_as_rep(text) IS 'Whether a role is that of a rep, or the setting pql.rep says that it works for one. Whoever is a member of the owner''s role is none by that.';
REVOKE ALL ON FUNCTION pql._acts_as_rep(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._is_rep() RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__is_rep' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION pql._is_rep() IS 'Whether the current role is that of a rep, managers included. Asked by the row security of pql.scoring_packet, for whoever reads it.';

ALTER TABLE pql.scoring_packet ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.scoring_packet USING (NOT (SELECT pql._is_rep())) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.scoring_packet IS 'No rep sees what reps may not see.';

CREATE OR REPLACE FUNCTION pql._coarse_time(at timestamptz, as_of timestamptz) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE COST 10
  RETURN CASE WHEN at > as_of - interval '24 hours' THEN 'today' WHEN at > as_of - interval '168 hours' THEN 'this week'
              WHEN at > as_of - interval '744 hours' THEN 'this month' WHEN at IS NOT NULL THEN 'earlier' END;
COMMENT ON FUNCTION pql._coarse_time(timestamptz, timestamptz) IS 'When something happened, no closer than one may say it to whom it happened: today, this week (seven days), this month (31), earlier.';

CREATE OR REPLACE FUNCTION pql._coarse_people(people bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
  RETURN CASE WHEN people < 1 THEN NULL WHEN people = 1 THEN 'one person' WHEN people < 5 THEN 'a few people' WHEN people < 8 THEN 'about five people'
              WHEN people < 100 THEN 'about ' || pql._number_text((people + 5) / 10 * 10) || ' people'
              ELSE 'more than ' || pql._number_text(people / 100 * 100) || ' people' END;
COMMENT ON FUNCTION pql._coarse_people(bigint) IS 'How many people, as one may say it to them.';

CREATE OR REPLACE FUNCTION pql._may_mention(fact jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
  RETURN coalesce((fact -> 'may_mention')::boolean, false);
COMMENT ON FUNCTION pql._may_mention(jsonb) IS 'Whether a fact of a packet says that it may be mentioned.';

-- What is left of a rep's packet for what is sent: facts that may be mentioned, without what they rest on, without quotes and figures.
CREATE OR REPLACE FUNCTION pql._outreach_context(r pql.routing) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT jsonb_strip_nulls(jsonb_build_object(
      'reasons', (
        SELECT coalesce(jsonb_agg(jsonb_build_object('signal', x.v ->> 'signal', 'what', pql._name_text(x.v ->> 'signal'), 'kind', x.v ->> 'kind',
                 'why', x.v ->> 'why', 'when', pql._coarse_time((x.v ->> 'at')::timestamptz, r.decided_at)) ORDER BY x.place), '[]')
        FROM jsonb_path_query(r.reasons, '$[*]') WITH ORDINALITY AS x (v, place)
        WHERE pql._may_mention(x.v) AND x.v ->> 'signal' IS NOT NULL AND (x.v ->> 'points')::int > 0),
      'milestones', (
        SELECT jsonb_agg(jsonb_build_object('name', x.v ->> 'name', 'what', pql._name_text(x.v ->> 'name'),
                 'when', pql._coarse_time((x.v ->> 'at')::timestamptz, r.decided_at)) ORDER BY x.place)
        FROM jsonb_path_query(r.context, '$.milestones[*]') WITH ORDINALITY AS x (v, place) WHERE pql._may_mention(x.v)),
      'activation', (
        SELECT jsonb_build_object('complete', r.context #> '{activation,complete}',
          'next', (SELECT CASE WHEN s.step IS NOT NULL THEN jsonb_build_object('name', s.step, 'what', pql._name_text(s.step)) END
                   FROM (SELECT r.context #>> '{activation,next}' AS step) AS s WHERE NOT coalesce(r.context #> '{activation,not_to_mention}' ? s.step, false)),
          'skipped', (SELECT jsonb_agg(jsonb_build_object('name', s.v #>> '{}', 'what', pql._name_text(s.v #>> '{}')) ORDER BY s.place)
                      FROM jsonb_path_query(r.context, '$.activation.skipped[*]') WITH ORDINALITY AS s (v, place)
                      WHERE NOT coalesce(r.context #> '{activation,not_to_mention}' ? (s.v #>> '{}'), false)))
        WHERE r.context ? 'activation'),
      'intents', (
        SELECT jsonb_agg(jsonb_build_object('topic', t.topic, 'what', pql._name_text(t.topic), 'when', pql._coarse_time(t.at, r.decided_at)) ORDER BY t.at DESC, t.topic)
        FROM (SELECT x.v ->> 'topic' AS topic, max((x.v ->> 'at')::timestamptz) AS at FROM jsonb_path_query(r.context, '$.intents[*]') AS x (v)
              WHERE pql._may_mention(x.v) GROUP BY 1) AS t),
      'known', (
        SELECT jsonb_agg(jsonb_build_object('label', x.v ->> 'label', 'value', x.v ->> 'value') ORDER BY x.place)
        FROM jsonb_path_query(r.context, '$.known[*]') WITH ORDINALITY AS x (v, place) WHERE pql._may_mention(x.v)),
      'people', CASE WHEN r.unit <> 'user' THEN pql._coarse_people((r.context ->> 'member_count')::bigint) END,
      'offer', r.context ->> 'offer', 'play', r.context -> 'play'));
  END;
COMMENT ON FUNCTION pql._outreach_context(pql.routing) IS 'What of a routing row may be said to whom it is about: no event ids, no quotes, no figures but what they said themselves; times and numbers of people are coarse.';

CREATE OR REPLACE FUNCTION pql._notes_of(r pql.routing) RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place CONSTANT text COLLATE "C" := coalesce('a:' || r.account_id, r.home);
BEGIN
  IF NOT has_table_privilege('pql.disposition', 'SELECT') THEN
    RETURN '[]';
  END IF;
  RETURN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('label', 'noted ' || to_char(n.at AT TIME ZONE 'UTC', 'FMDD FMMonth YYYY'), 'value', n.note,
             'source', 'disposition ' || n.disposition_id, 'may_mention', false) ORDER BY n.at DESC, n.disposition_id DESC), '[]')
    FROM (SELECT d.at, d.disposition_id, left(btrim(d.note), 400) AS note FROM pql.routing AS x JOIN pql.disposition AS d ON d.home = x.home AND d.routing_id = x.routing_id
          WHERE coalesce('a:' || x.account_id, x.home) COLLATE "C" = place AND (x.first_touch_at IS NOT NULL OR x.disposition IS NOT NULL)
            AND d.at < r.decided_at AND d.note ~ '\S'
          ORDER BY d.at DESC, d.disposition_id DESC LIMIT 3) AS n);
END $$;
COMMENT ON FUNCTION pql._notes_of(pql.routing) IS 'The last three notes that reps left about the account, or the person, before the row was decided: of rows that the reader sees, and if he may read pql.disposition.';

CREATE OR REPLACE FUNCTION pql.packet(routing_id bigint, audience text DEFAULT 'rep') RETURNS jsonb
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r     pql.routing;
  whole record;
  notes jsonb;
  head  jsonb;
BEGIN
  IF audience IS NULL THEN
    RAISE EXCEPTION 'audience must not be null' USING ERRCODE = 'null_value_not_allowed', HINT = 'There are scoring, rep and outreach.';
  END IF;
  IF audience NOT IN ('scoring', 'rep', 'outreach') THEN
    RAISE EXCEPTION 'audience "%" is not known', audience USING ERRCODE = 'invalid_parameter_value', HINT = 'There are scoring, rep and outreach.';
  END IF;
  IF audience = 'scoring' AND pql._is_rep() THEN
    RAISE EXCEPTION 'permission denied to see what reps may not see' USING ERRCODE = 'insufficient_privilege', HINT = 'Ask for the packet of the audience rep.';
  END IF;
  SELECT * INTO r FROM pql.routing AS x WHERE x.routing_id = packet.routing_id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  head := jsonb_strip_nulls(jsonb_build_object('packet', 1, 'audience', audience, 'routing_id', r.routing_id, 'program', r.program, 'version', r.version,
    'unit', r.unit, 'subject_id', r.subject_id, 'account_id', r.account_id, 'user_id', r.user_id, 'motion', r.motion));
  IF audience = 'outreach' THEN
    RETURN head || jsonb_build_object('as_of', to_char(r.decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')) || pql._outreach_context(r);
  END IF;
  IF audience = 'scoring' THEN
    SELECT s.headline, s.reasons, s.context INTO whole FROM pql.scoring_packet AS s WHERE s.home = r.home AND s.routing_id = r.routing_id;
    IF FOUND THEN
      r.headline := whole.headline;
      r.reasons := whole.reasons;
      r.context := whole.context;
    END IF;
  END IF;
  notes := pql._notes_of(r);
  IF notes <> '[]' THEN
    r.context := jsonb_set(r.context, '{known}', coalesce(r.context -> 'known', '[]') || notes);
  END IF;
  RETURN head || jsonb_strip_nulls(jsonb_build_object('as_of', r.decided_at, 'signal_at', r.signal_at, 'qualified_at', r.qualified_at,
      'qualification', r.qualification, 'next_best_action', r.next_best_action, 'contact_after', r.contact_after, 'contact_by', r.contact_by))
    || jsonb_build_object('score', r.score, 'headline', r.headline, 'reasons', r.reasons) || r.context;
END $$;
COMMENT ON FUNCTION pql.packet(bigint, text) IS
  'The context packet of a routing row, frozen when the row was decided (doc/context.md, doc/context.schema.json), for an audience: rep (whoever makes contact: what may be shown), scoring (everything; for learning, never for reps), outreach (what may be said to whom it is about: no evidence, no quotes, coarse times). Null for an unknown routing row. Errors: 22004 null audience, 22023 unknown audience, 42501 a rep asks for scoring.';

CREATE TABLE pql.step_share (
  program       text COLLATE "C" NOT NULL,
  step          text COLLATE "C" NOT NULL,
  did           bigint NOT NULL,
  converters    bigint NOT NULL,
  refreshed_at  timestamptz NOT NULL,
  PRIMARY KEY (program, step)
);
COMMENT ON TABLE pql.step_share IS 'Of those who converted, how many had done each step of a program''s activation before. Computed by pql.refresh_step_shares, which tick calls; nothing where fewer than ten have converted.';
COMMENT ON COLUMN pql.step_share.program IS 'The program.';
COMMENT ON COLUMN pql.step_share.step IS 'The step: a milestone of the activation; empty: all who converted.';
COMMENT ON COLUMN pql.step_share.did IS 'How many of them had done the step before.';
COMMENT ON COLUMN pql.step_share.converters IS 'How many subjects converted, of the last thousand that did.';
COMMENT ON COLUMN pql.step_share.refreshed_at IS 'When it was computed.';
SELECT pg_catalog.pg_extension_config_dump('pql.step_share', '');

CREATE OR REPLACE FUNCTION pql.refresh_step_shares(program text DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  p record;
  written bigint := 0;
  n bigint;
BEGIN
  IF refresh_step_shares.program IS NOT NULL AND NOT EXISTS (SELECT FROM pql.program AS x WHERE x.program = refresh_step_shares.program AND x.status IN ('shadow', 'live')) THEN
    RAISE EXCEPTION 'program "%" is not in force', refresh_step_shares.program USING ERRCODE = 'undefined_object', HINT = 'Publish it with pql.publish().';
  END IF;
  -- What nobody refreshes any more would make tick refresh all for ever.
  DELETE FROM pql.step_share AS s WHERE NOT EXISTS (SELECT FROM pql.program AS x WHERE x.program = s.program AND x.status IN ('shadow', 'live'));
  FOR p IN
    SELECT DISTINCT ON (x.program) x.program, x.document ->> 'unit' AS unit, x.document ->> 'objective' AS objective,
           ARRAY(SELECT jsonb_array_elements_text(x.document #> '{activation,steps}')) AS steps
    FROM pql.program AS x WHERE x.status IN ('shadow', 'live') AND (refresh_step_shares.program IS NULL OR x.program = refresh_step_shares.program)
    ORDER BY x.program, x.status = 'live' DESC
  LOOP
    DELETE FROM pql.step_share AS s WHERE s.program = p.program AND (p.steps = '{}' OR s.step <> ALL (p.steps || ''::text));
    CONTINUE WHEN p.steps = '{}';
    WITH converted AS MATERIALIZED (
      SELECT c.subject_id, min(c.at) AS at FROM (
        SELECT r.subject_id, d.at FROM pql.routing AS r JOIN pql.disposition AS d ON d.home = r.home AND d.routing_id = r.routing_id
        WHERE r.unit = p.unit AND d.disposition = 'converted'
        UNION ALL
        SELECT o.subject_id, o.at FROM pql.outcome AS o
        WHERE o.unit = p.unit AND (o.outcome IN ('paid', 'converted', 'won') OR o.outcome = 'expanded' AND p.objective = 'expansion')) AS c
      GROUP BY c.subject_id ORDER BY 2 DESC LIMIT 1000),
    did AS (
      SELECT t.name AS step, count(DISTINCT c.subject_id) AS n
      FROM converted AS c,
        LATERAL (SELECT left(p.unit, 1) || ':' || c.subject_id AS home UNION SELECT u.home FROM pql.user_home AS u WHERE p.unit = 'user' AND u.user_id = c.subject_id) AS h,
        LATERAL (SELECT l.home, l.member, l.body FROM pql.milestone_log AS l
                 WHERE l.home = h.home AND l.member = CASE WHEN p.unit = 'user' AND h.home NOT LIKE 'u:%' THEN c.subject_id ELSE '' END) AS l,
        LATERAL pql._logged_milestones(l.home, l.member, l.body) AS m JOIN pql.tracker AS t ON t.tracker_id = m.tracker_id
      WHERE t.name = ANY (p.steps) AND t.unit = p.unit AND m.reached_at <= c.at
      GROUP BY t.name),
    share AS (
      SELECT s.step, coalesce(d.n, 0) AS did, (SELECT count(*) FROM converted) AS converters FROM unnest(p.steps) AS s (step) LEFT JOIN did AS d USING (step))
    INSERT INTO pql.step_share AS s (program, step, did, converters, refreshed_at)
    SELECT p.program, x.step, x.did, x.converters, clock_timestamp() FROM share AS x WHERE x.converters >= 10
    UNION ALL SELECT p.program, '', 0, (SELECT count(*) FROM converted), clock_timestamp()
    ON CONFLICT (program, step) DO UPDATE SET did = excluded.did, converters = excluded.converters, refreshed_at = excluded.refreshed_at;
    GET DIAGNOSTICS n = ROW_COUNT;
    written := written + n - 1;
  END LOOP;
  RETURN written;
END $$;
COMMENT ON FUNCTION pql.refresh_step_shares(text) IS
  'Counts anew, of a program in force or (null) of all, how many of the last thousand subjects that converted (dispositions, outcomes) had done each step of the activation before; returns the number of steps of which that is known: none with fewer than ten. pql.tick calls it once a day. Error: 42704 no such program in force.';
REVOKE ALL ON FUNCTION pql.refresh_step_shares(text) FROM PUBLIC;

-- One look a day at the most, and only when somebody has converted since: an idle tick writes nothing. Where no program has an activation
-- there is nothing to count, unless what was counted for one is still there.
CREATE OR REPLACE FUNCTION pql._tick_step_shares() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  last timestamptz := coalesce((SELECT min(s.refreshed_at) FROM pql.step_share AS s WHERE s.step = ''), '-infinity');
BEGIN
  IF last = '-infinity' AND NOT EXISTS (SELECT FROM pql.program AS p WHERE p.status IN ('shadow', 'live') AND p.document ? 'activation') THEN
    RETURN;
  ELSIF last > clock_timestamp() - interval '24 hours' OR NOT (
      EXISTS (SELECT FROM pql.outcome AS o WHERE o.outcome IN ('paid', 'converted', 'won', 'expanded') AND o.recorded_at > last)
      OR EXISTS (SELECT FROM pql.disposition AS d WHERE d.disposition = 'converted' AND d.at > last)) THEN
    RETURN;
  END IF;
  PERFORM pql.refresh_step_shares();
END $$;
COMMENT ON FUNCTION pql._tick_step_shares() IS 'Counts anew what converters had done, once a day where somebody has converted since.';
REVOKE ALL ON FUNCTION pql._tick_step_shares() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._without_person(context jsonb, person text, as_of timestamptz) RETURNS jsonb
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  key text;
  kept jsonb;
  gone jsonb := jsonb_path_query_first(context, '$.members[*] ? (@.user_id == $person)', jsonb_build_object('person', person));
BEGIN
  FOREACH key IN ARRAY ARRAY['members', 'milestones', 'intents'] LOOP
    CONTINUE WHEN NOT context ? key;
    SELECT coalesce(jsonb_agg(x.v ORDER BY x.place), '[]') INTO kept FROM jsonb_array_elements(context -> key) WITH ORDINALITY AS x (v, place)
    WHERE x.v ->> 'user_id' IS DISTINCT FROM person;
    context := jsonb_set(context, ARRAY[key], kept);
  END LOOP;
  IF gone IS NOT NULL THEN
    context := jsonb_set(context, '{member_count}', to_jsonb((context ->> 'member_count')::bigint - 1));
    IF context ? 'active_count' AND (gone ->> 'last_seen')::timestamptz > as_of - interval '720 hours' THEN
      context := jsonb_set(context, '{active_count}', to_jsonb((context ->> 'active_count')::bigint - 1));
    END IF;
    IF context #> ARRAY['trends', gone ->> 'trend'] IS NOT NULL THEN
      context := jsonb_set(context, ARRAY['trends', gone ->> 'trend'], to_jsonb((context #>> ARRAY['trends', gone ->> 'trend'])::bigint - 1));
    END IF;
  END IF;
  RETURN context;
END $$;
COMMENT ON FUNCTION pql._without_person(jsonb, text, timestamptz) IS 'A context, made at an instant, without what it tells of a person: among the members and their numbers, what they were the first to do, what they said.';
REVOKE ALL ON FUNCTION pql._without_person(jsonb, text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._forget_in_packets(person text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  homes text[] := ARRAY(SELECT u.home FROM pql.user_home AS u WHERE u.user_id = person UNION SELECT i.home FROM pql.intent AS i WHERE i.user_id = person
                        UNION SELECT 'u:' || person);
  n bigint;
BEGIN
  UPDATE pql.scoring_packet AS s SET context = pql._without_person(s.context, person, r.decided_at) FROM pql.routing AS r
  WHERE s.home = ANY (homes) AND r.home = s.home AND r.routing_id = s.routing_id AND s.context <> pql._without_person(s.context, person, r.decided_at);
  UPDATE pql.routing AS r SET context = pql._without_person(r.context, person, r.decided_at)
  WHERE r.home = ANY (homes) AND r.context <> pql._without_person(r.context, person, r.decided_at);
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
COMMENT ON FUNCTION pql._forget_in_packets(text) IS 'Takes what they tell of a person out of the packets of others, their accounts'' too; returns how many rows told something. Rows about the person go with the person.';
REVOKE ALL ON FUNCTION pql._forget_in_packets(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.context_schema() RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 50 RETURN $schema$
--@ file doc/context.schema.json
$schema$::jsonb;
COMMENT ON FUNCTION pql.context_schema() IS 'The JSON schema of what pql.packet() gives, for whoever delivers packets; doc/context.schema.json.';
