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

CREATE OR REPLACE FUNCTION pql._name_text(name text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1
  RETURN replace(name, '_', ' ');
COMMENT ON FUNCTION pql._name_text(text) IS 'A name of a program''s document as words.';

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
  head  jsonb;
BEGIN
  IF audience IS NULL OR audience NOT IN ('scoring', 'rep', 'outreach') THEN
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
  r.context := jsonb_set(r.context, '{known}', coalesce(r.context -> 'known', '[]') || pql._notes_of(r));
  RETURN head || jsonb_strip_nulls(jsonb_build_object('as_of', r.decided_at, 'signal_at', r.signal_at, 'qualified_at', r.qualified_at,
      'qualification', r.qualification, 'next_best_action', r.next_best_action, 'contact_after', r.contact_after, 'contact_by', r.contact_by))
    || jsonb_build_object('score', r.score, 'headline', r.headline, 'reasons', r.reasons) || r.context;
END $$;
COMMENT ON FUNCTION pql.packet(bigint, text) IS
  'The context packet of a routing row, frozen when the row was decided (doc/context.md, doc/context.schema.json), for an audience: rep (whoever makes contact: what may be shown), scoring (everything; for learning, never for reps), outreach (what may be said to whom it is about: no evidence, no quotes, coarse times). Null for an unknown routing row. Errors: 22023 unknown audience, 42501 a rep asks for scoring.';
