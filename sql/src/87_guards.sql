-- What guardrails rest on that pql itself knows: what was done about an account, and who agreed to be contacted.

CREATE INDEX routing_acted_upon ON pql.routing ((coalesce('a:' || account_id, home) COLLATE "C")) WHERE first_touch_at IS NOT NULL OR disposition IS NOT NULL;
COMMENT ON INDEX pql.routing_acted_upon IS 'What people have done about an account, or a person without one, in all programs.';

CREATE OR REPLACE FUNCTION pql._touches_at(places text[]) RETURNS TABLE (at timestamptz)
  LANGUAGE sql STABLE PARALLEL SAFE COST 500 ROWS 10
  BEGIN ATOMIC
    SELECT t.at FROM pql.routing AS r JOIN pql.touch AS t ON t.home = r.home AND t.routing_id = r.routing_id
    WHERE coalesce('a:' || r.account_id, r.home) COLLATE "C" = ANY (places) AND (r.first_touch_at IS NOT NULL OR r.disposition IS NOT NULL);
  END;
COMMENT ON FUNCTION pql._touches_at(text[]) IS 'When contact was made at places (pql._places), because of any program''s rows.';
REVOKE ALL ON FUNCTION pql._touches_at(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._answers_at(places text[]) RETURNS TABLE (disposition_id bigint, disposition text, at timestamptz)
  LANGUAGE sql STABLE PARALLEL SAFE COST 500 ROWS 10
  BEGIN ATOMIC
    SELECT d.disposition_id, d.disposition, d.at FROM pql.routing AS r JOIN pql.disposition AS d ON d.home = r.home AND d.routing_id = r.routing_id
    WHERE coalesce('a:' || r.account_id, r.home) COLLATE "C" = ANY (places) AND (r.first_touch_at IS NOT NULL OR r.disposition IS NOT NULL);
  END;
COMMENT ON FUNCTION pql._answers_at(text[]) IS 'What reps said became of any program''s rows at places (pql._places).';
REVOKE ALL ON FUNCTION pql._answers_at(text[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._history_of(unit text, subject text, account text, at timestamptz, now boolean,
    OUT touches_7d float8, OUT touches_14d float8, OUT touches_30d float8, OUT days_since_touch float8, OUT days_since_disqualified float8,
    OUT days_since_converted float8)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  home text := left(unit, 1) || ':' || subject;
  places text[] := pql._places(CASE unit WHEN 'account' THEN subject ELSE account END, home);
  touched timestamptz;
  disqualified timestamptz;
  converted timestamptz;
  churned timestamptz;
BEGIN
  SELECT count(*) FILTER (WHERE t.at > at - interval '7 days'), count(*) FILTER (WHERE t.at > at - interval '14 days'),
         count(*) FILTER (WHERE t.at > at - interval '30 days'), max(t.at) INTO touches_7d, touches_14d, touches_30d, touched
  FROM pql._touches_at(places) AS t WHERE now OR t.at <= at;
  SELECT max(d.at) FILTER (WHERE d.disposition = 'disqualified'), max(d.at) FILTER (WHERE d.disposition = 'converted') INTO disqualified, converted
  FROM pql._answers_at(places) AS d WHERE now OR d.at <= at;
  SELECT greatest(converted, max(o.at) FILTER (WHERE o.outcome IN ('paid', 'converted'))), max(o.at) FILTER (WHERE o.outcome = 'churned')
    INTO converted, churned
  FROM pql.outcome AS o WHERE o.home = ANY (places || home) AND (now OR o.at <= at);
  -- By the program's clock something may be later than the instant asked for: it has just happened.
  days_since_touch := extract(epoch FROM at - CASE WHEN touched < at THEN touched WHEN touched >= at THEN at END) / 86400;
  days_since_disqualified := extract(epoch FROM at - CASE WHEN disqualified < at THEN disqualified WHEN disqualified >= at THEN at END) / 86400;
  IF churned IS NULL OR churned < converted THEN
    days_since_converted := extract(epoch FROM at - CASE WHEN converted < at THEN converted WHEN converted >= at THEN at END) / 86400;
  END IF;
END $$;
COMMENT ON FUNCTION pql._history_of(text, text, text, timestamptz, boolean) IS
  'What all programs'' routing rows of an account, or a person, and their outcomes say as of an instant (now: with all there is), as rules know it by history: how many touches there were, and how many days it is since the last one, since somebody disqualified it, and since it converted (null: never; nor if it churned since).';
REVOKE ALL ON FUNCTION pql._history_of(text, text, text, timestamptz, boolean) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._guards_written() RETURNS trigger
  AS 'MODULE_PATHNAME', 'pql__guards_written' LANGUAGE C COST 5000;
COMMENT ON FUNCTION pql._guards_written() IS 'The trigger on what blocks rows besides rules, if a published program asks for it. A change of consent decides anew, at once; of what was done about an account (nobody at work on a row waits for whoever writes events) or of the list of domains, it has the next tick look at who is qualified. Writers need no rights on what follows.';
REVOKE ALL ON FUNCTION pql._guards_written() FROM PUBLIC;

CREATE TRIGGER history_written AFTER INSERT ON pql.touch REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('history');
CREATE TRIGGER history_written AFTER INSERT ON pql.disposition REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('history');
CREATE TRIGGER history_written AFTER INSERT ON pql.outcome REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('history');
CREATE TRIGGER consent_inserted AFTER INSERT ON pql.consent REFERENCING NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('consent');
CREATE TRIGGER consent_updated AFTER UPDATE ON pql.consent REFERENCING OLD TABLE AS pql_old NEW TABLE AS pql_new
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('consent');
CREATE TRIGGER consent_deleted AFTER DELETE ON pql.consent REFERENCING OLD TABLE AS pql_old
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('consent');
CREATE TRIGGER consent_truncated AFTER TRUNCATE ON pql.consent
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('consent');
CREATE TRIGGER domains_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pql.internal_domain
  FOR EACH STATEMENT EXECUTE FUNCTION pql._guards_written('domains');

CREATE OR REPLACE FUNCTION pql._consent_to(r pql.routing, channel text) RETURNS TABLE (unit text, subject_id text, granted boolean, at timestamptz)
  LANGUAGE sql STABLE PARALLEL SAFE COST 500 ROWS 2
  BEGIN ATOMIC
    SELECT c.unit, c.subject_id, c.granted, c.at FROM pql.consent AS c
    WHERE (c.unit = 'user' AND c.subject_id = r.user_id OR c.unit = 'account' AND c.subject_id = r.account_id) AND c.channel IN (_consent_to.channel, '');
  END;
COMMENT ON FUNCTION pql._consent_to(pql.routing, text) IS 'What the user of a routing row and the account have said of a channel, or of all.';
REVOKE ALL ON FUNCTION pql._consent_to(pql.routing, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._withdrawn_by(r pql.routing, channel text) RETURNS text
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 500 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  who text;
BEGIN
  SELECT x.unit || ' ' || x.subject_id INTO who
  FROM (SELECT DISTINCT ON (c.unit) c.unit, c.subject_id, c.granted FROM pql._consent_to(r, channel) AS c
        ORDER BY c.unit, c.at DESC, c.granted) AS x
  WHERE NOT x.granted ORDER BY x.unit DESC LIMIT 1;
  RETURN who;
END $$;
COMMENT ON FUNCTION pql._withdrawn_by(pql.routing, text) IS 'Who of a routing row doesn''t want contact by a channel: the user or his account; null when nobody has said so.';
REVOKE ALL ON FUNCTION pql._withdrawn_by(pql.routing, text) FROM PUBLIC;
