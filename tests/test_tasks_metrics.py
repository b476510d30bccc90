"""Metrics equal scikit-learn's and SciPy's; intervals and tests do what they say."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics as sk

from tunescope.errors import InputError, MismatchError
from tunescope.tasks.kinds import METRICS_OF
from tunescope.tasks.metrics import METRICS, interval, paired_test, score, scores

RNG = np.random.default_rng(0)
BINARY = RNG.choice(["no", "yes"], 200, p=[0.7, 0.3])
THREE = RNG.choice(list("abc"), 200)
NUMBERS = RNG.normal(size=200)


def noisy(values: np.ndarray, share: float, seed: int = 1) -> np.ndarray:
    """Replace some values by others that occur."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(values)) < share, rng.permutation(values), values)


def test_values_are_those_of_the_libraries():
    for targets in (BINARY, THREE):
        said = noisy(targets, 0.4)
        assert score("accuracy", targets, said) == pytest.approx(sk.accuracy_score(targets, said))
        matthews = sk.matthews_corrcoef(targets, said)
        assert score("matthews", targets, said) == pytest.approx(matthews)
    said = noisy(BINARY, 0.4)
    of_yes, of_no = (sk.f1_score(BINARY, said, pos_label=name) for name in ("yes", "no"))
    assert score("f1", BINARY, said) == pytest.approx(of_yes)  # the second, sorted
    assert score("f1", BINARY, said, positive="no") == pytest.approx(of_no) != of_yes
    said = noisy(THREE, 0.4)
    assert score("f1", THREE, said) == pytest.approx(sk.f1_score(THREE, said, average="macro"))
    said = NUMBERS + RNG.normal(size=200)
    assert score("pearson", NUMBERS, said) == pytest.approx(np.corrcoef(NUMBERS, said)[0, 1])
    rho = scipy.stats.spearmanr(NUMBERS, said).statistic
    assert score("spearman", NUMBERS, said) == pytest.approx(rho)


def test_two_of_three_classes_are_scored_as_of_three():
    """That a class happens not to occur does not turn the mean over classes into one class's F1."""
    targets, said = ["a", "a", "b", "b"], ["a", "b", "b", "b"]
    both = sk.f1_score(targets, said, average="macro")
    assert score("f1", targets, said, classes="abc") == pytest.approx(both)
    assert score("f1", targets, said) == pytest.approx(sk.f1_score(targets, said, pos_label="b"))


def test_constant_answers_score_nothing():
    mean = [float(NUMBERS.mean())] * 200
    assert score("pearson", NUMBERS, mean) == 0 == score("spearman", NUMBERS, mean)
    assert interval("pearson", NUMBERS, mean) == (0, 0)
    assert score("matthews", BINARY, ["no"] * 200) == 0 == score("f1", BINARY, ["no"] * 200)


def test_every_metric_belongs_to_its_kind():
    assert {n: m.kind for n, m in METRICS.items()} == {
        name: kind for kind, names in METRICS_OF.items() for name in names
    }
    assert list(scores("regression", NUMBERS, NUMBERS)) == ["pearson", "spearman"]


def test_interval_is_the_bootstrap_over_texts():
    """The draws of counts of combinations are draws of texts: same spread as drawing rows."""
    said = noisy(THREE, 0.4)
    rng = np.random.default_rng(5)
    rows = (rng.integers(0, 200, 200) for _ in range(2000))
    by_rows = [sk.f1_score(THREE[r], said[r], average="macro") for r in rows]
    low, high = interval("f1", THREE, said, resamples=2000, seed=3)
    assert (low, high) == pytest.approx(np.quantile(by_rows, [0.025, 0.975]), abs=0.01)
    assert (low, high) == interval("f1", THREE, said, resamples=2000, seed=3)
    assert (low, high) != interval("f1", THREE, said, resamples=2000, seed=4)
    numbers = NUMBERS + RNG.normal(size=200)
    low, high = interval("pearson", NUMBERS, numbers, resamples=2000)
    fisher = scipy.stats.pearsonr(NUMBERS, numbers).confidence_interval(0.95)
    assert (low, high) == pytest.approx((fisher.low, fisher.high), abs=0.03)


def test_interval_of_accuracy_is_of_use_where_all_are_right():
    low, high = interval("accuracy", BINARY, BINARY)
    assert low == pytest.approx(200 / (200 + 1.959964**2)) and high == pytest.approx(1)


def test_paired_test_of_accuracy_is_the_exact_test_of_all_swaps():
    targets = np.array(list("aaaaabbb"))
    one, other = np.array(list("aaabbbba")), np.array(list("aaaaabba"))
    differences = (other == targets).astype(int) - (one == targets)
    sums = [np.dot(signs, differences) for signs in product((-1, 1), repeat=8)]
    exact = np.mean(np.abs(sums) >= abs(differences.sum()))
    found = paired_test("accuracy", targets, one, other)
    assert found.p == pytest.approx(exact)
    assert found.difference == pytest.approx(found.b - found.a) == differences.mean()


@pytest.mark.parametrize("metric", METRICS)
def test_paired_test_tells_a_difference_from_none(metric):
    if METRICS[metric].kind == "regression":
        targets, better = NUMBERS, NUMBERS + 0.5 * np.random.default_rng(1).normal(size=200)
        alike, worse = (NUMBERS + s * np.random.default_rng(2).normal(size=200) for s in (0.5, 3))
        worse = 10 * worse + 4  # another scale is no difference to a correlation
    else:
        targets, better = THREE, noisy(THREE, 0.3, 1)
        alike, worse = noisy(THREE, 0.3, 2), noisy(THREE, 0.9, 2)
    much = paired_test(metric, targets, worse, better, resamples=300)
    assert much.p < 0.02 and 0 < much.low < much.difference < much.high and much.n == 200
    little = paired_test(metric, targets, alike, better, resamples=300)
    assert little.p > 0.05 and little.low < 0 < little.high
    assert paired_test(metric, targets, better, better, resamples=50).p == 1
    assert paired_test(metric, targets, worse, better, resamples=300) == much


def test_p_values_of_equal_models_are_uniform():
    small = []
    for trial in range(200):
        rng = np.random.default_rng(trial)
        targets = rng.choice(["a", "b"], 80)
        one, other = (np.where(rng.random(80) < 0.3, rng.choice(["a", "b"], 80), targets)
                      for _ in range(2))  # fmt: skip
        small.append(paired_test("f1", targets, one, other, resamples=99).p <= 0.1)
    assert 0.04 < np.mean(small) < 0.16


def test_errors():
    with pytest.raises(InputError, match="no metric 'acc'; did you mean 'accuracy'"):
        score("acc", ["a"], ["a"])
    with pytest.raises(MismatchError, match="2 targets for 1 predictions"):
        score("accuracy", ["a", "b"], ["a"])
    with pytest.raises(InputError, match="not a finite number"):
        score("pearson", [1, 2], [1, float("nan")])
