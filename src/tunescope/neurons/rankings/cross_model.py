"""Neurons that other models have too (Bau et al. 2019, arXiv 1811.01157; Dalvi et al. 2019).

A neuron counts for more when other models, trained apart, came to have one like it. No labels are
looked at, so the scores for every label are the overall ones. Rankings see the training words,
which are the same words in every model; sums run over blocks of words and of neurons.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tunescope.errors import InputError, MismatchError
from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.words import LabelledWords

_COLUMNS = 2048
"""Neurons whose correlations with all of another model are held at once: 160 MiB for 10,000."""


@dataclass(frozen=True)
class _CrossModelRanking(RankingMethod):
    needs_others: ClassVar[bool] = True

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the training words of all models."""
        words = evidence.words
        if not evidence.others:
            raise InputError(
                f"ranking {self.name!r} compares models: give at least one other model"
            )
        for other in evidence.others:
            same = np.array_equal(other.train.forms, words.train.forms)
            if not same or not np.array_equal(other.train.sentences, words.train.sentences):
                raise MismatchError(
                    f"ranking {self.name!r}: {other.model} and {words.model} are not on the same "
                    "words: extract both from one corpus and use words that are valid in both"
                )
        scores = self.score(words, evidence.others)
        tags = np.tile(scores, (words.n_classes, 1))
        return Ranking.of_scores(self.name, scores, tags)

    def score(self, words: LabelledWords, others: tuple[LabelledWords, ...]) -> np.ndarray:
        """Score the neurons, shape (d,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class MaxCorrRanking(_CrossModelRanking):
    """Largest absolute correlation with any neuron of any other model."""

    name: ClassVar[str] = "max_corr"
    scale_free: ClassVar[bool] = True

    def score(self, words: LabelledWords, others: tuple[LabelledWords, ...]) -> np.ndarray:
        """Score the neurons, from 0 to 1."""
        return np.max([largest_correlations(words, other) for other in others], axis=0)


@dataclass(frozen=True)
class MinCorrRanking(_CrossModelRanking):
    """Largest absolute correlation with a neuron of that model in which it is smallest."""

    name: ClassVar[str] = "min_corr"
    scale_free: ClassVar[bool] = True

    def score(self, words: LabelledWords, others: tuple[LabelledWords, ...]) -> np.ndarray:
        """Score the neurons, from 0 to 1."""
        return np.min([largest_correlations(words, other) for other in others], axis=0)


@dataclass(frozen=True)
class LinRegRanking(_CrossModelRanking):
    """How badly all neurons of another model predict the neuron, negated.

    The error is the mean squared one of least squares on z-scored neurons, 0 (score 0) to 1 (score
    -1), of the model that predicts the neuron best. It is measured on the words fitted to.

    Parameters
    ----------
    ridge : float
        Added to the variances (which are 1) of the predicting neurons: some are nearly sums of
        others, and words may be fewer than neurons.
    """

    name: ClassVar[str] = "lin_reg"
    scale_free: ClassVar[bool] = True
    ridge: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ridge <= 0:
            raise InputError(f"ranking 'lin_reg': ridge = {self.ridge} must be above 0")

    def score(self, words: LabelledWords, others: tuple[LabelledWords, ...]) -> np.ndarray:
        """Score the neurons, from -1 to 0."""
        return np.max([-regression_errors(words, other, self.ridge) for other in others], axis=0)


def largest_correlations(words: LabelledWords, other: LabelledWords) -> np.ndarray:
    """Return each neuron's largest |Pearson correlation| with one of another model, shape (d,).

    A constant neuron correlates with none.
    """
    found = [np.abs(part).max(axis=1) for _, part in _correlations(words, other)]
    return np.minimum(np.concatenate(found), 1.0)


def regression_errors(words: LabelledWords, other: LabelledWords, ridge: float) -> np.ndarray:
    """Return 1 - R^2 of each neuron regressed on all of another model, shape (d,).

    The regression is fitted to the training words; with fewer than twice as many of these as the
    other model has neurons it would fit noise.

    Raises
    ------
    InputError
        If there are so few training words.

    Memory: the correlations of the other model's neurons, 8 d'^2 bytes (800 MB for 10,000).
    """
    if len(words.train) < 2 * other.n_neurons:
        raise InputError(
            f"ranking 'lin_reg': {len(words.train)} training words for {other.n_neurons} neurons "
            "to regress on fit noise: give more words, or leave it out of rankings"
        )
    gram = np.empty((other.n_neurons, other.n_neurons))
    for columns, part in _correlations(other, other):
        gram[columns] = part
    gram[np.diag_indices_from(gram)] += ridge
    factor = cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    alive = _scaling(words)[1] > 0
    errors = []
    for _, part in _correlations(words, other):
        weights = cho_solve(factor, part.T, check_finite=False)
        # |x - yw|^2 = 1 - 2 c'w + w'Gw, and (G + ridge) w = c
        explained = (part.T * weights).sum(axis=0) + ridge * np.square(weights).sum(axis=0)
        errors.append(1 - explained)
    return np.where(alive, np.clip(np.concatenate(errors), 0, 1), 1.0)


def _correlations(words: LabelledWords, other: LabelledWords) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (slice of neurons, their correlations with all of the other model, float64)."""
    mean, scale = _scaling(words)
    other_mean, other_scale = _scaling(other)
    n, d = words.train.x.shape
    size = max(256, (1 << 23) // max(d, other.n_neurons))
    for start in range(0, d, _COLUMNS):
        columns = slice(start, min(start + _COLUMNS, d))
        x = words.train.x.columns(columns)
        total = np.zeros((x.shape[1], other.n_neurons))
        for rows, block in x.blocks(size):
            left = (block - mean[columns]) * scale[columns]
            right = (other.train.x[rows] - other_mean) * other_scale
            total += left.T @ right
        yield columns, total / n


def _scaling(words: LabelledWords) -> tuple[np.ndarray, np.ndarray]:
    """Return means and reciprocal deviations (0 for a constant neuron), float32."""
    mean, deviation = words.moments
    scale = np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return mean.astype(np.float32), scale.astype(np.float32)
