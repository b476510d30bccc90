"""What is done to chosen neurons, and to the random ones beside them.

Zero, mean and scale treat every neuron alike. Translation (Antverg and Belinkov 2022,
arXiv 2110.07483, section 5) moves words of label z towards label z': the neuron ranked i-th of n
gets a_i (mean(z') - mean(z)) added, where a falls with the logarithm of the rank from b to 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunescope.activations.neuron import NeuronId
from tunescope.errors import InputError, nearest
from tunescope.neurons.words import LabelledWords

if TYPE_CHECKING:
    from tunescope.models.hooks import Edit

AMOUNTS = {"zero": False, "mean": False, "scale": True, "translate": True}
"""The actions, and whether each needs an amount."""


@dataclass(frozen=True)
class Action:
    """One thing to do to neurons.

    Parameters
    ----------
    name : {"zero", "mean", "scale", "translate"}
        Set to 0, set to the mean over the training words, multiply by `amount`, or add up to
        `amount` times the direction.
    amount : float or None
        The factor, or b of the translation; None for `zero` and `mean`.
    """

    name: str
    amount: float | None = None

    @classmethod
    def parse(cls, text: str) -> Action:
        """Read `zero`, `mean`, `scale:0.5` or `translate:8`.

        Raises
        ------
        InputError
            If `text` is none of these.
        """
        name, _, amount = text.strip().partition(":")
        if name not in AMOUNTS:
            raise InputError(f"no action {name!r}; {nearest(name, AMOUNTS)}")
        if not AMOUNTS[name]:
            if amount:
                raise InputError(f"action {text!r}: {name!r} takes no amount")
            return cls(name)
        try:
            value = float(amount)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise InputError(f"action {text!r}: write {name}:AMOUNT with a number, as in {name}:2")
        return cls(name, value)

    def __str__(self) -> str:
        return self.name if self.amount is None else f"{self.name}:{self.amount:g}"


def neuron_means(words: LabelledWords) -> dict[int, np.ndarray]:
    """Return the mean of every neuron over the training words.

    Returns
    -------
    dict of int to numpy.ndarray of shape (width,)
        By layer; not a number where `words` leaves a neuron out.

    Raises
    ------
    InputError
        If the activations are scaled: the model knows its own only.
    """
    _check_raw(words)
    return _by_layer(words, words.moments[0])


def label_direction(words: LabelledWords, source: str, target: str) -> dict[int, np.ndarray]:
    """Return the mean of training words labelled `target` less that of those labelled `source`.

    Parameters
    ----------
    words : LabelledWords
        With activations as the model made them.
    source, target : str
        Labels z and z'.

    Returns
    -------
    dict of int to numpy.ndarray of shape (width,)
        By layer.

    Raises
    ------
    InputError
        If the activations are scaled, or a label is not among the classes.
    """
    _check_raw(words)
    means = []
    for label in (source, target):
        if label not in words.classes:
            raise InputError(
                f"no training word has the {words.label!r} label {label!r}; "
                f"{nearest(label, words.classes)}"
            )
        rows = np.flatnonzero(words.train.targets == words.classes.index(label))
        total = np.zeros(words.n_neurons)
        for _, block in words.train.x.take(rows).blocks():
            total += block.sum(axis=0, dtype=np.float64)
        means.append(total / len(rows))
    return _by_layer(words, means[1] - means[0])


def coefficients(n: int, amount: float) -> np.ndarray:
    """Return a, falling with the logarithm of the rank from `amount` (the best) to 0 (the last).

    Parameters
    ----------
    n : int
        Neurons in the whole ranking; so a neuron's coefficient is the same whatever k is.
    amount : float
        b, the coefficient of the best.

    Returns
    -------
    numpy.ndarray, shape (n,)
    """
    return amount * (1 - np.log(np.arange(1, n + 1)) / max(np.log(n), 1e-12))


def random_like(neurons: Sequence[NeuronId], width: int, seed: int) -> list[NeuronId]:
    """Replace each neuron by one drawn from the same layer, none twice.

    Parameters
    ----------
    neurons : sequence of NeuronId
        Each once.
    width : int
        Neurons of a layer, all of which may be drawn (those given too: under the hypothesis that
        the ranking tells nothing, the given set is one such draw).
    seed : int
        Seed of the draw.

    Returns
    -------
    list of NeuronId
        Its first k are in the layers of the first k given, for every k.
    """
    drawn = {
        layer: np.random.default_rng([seed, layer]).permutation(width).tolist()
        for layer in {neuron.layer for neuron in neurons}
    }
    return [NeuronId(neuron.layer, drawn[neuron.layer].pop()) for neuron in neurons]


def make_edits(
    action: Action,
    neurons: Sequence[NeuronId],
    n_ranked: int,
    *,
    means: Mapping[int, np.ndarray] | None = None,
    direction: Mapping[int, np.ndarray] | None = None,
) -> list[Edit]:
    """Turn an action on some neurons into edits of layers.

    Parameters
    ----------
    action : Action
        What to do.
    neurons : sequence of NeuronId
        Ranked, the best first.
    n_ranked : int
        Neurons in the whole ranking, for the coefficients of a translation.
    means : mapping of int to numpy.ndarray, optional
        For `mean`: value of each neuron, by layer.
    direction : mapping of int to numpy.ndarray, optional
        For `translate`: what is added to each neuron at coefficient 1, by layer.

    Raises
    ------
    InputError
        If the values that the action needs are missing.
    """
    from tunescope.models.hooks import Edit

    scale, shift = 1.0, np.zeros(len(neurons))
    if action.name in ("zero", "mean"):
        scale = 0.0
    if action.name == "mean":
        shift = _values(means, neurons, "mean", "means")
    elif action.name == "scale":
        scale = _amount(action)
    elif action.name == "translate":
        shift = _values(direction, neurons, "translate", "direction")
        shift = shift * coefficients(n_ranked, _amount(action))[: len(neurons)]
    layer = np.array([neuron.layer for neuron in neurons])
    index = np.array([neuron.index for neuron in neurons])
    return [
        Edit(int(number), index[layer == number], scale, shift[layer == number])
        for number in np.unique(layer)
    ]


def _amount(action: Action) -> float:
    if action.amount is None:
        raise InputError(f"action {action.name!r} needs an amount, as in '{action.name}:2'")
    return action.amount


def _values(
    by_layer: Mapping[int, np.ndarray] | None, neurons: Sequence[NeuronId], action: str, given: str
) -> np.ndarray:
    if by_layer is None:
        raise InputError(f"action {action!r} needs {given}: the value of every neuron, by layer")
    found = np.array(
        [
            by_layer[n.layer][n.index]
            if n.layer in by_layer and n.index < len(by_layer[n.layer])
            else np.nan
            for n in neurons
        ]
    )
    if not np.isfinite(found).all():
        lacking = neurons[int(np.flatnonzero(~np.isfinite(found))[0])]
        raise InputError(f"action {action!r}: {given} has no value for neuron {lacking}")
    return found


def _by_layer(words: LabelledWords, values: np.ndarray) -> dict[int, np.ndarray]:
    layer_of, index_of = words.train.x.layer_of, words.train.x.index_of
    found = {}
    for layer in np.unique(layer_of):
        here = layer_of == layer
        found[int(layer)] = np.full(int(index_of[here].max()) + 1, np.nan)
        found[int(layer)][index_of[here]] = values[here]
    return found


def _check_raw(words: LabelledWords) -> None:
    if words.scaling != "raw":
        raise InputError(
            f"activations are {words.scaling}, but a model is edited on its own scale: give the "
            "words as label_words returns them"
        )
