"""Mean absolute weight of the probe over the labels (arXiv 2206.13288)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.method import RankingMethod


@dataclass(frozen=True)
class LinearRanking(RankingMethod):
    """Mean over the labels of the absolute weight; for one label its absolute weight."""

    name: ClassVar[str] = "linear"
    needs_probe: ClassVar[bool] = True

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the probe's coefficients."""
        weights = np.abs(evidence.coefficients)
        return Ranking.of_scores(self.name, weights.mean(axis=0, dtype=np.float64), weights)
