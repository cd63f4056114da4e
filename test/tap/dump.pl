# A dump restored elsewhere is a working system: the same state, definitions and decisions, and events keep counting.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE a');
prepare($node, 'a');
$node->safe_psql('a',
	q{INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4
    FROM generate_series(1, 20000) AS i});
$node->safe_psql('a', q{SELECT pql.upsert_user_milestone('u1', 'start', '2020-01-01'); SELECT pql.retain('ev', '2026-01-03')});
$node->safe_psql('a', q{
	CREATE ROLE analyst;
	CREATE ROLE app;
	GRANT SELECT ON ALL TABLES IN SCHEMA pql TO analyst;
	GRANT EXECUTE ON FUNCTION pql.record_event, pql.next_id TO app;
	GRANT USAGE ON SEQUENCE pql.id_seq TO app;
	REVOKE EXECUTE ON FUNCTION pql.check_program FROM PUBLIC});

my %look = (
	sources  => 'SELECT relation, intact, user_id, account_id, sealed_before, history_folded FROM pql.sources',
	programs => 'SELECT program, version, status, document FROM pql.program ORDER BY 1, 2',
	routing  => 'SELECT * FROM pql.routing ORDER BY routing_id',
	episodes => 'SELECT * FROM pql.episode ORDER BY episode_id',
	rights   => q{SELECT oid::regprocedure::text, proacl FROM pg_proc WHERE pronamespace = 'pql'::regnamespace
		UNION ALL SELECT relname, relacl FROM pg_class WHERE relnamespace = 'pql'::regnamespace ORDER BY 1},
	members  => 'SELECT * FROM pql.members ORDER BY 1, 2',
	score    => q{SELECT * FROM pql.scoreboard('p') ORDER BY 1});
my %before = map { $_ => $node->safe_psql('a', $look{$_}) } keys %look;
my $digest = digest($node, 'a');

my $file = $node->basedir . '/a.dump';
for my $form (['plain', '-Fp'], ['custom', '-Fc'])
{
	my ($name, $flag) = @$form;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ 'pg_dump', $flag, '-f', $file, '-d', $node->connstr('a') ], "$name: dumped");
	if ($name eq 'plain')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr($name) ], "$name: restored");
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr($name), $file ], "$name: restored");
	}
	is(digest($node, $name), $digest, "$name: same state");
	is($node->safe_psql($name, $look{$_}), $before{$_}, "$name: same $_") for sort keys %look;
	is(verified($node, $name), '', "$name: state agrees with the events");
	$node->safe_psql($name, q{INSERT INTO ev SELECT 100000 + i, '2026-02-01', 'new', 'o1', 'e1' FROM generate_series(1, 100) AS i; DELETE FROM ev WHERE id = 15000});
	is($node->safe_psql($name, q{SELECT events FROM pql.members WHERE user_id = 'new'}), '100', "$name: events keep counting");
	is(verified($node, $name), '', "$name: and the state is right");
	cmp_ok($node->safe_psql($name, 'SELECT pql.next_id()'), '>', $node->safe_psql('a', 'SELECT max(routing_id) FROM pql.routing'),
		"$name: identifiers go on");
}

$node->stop;
done_testing();
