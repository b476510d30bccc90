"""Flip rates, accuracy drops and their differences, each with an interval and a test.

Rates have Wilson's interval. What compares the same texts with and without a trigger, or with two
triggers, is resampled by texts, paired; for outcomes of -1, 0 and 1 that is drawing how often each
occurs. Methods are compared over groups of triggers, as triggers of one concept go together, and
groups that share words (`units`) are resampled and exchanged together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest, norm, rankdata


class Interval(NamedTuple):
    """A number with the ends of its confidence interval.

    Parameters
    ----------
    value, low, high : float
        Not a number where there is nothing to measure.
    """

    value: float
    low: float
    high: float


NOTHING = Interval(float("nan"), float("nan"), float("nan"))


class Compared(NamedTuple):
    """A difference with its interval and the p-value of none.

    Parameters
    ----------
    value, low, high : float
        The difference.
    p : float
        Two-sided.
    """

    value: float
    low: float
    high: float
    p: float


def rate(hits: int, n: int, confidence: float = 0.95) -> Interval:
    """Return a share with Wilson's interval."""
    if n == 0:
        return NOTHING
    low, high = wilson(np.array(hits), np.array(n), confidence)
    return Interval(hits / n, float(low), float(high))


def wilson(hits: np.ndarray, n: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of Wilson's intervals of shares; not numbers where `n` is 0.

    Parameters
    ----------
    hits, n : numpy.ndarray of int
        The shares, as hits of n.
    confidence : float
        Level of the intervals.
    """
    z2 = norm.ppf((1 + confidence) / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (hits + z2 / 2) / (n + z2)
        half = np.sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2)
        low = np.where(hits == 0, 0.0, centre - half)
        high = np.where(hits == n, 1.0, centre + half)
    nothing = n == 0
    return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)


def paired_mean(
    differences: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean of differences of -1, 0 and 1 with its bootstrap interval.

    Parameters
    ----------
    differences : numpy.ndarray of int, shape (n,)
        One for each text.
    resamples, confidence, seed : int, float, int
        Of the bootstrap.
    """
    n = len(differences)
    if n == 0:
        return NOTHING
    counts = np.array([(differences == value).sum() for value in (-1, 0, 1)])
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, resamples)
    means = (drawn[:, 2] - drawn[:, 0]) / n
    return Interval(float((counts[2] - counts[0]) / n), *_ends(means, confidence))


def paired_rates(
    a: np.ndarray, b: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Compared:
    """Compare two triggers by which of the same texts they flip: McNemar's exact test.

    Parameters
    ----------
    a, b : numpy.ndarray of bool, shape (n,)
        Which texts each flips.
    resamples, confidence, seed : int, float, int
        Of the bootstrap.
    """
    differences = a.astype(int) - b.astype(int)
    found = paired_mean(differences, resamples=resamples, confidence=confidence, seed=seed)
    alone = int((differences == 1).sum()), int((differences == -1).sum())
    p = float(binomtest(alone[0], sum(alone), 0.5).pvalue) if sum(alone) else 1.0
    return Compared(*found, p if len(a) else float("nan"))


def group_means(
    a: np.ndarray,
    b: np.ndarray,
    units_a: np.ndarray | None = None,
    units_b: np.ndarray | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Compared:
    """Compare the mean of two sets of groups: bootstrap interval, p by exchanging units at random.

    Parameters
    ----------
    a, b : numpy.ndarray of float, shapes (n_a,) and (n_b,)
        A value of each group: the mean flip rate of its triggers.
    units_a, units_b : numpy.ndarray of int, shapes (n_a,) and (n_b,), optional
        Groups of one number are resampled and exchanged together; each by itself when not given.
    resamples : int
        Draws of both.
    confidence, seed : float, int
        Of the interval; of both.

    Returns
    -------
    Compared
        The difference of the means over groups. Without interval and p where either side has
        fewer than two units: nothing can be exchanged.
    """
    if not len(a) or not len(b):
        return Compared(*NOTHING, float("nan"))
    observed = float(a.mean() - b.mean())
    x, y = _of_units(a, units_a), _of_units(b, units_b)
    n = len(x)
    if min(n, len(y)) < 2:
        return Compared(observed, *NOTHING[1:], float("nan"))
    rng = np.random.default_rng(seed)
    drawn = [one[rng.integers(len(one), size=(resamples, len(one)))] for one in (x, y)]
    differences = _ratio(drawn[0]) - _ratio(drawn[1])
    pooled = np.concatenate([x, y])
    mixed = pooled[rng.permuted(np.tile(np.arange(len(pooled)), (resamples, 1)), axis=1)]
    apart = _ratio(mixed[:, :n]) - _ratio(mixed[:, n:])
    reached = int((np.abs(apart) >= abs(observed) - 1e-12).sum())
    p = (1 + reached) / (1 + resamples)
    return Compared(observed, *_ends(differences, confidence), p)


def rank_correlation(
    trait: np.ndarray,
    strength: np.ndarray,
    strata: np.ndarray | None = None,
    units: np.ndarray | None = None,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return Spearman's correlation with its bootstrap interval; nothing of fewer than four units.

    Parameters
    ----------
    trait, strength : numpy.ndarray of float, shape (n,)
        Of each concept; those without a trait are left out.
    strata : numpy.ndarray, shape (n,), optional
        Ranks are taken within each (a class is easier to flip to than another), and resampled
        within it too.
    units : numpy.ndarray, shape (n,), optional
        Concepts of one stratum and unit are resampled together; each by itself when not given.
    resamples, confidence, seed : int, float, int
        Of the bootstrap over units.
    """
    known = np.isfinite(trait) & np.isfinite(strength)
    strata = np.zeros(len(trait), int) if strata is None else strata
    units = np.arange(len(trait)) if units is None else units
    trait, strength, strata, units = (of[known] for of in (trait, strength, strata, units))
    places = [
        [np.flatnonzero(here & (units == unit)) for unit in np.unique(units[here])]
        for here in (strata == stratum for stratum in np.unique(strata))
    ]
    if sum(map(len, places)) < 4:
        return NOTHING
    value = _correlation(trait, strength, strata)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(resamples):
        picked = [here[at] for here in places for at in rng.integers(len(here), size=len(here))]
        rows = np.concatenate(picked)
        drawn.append(_correlation(trait[rows], strength[rows], strata[rows]))
    drawn = np.array(drawn)[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(drawn):
        return NOTHING
    return Interval(value, *_ends(drawn, confidence))


def _correlation(trait: np.ndarray, strength: np.ndarray, strata: np.ndarray) -> float:
    x, y = np.empty(len(trait)), np.empty(len(trait))
    for number in np.unique(strata):
        here = strata == number
        for ranks, values in ((x, trait), (y, strength)):
            ranks[here] = (rankdata(values[here]) - (here.sum() + 1) / 2) / here.sum()
    size = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / size) if size > 0 else float("nan")


def _of_units(values: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """Return sum and number of the values of each unit, shape (n_units, 2)."""
    at = np.arange(len(values)) if units is None else np.unique(units, return_inverse=True)[1]
    return np.stack([np.bincount(at, values), np.bincount(at)], 1)


def _ratio(drawn: np.ndarray) -> np.ndarray:
    """Return the mean over groups of drawn units, from shape (resamples, n_units, 2)."""
    total = drawn.sum(1)
    return total[:, 0] / total[:, 1]


def _ends(drawn: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
