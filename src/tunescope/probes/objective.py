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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from tunescope.probes.features import Features
from tunescope.probes.penalties import Penalty

_VALUES = 1 << 18
"""Scores held at once: 1 MiB in float32, so that what is done to them stays in the cache."""

_VALUES_GPU = 1 << 22
"""The same on a GPU, where few large steps are faster."""

_ROWS = 256
"""Words taken at once at least: products of fewer are slow."""


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
        Sum over words of -p log p.
    spread : torch.Tensor, shape (P, K)
        Sum over words of p (1 - p).
    """

    loss: torch.Tensor
    gradient: torch.Tensor
    entropy: torch.Tensor
    spread: torch.Tensor

    @classmethod
    def empty(cls, weights: torch.Tensor) -> Point:
        """Return zeros for weights of shape (d + 1, P, K)."""
        double = {"dtype": torch.float64, "device": weights.device}
        return cls(
            torch.zeros(weights.shape[1], **double),
            torch.zeros_like(weights),
            torch.zeros(weights.shape[1:], **double),
            torch.zeros_like(weights[0]),
        )


def class_moments(features: Features, targets: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Sum the activations of each class of each label vector, shape (d, U, K)."""
    n_vectors = targets.shape[1]
    total = features.mean.new_zeros(n_vectors * n_classes, features.d)
    offsets = torch.arange(n_vectors, device=targets.device) * n_classes
    for rows, x in features.blocks():
        for column in (targets[rows] + offsets).T:
            total.index_add_(0, column, x)
    return total.view(n_vectors, n_classes, features.d).permute(2, 0, 1).contiguous()


def gradients(
    features: Features, parts: Sequence[tuple[Batch, torch.Tensor]]
) -> list[torch.Tensor]:
    """Go once over the words for the gradients of several batches, and nothing else.

    What this costs beside its two products is one softmax. A part comes out bit for bit as it would
    alone: its rows are cut by its own width, whatever stands beside it.

    Parameters
    ----------
    features : Features
        The words, n rows.
    parts : sequence of (Batch, torch.Tensor)
        P problems each, with their weights, shape (d + 1, P, K): coefficients, then intercepts.

    Returns
    -------
    list of torch.Tensor, each of the shape of the weights
        Gradients of the summed loss; the last row belongs to the intercepts.
    """
    found = [torch.zeros_like(weights) for _, weights in parts]
    room = _Room(features)
    for rows, x in features.blocks():
        for (batch, weights), gradient in zip(parts, found, strict=True):
            for part, piece in room.cut(rows, x, weights):
                scores, p = room.scores(piece, weights)
                torch.softmax(scores, 2, out=p)
                _add(gradient, piece, p, batch.labels(part))
    return found


def evaluate(features: Features, parts: Sequence[tuple[Batch, torch.Tensor]]) -> list[Point]:
    """Go once over the words for all there is to know about several batches.

    Parameters
    ----------
    features : Features
        The words, n rows.
    parts : sequence of (Batch, torch.Tensor)
        As for `gradients`, and as independent of each other.
    """
    points = [Point.empty(weights) for _, weights in parts]
    room = _Room(features)
    for rows, x in features.blocks():
        for (batch, weights), point in zip(parts, points, strict=True):
            for part, piece in room.cut(rows, x, weights):
                targets = batch.labels(part)
                scores, spare = room.scores(piece, weights)
                logarithm = torch.log_softmax(scores, 2, out=spare)
                point.loss -= logarithm.gather(2, targets).sum((0, 2)).double()
                p = torch.exp(logarithm, out=scores)
                point.entropy -= logarithm.mul_(p).sum(0)
                point.spread += torch.sub(1, p, out=spare).mul_(p).sum(0)
                _add(point.gradient, piece, p, targets)
    return points


def predictions(
    features: Features, weights: torch.Tensor
) -> Iterator[tuple[slice, torch.Tensor, torch.Tensor]]:
    """Yield (rows, values, predicted distributions) of some words at a time.

    The distributions have the shape (rows, P, K), and the next ones take their memory.
    """
    room = _Room(features)
    for rows, x in features.blocks():
        for part, piece in room.cut(rows, x, weights):
            scores, p = room.scores(piece, weights)
            torch.softmax(scores, 2, out=p)
            yield part, piece, p


def hessian_product(
    features: Features, weights: torch.Tensor, direction: torch.Tensor
) -> torch.Tensor:
    """Multiply the Hessian of the summed loss at `weights` by a direction of the same shape."""
    product, room = torch.zeros_like(weights), _Room(features)
    both = torch.cat([weights, direction], 1)
    for rows, x in features.blocks():
        for _, piece in room.cut(rows, x, both):
            scores, spare = room.scores(piece, both)
            along, change = scores[:, weights.shape[1] :], spare[:, weights.shape[1] :]
            p = torch.softmax(scores[:, : weights.shape[1]], 2)
            torch.mul(p, along, out=change)
            change = change - p * change.sum(2, keepdim=True)
            flat = product.view(len(product), -1)
            flat[:-1].addmm_(piece.T, change.view(len(piece), -1))
            flat[-1] += change.sum(0).view(-1)
    return product


def _add(gradient: torch.Tensor, x: torch.Tensor, p: torch.Tensor, targets: torch.Tensor) -> None:
    """Add the share that some words have in the gradient; `p` becomes p - [y = k]."""
    p.scatter_add_(2, targets, p.new_full((1, 1, 1), -1.0).expand(targets.shape))
    flat, residual = gradient.view(len(gradient), -1), p.view(len(x), -1)
    flat[:-1].addmm_(x.T, residual)
    flat[-1] += residual.sum(0)


class _Room:
    """Scores of some words at a time, in memory that is used again: new pages cost as much as exp.

    Parameters
    ----------
    features : Features
        Says where the memory is.
    """

    def __init__(self, features: Features):
        self._values = _VALUES if features.device.type == "cpu" else _VALUES_GPU
        self._memory: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def cut(
        self, rows: slice, x: torch.Tensor, weights: torch.Tensor
    ) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield (rows, values) of a block, as many as the width of the weights allows."""
        size = self._most(weights)
        for start in range(0, len(x), size):
            piece = x[start : start + size]
            yield slice(rows.start + start, rows.start + start + len(piece)), piece

    def _most(self, weights: torch.Tensor) -> int:
        return max(_ROWS, self._values // weights[0].numel())

    def scores(self, x: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return scores and room for as many probabilities, each of shape (len(x), P, K)."""
        width, flat = weights[0].numel(), weights.reshape(len(weights), -1)
        if width not in self._memory:
            empty = weights.new_empty(2, self._most(weights) * width)
            self._memory[width] = (empty[0], empty[1])
        scores, p = (memory[: len(x) * width].view(len(x), -1) for memory in self._memory[width])
        torch.addmm(flat[-1], x, flat[:-1], out=scores)
        shape = (len(x), *weights.shape[1:])
        return scores.view(shape), p.view(shape)


def gap(batch: Batch, point: Point, weights: torch.Tensor) -> torch.Tensor:
    """Bound F(weights) - F* from above, per problem; infinite where there is no penalty.

    Parameters
    ----------
    batch : Batch
        P problems.
    point : Point
        Their state at `weights`.
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
