"""How many of a model's lower layers a property needs (Dalvi et al. 2020, section 6.1).

LayerSelector of arXiv 2004.04010: classifiers are trained on the embedding layer, on it and the
first layer side by side, and so on, until dev accuracy comes near that of all layers, the oracle.
What lies above need not even be computed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tunescope.errors import InputError
from tunescope.neurons.classifiers import LinearClassifier, LinearFit
from tunescope.neurons.selectivity import Outcome
from tunescope.neurons.words import LabelledWords
from tunescope.results import Result

PENALTY = 1e-5
"""Both penalties of the paper's classifiers, for the loss averaged over words."""


@dataclass(frozen=True, eq=False)
class LayerSelection(Result):
    """The lowest layers that suffice.

    Parameters
    ----------
    n_layers : int
        How many are kept, the embedding layer included.
    columns : numpy.ndarray of int, shape (n,)
        Their neurons.
    demand : float
        Dev accuracy that was asked for.
    oracle : Outcome
        Of all layers.
    tried : mapping of int to Outcome
        By number of layers, up to those kept.
    sizes : mapping of int to int
        Neurons in the lowest layers, by number of layers, up to all.
    fit : LinearFit or None
        The classifier of the layers kept; None where it is the oracle and was given.
    """

    n_layers: int
    columns: np.ndarray
    demand: float
    oracle: Outcome
    tried: Mapping[int, Outcome]
    sizes: Mapping[int, int]
    fit: LinearFit | None

    @property
    def outcome(self) -> Outcome:
        """Of the layers kept."""
        return self.tried[self.n_layers]

    def headline(self) -> str:
        """Return how many layers are kept, and what that costs."""
        return (
            f"{self.n_layers} of {len(self.sizes)} layers: dev accuracy "
            f"{self.outcome.dev_accuracy:.3f}, with all {self.oracle.dev_accuracy:.3f}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per number of layers tried, and all: accuracies, and which is kept."""
        outcomes = {**self.tried, len(self.sizes): self.oracle}
        return pd.DataFrame(
            {
                "layers": n,
                "neurons": self.sizes[n],
                "dev_accuracy": outcome.dev_accuracy,
                "accuracy": outcome.accuracy,
                "kept": n == self.n_layers,
            }
            for n, outcome in outcomes.items()
        )


def select_layers(
    words: LabelledWords,
    classifier: LinearClassifier | None = None,
    *,
    oracle: Outcome | None = None,
    tolerance: float = 0.02,
) -> LayerSelection:
    """Add layers from the embedding layer up until dev accuracy is near that of all of them.

    Parameters
    ----------
    words : LabelledWords
        With dev words.
    classifier : LinearClassifier, optional
        Trained on each set of layers; with both penalties 1e-5 (mean loss) when not given.
    oracle : Outcome, optional
        Of the same classifier on all neurons; fitted when not given.
    tolerance : float
        What dev accuracy may lose, as a share of the oracle's.

    Returns
    -------
    LayerSelection
        Each set is fitted once, and all layers not again.

    Raises
    ------
    InputError
        If there are no dev words, or the tolerance is not a share.
    """
    check(words, tolerance)
    classifier = classifier or LinearClassifier(PENALTY, PENALTY)
    layers = np.unique(words.layer_of)
    sets = {n: np.flatnonzero(words.layer_of < layers[n]) for n in range(1, len(layers))}
    sets[len(layers)] = np.arange(words.n_neurons)
    sizes = {n: len(columns) for n, columns in sets.items()}
    fits: dict[int, LinearFit] = {}
    if oracle is None:
        fits[len(sets)], oracle = train(words, sets[len(sets)], classifier)
    demand = oracle.dev_accuracy * (1 - tolerance)
    tried: dict[int, Outcome] = {}
    for n, columns in sets.items():
        if n == len(sets):
            tried[n] = oracle
        else:
            fits[n], tried[n] = train(words, columns, classifier)
        if tried[n].dev_accuracy >= demand:
            break
    kept = max(tried)
    return LayerSelection(kept, sets[kept], demand, oracle, tried, sizes, fits.get(kept))


def train(
    words: LabelledWords, columns: np.ndarray, classifier: LinearClassifier
) -> tuple[LinearFit, Outcome]:
    """Train on some neurons, for the task alone, and judge dev and test words."""
    [fit] = classifier.fit(words, [columns], tasks="task")
    return fit, fit.judge(words, tasks="task")


def check(words: LabelledWords, tolerance: float) -> None:
    """Raise an InputError if there are no dev words, or the tolerance is not a share."""
    if not len(words.dev):
        raise InputError(
            f"corpus {words.corpus!r}: what to keep is chosen by dev accuracy and there are no "
            "dev words; raise dev_share"
        )
    if not 0 <= tolerance < 1:
        raise InputError(f"tolerance = {tolerance!r} is a share of an accuracy: give 0.02 for 2 %")
