"""All Euclidean distances between rows, from matrix products, exact also for near-duplicates.

|x - y|^2 = |x|^2 + |y|^2 - 2 x.y costs one matrix product, but cancels when x and y are close:
occurrences of one word in an embedding layer are equal or nearly so. Such pairs are computed again
from their difference.
"""

from __future__ import annotations

import numpy as np

BLOCK_ROWS = 512
"""Rows of the distance matrix made by one product: 40 MB for 10,000 words."""

CANCELLED = 1e-6
"""Squared distances below this share of |x|^2 + |y|^2 are recomputed; those above it keep at
least nine digits in float64."""

PAIRS_AT_ONCE = 32768


def condensed_distances(X: np.ndarray) -> np.ndarray:
    """Return the distances between all pairs of rows.

    Parameters
    ----------
    X : numpy.ndarray, shape (n, d)
        Finite values; computed in float64.

    Returns
    -------
    numpy.ndarray of float64, shape (n * (n - 1) / 2,)
        In the order of `scipy.spatial.distance.pdist`.
    """
    points = X.astype(np.float64)
    points -= points.mean(axis=0)  # distances stay, norms (and so what cancels) get smaller
    squares = np.einsum("ij,ij->i", points, points)
    n = len(points)
    out = np.empty(n * (n - 1) // 2)
    filled = 0
    for start in range(0, n, BLOCK_ROWS):
        block = _squared_block(points, squares, start, min(start + BLOCK_ROWS, n))
        np.sqrt(block, out=block)
        for row, distances in enumerate(block):
            # Column 0 of the block is point `start`: the upper triangle starts after the diagonal.
            right = distances[row + 1 :]
            out[filled : filled + len(right)] = right
            filled += len(right)
    return out


def _squared_block(points: np.ndarray, squares: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Squared distances of rows `start` to `stop` to all rows from `start` on."""
    block = points[start:stop] @ points[start:].T
    block *= -2
    block += squares[start:stop, None]
    block += squares[None, start:]
    limits = CANCELLED * squares
    close = block < limits[start:stop, None] + limits[None, start:]
    close |= block <= 0
    rows, columns = np.nonzero(close)
    for first in range(0, len(rows), PAIRS_AT_ONCE):
        i, j = (index[first : first + PAIRS_AT_ONCE] for index in (rows, columns))
        difference = points[start + i] - points[start + j]
        block[i, j] = np.einsum("ij,ij->i", difference, difference)
    return block
