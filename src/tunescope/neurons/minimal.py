"""The smallest set of top neurons that does nearly as well as all of them.

This is how Durrani et al. 2020 (arXiv 2010.02695) find how few neurons hold a property.
N grows until a classifier trained on the top N neurons comes within delta of the oracle, which is
trained on all of them, on the dev words; the test words say how good the set is. Random and bottom
sets of the same N, trained alike, stand beside it: that a set matches the oracle does not yet say
that its neurons are special.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.classifiers import Classifier
from tunescope.neurons.orders import arrange
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap, Outcome, triple
from tunescope.neurons.words import LabelledWords

AT_ONCE = 4
"""Sizes tried in one go; the search may fit up to three more than it needed."""


def minimal_sets(
    words: LabelledWords,
    rankings: Sequence[Ranking],
    classifier: Classifier,
    *,
    oracle: Outcome | None = None,
    deltas: Sequence[float] = (0.5, 1.0, 2.0),
    relative: bool = False,
    increment: float = 0.01,
    seeds: Sequence[int] = (0, 1, 2),
    bootstrap: Bootstrap | None = None,
) -> pd.DataFrame:
    """Find the smallest set of each ranking for each delta.

    Parameters
    ----------
    words : LabelledWords
        With dev words.
    rankings : sequence of Ranking
        Their top neurons are tried.
    classifier : Classifier
        Trained on each set.
    oracle : Outcome, optional
        Of the same classifier on all neurons, task and controls; fitted when not given.
    deltas : sequence of float
        Points of dev accuracy that a set may lie below the oracle.
    relative : bool
        Take a delta as per cent of the oracle's dev accuracy instead.
    increment : float
        How N grows: a share of all neurons below 1, a number of neurons from 1 on.
    seeds : sequence of int
        Of the random sets; three or more.
    bootstrap : Bootstrap, optional
        How intervals are made.

    Returns
    -------
    pandas.DataFrame
        One row per ranking and delta: `scaling`, `ranking`, `delta`, `n`, `share`, `oracle_dev`,
        `dev_accuracy`, `oracle_accuracy`, then `accuracy`, `low`, `high` of the set, the same for
        `random_` (mean over seeds; the interval holds the draw too) and `bottom_`, then
        `selectivity_all`, `selectivity`, `selectivity_low`, `selectivity_high`, and `reached`:
        whether fewer than all neurons sufficed; where not, n is all of them.

    Raises
    ------
    InputError
        If there are no dev words, no deltas or no seeds, or the increment is not above 0.
    """
    if not len(words.dev):
        raise InputError(
            f"corpus {words.corpus!r}: minimal sets are chosen by dev accuracy and there are no "
            "dev words; raise dev_share"
        )
    if not len(deltas) or min(deltas) < 0 or not len(seeds):
        raise InputError("give at least one delta, none below 0, and at least one seed")
    bootstrap = bootstrap or Bootstrap()
    d, sentences = words.n_neurons, words.test.sentences
    oracle = oracle or classifier.judge(words, [np.arange(d)])[0]
    best = oracle.dev_accuracy
    demands = {x: best * (1 - x / 100) if relative else best - x / 100 for x in deltas}
    sizes = candidate_sizes(d, increment)
    random_sets = _RandomSets(words, classifier, seeds)
    rows = []
    for ranking in rankings:
        tried = search(words, ranking, classifier, sizes, max(demands.values()))
        chosen = {
            delta: next((n for n, o in tried.items() if o.dev_accuracy >= demand), d)
            for delta, demand in demands.items()
        }
        fewer = sorted({n for n in chosen.values() if n < d})
        beside = _Beside(words, ranking, classifier, fewer)
        random_sets.add(fewer)
        for delta, n in chosen.items():
            task, bottom, controls = (
                (oracle, oracle, oracle) if n == d else (tried[n], *beside.at(n))
            )
            whole = Outcome(task.dev, task.test, controls.controls)
            randoms = [oracle] if n == d else random_sets.known[n]
            rows.append(
                {
                    "scaling": words.scaling,
                    "ranking": ranking.name,
                    "delta": float(delta),
                    "n": n,
                    "share": n / d,
                    "oracle_dev": best,
                    "dev_accuracy": task.dev_accuracy,
                    "oracle_accuracy": oracle.accuracy,
                    **triple("", bootstrap.accuracy(whole, sentences)),
                    **_named("random", bootstrap.over_seeds(randoms, sentences)),
                    **_named("bottom", bootstrap.accuracy(bottom, sentences)),
                    "selectivity_all": oracle.accuracy - oracle.control_accuracy,
                    **triple("selectivity", bootstrap.selectivity(whole, sentences)),
                    "reached": n < d,
                }
            )
    return pd.DataFrame(rows)


def search(
    words: LabelledWords,
    ranking: Ranking,
    classifier: Classifier,
    sizes: Sequence[int],
    demand: float,
) -> dict[int, Outcome]:
    """Train on growing sets of top neurons until one meets the demand on the dev words.

    Parameters
    ----------
    words : LabelledWords
        With dev words.
    ranking : Ranking
        The order in which neurons are added.
    classifier : Classifier
        Trained on each set, for the task alone.
    sizes : sequence of int
        N, rising; all neurons are not among them.
    demand : float
        Dev accuracy at which the search ends.

    Returns
    -------
    dict of int to Outcome
        By size, rising; the last one meets the demand if any does.
    """
    order = arrange(ranking, words.layer_of)
    tried: dict[int, Outcome] = {}
    for start in range(0, len(sizes), AT_ONCE):
        batch = sizes[start : start + AT_ONCE]
        outcomes = classifier.judge(words, [order[:n] for n in batch], tasks="task")
        for n, outcome in zip(batch, outcomes, strict=True):
            tried[n] = outcome
            if outcome.dev_accuracy >= demand:
                return tried
    return tried


def candidate_sizes(d: int, increment: float) -> list[int]:
    """Return the numbers of neurons to try, all of fewer than d, rising.

    Parameters
    ----------
    d : int
        Number of all neurons.
    increment : float
        A share of d below 1, a number of neurons from 1 on.
    """
    if not increment > 0:
        raise InputError(f"increment = {increment!r} must be above 0")
    step = increment if increment >= 1 else increment * d
    steps = {max(1, round(step * k)) for k in range(1, int(d / step) + 1)}
    return sorted(n for n in steps if n < d)


class _RandomSets:
    """Random sets, which are the same for every ranking; each size is trained once."""

    def __init__(self, words: LabelledWords, classifier: Classifier, seeds: Sequence[int]):
        self.words, self.classifier = words, classifier
        self.orders = [np.random.default_rng(seed).permutation(words.n_neurons) for seed in seeds]
        self.known: dict[int, list[Outcome]] = {}

    def add(self, sizes: Sequence[int]) -> None:
        new = [n for n in sizes if n not in self.known]
        sets = [order[:n] for n in new for order in self.orders]
        outcomes = self.classifier.judge(self.words, sets, tasks="task")
        for place, n in enumerate(new):
            start = place * len(self.orders)
            self.known[n] = outcomes[start : start + len(self.orders)]


class _Beside:
    """The bottom sets and the control tasks of the top sets, for the sizes that were chosen."""

    def __init__(
        self, words: LabelledWords, ranking: Ranking, classifier: Classifier, sizes: list[int]
    ):
        tops, bottoms = (
            [arrange(ranking, words.layer_of, order)[:n] for n in sizes]
            for order in ("top", "bottom")
        )
        self.bottoms = dict(zip(sizes, classifier.judge(words, bottoms, tasks="task"), strict=True))
        none = np.zeros((0, len(words.test)), bool)
        controls = [Outcome(none, none, none)] * len(sizes)
        if len(words.test.controls):
            controls = classifier.judge(words, tops, tasks="controls")
        self.controls = dict(zip(sizes, controls, strict=True))

    def at(self, n: int) -> tuple[Outcome, Outcome]:
        return self.bottoms[n], self.controls[n]


def _named(prefix: str, values: tuple[float, float, float]) -> dict[str, float]:
    names = (f"{prefix}_accuracy", f"{prefix}_low", f"{prefix}_high")
    return dict(zip(names, values, strict=True))
