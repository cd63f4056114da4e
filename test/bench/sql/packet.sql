-- :accounts accounts of 200 users and 10,000 events each, of whom much is known; one event more ("ask") qualifies each.
-- Intents are rows of pql.intent and the events that they are to the engine.
INSERT INTO app.events (user_id, account_id, name, ts)
  SELECT 'big' || a || ' user ' || n % 200, 'big' || a,
         CASE WHEN n < 1200 THEN (ARRAY['signup', 'connect', 'invite', 'deploy', 'roles', 'integrate'])[1 + n / 200] ELSE 'work' END,
         now() - interval '6 days' + n * interval '50 seconds'
  FROM generate_series(1, :accounts) AS a, generate_series(0, 9999) AS n;
INSERT INTO pql.intent (home, source_id, event_id, user_id, account_id, topic, occurred_at, channel, quote, language)
  SELECT 'a:' || 'big' || a, 99, 'm' || n, 'big' || a || ' user ' || n, 'big' || a, (ARRAY['procurement', 'integration', 'urgency'])[1 + n % 3],
         now() - interval '6 days' + n * interval '1 hour', 'chat', 'A sentence of a message in which somebody says what they need and by when, number ' || n || '.', 'en'
  FROM generate_series(1, :accounts) AS a, generate_series(1, 60) AS n;
INSERT INTO pql.step_share SELECT 'packets', s, 10, 12, now() FROM unnest('{signed_up,connected,invited,went_live}'::text[]) AS s;
