"""What the benchmarks share: measurements and their ratios, profiles, and small helpers."""
import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def count(text):
    """An integer, with k or M for thousands and millions."""
    m = re.fullmatch(r"(\d+(?:\.\d+)?)([kM]?)", text)
    if not m:
        raise argparse.ArgumentTypeError(f"not a number: {text}")
    return int(float(m[1]) * {"": 1, "k": 1000, "M": 1_000_000}[m[2]])


def short(n):
    return f"{n / 1e6:g}M" if n >= 1_000_000 else f"{n / 1e3:g}k" if n >= 1000 else str(n)


def read_sql(file, **values):
    """A file of SQL without its comments, with :name filled in."""
    with open(os.path.join(HERE, "sql", file)) as f:
        text = "".join(line for line in f if not line.startswith("--"))
    return re.sub(r"(?<!:):([a-z_]+)", lambda m: str(values[m[1]]), text)


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def zipf_tops(n):
    """Where the shares of n things by Zipf's law end in [0, 1), but for the last, as an array in SQL."""
    shares = [1 / k for k in range(1, n + 1)]
    return quote("{" + ",".join(repr(sum(shares[:k]) / sum(shares)) for k in range(1, n)) + "}")


def note(text):
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Row:
    """Measurements of one row: variant -> one entry a turn, None where a variant sat out."""

    def __init__(self):
        self.wall, self.cpu, self.wal = {}, {}, {}
        self.events = 1
        self.notes = {}

    def add(self, variant, wall, cpu, wal):
        for store, value in ((self.wall, wall), (self.cpu, cpu), (self.wal, wal)):
            store.setdefault(variant, []).append(value)

    def ratios(self, variant, what="wall", base="none"):
        store = getattr(self, what)
        return [v / b for v, b in zip(store.get(variant, []), store.get(base, [])) if v is not None and b]

    def ratio(self, variant, what="wall", base="none"):
        r = self.ratios(variant, what, base)
        return statistics.median(r) if r else None

    def per_event(self, variant, what="wall"):
        values = [v for v in getattr(self, what).get(variant, []) if v is not None]
        return statistics.median(values) / self.events if values else None

    def wal_more(self, variant):
        more = [v - b for v, b in zip(self.wal.get(variant, []), self.wal.get("none", [])) if v is not None]
        return statistics.median(more) / self.events if more else None

    def dump(self):
        return {"events": self.events, "wall": self.wall, "cpu": self.cpu, "wal": self.wal, "notes": self.notes}


class Profile:
    """perf record of one process while the block runs, if a directory is given; `calls`: with call stacks."""

    def __init__(self, name, pid, directory, calls=False):
        self.name, self.pid, self.directory, self.calls, self.process = name, pid, directory, calls, None

    def __enter__(self):
        if self.directory:
            os.makedirs(self.directory, exist_ok=True)
            self.file = os.path.join(self.directory, self.name + ".perf")
            how = ["--call-graph", "dwarf,32768", "-F", "299"] if self.calls else ["-F", "1999"]
            command = ["perf", "record", "-q", "-e", "cpu-clock", *how, "-o", self.file, "-p", str(self.pid)]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.3)
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
            print(f"--- profile of {self.name}\n{self.report('dso', 2, 6)}\n{self.report('dso,symbol', 0.2, 40)}", file=sys.stderr)
            if self.calls:
                print(f"--- with what they call\n{self.report('dso,symbol', 1.5, 100, calls=True)}", file=sys.stderr)

    def report(self, by, limit, lines, calls=False):
        """Shares of the samples; with `calls`, of a function with all that it calls."""
        what = ["--children", "-g", "none"] if calls else ["--no-children", "-g", "none"]
        text = subprocess.run(["perf", "report", "-i", self.file, "--stdio", "-q", *what, "-s", by, "--percent-limit", str(limit)],
                              capture_output=True, text=True).stdout
        text = "\n".join(re.sub(r"  +", "  ", re.sub(r"[ -]+$", "", line)) for line in text.splitlines()
                         if line.strip() and not (calls and re.search(r"0x0000|\] (_?_?libc_|_start|main|Postma)|PostgresMain", line)))
        with open(self.file.removesuffix(".perf") + f".{by.replace(',', '-')}{'.calls' if calls else ''}.txt", "w") as f:
            f.write(text + "\n")
        return "\n".join(text.splitlines()[:lines])


def machine():
    model, cores = "unknown processor", os.cpu_count()
    with open("/proc/cpuinfo") as f:
        m = re.search(r"^model name\s*:\s*(.*)$", f.read(), re.M)
        model = m[1] if m else model
    with open("/proc/meminfo") as f:
        memory = int(re.search(r"MemTotal:\s*(\d+)", f.read())[1]) / 1048576
    return f"{cores} × {model}, {memory:.0f} GiB"
