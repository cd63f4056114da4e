"""A small client over libpq (ctypes, so that only the standard library is needed): what a benchmark needs and no more.

A Session is one backend for the whole run. It tells the time of a statement as the client sees it, and the processor time
that its backend took, to the nanosecond where the kernel keeps it (/proc/PID/schedstat), else to a tick.
"""
import ctypes
import ctypes.util
import os
import time

_lib = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
_p, _s, _i = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
for _name, _result, _arguments in [
    ("PQconnectdb", _p, [_s]), ("PQstatus", _i, [_p]), ("PQerrorMessage", _s, [_p]), ("PQfinish", None, [_p]),
    ("PQexec", _p, [_p, _s]), ("PQprepare", _p, [_p, _s, _s, _i, _p]), ("PQbackendPID", _i, [_p]),
    ("PQexecPrepared", _p, [_p, _s, _i, ctypes.POINTER(_s), _p, _p, _i]), ("PQresultStatus", _i, [_p]),
    ("PQresultErrorMessage", _s, [_p]), ("PQclear", None, [_p]), ("PQntuples", _i, [_p]), ("PQnfields", _i, [_p]),
    ("PQgetvalue", _s, [_p, _i, _i]), ("PQgetisnull", _i, [_p, _i, _i]),
    ("PQsetNoticeProcessor", _p, [_p, _p, _p]),
]:
    _f = getattr(_lib, _name)
    _f.restype, _f.argtypes = _result, _arguments

_quiet = ctypes.CFUNCTYPE(None, _p, _s)(lambda _arg, _message: None)
_EMPTY, _COMMAND, _TUPLES = 0, 1, 2
_TICK = os.sysconf("SC_CLK_TCK")


class Error(Exception):
    pass


def processor_seconds(pid):
    """User and system time that a process has taken."""
    try:
        with open(f"/proc/{pid}/schedstat") as f:
            ran = int(f.read().split()[0])
        if ran:
            return ran / 1e9
    except OSError:
        pass
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def children_seconds(pid):
    """User and system time of the children that a process has waited for."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[13]) + int(fields[14])) / _TICK


class Session:
    def __init__(self, database, settings=()):
        self.connection = _lib.PQconnectdb(f"dbname={database} application_name=bench".encode())
        if _lib.PQstatus(self.connection) != 0:
            raise Error(_lib.PQerrorMessage(self.connection).decode())
        _lib.PQsetNoticeProcessor(self.connection, ctypes.cast(_quiet, _p), None)
        self.pid = _lib.PQbackendPID(self.connection)
        self.database = database
        for setting in settings:
            self.run(f"SET {setting}")

    def close(self):
        if self.connection:
            _lib.PQfinish(self.connection)
            self.connection = None

    def _rows(self, result, what):
        status = _lib.PQresultStatus(result)
        try:
            if status not in (_EMPTY, _COMMAND, _TUPLES):
                message = _lib.PQresultErrorMessage(result).decode() or _lib.PQerrorMessage(self.connection).decode()
                raise Error(f"{self.database}: {message.strip()}\n  in: {what[:300]}")
            return [tuple(None if _lib.PQgetisnull(result, r, c) else _lib.PQgetvalue(result, r, c).decode()
                          for c in range(_lib.PQnfields(result))) for r in range(_lib.PQntuples(result))]
        finally:
            _lib.PQclear(result)

    def run(self, sql):
        """Runs one string of SQL; the rows of its last statement, as text."""
        return self._rows(_lib.PQexec(self.connection, sql.encode()), sql)

    def value(self, sql):
        return self.run(sql)[0][0]

    def prepare(self, name, sql):
        self._rows(_lib.PQprepare(self.connection, name.encode(), sql.encode(), 0, None), sql)

    def execute(self, name, values):
        """Runs a prepared statement that returns nothing. `values` are bytes. Returns the seconds it took."""
        array = (_s * len(values))(*values)
        started = time.perf_counter()
        result = _lib.PQexecPrepared(self.connection, name, len(values), array, None, None, 0)
        took = time.perf_counter() - started
        if _lib.PQresultStatus(result) != _COMMAND:
            self._rows(result, name.decode())
        _lib.PQclear(result)
        return took

    def measure(self, sql):
        """Runs one statement: seconds by the clock, and seconds of the backend's processor time. Its rows are in `answer`."""
        text = sql.encode()
        before, started = processor_seconds(self.pid), time.perf_counter()
        result = _lib.PQexec(self.connection, text)
        wall = time.perf_counter() - started
        self.answer = self._rows(result, sql)
        return wall, processor_seconds(self.pid) - before
