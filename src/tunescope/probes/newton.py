"""A damped Newton step for one probe, on the coefficients that are not zero.

First-order steps crawl where penalties are weak and neurons correlate. So `fista`, once it has run
for a while, alternates between its own steps, which find out which coefficients are zero, and
steps of second order on the others: the scheme of Wen, Yin, Goldfarb and Zhang 2010 ("A fast
algorithm for sparse reconstruction based on shrinkage, subspace optimization and continuation",
SIAM J. Sci. Comput. 32). A coefficient that would change its sign stops at zero.

The system is solved by conjugate gradients, each iteration one pass over the words. The Hessian is
damped as by Levenberg and Marquardt, in proportion to its diagonal: a shorter step along the same
line would stop as many coefficients at zero, a damped one stops fewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from tunescope.probes.features import Features
from tunescope.probes.objective import Batch, Point, evaluate, hessian_product, predictions

LARGEST_GRAM = 1 << 29
"""Bytes that a Gram matrix of columns may take; beyond, the Hessian's diagonal has to do."""

_PRECISION = 1e-2
"""Share of its first value to which conjugate gradients bring the residual (preconditioned,
squared)."""

_MOST = 200
"""Passes that one solution may take at most."""

_ROUNDING = 4
"""Changes of the objective below this many units in the last place are taken for rounding."""

_ATTEMPTS = 6
_FACTOR = 8.0
"""What damping is multiplied by, or divided by, from one attempt to the next."""


@dataclass
class Newton:
    """Steps for one problem, with the damping they have come to.

    Parameters
    ----------
    features : Features
        The words, n rows.
    batch : Batch
        One problem.
    """

    features: Features
    batch: Batch
    damping: float = 1e-2

    @property
    def kink(self) -> bool:
        """Whether coefficients may be exactly zero, so that steps of first order are needed too."""
        return float(self.batch.l1) > 0

    def step(
        self, weights: torch.Tensor, point: Point, most: int
    ) -> tuple[torch.Tensor, Point | None, int]:
        """Try to lower the objective.

        Parameters
        ----------
        weights : torch.Tensor, shape (d + 1, 1, K)
            Where the problem is.
        point : Point
            Its state there.
        most : int
            Passes over the words that may be made.

        Returns
        -------
        torch.Tensor, shape (d + 1, 1, K)
            Better weights, or the same if none were found.
        Point or None
            The problem's state there; None if none were found.
        int
            Passes made.
        """
        batch, w = self.batch, weights[:-1]
        free = self._free(w)
        if not bool(free[:-1].any()):
            return weights, None, 0
        slope = point.gradient.clone()
        slope[:-1] += batch.l1.to(w.dtype)[:, None] * w.sign()
        slope[:-1] += batch.penalty.slope(w, batch.l2)[:, None] * w
        slope *= free
        before = float(point.loss + batch.penalties(weights))
        rounding = _ROUNDING * torch.finfo(w.dtype).eps * before
        system = _System(self.features, batch, weights, free, point)
        passes = 1
        for _ in range(_ATTEMPTS):
            if most - passes < 3:
                break
            step, made = system.solve(slope, self.damping, most - passes - 1)
            new = weights + step
            expected = float((slope.double() * step).sum())
            passes += made
            if expected < 0:
                [there] = evaluate(self.features, [(batch, new)])
                change = float(there.loss + batch.penalties(new)) - before
                passes += 1
                # A step to the minimum of a quadratic function changes it by half of `expected`.
                if change < 0.1 * expected + rounding:
                    if change < 0.3 * expected + rounding:
                        self.damping /= _FACTOR
                    return new, there, passes
            self.damping *= _FACTOR
        return weights, None, passes

    def _free(self, w: torch.Tensor) -> torch.Tensor:
        """Return 1 for weights that may change and 0 for others, shape (d + 1, 1, K)."""
        free = (w != 0).to(w.dtype) if self.kink else torch.ones_like(w)
        present = (self.batch.counts > 0).to(w.dtype)
        return torch.cat([self.batch.restrict(free), w.new_ones(1, *w.shape[1:])]) * present


class _System:
    """The Hessian on the weights that may change, and a cheap matrix like it."""

    def __init__(
        self, features: Features, batch: Batch, weights: torch.Tensor, free: torch.Tensor,
        point: Point,
    ):  # fmt: skip
        self.features, self.batch, self.weights, self.free = features, batch, weights, free
        self.stiffness = float(batch.penalty.slope(weights[:-1], batch.l2))
        squares = torch.cat([features.variance, features.variance.new_ones(1)])
        self.diagonal = squares[:, None, None] * point.spread
        self.diagonal[:-1] += self.stiffness
        self.diagonal = self.diagonal.clamp_min(1e-7 * float(self.diagonal.max()))
        self.blocks = self._blocks(point.spread[0])

    def _blocks(self, spread: torch.Tensor) -> list[_Block]:
        """Return the classes' blocks of the Hessian, or one for all where those are too large."""
        d, kept = self.features.d, self.free[:, 0] > 0
        sizes = kept.sum(0).double()
        if float(sizes.square().sum()) <= d**2:
            classes = [[k] for k in range(len(spread)) if kept[-1, k]]
        else:
            classes = [torch.nonzero(kept[-1]).flatten().tolist()]
        blocks = [_Block.empty(of, kept[:, of].any(1), spread) for of in classes]
        if sum(block.gram.numel() for block in blocks) * spread.element_size() > LARGEST_GRAM:
            return []
        for rows, x, p in predictions(self.features, self.weights):
            del rows
            uncertain = p[:, 0] * (1 - p[:, 0])
            for block in blocks:
                block.add(x, uncertain)
        return blocks

    def solve(self, slope: torch.Tensor, damping: float, most: int) -> tuple[torch.Tensor, int]:
        """Solve damped Hessian @ step = -slope; count the passes.

        Coefficients that would change their sign stop at zero, and the others are solved for again.
        """
        for block in self.blocks:
            block.factor(damping, self.stiffness)
        most = min(most, _MOST)
        free, step, passes, enough = self.free, torch.zeros_like(slope), 0, 0.0
        residual = -slope
        while True:
            enough, made = self._descend(step, residual, free, damping, most - passes, enough)
            passes += made
            jumped = self._jumped(step)
            if not bool(jumped.any()):
                break
            step[:-1] = torch.where(jumped, -self.weights[:-1], step[:-1])
            free = torch.cat([free[:-1] * ~jumped, free[-1:]])
            if passes + 2 > most:
                break
            residual = (-slope - self._product(step, damping)) * free
            passes += 1
        return step, passes

    def _jumped(self, step: torch.Tensor) -> torch.Tensor:
        """Return which coefficients would pass zero, where l1 has its kink."""
        w = self.weights[:-1]
        return (float(self.batch.l1) > 0) & (w * (w + step[:-1]) < 0)

    def _descend(
        self, step: torch.Tensor, residual: torch.Tensor, free: torch.Tensor, damping: float,
        most: int, enough: float,
    ) -> tuple[float, int]:  # fmt: skip
        """Make iterations of conjugate gradients, which change `step` and `residual`."""
        near = self._precondition(residual, damping) * free
        along, size = near.clone(), float((residual.double() * near).sum())
        enough, passes = enough or _PRECISION * size, 0
        while passes < most and size > enough:
            turned = self._product(along, damping) * free
            passes += 1
            steepness = float((along.double() * turned).sum())
            if not steepness > 0:  # rounding
                break
            step.add_(along, alpha=size / steepness)
            residual.sub_(turned, alpha=size / steepness)
            near = self._precondition(residual, damping) * free
            before, size = size, float((residual.double() * near).sum())
            along = near.add(along, alpha=size / before)
        return enough, passes

    def _product(self, direction: torch.Tensor, damping: float) -> torch.Tensor:
        """Multiply by the damped Hessian."""
        w = self.weights[:-1]
        product = hessian_product(self.features, self.weights, direction)
        product[:-1] += self.batch.penalty.curve(w, direction[:-1], self.batch.l2)
        return product.addcmul_(self.diagonal, direction, value=damping)

    def _precondition(self, residual: torch.Tensor, damping: float) -> torch.Tensor:
        near = residual / (self.diagonal * (1 + damping))
        for block in self.blocks:
            block.solve(residual[:, 0], near[:, 0])
        return near


@dataclass
class _Block:
    """One class's block of the Hessian; or several classes', taken for multiples of their sum.

    Parameters
    ----------
    classes : list of int
        Which.
    columns : torch.Tensor of int64, shape (m,)
        Columns, the last one that of the intercept.
    gram : torch.Tensor, shape (m, m)
        Products of the columns, weighted by the classes' p (1 - p).
    share : torch.Tensor, shape (len(classes),)
        Of each class in it.
    """

    classes: list[int]
    columns: torch.Tensor
    gram: torch.Tensor
    share: torch.Tensor
    root: torch.Tensor | None = None

    @classmethod
    def empty(cls, classes: list[int], kept: torch.Tensor, spread: torch.Tensor) -> _Block:
        columns = torch.nonzero(kept).flatten()
        share = spread[classes].clamp_min(1e-6 * float(spread.max()))
        gram = spread.new_zeros(len(columns), len(columns))
        return cls(classes, columns, gram, share / share.sum())

    def add(self, x: torch.Tensor, uncertain: torch.Tensor) -> None:
        """Add some words, shape (n, d), with their p (1 - p), shape (n, K)."""
        chosen = x if len(self.columns) > x.shape[1] else x[:, self.columns[:-1]]
        chosen = torch.cat([chosen, x.new_ones(len(x), 1)], 1)
        weight = uncertain[:, self.classes].sum(1, keepdim=True).sqrt_()
        chosen.mul_(weight)
        self.gram.addmm_(chosen.T, chosen)

    def factor(self, damping: float, stiffness: float) -> None:
        """Factor the block with what is added to its diagonal."""
        diagonal, ridge = self.gram.diagonal(), max(damping, 1e-5)
        usual = stiffness / float(self.share.mean())
        while True:
            full = self.gram + torch.diag(ridge * diagonal.clamp_min(1e-7 * diagonal.max()) + usual)
            self.root, failed = torch.linalg.cholesky_ex(full)
            if not bool(failed) or not math.isfinite(ridge):
                return
            ridge *= 10

    def solve(self, residual: torch.Tensor, out: torch.Tensor) -> None:
        """Write the block's inverse times a residual into `out`, both of shape (d + 1, K)."""
        assert self.root is not None
        place = (self.columns[:, None], torch.tensor(self.classes, device=residual.device))
        out[place] = torch.cholesky_solve(residual[place], self.root) / self.share
