-- Erasing a user or an account: from identities, copies, state, hand-offs, others' packets, answers, labels, evidence, and the audit.

CREATE OR REPLACE FUNCTION pql._erase_identity(unit text, id text) RETURNS TABLE (ids text[], tokens text[], homes text[], events text[])
  AS 'MODULE_PATHNAME', 'pql__erase_identity' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._erase_identity(text, text) IS 'From here on no event of a user or an account counts. Who that is by which ids, the hashes that stay of these, the homes to be derived again, and a user''s events.';
REVOKE ALL ON FUNCTION pql._erase_identity(text, text) FROM PUBLIC;

-- What is said of nobody in particular stays. An object that says who it is of goes as a whole; an id of an event leaves null.
CREATE OR REPLACE FUNCTION pql._without(packet jsonb, ids text[], events text[]) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE jsonb_typeof(packet)
    WHEN 'object' THEN
      RETURN (SELECT coalesce(jsonb_object_agg(m.key, CASE WHEN m.key = 'event_id' AND m.value #>> '{}' = ANY (events) THEN 'null' ELSE pql._without(m.value, ids, events) END), '{}')
              FROM jsonb_each(packet) AS m WHERE jsonb_typeof(m.value) <> 'string' OR (m.value #>> '{}') <> ALL (ids));
    WHEN 'array' THEN
      RETURN (SELECT coalesce(jsonb_agg(pql._without(x.value, ids, events) ORDER BY x.n), '[]') FROM jsonb_array_elements(packet) WITH ORDINALITY AS x(value, n)
              WHERE CASE jsonb_typeof(x.value) WHEN 'object' THEN coalesce((x.value ->> 'user_id') <> ALL (ids), true)
                                               WHEN 'string' THEN (x.value #>> '{}') <> ALL (ids || events) ELSE true END);
    ELSE RETURN packet;
  END CASE;
END $$;
COMMENT ON FUNCTION pql._without(jsonb, text[], text[]) IS 'A packet, or a part of one, without what it says of some users, given all their ids, and without the ids of some events.';
REVOKE ALL ON FUNCTION pql._without(jsonb, text[], text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._mentions(packet jsonb, ids text[]) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200
  BEGIN ATOMIC
    SELECT bool_or(strpos(p.said, to_json(i)::text) > 0) FROM (SELECT _mentions.packet::text AS said OFFSET 0) AS p, unnest(_mentions.ids) AS i;
  END;
COMMENT ON FUNCTION pql._mentions(jsonb, text[]) IS 'Whether a packet may say something of some users. Quick.';
REVOKE ALL ON FUNCTION pql._mentions(jsonb, text[]) FROM PUBLIC;

-- An id of digits only is a number like any other in what somebody wrote, and no name.
CREATE OR REPLACE FUNCTION pql._unnamed(note text, ids text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200
  BEGIN ATOMIC
    SELECT CASE WHEN n.pattern IS NULL THEN _unnamed.note ELSE regexp_replace(_unnamed.note, n.pattern, '(erased)', 'g') END
    FROM (SELECT '(?<![[:alnum:]_])(?:' || string_agg(regexp_replace(i, '([^[:alnum:]_])', '\\\1', 'g'), '|' ORDER BY length(i) DESC) || ')(?![[:alnum:]_])' AS pattern
          FROM unnest(_unnamed.ids) AS i WHERE i ~ '[^0-9]' AND length(i) > 2) AS n;
  END;
COMMENT ON FUNCTION pql._unnamed(text, text[]) IS 'What somebody wrote, with ids that stand in it as words struck out.';
REVOKE ALL ON FUNCTION pql._unnamed(text, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._erase(unit text, id text) RETURNS TABLE (relation text, removed bigint, changed bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 200000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  e record;
  own text[];      -- homes of their own
  handoffs bigint[];
  who text;        -- the columns that name them
  whose text;
  learnt text[];
  r pql.routing;
  x record;
BEGIN
  SELECT * INTO e FROM pql._erase_identity(unit, id);
  own := ARRAY(SELECT left(unit, 1) || ':' || i FROM unnest(e.ids) AS i);
  who := CASE unit WHEN 'user' THEN 'user_id' ELSE 'account_id' END;
  whose := format('(unit = %L AND subject_id = ANY ($1))', unit);
  handoffs := ARRAY(SELECT h.routing_id FROM pql.routing AS h
                    WHERE h.home = ANY (own) OR h.unit = _erase.unit AND h.subject_id = ANY (e.ids) OR _erase.unit = 'account' AND h.account_id = ANY (e.ids)
                    ORDER BY h.routing_id FOR UPDATE);
  learnt := ARRAY(SELECT DISTINCT c.program FROM pql.counted_label AS c WHERE c.home = ANY (own) OR c.routing_id = ANY (handoffs));
  PERFORM pql._lock_load(VARIADIC ARRAY(SELECT DISTINCT h.owner FROM pql.routing AS h WHERE h.routing_id = ANY (handoffs) AND h.owner IS NOT NULL));
  FOR r IN SELECT * FROM pql.routing AS h WHERE h.routing_id = ANY (handoffs) AND h.state NOT IN ('declined', 'expired', 'disposed') LOOP
    PERFORM pql._give_back(r, false);
  END LOOP;
  -- First what state is made of, then that, then what came of it. What isn't said of a home has columns of its own.
  FOR x IN
    SELECT t.step, t.name, t.condition FROM (VALUES
      (1, 'held_event', format('%I = ANY ($1)', who)), (1, 'events', format('%I = ANY ($1)', who)), (1, 'intent', format('%I = ANY ($1)', who)),
      (1, 'asserted_milestone', CASE unit WHEN 'user' THEN 'user_id = ANY ($1)' END), (1, 'outcome', whose), (1, 'consent', whose),
      (1, 'consent_import', format('subject_id = ANY ($1) AND source_id IN (SELECT s.source_id FROM pql.consent_source AS s WHERE s.unit = %L)', unit)),
      (1, 'consent_problem', format('subject_id = ANY ($1) AND source_id IN (SELECT s.source_id FROM pql.consent_source AS s WHERE s.unit = %L)', unit)),
      (1, 'account_owner', CASE unit WHEN 'account' THEN 'account_id = ANY ($1)' END),
      (1, 'attribute', NULL), (1, 'attribute_history', NULL), (1, 'fact_value', NULL), (1, 'fact_history', NULL), (1, 'flag', NULL), (1, 'outcome_import', NULL),
      (1, 'base_state', NULL), (1, 'seen_event', NULL), (1, 'sealed_event', NULL),
      (2, NULL, NULL),
      (3, 'episode', whose), (3, 'user_home', CASE unit WHEN 'user' THEN 'user_id = ANY ($1)' END), (3, 'milestone_log', NULL), (3, 'state', NULL),
      (3, 'touch', 'routing_id = ANY ($3)'), (3, 'disposition', 'routing_id = ANY ($3)'), (3, 'disposition_import', 'routing_id = ANY ($3)'),
      (3, 'declined', 'routing_id = ANY ($3)'), (3, 'route_decision', 'routing_id = ANY ($3)'), (3, 'routing_transition', 'routing_id = ANY ($3)'),
      (3, 'scoring_packet', 'routing_id = ANY ($3)'), (3, 'handoff_fact', 'routing_id = ANY ($3)'), (3, 'handoff_hidden', 'routing_id = ANY ($3)'),
      (3, 'routing', 'routing_id = ANY ($3)')) AS t(step, name, condition) ORDER BY t.step
  LOOP
    IF x.step = 2 THEN
      PERFORM pql._derive_homes(ARRAY(SELECT h FROM unnest(e.homes) AS h WHERE h <> ALL (own)));
    ELSE
      EXECUTE format('DELETE FROM pql.%I WHERE %s', x.name, concat_ws(' OR ', x.condition, CASE WHEN EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = format('pql.%I', x.name)::regclass AND a.attname = 'home' AND NOT a.attisdropped) THEN 'home = ANY ($2)' END, 
        CASE WHEN x.condition IS NULL THEN 'false' END)) USING e.ids, own, handoffs;
      relation := 'pql.' || x.name;
      GET DIAGNOSTICS removed = ROW_COUNT;
      changed := 0;
      IF removed > 0 THEN
        RETURN NEXT;
      END IF;
    END IF;
  END LOOP;
  -- What is told of others, and mentions them.
  removed := 0;
  FOR x IN
    SELECT t.name, t.change, t.condition FROM (VALUES
      ('routing', 'context = pql._without(context, $1, $2), reasons = pql._without(reasons, $1, $2), user_id = CASE WHEN user_id <> ALL ($1) THEN user_id END',
       'user_id = ANY ($1) OR (home = ANY ($3) OR pql._mentions(context, $1)) AND (pql._without(context, $1, $2) <> context OR pql._without(reasons, $1, $2) <> reasons)'),
      ('scoring_packet', 'context = pql._without(context, $1, $2), reasons = pql._without(reasons, $1, $2)',
       '(home = ANY ($3) OR pql._mentions(context, $1)) AND (pql._without(context, $1, $2) <> context OR pql._without(reasons, $1, $2) <> reasons)'),
      ('attribute', 'account_id = NULL', 'account_id = ANY ($1)'), ('attribute_history', 'account_id = NULL', 'account_id = ANY ($1)'),
      ('touch', 'note = pql._unnamed(note, $1)', 'pql._unnamed(note, $1) <> note'), ('disposition', 'note = pql._unnamed(note, $1)', 'pql._unnamed(note, $1) <> note'),
      ('declined', 'reason = pql._unnamed(reason, $1)', 'pql._unnamed(reason, $1) <> reason'), ('flag', 'reason = pql._unnamed(reason, $1)', 'pql._unnamed(reason, $1) <> reason'),
      ('routing_transition', 'reason = pql._unnamed(reason, $1)', 'pql._unnamed(reason, $1) <> reason'),
      ('audit', 'object = CASE WHEN object = ANY ($1) THEN ''(erased)'' ELSE pql._unnamed(object, $1) END, detail = pql._without(detail, $1, $2)',
       'object = ANY ($1) OR pql._unnamed(object, $1) <> object OR pql._without(detail, $1, $2) <> detail')) AS t(name, change, condition)
  LOOP
    EXECUTE format('UPDATE pql.%I SET %s WHERE %s', x.name, x.change, x.condition) USING e.ids, e.events, e.homes;
    relation := 'pql.' || x.name;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed > 0 THEN
      RETURN NEXT;
    END IF;
  END LOOP;
  PERFORM pql._refresh_evidence(l, NULL) FROM unnest(learnt) AS l;
  DELETE FROM pql.handoff_due AS d WHERE d.home = ANY (own);
  PERFORM pql._audit('erase_' || unit, e.tokens[1], jsonb_build_object('ids', cardinality(e.ids), 'handoffs', cardinality(handoffs)));
END $$;
COMMENT ON FUNCTION pql._erase(text, text) IS 'Does what pql.erase_user and pql.erase_account say.';
REVOKE ALL ON FUNCTION pql._erase(text, text) FROM PUBLIC;

-- Who records something needs no right to ask who was erased.
CREATE OR REPLACE FUNCTION pql._keep_out() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__keep_out' LANGUAGE C COST 5;
COMMENT ON FUNCTION pql._keep_out() IS 'The trigger that passes over rows of whom pql.erase_user or pql.erase_account erased. Its arguments are beginnings of homes'' keys, each with the column that has the rest.';
REVOKE ALL ON FUNCTION pql._keep_out() FROM PUBLIC;
CREATE TRIGGER keep_out BEFORE INSERT ON pql.events FOR EACH ROW EXECUTE FUNCTION pql._keep_out('u:', 'user_id', 'a:', 'account_id');
CREATE TRIGGER keep_out BEFORE INSERT ON pql.outcome FOR EACH ROW EXECUTE FUNCTION pql._keep_out('', 'home');

CREATE OR REPLACE FUNCTION pql.erase_user(user_id text) RETURNS TABLE (relation text, removed bigint, changed bigint)
  AS 'MODULE_PATHNAME', 'pql_erase_user' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 200000 ROWS 20;
COMMENT ON FUNCTION pql.erase_user(text) IS
  'Erases a user, with all ids that were merged into theirs, from everything derived: state, milestones, hand-offs with what reps answered, other hand-offs'' packets, quotes, attributes, facts, outcomes, labels and what was counted of them, the audit; and from pql.events. From then on no event, message or row of an attached relation that names them counts: keyed hashes of the ids stay, so that replays don''t undo it. What was sealed of their accounts stays as numbers that name nobody. Returns from which tables how many rows were removed, and in which some were changed. The company''s own tables are not touched. Can''t be undone. Errors: 22004 null or empty argument, 55000 an events table can''t be read.';
REVOKE ALL ON FUNCTION pql.erase_user(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.erase_account(account_id text) RETURNS TABLE (relation text, removed bigint, changed bigint)
  AS 'MODULE_PATHNAME', 'pql_erase_account' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 200000 ROWS 20;
COMMENT ON FUNCTION pql.erase_account(text) IS
  'Erases an account, with all ids that were merged into its, as pql.erase_user does a user. Its users stay where they were seen elsewhere. Errors: as pql.erase_user.';
REVOKE ALL ON FUNCTION pql.erase_account(text) FROM PUBLIC;
