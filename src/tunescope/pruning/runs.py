"""Scores of models tuned with several seeds, on the same dev texts.

Two things vary: which texts happen to be in the dev set, and what a seed makes of training.
Intervals hold for both, in the way of `tunescope.probes.statistics.seeds_interval`: texts are drawn
anew, for all seeds together, and each mean is moved by the error that a mean over so few seeds has.

The test of one model against another asks of these runs whether it could as well have been the
other that said what one said of a text: what both said is swapped, for all seeds of a text at once
(approximate randomisation, Noreen 1989; with one seed and accuracy all swaps are counted, McNemar
1947). It speaks of these runs on other texts, not of other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tunescope.probes.statistics import seeds_interval, sign_flip_test
from tunescope.tasks.metrics import METRICS, interval, paired_test, score

Scorer = Callable[[np.ndarray, np.ndarray], float]
"""From predictions, shape (n_seeds, n_texts), and rows of texts to the mean score over seeds."""


def over_seeds(
    metric: str,
    targets: np.ndarray,
    runs: np.ndarray,
    *,
    resamples: int,
    confidence: float,
    seed: int = 0,
    **scoring: Any,
) -> tuple[float, float, float]:
    """Return the mean score over seeds and its confidence interval.

    Parameters
    ----------
    metric : str
        One of `tunescope.tasks.metrics.METRICS`.
    targets : numpy.ndarray, shape (n_texts,)
        What should be said of each dev text.
    runs : numpy.ndarray, shape (n_seeds, n_texts)
        What the model tuned with each seed said.
    resamples : int
        Draws of the bootstrap.
    confidence : float
        Level of the interval.
    seed : int
        Seed of the draws.
    **scoring
        `Task.scoring`.
    """
    value = _scorer(metric, targets, scoring)
    rows = np.arange(len(targets))
    whole = value(runs, rows)
    if len(runs) == 1:
        low, high = interval(
            metric, targets, runs[0], resamples=resamples, confidence=confidence, seed=seed,
            **scoring,
        )  # fmt: skip
        return whole, low, high
    if metric == "accuracy":
        right = (runs == targets).astype(float)
        low, high = seeds_interval(
            right, rows, resamples=resamples, confidence=confidence, seed=seed
        )
        return whole, low, high
    drawn = np.array([value(runs, some) for some in _draws(len(rows), resamples, seed)])
    by_seed = np.array([value(run[None], rows) for run in runs])
    return whole, *_percentiles(_moved(drawn, by_seed, seed), confidence)


def against(
    metric: str,
    targets: np.ndarray,
    whole: np.ndarray,
    pruned: np.ndarray,
    *,
    resamples: int,
    confidence: float,
    seed: int = 0,
    **scoring: Any,
) -> dict[str, float]:
    """Compare two models tuned with the same seeds, on the same texts.

    Parameters
    ----------
    metric, targets, resamples, confidence, seed, **scoring
        As in `over_seeds`; `resamples` are also the swaps of the test.
    whole, pruned : numpy.ndarray, shape (n_seeds, n_texts)
        What each said.

    Returns
    -------
    dict
        `difference` (pruned minus whole, mean over seeds), `difference_low`, `difference_high` and
        two-sided `p`.
    """
    names = ("difference", "difference_low", "difference_high", "p")
    if len(whole) == 1:
        found = paired_test(
            metric, targets, whole[0], pruned[0], resamples=resamples, confidence=confidence,
            seed=seed, **scoring,
        )  # fmt: skip
        values = (found.difference, found.low, found.high, found.p)
        return dict(zip(names, values, strict=True))
    value = _scorer(metric, targets, scoring)
    rows = np.arange(len(targets))
    difference = value(pruned, rows) - value(whole, rows)
    if metric == "accuracy":
        gained = (pruned == targets).astype(float) - (whole == targets)
        low, high = seeds_interval(
            gained, rows, resamples=resamples, confidence=confidence, seed=seed
        )
        p = sign_flip_test(gained.mean(0), rows, resamples=resamples, seed=seed)
        return dict(zip(names, (difference, low, high, p), strict=True))
    draws = _draws(len(rows), resamples, seed)
    drawn = np.array([value(pruned, some) - value(whole, some) for some in draws])
    pairs = zip(pruned, whole, strict=True)
    by_seed = np.array([value(b[None], rows) - value(a[None], rows) for b, a in pairs])
    low, high = _percentiles(_moved(drawn, by_seed, seed), confidence)
    p = _swaps(metric, targets, whole, pruned, value, resamples, seed)
    return dict(zip(names, (difference, low, high, p), strict=True))


def _scorer(metric: str, targets: np.ndarray, scoring: dict[str, Any]) -> Scorer:
    if metric == "accuracy":  # the same number, without the detour over class numbers
        return lambda runs, rows: float((runs[:, rows] == targets[rows]).mean())

    def value(runs: np.ndarray, rows: np.ndarray) -> float:
        some = targets[rows]
        return float(np.mean([score(metric, some, said[rows], **scoring) for said in runs]))

    return value


def _draws(n_texts: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Texts drawn with replacement, the same for all that have the seed."""
    rng = np.random.default_rng(seed)
    for _ in range(resamples):
        yield rng.integers(n_texts, size=n_texts)


def _moved(drawn: np.ndarray, by_seed: np.ndarray, seed: int) -> np.ndarray:
    """Move resampled means by the error of a mean over the seeds there are."""
    n = len(by_seed)
    error = by_seed.std(ddof=1) / np.sqrt(n)
    return drawn + error * np.random.default_rng([seed, 1]).standard_t(n - 1, len(drawn))


def _swaps(
    metric: str,
    targets: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    value: Scorer,
    resamples: int,
    seed: int,
) -> float:
    """Share of random swaps of whole texts that set the two as far apart as they are."""
    n = len(targets)
    if METRICS[metric].kind == "regression":  # swaps need one scale, which correlations ignore
        a, b = _standardised(a, metric), _standardised(b, metric)
    rng, rows = np.random.default_rng([seed, 2]), np.arange(n)
    apart = abs(value(b, rows) - value(a, rows))
    reached = 0
    for _ in range(resamples):
        swapped = rng.integers(2, size=n).astype(bool)
        one, other = np.where(swapped, b, a), np.where(swapped, a, b)
        reached += abs(value(other, rows) - value(one, rows)) >= apart - 1e-12
    return (1 + reached) / (1 + resamples)


def _standardised(runs: np.ndarray, metric: str) -> np.ndarray:
    from scipy.stats import rankdata

    runs = rankdata(runs, axis=1) if metric == "spearman" else runs
    spread = runs.std(1, keepdims=True)
    return (runs - runs.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1)


def _percentiles(drawn: np.ndarray, confidence: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
