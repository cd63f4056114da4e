-- Programs with every measure of doc/programs.md, one for each unit.
\set ON_ERROR_STOP on
CREATE FUNCTION every_measure(name text, unit text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', name, 'unit', unit, 'qualify', '{"enter": 100, "leave": 60, "dwell": "1 day", "cool_down": "10 days"}'::jsonb,
    'motions', '[{"otherwise": true, "motion": "none"}]'::jsonb,
    'milestones', '{"coded": {"event": "changed_code", "where": "(props->>''quantity'')::float8 > 3"}, "tested": {"event": "wrote_test"},
                    "documented": {"event": "wrote_docs"}}'::jsonb,
    'activation', '{"steps": ["coded", "tested", "documented"], "within": "20 days"}'::jsonb,
    'measures', '{"worked": {"event": "changed_code", "measure": "active_days", "window": "21 days"}}'::jsonb,
    'signals', (SELECT jsonb_object_agg(key, '{"kind": "depth", "max_points": 10}'::jsonb || value) FROM jsonb_each('{
      "count":        {"event": "changed_code", "measure": "count", "window": "30 days", "saturates_at": 50},
      "count_all":    {"event": "*", "measure": "count", "window": "5 days", "saturates_at": 50},
      "count_where":  {"event": "*", "where": "event <> ''changed_code'' and (props->>''quantity'')::int > 5", "measure": "count", "window": "90 days", "points_each": 1},
      "count_fading": {"event": "changed_code", "half_life": "7 days", "half_saturation": 20},
      "sum":          {"event": "changed_api", "measure": "sum", "of": "(props->>''quantity'')::float8", "window": "60 days", "saturates_at": 50},
      "sum_fading":   {"event": "*", "where": "props->>''workspace'' <> ''nova''", "measure": "sum", "of": "(props->>''quantity'')::float8 / 4 - 1", "half_life": "21 days", "saturates_at": 9},
      "milestone":    {"milestone": "coded"},
      "milestone_fading": {"milestone": "tested", "half_life": "100 days"},
      "milestone_lately": {"milestone": "documented", "window": "200 days"},
      "activation":   {"milestone": "activation_complete"},
      "activation_too": {"measure": "activation"},
      "activation_fading": {"milestone": "activation_complete", "half_life": "300 days"},
      "days":         {"measure": "active_days", "window": "28 days", "points_each": 1},
      "days_of_test": {"event": "wrote_test", "measure": "active_days", "window": "36 hours", "points_each": 1},
      "streak":       {"measure": "streak", "points_each": 1},
      "streak_of_code": {"event": "changed_code", "measure": "streak", "window": "5 days", "points_each": 1},
      "recency":      {"measure": "recency", "over": 30, "max_points": -10},
      "recency_of_docs": {"event": "wrote_docs", "measure": "recency", "points_each": 1, "max_points": -5},
      "time":         {"measure": "time_in_product", "window": "7 days", "saturates_at": 20},
      "time_of_code": {"event": "changed_code", "measure": "time_in_product", "gap": "6 hours", "window": "30 days", "saturates_at": 20},
      "rate":         {"event": "changed_code", "measure": "success_rate", "success": "(props->>''quantity'')::int > 2", "window": "45 days"},
      "grown":        {"event": "changed_code", "measure": "growth", "of": "count", "window": "30 days", "over": 0.5},
      "sum_grown":    {"event": "*", "measure": "growth", "of": "sum", "sum_of": "(props->>''quantity'')::float8", "window": "20 days", "over": 0.5},
      "more_days":    {"measure": "growth", "of": "active_days", "window": "28 days", "over": 0.1},
      "more_time":    {"measure": "growth", "of": "time_in_product", "gap": "1 hour", "window": "14 days", "over": 0.1},
      "together":     {"all_of": ["coded", "tested", "changed_api"], "within": "2 days", "half_life": "400 days"},
      "together_lately": {"all_of": ["documented", "changed_schema"], "within": "72 hours", "window": "500 days"},
      "in_turn":      {"sequence": ["changed_ci", "coded", "tested"], "within": "10 days", "half_life": "100 days"},
      "value":        {"value": "worked / 2 + case when milestone.tested < as_of - interval ''240 hours'' then 1 else 0 end"},
      "flag":         {"flag": true},
      "once":         {"event": "changed_schema", "repeat": "once", "window": "40 days"},
      "per_day":      {"event": "changed_driver", "repeat": "per_day", "window": "30 days", "points_each": 1},
      "capped":       {"event": "changed_other", "repeat": "capped", "cap": 3, "window": "9 days", "points_each": 2},
      "sum_capped":   {"event": "*", "measure": "sum", "of": "(props->>''quantity'')::float8", "cap": 40, "window": "9 days", "points_each": 1},
      "time_capped":  {"measure": "time_in_product", "cap": 0.5, "window": "2 days", "points_each": 9}}'::jsonb)))
$$;
CREATE FUNCTION with_people(document jsonb) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_set(document, '{signals}', document->'signals' || '{
    "users":         {"kind": "breadth", "max_points": 10, "measure": "distinct_users", "window": "14 days", "points_each": 1},
    "users_of_test": {"kind": "breadth", "max_points": 10, "event": "wrote_test", "measure": "distinct_users", "window": "60 days", "points_each": 1},
    "more_users":    {"kind": "breadth", "max_points": 10, "measure": "growth", "of": "distinct_users", "window": "30 days", "over": 0.1}}')
$$;
SELECT * FROM pql.check_program(with_people(every_measure('by_account', 'account')));
SELECT * FROM pql.check_program(every_measure('by_user', 'user'));
SELECT pql.publish(with_people(every_measure('by_account', 'account'))), pql.publish(every_measure('by_user', 'user'));
SELECT pql.promote('by_account'), pql.promote('by_user');
