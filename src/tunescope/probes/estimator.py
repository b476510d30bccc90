"""The probe as a scikit-learn estimator (Durrani et al. 2020, arXiv 2010.02695, section 3.1)."""

from __future__ import annotations

import warnings
from dataclasses import replace
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from tunescope.probes.features import Features
from tunescope.probes.problem import Problem
from tunescope.probes.solver import fit_many
from tunescope.probes.stochastic import PAPER, QUICK


class ElasticNetProbe(ClassifierMixin, BaseEstimator):
    """Multinomial logistic regression with elastic net and true zeros.

    It minimises, over coefficients W and intercepts b (which are not penalised),

        loss(W, b) + l1 ||W||_1 + l2 ||W||_2^2      (penalty="squared")
        loss(W, b) + l1 ||W||_1 + l2 ||W||_2        (penalty="neurox")

    Parameters
    ----------
    l1 : float, default=3.0
        Weight of the absolute values of the coefficients.
    l2 : float, default=3.0
        Weight of the squared coefficients; scikit-learn's `C` of a plain ridge is 1 / (2 l2).
    penalty : {"squared", "neurox"}, default="squared"
        Whether l2 weighs the square of the coefficients' norm (the paper) or, as in NeuroX, the
        norm itself. NeuroX's own lambdas are for ``penalty="neurox", loss="mean"``.
    loss : {"sum", "mean"}, default="sum"
        Whether `loss` is the negative log-likelihood summed over words (the paper) or its mean.
    solver : {"fista", "quick", "adam"}, default="fista"
        `fista` goes on until the tolerance is proven. `quick` makes a few passes of proximal Adam
        steps, with true zeros, and reports the gap that was reached. `adam` is the recipe of the
        paper (learning rate 1e-3, batches of 512, 10 epochs), without true zeros.
    standardize : bool, default=False
        Scale every column to variance 1 first; `coef_` is still for the columns as given.
    tolerance : float, default=5e-3
        The fit stops when its objective is proven, by the duality gap, to lie within this share
        of the optimum. With ``l1 = l2 = 0`` there is no optimum where classes can be separated:
        then the objective must fall to this share of its value at zero coefficients. Where they
        cannot be, nothing is proven, and the gradient must fall as far.
    max_iterations : int, default=500
        Upper bound of the iterations of `fista`; reaching it gives a ConvergenceWarning.
    passes : int, optional
        Passes over the words of `quick` (by default 3 to 30, fewer for more words) and `adam` (10).
    random_state : int, RandomState or None, default=0
        Of the order of words in `quick` and `adam`.

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
        "penalty": [StrOptions({"squared", "neurox"})],
        "loss": [StrOptions({"sum", "mean"})],
        "solver": [StrOptions({"fista", "quick", "adam"})],
        "standardize": ["boolean"],
        "tolerance": [Interval(Real, 0, None, closed="left")],
        "max_iterations": [Interval(Integral, 1, None, closed="left")],
        "passes": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        l1: float = 3.0,
        l2: float = 3.0,
        *,
        penalty: str = "squared",
        loss: str = "sum",
        solver: str = "fista",
        standardize: bool = False,
        tolerance: float = 5e-3,
        max_iterations: int = 500,
        passes: int | None = None,
        random_state: Any = 0,
    ):
        self.l1 = l1
        self.l2 = l2
        self.penalty = penalty
        self.loss = loss
        self.solver = solver
        self.standardize = standardize
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.passes = passes
        self.random_state = random_state

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
        recipe = None
        if self.solver != "fista":
            recipe = QUICK if self.solver == "quick" else PAPER
            recipe = replace(recipe, passes=self.passes or recipe.passes)
        [fit] = fit_many(
            Features(X, standardize=self.standardize),
            [Problem(targets, self.l1 * scale, self.l2 * scale)],
            penalty=self.penalty,  # type: ignore[arg-type]
            solver=self.solver,  # type: ignore[arg-type]
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            recipe=recipe,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
        )
        if not fit.converged and self.solver == "fista":
            within = f"within {fit.gap:.1%} of the optimum" if self.l1 or self.l2 else "above zero"
            warnings.warn(
                f"after {fit.iterations} iterations the objective is proven only to lie {within}: "
                "raise max_iterations, tolerance or the penalties",
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
