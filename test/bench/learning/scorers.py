"""The rivals. Each learns from what it would have in life on a day, `as_of`, and no more; a Model then says of hand-offs how they rank
(score) and, if it does, with what chance they buy if somebody works on them (chance).

fit(company, as_of, forgotten) → Model. `forgotten` are hand-offs of people who asked to be erased: Odoo's counts can't forget them.
"""
import dataclasses

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from companies import DAY, EVENT_NAMES, HORIZON


class Model:
    """`uplift` is what contact is thought to change in the chance, where the method can tell."""

    def __init__(self, score, chance=None, uplift=None):
        self.score, self.chance, self.uplift = score, chance, uplift


def oracle(company, as_of, forgotten):
    """Knows the truth, hidden intent, hunches, next week's change and all: nobody can do better."""
    return Model(lambda h: h.chance_if_worked, lambda h: h.chance_if_worked,
                 uplift=(company.handoffs.chance_if_worked - company.handoffs.chance_if_not)[mature(company.handoffs, as_of)].mean())


def as_guessed(company, as_of, forgotten):
    """The points that the program's author guessed, for ever."""
    return Model(lambda h: h.score.astype(float))


# --- what knows the frozen features -------------------------------------------------------------------------------------

def mature(h, as_of):
    """Hand-offs whose answer is final: whoever took the early winners of younger ones would see too many of them."""
    return h.at + HORIZON * DAY <= as_of


def without(company, gone):
    """The company as it would be had some hand-offs never been."""
    return dataclasses.replace(company, handoffs=company.handoffs.part(~gone))


def _treated_classifier(make, company, as_of, forgotten):
    """Trained as a careful analyst would: on final answers alone, with "was worked" as a column; asked as if worked."""
    h = company.handoffs
    rows = mature(h, as_of) & ~forgotten
    learnt = make().fit(np.c_[h.features, h.worked][rows], (h.converted_at > 0)[rows])

    def chance(h, worked=1.0):
        return learnt.predict_proba(np.c_[h.features, np.full(len(h), worked)])[:, 1]

    known = h.part(rows)
    return Model(chance, chance, uplift=(chance(known) - chance(known, 0.0)).mean())


def logistic(company, as_of, forgotten):
    return _treated_classifier(lambda: LogisticRegression(max_iter=1000), company, as_of, forgotten)


def boosting(company, as_of, forgotten):
    return _treated_classifier(lambda: GradientBoostingClassifier(n_estimators=100, learning_rate=0.05, max_depth=3, subsample=0.7,
                                                                  min_samples_leaf=20, random_state=0), company, as_of, forgotten)


# --- Odoo ---------------------------------------------------------------------------------------------------------------

def counts_at(company, at):
    """How many rows of each event there are of each hand-off's person when `at` comes, as whoever counts rows sees them: repetitions too."""
    rows, name, _, arrived = _rows(company)
    table = np.zeros((len(company.handoffs), len(EVENT_NAMES)), int)
    there = arrived <= at[rows]
    np.add.at(table, (rows[there], name[there]), 1)
    return table


def _rows(company):
    """The events of people who were handed off: which hand-off, name, occurred, arrived."""
    e, h = company.events, company.handoffs
    place = np.full(len(e.intent), -1)
    place[h.subject] = np.arange(len(h))
    rows = place[e.subject]
    mine = rows >= 0
    return rows[mine], e.name[mine], e.occurred[mine], e.arrived[mine]


def _levels(counts):
    """None, a few, or many, as tags say it; what is many is known of all who were ever counted."""
    many = np.array([max(2, np.median(c[c > 0])) if (c > 0).any() else 2 for c in counts.T])
    return (counts > 0).astype(int) + (counts > many)


def odoo(company, as_of, forgotten):
    """Predictive lead scoring of Odoo's CRM: won and lost counts of each value, 0.1 more in each new cell, multiplied as if values knew
    nothing of each other. Counts are of closed leads, with their values at closing; what is scored has those at the hand-off. Nothing
    fades, and what was counted stays counted."""
    h = company.handoffs
    closed = h.closed_at <= as_of
    won = closed & (h.converted_at > 0)
    lost = closed & ~won
    at_closing = _levels(counts_at(company, h.closed_at))
    then = _levels(counts_at(company, h.arrived))
    levels = 3
    w = np.array([[0.1 * (closed & (v == k)).any() + (won & (v == k)).sum() for k in range(levels)] for v in at_closing.T])
    l = np.array([[0.1 * (closed & (v == k)).any() + (lost & (v == k)).sum() for k in range(levels)] for v in at_closing.T])  # noqa: E741
    W, L = max(won.sum(), 0.1), max(lost.sum(), 0.1)
    where = {s: i for i, s in enumerate(h.subject)}

    def chance(part):
        values = then[[where[s] for s in part.subject]]
        fields = np.arange(values.shape[1])
        seen = (w[fields, values] > 0) & (l[fields, values] > 0)  # what was never seen says nothing
        ratio = np.where(seen, np.log(np.where(seen, w[fields, values], 1) / w.sum(axis=1)[fields])
                         - np.log(np.where(seen, l[fields, values], 1) / l.sum(axis=1)[fields]), 0).sum(axis=1)
        odds = np.exp(np.clip(np.log(W / L) + ratio, -50, 50))
        return np.clip(np.round(odds / (1 + odds), 4), 0.0001, 0.9999)

    return Model(chance, chance)


# --- MadKudu ------------------------------------------------------------------------------------------------------------

def madkudu(company, as_of, forgotten):
    """Likelihood to buy, as MadKudu's help pages describe it: at dates in the past, who of the people active in the 90 days before bought
    within 30 days; each event's lift by itself; its weight fades in a straight line over 90 days; events that nearly everybody does become
    "at least N in 30 days". Scores rank; the chance is that of the band (10, 20, 30 and 40 % of people) in the training set."""
    h = company.handoffs
    rows, name, occurred, arrived = _rows(company)
    data = (rows, name, occurred, arrived)
    dates = [as_of - days * DAY for days in (30, 60, 90, 120) if ((h.at < as_of - days * DAY) & ~forgotten).sum() > 50]
    if not dates:
        return Model(lambda part: np.zeros(len(part)))
    done, bought, seen = [], [], []
    for x in dates:
        counts = _counts_before(data, np.full(len(h), x), 90, len(h))
        there = (h.at <= x) & ~forgotten & (counts.sum(axis=1) > 0) & ~((h.converted_at > 0) & (h.converted_at <= x))
        done.append(counts[there])
        bought.append(((h.converted_at > x) & (h.converted_at <= x + 30 * DAY))[there])
        seen.append((x, np.flatnonzero(there)))
    done, bought = np.concatenate(done), np.concatenate(bought)
    often = np.array([np.median(c[c > 0]) > 3 if (c > 0).any() else False for c in done.T])
    least = np.array([np.percentile(c[c > 0], 75) if o else 1 for c, o in zip(done.T, often)])
    weights = np.array([_importance(done[:, k] >= least[k], bought) for k in range(done.shape[1])])

    def score(subset, at):
        return _points_at(data, at, subset, weights, often, least, len(h))

    training = np.concatenate([score(there, np.full(len(h), x)) for x, there in seen])
    cuts = np.quantile(training, [0.4, 0.7, 0.9])
    shares = [bought[np.searchsorted(cuts, training, side="right") == b].mean() if (np.searchsorted(cuts, training, side="right") == b).any()
              else bought.mean() for b in range(4)]
    where = {s: i for i, s in enumerate(h.subject)}

    def rank(part):
        return score(np.array([where[s] for s in part.subject]), h.at)

    return Model(rank, lambda part: np.array(shares)[np.searchsorted(cuts, rank(part), side="right")])


def _counts_before(data, at, days, n):
    rows, name, occurred, arrived = data
    table = np.zeros((n, len(EVENT_NAMES)), int)
    there = (arrived <= at[rows]) & (occurred > at[rows] - days * DAY)
    np.add.at(table, (rows[there], name[there]), 1)
    return table


def _importance(did, bought):
    """Points on the day: ten for each doubling of the share that buys; half of it on thin support, 1 on none."""
    if did.sum() < 10 or (~did).sum() < 10:
        return 1.0
    lift = (bought[did].mean() + 1e-3) / (bought[~did].mean() + 1e-3)
    return round(10 * np.log2(lift)) * (1 if did.sum() > 100 else 0.5)


def _points_at(data, at, subset, weights, often, least, n):
    rows, name, occurred, arrived = data
    age = (at[rows] - occurred) / DAY
    there = (arrived <= at[rows]) & (age >= 0)
    fresh = np.where(there, np.maximum(0, 1 - age / 90), 0)
    total = np.bincount(rows, fresh * np.where(often[name], 0, weights[name]), n)
    recent = _counts_before(data, at, 30, n)
    newest = np.zeros((n, len(EVENT_NAMES)))
    np.maximum.at(newest, (rows, name), fresh)
    total += ((recent >= least) & often) * newest @ weights
    return total[subset]


RIVALS = {"oracle": oracle, "as guessed": as_guessed, "Odoo-like": odoo, "MadKudu-like": madkudu, "logistic": logistic, "boosting": boosting}
