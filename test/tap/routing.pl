# Writers whose events qualify accounts, reps who work on them, and two ticks, all at once: no account is worked twice, no routing row is
# lost on its way, nobody waits in a circle.
# covers: S1-4, S2-25
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{PQL_STORM_SECONDS} || 10;
my $reps = $ENV{PQL_STORM_REPS} || 8;
my $node = PostgreSQL::Test::Cluster->new('routing');
$node->init;
$node->append_conf('postgresql.conf', "deadlock_timeout = '100ms'\nsynchronous_commit = off\nlog_error_verbosity = verbose");
$node->start;
$node->safe_psql('postgres', q{
CREATE EXTENSION pql;
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL, user_id text, org text, name text);
CREATE INDEX ON ev (org, ts);
CREATE INDEX ON ev (user_id, ts);
SELECT pql.attach('ev', user_id => 'user_id', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT pql.publish(jsonb_build_object('program', p.name, 'unit', p.unit, 'qualify', jsonb_build_object('enter', 10, 'leave', 6), 'signals',
    jsonb_build_object('wants', jsonb_build_object('kind', 'intent', 'event', p.name, 'half_life', p.half_life, 'max_points', 10)),
    'motions', jsonb_build_array(jsonb_build_object('otherwise', true, 'motion', 'inside_sales', 'after', '0', 'by', p.by)))), pql.promote(p.name)
FROM (VALUES ('buy', 'account', '7 days', '1 second'), ('grow', 'account', '1 second', '1 day'), ('person', 'user', '7 days', '2 seconds')) AS p(name, unit, half_life, by);
-- What a rep does next with one of his rows, or with somebody else's. What is gone meanwhile is not an error of anybody's.
CREATE FUNCTION act(me text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r pql.routing;
BEGIN
  SELECT * INTO r FROM pql.routing AS x WHERE x.owner = me AND x.state IN ('claimed', 'accepted', 'touched') AND x.snoozed_until IS NULL ORDER BY random() LIMIT 1;
  IF NOT FOUND THEN
    RETURN 'idle';
  END IF;
  CASE
    WHEN r.state = 'touched' THEN PERFORM pql.dispose(r.routing_id, (ARRAY['contacted', 'meeting_set', 'converted'])[1 + floor(random() * 3)::int]);
    WHEN random() < 0.1 THEN PERFORM pql.snooze(r.routing_id, clock_timestamp() + interval '1 second');
    WHEN random() < 0.1 THEN PERFORM pql.reassign(r.routing_id, 'r' || floor(random() * 8)::int, 'why not');
    WHEN r.state = 'accepted' THEN PERFORM pql.touch(r.routing_id, 'phone');
    WHEN random() < 0.2 THEN PERFORM pql.decline(r.routing_id, 'not mine');
    ELSE PERFORM pql.accept(r.routing_id);
  END CASE;
  RETURN r.state;
EXCEPTION WHEN object_not_in_prerequisite_state THEN
  RETURN 'gone';
END $$;
});

sub script
{
	my ($name, $text) = @_;
	append_to_file($node->basedir . "/$name.sql", $text);
	return $node->basedir . "/$name.sql";
}

my %clients = (
	writers => [ 16, script('writers', q{
\set o random(1, 1000)
\set u random(1, 1000)
\set e random(1, 3)
INSERT INTO ev (ts, user_id, org, name) SELECT clock_timestamp(), 'u' || :u, 'o' || (:o + i) % 1000, (ARRAY['buy', 'grow', 'person'])[:e] FROM generate_series(1, 3) AS i;
\sleep 20 ms
}) ],
	reps => [ $reps, script('reps', q{
\set n random(1, 3)
SELECT count(*) FROM pql.claim('r' || :client_id, :n);
SELECT act('r' || :client_id);
SELECT act('r' || :client_id);
}) ],
	ticks => [ 2, script('ticks', q{
SELECT * FROM pql.tick();
\sleep 50 ms
}) ]);
my (%run, %out, %err);
for my $name (sort keys %clients)
{
	my ($n, $file) = @{ $clients{$name} };
	$out{$name} = $err{$name} = '';
	$run{$name} = IPC::Run::start([ 'pgbench', '-n', '-c', $n, '-j', '1', '-T', $seconds, '-f', $file, '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$out{$name}, '2>', \$err{$name});
}
$run{$_}->finish for sort keys %run;
for my $name (sort keys %clients)
{
	unlike($err{$name}, qr/aborted|error/i, "$name: nothing failed") or diag($err{$name});
	my ($n) = $out{$name} =~ /number of transactions actually processed: (\d+)/;
	cmp_ok($n // 0, '>', 10, "$name: transactions") or diag($out{$name});
	note("$name: $n transactions");
}
unlike(slurp_file($node->logfile), qr/deadlock|\b40P01\b/, 'nobody waited in a circle');
note($node->safe_psql('postgres', 'SELECT state, count(*) FROM pql.routing GROUP BY 1 ORDER BY 1'));
note($node->safe_psql('postgres', 'SELECT from_state, to_state, count(*) FROM pql.routing_history GROUP BY 1, 2 ORDER BY 1, 2'));

my %never = (
	'no account is worked twice' => q{SELECT 1 FROM pql.routing WHERE state IN ('claimed', 'accepted', 'touched') AND snoozed_until IS NULL
    GROUP BY account_id, CASE WHEN account_id IS NULL THEN home END HAVING count(*) > 1},
	# who claims begins, who takes the row out of his hands ends; whoever snoozes has ended before
	'nor was one' => q{SELECT 1 FROM (
    SELECT sum(CASE WHEN t.to_state = 'claimed' AND t.from_state = 'ready' THEN 1
        WHEN t.reason LIKE 'snoozed%' AND t.to_state = t.from_state AND t.to_state <> 'pending' THEN -1
        WHEN t.reason = 'snoozed until then' THEN 0
        WHEN t.from_state IN ('claimed', 'accepted', 'touched') AND t.to_state NOT IN ('claimed', 'accepted', 'touched') THEN -1 ELSE 0 END)
      OVER (PARTITION BY coalesce('a:' || r.account_id, r.home) ORDER BY t.transition_id) AS open
    FROM pql.routing_transition AS t JOIN pql.routing AS r USING (home, routing_id)) AS x WHERE x.open NOT IN (0, 1)},
	'every step follows the one before' => q{SELECT 1 FROM (
    SELECT from_state, lag(to_state, 1, 'pending') OVER (PARTITION BY routing_id ORDER BY transition_id) AS before FROM pql.routing_transition) AS t WHERE from_state <> before},
	'and leads to the state that there is' => q{SELECT 1 FROM pql.routing AS r WHERE r.state <> coalesce(
    (SELECT t.to_state FROM pql.routing_transition AS t WHERE t.home = r.home AND t.routing_id = r.routing_id ORDER BY t.transition_id DESC LIMIT 1), 'pending')},
	'no step goes back in time' => q{SELECT 1 FROM pql.routing_history WHERE after < '0'},
	'every episode has its row' => q{SELECT 1 FROM pql.episode AS e FULL JOIN pql.routing AS r ON (r.home, r.episode) = (e.home, e.episode_id)
    WHERE e.episode_id IS NULL OR r.episode IS NULL OR r.state NOT IN ('disposed', 'expired') AND EXISTS (
      SELECT FROM pql.routing AS x WHERE (x.home, x.episode) = (r.home, r.episode) AND x.routing_id <> r.routing_id AND x.state NOT IN ('disposed', 'expired'))},
	'every disposition was said, and once' => q{SELECT 1 FROM pql.routing AS r WHERE (r.state = 'disposed') <> EXISTS (SELECT FROM pql.disposition AS d WHERE d.home = r.home AND d.routing_id = r.routing_id AND d.disposition = r.disposition)
    UNION ALL SELECT 1 FROM pql.disposition GROUP BY routing_id HAVING count(*) > 1},
	'every promise that was broken is noted, once' => q{SELECT 1 FROM pql.routing_transition WHERE reason = 'sla' GROUP BY routing_id HAVING count(*) > 1});
is($node->safe_psql('postgres', "$never{$_} LIMIT 1"), '', $_) for sort keys %never;
cmp_ok($node->safe_psql('postgres', "SELECT count(DISTINCT to_state) FROM pql.routing_transition"), '>=', 8, 'and much has happened');
my $later = $node->safe_psql('postgres', "SELECT now() + interval '1 hour'");
# What one tick ends lets others of the account begin, and people enter and leave: each next one has less to do, and soon none has.
my $done = sub { $node->safe_psql('postgres', "SELECT ready, expired, breached, returned FROM pql.tick('$later')") };
my @ticks = ($done->());
push @ticks, $done->() while $ticks[-1] ne '0|0|0|0' && @ticks < 20; # a row that ends may free others
is($ticks[-1], '0|0|0|0', 'ticks come to an end') or diag(join "\n", @ticks);
note("ticks: @ticks");
$node->stop;
done_testing();
