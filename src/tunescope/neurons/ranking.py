"""An order of neurons, overall and for each label, whatever ranked them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunescope.neurons.words import LabelledWords


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a ranking may look at.

    Parameters
    ----------
    words : LabelledWords
        Training and dev words with d neurons and K labels. Test words are not for rankings.
    coefficients : numpy.ndarray, shape (K, d)
        Of the elastic-net probe fitted to the training words.
    others : tuple of LabelledWords
        The same words in other models, for rankings across models.
    seed : int
        For rankings that draw.
    """

    words: LabelledWords
    coefficients: np.ndarray
    others: tuple[LabelledWords, ...] = ()
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Ranking:
    """Neurons from the most to the least telling.

    Parameters
    ----------
    name : str
        Of the method.
    order : numpy.ndarray of int, shape (d,)
        All neurons (columns of `LabelledWords`), the best first.
    scores : numpy.ndarray, shape (d,)
        Score of each neuron, higher is better; it falls along `order`.
    tag_orders : numpy.ndarray of int, shape (K, d)
        The same for each label alone.
    tag_scores : numpy.ndarray, shape (K, d)
        Score of each neuron for each label.
    """

    name: str
    order: np.ndarray
    scores: np.ndarray
    tag_orders: np.ndarray
    tag_scores: np.ndarray

    @classmethod
    def of_scores(cls, name: str, scores: np.ndarray, tag_scores: np.ndarray) -> Ranking:
        """Order by falling score; equal scores in the order of the neurons."""
        return cls(
            name, falling(scores), scores, np.stack([falling(row) for row in tag_scores]),
            tag_scores,
        )  # fmt: skip

    def top(self, n: int) -> np.ndarray:
        """Return the n best neurons, best first."""
        return self.order[:n]

    def bottom(self, n: int) -> np.ndarray:
        """Return the n worst neurons, worst first."""
        return self.order[::-1][:n]


def falling(scores: np.ndarray) -> np.ndarray:
    """Return places by falling score; ties keep their order, but for those with score 0.

    Nothing tells neurons of score 0 apart. In order of columns, the last of them would all be of
    the last layer, and so would be a ranking's bottom neurons: they are scattered, always in the
    same way.
    """
    return np.lexsort((scattered(scores == 0), -scores))


def scattered(nothing: np.ndarray) -> np.ndarray:
    """Return keys that keep the order of columns, except where `nothing` tells them apart."""
    keys = np.arange(len(nothing))
    return np.where(nothing, np.random.default_rng(0).permutation(len(nothing)), keys)
