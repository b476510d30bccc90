"""Probes by mini-batches: the papers' Adam recipe, and a quick proximal variant with true zeros.

The recipe of Durrani et al. 2020 (arXiv 2010.02695) adds the penalty's gradient to the
loss and gives no coefficient that is exactly zero. The quick variant takes the proximal step of
l1 in Adam's own metric, steps in proportion to 1 / the neuron's standard deviation (so that it does
not matter how large activations are), and lets the step fall to zero. It makes a fixed number of
steps: how far from the optimum it ends is then proven by the duality gap, as for any other solver.

Steps are the same for all problems of a batch, so that they advance as one wide matrix product.
Blocks are visited in random order and words in random order inside a block, so that the words may
be on disk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch

from tunescope.probes.features import Features
from tunescope.probes.objective import Batch
from tunescope.probes.problem import Fit, Problem, certified, finished, first_weights

_EPSILON = 1e-8
_DEAD = 1e-3
"""Standard deviations below this share of the largest are taken for it when steps are scaled."""


@dataclass(frozen=True)
class Recipe:
    """How mini-batches are made and steps taken.

    Parameters
    ----------
    passes : int or None
        Passes over the words; when None, `QUICK_WORDS` and `QUICK_STEPS` decide.
    batch_size : int or None
        Words in a step; when None, 512, or fewer where there are few words.
    learning_rate : float or None
        Step of Adam, of the first step if it falls; when None, `REACH` decides.
    momentum, memory : float
        Adam's beta 1 and beta 2.
    proximal : bool
        Whether l1 acts by its proximal step, steps follow the neurons' scale and fall along a
        cosine, and coefficients start at zero; else l1 is part of the gradient, steps are constant,
        activations are not centred, and coefficients start at random.
    shuffle : bool
        Whether words come in another order in each pass.
    """

    passes: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    momentum: float = 0.9
    memory: float = 0.95
    proximal: bool = True
    shuffle: bool = True


QUICK = Recipe()
PAPER = Recipe(10, 512, 1e-3, 0.9, 0.999, proximal=False)
"""Adam, learning rate 1e-3, batches of 512 shuffled words, 10 epochs."""
NEUROX = Recipe(10, 32, 1e-3, 0.9, 0.999, proximal=False, shuffle=False)
"""The same as NeuroX's program runs it."""

REACH = 0.25
"""What one step of the quick variant may change of a score, about: divided by the root of the
number of neurons (at least 10), it is the step for neurons of standard deviation 1."""

QUICK_STEPS = 280
"""Steps of the quick variant at least."""

QUICK_WORDS = 150_000
"""Words that the quick variant goes through, about: in 3 to 30 passes."""


def schedule(recipe: Recipe, n: int) -> tuple[int, int]:
    """Return (passes, words in a step) for n words."""
    size = recipe.batch_size or min(512, max(32, n // 40))
    per_pass = math.ceil(n / size)
    passes = max(min(30, max(3, round(QUICK_WORDS / n))), math.ceil(QUICK_STEPS / per_pass))
    return recipe.passes or passes, size


def stochastic(
    features: Features,
    batch: Batch,
    problems: Sequence[Problem],
    *,
    recipe: Recipe,
    tolerance: float,
    seed: int,
    progress: Callable[[int, float], None] | None = None,
) -> list[Fit]:
    """Fit problems with a fixed number of steps.

    Parameters
    ----------
    features, batch, problems
        As for `fista`.
    recipe : Recipe
        How.
    tolerance : float
        Fits whose proven gap is within it count as converged.
    seed : int
        Of the order of words, and of the first coefficients where they are random.
    progress : callable, optional
        Called after each pass with its number and NaN.
    """
    weights = run(features, batch, recipe, seed, progress)
    objective, relative = certified(features, batch, weights)
    passes = schedule(recipe, features.n)[0]
    return [
        finished(features, weights, problem, place, (value, bound, passes, bound <= tolerance))
        for place, (problem, value, bound) in enumerate(
            zip(problems, objective.tolist(), relative.tolist(), strict=True)
        )
    ]


def run(
    features: Features,
    batch: Batch,
    recipe: Recipe,
    seed: int,
    progress: Callable[[int, float], None] | None = None,
) -> torch.Tensor:
    """Return weights on centred columns, shape (d + 1, P, K)."""
    random = torch.Generator().manual_seed(seed)
    adam = _Adam(features, batch, recipe, random)
    passes, size = schedule(recipe, features.n)
    total = sum(math.ceil((rows.stop - rows.start) / size) for rows, _ in features.blocks())
    total, step = total * passes, 0
    rate = recipe.learning_rate or REACH / math.sqrt(max(features.d, 10))
    for number in range(passes):
        for rows, x in _mini_batches(features, size, random if recipe.shuffle else None):
            fall = 0.5 * (1 + math.cos(math.pi * step / total)) if recipe.proximal else 1.0
            step += 1
            adam.step(x, batch.labels(rows), rate * fall, step)
        if progress is not None:
            progress(number + 1, math.nan)
    return adam.result()


def _mini_batches(
    features: Features, size: int, random: torch.Generator | None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield (rows, values) in random order, or in order; blocks are cut into equal parts."""
    n_blocks = len(features)
    order = list(range(n_blocks))
    if random is not None:
        order = torch.randperm(n_blocks, generator=random).tolist()
    for number in order:
        rows, values = features.block(number)
        n = len(values)
        inside = torch.arange(n) if random is None else torch.randperm(n, generator=random)
        pieces = math.ceil(n / size)
        for part in (
            inside.to(values.device).tensor_split(pieces)
            if random is not None
            else (inside.to(values.device).split(size))
        ):
            yield part + rows.start, values[part]


class _Adam:
    """Weights and the two moments of their gradients; tensors have shape (d + 1, P * K)."""

    def __init__(self, features: Features, batch: Batch, recipe: Recipe, random: torch.Generator):
        self.features, self.batch, self.recipe = features, batch, recipe
        first = first_weights(features, batch)
        self.shape = first.shape
        if not recipe.proximal:
            bound = 1 / math.sqrt(features.d)  # torch's own for a linear layer
            drawn = torch.rand(first.shape, generator=random) * (2 * bound) - bound
            absent = batch.counts == 0
            first = torch.where(absent, first, drawn.to(first.device, first.dtype))
        self.weights = first.flatten(1)
        self.batch.restrict(self.coefficients)
        self.mean, self.square = torch.zeros_like(self.weights), torch.zeros_like(self.weights)
        self.gradient = torch.empty_like(self.weights)
        self.l1 = (batch.l1 / features.n).to(first.dtype).repeat_interleave(self.shape[2])
        self.l2 = batch.l2 / features.n
        # The paper's recipe sees activations as they are, not centred.
        self.offset = None if recipe.proximal else features.mean / features.scale
        deviation = features.variance.sqrt()
        largest = deviation.max().clamp_min(1e-30)
        scale = torch.where(deviation > _DEAD * largest, deviation, largest)
        self.scale = torch.cat([1 / scale, scale.new_ones(1)])[:, None] if recipe.proximal else None

    @property
    def coefficients(self) -> torch.Tensor:
        """The weights without intercepts, a view of shape (d, P, K)."""
        return self.weights[:-1].view(-1, *self.shape[1:])

    def step(self, x: torch.Tensor, targets: torch.Tensor, rate: float, number: int) -> None:
        """Take one step of size `rate` on some words, the `number`-th from 1."""
        recipe, gradient = self.recipe, self.gradient
        if self.offset is not None:
            x = x + self.offset
        scores = torch.addmm(self.weights[-1], x, self.weights[:-1]).view(len(x), *self.shape[1:])
        residual = scores.softmax(2)
        residual.scatter_add_(2, targets, residual.new_full(targets.shape, -1.0))
        residual = residual.view(len(x), -1).div_(len(x))
        torch.mm(x.T, residual, out=gradient[:-1])
        gradient[-1] = residual.sum(0)
        self._add_penalty(gradient)

        self.mean.lerp_(gradient, 1 - recipe.momentum)
        self.square.mul_(recipe.memory).addcmul_(gradient, gradient, value=1 - recipe.memory)
        unbias = 1 / (1 - recipe.memory**number)
        pace = (self.square * unbias).sqrt_().add_(_EPSILON).reciprocal_().mul_(rate)
        if self.scale is not None:
            pace.mul_(self.scale)
        self.weights.addcmul_(self.mean, pace, value=-1 / (1 - recipe.momentum**number))
        if recipe.proximal:
            threshold = pace[:-1].mul_(self.l1)
            inside = self.weights[:-1]
            inside.sub_(inside.clamp(-threshold, threshold))
        self.batch.restrict(self.coefficients)

    def _add_penalty(self, gradient: torch.Tensor) -> None:
        """Add the gradient of the part in l2, and without proximal steps of that in l1."""
        w = self.coefficients
        pull = self.batch.penalty.slope(w, self.l2)[:, None].expand(self.shape[1:]).flatten()
        gradient[:-1].addcmul_(self.weights[:-1], pull)
        if not self.recipe.proximal:
            gradient[:-1].add_(self.weights[:-1].sign() * self.l1)

    def result(self) -> torch.Tensor:
        """Return the weights for centred columns, shape (d + 1, P, K)."""
        if self.offset is not None:
            self.weights[-1] += self.offset @ self.weights[:-1]
        return self.weights.view(self.shape)
