"""Orthogonal Procrustes distance (Schoenemann 1966; Ding et al. 2021, arXiv 2108.01661).

Both layers are centred and scaled to Frobenius norm 1; one is then turned (and mirrored) to lie as
near to the other as it can: min over orthogonal Q of |X - YQ|^2 = 2 - 2 |X'Y|_*, where |.|_* is the
sum of singular values. It lies in [0, 2]; 0 is alike up to turning, moving and scaling. This is the
squared distance, as in Ding et al.

Layers of different width are compared as if the narrower one had further neurons that are always
zero. The fewer words there are for the neurons, the nearer even random layers can be turned to each
other: compare distances over equally many words, and look at what random pairs of words give.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tunescope.geometry.cka import paired_blocks
from tunescope.geometry.moments import PairMoments


def procrustes(moments: PairMoments) -> float:
    """Distance from the moments of a pair of layers; NaN where a layer does not vary."""
    left, right = moments.scatter()
    if not (left > 0 and right > 0):
        return float("nan")
    return distance(moments.centred(), left, right)


def distance(centred: np.ndarray, left: float, right: float) -> float:
    """Distance from X'Y of centred layers, shape (d, e), and their squared Frobenius norms."""
    # Scaled before the decomposition, so that its rounding is relative to 1.
    nuclear = np.linalg.svd(centred / np.sqrt(left) / np.sqrt(right), compute_uv=False).sum()
    return float(np.clip(2 - 2 * nuclear, 0, 2))


def procrustes_distance(x: Any, y: Any) -> float:
    """Orthogonal Procrustes distance of two representations of the same words.

    Parameters
    ----------
    x, y : array-like, shape (n, d), (n, e)
        Arrays, or layers of a store: they are read in blocks.

    Returns
    -------
    float
        Squared, from 0 (alike up to turning, moving and scaling) to 2.

    Raises
    ------
    MismatchError
        If x and y differ in length.
    InputError
        If there are fewer than 4 words.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(100, 3))
    >>> turned = 5 * x[:, [2, 0, 1]] + 1
    >>> round(procrustes_distance(x, turned), 6)
    0.0
    """
    blocks = paired_blocks(x, y)
    total = PairMoments.of(*next(blocks))
    for block in blocks:
        total = total + PairMoments.of(*block)
    return procrustes(total)
