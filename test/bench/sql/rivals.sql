-- What people write by hand for the same: milestones with their evidence, members, three decayed sums of each account, and a
-- row when the points cross the threshold. Both rivals do less than pql: no activation, no milestones of accounts, no
-- reasons, a milestone isn't moved back by a late event, nothing ever leaves, and nothing survives a replay.
CREATE SCHEMA rival;

CREATE TABLE rival.milestone (
  user_id     text NOT NULL,
  name        text NOT NULL,
  account_id  text,
  reached_at  timestamptz NOT NULL,
  event_id    bigint NOT NULL,
  PRIMARY KEY (user_id, name)
);
CREATE TABLE rival.member (
  account_id  text NOT NULL,
  user_id     text NOT NULL,
  first_seen  timestamptz NOT NULL,
  last_seen   timestamptz NOT NULL,
  events      bigint NOT NULL,
  PRIMARY KEY (account_id, user_id)
) WITH (fillfactor = 80);
-- Decayed sums as of last_at; half-lives of 7, 7 and 3 days.
CREATE TABLE rival.score (
  account_id  text PRIMARY KEY,
  calls       float8 NOT NULL,
  reports     float8 NOT NULL,
  pricing     float8 NOT NULL,
  last_at     timestamptz NOT NULL,
  crossed_at  timestamptz
) WITH (fillfactor = 80);
CREATE TABLE rival.routing (
  routing_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id  text NOT NULL,
  score       int NOT NULL,
  reasons     jsonb NOT NULL,
  created_at  timestamptz NOT NULL
);

CREATE FUNCTION rival.points(calls float8, reports float8, pricing float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT 40 * least(1, calls / 500) + 30 * least(1, reports / 30) + 30 * least(1, pricing / 10) $$;

-- The share that is left after a time.
CREATE FUNCTION rival.left_of(elapsed interval, days float8) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT power(0.5::float8, date_part('epoch', elapsed) / (86400 * days)) $$;

-- The usual one: a row trigger, one statement after the other.
CREATE FUNCTION rival.each_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  points float8;
  w1 float8 := CASE WHEN new.name = 'api_call' THEN (new.props->>'units')::float8 ELSE 0 END;
  w2 float8 := CASE WHEN new.name = 'report_viewed' THEN 1 ELSE 0 END;
  w3 float8 := CASE WHEN new.name = 'pricing_viewed' THEN 1 ELSE 0 END;
BEGIN
  INSERT INTO rival.milestone VALUES (new.user_id, new.name, new.account_id, new.ts, new.id) ON CONFLICT DO NOTHING;
  INSERT INTO rival.member AS m VALUES (new.account_id, new.user_id, new.ts, new.ts, 1)
    ON CONFLICT (account_id, user_id) DO UPDATE
    SET first_seen = least(m.first_seen, excluded.first_seen), last_seen = greatest(m.last_seen, excluded.last_seen),
        events = m.events + 1;
  IF new.name IN ('api_call', 'report_viewed', 'pricing_viewed') THEN
    INSERT INTO rival.score AS s VALUES (new.account_id, w1, w2, w3, new.ts, NULL)
      ON CONFLICT (account_id) DO UPDATE
      SET calls = s.calls * rival.left_of(greatest(excluded.last_at - s.last_at, '0'), 7)
                  + w1 * rival.left_of(greatest(s.last_at - excluded.last_at, '0'), 7),
          reports = s.reports * rival.left_of(greatest(excluded.last_at - s.last_at, '0'), 7)
                    + w2 * rival.left_of(greatest(s.last_at - excluded.last_at, '0'), 7),
          pricing = s.pricing * rival.left_of(greatest(excluded.last_at - s.last_at, '0'), 3)
                    + w3 * rival.left_of(greatest(s.last_at - excluded.last_at, '0'), 3),
          last_at = greatest(s.last_at, excluded.last_at)
      RETURNING CASE WHEN s.crossed_at IS NULL THEN rival.points(s.calls, s.reports, s.pricing) END INTO points;
    IF points >= 60 THEN
      UPDATE rival.score SET crossed_at = new.ts WHERE account_id = new.account_id;
      INSERT INTO rival.routing (account_id, score, reasons, created_at)
        SELECT s.account_id, points, jsonb_build_object('calls', s.calls, 'reports', s.reports, 'pricing', s.pricing), new.ts
        FROM rival.score s WHERE s.account_id = new.account_id;
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- A good one: sets, in the order of their keys, with everything brought to one instant first.
CREATE FUNCTION rival.each_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  now_at timestamptz := (SELECT max(ts) FROM new_rows);
  crossed text[];
BEGIN
  INSERT INTO rival.milestone
    SELECT DISTINCT ON (user_id, name) user_id, name, account_id, ts, id FROM new_rows ORDER BY user_id, name, ts, id
    ON CONFLICT DO NOTHING;
  INSERT INTO rival.member AS m
    SELECT account_id, user_id, min(ts), max(ts), count(*) FROM new_rows GROUP BY account_id, user_id ORDER BY account_id, user_id
    ON CONFLICT (account_id, user_id) DO UPDATE
    SET first_seen = least(m.first_seen, excluded.first_seen), last_seen = greatest(m.last_seen, excluded.last_seen),
        events = m.events + excluded.events;
  WITH upserted AS (
    INSERT INTO rival.score AS s
      SELECT account_id,
             coalesce(sum((props->>'units')::float8 * rival.left_of(now_at - ts, 7)) FILTER (WHERE name = 'api_call'), 0),
             coalesce(sum(rival.left_of(now_at - ts, 7)) FILTER (WHERE name = 'report_viewed'), 0),
             coalesce(sum(rival.left_of(now_at - ts, 3)) FILTER (WHERE name = 'pricing_viewed'), 0),
             now_at, NULL
      FROM new_rows WHERE name IN ('api_call', 'report_viewed', 'pricing_viewed')
      GROUP BY account_id ORDER BY account_id
      ON CONFLICT (account_id) DO UPDATE
      SET calls = s.calls * rival.left_of(greatest(excluded.last_at - s.last_at, '0'), 7)
                  + excluded.calls * rival.left_of(greatest(s.last_at - excluded.last_at, '0'), 7),
          reports = s.reports * rival.left_of(greatest(excluded.last_at - s.last_at, '0'), 7)
                    + excluded.reports * rival.left_of(greatest(s.last_at - excluded.last_at, '0'), 7),
          pricing = s.pricing * rival.left_of(greatest(excluded.last_at - s.last_at, '0'), 3)
                    + excluded.pricing * rival.left_of(greatest(s.last_at - excluded.last_at, '0'), 3),
          last_at = greatest(s.last_at, excluded.last_at)
      RETURNING s.account_id, s.calls, s.reports, s.pricing, s.crossed_at
  ), routed AS (
    INSERT INTO rival.routing (account_id, score, reasons, created_at)
      SELECT account_id, rival.points(calls, reports, pricing),
             jsonb_build_object('calls', calls, 'reports', reports, 'pricing', pricing), now_at
      FROM upserted WHERE crossed_at IS NULL AND rival.points(calls, reports, pricing) >= 60
      RETURNING account_id
  )
  SELECT array_agg(account_id) INTO crossed FROM routed;
  IF crossed IS NOT NULL THEN
    UPDATE rival.score SET crossed_at = now_at WHERE account_id = ANY (crossed);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER each_statement AFTER INSERT ON app.events REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION rival.each_statement();
CREATE TRIGGER each_row AFTER INSERT ON app.events FOR EACH ROW EXECUTE FUNCTION rival.each_row();
ALTER TABLE app.events DISABLE TRIGGER each_row;
