"""Growth on one machine: see test/bench/scale."""
import argparse
import json
import statistics

from libpq import Session
from measure import count, machine, note, quote, read_sql, short

parser = argparse.ArgumentParser(prog="test/bench/scale", description="What pql costs and keeps while a database grows.")
parser.add_argument("--events", type=count, default=100_000_000, help="how many in all (100M)")
parser.add_argument("--users", type=count, default=5_000_000, help="of so many users (5M)")
parser.add_argument("--accounts", type=count, default=500_000, help="in so many accounts (500k)")
parser.add_argument("--steps", type=int, default=10, help="rows of the table (10)")
parser.add_argument("--statement", type=count, default=10_000, help="events in a statement (10k)")
parser.add_argument("--days", type=int, default=90, help="that the events span (90)")
OPTIONS = parser.parse_args()

PROGRAM = {
    "program": "growth", "unit": "account",
    "milestones": {"signed_up": {"event": "login"}, "worked": {"event": "edit"}, "integrated": {"event": "integrate"}},
    "activation": {"steps": ["signed_up", "worked", "integrated"], "within": "30 days"},
    "signals": {
        "activated": {"kind": "activation", "milestone": "activation_complete", "max_points": 20},
        "edits": {"kind": "depth", "event": "edit", "half_life": "7 days", "saturates_at": 100, "max_points": 25},
        "colleagues": {"kind": "breadth", "measure": "distinct_users", "event": "*", "window": "7 days", "saturates_at": 10, "max_points": 15},
        "asks": {"kind": "intent", "event": "pricing", "half_life": "14 days", "saturates_at": 8, "max_points": 20},
    },
    "qualify": {"enter": 70, "leave": 40},
    "motions": [{"otherwise": True, "motion": "account_executive", "by": "3 days"}],
}

# Users come in sessions of five events; half of the sessions are those of a tenth of the accounts. An account has ten users.
STATEMENT = """INSERT INTO app.events (id, user_id, account_id, name, ts)
  SELECT i, 'u' || account * {users_each} + s.r2 % {users_each}, 'a' || account,
         CASE WHEN i % 50 = 0 THEN 'pricing' WHEN i % 40 = 1 THEN 'integrate' WHEN i % 5 = 0 THEN 'login' WHEN i % 5 < 4 THEN 'edit' ELSE 'view' END,
         timestamptz {origin} + i * interval '1 second' * {gap}
  FROM generate_series({first}, {last}) AS i,
  LATERAL (SELECT hashint8extended(i / 5, 1) & 1073741823 AS r1, hashint8extended(i / 5, 2) & 1073741823 AS r2) AS s,
  LATERAL (SELECT CASE WHEN s.r2 / 16 % 2 = 0 THEN s.r1 % ({accounts} / 10) ELSE s.r1 % {accounts} END AS account) AS a"""


# Of pql's tables, all that grow with events, users or accounts.
KEPT = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = 'pql'::regnamespace AND relkind IN ('r', 'S')"""


def spread(took):
    """Of seconds: the median, and what all but a hundredth stay below."""
    took = sorted(took)
    return f"{statistics.median(took) * 1000:.2f} ms ({took[int(len(took) * 0.99)] * 1000:.2f} ms)"


def grow(db):
    """Inserts all events, and prints a row for each part of them."""
    print("| events | µs of processor for each | µs by the clock | events and index | what pql keeps | accounts | handed over |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    values = {"users_each": max(1, OPTIONS.users // OPTIONS.accounts), "accounts": OPTIONS.accounts, "gap": OPTIONS.days * 86400 / OPTIONS.events,
              "origin": quote(db.value(f"SELECT now() - interval '{OPTIONS.days} days'"))}
    part, done = OPTIONS.events // OPTIONS.steps, 0
    for _ in range(OPTIONS.steps):
        wall = processor = 0.0
        end = done + part
        while done < end:
            last = min(done + OPTIONS.statement, end)
            w, p = db.measure(STATEMENT.format(first=done + 1, last=last, **values))
            wall, processor, done = wall + w, processor + p, last
        for table in ("pql.state", "pql.milestone_log", "pql.user_home", "pql.episode", "pql.routing"):
            db.run(f"VACUUM {table}")
        print(f"| {short(done)} | {processor / part * 1e6:.1f} | {wall / part * 1e6:.1f} "
              f"| {int(db.value('SELECT pg_total_relation_size($$app.events$$)')) / 1e9:.2f} GB | {int(db.value(KEPT)) / 1e9:.2f} GB "
              f"| {short(int(db.value('SELECT count(*) FROM pql.state')))} | {db.value('SELECT count(*) FROM pql.routing')} |", flush=True)


def answers(db):
    """What reading takes then."""
    timed = {}
    for i in range(1000):
        account = quote(f"a{i * 7919 % OPTIONS.accounts}")
        for name, sql in (("score of an account", f"SELECT pql.score('growth', {account})"),
                          ("its explanation", f"SELECT count(*) FROM pql.explain('growth', {account})")):
            timed.setdefault(name, []).append(db.measure(sql)[0])
    kept, accounts = int(db.value(KEPT)), int(db.value("SELECT count(*) FROM pql.state"))
    print("\n| then | |\n| --- | --- |")
    print(f"| kept for an account with its users | {kept / accounts:.0f} bytes |")
    for name, took in timed.items():
        print(f"| {name}: median, and what 99 of 100 stay below | {spread(took)} |")
    for name, sql in (("scoreboard of all", "SELECT count(*) FROM pql.scoreboard('growth')"),
                      ("backtest of the last four weeks",
                       f"SELECT count(*) FROM pql.backtest({quote(json.dumps(PROGRAM))}, now() - interval '28 days', now())"),
                      ("health", "SELECT count(*) FROM pql.health")):
        print(f"| {name} | {db.measure(sql)[0]:.2f} s |", flush=True)


def main():
    monitor = Session("postgres", ["synchronous_commit = on"])
    print(f"{machine()}, PostgreSQL {monitor.value('SHOW server_version')}, {short(OPTIONS.users)} users in {short(OPTIONS.accounts)} accounts, "
          f"statements of {short(OPTIONS.statement)} events\n")
    monitor.run("CREATE DATABASE scale TEMPLATE template0")
    db = Session("scale")
    db.run(read_sql("tables.sql"))
    db.run(read_sql("pql.sql", clock=quote("event")))
    db.run(f"SELECT pql.publish({quote(json.dumps(PROGRAM))})")
    db.run("SELECT pql.promote('growth', override => 'benchmark')")
    note(f"inserting {short(OPTIONS.events)} events")
    grow(db)
    note("asking")
    answers(db)


if __name__ == "__main__":
    main()
