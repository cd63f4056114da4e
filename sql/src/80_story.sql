-- The story of a routing row: what a salesperson reads before the first sentence, in thirty seconds. Text only; what it rests on was frozen
-- when the row was written. The helpers can be executed by everybody, because the story runs with the rights of its reader.

CREATE OR REPLACE FUNCTION pql._number_text(number bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1
  RETURN coalesce((ARRAY['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven',
                         'twelve'])[CASE WHEN number BETWEEN 1 AND 12 THEN number::int END],
                  ltrim(to_char(number, 'FM999,999,999,999,999,999,990')));
COMMENT ON FUNCTION pql._number_text(bigint) IS 'A number as it is written in a sentence: in words up to twelve.';

CREATE OR REPLACE FUNCTION pql._span_text(span interval) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50
  BEGIN ATOMIC
    SELECT CASE
      WHEN s < 45 THEN 'moments'
      WHEN s < 90 THEN 'a minute'
      WHEN s < 2700 THEN pql._number_text(round(s / 60)::bigint) || ' minutes'
      WHEN s < 5400 THEN 'an hour'
      WHEN s < 79200 THEN pql._number_text(round(s / 3600)::bigint) || ' hours'
      WHEN s < 129600 THEN 'a day'
      WHEN s < 1166400 THEN pql._number_text(round(s / 86400)::bigint) || ' days'
      WHEN s < 2246400 THEN pql._number_text(round(s / 604800)::bigint) || ' weeks'
      WHEN s < 3888000 THEN 'a month'
      WHEN s < 28857600 THEN pql._number_text(round(s / 2629800)::bigint) || ' months'
      WHEN s < 47336400 THEN 'a year'
      ELSE pql._number_text(round(s / 31557600)::bigint) || ' years'
    END
    FROM (SELECT abs(extract(epoch FROM span)) AS s) AS seconds;
  END;
COMMENT ON FUNCTION pql._span_text(interval) IS 'A length of time as a person says it: moments, an hour, two days, three weeks.';

CREATE OR REPLACE FUNCTION pql._events_text(events bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1
  RETURN CASE WHEN events = 1 THEN 'one event' ELSE ltrim(to_char(events, 'FM999,999,999,999,999,999,990')) || ' events' END;
COMMENT ON FUNCTION pql._events_text(bigint) IS 'A number of events, in figures.';

CREATE OR REPLACE FUNCTION pql._plain_text(words text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50
  RETURN regexp_replace(
    regexp_replace(left(btrim(regexp_replace(words, '[[:space:][:cntrl:]]+', ' ', 'g')), 400),
                   '[][\\`*<>|#]|(?<![[:alnum:]])_|_(?![[:alnum:]])', '\\\&', 'g'),
    '([!&])(?=[\\[[:alnum:]#])', '\\\1', 'g');
COMMENT ON FUNCTION pql._plain_text(text) IS 'Foreign words (ids, reasons) on one line, so that Markdown shows them as they are.';

CREATE OR REPLACE FUNCTION pql._name_text(name text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1
  RETURN replace(name, '_', ' ');
COMMENT ON FUNCTION pql._name_text(text) IS 'A name of a program''s document as words.';

CREATE OR REPLACE FUNCTION pql._share_text(did bigint, of_all bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
  RETURN CASE WHEN of_all <= 0 THEN NULL WHEN did >= of_all THEN 'all' WHEN did * 100 >= of_all * 95 THEN 'nearly all'
    WHEN did * 100 >= of_all * 85 THEN 'nine in ten' WHEN did * 100 >= of_all * 77 THEN 'four in five' WHEN did * 100 >= of_all * 70 THEN 'three in four'
    WHEN did * 100 >= of_all * 60 THEN 'two in three' WHEN did * 100 >= of_all * 45 THEN 'half' WHEN did * 100 >= of_all * 29 THEN 'one in three'
    WHEN did * 100 >= of_all * 15 THEN 'one in five' ELSE 'few' END;
COMMENT ON FUNCTION pql._share_text(bigint, bigint) IS 'A share as a person says it: nearly all, four in five, half, few.';

CREATE OR REPLACE FUNCTION pql._list_text(words text[], most int DEFAULT 3) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
  RETURN CASE WHEN cardinality(words) = 0 THEN NULL WHEN cardinality(words) = 1 THEN words[1]
    WHEN cardinality(words) > most THEN array_to_string(words[:most - 1], ', ') || ' and ' || pql._number_text(cardinality(words) - most + 1) || ' more'
    ELSE array_to_string(words[:cardinality(words) - 1], ', ') || ' and ' || words[cardinality(words)] END;
COMMENT ON FUNCTION pql._list_text(text[], int) IS 'Words as a list in a sentence: so many at the most, and how many more there are.';

CREATE OR REPLACE FUNCTION pql._story_words(words text, format text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 50
  RETURN CASE format WHEN 'markdown' THEN pql._plain_text(words)
    ELSE left(btrim(regexp_replace(words, '[[:space:][:cntrl:]]+', ' ', 'g')), 400) END;
COMMENT ON FUNCTION pql._story_words(text, text) IS 'Foreign words on one line, as a story of that format shows them.';

CREATE OR REPLACE FUNCTION pql._capital(sentence text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
  RETURN upper(left(sentence, 1)) || substr(sentence, 2);
COMMENT ON FUNCTION pql._capital(text) IS 'A sentence with a capital letter at its beginning.';

-- Each says one thing of a row, or null when nothing is known of it.

CREATE OR REPLACE FUNCTION pql._story_who(r pql.routing, format text) RETURNS text
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  people bigint := coalesce((r.context ->> 'member_count')::bigint, 0);
  subject CONSTANT text := pql._story_words(r.subject_id, format);
  tier text := (
    SELECT '(' || string_agg(pql._story_words(pql._name_text(a.v ->> 'name') || ' ' || (a.v ->> 'value'), format), ', ' ORDER BY a.place) || ')'
    FROM jsonb_path_query(r.context, '$.segment.attributes[*]') WITH ORDINALITY AS a (v, place)
    WHERE a.v ->> 'name' IN ('tier', 'plan', 'segment', 'industry'));
  since text := to_char((r.context #>> '{subject,first_seen}')::timestamptz, 'FMDD FMMonth YYYY');
BEGIN
  IF r.unit = 'user' THEN
    RETURN concat_ws(' ', subject || coalesce(' of ' || pql._story_words(r.account_id, format), ''), tier, 'has been here' || coalesce(' since ' || since, ''))
      || CASE WHEN people = 1 THEN '; one other person of the account is here, too' WHEN people > 1 THEN '; ' || pql._number_text(people) || ' others of the account are here, too' ELSE '' END
      || '.';
  END IF;
  RETURN concat_ws(' ', subject, tier, 'has', CASE WHEN people = 1 THEN 'one person' WHEN people > 1 THEN pql._number_text(people) || ' people' ELSE 'somebody' END,
    'in the product', 'since ' || since) || '.';
END $$;
COMMENT ON FUNCTION pql._story_who(pql.routing, text) IS 'Who it is, of which tier, and how many they are.';

CREATE OR REPLACE FUNCTION pql._story_people(r pql.routing, format text) RETURNS text
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  people CONSTANT bigint := coalesce((r.context ->> 'member_count')::bigint, 0);
  champion text;
  leads text; -- his trend
  said text[] := '{}';
  named boolean; -- the first word is an id, which stays as it is
  x record;
BEGIN
  IF people < 1 OR people = 1 AND r.unit <> 'user' THEN
    RETURN NULL;
  END IF;
  SELECT pql._story_words(m.v ->> 'user_id', format), m.v ->> 'trend' INTO champion, leads
  FROM jsonb_path_query(r.context, '$.members[*]') AS m (v) WHERE m.v -> 'champion' = 'true' LIMIT 1;
  IF champion IS NOT NULL THEN
    said := ARRAY[champion || ' leads'];
    named := true;
  END IF;
  FOR x IN
    SELECT t.trend, coalesce((r.context -> 'trends' ->> t.trend)::int, 0) - (t.trend IS NOT DISTINCT FROM leads)::int AS n, t.one, t.many,
           (SELECT array_agg(pql._story_words(m.v ->> 'user_id', format) ORDER BY m.place) FROM jsonb_path_query(r.context, '$.members[*]') WITH ORDINALITY AS m (v, place)
            WHERE m.v ->> 'trend' = t.trend AND m.v -> 'champion' IS DISTINCT FROM 'true') AS names
    FROM (VALUES (1, 'new', ' joined this week', ' joined this week'), (2, 'rising', ' does more than before', ' do more than before'),
                 (3, 'quiet', ' has gone quiet', ' have gone quiet')) AS t (place, trend, one, many)
    ORDER BY t.place
  LOOP
    CONTINUE WHEN x.n <= 0;
    IF x.n = people - (champion IS NOT NULL)::int AND x.n > 2 THEN
      said := said || ('all ' || CASE WHEN champion IS NULL THEN 'of them' ELSE 'others' END || x.many);
    ELSIF x.n = people AND people > 1 THEN
      said := said || ('all of them' || x.many);
    ELSIF x.n <= 2 AND cardinality(x.names) = x.n THEN
      said := said || (pql._list_text(x.names) || CASE WHEN x.n = 1 THEN x.one ELSE x.many END);
      named := coalesce(named, true);
    ELSE
      said := said || (pql._number_text(x.n) || CASE WHEN x.n = 1 THEN x.one ELSE x.many END);
    END IF;
    named := coalesce(named, false);
  END LOOP;
  IF said = '{}' THEN
    RETURN NULL;
  END IF;
  RETURN CASE WHEN named THEN array_to_string(said, '; ') ELSE pql._capital(array_to_string(said, '; ')) END || '.';
END $$;
COMMENT ON FUNCTION pql._story_people(pql.routing, text) IS 'Who of the account leads, joined, does more, and has gone quiet.';

-- Who was named in full right before is called by what stands before the @ of an address.
CREATE OR REPLACE FUNCTION pql._story_person(r pql.routing, person text, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 200
  RETURN pql._story_words(CASE WHEN position('@' IN person) > 1 AND r.context -> 'members' @> jsonb_build_array(jsonb_build_object('user_id', person, 'champion', true))
    THEN split_part(person, '@', 1) ELSE person END, format);
COMMENT ON FUNCTION pql._story_person(pql.routing, text, text) IS 'A person by their id; who leads by what stands before the @ of an address.';

-- The first step and the last three: who did what, and how long after the one before.
CREATE OR REPLACE FUNCTION pql._story_steps(r pql.routing, format text) RETURNS text
  LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  x record;
  said text := '';
  before timestamptz;
  who text;
BEGIN
  FOR x IN
    SELECT m.v ->> 'name' AS name, (m.v ->> 'at')::timestamptz AS at, m.v ->> 'user_id' AS user_id, m.place, count(*) OVER () AS n
    FROM jsonb_path_query(r.context, '$.milestones[*]') WITH ORDINALITY AS m (v, place) WHERE m.v ->> 'name' IS NOT NULL ORDER BY m.place
  LOOP
    IF x.place > 1 AND x.place <= x.n - 3 THEN
      CONTINUE;
    END IF;
    said := said || CASE WHEN x.place = 1 THEN '' WHEN x.place = x.n THEN ', and ' ELSE ', ' END
      || CASE WHEN before IS NULL OR x.at IS NULL OR x.place > 2 AND x.place = x.n - 2 THEN '' WHEN x.at - before < interval '45 seconds' THEN 'at once '
         ELSE pql._span_text(x.at - before) || ' later ' END
      || CASE WHEN x.user_id IS NULL OR x.user_id = who THEN '' ELSE pql._story_person(r, x.user_id, format) || ' ' END
      || pql._story_words(pql._name_text(x.name), format)
      || CASE WHEN x.place = 1 OR x.place > 2 AND x.place = x.n - 2 THEN coalesce(' on ' || to_char(x.at, 'FMDD FMMonth'), '') ELSE '' END;
    before := coalesce(x.at, before);
    who := coalesce(x.user_id, who);
  END LOOP;
  RETURN nullif(CASE WHEN who IS NULL THEN pql._capital(said) ELSE said END, '') || '.';
END $$;
COMMENT ON FUNCTION pql._story_steps(pql.routing, text) IS 'What they did, in which order, and how long between.';

CREATE OR REPLACE FUNCTION pql._story_time(r pql.routing) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 200
  BEGIN ATOMIC
    SELECT 'About ' || pql._span_text(make_interval(secs => (t.v ->> 'hours')::float8 * 3600)) || ' of use within ' || (t.v ->> 'window')
      || coalesce('; nobody came for ' || pql._span_text(g.until - g.since) || ' before ' || to_char(g.until, 'FMDD FMMonth'), '') || '.'
    FROM (SELECT r.context -> 'time' AS v) AS t
    LEFT JOIN LATERAL (SELECT (t.v #>> '{longest_gap,from}')::timestamptz AS since, (t.v #>> '{longest_gap,to}')::timestamptz AS until) AS g
      ON g.until - g.since >= interval '72 hours'
    WHERE t.v ->> 'hours' IS NOT NULL;
  END;
COMMENT ON FUNCTION pql._story_time(pql.routing) IS 'How long they spent, and the longest time that nobody came.';

CREATE OR REPLACE FUNCTION pql._story_step(r pql.routing, step text, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 200
  BEGIN ATOMIC
    SELECT pql._story_words(pql._name_text(step), format) || CASE
      WHEN r.context -> 'milestones' @> jsonb_build_array(jsonb_build_object('name', step)) THEN ' (done, but out of order or too late)'
      ELSE coalesce((SELECT ' (' || pql._share_text((k.v ->> 'did')::bigint, (k.v ->> 'converters')::bigint) || ' of those who bought did it)'
                     FROM jsonb_path_query(r.context, '$.activation.skips[*]') AS k (v) WHERE k.v ->> 'step' = step LIMIT 1), '') END;
  END;
COMMENT ON FUNCTION pql._story_step(pql.routing, text, text) IS 'A step that isn''t done, and how many of those who converted had done it.';

CREATE OR REPLACE FUNCTION pql._story_skipped(r pql.routing, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT CASE
      WHEN (a.v -> 'complete')::boolean THEN NULL -- their steps have said it
      WHEN s.steps IS NOT NULL THEN 'Skipped: ' || s.steps || '.'
      WHEN r.context -> 'milestones' @> jsonb_build_array(jsonb_build_object('name', a.v ->> 'next')) THEN 'The set-up took longer than it should.'
      WHEN a.v ->> 'next' IS NOT NULL THEN 'Next would be: ' || pql._story_step(r, a.v ->> 'next', format) || '.'
      END
    FROM (SELECT r.context -> 'activation' AS v) AS a,
      LATERAL (
        SELECT pql._list_text(array_agg(pql._story_step(r, x.step, format) ORDER BY x.place)) AS steps
        FROM jsonb_array_elements_text(a.v -> 'skipped') WITH ORDINALITY AS x (step, place)) AS s
    WHERE jsonb_typeof(a.v -> 'steps') = 'array' AND jsonb_array_length(a.v -> 'steps') > 0;
  END;
COMMENT ON FUNCTION pql._story_skipped(pql.routing, text) IS 'What they skipped of the activation, and how many of those who converted had done it.';

CREATE OR REPLACE FUNCTION pql._story_why(r pql.routing, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT coalesce(string_agg(pql._capital(pql._story_words(rtrim(coalesce(x.v ->> 'why', pql._name_text(x.v ->> 'signal')), '. '), format))
               || CASE WHEN x.v ->> 'kind' IN ('intent', 'risk') THEN coalesce(' (' || to_char((x.v ->> 'at')::timestamptz, 'FMDD FMMonth') || ')', '') ELSE '' END
               || '.', ' ' ORDER BY x.place) FILTER (WHERE x.rank <= 3), '')
    FROM (SELECT q.v, q.place, row_number() OVER (ORDER BY q.place) AS rank FROM jsonb_path_query(r.reasons, '$[*]') WITH ORDINALITY AS q (v, place)
          WHERE q.v ->> 'signal' IS NOT NULL AND (q.v ->> 'points')::int > 0) AS x;
  END;
COMMENT ON FUNCTION pql._story_why(pql.routing, text) IS 'Why now: the reasons with most points, three at the most.';

CREATE OR REPLACE FUNCTION pql._story_said(r pql.routing, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT string_agg(pql._story_person(r, x.v ->> 'user_id', format) || coalesce(' (' || pql._story_words(x.v ->> 'channel', format) || ')', '') || ' on '
             || to_char((x.v ->> 'at')::timestamptz, 'FMDD FMMonth') || ': "' || pql._story_words(x.v ->> 'quote', format) || '"', ' ' ORDER BY x.place)
    FROM (SELECT q.v, q.place, row_number() OVER (ORDER BY q.place) AS rank
          FROM (SELECT DISTINCT ON (i.v ->> 'user_id', i.v ->> 'at', i.v ->> 'quote') i.v, i.place
                FROM jsonb_path_query(r.context, '$.intents[*]') WITH ORDINALITY AS i (v, place) WHERE i.v ->> 'quote' IS NOT NULL
                ORDER BY i.v ->> 'user_id', i.v ->> 'at', i.v ->> 'quote', i.place) AS q) AS x
    WHERE x.rank <= 2;
  END;
COMMENT ON FUNCTION pql._story_said(pql.routing, text) IS 'What they said themselves: the last two quotes, each once, whatever it is about.';

-- The headline has the three reasons with most points.
CREATE OR REPLACE FUNCTION pql._story_points(r pql.routing, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT coalesce(nullif(pql._story_words(r.headline, format), ''), pql._story_words(r.subject_id, format) || ' reached ' || r.score || ' points')
      || coalesce(string_agg(', ' || coalesce(pql._story_words(pql._name_text(x.v ->> 'signal'), format), 'what is not shown') || ' ' || (x.v ->> 'points'), '' ORDER BY x.place), '')
    FROM (SELECT q.v, q.place, row_number() OVER (PARTITION BY q.v ->> 'signal' IS NULL ORDER BY q.place) AS rank
          FROM jsonb_path_query(r.reasons, '$[*]') WITH ORDINALITY AS q (v, place)) AS x
    WHERE (x.v ->> 'points')::int <> 0 AND (x.v ->> 'signal' IS NULL OR x.rank > 3 OR (x.v ->> 'points')::int < 0);
  END;
COMMENT ON FUNCTION pql._story_points(pql.routing, text) IS 'The score, and the points that add up to it.';

CREATE OR REPLACE FUNCTION pql._story_do(r pql.routing, format text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 200
  RETURN CASE WHEN r.motion = 'none' THEN 'Nothing: no human is needed.' ELSE
      CASE r.motion WHEN 'enterprise' THEN 'Enterprise sales' WHEN 'in_app' THEN 'In the product' WHEN 'email' THEN 'By e-mail' ELSE pql._capital(pql._name_text(r.motion)) END
      || CASE WHEN r.contact_by IS NULL THEN ', from ' || to_char(r.contact_after, 'FMDD FMMonth HH24:MI') || ' on'
              WHEN r.contact_by::date = r.contact_after::date THEN ', on ' || to_char(r.contact_after, 'FMDD FMMonth "between" HH24:MI') || ' and ' || to_char(r.contact_by, 'HH24:MI')
              ELSE ', between ' || to_char(r.contact_after, 'FMDD FMMonth HH24:MI') || ' and ' || to_char(r.contact_by, 'FMDD FMMonth HH24:MI') END || '.' END
    || coalesce(' ' || pql._story_words(r.next_best_action, format), '')
    || coalesce(' Offer: ' || pql._story_words(rtrim(r.context ->> 'offer', '. '), format) || '.', '');
COMMENT ON FUNCTION pql._story_do(pql.routing, text) IS 'What to do, between when and when, and what to offer.';

CREATE OR REPLACE FUNCTION pql.story(routing_id bigint, format text DEFAULT 'markdown') RETURNS text
  LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 5000 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r     pql.routing;
  lines text[];
  part  record;
BEGIN
  IF format NOT IN ('markdown', 'text') THEN
    RAISE EXCEPTION 'format "%" is not known', format USING ERRCODE = 'invalid_parameter_value', HINT = 'There are markdown and text.';
  END IF;
  SELECT * INTO r FROM pql.routing AS x WHERE x.routing_id = story.routing_id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  lines := ARRAY[CASE format WHEN 'markdown' THEN '# ' ELSE '' END || pql._story_words(r.subject_id, format)
    || coalesce(': ' || pql._list_text((
         SELECT (array_agg(pql._story_words(pql._name_text(x.v ->> 'signal'), format) ORDER BY x.place))[:2]
         FROM jsonb_path_query(r.reasons, '$[*]') WITH ORDINALITY AS x (v, place)
         WHERE x.v ->> 'signal' IS NOT NULL AND (x.v ->> 'points')::int > 0)), '')];
  FOR part IN
    SELECT t.title, t.words FROM (VALUES
      (1, NULL, concat_ws(' ', pql._story_who(r, format), pql._story_people(r, format), pql._story_steps(r, format), pql._story_time(r), pql._story_skipped(r, format))),
      (2, 'Why now', pql._story_why(r, format)),
      (3, 'They said', pql._story_said(r, format)),
      (4, 'Known, so do not ask', (
        SELECT string_agg(pql._story_words((k.v ->> 'label') || ': ' || rtrim(k.v ->> 'value', '. '), format), '; ' ORDER BY k.place) || '.'
        FROM jsonb_array_elements(coalesce(r.context -> 'known', '[]') || pql._notes_of(r)) WITH ORDINALITY AS k (v, place)
        WHERE k.v ->> 'source' NOT SIMILAR TO '(attr|account).(tier|plan|segment|industry)')),
      (5, 'Do', pql._story_do(r, format)),
      (6, 'Say first', (SELECT string_agg(pql._story_words(w.v #>> '{}', format), ' ' ORDER BY w.place) FROM jsonb_path_query(r.context, '$.play.say[*]') WITH ORDINALITY AS w (v, place))),
      (7, 'Never say', (SELECT string_agg(pql._story_words(w.v #>> '{}', format), ' ' ORDER BY w.place) FROM jsonb_path_query(r.context, '$.play.never[*]') WITH ORDINALITY AS w (v, place))),
      (8, 'Do not mention', (SELECT pql._list_text(array_agg(pql._story_words(pql._name_text(w.v #>> '{}'), format) ORDER BY w.place), 6) || '.'
                             FROM jsonb_path_query(r.context, '$.do_not_mention[*]') WITH ORDINALITY AS w (v, place)))) AS t (place, title, words)
    WHERE t.words <> '' ORDER BY t.place
  LOOP
    lines := lines || ''::text || (coalesce(CASE format WHEN 'markdown' THEN '**' || part.title || '.** ' ELSE part.title || ': ' END, '') || part.words);
  END LOOP;
  lines := lines || ''::text || (pql._story_points(r, format) || '. ' || to_char(r.decided_at, 'FMDD FMMonth YYYY HH24:MI') || ' ' || current_setting('TimeZone')
    || ', ' || pql._story_words(r.program, format) || ' ' || r.version || '.');
  RETURN array_to_string(lines, E'\n') || E'\n';
END
$$;
COMMENT ON FUNCTION pql.story(bigint, text) IS 'What a salesperson reads in thirty seconds, as Markdown or plain text: who they are, what they did and in which order, how long they spent, what they skipped, why now, what they said, what is known, what to do and what not to mention. Null for an unknown routing row. Error: 22023 unknown format.';
