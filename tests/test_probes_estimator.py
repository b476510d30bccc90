"""The probe is a proper scikit-learn estimator."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tunescope import ElasticNetProbe


@parametrize_with_checks([ElasticNetProbe()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_classes_are_sorted_and_rows_of_coefficients_follow_them():
    x = np.repeat(np.eye(3), 20, axis=0)
    y = np.repeat(["verb", "adjective", "noun"], 20)
    probe = ElasticNetProbe(0.1, 0.1).fit(x, y)
    assert probe.classes_.tolist() == ["adjective", "noun", "verb"]
    assert probe.coef_.argmax(axis=1).tolist() == [1, 2, 0]
    assert probe.score(x, y) == 1


def test_two_classes_have_two_rows():
    x = np.random.default_rng(0).normal(size=(100, 3))
    probe = ElasticNetProbe(0.5, 0.5, tolerance=1e-6).fit(x, x[:, 0] > 0)
    assert probe.coef_.shape == (2, 3)
    np.testing.assert_allclose(probe.coef_[0], -probe.coef_[1], atol=1e-2)
    np.testing.assert_array_equal(probe.decision_function(x) > 0, probe.predict(x))


def test_unknown_values_are_refused():
    x, y = np.eye(4), [0, 0, 1, 1]
    with pytest.raises(ValueError, match="'loss' parameter"):
        ElasticNetProbe(loss="median").fit(x, y)
    with pytest.raises(ValueError, match="'l1' parameter"):
        ElasticNetProbe(l1=-1).fit(x, y)
    with pytest.raises(ValueError, match="one class"):
        ElasticNetProbe().fit(x, [1, 1, 1, 1])
