"""Which words of a layer are drawn: some of every concept, and of every class its share.

All layers go by one random order of the words, so that what is drawn at one layer is drawn at
others too as far as their concepts allow (samples with permanent random numbers, Ohlsson 1995).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunescope.concepts.clustering import Clustering
from tunescope.concepts.selection import rank_within


def draw_words(
    concepts: Sequence[Clustering],
    classes: np.ndarray,
    priority: np.ndarray,
    *,
    n_words: int,
    per_concept: int,
) -> np.ndarray:
    """Draw words of one layer.

    Parameters
    ----------
    concepts : sequence of Clustering
        Concepts of each model at the layer; may be empty.
    classes : numpy.ndarray of int, shape (n,)
        Class of each word's sentence, -1 where there is none.
    priority : numpy.ndarray of int, shape (n,)
        Random order of the words: lower comes first.
    n_words : int
        Words to draw.
    per_concept : int
        Words of each concept that counts, as far as it has them; drawn first, even where that makes
        more than `n_words`.

    Returns
    -------
    numpy.ndarray of int64, shape (n_drawn,)
        Ascending. Words left are drawn from each class in proportion to how many it has left.
    """
    drawn = np.zeros(len(priority), bool)
    for here in concepts:
        have = np.bincount(here.labels[drawn], minlength=len(here.sizes))
        need = np.where(here.counts, per_concept - have, 0)
        left = np.flatnonzero(~drawn)
        rank = rank_within(here.labels[left], priority[left])
        drawn[left[rank < need[here.labels[left]]]] = True
    left = np.flatnonzero(~drawn)
    names, of = np.unique(classes[left], return_inverse=True)
    quota = shares(np.bincount(of, minlength=len(names)), n_words - int(drawn.sum()))
    drawn[left[rank_within(of, priority[left]) < quota[of]]] = True
    return np.flatnonzero(drawn)


def shares(sizes: np.ndarray, total: int) -> np.ndarray:
    """Divide a number in proportion to sizes, in whole numbers (largest remainders).

    Parameters
    ----------
    sizes : numpy.ndarray of int, shape (k,)
        What there is.
    total : int
        What to divide; all that there is, where that is less.

    Returns
    -------
    numpy.ndarray of int64, shape (k,)
        No part is larger than its size.

    Examples
    --------
    >>> shares(np.array([70, 20, 10]), 15).tolist()
    [11, 3, 1]
    >>> shares(np.array([3, 1]), 9).tolist()
    [3, 1]
    """
    total = min(max(total, 0), int(sizes.sum()))
    exact = sizes * (total / max(int(sizes.sum()), 1))
    parts = np.floor(exact).astype(np.int64)
    most = np.argsort(parts - exact, kind="stable")[: total - parts.sum()]
    parts[most] += 1
    return parts
