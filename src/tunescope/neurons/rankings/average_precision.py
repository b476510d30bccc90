"""Average precision of a neuron as a detector of a label.

This is what NeuroX (and with it Fan et al. 2023) computes under the name IoU: activations near zero
are set to zero, then words are retrieved from the highest activation downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.iou import over_labels
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.rankings.moments import column_chunks, known

_SORT_VALUES = 1 << 21
"""Values sorted together: the sorted copies then take well below 100 MiB."""


@dataclass(frozen=True)
class AveragePrecisionRanking(RankingMethod):
    """Area under the curve of precision against recall, by steps, for each label.

    Only high activations count: a neuron that is low on a label has a low score for it.

    Parameters
    ----------
    zero_below : float
        Activations with a smaller absolute value are set to zero first.
    overall : {"mean", "best"}
        A neuron's overall score is its mean over the labels, or that for the label it detects best
        (which frequent labels win).
    """

    name: ClassVar[str] = "average_precision"
    zero_below: float = 0.05
    overall: Literal["mean", "best"] = "mean"

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the training words."""
        words = evidence.words
        x, targets = known(words.train.x, words.train.targets, words.n_classes)
        tags = np.zeros((words.n_classes, x.shape[1]))
        by_label = np.argsort(targets, kind="stable")
        targets = targets[by_label]
        for columns, values in column_chunks(x):
            values = values.T[:, by_label]
            values[np.abs(values) < self.zero_below] = 0
            step = max(1, _SORT_VALUES // max(len(targets), 1))
            for start in range(0, len(values), step):
                part = slice(columns.start + start, columns.start + min(start + step, len(values)))
                precision = average_precision(values[start : start + step], targets)
                tags[np.unique(targets), part] = precision
        present = np.bincount(targets, minlength=words.n_classes) > 0
        overall = over_labels(tags[present], self.overall)
        return Ranking.of_scores(self.name, overall, tags)


def average_precision(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the average precision of each neuron for each label that occurs.

    Parameters
    ----------
    values : numpy.ndarray, shape (m, n)
        Activations, one row per neuron.
    targets : numpy.ndarray of int, shape (n,)
        Labels in rising order.

    Returns
    -------
    numpy.ndarray, shape (n_labels, m)
        In the order of the labels that occur.

    Notes
    -----
    Words with equal activations are retrieved together. A label's score is the mean over its words
    of the precision once that word is retrieved, which takes two sorts per neuron, whatever the
    number of labels.
    """
    order = np.argsort(-values, axis=1, kind="stable")
    falling = np.take_along_axis(values, order, axis=1)
    last = np.ones(values.shape, dtype=bool)
    last[:, :-1] = falling[:, 1:] != falling[:, :-1]
    labels, place, counts = np.unique(targets, return_inverse=True, return_counts=True)
    # Retrieved words, the same for words that are retrieved together, then label by label. Small
    # integers are sorted stably in linear time.
    retrieved = _next(last) + 1
    small = place.astype(np.uint16 if len(labels) <= 1 << 16 else np.int64)
    by_label = np.argsort(small[order], axis=1, kind="stable")
    retrieved = np.take_along_axis(retrieved, by_label, axis=1)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    last[:, :-1] = (retrieved[:, 1:] != retrieved[:, :-1]) | (targets[1:] != targets[:-1])
    last[:, -1] = True
    hits = _next(last) + 1 - np.repeat(starts, counts)
    return (np.add.reduceat(hits / retrieved, starts, axis=1) / counts).T


def _next(last: np.ndarray) -> np.ndarray:
    """Return for each place that of the next one (or itself) that is marked, along each row."""
    n = last.shape[1]
    places = np.where(last, np.arange(n, dtype=np.int32), np.int32(n - 1))
    return np.minimum.accumulate(places[:, ::-1], axis=1)[:, ::-1]
