-- Learning: evidence that fades and can be taken back, models and the programs that they propose, and how good they turned out to be.

-- What of a version can be learned, in the order of names.
CREATE OR REPLACE FUNCTION pql._scored_signals(program text, version int, OUT signals text[], OUT kinds text[], OUT points int[], OUT meanings jsonb[])
  RETURNS SETOF record
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000 ROWS 1
  BEGIN ATOMIC
    SELECT array_agg(s.key ORDER BY s.key COLLATE "C"), array_agg(s.value ->> 'kind' ORDER BY s.key COLLATE "C"), array_agg(x.points ORDER BY s.key COLLATE "C"),
           array_agg(s.value - '{max_points,points_each,why,owner,false_positive_risk,may_mention,may_show_rep,contact,explicit}'::text[]
             || jsonb_build_object('each', round((s.value ->> 'points_each')::numeric / abs(x.points), 3)) ORDER BY s.key COLLATE "C")
    FROM pql.program AS p, jsonb_each(p.document -> 'signals') AS s, LATERAL (SELECT (s.value ->> 'max_points')::numeric::int AS points OFFSET 0) AS x
    WHERE p.program = _scored_signals.program AND p.version = _scored_signals.version AND x.points <> 0 AND s.value -> 'may_score' IS DISTINCT FROM 'false'
    HAVING count(*) > 0;
  END;
COMMENT ON FUNCTION pql._scored_signals(text, int) IS 'The signals of a program''s version that score: names, kinds, the most points of each, and what they mean apart from those; no row without any.';

-- What a pilot handed over is learned by the program that it tried something of.
CREATE OR REPLACE FUNCTION pql._programs_of(program text) RETURNS SETOF text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200 ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT program UNION SELECT x.pilot_program FROM pql.pilot AS x WHERE x.program = _programs_of.program AND x.started_at IS NOT NULL;
END $$;
COMMENT ON FUNCTION pql._programs_of(text) IS 'A program, and that of its pilots if there were some.';

CREATE OR REPLACE FUNCTION pql._learner_of(program text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce((SELECT x.program FROM pql.pilot AS x WHERE x.pilot_program = _learner_of.program AND x.started_at IS NOT NULL LIMIT 1), program);
END $$;
COMMENT ON FUNCTION pql._learner_of(text) IS 'The program that learns from the hand-offs of another one: of a pilot''s the one that it tried something of, else itself.';

CREATE OR REPLACE FUNCTION pql._points_by_version(program text, version int, OUT version int, OUT points int[]) RETURNS SETOF record
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10
  BEGIN ATOMIC
    SELECT CASE o.program WHEN $1 THEN o.version ELSE -o.version END, (SELECT array_agg(coalesce(old.points, 0) ORDER BY mine.n)
                       FROM unnest(n.signals, n.meanings) WITH ORDINALITY AS mine(signal, meaning, n)
                         LEFT JOIN unnest(m.signals, m.points, m.meanings) AS old(signal, points, meaning)
                           ON old.signal = mine.signal AND (old.meaning = mine.meaning OR (o.program, o.version) = ($1, $2)))
    FROM pql._scored_signals($1, $2) AS n, pql.program AS o, LATERAL pql._scored_signals(o.program, o.version) AS m
    WHERE o.program IN (SELECT x.* FROM pql._programs_of($1) AS x) AND o.status <> 'draft';
  END;
COMMENT ON FUNCTION pql._points_by_version(text, int) IS 'For each version of a program the most points of the signals of one of them; 0 where a signal isn''t there, or means something else. Versions of its pilots have negative numbers.';

-- Evidence: which labels were counted, and the counts. A label that was corrected or is gone is taken away exactly as it was added.

CREATE TABLE pql.counted_label (
  home        text COLLATE "C" NOT NULL,
  routing_id  bigint NOT NULL,
  program     text NOT NULL,
  version     int NOT NULL,
  segment     text NOT NULL,
  team        text NOT NULL,
  at          timestamptz NOT NULL,
  converted   boolean NOT NULL,
  bins        smallint[] NOT NULL,
  PRIMARY KEY (home, routing_id)
);
CREATE INDEX counted_label_program ON pql.counted_label (program);
COMMENT ON TABLE pql.counted_label IS 'The final labels that pql.evidence holds, as they were counted: what pql.refresh_evidence compares labels with.';
COMMENT ON COLUMN pql.counted_label.version IS 'The version of the program that decided the hand-off.';
COMMENT ON COLUMN pql.counted_label.converted IS 'Whether it converted.';
--@ comments counted_label routing home routing_id
COMMENT ON COLUMN pql.counted_label.program IS 'That of the hand-off. What a pilot handed over is evidence of the program that it tried something of.';
COMMENT ON COLUMN pql.counted_label.segment IS 'The hand-off''s segment; empty: none.';
COMMENT ON COLUMN pql.counted_label.team IS 'The owner''s team; empty: none.';
COMMENT ON COLUMN pql.counted_label.at IS 'When the subject qualified: as of then the label fades.';
COMMENT ON COLUMN pql.counted_label.bins IS 'The bins of the version''s signals, in the order of their names: 0 no points, 1 to 3 up to a third, two thirds, all of them.';
SELECT pg_catalog.pg_extension_config_dump('pql.counted_label', '');

CREATE TABLE pql.evidence (
  program    text COLLATE "C" NOT NULL,
  segment    text COLLATE "C" NOT NULL,
  team       text COLLATE "C" NOT NULL,
  signal     text COLLATE "C" NOT NULL,
  bin        smallint NOT NULL,
  block      bigint NOT NULL,
  converted  numeric NOT NULL,
  other      numeric NOT NULL,
  PRIMARY KEY (program, segment, team, signal, bin, block)
);
COMMENT ON TABLE pql.evidence IS 'Final labels by what became of them, for each bin of each signal: faded counts in whole units, so that adding and taking away in any order gives the same numbers. pql.evidence_weights reads them.';
COMMENT ON COLUMN pql.evidence.program IS 'The program.';
COMMENT ON COLUMN pql.evidence.segment IS 'The segment of the hand-offs; empty: none.';
COMMENT ON COLUMN pql.evidence.team IS 'The owners'' team; empty: none.';
COMMENT ON COLUMN pql.evidence.signal IS 'The signal.';
COMMENT ON COLUMN pql.evidence.bin IS 'How many of the signal''s points they had: 0 none, 1 to 3 up to a third, two thirds, all of them.';
COMMENT ON COLUMN pql.evidence.block IS 'The block of time that the units are of.';
COMMENT ON COLUMN pql.evidence.converted IS 'Of labels that converted, in units of 2^-40 as of the block''s beginning.';
COMMENT ON COLUMN pql.evidence.other IS 'Of labels that did not.';
SELECT pg_catalog.pg_extension_config_dump('pql.evidence', '');

CREATE OR REPLACE FUNCTION pql._bins(reasons jsonb, signals text[], points int[]) RETURNS smallint[]
  AS 'MODULE_PATHNAME', 'pql__bins' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION pql._bins(jsonb, text[], int[]) IS 'The bins that a packet''s reasons put signals into, given the most points of each.';
CREATE OR REPLACE FUNCTION pql._fading_block(at timestamptz) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql__fading_block' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION pql._fading_block(timestamptz) IS 'The block of time that a label of an instant is counted in.';
CREATE OR REPLACE FUNCTION pql._fading_units(at timestamptz) RETURNS numeric
  AS 'MODULE_PATHNAME', 'pql__fading_units' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._fading_units(timestamptz) IS 'What a label of an instant weighs in its block.';
CREATE OR REPLACE FUNCTION pql._faded(units numeric, block bigint, as_of timestamptz) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql__faded' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._faded(numeric, bigint, timestamptz) IS 'How many labels of an instant a block''s units are worth.';
CREATE OR REPLACE FUNCTION pql._weigh(converted float8, other float8, all_converted float8, all_other float8, prior_converted float8, prior_other float8, strength float8,
                                      OUT weight float8, OUT low float8, OUT high float8, OUT share_converted float8, OUT share_other float8) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'pql__weigh' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 1;
COMMENT ON FUNCTION pql._weigh(float8, float8, float8, float8, float8, float8, float8) IS 'Weight of evidence of a bin with its 95 % interval, shrunk towards prior shares; source: Good, Probability and the Weighing of Evidence, 1950.';
CREATE OR REPLACE FUNCTION pql._prior_strength(in_bin float8[], labels float8[], expected float8[]) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql__prior_strength' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._prior_strength(float8[], float8[], float8[]) IS 'How many labels a prior is worth, given how much groups differ: method of moments for the beta-binomial; source: Kleinman, JASA 68, 1973.';

-- Labels are counted in bulk: what is new, what is gone, and what is otherwise than it was counted.
CREATE OR REPLACE FUNCTION pql._refresh_evidence(program text, as_of timestamptz) RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at_instant timestamptz := coalesce(_refresh_evidence.as_of, pql._now());
  programs text[] := ARRAY(SELECT x.* FROM pql._programs_of(_refresh_evidence.program) AS x);
  the_only text := CASE cardinality(programs) WHEN 1 THEN programs[1] END;
  gone bigint;
  added bigint;
BEGIN
  LOCK TABLE pql.counted_label IN SHARE ROW EXCLUSIVE MODE; -- two at once would count the same labels
  WITH final AS MATERIALIZED ( -- as they are once all are final: what was counted is corrected or gone whatever the instant, and young by none
    SELECT l.home, l.routing_id, l.program, l.version, coalesce(l.segment, '') AS segment, coalesce(l.team, '') AS team, l.qualified_at AS at, l.converted
    FROM pql.labels('infinity', the_only) AS l WHERE l.follows IS NULL AND (_refresh_evidence.program IS NULL OR l.program = ANY (programs))),
  taken AS (
    DELETE FROM pql.counted_label AS c
    WHERE (_refresh_evidence.program IS NULL OR c.program = ANY (programs))
      AND NOT EXISTS (SELECT FROM final AS f WHERE (f.home, f.routing_id, f.program, f.version, f.segment, f.team, f.at, f.converted)
                        = (c.home, c.routing_id, c.program, c.version, c.segment, c.team, c.at, c.converted))
    RETURNING c.*),
  folded AS (
    SELECT n.learner AS program, t.segment, t.team, x.signal, x.bin, pql._fading_block(t.at) AS block,
           coalesce(sum(t.units) FILTER (WHERE t.converted), 0) AS converted, coalesce(sum(t.units) FILTER (WHERE NOT t.converted), 0) AS other
    FROM (SELECT k.*, pql._fading_units(k.at) AS units FROM taken AS k OFFSET 0) AS t
      JOIN (SELECT v.program, v.version, s.signals, pql._learner_of(v.program) AS learner FROM (SELECT DISTINCT k.program, k.version FROM taken AS k) AS v,
              LATERAL pql._scored_signals(v.program, v.version) AS s OFFSET 0) AS n ON n.program = t.program AND n.version = t.version,
      LATERAL unnest(n.signals, t.bins) AS x(signal, bin)
    GROUP BY 1, 2, 3, 4, 5, 6),
  changed AS (
    UPDATE pql.evidence AS e SET converted = e.converted - f.converted, other = e.other - f.other
    FROM folded AS f WHERE (e.program, e.segment, e.team, e.signal, e.bin, e.block) = (f.program, f.segment, f.team, f.signal, f.bin, f.block))
  SELECT count(*) INTO gone FROM taken;
  WITH final AS MATERIALIZED (
    SELECT l.home, l.routing_id, l.program, l.version, coalesce(l.segment, '') AS segment, coalesce(l.team, '') AS team, l.qualified_at AS at, l.converted
    FROM pql.labels(at_instant, the_only) AS l
    WHERE l.follows IS NULL AND l.matures_at <= at_instant AND (_refresh_evidence.program IS NULL OR l.program = ANY (programs))),
  versions AS MATERIALIZED (
    SELECT v.program, v.version, s.signals, s.points, pql._learner_of(v.program) AS learner FROM (SELECT DISTINCT f.program, f.version FROM final AS f) AS v,
      LATERAL pql._scored_signals(v.program, v.version) AS s),
  counted AS (
    INSERT INTO pql.counted_label (home, routing_id, program, version, segment, team, at, converted, bins)
    SELECT f.home, f.routing_id, f.program, f.version, f.segment, f.team, f.at, f.converted, pql._bins(coalesce(p.reasons, r.reasons), v.signals, v.points)
    FROM final AS f JOIN versions AS v ON v.program = f.program AND v.version = f.version
      JOIN pql.routing AS r ON r.home = f.home AND r.routing_id = f.routing_id
      LEFT JOIN pql.scoring_packet AS p ON p.home = f.home AND p.routing_id = f.routing_id
    WHERE NOT EXISTS (SELECT FROM pql.counted_label AS c WHERE c.home = f.home AND c.routing_id = f.routing_id)
    RETURNING *),
  folded AS (
    SELECT v.learner AS program, t.segment, t.team, x.signal, x.bin, pql._fading_block(t.at) AS block,
           coalesce(sum(t.units) FILTER (WHERE t.converted), 0) AS converted, coalesce(sum(t.units) FILTER (WHERE NOT t.converted), 0) AS other
    FROM (SELECT k.*, pql._fading_units(k.at) AS units FROM counted AS k OFFSET 0) AS t
      JOIN versions AS v ON v.program = t.program AND v.version = t.version, LATERAL unnest(v.signals, t.bins) AS x(signal, bin)
    GROUP BY 1, 2, 3, 4, 5, 6),
  changed AS (
    INSERT INTO pql.evidence AS e (program, segment, team, signal, bin, block, converted, other)
    SELECT f.program, f.segment, f.team, f.signal, f.bin, f.block, f.converted, f.other FROM folded AS f
    ON CONFLICT ON CONSTRAINT evidence_pkey DO UPDATE SET converted = e.converted + excluded.converted, other = e.other + excluded.other)
  SELECT count(*) INTO added FROM counted;
  DELETE FROM pql.evidence AS e WHERE e.converted = 0 AND e.other = 0;
  RETURN gone + added;
END $$;
COMMENT ON FUNCTION pql._refresh_evidence(text, timestamptz) IS 'What pql.refresh_evidence does, once plans are made for many rows.';
REVOKE ALL ON FUNCTION pql._refresh_evidence(text, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql.refresh_evidence(program text DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS bigint
  AS 'MODULE_PATHNAME', 'pql_refresh_evidence' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION pql.refresh_evidence(text, timestamptz) IS
  'Counts the labels of a program (null: of all) that have become final by an instant, and takes away those that were corrected or are gone; returns how many. What has been counted stays, also if an earlier instant is asked for. What is left is what counting all of them anew would give, to the last bit.';
REVOKE ALL ON FUNCTION pql.refresh_evidence(text, timestamptz) FROM PUBLIC;

-- From all labels to a segment's, and to a team's within it: each is shrunk towards what is around it.
CREATE OR REPLACE FUNCTION pql.evidence_weights(program text, segment text DEFAULT NULL, team text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (signal text, bin int, points text, converted float8, other float8, weight float8, low float8, high float8, proven boolean)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 40
  BEGIN ATOMIC
    WITH instant AS (SELECT coalesce(evidence_weights.as_of, pql._now()) AS now),
    cell AS MATERIALIZED (
      SELECT e.segment, e.team, e.signal, e.bin, pql._faded(e.converted, e.block, i.now) AS converted, pql._faded(e.other, e.block, i.now) AS other
      FROM pql.evidence AS e, instant AS i WHERE e.program = evidence_weights.program),
    bins AS (SELECT DISTINCT s.signal, s.bin FROM cell AS s),
    one AS MATERIALIZED ( -- of all
      SELECT b.signal, b.bin, coalesce(sum(c.converted), 0) AS n1, coalesce(sum(c.other), 0) AS n0,
             sum(coalesce(sum(c.converted), 0)) OVER w AS all1, sum(coalesce(sum(c.other), 0)) OVER w AS all0
      FROM bins AS b LEFT JOIN cell AS c ON c.signal = b.signal AND c.bin = b.bin GROUP BY b.signal, b.bin WINDOW w AS (PARTITION BY b.signal)),
    first AS MATERIALIZED (
      SELECT o.*, w.weight, w.low, w.high, w.share_converted, w.share_other
      FROM one AS o, (SELECT pql._prior_strength(array_agg(x.n1), array_agg(x.all1), array_agg((x.n1 + x.n0) / greatest(x.all1 + x.all0, 1e-9))) AS strength FROM one AS x) AS a,
        LATERAL pql._weigh(o.n1, o.n0, o.all1, o.all0, (o.n1 + o.n0) / greatest(o.all1 + o.all0, 1e-9), (o.n1 + o.n0) / greatest(o.all1 + o.all0, 1e-9), a.strength) AS w),
    two AS MATERIALIZED ( -- of each segment
      SELECT g.segment, f.signal, f.bin, coalesce(sum(c.converted), 0) AS n1, coalesce(sum(c.other), 0) AS n0,
             sum(coalesce(sum(c.converted), 0)) OVER w AS all1, sum(coalesce(sum(c.other), 0)) OVER w AS all0, f.share_converted AS prior1, f.share_other AS prior0
      FROM (SELECT DISTINCT c.segment FROM cell AS c UNION SELECT evidence_weights.segment WHERE evidence_weights.segment IS NOT NULL) AS g CROSS JOIN first AS f
        LEFT JOIN cell AS c ON c.segment = g.segment AND c.signal = f.signal AND c.bin = f.bin
      GROUP BY g.segment, f.signal, f.bin, f.share_converted, f.share_other WINDOW w AS (PARTITION BY g.segment, f.signal)),
    second AS MATERIALIZED (
      SELECT o.*, w.weight, w.low, w.high, w.share_converted, w.share_other
      FROM two AS o, (SELECT pql._prior_strength(array_agg(x.n1), array_agg(x.all1), array_agg(x.prior1)) AS strength FROM two AS x) AS a,
        LATERAL pql._weigh(o.n1, o.n0, o.all1, o.all0, o.prior1, o.prior0, a.strength) AS w
      WHERE o.segment = evidence_weights.segment OR evidence_weights.segment IS NULL),
    around AS MATERIALIZED ( -- of a team what is around it
      SELECT s.signal, s.bin, s.n1, s.n0, s.weight, s.low, s.high, s.share_converted, s.share_other FROM second AS s WHERE evidence_weights.segment IS NOT NULL
      UNION ALL SELECT f.signal, f.bin, f.n1, f.n0, f.weight, f.low, f.high, f.share_converted, f.share_other FROM first AS f WHERE evidence_weights.segment IS NULL),
    three AS MATERIALIZED (
      SELECT g.team, f.signal, f.bin, coalesce(sum(c.converted), 0) AS n1, coalesce(sum(c.other), 0) AS n0,
             sum(coalesce(sum(c.converted), 0)) OVER w AS all1, sum(coalesce(sum(c.other), 0)) OVER w AS all0, f.share_converted AS prior1, f.share_other AS prior0
      FROM (SELECT DISTINCT c.team FROM cell AS c WHERE evidence_weights.team IS NOT NULL UNION SELECT evidence_weights.team WHERE evidence_weights.team IS NOT NULL) AS g
        CROSS JOIN around AS f
        LEFT JOIN cell AS c ON c.team = g.team AND c.signal = f.signal AND c.bin = f.bin AND (evidence_weights.segment IS NULL OR c.segment = evidence_weights.segment)
      GROUP BY g.team, f.signal, f.bin, f.share_converted, f.share_other WINDOW w AS (PARTITION BY g.team, f.signal)),
    third AS (
      SELECT o.signal, o.bin, o.n1, o.n0, w.weight, w.low, w.high
      FROM three AS o, (SELECT pql._prior_strength(array_agg(x.n1), array_agg(x.all1), array_agg(x.prior1)) AS strength FROM three AS x) AS a,
        LATERAL pql._weigh(o.n1, o.n0, o.all1, o.all0, o.prior1, o.prior0, a.strength) AS w
      WHERE o.team = evidence_weights.team),
    result AS (
      SELECT t.signal, t.bin, t.n1, t.n0, t.weight, t.low, t.high FROM third AS t
      UNION ALL SELECT a.signal, a.bin, a.n1, a.n0, a.weight, a.low, a.high FROM around AS a WHERE evidence_weights.team IS NULL)
    SELECT r.signal, r.bin, (ARRAY['none', 'up to a third', 'up to two thirds', 'more'])[r.bin + 1], r.n1, r.n0, r.weight, r.low, r.high, r.low > 0 OR r.high < 0
    FROM result AS r ORDER BY r.signal, r.bin;
  END;
COMMENT ON FUNCTION pql.evidence_weights(text, text, text, timestamptz) IS
  'What each signal says by itself, by how many of its points there were: faded labels that converted and that did not, the log of how much likelier it is among those who converted (weight) with its 95 % interval, and whether that leaves zero out. Of a segment, and of a team (null: of all), shrunk towards what is around it: all, then the segment. No rows before pql.refresh_evidence has counted labels.';

-- Models

CREATE TABLE pql.model (
  model_id           bigint PRIMARY KEY DEFAULT pql.next_id(),
  program            text NOT NULL,
  version            int NOT NULL,
  fitted_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  fitted_by          text NOT NULL DEFAULT session_user,
  as_of              timestamptz NOT NULL,
  method             text NOT NULL,
  labels             bigint NOT NULL,
  converted          bigint NOT NULL,
  open               bigint NOT NULL,
  counted            float8 NOT NULL,
  half_life          interval NOT NULL,
  brier              float8,
  log_loss           float8,
  auc                float8,
  calibration_error  float8,
  signals            jsonb NOT NULL,
  kinds              jsonb NOT NULL,
  bins               jsonb NOT NULL,
  body               jsonb NOT NULL,
  document           jsonb NOT NULL
);
CREATE INDEX model_program ON pql.model (program, as_of);
COMMENT ON TABLE pql.model IS 'What was learned of programs, and from what (pql.propose_program). A model never changes.';
COMMENT ON COLUMN pql.model.model_id IS 'The number of the model.';
COMMENT ON COLUMN pql.model.program IS 'The program.';
COMMENT ON COLUMN pql.model.fitted_at IS 'When it was learned.';
COMMENT ON COLUMN pql.model.fitted_by IS 'The role that asked for it.';
COMMENT ON COLUMN pql.model.method IS 'How it was learned, in words.';
COMMENT ON COLUMN pql.model.converted IS 'How many of the labels converted.';
COMMENT ON COLUMN pql.model.log_loss IS 'Mean of what the chances cost in natural logarithms: the less, the better.';
COMMENT ON COLUMN pql.model.version IS 'The program''s version whose weights it started from.';
COMMENT ON COLUMN pql.model.as_of IS 'Labels are as they were known then.';
COMMENT ON COLUMN pql.model.labels IS 'How many final labels it rests on, of hand-offs whose horizon had passed.';
COMMENT ON COLUMN pql.model.open IS 'How many others, which counted as far as their conversion would have been seen by then.';
COMMENT ON COLUMN pql.model.counted IS 'How many labels of today they are as good as: old ones count less.';
COMMENT ON COLUMN pql.model.half_life IS 'After which a label counts half; of several, the one that forecast best what came next.';
COMMENT ON COLUMN pql.model.brier IS 'Mean square of what the chances of final labels were off, each without its label''s own influence; so are the others.';
COMMENT ON COLUMN pql.model.auc IS 'Area under the curve: how often of two hand-offs the one that converted had the higher chance.';
COMMENT ON COLUMN pql.model.calibration_error IS 'Mean distance between chance and share that converted, over ten bins.';
COMMENT ON COLUMN pql.model.signals IS 'For each signal its weight with the 95 % interval, its points and those proposed, conversions with it and without it, and the hand-offs by bin.';
COMMENT ON COLUMN pql.model.kinds IS 'Conversions of hand-offs with points of each kind, and without.';
COMMENT ON COLUMN pql.model.bins IS 'Calibration: how many, predicted and observed.';
COMMENT ON COLUMN pql.model.body IS 'The terms of the log odds, and their calibration.';
COMMENT ON COLUMN pql.model.document IS 'The program that it proposes; pql.publish takes it.';
SELECT pg_catalog.pg_extension_config_dump('pql.model', '');
ALTER TABLE pql.model ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.model USING (NOT (SELECT pql._is_rep())) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.model IS 'It names signals that reps may not see.';
ALTER TABLE pql.evidence ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.evidence USING (NOT (SELECT pql._is_rep())) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.evidence IS 'It names signals that reps may not see.';
ALTER TABLE pql.counted_label ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON pql.counted_label USING (NOT (SELECT pql._is_rep())) WITH CHECK (true);
COMMENT ON POLICY seen ON pql.counted_label IS 'It has bins of signals that reps may not see.';

CREATE OR REPLACE FUNCTION pql._learn(program text, version int, as_of timestamptz, enter int) RETURNS jsonb
  AS 'MODULE_PATHNAME', 'pql__learn' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION pql._learn(text, int, timestamptz, int) IS 'A model of a program''s version, as JSON. Error: 55000 too few labels.';
REVOKE ALL ON FUNCTION pql._learn(text, int, timestamptz, int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._chance(model_id bigint, program text, version int, reasons jsonb, segment text, treated boolean) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql__chance' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000;
COMMENT ON FUNCTION pql._chance(bigint, text, int, jsonb, text, boolean) IS 'What a model (null: the program''s newest) says of a packet''s reasons, whether somebody works it or not; null without a model, or where reasons are hidden from whoever asks.';

CREATE OR REPLACE FUNCTION pql.likelihood(routing_id bigint, model_id bigint DEFAULT NULL) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql_likelihood' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION pql.likelihood(bigint, bigint) IS
  'How likely a hand-off is to convert within the horizon if it is worked: the calibrated chance by a model (default: its program''s newest), from the packet as it was frozen. Null: no such row, no model, or reasons that whoever asks may not see. Errors: 42704 unknown model, 22023 another program''s model.';

CREATE OR REPLACE FUNCTION pql.likelihoods(program text, model_id bigint DEFAULT NULL)
  RETURNS TABLE (routing_id bigint, home text, likelihood float8)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
  BEGIN ATOMIC
    SELECT r.routing_id, r.home, pql._chance(likelihoods.model_id, r.program, r.version, coalesce(p.reasons, r.reasons), r.segment, true)
    FROM pql.routing AS r LEFT JOIN pql.scoring_packet AS p ON p.home = r.home AND p.routing_id = r.routing_id
    WHERE r.program = likelihoods.program;
  END;
COMMENT ON FUNCTION pql.likelihoods(text, bigint) IS 'pql.likelihood of all hand-offs of a program, in one go.';

CREATE OR REPLACE FUNCTION pql._learned_version(program text) RETURNS int
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  found_version int;
BEGIN
  IF pql._is_rep() THEN
    RAISE EXCEPTION 'permission denied to see what reps may not see' USING ERRCODE = 'insufficient_privilege', HINT = 'What is learned names all signals.';
  END IF;
  IF program IS NULL THEN
    RAISE EXCEPTION 'program must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT p.version INTO found_version FROM pql.program AS p WHERE p.program = _learned_version.program AND p.status <> 'draft'
  ORDER BY p.status = 'live' DESC, p.status = 'shadow' DESC, p.version DESC LIMIT 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'program "%" does not exist', program USING ERRCODE = 'undefined_object', HINT = 'Table pql.program has those that do.';
  END IF;
  RETURN found_version;
END $$;
COMMENT ON FUNCTION pql._learned_version(text) IS 'The version of a program that is learned about: the live one, or else the one in shadow, or else the last. Errors: 42704 unknown program, 42501 a rep asks, 22004 null.';

CREATE OR REPLACE FUNCTION pql._why_points(s jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 500
  BEGIN ATOMIC
    SELECT format('%s of %s with it converted, %s of %s without; weight %s (%s to %s), by its points %s: %s',
      s #>> '{with,converted}', s #>> '{with,hand_offs}', s #>> '{without,converted}', s #>> '{without,hand_offs}',
      n.weight, n.low, n.high, n.prior,
      CASE WHEN (s ->> 'open')::boolean THEN 'not proven, keeps its points'
           WHEN (s ->> 'proven')::boolean AND ((s ->> 'weight')::float8 > 0) <> ((s ->> 'points')::int > 0) THEN 'proven to work the other way: somebody should look at it'
           WHEN NOT (s ->> 'proven')::boolean THEN 'proven to be worth less than its points'
           WHEN (s ->> 'points') = (s ->> 'proposed') THEN 'proven, as it is'
           ELSE 'proven' END)
    FROM (SELECT round((s ->> 'weight')::numeric, 2) AS weight, round((s ->> 'low')::numeric, 2) AS low, round((s ->> 'high')::numeric, 2) AS high,
                 round((s ->> 'prior')::numeric, 2) AS prior) AS n;
  END;
COMMENT ON FUNCTION pql._why_points(jsonb) IS 'What was learned of a signal, in a sentence.';

-- The document of a version with other points; what is given for each unit goes with them, so that the curve stays as it is.
CREATE OR REPLACE FUNCTION pql._with_points(document jsonb, signals jsonb, enter int, leave int) RETURNS jsonb
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s jsonb;
  each numeric;
BEGIN
  FOR s IN SELECT x.v FROM jsonb_array_elements(signals) AS x(v) WHERE x.v -> 'points' <> x.v -> 'proposed' LOOP
    each := (document #>> ARRAY['signals', s ->> 'signal', 'points_each'])::numeric; -- null: it has none
    document := jsonb_set(document, ARRAY['signals', s ->> 'signal', 'max_points'], s -> 'proposed');
    IF each IS NOT NULL AND (s ->> 'proposed')::int <> 0 THEN
      document := jsonb_set(document, ARRAY['signals', s ->> 'signal', 'points_each'],
        to_jsonb(trim_scale(round(each * (s ->> 'proposed')::int / (s ->> 'points')::int, 4))));
    END IF;
  END LOOP;
  document := jsonb_set(document, '{qualify,enter}', to_jsonb(enter), false);
  RETURN jsonb_set(document, '{qualify,leave}', to_jsonb(leave), false);
END $$;
COMMENT ON FUNCTION pql._with_points(jsonb, jsonb, int, int) IS 'A program''s document with the points that were learned, and another threshold.';

CREATE OR REPLACE FUNCTION pql.propose_program(program text, as_of timestamptz DEFAULT statement_timestamp())
  RETURNS TABLE (path text, what text, was text, becomes text, reason text, support bigint, low float8, high float8, model_id bigint, draft int)
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  number CONSTANT int := pql._learned_version(program);
  -- while a pilot runs, without the hole that it leaves in the program
  old CONSTANT jsonb := (SELECT coalesce((SELECT pql._with_segment_again(p.document, x.segment) FROM pql.pilot AS x WHERE x.program = p.program AND x.ended_at IS NULL), p.document)
                         FROM pql.program AS p WHERE p.program = propose_program.program AND p.version = number);
  old_enter CONSTANT int := (old #>> '{qualify,enter}')::numeric;
  old_leave CONSTANT int := (old #>> '{qualify,leave}')::numeric;
  learned jsonb;
  document jsonb := old;
  enter int := old_enter;
  leave int := old_leave;
  id bigint;
  draft_number int;
  theirs text;
BEGIN
  IF propose_program.as_of IS NULL THEN
    RAISE EXCEPTION 'as_of must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM pql.refresh_evidence(program, propose_program.as_of);
  learned := pql._learn(program, number, propose_program.as_of, coalesce(old_enter, 0));
  IF EXISTS (SELECT FROM jsonb_array_elements(learned -> 'signals') AS s(v) WHERE s.v -> 'points' <> s.v -> 'proposed') THEN
    IF old_enter IS NOT NULL THEN
      enter := (learned #>> '{threshold,enter}')::int;
      leave := round(old_leave::numeric * enter / greatest(old_enter, 1));
    END IF;
    document := pql._with_points(old, learned -> 'signals', coalesce(enter, 0), coalesce(leave, 0));
    PERFORM pql._require_document(document, false);
  END IF;
  INSERT INTO pql.model (program, version, as_of, method, labels, converted, open, counted, half_life, brier, log_loss, auc, calibration_error, signals, kinds, bins, body, document)
  SELECT propose_program.program, number, propose_program.as_of,
         CASE WHEN (learned ->> 'richer')::boolean THEN 'ridge logistic regression, with pairs of signals' ELSE 'ridge logistic regression' END,
         (learned ->> 'labels')::bigint, (learned ->> 'converted')::bigint, (learned ->> 'open')::bigint, (learned ->> 'counted')::float8,
         make_interval(days => (learned ->> 'half_life_days')::int), (learned #>> '{quality,brier}')::float8, (learned #>> '{quality,log_loss}')::float8,
         (learned #>> '{quality,auc}')::float8, (learned #>> '{quality,ece}')::float8, learned -> 'signals', learned -> 'kinds', learned #> '{quality,bins}',
         learned -> 'body', document
  RETURNING pql.model.model_id INTO id;
  DELETE FROM pql.program AS p -- what was learned before, and nobody took up
  WHERE p.program = propose_program.program AND p.status = 'draft' AND (p.note = 'learned' OR p.note LIKE 'learned, model %');
  IF document <> old THEN
    SELECT p.note INTO theirs FROM pql.program AS p WHERE p.program = propose_program.program AND p.status = 'draft';
    IF NOT FOUND THEN -- a draft that somebody wrote isn't overwritten
      draft_number := pql.save_draft(document, format('learned, model %s', id));
    END IF;
  END IF;
  PERFORM pql._audit('propose_program', program, jsonb_build_object('model_id', id, 'version', number, 'draft', draft_number));
  RETURN QUERY
    SELECT 'signals.' || (s.v ->> 'signal') || '.max_points',
           CASE WHEN (s.v ->> 'open')::boolean THEN 'not proven' WHEN s.v -> 'points' = s.v -> 'proposed' THEN 'kept'
                WHEN abs((s.v ->> 'proposed')::int) > abs((s.v ->> 'points')::int) THEN 'raised' ELSE 'lowered' END,
           s.v ->> 'points', s.v ->> 'proposed', pql._why_points(s.v), (s.v #>> '{with,hand_offs}')::bigint, (s.v ->> 'low')::float8, (s.v ->> 'high')::float8, id, draft_number
    FROM jsonb_array_elements(learned -> 'signals') WITH ORDINALITY AS s(v, n)
    ORDER BY s.v -> 'points' = s.v -> 'proposed', abs((s.v ->> 'proposed')::int - (s.v ->> 'points')::int) DESC, s.n;
  IF enter IS DISTINCT FROM old_enter THEN
    RETURN QUERY SELECT 'qualify.enter', CASE WHEN enter > old_enter THEN 'raised' ELSE 'lowered' END, old_enter::text, enter::text,
      format('the same number of hand-offs: what %s was by the old points is about %s by the new ones. Of the last %s hand-offs %s reach it; as many as do not are expected from those who were below. pql.preview() says who',
             old_enter, enter, learned #>> '{threshold,last}', learned #>> '{threshold,reach}'),
      (learned #>> '{threshold,last}')::bigint, NULL::float8, NULL::float8, id, draft_number;
  END IF;
END $$;
COMMENT ON FUNCTION pql.propose_program(text, timestamptz) IS
  'Learns from the labels of a program, its pilots'' included, as of an instant, what its signals are worth; keeps the model in pql.model and the program that follows from it as the draft of the next version, unless somebody else has written one. Returns a row for each signal and for the threshold: what it was, what it becomes and why, with how many hand-offs that rests on and the weight''s 95 % interval. A signal of which too little is known keeps its points. Nothing changes until somebody publishes the draft. Errors: 42704 unknown program, 55000 too few labels (at least 20 that converted and 20 that did not), 22004 null argument.';
REVOKE ALL ON FUNCTION pql.propose_program(text, timestamptz) FROM PUBLIC;

-- How good a model turned out to be.

CREATE OR REPLACE FUNCTION pql._quality(chances float8[], converted boolean[], OUT brier float8, OUT log_loss float8, OUT auc float8, OUT calibration_error float8, OUT lift float8)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'pql__quality' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 1;
COMMENT ON FUNCTION pql._quality(float8[], boolean[]) IS 'How good chances were: Brier score (Brier, Monthly Weather Review 78, 1950), log loss, area under the curve (Hanley and McNeil, Radiology 143, 1982), calibration error over ten bins (Naeini, Cooper, Hauskrecht, AAAI 2015), and how often the highest tenth converts by how often all do.';
CREATE OR REPLACE FUNCTION pql._calibration_bins(chances float8[], converted boolean[], bins int, OUT hand_offs bigint, OUT predicted float8, OUT observed float8)
  RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'pql__calibration_bins' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000 ROWS 10;
COMMENT ON FUNCTION pql._calibration_bins(float8[], boolean[], int) IS 'Chances in bins of about equal numbers: what was predicted, and what was observed.';
CREATE OR REPLACE FUNCTION pql._stability(expected float8[], actual float8[]) RETURNS float8
  AS 'MODULE_PATHNAME', 'pql__stability' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION pql._stability(float8[], float8[]) IS 'Population stability index of two counts by bin (Siddiqi, Credit Risk Scorecards, 2006): below 0.1 they are alike, above 0.25 they are not.';

CREATE OR REPLACE FUNCTION pql._judged(model_id bigint, after timestamptz, as_of timestamptz)
  RETURNS TABLE (routing_id bigint, at timestamptz, chance float8, converted boolean)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100000 ROWS 10000
  BEGIN ATOMIC
    SELECT l.routing_id, l.qualified_at, c.chance, l.converted
    FROM pql.model AS m, LATERAL pql.labels(_judged.as_of, m.program) AS l
      JOIN pql.routing AS r ON r.home = l.home AND r.routing_id = l.routing_id
      LEFT JOIN pql.scoring_packet AS p ON p.home = r.home AND p.routing_id = r.routing_id,
      LATERAL (SELECT pql._chance(m.model_id, r.program, r.version, coalesce(p.reasons, r.reasons), r.segment, l.treated) AS chance OFFSET 0) AS c
    WHERE m.model_id = _judged.model_id AND l.qualified_at > _judged.after AND l.matures_at <= _judged.as_of AND l.follows IS NULL AND c.chance IS NOT NULL;
  END;
COMMENT ON FUNCTION pql._judged(bigint, timestamptz, timestamptz) IS 'What a model says of hand-offs that qualified after an instant, worked or not as they were, and what became of them: those whose labels are final.';

CREATE OR REPLACE FUNCTION pql.calibration(program text, version int DEFAULT NULL, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (model_id bigint, basis text, bin int, hand_offs bigint, predicted float8, observed float8, low float8, high float8, brier float8, calibration_error float8)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  m pql.model;
BEGIN
  PERFORM pql._learned_version(program);
  SELECT * INTO m FROM pql.model AS x WHERE x.program = calibration.program AND (calibration.version IS NULL OR x.version = calibration.version)
  ORDER BY x.as_of DESC, x.model_id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY
    WITH judged AS MATERIALIZED (
      SELECT array_agg(j.chance ORDER BY j.routing_id) AS chances, array_agg(j.converted ORDER BY j.routing_id) AS labels
      FROM pql._judged(m.model_id, m.as_of, coalesce(calibration.as_of, pql._now())) AS j),
    told AS (
      SELECT 'learned' AS basis, b.n::int AS bin, round((b.v ->> 'count')::numeric)::bigint AS hand_offs, (b.v ->> 'predicted')::float8 AS predicted,
             (b.v ->> 'observed')::float8 AS observed, m.brier, m.calibration_error
      FROM jsonb_array_elements(m.bins) WITH ORDINALITY AS b(v, n)
      UNION ALL
      SELECT 'since', b.n::int, b.hand_offs, b.predicted, b.observed, q.brier, q.calibration_error
      FROM judged AS j, pql._quality(j.chances, j.labels) AS q,
        LATERAL ROWS FROM (pql._calibration_bins(j.chances, j.labels, least(10, greatest(1, cardinality(j.chances) / 20)))) WITH ORDINALITY AS b(hand_offs, predicted, observed, n))
    SELECT m.model_id, t.basis, t.bin, t.hand_offs, t.predicted, t.observed, greatest(0, w.middle - w.half), least(1, w.middle + w.half), t.brier, t.calibration_error
    FROM told AS t, LATERAL (SELECT (t.observed + 1.9208 / t.hand_offs) / (1 + 3.8415 / t.hand_offs) AS middle,
                                    1.96 * sqrt(t.observed * (1 - t.observed) / t.hand_offs + 0.9604 / t.hand_offs / t.hand_offs) / (1 + 3.8415 / t.hand_offs) AS half
                             WHERE t.hand_offs > 0) AS w
    ORDER BY t.basis, t.bin;
END $$;
COMMENT ON FUNCTION pql.calibration(text, int, timestamptz) IS
  'Whether the chances of a program''s newest model (of a version, if one is given) come true: in bins of about equal numbers what was predicted, the share that converted with its 95 % interval (Wilson, JASA 22, 1927), and over all of them the Brier score and the calibration error. basis: learned, of the labels that it was learned from, each without its own influence; since, of hand-offs after that whose labels are final by now. No rows without a model. Errors: 42704 unknown program, 42501 a rep asks, 22004 null program.';

CREATE OR REPLACE FUNCTION pql.drift(program text, as_of timestamptz DEFAULT NULL)
  RETURNS TABLE (what text, name text, value float8, limit_value float8, hand_offs bigint, alarm boolean, reason text)
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 ROWS 20 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  now CONSTANT timestamptz := coalesce(drift.as_of, pql._now());
  few CONSTANT int := 50; -- hand-offs, of fewer of which nothing is said
  old CONSTANT int := 180; -- days
  m pql.model;
BEGIN
  PERFORM pql._learned_version(program);
  SELECT * INTO m FROM pql.model AS x WHERE x.program = drift.program AND x.as_of <= now ORDER BY x.as_of DESC, x.model_id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  RETURN QUERY SELECT 'age', 'model', a.days, old::float8, m.labels, a.days > old,
      CASE WHEN a.days > old THEN format('learned %s days ago: pql.propose_program() learns from what has happened since', floor(a.days)) END
    FROM (SELECT extract(epoch FROM now - m.as_of)::float8 / 86400 AS days) AS a;
  RETURN QUERY
    WITH came AS MATERIALIZED (
      SELECT x.signal, x.bin, count(*) AS n
      FROM pql.routing AS r LEFT JOIN pql.scoring_packet AS p ON p.home = r.home AND p.routing_id = r.routing_id,
        LATERAL pql._points_by_version(m.program, m.version) AS v, LATERAL pql._scored_signals(m.program, m.version) AS s,
        LATERAL unnest(s.signals, v.points, pql._bins(coalesce(p.reasons, r.reasons), s.signals, v.points)) AS x(signal, points, bin)
      WHERE r.program = m.program AND r.follows IS NULL AND r.qualified_at > m.as_of AND r.qualified_at <= now AND v.version = r.version AND x.points <> 0
      GROUP BY x.signal, x.bin),
    compared AS (
      SELECT s.v ->> 'signal' AS signal, c.n, pql._stability(c.expected, c.actual) AS stability
      FROM jsonb_array_elements(m.signals) AS s(v), LATERAL (
        SELECT array_agg(e.v::float8 ORDER BY e.bin) AS expected, array_agg(coalesce(c.n, 0)::float8 ORDER BY e.bin) AS actual, coalesce(sum(c.n), 0)::bigint AS n
        FROM jsonb_array_elements_text(s.v -> 'population') WITH ORDINALITY AS e(v, bin) LEFT JOIN came AS c ON c.signal = s.v ->> 'signal' AND c.bin = e.bin - 1) AS c)
    SELECT 'shift', c.signal, CASE WHEN c.n > 0 THEN c.stability END, 0.25::float8, c.n, c.n >= few AND c.stability > 0.25,
           CASE WHEN c.n < few THEN format('too few hand-offs since: %s of %s', c.n, few)
                WHEN c.stability > 0.25 THEN 'hand-offs have other points of it than those that were learned from' END
    FROM compared AS c ORDER BY c.signal;
  RETURN QUERY
    WITH judged AS MATERIALIZED (SELECT floor(extract(epoch FROM j.at - m.as_of) / 2592000)::int AS month, j.routing_id, j.chance, j.converted FROM pql._judged(m.model_id, m.as_of, now) AS j),
    month AS (
      SELECT j.month, count(*) AS n, count(*) FILTER (WHERE j.converted) AS n1, sum(j.chance) AS expected, sqrt(sum(j.chance * (1 - j.chance))) AS spread,
             array_agg(j.chance ORDER BY j.routing_id) AS chances, array_agg(j.converted ORDER BY j.routing_id) AS labels
      FROM judged AS j GROUP BY j.month),
    measured AS (
      SELECT o.*, q.auc, q.brier, sqrt(greatest(0, (q.auc * (1 - q.auc) + (o.n1 - 1) * (q.auc / (2 - q.auc) - q.auc * q.auc)
               + (o.n - o.n1 - 1) * (2 * q.auc * q.auc / (1 + q.auc) - q.auc * q.auc)) / nullif(o.n1 * (o.n - o.n1), 0))) AS error
      FROM month AS o, pql._quality(o.chances, o.labels) AS q)
    SELECT x.what, format('month %s', o.month + 1), x.value, x.limit_value, o.n, o.n >= few AND coalesce(x.alarm, false),
           CASE WHEN o.n < few THEN format('too few final labels: %s of %s', o.n, few) WHEN x.alarm THEN x.reason END
    FROM measured AS o, LATERAL (VALUES
      (1, 'auc', o.auc, m.auc, o.auc + 1.96 * o.error < m.auc, 'it tells who converts worse than when it was learned'),
      (2, 'brier', o.brier, o.n1::float8 / o.n * (1 - o.n1::float8 / o.n), o.brier > o.n1::float8 / o.n * (1 - o.n1::float8 / o.n), 'one chance for all would be nearer to the truth'),
      (3, 'calibration', o.n1::float8 / o.n, o.expected / o.n, abs(o.n1 - o.expected) > 3 * o.spread,
       format('%s converted of %s, and %s were expected', o.n1, o.n, round(o.expected)))) AS x(n, what, value, limit_value, alarm, reason)
    ORDER BY o.month, x.n;
END $$;
COMMENT ON FUNCTION pql.drift(text, timestamptz) IS
  'Whether a program''s newest model still holds. age: days since it was learned. shift: of each signal, how far the points of later hand-offs are from those that were learned from (population stability index; Siddiqi, 2006). And by month since it was learned, of final labels: auc against that when learned (its error by Hanley and McNeil, 1982), brier against that of one chance for all, calibration (the share that converted against the one expected). alarm, with its reason, where value is beyond limit_value by more than chance would have it; never of fewer than 50 hand-offs. No rows without a model. Errors: 42704 unknown program, 42501 a rep asks, 22004 null program.';

CREATE OR REPLACE FUNCTION pql.model_card(program text, as_of timestamptz DEFAULT NULL) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  now CONSTANT timestamptz := coalesce(model_card.as_of, pql._now());
  m pql.model;
BEGIN
  PERFORM pql._learned_version(program);
  SELECT * INTO m FROM pql.model AS x WHERE x.program = model_card.program AND x.as_of <= now ORDER BY x.as_of DESC, x.model_id DESC LIMIT 1;
  IF NOT FOUND THEN
    RETURN format(E'# Model of %s\n\nNothing was learned yet. pql.propose_program() learns as soon as 20 hand-offs have converted and 20 have not.\n', program);
  END IF;
  RETURN concat_ws(E'\n',
    format('# Model of %s', program), '',
    format('Model %s, from version %s: %s. Learned from what was known on %s, %s days ago.', m.model_id, m.version, m.method,
           to_char(m.as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD'), floor(extract(epoch FROM now - m.as_of) / 86400)),
    format('It rests on %s final labels, of which %s converted, and on %s that are open, which count as far as a conversion would have been seen by then. A label counts half after %s days: together they are as good as %s of today.',
           m.labels, m.converted, m.open, extract(epoch FROM m.half_life)::bigint / 86400, round(m.counted::numeric)), '',
    '## What it is for', '',
    'The chance that a hand-off converts within the horizon if somebody works it, and the points of the program. It was learned from hand-offs: subjects below the threshold were never among them, so it says little about those, and a signal that everybody above the threshold has can''t be judged by it. Whom reps chose to work is a column of its own, so their taste isn''t taken for intent; what they know and no signal says can''t be told from it.', '',
    '## How good it is', '',
    'Each label was judged without its own influence.', '',
    '| Brier score | log loss | area under the curve | calibration error |', '| --- | --- | --- | --- |',
    format('| %s | %s | %s | %s |', round(m.brier::numeric, 4), round(m.log_loss::numeric, 4), round(m.auc::numeric, 3), round(m.calibration_error::numeric, 4)), '',
    '| hand-offs | predicted | converted |', '| --- | --- | --- |',
    (SELECT string_agg(format('| %s | %s | %s |', round((b.v ->> 'count')::numeric), pql._share_text((b.v ->> 'predicted')::float8), pql._share_text((b.v ->> 'observed')::float8)), E'\n' ORDER BY b.n)
     FROM jsonb_array_elements(m.bins) WITH ORDINALITY AS b(v, n)), '',
    '## Signals', '',
    '| signal | kind | converted with it | without | weight (95 %) | points | proposed | |', '| --- | --- | --- | --- | --- | --- | --- | --- |',
    (SELECT string_agg(format('| %s | %s | %s | %s | %s (%s to %s) | %s | %s | %s |', s.v ->> 'signal', s.v ->> 'kind',
        coalesce(pql._share_text((s.v #>> '{with,converted}')::float8 / nullif((s.v #>> '{with,hand_offs}')::float8, 0)), '-'),
        coalesce(pql._share_text((s.v #>> '{without,converted}')::float8 / nullif((s.v #>> '{without,hand_offs}')::float8, 0)), '-'),
        round((s.v ->> 'weight')::numeric, 2), round((s.v ->> 'low')::numeric, 2), round((s.v ->> 'high')::numeric, 2), s.v ->> 'points', s.v ->> 'proposed',
        CASE WHEN (s.v ->> 'open')::boolean THEN 'not proven' WHEN (s.v ->> 'proven')::boolean THEN 'proven' ELSE 'worth less' END),
        E'\n' ORDER BY (s.v ->> 'weight')::float8 DESC, s.n)
     FROM jsonb_array_elements(m.signals) WITH ORDINALITY AS s(v, n)), '',
    '## Curiosity and intent', '',
    'Of hand-offs with points of a kind, and of those without.', '',
    '| kind | hand-offs | converted | without | converted |', '| --- | --- | --- | --- | --- |',
    (SELECT string_agg(format('| %s | %s | %s | %s | %s |', k.key, k.value #>> '{with,hand_offs}',
        coalesce(pql._share_text((k.value #>> '{with,converted}')::float8 / nullif((k.value #>> '{with,hand_offs}')::float8, 0)), '-'), k.value #>> '{without,hand_offs}',
        coalesce(pql._share_text((k.value #>> '{without,converted}')::float8 / nullif((k.value #>> '{without,hand_offs}')::float8, 0)), '-')), E'\n' ORDER BY k.key)
     FROM jsonb_each(m.kinds) AS k), '',
    '## Whether it still holds', '',
    coalesce((SELECT string_agg(format('- %s %s: %s', d.what, d.name, d.reason), E'\n') FROM pql.drift(model_card.program, now) AS d WHERE d.alarm), 'No alarm.'), '');
END $$;
COMMENT ON FUNCTION pql.model_card(text, timestamptz) IS
  'What there is to know of a program''s newest model, in Markdown: what it rests on, what it is for and what not, how good it is, what each signal weighs, how each kind of signal converts, and whether it still holds. Errors: 42704 unknown program, 42501 a rep asks, 22004 null program.';
