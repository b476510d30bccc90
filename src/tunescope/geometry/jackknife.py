"""Intervals from leaving out groups of sentences in turn.

A bootstrap over sentences would need the d x d sums of every sentence; the delete-a-group jackknife
needs those of about 20 groups. Groups differ in their number of words, so that each counts by its
size (delete-m_j jackknife, Busing, Meijer and van der Leeden 1999).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import t


def standard_error(value: float, left_out: np.ndarray, sizes: np.ndarray) -> float:
    """Estimate a measure's standard error.

    Parameters
    ----------
    value : float
        The measure on all words.
    left_out : numpy.ndarray, shape (G,)
        The measure without each group.
    sizes : numpy.ndarray of int, shape (G,)
        Words of each group.
    """
    n, groups = sizes.sum(), len(sizes)
    h = n / sizes
    centre = groups * value - float(((1 - sizes / n) * left_out).sum())
    pseudo = h * value - (h - 1) * left_out
    return float(np.sqrt(np.mean(np.square(pseudo - centre) / (h - 1))))


def interval(
    value: float,
    left_out: np.ndarray,
    sizes: np.ndarray,
    *,
    confidence: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[float, float]:
    """Return a confidence interval around a measure.

    Parameters
    ----------
    value, left_out, sizes
        As for `standard_error`.
    confidence : float
        Level; the half width is Student's quantile, with G - 1 degrees of freedom, times the
        standard error.
    bounds : tuple of float
        Range of the measure; the interval ends there.

    Returns
    -------
    low, high : float
    """
    width = standard_error(value, left_out, sizes) * t.ppf((1 + confidence) / 2, len(sizes) - 1)
    return max(value - float(width), bounds[0]), min(value + float(width), bounds[1])
