-- The story of a routing row: what a salesperson reads before the first sentence. Text only; what it rests on was frozen when
-- the row was written. The helpers can be executed by everybody, because the story runs with the rights of its reader.

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

CREATE OR REPLACE FUNCTION pql.story(routing_id bigint) RETURNS text
  LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 5000 SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  r         pql.routing;
  lines     text[];
  line      text;
  step      record;
  before    timestamptz;  -- of the milestone told last
  who       text;
  people    bigint;
  told      bigint := 0;
  steps     bigint;
  reached   text[];
  here      text;         -- the account, or the person
  day       CONSTANT text := 'FMDD FMMonth';
  minute    CONSTANT text := 'FMDD FMMonth HH24:MI';
BEGIN
  SELECT * INTO r FROM pql.routing AS x WHERE x.routing_id = story.routing_id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  here := pql._plain_text(r.subject_id);
  lines := ARRAY['# ' || coalesce(nullif(pql._plain_text(r.headline), ''), here || ' reached ' || r.score || ' points')];

  -- Who.
  people := coalesce((r.context ->> 'member_count')::bigint, 0);
  line := '**Who.** ' || here;
  IF r.unit <> 'account' AND r.account_id IS NOT NULL THEN
    line := line || ' of ' || pql._plain_text(r.account_id);
  END IF;
  IF people > 0 AND r.unit <> 'user' THEN
    line := line || ': ' || CASE WHEN people = 1 THEN 'one person' ELSE pql._number_text(people) || ' people' END;
  END IF;
  line := line || coalesce(', ' || pql._events_text((r.context #>> '{subject,events}')::bigint), '')
    || coalesce(' since ' || to_char((r.context #>> '{subject,first_seen}')::timestamptz, day || ' YYYY'), '') || '.';
  lines := lines || ''::text || line;
  IF r.unit <> 'user' THEN
    FOR step IN
      SELECT m.value ->> 'user_id' AS user_id, (m.value ->> 'first_seen')::timestamptz AS first_seen,
             (m.value ->> 'events')::bigint AS events
      FROM jsonb_path_query(r.context, '$.members[*]') WITH ORDINALITY AS m(value, position)
      WHERE m.value ->> 'user_id' IS NOT NULL
      ORDER BY m.position LIMIT 5
    LOOP
      told := told + 1;
      IF told = 1 AND people > 1 THEN
        lines := lines || 'Most active:'::text || ''::text;
      ELSIF told = 1 THEN
        lines := lines || ''::text;
      END IF;
      lines := lines || ('- ' || pql._plain_text(step.user_id)
        || coalesce(', since ' || to_char(step.first_seen, day), '')
        || coalesce(', ' || pql._events_text(step.events), ''));
    END LOOP;
    IF told > 0 AND people > told THEN
      lines := lines || ('- and ' || pql._number_text(people - told) || ' more');
    END IF;
  END IF;

  -- What they did, in order, and how long between.
  FOR step IN
    SELECT m.value ->> 'name' AS name, (m.value ->> 'at')::timestamptz AS at, m.value ->> 'user_id' AS user_id
    FROM jsonb_path_query(r.context, '$.milestones[*]') WITH ORDINALITY AS m(value, position)
    WHERE m.value ->> 'name' IS NOT NULL
    ORDER BY (m.value ->> 'at')::timestamptz NULLS LAST, m.position
  LOOP
    IF reached IS NULL THEN
      lines := lines || ''::text || '**What they did**'::text || ''::text;
    END IF;
    line := CASE
      WHEN step.at IS NULL THEN 'at some time'
      WHEN before IS NULL THEN to_char(step.at, minute)
      WHEN step.at::date = before::date THEN pql._span_text(step.at - before) || ' later'
      ELSE pql._span_text(step.at - before) || ' later, ' || to_char(step.at, day)
    END;
    -- Whoever did the step before is not named again.
    line := line || ': '
      || CASE WHEN step.user_id IS NULL OR step.user_id = who THEN '' ELSE pql._plain_text(step.user_id) || ' ' END
      || pql._plain_text(replace(step.name, '_', ' '));
    lines := lines || ('- ' || line);
    reached := reached || step.name;
    before := coalesce(step.at, before);
    who := coalesce(step.user_id, who);
  END LOOP;

  -- What they skipped.
  steps := CASE WHEN jsonb_typeof(r.context #> '{activation,steps}') = 'array'
             THEN jsonb_array_length(r.context #> '{activation,steps}') END;
  IF steps > 0 THEN
    IF (r.context #>> '{activation,complete}')::boolean THEN
      line := 'nothing. All ' || pql._number_text(steps)
        || ' steps of the activation are done'
        || coalesce(', in ' || pql._span_text((r.context #>> '{activation,reached_at}')::timestamptz
                                              - (r.context #>> '{activation,started_at}')::timestamptz), '') || '.';
    ELSE
      SELECT coalesce(string_agg(pql._plain_text(replace(s.value, '_', ' '))
                        || CASE WHEN s.value = ANY (reached) THEN ' (done, but out of order or too late)' ELSE '' END,
                        ', ' ORDER BY s.position), 'not known') || '. '
             || CASE WHEN coalesce((r.context #>> '{activation,level}')::int, 0) = 0 THEN 'None'
                     ELSE initcap(pql._number_text((r.context #>> '{activation,level}')::bigint)) END
             || ' of ' || pql._number_text(steps)
             || ' steps of the activation done.'
        INTO line
      FROM (SELECT v.value #>> '{}' AS value, v.position
            FROM jsonb_path_query(r.context, '$.activation.skipped[*]') WITH ORDINALITY AS v(value, position)) AS s;
    END IF;
    lines := lines || ''::text || ('**What they skipped:** ' || line);
  END IF;

  -- Why now: the points of the reasons add up to the score.
  lines := lines || ''::text || ('**Why now:** ' || r.score || ' points');
  told := 0;
  FOR step IN
    SELECT (x.value ->> 'points')::int AS points, x.value ->> 'signal' AS signal, x.value ->> 'why' AS why,
           (x.value ->> 'at')::timestamptz AS at, coalesce((x.value ->> 'may_mention')::boolean, true) AS may_mention
    FROM jsonb_path_query(r.reasons, '$[*]') WITH ORDINALITY AS x(value, position)
    WHERE (x.value ->> 'points')::int <> 0
    ORDER BY x.position
  LOOP
    told := told + 1;
    IF told = 1 THEN
      lines := lines || ''::text;
    END IF;
    lines := lines || ('- ' || step.points || ' for ' || pql._plain_text(replace(step.signal, '_', ' '))
      || coalesce(': ' || pql._plain_text(step.why), '')
      || coalesce(', ' || to_char(step.at, day), '')
      || CASE WHEN step.may_mention THEN '' ELSE ' (do not mention)' END);
  END LOOP;

  -- What to do.
  line := CASE WHEN r.motion = 'none' THEN 'nothing: no human is needed.' ELSE replace(r.motion, '_', ' ')
    || coalesce(', between ' || to_char(r.contact_after, minute) || ' and ' || to_char(r.contact_by, minute),
                ', from ' || to_char(r.contact_after, minute) || ' on') || '.' END;
  lines := lines || ''::text || ('**What to do:** ' || line || coalesce(' ' || pql._plain_text(r.next_best_action), ''));
  -- What to say.
  FOR step IN
    SELECT k.title, array_agg('- ' || pql._plain_text(w.value #>> '{}') ORDER BY w.position) AS sentences
    FROM (VALUES (1, 'say', 'Say first'), (2, 'never', 'Never say')) AS k(place, key, title),
         jsonb_path_query(r.context -> 'play' -> k.key, '$[*]') WITH ORDINALITY AS w(value, position)
    GROUP BY k.place, k.title ORDER BY k.place
  LOOP
    lines := lines || ''::text || ('**' || step.title || '**') || ''::text || step.sentences;
  END LOOP;
  lines := lines || ''::text || ('Decided on ' || to_char(r.qualified_at, day || ' YYYY HH24:MI') || ' by '
    || pql._plain_text(r.program) || ', version ' || r.version || '. Times are in ' || current_setting('TimeZone') || '.');
  RETURN array_to_string(lines, E'\n') || E'\n';
END
$$;
COMMENT ON FUNCTION pql.story(bigint) IS 'What a salesperson reads before the first sentence, as Markdown: who, what they did and in which order, why now, what they skipped, what to do. Null for an unknown routing row.';
