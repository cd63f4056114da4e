"""The learner's steps against scikit-learn's: the same coefficients, the same isotonic lines, the same scores; and on data that
scikit-learn ships, chances next to those of its logistic regression. Called by peers.py; learn_eval does the learner's part."""
import os
import subprocess

import reason

TOOL = os.path.join(os.path.dirname(__file__), "..", "..", "build", "cmake", "learn_eval")


def ask(question):
    """The numbers that learn_eval answers."""
    done = subprocess.run([TOOL], input=question, text=True, capture_output=True, check=True)
    return [float(x) for x in done.stdout.split()]


def lines(*rows):
    return "\n".join(" ".join(f"{x:.17g}" for x in row) for row in rows) + "\n"


def ridge(report, numpy, linear_model):
    for seed, (rows, columns, strength) in enumerate([(60, 3, 1), (400, 12, 0.1), (5000, 50, 5)]):
        rng = numpy.random.default_rng(seed)
        x = rng.random((rows, columns)) * (rng.random((rows, columns)) < 0.6)
        y = rng.random(rows) < 1 / (1 + numpy.exp(1 - x @ rng.normal(size=columns)))
        weight = rng.random(rows) + 0.1
        theirs = linear_model.LogisticRegression(C=1 / strength, tol=1e-12, max_iter=100_000, solver="newton-cholesky").fit(x, y, sample_weight=weight)
        ours = ask(f"ridge {rows} {columns + 1} 0 " + f"{strength} " * columns + "\n" + lines(*numpy.c_[y, weight, numpy.ones(rows), x]))
        off = numpy.abs(numpy.array(ours) - numpy.r_[theirs.intercept_, theirs.coef_[0]]).max()
        report.check(off < 1e-6, f"learning: ridge, {rows:,} × {columns}: coefficients as scikit-learn's, {off:.0e} off")


def isotonic(report, numpy, regression):
    for seed in range(20):
        rng = numpy.random.default_rng(seed)
        rows = int(rng.integers(1, 300))
        at, value, weight = rng.integers(0, 40, rows) / 8, rng.normal(size=rows), rng.random(rows) + 0.01
        theirs = regression.IsotonicRegression().fit(at, value, sample_weight=weight).predict(at)
        ours = ask(f"isotonic {rows}\n" + lines(*numpy.c_[at, value, weight]))
        if not numpy.allclose(ours, theirs, rtol=0, atol=1e-12):
            report.bad(f"learning: isotonic, seed {seed}: {numpy.abs(numpy.array(ours) - theirs).max():.0e} off")
            return
    report.ok("learning: 20 isotonic lines as scikit-learn's")


def scores(report, numpy, metrics):
    for seed in range(20):
        rng = numpy.random.default_rng(seed)
        chance, y = rng.integers(1, 50, 500) / 50.5, rng.random(500) < 0.3
        theirs = [metrics.brier_score_loss(y, chance), metrics.log_loss(y, chance), metrics.roc_auc_score(y, chance)]
        ours = ask("metrics 500\n" + lines(*numpy.c_[chance, y]))
        if not numpy.allclose(ours, theirs, rtol=0, atol=1e-12):
            report.bad(f"learning: Brier score, log loss, area: {ours}, scikit-learn's are {theirs}")
            return
    report.ok("learning: Brier score, log loss and area under the curve as scikit-learn's")


def shipped_data(report, numpy, sklearn):
    """No package ships data of leads; what a diagnosis says of tissue is as much a matter of many overlapping signals."""
    x, y = sklearn.datasets.load_breast_cancer(return_X_y=True)
    order = numpy.random.default_rng(1).permutation(len(y))
    x, y = x[order], y[order]
    x = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    x = numpy.where(numpy.corrcoef(x.T, y)[-1, :-1] < 0, 1 - x, x)
    trained = len(y) // 2
    theirs = sklearn.linear_model.LogisticRegression(max_iter=10_000).fit(x[:trained], y[:trained]).predict_proba(x[trained:])[:, 1]
    ours = ask(f"learn {x.shape[1]} " + "10 " * x.shape[1] + f"{trained} {len(y) - trained}\n" + lines(*numpy.c_[y, x][:trained]) + lines(*x[trained:]))
    told = [(sklearn.metrics.roc_auc_score(y[trained:], p), sklearn.metrics.brier_score_loss(y[trained:], p)) for p in (ours, theirs)]
    report.check(told[0][0] > told[1][0] - 0.01 and told[0][1] < told[1][1] + 0.005,
                 f"learning: 569 diagnoses: area {told[0][0]:.3f} and Brier score {told[0][1]:.4f}, scikit-learn's {told[1][0]:.3f} and {told[1][1]:.4f}")


def run(report):
    """Compares, or says why not."""
    try:
        import numpy
        import sklearn.datasets
        import sklearn.isotonic
        import sklearn.linear_model
        import sklearn.metrics
    except ImportError:
        print(f"skipped learning: scikit-learn can't be had{reason.why()}", flush=True)
        report.skipped += 1
        return
    if not os.access(TOOL, os.X_OK):
        print("skipped learning: learn_eval can't be built", flush=True)
        report.skipped += 1
        return
    ridge(report, numpy, sklearn.linear_model)
    isotonic(report, numpy, sklearn.isotonic)
    scores(report, numpy, sklearn.metrics)
    shipped_data(report, numpy, sklearn)
