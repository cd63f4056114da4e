# Everything at once for a while (PQL_SOAK_SECONDS): many who write events, change and delete them, people who work on routing rows, merges, moves,
# erasures, publications, ticks, backfills, attributes, tables that are attached and detached. What is left is what the events say, the
# ledger is consistent, and nobody met an error but those that say: try again.
# covers: S1-4, S2-25, S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Mixed;

my $seconds = $ENV{PQL_SOAK_SECONDS} || 30;
my $clients = $ENV{PQL_SOAK_CLIENTS} || 12;
$ENV{PQL_SOAK_LOG} //= 'none';
my $node = PostgreSQL::Test::Cluster->new('soak');
$node->init;
$node->append_conf('postgresql.conf', "log_error_verbosity = verbose\nshared_buffers = '128MB'\nmax_connections = 60\nsynchronous_commit = off\nlog_min_messages = warning\nlog_statement = $ENV{PQL_SOAK_LOG}");
$node->start;
mixed_database($node, 'postgres');
mixed_is_right($node, 'postgres', 'to begin with');
my $offset = -s $node->logfile;
my @clients = start_clients($node, 'postgres', $clients, $seconds, seed => $ENV{PQL_SOAK_SEED} // 1);
stop_clients(@clients);
my @bad = unexpected_errors($node, $offset);
is(scalar @bad, 0, 'nobody met an error that was not his to repeat') or diag(join "\n", @bad[0 .. ($#bad < 15 ? $#bad : 15)]);
my @differ = map { slurp_file($_->{file}) =~ /^(differs under load.*)$/mg } @clients;
is("@differ", '', 'whoever verified meanwhile found no difference');
my @told = acknowledged(@clients);
cmp_ok(scalar @told, '>', $seconds, 'events were written: ' . @told);
settle($node, 'postgres');
mixed_is_right($node, 'postgres', 'after it');
my $digest = $node->safe_psql('postgres', 'SELECT pql.state_digest()');
$node->safe_psql('postgres', 'CALL pql.rebuild()');
is($node->safe_psql('postgres', 'SELECT pql.state_digest()'), $digest, 'derived anew it is the same, bit for bit');
note($node->safe_psql('postgres', $_)) for 'SELECT state, count(*) FROM pql.routing GROUP BY 1', 'SELECT count(*) FROM ev', q{SELECT action, count(*) FROM pql.audit GROUP BY 1 ORDER BY 1};
$node->stop;
done_testing();
