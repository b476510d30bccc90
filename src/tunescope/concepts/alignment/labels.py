"""Concepts with human-defined labels: which concepts carry which labels nearly throughout.

The alignment function of Durrani et al. 2022 (arXiv 2210.12696) with theta = 0.9, as in Dalvi et
al. 2022 (arXiv 2205.07237). A share of exactly theta aligns. The papers' slides say "more than" and
their code compares strictly: for that, give a threshold just above, as 0.9001.

A word may carry several labels, and then several can reach theta: all are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from tunescope.concepts.label_sets import LabelSets


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


@dataclass(frozen=True, eq=False)
class Labelling:
    """The labels of one kind that words carry.

    A row without a label is unknown in an annotated column. Of a computed kind (suffixes, word
    lists) it is known to carry none, which counts against every label (`LabelSets.complete`).

    Parameters
    ----------
    name : str
        Name of the label column, or of the computed kind.
    sets : LabelSets
        The labels of each row.
    """

    name: str
    sets: LabelSets


@dataclass(frozen=True, eq=False)
class Composition:
    """The labels of every concept: one entry for each concept and label that occur together.

    Parameters
    ----------
    table : scipy.sparse.csr_array of int64, shape (n_concepts, n_labels)
        Occurrences of each label in each concept.
    sizes, labelled : numpy.ndarray of int64, shape (n_concepts,)
        Occurrences of each concept, and those that count among the labelled.
    """

    table: csr_array
    sizes: np.ndarray
    labelled: np.ndarray

    @property
    def concepts(self) -> np.ndarray:
        """Concept of each entry."""
        return np.repeat(np.arange(len(self.sizes)), np.diff(self.table.indptr))

    @property
    def labels(self) -> np.ndarray:
        """Label of each entry."""
        return self.table.indices

    @property
    def counts(self) -> np.ndarray:
        """Occurrences of each entry's label in its concept, int64."""
        return np.asarray(self.table.data)

    @property
    def shares(self) -> np.ndarray:
        """Share of the concept's labelled occurrences of each entry, float64."""
        return self.counts / self.labelled[self.concepts]

    def enough(self, max_unknown: float) -> np.ndarray:
        """Which concepts are labelled well enough to be aligned, bool, shape (n_concepts,)."""
        unknown = (self.sizes - self.labelled) / self.sizes
        return (self.labelled > 0) & (unknown <= max_unknown)

    def reached(self, theta: float, max_unknown: float) -> np.ndarray:
        """Which entries reach theta in a concept that is labelled well enough, bool."""
        return (self.shares >= theta) & self.enough(max_unknown)[self.concepts]

    def majorities(self, theta: float, max_unknown: float) -> Majorities:
        """Return the most frequent label of each concept."""
        n = len(self.sizes)
        order = np.lexsort([self.labels, -self.counts, self.concepts])
        concepts, first = np.unique(self.concepts[order], return_index=True)
        best, share = np.full(n, -1, np.int64), np.zeros(n)
        best[concepts] = self.labels[order[first]]
        share[concepts] = self.shares[order[first]]
        aligned = self.enough(max_unknown) & (share >= theta) & (best >= 0)
        return Majorities(best, share, aligned)


def compose(clusters: np.ndarray, labels: Labelling, rows: np.ndarray | None = None) -> Composition:
    """Count the labels in every concept.

    Parameters
    ----------
    clusters : numpy.ndarray of int, shape (n_words,)
        Concept of each occurrence, numbered from 0 without gaps.
    labels : Labelling
        What they carry.
    rows : numpy.ndarray of int, shape (n_words,), optional
        Row of `labels` for each occurrence, where that is not the occurrence itself.

    Returns
    -------
    Composition
    """
    rows = np.arange(len(clusters)) if rows is None else rows
    sizes = np.bincount(clusters)
    ones = np.ones(len(clusters), np.int64)
    shape = (len(sizes), len(labels.sets.known))
    table = csr_array((ones, (clusters, rows)), shape=shape) @ labels.sets.table.astype(np.int64)
    table = csr_array(table)
    table.eliminate_zeros()
    table.sort_indices()
    labelled = np.bincount(clusters, weights=labels.sets.known[rows], minlength=len(sizes))
    return Composition(table, sizes, labelled.astype(np.int64))


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
    sets = sets_of_codes(codes, tuple(map(str, range(n_labels))))
    found = compose(clusters, Labelling("", sets))
    return found.majorities(theta, max_unknown)


def sets_of_codes(codes: np.ndarray, names: tuple[str, ...]) -> LabelSets:
    """Make label sets of numbers: one label each, none where the number is -1.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n_rows,)
        Numbers of labels, from 0.
    names : tuple of str
        The labels.

    Returns
    -------
    LabelSets
    """
    known = codes >= 0
    starts = np.concatenate([[0], np.cumsum(known)])
    ones = np.ones(int(known.sum()), bool)
    table = csr_array((ones, codes[known], starts), shape=(len(codes), len(names)))
    return LabelSets(names, table)
