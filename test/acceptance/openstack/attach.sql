-- Attaches the events table and publishes both programs. Run with -v dedup=NULL (or an interval, quoted) and both documents as
-- -v account_expansion=... -v contributor=... The stream is of the past, so the clock is the events' own.
SET client_min_messages = warning;
\o /dev/null
SELECT * FROM pql.attach('events', user_id => 'user_id', account_id => 'account_id', event => 'event',
  occurred_at => 'occurred_at', event_id => 'event_id', properties => 'props', received_at => 'received_at',
  workspace => $$props->>'workspace'$$, clock => 'event', dedup => :dedup);
SELECT pql.publish(:'account_expansion');
SELECT pql.publish(:'contributor');
\o
