# The wall between C++ and PostgreSQL: whatever goes wrong on one side arrives on the other as what it was, and nothing is
# leaked, held or left behind. The errors are those of src/fn/inject.cpp; PQL_INJECTED is where the library with them lies.
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $directory = $ENV{PQL_INJECTED} or die "PQL_INJECTED isn't set: run scripts/test tap";
my $library = "$directory/pql.so";
my $node = PostgreSQL::Test::Cluster->new('boundary');
$node->init;
# The extension, too, is that of the injected library: one process can't have two of them.
$node->append_conf('postgresql.conf', "dynamic_library_path = '$directory:\$libdir'\nautovacuum = off\nmax_connections = 10\njit = off");
$node->start;
prepare($node, 'postgres');
my $postmaster = slurp_file($node->data_dir . '/postmaster.pid');

$node->safe_psql(
	'postgres', qq{
CREATE SCHEMA inject;
CREATE FUNCTION inject.walk(path text) RETURNS text STRICT LANGUAGE c AS '$library', 'pql_inject_walk';
CREATE FUNCTION inject.left() RETURNS text LANGUAGE c AS '$library', 'pql_inject_left';
CREATE FUNCTION inject.heap() RETURNS bigint LANGUAGE c AS '$library', 'pql_inject_heap';
CREATE FUNCTION inject.limit_memory(bytes bigint) RETURNS void STRICT LANGUAGE c AS '$library', 'pql_inject_limit_memory';
CREATE FUNCTION inject.fail_allocation(n bigint) RETURNS bigint STRICT LANGUAGE c AS '$library', 'pql_inject_fail_allocation';
CREATE TABLE inject.trace (i int);
CREATE TABLE inject.held (i int);
INSERT INTO inject.held VALUES (1);

-- What each failure is, wherever it is seen. Of a context, a part.
CREATE TABLE inject.failure (name text PRIMARY KEY, state text, message text, detail text DEFAULT '', hint text DEFAULT '',
                             context text DEFAULT '', constraint_name text DEFAULT '', table_name text DEFAULT '');
INSERT INTO inject.failure VALUES
  ('raise', '23514', 'injected error', 'Injected detail.', 'Injected hint.', 'injected context', 'injected_constraint', 'injected_table');
INSERT INTO inject.failure (name, state, message, detail, hint) VALUES
  ('fail', '21000', 'injected failure', 'Injected detail.', 'Injected hint.'),
  ('out_of_try', '21000', 'injected failure', 'Injected detail.', 'Injected hint.'),
  ('out_of_context', '21000', 'injected failure', 'Injected detail.', 'Injected hint.'),
  ('out_of_call', '21000', 'injected failure', 'Injected detail.', 'Injected hint.'),
  ('held_fail', '21000', 'injected failure', 'Injected detail.', 'Injected hint.'),
  ('palloc_huge', '53200', 'out of memory', 'Failed on request of size 4611686018427387904 in memory context "%".', '');
INSERT INTO inject.failure (name, state, message) VALUES
  ('exception', 'XX000', 'injected exception'),
  ('long_exception', 'XX000', repeat('\xC3\xA4', 255)),
  ('unknown', 'XX000', 'unrecognised C++ exception'),
  ('bad_alloc', '53200', 'out of memory'),
  ('new', '53200', 'out of memory'),
  ('palloc', 'XX000', 'invalid memory alloc request size 1073741824'),
  ('arena', '53200', 'out of memory'),
  ('context', '53200', 'out of memory'),
  ('context_huge', '53200', 'out of memory'),
  ('context_aligned', '53200', 'out of memory'),
  ('uncopied', '53200', 'out of memory'),
  ('held_raise', '23514', 'injected error'),
  ('planning', '42P01', 'relation "pg_catalog.nothing_there" does not exist'),
  ('running', '22012', 'division by zero'),
  ('cancel', '57014', 'canceling statement due to user request'),
  ('cancel_query', '57014', 'canceling statement due to user request');

CREATE ROLE tester;
GRANT USAGE ON SCHEMA inject TO tester;
GRANT SELECT ON ALL TABLES IN SCHEMA inject TO tester;
GRANT pg_read_all_stats TO tester;

-- Walks, and says what isn't as it should be; '' when all is.
CREATE FUNCTION inject.wrong(path text) RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE
  f inject.failure;
  forgiven boolean;
  answer text; state text; message text; detail text; hint text; context text; con text; tab text;
  found text := '';
BEGIN
  SELECT * INTO f FROM inject.failure AS x WHERE x.name = regexp_replace(path, '.*/', '');
  forgiven := path LIKE '%forgive/%' OR path LIKE '%choose/%' AND f.state = '23514';
  BEGIN
    answer := inject.walk(path);
  EXCEPTION WHEN query_canceled OR OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
      hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT, con = CONSTRAINT_NAME, tab = TABLE_NAME;
  END;
  IF forgiven THEN
    IF answer IS DISTINCT FROM 'forgiven' THEN found := format('not forgiven: %s %s; ', state, message); END IF;
  ELSIF answer IS NOT NULL THEN
    found := format('answer %s; ', answer);
  ELSE
    IF state <> f.state THEN found := found || format('SQLSTATE %s; ', state); END IF;
    IF message <> f.message THEN found := found || format('message %s; ', message); END IF;
    IF detail NOT LIKE f.detail THEN found := found || format('detail %s; ', detail); END IF;
    IF hint <> f.hint THEN found := found || format('hint %s; ', hint); END IF;
    IF strpos(context, f.context) = 0 OR context LIKE '%stale%' THEN found := found || format('context %s; ', context); END IF;
    IF con <> f.constraint_name OR tab <> f.table_name THEN found := found || format('names %s %s; ', con, tab); END IF;
  END IF;
  found := found || inject.left();
  IF current_user <> session_user THEN found := found || format('user %s; ', current_user); END IF;
  IF current_setting('search_path') <> 'public, inject' THEN found := found || 'search_path; '; END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE l.pid = pg_backend_pid() AND l.relation = 'inject.held'::regclass
               AND l.mode = 'ShareRowExclusiveLock') THEN found := found || 'a lock; '; END IF;
  RETURN CASE WHEN found <> '' THEN path || ': ' || found ELSE '' END;
END \$\$;

-- Runs a statement again and again, each time a later allocation of C++ fails, until none does. How often was that? A procedure,
-- because what a statement leaves to its end is to be done within.
CREATE PROCEDURE inject.starve(statement text, INOUT times int = 0) LANGUAGE plpgsql AS \$\$
DECLARE n int := 0;
BEGIN
  LOOP
    n := n + 1 + n / 100;
    BEGIN
      PERFORM inject.fail_allocation(n);
      EXECUTE statement;
      IF inject.fail_allocation(0) = 0 THEN RAISE 'allocation % failed unnoticed', n; END IF;
      RETURN;
    EXCEPTION WHEN out_of_memory THEN times := times + 1;
    END;
  END LOOP;
END \$\$;

-- All ways of so many layers, but for cancels where interrupts are held off, and what an entry puts back where there is none.
CREATE FUNCTION inject.paths(layers int) RETURNS SETOF text LANGUAGE sql AS \$\$
  WITH RECURSIVE way AS (
    SELECT 0 AS n, '' AS layers
    UNION ALL
    SELECT n + 1, way.layers || l || '/' FROM way, unnest('{call,try,spi,scratch,hold,guard,forgive,choose}'::text[]) AS l WHERE n < \$1)
  SELECT way.layers || f.name FROM way, inject.failure AS f
  WHERE n = \$1 AND NOT (f.state = '57014' AND way.layers LIKE '%hold%')
    AND NOT (f.name IN ('out_of_try', 'out_of_context') AND way.layers LIKE '%hold/') \$\$;
});

# The session of somebody who has no rights, so that those of the owner, left behind, would be seen.
my $session = "SET SESSION AUTHORIZATION tester; SET search_path = public, inject;\n";

sub answer
{
	my ($sql, %o) = @_;
	my ($out, $err) = ('', '');
	my $status = $node->psql('postgres', $session . $sql, stdout => \$out, stderr => \$err, on_error_stop => 0, %o);
	return wantarray ? ($out, $err, $status) : $out;
}

# --- every failure through every way ------------------------------------------------------------------------------------------

is(answer(q{BEGIN; SELECT inject.walk('call/try/spi/scratch/hold/guard/choose/ok'), inject.left(); SELECT count(*) FROM inject.trace}),
	"done|\n2", 'without a failure, the way is open, and what was done in subtransactions stays');
for my $layers (0 .. 3)
{
	is(answer(qq{SELECT count(*) > 20, left(string_agg(w, E'\\n') FILTER (WHERE w <> ''), 1000)
		FROM (SELECT inject.wrong(p) AS w FROM inject.paths($layers) AS p) AS x}),
		't|', "through $layers layers: every failure arrives as what it is, and nothing is left");
}
is(answer(q{SELECT inject.wrong('call/spi/scratch/guard/spi/hold/try/guard/scratch/spi/call/raise') || 'nothing'}),
	'nothing', 'through a long way');
is(answer(q{SELECT inject.wrong('hold/cancel'), inject.wrong('spi/hold/spi/cancel')}), '|', 'a cancel waits until it may come');

# --- statements of their own: the error ends the transaction, and the next begins anew ------------------------------------------

for my $path (qw(raise fail bad_alloc unknown out_of_try held_raise held_fail),
	map { ("guard/$_", "spi/guard/call/$_") } qw(raise fail bad_alloc))
{
	my ($out) = answer(
		qq{SELECT inject.walk('$path');
		SELECT inject.left(), current_user, pg_current_xact_id_if_assigned(), count(*) FROM pg_locks WHERE relation = 'inject.held'::regclass});
	is($out, '|tester||0', "$path in a statement of its own");
	($out) = answer(
		qq{BEGIN; SAVEPOINT s; SELECT inject.walk('$path'); ROLLBACK TO s;
		SELECT inject.left(), current_user, count(*) FROM pg_locks WHERE relation = 'inject.held'::regclass AND mode LIKE 'Share%'; COMMIT});
	is($out, '|tester|0', "$path after a savepoint");
}
like((answer("\\set VERBOSITY verbose\nSELECT inject.walk('call/planning')"))[1],
	qr/ERROR:  42P01: .*\nLINE 1: SELECT FROM pg_catalog\.nothing_there\n\s+\^\nQUERY:  SELECT FROM pg_catalog\.nothing_there/,
	'an error in a query of ours shows the query and the place');
is(answer(q{
	DO $$ BEGIN PERFORM inject.walk('call/spi/running'); EXCEPTION WHEN division_by_zero THEN SET inject.first = 'division'; END $$;
	DO $$ BEGIN PERFORM inject.walk('guard/spi/raise'); EXCEPTION WHEN check_violation THEN SET inject.second = 'check'; END $$;
	SELECT current_setting('inject.first'), current_setting('inject.second'), inject.left()}),
	'division|check|', 'PL/pgSQL catches by condition');
for my $path ('loop', 'call/spi/loop', 'sleep', 'guard/sleep', 'choose/try/sleep')
{
	my ($out, $err) = answer("SET statement_timeout = 50;\n\\set VERBOSITY verbose\nSELECT inject.walk('$path');
		RESET statement_timeout; SELECT inject.left() || 'still here'");
	like($err, qr/\A[^\n]*ERROR:  57014: canceling statement due to statement timeout/, "$path is ended by a timeout");
	is($out, 'still here', 'and nothing else is');
}
like((answer(q{SELECT inject.walk('spi/terminate')}))[1],
	qr/FATAL:  terminating connection due to administrator command/, 'a termination ends it');

# --- nothing grows ------------------------------------------------------------------------------------------------------------

my $many = q{DO $$ BEGIN FOR i IN 1 .. %d LOOP BEGIN
  PERFORM inject.walk((ARRAY['raise', 'fail', 'unknown', 'spi/running', 'call/scratch/raise', 'guard/bad_alloc', 'scratch/spi/arena',
    'spi/forgive/call/raise', 'hold/guard/held_raise', 'call/out_of_call'])[i %% 10 + 1]);
  EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $$;};
my $size = 'SELECT count(*), sum(used_bytes) FROM pg_backend_memory_contexts; SELECT inject.heap();';
my ($sizes, $err) = answer(join "\n", map({ sprintf($many, $_) . $size } 2000, 2000, 10000), 'SELECT inject.left()');
my (undef, undef, undef, $contexts, $bytes, $heap, $contexts_after, $bytes_after, $heap_after, $left) =
  $sizes =~ /\A(\d+)\|(\d+)\n(\d+)\n(\d+)\|(\d+)\n(\d+)\n(\d+)\|(\d+)\n(\d+)\n(.*)\z/
  or BAIL_OUT("no sizes: $sizes $err");
is($contexts_after, $contexts, '10,000 failures leave no memory context');
cmp_ok($bytes_after - $bytes, '<', 16384, 'nor memory in one');
cmp_ok($heap_after - $heap, '<', 16384, 'nor memory of C++');
is($left, '', 'nor anything else');

# --- the extension itself, in too little memory -------------------------------------------------------------------------------------

my $rows = q{SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 3000, 'o' || i % 400, 'e' || (i / 40) % 4};
$node->safe_psql('postgres', "INSERT INTO ev $rows FROM generate_series(1, 2000) AS i");
for my $statement ("INSERT INTO ev $rows FROM generate_series(2001, 2200) AS i", q{UPDATE ev SET org = org || 'x' WHERE id % 100 = 0},
	'DELETE FROM ev WHERE id % 100 = 1', q{SELECT count(*) FROM pql.scoreboard('p')}, 'SELECT count(*) FROM pql.verify()',
	q{SELECT count(*) FROM pql.explain('p', 'o1')}, 'SELECT count(*) FROM pql.tick()', q{SELECT pql.move_user('u1', 'o2')}, q{SELECT count(*) FROM pql.erase_user('u2')})
{
	my ($out, $error) = ('', '');
	$node->psql('postgres', "CALL inject.starve('" . $statement =~ s/'/''/gr . "'); SELECT inject.left(), 'still here'",
		stdout => \$out, stderr => \$error, on_error_stop => 0);
	like($out, qr/\A\d{2,}\n\|still here\z/, "whichever allocation of C++ fails: " . substr($statement, 0, 40));
	is($error, '', 'it is caught as out of memory');
	is(verified($node, 'postgres'), '', 'and the state is what the events say');
}

my ($n, $alive, $contexts_full, $heap_full, $strange) = (0, 0, 0, 0, '');
for my $statement ("INSERT INTO ev $rows FROM generate_series(10001, 40000) AS i", q{UPDATE ev SET org = org || 'x'},
	q{SELECT count(*) FROM pql.scoreboard('p')}, 'SELECT count(*) FROM pql.verify()')
{
	for my $kb (0, 200, 500, 1000, 2000, 4000, 8000, 16000)
	{
		my ($out, $error) = ('', '');
		$node->psql('postgres', "LOAD 'plpgsql';\n\\set VERBOSITY verbose\n"
			. "BEGIN; SELECT inject.limit_memory($kb * 1024);\n$statement;\nROLLBACK;\nSELECT inject.left(); SELECT 'still here';",
			stdout => \$out, stderr => \$error, on_error_stop => 0);
		$n++;
		$alive += $out =~ /^\n?still here\z/m;
		$contexts_full += $error =~ /ERROR:  53200: out of memory\n.*in memory context/s;
		$heap_full += $error =~ /ERROR:  53200: out of memory\n(?!.*in memory context)/s;
		$strange .= "$kb kB: $error" if $error =~ s/(ERROR:  53200:)//r =~ /(ERROR|FATAL|PANIC|WARNING):/;
	}
}
is($alive, $n, "$n statements in too little memory leave the session alive");
is($strange, '', 'each ends well, or as out of memory');
cmp_ok($contexts_full, '>', 2, 'some end in PostgreSQL');
cmp_ok($heap_full, '>', 0, 'some in C++');
is(verified($node, 'postgres'), '', 'and the state is what the events say');

# --- what the server saw --------------------------------------------------------------------------------------------------------

is(slurp_file($node->data_dir . '/postmaster.pid'), $postmaster, 'the server has not restarted');
$node->stop;
my $log = slurp_file($node->logfile);
is(join("\n", $log =~ /^.*(?:WARNING|PANIC|TRAP|terminated by signal|reinitializing).*$/mg), '', 'the server warns of nothing');
done_testing();
