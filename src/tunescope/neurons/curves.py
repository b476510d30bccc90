"""Accuracy against the number of neurons: every classifier x order x ranking x seed.

Antverg and Belinkov 2022 (arXiv 2110.07483, section 4): a ranking may look good because the
classifier makes up for it, and a classifier because of the ranking; only the whole grid separates
them. Control tasks go with every point, as in their and Hewitt and Liang's selectivity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.classifiers import Classifier
from tunescope.neurons.orders import ORDERS, Order, arrange
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap, Outcome
from tunescope.neurons.words import LabelledWords

SIZES = (10, 50, 100, 150)
"""Numbers of neurons that are tried when none are given."""


def accuracy_curves(
    words: LabelledWords,
    rankings: Sequence[Ranking],
    classifiers: Sequence[Classifier],
    *,
    sizes: Sequence[int] = SIZES,
    orders: Sequence[Order] = ORDERS,
    seeds: Sequence[int] = (0, 1, 2),
    bootstrap: Bootstrap | None = None,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Train every classifier on the first N neurons of every order of every ranking.

    Parameters
    ----------
    words : LabelledWords
        The labelled words, best with control tasks.
    rankings : sequence of Ranking
        What top and bottom are of.
    classifiers : sequence of Classifier
        What is trained.
    sizes : sequence of int
        N; those above the number of neurons are left out.
    orders : sequence of {"top", "random", "bottom"}
        Which neurons are taken.
    seeds : sequence of int
        Of the random order. It is drawn without the ranking, trained once, and repeated in the
        rows of every ranking.
    bootstrap : Bootstrap, optional
        How intervals are made.
    progress : callable, optional
        Called after each ranking, classifier, order and seed with their names.

    Returns
    -------
    pandas.DataFrame
        `scaling`, `ranking`, `classifier`, `order`, `seed` (0 where nothing is drawn), `n`,
        `share`, `dev_accuracy`, `test_accuracy`, `low`, `high`, `control_accuracy`, `selectivity`.

    Raises
    ------
    InputError
        If a size is below 1.
    """
    bootstrap = bootstrap or Bootstrap()
    d = words.n_neurons
    sizes = sorted({n for n in sizes if n <= d})
    if sizes and sizes[0] < 1:
        raise InputError(f"a classifier needs at least 1 neuron, not {sizes[0]}")
    drawn: dict[tuple[str, int], list[dict[str, float]]] = {}
    rows = []
    for ranking in rankings:
        for classifier in classifiers:
            for order in orders:
                for seed in seeds if order == "random" else (0,):
                    points = drawn.get((classifier.name, seed)) if order == "random" else None
                    if points is None:
                        arranged = arrange(ranking, words.layer_of, order, seed=seed)
                        outcomes = classifier.judge(words, [arranged[:n] for n in sizes])
                        points = [_point(words, outcome, bootstrap) for outcome in outcomes]
                    if order == "random":
                        drawn[classifier.name, seed] = points
                    start = {
                        "scaling": words.scaling,
                        "ranking": ranking.name,
                        "classifier": classifier.name,
                        "order": order,
                        "seed": seed,
                    }
                    for n, point in zip(sizes, points, strict=True):
                        rows.append({**start, "n": n, "share": n / d, **point})
                    if progress is not None:
                        progress(f"{ranking.name}, {classifier.name}, {order}, seed {seed}")
    return pd.DataFrame(rows)


def _point(words: LabelledWords, outcome: Outcome, bootstrap: Bootstrap) -> dict[str, float]:
    accuracy, low, high = bootstrap.accuracy(outcome, words.test.sentences)
    control = outcome.control_accuracy
    return {
        "dev_accuracy": outcome.dev_accuracy,
        "test_accuracy": accuracy,
        "low": low,
        "high": high,
        "control_accuracy": control,
        "selectivity": accuracy - control if not np.isnan(control) else np.nan,
    }
