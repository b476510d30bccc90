"""Parameters of the study of individual neurons (Durrani et al. 2020, arXiv 2010.02695)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded

Form = Literal["squared", "neurox"]
Solver = Literal["quick", "fista", "adam"]
RankingName = Literal[
    "lca", "linear", "probeless", "mean_select", "iou", "average_precision", "gaussian", "random",
    "max_corr", "min_corr", "lin_reg",
]  # fmt: skip
"""The keys of `tunescope.neurons.rankings.RANKINGS`."""


@dataclass(frozen=True)
class Rank(Step):
    """Rank the neurons of all layers by what they say about a label.

    Penalties are for the loss averaged over words, as NeuroX scales its lambdas; the defaults are
    those of the paper unless said otherwise.

    Parameters
    ----------
    rankings
        Methods, of those in `docs/neurons.md`.
    scalings
        Activations as they are (`raw`), or with mean 0 and variance 1 over the training words
        (`zscored`). Both are ranked side by side, as scaling changes which layers lead.
    l1
        Weight of the absolute values of the probe's coefficients; searched for when not given.
    l2
        Weight of their squares (or their norm); searched for when not given.
    grid
        Values that the search tries for both.
    search
        Whether the score's top and bottom neurons are kept in the trained probe with the others
        set to zero (`masked`, the paper) or a probe is trained on them alone (`retrained`).
    search_share
        Share of the neurons that are top and bottom in the score (M).
    search_words
        Search on this many training words, whole sentences drawn at random; on all when not given.
    penalty
        Whether l2 weighs the square of the norm (the paper) or the norm itself (NeuroX).
    solver
        `quick` makes a few passes over the words and reports the gap that was reached; `fista` goes
        on until `tolerance` is proven; `adam` is the paper's recipe.
    tolerance
        Of `fista`: share of the optimum that the objective is proven to lie within.
    max_iterations
        Of `fista`: upper bound of its iterations.
    gaussian_neurons
        Neurons that the ranking `gaussian` selects one by one; the others follow by their own
        score.
    gaussian_criterion
        What it maximises on dev words.
    iou_threshold
        The ranking `iou` takes a neuron for active above this value; by `iou_quantile` when not
        given.
    iou_quantile
        The ranking `iou` takes a neuron for active above this quantile of its training values.
    selected
        Neurons that the distribution over layers counts: a share of all below 1, else their number.
    tag_neurons
        Top neurons of each label in the distribution over labels.
    views
        Top neurons of each label whose words and contexts are kept for the page.
    dev_share
        Share of sentences in the dev split, where the corpus does not define splits.
    test_share
        Share of sentences in the test split, where the corpus does not define splits.
    control_seeds
        Number of random-label control tasks (Hewitt and Liang 2019).
    resamples
        Bootstrap resamples for confidence intervals.
    confidence
        Level of the confidence intervals.
    seed
        Seed of the split, control labels, the order of words and everything else that is drawn.
    """

    name: ClassVar[str] = "rank"
    version: ClassVar[int] = 2
    rankings: tuple[RankingName, ...] = (
        "lca", "linear", "probeless", "mean_select", "iou", "average_precision", "gaussian",
        "random",
    )  # fmt: skip
    scalings: tuple[Literal["raw", "zscored"], ...] = ("raw", "zscored")
    l1: float | None = bounded(None, 0)
    l2: float | None = bounded(None, 0)
    grid: tuple[float, ...] = bounded((0.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7), 0)
    search: Literal["masked", "retrained"] = "masked"
    search_share: float = bounded(0.2, 0.001, 0.5)
    search_words: int | None = bounded(20_000, 10)
    penalty: Form = "squared"
    solver: Solver = "quick"
    tolerance: float = bounded(1e-2, 0)
    max_iterations: int = bounded(500, 1)
    gaussian_neurons: int = bounded(50, 1)
    gaussian_criterion: Literal["likelihood", "mutual_information"] = "likelihood"
    iou_threshold: float | None = None
    iou_quantile: float = bounded(0.9, 0, 0.9999)
    selected: float = bounded(0.04, 0.0001)
    tag_neurons: int = bounded(50, 1)
    views: int = bounded(3, 0)
    dev_share: float = bounded(0.1, 0.01, 0.9)
    test_share: float = bounded(0.2, 0.01, 0.9)
    control_seeds: int = bounded(3, 0)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)


@dataclass(frozen=True)
class Select(Step):
    """Find how few neurons suffice: minimal sets, ablation, selectivity, accuracy against N.

    Probes have the penalties that the ranking found or was given.

    Parameters
    ----------
    rankings
        Rankings whose neurons are selected and ablated.
    deltas
        How far below the probe on all neurons a minimal set may stay on dev words: points, or per
        cent of it if `relative`.
    relative
        Whether deltas are relative.
    increment
        How sets grow: a share of all neurons below 1, else a number.
    shares
        Shares of the neurons that ablation keeps.
    sizes
        Numbers of neurons at which every classifier is trained on every order of every ranking.
    curve_words
        Words of each split for that, whole sentences drawn at random; all when not given.
    classifiers
        The elastic-net probe and the class-conditional Gaussian.
    seeds
        Number of random orders beside top and bottom.
    """

    name: ClassVar[str] = "select"
    rankings: tuple[RankingName, ...] = ("lca",)
    deltas: tuple[float, ...] = bounded((0.5, 1.0, 2.0), 0)
    relative: bool = False
    increment: float = bounded(0.01, 0.0001)
    shares: tuple[float, ...] = bounded((0.1, 0.15, 0.2), 0.0001, 1)
    sizes: tuple[int, ...] = bounded((10, 25, 50, 100, 150), 1)
    curve_words: int | None = bounded(10_000, 10)
    classifiers: tuple[Literal["linear", "gaussian"], ...] = ("linear", "gaussian")
    seeds: int = bounded(3, 1)


@dataclass(frozen=True)
class Reduce(Step):
    """Find what is redundant: layers, correlated neurons, features (Dalvi et al. 2020, CCFS).

    Parameters
    ----------
    layer_tolerance
        Share of the dev accuracy with all layers that the layers kept may lose.
    distance
        Neurons whose `1 - |correlation|` lies below this are one cluster (average linkage).
    representative
        Which neuron stands for a cluster: the one most correlated with the others, the first, or a
        random one (the original).
    feature_tolerance
        Share of the dev accuracy with all representatives that the features kept may lose.
    increment
        How the set of features grows: a share of all neurons below 1, else a number.
    l1
        Weight of the absolute values of the coefficients, for the mean loss.
    l2
        Weight of their squares.
    seeds
        Number of random sets beside each stage.
    """

    name: ClassVar[str] = "reduce"
    layer_tolerance: float = bounded(0.02, 0, 1)
    distance: float = bounded(0.3, 0, 1)
    representative: Literal["medoid", "first", "random"] = "medoid"
    feature_tolerance: float = bounded(0.01, 0, 1)
    increment: float = bounded(0.01, 0.0001)
    l1: float = bounded(1e-5, 0)
    l2: float = bounded(1e-5, 0)
    seeds: int = bounded(3, 1)


@dataclass(frozen=True)
class Intervene(Step):
    """Change neurons while the model runs, to see whether they are used.

    The model predicts a masked word, the next word or a sentence's class, by the head it was saved
    with (Antverg and Belinkov 2022, arXiv 2110.07483, section 5).

    Parameters
    ----------
    ranking
        Whose top neurons are changed.
    scaling
        Scaling of the activations that were ranked.
    neurons
        Numbers of neurons that are changed together.
    actions
        What is done to them: `zero`, `mean` (their mean over the training words), `scale:FACTOR`,
        or `translate:B`, at words of the label `source`, towards the label `target`, by B times
        the difference of their means for the best neuron, falling with the logarithm of the rank.
    source
        Label that `translate` starts from; the most frequent one when not given.
    target
        Label that it goes to; the second most frequent one when not given.
    draws
        Sets of random neurons, of the same layers and number, beside each.
    max_sentences
        Measure on this many sentences, drawn at random; on all when not given.
    words_per_sentence
        For a masked-word model: words hidden in each sentence, one at a time.
    max_length
        Longest input in subwords; the model's own limit when not given.
    batch_tokens
        Subwords in one forward pass, padding included.
    resamples
        Bootstrap resamples of sentences.
    confidence
        Level of the confidence intervals.
    seed
        Seed of sentences, hidden words, random neurons and resampling.
    """

    name: ClassVar[str] = "intervene"
    version: ClassVar[int] = 2
    ranking: RankingName = "lca"
    scaling: Literal["raw", "zscored"] = "raw"
    neurons: tuple[int, ...] = bounded((10, 50, 200), 1)
    actions: tuple[str, ...] = ("zero", "mean", "translate:8")
    source: str | None = None
    target: str | None = None
    draws: int = bounded(9, 1)
    max_sentences: int | None = bounded(500, 1)
    words_per_sentence: int = bounded(1, 1)
    max_length: int | None = bounded(None, 4)
    batch_tokens: int = bounded(4096, 1)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)
