"""Which words a prediction rests on: the fewest that hold a share of the attribution mass.

The mass of a word is its absolute attribution. "Half the mass" is half of the sum of these, of the
scores as they are: scores divided by their Euclidean norm add up to more than 1, and half of *that*
is reached too early, by the first word or two of most texts.
"""

from __future__ import annotations

import numpy as np


def salient(attributions: np.ndarray, mass: float) -> np.ndarray:
    """Choose the fewest words that together hold a share of the absolute attribution.

    Parameters
    ----------
    attributions : numpy.ndarray, shape (n_words,)
        Of words, of either sign; special tokens left out.
    mass : float
        The share, in [0, 1].

    Returns
    -------
    numpy.ndarray of bool, shape (n_words,)
        Of words with equal mass, the earlier one comes first. None where all attributions, or the
        mass asked for, are 0.

    Examples
    --------
    >>> salient(np.array([3.0, -2.0, 2.0, 2.0, 1.0]), 0.5).tolist()
    [True, True, False, False, False]
    """
    size = np.abs(attributions)
    chosen = np.zeros(len(size), bool)
    total = size.sum()
    if total > 0 and mass > 0:
        order = np.argsort(-size, kind="stable")
        held = np.cumsum(size[order])
        # the slack keeps a share that is met exactly but for rounding
        n = int(np.searchsorted(held, mass * total * (1 - 1e-9))) + 1
        chosen[order[:n]] = True
    return chosen & (size > 0)
