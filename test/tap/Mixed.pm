# Everything that writes, at once: a database in which all of pql is at work, clients that do at random whatever anybody may do to it,
# and what must hold of it however that ends. Soak, crashes, a promotion and a recovery are all tried with it.
package Mixed;

use strict;
use warnings FATAL => 'all';
use Exporter 'import';
use IPC::Open2 ();
use POSIX ();
use PostgreSQL::Test::Utils;
use Test::More;
our @EXPORT = qw(mixed_database start_clients stop_clients acknowledged settle mixed_is_right unexpected_errors);

# Of programs, one emits and is never changed, one scores people, and one is published, promoted and taken back all the time.
my $programs = q{
  {"program": "grow", "unit": "account",
   "milestones": {"start": {"event": "e1"}, "middle": {"event": "e2"}, "done": {"event": "e3"}},
   "activation": {"steps": ["start", "middle", "done"], "within": "3 days"},
   "signals": {"work": {"kind": "depth", "event": "e1", "half_life": "2 days", "saturates_at": 20, "max_points": 50},
               "people": {"kind": "breadth", "measure": "distinct_users", "window": "5 days", "points_each": 4, "max_points": 20},
               "seats": {"kind": "fit", "value": "attr.seats", "max_points": 20},
               "done": {"kind": "activation", "milestone": "activation_complete", "max_points": 30},
               "vip": {"kind": "fit", "flag": true, "max_points": 15}},
   "qualify": {"enter": 45, "leave": 30},
   "motions": [{"when": "attr.plan = 'team'", "motion": "account_executive", "after": "0", "by": "2 seconds"},
               {"otherwise": true, "motion": "inside_sales", "after": "0", "by": "1 day"}],
   "guardrails": [{"block_when": "attr.plan = 'gone'", "reason": "gone"}]}
  {"program": "person", "unit": "user",
   "signals": {"work": {"kind": "depth", "event": "e1", "half_life": "12 hours", "saturates_at": 6, "max_points": 60},
               "days": {"kind": "depth", "measure": "active_days", "window": "10 days", "points_each": 3, "max_points": 20}},
   "qualify": {"enter": 40, "leave": 25}, "motions": [{"otherwise": true, "motion": "email", "after": "0", "by": "1 day"}]}
  {"program": "other", "unit": "account",
   "signals": {"work": {"kind": "intent", "event": "e2", "half_life": "1 day", "points_each": 9, "max_points": 90}}, "qualify": {"enter": 50, "leave": 20}}};

# mixed_database(node, database): in which accounts a1 to a40 and users u1 to u120 are at work.
sub mixed_database
{
	my ($node, $db) = @_;
	my @documents = split /(?<=\})\n(?=  \{"program")/, $programs;
	$node->safe_psql($db, q{
SET client_min_messages = warning;
CREATE EXTENSION pql;
CREATE TABLE ev (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text, n int);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (who, ts);
CREATE TABLE web (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text) PARTITION BY RANGE (id);
CREATE TABLE web_a PARTITION OF web FOR VALUES FROM (minvalue) TO (1000000000000);
CREATE TABLE web_b PARTITION OF web DEFAULT;
CREATE INDEX ON web (org, ts);
CREATE INDEX ON web (who, ts);
CREATE TABLE late (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, name text);
CREATE INDEX ON late (org, ts);
CREATE INDEX ON late (who, ts);
CREATE TABLE company (id text PRIMARY KEY, plan text, seats int);
INSERT INTO company SELECT 'a' || i, (ARRAY['free', 'team'])[1 + i % 2], i % 10 FROM generate_series(1, 30) AS i;
CREATE TABLE deal (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org text);
CREATE INDEX ON deal (org);
CREATE TABLE message (id bigint PRIMARY KEY, ts timestamptz NOT NULL, who text, org text, body text);
-- What is undone, worked on or lifted next.
CREATE FUNCTION some_merge() RETURNS bigint LANGUAGE sql AS 'SELECT merge_id FROM pql.identity WHERE undone_at IS NULL ORDER BY random() LIMIT 1';
CREATE FUNCTION some_flag() RETURNS bigint LANGUAGE sql AS 'SELECT flag_id FROM pql.flag WHERE lifted_at IS NULL ORDER BY random() LIMIT 1';
CREATE FUNCTION some_row(me text, states text[]) RETURNS bigint LANGUAGE sql AS
  'SELECT r.routing_id FROM pql.routing AS r WHERE (me IS NULL OR r.owner = me) AND r.state = ANY (states) AND r.snoozed_until IS NULL ORDER BY random() LIMIT 1';
CREATE FUNCTION other_version(points int, half_life text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('program', 'other', 'unit', 'account', 'qualify', jsonb_build_object('enter', 50, 'leave', 20), 'limits', jsonb_build_object('min_days_between_versions', 0),
    'signals', jsonb_build_object('work', jsonb_build_object('kind', 'intent', 'event', 'e2', 'half_life', half_life, 'points_each', points, 'max_points', 90))) $$;
});
	$node->safe_psql($db, q{
SET client_min_messages = warning;
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT count(*) FROM pql.attach('web', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT count(*) FROM pql.attach('late', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', mode => 'deferred');
SELECT count(*) FROM pql.attach_accounts('company', account_id => 'id');
SELECT count(*) FROM pql.attach_facts('deals', 'deal', account_id => 'org');
SELECT count(*) FROM pql.attach_conversations('message', user_id => 'who', body => 'body', occurred_at => 'ts', account_id => 'org');
INSERT INTO pql.reps (rep_id, capacity) SELECT 'r' || i, 20 FROM generate_series(0, 7) AS i;
INSERT INTO ev SELECT -i, now() - (i % 2000) * interval '7 minutes', 'u' || i % 120, 'a' || i % 40, 'e' || (i / 40) % 4, 1 FROM generate_series(1, 4000) AS i;});
	$node->safe_psql($db, "SET client_min_messages = warning; SELECT pql.publish(\$d\$$_\$d\$); CALL pql.backfill();") for @documents;
	$node->safe_psql($db, "SELECT pql.promote('$_')") for qw(grow person other);
	return;
}

# --- what clients do ------------------------------------------------------------------------------------------------------

my ($me, $ids);    # this client's number, and how many ids it has used
sub one_of { return $_[ rand @_ ] }
sub org    { return rand() < 0.05 ? 'NULL' : "'a" . (1 + int rand 40) . "'" }
sub user   { return "'u" . (1 + int rand 120) . "'" }
sub named  { return one_of("'e0'", "'e1'", "'e1'", "'e2'", "'e3'") }

# Mostly now; late, earlier than all, or in some seconds, so that it is held and comes due.
sub instant
{
	my $x = rand;
	return 'clock_timestamp()' if $x < 0.8;
	return sprintf "clock_timestamp() - interval '%d minutes'", rand 20000 if $x < 0.95;
	return sprintf "clock_timestamp() + interval '%d milliseconds'", rand 4000;
}
sub id { return $me * 1_000_000_000 + ++$ids }
sub rows { return join ', ', map { sprintf '(%d, %s, %s, %s, %s, 1)', id(), instant(), user(), org(), named() } 1 .. $_[0] }
sub few { return 'id > 0 AND id % 3 = 0 AND id % 101 = ' . int rand 101 }

# Each is what it is called, how often it is done, and the statement. Ids that are no multiple of 3 are never changed or deleted.
my %doing = (
	single => [ 300, sub { 'INSERT INTO ev VALUES ' . rows(1) } ],
	several => [ 120, sub { 'INSERT INTO ev VALUES ' . rows(2 + int rand 9) } ],
	crowd => [ 60, sub { sprintf "INSERT INTO ev VALUES (%d, clock_timestamp(), 'u%d', 'a1', 'e0', 1)", id(), 1 + rand 20 } ],
	partitioned => [ 60, sub { 'INSERT INTO web SELECT id, ts, who, org, name FROM (VALUES ' . rows(3) . ') AS v (id, ts, who, org, name, n)' } ],
	deferred => [ 60, sub { one_of('INSERT INTO late SELECT id, ts, who, org, name FROM (VALUES ' . rows(3) . ') AS v (id, ts, who, org, name, n)',
			'INSERT INTO late SELECT id, ts, who, org, name FROM (VALUES ' . rows(1) . ') AS v (id, ts, who, org, name, n)',
			'DELETE FROM late WHERE ' . few(), sprintf("UPDATE late SET org = %s WHERE %s", org(), few())) } ],
	fold => [ 6, sub { 'CALL pql.fold()' } ],
	copy => [ 20, sub { join "\n", 'COPY ev FROM stdin;', (map { join "\t", id(), 'now', eval(user()), 'a' . int(1 + rand 40), 'e1', 1 } 1 .. 20), '\.' } ],
	transaction => [ 30, sub { join '; ', one_of('BEGIN', 'BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'BEGIN ISOLATION LEVEL SERIALIZABLE'),
			'INSERT INTO ev VALUES ' . rows(2), 'INSERT INTO web VALUES ' . sprintf('(%d, %s, %s, %s, %s)', id(), instant(), user(), org(), named()),
			'INSERT INTO ev VALUES ' . rows(1), one_of('COMMIT', 'COMMIT', 'ROLLBACK') } ],
	savepoint => [ 20, sub { join '; ', 'BEGIN', 'INSERT INTO ev VALUES ' . rows(1), 'SAVEPOINT s', one_of('INSERT INTO ev VALUES ' . rows(2), 'DELETE FROM ev WHERE ' . few()),
			one_of('ROLLBACK TO s', 'RELEASE s'), 'INSERT INTO ev VALUES ' . rows(1), 'COMMIT' } ],
	update => [ 15, sub { sprintf 'UPDATE ev SET %s WHERE %s', one_of('org = ' . org(), 'who = ' . user(), 'name = ' . named(), 'ts = ts - interval \'1 hour\'', 'n = n + 1'), few() } ],
	delete => [ 10, sub { 'DELETE FROM ev WHERE ' . few() } ],
	upsert => [ 15, sub { sprintf "INSERT INTO ev VALUES (%d, clock_timestamp(), %s, %s, 'e1', 1) ON CONFLICT (id) DO UPDATE SET org = excluded.org, n = ev.n + 1", 3 * int(rand 50) + 3, user(), org() } ],
	record => [ 15, sub { sprintf 'SELECT pql.record_event(%s, %s, %s)', user(), named(), org() } ],
	milestone => [ 8, sub { sprintf q{SELECT pql.upsert_user_milestone(%s, 'start', clock_timestamp() - interval '%d hours')}, user(), rand 300 } ],
	message => [ 15, sub { sprintf q{INSERT INTO message VALUES (%d, clock_timestamp(), %s, %s, '%s')}, id(), user(), org(),
			one_of('we need SAML and a security review', 'what are your rate limits?', 'thank you', 'we compare three options') } ],
	company => [ 15, sub { sprintf "INSERT INTO company VALUES ('a%d', '%s', %d) ON CONFLICT (id) DO UPDATE SET plan = excluded.plan, seats = excluded.seats", 1 + rand 45, one_of('free', 'team', 'gone'), rand 20 } ],
	companies => [ 2, sub { sprintf 'UPDATE company SET seats = seats + 1 WHERE seats %% 5 = %d', rand 5 } ],
	deals => [ 8, sub { one_of(sprintf('INSERT INTO deal (org) VALUES (%s)', org()), sprintf('DELETE FROM deal WHERE id %% 7 = %d', rand 7)) } ],
	refresh => [ 2, sub { one_of('SELECT pql.refresh_attributes()', 'SELECT pql.refresh_facts()') } ],
	flag => [ 5, sub { one_of(sprintf("SELECT pql.flag_subject('grow', 'a%d', 'vip', 'a hunch')", 1 + rand 40), 'SELECT pql.lift_flag(some_flag())') } ],
	merge => [ 6, sub { one_of('SELECT pql.merge_users(' . user() . ', ' . user() . ')', sprintf("SELECT pql.merge_accounts('a%d', 'a%d')", 30 + rand 10, 1 + rand 40),
			sprintf("SELECT pql.move_user(%s, 'a%d')", user(), 1 + rand 40), 'SELECT pql.undo_merge(some_merge())', 'SELECT pql.undo_merge(some_merge())') } ],
	erase => [ 2, sub { my $x = id(); sprintf "INSERT INTO ev VALUES (%d, clock_timestamp(), 'x%d', %s, 'e1', 1); SELECT count(*) FROM %s", $x, $x, org(),
			one_of("pql.erase_user('x$x')", sprintf("pql.erase_account('a%d')", 39 + rand 2), sprintf("pql.erase_user('u%d')", 115 + rand 6)) } ],
	claim => [ 60, sub { sprintf "SELECT count(*) FROM pql.claim('r%d', %d)", $me % 8, 1 + rand 3 } ],
	accept => [ 30, sub { sprintf "SELECT count(*) FROM pql.accept(some_row('r%d', '{claimed}'))", $me % 8 } ],
	decline => [ 5, sub { sprintf "SELECT count(*) FROM pql.decline(some_row('r%d', '{claimed}'), 'not mine')", $me % 8 } ],
	touch => [ 30, sub { sprintf "SELECT count(*) FROM pql.touch(some_row('r%d', '{claimed,accepted,touched}'), 'phone')", $me % 8 } ],
	dispose => [ 30, sub { sprintf "SELECT count(*) FROM pql.dispose(some_row('r%d', '{claimed,accepted,touched}'), '%s')", $me % 8, one_of('contacted', 'meeting_set', 'converted', 'disqualified', 'no_response', 'nurture') } ],
	reassign => [ 5, sub { sprintf "SELECT count(*) FROM pql.reassign(some_row(NULL, '{ready,claimed,accepted}'), 'r%d', 'why not')", rand 8 } ],
	snooze => [ 5, sub { sprintf "SELECT count(*) FROM pql.snooze(some_row('r%d', '{claimed,accepted}'), clock_timestamp() + interval '1 second')", $me % 8 } ],
	outcome => [ 8, sub { sprintf "SELECT pql.record_outcome('a%d', '%s')", 1 + rand 40, one_of('paid', 'expanded', 'churned') } ],
	tick => [ 30, sub { 'SELECT count(*) FROM pql.tick()' } ],
	publish => [ 4, sub { sprintf "SELECT pql.publish(other_version(%d, '%s'))", 5 + rand 9, one_of('1 day', '2 days', sprintf('%d hours', 1 + rand 40)) } ],
	promote => [ 4, sub { one_of("SELECT pql.promote('other')", "SELECT pql.promote('other', 'best 3')", "SELECT pql.rollback('other')", "SELECT pql.retire('other')") } ],
	backfill => [ 5, sub { 'CALL pql.backfill()' } ],
	rebuild => [ 1, sub { 'CALL pql.rebuild()' } ],
	attach => [ 2, sub { one_of("SELECT pql.detach('late')", "SELECT count(*) FROM pql.attach('late', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id', mode => 'deferred')",
			"SELECT pql.detach('web')", "SELECT count(*) FROM pql.attach('web', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id')") } ],
	read => [ 20, sub { one_of("SELECT count(*) FROM pql.scoreboard('grow')", "SELECT count(*) FROM pql.explain('grow', 'a1')", 'SELECT count(*) FROM pql.inbox', "SELECT count(*) FROM pql.triage()",
			"SELECT count(pql.story(some_row(NULL, '{ready,claimed,disposed}')))") } ],
	# While history is being folded, what isn't folded is a difference.
	verify => [ 2, sub { q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT format('differs under load: %s', v) FROM pql.verify() AS v
			WHERE NOT EXISTS (SELECT FROM pql.backfill_job AS j WHERE j.finished_at IS NULL); COMMIT} } ]);

# start_clients(node, database, number, seconds, only...): each a psql that does at random what there is, or only what is named. What it says
# goes to a file: "ack ID" for each single event that was told to be there.
sub start_clients
{
	my ($node, $db, $number, $seconds, %o) = @_;
	my @names = $o{only} ? @{ $o{only} } : grep { my $n = $_; !grep { $_ eq $n } @{ $o{without} // [] } } sort keys %doing;
	my @clients;
	our $first //= 0;
	for my $n (1 .. $number)
	{
		my $number = ++$first;
		my $file = $node->basedir . "/client.$number";
		my $pid = fork // die $!;
		push(@clients, { pid => $pid, file => $file }), next if $pid;
		($me, $ids) = ($number, 0);
		srand($number + 1000 * ($o{seed} // 0));
		$SIG{PIPE} = 'IGNORE';
		open STDERR, '>>', $file or die $!;
		open my $log, '>>', $file or die $!;
		$log->autoflush(1);
		IPC::Open2::open2(my $said, my $psql, 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr($db), '-v', 'VERBOSITY=sqlstate', '-v', 'ON_ERROR_STOP=0', '-f', '-');
		$psql->autoflush(1);
		print $psql "SET client_min_messages = error; SET deadlock_timeout = '100ms';\n";
		my $until = time + $seconds;
		my $all = 0;
		$all += $doing{$_}[0] for @names;
		CLIENT: while (time < $until)
		{
			my $x = rand $all;
			my ($name) = grep { ($x -= $doing{$_}[0]) < 0 } @names;
			my $statement = $doing{$name}[1]->();
			$statement .= ';' unless $name eq 'copy';
			# What was acknowledged, and anything else that is worth keeping.
			my $ack = $name eq 'single' ? "\\if :ERROR\n\\else\n\\echo ack " . ($me * 1_000_000_000 + $ids) . "\n\\endif\n" : '';
			my $end = $statement =~ /^BEGIN/ ? "ROLLBACK;\n" : ''; # where it failed
			print $psql "$statement\n${ack}${end}\\echo done\n" or last;
			while (defined(my $line = <$said>))
			{
				next CLIENT if $line eq "done\n";
				print $log $line if $line =~ /^(ack|differs)/;
			}
			last; # the server is gone
		}
		close $psql;
		POSIX::_exit(0);
	}
	return @clients;
}

sub stop_clients
{
	waitpid $_->{pid}, 0 for @_;
	return;
}

# The ids of events that clients were told to be there.
sub acknowledged { return map { slurp_file($_->{file}) =~ /^ack (\d+)$/mg } @_ }

# settle(node, database): what is still to come has come: history is folded, and no event lies in the future.
sub settle
{
	my ($node, $db) = @_;
	$node->safe_psql($db, 'SELECT pg_sleep(greatest(0, extract(epoch FROM max(occurred_at) - clock_timestamp()))) FROM pql.held_event');
	$node->safe_psql($db, $_) for 'SET client_min_messages = error; CALL pql.backfill()', 'CALL pql.fold()', 'SELECT count(*) FROM pql.tick()';
	return;
}

# --- what must hold -------------------------------------------------------------------------------------------------------

my %never = (
	'an account is worked twice' => q{SELECT coalesce(account_id, home) FROM pql.routing WHERE state IN ('claimed', 'accepted', 'touched') AND snoozed_until IS NULL
    GROUP BY coalesce(account_id, home) HAVING count(*) > 1},
	'a step does not follow the one before' => q{SELECT routing_id FROM (
    SELECT routing_id, from_state, lag(to_state) OVER (PARTITION BY routing_id ORDER BY transition_id) AS before FROM pql.routing_transition) AS t
    WHERE from_state <> before OR before IS NULL AND from_state NOT IN ('pending', 'blocked', 'suppressed')},
	# A row is written pending, or blocked where something blocks it from the first, or suppressed: that is no step.
	'steps lead to another state than there is' => q{SELECT routing_id FROM pql.routing AS r WHERE r.state <> coalesce(
    (SELECT t.to_state FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id ORDER BY t.transition_id DESC LIMIT 1),
    CASE WHEN r.state_since = r.decided_at THEN CASE WHEN r.holdout THEN 'suppressed' WHEN r.blocked_by IS NOT NULL THEN 'blocked' ELSE 'pending' END END,
    'a step is missing')},
	'a disposition is there twice, or without its row' => q{SELECT r.routing_id FROM pql.routing AS r WHERE (r.state = 'disposed') <> EXISTS (
      SELECT FROM pql.disposition AS d WHERE d.home = r.home AND d.routing_id = r.routing_id AND d.disposition = r.disposition)
    UNION ALL SELECT routing_id FROM pql.disposition GROUP BY routing_id HAVING count(*) > 1},
	'a promise is broken twice' => q{SELECT routing_id FROM pql.routing_transition WHERE reason = 'sla' GROUP BY routing_id HAVING count(*) > 1},
	'an episode has several first rows' => q{SELECT episode FROM pql.routing WHERE follows IS NULL GROUP BY home, episode HAVING count(*) > 1},
	'a row has no episode' => q{SELECT routing_id FROM pql.routing AS r WHERE NOT EXISTS (SELECT FROM pql.episode AS e WHERE (e.home, e.episode_id) = (r.home, r.episode))},
	'a subject has several open episodes' => q{SELECT program, subject_id FROM pql.episode WHERE left_at IS NULL GROUP BY program, subject_id HAVING count(*) > 1},
	'points do not add up' => q{SELECT routing_id FROM pql.routing WHERE score <> (SELECT coalesce(sum((x->>'points')::int), 0) FROM jsonb_array_elements(reasons) AS x)},
	'a rep has more than he may' => q{SELECT rep_id, l.open FROM pql.rep_load AS l JOIN pql.reps AS p USING (rep_id) WHERE l.open > p.capacity},
	'verify finds a difference' => q{SELECT v FROM pql.verify() AS v});

# mixed_is_right(node, database, when): every invariant, each a test.
sub mixed_is_right
{
	my ($node, $db, $when) = @_;
	for (sort keys %never)
	{
		my $found = $node->safe_psql($db, "$never{$_} LIMIT 20");
		is($found, '', "$when: never that $_") or tell_steps($node, $db, $found);
	}
	return;
}

# tell_steps(node, database, found): the rows that were found by their ids, and what became of them step by step.
sub tell_steps
{
	my ($node, $db, $found) = @_;
	my $rows = join(',', $found =~ /^(\d+)$/mg) or return;
	diag($node->safe_psql($db, qq{
SELECT 'row', r.routing_id, r.home, r.subject_id, r.state, r.state_since, r.blocked_by, r.follows, r.owner FROM pql.routing AS r
WHERE r.routing_id IN ($rows);
SELECT 'step', t.routing_id, t.home, t.transition_id, t.at, t.from_state, t.to_state, t.actor, t.reason, t.rep, t.written_in FROM pql.routing_transition AS t
WHERE t.routing_id IN ($rows) ORDER BY t.routing_id, t.transition_id}));
	return;
}

# Refusals that are right: what a client wanted has become impossible, or never was possible.
my @refusals = (
	qr/40001/, qr/40P01/,
	qr/55000: .*(is not (live|built yet)|is retired|was not live before|is live already|was erased|can't be (undone|disposed|touched|snoozed|accepted|declined|reassigned|merged|moved)|another isolation)/,
	qr/25P02/, qr/22004: .*must not be null/, # after an error in a transaction; where there was nothing to be chosen
	qr/42710: .* already/, qr/42704: (table .* is not attached|program .* (is not in force|does not exist))/,
	qr/22023: .*(merge|itself|erased|moved)/, qr/22023: routing row \d+ does not exist/, # it was erased since it was chosen
	qr/3B001/);

# unexpected_errors(node, offset): what the server's log has since then that nobody should be told, and how often retryable errors came.
sub unexpected_errors
{
	my ($node, $offset) = @_;
	my $log = slurp_file($node->logfile, $offset // 0);
	my (%count, @bad);
	while ($log =~ /^([^\n]*?(?:ERROR|FATAL|PANIC|TRAP):  ([^\n]*).*?)(?=^\d{4}-\d\d-\d\d )/msg)
	{
		my ($entry, $message) = ($1, $2);
		my ($state) = $message =~ /^(\w{5}):/;
		$count{ $state // '?' }++;
		push @bad, $entry unless grep { $message =~ $_ } @refusals;
	}
	note(join ', ', map { "$_: $count{$_}" } sort keys %count);
	return @bad;
}

1;
