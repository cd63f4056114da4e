#!/usr/bin/env python3
"""Measures what a trigger costs, as ratios against the same table without one. Called by `run`, which starts the server.

Variants:  none  the bare table
           pql   the extension
           stmt  a set-based PL/pgSQL statement trigger (what a good user writes)
           row   a PL/pgSQL row trigger (what the usual user writes)
Each variant has a database of its own with the same table. Statements of the variants alternate, in an order that rotates, and
a ratio is taken within each turn, so that neither the phases of the machine nor the load of others favour anybody.
"""
import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

from measure import HERE, Profile, Row, count, machine, note, quote, read_sql, short, zipf_tops

NAMES = """api_call page_viewed login report_viewed search_run project_opened file_uploaded comment_added task_done
dashboard_viewed export_run pricing_viewed docs_read invite_sent integration_activated webhook_called key_created
project_created error settings_changed filter_saved alert_set share_link_made template_used import_run plan_compared
limit_reached admin_setup role_changed deploy support_opened invoice_viewed signup sso_requested audit_log_viewed
sandbox_made security_page_viewed member_removed api_version_pinned migration_started""".split()
VARIANTS = ["none", "pql", "stmt", "row"]
USERS, ACCOUNTS = 200_000, 20_000
PER_DAY = 10_000_000 / 90  # events; the density stays when there are fewer of them, so that batches look the same
KNOWN_USERS, KNOWN_NAMES = 2000, 10  # of the single-row rows; 10 users an account
PROGRAM = {
    "program": "expansion", "unit": "account", "objective": "expansion",
    "milestones": {name: {"event": name} for name in NAMES},
    "activation": {"steps": ["login", "file_uploaded", "integration_activated"], "order": "in_order", "within": "14 days"},
    "signals": {
        "calls": {"kind": "depth", "event": "api_call", "measure": "sum", "of": "(props->>'units')::float8",
                  "half_life": "7 days", "saturates_at": 500, "max_points": 40},
        "reports": {"kind": "breadth", "event": "report_viewed", "measure": "count", "half_life": "7 days",
                    "saturates_at": 30, "max_points": 30},
        "pricing": {"kind": "intent", "event": "pricing_viewed", "measure": "count", "half_life": "3 days",
                    "saturates_at": 10, "max_points": 30}},
    "qualify": {"enter": 60, "leave": 45},
    "motions": [{"otherwise": True, "motion": "account_executive"}],
}
# Somebody who asks qualifies, somebody who looks doesn't; with as many motions as a program can have, and guardrails, of which none ever holds.
ROUTED = {
    "program": "routed", "unit": "account",
    "signals": {"asks": {"kind": "intent", "event": "ask", "half_life": "30 days", "max_points": 50},
                "looks": {"kind": "depth", "event": "look", "half_life": "30 days", "max_points": 15}},
    "qualify": {"enter": 20, "leave": 10},
    "motions": [{"otherwise": True, "motion": "account_executive", "after": "0", "by": "3 days"}],
}
HUMAN = ["enterprise", "inside_sales", "account_executive", "solutions_engineer", "customer_success"]
RULED = ROUTED | {
    "motions": [{"when": f"score > {1000 + i} and signal.asks > {i}", "motion": HUMAN[i % 5], "after": "0", "by": "1 hour"} for i in range(31)]
    + ROUTED["motions"],
    "guardrails": [{"block_when": f"score > {2000 + i} and signal.asks > {i}", "reason": f"reason {i}"} for i in range(18)],
}
with open(os.path.join(HERE, "programs", "team.json")) as f:
    TEAM = json.load(f)
with open(os.path.join(HERE, "programs", "packets.json")) as f:
    PACKETS = json.load(f)

# Rows of the table: key -> what is measured, the target as text, and as a number.
ROWS = {
    "copy_cold": ("COPY 1M rows, cold (every milestone new)", "≤ 1.7", 1.7),
    "copy_steady": ("COPY 1M rows, steady (milestones known)", "≤ 1.15", 1.15),
    "copy_next": ("COPY 1M rows, the stream's next (some new)", "", None),
    "batch_steady": ("1000-row INSERT, steady", "≤ 1.1", 1.1),
    "batch_new": ("1000-row INSERT, some new", "≤ 1.25", 1.25),
    "single_c1_on": ("single row, 1 client, sync commit on", "", None),
    "single_c1_off": ("single row, 1 client, sync commit off", "", None),
    "single_c8_on": ("single row, 8 clients, sync commit on", "≤ 1.3", 1.3),
    "single_c8_off": ("single row, 8 clients, sync commit off", "≤ 1.4", 1.4),
    "hot_on": ("8 clients on one hot account, sync commit on", "≤ 2 (sync mode)", 2.0),
    "hot_off": ("8 clients on one hot account, sync commit off", "", None),
    "partitioned": ("partitioned events table, COPY 1M in time order", "≤ 1.4", 1.4),
    "growth_batch": ("cost of a known event in 1000-row batches, {small} → {large} milestones, more accounts", "≤ 1.1", 1.1),
    "growth_copy": ("the same in a COPY of 100k rows", "≤ 1.1", 1.1),
    "growth_wide": ("1000-row batches, {small} → {large} milestones in the same accounts (more members)", "≤ 1.1", 1.1),
    "one_txn": ("20,000 single INSERTs in one transaction, one account: last 1000 / first 1000", "flat", None),
    "members": ("single row, account of {members} members / of 10", "", None),
    "wal_copy": ("WAL per event, steady COPY: bytes more than none", "≤ 20 B", 20),
    "wal_single": ("WAL per event, single rows: bytes more than none", "≤ 200 B", 200),
    "backfill": ("history: events/s", "", None),
    "team_cold": ("30 signals and 10 rules: COPY 1M rows, cold", "", None),
    "team_copy": ("30 signals and 10 rules: COPY 1M rows, steady", "≤ 1.6", 1.6),
    "team_batch": ("30 signals and 10 rules: 1000-row INSERT, steady", "≤ 1.3", 1.3),
    "scoreboard": ("scoreboard of {subjects} accounts", "≤ 2 s", 2.0),
    "team_scoreboard": ("30 signals and 10 rules: scoreboard of {subjects} accounts", "≤ 2 s", 2.0),
    "decision": ("a decision: 50 rules, and a rep out of 200 (processor time)", "≤ 200 µs", 200),
    "unqualified": ("1000-row INSERT of who stays out: with 50 rules and 200 reps / without", "≤ 1.05", 1.05),
    "tick_open": ("pages that a tick reads, {subjects} open rows and nothing due / 1,000 open rows", "≤ 2", 2.0),
    "packet": ("the context packet of an account of 200 users and 10,000 events, written with its row", "≤ 5 ms", 5.0),
    "publish": ("longest wait of an INSERT while a second program of 30 signals is published, filled from {filled} events, promoted", "", None),
}
# The views on what became of hand-offs, each with a sum that needs all of it.
VIEWS = {"signal_performance": "sum(support)", "motion_performance": "sum(handoffs)", "timing_performance": "sum(handoffs)", "touch_balance": "sum(handoffs)",
         "rep_performance": "sum(handoffs)", "handoff_measures": "sum(volume)"}
ROWS |= {f"view_{v}": (f"pql.{v} of {{subjects}} hand-offs, beside counting them", "≤ 1 s", 1.0) for v in VIEWS}
# What --only takes: group -> the rows it fills.
GROUPS = {
    "copy": ["copy_cold", "copy_steady", "copy_next", "wal_copy"], "batch": ["batch_steady", "batch_new"],
    "single": ["single_c1_on", "single_c1_off", "single_c8_on", "single_c8_off", "wal_single"], "hot": ["hot_on", "hot_off"],
    "partitioned": ["partitioned"], "growth": ["growth_batch", "growth_copy"], "wide": ["growth_wide"], "one_txn": ["one_txn"],
    "members": ["members"], "backfill": ["backfill"], "team": ["team_cold", "team_copy", "team_batch"], "scoreboard": ["scoreboard", "team_scoreboard"],
    "routing": ["decision", "unqualified", "tick_open"],
    "packet": ["packet"], "publish": ["publish"], "views": [f"view_{v}" for v in VIEWS],
}


def parse_arguments():
    p = argparse.ArgumentParser(prog="run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="small sizes: 2 to 3 minutes")
    p.add_argument("--only", help="groups, separated by commas: " + ", ".join(GROUPS))
    p.add_argument("--skip", default="", help="groups to leave out")
    p.add_argument("--variants", default="none,pql,stmt,row", help="which to compare (none is always among them)")
    p.add_argument("--events", type=count, help="size of the stream (3M; the full size is 10M)")
    p.add_argument("--chunk", type=count, help="rows of a COPY (1M)")
    p.add_argument("--rounds", type=int, help="how often a COPY is repeated (5)")
    p.add_argument("--batches", type=int, help="how many 1000-row INSERTs (150)")
    p.add_argument("--seconds", type=float, help="length of a pgbench run in seconds (4)")
    p.add_argument("--milestones", type=count, help="the larger size of the growth rows (5M; 20M takes long)")
    p.add_argument("--milestones-small", type=count, help="the smaller one (1M)")
    p.add_argument("--clock", default="wall", choices=["event", "wall"], help="the clock of pql's source (wall)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", help="where the table goes besides the screen")
    p.add_argument("--json", help="where every measurement goes")
    p.add_argument("--perf", metavar="DIRECTORY", help="record profiles of pql's backends there (needs root and perf)")
    p.add_argument("--perf-calls", action="store_true", help="with call stacks: slower, but adds up what functions call")
    p.add_argument("--list", action="store_true", help="which rows there are")
    a = p.parse_args()
    small = a.quick
    a.events = a.events or (500_000 if small else 3_000_000)
    a.chunk = a.chunk or (200_000 if small else 1_000_000)
    a.rounds = a.rounds or (3 if small else 5)
    a.batches = a.batches or (50 if small else 150)
    a.seconds = a.seconds or (1 if small else 4)
    a.milestones = a.milestones or (300_000 if small else 5_000_000)
    a.milestones_small = a.milestones_small or (100_000 if small else 1_000_000)
    a.pgbench_rounds = 3 if small else 6
    a.variants = [v for v in VARIANTS if v == "none" or v in a.variants.split(",")]
    groups = list(GROUPS) if not a.only else a.only.split(",")
    skipped = [g for g in a.skip.split(",") if g]
    for g in groups + skipped:
        if g not in GROUPS:
            p.error(f"no rows {g}; there are: {', '.join(GROUPS)}")
    a.groups = [g for g in groups if g not in skipped]
    if a.events < 2 * a.chunk + 100_000:
        p.error("--events must be at least twice --chunk and 100k more")
    return a


OPTIONS = parse_arguments()
if OPTIONS.list:
    for group, rows in GROUPS.items():
        print(f"{group:12} " + "; ".join(ROWS[r][0] for r in rows))
    sys.exit()

from libpq import Error, Session, children_seconds, processor_seconds  # noqa: E402  (after --help and --list)


def profile(name, pid):
    return Profile(name, pid, OPTIONS.perf, OPTIONS.perf_calls)


class Writer(threading.Thread):
    """Writes single rows, one after the other, until its phase is none, and notes how long each takes."""

    def __init__(self, session, users):
        super().__init__()
        self.session, self.users, self.phase, self.waits, self.error = session, users, "alone", {}, None
        session.prepare("one", "INSERT INTO app.events (user_id, account_id, name, ts, props) VALUES ($1, $2, $3, now(), '{\"units\": 1}')")

    def run(self):
        try:
            while phase := self.phase:
                values = [v.encode() for v in random.choice(self.users)]
                self.waits.setdefault(phase, []).append(self.session.execute(b"one", values))
        except Error as e:
            self.error = e
        self.session.close()


# --- the server ---------------------------------------------------------------------------------------------------------


class Bench:
    def __init__(self):
        self.monitor = Session("postgres", ["synchronous_commit = on"])
        self.version = self.monitor.value("SHOW server_version")
        self.directory = self.monitor.value("SHOW data_directory")
        with open(f"/proc/{self.monitor.pid}/status") as f:
            self.postmaster = int(re.search(r"^PPid:\s+(\d+)", f.read(), re.M)[1])
        self.rows = {}
        self.files = {}
        self.next_id = 1
        self.level = 0  # of the main databases: 1 a chunk, 2 the stream up to its last rows, 3 known users
        self.sessions = {}
        self.events, self.chunk = OPTIONS.events, OPTIONS.chunk
        self.fresh = max(100_000, OPTIONS.batches * 1000 + 20_000)  # the last rows of the stream, for run_batch
        self.chunk_days = self.chunk / PER_DAY
        self.days = (OPTIONS.rounds + 1) * self.chunk_days + (self.events - self.chunk + 3 * self.fresh) / PER_DAY
        self.origin = datetime.now(timezone.utc) - timedelta(hours=1, days=self.days)
        self.variants = OPTIONS.variants
        self.broken = None

    # databases and files

    def database(self, name, template="template0", strategy="wal_log"):
        self.monitor.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.monitor.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}")

    def drop(self, *names):
        for name in names:
            self.monitor.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def in_database(self, name, *texts):
        s = Session(name)
        try:
            for text in texts:
                s.run(text)
        finally:
            s.close()

    def install_pql(self, name, backfill=True, program=PROGRAM, before=""):
        """pql on the events of a database; without the backfill, what is in the table stays unread."""
        s = Session(name)
        try:
            s.run(read_sql("pql.sql", clock=quote(OPTIONS.clock)))
            if before:
                s.run(before)
            s.run(f"SELECT pql.publish({quote(json.dumps(program))})")
            if backfill:
                s.run("CALL pql.backfill('app.events')")
                s.run(f"SELECT pql.promote({quote(program['program'])}, override => 'benchmark')")
        finally:
            s.close()

    def prepare(self):
        note(f"generating {short(self.events)} events")
        self.database("gen")
        self.gen = Session("gen")
        self.gen.run(read_sql("random.sql", seed=OPTIONS.seed))
        self.gen.run(read_sql("generate.sql", events=self.events, users=USERS, accounts=ACCOUNTS, per_day=PER_DAY,
                              names=quote("{" + ",".join(NAMES) + "}"), tops=zipf_tops(len(NAMES))))
        self.templates("t", read_sql("tables.sql"))

    def templates(self, prefix, tables):
        """One empty database for each variant."""
        self.database(f"{prefix}_none")
        self.in_database(f"{prefix}_none", tables)
        if "stmt" in self.variants or "row" in self.variants:
            self.database(f"{prefix}_stmt", f"{prefix}_none")
            self.in_database(f"{prefix}_stmt", read_sql("rivals.sql"))
            self.database(f"{prefix}_row", f"{prefix}_stmt")
            self.use_row_trigger(f"{prefix}_row")
        if "pql" in self.variants:
            self.database(f"{prefix}_pql", f"{prefix}_none")
            self.install_pql(f"{prefix}_pql")

    def use_row_trigger(self, name):
        self.in_database(name, "ALTER TABLE app.events DISABLE TRIGGER each_statement, ENABLE TRIGGER each_row")

    def file(self, first, last, day):
        """A file for COPY with rows of the stream, their ids following on, moved to `day` days after the origin."""
        days = (last - first + 1) / PER_DAY
        start = (first - 1) / PER_DAY
        path = os.path.join(self.directory, f"bench_{self.next_id}.copy")
        origin = self.origin + timedelta(days=day - start)
        self.gen.run(f"COPY (SELECT * FROM gen.rows({first}, {last}, {self.next_id}, {quote(origin.isoformat())})) "
                     f"TO {quote(path)}")
        self.next_id += last - first + 1
        assert day + days <= self.days + 0.01, "beyond the end of the time"
        return path

    @staticmethod
    def remove(path):
        try:
            os.remove(path)
        except OSError:
            pass  # the server's directory goes at the end anyway

    # measuring

    def session(self, database, settings=()):
        """A backend whose memory allocator has the same past as the others': glibc's threshold for mmap only grows."""
        s = Session(database, settings)
        s.run("SELECT length(repeat('x', 30 * 1024 * 1024))")
        s.run("SELECT count(*) FROM app.events WHERE false")
        return s

    def lsn(self):
        return int(self.monitor.value("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def turn(self, row, sessions, sql, k, keep=True):
        """One statement in each variant, in an order that rotates with k. `sql`: text, or variant -> text."""
        variants = list(sessions)
        shift = k % len(variants)
        took = {}
        for v in variants[shift:] + variants[:shift]:
            before = self.lsn()
            wall, cpu = sessions[v].measure(sql if isinstance(sql, str) else sql[v])
            took[v] = wall, cpu, self.lsn() - before
        if keep:
            for v in variants:
                row.add(v, *took[v])
        return took

    def row(self, key, events):
        r = self.rows.setdefault(key, Row())
        r.events = events
        return r

    def say(self, key):
        r = self.rows[key]
        note(f"{key}: " + ", ".join(f"{v} {r.ratio(v):.2f}/{r.ratio(v, 'cpu') or 0:.2f}" for v in r.wall if v != "none")
             + f" (wall/cpu); none {r.per_event('none') * 1e6:.2f} us/event")

    @staticmethod
    def copy(path):
        return f"COPY app.events FROM {quote(path)}"

    # the main databases

    def main(self):
        return [v for v in self.variants if v != "row"]  # a COPY of a million rows through a row trigger never ends

    def reset(self):
        for s in self.sessions.values():
            s.close()
        for v in self.main():
            self.database(f"b_{v}", f"t_{v}")
        self.sessions = {v: self.session(f"b_{v}") for v in self.main()}
        self.level = 0

    def count_routed(self, row):
        """How many routing rows there are: deciding must have been part of the work."""
        for v, s in self.sessions.items():
            if v != "none":
                row.notes[f"routed_{v}"] = int(s.value(f"SELECT count(*) FROM {'pql' if v == 'pql' else 'rival'}.routing"))
        note("routing rows: " + str({k: n for k, n in row.notes.items() if k.startswith("routed_")}))

    def load_chunk(self):
        if self.level < 1:
            self.reset()
            path = self.file(1, self.chunk, 0)
            for s in self.sessions.values():
                s.run(self.copy(path))
            self.remove(path)
            self.level = 1

    def load_stream(self):
        """The rest of the stream but its last rows; and the row trigger's database, as a copy of the other rival's."""
        if self.level >= 2:
            return
        self.load_chunk()
        note("loading the stream")
        first, day = self.chunk + 1, (OPTIONS.rounds + 1) * self.chunk_days
        last = self.events - self.fresh
        row, k = self.row("copy_next", self.chunk), 0
        while first <= last:
            n = min(self.chunk, last - first + 1)
            path = self.file(first, first + n - 1, day)
            self.monitor.run("CHECKPOINT")
            self.turn(row, self.sessions, self.copy(path), k, keep=n == self.chunk)
            self.remove(path)
            first, day, k = first + n, day + n / PER_DAY, k + 1
        self.stream_day = day
        self.level = 2
        if row.wall:
            self.say("copy_next")
        else:
            del self.rows["copy_next"]
        if "row" in self.variants:
            if "stmt" not in self.variants:
                sys.exit("row needs stmt: its state is copied from there")
            self.sessions["stmt"].close()
            self.database("b_row", "b_stmt", "file_copy")
            self.use_row_trigger("b_row")
            self.sessions["stmt"] = self.session("b_stmt")
            self.sessions["row"] = self.session("b_row")

    def load_known_users(self):
        """Users and names that the single-row rows will repeat; and one account that is hot."""
        self.load_stream()
        if self.level >= 3:
            return
        self.level = 3
        for v in self.variants:
            for who in (f"'s' || u, 'sa' || u % {KNOWN_USERS // 10}", "'h' || u, 'hot'"):
                most = KNOWN_USERS if who.startswith("'s'") else 100
                self.sessions[v].run(f"""INSERT INTO app.events (user_id, account_id, name, ts, props)
                  SELECT {who}, n, now() - interval '1 hour', '{{"units": 1}}'
                  FROM generate_series(1, {most}) u, unnest({quote('{' + ','.join(NAMES[:KNOWN_NAMES]) + '}')}::text[]) n""")

    # --- rows -----------------------------------------------------------------------------------------------------------

    def run_copy(self):
        cold, rounds = self.row("copy_cold", self.chunk), OPTIONS.rounds
        path = self.file(1, self.chunk, 0)
        for k in range(rounds):
            self.reset()
            self.monitor.run("CHECKPOINT")
            if k == rounds - 1 and "pql" in self.sessions:
                with profile("copy_cold", self.sessions["pql"].pid):
                    self.turn(cold, self.sessions, self.copy(path), k)
            else:
                self.turn(cold, self.sessions, self.copy(path), k)
        self.remove(path)
        self.level = 1
        self.say("copy_cold")
        self.count_routed(cold)
        steady = self.row("copy_steady", self.chunk)
        with profile("copy_steady", self.sessions.get("pql", self.sessions["none"]).pid):
            for k in range(rounds):
                path = self.file(1, self.chunk, (k + 1) * self.chunk_days)
                self.monitor.run("CHECKPOINT")
                self.turn(steady, self.sessions, self.copy(path), k)
                self.remove(path)
        self.say("copy_steady")
        self.count_routed(steady)
        if "row" in self.variants:
            self.copy_by_rows(cold, steady)
        self.load_stream()

    def copy_by_rows(self, cold, steady):
        """The row trigger against the bare table, with fewer rows: its cost for each grows with their number."""
        n = min(50_000, self.chunk)
        for k in range(min(2, OPTIONS.rounds)):
            for v in ("none", "row"):
                self.database(f"x_{v}", f"t_{v}")
            sessions = {v: self.session(f"x_{v}") for v in ("none", "row")}
            for row, day in ((cold, 0), (steady, self.chunk_days)):
                path = self.file(1, n, day)
                took = self.turn(row, sessions, self.copy(path), k, keep=False)
                self.remove(path)
                for what, i in (("wall", 0), ("cpu", 1)):
                    row.notes.setdefault(f"row_{what}", []).append(took["row"][i] / took["none"][i])
            for s in sessions.values():
                s.close()
        self.drop("x_none", "x_row")

    def insert_text(self, rows):
        values = ",".join(f"({i},{quote(u)},{quote(a)},{quote(n)},{quote(t)},{quote(p)})" for i, u, a, n, t, p in rows)
        return "INSERT INTO app.events (id, user_id, account_id, name, ts, props) VALUES " + values

    def stream_rows(self, first, last, day):
        origin = self.origin + timedelta(days=day - (first - 1) / PER_DAY)
        rows = self.gen.run(f"SELECT * FROM gen.rows({first}, {last}, {self.next_id}, {quote(origin.isoformat())})")
        self.next_id += last - first + 1
        return rows

    def insert_batches(self, key, sessions, rows):
        row, n = self.row(key, 1000), len(rows) // 1000
        self.monitor.run("CHECKPOINT")
        with profile(key, sessions.get("pql", sessions["none"]).pid):
            for k in range(n):  # the first fifth warms up, and takes the page images after the checkpoint
                self.turn(row, sessions, self.insert_text(rows[k * 1000:(k + 1) * 1000]), k, keep=k >= n // 5)
        self.say(key)

    def run_batch(self):
        self.load_stream()
        n = OPTIONS.batches
        for key, first, day in (("batch_new", self.events - self.fresh + 1, self.stream_day),
                                ("batch_steady", 1, self.stream_day + self.fresh / PER_DAY)):
            rows = self.stream_rows(first, first + n * 1000 - 1, day)
            if key == "batch_steady":  # the same once more, so that every milestone is known
                days = n * 1000 / PER_DAY
                for v, s in self.sessions.items():
                    for k in range(0, len(rows), 5000):
                        s.run(self.insert_text(rows[k:k + 5000]))
                rows = self.stream_rows(first, first + n * 1000 - 1, day + days)
            self.insert_batches(key, self.sessions, rows)

    def pgbench(self, database, script, clients, sync):
        """Transactions a second; processor seconds of the backends, and bytes of WAL, for each."""
        path = os.path.join(self.directory, "bench.sql")
        with open(path, "w") as f:
            f.write(script)
        os.chmod(path, 0o644)
        environment = dict(os.environ, PGOPTIONS=f"-c synchronous_commit={sync}")
        cpu, wal = children_seconds(self.postmaster), self.lsn()
        done = subprocess.run(["pgbench", "-n", "-M", "prepared", "-f", path, "-c", str(clients), "-j", str(min(clients, 2)),
                               "-T", str(max(1, round(OPTIONS.seconds))), database], env=environment, capture_output=True,
                              text=True)
        if done.returncode:
            raise Error(done.stderr.strip()[-500:])
        n = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
        tps = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])
        failed = int(re.search(r"failed transactions: (\d+)", done.stdout)[1])
        time.sleep(0.1)  # until the postmaster has seen its backends go
        return tps, (children_seconds(self.postmaster) - cpu) / n, (self.lsn() - wal) / n, failed

    def pgbench_rows(self, keys, script):
        self.load_known_users()
        turns = [(key, clients, sync) for _ in range(OPTIONS.pgbench_rounds) for key, clients, sync in keys]
        for s in self.sessions.values():
            s.close()
        self.monitor.run("CHECKPOINT")
        for v in self.variants:  # the page images after the checkpoint are not what a single row costs
            self.pgbench(f"b_{v}", script, 8, "off")
        for k, (key, clients, sync) in enumerate(turns):
            row = self.row(key, 1)
            shift = k // len(keys) % len(self.variants)
            for v in self.variants[shift:] + self.variants[:shift]:
                tps, cpu, wal, failed = self.pgbench(f"b_{v}", script, clients, sync)
                row.add(v, 1 / tps, cpu, wal)
                if failed:
                    row.notes[f"failed_{v}"] = row.notes.get(f"failed_{v}", 0) + failed
        self.sessions = {v: self.session(f"b_{v}") for v in self.variants}
        for key, _, _ in keys:
            self.say(key)
            self.rows[key].notes["tps_none"] = round(1 / self.rows[key].per_event("none"))

    def run_single(self):
        names = "ARRAY[" + ",".join(map(quote, NAMES[:KNOWN_NAMES])) + "]"
        script = (f"\\set u random(1, {KNOWN_USERS})\n\\set a :u % {KNOWN_USERS // 10}\n\\set n random(1, {KNOWN_NAMES})\n"
                  "INSERT INTO app.events (user_id, account_id, name, ts, props) VALUES "
                  f"('s' || :u, 'sa' || :a, ({names})[:n], now(), '{{\"units\": 1}}');\n")
        self.pgbench_rows([("single_c8_on", 8, "on"), ("single_c8_off", 8, "off"), ("single_c1_on", 1, "on"),
                           ("single_c1_off", 1, "off")], script)
        if OPTIONS.perf and "pql" in self.variants:
            self.single_loop("pql")

    def single_loop(self, variant):
        """Single rows from one client, asynchronous, for a profile."""
        s = self.session(f"b_{variant}", ["synchronous_commit = off"])
        s.prepare("insert", "INSERT INTO app.events (user_id, account_id, name, ts, props) VALUES ($1, $2, $3, now(), "
                            "'{\"units\": 1}')")
        r = random.Random(1)
        with profile("single", s.pid):
            for _ in range(20_000):
                u = r.randrange(1, KNOWN_USERS + 1)
                s.execute(b"insert", [b"s%d" % u, b"sa%d" % (u % (KNOWN_USERS // 10)),
                                      NAMES[r.randrange(KNOWN_NAMES)].encode()])
        s.close()

    def run_hot(self):
        names = "ARRAY[" + ",".join(map(quote, NAMES[:KNOWN_NAMES])) + "]"
        script = (f"\\set u random(1, 100)\n\\set n random(1, {KNOWN_NAMES})\n"
                  "INSERT INTO app.events (user_id, account_id, name, ts, props) VALUES "
                  f"('h' || :u, 'hot', ({names})[:n], now(), '{{\"units\": 1}}');\n")
        self.pgbench_rows([("hot_on", 8, "on"), ("hot_off", 8, "off")], script)

    def run_partitioned(self):
        """Against the bare partitioned table; and that against the plain one."""
        self.templates("pt", read_sql("tables_partitioned.sql", origin=quote(self.origin.isoformat())))
        variants = self.main()
        for v in variants:
            self.database(f"p_{v}", f"pt_{v}")
        self.database("p_plain", "t_none")
        sessions = {v: self.session(f"p_{v}") for v in variants + ["plain"]}
        path = self.file(1, self.chunk, 0)
        for s in sessions.values():
            s.run(self.copy(path))
        self.remove(path)
        row = self.row("partitioned", self.chunk)
        with profile("partitioned", sessions.get("pql", sessions["none"]).pid):
            for k in range(min(4, OPTIONS.rounds)):
                path = self.file(1, self.chunk, (k + 1) * self.chunk_days)
                self.monitor.run("CHECKPOINT")
                self.turn(row, sessions, self.copy(path), k)
                self.remove(path)
        for s in sessions.values():
            s.close()
        self.drop(*(f"p_{v}" for v in sessions), *(f"pt_{v}" for v in VARIANTS))
        self.say("partitioned")

    def run_one_txn(self):
        self.load_stream()
        n = 3000 if OPTIONS.quick else 20_000
        row, limit = self.row("one_txn", 1), 10 if OPTIONS.quick else 60
        edge = n // 20
        for v in self.variants:
            s = self.session(f"b_{v}")
            s.prepare("insert", "INSERT INTO app.events (user_id, account_id, name, ts, props) VALUES ($1, 'one', $2, "
                                "clock_timestamp(), '{\"units\": 1}')")
            r = random.Random(2)
            s.run("BEGIN")
            times, started = [], time.perf_counter()
            cpu = processor_seconds(s.pid)
            while len(times) < n and time.perf_counter() - started < limit:
                times.append(s.execute(b"insert", [b"o%d" % r.randrange(40), NAMES[r.randrange(KNOWN_NAMES)].encode()]))
            cpu = (processor_seconds(s.pid) - cpu) / len(times)
            s.run("COMMIT")
            s.close()
            row.add(v, statistics.mean(times), cpu, None)
            row.notes[v] = {"start": statistics.mean(times[50:50 + edge]) * 1e6, "end": statistics.mean(times[-edge:]) * 1e6,
                            "statements": len(times)}
            note(f"one_txn: {v}: {row.notes[v]['start']:.0f} -> {row.notes[v]['end']:.0f} us, {len(times)} statements")

    def run_members(self):
        """What one event costs by the number of members that its account has."""
        sizes = [10, 100, 1000] if OPTIONS.quick else [10, 100, 1000, 5000]
        sessions, variants = {}, [v for v in self.variants if v != "row"]
        for v in variants:
            self.database(f"m_{v}", f"t_{v}")
            s = sessions[v] = self.session(f"m_{v}", ["synchronous_commit = off"])
            for size in sizes:
                s.run(f"""INSERT INTO app.events (user_id, account_id, name, ts, props)
                  SELECT 'm{size}_' || u, 'm{size}', n, now() - interval '1 hour', '{{"units": 1}}'
                  FROM generate_series(1, {size}) u, unnest({quote('{' + ','.join(NAMES[:KNOWN_NAMES]) + '}')}::text[]) n""")
            s.prepare("insert", "INSERT INTO app.events (user_id, account_id, name, ts, props) VALUES ($1, $2, $3, now(), "
                                "'{\"units\": 1}')")
        r = random.Random(3)
        row = self.row("members", 1)
        times = {(v, size): [] for v in variants for size in sizes}
        before = {}
        wal = {key: 0 for key in times}
        for k in range(6 if OPTIONS.quick else 20):
            shift = k % len(variants)
            for size in sizes:
                calls = [[b"m%d_%d" % (size, r.randrange(1, size + 1)), b"m%d" % size, NAMES[r.randrange(KNOWN_NAMES)].encode()]
                         for _ in range(100)]
                for v in variants[shift:] + variants[:shift]:
                    before = self.lsn()
                    times[v, size].append(statistics.mean(sessions[v].execute(b"insert", c) for c in calls))
                    wal[v, size] += self.lsn() - before
        for s in sessions.values():
            s.close()
        self.drop(*(f"m_{v}" for v in variants))
        for v in variants:
            row.notes[v] = {size: {"us": statistics.median(times[v, size]) * 1e6, "wal": wal[v, size] / 100 / len(times[v, size])}
                            for size in sizes}
            note(f"members: {v}: " + ", ".join(f"{size}: {row.notes[v][size]['us']:.0f} us, {row.notes[v][size]['wal']:.0f} B"
                                               for size in sizes))
            row.add(v, row.notes[v][sizes[-1]]["us"] / 1e6, None, None)
        row.notes["largest"] = sizes[-1]

    # growth

    def grown(self, tag, milestones, users_per_account):
        """Databases in which as many milestones are known: every user has every name."""
        users = milestones // len(NAMES)
        accounts = max(1, users // users_per_account)
        note(f"growth: {short(milestones)} milestones of {short(users)} users in {short(accounts)} accounts")
        self.database(f"g{tag}_none", "t_none")
        path = os.path.join(self.directory, f"grown_{tag}.copy")
        start = (datetime.now(timezone.utc) - timedelta(days=60)).isoformat()
        self.gen.run(f"""COPY (SELECT row_number() OVER (), 'u' || u, 'a' || u % {accounts}, n.name,
          {quote(start)}::timestamptz + n.n * interval '6 hours' + u * interval '1 ms', '{{"units": 1}}'
          FROM (SELECT a + {accounts} * k AS u FROM generate_series(0, {accounts - 1}) a,
                generate_series(0, {max(1, users // accounts) - 1}) k) u,
               unnest({quote('{' + ','.join(NAMES) + '}')}::text[]) WITH ORDINALITY n(name, n)) TO {quote(path)}""")
        self.in_database(f"g{tag}_none", self.copy(path))
        self.remove(path)
        for v in self.main():
            if v == "none":
                continue
            self.database(f"g{tag}_{v}", f"g{tag}_none", "file_copy")
            if v == "pql":
                self.install_pql(f"g{tag}_{v}")
            else:
                self.in_database(f"g{tag}_{v}", read_sql("rivals.sql"), read_sql("rivals_history.sql"),
                                 "ANALYZE rival.milestone", "ANALYZE rival.member", "ANALYZE rival.score")
        self.monitor.run("CHECKPOINT")
        return accounts, max(1, users // accounts)

    def growth(self, tags, sizes, busy, batch_key, copy_key=None):
        """Known events in accounts drawn at random, `busy` of them at a time whatever the size, so that only the size differs."""
        shapes = {}
        for tag, (milestones, users_per_account) in zip(tags, sizes):
            shapes[tag] = self.grown(tag, milestones, users_per_account)
        variants = self.main()
        sessions = {(tag, v): self.session(f"g{tag}_{v}") for tag in tags for v in variants}
        r = random.Random(4)
        moment = datetime.now(timezone.utc) - timedelta(days=30)
        self.next_id = max(self.next_id, OPTIONS.milestones + 1)

        def draw(tag, n):
            nonlocal moment
            accounts, members = shapes[tag]
            some = [r.randrange(accounts) for _ in range(busy)]
            rows = []
            for _ in range(n):
                moment += timedelta(milliseconds=200)
                a = r.choice(some)
                rows.append((self.next_id, f"u{a + accounts * r.randrange(members)}", f"a{a}", r.choice(NAMES),
                             moment.isoformat(), '{"units": 1}'))
                self.next_id += 1
            return rows

        store = {tag: Row() for tag in tags}
        n = max(20, OPTIONS.batches // 2)
        for k in range(n):
            for tag in tags:
                store[tag].events = 1000
                self.turn(store[tag], {v: sessions[tag, v] for v in variants}, self.insert_text(draw(tag, 1000)), k, keep=k >= n // 4)
        self.grown_row(batch_key, store, tags)
        if copy_key:
            store = {tag: Row() for tag in tags}
            for k in range(max(3, OPTIONS.rounds)):
                for tag in tags:
                    rows = draw(tag, 100_000)
                    path = os.path.join(self.directory, "grown.copy")
                    with open(path, "w") as f:
                        f.writelines("\t".join(map(str, row)) + "\n" for row in rows)
                    os.chmod(path, 0o644)
                    store[tag].events = 100_000
                    self.turn(store[tag], {v: sessions[tag, v] for v in variants}, self.copy(path), k, keep=k > 0)
                    self.remove(path)
            self.grown_row(copy_key, store, tags)
        for s in sessions.values():
            s.close()
        self.drop(*(f"g{tag}_{v}" for tag in tags for v in variants))

    def grown_row(self, key, store, tags):
        small, large = (store[t] for t in tags)
        row = self.row(key, 1)
        row.notes = {"small": small.dump(), "large": large.dump()}
        for v in self.main():
            row.notes[v] = {
                "growth": large.ratio(v, "cpu") / small.ratio(v, "cpu"), "small_ratio": small.ratio(v), "large_ratio": large.ratio(v),
                "small_extra_us": (small.per_event(v, "cpu") - small.per_event("none", "cpu")) * 1e6,
                "large_extra_us": (large.per_event(v, "cpu") - large.per_event("none", "cpu")) * 1e6}
            if v != "none":
                x = row.notes[v]
                note(f"{key}: {v}: ratio {x['small_ratio']:.2f} -> {x['large_ratio']:.2f}, extra "
                     f"{x['small_extra_us']:.2f} -> {x['large_extra_us']:.2f} us cpu/event")

    def run_growth(self):
        """More accounts of 10 users each."""
        sizes = [(OPTIONS.milestones_small, 10), (OPTIONS.milestones, 10)]
        self.growth(["s", "l"], sizes, 500 if not OPTIONS.quick else 100, "growth_batch", "growth_copy")

    def run_wide(self):
        """The same accounts with more users."""
        grows = OPTIONS.milestones / OPTIONS.milestones_small
        sizes = [(OPTIONS.milestones_small, 5), (OPTIONS.milestones, round(5 * grows))]
        self.growth(["s", "l"], sizes, 500 if not OPTIONS.quick else 100, "growth_wide")

    def run_backfill(self):
        row = self.row("backfill", self.events)
        self.database("f_none", "t_none")
        s = self.session("f_none")
        path = self.file(1, self.events, 0)
        s.run(self.copy(path))
        self.remove(path)
        s.run("VACUUM ANALYZE app.events")
        s.run("SELECT sum(length(user_id)) FROM app.events")
        row.add("none", *s.measure("SELECT sum(length(user_id) + length(name) + length(props->>'units')) FROM app.events"), None)
        s.close()
        for v in self.main():
            if v == "none":
                continue
            self.database(f"f_{v}", "f_none", "file_copy")
            if v == "pql":
                self.install_pql("f_pql", backfill=False)
            else:
                self.in_database("f_stmt", read_sql("rivals.sql"))
            s = self.session(f"f_{v}")
            s.run("SELECT sum(length(user_id)) FROM app.events")
            self.monitor.run("CHECKPOINT")
            if v == "pql":
                with profile("backfill", s.pid):
                    row.add(v, *s.measure("CALL pql.backfill('app.events')"), None)
            else:
                row.add(v, *s.measure(read_sql("rivals_history.sql")), None)
            s.close()
        self.drop(*(f"f_{v}" for v in self.main()))
        note("backfill: " + ", ".join(f"{v} {self.events / row.wall[v][0]:,.0f} events/s" for v in row.wall))

    def team_database(self, name, variant):
        """A database whose accounts have attributes; with pql, what the large program looks at."""
        self.database(name, "t_none")
        self.in_database(name, read_sql("accounts.sql", accounts=quote("{" + ",".join(self.accounts) + "}")))
        if variant == "pql":
            self.install_pql(name, program=TEAM, before="SELECT pql.attach_accounts('app.accounts', account_id => 'id')")

    def run_team(self):
        """A program as large as a large team's, against the bare table."""
        self.accounts = [a for a, in self.gen.run(f"SELECT gen.account_id(n) FROM generate_series(0, {ACCOUNTS}) AS n")]
        variants = [v for v in self.variants if v in ("none", "pql")]
        for v in variants:
            self.team_database(f"w_{v}", v)
        sessions = {v: self.session(f"w_{v}") for v in variants}
        for key, first, turns in (("team_cold", 0, 1), ("team_copy", 1, OPTIONS.rounds)):
            row = self.row(key, self.chunk)
            with profile(key, sessions.get("pql", sessions["none"]).pid):
                for k in range(turns):
                    path = self.file(1, self.chunk, (first + k) * self.chunk_days)
                    self.monitor.run("CHECKPOINT")
                    self.turn(row, sessions, self.copy(path), k)
                    self.remove(path)
            self.say(key)
        day = (OPTIONS.rounds + 1) * self.chunk_days
        self.insert_batches("team_batch", sessions, self.stream_rows(1, OPTIONS.batches * 1000, day))
        self.rows["team_batch"].notes["routed_pql"] = int(sessions["pql"].value("SELECT count(*) FROM pql.routing"))
        note(f"routing rows: {self.rows['team_batch'].notes['routed_pql']}")
        for s in sessions.values():
            s.close()
        self.drop(*(f"w_{v}" for v in variants))

    def run_scoreboard(self):
        """Everybody's score now. Each account has three events; a tenth of them thirty, of ten users."""
        n = 100_000 if OPTIONS.quick else 1_000_000
        self.accounts = []
        self.team_database("c_pql", "none")
        s = Session("c_pql")
        s.run(read_sql("many_accounts.sql", accounts=n, names=quote("{" + ",".join(NAMES) + "}")))
        s.run("VACUUM ANALYZE app.events, app.accounts")
        s.close()
        self.install_pql("c_pql", program=TEAM, before="SELECT pql.attach_accounts('app.accounts', account_id => 'id');"
                                                        f"SELECT pql.publish({quote(json.dumps(PROGRAM))})")
        s = self.session("c_pql")
        s.run("VACUUM ANALYZE pql.state, pql.attribute")
        for key, program in (("scoreboard", PROGRAM["program"]), ("team_scoreboard", TEAM["program"])):
            row = self.row(key, n)
            row.notes["subjects"] = n
            with profile(key, s.pid):
                for _ in range(OPTIONS.rounds):
                    row.add("pql", *s.measure(f"SELECT count(*) FROM pql.scoreboard({quote(program)})"), None)
                    row.add("none", *s.measure("SELECT count(*), sum(length(body)) FROM pql.state"), None)
            note(f"{key}: {statistics.median(row.wall['pql']):.2f} s")
        s.close()
        self.drop("c_pql")

    def routing_database(self, name, program, reps):
        """Where accounts ask for something, and qualify by that."""
        self.database(name, "t_none")
        self.install_pql(name, program=program)
        self.in_database(name, read_sql("routing.sql", reps=reps))
        return self.session(name)

    @staticmethod
    def insert_asking(first, n, event="ask"):
        return ("INSERT INTO app.events (user_id, account_id, name, ts) SELECT 'u' || i, 'o' || i, "
                f"{quote(event)}, now() FROM generate_series({first}, {first + n - 1}) AS i")

    @staticmethod
    def idle_tick(session):
        """The pages that a tick reads which finds nothing, and its milliseconds, once everything is planned and vacuumed."""
        session.run("SELECT pql.tick() FROM generate_series(1, 30)")  # what is due takes so many at most
        session.run("VACUUM ANALYZE")
        plans = [json.loads(session.value("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT pql.tick()"))[0] for _ in range(20)]
        return (min(p["Plan"]["Shared Hit Blocks"] + p["Plan"]["Shared Read Blocks"] for p in plans),
                statistics.median(p["Execution Time"] for p in plans))

    def run_routing(self):
        """Decisions, in batches of a thousand; who isn't decided upon; and ticks that find nothing."""
        s = {"pql": self.routing_database("r_pql", RULED, 200), "none": self.routing_database("r_none", ROUTED, 0)}
        first, n = 1, 1000
        row = self.row("unqualified", n)
        for k in range(OPTIONS.batches):  # always the same accounts, who never score enough
            self.turn(row, s, self.insert_asking(1, n, "look"), k, keep=k >= OPTIONS.batches // 5)
        note(f"unqualified: {row.ratio('pql'):.3f} / {row.ratio('pql', 'cpu'):.3f}")
        row, emitted = self.row("decision", n), self.row("emitted", n)
        open_rows, small = (10_000 if OPTIONS.quick else 100_000), []
        idle = {}
        while first < open_rows:
            took = self.turn(emitted, s, self.insert_asking(first, n), first // n, keep=first > 2 * n)
            assigned = s["pql"].measure(f"SELECT pql._assign_pending(now(), {n})")
            s["none"].run("UPDATE pql.routing SET owner = 'nobody' WHERE owner IS NULL AND state = 'pending'")
            if first > 2 * n:
                small.append((assigned[1] + took["pql"][1] - took["none"][1]) / n * 1e6)
            if first == 1:
                idle[n] = self.idle_tick(s["pql"])
            first += n
        idle[open_rows] = self.idle_tick(s["pql"])
        row.notes["us"] = statistics.median(small)
        row = self.row("tick_open", 1)
        row.notes["subjects"], row.notes["idle"] = open_rows, idle
        note(f"decision: {self.rows['decision'].notes['us']:.0f} us; open rows: (pages, ms) of a tick: {idle}")
        del self.rows["emitted"]
        for x in s.values():
            x.close()
        self.drop("r_pql", "r_none")

    def run_views(self):
        """What became of hand-offs, summed up by each view, beside a plain count of the same rows."""
        n = 100_000 if OPTIONS.quick else 1_000_000
        self.database("v_pql")
        self.in_database("v_pql", "CREATE EXTENSION pql", read_sql("handoffs.sql", handoffs=n), "VACUUM ANALYZE")
        s = Session("v_pql")
        for v, total in VIEWS.items():
            row = self.row(f"view_{v}", n)
            row.notes["subjects"] = n
            s.run(f"SELECT {total} FROM pql.{v}")
            with profile(f"view_{v}", s.pid):
                for _ in range(OPTIONS.rounds):
                    row.add("pql", *s.measure(f"SELECT {total} FROM pql.{v}"), None)
                    row.add("none", *s.measure("SELECT count(*) FROM pql.handoff_fact"), None)
            note(f"{v}: {statistics.median(row.wall['pql']):.2f} s, {row.ratio('pql'):.1f} times a count")
        s.close()
        self.drop("v_pql")

    def run_packet(self):
        """What an event that qualifies an account costs more than one that doesn't: the packet, its row, and what is read for them."""
        accounts = 10 if OPTIONS.quick else 40
        self.database("p_pql", "t_none")
        self.install_pql("p_pql", program=PACKETS, before="CREATE TABLE app.accounts (id text PRIMARY KEY, plan text, seats int, segment text);"
                         f"INSERT INTO app.accounts SELECT 'big' || i, 'team', 200, 'mid-market' FROM generate_series(1, {accounts}) AS i;"
                         "SELECT pql.attach_accounts('app.accounts', account_id => 'id')")
        self.in_database("p_pql", read_sql("packet.sql", accounts=accounts), "VACUUM ANALYZE")
        s = self.session("p_pql")
        row, times = self.row("packet", 1), {"look": [], "ask": []}
        for a in range(1, accounts + 1):
            for event in ("look", "look", "ask"):
                took = s.measure(f"INSERT INTO app.events (user_id, account_id, name, ts) VALUES ('big{a} user 7', 'big{a}', '{event}', now())")
                if a > 3:
                    times[event].append(took[0] * 1e3)
        row.notes["ms"] = statistics.median(times["ask"]) - statistics.median(times["look"][1::2])
        row.notes["times"] = {k: statistics.median(v) for k, v in times.items()}
        row.notes["rows"] = int(s.value("SELECT count(*) FROM pql.routing WHERE (context -> 'completeness')::float8 = 1"))
        note(f"packet: {row.notes['ms']:.2f} ms; {row.notes}")
        s.close()
        self.drop("p_pql")

    def run_publish(self):
        """One client writes single rows of known users all the time, while another publishes, fills and promotes."""
        self.accounts = [a for a, in self.gen.run(f"SELECT gen.account_id(n) FROM generate_series(0, {ACCOUNTS}) AS n")]
        self.team_database("p_pql", "none")
        s = self.session("p_pql")
        path = self.file(1, self.events, 0)
        s.run(self.copy(path))
        self.remove(path)
        self.install_pql("p_pql", before="SELECT pql.attach_accounts('app.accounts', account_id => 'id')")
        row = self.row("publish", self.events)
        row.notes["filled"] = self.events
        writer = Writer(self.session("p_pql"), s.run("SELECT user_id, account_id, name FROM app.events LIMIT 5000"))
        writer.start()
        row.notes["took"] = {}
        for phase, sql in (("alone", f"SELECT pg_sleep({4 * OPTIONS.seconds})"), ("publish", f"SELECT pql.publish({quote(json.dumps(TEAM))})"),
                           ("backfill", "CALL pql.backfill('app.events')"),
                           ("promote", f"SELECT pql.promote({quote(TEAM['program'])}, override => 'benchmark')"),
                           ("after", f"SELECT pg_sleep({4 * OPTIONS.seconds})")):
            writer.phase = phase
            row.notes["took"][phase] = s.measure(sql)[0]
        writer.phase = None
        writer.join()
        if writer.error:
            raise writer.error
        row.notes["waits"] = {p: {"writes": len(w), "median": statistics.median(w), "longest": max(w)} for p, w in writer.waits.items()}
        wrong = s.value("SELECT count(*) FROM pql.verify(0.05)")
        for p, w in row.notes["waits"].items():
            note(f"publish: {p} {row.notes['took'][p]:.2f} s, {w['writes']} rows, median {w['median'] * 1e3:.2f} ms, longest {w['longest'] * 1e3:.1f} ms")
        note(f"publish: differences found by verify: {wrong}")
        s.close()
        self.drop("p_pql")

    def derive_wal(self):
        for key, source in (("wal_copy", "copy_steady"), ("wal_single", "single_c8_on")):
            if source in self.rows:
                self.rows[key] = self.rows[source]

    # --- the table ------------------------------------------------------------------------------------------------------

    def cell(self, key, variant):
        """What the table shows: (text, number to hold against the target)."""
        row = self.rows[key]
        if key.startswith("wal_"):
            more = row.wal_more(variant)
            return ("–", None) if more is None else (f"+{more:.0f} B", more)
        if key.startswith("growth_"):
            x = row.notes.get(variant)
            return ("–", None) if not x else (f"{x['growth']:.2f} ({x['small_ratio']:.2f} → {x['large_ratio']:.2f})", x["growth"])
        if key == "one_txn":
            x = row.notes.get(variant)
            if not x:
                return "–", None
            cut = "" if x["statements"] >= (3000 if OPTIONS.quick else 20_000) else f", given up after {x['statements']:,}"
            return f"{x['end'] / x['start']:.1f} ({x['start']:.0f} → {x['end']:.0f} µs{cut})", x["end"] / x["start"]
        if key == "members":
            x = row.notes.get(variant)
            if not x:
                return "–", None
            first, last = x[10]["us"], x[row.notes["largest"]]["us"]
            return f"{last / first:.2f} ({first:.0f} → {last:.0f} µs)", last / first
        if key == "decision":
            return (f"{row.notes['us']:.0f} µs", row.notes["us"]) if variant == "pql" and "us" in row.notes else ("–", None)
        if key == "packet":
            return (f"{row.notes['ms']:.1f} ms", row.notes["ms"]) if variant == "pql" and "ms" in row.notes else ("–", None)
        if key == "tick_open":
            if variant != "pql" or "idle" not in row.notes:
                return "–", None
            (few, _), (many, ms) = row.notes["idle"].values()
            return f"{many / few:.2f} ({few} → {many} pages, {ms:.1f} ms)", many / few
        if key == "publish":
            if variant != "pql":
                return "–", None
            ms = {p: w["longest"] * 1e3 for p, w in row.notes["waits"].items()}
            return f"{max(ms.get(p, 0) for p in ('publish', 'backfill', 'promote')):.0f} ms", None
        if key.startswith("view_"):
            took = statistics.median(row.wall["pql"]) if variant == "pql" else None
            return (f"{took:.2f} s ({row.ratio('pql'):.0f} times a count)", took) if took else ("–", None)
        if key.endswith("scoreboard"):
            took = statistics.median(row.wall["pql"]) if variant == "pql" else None
            return (f"{took:.2f} s", took) if took else ("–", None)
        if key == "backfill":
            return (f"{row.events / row.wall[variant][0] / 1000:,.0f}k", None) if variant in row.wall else ("–", None)
        if variant == "row" and "row_wall" in row.notes:
            return f"{statistics.median(row.notes['row_wall']):.1f} / {statistics.median(row.notes['row_cpu']):.1f} *", None
        ratio, cpu = row.ratio(variant), row.ratio(variant, "cpu")
        if ratio is None:
            return "–", None
        text = f"{ratio:.2f}" + (f" / {cpu:.2f}" if cpu else "")
        if len(row.ratios(variant)) >= 4 and variant == "pql":
            low, _, high = statistics.quantiles(row.ratios(variant), n=4)
            text += f" ({low:.2f}–{high:.2f})"
        return text, ratio

    def base(self, key):
        row = self.rows[key]
        if key.startswith("wal_"):
            return f"{statistics.median(row.wal['none']) / row.events:.0f} B"
        if key == "one_txn":
            return f"{row.notes['none']['start']:.0f} → {row.notes['none']['end']:.0f} µs"
        if key == "members":
            return f"{row.notes['none'][10]['us']:.0f} µs"
        if key == "backfill":
            return f"{row.events / row.wall['none'][0] / 1000:,.0f}k (reads only)"
        if key.startswith("view_"):
            return f"{statistics.median(row.wall['none']) * 1e3:.0f} ms to count"
        if key == "publish":
            return f"{row.notes['waits']['alone']['longest'] * 1e3:.0f} ms with one program alone"
        if key.startswith("growth_") or key in ("decision", "tick_open", "packet"):
            return ""
        if "tps_none" in row.notes:
            return f"{row.notes['tps_none']:,} tps"
        return f"{row.per_event('none') * 1e6:.2f} µs"

    def table(self, load):
        lines = ["| what | pql | target | | statement trigger | row trigger | bare table |", "| --- | --- | --- | --- | --- | --- | --- |"]
        for key, (label, target, limit) in ROWS.items():
            if key not in self.rows or (not self.rows[key].wall and not self.rows[key].notes):
                continue
            members = self.rows[key].notes.get("largest", "")
            label = label.format(small=short(OPTIONS.milestones_small), large=short(OPTIONS.milestones), members=members,
                                 subjects=short(self.rows[key].notes.get("subjects", 0)), filled=short(self.rows[key].notes.get("filled", 0)))
            label = label.replace("1M rows", f"{short(self.chunk)} rows").replace("COPY 1M", f"COPY {short(self.chunk)}")
            text, number = self.cell(key, "pql")
            verdict = "" if limit is None or number is None or OPTIONS.quick else "met" if number <= limit else "**missed**"
            cells = [label, text, target, verdict, self.cell(key, "stmt")[0], self.cell(key, "row")[0], self.base(key)]
            lines.append("| " + " | ".join(cells) + " |")
        out = ["\n".join(lines), ""]
        if any("row_wall" in r.notes for r in self.rows.values()):
            out.append("\\* of 50,000 rows, because the cost of each grows with their number.")
        if "partitioned" in self.rows and "plain" in self.rows["partitioned"].wall:
            r = self.rows["partitioned"]
            out.append(f"The bare partitioned table takes {1 / r.ratio('plain'):.2f} of the plain one; "
                       "ratios of that row are against the bare partitioned table.")
        for key, row in self.rows.items():
            failed = {k: n for k, n in row.notes.items() if k.startswith("failed_")}
            if failed:
                out.append(f"Transactions that failed in {key}: {failed}.")
        out += ["Ratios are wall time / processor time of the backend, medians of the ratios within each turn; in brackets the middle "
                "half of them.", "",
                f"Machine: {machine()}, load {load} before and {os.getloadavg()[0]:.1f} after. PostgreSQL {self.version}. "
                f"{time.strftime('%Y-%m-%d')}. Events {short(self.events)}, seed {OPTIONS.seed}"
                + (", **quick: small sizes, no result**" if OPTIONS.quick else "") + "."]
        return "\n".join(out) + "\n"


def main():
    load = f"{os.getloadavg()[0]:.1f}"
    started = time.time()
    bench = Bench()
    failed = []
    try:
        bench.prepare()
        for group in GROUPS:
            if group not in OPTIONS.groups:
                continue
            note(f"--- {group}")
            try:
                getattr(bench, "run_" + group)()
            except Error as e:  # a row that can't be measured doesn't take the others with it
                failed.append(group)
                note(f"{group} failed: {e}")
                bench.level = 0
    except KeyboardInterrupt:
        note("interrupted: the table has what there is")
    bench.derive_wal()
    table = bench.table(load)
    print(table)
    if OPTIONS.out:
        with open(OPTIONS.out, "w") as f:
            f.write(table)
    if OPTIONS.json:
        with open(OPTIONS.json, "w") as f:
            json.dump({"rows": {k: r.dump() for k, r in bench.rows.items()}, "options": vars(OPTIONS)}, f, indent=1)
    note(f"done in {(time.time() - started) / 60:.1f} minutes" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
