"""Two clusterings of the same words that were made from different sentences.

Clusterings of different words cannot be compared word by word. Two ways out:

- `shared`: sentences are divided into thirds. One sample is the first and second third, the other
  the first and last. Each is clustered, and both clusterings hold the words of the first third:
  only what the clusterings themselves say is compared.
- `centroids`: sentences are divided into halves. The words of the second are given to the nearest
  centroid of the concepts of the first, by Euclidean distance, and this is compared with how the
  second half clusters itself. The samples share nothing, but the nearest centroid is not Ward's
  criterion, and some of the difference is due to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tunescope.concepts.centroids import centroids
from tunescope.concepts.cluster import cluster
from tunescope.errors import InputError

ROWS = 4096
"""Words whose distances to all centroids are computed at once."""


@dataclass(frozen=True, eq=False)
class Division:
    """Sentences divided at random.

    Parameters
    ----------
    first, second : numpy.ndarray of int
        Rows of the words of each sample, ascending.
    common : numpy.ndarray of int
        Rows of the words that are compared, ascending: words of both samples (`shared`), or those
        of the second (`centroids`).
    """

    first: np.ndarray
    second: np.ndarray
    common: np.ndarray


def divide(sentences: np.ndarray, compare: str, seed: int) -> Division:
    """Divide sentences into samples.

    Parameters
    ----------
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each word.
    compare : {"shared", "centroids"}
        See the module.
    seed : int
        Of the division.

    Raises
    ------
    InputError
        If there are fewer than three sentences.
    """
    names, rows = np.unique(sentences, return_inverse=True)
    if len(names) < 3:
        raise InputError(f"stability needs at least three sentences, there are {len(names)}")
    parts = 3 if compare == "shared" else 2
    part = (np.random.default_rng(seed).permutation(len(names)) % parts)[rows]
    if compare == "centroids":
        first, second = np.flatnonzero(part == 0), np.flatnonzero(part == 1)
        return Division(first, second, second)
    first, second = np.flatnonzero(part != 2), np.flatnonzero(part != 1)
    return Division(first, second, np.flatnonzero(part == 0))


def cluster_samples(
    X: np.ndarray, division: Division, compare: str, clustering: dict[str, Any], where: str
) -> dict[str, np.ndarray]:
    """Cluster both samples and say where the common words are in each.

    Parameters
    ----------
    X : numpy.ndarray, shape (n_words, d)
        Activations of one layer of one model.
    division : Division
        The samples.
    compare : {"shared", "centroids"}
        See the module.
    clustering : dict
        Keywords of `cluster`; `k` is the number of concepts of each sample.
    where : str
        What is clustered, for error messages.

    Returns
    -------
    dict
        `first` and `second`: the concept of each common word in each sample's clustering, int64.
        `own`: for `centroids` the same as `second`, for `shared` as `first`.

    Raises
    ------
    InputError
        If a sample has fewer words than concepts.
    """
    found = []
    for rows in (division.first, division.second):
        if len(rows) < clustering["k"]:
            raise InputError(
                f"{where}: {len(rows):,} words in a part of the sentences are fewer than "
                f"n_clusters = {clustering['k']}; use more sentences"
            )
        found.append(cluster(X[rows], **clustering, where=where).cut(clustering["k"]))
    first, second = found
    if compare == "shared":
        first = first[np.searchsorted(division.first, division.common)]
        second = second[np.searchsorted(division.second, division.common)]
        return {"first": first, "second": second, "own": first}
    given = nearest_centroid(X[division.first], first, X[division.common])
    return {"first": given, "second": second, "own": second}


def nearest_centroid(X: np.ndarray, labels: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """Give points to the cluster with the nearest centroid.

    Parameters
    ----------
    X : numpy.ndarray, shape (n_points, d)
        Points that are clustered.
    labels : numpy.ndarray of int, shape (n_points,)
        Their clusters, numbered from 0 without gaps.
    Y : numpy.ndarray, shape (n_others, d)
        Points to give to clusters.

    Returns
    -------
    numpy.ndarray of int64, shape (n_others,)
        The lowest number among equally near ones.
    """
    means = centroids(X, labels)
    centre = np.average(means, axis=0, weights=np.bincount(labels))
    means -= centre  # norms get smaller, and so does what cancels
    squares = np.einsum("ij,ij->i", means, means)
    found = [
        np.argmin(squares - 2 * (Y[start : start + ROWS] - centre) @ means.T, axis=1)
        for start in range(0, len(Y), ROWS)
    ]
    return np.concatenate(found).astype(np.int64)
