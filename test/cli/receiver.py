"""A receiver of deliveries that misbehaves as it is told to, and remembers what reached it."""
import json
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Skip


class Receiver:
    """.got has every request that was read whole: path, headers, body, and the status that it was answered with (None: none was)."""

    def __init__(self, answer=None, tls=None):
        self.got, self.lock = [], threading.Lock()
        self.answer = answer or (lambda request, n: 200)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def log_message(self, *_):
                pass

            def handle_any(self):
                length = int(self.headers.get('Content-Length') or 0)
                body = self.rfile.read(length)
                if len(body) < length:  # the sender died
                    self.close_connection = True
                    return
                request = {'method': self.command, 'path': self.path, 'headers': {k.lower(): v for k, v in self.headers.items()}, 'body': body, 'answer': None}
                with receiver.lock:
                    n = len(receiver.got)
                    receiver.got.append(request)
                answer = receiver.answer(request, n)
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, b'{}')
                if status == 'hang':
                    time.sleep(headers)
                    self.close_connection = True
                    return
                if status in ('reset', 'half'):  # in the middle of the answer, or before it
                    if status == 'half':
                        self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf')
                        self.wfile.flush()
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                    self.connection.close()
                    self.close_connection = True
                    return
                request['answer'] = status
                try:
                    self.send_response(status)
                    for k, v in headers.items():
                        self.send_header(k, v)
                    self.send_header('Content-Length', str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            do_POST = do_PUT = do_PATCH = do_GET = handle_any

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Quiet(('127.0.0.1', 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = f'{"https" if tls else "http"}://{"localhost" if tls else "127.0.0.1"}:{self.port}/hook'
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def messages(self):
        with self.lock:
            return [json.loads(r['body']) for r in self.got]

    def keys(self):
        with self.lock:
            return [r['headers']['idempotency-key'] for r in self.got]


def certificate(directory):
    """A certificate that nobody signed but itself."""
    if not shutil.which('openssl'):
        raise Skip('needs openssl to make a certificate')
    cert, key = directory / 'cert.pem', directory / 'key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
                    '-addext', 'subjectAltName=DNS:localhost', '-keyout', str(key), '-out', str(cert)], check=True, capture_output=True)
    return str(cert), str(key)


program = """
CREATE TABLE ev (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ts timestamptz NOT NULL DEFAULT now(), who text, org text, name text);
SELECT count(*) FROM pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'ts', event_id => 'id');
SELECT pql.publish('{"program": "buy", "unit": "account", "qualify": {"enter": 10, "leave": 5},
  "signals": {"wants": {"kind": "intent", "event": "buy", "half_life": "7 days", "points_each": 10, "max_points": 90, "why": "wants to <buy> & \\"now\\""}},
  "motions": [{"otherwise": true, "motion": "account_executive", "after": "0", "by": "1 day", "next_best_action": "Call them"}]}');
SELECT pql.promote('buy');
INSERT INTO pql.team SELECT 'default', 'UTC', jsonb_object_agg(d, '["00:00-24:00"]'::jsonb) FROM unnest('{mon,tue,wed,thu,fri,sat,sun}'::text[]) AS d;
"""


def setup(case, url, kind='webhook', **columns):
    """A program whose rows are ready at once, and a destination."""
    case.sql(program)
    names = ''.join(', ' + c for c in columns)
    values = ''.join(', ' + v for v in columns.values())
    case.sql(f"INSERT INTO pql.destination (destination, kind, url{names}) VALUES ('hook', '{kind}', {repr(url) if url else 'NULL'}{values})")


def qualify(case, *subjects):
    rows = ', '.join(f"('u-{s}', '{s}', 'buy')" for s in subjects)
    case.sql(f'INSERT INTO ev (who, org, name) VALUES {rows}; SELECT * FROM pql.tick();')


def due_now(case):
    """What waits for another attempt need not wait any longer."""
    case.sql("UPDATE pql.delivery SET next_at = now() - interval '1 second' WHERE state = 'pending' AND claimed_until IS NULL; UPDATE pql.delivery_mark SET paused_until = NULL")
