"""Linear regression with elastic net, for labels that are numbers.

The words enter only through sums of squares and products, d x d numbers that one pass gathers. From
them come d artificial words with exactly the same objective (the square root of the Gram matrix),
on which scikit-learn's coordinate descent does the rest, to its own duality gap.
"""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from tunescope.probes.features import Features

_RANK = 1e-12
"""Directions with less than this share of the largest sum of squares are taken for rounding."""


class LinearRegressionProbe(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Least squares with elastic net and true zeros.

    It minimises, over coefficients w and an intercept b (which is not penalised),

        loss(w, b) + l1 ||w||_1 + l2 ||w||_2^2

    with the squares of the errors summed over words, or their mean.

    Parameters
    ----------
    l1 : float, default=3.0
        Weight of the absolute values of the coefficients.
    l2 : float, default=3.0
        Weight of the squared coefficients.
    loss : {"sum", "mean"}, default="sum"
        Whether `loss` is the sum of the squared errors or their mean.
    standardize : bool, default=False
        Scale every column to variance 1 first; `coef_` is still for the columns as given.
    tolerance : float, default=1e-6
        The fit stops when its objective is proven, by the duality gap, to lie within this share of
        the sum of squares of y.
    max_iterations : int, default=10000
        Upper bound of the passes over the coefficients; reaching it gives a ConvergenceWarning.

    Attributes
    ----------
    coef_ : numpy.ndarray, shape (n_features,) or (n_targets, n_features)
        Coefficients.
    intercept_ : float or numpy.ndarray, shape (n_targets,)
        Intercepts.
    n_features_in_ : int
        Columns seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from tunescope import LinearRegressionProbe
    >>> x = np.random.default_rng(0).normal(size=(200, 5))
    >>> probe = LinearRegressionProbe(l1=20, l2=0).fit(x, 2 * x[:, 1] + 1)
    >>> probe.coef_.nonzero()[0].tolist()
    [1]
    """

    _parameter_constraints = {
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "loss": [StrOptions({"sum", "mean"})],
        "standardize": ["boolean"],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "max_iterations": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        l1: float = 3.0,
        l2: float = 3.0,
        *,
        loss: str = "sum",
        standardize: bool = False,
        tolerance: float = 1e-6,
        max_iterations: int = 10_000,
    ):
        self.l1 = l1
        self.l2 = l2
        self.loss = loss
        self.standardize = standardize
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, X: Any, y: Any) -> LinearRegressionProbe:
        """Fit the probe.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
            Activations.
        y : array-like, shape (n,) or (n, n_targets)
            Numbers; several targets are fitted one by one on the same sums.

        Returns
        -------
        LinearRegressionProbe
            Itself.

        Raises
        ------
        ValueError
            If the input is not a finite matrix with numbers.
        """
        self._validate_params()
        X, y = validate_data(
            self, X, y, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True
        )
        targets = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        means = targets.mean(axis=0)
        features = Features(X, standardize=self.standardize)
        gram, products = sums(features, targets - means)
        root, values = compress(gram, products)
        scale = len(y) if self.loss == "mean" else 1
        weights = np.stack(
            [
                self._solve(root, value, float(np.square(target - mean).sum()), scale)
                for value, target, mean in zip(values.T, targets.T, means, strict=True)
            ]
        )
        deviation = features.scale.double().cpu().numpy()
        coefficients = weights / deviation
        intercepts = means - coefficients @ features.mean.double().cpu().numpy()
        one = np.ndim(y) == 1
        self.coef_ = coefficients[0] if one else coefficients
        self.intercept_ = float(intercepts[0]) if one else intercepts
        return self

    def _solve(self, root: np.ndarray, value: np.ndarray, total: float, scale: int) -> np.ndarray:
        """Fit one target on the artificial words; `total` is its sum of squares."""
        rows, size = len(root), float(np.square(value).sum())
        l1, l2 = self.l1 * scale, self.l2 * scale
        if size == 0:
            return np.zeros(root.shape[1])
        # scikit-learn: ||value - root w||^2 / (2 rows) + alpha ratio |w| + alpha (1 - ratio)/2 w^2,
        # and its tolerance is relative to the squares of what it is given
        alpha = (l1 + 2 * l2) / (2 * rows)
        ratio = l1 / (l1 + 2 * l2) if alpha else 0.0
        if alpha == 0:
            return np.linalg.lstsq(root, value, rcond=None)[0]
        model = ElasticNet(
            alpha=alpha, l1_ratio=ratio, fit_intercept=False, precompute=False,
            tol=self.tolerance * total / size, max_iter=self.max_iterations,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(root, value)
        if np.max(model.n_iter_) >= self.max_iterations:
            warnings.warn(
                f"after {self.max_iterations} passes over the coefficients the tolerance is not "
                "met: raise max_iterations, tolerance or the penalties",
                ConvergenceWarning,
                stacklevel=3,
            )
        return model.coef_

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted numbers, shape (n,) or (n, n_targets)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return X @ self.coef_.T + self.intercept_


def sums(features: Features, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gather what least squares needs, in one pass.

    Parameters
    ----------
    features : Features
        n words.
    targets : numpy.ndarray, shape (n, n_targets)
        Centred.

    Returns
    -------
    gram : numpy.ndarray, shape (d, d)
        Sums of products of columns, float64.
    products : numpy.ndarray, shape (d, n_targets)
        Sums of products of columns and targets, float64.
    """
    gram = np.zeros((features.d, features.d))
    products = np.zeros((features.d, targets.shape[1]))
    for rows, block in features.blocks():
        gram += (block.T @ block).cpu().numpy()
        products += block.double().cpu().numpy().T @ targets[rows]
    return gram, products


def compress(gram: np.ndarray, products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (R, v) with R'R = gram and R'v = products: at most d words for all that there were."""
    values, vectors = np.linalg.eigh(gram)
    kept = values > _RANK * max(values[-1], 1e-300)
    if not kept.any():
        return np.zeros((1, len(gram))), np.zeros((1, products.shape[1]))
    root = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
    return root, (vectors[:, kept].T @ products) / np.sqrt(values[kept])[:, None]
