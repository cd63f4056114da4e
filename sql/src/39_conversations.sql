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
  PRIMARY KEY (home, source_id, event_id, topic)
);
CREATE INDEX intent_newest ON pql.intent (home, occurred_at DESC);
COMMENT ON TABLE pql.intent IS 'Topics found in messages, one row a message and topic, with the sentence that says so. The messages themselves are not copied. For the engine each row is an event named topic:NAME of its user.';
COMMENT ON COLUMN pql.intent.home IS 'In which home it counts: it follows its user when he is merged or moved.';
COMMENT ON COLUMN pql.intent.event_id IS 'The message''s id, as text.';
COMMENT ON COLUMN pql.intent.user_id IS 'Who wrote or said it, as the message says, whoever that turned out to be.';
COMMENT ON COLUMN pql.intent.quote IS 'The sentence of the message in which the topic was found, as it was written, cut around what matched.';
COMMENT ON COLUMN pql.intent.language IS 'Of which language the pattern is that matched (ISO 639-1).';
SELECT pg_catalog.pg_extension_config_dump('pql.intent', '');
