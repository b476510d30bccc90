"""Exact agglomerative clustering of one layer's activations.

The latent concepts of Dalvi et al. 2022 (arXiv 2205.07237) and Durrani et al. 2022 (arXiv
2210.12696): Ward linkage on Euclidean distances, without dimension reduction.

Ward linkage is our own, without a distance matrix (`tunescope.concepts.linkage`). For the other
criteria distances come from `condensed_distances`, merges from SciPy's nearest-neighbour chain.
"""

from __future__ import annotations

import numpy as np
import psutil
from scipy.cluster import hierarchy
from threadpoolctl import threadpool_limits

from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.distances import BLOCK_ROWS, condensed_distances
from tunescope.concepts.linkage import ward as ward_linkage
from tunescope.errors import InputError


def cluster(X: np.ndarray, linkage: str = "ward", where: str = "the activations") -> Dendrogram:
    """Cluster points hierarchically by Euclidean distance.

    The result does not depend on the number of threads: Ward linkage decides on distances that are
    computed singly, and for other criteria matrix products run in one thread, as their last bits
    may change with the number. Use several processes for several layers.

    Parameters
    ----------
    X : numpy.ndarray, shape (n_points, d)
        float16, float32 or float64.
    linkage : {"ward", "average", "complete"}
        Agglomeration criterion.
    where : str
        What the points are, for error messages.

    Returns
    -------
    Dendrogram

    Raises
    ------
    InputError
        If there are fewer than two points, a value is not finite, or the distances do not fit in
        the memory that is free.
    """
    if X.ndim != 2 or len(X) < 2:
        raise InputError(f"{where}: clustering needs at least two words, got shape {X.shape}")
    broken = np.flatnonzero(~np.isfinite(X).all(axis=1))
    if len(broken):
        raise InputError(
            f"{where}: {len(broken)} words have values that are not finite (first: row "
            f"{broken[0]}); leave out words that are not valid in the store"
        )
    check_memory(len(X), X.shape[-1], linkage)
    if linkage == "ward":
        return Dendrogram(ward_linkage.ward(X, progress=False, where=where))
    with threadpool_limits(1):
        return Dendrogram(hierarchy.linkage(condensed_distances(X), method=linkage))


def memory_needed(n_points: int, d: int, linkage: str = "ward") -> int:
    """Bytes that `cluster` takes at its peak.

    Ward linkage holds vectors and lists of neighbours; the others the distances, SciPy's copy of
    them and one block.
    """
    if linkage == "ward":
        return ward_linkage.memory_needed(n_points, d)
    return 8 * (n_points**2 + 3 * BLOCK_ROWS * n_points + 2 * n_points * d)


def check_memory(n_points: int, d: int, linkage: str = "ward") -> None:
    """Raise InputError if clustering `n_points` points of `d` values would not fit in memory."""
    needed, free = memory_needed(n_points, d, linkage), psutil.virtual_memory().available
    if needed > free:
        share = free / needed
        fits = int(n_points * (share if linkage == "ward" else share**0.5))
        raise InputError(
            f"clustering {n_points:,} words needs {needed / 1e9:.1f} GB of memory, "
            f"{free / 1e9:.1f} GB are free: select about {fits:,} words at most "
            "(raise min_count, lower max_occurrences)"
        )
