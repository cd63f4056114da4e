"""pqlctl import: each format, what is rejected, and that nothing doubles whatever happens."""
import gzip
import json
import os
import re
import signal
import subprocess
import time

from harness import data

EVENTS = "SELECT to_char(at, 'YYYY-MM-DD HH24:MI:SS.MS'), who, coalesce(org, '-'), name, props FROM app_events ORDER BY at, id"


def rows(n, first=0):
    return ''.join(f'2026-03-02T09:00:{i % 60:02}Z,u{i % 97}@a.example,acc{i % 13},page_view,id{i},{i}\n' for i in range(first, first + n))


HEADER = 'timestamp,user,account,event,event_id,number\n'


def test_csv(case):
    ran = case.run('import', data / 'events.csv', '--create', '--attach', '--rejected', 'out').expect(
        1, out=r'4 events written, 1 there already, 4 rejected \(out\)',
        err=['made table app_events', 'attached app_events', r'csv, user=user_email,account=Company ID,event=event,time=timestamp,id=event_id -> app_events'])
    assert case.sql(EVENTS).splitlines() == [
        '2026-03-02 09:00:00.000|ada@acme.example|acme|signup|{"plan": "free"}',
        r'2026-03-02 09:30:00.000|ada@acme.example|acme|invite_sent|{"note": "two lines\nof a note, and \"quotes\"", "plan": "free", "count": 5}',
        '2026-03-02 10:00:00.000|ben@acme.example|acme|api_usage|{"count": 20000}',
        '2026-03-02 10:00:00.123|ben@acme.example|acme|api_usage|{"count": "007"}'], ran.out
    rejected = [json.loads(x) for x in (case.directory / 'out').read_text().splitlines()]
    assert [(r['line'], r['reason']) for r in rejected] == [
        (7, 'there is no such time: "2026-02-30T09:00:00Z"'), (8, 'no user'),
        (9, 'the time has no zone (--timezone says which): "2026-03-03T09:00:00"'), (10, '5 fields instead of 8')], rejected
    assert rejected[1]['record'] == '2026-03-03T09:00:00Z,,tiny,signup,6,free,,'
    assert case.sql("SELECT user_id, events FROM pql.members WHERE account_id = 'acme' ORDER BY 1") == 'ada@acme.example|2\nben@acme.example|2'
    case.run('import', data / 'events.csv').expect(0, out='was imported already')
    case.run('import', data / 'events.csv', '--again', '--timezone', 'Europe/Berlin', '--rejected', 'out').expect(1, out='1 event written, 5 there already, 3 rejected')
    assert case.sql("SELECT at FROM app_events WHERE id = '7'") == '2026-03-03 08:00:00+00'
    assert case.sql('SELECT * FROM pql.verify()') == ''


def test_json_lines(case):
    case.run('import', data / 'events.jsonl', '--create', '--rejected', 'out', '--json').expect(1)
    assert case.sql(EVENTS).splitlines() == [
        '2026-03-02 09:00:00.000|ada|acme|signup|{"plan": "free"}', '2026-03-02 09:05:00.250|ada|-|login|{}', '2026-03-02 10:00:00.000|42|acme|login|{}']
    assert [json.loads(x)['reason'].split(' at ')[0] for x in (case.directory / 'out').read_text().splitlines()] == [
        'bad JSON', 'a NUL byte', 'bad JSON: not an object']


def vendor(case, name, *options, status=0):
    ran = case.run('import', data / name, '--create', '--json', '--rejected', 'out', *options).expect(status)
    return ran.json()['files'][0], case.sql(EVENTS).splitlines()


def test_segment(case):
    said, events = vendor(case, 'segment.jsonl', '--attach', '--merge', status=1)
    assert said['format'] == 'segment' and (said['written'], said['merged'], said['passed_over'], said['rejected']) == (3, 2, 0, 1), said
    assert events == ['2026-03-02 10:00:00.050|507f191e810c19729de860ea|acme|Report Exported|{"pages": 12, "format": "pdf"}',
                      '2026-03-02 10:01:00.000|97980cfea0067|-|page|{"name": "Pricing", "path": "/pricing"}',
                      '2026-03-02 10:02:00.000|97980cfea0067|acme|group|{"name": "Acme"}'], events
    assert case.sql("SELECT old_id, new_id FROM pql.identity ORDER BY 1") == '507f191e810c19729de860ea|97980cfea0067\nold-1|97980cfea0067'


def test_a_header_that_is_no_text(case):
    for byte, what in ((b'\0', 'a NUL byte'), (b'\xe4', 'invalid UTF-8')):
        case.write('broken.csv', b'user,event,time,gr' + byte + b'n\na,b,2026-03-02T10:00:00Z,1\n')
        case.run('import', 'broken.csv', '--create').expect(2, err=f'there is {what} in the header')


def test_what_is_passed_over_is_said(case):
    calls = [{'type': 'identify', 'userId': 'a'}, {'type': 'identify', 'userId': 'b', 'traits': {}}, {'type': 'identify', 'userId': 'c', 'anonymousId': 'x'}, {'type': 'group', 'userId': 'a'},
             {'type': 'alias', 'previousId': 'a', 'userId': 'a'}, {'type': 'screen', 'name': 'Home', 'userId': 'a', 'timestamp': '2026-03-02T10:00:00Z', 'messageId': '1'}]
    case.write('calls', ''.join(json.dumps(c) + '\n' for c in calls))
    why = {'identify of one id': 2, 'merges, done with --merge': 1, 'group without a groupId': 1, 'alias of two ids that are the same': 1}
    tried = case.run('import', 'calls', '--dry-run', '--json').expect(0).json()
    assert tried['passed_over'] == 4 and tried['merges'] == 1 and tried['passed_over_as'] == {k: n for k, n in why.items() if 'merges' not in k}, tried
    said = case.run('import', 'calls', '--create', '--json').expect(0).json()['files'][0]
    assert (said['written'], said['passed_over'], said['rejected']) == (1, 5, 0) and said['passed_over_as'] == why, said
    case.run('import', 'calls', '--again', '--table', 'others', '--create').expect(0, out='5 passed over .*2 identify of one id')


def test_posthog(case):
    said, events = vendor(case, 'posthog.jsonl')
    assert said['format'] == 'posthog' and (said['written'], said['passed_over']) == (1, 3), said
    said, events = vendor(case, 'posthog.csv')
    assert said['format'] == 'posthog (CSV)', said
    assert events == ['2026-03-02 09:01:00.123|ada@acme.example|acme|insight viewed|{"$os": "Linux", "$groups": {"project": "p-7", "organization": "acme"}}',
                      '2026-03-02 09:03:00.000|ben@acme.example|acme|$pageview|{"$groups": {"company": "acme"}, "$browser": "Firefox", "$current_url": "https://acme.example/"}'], events
    case.sql('TRUNCATE app_events')
    assert vendor(case, 'posthog.jsonl', '--group', 'project', '--again')[1][0].split('|')[2] == 'p-7'


def test_mixpanel(case):
    said, events = vendor(case, 'mixpanel.jsonl', '--attach', '--merge', status=1)
    assert said['format'] == 'mixpanel' and (said['written'], said['merged'], said['rejected']) == (2, 2, 1), said
    assert [e.split('|')[:4] for e in events] == [['2026-03-02 10:00:00.000', '$device:d1', 'acme', 'Signed up'], ['2026-03-02 10:02:00.123', 'ada', 'acme', 'Purchase']], events
    assert '"Referred by": "Friend"' in events[0] and '"time"' not in events[0]


def test_amplitude(case):
    said, events = vendor(case, 'amplitude.json')
    assert said['format'] == 'amplitude' and (said['written'], said['passed_over']) == (2, 1), said
    assert events == ['2026-03-02 10:00:00.123|ada@acme.example|acme|Report Exported|{"format": "pdf"}', '2026-03-02 10:00:05.000|D-2|-|session_start|{}'], events


def test_snowplow(case):
    said, events = vendor(case, 'snowplow.tsv', '--map', 'account=account.id', status=1)
    assert said['format'] == 'snowplow' and (said['written'], said['rejected']) == (2, 1), said
    assert [e.split('|')[:4] for e in events] == [['2026-03-02 10:00:00.123', 'ada', 'acme', 'plan_chosen'], ['2026-03-02 10:00:05.000', 'bc2e92ec6c204a14', '-', 'page_view']], events
    assert json.loads(events[0].split('|')[4]) == {'account': {'id': 'acme'}, 'app_id': 'web', 'plan': 'team', 'platform': 'web', 'seats': 5}


def test_git(case):
    said, events = vendor(case, 'git.log')
    assert said['format'] == 'git' and events[0] == '2026-03-02 09:00:00.000|ada@acme.example|acme.example|commit|{"author": "Ada Lovelace", "subject": "Teach the engine\\tto weave"}', events
    who = {k + v: x for k in ('GIT_AUTHOR_', 'GIT_COMMITTER_') for v, x in (('NAME', 'Eve'), ('EMAIL', 'eve@tiny.example'), ('DATE', '2026-03-04T05:06:07Z'))}
    for words in (['init', '-q', '.'], ['commit', '-q', '--allow-empty', '-m', 'Begin']):
        subprocess.run(['git', *words], cwd=case.directory, env={**os.environ, **who}, check=True, capture_output=True)
    case.run('import', '--git', '.').expect(0, out='1 event written')
    assert '2026-03-04 05:06:07.000|eve@tiny.example|tiny.example|commit|{"author": "Eve", "subject": "Begin"}' in case.sql(EVENTS)
    case.run('import', '--git', '.').expect(0, out='0 events written, 1 there already')
    case.run('import', '--git', '/nonexistent').expect(2, err='the program failed')


def test_gzip_and_standard_input(case):
    case.write('a.csv.gz', gzip.compress((HEADER + rows(1000)).encode()))
    case.run('import', 'a.csv.gz', '--create').expect(0, out='1,000 events written')
    case.run('import', '-', stdin=HEADER + rows(1100)).expect(0, out='standard input: 100 events written, 1,000 there already')
    case.write('b.csv.gz', gzip.compress((HEADER + rows(100000)).encode())[:-2000])
    case.run('import', 'b.csv.gz').expect(2, err='ends within compressed data')
    case.write('c.csv', '')
    case.run('import', 'c.csv').expect(0, err='is empty')


def test_what_is_no_import(case):
    case.run('import').expect(2, err='name the files')
    case.run('import', 'nothing.csv').expect(2, err='No such file')
    case.run('import', '/tmp').expect(2, err='is a directory')
    case.write('a.csv', HEADER + rows(3))
    case.run('import', 'a.csv').expect(2, err='there is no table app_events.*--create')
    case.run('import', 'a.csv', '--format', 'xml').expect(2, err='There are csv, jsonl')
    case.run('import', 'a.csv', '--map', 'usr=x').expect(2, err="can't read --map")
    case.run('import', 'a.csv', '--create', '--map', 'user=nobody').expect(2, err='there is no column "nobody"')
    case.write('b.csv', 'a,b\n1,2\n')
    case.run('import', 'b.csv', '--create').expect(2, err='which column is the user')
    case.write('c.json', '[{"a": 1}]')
    case.run('import', 'c.json').expect(2, err="jq -c")
    case.write('d.zip', b'PK\x03\x04....')
    case.run('import', 'd.zip').expect(2, err='ZIP archive')
    case.run('import', 'a.csv', '--create', '--timezone', 'Mars/Base').expect(4, err='22023')
    case.sql('DROP EXTENSION pql')
    case.run('import', 'a.csv', '--create').expect(2, err='CREATE EXTENSION pql')


def test_own_table(case):
    case.sql('CREATE TABLE mine (num serial PRIMARY KEY, happened_at timestamptz, "User" text CHECK ("User" <> \'u1\'), kind text, more jsonb)')
    case.write('a.csv', 'when;person;what;note\n2026-03-02 09:00:00Z;u0;login;"a;b"\n2026-03-02 09:00:00Z;u1;login;\n2026-03-02 09:00:00Z;u2;login;\n')
    said = ['import', 'a.csv', '--table', 'mine', '--map', 'user=person,event=what,time=when', '--columns', 'event=kind,properties=more']
    case.run(*said, '--rejected', 'out').expect(1, out='2 events written, 1 rejected')
    assert case.sql('SELECT "User", kind, more FROM mine ORDER BY 1') == 'u0|login|{"note": "a;b"}\nu2|login|{}'
    assert 'the database refuses it' in (case.directory / 'out').read_text()
    case.sql('ALTER TABLE mine ADD must text; UPDATE mine SET must = 1; ALTER TABLE mine ALTER must SET NOT NULL')
    case.run(*said, '--again').expect(2, err='"must" of mine must not be null')


def test_a_table_that_refuses_all_rows(case):
    case.sql("CREATE TABLE picky (at timestamptz, who text, org text, name text, props jsonb CHECK ((props->>'number')::int >= 1500))")
    case.write('a.csv', HEADER + rows(4000))
    case.run('import', 'a.csv', '--table', 'picky', '--rejected', 'out').expect(1, out='2,500 events written, 1,500 rejected')
    case.sql('TRUNCATE picky; DELETE FROM pql.import')
    case.run('import', 'a.csv', '--table', 'picky', '--rejected', 'out', '--batch-size', '1600').expect(1, out='2,500 events written, 1,500 rejected')
    for size in '300', '10000':
        case.write('b.csv', HEADER + rows(1400))
        case.sql('TRUNCATE picky; DELETE FROM pql.import')
        case.run('import', 'b.csv', '--table', 'picky', '--batch-size', size).expect(4, err='the database refuses all rows.*23514')
    case.write('c.csv', HEADER + rows(1, 1500) + rows(1400))  # one was taken: there is hope
    case.run('import', 'c.csv', '--table', 'picky', '--batch-size', '300').expect(1, out='1 event written, 1,400 rejected')


def test_bad_bytes(case):
    lines = [b'2026-03-02T09:00:00Z,u1,a,x,1,', b'2026-03-02T09:00:00Z,u\xff2,a,x,2,', b'2026-03-02T09:00:00Z,u\x003,a,x,3,', b'',
             b'2026-03-02T09:00:00Z,"u4,a,x,4,', b'2026-03-02T09:00:00Z,' + b'u' * 1001 + b',a,x,5,', b'2026-03-02T09:00:00Z,u6,a,x,6,']
    case.write('a.csv', b'\xef\xbb\xbf' + HEADER.encode() + b'\r\n'.join(lines) + b'\r\n')
    case.run('import', 'a.csv', '--create').expect(1, out='2 events written, 4 rejected')
    found = [json.loads(x) for x in (case.directory / 'a.csv.rejected').read_text().splitlines()]
    assert [(r['line'], r['reason']) for r in found] == [(3, 'invalid UTF-8'), (4, 'a NUL byte'), (6, "a quote isn't closed"), (7, 'the user is too long')], found
    case.write('b.jsonl', b'{"user":"u","event":"e","time":1772445600}\n{"x":"' + b'y' * (40 << 20) + b'"}\n' + b'[' * 5000 + b'\n')
    ran = case.run('import', 'b.jsonl', '--create', '--table', 'long').expect(1)
    found = [json.loads(x) for x in (case.directory / 'b.jsonl.rejected').read_text().splitlines()]
    assert [(r['line'], r['reason']) for r in found] == [(2, 'longer than 16 MB'), (3, 'bad JSON: nested too deeply')], (found, ran.out)


def test_dry_run(case):
    ran = case.run('import', data / 'segment.jsonl', '--dry-run').expect(1, out=['Report Exported', 'no user', 'Nothing was written'])
    assert case.sql("SELECT to_regclass('app_events') IS NULL") == 't', ran.out
    assert case.run('import', data / 'segment.jsonl', '-n', '--json').expect(1).json()['merges'] == 2


def test_a_killed_import_goes_on(case):
    text = HEADER + rows(60000).replace('u5@a.example', '', 1)
    case.write('a.csv', text)
    case.sql("CREATE TABLE app_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz, who text, org text, name text, props jsonb)")
    ran = case.start('import', 'a.csv', '--batch-size', '500', '--attach', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while int(case.sql("SELECT coalesce(sum(lines), 0) FROM pql.import")) < 2000:
        time.sleep(0.05)
    ran.send_signal(signal.SIGKILL)
    ran.wait()
    there = int(case.sql('SELECT count(*) FROM app_events'))
    assert 0 < there < 59999, there
    case.run('import', 'a.csv').expect(0, err='went on behind line')
    assert case.sql("SELECT count(*), count(DISTINCT props->>'number'), sum((props->>'number')::int) FROM app_events") == f'59999|59999|{sum(range(60000)) - 5}'
    assert len((case.directory / 'a.csv.rejected').read_text().splitlines()) == 1
    case.write('b.csv', text + rows(10, 60000))  # the file grew, and has another name
    case.run('import', 'b.csv').expect(0, out='10 events written', err='went on behind line 60,001')
    assert case.sql('SELECT sum(written), count(*), bool_and(finished_at IS NOT NULL) FROM pql.import') == '60009|1|t'
    assert case.sql('SELECT * FROM pql.verify()') == ''


def test_a_file_that_is_being_written(case):
    lines = [json.dumps({'user': f'u{i}', 'event': 'login', 'time': 1772445600 + i, 'id': str(i)}) + '\n' for i in range(4)]
    def grown(text, said):  # noqa: E306
        case.write('a.jsonl', text)
        return case.run('import', 'a.jsonl', '--create').expect(0, **said)
    grown(lines[0] + lines[1][:-20], {'out': '1 event written, in', 'err': r'line 2 has no end yet \(bad JSON.*is left for when the file has grown'})
    assert not (case.directory / 'a.jsonl.rejected').exists()
    grown(lines[0] + lines[1][:-20], {'out': 'was imported already', 'err': 'line 2 has no end yet'})
    assert case.run('import', 'a.jsonl', '--json').expect(0).json()['files'][0]['unfinished_line'] == 2
    grown(''.join(lines[:3]) + '  ', {'out': '2 events written', 'err': 'went on behind line 1,'})
    grown(''.join(lines[:3]) + '  ' + lines[3].rstrip(), {'out': '1 event written', 'err': 'went on behind line 3,'})  # all of it is there
    grown(''.join(lines[:3]) + '  ' + lines[3], {'out': 'was imported already'})
    assert case.sql("SELECT string_agg(id, ' ' ORDER BY id), count(*) FROM app_events") == '0 1 2 3|4'
    assert case.sql('SELECT written, rejected, lines FROM pql.import') == '4|0|3'


def test_csv_that_is_being_written(case):
    def grown(text, status=0, **said):
        case.write('a.csv', text)
        return case.run('import', 'a.csv', '--create', '--table', 'ev').expect(status, **said)
    whole = HEADER + rows(2)
    grown('timestamp,user,account,event,event_id,num', err=r'line 1 has no end yet \(it is the header\)')
    grown(whole + '2026-03-02T09:00:02Z,u2@a.example,acc2,"two\nlines,', out='2 events written', err="line 4 has no end yet .*a quote isn't closed")
    whole += '2026-03-02T09:00:02Z,u2@a.example,acc2,"two\nlines",id2,2\n'
    grown(whole + rows(1, 3)[:-3], out='1 event written', err='line 6 has no end yet')  # without its last cell
    grown(whole + rows(2, 12)[:-2], out='2 events written')  # cut in the last cell, which nobody can see
    ran = grown(whole + rows(3, 12), 1, out='1 event written, 1 rejected')
    rejected = [json.loads(x) for x in (case.directory / 'a.csv.rejected').read_text().splitlines()]
    assert [(r['line'], r['reason'], r['record']) for r in rejected] == [(7, 'an earlier import took the beginning of this line for the whole', '3')], (rejected, ran.out)
    assert case.sql("SELECT string_agg(props->>'number', ' ' ORDER BY at, id) FROM ev") == '0 1 2 12 1 14'
    case.write('b.csv', HEADER + '2026-03-02T09:00:02Z,"u2,acc2,x,id20,2\n' + rows(1, 30))  # a quote that is a mistake
    case.run('import', 'b.csv', '--table', 'ev').expect(1, out='1 event written, 1 rejected')


def test_terminal(case):
    case.write('a.csv', HEADER + rows(150000))
    ran = case.terminal('import', 'a.csv', '--create', '--batch-size', '1000')
    ran.wait_for(r'\[#+\.+\]\s+\d+ %  [\d,]+ records  [\d.]+k?/s  ETA')
    ran.interrupt()
    assert ran.end() == 130
    assert re.search(r'written.*; the same command goes on from here', ran.plain()), ran.plain()
    ran = case.terminal('import', 'a.csv', columns=60)
    assert ran.end(60) == 0
    assert re.search('went on behind line', ran.plain()) and case.sql('SELECT count(*) FROM app_events') == '150000'
    assert all(len(line.split('\r')[-1]) <= 60 for line in ran.plain().splitlines() if '#' in line), ran.plain()
