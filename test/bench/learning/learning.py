"""Runs the scorers over the simulated companies, and prints what came of it as Markdown.

Every seed of every company is a life of 480 days. On some days each scorer learns from what is known by then, and is judged by the hand-offs of
the 60 days that follow. See doc/learning.md for how to read the table.
"""
import argparse
import concurrent.futures
import json
import os
import sys
import time

import numpy as np

import companies
import judge
import pql
import scorers
from companies import DAY, START

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import measure  # noqa: E402

AHEAD = 60
# Few answers; the settled state; the truth has just changed; and two, four and six months later.
DAYS = (120, 180, 240, 300, 360, 420)
QUICK_DAYS = (180, 360)
MEASURES = {"lift": "Lift at capacity", "brier": "Brier score", "calibration": "Calibration error"}
SCORERS = ("oracle", "pql", "pql's points", "as guessed", "Odoo-like", "MadKudu-like", "logistic", "boosting")
POINTS = "pql's points"
RIVALS = SCORERS[3:]
ERASED_SEEDS = 5  # that a model forgets is no matter of luck: so many lives tell
RANKS_ONLY = (POINTS, "as guessed")  # they give no chance


# --- one life -----------------------------------------------------------------------------------------------------------

def judged(model, test):
    score, chance = model.score(test), model.chance and model.chance(test)
    return {"lift": judge.lift(score, test.truth), "brier": None if chance is None else judge.brier(chance, test.truth),
            "calibration": None if chance is None else judge.calibration_error(chance, test.truth), "uplift": model.uplift}


def learn(scorer, company, as_of, engine):
    """What a scorer has learnt by then, by name: pql answers for its points, too."""
    if scorer == "pql":
        return engine.fit(as_of) if engine else {}
    if scorer == POINTS:
        return {}
    return {scorer: scorers.RIVALS[scorer](company, as_of, np.zeros(len(company.handoffs), bool))}


def live(name, seed, subjects, days, only, with_pql, erases):
    """All measures of one company and seed: {scorer: {day: {measure: value}}}, and what erasure changed: {scorer: value}."""
    company = companies.build(name, seed, subjects)
    h = company.handoffs
    database = f"pql_learning_{os.getpid()}"
    engine = pql.Pql(company, database) if with_pql and "pql" in only else None
    result, took = {s: {} for s in only}, {}
    try:
        for day in days:
            test = h.part((h.day > day) & (h.day <= day + AHEAD))
            for s in only:
                began = time.perf_counter()
                for told, model in learn(s, company, START + day * DAY, engine).items():
                    if told in only:
                        result[told][day] = judged(model, test)
                took[s] = took.get(s, 0) + time.perf_counter() - began
        erasure = {s: forgets(s, company, engine, database) for s in only if erases and s not in RANKS_ONLY + ("oracle",)}
    finally:
        if engine:
            engine.close()
    return {"scorers": result, "erasure": erasure, "took": took, "handoffs": len(h)}


def forgets(scorer, company, engine, database):
    """After a tenth of the people have been erased: how far a chance is, at the most, from that of a model that never saw them, when
    everybody has learnt once more. None: there is no model."""
    h, as_of = company.handoffs, START + companies.ERASURE * DAY
    gone = h.erased & (h.at <= as_of)
    stay = h.part(~h.erased & (h.at <= as_of))
    if scorer == "pql":
        if not engine:
            return None
        engine.erase(gone)
        after = engine.fit(as_of).get("pql")
        other = pql.Pql(company, database + "_2", without=gone)
        try:
            never = other.fit(as_of).get("pql")
            return float(np.abs(after.chance(stay) - never.chance(stay)).max()) if after and never else None
        finally:
            other.close()
    fit = scorers.RIVALS[scorer]
    after = fit(company, as_of, gone)
    never = fit(scorers.without(company, gone), as_of, np.zeros((~gone).sum(), bool))
    return float(np.abs(after.chance(stay) - never.chance(stay)).max()) if after.chance else None


# --- the table ----------------------------------------------------------------------------------------------------------

class Rows:
    """The measures, seed by seed. Companies and days of a row are averaged within each seed, so that what remains between seeds is luck."""

    def __init__(self, results, shown):
        self.results, self.shown = results, shown
        self.seeds = sorted({seed for _, seed in results})

    def values(self, scorer, names, days, what):
        """One value a seed, None where one is missing."""
        out = []
        for seed in self.seeds:
            all_ = [self.results[n, seed]["scorers"].get(scorer, {}).get(d, {}).get(what) for n in names for d in days]
            out.append(None if None in all_ else float(np.mean(all_)))
        return out

    def cell(self, scorer, names, days, what, digits):
        found = judge.interval(self.values(scorer, names, days, what))
        return "" if found is None else f"{found[0]:.{digits}f} ±{found[1]:.{digits}f}"

    def verdict(self, names, days, what):
        """pql beside the best of its rivals, by their means: the difference on the same seeds, and whether that is one."""
        mine, better = self.values("pql", names, days, what), 1 if what == "lift" else -1
        means = {s: better * found[0] for s in RIVALS if (found := judge.interval(self.values(s, names, days, what)))}
        if not means or judge.interval(mine) is None:
            return ""
        rival = max(means, key=means.get)
        mean, half = judge.interval(judge.pairs(mine, self.values(rival, names, days, what)))
        word = "level with" if not abs(mean) > half else "**leads**" if better * mean > 0 else "**behind**"
        digits = 2 if what == "lift" else 4
        return f"{word} {rival}: {mean:+.{digits}f} ±{half:.{digits}f}"

    def table(self, head, rows, what):
        mine = [s for s in self.shown if what == "lift" or s not in RANKS_ONLY + ("oracle",) * (what == "calibration")]
        digits = 2 if what == "lift" else 4
        out = [line([head, *mine, "pql and the best rival"]), line(["---"] * (len(mine) + 2))]
        for name, names, days in rows:
            out.append(line([name, *(self.cell(s, names, days, what, digits) for s in mine), self.verdict(names, days, what)]))
        return out + [""]


def line(cells):
    return "| " + " | ".join(cells) + " |"


MOMENTS = {120: "few answers", 180: "settled", 240: "just changed", 300: "2 months after", 360: "4 months after", 420: "6 months after"}


def tables(rows, names, days, detail):
    out = []
    for what, title in MEASURES.items():
        out += [f"**{title}** ({'more' if what == 'lift' else 'less'} is better)", ""]
        out += rows.table("when", [(MOMENTS[d], names, [d]) for d in days], what)
        out += rows.table("company", [(n, [n], days) for n in names], what)
        if detail:
            out += rows.table("when, company", [(f"{MOMENTS[d]}, {n}", [n], [d]) for d in days for n in names], what)
    return out + recovery_table(rows, names, days) + uplift_table(rows, names, days) + erasure_table(rows, names)


def recovery_table(rows, names, days):
    """Of what the oracle's choice gains over chance, how much a scorer's does."""
    mine = [s for s in rows.shown if s != "oracle"]
    if "oracle" not in rows.shown:
        return []
    out = ["**Recovery**: how much of what the oracle's lift is above 1 a scorer's is, before the change and after", "",
           line(["when", *mine]), line(["---"] * (len(mine) + 1))]
    for d in days:
        best = np.array(rows.values("oracle", names, [d], "lift"), float) - 1
        cells = []
        for s in mine:
            found = judge.interval((np.array(rows.values(s, names, [d], "lift"), float) - 1) / best)
            cells.append("" if found is None else f"{100 * found[0]:.0f} % ±{100 * found[1]:.0f}")
        out.append(line([MOMENTS[d], *cells]))
    return out + [""]


def uplift_table(rows, names, days):
    mine = [s for s in rows.shown if s in ("oracle", "pql", "logistic", "boosting")]
    out = ["**Uplift found**: what contact adds to the chance, on the last day", "", line(["company", *mine]), line(["---"] * (len(mine) + 1))]
    return out + [line([n, *(rows.cell(s, [n], days[-1:], "uplift", 3) for s in mine)]) for n in names] + [""]


def erasure_table(rows, names):
    mine = [s for s in rows.shown if s not in RANKS_ONLY + ("oracle",)]
    out = ["**After erasure**: the most that a chance differs from that of a model that never saw who was erased", "",
           line(["company", *mine]), line(["---"] * (len(mine) + 1))]
    for name in names:
        cells = []
        for s in mine:
            values = [r["erasure"][s] for (n, _), r in rows.results.items() if n == name and r["erasure"].get(s) is not None]
            cells.append("" if not values else "0" if max(values) == 0 else f"{max(values):.1g}")
        out.append(line([name, *cells]))
    return out + [""]


def summary(rows, names, days):
    """How often pql leads, is level, and is behind, company by company and moment by moment; and each time that it is behind."""
    counts, behind = {"leads": 0, "level": 0, "behind": 0}, []
    for what, title in MEASURES.items():
        for day in days:
            for name in names:
                said = rows.verdict([name], [day], what)
                for word in counts:
                    counts[word] += word in said
                if "behind" in said:
                    behind.append(f"- {title}, {MOMENTS[day]}, {name}: {said.replace('**', '')}")
    return [f"pql beside the best of its rivals, in each company at each moment and by each measure ({sum(counts.values())} comparisons): leads in "
            f"{counts['leads']}, level in {counts['level']}, behind in {counts['behind']}" + (":" if behind else "."), "", *behind, ""]


# --- the command --------------------------------------------------------------------------------------------------------

def arguments():
    p = argparse.ArgumentParser(prog="test/bench/learning/run", description="Simulated companies judge what pql learns, beside its rivals.")
    p.add_argument("--seeds", type=int, default=20, help="lives of each company (20)")
    p.add_argument("--first", type=int, default=1, help="the first seed (1)")
    p.add_argument("--quick", action="store_true", help="2 seeds of small companies: a sign of life, no results")
    p.add_argument("--only", default="", help="companies or scorers, separated by commas: plain,pql,logistic")
    p.add_argument("--out", help="where to write the table, too")
    p.add_argument("--detail", action="store_true", help="every company at every moment, too")
    p.add_argument("--json", help="where to write every single measurement")
    p.add_argument("--list", action="store_true", help="the names of companies and scorers")
    return p.parse_args()


def chosen(only, all_):
    some = [x for x in all_ if x in only]
    return some or list(all_)


def write_json(path, results):
    with open(path, "w") as f:
        json.dump([{"company": n, "seed": s, **r} for (n, s), r in sorted(results.items())], f, indent=1)


def main():
    a = arguments()
    if a.list:
        print(*companies.NAMES, *SCORERS, sep="\n")
        return
    only = [x.strip() for x in a.only.split(",") if x.strip()]
    unknown = [x for x in only if x not in companies.NAMES + SCORERS]
    if unknown:
        sys.exit(f"no company or scorer {unknown[0]}; there are: {', '.join(companies.NAMES + SCORERS)}")
    names, shown = chosen(only, companies.NAMES), chosen(only, SCORERS)
    days, subjects, seeds = (QUICK_DAYS, 2500, 2) if a.quick else (DAYS, companies.SUBJECTS, a.seeds)
    why_not = pql.prepare() if "pql" in shown else None
    if why_not:
        print(f"skipped pql: {why_not}", file=sys.stderr)
    began, results = time.time(), {}
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(live, n, s, subjects, days, shown, not why_not, s < a.first + ERASED_SEEDS): (n, s)
                for s in range(a.first, a.first + seeds) for n in names}
        for job in concurrent.futures.as_completed(jobs):
            results[jobs[job]] = job.result()
            measure.note(f"{len(results)} of {len(jobs)}")
            if a.json:
                write_json(a.json, results)
    took = {s: sum(r["took"].get(s, 0) for r in results.values()) for s in shown}
    rows = Rows(results, shown)
    lines = tables(rows, names, days, a.detail) + (summary(rows, names, days) if "pql" in shown and not why_not else [])
    lines.append(f"{seeds} seeds of {len(names)} companies, {np.mean([r['handoffs'] for r in results.values()]):.0f} hand-offs each; "
                 f"{time.time() - began:.0f} s on {measure.machine()}; learning and answering took, in seconds: "
                 + ", ".join(f"{s} {t:.0f}" for s, t in took.items()) + ".")
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if a.out:
        with open(a.out, "w") as f:
            f.write(text)


if __name__ == "__main__":
    main()
