#!/usr/bin/env python3
"""The tables of doc/topics.md, from test/topics/report.txt.

table.py           prints them
table.py --check   says which of their lines doc/topics.md lacks
"""

import collections
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
MAIN = {"en": "English", "de": "German", "es": "Spanish", "fr": "French", "pt": "Portuguese", "ru": "Russian", "zh": "Chinese", "ja": "Japanese"}
OTHERS = {"it": "Italian", "nl": "Dutch", "pl": "Polish", "sv": "Swedish", "uk": "Ukrainian", "el": "Greek", "tr": "Turkish", "ar": "Arabic",
          "he": "Hebrew", "hi": "Hindi", "th": "Thai", "ko": "Korean"}
LINE = re.compile(r"^(\w+) +(\S+) +precision .* \((\d+) right, (\d+) wrong, (\d+) missed\)$")


def figures(counts):
    right, wrong, missed = counts
    share = lambda n: f"{right / n:.2f}" if n else "–"
    return f"{share(right + wrong)} / {share(right + missed)}"


def row(*cells):
    return "| " + " | ".join(cells) + " |"


def tables(report):
    """Lines of Markdown: by topic and main language, then the languages of which there are few messages."""
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for language, topic, *n in (m.groups() for m in map(LINE.match, report) if m):
        for key in ((language, topic), ("main" if language in MAIN else "others", topic)):
            counts[key] = [a + int(b) for a, b in zip(counts[key], n)]
    topics = sorted({topic for language, topic in counts if language == "main" and topic != "(all)"})
    yield row("topic", *MAIN.values(), "together")
    yield row(*["---"] * (len(MAIN) + 2))
    for topic in topics:
        yield row(f"`{topic}`", *(figures(counts[language, topic]) for language in [*MAIN, "main"]))
    yield row("all", *(figures(counts[language, "(all)"]) for language in MAIN), f"**{figures(counts['main', '(all)'])}**")
    yield ""
    yield row(*OTHERS.values())
    yield row(*["---"] * len(OTHERS))
    yield row(*(figures(counts[language, "(all)"]) for language in OTHERS))


def main():
    lines = list(tables((TOP / "test/topics/report.txt").read_text().splitlines()))
    if "--check" not in sys.argv:
        print("\n".join(lines))
        return
    page = (TOP / "doc/topics.md").read_text().splitlines()
    lacking = [line for line in lines if line not in page]
    if lacking:
        sys.exit("doc/topics.md lacks lines of its tables; test/topics/table.py prints them:\n" + "\n".join(lacking))


main()
