"""Simulated companies, whose truth is known: who used the product how, who was handed to sales, who was worked, who bought and why.

A company is a pure function of its name, its seed and its size: build("plain", 7) is the same for ever, on any machine. What is in
this file was written before pql's learner was, and is not changed to suit it.

What happens in each of them:

- People sign up on any day of 480 and use the product for six weeks: events of twelve names, some of them late by up to five
  days, some sent twice or more (a few people's clients do it all the time).
- pql hands a person off when the program says so: activated, some intent, and points enough. FEATURES are what it freezes then: the integer points of each signal over the most
  that it can give, computed here from what had arrived by then as pql computes it (half-lives, curves, largest remainders).
- One hand-off in ten is held out. Of the others reps work seven in ten, and write one e-mail to half of the rest, which does nothing.
- Whether somebody buys within 45 days is drawn from the true chance, once as if worked (bought_if_worked) and once as if left alone.
  They buy days or weeks later: at any moment the newest hand-offs have no answer yet. Reps close what doesn't buy when they are tired of
  it, long before that.
- On day 240 the truth changes: what `limits` was worth, `reports` is worth from then on, and the other way round.
- On day 450 a tenth of the people ask to be erased, above all buyers who had asked for single sign-on.

In "plain" the logarithm of the odds is a sum of decayed signals, as pql assumes. "correlated": one hidden intent moves six signals,
and what is bought for is the intent. "interactions": signals matter together or against each other, hardly alone. "forgetful": what was
done fades by a power law or ends after three weeks, and demand has seasons. "selective": reps pick whom they like, and feel what no signal
tells; who isn't worked has no recorded success; contact helps some and not others.
"""
import dataclasses
import hashlib

import numpy as np

DAY = 86_400
START = 1_735_689_600  # 2025-01-01, in seconds of the epoch
DAYS, LIFE, HORIZON = 480, 42, 45
DRIFT, ERASURE = 240, 450
SUBJECTS = 6000
NAMES = ("plain", "correlated", "interactions", "forgetful", "selective")

# Signals: name, kind, event, half-life in days (None: a milestone), curve, most points. What a person would guess: docs gets points and
# means nothing, limits gets few and means much.
SIGNALS = (
    ("activated", "activation", "activated", None, None, 10),
    ("business", "fit", "business_email", None, None, 15),
    ("api_calls", "depth", "api_call", 7, ("saturates_at", 20), 15),
    ("reports", "depth", "report_viewed", 7, ("half_saturation", 3), 10),
    ("docs", "depth", "docs_read", 7, ("saturates_at", 6), 12),
    ("projects", "depth", "project_created", 14, ("saturates_at", 5), 8),
    ("teammates", "breadth", "invite_sent", 14, ("saturates_at", 4), 15),
    ("pricing", "intent", "pricing_viewed", 3, ("saturates_at", 2), 15),
    ("plans", "intent", "plan_compared", 3, ("saturates_at", 2), 8),
    ("limits", "intent", "limit_reached", 5, ("saturates_at", 2), 10),
    ("sso", "intent", "sso_requested", 14, ("saturates_at", 1), 12),
    ("errors", "risk", "error", 2, ("saturates_at", 8), -10),
)
SIGNAL_NAMES = tuple(s[0] for s in SIGNALS)
EVENT_NAMES = tuple(s[2] for s in SIGNALS)
MAX_POINTS = np.array([s[5] for s in SIGNALS])
ENTER, LEAVE = 30, 15
_RATES = np.array([0, 0, 25, 6, 6, 4, 2.5, 2, 1, 1.2, 0.5, 6])  # events in a life of six weeks
_AT = {name: i for i, name in enumerate(SIGNAL_NAMES)}
_INTENT_SIGNALS = [i for i, s in enumerate(SIGNALS) if s[1] == "intent"]
_WEIGHTS = {"activated": 0.6, "api_calls": 0.8, "projects": 0.5, "teammates": 1.2, "pricing": 1.6, "plans": 0.8, "limits": 2.6, "sso": 1.8,
            "errors": -1.6, "reports": 0.1, "business": 0.4}


def document(program, holdout=0.1):
    """The company's program, for pql.publish."""
    signals = {}
    for name, kind, event, half_life, curve, most in SIGNALS:
        s = {"kind": kind, "max_points": most}
        if half_life is None:
            s["milestone"] = name
        else:
            s |= {"event": event, "half_life": f"{half_life} days", curve[0]: curve[1]}
        signals[name] = s
    return {"program": program, "unit": "user",
            "milestones": {name: {"event": event} for name, _, event, half_life, _, _ in SIGNALS if half_life is None},
            "signals": signals, "holdout": holdout, "outcome": {"converted": ["paid"], "horizon": f"{HORIZON} days"},
            "qualify": {"enter": ENTER, "leave": LEAVE, "cool_down": "3650 days", "required_kinds": ["intent"],
                        "when": "milestone.activated is not null"},
            "motions": [{"otherwise": True, "motion": "inside_sales", "after": "0", "by": "3 days"}],
            "limits": {"min_days_between_versions": 0}}


@dataclasses.dataclass
class Events:
    """Rows as they arrive, in that order; a repetition has the id of its first."""
    id: np.ndarray
    subject: np.ndarray
    name: np.ndarray       # place in EVENT_NAMES
    occurred: np.ndarray   # seconds of the epoch
    arrived: np.ndarray
    repeated: np.ndarray   # has arrived before
    intent: np.ndarray     # of each person; hidden


@dataclasses.dataclass
class Handoffs:
    """One row a hand-off, in the order of time. What nobody in that company knows is under `truth`."""
    subject: np.ndarray
    at: np.ndarray         # qualified_at, seconds of the epoch
    arrived: np.ndarray    # when the row came that caused it
    score: np.ndarray
    points: np.ndarray     # hand-offs × signals
    holdout: np.ndarray
    worked: np.ndarray
    one_email: np.ndarray  # not worked, but written to once
    touched_at: np.ndarray # of those worked or written to; else 0
    converted_at: np.ndarray  # of those whose success is recorded within the horizon; else 0
    closed_at: np.ndarray  # when a CRM calls it won or lost
    erased: np.ndarray
    chance_if_worked: np.ndarray
    chance_if_not: np.ndarray
    bought_if_worked: np.ndarray

    @property
    def features(self):
        return self.points / MAX_POINTS

    @property
    def day(self):
        return (self.at - START) / DAY

    @property
    def truth(self):
        return self.chance_if_worked

    def part(self, which):
        return Handoffs(**{f.name: getattr(self, f.name)[which] for f in dataclasses.fields(self)})

    def __len__(self):
        return len(self.at)


@dataclasses.dataclass
class Company:
    name: str
    seed: int
    events: Events
    handoffs: Handoffs


def build(name, seed, subjects=SUBJECTS):
    if name not in NAMES:
        raise ValueError(f"no company {name}; there are: {', '.join(NAMES)}")
    rng = np.random.default_rng([int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big"), seed])
    events = _events(name, subjects, rng)
    frozen = freeze(events)
    return Company(name, seed, events, _outcomes(name, events, frozen, rng))


# --- what people do ---------------------------------------------------------------------------------------------------------

def _events(name, subjects, rng):
    signed_up = rng.integers(-LIFE * DAY, DAYS * DAY, subjects)
    intent = rng.normal(size=subjects)
    load = np.zeros(len(SIGNALS))  # how much the hidden intent moves each kind of event
    if name == "correlated":
        load[[_AT[s] for s in ("pricing", "plans", "limits", "sso", "teammates", "docs")]] = 1.3
    own = rng.normal(size=(subjects, len(SIGNALS))) * np.where(load > 0, 0.25, 0.8)
    spread = own + load * intent[:, None]
    counts = rng.poisson(_RATES * np.exp(spread - spread.var(axis=0) / 2))
    counts[:, _AT["activated"]] = rng.random(subjects) < 0.8
    counts[:, _AT["business"]] = rng.random(subjects) < 0.4
    subject = np.repeat(np.arange(subjects), counts.sum(axis=1))
    kind = np.concatenate([np.repeat(np.arange(len(SIGNALS)), c) for c in counts])
    since = (rng.beta(1.3, 1.1, len(subject)) * LIFE * DAY).astype(np.int64)
    since[kind == _AT["activated"]] = (rng.beta(3, 2, (kind == _AT["activated"]).sum()) * LIFE * DAY).astype(np.int64)
    since[kind == _AT["business"]] = 0
    occurred = START + signed_up[subject] + since
    late = rng.random(len(subject)) < 0.08
    arrived = occurred + np.where(late, np.minimum(rng.exponential(DAY, len(subject)), 5 * DAY).astype(np.int64), 0)
    ids = np.arange(len(subject))
    # Repetitions: few for most, very many for a few.
    repeats = rng.poisson(np.where(rng.random(subjects) < 0.08, 1.5, 0.03)[subject])
    again = np.repeat(ids, repeats)
    wait = rng.exponential(3600, len(again)).astype(np.int64) + 1
    everything = np.concatenate([ids, again])
    arrived = np.concatenate([arrived, arrived[again] + wait])
    order = np.lexsort((everything, arrived))
    everything, repeated = everything[order], (np.arange(len(everything)) >= len(ids))[order]
    return Events(everything, subject[everything], kind[everything], occurred[everything], arrived[order], repeated, intent)


# --- what pql makes of it ---------------------------------------------------------------------------------------------------

def _curve(signal, value):
    _, _, _, half_life, curve, most = signal
    if half_life is None:
        return np.where(value > 0, float(most), 0.0)
    if curve[0] == "half_saturation":
        return most * (1 - np.exp2(-value / curve[1]))
    return most * np.minimum(value / curve[1], 1)


def integer_points(raw):
    """Largest remainders, ties to the first: the points of a row sum to the rounded sum of the raw ones."""
    floors = np.floor(raw)
    missing = np.floor(raw.sum(axis=1) + 0.5) - floors.sum(axis=1)
    order = np.argsort(-(raw - floors), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(raw.shape[1])[None, :].repeat(len(raw), axis=0), axis=1)
    return (floors + (rank < missing[:, None])).astype(int)


def raw_points(subject, name, occurred, clock, first):
    """What each signal is worth to the person of each row, at the row's clock, by the rows up to it. Rows are sorted by person, then arrival;
    `first` is the place of each row's person's first row."""
    raw = np.empty((len(subject), len(SIGNALS)))
    base = occurred[first]  # of each person, so that no power of two overflows
    for k, signal in enumerate(SIGNALS):
        mine = name == k
        if signal[3] is None:
            weight, fade = mine.astype(float), 1.0
        else:
            weight = np.where(mine, np.exp2((occurred - base) / (signal[3] * DAY)), 0)
            fade = np.exp2((base - clock) / (signal[3] * DAY))
        # Within each person, since a sum that runs over all of them would lose digits.
        total = _running(weight, first)
        raw[:, k] = _curve(signal, total * fade)
    return raw


def _running(values, first):
    """Running sums that begin anew at each person's first row."""
    place = np.arange(len(values)) - first
    table = np.zeros((len(np.unique(first)), place.max() + 1))
    person = np.cumsum(place == 0) - 1
    table[person, place] = values
    return np.cumsum(table, axis=1)[person, place]


def freeze(events):
    """What pql freezes at each person's first hand-off: subject, at, arrived, points, score. It forgets repetitions; its clock is the
    newest event that has arrived, as with attach(…, clock => 'event')."""
    clock = np.maximum.accumulate(events.occurred)
    new = ~events.repeated
    order = np.lexsort((np.arange(new.sum()), events.subject[new]))
    subject, name, occurred, arrived, clock = (x[new][order] for x in (events.subject, events.name, events.occurred, events.arrived, clock))
    starts = np.flatnonzero(np.r_[True, subject[1:] != subject[:-1]])
    first = np.repeat(starts, np.diff(np.r_[starts, len(subject)]))
    points = integer_points(raw_points(subject, name, occurred, clock, first))
    score = points.sum(axis=1)
    in_ = (score >= ENTER) & (points[:, _INTENT_SIGNALS].sum(axis=1) > 0) & (points[:, _AT["activated"]] > 0)
    rows = np.flatnonzero(in_)
    _, one = np.unique(subject[rows], return_index=True)
    rows = rows[one]
    rows = rows[(clock[rows] >= START) & (clock[rows] < START + DAYS * DAY)]
    rows = rows[np.argsort(clock[rows], kind="stable")]
    return {"subject": subject[rows], "at": clock[rows], "arrived": arrived[rows], "points": points[rows], "score": score[rows]}


# --- what comes of it -------------------------------------------------------------------------------------------------------

def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _true_signals(events, subject, at, worth):
    """Sums over what each person really did before the hand-off, arrived or not, each time once: worth(signal, age in days)."""
    where = np.full(events.subject.max() + 1, -1)
    where[subject] = np.arange(len(subject))
    row = where[events.subject]
    mine = (row >= 0) & ~events.repeated
    row, name, age = row[mine], events.name[mine], (at[row[mine]] - events.occurred[mine]) / DAY
    row, name, age = (x[age >= 0] for x in (row, name, age))
    total = np.zeros((len(subject), len(SIGNALS)))
    for k, signal in enumerate(SIGNALS):
        which = name == k
        total[:, k] = np.bincount(row[which], worth(signal, age[which]), len(subject))
    return np.stack([_curve(s, total[:, k]) for k, s in enumerate(SIGNALS)], axis=1) / MAX_POINTS


def _exponential(signal, age):
    return np.ones_like(age) if signal[3] is None else np.exp2(-age / signal[3])


def _forgetful(signal, age):
    if signal[3] is None:
        return np.ones_like(age)
    if signal[1] == "intent":
        return 1.2 * (1 + age) ** -0.8
    return np.where(age < 21, 0.6, 0.0)


def _interactions(x):
    has = {s: x[:, i] > 0.4 for s, i in _AT.items()}
    both = lambda a, b: (has[a] & has[b]).astype(float)  # noqa: E731
    either = lambda a, b: (has[a] ^ has[b]).astype(float)  # noqa: E731
    return (2.2 * both("pricing", "teammates") + 1.8 * both("sso", "business") + 1.5 * both("limits", "api_calls")
            - 1.8 * both("errors", "api_calls") + 1.2 * either("projects", "docs") + 1.2 * x[:, _AT["limits"]] + 0.3 * x[:, _AT["activated"]])


def _interest(name, events, f, day):
    """The logarithm of the odds, but for its constant and contact."""
    signals = _true_signals(events, f["subject"], f["at"], _forgetful if name == "forgetful" else _exponential)
    a, b = _AT["limits"], _AT["reports"]
    signals[day >= DRIFT] = signals[day >= DRIFT][:, [b if k == a else a if k == b else k for k in range(len(SIGNALS))]]
    if name == "interactions":
        return _interactions(signals)
    weights = np.array([_WEIGHTS.get(s, 0) for s in SIGNAL_NAMES])
    if name == "correlated":
        weights = weights * np.where(np.isin(SIGNAL_NAMES, ["pricing", "plans", "sso", "teammates"]), 0.2, 1)
    sum_ = signals @ weights
    if name == "correlated":
        sum_ = sum_ + 1.1 * events.intent[f["subject"]]
    if name == "forgetful":
        sum_ = sum_ + 0.8 * np.sin(2 * np.pi * day / 120)
    return sum_


def _constant(log_odds, mean):
    """What to add so that the mean chance is this."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _sigmoid(log_odds + middle).mean() < mean else (low, middle)
    return low


def _outcomes(name, events, f, rng):
    n = len(f["at"])
    day = (f["at"] - START) / DAY
    u = f["points"] / MAX_POINTS
    interest = _interest(name, events, f, day)
    contact = np.full(n, 0.8)
    pick = np.full(n, 0.7)
    if name == "selective":
        hunch = rng.normal(size=n)
        interest = interest + 0.4 * hunch
        contact = 0.2 + 2.0 * u[:, _AT["limits"]] + 0.8 * u[:, _AT["sso"]] - 0.6 * u[:, _AT["pricing"]]
        pick = _sigmoid(-0.9 + 2.2 * u[:, _AT["business"]] + 1.2 * u[:, _AT["docs"]] + 0.9 * hunch)
    constant = _constant((interest + contact)[day < DRIFT], 0.16)
    if_worked, if_not = _sigmoid(interest + contact + constant), _sigmoid(interest + constant)
    luck = rng.random(n)
    holdout = rng.random(n) < 0.1
    worked = ~holdout & (rng.random(n) < pick)
    one_email = ~holdout & ~worked & (rng.random(n) < 0.5)
    bought = luck < np.where(worked, if_worked, if_not)
    if name == "selective":
        bought &= worked | holdout
    touched = f["at"] + rng.integers(DAY // 4, 3 * DAY, n)
    delay = ((4 + (HORIZON - 5) * rng.beta(1.1, 1.9, n)) * DAY).astype(np.int64)
    tired = (rng.lognormal(np.log(14), 0.6, n) * DAY).astype(np.int64)
    erased = rng.random(n) < np.where(bought & (u[:, _AT["sso"]] > 0.5), 0.5, 0.07)
    return Handoffs(
        subject=f["subject"], at=f["at"], arrived=f["arrived"], score=f["score"], points=f["points"], holdout=holdout, worked=worked,
        one_email=one_email, touched_at=np.where(worked | one_email, touched, 0), converted_at=np.where(bought, f["at"] + delay, 0),
        closed_at=f["at"] + np.where(bought, delay, tired), erased=erased, chance_if_worked=if_worked, chance_if_not=if_not,
        bought_if_worked=luck < if_worked)
