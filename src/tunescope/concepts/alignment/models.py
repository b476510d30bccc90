"""Base with tuned: which concepts of one clustering are found again in another.

The alignment function of Durrani et al. 2022 (arXiv 2210.12696), model to model and directional: a
concept of A is retained when some concept of B holds at least a share theta of it. B's concept may
be any cluster, also one with too few types to count itself.

The direction matters. A clustering B with one giant concept retains everything, as that concept
holds everything; only the null distribution shows that such a count means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from tunescope.concepts.contingency import cross_counts


@dataclass(frozen=True, eq=False)
class Matches:
    """The best match of each concept of one clustering among those of another.

    Parameters
    ----------
    best : numpy.ndarray of int64, shape (n_concepts,)
        The concept of the other clustering that holds most of it; the lowest number among equals.
    overlap : numpy.ndarray of float64, shape (n_concepts,)
        The share it holds, in (0, 1].
    """

    best: np.ndarray
    overlap: np.ndarray


def match(source: np.ndarray, target: np.ndarray, types: np.ndarray | None = None) -> Matches:
    """Find for each concept of `source` the concept of `target` that holds most of it.

    Parameters
    ----------
    source, target : numpy.ndarray of int, shape (n_words,)
        Two clusterings of the same occurrences, numbered from 0 without gaps.
    types : numpy.ndarray of int, shape (n_words,), optional
        The word type of each occurrence. When given, shares are counted over the types of a
        concept: a type is held when `target`'s concept has it, in whatever occurrence. When not
        given, they are counted over occurrences.

    Returns
    -------
    Matches
    """
    table, sizes = _overlaps(source, target, types)
    highest = _row_maxima(table)
    rows = np.repeat(np.arange(len(sizes)), np.diff(table.indptr))
    hits = np.flatnonzero(table.data == highest[rows])
    _, first = np.unique(rows[hits], return_index=True)
    return Matches(table.indices[hits[first]].astype(np.int64), highest / sizes)


def best_overlap(
    source: np.ndarray, target: np.ndarray, types: np.ndarray | None = None
) -> np.ndarray:
    """Return `match(...).overlap` alone, shape (n_concepts,): what null distributions need."""
    table, sizes = _overlaps(source, target, types)
    return _row_maxima(table) / sizes


def _overlaps(
    source: np.ndarray, target: np.ndarray, types: np.ndarray | None
) -> tuple[csr_array, np.ndarray]:
    """Words or types that each pair of concepts shares, and the sizes of the source concepts."""
    if types is None:
        return cross_counts(source, target), np.bincount(source)
    of_source, of_target = cross_counts(source, types), cross_counts(target, types)
    of_source.data[:] = 1
    of_target.data[:] = 1
    table = csr_array(of_source @ of_target.T)
    table.sort_indices()
    return table, np.diff(of_source.indptr)


def _row_maxima(table: csr_array) -> np.ndarray:
    # Concepts are numbered without gaps, so that no row is empty and reduceat is right.
    return np.maximum.reduceat(table.data, table.indptr[:-1])
