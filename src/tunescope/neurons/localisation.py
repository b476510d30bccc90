"""How localised a property's neurons are, as numbers that can be compared between models.

Durrani et al. 2020 (arXiv 2010.02695) call XLNet's neurons more localised and disjoint
than BERT's from the look of a figure. Four measures make it testable. All lie in [0, 1], higher is
more localised, and rest on the top neurons of each tag, the same share of all neurons in every
model (fewer where a tag's other neurons have no score):

`layer_concentration`
    1 - H / log L: H is the entropy of the layers of all tags' top neurons put together (a neuron
    of two tags counts twice), L the number of layers. 1: all in one layer.
`tag_layer_concentration`
    The same for each tag alone, then the mean over tags. It is high too where every tag has a
    layer of its own.
`neuron_concentration`
    Gini coefficient of a tag's scores over all neurons, mean over tags. 1: a single neuron has all
    the mass; 0: all have the same. Scores of one penalty can be compared, not those of different
    ones: a larger l1 concentrates.
`disjointness`
    1 - mean Jaccard overlap of two tags' top neurons. 1: no neuron serves two tags.

Intervals are over tags: tags are resampled, their neurons stay as they are, and the mean shift of
the resamples (fewer different tags look more concentrated) is taken off. They say whether
a difference holds for tags like these, not what other words would have given. `chance` is the mean
of the measure with as many neurons drawn at random for every tag, over all layers; for the Gini
coefficient, which no permutation changes, it is that of scores that are the sizes of normal
numbers, sqrt(2) - 1. A tag whose scores are all the same (coefficients that are all 0) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.distribution import tag_sets
from tunescope.neurons.orders import n_of_share
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap
from tunescope.neurons.words import LabelledWords

MEASURES = (
    "layer_concentration",
    "tag_layer_concentration",
    "neuron_concentration",
    "disjointness",
)
"""Names of the measures."""


def localisation(
    words: LabelledWords,
    ranking: Ranking,
    *,
    share: float = 0.01,
    draws: int = 20,
    bootstrap: Bootstrap | None = None,
) -> pd.DataFrame:
    """Measure how localised and disjoint the top neurons of the tags are.

    Parameters
    ----------
    words : LabelledWords
        With K tags, at least two.
    ranking : Ranking
        With an order of the neurons for each tag.
    share : float
        Share of all neurons that are each tag's top neurons.
    draws : int
        Permutations for the chance baseline.
    bootstrap : Bootstrap, optional
        How intervals are made; its seed is also that of the permutations.

    Returns
    -------
    pandas.DataFrame
        One row per measure: `scaling`, `ranking`, `index` (its name), `value`, `low`, `high`,
        `chance`.

    Raises
    ------
    InputError
        If fewer than two tags are left.
    """
    bootstrap = bootstrap or Bootstrap()
    sets = tag_sets(ranking, n=n_of_share(share, words.n_neurons))
    telling = [tag for tag, columns in enumerate(sets) if len(columns)]
    k = len(telling)
    if k < 2:
        raise InputError(
            f"ranking {ranking.name!r} tells neurons apart for {k} tags; overlap needs two"
        )
    sets = [sets[tag] for tag in telling]
    layers = np.unique(words.layer_of, return_inverse=True)[1]
    measured = _of_sets(layers, sets)
    mass = gini(np.abs(ranking.tag_scores[telling]))
    measured["neuron_concentration"] = lambda tags: tags @ mass / tags.sum(axis=1)

    rng = np.random.default_rng(bootstrap.seed)
    drawn = rng.multinomial(k, np.full(k, 1 / k), size=bootstrap.resamples).astype(float)
    once = np.ones((1, k))
    nulls: list[dict[str, float]] = []
    for _ in range(draws):
        random = [rng.choice(words.n_neurons, len(columns), replace=False) for columns in sets]
        null = _of_sets(layers, random)
        nulls.append({name: float(measure(once)[0]) for name, measure in null.items()})
    chance = {name: float(np.mean([null[name] for null in nulls])) for name in (nulls or [{}])[0]}
    chance["neuron_concentration"] = 2**0.5 - 1

    tail = (1 - bootstrap.confidence) / 2
    rows = []
    for name in MEASURES:
        value = float(measured[name](once)[0])
        resampled = measured[name](drawn)
        resampled = resampled[np.isfinite(resampled)]
        ends = np.quantile(resampled - (resampled.mean() - value), [tail, 1 - tail])
        low, high = ends.clip(0, 1).tolist() if k >= FEWEST else (np.nan, np.nan)
        rows.append(
            {
                "scaling": words.scaling,
                "ranking": ranking.name,
                "index": name,
                "value": value,
                "low": low,
                "high": high,
                "chance": chance.get(name, np.nan),
            }
        )
    return pd.DataFrame(rows)


FEWEST = 5
"""With fewer tags there is no interval: so few can hardly be resampled."""

Measure = Callable[[np.ndarray], np.ndarray]
"""From how often each tag was drawn, shape (R, K), to the value of each resample, shape (R,)."""


def _of_sets(layers: np.ndarray, sets: Sequence[np.ndarray]) -> dict[str, Measure]:
    """Return the measures that need only each tag's neurons; `layers` are numbered from 0."""
    n_layers = int(layers.max()) + 1
    counts = np.stack([np.bincount(layers[columns], minlength=n_layers) for columns in sets])
    own = concentration(counts)
    overlap = jaccard(sets, len(layers))
    return {
        "layer_concentration": lambda tags: concentration(tags @ counts),
        "tag_layer_concentration": lambda tags: tags @ own / tags.sum(axis=1),
        "disjointness": lambda tags: 1 - _mean_over_pairs(overlap, tags),
    }


def concentration(counts: np.ndarray) -> np.ndarray:
    """Return 1 - entropy / its maximum.

    Parameters
    ----------
    counts : numpy.ndarray, shape (m, L)
        Neurons in each layer.

    Returns
    -------
    numpy.ndarray, shape (m,)
        0 where all layers have as many, 1 where one has all; 1 if L is 1.
    """
    if counts.shape[1] == 1:
        return np.ones(len(counts))
    p = counts / counts.sum(axis=1, keepdims=True)
    entropy = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1)
    return 1 - entropy / np.log(counts.shape[1])


def gini(values: np.ndarray) -> np.ndarray:
    """Return the Gini coefficient of each row of non-negative values; 0 for a row of zeros.

    Parameters
    ----------
    values : numpy.ndarray, shape (m, d)

    Returns
    -------
    numpy.ndarray, shape (m,)
        From 0 (all the same) to 1 - 1 / d (one has all).
    """
    d = values.shape[1]
    ordered = np.sort(values, axis=1).astype(np.float64)
    total = ordered.sum(axis=1)
    weighted = ordered @ (2 * np.arange(1, d + 1) - d - 1)
    return weighted / (d * np.where(total > 0, total, 1))


def jaccard(sets: Sequence[np.ndarray], d: int) -> np.ndarray:
    """Return the Jaccard overlap of every two sets of neurons.

    Parameters
    ----------
    sets : sequence of numpy.ndarray of int
        K sets, none empty.
    d : int
        Number of all neurons.

    Returns
    -------
    numpy.ndarray, shape (K, K)
    """
    member = np.zeros((len(sets), d), np.float32)
    for row, columns in zip(member, sets, strict=True):
        row[columns] = 1
    both = (member @ member.T).astype(np.float64)
    sizes = np.diag(both)
    return both / (sizes[:, None] + sizes - both)


def _mean_over_pairs(overlap: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """Return the mean over pairs of different tags, each tag as often as it was drawn."""
    different = overlap - np.diag(np.diag(overlap))
    pairs = tags.sum(axis=1) ** 2 - np.square(tags).sum(axis=1)
    total = ((tags @ different) * tags).sum(axis=1)
    return np.divide(total, pairs, out=np.full(len(tags), np.nan), where=pairs > 0)
