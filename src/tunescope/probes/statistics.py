"""Intervals and tests over words that come in sentences.

Words of one sentence share its topic, its author and its annotator's slips, so sentences and not
words are resampled (cluster bootstrap, Field and Welsh 2007) and flipped.
"""

from __future__ import annotations

import numpy as np

_CHUNK = 1 << 22
"""Resampled sentence counts held in memory at once."""


def _sentence_sums(values: np.ndarray, sentences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of values and numbers of words per sentence, both shape (n_sentences,)."""
    _, place = np.unique(sentences, return_inverse=True)
    return np.bincount(place, weights=values), np.bincount(place)


def mean_interval(
    values: np.ndarray,
    sentences: np.ndarray,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap a confidence interval for the mean over words, resampling sentences.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        One value per word: right or wrong for an accuracy, tuned minus base for a difference.
    sentences : numpy.ndarray, shape (n,)
        Sentence of each word.
    resamples : int
        Bootstrap resamples.
    confidence : float
        Level; the interval is between percentiles of the resampled means.
    seed : int
        Seed of the resampling.

    Returns
    -------
    low, high : float
    """
    return _percentiles(_resampled_means(values, sentences, resamples, seed), confidence)


def _resampled_means(
    values: np.ndarray, sentences: np.ndarray, resamples: int, seed: int
) -> np.ndarray:
    """Return means over the words of resampled sentences, shape (resamples,)."""
    sums, sizes = _sentence_sums(values, sentences)
    n = len(sums)
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // n)
    means = []
    for start in range(0, resamples, rows):
        drawn = rng.integers(n, size=(min(rows, resamples - start), n))
        means.append(sums[drawn].sum(1) / sizes[drawn].sum(1))
    return np.concatenate(means)


def _percentiles(values: np.ndarray, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def seeds_interval(
    values: np.ndarray,
    sentences: np.ndarray,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Estimate a confidence interval for a mean over words and over training runs.

    It speaks of other sentences and of other runs. Sentences are resampled, all runs together. To
    resample a handful of runs as well would cover far too little (of two runs, the interval could
    never leave the range between them); instead the mean of each resample is moved by the error
    that a mean over S runs has: their standard deviation / sqrt(S), times a draw from Student's t
    with S - 1 degrees of freedom. With two runs the interval is wide, as it must be.

    Parameters
    ----------
    values : numpy.ndarray, shape (S, n)
        One value per run and word; with one run, this is `mean_interval`.
    sentences : numpy.ndarray, shape (n,)
        Sentence of each word.
    resamples : int
        Resamples.
    confidence : float
        Level; the interval is between percentiles of the resampled means.
    seed : int
        Seed of the resampling.

    Returns
    -------
    low, high : float
    """
    means = _resampled_means(values.mean(axis=0), sentences, resamples, seed)
    if (runs := len(values)) > 1:
        error = values.mean(axis=1).std(ddof=1) / np.sqrt(runs)
        means = means + error * np.random.default_rng([seed, 1]).standard_t(runs - 1, resamples)
    return _percentiles(means, confidence)


def sign_flip_test(
    differences: np.ndarray, sentences: np.ndarray, *, resamples: int = 1000, seed: int = 0
) -> float:
    """Test whether the mean of paired differences is zero, by flipping signs of whole sentences.

    Parameters
    ----------
    differences : numpy.ndarray, shape (n,)
        One difference per word, tuned minus base.
    sentences : numpy.ndarray, shape (n,)
        Sentence of each word.
    resamples : int
        Random flips R.
    seed : int
        Seed of the flips.

    Returns
    -------
    float
        Two-sided p = (1 + number of flips at least as far from zero) / (1 + R).
    """
    sums, _ = _sentence_sums(differences, sentences)
    sums = sums[sums != 0]
    observed = abs(sums.sum())
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // max(len(sums), 1))
    reached = 0
    for start in range(0, resamples, rows):
        signs = rng.integers(2, size=(min(rows, resamples - start), len(sums))) * 2 - 1
        # The slack keeps ties that rounding would break.
        reached += int((np.abs(signs @ sums) >= observed * (1 - 1e-12)).sum())
    return (1 + reached) / (1 + resamples)


def holm(p: np.ndarray) -> np.ndarray:
    """Correct p-values of several tests (Holm 1979, step-down), shape as given.

    Parameters
    ----------
    p : numpy.ndarray, shape (n_tests,)
        The p-values.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected
