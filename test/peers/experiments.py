"""pql's statistics of experiments against scipy and statsmodels: sample sizes by their power, tests by numerical integration of what they are
defined as, the adjusted difference by the regression that it is equal to. Covers: S2-31, S2-32
"""
import math
import random

import reason

DESIGNS = [(p, e, h, a, b) for p in (0.02, 0.1, 0.4, 0.75) for e in (0.01, 0.05, 0.2) for h in (0.1, 0.3, 0.5) for a, b in ((0.05, 0.8), (0.01, 0.95))]


def run(report, pql, pins):
    try:
        import scipy
        import statsmodels
        from scipy import integrate, stats
        from statsmodels.stats import proportion
        import statsmodels.api as models
    except ImportError:
        report.skipped += 1
        print(f"skipped experiments: scipy {pins['scipy']} and statsmodels {pins['statsmodels']} can't be had{reason.why()}; test/unit has values of theirs", flush=True)
        return
    for module in (scipy, statsmodels):
        report.check(module.__version__ == pins[module.__name__], f"{module.__name__} is {module.__version__}, pinned {pins[module.__name__]}")
    check_sizes(report, pql, proportion)
    check_ratios(report, pql, stats)
    check_limits(report, pql, integrate, stats)
    check_differences(report, pql, integrate, stats, models)


def numbers(pql, query):
    """The rows of a query, as numbers."""
    return [[float(x) for x in line.split("|")] for line in pql._psql(query).splitlines()]


def check_all(report, what, pairs, near):
    """pairs: of what was asked, pql's answer, and another."""
    wrong = [f"{asked}: pql {ours!r}, not {theirs!r}" for asked, ours, theirs in pairs if not abs(ours - theirs) <= near * max(abs(theirs), 1e-9)]
    report.check(not wrong, f"experiments, {what}: {len(pairs)} answers", wrong[:3])


def check_sizes(report, pql, proportion):
    """As many subjects as pql says have the power, and one in a hundred less haven't."""
    asked = ",".join(f"({p}, {e}, {h}, {a}, {b})" for p, e, h, a, b in DESIGNS)
    sizes = numbers(pql, f"SELECT pql.sample_size(p, e, h, a, b, 'one') FROM (VALUES {asked}) AS d(p, e, h, a, b)")
    wrong = []
    for (p, e, h, a, b), (n,) in zip(DESIGNS, sizes, strict=True):
        def power(n):
            # of the upper tail alone, as usual: the other one is that of an effect with the wrong sign
            both = proportion.power_proportions_2indep(e, p, n * (1 - h), ratio=h / (1 - h), alpha=a, value=0, return_results=False)
            return float(both)
        if not power(0.99 * n - 2) < b <= power(n) + 1e-6:
            wrong.append(f"baseline {p}, effect {e}, held out {h}, alpha {a}: {n:.0f} subjects have a power of {power(n)}, not {b}")
    report.check(not wrong, f"experiments, sample sizes: {len(DESIGNS)} answers", wrong[:3])


def check_ratios(report, pql, stats):
    asked = [(k, n, s) for n in (1, 20, 500, 4000) for s in (0.05, 0.2, 0.5) for k in {0, round(n * s), round(n * s * 1.3), n // 2}]
    ours = numbers(pql, "SELECT pql._ratio_p(k, n, s) FROM (VALUES " + ",".join(map(str, asked)) + ") AS a(k, n, s)")
    pairs = []
    for (k, n, s), (p,) in zip(asked, ours, strict=True):
        mixture = (stats.betabinom.pmf(k, n, 100 * s, 100 - 100 * s) + stats.betabinom.pmf(k, n, 2 * s, 2 - 2 * s)) / 2
        theirs = min(1, stats.binom.pmf(k, n, s) / mixture)
        pairs.append(((k, n, s), p, theirs))
    check_all(report, "sample ratios", pairs, 1e-7)


def check_limits(report, pql, integrate, stats):
    asked = [(k, n, s) for n in (1, 12, 300, 2000) for s in (0.01, 0.1, 0.4, 0.9) for k in {0, round(n * s), min(n, round(n * s * 1.2) + 2)} if k <= n]
    ours = numbers(pql, "SELECT pql._above_limit_p(k, n, s) FROM (VALUES " + ",".join(map(str, asked)) + ") AS a(k, n, s)")
    pairs = []
    for (k, n, s), (p,) in zip(asked, ours, strict=True):
        prior = stats.beta(1, max(1, 1 / (3 * s) - 1))
        at_limit, peak = stats.binom.logpmf(k, n, s), max(s, k / n)
        mixture, _ = integrate.quad(lambda x: prior.pdf(x) * math.exp(stats.binom.logpmf(k, n, x) - at_limit), s, 1, limit=500, epsabs=0, epsrel=1e-10,
                                    points=sorted({min(1 - 1e-9, peak), min(1 - 1e-9, peak + 0.3 / math.sqrt(n))} - {s}))
        pairs.append(((k, n, s), p, min(1, prior.sf(s) / mixture)))
    check_all(report, "limits", pairs, 1e-6)


def check_differences(report, pql, integrate, stats, models):
    """The adjusted difference is the coefficient of a regression on the arm and on what was known; the p-value is a mixture of likelihood ratios; and the
    interval is where that crosses alpha."""
    dice = random.Random("differences")
    estimates, p_values, bounds = [], [], []
    for case in range(40):
        n, held_out, effect = dice.choice([120, 300, 900]), dice.choice([0.2, 0.5]), dice.choice([0, 0.3, 1])
        rows = []
        for i in range(n):
            x, treated = dice.gauss(40, 8), i < n * (1 - held_out)
            rows.append((treated, x, 0.05 * x + dice.gauss(0, 1) + effect * treated))
        arms = [arm([r for r in rows if r[0]]), arm([r for r in rows if not r[0]])]
        planned, alpha = dice.choice([100, 1000]), 0.05
        (ours,) = numbers(pql, f"SELECT estimate, low, high, p FROM pql._compare_arms('{arms[0]}', '{arms[1]}', {planned}, {alpha}, 1, false)")
        fit = models.OLS([r[2] for r in rows], [[1, r[0], r[1]] for r in rows]).fit()
        estimates.append((case, ours[0], float(fit.params[1])))
        # the interval's half is the radius in standard errors, which the p-value doesn't need
        twice = -2 * math.log(alpha)
        prior = (twice + math.log1p(twice)) * n / planned
        radius = math.sqrt((1 + 1 / prior) * (math.log1p(prior) + twice))
        error = (ours[2] - ours[1]) / 2 / radius
        prior_error = math.sqrt(prior) * error

        def ratio(d):
            return integrate.quad(lambda e: stats.norm.pdf(e, 0, prior_error) * math.exp((2 * d * e - e * e) / (2 * error * error)),
                                  -12 * prior_error - abs(d), 12 * prior_error + abs(d), points=[d * prior / (1 + prior)], limit=500, epsrel=1e-11)[0]
        if abs(ours[0]) < 20 * error:
            p_values.append((case, ours[3], min(1, 1 / ratio(ours[0]))))
        bounds.append((case, alpha, 1 / ratio(radius * error)))
    check_all(report, "adjusted differences", estimates, 1e-7)
    check_all(report, "p-values of differences", p_values, 1e-6)
    check_all(report, "bounds of intervals", bounds, 1e-6)


def arm(rows):
    """Its sums, as an array of PostgreSQL's."""
    x, y = [r[1] for r in rows], [r[2] for r in rows]
    sums = [len(rows), math.fsum(y), math.fsum(v * v for v in y), math.fsum(x), math.fsum(v * v for v in x), math.fsum(a * b for a, b in zip(x, y, strict=True))]
    return "{" + ",".join(map(repr, map(float, sums))) + "}"
