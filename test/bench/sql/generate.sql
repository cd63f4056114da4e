-- Seeded events in the order of their time. Filled in by bench.py: :events, :users, :accounts, :per_day, :names (the most
-- frequent first) and :tops (where the share of each name but the last ends, in [0, 1)).
-- Sessions of 8 events on average, about a minute apart; users, and accounts of users, by Zipf s = 0.75; names by Zipf s = 1.
-- Numbers are scrambled on the way to ids, so that busy ids are not neighbours in an index.
CREATE FUNCTION gen.user_id(n int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT 'u' || ((n::bigint * 411733) & 1048575) $$;
CREATE FUNCTION gen.account_id(n int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT 'a' || ((n::bigint * 51749) & 131071) $$;

CREATE FUNCTION gen.name_of(u float8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (:names::text[])[1 + width_bucket(u, :tops::float8[])] $$;

CREATE UNLOGGED TABLE gen.event AS
WITH session AS (
  SELECT i, gen.u(i, 1) * :events / :per_day AS day, gen.zipf(gen.u(i, 2), :users) AS person,
         ceil(ln(1 - gen.u(i, 3)) / ln(7 / 8::float8))::int AS length
  FROM generate_series(1, :events / 8 + :events / 200 + 200) AS i)
SELECT row_number() OVER (ORDER BY day, i, k) AS n, gen.user_id(person) AS user_id,
       gen.account_id(gen.zipf(gen.u(person, 4), :accounts)) AS account_id, gen.name_of(gen.u(i * 1000 + k, 5)) AS name,
       (day * 86400e6)::bigint AS at, 1 + floor(gen.u(i * 1000 + k, 6) * 9)::int AS units
FROM (SELECT i, k, person, day + (k - 1 + gen.u(i * 1000 + k, 7)) / 1440 AS day
      FROM session, generate_series(1, greatest(length, 1)) AS k) e
ORDER BY n LIMIT :events;
CREATE INDEX ON gen.event (n);
ANALYZE gen.event;

-- Rows first … last as they are loaded: numbered from `id` on, and their time counted from `origin` on.
CREATE FUNCTION gen.rows(first bigint, last bigint, id bigint, origin timestamptz)
RETURNS TABLE (id bigint, user_id text, account_id text, name text, ts timestamptz, props jsonb) LANGUAGE sql STABLE AS $$
  SELECT id + n - first, user_id, account_id, name, origin + at * interval '1 microsecond',
         jsonb_build_object('units', units, 'plan', CASE WHEN units < 6 THEN 'free' ELSE 'team' END)
  FROM gen.event WHERE n BETWEEN first AND last ORDER BY n $$;
