"""Second-order steps reach the optima that first-order steps do not come to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax

from tunescope.probes import fista as fista_module
from tunescope.probes import newton as newton_module
from tunescope.probes.features import Features
from tunescope.probes.newton import Newton
from tunescope.probes.objective import evaluate, hessian_product
from tunescope.probes.penalties import PENALTIES
from tunescope.probes.problem import Problem, first_weights, make_batch
from tunescope.probes.solver import fit_many

NEVER = 1 << 30


def words(n: int, d: int, n_classes: int, seed: int, noise: float = 1.0) -> tuple:
    """Columns of very different size that go along with each other, as layers of a model do."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d)) @ (rng.normal(size=(d, d)) * np.geomspace(1, 0.02, d)[:, None])
    scores = x @ rng.normal(size=(d, n_classes)) / np.sqrt(d)
    y = (scores + noise * rng.gumbel(size=scores.shape)).argmax(1)
    y[:n_classes] = np.arange(n_classes)
    return x, y


@pytest.mark.parametrize(
    ("form", "l1", "l2"), [("neurox", 0.3, 0.0), ("neurox", 0.0, 0.05), ("squared", 0.1, 1e-3)]
)
def test_weak_penalties_take_fewer_passes(monkeypatch, form, l1, l2):
    x, y = words(300, 20, 4, seed=0, noise=0.3)
    problem, options = Problem(y, l1, l2), {"penalty": form, "tolerance": 1e-4}
    [fit] = fit_many(Features(x), [problem], max_iterations=2000, **options)
    assert fit.converged
    assert fit.gap <= 1e-4
    assert fit.iterations <= 2000
    monkeypatch.setattr(fista_module, "FIRST_ORDER", NEVER)
    [first] = fit_many(Features(x), [problem], max_iterations=fit.iterations, **options)
    assert not first.converged
    assert first.gap > 3 * fit.gap
    assert fit.objective <= first.objective * (1 + 1e-4)

    w = fit.coefficients
    excess = softmax(x @ w.T + fit.intercepts, axis=1)
    excess[np.arange(len(y)), y] -= 1
    gradient = excess.T @ (x - x.mean(0))
    gradient += l2 * w * (2 if form == "squared" else 1 / np.linalg.norm(w))
    allowed = 1e-2 * np.abs(x).sum(0).max() / len(x) + l1 * 1e-2
    assert np.abs(gradient[w == 0]).max(initial=0) <= l1 + allowed
    np.testing.assert_allclose(gradient[w != 0], -l1 * np.sign(w[w != 0]), atol=allowed)
    assert (w == 0).any() == (l1 > 0)


@pytest.mark.parametrize("gram", [newton_module.LARGEST_GRAM, 0])
@pytest.mark.parametrize("form", ["squared", "neurox"])
def test_newton_steps_lead_to_the_optimum_of_first_order_steps(monkeypatch, form, gram):
    x, y = words(300, 8, 4, seed=1)
    support = np.isin(np.arange(8), [0, 2, 3, 5, 7])
    rare = np.where(y == 1, 3, y)
    problems = [
        Problem(y, 1.0, 0.5),
        Problem(y, 0.0, 2.0),
        Problem(y, 2.0, 0.0, support=support),
        Problem(rare, 0.5, 0.5, n_classes=5),
        Problem(y, 1.0, 1e4),  # under the norm without its square all is zero
    ]
    options = {"penalty": form, "tolerance": 1e-8, "max_iterations": 20_000}
    monkeypatch.setattr(newton_module, "LARGEST_GRAM", gram)
    monkeypatch.setattr(fista_module, "FIRST_ORDER", 10)
    second = fit_many(Features(x), problems, **options)
    monkeypatch.setattr(fista_module, "FIRST_ORDER", NEVER)
    first = fit_many(Features(x), problems, **options)
    for one, other in zip(second, first, strict=True):
        assert one.converged
        assert one.objective == pytest.approx(other.objective, rel=2e-8)
    assert (second[2].coefficients[:, ~support] == 0).all()
    assert (second[3].coefficients[[1, 4]] == 0).all()


@pytest.mark.parametrize("most", [11, 13, 20, 37])
def test_no_more_passes_are_made_than_allowed(monkeypatch, most):
    x, y = words(300, 8, 4, seed=2)
    monkeypatch.setattr(fista_module, "FIRST_ORDER", 10)
    fits = fit_many(
        Features(x), [Problem(y, l1, 0.0) for l1 in (0.0, 0.5)], tolerance=0.0, max_iterations=most
    )
    assert [fit.iterations for fit in fits] == [most, most]
    assert not any(fit.converged for fit in fits)


def test_a_part_is_the_same_alone(monkeypatch):
    x, y = words(300, 8, 4, seed=3)
    monkeypatch.setattr(fista_module, "FIRST_ORDER", 10)
    problems = [Problem(y, 0.5, 0.1), Problem(np.roll(y, 7), 0.2, 0.0)]
    options = {"tolerance": 1e-6, "max_iterations": 5000}
    together = fit_many(Features(x), problems, parts=[1, 1], **options)
    for fit, problem in zip(together, problems, strict=True):
        [alone] = fit_many(Features(x), [problem], **options)
        assert fit.coefficients.tobytes() == alone.coefficients.tobytes()


@pytest.mark.parametrize("form", ["squared", "neurox"])
def test_the_hessian_is_that_of_the_objective(form):
    x, y = words(50, 4, 3, seed=4)
    features = Features(x)
    batch = make_batch(features, [Problem(y, 0.0, 3.0)], form)
    rng = torch.Generator().manual_seed(0)
    weights, direction = (
        torch.randn(5, 1, 3, generator=rng, dtype=torch.float64) for _ in range(2)
    )

    def slope(at: torch.Tensor) -> torch.Tensor:
        gradient = evaluate(features, [(batch, at)])[0].gradient
        gradient[:-1] += PENALTIES[form].slope(at[:-1], batch.l2)[:, None] * at[:-1]
        return gradient

    step = 1e-5 * direction
    numeric = (slope(weights + step) - slope(weights - step)) / 2e-5
    found = hessian_product(features, weights, direction)
    found[:-1] += PENALTIES[form].curve(weights[:-1], direction[:-1], batch.l2)
    torch.testing.assert_close(found, numeric, rtol=1e-6, atol=1e-6)


def test_a_coefficient_does_not_jump_over_zero():
    x, y = words(300, 8, 4, seed=5)
    features = Features(x)
    batch = make_batch(features, [Problem(y, 5.0, 0.0)], "squared")
    weights = first_weights(features, batch)
    weights[:-1] = 0.3 * torch.randn(8, 1, 4, generator=torch.Generator().manual_seed(1)).double()
    point = evaluate(features, [(batch, weights)])[0]
    better, there, passes = Newton(features, batch).step(weights, point, 100)
    assert there is not None
    assert there.loss + batch.penalties(better) < point.loss + batch.penalties(weights)
    assert (better[:-1] * weights[:-1] >= 0).all()
    assert (better[:-1] == 0).any()
    assert 0 < passes <= 100


def test_separable_classes_without_a_penalty_end_near_zero():
    rng = np.random.default_rng(6)
    y = np.arange(300) % 3
    x = rng.normal(size=(300, 6)) + 8 * np.eye(3, 6)[y]
    [fit] = fit_many(Features(x), [Problem(y, 0, 0)], tolerance=1e-6, max_iterations=5000)
    assert fit.converged
    assert fit.objective <= 1e-6 * 300 * np.log(3)
    assert (softmax(x @ fit.coefficients.T + fit.intercepts, 1).argmax(1) == y).all()
    assert np.isinf(fit.gap), "no optimum, and no share of it"
