-- What the two documents say: programs, signals and checklists as tables, and the curves as a function.
CREATE SCHEMA oracle;

CREATE TABLE oracle.program AS
  SELECT d->>'program' AS program, d->>'unit' AS unit, (d->'qualify'->>'enter')::int AS enter, (d->'qualify'->>'leave')::int AS leave,
         d AS document
  FROM (VALUES (:'account_expansion'::jsonb), (:'contributor'::jsonb)) AS v(d);

CREATE TABLE oracle.checklist AS
  SELECT program, unit, coalesce(document->'activation'->>'order', 'in_order') = 'in_order' AS in_order,
         (document->'activation'->>'within')::interval AS within,
         ARRAY(SELECT jsonb_array_elements_text(document->'activation'->'steps')) AS names,
         jsonb_array_length(document->'activation'->'steps') AS steps
  FROM oracle.program;

CREATE TABLE oracle.signal AS
  SELECT program, unit, name AS signal, s->>'kind' AS kind,
         CASE WHEN s->>'milestone' = 'activation_complete' THEN 'activation' WHEN s ? 'milestone' THEN 'milestone'
              ELSE coalesce(s->>'measure', 'count') END AS measure,
         s->>'event' AS event, coalesce(s->>'where', 'true') AS where_rule,
         coalesce(s->>'of', '1') AS of_rule, s->>'milestone' AS milestone,
         extract(epoch FROM (s->>'half_life')::interval)::float8 AS half_life,
         (s->>'max_points')::float8 AS max_points, (s->>'points_each')::float8 AS points_each,
         (s->>'saturates_at')::float8 AS saturates_at, (s->>'half_saturation')::float8 AS half_saturation
  FROM oracle.program, jsonb_each(document->'signals') AS e(name, s);

-- Points for a measure, before rounding.
CREATE FUNCTION oracle.raw_points(s oracle.signal, value float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN s.measure IN ('milestone', 'activation') THEN s.max_points * value
              WHEN s.points_each IS NOT NULL THEN least(s.max_points, s.points_each * value)
              WHEN s.half_saturation IS NOT NULL THEN s.max_points * (1 - power(2, -least(value / s.half_saturation, 1000)))
              ELSE s.max_points * least(1, value / coalesce(s.saturates_at, 1)) END
$$;

-- What is left of an event; a thousand half-lives are as good as any more, and don't underflow. Epochs in seconds.
CREATE FUNCTION oracle.faded(value float8, at float8, as_of float8, half_life float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT value * power(2, greatest(-1000, (at - as_of) / half_life))
$$;
