"""From a ranking to the neurons that are kept: top, random or bottom, overall or in each layer.

Every choice is an arrangement of all neurons of which the first n are kept, so that larger sets
hold the smaller ones. Neurons at the bottom of a ranking are mostly those of the last layers;
"within layer" takes the same share of each, so that rank and layer are not mixed up.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from tunescope.errors import InputError, nearest
from tunescope.neurons.ranking import Ranking

Order = Literal["top", "random", "bottom"]
Within = Literal["overall", "layer"]

ORDERS: tuple[Order, ...] = get_args(Order)
"""Which neurons are kept."""

WITHIN: tuple[Within, ...] = get_args(Within)
"""What they are the best or worst of: all neurons, or those of their layer."""


def arrange(
    ranking: Ranking,
    layer_of: np.ndarray,
    order: Order = "top",
    *,
    within: Within = "overall",
    seed: int = 0,
) -> np.ndarray:
    """Arrange all neurons so that the first n are the set of n.

    Parameters
    ----------
    ranking : Ranking
        The neurons by how telling they are.
    layer_of : numpy.ndarray of int, shape (d,)
        Layer of each neuron.
    order : {"top", "random", "bottom"}
        Best first, in random order, or worst first.
    within : {"overall", "layer"}
        With "layer" the first n hold the same share of every layer, to within one neuron.
    seed : int
        Of the random order; it is the same for every ranking.

    Returns
    -------
    numpy.ndarray of int, shape (d,)

    Raises
    ------
    InputError
        If `order` or `within` is none of these, or the ranking is of other neurons.
    """
    for value, valid, name in ((order, ORDERS, "order"), (within, WITHIN, "within")):
        if value not in valid:
            raise InputError(f"{name} = {value!r} is unknown; {nearest(str(value), valid)}")
    if len(ranking.order) != len(layer_of):
        raise InputError(
            f"ranking {ranking.name!r} has {len(ranking.order)} neurons, the words have "
            f"{len(layer_of)}: rank the neurons of these words"
        )
    if order == "random":
        arranged = np.random.default_rng(seed).permutation(len(layer_of))
    else:
        arranged = ranking.order if order == "top" else ranking.order[::-1]
    return arranged if within == "overall" else _by_share(arranged, layer_of)


def n_of_share(share: float, d: int) -> int:
    """Return the number of neurons in a share of d, at least one.

    Raises
    ------
    InputError
        If the share is not above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise InputError(f"a share of neurons is above 0 and at most 1, not {share!r}")
    return max(1, round(share * d))


def _by_share(arranged: np.ndarray, layer_of: np.ndarray) -> np.ndarray:
    """Merge the layers, each in its order, so that all have used up the same share at any time."""
    layers = layer_of[arranged]
    used = np.empty(len(arranged))
    for layer in np.unique(layers):
        here = np.flatnonzero(layers == layer)
        used[here] = (np.arange(len(here)) + 0.5) / len(here)
    return arranged[np.argsort(used, kind="stable")]
