-- Flags: what somebody knows of an account or a user and no event says, with who says so, why, and until when.
CREATE TABLE pql.flag (
  home         text COLLATE "C" NOT NULL,
  flag_id      bigint NOT NULL,
  program      text COLLATE "C" NOT NULL,
  signal       text COLLATE "C" NOT NULL,
  author       text NOT NULL,
  reason       text NOT NULL,
  flagged_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  lifted_at    timestamptz,
  ended        boolean NOT NULL DEFAULT false,
  PRIMARY KEY (home, flag_id)
);
CREATE INDEX flag_ends ON pql.flag (expires_at) WHERE NOT ended;
COMMENT ON TABLE pql.flag IS 'Flags that people have set by hand, by the key of the account''s or the user''s own home. Made by pql.flag_subject, read through pql.flags.';
COMMENT ON COLUMN pql.flag.flag_id IS 'The number of the flag.';
COMMENT ON COLUMN pql.flag.program IS 'The program.';
COMMENT ON COLUMN pql.flag.signal IS 'The signal of the program that the flag gives points to.';
COMMENT ON COLUMN pql.flag.author IS 'Who set it, as pql.flag_subject was told.';
COMMENT ON COLUMN pql.flag.reason IS 'Why it was set, in the author''s words.';
COMMENT ON COLUMN pql.flag.flagged_at IS 'When it was set.';
COMMENT ON COLUMN pql.flag.expires_at IS 'Until when it holds; null: until it is lifted.';
COMMENT ON COLUMN pql.flag.lifted_at IS 'When it was lifted; null: it wasn''t.';
--@ comments flag state home
COMMENT ON COLUMN pql.flag.ended IS 'Whether its end was decided upon.';
SELECT pg_catalog.pg_extension_config_dump('pql.flag', '');

CREATE VIEW pql.flags WITH (security_invoker = true) AS
  SELECT f.flag_id, f.program, CASE left(f.home, 1) WHEN 'a' THEN 'account' WHEN 'w' THEN 'workspace' ELSE 'user' END AS unit, substr(f.home, 3) AS subject_id, f.signal, f.author,
         f.reason, f.flagged_at, f.expires_at, f.lifted_at,
         f.lifted_at IS NULL AND (f.expires_at IS NULL OR f.expires_at > statement_timestamp()) AS holds
  FROM pql.flag AS f;
COMMENT ON VIEW pql.flags IS 'Who flagged whom, for which signal of a program, why, and until when.';
COMMENT ON COLUMN pql.flags.unit IS 'Who is flagged: a user, an account or a workspace.';
COMMENT ON COLUMN pql.flags.subject_id IS 'The id of that user, account or workspace.';
COMMENT ON COLUMN pql.flags.holds IS 'Whether it holds now: neither lifted nor expired.';
--@ comments flags flag flag_id program signal author reason flagged_at expires_at lifted_at

CREATE OR REPLACE FUNCTION pql.flag_subject(program text, subject text, signal text, reason text, author text DEFAULT session_user,
                                            expires_at timestamptz DEFAULT NULL) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  document jsonb;
  signals text;
  home text;
  id bigint;
BEGIN
  IF program IS NULL OR subject IS NULL OR signal IS NULL OR author IS NULL THEN
    RAISE EXCEPTION '% must not be null', CASE WHEN program IS NULL THEN 'program' WHEN subject IS NULL THEN 'subject' WHEN signal IS NULL THEN 'signal' ELSE 'author' END
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF coalesce(reason, '') !~ '\S' THEN
    RAISE EXCEPTION 'a flag needs a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Say what you know: whoever makes contact reads it.';
  END IF;
  IF expires_at <= statement_timestamp() THEN
    RAISE EXCEPTION 'expires_at is over already' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give an instant of the future, or null.';
  END IF;
  SELECT p.document INTO document FROM pql.program AS p WHERE p.program = flag_subject.program AND p.status IN ('shadow', 'live')
  ORDER BY p.status = 'live' DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" is not in force', program USING ERRCODE = 'undefined_object', HINT = 'Publish it with pql.publish().';
  END IF;
  IF NOT coalesce((document #>> ARRAY['signals', signal, 'flag'])::boolean OR document #>> ARRAY['signals', signal, 'measure'] = 'flag', false) THEN
    SELECT string_agg(s.key, ', ' ORDER BY s.key) INTO signals FROM jsonb_each(document->'signals') AS s
    WHERE s.value->>'flag' = 'true' OR s.value->>'measure' = 'flag';
    RAISE EXCEPTION 'program "%" has no signal "%" that is flagged by hand', program, signal USING ERRCODE = 'undefined_object',
      HINT = CASE WHEN signals IS NULL THEN 'It has none: add one with "flag": true.' ELSE format('It has %s.', signals) END;
  END IF;
  home := left(document->>'unit', 1) || ':' || subject;
  IF pql._is_erased(home) THEN
    RAISE EXCEPTION '% "%" was erased', document->>'unit', subject USING ERRCODE = 'object_not_in_prerequisite_state',
      HINT = 'Nothing can be said of whom pql.erase_user() or pql.erase_account() erased.';
  END IF;
  INSERT INTO pql.flag AS f (home, flag_id, program, signal, author, reason, flagged_at, expires_at)
  VALUES (home, pql.next_id(), program, signal, author, reason, clock_timestamp(), flag_subject.expires_at) RETURNING f.flag_id INTO id;
  PERFORM pql._attributes_changed(ARRAY[home]);
  RETURN id;
END $$;
COMMENT ON FUNCTION pql.flag_subject(text, text, text, text, text, timestamptz) IS
  'Flags an account, a user or a workspace by hand, for a signal of a program that has "flag": true: who says so, why, and until when (null: until it is lifted). It is decided upon at once. Returns the number of the flag. Errors: 42704 no such program or signal, 22023 no reason or over already, 55000 the subject was erased, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.flag_subject(text, text, text, text, text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.lift_flag(flag_id bigint) RETURNS boolean
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  home text;
BEGIN
  UPDATE pql.flag AS f SET lifted_at = clock_timestamp(), ended = true
  WHERE f.flag_id = lift_flag.flag_id AND f.lifted_at IS NULL RETURNING f.home INTO home;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pql._attributes_changed(ARRAY[home]);
  RETURN true;
END $$;
COMMENT ON FUNCTION pql.lift_flag(bigint) IS 'Takes a flag back, which is decided upon at once. False when there is none that holds.';
REVOKE ALL ON FUNCTION pql.lift_flag(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._end_flags() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  homes text[];
BEGIN
  WITH due AS (
    SELECT f.home, f.flag_id FROM pql.flag AS f WHERE NOT f.ended AND f.expires_at <= statement_timestamp()
    ORDER BY f.expires_at LIMIT pql._tick_batch() FOR UPDATE),
  gone AS (UPDATE pql.flag AS f SET ended = true FROM due AS d WHERE (f.home, f.flag_id) = (d.home, d.flag_id) RETURNING f.home)
  SELECT array_agg(DISTINCT g.home) INTO homes FROM gone AS g;
  IF homes IS NOT NULL THEN
    PERFORM pql._attributes_changed(homes);
  END IF;
END $$;
COMMENT ON FUNCTION pql._end_flags() IS 'Decides upon whose flags have expired.';
REVOKE ALL ON FUNCTION pql._end_flags() FROM PUBLIC;
