"""Parameters of concepts over checkpoints, and of how stable they are without any tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.concepts import LEAST
from tunescope.steps.step import Step, bounded


@dataclass(frozen=True)
class Trace(Step):
    """Follow concepts over the checkpoints of a tuning.

    When was each base concept lost, when was each tuned concept born, and when polarised? The
    alignment function is that of Durrani et al. 2022 (arXiv 2210.12696), over word occurrences.

    Parameters
    ----------
    theta
        A concept is there at a checkpoint when one concept of the checkpoint holds at least this
        share of it.
    theta_classes
        A concept is polarised towards a class when at least this share of its occurrences comes
        from sentences of that class (sentences without a class left out).
    max_unknown
        Concepts with a larger share of occurrences in sentences without a class are not polarised.
    permutations
        Random permutations for the null distribution beside each count.
    resamples
        How often sentences are drawn again for the confidence intervals of polarised concepts.
    confidence
        Level of the confidence intervals, and of the null distributions' upper ends.
    seed
        Seed of the permutations.
    """

    name: ClassVar[str] = "trace"
    version: ClassVar[int] = 4
    theta: float = bounded(0.8, LEAST, 1)
    theta_classes: float = bounded(0.9, LEAST, 1)
    max_unknown: float = bounded(0.4, 0, 1)
    permutations: int = bounded(100, 1)
    resamples: int = bounded(200, 2)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)


@dataclass(frozen=True)
class Stability(Step):
    """Measure how much of what is called lost would be lost without tuning.

    Each layer is clustered on two samples of the sentences. What differs between them is noise of
    the clustering, and stands beside what differs between base and tuned model.

    Parameters
    ----------
    compare
        `shared`: the samples are two thirds each and share one third, whose words are compared.
        `centroids`: they are halves; the words of the second half are given to the nearest
        centroid of the first, and compared with the second half's own concepts.
    theta
        A concept is retained when one concept of the other clustering holds at least this share of
        its occurrences.
    repeats
        How often the sentences are divided anew.
    groups
        Groups of sentences left out in turn for the interval of the adjusted Rand index.
    permutations
        Random permutations for the null distribution beside each count.
    confidence
        Level of the confidence intervals, and of the null distributions' upper ends.
    seed
        Seed of the divisions and permutations.
    """

    name: ClassVar[str] = "stability"
    compare: Literal["shared", "centroids"] = "shared"
    theta: float = bounded(0.8, LEAST, 1)
    repeats: int = bounded(3, 1)
    groups: int = bounded(20, 2)
    permutations: int = bounded(100, 1)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)
