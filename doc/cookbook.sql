-- The data of doc/cookbook.md: a quarter of a made-up company that sells a tool to teams. 120 accounts sign up, a program hands some
-- of them to three reps, and some of them buy. Nothing is random: every run gives the same rows.
--
--   createdb cookbook && psql -d cookbook -c 'CREATE EXTENSION pql' -f doc/cookbook.sql

-- A number from 0 to 99 that looks drawn, the same each time.
CREATE FUNCTION draw(n bigint, salt bigint) RETURNS int IMMUTABLE LANGUAGE sql AS
'SELECT ((n * 7919 + salt * 104729 + n * salt * 31) % 10007 % 100)::int';

CREATE TABLE company (id text PRIMARY KEY, employees int NOT NULL, plan text NOT NULL, n int NOT NULL);
INSERT INTO company
SELECT (ARRAY['acme', 'amber', 'birch', 'blue', 'cedar', 'delta', 'ever', 'fern', 'gold', 'harbor', 'iron', 'jade', 'kite', 'lake', 'maple'])
         [1 + n / 8] || (ARRAY['', 'bank', 'care', 'foods', 'labs', 'press', 'rail', 'works'])[1 + n % 8],
       (ARRAY[8, 25, 60, 150, 400, 1200])[1 + draw(n, 1) % 6], CASE WHEN draw(n, 2) < 70 THEN 'free' ELSE 'team' END, n
FROM generate_series(0, 119) AS n;

CREATE TABLE app_event (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL, person text NOT NULL, company text, name text NOT NULL, props jsonb);
CREATE INDEX ON app_event (company, at);
CREATE INDEX ON app_event (person, at);

-- What will happen. Everybody signs up and looks around; a third bring their team, a quarter call the API, one in seven asks for
-- single sign-on. Half of all stop after some weeks.
CREATE TABLE script AS
WITH life AS (
  SELECT c.*, timestamptz '2026-01-05 08:00Z' + (n * 13 % 81) * interval '1 day' + draw(n, 3) * interval '2 minutes' AS joined,
         draw(n, 4) < 60 AS stops, draw(n, 5) < 45 AS team, draw(n, 6) < 50 AS api, draw(n, 7) < 30 AS sso, draw(n, 8) < 40 AS buyer
  FROM company AS c)
SELECT joined AS at, 'ada' AS who, id AS company, 'signup' AS name, NULL::jsonb AS props FROM life
UNION ALL SELECT joined + (1 + draw(n, 9) % 60) * interval '1 hour', 'ada', id, 'project_created', NULL FROM life WHERE draw(n, 10) < 80
UNION ALL SELECT joined + (20 + draw(n, 11)) * interval '2 hours', 'ada', id, 'invite_sent', jsonb_build_object('count', 1 + draw(n, 12) % 6) FROM life WHERE team
UNION ALL SELECT joined + d * interval '1 day' + (draw(n + d, 13) % 7) * interval '1 hour',
                 (ARRAY['ada', 'ben', 'cho', 'dee'])[CASE WHEN team AND d > 6 THEN 1 + draw(n + d, 14) % 4 ELSE 1 END], id, 'opened', NULL
          FROM life, generate_series(0, 83) AS d WHERE draw(n * 84 + d, 15) < CASE WHEN team THEN 45 ELSE 12 END AND NOT (stops AND d > 8 + n % 20)
UNION ALL SELECT joined + d * interval '1 day' + interval '90 minutes', 'ben', id, 'api_used', jsonb_build_object('calls', 100 + 50 * draw(n + d, 16))
          FROM life, generate_series(3, 83, 2) AS d WHERE api AND draw(n * 84 + d, 17) < 70 AND NOT (stops AND d > 8 + n % 20)
UNION ALL SELECT joined + (4 + draw(n, 18) % 25) * interval '1 day', 'ada', id, 'sso_requested', NULL FROM life WHERE sso
UNION ALL SELECT joined + d * interval '1 day' + interval '3 hours', 'ada', id, 'pricing_viewed', NULL
          FROM life, generate_series(2, 60) AS d WHERE draw(n * 60 + d, 19) < CASE WHEN buyer THEN 14 ELSE 4 END AND NOT (stops AND d > 8 + n % 20)
UNION ALL SELECT joined + d * interval '1 day' + interval '4 hours', 'ada', id, 'theme_changed', NULL
          FROM life, generate_series(0, 60) AS d WHERE draw(n * 60 + d, 20) < 7 AND NOT (stops AND d > 8 + n % 20);
DELETE FROM script WHERE at >= '2026-03-27 12:00Z'; -- a Friday

SELECT count(*) FROM pql.attach('app_event', user_id => 'person', account_id => 'company', event => 'name', occurred_at => 'at', event_id => 'id',
                                properties => 'props', clock => 'event');
SELECT count(*) FROM pql.attach_accounts('company', account_id => 'id');

SELECT pql.publish('{
  "program": "team_plan", "unit": "account", "objective": "conversion",
  "milestones": {
    "signed_up":         {"event": "signup"},
    "created_a_project": {"event": "project_created"},
    "invited_teammates": {"event": "invite_sent", "where": "(props->>''count'')::int >= 2"}
  },
  "activation": {"steps": ["signed_up", "created_a_project", "invited_teammates"], "within": "14 days"},
  "signals": {
    "activation":     {"kind": "activation", "milestone": "activation_complete", "max_points": 25, "why": "set it up with teammates"},
    "api_usage":      {"kind": "depth", "event": "api_used", "measure": "sum", "of": "(props->>''calls'')::float8", "half_life": "7 days",
                       "half_saturation": 5000, "max_points": 30, "why": "their own systems call the API"},
    "people":         {"kind": "breadth", "measure": "distinct_users", "window": "14 days", "points_each": 5, "max_points": 20,
                       "why": "several people use it"},
    "single_sign_on": {"kind": "intent", "event": "sso_requested", "half_life": "14 days", "max_points": 25,
                       "why": "asked for single sign-on"},
    "pricing":        {"kind": "intent", "event": "pricing_viewed", "half_life": "7 days", "points_each": 10, "max_points": 25,
                       "may_mention": false, "why": "looked at prices"},
    "themes":         {"kind": "depth", "event": "theme_changed", "window": "14 days", "points_each": 5, "max_points": 10}
  },
  "qualify": {"enter": 60, "leave": 40, "min_kinds": 2, "when": "users_active >= 2"},
  "motions": [
    {"when": "signal.single_sign_on > 0.3", "motion": "account_executive", "after": "15 minutes", "by": "4 working hours",
     "next_best_action": "Offer to plan the roll-out with their IT."},
    {"otherwise": true, "motion": "inside_sales", "after": "15 minutes", "by": "1 working day",
     "next_best_action": "Offer a 10-minute setup call for the team."}],
  "guardrails": [{"block_when": "attr.employees < 10 and points.single_sign_on = 0", "reason": "very small"}],
  "holdout": 0.2,
  "outcome": {"converted": ["paid"], "horizon": "30 days"}
}');
SELECT pql.promote('team_plan', override => 'the cookbook begins');

INSERT INTO pql.reps (rep_id, capacity, weekly_capacity, away) VALUES
  ('kim', 6, 4, '{}'), ('lee', 6, 4, '{}'), ('mo', 6, 4, '{[2026-02-16, 2026-03-02)}');

-- The quarter goes by, in steps of two hours. Kim calls soon, mo within the day, lee when he gets to it; each says afterwards how it went.
DO $$
DECLARE
  t timestamptz := '2026-01-05 08:00Z';
  r pql.routing;
  now timestamptz;
  late interval;
BEGIN
  WHILE t < '2026-03-27 12:00Z' LOOP
    INSERT INTO app_event (at, person, company, name, props)
    SELECT at, who || '@' || company || '.example', company, name, props FROM script WHERE at >= t AND at < t + interval '2 hours' ORDER BY at, company, name;
    t := t + interval '2 hours';
    PERFORM pql.tick(t);
    SELECT max(at) INTO now FROM app_event; -- what the program's clock says
    FOR r IN SELECT * FROM pql.routing WHERE state = 'ready' AND owner IS NOT NULL ORDER BY routing_id LOOP
      late := CASE r.owner WHEN 'kim' THEN interval '20 minutes' WHEN 'mo' THEN interval '3 hours' ELSE interval '9 hours' END
              * (0.5 + draw(r.routing_id, 21) / 60.0);
      CONTINUE WHEN now < r.contact_after + late OR now > '2026-03-25 12:00Z' OR draw(r.routing_id, 22) < 5;
      PERFORM pql.claim(r.owner, 1, r.routing_id);
      PERFORM pql.touch(r.routing_id, 'phone', at => r.contact_after + late);
      IF draw(r.routing_id, 23) < 40 THEN PERFORM pql.touch(r.routing_id, 'meeting', at => r.contact_after + late); END IF;
    END LOOP;
    FOR r IN SELECT * FROM pql.routing WHERE state = 'touched' AND now > first_touch_at + interval '2 days' ORDER BY routing_id LOOP
      PERFORM pql.dispose(r.routing_id, CASE WHEN draw(r.routing_id, 23) < 40 THEN 'meeting_set' WHEN draw(r.routing_id, 24) < 50 THEN 'contacted' ELSE 'no_response' END,
        need_matched => draw(r.routing_id, 25) < 70, timing_right => r.first_touch_at - r.contact_after < interval '5 hours', context_enough => draw(r.routing_id, 26) < 90);
    END LOOP;
  END LOOP;
END $$;

-- Who bought: most of those who asked for single sign-on, some of those who looked at prices, more where somebody called.
SELECT count(pql.record_outcome(r.subject_id, 'paid', 600 + 12 * c.employees, r.qualified_at + (5 + draw(c.n, 27) % 20) * interval '1 day'))
FROM pql.routing AS r JOIN company AS c ON c.id = r.subject_id
WHERE r.follows IS NULL AND r.qualification = 'first' AND draw(c.n, 28) < 10 + CASE WHEN r.reasons @> '[{"signal": "single_sign_on"}]' THEN 35 ELSE 0 END
  + CASE WHEN r.reasons @> '[{"signal": "pricing"}]' THEN 15 ELSE 0 END + CASE WHEN r.first_touch_at IS NOT NULL THEN 20 ELSE 0 END;

CREATE VIEW bought AS SELECT subject_id, at FROM pql.outcome WHERE outcome = 'paid';
