"""How much of each concept one concept of another layer holds, also when chance deals the words.

Base with tuned over all pairs of layers at both levels, occurrences and types, with the null
distribution: the heavy part of the alignment function (Durrani et al. 2022, arXiv 2210.12696).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tunescope.concepts.alignment.kernels import (
    concepts_of_types,
    grouped,
    most_shared,
    most_shared_types,
)
from tunescope.concepts.clustering import Clustering

Level = Literal["occurrences", "types"]
LEVELS: tuple[Level, ...] = ("occurrences", "types")


def permuted_overlaps(
    sources: Sequence[Clustering], target: Clustering, orders: np.ndarray
) -> list[dict[Level, np.ndarray]]:
    """Return the largest share of each concept that one concept of `target` holds.

    Every word counts, and so does every cluster of `target`, also one with too few types. A draw
    deals the words of `target` to its clusters anew; the same draws are used for every source. The
    counting runs in one thread and keeps nothing between calls, so that shares do not depend on how
    many threads call it.

    Parameters
    ----------
    sources : sequence of Clustering
        Layers of one model.
    target : Clustering
        A layer of the other, over the same words.
    orders : numpy.ndarray of int32, shape (n_draws, n_words)
        Orders of the words under which `target` is dealt anew (`nulls.orders`).

    Returns
    -------
    list of dict
        For each source, by level, an array of float64, shape (1 + n_draws, n_concepts): the
        observed shares, then those of each draw.
    """
    n_target, types = len(target.sizes), target.types
    by_type = grouped(types, int(types.max()) + 1)
    tables = [source.held_types for source in sources]
    held_types = [(t.indptr.astype(np.int32), t.indices.astype(np.int32)) for t in tables]
    shape = 1 + len(orders)
    found: list[dict[Level, np.ndarray]] = [
        {level: np.empty((shape, len(source.sizes)), np.int32) for level in LEVELS}
        for source in sources
    ]
    labels = target.labels.astype(np.int32)
    for draw in range(shape):
        dealt = labels if draw == 0 else labels[orders[draw - 1]]
        held = concepts_of_types(*by_type, dealt, n_target)
        for source, own, out in zip(sources, held_types, found, strict=True):
            out["occurrences"][draw] = most_shared(*source.grouped, dealt, n_target)
            out["types"][draw] = most_shared_types(*own, *held, n_target)
    return [
        {level: most / source.measure(level) for level, most in out.items()}
        for source, out in zip(sources, found, strict=True)
    ]


def shared_counts(source: Clustering, target: Clustering, level: Level) -> np.ndarray:
    """Count what each pair of concepts shares, shape (n_source, n_target).

    Parameters
    ----------
    source, target : Clustering
        Two layers over the same words.
    level : {"occurrences", "types"}
        What is counted; a type is shared when both have it, in whatever occurrences.
    """
    if level == "types":
        return (source.held_types @ target.held_types.T).toarray()
    n = len(target.sizes)
    cells = source.labels * n + target.labels
    return np.bincount(cells, minlength=len(source.sizes) * n).reshape(-1, n)
