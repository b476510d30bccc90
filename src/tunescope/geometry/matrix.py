"""CKA of layers with layers: every pair that is asked for, from few passes over the activations.

Pairs are cut into square tiles of layers, as many as the sums of a tile have room; a tile reads its
layers once. Products are in float32 and added up in float64, block by block: on centred vectors of
all words this is good to about 1e-6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from tunescope.geometry.cka import Estimator, hsic
from tunescope.geometry.layers import LayerWords, parts
from tunescope.geometry.moments import PairMoments

TILE_BYTES = 1 << 29
BLOCK_VALUES = 1 << 21
"""Values of one layer in one block: 8 MiB in float32."""

Pair = tuple[int, int]


def tiles(
    pairs: Iterable[Pair], widths: Sequence[int], budget: int = TILE_BYTES
) -> list[list[Pair]]:
    """Cut pairs of layers into tiles whose sums, one float64 matrix for each pair, fit `budget`.

    Parameters
    ----------
    pairs : iterable of (int, int)
        Places of layers.
    widths : sequence of int
        Neurons of each layer.
    budget : int
        Bytes; at least one pair makes a tile.
    """
    side = max(1, int(np.sqrt(budget / 8) / max(widths)))
    found: dict[Pair, list[Pair]] = {}
    for left, right in sorted(set(pairs)):
        found.setdefault((left // side, right // side), []).append((left, right))
    return list(found.values())


def pair_hsic(
    layers: Sequence[LayerWords], pairs: Sequence[Pair], estimator: Estimator = "unbiased"
) -> list[float]:
    """Return the HSIC of each pair of layers, reading every layer once.

    Parameters
    ----------
    layers : sequence of LayerWords
        Of the same words; they may differ in width.
    pairs : sequence of (int, int)
        Places of layers; one tile.
    estimator : {"unbiased", "biased"}
        See `cka.hsic`.
    """
    used = sorted({place for pair in pairs for place in pair})
    at = {place: number for number, place in enumerate(used)}
    widths = [layers[place].shape[1] for place in used]
    n = len(layers[used[0]])
    cross = [np.zeros((layers[i].shape[1], layers[j].shape[1])) for i, j in pairs]
    sums = [np.zeros(width) for width in widths]
    weighted = [np.zeros((width, len(used))) for width in widths]
    total, products = np.zeros(len(used)), np.zeros((len(used), len(used)))
    lefts = {i for i, _ in pairs}
    by_right = {j: [p for p, pair in enumerate(pairs) if pair[1] == j] for j in used}
    size = int(np.clip(BLOCK_VALUES // max(widths), 512, 8192))
    for part in parts(0, n, size):
        held = {place: layers[place][part] for place in used if place in lefts}
        norms = np.empty((part.stop - part.start, len(used)))
        for place in used:
            x = held[place] if place in held else layers[place][part]
            norms[:, at[place]] = np.einsum("ij,ij->i", x, x, dtype=np.float64)
            sums[at[place]] += x.sum(axis=0, dtype=np.float64)
            for p in by_right[place]:
                cross[p] += held[pairs[p][0]].T @ x
            if place not in held:  # as a right side only: seen again for its weighted sums
                held[place] = x
        narrow = norms.astype(np.float32)
        for place in used:
            weighted[at[place]] += held[place].T @ narrow
        total += norms.sum(axis=0)
        products += norms.T @ norms
    found = []
    for (i, j), matrix in zip(pairs, cross, strict=True):
        a, b = at[i], at[j]
        moments = PairMoments(
            n, matrix, sums[a], sums[b], total[a], total[b], products[a, b],
            weighted[a][:, b], weighted[b][:, a],
        )  # fmt: skip
        found.append(hsic(moments, estimator))
    return found
