"""The objective of many probes at once: value, gradient, and a bound on how far the optimum is.

For word i with activation x_i and label y_i, probe W, intercepts b (Durrani et al. 2020, arXiv
2010.02695, section 3.1), and either form of the penalty (`penalties.py`):

    F(W, b) = - sum_i log softmax(W x_i + b)[y_i] + l1 ||W||_1 + l2 ||W||_2^2

The bound is the duality gap. With p_i the predicted distributions, any distributions p'_i whose
sums over words equal the label counts are feasible for the dual, and

    D = sum_i entropy(p'_i) - sum_jk max(|sum_i x_ij (p'_ik - [y_i = k])| - l1, 0)^2 / (4 l2) <= F*

(for the squared form; under the other, the root of the sum must not exceed l2, and D has no such
term).

Predicted distributions miss the label counts by little, and `gap` moves just that little mass. The
entropy after moving is bounded from below, so that no second pass over the words is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from tunescope.probes.features import Features
from tunescope.probes.penalties import Penalty

_VALUES = 1 << 22
"""Scores held at once: 16 MiB in float32, some of them in several copies."""


@dataclass
class Batch:
    """Problems over the same words, side by side. P problems with up to K classes.

    Parameters
    ----------
    targets : torch.Tensor of int64, shape (n, U)
        Class of each word in each of the U different label vectors.
    task : torch.Tensor of int64, shape (P,)
        Which of the label vectors is each problem's.
    counts : torch.Tensor, shape (P, K)
        Words per class; 0 pads problems that have fewer than K classes.
    moments : torch.Tensor, shape (d, P, K)
        Sum of the activations of each class.
    l1, l2 : torch.Tensor of float64, shape (P,)
        Penalties, for the summed loss.
    penalty : Penalty
        Their form.
    support : torch.Tensor or None, shape (d, P, 1)
        1 for columns a problem may use, 0 for others; None where all may be used.
    """

    targets: torch.Tensor
    task: torch.Tensor
    counts: torch.Tensor
    moments: torch.Tensor
    l1: torch.Tensor
    l2: torch.Tensor
    penalty: Penalty
    support: torch.Tensor | None = None

    def keep(self, wanted: torch.Tensor) -> Batch:
        """Return the batch with only the wanted problems, a boolean mask of shape (P,)."""
        return Batch(
            self.targets,
            self.task[wanted],
            self.counts[wanted],
            self.moments[:, wanted],
            self.l1[wanted],
            self.l2[wanted],
            self.penalty,
            None if self.support is None else self.support[:, wanted],
        )

    def labels(self, rows: slice | torch.Tensor) -> torch.Tensor:
        """Return the classes of some words in every problem, shape (len(rows), P, 1)."""
        return self.targets[rows][:, self.task].unsqueeze(2)

    def restrict(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Set to zero, in place, what a problem must not use; shape (d, P, K)."""
        return coefficients if self.support is None else coefficients.mul_(self.support)

    def penalties(self, weights: torch.Tensor) -> torch.Tensor:
        """Return the penalty of `weights` (shape (d + 1, P, K)) per problem, float64."""
        return self.penalty.value(weights[:-1], self.l1, self.l2)


@dataclass
class Point:
    """What one pass over the words finds out at some weights.

    Parameters
    ----------
    loss : torch.Tensor of float64, shape (P,)
        Summed negative log-likelihood.
    gradient : torch.Tensor, shape (d + 1, P, K)
        Of the loss; the last row belongs to the intercepts.
    entropy : torch.Tensor of float64, shape (P, K)
        Sum over words of -p log p; zero if not certified.
    spread : torch.Tensor, shape (P, K)
        Sum over words of p (1 - p); zero if not certified.
    """

    loss: torch.Tensor
    gradient: torch.Tensor
    entropy: torch.Tensor
    spread: torch.Tensor


def class_moments(features: Features, targets: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Sum the activations of each class of each label vector, shape (d, U, K)."""
    n_vectors = targets.shape[1]
    total = features.mean.new_zeros(n_vectors * n_classes, features.d)
    offsets = torch.arange(n_vectors, device=targets.device) * n_classes
    for rows, x in features.blocks():
        for column in (targets[rows] + offsets).T:
            total.index_add_(0, column, x)
    return total.view(n_vectors, n_classes, features.d).permute(2, 0, 1).contiguous()


def evaluate(
    features: Features, batch: Batch, weights: torch.Tensor, certify: bool = False
) -> Point:
    """Go once over the words: one product for the scores, one for the gradient, per block.

    Parameters
    ----------
    features : Features
        The words, n rows.
    batch : Batch
        P problems.
    weights : torch.Tensor, shape (d + 1, P, K)
        Coefficients, then intercepts.
    certify : bool
        Also compute `entropy` and `spread`; they stay zero otherwise.
    """
    shape = weights.shape[1:]
    flat = weights.reshape(len(weights), -1)
    gradient = torch.zeros_like(flat)
    loss = torch.zeros(shape[0], dtype=torch.float64, device=flat.device)
    entropy = torch.zeros(shape, dtype=torch.float64, device=flat.device)
    spread = flat.new_zeros(shape)
    for rows, x in features.blocks(max(64, _VALUES // flat.shape[1])):
        targets = batch.labels(rows)
        scores = torch.addmm(flat[-1], x, flat[:-1]).view(len(x), *shape)
        scores -= scores.amax(2, keepdim=True)
        p = scores.exp()
        normaliser = p.sum(2, keepdim=True)
        p /= normaliser
        normaliser.log_()
        loss += (normaliser - scores.gather(2, targets)).sum((0, 2)).double()
        if certify:
            entropy += (p * (normaliser - scores)).sum(0).double()
            spread += (p * (1 - p)).sum(0)
        residual = p.scatter_add_(2, targets, p.new_full(targets.shape, -1.0)).view(len(x), -1)
        gradient[:-1].addmm_(x.T, residual)
        gradient[-1] += residual.sum(0)
    return Point(loss, gradient.view(weights.shape), entropy, spread)


def gap(batch: Batch, point: Point, weights: torch.Tensor) -> torch.Tensor:
    """Bound F(weights) - F* from above, per problem; infinite where there is no penalty.

    Parameters
    ----------
    batch : Batch
        P problems.
    point : Point
        Their state at `weights`, certified.
    weights : torch.Tensor, shape (d + 1, P, K)
        Coefficients, then intercepts.

    Returns
    -------
    torch.Tensor of float64, shape (P,)

    Notes
    -----
    Let r be the excess of predicted mass over label counts, per class. A share
    f_k = r_k / (count_k + r_k) of the mass of every class with r_k > 0 moves to the classes with
    r_k < 0, in proportion to -r_k. Taking mass from class k costs at most f_k of its entropy, and
    adding mass m costs at most m, as -a log a <= 1 - a.
    """
    excess = point.gradient[-1].double()
    surplus, deficit = excess.clamp_min(0), (-excess).clamp_min(0)
    taken = surplus / (batch.counts + surplus).clamp_min(1e-300)
    given = deficit / deficit.sum(1, keepdim=True).clamp_min(1e-300)
    entropy = (point.entropy * (1 - taken)).sum(1) - surplus.sum(1)

    moments = batch.moments.double()
    predicted = point.gradient[:-1].double() + moments
    moved = (predicted * taken).sum(2, keepdim=True)
    correlation = (predicted * (1 - taken) + moved * given - moments).abs()

    # Shrinking p' towards the labels keeps it feasible.
    bound = batch.penalty.bound(entropy, batch.restrict(correlation), batch.l1, batch.l2)
    bound = torch.where((batch.l1 > 0) | (batch.l2 > 0), bound, -torch.inf)
    return point.loss + batch.penalties(weights) - bound
