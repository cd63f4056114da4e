-- What a role that may write to pql's tables can't make of that: rights of others. Whoever has the rights of the tables' owner may do
-- everything, as a restore does.

CREATE OR REPLACE FUNCTION pql._keep_to_own() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  is_now jsonb := to_jsonb(new);
  was jsonb := CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(old) END;
  told text;
BEGIN
  IF pg_has_role(current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE') THEN
    RETURN new;
  END IF;
  -- How far it is, and how it is to be taken, says nothing of what is read.
  IF is_now - TG_ARGV = was - TG_ARGV THEN
    RETURN new;
  END IF;
  IF is_now ? 'attached_by' AND coalesce(NOT pg_has_role(current_user, to_regrole(quote_ident(is_now ->> 'attached_by')), 'USAGE'), true) THEN
    RAISE EXCEPTION 'permission denied to attach as role "%"', is_now ->> 'attached_by' USING ERRCODE = 'insufficient_privilege',
      HINT = 'What is attached is read with the rights of whoever attached it: attach it yourself.';
  END IF;
  IF TG_TABLE_NAME = 'backfill_job' THEN
    IF NOT EXISTS (SELECT FROM pql.source AS s WHERE s.source_id = new.source_id AND s.relation = new.relation
                   UNION ALL SELECT FROM pql.source AS s, pg_partition_tree(s.relation) AS t WHERE s.source_id = new.source_id AND t.relid = new.relation) THEN
      RAISE EXCEPTION 'relation % is not part of an attached table', new.relation USING ERRCODE = 'insufficient_privilege';
    END IF;
  ELSIF is_now ? 'relation' AND NOT coalesce(has_table_privilege((is_now ->> 'relation')::regclass, 'SELECT'), true) THEN
    RAISE EXCEPTION 'permission denied for table %', is_now ->> 'relation' USING ERRCODE = 'insufficient_privilege';
  END IF;
  -- These become parts of queries that others run; those of events are compiled wherever they are used.
  IF TG_TABLE_NAME = 'conversation_source' THEN
    FOR told IN
      SELECT pql._check_expression(new.relation, is_now ->> e.name, NULL, e.name) FROM unnest(ARRAY['user_id', 'body', 'occurred_at', 'account_id', 'channel', 'conversation_id', 'message_id']) AS e (name)
      WHERE is_now ->> e.name IS NOT NULL
    LOOP
      IF told IS NOT NULL THEN
        RAISE EXCEPTION 'messages can''t be read so' USING ERRCODE = 'insufficient_privilege', DETAIL = split_part(told, E'\n', 1), HINT = 'Attach it with pql.attach_conversations().';
      END IF;
    END LOOP;
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION pql._keep_to_own() IS 'Trigger on what is attached: nobody but the owner has relations read with other rights than their own, or puts code into queries of others. Its arguments are the columns that say nothing of that.';
REVOKE ALL ON FUNCTION pql._keep_to_own() FROM PUBLIC;

CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.source FOR EACH ROW
  EXECUTE FUNCTION pql._keep_to_own('clock', 'mode', 'capture', 'dedup', 'unique_ids', 'max_event_age', 'max_future', 'sealed_before');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.backfill_job FOR EACH ROW
  EXECUTE FUNCTION pql._keep_to_own('trackers', 'members', 'boundary', 'relfilenode', 'made_in', 'pages', 'next_page', 'events', 'started_at', 'finished_at');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.attribute_source FOR EACH ROW
  EXECUTE FUNCTION pql._keep_to_own('columns', 'types', 'usable_columns', 'usable_types', 'watched', 'broken', 'refreshed_at');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.fact_source FOR EACH ROW
  EXECUTE FUNCTION pql._keep_to_own('columns', 'types', 'watched', 'broken', 'refreshed_at');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.consent_source FOR EACH ROW EXECUTE FUNCTION pql._keep_to_own('broken', 'refreshed_at');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.disposition_source FOR EACH ROW EXECUTE FUNCTION pql._keep_to_own('broken', 'refreshed_at');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.outcome_source FOR EACH ROW EXECUTE FUNCTION pql._keep_to_own('broken', 'refreshed_at');
CREATE TRIGGER keep_to_own BEFORE INSERT OR UPDATE ON pql.conversation_source FOR EACH ROW EXECUTE FUNCTION pql._keep_to_own('attached_at');

CREATE OR REPLACE FUNCTION pql._keep_audit() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE') THEN
    IF TG_OP <> 'INSERT' THEN
      RAISE EXCEPTION 'what stands in pql.audit can''t be changed or deleted' USING ERRCODE = 'insufficient_privilege', HINT = 'Only the owner of the extension can.';
    END IF;
    new.actor := session_user;
    new.at := clock_timestamp();
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN old ELSE new END;
END $$;
COMMENT ON FUNCTION pql._keep_audit() IS 'Trigger on pql.audit: nobody but the owner changes what was noted, or notes something as somebody else or of another time.';
REVOKE ALL ON FUNCTION pql._keep_audit() FROM PUBLIC;
CREATE TRIGGER keep_audit BEFORE INSERT OR UPDATE OR DELETE ON pql.audit FOR EACH ROW EXECUTE FUNCTION pql._keep_audit();
CREATE TRIGGER keep_all_audit BEFORE TRUNCATE ON pql.audit FOR EACH STATEMENT EXECUTE FUNCTION pql._keep_audit();
