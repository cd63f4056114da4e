-- How sure shares are that were counted.

CREATE OR REPLACE FUNCTION pql.share_interval(part bigint, whole bigint, confidence float8 DEFAULT 0.95, OUT share float8, OUT low float8, OUT high float8)
  AS 'MODULE_PATHNAME', 'pql_share_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.share_interval(bigint, bigint, float8) IS
  'The share of part in whole, and the bounds between which the true one lies with a confidence: Wilson''s score interval (E. B. Wilson, Journal of the American Statistical Association 22:209, 1927). Of nothing: no share, between 0 and 1. Error: 22023 not a count, or not a confidence.';

CREATE OR REPLACE FUNCTION pql.difference_interval(part bigint, whole bigint, other_part bigint, other_whole bigint, confidence float8 DEFAULT 0.95,
                                                   OUT difference float8, OUT low float8, OUT high float8)
  AS 'MODULE_PATHNAME', 'pql_difference_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.difference_interval(bigint, bigint, bigint, bigint, float8) IS
  'The share of part in whole less the other one, as uplift over a holdout is, and the bounds between which the true one lies with a confidence: the hybrid score interval (R. G. Newcombe, Statistics in Medicine 17:873, 1998, method 10). Where one is of nothing: no difference, between -1 and 1. Error: 22023 not a count, or not a confidence.';

CREATE OR REPLACE FUNCTION pql.ratio_interval(part bigint, whole bigint, other_part bigint, other_whole bigint, confidence float8 DEFAULT 0.95,
                                              OUT ratio float8, OUT low float8, OUT high float8)
  AS 'MODULE_PATHNAME', 'pql_ratio_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION pql.ratio_interval(bigint, bigint, bigint, bigint, float8) IS
  'The share of part in whole divided by the other one, as lift is, and the bounds between which the true one lies with a confidence: the interval of its logarithm (D. Katz and others, Biometrics 34:469, 1978), in which none and all count as half of one away from that. Infinite where only the other share is 0; without a value where both are, or one is of nothing. Error: 22023 not a count, or not a confidence.';

CREATE OR REPLACE FUNCTION pql._share_text(share float8) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
  RETURN round((100 * share)::numeric, CASE WHEN abs(share) < 0.0995 THEN 1 ELSE 0 END) || '%';
COMMENT ON FUNCTION pql._share_text(float8) IS 'A share as people write it.';
