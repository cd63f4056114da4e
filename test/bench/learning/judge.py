"""The measures. All but the labels that scorers learn from are taken with the true chances, so that only the scorers' own luck is left in
them; intervals are over seeds (Student's t, 95 %)."""
import numpy as np
from scipy import stats

CAPACITY = 0.2  # reps can work on a fifth of the hand-offs


def lift(score, truth, capacity=CAPACITY):
    """How many times as many of the chosen buy as of all; of equals at the edge each counts for its share of the room that is left."""
    room = capacity * len(score)
    order = np.argsort(-score, kind="stable")
    edge = score[order[min(int(np.ceil(room)), len(score)) - 1]]
    above, equal = score > edge, score == edge
    chosen = truth[above].sum() + truth[equal].mean() * (room - above.sum())
    return chosen / room / truth.mean()


def brier(chance, truth):
    """Its expectation: the mean of (chance − truth)² and of what luck adds, truth·(1 − truth). Brier, Monthly Weather Review 78 (1950)."""
    return np.mean((chance - truth) ** 2 + truth * (1 - truth))


def calibration_error(chance, truth, bins=10):
    """Expected calibration error over bins of equal size: Naeini, Cooper, Hauskrecht, AAAI 2015."""
    parts = np.array_split(np.argsort(chance, kind="stable"), bins)
    return sum(len(p) * abs(chance[p].mean() - truth[p].mean()) for p in parts if len(p)) / len(chance)


def interval(values):
    """Mean and half the width of its 95 % interval; None without values."""
    values = np.array([v for v in values if v is not None and np.isfinite(v)])
    if not len(values):
        return None
    if len(values) == 1:
        return values[0], float("nan")
    return values.mean(), stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))


def pairs(a, b):
    """The differences between two scorers on the same seeds."""
    return [x - y for x, y in zip(a, b) if x is not None and y is not None]
