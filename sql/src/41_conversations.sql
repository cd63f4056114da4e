-- What conversations reveal: the topics that were found in messages, each with the sentence that says so.
CREATE TABLE pql.intent (
  home             text COLLATE "C" NOT NULL,
  source_id        int NOT NULL,
  event_id         text COLLATE "C" NOT NULL,
  user_id          text COLLATE "C" NOT NULL,
  account_id       text COLLATE "C",
  topic            text COLLATE "C" NOT NULL,
  occurred_at      timestamptz NOT NULL,
  channel          text,
  conversation_id  text,
  quote            text NOT NULL,
  language         text NOT NULL,
  event            text NOT NULL GENERATED ALWAYS AS ('topic:' || topic) STORED,
  PRIMARY KEY (home, source_id, event_id, topic)
);
CREATE INDEX intent_newest ON pql.intent (home, occurred_at DESC);
CREATE INDEX intent_message ON pql.intent (source_id, event_id);
CREATE INDEX intent_account ON pql.intent (account_id, occurred_at);
CREATE INDEX intent_user ON pql.intent (user_id, occurred_at);
COMMENT ON TABLE pql.intent IS 'Topics found in messages, one row a message and topic, with the sentence that says so. The messages themselves are not copied. For the engine each row is an event named topic:NAME of its user.';
COMMENT ON COLUMN pql.intent.source_id IS 'The table that the message is in (pql.conversation_source).';
COMMENT ON COLUMN pql.intent.account_id IS 'In which account, as the message says; null: it says none.';
COMMENT ON COLUMN pql.intent.topic IS 'The topic (pql.lexicon).';
COMMENT ON COLUMN pql.intent.occurred_at IS 'When the message was written or said.';
COMMENT ON COLUMN pql.intent.channel IS 'By which channel it came, as the table says; null: it doesn''t say.';
COMMENT ON COLUMN pql.intent.conversation_id IS 'The conversation it belongs to, as the table says; null: it doesn''t say.';
COMMENT ON COLUMN pql.intent.home IS 'In which home it counts: it follows its user when he is merged or moved.';
COMMENT ON COLUMN pql.intent.event_id IS 'The message''s id, as text.';
COMMENT ON COLUMN pql.intent.user_id IS 'Who wrote or said it, as the message says, whoever that turned out to be.';
COMMENT ON COLUMN pql.intent.quote IS 'The sentence of the message in which the topic was found, as it was written, cut around what matched.';
COMMENT ON COLUMN pql.intent.language IS 'Of which language the pattern is that matched (ISO 639-1; mul: of many).';
COMMENT ON COLUMN pql.intent.event IS 'The name of the event that it is.';
SELECT pg_catalog.pg_extension_config_dump('pql.intent', '');

CREATE TABLE pql.conversation_source (
  source_id        int PRIMARY KEY,
  relation         regclass NOT NULL UNIQUE,
  user_id          text NOT NULL,
  body             text NOT NULL,
  occurred_at      text NOT NULL,
  account_id       text,
  channel          text,
  conversation_id  text,
  message_id       text NOT NULL,
  attached_at      timestamptz NOT NULL DEFAULT now(),
  attached_by      text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE pql.conversation_source IS 'Tables with messages that are attached, and where in their rows pql finds who, what and when. Made by pql.attach_conversations.';
COMMENT ON COLUMN pql.conversation_source.relation IS 'The table with messages.';
COMMENT ON COLUMN pql.conversation_source.user_id IS 'A column or SQL expression over a row: who wrote or said it.';
COMMENT ON COLUMN pql.conversation_source.body IS 'A column or SQL expression over a row: the text.';
COMMENT ON COLUMN pql.conversation_source.occurred_at IS 'A column or SQL expression over a row: when it was written or said.';
COMMENT ON COLUMN pql.conversation_source.account_id IS 'A column or SQL expression over a row: in which account; null: the table doesn''t say.';
COMMENT ON COLUMN pql.conversation_source.channel IS 'A column or SQL expression over a row: by which channel it came; null: the table doesn''t say.';
COMMENT ON COLUMN pql.conversation_source.conversation_id IS 'A column or SQL expression over a row: the conversation it belongs to; null: the table doesn''t say.';
COMMENT ON COLUMN pql.conversation_source.message_id IS 'A column or SQL expression over a row: what identifies the message.';
COMMENT ON COLUMN pql.conversation_source.attached_at IS 'When it was attached.';
COMMENT ON COLUMN pql.conversation_source.attached_by IS 'The role that attached it.';
COMMENT ON COLUMN pql.conversation_source.source_id IS 'Numbered apart from events tables: those of one are no others''.';
SELECT pg_catalog.pg_extension_config_dump('pql.conversation_source', '');

CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.conversation_source
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();

-- pql.intent is an events table like others, source 0 as long as conversations are attached; but only what pql itself writes there is
-- new: what a restore loads is in the state already.
CREATE OR REPLACE FUNCTION pql._writing_intents() RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__writing_intents' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._writing_intents() IS 'Whether what is written to pql.intent now becomes events: not what a restore loads.';
REVOKE ALL ON FUNCTION pql._writing_intents() FROM PUBLIC;

CREATE TRIGGER pql_insert AFTER INSERT ON pql.intent REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT WHEN (pql._writing_intents()) EXECUTE FUNCTION pql._ingest('0');
CREATE TRIGGER pql_update AFTER UPDATE ON pql.intent REFERENCING OLD TABLE AS pql_old NEW TABLE AS pql_new
  FOR EACH STATEMENT WHEN (pql._writing_intents()) EXECUTE FUNCTION pql._ingest('0');
CREATE TRIGGER pql_delete AFTER DELETE ON pql.intent REFERENCING OLD TABLE AS pql_old
  FOR EACH STATEMENT WHEN (pql._writing_intents()) EXECUTE FUNCTION pql._ingest('0');
CREATE TRIGGER pql_truncate AFTER TRUNCATE ON pql.intent
  FOR EACH STATEMENT WHEN (pql._writing_intents()) EXECUTE FUNCTION pql._ingest('0');

CREATE OR REPLACE FUNCTION pql._hear() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__hear' LANGUAGE C COST 5000;
COMMENT ON FUNCTION pql._hear() IS 'The trigger on tables with messages: what they reveal becomes rows of pql.intent. Writes pql''s tables directly, so that writers need no rights on them; refuses tables that pql.attach_conversations() did not attach.';
REVOKE ALL ON FUNCTION pql._hear() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._match_messages(source int, relation regclass, since timestamptz, replace boolean)
  RETURNS TABLE (messages bigint, topics bigint)
  AS 'MODULE_PATHNAME', 'pql__match_messages' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._match_messages(int, regclass, timestamptz, boolean) IS 'Notes what the messages of one table reveal, from an instant on, and with replace takes back what they don''t any more; how many messages, and how many topics, that were.';
REVOKE ALL ON FUNCTION pql._match_messages(int, regclass, timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._forget_messages(source int, ids text[] DEFAULT NULL) RETURNS void
  AS 'MODULE_PATHNAME', 'pql__forget_messages' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._forget_messages(int, text[]) IS 'Takes back what messages of a source revealed: some, or (null) all.';
REVOKE ALL ON FUNCTION pql._forget_messages(int, text[]) FROM PUBLIC;

-- The tables that hold a source's rows, under a lock that keeps writers out.
CREATE OR REPLACE FUNCTION pql._match_history(source int, since timestamptz, replace boolean, OUT messages bigint, OUT topics bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  root regclass;
BEGIN
  IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
    RAISE EXCEPTION 'messages can''t be read at isolation level %', current_setting('transaction_isolation')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Do it at READ COMMITTED.';
  END IF;
  SELECT s.relation INTO STRICT root FROM pql.conversation_source AS s WHERE s.source_id = source;
  EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', root);
  SELECT coalesce(sum(m.messages), 0), coalesce(sum(m.topics), 0) INTO messages, topics
  FROM (SELECT t.relid FROM pg_partition_tree(root) AS t JOIN pg_class AS c ON c.oid = t.relid WHERE c.relkind = 'r'
        UNION SELECT c.oid FROM pg_class AS c WHERE c.oid = root AND c.relkind = 'r' ORDER BY 1) AS l,
       LATERAL pql._match_messages(source, l.relid, since, replace) AS m;
END $$;
COMMENT ON FUNCTION pql._match_history(int, timestamptz, boolean) IS 'Notes what the messages of a source reveal, while nobody writes any.';
REVOKE ALL ON FUNCTION pql._match_history(int, timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._attach_conversations(relation regclass, user_id text, body text, occurred_at text, account_id text, channel text,
    conversation_id text, message_id text, since timestamptz, search_index boolean)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  kind "char";
  newest int;
  arg record;
  matched record;
  key text := message_id;
  absent text := (ARRAY['relation', 'user_id', 'body', 'occurred_at', 'search_index'])[array_position(
    ARRAY[relation IS NULL, user_id IS NULL, body IS NULL, occurred_at IS NULL, search_index IS NULL], true)];
BEGIN
  IF absent IS NOT NULL THEN
    RAISE EXCEPTION '% must not be null', absent USING ERRCODE = 'null_value_not_allowed',
      HINT = CASE WHEN absent IN ('user_id', 'body', 'occurred_at') THEN 'It is a column, or an SQL expression over a row.' ELSE '' END;
  END IF;
  SELECT c.relkind INTO kind FROM pg_class AS c WHERE c.oid = relation AND c.relpersistence <> 't' AND NOT c.relispartition;
  IF kind IS NULL OR kind NOT IN ('r', 'p') OR (SELECT c.relnamespace FROM pg_class AS c WHERE c.oid = relation) = 'pql'::regnamespace THEN
    RAISE EXCEPTION '"%" can''t be attached', relation USING ERRCODE = 'wrong_object_type',
      DETAIL = 'Messages are seen when they are written to an ordinary or a partitioned table that all sessions see; views, foreign and temporary tables, partitions and pql''s own tables are none.',
      HINT = 'Attach the table that the messages are written to.';
  END IF;
  IF NOT has_table_privilege(relation, 'TRIGGER') OR NOT has_table_privilege(relation, 'SELECT') THEN
    RAISE EXCEPTION 'permission denied for table %', relation USING ERRCODE = 'insufficient_privilege',
      HINT = format('Attaching needs the TRIGGER and SELECT privileges on it: GRANT TRIGGER, SELECT ON %s TO %I.', relation, current_user);
  END IF;
  IF EXISTS (SELECT FROM pql.conversation_source AS s WHERE s.relation = relation) THEN
    RAISE EXCEPTION 'table % is attached already', relation USING ERRCODE = 'duplicate_object',
      HINT = 'pql.detach_conversations() it first to attach it differently.';
  END IF;
  IF EXISTS (SELECT FROM pql.source AS s WHERE s.sealed_before IS NOT NULL) THEN
    RAISE EXCEPTION 'a table is sealed already, so that no other can be attached' USING ERRCODE = 'feature_not_supported',
      DETAIL = 'What conversations reveal are events of a table of their own, and sealing one of several parts activations that rest on both.';
  END IF;
  IF key IS NULL THEN
    SELECT quote_ident(a.attname) INTO key FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = relation AND i.indisprimary AND i.indnkeyatts = 1;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'table % has no primary key of one column', relation USING ERRCODE = 'invalid_parameter_value',
        DETAIL = 'What a message revealed is taken back when the message is changed or deleted, and found again by its id.',
        HINT = 'Give message_id: a column or an expression that is another for each message.';
    END IF;
  END IF;
  FOR arg IN SELECT * FROM (VALUES ('user_id', user_id, NULL::regtype), ('body', body, 'text'::regtype), ('occurred_at', occurred_at, 'timestamptz'::regtype),
      ('account_id', account_id, NULL), ('channel', channel, NULL), ('conversation_id', conversation_id, NULL), ('message_id', key, NULL))
      AS a(name, expression, wanted) WHERE expression IS NOT NULL
  LOOP
    PERFORM pql._compile_expression(relation, arg.expression, arg.wanted, arg.name);
  END LOOP;

  LOCK TABLE pql.conversation_source IN SHARE ROW EXCLUSIVE MODE;
  IF NOT EXISTS (SELECT FROM pql.source AS s WHERE s.source_id = 0) THEN
    INSERT INTO pql.source (source_id, relation, user_id, account_id, event, occurred_at, event_id, clock, mode, capture, unique_ids)
    VALUES (0, 'pql.intent', 'user_id', 'account_id', 'event', 'occurred_at', 'event_id',
      -- Where all that is known is replayed, so are messages.
      coalesce((SELECT min(s.clock) FROM pql.source AS s HAVING max(s.clock) = 'event' AND min(s.clock) = 'event'), 'wall'), 'sync', 'statement', true);
    PERFORM pql._know_leaves(0);
  END IF;
  SELECT coalesce(max(s.source_id), 0) + 1 INTO newest FROM pql.conversation_source AS s;
  INSERT INTO pql.conversation_source (source_id, relation, user_id, body, occurred_at, account_id, channel, conversation_id, message_id)
  VALUES (newest, relation, user_id, body, occurred_at, account_id, channel, conversation_id, key);
  PERFORM pql._hold_up_writers(relation);
  EXECUTE format('CREATE TRIGGER pql_hear AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION pql._hear(%L)', relation, newest);
  EXECUTE format('CREATE TRIGGER pql_hear_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION pql._hear(%L)', relation, newest);
  IF EXISTS (SELECT FROM pg_subscription_rel AS r WHERE r.srrelid = relation) THEN
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER pql_hear, ENABLE ALWAYS TRIGGER pql_hear_truncate', relation);
  END IF;
  IF search_index THEN
    EXECUTE format('CREATE INDEX ON %s USING gin (to_tsvector(''simple''::regconfig, %s))', relation, body);
  END IF;
  SELECT * INTO matched FROM pql._match_history(newest, since, false);
  PERFORM pql._audit('attach_conversations', relation::text, jsonb_build_object('source_id', newest));

  what := 'message id'; finding := key; advice := NULL; RETURN NEXT;
  what := 'messages'; finding := matched.messages::text; advice := NULL; RETURN NEXT;
  what := 'topics'; finding := matched.topics::text;
  advice := CASE WHEN NOT EXISTS (SELECT FROM pql.tracker AS t WHERE EXISTS (SELECT FROM unnest(t.events) AS e WHERE e LIKE 'topic:%'))
    THEN 'No program has a signal with a "topic" yet.' END; RETURN NEXT;
  what := 'search'; finding := CASE WHEN search_index THEN 'indexed' ELSE 'reads all messages' END;
  advice := CASE WHEN NOT search_index THEN format('CREATE INDEX ON %s USING gin (to_tsvector(''simple''::regconfig, %s)); serves pql.search_conversations().', relation, body) END;
  RETURN NEXT;
END $$;
COMMENT ON FUNCTION pql._attach_conversations(regclass, text, text, text, text, text, text, text, timestamptz, boolean) IS 'Attaches a table with messages.';
REVOKE ALL ON FUNCTION pql._attach_conversations(regclass, text, text, text, text, text, text, text, timestamptz, boolean) FROM PUBLIC;

-- Names are resolved with the caller's search path.
CREATE OR REPLACE FUNCTION pql.attach_conversations(relation text, user_id text, body text, occurred_at text, account_id text DEFAULT NULL,
    channel text DEFAULT NULL, conversation_id text DEFAULT NULL, message_id text DEFAULT NULL, since timestamptz DEFAULT NULL,
    search_index boolean DEFAULT false)
  RETURNS TABLE (what text, finding text, advice text)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 5
  BEGIN ATOMIC
    SELECT a.what, a.finding, a.advice FROM pql._attach_conversations(attach_conversations.relation::regclass, attach_conversations.user_id,
      attach_conversations.body, attach_conversations.occurred_at, attach_conversations.account_id, attach_conversations.channel,
      attach_conversations.conversation_id, attach_conversations.message_id, attach_conversations.since, attach_conversations.search_index) AS a;
  END;
COMMENT ON FUNCTION pql.attach_conversations(text, text, text, text, text, text, text, text, timestamptz, boolean) IS
  'Attaches a table with messages (calls, chats, tickets, questions, notes): the topics that its rows reveal become events named topic:NAME of their users, and rows of pql.intent. Each text is a column or an SQL expression over the row; message_id (by default the primary key) is another for each message. What is there already is read at once, while writers wait: with since, only what is as new as that. With search_index, an index for pql.search_conversations() is made. Errors: 42P01 no such relation, 42809 not a table, 42710 attached already, 42703 unknown column, 42501 no rights, 22023 no id, 22004 null argument, 0A000 a table is sealed.';
REVOKE ALL ON FUNCTION pql.attach_conversations(text, text, text, text, text, text, text, text, timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._conversation_source(relation regclass) RETURNS pql.conversation_source
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s pql.conversation_source;
BEGIN
  IF relation IS NULL THEN
    RAISE EXCEPTION 'relation must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO s FROM pql.conversation_source AS x WHERE x.relation = relation FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % has no conversations that are attached', relation USING ERRCODE = 'undefined_object';
  END IF;
  RETURN s;
END $$;
COMMENT ON FUNCTION pql._conversation_source(regclass) IS 'How a table with messages is attached; raises 42704 when it isn''t.';
REVOKE ALL ON FUNCTION pql._conversation_source(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._detach_conversations(relation regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s pql.conversation_source := pql._conversation_source(relation);
  name text;
BEGIN
  FOR name IN SELECT t.tgname FROM pg_trigger AS t
      WHERE t.tgrelid = relation AND t.tgfoid = 'pql._hear()'::regprocedure AND NOT t.tgisinternal AND t.tgparentid = 0 LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', name, relation);
  END LOOP;
  PERFORM pql._forget_messages(s.source_id);
  DELETE FROM pql.conversation_source AS x WHERE x.source_id = s.source_id;
  IF NOT EXISTS (SELECT FROM pql.conversation_source) THEN
    PERFORM pql._flush(); -- what is taken back, while it is known what that is
    DELETE FROM pql.unusable_event AS e WHERE e.source_id = 0;
    DELETE FROM pql.held_event AS e WHERE e.source_id = 0;
    DELETE FROM pql.source_leaf AS k WHERE k.source_id = 0;
    DELETE FROM pql.source AS x WHERE x.source_id = 0;
    IF NOT EXISTS (SELECT FROM pql.source AS x WHERE x.clock = 'event') THEN
      DELETE FROM pql.event_clock;
    END IF;
  END IF;
  PERFORM pql._audit('detach_conversations', relation::text, jsonb_build_object('source_id', s.source_id));
END $$;
COMMENT ON FUNCTION pql._detach_conversations(regclass) IS 'Detaches a table with messages.';
REVOKE ALL ON FUNCTION pql._detach_conversations(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.detach_conversations(relation text) RETURNS void
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT pql._detach_conversations(detach_conversations.relation::regclass);
  END;
COMMENT ON FUNCTION pql.detach_conversations(text) IS 'Detaches a table with messages: drops its triggers and takes back what they revealed (the messages themselves stay). Errors: 42P01 no such relation, 42704 not attached, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.detach_conversations(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._rematch(relation regclass, since timestamptz, OUT messages bigint, OUT topics bigint)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s pql.conversation_source := pql._conversation_source(relation);
  gone text[];
BEGIN
  SELECT m.messages, m.topics INTO messages, topics FROM pql._match_history(s.source_id, since, true) AS m;
  -- Partitions are emptied and detached without any trigger's knowledge.
  EXECUTE format('SELECT array_agg(g.id) FROM (SELECT i.event_id AS id FROM pql.intent AS i WHERE i.source_id = $1 AND ($2 IS NULL OR i.occurred_at >= $2)'
    ' EXCEPT SELECT (%s)::text FROM %s AS t) AS g', s.message_id, s.relation) INTO gone USING s.source_id, since;
  IF gone IS NOT NULL THEN
    PERFORM pql._forget_messages(s.source_id, gone);
  END IF;
  PERFORM pql._audit('rematch', relation::text, jsonb_build_object('since', since, 'messages', messages, 'topics', topics));
END $$;
COMMENT ON FUNCTION pql._rematch(regclass, timestamptz) IS 'Reads the messages of a table again.';
REVOKE ALL ON FUNCTION pql._rematch(regclass, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.rematch(relation text, since timestamptz DEFAULT NULL, OUT messages bigint, OUT topics bigint)
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 5000
  BEGIN ATOMIC
    SELECT m.messages, m.topics FROM pql._rematch(rematch.relation::regclass, rematch.since) AS m;
  END;
COMMENT ON FUNCTION pql.rematch(text, timestamptz) IS 'Reads the messages of an attached table again, from an instant on (null: all), by the lexicon as it is now, while writers wait: what they reveal is added, what they don''t any more is taken back. Returns how many messages there are, and how many topics in them. Errors: 42P01 no such relation, 42704 not attached, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.rematch(text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.search_conversations(query text, relation text DEFAULT NULL, since timestamptz DEFAULT NULL, most int DEFAULT 20)
  RETURNS TABLE (conversations regclass, message_id text, user_id text, account_id text, occurred_at timestamptz, channel text, conversation_id text,
                 excerpt text, rank real)
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 5000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  s record;
  parts text[] := '{}';
BEGIN
  IF query IS NULL OR most IS NULL THEN
    RETURN;
  END IF;
  IF most < 0 THEN
    RAISE EXCEPTION 'most must not be negative' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF relation IS NOT NULL AND NOT EXISTS (SELECT FROM pql.conversation_source AS c JOIN pg_class AS r ON r.oid = c.relation WHERE relation IN (c.relation::text, r.relname)) THEN
    RAISE EXCEPTION 'no conversations are attached from "%"', relation USING ERRCODE = 'undefined_object', HINT = 'Table pql.conversation_source has what is.';
  END IF;
  FOR s IN SELECT c.* FROM pql.conversation_source AS c JOIN pg_class AS r ON r.oid = c.relation
      WHERE (relation IS NULL OR relation IN (c.relation::text, r.relname)) AND has_table_privilege(c.relation, 'SELECT') ORDER BY c.source_id LOOP
    parts := parts || format('(SELECT %L::regclass AS conversations, (%s)::text AS message_id, (%s)::text AS user_id, (%s)::text AS account_id, (%s)::timestamptz AS occurred_at,'
      ' (%s)::text AS channel, (%s)::text AS conversation_id, (%s) AS body, ts_rank(to_tsvector(''simple''::regconfig, %8$s), q) AS rank'
      ' FROM %s AS t, websearch_to_tsquery(''simple'', $1) AS q WHERE to_tsvector(''simple''::regconfig, %8$s) @@ q AND ($2 IS NULL OR (%5$s)::timestamptz >= $2)'
      ' ORDER BY rank DESC, 5 DESC LIMIT $3)',
      s.relation, s.message_id, s.user_id, coalesce(s.account_id, 'NULL'), s.occurred_at, coalesce(s.channel, 'NULL'), coalesce(s.conversation_id, 'NULL'), s.body, s.relation);
  END LOOP;
  IF parts = '{}' THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format('SELECT x.conversations, x.message_id, x.user_id, x.account_id, x.occurred_at, x.channel, x.conversation_id,'
    ' ts_headline(''simple'', x.body, websearch_to_tsquery(''simple'', $1), ''StartSel="", StopSel="", MaxWords=30, MinWords=10''), x.rank'
    ' FROM (SELECT * FROM (%s) AS a ORDER BY a.rank DESC, a.occurred_at DESC LIMIT $3) AS x ORDER BY x.rank DESC, x.occurred_at DESC', array_to_string(parts, ' UNION ALL '))
    USING query, since, most;
END $$;
COMMENT ON FUNCTION pql.search_conversations(text, text, timestamptz, int) IS
  'Messages of attached tables (of one, or null: all) in which the words of a query are, as web searches write it ("single sign-on" or saml -okta), the best first; read where they are, with the rights of whoever asks: tables that he may not read are left out, and their row security holds. Words are compared as they are written, whatever their language.';
