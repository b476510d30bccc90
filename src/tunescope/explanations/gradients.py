"""Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365) of a classifier's output.

The attribution of an input is its difference from the baseline times the mean gradient on the
straight path between the two. All attributions together are the difference of the two outputs
(completeness); what they miss of it is the error of the integration, and is always reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tunescope.explanations.inputs import Input
from tunescope.explanations.path import Path, lay_path
from tunescope.explanations.taps import Tap
from tunescope.models.heads import Head
from tunescope.steps.explain import Baseline, Output, Rule

FIRST = 8
"""Points with which an adaptive integration begins."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """What each word, and each special token, adds to a classifier's output.

    Parameters
    ----------
    target : int
        The class.
    words : numpy.ndarray of float64, shape (n_words,)
        Attribution of each word, the sum over its subwords; 0 for words that the model never saw.
    subwords : numpy.ndarray of float64, shape (length,)
        Attribution of each subword and special token of the input.
    text, baseline : float
        The output for the text and for the baseline.
    error : float
        Sum of all attributions less (text - baseline): 0 but for the error of the integration.
    steps : int
        Points on the path.
    converged : bool
        Whether the tolerance was met; true where none was asked for.
    """

    target: int
    words: np.ndarray
    subwords: np.ndarray
    text: float
    baseline: float
    error: float
    steps: int
    converged: bool

    @property
    def relative_error(self) -> float:
        """The error as a share of the sum of absolute attributions of subwords."""
        total = float(np.abs(self.subwords).sum())
        return abs(self.error) / total if total > 0 else 0.0


def attribute(
    head: Head,
    given: Input,
    *,
    target: int | None = None,
    layer: int | None = None,
    steps: int = 500,
    tolerance: float | None = None,
    rule: Rule = "gauss_legendre",
    baseline: Baseline = "pad",
    output: Output = "logit",
    batch_tokens: int = 4096,
) -> Attribution:
    """Attribute a classifier's output to the words of a text.

    Parameters
    ----------
    head : Head
        The classifier, in evaluation mode.
    given : Input
        The text.
    target : int, optional
        Number of the class; the predicted one when not given.
    layer : int, optional
        Integrate at the hidden states of this layer, 0 to the last; at the input embeddings when
        not given. From layer 1 on, a special token has read the words, and has attribution of its
        own.
    steps, tolerance, rule, baseline, output, batch_tokens
        As in step `explain`.

    Raises
    ------
    InputError
        If the model does not show where its words come in, or lacks the layer or the token.
    """
    tap = Tap.at_embeddings(head.model) if layer is None else Tap.at_layer(head.model, layer)
    with _frozen(head.model), tap:
        path = lay_path(head, given, baseline, layer, tap)
        tap.start()
        work = _Integral(head.model, given, path, target, output, batch_tokens)
        points = steps if tolerance is None else min(FIRST, steps)
        found, converged, change = work.integrate(rule, points), tolerance is None, np.inf
        while not converged and points < steps:
            last, before, points = found, change, min(2 * points, steps)
            found = work.integrate(rule, points)
            change = float(np.abs(found - last).sum())
            # the change is the error of the last rule; that of this one shrinks by as much again
            shrinks = min(1.0, change / before) if 0 < before < np.inf else 1.0
            # a sum may be right by luck where its terms are not
            error = max(change * shrinks, abs(found.sum() - work.difference))
            converged = bool(error <= tolerance * np.abs(found).sum())
    subwords = np.zeros(len(given.owner))
    words = np.zeros(len(given.text.words))
    start = 0
    for owner in path.owners:
        part = found[start : start + len(owner)]
        start += len(owner)
        np.add.at(words, owner[owner >= 0], part[owner >= 0])
        # a second reading is shifted by one; its first subword opens the text
        shift = 0 if owner is given.owner else 1
        np.add.at(subwords, np.maximum(np.arange(len(owner)) - shift, 0), part)
    return Attribution(
        work.target, words, subwords, work.at_text, work.at_baseline,
        float(found.sum() - work.difference), points, converged,
    )  # fmt: skip


def points_and_weights(rule: Rule, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n points in [0, 1] and their weights, which add up to 1.

    Parameters
    ----------
    rule : {"gauss_legendre", "trapezoid"}
        Gauss's rule is exact for polynomials up to degree 2 n - 1; the trapezoid has both ends
        among its points.
    n : int
        At least 2.
    """
    if rule == "trapezoid":
        weights = np.full(n, 1 / (n - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, n), weights
    points, weights = np.polynomial.legendre.leggauss(n)
    return (points + 1) / 2, weights / 2


def score_of(logits: torch.Tensor, target: int, output: Output) -> torch.Tensor:
    """Return the output that is attributed, shape (n,), of logits of shape (n, n_classes)."""
    if output == "logit":
        return logits[:, target]
    if output == "probability":
        return logits.softmax(1)[:, target]
    others = [number for number in range(logits.shape[1]) if number != target]
    return logits[:, target] - logits[:, others].logsumexp(1)


class _Integral:
    """The outputs at both ends of a path, and sums of gradients along it."""

    def __init__(
        self, model: Any, given: Input, path: Path, target: int | None, output: Output, budget: int
    ):
        self._model, self._given, self._path = model, given, path
        self._output: Output = output
        self._most = max(1, budget // len(given.owner))
        with torch.no_grad():
            text, absent = (self._logits(end) for end in (path.text, path.baseline))
        self.target = int(text.argmax()) if target is None else target
        self.at_text, self.at_baseline = (
            float(score_of(logits.double(), self.target, output)[0]) for logits in (text, absent)
        )
        self.difference = self.at_text - self.at_baseline

    def _logits(self, states: list[torch.Tensor]) -> torch.Tensor:
        self._path.tap.start()
        self._path.tap.given = states
        fields = self._given.tensors(len(states[0]), self._model.device)
        return self._model(**fields).logits.float()

    def integrate(self, rule: Rule, n: int) -> np.ndarray:
        """Return the attribution of every position of every reading, end to end."""
        points, weights = points_and_weights(rule, n)
        steps = [
            text - absent for text, absent in zip(self._path.text, self._path.baseline, strict=True)
        ]
        sums = [torch.zeros_like(step[0], dtype=torch.float64) for step in steps]
        for start in range(0, n, self._most):
            chosen = slice(start, start + self._most)
            alpha = torch.tensor(points[chosen], dtype=steps[0].dtype, device=steps[0].device)
            states = [
                (absent + alpha[:, None, None] * step).requires_grad_()
                for absent, step in zip(self._path.baseline, steps, strict=True)
            ]
            with torch.enable_grad():
                scores = score_of(self._logits(states), self.target, self._output)
                slopes = torch.autograd.grad(scores.sum(), states)
            weight = torch.tensor(weights[chosen], dtype=torch.float64, device=alpha.device)
            for total, slope in zip(sums, slopes, strict=True):
                total += torch.einsum("s,spd->pd", weight, slope.double())
        found = [
            (step[0].double() * total).sum(-1) for step, total in zip(steps, sums, strict=True)
        ]
        return torch.cat(found).cpu().numpy()


@contextmanager
def _frozen(model: Any) -> Iterator[None]:
    """Let no weight take part in gradients: they would cost memory and are not asked for."""
    wanted = [weight for weight in model.parameters() if weight.requires_grad]
    for weight in wanted:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in wanted:
            weight.requires_grad_(True)
