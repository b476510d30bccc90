"""Which penalties make a probe's weights tell about neurons (Durrani et al. 2020).

Every point of a grid is scored by

    S = a (A_top - A_bottom) - b (A_0 - A)

on dev words: A_top and A_bottom are accuracies with only the top and bottom M = 20 % of the neurons
(by the weights of this point's own probe), A is the accuracy at the point and A_0 that without
penalties; a = b = 0.5. The paper keeps the neurons in the trained probe and sets all others to zero
(`masked`); its follow-up (Durrani et al. 2023, arXiv 2206.13288) trains a new probe on them
(`retrained`). All points are fitted together, in groups that bound the solver's memory;
the probes that come out are all kept until they are scored (4 bytes for each of points x labels x
neurons).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.orders import n_of_share
from tunescope.neurons.rankings.lca import lca_order
from tunescope.neurons.words import LabelledWords, Part, sample_sentences
from tunescope.probes.features import Features
from tunescope.probes.problem import Fit, Problem
from tunescope.probes.solver import fit_many

A, B = 0.5, 0.5
"""Weights of the two parts of the score."""


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per point: l1, l2, score, accuracy, top, bottom, unregularised, zeros (share of
        coefficients), objective (mean loss plus penalties), gap (proven; infinite without
        penalties), chosen.
    l1, l2 : float
        The point with the highest score; among equal ones the one with the largest penalties.
    """

    table: pd.DataFrame
    l1: float
    l2: float


def search_lambdas(
    words: LabelledWords,
    grid: Sequence[tuple[float, float]],
    classifier: LinearClassifier,
    *,
    share: float = 0.2,
    how: Literal["masked", "retrained"] = "masked",
    max_words: int | None = None,
    seed: int = 0,
    progress: Callable[[int, float], None] | None = None,
) -> Search:
    """Score every point of a grid of penalties.

    Parameters
    ----------
    words : LabelledWords
        With dev words.
    grid : sequence of (float, float)
        Points (l1, l2), for the mean loss. (0, 0) is fitted too if it is not among them.
    classifier : LinearClassifier
        Form of the penalty, solver and seed; its own penalties are not used.
    share : float
        Share M of the neurons that are top and bottom.
    how : {"masked", "retrained"}
        What A_top and A_bottom are accuracies of.
    max_words : int, optional
        Fit on at most so many training words: whole sentences drawn at random.
    seed : int
        Seed of the draw.
    progress : callable, optional
        Passed to the solver.

    Raises
    ------
    InputError
        If there are no dev words or no points.
    """
    if not len(words.dev):
        raise InputError(
            f"corpus {words.corpus!r}: the search for penalties needs dev words; set dev_share, or "
            "give l1 and l2"
        )
    if not grid:
        raise InputError("the grid of penalties is empty: give l1 and l2, or values for the grid")
    train = sample_sentences(words.train, max_words, seed)
    points = list(dict.fromkeys([(0.0, 0.0), *grid]))
    features, n = Features(train.x, device=classifier.device), len(train)
    problems = [_problem(train, words.n_classes, n, point) for point in points]

    def fit(wanted: list[Problem]) -> list[Fit]:
        return fit_many(
            features, wanted, penalty=classifier.penalty, solver=classifier.solver,
            tolerance=classifier.tolerance, max_iterations=classifier.max_iterations,
            seed=classifier.seed, progress=progress,
        )  # fmt: skip

    fits = fit(problems)
    size = n_of_share(share, words.n_neurons)
    orders = [lca_order(found.coefficients)[0] for found in fits]
    kept = [order[:size] for order in orders] + [order[::-1][:size] for order in orders]
    if how == "masked":
        parts = list(zip(fits * 2, kept, strict=True))
    else:
        pairs = zip(points * 2, kept, strict=True)
        retrained = fit([_problem(train, words.n_classes, n, *pair) for pair in pairs])
        parts = [(found, None) for found in retrained]
    whole_first = [*((found, None) for found in fits), *parts]
    accuracy = dev_accuracies(words.dev, whole_first).reshape(3, len(points))
    table = pd.DataFrame(points, columns=["l1", "l2"])
    whole, top, bottom = accuracy
    table["score"] = A * (top - bottom) - B * (whole[0] - whole)
    table["accuracy"], table["top"], table["bottom"] = whole, top, bottom
    table["unregularised"] = whole[0]
    table["zeros"] = [float((found.coefficients == 0).mean()) for found in fits]
    table["objective"] = [found.objective / n for found in fits]
    table["gap"] = [found.gap for found in fits]
    if (0.0, 0.0) not in grid:
        table = table.iloc[1:].reset_index(drop=True)
    best = table.sort_values(["score", "l1", "l2"], ascending=False).index[0]
    table["chosen"] = table.index == best
    row = table.to_dict("records")[table["chosen"].to_numpy().argmax()]
    return Search(table, row["l1"], row["l2"])


def _problem(
    train: Part,
    n_classes: int,
    n: int,
    point: tuple[float, float],
    columns: np.ndarray | None = None,
) -> Problem:
    """Turn penalties for the mean loss into a problem for the summed one."""
    support = None
    if columns is not None:
        support = np.zeros(train.x.shape[1], bool)
        support[columns] = True
    return Problem(train.targets, point[0] * n, point[1] * n, n_classes, support)


def dev_accuracies(part: Part, probes: Sequence[tuple[Fit, np.ndarray | None]]) -> np.ndarray:
    """Return the share of words that each probe labels correctly, shape (len(probes),).

    Parameters
    ----------
    part : Part
        Words.
    probes : sequence of (Fit, array of int or None)
        Probes, and the neurons that are kept; the others are zero. None keeps all.
    """
    right = np.zeros(len(probes))
    for rows, x in part.x.blocks():
        for number, (fit, columns) in enumerate(probes):
            kept = slice(None) if columns is None else columns
            predicted = x[:, kept] @ fit.coefficients[:, kept].T + fit.intercepts
            right[number] += (predicted.argmax(axis=1) == part.targets[rows]).sum()
    return right / max(len(part), 1)
