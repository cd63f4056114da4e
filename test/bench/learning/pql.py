"""pql itself, in a real server: the program is published, hand-offs with their packets, touches and outcomes are written as they would
have come to be, and then it is asked as anybody would ask it: propose_program, likelihood, the proposed points.

One database for each company. All of it is written at once: as_of says what is known, since nothing later counts.
"""
import json
import os
import sys

import numpy as np

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import companies  # noqa: E402
import libpq  # noqa: E402
from scorers import Model  # noqa: E402

TEMPLATE = "pql_learning"
PROGRAM = "company"
_HANDOFFS = """
INSERT INTO pql.routing (routing_id, home, program, version, unit, subject_id, user_id, episode, signal_at, qualified_at, decided_at, qualification,
                         score, reasons, headline, motion, contact_after, state, state_since, blocked_by, first_touch_at, holdout, context)
SELECT h.id, 'u:u' || h.subject, '{program}', 1, 'user', 'u' || h.subject, 'u' || h.subject, h.id, h.at, h.at, h.at, 'first', h.score, h.reasons,
       'a hand-off', 'inside_sales', h.at, CASE WHEN h.holdout THEN 'suppressed' WHEN h.touched IS NULL THEN 'ready' ELSE 'disposed' END,
       coalesce(h.touched, h.at), CASE WHEN h.holdout THEN 'holdout' END, h.touched, h.holdout, '{{"completeness": 1}}'
FROM (SELECT r.id, r.subject, to_timestamp(r.at) AS at, r.score, r.holdout, to_timestamp(nullif(r.touched, 0)) AS touched, r.reasons
      FROM jsonb_to_recordset('{rows}') AS r(id bigint, subject bigint, at bigint, score int, holdout boolean, touched bigint, reasons jsonb)) AS h;
"""
_TOUCHES = """
INSERT INTO pql.touch (home, touch_id, routing_id, rep, channel, at, actor)
SELECT 'u:u' || r.subject, r.id * 10 + c.n, r.id, 'max', c.channel, to_timestamp(r.touched) + c.n * interval '1 hour', 'max'
FROM jsonb_to_recordset('{rows}') AS r(id bigint, subject bigint, touched bigint, worked boolean)
  JOIN unnest('{{email,call,meeting}}'::text[]) WITH ORDINALITY AS c(channel, n) ON r.worked OR c.n = 1
WHERE r.touched > 0;
INSERT INTO pql.disposition (home, disposition_id, routing_id, rep, disposition, at, actor)
SELECT 'u:u' || r.subject, r.id, r.id, 'max', CASE WHEN r.worked THEN 'meeting_set' ELSE 'contacted' END, to_timestamp(r.touched) + interval '4 hours', 'max'
FROM jsonb_to_recordset('{rows}') AS r(id bigint, subject bigint, touched bigint, worked boolean) WHERE r.touched > 0;
INSERT INTO pql.outcome (home, outcome_id, unit, subject_id, outcome, value, at, recorded_at, recorded_by)
SELECT 'u:u' || r.subject, r.id, 'user', 'u' || r.subject, 'paid', 100, to_timestamp(r.converted), to_timestamp(r.converted), 'billing'
FROM jsonb_to_recordset('{rows}') AS r(id bigint, subject bigint, converted bigint) WHERE r.converted > 0;
"""


def prepare():
    """The database that those of the companies are copies of. Returns what keeps pql from being asked, if something does."""
    server = libpq.Session("postgres")
    server.run("ALTER SYSTEM SET fsync = off")  # nothing here is worth waiting for a disk
    server.run("SELECT pg_reload_conf()")
    server.run(f"DROP DATABASE IF EXISTS {TEMPLATE}")
    server.run(f"CREATE DATABASE {TEMPLATE}")
    server.close()
    s = libpq.Session(TEMPLATE, ["client_min_messages = warning"])
    s.run("CREATE EXTENSION pql")
    missing = s.value("SELECT string_agg(f, ', ') FROM unnest('{labels,propose_program,likelihood}'::text[]) AS f"
                      " WHERE NOT EXISTS (SELECT FROM pg_proc WHERE proname = f AND pronamespace = 'pql'::regnamespace)")
    if not missing:
        s.run("CREATE TABLE happened (id bigint PRIMARY KEY, who text, name text, at timestamptz); CREATE INDEX ON happened (who, at);"
              " SELECT pql.attach('happened', user_id => 'who', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event')")
        s.run(f"SELECT pql.publish('{json.dumps(companies.document(PROGRAM))}')")
        s.run(f"SELECT pql.promote('{PROGRAM}', override => 'a benchmark')")
    s.close()
    return missing and f"this pql has no {missing}"


def reasons(points):
    """As pql freezes them: signals with points, those with most of them first."""
    given = sorted((i for i in range(len(points)) if points[i]), key=lambda i: -points[i])
    return [{"signal": companies.SIGNALS[i][0], "kind": companies.SIGNALS[i][1], "points": int(points[i]), "may_mention": True} for i in given]


class Pql:
    """A company's database. `without` are hand-offs that it never saw."""

    def __init__(self, company, database, without=None):
        self.company, self.database = company, database
        self.server = libpq.Session("postgres")
        self.server.run(f"DROP DATABASE IF EXISTS {database}")
        self.server.run(f"CREATE DATABASE {database} TEMPLATE {TEMPLATE}")
        self.s = libpq.Session(database, ["client_min_messages = warning"])
        self._write(np.ones(len(company.handoffs), bool) if without is None else ~without)

    def close(self):
        self.s.close()
        self.server.run(f"DROP DATABASE {self.database}")
        self.server.close()

    def _write(self, which):
        h = self.company.handoffs
        rows = json.dumps([
            {"id": int(i) + 1, "subject": int(h.subject[i]), "at": int(h.at[i]), "score": int(h.score[i]), "holdout": bool(h.holdout[i]),
             "touched": int(h.touched_at[i]), "worked": bool(h.worked[i]), "converted": int(h.converted_at[i]),
             "reasons": reasons(h.points[i])} for i in np.flatnonzero(which)])
        self.s.run("BEGIN;" + _HANDOFFS.format(program=PROGRAM, rows=rows) + _TOUCHES.format(rows=rows) + "COMMIT")
        self.fold()
        self.s.run("ANALYZE pql.routing, pql.touch, pql.disposition, pql.outcome, pql.handoff_fact")

    def erase(self, which):
        """What pql keeps of people and learns from: their rows, as erasure removes them."""
        homes = "','".join(f"u:u{s}" for s in self.company.handoffs.subject[which])
        for table in ("outcome", "disposition", "touch", "scoring_packet", "routing"):
            self.s.run(f"DELETE FROM pql.{table} WHERE home IN ('{homes}')")
        self.fold()

    def fold(self):
        """What tick does to labels."""
        self.s.run("SELECT pql._fold_handoffs()")

    def propose(self, as_of):
        """The model of a day, or None where pql says that it knows too little."""
        try:
            self.s.run(f"SELECT FROM pql.propose_program('{PROGRAM}', to_timestamp({as_of}))")
        except libpq.Error as e:
            if "too few labels" in str(e):
                return None
            raise
        return int(self.s.value(f"SELECT max(model_id) FROM pql.model WHERE program = '{PROGRAM}'"))

    def chances(self, model, part):
        """pql.likelihood of some of the hand-offs."""
        ids = self.ids(part)
        rows = self.s.run(f"SELECT r.routing_id, pql.likelihood(r.routing_id, {model}) FROM pql.routing AS r"
                          f" WHERE r.routing_id = ANY ('{{{','.join(map(str, ids))}}}'::bigint[])")
        told = {int(i): float(c) for i, c in rows}
        return np.array([told[i] for i in ids])

    def ids(self, part):
        place = {s: i + 1 for i, s in enumerate(self.company.handoffs.subject)}
        return [place[s] for s in part.subject]

    def points(self, model):
        """What the model's document gives for each signal at the most."""
        told = json.loads(self.s.value(f"SELECT document FROM pql.model WHERE model_id = {model}"))["signals"]
        return np.array([told[n]["max_points"] * told[n].get("may_score", True) if n in told else 0 for n in companies.SIGNAL_NAMES])

    def fit(self, as_of):
        """Two scorers: pql's chances, and the points that it proposes. None where it knows too little."""
        model = self.propose(as_of)
        if model is None:
            return {}
        points = self.points(model)
        return {"pql": Model(lambda h: self.chances(model, h), lambda h: self.chances(model, h), uplift=self.uplift(as_of)),
                "pql's points": Model(lambda h: h.features @ points)}

    def uplift(self, as_of):
        """Worked against held out, in final labels."""
        at = f"to_timestamp({as_of})"
        value = self.s.value("SELECT avg(converted::int) FILTER (WHERE treated) - avg(converted::int) FILTER (WHERE holdout)"
                             f" FROM pql.labels({at}, '{PROGRAM}') WHERE matures_at <= {at}")
        return None if value is None else float(value)
