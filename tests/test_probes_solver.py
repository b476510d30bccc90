"""The solver reaches the optimum that other solvers and the optimality conditions define."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from tunescope import ElasticNetProbe
from tunescope.errors import InputError
from tunescope.probes import features as features_module
from tunescope.probes.features import Features
from tunescope.probes.problem import Problem
from tunescope.probes.solver import fit_many


def words(n: int, d: int, n_classes: int, seed: int, *, outlier: bool = True) -> tuple:
    """Correlated columns, one of them far from zero, and noisy labels with a rare class."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) / np.sqrt(d)
    scores = 2 * x @ rng.normal(size=(d, n_classes)) / np.sqrt(d)
    scores[:, -1] -= 2
    if outlier:
        x[:, 0] = 20 * x[:, 0] + 50
    y = (scores + rng.gumbel(size=scores.shape)).argmax(1)
    y[:n_classes] = np.arange(n_classes)
    return x, y


def objective(x, y, coefficients, intercepts, l1, l2) -> float:
    """The objective as written in the paper, in float64."""
    scores = x.astype(np.float64) @ coefficients.T + intercepts
    w = coefficients.astype(np.float64)
    loss = -log_softmax(scores, axis=1)[np.arange(len(y)), y].sum()
    return loss + l1 * np.abs(w).sum() + l2 * np.square(w).sum()


def solve(x, y, l1, l2, **options):
    [fit] = fit_many(Features(x), [Problem(y, l1, l2)], **options)
    return fit


def saga(x, y, l1, l2):
    # scikit-learn minimises C * loss + ratio ||w||_1 + (1 - ratio)/2 ||w||^2; the columns are
    # centred for it, which changes nothing but its speed.
    total = l1 + 2 * l2
    ratio = l1 / total
    model = LogisticRegression(
        C=1 / total, l1_ratio=ratio, solver="saga", tol=1e-9, max_iter=20000, random_state=0
    )
    return model.fit(x - x.mean(0), y)


@pytest.mark.parametrize(("l1", "l2"), [(2.0, 1.0), (5.0, 0.5), (0.0, 0.5)])
def test_same_optimum_and_zeros_as_saga(l1, l2):
    x, y = words(300, 8, 4, seed=1, outlier=False)
    theirs = saga(x, y, l1, l2)
    ours = solve(x, y, l1, l2, tolerance=1e-10, max_iterations=20000)
    least = objective(x - x.mean(0), y, theirs.coef_, theirs.intercept_, l1, l2)
    assert ours.converged
    assert ours.objective == pytest.approx(least, rel=1e-8)
    assert objective(x, y, ours.coefficients, ours.intercepts, l1, l2) == pytest.approx(
        ours.objective, rel=1e-12
    )
    np.testing.assert_allclose(ours.coefficients, theirs.coef_, atol=1e-4)
    assert ((ours.coefficients == 0) == (theirs.coef_ == 0)).all()
    assert (ours.coefficients == 0).any() == (l1 > 0)


def test_same_optimum_as_saga_with_the_lasso_alone():
    # Shifting a column's coefficients by any median of them changes nothing, so the coefficients
    # themselves may differ.
    x, y = words(300, 8, 4, seed=1, outlier=False)
    theirs = saga(x, y, 5.0, 0.0)
    ours = solve(x, y, 5.0, 0.0, tolerance=1e-9, max_iterations=20000)
    least = objective(x - x.mean(0), y, theirs.coef_, theirs.intercept_, 5.0, 0.0)
    assert ours.converged
    assert ours.objective == pytest.approx(least, rel=1e-8)


def test_same_optimum_as_lbfgs_in_the_presence_of_an_outlier_column():
    x, y = words(400, 6, 3, seed=2)
    theirs = LogisticRegression(C=1 / (2 * 0.7), tol=1e-10, max_iter=5000)
    theirs.fit((x - x.mean(0)) / 1, y)
    ours = solve(x, y, 0.0, 0.7, tolerance=1e-9, max_iterations=5000)
    least = objective(x - x.mean(0), y, theirs.coef_, theirs.intercept_, 0.0, 0.7)
    assert ours.objective <= least * (1 + 1e-8)
    np.testing.assert_allclose(ours.coefficients, theirs.coef_, atol=1e-3)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**16),
    d=st.integers(1, 12),
    n_classes=st.integers(2, 6),
    l1=st.sampled_from([0.0, 0.3, 3.0, 30.0]),
    l2=st.sampled_from([0.01, 1.0, 20.0]),
)
def test_optimality_conditions(seed, d, n_classes, l1, l2):
    x, y = words(150, d, n_classes, seed)
    fit = solve(x, y, l1, l2, tolerance=1e-9, max_iterations=20000)
    assert fit.converged
    w = fit.coefficients
    excess = softmax(x @ w.T + fit.intercepts, axis=1)
    excess[np.arange(len(y)), y] -= 1
    gradient = excess.T @ (x - x.mean(0)) + 2 * l2 * w
    scale = np.abs(x - x.mean(0)).sum(0).max() * 1e-3
    assert np.abs(excess.sum(0)).max() < 1e-2
    assert np.abs(gradient[w == 0]).max(initial=0) <= l1 + scale
    np.testing.assert_allclose(gradient[w != 0], -l1 * np.sign(w[w != 0]), atol=scale)


@pytest.mark.parametrize(("l1", "l2"), [(1.0, 1.0), (4.0, 0.0), (0.0, 0.1), (0.01, 1e-3)])
def test_the_gap_bounds_the_distance_from_the_optimum(l1, l2):
    x, y = words(300, 10, 5, seed=3)
    optimum = solve(x, y, l1, l2, tolerance=1e-9, max_iterations=50000).objective
    gaps = []
    for iterations in (10, 20, 40, 80, 160):
        fit = solve(x, y, l1, l2, tolerance=0.0, max_iterations=iterations)
        gaps.append(fit.gap)
        assert (fit.objective - optimum) / fit.objective <= fit.gap + 1e-9
        assert not fit.converged
        assert fit.iterations == iterations
    assert gaps[-1] < gaps[0] / 10, "a bound that does not shrink is of no use"


def test_problems_fitted_together_are_fitted_as_alone():
    x, y = words(300, 10, 4, seed=4)
    other = words(300, 10, 6, seed=5)[1]
    problems = [Problem(y, 1.0, 1.0), Problem(other, 1.0, 1.0), Problem(y, 10.0, 0.1)]
    together = fit_many(Features(x), problems, tolerance=1e-7, max_iterations=5000)
    assert len({fit.iterations for fit in together}) > 1, "none dropped out before the others"
    for fit, problem in zip(together, problems, strict=True):
        alone = solve(
            x, problem.targets, problem.l1, problem.l2, tolerance=1e-7, max_iterations=5000
        )
        assert fit.coefficients.shape == (problem.targets.max() + 1, 10)
        assert fit.objective == pytest.approx(alone.objective, rel=2e-7)
        np.testing.assert_allclose(fit.coefficients, alone.coefficients, atol=1e-2)


def test_same_numbers_every_time():
    x, y = words(500, 12, 4, seed=6)
    one, two = (solve(x.astype(np.float32), y, 1.0, 1.0) for _ in range(2))
    assert one.coefficients.tobytes() == two.coefficients.tobytes()
    assert one.intercepts.tobytes() == two.intercepts.tobytes()


def test_float32_is_as_good_as_float64():
    x, y = words(1000, 10, 5, seed=7)
    exact = solve(x, y, 2.0, 2.0, tolerance=1e-7, max_iterations=20000)
    quick = solve(x.astype(np.float32), y, 2.0, 2.0, tolerance=1e-5, max_iterations=2000)
    assert quick.coefficients.dtype == np.float32
    assert quick.converged
    assert quick.objective == pytest.approx(exact.objective, rel=2e-5)


def test_blocks_and_memory_maps_change_nothing(tmp_path, monkeypatch):
    x, y = words(700, 5, 3, seed=8)
    np.save(tmp_path / "x.npy", x)
    whole = solve(x, y, 1.0, 1.0, tolerance=1e-8, max_iterations=5000)
    monkeypatch.setattr(features_module, "_BLOCK_VALUES", 1)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert len(list(Features(mapped).blocks())) > 1
    blocked = solve(mapped, y, 1.0, 1.0, tolerance=1e-8, max_iterations=5000)
    np.testing.assert_allclose(blocked.coefficients, whole.coefficients, atol=1e-5)


def test_standardized_fit_is_the_fit_of_standardized_columns():
    x, y = words(300, 6, 3, seed=9)
    scaled = (x - x.mean(0)) / x.std(0)
    one = ElasticNetProbe(1.0, 1.0, standardize=True, tolerance=1e-9, max_iterations=9999)
    two = ElasticNetProbe(1.0, 1.0, tolerance=1e-9, max_iterations=9999)
    one.fit(x, y), two.fit(scaled, y)
    np.testing.assert_allclose(one.coef_ * x.std(0), two.coef_, atol=1e-4)
    np.testing.assert_allclose(one.predict_proba(x), two.predict_proba(scaled), atol=1e-4)


def test_mean_loss_is_sum_loss_with_penalties_n_times_as_large():
    x, y = words(200, 6, 3, seed=10)
    mean = ElasticNetProbe(0.01, 0.02, loss="mean").fit(x, y)
    total = ElasticNetProbe(2.0, 4.0, loss="sum").fit(x, y)
    np.testing.assert_array_equal(mean.coef_, total.coef_)
    assert mean.objective_ == pytest.approx(total.objective_ / 200)


def test_constant_and_dead_columns_get_zeros():
    x, y = words(200, 4, 3, seed=11)
    x = np.column_stack([x, np.full(200, 7.3), np.zeros(200)]).astype(np.float32)
    for standardize in (False, True):
        probe = ElasticNetProbe(1.0, 1.0, standardize=standardize).fit(x, y)
        assert (probe.coef_[:, 4:] == 0).all()
        assert np.isfinite(probe.coef_).all()


def test_without_penalties_the_gradient_decides():
    x, y = words(300, 4, 3, seed=15, outlier=False)
    fit = solve(x, y, 0.0, 0.0, tolerance=1e-6, max_iterations=5000)
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=5000).fit(x - x.mean(0), y)
    least = objective(x - x.mean(0), y, theirs.coef_, theirs.intercept_, 0, 0)
    assert fit.converged
    assert np.isinf(fit.gap)
    assert fit.objective == pytest.approx(least, rel=1e-6)


def test_not_converging_is_said():
    x, y = words(300, 10, 4, seed=13)
    with pytest.warns(ConvergenceWarning, match="raise max_iterations"):
        probe = ElasticNetProbe(1e-3, 1e-6, max_iterations=5).fit(x, y)
    assert not probe.converged_
    assert probe.n_iter_ == 5


def test_wrong_input_is_said():
    x, y = words(100, 3, 3, seed=14)
    with pytest.raises(InputError, match="50 labels for 100 words"):
        solve(x, y[:50], 1, 1)
    with pytest.raises(InputError, match="has no words"):
        solve(x, np.where(y == 1, 3, y), 1, 1)
    x[7, 1] = np.nan
    with pytest.raises(InputError, match="not finite"):
        Features(x)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_gpu_finds_the_same_optimum():
    x, y = words(500, 10, 4, seed=15)
    here = solve(x, y, 1.0, 1.0, tolerance=1e-8, max_iterations=5000)
    [there] = fit_many(
        Features(x, device="cuda"), [Problem(y, 1.0, 1.0)], tolerance=1e-8, max_iterations=5000
    )
    assert there.objective == pytest.approx(here.objective, rel=1e-7)
