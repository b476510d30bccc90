"""Activations as a probe sees them: centred, read in blocks, never copied whole.

Every pass of the solver goes through `Features.blocks`, so an array may be memory-mapped and larger
than memory. Centring costs nothing in the model (the intercept is not penalised and takes it up)
and everything in speed without it: raw activations have outlier neurons far from zero.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from tunescope.errors import InputError

_BLOCK_VALUES = 1 << 23
"""Values in one block: 32 MiB in float32. Smaller blocks are no faster; larger ones take memory."""


class Features:
    """A matrix of activations, centred and, if asked for, scaled.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, d)
        One row per word; may be a memory map, of any float type.
    standardize : bool
        Scale every column to variance 1 as well.
    device : str
        Where blocks are put, in torch's words.

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

    def __init__(self, x: np.ndarray, *, standardize: bool = False, device: str = "cpu"):
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

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        if not values.flags.writeable:  # a read-only memory map, which torch does not take
            values = values.copy()
        return torch.from_numpy(values).to(self.device, self.dtype)

    def _raw(self) -> Iterator[tuple[slice, np.ndarray]]:
        for start in range(0, self.n, self._rows):
            rows = slice(start, min(start + self._rows, self.n))
            yield rows, self._x[rows]

    def blocks(self) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield (rows, centred and scaled values of shape (len(rows), d)), in order."""
        scaled = bool((self.scale != 1).any())
        for rows, block in self._raw():
            values = self._tensor(block) - self.mean
            yield rows, values.div_(self.scale) if scaled else values

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
