"""Concepts with the task: which are polarised towards a class.

A polarity concept is one nearly all of whose occurrences come from sentences of one class (Durrani
et al. 2022, arXiv 2210.12696, the task-specific use of the alignment function).
"""

from __future__ import annotations

import numpy as np

from tunescope.concepts.align_labels import Majorities, align_labels


def align_classes(
    clusters: np.ndarray,
    sentences: np.ndarray,
    classes: np.ndarray,
    n_classes: int,
    *,
    theta: float = 0.9,
    max_unknown: float = 0.4,
) -> Majorities:
    """Find the concepts polarised towards a class.

    Parameters
    ----------
    clusters : numpy.ndarray of int, shape (n_words,)
        Concept of each occurrence, numbered from 0 without gaps.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each occurrence.
    classes : numpy.ndarray of int, shape (n_sentences,)
        Class of each sentence, from 0; -1 where it has none.
    n_classes : int
        Number of different classes.
    theta : float
        Smallest share, of the occurrences in sentences with a class, that makes a concept
        polarised.
    max_unknown : float
        Concepts with a larger share of occurrences in sentences without a class are not polarised.

    Returns
    -------
    Majorities
        `aligned` says which concepts are polarised, `best` towards which class.
    """
    return align_labels(
        clusters, classes[sentences], n_classes, theta=theta, max_unknown=max_unknown
    )
