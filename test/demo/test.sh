#!/usr/bin/env bash
# Streams simulated months through the trigger and checks who was routed and what their stories say, by plain SQL over
# the events and the simulation's truth. Needs a server with pql installed (PGHOST and so on); makes its own databases.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
passed=0 failed=0
databases=()
at_exit() {
  local d
  for d in "${databases[@]}"; do dropdb --if-exists "$d" || true; done
  rm -rf "$work"
}
trap at_exit EXIT

db() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"; }

ok() { # ok WHAT STATUS [DETAIL]
  if (($2 == 0)); then
    passed=$((passed + 1))
    echo "ok: $database: $1"
  else
    failed=$((failed + 1))
    echo "not ok: $database: $1${3:+: $3}"
  fi
}

# none WHAT SQL: the query must run and return nothing.
none() {
  local rows status=0
  rows=$(db -c "$2" 2>&1) || status=1
  [[ -z $rows ]] || status=1
  ok "$1" "$status" "$(head -n 5 <<<"$rows")"
}

# holds WHAT SQL: the query must return true.
holds() {
  local answer
  answer=$(db -c "$2" 2>&1) || true
  ok "$1" "$([[ $answer == t ]] && echo 0 || echo 1)" "$answer"
}

# stream DATABASE SEED ACCOUNTS: a month in a database of its own.
stream() {
  database=$1
  databases+=("$1")
  dropdb --if-exists "$1" 2>/dev/null
  createdb "$1"
  python3 simulate.py --seed "$2" --accounts "$3" --truth "$work/truth.csv" --account-list "$work/accounts.csv" --messages "$work/messages.csv" \
    >"$work/events.csv"
  db -v program="$(<program.json)" -f setup.sql
  db -c "\copy truth FROM '$work/truth.csv' WITH (FORMAT csv)" -c "\copy accounts FROM '$work/accounts.csv' WITH (FORMAT csv)"
  PGDATABASE=$1 python3 stream.py --quiet "$work/events.csv" "$work/messages.csv"
  # What pql says is compared with what had arrived when it said it.
  db <<'SQL'
    CREATE TABLE told AS
    SELECT r.*, pql.story(r.routing_id) AS story, b.received_until
    FROM pql.routing AS r
    CROSS JOIN LATERAL (SELECT received_until FROM batch WHERE last_routing >= r.routing_id
                        ORDER BY batch LIMIT 1) AS b;
    -- A topic that a message reveals is an event, too.
    CREATE VIEW happened AS
    SELECT * FROM app_events
    UNION ALL SELECT NULL, m.sent_at, m.user_id, m.account_id, 'topic:' || t.topic, '{}', m.sent_at FROM messages AS m, pql.match_topics(m.body) AS t;
    CREATE VIEW known AS
    SELECT t.routing_id, e.* FROM told AS t
    JOIN happened AS e ON e.account_id = t.subject_id AND e.received_at < t.received_until;
SQL
}

# quality MIN_PRECISION MIN_RECALL
quality() {
  local routed buyers both precision recall naive_precision naive_recall
  IFS='|' read -r routed buyers both precision recall naive_precision naive_recall < <(db -f quality.sql)
  echo "$database: $routed routed, $buyers buy, $both both: precision $precision, recall $recall" \
    "(busiest accounts: $naive_precision, $naive_recall)"
  holds "precision is at least $1" "SELECT ${precision:-0} >= $1"
  holds "recall is at least $2" "SELECT ${recall:-0} >= $2"
  holds "precision is better than taking the busiest accounts" "SELECT ${precision:-0} > ${naive_precision:-1}"
}

# Whatever the seed, these hold.
laws() {
  holds "something is routed" "SELECT count(*) > 0 FROM pql.routing"
  none "reasons add up to the score" \
    "SELECT routing_id FROM told
     WHERE score <> (SELECT sum((x ->> 'points')::int) FROM jsonb_array_elements(reasons) AS x)"
  none "evidence is an event of the account, of that time, known by then" \
    "SELECT t.routing_id, x FROM told AS t CROSS JOIN jsonb_array_elements(t.reasons) AS x
     WHERE x ->> 'event_id' IS NOT NULL AND NOT EXISTS (SELECT FROM known AS k WHERE k.routing_id = t.routing_id
       AND k.event_id = (x ->> 'event_id')::bigint AND k.occurred_at = (x ->> 'at')::timestamptz)"
  none "nobody is to be contacted before the decision" "SELECT routing_id FROM told WHERE contact_after < qualified_at"
  none "an account has one open episode at most, and one routing row for each" \
    "SELECT subject_id, episode FROM told GROUP BY 1, 2 HAVING count(*) > 1"
  none "milestones are the first times in the events table, whatever came late or twice" \
    "WITH first_times AS (
       SELECT m.name, e.account_id, min(e.occurred_at) AS at
       FROM app_events AS e CROSS JOIN LATERAL (VALUES
         ('signed_up', event = 'signup'), ('created_a_project', event = 'project_created'),
         ('put_it_to_work', event = 'api_usage' AND (props ->> 'calls')::int >= 100),
         ('connected_an_integration', event = 'integration_activated'),
         ('invited_teammates', event = 'invite_sent' AND (props ->> 'count')::int >= 2),
         ('set_up_roles', event = 'admin_setup'),
         ('deployed_to_production', event = 'deploy' AND props ->> 'target' = 'production'),
         ('asked_for_single_sign_on', event = 'sso_requested')) AS m(name, reached)
       WHERE m.reached GROUP BY 1, 2)
     SELECT coalesce(f.account_id, m.subject_id), coalesce(f.name, m.name), f.at, m.reached_at
     FROM first_times AS f
     FULL JOIN (SELECT * FROM pql.milestones WHERE unit = 'account') AS m
       ON m.subject_id = f.account_id AND m.name = f.name
     WHERE f.at IS DISTINCT FROM m.reached_at"
  none "members are who is in the events table, with all their events and no duplicates" \
    "(SELECT account_id, user_id, min(occurred_at), max(occurred_at), count(*) FROM happened GROUP BY 1, 2
      EXCEPT SELECT account_id, user_id, first_seen, last_seen, events FROM pql.members)
     UNION ALL
     (SELECT account_id, user_id, first_seen, last_seen, events FROM pql.members
      EXCEPT SELECT account_id, user_id, min(occurred_at), max(occurred_at), count(*) FROM happened GROUP BY 1, 2)"
  none "the stream agrees with a scan (pql.verify)" "SELECT * FROM pql.verify()"

  none "every story names its account and its score" \
    "SELECT routing_id FROM told WHERE story IS NULL OR position('# ' || subject_id IN story) <> 1
       OR position(subject_id || ' reached ' || score || ' points: ' IN story) = 0"
  none "every story counts the people that were there" \
    "SELECT t.routing_id, c.* FROM told AS t
     CROSS JOIN LATERAL (SELECT count(DISTINCT user_id) AS people, count(*) AS events, min(occurred_at) AS since
                         FROM known AS k WHERE k.routing_id = t.routing_id) AS c
     WHERE position(format('%s (plan %s) has %s in the product since %s.', t.subject_id, (SELECT a.plan FROM accounts AS a WHERE a.account_id = t.subject_id),
       CASE WHEN people = 1 THEN 'one person'
         ELSE coalesce((ARRAY['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven',
                              'twelve'])[people::int], people::text) || ' people' END,
       to_char(since, 'FMDD FMMonth YYYY')) IN story) = 0"
  none "every packet names the most active person first, with their first event and how many there were" \
    "SELECT t.routing_id, m.* FROM told AS t
     CROSS JOIN LATERAL (SELECT user_id, min(occurred_at) AS since, count(*) AS events FROM known AS k
                         WHERE k.routing_id = t.routing_id
                         GROUP BY user_id ORDER BY count(*) DESC, user_id COLLATE \"C\" LIMIT 1) AS m
     CROSS JOIN LATERAL (SELECT t.context #> '{members,0}' AS first) AS f
     WHERE (first ->> 'user_id', (first ->> 'first_seen')::timestamptz, (first ->> 'events')::bigint) IS DISTINCT FROM (m.user_id, m.since, m.events)"
  none "every story begins with the first person to sign up, on that day" \
    "SELECT t.routing_id, f.* FROM told AS t
     CROSS JOIN LATERAL (SELECT user_id, to_char(occurred_at, 'FMDD FMMonth') AS day FROM known AS k
                         WHERE k.routing_id = t.routing_id AND event = 'signup' ORDER BY occurred_at LIMIT 1) AS f
     WHERE story !~ format('%s(@[^ ]+)? signed up on %s', split_part(f.user_id, '@', 1), day)"
  none "a packet tells of single sign-on when it was asked for, and only then" \
    "SELECT t.routing_id FROM told AS t
     WHERE (t.context -> 'milestones' @> '[{\"name\": \"asked_for_single_sign_on\"}]')
        <> EXISTS (SELECT FROM known AS k WHERE k.routing_id = t.routing_id AND event = 'sso_requested')"
  none "a story quotes what was said last, and nothing that was said later" \
    "SELECT t.routing_id, s.* FROM told AS t
     CROSS JOIN LATERAL (SELECT m.body FROM messages AS m WHERE m.account_id = t.subject_id AND m.sent_at <= t.decided_at AND m.sent_at < t.received_until
                           AND EXISTS (SELECT FROM pql.match_topics(m.body)) ORDER BY m.sent_at DESC LIMIT 1) AS s
     WHERE position(s.body IN story) = 0"
  holds "of many who were routed somebody had said something" "SELECT avg((story ~ 'They said')::int) > 0.25 FROM told"
  none "what must not be mentioned is marked in every story" \
    "SELECT t.routing_id, s.signal FROM told AS t, (VALUES ('pricing'), ('security_pages')) AS s(signal)
     WHERE t.reasons @> jsonb_build_array(jsonb_build_object('signal', s.signal))
       AND NOT coalesce(substring(story FROM 'Do not mention[^\n]*') ~ replace(s.signal, '_', ' '), false)"
  holds "most stories take half a minute to read, and none much more" \
    "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY words) <= 150 AND max(words) <= 165
     FROM (SELECT array_length(regexp_split_to_array(regexp_replace(story, E'\\n[^\\n]*\\n$', ''), '\\s+'), 1) AS words FROM told) AS t"
  holds "an unknown routing row has no story" "SELECT pql.story(-1) IS NULL"
}

stream pql_demo_1 1 400
holds "events arrived twice and late" \
  "SELECT $(wc -l <"$work/events.csv") > count(*)
      AND count(*) FILTER (WHERE received_at > occurred_at + interval '1 hour') > 100 FROM app_events"
quality 0.70 0.60
laws
first=$(db -c "SELECT string_agg(subject_id || ' ' || score, ',' ORDER BY subject_id) FROM pql.routing")
top=$(db -c "SELECT story FROM told ORDER BY score DESC, routing_id LIMIT 1")

stream pql_demo_2 2 400
quality 0.60 0.45
laws
second=$(db -c "SELECT string_agg(subject_id || ' ' || score, ',' ORDER BY subject_id) FROM pql.routing")
ok "another seed routes others" "$([[ -n $first && $first != "$second" ]] && echo 0 || echo 1)"
ok "another seed tells another story" \
  "$([[ $top != "$(db -c "SELECT story FROM told ORDER BY score DESC, routing_id LIMIT 1")" ]] && echo 0 || echo 1)"

echo "demo: $passed passed, $failed failed"
((failed == 0))
