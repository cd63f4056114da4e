# Many writers of one account: nobody fails, nothing is lost, and it qualifies once, when it crosses the threshold.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $seconds = $ENV{PQL_STORM_SECONDS} || 4;
my $node = PostgreSQL::Test::Cluster->new('crowd');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = '100ms'\nfsync = on");
$node->start;

# Events that are quiet, and now and then some that aren't: a new member, a late one, a block, a deletion, one taken back.
my $statements = q{
\set what random(1, 202)
\set u random(1, 40)
\set e random(1, 2)
\if :what <= 180
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'acme', 'e' || :e);
\elif :what <= 184
INSERT INTO ev (who, org, name) VALUES ('new' || :u, 'acme', 'e' || :e);
\elif :what <= 188
BEGIN;
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'acme', 'e' || :e);
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'other', 'e' || :e);
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'acme', 'e' || :e);
COMMIT;
\elif :what <= 192
BEGIN;
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'acme', 'e' || :e);
ROLLBACK;
\elif :what <= 194
INSERT INTO ev (at, who, org, name) VALUES (now() - interval '20 days', 'u' || :u, 'acme', 'e' || :e);
\elif :what <= 196
INSERT INTO ev (who, org, name) SELECT 'u' || i, 'acme', 'e1' FROM generate_series(1, 5) AS i;
\elif :what = 197
SELECT add_two('u' || :u);
\elif :what = 198
INSERT INTO other SELECT 1 FROM (SELECT add_two('u' || :u)) AS x;
\elif :what = 199
INSERT INTO ev (id, who, org, name) OVERRIDING SYSTEM VALUE SELECT id, who, org, name FROM ev WHERE id = (SELECT max(id) - 30 FROM ev) ON CONFLICT (id) DO UPDATE SET name = 'e1';
PIPELINE
\else
DELETE FROM ev WHERE id = (SELECT max(id) - 20 FROM ev);
\endif
};
my $pipeline = q{\elif :what = 200
\startpipeline
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'acme', 'e1');
INSERT INTO ev (who, org, name) VALUES ('u' || :u, 'acme', 'e2');
INSERT INTO ev (who, org, name) VALUES ('more' || :u, 'acme', 'e2');
\endpipeline};

for my $signal ('{"kind": "depth", "event": "e1", "half_life": "9000 days", "saturates_at": 400, "max_points": 80}',
	'{"kind": "depth", "event": "e1", "half_life": "9000 days", "saturates_at": 1e12, "max_points": 80}')
{
	my $reached = $signal !~ /1e12/;
	my $db = $reached ? 'reached' : 'never';
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql(
		$db, qq{
		CREATE EXTENSION pql;
		CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text, org text, name text);
		CREATE INDEX ON ev (org, at);
		SELECT pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id');
		SELECT pql.publish('{"program": "p", "unit": "account", "milestones": {"one": {"event": "e1"}, "two": {"event": "e2"}},
		  "activation": {"steps": ["one", "two"], "within": "30 days"},
		  "signals": {"work": $signal, "two": {"kind": "activation", "milestone": "two", "max_points": 10}}, "qualify": {"enter": 60, "leave": 40}}');
		SELECT pql.promote('p');
		CREATE TABLE other (i int);
		CREATE FUNCTION add_two(who text) RETURNS void LANGUAGE plpgsql AS \$\$ BEGIN
		  INSERT INTO ev (who, org, name) VALUES (who, 'acme', 'e1'); INSERT INTO ev (who, org, name) VALUES (who, 'acme', 'e2'); END \$\$;
		INSERT INTO ev (at, who, org, name) SELECT now() - interval '1 day', 'u' || i, 'acme', 'e' || e FROM generate_series(1, 40) AS i, generate_series(1, 2) AS e;});
	my $script = $node->basedir . "/$db.sql";
	my $piped = $reached ? '' : $pipeline; # the simple protocol has none
	append_to_file($script, $statements =~ s/PIPELINE/$piped/r);
	my ($out, $err);
	IPC::Run::run([ 'pgbench', '-n', '-M', $reached ? 'simple' : 'prepared', '-c', '8', '-j', '2', '-T', $seconds, '-f', $script, '-h', $node->host, '-p', $node->port, $db ],
		'>', \$out, '2>', \$err);
	unlike($err, qr/aborted/, "$db: nobody failed") or diag($err);
	my ($transactions) = $out =~ /number of transactions actually processed: (\d+)/;
	cmp_ok($transactions, '>', 500, "$db: $transactions transactions");
	is($node->safe_psql($db, "SELECT count(*) > 0 FROM pql.state WHERE part < 0"), 't', "$db: the account has lanes");
	is(verified($node, $db), '', "$db: state is what the events say");
	is($node->safe_psql($db, "SELECT count(*) FROM pql.routing WHERE subject_id = 'acme'"), $reached ? '1' : '0', "$db: qualified once, or never");
	is($node->safe_psql($db, "SELECT count(*) FROM pql.scoreboard('p') WHERE subject_id = 'acme' AND score >= 60 AND NOT qualified"),
		'0', "$db: qualified when the score says so");
	my $digest = $node->safe_psql($db, 'SELECT pql.state_digest()');
	$node->safe_psql($db, 'CALL pql.rebuild()');
	is($node->safe_psql($db, 'SELECT pql.state_digest()'), $digest, "$db: the same when derived again");
}
$node->stop;
done_testing();
