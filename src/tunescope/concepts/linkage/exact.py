"""Settle in float64 what float32 scans leave open.

That is near-duplicates, and more ties than a list holds.
Distances are computed from differences, so that nothing cancels.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from tunescope.concepts.linkage.neighbours import Clusters, find_nearest, ward_distance
from tunescope.concepts.linkage.scan import insert


def settle(clusters: Clusters, rows: np.ndarray) -> int:
    """Find the nearest neighbours of clusters that were just scanned.

    Parameters
    ----------
    clusters : Clusters
        The survivors.
    rows : numpy.ndarray of int, shape (r,)
        Living clusters; the nearest neighbour of each is known afterwards.

    Returns
    -------
    int
        Distances computed, beyond those of clusters in the lists.
    """
    place = np.zeros(len(clusters.sizes), np.int64)
    open_rows = undecided(clusters, rows, place)
    measure_all(clusters, open_rows)
    undecided(clusters, open_rows, place)
    return len(open_rows) * len(clusters.sizes)


@njit(cache=True)
def undecided(clusters, rows, place):  # pragma: no cover - compiled
    """Return which of `rows` have no certain nearest neighbour in their lists."""
    found = np.empty(len(rows), np.int64)
    n = 0
    for i in rows:
        if not find_nearest(clusters, i, place):
            found[n] = i
            n += 1
    return found[:n]


@njit(cache=True, parallel=True)
def measure_all(clusters, rows):  # pragma: no cover - compiled
    """Measure the distances of `rows` to all living clusters and list the nearest."""
    for a in prange(len(rows)):
        measure_one(clusters, rows[a])


# A function of its own: inside the parallel loop, numba 0.68 lost what was written to the bounds.
@njit(cache=True)
def measure_one(clusters, i):  # pragma: no cover - compiled
    """Do so for one cluster."""
    k = clusters.ids.shape[1]
    low, ids = clusters.lower[i], clusters.ids[i]
    low[:] = np.inf
    others = 0
    for j in range(len(clusters.sizes)):
        if j != i and clusters.parents[j] == j:
            others += 1
            d = ward_distance(clusters, i, j)
            if d < low[-1]:
                insert(low, ids, d, j)
    count = min(others, k)
    clusters.counts[i] = count
    for entry in range(count):
        clusters.measured[i, entry] = clusters.sizes[ids[entry]]
    clusters.bounds[i] = np.inf if others <= k else low[k - 1]
