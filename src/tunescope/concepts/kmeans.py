"""K-means: clusters of many points, without a tree (scikit-learn's).

What scales latent concepts furthest in Hawasly et al. (EACL 2024, arXiv 2308.10263). Starts are
drawn by k-means++ (Arthur and Vassilvitskii 2007); the best of several is kept.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tunescope.concepts.dendrogram import number_by_size
from tunescope.concepts.partition import Partition

BATCH = 4096
"""Points in a mini-batch."""


def kmeans(
    X: np.ndarray, k: int, *, seed: int = 0, restarts: int = 3, batches: bool = False
) -> Partition:
    """Cluster points around `k` means.

    Everything runs in one thread, as sums over threads would differ in their last bits.

    Parameters
    ----------
    X : numpy.ndarray, shape (n_points, d)
        Finite values; float32 stays float32.
    k : int
        Number of clusters, at most n_points.
    seed : int
        Of the starts, and of the mini-batches.
    restarts : int
        Starts drawn. K-means runs from each and keeps the lowest sum of squares; with mini-batches
        only the starts are compared, on a sample.
    batches : bool
        Whether means are moved by mini-batches instead of all points (Sculley 2010).

    Returns
    -------
    Partition
    """
    options: dict[str, Any] = {"init": "k-means++", "n_init": restarts, "random_state": seed}
    if batches:
        options["batch_size"] = max(BATCH, k)
    make = MiniBatchKMeans if batches else KMeans
    X = X if X.dtype == np.float64 else X.astype(np.float32, copy=False)
    with threadpool_limits(1), warnings.catch_warnings():
        # Fewer different points than clusters: there are then as many clusters as points differ.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = make(k, **options).fit_predict(X)
    return Partition(number_by_size(labels), k)
