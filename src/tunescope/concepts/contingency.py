"""Counts that every alignment rests on: cluster by cluster, cluster by label, types per cluster."""

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


def label_counts(clusters: np.ndarray, codes: np.ndarray, n_labels: int) -> np.ndarray:
    """Count the labels in each cluster.

    Parameters
    ----------
    clusters : numpy.ndarray of int, shape (n_words,)
        Cluster of each word.
    codes : numpy.ndarray of int, shape (n_words,)
        Label of each word; -1 where it has none.
    n_labels : int
        Number of different labels.

    Returns
    -------
    numpy.ndarray of int64, shape (n_clusters, n_labels)
    """
    n_clusters = int(clusters.max()) + 1
    known = codes >= 0
    cells = clusters[known] * n_labels + codes[known]
    return np.bincount(cells, minlength=n_clusters * n_labels).reshape(n_clusters, n_labels)


def type_counts(clusters: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Count the different word types in each cluster, shape (n_clusters,)."""
    return np.diff(cross_counts(clusters, types).indptr).astype(np.int64)
