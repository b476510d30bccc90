"""Clustering of one layer's activations, by any of the methods.

The latent concepts of Dalvi et al. 2022 (arXiv 2205.07237) and Durrani et al. 2022 (arXiv
2210.12696): Ward linkage on Euclidean distances, without dimension reduction. For more words than
that can do: K-means, and Ward linkage of leaders (Hawasly et al. 2024, arXiv 2308.10263).

Ward linkage is our own, without a distance matrix (`tunescope.concepts.linkage`). For the other
criteria distances come from `condensed_distances`, merges from SciPy's nearest-neighbour chain.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psutil
from scipy.cluster import hierarchy
from threadpoolctl import threadpool_limits

from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.distances import BLOCK_ROWS, condensed_distances
from tunescope.concepts.kmeans import kmeans
from tunescope.concepts.leaders_ward import WEIGHTS, leaders_ward
from tunescope.concepts.linkage import ward as ward_linkage
from tunescope.concepts.partition import Partition
from tunescope.errors import InputError, nearest
from tunescope.steps.concepts import FLAT, LEADERS, METHODS, RESTARTS


def cluster(
    X: Any,
    method: str = "ward",
    k: int | None = None,
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    n_leaders: int = LEADERS,
    leader_weights: str = "followers",
    checkpoint: Path | str | None = None,
    where: str = "X",
) -> Dendrogram | Partition:
    """Cluster points by Euclidean distance.

    The result does not depend on the number of threads: Ward linkage and leaders decide on
    distances that are computed singly, and for other methods everything runs in one thread, as last
    bits may change with the number. Use several processes for several layers.

    Parameters
    ----------
    X : array-like, shape (n_points, d)
        float16, float32 or float64.
    method : {"ward", "average", "complete", "leaders", "kmeans", "minibatch_kmeans"}
        The first three are hierarchical; `leaders` is Ward linkage of leaders; the K-means have no
        tree.
    k : int, optional
        Number of clusters. Only the K-means need it; from the others any number is a cut, of
        leaders up to their number.
    seed : int
        Of the K-means.
    restarts : int
        Starts of the K-means.
    n_leaders : int
        The most leaders.
    leader_weights : {"followers", "equal"}
        Whether leaders weigh as much as they have followers, or all the same.
    checkpoint : path, optional
        Folder from which a killed run goes on with Ward linkage; other methods do without.
    where : str
        What the points are, for error messages.

    Returns
    -------
    Dendrogram or Partition
        Both have `cut(k)`, which returns the cluster of every point.

    Raises
    ------
    InputError
        If there are fewer points than two, or fewer points or leaders than `k`, a value is not
        finite, a K-means is given no `k`, or memory does not suffice.

    Examples
    --------
    >>> import tunescope as ts
    >>> points = [[0.0], [0.1], [5.0], [5.1], [5.2]]
    >>> ts.cluster(points).cut(2).tolist()
    [1, 1, 0, 0, 0]
    >>> ts.cluster(points, "kmeans", 2).cut(2).tolist()
    [1, 1, 0, 0, 0]
    """
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; {nearest(method, METHODS)}")
    X = np.asarray(X)
    if X.ndim != 2 or len(X) < 2:
        raise InputError(f"{where}: clustering needs at least two words, got shape {X.shape}")
    broken = np.flatnonzero(~np.isfinite(X).all(axis=1))
    if len(broken):
        raise InputError(
            f"{where}: {len(broken)} words have values that are not finite (first: row "
            f"{broken[0]}); leave out words that are not valid in the store"
        )
    check_memory(len(X), X.shape[-1], method, n_leaders)
    folder = None if checkpoint is None else Path(checkpoint)
    if method == "ward":
        return Dendrogram(ward_linkage.ward(X, checkpoint=folder, progress=False, where=where))
    if method == "leaders":
        if leader_weights not in WEIGHTS:
            raise InputError(f"unknown leader_weights; {nearest(str(leader_weights), WEIGHTS)}")
        weigh = leader_weights == "followers"
        tree, _ = leaders_ward(X, n_leaders, weigh=weigh, checkpoint=folder, where=where)
        if k is not None:
            tree.cut(k)  # an error now rather than when it is asked for
        return tree
    if method in FLAT:
        if k is None or not 1 <= k <= len(X):
            raise InputError(f"{where}: method {method!r} needs k, from 1 to {len(X):,}, not {k}")
        batches = method == "minibatch_kmeans"
        return kmeans(X, k, seed=seed, restarts=restarts, batches=batches)
    with threadpool_limits(1):
        return Dendrogram(hierarchy.linkage(condensed_distances(X), method=method))


def memory_needed(n_points: int, d: int, method: str = "ward", n_leaders: int | None = None) -> int:
    """Bytes that `cluster` takes at its peak.

    Ward linkage holds vectors and lists of neighbours, leaders vectors in double and single
    precision, K-means a copy of the vectors; the others the distances, SciPy's copy of them and one
    block.
    """
    if method == "ward":
        return ward_linkage.memory_needed(n_points, d)
    if method == "leaders":
        most = min(n_points, n_leaders or LEADERS)
        return n_points * (20 * d + 200) + ward_linkage.memory_needed(most, d)
    if method in FLAT:
        return n_points * (12 * d + 100) + 2**28
    return 8 * (n_points**2 + 3 * BLOCK_ROWS * n_points + 2 * n_points * d)


def check_memory(n_points: int, d: int, method: str = "ward", n_leaders: int | None = None) -> None:
    """Raise InputError if clustering `n_points` points of `d` values would not fit in memory."""
    needed = memory_needed(n_points, d, method, n_leaders)
    free = psutil.virtual_memory().available
    if needed > free:
        share = free / needed
        fits = int(n_points * (share**0.5 if method in ("average", "complete") else share))
        raise InputError(
            f"clustering {n_points:,} words needs {needed / 1e9:.1f} GB of memory, "
            f"{free / 1e9:.1f} GB are free: select about {fits:,} words at most "
            "(raise min_count, lower max_occurrences)"
        )
