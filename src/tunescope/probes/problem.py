"""One probe to fit, and many of them side by side; what comes out of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.probes.features import Features
from tunescope.probes.objective import Batch, class_moments, evaluate, gap
from tunescope.probes.penalties import PENALTIES, Form

_ABSENT = -1e4
"""Intercept of a class without training words: its probability is exactly zero."""


@dataclass(frozen=True, eq=False)
class Problem:
    """One probe to be fitted.

    Parameters
    ----------
    targets : numpy.ndarray of int, shape (n,)
        Class of each word, 0 to n_classes - 1.
    l1, l2 : float
        Weights of the absolute coefficients, and of the squared ones or of their norm, for the loss
        summed over words (times n for the mean loss).
    n_classes : int, optional
        Number of classes K; one that no word has gets zero coefficients and is never predicted.
        When not given, K is what occurs, and every class below must occur.
    support : numpy.ndarray of bool, shape (d,), optional
        Columns the probe may use; coefficients of the others are zero.
    """

    targets: np.ndarray
    l1: float
    l2: float
    n_classes: int | None = None
    support: np.ndarray | None = None

    @property
    def width(self) -> int:
        """Number of classes K."""
        return int(self.targets.max()) + 1 if self.n_classes is None else self.n_classes


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted probe.

    Parameters
    ----------
    coefficients : numpy.ndarray, shape (K, d)
        For the columns as given, with exact zeros.
    intercepts : numpy.ndarray, shape (K,)
        Not penalised.
    objective : float
        Summed loss plus penalties.
    gap : float
        Upper bound on (objective - optimum) / objective; infinite without a penalty.
    iterations : int
        How many were made: passes over the words.
    converged : bool
        Whether `gap` came below the tolerance; without a penalty, whether the objective is at most
        that share of what it is at zero coefficients, or the gradient small beside it.
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    objective: float
    gap: float
    iterations: int
    converged: bool


def make_batch(features: Features, problems: Sequence[Problem], form: Form) -> Batch:
    """Check problems over the same words and put them side by side.

    Raises
    ------
    InputError
        If a label vector has not n entries, lacks a class, or a support has not d entries.
    """
    n_classes = max(problem.width for problem in problems)
    vectors: dict[int, int] = {}
    different, counts, task = [], [], []
    for problem in problems:
        number = vectors.setdefault(id(problem.targets), len(vectors))
        if number == len(different):
            different.append(np.asarray(problem.targets, dtype=np.int64))
            counts.append(_count(features, problem, n_classes))
        task.append(number)
    targets = torch.from_numpy(np.stack(different, axis=1)).to(features.device)
    which = torch.tensor(task, device=features.device)
    per_vector = torch.from_numpy(np.stack(counts)).to(features.device, features.dtype)

    def vector(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=features.device)

    return Batch(
        targets,
        which,
        per_vector[which],
        class_moments(features, targets, n_classes)[:, which],
        vector([problem.l1 for problem in problems]),
        vector([problem.l2 for problem in problems]),
        PENALTIES[form],
        _supports(features, problems),
    )


def _count(features: Features, problem: Problem, n_classes: int) -> np.ndarray:
    """Count the words of each class."""
    if len(problem.targets) != features.n:
        raise InputError(f"{len(problem.targets)} labels for {features.n} words: give one each")
    counts = np.bincount(problem.targets, minlength=problem.width)
    if problem.n_classes is None and (counts == 0).any():
        raise InputError("a class has no words: number the classes that occur, 0, 1, ...")
    if len(counts) > problem.width:
        raise InputError(f"a label is numbered {len(counts) - 1}, but n_classes = {problem.width}")
    return np.pad(counts, (0, n_classes - len(counts)))


def _supports(features: Features, problems: Sequence[Problem]) -> torch.Tensor | None:
    if all(problem.support is None for problem in problems):
        return None
    masks = np.ones((features.d, len(problems)), bool)
    for number, problem in enumerate(problems):
        if problem.support is not None:
            if problem.support.shape != (features.d,):
                raise InputError(f"a support of {problem.support.shape} for {features.d} columns")
            masks[:, number] = problem.support
    return torch.from_numpy(masks).to(features.device, features.dtype).unsqueeze(2)


def first_weights(features: Features, batch: Batch) -> torch.Tensor:
    """Return zero coefficients and intercepts of the labels' frequencies, (d + 1, P, K)."""
    weights = features.mean.new_zeros(features.d + 1, *batch.counts.shape)
    weights[-1] = torch.where(batch.counts > 0, (batch.counts / features.n).log(), _ABSENT)
    return weights


def finished(
    features: Features, weights: torch.Tensor, problem: Problem, place: int,
    facts: tuple[float, float, int, bool],
) -> Fit:  # fmt: skip
    """Take one problem's solution out of all, for the columns as given.

    Parameters
    ----------
    features : Features
        What it was fitted to.
    weights : torch.Tensor, shape (d + 1, P, K)
        Solutions of all problems.
    problem : Problem
        The problem.
    place : int
        Its place among them.
    facts : tuple
        Objective, gap, iterations, converged.
    """
    solution = features.uncentred(weights[:, place, : problem.width])
    return Fit(*solution, *facts)


def certified(
    features: Features, batch: Batch, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return objective and proven relative gap of any weights, each of shape (P,)."""
    [point] = evaluate(features, [(batch, weights)])
    objective = point.loss + batch.penalties(weights)
    return objective, gap(batch, point, weights) / objective.clamp_min(1e-300)
