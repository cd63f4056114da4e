-- Events that are corrected while more arrive: deletes, updates of every column that matters, and some of them undone again.
-- Seeded: every run does the same.

CREATE TABLE deleted (LIKE events, batch int);

CREATE PROCEDURE load_with_changes(size bigint, every int)
  LANGUAGE plpgsql AS $$
DECLARE
  n int := 0;
  top bigint := (SELECT max(place) FROM arrived);
  chosen bigint[];
BEGIN
  PERFORM setseed(0.25);
  FOR at IN 1 .. top BY size LOOP
    n := n + 1;
    INSERT INTO events SELECT event_id, occurred_at, received_at, user_id, account_id, event, props FROM incoming
    WHERE place >= at AND place < at + size ORDER BY place;
    COMMIT;
    CONTINUE WHEN n % every <> 0;
    -- 40 events go.
    chosen := ARRAY(SELECT floor(random() * least(at + size - 1, top))::bigint + 1 FROM generate_series(1, 40));
    WITH gone AS (DELETE FROM events WHERE event_id = ANY (chosen) RETURNING *)
    INSERT INTO deleted SELECT *, n FROM gone;
    COMMIT;
    -- 40 are corrected: another time, another person, another name, or other properties.
    chosen := ARRAY(SELECT floor(random() * least(at + size - 1, top))::bigint + 1 FROM generate_series(1, 40));
    UPDATE events AS e
    SET occurred_at = CASE WHEN e.event_id % 4 = 0 THEN e.occurred_at - interval '31 days 00:00:00.000001' ELSE e.occurred_at END,
        user_id     = CASE WHEN e.event_id % 4 = 1 THEN o.user_id ELSE e.user_id END,
        account_id  = CASE WHEN e.event_id % 4 = 1 THEN o.account_id ELSE e.account_id END,
        event       = CASE WHEN e.event_id % 4 = 2 THEN 'changed_schema' ELSE e.event END,
        props       = CASE WHEN e.event_id % 4 = 3 THEN jsonb_set(e.props, '{quantity}', '17') ELSE e.props END
    FROM arrived AS o
    WHERE e.event_id = ANY (chosen) AND o.event_id = top + 1 - e.event_id;
    COMMIT;
    -- One transaction: a few come back, one of them is taken away again, and all of that once more within a savepoint that fails.
    BEGIN
      DELETE FROM events WHERE event_id % 1000 = n;
      RAISE EXCEPTION 'changed my mind';
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
    INSERT INTO events SELECT event_id, occurred_at, received_at, user_id, account_id, event, props FROM deleted
    WHERE batch = n AND event_id % 3 = 0 ON CONFLICT DO NOTHING;
    DELETE FROM events WHERE event_id = (SELECT min(event_id) FROM deleted WHERE batch = n);
    COMMIT;
  END LOOP;
END $$;

CREATE PROCEDURE undo_changes()
  LANGUAGE plpgsql AS $$
BEGIN
  UPDATE events AS e
  SET occurred_at = i.occurred_at, user_id = i.user_id, account_id = i.account_id, event = i.event, props = i.props
  FROM incoming AS i
  WHERE i.event_id = e.event_id
    AND (e.occurred_at, e.user_id, e.account_id, e.event, e.props)
        IS DISTINCT FROM (i.occurred_at, i.user_id, i.account_id, i.event, i.props);
  COMMIT;
  INSERT INTO events SELECT event_id, occurred_at, received_at, user_id, account_id, event, props FROM incoming AS i
  WHERE NOT EXISTS (SELECT FROM events AS e WHERE e.event_id = i.event_id);
  COMMIT;
END $$;
