"""Parameters of latent concepts and their alignment (Durrani et al. 2022, arXiv 2210.12696)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded


@dataclass(frozen=True)
class Concepts(Step):
    """Choose words by frequency, then cluster their activations at every layer.

    The words are chosen before extraction and are the same for base and tuned models (Dalvi et
    al. 2022, section 3.1).

    Parameters
    ----------
    n_clusters
        K, the number of clusters the dendrogram is cut into.
    linkage
        Agglomeration criterion (Euclidean distance).
    min_count
        A word type needs at least this many occurrences.
    max_count
        A word type with more occurrences than this is dropped; no limit when not given.
    max_occurrences
        At most this many occurrences of a type are kept.
    choice
        Which occurrences are kept: `random` (seeded) or the `first` in the corpus.
    min_types
        A concept needs at least this many word types to count in any figure (the paper: more
        than 5).
    seed
        Seed of the random choice.
    """

    name: ClassVar[str] = "concepts"
    n_clusters: int = bounded(600, 2)
    linkage: Literal["ward", "average", "complete"] = "ward"
    min_count: int = bounded(10, 1)
    max_count: int | None = bounded(None, 1)
    max_occurrences: int = bounded(10, 1)
    choice: Literal["random", "first"] = "random"
    min_types: int = bounded(6, 1)
    seed: int = bounded(0, 0)


@dataclass(frozen=True)
class Align(Step):
    """Align concepts: base with tuned, with label columns, and with the task's classes.

    Parameters
    ----------
    theta
        A base concept is retained when one tuned concept holds at least this share of it; a tuned
        concept is born when no base concept holds this share of it.
    overlap
        Shares are counted over word occurrences or over word types in the headline figures; both
        are computed.
    thetas
        Further values of `theta` at which concepts retained and survived are counted.
    floor
        Matches are listed when the other concept holds at least this share of one, by occurrences
        or by types.
    exchange
        What changes places at random for the null between models: single word occurrences, or all
        occurrences of whole word types (the stricter one).
    labels
        Label columns to align with; all that the words have when not given.
    computed
        Kinds of human-defined labels that are computed from the words, to align with as well.
    theta_labels
        A concept is aligned with a label when at least this share of its labelled occurrences
        carries it.
    theta_classes
        A concept is polarised towards a class when at least this share of its occurrences comes
        from sentences of that class (sentences without a class left out).
    max_unknown
        Concepts with a larger share of unlabelled occurrences are not aligned; the same for
        occurrences in sentences without a class.
    min_tokens
        A label needs at least this many occurrences among the words to count in the score of
        aligned concepts and covered labels.
    composition_share
        Labels with a share of a concept above this are listed as what it is made of.
    composition_labels
        At most this many of them, the largest first; labels that reach `theta_labels` always.
    permutations
        Random permutations for the null distribution beside each count.
    resamples
        How often sentences are drawn again for the confidence intervals of labels and classes.
    confidence
        Level of the confidence intervals, and of the null distributions' upper ends.
    seed
        Seed of permutations and resamples.
    """

    name: ClassVar[str] = "align"
    version: ClassVar[int] = 2
    theta: float = bounded(0.8, 0, 1)
    overlap: Literal["occurrences", "types"] = "occurrences"
    thetas: tuple[float, ...] = bounded((0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), 0, 1)
    floor: float = bounded(0.2, 0, 1)
    exchange: Literal["occurrences", "types"] = "occurrences"
    labels: tuple[str, ...] | None = None
    computed: tuple[str, ...] | None = None
    theta_labels: float = bounded(0.9, 0, 1)
    theta_classes: float = bounded(0.9, 0, 1)
    max_unknown: float = bounded(0.4, 0, 1)
    min_tokens: int = bounded(6, 1)
    composition_share: float = bounded(0.1, 0, 1)
    composition_labels: int = bounded(6, 1)
    permutations: int = bounded(100, 1)
    resamples: int = bounded(200, 2)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)
