"""Fit many elastic-net probes over the same words in one go (Durrani et al. 2020, section 3.1).

All problems (a grid of penalties, a task and its control tasks, nested sets of neurons) advance
together: each pass over the words is one wide matrix product. Problems that would take too much
memory together are fitted in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from tunescope.errors import InputError, nearest
from tunescope.probes.features import Features
from tunescope.probes.fista import fista
from tunescope.probes.penalties import PENALTIES, Form
from tunescope.probes.problem import Fit, Problem, make_batch
from tunescope.probes.stochastic import PAPER, QUICK, Recipe, run, stochastic

Solver = Literal["fista", "quick", "adam"]
SOLVERS: tuple[str, ...] = ("fista", "quick", "adam")

STATE = 2 << 30
"""Bytes that the problems of one group may take. With the blocks kept (`features.CACHE`) and some
dozen blocks of 32 MiB at work, this bounds the memory a fit takes; a single problem of 10,000
neurons and 1,300 classes takes 0.7 GiB of it."""

_COPIES = 14
"""Arrays of the size of the coefficients that a solver holds at its peak."""


def fit_many(
    features: Features,
    problems: Sequence[Problem],
    *,
    penalty: Form = "squared",
    solver: Solver = "fista",
    tolerance: float = 1e-2,
    max_iterations: int = 500,
    recipe: Recipe | None = None,
    seed: int = 0,
    warm_start: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> list[Fit]:
    """Fit all problems; each minimises its own objective over the same words.

    Parameters
    ----------
    features : Features
        The words, n rows.
    problems : sequence of Problem
        Label vectors, penalties and, where wanted, supports. Problems that have the same array as
        `targets` share what is counted on it.
    penalty : {"squared", "neurox"}
        Form of the elastic net (`penalties.py`).
    solver : {"fista", "quick", "adam"}
        `fista` goes on until the tolerance is proven. `quick` makes a fixed number of proximal Adam
        steps: a few passes, true zeros, and the gap that was reached is reported. `adam` is the
        papers' recipe, for like-for-like runs; it gives no zeros.
    tolerance : float
        Share of the optimum that the objective is proven (by the duality gap) to lie within when a
        problem is done. Without a penalty there is no such proof, as the optimum may lie at
        infinity: then the largest entry of the gradient must fall to this share of its first value.
    max_iterations : int
        Upper bound of `fista`; a problem that reaches it is returned with ``converged=False``.
    recipe : Recipe, optional
        For `quick` and `adam`: passes, batch size, learning rate.
    seed : int
        Of the order of words in `quick` and `adam`.
    warm_start : bool
        Begin `fista` where `quick` ends: fewer iterations where penalties are weak.
    progress : callable, optional
        Called at each test of convergence with the iteration and the largest relative gap.

    Returns
    -------
    list of Fit
        In the order of `problems`.

    Raises
    ------
    InputError
        If a label vector has not n entries or lacks a class, or a name is unknown.
    """
    for name, known in ((penalty, PENALTIES), (solver, SOLVERS)):
        if name not in known:
            raise InputError(f"{name!r} is unknown; {nearest(str(name), known)}")
    fits: list[Fit] = []
    for group in _groups(features, problems):
        batch = make_batch(features, group, penalty)
        if solver == "fista":
            start = run(features, batch, QUICK, seed) if warm_start else None
            fits += fista(
                features, batch, group, tolerance=tolerance, max_iterations=max_iterations,
                start=start, progress=progress,
            )  # fmt: skip
        else:
            chosen = recipe or (QUICK if solver == "quick" else PAPER)
            fits += stochastic(
                features, batch, group, recipe=chosen, tolerance=tolerance, seed=seed,
                progress=progress,
            )  # fmt: skip
    return fits


def _groups(features: Features, problems: Sequence[Problem]) -> list[list[Problem]]:
    """Cut the problems into groups that fit the memory, in order."""
    size = features.mean.element_size() * (features.d + 1) * _COPIES
    width = max(problem.width for problem in problems)
    most = max(1, STATE // (size * width))
    return [list(problems[start : start + most]) for start in range(0, len(problems), most)]
