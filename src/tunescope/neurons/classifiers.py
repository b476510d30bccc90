"""Train classifiers on sets of neurons, many sets and many label columns at once.

Antverg and Belinkov 2022 (arXiv 2110.07483) show that what a ranking is worth depends on the
classifier it is judged by; each kind is therefore one object with `judge`, which trains on every
set of neurons and says which words come out right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from tunescope.activations.matrix import BLOCK_VALUES, WordMatrix
from tunescope.neurons.selectivity import Outcome
from tunescope.neurons.words import LabelledWords, Part
from tunescope.probes.features import Features
from tunescope.probes.penalties import Form
from tunescope.probes.problem import Problem
from tunescope.probes.solver import Solver, fit_many

Tasks = Literal["both", "task", "controls"]

IN_MEMORY = 1 << 27
"""Training values read into memory for one group of sets (512 MiB); more are read in blocks."""

WASTE = 8
"""Sets that hold each other are fitted together up to this ratio of their sizes."""


class Classifier(Protocol):
    """A kind of classifier."""

    @property
    def name(self) -> str:
        """How tables call it."""
        ...

    def judge(
        self, words: LabelledWords, sets: Sequence[np.ndarray], *, tasks: Tasks = "both"
    ) -> list[Outcome]:
        """Train on each set of neurons; return what comes out right, in the order of the sets."""
        ...


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Linear classifiers of one set of neurons for T label columns.

    Parameters
    ----------
    columns : numpy.ndarray of int, shape (n,)
        The neurons, in the order of the coefficients.
    coefficients : numpy.ndarray, shape (T, K, n)
        For the activations as given.
    intercepts : numpy.ndarray, shape (T, K)
        Not penalised.
    gap : float
        Largest proven distance from the optimum of the T fits, as a share of the objective.
    converged : bool
        Whether it is within the tolerance for all.
    """

    columns: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray
    gap: float = float("nan")
    converged: bool = False

    def judge(self, words: LabelledWords, *, tasks: Tasks = "both") -> Outcome:
        """Return which words come out right.

        Parameters
        ----------
        words : LabelledWords
            Whose columns `columns` are.
        tasks : {"both", "task", "controls"}
            What the T label columns are: the task and then its controls, or one of these.
        """
        return _judge_linear([self], words, tasks)[0]


@dataclass(frozen=True)
class LinearClassifier:
    """The elastic-net probe (Durrani et al. 2020, section 3.1).

    Parameters
    ----------
    l1, l2 : float
        Penalties for the loss averaged over words; for the summed loss they are n times these.
    penalty : {"squared", "neurox"}
        Form of the elastic net.
    solver : {"quick", "fista", "adam"}
        As for `fit_many`; `quick` is enough to compare accuracies.
    tolerance, max_iterations
        Of `fista`, as for `fit_many`.
    seed : int
        Of the order of words in `quick` and `adam`.
    device : str
        Where it is fitted, in torch's words.
    name : str
        How tables call it.
    """

    l1: float = 1e-4
    l2: float = 1e-4
    penalty: Form = "squared"
    solver: Solver = "quick"
    tolerance: float = 1e-2
    max_iterations: int = 200
    seed: int = 0
    device: str = "cpu"
    name: str = "linear"

    def fit(
        self, words: LabelledWords, sets: Sequence[np.ndarray], *, tasks: Tasks = "both"
    ) -> list[LinearFit]:
        """Fit the label columns on each set of neurons, in the order of the sets."""
        targets = label_columns(words, words.train, tasks)
        fits: dict[int, LinearFit] = {}
        for group in nested_groups(sets):
            chosen = [sets[number] for number in group]
            found = fit_linear(words.train.x, chosen, targets, words.n_classes, self)
            fits.update(zip(group, found, strict=True))
        return [fits[number] for number in range(len(sets))]

    def judge(
        self, words: LabelledWords, sets: Sequence[np.ndarray], *, tasks: Tasks = "both"
    ) -> list[Outcome]:
        """Train on each set of neurons; return what comes out right, in the order of the sets."""
        outcomes: dict[int, Outcome] = {}
        for group in nested_groups(sets):
            fits = self.fit(words, [sets[number] for number in group], tasks=tasks)
            outcomes.update(zip(group, _judge_linear(fits, words, tasks), strict=True))
        return [outcomes[number] for number in range(len(sets))]


@dataclass(frozen=True)
class PlainClassifier:
    """Any object with `fit(x, targets, n_classes)` and `predict(x)`, such as `GaussianClassifier`.

    Parameters
    ----------
    make : callable
        Returns a new one. One with `predict_prefixes(x, sizes)`, which tells what it would predict
        had it been trained on the first s columns alone, is trained once for sets that hold each
        other; others are trained set by set.
    name : str
        How tables call it.
    """

    make: Callable[[], Any]
    name: str = "gaussian"

    def judge(
        self, words: LabelledWords, sets: Sequence[np.ndarray], *, tasks: Tasks = "both"
    ) -> list[Outcome]:
        """Train on each set of neurons; return what comes out right, in the order of the sets."""
        targets = label_columns(words, words.train, tasks)
        together = hasattr(self.make(), "predict_prefixes")
        outcomes: dict[int, Outcome] = {}
        for group in nested_groups(sets) if together else [[n] for n in range(len(sets))]:
            columns = sets[group[0]]
            for number in group[1:]:
                columns = np.concatenate([columns, np.setdiff1d(sets[number], columns)])
            sizes = [len(sets[number]) for number in group]
            fitted = []
            x = np.asarray(words.train.x.columns(columns))
            for target in targets:
                classifier = self.make()
                classifier.fit(x, target, words.n_classes)
                fitted.append(classifier)
            predicted = []
            for part in (words.dev, words.test):
                x = np.asarray(part.x.columns(columns))
                found = [
                    np.empty((len(sizes), 0), np.int64)
                    if not len(x)
                    else classifier.predict_prefixes(x, sizes)
                    if together
                    else classifier.predict(x)[None]
                    for classifier in fitted
                ]
                predicted.append(np.stack(found, axis=1))
            for number, dev, test in zip(group, *predicted, strict=True):
                outcomes[number] = _outcome(words, dev, test, tasks)
        return [outcomes[number] for number in range(len(sets))]


def label_columns(words: LabelledWords, part: Part, tasks: Tasks) -> np.ndarray:
    """Return the targets of a part, shape (T, n): the task's, the controls', or both."""
    chosen = {"task": part.targets[None], "controls": part.controls}
    both = chosen[tasks] if tasks in chosen else np.concatenate([*chosen.values()])
    return both.astype(np.int64, copy=False)  # no control tasks at all may be an array of floats


def nested_groups(sets: Sequence[np.ndarray]) -> list[list[int]]:
    """Group sets that hold each other, so that one pass over the largest serves them all.

    Parameters
    ----------
    sets : sequence of numpy.ndarray of int
        Neurons.

    Returns
    -------
    list of list of int
        Places of the sets, the smallest set of a group first. No set of a group has more than
        `WASTE` times the neurons of the smallest.
    """
    groups: list[list[int]] = []
    for number in sorted(range(len(sets)), key=lambda n: len(sets[n])):
        for group in groups:
            small, large = sets[group[0]], sets[group[-1]]
            fits = len(sets[number]) <= WASTE * len(small)
            if fits and np.isin(large, sets[number]).all():
                group.append(number)
                break
        else:
            groups.append([number])
    return groups


def fit_linear(
    x: WordMatrix,
    sets: Sequence[np.ndarray],
    targets: np.ndarray,
    n_classes: int,
    how: LinearClassifier,
) -> list[LinearFit]:
    """Fit every label column on every set of neurons, all together.

    Parameters
    ----------
    x : WordMatrix, shape (n, d)
        Training words.
    sets : sequence of numpy.ndarray of int
        Neurons, columns of `x`; the last set holds the others.
    targets : numpy.ndarray of int, shape (T, n)
        Label columns; not every class need occur.
    n_classes : int
        K.
    how : LinearClassifier
        Penalties and solver.

    Returns
    -------
    list of LinearFit
        In the order of the sets.
    """
    largest = sets[-1]
    part = x.columns(largest)
    n = len(part)
    # Chosen neurons are scattered over all layers: reading them once is worth some memory.
    values = np.asarray(part) if n * len(largest) <= IN_MEMORY else part
    supports = [np.isin(largest, columns) for columns in sets]
    fits = fit_many(
        Features(values, device=how.device),
        [
            Problem(target, how.l1 * n, how.l2 * n, n_classes, support)
            for support in supports
            for target in list(targets)
        ],
        penalty=how.penalty,
        solver=how.solver,
        tolerance=how.tolerance,
        max_iterations=how.max_iterations,
        seed=how.seed,
    )
    found = []
    for number, support in enumerate(supports):
        own = fits[number * len(targets) : (number + 1) * len(targets)]
        coefficients = np.stack([fit.coefficients[:, support] for fit in own])
        intercepts = np.stack([fit.intercepts for fit in own])
        gap, done = max(fit.gap for fit in own), all(fit.converged for fit in own)
        found.append(LinearFit(largest[support], coefficients, intercepts, gap, done))
    return found


def _judge_linear(fits: list[LinearFit], words: LabelledWords, tasks: Tasks) -> list[Outcome]:
    """Predict with classifiers of nested sets in one pass over the words."""
    largest = fits[-1].columns
    n_columns, n_classes = fits[0].intercepts.shape
    weights = np.zeros((len(fits), n_columns, n_classes, len(largest)), np.float32)
    for number, fit in enumerate(fits):
        weights[number][:, :, np.isin(largest, fit.columns)] = fit.coefficients
    flat = weights.reshape(-1, len(largest)).T
    intercepts = np.concatenate([fit.intercepts.ravel() for fit in fits])
    predicted = []
    for part in (words.dev, words.test):
        out = np.empty((len(fits), n_columns, len(part)), np.int64)
        size = max(64, BLOCK_VALUES // max(flat.shape))
        for rows, block in part.x.columns(largest).blocks(size):
            scores = (block @ flat + intercepts).reshape(len(block), *out.shape[:2], n_classes)
            out[:, :, rows] = np.moveaxis(scores.argmax(axis=-1), 0, -1)
        predicted.append(out)
    return [_outcome(words, dev, test, tasks) for dev, test in zip(*predicted, strict=True)]


def _outcome(words: LabelledWords, dev: np.ndarray, test: np.ndarray, tasks: Tasks) -> Outcome:
    """Compare predictions, each of shape (T, n), with the labels."""
    right = test == label_columns(words, words.test, tasks)
    if tasks == "controls":
        none = np.zeros(0, bool)
        return Outcome(none, none, right)
    return Outcome(dev[0] == words.dev.targets, right[0], right[1:])
