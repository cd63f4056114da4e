# A table that logical replication writes into keeps the same state as its publisher; and a hot standby answers.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
prepare($publisher, 'postgres');
my $rows = q{SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4};
$publisher->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(1, 5000) AS i; CREATE PUBLICATION pub FOR TABLE ev");

# What folds deletes rows of pql.deferred, which a publication of all tables mustn't forbid.
$publisher->safe_psql('postgres', q{CREATE PUBLICATION everything FOR ALL TABLES; SELECT pql.set_mode('ev', 'deferred');
  UPDATE ev SET org = 'o1' WHERE id = 1});
$publisher->safe_psql('postgres', 'CALL pql.fold()');
is(verified($publisher, 'postgres'), '', 'published with all tables: folded');
$publisher->safe_psql('postgres', q{SELECT pql.set_mode('ev', 'sync'); DROP PUBLICATION everything});

my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->start;
$subscriber->safe_psql('postgres', q{CREATE EXTENSION pql;
  CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text); CREATE INDEX ON ev (org, ts)});
my $from = $publisher->connstr . " dbname=postgres";
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION sub CONNECTION '$from' PUBLICATION pub");
$subscriber->wait_for_subscription_sync($publisher, 'sub');
my $program = program();
$subscriber->safe_psql(
	'postgres', qq{
  SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
  SELECT pql.publish('$program');});
$subscriber->safe_psql('postgres', 'CALL pql.backfill()');
$subscriber->safe_psql('postgres', q{SELECT pql.promote('p')});
is($subscriber->safe_psql('postgres', 'SELECT capture FROM pql.sources'), 'row', 'captured row by row');
is(digest($subscriber, 'postgres'), digest($publisher, 'postgres'), 'history: same state');

$publisher->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(5001, 9000) AS i");
$publisher->safe_psql('postgres', q{UPDATE ev SET org = 'o7' WHERE id % 97 = 0; DELETE FROM ev WHERE id % 89 = 0;
  INSERT INTO ev VALUES (100000, '2026-01-02', 'late', 'o1', 'e1')});
$publisher->wait_for_catchup('sub');
is(digest($subscriber, 'postgres'), digest($publisher, 'postgres'), 'stream of inserts, updates and deletes: same state');
is(verified($subscriber, 'postgres'), '', 'which agrees with the events');
# Deferred: what is applied waits to be folded.
$subscriber->safe_psql('postgres', q{SELECT pql.set_mode('ev', 'deferred')});
$publisher->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(9001, 12000) AS i");
$publisher->safe_psql('postgres', q{UPDATE ev SET org = 'o8' WHERE id % 83 = 0; DELETE FROM ev WHERE id % 79 = 0});
$publisher->wait_for_catchup('sub');
cmp_ok($subscriber->safe_psql('postgres', 'SELECT events FROM pql.fold_lag'), '>=', 3000, 'deferred: it waits');
$subscriber->safe_psql('postgres', 'CALL pql.fold()');
is(digest($subscriber, 'postgres'), digest($publisher, 'postgres'), 'and is folded to the same state');
is(verified($subscriber, 'postgres'), '', 'which agrees with the events');

# A row that is there already stops the subscription, as without pql; the state stays that of the table, and goes on with it.
my $from_here = -s $subscriber->logfile;
$subscriber->safe_psql('postgres', q{INSERT INTO ev VALUES (200000, '2026-01-09', 'mine', 'o1', 'e1')});
$publisher->safe_psql('postgres', q{INSERT INTO ev VALUES (200000, '2026-01-09', 'theirs', 'o1', 'e1'), (200001, '2026-01-09', 'theirs', 'o1', 'e1')});
$subscriber->wait_for_log(qr/duplicate key value violates unique constraint "ev_pkey"/, $from_here);
$subscriber->safe_psql('postgres', 'CALL pql.fold()');
is($subscriber->safe_psql('postgres', q{SELECT user_id FROM pql.members WHERE user_id IN ('mine', 'theirs')}), 'mine', 'conflict: nothing of it is in the state');
$subscriber->safe_psql('postgres', 'DELETE FROM ev WHERE id = 200000');
$publisher->wait_for_catchup('sub');
$subscriber->safe_psql('postgres', 'CALL pql.fold()');
is(digest($subscriber, 'postgres'), digest($publisher, 'postgres'), 'solved: same state');

$publisher->safe_psql('postgres', 'TRUNCATE ev');
$publisher->wait_for_catchup('sub');
$subscriber->safe_psql('postgres', 'CALL pql.fold()');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM pql.members'), '0', 'truncated');

# Attached anew, it says by whom the table is written.
my $attach = q{SELECT finding, advice FROM pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', dry_run => true)
  WHERE what = 'replication'};
$subscriber->safe_psql('postgres', q{SELECT pql.detach('ev')});
is($subscriber->safe_psql('postgres', $attach), 'written by sub|', 'a subscription is told of');
$subscriber->safe_psql('postgres', 'ALTER TABLE ev DROP CONSTRAINT ev_pkey');
like($subscriber->safe_psql('postgres', $attach), qr/without a replica identity/, 'and what it lacks');
SKIP:
{
	skip 'parallel apply came with PostgreSQL 16', 1 if $subscriber->pg_version < 16;
	$subscriber->safe_psql('postgres', q{ALTER SUBSCRIPTION sub SET (streaming = parallel)});
	my ($status, $out, $err) = $subscriber->psql('postgres', $attach);
	like($err, qr/applies transactions in parallel.*streaming = on/s, 'parallel apply is refused');
	$subscriber->safe_psql('postgres', $attach =~ s/\bdry_run => true/mode => 'deferred'/r);
	($status, $out, $err) = $subscriber->psql('postgres', q{SELECT pql.set_mode('ev', 'sync')});
	like($err, qr/applies transactions in parallel.*streaming = on/s, 'and for a table that was deferred');
}
$subscriber->stop;

# The standby.
$publisher->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(1, 5000) AS i");
$publisher->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($publisher, 'b', has_streaming => 1);
$standby->start;
$publisher->wait_for_catchup($standby, 'replay', $publisher->lsn('insert'));
for my $query (q{SELECT pql.score('p', 'o1')}, q{SELECT pql.score('p', 'o1', '2026-01-02')}, q{SELECT * FROM pql.explain('p', 'o1')},
	q{SELECT * FROM pql.scoreboard('p') ORDER BY 1}, q{SELECT * FROM pql.scoreboard('p', '2026-01-03') ORDER BY 1},
	q{SELECT * FROM pql.activation('p') ORDER BY 1}, 'SELECT * FROM pql.members ORDER BY 1, 2', 'SELECT * FROM pql.milestones ORDER BY 1, 2, 3',
	'SELECT pql.state_digest()', 'SELECT * FROM pql.verify()', 'SELECT headline FROM pql.routing ORDER BY 1',
	'SELECT pql.story(routing_id) FROM pql.routing ORDER BY routing_id LIMIT 1')
{
	is($standby->safe_psql('postgres', $query), $publisher->safe_psql('postgres', $query), "standby: $query");
}
$standby->stop;
$publisher->stop;
done_testing();
