"""The tree of merges that hierarchical clustering leaves; any number of clusters is one cut of it.

The merges are in SciPy's format, so that `scipy.cluster.hierarchy` and plotting tools read them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tunescope.errors import InputError
from tunescope.files import write_array


@dataclass(frozen=True, eq=False)
class Dendrogram:
    """A hierarchical clustering of points.

    Parameters
    ----------
    merges : numpy.ndarray of float64, shape (n_points - 1, 4)
        SciPy's linkage matrix: the two nodes merged (a number below n_points is a point, n_points
        + i the node made by row i), the height of the merge (for Ward: the square root of twice
        the increase of the within-cluster sum of squares), the number of points below it. Heights
        do not fall from row to row.
    leaders : numpy.ndarray of int64, shape (n_points,), optional
        The leader of each point, where only leaders were clustered (`leaders_ward`): their points
        are joined at height 0, and are not taken apart.

    Raises
    ------
    InputError
        If the array is not such a matrix.
    """

    merges: np.ndarray
    leaders: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.merges.ndim != 2 or self.merges.shape[1] != 4 or len(self.merges) == 0:
            raise InputError(f"a linkage matrix has shape (n - 1, 4), not {self.merges.shape}")
        if (np.diff(self.merges[:, 2]) < 0).any():
            raise InputError("the heights of a linkage matrix must not fall: sort the merges")

    @property
    def n_points(self) -> int:
        """Number of points clustered."""
        return len(self.merges) + 1

    def cut(self, k: int) -> np.ndarray:
        """Return the cluster of every point when the tree is cut into `k` clusters.

        Merges of equal height are undone in the reverse of their order, so there are always
        exactly `k` clusters. They are numbered by decreasing size, ties by their first point.

        Parameters
        ----------
        k : int
            Number of clusters, from 1 to `n_points`.

        Returns
        -------
        numpy.ndarray of int64, shape (n_points,)

        Raises
        ------
        InputError
            If there are fewer points, or leaders, than clusters asked for.
        """
        n = self.n_points
        n_leaders = n if self.leaders is None else int(self.leaders.max()) + 1
        if not 1 <= k <= n:
            raise InputError(
                f"n_clusters = {k} is not possible with {n:,} words: give 1 to {n:,}, or select "
                "more words (lower min_count, raise max_occurrences)"
            )
        if k > n_leaders:
            raise InputError(
                f"n_clusters = {k} is not possible with {n_leaders:,} leaders: raise n_leaders, or "
                "take method 'ward'"
            )
        done = n - k
        children = self.merges[:done, :2].astype(np.int64).ravel()
        parents = np.repeat(np.arange(n, n + done), 2)
        edges = coo_array((np.ones(2 * done, bool), (children, parents)), shape=(n + done,) * 2)
        _, found = connected_components(edges, directed=False)
        return number_by_size(found[:n])

    def save(self, path: Path) -> None:
        """Write the merges as one .npy file, atomically; leaders into `leaders.npy` beside it."""
        if self.leaders is not None:
            write_array(path.with_name("leaders.npy"), self.leaders)
        write_array(path, self.merges)

    @classmethod
    def load(cls, path: Path) -> Dendrogram:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is missing or no linkage matrix.
        """
        try:
            beside = path.with_name("leaders.npy")
            leaders = np.load(beside, allow_pickle=False) if beside.exists() else None
            return cls(np.load(path, allow_pickle=False), leaders)
        except (FileNotFoundError, ValueError) as error:
            raise InputError(f"{path} is no linkage matrix ({error}): cluster again") from None


def number_by_size(clusters: np.ndarray) -> np.ndarray:
    """Renumber clusters by decreasing size, ties by their first point.

    Parameters
    ----------
    clusters : numpy.ndarray of int, shape (n,)
        Any numbers.

    Returns
    -------
    numpy.ndarray of int64, shape (n,)
        Numbers from 0, without gaps.
    """
    _, first, inverse, sizes = np.unique(
        clusters, return_index=True, return_inverse=True, return_counts=True
    )
    new = np.empty(len(sizes), np.int64)
    new[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return new[inverse]
