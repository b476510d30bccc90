"""Few neurons of few layers that do as well as all (Dalvi et al. 2020, sections 6.2 and 6.3).

CCFS of arXiv 2004.04010 in three stages: the layer selector keeps lower layers; of each cluster of
correlated neurons one is kept; then neurons are ranked by the classifier's weights (LCA) and the
smallest set of top ones is kept that comes near to what it is taken from. Beside each stage stand
as many neurons drawn at random from the whole model: any set of that size may do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.classifiers import LinearClassifier, LinearFit
from tunescope.neurons.clusters import Choice, CorrelationClusters, correlation_clusters
from tunescope.neurons.layer_selector import PENALTY, LayerSelection, check, select_layers, train
from tunescope.neurons.minimal import candidate_sizes, search
from tunescope.neurons.ranking import Evidence, Ranking
from tunescope.neurons.rankings.lca import LcaRanking
from tunescope.neurons.selectivity import Bootstrap, Outcome
from tunescope.neurons.words import LabelledWords
from tunescope.results import Result

Rank = Callable[[Evidence], Ranking]


@dataclass(frozen=True, eq=False)
class FeatureSelection:
    """The smallest set of top neurons that comes near to all that were given.

    Parameters
    ----------
    columns : numpy.ndarray of int, shape (n,)
        The neurons (columns of the words given), the best first.
    demand : float
        Dev accuracy that was asked for.
    outcome : Outcome
        Of the set.
    tried : mapping of int to Outcome
        By number of neurons: those of the search, which may go a little beyond the set.
    ranking : Ranking
        The order that was followed.
    """

    columns: np.ndarray
    demand: float
    outcome: Outcome
    tried: Mapping[int, Outcome]
    ranking: Ranking


def select_features(
    words: LabelledWords,
    classifier: LinearClassifier | None = None,
    *,
    whole: tuple[LinearFit, Outcome] | None = None,
    tolerance: float = 0.01,
    increment: float = 0.01,
    rank: Rank | None = None,
    seed: int = 0,
) -> FeatureSelection:
    """Rank neurons and keep the fewest top ones whose dev accuracy is near that of all of them.

    Parameters
    ----------
    words : LabelledWords
        With dev words; of the neurons to choose from.
    classifier : LinearClassifier, optional
        Trained on each set; with both penalties 1e-5 (mean loss) when not given.
    whole : tuple of LinearFit and Outcome, optional
        The classifier of all these neurons; fitted when not given.
    tolerance : float
        What dev accuracy may lose, as a share of that with all these neurons.
    increment : float
        How the set grows: a share of the neurons below 1, a number of neurons from 1 on.
    rank : callable, optional
        From evidence to a ranking; LCA when not given.
    seed : int
        For rankings that draw.

    Returns
    -------
    FeatureSelection

    Raises
    ------
    InputError
        If there are no dev words, the tolerance is not a share, or the increment not above 0.
    """
    check(words, tolerance)
    classifier = classifier or LinearClassifier(PENALTY, PENALTY)
    d = words.n_neurons
    fit, oracle = whole or train(words, np.arange(d), classifier)
    ranking = (rank or LcaRanking())(Evidence(words, fit.coefficients[0], seed=seed))
    demand = oracle.dev_accuracy * (1 - tolerance)
    sizes = candidate_sizes(d, increment)
    tried = {**search(words, ranking, classifier, sizes, demand), d: oracle}
    n = next(n for n, outcome in tried.items() if outcome.dev_accuracy >= demand)
    return FeatureSelection(ranking.top(n), demand, tried[n], tried, ranking)


@dataclass(frozen=True, eq=False)
class Redundancy(Result):
    """What the three stages of CCFS kept, and how well it does.

    Parameters
    ----------
    stages : pandas.DataFrame
        One row per stage (`oracle`, `layers`, `clusters`, `features`): `layers` and `neurons` kept,
        `dev_accuracy`, test `accuracy` with its interval `low` and `high`, and test accuracy of as
        many random neurons, `random_accuracy`, `random_low`, `random_high`.
    neurons : numpy.ndarray of int, shape (n,)
        Neurons kept in the end (columns of the words), the best first.
    layers : LayerSelection
        First stage.
    clusters : CorrelationClusters
        Second stage; its neurons are `layers.columns`.
    features : FeatureSelection
        Third stage; its neurons are the representatives of `clusters`.
    """

    stages: pd.DataFrame
    neurons: np.ndarray
    layers: LayerSelection
    clusters: CorrelationClusters
    features: FeatureSelection

    def headline(self) -> str:
        """Return what is left of the neurons, and what that costs."""
        first, last = self.stages.iloc[0], self.stages.iloc[-1]
        return (
            f"{last['neurons']:,} of {first['neurons']:,} neurons, from {last['layers']} of "
            f"{first['layers']} layers: accuracy {first['accuracy']:.3f} -> {last['accuracy']:.3f}"
        )

    def table(self) -> pd.DataFrame:
        """Return `stages`."""
        return self.stages


def ccfs(
    words: LabelledWords,
    classifier: LinearClassifier | None = None,
    *,
    oracle: Outcome | None = None,
    layer_tolerance: float = 0.02,
    distance: float = 0.3,
    choose: Choice = "medoid",
    feature_tolerance: float = 0.01,
    increment: float = 0.01,
    rank: Rank | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    seed: int = 0,
    bootstrap: Bootstrap | None = None,
) -> Redundancy:
    """Select layers, then one neuron of each correlation cluster, then features.

    Parameters
    ----------
    words : LabelledWords
        With dev words, which decide, and test words, which are only reported.
    classifier : LinearClassifier, optional
        Trained on each set; with both penalties 1e-5 (mean loss) when not given.
    oracle : Outcome, optional
        Of the same classifier on all neurons; fitted when not given.
    layer_tolerance : float
        What the layers may lose in dev accuracy, as a share of the oracle's.
    distance : float
        Where the tree of correlations over training words is cut.
    choose : {"medoid", "first", "random"}
        Which neuron stands for a cluster; see `correlation_clusters`.
    feature_tolerance : float
        What the features may lose in dev accuracy, as a share of that of all representatives. The
        stages' losses add up; what clustering loses has no bound.
    increment : float
        How the set of features grows: a share of all neurons of the model below 1, a number of
        neurons from 1 on.
    rank : callable, optional
        From evidence to a ranking; LCA when not given.
    seeds : sequence of int
        Of the random sets that stand beside each stage.
    seed : int
        Of representatives and rankings that are drawn.
    bootstrap : Bootstrap, optional
        How intervals are made.

    Returns
    -------
    Redundancy

    Raises
    ------
    InputError
        If there are no dev words, no seeds, or a parameter is out of its range.
    """
    if not len(seeds):
        raise InputError("give at least one seed for the random neurons that stand beside")
    check(words, feature_tolerance)
    classifier = classifier or LinearClassifier(PENALTY, PENALTY)
    layers = select_layers(words, classifier, oracle=oracle, tolerance=layer_tolerance)
    clusters = correlation_clusters(
        words.train.x.columns(layers.columns), distance=distance, choose=choose, seed=seed
    )
    kept = layers.columns[clusters.representatives]
    if len(kept) == len(layers.columns) and layers.fit is not None:
        whole = layers.fit, layers.outcome
    else:
        whole = train(words, kept, classifier)
    step = increment if increment >= 1 else max(1.0, increment * words.n_neurons)
    features = select_features(
        words.columns(kept), classifier, whole=whole, tolerance=feature_tolerance, increment=step,
        rank=rank, seed=seed,
    )  # fmt: skip
    neurons = kept[features.columns]
    stages = {
        "oracle": (len(layers.sizes), np.arange(words.n_neurons), layers.oracle),
        "layers": (layers.n_layers, layers.columns, layers.outcome),
        "clusters": (layers.n_layers, kept, whole[1]),
        "features": (layers.n_layers, neurons, features.outcome),
    }
    table = _stages(words, stages, classifier, seeds, bootstrap or Bootstrap())
    return Redundancy(table, neurons, layers, clusters, features)


def _stages(
    words: LabelledWords,
    stages: dict[str, tuple[int, np.ndarray, Outcome]],
    classifier: LinearClassifier,
    seeds: Sequence[int],
    bootstrap: Bootstrap,
) -> pd.DataFrame:
    """Put accuracies, intervals and random sets of the same sizes side by side."""
    sentences, d = words.test.sentences, words.n_neurons
    sizes = sorted({len(columns) for _, columns, _ in stages.values()})
    orders = [np.random.default_rng(seed).permutation(d) for seed in seeds]
    randoms = {d: [stages["oracle"][2]]}
    for n in sizes[:-1]:
        sets = [order[:n] for order in orders]
        randoms[n] = classifier.judge(words, sets, tasks="task")
    rows = []
    for name, (n_layers, columns, outcome) in stages.items():
        accuracy, low, high = bootstrap.accuracy(outcome, sentences)
        beside = bootstrap.over_seeds(randoms[len(columns)], sentences)
        rows.append(
            (name, n_layers, len(columns), outcome.dev_accuracy, accuracy, low, high, *beside)
        )
    names = "stage layers neurons dev_accuracy accuracy low high random_accuracy random_low"
    return pd.DataFrame(rows, columns=[*names.split(), "random_high"])
