"""Mean vectors of concepts, in blocks: the vectors may be memory-mapped and larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_array

BLOCK_VALUES = 1 << 21
"""Values of one block: 16 MiB in float64."""


def blocks(n: int, d: int) -> Iterator[slice]:
    """Cut `n` rows of `d` values into blocks, in order."""
    size = max(1, BLOCK_VALUES // max(d, 1))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def centroids(X: Any, labels: np.ndarray, n_concepts: int | None = None) -> np.ndarray:
    """Return the mean vector of every concept.

    Parameters
    ----------
    X : array-like, shape (n_points, d)
        Of any float type; sliced by rows, as an array, a memory map or a `WordMatrix`.
    labels : numpy.ndarray of int, shape (n_points,)
        Concept of each point, from 0.
    n_concepts : int, optional
        Number of concepts; as many as occur when not given.

    Returns
    -------
    numpy.ndarray of float64, shape (n_concepts, d)
        NaN for a concept without points.
    """
    counts = np.bincount(labels, minlength=n_concepts or 0)
    sums = np.zeros((len(counts), X.shape[1]))
    for rows in blocks(*X.shape):
        part = labels[rows]
        ones = np.ones(len(part))
        members = csr_array((ones, (part, np.arange(len(part)))), shape=(len(counts), len(part)))
        sums += members @ np.asarray(X[rows], np.float64)
    return sums / np.where(counts > 0, counts, np.nan)[:, None]
