"""The probe's weights as a ranking (Durrani et al. 2020, after Dalvi et al. 2019).

For p = 1, 2, ... 100 per cent of weight mass, each label chooses the shortest run of its heaviest
neurons that holds p of the absolute weights of that label; the neurons that some label chooses and
that are not in the order yet are appended to it. The papers leave open how those that enter
together are ordered: here by their largest share of a label's mass, then by column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tunescope.errors import InputError
from tunescope.neurons.ranking import Evidence, Ranking, falling, scattered
from tunescope.neurons.rankings.method import RankingMethod

_ROUNDING = 1e-9
"""Sums of weights that are this near to a step's mass (relatively) are taken to be equal to it."""


@dataclass(frozen=True)
class LcaRanking(RankingMethod):
    """Cumulative weight mass of the probe, label by label.

    The score of a neuron is the number of steps that were left when it entered, plus its largest
    share of a label's mass. Neurons with no weight for any label come last, with score 0. For one
    label neurons are ordered by absolute weight; their scores are shares of the label's mass.

    Parameters
    ----------
    steps : int
        Steps in which the weight mass is gone through; 100 in the paper.
    """

    name: ClassVar[str] = "lca"
    needs_probe: ClassVar[bool] = True
    steps: int = 100

    def __call__(self, evidence: Evidence) -> Ranking:
        """Rank by the probe's coefficients."""
        shares = mass_shares(evidence.coefficients)
        order, entered, largest = _enter(shares, self.steps)
        scores = np.where(largest > 0, self.steps + 1 - entered + largest, 0.0)
        tag_orders = np.stack([falling(row) for row in shares])
        return Ranking(self.name, order, scores, tag_orders, shares)


def mass_shares(weights: np.ndarray) -> np.ndarray:
    """Return absolute weights as shares of their label's sum, shape (K, d); zeros where it is 0.

    Raises
    ------
    InputError
        If the weights are not one finite row per label.
    """
    weights = np.abs(np.asarray(weights, dtype=np.float64))
    if weights.ndim != 2 or not np.isfinite(weights).all():
        raise InputError("coefficients must be finite numbers, one row per label: fit a probe")
    mass = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, mass, out=np.zeros_like(weights), where=mass > 0)


def lca_order(weights: np.ndarray, steps: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Order all neurons by the step of weight mass at which they are first chosen.

    Parameters
    ----------
    weights : numpy.ndarray, shape (K, d)
        One row per label.
    steps : int
        Number of steps.

    Returns
    -------
    order : numpy.ndarray of int, shape (d,)
        All neurons.
    entered : numpy.ndarray of int, shape (d,)
        Step of each neuron (by column), 1 to steps; steps + 1 for one without any weight.
    """
    order, entered, _ = _enter(mass_shares(weights), steps)
    return order, entered


def _enter(shares: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the order, the step at which each neuron enters, and its largest share."""
    d = shares.shape[1]
    entered = np.full(d, steps + 1)
    for row in shares:  # one label at a time: sorted copies of all would be several times larger
        order = falling(row)
        # A neuron is needed for mass p as long as those before it do not hold p.
        before = np.cumsum(row[order]) - row[order]
        step = np.floor(before * steps + _ROUNDING * steps).astype(int) + 1
        step = np.where(row[order] > 0, np.minimum(step, steps), steps + 1)
        entered[order] = np.minimum(entered[order], step)
    largest = shares.max(axis=0)
    return np.lexsort((scattered(largest == 0), -largest, entered)), entered, largest


def top_neurons(weights: np.ndarray, mass: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the heaviest neurons of each label that together hold a share of its weight mass.

    Parameters
    ----------
    weights : numpy.ndarray, shape (K, d)
        One row per label.
    mass : float
        Share of the label's sum of absolute weights; above 1 all neurons are returned.

    Returns
    -------
    union : numpy.ndarray of int
        Columns that some label chose, in order of columns.
    chosen : list of numpy.ndarray of int
        Columns of each label, the heaviest first: the shortest run that reaches the mass.
    """
    return _runs(mass_shares(weights), mass, heaviest=True)


def bottom_neurons(weights: np.ndarray, mass: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the same as `top_neurons` of each label's lightest neurons."""
    return _runs(mass_shares(weights), mass, heaviest=False)


def _runs(
    shares: np.ndarray, mass: float, *, heaviest: bool
) -> tuple[np.ndarray, list[np.ndarray]]:
    chosen = []
    for row in shares:
        order = falling(row) if heaviest else falling(-row)
        before = np.cumsum(row[order]) - row[order]
        chosen.append(order[before < mass * (1 - _ROUNDING)])
    return np.unique(np.concatenate(chosen)), chosen


def hard_threshold(weights: np.ndarray, divisor: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the neurons of each label that weigh more than its largest weight over `divisor`.

    Returns
    -------
    union : numpy.ndarray of int
        Columns that some label chose, in order of columns.
    chosen : list of numpy.ndarray of int
        Columns of each label, in order of columns.
    """
    weights = np.abs(weights)
    chosen = [np.flatnonzero(row > row.max() / divisor) for row in weights]
    return np.unique(np.concatenate(chosen)), chosen
