-- What became of :handoffs hand-offs of two programs over two years, of half as many accounts, worked by 200 reps: all of it follows from their
-- numbers. Of some, reps may not know a signal.
SELECT pql.publish(jsonb_build_object('program', p, 'unit', 'account', 'qualify', '{"enter": 20, "leave": 10}'::jsonb,
  'motions', '[{"otherwise": true, "motion": "inside_sales", "after": "0", "by": "2 days"}]'::jsonb,
  'signals', (SELECT jsonb_object_agg('s' || i, jsonb_build_object('kind', (ARRAY['depth', 'breadth', 'intent', 'fit'])[1 + i % 4], 'event', 'e' || i, 'half_life', '14 days',
    'max_points', 10, 'may_show_rep', i <> 11)) FROM generate_series(0, 11) AS i))) FROM unnest('{one,two}'::text[]) AS p;
INSERT INTO pql.reps (rep_id, team) SELECT 'rep' || i, 't' || i % 8 FROM generate_series(0, 199) AS i;
INSERT INTO pql.handoff_fact (home, routing_id, program, version, unit, subject_id, account_id, segment, motion, score, signals, signal_at, qualified_at, matures_at, week,
  holdout, owner, state, complete, contact_by, claimed_at, accepted_at, first_touch_at, last_touch_at, touches, worked_at, met_at, disposed_at, disposition,
  need_matched, timing_right, context_enough, failed_at, converted_at, last_outcome_at, value, credits, credited)
SELECT 'a:' || 'o' || n / 2, n, CASE WHEN n % 3 = 2 THEN 'two' ELSE 'one' END, 1, 'account', 'o' || n / 2, 'o' || n / 2, (ARRAY['small', 'middle', 'large'])[1 + n % 7 % 3],
  (ARRAY['inside_sales', 'inside_sales', 'account_executive', 'enterprise', 'in_app'])[1 + n % 5], 20 + n % 60,
  ARRAY(SELECT 's' || i FROM generate_series(0, 10) AS i WHERE (n * 7919 + i * 104729) % 11 < 5), q, q, q + interval '90 days', date_trunc('week', q, 'UTC'),
  n % 10 = 0, CASE WHEN n % 10 > 0 THEN 'rep' || n % 200 END, CASE WHEN n % 10 = 0 THEN 'suppressed' WHEN touched THEN 'disposed' ELSE 'ready' END, 0.5 + n % 2 / 4.0,
  q + interval '2 days', t, t, t, t + n % 3 * interval '1 hour', CASE WHEN touched THEN 1 + n % 3 ELSE 0 END, CASE WHEN n % 3 = 2 THEN t + interval '2 hours' END,
  CASE WHEN n % 3 = 2 THEN t + interval '2 hours' END, CASE WHEN n % 6 > 0 THEN t + interval '2 hours' END,
  CASE WHEN touched AND n % 6 > 0 THEN (ARRAY['contacted', 'meeting_set', 'disqualified', 'no_response'])[1 + n % 4] END,
  CASE WHEN touched AND n % 6 > 0 THEN n % 5 <> 0 END, CASE WHEN touched AND n % 6 > 0 THEN n % 7 <> 0 END, CASE WHEN touched AND n % 6 > 0 THEN true END,
  CASE WHEN n % 17 = 0 THEN t END, c, c, CASE WHEN c IS NOT NULL THEN n % 1000 END, CASE WHEN n % 3 = 2 AND c >= t THEN 1 ELSE 0 END, CASE WHEN n % 3 = 2 AND c >= t THEN n % 1000 END
FROM (SELECT n, q, n % 3 > 0 AND n % 10 > 0 AS touched, CASE WHEN n % 3 > 0 AND n % 10 > 0 THEN q + n % 97 * interval '1 hour' END AS t,
        CASE WHEN n % 100 < 20 + 4 * (n % 60) / 10 THEN q + (1 + n % 60) * interval '1 day' END AS c
      FROM (SELECT n, now() - interval '800 days' + n * (interval '730 days' / :handoffs) AS q FROM generate_series(1::bigint, :handoffs) AS n) AS x) AS y;
INSERT INTO pql.handoff_hidden (home, routing_id, signals) SELECT f.home, f.routing_id, '{s11}' FROM pql.handoff_fact AS f WHERE f.routing_id % 20 = 1;
