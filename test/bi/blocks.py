"""Runs the SQL of integrations/bi/README.md.

   blocks.py path DATABASE      the blocks of the way from a warehouse to a dashboard, in order, each with the seconds that it took
   blocks.py tools DATABASE     all others, as Metabase and Grafana would send them: their placeholders replaced; each must have rows

Ends with a status other than 0 where a block fails.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "integrations/bi/README.md"
PATH = "From a warehouse to a dashboard"


def blocks():
    """(section, block), in order."""
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        for block in re.findall(r"^```sql\n(.*?)^```", section, re.M | re.S):
            yield section.split("\n", 1)[0], block


def replaced(block):
    """Without Grafana's $__timeFilter(column) and Metabase's optional [[...]] parts."""
    block = re.sub(r"\$__timeFilter\(([^)]*)\)", r"\1 BETWEEN now() - interval '90 days' AND now()", block)
    return re.sub(r"\[\[.*?\]\]", "", block)


def run(block, database):
    return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database], input=block, capture_output=True, text=True)


def main():
    which, database = sys.argv[1:]
    bad, n = 0, 0
    for section, block in blocks():
        if (section == PATH) != (which == "path"):
            continue
        n += 1
        began = time.monotonic()
        said = run(replaced(block), database)
        if which == "path":
            print(f"step {n}: {time.monotonic() - began:.1f} s")
        if said.returncode or which == "tools" and not said.stdout.strip():
            bad += 1
            print(f"fails, or has no rows:\n{block}{said.stderr}")
    sys.exit(1 if bad or n < 5 else 0)


main()
