"""How well a task is done: metrics, their intervals, and two models on the same texts.

Values are scikit-learn's and SciPy's. Texts are drawn independently of each other, so intervals
come from resampling texts (Efron and Tibshirani 1993, chapter 13: percentiles), but for accuracy,
whose interval is Wilson's (1927), which stays of use where all texts, or none, are right.

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
from tunescope.tasks.kinds import METRICS_OF, Kind, MetricName

Values = Sequence[Any] | np.ndarray


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
    of : callable (targets, predictions, weights, positive) -> float
        Its value; targets and predictions of classes are whole numbers, `weights` says how often
        each text counts, `positive` the number of the class that F1 counts, or None for all.
    """

    name: MetricName
    kind: Kind
    title: str
    of: Callable[..., float]


def _accuracy(targets: np.ndarray, predictions: np.ndarray, weights: Any, _: Any) -> float:
    return float(np.average(targets == predictions, weights=weights))


def _f1(targets: np.ndarray, predictions: np.ndarray, weights: Any, positive: int | None) -> float:
    from sklearn.metrics import f1_score

    options: dict[str, Any] = {"sample_weight": weights, "zero_division": 0.0}
    if positive is not None:  # the mean over one class: its F1
        options["labels"] = [positive]
    return float(f1_score(targets, predictions, average="macro", **options))


def _matthews(targets: np.ndarray, predictions: np.ndarray, weights: Any, _: Any) -> float:
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(targets, predictions, sample_weight=weights))


def _pearson(targets: np.ndarray, predictions: np.ndarray, weights: Any, _: Any) -> float:
    from scipy.stats import pearsonr

    if np.ptp(targets) == 0 or np.ptp(predictions) == 0:
        return 0.0  # what is the same for all texts tells them apart in no way
    return float(pearsonr(targets, predictions).statistic)  # type: ignore[attr-defined]


def _spearman(targets: np.ndarray, predictions: np.ndarray, weights: Any, _: Any) -> float:
    from scipy.stats import rankdata

    return _pearson(rankdata(targets), rankdata(predictions), weights, _)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "classification", "accuracy", _accuracy),
        Metric("f1", "classification", "F1", _f1),
        Metric("matthews", "classification", "Matthews correlation", _matthews),
        Metric("pearson", "regression", "Pearson correlation", _pearson),
        Metric("spearman", "regression", "Spearman correlation", _spearman),
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
    return _Prepared(metric, targets, [predictions], positive, classes).score(0)


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
    made = _Prepared(metric, targets, [predictions], positive, classes)
    if metric == "accuracy":
        from scipy.stats import binomtest

        right = int((made.targets == made.predictions[0]) @ made.counts)
        ends = binomtest(right, made.n).proportion_ci(confidence, method="wilson")
        return float(ends.low), float(ends.high)
    return _percentiles([made.score(0, w) for w in made.resampled(resamples, seed)], confidence)


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
    made = _Prepared(metric, targets, [a, b], positive, classes)
    first, second = made.score(0), made.score(1)
    drawn = [
        made.score(1, weights) - made.score(0, weights)
        for weights in made.resampled(resamples, seed)
    ]
    low, high = _percentiles(drawn, confidence)
    if metric == "accuracy":
        p, method = _mcnemar(made), "exact test of all swaps (McNemar)"
    else:
        p, method = _swaps(made, resamples, seed), f"{resamples} random swaps"
    return PairedTest(metric, made.n, first, second, second - first, low, high, p, method)


class _Prepared:
    """Targets and predictions as numbers, equal texts as one with a count.

    For classes, a text is no more than its target and what was said of it: drawing texts anew is
    drawing new counts of these few combinations, and swaps are counts too.
    """

    def __init__(
        self,
        metric: str,
        targets: Values,
        predictions: list[Values],
        positive: str | None,
        classes: Sequence[str] | None,
    ):
        if metric not in METRICS:
            raise InputError(f"there is no metric {metric!r}; {nearest(metric, METRICS)}")
        self.metric = METRICS[metric]
        self.n = len(targets)
        if not self.n or any(len(said) != self.n for said in predictions):
            sizes = ", ".join(str(len(said)) for said in predictions)
            raise MismatchError(f"{self.n} targets for {sizes} predictions: use the same texts")
        self.positive: int | None = None
        self.is_class = self.metric.kind == "classification"
        self.counts = np.ones(self.n, int)
        if self.is_class:
            named = [[str(value) for value in column] for column in (targets, *predictions)]
            found = sorted({name for column in named for name in column} | set(classes or ()))
            numbers = {name: number for number, name in enumerate(found)}
            if len(found) <= 2:
                self.positive = numbers.get(positive or found[-1], len(found))
            table = np.array([[numbers[name] for name in column] for column in named])
            table, self.counts = np.unique(table, axis=1, return_counts=True)
        else:
            table = np.array([np.asarray(values, float) for values in (targets, *predictions)])
            if not np.isfinite(table).all():
                raise InputError(f"{metric}: a target or a prediction is not a finite number")
        self.targets, self.predictions = table[0], list(table[1:])

    def score(self, which: int, weights: np.ndarray | None = None) -> float:
        """Score one model's predictions, texts counted as `weights` say."""
        return self.of(self.predictions[which], self.counts if weights is None else weights)

    def of(self, predictions: np.ndarray, weights: np.ndarray) -> float:
        """Score predictions of all texts, or of both models' behind each other."""
        targets = np.tile(self.targets, len(predictions) // len(self.targets))
        if self.is_class:
            drawn = weights > 0
            targets, predictions, weights = targets[drawn], predictions[drawn], weights[drawn]
        else:  # the correlations take no weights
            targets, predictions = np.repeat(targets, weights), np.repeat(predictions, weights)
        return self.metric.of(targets, predictions, weights, self.positive)

    def resampled(self, resamples: int, seed: int) -> np.ndarray:
        """Draw texts with replacement; how often each was drawn, shape (resamples, n_different)."""
        rng = np.random.default_rng(seed)
        return rng.multinomial(self.n, self.counts / self.n, size=resamples)


def _mcnemar(made: _Prepared) -> float:
    from scipy.stats import binomtest

    right = [made.targets == said for said in made.predictions]
    alone = [int((right[i] & ~right[1 - i]) @ made.counts) for i in (0, 1)]
    return float(binomtest(alone[1], sum(alone), 0.5).pvalue) if sum(alone) else 1.0


def _swaps(made: _Prepared, resamples: int, seed: int) -> float:
    """Share of random swaps that make the models differ as much as they do."""
    rng = np.random.default_rng([seed, 1])
    a, b = made.predictions
    if not made.is_class:  # swaps need predictions on one scale, which correlations do not mind
        a, b = (_standardised(said, made.metric.name) for said in (a, b))
    apart = np.abs(made.score(1) - made.score(0))
    both = np.concatenate([a, b])
    extreme = 0
    for _ in range(resamples):
        swapped = rng.binomial(made.counts, 0.5)
        kept = made.counts - swapped
        one = made.of(both, np.concatenate([kept, swapped]))
        other = made.of(both, np.concatenate([swapped, kept]))
        extreme += abs(other - one) >= apart - 1e-12
    return (1 + extreme) / (1 + resamples)


def _standardised(values: np.ndarray, metric: str) -> np.ndarray:
    from scipy.stats import rankdata

    values = rankdata(values) if metric == "spearman" else values
    spread = values.std()
    return (values - values.mean()) / spread if spread else values - values.mean()


def _percentiles(drawn: list[float], confidence: float) -> tuple[float, float]:
    ends = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(ends[0]), float(ends[1])
