"""The probe as a scikit-learn estimator (Durrani et al. 2020, arXiv 2010.02695, section 3.1)."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from tunescope.probes.features import Features
from tunescope.probes.solver import Problem, fit_many


class ElasticNetProbe(ClassifierMixin, BaseEstimator):
    """Multinomial logistic regression with elastic net and true zeros.

    It minimises, over coefficients W and intercepts b (which are not penalised),

        loss(W, b) + l1 ||W||_1 + l2 ||W||_2^2

    Parameters
    ----------
    l1 : float, default=3.0
        Weight of the absolute values of the coefficients.
    l2 : float, default=3.0
        Weight of the squared coefficients; scikit-learn's `C` of a plain ridge is 1 / (2 l2).
    loss : {"sum", "mean"}, default="sum"
        Whether `loss` is the negative log-likelihood summed over words (the paper) or its mean.
    standardize : bool, default=False
        Scale every column to variance 1 first; `coef_` is still for the columns as given.
    tolerance : float, default=5e-3
        The fit stops when its objective is proven, by the duality gap, to lie within this share
        of the optimum. With ``l1 = l2 = 0`` nothing can be proven; then the largest entry of the
        gradient must fall to this share of its first value.
    max_iterations : int, default=500
        Upper bound of the solver's iterations; reaching it gives a ConvergenceWarning.

    Attributes
    ----------
    coef_ : numpy.ndarray, shape (n_classes, n_features)
        Coefficients, one row per class (for two classes too).
    intercept_ : numpy.ndarray, shape (n_classes,)
        Intercepts.
    classes_ : numpy.ndarray, shape (n_classes,)
        Labels, sorted.
    objective_ : float
        Value reached.
    gap_ : float
        Proven upper bound of ``(objective_ - optimum) / objective_``.
    converged_ : bool
        Whether the tolerance was met.
    n_iter_ : int
        Iterations made.
    n_features_in_ : int
        Columns seen in `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from tunescope import ElasticNetProbe
    >>> x = np.random.default_rng(0).normal(size=(200, 5))
    >>> probe = ElasticNetProbe(l1=15, l2=1).fit(x, np.where(x[:, 1] > 0, "up", "down"))
    >>> probe.classes_.tolist(), (probe.coef_ != 0).any(axis=0).nonzero()[0].tolist()
    (['down', 'up'], [1])
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
        tolerance: float = 5e-3,
        max_iterations: int = 500,
    ):
        self.l1 = l1
        self.l2 = l2
        self.loss = loss
        self.standardize = standardize
        self.tolerance = tolerance
        self.max_iterations = max_iterations

    def fit(self, X: Any, y: Any) -> ElasticNetProbe:
        """Fit the probe.

        Parameters
        ----------
        X : array-like, shape (n, n_features)
            Activations; float32 is fitted in float32, all else in float64.
        y : array-like, shape (n,)
            Labels.

        Returns
        -------
        ElasticNetProbe
            Itself.

        Raises
        ------
        ValueError
            If there are fewer than two classes, or the input is not a finite matrix with labels.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_, targets = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class, {self.classes_[0]!r}; a probe needs two")
        scale = len(y) if self.loss == "mean" else 1
        [fit] = fit_many(
            Features(X, standardize=self.standardize),
            [Problem(targets, self.l1 * scale, self.l2 * scale)],
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )
        if not fit.converged:
            warnings.warn(
                f"after {fit.iterations} iterations the objective is proven only to lie within "
                f"{fit.gap:.1%} of the optimum: raise max_iterations, tolerance or the penalties",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.coef_, self.intercept_ = fit.coefficients, fit.intercepts
        self.objective_, self.gap_ = fit.objective / scale, fit.gap
        self.converged_, self.n_iter_ = fit.converged, fit.iterations
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return scores before the softmax, shape (n, n_classes); for two classes (n,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of every row, shape (n,)."""
        scores = self._scores(X)
        return self.classes_[scores.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every class, in the order of `classes_`."""
        return softmax(self._scores(X), axis=1)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of `predict_proba`."""
        return np.log(self.predict_proba(X))

    def _scores(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return X @ self.coef_.T + self.intercept_
