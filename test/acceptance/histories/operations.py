"""A random history: statements of two or three sessions that take turns. Made of the seed alone, so that some can be left out."""
import json
import random

from documents import document

PROGRAMS = {"team": "account", "person": "user", "other": "account"}


def quoted(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


class Flavour:
    """What a history takes place in."""

    def __init__(self, r):
        self.ids = r.choice(["unique", "unique", "dedup", "counted"])
        self.partitioned = r.random() < 0.25
        self.clock = r.choice(["event", "event", "wall"])
        self.sealing = r.random() < 0.25
        self.sessions = r.randint(1, 3)
        self.deferred = random.Random(r.getstate()[1][0]).random() < 0.35  # which changes nothing in what the others are made of

    def __str__(self):
        return f"ids {self.ids}, {'partitioned' if self.partitioned else 'ordinary'}, {self.clock} clock, {'deferred, ' if self.deferred else ''}{'sealing, ' if self.sealing else ''}{self.sessions} sessions"

    def tables(self):
        """The events and what is known of accounts and users."""
        key = "PRIMARY KEY" if self.ids == "unique" else ""
        parts = ("CREATE TABLE ev_1 PARTITION OF ev FOR VALUES FROM (minvalue) TO (40); CREATE TABLE ev_2 PARTITION OF ev FOR VALUES FROM (40) TO (80);"
                 "CREATE TABLE ev_3 PARTITION OF ev DEFAULT;")
        return (f"CREATE TABLE ev (id bigint {key}, at timestamptz NOT NULL, got timestamptz, who text, org text, name text, props jsonb, note text)"
                + (" PARTITION BY RANGE (id);" + parts if self.partitioned else ";")
                + "CREATE INDEX ON ev (org, at); CREATE INDEX ON ev (who, at);"
                  "CREATE TABLE company (id text PRIMARY KEY, plan text, seats int, touched int);"
                  "CREATE TABLE crm (id text, plan text, seats int);"
                  "CREATE VIEW people AS SELECT id, plan, seats FROM crm;")

    def attach(self, deferred=False):
        mode = ", mode => 'deferred'" if deferred else ""
        dedup = ", dedup => '3 days', received_at => 'got'" if self.ids == "dedup" else ""
        return (f"SELECT pql.attach('ev', user_id => 'who', account_id => 'org', event => 'name', occurred_at => 'at', event_id => 'id',"
                f" properties => 'props', clock => '{self.clock}'{dedup}{mode})")

    def start(self):
        """SQL of the instant at which it begins."""
        return "timestamptz '2010-03-01 UTC'" if self.clock == "event" else "date_trunc('day', now(), 'UTC') - interval '41 days'"


class History:
    def __init__(self, r, flavour, length):
        self.r, self.flavour, self.length = r, flavour, length
        self.operations = []  # (session, SQL)
        self.ids = 0
        self.open = {}   # session -> the number of its savepoints, while it is in a transaction
        self.n = 0
        for program in PROGRAMS:
            if r.random() < 0.7:
                self.operations.append((0, self.publish(program)))
                self.operations.append((0, f"SELECT pql.promote('{program}')"))
        for self.n in range(length):
            session = r.randrange(flavour.sessions)
            self.operations.append((session, self.statement(session)))

    # --- events -------------------------------------------------------------------------------------------------------------

    def at(self):
        """Mostly the newest so far; some late, some early. In quarters of an hour, so that there are ties."""
        r = self.r
        hours = 40 * 24 * self.n / self.length + r.uniform(-12, 12)
        kind = r.random()
        if kind < 0.2:
            hours -= r.uniform(0, 20 * 24)
        elif kind < 0.25:
            hours += r.uniform(0, 20 * 24)
        odd = r.choice(["", "", "", " + interval '0.000001 seconds'"])
        return f"start + interval '{round(hours * 4) * 15} minutes'{odd}"

    def who(self):
        return self.r.choice(["u1", "u2", "u3", "u4", "u5", "u6", "a1"])

    def org(self):
        return self.r.choice(["a1", "a1", "a2", "a3", "a4", "u1", None])

    def name(self):
        return self.r.choice(["e1", "e1", "e2", "e2", "e3", "e4", "noise"])

    def props(self):
        r = self.r
        return json.dumps(r.choice([{"n": r.randint(0, 9), "ok": r.random() < 0.6}, {"n": r.randint(0, 9)}, {}, None]) if r.random() < 0.3
                          else {"n": r.randint(0, 9), "ok": r.random() < 0.6})

    def row(self, who=None, org=None):
        r = self.r
        if self.ids and r.random() < 0.12:
            number = r.randint(1, self.ids)  # again
        else:
            self.ids += 1
            number = self.ids
        at = self.at()
        got = r.choice([at, f"{at} + interval '{r.randint(0, 100)} hours'", "NULL"])
        return f"({number}, {at}, {got}, {quoted(who or self.who())}, {quoted(org or self.org())}, {quoted(self.name())}, {quoted(self.props())}::jsonb)"

    def insert(self, rows=1):
        r = self.r
        fixed = {"who": self.who()} if r.random() < 0.3 else {"org": self.org()} if r.random() < 0.3 else {}
        values = ", ".join(self.row(**fixed) for _ in range(rows))
        conflict = ""
        if self.flavour.ids == "unique":
            conflict = " ON CONFLICT DO NOTHING" if self.flavour.partitioned or rows > 1 or r.random() < 0.5 else (
                " ON CONFLICT (id) DO UPDATE SET at = excluded.at, who = excluded.who, org = excluded.org, name = excluded.name")
        return (f"INSERT INTO ev SELECT v.id, v.at, v.got::timestamptz, v.who, v.org, v.name, v.props, repeat('.', 300)"
                f" FROM (SELECT {self.flavour.start()} AS start) AS s, LATERAL (VALUES {values}) AS v(id, at, got, who, org, name, props){conflict}")

    def some(self):
        r = self.r
        return r.choice([f"id = {r.randint(1, self.ids + 1)}", f"id % {r.randint(5, 19)} = {r.randint(0, 4)}", f"who = {quoted(self.who())} AND id % 3 = 0",
                         f"id BETWEEN {(a := r.randint(1, self.ids + 1))} AND {a + r.randint(0, 8)}"])

    def update(self):
        r = self.r
        change = r.choice([f"at = at + interval '{r.randint(-300, 300)} hours'", f"who = {quoted(self.who())}", f"org = {quoted(self.org())}",
                           f"name = {quoted(self.name())}", f"props = {quoted(self.props())}", f"org = {quoted(self.org())}, at = at - interval '1 day'",
                           "note = note || '.'"])
        return f"UPDATE ev SET {change} WHERE {self.some()}"

    # --- everything else ----------------------------------------------------------------------------------------------------

    def identify(self):
        r = self.r
        return r.choice([lambda: f"SELECT pql.merge_users({quoted(self.who())}, {quoted(self.who())})",
                         lambda: f"SELECT pql.merge_accounts({quoted(self.org() or 'a9')}, {quoted(self.org() or 'a9')})",
                         lambda: f"SELECT pql.move_user({quoted(self.who())}, {quoted(self.org())})",
                         lambda: f"SELECT pql.undo_merge((SELECT merge_id FROM pql.identity WHERE undone_at IS NULL ORDER BY merge_id OFFSET {r.randint(0, 2)} LIMIT 1))"])()

    def attribute(self):
        r = self.r
        table, key = ("company", self.org() or "a5") if r.random() < 0.6 else ("crm", self.who())
        change = r.choice([
            f"UPDATE {table} SET seats = {r.randint(0, 9)} WHERE id = '{key}'", f"UPDATE {table} SET plan = '{r.choice(['free', 'team', 'gone'])}' WHERE id >= '{key}'",
            f"DELETE FROM {table} WHERE id = '{key}'", f"INSERT INTO {table} SELECT '{key}', 'team', {r.randint(0, 9)}"
            f" WHERE NOT EXISTS (SELECT FROM {table} WHERE id = '{key}')" + (" ON CONFLICT DO NOTHING" if table == "company" else "")])
        if table == "crm" and r.random() < 0.5:
            return "SELECT pql.refresh_attributes('user')"
        return change

    def flag(self):
        r = self.r
        program = r.choice(list(PROGRAMS))
        if r.random() < 0.3:
            return f"SELECT pql.lift_flag((SELECT flag_id FROM pql.flag WHERE lifted_at IS NULL ORDER BY flag_id OFFSET {r.randint(0, 2)} LIMIT 1))"
        subject = self.who() if PROGRAMS[program] == "user" else self.org() or "a6"
        return f"SELECT pql.flag_subject('{program}', '{subject}', 'vip', 'a hunch')"

    def publish(self, program=None):
        program = program or self.r.choice(list(PROGRAMS))
        return f"SELECT pql.publish({quoted(json.dumps(document(self.r, program, PROGRAMS[program])))})"

    def promote(self):
        r = self.r
        return f"SELECT pql.promote('{r.choice(list(PROGRAMS))}', '{r.choice(['none', 'none', 'best 2', 'all'])}')"

    def fold(self):
        return self.r.choice([
            "SELECT pql._backfill_step(j.job_id) FROM (SELECT job_id FROM pql.backfill_job WHERE finished_at IS NULL ORDER BY job_id LIMIT 1) AS j",
            "CALL pql.backfill()"])

    def retain(self):
        """Seals, and notes what was sealed."""
        days = max(0, 40 * self.n / self.length - self.r.randint(5, 25))
        return ("DO $$ DECLARE x timestamptz := " + self.flavour.start() + f" + interval '{days:.0f} days'; was timestamptz := (SELECT sealed_before FROM pql.source);"
                " BEGIN PERFORM pql.retain('ev', x); INSERT INTO sealed SELECT * FROM ev WHERE at < x AND (was IS NULL OR at >= was); END $$")

    def transaction(self, session):
        r = self.r
        if session not in self.open:
            self.open[session] = 0
            return "BEGIN" + r.choice(["", "", "", " ISOLATION LEVEL REPEATABLE READ"])
        depth = self.open[session]
        what = r.random()
        if what < 0.35:
            self.open[session] += 1
            return f"SAVEPOINT s{depth}"
        if depth and what < 0.65:
            self.open[session] -= 1
            return f"ROLLBACK TO s{depth - 1}" if r.random() < 0.7 else f"RELEASE s{depth - 1}"
        del self.open[session]
        return "COMMIT" if what < 0.92 else "ROLLBACK"

    def statement(self, session):
        r = self.r
        if session in self.open and r.random() < 0.3:
            return self.transaction(session)
        choices = [(38, self.insert), (16, lambda: self.insert(r.randint(2, 12))), (9, self.update), (6, lambda: f"DELETE FROM ev WHERE {self.some()}"),
                   (6, self.identify), (5, self.attribute), (2, self.flag), (2.5, self.promote), (3, lambda: "SELECT pql.tick()"),
                   (1, lambda: f"SELECT pql.upsert_user_milestone({quoted(self.who())}, '{r.choice(['m1', 'm2', 'm3'])}', {self.flavour.start()} + interval '{r.randint(0, 900)} hours', 'said')"),
                   (6, lambda: self.transaction(session))]
        if session not in self.open:
            choices += [(3.5, self.publish), (1, lambda: f"SELECT pql.rollback('{r.choice(list(PROGRAMS))}')"), (0.3, lambda: f"SELECT pql.retire('{r.choice(list(PROGRAMS))}')"),
                        (4, self.fold), (0.4, lambda: "CALL pql.rebuild()")]
            if self.flavour.deferred:
                choices += [(6, lambda: "CALL pql.fold()"), (1, lambda: f"SELECT pql.set_mode('ev', '{r.choice(['sync', 'deferred', 'deferred'])}')")]
            if self.flavour.sealing:
                choices.append((1.5, self.retain))
            else:
                choices.append((0.2, lambda: "TRUNCATE ev"))
        return r.choices([c for _, c in choices], [w for w, _ in choices])[0]()
