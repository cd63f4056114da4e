# Every two who write, beside each other: whichever comes first, at each isolation level, the state is what the events say and what it is when it is
# derived anew, and who is refused is told to try again, and then succeeds. Each pair has a database of its own, copied from one that is ready.
# PQL_PAIRS=all tries every pair at every level, which takes hours where the machine is busy; else every pair of which one writes events is tried at one of them,
# and each of the others beside one that PQL_PAIRS_SEED chooses.
# covers: S3-12, S3-15
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use IPC::Open2;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('pairs');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\ndeadlock_timeout = '100ms'\nlog_min_messages = fatal\nmax_wal_size = '4GB'");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE ready');
$node->safe_psql('ready', q{
SET client_min_messages = warning;
CREATE EXTENSION pql;
CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE TABLE web (LIKE ev INCLUDING ALL);
CREATE TABLE company (id text PRIMARY KEY, seats int);
INSERT INTO company VALUES ('acme', 1), ('beta', 2);
INSERT INTO web VALUES (1, '2026-01-01', 'u', 'acme', 'start'), (2, '2026-01-03', 'w', 'zeta', 'work');
CREATE FUNCTION doc(program text, event text DEFAULT 'work') RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', program, 'unit', CASE program WHEN 'person' THEN 'user' ELSE 'account' END,
    'milestones', '{"start": {"event": "start"}, "done": {"event": "done"}}'::jsonb, 'activation', '{"steps": ["start", "done"], "within": "7 days"}'::jsonb,
    'qualify', '{"enter": 20, "leave": 5}'::jsonb, 'signals', jsonb_build_object(
      'uses', jsonb_build_object('kind', 'depth', 'event', event, 'half_life', '7 days', 'points_each', 10, 'max_points', 90),
      'more', CASE program WHEN 'person' THEN '{"kind": "depth", "event": "start", "window": "30 days", "points_each": 2, "max_points": 9}'
        ELSE '{"kind": "fit", "value": "attr.seats", "max_points": 9}' END::jsonb)) $$;
SELECT pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
SELECT pql.attach_accounts('company', account_id => 'id');
SELECT pql.publish(doc('p'));
SELECT pql.promote('p');
SELECT pql.publish(doc('person'));
SELECT pql.promote('person');
SELECT pql.publish(doc('shadow'));
INSERT INTO ev VALUES (1, '2026-01-02', 'u', 'acme', 'start'), (2, '2026-01-02', 'v', 'beta', 'work'), (3, '2026-01-02', 'v', 'beta', 'work'),
  (4, '2026-01-03', 'w', 'gamma', 'work'), (5, '2026-01-03', 'old', 'acme', 'work')});
$node->safe_psql('ready', 'SET client_min_messages = error; CALL pql.backfill()');

# Those who write events, and all the others. Ids of the second begin at 20, so that what both insert is never the same row.
my %events = (
	account => [ map { "INSERT INTO ev VALUES (${_}0, '2026-01-04', 'x', 'acme', 'work'), (${_}1, '2026-01-04', 'x', 'acme', 'work')" } 1, 2 ],
	user => [ map { "INSERT INTO ev VALUES (${_}0, '2026-01-04', 'u', 'gamma', 'work'), (${_}1, '2026-01-04', 'u', 'beta', 'work')" } 1, 2 ],
	milestone => [ map { "INSERT INTO ev VALUES (${_}0, '2026-01-01', 'u', 'acme', 'start'), (${_}1, '2026-01-04', 'u', 'acme', 'done')" } 1, 2 ],
	first => [ map { "INSERT INTO ev VALUES (${_}0, '2026-01-04', 'n', 'new', 'work'), (${_}1, '2026-01-04', 'n', 'new', 'start')" } 1, 2 ]);
my %others = (
	update => q{UPDATE ev SET org = 'gamma' WHERE id IN (1, 5)},
	delete => 'DELETE FROM ev WHERE id IN (1, 3)',
	truncate => 'TRUNCATE ev',
	publish => q{SELECT pql.publish(doc('p', 'look'))},
	promote => q{SELECT pql.promote('shadow', 'all')},
	merge => q{SELECT pql.merge_users('old', 'u'), pql.merge_accounts('gamma', 'acme')},
	move => q{SELECT pql.move_user('u', 'beta')},
	erase => q{SELECT count(*) FROM pql.erase_user('u')},
	retain => q{SELECT pql.retain('ev', '2026-01-03')},
	tick => 'SELECT count(*) FROM pql.tick()',
	attach => q{SELECT count(*) FROM pql.attach('web', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event')},
	detach => q{SELECT pql.detach('ev')},
	company => 'UPDATE company SET seats = seats + 10',
	fact => q{SELECT pql.upsert_user_milestone('u', 'done', '2026-01-03')},
	backfill => 'CALL pql.backfill()',
	rebuild => 'CALL pql.rebuild()');
# These commit by themselves, so that they are in no transaction of ours.
my %alone = map { $_ => 1 } qw(backfill rebuild);

# What a client may be told: that the other has done it, so that it is there already or no more; or that this isn't done at his level.
my $refusals = qr/already|is not attached|was erased|is live|merged|same document|days? between versions|nothing (changed|has changed)|takes the isolation level READ COMMITTED|can't be (sealed|derived anew) at (this )?isolation level/;

# --- sessions -------------------------------------------------------------------------------------------------------------

sub session
{
	my ($db) = @_;
	my $pid = open2(my $out, my $in, 'psql', '-XqAt', '-d', $node->connstr($db), '-v', 'VERBOSITY=verbose', '-f', '-');
	$in->autoflush(1);
	my $s = { pid => $pid, in => $in, out => $out };
	$s->{backend} = (said($s, 'SELECT pg_backend_pid();'))[0];
	say_to($s, 'SET client_min_messages = error;');
	answer($s);
	return $s;
}
sub say_to { my ($s, @lines) = @_; print { $s->{in} } "$_\n" for @lines, '\echo :SQLSTATE :LAST_ERROR_MESSAGE', '\echo done'; return }
# The answer, line by line; the last is the SQLSTATE and the message of the last statement.
sub answer
{
	my ($s) = @_;
	my @lines;
	while (defined(my $line = readline $s->{out})) { chomp $line; return @lines if $line eq 'done'; push @lines, $line }
	die 'a session is gone';
}
sub said { my ($s, @lines) = @_; say_to($s, @lines); return answer($s) }
sub has_answered { my ($s) = @_; my $in = ''; vec($in, fileno $s->{out}, 1) = 1; return select($in, undef, undef, 0.005) > 0 }
sub is_waiting { my ($checker, $s) = @_; return (said($checker, "SELECT cardinality(pg_blocking_pids($s->{backend})) > 0;"))[0] eq 't' }
sub end_session { my ($s) = @_; close $s->{in}; close $s->{out}; waitpid $s->{pid}, 0; return }

# begun(name, level): begins a transaction of that level, with its snapshot, unless the statement is in one of its own.
sub begun { my ($name, $level) = @_; return $alone{$name} ? () : ("BEGIN ISOLATION LEVEL $level;", 'SELECT 1;') }

my ($pairs, $waited, $refused, $repeated) = (0, 0, 0, 0);

# beside(level, [name, sql], [name, sql]): what was wrong; '' when nothing was. The first has done its statement when the second begins his; of
# both, the snapshot is older than what the other does.
sub beside
{
	my ($level, $first, $second) = @_;
	my $db = 'pair_' . ++$pairs;
	our $checker //= session('postgres');
	said($checker, "CREATE DATABASE $db TEMPLATE ready;");
	my ($a, $b) = (session($db), session($db));
	my @wrong;
	my %state;
	said($a, begun($first->[0], $level));
	said($b, begun($second->[0], $level));
	$state{1} = (said($a, "$first->[1];"))[-1];
	say_to($b, "$second->[1];");
	my $waits = 0;
	until (has_answered($b) || $waits) { $waits = is_waiting($checker, $b) }
	$waited++ if $waits;
	# What is done when a transaction commits may have to wait for the second in turn, who then has to go on.
	say_to($a, 'COMMIT;');
	until (has_answered($a) || has_answered($b) && is_waiting($checker, $a)) { }
	$state{2} = (answer($b))[-1];
	$state{4} = (said($b, $alone{ $second->[0] } ? 'SELECT 1;' : 'COMMIT;'))[-1];
	$state{3} = (answer($a))[-1];
	for ([ $a, $first, 1, 3 ], [ $b, $second, 2, 4 ])
	{
		my ($s, $who, @steps) = @$_;
		my ($error) = grep { !/^00000/ } @state{@steps};
		next unless $error;
		$refused++;
		if ($error !~ /^(40001|40P01) /)
		{
			push @wrong, "$who->[0]: $error" unless $error =~ $refusals;
			next;
		}
		$repeated++;
		my ($again) = grep { !/^00000/ } (said($s, "$who->[1];"))[-1];
		push @wrong, "$who->[0] again: $again" if $again && $again !~ $refusals;
	}
	my @last = said($a, 'CALL pql.backfill();', 'SELECT count(*) > 0 FROM pql.tick() \g /dev/null', q{SELECT 'differs: ' || v::text FROM pql.verify() AS v;}, <<'SQL', 'SELECT pql.state_digest();');
SELECT 'two open episodes: ' || subject_id FROM pql.episode WHERE left_at IS NULL GROUP BY program, subject_id HAVING count(*) > 1
UNION ALL SELECT 'two rows: ' || min(subject_id) FROM pql.routing WHERE follows IS NULL GROUP BY program, home, episode HAVING count(*) > 1
UNION ALL SELECT 'no row: ' || subject_id FROM pql.episode AS e WHERE NOT shadow AND NOT EXISTS (SELECT FROM pql.routing AS r WHERE (r.home, r.episode) = (e.home, e.episode_id))
  AND NOT EXISTS (SELECT FROM pql.identity)
UNION ALL SELECT 'points: ' || subject_id FROM pql.routing WHERE score <> (SELECT coalesce(sum((x->>'points')::int), 0) FROM jsonb_array_elements(reasons) AS x);
SQL
	my $digest = $last[-2];
	push @wrong, @last[ 0 .. $#last - 2 ];
	push @wrong, "at the end: $last[-1]" if $last[-1] !~ /^00000/;
	my @anew = said($a, 'CALL pql.rebuild();', 'SELECT pql.state_digest();');
	push @wrong, "derived anew: $anew[0], and not $digest" if $anew[0] ne $digest;
	end_session($_) for $a, $b;
	said($checker, "DROP DATABASE $db;");
	return join "\n", @wrong;
}

my $all = ($ENV{PQL_PAIRS} // '') eq 'all';
srand($ENV{PQL_PAIRS_SEED} // 3);
my @levels = ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE');
my $turn = int rand 3; # in a short run, each pair has the next level
for my $writer (sort keys %events)
{
	my @wrong;
	for my $other (sort keys %events, sort keys %others)
	{
		my $is_event = $events{$other};
		next if $is_event && $other lt $writer;
		# Beside all the others, one kind of events is enough for a short run.
		next if !$is_event && $writer ne 'milestone' && !$all;
		my $them = [ $other, $is_event ? $events{$other}[1] : $others{$other} ];
		my $us = [ $writer, $events{$writer}[0] ];
		for my $order ([ $us, $them ], [ $them, $us ])
		{
			next if $alone{ $order->[0][0] }; # it has ended before the other begins
			for my $level ($all ? @levels : $levels[ $turn++ % 3 ])
			{
				my $wrong = beside($level, @$order);
				push @wrong, lc($level) . ", $order->[0][0], then $order->[1][0]: $wrong" if $wrong ne '';
			}
		}
	}
	is(join("\n", @wrong), '', "who writes events ($writer) beside the others");
}
my @seconds = sort keys %others;
for my $first (grep { !$alone{$_} } @seconds)
{
	my @wrong;
	for my $second ($all ? @seconds : $seconds[ rand @seconds ])
	{
		for my $level ($all ? @levels : $levels[ $turn++ % 3 ])
		{
			my $wrong = beside($level, [ $first, $others{$first} ], [ $second, $others{$second} ]);
			push @wrong, lc($level) . ", then $second: $wrong" if $wrong ne '';
		}
	}
	is(join("\n", @wrong), '', "$first beside others");
}
note "$pairs pairs, in $waited of which the second waited; $refused statements were refused, $repeated of them succeeded when repeated";
cmp_ok($waited, '>', 10, 'many had to wait');
$node->stop;
done_testing();
