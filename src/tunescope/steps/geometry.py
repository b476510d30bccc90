"""Parameters of the geometry of base against tuned: CKA, Procrustes distance, neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded

Measure = Literal["cka", "procrustes", "neighbours"]


@dataclass(frozen=True)
class Geometry(Step):
    """Measure how alike base and tuned activations are, per layer and layer against layer.

    Parameters
    ----------
    measures
        What is measured at each layer: linear CKA (1 is alike), orthogonal Procrustes distance (0
        is alike), and the share of nearest neighbours that a word has in both (1 is alike).
    layers
        Layers to measure; all when not given.
    matrix
        CKA of layers with layers: of base with tuned (`between`), within each model as well
        (`all`, twice the work), or `none`.
    estimator
        CKA from the unbiased HSIC, or from the biased one that most papers print and that grows
        as words get fewer.
    k
        Nearest neighbours of a word.
    metric
        What near means: angle or distance.
    exclude_type
        Whether other occurrences of the same word, upper or lower case, are no neighbours.
    queries
        Words whose neighbours are looked up, drawn at random; their neighbours are sought among
        all words measured.
    max_words
        At most this many words are measured, drawn by whole sentences.
    groups
        Groups of sentences that are left out in turn for the intervals (jackknife).
    confidence
        Level of the intervals.
    seed
        Seed of the draws, the groups and the permutation.
    """

    name: ClassVar[str] = "geometry"
    measures: tuple[Measure, ...] = ("cka", "procrustes", "neighbours")
    layers: tuple[int, ...] | None = None
    matrix: Literal["none", "between", "all"] = "between"
    estimator: Literal["unbiased", "biased"] = "unbiased"
    k: int = bounded(10, 1)
    metric: Literal["cosine", "euclidean"] = "cosine"
    exclude_type: bool = True
    queries: int = bounded(2000, 1)
    max_words: int = bounded(20_000, 10)
    groups: int = bounded(20, 2)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)
