# A hot standby: every function and every view of the catalogue, with arguments that mean something. What reads answers as the primary does;
# what writes says so (25006), and nothing else fails there.
# covers: S3-12
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Pql;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
prepare($primary, 'postgres');
$primary->safe_psql('postgres', q{
  INSERT INTO ev SELECT i, timestamptz '2026-01-01' + i * interval '1 minute', 'u' || i % 300, 'o' || i % 40, 'e' || (i / 40) % 4 FROM generate_series(1, 5000) AS i;
  SELECT count(*) FROM pql.tick(); SELECT pql.set_mode('ev', 'deferred');
  INSERT INTO ev VALUES (9000, '2026-01-05', 'waits', 'o1', 'e1');
  CREATE TABLE relation (id text PRIMARY KEY, plan text)});

# Calls each function with an argument for each parameter, by its name or else its type; of a set, counts the rows. The answer is the
# SQLSTATE, or a digest of what it returned. plpgsql, so that one connection does it all.
$primary->safe_psql('postgres', <<'SQL');
CREATE FUNCTION sample(name text, type regtype) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN name IN ('program', 'name') THEN quote_literal('p') WHEN name IN ('subject', 'subject_id', 'account_id', 'account') THEN quote_literal('o1')
    WHEN name IN ('user_id', 'old_id') THEN quote_literal('u1') WHEN name = 'new_id' THEN quote_literal('u2') WHEN name = 'routing_id' THEN '(SELECT min(routing_id) FROM pql.routing)'
    WHEN name IN ('document', 'program_document') OR type = 'jsonb'::regtype THEN '(SELECT document FROM pql.program LIMIT 1)'
    WHEN type = 'timestamptz'::regtype THEN quote_literal('2026-01-04') || '::timestamptz' WHEN type = 'timestamp'::regtype THEN quote_literal('2026-01-04') || '::timestamp'
    WHEN type = 'regclass'::regtype THEN quote_literal('ev') || '::regclass' WHEN type = 'text'::regtype THEN quote_literal('o1')
    WHEN type = 'interval'::regtype THEN quote_literal('1 day') || '::interval' WHEN type IN ('int'::regtype, 'bigint'::regtype, 'smallint'::regtype, 'float8'::regtype, 'numeric'::regtype) THEN '1::' || type
    WHEN type = 'boolean'::regtype THEN 'true' WHEN type = 'text[]'::regtype THEN quote_literal('{o1}') || '::text[]'
    ELSE 'NULL::' || CASE type::text WHEN 'anyelement' THEN 'text' WHEN 'anyarray' THEN 'text[]' WHEN 'internal' THEN 'int' ELSE type::text END END
$$;
CREATE FUNCTION answers() RETURNS TABLE (object text, answer text) LANGUAGE plpgsql AS $$
DECLARE
  f record;
  query text;
BEGIN
  FOR f IN
    SELECT p.oid::regprocedure::text AS name, format('SELECT md5(coalesce(string_agg(x::text, %L ORDER BY x::text COLLATE "C"), %L)) FROM pql.%I(%s) AS x', ',', '', p.proname,
        (SELECT coalesce(string_agg(sample(p.proargnames[n], p.proargtypes[n - 1]::regtype), ', ' ORDER BY n), '') FROM generate_series(1, p.pronargs) AS n)) AS query
    FROM pg_proc AS p WHERE p.pronamespace = 'pql'::regnamespace AND p.prokind = 'f' AND p.prorettype <> ALL (ARRAY['trigger', 'internal']::regtype[])
      AND p.proname !~ '^_' AND p.proname !~ '_(in|out|send|recv)$' AND NOT 'internal'::regtype = ANY (p.proargtypes)
    UNION ALL
    SELECT c.oid::regclass::text, format('SELECT md5(coalesce(string_agg(x::text, %L ORDER BY x::text COLLATE "C"), %L)) FROM %s AS x', ',', '', c.oid::regclass)
    FROM pg_class AS c WHERE c.relnamespace = 'pql'::regnamespace AND c.relkind IN ('v', 'r') ORDER BY 1
  LOOP
    object := f.name;
    BEGIN
      EXECUTE f.query INTO answer;
    EXCEPTION WHEN OTHERS THEN
      answer := SQLSTATE || CASE WHEN SQLSTATE = '25006' THEN '' ELSE ' ' || SQLERRM END;
    END;
    RETURN NEXT;
  END LOOP;
END $$;
SQL
$primary->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'b', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

# On the primary nothing of it stays.
my %there = map { split /\t/, $_, 2 } split /\n/, $standby->safe_psql('postgres', q{SET client_min_messages = error; SELECT object || E'\t' || answer FROM answers()});
my %here;
my ($status, $out, $err) = $primary->psql('postgres', q{SET client_min_messages = error; BEGIN READ ONLY; SELECT object || E'\t' || answer FROM answers(); ROLLBACK});
%here = map { split /\t/, $_, 2 } split /\n/, $out;
cmp_ok(scalar(keys %there), '>', 200, 'functions and views are tried');
my @writes = sort grep { $there{$_} =~ /^25006/ } keys %there;
my @others = sort grep { $there{$_} =~ /^(?!25006)[0-9A-Z]{5} / && $here{$_} !~ /^[0-9A-Z]{5}( |$)/ } keys %there;
is(join("\n", map { "$_: $there{$_}" } @others), '', 'nothing fails there that works here');
# What tells the time, or of the server itself.
my %differs = map { $_ => 1 } ('pql.fold_lag', 'pql.worker', 'pql.inbox', 'pql.health', 'pql.stats', 'pql.metrics', 'pql.metrics_text()');
my @different = grep { $there{$_} !~ /^[0-9A-Z]{5}( |$)/ && $here{$_} ne $there{$_} && !$differs{$_} } sort keys %there;
is(join("\n", map { "$_: $there{$_} and not $here{$_}" } @different), '', 'and all that reads answers the same');
note "needs the primary: $_" for @writes;
# Whatever reads, by what people call it.
for my $reads (qw(score explain scoreboard activation state_digest verify story packet match_topics decide readiness preview backtest score_history check_program diff_programs
	audit_signals explain_route weekly_review pilot_report labels likelihood lifecycle_at))
{
	my @refused = grep { /^pql\.$reads\(/ } @writes;
	is("@refused", '', "standby: $reads");
}
is(scalar(grep { !/\(/ } @writes), 0, 'no view writes');
my $late = $standby->safe_psql('postgres', q{SELECT pql.score('p', 'o1', '2026-01-06') - pql.score('p', 'o1', '2026-01-05')});
like($late, qr/^-?\d+$/, 'the past is answered from the events');
($status, $out, $err) = $standby->psql('postgres', 'SELECT * FROM pql.verify()');
is($out, '', 'verify finds nothing');
like($err, qr/NOTICE:  a home is not compared|NOTICE:  \d+ homes are not compared/, 'and says what waits');
for my $call ('SELECT pql.tick()', 'CALL pql.fold()', 'CALL pql.rebuild()', q{SELECT pql.record_event('u1', 'e1')})
{
	($status, $out, $err) = $standby->psql('postgres', $call);
	like($err, qr/ERROR:  cannot execute .* (in a read-only transaction|during recovery)/, "the primary's: $call");
}
$standby->stop;
$primary->stop;
done_testing();
