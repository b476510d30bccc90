"""How alike two clusterings of the same words are: the figures of concept stability.

A concept can be lost without any tuning, where clusters are not sharp: cluster other sentences,
choose other occurrences, or tune again with another seed, and some concepts are not found again.
What two such clusterings share bounds what one may expect base and tuned model to share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import t as student
from sklearn.metrics import adjusted_rand_score

from tunescope.concepts.alignment.nulls import compare, orders
from tunescope.concepts.alignment.overlaps import permuted_overlaps
from tunescope.concepts.alignment.resampling import share_interval
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.corpus.table import Corpus
from tunescope.errors import MismatchError
from tunescope.steps import Stability

AGREEMENT = [
    "n_words",
    "ari",
    "ari_low",
    "ari_high",
    "n_concepts",
    "retained",
    "share",
    "low",
    "high",
    "null_mean",
    "null_high",
    "p",
]


def agreement(
    one: Clustering, other: Clustering, sentences: np.ndarray, step: Stability
) -> dict[str, Any]:
    """Compare two clusterings of the same words.

    Parameters
    ----------
    one, other : Clustering
        Concepts of the same words, numbered from 0 without gaps.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each word.
    step : Stability
        `theta`, `groups`, `permutations`, `confidence` and `seed` are used.

    Returns
    -------
    dict
        Keys `AGREEMENT`. `ari` is the adjusted Rand index (Hubert and Arabie 1985), 0 for unrelated
        clusterings whatever their sizes and 1 for equal ones; its interval leaves out groups of
        sentences in turn (jackknife), the clusterings being held. `retained` counts the concepts of
        `one`, of `n_concepts` with enough types, of which one concept of `other` holds theta;
        `low` and `high` are Wilson's interval of `share`; the null deals `other` anew over words.
    """
    shuffles = orders(len(one.labels), step.permutations, step.seed)
    (shares,) = permuted_overlaps([one], other, shuffles)
    found = (shares["occurrences"][:, one.counts] >= step.theta).sum(axis=1)
    n, count = int(one.counts.sum()), int(found[0])
    null = compare(count, found[1:], step.confidence)
    ari, ari_low, ari_high = rand_interval(one.labels, other.labels, sentences, step)
    low, high = share_interval(count, n, step.confidence)
    share = count / n if n else np.nan
    values = (len(one.labels), ari, ari_low, ari_high, n, count, share, low, high)
    return dict(zip(AGREEMENT, (*values, null.mean, null.high, null.p), strict=True))


def rand_interval(
    one: np.ndarray, other: np.ndarray, sentences: np.ndarray, step: Stability
) -> tuple[float, float, float]:
    """Return the adjusted Rand index and its jackknife interval over groups of sentences.

    Parameters
    ----------
    one, other : numpy.ndarray of int, shape (n_words,)
        Two clusterings.
    sentences : numpy.ndarray of int, shape (n_words,)
        Sentence of each word.
    step : Stability
        `groups`, `confidence` and `seed` are used.
    """
    _, rows = np.unique(sentences, return_inverse=True)
    n_groups = min(step.groups, int(rows.max()) + 1)
    dealt = np.random.default_rng(step.seed).permutation(int(rows.max()) + 1) % n_groups
    group = dealt[rows]
    ari = float(adjusted_rand_score(one, other))
    if n_groups < 2:
        return ari, np.nan, np.nan
    without = np.array(
        [adjusted_rand_score(one[group != g], other[group != g]) for g in range(n_groups)]
    )
    error = np.sqrt((n_groups - 1) / n_groups * ((without - without.mean()) ** 2).sum())
    half = float(student.ppf((1 + step.confidence) / 2, n_groups - 1) * error)
    return ari, ari - half, min(ari + half, 1.0)


def on_words(here: Clustering, rows: np.ndarray) -> Clustering:
    """Keep some of the words of a clustering; concepts without any are dropped and renumbered."""
    _, labels = np.unique(here.labels[rows], return_inverse=True)
    types = np.unique(here.types[rows], return_inverse=True)[1]
    return Clustering(here.model, here.role, here.layer, labels, types, here.min_types)


def same_words(one: Corpus, other: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Find the words that two selections of one corpus have in common.

    Returns
    -------
    tuple of numpy.ndarray of int
        Their rows in `one`, and in `other`.

    Raises
    ------
    MismatchError
        If they are selections of different corpora, or have no word in common.
    """
    if one.sentences["words"] != other.sentences["words"]:
        raise MismatchError(
            f"{one.name!r} and {other.name!r} are not selections of the same sentences"
        )
    keys = [
        words.words["sentence"].to_numpy().astype(np.int64) * 2**32
        + words.words["position"].to_numpy()
        for words in (one, other)
    ]
    common, mine, theirs = np.intersect1d(*keys, assume_unique=True, return_indices=True)
    if len(common) == 0:
        raise MismatchError(f"the two selections of {one.name!r} have no word in common")
    return mine, theirs


def compare_concepts(
    one: LayerConcepts, other: LayerConcepts, layer: int, step: Stability
) -> dict[str, Any]:
    """Compare one layer of two results on the words that both clustered.

    Between two selections of words, both of the same model, this is the stability under the choice
    of words; between two runs of a tuning, on the same words, that under its seed.

    Parameters
    ----------
    one, other : LayerConcepts
        Concepts of selections from the same corpus.
    layer : int
        Layer number.
    step : Stability
        The parameters.

    Returns
    -------
    dict
        Keys `AGREEMENT`.

    Raises
    ------
    InputError
        If one has no such layer.
    MismatchError
        If the corpora differ.
    """
    mine, theirs = same_words(one.words, other.words)
    pair = []
    for concepts, rows in ((one, mine), (other, theirs)):
        labels, least = concepts.labels(layer), one.step.min_types
        whole = Clustering(concepts.model, "base", layer, labels, concepts.types, least)
        pair.append(on_words(whole, rows))
    sentences = one.words.words["sentence"].to_numpy()[mine]
    return agreement(pair[0], pair[1], sentences, step)
