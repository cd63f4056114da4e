# A database with pql, an attached events table and a live program: what the TAP tests start from.
package Pql;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
our @EXPORT = qw(program prepare digest verified);

# A program on accounts; the events table has columns id, ts, user_id, org, name.
sub program
{
	return q({"program": "p", "unit": "account",
    "milestones": {"start": {"event": "e1"}, "middle": {"event": "e2"}, "done": {"event": "e3"}},
    "activation": {"steps": ["start", "middle", "done"], "within": "3 days"},
    "signals": {"work": {"kind": "depth", "event": "e1", "half_life": "7 days", "saturates_at": 50, "max_points": 50},
                "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30}},
    "qualify": {"enter": 60, "leave": 40}});
}

# Creates the extension, the table (partitioned if wished) and the program.
sub prepare
{
	my ($node, $db, %o) = @_;
	my $program = program();
	my $partitions =
	  $o{partitioned}
	  ? 'CREATE TABLE ev_a PARTITION OF ev FOR VALUES FROM (minvalue) TO (100000); CREATE TABLE ev_b PARTITION OF ev DEFAULT;'
	  : '';
	my $by = $o{partitioned} ? 'PARTITION BY RANGE (id)' : '';
	$node->safe_psql(
		$db, qq{
    SET client_min_messages = warning;
    CREATE EXTENSION IF NOT EXISTS pql;
    CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text) $by;
    $partitions
    CREATE INDEX ON ev (org, ts);
    });
	$node->safe_psql(
		$db, qq{
    SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
    SELECT pql.publish('$program');
    SELECT pql.promote('p');
    });
	return;
}

sub digest
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, 'SELECT pql.state_digest()');
}

# The differences between the state and a scan of the events: '' when there are none.
sub verified
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, 'SELECT * FROM pql.verify()');
}

1;
