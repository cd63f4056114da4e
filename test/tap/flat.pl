# One backend, very many calls (PQL_FLAT_CALLS of what is quick, a fortieth of what reads or writes tables): what it has in memory contexts,
# and what the process has of memory, is after all of them what it was after half.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Mixed;

my $calls = $ENV{PQL_FLAT_CALLS} || 20000;
my $node = PostgreSQL::Test::Cluster->new('flat');
$node->init;
# Of shared buffers, the pages that a process has touched are its own in RSS: few, so that all are touched soon.
$node->append_conf('postgresql.conf', "fsync = off\nsynchronous_commit = off\nshared_buffers = '16MB'\njit = off\nwork_mem = '4MB'\nmax_parallel_workers_per_gather = 0\nlog_min_messages = warning\nautovacuum = off");
$node->start;
mixed_database($node, 'postgres');
$node->safe_psql('postgres', 'SELECT count(*) FROM pql.tick()');

# Aggregates and what is read from their states: a group for each i, of 8 events. In SQL, i is the call.
my $events = q{FROM generate_series(FIRST, LAST) AS i, LATERAL (SELECT timestamptz '2026-01-01' + i * interval '1 hour' + k * interval '11 minutes' AS t,
  (i + k) % 3 = 0 AS a, (i + k) % 2 = 0 AS b, 'e' || (i + k) % 5 AS name, i + k AS who FROM generate_series(1, 8) AS k) AS e};
sub read_of { my ($state, $reads) = @_; return "SELECT count(*) FROM (SELECT $reads FROM (SELECT $state AS s $events GROUP BY i) AS states) AS x" }
my %quick = (
	decay => read_of(q{pql.decay_agg('7 days', t, 2)}, q{pql.decay_score(s, '2026-03-01'), pql.decay_count(s, '2026-03-01'), pql.decay_avg(s), pql.last_seen(s), pql.state_info(s), pql.state_merge(s, s), s::text::pql.decay_state}),
	window_count => read_of(q{pql.window_count_agg(t, ARRAY['1 hour', '1 day']::interval[])}, q{pql.state_info(s), pql.state_merge(s, s), pql.state_hash(s), s::text::pql.window_count_state}),
	count_map => read_of('pql.count_map_agg(name)', q{pql.counts(s), pql.count_of(s, 'e1'), pql.top(s, 2), pql.state_merge(s, s)}),
	retention => read_of('pql.retention_agg(a, b)', 'pql.retained(s), pql.state_merge(s, s)'),
	cohort => read_of(q{pql.cohort_retention_agg(t, '1 hour', a)}, 'pql.retained_periods(s), pql.cohort(s), pql.state_merge(s, s)'),
	events => read_of('pql.events_agg(t, a, b)', q{pql.window_funnel(s, '1 hour'), pql.activated(s, '1 hour'), pql.funnel_times(s, '1 hour'), pql.any_order(s, '1 hour'),
		pql.window_funnel(pql.funnel_summary(s, '1 hour')), pql.sequence_match(s, '(?1)(?2)'), pql.sequence_count(s, '(?1).*(?2)'), pql.sequence_events(s, '(?1)(?2)'), pql.state_merge(s, s)}),
	funnel => read_of(q{pql.window_funnel('1 hour', t, a, b)}, 's'),
	sequence => read_of(q{pql.sequence_match('(?1)(?t<=3600)(?2)', t, a, b)}, 's'),
	sessions => read_of(q{pql.session_agg('15 minutes', t)}, 'pql.sessions(s), pql.session_count(s), pql.time_in_product(s), pql.longest_session(s), pql.state_merge(s, s)'),
	users => read_of('pql.active_users_agg(who)', 'pql.active_users(s), pql.active_users_upto(s, 1000), pql.state_merge(s, s)'),
	journey => read_of('pql.journey_agg(t, name)', q{pql.journey_text(s), pql.journey_steps(s), pql.next_after(s, 'e1'), pql.journey_count(s), pql.state_merge(s, s)}),
	statistics => q{SELECT count(*) FROM (SELECT pql.share_interval(i % 50, 60), pql.ratio_interval(5, 60, 1 + i % 50, 60), pql.difference_interval(5, 60, 1 + i % 50, 60) FROM generate_series(FIRST, LAST) AS i) AS x},
	texts => q{SELECT count(*) FROM (SELECT pql.email_domain('u' || i || '@example.org'), pql.match_topics('we need SAML, rate limits and a security review ' || i) FROM generate_series(FIRST, LAST) AS i) AS x},
	refused => q{DO $$ BEGIN FOR i IN FIRST .. LAST LOOP BEGIN PERFORM pql.half_life(interval '-1 day'); PERFORM pql.check_program('{"program": 1}'); PERFORM pql.sequence_match('(?', now(), true);
		EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$});
# What reads tables, or writes them: one after the other, as clients do.
sub one_by_one { my ($statement) = @_; return "DO \$\$ BEGIN FOR i IN FIRST .. LAST LOOP $statement; END LOOP; END \$\$" }
my %slow = (
	score => one_by_one(q{PERFORM pql.score('grow', 'a' || i % 40)}),
	explain => one_by_one(q{PERFORM count(*) FROM pql.explain('grow', 'a' || i % 40)}),
	activation => one_by_one(q{PERFORM count(*) FROM pql.activation('grow', 'a' || i % 40)}),
	routing => one_by_one(q{PERFORM count(*) FROM pql.explain_route(some_row(NULL, '{pending,ready,blocked,claimed}'))}),
	check => one_by_one(q{PERFORM pql.check_program(document) FROM pql.program WHERE status = 'live'}),
	insert => one_by_one(q{INSERT INTO ev VALUES (1000000 + i, clock_timestamp(), 'u' || i % 120, 'a' || i % 40, 'e' || i % 4, 1); COMMIT}),
	update => one_by_one(q{UPDATE ev SET org = 'a' || (i + 1) % 40 WHERE id = 1000000 + i; COMMIT}),
	delete => one_by_one(q{DELETE FROM ev WHERE id = 1000000 + i AND i % 20 <> 0; COMMIT}),
	deferred => one_by_one(q{INSERT INTO late VALUES (1000000 + i, clock_timestamp(), 'u' || i % 120, 'a' || i % 40, 'e' || i % 4); COMMIT}),
	conversations => one_by_one(q{INSERT INTO message VALUES (i, clock_timestamp(), 'u' || i % 120, 'a' || i % 40, 'we need SAML'); COMMIT}),
	attributes => one_by_one(q{UPDATE company SET seats = i % 20 WHERE id = 'a' || i % 30; COMMIT}),
	failed => one_by_one(q{BEGIN INSERT INTO ev VALUES (2000000 + i, clock_timestamp(), 'u1', 'a1', 'e1', 1); RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END}));
my @few = ('SELECT count(*) FROM pql.tick()', q{SELECT count(*) FROM pql.scoreboard('grow')}, 'SELECT count(*) FROM pql.verify()', 'SELECT count(*) FROM pql.inbox', 'CALL pql.fold()');

# What is used in contexts: what is reserved comes in blocks of a megabyte.
my $size = q{SELECT 'size ' || sum(used_bytes) || ' ' || (SELECT 4096 * split_part(pg_read_file('/proc/self/statm'), ' ', 2)::bigint - 4096 * split_part(pg_read_file('/proc/self/statm'), ' ', 3)::bigint) FROM pg_backend_memory_contexts;};
sub measured
{
	my ($name, $n, $statement) = @_;
	# What a backend keeps, plans above all, it has by half of it; what grows with each call would grow again by the end.
	my $part = int($n / 10) || 1;
	my $sql = "SET client_min_messages = error;\n";
	for my $k (0 .. 9)
	{
		my ($first, $last) = ($k * $part + 1, ($k + 1) * $part);
		$sql .= $statement =~ s/FIRST/$first/r =~ s/LAST/$last/r . ";\n";
		$sql .= "$size\n" if $k == 4 || $k == 9;
	}
	my ($status, $out, $err) = $node->psql('postgres', $sql);
	my @sizes = map { [ split / / ] } $out =~ /^size (\d+ \d+)$/mg;
	return ok(0, "$name: no sizes") || diag $err if @sizes != 2 || $err ne '';
	my ($contexts, $resident) = map { $sizes[1][$_] - $sizes[0][$_] } 0, 1;
	note sprintf '%s: %d calls; contexts %d kB %+d kB, resident %d kB %+d kB', $name, $part * 5, $sizes[0][0] / 1024, $contexts / 1024, $sizes[0][1] / 1024, $resident / 1024;
	cmp_ok($contexts, '<=', 1024 * 1024, "$name: no memory context grows");
	cmp_ok($resident, '<=', 3 * 1024 * 1024, "$name: nor does the process");
	return;
}
measured($_, $calls, $quick{$_}) for sort keys %quick;
measured($_, $calls / 40, $slow{$_}) for qw(score explain activation routing check insert update delete deferred conversations attributes failed);
measured('tick and readers', $calls / 400, join ';', @few);
settle($node, 'postgres');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pql.verify()'), '0', 'and the state is what the events say');
$node->stop;
done_testing();
