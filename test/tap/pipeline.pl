# A statement in a pipeline is not its transaction's last one, whatever the protocol says of blocks: it takes no lane, in which it would
# hold up the owner of the head, for whom the statements after it may have to wait. Outside of a pipeline it does.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $node = PostgreSQL::Test::Cluster->new('pipeline');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = '100ms'");
$node->start;
prepare($node, 'postgres');

# An account that has been waited for so often that the next wait gives it lanes.
$node->safe_psql('postgres', "INSERT INTO ev VALUES (1, '2026-01-01', 'u1', 'acme', 'other'), (2, '2026-01-01', 'u2', 'acme', 'other')");
$node->safe_psql(
	'postgres', "UPDATE pql.state SET body = set_byte(substring(body FROM 1 FOR 4), 2, get_byte(body, 2) | 4) || decode('003f', 'hex') || substring(body FROM 5)
	WHERE home = 'a:acme' AND part = 0");

my $id = 10;
sub event
{
	my ($user) = @_;
	return sprintf "INSERT INTO ev VALUES (%d, '2026-01-02', '%s', 'acme', 'other');\n", $id++, $user;
}

# pgbench with a script, once, in the extended protocol; and until it waits for somebody.
sub begin_script
{
	my ($name, $script) = @_;
	my $file = $node->basedir . "/$name.sql";
	append_to_file($file, $script);
	my %run = (err => '');
	$run{handle} = IPC::Run::start(
		[ 'pgbench', '-n', '-M', 'extended', '-t', '1', '-f', $file, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$run{out}, '2>', \$run{err}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return \%run;
}
my $waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";

my $owner = $node->background_psql('postgres', on_error_stop => 0);
$owner->query_safe('SELECT pql.version()');
$owner->query_safe('BEGIN; ' . event('u1'));
my $crowd = begin_script('crowd', "SELECT pql.version();\n" . event('u2'));
$node->poll_query_until('postgres', $waiting) or die 'nobody waits';
$owner->query_safe('COMMIT');
$crowd->{handle}->finish;
is($node->safe_psql('postgres', 'SELECT count(*) FROM pql.state WHERE part < 0'), '8', 'the account has lanes');

# by itself
$owner->query_safe('BEGIN; ' . event('u1'));
my $alone = begin_script('alone', "SELECT pql.version();\n" . event('u2'));
$alone->{handle}->finish;
unlike($alone->{err}, qr/aborted/, 'a statement of its own waits for nobody') or diag($alone->{err});
$owner->query_safe('COMMIT');

# in a pipeline, before one that waits for the head; whose owner then waits for lanes
$owner->query_safe('BEGIN; ' . event('u1'));
my $piped = begin_script('piped', "SELECT pql.version();\n\\startpipeline\n" . event('u2') . event('new') . "\\endpipeline\n");
$node->poll_query_until('postgres', $waiting) or die 'nobody waits';
my (undef, $failed) = $owner->query(event('newer') . 'COMMIT;');
is($failed, 0, "the owner of the head does not fail") or diag($owner->{stderr});
$piped->{handle}->finish;
unlike($piped->{err}, qr/aborted|deadlock/, 'nor does the pipeline') or diag($piped->{err});
is($node->safe_psql('postgres', "SELECT string_agg(user_id, ' ' ORDER BY user_id) FROM pql.members"), 'new newer u1 u2', 'all of it counts');
is(verified($node, 'postgres'), '', 'state is what the events say');
$owner->quit;
$node->stop;
done_testing();
