"""FISTA for many elastic-net probes over the same words at once (Durrani et al. 2020, section 3.1).

The method (Beck and Teboulle 2009) has three changes that measurements on activations asked for: a
diagonal metric taken from the Hessian (activations have outlier neurons, labels have rare classes),
a step length that follows the curvature seen along the way instead of its global bound, and
restarts of the momentum (O'Donoghue and Candes 2015). Coefficients that the penalty sets to zero
are exact zeros. All problems of a part advance together as one wide matrix product, each with its
own metric, step and momentum; those that are done drop out. Parts share the passes over the words
but no product, so that what stands beside a part changes no bit of it. Problems that are not done
after `FIRST_ORDER` iterations, those with weak penalties, are finished one after the other with
steps of second order (`newton.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass

import torch

from tunescope.probes.features import Features
from tunescope.probes.newton import Newton
from tunescope.probes.objective import Batch, Point, evaluate, gap, gradients
from tunescope.probes.problem import Fit, Problem, finished, first_weights

CHECK_EVERY = 10
"""Iterations between two tests of convergence (each costs one more pass)."""

FIRST_ORDER = 300
"""Iterations after which Newton steps come in, for problems that are not done by then."""

_FLOOR = 0.01
"""Smallest p (1 - p), as a share of its largest value 1/4, that the metric assumes on average."""

_ROUNDING = 32
"""Changes below this many units in the last place are taken for rounding."""


def fista(
    features: Features,
    parts: Sequence[Part],
    *,
    tolerance: float,
    max_iterations: int,
    progress: Callable[[int, float], None] | None = None,
) -> list[list[Fit]]:
    """Fit problems to a proven gap.

    Parameters
    ----------
    features : Features
        The words, n rows.
    parts : sequence of Part
        Problems that share a product, and parts that share the passes over the words. A part comes
        out bit for bit as it would alone.
    tolerance : float
        A problem is done when its objective is proven to lie within this share of the optimum (by
        the duality gap). Without a penalty there is no optimum where classes can be separated: the
        objective falls towards zero for ever, and nothing is within a share of that. So a problem
        without a penalty is done when its objective is at most this share of what it is at zero
        coefficients, which bounds what can still be gained, as it cannot become negative. Where
        classes cannot be separated that may never be, and nothing is proven: then it is done when
        the largest entry of the gradient, as a share of its first value, is at most `tolerance`
        times the objective as a share of its own.
    max_iterations : int
        Upper bound of the passes over the words, those of Newton steps included; a problem that
        reaches it is returned with ``converged=False``.
    progress : callable, optional
        Called at each test of convergence with the iteration and the largest relative gap.

    Returns
    -------
    list of list of Fit
        Of each part, in the order of its problems.
    """
    states = _begin(features, parts)
    waiting = states
    iteration = 0
    while waiting and iteration < min(max_iterations, FIRST_ORDER):
        iteration += 1
        ahead = [(state.batch, state.ahead) for state in waiting]
        for state, gradient in zip(waiting, gradients(features, ahead), strict=True):
            state.advance(gradient)
        if iteration % CHECK_EVERY and iteration < max_iterations:
            continue
        reached = [(state.batch, state.solution) for state in waiting]
        largest = [
            state.check(point, tolerance, iteration, last=iteration == max_iterations)
            for state, point in zip(waiting, evaluate(features, reached), strict=True)
        ]
        if progress is not None:
            progress(iteration, max(largest))
        waiting = [state for state in waiting if state.waiting]
    for state in waiting:
        for alone in state.apart():
            _finish(features, alone, iteration, tolerance, max_iterations, progress)
    return [[state.fits[place] for place in range(len(state.problems))] for state in states]


def _finish(
    features: Features, state: _State, iteration: int, tolerance: float, max_iterations: int,
    progress: Callable[[int, float], None] | None,
) -> None:  # fmt: skip
    """Go on with one problem, with a Newton step between every few steps of first order."""
    newton = Newton(features, state.batch)

    def look(point: Point) -> Point:
        largest = state.check(point, tolerance, iteration, last=iteration >= max_iterations)
        if progress is not None:
            progress(iteration, largest)
        return point

    point = look(evaluate(features, [(state.batch, state.solution)])[0])
    while state.waiting:
        better, there, passes = newton.step(state.solution, point, max_iterations - iteration)
        iteration += passes
        state.restart(better)
        if there is not None:
            point = look(there)
        if state.waiting and (newton.kink or there is None):
            for _ in range(min(CHECK_EVERY, max_iterations - iteration)):
                state.advance(gradients(features, [(state.batch, state.ahead)])[0])
                iteration += 1
            point = look(evaluate(features, [(state.batch, state.solution)])[0])


@dataclass(frozen=True, eq=False)
class Part:
    """Problems side by side in one product.

    Parameters
    ----------
    batch : Batch
        P problems.
    problems : sequence of Problem
        The same.
    start : torch.Tensor, shape (d + 1, P, K), optional
        Weights to begin with; zero coefficients when not given.
    """

    batch: Batch
    problems: Sequence[Problem]
    start: torch.Tensor | None = None


def _begin(features: Features, parts: Sequence[Part]) -> list[_State]:
    """Look at zero coefficients, and at the weights to begin with where they are others."""
    zeros = [(part.batch, first_weights(features, part.batch)) for part in parts]
    first = evaluate(features, zeros)
    given = [(part.batch, part.start) for part in parts if part.start is not None]
    started = iter(evaluate(features, given) if given else [])
    return [
        _State(features, part, weights, point, point if part.start is None else next(started))
        for part, (_, weights), point in zip(parts, zeros, first, strict=True)
    ]


class _State:
    """All that changes while problems are fitted; tensors have shape (d + 1, P, K) or (P,)."""

    def __init__(
        self, features: Features, part: Part, zeros: torch.Tensor, at_zero: Point, at_start: Point
    ):
        self.features, self.batch, self.problems = features, part.batch, part.problems
        self.waiting = list(range(len(part.problems)))
        self.fits: dict[int, Fit] = {}
        self.solution = zeros if part.start is None else part.start
        self.ahead = self.solution.clone()
        self.previous: tuple[torch.Tensor, torch.Tensor] | None = None
        ones = features.mean.new_ones(len(self.batch.task))
        self.momentum, self.stretch = ones.clone(), 8 * ones
        self.best = torch.full_like(self.batch.l1, torch.inf)
        self.variance = torch.cat([features.variance, features.variance.new_ones(1)])
        self.variance = self.variance.clamp_min(1e-12 * float(self.variance.max()))
        self.next_metric = CHECK_EVERY
        self.first_slope, self.first_loss = self._slope(at_zero.gradient), at_zero.loss
        self._set_metric(at_start.spread)

    def _slope(self, gradient: torch.Tensor) -> torch.Tensor:
        inside = self.batch.restrict(gradient[:-1].clone()).abs().amax((0, 2))
        return torch.maximum(inside, gradient[-1].abs().amax(1))

    def _set_metric(self, spread: torch.Tensor) -> None:
        """Take the Hessian's diagonal, with every neuron's variance the same for all classes."""
        self.spread = spread.clamp_min(_FLOOR * self.features.n / 4)
        self.momentum = torch.ones_like(self.momentum)
        self.previous = None

    def restart(self, solution: torch.Tensor) -> None:
        """Go on from other weights, without momentum."""
        self.solution, self.ahead = solution, solution.clone()
        self.momentum = torch.ones_like(self.momentum)
        self.previous = None

    def apart(self) -> Iterator[_State]:
        """Yield the problems that are not done, each alone; their fits come to this one."""
        for place, number in enumerate(self.waiting):
            alone = copy(self)
            alone.waiting = [number]
            alone._keep(torch.arange(len(self.waiting), device=self.momentum.device) == place)
            yield alone

    def _metric(self) -> torch.Tensor:
        return self.variance[:, None, None] * self.spread

    def advance(self, gradient: torch.Tensor) -> None:
        """Make one accelerated proximal gradient step, given the gradient at `ahead`."""
        batch, metric = self.batch, self._metric()
        batch.restrict(gradient[:-1])
        self._follow_curvature(gradient, metric)

        curvature = metric * self.stretch[:, None]
        step = self.ahead - gradient / curvature
        inside = batch.restrict(step[:-1])
        step[:-1] = batch.penalty.proximal(inside, curvature[:-1], batch.l1, batch.l2)

        change = step - self.solution
        backwards = ((self.ahead - step) * change * curvature).sum((0, 2)) > 0
        following = (1 + (1 + 4 * self.momentum**2).sqrt()) / 2
        weight = torch.where(backwards, 0.0, (self.momentum - 1) / following)
        self.momentum = torch.where(backwards, 1.0, following)
        self.previous = (self.ahead, gradient)
        self.solution, self.ahead = step, step + weight[:, None] * change

    def _follow_curvature(self, gradient: torch.Tensor, metric: torch.Tensor) -> None:
        """Stretch the metric to the curvature along the last step; let it relax otherwise.

        For a convex function whose gradient changes at most L times as fast as its argument (in the
        metric), |change of gradient|^2 <= L (change of gradient) . (change of argument).
        """
        if self.previous is None:
            return
        moved = self.ahead - self.previous[0]
        turned = gradient - self.previous[1]
        steepness = (turned.square() / metric).sum((0, 2))
        along = (turned * moved).sum((0, 2))
        moments = (self.batch.moments.square() / metric[:-1]).sum((0, 2))
        rounding = moments * (_ROUNDING * torch.finfo(turned.dtype).eps) ** 2
        seen = torch.where((steepness > rounding) & (along > 0), steepness / along, 0.0)
        self.stretch = torch.maximum(0.9 * self.stretch, seen)

    def check(self, point: Point, tolerance: float, iteration: int, *, last: bool) -> float:
        """Let problems go that are done; return the largest relative duality gap before."""
        objective, relative, converged = self._judge(point, tolerance, iteration)
        done = converged | last
        for place in torch.nonzero(done).flatten().tolist():
            facts = (float(objective[place]), float(relative[place]), iteration)
            number = self.waiting[place]
            self.fits[number] = finished(
                self.features, self.solution, self.problems[number], place,
                (*facts, bool(converged[place])),
            )  # fmt: skip
        if done.any():
            self.waiting = [n for n, gone in zip(self.waiting, done.tolist(), strict=True)
                            if not gone]  # fmt: skip
            self._keep(~done)
        return float(relative.max())

    def _judge(
        self, point: Point, tolerance: float, iteration: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return objective, relative duality gap and convergence per problem, each shape (P,)."""
        batch = self.batch
        objective = point.loss + batch.penalties(self.solution)
        relative = gap(batch, point, self.solution) / objective.clamp_min(1e-300)
        free = (batch.l1 == 0) & (batch.l2 == 0)
        slope = self._slope(point.gradient) / self.first_slope.clamp_min(1e-30)
        left = objective / self.first_loss
        settled = (left <= tolerance) | (slope <= tolerance * left)
        converged = torch.where(free, settled, relative <= tolerance)

        # A rising objective means steps were too long for the curvature met since.
        slack = _ROUNDING * torch.finfo(self.solution.dtype).eps
        risen = objective > self.best * (1 + slack)
        self.stretch = torch.where(risen, 2 * self.stretch, self.stretch)
        self.momentum = torch.where(risen, 1.0, self.momentum)
        self.best = torch.minimum(self.best, objective)
        if iteration >= self.next_metric:
            self._set_metric(point.spread)
            self.next_metric = 3 * iteration
        return objective, relative, converged

    def _keep(self, wanted: torch.Tensor) -> None:
        """Drop all but the wanted problems, a boolean mask of shape (P,)."""
        self.batch = self.batch.keep(wanted)
        self.solution, self.ahead = self.solution[:, wanted], self.ahead[:, wanted]
        if self.previous is not None:
            self.previous = (self.previous[0][:, wanted], self.previous[1][:, wanted])
        for name in ("momentum", "stretch", "best", "spread", "first_slope", "first_loss"):
            setattr(self, name, getattr(self, name)[wanted])
