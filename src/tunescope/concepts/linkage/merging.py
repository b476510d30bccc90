"""Merge every pair of mutual nearest neighbours that the lists of neighbours can decide.

Chains of nearest neighbours (Benzécri 1982; Murtagh 1983): from a cluster to its nearest, from
there to the nearest of that one, until two are each other's nearest and merge. As Ward linkage is
reducible, such a pair is merged in the full hierarchy too, whatever is merged before. A chain that
reaches a cluster whose nearest neighbour is not known waits for the next scan.
"""

from __future__ import annotations

import numpy as np

from tunescope.compiled import njit
from tunescope.concepts.linkage.neighbours import find_nearest, join_lists

OPEN, BLOCKED, UNKNOWN, WANTED = 0, 1, 2, 3
"""A cluster's standing: to be looked at; waits for another; its own nearest neighbour is not
known; the same, and others wait for it."""


@njit(cache=True)
def merge(clusters, i, j, d, smallest, place, scratch):  # pragma: no cover - compiled
    """Let i absorb j."""
    join_lists(clusters, i, j, d, smallest, place, scratch)
    a, b = clusters.sizes[i], clusters.sizes[j]
    x, y = clusters.centroids[i], clusters.centroids[j]
    for axis in range(x.shape[0]):
        x[axis] = (a * x[axis] + b * y[axis]) / (a + b)
    clusters.sizes[i] = a + b
    clusters.parents[j] = i
    clusters.nearest[i] = -1


@njit(cache=True)
def is_known(clusters, i):  # pragma: no cover - compiled
    """Whether the nearest neighbour found for i earlier still is what it was."""
    j = clusters.nearest[i]
    return j >= 0 and clusters.parents[j] == j and clusters.sizes[j] == clusters.nearest_size[i]


@njit(cache=True)
def merge_known(clusters, standing, changed, pairs, heights, done):  # pragma: no cover - compiled
    """Merge until no more is known; return the number of merges so far.

    Parameters
    ----------
    clusters : Clusters
        The survivors.
    standing : numpy.ndarray of int8, shape (m,)
        Set here, see `OPEN`.
    changed : numpy.ndarray of bool, shape (m,)
        Set for clusters that absorbed another.
    pairs : numpy.ndarray of int64, shape (n - 1, 2)
        First points of the clusters merged, filled from row `done` on.
    heights : numpy.ndarray of float64, shape (n - 1,)
        Ward distances of the merges, filled likewise.
    done : int
        Merges so far.
    """
    m = len(clusters.parents)
    k = clusters.ids.shape[1]
    scratch = (np.empty(2 * k, np.int32), np.empty(2 * k), np.empty(2 * k))
    place = np.zeros(m, np.int64)
    chain = np.empty(m, np.int64)
    smallest = np.iinfo(np.int64).max
    for i in range(m):
        standing[i] = OPEN
        if clusters.parents[i] == i:
            smallest = min(smallest, clusters.sizes[i])
    before = -1
    while before < done:
        before = done
        for start in range(m):
            if clusters.parents[start] != start or standing[start] != OPEN:
                continue
            chain[0] = start
            length = 1
            while length:
                x = chain[length - 1]
                if standing[x] != OPEN or not (
                    is_known(clusters, x) or find_nearest(clusters, x, place)
                ):
                    if standing[x] == OPEN:
                        standing[x] = UNKNOWN
                    if standing[x] == UNKNOWN and length > 1:
                        standing[x] = WANTED
                    for step in range(length - 1):
                        standing[chain[step]] = BLOCKED
                    break
                if length > 1 and clusters.distance[chain[length - 2]] <= clusters.distance[x]:
                    y = chain[length - 2]
                    d = clusters.distance[y]
                    i, j = min(x, y), max(x, y)
                    pairs[done, 0], pairs[done, 1] = clusters.first[i], clusters.first[j]
                    heights[done] = d
                    done += 1
                    merge(clusters, i, j, d, smallest, place, scratch)
                    changed[i] = True
                    length -= 2
                    if length == 0:
                        chain[0] = i
                        length = 1
                else:
                    chain[length] = clusters.nearest[x]
                    length += 1
    return done
