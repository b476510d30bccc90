"""Distances 1 - |r| of all pairs of neurons, r being Pearson's correlation over words.

Activations are read once, in blocks; the product of each with itself is added up in float64, as
strips of rows of one half of the matrix, which then become SciPy's condensed form. For d neurons
this takes 8 d^2 bytes, and two blocks.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError

STRIP = 256
"""Rows of a strip; it is freed whole."""

SAMPLE = 1024
"""Words looked at before the others, for a rough idea of means and spreads."""

BLOCK_ROWS = (2048, 8192)
"""Fewest and most words of one block: products within it are summed in the working type."""

BLOCK_VALUES = 1 << 24
"""Values in one block, if that is between these: 64 MiB in float32."""

_CONSTANT = 1e-6
"""Deviation, as a share of the mean, below which a neuron's variation is taken for rounding."""


def correlation_distances(
    x: WordMatrix | np.ndarray, *, absolute: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances 1 - |r| of all pairs of neurons.

    Parameters
    ----------
    x : WordMatrix or numpy.ndarray, shape (n, d)
        Activations. Products are made in float64 for float64 arrays and in float32 for all others;
        then r is right to about 1e-7.
    absolute : bool
        Return 1 - r if not.

    Returns
    -------
    distances : numpy.ndarray of float64, shape (d * (d - 1) / 2,)
        In the order of `scipy.spatial.distance.pdist`.
    constant : numpy.ndarray of bool, shape (d,)
        Neurons that do not vary; their distance to all others is 1.

    Raises
    ------
    InputError
        If there are no words, or an activation is not finite.
    """
    n, d = x.shape
    if not n or not d:
        raise InputError(f"no correlations of {d} neurons over {n} words: give some of both")
    kind = np.float64 if x.dtype == np.float64 else np.float32
    starts = range(0, d, STRIP)
    strips = [np.zeros((min(STRIP, d - a), d - a)) for a in starts]
    total = np.zeros(d)
    with np.errstate(invalid="ignore", over="ignore"):  # said below
        centre, unit = _rough_scale(x)
        for block in _blocks(x):
            centred = (block - centre).astype(kind, copy=False)
            centred *= unit.astype(kind)
            total += np.ones(len(centred), kind) @ centred
            # NumPy knows this product as symmetric and makes half of it.
            products = centred.T @ centred
            for a, strip in zip(starts, strips, strict=True):
                strip += products[a : a + STRIP, a:]
            del products
    if not np.isfinite(total).all():
        raise InputError(
            "activations hold values that are not finite: leave out words that are not valid"
        )
    drift = total / n
    squares = np.concatenate([strip.diagonal() for strip in strips]) - n * drift**2
    constant = squares <= n * (_CONSTANT * (centre * unit + drift)) ** 2
    scale = np.where(constant, 0.0, 1 / np.sqrt(np.where(constant, 1.0, squares)))

    out = np.empty(d * (d - 1) // 2)
    filled = 0
    for a in starts:
        r = strips.pop(0)  # its memory is free when the next one is turned into distances
        r -= np.outer(n * drift[a : a + STRIP], drift[a:])
        r *= scale[a : a + STRIP, None]
        r *= scale[None, a:]
        np.subtract(1, np.abs(r, out=r) if absolute else r, out=r)
        np.clip(r, 0, 2, out=r)
        for row, values in enumerate(r):
            right = values[row + 1 :]
            out[filled : filled + len(right)] = right
            filled += len(right)
    return out, constant


def _rough_scale(x: WordMatrix | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a point near the means, of the type of `x`, and powers of two near 1 / spread.

    They only keep digits: means are taken off exactly afterwards, and r has no scale. Without the
    second, products of neurons as small as 1e-30 (they exist) would vanish in float32.
    """
    sample = x[:: max(1, len(x) // SAMPLE)]
    centre = sample.mean(axis=0, dtype=np.float64).astype(sample.dtype)
    spread = np.abs(sample - centre).max(axis=0)
    exponent = np.frexp(np.where(np.isfinite(spread), spread, 1))[1]
    return centre, np.ldexp(1.0, -exponent.clip(-120, 120))


def _blocks(x: WordMatrix | np.ndarray) -> Iterator[np.ndarray]:
    n, d = x.shape
    fewest, most = BLOCK_ROWS
    rows = min(max(BLOCK_VALUES // d, fewest), most)
    for start in range(0, n, rows):
        yield x[start : start + rows]
