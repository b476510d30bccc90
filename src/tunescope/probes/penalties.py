"""The two forms of the elastic net, for many problems at once: value, proximal step, dual bound.

`squared` is the paper's (Durrani et al. 2020, arXiv 2010.02695, section 3.1), `neurox` what the
authors' program minimises: the norm without its square.

    squared:  l1 ||W||_1 + l2 ||W||_2^2        neurox:  l1 ||W||_1 + l2 ||W||_2

Under the second, all coefficients of a probe are zero together once l2 is large enough. Tensors
have shape (d, P, K) for P problems over d columns with up to K classes; penalties have shape (P,).
"""

from __future__ import annotations

from typing import Literal, Protocol

import torch

Form = Literal["squared", "neurox"]

_TINY = 1e-300
_BISECTIONS = 60
"""Halvings of an interval: enough for float64."""


class Penalty(Protocol):
    """What the solvers need to know of a penalty."""

    def value(self, w: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """Return the penalty of coefficients `w` in float64, shape (P,)."""
        ...

    def slope(self, w: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """Return what to multiply `w` by for the gradient of the part in l2, shape (P,)."""
        ...

    def curve(self, w: torch.Tensor, direction: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """Multiply the second derivative of the part in l2 by a direction, both (d, P, K)."""
        ...

    def proximal(
        self, step: torch.Tensor, curvature: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """Minimise curvature / 2 (w - step)^2 + penalty(w) over w, elementwise curvature."""
        ...

    def bound(
        self, entropy: torch.Tensor, correlation: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """Return a value the dual reaches, shape (P,).

        `entropy` (P,) is the dual objective of a feasible point that lacks the penalty's conjugate;
        `correlation` (d, P, K) holds the absolute values of its gradients. Shrinking the point by a
        factor s scales both, the entropy at least by s as it is concave.
        """
        ...


def _soft(values: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    return values.sign() * (values.abs() - threshold).clamp_min_(0)


class Squared:
    """l1 ||W||_1 + l2 ||W||_2^2."""

    def value(self, w: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """See `Penalty.value`."""
        w = w.double()
        return l1 * w.abs().sum((0, 2)) + l2 * w.square().sum((0, 2))

    def slope(self, w: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """See `Penalty.slope`."""
        return 2 * l2.to(w.dtype)

    def curve(self, w: torch.Tensor, direction: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """See `Penalty.curve`."""
        return self.slope(w, l2)[:, None] * direction

    def proximal(
        self, step: torch.Tensor, curvature: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """See `Penalty.proximal`."""
        l1, l2 = (v[:, None].to(step.dtype) for v in (l1, l2))
        return _soft(step, l1 / curvature) / (1 + 2 * l2 / curvature)

    def bound(
        self, entropy: torch.Tensor, correlation: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """See `Penalty.bound`."""
        largest = correlation.amax((0, 2)).clamp_min(_TINY)
        shrunk = entropy * (l1 / largest).clamp_max(1)
        beyond = (correlation - l1[:, None]).clamp_min(0).square().sum((0, 2))
        conjugate = torch.where(l2 > 0, beyond / (4 * l2.clamp_min(_TINY)), torch.inf)
        return torch.maximum(shrunk, entropy - conjugate)


class NeuroX:
    """l1 ||W||_1 + l2 ||W||_2, the norm over all coefficients of a probe."""

    def value(self, w: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """See `Penalty.value`."""
        w = w.double()
        return l1 * w.abs().sum((0, 2)) + l2 * w.square().sum((0, 2)).sqrt()

    def slope(self, w: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """See `Penalty.slope`."""
        norm = w.square().sum((0, 2)).sqrt()
        return l2.to(w.dtype) / norm.clamp_min(1e-12)

    def curve(self, w: torch.Tensor, direction: torch.Tensor, l2: torch.Tensor) -> torch.Tensor:
        """See `Penalty.curve`: along w itself the norm is straight."""
        along = (w * direction).sum((0, 2)) / w.square().sum((0, 2)).clamp_min(1e-24)
        return self.slope(w, l2)[:, None] * (direction - along[:, None] * w)

    def proximal(
        self, step: torch.Tensor, curvature: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """See `Penalty.proximal`.

        With s = (curvature |step| - l1)_+, w = s / (curvature + l2 / t) where t = ||w||; it is zero
        if ||s|| <= l2.
        """
        pull = _soft(curvature * step, l1[:, None].to(step.dtype))
        size = pull.square().sum((0, 2)).sqrt()
        if not bool((l2 > 0).any()):
            return pull / curvature
        # sum (s / (curvature t + l2))^2 falls in t and is 1 at the norm looked for, which lies
        # between those of uniform curvatures. Newton on 1 / sqrt of it converges from the left.
        rest = l2.to(step.dtype)
        low = ((size - rest) / curvature.amax((0, 2))).clamp_min(0)
        norm = low
        for _ in range(8):
            denominator = curvature * norm[:, None] + rest[:, None]
            ratio = (pull / denominator).square()
            total = ratio.sum((0, 2)).clamp_min(1e-30)
            fall = (ratio * curvature / denominator).sum((0, 2)).clamp_min(1e-30)
            norm = torch.maximum(norm + total * (total.sqrt() - 1) / fall, low)
        shrunk = pull * norm[:, None] / (curvature * norm[:, None] + rest[:, None])
        free = pull / curvature
        shrunk = torch.where((l2 > 0)[:, None], shrunk, free)
        return torch.where(((size > rest) | (l2 == 0))[:, None], shrunk, 0.0)

    def bound(
        self, entropy: torch.Tensor, correlation: torch.Tensor, l1: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """See `Penalty.bound`: shrunk until ||(s correlation - l1)_+|| <= l2."""
        largest = correlation.amax((0, 2)).clamp_min(_TINY)
        low = (l1 / largest).clamp_max(1)  # feasible by l1 alone
        high = torch.ones_like(low)
        for _ in range(_BISECTIONS if bool((l2 > 0).any()) else 0):
            middle = (low + high) / 2
            over = (correlation * middle[:, None] - l1[:, None]).clamp_min(0)
            fits = over.square().sum((0, 2)) <= l2.square()
            low, high = torch.where(fits, middle, low), torch.where(fits, high, middle)
        # The last interval may end at 1, which is feasible too if its lower end is.
        return entropy * low


PENALTIES: dict[str, Penalty] = {"squared": Squared(), "neurox": NeuroX()}
