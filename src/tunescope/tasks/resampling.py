"""Metrics of many draws at once: texts drawn again, or answers of two models swapped.

For classes a text is no more than its target and what was said of it. Drawing texts is drawing how
often each of these few combinations occurs, and so are swaps; every metric follows from a table of
targets by answers. Numbers are drawn row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tunescope.errors import InputError

Values = Sequence[Any] | np.ndarray
CHUNK = 4_000_000
"""Numbers of draws held in memory at once."""


def accuracy(tables: np.ndarray, positive: int | None = None) -> np.ndarray:
    """Return the share of texts answered rightly, of tables (..., targets, answers)."""
    return np.trace(tables, axis1=-2, axis2=-1) / tables.sum((-2, -1))


def f1(tables: np.ndarray, positive: int | None = None) -> np.ndarray:
    """Return the F1 of the class `positive`, or the mean of all that occur as target or answer."""
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    either = tables.sum(-1) + tables.sum(-2)
    of_class = 2 * right / np.maximum(either, 1)
    if positive is not None:
        return of_class[..., positive]
    return of_class.sum(-1) / (either > 0).sum(-1)


def matthews(tables: np.ndarray, positive: int | None = None) -> np.ndarray:
    """Return Matthews' correlation for any number of classes (Gorodkin 2004); 0 where undefined."""
    targets, answers = tables.sum(-1).astype(float), tables.sum(-2).astype(float)
    n = targets.sum(-1)
    right = np.trace(tables, axis1=-2, axis2=-1)
    together = right * n - (targets * answers).sum(-1)
    apart = (n**2 - (targets**2).sum(-1)) * (n**2 - (answers**2).sum(-1))
    return together / np.sqrt(np.where(apart > 0, apart, np.inf))


def pearson(targets: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return the correlation of rows (..., n_texts); 0 where one does not vary."""
    varies = (np.ptp(targets, axis=-1) > 0) & (np.ptp(answers, axis=-1) > 0)
    targets, answers = (rows - rows.mean(-1, keepdims=True) for rows in (targets, answers))
    together = (targets * answers).sum(-1)
    apart = (targets**2).sum(-1) * (answers**2).sum(-1)
    return np.where(varies, together, 0.0) / np.sqrt(np.where(varies, apart, 1.0))


def spearman(targets: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return the correlation of ranks, ties given their mean."""
    from scipy.stats import rankdata

    return pearson(rankdata(targets, axis=-1), rankdata(answers, axis=-1))


class Classes:
    """Targets and answers that are classes.

    Parameters
    ----------
    of : callable (tables, positive) -> array
        The metric.
    targets : sequence of str
        What should be said of each text.
    answers : list of sequences of str
        What each model said.
    positive : str or None
        The class that F1 counts where there are two.
    classes : sequence of str or None
        All there are; those that occur when not given.
    """

    def __init__(
        self,
        of: Callable[..., np.ndarray],
        targets: Values,
        answers: list[Values],
        positive: str | None,
        classes: Sequence[str] | None,
    ):
        named = [[str(value) for value in column] for column in (targets, *answers)]
        found = sorted({name for column in named for name in column} | set(classes or ()))
        numbers = {name: number for number, name in enumerate(found)}
        wanted = positive if positive is not None else found[-1]
        if len(found) > 2:
            self._positive = None
        elif wanted in numbers:
            self._positive = numbers[wanted]
        else:  # it never occurs
            self._positive = numbers[wanted] = len(numbers)
        self._of, self._n_classes = of, len(numbers)
        table = np.array([[numbers[name] for name in column] for column in named])
        self.cells, self.counts = np.unique(table, axis=1, return_counts=True)
        self.n = len(named[0])

    def scores(self) -> list[float]:
        """Return the score of each model."""
        models = range(len(self.cells) - 1)
        return [float(self._score(self.counts[None], model)[0]) for model in models]

    def right(self, model: int) -> np.ndarray:
        """Return which combinations a model answers rightly, with `counts` texts each."""
        return self.cells[1 + model] == self.cells[0]

    def drawn(self, resamples: int, seed: int) -> np.ndarray:
        """Return scores with texts drawn with replacement, shape (n_models, resamples)."""
        rng = np.random.default_rng(seed)
        counts = rng.multinomial(self.n, self.counts / self.n, size=resamples)
        return np.stack([self._score(counts, model) for model in range(len(self.cells) - 1)])

    def swapped(self, resamples: int, seed: int) -> np.ndarray:
        """Return differences of two models whose answers are swapped at random, (resamples,)."""
        rng = np.random.default_rng(seed)
        swaps = rng.binomial(self.counts, 0.5, size=(resamples, len(self.counts)))
        kept = self.counts - swaps
        one, other = (
            self._of(self._tables(kept, own) + self._tables(swaps, 1 - own), self._positive)
            for own in (0, 1)
        )
        return other - one

    def _score(self, counts: np.ndarray, model: int) -> np.ndarray:
        return self._of(self._tables(counts, model), self._positive)

    def _tables(self, counts: np.ndarray, model: int) -> np.ndarray:
        """Add up counts (n_draws, n_combinations) to tables (n_draws, targets, answers)."""
        k = self._n_classes
        tables = np.zeros((len(counts), k * k), counts.dtype)
        place = self.cells[0] * k + self.cells[1 + model]
        for combination, column in enumerate(place):
            tables[:, column] += counts[:, combination]
        return tables.reshape(-1, k, k)


class Numbers:
    """Targets and answers that are numbers.

    Parameters
    ----------
    of : callable (targets, answers) -> array
        The metric, of rows.
    targets : sequence of float
        What should be said of each text.
    answers : list of sequences of float
        What each model said.

    Raises
    ------
    InputError
        If one is not finite.
    """

    def __init__(self, of: Callable[..., np.ndarray], targets: Values, answers: list[Values]):
        table = np.array([np.asarray(values, float) for values in (targets, *answers)])
        if not np.isfinite(table).all():
            raise InputError("a target or a prediction is not a finite number")
        self._of, self._targets, self._answers = of, table[0], table[1:]
        self.n = table.shape[1]

    def scores(self) -> list[float]:
        """Return the score of each model."""
        return [float(self._of(self._targets, said)) for said in self._answers]

    def drawn(self, resamples: int, seed: int) -> np.ndarray:
        """Return scores with texts drawn with replacement, shape (n_models, resamples)."""
        rng = np.random.default_rng(seed)
        parts = []
        for size in self._chunks(resamples):
            rows = rng.integers(self.n, size=(size, self.n))
            targets = self._targets[rows]
            parts.append(np.stack([self._of(targets, said[rows]) for said in self._answers]))
        return np.concatenate(parts, axis=1)

    def swapped(self, resamples: int, seed: int) -> np.ndarray:
        """Return differences of two models whose answers are swapped at random, (resamples,).

        Answers of the two are brought to one scale first, which a correlation does not mind.
        """
        rng = np.random.default_rng(seed)
        one, other = (self._on_one_scale(said) for said in self._answers)
        parts = []
        for size in self._chunks(resamples):
            swap = rng.random((size, self.n)) < 0.5
            targets = np.broadcast_to(self._targets, swap.shape)
            first, second = np.where(swap, other, one), np.where(swap, one, other)
            parts.append(self._of(targets, second) - self._of(targets, first))
        return np.concatenate(parts)

    def _on_one_scale(self, said: np.ndarray) -> np.ndarray:
        from scipy.stats import rankdata

        said = rankdata(said) if self._of is spearman else said - said.mean()
        spread = said.std()
        return said / spread if spread else said

    def _chunks(self, resamples: int) -> Iterator[int]:
        most = max(1, CHUNK // self.n)
        for start in range(0, resamples, most):
            yield min(most, resamples - start)
