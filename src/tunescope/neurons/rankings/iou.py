"""Overlap of the words that a neuron is high on with the words of a label.

Intersection over union as in network dissection (Bau et al. 2017), for words. What NeuroX and Fan
et al. 2023 call IoU is something else, see `average_precision`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.rankings.moments import column_chunks, known, one_hot


@dataclass(frozen=True)
class IouRanking(RankingMethod):
    """Words with x > threshold and label C, over words with x > threshold or label C.

    Parameters
    ----------
    threshold : float, optional
        One threshold for all neurons; by `quantile` when not given.
    quantile : float
        Each neuron's threshold is this quantile of its values, so that all are high equally often.
    overall : {"mean", "best"}
        A neuron's overall score is its mean over the labels, or that for the label it fits best
        (which frequent labels win).
    """

    name: ClassVar[str] = "iou"
    threshold: float | None = None
    quantile: float = 0.9
    overall: Literal["mean", "best"] = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.quantile < 1:
            raise InputError(f"ranking 'iou': quantile = {self.quantile} must be from 0 to below 1")

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the training words."""
        words = evidence.words
        x, targets = known(words.train.x, words.train.targets, words.n_classes)
        limits = self._limits(x)
        both, high = np.zeros((words.n_classes, x.shape[1])), np.zeros(x.shape[1])
        for rows, block in x.blocks():
            above = (block > limits).astype(np.float32)
            both += one_hot(targets[rows], words.n_classes) @ above
            high += above.sum(axis=0)
        counts = np.bincount(targets, minlength=words.n_classes)
        either = counts[:, None] + high - both
        tags = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
        overall = over_labels(tags[counts > 0], self.overall)
        return Ranking.of_scores(self.name, overall, tags)

    def _limits(self, x: WordMatrix) -> np.ndarray:
        """Return the threshold of each neuron, float32, shape (d,)."""
        if self.threshold is not None:
            return np.full(x.shape[1], self.threshold, dtype=np.float32)
        limits = np.empty(x.shape[1], dtype=np.float32)
        for columns, values in column_chunks(x):
            limits[columns] = np.quantile(values, self.quantile, axis=0, overwrite_input=True)
        return limits


def over_labels(tags: np.ndarray, how: Literal["best", "mean"]) -> np.ndarray:
    """Return one score per neuron from those per label, shape (d,)."""
    return tags.max(axis=0) if how == "best" else tags.mean(axis=0)
