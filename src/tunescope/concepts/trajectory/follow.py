"""When during tuning a concept was lost, born or polarised: one layer at all checkpoints.

A *point* is a model on the way: 0 is the base, the last is the tuned model. A concept is *there* at
a point when one concept of the point holds at least theta of its occurrences (the alignment
function of Durrani et al. 2022, arXiv 2210.12696; following it over checkpoints is ours).

- A base concept is **lost** at the first point from which on it is never there again.
- A tuned concept that is not there in the base is **born** at the first point from which on it is
  always there.
- A concept is **polarised** from the first point on at which, and at all later ones, theta of its
  occurrences are in concepts polarised towards one class, the same as at the end. These may be
  several: in high layers the borders between polarised concepts move long after they are polarised.

So all three are for good: what comes and goes is counted under `returns` and moves no date.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunescope.concepts.alignment.labels import Majorities
from tunescope.concepts.alignment.models import match
from tunescope.concepts.clustering import Clustering

NEVER = -1
"""A point that there is not."""


@dataclass(frozen=True, eq=False)
class Path:
    """Where the concepts of one clustering are at every point.

    Parameters
    ----------
    best : numpy.ndarray of int64, shape (n_points, n_concepts)
        The concept of each point that holds most of each concept.
    share : numpy.ndarray of float64, shape (n_points, n_concepts)
        The share of its occurrences that it holds.
    """

    best: np.ndarray
    share: np.ndarray

    def there(self, theta: float) -> np.ndarray:
        """Whether each concept is there at each point, bool, shape (n_points, n_concepts)."""
        return self.share >= theta


def follow(concepts: Clustering, points: Sequence[Clustering]) -> Path:
    """Look for concepts at every point.

    Parameters
    ----------
    concepts : Clustering
        The concepts looked for.
    points : sequence of Clustering
        The same layer at all points, over the same words.

    Returns
    -------
    Path
    """
    found = [match(concepts.labels, point.labels) for point in points]
    return Path(np.array([m.best for m in found]), np.array([m.overlap for m in found]))


def from_when(there: np.ndarray) -> np.ndarray:
    """Return the first point from which on each thing is there at every point.

    Parameters
    ----------
    there : numpy.ndarray of bool, shape (n_points, n)
        What is there at which point.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
        `NEVER` for what is not there at the last point.
    """
    gone = ~there[::-1]
    run = np.where(gone.any(axis=0), gone.argmax(axis=0), len(there))
    return np.where(run > 0, len(there) - run, NEVER)


def lost_when(there: np.ndarray) -> np.ndarray:
    """Return the first point from which on each thing is never there; `NEVER` where it stays."""
    return from_when(~there)


def count_returns(there: np.ndarray) -> np.ndarray:
    """Count for each thing how often it is there again after it was not, int64, shape (n,)."""
    gone_before = np.logical_and(~there[:-1], np.logical_or.accumulate(there, axis=0)[:-1])
    return (gone_before & there[1:]).sum(axis=0)


def polarised_when(
    concepts: Clustering,
    points: Sequence[Clustering],
    majorities: Sequence[Majorities],
    theta: float,
) -> np.ndarray:
    """Return from which point on each concept is polarised, towards its class at the end.

    Parameters
    ----------
    concepts : Clustering
        The concepts to date.
    points : sequence of Clustering
        The same layer at all points, over the same words.
    majorities : sequence of Majorities
        The class most of each concept of each point carries, and which are polarised.
    theta : float
        Smallest share of a concept that has to be in concepts polarised towards the class.

    Returns
    -------
    numpy.ndarray of int64, shape (n_concepts,)
        `NEVER` for those that are not polarised at the last point.
    """
    towards = [
        np.where(found.aligned, found.best, NEVER)[point.labels]
        for point, found in zip(points, majorities, strict=True)
    ]
    n_classes = 1 + max(int(of_words.max()) for of_words in towards)
    n = len(concepts.sizes)
    if n_classes == 0:
        return np.full(n, NEVER)
    counts = np.array(
        [
            np.bincount((concepts.labels * n_classes + t)[t >= 0], minlength=n * n_classes)
            for t in towards
        ]
    ).reshape(-1, n, n_classes)
    polarised = counts / concepts.sizes[:, None] >= theta
    at_end = counts[-1].argmax(axis=1)
    return from_when(polarised[:, np.arange(n), at_end])
