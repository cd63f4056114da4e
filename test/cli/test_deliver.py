"""pqlctl deliver against receivers that time out, refuse, break off and redirect, and killed in the middle: nothing is lost, and what comes twice comes
with the same key.
covers: S1-7, S1-20, S1-38, S2-25, S3-13
"""
import base64
import collections
import hashlib
import hmac
import json
import os
import signal
import time
import urllib.parse

from harness import top
from receiver import Receiver, certificate, due_now, qualify, setup

secret = {'PQL_SECRET_HOOK': 'whsec_' + base64.b64encode(b'k' * 32).decode()}
private = ('--allow-private', '127.0.0.1')


def deliver(case, *arguments, env=None, **how):
    return case.run('deliver', '--once', '--json', *private, *arguments, env={**secret, **(env or {})}, **how)


def states(case):
    return case.sql("SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT state, count(*) AS n FROM pql.deliveries GROUP BY 1) AS s")


def last_error(case):
    return case.sql('SELECT last_error FROM pql.delivery ORDER BY delivery_id DESC LIMIT 1')


def test_posts_signed_json_once(case):
    with Receiver() as there:
        setup(case, there.url, settings="""'{"headers": {"X-Team": "sales"}}'""")
        qualify(case, 'acme')
        ran = deliver(case).expect(0)
        assert [(line['result'], line['status'], line['attempt']) for line in ran.lines()] == [('sent', 200, 1)], ran.out
        deliver(case).expect(0)
        assert len(there.got) == 1
        r = there.got[0]
        said = json.loads(r['body'])
        assert said['type'] == 'routing.ready' and said['data']['routing']['subject_id'] == 'acme' and said['data']['packet']['audience'] == 'rep', said
        assert 'acme' in said['data']['story'] and said['data']['headline']
        h = r['headers']
        assert h['x-team'] == 'sales' and h['webhook-id'] == h['idempotency-key'] == said['data']['id'] and h['user-agent'].startswith('pqlctl/')
        signed = f"{h['webhook-id']}.{h['webhook-timestamp']}.".encode() + r['body']
        assert h['webhook-signature'] == 'v1,' + base64.b64encode(hmac.new(b'k' * 32, signed, hashlib.sha256).digest()).decode()
        assert abs(int(h['webhook-timestamp']) - time.time()) < 60
        assert states(case) == 'sent 1'


def test_dry_run_shows_and_writes_nothing(case):
    with Receiver() as there:
        setup(case, there.url)
        qualify(case, 'acme')
        shown = case.run('deliver', '--dry-run', '--json', *private, env=secret).expect(0).lines()
        assert [(s['event'], s['method'], s['url'], s['body']['data']['routing']['subject_id']) for s in shown] == [('ready', 'POST', there.url, 'acme')]
        assert secret['PQL_SECRET_HOOK'] not in json.dumps(shown)
        assert not there.got and case.sql('SELECT count(*) FROM pql.delivery') == '0' and case.sql('SELECT count(*) FROM pql.delivery_mark') == '0'


def test_faults_are_retried_with_the_same_key(case):
    faults = iter([500, (429, {'Retry-After': '7'}, b'slow down'), 'reset', 'half', ('hang', 3, b''), 408, 425, 409, 503, 200])
    with Receiver(lambda request, n: (lambda a: a if not isinstance(a, str) else (a, {}, b''))(next(faults))) as there:
        setup(case, there.url, timeout="'1 second'")
        qualify(case, 'acme')
        lines = []
        for _ in range(10):
            lines += deliver(case).lines()
            due_now(case)
        assert [line['result'] for line in lines] == ['retry'] * 9 + ['sent'], lines
        assert len(set(there.keys())) == 1 and len(there.got) == 10
        assert lines[1]['status'] == 429 and lines[1]['retry_in'] >= 7
        assert lines[4]['error'] == 'timeout', lines[4]
        assert all(1 <= line['retry_in'] <= 5 * 2 ** i or i == 1 for i, line in enumerate(lines[:9])), lines
        assert states(case) == 'sent 1'


def test_retry_after_leaves_the_destination_alone(case):
    with Receiver(lambda request, n: (429, {'Retry-After': '600'}, b'')) as there:
        setup(case, there.url)
        qualify(case, *(f'a{i}' for i in range(40)))
        deliver(case, '--parallel', '4').expect(5)
        assert len(there.got) < 10, len(there.got)
        assert case.sql("SELECT paused_until > now() + interval '9 minutes' FROM pql.delivery_stats") == 't'


def test_retry_after_of_a_redirection_says_nothing_of_what_came_then(case):
    answers = iter([(307, {'Retry-After': '600', 'Location': '/other'}, b''), 503])
    with Receiver(lambda request, n: next(answers)) as there:
        setup(case, there.url)
        qualify(case, 'acme')
        line = deliver(case).expect(5).lines()[0]
        assert line['status'] == 503 and line['retry_in'] < 60, line


def test_refused_for_good_is_dead_at_once_and_redelivered(case):
    answers = iter([400, 200])
    with Receiver(lambda request, n: (lambda s: (s, {}, b'no such\r\nthing'))(next(answers))) as there:
        setup(case, there.url)
        qualify(case, 'acme')
        line = deliver(case).expect(5).lines()[0]
        assert line['result'] == 'dead' and line['error'] == 'HTTP 400: no such  thing', line
        deliver(case).expect(0)
        assert len(there.got) == 1 and states(case) == 'dead 1'
        case.sql("SELECT pql.redeliver('hook')")
        deliver(case).expect(0)
        assert states(case) == 'sent 1' and len(set(there.keys())) == 1


def test_an_answer_that_is_no_text(case):
    with Receiver(lambda request, n: (400, {}, b'Gr\xf6\xdfe')) as there:
        setup(case, there.url)
        qualify(case, 'acme')
        line = deliver(case).expect(5).lines()[0]
        assert line['error'] == 'HTTP 400: Gr??e', line
        assert states(case) == 'dead 1' and last_error(case) == 'HTTP 400: Gr??e'


def test_one_that_hangs_keeps_no_other_waiting(case):
    with Receiver(lambda request, n: ('hang', 30, b'')) as slow, Receiver() as quick:
        setup(case, slow.url, timeout="'30 seconds'")
        case.sql(f"INSERT INTO pql.destination (destination, kind, url, secret) VALUES ('other', 'webhook', '{quick.url}', 'hook')")
        qualify(case, *(f'a{i}' for i in range(20)))
        case.start('deliver', '--quiet', '--interval', '0.1', '--parallel', '4', *private, env=secret)
        until = time.monotonic() + 20
        while len(quick.got) < 20 and time.monotonic() < until:
            time.sleep(0.05)
        assert len(quick.got) == 20 and len(slow.got) == 3, (len(quick.got), len(slow.got))


def test_dead_after_so_many_attempts(case):
    with Receiver(lambda request, n: 500) as there:
        setup(case, there.url, max_attempts='3')
        qualify(case, 'acme')
        results = []
        for _ in range(4):
            results += [line['result'] for line in deliver(case).lines()]
            due_now(case)
        assert results == ['retry', 'retry', 'dead'] and len(there.got) == 3, results


def test_nobody_listens(case):
    setup(case, 'http://127.0.0.1:1/hook')
    qualify(case, 'acme')
    line = deliver(case).expect(5).lines()[0]
    assert line['result'] == 'retry' and 'connect' in line['error'], line


def test_private_addresses_are_refused(case):
    with Receiver() as there:
        setup(case, there.url)
        qualify(case, 'acme')
        line = case.run('deliver', '--once', '--json', env=secret).expect(5).lines()[0]
        assert line['result'] == 'dead' and line['error'] == 'only https is allowed', line
        for host in ('127.0.0.1', '2130706433', '0x7f000001', '017700000001', '127.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '169.254.169.254',
                     '10.0.0.1', '192.168.0.1', '[fe80::1]', '[fd00::1]'):
            case.sql(f"UPDATE pql.destination SET url = 'https://{host}:{there.port}/x'; SELECT pql.redeliver('hook')")
            line = case.run('deliver', '--once', '--json', env=secret).expect(5).lines()[0]
            assert line['result'] == 'dead' and 'is not public' in line['error'], (host, line)
        assert not there.got


def test_redirections(case):
    to = {}
    with Receiver() as elsewhere, Receiver(lambda r, n: (to['status'], {'Location': to['url']}, b'') if r['path'] == '/hook' else 200) as there:
        setup(case, there.url)
        qualify(case, 'acme')
        for status, url, error in ((307, elsewhere.url, 'redirected to another host: http://127.0.0.1'), (308, 'http://169.254.169.254/latest/meta-data', 'another host'),
                                   (307, 'http://localhost:1/', 'another host'), (307, 'https://127.0.0.1/', 'another host'), (307, 'file:///etc/passwd', 'another host|nowhere'),
                                   (302, '/other', 'none for a post'), (307, '', 'nowhere'), (307, '/hook', 'too often')):
            to.update(status=status, url=url)
            line = deliver(case).expect(5).lines()[0]
            assert line['result'] == 'dead' and any(e in line['error'] for e in error.split('|')), (url, line)
            case.sql("SELECT pql.redeliver('hook')")
        to.update(status=308, url='/moved')
        deliver(case).expect(0)
        assert there.got[-1]['path'] == '/moved' and there.got[-1]['method'] == 'POST' and there.got[-1]['body'] and not elsewhere.got


def test_tls_is_verified(case):
    tls = certificate(case.directory)
    with Receiver(tls=tls) as there:
        setup(case, there.url)
        qualify(case, 'acme')
        host = ('--allow-private', 'localhost')
        line = case.run('deliver', '--once', '--json', *host, env=secret).expect(5).lines()[0]
        assert line['result'] == 'retry' and 'certificate' in line['error'].lower(), line
        assert not there.got
        due_now(case)
        case.run('deliver', '--once', *host, '--ca-file', tls[0], env=secret).expect(0)
        assert len(there.got) == 1
        qualify(case, 'beta')  # another name than the certificate's
        case.sql(f"UPDATE pql.destination SET url = 'https://127.0.0.1:{there.port}/'")
        line = case.run('deliver', '--once', '--json', *private, '--ca-file', tls[0], env=secret).expect(5).lines()[0]
        assert 'certificate' in line['error'].lower(), line


def test_secrets(case):
    with Receiver() as there:
        setup(case, there.url)
        qualify(case, 'acme')
        line = case.run('deliver', '--once', '--json', *private).expect(5).lines()[0]
        assert line['result'] == 'retry' and 'no secret hook' in line['error'], line
        due_now(case)
        path = case.write('secrets', '# ours\nhook = plain secret\n')
        os.chmod(path, 0o644)
        case.run('deliver', '--once', *private, '--secrets', path).expect(2, err='can be read by others')
        os.chmod(path, 0o600)
        case.run('deliver', '--once', *private, '--secrets', path).expect(0)
        h = there.got[0]['headers']
        assert h['webhook-signature'].count('v1,') == 2, 'each of the secrets signs'
        assert 'plain' not in case.sql('SELECT string_agg(d::text, chr(10)) FROM pql.delivery AS d')


def test_slack(case):
    answers = iter([(200, {}, b'{"ok": false, "error": "ratelimited"}'), (200, {}, b'{"ok": false, "error": "channel_not_found"}'), (200, {}, b'{"ok": true}'), (200, {}, b'ok')])
    with Receiver(lambda r, n: next(answers)) as there:
        setup(case, there.url, kind='slack', settings="""'{"channel": "C1", "mentions": {"kim": "U7"}}'""")
        case.sql("INSERT INTO pql.reps (rep_id) VALUES ('kim')")
        qualify(case, 'a<b>&c')
        reply = {'PQL_SECRET_REPLY': 'one:' + 's' * 32}
        lines = []
        for _ in range(3):
            lines += deliver(case, '--reply-url', 'https://pql.example.org/', env=reply).lines()
            due_now(case)
            case.sql("SELECT pql.redeliver('hook')")
        assert [line['result'] for line in lines] == ['retry', 'dead', 'sent'], lines
        said = there.messages()[-1]
        assert there.got[0]['headers']['authorization'] == 'Bearer ' + secret['PQL_SECRET_HOOK'] and said['channel'] == 'C1'
        kinds = [b['type'] for b in said['blocks']]
        assert kinds == ['header', 'context', 'section', 'actions'], kinds
        assert '<@U7>' in said['blocks'][1]['elements'][0]['text']
        assert 'a&lt;b&gt;&amp;c' in said['blocks'][2]['text']['text'] and 'a<b>' not in said['blocks'][2]['text']['text']
        assert [b['text']['text'] for b in said['blocks'][3]['elements']] == ['Accept', 'Decline', 'How did it go?']
        assert all(b['url'].startswith('https://pql.example.org/r/') for b in said['blocks'][3]['elements'])
        assert len(said['blocks'][0]['text']['text']) <= 150 and len(said['blocks'][2]['text']['text']) <= 3000
        # a webhook's address is its secret
        case.sql("UPDATE pql.destination SET url = NULL; SELECT pql.redeliver(delivery_id => delivery_id) FROM pql.delivery")
        deliver(case, env={'PQL_SECRET_HOOK': there.url}).expect(0)
        assert 'authorization' not in there.got[-1]['headers'] and there.url not in case.run('deliver', '--dry-run', *private, env={'PQL_SECRET_HOOK': there.url}).out


def test_hubspot(case):
    with Receiver(lambda r, n: (200, {}, b'{"results": [{"id": "77"}]}')) as there:
        setup(case, there.url.removesuffix('/hook'), kind='hubspot', settings="""'{"company": true}'""")
        case.sql("INSERT INTO pql.reps (rep_id, crm_owner_id) VALUES ('kim', '4711')")
        qualify(case, '900100')
        deliver(case).expect(0)
        upsert, link = there.got
        task = json.loads(upsert['body'])['inputs'][0]
        assert (upsert['method'], upsert['path']) == ('POST', '/crm/v3/objects/tasks/batch/upsert') and task['idProperty'] == 'pql_key', upsert
        assert task['properties']['hubspot_owner_id'] == '4711' and task['properties']['hs_task_status'] == 'NOT_STARTED' and '&lt;buy&gt;' in task['properties']['hs_task_body']
        assert (link['method'], link['path']) == ('PUT', '/crm/v4/objects/tasks/77/associations/default/companies/900100'), link
        case.sql("UPDATE pql.destination SET settings = '{\"object\": \"companies\", \"properties\": {\"pql_state\": \"lifecycle\"}}'")
        case.sql("SELECT pql.claim('kim')")
        deliver(case).expect(0)
        assert (there.got[2]['method'], there.got[2]['path']) == ('PATCH', '/crm/v3/objects/companies/900100')
        assert json.loads(there.got[2]['body']) == {'properties': {'lifecycle': 'claimed'}}
        case.sql("UPDATE pql.destination SET settings = '{}'; SELECT pql.dispose(routing_id, 'disqualified') FROM pql.routing")
        deliver(case).expect(0)
        task = json.loads(there.got[3]['body'])['inputs'][0]
        assert task['id'] == json.loads(upsert['body'])['inputs'][0]['id'] and task['properties']['hs_task_status'] == 'COMPLETED'


def test_salesforce(case):
    with Receiver(lambda r, n: (201, {}, b'{}')) as there:
        setup(case, there.url.removesuffix('/hook'), kind='salesforce', settings="""'{"account": true}'""")
        case.sql("INSERT INTO pql.reps (rep_id, crm_owner_id) VALUES ('kim', '005xx')")
        qualify(case, '001xx')
        deliver(case).expect(0)
        r, = there.got
        task = json.loads(r['body'])
        assert r['method'] == 'PATCH' and r['path'].startswith('/services/data/v59.0/sobjects/Task/Pql_Key__c/pql_'), r['path']
        assert task['OwnerId'] == '005xx' and task['WhatId'] == '001xx' and task['Status'] == 'Not Started' and len(task['ActivityDate']) == 10


class Salesforce:
    """Gives tokens, and takes posts with the newest of them."""

    def __init__(self, grants=None):
        self.grants, self.tokens, self.refuses = grants, [], False  # an answer for each token that is asked for; then tokens

    def __call__(self, request, n):
        if request['path'].endswith('/oauth2/token'):
            answer = next(self.grants, None) if self.grants else None
            if answer:
                return answer
            self.tokens.append(f'token{len(self.tokens) + 1}')
            return 200, {}, json.dumps({'access_token': self.tokens[-1], 'instance_url': 'https://elsewhere.example', 'token_type': 'Bearer'}).encode()
        if not self.refuses and self.tokens and request['headers']['authorization'] == 'Bearer ' + self.tokens[-1]:
            return 201, {}, b'{}'
        return 401, {}, b'[{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]'


def wait_until(holds, seconds=30):
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, 'waited in vain'
        time.sleep(0.1)


def asked(there):
    return [dict(urllib.parse.parse_qsl(r['body'].decode())) for r in there.got if r['path'] == '/services/oauth2/token']


def test_salesforce_token_is_fetched_and_renewed_once(case):
    answers = Salesforce()
    with Receiver(answers) as there:
        setup(case, there.url.removesuffix('/hook'), kind='salesforce', max_attempts='1', settings="""'{"oauth": "client_credentials", "client_id": "3MVG9"}'""")
        qualify(case, *(f'a{i}' for i in range(12)))
        running = case.start('deliver', '--json', '--interval', '0.1', *private, env=secret, stdout=open(case.directory / 'log', 'w'))
        wait_until(lambda: states(case) == 'sent 12')
        assert asked(there) == [{'grant_type': 'client_credentials', 'client_id': '3MVG9', 'client_secret': secret['PQL_SECRET_HOOK']}]
        answers.tokens.append('renewed elsewhere')  # the session ends in the middle
        qualify(case, *(f'b{i}' for i in range(12)))
        wait_until(lambda: states(case) == 'sent 24')
        assert len(asked(there)) == 2, asked(there)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
        log = (case.directory / 'log').read_text()
        assert [json.loads(line)['result'] for line in log.splitlines()] == ['sent'] * 24 and 'token' not in log, log
        assert case.sql('SELECT max(attempts) FROM pql.delivery') == '1'


def test_salesforce_refresh_token(case):
    with Receiver(Salesforce()) as there:
        setup(case, there.url.removesuffix('/hook'), kind='salesforce', settings="""'{"oauth": "refresh_token", "client_id": "3MVG9"}'""")
        qualify(case, 'acme')
        deliver(case, env={'PQL_SECRET_HOOK': '5Aep861/&=+', 'PQL_SECRET_HOOK_CLIENT_SECRET': 'c s'}).expect(0)
        assert asked(there) == [{'grant_type': 'refresh_token', 'client_id': '3MVG9', 'refresh_token': '5Aep861/&=+', 'client_secret': 'c s'}]
        assert states(case) == 'sent 1'


def test_salesforce_without_a_token_nothing_is_lost(case):
    no = (400, {}, b'{"error": "invalid_client", "error_description": "invalid client\\ncredentials"}')
    answers = Salesforce(iter([no, (503, {'Retry-After': '70'}, b'<html>')]))
    with Receiver(answers) as there:
        setup(case, there.url.removesuffix('/hook'), kind='salesforce', max_attempts='1', settings="""'{"oauth": "client_credentials", "client_id": "3MVG9"}'""")
        qualify(case, 'acme', 'beta')
        line, = deliver(case).expect(5).lines()
        assert line['result'] == 'no_token' and line['error'] == 'no access token: invalid_client: invalid client credentials', line
        line, = deliver(case).expect(5).lines()
        assert line['error'] == 'no access token: HTTP 503' and line['retry_in'] >= 70, line
        line, = deliver(case, env={'PQL_SECRET_HOOK': ''}).expect(5).lines()
        assert 'no secret hook' in line['error'], line
        answers.refuses = True  # the token that it gave
        line, = deliver(case).expect(5).lines()
        assert line['result'] == 'no_token' and 'a new one is refused, too' in line['error'], line
        answers.refuses, answers.grants = True, iter([None, no])  # the first of them; then there is none
        line, = deliver(case).expect(5).lines()
        assert line['result'] == 'no_token' and 'invalid_client' in line['error'], line
        assert states(case) == 'pending 2' and case.sql('SELECT max(attempts) FROM pql.delivery') == '0'
        answers.refuses = False
        deliver(case).expect(0)
        assert states(case) == 'sent 2'


def test_salesforce_fixed_token_that_expires(case):
    answers = Salesforce()
    answers.tokens.append('good')
    with Receiver(answers) as there:
        setup(case, there.url.removesuffix('/hook'), kind='salesforce', max_attempts='1')
        qualify(case, 'acme', 'beta')
        line, = deliver(case).expect(5).lines()
        assert line['result'] == 'no_token' and 'it has expired' in line['error'], line
        assert states(case) == 'pending 2'
        deliver(case, env={'PQL_SECRET_HOOK': 'good'}).expect(0)
        assert states(case) == 'sent 2'


def test_salesforce_token_only_from_a_public_host(case):
    with Receiver(Salesforce()) as there:
        setup(case, there.url.removesuffix('/hook'), kind='salesforce', settings="""'{"oauth": "client_credentials", "client_id": "3MVG9"}'""")
        qualify(case, 'acme')
        line, = case.run('deliver', '--once', '--json', env=secret).expect(5).lines()
        assert line['error'] == 'no access token: only https is allowed', line
        case.sql(f"UPDATE pql.destination SET url = 'https://127.0.0.1:{there.port}'")
        line, = case.run('deliver', '--once', '--json', env=secret).expect(5).lines()
        assert 'is not public' in line['error'] and not there.got, line


def test_outreach_says_nothing_that_may_not_be_said(case):
    with Receiver() as there:
        setup(case, there.url, audience="'outreach'")
        qualify(case, 'acme')
        deliver(case, '--reply-url', 'https://x.example', env={'PQL_SECRET_REPLY': 'one:' + 's' * 32}).expect(0)
        said, = there.messages()
        assert set(said['data']) == {'id', 'destination', 'row_key', 'routing', 'packet'} and said['data']['packet']['audience'] == 'outreach', said
        assert 'score' not in said['data']['routing'] and 'owner' not in said['data']['routing']


def test_metrics(case):
    with Receiver(lambda r, n: 200 if n else 404) as there:
        setup(case, there.url)
        qualify(case, 'acme', 'beta')
        deliver(case, '--metrics-file', 'pql.prom', '--parallel', '1').expect(5)
        text = (case.directory / 'pql.prom').read_text()
        for line in ('pql_deliveries{destination="hook",state="dead"} 1', 'pql_deliveries{destination="hook",state="sent"} 1', 'pql_delivery_attempts_total{destination="hook",result="sent"} 1',
                     'pql_delivery_seconds_count{destination="hook"} 2', '# TYPE pql_delivery_attempts_total counter'):
            assert line in text.splitlines(), text
        assert [p.name for p in case.directory.iterdir() if '.new' in p.name] == []


def test_usage(case):
    case.run('deliver', '--once', 'nowhere').expect(2, err='destination "nowhere" does not exist')
    case.run('deliver', '--once', '--reply-url', 'https://x.example').expect(2, err='secret reply')
    case.run('deliver', '--once', '--reply-url', 'https://x.example', env={'PQL_SECRET_REPLY': 'one:short'}).expect(2, err='shorter than 16')
    case.run('deliver', '--parallel', '0').expect(2)
    case.run('deliver', '--once', env={'PGDATABASE': 'pql_no_such_database'}).expect(3)
    case.run('deliver', '--once').expect(0)


def grants_of(role):
    """As doc/delivery.md has them."""
    text = (top / 'doc/delivery.md').read_text()
    return next(block.split('```', 1)[0] for block in text.split('```sql\n') if f'CREATE ROLE {role}' in block)


def test_works_as_a_role_with_these_rights_only(case):
    case.sql('DROP ROLE IF EXISTS pql_deliver')
    try:
        with Receiver(lambda r, n: 500 if n == 0 else 404 if n == 1 else 200) as there:
            setup(case, there.url)
            case.sql(grants_of('pql_deliver'))
            for i in range(3):
                qualify(case, f'a{i}')
                ran = case.run('deliver', '--once', *private, '--metrics-file', 'm', '-U', 'pql_deliver', env=secret)
                assert ran.status in (0, 5), ran.err
            assert states(case) == 'dead 1, pending 1, sent 1', states(case)
            case.run('deliver', '--dry-run', *private, '-U', 'pql_deliver', env=secret).expect(0)
    finally:
        case.sql('DROP OWNED BY pql_deliver; DROP ROLE pql_deliver')


def test_ends_gracefully(case):
    with Receiver(lambda r, n: (time.sleep(0.7), 200)[1]) as there:
        setup(case, there.url)
        qualify(case, *(f'a{i}' for i in range(30)))
        worker = case.start('deliver', '--json', '--parallel', '5', *private, env=secret, stdout=-3)
        until = time.monotonic() + 20
        while len(there.got) < 5 and time.monotonic() < until:
            time.sleep(0.02)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        assert states(case) == f'pending {30 - len(there.got)}, sent {len(there.got)}', (states(case), len(there.got))
        assert case.sql("SELECT count(*) FROM pql.deliveries WHERE state = 'claimed'") == '0'
        deliver(case, '--parallel', '30').expect(0)
        assert len(there.got) == len(set(there.keys())) == 30


def test_is_woken(case):
    with Receiver() as there:
        setup(case, there.url)
        case.start('deliver', '--quiet', '--interval', '60', *private, env=secret)
        time.sleep(1.5)
        begun = time.monotonic()
        qualify(case, 'acme')
        while not there.got and time.monotonic() < begun + 20:
            time.sleep(0.02)
        assert there.got and time.monotonic() - begun < 10


def test_goes_on_when_the_database_comes_back(case):
    with Receiver() as there:
        setup(case, there.url)
        worker = case.start('deliver', '--interval', '0.1', *private, env=secret, stdout=-3, stderr=-3)
        time.sleep(1)
        case.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pqlctl deliver'")
        qualify(case, 'acme')
        until = time.monotonic() + 20
        while not there.got and time.monotonic() < until:
            time.sleep(0.05)
        assert there.got and worker.poll() is None


def test_what_is_on_its_way_while_the_database_is_away_is_noted(case):
    def answer(request, n):
        time.sleep(2)
        return 200
    with Receiver(answer) as there:
        setup(case, there.url)
        qualify(case, 'acme')
        worker = case.start('deliver', '--interval', '0.1', *private, env=secret, stdout=-3, stderr=-3)
        until = time.monotonic() + 20
        while not there.got and time.monotonic() < until:
            time.sleep(0.02)
        case.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pqlctl deliver'")
        while states(case) != 'sent 1' and time.monotonic() < until:
            time.sleep(0.1)
        assert states(case) == 'sent 1', states(case)
        worker.terminate()
        assert worker.wait(20) == 0 and len(there.got) == 1
        assert case.sql('SELECT tried FROM pql.delivery') == '1'


def test_what_could_not_be_noted_at_once_is_noted(case):
    with Receiver() as there:
        setup(case, there.url)
        case.sql("""CREATE SEQUENCE tries; CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF nextval('public.tries') <= 2 THEN RAISE EXCEPTION 'busy' USING ERRCODE = 'lock_not_available'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER busy BEFORE UPDATE ON pql.delivery FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION busy()""")
        qualify(case, 'acme')
        case.start('deliver', '--interval', '0.1', *private, env=secret, stdout=-3, stderr=-3)
        until = time.monotonic() + 20
        while states(case) != 'sent 1' and time.monotonic() < until:
            time.sleep(0.1)
        assert states(case) == 'sent 1' and len(there.got) == 1, (states(case), len(there.got))


def test_what_is_committed_late_is_delivered(case):
    import subprocess
    with Receiver() as there:
        setup(case, there.url)
        qualify(case, 'acme', 'beta')
        deliver(case).expect(0)
        late = subprocess.Popen(['psql', '-XqAt'], stdin=-1, stdout=-3, env=case.env, text=True)
        late.stdin.write("BEGIN; SELECT routing_id FROM pql.claim('ann', 1, (SELECT routing_id FROM pql.routing WHERE subject_id = 'acme'));\n")
        late.stdin.flush()
        until = time.monotonic() + 10
        while case.sql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()") == '0' and time.monotonic() < until:
            time.sleep(0.05)
        case.sql("SELECT count(*) FROM pql.claim('bob', 1, (SELECT routing_id FROM pql.routing WHERE subject_id = 'beta'))")
        deliver(case).expect(0)
        late.stdin.write('COMMIT;\n')
        late.stdin.close()
        late.wait(10)
        deliver(case).expect(0)
        told = [(m['type'], m['data']['routing']['subject_id']) for m in there.messages()]
        assert told[2:] == [('routing.updated', 'beta'), ('routing.updated', 'acme')], told


def test_killed_again_and_again(case):
    """Two workers at once, killed at any moment, and a receiver that misbehaves in every way."""
    import random
    random.seed(7)
    kinds = [200] * 12 + [500, 503, ('reset', {}, b''), ('half', {}, b''), ('hang', 1.5, b'')]
    with Receiver(lambda r, n: (time.sleep(random.random() * 0.05), random.choice(kinds))[1]) as there:
        setup(case, there.url, timeout="'1 second'", max_attempts='1000')
        case.sql("""CREATE FUNCTION hurry() RETURNS void LANGUAGE sql AS $$UPDATE pql.delivery SET next_at = least(next_at, now() + interval '0.2 seconds'),
                      claimed_until = least(claimed_until, now() + interval '2 seconds') WHERE state = 'pending' AND (claimed_until IS NULL OR claimed_until > now() + interval '5 minutes');
                    UPDATE pql.delivery_mark SET paused_until = NULL$$""")
        subjects = [f's{i}' for i in range(300)]
        workers = []
        for round in range(15):
            qualify(case, *subjects[round * 20:round * 20 + 20])
            while len(workers) < 2:
                workers.append(case.start('deliver', '--quiet', '--interval', '0.05', '--parallel', '6', *private, env=secret, stdout=-3))
            time.sleep(0.2 + random.random() * 0.3)
            worker = workers.pop(random.randrange(2))
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            # what its lease holds would be taken again in half a minute; here at once
            case.sql("UPDATE pql.delivery SET next_at = now() WHERE state = 'pending'")
        until = time.monotonic() + 60
        while case.sql("SELECT count(*) FROM pql.delivery WHERE state = 'pending'") != '0' and time.monotonic() < until:
            due_now(case)
            case.sql("UPDATE pql.delivery SET next_at = now() WHERE claimed_until < now() + interval '29 seconds'")
            if workers[0].poll() is not None:
                workers = []
            if not workers:
                workers.append(case.start('deliver', '--quiet', '--interval', '0.05', '--parallel', '20', *private, env=secret, stdout=-3))
            time.sleep(0.2)
        assert states(case) == 'sent 300', states(case)
        by_subject, taken = collections.defaultdict(set), collections.Counter()
        for r in there.got:
            said = json.loads(r['body'])
            by_subject[said['data']['routing']['subject_id']].add(r['headers']['idempotency-key'])
            taken[r['headers']['idempotency-key']] += r['answer'] == 200
        assert set(by_subject) == set(subjects), 'nothing is lost'
        assert all(len(keys) == 1 for keys in by_subject.values()), 'duplicates have the same key'
        assert all(taken[k] >= 1 for keys in by_subject.values() for k in keys), 'each was taken'


def test_dump_and_restore_keep_what_was_told(case):
    import subprocess
    with Receiver() as there:
        setup(case, there.url)
        qualify(case, 'acme', 'beta')
        deliver(case).expect(0)
        qualify(case, 'ceta')
        dump = subprocess.run(['pg_dump', '-Fc'], env=case.env, capture_output=True, check=True).stdout
        other = case.database + '_r'
        try:
            case._admin(f'DROP DATABASE IF EXISTS {other}')
            case._admin(f"CREATE DATABASE {other} TEMPLATE template0 ENCODING 'UTF8'")
            subprocess.run(['pg_restore', '-d', other], input=dump, env=case.env, check=True, capture_output=True)
            deliver(case, env={'PGDATABASE': other}).expect(0)
            assert sorted(m['data']['routing']['subject_id'] for m in there.messages()) == ['acme', 'beta', 'ceta']
            deliver(case).expect(0)  # in both: by the same key
            assert there.keys()[2] == there.keys()[3]
        finally:
            case._admin(f'DROP DATABASE IF EXISTS {other}')


def test_erasure_reaches_it(case):
    with Receiver(lambda r, n: (500, {}, b'')) as there:
        setup(case, there.url)
        qualify(case, 'acme', 'beta')
        deliver(case).expect(5)
        case.sql("SELECT * FROM pql.erase_account('acme')")
        due_now(case)
        before = len(there.got)
        deliver(case).expect(5)
        assert [m['data']['routing']['subject_id'] for m in there.messages()[before:]] == ['beta']
        assert case.sql("SELECT count(*) FROM pql.delivery AS d WHERE d::text LIKE '%acme%'") == '0'
