#!/usr/bin/env python3
"""Sends simulated events and messages to a database as they would arrive, one transaction per simulated hour, through psql.

Connects as psql does (PGHOST, PGPORT, PGUSER, PGDATABASE). The database was made by setup.sql. Draws a bar on stderr.
"""
import argparse
import csv
import io
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta

BEGIN = """\
SET synchronous_commit = off;
CREATE TEMP TABLE inbox (LIKE app_events) ON COMMIT DELETE ROWS;
"""
# Events that arrive twice are dropped by the customer's own key, as usual.
BATCH = """\
INSERT INTO app_events SELECT * FROM inbox ON CONFLICT DO NOTHING;
INSERT INTO batch VALUES ({batch}, '{until}', (SELECT max(routing_id) FROM pql.routing));
COMMIT;
SELECT {done}, {day}, count(*) FROM pql.routing;
"""


def batches(lines):
    """Splits lines into (end of the hour, lines of that hour). The time of arrival is the last column."""
    hour, batch = None, []
    for line in lines:
        at = line.rstrip("\n").rsplit(",", 1)[1][:13]
        if at != hour and batch:
            yield hour, batch
            batch = []
        hour = at
        batch.append(line)
    if batch:
        yield hour, batch


class Messages:
    """Messages in the order in which they were sent."""

    def __init__(self, name):
        with open(name, newline="") as f:
            self.rows = [(datetime.fromisoformat(row[1]), row) for row in csv.reader(f)]
        self.sent = 0

    def until(self, instant):
        """Those that weren't sent before, up to an instant, as CSV."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        while self.sent < len(self.rows) and self.rows[self.sent][0] < instant:
            writer.writerow(self.rows[self.sent][1])
            self.sent += 1
        return out.getvalue()


class Bar:
    """What is done, how fast, how long it will take: a line that moves on a terminal, else one every five days."""

    def __init__(self, total, days, quiet):
        self.total, self.days, self.quiet = total, days, quiet
        self.start, self.shown, self.tty = time.monotonic(), 0, sys.stderr.isatty()

    def show(self, done, day, routed):
        now = time.monotonic()
        last = done == self.total
        if self.quiet or not (last or (now - self.shown > 0.1 if self.tty else day >= self.shown + 5)):
            return
        self.shown = now if self.tty else day
        spent = max(now - self.start, 0.001)
        rate = done / spent
        filled = 24 * done // self.total
        left = f"took {spent:.0f} s" if last else f"left {(self.total - done) / rate:.0f} s"
        line = (f"day {day:2} of {self.days}  [{'#' * filled}{'-' * (24 - filled)}]  {done:,} of {self.total:,} events"
                f"  {rate:,.0f}/s  {left}  {routed} routed")
        end = "" if self.tty and not last else "\n"
        print(f"\r{line:<99}" if self.tty else line, end=end, file=sys.stderr, flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("events", help="what simulate.py printed")
    p.add_argument("messages", help="and its file of messages")
    p.add_argument("--quiet", action="store_true", help="no bar")
    a = p.parse_args()
    with open(a.events) as f:
        lines = f.readlines()
    if not lines:
        sys.exit("stream.py: no events")
    messages = Messages(a.messages)
    work = [(datetime.fromisoformat(hour + ":00:00+00:00"), batch) for hour, batch in batches(lines)]
    first = work[0][0].replace(hour=0)
    bar = Bar(len(lines), (work[-1][0] - first).days + 1, a.quiet)
    psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-F", ",", "-v", "ON_ERROR_STOP=1"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def watch():
        for line in psql.stdout:
            bar.show(*map(int, line.split(",")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        psql.stdin.write(BEGIN)
        done = 0
        for number, (hour, batch) in enumerate(work, 1):
            done += len(batch)
            psql.stdin.write("BEGIN;\nCOPY inbox FROM STDIN WITH (FORMAT csv);\n")
            psql.stdin.writelines(batch)
            psql.stdin.write("\\.\n")
            said = messages.until(hour + timedelta(hours=1))
            if said:
                psql.stdin.write(f"COPY messages FROM STDIN WITH (FORMAT csv);\n{said}\\.\n")
            psql.stdin.write(BATCH.format(batch=number, until=hour + timedelta(hours=1), done=done,
                                          day=(hour - first).days + 1))
        psql.stdin.close()
    except BrokenPipeError:
        pass  # psql has said why
    status = psql.wait()
    watcher.join()
    sys.exit("stream.py: psql failed" if status else 0)


if __name__ == "__main__":
    main()
