# Many writers of a few people in several accounts each: whoever crosses the threshold does so once, though no single account has all of
# his events, and nobody waits in a circle.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $seconds = $ENV{PQL_STORM_SECONDS} || 5;
my $node = PostgreSQL::Test::Cluster->new('people');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = '100ms'\nfsync = on");
$node->start;
$node->safe_psql(
	'postgres', q{
	CREATE EXTENSION pql;
	CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text, org text, name text);
	CREATE INDEX ON ev (org, at);
	SELECT pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id');
	SELECT pql.publish('{"program": "p", "unit": "user",
	  "signals": {"work": {"kind": "depth", "event": "work", "half_life": "9000 days", "saturates_at": 20, "max_points": 50}}, "qualify": {"enter": 30, "leave": 10}}');
	SELECT pql.promote('p');});

# Events of one account, of several in one statement, and in several, in the order of homes; some that move, or are taken back.
my $script = $node->basedir . '/people.sql';
append_to_file(
	$script, q{
\set what random(1, 20)
\set u random(1, 100)
\set o random(1, 5)
\if :what <= 12
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'o' || :o, 'work');
\elif :what <= 14
INSERT INTO ev (who, org, name) SELECT 'u' || (:u + i) % 100, 'o' || (:o + i) % 5, 'work' FROM generate_series(1, 3) AS i;
\elif :what <= 16
BEGIN;
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'o' || :o, 'work');
INSERT INTO ev (who, org, name) VALUES ('u' || (:u + 1), 'o' || (:o + 1), 'work');
COMMIT;
\elif :what <= 17
BEGIN;
INSERT INTO ev (who, org, name) SELECT 'u' || :u, 'o' || :o, 'work' FROM generate_series(1, 20);
ROLLBACK;
\elif :what <= 18
INSERT INTO ev (who, name) VALUES ('u' || :u, 'work');
\else
UPDATE ev SET org = 'o' || :o WHERE who = 'u' || :u AND id % 3 = 0;
\endif
});
my ($out, $err);
IPC::Run::run([ 'pgbench', '-n', '-c', '8', '-j', '2', '-T', $seconds, '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'>', \$out, '2>', \$err);
unlike($err, qr/aborted/, 'nobody failed') or diag($err);
my ($transactions) = $out =~ /number of transactions actually processed: (\d+)/;
cmp_ok($transactions, '>', 500, "$transactions transactions");
is(verified($node, 'postgres'), '', 'state is what the events say');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM pql.scoreboard('p') WHERE score >= 30"), '>', 20, 'many crossed the threshold');
is($node->safe_psql('postgres', "SELECT count(*) FROM pql.scoreboard('p') WHERE score >= 30 AND NOT qualified"), '0', 'nobody was missed');
is($node->safe_psql('postgres', 'SELECT subject_id, count(*) FROM pql.episode GROUP BY 1 HAVING count(*) > 1'), '', 'nobody qualified twice');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pql.routing WHERE score < 30'), '0', 'nor for events that were taken back, or moved');
my $digest = digest($node, 'postgres');
$node->safe_psql('postgres', 'CALL pql.rebuild()');
is(digest($node, 'postgres'), $digest, 'the same when derived again');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pql.episode WHERE left_at IS NOT NULL'), '0', 'and nobody leaves');
$node->stop;
done_testing();
