"""A random order: what any other ranking has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.method import RankingMethod


@dataclass(frozen=True)
class RandomRanking(RankingMethod):
    """Uniform scores from `Evidence.seed`, drawn anew for every label."""

    name: ClassVar[str] = "random"
    scale_free: ClassVar[bool] = True

    def __call__(self, evidence: Evidence) -> Ranking:
        """Draw the scores."""
        rng = np.random.default_rng(evidence.seed)
        shape = evidence.words.n_classes, evidence.words.n_neurons
        return Ranking.of_scores(self.name, rng.random(shape[1]), rng.random(shape))
