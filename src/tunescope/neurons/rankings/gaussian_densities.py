"""The two passes of a step of the Gaussian selection: over held-out and over training words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from tunescope.activations.matrix import WordMatrix
from tunescope.neurons.rankings.moments import known

_BLOCK = 1 << 20
"""Densities evaluated together: what a CPU's caches hold. A GPU is given 64 times as many."""

_WORDS = 96
"""Words among them: fewer make the matrix product slow, more cut its other side short."""

_HELD = 1 << 31
"""Bytes of training words up to which they are kept; more are read again at every step."""

_NOTHING = -80.0
"""exp of much less is no normal number, which is slow; it adds nothing to a sum of 1 anyway."""

_OUT = {torch.float32: -18.0, torch.float64: -40.0}
"""exp of less is lost in rounding when it is added to 1."""

_Parts = list[tuple[int, int, int]]


@dataclass(frozen=True, eq=False)
class CandidateDensities:
    """Log densities of held-out words under each label, with each candidate added.

    For word n, label c and candidate j it is, less what all labels share,

        base[n, c] + offset[c, j] - (gain[c, j] x[n, j] + seen[n] . coefficients[c, :, j])^2

    Parameters
    ----------
    x : numpy.ndarray, shape (n, m)
        Candidates' activations.
    seen : numpy.ndarray, shape (n, k + 1)
        Chosen neurons' activations, and ones.
    base : numpy.ndarray, shape (n, K)
        Log densities of the chosen, with the prior.
    gain, offset : numpy.ndarray, shape (K, m)
        See above.
    coefficients : numpy.ndarray, shape (K, k + 1, m)
        See above.
    """

    x: np.ndarray
    seen: np.ndarray
    base: np.ndarray
    gain: np.ndarray
    coefficients: np.ndarray
    offset: np.ndarray

    def log_posteriors(
        self, targets: np.ndarray, weights: np.ndarray, dtype: torch.dtype, device: str
    ) -> np.ndarray:
        """Return the weighted sum over words of log p(label | chosen, candidate), shape (m,).

        Parameters
        ----------
        targets : numpy.ndarray of int, shape (n,)
            Labels.
        weights : numpy.ndarray, shape (n,)
            Weights of the words.
        dtype : torch.dtype
            Of the densities; the sum is float64.
        device : str
            Where they are computed.
        """
        x, seen, base, gain, offset = (
            torch.as_tensor(values, dtype=dtype, device=device)
            for values in (self.x, self.seen, self.base, self.gain, self.offset)
        )
        coefficients = torch.as_tensor(
            self.coefficients.transpose(1, 0, 2), dtype=dtype, device=device
        )
        labels = torch.as_tensor(targets, device=device)
        weight = torch.as_tensor(weights, dtype=torch.float64, device=device)
        n, m = x.shape
        n_labels = len(gain)
        budget = _BLOCK if torch.device(device).type == "cpu" else 64 * _BLOCK
        width = min(m, max(16, budget // (_WORDS * n_labels)))
        height = min(n, max(1, budget // (n_labels * width)))
        memory = torch.empty(height * n_labels * width, dtype=dtype, device=device)
        total = torch.zeros(m, dtype=torch.float64, device=device)
        for left in range(0, m, width):
            columns = slice(left, min(left + width, m))
            regression = coefficients[:, :, columns].flatten(1)
            for top in range(0, n, height):
                words = slice(top, min(top + height, n))
                shape = words.stop - top, n_labels, columns.stop - left
                logs = memory[: shape[0] * shape[1] * shape[2]].view(shape)
                torch.mul(x[words, None, columns], gain[:, columns], out=logs)
                logs.flatten(1).addmm_(seen[words], regression)
                torch.addcmul(offset[:, columns], logs, logs, value=-1, out=logs)
                logs.add_(base[words, :, None])
                own = logs[torch.arange(shape[0], device=device), labels[words]]
                largest = logs.amax(dim=1)
                own.sub_(largest).sub_(_sums(logs.sub_(largest[:, None])).log_())
                total[columns] += weight[words] @ own.double()
        return total.cpu().numpy()


def _sums(logs: torch.Tensor) -> torch.Tensor:
    """Return the sum over labels of exp(logs), whose largest is 0; logs (n, K, m) are used up.

    The exponentials take most of the time, and once some neurons are chosen most labels are out of
    the question for a word whatever the candidate: those are left out.
    """
    n, n_labels, m = logs.shape
    keep = logs.amax(dim=2) > _OUT[logs.dtype]
    rows = keep.flatten().nonzero()[:, 0]
    if len(rows) > 0.8 * n * n_labels:
        return logs.clamp_(min=_NOTHING).exp_().sum(dim=1)
    terms = logs.view(n * n_labels, m)[rows].clamp_(min=_NOTHING).exp_()
    return logs.new_zeros(n, m).index_add_(0, rows // n_labels, terms)


class LabelScatter:
    """Sums of products of one neuron with all others, each less the label's mean, label by label.

    Parameters
    ----------
    x : WordMatrix, shape (n, m)
        Training words.
    targets : numpy.ndarray of int, shape (n,)
        Labels; words with none of the K are left out.
    means : numpy.ndarray, shape (K, m)
        The labels' means.
    """

    def __init__(self, x: WordMatrix, targets: np.ndarray, means: np.ndarray):
        x, targets = known(x, targets, len(means))
        by_label = np.argsort(targets, kind="stable")
        self._x, self._targets = x.take(by_label), targets[by_label]
        self._means = means.astype(np.float32)
        small = 4 * x.shape[0] * x.shape[1] <= _HELD
        self._held = list(self._read()) if small else None

    def _read(self) -> Iterator[tuple[_Parts, np.ndarray]]:
        """Yield (label, start and stop of its words) of a block, and its centred words."""
        for rows, block in self._x.blocks():
            labels, starts = np.unique(self._targets[rows], return_index=True)
            stops = np.append(starts[1:], len(block))
            parts = list(zip(labels.tolist(), starts.tolist(), stops.tolist(), strict=True))
            for label, start, stop in parts:
                block[start:stop] -= self._means[label]
            yield parts, block

    def with_neuron(self, column: int) -> np.ndarray:
        """Return the sums for one neuron, float64, shape (K, m)."""
        total = np.zeros(self._means.shape)
        for parts, block in self._read() if self._held is None else self._held:
            for label, start, stop in parts:
                words = block[start:stop]
                total[label] += words[:, column] @ words
        return total
