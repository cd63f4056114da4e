-- What seeded data is drawn with. Filled in: :seed.
CREATE SCHEMA gen;

-- A number in [0, 1) that depends on nothing but its arguments.
CREATE FUNCTION gen.u(k bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(k, :seed * 1000 + salt) & 9007199254740991)::float8 / 9007199254740992 $$;

-- Zipf with exponent 3/4 over 1 … n, by the inverse of the integral.
CREATE FUNCTION gen.zipf(u float8, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT least(n, floor(power(u * (power(n + 1, 0.25::float8) - 1) + 1, 4))::int) $$;
