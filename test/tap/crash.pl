# Processes are killed at random moments while everything is at work (PQL_CRASH_CYCLES times): a backend, the background worker, the
# postmaster, or all at once. Whatever a client was told to be there is there, once, and the state is what the events say.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'sleep';
use Mixed;

my $cycles = $ENV{PQL_CRASH_CYCLES} || 5;
my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', q{
restart_after_crash = on
shared_preload_libraries = 'pql'
pql.worker = on
pql.worker_interval = '1s'
shared_buffers = '64MB'
max_connections = 40
log_error_verbosity = verbose
log_min_messages = warning
fsync = off  # the machine goes on
});
$node->start;
mixed_database($node, 'postgres');

sub one_pid { return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE $_[0] AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1") }

# Each ends with a server that recovers.
my %kill = (
	backend => sub { kill 'KILL', one_pid(q{backend_type = 'client backend' AND state = 'active'}) || one_pid(q{backend_type = 'client backend'}) },
	worker  => sub { kill 'KILL', one_pid(q{backend_type = 'pql worker'}) || one_pid(q{backend_type LIKE 'pql%'}) },
	postmaster => sub { $node->kill9 },
	all     => sub { $node->stop('immediate') });
srand($ENV{PQL_CRASH_SEED} // 7);
my (@acknowledged, %done);
my @kinds = qw(backend postmaster worker backend all);
for my $cycle (1 .. $cycles)
{
	my $offset = -s $node->logfile;
	my @clients = start_clients($node, 'postgres', 6, 60, seed => $cycle);
	sleep 0.5 + rand 2;
	my $kind = $kinds[ ($cycle - 1) % @kinds ];
	$kill{$kind}->();
	# A server whose postmaster was killed can't be started while children of it are still there; one that lost a process comes back by itself.
	if ($kind eq 'postmaster' || $kind eq 'all')
	{
		for (1 .. 300) { undef $node->{_pid}; last if $node->start(fail_ok => 1); sleep 0.1 }
	}
	stop_clients(@clients);
	for (1 .. 300) { last if ($node->psql('postgres', 'SELECT 1'))[0] == 0; sleep 0.1 }
	push @acknowledged, acknowledged(@clients);
	my $told = join ',', @acknowledged;
	is($node->safe_psql('postgres', "SELECT count(*) FROM unnest('{$told}'::bigint[]) AS told(id) WHERE id % 3 <> 0 AND NOT EXISTS (SELECT FROM ev WHERE ev.id = told.id)"),
		'0', "crash $cycle ($kind): what was acknowledged is there, of " . @acknowledged);
	settle($node, 'postgres');
	mixed_is_right($node, 'postgres', "crash $cycle ($kind)");
	my @bad = grep { !/57P0[123]|08006|57014|terminated by signal 9|F0001: (lock file|pre-existing shared memory)/ } unexpected_errors($node, $offset);
	is(scalar @bad, 0, "crash $cycle ($kind): no other errors") or diag(join "\n", @bad[0 .. ($#bad < 5 ? $#bad : 5)]);
}
cmp_ok(scalar @acknowledged, '>', 10 * $cycles, 'much was acknowledged');
my $digest = $node->safe_psql('postgres', 'SELECT pql.state_digest()');
$node->safe_psql('postgres', 'CALL pql.rebuild()');
is($node->safe_psql('postgres', 'SELECT pql.state_digest()'), $digest, 'derived anew the state is the same, bit for bit');
$node->stop;
done_testing();
