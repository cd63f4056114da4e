-- The stream as it arrived, and an events table to put it into. place: in order of arrival; shuffled: in a seeded random order.
\set ON_ERROR_STOP on
CREATE EXTENSION pql;

CREATE TABLE arrived (
  place int PRIMARY KEY, occurred_at timestamptz NOT NULL, received_at timestamptz NOT NULL, user_id text NOT NULL,
  account_id text, event text NOT NULL, workspace text, quantity int, change_id text);
\copy arrived (place, occurred_at, received_at, user_id, account_id, event, workspace, quantity, change_id) FROM PSTDIN CSV HEADER
ALTER TABLE arrived ADD shuffled int;
UPDATE arrived AS a SET shuffled = s.n
FROM (SELECT place, row_number() OVER (ORDER BY md5('seed 15 ' || place)) AS n FROM arrived) AS s WHERE s.place = a.place;
CREATE UNIQUE INDEX ON arrived (shuffled);
VACUUM (FULL, ANALYZE) arrived;

CREATE VIEW incoming AS
  SELECT place AS event_id, occurred_at, received_at, user_id, account_id, event,
         jsonb_build_object('quantity', quantity, 'workspace', workspace, 'change_id', change_id) AS props, place, shuffled
  FROM arrived;

CREATE TABLE events (
  event_id bigint PRIMARY KEY, occurred_at timestamptz NOT NULL, received_at timestamptz NOT NULL, user_id text NOT NULL,
  account_id text, event text NOT NULL, props jsonb);
CREATE INDEX ON events (account_id, occurred_at);
CREATE INDEX ON events (user_id, occurred_at);

-- What had arrived, and been routed, by the end of each batch.
CREATE TABLE batch (last_event int PRIMARY KEY, last_routing bigint NOT NULL);

-- Inserts the events whose `ordered` (place or shuffled) lies in first .. last, one transaction per `batch` of them.
CREATE PROCEDURE load(ordered text, first int, last int, batch int, note boolean DEFAULT false) LANGUAGE plpgsql AS $$
DECLARE
  upto int;
BEGIN
  FOR start IN first .. last BY batch LOOP
    upto := least(start + batch - 1, last);
    IF ordered = 'place' THEN
      INSERT INTO events SELECT event_id, occurred_at, received_at, user_id, account_id, event, props FROM incoming
      WHERE place BETWEEN start AND upto ORDER BY place;
    ELSE
      INSERT INTO events SELECT event_id, occurred_at, received_at, user_id, account_id, event, props FROM incoming
      WHERE shuffled BETWEEN start AND upto ORDER BY shuffled;
    END IF;
    IF note THEN
      INSERT INTO batch SELECT upto, coalesce(max(routing_id), 0) FROM pql.routing;
    END IF;
    COMMIT;
  END LOOP;
END $$;
