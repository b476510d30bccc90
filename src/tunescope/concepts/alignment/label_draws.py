"""Label counts of one layer: observed, under permutation, and over resampled sentences.

What the set-level score is (Hawasly et al., EACL 2024, arXiv 2308.10263): half the share of
concepts that are aligned and half the share of labels that are covered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tunescope.concepts.alignment.kernels import count_aligned, count_aligned_once
from tunescope.concepts.alignment.labels import Labelling
from tunescope.concepts.clustering import Clustering


@dataclass(frozen=True, eq=False)
class LabelCounts:
    """How many concepts are aligned in each draw, and how many labels covered.

    Parameters
    ----------
    aligned : numpy.ndarray of int64, shape (n_draws,)
        Concepts that any label reaches theta in.
    aligned_frequent : numpy.ndarray of int64, shape (n_draws,)
        Concepts that any label with enough tokens reaches theta in.
    per_label : numpy.ndarray of int32, shape (n_draws, n_labels)
        Concepts in which each label reaches theta.
    frequent : numpy.ndarray of bool, shape (n_labels,)
        Labels with enough tokens.
    n_clusters : int
        All clusters, K as it is, also those with too few types to be aligned.
    """

    aligned: np.ndarray
    aligned_frequent: np.ndarray
    per_label: np.ndarray
    frequent: np.ndarray
    n_clusters: int

    @property
    def covered(self) -> np.ndarray:
        """Frequent labels that at least one concept is aligned with, int64, shape (n_draws,)."""
        return (self.per_label[:, self.frequent] > 0).sum(axis=1)

    @property
    def aligned_share(self) -> np.ndarray:
        """Aligned concepts (with a frequent label), of all clusters, shape (n_draws,)."""
        return self.aligned_frequent / self.n_clusters

    @property
    def covered_share(self) -> np.ndarray:
        """Labels covered, of the frequent ones, shape (n_draws,); 0 where there is none."""
        return self.covered / max(int(self.frequent.sum()), 1)

    @property
    def score(self) -> np.ndarray:
        """Half of `aligned_share` and half of `covered_share`, shape (n_draws,)."""
        return (self.aligned_share + self.covered_share) / 2


def count_labels(
    here: Clustering,
    labels: Labelling,
    draws: Iterable[tuple[np.ndarray, np.ndarray]],
    *,
    theta: float,
    max_unknown: float,
    frequent: np.ndarray | None = None,
) -> LabelCounts:
    """Count aligned concepts and covered labels in each of several draws.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer; those with too few types are never aligned.
    labels : Labelling
        What words, or their sentences, carry.
    draws : iterable of (rows, weights)
        For each draw the row of `labels` that each word reads (int32, shape (n_words,)), and how
        often the word counts (int8, the same shape).
    theta, max_unknown : float
        As in `align_labels`.
    frequent : numpy.ndarray of bool, shape (n_labels,), optional
        Labels that count for coverage; all when not given.

    Returns
    -------
    LabelCounts
    """
    frequent = np.ones(len(labels.sets.names), bool) if frequent is None else frequent
    rule = here.counts, frequent, theta, max_unknown
    codes = _codes(labels)
    if codes is not None:
        found = [count_aligned_once(*here.grouped, codes[r], w, *rule) for r, w in draws]
    else:
        table, known = labels.sets.table, labels.sets.known
        sets = table.indptr.astype(np.int32), table.indices.astype(np.int32), known
        found = [count_aligned(*here.grouped, r, *sets, w, *rule) for r, w in draws]
    aligned, aligned_frequent, per_label = zip(*found, strict=True)
    return LabelCounts(
        np.array(aligned), np.array(aligned_frequent), np.array(per_label), frequent,
        len(here.sizes),
    )  # fmt: skip


def frequent_labels(labels: Labelling, rows: np.ndarray, min_tokens: int) -> np.ndarray:
    """Say which labels at least `min_tokens` occurrences carry, bool, shape (n_labels,).

    Parameters
    ----------
    labels : Labelling
        What is carried.
    rows : numpy.ndarray of int, shape (n_words,)
        Row of each occurrence.
    min_tokens : int
        Fewest occurrences.
    """
    taken = labels.sets.table[rows]
    counts = np.bincount(taken.indices, minlength=len(labels.sets.names))
    return counts >= min_tokens


def _codes(labels: Labelling) -> np.ndarray | None:
    """Return labels as `count_aligned_once` wants them; None where a row has several."""
    table, known = labels.sets.table, labels.sets.known
    counts = np.diff(table.indptr)
    if counts.max(initial=0) > 1:
        return None
    codes = np.where(known, -2, -1).astype(np.int32)
    codes[counts > 0] = table.indices
    return codes
