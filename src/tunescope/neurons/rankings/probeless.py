"""Distances between the labels' means, without a classifier (Antverg and Belinkov 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.rankings.moments import class_moments


@dataclass(frozen=True)
class ProbelessRanking(RankingMethod):
    """Sum over pairs of labels of the distance between their means, neuron by neuron.

    For one label: the distance between its mean and that of all other words.
    """

    name: ClassVar[str] = "probeless"

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the training words."""
        words = evidence.words
        moments = class_moments(words.train.x, words.train.targets, words.n_classes)
        overall = pair_distances(moments.means[moments.counts > 0])
        tags = np.where(moments.counts[:, None] > 0, np.abs(moments.means - moments.rest), 0.0)
        return Ranking.of_scores(self.name, overall, tags)


def pair_distances(means: np.ndarray) -> np.ndarray:
    """Sum |m_i - m_j| over all pairs of rows, column by column.

    Parameters
    ----------
    means : numpy.ndarray, shape (K, d)

    Returns
    -------
    numpy.ndarray, shape (d,)

    Notes
    -----
    In rising order the r-th of K values (r from 0) is the larger one in r pairs and the smaller one
    in K - 1 - r, so the sum is that of (2 r - K + 1) times the value: K log K instead of K squared.
    """
    n = len(means)
    return (2 * np.arange(n) - n + 1) @ np.sort(means, axis=0)
