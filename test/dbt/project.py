"""The example project of integrations/dbt as its users would run it: built, built again with new events, and built anew."""

import contextlib
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "integrations/dbt/example"
WORK = ROOT / "build/dbt"
DATABASE = "pql_dbt"

passed, failed = 0, 0


def check(what, holds, shown=""):
    """Counts one check, and shows what speaks against it."""
    global passed, failed
    if holds:
        passed += 1
        print(f"ok   {what}")
    else:
        failed += 1
        print(f"FAIL {what}\n{shown}")


def dbt(*words, schema="analytics"):
    """Runs dbt on a copy of the example; returns whether it succeeded, and what it printed."""
    environment = dict(os.environ, PGDATABASE=DATABASE, DBT_SCHEMA=schema, DBT_SEND_ANONYMOUS_USAGE_STATS="false",
                       DBT_LOG_PATH=str(WORK / "log"), DBT_TARGET_PATH=str(WORK / "target" / schema))
    run = subprocess.run([Path(sys.executable).with_name("dbt"), "--no-use-colors", *words, "--project-dir", WORK / "package/example",
                          "--profiles-dir", WORK / "package/example"], env=environment, capture_output=True, text=True)
    return run.returncode == 0, run.stdout + run.stderr


def copy_project():
    """dbt writes next to what it reads (packages, locks): a copy of the package keeps the tree clean."""
    subprocess.run(["rm", "-rf", WORK / "package", WORK / "target"], check=True)
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-r", ROOT / "integrations/dbt", WORK / "package"], check=True)


@contextlib.contextmanager
def database():
    """A database of its own, with the extension and the product's events."""
    admin = psycopg2.connect(dbname="postgres")
    admin.autocommit = True
    drop = f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"
    with admin.cursor() as c:
        c.execute(drop)
        c.execute(f"CREATE DATABASE {DATABASE}")
    connection = psycopg2.connect(dbname=DATABASE)
    connection.autocommit = True
    try:
        yield connection.cursor()
    finally:
        connection.close()
        with admin.cursor() as c:
            c.execute(drop)
        admin.close()


def add_events(c, first, last):
    """Events of four accounts; every fifth is a week late, so that runs that go by times would miss it."""
    c.execute("""
        INSERT INTO app.events (id, user_id, account_id, name, ts)
        SELECT i, a.id || '_' || i % 3, a.id, (ARRAY['signup', 'project_created', 'invite_sent', 'pricing_viewed', 'report_viewed'])[1 + (i / 4) %% 5],
               now() - interval '20 days' + i * interval '40 minutes' - CASE WHEN i %% 5 = 0 THEN interval '7 days' ELSE '0' END
        FROM generate_series(%s, %s) AS i, LATERAL (SELECT (ARRAY['acme', 'bolt', 'coda', 'dyne'])[1 + i %% 4] AS id) AS a
        """.replace("i % 3", "i %% 3"), (first, last))


def one(c, query, *values):
    c.execute(query, values)
    return c.fetchone()[0]


def states(c, schema):
    """What the models with states hold, byte for byte: a digest of each."""
    return [one(c, f"SELECT md5(string_agg(md5(x::text), ',' ORDER BY x::text)) FROM {schema}.{model} AS x")
            for model in ("user_heat", "sessions_by_day")]


def build(c):
    ok, out = dbt("deps")
    check("dbt deps", ok, out)
    ok, out = dbt("build")
    check("dbt build", ok, out)
    check("what analysts read", one(c, "SELECT count(*) FROM analytics.user_activity WHERE heat > 0 AND steps_done > 0") > 0)


def publish(c):
    ok, out = dbt("run-operation", "pql_publish", "--args", "{dry_run: true}")
    check("publish: a dry run previews", ok and "workspace_expansion: " in out, out)
    check("publish: and publishes nothing", one(c, "SELECT count(*) FROM pql.program") == 0)
    ok, out = dbt("run-operation", "pql_publish")
    check("publish: a program of the project's YAML", ok and "version 1 is published" in out, out)
    c.execute("CALL pql.backfill()")
    check("publish: it is there", one(c, "SELECT status || ' ' || note FROM pql.program") == "shadow Teams that outgrow their plan.")
    ok, out = dbt("run-operation", "pql_publish")
    check("publish: the same again is no new version", ok and "version 1 is the same" in out, out)
    ok, out = dbt("run-operation", "pql_publish", "--args", "{program: nothing}")
    check("publish: a name that no exposure has", not ok and "no exposure has the program nothing" in out, out)
    c.execute("SELECT pql.promote('workspace_expansion', standing => 'all', override => 'example')")


def refuse(c):
    """A wrong document: dbt fails, says each problem, and nothing is published."""
    path = WORK / "package/example/models/programs.yml"
    right = path.read_text()
    path.write_text(right.replace("kind: breadth", "kind: width").replace("attr.employees > 100", "attr.staff > 100"))
    ok, out = dbt("run-operation", "pql_publish")
    check("publish: a wrong document fails, with every problem", not ok and "signals.invites.kind" in out and "staff" in out, out)
    check("publish: and changes nothing", one(c, "SELECT count(*) FROM pql.program") == 1)
    path.write_text(right.replace("max_points: 10, why: large", "max_points: 10, why: it's large"))
    ok, out = dbt("run-operation", "pql_publish", "--args", "{override: 'quoted ''well'''}")
    check("publish: quotes stay quotes", ok and one(c, "SELECT document #>> '{signals,size,why}' FROM pql.program ORDER BY version DESC LIMIT 1")
          == "it's large enough for a team plan", out)
    c.execute("""SELECT pql.publish(jsonb_set(document, '{signals,size,max_points}', '12'), 'learned, model 1', 'example')
                 FROM pql.program ORDER BY version DESC LIMIT 1""")
    ok, out = dbt("run-operation", "pql_publish")
    check("publish: what was learned isn't undone", not ok and "was learned" in out and one(c, "SELECT max(version) FROM pql.program") == 3, out)
    path.write_text(right)


def go_on(c):
    """New events, also late ones: the incremental models are what building them anew gives."""
    add_events(c, 601, 1000)
    ok, out = dbt("build")
    check("dbt build again, with new events", ok, out)
    kept = states(c, "analytics")
    ok, out = dbt("build", "--full-refresh", schema="anew")
    check("dbt build anew, elsewhere", ok, out)
    check("incremental is byte for byte what a full refresh gives", kept == states(c, "anew"), f"{kept}\n{states(c, 'anew')}")
    ok, out = dbt("run")
    check("a run without new events changes nothing", ok and kept == states(c, "analytics"), out)
    ok, out = dbt("run", "--full-refresh")
    check("a full refresh in place changes nothing", ok and kept == states(c, "analytics"), out)


def change_attributes(c):
    """dbt makes the table anew and renames it: pql follows."""
    seed = WORK / "package/example/seeds/crm_accounts.csv"
    seed.write_text(seed.read_text().replace("dyne,free,45", "dyne,team,45"))
    ok, out = dbt("build", "--select", "crm_accounts+")
    check("dbt build of changed accounts", ok, out)
    plan = one(c, "SELECT attributes ->> 'plan' FROM pql.attributes WHERE subject_id = 'dyne' AND valid_to = 'infinity'")
    check("the post-hook tells pql", plan == "team", plan)
    ok, out = dbt("run", "--select", "account_scores")
    known = one(c, "SELECT bool_and(s.score IS NOT DISTINCT FROM b.score) FROM analytics.account_scores AS s "
                   "LEFT JOIN pql.scoreboard('workspace_expansion') AS b ON b.subject_id = s.account_id")
    check("scores in a model are pql's own", ok and known, out)


def notice(c):
    """The tests can fail: a row that is counted twice, points that don't add up."""
    c.execute("UPDATE analytics.user_heat SET heat = pql.state_merge(heat, heat) WHERE user_id = (SELECT min(user_id) FROM analytics.user_heat)")
    ok, out = dbt("test", "--select", "user_heat")
    check("pql_state_matches_source notices what is counted twice", not ok and "Got 1 result" in out, out)
    c.execute("SET session_replication_role = replica; UPDATE pql.routing SET score = score + 1")
    changed = c.rowcount
    ok, out = dbt("test", "--select", "pql_routing")
    check("points_add_up notices a wrong score", changed > 0 and not ok and f"Got {changed} result" in out, f"{changed} rows\n{out}")


def document(c):
    ok, out = dbt("docs", "generate")
    catalog = json.loads((WORK / "target/analytics/catalog.json").read_text()) if ok else {"sources": {}}
    check("dbt docs know pql's views", "source.pql.pql.handoffs" in catalog["sources"], out)


def main():
    copy_project()
    with database() as c:
        c.execute((ROOT / "test/dbt/app.sql").read_text())
        add_events(c, 1, 600)
        for step in (build, publish, refuse, go_on, change_attributes, document, notice):
            try:
                step(c)
            except psycopg2.Error:
                check(step.__name__, False, traceback.format_exc())
    print(f"dbt: {passed} passed, {failed} failed")


main()
