# Writers that insert, change, delete and take back, on the same few accounts: what is kept is what the table says.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $seconds = $ENV{PQL_STORM_SECONDS} || 5;
my $node = PostgreSQL::Test::Cluster->new('storm');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = '100ms'\nsynchronous_commit = off");
$node->start;
my $script = $node->basedir . '/storm.sql';
append_to_file(
	$script, q{
\set what random(1, 12)
\set o random(1, 30)
\set u random(1, 90)
\set e random(1, 4)
\set day random(0, 40)
\set id random(1, 2000000000)
\if :what <= 6
INSERT INTO ev SELECT :id + i, timestamptz '2026-01-01' + :day * interval '1 day' + i * interval '1 minute', 'u' || (:u + i) % 90, 'o' || (:o + i) % 30, 'e' || (:e + i) % 4 FROM generate_series(1, 5) AS i ON CONFLICT DO NOTHING;
\elif :what <= 8
BEGIN;
INSERT INTO ev VALUES (:id, '2026-01-15', 'u' || :u, 'o' || :o, 'e1') ON CONFLICT DO NOTHING;
SAVEPOINT s;
DELETE FROM ev WHERE org = 'o' || :o AND id % 7 = 0;
ROLLBACK TO s;
INSERT INTO ev VALUES (:id + 1, '2026-01-10', 'u' || :u, 'o' || :o, 'e2') ON CONFLICT DO NOTHING;
COMMIT;
\elif :what = 9
DELETE FROM ev WHERE org = 'o' || :o AND id % 11 = 0;
\elif :what = 10
UPDATE ev SET org = 'o' || (:o + 1) % 30 WHERE org = 'o' || :o AND id % 13 = 0;
\elif :what = 11
INSERT INTO ev VALUES (:id, '2026-01-15', 'u' || :u, 'o' || :o, 'e1') ON CONFLICT (id) DO UPDATE SET org = excluded.org;
\else
BEGIN;
INSERT INTO ev VALUES (:id, '2026-01-15', 'u' || :u, 'o' || :o, 'e1') ON CONFLICT DO NOTHING;
DELETE FROM ev WHERE org = 'o' || :o AND id % 5 = 0;
ROLLBACK;
\endif
});
for my $partitioned (0, 1)
{
	my $db = $partitioned ? 'partitioned' : 'plain';
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	prepare($node, $db, partitioned => $partitioned);
	my ($out, $err);
	IPC::Run::run([ 'pgbench', '-n', '-c', '4', '-j', '2', '-T', $seconds, '--max-tries=100', '-f', $script, '-h', $node->host, '-p', $node->port, $db ],
		'>', \$out, '2>', \$err);
	unlike($err, qr/aborted in command|client \d+ aborted/, "$db: only what may be retried failed") or diag($err);
	my ($transactions) = $out =~ /number of transactions actually processed: (\d+)/;
	cmp_ok($transactions, '>', 100, "$db: $transactions transactions");
	is(verified($node, $db), '', "$db: state is what the events say");
	is($node->safe_psql($db, 'SELECT count(*) FROM (SELECT episode FROM pql.routing GROUP BY 1 HAVING count(*) > 1) AS x'),
		'0', "$db: one routing row an episode");
	is($node->safe_psql($db, 'SELECT count(*) FROM (SELECT FROM pql.episode WHERE left_at IS NULL GROUP BY home, program_id, subject_id HAVING count(*) > 1) AS x'),
		'0', "$db: one open episode a subject");
}
$node->stop;
done_testing();
