"""Fit many elastic-net probes over the same words in one go (Durrani et al. 2020, section 3.1).

All problems (a grid of penalties, a task and its control tasks, nested sets of neurons) advance
together: each pass over the words is one wide matrix product, or one for each of several parts.
Problems that would take too much memory together are fitted in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from tunescope.errors import InputError, nearest
from tunescope.probes.features import Features
from tunescope.probes.fista import Part, fista
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
    parts: Sequence[int] | None = None,
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
        `fista` goes on until the tolerance is proven; after 300 passes with Newton steps between
        its own, one problem at a time. `quick` makes a fixed number of proximal Adam
        steps: a few passes, true zeros, and the gap that was reached is reported. `adam` is the
        papers' recipe, for like-for-like runs; it gives no zeros.
    tolerance : float
        Share of the optimum that the objective is proven (by the duality gap) to lie within when a
        problem is done. Without a penalty there is no optimum where classes can be separated: then
        the objective must fall to this share of its value at zero coefficients. Where they cannot
        be, nothing is proven and the gradient decides (`fista.fista` says how).
    max_iterations : int
        Upper bound of the passes of `fista`; a problem that reaches it is returned with
        ``converged=False``.
    recipe : Recipe, optional
        For `quick` and `adam`: passes, batch size, learning rate.
    seed : int
        Of the order of words in `quick` and `adam`.
    warm_start : bool
        Begin `fista` where `quick` ends: fewer iterations where penalties are weak.
    parts : sequence of int, optional
        How many consecutive problems belong together, for instance a task and its control tasks.
        Problems of different parts share the passes of `fista` over the words, but no product: a
        part comes out bit for bit as it would alone, and labels of many and of few classes can
        stand side by side. One part when not given.
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
    runs = _cut(problems, [len(problems)] if parts is None else parts)
    groups = [group for run in runs for group in _groups(features, run)]
    fits: list[Fit] = []
    if solver == "fista":
        for together in _rounds(features, groups):
            made = [_part(features, group, penalty, warm_start, seed) for group in together]
            found = fista(
                features, made, tolerance=tolerance, max_iterations=max_iterations,
                progress=progress,
            )  # fmt: skip
            fits += [fit for part in found for fit in part]
        return fits
    chosen = recipe or (QUICK if solver == "quick" else PAPER)
    for group in groups:
        fits += stochastic(
            features, make_batch(features, group, penalty), group, recipe=chosen,
            tolerance=tolerance, seed=seed, progress=progress,
        )  # fmt: skip
    return fits


def _part(
    features: Features, group: Sequence[Problem], penalty: Form, warm_start: bool, seed: int
) -> Part:
    batch = make_batch(features, group, penalty)
    return Part(batch, group, run(features, batch, QUICK, seed) if warm_start else None)


def _cut(problems: Sequence[Problem], parts: Sequence[int]) -> list[Sequence[Problem]]:
    """Cut the problems into parts of the lengths given."""
    if sum(parts) != len(problems) or min(parts, default=0) < 1:
        raise InputError(f"parts {list(parts)} are not the lengths of {len(problems)} problems")
    ends = [sum(parts[: n + 1]) for n in range(len(parts))]
    return [problems[end - size : end] for end, size in zip(ends, parts, strict=True)]


def _size(features: Features, problems: Sequence[Problem]) -> int:
    """Return the bytes that problems side by side take."""
    width = max(problem.width for problem in problems) * len(problems)
    return features.mean.element_size() * (features.d + 1) * _COPIES * width


def _groups(features: Features, problems: Sequence[Problem]) -> list[list[Problem]]:
    """Cut the problems into groups that fit the memory, in order."""
    width = max(problem.width for problem in problems)
    size = features.mean.element_size() * (features.d + 1) * _COPIES
    most = max(1, STATE // (size * width))
    return [list(problems[start : start + most]) for start in range(0, len(problems), most)]


def _rounds(features: Features, groups: list[list[Problem]]) -> Iterator[list[list[Problem]]]:
    """Yield groups that fit the memory together, in order."""
    together: list[list[Problem]] = []
    taken = 0
    for group in groups:
        size = _size(features, group)
        if together and taken + size > STATE:
            yield together
            together, taken = [], 0
        together.append(group)
        taken += size
    if together:
        yield together
