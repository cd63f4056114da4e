#!/usr/bin/env python3
"""pql's aggregates against ClickHouse and DuckDB, on random groups, and its statistics against scipy and statsmodels. Called by `run`, which has the peers installed.

Without the peers, what remains are the stored vectors: some groups with the peers' answers. On these it is also tried whether each
case can fail: pql is asked a question that is wrong by a little, and has to differ.
"""
import argparse
import os
import random
import re
import sys
import tempfile
import time

import cases
import data
import engines
import experiments
import learning
import reason

HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "vectors.txt")
STORED = {"event": 100, "apart": 100, "wide": 24, "visit": 40}  # groups


class Report:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.start = time.monotonic()

    def say(self, text):
        print(f"{time.monotonic() - self.start:5.0f}s {text}", flush=True)

    def ok(self, text):
        self.passed += 1
        self.say(f"ok   {text}")

    def bad(self, text, details=()):
        self.failed += 1
        self.say(f"FAIL {text}")
        for line in details:
            print(f"       {line}"[:400], flush=True)

    def check(self, good, text, details=()):
        if good:
            self.ok(text)
        else:
            self.bad(text, details)


# --- comparing --------------------------------------------------------------------------------------------------------------

def close(ours, theirs, near):
    """Numbers "1,2" and "1,2|3,4" that differ by no more than near of 3 and 4."""
    numbers, _, sizes = theirs.partition("|")
    for x, y, size in zip(ours.split(","), numbers.split(","), (sizes or numbers).split(","), strict=True):
        if abs(float(x) - float(y)) > near * abs(float(size)):
            return False
    return True


def differences(case, ours, theirs):
    """The keys for which the answers differ."""
    if case.near:
        return [k for k in ours.keys() | theirs.keys() if k not in ours or k not in theirs or not close(ours[k], theirs[k], case.near)]
    if ours == theirs:
        return []
    return [k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k)]


def shown(case, keys, ours, theirs, peer, files):
    """The first differences, with the rows that they come from."""
    yield f"{len(keys)} of {len(ours)} answers differ"
    for key in sorted(keys, key=lambda k: (len(k), k))[:3]:
        yield f"{key}: pql {ours.get(key)!r}, {peer} {theirs.get(key)!r}"
    table = re.search(r"\bFROM (%s)\b" % "|".join(data.TABLES), " ".join(case.peers.values()))
    column = 0 if case.pql.startswith("SELECT id,") else 1
    if table and files and not case.pql.startswith("SELECT g %"):
        key = min(keys, key=lambda k: (len(k), k))
        with open(files[table[1]], encoding="utf8") as f:
            rows = [line.rstrip("\n").split("\t") for line in f]
        group = next((r[1] for r in rows if r[column] == key), None)
        for row in [r for r in rows if r[1] == group][:30]:
            yield f"  {table[1]}: {' '.join(row)}"


def compare(report, case, ours, peer, theirs, files):
    what = f"{case.name}: {len(ours):,} answers, {peer}"
    keys = differences(case, ours, theirs)
    if not ours:
        report.bad(f"{what}: there is nothing to compare")
    elif not (case.way and "clickhouse" in peer):
        report.check(not keys, what, shown(case, keys, ours, theirs, peer, files) if keys else ())
    elif not keys:
        report.bad(f"{what}: the same, though it is known to be {case.way} ({case.known})")
    else:
        strays = [k for k in keys if k not in ours or k not in theirs or not cases.WAYS[case.way](ours[k], theirs[k])]
        report.check(not strays, f"{what}: {case.way} {len(keys):,} times ({case.known})",
                     shown(case, strays, ours, theirs, peer, files) if strays else ())


# --- data and stored vectors ------------------------------------------------------------------------------------------------

def write_tables(directory, seed, groups):
    """groups: how many, of each table."""
    files = {}
    for table in data.TABLES:
        files[table] = os.path.join(directory, f"{table}.tsv")
        with open(files[table], "w", encoding="utf8") as f:
            f.writelines(line + "\n" for line in data.rows(table, random.Random(f"{seed} {table}"), groups[table]))
    return files


def read_vectors(directory):
    """Sections "== table NAME" with rows and "== case ENGINE NAME" with answers."""
    files, stored, lines = {}, {}, []
    with open(VECTORS, encoding="utf8") as f:
        for line in f.read().splitlines():
            if line.startswith("== table "):
                lines = files.setdefault(line[9:], [])
            elif line.startswith("== case "):
                peer, _, name = line[8:].partition(" ")
                lines = stored.setdefault((name, peer), [])
            elif not line.startswith("#"):
                lines.append(line)
    for table in files:
        path = os.path.join(directory, f"vector_{table}.tsv")
        with open(path, "w", encoding="utf8") as f:
            f.writelines(line + "\n" for line in files[table])
        files[table] = path
    return files, {key: engines.answers(value) for key, value in stored.items()}


def write_vectors(files, peers):
    """Asks the peers. Where both answer, one is kept; of numbers that need only be near, twelve digits."""
    with open(VECTORS, "w", encoding="utf8") as f:
        versions = ", ".join(f"{p.name} {p.version}" for p in peers)
        f.write(f"# Groups, and what peers answered: {versions}. Written by run --write-vectors.\n")
        for table in data.TABLES:
            with open(files[table], encoding="utf8") as rows:
                f.write(f"== table {table}\n{rows.read()}")
        for case in cases.CASES:
            peer = next(p for p in peers if p.name in case.peers and not (case.fails and p.name == "clickhouse"))
            f.write(f"== case {peer.name} {case.name}\n")
            for key, answer in sorted(peer.ask(case.peers[peer.name]).items(), key=lambda x: int(x[0])):
                if case.near:
                    answer = re.sub(r"[^,|]+", lambda number: f"{float(number[0]):.12g}" if "." in number[0] else number[0], answer)
                f.write(f"{key}\t{answer}\n")


# --- the runs ---------------------------------------------------------------------------------------------------------------

def ask(report, engine, name, query):
    """The answers; none if that fails."""
    try:
        return engine.ask(query)
    except engines.Failed as e:
        report.bad(f"{name}: {engine.name} fails", str(e).splitlines()[:5])
        return {}



def run_vectors(report, pql, chosen, directory):
    files, stored = read_vectors(directory)
    pql.load(files)
    for case in chosen:
        kept = [(peer, stored[case.name, peer]) for peer in case.peers if (case.name, peer) in stored]
        if not kept:
            report.bad(f"{case.name}: not among the stored vectors (run --write-vectors)")
            continue
        peer, theirs = kept[0]
        ours = ask(report, pql, case.name, case.pql)
        compare(report, case, ours, f"stored of {peer}", theirs, files)
        old, new = case.wrong
        if old not in case.pql:
            report.bad(f"{case.name}: can't be asked wrongly, as there is no {old}")
            continue
        wrong = ask(report, pql, case.name, case.pql.replace(old, new))
        report.check(differences(case, wrong, ours if case.way else theirs), f"{case.name}: notices {new or 'less'} instead of {old}",
                     ["pql was asked another question, and gave the same answers"])


def run_peers(report, pql, peers, chosen, directory, seed, groups):
    files = write_tables(directory, seed, dict.fromkeys(data.TABLES, groups))
    report.say(f"{groups:,} groups in each table, seed {seed}")
    for engine in (pql, *peers):
        engine.load(files)
    report.say("loaded")
    for case in chosen:
        asked = [p for p in peers if p.name in case.peers]
        if not asked:
            continue
        ours = ask(report, pql, case.name, case.pql)
        for peer in asked:
            if case.fails and peer.name == "clickhouse":
                check_failure(report, case, peer)
            else:
                compare(report, case, ours, peer.name, ask(report, peer, case.name, case.peers[peer.name]), files)


def check_failure(report, case, peer):
    try:
        peer.ask(case.peers[peer.name])
    except engines.Failed as e:
        report.check(case.fails in str(e), f"{case.name}: {peer.name} fails ({case.known})", str(e).splitlines()[:5])
    else:
        report.bad(f"{case.name}: {peer.name} answers, though it is known to fail ({case.known})")


def read_pins():
    with open(os.path.join(HERE, "requirements.txt"), encoding="utf8") as f:
        return dict(line.strip().split("==") for line in f if "==" in line)


def start_peers(report):
    """The peers that are there, of the versions that are pinned."""
    pins = read_pins()
    peers = []
    for name, (engine, package) in engines.PEERS.items():
        try:
            peer = engine(getattr(cases, name.upper()))
        except (ImportError, OSError):
            report.skipped += 1
            print(f"skipped {name}: {package} {pins[package]} can't be had{reason.why()}; its stored answers are compared", flush=True)
            continue
        pin = pins[package]
        report.check(f"{peer.version}.".startswith(pin.rpartition(".")[0] + "."), f"{name} is {peer.version}, pinned {pin}")
        peers.append(peer)
    return peers


def check_coverage(report, pql):
    """No aggregate without a case."""
    asked = " ".join([cases.PQL] + [case.pql for case in cases.CASES])
    for name in pql.aggregates():
        report.check(re.search(rf"\b{name}\(", asked), f"{name} is compared", ["no case in cases.py asks it"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    groups = int(os.environ.get("PQL_PEERS_GROUPS") or 2000)
    parser.add_argument("--groups", type=int, default=groups, help="in each table ($PQL_PEERS_GROUPS)")
    parser.add_argument("--seed", default=os.environ.get("PQL_PEERS_SEED") or "1", help="of the data ($PQL_PEERS_SEED)")
    parser.add_argument("--only", default="", help="cases whose name matches this regular expression")
    parser.add_argument("--write-vectors", action="store_true", help="store groups with the peers' answers anew, and end")
    options = parser.parse_args()

    report = Report()
    chosen = [c for c in cases.CASES if re.search(options.only, c.name)]
    peers = start_peers(report)
    with tempfile.TemporaryDirectory() as directory:
        if options.write_vectors:
            files = write_tables(directory, "vectors", STORED)
            for peer in peers:
                peer.load(files)
            write_vectors(files, peers)
            return 0
        pql = engines.Pql(cases.PQL)
        try:
            check_coverage(report, pql)
            run_vectors(report, pql, chosen, directory)
            if peers:
                run_peers(report, pql, peers, chosen, directory, options.seed, options.groups)
            if re.search(options.only, "experiments"):
                experiments.run(report, pql, read_pins())
            if re.search(options.only, "learning"):
                learning.run(report)
        finally:
            pql.close()
            for peer in peers:
                peer.close()
    print(f"peers: {report.passed} passed, {report.failed} failed" + (f", {report.skipped} skipped" if report.skipped else ""))
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
