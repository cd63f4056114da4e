# The background worker: time passes without anybody's calling tick, in each database that asks for it, whatever becomes of the database,
# of the process or of the server; and nothing is written when nothing is due.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $node = PostgreSQL::Test::Cluster->new('worker');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pql'\nautovacuum = off\nrestart_after_crash = on");
$node->start;

# Whether a query gives what is wanted, within a while.
sub becomes
{
	my ($db, $query, $what, $wanted) = @_;
	return ok($node->poll_query_until($db, $query, $wanted // 't'), $what);
}

# How often the server's log says something, from a position on.
sub told
{
	my ($what, $from) = @_;
	my $log = substr slurp_file($node->logfile), $from // 0;
	return scalar(() = $log =~ /$what/g);
}

# What the WAL has between two positions, but for the snapshots that the background writer takes every 15 seconds.
sub wal_records
{
	my ($start, $end) = @_;
	return if $start eq $end;
	$node->safe_psql('postgres', 'CHECKPOINT'); # so that all of it is on disk
	my ($out, $err) = run_command([ 'pg_waldump', '--path' => $node->data_dir . '/pg_wal', '--start' => $start, '--end' => $end ]);
	return $err if $out eq '';
	return grep { !/rmgr: Standby .* RUNNING_XACTS/ } split /\n/, $out;
}

sub log_end { return -s $node->logfile }

# Rows whose time comes soon: of a motion that needs nobody, after a moment.
my $program = q({"program": "p", "unit": "account", "signals": {"asks": {"kind": "intent", "event": "ask", "half_life": "30 days", "max_points": 50}},
  "qualify": {"enter": 20, "leave": 10, "cool_down": "0"},
  "motions": [{"otherwise": true, "motion": "email", "after": "1 second", "by": "1 day"}]});
my $made = 0;

sub furnish
{
	my ($db) = @_;
	$node->safe_psql(
		$db, qq{
    SET client_min_messages = warning;
    CREATE EXTENSION pql;
    CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text);
    SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
    SELECT pql.publish('$program');
    SELECT pql.promote('p');
    INSERT INTO pql.reps (rep_id) VALUES ('ann');
    SELECT pql._take_rep('ann');});
	return;
}

sub make_row
{
	my ($db) = @_;
	$made++;
	$node->safe_psql($db, "INSERT INTO ev VALUES ($made, now(), 'u$made', 'o$made', 'ask')");
	return "o$made";
}

sub is_ready
{
	my ($db, $subject, $what) = @_;
	return becomes($db, "SELECT state = 'ready' FROM pql.routing WHERE subject_id = '$subject'", $what);
}

sub set
{
	my ($db, @settings) = @_;
	$node->safe_psql('postgres', join ';', map { "ALTER DATABASE $db SET $_" } @settings);
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	return;
}

$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(one two bare);
furnish('one');
furnish('two');
is($node->safe_psql('one', 'SELECT state FROM pql.worker'), 'off', 'nobody works where nobody asked for it');
becomes('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pql launcher' AND datname IS NULL},
	'a launcher is there, connected to no database');

# Ready by itself, in each database that asks for it.
my $from = log_end();
set($_, q{pql.worker = on}, q{pql.worker_interval = '1s'}) for qw(one two bare);
is_ready('one', make_row('one'), 'a row becomes ready without anybody calling tick');
is_ready('two', make_row('two'), 'in another database, too');
becomes('one', q{SELECT state = 'waiting' AND pid IS NULL AND ticks > 0 AND ticked_at > now() - interval '1 minute' AND duration > '0' AND failures = 0
  AND last_error IS NULL AND next_at > now() - interval '1 minute' FROM pql.worker}, 'what it does can be read');
is(told(qr/pql: |ERROR|FATAL|WARNING/, $from), 0, 'and the log says nothing, though a database has no extension');

# Woken by what falls due, before the interval is over.
set('one', q{pql.worker_interval = '1h'});
becomes('one', q{SELECT next_at > now() + interval '10 minutes' FROM pql.worker}, 'an interval of an hour is in force after a reload');
$node->safe_psql('one', q{UPDATE pql.routing SET snoozed_until = now() + interval '3 seconds', state = 'pending'});
$node->safe_psql('postgres', 'SELECT pg_reload_conf()'); # it looks, and finds what will be due
becomes('one', q{SELECT bool_and(state = 'ready' AND snoozed_until IS NULL) FROM pql.routing}, 'what falls due before is done when it is due');
set('one', q{pql.worker_interval = '1s'});

# Created later, and dropped.
furnish('bare');
is_ready('bare', make_row('bare'), 'an extension that is created later is found');
$from = log_end();
$node->safe_psql('bare', 'DROP EXTENSION pql CASCADE');
my $then = $node->safe_psql('bare', 'SELECT now()');
sleep 3;
is(told(qr/pql: |ERROR|FATAL|WARNING/, $from), 0, 'nothing is said of one that is dropped');
$node->safe_psql('bare', 'DROP TABLE ev');
furnish('bare');
is_ready('bare', make_row('bare'), 'and one that is there again is found again');

# Nothing is written while nothing is due.
set('one', q{pql.worker_interval = '200ms'});
set('two', q{pql.worker = off});
set('bare', q{pql.worker = off});
becomes('two', q{SELECT state = 'off' FROM pql.worker}, 'off releases');
becomes('one', q{SELECT count(*) = 0 FROM pql.episode WHERE leaves_at < now()}, 'nothing is due');
sleep 1;
$node->safe_psql('one', 'CHECKPOINT');
my $lsn = 'SELECT pg_current_wal_insert_lsn()';
my $xid = 'SELECT pg_snapshot_xmax(pg_current_snapshot())';
my ($ticks, $before, $xid_before) = map { $node->safe_psql('one', $_) } 'SELECT ticks FROM pql.worker', $lsn, $xid;
becomes('one', "SELECT ticks > $ticks + 10 FROM pql.worker", 'ten ticks');
my $after = $node->safe_psql('one', $lsn);
is($node->safe_psql('one', $xid), $xid_before, 'have taken no transaction id');
is_deeply([ wal_records($before, $after) ], [], 'and written no WAL');

# Errors: told once, tried again later each time, and mended by themselves.
$from = log_end();
$node->safe_psql('one', 'ALTER TABLE pql.seen_event RENAME TO seen_event_away');
becomes('one', q{SELECT state = 'failing' AND failures >= 3 AND last_error ~ 'seen_event' AND failed_at IS NOT NULL FROM pql.worker},
	'an error is retried, and can be read');
is($node->safe_psql('one', q{SELECT status, hint FROM pql.health AS h WHERE h.check = 'worker'}),
	'error|SELECT pg_reload_conf(); -- it tries again at once', 'which health tells of');
is(told(qr/WARNING:  pql: the background worker's tick failed in database "one"/, $from), 1, 'and is in the log once');
is(told(qr/exited with exit code/, $from), 0, 'no process fell over it');
ok($node->safe_psql('one', q{SELECT next_at > failed_at + interval '400 ms' FROM pql.worker}), 'it waits longer than between ticks');
$node->safe_psql('one', 'ALTER TABLE pql.seen_event_away RENAME TO seen_event');
becomes('one', q{SELECT state <> 'failing' AND failures = 0 FROM pql.worker}, 'and goes on when that is mended');

# At work: seen, cancelled, terminated, killed.
sub hold_up
{
	my ($db) = @_;
	my $session = $node->background_psql($db, on_error_stop => 0);
	$session->query_safe(q{BEGIN; LOCK TABLE pql.evaluation, pql.episode, pql.routing IN ACCESS EXCLUSIVE MODE});
	becomes('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pql worker' AND datname = '$db' AND wait_event_type = 'Lock'"
		. " AND query ~ 'pql.tick'", 'a worker at work is seen in pg_stat_activity');
	return $session;
}
my $session = hold_up('one');
my $worker = q{FROM pg_stat_activity WHERE backend_type = 'pql worker' AND datname = 'one'};
is($node->safe_psql('one', 'SELECT state, pid IS NOT NULL FROM pql.worker'), 'at work|t', 'and in pql.worker');
$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) $worker");
becomes('one', q{SELECT failures > 0 AND last_error ~ 'user request' FROM pql.worker}, 'it can be cancelled');
set('one', q{pql.worker_timeout = '300ms'});
becomes('one', q{SELECT failures > 0 AND last_error ~ 'statement timeout' FROM pql.worker}, 'its tick ends when its time is over');
set('one', q{pql.worker_timeout = '5min'});
becomes('postgres', "SELECT count(*) = 1 $worker AND wait_event_type = 'Lock'", 'and is there again');
my $gone = $node->safe_psql('postgres', "SELECT pid, pg_terminate_backend(pid) $worker");
becomes('postgres', "SELECT count(*) = 1 $worker AND wait_event_type = 'Lock' AND pid <> " . (split /\|/, $gone)[0], 'one that is terminated comes back');
my $pid = $node->safe_psql('postgres', "SELECT pid $worker");
set('one', 'pql.worker = off');
becomes('postgres', "SELECT count(*) = 0 $worker", 'off ends who is at work at once');
$session->quit;
set('one', 'pql.worker = on', q{pql.worker_interval = '1s'});

my $launcher = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pql launcher'});
$session = hold_up('one');
$pid = $node->safe_psql('postgres', "SELECT pid $worker");
kill 'KILL', $pid;
eval { $session->quit };
$node->poll_query_until('postgres', "SELECT pid <> $launcher FROM pg_stat_activity WHERE backend_type = 'pql launcher'");
is_ready('one', make_row('one'), 'after kill -9 of a worker, and the server\'s recovery, ticks go on');

$launcher = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pql launcher'});
$node->safe_psql('postgres', "SELECT pg_terminate_backend($launcher)");
becomes('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'pql launcher' AND pid <> $launcher", 'a launcher that is terminated comes back');
$node->restart;
is_ready('one', make_row('one'), 'after a restart, too');

# Its role.
$from = log_end();
$node->safe_psql('postgres', 'CREATE ROLE nobody_special LOGIN');
set('one', 'pql.worker_role = no_such_role');
becomes('one', q{SELECT last_error ~ 'role "no_such_role" does not exist' FROM pql.worker}, 'a role that there isn\'t is told');
set('one', 'pql.worker_role = nobody_special');
becomes('one', q{SELECT last_error ~ 'permission denied' FROM pql.worker}, 'one that may not tick can\'t');
$node->safe_psql('postgres', 'ALTER ROLE nobody_special NOLOGIN');
$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
becomes('one', q{SELECT last_error ~ 'ended before its time' FROM pql.worker}, 'one that may not connect can\'t, either');
cmp_ok(told(qr/FATAL/, $from), '<=', 3, 'and the log isn\'t full of it');
$node->safe_psql('postgres', 'ALTER DATABASE one RESET pql.worker_role');
$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
is_ready('one', make_row('one'), 'and then goes on');

# Databases come and go while it is on.
set('two', 'pql.worker = on', q{pql.worker_interval = '100ms'});
is_ready('two', make_row('two'), 'on again');
$from = log_end();
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE two');
pass('a database can be copied while it has a worker');
$node->safe_psql('postgres', 'ALTER DATABASE two RENAME TO second');
pass('and renamed');
is_ready('second', make_row('second'), 'and works under its new name');
$node->safe_psql('postgres', 'DROP DATABASE second');
pass('and dropped');
sleep 2;
# at ten a second, one may have been on its way into the database just then
is(told(qr/pql: |ERROR|FATAL:  (?!database \d+ does not exist)|WARNING/, $from), 0, 'all of which the log doesn\'t mention');
cmp_ok(told(qr/FATAL/, $from), '<=', 1, 'or once');

# Everywhere, by the server's own settings.
furnish('postgres');
$node->append_conf('postgresql.conf', "pql.worker = on\npql.worker_interval = '1s'");
$node->reload;
is_ready('postgres', make_row('postgres'), 'the server\'s settings hold where a database has none');

# A standby doesn't work, until it is promoted.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ '^pql'}), '0', 'a standby has no launcher');
is($standby->safe_psql('postgres', 'SELECT state FROM pql.worker'), 'off', 'and says so');
$node->stop;
$standby->promote;
$made++;
$standby->safe_psql('postgres', "INSERT INTO ev VALUES ($made, now(), 'u$made', 'o$made', 'ask')");
ok($standby->poll_query_until('postgres', "SELECT state = 'ready' FROM pql.routing WHERE subject_id = 'o$made'"), 'when it is promoted it has one');

# Not preloaded, all is as it was.
$standby->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$standby->restart;
is($standby->safe_psql('postgres', 'SELECT state, ticks FROM pql.worker'), 'not preloaded|', 'without preloading there is none');
$standby->safe_psql('postgres', 'SELECT pql.tick()');
pass('and tick can be called');
$standby->stop;

done_testing();
