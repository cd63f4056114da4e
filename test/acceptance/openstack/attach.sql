-- Attaches the events table. Variable dedup: a horizon, or empty.
\set ON_ERROR_STOP on
SELECT count(*) > 0 AS attached
FROM pql.attach('events', user_id => 'user_id', account_id => 'account_id', event => 'event', occurred_at => 'occurred_at',
                event_id => 'event_id', properties => 'props', received_at => 'received_at', clock => 'event',
                dedup => nullif(:'dedup', '')::interval);
