"""pqlctl simulate: a company whose events pql can score, the same for the same seed."""
import re


def digest(case, table='app_events'):
    return case.sql(f"SELECT md5(string_agg(concat_ws(',', id, who, org, name, props, date_trunc('second', at - (SELECT min(at) FROM {table}))), ';' ORDER BY id)) FROM {table}")


def test_simulate(case):
    case.run('simulate', '--accounts', '60', '--days', '14').expect(0, out=r'^[\d,]+ events of 60 accounts over 14 days, of whom \d+ will buy$',
                                                                   err='made table app_events\nattached app_events')
    assert case.sql("SELECT count(DISTINCT org) BETWEEN 40 AND 60, min(at) > now() - interval '15 days', max(at) <= now() FROM app_events") == 't|t|t'
    assert case.sql('SELECT * FROM pql.verify()') == ''
    before = case.sql('SELECT count(*) FROM app_events')
    case.run('simulate', '--accounts', '60', '--days', '14').expect(0, out='^0 events.*were there already')
    case.run('simulate', '--accounts', '60', '--days', '14', '--table', 'again').expect(0)
    assert digest(case) == digest(case, 'again')
    case.run('simulate', '--accounts', '60', '--days', '14', '--seed', '2', '--json').expect(0)
    assert int(case.sql('SELECT count(*) FROM app_events')) > int(before) * 1.2


def test_program(case):
    case.run('simulate', '--accounts', '80').expect(0)
    case.write('team_rollout.yaml', case.run('simulate', '--print-program').expect(0).out)
    ran = case.run('publish', 'team_rollout.yaml', '--yes', '--promote', '--standing', 'all').expect(0, out='Published version 1 of team_rollout: live')
    entered = int(re.search(r'(\d+) enter', ran.out)[1])
    assert 2 <= entered <= 30 and case.sql('SELECT count(*) FROM pql.routing') == str(entered), ran.out
    assert 'Why now' in case.sql('SELECT pql.story(routing_id) FROM pql.routing ORDER BY score DESC LIMIT 1')


def test_terminal(case):
    ran = case.terminal('simulate', '--accounts', '30', '--days', '20', '--speed', '604800')
    ran.wait_for(r'simulating \[#+\.*\]')
    assert ran.end(60) == 0 and ' will buy' in ran.plain(), ran.plain()
    ran = case.terminal('simulate', '--accounts', '30', '--days', '20', '--speed', '3600', '--seed', '9')
    ran.wait_for('simulating')
    ran.interrupt()
    assert ran.end() == 130


def test_wrong_usage(case):
    case.run('simulate', '--accounts', '0').expect(2, err='--accounts')
    case.run('simulate', '--days', 'x').expect(2)
    case.run('simulate', '--speed', '-1').expect(2, err='--speed')
