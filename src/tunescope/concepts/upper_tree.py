"""The upper part of a dendrogram, numbered from the root down, so that every cut is a prefix.

Node 0 is the root, and node i the i-th to last merge: cutting the tree into k clusters opens the
nodes 0 to k - 2, and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunescope.concepts.dendrogram import Dendrogram


@dataclass(frozen=True, eq=False)
class UpperTree:
    """The last merges of a dendrogram, down to `n_leaves` clusters.

    Parameters
    ----------
    children : numpy.ndarray of int64, shape (2 * n_leaves - 1, 2)
        The two nodes that each node opens into; -1 for the leaves, which come last. The larger
        one first.
    parent : numpy.ndarray of int64, shape (2 * n_leaves - 1,)
        -1 for the root.
    height : numpy.ndarray of float64, shape (2 * n_leaves - 1,)
        Of the merge that made each node; 0 for a single word.
    size : numpy.ndarray of int64, shape (2 * n_leaves - 1,)
        Points below each node.
    point : numpy.ndarray of int64, shape (2 * n_leaves - 1,)
        One point below each node.
    first, last : numpy.ndarray of int64, shape (2 * n_leaves - 1,)
        The leaves below each node lie at positions `first` to `last` - 1 from top to bottom.
    position : numpy.ndarray of int64, shape (n_points,)
        Position of the leaf that each point is in.
    """

    children: np.ndarray
    parent: np.ndarray
    height: np.ndarray
    size: np.ndarray
    point: np.ndarray
    first: np.ndarray
    last: np.ndarray
    position: np.ndarray

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return (len(self.parent) + 1) // 2

    def clusters(self, k: int) -> np.ndarray:
        """Return the nodes that are the clusters of the cut into `k`.

        Parameters
        ----------
        k : int
            Number of clusters, from 1 to `n_leaves`.

        Returns
        -------
        numpy.ndarray of int64, shape (k,)
            In the order of the nodes.
        """
        nodes = np.arange(len(self.parent))
        return nodes[(nodes >= k - 1) & (self.parent < k - 1)]


def upper_tree(dendrogram: Dendrogram, n_leaves: int) -> UpperTree:
    """Return the upper part of a dendrogram.

    Parameters
    ----------
    dendrogram : Dendrogram
        The merges of one layer.
    n_leaves : int
        Number of clusters to go down to; no more than there are points, or leaders.

    Returns
    -------
    UpperTree

    Raises
    ------
    InputError
        If there are fewer points or leaders.

    Examples
    --------
    >>> import numpy as np
    >>> from tunescope.concepts.cluster import cluster
    >>> tree = upper_tree(cluster(np.array([[0.0], [0.2], [1.0], [1.1], [9.0]])), 3)
    >>> tree.children.tolist(), tree.size.tolist()
    ([[1, 2], [3, 4], [-1, -1], [-1, -1], [-1, -1]], [5, 4, 1, 2, 2])
    >>> tree.clusters(2).tolist()
    [1, 2]
    """
    clusters = dendrogram.cut(n_leaves)
    n, merges = dendrogram.n_points, dendrogram.merges
    below, m = merges[:, :2].astype(np.int64), n_leaves - 1
    number = {2 * n - 2 - i: i for i in range(m)}  # of SciPy's nodes, ours
    children = np.full((2 * n_leaves - 1, 2), -1, np.int64)
    parent = np.full(2 * n_leaves - 1, -1, np.int64)
    scipy_node = np.empty(2 * n_leaves - 1, np.int64)
    scipy_node[0] = 2 * n - 2
    for node in range(m):
        scipy_node[node] = 2 * n - 2 - node
        for side, child in enumerate(below[n - 2 - node].tolist()):
            own = number.setdefault(child, len(number))
            scipy_node[own], children[node, side], parent[own] = child, own, node
    made = np.maximum(scipy_node - n, 0)
    single = scipy_node < n
    height = np.where(single, 0.0, merges[made, 2])
    size = np.where(single, 1, merges[made, 3].astype(np.int64))
    swap = size[children[:m, 1]] > size[children[:m, 0]]
    children[:m][swap] = children[:m][swap][:, ::-1]
    point = scipy_node.copy()
    while (inner := point >= n).any():
        point[inner] = below[point[inner] - n, 0]
    first, last = _positions(children, m)
    at = np.empty(n_leaves, np.int64)
    at[clusters[point[m:]]] = first[m:]
    return UpperTree(children, parent, height, size, point, first, last, at[clusters])


def _positions(children: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first leaf below each node, from top to bottom, and the one after the last."""
    leaves = np.ones(len(children), np.int64)
    for node in range(m - 1, -1, -1):  # children have higher numbers
        leaves[node] = leaves[children[node]].sum()
    first = np.zeros(len(children), np.int64)
    for node in range(m):
        upper, lower = children[node]
        first[upper] = first[node]
        first[lower] = first[node] + leaves[upper]
    return first, first + leaves
