-- What is wrong with an installation, each with the statement that mends it; and figures for whoever watches it. Everything here is read by
-- indexes, from catalogs, or from statistics that PostgreSQL keeps anyway: asking costs some milliseconds, however large the state is.

-- Triggers that were dropped or disabled, as by a tool that loads a table.
CREATE OR REPLACE FUNCTION pql.restore_triggers(events regclass) RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  source int;
BEGIN
  IF events IS NULL THEN
    RAISE EXCEPTION 'events must not be null' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT s.source_id INTO source FROM pql.source AS s WHERE s.relation = events AND s.relation <> 'pql.intent'::regclass;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % is not attached', events USING ERRCODE = 'undefined_object', HINT = 'Attach it with pql.attach().';
  END IF;
  PERFORM pql._hold_up_writers(events);
  PERFORM pql._create_triggers(source);
  PERFORM pql._rebuild();
  PERFORM pql._know_leaves();
  PERFORM pql._settle_programs();
  PERFORM pql._audit('restore_triggers', events::text, jsonb_build_object('source_id', source));
END $$;
COMMENT ON FUNCTION pql.restore_triggers(regclass) IS
  'Creates or enables again pql''s triggers on an attached table, and derives the state again from the events, since some may have come unseen; writers wait meanwhile. Errors: 42704 not attached, 22004 null argument.';
REVOKE ALL ON FUNCTION pql.restore_triggers(regclass) FROM PUBLIC;

-- pql's tables as they were shipped: whatever else is on them is somebody's, and is neither dumped with them nor reckoned with.
CREATE TABLE pql.own_object (
  relation    text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('column', 'index', 'trigger', 'policy', 'constraint')),
  name        text NOT NULL,
  definition  text,
  PRIMARY KEY (relation, kind, name)
);
COMMENT ON TABLE pql.own_object IS 'The columns, indexes, triggers, policies and constraints that pql''s tables were shipped with. Not dumped: another installation has its own.';
COMMENT ON COLUMN pql.own_object.relation IS 'The table, without its schema.';
COMMENT ON COLUMN pql.own_object.kind IS 'column, index, trigger, policy or constraint.';
COMMENT ON COLUMN pql.own_object.name IS 'The name of the object.';
COMMENT ON COLUMN pql.own_object.definition IS 'The command that makes it; null for a column.';

CREATE VIEW pql._object WITH (security_invoker = true) AS
  WITH relation AS (
    SELECT c.oid, c.relname::text AS name FROM pg_extension AS e
      JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
      JOIN pg_class AS c ON c.oid = d.objid
    WHERE e.extname = 'pql' AND c.relkind = 'r')
  SELECT r.name AS relation, 'column' AS kind, a.attname::text AS name, NULL::text AS definition
  FROM relation AS r JOIN pg_attribute AS a ON a.attrelid = r.oid WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT r.name, 'index', c.relname::text, pg_get_indexdef(i.indexrelid)
  FROM relation AS r JOIN pg_index AS i ON i.indrelid = r.oid JOIN pg_class AS c ON c.oid = i.indexrelid
  WHERE NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = r.oid)
  UNION ALL
  SELECT r.name, 'trigger', t.tgname::text, pg_get_triggerdef(t.oid)
  FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid JOIN pg_proc AS p ON p.oid = t.tgfoid JOIN pg_namespace AS n ON n.oid = p.pronamespace
  WHERE NOT t.tgisinternal AND p.proname <> '_configuration_written' AND (n.nspname <> 'pql' OR r.name NOT IN ('events')) -- that one can be attached as any other
  UNION ALL
  SELECT r.name, 'policy', p.polname::text, format('CREATE POLICY %I ON pql.%I USING (%s) WITH CHECK (%s)', p.polname, r.name, pg_get_expr(p.polqual, p.polrelid),
    pg_get_expr(p.polwithcheck, p.polrelid))
  FROM relation AS r JOIN pg_policy AS p ON p.polrelid = r.oid
  UNION ALL
  SELECT r.name, 'constraint', k.conname::text, format('ALTER TABLE pql.%I ADD CONSTRAINT %I %s', r.name, k.conname, pg_get_constraintdef(k.oid))
  FROM relation AS r JOIN pg_constraint AS k ON k.conrelid = r.oid WHERE k.contype IN ('c', 'f', 'p', 'u', 'x');
COMMENT ON VIEW pql._object IS 'What pql''s tables have now: what pql.own_object is compared with.';
--@ comments _object own_object relation kind name definition

CREATE OR REPLACE FUNCTION pql._note_own_objects() RETURNS void
  LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM pql.own_object;
  INSERT INTO pql.own_object (relation, kind, name, definition) SELECT o.relation, o.kind, o.name, o.definition FROM pql._object AS o;
END $$;
COMMENT ON FUNCTION pql._note_own_objects() IS 'Takes pql''s tables for as they were shipped: called at the end of the scripts that install and update.';
REVOKE ALL ON FUNCTION pql._note_own_objects() FROM PUBLIC;

-- What time has brought and no tick has looked at; the oldest of each kind. Rows that wait for a rep aren't due: no tick can help them.
CREATE VIEW pql._due WITH (security_invoker = true) AS
  SELECT d.what, d.at, n.now
  FROM (SELECT pql._now() AS now OFFSET 0) AS n CROSS JOIN LATERAL (VALUES
    ('an event of the future', (SELECT min(h.occurred_at) FROM pql.held_event AS h WHERE h.occurred_at <= n.now)),
    ('an episode''s end', (SELECT min(e.leaves_at) FROM pql.episode AS e WHERE e.left_at IS NULL AND e.leaves_at <= n.now
       AND EXISTS (SELECT FROM pql.program AS p WHERE p.program_id = e.program_id AND (p.status IN ('shadow', 'live') OR p.finishing)))),
    ('the end of a cool-down', (SELECT min(e.cools_until) FROM pql.episode AS e WHERE e.cools_until <= n.now)),
    ('the end of a flag', (SELECT min(f.expires_at) FROM pql.flag AS f WHERE NOT f.ended AND f.expires_at <= n.now)),
    ('a snoozed row', (SELECT min(r.snoozed_until) FROM pql.routing AS r WHERE r.snoozed_until <= n.now)),
    ('a row to be made ready', (SELECT min(r.contact_after) FROM pql.routing AS r WHERE r.state = 'pending' AND r.snoozed_until IS NULL AND r.contact_after <= n.now
       AND (r.owner IS NOT NULL OR NOT pql._needs_rep(r.motion) OR NOT EXISTS (SELECT FROM pql.reps)))),
    ('a broken promise', (SELECT min(r.contact_by) FROM pql.routing AS r
       WHERE r.state IN ('pending', 'ready', 'claimed', 'accepted') AND r.first_touch_at IS NULL AND r.sla_breached_at IS NULL AND r.snoozed_until IS NULL
         AND r.contact_by <= n.now))) AS d(what, at)
  WHERE d.at IS NOT NULL;
COMMENT ON VIEW pql._due IS 'What is due and no tick has dealt with, the oldest of each kind.';
COMMENT ON COLUMN pql._due.what IS 'What it is, in words.';
COMMENT ON COLUMN pql._due.at IS 'Since when the oldest of it is due.';
COMMENT ON COLUMN pql._due.now IS 'What now means (pql._now).';

-- An index takes an expression in parentheses, and a column as it is.
CREATE OR REPLACE FUNCTION pql._as_index_column(relation regclass, expression text) RETURNS text
  LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 250
  RETURN CASE WHEN EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND quote_ident(a.attname) = expression)
    THEN expression ELSE '(' || expression || ')' END;
COMMENT ON FUNCTION pql._as_index_column(regclass, text) IS 'A column or an expression of a table as CREATE INDEX wants it. Everybody may ask: readers of pql.health do.';

-- The findings, by what they are about. Each has its statement in hint; what takes no statement, or one that only the reader can choose, says so.
CREATE VIEW pql._source_findings WITH (security_invoker = true) AS
  WITH source AS MATERIALIZED (
    SELECT s.*, s.relation::text AS name, c.relkind AS kind, c.relispartition AS partition,
           format('SELECT * FROM pql.attach(%%L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L, %L)', s.user_id, s.event, s.occurred_at, s.account_id, s.event_id,
             s.properties, s.received_at, s.workspace, s.clock, s.mode, s.dedup) AS attach
    FROM pql.source AS s LEFT JOIN pg_class AS c ON c.oid = s.relation),
  there AS (SELECT * FROM source AS s WHERE s.kind IS NOT NULL),
  missing AS (
    SELECT s.name, array_agg(w.trigger ORDER BY w.trigger) AS triggers
    FROM there AS s, LATERAL unnest(CASE s.capture WHEN 'row' THEN '{pql_row,pql_truncate}' ELSE '{pql_insert,pql_update,pql_delete,pql_truncate}' END::text[]) AS w(trigger)
    WHERE s.relation <> 'pql.intent'::regclass AND NOT EXISTS (SELECT FROM pg_trigger AS t
      WHERE t.tgrelid = s.relation AND t.tgname = w.trigger AND t.tgfoid = 'pql._ingest()'::regprocedure)
    GROUP BY s.name),
  disabled AS (
    SELECT s.name, array_agg(DISTINCT t.tgname ORDER BY t.tgname) AS triggers, min(t.tgrelid::regclass::text) AS at
    FROM there AS s JOIN pg_trigger AS t ON t.tgfoid = 'pql._ingest()'::regprocedure AND t.tgenabled IN ('D', 'R')
      AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || '\x00'::bytea
      AND (t.tgrelid = s.relation OR s.kind = 'p' AND t.tgrelid IN (SELECT l.leaf FROM pql._leaves(s.source_id) AS l))
    WHERE s.relation <> 'pql.intent'::regclass GROUP BY s.name)
  SELECT 'events tables' AS "check", 'warning' AS status, 'no events table is attached' AS what, 'Nothing arrives.' AS detail,
         'SELECT * FROM pql.attach(''events'', user_id => ''user_id'', event => ''event'', occurred_at => ''occurred_at'', dry_run => true); -- with the names of your table' AS hint
  WHERE NOT EXISTS (SELECT FROM pql.source)
  UNION ALL
  SELECT 'events tables', 'error', format('events table %s is gone', s.name), 'It was dropped: the state still holds its events.', format('SELECT pql.detach(%L);', s.name)
  FROM source AS s WHERE s.kind IS NULL
  UNION ALL
  SELECT 'events tables', 'error', format('columns that table %s was attached with are gone', s.name), 'None of its events can be used. Attach it again, with the columns that it has now.',
         format('SELECT pql.detach(%L);', s.name)
  FROM there AS s WHERE NOT pql._readable(s.source_id)
  UNION ALL
  SELECT 'triggers', 'error', format('table %s has lost pql''s triggers: %s', m.name, array_to_string(m.triggers, ', ')), 'What is written to it is not seen.',
         format('SELECT pql.restore_triggers(%L);', m.name)
  FROM missing AS m
  UNION ALL
  SELECT 'triggers', 'error', format('triggers on table %s are disabled: %s', d.name, array_to_string(d.triggers, ', ')),
         CASE WHEN d.at <> d.name THEN format('In partition %s. ', d.at) ELSE '' END || 'What is written to it is not seen.', format('SELECT pql.restore_triggers(%L);', d.name)
  FROM disabled AS d
  UNION ALL
  SELECT 'partitions', 'error', format('table %s has become a partition', s.name), 'Events that come through its parent are not seen.',
         format('SELECT pql.detach(%L);', s.name)
  FROM there AS s WHERE s.capture = 'statement' AND s.partition
  UNION ALL
  SELECT 'partitions', 'warning', format('partition %s of table %s was %s', c.name, s.name, c.change), 'That fires no trigger: its events are not in the state as they are in the table.',
         CASE WHEN c.change IN ('attached', 'detached') THEN format('CALL pql.backfill(%L);', c.name) ELSE 'CALL pql.rebuild();' END
  FROM there AS s, LATERAL pql._leaf_changes(s.source_id) AS c WHERE s.capture = 'row' AND c.change IS NOT NULL
  UNION ALL
  SELECT 'indexes', 'warning', format('table %s has no index that begins with %s', s.name, coalesce(s.account_id, s.user_id)),
         'Whoever is derived again, after an update, a delete or a merge, has the whole table read.',
         format('CREATE INDEX %sON %s (%s, %s);', CASE WHEN s.kind <> 'p' THEN 'CONCURRENTLY ' ELSE '' END, s.name, pql._as_index_column(s.relation, coalesce(s.account_id, s.user_id)),
           pql._as_index_column(s.relation, s.occurred_at))
  FROM there AS s WHERE NOT EXISTS (SELECT FROM pg_index AS i
    WHERE i.indrelid = s.relation AND i.indisvalid AND i.indpred IS NULL AND pg_get_indexdef(i.indexrelid, 1, false) IN (coalesce(s.account_id, s.user_id), '(' || coalesce(s.account_id, s.user_id) || ')'))
  UNION ALL
  SELECT 'duplicates', 'warning', format('events of table %s that are written twice count twice', s.name),
         format('No unique index begins with %s, and it was attached without dedup.', s.event_id),
         format('CREATE UNIQUE INDEX %sON %s (%s);', CASE WHEN s.kind <> 'p' THEN 'CONCURRENTLY ' ELSE '' END, s.name, pql._as_index_column(s.relation, s.event_id))
  FROM there AS s WHERE s.event_id IS NOT NULL AND s.dedup IS NULL AND s.relation <> 'pql.intent'::regclass AND NOT EXISTS (
    SELECT FROM pg_index AS i WHERE i.indrelid = s.relation AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND (i.indnkeyatts = 1 OR s.kind = 'p')
      AND pg_get_indexdef(i.indexrelid, 1, false) IN (s.event_id, '(' || s.event_id || ')'))
  UNION ALL
  SELECT 'history', 'warning', format('the history of table %s is not folded yet', s.name),
         format('%s of %s pages remain; programs that need it stay in building.', sum(j.pages - j.next_page), sum(j.pages)), format('CALL pql.backfill(%L);', s.name)
  FROM there AS s JOIN pql.backfill_job AS j ON j.source_id = s.source_id WHERE j.finished_at IS NULL GROUP BY s.name
  UNION ALL
  SELECT 'unusable events', 'warning', format('events of table %s can''t be used, %s: %s', s.name, u.reason, sum(u.events)),
         format('The last one came at %s. The statement forgets the count, once what writes them is mended.', date_trunc('second', max(u.last_at))),
         format('DELETE FROM pql.unusable_event WHERE source_id = %s AND reason = %L;', s.source_id, u.reason)
  FROM source AS s JOIN pql.unusable_event AS u ON u.source_id = s.source_id
  WHERE u.reason NOT IN ('duplicate', 'sealed', 'erased') GROUP BY s.source_id, s.name, u.reason HAVING max(u.last_at) > statement_timestamp() - interval '7 days'
  UNION ALL
  SELECT 'clocks', 'warning', format('events of table %s claim to be from the future: the furthest is of %s', s.name, date_trunc('second', h.furthest)),
         'They are held until then, and count for nothing. A sender''s clock is ahead; correct the rows, or delete them.',
         format('SELECT * FROM %s AS t WHERE (%s) > now() + interval ''1 day'';', s.name, s.occurred_at)
  FROM there AS s CROSS JOIN LATERAL (
    SELECT h.occurred_at AS furthest FROM pql.held_event AS h WHERE h.source_id = s.source_id AND h.occurred_at > statement_timestamp() + interval '1 day'
    ORDER BY h.occurred_at DESC LIMIT 1) AS h
  UNION ALL
  SELECT 'clocks', 'warning', format('the clock of the events is ahead: it says %s', date_trunc('second', max(k.newest))),
         'Sources with clock => ''event'' take the newest event for now: what it brings was decided too early, and nothing moves until time has caught up.',
         'UPDATE pql.event_clock SET newest = now() WHERE newest > now();'
  FROM pql.event_clock AS k HAVING max(k.newest) > statement_timestamp() + interval '1 day';
COMMENT ON VIEW pql._source_findings IS 'What pql.health says of events tables.';
COMMENT ON COLUMN pql._source_findings."check" IS 'What was looked at.';
COMMENT ON COLUMN pql._source_findings.status IS 'warning, or error: something doesn''t work.';
COMMENT ON COLUMN pql._source_findings.what IS 'What is wrong, in words.';
COMMENT ON COLUMN pql._source_findings.detail IS 'What follows from it.';
COMMENT ON COLUMN pql._source_findings.hint IS 'A statement that mends it, or shows more.';

CREATE VIEW pql._definition_findings WITH (security_invoker = true) AS
  WITH in_force AS (SELECT p.* FROM pql.program AS p WHERE p.status IN ('shadow', 'live'))
  SELECT 'programs' AS "check", 'warning' AS status, 'no program is published' AS what, 'Events become milestones of none, and nobody qualifies.' AS detail,
         'SELECT pql.publish(pg_read_file(''program.json'')::jsonb); -- or pqlctl publish program.json' AS hint
  WHERE NOT EXISTS (SELECT FROM pql.program AS p WHERE p.status <> 'draft')
  UNION ALL
  SELECT 'programs', 'warning', format('version %s of program "%s" has been building since %s', p.version, p.program, date_trunc('minute', p.published_at)),
         'It comes into force when the history that it needs is folded.', 'CALL pql.backfill();'
  FROM pql.program AS p WHERE p.status = 'building' AND p.published_at < statement_timestamp() - interval '1 hour'
  UNION ALL
  SELECT 'rules', 'warning', format('failures of rule %s of program "%s": %s', e.path, e.program, e.errors), e.example,
         format('DELETE FROM pql.rule_error WHERE program = %L AND version = %s AND path = %L; -- once a version is published that is right', e.program, e.version, e.path)
  FROM pql.rule_errors AS e JOIN in_force AS p ON p.program = e.program AND p.version = e.version
  WHERE e.last_at > statement_timestamp() - interval '7 days'
  UNION ALL
  SELECT 'reps', 'warning', format('program "%s" hands over to people, and there are no reps', p.program), 'Its rows have no owner: whoever claims them has them.',
         'INSERT INTO pql.reps (rep_id, capacity) VALUES (''somebody'', 25); -- with the reps that you have'
  FROM in_force AS p WHERE p.status = 'live' AND NOT EXISTS (SELECT FROM pql.reps AS r WHERE r.active)
    AND EXISTS (SELECT FROM jsonb_array_elements(p.document -> 'motions') AS m WHERE pql._needs_rep(m.value ->> 'motion'))
  UNION ALL
  SELECT 'reps', 'warning', format('no active rep has the skills of motion "%s" of program "%s": %s', m.motion ->> 'motion', p.program, s.skills), 'Its rows wait.',
         format('UPDATE pql.reps SET skills = skills || %L WHERE rep_id = %L; -- or of those who have them', s.skills, (SELECT min(r.rep_id) FROM pql.reps AS r WHERE r.active))
  FROM in_force AS p, LATERAL jsonb_array_elements(p.document -> 'motions') AS m(motion),
    LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(m.motion -> 'skills')) AS skills) AS s
  WHERE p.status = 'live' AND pql._needs_rep(m.motion ->> 'motion') AND s.skills <> '{}'
    AND EXISTS (SELECT FROM pql.reps AS r WHERE r.active) AND NOT EXISTS (SELECT FROM pql.reps AS r WHERE r.active AND r.skills @> s.skills)
  UNION ALL
  SELECT 'capacity', 'warning', format('active reps without a capacity: %s', count(*)), format('They are given whatever comes: %s.',
           string_agg(r.rep_id, ', ' ORDER BY r.rep_id) FILTER (WHERE r.place <= 5) || CASE WHEN count(*) > 5 THEN ' ...' ELSE '' END),
         'UPDATE pql.reps SET capacity = 25 WHERE active AND capacity IS NULL AND weekly_capacity IS NULL;'
  FROM (SELECT x.rep_id, row_number() OVER (ORDER BY x.rep_id) AS place FROM pql.reps AS x WHERE x.active AND x.capacity IS NULL AND x.weekly_capacity IS NULL) AS r
  HAVING count(*) > 0
  UNION ALL
  SELECT 'attributes', 'error', format('attributes of %ss do not follow %I.%I', s.unit, s.schema_name, s.relation_name),
         coalesce(s.broken, CASE WHEN x.relation IS NULL THEN 'It doesn''t exist.' ELSE 'Triggers are missing or disabled.' END), format('SELECT * FROM pql.refresh_attributes(%L);', s.unit)
  FROM pql.attribute_source AS s, LATERAL (SELECT pql._attribute_relation(s.schema_name, s.relation_name) AS relation) AS x
  WHERE s.broken IS NOT NULL OR x.relation IS NULL OR s.watched AND NOT pql._is_watched(x.relation)
  UNION ALL
  SELECT 'attributes', 'warning', format('attributes of %ss were last read from %I.%I at %s', s.unit, s.schema_name, s.relation_name, date_trunc('minute', s.refreshed_at)),
         'Rules see what was so then.', format('SELECT * FROM pql.refresh_attributes(%L);', s.unit)
  FROM pql.attribute_source AS s WHERE s.broken IS NULL AND NOT s.watched AND s.refreshed_at < statement_timestamp() - interval '25 hours'
  UNION ALL
  SELECT 'attributes', 'error', format('fact "%s" does not follow %I.%I', s.fact, s.schema_name, s.relation_name),
         coalesce(s.broken, CASE WHEN x.relation IS NULL THEN 'It doesn''t exist.' ELSE 'Triggers are missing or disabled.' END), format('SELECT * FROM pql.refresh_facts(%L);', s.fact)
  FROM pql.fact_source AS s, LATERAL (SELECT pql._attribute_relation(s.schema_name, s.relation_name) AS relation) AS x
  WHERE s.broken IS NOT NULL OR x.relation IS NULL OR s.watched AND (SELECT count(*) FROM pql._fact_triggers(x.relation, s.fact)) <> 4
  UNION ALL
  SELECT 'attributes', 'warning', format('fact "%s" was last read from %I.%I at %s', s.fact, s.schema_name, s.relation_name, date_trunc('minute', s.refreshed_at)),
         'Rules see what was so then.', format('SELECT * FROM pql.refresh_facts(%L);', s.fact)
  FROM pql.fact_source AS s WHERE s.broken IS NULL AND NOT s.watched AND s.refreshed_at < statement_timestamp() - interval '25 hours'
  UNION ALL
  SELECT 'imports', CASE WHEN s.broken IS NOT NULL OR x.relation IS NULL THEN 'error' ELSE 'warning' END,
         format('%s of %I.%I %s', s.what, s.schema_name, s.relation_name,
           CASE WHEN s.broken IS NULL AND x.relation IS NOT NULL THEN format('were last read at %s', date_trunc('minute', s.refreshed_at)) ELSE 'can''t be read' END),
         coalesce(s.broken, CASE WHEN x.relation IS NULL THEN 'It doesn''t exist.' ELSE 'What came since is not known.' END), s.mend
  FROM (
    SELECT 'consents' AS what, c.schema_name, c.relation_name, c.broken, c.refreshed_at, 'SELECT * FROM pql.refresh_consent();' AS mend FROM pql.consent_source AS c
    UNION ALL SELECT 'dispositions', c.schema_name, c.relation_name, c.broken, c.refreshed_at, 'SELECT * FROM pql.refresh_dispositions();' FROM pql.disposition_source AS c
    UNION ALL SELECT 'outcomes', c.schema_name, c.relation_name, c.broken, c.refreshed_at, 'SELECT * FROM pql.refresh_outcomes();' FROM pql.outcome_source AS c) AS s,
    LATERAL (SELECT pql._attribute_relation(s.schema_name, s.relation_name) AS relation) AS x
  WHERE s.broken IS NOT NULL OR x.relation IS NULL OR s.refreshed_at < statement_timestamp() - interval '25 hours'
  UNION ALL
  SELECT 'conversations', 'error', CASE WHEN c.oid IS NULL THEN format('table %s with messages is gone', s.relation::text) ELSE format('triggers on table %s with messages are missing or disabled', s.relation::text) END,
         'What is said in it is not heard.',
         CASE WHEN c.oid IS NULL THEN format('SELECT pql.detach_conversations(%L);', s.relation::text)
              WHEN t.present = 2 THEN format('ALTER TABLE %s ENABLE TRIGGER pql_hear, ENABLE TRIGGER pql_hear_truncate;', s.relation)
              ELSE format('SELECT pql.detach_conversations(%L); -- and attach it again', s.relation::text) END
  FROM pql.conversation_source AS s LEFT JOIN pg_class AS c ON c.oid = s.relation,
    LATERAL (SELECT count(*) AS present, count(*) FILTER (WHERE g.tgenabled NOT IN ('D', 'R')) AS enabled FROM pg_trigger AS g
             WHERE g.tgrelid = s.relation AND g.tgfoid = 'pql._hear()'::regprocedure AND g.tgparentid = 0) AS t
  WHERE t.enabled < 2;
COMMENT ON VIEW pql._definition_findings IS 'What pql.health says of programs, reps, attributes and what else is attached.';
--@ comments _definition_findings _source_findings "check" status what detail hint

CREATE VIEW pql._work_findings WITH (security_invoker = true) AS
  SELECT 'tick' AS "check", CASE WHEN d.now - d.at > interval '1 hour' THEN 'error' ELSE 'warning' END AS status,
         format('%s has been due since %s', d.what, date_trunc('second', d.at)) AS what,
         CASE w.state WHEN 'not preloaded' THEN 'The background worker isn''t preloaded: something else has to call pql.tick().' WHEN 'off' THEN 'The background worker is off: something else has to call pql.tick().'
           ELSE format('The background worker is %s.', w.state) END AS detail,
         'SELECT * FROM pql.tick();' AS hint
  FROM (SELECT x.* FROM pql._due AS x ORDER BY x.at LIMIT 1) AS d CROSS JOIN pql.worker AS w
  WHERE d.now - d.at > interval '5 minutes'
  UNION ALL
  SELECT 'worker', 'error', format('failures of the background worker in succession: %s', w.failures), w.last_error, 'SELECT pg_reload_conf(); -- it tries again at once'
  FROM pql.worker AS w WHERE w.state = 'failing'
  UNION ALL
  SELECT 'worker', 'warning', 'pql.worker is on, and the library is not preloaded', 'There is no background worker until the server is started with it.',
         format('ALTER SYSTEM SET shared_preload_libraries = %s; -- and restart the server', concat_ws(', ', (
           SELECT string_agg(quote_literal(btrim(l.name, ' "')), ', ' ORDER BY l.place)
           FROM pg_settings AS s, unnest(string_to_array(s.setting, ',')) WITH ORDINALITY AS l(name, place)
           WHERE s.name = 'shared_preload_libraries'), '''pql'''))
  FROM pql.worker AS w WHERE w.state = 'not preloaded' AND current_setting('pql.worker') = 'on'
  UNION ALL
  SELECT 'folding', CASE WHEN f.lag > interval '1 hour' THEN 'error' ELSE 'warning' END, format('events of table %s have waited to be folded since %s', f.relation, date_trunc('second', f.oldest)),
         'No score and no hand-off knows of them.', 'CALL pql.fold();'
  FROM pql.fold_lag AS f WHERE f.lag > interval '5 minutes'
  UNION ALL
  SELECT 'waiting rows', 'warning', format('rows that wait for a rep beyond their promise: %s', CASE WHEN count(*) > 1000 THEN 'more than 1000' ELSE count(*)::text END),
         format('The oldest was to be contacted by %s. The statement says why nobody has it: reps may be full, away, or without the skills.', date_trunc('second', min(r.contact_by))),
         format('SELECT * FROM pql.explain_route(%s);', (array_agg(r.routing_id ORDER BY r.contact_by))[1])
  FROM (SELECT pql._now() AS now OFFSET 0) AS n CROSS JOIN LATERAL (
    SELECT x.routing_id, x.contact_by FROM pql.routing AS x
    WHERE x.state = 'pending' AND x.owner IS NULL AND coalesce(x.contact_by, 'infinity') < n.now AND x.snoozed_until IS NULL AND pql._needs_rep(x.motion)
    ORDER BY coalesce(x.contact_by, 'infinity'), x.routing_id LIMIT 1001) AS r
  HAVING count(*) > 0
  UNION ALL
  SELECT 'overdue rows', 'warning', format('overdue rows of the last two weeks that nobody has touched: %s', count(*)),
         format('The oldest was to be contacted by %s.', date_trunc('second', min(r.contact_by))), 'SELECT * FROM pql.inbox WHERE sla = ''broken'';'
  FROM (SELECT pql._now() AS now OFFSET 0) AS n CROSS JOIN LATERAL (
    SELECT x.contact_by FROM pql.routing AS x
    WHERE x.state = 'ready' AND x.owner IS NULL AND x.contact_by > n.now - interval '14 days' AND x.contact_by < n.now AND pql._needs_rep(x.motion)
    UNION ALL
    SELECT x.contact_by FROM pql.rep_load AS l JOIN pql.routing AS x ON x.owner = l.rep_id
    WHERE x.owner IS NOT NULL AND x.state <> 'disposed' AND x.state IN ('ready', 'claimed', 'accepted') AND x.first_touch_at IS NULL AND x.snoozed_until IS NULL
      AND x.contact_by > n.now - interval '14 days' AND x.contact_by < n.now AND pql._needs_rep(x.motion)) AS r
  HAVING count(*) > 0;
COMMENT ON VIEW pql._work_findings IS 'What pql.health says of what waits to be done.';
--@ comments _work_findings _source_findings "check" status what detail hint

CREATE VIEW pql._server_findings WITH (security_invoker = true) AS
  SELECT 'versions' AS "check", 'error' AS status, format('the library is of version %s, and the extension of %s', pql.version(), e.extversion) AS what,
         'Only one of the two was updated.' AS detail,
         CASE WHEN string_to_array(pql.version(), '.')::int[] > string_to_array(e.extversion, '.')::int[] THEN 'ALTER EXTENSION pql UPDATE;'
              ELSE 'SELECT pg_reload_conf(); -- after the package is installed; if pql is preloaded, restart the server' END AS hint
  FROM pg_extension AS e WHERE e.extname = 'pql' AND e.extversion <> pql.version()
  UNION ALL
  SELECT 'versions', 'warning', format('version %s is installed on disk, and the database has %s', a.default_version, a.installed_version), 'The new one waits to be taken.', 'ALTER EXTENSION pql UPDATE;'
  FROM pg_available_extensions AS a WHERE a.name = 'pql' AND a.installed_version <> a.default_version AND a.installed_version = pql.version()
  UNION ALL
  SELECT 'replication role', 'error', format('session_replication_role is %s for %s', split_part(c.setting, '=', 2), coalesce('role ' || quote_ident(r.rolname), 'everybody') ||
           CASE WHEN s.setdatabase <> 0 THEN ' in this database' ELSE '' END),
         'Triggers don''t fire for them: what they write is not seen.',
         CASE WHEN s.setrole = 0 THEN format('ALTER DATABASE %I RESET session_replication_role;', current_database())
              ELSE format('ALTER ROLE %I %sRESET session_replication_role;', r.rolname, CASE WHEN s.setdatabase <> 0 THEN format('IN DATABASE %I ', current_database()) ELSE '' END) END
  FROM pg_db_role_setting AS s LEFT JOIN pg_roles AS r ON r.oid = s.setrole, LATERAL unnest(s.setconfig) AS c(setting)
  WHERE c.setting ~ '^session_replication_role=(replica|local)$' AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
  UNION ALL
  SELECT 'autovacuum', 'error', 'autovacuum is off', 'Dead rows of the state pile up, and reads of it get slower.', 'ALTER SYSTEM RESET autovacuum; -- then SELECT pg_reload_conf(); or in postgresql.conf'
  FROM pg_settings AS s WHERE s.name = 'autovacuum' AND s.setting = 'off'
  UNION ALL
  SELECT 'autovacuum', 'error', format('autovacuum is off for table %s', c.oid::regclass), 'Its dead rows pile up.', format('ALTER TABLE %s RESET (autovacuum_enabled);', c.oid::regclass)
  FROM pg_class AS c, LATERAL unnest(c.reloptions) AS o(setting)
  WHERE o.setting IN ('autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=0') AND c.relkind = 'r'
    AND (c.relnamespace = 'pql'::regnamespace OR c.oid IN (SELECT s.relation FROM pql.source AS s))
  UNION ALL
  SELECT 'vacuum', 'warning', format('table %s has %s dead rows, beside %s', t.relid::regclass, t.n_dead_tup, t.n_live_tup),
         format('Autovacuum came last %s.', coalesce('at ' || date_trunc('second', t.last_autovacuum), 'never')), format('VACUUM %s;', t.relid::regclass)
  FROM pg_stat_user_tables AS t
  WHERE t.schemaname = 'pql' AND t.n_dead_tup > 10000 AND t.n_dead_tup > 0.4 * t.n_live_tup
  UNION ALL
  SELECT 'hot updates', 'warning', format('only %s %% of the updates of table %s are HOT', round(100.0 * t.n_tup_hot_upd / t.n_tup_upd), t.relid::regclass),
         'Room is wanting in its pages: something holds vacuum back, or a column that changes was indexed.', format('VACUUM %s;', t.relid::regclass)
  FROM pg_stat_user_tables AS t
  WHERE t.schemaname = 'pql' AND t.relname IN ('state', 'rep_load') AND t.n_tup_upd > 10000 AND t.n_tup_hot_upd < 0.7 * t.n_tup_upd AND t.n_dead_tup > 1000
  UNION ALL
  SELECT 'statistics', 'warning', format('table %s has changed by %s rows since it was analyzed', t.relid::regclass, t.n_mod_since_analyze),
         'The planner goes by what was so then.', format('ANALYZE %s;', t.relid::regclass)
  FROM pg_stat_user_tables AS t
  WHERE (t.schemaname = 'pql' OR t.relid IN (SELECT s.relation FROM pql.source AS s)) AND t.n_mod_since_analyze > 50000 AND t.n_mod_since_analyze > 0.5 * t.n_live_tup
  UNION ALL
  SELECT 'indexes', 'error', format('index %s is invalid', i.indexrelid::regclass), 'It was made CONCURRENTLY, and that failed: it is kept up, and serves no query.',
         CASE WHEN c.relname ~ '_ccnew\d*$' THEN format('DROP INDEX %s;', i.indexrelid::regclass) ELSE format('REINDEX INDEX %s;', i.indexrelid::regclass) END
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
  WHERE NOT i.indisvalid AND c.relkind = 'i' AND i.indisready IS NOT NULL AND (c.relnamespace = 'pql'::regnamespace OR i.indrelid IN (SELECT s.relation FROM pql.source AS s))
    AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
  UNION ALL
  SELECT 'transactions', 'warning', format('transaction %L has been prepared since %s', p.gid, date_trunc('second', p.prepared)),
         'It holds its locks, and keeps vacuum from removing what died since.', format('COMMIT PREPARED %L; -- or ROLLBACK PREPARED', p.gid)
  FROM pg_prepared_xacts AS p WHERE p.database = current_database() AND p.prepared < clock_timestamp() - interval '10 minutes'
  UNION ALL
  SELECT 'transactions', 'warning', format('process %s of %s has held a snapshot since %s', a.pid, a.usename, date_trunc('second', a.xact_start)),
         format('Vacuum can''t remove what died since (%s).', coalesce(nullif(a.state, ''), 'at work')), format('SELECT pg_terminate_backend(%s);', a.pid)
  FROM pg_stat_activity AS a
  WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL)
    AND a.xact_start < clock_timestamp() - interval '1 hour' AND a.pid <> pg_backend_pid()
  UNION ALL
  SELECT 'transactions', 'warning', format('replication slot %s is not used, and holds vacuum back', s.slot_name), 'What died since it was used last is kept, and so is the WAL.',
         format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
  FROM pg_replication_slots AS s WHERE NOT s.active AND (s.database IS NULL OR s.database = current_database()) AND greatest(age(s.xmin), age(s.catalog_xmin)) > 1000000;
COMMENT ON VIEW pql._server_findings IS 'What pql.health says of versions, settings, vacuum and long transactions.';
--@ comments _server_findings _source_findings "check" status what detail hint

CREATE VIEW pql._object_findings WITH (security_invoker = true) AS
  SELECT 'own tables' AS "check", 'warning' AS status, format('%s "%s" of table pql.%s is not pql''s', o.kind, o.name, o.relation) AS what,
         'Somebody added it. It is not dumped with the extension, and nothing in pql reckons with it.' AS detail,
         CASE o.kind WHEN 'index' THEN format('DROP INDEX pql.%I;', o.name)
           WHEN 'column' THEN format('ALTER TABLE pql.%I DROP COLUMN %I;', o.relation, o.name) WHEN 'constraint' THEN format('ALTER TABLE pql.%I DROP CONSTRAINT %I;', o.relation, o.name)
           ELSE format('DROP %s %I ON pql.%I;', upper(o.kind), o.name, o.relation) END AS hint
  FROM pql._object AS o WHERE NOT EXISTS (SELECT FROM pql.own_object AS k WHERE (k.relation, k.kind, k.name) = (o.relation, o.kind, o.name))
  UNION ALL
  SELECT 'own tables', CASE k.kind WHEN 'index' THEN 'warning' ELSE 'error' END, format('%s "%s" of table pql.%s is missing', k.kind, k.name, k.relation),
         CASE k.kind WHEN 'index' THEN 'What it served reads the whole table.' ELSE 'What it kept is kept no more.' END,
         coalesce(k.definition || ';', 'ALTER EXTENSION pql UPDATE; -- or restore the table from a dump')
  FROM pql.own_object AS k WHERE NOT EXISTS (SELECT FROM pql._object AS o WHERE (k.relation, k.kind, k.name) = (o.relation, o.kind, o.name))
  UNION ALL
  SELECT 'own tables', 'error', format('trigger "%s" of table %s is disabled', t.tgname, t.tgrelid::regclass), 'What it does is not done.',
         format('ALTER TABLE %s ENABLE TRIGGER %I;', t.tgrelid::regclass, t.tgname)
  FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid JOIN pql.own_object AS k ON k.relation = c.relname AND k.kind = 'trigger' AND k.name = t.tgname
  WHERE c.relnamespace = 'pql'::regnamespace AND t.tgenabled IN ('D', 'R')
  UNION ALL
  SELECT 'own tables', 'error', format('row security of table %s is off', c.oid::regclass), 'Everybody who may read it sees all rows.', format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', c.oid::regclass)
  FROM pg_class AS c WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity
    AND EXISTS (SELECT FROM pql.own_object AS k WHERE k.relation = c.relname AND k.kind = 'policy');
COMMENT ON VIEW pql._object_findings IS 'What pql.health says of pql''s own tables.';
--@ comments _object_findings _source_findings "check" status what detail hint

CREATE VIEW pql.health WITH (security_invoker = true) AS
  WITH finding AS MATERIALIZED (
    SELECT * FROM pql._source_findings UNION ALL SELECT * FROM pql._definition_findings UNION ALL SELECT * FROM pql._work_findings
    UNION ALL SELECT * FROM pql._server_findings UNION ALL SELECT * FROM pql._object_findings)
  SELECT k."check", coalesce(f.status, 'ok') AS status, coalesce(f.what, k.right) AS what, f.detail, f.hint
  FROM (VALUES
      (1, 'versions', 'library and extension are of one version'),
      (2, 'events tables', 'attached tables are there, with their columns'),
      (3, 'triggers', 'triggers are there and enabled'),
      (4, 'replication role', 'triggers fire for everybody'),
      (5, 'partitions', 'partitions are known'),
      (6, 'indexes', 'indexes are there and valid'),
      (7, 'duplicates', 'repeated events count once'),
      (8, 'history', 'the history is folded'),
      (9, 'unusable events', 'events can be used'),
      (10, 'clocks', 'no clock is ahead'),
      (11, 'programs', 'programs are in force'),
      (12, 'rules', 'no rule fails'),
      (13, 'attributes', 'attributes and facts are fresh'),
      (14, 'imports', 'imports are fresh'),
      (15, 'conversations', 'conversations are heard'),
      (16, 'reps', 'there is somebody for each motion'),
      (17, 'capacity', 'reps have a capacity'),
      (18, 'tick', 'nothing has been due for long'),
      (19, 'folding', 'no event waits long to be folded'),
      (20, 'worker', 'the background worker does what it is to do'),
      (21, 'waiting rows', 'no row waits for a rep beyond its promise'),
      (22, 'overdue rows', 'no promise is broken that can still be mended'),
      (23, 'own tables', 'pql''s tables are as they were shipped'),
      (24, 'autovacuum', 'autovacuum is on'),
      (25, 'vacuum', 'dead rows are removed'),
      (26, 'hot updates', 'updates find room in their page'),
      (27, 'statistics', 'statistics are fresh'),
      (28, 'transactions', 'no transaction holds vacuum back')) AS k(place, "check", "right")
    LEFT JOIN finding AS f ON f."check" = k."check"
  ORDER BY CASE f.status WHEN 'error' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END, k.place, f.what;
COMMENT ON VIEW pql.health IS 'What is wrong with this installation: one row for each finding, the worst first, and one for each check that finds nothing. Cheap enough to be asked each minute.';
COMMENT ON COLUMN pql.health."check" IS 'What is looked at.';
COMMENT ON COLUMN pql.health.status IS 'error: events or decisions are lost, or come late. warning: it will be so, or something is slower than it need be. ok.';
COMMENT ON COLUMN pql.health.what IS 'What was found.';
COMMENT ON COLUMN pql.health.detail IS 'What that means.';
COMMENT ON COLUMN pql.health.hint IS 'The statement that mends it; where only you can choose, the one that shows what there is to choose.';

-- Figures.
CREATE VIEW pql.metrics WITH (security_invoker = true) AS
  WITH own AS MATERIALIZED (
    SELECT t.relid, t.relname::text AS relation, t.n_live_tup, t.n_dead_tup, t.n_tup_upd, t.n_tup_hot_upd, b.heap_blks_hit + coalesce(b.idx_blks_hit, 0) AS hit,
           b.heap_blks_read + coalesce(b.idx_blks_read, 0) AS read
    FROM pg_stat_user_tables AS t JOIN pg_statio_user_tables AS b USING (relid) WHERE t.schemaname = 'pql'),
  due AS MATERIALIZED (SELECT min(d.at) AS at, min(d.now) AS now FROM pql._due AS d),
  worker AS MATERIALIZED (SELECT w.* FROM pql.worker AS w)
  SELECT m.name, m.labels, m.value::float8 AS value, m.help, m.type
  FROM (
    SELECT 'pql_info' AS name, jsonb_build_object('version', e.extversion, 'library', pql.version()) AS labels, 1::numeric AS value, 'Versions of extension and library.' AS help, 'gauge' AS type
    FROM pg_extension AS e WHERE e.extname = 'pql'
    UNION ALL
    SELECT 'pql_health', jsonb_build_object('check', h."check", 'status', h.status), count(*), 'Findings of pql.health by check and status.', 'gauge' FROM pql.health AS h GROUP BY h."check", h.status
    UNION ALL
    SELECT 'pql_oldest_due_seconds', '{}', extract(epoch FROM coalesce(d.now - d.at, '0')), 'How long the oldest thing that is due has waited for pql.tick().', 'gauge' FROM due AS d
    UNION ALL
    SELECT 'pql_worker_ticks_total', '{}', coalesce(w.ticks, 0), 'Ticks of the background worker in this database since the server was started.', 'counter' FROM worker AS w
    UNION ALL
    SELECT 'pql_worker_failures', '{}', coalesce(w.failures, 0), 'Failures of the background worker since its last success.', 'gauge' FROM worker AS w
    UNION ALL
    SELECT 'pql_worker_tick_seconds', '{}', extract(epoch FROM w.duration), 'How long its last tick took.', 'gauge' FROM worker AS w WHERE w.duration IS NOT NULL
    UNION ALL
    SELECT 'pql_unusable_events_total', jsonb_build_object('relation', s.relation::text, 'reason', u.reason), sum(u.events), 'Events that could not be used, by table and reason.', 'counter'
    FROM pql.unusable_event AS u JOIN pql.source AS s USING (source_id) GROUP BY s.relation, u.reason
    UNION ALL
    SELECT 'pql_rule_failures_total', jsonb_build_object('program', e.program, 'version', e.version, 'path', e.path), e.errors, 'How often each rule failed while events were written.', 'counter'
    FROM pql.rule_errors AS e
    UNION ALL
    SELECT 'pql_held_events', '{}', count(*), 'Events of the future that are held (10000: or more).', 'gauge' FROM (SELECT FROM pql.held_event AS h LIMIT 10000) AS h
    UNION ALL
    SELECT 'pql_backfill_pages_left', jsonb_build_object('relation', j.relation::text), sum(j.pages - j.next_page), 'Pages of history that are not folded yet.', 'gauge'
    FROM pql.backfill_job AS j WHERE j.finished_at IS NULL GROUP BY j.relation
    UNION ALL
    SELECT 'pql_program', jsonb_build_object('program', p.program, 'version', p.version, 'status', p.status), 1, 'Versions of programs that are not retired.', 'gauge'
    FROM pql.program AS p WHERE p.status <> 'retired'
    UNION ALL
    SELECT 'pql_rep_open_rows', jsonb_build_object('rep', l.rep_id), l.open, 'Routing rows that each rep has.', 'gauge' FROM pql.rep_load AS l
    UNION ALL
    SELECT 'pql_rep_capacity_rows', jsonb_build_object('rep', r.rep_id), r.capacity, 'How many each active rep can have at once.', 'gauge' FROM pql.reps AS r WHERE r.active AND r.capacity IS NOT NULL
    UNION ALL
    SELECT 'pql_waiting_rows', '{}', count(*), 'Routing rows that wait for a rep (10000: or more).', 'gauge'
    FROM (SELECT FROM pql.routing AS r WHERE r.state = 'pending' AND r.owner IS NULL AND coalesce(r.contact_by, 'infinity') IS NOT NULL AND pql._needs_rep(r.motion) LIMIT 10000) AS r
    UNION ALL
    SELECT 'pql_relation_bytes', jsonb_build_object('relation', o.relation), pg_total_relation_size(o.relid), 'Size of pql''s tables with their indexes.', 'gauge' FROM own AS o
    UNION ALL
    SELECT 'pql_live_rows', jsonb_build_object('relation', o.relation), o.n_live_tup, 'Rows of pql''s tables, as statistics have it.', 'gauge' FROM own AS o
    UNION ALL
    SELECT 'pql_dead_rows', jsonb_build_object('relation', o.relation), o.n_dead_tup, 'Dead rows of pql''s tables, as statistics have it.', 'gauge' FROM own AS o
    UNION ALL
    SELECT 'pql_updates_total', jsonb_build_object('relation', o.relation), o.n_tup_upd, 'Updates of pql''s tables.', 'counter' FROM own AS o
    UNION ALL
    SELECT 'pql_hot_updates_total', jsonb_build_object('relation', o.relation), o.n_tup_hot_upd, 'HOT updates of pql''s tables.', 'counter' FROM own AS o
    UNION ALL
    SELECT 'pql_blocks_hit_total', jsonb_build_object('relation', o.relation), o.hit, 'Blocks of pql''s tables and indexes that were found in the cache.', 'counter' FROM own AS o
    UNION ALL
    SELECT 'pql_blocks_read_total', jsonb_build_object('relation', o.relation), o.read, 'Blocks of pql''s tables and indexes that were not.', 'counter' FROM own AS o) AS m
  WHERE m.value IS NOT NULL;
COMMENT ON VIEW pql.metrics IS 'Figures for a monitoring system, in the shape of Prometheus: what each is called, its labels, its value, what it means. pql.metrics_text() has them as text.';
COMMENT ON COLUMN pql.metrics.name IS 'What the series is called.';
COMMENT ON COLUMN pql.metrics.value IS 'Its value.';
COMMENT ON COLUMN pql.metrics.help IS 'What it means.';
COMMENT ON COLUMN pql.metrics.labels IS 'Names and values that tell series of one name apart.';
COMMENT ON COLUMN pql.metrics.type IS 'gauge: as it is now. counter: only grows, until statistics are reset or the extension is made anew.';

CREATE OR REPLACE FUNCTION pql._metric_text(value float8) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
  RETURN CASE value WHEN 'Infinity' THEN '+Inf' WHEN '-Infinity' THEN '-Inf' ELSE value::text END;
COMMENT ON FUNCTION pql._metric_text(float8) IS 'A number as Prometheus writes it.';

CREATE OR REPLACE FUNCTION pql.metrics_text() RETURNS text
  LANGUAGE sql VOLATILE PARALLEL UNSAFE COST 100000
  BEGIN ATOMIC
    SELECT coalesce(string_agg(f.lines, '' ORDER BY f.name), '') FROM (
      SELECT m.name, format(E'# HELP %s %s\n# TYPE %s %s\n', m.name, replace(replace(min(m.help), E'\\', E'\\\\'), E'\n', E'\\n'), m.name, min(m.type)) ||
             string_agg(m.name || coalesce('{' || l.labels || '}', '') || ' ' || pql._metric_text(m.value) || E'\n', '' ORDER BY l.labels) AS lines
      FROM pql.metrics AS m CROSS JOIN LATERAL (
        SELECT string_agg(format('%s="%s"', x.key, replace(replace(replace(x.value, E'\\', E'\\\\'), '"', E'\\"'), E'\n', E'\\n')), ',' ORDER BY x.key) AS labels
        FROM jsonb_each_text(m.labels) AS x) AS l
      GROUP BY m.name) AS f;
  END;
COMMENT ON FUNCTION pql.metrics_text() IS 'pql.metrics in Prometheus''s text format (version 0.0.4): what an exporter serves.';
REVOKE ALL ON FUNCTION pql.metrics_text() FROM PUBLIC;

CREATE VIEW pql.stats WITH (security_invoker = true) AS
  SELECT e.extversion AS version, (SELECT count(*) FROM pql.source) AS sources, (SELECT count(*) FROM pql.program AS p WHERE p.status = 'live') AS live_programs,
         s.n_live_tup AS homes, (SELECT greatest(c.reltuples, 0)::bigint FROM pg_class AS c WHERE c.oid = 'pql.routing'::regclass) AS routing_rows,
         d.at AS oldest_due_at, d.what AS oldest_due, coalesce(d.now - d.at, '0') AS lag, w.state AS worker, w.ticked_at,
         (SELECT count(*) FROM (SELECT FROM pql.held_event AS h LIMIT 10000) AS h) AS held_events,
         (SELECT coalesce(sum(u.events), 0)::bigint FROM pql.unusable_event AS u) AS unusable_events,
         (SELECT coalesce(sum(r.errors), 0)::bigint FROM pql.rule_error AS r) AS rule_failures,
         (SELECT jsonb_object_agg(r.rule, r.errors) FROM (SELECT format('%s %s %s', x.program, x.version, x.path) AS rule, sum(x.errors) AS errors FROM pql.rule_error AS x GROUP BY 1) AS r) AS failures_by_rule,
         b.hit::float8 / nullif(b.hit + b.read, 0) AS cache_hits, s.n_tup_hot_upd::float8 / nullif(s.n_tup_upd, 0) AS hot_updates,
         s.n_dead_tup AS dead_states, s.last_autovacuum,
         pg_total_relation_size('pql.state'::regclass) AS state_bytes, b.bytes AS all_bytes,
         h.errors, h.warnings
  FROM pg_extension AS e CROSS JOIN pg_stat_user_tables AS s CROSS JOIN pql.worker AS w
    CROSS JOIN (SELECT count(*) FILTER (WHERE x.status = 'error') AS errors, count(*) FILTER (WHERE x.status = 'warning') AS warnings FROM pql.health AS x) AS h
    CROSS JOIN (SELECT sum(x.heap_blks_hit + coalesce(x.idx_blks_hit, 0)) AS hit, sum(x.heap_blks_read + coalesce(x.idx_blks_read, 0)) AS read, sum(pg_total_relation_size(x.relid))::bigint AS bytes
                FROM pg_statio_user_tables AS x WHERE x.schemaname = 'pql') AS b
    LEFT JOIN (SELECT x.* FROM pql._due AS x ORDER BY x.at LIMIT 1) AS d ON true
  WHERE e.extname = 'pql' AND s.relid = 'pql.state'::regclass;
COMMENT ON VIEW pql.stats IS 'The installation in one row: how much there is, how far behind it is, and how well it is kept. Rows are estimates of PostgreSQL''s statistics.';
COMMENT ON COLUMN pql.stats.version IS 'The extension''s version.';
COMMENT ON COLUMN pql.stats.sources IS 'How many events tables are attached.';
COMMENT ON COLUMN pql.stats.live_programs IS 'How many programs are live.';
COMMENT ON COLUMN pql.stats.routing_rows IS 'How many routing rows there are, estimated.';
COMMENT ON COLUMN pql.stats.oldest_due_at IS 'Since when something is due that no tick has dealt with; null: nothing is.';
COMMENT ON COLUMN pql.stats.unusable_events IS 'How many events couldn''t be used, ever (pql.unusable).';
COMMENT ON COLUMN pql.stats.rule_failures IS 'How often rules failed (pql.rule_errors).';
COMMENT ON COLUMN pql.stats.last_autovacuum IS 'When autovacuum came to pql.state last; null: never.';
COMMENT ON COLUMN pql.stats.state_bytes IS 'The size of pql.state with its indexes, in bytes.';
COMMENT ON COLUMN pql.stats.all_bytes IS 'The size of all of pql''s tables with their indexes, in bytes.';
COMMENT ON COLUMN pql.stats.warnings IS 'How many warnings are among the findings of pql.health.';
--@ comments stats worker worker=state ticked_at
COMMENT ON COLUMN pql.stats.homes IS 'Rows of pql.state: about one for each account, and one for each person without one.';
COMMENT ON COLUMN pql.stats.lag IS 'How long the oldest thing that is due has waited for a tick. Scores are exact all the same.';
COMMENT ON COLUMN pql.stats.oldest_due IS 'What that is.';
COMMENT ON COLUMN pql.stats.held_events IS 'Events of the future that are held (10000: or more).';
COMMENT ON COLUMN pql.stats.failures_by_rule IS 'How often each rule failed while events were written: {"program version path": times}.';
COMMENT ON COLUMN pql.stats.cache_hits IS 'The share of blocks of pql''s tables that were found in PostgreSQL''s buffers.';
COMMENT ON COLUMN pql.stats.hot_updates IS 'The share of updates of pql.state that were HOT, that is, touched no index.';
COMMENT ON COLUMN pql.stats.dead_states IS 'Dead rows of pql.state that vacuum has not removed yet.';
COMMENT ON COLUMN pql.stats.errors IS 'How many of the findings of pql.health are errors.';
