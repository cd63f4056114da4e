"""Compares what stands on the built pages (found.json of integrations/bi/look.mjs) with what plain SQL counts in pql's tables.

   numbers.py FOUND DATABASE     a line "ok<TAB>what" or "wrong<TAB>what" for each number
   numbers.py --empty FOUND      of an empty database: every page says so, and draws nothing
"""

import json
import subprocess
import sys

# What the pages show of the program with the most hand-offs, and what that is. Nothing here reads one of the views.
HANDED = """FROM pql.routing AS r WHERE r.program = 'team_rollout' AND r.follows IS NULL"""
OFFERED = HANDED + " AND NOT r.holdout AND r.state NOT IN ('blocked', 'suppressed') AND r.motion NOT IN ('none', 'in_app', 'email')"
NUMBERS = {
    ("index", "qualified"): f"SELECT count(*) {HANDED}",
    ("index", "offered"): f"SELECT count(*) {OFFERED}",
    ("index", "contacted"): f"SELECT count(*) {OFFERED} AND r.first_touch_at IS NOT NULL",
    ("index", "converted"): f"""SELECT count(*) {OFFERED} AND EXISTS (
        SELECT FROM pql.outcome AS o WHERE o.home = r.home AND o.outcome = 'paid' AND o.at > r.qualified_at AND o.at <= r.qualified_at + interval '1080 hours'
          AND o.at >= r.first_touch_at)""",
    ("first-touch", "median"): f"""SELECT CASE WHEN h < 48 THEN to_char(h, 'FM990.0') || ' h' ELSE to_char(h / 24, 'FM990.0') || ' days' END FROM (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM r.first_touch_at - r.qualified_at) / 3600) AS h {OFFERED}) AS x""",
    ("sla", "kept"): f"SELECT count(*) {HANDED} AND NOT r.holdout AND r.state NOT IN ('blocked', 'suppressed') AND r.first_touch_at <= r.contact_by",
    ("sla", "broken"): f"""SELECT count(*) {HANDED} AND NOT r.holdout AND r.state NOT IN ('blocked', 'suppressed')
        AND (r.first_touch_at > r.contact_by OR r.first_touch_at IS NULL AND r.contact_by <= now())""",
    ("pilots", "state"): "SELECT replace(state, '_', ' ') FROM pql.pilot",
    ("pilots", "planned"): """SELECT l.treated_n + l.held_out_n FROM pql.pilot AS p, pql.pilot_report(p.pilot_id) AS l WHERE l.part = 'lagging' AND l.indicator = 'conversion'""",
    ("account", "score"): "SELECT score FROM pql.routing WHERE first_touch_at IS NOT NULL ORDER BY qualified_at DESC, routing_id DESC LIMIT 1",
}
# How many charts, and how many rows of tables at least, each page of the company has.
DRAWN = {"index": (2, 2), "first-touch": (2, 2), "sla": (1, 5), "capacity": (2, 0), "signals": (1, 5), "calibration": (1, 10), "pilots": (1, 13), "reps": (2, 5), "account": (0, 4)}


def ask(database, query):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", query], check=True, capture_output=True, text=True).stdout.strip()


def main():
    if sys.argv[1] == "--empty":
        found = json.load(open(sys.argv[2], encoding="utf-8"))
        silent = [page for page, seen in found.items() if not seen["empty"] or seen["charts"] or seen["rows"]]
        if silent or set(found) != set(DRAWN):
            sys.exit(f"these pages draw something, or don't say that there is nothing: {silent}")
        return
    found = json.load(open(sys.argv[1], encoding="utf-8"))
    for (page, name), query in NUMBERS.items():
        shown, true = found[page]["numbers"].get(name, "nothing").replace(",", ""), ask(sys.argv[2], query)
        print("ok" if shown == true else "wrong", f"{page}: {name} is {true}" + ("" if shown == true else f", but {shown} is shown"), sep="\t")
    for page, (charts, rows) in DRAWN.items():
        seen = found[page]
        good = seen["charts"] >= charts and seen["rows"] >= rows and not seen["empty"]
        print("ok" if good else "wrong", f"{page}: {seen['charts']} charts and {seen['rows']} rows" + ("" if good else f", not {charts} and {rows}, {seen['empty']} empty"), sep="\t")


main()
