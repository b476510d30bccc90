"""Whether concepts follow what a model predicts more than what is annotated.

Polarity concepts by gold and by predicted class, over the sentences that have both. The interval of
the difference draws sentences again; the null exchanges the two classes of single sentences at
random, as if it did not matter which is which. Only sentences that the model gets wrong can count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tunescope.concepts.alignment.polarity import SentenceClasses, class_counts
from tunescope.concepts.alignment.resampling import resampled_interval
from tunescope.concepts.clustering import Clustering
from tunescope.steps import Align

DIFFERENCE = [
    "model",
    "role",
    "layer",
    "class",
    "n_concepts",
    "gold",
    "predicted",
    "difference",
    "low",
    "high",
    "null_low",
    "null_high",
    "p",
]


def in_both(gold: SentenceClasses, predicted: SentenceClasses) -> tuple[SentenceClasses, ...]:
    """Take the class from sentences that do not have both."""
    both = (gold.codes >= 0) & (predicted.codes >= 0)
    return tuple(
        SentenceClasses(kind.by, kind.names, np.where(both, kind.codes, -1), kind.sentences)
        for kind in (gold, predicted)
    )


def difference_rows(
    here: Clustering,
    gold: SentenceClasses,
    predicted: SentenceClasses,
    weights: np.ndarray,
    step: Align,
) -> list[dict[str, Any]]:
    """Compare how many concepts follow predicted and gold classes.

    Parameters
    ----------
    here : Clustering
        The concepts of a layer.
    gold, predicted : SentenceClasses
        The classes, over the same names.
    weights : numpy.ndarray of int8, shape (n_resamples, n_words)
        How often each word counts in each resample of the sentences.
    step : Align
        The parameters.

    Returns
    -------
    list of dict
        Keys `DIFFERENCE`, a row for all classes ("") and for each: concepts polarised by gold and
        by predicted class, the second less the first with its interval, the central range of the
        null, and p, two-sided.
    """
    gold, predicted = in_both(gold, predicted)
    rows, once = gold.sentences, np.ones(len(gold.sentences), np.int8)
    pair = (gold, predicted)
    counts = [class_counts(here, kind, [(rows, once)], step)[0] for kind in pair]
    resampled = [class_counts(here, kind, ((rows, w) for w in weights), step) for kind in pair]
    observed, again = counts[1] - counts[0], resampled[1] - resampled[0]
    null = _exchanged(here, gold, predicted, step)
    n, tail = int(here.counts.sum()), (1 - step.confidence) / 2
    found = []
    for number, name in enumerate(("", *gold.names)):
        value, draws = int(observed[number]), null[:, number]
        low, high = resampled_interval(value, again[:, number], step.confidence, -n, n)
        null_low, null_high = np.quantile(draws, [tail, 1 - tail])
        reached = int((np.abs(draws) >= abs(value)).sum())
        found.append(
            {
                "model": here.model,
                "role": here.role,
                "layer": here.layer,
                "class": name,
                "n_concepts": n,
                "gold": int(counts[0][number]),
                "predicted": int(counts[1][number]),
                "difference": value,
                "low": low,
                "high": high,
                "null_low": float(null_low),
                "null_high": float(null_high),
                "p": (1 + reached) / (1 + len(draws)),
            }
        )
    return found


def _exchanged(
    here: Clustering, gold: SentenceClasses, predicted: SentenceClasses, step: Align
) -> np.ndarray:
    """Differences with gold and predicted exchanged in random sentences, (n_draws, 1 + n)."""
    n = len(gold.codes)
    # One table of both, gold above predicted, so that exchanging is reading another row.
    both = SentenceClasses(
        "both", gold.names, np.concatenate([gold.codes, predicted.codes]), gold.sentences
    )
    rng = np.random.default_rng(step.seed)
    swaps = rng.random((step.permutations, n)) < 0.5
    once = np.ones(len(gold.sentences), np.int8)
    found = []
    for first in (swaps, ~swaps):
        rows = ((gold.sentences + n * swap[gold.sentences]).astype(np.int32) for swap in first)
        found.append(class_counts(here, both, ((row, once) for row in rows), step))
    return found[1] - found[0]
