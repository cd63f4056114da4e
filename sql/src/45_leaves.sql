-- Partitions: TRUNCATE, DETACH, ATTACH and DROP of one fire no trigger of their table. What is there is compared with what is known.
CREATE TABLE pql.source_leaf (
  source_id    int NOT NULL,
  leaf         oid NOT NULL,
  name         text NOT NULL,
  trigger_id   oid,
  relfilenode  oid,
  holds_until  timestamptz,
  older_than   xid8,
  change       text,
  PRIMARY KEY (source_id, leaf)
);
COMMENT ON TABLE pql.source_leaf IS 'The partitions of events tables as they are known to agree with the state, and the tables themselves. Not dumped: in another database there are others, and what is there first is what is known.';
COMMENT ON COLUMN pql.source_leaf.source_id IS 'The source (pql.source).';
COMMENT ON COLUMN pql.source_leaf.leaf IS 'The partition, or the table itself, by its OID.';
COMMENT ON COLUMN pql.source_leaf.name IS 'Its name when it was looked at.';
COMMENT ON COLUMN pql.source_leaf.relfilenode IS 'Its file then: another one means that it was rewritten or emptied.';
COMMENT ON COLUMN pql.source_leaf.trigger_id IS 'The trigger that watches it: another one comes with being attached again. Null for one of which nothing is known.';
COMMENT ON COLUMN pql.source_leaf.holds_until IS 'All of its events are earlier, as its bounds say.';
COMMENT ON COLUMN pql.source_leaf.older_than IS 'Its file had rows older than this transaction: they tell a file that was copied from one that was emptied.';
COMMENT ON COLUMN pql.source_leaf.change IS 'What has been told of it, and isn''t mended.';

CREATE OR REPLACE FUNCTION pql._has_older_rows(leaf oid, trigger oid, than bigint DEFAULT NULL) RETURNS boolean
  AS 'MODULE_PATHNAME', 'pql__has_older_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION pql._has_older_rows(oid, oid, bigint) IS 'Whether among the first rows of a partition there are some from before its trigger, or from before a transaction; null while somebody holds it.';

CREATE OR REPLACE FUNCTION pql._holds_until(source int, leaf oid) RETURNS timestamptz
  AS 'MODULE_PATHNAME', 'pql__holds_until' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pql._holds_until(int, oid) IS 'Before which instant all the events are that a partition may hold; infinity when its bounds don''t tell.';

CREATE OR REPLACE FUNCTION pql._leaves(source int) RETURNS TABLE (leaf oid, trigger_id oid, relfilenode oid, bare boolean)
  LANGUAGE sql STABLE PARALLEL RESTRICTED COST 5000 ROWS 50
  BEGIN ATOMIC
    WITH RECURSIVE tree (oid) AS (
      SELECT c.oid FROM pql.source AS s JOIN pg_class AS c ON c.oid = s.relation WHERE s.source_id = _leaves.source AND c.relkind = 'p'
      UNION ALL
      SELECT i.inhrelid FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.oid WHERE NOT i.inhdetachpending)
    SELECT c.oid, t.oid, c.relfilenode, c.relpages = 0 AND c.reltuples = 0
    FROM tree AS x JOIN pg_class AS c ON c.oid = x.oid JOIN pg_trigger AS t ON t.tgrelid = c.oid
    WHERE t.tgfoid = 'pql._ingest()'::regprocedure AND t.tgtype & 1 = 1
      AND t.tgargs = convert_to(_leaves.source::text, 'UTF8') || '\x00'::bytea
      AND (c.relkind = 'r' OR c.oid = (SELECT s.relation FROM pql.source AS s WHERE s.source_id = _leaves.source));
  END;
COMMENT ON FUNCTION pql._leaves(int) IS 'The partitions that hold a table''s rows, and the table, if it is partitioned: their triggers and files. Takes no locks.';

-- Without the row of the table itself, or with another trigger's, nothing is known: the database was restored.
CREATE OR REPLACE FUNCTION pql._leaf_changes(source int) RETURNS SETOF pql.source_leaf
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  s record;
BEGIN
  SELECT * INTO s FROM pql.source AS x WHERE x.source_id = source;
  IF s.capture = 'statement' THEN
    RETURN QUERY
    SELECT s.source_id, c.oid, c.oid::regclass::text, NULL::oid, NULL::oid, NULL::timestamptz, NULL::xid8, 'is a partition itself'
    FROM pg_class AS c WHERE c.oid = s.relation AND c.relispartition;
    RETURN;
  END IF;
  RETURN QUERY
  WITH here AS MATERIALIZED (SELECT * FROM pql._leaves(source)),
  compared AS (
    SELECT coalesce(h.leaf, k.leaf) AS leaf, coalesce(c.oid::regclass::text, k.name) AS name, h.trigger_id, h.relfilenode,
           CASE WHEN h.leaf IS NULL THEN k.holds_until ELSE pql._holds_until(source, h.leaf) END AS holds_until,
           CASE WHEN h.leaf IS NULL AND c.oid IS NULL THEN 'dropped'
                WHEN h.leaf IS NULL AND c.relfilenode <> k.relfilenode THEN 'detached and rewritten'
                WHEN h.leaf IS NULL THEN 'detached'
                WHEN k.trigger_id IS NULL THEN 'attached'
                WHEN k.trigger_id <> h.trigger_id THEN 'attached again'
                ELSE 'emptied or rewritten' END AS change,
           CASE WHEN h.leaf IS NULL THEN true
                WHEN k.trigger_id IS NULL THEN pql._has_older_rows(h.leaf, h.trigger_id)
                WHEN k.trigger_id <> h.trigger_id THEN true
                -- a copy has old rows; who copied an empty table counted what was in it
                WHEN k.older_than IS NULL THEN NOT h.bare
                ELSE NOT pql._has_older_rows(h.leaf, h.trigger_id, k.older_than::text::bigint) END AS matters
    FROM here AS h FULL JOIN (SELECT * FROM pql.source_leaf AS k WHERE k.source_id = source) AS k ON k.leaf = h.leaf
      LEFT JOIN pg_class AS c ON c.oid = coalesce(h.leaf, k.leaf)
    WHERE coalesce(h.leaf, k.leaf) <> s.relation
      AND (h.leaf IS NULL OR (h.trigger_id, h.relfilenode) IS DISTINCT FROM (k.trigger_id, k.relfilenode))
      AND EXISTS (SELECT FROM here AS r JOIN pql.source_leaf AS b ON b.leaf = r.leaf AND b.trigger_id = r.trigger_id
                  WHERE b.source_id = source AND r.leaf = s.relation))
  SELECT source, x.leaf, x.name, x.trigger_id, x.relfilenode, x.holds_until, NULL::xid8,
         CASE WHEN x.matters AND NOT coalesce(x.holds_until <= s.sealed_before, false) THEN x.change END
  FROM compared AS x WHERE x.matters IS NOT NULL;
END $$;
COMMENT ON FUNCTION pql._leaf_changes(int) IS 'The partitions of a source that are not as they are known, as they are now (gone: without a trigger), and what has become of them; null for what changes no event.';

-- Every difference is mended, or harmless.
CREATE OR REPLACE FUNCTION pql._know_leaf(found pql.source_leaf) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF found.trigger_id IS NULL THEN
    DELETE FROM pql.source_leaf AS k WHERE (k.source_id, k.leaf) = (found.source_id, found.leaf);
    RETURN;
  END IF;
  INSERT INTO pql.source_leaf AS k (source_id, leaf, name, trigger_id, relfilenode, holds_until)
  VALUES (found.source_id, found.leaf, found.name, found.trigger_id, found.relfilenode, found.holds_until)
  ON CONFLICT (source_id, leaf) DO UPDATE SET name = excluded.name, trigger_id = excluded.trigger_id, relfilenode = excluded.relfilenode,
    holds_until = excluded.holds_until, older_than = NULL, change = NULL;
END $$;
COMMENT ON FUNCTION pql._know_leaf(pql.source_leaf) IS 'Takes a partition for known, as it was found; or that it is gone.';
REVOKE ALL ON FUNCTION pql._know_leaf(pql.source_leaf) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._know_leaves(source int DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  known pql.source_leaf;
BEGIN
  DELETE FROM pql.source_leaf AS k WHERE (source IS NULL OR k.source_id = source) AND k.change IS DISTINCT FROM 'is a partition itself';
  FOR known IN
    SELECT s.source_id, l.leaf, l.leaf::regclass::text, l.trigger_id, l.relfilenode,
           CASE WHEN l.leaf <> s.relation THEN pql._holds_until(s.source_id, l.leaf) END, NULL::xid8, NULL::text
    FROM pql.source AS s, LATERAL pql._leaves(s.source_id) AS l
    WHERE source IS NULL OR s.source_id = source ORDER BY 1, 2
  LOOP
    PERFORM pql._know_leaf(known);
  END LOOP;
END $$;
COMMENT ON FUNCTION pql._know_leaves(int) IS 'Takes all partitions of a source (null: of every source) for known, as they are.';
REVOKE ALL ON FUNCTION pql._know_leaves(int) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._begin_leaves() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pql._know_leaves(s.source_id)
  FROM pql.source AS s JOIN pql._leaves(s.source_id) AS l ON l.leaf = s.relation
  WHERE NOT EXISTS (SELECT FROM pql.source_leaf AS k WHERE (k.source_id, k.leaf, k.trigger_id) = (s.source_id, l.leaf, l.trigger_id));
END $$;
COMMENT ON FUNCTION pql._begin_leaves() IS 'Takes the partitions of sources of which nothing is known for known: after a restore.';
REVOKE ALL ON FUNCTION pql._begin_leaves() FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._warn_of_leaf(found pql.source_leaf) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root text;
BEGIN
  SELECT s.relation::text INTO root FROM pql.source AS s WHERE s.source_id = found.source_id;
  IF found.change = 'is a partition itself' THEN
    RAISE WARNING 'table % has become a partition: events that come through its parent are not seen', root
      USING HINT = 'pql.detach() it, and attach the partitioned table.';
    RETURN;
  END IF;
  RAISE WARNING 'partition % of table % was %, which fires no trigger', found.name, root, found.change
    USING HINT = CASE found.change
      WHEN 'attached' THEN format('CALL pql.backfill(%L) takes in the events that came with it.', found.name)
      WHEN 'detached' THEN format('CALL pql.backfill(%L) takes its events out of the state.', found.name)
      WHEN 'emptied or rewritten' THEN 'pql.verify() tells whether events are missing, and CALL pql.rebuild() mends it.'
      WHEN 'attached again' THEN 'pql.verify() tells whether its events are others now, and CALL pql.rebuild() mends it.'
      ELSE 'CALL pql.rebuild() mends it.' END;
END $$;
COMMENT ON FUNCTION pql._warn_of_leaf(pql.source_leaf) IS 'Tells what became of a partition, and what mends it.';
REVOKE ALL ON FUNCTION pql._warn_of_leaf(pql.source_leaf) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pql._compare_leaves() RETURNS bigint
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  s record;
  all_found pql.source_leaf[];
  found_one pql.source_leaf;
  news bigint := 0;
BEGIN
  PERFORM pql._begin_leaves();
  FOR s IN SELECT * FROM pql.source AS x ORDER BY x.source_id LOOP
    all_found := ARRAY(SELECT c FROM pql._leaf_changes(s.source_id) AS c ORDER BY c.name);
    FOREACH found_one IN ARRAY all_found LOOP
      IF found_one.change IS NULL THEN
        PERFORM pql._know_leaf(found_one);
        CONTINUE;
      END IF;
      INSERT INTO pql.source_leaf AS k (source_id, leaf, name, change)
      VALUES (s.source_id, found_one.leaf, found_one.name, found_one.change)
      ON CONFLICT (source_id, leaf) DO UPDATE SET change = excluded.change WHERE k.change IS DISTINCT FROM excluded.change;
      CONTINUE WHEN NOT FOUND;
      news := news + 1;
      PERFORM pql._warn_of_leaf(found_one);
    END LOOP;
    -- what is no longer so
    DELETE FROM pql.source_leaf AS k WHERE k.source_id = s.source_id AND k.trigger_id IS NULL
      AND NOT EXISTS (SELECT FROM unnest(all_found) AS f WHERE f.leaf = k.leaf);
    UPDATE pql.source_leaf AS k SET change = NULL WHERE k.source_id = s.source_id AND k.change IS NOT NULL
      AND NOT EXISTS (SELECT FROM unnest(all_found) AS f WHERE f.leaf = k.leaf);
    UPDATE pql.source_leaf AS k SET older_than = pg_snapshot_xmin(pg_current_snapshot())
    WHERE k.source_id = s.source_id AND k.leaf <> s.relation AND k.older_than IS NULL AND k.change IS NULL
      AND pql._has_older_rows(k.leaf, k.trigger_id, pg_snapshot_xmin(pg_current_snapshot())::text::bigint);
  END LOOP;
  RETURN news;
END $$;
COMMENT ON FUNCTION pql._compare_leaves() IS 'Compares partitions with what is known of them, tells what is new, and returns how much that is.';
REVOKE ALL ON FUNCTION pql._compare_leaves() FROM PUBLIC;
