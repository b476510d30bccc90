"""Greedy selection of neurons for Gaussian class-conditionals (Torroba Hennigen et al. 2020, 4.3).

Each step adds the neuron that, with those chosen before, makes held-out labels most probable. For
every label the Cholesky factor of the chosen neurons' covariance grows by one row per step; every
candidate's conditional mean and variance given the chosen follow from one matrix product, so a step
takes one pass over (held-out words x candidates x labels) and one over the training words for the
covariances with the new neuron. No covariance of all neurons is ever formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from tunescope.activations.matrix import WordMatrix
from tunescope.neurons.rankings.gaussian_densities import CandidateDensities, LabelScatter
from tunescope.neurons.rankings.gaussian_model import diagonal, log_prior, scales
from tunescope.neurons.rankings.moments import ClassMoments, known

Criterion = Literal["likelihood", "mutual_information"]

_LEAST = 1e-9
"""Least conditional variance, as a share of the variance: a copy of a chosen neuron has none."""


@dataclass(frozen=True, eq=False)
class Selection:
    """What a greedy selection chose.

    Parameters
    ----------
    chosen : numpy.ndarray of int, shape (n,)
        Places among the candidates, in the order chosen.
    values : numpy.ndarray, shape (n,)
        The criterion after each choice.
    alone : numpy.ndarray, shape (m,)
        The criterion of each candidate by itself.
    """

    chosen: np.ndarray
    values: np.ndarray
    alone: np.ndarray


def select(
    train: tuple[WordMatrix, np.ndarray],
    held_out: tuple[WordMatrix, np.ndarray],
    moments: ClassMoments,
    n_neurons: int,
    *,
    criterion: Criterion = "likelihood",
    dimensions: int | None = None,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
) -> Selection:
    """Choose neurons one after the other.

    Parameters
    ----------
    train, held_out : tuple of (WordMatrix, numpy.ndarray)
        Words with the m candidates as columns, and their labels; other labels are left out.
    moments : ClassMoments
        Of the training words, for the candidates.
    n_neurons : int
        How many to choose, at most m.
    criterion : {"likelihood", "mutual_information"}
        Nats per held-out word, log p(label | neurons); or a lower bound of the mutual information
        of labels and neurons in bits, H(label) - H(label | neurons), with the labels' shares of the
        training words (which are the probe's prior). Where a label is as
        frequent in both parts the two give the same order. Labels without held-out words are left
        out of the second.
    dimensions : int, optional
        D of the prior; see `gaussian_model`.
    dtype : torch.dtype
        Of the densities; sums and factors are float64.
    device : str
        Where densities are evaluated.

    Notes
    -----
    Candidates with equal values are told apart by their value alone, then by column.
    """
    steps = Steps(train, held_out, moments, n_neurons, criterion, dimensions)
    chosen: list[int] = []
    values: list[float] = []
    alone = np.zeros(0)
    for _ in range(n_neurons):
        scores = steps.scores(dtype, device)
        if not chosen:
            alone = scores
        scores[chosen] = -np.inf
        best = int(np.lexsort((-alone, -scores))[0])
        chosen.append(best)
        values.append(float(scores[best]))
        if len(chosen) < n_neurons:
            steps.add(best)
    return Selection(np.array(chosen, dtype=int), np.array(values), alone)


class Steps:
    """State of a selection, in float64: factors, and distances of held-out words from each label.

    rows (K, k, m) are the candidates' parts of the Cholesky factor of S + Lambda0, label by label;
    factor (K, k, k) is that of the chosen neurons.
    """

    def __init__(
        self,
        train: tuple[WordMatrix, np.ndarray],
        held_out: tuple[WordMatrix, np.ndarray],
        moments: ClassMoments,
        n_neurons: int,
        criterion: Criterion,
        dimensions: int | None,
    ):
        self.dimensions = dimensions
        present = np.flatnonzero(moments.counts)
        place = np.full(len(moments.counts) + 1, -1)  # the last one is for labels unseen
        place[present] = np.arange(len(present))
        centre = moments.mean.astype(np.float32)
        self.counts = moments.counts[present]
        self.means = moments.means[present] - centre
        self.diagonal = diagonal(moments)[present]
        x, self.targets = known(held_out[0], place[held_out[1]], len(present))
        self.x = x[:] - centre
        self.weights, self.constant = _weights(self.targets, self.counts, criterion)
        self.unit = 1.0 if criterion == "likelihood" else 1 / np.log(2)
        self.scatter = LabelScatter(train[0], place[train[1]], moments.means[present])
        self.chosen: list[int] = []
        n_labels, m = self.means.shape
        self.rows = np.zeros((n_labels, n_neurons, m))
        self.distances = np.zeros((len(x), n_labels))
        self.log_determinants = np.zeros(n_labels)

    @property
    def conditional(self) -> np.ndarray:
        """S + Lambda0 of each candidate given the chosen, shape (K, m)."""
        explained = np.square(self.rows[:, : len(self.chosen)]).sum(axis=1)
        return np.maximum(self.diagonal - explained, _LEAST * self.diagonal)

    def regression(self, which: list[int] | slice) -> np.ndarray:
        """Return the coefficients of candidates on the chosen neurons, shape (K, k, m)."""
        rows = self.rows[:, : len(self.chosen)]
        # S + Lambda0 of the chosen is L L', that of chosen and candidates L rows.
        factor = torch.from_numpy(np.ascontiguousarray(rows[:, :, self.chosen]))
        part = torch.from_numpy(np.ascontiguousarray(rows[:, :, which]))
        return torch.linalg.solve_triangular(factor, part, upper=True).numpy()

    def scores(self, dtype: torch.dtype, device: str) -> np.ndarray:
        """Return the criterion with each candidate added, shape (m,)."""
        size = len(self.chosen) + 1
        scale = scales(self.counts, self.dimensions or size)
        base = log_prior(self.counts) + (size * np.log(scale) - self.log_determinants) / 2
        conditional = self.conditional
        # log p = base - log(conditional) / 2 - (gain x + [chosen 1] coefficients)^2
        gain = np.sqrt(scale[:, None] / 2 / conditional)
        regression = self.regression(slice(None))
        means = np.einsum("ck,ckm->cm", self.means[:, self.chosen], regression) - self.means
        coefficients = np.concatenate([-regression, means[:, None]], axis=1) * gain[:, None]
        densities = CandidateDensities(
            x=self.x,
            seen=np.column_stack([self.x[:, self.chosen], np.ones(len(self.x))]),
            base=base - scale / 2 * self.distances,
            gain=gain,
            coefficients=coefficients,
            offset=-np.log(conditional) / 2,
        )
        total = densities.log_posteriors(self.targets, self.weights, dtype, device)
        return self.constant + self.unit * total

    def add(self, candidate: int) -> None:
        """Let the factors grow by a candidate."""
        k = len(self.chosen)
        part = self.rows[:, :k, candidate]
        spread = np.sqrt(self.conditional[:, candidate])
        regression = self.regression([candidate])[:, :, 0]
        residual = self.x[:, candidate, None] - self.means[:, candidate]
        residual -= self.x[:, self.chosen] @ regression.T
        residual += (self.means[:, self.chosen] * regression).sum(axis=1)
        self.distances += np.square(residual / spread)
        self.log_determinants += 2 * np.log(spread)
        explained = np.einsum("ck,ckm->cm", part, self.rows[:, :k])
        self.rows[:, k] = (self.scatter.with_neuron(candidate) - explained) / spread[:, None]
        # What rounding and the prior add to the diagonal is not in the scatter.
        self.rows[:, k, candidate] = spread
        self.rows[:, k, self.chosen] = 0
        self.chosen.append(candidate)


def _weights(
    targets: np.ndarray, counts: np.ndarray, criterion: Criterion
) -> tuple[np.ndarray, float]:
    """Return each held-out word's weight (they sum to 1) and what is added to the sum."""
    n = len(targets)
    if criterion == "likelihood":
        return np.full(n, 1 / n), 0.0
    here = np.bincount(targets, minlength=len(counts))
    shares = np.where(here > 0, counts, 0) / counts[here > 0].sum()
    found = shares[here > 0]
    return (shares / np.maximum(here, 1))[targets], float(-found @ np.log2(found))
