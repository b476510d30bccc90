"""The regression probe reaches scikit-learn's optimum from sums alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from tunescope import LinearRegressionProbe


@parametrize_with_checks([LinearRegressionProbe()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def data(n: int = 300, d: int = 8, seed: int = 0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5
    return x, x @ rng.normal(size=d) * (np.arange(d) % 2).mean() + rng.normal(size=n)


@pytest.mark.parametrize(("l1", "l2"), [(300.0, 5.0), (300.0, 0.0), (3.0, 0.5)])
def test_same_optimum_as_scikit_learn_on_all_words(l1, l2):
    x, y = data()
    ours = LinearRegressionProbe(l1, l2, tolerance=1e-12).fit(x, y)
    n, total = len(y), l1 + 2 * l2
    theirs = ElasticNet(alpha=total / (2 * n), l1_ratio=l1 / total, tol=1e-12, max_iter=10**6)
    theirs.fit(x, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-4)
    assert ((ours.coef_ == 0) == (theirs.coef_ == 0)).all()


def test_ridge_and_plain_least_squares():
    x, y = data(seed=1)
    ridge = LinearRegressionProbe(0.0, 4.0, tolerance=1e-13, max_iterations=10**6).fit(x, y)
    np.testing.assert_allclose(ridge.coef_, Ridge(alpha=4.0).fit(x, y).coef_, atol=1e-4)
    plain = LinearRegressionProbe(0.0, 0.0).fit(x, y)
    design = np.column_stack([x, np.ones(len(x))])
    exact = np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(plain.coef_, exact[:-1], atol=1e-6)


def test_mean_loss_scaling_several_targets_and_dead_columns():
    x, y = data(seed=2)
    x[:, 3] = 7.0
    mean = LinearRegressionProbe(0.5, 0.1, loss="mean", standardize=True).fit(x, y)
    total = LinearRegressionProbe(150.0, 30.0, standardize=True).fit(x, y)
    np.testing.assert_allclose(mean.coef_, total.coef_)
    assert mean.coef_[3] == 0
    both = LinearRegressionProbe(150.0, 30.0, standardize=True).fit(x, np.column_stack([y, -y]))
    np.testing.assert_allclose(both.coef_, [total.coef_, -total.coef_], atol=1e-6)
    assert both.predict(x).shape == (300, 2)


def test_not_converging_is_said():
    x, y = data(seed=3)
    with pytest.warns(ConvergenceWarning, match="raise max_iterations"):
        LinearRegressionProbe(1e-6, 0.0, tolerance=1e-14, max_iterations=2).fit(x, y)
