"""A grid of penalties on all layers' neurons: ours beside NeuroX, and the proven optimum.

NeuroX fits one point at a time: Adam, learning rate 1e-3, batches of 32 in order, 10 epochs, on its
own objective, mean cross-entropy + l1 ||W||_1 + l2 ||W||_2. The loop here does what its training
function does, without its prints; `--neurox` runs the function itself, if the package is there
(`pip install --no-deps neurox`). Ours fits all points of the grid together, on the same objective.

Then `fista` goes on from zero until the gap is proven, and scikit-learn's saga gets iterations on
some points until it reaches the objective that ours reached, or its time is up (scikit-learn has no
unsquared norm: it is compared on the squared form). All share one process and its threads.

    python benchmarks/lambda_grid.py [STORE] [--label upos] [--words 20856] [--converge] [--saga]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

import tunescope as ts
from tunescope.probes.features import Features
from tunescope.probes.penalties import Form
from tunescope.probes.problem import Fit, Problem
from tunescope.probes.solver import Solver, fit_many

VALUES = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
"""For l1 and for l2: 25 points."""


def load(store: Path | None, label: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return activations of all layers side by side, and classes; random ones without a store."""
    if store is None:
        rng = np.random.default_rng(0)
        y = rng.integers(17, size=n)
        x = rng.normal(size=(n, 2688)) + rng.normal(size=(17, 2688))[y] * rng.random(2688)
        return x.astype(np.float32), y
    opened = ts.ActivationStore.load(store)
    rows = np.flatnonzero(opened.valid)[:n]
    tags = opened.corpus.values(label)[rows].astype(str)
    x = np.concatenate([opened[layer][rows] for layer in opened.layers], axis=1)
    return x, np.unique(tags, return_inverse=True)[1]


def objective(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, b: np.ndarray, l1: float, l2: float, form: str
) -> float:
    """Return mean loss plus penalties of any solution, summed in float64."""
    loss = 0.0
    for start in range(0, len(x), 4096):
        part = slice(start, start + 4096)
        scores = (x[part] @ w.T + b).astype(np.float64)
        scores -= scores.max(1, keepdims=True)
        right = scores[np.arange(len(scores)), y[part]]
        loss += float((np.log(np.exp(scores).sum(1)) - right).sum())
    w = w.astype(np.float64)
    squares = np.square(w).sum()
    return (
        loss / len(x) + l1 * np.abs(w).sum() + l2 * (squares if form == "squared" else squares**0.5)
    )


def as_neurox(x: np.ndarray, y: np.ndarray, l1: float, l2: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit one point as NeuroX does."""
    torch.manual_seed(0)
    linear = torch.nn.Linear(x.shape[1], int(y.max()) + 1)
    adam = torch.optim.Adam(linear.parameters(), lr=1e-3)
    criterion = torch.nn.CrossEntropyLoss()
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    for _ in range(10):
        for start in range(0, len(x), 32):
            adam.zero_grad()
            loss = criterion(linear(inputs[start : start + 32]), targets[start : start + 32])
            loss = loss + l1 * linear.weight.abs().sum() + l2 * linear.weight.norm(2)
            loss.backward()
            adam.step()
    return linear.weight.detach().numpy(), linear.bias.detach().numpy()


def neurox_itself(
    x: np.ndarray, y: np.ndarray, l1: float, l2: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit one point with the package."""
    np.int = int  # type: ignore[attr-defined]  # noqa: NPY001 (it needs the old name)
    from neurox.interpretation import linear_probe  # type: ignore[import-not-found]

    torch.manual_seed(0)
    model = linear_probe.train_logistic_regression_probe(x, y, lambda_l1=l1, lambda_l2=l2)
    weight, bias = (p.detach().numpy() for p in model.parameters())
    return weight, bias


def timed(action: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return a result, wall time and process time."""
    wall, process = time.perf_counter(), time.process_time()
    result = action()
    return result, time.perf_counter() - wall, time.process_time() - process


def fit_grid(
    features: Features, y: np.ndarray, points: list[tuple[float, float]], form: Form,
    solver: Solver, **options: Any,
) -> list[Fit]:  # fmt: skip
    """Fit all points together."""
    n = len(y)
    problems = [Problem(y, l1 * n, l2 * n) for l1, l2 in points]
    return fit_many(features, problems, penalty=form, solver=solver, **options)


def grid(x: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> None:
    """Time the whole grid beside NeuroX's points."""
    points = [(l1, l2) for l1 in VALUES for l2 in VALUES]
    peer = neurox_itself if options.neurox else as_neurox
    device = "cuda" if options.cuda else "cpu"
    fits, wall, process = timed(
        lambda: fit_grid(Features(x, device=device), y, points, "neurox", "quick")
    )
    print(f"ours: {len(points)} points in {wall:.1f} s (CPU {process:.1f})")
    compared = points if options.all_points else [(v, v) for v in VALUES]
    walls, worse = [], 0
    for point in compared:
        (w, b), took, _ = timed(lambda point=point: peer(x, y, *point))
        walls.append(took)
        fit = fits[points.index(point)]
        mine = objective(x, y, fit.coefficients, fit.intercepts, *point, "neurox")
        theirs = objective(x, y, w, b, *point, "neurox")
        worse += mine > theirs
        zeros = (fit.coefficients == 0).mean()
        print(
            f"l1 {point[0]:g}, l2 {point[1]:g}: ours {mine:.4f} ({zeros:.0%} zeros), NeuroX "
            f"{theirs:.4f} in {took:.1f} s"
        )
    one = float(np.median(walls))
    print(
        f"the grid takes {wall / one:.2f} x one point of NeuroX (median of {len(walls)}); ours is "
        f"worse at {worse} of {len(compared)} points"
    )


def converge(x: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> None:
    """Prove the optimum of every point of the grid, from strong penalties to weak ones."""
    device = "cuda" if options.cuda else "cpu"
    features = Features(x, device=device)
    for form in options.forms:
        done, walls, processes = 0, 0.0, 0.0
        for strongest in options.strengths:  # points of one strength need about as many iterations
            points = [(a, b) for a in VALUES for b in VALUES if max(a, b) == strongest]
            fits, wall, process = timed(
                lambda form=form, points=points: fit_grid(
                    features,
                    y,
                    points,
                    form,
                    "fista",
                    tolerance=1e-3,
                    max_iterations=options.iterations,
                    progress=lambda i, g: print(f"  {i}: {g:.1e}", file=sys.stderr, end="\r"),
                )  # fmt: skip
            )
            done += sum(fit.converged for fit in fits)
            walls, processes = walls + wall, processes + process
            for point, fit in zip(points, fits, strict=True):
                print(
                    f"  l1 {point[0]:g}, l2 {point[1]:g}: {fit.objective / len(y):.5f}, gap "
                    f"{fit.gap:.1e}, {fit.iterations} iterations",
                    flush=True,
                )
        n = sum(max(a, b) in options.strengths for a in VALUES for b in VALUES)
        print(f"{form}: {done} of {n} points proven in {walls:.0f} s (CPU {processes:.0f})")


def saga(x: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> None:
    """Give scikit-learn's saga iterations until it reaches the objective that ours reached."""
    features, n, centred = Features(x), len(y), x - x.mean(0)
    for value in options.saga_points:
        point = (value, value)
        [fit], wall, _ = timed(
            lambda point=point: fit_grid(
                features,
                y,
                [point],
                "squared",
                "fista",
                tolerance=1e-3,
                max_iterations=options.iterations,
            )  # fmt: skip
        )
        target, passes, spent = fit.objective / n * (1 + 1e-6), 10, 0.0
        while True:
            total = value + 2 * value
            model = LogisticRegression(
                C=1 / (total * n), l1_ratio=value / total, solver="saga", tol=0.0,
                max_iter=passes, random_state=0,
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                _, took, _ = timed(lambda model=model: model.fit(centred, y))
            spent += took
            reached = objective(centred, y, model.coef_, model.intercept_, *point, "squared")
            if reached <= target or spent > options.limit:
                break
            passes = int(passes * 2)
        how = "reached it" if reached <= target else f"was at {reached:.5f}"
        print(
            f"l1 = l2 = {value:g}, squared: ours {fit.objective / n:.5f} (gap {fit.gap:.0e}) in "
            f"{wall:.1f} s; saga {how} in {took:.1f} s ({passes} passes): {took / wall:.1f} x"
        )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", type=Path)
    parser.add_argument("--label", default="upos")
    parser.add_argument("--words", type=int, default=20_856)
    parser.add_argument("--neurox", action="store_true", help="run the package itself")
    parser.add_argument("--all-points", action="store_true", help="NeuroX on all 25 points")
    parser.add_argument("--converge", action="store_true")
    parser.add_argument("--only-converge", action="store_true", help="leave the grid out")
    parser.add_argument(
        "--strengths", type=float, nargs="+", default=VALUES[::-1],
        help="--converge only the points whose larger penalty is one of these",
    )  # fmt: skip
    parser.add_argument("--forms", nargs="+", default=["neurox", "squared"])
    parser.add_argument("--iterations", type=int, default=5000)
    parser.add_argument("--saga", action="store_true")
    parser.add_argument("--saga-points", type=float, nargs="+", default=[1e-2, 1e-3])
    parser.add_argument("--limit", type=float, default=300, help="seconds for saga")
    parser.add_argument("--cuda", action="store_true")
    options = parser.parse_args()
    x, y = load(options.store, options.label, options.words)
    print(f"{len(x):,} words x {x.shape[1]:,} neurons, {y.max() + 1} classes")
    if not options.only_converge:
        grid(x, y, options)
    if options.saga:
        saga(x, y, options)
    if options.converge or options.only_converge:
        converge(x, y, options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak:.1f} GB")


if __name__ == "__main__":
    main()
