-- The lexicon: what tells of a topic in a language, what denies it, and what quotes somebody else. Shipped with pql, and the user's to change.
CREATE TABLE pql.lexicon (
  topic     text COLLATE "C" NOT NULL DEFAULT '',
  language  text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL DEFAULT 'topic' CHECK (kind IN ('topic', 'before', 'after', 'break', 'question', 'quote', 'aside', 'common')),
  pattern   text COLLATE "C" NOT NULL,
  origin    text COLLATE "C" NOT NULL DEFAULT 'own' CHECK (origin IN ('shipped', 'own')),
  version   text,
  active    boolean NOT NULL DEFAULT true,
  PRIMARY KEY (language, kind, topic, pattern, origin),
  CHECK ((kind = 'topic') = (topic <> ''))
);
COMMENT ON TABLE pql.lexicon IS 'Patterns by which topics are found in messages, and their denials and quotations are told: those that pql comes with (origin shipped), which can be switched off, and one''s own. A change counts for messages that are written after it; pql.rematch() reads older ones again.';
COMMENT ON COLUMN pql.lexicon.origin IS 'shipped: it comes with pql. own: you added it.';
COMMENT ON COLUMN pql.lexicon.active IS 'Whether it is used; false switches a shipped one off.';
COMMENT ON COLUMN pql.lexicon.topic IS 'The topic that a pattern of kind topic tells of; empty for other kinds.';
COMMENT ON COLUMN pql.lexicon.language IS 'Of which language the pattern is (ISO 639-1; mul: of many): what denies is of the language of what it denies.';
COMMENT ON COLUMN pql.lexicon.kind IS 'topic; before and after: what denies a topic that stands behind or before it; break: what ends a clause; question: what makes a clause one; quote: a whole line after which somebody else speaks; aside: what tells that its sentence is about something else; common: everyday words, which tell the language of a sentence.';
COMMENT ON COLUMN pql.lexicon.pattern IS 'In RE2''s syntax, over normalised text (doc/topics.md).';
COMMENT ON COLUMN pql.lexicon.version IS 'Of shipped ones: of pql, since when they are as they are.';

CREATE TABLE pql.lexicon_off (
  language  text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  topic     text COLLATE "C" NOT NULL,
  pattern   text COLLATE "C" NOT NULL,
  PRIMARY KEY (language, kind, topic, pattern)
);
COMMENT ON TABLE pql.lexicon_off IS 'Shipped patterns that are switched off, so that a dump has them. Kept by UPDATE pql.lexicon SET active.';
--@ comments lexicon_off lexicon language kind topic pattern

SELECT pg_catalog.pg_extension_config_dump('pql.lexicon', 'WHERE origin = ''own''');
SELECT pg_catalog.pg_extension_config_dump('pql.lexicon_off', '');

CREATE OR REPLACE FUNCTION pql._shipped_pattern(bytes text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN convert_from(decode(bytes, 'hex'), 'UTF8');
EXCEPTION WHEN untranslatable_character OR undefined_function THEN
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._shipped_pattern(text) IS 'A pattern in the encoding of the database; null when it can''t be said in that: then no message says it either.';
REVOKE ALL ON FUNCTION pql._shipped_pattern(text) FROM PUBLIC;

DO $lexicon$
DECLARE
  shipped bigint;
  taken bigint;
BEGIN
  WITH shipped AS MATERIALIZED (
    SELECT * FROM (VALUES
--@ file build/lexicon.sql
    ) AS x(language, kind, topic, pattern, version)),
  taken AS (
    INSERT INTO pql.lexicon (language, kind, topic, pattern, origin, version)
    SELECT x.language, x.kind, x.topic, x.pattern, 'shipped', x.version FROM shipped AS x WHERE x.pattern IS NOT NULL RETURNING 1)
  SELECT (SELECT count(*) FROM shipped), (SELECT count(*) FROM taken) INTO shipped, taken;
  IF taken < shipped THEN -- a notice isn't shown while an extension is created
    RAISE WARNING '% of % patterns of the lexicon are left out', shipped - taken, shipped
      USING DETAIL = format('They have characters that encoding %s doesn''t have.', getdatabaseencoding());
  END IF;
END $lexicon$;

CREATE OR REPLACE FUNCTION pql._check_pattern(kind text, pattern text) RETURNS TABLE ("position" int, problem text)
  AS 'MODULE_PATHNAME', 'pql__check_pattern' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._check_pattern(text, text) IS 'What is wrong with a pattern of the lexicon, and at which of its bytes; no row when it can be used. Everybody may ask.';

CREATE OR REPLACE FUNCTION pql._check_lexicon() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong record;
BEGIN
  IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND old.origin = 'shipped'
      AND (old.topic, old.language, old.kind, old.pattern, old.origin, old.version) IS DISTINCT FROM (new.topic, new.language, new.kind, new.pattern, new.origin, new.version)) THEN
    RAISE EXCEPTION 'a shipped pattern can''t be %', CASE TG_OP WHEN 'DELETE' THEN 'deleted' ELSE 'changed' END
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Switch it off: UPDATE pql.lexicon SET active = false WHERE ... And add your own.';
  END IF;
  IF new.origin = 'shipped' THEN
    IF TG_OP = 'INSERT' OR old.origin = 'own' THEN
      RAISE EXCEPTION 'only pql ships patterns' USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave origin out: the pattern is your own.';
    END IF;
    RETURN new;
  END IF;
  IF new.language !~ '^[a-z]{2,3}$' THEN
    RAISE EXCEPTION 'language "%" is not a code', new.language USING ERRCODE = 'invalid_parameter_value', HINT = 'Use the two letters of ISO 639-1, for example ''fr''.';
  END IF;
  IF new.kind = 'topic' AND new.topic !~ '^[a-z][a-z0-9_]{0,62}$' THEN
    RAISE EXCEPTION 'topic "%" is not a name', new.topic USING ERRCODE = 'invalid_parameter_value',
      HINT = 'Lower-case letters, digits and underscores, at most 63, for example ''data_residency''.';
  END IF;
  SELECT * INTO wrong FROM pql._check_pattern(new.kind, new.pattern);
  IF FOUND THEN
    RAISE EXCEPTION 'pattern "%" can''t be used: %', left(new.pattern, 200), wrong.problem USING ERRCODE = 'invalid_regular_expression',
      DETAIL = format('At byte %s of the pattern.', wrong."position");
  END IF;
  RETURN new;
END $$;
COMMENT ON FUNCTION pql._check_lexicon() IS 'Trigger on pql.lexicon: refuses patterns that can''t be used, and changes of shipped ones but for active.';
REVOKE ALL ON FUNCTION pql._check_lexicon() FROM PUBLIC;

CREATE TRIGGER check_new BEFORE INSERT OR UPDATE ON pql.lexicon FOR EACH ROW EXECUTE FUNCTION pql._check_lexicon();
CREATE TRIGGER check_deleted BEFORE DELETE ON pql.lexicon FOR EACH ROW WHEN (old.origin = 'shipped') EXECUTE FUNCTION pql._check_lexicon();
CREATE TRIGGER lexicon_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.lexicon
  FOR EACH STATEMENT EXECUTE FUNCTION pql._definitions_changed();

CREATE OR REPLACE FUNCTION pql._note_switch() RETURNS trigger
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'lexicon_off' THEN
    UPDATE pql.lexicon AS l SET active = false
    WHERE (l.language, l.kind, l.topic, l.pattern, l.origin) = (new.language, new.kind, new.topic, new.pattern, 'shipped') AND l.active;
  ELSIF new.active THEN
    DELETE FROM pql.lexicon_off AS o WHERE (o.language, o.kind, o.topic, o.pattern) = (new.language, new.kind, new.topic, new.pattern);
  ELSE
    INSERT INTO pql.lexicon_off (language, kind, topic, pattern) VALUES (new.language, new.kind, new.topic, new.pattern) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION pql._note_switch() IS 'Trigger on pql.lexicon and pql.lexicon_off: what is off in one is in the other, also after a restore.';
REVOKE ALL ON FUNCTION pql._note_switch() FROM PUBLIC;

CREATE TRIGGER note_switch AFTER UPDATE ON pql.lexicon FOR EACH ROW
  WHEN (old.active <> new.active AND new.origin = 'shipped') EXECUTE FUNCTION pql._note_switch();
CREATE TRIGGER note_switch AFTER INSERT ON pql.lexicon_off FOR EACH ROW EXECUTE FUNCTION pql._note_switch();

CREATE OR REPLACE FUNCTION pql.match_topics(message text) RETURNS TABLE (topic text, language text, quote text)
  AS 'MODULE_PATHNAME', 'pql_match_topics' LANGUAGE C STABLE PARALLEL SAFE COST 5000 ROWS 2;
COMMENT ON FUNCTION pql.match_topics(text) IS
  'The topics that a message reveals by the lexicon as it is now, each once: of which language the pattern is that matched, and the sentence in which it did, as it was written. What is denied or quoted isn''t revealed. For BI and dbt: FROM messages, pql.match_topics(messages.body). The first megabyte is read. No row for null.';
