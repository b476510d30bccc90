"""What alignment counts would be by chance: permutations beside every count.

Three permutations, one for each use of the alignment function. Each breaks the link that the count
claims and keeps what would produce counts by itself:

- base with tuned: one clustering is permuted over occurrences, so sizes of concepts stay; or, the
  stricter null, whole word types change places in it, so that concepts stay as lexical as they are;
- labels: word types exchange their labels whole. A type tends to carry one label and concepts tend
  to hold all occurrences of a type; permuting labels over single occurrences would break that too,
  and nearly every lexical cluster would look like a finding. This null is the stricter one;
- classes: sentences exchange their classes, so words of one sentence stay together.

All draws of a count share their generator's seed over layers and models: the same permutations are
applied everywhere, which makes the nulls of two layers comparable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Null:
    """A count beside its null distribution.

    Parameters
    ----------
    mean : float
        Mean of the null draws.
    high : float
        Their upper quantile, at (1 + confidence) / 2.
    p : float
        (1 + number of draws that reach the observed count) / (1 + number of draws).
    """

    mean: float
    high: float
    p: float


def compare(observed: float, draws: np.ndarray, confidence: float = 0.95) -> Null:
    """Hold a count against the counts under permutation.

    Parameters
    ----------
    observed : float
        The count.
    draws : numpy.ndarray, shape (n_permutations,)
        The same count, computed on permuted data.
    confidence : float
        `high` bounds the central interval of this probability from above.
    """
    reached = int((draws >= observed).sum())
    high = float(np.quantile(draws, (1 + confidence) / 2))
    return Null(float(draws.mean()), high, (1 + reached) / (1 + len(draws)))


def orders(n: int, draws: int, seed: int, among: np.ndarray | None = None) -> np.ndarray:
    """Draw random orders of `n` things.

    Parameters
    ----------
    n : int
        Number of things.
    draws : int
        Number of orders.
    seed : int
        The same seed and things give the same orders.
    among : numpy.ndarray of int, optional
        The things that change places; all when not given.

    Returns
    -------
    numpy.ndarray of int32, shape (draws, n)
        In draw d, thing i takes what thing `orders[d, i]` has.
    """
    rng = np.random.default_rng(seed)
    among = np.arange(n) if among is None else among
    out = np.tile(np.arange(n, dtype=np.int32), (draws, 1))
    for row in out:
        row[among] = rng.permutation(among)
    return out


def type_orders(types: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Draw random orders of occurrences that exchange whole word types.

    Types change places with types of the same number of occurrences, so that whatever the
    occurrences carry keeps its frequency exactly. A type whose number of occurrences no other has
    stays, which makes the null slightly harder to beat.

    Parameters
    ----------
    types : numpy.ndarray of int, shape (n_words,)
        Word type of each occurrence.
    draws : int
        Number of orders.
    seed : int
        The same seed and types give the same orders.

    Returns
    -------
    numpy.ndarray of int32, shape (draws, n_words)
        As in `orders`.
    """
    rng = np.random.default_rng(seed)
    blocks = _same_frequency(types)
    out = np.tile(np.arange(len(types), dtype=np.int32), (draws, 1))
    for row in out:
        for block in blocks:
            row[block] = rng.permutation(block)
    return out


def permuted(values: np.ndarray, n: int, seed: int) -> Iterator[np.ndarray]:
    """Yield `n` random orders of `values`: clusters over occurrences, classes over sentences.

    Parameters
    ----------
    values : numpy.ndarray, shape (n_values,)
        Negative values (sentences without a class) stay where they are.
    n : int
        Number of permutations.
    seed : int
        The same seed and shape give the same permutations.
    """
    for order in orders(len(values), n, seed, np.flatnonzero(values >= 0)):
        yield values[order]


def permuted_types(codes: np.ndarray, types: np.ndarray, n: int, seed: int) -> Iterator[np.ndarray]:
    """Yield labels with whole word types exchanged (`type_orders`), `n` times.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n_words,)
        Label of each occurrence; -1 where it has none (this moves along).
    types : numpy.ndarray of int, shape (n_words,)
        Word type of each occurrence.
    n : int
        Number of permutations.
    seed : int
        The same seed and types give the same permutations.
    """
    for order in type_orders(types, n, seed):
        yield codes[order]


def _same_frequency(types: np.ndarray) -> list[np.ndarray]:
    """Occurrences by type, one array of shape (n_types, count) for each count that types have."""
    order = np.argsort(types, kind="stable")
    counts = np.bincount(types)
    starts = np.cumsum(counts) - counts
    return [
        order[starts[counts == count][:, None] + np.arange(count)]
        for count in np.unique(counts[counts > 0])
    ]
