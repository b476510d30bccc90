"""Linear centred kernel alignment, from sums over words (Kornblith et al. 2019, arXiv 1905.00414).

CKA(X, Y) = HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) with K = XX' and L = YY' (n x n). The unbiased
HSIC (Song et al. 2012, JMLR 13; for CKA: Nguyen et al. 2021, arXiv 2010.15327) is, with
the diagonals of K and L set to zero,

    [tr(KL) + 1'K1 1'L1 / ((n-1)(n-2)) - 2/(n-2) 1'KL1] / (n (n-3)).

No n x n matrix is needed for it. With C = X'Y, s and t the column sums, a_i = |x_i|^2 and
b_i = |y_i|^2:

    tr(KL) = |C|^2 - sum a_i b_i
    1'K1   = |s|^2 - sum a_i
    1'KL1  = sum (x_i s - a_i)(y_i t - b_i) = s'Ct - s' sum b_i x_i - t' sum a_i y_i + sum a_i b_i

Additive shifts of x or y leave it as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from tunescope.errors import InputError, MismatchError
from tunescope.geometry.moments import PairMoments

Estimator = Literal["unbiased", "biased"]
BLOCK_ROWS = 4096


def hsic(moments: PairMoments, estimator: Estimator = "unbiased") -> float:
    """Hilbert-Schmidt independence criterion with linear kernels.

    Parameters
    ----------
    moments : PairMoments
        Of at least 4 words.
    estimator : {"unbiased", "biased"}
        Song et al. 2012, or tr(KHLH) / (n - 1)^2 of Gretton et al. 2005, which is above 0 for
        independent data, the more so the fewer words there are for the neurons.
    """
    m, n = moments, moments.n
    if estimator == "biased":
        return float(np.square(m.centred()).sum()) / (n - 1) ** 2
    trace = float(np.vdot(m.cross, m.cross)) - m.norms
    of_left = float(m.left @ m.left) - m.left_norm
    of_right = float(m.right @ m.right) - m.right_norm
    both = float(m.left @ m.cross @ m.right) + m.norms
    both -= float(m.left @ m.left_weighted) + float(m.right @ m.right_weighted)
    value = trace + of_left * of_right / ((n - 1) * (n - 2)) - 2 * both / (n - 2)
    return value / (n * (n - 3))


def alignment(between: float, left: float, right: float) -> float:
    """CKA from the HSIC of both layers, of the first alone and of the second alone.

    NaN where a layer does not vary.
    """
    if not (left > 0 and right > 0):
        return float("nan")
    return between / float(np.sqrt(left) * np.sqrt(right))


def chance(left: PairMoments, right: PairMoments, estimator: Estimator = "unbiased") -> float:
    """CKA to be expected when the words of one layer are paired with those of the other at random.

    Parameters
    ----------
    left, right : PairMoments
        Of each layer with itself.
    estimator : {"unbiased", "biased"}
        With the first it is 0. With the second it is tr K tr L / ((n-1) |K| |L|), K and L centred:
        the mean over all permutations.
    """
    if estimator == "unbiased":
        return 0.0
    between = left.scatter()[0] * right.scatter()[0] / (left.n - 1) ** 3
    return alignment(between, hsic(left, estimator), hsic(right, estimator))


def linear_cka(x: Any, y: Any, estimator: Estimator = "unbiased") -> float:
    """Linear CKA of two representations of the same words.

    Parameters
    ----------
    x, y : array-like, shape (n, d), (n, e)
        Arrays, or layers of a store: they are read in blocks. The widths may differ.
    estimator : {"unbiased", "biased"}
        The unbiased estimator is near 0 for independent data and may be below; the biased one
        lies in [0, 1].

    Returns
    -------
    float
        1 when one is the other turned, moved or scaled; NaN when one does not vary.

    Raises
    ------
    MismatchError
        If x and y differ in length.
    InputError
        If there are fewer than 4 words.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).normal(size=(2, 60, 300))
    >>> round(linear_cka(x, y, "biased"), 2), round(abs(linear_cka(x, y)), 2)
    (0.83, 0.04)
    """
    total = None
    for parts in paired_blocks(x, y):
        here = [PairMoments.of(*pair) for pair in pairs(*parts)]
        total = here if total is None else [a + b for a, b in zip(total, here, strict=True)]
    assert total is not None
    return alignment(*(hsic(moments, estimator) for moments in total))


def pairs(x: np.ndarray, y: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return the three pairs whose moments the measures need: both, x alone, y alone."""
    return (x, y), (x, x), (y, y)


def paired_blocks(x: Any, y: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield blocks of rows of two array-likes, moved near their means, float64.

    Raises
    ------
    MismatchError
        If x and y differ in length.
    InputError
        If there are fewer than 4 rows.
    """
    n = len(x)
    if len(y) != n:
        raise MismatchError(
            f"{n} words in one representation, {len(y)} in the other: give the same"
        )
    if n < 4:
        raise InputError(f"{n} words are too few to compare representations: give at least 4")
    starts = range(0, n, BLOCK_ROWS)
    shifts = [
        sum(layer[s : s + BLOCK_ROWS].sum(axis=0, dtype=np.float64) for s in starts) / n
        for layer in (x, y)
    ]
    for start in starts:
        part = slice(start, start + BLOCK_ROWS)
        yield x[part] - shifts[0], y[part] - shifts[1]
