"""How well a task is done: metrics, their intervals, and two models on the same texts.

Texts are drawn independently of each other, so intervals come from resampling texts (Efron and
Tibshirani 1993, chapter 13: percentiles), but for accuracy, whose interval is Wilson's (1927),
which stays of use where all texts, or none, are right.

Two models on the same texts: under the hypothesis that they are equally good, what one said of a
text could as well have been said by the other. For accuracy the distribution over all such swaps is
known: a binomial over the texts that one of them alone gets right, which is McNemar's exact test
(1947). For the other metrics swaps are drawn at random (approximate randomisation: Noreen 1989;
Yeh 2000, COLING). Intervals of differences resample texts, for both models at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tunescope.errors import InputError, MismatchError, nearest
from tunescope.tasks import resampling
from tunescope.tasks.kinds import METRICS_OF, Kind, MetricName
from tunescope.tasks.resampling import Classes, Numbers, Values


@dataclass(frozen=True)
class Metric:
    """How predictions are compared with targets.

    Parameters
    ----------
    name : str
        Its key in `METRICS`.
    kind : {"classification", "regression"}
        The tasks it is for.
    title : str
        For pages.
    of : callable
        Its values for many draws at once (`tunescope.tasks.resampling`).
    """

    name: MetricName
    kind: Kind
    title: str
    of: Callable[..., np.ndarray]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "classification", "accuracy", resampling.accuracy),
        Metric("f1", "classification", "F1", resampling.f1),
        Metric("matthews", "classification", "Matthews correlation", resampling.matthews),
        Metric("pearson", "regression", "Pearson correlation", resampling.pearson),
        Metric("spearman", "regression", "Spearman correlation", resampling.spearman),
    )
}
"""All metrics. F1 of two classes is that of one of them, of more the mean over all (macro)."""


@dataclass(frozen=True)
class PairedTest:
    """Two models on the same texts.

    Parameters
    ----------
    metric : str
        What they are compared by.
    n : int
        Texts.
    a, b : float
        Score of each.
    difference : float
        Score of `b` minus score of `a`.
    low, high : float
        Ends of its confidence interval.
    p : float
        Two-sided, of the hypothesis that they are equally good.
    method : str
        How it was tested.
    """

    metric: str
    n: int
    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    method: str


def score(
    metric: str,
    targets: Values,
    predictions: Values,
    *,
    positive: str | None = None,
    classes: Sequence[str] | None = None,
) -> float:
    """Return the value of a metric.

    Parameters
    ----------
    metric : str
        One of `METRICS`.
    targets, predictions : sequence of str or of float, shape (n_texts,)
        What should be said of each text, and what was.
    positive : str, optional
        The class that F1 counts where there are two; the second, sorted, when not given.
    classes : sequence of str, optional
        All classes there are, which says whether they are two; those that occur when not given.

    Raises
    ------
    InputError
        If there is no such metric, lengths differ, or a number is not finite.
    """
    return _prepared(metric, targets, [predictions], positive, classes).scores()[0]


def scores(kind: Kind, targets: Values, predictions: Values, **options: Any) -> dict[str, float]:
    """Return the values of all metrics of a kind of task, by name (see `score`)."""
    return {name: score(name, targets, predictions, **options) for name in METRICS_OF[kind]}


def interval(
    metric: str,
    targets: Values,
    predictions: Values,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    positive: str | None = None,
    classes: Sequence[str] | None = None,
) -> tuple[float, float]:
    """Return the confidence interval of a metric over texts: Wilson's, or by the bootstrap.

    Parameters
    ----------
    metric, targets, predictions, positive, classes
        See `score`.
    resamples : int
        Draws of the bootstrap, of as many texts as there are.
    confidence : float
        Between 0 and 1.
    seed : int
        Seed of the draws.
    """
    made = _prepared(metric, targets, [predictions], positive, classes)
    if metric == "accuracy" and isinstance(made, Classes):
        from scipy.stats import binomtest

        right = int(made.right(0) @ made.counts)
        ends = binomtest(right, made.n).proportion_ci(confidence, method="wilson")
        return float(ends.low), float(ends.high)
    return _percentiles(made.drawn(resamples, seed)[0], confidence)


def paired_test(
    metric: str,
    targets: Values,
    a: Values,
    b: Values,
    *,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    positive: str | None = None,
    classes: Sequence[str] | None = None,
) -> PairedTest:
    """Compare two models by what they said of the same texts.

    Parameters
    ----------
    metric, targets, positive, classes
        See `score`.
    a, b : sequence of str or of float, shape (n_texts,)
        Predictions of the two models.
    resamples : int
        Draws of the bootstrap, and random swaps where the test needs them.
    confidence : float
        Of the interval of the difference.
    seed : int
        Seed of both.
    """
    made = _prepared(metric, targets, [a, b], positive, classes)
    first, second = made.scores()
    drawn = made.drawn(resamples, seed)
    low, high = _percentiles(drawn[1] - drawn[0], confidence)
    if metric == "accuracy" and isinstance(made, Classes):
        p, method = _mcnemar(made), "exact test of all swaps (McNemar)"
    else:
        apart = np.abs(made.swapped(resamples, seed + 1)) >= abs(second - first) - 1e-12
        p, method = (1 + int(apart.sum())) / (1 + resamples), f"{resamples} random swaps"
    return PairedTest(metric, made.n, first, second, second - first, low, high, p, method)


def _prepared(
    metric: str,
    targets: Values,
    answers: list[Values],
    positive: str | None,
    classes: Sequence[str] | None,
) -> Classes | Numbers:
    if metric not in METRICS:
        raise InputError(f"there is no metric {metric!r}; {nearest(metric, METRICS)}")
    if not len(targets) or any(len(said) != len(targets) for said in answers):
        sizes = ", ".join(str(len(said)) for said in answers)
        raise MismatchError(f"{len(targets)} targets for {sizes} predictions: use the same texts")
    known = METRICS[metric]
    if known.kind == "classification":
        return Classes(known.of, targets, answers, positive, classes)
    return Numbers(known.of, targets, answers)


def _mcnemar(made: Classes) -> float:
    from scipy.stats import binomtest

    right = [made.right(model) for model in (0, 1)]
    alone = [int((right[i] & ~right[1 - i]) @ made.counts) for i in (0, 1)]
    return float(binomtest(alone[1], sum(alone), 0.5).pvalue) if sum(alone) else 1.0


def _percentiles(drawn: np.ndarray, confidence: float) -> tuple[float, float]:
    ends = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(ends[0]), float(ends[1])
