"""Activations as a probe sees them: centred, and read in blocks.

Every pass of the solver goes through `Features.blocks`, so an array may be memory-mapped and larger
than memory. Centred blocks are kept as far as `CACHE` allows; the others are read again each time.
Centring costs nothing in the model (the intercept is not penalised and takes it up) and everything
in speed without it: raw activations have outlier neurons far from zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil
import torch

from tunescope.errors import InputError

_BLOCK_VALUES = 1 << 23
"""Values in one block: 32 MiB in float32. Smaller blocks are no faster; larger ones take memory."""

CACHE = 0.4
"""Share of the memory that is free, of the machine or of the GPU, in which blocks are kept. What is
kept and what is read again makes no difference to any number."""


class Features:
    """A matrix of activations, centred and, if asked for, scaled.

    Parameters
    ----------
    x : numpy.ndarray or WordMatrix, shape (n, d)
        One row per word; may be a memory map, of any float type.
    standardize : bool
        Scale every column to variance 1 as well.
    device : str
        Where blocks are put, in torch's words.
    cache : int, optional
        Bytes of blocks to keep; by `CACHE` when not given.

    Attributes
    ----------
    mean : torch.Tensor, shape (d,)
        Column means, in the working type.
    scale : torch.Tensor, shape (d,)
        What columns are divided by: their standard deviations if `standardize`, else ones. A
        constant column is not scaled.
    variance : torch.Tensor, shape (d,)
        Variance of the columns of the blocks.

    Raises
    ------
    InputError
        If a value is not finite.

    Notes
    -----
    The working type is float64 for float64 arrays and float32 for all others. Means and variances
    are summed in float64.
    """

    def __init__(
        self,
        x: Any,
        *,
        standardize: bool = False,
        device: str | torch.device = "cpu",
        cache: int | None = None,
    ):
        self._x = x
        self.n, self.d = x.shape
        self.device = torch.device(device)
        self.dtype = torch.float64 if x.dtype == np.float64 else torch.float32
        self._rows = max(256, _BLOCK_VALUES // max(self.d, 1))
        mean = sum(block.sum(axis=0, dtype=np.float64) for _, block in self._raw()) / self.n
        if not np.isfinite(mean).all():
            raise InputError(
                "activations hold values that are not finite: leave out words that are not valid"
            )
        variance = (
            sum(np.square(block - mean).sum(axis=0, dtype=np.float64) for _, block in self._raw())
            / self.n
        )
        # Rounding alone gives a constant column some variance; dividing by it would be noise.
        varies = variance > (1e-6 * np.abs(mean)) ** 2
        deviation = np.sqrt(np.where(varies, variance, 1.0))
        scale = deviation if standardize else np.ones(self.d)
        self.mean, self.scale = self._tensor(mean), self._tensor(scale)
        self.variance = self._tensor(np.where(varies, variance / scale**2, 0.0))
        self._scaled = bool((self.scale != 1).any())
        room = self._room() if cache is None else cache
        size = self._rows * self.d * self.mean.element_size()
        self._kept: list[torch.Tensor | None] = [None] * min(room // max(size, 1), len(self))

    def __len__(self) -> int:
        """Return the number of blocks."""
        return -(-self.n // self._rows)

    def _room(self) -> int:
        if self.device.type == "cuda":
            return int(CACHE * torch.cuda.mem_get_info(self.device)[0])
        return int(CACHE * psutil.virtual_memory().available)

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        if not values.flags.writeable:  # a read-only memory map, which torch does not take
            values = values.copy()
        return torch.from_numpy(values).to(self.device, self.dtype)

    def _raw(self) -> Iterator[tuple[slice, np.ndarray]]:
        for start in range(0, self.n, self._rows):
            rows = slice(start, min(start + self._rows, self.n))
            yield rows, self._x[rows]

    def block(self, number: int) -> tuple[slice, torch.Tensor]:
        """Return (rows, centred and scaled values of shape (len(rows), d)) of one block."""
        start = number * self._rows
        rows = slice(start, min(start + self._rows, self.n))
        kept = self._kept[number] if number < len(self._kept) else None
        if kept is None:
            kept = self._tensor(self._x[rows]) - self.mean
            kept = kept.div_(self.scale) if self._scaled else kept
            if number < len(self._kept):
                self._kept[number] = kept
        return rows, kept

    def blocks(self, most: int | None = None) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield (rows, centred and scaled values) in order, at most `most` rows at a time."""
        for number in range(len(self)):
            rows, values = self.block(number)
            size = most or len(values)
            for start in range(0, len(values), size):
                part = values[start : start + size]
                yield slice(rows.start + start, rows.start + start + len(part)), part

    def uncentred(self, weights: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Turn a solution on centred, scaled columns into one on the columns as given.

        Parameters
        ----------
        weights : torch.Tensor, shape (d + 1, n_classes)
            Coefficients, then one row of intercepts.

        Returns
        -------
        coefficients : numpy.ndarray, shape (n_classes, d)
        intercepts : numpy.ndarray, shape (n_classes,)
        """
        # Adding zero turns -0.0 into 0.0.
        coefficients = weights[:-1].double() / self.scale.double()[:, None] + 0.0
        intercepts = weights[-1].double() - self.mean.double() @ coefficients
        to_numpy = [t.to(self.dtype).cpu().numpy() for t in (coefficients.T, intercepts)]
        return np.ascontiguousarray(to_numpy[0]), to_numpy[1]
