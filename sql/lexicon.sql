-- The lexicon: what is shipped, what may be changed in it, what is refused when it is written, and what the database finds with it.
-- covers: S1-31, S1-32, S1-33, S1-42
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS pql CASCADE;
CREATE EXTENSION pql;
\set SHOW_CONTEXT never
\pset null '(null)'
\pset format unaligned
\pset tuples_only on

CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  message text; detail text; hint text; given text;
BEGIN
  EXECUTE statement INTO given;
  RETURN 'ok: ' || coalesce(given, '(null)');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n    ', SQLSTATE || ' ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Every topic in every language that is shipped, and every pattern as good as one's own has to be.
SELECT count(DISTINCT topic) >= 12 FROM pql.lexicon WHERE kind = 'topic';
SELECT language, string_agg(topic, ' ') FROM (SELECT l.language, t.topic FROM (SELECT DISTINCT language FROM pql.lexicon WHERE language <> 'mul') AS l,
  (SELECT DISTINCT topic FROM pql.lexicon WHERE kind = 'topic') AS t EXCEPT SELECT language, topic FROM pql.lexicon) AS missing GROUP BY 1;
SELECT l.language, l.pattern, c.problem FROM pql.lexicon AS l, pql._check_pattern(l.kind, l.pattern) AS c;
SELECT count(*) FROM pql.lexicon WHERE origin <> 'shipped' OR NOT active OR version <> pql.version();

-- What it finds.
SELECT topic, quote FROM pql.match_topics('Do you support SAML? Our API limits are hit, and we are comparing three options.') WHERE topic IN ('enterprise_procurement', 'technical_integration', 'competitive_urgency') ORDER BY 1;
SELECT * FROM pql.match_topics(E'We don''t need SSO.\n> What does it cost?\n');
SELECT topic, quote FROM pql.match_topics('Was kostet das pro Monat?') WHERE topic = 'pricing';
SELECT count(*) FROM pql.match_topics(NULL);
SELECT count(*) FROM pql.match_topics('');
SELECT message, topic FROM (VALUES (1, 'SSO'), (2, 'hello'), (3, 'pricing and SSO')) AS m(message, body), pql.match_topics(m.body) AS t ORDER BY 1, 2;

-- One's own.
INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('xx', 'pricing', '\b(?:tarifo|prezzu)\b'), ('zz', 'pricing', '料_金');
INSERT INTO pql.lexicon (language, kind, pattern) VALUES ('xx', 'before', '\bne bezonas\b'), ('xx', 'quote', 'la .+ skribis :');
SELECT topic, quote FROM pql.match_topics('Kioj estas viaj TARIFO ?');
SELECT topic, quote FROM pql.match_topics('Ne bezonas tarifo. 料_金。');
SELECT * FROM pql.match_topics(E'La 5 majo, Anna skribis :\nla prezzu');
UPDATE pql.lexicon SET pattern = '\bprezzu\b' WHERE language = 'xx' AND kind = 'topic';
SELECT count(*) FROM pql.match_topics('Kioj estas viaj TARIFO ?');
BEGIN;
DELETE FROM pql.lexicon WHERE language = 'xx';
SELECT count(*) FROM pql.match_topics('la prezzu');
ROLLBACK;
SELECT count(*) FROM pql.match_topics('la prezzu');

-- Refused when it is written.
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('fr', 'pricing', '\b(prix')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('fr', 'pricing', '(?:(?:a.{0,200}){0,40}b){0,20}')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('fr', 'pricing', 'x*')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('fr', 'Pricing!', 'x')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('french', 'pricing', 'x')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, kind, pattern) VALUES ('fr', 'never', 'x')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, kind, pattern) VALUES ('fr', 'topic', 'x')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, kind, topic, pattern) VALUES ('fr', 'before', 'pricing', 'x')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern, origin) VALUES ('fr', 'pricing', 'x', 'shipped')$$);
SELECT pg_temp.try($$INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('zz', 'pricing', '料_金')$$);

-- Shipped ones are switched off and on, and else stay.
SELECT pg_temp.try($$UPDATE pql.lexicon SET pattern = 'x' WHERE origin = 'shipped'$$);
SELECT pg_temp.try($$DELETE FROM pql.lexicon WHERE origin = 'shipped'$$);
UPDATE pql.lexicon SET active = false WHERE topic = 'pricing';
SELECT count(*) = (SELECT count(*) FROM pql.lexicon WHERE topic = 'pricing' AND origin = 'shipped') FROM pql.lexicon_off;
SELECT count(*) FROM pql.match_topics('Can you send pricing?') WHERE topic = 'pricing';
UPDATE pql.lexicon SET active = true WHERE NOT active AND language = 'en';
SELECT topic FROM pql.match_topics('Can you send pricing?') WHERE topic = 'pricing';
SELECT count(*) > 0, count(*) FILTER (WHERE language = 'en') FROM pql.lexicon_off;
-- As a restore does it.
INSERT INTO pql.lexicon_off SELECT language, kind, topic, pattern FROM pql.lexicon WHERE active AND topic = 'pricing' AND origin = 'shipped';
SELECT count(*) FROM pql.match_topics('Can you send pricing?') WHERE topic = 'pricing';
