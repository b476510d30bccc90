"""From merges in the order they were found to SciPy's linkage matrix."""

from __future__ import annotations

import numpy as np

from tunescope.compiled import njit


def linkage_matrix(pairs: np.ndarray, distances: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Return the linkage matrix.

    Rows are sorted by height; of equal heights smaller clusters come first, then those whose first
    point comes first. Thus the matrix depends on the tree alone, not on the order of discovery.

    Parameters
    ----------
    pairs : numpy.ndarray of int64, shape (n - 1, 2)
        The first points of the two clusters merged, the lower one first.
    distances : numpy.ndarray of float64, shape (n - 1,)
        Ward distances: squared heights.
    scale : float
        Heights are multiplied by it.

    Returns
    -------
    numpy.ndarray of float64, shape (n - 1, 4)
        The two nodes merged (points are 0 to n - 1, row i makes node n + i), lower one first; the
        height; the number of points below.
    """
    heights, sizes = _monotone(pairs, np.sqrt(distances))
    order = np.lexsort((pairs[:, 0], sizes, heights))
    matrix = np.empty((len(pairs), 4))
    matrix[:, :2] = _nodes(pairs[order])
    matrix[:, 2] = heights[order] * scale
    matrix[:, 3] = sizes[order]
    return matrix


@njit(cache=True)
def _monotone(pairs, heights):  # pragma: no cover - compiled
    """Heights not below those of their parts (which rounding may make them), and sizes."""
    n = len(pairs) + 1
    size, top = np.ones(n, np.int64), np.zeros(n)
    heights, sizes = heights.copy(), np.empty(n - 1, np.int64)
    for row in range(n - 1):
        i, j = pairs[row]
        heights[row] = top[i] = max(heights[row], top[i], top[j])
        sizes[row] = size[i] = size[i] + size[j]
    return heights, sizes


@njit(cache=True)
def _nodes(pairs):  # pragma: no cover - compiled
    """Return the nodes merged, numbered in the order of the rows."""
    n = len(pairs) + 1
    node, nodes = np.arange(n), np.empty((n - 1, 2), np.int64)
    for row in range(n - 1):
        i, j = pairs[row]
        nodes[row, 0], nodes[row, 1] = min(node[i], node[j]), max(node[i], node[j])
        node[i] = n + row
    return nodes
