# pg_upgrade to a newer PostgreSQL that lies beside this one, with pql installed in both: what there was is there, bit for bit, and it goes on.
# Where there is none, as in most places, this is skipped; doc/operations.md says what it does by hand.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Mixed;

# As Debian has them: /usr/lib/postgresql/15, and 17 beside it.
my ($here) = `pg_config --bindir` =~ m{^(.*)/bin$}m;
my ($above, $version) = $here =~ m{^(.*)/(\d+)$};
my ($newer) = grep { m{/(\d+)$} && $1 > $version && -x "$_/bin/pg_upgrade" && -f "$_/lib/pql.so" } sort { $b cmp $a } glob(($above // '/nowhere') . '/*');
if (!$newer)
{
	SKIP: { skip "pg_upgrade: there is no newer PostgreSQL with pql beside $here", 1 }
	done_testing();
	exit 0;
}

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init(extra => ['--data-checksums']);
$old->append_conf('postgresql.conf', "fsync = off\nmax_connections = 40\nlog_min_messages = warning");
$old->start;
mixed_database($old, 'postgres');
stop_clients(start_clients($old, 'postgres', 6, $ENV{PQL_STORM_SECONDS} || 4));
settle($old, 'postgres');
mixed_is_right($old, 'postgres', 'before');
# What comes due with time alone is left out, so that it is the same at any moment.
my $all = q{SELECT md5(string_agg(x, E'\n' ORDER BY x COLLATE "C")) FROM (
	SELECT 'event ' || e::text AS x FROM ev AS e UNION ALL SELECT 'episode ' || e::text FROM pql.episode AS e
	UNION ALL SELECT 'row ' || r::text FROM pql.routing AS r UNION ALL SELECT 'step ' || t::text FROM pql.routing_transition AS t
	UNION ALL SELECT 'disposition ' || d::text FROM pql.disposition AS d UNION ALL SELECT 'program ' || p::text FROM pql.program AS p
	UNION ALL SELECT 'state ' || pql.state_digest()) AS x};
my $before = $old->safe_psql('postgres', $all);
my $moment = $old->safe_psql('postgres', 'SELECT clock_timestamp()');
my $scores = qq{SELECT md5(string_agg(subject_id || ' ' || score, ',' ORDER BY subject_id COLLATE "C")) FROM pql.scoreboard('grow', '$moment')};
my $scored = $old->safe_psql('postgres', $scores);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new', install_path => $newer);
$new->init(extra => ['--data-checksums']);
$new->append_conf('postgresql.conf', "fsync = off\nmax_connections = 40\nlog_min_messages = warning");
chdir ${PostgreSQL::Test::Utils::tmp_check};
command_ok([ "$newer/bin/pg_upgrade", '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', "$here/bin", '-B', "$newer/bin", '-s', $new->host,
		'-p', $old->port, '-P', $new->port ], "pg_upgrade from $version to $newer");
$new->start;
is($new->safe_psql('postgres', $all), $before, 'events, state, programs and the ledger are what they were, bit for bit');
is($new->safe_psql('postgres', $scores), $scored, 'so are scores of that moment');
is($new->safe_psql('postgres', 'SELECT count(*) FROM pql.verify()'), '0', 'verify finds nothing');
settle($new, 'postgres');
mixed_is_right($new, 'postgres', 'upgraded');
stop_clients(start_clients($new, 'postgres', 6, 2));
settle($new, 'postgres');
mixed_is_right($new, 'postgres', 'upgraded, and at work again');
my $digest = $new->safe_psql('postgres', 'SELECT pql.state_digest()');
$new->safe_psql('postgres', 'CALL pql.rebuild()');
is($new->safe_psql('postgres', 'SELECT pql.state_digest()'), $digest, 'derived anew it is the same, bit for bit');
$new->stop;
done_testing();
