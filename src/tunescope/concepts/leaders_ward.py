"""Ward linkage of leaders: a tree over all points whose lowest merges are left undecided.

Hawasly et al. (EACL 2024, arXiv 2308.10263) reduce the points to leaders, cluster the means of
their followers, and let followers go where their leader goes. In the paper's code each leader
counts once; weighted by its followers, the merges are those Ward linkage would make of the points
from there on, and the sum of squares comes out close to that of Ward linkage on all points.
"""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.leaders import Leaders, find_leaders
from tunescope.concepts.linkage.points import read_points
from tunescope.concepts.linkage.tree import linkage_matrix
from tunescope.concepts.linkage.ward import ward
from tunescope.errors import InputError

WEIGHTS = ("followers", "equal")


def leaders_ward(
    X: np.ndarray,
    n_leaders: int = 20_000,
    *,
    weigh: bool = True,
    checkpoint: Path | None = None,
    where: str = "X",
) -> tuple[Dendrogram, Leaders]:
    """Reduce points to leaders and cluster those by exact Ward linkage.

    Parameters
    ----------
    X : numpy.ndarray, shape (n_points, d)
        At least two points.
    n_leaders : int
        The most leaders. With no more different points than this the tree is that of Ward linkage.
    weigh : bool
        Whether leaders weigh as much as they have followers, or each the same.
    checkpoint : Path, optional
        Folder from which a killed run goes on with Ward linkage; leaders are found again.
    where : str
        What the points are, for error messages.

    Returns
    -------
    tree : Dendrogram
        Over all points. Those of one leader are joined at height 0; above that there are the
        leaders' merges. It is cut into at most as many clusters as there are leaders, unless every
        different point leads: then it is the tree of Ward linkage.
    leaders : Leaders
        Who leads, with tau in the unit of X.

    Raises
    ------
    InputError
        If X is no matrix of finite numbers, or memory does not suffice.
    """
    points, scale = read_points(X, where)
    leaders = find_leaders(points, n_leaders)
    followers = np.bincount(leaders.followed)
    if leaders.tau > 0:
        n = len(points)
        table = csr_array((np.ones(n), (leaders.followed, np.arange(n))))
        means = (table @ points) / followers[:, None]
    else:
        means = points[leaders.rows]
    del points
    merges = ward(
        means,
        weights=followers if weigh else None,
        checkpoint=checkpoint,
        progress=False,
        where=where,
    )
    merges = _with_followers(merges, leaders, scale)
    tree = Dendrogram(merges, leaders.followed if leaders.tau > 0 else None)
    return tree, replace(leaders, tau=leaders.tau * scale)


def _with_followers(merges: np.ndarray, leaders: Leaders, scale: float) -> np.ndarray:
    """Return the linkage matrix of all points from that of their leaders."""
    n, m = len(leaders.followed), len(leaders.rows)
    _, first = np.unique(leaders.followed, return_index=True)  # of each leader's points
    others = np.setdiff1d(np.arange(n), first)
    pairs = np.empty((n - 1, 2), np.int64)
    pairs[: n - m] = np.stack([first[leaders.followed[others]], others], axis=1)
    node = np.empty(2 * m - 1, np.int64)  # first point of each node
    node[:m] = first
    for row, (i, j) in enumerate(merges[:, :2].astype(np.int64)):
        a, b = sorted((node[i], node[j]))
        pairs[n - m + row] = a, b
        node[m + row] = a
    distances = np.zeros(n - 1)
    distances[n - m :] = merges[:, 2] ** 2
    return linkage_matrix(pairs, distances, scale)


class LeadersWard(ClusterMixin, BaseEstimator):
    """Ward clustering of leaders, as a scikit-learn estimator.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of clusters; another number up to that of leaders is another cut of `linkage_`.
    n_leaders : int, default=20000
        The most leaders.
    leader_weights : {"followers", "equal"}, default="followers"
        Whether leaders weigh as much as they have followers, or all the same.

    Attributes
    ----------
    labels_ : numpy.ndarray of int64, shape (n,)
        Cluster of each point, numbered by decreasing size.
    linkage_ : numpy.ndarray of float64, shape (n - 1, 4)
        SciPy's linkage matrix; points of one leader are joined at height 0.
    leaders_ : numpy.ndarray of int64, shape (n,)
        The leader of each point, numbered in the order in which they were found.
    tau_ : float
        The radius within which points follow, in the unit of X.
    n_features_in_ : int
        Columns seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from tunescope import LeadersWard
    >>> X = np.array([[0.0], [5.0], [0.1], [0.2], [9.0]])
    >>> LeadersWard(2, n_leaders=3).fit_predict(X).tolist()
    [0, 1, 0, 0, 1]
    """

    _parameter_constraints = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_leaders": [Interval(Integral, 1, None, closed="left")],
        "leader_weights": [StrOptions(set(WEIGHTS))],
    }

    def __init__(
        self, n_clusters: int = 2, *, n_leaders: int = 20_000, leader_weights: str = "followers"
    ):
        self.n_clusters = n_clusters
        self.n_leaders = n_leaders
        self.leader_weights = leader_weights

    def fit(self, X: Any, y: Any = None) -> LeadersWard:
        """Cluster points.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
            At least two points; float32 or float64, all else is taken as float64.
        y : None
            Not used.

        Returns
        -------
        LeadersWard
            Itself.

        Raises
        ------
        ValueError
            If X is not a finite matrix or there are fewer leaders than there are to be clusters.
        """
        self._validate_params()
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        if self.n_clusters > len(X):
            raise InputError(f"n_clusters = {self.n_clusters} of only {len(X)} points: lower it")
        weigh = self.leader_weights == "followers"
        tree, leaders = leaders_ward(X, self.n_leaders, weigh=weigh)
        self.linkage_, self.leaders_, self.tau_ = tree.merges, leaders.followed, leaders.tau
        self.labels_ = tree.cut(self.n_clusters)
        return self
