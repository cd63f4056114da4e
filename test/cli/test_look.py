"""Commands that look: doctor, watch, backtest, bench."""
import json
import signal
import time

program = {
    'program': 'p', 'unit': 'account',
    'signals': {'starts': {'kind': 'intent', 'event': 'start', 'points_each': 10, 'half_life': '7 days', 'max_points': 20}},
    'qualify': {'enter': 10, 'leave': 5},
    'motions': [{'otherwise': True, 'motion': 'account_executive', 'after': '0', 'by': '1 day', 'next_best_action': 'Call them.'}],
}

setup = '''
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), who text, org text, name text);
CREATE INDEX ON ev (org, at);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id');
INSERT INTO pql.reps (rep_id, capacity) VALUES ('ann', 5);
SELECT pql.publish($$%s$$);
SELECT pql.promote('p', override => 'test');
'''


def company(case):
    case.sql(setup % json.dumps(program))


def start(case, *orgs):
    """The accounts do something: those who are new qualify."""
    for org in orgs:
        case.sql("INSERT INTO ev (who, org, name) VALUES ('ada@' || :'org', :'org', 'start'), ('ben@' || :'org', :'org', 'start')", org=org)


# --- doctor ---------------------------------------------------------------------------------------------------------------


def test_doctor_before_the_extension(case):
    case.sql('DROP EXTENSION pql')
    case.run('doctor').expect(1, out=['error  extension: database cli_\\w+ has no pql', 'CREATE EXTENSION pql;'])
    found = {f['check']: f for f in case.run('doctor', '--json').expect(1).json()}
    assert found['package']['status'] == 'ok' and found['extension']['hint'] == 'CREATE EXTENSION pql;'
    case.sql(found['extension']['hint'])
    case.run('doctor').expect(0, out='no events table is attached')
    case.run('doctor', '-d', 'no_such_database').expect(3)


def test_doctor_says_what_health_says(case):
    company(case)
    case.run('doctor', '--all').expect(0, out=['ok  server: PostgreSQL \\d+', 'ok  client: ', 'ok  library: ', 'ok  triggers: '])
    case.sql('ALTER TABLE ev DISABLE TRIGGER pql_insert')
    start(case, 'unseen')
    case.run('doctor').expect(1, out=r"error  triggers: .*\n.*\n *SELECT pql.restore_triggers\('ev'\);")
    case.run('doctor', '--fix').expect(2, err='there is no terminal')
    case.run('doctor', '--fix', '--yes').expect(0)
    assert case.sql("SELECT count(*) FROM pql.members WHERE account_id = 'unseen'") == '2'


def test_doctor_asks_before_it_mends(case):
    company(case)
    case.sql('ALTER TABLE ev DISABLE TRIGGER pql_insert')
    t = case.terminal('doctor', '--fix')
    t.wait_for(r'Run it\? \[y/N\]')
    t.send('n\n')
    assert t.end() == 1
    t = case.terminal('doctor', '--fix')
    t.wait_for(r'Run it\? \[y/N\]')
    t.send('y\n')
    assert t.end() == 0
    assert case.sql('SELECT errors FROM pql.stats') == '0'


def test_doctor_leaves_alone_what_is_not_safe(case):
    company(case)
    case.sql('CREATE INDEX mine ON pql.routing (headline); UPDATE pql.reps SET capacity = NULL')
    case.run('doctor', '--fix', '--yes').expect(0, out=['DROP INDEX pql.mine;', 'UPDATE pql.reps SET capacity'])
    assert case.sql("SELECT to_regclass('pql.mine'), (SELECT capacity FROM pql.reps)") == 'pql.mine|'


def test_doctor_without_rights(case):
    case.sql('DROP ROLE IF EXISTS cli_nobody; CREATE ROLE cli_nobody LOGIN')
    try:
        case.run('doctor', '-U', 'cli_nobody').expect(0, out=['warning  rights: cli_nobody may not read', 'GRANT SELECT ON ALL TABLES IN SCHEMA pql TO "cli_nobody";', 'warning  health:'])
        case.sql('DROP EXTENSION pql')
        case.run('doctor', '-U', 'cli_nobody').expect(1, out='It takes a superuser, which cli_nobody is not')
    finally:
        case.sql('DROP OWNED BY cli_nobody; DROP ROLE cli_nobody')


# --- watch ----------------------------------------------------------------------------------------------------------------


def test_watch_shows_what_comes(case):
    company(case)
    start(case, 'before')
    seen = case.directory / 'seen'
    with open(seen, 'w') as out:
        run = case.start('watch', '--json', '--interval', '0.1', '--count', '2', '--quiet', stdout=out)
        time.sleep(1.5)
        start(case, 'acme', 'globex')
        assert run.wait(20) == 0
    rows = [json.loads(line) for line in seen.read_text().splitlines()]
    assert [r['subject_id'] for r in rows] == ['acme', 'globex'], rows
    assert rows[0]['score'] == 20 and rows[0]['motion'] == 'account_executive' and rows[0]['routing_id'] == int(case.sql("SELECT routing_id FROM pql.routing WHERE subject_id = 'acme'"))


def test_watch_since(case):
    company(case)
    start(case, 'acme', 'globex')
    case.sql("SET session_replication_role = replica; UPDATE pql.routing SET qualified_at = now() - interval '2 days' WHERE subject_id = 'acme'")
    case.run('watch', '--since', '1 hour', '--count', '1', '--quiet').expect(0, out=r'globex  20  pending  account_executive.*by .*\n +globex reached 20 points.*\n.*→ Call them\.')
    said = case.run('watch', '--since', '2020-01-01', '--count', '2', '--json', '--story').expect(0).lines()
    assert [r['subject_id'] for r in said] == ['acme', 'globex'] and 'acme' in said[0]['story']
    case.run('watch', '--since', 'yesterweek', '--count', '1').expect(4, err='22007')
    case.run('watch', '--program', 'nonsense').expect(2, err='does not exist')
    case.run('watch', '--rep', 'nobody').expect(2, err='rep "nobody" does not exist')
    case.run('watch', '--interval', '0').expect(2)


def test_watch_a_rep(case):
    company(case)
    start(case, 'acme')
    with open(case.directory / 'seen', 'w') as out:
        run = case.start('watch', '--rep', 'ann', '--json', '--interval', '0.1', '--count', '1', '-q', stdout=out)
        time.sleep(1.5)
        case.sql('SELECT count(*) FROM pql.tick()')
        assert run.wait(20) == 0
    assert json.loads((case.directory / 'seen').read_text())['owner'] == 'ann'


def test_watch_in_a_terminal(case):
    company(case)
    t = case.terminal('watch', '--interval', '0.1', '--changes')
    t.wait_for('watching all programs.*Enter shows')
    start(case, 'acme')
    t.wait_for(r'acme.*20.*pending')
    t.wait_for('Call them')
    t.send('\n')
    t.wait_for(r'acme')
    t.wait_for(r'(?i)points')
    case.sql('SELECT count(*) FROM pql.tick()')
    t.wait_for(r'↻.*acme.*ann')
    t.send('999999\n')
    t.wait_for('no routing row 999999')
    t.interrupt()
    assert t.end() == 130
    assert 'terminate' not in t.shown


def test_watch_survives_a_lost_connection(case):
    company(case)
    t = case.terminal('watch', '--interval', '0.1')
    t.wait_for('watching all programs')
    start(case, 'acme')
    t.wait_for('Call them')
    case.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pqlctl' AND datname = current_database()")
    t.wait_for(r'trying again in')
    start(case, 'globex')
    t.wait_for('connected again')
    t.wait_for('globex')
    assert t.plain().count('acme reached') == 1
    t.interrupt()
    assert t.end() == 130
    case.run('watch', '-h', '/nonexistent').expect(3)


# --- backtest -------------------------------------------------------------------------------------------------------------


def test_backtest(case):
    company(case)
    case.sql('''INSERT INTO ev (at, who, org, name) SELECT now() - interval '1 day' * (n % 40), 'u' || n, 'org' || n, 'start' FROM generate_series(1, 80) AS n;
        SELECT pql.record_outcome('org3', 'paid', NULL, now() - interval '1 hour'); CALL pql.backfill();''')
    said = case.run('backtest', 'p', '--json').expect(0).json()
    assert said[0]['program'] == 'p@1' and sum(w['qualified'] for w in said[0]['weeks']) == 80
    assert str(sum(w['converted'] for w in said[0]['weeks'])) == case.sql(
        "SELECT sum(converted) FROM pql.backtest((SELECT document FROM pql.program WHERE status = 'live'), now() - interval '90 days', now())") == '1'
    case.run('backtest', 'p').expect(0, out=[r'^p@1\n', r'█', r'80 entries, of which 1 '])
    harder = case.write('harder.json', json.dumps({**program, 'qualify': {'enter': 15, 'leave': 5}}))
    case.run('backtest', 'p@1', harder).expect(0, out=[r'p@1.*harder\.json', r'p@1: 80 entries', r'harder\.json: 0 entries'])
    softer = case.write('softer.yaml', f'# JSON is YAML, too\n{json.dumps(program)}\n')
    case.run('backtest', softer).expect(0, out='80 entries')
    case.run('backtest', 'p', '--from', '2020-01-01', '--to', '2020-01-08').expect(0, out='0 entries')
    case.run('backtest', 'p', '--capacity', '1').expect(0, out='over capacity')
    case.sql('CREATE VIEW won AS SELECT org AS subject_id, now() - interval \'1 minute\' AS at FROM ev WHERE org = \'org5\'')
    case.run('backtest', 'p', '--outcomes', 'won').expect(0, out='80 entries, of which 1 ')


def test_backtest_refuses(case):
    company(case)
    case.run('backtest').expect(2)
    case.run('backtest', 'nonsense').expect(2, err='neither a file nor a program')
    case.run('backtest', 'p@7').expect(2)
    case.run('backtest', case.write('bad.json', '{')).expect(2, err=r'bad\.json:\d+:\d+: ')
    case.run('backtest', case.write('wrong.json', '{"program": "p"}')).expect(4, err='22023')
    case.run('backtest', 'p', '--from', 'someday').expect(2, err='--from')
    case.run('backtest', 'p', '--outcomes', 'no_such_view').expect(4, err='42P01')


# --- bench ----------------------------------------------------------------------------------------------------------------


def databases(case):
    return case.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'pql_bench%'")


def test_bench(case):
    said = case.run('bench', '--events', '2000', '--accounts', '20', '--json').expect(0).json()
    assert said['plain_rate'] > 0 and said['watched_rate'] > 0 and said['score_p50'] > 0 and said['routing_rows'] > 0, said
    assert said['machine']['shared_buffers'] and said['state_bytes_per_account'] > 0
    case.run('bench', '--events', '1000', '--accounts', '10', '-q').expect(0, out=['shared_buffers', 'pql.scoreboard of 10 accounts'])
    assert databases(case) == '0' and case.sql('SELECT count(*) FROM pql.source') == '0'


def test_bench_interrupted_leaves_nothing(case):
    t = case.terminal('bench', '--events', '1000000')
    t.wait_for('watched|plain|preparing')
    time.sleep(1)
    t.interrupt()
    assert t.end() == 130
    assert databases(case) == '0'
    with_signal = case.start('bench', '--events', '1000000', '-q')
    time.sleep(2)
    with_signal.send_signal(signal.SIGTERM)
    assert with_signal.wait(20) == 130 and databases(case) == '0'
