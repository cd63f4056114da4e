# Attributes after a dump and a restore: the copy, its history, and what follows changes, by triggers and by name. And models that
# are replaced by renaming, as dbt does it, while they are read and events come.
# covers: S3-11, S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $node = PostgreSQL::Test::Cluster->new('attributes');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE a');
prepare($node, 'a');
$node->safe_psql('a', q{
	CREATE ROLE crm;
	CREATE SCHEMA crm AUTHORIZATION crm;
	SET ROLE crm;
	CREATE TABLE crm.accounts (id text PRIMARY KEY, plan text, seats int, touched timestamptz);
	INSERT INTO crm.accounts SELECT 'o' || i, 'free', i, now() FROM generate_series(0, 39) AS i;
	CREATE TABLE crm.people (id text, job text);
	INSERT INTO crm.people SELECT 'u' || i, 'dev' FROM generate_series(0, 299) AS i;
	CREATE VIEW crm.users AS SELECT id, job, 'o' || length(id) AS team FROM crm.people;
	RESET ROLE;
	INSERT INTO pql.attribute_use VALUES ('account', 'plan'), ('user', 'job');
	INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || i % 4
	FROM generate_series(1, 2000) AS i;
	SELECT pql.attach_accounts('crm.accounts', 'id');
	SELECT pql.attach_users('crm.users', 'id', 'team');
	UPDATE crm.accounts SET plan = 'team' WHERE id = 'o7'});

my %look = (
	sources => q{SELECT unit, relation, key, account, columns, types, rows, kept_by, broken, attached_by FROM pql.attribute_sources ORDER BY 1},
	copy    => 'SELECT * FROM pql.attribute ORDER BY home',
	past    => 'SELECT * FROM pql.attribute_history ORDER BY home, valid_from',
	use     => 'SELECT * FROM pql.attribute_use ORDER BY 1, 2');
my %before = map { $_ => $node->safe_psql('a', $look{$_}) } keys %look;
my $refreshed = 'SELECT unit, changed, added, removed FROM pql.refresh_attributes()';
my $file = $node->basedir . '/a.dump';
for my $form (['plain', '-Fp'], ['custom', '-Fc'])
{
	my ($name, $flag) = @$form;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ 'pg_dump', $flag, '-f', $file, '-d', $node->connstr('a') ], "$name: dumped");
	my @restore = $name eq 'plain' ? ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d') : ('pg_restore', '-e', '-d');
	$node->command_ok($name eq 'plain' ? [ @restore, $node->connstr($name) ] : [ @restore, $node->connstr($name), $file ], "$name: restored");
	is($node->safe_psql($name, $look{$_}), $before{$_}, "$name: same $_") for sort keys %look;
	is($node->safe_psql($name, $refreshed), "account|0|0|0\nuser|0|0|0", "$name: nothing to refresh");
	$node->safe_psql($name, q{SET ROLE crm; UPDATE crm.accounts SET plan = 'pro' WHERE id = 'o7'; UPDATE crm.people SET job = 'cto' WHERE id = 'u1'});
	is($node->safe_psql($name, q{SELECT pql._attributes_of('a:o7')}), '{"plan": "pro"}', "$name: triggers go on");
	is($node->safe_psql($name, q{SELECT count(*) FROM pql.attribute_history WHERE home = 'a:o7'}), '2', "$name: and so does the history");
	is($node->safe_psql($name, $refreshed), "account|0|0|0\nuser|1|0|0", "$name: the view is found by its name");
	is(verified($node, $name), '', "$name: the state is right");
}

# Nobody is held up by what is attached, and nothing is lost.
my $swap = q{
	SET ROLE crm;
	BEGIN;
	CREATE TABLE crm.accounts__dbt_tmp AS SELECT id, 'v%s' AS plan, seats FROM crm.accounts;
	ALTER TABLE crm.accounts__dbt_tmp ADD PRIMARY KEY (id);
	ALTER TABLE crm.accounts RENAME TO accounts__dbt_backup;
	ALTER TABLE crm.accounts__dbt_tmp RENAME TO accounts;
	DROP TABLE IF EXISTS crm.accounts__dbt_backup CASCADE;
	COMMIT;
	RESET ROLE;
};
for my $run (1 .. 3)
{
	$node->safe_psql('a', sprintf($swap, $run));
	like($node->safe_psql('a', q{SELECT broken FROM pql.attribute_sources WHERE unit = 'account'}), qr/triggers are missing/, "run $run: told of");
	is($node->safe_psql('a', q{INSERT INTO ev VALUES (100000 + } . $run . q{, '2026-02-01', 'u1', 'o1', 'e1'); SELECT pql._attributes_of('a:o1')}),
		'{"plan": "' . ($run == 1 ? 'free' : 'v' . ($run - 1)) . '"}', "run $run: events come meanwhile, and see what was");
	is($node->safe_psql('a', $refreshed), "account|40|0|0\nuser|0|0|0", "run $run: refreshed");
	is($node->safe_psql('a', q{SELECT broken IS NULL FROM pql.attribute_sources WHERE unit = 'account'}), 't', "run $run: whole");
	$node->safe_psql('a', q{UPDATE crm.accounts SET seats = 0; UPDATE crm.accounts SET plan = 'own' WHERE id = 'o2'});
	is($node->safe_psql('a', q{SELECT pql._attributes_of('a:o2')}), '{"plan": "own"}', "run $run: and followed");
	$node->safe_psql('a', q{UPDATE crm.accounts SET plan = 'v} . $run . q{' WHERE id = 'o2'});
}
is($node->safe_psql('a', q{
	SELECT count(*) FROM pql.attributes AS a JOIN pql.attributes AS b USING (unit, subject_id)
	WHERE a.valid_from < b.valid_from AND a.valid_to > b.valid_from}), '0', 'the history has no overlaps');
is(verified($node, 'a'), '', 'the state is right');

# A reader of the model holds up neither its replacement nor, for longer than that, a refresh.
my $reader = $node->background_psql('a');
$reader->query_safe('BEGIN; SELECT pql._attributes_of(\'a:o1\')');
$node->safe_psql('a', sprintf($swap, 9));
is($node->safe_psql('a', $refreshed), "account|40|0|0\nuser|0|0|0", 'somebody in a transaction holds nobody up');
$reader->query_safe('COMMIT');
$reader->quit;

# Roles are not of the database.
$node->safe_psql('a', q{DROP VIEW crm.users; CREATE VIEW crm.users AS SELECT id, job, 'o' AS team FROM crm.people});
my ($status, $out, $told) = $node->psql('a', $refreshed);
like($told, qr/attributes in relation "crm\.users" can't be read.*belongs to role/s, 'a relation that changed hands is not read');
is($node->safe_psql('a', q{SELECT count(*) FROM pql.attribute WHERE home LIKE 'u:%'}), '300', 'and the copy stays');

# Whoever writes and whoever refreshes at the same time: in the end the copy is what the table says.
$node->safe_psql('a', 'DROP VIEW crm.users');
$node->safe_psql('a', 'SELECT pql.detach_users()');
my $writes = $node->basedir . '/writes.sql';
append_to_file($writes, q{
\set n random(0, 60)
\set m random(0, 60)
\set what random(1, 4)
\if :what = 1
INSERT INTO crm.accounts (id, plan) VALUES ('o' || :n, 'i') ON CONFLICT (id) DO UPDATE SET plan = 'u' || :m;
\elif :what = 2
DELETE FROM crm.accounts WHERE id = 'o' || :n;
\elif :what = 3
UPDATE crm.accounts SET plan = 'p' || :m WHERE id = 'o' || :n;
\else
SET session_replication_role = replica;
UPDATE crm.accounts SET plan = 'missed' WHERE id = 'o' || :n;
SET session_replication_role = origin;
\endif
});
my $refresh = $node->basedir . '/refresh.sql';
append_to_file($refresh, "SELECT * FROM pql.refresh_attributes();\n");
my $events = $node->basedir . '/events.sql';
append_to_file($events, q{
\set n random(0, 60)
INSERT INTO ev (id, ts, user_id, org, name) VALUES (200000 + (random() * 1e9)::bigint, '2026-02-02', 'u' || :n, 'o' || :n, 'e1') ON CONFLICT DO NOTHING;
});
$node->command_ok([ 'pgbench', '-n', '-c', '6', '-j', '2', '-T', '5', '--max-tries=0', '-f', "$writes\@6", '-f', "$refresh\@1", '-f', "$events\@3", $node->connstr('a') ],
	'writers, refreshes and events at once');
$node->safe_psql('a', 'SELECT * FROM pql.refresh_attributes()');
is($node->safe_psql('a', q{
	SELECT coalesce(a.id, c.home), a.plan, c.body FROM crm.accounts AS a FULL JOIN pql.attribute AS c ON c.home = 'a:' || a.id
	WHERE c.body IS DISTINCT FROM jsonb_build_object('plan', a.plan)}), '', 'the copy is what the table says');
is($node->safe_psql('a', $refreshed), 'account|0|0|0', 'and there is nothing left to do');
is($node->safe_psql('a', q{
	SELECT count(*) FROM pql.attributes AS a JOIN pql.attributes AS b USING (unit, subject_id)
	WHERE a.valid_from < b.valid_from AND a.valid_to > b.valid_from}), '0', 'nor does the history overlap');
is(verified($node, 'a'), '', 'the state is right');

$node->stop;
done_testing();
