-- When contact is made besides what motions say: what it waits for.

CREATE OR REPLACE FUNCTION pql._delay_of(r pql.routing) RETURNS jsonb
  LANGUAGE sql STABLE PARALLEL SAFE COST 10
  RETURN CASE WHEN (coalesce(r.delay, r.context #> '{timing,undelayed}') ->> 'to')::timestamptz = r.contact_after
    THEN coalesce(r.delay, r.context #> '{timing,undelayed}') END;
COMMENT ON FUNCTION pql._delay_of(pql.routing) IS 'What a routing row''s contact was moved for, and when it would be otherwise; null when it wasn''t, or was moved again since.';

CREATE OR REPLACE FUNCTION pql._delay_contacts(as_of timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__delay_contacts' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._delay_contacts(timestamptz) IS 'Moves the contact of rows that nobody has taken up, where their subject is in the middle of something, where a milestone is fresh, and in quiet hours; returns how many.';
REVOKE ALL ON FUNCTION pql._delay_contacts(timestamptz) FROM PUBLIC;
