# A standby is promoted while everything is at work, and a backup is recovered to a moment in the middle of it: both go on as databases in
# which the state is what the events say, and what clients were told to be there is there.
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

my $seconds = $ENV{PQL_STORM_SECONDS} || 5;
my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(has_archiving => 1, allows_streaming => 1);
$primary->append_conf('postgresql.conf', "fsync = off\nmax_connections = 40\nlog_min_messages = warning\nlog_error_verbosity = verbose");
$primary->start;
mixed_database($primary, 'postgres');
$primary->backup('before');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'before', has_streaming => 1);
$standby->start;
# Told is who is on the standby, too.
$primary->append_conf('postgresql.conf', "synchronous_standby_names = '*'\nsynchronous_commit = on");
$primary->reload;

# What is never changed by what comes later, but by those who work on it, row by row.
my $ledger = q{SELECT md5(string_agg(x, E'\n' ORDER BY x COLLATE "C")) FROM (
	SELECT 'event ' || e::text AS x FROM ev AS e UNION ALL SELECT 'episode ' || e::text FROM pql.episode AS e
	UNION ALL SELECT 'row ' || r::text FROM pql.routing AS r UNION ALL SELECT 'step ' || t::text FROM pql.routing_transition AS t
	UNION ALL SELECT 'disposition ' || d::text FROM pql.disposition AS d UNION ALL SELECT 'state ' || pql.state_digest()) AS x};
my $decided = q{SELECT routing_id || ' ' || home || ' ' || subject_id || ' ' || qualified_at FROM pql.routing ORDER BY 1}; # what no later step changes
my @clients = start_clients($primary, 'postgres', 6, $seconds);
stop_clients(@clients);
my $written = $primary->safe_psql('postgres', $ledger);
$primary->safe_psql('postgres', q{SELECT pg_create_restore_point('still')});
push @clients, start_clients($primary, 'postgres', 6, $seconds * 2);
sleep $seconds;
my $moment = $primary->safe_psql('postgres', 'SELECT clock_timestamp()');
is($standby->safe_psql('postgres', q{SELECT count(*) > 0 FROM pql.scoreboard('grow')}), 't', 'the standby answers meanwhile');
sleep 1;
$primary->stop('immediate');
stop_clients(@clients);
$standby->promote;
my $told = join ',', acknowledged(@clients);
is($standby->safe_psql('postgres', "SELECT count(*) FROM unnest('{$told}'::bigint[]) AS told(id) WHERE id % 3 <> 0 AND NOT EXISTS (SELECT FROM ev WHERE ev.id = told.id)"),
	'0', 'promoted: what was acknowledged is there, of ' . scalar(() = $told =~ /,/g));
my @decided_there = split /\n/, $standby->safe_psql('postgres', $decided);
$standby->append_conf('postgresql.conf', "synchronous_standby_names = ''");
$standby->reload;
settle($standby, 'postgres');
mixed_is_right($standby, 'postgres', 'promoted');
my @more = start_clients($standby, 'postgres', 4, 2);
stop_clients(@more);
settle($standby, 'postgres');
mixed_is_right($standby, 'postgres', 'promoted, and at work again');
same_anew($standby, 'promoted');
$standby->stop;

$primary->start;
$primary->append_conf('postgresql.conf', "synchronous_standby_names = ''");
$primary->reload;
# The ledger of the standby had nothing that the primary's had not: of the same history, a part or all.
my %decided = map { $_ => 1 } split /\n/, $primary->safe_psql('postgres', $decided);
is(scalar(grep { !$decided{$_} } @decided_there), 0, 'promoted: its ledger is the history that it was sent, of ' . @decided_there . ' rows');
$primary->safe_psql('postgres', 'CREATE TABLE later ()');
my $last = $primary->safe_psql('postgres', 'SELECT pg_walfile_name(pg_switch_wal())');
$primary->poll_query_until('postgres', "SELECT last_archived_wal >= '$last' FROM pg_stat_archiver") or die 'not archived';
$primary->stop;
sub same_anew
{
	my ($node, $when) = @_;
	my $digest = $node->safe_psql('postgres', 'SELECT pql.state_digest()');
	$node->safe_psql('postgres', 'CALL pql.rebuild()');
	is($node->safe_psql('postgres', 'SELECT pql.state_digest()'), $digest, "$when: derived anew it is the same, bit for bit");
	return;
}

for my $target ([ still => "recovery_target_name = 'still'" ], [ moment => "recovery_target_time = '$moment'" ])
{
	my ($name, $setting) = @$target;
	my $restored = PostgreSQL::Test::Cluster->new("restored_$name");
	$restored->init_from_backup($primary, 'before', has_restoring => 1, standby => 0);
	$restored->append_conf('postgresql.conf', "$setting\nrecovery_target_action = 'promote'\nsynchronous_standby_names = ''");
	$restored->start;
	ok($restored->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()'), "recovered to a $name");
	is($restored->safe_psql('postgres', q{SELECT to_regclass('later') IS NULL}), 't', 'and not to the end');
	is($restored->safe_psql('postgres', $ledger), $written, 'state and ledger are what they were then, bit for bit') if $name eq 'still';
	settle($restored, 'postgres');
	mixed_is_right($restored, 'postgres', "recovered to a $name");
	stop_clients(start_clients($restored, 'postgres', 4, 2));
	settle($restored, 'postgres');
	mixed_is_right($restored, 'postgres', "recovered to a $name, and at work again");
	same_anew($restored, "recovered to a $name");
	$restored->stop;
}
done_testing();
