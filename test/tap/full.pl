# Time is up, somebody cancels, the disk is full, at whatever point: whoever writes is told so, nothing is half done, and it goes on when there is
# room again.
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

my $node = PostgreSQL::Test::Cluster->new('full');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmax_connections = 40\nlog_min_messages = warning\nlog_error_verbosity = verbose\nautovacuum = off");
$node->start;
mixed_database($node, 'postgres');

# Time is up: each function of those that write, and what is read, with less and less of it, down to nothing at all.
my %calls = (
	insert => q{INSERT INTO ev SELECT 500000 + i, now() - i * interval '1 minute', 'u' || i % 120, 'a' || i % 40, 'e' || i % 4, 1 FROM generate_series(1, 3000) AS i},
	update => q{UPDATE ev SET org = 'a' || (n + id) % 40 WHERE id < 0 AND id % 2 = 0},
	delete => 'DELETE FROM ev WHERE id BETWEEN -1000 AND -1',
	merge => q{SELECT pql.merge_accounts('a' || 30 + (random() * 9)::int, 'a' || 1 + (random() * 20)::int)},
	move => q{SELECT pql.move_user('u' || 1 + (random() * 50)::int, 'a' || 1 + (random() * 20)::int)},
	erase => q{SELECT count(*) FROM pql.erase_user('u' || 100 + (random() * 19)::int)},
	tick => 'SELECT count(*) FROM pql.tick()',
	publish => q{SELECT pql.publish(other_version(5 + (random() * 9)::int, 1 + (random() * 99)::int || ' hours'))},
	promote => q{SELECT pql.promote('other', 'all')},
	backfill => 'CALL pql.backfill()',
	rebuild => 'CALL pql.rebuild()',
	detach => q{SELECT pql.detach('web')},
	attach => q{SELECT count(*) FROM pql.attach('web', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id')},
	company => q{UPDATE company SET seats = seats + 1},
	refresh => 'SELECT pql.refresh_attributes(), pql.refresh_facts()',
	claim => q{SELECT count(*) FROM pql.claim('r1', 5)},
	verify => 'SELECT count(*) FROM pql.verify()',
	scoreboard => q{SELECT count(*) FROM pql.scoreboard('grow')},
	preview => q{SELECT count(*) FROM pql.preview((SELECT document FROM pql.program WHERE program = 'grow' AND status = 'live'))},
	review => q{SELECT count(*) FROM pql.weekly_review('grow')});
# What a call may be told besides: that it is done already, or that there is nothing to do.
my $refusal = qr/statement timeout|must not be null|is (live already|merged|not built yet|retired)|attached already|not attached|erased|duplicate key value violates unique constraint "ev_pkey"|itself/;
my $timed = 0;
for my $name (sort keys %calls)
{
	my @bad;
	for my $ms (1, 3, 8, 21, 55, 144)
	{
		my ($status, $out, $err) = $node->psql('postgres', "SET client_min_messages = error; SET statement_timeout = $ms; $calls{$name}");
		$timed++ if $err =~ /statement timeout/;
		push @bad, "$ms ms: $err" if $status && $err !~ $refusal;
	}
	is("@bad", '', "$name: in time, or told that time is up");
}
cmp_ok($timed, '>', 20, "time was up: $timed times");
settle($node, 'postgres');
mixed_is_right($node, 'postgres', 'after that');
$node->stop;

# Cancelled wherever they are: everything at once, while somebody ends at random what others do.
my $seconds = $ENV{PQL_CANCEL_SECONDS} || 5;
$node->start;
my $offset = -s $node->logfile;
srand($ENV{PQL_CANCEL_SEED} // 5);
my @clients = start_clients($node, 'postgres', 6, $seconds, seed => $ENV{PQL_CANCEL_SEED} // 5);
my $cancelled = 0;
my $until = time + $seconds;
while (time < $until)
{
	sleep rand 0.05;
	$cancelled += $node->safe_psql('postgres', q{SELECT count(pg_cancel_backend(pid)) FROM (
		SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1) AS one});
}
stop_clients(@clients);
note "$cancelled cancels";
cmp_ok($cancelled, '>', $seconds, 'many were cancelled');
my @bad = grep { !/57014/ } unexpected_errors($node, $offset);
is(scalar @bad, 0, 'cancelled: no other errors') or diag(join "\n", @bad[0 .. ($#bad < 5 ? $#bad : 5)]);
settle($node, 'postgres');
mixed_is_right($node, 'postgres', 'cancelled');

# A full disk. PQL_SMALL_DISK names a directory on a disk of its own, empty, of some 150 MB, as a small tmpfs. Without one, a limit on the size
# of a file does as well, as whoever outgrows it is refused the next page: WAL has files of 16 MB, the limit is a little above.
my $small = $ENV{PQL_SMALL_DISK};
my $db = 'postgres';
if ($small)
{
	# What is removed when there is to be room again.
	append_to_file("$small/ballast", 'x' x (40 * 2**20));
	mkdir "$small/space" or die $!;
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$small/space'");
	$node->safe_psql('postgres', 'CREATE DATABASE small TABLESPACE small');
	$node->safe_psql('postgres', 'ALTER DATABASE small SET temp_tablespaces = pg_default');
	$db = 'small';
	mixed_database($node, $db);
}
else
{
	$node->stop;
	my ($data, $log) = ($node->data_dir, $node->logfile);
	system_or_bail('bash', '-c', "ulimit -f 17408; exec pg_ctl -w -D '$data' -l '$log' -o '--cluster-name=full' start >/dev/null");
	$node->_update_pid(1);
}
my $full = 0;
my $no_room = qr/could not (extend|write|create)|No space|File too large/;
@bad = ();
for my $n (1 .. 60)
{
	my ($status, $out, $err) = $node->psql($db, sprintf q{INSERT INTO ev SELECT %d::bigint * 100000 + i, now() - i * interval '1 minute', 'f' || i, 'b' || i %% 5000, 'e' || i %% 4, repeat('1', 9)::int FROM generate_series(1, 20000) AS i}, 100 + $n);
	next unless $status;
	$err =~ $no_room ? $full++ : push @bad, $err;
	last if $full >= 3;
}
is("@bad", '', 'full: nothing else went wrong');
cmp_ok($full, '>', 0, 'full: who writes events is told');
# Whatever else is tried then is done, or not; and what reads still does.
@bad = ();
for my $name (sort keys %calls)
{
	my ($status, $out, $err) = $node->psql($db, "SET client_min_messages = error; SET statement_timeout = '20s'; $calls{$name}");
	push @bad, "$name: $err" if $status && $err !~ /$no_room|$refusal/;
}
is("@bad", '', 'full: the others are done, or told');
if ($small) { unlink "$small/ballast" or die $! }
else { $node->stop; $node->start }
settle($node, $db);
mixed_is_right($node, $db, 'with room again');
$node->safe_psql($db, q{INSERT INTO ev VALUES (77777, now(), 'u1', 'a1', 'e1', 1)});
is($node->safe_psql($db, 'SELECT count(*) FROM pql.verify()'), '0', 'and it goes on');
my $digest = $node->safe_psql($db, 'SELECT pql.state_digest()');
$node->safe_psql($db, 'CALL pql.rebuild()');
is($node->safe_psql($db, 'SELECT pql.state_digest()'), $digest, 'derived anew it is the same, bit for bit');
$node->stop;
done_testing();
