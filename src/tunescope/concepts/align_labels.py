"""Concepts with human-defined labels: which concepts carry one label nearly throughout.

The alignment function of Durrani et al. 2022 (arXiv 2210.12696) with theta = 0.9, as in Dalvi et
al. 2022 (arXiv 2205.07237).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunescope.concepts.contingency import label_counts


@dataclass(frozen=True, eq=False)
class Majorities:
    """The label most of each concept carries.

    Parameters
    ----------
    best : numpy.ndarray of int64, shape (n_concepts,)
        Number of the most frequent label, the lowest among equals; -1 where nothing is labelled.
    share : numpy.ndarray of float64, shape (n_concepts,)
        Its share of the concept's labelled occurrences; 0 where nothing is labelled.
    aligned : numpy.ndarray of bool, shape (n_concepts,)
        Whether the share is at least theta and no more than `max_unknown` is unlabelled.
    """

    best: np.ndarray
    share: np.ndarray
    aligned: np.ndarray


def align_labels(
    clusters: np.ndarray,
    codes: np.ndarray,
    n_labels: int,
    *,
    theta: float = 0.9,
    max_unknown: float = 0.4,
) -> Majorities:
    """Align concepts with the labels of one column.

    The share of a label is counted over the *labelled* occurrences of a concept; a concept with
    too many unlabelled ones is not aligned, however pure the rest.

    Parameters
    ----------
    clusters : numpy.ndarray of int, shape (n_words,)
        Concept of each occurrence, numbered from 0 without gaps.
    codes : numpy.ndarray of int, shape (n_words,)
        Label of each occurrence, from 0; -1 where it has none.
    n_labels : int
        Number of different labels.
    theta : float
        Smallest share that aligns.
    max_unknown : float
        Largest share of unlabelled occurrences, of all occurrences of the concept.

    Returns
    -------
    Majorities
    """
    sizes = np.bincount(clusters)
    if n_labels == 0:
        nothing = np.zeros(len(sizes))
        return Majorities(np.full(len(sizes), -1), nothing, nothing.astype(bool))
    counts = label_counts(clusters, codes, n_labels)
    known = counts.sum(axis=1)
    share = counts.max(axis=1) / np.maximum(known, 1)
    enough = (known > 0) & ((sizes - known) / sizes <= max_unknown)
    best = np.where(known > 0, counts.argmax(axis=1), -1)
    return Majorities(best, share, enough & (share >= theta))
