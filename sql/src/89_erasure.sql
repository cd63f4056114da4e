-- Erasing a user or an account: from identities, copies, state, hand-offs, others' packets, answers, labels, evidence, and the audit.

CREATE OR REPLACE FUNCTION pql._erase_identity(unit text, id text) RETURNS TABLE (ids text[], tokens text[], homes text[], events text[])
  AS 'MODULE_PATHNAME', 'pql__erase_identity' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._erase_identity(text, text) IS 'From here on no event of a user or an account counts. Who that is by which ids, the hashes that stay of these, the homes to be derived again, and a user''s events.';
REVOKE ALL ON FUNCTION pql._erase_identity(text, text) FROM PUBLIC;

-- An id of digits only, or a short one, is a word like any other in what somebody wrote.
CREATE OR REPLACE FUNCTION pql._unnamed(note text, ids text[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  id text;
BEGIN
  FOREACH id IN ARRAY ids LOOP
    IF strpos(note, id) > 0 AND length(id) > 2 AND id ~ '[^0-9]' THEN
      note := regexp_replace(note, '(?<![[:alnum:]_])' || regexp_replace(id, '([^[:alnum:]_])', '\\\1', 'g') || '(?![[:alnum:]_])', '(erased)', 'g');
    END IF;
  END LOOP;
  RETURN note;
END $$;
COMMENT ON FUNCTION pql._unnamed(text, text[]) IS 'What somebody wrote, with ids that stand in it as words struck out; of ids that begin alike the longer one comes first.';
REVOKE ALL ON FUNCTION pql._unnamed(text, text[]) FROM PUBLIC;

-- By key, as an id may be any word: an object that says whom it is of goes as a whole, an event's id leaves null.
CREATE OR REPLACE FUNCTION pql._without(packet jsonb, who text, ids text[], events jsonb) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CASE jsonb_typeof(packet)
    WHEN 'object' THEN
      RETURN (SELECT coalesce(jsonb_object_agg(m.key, CASE
                WHEN m.key = 'event_id' AND events ? (m.value #>> '{}') THEN 'null'
                WHEN m.key = 'quote' AND jsonb_typeof(m.value) = 'string' THEN to_jsonb(pql._unnamed(m.value #>> '{}', ids))
                WHEN m.key = 'evidence' AND jsonb_typeof(m.value) = 'array' THEN m.value - ARRAY(SELECT v FROM jsonb_array_elements_text(m.value) AS v WHERE events ? v)
                ELSE pql._without(m.value, who, ids, events) END), '{}')
              FROM jsonb_each(packet) AS m WHERE m.key <> who OR (m.value #>> '{}' = ANY (ids)) IS NOT TRUE);
    WHEN 'array' THEN
      RETURN (SELECT coalesce(jsonb_agg(pql._without(x.value, who, ids, events) ORDER BY x.n), '[]') FROM jsonb_array_elements(packet) WITH ORDINALITY AS x(value, n)
              WHERE jsonb_typeof(x.value) <> 'object' OR (x.value ->> who = ANY (ids) OR x.value ->> 'value' LIKE '%@%' AND x.value ->> 'value' = ANY (ids)) IS NOT TRUE);
    ELSE RETURN packet;
  END CASE;
END $$;
COMMENT ON FUNCTION pql._without(jsonb, text, text[], jsonb) IS 'A packet, or a part of one, without what it says of some users or accounts (who: user_id or account_id), given all their ids, and without the ids of some events, which are keys of an object.';
REVOKE ALL ON FUNCTION pql._without(jsonb, text, text[], jsonb) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._mentions(packet jsonb, ids text[]) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 200
  BEGIN ATOMIC
    SELECT bool_or(strpos(p.said, to_json(i)::text) > 0) FROM (SELECT _mentions.packet::text AS said OFFSET 0) AS p, unnest(_mentions.ids) AS i;
  END;
COMMENT ON FUNCTION pql._mentions(jsonb, text[]) IS 'Whether a packet may say something of some users. Quick.';
REVOKE ALL ON FUNCTION pql._mentions(jsonb, text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._erase(unit text, id text) RETURNS TABLE (relation text, removed bigint, changed bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  is_user CONSTANT boolean := unit = 'user';
  who CONSTANT text := unit || '_id';
  e record;
  ids text[];
  events jsonb;
  own text[]; -- homes of their own
  known text[];
  handoffs bigint[];
  owners text[];
  learnt text[];
  named text := format('(unit = %L AND subject_id = ANY ($1))', unit);
  imported text := format('subject_id = ANY ($1) AND source_id IN (SELECT s.source_id FROM pql.consent_source AS s WHERE s.unit = %L)', unit);
  x record;
BEGIN
  SELECT * INTO e FROM pql._erase_identity(unit, id);
  ids := ARRAY(SELECT i FROM unnest(e.ids) AS i ORDER BY length(i) DESC, i);
  events := coalesce((SELECT jsonb_object_agg(v, 1) FROM unnest(e.events) AS v), '{}');
  own := ARRAY(SELECT left(unit, 1) || ':' || i FROM unnest(ids) AS i);
  known := ARRAY(SELECT s.home FROM pql.state AS s WHERE s.home = ANY (own));
  -- Rows are locked before reps' loads, as by whoever works on them.
  SELECT array_agg(h.routing_id), array_agg(DISTINCT h.owner) FILTER (WHERE h.owner IS NOT NULL) INTO handoffs, owners
  FROM (SELECT r.routing_id, r.owner FROM pql.routing AS r
        WHERE r.home = ANY (own) OR r.unit = _erase.unit AND r.subject_id = ANY (ids) OR NOT is_user AND r.account_id = ANY (ids) ORDER BY r.routing_id FOR UPDATE) AS h;
  learnt := ARRAY(SELECT DISTINCT c.program FROM pql.counted_label AS c WHERE c.home = ANY (own) OR c.routing_id = ANY (handoffs));
  relation := 'pql.deferred';
  removed := pql._erase_deferred(unit, ids);
  changed := 0;
  IF removed > 0 THEN
    RETURN NEXT;
  END IF;
  -- First what state is made of, then that, then what came of it. What isn't said of a home has columns of its own.
  FOR x IN
    SELECT t.step, t.name, t.condition FROM (VALUES
      (1, 'held_event', CASE WHEN is_user THEN 'user_id = ANY ($1)' END), (1, 'intent', CASE WHEN is_user THEN 'user_id = ANY ($1)' END), (1, 'events', who || ' = ANY ($1)'),
      (1, 'asserted_milestone', CASE WHEN is_user THEN 'user_id = ANY ($1)' END), (1, 'outcome', named), (1, 'consent', named), (1, 'consent_import', imported),
      (1, 'consent_problem', imported), (1, 'account_owner', CASE WHEN NOT is_user THEN 'account_id = ANY ($1)' END),
      (1, 'disposition_import', format('problem = ANY (SELECT format(''nobody is at work on %s "%%s"'', i) FROM unnest($1) AS i)', unit)),
      (1, 'attribute', NULL), (1, 'attribute_history', NULL), (1, 'fact_value', NULL), (1, 'fact_history', NULL), (1, 'flag', NULL), (1, 'outcome_import', NULL),
      (1, 'base_state', NULL), (1, 'seen_event', NULL), (1, 'sealed_event', NULL),
      (2, NULL, NULL),
      (3, 'episode', named), (3, 'user_home', CASE WHEN is_user THEN 'user_id = ANY ($1)' END), (3, 'milestone_log', NULL), (3, 'state', NULL),
      (3, 'touch', 'routing_id = ANY ($3)'), (3, 'disposition', 'routing_id = ANY ($3)'), (3, 'disposition_import', 'routing_id = ANY ($3)'),
      (3, 'declined', 'routing_id = ANY ($3)'), (3, 'route_decision', 'routing_id = ANY ($3)'), (3, 'routing_transition', 'routing_id = ANY ($3)'),
      (3, 'scoring_packet', 'routing_id = ANY ($3)'), (3, 'handoff_fact', 'routing_id = ANY ($3)'), (3, 'handoff_hidden', 'routing_id = ANY ($3)'),
      (3, 'delivery', 'routing_id = ANY ($3)'), (3, 'routing', 'routing_id = ANY ($3)')) AS t(step, name, condition) ORDER BY t.step
  LOOP
    IF x.step = 2 THEN
      PERFORM pql._derive_homes(ARRAY(SELECT h FROM unnest(e.homes) AS h WHERE h <> ALL (own) OR h = ANY (known)));
    ELSE
      EXECUTE format('DELETE FROM pql.%I WHERE %s', x.name, concat_ws(' OR ', x.condition, CASE WHEN EXISTS (
        SELECT FROM pg_attribute AS a WHERE a.attrelid = format('pql.%I', x.name)::regclass AND a.attname = 'home' AND NOT a.attisdropped) THEN 'home = ANY ($2)' END,
        CASE WHEN x.condition IS NULL THEN 'false' END)) USING ids, own, handoffs;
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
      ('routing', 'context = pql._without(context, $4, $1, $2), reasons = pql._without(reasons, $4, $1, $2)' || CASE WHEN is_user THEN ', user_id = CASE WHEN user_id <> ALL ($1) THEN user_id END' ELSE '' END,
       CASE WHEN is_user THEN 'user_id = ANY ($1) OR ' ELSE '' END
         || '(home = ANY ($3) OR pql._mentions(context, $1)) AND (pql._without(context, $4, $1, $2) <> context OR pql._without(reasons, $4, $1, $2) <> reasons)'),
      ('scoring_packet', 'context = pql._without(context, $4, $1, $2), reasons = pql._without(reasons, $4, $1, $2)',
       '(home = ANY ($3) OR pql._mentions(context, $1)) AND (pql._without(context, $4, $1, $2) <> context OR pql._without(reasons, $4, $1, $2) <> reasons)'),
      ('attribute', 'account_id = NULL', 'NOT $5 AND account_id = ANY ($1)'), ('attribute_history', 'account_id = NULL', 'NOT $5 AND account_id = ANY ($1)'),
      ('held_event', 'account_id = NULL', 'NOT $5 AND account_id = ANY ($1)'), ('intent', 'account_id = CASE WHEN $5 OR account_id <> ALL ($1) THEN account_id END, quote = pql._unnamed(quote, $1)',
       'NOT $5 AND account_id = ANY ($1) OR pql._unnamed(quote, $1) <> quote'),
      ('touch', 'note = pql._unnamed(note, $1)', 'pql._unnamed(note, $1) <> note'), ('disposition', 'note = pql._unnamed(note, $1)', 'pql._unnamed(note, $1) <> note'),
      ('declined', 'reason = pql._unnamed(reason, $1)', 'pql._unnamed(reason, $1) <> reason'), ('flag', 'reason = pql._unnamed(reason, $1)', 'pql._unnamed(reason, $1) <> reason'),
      ('routing_transition', 'reason = pql._unnamed(reason, $1)', 'actor <> ''pql'' AND pql._unnamed(reason, $1) <> reason'),
      ('delivery', 'last_error = pql._unnamed(last_error, $1)', 'pql._unnamed(last_error, $1) <> last_error'),
      ('rule_error', 'example = pql._unnamed(example, $1)', 'pql._unnamed(example, $1) <> example'),
      ('audit', 'object = CASE WHEN object <> ALL ($1) OR action <> ALL ($6) THEN object ELSE ''(erased)'' END, detail = CASE WHEN detail ->> ''new_id'' = ANY ($1) AND action = ANY ($7) THEN detail - ''new_id'' ELSE detail END',
       'object = ANY ($1) AND action = ANY ($6) OR detail ->> ''new_id'' = ANY ($1) AND action = ANY ($7)')) AS t(name, change, condition)
  LOOP
    EXECUTE format('UPDATE pql.%I SET %s WHERE %s', x.name, x.change, x.condition)
    USING ids, events, e.homes, who, is_user, CASE WHEN is_user THEN ARRAY['merge_users', 'move_user', 'undo_merge'] ELSE ARRAY['merge_accounts', 'undo_merge'] END,
      CASE WHEN is_user THEN ARRAY['merge_users', 'undo_merge'] ELSE ARRAY['merge_accounts', 'move_user', 'undo_merge'] END;
    relation := 'pql.' || x.name;
    GET DIAGNOSTICS changed = ROW_COUNT;
    IF changed > 0 THEN
      RETURN NEXT;
    END IF;
  END LOOP;
  PERFORM pql._refresh_evidence(l, NULL) FROM unnest(learnt) AS l;
  DELETE FROM pql.handoff_due AS d WHERE d.home = ANY (own);
  PERFORM pql._lock_load(VARIADIC coalesce(owners, '{}'));
  UPDATE pql.rep_load AS l SET open = pql._open_rows(l.rep_id) WHERE l.rep_id = ANY (owners);
  PERFORM pql._audit('erase_' || unit, e.tokens[1], jsonb_build_object('ids', cardinality(ids), 'handoffs', coalesce(cardinality(handoffs), 0)));
END $$;
COMMENT ON FUNCTION pql._erase(text, text) IS 'Does what pql.erase_user and pql.erase_account say.';
REVOKE ALL ON FUNCTION pql._erase(text, text) FROM PUBLIC;

-- Who records something needs no right to ask who was erased.
CREATE OR REPLACE FUNCTION pql._keep_out() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__keep_out' LANGUAGE C COST 5;
COMMENT ON FUNCTION pql._keep_out() IS 'The trigger that passes over rows of whom pql.erase_user or pql.erase_account erased. Its arguments are beginnings of homes'' keys, each with the column that has the rest.';
REVOKE ALL ON FUNCTION pql._keep_out() FROM PUBLIC;
CREATE TRIGGER keep_out BEFORE INSERT OR UPDATE ON pql.events FOR EACH ROW EXECUTE FUNCTION pql._keep_out('u:', 'user_id', 'a:', 'account_id');
CREATE TRIGGER keep_out BEFORE INSERT ON pql.outcome FOR EACH ROW EXECUTE FUNCTION pql._keep_out('', 'home');

CREATE OR REPLACE FUNCTION pql.erase_user(user_id text) RETURNS TABLE (relation text, removed bigint, changed bigint)
  AS 'MODULE_PATHNAME', 'pql_erase_user' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 200000 ROWS 20;
COMMENT ON FUNCTION pql.erase_user(text) IS
  'Erases a user, with all ids that were merged into theirs, from everything derived: state, milestones, hand-offs with what reps answered, other hand-offs'' packets, quotes, attributes, facts, outcomes, labels and what was counted of them, the audit; and from pql.events. From then on no event, message or row of an attached relation that names them counts: keyed hashes of the ids stay, so that replays don''t undo it. What was sealed of their accounts stays as numbers that name nobody. Returns from which tables how many rows were removed, and in which some were changed. The company''s own tables are not touched. Can''t be undone. Errors: 22004 null or empty argument, 22023 too long, 55000 an events table can''t be read, or another isolation level than READ COMMITTED.';
REVOKE ALL ON FUNCTION pql.erase_user(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.erase_account(account_id text) RETURNS TABLE (relation text, removed bigint, changed bigint)
  AS 'MODULE_PATHNAME', 'pql_erase_account' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 200000 ROWS 20;
COMMENT ON FUNCTION pql.erase_account(text) IS
  'Erases an account, with all ids that were merged into its, as pql.erase_user does a user. Its users stay where they were seen elsewhere. Errors: as pql.erase_user.';
REVOKE ALL ON FUNCTION pql.erase_account(text) FROM PUBLIC;
