-- pql on app.events.
CREATE EXTENSION pql;
SELECT * FROM pql.attach('app.events', user_id => 'user_id', account_id => 'account_id', event => 'name', occurred_at => 'ts',
                         event_id => 'id', properties => 'props', clock => :clock);
-- The data end where the run began, so that by the wall clock most of them would be too old to decide upon: decide nevertheless.
UPDATE pql.source SET max_event_age = '1000 days';
