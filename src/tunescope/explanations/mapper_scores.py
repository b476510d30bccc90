"""How well held-out words are mapped to their concepts, beside two simpler ways to do it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from tunescope.probes.statistics import mean_interval
from tunescope.steps import MapConcepts

TOP = (1, 2, 5)


def score_mapper(
    probabilities: np.ndarray,
    distances: np.ndarray,
    counts: np.ndarray,
    concepts: np.ndarray,
    sentences: np.ndarray,
    new: np.ndarray,
    step: MapConcepts,
) -> pd.DataFrame:
    """Score one layer.

    Parameters
    ----------
    probabilities : numpy.ndarray, shape (n, n_concepts)
        What the mapper says of the words held out.
    distances : numpy.ndarray, shape (n, n_concepts)
        Their distances from the mean vectors of the concepts.
    counts : numpy.ndarray of int, shape (n_concepts,)
        Words of each concept among those fitted to: the majority baseline orders concepts by it.
    concepts, sentences : numpy.ndarray of int, shape (n,)
        The concept they belong to, and their sentence.
    new : numpy.ndarray of bool, shape (n,)
        Whether the mapper was fitted to no word of their type.
    step : MapConcepts
        The probability to accept from, resamples, confidence and seed.

    Returns
    -------
    pandas.DataFrame
        Columns `words`, `method`, `measure`, `value`, `low`, `high`, `n` (see
        `ConceptMapper.scores`). Value and interval are NaN where there is no such word.
    """
    majority = np.broadcast_to(counts, probabilities.shape)
    methods = {"mapper": probabilities, "nearest_centroid": -distances, "majority": majority}
    ranks = {name: _ranks(scores, concepts) for name, scores in methods.items()}
    rows = []
    for words, chosen in (("all", np.ones(len(concepts), bool)), ("new", new)):
        for method, measure, values, among in _measures(ranks, probabilities, step.accept):
            kept = chosen & among
            rows.append((words, method, measure, *_mean(values[kept], sentences[kept], step)))
    columns = ["words", "method", "measure", "value", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns)


def _ranks(scores: np.ndarray, concepts: np.ndarray) -> np.ndarray:
    """Return how many concepts come before the right one; of equal ones, the first comes first."""
    own = scores[np.arange(len(concepts)), concepts][:, None]
    before = np.arange(scores.shape[1]) < concepts[:, None]
    return ((scores > own) | ((scores == own) & before)).sum(axis=1)


def _measures(
    ranks: dict[str, np.ndarray], probabilities: np.ndarray, accept: float
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray]]:
    """Yield method, measure, its value for each word, and the words it is about."""
    accepted = probabilities.max(axis=1) >= accept
    everywhere = np.ones(len(accepted), bool)
    for method, rank in ranks.items():
        for top in TOP:
            yield method, f"top{top}", rank < top, everywhere
    yield "mapper", "accepted", accepted, everywhere
    yield "mapper", "top1_accepted", ranks["mapper"] == 0, accepted


def _mean(
    values: np.ndarray, sentences: np.ndarray, step: MapConcepts
) -> tuple[float, float, float, int]:
    if not len(values):
        return np.nan, np.nan, np.nan, 0
    low, high = mean_interval(
        values.astype(float), sentences, resamples=step.resamples, confidence=step.confidence,
        seed=step.seed,
    )  # fmt: skip
    return float(values.mean()), low, high, len(values)
