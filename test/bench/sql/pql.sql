-- pql on app.events, with the program :program, live. What is in the table already becomes state.
CREATE EXTENSION pql;
SELECT * FROM pql.attach('app.events', user_id => 'user_id', account_id => 'account_id', event => 'name', occurred_at => 'ts',
                         event_id => 'id', properties => 'props', clock => :clock);
SELECT pql.publish(:program);
