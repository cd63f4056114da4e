"""Checks of the simulated companies: pure functions of their seed, with the truth that they promise, and features as pql freezes them.

The server is that of PGHOST, PGPORT and PGUSER; a database is made and dropped. The last line is "learning: N passed, M failed[, K skipped (why)]".
"""
# covers: S1-35
import dataclasses
import functools
import json
import os
import sys
import traceback

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
import companies  # noqa: E402
import libpq  # noqa: E402
import pql  # noqa: E402
import scorers  # noqa: E402


class Skipped(Exception):
    pass


def same(a, b):
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))


@functools.cache
def large(name):
    return companies.build(name, 4, 5000).handoffs


def a_company_is_a_function_of_its_seed():
    for name in companies.NAMES:
        one, two, other = (companies.build(name, seed, 400) for seed in (1, 1, 2))
        assert same(one.events, two.events) and same(one.handoffs, two.handoffs)
        assert len(one.events.id) != len(other.events.id)


def points_add_up():
    rng = np.random.default_rng(3)
    raw = rng.normal(0, 4, (500, 7))
    assert np.array_equal(companies.integer_points(raw).sum(axis=1), np.floor(raw.sum(axis=1) + 0.5))
    assert np.array_equal(companies.integer_points(np.array([[0.5, 0.5, 0.5]])), [[1, 1, 0]])
    assert np.array_equal(companies.integer_points(np.array([[2.2, -1.3]])), [[2, -1]])


def features_are_shares():
    for name in companies.NAMES:
        h = companies.build(name, 3, 400).handoffs
        assert len(h) > 100 and h.features.min() >= 0 and h.features.max() <= 1 and h.score.min() >= companies.ENTER
        assert np.array_equal(h.points.sum(axis=1), h.score) and (np.diff(h.at) >= 0).all()


def labels_are_slow_and_true():
    for name in companies.NAMES:
        h = large(name)
        bought, before = h.converted_at > 0, h.day < companies.DRIFT
        assert abs(h.chance_if_worked[before].mean() - 0.16) < 0.001
        assert not (h.holdout & h.worked).any() and abs(h.holdout.mean() - 0.1) < 0.03
        assert (h.converted_at[bought] - h.at[bought] > 3 * companies.DAY).all()
        assert (h.converted_at[bought] - h.at[bought] <= companies.HORIZON * companies.DAY).all()
        error = 4 * np.sqrt(h.chance_if_worked.mean() / h.worked.sum())
        assert abs(bought[h.worked].mean() - h.chance_if_worked[h.worked].mean()) < error
        assert h.chance_if_worked.mean() > h.chance_if_not.mean() + 0.03
    assert not bought[~h.worked & ~h.holdout].any(), "selective: who isn't worked has no recorded success"


def correlation(name, a, b):
    u = large(name).features
    a, b = (companies.SIGNAL_NAMES.index(s) for s in (a, b))
    return np.corrcoef(u[:, a], u[:, b])[0, 1]


def one_intent_moves_several_signals():
    for a, b in (("pricing", "teammates"), ("docs", "sso"), ("plans", "limits")):
        assert correlation("correlated", a, b) > correlation("plain", a, b) + 0.15


def the_truth_changes():
    for name in companies.NAMES:
        h = large(name)
        x = np.c_[np.ones(len(h)), h.features]
        odds = np.log(h.chance_if_worked / (1 - h.chance_if_worked))
        before, after = (np.linalg.lstsq(x[w], odds[w], rcond=None)[0] for w in (h.day < companies.DRIFT, h.day >= companies.DRIFT))
        limits, reports = (1 + companies.SIGNAL_NAMES.index(s) for s in ("limits", "reports"))
        assert before[limits] > after[limits] + 0.5 and after[reports] > before[reports] + 0.3, (name, before, after)


def pql_freezes_these_features():
    """Events through attach and the trigger, one statement each, as they arrive: late ones late, repeated ones again."""
    for name in ("plain", "selective"):
        company = companies.build(name, 8, 120)
        told = told_by_pql(company)
        h = company.handoffs
        expected = {f"u{s}": (int(at), dict((n, int(p)) for n, p in zip(companies.SIGNAL_NAMES, row) if p))
                    for s, at, row in zip(h.subject, h.at, h.points)}
        wrong = [(s, told.get(s), expected.get(s)) for s in told.keys() | expected.keys() if told.get(s) != expected.get(s)]
        assert len(expected) > 40 and not wrong, f"{len(wrong)} of {len(expected)} differ, as {wrong[:2]}"


def told_by_pql(company):
    server, database = libpq.Session("postgres"), "pql_learning_check"
    server.run(f"DROP DATABASE IF EXISTS {database}")
    server.run(f"CREATE DATABASE {database}")
    s = libpq.Session(database, ["client_min_messages = warning"])
    try:
        s.run("CREATE EXTENSION pql; CREATE TABLE happened (id bigint, who text, name text, at timestamptz);"
              " CREATE INDEX ON happened (who, at);"
              " SELECT pql.attach('happened', user_id => 'who', event => 'name', occurred_at => 'at', event_id => 'id', clock => 'event',"
              " dedup => '90 days')")
        program = companies.document("company")
        del program["outcome"]
        s.run(f"SELECT pql.publish('{json.dumps(program)}')")
        s.run("SELECT pql.promote('company', override => 'a check')")
        s.prepare("event", "INSERT INTO happened SELECT $1::bigint, $2::text, $3::text, to_timestamp($4::bigint)")
        e = company.events
        for id_, who, event, at in zip(e.id, e.subject, e.name, e.occurred):
            s.execute(b"event", [b"%d" % id_, b"u%d" % who, companies.EVENT_NAMES[event].encode(), b"%d" % at])
        start, end = companies.START, companies.START + companies.DAYS * companies.DAY
        return {who: (int(at), {r["signal"]: r["points"] for r in json.loads(reasons) if r["points"]}) for who, at, reasons in s.run(
            "SELECT subject_id, floor(extract(epoch FROM qualified_at))::bigint, reasons FROM pql.routing"
            f" WHERE extract(epoch FROM qualified_at) >= {start} AND extract(epoch FROM qualified_at) < {end}")}
    finally:
        s.close()
        server.run(f"DROP DATABASE {database}")
        server.close()


def pql_reads_these_labels():
    """What the benchmark writes for hand-offs, pql.labels tells as it was meant: who was worked, who bought, who isn't known yet."""
    company, why_not = companies.build("selective", 9, 600), pql.prepare()
    if why_not:
        raise Skipped(why_not)
    engine, h = pql.Pql(company, "pql_learning_check"), company.handoffs
    try:
        as_of = companies.START + 300 * companies.DAY
        told = engine.s.run("SELECT l.routing_id, l.holdout, l.treated, l.converted, l.matures_at <= to_timestamp(%d) FROM pql.labels(to_timestamp(%d), 'company')"
                            " AS l ORDER BY 1" % (as_of, as_of))
    finally:
        engine.close()
    there = h.at <= as_of
    g, mature = h.part(there), scorers.mature(h, as_of)[there]
    bought = (g.converted_at > 0) & (g.converted_at <= as_of)
    worked = g.worked & (g.touched_at + 3 * 3600 <= as_of)
    assert np.array_equal([int(r[0]) for r in told], np.flatnonzero(there) + 1)
    assert np.array_equal([r[1] == "t" for r in told], g.holdout)
    assert np.array_equal([r[2] == "t" for r in told], worked)
    assert [r[3] for r in told] == ["t" if b else "f" if m else None for b, m in zip(bought, mature)]
    assert np.array_equal([r[4] == "t" for r in told], mature) and 0.5 < mature.mean() < 0.95


def main():
    passed, failed, skipped = 0, 0, []
    for check in (a_company_is_a_function_of_its_seed, points_add_up, features_are_shares, labels_are_slow_and_true,
                  one_intent_moves_several_signals, the_truth_changes, pql_freezes_these_features, pql_reads_these_labels):
        try:
            check()
            passed += 1
        except Skipped as why:
            skipped.append(str(why))
        except Exception:
            failed += 1
            print(f"FAIL {check.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"learning: {passed} passed, {failed} failed" + (f", {len(skipped)} skipped ({'; '.join(skipped)})" if skipped else ""))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
