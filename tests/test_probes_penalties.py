"""Both forms of the elastic net: proximal steps, dual bounds, and probes fitted under them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from test_probes_solver import words
from tunescope import ElasticNetProbe
from tunescope.errors import InputError
from tunescope.probes import solver as solver_module
from tunescope.probes.features import Features
from tunescope.probes.penalties import PENALTIES
from tunescope.probes.problem import Problem
from tunescope.probes.solver import fit_many
from tunescope.probes.stochastic import NEUROX, Recipe, schedule


def value(x, y, w, b, l1, l2, form):
    loss = -log_softmax(x @ w.T + b, axis=1)[np.arange(len(y)), y].sum()
    norm = np.square(w).sum()
    return loss + l1 * np.abs(w).sum() + l2 * (norm if form == "squared" else np.sqrt(norm))


@pytest.mark.parametrize("form", ["squared", "neurox"])
@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.7), (0.0, 1.5), (0.4, 0.0), (0.1, 40.0)])
def test_the_proximal_step_minimises(form, l1, l2):
    rng = np.random.default_rng(0)
    step = torch.from_numpy(rng.normal(size=(6, 2, 3)))
    curvature = torch.from_numpy(rng.uniform(0.5, 4, size=(6, 2, 3)))
    penalties = [torch.full((2,), v, dtype=torch.float64) for v in (l1, l2)]
    found = PENALTIES[form].proximal(step, curvature, *penalties)

    def objective(flat, p):
        w = torch.zeros_like(step)
        w[:, p] = torch.from_numpy(flat.reshape(6, 3))
        near = (curvature / 2 * (w - step).square()).sum((0, 2))
        return float((near + PENALTIES[form].value(w, *penalties))[p])

    for p in range(2):
        reached = objective(found[:, p].numpy().ravel(), p)
        starts = [found[:, p].numpy().ravel(), step[:, p].numpy().ravel(), np.zeros(18) + 1e-3]
        best = min(minimize(objective, s, (p,), method="Powell").fun for s in starts)
        assert reached <= best + 1e-6
    if l2 == 40.0 and form == "neurox":
        assert (found == 0).all()


@pytest.mark.parametrize(("l1", "l2"), [(1.0, 3.0), (0.0, 8.0), (4.0, 0.0), (0.1, 200.0)])
def test_the_neurox_form_reaches_its_optimum(l1, l2):
    x, y = words(200, 5, 3, seed=1, outlier=False)
    problem = Problem(y, l1, l2)
    [fit] = fit_many(Features(x), [problem], penalty="neurox", tolerance=1e-9, max_iterations=9999)
    assert fit.converged
    w, b = fit.coefficients, fit.intercepts
    assert value(x, y, w, b, l1, l2, "neurox") == pytest.approx(fit.objective, rel=1e-10)
    excess = softmax(x @ w.T + b, axis=1)
    excess[np.arange(len(y)), y] -= 1
    gradient = excess.T @ (x - x.mean(0))
    if (w == 0).all():  # zero is the optimum when what l1 leaves of the gradient is short
        assert np.linalg.norm(np.maximum(np.abs(gradient) - l1, 0)) <= l2 * (1 + 1e-6)
    else:
        gradient += l2 * w / np.linalg.norm(w)
        assert np.abs(gradient[w == 0]).max(initial=0) <= l1 + 1e-2
        np.testing.assert_allclose(gradient[w != 0], -l1 * np.sign(w[w != 0]), atol=1e-2)
    assert (w == 0).all() == (l2 == 200.0)


@pytest.mark.parametrize(("l1", "l2"), [(1.0, 3.0), (0.0, 2.0), (4.0, 0.0)])
def test_the_gap_bounds_the_distance_under_the_neurox_form(l1, l2):
    x, y = words(300, 10, 5, seed=3)
    problem = [Problem(y, l1, l2)]
    [best] = fit_many(Features(x), problem, penalty="neurox", tolerance=1e-9, max_iterations=30000)
    gaps = []
    for iterations in (10, 40, 160):
        [fit] = fit_many(
            Features(x), problem, penalty="neurox", tolerance=0.0, max_iterations=iterations
        )
        assert (fit.objective - best.objective) / fit.objective <= fit.gap + 1e-9
        gaps.append(fit.gap)
    assert gaps[-1] < gaps[0] / 10


def test_a_support_is_the_fit_on_those_columns_alone():
    x, y = words(300, 10, 4, seed=4)
    support = np.isin(np.arange(10), [1, 4, 7])
    options = {"tolerance": 1e-8, "max_iterations": 9999}
    inside, everywhere = fit_many(
        Features(x), [Problem(y, 1.0, 1.0, support=support), Problem(y, 1.0, 1.0)], **options
    )
    [alone] = fit_many(Features(x[:, support]), [Problem(y, 1.0, 1.0)], **options)
    assert inside.converged
    assert (inside.coefficients[:, ~support] == 0).all()
    assert (everywhere.coefficients[:, ~support] != 0).any()
    assert inside.objective == pytest.approx(alone.objective, rel=1e-7)
    np.testing.assert_allclose(inside.coefficients[:, support], alone.coefficients, atol=1e-2)
    quick = fit_many(Features(x), [Problem(y, 1.0, 1.0, support=support)], solver="quick")[0]
    assert (quick.coefficients[:, ~support] == 0).all()


def test_a_class_without_words_is_never_predicted():
    x, y = words(200, 4, 3, seed=5)
    for solver in ("fista", "quick", "adam"):
        [fit] = fit_many(
            Features(x), [Problem(np.where(y == 1, 3, y), 1, 1, n_classes=5)], solver=solver
        )
        assert fit.coefficients.shape == (5, 4)
        predicted = (x @ fit.coefficients.T + fit.intercepts).argmax(1)
        assert set(predicted) <= {0, 2, 3}
    with pytest.raises(InputError, match="n_classes = 2"):
        fit_many(Features(x), [Problem(y, 1, 1, n_classes=2)])


@pytest.mark.parametrize("form", ["squared", "neurox"])
def test_quick_comes_close_has_zeros_and_reports_a_gap_that_holds(form):
    x, y = words(3000, 30, 5, seed=6)
    features = Features(x.astype(np.float32))
    problems = [Problem(y, l1, l1 / 2) for l1 in (3.0, 30.0)]
    options = {"penalty": form, "tolerance": 1e-5, "max_iterations": 5000}
    best = fit_many(features, problems, **options)
    quick = fit_many(features, problems, solver="quick", **options)
    for one, other in zip(quick, best, strict=True):
        distance = (one.objective - other.objective) / other.objective
        assert 0 <= distance + 1e-5 < 0.02
        assert distance <= one.gap + 1e-5
        assert not one.converged
    assert (quick[1].coefficients == 0).any()


def test_quick_does_not_mind_the_scale_of_activations():
    x, y = words(2000, 12, 4, seed=7, outlier=False)
    small, large = (
        fit_many(Features(x * scale), [Problem(y, 1e-9, 1e-9)], solver="quick")[0].objective
        for scale in (1e-3, 1e3)
    )
    assert small == pytest.approx(large, rel=1e-3)


def test_adam_is_the_recipe_step_by_step():
    x, y = words(600, 5, 3, seed=8)
    x = x.astype(np.float32)
    recipe = Recipe(2, 32, 1e-3, 0.9, 0.999, proximal=False, shuffle=False)
    [ours] = fit_many(Features(x), [Problem(y, 0.6, 1.2)], solver="adam", recipe=recipe, seed=3)
    generator = torch.Generator().manual_seed(3)
    bound = 1 / np.sqrt(5)
    first = torch.rand((6, 1, 3), generator=generator)[:, 0] * (2 * bound) - bound
    w, b = first[:-1].T.clone().requires_grad_(), first[-1].clone().requires_grad_()
    adam = torch.optim.Adam([w, b], lr=1e-3)
    for _ in range(2):
        for start in range(0, 600, 32):
            part = slice(start, start + 32)
            scores = torch.from_numpy(x[part]) @ w.T + b
            loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y[part]))
            loss = loss + 0.6 / 600 * w.abs().sum() + 1.2 / 600 * w.square().sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
    np.testing.assert_allclose(ours.coefficients, w.detach().numpy(), atol=2e-3)
    assert (ours.coefficients != 0).all()


def test_steps_of_the_quick_solver_follow_the_number_of_words():
    for n in (50, 500, 20_000, 1_000_000):
        passes, size = schedule(Recipe(), n)
        assert passes * -(-n // size) >= 280
        assert 32 <= size <= 512
    assert schedule(Recipe(), 1_000_000)[0] == 3
    assert schedule(NEUROX, 1000) == (10, 32)


def test_groups_change_nothing(monkeypatch):
    x, y = words(300, 6, 3, seed=9)
    problems = [Problem(y, l1, 1.0) for l1 in (0.1, 1.0, 10.0)]
    together = fit_many(Features(x), problems, tolerance=1e-8, max_iterations=9999)
    monkeypatch.setattr(solver_module, "STATE", 1)
    apart = fit_many(Features(x), problems, tolerance=1e-8, max_iterations=9999)
    for one, other in zip(together, apart, strict=True):
        assert one.objective == pytest.approx(other.objective, rel=1e-8)


def test_blocks_kept_or_read_again_give_the_same_bytes():
    x, y = words(3000, 6, 3, seed=10)
    for solver in ("fista", "quick"):
        kept, read = (
            fit_many(Features(x, cache=cache), [Problem(y, 1.0, 1.0)], solver=solver)[0]
            for cache in (1 << 30, 0)
        )
        assert kept.coefficients.tobytes() == read.coefficients.tobytes()


def test_the_estimator_passes_its_choices_on():
    x, y = words(400, 6, 3, seed=11)
    forms = [
        ElasticNetProbe(2.0, 5.0, penalty=form, tolerance=1e-8, max_iterations=9999).fit(x, y)
        for form in ("squared", "neurox")
    ]
    for probe, form in zip(forms, ("squared", "neurox"), strict=True):
        reached = value(x, y, probe.coef_, probe.intercept_, 2.0, 5.0, form)
        assert reached == pytest.approx(probe.objective_, rel=1e-9)
    assert np.abs(forms[0].coef_ - forms[1].coef_).max() > 0.01
    one, two = (ElasticNetProbe(solver="quick", random_state=s).fit(x, y) for s in (1, 2))
    assert not np.array_equal(one.coef_, two.coef_)
    assert (ElasticNetProbe(solver="adam", passes=1).fit(x, y).coef_ != 0).all()
    with pytest.raises(InputError, match="did you mean 'fista'"):
        fit_many(Features(x), [Problem(y, 1, 1)], solver="fistta")
