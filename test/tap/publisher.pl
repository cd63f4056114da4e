# A managed database that can't load pql publishes its events; a node with pql subscribes to them, and publishes its decisions back. The
# publisher is lost, and its standby becomes the publisher: by the way that doc/scale.md tells, the node has the events that the new one
# has, no matter which of them was ahead, and the state that they give.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $rows = q{SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4};
sub insert
{
	my ($node, $from, $to) = @_;
	$node->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series($from, $to) AS i");
}

# --- both ways ----------------------------------------------------------------------------------------------------------

my $publisher = PostgreSQL::Test::Cluster->new('primary');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
$publisher->safe_psql(
	'postgres', q{
  CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text);
  CREATE PUBLICATION for_pql FOR TABLE ev;
  CREATE SCHEMA pql; -- not the extension: a table of the same name, for the decisions
  CREATE TABLE pql.routing (home text, routing_id bigint, program text, subject_id text, score int, headline text, motion text, owner text, state text,
                            context jsonb, PRIMARY KEY (home, routing_id));});
insert($publisher, 1, 1000);
my $node = PostgreSQL::Test::Cluster->new('node');
$node->init(allows_streaming => 'logical');
$node->start;
my $program = program() =~ s{"enter": 60, "leave": 40}{"enter": 50, "leave": 30}r;
$node->safe_psql(
	'postgres', q{CREATE EXTENSION pql;
  CREATE PUBLICATION everything FOR ALL TABLES; -- the new one's, by mistake: nothing of pql's fails by it
  CREATE PUBLICATION routed FOR TABLE pql.routing (home, routing_id, program, subject_id, score, headline, motion, owner, state, context);
  CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text); CREATE INDEX ON ev (org, ts)});

# follow WHOM OPTIONS: a subscription of the node.
sub follow
{
	my ($whom, $options) = @_;
	$node->safe_psql('postgres', "CREATE SUBSCRIPTION from_app CONNECTION '" . $whom->connstr . " dbname=postgres' PUBLICATION for_pql $options");
	return;
}

# follow_back WHO: its copy of the decisions, from the first one.
sub follow_back
{
	my ($who) = @_;
	$who->safe_psql('postgres', 'TRUNCATE pql.routing');
	$who->safe_psql('postgres', "CREATE SUBSCRIPTION routed CONNECTION '" . $node->connstr . " dbname=postgres' PUBLICATION routed");
	$who->wait_for_subscription_sync($node, 'routed');
	return;
}

my $decisions = q{SELECT string_agg(r::text, E'\n' ORDER BY routing_id)
  FROM (SELECT home, routing_id, program, subject_id, score, headline, motion, owner, state, context FROM pql.routing) AS r};

# told WHO WHAT: it has the decisions of the node, and there are some.
sub told
{
	my ($who, $what) = @_;
	$node->wait_for_catchup('routed');
	my $there = $node->safe_psql('postgres', $decisions);
	isnt($there, '', "$what: there are decisions");
	is($who->safe_psql('postgres', $decisions), $there, "$what: and they come back");
	return;
}

follow($publisher, '');
$node->wait_for_subscription_sync($publisher, 'from_app');
$node->safe_psql(
	'postgres', qq{
  SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
  UPDATE pql.source SET max_event_age = '36500 days';
  SELECT pql.publish('$program');});
$node->safe_psql('postgres', 'CALL pql.backfill()');
$node->safe_psql('postgres', q{SELECT pql.promote('p')});
follow_back($publisher);
insert($publisher, 1001, 5000);
$publisher->wait_for_catchup('from_app');
told($publisher, 'an event of the publisher');
my $row = $node->safe_psql('postgres', q{SELECT routing_id FROM pql.routing WHERE state IN ('pending', 'ready') ORDER BY 1 LIMIT 1});
$node->safe_psql('postgres', qq{SELECT pql.reassign($row, 'kim', reason => 'she knows them')});
told($publisher, 'what changes of them');

# --- the publisher is lost ----------------------------------------------------------------------------------------------

$publisher->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($publisher, 'b', has_streaming => 1);
$standby->start;
$publisher->wait_for_catchup($standby, 'replay', $publisher->lsn('insert'));
$standby->stop; # from here on it misses what the node gets
insert($publisher, 5001, 5500);
$publisher->safe_psql('postgres', q{UPDATE ev SET org = 'o7' WHERE id % 97 = 0; DELETE FROM ev WHERE id % 89 = 0});
$publisher->wait_for_catchup('from_app');
my $lost = digest($node, 'postgres');
$publisher->stop('immediate');
$standby->start;
$standby->promote;
insert($standby, 6001, 6500); # and this the node misses

# doc/scale.md: the slot is lost; the subscription begins anew, and the gap is closed while writers wait.
$node->safe_psql('postgres', 'ALTER SUBSCRIPTION from_app DISABLE');
$node->safe_psql('postgres', 'ALTER SUBSCRIPTION from_app SET (slot_name = NONE)');
$node->safe_psql('postgres', 'DROP SUBSCRIPTION from_app');
follow($standby, 'WITH (copy_data = false)');
my ($host, $port) = ($standby->host, $standby->port);
$node->safe_psql(
	'postgres', qq{CREATE EXTENSION postgres_fdw; CREATE SCHEMA there;
  CREATE SERVER app FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
  CREATE USER MAPPING FOR current_user SERVER app;
  IMPORT FOREIGN SCHEMA public LIMIT TO (ev) FROM SERVER app INTO there;});
$node->safe_psql(
	'postgres', q{BEGIN;
  DELETE FROM ev AS here WHERE NOT EXISTS (SELECT FROM there.ev AS e WHERE e.id = here.id AND e::text = here::text);
  INSERT INTO ev SELECT * FROM there.ev AS e WHERE NOT EXISTS (SELECT FROM ev AS here WHERE here.id = e.id);
  COMMIT});
is($node->safe_psql('postgres', 'SELECT count(*), sum(hashtext(e::text)) FROM ev AS e'),
	$standby->safe_psql('postgres', 'SELECT count(*), sum(hashtext(e::text)) FROM ev AS e'),
	'the node has the events of the new publisher');
is(verified($node, 'postgres'), '', 'and the state that they give');
isnt(digest($node, 'postgres'), $lost, 'which is another one than before');

# Its copy of the decisions, and the subscription to them, are those of a moment before: they begin anew, too.
$standby->safe_psql('postgres', 'ALTER SUBSCRIPTION routed DISABLE');
$standby->safe_psql('postgres', 'DROP SUBSCRIPTION routed');
follow_back($standby);
told($standby, 'after it');

insert($standby, 7001, 8000);
$standby->safe_psql('postgres', q{UPDATE ev SET org = 'o8' WHERE id % 83 = 0; DELETE FROM ev WHERE id % 79 = 0});
$standby->wait_for_catchup('from_app');
is($node->safe_psql('postgres', 'SELECT count(*), sum(hashtext(e::text)) FROM ev AS e'),
	$standby->safe_psql('postgres', 'SELECT count(*), sum(hashtext(e::text)) FROM ev AS e'),
	'and goes on with it');
is(verified($node, 'postgres'), '', 'as its state does');
told($standby, 'and the decisions');
# A person is erased while all tables are published.
$node->safe_psql('postgres', q{SELECT pql.erase_user('u1')});
$node->safe_psql('postgres', 'SELECT * FROM pql.tick()');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pql.members WHERE user_id = 'u1'}), '0', 'published with all tables: erased');
$node->stop;
$standby->stop;
done_testing();
