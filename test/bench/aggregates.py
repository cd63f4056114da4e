#!/usr/bin/env python3
"""Measures the aggregates, as ratios against what PostgreSQL does anyway with the same rows. Called by `aggregates`, which
starts the server.

Variants:  base        what the target is relative to: count(*), sum(value) … over the same groups or frames
           pql         the extension
           sql         the best SQL that we know for it
           clickhouse  chdb, with one thread
           duckdb      with one thread
Queries of the variants alternate, in an order that rotates, and a ratio is taken within each turn, so that neither the phases
of the machine nor the load of others favour anybody. All variants but the base must give the same answer.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from measure import HERE, Profile, Row, count, machine, note, read_sql, short, zipf_tops

VARIANTS = ["base", "pql", "sql", "clickhouse", "duckdb"]
TITLES = {"base": "base", "pql": "pql", "sql": "SQL by hand", "clickhouse": "ClickHouse", "duckdb": "DuckDB"}
KINDS, DAYS, STEPS = 40, 90, 100_000
A, B, C, D = "kind = 2", "kind = 3", "kind = 4", "kind = 5"  # three events in ten
AS_OF, WEEK = "timestamptz '2026-04-01Z'", 7 * 86400
MICROS = 1767225600 * 10**6  # of 2026-01-01
DECAY = f"-0.69314718055994531 / {WEEK}"


def by_user(expression, name, read=None, table="event"):
    """Answers of an aggregate in groups, in one row."""
    return f"SELECT {read or f'sum({name}), sum({name} * {name})'} FROM (SELECT {expression} AS {name} FROM {table} GROUP BY user_id) AS x"


def counted(table):
    return f"SELECT sum(n) FROM (SELECT count(*) AS n FROM {table} GROUP BY user_id) AS x"


def chain(table, group="user_id", within="interval '7 days'"):
    """A funnel of four steps by window functions: the latest start of each step so far. Works in DuckDB as well."""
    over = f"OVER (PARTITION BY {group} ORDER BY ts)"
    step = lambda kind, m: f"CASE WHEN kind = {kind} AND ts - {m} <= {within} THEN {m} END"  # noqa: E731
    return f"""SELECT sum(l), sum(l * l) FROM (
      SELECT max(CASE WHEN s4 IS NOT NULL THEN 4 WHEN s3 IS NOT NULL THEN 3 WHEN s2 IS NOT NULL THEN 2 WHEN s1 IS NOT NULL THEN 1
                 ELSE 0 END) AS l
      FROM (SELECT *, {step(5, 'm3')} AS s4
        FROM (SELECT *, max(s3) {over} AS m3
          FROM (SELECT *, {step(4, 'm2')} AS s3
            FROM (SELECT *, max(s2) {over} AS m2
              FROM (SELECT *, {step(3, 'm1')} AS s2
                FROM (SELECT *, max(s1) {over} AS m1
                  FROM (SELECT {group}, ts, kind, CASE WHEN kind = 2 THEN ts END AS s1 FROM {table} WHERE kind IN (2, 3, 4, 5)) AS a
      ) AS b) AS c) AS d) AS e) AS f) AS g GROUP BY {group}) AS h"""


def funnel(table):
    return {
        "base": counted(table),
        "pql": by_user(f"pql.window_funnel('7 days', ts, {A}, {B}, {C}, {D})", "l", table=table),
        "sql": chain(table), "duckdb": chain(table),
        "clickhouse": by_user(f"windowFunnel({WEEK * 10**6})(ts, {A}, {B}, {C}, {D})", "l", table=table)}


def decayed(table):
    return {
        "base": f"SELECT sum(s) FROM (SELECT sum(value) AS s FROM {table} GROUP BY user_id) AS x",
        "pql": by_user(f"pql.decay_score(pql.decay_agg('7 days', ts, value), {AS_OF})", "s", "sum(s)", table),
        "sql": by_user(f"sum(value * exp((date_part('epoch', {AS_OF}) - date_part('epoch', ts)) * {DECAY}))", "s", "sum(s)", table),
        "clickhouse": by_user(f"sum(value * exp(({MICROS} + 90 * 86400000000 - toFloat64(ts)) / 1e6 * {DECAY}))", "s", "sum(s)", table),
        "duckdb": by_user(f"sum(value * exp(({MICROS} + 90 * 86400000000 - epoch_us(ts)) / 1e6 * {DECAY}))", "s", "sum(s)", table)}


def sessions(table):
    lag = lambda ts, gap, read: f"""SELECT {read} FROM (SELECT user_id, sum(d) FILTER (WHERE d <= {gap}) AS t
      FROM (SELECT user_id, {ts} - lag({ts}) OVER (PARTITION BY user_id ORDER BY ts) AS d FROM {table}) AS x
      GROUP BY user_id) AS y"""  # noqa: E731
    return {
        "base": lag("ts", "interval '30 minutes'", "coalesce(date_part('epoch', sum(t)), 0)"),
        "pql": by_user("pql.time_in_product(pql.session_agg('30 minutes', ts))", "t", "date_part('epoch', sum(t))", table),
        "clickhouse": by_user("arraySum(d -> if(d <= 1800000000, d, 0), arrayDifference(arraySort(groupArray(ts))))", "t",
                              "sum(t) / 1e6", table),
        "duckdb": lag("epoch_us(ts)", "1800000000", "coalesce(sum(t), 0) / 1e6")}


def sliding(frame, table, group, duckdb_frame=None, clickhouse_frame=None):
    over = f"OVER (PARTITION BY {group} ORDER BY ts {frame})"
    weight = "exp((date_part('epoch', ts) - 1767225600) / %s)" % (WEEK / 0.6931471805599453)
    duck_weight = weight.replace("date_part('epoch', ts) - 1767225600", f"(epoch_us(ts) - {MICROS}) / 1e6")
    score = lambda w, o: f"SELECT sum(s / w) FROM (SELECT sum(value * {w}) {o} AS s, {w} AS w FROM {table}) AS x"  # noqa: E731
    return {
        "base": f"SELECT sum(n) FROM (SELECT count(*) {over} AS n FROM {table}) AS x",
        "pql": f"SELECT sum(s) FROM (SELECT pql.decay_sum('7 days', ts, value) {over} AS s FROM {table}) AS x",
        "sql": score(weight, over), "duckdb": score(duck_weight, over.replace(frame, duckdb_frame or frame)),
        "clickhouse": f"""SELECT sum(s) FROM (SELECT exponentialTimeDecayedSum({WEEK / 0.6931471805599453})(value, ts / 1e6)
          OVER (PARTITION BY {group} ORDER BY {clickhouse_frame or f'ts {frame}'}) AS s FROM {table}) AS x"""}


def sliding_state(frame, table, group):
    over = f"OVER (PARTITION BY {group} ORDER BY ts {frame})"
    return {
        "base": sliding(frame, table, group)["base"],
        "pql": f"SELECT sum(pql.decay_score(s, ts)) FROM (SELECT ts, pql.decay_agg('7 days', ts, value) {over} AS s FROM {table}) AS x"}


def moving(aggregate, read, n):
    return f"SELECT sum({read}) FROM (SELECT ts, {aggregate} OVER (ORDER BY ts ROWS {n} PRECEDING) AS s FROM single) AS x"


MOVING_SCORE = "pql.decay_agg('7 days', ts, value)", "pql.decay_score(s, ts)"
MOVING_FUNNEL = f"pql.window_funnel('1 day', ts, {A}, {B}, {C}, {D})", "s"
FRAMES = 10, 10_000


def once(table):
    state = "pql.events_agg(ts, kind = 1, kind = 2, kind = 3, kind = 4)"
    return {"pql": f"SELECT pql.window_funnel({state}, '1000 days', '{{once}}') FROM {table}"}


# Rows of the table: key -> what is measured, the table, how it is told, the target, the queries. Told as: "x", the quotient with
# the base; "ns", how many nanoseconds a row takes more than with the base; "s", seconds.
ROWS = {
    "funnel": ("4-step funnel by user / count(*)", "event", "x", 1.5, funnel("event")),
    "funnel_state": ("the same from a state / count(*)", "event", "x", None, {
        "base": counted("event"),
        "pql": by_user(f"pql.window_funnel(pql.events_agg(ts, {A}, {B}, {C}, {D}), '7 days')", "l")}),
    "decay": ("decayed score by user / sum(value)", "event", "x", 1.1, decayed("event")),
    "sessions": ("session time by user / lag()", "event", "x", 0.2, sessions("event")),
    "sessions_shuffled": ("the same of {recent} events in no order / lag()", "shuffled", "x", None, sessions("shuffled")),
    "retention": ("retention of 3 by user / count(*)", "event", "x", None, {
        "base": counted("event"),
        "pql": by_user(f"pql.retention({A}, {B}, {C})", "r", "count(*) FILTER (WHERE r[1]), count(*) FILTER (WHERE r[3])"),
        "sql": by_user(f"ARRAY[bool_or({A}), bool_or({A}) AND bool_or({B}), bool_or({A}) AND bool_or({C})]", "r",
                       "count(*) FILTER (WHERE r[1]), count(*) FILTER (WHERE r[3])"),
        "clickhouse": by_user(f"retention({A}, {B}, {C})", "r", "sum(r[1]), sum(r[3])"),
        "duckdb": by_user(f"[bool_or({A}), bool_or({A}) AND bool_or({B}), bool_or({A}) AND bool_or({C})]", "r",
                          "count(*) FILTER (WHERE r[1]), count(*) FILTER (WHERE r[3])")}),
    "match": ("pattern of 3 by user / count(*)", "event", "x", None, {
        "base": counted("event"),
        "pql": by_user(f"pql.sequence_match('(?1).*(?2).*(?3)', ts, {A}, {B}, {C})", "m", "count(*) FILTER (WHERE m)"),
        "sql": by_user("string_agg(CASE kind WHEN 2 THEN 'a' WHEN 3 THEN 'b' ELSE 'c' END, '' ORDER BY ts) ~ 'a.*b.*c'", "m",
                       "count(*) FILTER (WHERE m)", "(SELECT * FROM event WHERE kind IN (2, 3, 4)) AS e"),
        "clickhouse": by_user(f"sequenceMatch('(?1).*(?2).*(?3)')(ts, {A}, {B}, {C})", "m", "sum(m)"),
        "duckdb": by_user("regexp_matches(string_agg(CASE kind WHEN 2 THEN 'a' WHEN 3 THEN 'b' ELSE 'c' END, '' ORDER BY ts), 'a.*b.*c')",
                          "m", "count(*) FILTER (WHERE m)", "(SELECT * FROM event WHERE kind IN (2, 3, 4)) AS e")}),
    "one_funnel": ("4-step funnel, one group: ns a row more than count(*)", "event", "ns", 80, {
        "base": "SELECT count(*) FROM event", "pql": f"SELECT pql.window_funnel('7 days', ts, {A}, {B}, {C}, {D}) FROM event",
        "clickhouse": f"SELECT windowFunnel({WEEK * 10**6})(ts, {A}, {B}, {C}, {D}) FROM event"}),
    "one_state": ("events kept, one group", "event", "ns", 80, {
        "base": "SELECT count(*) FROM event",
        "pql": f"SELECT pql.window_funnel(pql.events_agg(ts, {A}, {B}, {C}, {D}), '7 days') FROM event"}),
    "one_decay": ("decayed score, one group", "event", "ns", 80, {
        "base": "SELECT count(*) FROM event", "pql": f"SELECT pql.decay_score(pql.decay_agg('7 days', ts, value), {AS_OF}) FROM event"}),
    "one_session": ("sessions, one group", "event", "ns", 80, {
        "base": "SELECT count(*) FROM event",
        "pql": "SELECT date_part('epoch', pql.time_in_product(pql.session_agg('30 minutes', ts))) FROM event"}),
    "one_apart": ("the same, every row a session of its own", "event", "ns", 80, {
        "base": "SELECT count(*) FROM event", "pql": "SELECT pql.session_count(pql.session_agg('0 s', ts)) FROM event"}),
    "one_users": ("exact distinct users, one group", "event", "ns", None, {
        "base": "SELECT count(*) FROM event", "pql": "SELECT pql.count_active_users(user_id) FROM event",
        "sql": "SELECT count(DISTINCT user_id) FROM event", "clickhouse": "SELECT uniqExact(user_id) FROM event",
        "duckdb": "SELECT count(DISTINCT user_id) FROM event"}),
    "many_funnel": ("{groups} groups of 10 rows: funnel / count(*)", "many", "x", 1.5, funnel("many")),
    "many_decay": ("{groups} groups of 10 rows: decayed score / count(*)", "many", "x", 1.5, decayed("many") | {"base": counted("many")}),
    "many_sessions": ("{groups} groups of 10 rows: sessions / count(*)", "many", "x", 1.5,
                      sessions("many") | {"base": counted("many"), "sql": sessions("many")["base"]}),
    "sliding": ("score of a sliding day by user, {recent} rows / count(*)", "recent", "x", 1.05,
                sliding("RANGE '1 day' PRECEDING", "recent", "user_id", "RANGE interval 1 day PRECEDING",
                        "intDiv(ts, 1000) RANGE 86400000 PRECEDING")),  # ClickHouse's offsets have 32 bits
    "sliding_state": ("the same from states / count(*)", "recent", "x", None, sliding_state("RANGE '1 day' PRECEDING", "recent", "user_id")),
    "sliding_rows": ("score of the last 1000 rows, {single} rows of one user / count(*)", "single", "x", None,
                     sliding("ROWS 1000 PRECEDING", "single", "user_id")),
    "moving_decay": (f"moving score, frames of {FRAMES[1]:,} rows / of {FRAMES[0]}", "single", "x", 1.1, {
        "base": moving(*MOVING_SCORE, FRAMES[0]), "pql": moving(*MOVING_SCORE, FRAMES[1])}),
    "moving_funnel": (f"moving funnel, frames of {FRAMES[1]:,} rows / of {FRAMES[0]}", "single", "x", 1.1, {
        "base": moving(*MOVING_FUNNEL, FRAMES[0]), "pql": moving(*MOVING_FUNNEL, FRAMES[1])}),
    "moving_count": (f"for comparison: count(*), frames of {FRAMES[1]:,} rows / of {FRAMES[0]}", "single", "x", None, {
        "base": moving("count(*)", "s", FRAMES[0]), "sql": moving("count(*)", "s", FRAMES[1])}),
    "once": ("mode once, 3 × 100,000 rows of one user", "steps", "s", 1, once("steps")),
    "once_tied": ("the same at one instant", "tied", "s", 1, once("tied")),
}
# What --only takes: group -> the rows it fills.
GROUPS = {
    "funnel": ["funnel", "funnel_state"], "decay": ["decay"], "sessions": ["sessions", "sessions_shuffled"], "retention": ["retention"],
    "match": ["match"], "one": ["one_funnel", "one_state", "one_decay", "one_session", "one_apart", "one_users"],
    "many": ["many_funnel", "many_decay", "many_sessions"], "sliding": ["sliding", "sliding_state", "sliding_rows"],
    "moving": ["moving_decay", "moving_funnel", "moving_count"], "once": ["once", "once_tied"],
}


def parse_arguments():
    p = argparse.ArgumentParser(prog="aggregates", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="small sizes: a minute")
    p.add_argument("--only", help="groups, separated by commas: " + ", ".join(GROUPS))
    p.add_argument("--variants", default=",".join(VARIANTS), help="which to compare (base and pql are always among them)")
    p.add_argument("--rows", type=count, help="events (10M); there is a user for every 50")
    p.add_argument("--rounds", type=int, help="turns (5); others than base and pql take part in the first two")
    p.add_argument("--workers", type=int, default=0, help="parallel workers of a query (0); then only wall times mean something")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", help="where the table goes besides the screen")
    p.add_argument("--json", help="where every measurement goes")
    p.add_argument("--perf", metavar="DIRECTORY", help="record profiles of pql's queries there (needs root and perf)")
    p.add_argument("--perf-calls", action="store_true", help="with call stacks: slower, but adds up what functions call")
    p.add_argument("--list", action="store_true", help="which rows there are")
    a = p.parse_args()
    a.rows = a.rows or (500_000 if a.quick else 10_000_000)
    a.rounds = a.rounds or (3 if a.quick else 5)
    a.variants = [v for v in VARIANTS if v in ("base", "pql") or v in a.variants.split(",")]
    a.groups = list(GROUPS) if not a.only else a.only.split(",")
    for g in a.groups:
        if g not in GROUPS:
            p.error(f"no rows {g}; there are: {', '.join(GROUPS)}")
    return a


OPTIONS = parse_arguments()


def label(key):
    return ROWS[key][0].format(recent=short(OPTIONS.rows // 5), single=short(OPTIONS.rows // 100), groups=short(OPTIONS.rows // 10))


if OPTIONS.list:
    for group, rows in GROUPS.items():
        print(f"{group:12} " + "; ".join(label(r) for r in rows))
    sys.exit()

from libpq import Error, Session  # noqa: E402  (after --help and --list)

SETTINGS = ["work_mem = '2GB'", f"max_parallel_workers_per_gather = {OPTIONS.workers}", "min_parallel_table_scan_size = 0",
            "parallel_setup_cost = 0"]


class Peer:
    """An engine in a process of its own."""

    def __init__(self, name, python):
        self.loaded = set()
        self.process = subprocess.Popen([python, os.path.join(HERE, "peer.py"), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        first = self.process.stdout.readline()
        if not first:
            raise OSError(f"{name} doesn't start")
        self.version = json.loads(first)["version"]

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        answer = json.loads(answer) if answer else {"error": "it died"}
        if "error" in answer:
            raise Error(answer["error"][:300])
        return answer

    def measure(self, sql):
        a = self.ask(sql=sql)
        return a["wall"], a["cpu"], a["rows"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def peers_python():
    """The interpreter of the virtual environment of the suite peers, which has the engines; made when there is none."""
    top = os.path.dirname(os.path.dirname(HERE))
    peers = os.path.join(top, "build", "peers")
    note("ClickHouse and DuckDB, fetched when they aren't there yet")
    r = subprocess.run([os.path.join(top, "test", "support", "venv"), peers, os.path.join(top, "test", "peers", "requirements.txt"), "--no-deps"],
                       capture_output=True, text=True)
    if r.returncode:
        raise OSError(r.stdout.strip())
    return os.path.join(peers, "venv", "bin", "python")


def alike(a, b):
    """Whether two answers are the same; sums of floating-point numbers depend on their order."""
    if len(a) != len(b) or any(len(x) != len(y) for x, y in zip(a, b)):
        return False
    pairs = [(float(x), float(y)) for row, other in zip(a, b) for x, y in zip(row, other)]
    return all(abs(x - y) <= 1e-6 * max(1, abs(x)) for x, y in pairs)


class Bench:
    def __init__(self):
        self.admin = Session("postgres")
        self.version = self.admin.value("SHOW server_version")
        self.directory = self.admin.value("SHOW data_directory")
        self.rows, self.files, self.peers, self.remarks = {}, {}, {}, []

    def prepare(self):
        users = OPTIONS.rows // 50
        note(f"generating {short(OPTIONS.rows)} events of {short(users)} users")
        self.admin.run("CREATE DATABASE aggregates")
        s = Session("aggregates", ["work_mem = '1GB'"])
        s.run("CREATE EXTENSION pql")
        s.run(read_sql("random.sql", seed=OPTIONS.seed))
        for statement in read_sql("generate_aggregates.sql", events=OPTIONS.rows, users=users, days=DAYS, steps=STEPS,
                                  tops=zipf_tops(KINDS)).split(";\n"):
            s.run(statement)
        self.data = s
        self.start_peers()

    def start_peers(self):
        names = [v for v in ("clickhouse", "duckdb") if v in OPTIONS.variants]
        try:
            python = peers_python() if names else None
            for name in names:
                self.peers[name] = Peer(name, python)
        except OSError as e:
            self.remarks.append(f"Not measured, because not to be had: {', '.join(n for n in names if n not in self.peers)}.")
            note(f"{self.remarks[-1]} {e}")

    def load(self, name, table):
        peer = self.peers[name]
        if table in peer.loaded:
            return
        if table not in self.files:
            self.files[table] = os.path.join(self.directory, f"{table}.csv")
            self.data.run(f"COPY (SELECT user_id, round(date_part('epoch', ts) * 1e6)::bigint, kind, value FROM {table}) "
                          f"TO '{self.files[table]}' (FORMAT csv)")
        peer.ask(load=table, file=self.files[table])
        peer.loaded.add(table)

    @staticmethod
    def session():
        """A backend whose memory allocator has the same past as the others': glibc's threshold for mmap only grows."""
        s = Session("aggregates", SETTINGS)
        s.run("SELECT length(repeat('x', 30 * 1024 * 1024))")
        return s

    def run(self, key):
        _, table, _, _, queries = ROWS[key]
        row = self.rows[key] = Row()
        row.events = int(self.data.value(f"SELECT count(*) FROM {table}"))
        variants = [v for v in queries if v in OPTIONS.variants and (v in self.peers or v in ("base", "pql", "sql"))]
        sessions = {v: self.session() for v in variants if v not in self.peers}
        answers = {}
        for k in range(-1, OPTIONS.rounds):  # the first turn doesn't count
            taking = [v for v in variants if v in ("base", "pql") or k in (0, 1)]
            shift = k % len(taking)
            took = {}
            for v in taking[shift:] + taking[:shift]:
                if v in sessions:
                    wall, cpu = self.profiled(key, v, k, sessions[v], queries[v])
                    took[v] = wall, cpu, sessions[v].answer
                else:
                    took[v] = self.ask(key, v, table, queries[v])
            variants = [v for v in variants if took.get(v) or v not in taking]
            for v in variants if k >= 0 else []:
                row.add(v, *(took[v][:2] if v in took else (None, None)), None)
            answers |= {v: took[v][2] for v in took if took[v]}
        for s in sessions.values():
            s.close()
        for v, answer in answers.items():
            if v != "base" and "pql" in answers and not alike(answers["pql"], answer):
                self.remarks.append(f"**Answers differ** in \"{label(key)}\": pql {answers['pql']}, {v} {answer}.")
                note(self.remarks[-1])
        note(f"{key}: " + ", ".join(f"{v} {self.number(key, v):.3g}" for v in variants if v != "base")
             + (f"; base {row.per_event('base', 'cpu') * 1e9:.0f} ns/row" if "base" in variants else ""))

    @staticmethod
    def profiled(key, variant, turn, session, sql):
        wanted = OPTIONS.perf if variant == "pql" and turn == 0 else None
        with Profile(key, session.pid, wanted, OPTIONS.perf_calls):
            return session.measure(sql)

    def ask(self, key, peer, table, sql):
        """None when the peer can't: its column stays empty."""
        try:
            self.load(peer, table)
            return self.peers[peer].measure(sql)
        except Error as e:
            self.remarks.append(f"{TITLES[peer]} could not answer \"{label(key)}\".")
            note(f"{key}: {peer}: {e}")
            return None

    # --- the table ------------------------------------------------------------------------------------------------------

    def numbers(self, key, variant, what):
        """One for each turn."""
        row, how = self.rows[key], ROWS[key][2]
        if how == "x":
            return row.ratios(variant, what, "base")
        mine = getattr(row, what).get(variant, [])
        if how == "s":
            return [v for v in mine if v is not None]
        if variant in self.peers or variant == "sql":  # all that it takes
            return [v / row.events * 1e9 for v in mine if v is not None]
        return [(v - b) / row.events * 1e9 for v, b in zip(mine, getattr(row, what)["base"]) if v is not None]

    def number(self, key, variant, what="cpu"):
        return statistics.median(self.numbers(key, variant, what) or [float("nan")])

    def cell(self, key, variant):
        if variant not in self.rows[key].wall:
            return "–"
        form = {"x": "{:.2f}", "ns": "{:.0f}", "s": "{:.2f} s"}[ROWS[key][2]].format
        if variant != "pql":
            return form(self.number(key, variant, "wall"))
        text = f"{form(self.number(key, variant, 'wall'))} / {form(self.number(key, variant))}"
        all_turns = self.numbers(key, variant, "cpu")
        if len(all_turns) >= 4:
            low, _, high = statistics.quantiles(all_turns, n=4)
            text += f" ({form(low)}–{form(high)})"
        return text

    def base(self, key):
        row = self.rows[key]
        return f"{row.per_event('base', 'cpu') * 1e9:.0f} ns" if "base" in row.cpu else ""

    def table(self, load):
        lines = ["| what | pql | target | | SQL by hand | ClickHouse | DuckDB | base, a row |", "| --- " * 8 + "|"]
        for key in self.rows:
            how, limit = ROWS[key][2:4]
            target = "" if limit is None else "≤ " + {"x": f"{limit:g}", "ns": f"{limit} ns", "s": f"{limit} s"}[how]
            number = self.number(key, "pql")
            verdict = "" if limit is None or OPTIONS.quick else "met" if number <= limit else "**missed**"
            lines.append("| " + " | ".join([label(key), self.cell(key, "pql"), target, verdict, *(self.cell(key, v) for v in VARIANTS[2:]),
                                            self.base(key)]) + " |")
        versions = ", ".join(f"{TITLES[n]} {p.version}" for n, p in self.peers.items())
        out = ["\n".join(lines), "", *self.remarks,
               "pql: wall time / processor time of the backend, medians of the turns; in brackets the middle half of the latter, by which "
               "targets are judged. Others: wall time against the same base; in rows of nanoseconds, all that a row takes.", "",
               f"Machine: {machine()}, load {load} before and {os.getloadavg()[0]:.1f} after. PostgreSQL {self.version}"
               + (f", {versions}, one thread each" if versions else "") + f". {time.strftime('%Y-%m-%d')}. {short(OPTIONS.rows)} events, "
               f"seed {OPTIONS.seed}" + (", **quick: small sizes, no result**" if OPTIONS.quick else "") + "."]
        return "\n".join(out) + "\n"


def main():
    load = f"{os.getloadavg()[0]:.1f}"
    started = time.time()
    bench = Bench()
    failed = []
    try:
        bench.prepare()
        for key in (key for g in GROUPS if g in OPTIONS.groups for key in GROUPS[g]):
            try:
                bench.run(key)
            except Error as e:  # a row that can't be measured doesn't take the others with it
                failed.append(key)
                bench.rows.pop(key, None)
                note(f"{key} failed: {e}")
    except KeyboardInterrupt:
        note("interrupted: the table has what there is")
    table = bench.table(load)
    print(table)
    if OPTIONS.out:
        with open(OPTIONS.out, "w") as f:
            f.write(table)
    if OPTIONS.json:
        with open(OPTIONS.json, "w") as f:
            json.dump({"rows": {k: r.dump() for k, r in bench.rows.items()}, "options": vars(OPTIONS)}, f, indent=1)
    for peer in bench.peers.values():
        peer.close()
    note(f"done in {(time.time() - started) / 60:.1f} minutes" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed or any("differ" in r for r in bench.remarks) else 0


if __name__ == "__main__":
    sys.exit(main())
