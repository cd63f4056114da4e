"""What the tests of pqlctl share: a database of their own, the program run with pipes or in a pseudo-terminal, and SQL to look with."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

top = Path(__file__).resolve().parent.parent.parent
data = Path(__file__).resolve().parent / 'data'
program = os.environ.get('PQLCTL', str(top / 'build/cmake/pqlctl'))


class Skip(Exception):
    """The test can't be run here; its text says why."""


class Ran:
    """How a run of the program ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def expect(self, status=0, out=None, err=None):
        """Its status, and patterns that its streams must have; returns itself."""
        assert self.status == status, f'status {self.status} instead of {status}\nout: {self.out[-2000:]}\nerr: {self.err[-2000:]}'
        for name, pattern, text in (('out', out, self.out), ('err', err, self.err)):
            for one in [pattern] if isinstance(pattern, str) else pattern or []:
                assert re.search(one, text, re.M | re.S), f'no /{one}/ in {name}:\n{text[-2000:]}'
        return self


class Terminal:
    """The program in a pseudo-terminal; what it shows is in .shown."""

    def __init__(self, case, *arguments, columns=100, rows=30, env=None):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(case.directory)
            os.execve(program, [program, *map(str, arguments)], {**case.env, 'TERM': 'xterm', **(env or {})})
        self.shown = ''
        self.seen = 0
        self.resize(columns, rows)

    def resize(self, columns, rows=30):
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def _read(self, until):
        left = until - time.monotonic()
        if left <= 0 or not select.select([self.file], [], [], left)[0]:
            return False
        try:
            some = os.read(self.file, 65536)
        except OSError:  # the program has gone
            some = b''
        self.shown += some.decode('utf-8', 'replace')
        return bool(some)

    def wait_for(self, pattern, seconds=20):
        """Reads until the pattern is in what came since the last wait."""
        until = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.shown[self.seen:], re.M | re.S)
            if found:
                self.seen += found.end()
                return found
            assert self._read(until), f'no /{pattern}/ on the terminal:\n{self.shown[-2000:]}'

    def send(self, text):
        os.write(self.file, text.encode())

    def interrupt(self):
        self.send('\x03')

    def end(self, seconds=20):
        """Waits for the end; gives the status."""
        until = time.monotonic() + seconds
        while self._read(until):
            pass
        while time.monotonic() < until + 1:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.file)
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError(f'the program did not end:\n{self.shown[-2000:]}')

    def kill(self):
        """As the machine's memory killer does."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.file)

    def plain(self):
        """What was shown, without colours."""
        return re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', self.shown).replace('\r\n', '\n')


class Case:
    """One test: a database with the extension (made when it is first asked for), and a directory."""

    def __init__(self, name):
        self.name = re.sub(r'[^a-z0-9]+', '_', name.lower())[:50]
        self.database = 'cli_' + self.name
        self.directory = Path(tempfile.mkdtemp(prefix='pql-cli-'))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith('PG') or k in ('PGHOST', 'PGPORT', 'PGUSER')}
        self.env.update(PGDATABASE=self.database, LC_ALL='C.UTF-8', HOME=str(self.directory), TZ='UTC', NO_COLOR='')
        self.begun = []

    def __enter__(self):
        self._admin(f'DROP DATABASE IF EXISTS {self.database} WITH (FORCE)')
        self._admin(f"CREATE DATABASE {self.database} TEMPLATE template0 ENCODING 'UTF8'")
        self._admin(f"ALTER DATABASE {self.database} SET timezone = 'UTC'")
        self.sql('CREATE EXTENSION pql')
        return self

    def __exit__(self, *_):
        for one in self.begun:
            if one.poll() is None:
                one.kill()
                one.wait()
        self._admin(f'DROP DATABASE IF EXISTS {self.database} WITH (FORCE)')
        shutil.rmtree(self.directory, ignore_errors=True)

    def _admin(self, sql):
        subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', 'postgres', '-c', sql], check=True, capture_output=True, text=True)

    def sql(self, sql, **variables):
        """Runs SQL as psql does; gives what it prints, without alignment."""
        chosen = [a for k, v in variables.items() for a in ('-v', f'{k}={v}')]
        ran = subprocess.run(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', *chosen], input=sql, env=self.env, capture_output=True, text=True)
        assert ran.returncode == 0, f'{sql[:500]}\n{ran.stderr}'
        return ran.stdout.rstrip('\n')

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def run(self, *arguments, stdin='', env=None, seconds=120):
        """The program with pipes for streams."""
        ran = subprocess.run([program, *map(str, arguments)], input=stdin if isinstance(stdin, bytes) else stdin.encode(), capture_output=True,
                             env={**self.env, **(env or {})}, cwd=self.directory, timeout=seconds)
        return Ran(ran.returncode, ran.stdout.decode('utf-8', 'replace'), ran.stderr.decode('utf-8', 'replace'))

    def start(self, *arguments, env=None, **streams):
        """The program in the background; killed at the end of the test if it still runs."""
        self.begun.append(subprocess.Popen([program, *map(str, arguments)], env={**self.env, **(env or {})}, cwd=self.directory, **streams))
        return self.begun[-1]

    def terminal(self, *arguments, **how):
        return Terminal(self, *arguments, **how)
