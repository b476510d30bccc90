"""How a neuron's activations lie for each value of a label, and how well they tell it apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
QUANTILE_NAMES = ("q05", "q25", "q50", "q75", "q95")
TWO_SIDED = 1.959964


@dataclass(frozen=True, eq=False)
class Tagged:
    """Labels of words as numbers.

    Parameters
    ----------
    names : numpy.ndarray of object, shape (K,)
        The different labels, sorted.
    codes : numpy.ndarray of int, shape (n,)
        Number of each word's label; -1 where it has none.
    """

    names: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, labels: Sequence[str | None] | np.ndarray) -> Tagged:
        """Give labels numbers; None is no label."""
        codes, names = pd.factorize(np.asarray(labels, dtype=object), sort=True)
        # Small integers are sorted in linear time.
        small = codes.astype(np.int16) if len(names) < 1 << 15 else codes
        return cls(np.asarray(names, object), small)


def tag_values(
    values: np.ndarray,
    labels: Tagged | Sequence[str | None] | np.ndarray,
    *,
    rising: np.ndarray | None = None,
) -> pd.DataFrame:
    """Sum up the activations of each label's words, and compare them with all other words'.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Activation of each word; finite.
    labels : Tagged or sequence of str or None, length n
        Label of each word; those without one are left out.
    rising : numpy.ndarray of int, shape (n,), optional
        `np.argsort(values)`, where it is known: several label columns share it.

    Returns
    -------
    pandas.DataFrame
        One row per label, the best separated first: `tag`, `n` (words), `mean`, `sd`, the quantiles
        `q05`, `q25`, `q50`, `q75`, `q95`; `auc`, the probability that a word of the label has a
        higher activation than another labelled word (equal ones count half); `direction`
        ("higher" or "lower" than the rest); `separation`, the larger of auc and 1 - auc; `chance`,
        the separation that so many words drawn at random exceed one time in twenty (normal
        approximation of the rank-sum statistic). Rows are sorted by separation - chance, so that
        a label of two words does not lead. AUC, separation and chance are NaN where all words
        have one label.
    """
    tagged = labels if isinstance(labels, Tagged) else Tagged.of(labels)
    values = np.asarray(values, np.float64)
    rising = np.argsort(values) if rising is None else rising
    codes, values = tagged.codes[rising], values[rising]
    labelled = codes >= 0
    codes, values = codes[labelled], values[labelled]
    n_all, n_tags = len(values), len(tagged.names)
    n = np.bincount(codes, minlength=n_tags)
    rank_sum = np.bincount(codes, _ranks(values), n_tags)
    with np.errstate(divide="ignore", invalid="ignore"):
        auc = (rank_sum - n * (n + 1) / 2) / (n * (n_all - n))
        chance = 0.5 + TWO_SIDED * np.sqrt((n_all + 1) / (12.0 * n * (n_all - n)))
    auc[n == n_all] = chance[n == n_all] = np.nan
    separation = np.maximum(auc, 1 - auc)
    # Each label's activations, rising.
    by_tag = values[np.argsort(codes, kind="stable")]
    parts = np.split(by_tag, np.cumsum(n)[:-1]) if n_tags else []
    quantiles = np.array([_quantiles(part) for part in parts]).reshape(n_tags, len(QUANTILES))
    table = pd.DataFrame(
        {
            "tag": tagged.names.astype(object),
            "n": n.astype(np.int64),
            "mean": [part.mean() for part in parts],
            "sd": [part.std() for part in parts],
            **dict(zip(QUANTILE_NAMES, quantiles.T, strict=True)),
            "auc": auc,
            "direction": np.select([auc >= 0.5, auc < 0.5], ["higher", "lower"], "").astype(object),
            "separation": separation,
            "chance": np.minimum(chance, 1.0),
        }
    )
    order = np.argsort(-np.nan_to_num(separation - chance), kind="stable")
    return table.iloc[order].reset_index(drop=True)


def _ranks(rising: np.ndarray) -> np.ndarray:
    """Return the ranks of sorted values from 1; equal values share their mean rank."""
    new = np.concatenate([[True], rising[1:] != rising[:-1]]) if len(rising) else np.zeros(0, bool)
    bounds = np.append(np.flatnonzero(new), len(rising))
    return np.repeat((bounds[:-1] + bounds[1:] + 1) / 2, np.diff(bounds))


def _quantiles(rising: np.ndarray) -> np.ndarray:
    """Return the quantiles of sorted values, interpolated between neighbours as NumPy does."""
    place = np.array(QUANTILES) * (len(rising) - 1)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, len(rising) - 1)
    return rising[below] + (place - below) * (rising[above] - rising[below])
