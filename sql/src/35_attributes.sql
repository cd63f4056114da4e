-- Attributes of accounts and users: pql's own copy of what relations of the customer's say of them, with its past.
CREATE TABLE pql.attribute_source (
  unit            text PRIMARY KEY CHECK (unit IN ('user', 'account')),
  schema_name     text NOT NULL,
  relation_name   text NOT NULL,
  owner           text NOT NULL,
  key_column      text NOT NULL,
  account_column  text,
  columns         text[] NOT NULL,
  types           text[] NOT NULL,
  watched         boolean NOT NULL,
  broken          text,
  refreshed_at    timestamptz,
  attached_at     timestamptz NOT NULL DEFAULT now(),
  attached_by     text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE pql.attribute_source IS 'The relations that attributes come from, by name: one that is dropped and made anew, or replaced by renaming, is the same one. Made by pql.attach_accounts and pql.attach_users, read through pql.attribute_sources.';
COMMENT ON COLUMN pql.attribute_source.owner IS 'Who owned it when it was attached: another owner''s views are not read with the rights of whoever trusted this one''s.';
COMMENT ON COLUMN pql.attribute_source.watched IS 'Whether triggers keep the copy; otherwise only pql.refresh_attributes() does.';
COMMENT ON COLUMN pql.attribute_source.broken IS 'Why the copy is kept as it is.';

CREATE TABLE pql.attribute_use (
  unit  text NOT NULL CHECK (unit IN ('user', 'account')),
  name  text NOT NULL,
  PRIMARY KEY (unit, name)
);
COMMENT ON TABLE pql.attribute_use IS 'The attributes that rules of published programs name. Of a unit with some, only these are kept, and a change of one has the subject decided upon anew; of a unit with none, the first 100 columns are kept, and nothing is decided.';

CREATE TABLE pql.attribute (
  home        text COLLATE "C" PRIMARY KEY,
  since       timestamptz NOT NULL,
  account_id  text,
  body        jsonb NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE pql.attribute IS 'Attributes as they are, by the key of the account''s or the user''s own home.';
COMMENT ON COLUMN pql.attribute.account_id IS 'The account that a user belongs to, where pql.attach_users was told of one.';

CREATE TABLE pql.attribute_history (
  home        text COLLATE "C" NOT NULL,
  valid_from  timestamptz NOT NULL,
  valid_to    timestamptz NOT NULL CHECK (valid_to > valid_from),
  account_id  text,
  body        jsonb NOT NULL,
  PRIMARY KEY (home, valid_from)
);
COMMENT ON TABLE pql.attribute_history IS 'Attributes as they were, from when until when. Read both through pql.attributes.';

SELECT pg_catalog.pg_extension_config_dump('pql.attribute_source', '');
SELECT pg_catalog.pg_extension_config_dump('pql.attribute_use', '');
SELECT pg_catalog.pg_extension_config_dump('pql.attribute', '');
SELECT pg_catalog.pg_extension_config_dump('pql.attribute_history', '');

CREATE VIEW pql.attributes WITH (security_invoker = true) AS
  SELECT CASE WHEN x.home LIKE 'a:%' THEN 'account' ELSE 'user' END AS unit, substr(x.home, 3) AS subject_id, x.valid_from, x.valid_to,
         x.account_id, x.body AS attributes
  FROM (SELECT a.home, a.since AS valid_from, 'infinity'::timestamptz AS valid_to, a.account_id, a.body FROM pql.attribute AS a
        UNION ALL
        SELECT h.home, h.valid_from, h.valid_to, h.account_id, h.body FROM pql.attribute_history AS h) AS x;
COMMENT ON VIEW pql.attributes IS 'What attached relations say of accounts and users, and said before: each row held from valid_from until valid_to (infinity: still).';

CREATE OR REPLACE FUNCTION pql._attributes_of(home text, as_of timestamptz DEFAULT NULL) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql__attributes_of' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 50;
COMMENT ON FUNCTION pql._attributes_of(text, timestamptz) IS 'The attributes kept of a home, as they are or (as_of) were: as rules read them.';
REVOKE ALL ON FUNCTION pql._attributes_of(text, timestamptz) FROM PUBLIC;
