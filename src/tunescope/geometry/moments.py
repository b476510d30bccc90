"""Sums over words from which CKA and Procrustes distance follow: O(d^2) numbers, any many words.

Moments of disjoint sets of words add, and those of a part can be taken away again: the jackknife
leaves groups of words out without reading anything twice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, eq=False)
class PairMoments:
    """What is to be known of words x_i in one layer and y_i in another; float64.

    Shifting x or y changes none of the measures, and shifting both near their means first keeps
    rounding small.

    Parameters
    ----------
    n : int
        Words.
    cross : numpy.ndarray, shape (d, e)
        Sum of x_i y_i'.
    left, right : numpy.ndarray, shape (d,), (e,)
        Sums of x_i and of y_i.
    left_norm, right_norm : float
        Sums of |x_i|^2 and of |y_i|^2.
    norms : float
        Sum of |x_i|^2 |y_i|^2.
    left_weighted, right_weighted : numpy.ndarray, shape (d,), (e,)
        Sums of |y_i|^2 x_i and of |x_i|^2 y_i.
    """

    n: int
    cross: np.ndarray
    left: np.ndarray
    right: np.ndarray
    left_norm: float
    right_norm: float
    norms: float
    left_weighted: np.ndarray
    right_weighted: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> PairMoments:
        """Sum over the words of a block, x of shape (n, d) and y of shape (n, e).

        Products are in float64. Where y is x itself, half of them are saved.
        """
        same = y is x
        x = x.astype(np.float64, copy=False)
        y = x if same else y.astype(np.float64, copy=False)
        a = np.einsum("ij,ij->i", x, x)
        b = a if same else np.einsum("ij,ij->i", y, y)
        return cls(
            len(x), x.T @ y, x.sum(axis=0), y.sum(axis=0), float(a.sum()), float(b.sum()),
            float(a @ b), b @ x, a @ y,
        )  # fmt: skip

    def __add__(self, other: PairMoments) -> PairMoments:
        """Moments of the words of both."""
        return PairMoments(*(getattr(self, f) + getattr(other, f) for f in _FIELDS))

    def __sub__(self, other: PairMoments) -> PairMoments:
        """Moments without the words of `other`, which must be among them."""
        return PairMoments(*(getattr(self, f) - getattr(other, f) for f in _FIELDS))

    def centred(self) -> np.ndarray:
        """Return the sum of (x_i - mean)(y_i - mean)', shape (d, e)."""
        return self.cross - np.outer(self.left, self.right / self.n)

    def scatter(self) -> tuple[float, float]:
        """Return the sums of |x_i - mean|^2 and of |y_i - mean|^2."""
        left = self.left_norm - float(self.left @ self.left) / self.n
        right = self.right_norm - float(self.right @ self.right) / self.n
        return left, right


_FIELDS = tuple(field.name for field in fields(PairMoments))
