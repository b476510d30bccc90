"""Distance of a label's mean from that of all other words, in units of the neuron's range.

The selectivity index of neuroscience as Fan et al. 2023 (NeurIPS, "Evaluating Neuron Interpretation
Methods of NLP Models") use it under the name MeanSelect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.rankings.moments import class_moments


@dataclass(frozen=True)
class MeanSelectRanking(RankingMethod):
    """|mean(C) - mean(not C)| / (max - min); overall the mean over the labels.

    A neuron that never changes has score 0.
    """

    name: ClassVar[str] = "mean_select"
    scale_free: ClassVar[bool] = True

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the training words."""
        words = evidence.words
        moments = class_moments(words.train.x, words.train.targets, words.n_classes)
        present = moments.counts > 0
        distance = np.where(present[:, None], np.abs(moments.means - moments.rest), 0.0)
        span = moments.high - moments.low
        tags = np.divide(distance, span, out=np.zeros_like(distance), where=span > 0)
        return Ranking.of_scores(self.name, tags[present].mean(axis=0), tags)
