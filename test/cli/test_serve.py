"""pqlctl serve: reps answer by signed links, in one tap; nothing is changed by looking, nobody answers as somebody else.
covers: S1-37, S1-38, S2-27
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import resource
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

from receiver import qualify, setup

key = 's' * 40
reply_env = {'PQL_SECRET_REPLY': f'one:{key},old:{"o" * 40}'}


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b'=').decode()


def link(routing_id, rep, action='accept', expires=None, name='one', secret=key):
    payload = encoded(json.dumps([name, int(routing_id), rep, action, int(expires or time.time() + 3600)]).encode())
    return f'/r/{payload}.' + encoded(hmac.new(secret.encode(), f'pql reply 1 {payload}'.encode(), hashlib.sha256).digest())


class Site:
    def __init__(self, case, *arguments, env=None):
        self.process = case.start('serve', '--listen-port', '0', *arguments, env={**reply_env, **(env or {})}, stdout=-1)
        self.port = int(self.process.stdout.readline().split()[-1])

    def ask(self, method, path, form=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=20)
        body = urllib.parse.urlencode(form) if form is not None else None
        connection.request(method, path, body, {'Content-Type': 'application/x-www-form-urlencoded'} if body is not None else {})
        r = connection.getresponse()
        text = r.read().decode()
        connection.close()
        return r.status, text, r.headers

    def get(self, path):
        return self.ask('GET', path)[:2]

    def post(self, path, **form):
        return self.ask('POST', path, form)[:2]


def begin(case, *subjects, reps=('kim',)):
    setup(case, 'https://example.org/')
    for rep in reps:
        case.sql(f"INSERT INTO pql.reps (rep_id) VALUES ('{rep}')")
    qualify(case, *subjects)
    return [case.sql(f"SELECT routing_id FROM pql.routing WHERE subject_id = '{s}'") for s in subjects]


def state(case, row):
    return case.sql(f"SELECT state || coalesce(' ' || owner, '') FROM pql.routing WHERE routing_id = {row}")


def test_looking_changes_nothing(case):
    row, = begin(case, '<script>alert(1)</script>')
    site = Site(case)
    before = case.sql('SELECT count(*) FROM pql.routing_transition')
    for action in ('accept', 'decline', 'dispose'):
        for method in ('GET', 'HEAD'):
            status, text, headers = site.ask(method, link(row, 'kim', action) + '?utm_source=scanner')
            assert status == 200 and ('&lt;script&gt;' in text or method == 'HEAD') and '<script' not in text, text
            assert headers['Cache-Control'] == 'no-store' and headers['Referrer-Policy'] == 'no-referrer' and headers['X-Content-Type-Options'] == 'nosniff'
            assert "default-src 'none'" in headers['Content-Security-Policy'] and "frame-ancestors 'none'" in headers['Content-Security-Policy']
    assert case.sql('SELECT count(*) FROM pql.routing_transition') == before and state(case, row) == 'ready kim'


def test_accepts_in_one_tap(case):
    row, = begin(case, 'acme')
    site = Site(case)
    for _ in range(3):
        status, text = site.post(link(row, 'kim'), action='accept')
        assert status == 200 and 'Accepted' in text, text
    assert state(case, row) == 'accepted kim'
    assert case.sql("SELECT string_agg(to_state || ' ' || actor, ', ' ORDER BY transition_id) FROM pql.routing_transition WHERE actor <> 'pql'") == 'claimed kim, accepted kim'
    assert 'You have accepted it' in site.get(link(row, 'kim'))[1]


def test_declines_with_a_reason(case):
    row, = begin(case, 'acme')
    site = Site(case)
    assert site.post(link(row, 'kim', 'decline'), action='decline')[0] == 400
    assert state(case, row) == 'ready kim'
    for _ in range(2):
        status, text = site.post(link(row, 'kim', 'decline'), action='decline', reason='No time', words="Ça va – “later” 'quoted'")
        assert status == 200 and 'Declined' in text, text
    assert case.sql('SELECT reason FROM pql.declined') == "No time: Ça va – “later” 'quoted'"
    assert site.get(link(row, 'kim'))[0] == 409


def test_tells_what_came_of_it_with_three_answers(case):
    row, = begin(case, 'acme')
    site = Site(case)
    token = link(row, 'kim', 'dispose')
    status, text = site.get(token)
    assert all(words in text for words in ('Was the need as described?', 'Was the timing right?', 'Did the story say enough?')), text
    assert site.post(token, action='dispose')[0] == 400
    for _ in range(2):
        assert site.post(token, action='dispose', disposition='meeting_set', channel='phone', need_matched='yes', timing_right='no', context_enough='', note='asked for <SSO>')[0] == 200
    assert case.sql("SELECT concat_ws('|', rep, actor, disposition, need_matched, timing_right, coalesce(context_enough::text, 'none'), note) FROM pql.disposition") == \
        'kim|kim|meeting_set|t|f|none|asked for <SSO>'
    assert case.sql("SELECT channel || ' ' || rep FROM pql.touch") == 'phone kim' and state(case, row) == 'disposed kim'
    status, text = site.post(token, action='dispose', disposition='converted')
    assert status == 409 and 'answered already' in text and 'meeting_set' in text
    assert site.post(link(row, 'kim'), action='accept')[0] == 409


def test_disqualifies_without_a_contact(case):
    row, = begin(case, 'acme')
    site = Site(case)
    assert site.post(link(row, 'kim', 'dispose'), action='dispose', disposition='disqualified', failure='wrong_person')[0] == 200
    assert case.sql('SELECT count(*) FROM pql.touch') == '0' and case.sql('SELECT failure FROM pql.disposition') == 'wrong_person'


def test_forged_and_expired_links(case):
    row, = begin(case, 'acme')
    site = Site(case)
    good = link(row, 'kim')
    payload, mac = good[3:].split('.')
    other = encoded(json.dumps(['one', int(row), 'lee', 'accept', int(time.time()) + 3600]).encode())
    wrong = [link(row, 'kim', secret='x' * 40), link(row, 'kim', name='two'), '/r/' + other + '.' + mac, good[:-1], good + 'A', '/r/' + payload, '/r/' + payload + '.', '/r/.', '/r/',
             '/r/' + payload + '.' + mac[:-2], '/r/' + 'A' * 3000, '/r/%00.%00', good.replace('.', '..')]
    for bad in wrong:
        for method, form in (('GET', None), ('POST', {'action': 'accept'})):
            status, text, _ = site.ask(method, bad, form)
            assert status == 403 and 'not valid' in text, (bad, status)
    for method, form in (('GET', None), ('POST', {'action': 'accept'})):
        assert site.ask(method, link(row, 'kim', expires=time.time() - 1), form)[0] == 410
    assert state(case, row) == 'ready kim'
    # a new key is in front, the old one is still good
    assert site.post(link(row, 'kim', name='old', secret='o' * 40), action='accept')[0] == 200


def test_the_row_is_somebody_elses(case):
    row, = begin(case, 'acme', reps=('kim',))
    case.sql("INSERT INTO pql.reps (rep_id, team) VALUES ('lee', 'default'), ('far', 'elsewhere')")
    site = Site(case)
    case.sql(f"SELECT pql.reassign({row}, 'lee', 'her account'); SELECT pql.claim('lee', 1, {row})")
    for action, form in (('accept', {}), ('decline', {'reason': 'x'}), ('dispose', {'disposition': 'disqualified'})):
        status, text = site.post(link(row, 'kim', action), action=action, **form)
        assert status == 409 and 'lee' in text and "isn&#39;t yours" in text, (action, status, text)
    assert site.get(link(row, 'kim'))[0] == 409
    assert site.get(link(999999999, 'kim'))[0] == 410
    assert state(case, row) == 'claimed lee'


def test_as_a_role_with_these_rights_only(case):
    """The GRANTs of doc/delivery.md; and rows of other teams are not even shown."""
    from test_deliver import grants_of
    case.sql('DROP ROLE IF EXISTS pql_reply')
    try:
        one, two = begin(case, 'acme', 'beta')
        case.sql("INSERT INTO pql.reps (rep_id, team) VALUES ('far', 'elsewhere')")
        case.sql(grants_of('pql_reply'))
        site = Site(case, '-U', 'pql_reply')
        status, text = site.get(link(one, 'far'))
        assert status == 410 and 'acme' not in text, text
        assert site.post(link(one, 'far'), action='accept')[0] == 410
        assert site.post(link(one, 'kim'), action='accept')[0] == 200
        assert site.post(link(one, 'kim'), action='dispose', disposition='converted', channel='email')[0] == 200
        assert site.post(link(two, 'kim'), action='decline', words='no')[0] == 200
        assert state(case, one) == 'disposed kim'
        # a rep with a role of its own: only its members answer for it
        case.sql("CREATE ROLE pql_kim; UPDATE pql.reps SET db_role = 'pql_kim' WHERE rep_id = 'kim'")
        qualify(case, 'ceta')
        three = case.sql("SELECT routing_id FROM pql.routing WHERE subject_id = 'ceta'")
        case.sql(f"UPDATE pql.routing SET owner = 'kim' WHERE routing_id = {three}")
        status, text = site.post(link(three, 'kim'), action='accept')
        assert status in (403, 409, 410), text
        case.sql('GRANT pql_kim TO pql_reply')
        assert site.post(link(three, 'kim'), action='accept')[0] == 200
    finally:
        case.sql('DROP OWNED BY pql_reply; DROP ROLE IF EXISTS pql_reply; DROP ROLE IF EXISTS pql_kim')


def test_who_is_no_rep(case):
    row, = begin(case, 'acme')
    site = Site(case)
    assert site.post(link(row, 'ghost'), action='accept')[0] in (403, 409)
    assert state(case, row) == 'ready kim'


def test_nonsense_is_refused(case):
    row, = begin(case, 'acme')
    site = Site(case)
    good = link(row, 'kim')
    assert site.get('/')[0] == 404 and site.get('/etc/passwd')[0] == 404
    assert site.ask('PUT', good)[0] == 405 and site.ask('DELETE', good)[0] == 405
    assert site.post(good, action='drop')[0] == 400 and site.post(good)[0] == 400
    assert site.post(good, action='dispose', disposition='rich')[0] == 400
    assert site.ask('POST', good, {'action': 'decline', 'reason': b'\xff\xfe'})[0] == 400
    assert site.ask('POST', good, {'action': 'decline', 'reason': 'a\0b'})[0] == 400
    assert site.post(good, action='decline', words='x' * 20000)[0] == 413

    def raw(data, wait=5):
        with socket.create_connection(('127.0.0.1', site.port), wait) as s:
            s.sendall(data)
            s.settimeout(wait)
            return s.recv(4096).split(b'\r\n')[0]
    assert b'400' in raw(b'nonsense\r\n\r\n') and b'400' in raw(b'GET http://x/ HTTP/1.1\r\n\r\n') and b'400' in raw(b'GET / HTTP/2\r\n\r\n')
    assert b'400' in raw(b'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n') and b'413' in raw(b'POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n')
    assert b'400' in raw(b'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n') and b'413' in raw(b'GET /' + b'a' * 9000)
    assert b'400' in raw(b'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n')
    assert state(case, row) == 'ready kim'


def test_slow_clients_hold_up_nobody(case):
    row, = begin(case, 'acme')
    site = Site(case, '--timeout', '1', '--connections', '30')
    slow = [socket.create_connection(('127.0.0.1', site.port)) for _ in range(20)]
    for s in slow:
        s.sendall(b'GET /heal')
    begun = time.monotonic()
    assert site.get('/healthz') == (200, 'ok\n') and time.monotonic() - begun < 1
    for _ in range(4):  # a byte now and then doesn't help
        time.sleep(0.4)
        for s in slow:
            try:
                s.sendall(b'x')
            except OSError:
                pass
    slow[0].settimeout(5)
    try:
        assert b'408' in slow[0].recv(4096)
    except ConnectionResetError:
        pass
    for s in slow:
        s.close()
    assert site.get('/healthz')[0] == 200


def test_a_lock_holds_up_nobody_for_long(case):
    row, = begin(case, 'acme')
    case.sql(f"SELECT pql.claim('kim', 1, {row})")
    site = Site(case)
    holder = subprocess.Popen(['psql', '-Xq', '-c', 'BEGIN', '-c', f'SELECT 1 FROM pql.routing WHERE routing_id = {row} FOR UPDATE', '-c', 'SELECT pg_sleep(60)'],
                              env=case.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while case.sql("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'") == '0':
            time.sleep(0.05)
        begun = time.monotonic()
        status, text = site.post(link(row, 'kim'), action='accept')
        assert status == 409 and 'Try again' in text and time.monotonic() - begun < 10, (status, text)
    finally:
        case.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")
        holder.wait()
    assert site.post(link(row, 'kim'), action='accept')[0] == 200


def test_without_descriptors_it_waits(case):
    site = Site(case)
    process = Path('/proc') / str(site.process.pid)

    def seconds_at_work():
        return sum(map(int, (process / 'stat').read_text().rsplit(') ', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')
    most = len(list((process / 'fd').iterdir())) + 3
    resource.prlimit(site.process.pid, resource.RLIMIT_NOFILE, (most, most))
    waiting = [socket.create_connection(('127.0.0.1', site.port)) for _ in range(8)]
    time.sleep(0.5)
    before = seconds_at_work()
    time.sleep(1.5)
    assert seconds_at_work() - before < 0.2
    for s in waiting:
        s.close()
    assert site.get('/healthz') == (200, 'ok\n')


def test_what_was_not_committed_is_not_counted(case):
    row, = begin(case, 'acme')
    case.sql("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
        CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON pql.routing_transition DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()""")
    site = Site(case)
    assert site.post(link(row, 'kim'), action='accept')[0] == 503 and state(case, row) == 'ready kim'
    text = site.get('/metrics')[1]
    assert 'pql_replies_total{what="accept"} 0' in text and 'pql_replies_total{what="refused"} 1' in text, text
    case.sql('DROP TRIGGER refuse ON pql.routing_transition')
    assert site.post(link(row, 'kim'), action='accept')[0] == 200
    assert 'pql_replies_total{what="accept"} 1' in site.get('/metrics')[1]


def test_health_metrics_and_the_end(case):
    row, = begin(case, 'acme')
    site = Site(case)
    site.post(link(row, 'kim'), action='accept')
    site.get('/r/forged.forged')
    text = site.get('/metrics')[1]
    assert 'pql_replies_total{what="accept"} 1' in text and 'pql_replies_total{what="forged"} 1' in text
    case.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pqlctl'")
    assert site.get('/healthz')[0] == 200  # connected again
    assert site.get('/style.css')[0] == 200
    site.process.terminate()
    assert site.process.wait(10) == 0


def test_usage(case):
    case.run('serve', '--listen-port', '0').expect(2, err='no secret reply')
    case.run('serve', '--listen', 'nonsense', env=reply_env).expect(2, err='not an address')
    with socket.create_server(('127.0.0.1', 0)) as taken:
        case.run('serve', '--listen-port', taken.getsockname()[1], env=reply_env).expect(2, err='could not listen')
    case.run('serve', '--listen-port', '0', env={**reply_env, 'PGDATABASE': 'pql_no_such_database'}).expect(3)


def test_the_links_of_deliver_are_good(case):
    from receiver import Receiver
    with Receiver() as there:
        row, = begin(case, 'acme')
        case.sql(f"UPDATE pql.destination SET url = '{there.url}'")
        site = Site(case)
        case.run('deliver', '--once', '--allow-private', '127.0.0.1', '--reply-url', f'http://127.0.0.1:{site.port}', env={'PQL_SECRET_HOOK': 'x', **reply_env}).expect(0)
        links = there.messages()[0]['data']['reply']
        path = urllib.parse.urlparse(links['accept']).path
        assert site.get(path)[0] == 200 and site.post(path, action='accept')[0] == 200
        assert site.post(urllib.parse.urlparse(links['dispose']).path, action='dispose', disposition='converted')[0] == 200
        assert state(case, row) == 'disposed kim'
