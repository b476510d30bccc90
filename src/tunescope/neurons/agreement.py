"""How far rankings agree (Fan et al. 2023, NeurIPS, "Evaluating Neuron Interpretation Methods").

No one knows which neurons are right, so a ranking is measured by the others: by how much its best
neurons are theirs (AvgOverlap), and the ones they elect together (NeuronVote).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Literal

import numpy as np

from tunescope.errors import InputError
from tunescope.neurons.ranking import Ranking

if TYPE_CHECKING:
    import pandas as pd

SIZES = (10, 30, 50)
"""Numbers of best neurons compared, s in the paper."""

DEPTH = 100
"""Places of an order that get points in the vote, as in the authors' code."""


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return |A and B| / |A or B| of two sets of neurons (arrays without repetition)."""
    both = len(np.intersect1d(a, b))
    return both / max(len(a) + len(b) - both, 1)


def chance_overlap(n_neurons: int, s: int) -> float:
    """Return the expected overlap of two random sets of s out of n_neurons (hypergeometric)."""
    from scipy.stats import hypergeom

    s = min(s, n_neurons)
    both = np.arange(s + 1)
    return float(hypergeom.pmf(both, n_neurons, s, s) @ (both / (2 * s - both)))


def vote(orders: Sequence[np.ndarray], depth: int = DEPTH) -> np.ndarray:
    """Elect neurons by Borda count.

    Parameters
    ----------
    orders : sequence of numpy.ndarray of int, each of shape (d,)
        Neurons, best first: the voters.
    depth : int
        A neuron in place i (from 0) of an order gets depth - i points, and none from place `depth`
        on: what comes late in an order is noise, and as much of it as there are neurons.

    Returns
    -------
    numpy.ndarray of int, shape (d,)
        Neurons by falling points; equal ones in the order of the neurons.
    """
    points = np.zeros(len(orders[0]))
    for order in orders:
        best = order[:depth]
        points[best] += depth - np.arange(len(best))
    return np.argsort(-points, kind="stable")


def agreement(
    rankings: Mapping[str, Ranking],
    *,
    scaling: str = "raw",
    sizes: Sequence[int] = SIZES,
    baselines: Sequence[str] = ("random",),
    of: Literal["overall", "tags"] = "overall",
    depth: int = DEPTH,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare rankings of the same neurons pair by pair, and each with all others.

    Parameters
    ----------
    rankings : mapping of str to Ranking
        Two or more, by the name to be shown.
    scaling : str
        Written into the tables.
    sizes : sequence of int
        Numbers s of best neurons; more than there are neurons means all.
    baselines : sequence of str
        Rankings that are measured but neither compared with by AvgOverlap nor vote.
    of : {"overall", "tags"}
        Whether the overall orders are compared, or those for each label, all figures then being
        means over the labels (as in the paper, which ranks for one label at a time).
    depth : int
        See `vote`.

    Returns
    -------
    pairs : pandas.DataFrame
        scaling, a, b, s, overlap, chance: one row for each ordered pair of different rankings;
        overlap is that of the two sets of s best neurons, chance its expectation for random sets.
    summary : pandas.DataFrame
        scaling, ranking, s, avg_overlap, neuron_vote, chance. avg_overlap is the mean overlap with
        the other rankings, neuron_vote the overlap of the ranking's s best neurons with the s best
        of the vote of the other rankings (leave one out); NaN where there is no other.

    Raises
    ------
    InputError
        If there are fewer than two rankings, or they are not of the same neurons and labels.
    """
    import pandas as pd

    orders = _orders(rankings, of)
    n_neurons = next(iter(orders.values())).shape[1]
    pairs, summary = [], []
    voters = {name: [o for o in orders if o != name and o not in baselines] for name in orders}
    for s in sizes:
        chance = chance_overlap(n_neurons, s)
        found = {(a, b): _mean_overlap(orders[a], orders[b], s) for a, b in permutations(orders, 2)}
        pairs += [(scaling, a, b, s, value, chance) for (a, b), value in found.items()]
        for name, others in voters.items():
            average = np.mean([found[name, other] for other in others]) if others else np.nan
            elected = _elect([orders[other] for other in others], depth)
            voted = np.nan if elected is None else _mean_overlap(orders[name], elected, s)
            summary.append((scaling, name, s, float(average), voted, chance))
    return (
        pd.DataFrame(pairs, columns=["scaling", "a", "b", "s", "overlap", "chance"]),
        pd.DataFrame(
            summary,
            columns=["scaling", "ranking", "s", "avg_overlap", "neuron_vote", "chance"],
        ),
    )


def _orders(rankings: Mapping[str, Ranking], of: str) -> dict[str, np.ndarray]:
    """Return the orders of each ranking, shape (1 or K, d)."""
    if len(rankings) < 2:
        raise InputError(f"agreement needs two rankings or more, not {list(rankings)}")
    orders = {
        name: ranking.order[None] if of == "overall" else ranking.tag_orders
        for name, ranking in rankings.items()
    }
    shapes = {name: order.shape for name, order in orders.items()}
    if len(set(shapes.values())) > 1:
        raise InputError(f"rankings are of different labels or neurons: {shapes}")
    return orders


def _mean_overlap(a: np.ndarray, b: np.ndarray, s: int) -> float:
    return float(np.mean([overlap(x[:s], y[:s]) for x, y in zip(a, b, strict=True)]))


def _elect(orders: list[np.ndarray], depth: int) -> np.ndarray | None:
    """Return the vote for each row of the orders; None without voters."""
    if not orders:
        return None
    return np.stack([vote(rows, depth) for rows in zip(*orders, strict=True)])
