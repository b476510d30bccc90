"""Parameters of layer-wise probes (Durrani et al. 2021, arXiv 2105.15179)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tunescope.steps.step import Step, bounded


@dataclass(frozen=True)
class Probe(Step):
    """Fit an elastic-net probe on every layer for every label column.

    Parameters
    ----------
    l1
        Weight of the absolute values of the coefficients (per `loss`).
    l2
        Weight of the squared coefficients (per `loss`).
    loss
        Whether the log-likelihood in the objective is the sum over words (the paper) or the mean.
    standardize
        Scale every neuron to mean 0 and variance 1 on the training words first.
    dev_share
        Share of sentences in the dev split, where the corpus does not define splits.
    test_share
        Share of sentences in the test split, where the corpus does not define splits.
    control_seeds
        Number of random-label control tasks (Hewitt and Liang 2019).
    tolerance
        The fit stops when its objective is proven, by the duality gap, to lie within this share
        of the optimum.
    max_iterations
        Upper bound of the solver's iterations; reaching it is reported.
    resamples
        Bootstrap resamples of sentences for confidence intervals, and sign flips for paired tests.
    confidence
        Level of the confidence intervals.
    seed
        Seed of the split, control labels and resampling.
    """

    name: ClassVar[str] = "probe"
    version: ClassVar[int] = 2
    l1: float = bounded(3.0, 0)
    l2: float = bounded(3.0, 0)
    loss: Literal["sum", "mean"] = "sum"
    standardize: bool = False
    dev_share: float = bounded(0.1, 0, 0.9)
    test_share: float = bounded(0.2, 0.01, 0.9)
    control_seeds: int = bounded(3, 0)
    tolerance: float = bounded(5e-3, 0)
    max_iterations: int = bounded(500, 1)
    resamples: int = bounded(1000, 10)
    confidence: float = bounded(0.95, 0.5, 0.9999)
    seed: int = bounded(0, 0)
