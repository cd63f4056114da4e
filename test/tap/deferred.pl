# Deferred sources: whatever ends in the middle, each event is folded once; what waits is dumped and restored; the background worker folds.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'sleep';
use Pql;

my $node = PostgreSQL::Test::Cluster->new('deferred');
$node->init;
$node->append_conf('postgresql.conf', "shared_buffers = '64MB'\nautovacuum_naptime = '1s'\nshared_preload_libraries = 'pql'\nrestart_after_crash = on");
$node->start;
prepare($node, 'postgres');
$node->safe_psql('postgres', q{SELECT pql.set_mode('ev', 'deferred')});
my $host = $node->host;
my $port = $node->port;

# In the background, with what is printed thrown away.
sub start_psql
{
	my ($db, @sql) = @_;
	my $pid = fork;
	return $pid if $pid;
	open STDERR, '>', '/dev/null';
	open STDOUT, '>', '/dev/null';
	exec 'psql', '-X', '-h', $host, '-p', $port, '-d', $db, map { ('-c', $_) } @sql;
}

# Writes batches of ten rows of 40 accounts, each in a transaction; some of them late, some changed, some deleted.
sub writing
{
	my ($first, $isolation) = @_;
	return "SET default_transaction_isolation = '$isolation'", "DO \$\$ BEGIN FOR n IN 0..400 LOOP"
	  . " INSERT INTO ev SELECT $first + n * 10 + i, timestamptz '2026-02-01' + (n % 37) * interval '1 hour', 'u' || (i + n) % 90, 'o' || (i * n) % 40, 'e' || (i + n) % 4 FROM generate_series(1, 10) AS i; COMMIT;"
	  . " IF n % 20 = 7 THEN UPDATE ev SET org = 'o1' WHERE id = $first + n * 10 + 3; COMMIT; DELETE FROM ev WHERE id = $first + n * 10 + 4; COMMIT; END IF;"
	  . ' END LOOP; END $$';
}
my @folding = ('SET pql.fold_batch = 7', 'DO $$ BEGIN FOR n IN 1..5000 LOOP PERFORM pql._fold(false); COMMIT; END LOOP; END $$');

# Crashes while several write and several fold.
for my $round (1 .. 4)
{
	my @others = map { start_psql('postgres', writing(1_000_000 * $round + 100_000 * $_, $_ % 2 ? 'read committed' : 'repeatable read')) } 1 .. 3;
	push @others, map { start_psql('postgres', @folding) } 1 .. 2;
	sleep 0.4 + 0.5 * $round;
	$node->stop('immediate');
	waitpid $_, 0 for @others;
	$node->start;
	is(verified($node, 'postgres'), '', "crash $round: what is folded is right");
	$node->safe_psql('postgres', 'CALL pql.fold()');
	is($node->safe_psql('postgres', 'SELECT waiting FROM pql.fold_lag'), '0', "crash $round: the rest is folded");
	is(verified($node, 'postgres'), '', "crash $round: and everything is right");
}
# A backend that is killed takes the others along.
my $folder = start_psql('postgres', @folding);
my $writer = start_psql('postgres', writing(9_000_000, 'serializable'));
sleep 0.7;
my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%_fold(false)%' AND pid <> pg_backend_pid() LIMIT 1});
kill 'KILL', $pid if $pid;
waitpid $_, 0 for $folder, $writer;
$node->poll_query_until('postgres', 'SELECT true');
$node->safe_psql('postgres', 'CALL pql.fold()');
is(verified($node, 'postgres'), '', 'killed while it folds: everything is right');

# Writers who see what they saw when they began, at any isolation level, never fail, though all write one account.
my @storm = map {
	my $n = $_;
	start_psql('postgres', "SET default_transaction_isolation = 'serializable'", "DO \$\$ BEGIN FOR n IN 1..300 LOOP INSERT INTO ev VALUES (20000000 + $n * 1000 + n, now(), 'u$n', 'hot', 'e1'); COMMIT; END LOOP; END \$\$")
} 1 .. 6;
push @storm, start_psql('postgres', @folding);
waitpid $_, 0 for @storm;
is($node->safe_psql('postgres', q{SELECT count(*) FROM ev WHERE org = 'hot'}), '1800', 'serializable writers of one account: none failed');
$node->safe_psql('postgres', 'CALL pql.fold()');
is($node->safe_psql('postgres', q{SELECT sum(events) FROM pql.members WHERE account_id = 'hot'}), '1800', 'and each event counts');
is(verified($node, 'postgres'), '', 'and everything is right');

# Merges, erasures and derivations while others write and fold.
my @beside = map { start_psql('postgres', writing(30_000_000 + 100_000 * $_, 'read committed')) } 1 .. 2;
push @beside, map { start_psql('postgres', @folding) } 1 .. 2;
for my $n (1 .. 8)
{
	$node->safe_psql('postgres', "SELECT pql.merge_users('u$n', 'u" . ($n + 10) . "')");
	$node->safe_psql('postgres', "SELECT pql.move_user('u" . ($n + 30) . "', 'o" . ($n + 3) . "')");
	$node->safe_psql('postgres', "SELECT count(*) FROM pql.erase_user('u" . ($n + 50) . "')");
	$node->safe_psql('postgres', 'SELECT count(*) FROM pql.tick()');
}
$node->safe_psql('postgres', 'CALL pql.rebuild()');
waitpid $_, 0 for @beside;
$node->safe_psql('postgres', 'CALL pql.fold()');
is(verified($node, 'postgres'), '', 'merges, erasures and rebuilds beside: everything is right');
my $digest = digest($node, 'postgres');
$node->safe_psql('postgres', 'CALL pql.rebuild()');
is(digest($node, 'postgres'), $digest, 'and what a rebuild gives');

# What waits is dumped, and folded where it is restored.
my $waits = q{INSERT INTO ev SELECT 50000000 + i, '2026-03-01', 'new' || i % 3, 'o' || i % 5, 'e1' FROM generate_series(1, 500) AS i;
	UPDATE ev SET org = 'moved' WHERE id BETWEEN 50000010 AND 50000020; DELETE FROM ev WHERE id = 50000030};
$node->safe_psql('postgres', $waits);
my $lag = $node->safe_psql('postgres', 'SELECT waiting, events, oldest FROM pql.fold_lag');
my $file = $node->basedir . '/deferred.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('postgres') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('restored'), $file ], 'restored');
is($node->safe_psql('restored', 'SELECT waiting, events, oldest FROM pql.fold_lag'), $lag, 'what waited waits there');
$node->safe_psql($_, 'CALL pql.fold()') for 'postgres', 'restored';
is(digest($node, 'restored'), digest($node, 'postgres'), 'and is folded to the same');
is(verified($node, 'restored'), '', 'which is right');

# The worker comes every second while there is a deferred source.
$node->safe_psql('restored', $_) for 'ALTER DATABASE restored SET pql.worker = on', 'SELECT pg_reload_conf()';
$node->safe_psql('restored', q{INSERT INTO ev SELECT 60000000 + i, '2026-03-02', 'worked', 'o1', 'e1' FROM generate_series(1, 5) AS i});
ok($node->poll_query_until('restored', q{SELECT waiting = 0 FROM pql.fold_lag}), 'the worker folds');
$node->safe_psql('restored', q{INSERT INTO ev SELECT 60001000 + i, '2026-03-02', 'worked', 'o1', 'e1' FROM generate_series(1, 5) AS i});
ok($node->poll_query_until('restored', q{SELECT waiting = 0 FROM pql.fold_lag}), 'and again');
is($node->safe_psql('restored', q{SELECT events FROM pql.members WHERE user_id = 'worked'}), '10', 'what came');
$node->stop;
done_testing();
