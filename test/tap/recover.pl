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
$node->append_conf('postgresql.conf', "shared_buffers = '64MB'\nautovacuum = off");
$node->start;
prepare($node, 'postgres');

my $rows = q{SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4};
$node->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(1, 20000) AS i");
is(verified($node, 'postgres'), '', 'state is right to begin with');

# Cancels, at every stage of a long statement.
for my $statement ("INSERT INTO ev $rows FROM generate_series(20001, 400000) AS i", 'SELECT count(*) FROM pql.verify()',
	'CALL pql.rebuild()', 'UPDATE ev SET org = org || 1')
{
	for my $timeout (5, 40, 150)
	{
		my ($status, $out, $err) = $node->psql('postgres', "SET statement_timeout = $timeout; $statement");
		like($err, qr/^$|canceling statement due to statement timeout/m, "$timeout ms: only a cancel") if $status;
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
