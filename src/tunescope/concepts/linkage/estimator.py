"""Ward clustering as a scikit-learn estimator."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data

from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.linkage.ward import ward
from tunescope.errors import InputError


class WardClustering(ClusterMixin, BaseEstimator):
    """Exact Ward clustering of many points, cut at a number of clusters.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of clusters; another number is another cut of `linkage_`.
    device : str, default="cpu"
        Where products are computed, see `tunescope.ward`.
    checkpoint : path or None, default=None
        Folder from which a killed fit goes on.
    progress : bool, default=False
        Whether to show a bar.

    Attributes
    ----------
    labels_ : numpy.ndarray of int64, shape (n,)
        Cluster of each point, numbered by decreasing size.
    linkage_ : numpy.ndarray of float64, shape (n - 1, 4)
        SciPy's linkage matrix.
    children_ : numpy.ndarray of int64, shape (n - 1, 2)
        The nodes merged, as in scikit-learn's `AgglomerativeClustering`.
    n_features_in_ : int
        Columns seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from tunescope import WardClustering
    >>> WardClustering(2).fit_predict(np.array([[0.0], [5.0], [0.1], [0.2]])).tolist()
    [0, 1, 0, 0]
    """

    _parameter_constraints = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "device": [str],
        "checkpoint": "no_validation",
        "progress": ["boolean"],
    }

    def __init__(
        self,
        n_clusters: int = 2,
        *,
        device: str = "cpu",
        checkpoint: Any = None,
        progress: bool = False,
    ):
        self.n_clusters = n_clusters
        self.device = device
        self.checkpoint = checkpoint
        self.progress = progress

    def fit(self, X: Any, y: Any = None) -> WardClustering:
        """Cluster points.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
            At least two points; float32 or float64, all else is taken as float64.
        y : None
            Not used.

        Returns
        -------
        WardClustering
            Itself.

        Raises
        ------
        ValueError
            If X is not a finite matrix or has fewer points than there are to be clusters.
        """
        self._validate_params()
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        if self.n_clusters > len(X):
            raise InputError(f"n_clusters = {self.n_clusters} of only {len(X)} points: lower it")
        self.linkage_ = ward(
            X, device=self.device, checkpoint=self.checkpoint, progress=self.progress
        )
        self.children_ = self.linkage_[:, :2].astype(np.int64)
        self.labels_ = Dendrogram(self.linkage_).cut(self.n_clusters)
        return self
