"""Fit many elastic-net probes over the same words in one go (Durrani et al. 2020, section 3.1).

The method is FISTA (Beck and Teboulle 2009) with three changes that measurements on activations
asked for: a diagonal metric taken from the Hessian (activations have outlier neurons, labels have
rare classes), a step length that follows the curvature seen along the way instead of its global
bound, and restarts of the momentum (O'Donoghue and Candes 2015). Coefficients that the penalty
sets to zero are exact zeros. All problems advance together as one wide matrix product, each with
its own metric, step and momentum; those that are done drop out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tunescope.errors import InputError
from tunescope.probes.features import Features
from tunescope.probes.objective import Batch, class_moments, evaluate, gap

CHECK_EVERY = 10
"""Iterations between two tests of convergence (each costs one more pass)."""

_ABSENT = -1e4
"""Intercept of a class that only pads: its probability is exactly zero."""

_FLOOR = 0.01
"""Smallest p (1 - p), as a share of its largest value 1/4, that the metric assumes on average."""

_ROUNDING = 32
"""Changes below this many units in the last place are taken for rounding."""


@dataclass(frozen=True)
class Problem:
    """One probe to be fitted.

    Parameters
    ----------
    targets : numpy.ndarray of int, shape (n,)
        Class of each word, 0 to n_classes - 1; every class occurs.
    l1, l2 : float
        Weights of the absolute and of the squared coefficients, for the loss summed over words
        (times n for the mean loss).
    """

    targets: np.ndarray
    l1: float
    l2: float


@dataclass(frozen=True)
class Fit:
    """A fitted probe.

    Parameters
    ----------
    coefficients : numpy.ndarray, shape (n_classes, d)
        For the columns as given, with exact zeros.
    intercepts : numpy.ndarray, shape (n_classes,)
        Not penalised.
    objective : float
        Summed loss plus penalties.
    gap : float
        Upper bound on (objective - optimum) / objective; infinite without a penalty.
    iterations : int
        How many were made.
    converged : bool
        Whether `gap` (without a penalty: the gradient) came below the tolerance.
    """

    coefficients: np.ndarray
    intercepts: np.ndarray
    objective: float
    gap: float
    iterations: int
    converged: bool


def fit_many(
    features: Features,
    problems: Sequence[Problem],
    *,
    tolerance: float = 1e-2,
    max_iterations: int = 500,
    progress: Callable[[int, float], None] | None = None,
) -> list[Fit]:
    """Fit all problems; each minimises its own objective over the same words.

    Parameters
    ----------
    features : Features
        The words, n rows.
    problems : sequence of Problem
        Label vectors and penalties.
    tolerance : float
        A problem is done when its objective is proven to lie within this share of the optimum (by
        the duality gap). Without a penalty there is no such proof, as the optimum may lie at
        infinity: then the largest entry of the gradient must fall to this share of its first value.
    max_iterations : int
        Upper bound; a problem that reaches it is returned with ``converged=False``.
    progress : callable, optional
        Called at each test of convergence with the iteration and the largest relative gap.

    Returns
    -------
    list of Fit
        In the order of `problems`.

    Raises
    ------
    InputError
        If a label vector has not n entries or lacks a class.
    """
    state = _State(features, _batch(features, problems))
    waiting = list(range(len(problems)))
    fits: dict[int, Fit] = {}
    for iteration in range(1, max_iterations + 1):
        state.advance()
        if iteration % CHECK_EVERY and iteration < max_iterations:
            continue
        objective, relative, converged = state.check(tolerance, iteration)
        if progress is not None:
            progress(iteration, float(relative.max()))
        done = converged | (iteration == max_iterations)
        for place in torch.nonzero(done).flatten().tolist():
            n_classes = int(problems[waiting[place]].targets.max()) + 1
            solution = features.uncentred(state.solution[:, place, :n_classes])
            facts = (float(objective[place]), float(relative[place]), iteration)
            fits[waiting[place]] = Fit(*solution, *facts, bool(converged[place]))
        if done.all():
            break
        if done.any():
            state.keep(~done)
            waiting = [p for p, gone in zip(waiting, done.tolist(), strict=True) if not gone]
    return [fits[number] for number in range(len(problems))]


def _batch(features: Features, problems: Sequence[Problem]) -> Batch:
    """Check the problems and put them side by side."""
    counts = []
    for problem in problems:
        if len(problem.targets) != features.n:
            raise InputError(f"{len(problem.targets)} labels for {features.n} words: give one each")
        counts.append(np.bincount(problem.targets))
        if (counts[-1] == 0).any():
            raise InputError("a class has no words: number the classes that occur, 0, 1, ...")
    n_classes = max(map(len, counts))
    padded = np.stack([np.pad(count, (0, n_classes - len(count))) for count in counts])
    targets = np.stack([problem.targets for problem in problems], axis=1).astype(np.int64)
    on_device = torch.from_numpy(targets).to(features.device)

    def vector(values: list[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float64, device=features.device)

    return Batch(
        on_device,
        torch.from_numpy(padded).to(features.device, features.dtype),
        class_moments(features, on_device, n_classes),
        vector([problem.l1 for problem in problems]),
        vector([problem.l2 for problem in problems]),
    )


class _State:
    """All that changes while problems are fitted; tensors have shape (d + 1, P, K) or (P,)."""

    def __init__(self, features: Features, batch: Batch):
        self.features, self.batch = features, batch
        n_problems, n_classes = batch.counts.shape
        zeros = features.mean.new_zeros(features.d + 1, n_problems, n_classes)
        zeros[-1] = torch.where(batch.counts > 0, (batch.counts / features.n).log(), _ABSENT)
        self.solution = zeros
        self.ahead = zeros.clone()
        self.previous: tuple[torch.Tensor, torch.Tensor] | None = None
        ones = features.mean.new_ones(n_problems)
        self.momentum, self.stretch = ones.clone(), 8 * ones
        self.best = torch.full_like(batch.l1, torch.inf)
        self.variance = torch.cat([features.variance, features.variance.new_ones(1)])
        self.variance = self.variance.clamp_min(1e-12 * float(self.variance.max()))
        self.next_metric = CHECK_EVERY
        first = evaluate(features, batch, zeros, certify=True)
        self.first_slope = first.gradient.abs().amax((0, 2))
        self._set_metric(first.spread)

    def _set_metric(self, spread: torch.Tensor) -> None:
        """Take the Hessian's diagonal, with every neuron's variance the same for all classes."""
        self.spread = spread.clamp_min(_FLOOR * self.features.n / 4)
        self.momentum = torch.ones_like(self.momentum)
        self.previous = None

    def _metric(self) -> torch.Tensor:
        return self.variance[:, None, None] * self.spread

    def advance(self) -> None:
        """Make one accelerated proximal gradient step."""
        batch, metric = self.batch, self._metric()
        gradient = evaluate(self.features, batch, self.ahead).gradient
        self._follow_curvature(gradient, metric)

        curvature = metric * self.stretch[:, None]
        step = self.ahead - gradient / curvature
        penalised = step[:-1]
        threshold = batch.l1[:, None].to(step.dtype) / curvature[:-1]
        shrink = 1 + 2 * batch.l2[:, None].to(step.dtype) / curvature[:-1]
        step[:-1] = penalised.sign() * (penalised.abs() - threshold).clamp_min_(0) / shrink

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

    def check(
        self, tolerance: float, iteration: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return objective, relative duality gap and convergence per problem, each shape (P,)."""
        batch = self.batch
        point = evaluate(self.features, batch, self.solution, certify=True)
        objective = point.loss + batch.penalty(self.solution)
        relative = gap(batch, point, self.solution) / objective.clamp_min(1e-300)
        free = (batch.l1 == 0) & (batch.l2 == 0)
        slope = point.gradient.abs().amax((0, 2)) / self.first_slope.clamp_min(1e-30)
        converged = torch.where(free, slope.double(), relative) <= tolerance

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

    def keep(self, wanted: torch.Tensor) -> None:
        """Drop all but the wanted problems, a boolean mask of shape (P,)."""
        self.batch = self.batch.keep(wanted)
        self.solution, self.ahead = self.solution[:, wanted], self.ahead[:, wanted]
        if self.previous is not None:
            self.previous = (self.previous[0][:, wanted], self.previous[1][:, wanted])
        for name in ("momentum", "stretch", "best", "spread", "first_slope"):
            setattr(self, name, getattr(self, name)[wanted])
