"""Keep only some neurons, in the trained probe or in training (Durrani et al. 2020).

Masked: the probe of all neurons sees activations of which all but the kept ones are 0. On raw
activations 0 is just a value, and a neuron whose mean is far from it shifts every score; on
z-scored activations 0 is the neuron's mean. Retrained (JMLR 2023, arXiv 2206.13288): a new probe is
trained on the kept neurons alone, which says what they hold and not what the probe used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.classifiers import LinearClassifier, LinearFit
from tunescope.neurons.orders import ORDERS, WITHIN, Order, Within, arrange, n_of_share
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap, triple
from tunescope.neurons.words import LabelledWords, Part

How = Literal["masked", "retrained"]


def ablation(
    words: LabelledWords,
    rankings: Sequence[Ranking],
    classifier: LinearClassifier,
    *,
    oracle: LinearFit | None = None,
    shares: Sequence[float] = (0.1, 0.15, 0.2),
    how: Sequence[How] = ("masked", "retrained"),
    within: Sequence[Within] = WITHIN,
    seeds: Sequence[int] = (0, 1, 2),
    bootstrap: Bootstrap | None = None,
) -> pd.DataFrame:
    """Measure test accuracy with only the top, random or bottom neurons of each ranking kept.

    Parameters
    ----------
    words : LabelledWords
        The labelled words.
    rankings : sequence of Ranking
        What top and bottom are of.
    classifier : LinearClassifier
        The probe.
    oracle : LinearFit, optional
        The probe of all neurons (columns 0 to d - 1; its first label column is the task's); fitted
        when not given.
    shares : sequence of float
        Shares of the neurons that are kept.
    how : sequence of {"masked", "retrained"}
        Zero the others in the trained probe, or train without them.
    within : sequence of {"overall", "layer"}
        Keep the best of all, or of each layer the same share.
    seeds : sequence of int
        Of the random neurons; three or more. They are the same for every ranking.
    bootstrap : Bootstrap, optional
        How intervals are made.

    Returns
    -------
    pandas.DataFrame
        `scaling`, `ranking`, `share`, `within`, `order`, `how`, `seed`, `n`, `accuracy`, `low`,
        `high`. The first row of a ranking is the probe of all neurons (`order` is `all`); random
        neurons have one row per seed (`pool_seeds` averages them), other rows have seed 0.

    Raises
    ------
    InputError
        If the oracle is not of all neurons, or a share is not above 0 and at most 1.
    """
    bootstrap = bootstrap or Bootstrap()
    d = words.n_neurons
    oracle = oracle or classifier.fit(words, [np.arange(d)], tasks="task")[0]
    if not np.array_equal(oracle.columns, np.arange(d)):
        raise InputError(f"the probe to be masked has not the {d} neurons of the words in order")
    choices: list[tuple[int, Within, Order, int, float]] = [
        (number, inside, order, seed, share)
        for number in range(len(rankings))
        for inside in within
        for order in ORDERS
        for seed in (seeds if order == "random" else (0,))
        for share in shares
    ]
    sets = [
        arrange(rankings[number], words.layer_of, order, within=inside, seed=seed)[
            : n_of_share(share, d)
        ]
        for number, inside, order, seed, share in choices
    ]
    # Random neurons are the same for all rankings: each different set is judged once.
    places: dict[bytes, int] = {}
    which = [places.setdefault(np.sort(columns).tobytes(), len(places)) for columns in sets]
    different = [sets[which.index(place)] for place in range(len(places))]
    [everything, *masked] = right_when_masked(oracle, words.test, [np.arange(d), *different])
    right = {"masked": masked} if "masked" in how else {}
    if "retrained" in how:
        outcomes = classifier.judge(words, different, tasks="task")
        right["retrained"] = [outcome.test for outcome in outcomes]

    def accuracy(values: np.ndarray) -> dict[str, float]:
        return triple("", bootstrap.of(values, words.test.sentences))

    known = {name: [accuracy(values) for values in found] for name, found in right.items()}
    whole = accuracy(everything)
    rows = []
    for place, ranking in enumerate(rankings):
        start = {"scaling": words.scaling, "ranking": ranking.name}
        every = {"share": 1.0, "within": "overall", "order": "all", "how": "masked", "seed": 0}
        rows.append({**start, **every, "n": d, **whole})
        for choice, columns, place_of_set in zip(choices, sets, which, strict=True):
            number, inside, order, seed, share = choice
            facts = {"share": share, "within": inside, "order": order}
            for name in how if number == place else ():
                end = {"how": name, "seed": seed, "n": len(columns), **known[name][place_of_set]}
                rows.append({**start, **facts, **end})
    return pd.DataFrame(rows)


def right_when_masked(probe: LinearFit, part: Part, kept: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return which words a trained probe gets right when all but some activations are zeroed.

    Parameters
    ----------
    probe : LinearFit
        Of all neurons, columns 0 to d - 1; its first label column is the task's.
    part : Part
        n words.
    kept : sequence of numpy.ndarray of int
        Neurons whose activations stay.

    Returns
    -------
    list of numpy.ndarray of bool, shape (n,)
        One per entry of `kept`.
    """
    coefficients, intercepts = probe.coefficients[0], probe.intercepts[0]
    weights = [np.ascontiguousarray(coefficients[:, columns].T) for columns in kept]
    right = [np.empty(len(part), bool) for _ in kept]
    for rows, block in part.x.blocks():
        targets = part.targets[rows]
        for columns, weight, out in zip(kept, weights, right, strict=True):
            scores = block[:, columns] @ weight + intercepts
            out[rows] = scores.argmax(axis=1) == targets
    return right
