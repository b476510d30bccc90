"""What became of a concept, where the overlaps of occurrences say it exactly.

Retained, lost, born and survived ask one question in one direction. With both directions more can
be said. Of a concept A of one model and the concepts B of the other, at threshold theta:

- B *holds* A when at least theta of A's occurrences are in B;
- A is **kept** when some B holds A and A holds B: the same concept, but for 1 - theta;
- A is **merged** when B holds A and at least one more concept, those that B holds make up at least
  theta of B, and B is none of them kept;
- A is **absorbed** when B holds A and is neither: B is larger, and the rest is from elsewhere, or B
  has too few types to be a concept;
- A is **split** when no B holds A, and A holds at least two that make up at least theta of A;
- otherwise A has **vanished**.

The same relations seen from the tuned model: kept, **split** (with others it makes up a base
concept), **carved** (part of a base concept whose rest went elsewhere), **merged** (made up of base
concepts), **new**. Parts, and what they make up, count only with enough types to be concepts. For
theta above 1/2 no concept is held by two, and both views agree: a base concept is split exactly
when some tuned concepts are split from it, and base concepts are merged exactly when a tuned one
is.
"""

from __future__ import annotations

import numpy as np

from tunescope.concepts.alignment.overlaps import shared_counts
from tunescope.concepts.clustering import Clustering

CHANGES = {
    "base": ("kept", "merged", "absorbed", "split", "vanished"),
    "tuned": ("kept", "split", "carved", "merged", "new"),
}
"""By role: one to one, held with others, held, made up of others, none of these."""


def changes(here: Clustering, other: Clustering, theta: float) -> np.ndarray:
    """Say for each concept what became of it, or what it came from.

    Parameters
    ----------
    here, other : Clustering
        Layers of two models, over the same words.
    theta : float
        Smallest share, of occurrences, that holds and that makes up.

    Returns
    -------
    numpy.ndarray of object, shape (n_concepts,)
        Values of `CHANGES[here.role]`; "" for concepts with too few types to count.
    """
    shared = shared_counts(here, other, "occurrences")
    held = shared / here.sizes[:, None] >= theta
    holds = shared / other.sizes >= theta
    mutual = held & holds
    parts = holds & other.counts
    made_up = _made_up(shared, parts, here.sizes, theta)
    wholes = _made_up(shared.T, (held & here.counts[:, None]).T, other.sizes, theta)
    wholes &= other.counts & ~mutual.any(axis=0)
    together = (held & wholes).any(axis=1)

    one, joined, part, many, none = CHANGES[here.role]
    found = np.select(
        [mutual.any(axis=1), together, held.any(axis=1), made_up], [one, joined, part, many], none
    )
    return np.where(here.counts, found, "").astype(object)


def _made_up(shared: np.ndarray, parts: np.ndarray, sizes: np.ndarray, theta: float) -> np.ndarray:
    """Which concepts (rows) at least two parts (columns) make up to theta."""
    covered = np.where(parts, shared, 0).sum(axis=1) / sizes
    return (parts.sum(axis=1) >= 2) & (covered >= theta)
