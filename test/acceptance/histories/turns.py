"""Sessions that take turns: each sends its statements one after the other, and waits for locks while the others go on."""
import ctypes
import os
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench"))
import libpq  # noqa: E402

_lib, _p, _s, _i = libpq._lib, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
for _name, _result, _arguments in [
    ("PQsendQuery", _i, [_p, _s]), ("PQsocket", _i, [_p]), ("PQconsumeInput", _i, [_p]), ("PQisBusy", _i, [_p]), ("PQgetResult", _p, [_p]),
    ("PQresultErrorField", _s, [_p, _i]), ("PQtransactionStatus", _i, [_p]),
]:
    _f = getattr(_lib, _name)
    _f.restype, _f.argtypes = _result, _arguments
_SQLSTATE = ord("C")
_IN_TRANSACTION, _FAILED = 2, 3

# What a history may meet: retryable, refused for what it is, or for the order of things.
EXPECTED = {"40001", "40P01", "55P03", "55000", "42704", "42710", "22023", "22004", "3B001", "25P01", "25P02", "25001", "2D000", "0A000", "23505"}


class Session(libpq.Session):
    """Errors don't raise here: their SQLSTATEs are the results."""

    def __init__(self, database):
        super().__init__(database, ["client_min_messages = error", "deadlock_timeout = '20ms'", "pql.backfill_batch = 1", "jit = off"])
        self.queue, self.running, self.errors = [], None, []

    def send(self, sql):
        self.running = sql
        if not _lib.PQsendQuery(self.connection, sql.encode()):
            raise libpq.Error(_lib.PQerrorMessage(self.connection).decode())

    def collect(self):
        """Whether the statement is done; notes its error."""
        if not _lib.PQconsumeInput(self.connection):
            raise libpq.Error(f"{_lib.PQerrorMessage(self.connection).decode().strip()}\n  in: {self.running}")
        if _lib.PQisBusy(self.connection):
            return False
        while result := _lib.PQgetResult(self.connection):
            state = _lib.PQresultErrorField(result, _SQLSTATE)
            if state:
                self.errors.append((state.decode(), self.running, _lib.PQresultErrorMessage(result).decode()))
            _lib.PQclear(result)
        self.running = None
        return True

    def wait(self, seconds):
        select.select([_lib.PQsocket(self.connection)], [], [], seconds)

    @property
    def status(self):
        return _lib.PQtransactionStatus(self.connection)

    def in_transaction(self):
        return self.status == _IN_TRANSACTION

    def has_failed(self):
        return self.status == _FAILED


class Turns:
    def __init__(self, database, sessions, control):
        self.sessions = [Session(database) for _ in range(sessions)]
        self.control = control

    def close(self):
        for s in self.sessions:
            s.close()

    def play(self, operations):
        for n, sql in operations:
            self.sessions[n % len(self.sessions)].queue.append(sql)
            self.step(self.sessions[n % len(self.sessions)])
            for s in self.sessions:
                self.step(s)
        self.finish()

    def step(self, s):
        """Lets a session do what it has to, until it waits for a lock."""
        while s.running or s.queue:
            if not s.running:
                s.send(s.queue.pop(0))
            if not self.done_or_waits(s):
                return
            if s.has_failed() and not (s.queue and s.queue[0].startswith("ROLLBACK")):
                s.send("ROLLBACK")
                while not s.collect():
                    s.wait(1)

    def done_or_waits(self, s):
        """True when it is done, false when it waits for a lock that another session has."""
        waits = 0
        began = time.monotonic()
        pause = 0.002
        while not s.collect():
            s.wait(pause)
            if s.collect() if s.running else True:
                return True
            waiting = self.control.value(f"SELECT coalesce(wait_event_type, '') = 'Lock' FROM pg_stat_activity WHERE pid = {s.pid}") == "t"
            waits = waits + 1 if waiting else 0
            if waits > 2:
                return False
            pause = 0.004
            if time.monotonic() - began > 60:
                raise libpq.Error(f"takes more than a minute: {s.running}")
        return True

    def finish(self):
        """Commits, first of those who have nothing left to do but to let the others go on."""
        for _ in range(1000):
            for s in self.sessions:
                self.step(s)
            idle = [s for s in self.sessions if not s.running]
            for s in idle:
                if s.status:
                    s.queue.append("COMMIT")
                    self.step(s)
                    break
            else:
                if len(idle) == len(self.sessions):
                    return
        raise libpq.Error("the sessions wait for each other")

    def unexpected(self):
        return [e for s in self.sessions for e in s.errors if e[0] not in EXPECTED]
