"""Leaders: points that stand for all points within a radius, found in one pass over the data.

Clustering the leaders instead of the points makes Ward linkage affordable for more points (Hawasly
et al., EACL 2024, arXiv 2308.10263, after Hartigan 1975, section 3.2). Points are visited in their
order; one farther than tau from every leader so far becomes a leader. Each point then follows the
nearest leader. (The paper's code lets it follow the first leader that claims it.)

Distances come from float32 products; those that decide are computed again from differences in
float64, so that leaders depend neither on rounding nor on the number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit, prange

from tunescope.concepts.linkage.points import duplicates

ROWS = 1024
"""Rows and columns of one product: 4 MiB."""
UNIT = 2.0**-24
SPARE = 32
"""As in `linkage.vectors`: what float32 may lose is taken off, so that bounds are lower bounds."""
UNDERFLOW = 1e-37
TOLERANCE = 0.05
"""The search for tau is content with this share fewer leaders than asked for."""
PASSES = 40
"""Of the search: halving an interval more often leaves it as it is."""


@dataclass(frozen=True, eq=False)
class Leaders:
    """Which points lead, and whom the others follow.

    Parameters
    ----------
    rows : numpy.ndarray of int64, shape (m,)
        The leaders among the points, ascending.
    tau : float
        The radius.
    followed : numpy.ndarray of int64, shape (n,)
        The number of each point's leader, an index into `rows`; a leader follows itself.
    """

    rows: np.ndarray
    tau: float
    followed: np.ndarray


class Search:
    """Points prepared for finding leaders among them.

    Parameters
    ----------
    points : numpy.ndarray of float64, shape (n, d)
        As `linkage.points.read_points` leaves them: finite, at most 1.
    """

    def __init__(self, points: np.ndarray):
        n, d = points.shape
        self.points = points
        centre = points.mean(axis=0)
        self.vectors = np.empty((n, d), np.float32)
        self.lower = np.empty(n, np.float32)
        """Squared norms less what float32 may lose, shape (n,)."""
        for first in range(0, n, 8192):
            part = points[first : first + 8192] - centre
            squares = np.einsum("ij,ij->i", part, part)
            self.vectors[first : first + 8192] = part
            self.lower[first : first + 8192] = squares * (1 - (d + SPARE) * UNIT) - d * UNDERFLOW

    def leaders_at(self, tau: float, limit: int) -> np.ndarray | None:
        """Find the leaders at a radius; None as soon as there are more than `limit`.

        Parameters
        ----------
        tau : float
            A point within this distance of a leader does not become one.
        limit : int
            The most leaders allowed.

        Returns
        -------
        numpy.ndarray of int64, shape (m,), or None
        """
        n, d = self.vectors.shape
        rows, m = np.empty(limit + ROWS, np.int64), 0
        vectors = np.empty((limit + ROWS, d), np.float32)
        for begin in range(0, n, ROWS):
            free = np.arange(begin, min(begin + ROWS, n))
            for start in range(0, m, ROWS):
                stop = min(start + ROWS, m)
                tile = self.vectors[free] @ vectors[start:stop].T
                free = free[_outside(tile, free, rows[start:stop], self.lower, self.points, tau)]
                if not len(free):
                    break
            if not len(free):
                continue
            tile = self.vectors[free] @ self.vectors[free].T
            new = free[_lead(tile, free, self.lower, self.points, tau)]
            rows[m : m + len(new)], vectors[m : m + len(new)] = new, self.vectors[new]
            m += len(new)
            if m > limit:
                return None
        return rows[:m].copy()

    def follow(self, rows: np.ndarray) -> np.ndarray:
        """Return the nearest leader of every point, the first of those equally near.

        Parameters
        ----------
        rows : numpy.ndarray of int64, shape (m,)
            The leaders.

        Returns
        -------
        numpy.ndarray of int64, shape (n,)
            Indices into `rows`.
        """
        n = len(self.points)
        vectors = self.vectors[rows]
        nearest, distance = np.zeros(n, np.int64), np.full(n, np.inf)
        for begin in range(0, n, ROWS):
            part = slice(begin, begin + ROWS)
            for start in range(0, len(rows), ROWS):
                tile = self.vectors[part] @ vectors[start : start + ROWS].T
                _nearer(tile, begin, start, rows, self.lower, self.points, nearest, distance)
        return nearest


def find_leaders(points: np.ndarray, n_leaders: int) -> Leaders:
    """Find about so many leaders, by bisection on tau.

    The number of leaders falls, by and large, as tau grows. The search ends when there are at most
    `n_leaders` and no more than 5 % fewer, or when no tau in between can be told apart; what it
    returns has never more than `n_leaders`.

    Parameters
    ----------
    points : numpy.ndarray of float64, shape (n, d)
        As `linkage.points.read_points` leaves them.
    n_leaders : int
        The most leaders; if there are no more different points than this, each of them leads and
        tau is 0.

    Returns
    -------
    Leaders
    """
    first = duplicates(points)
    distinct, followed = np.unique(first, return_inverse=True)
    if len(distinct) <= n_leaders:
        return Leaders(distinct, 0.0, followed)
    search = Search(points)
    low, high, rows = 0.0, _first_guess(points), None
    for _ in range(PASSES):
        if rows is not None and len(rows) >= n_leaders * (1 - TOLERANCE):
            break
        tau = (low + high) / 2 if rows is not None else high
        found = search.leaders_at(tau, n_leaders)
        if found is not None:
            high, rows = tau, found
        else:
            low, high = tau, high if rows is not None else 2 * high
    while rows is None:  # the guess was very far below
        high *= 2
        rows = search.leaders_at(high, n_leaders)
    return Leaders(rows, high, search.follow(rows))


def _first_guess(points: np.ndarray, sample: int = 256) -> float:
    """Half the mean distance from the centre: far above the radius of many leaders, or near it."""
    part = points[:: max(1, len(points) // sample)]
    return float(np.linalg.norm(part - part.mean(axis=0), axis=1).mean()) or 1.0


@njit(cache=True)
def _squared(points, i, j):  # pragma: no cover - compiled
    """Squared distance of two points, from their difference."""
    total = 0.0
    for axis in range(points.shape[1]):
        difference = points[i, axis] - points[j, axis]
        total += difference * difference
    return total


@njit(cache=True, parallel=True)
def _outside(tile, rows, leaders, lower, points, tau):  # pragma: no cover - compiled
    """Which of `rows` are farther than tau from all `leaders`; `tile` is their product."""
    outside = np.ones(len(rows), np.bool_)
    for a in prange(len(rows)):
        for c in range(len(leaders)):
            bound = lower[rows[a]] + lower[leaders[c]] - np.float32(2) * tile[a, c]
            if bound <= tau * tau and _squared(points, rows[a], leaders[c]) <= tau * tau:
                outside[a] = False
                break
    return outside


@njit(cache=True)
def _lead(tile, rows, lower, points, tau):  # pragma: no cover - compiled
    """Which of `rows`, taken in order, are farther than tau from those that lead before them."""
    lead = np.ones(len(rows), np.bool_)
    for a in range(len(rows)):
        for b in range(a):
            if not lead[b]:
                continue
            bound = lower[rows[a]] + lower[rows[b]] - np.float32(2) * tile[a, b]
            if bound <= tau * tau and _squared(points, rows[a], rows[b]) <= tau * tau:
                lead[a] = False
                break
    return lead


@njit(cache=True, parallel=True)
def _nearer(tile, begin, start, leaders, lower, points, nearest, distance):  # pragma: no cover
    """Bring the nearest leaders of points begin, ... up to date with leaders start, ..."""
    for a in prange(tile.shape[0]):
        i = begin + a
        for c in range(tile.shape[1]):
            j = leaders[start + c]
            if lower[i] + lower[j] - np.float32(2) * tile[a, c] < distance[i]:
                d = _squared(points, i, j)
                if d < distance[i]:
                    nearest[i], distance[i] = start + c, d
