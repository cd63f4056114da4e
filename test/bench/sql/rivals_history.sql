-- The rivals' state from history: what the one who wrote them by hand runs once. Rows of app.events are all there is.
INSERT INTO rival.milestone
  SELECT DISTINCT ON (user_id, name) user_id, name, account_id, ts, id FROM app.events ORDER BY user_id, name, ts, id;
INSERT INTO rival.member
  SELECT account_id, user_id, min(ts), max(ts), count(*) FROM app.events GROUP BY account_id, user_id;
INSERT INTO rival.score
  SELECT account_id,
         coalesce(sum((props->>'units')::float8 * rival.left_of(now_at - ts, 7)) FILTER (WHERE name = 'api_call'), 0),
         coalesce(sum(rival.left_of(now_at - ts, 7)) FILTER (WHERE name = 'report_viewed'), 0),
         coalesce(sum(rival.left_of(now_at - ts, 3)) FILTER (WHERE name = 'pricing_viewed'), 0),
         now_at, NULL
  FROM app.events, (SELECT max(ts) AS now_at FROM app.events) m
  WHERE name IN ('api_call', 'report_viewed', 'pricing_viewed') GROUP BY account_id, now_at;
UPDATE rival.score SET crossed_at = last_at WHERE rival.points(calls, reports, pricing) >= 60;
