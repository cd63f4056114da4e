"""Random programs, of all measures that there are. Few values to choose from, so that versions share some of what they need."""

# The same in all programs: a milestone means one thing.
MILESTONES = {
    "m1": {"event": "e1"},
    "m2": {"event": "e2", "where": "(props->>'n')::int > 3"},
    "m3": {"event": "e3"},
}
WINDOWS = ["12 hours", "3 days", "10 days"]
HALF_LIVES = ["1 day", "7 days"]
EVENTS = ["e1", "e2", "e3", "*"]
NUMBER = "(props->>'n')::float8"


def curve(r):
    return r.choice([{"points_each": r.randint(1, 5)}, {"saturates_at": r.choice([2, 8, 20])}, {"half_saturation": r.choice([2, 9])},
                     {"over": r.choice([0.1, 1, 3])}, {}])


def span(r):
    return r.choice([{"window": r.choice(WINDOWS)}, {"half_life": r.choice(HALF_LIVES)}])


def event(r):
    return {"event": r.choice(EVENTS)} | ({"where": "(props->>'n')::int > 4"} if r.random() < 0.3 else {})


def windowed(measure):
    return lambda r: {"measure": measure, "window": r.choice(WINDOWS)} | (event(r) if r.random() < 0.5 else {}) | curve(r)


def pattern(r):
    return {r.choice(["all_of", "sequence"]): r.sample(["m1", "m2", "e3", "e4"], r.randint(2, 3)), "within": r.choice(["3 hours", "2 days"])}


def growth(r):
    of = r.choice(["count", "sum", "distinct_users", "active_days", "time_in_product"])
    extra = event(r) if of in ("count", "sum") else {}
    return {"measure": "growth", "of": of, "window": r.choice(WINDOWS), "over": r.choice([0.1, 0.5])} | extra | ({"sum_of": NUMBER} if of == "sum" else {})


SIGNALS = {
    "count": lambda r: event(r) | {"measure": "count"} | span(r) | curve(r),
    "sum": lambda r: event(r) | {"measure": "sum", "of": r.choice([NUMBER, NUMBER + " / 4 - 1"])} | span(r) | curve(r),
    "milestone": lambda r: {"milestone": r.choice(["m1", "m2", "m3"])} | r.choice([{}, span(r)]),
    "activation": lambda r: {"milestone": "activation_complete"} | r.choice([{}, span(r)]),
    "users": windowed("distinct_users"),
    "days": windowed("active_days"),
    "time": windowed("time_in_product"),
    "streak": lambda r: {"measure": "streak"} | r.choice([{}, {"event": "e1", "window": "10 days"}]) | curve(r),
    "recency": lambda r: {"measure": "recency"} | r.choice([{}, {"event": "e2"}]) | r.choice([{"over": 2}, {"points_each": 1}]),
    "rate": lambda r: {"measure": "success_rate", "event": r.choice(["e1", "e2"]), "success": "(props->>'ok')::boolean", "window": r.choice(WINDOWS)},
    "grown": growth,
    "pattern": lambda r: pattern(r) | span(r),
    "once": lambda r: {"event": "e3", "repeat": "once", "window": r.choice(WINDOWS)},
    "per_day": lambda r: {"event": "e1", "repeat": "per_day", "window": r.choice(WINDOWS)} | {"points_each": 3},
    "capped": lambda r: {"event": "e4", "repeat": "capped", "cap": 3, "window": r.choice(WINDOWS), "points_each": 2},
    "seats": lambda r: {"value": r.choice(["attr.seats", "case when attr.plan = 'team' then attr.seats else 1 end"])},
    "usage": lambda r: {"value": r.choice(["worked", "users_active", "case when milestone.m1 is null then 0 else 6 end"])},
    "vip": lambda r: {"flag": True},
}
KINDS = ["activation", "depth", "breadth", "fit", "intent", "risk"]
FALLING = ("count", "milestone", "activation", "once", "capped", "pattern")  # their points only fall while nothing happens
PEOPLE_OF_AN_ACCOUNT = ("users",)


def document(r, name, unit):
    """A version of a program."""
    known = [s for s in SIGNALS if unit == "account" or s not in PEOPLE_OF_AN_ACCOUNT]
    if r.random() < 0.3:
        known = [s for s in known if s in FALLING]
    chosen = r.sample(known, r.randint(2, min(7, len(known))))
    signals = {}
    for s in chosen:
        points = r.randint(5, 30)
        negative = s in ("recency", "rate") and r.random() < 0.6
        signals[s] = SIGNALS[s](r) | {"kind": r.choice(KINDS), "max_points": -points if negative else points}
        if unit == "user" and signals[s].get("of") == "distinct_users":
            signals[s]["of"] = "active_days"
    if all(s["max_points"] < 0 for s in signals.values()):
        signals["count"] = SIGNALS["count"](r) | {"kind": "depth", "max_points": 20}
    most = sum(s["max_points"] for s in signals.values() if s["max_points"] > 0)
    enter = max(1, int(most * r.choice([0.15, 0.3, 0.5])))
    q = {"enter": enter, "leave": max(1, int(enter * r.choice([0.4, 0.8, 1])))}
    if r.random() < 0.4:
        q["dwell"] = r.choice(["3 hours", "1 day"])
    if r.random() < 0.4:
        q["cool_down"] = r.choice(["6 hours", "2 days"])
    if r.random() < 0.1:
        q["min_kinds"] = 1
    if r.random() < 0.15:
        q["when"] = r.choice(["users_active > 1", "coalesce(attr.seats, 0) > 2", "worked > 1", "score < 1000 and as_of > milestone.m1"])
    d = {"program": name, "unit": unit, "milestones": MILESTONES,
         "activation": {"steps": r.choice([["m1", "m2"], ["m1", "m2", "m3"]]), "order": r.choice(["in_order", "any_order"]),
                        "within": r.choice(["1 day", "6 days"])},
         "measures": {"worked": {"event": "e1", "measure": "count", "window": "3 days"}}, "signals": signals, "qualify": q}
    if r.random() < 0.15:
        d["segment"] = r.choice(["attr.plan is distinct from 'gone'", "attr.seats between 1 and 7", "worked < 6"])
    if r.random() < 0.3:
        d["motions"] = [{"when": r.choice(["score > 30", "attr.plan = 'team'", "worked > 3"]), "motion": "enterprise", "after": "1 hour", "by": "1 day"},
                        {"otherwise": True, "motion": r.choice(["none", "email"])}]
    return d


def is_timeless(d):
    """Whether only the score decides, so that what is foretold of it holds."""
    text = str(d["signals"])
    return not ("segment" in d or "when" in d["qualify"] or "'value'" in text or "'flag'" in text)


def needs_outside(d):
    """Whether it reads what isn't in the events: what that was in the past, only the one who saw it knows."""
    text = str(d)
    return "attr." in text or "'flag'" in text
