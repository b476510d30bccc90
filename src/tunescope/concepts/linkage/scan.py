"""Scan for the nearest clusters on the CPU: float32 products, tile by tile, and the lowest bounds.

A tile of products is searched while it is in the cache. In the first pass, over all pairs, each
tile serves the lists of its rows and of its columns, so that half of the products are enough.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numba import njit, prange

from tunescope.concepts.linkage.vectors import Vectors

TILE = 1024
"""Rows and columns of one product: 4 MiB."""
CHUNK = 64
"""Bounds compared at once; few chunks hold one that is low enough to be looked at singly."""


class Scanner:
    """Scans on the CPU.

    Parameters
    ----------
    vectors : Vectors
        The clusters in float32.
    """

    share = 0.5
    """Of all ordered pairs, what `all_pairs` computes."""

    def __init__(self, vectors: Vectors):
        self.vectors = vectors

    def all_pairs(self, low: np.ndarray, ids: np.ndarray, begin: int) -> Iterator[tuple[int, int]]:
        """Fill the lists of all clusters, stripe by stripe.

        Parameters
        ----------
        low : numpy.ndarray of float32, shape (m, k)
            Ascending lower bounds of distances; infinite where nothing was found yet.
        ids : numpy.ndarray of int32, shape (m, k)
            The clusters they belong to.
        begin : int
            Where to go on; 0 at first.

        Yields
        ------
        begin : int
            Where to go on from here; m at the end.
        work : int
            Distances computed since the last time.
        """
        v, m = self.vectors, len(low)
        points = torch.from_numpy(v.points)
        for row in range(begin, m, TILE):
            stop = min(row + TILE, m)
            rows = np.arange(row, stop)
            for start in range(row, m, TILE):
                tile = (points[row:stop] @ points[start : start + TILE].T).numpy()
                own = low[row:stop], ids[row:stop]
                search_rows(tile, rows, start, v.squares, v.inverse, *own)
                if start > row:
                    search_columns(tile, row, start, v.squares, v.inverse, low, ids)
            yield stop, (stop - row) * (m - row)

    def search(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Find the k lowest bounds of some clusters among all living ones.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (r,)
            The clusters whose neighbours are sought.
        k : int
            Less than the number of living clusters.

        Returns
        -------
        low : numpy.ndarray of float32, shape (r, k)
            Ascending lower bounds of the distances.
        ids : numpy.ndarray of int32, shape (r, k)
            The clusters they belong to.
        """
        v = self.vectors
        low = np.full((len(rows), k), np.inf, np.float32)
        ids = np.zeros((len(rows), k), np.int32)
        points = torch.from_numpy(v.points)
        for first in range(0, len(rows), TILE):
            part = slice(first, first + TILE)
            block = torch.from_numpy(v.points[rows[part]])
            for start in range(0, len(points), TILE):
                tile = (block @ points[start : start + TILE].T).numpy()
                search_rows(tile, rows[part], start, v.squares, v.inverse, low[part], ids[part])
        return low, ids


@njit(cache=True)
def insert(low, ids, value, j):  # pragma: no cover - compiled
    """Insert into an ascending list, its last entry falls out; equals stay in order."""
    p = len(low) - 1
    while p > 0 and low[p - 1] > value:
        low[p], ids[p] = low[p - 1], ids[p - 1]
        p -= 1
    low[p], ids[p] = value, j


@njit(cache=True, parallel=True)
def search_rows(tile, rows, start, squares, inverse, low, ids):  # pragma: no cover - compiled
    """Bring the lists of `rows` up to date with columns start, start + 1, ... of a product.

    `low` and `ids` have one line for each of `rows`.
    """
    width = tile.shape[1]
    for a in prange(tile.shape[0]):
        i = rows[a]
        square, inv = squares[i], inverse[i]
        products = tile[a]
        for begin in range(0, width, CHUNK):
            end = min(begin + CHUNK, width)
            limit = low[a, -1] * np.float32(0.5)
            hits = 0
            for c in range(begin, end):
                value = square + squares[start + c] - np.float32(2) * products[c]
                hits += value < limit * (inv + inverse[start + c])
            if hits:
                for c in range(begin, end):
                    value = square + squares[start + c] - np.float32(2) * products[c]
                    value *= np.float32(2) / (inv + inverse[start + c])
                    if value < low[a, -1] and start + c != i:
                        insert(low[a], ids[a], value, start + c)


@njit(cache=True, parallel=True)
def search_columns(tile, row, start, squares, inverse, low, ids):  # pragma: no cover - compiled
    """Bring the lists of clusters start, ... up to date with rows row, row + 1, ... of a product.

    `low` and `ids` have one line for each cluster.
    """
    height, width = tile.shape
    limits = np.empty(width, np.float32)
    for chunk in prange((width + CHUNK - 1) // CHUNK):
        begin, end = chunk * CHUNK, min(chunk * CHUNK + CHUNK, width)
        for c in range(begin, end):
            limits[c] = low[start + c, -1] * np.float32(0.5)
        for a in range(height):
            square, inv = squares[row + a], inverse[row + a]
            hits = 0
            for c in range(begin, end):
                value = square + squares[start + c] - np.float32(2) * tile[a, c]
                hits += value < limits[c] * (inv + inverse[start + c])
            if hits:
                for c in range(begin, end):
                    value = square + squares[start + c] - np.float32(2) * tile[a, c]
                    value *= np.float32(2) / (inv + inverse[start + c])
                    if value < low[start + c, -1]:
                        insert(low[start + c], ids[start + c], value, row + a)
                        limits[c] = low[start + c, -1] * np.float32(0.5)
