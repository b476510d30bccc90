"""The word types a neuron answers to most, as NeuroX defines them (its `get_top_words`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tunescope.errors import InputError

THRESHOLD = 0.1


@dataclass(frozen=True, eq=False)
class WordTypes:
    """Words as numbers, grouped by type, so that many neurons are summed up type by type.

    Parameters
    ----------
    names : numpy.ndarray of object, shape (n_types,)
        The different words, sorted.
    counts : numpy.ndarray of int, shape (n_types,)
        Words of each type.
    order : numpy.ndarray of int, shape (n,)
        Words sorted by type; those of one type in the order of the text.
    starts : numpy.ndarray of int, shape (n_types,)
        Place in `order` of the first word of each type.
    """

    names: np.ndarray
    counts: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, forms: Sequence[str] | np.ndarray) -> WordTypes:
        """Group words; two are of one type when they are written the same."""
        codes, names = pd.factorize(np.asarray(forms, dtype=object), sort=True)
        counts = np.bincount(codes, minlength=len(names))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        return cls(np.asarray(names, object), counts, np.argsort(codes, kind="stable"), starts)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Return the mean over each type, shape (n_types,), of values in the order of `order`."""
        return np.add.reduceat(values, self.starts) / self.counts

    def highest(self, values: np.ndarray, most: int) -> np.ndarray:
        """Return the words with the highest values, at most one of each type, highest first.

        Parameters
        ----------
        values : numpy.ndarray, shape (n,)
            One value per word. Of equal ones the first type, and in it the first word, is taken.
        most : int
            How many.
        """
        sorted_ = values[self.order]
        best = np.maximum.reduceat(sorted_, self.starts)
        chosen = np.argsort(-best, kind="stable")[:most]
        spans = zip(chosen, self.starts[chosen], self.counts[chosen], strict=True)
        places = [start + int(np.argmax(sorted_[start : start + n])) for _, start, n in spans]
        return self.order[np.array(places, np.int64)]


def top_words(
    values: np.ndarray,
    forms: WordTypes | Sequence[str] | np.ndarray,
    *,
    threshold: float = THRESHOLD,
    min_count: int = 1,
    prior: float = 0.0,
    most: int | None = None,
) -> pd.DataFrame:
    """Rank word types by how far from its mean they drive a neuron.

    A word's score is |a - mean| / std over all words; a type's, the mean over its words, divided by
    the largest of all types kept. The defaults are NeuroX's, where one odd word can lead: a type
    that occurs once has no other score than that word's. `min_count` leaves such types out,
    `prior` draws them towards the mean of all words.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Activation of each word; finite.
    forms : WordTypes or sequence of str, length n
        The words.
    threshold : float
        Only types with a larger strength are returned.
    min_count : int
        Types with fewer words are left out.
    prior : float
        Each type's mean is taken with so many more words that have the mean score of all words.
    most : int, optional
        At most so many types.

    Returns
    -------
    pandas.DataFrame
        `word`, `count`, `strength` (in (0, 1], falling), `z` (mean of (a - mean) / std with its
        sign) and `mean` (of the activations). Of equal strength, the more frequent type comes
        first, then the alphabet decides. No rows for a neuron that never changes.

    Raises
    ------
    InputError
        If `min_count` is below 1, or `prior` below 0.
    """
    if min_count < 1 or prior < 0:
        raise InputError(
            f"top words: min_count = {min_count} must be 1 or more, prior = {prior} 0 or more"
        )
    types = forms if isinstance(forms, WordTypes) else WordTypes.of(forms)
    values = np.asarray(values, np.float64)
    z = zscores(values)[types.order]
    away = np.abs(z)
    score = (types.counts * types.means(away) + prior * away.mean()) / (types.counts + prior)
    kept = np.flatnonzero(types.counts >= min_count)
    largest = score[kept].max(initial=0.0)
    strength = score[kept] / largest if largest > 0 else np.zeros(len(kept))
    order = np.lexsort((-types.counts[kept], -strength))
    order = order[strength[order] > threshold][:most]
    chosen = kept[order]
    signed = types.means(z)[chosen]
    return pd.DataFrame(
        {
            "word": types.names[chosen].astype(object),
            "count": types.counts[chosen].astype(np.int64),
            "strength": strength[order],
            "z": signed,
            "mean": values.mean() + values.std() * signed,
        }
    )


def zscores(values: np.ndarray) -> np.ndarray:
    """Return (a - mean) / std over all words, float64; 0 where the activation never changes."""
    values = np.asarray(values, np.float64)
    mean, deviation = values.mean(), values.std()
    # Rounding alone gives a constant neuron some deviation.
    constant = deviation <= 1e-6 * abs(mean)
    return np.zeros_like(values) if constant else (values - mean) / deviation
