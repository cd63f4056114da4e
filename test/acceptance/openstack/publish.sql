-- Publishes the two programs.
\set ON_ERROR_STOP on
SELECT pql.publish(:'account_expansion');
SELECT pql.publish(:'contributor');
