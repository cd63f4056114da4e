-- The customer's table of events, in 14 weekly partitions from :origin on. (A key of a partitioned table has its time.)
CREATE SCHEMA app;
CREATE SEQUENCE app.event_id START WITH 1000000000000;
CREATE TABLE app.events (
  id          bigint NOT NULL DEFAULT nextval('app.event_id'),
  user_id     text NOT NULL,
  account_id  text,
  name        text NOT NULL,
  ts          timestamptz NOT NULL DEFAULT now(),
  props       jsonb,
  PRIMARY KEY (id, ts)
) PARTITION BY RANGE (ts);
DO $$ BEGIN
  FOR week IN 0..13 LOOP
    EXECUTE format('CREATE TABLE app.events_%s PARTITION OF app.events FOR VALUES FROM (%L) TO (%L)', week,
                   :origin::timestamptz + week * interval '7 days', :origin::timestamptz + (week + 1) * interval '7 days');
  END LOOP;
END $$;
