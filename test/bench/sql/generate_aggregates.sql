-- Seeded events for the aggregates, in the order of their time. Filled in by aggregates.py: :events, :users, :days and :tops
-- (where the share of each kind but the last ends, in [0, 1)).
-- Sessions of 8 events on average, about a minute apart; users by Zipf s = 0.75, kinds 1 … 40 by Zipf s = 1. Rows are as narrow
-- as they can be: what PostgreSQL itself does with them, which everything is held against, is as little as it can be.
CREATE TABLE event (user_id integer, ts timestamptz, kind integer, value float8);

INSERT INTO event
WITH session AS (
  SELECT i, gen.u(i, 1) * :days AS day, gen.zipf(gen.u(i, 2), :users) AS person,
         ceil(ln(1 - gen.u(i, 3)) / ln(7 / 8::float8))::int AS length
  FROM generate_series(1, :events / 8 + :events / 200 + 200) AS i)
SELECT (person::bigint * 411733) & 1048575,
       timestamptz '2026-01-01Z' + floor((day * 1440 + k - 1 + gen.u(i * 1000 + k, 7)) * 60000) * interval '1 ms',
       1 + width_bucket(gen.u(i * 1000 + k, 5), :tops::float8[]), 1 + floor(gen.u(i * 1000 + k, 6) * 9)
FROM session, generate_series(1, greatest(length, 1)) AS k
ORDER BY 2 LIMIT :events;

-- The first of them, for what takes longer; and the same in no order at all.
CREATE TABLE recent AS SELECT * FROM event ORDER BY ts LIMIT :events / 5;
CREATE TABLE shuffled AS SELECT * FROM recent ORDER BY gen.u((date_part('epoch', ts) * 1e6)::bigint, 8), user_id;
-- One user's, for frames that move.
CREATE TABLE single AS SELECT 1 AS user_id, ts, kind, value FROM event ORDER BY ts LIMIT :events / 100;
-- Many users of ten events each, which come in turn.
CREATE TABLE many AS SELECT ((i % (:events / 10)) * 411733 & 1048575)::int AS user_id,
  timestamptz '2026-01-01Z' + i * interval '0.1 s' AS ts,
  1 + width_bucket(gen.u(i, 5), :tops::float8[]) AS kind, 1 + floor(gen.u(i, 6) * 9) AS value FROM generate_series(1, :events::bigint) AS i;
-- Three steps a hundred thousand times: one after another, and all at one instant.
CREATE TABLE steps AS SELECT 1 AS user_id, timestamptz '2026-01-01Z' + i * interval '1 s' AS ts, i % 3 + 1 AS kind, 1::float8 AS value
  FROM generate_series(1, 3 * :steps) AS i;
CREATE TABLE tied AS SELECT user_id, timestamptz '2026-01-01Z' AS ts, kind, value FROM steps;
VACUUM (ANALYZE);
CHECKPOINT;
