"""Neurons that say the same: clusters of correlated neurons (Dalvi et al. 2020, section 5.1).

The distance of two neurons is 1 - |r|, r being Pearson's correlation of their activations over
words (arXiv 2004.04010); average linkage builds a tree from it, and a cut at 0.3 gives clusters of
which one neuron is kept. For d neurons about 8 d^2 bytes are held at most: the condensed distances
twice, as SciPy's linkage takes a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError, nearest
from tunescope.neurons.distances import correlation_distances
from tunescope.results import Result

if TYPE_CHECKING:
    import pandas as pd

Choice = Literal["medoid", "first", "random"]
Method = Literal["average", "complete", "single", "weighted"]


@dataclass(frozen=True, eq=False)
class CorrelationClusters(Result):
    """Clusters of correlated neurons, one neuron of each to stand for it.

    Parameters
    ----------
    labels : numpy.ndarray of int64, shape (d,)
        Cluster of each neuron, numbered from 0 in the order of their first neurons.
    representatives : numpy.ndarray of int64, shape (n_clusters,)
        The neuron that stands for each cluster.
    linkage : numpy.ndarray of float64, shape (d - 1, 4)
        The whole tree in SciPy's format; heights are distances.
    distances : numpy.ndarray of float64, shape (d * (d - 1) / 2,)
        Distances of all pairs, in the order of `scipy.spatial.distance.pdist`.
    constant : numpy.ndarray of bool, shape (d,)
        Neurons with the same activation for every word.
    distance : float
        Where the tree was cut.
    choose : {"medoid", "first", "random"}
        How representatives were chosen.
    layer_of, index_of : numpy.ndarray of int, shape (d,)
        Addresses of the neurons.
    """

    labels: np.ndarray
    representatives: np.ndarray
    linkage: np.ndarray
    distances: np.ndarray
    constant: np.ndarray
    distance: float
    choose: Choice
    layer_of: np.ndarray
    index_of: np.ndarray

    @property
    def n_clusters(self) -> int:
        """Number of clusters, and so of representatives."""
        return len(self.representatives)

    def cut(
        self, distance: float, *, choose: Choice | None = None, seed: int = 0
    ) -> CorrelationClusters:
        """Cut the same tree elsewhere, or choose other representatives.

        Parameters
        ----------
        distance : float
            As for `correlation_clusters`.
        choose : {"medoid", "first", "random"}, optional
            As for `correlation_clusters`; as before when not given.
        seed : int
            Of the choice "random".
        """
        choose = self.choose if choose is None else choose
        _check(distance, choose)
        labels = _cut(self.linkage, distance)
        chosen = _representatives(labels, self.distances, choose, seed)
        return replace(
            self, labels=labels, representatives=chosen, distance=distance, choose=choose
        )

    def headline(self) -> str:
        """Return how many clusters there are of how many neurons."""
        return f"{self.n_clusters:,} clusters of {len(self.labels):,} neurons at {self.distance:g}"

    def table(self) -> pd.DataFrame:
        """Return one row per neuron: layer, index, cluster, kept, constant."""
        import pandas as pd

        kept = np.zeros(len(self.labels), bool)
        kept[self.representatives] = True
        return pd.DataFrame(
            {"layer": self.layer_of, "index": self.index_of, "cluster": self.labels,
             "kept": kept, "constant": self.constant}
        )  # fmt: skip


def correlation_clusters(
    x: WordMatrix | np.ndarray,
    *,
    distance: float = 0.3,
    choose: Choice = "medoid",
    absolute: bool = True,
    method: Method = "average",
    seed: int = 0,
) -> CorrelationClusters:
    """Cluster neurons by their correlation over words and choose one of each cluster.

    Parameters
    ----------
    x : WordMatrix or numpy.ndarray, shape (n, d)
        Activations of training words.
    distance : float
        Clusters whose distance is at most this are merged.
    choose : {"medoid", "first", "random"}
        The neuron with the smallest mean distance to the others of its cluster (ties, as in every
        cluster of two: the first), the first one, or one drawn at random (the paper).
    absolute : bool
        Distance `1 - |r|`; otherwise 1 - r, where opposite neurons are as far apart as can be.
    method : {"average", "complete", "single", "weighted"}
        Distance of clusters, as in SciPy; the paper's is "average".
    seed : int
        Of the choice "random".

    Returns
    -------
    CorrelationClusters

    Raises
    ------
    InputError
        If there are no words, an activation is not finite, or a parameter is none of its values.

    Notes
    -----
    The correlation with a constant neuron is undefined. It is taken as 0, also between two of them,
    so that with distances below 1 a constant neuron is a cluster of its own.
    """
    from scipy.cluster import hierarchy

    _check(distance, choose)
    if method not in get_args(Method):
        raise InputError(f"method = {method!r}: {nearest(str(method), get_args(Method))}")
    distances, constant = correlation_distances(x, absolute=absolute)
    d = x.shape[1]
    linkage = hierarchy.linkage(distances, method) if d > 1 else np.empty((0, 4))
    labels = _cut(linkage, distance)
    whole = isinstance(x, WordMatrix)
    return CorrelationClusters(
        labels, _representatives(labels, distances, choose, seed), linkage, distances, constant,
        distance, choose, x.layer_of if whole else np.zeros(d, int),
        x.index_of if whole else np.arange(d),
    )  # fmt: skip


def _check(distance: float, choose: str) -> None:
    if not 0 <= distance <= 2:
        raise InputError(f"distance = {distance!r}: correlation distances lie between 0 and 2")
    if choose not in get_args(Choice):
        raise InputError(f"choose = {choose!r}: {nearest(str(choose), get_args(Choice))}")


def _cut(linkage: np.ndarray, distance: float) -> np.ndarray:
    """Return clusters numbered from 0 by their first neuron."""
    from scipy.cluster import hierarchy

    if not len(linkage):
        return np.zeros(1, np.int64)
    found = hierarchy.fcluster(linkage, distance, "distance")
    _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _representatives(
    labels: np.ndarray, distances: np.ndarray, choose: Choice, seed: int
) -> np.ndarray:
    """Return one neuron of each cluster, in the order of the clusters."""
    order = np.argsort(labels, kind="stable")
    rng = np.random.default_rng(seed)
    chosen = []
    for members in np.split(order, np.cumsum(np.bincount(labels))[:-1]):
        if choose == "random":
            chosen.append(rng.choice(members))
        elif choose == "first":
            chosen.append(members[0])
        else:
            chosen.append(members[_medoid(distances, members, len(labels))])
    return np.array(chosen, np.int64)


def _medoid(distances: np.ndarray, members: np.ndarray, d: int) -> int:
    """Return the place in `members` (ascending) of the one nearest to all others."""
    total = np.zeros(len(members))
    for place, i in enumerate(members[:-1]):
        later = members[place + 1 :]
        row = distances[i * d - i * (i + 1) // 2 + later - i - 1]
        total[place] += row.sum()
        total[place + 1 :] += row
    # Rounding must not decide between neurons that are equal but for it.
    return int(np.argmin(np.round(total / len(members), 6)))
