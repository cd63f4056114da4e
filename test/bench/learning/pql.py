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
SELECT h.id, 'u:u' || h.subject, '{program}', 1, 'user', 'u' || h.subject, 'u' || h.subject, h.id, h.at, h.at, h.at, 'first', h.score,
       (SELECT jsonb_agg(jsonb_build_object('signal', s.name, 'kind', s.kind, 'points', p.points, 'may_mention', true) ORDER BY p.points DESC, s.n)
        FROM unnest(h.points) WITH ORDINALITY AS p(points, n) JOIN unnest({names}, {kinds}) WITH ORDINALITY AS s(name, kind, n) USING (n)
        WHERE p.points <> 0),
       'a hand-off', 'inside_sales', h.at, CASE WHEN h.holdout THEN 'suppressed' WHEN h.touched IS NULL THEN 'ready' ELSE 'disposed' END,
       coalesce(h.touched, h.at), CASE WHEN h.holdout THEN 'holdout' END, h.touched, h.holdout, '{{"completeness": 1}}'
FROM (SELECT r.id, r.subject, to_timestamp(r.at) AS at, r.score, r.holdout, to_timestamp(nullif(r.touched, 0)) AS touched,
             ARRAY(SELECT x.v FROM unnest(r.points) AS x(v)) AS points
      FROM jsonb_to_recordset('{rows}') AS r(id bigint, subject bigint, at bigint, score int, holdout boolean, touched bigint, points int[])) AS h;
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
        s.run(f"UPDATE pql.program SET published_at = to_timestamp({companies.START}), promoted_at = to_timestamp({companies.START})")
    s.close()
    return missing and f"this pql has no {missing}"


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
            {"id": i + 1, "subject": int(h.subject[i]), "at": int(h.at[i]), "score": int(h.score[i]), "holdout": bool(h.holdout[i]),
             "touched": int(h.touched_at[i]), "worked": bool(h.worked[i]), "converted": int(h.converted_at[i]),
             "points": [int(p) for p in h.points[i]]} for i in np.flatnonzero(which)])
        names, kinds = (f"'{{{','.join(s[k] for s in companies.SIGNALS)}}}'::text[]" for k in (0, 1))
        self.s.run("BEGIN; SET LOCAL session_replication_role = replica;"
                   + _HANDOFFS.format(program=PROGRAM, names=names, kinds=kinds, rows=rows) + _TOUCHES.format(rows=rows) + "COMMIT")
        self.s.run("ANALYZE pql.routing, pql.touch, pql.disposition, pql.outcome")

    def erase(self, which):
        for subject in self.company.handoffs.subject[which]:
            self.s.run(f"SELECT pql.erase_user('u{subject}')")

    def propose(self, as_of):
        """Model and changes, as of a day; None where pql says that it knows too little."""
        at = f"to_timestamp({as_of})"
        try:
            changes = self.s.run(f"SELECT to_jsonb(p) FROM pql.propose_program('{PROGRAM}', {at}) AS p")
        except libpq.Error as e:
            if "labels" in str(e) or "hand-offs" in str(e):
                return None
            raise
        id_ = self.s.value(f"SELECT max(model_id) FROM pql.model WHERE program = '{PROGRAM}'")
        return int(id_), [json.loads(c[0]) for c in changes]

    def chances(self, model, part):
        """pql.likelihood of some of the hand-offs."""
        h = self.company.handoffs
        place = {s: i for i, s in enumerate(h.subject)}
        ids = [place[s] + 1 for s in part.subject]
        rows = self.s.run(f"SELECT r.routing_id, pql.likelihood(r.routing_id, {model}) FROM pql.routing AS r"
                          f" WHERE r.routing_id = ANY ('{{{','.join(map(str, ids))}}}'::bigint[])")
        told = {int(i): float(c) for i, c in rows}
        return np.array([told[i] for i in ids])

    def fit(self, as_of):
        proposed = self.propose(as_of)
        if proposed is None:
            return None
        model, _ = proposed
        return Model(lambda h: self.chances(model, h), lambda h: self.chances(model, h), uplift=self.uplift(as_of))

    def uplift(self, as_of):
        """Worked against held out, in final labels."""
        at = f"to_timestamp({as_of})"
        value = self.s.value("SELECT avg(converted::int) FILTER (WHERE treated) - avg(converted::int) FILTER (WHERE holdout)"
                             f" FROM pql.labels({at}, '{PROGRAM}') WHERE matures_at <= {at}")
        return None if value is None else float(value)
