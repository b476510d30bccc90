"""Counts that alignments rest on: cluster by cluster, types per cluster."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


def cross_counts(rows: np.ndarray, columns: np.ndarray) -> csr_array:
    """Count how often each pair of numbers occurs together.

    Parameters
    ----------
    rows, columns : numpy.ndarray of int, shape (n,)
        Numbers from 0 for each of n things.

    Returns
    -------
    scipy.sparse.csr_array of int64, shape (rows.max() + 1, columns.max() + 1)
        With sorted column indices.
    """
    table = csr_array((np.ones(len(rows), np.int64), (rows, columns)))
    table.sum_duplicates()
    return table


def type_counts(clusters: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Count the different word types in each cluster, shape (n_clusters,)."""
    return np.diff(cross_counts(clusters, types).indptr).astype(np.int64)
