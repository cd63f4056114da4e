-- The outreach kit: what a template of a program comes to for a routing row, what the text rests on, and when nothing is to be sent. Nothing
-- ever is by pql: whoever sends the text says so by pql.touch.

CREATE OR REPLACE FUNCTION pql._outreach_terms(document jsonb, template text)
  RETURNS TABLE (motions text[], channel text, unanswered int, pause interval, most int, per interval, opt_in boolean, objective text)
  AS 'MODULE_PATHNAME', 'pql__outreach_terms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._outreach_terms(jsonb, text) IS 'For which motions a template of a program''s document is, by which channel it says that it is sent, and when nothing more is. Nothing for an unknown template.';
REVOKE ALL ON FUNCTION pql._outreach_terms(jsonb, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._render_template(document jsonb, template text, given jsonb, this_year int)
  RETURNS TABLE (subject text, body text, refused text, defaults text[], said jsonb)
  AS 'MODULE_PATHNAME', 'pql__render_template' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._render_template(jsonb, text, jsonb, int) IS 'A template of a program''s document with values, or why it is refused; for which variables the default stands, and how the others are said.';
REVOKE ALL ON FUNCTION pql._render_template(jsonb, text, jsonb, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._outreach_attribute(raw text, type text, at timestamptz, zone text) RETURNS jsonb
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  instant timestamptz;
  day date;
BEGIN
  IF type = 'text' THEN
    RETURN jsonb_build_object('texts', jsonb_build_array(raw));
  ELSIF type = 'number' THEN
    RETURN jsonb_build_object('number', raw::numeric);
  END IF;
  -- Without a zone it is UTC, whatever the reader's session says.
  instant := CASE WHEN raw ~ ':[0-9.]+(Z|[+-][0-9:]+)$' THEN raw::timestamptz ELSE raw::timestamp AT TIME ZONE 'UTC' END;
  IF NOT isfinite(instant) THEN
    RETURN NULL;
  ELSIF type IN ('since', 'until') THEN
    RETURN jsonb_build_object('seconds', round(extract(epoch FROM instant - at)));
  END IF;
  -- A date is one everywhere.
  day := CASE WHEN raw ~ '^\d{4}-\d\d-\d\d$' THEN raw::date ELSE (instant AT TIME ZONE zone)::date END;
  RETURN CASE WHEN extract(year FROM day) BETWEEN 1 AND 9999 THEN jsonb_build_object('day', to_char(day, 'YYYY-MM-DD')) END;
EXCEPTION
  WHEN data_exception THEN
    RETURN NULL; -- the column has another type by now, or the zone another name
END $$;
COMMENT ON FUNCTION pql._outreach_attribute(text, text, timestamptz, text) IS 'The value of an attribute as a variable of a type has it; null where it has none.';
REVOKE ALL ON FUNCTION pql._outreach_attribute(text, text, timestamptz, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._outreach_values(r pql.routing, variables jsonb, at timestamptz, OUT given jsonb, OUT evidence jsonb)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  facts CONSTANT jsonb := pql._outreach_context(r);
  zone CONSTANT text := coalesce(r.context #>> '{timing,zone}', 'UTC');
  open text[]; -- steps that haven't been done since, either
  v record;
  value jsonb;
  rests jsonb;
BEGIN
  given := '{}';
  evidence := '{}';
  FOR v IN SELECT x.key AS name, x.value ->> 'type' AS type, x.value ->> 'from' AS source, split_part(x.value ->> 'from', '.', 1) AS kind,
                  substr(x.value ->> 'from', strpos(x.value ->> 'from', '.') + 1) AS named
           FROM jsonb_each(variables) AS x LOOP
    value := NULL;
    rests := NULL;
    IF v.kind IN ('attr', 'account') THEN
      value := pql._outreach_attribute(nullif(btrim(pql._attributes_of(
        CASE v.kind WHEN 'attr' THEN left(r.unit, 1) || ':' || r.subject_id ELSE 'a:' || r.account_id END) ->> v.named), ''), v.type, at, zone);
    ELSIF v.kind = 'signal' THEN
      SELECT jsonb_build_object('texts', jsonb_build_array(v.named)) INTO value
      FROM jsonb_path_query(facts, '$.reasons[*]') AS x (v) WHERE x.v ->> 'signal' = v.named;
      SELECT coalesce(x.v -> 'evidence', jsonb_build_array(x.v -> 'event_id')) INTO rests
      FROM jsonb_path_query(r.reasons, '$[*]') AS x (v) WHERE x.v ->> 'signal' = v.named AND value IS NOT NULL;
    ELSIF v.kind = 'milestone' THEN
      SELECT jsonb_build_object('texts', jsonb_build_array(v.named)) INTO value
      FROM jsonb_path_query(facts, '$.milestones[*]') AS x (v) WHERE x.v ->> 'name' = v.named;
      SELECT coalesce(x.v -> 'evidence', jsonb_build_array(x.v -> 'event_id')) INTO rests
      FROM jsonb_path_query(r.context, '$.milestones[*]') AS x (v) WHERE x.v ->> 'name' = v.named AND value IS NOT NULL;
    ELSIF v.kind = 'activation' THEN
      IF open IS NULL AND EXISTS (SELECT FROM pql.program AS p WHERE p.program = r.program AND p.status IN ('shadow', 'live')) THEN
        SELECT coalesce(array_agg(s.step), '{}') INTO open
        FROM pql.activation(r.program, r.subject_id) AS a, LATERAL (SELECT a.next_step UNION ALL SELECT jsonb_array_elements_text(a.skipped)) AS s (step)
        WHERE s.step IS NOT NULL;
      END IF;
      SELECT jsonb_build_object('texts', jsonb_agg(x.v -> 'name' ORDER BY x.place)) INTO value
      FROM jsonb_path_query(facts -> 'activation', CASE v.named WHEN 'next' THEN '$.next' ELSE '$.skipped[*]' END::jsonpath) WITH ORDINALITY AS x (v, place)
      WHERE open IS NULL OR x.v ->> 'name' = ANY (open);
      IF jsonb_typeof(value -> 'texts') <> 'array' THEN
        value := NULL;
      END IF;
    ELSIF facts ? v.kind THEN
      value := jsonb_build_object('texts', jsonb_build_array(facts -> v.kind));
    END IF;
    IF value IS NOT NULL THEN
      given := given || jsonb_build_object(v.name, value);
      evidence := evidence || jsonb_build_object(v.name, coalesce(jsonb_path_query_array(rests, '$[*] ? (@ != null)'), '[]'));
    END IF;
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._outreach_values(pql.routing, jsonb, timestamptz) IS
  'The values of a template''s variables for a routing row, and the events that they rest on. Attributes are as they are now; the rest is as in the packet of the audience outreach, without steps of the activation that have been done since.';
REVOKE ALL ON FUNCTION pql._outreach_values(pql.routing, jsonb, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._outreach_stopped(r pql.routing, terms record, channel text, at timestamptz) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  places CONSTANT text[] := pql._places(r.account_id, r.home);
  who text;
  answer record;
  touches record;
BEGIN
  -- What the row itself says.
  IF r.holdout THEN
    RETURN 'it is held out';
  ELSIF r.state IN ('blocked', 'suppressed') THEN
    RETURN coalesce(r.blocked_by, r.state);
  ELSIF r.state IN ('declined', 'expired') THEN
    RETURN 'the row is ' || r.state;
  ELSIF r.state = 'disposed' THEN
    RETURN 'the row is disposed of: ' || coalesce(r.disposition, 'nothing was said');
  ELSIF r.motion <> ALL (terms.motions) THEN
    RETURN format('the template is for %s, and the row''s motion is %s', array_to_string(terms.motions, ', '), r.motion);
  ELSIF r.snoozed_until > at THEN
    RETURN 'the row is snoozed until ' || to_char(r.snoozed_until AT TIME ZONE 'UTC', 'FMDD FMMonth');
  END IF;
  -- Who doesn't want it, or hasn't said so.
  IF channel IS NOT NULL THEN
    who := pql._withdrawn_by(r, channel);
    IF who IS NOT NULL THEN
      RETURN format('%s does not want contact by %s', who, channel);
    ELSIF terms.opt_in AND NOT EXISTS (SELECT FROM pql._consent_to(r, channel) AS c WHERE c.granted) THEN
      RETURN 'no consent to ' || channel;
    END IF;
  END IF;
  -- Who is at it already, and what came of it.
  SELECT x.owner INTO who FROM pql.routing AS x
  WHERE coalesce('a:' || x.account_id, x.home) COLLATE "C" = ANY (places) AND x.routing_id <> r.routing_id
    AND x.state IN ('claimed', 'accepted', 'touched') AND x.snoozed_until IS NULL AND x.owner IS DISTINCT FROM r.owner
  ORDER BY x.routing_id LIMIT 1;
  IF FOUND THEN
    RETURN format('%s is at work on %s', coalesce(who, 'somebody'), coalesce(r.account_id, r.subject_id));
  END IF;
  SELECT d.disposition INTO answer
  FROM pql._answers_at(places) AS d
  WHERE d.at >= r.qualified_at AND d.disposition IN ('contacted', 'meeting_set', 'converted', 'disqualified', 'routed_to_cs')
  ORDER BY d.at DESC, d.disposition_id DESC LIMIT 1;
  IF FOUND THEN
    RETURN 'somebody has answered: ' || answer.disposition;
  END IF;
  IF terms.objective = 'conversion' AND (SELECT h.days_since_converted < extract(epoch FROM at - r.qualified_at) / 86400
                                         FROM pql._history_of(r.unit, r.subject_id, r.account_id, at, true) AS h) THEN
    RETURN 'converted since';
  END IF;
  -- How often is too often: of all programs together, since the last answer.
  SELECT count(*) FILTER (WHERE t.at > coalesce(a.answered, '-infinity')) AS unanswered, count(*) FILTER (WHERE t.at > at - terms.per) AS lately, max(t.at) AS last
    INTO touches
  FROM pql._touches_at(places) AS t,
    (SELECT max(d.at) AS answered FROM pql._answers_at(places) AS d WHERE d.disposition IN ('contacted', 'meeting_set', 'converted')) AS a;
  IF touches.unanswered >= terms.unanswered THEN
    RETURN format('no answer to %s touches', pql._number_text(touches.unanswered));
  ELSIF touches.lately >= terms.most THEN
    RETURN format('%s touches within %s', pql._number_text(touches.lately), pql._span_text(terms.per));
  ELSIF touches.last > at - terms.pause THEN
    RETURN format('the last touch was %s ago, and the pause is %s', pql._span_text(at - touches.last), pql._span_text(terms.pause));
  END IF;
  -- What guardrails say now, of whoever has taken the row up, too.
  IF EXISTS (SELECT FROM pql.program AS p WHERE p.program = r.program AND p.status IN ('shadow', 'live')) THEN
    RETURN (SELECT a.blocked_by FROM pql._assess(r.program, r.subject_id) AS a);
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._outreach_stopped(pql.routing, record, text, timestamptz) IS 'Why nothing is to be sent because of a routing row, by what a program says of it (pql._outreach_terms); null: nothing speaks against it.';
REVOKE ALL ON FUNCTION pql._outreach_stopped(pql.routing, record, text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._render_outreach(id bigint, template text, OUT subject text, OUT body text, OUT channel text, OUT rests_on jsonb,
                                                OUT stopped_because text, OUT warnings text[])
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  at CONSTANT timestamptz := pql._now();
  r pql.routing;
  document jsonb;
  terms record;
  v record;
  t record;
  instant CONSTANT text := 'FMDD FMMonth YYYY HH24:MI';
BEGIN
  SELECT * INTO r FROM pql.routing AS x WHERE x.routing_id = id;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT p.document INTO document FROM pql.program AS p WHERE p.program = r.program AND p.version = r.version;
  SELECT x.* INTO terms FROM pql._outreach_terms(document, template) AS x;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%", version %, has no template "%"', r.program, r.version, template USING ERRCODE = 'undefined_object',
      HINT = coalesce('There are ' || (SELECT string_agg(k.name, ', ' ORDER BY k.name) FROM jsonb_object_keys(document #> '{outreach,templates}') AS k (name)) || '.',
                      'Templates are a part of the program: outreach.templates.');
  END IF;
  channel := coalesce(terms.channel, document #>> ARRAY['motions', r.motion_rank::text, 'channel']);
  warnings := '{}';
  stopped_because := pql._outreach_stopped(r, terms, channel, at);
  IF stopped_because IS NULL THEN
    SELECT x.given, x.evidence INTO v FROM pql._outreach_values(r, coalesce(document #> ARRAY['outreach', 'templates', template, 'variables'], '{}'), at) AS x;
    SELECT x.* INTO t FROM pql._render_template(document, template, v.given, extract(year FROM at AT TIME ZONE 'UTC')::int) AS x;
    subject := t.subject;
    body := t.body;
    stopped_because := t.refused;
  END IF;
  IF stopped_because IS NULL THEN
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('variable', x.key, 'from', x.value -> 'from',
        'said', coalesce(t.said -> x.key, x.value -> 'default'), 'is_default', CASE WHEN x.key = ANY (t.defaults) THEN true END,
        'event_ids', CASE WHEN jsonb_array_length(v.evidence -> x.key) > 0 THEN v.evidence -> x.key END)) ORDER BY x.key COLLATE "C"), '[]') INTO rests_on
    FROM jsonb_each(document #> ARRAY['outreach', 'templates', template, 'variables']) AS x;
    warnings := array_remove(ARRAY[
      CASE WHEN r.state = 'pending' THEN 'the row is pending' END,
      CASE WHEN r.contact_after > at THEN 'not before ' || to_char(r.contact_after AT TIME ZONE 'UTC', instant) || ' UTC' END,
      CASE WHEN r.contact_by < at AND r.first_touch_at IS NULL THEN 'contact was due on ' || to_char(r.contact_by AT TIME ZONE 'UTC', instant) || ' UTC' END,
      CASE WHEN channel IS NULL THEN 'there is no channel, so that consent was not asked' END], NULL)
      || ARRAY(SELECT 'the default stands for ' || d.name FROM unnest(t.defaults) AS d (name));
  END IF;
  RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._render_outreach(bigint, text) IS 'pql.render_outreach for whoever sees the row.';
REVOKE ALL ON FUNCTION pql._render_outreach(bigint, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.render_outreach(routing_id bigint, template text)
  RETURNS TABLE (subject text, body text, channel text, rests_on jsonb, stopped_because text, warnings text[])
  AS 'MODULE_PATHNAME', 'pql_render_outreach' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql.render_outreach(bigint, text) IS
  'What a template of the version that a routing row was decided by comes to for it: plain text, what it rests on, and what to mind; or why nothing is to be sent (stopped_because), with nothing to send. Sends nothing: say so by pql.touch when you did. No row for a routing row that the caller doesn''t see. Errors: 22004 null argument, 42704 no such template.';
