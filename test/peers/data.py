"""Random events in groups, the same for all engines: rich in ties, duplicates, nulls, groups of nulls only, and times that lie on
the border of a window or just off it. Times are microseconds after 1999-12-25 00:00 UTC, so that both PostgreSQL's zero
(2000-01-01) and the first Monday that periods are counted from (2000-01-03) lie among them.
"""
MILLISECOND, SECOND, HOUR, DAY = 1000, 1_000_000, 3_600_000_000, 86_400_000_000
START = "1999-12-25 00:00Z"
LABELS = ["app", "docs", "pricing", "billing", "", "é", 'a"b', "it's", "→"]

# Table -> its columns, with PostgreSQL's types. `g` is the group, `id` the row; a row's id says nothing of its time.
TABLES = {
    # Steps a to d for funnels, some unknown; x: excluded.
    "event": "id int, g int, t bigint, a boolean, b boolean, c boolean, d boolean, x boolean",
    # The same with no two rows of a group at one time, as ClickHouse's patterns say nothing of their order.
    "apart": "id int, g int, t bigint, a boolean, b boolean, c boolean, d boolean, x boolean",
    # 32 conditions: the bits of m; those in n are unknown.
    "wide": "id int, g int, t bigint, m bigint, n bigint",
    # Weeks of visits, to the millisecond: a value, a label, a whole number, an anchor.
    "visit": "id int, g int, t bigint, v float8, k text, n bigint, anchor boolean",
}


def _near(random, t, off=1):
    """On the dot, or off it: by a microsecond."""
    return max(0, t + random.choice([0, 0, 0, 0, off, -off]))


def _condition(random, p):
    return None if random.random() < 0.04 else int(random.random() < p)


def _size(random):
    return random.randint(13, 28) if random.random() < 0.02 else random.randint(1, 12)


def _at(random, last, span, *gaps):
    """Anywhere, or at a gap from the row before, of a length that the questions are about."""
    return last + random.choice(gaps) if last is not None and random.random() < 0.35 else random.randint(0, span)


def _steps(random, g, t):
    """The columns of a row of event: mostly one step, sometimes none or several."""
    p = [0.08] * 4
    if random.random() < 0.9:
        p[random.randrange(4)] = 0.97
    return [g, t] + [_condition(random, x) for x in p] + [_condition(random, 0.12)]


def _event(random, g):
    start, span = 7 * DAY - 20 * SECOND, random.choice([6, 15, 40])
    no_time = random.random() < 0.01
    rows, last = [], None
    for _ in range(_size(random)):
        last = _at(random, last, span, 5, 10)
        t = None if no_time or random.random() < 0.02 else start + _near(random, last * SECOND)
        rows.append(_steps(random, g, t))
        if random.random() < 0.05:
            rows.append(list(rows[-1]))
    return rows


def _apart(random, g):
    start, span = 7 * DAY - 20 * SECOND, random.choice([8, 15, 40])
    times, last = set(), None
    for _ in range(_size(random)):
        last = _at(random, last, span, 4, 5, 10)
        times.add(start + _near(random, last * SECOND))
    times = sorted(times)
    random.shuffle(times)
    return [_steps(random, g, t) for t in times]


def _wide(random, g):
    rows, span = [], random.choice([20, 60])
    for _ in range(random.randint(1, 40)):
        i = random.randint(0, span)
        m = 1 << min(31, max(0, i * 32 // span + random.randint(-3, 3)))  # later steps come later
        while random.random() < 0.6:
            m |= 1 << random.randrange(32)
        n = 1 << random.randrange(32) if random.random() < 0.1 else 0
        rows.append([g, 7 * DAY + _near(random, i * SECOND), m, n])
    return rows


def _visit(random, g):
    rows, span, last = [], random.choice([30, 200, 1500]), None
    labels = random.sample(LABELS, random.randint(1, len(LABELS)))
    nothing = random.random() < 0.01
    for _ in range(random.randint(30, 60) if random.random() < 0.01 else _size(random)):
        last = _at(random, last, span, 5, 10, 168) % 1700
        t = None if nothing or random.random() < 0.02 else _near(random, last * HOUR, MILLISECOND)
        v = None if nothing or random.random() < 0.03 else round(random.choice([1, 1, 10, 1e3, 1e6, -5]) * random.random(), 6)
        k = None if nothing or random.random() < 0.03 else random.choice(labels)
        n = None if random.random() < 0.03 else random.choice([0, 1, 1, -1, 2, random.randint(-10**15, 10**15)])
        rows.append([g, t, v, k, n, _condition(random, 0.5)])
    return rows


_MAKERS = {"event": _event, "apart": _apart, "wide": _wide, "visit": _visit}


def rows(table, random, groups):
    """Lines of a table as COPY reads them, with the rows of different groups mixed."""
    made = [row for g in range(groups) for row in _MAKERS[table](random, g)]
    random.shuffle(made)
    for i, row in enumerate(made):
        yield "\t".join([str(i)] + ["\\N" if x is None else str(x) for x in row])
