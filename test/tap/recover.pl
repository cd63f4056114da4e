# A crash or a cancel in the middle leaves nothing half-done: state, episodes and events agree afterwards.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $node = PostgreSQL::Test::Cluster->new('recover');
$node->init;
$node->append_conf('postgresql.conf', "shared_buffers = '64MB'\nautovacuum = off\nmax_prepared_transactions = 1");
$node->start;
prepare($node, 'postgres');

my $rows = q{SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4};
$node->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(1, 20000) AS i");
is(verified($node, 'postgres'), '', 'state is right to begin with');

# Ended in the middle, where we say: a prepared transaction holds what the statement will wait for, in vain. Homes are written in the
# order of their keys, so the first holds it up with nothing written, and the last with all but that.
my $digest = digest($node, 'postgres');
my @homes = split /\n/, $node->safe_psql('postgres', q{SELECT home FROM pql.state WHERE home LIKE 'a:%' AND part = 0 ORDER BY home});
my @held = map { "SELECT FROM pql.state WHERE home = '$_' FOR UPDATE" } @homes[0, @homes / 2, -1];
my %held = (
	"INSERT INTO ev $rows FROM generate_series(20001, 40000) AS i" => \@held,
	'UPDATE ev SET org = org || 1' => \@held,
	'DELETE FROM ev WHERE id <= 5000' => \@held,
	'CALL pql.rebuild()' => [@held, 'LOCK TABLE ev'],
	'SELECT count(*) FROM pql.verify()' => ['LOCK TABLE ev']);
for my $statement (sort keys %held)
{
	for my $hold (@{ $held{$statement} })
	{
		$node->safe_psql('postgres', "BEGIN; $hold; PREPARE TRANSACTION 'hold'");
		my ($status, $out, $err) = $node->psql('postgres', "SET lock_timeout = 50; $statement");
		like($err, qr/canceling statement due to lock timeout/, substr($statement, 0, 40) . " waits for: $hold");
		$node->safe_psql('postgres', q{ROLLBACK PREPARED 'hold'});
		is(digest($node, 'postgres'), $digest, 'and has changed nothing');
	}
}
is(verified($node, 'postgres'), '', 'state is right after statements that were ended');

# Cancelled wherever they happen to be by then; or done, on a fast machine.
for my $statement ("INSERT INTO ev $rows FROM generate_series(20001, 400000) AS i", 'SELECT count(*) FROM pql.verify()',
	'CALL pql.rebuild()', 'UPDATE ev SET org = org || 1')
{
	for my $timeout (5, 40, 150)
	{
		my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = $timeout; $statement");
		ok($status ? $err =~ /canceling statement due to statement timeout/ : $err eq '', "$timeout ms: a cancel, or nothing")
		  or diag $err;
	}
}
$node->safe_psql('postgres', 'DELETE FROM ev WHERE id > 20000');
is(verified($node, 'postgres'), '', 'state is right after cancels');

# One backend, many failures: what a failed statement took is given back.
my $many = join "\n", map { "SET statement_timeout = 3; INSERT INTO ev $rows FROM generate_series(500001, 520000) AS i; SET statement_timeout = 0;" } 1 .. 50;
my $used = q{SELECT sum(total_bytes) < 100e6 FROM pg_backend_memory_contexts};
my ($status, $out) = $node->psql('postgres', "$many\n$used", on_error_stop => 0);
like($out, qr/t$/, 'fifty cancelled statements left no memory behind');

# Crashes.
for my $round (1 .. 3)
{
	my $first = 1_000_000 * $round;
	my $pid = fork;
	if (!$pid)
	{
		my $host = $node->host;
		my $port = $node->port;
		open STDERR, '>', '/dev/null';
		open STDOUT, '>', '/dev/null';
		exec 'psql', '-X', '-h', $host, '-p', $port, '-d', 'postgres', '-c',
		  "DO \$\$ BEGIN FOR n IN 0..1000 LOOP INSERT INTO ev SELECT $first + n * 100 + i, timestamptz '2026-02-01' + n * interval '1 hour',"
		  . " 'u' || i % 30, 'o' || i % 40, 'e' || (i + n) % 4 FROM generate_series(1, 100) AS i; COMMIT; END LOOP; END \$\$";
	}
	select undef, undef, undef, 0.4 * $round;
	$node->stop('immediate');
	waitpid $pid, 0;
	$node->start;
	is(verified($node, 'postgres'), '', "state is right after crash $round");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM (SELECT episode FROM pql.routing GROUP BY 1 HAVING count(*) > 1) AS x'),
	'0', 'no episode was routed twice');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM pql.routing'), '>', 0, 'some were routed');
is( $node->safe_psql('postgres', q{SELECT count(*) FROM pql.routing AS r JOIN pql.episode AS e ON e.episode_id = r.episode AND e.home = r.home}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM pql.routing'),
	'every row has its episode');

$node->stop;
done_testing();
