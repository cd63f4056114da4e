# A dump restored elsewhere is a working system: the same state, definitions and decisions, and events keep counting.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $node = PostgreSQL::Test::Cluster->new('dump');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE a');
prepare($node, 'a');
$node->safe_psql('a',
	q{INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4
    FROM generate_series(1, 20000) AS i});
$node->safe_psql('a', q{SELECT pql.upsert_user_milestone('u1', 'start', '2020-01-01'); SELECT pql.retain('ev', '2026-01-03');
	SELECT pql.merge_users('u7', 'u8'); SELECT pql.merge_accounts('o7', 'o8'); SELECT pql.move_user('u9', 'o10')});
$node->safe_psql('a', q{CREATE TABLE deal (id int PRIMARY KEY, org text); CREATE INDEX ON deal (org);
	INSERT INTO deal SELECT i, 'o' || i % 40 FROM generate_series(1, 50) AS i;
	SELECT count(*) FROM pql.attach_facts('deals', 'deal', account_id => 'org'); DELETE FROM deal WHERE id = 50;
	INSERT INTO pql.consent (unit, subject_id, channel, granted) VALUES ('account', 'o1', 'phone', false);
	CREATE TABLE objects (org text, via text);
	INSERT INTO objects VALUES ('o2', 'phone'), ('', 'phone');
	SELECT count(*) FROM pql.attach_consent('objects', 'false', account_id => 'org', channel => 'via');
	INSERT INTO pql.internal_domain VALUES ('rival.example', 'competitor')});
$node->safe_psql('a', q{
	CREATE ROLE analyst;
	CREATE ROLE app;
	GRANT SELECT ON ALL TABLES IN SCHEMA pql TO analyst;
	GRANT EXECUTE ON FUNCTION pql.record_event, pql.next_id TO app;
	GRANT USAGE ON SEQUENCE pql.id_seq TO app;
	REVOKE EXECUTE ON FUNCTION pql.check_program FROM PUBLIC});

my %look = (
	sources  => 'SELECT relation, intact, user_id, account_id, sealed_before, history_folded FROM pql.sources',
	programs => 'SELECT program, version, status, document FROM pql.program ORDER BY 1, 2',
	packets  => q{SELECT routing_id, a, pql.packet(routing_id, a) FROM pql.routing, unnest('{scoring,rep,outreach}'::text[]) AS a ORDER BY 1, 2},
	routing  => 'SELECT * FROM pql.routing ORDER BY routing_id',
	labels   => 'SELECT * FROM pql.handoff_fact ORDER BY home, routing_id',
	due      => 'SELECT home FROM pql.handoff_due ORDER BY home',
	episodes => 'SELECT * FROM pql.episode ORDER BY episode_id',
	rights   => q{SELECT oid::regprocedure::text, proacl FROM pg_proc WHERE pronamespace = 'pql'::regnamespace
		UNION ALL SELECT relname, relacl FROM pg_class WHERE relnamespace = 'pql'::regnamespace ORDER BY 1},
	members  => 'SELECT * FROM pql.members ORDER BY 1, 2',
	facts    => 'SELECT * FROM pql.facts ORDER BY fact, subject_id, valid_from',
	guards   => q{SELECT c::text FROM pql.consent AS c UNION ALL SELECT d::text FROM pql.internal_domain AS d
		UNION ALL SELECT i::text FROM pql.consent_import AS i UNION ALL SELECT p::text FROM pql.consent_problem AS p ORDER BY 1},
	score    => q{SELECT * FROM pql.scoreboard('p') ORDER BY 1});
my %before = map { $_ => $node->safe_psql('a', $look{$_}) } keys %look;
my $digest = digest($node, 'a');

my $file = $node->basedir . '/a.dump';
for my $form (['plain', '-Fp'], ['custom', '-Fc'])
{
	my ($name, $flag) = @$form;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ 'pg_dump', $flag, '-f', $file, '-d', $node->connstr('a') ], "$name: dumped");
	if ($name eq 'plain')
	{
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr($name) ], "$name: restored");
	}
	else
	{
		$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr($name), $file ], "$name: restored");
	}
	is(digest($node, $name), $digest, "$name: same state");
	is($node->safe_psql($name, $look{$_}), $before{$_}, "$name: same $_") for sort keys %look;
	is(verified($node, $name), '', "$name: state agrees with the events");
	$node->safe_psql($name, q{INSERT INTO ev SELECT 100000 + i, '2026-02-01', 'new', 'o1', 'e1' FROM generate_series(1, 100) AS i; DELETE FROM ev WHERE id = 15000});
	is($node->safe_psql($name, q{SELECT events FROM pql.members WHERE user_id = 'new'}), '100', "$name: events keep counting");
	$node->safe_psql($name, q{INSERT INTO deal VALUES (100, 'o1')});
	is($node->safe_psql($name, q{SELECT number FROM pql.facts WHERE subject_id = 'o1' AND valid_to = 'infinity'}), '3', "$name: and so do facts");
	is($node->safe_psql($name, q{DELETE FROM objects WHERE org = 'o2'; SELECT told, taken_back, problems FROM pql.refresh_consent()}), '0|1|1',
		"$name: consent follows its relation");
	$node->safe_psql($name, q{INSERT INTO ev VALUES (200000, '2026-02-01', 'u7', 'o99', 'e1'), (200001, '2026-02-01', 'u9', 'o7', 'e1')});
	is($node->safe_psql($name, q{SELECT account_id, user_id FROM pql.members WHERE last_seen = '2026-02-01' AND user_id <> 'new' ORDER BY 1}),
		"o10|u9\no99|u8", "$name: for whom they did");
	is(verified($node, $name), '', "$name: and the state is right");
	cmp_ok($node->safe_psql($name, 'SELECT pql.next_id()'), '>', $node->safe_psql('a', 'SELECT max(routing_id) FROM pql.routing'),
		"$name: identifiers go on");
}

# Partitions are known by numbers that are others in the restored database: nothing of it is news there, and what comes after it is.
$node->safe_psql('postgres', 'CREATE DATABASE parted');
prepare($node, 'parted', partitioned => 1);
$node->safe_psql('parted', q{
	INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 30, 'o' || i % 4, 'e' || i % 4 FROM generate_series(99900, 100200) AS i;
	SELECT pql.tick()});
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('parted') ], 'partitions: dumped');
$node->safe_psql('postgres', 'CREATE DATABASE parted_too');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('parted_too'), $file ], 'partitions: restored');
my $changed = 'SELECT intact, changed_partitions FROM pql.sources';
my ($status, $out, $told);
sub tick
{
	($status, $out, $told) = $node->psql('parted_too', 'SELECT partitions_changed FROM pql.tick()');
	return $out;
}
is($node->safe_psql('parted_too', 'SELECT count(*) FROM pql.source_leaf'), '0', 'partitions: nothing is known of them');
is($node->safe_psql('parted_too', $changed), 't|{}', 'partitions: nor has any changed');
is(tick() . $told, '0', 'partitions: and there is nothing to tell');
is(verified($node, 'parted_too'), '', 'partitions: the state agrees with the events');
is($node->safe_psql('parted_too', 'SELECT count(*) FROM pql.source_leaf'), '3', 'partitions: now they are known');
is($node->safe_psql('parted_too', 'VACUUM FULL') . tick() . $told, '0', 'partitions: moving all of their rows is no news');
$node->safe_psql('parted_too', 'TRUNCATE ev_b');
is(tick(), '1', 'partitions: emptying one is');
like($told, qr/partition public\.ev_b of table public\.ev was emptied.*CALL pql\.rebuild/s, 'partitions: which is told');
$node->safe_psql('parted_too', 'CALL pql.rebuild()');
is($node->safe_psql('parted_too', $changed) . verified($node, 'parted_too'), 't|{}', 'partitions: and mended');
# what is wrong when it is dumped is found by what is missing
$node->safe_psql('parted', 'TRUNCATE ev_b');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('parted') ], 'a wrong one: dumped');
$node->safe_psql('postgres', 'CREATE DATABASE wrong');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('wrong'), $file ], 'a wrong one: restored');
is($node->safe_psql('wrong', $changed), 't|{}', 'a wrong one: no partition has changed since');
isnt(verified($node, 'wrong'), '', 'a wrong one: but verify finds it');
# a copy of the files is the database itself
$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE parted');
is($node->safe_psql('copy', $changed), 't|{"public.ev_b: emptied or rewritten"}', 'a copy knows what it knew');

# Versions in every status stay what they are, and go on from there.
$node->safe_psql('postgres', 'CREATE DATABASE versions');
prepare($node, 'versions');
$node->safe_psql('versions', q{
	INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 30, 'o' || i % 4, 'e' || i % 4 FROM generate_series(1, 1000) AS i;
	CREATE FUNCTION doc(name text, event text) RETURNS jsonb LANGUAGE sql AS
	$$SELECT jsonb_build_object('program', name, 'unit', 'account', 'qualify', '{"enter": 20, "leave": 10}'::jsonb, 'signals',
		jsonb_build_object('s', jsonb_build_object('kind', 'depth', 'event', event, 'half_life', '7 days', 'max_points', 50)))$$;
	SELECT pql.publish(doc('p', 'e1'));
	SELECT pql.publish(doc('p', 'e2'), 'waits');
	SELECT pql.save_draft(doc('p', 'e3'), 'next');
	SELECT pql.publish(doc('q', 'e1'));
	SELECT pql.save_draft('{"program": "r"}')});
my $versions = 'SELECT program, version, status, note FROM pql.program ORDER BY 1, 2';
is($node->safe_psql('versions', $versions), join("\n", 'p|1|retired|', 'p|2|live|', 'p|3|building|waits', 'p|4|draft|next', 'q|1|shadow|', 'r|1|draft|'), 'versions: there they are');
$node->safe_psql('versions', q{CALL pql.backfill(); SELECT pql.publish(doc('p', 'e0'), 'too')});
my $all = $node->safe_psql('versions', 'SELECT * FROM pql.program ORDER BY program, version');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('versions') ], 'versions: dumped');
$node->safe_psql('postgres', 'CREATE DATABASE versions_too');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('versions_too'), $file ], 'versions: restored');
is($node->safe_psql('versions_too', 'SELECT * FROM pql.program ORDER BY program, version'), $all, 'versions: there they are again');
($status, $out, $told) = $node->psql('versions_too', 'UPDATE pql.program SET document = \'{}\' WHERE version = 1');
like($told, qr/is published and can't be changed/, 'versions: what is published stays');
$node->safe_psql('versions_too', 'CALL pql.rebuild()');
$node->safe_psql('versions_too', q{SELECT pql.promote('q'), pql.rollback('p'), pql.publish_draft('p')});
is($node->safe_psql('versions_too', $versions),
	join("\n", 'p|1|retired|', 'p|2|retired|', 'p|3|live|waits', 'p|4|retired|too', 'p|5|building|next', 'q|1|live|', 'r|1|draft|'), 'versions: and they go on');
$node->safe_psql('versions_too', 'CALL pql.backfill()');
is($node->safe_psql('versions_too', q{SELECT version FROM pql.program WHERE program = 'p' AND status = 'live'}), '5', 'versions: history is folded');
is(verified($node, 'versions_too'), '', 'versions: and the state is right');

# What was done about accounts, where a rule asks for it, is restored before all definitions are.
$node->safe_psql('postgres', 'CREATE DATABASE touched');
$node->safe_psql('touched', q{
	CREATE EXTENSION pql;
	CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
	CREATE INDEX ON ev (org, ts);
	SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
	SELECT pql.publish('{"program": "p", "unit": "account", "qualify": {"enter": 20}, "signals": {"s": {"kind": "depth", "event": "e", "window": "7 days", "max_points": 50,
		"points_each": 50}}, "guardrails": [{"block_when": "history.touches_7d > 3", "reason": "often"}], "motions": [{"otherwise": true, "motion": "inside_sales", "channel": "phone"}]}');
	SELECT pql.promote('p');
	INSERT INTO ev SELECT i, now(), 'u' || i, 'o' || i, 'e' FROM generate_series(1, 5) AS i;
	SELECT count(*) FROM pql.tick();
	SELECT count(*) FROM pql.claim('ann', 5) AS r, pql.touch(r.routing_id, 'phone');
	INSERT INTO pql.consent (unit, subject_id, channel, granted) VALUES ('account', 'o1', 'phone', false);
	SELECT pql.record_outcome('o1', 'paid');
	SELECT pql.start_pilot('p', 'true', baseline => 0.1, max_share => 1, override => 'a test', guardrails => '{"rep_load": null}')});
my $done = 'SELECT (SELECT count(*) FROM pql.touch), (SELECT count(*) FROM pql.outcome), (SELECT count(*) FROM pql.consent)';
is($node->safe_psql('touched', $done), '5|1|1', 'touched: there it is');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('touched') ], 'touched: dumped');
$node->safe_psql('postgres', 'CREATE DATABASE touched_too');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('touched_too'), $file ], 'touched: restored');
is($node->safe_psql('touched_too', $done), '5|1|1', 'touched: there it is again');
my $pilot = 'SELECT p.*, g.* FROM pql.pilot AS p JOIN pql.pilot_guardrail AS g USING (pilot_id) ORDER BY g.kind';
is($node->safe_psql('touched_too', $pilot), $node->safe_psql('touched', $pilot), 'touched: a pilot is under way');
$node->safe_psql('touched_too', q{SELECT pql.stop_pilot(pilot_id, 'over') FROM pql.pilot});
is($node->safe_psql('touched_too', q{SELECT program, version FROM pql.program WHERE status = 'live'}), 'p|1', 'touched: and can be ended');

# History that isn't folded yet, of a table and of a program that waits for it, is folded anew: how far that had come means nothing elsewhere,
# even where the table's file has the same number.
$node->safe_psql('postgres', 'CREATE DATABASE half');
$node->safe_psql('half', q{
	CREATE EXTENSION pql;
	CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text, note text DEFAULT repeat('.', 200));
	CREATE INDEX ON ev (org, ts);
	INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 30, 'o' || i % 4, 'e' || (i / 4) % 4 FROM generate_series(1, 3000) AS i});
my $first = program();
(my $second = $first) =~ s/"program": "p"/"program": "q"/;
$second =~ s/"event": "e1", "half_life"/"event": "e2", "half_life"/;
$node->safe_psql('half', q{SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event')});
$node->safe_psql('half', "SELECT pql.publish('$first')");
$node->safe_psql('half', q{
	SET pql.backfill_batch = 9;
	SELECT pql._backfill_step(1), pql._backfill_step(1);
	INSERT INTO ev SELECT i, '2026-01-10', 'u1', 'o1', 'e1' FROM generate_series(3001, 3010) AS i;
	DELETE FROM ev WHERE id IN (7, 2990);
	UPDATE ev SET org = 'o3' WHERE id IN (8, 2991)});
$node->safe_psql('half', "SELECT pql.publish('$second')");
my $jobs = q{SELECT bool_and(finished_at IS NULL) AND bool_or(next_page > 0) FROM pql.backfill_job};
is($node->safe_psql('half', $jobs), 't', 'half: history is being folded');
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('half') ], 'half: dumped');
my $more = q{INSERT INTO ev VALUES (4000, '2026-01-11', 'u2', 'o9', 'e2'); DELETE FROM ev WHERE id IN (9, 2992); UPDATE ev SET user_id = 'u99' WHERE id IN (10, 3005)};
$node->safe_psql('half', $_) for $more, 'CALL pql.backfill()';
is(verified($node, 'half'), '', 'half: where it was made, it goes on');
for my $alike (0, 1)
{
	my $db = "half_$alike";
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr($db), $file ], "$db: restored");
	$node->safe_psql($db, 'UPDATE pql.backfill_job SET relfilenode = pg_relation_filenode(relation)') if $alike;
	is($node->safe_psql($db, $jobs), 't', "$db: nothing is said to be done");
	$node->safe_psql($db, $more);
	($status, $out, $told) = $node->psql($db, 'CALL pql.backfill()');
	is($status, 0, "$db: history is folded") or diag $told;
	like($told, qr/restored before its history was folded/, "$db: anew, which is told");
	is(verified($node, $db), '', "$db: the state is what the events say");
	is(digest($node, $db), digest($node, 'half'), "$db: as it is where it came from");
	is($node->safe_psql($db, q{SELECT count(*) FROM pql.program WHERE status = 'shadow'}), '2', "$db: and both programs are in force");
	is($node->safe_psql($db, q{SELECT count(*) FROM pql.episode}), '0', "$db: nobody was decided upon by his past");
	($status, $out, $told) = $node->psql($db, 'CALL pql.backfill()');
	is($told, '', "$db: once");
}

# Who was erased stays so where the dump is restored, though rows tell it again.
$node->safe_psql('postgres', 'CREATE DATABASE erased');
$node->safe_psql('postgres', 'CREATE DATABASE erased_too');
$node->safe_psql('erased', q{
	CREATE EXTENSION pql;
	CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text);
	CREATE INDEX ON ev (org, ts);
	SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', clock => 'event');
	INSERT INTO ev VALUES (1, '2026-01-01', 'u1', 'o1', 'e1'), (2, '2026-01-01', 'u2', 'o1', 'e1');
	SELECT pql.erase_user('u1')});
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('erased') ], 'erased: dumped');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('erased_too'), $file ], 'erased: restored');
$node->safe_psql('erased_too', q{INSERT INTO ev VALUES (3, '2026-01-02', 'u1', 'o1', 'e1'); CALL pql.rebuild()});
is($node->safe_psql('erased_too', 'SELECT user_id, events FROM pql.members'), 'u2|1', 'erased: nothing told again counts');
is(verified($node, 'erased_too'), '', 'erased: the state is what the events of others say');

$node->stop;
done_testing();
