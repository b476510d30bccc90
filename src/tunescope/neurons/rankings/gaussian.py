"""Gaussian ranking: neurons that together tell the labels apart (Torroba Hennigen et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunescope.errors import InputError
from tunescope.neurons.ranking import Evidence, Ranking, falling
from tunescope.neurons.rankings.gaussian_model import floored_variances
from tunescope.neurons.rankings.gaussian_selection import Criterion, select
from tunescope.neurons.rankings.method import RankingMethod
from tunescope.neurons.rankings.moments import ClassMoments, class_moments
from tunescope.neurons.words import sample_sentences

_WORK = 2_000_000_000
"""Densities (held-out words x labels x candidates) per step: some five seconds of one core."""

_STATE = 1 << 26
"""Values of the Cholesky factors (labels x neurons chosen x candidates): 512 MiB."""


@dataclass(frozen=True)
class GaussianRanking(RankingMethod):
    """Greedy forward selection by held-out labels, then the others by what each tells alone.

    The first `n_neurons` are those that `gaussian_selection` chooses on the dev words (on the
    training words where there are none); the other candidates follow by the same criterion for each
    alone, and neurons that were no candidates by their gain (below). Scores are places: d for the
    first, 1 for the last. The order does not depend on the neurons' scale.

    For one label neurons are ordered by their gain in log-likelihood per training word, in nats,
    from one Gaussian for all words to two, one for the label's words and one for the rest. (A
    greedy selection for every label would cost twice that of all labels together, and as many
    passes over the training words as there are labels for every neuron chosen.)

    Parameters
    ----------
    n_neurons : int
        Neurons to select greedily.
    criterion : {"likelihood", "mutual_information"}
        See `gaussian_selection.select`.
    held_out : int or None
        Select on at most so many dev words, whole sentences drawn at random; None takes all. The
        time of a selection grows with them.
    candidates : int, optional
        Neurons that are considered, those with the largest gain for all labels. When not given all,
        or as many as keep a step below 2e9 densities and the factors below 512 MiB.
    all_dimensions : bool
        Whether D of the prior is the number of all neurons, as in the authors' code, instead of
        that of the neurons in use; see `gaussian_model`.
    """

    name: ClassVar[str] = "gaussian"
    scale_free: ClassVar[bool] = True
    n_neurons: int = 50
    criterion: Criterion = "likelihood"
    held_out: int | None = 10_000
    candidates: int | None = None
    all_dimensions: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_neurons < 1 or (self.candidates is not None and self.candidates < 1):
            raise InputError("ranking 'gaussian': n_neurons and candidates must be at least 1")

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the training and dev words."""
        words = evidence.words
        d = words.n_neurons
        moments = class_moments(words.train.x, words.train.targets, words.n_classes)
        gain = gains(moments)
        held_out = words.dev if (words.dev.targets >= 0).any() else words.train
        held_out = sample_sentences(held_out, self.held_out, evidence.seed)
        wanted = min(self._limit(len(held_out), words.n_classes), d)
        candidates = np.sort(falling(gain)[:wanted])
        chosen = select(
            (words.train.x.columns(candidates), words.train.targets),
            (held_out.x.columns(candidates), held_out.targets),
            ClassMoments(
                moments.counts, moments.means[:, candidates], moments.variances[:, candidates],
                moments.low[candidates], moments.high[candidates],
            ),
            min(self.n_neurons, wanted),
            criterion=self.criterion,
            dimensions=d if self.all_dimensions else None,
        )  # fmt: skip
        first = candidates[chosen.chosen]
        then = candidates[falling(chosen.alone)]
        order = _append(_append(first, then), falling(gain))
        scores = np.empty(d)
        scores[order] = np.arange(d, 0, -1)
        tags = tag_gains(moments)
        return Ranking(self.name, order, scores, np.stack([falling(row) for row in tags]), tags)

    def _limit(self, n_words: int, n_classes: int) -> int:
        """Return how many candidates there may be."""
        if self.candidates is not None:
            return self.candidates
        least = self.n_neurons
        by_work = _WORK // max(1, n_words * n_classes)
        return max(least, min(by_work, _STATE // (n_classes * self.n_neurons)))


def _append(order: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Append what is not in the order yet."""
    return np.concatenate([order, more[~np.isin(more, order)]])


def gains(moments: ClassMoments) -> np.ndarray:
    """Log-likelihood per word gained by one Gaussian per label instead of one for all, shape (d,).

    In closed form from the variances: the logarithm of that of all words less the mean of those of
    the labels, halved; in nats.
    """
    shares = moments.counts / moments.counts.sum()
    alive = moments.variance > 0
    total = np.where(alive, moments.variance, 1.0)
    return np.where(alive, (np.log(total) - shares @ np.log(floored_variances(moments))) / 2, 0.0)


def tag_gains(moments: ClassMoments) -> np.ndarray:
    """Return the same gain for each label against the rest, shape (K, d)."""
    n, counts = moments.counts.sum(), moments.counts[:, None]
    total, mean = moments.variance, moments.mean
    own = floored_variances(moments)
    # Mean squares around the mean of all words, then around that of the rest.
    squares = moments.variances + np.square(moments.means - mean)
    others = np.maximum(n - counts, 1)
    rest = (n * total - counts * squares) / others - np.square(moments.rest - mean)
    rest = np.maximum(rest, total / others)
    share = counts / n
    total = np.where(total > 0, total, 1.0)
    rest = np.where(rest > 0, rest, 1.0)
    gain = (np.log(total) - share * np.log(own) - (1 - share) * np.log(rest)) / 2
    return np.where((moments.variance > 0) & (counts > 0), gain, 0.0)
