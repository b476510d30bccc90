"""What right and wrong words say of a set of neurons: accuracy and selectivity, with intervals.

Selectivity (Hewitt and Liang 2019, section 2.3) is the accuracy on the task minus the accuracy on
the control task, here minus the mean over all control tasks. Intervals come from resampling
sentences; task and controls are resampled together, word by word, so that the interval is of their
difference. Where neurons were drawn at random, the interval also holds what the draw adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from scipy.stats import t as student

from tunescope.neurons.words import LabelledWords
from tunescope.probes.statistics import mean_interval

if TYPE_CHECKING:
    from tunescope.neurons.classifiers import Classifier

NONE = (np.nan, np.nan, np.nan)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Which words a classifier got right from one set of neurons.

    Parameters
    ----------
    dev : numpy.ndarray of bool, shape (n_dev,)
        The task, dev words; empty when the task was not fitted.
    test : numpy.ndarray of bool, shape (n_test,)
        The task, test words; empty when the task was not fitted.
    controls : numpy.ndarray of bool, shape (n_controls, n_test)
        The control tasks, test words; without rows when they were not fitted.
    """

    dev: np.ndarray
    test: np.ndarray
    controls: np.ndarray

    @property
    def dev_accuracy(self) -> float:
        """Share of the dev words that are right; NaN without dev words."""
        return float(self.dev.mean()) if len(self.dev) else np.nan

    @property
    def accuracy(self) -> float:
        """Share of the test words that are right."""
        return float(self.test.mean())

    @property
    def control_accuracy(self) -> float:
        """Mean accuracy on the control tasks; NaN without any."""
        return float(self.controls.mean()) if len(self.controls) else np.nan

    @property
    def advantage(self) -> np.ndarray:
        """Right on the task minus the share of controls that are right, per test word."""
        return self.test - self.controls.mean(axis=0)


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made.

    Parameters
    ----------
    resamples : int
        Resamples of the test sentences.
    confidence : float
        Level of the interval.
    seed : int
        Seed of the resampling.
    """

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def of(self, values: np.ndarray, sentences: np.ndarray) -> tuple[float, float, float]:
        """Return the mean over words and its interval (mean, low, high)."""
        low, high = mean_interval(
            np.asarray(values, float),
            sentences,
            resamples=self.resamples,
            confidence=self.confidence,
            seed=self.seed,
        )
        return float(np.mean(values)), low, high

    def accuracy(self, outcome: Outcome, sentences: np.ndarray) -> tuple[float, float, float]:
        """Return the test accuracy and its interval."""
        return self.of(outcome.test, sentences)

    def selectivity(self, outcome: Outcome, sentences: np.ndarray) -> tuple[float, float, float]:
        """Return the selectivity and its interval; NaN without control tasks."""
        return self.of(outcome.advantage, sentences) if len(outcome.controls) else NONE

    def over_seeds(
        self, outcomes: Sequence[Outcome], sentences: np.ndarray
    ) -> tuple[float, float, float]:
        """Return the mean test accuracy over random draws, and an interval for draw and words.

        Parameters
        ----------
        outcomes : sequence of Outcome
            One per draw; with fewer than two the interval is for the words alone.
        sentences : numpy.ndarray of int, shape (n_test,)
            Sentence of each test word.

        Returns
        -------
        mean, low, high : float
            Halves of the interval are sqrt(a^2 + b^2): a from resampling sentences with the draws
            held fixed, b from Student's t over the draws' accuracies.
        """
        mean, low, high = self.of(np.mean([o.test for o in outcomes], axis=0), sentences)
        spread = self.between([o.accuracy for o in outcomes])
        return mean, *_widened(mean, low, high, spread)

    def between(self, values: Sequence[float]) -> float:
        """Return half of Student's t interval for the mean of a few values; 0 for a single one."""
        n = len(values)
        if n < 2:
            return 0.0
        quantile = float(student.ppf((1 + self.confidence) / 2, n - 1))
        return quantile * float(np.std(values, ddof=1)) / n**0.5


def selectivity_table(
    words: LabelledWords,
    sets: Mapping[str, np.ndarray],
    classifier: Classifier,
    *,
    bootstrap: Bootstrap | None = None,
) -> pd.DataFrame:
    """Compare the selectivity of sets of neurons, as of all neurons and of a minimal set.

    Parameters
    ----------
    words : LabelledWords
        With control tasks; three or more keep one odd draw of labels from deciding.
    sets : mapping of str to numpy.ndarray of int
        Neurons (columns) by name.
    classifier : Classifier
        Trained on each set, for the task and for every control task.
    bootstrap : Bootstrap, optional
        How intervals are made.

    Returns
    -------
    pandas.DataFrame
        One row per set: `set`, `scaling`, `classifier`, `n` (neurons), `controls` (tasks),
        `accuracy`, `low`, `high`, `control_accuracy`, `selectivity`, `selectivity_low`,
        `selectivity_high`.
    """
    bootstrap = bootstrap or Bootstrap()
    outcomes = classifier.judge(words, list(sets.values()))
    rows = []
    for (name, columns), outcome in zip(sets.items(), outcomes, strict=True):
        rows.append(
            {
                "set": name,
                "scaling": words.scaling,
                "classifier": classifier.name,
                "n": len(columns),
                "controls": len(outcome.controls),
                **triple("", bootstrap.accuracy(outcome, words.test.sentences)),
                "control_accuracy": outcome.control_accuracy,
                **triple("selectivity", bootstrap.selectivity(outcome, words.test.sentences)),
            }
        )
    return pd.DataFrame(rows)


def triple(prefix: str, values: tuple[float, float, float]) -> dict[str, float]:
    """Name (value, low, high) as columns; without a prefix they are accuracy, low and high."""
    names = (f"{prefix}", f"{prefix}_low", f"{prefix}_high") if prefix else _ACCURACY
    return dict(zip(names, values, strict=True))


_ACCURACY = ("accuracy", "low", "high")


def pool_seeds(
    table: pd.DataFrame, accuracy: str = "accuracy", *, confidence: float = 0.95
) -> pd.DataFrame:
    """Average rows of random neurons over their seeds; other rows stay as they are.

    Parameters
    ----------
    table : pandas.DataFrame
        A curve or ablation table, with one row per seed where `order` is `random`.
    accuracy : str
        Name of the column that `low` and `high` belong to.
    confidence : float
        Level that they were made with.

    Returns
    -------
    pandas.DataFrame
        Without `seed`; `seeds` counts them. Numbers are means; `low` and `high` hold the mean
        interval over sentences and, added in squares, Student's t interval over the seeds. The
        mean over seeds varies less over sentences than one seed does: the interval is a little
        too wide, never too narrow.
    """
    keys = [
        name
        for name in table.columns
        if name in ("n", "share") or (table[name].dtype.kind not in "fi" and name != "seed")
    ]
    rows = []
    for key, group in table.groupby(keys, sort=False, dropna=False):
        names = dict(zip(keys, cast(tuple[Any, ...], key), strict=True))
        mean = group.drop(columns=[*keys, "seed"]).mean(numeric_only=True)
        if len(group) > 1:
            spread = Bootstrap(confidence=confidence).between(group[accuracy].tolist())
            middle, low, high = mean[[accuracy, "low", "high"]].tolist()
            mean["low"], mean["high"] = _widened(middle, low, high, spread)
        rows.append({**names, "seeds": len(group), **mean})
    return pd.DataFrame(rows)


def _widened(mean: float, low: float, high: float, spread: float) -> tuple[float, float]:
    """Add half an interval from another source, in squares; ends stay in [0, 1]."""
    ends = mean - np.hypot(mean - low, spread), mean + np.hypot(high - mean, spread)
    return max(0.0, float(ends[0])), min(1.0, float(ends[1]))
