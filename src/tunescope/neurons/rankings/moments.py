"""What rankings need to know of each label's words: how many, their mean, variance and range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from tunescope.activations.matrix import WordMatrix

CHUNK_VALUES = 1 << 26
"""Values held at once by methods that need all words of some neurons: 256 MiB in float32."""


@dataclass(frozen=True, eq=False)
class ClassMoments:
    """Moments of every neuron over the words of each label.

    Parameters
    ----------
    counts : numpy.ndarray of int, shape (K,)
        Words of each label.
    means : numpy.ndarray, shape (K, d)
        Zero for a label without words.
    variances : numpy.ndarray, shape (K, d)
        Mean squared distance from the label's mean.
    low, high : numpy.ndarray, shape (d,)
        Range over all words.
    """

    counts: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean over all words, shape (d,)."""
        return self.counts @ self.means / self.counts.sum()

    @property
    def within(self) -> np.ndarray:
        """Variance around the means of the labels, over all words, shape (d,)."""
        return self.counts @ self.variances / self.counts.sum()

    @property
    def variance(self) -> np.ndarray:
        """Variance over all words, shape (d,)."""
        between = self.counts @ np.square(self.means - self.mean) / self.counts.sum()
        return self.within + between

    @property
    def rest(self) -> np.ndarray:
        """Mean over the words of all other labels, shape (K, d); zero where there are none."""
        others = self.counts.sum() - self.counts
        sums = self.counts @ self.means - self.counts[:, None] * self.means
        return sums / np.maximum(others, 1)[:, None]


def class_moments(x: WordMatrix, targets: np.ndarray, n_classes: int) -> ClassMoments:
    """Go over the words once and sum them by label, in float64.

    Parameters
    ----------
    x : WordMatrix, shape (n, d)
        Activations.
    targets : numpy.ndarray of int, shape (n,)
        Label of each word, 0 to n_classes - 1; words with another value are left out.
    n_classes : int
        Number of labels, K.
    """
    x, targets = known(x, targets, n_classes)
    n, d = x.shape
    sums, squares = np.zeros((n_classes, d)), np.zeros((n_classes, d))
    low, high = np.full(d, np.inf), np.full(d, -np.inf)
    shift = np.zeros(d)
    for rows, block in x.blocks():
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
        if rows.start == 0:  # near the mean, so that squares lose nothing to rounding
            shift = block.mean(axis=0, dtype=np.float64)
        membership = one_hot(targets[rows], n_classes)
        centred = block - shift
        sums += membership @ centred
        squares += membership @ np.square(centred, out=centred)
    counts = np.bincount(targets, minlength=n_classes)
    present = np.maximum(counts, 1)[:, None]
    means = sums / present
    variances = np.maximum(squares / present - np.square(means), 0)
    means = np.where(counts[:, None] > 0, means + shift, 0)
    return ClassMoments(counts, means, variances, low, high)


def known(x: WordMatrix, targets: np.ndarray, n_classes: int) -> tuple[WordMatrix, np.ndarray]:
    """Leave out the words whose label is none of the n_classes."""
    inside = (targets >= 0) & (targets < n_classes)
    return (x, targets) if inside.all() else (x.take(np.flatnonzero(inside)), targets[inside])


def one_hot(targets: np.ndarray, n_classes: int) -> sparse.csr_array:
    """Return which word has which label, float64, shape (n_classes, n)."""
    n = len(targets)
    return sparse.csr_array((np.ones(n), (targets, np.arange(n))), shape=(n_classes, n))


def column_chunks(x: WordMatrix) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (slice of the columns, all words' values there), for methods that sort words."""
    n, d = x.shape
    size = max(1, CHUNK_VALUES // max(n, 1))
    for start in range(0, d, size):
        part = slice(start, min(start + size, d))
        yield part, x.columns(part)[:]
