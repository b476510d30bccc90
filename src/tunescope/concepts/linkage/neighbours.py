"""What each cluster knows of its nearest clusters: some of them, and a bound for all the others.

A cluster i has a list of clusters with lower bounds of their Ward distance, and one bound that no
cluster outside the list is nearer than. Both stay true while clusters merge:

- a cluster that absorbs another gets no nearer to any third (Ward linkage is reducible), so the
  smaller of the two bounds holds for what they become;
- the distance of a merged cluster to a third is the Lance-Williams combination of three distances,
  which grows with the first two: put lower bounds there and a lower bound comes out.

Thus most nearest neighbours are found without any scan: the few listed clusters with the lowest
bounds are measured in float64, and when the nearest of them is no farther than the bound, it is
the nearest of all. Ward distances are 2 |a| |b| / (|a| + |b|) times the squared distance of the
centroids (Ward 1963; Lance and Williams 1967; reducibility: Bruynooghe 1977).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tunescope.compiled import njit

ROUNDING = 1e-13
"""What float64 may lose in one Lance-Williams combination, as a share of its terms."""


class Clusters(NamedTuple):
    """The surviving clusters; all arrays are changed in place.

    Cluster i is dead when `parents[i]` is another: it was absorbed by it. `k` is the length of
    the lists, `d` the number of neurons.
    """

    centroids: np.ndarray
    """float64, shape (m, d)."""
    sizes: np.ndarray
    """Points in each cluster, int64, shape (m,)."""
    first: np.ndarray
    """The first point in each cluster, int64, shape (m,), ascending."""
    parents: np.ndarray
    """Whom a cluster was absorbed by, itself while it lives, int32, shape (m,)."""
    ids: np.ndarray
    """Listed clusters, possibly dead ones, int32, shape (m, k)."""
    lower: np.ndarray
    """Lower bounds of their distances, float64, shape (m, k)."""
    measured: np.ndarray
    """Size of the listed cluster when `lower` was its very distance, else 0, int64, (m, k)."""
    counts: np.ndarray
    """Length of each list, int32, shape (m,)."""
    bounds: np.ndarray
    """No unlisted cluster is nearer, float64, shape (m,)."""
    nearest: np.ndarray
    """The nearest cluster, int32, shape (m,); -1 when not known."""
    nearest_size: np.ndarray
    """Its size when it was found, int64, shape (m,)."""
    distance: np.ndarray
    """Its distance, float64, shape (m,)."""


@njit(cache=True, fastmath={"reassoc", "contract"})
def ward_distance(clusters, i, j):  # pragma: no cover - compiled
    """Ward distance (squared height of the merge) of two clusters, from their difference."""
    x, y = clusters.centroids[i], clusters.centroids[j]
    total = 0.0
    for axis in range(x.shape[0]):
        difference = x[axis] - y[axis]
        total += difference * difference
    a, b = clusters.sizes[i], clusters.sizes[j]
    return total * (2.0 * a * b / (a + b))


@njit(cache=True)
def root(parents, i):  # pragma: no cover - compiled
    """Return the living cluster that i is part of."""
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(cache=True)
def refresh(clusters, i, place):  # pragma: no cover - compiled
    """Replace dead clusters in the list of i by what they became; drop what the bound covers.

    `place` is scratch of shape (m,): where in the list a cluster stands, if it does.
    """
    ids, lower, measured = clusters.ids[i], clusters.lower[i], clusters.measured[i]
    kept = 0
    for entry in range(clusters.counts[i]):
        j = root(clusters.parents, ids[entry])
        low = lower[entry]
        if j == i or low > clusters.bounds[i]:
            continue
        size = measured[entry]
        if j != ids[entry] or size != clusters.sizes[j]:
            size = 0
        p = place[j]
        if p < kept and ids[p] == j:
            if measured[p] == 0:
                if size:
                    lower[p], measured[p] = low, size
                elif low < lower[p]:
                    lower[p] = low
        else:
            place[j] = kept
            ids[kept], lower[kept], measured[kept] = j, low, size
            kept += 1
    clusters.counts[i] = kept


@njit(cache=True)
def find_nearest(clusters, i, place):  # pragma: no cover - compiled
    """Find the nearest cluster of i from its list; False when the list does not decide it.

    Of listed clusters equally near, the one whose first point differs least from that of i, as a
    pattern of bits (exclusive or): points that all tie are then paired off, not queued up.
    """
    refresh(clusters, i, place)
    ids, lower, measured = clusters.ids[i], clusters.lower[i], clusters.measured[i]
    count = clusters.counts[i]
    while True:
        best, nearest, tie = np.inf, -1, 0
        candidate, low = -1, np.inf
        for entry in range(count):
            if measured[entry] == 0:
                if lower[entry] < low or candidate < 0:
                    candidate, low = entry, lower[entry]
            elif lower[entry] <= best:
                bits = clusters.first[i] ^ clusters.first[ids[entry]]
                if lower[entry] < best or bits < tie:
                    best, nearest, tie = lower[entry], ids[entry], bits
        if candidate < 0 or low > best:
            break
        j = ids[candidate]
        lower[candidate] = ward_distance(clusters, i, j)
        measured[candidate] = clusters.sizes[j]
    if nearest < 0 or best > clusters.bounds[i]:
        clusters.nearest[i] = -1
        return False
    clusters.nearest[i] = nearest
    clusters.nearest_size[i] = clusters.sizes[nearest]
    clusters.distance[i] = best
    return True


@njit(cache=True)
def combine(low_a, low_b, d, a, b, c):  # pragma: no cover - compiled
    """Lower bound of the distance of a + b to c, from bounds of a to c and b to c; d is a to b."""
    if np.isinf(low_a) or np.isinf(low_b):
        return np.inf
    slack = (a + c) * abs(low_a) + (b + c) * abs(low_b) + c * d
    return ((a + c) * low_a + (b + c) * low_b - c * d - ROUNDING * slack) / (a + b + c)


@njit(cache=True)
def join_lists(clusters, i, j, d, smallest, place, scratch):  # pragma: no cover - compiled
    """Give i the list of what i and j (at distance d, both alive) become; no size is changed yet.

    `smallest` is at most the size of any living cluster. `scratch` is Joined for lists of 2 k.
    """
    refresh(clusters, i, place)
    refresh(clusters, j, place)
    a, b = clusters.sizes[i], clusters.sizes[j]
    bound_a, bound_b = clusters.bounds[i], clusters.bounds[j]
    # Where c is not known, the bound is monotone in c: the worse of both ends holds for all.
    bound = combine(bound_a, bound_b, d, a, b, smallest)
    if not np.isinf(bound):
        at_infinity = bound_a + bound_b - d
        bound = min(bound, at_infinity - ROUNDING * (abs(bound_a) + abs(bound_b) + d))
    ids, low_a, low_b = scratch
    n = 0
    for entry in range(clusters.counts[i]):
        c = clusters.ids[i, entry]
        if c != j:
            ids[n], low_a[n], low_b[n] = c, clusters.lower[i, entry], bound_b
            place[c] = n
            n += 1
    for entry in range(clusters.counts[j]):
        c = clusters.ids[j, entry]
        if c != i:
            p = place[c]
            if p < n and ids[p] == c:
                low_b[p] = clusters.lower[j, entry]
            else:
                ids[n], low_a[n], low_b[n] = c, bound_a, clusters.lower[j, entry]
                place[c] = n
                n += 1
    for p in range(n):
        low_a[p] = combine(low_a[p], low_b[p], d, a, b, clusters.sizes[ids[p]])
    k = clusters.ids.shape[1]
    order = np.argsort(low_a[:n])
    if n > k:
        bound = min(bound, low_a[order[k]])
    kept = 0
    for p in order[:k]:
        if low_a[p] > bound:
            break
        clusters.ids[i, kept] = ids[p]
        clusters.lower[i, kept] = low_a[p]
        clusters.measured[i, kept] = 0
        kept += 1
    clusters.counts[i] = kept
    clusters.bounds[i] = bound
