# Conversations and the lexicon are dumped and restored into a working system; in databases of other encodings messages are read as well.
# covers: S1-30, S1-42
use strict;
use warnings FATAL => 'all';
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('conversations');
$node->init;
$node->start;

my $prepare = q{CREATE EXTENSION pql;
	CREATE TABLE chat (id int PRIMARY KEY, at timestamptz, who text, org text, body text);
	INSERT INTO pql.lexicon (language, topic, pattern) VALUES ('xx', 'own', '\bmine\b');
	SELECT count(*) FROM pql.attach_conversations('chat', 'who', 'body', 'at', account_id => 'org');};
my %look = (
	intents => 'SELECT * FROM pql.intent ORDER BY home, source_id, event_id, topic',
	lexicon => 'SELECT * FROM pql.lexicon ORDER BY language, kind, topic, pattern, origin',
	off     => 'SELECT * FROM pql.lexicon_off ORDER BY 1, 2, 3, 4',
	sources => 'SELECT relation, intact FROM pql.sources');

$node->safe_psql('postgres', "CREATE DATABASE a");
$node->safe_psql('a', $prepare);
$node->safe_psql('a', q{UPDATE pql.lexicon SET active = false WHERE origin = 'shipped' AND topic = 'pricing';
	SELECT pql.publish('{"program": "p", "unit": "account", "signals": {"own": {"kind": "intent", "topic": "own", "measure": "count", "window": "3000 days", "points_each": 10, "max_points": 40}}, "qualify": {"enter": 10}}');
	INSERT INTO chat SELECT i, now() - interval '1 minute', 'u' || i, 'o' || i % 7, CASE i % 3 WHEN 0 THEN 'this is mine' ELSE 'nothing' END FROM generate_series(1, 100) AS i});
my %before = map { $_ => $node->safe_psql('a', $look{$_}) } keys %look;
my $digest = $node->safe_psql('a', 'SELECT pql.state_digest()');
like($before{intents}, qr/own/, 'something was found');

my $file = $node->basedir . '/a.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('a') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE b');
$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr('b'), $file ], 'restored');
is($node->safe_psql('b', $look{$_}), $before{$_}, "same $_") for sort keys %look;
is($node->safe_psql('b', 'SELECT pql.state_digest()'), $digest, 'a restore counts nothing twice');
is($node->safe_psql('b', 'SELECT count(*) FROM pql.verify()'), '0', 'and what was restored is right');
$node->safe_psql('b', q{INSERT INTO chat VALUES (200, now(), 'new', 'o9', 'mine'); DELETE FROM chat WHERE id = 3; UPDATE chat SET body = 'not so' WHERE id = 6});
is($node->safe_psql('b', q{SELECT event_id FROM pql.intent WHERE event_id IN ('3', '6', '200')}), '200', 'messages keep being read');
is($node->safe_psql('b', 'SELECT count(*) FROM pql.verify()'), '0', 'and the state is right');

# Without rights on pql, and in the role of a replica.
$node->safe_psql('b', q{CREATE ROLE writer; GRANT ALL ON chat TO writer; SET ROLE writer; INSERT INTO chat VALUES (201, now(), 'new', 'o9', 'mine')});
is($node->safe_psql('b', q{SELECT count(*) FROM pql.intent WHERE event_id = '201'}), '1', 'whoever writes messages needs no right on pql');
isnt($node->psql('b', q{SET ROLE writer; SELECT * FROM pql.intent}), 0, 'nor has any');
isnt($node->psql('b', q{SET ROLE writer; SELECT * FROM pql.search_conversations('mine')}), 0, 'searching takes the right to know what is attached');
is($node->safe_psql('b', q{GRANT SELECT ON pql.conversation_source TO writer; SET ROLE writer; SELECT count(*) > 0 FROM pql.search_conversations('mine')}), 't', 'and to read the messages');
is($node->safe_psql('b', q{REVOKE SELECT ON chat FROM writer; SET ROLE writer; SELECT count(*) FROM pql.search_conversations('mine')}), '0', 'without it there are none');
is($node->safe_psql('b', q{SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET force_parallel_mode = on;
	SELECT count(*) > 0 FROM chat, pql.match_topics(body)}), 't', 'topics are matched in parallel workers');

# Other encodings: what can't be said in them isn't shipped to them.
for my $e (['l', 'LATIN1', 'latin1', "d\xfc\xdf"], ['e', 'EUC_JP', 'euc_jp', "\xa4\xa2"], ['s', 'SQL_ASCII', 'sql_ascii', "\xff\xfe"])
{
	my ($db, $encoding, $client, $bytes) = @$e;
	$node->safe_psql('postgres', "CREATE DATABASE $db ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	$node->safe_psql($db, $prepare);
	my $sql = $node->basedir . "/$db.sql";
	append_to_file($sql, "SET client_encoding = '$client'; INSERT INTO chat VALUES (1, now(), 'u', 'o', '$bytes this is mine $bytes');\n");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $sql, '-d', $node->connstr($db) ], "$encoding: a message with bytes of its own");
	is($node->safe_psql($db, q{SELECT topic, encode(convert_to(quote, getdatabaseencoding()), 'hex') = (SELECT encode(convert_to(body, getdatabaseencoding()), 'hex') FROM chat) FROM pql.intent}),
		'own|t', "$encoding: is read, and its quote is as it was written") if $encoding ne 'SQL_ASCII';
	is($node->safe_psql($db, q{SELECT topic FROM pql.intent}), 'own', "$encoding: is read");
	is($node->safe_psql($db, q{SELECT count(*) > 0 FROM pql.match_topics('We need SSO')}), 't', "$encoding: the shipped lexicon is there");
	my $cut = $encoding eq 'LATIN1' ? q{quote ~ '^[.]{3}.*[.]{3}$'} : 'true';
	is($node->safe_psql($db, qq{SELECT quote ~ 'word this is mine word' AND length(quote) > 190 AND $cut FROM pql.match_topics(repeat('word ', 60) || 'this is mine' || repeat(' word', 60)) WHERE topic = 'own'}),
		't', "$encoding: of a long sentence there is a part");
	is($node->safe_psql($db, q{SELECT count(*) FROM pql.match_topics('this is mine. x' || repeat((SELECT left(body, 2) FROM chat), 600000)) WHERE topic = 'own'}), '1',
		"$encoding: more than a megabyte is cut between characters");
}

done_testing();
