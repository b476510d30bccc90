"""The points to cluster: checked, in float64, scaled by a power of two, duplicates found."""

from __future__ import annotations

from typing import Any

import numpy as np

from tunescope.compiled import njit
from tunescope.errors import InputError

BLOCK = 8192


def read_points(X: Any, where: str) -> tuple[np.ndarray, float]:
    """Return the points in float64 and the factor that undoes their scaling.

    Parameters
    ----------
    X : array-like, shape (n, d)
        Numbers; may be memory-mapped.
    where : str
        What the points are, for error messages.

    Returns
    -------
    points : numpy.ndarray of float64, shape (n, d)
        The points times a power of two (which is exact), their largest coordinate at most 1.
    scale : float
        Multiply distances by this.

    Raises
    ------
    InputError
        If it is not a matrix of finite real numbers with at least one row and column.
    """
    X = X if isinstance(X, np.ndarray) else np.asarray(X)
    if X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "fiub":
        raise InputError(
            f"{where}: a matrix of real numbers is needed (points by neurons, none of them 0), "
            f"not {X.dtype} of shape {X.shape}"
        )
    points = np.empty(X.shape)
    largest = 0.0
    for first in range(0, len(X), BLOCK):
        part = points[first : first + BLOCK]
        part[:] = X[first : first + BLOCK]
        part += 0.0  # no negative zeros: equal rows have equal bytes
        broken = np.flatnonzero(~np.isfinite(part).all(axis=1))
        if len(broken):
            raise InputError(
                f"{where}: row {first + broken[0]} has values that are not finite (NaN or inf): "
                "leave such points out"
            )
        largest = max(largest, np.abs(part).max())
    exponent = int(np.frexp(largest)[1])
    for first in range(0, len(X), BLOCK):
        part = points[first : first + BLOCK]
        np.ldexp(part, -exponent, out=part)
    return points, float(np.ldexp(1.0, exponent))


def read_weights(weights: Any, n: int, where: str) -> np.ndarray:
    """Return weights as int64, shape (n,).

    Raises
    ------
    InputError
        If they are not whole numbers from 1, one for each of the n points.
    """
    found = np.asarray(weights)
    if found.shape != (n,) or found.dtype.kind not in "iu" or found.min() < 1:
        raise InputError(
            f"{where}: weights must be whole numbers from 1, one for each of {n:,} points, not "
            f"{found.dtype} of shape {found.shape}"
        )
    return np.ascontiguousarray(found, np.int64)


def duplicates(points: np.ndarray) -> np.ndarray:
    """Return, for each row, the first row that is equal to it, int64, shape (n,)."""
    hashes = hash_rows(points.view(np.uint64))
    order = np.argsort(hashes, kind="stable")
    return first_equal(points, hashes, order)


@njit(cache=True)
def hash_rows(bits):  # pragma: no cover - compiled
    """Hash the bits of each row (FNV-1a on words of 64 bits, shifted)."""
    hashes = np.empty(bits.shape[0], np.uint64)
    for i in range(bits.shape[0]):
        value = np.uint64(14695981039346656037)
        for axis in range(bits.shape[1]):
            value = (value ^ bits[i, axis]) * np.uint64(1099511628211)
            value ^= value >> np.uint64(29)
        hashes[i] = value
    return hashes


@njit(cache=True)
def first_equal(points, hashes, order):  # pragma: no cover - compiled
    """Compare rows of equal hash with the first of them."""
    first = np.arange(len(order))
    leader = order[0]
    for position in range(1, len(order)):
        i = order[position]
        if hashes[i] != hashes[leader]:
            leader = i
            continue
        same = True
        for axis in range(points.shape[1]):
            same = same and points[i, axis] == points[leader, axis]
        if same:
            first[i] = leader
    return first
