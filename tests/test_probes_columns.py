"""Label columns probed together come out byte for byte as alone, interrupted or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tunescope as ts
from stores import store_from_arrays
from test_probes_layerwise import files_of
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.probes import columns as columns_module
from tunescope.probes import layerwise, solver
from tunescope.probes.columns import Tasks
from tunescope.probes.features import Features
from tunescope.probes.objective import evaluate, gradients
from tunescope.probes.problem import Problem, first_weights, make_batch
from tunescope.probes.solver import fit_many

QUICK: dict[str, Any] = {"l1": 0.5, "l2": 0.5, "resamples": 50}


@pytest.fixture(scope="module")
def words() -> Corpus:
    """Three columns of 2, 3 and 9 labels; the last has none for every fifth word."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(9, size=(120, 8))
    forms = [[f"w{k}.{rng.integers(30)}" for k in row] for row in drawn]
    labels = {
        "fine": [[f"f{k}" for k in row] for row in drawn],
        "coarse": [[f"c{k % 3}" for k in row] for row in drawn],
        "some": [[None if n % 5 == 0 else f"s{k % 2}" for n, k in enumerate(row)] for row in drawn],
    }
    return Corpus.from_sentences(forms, labels)


def made(words: Corpus, path, model: str, seed: int) -> ts.ActivationStore:
    rng = np.random.default_rng(seed)
    fine = np.unique(words.values("fine").astype(str), return_inverse=True)[1]
    layers = [rng.normal(size=(words.n_words, 12)) + s * np.eye(9, 12)[fine] for s in (1, 2, 3)]
    return store_from_arrays(path, words, layers, model)


@pytest.fixture(scope="module")
def store(words, tmp_path_factory) -> ts.ActivationStore:
    return made(words, tmp_path_factory.mktemp("columns") / "store", "one", 1)


@pytest.fixture(scope="module")
def alone(store) -> dict[str, dict[str, str]]:
    out = store.path.parent / "alone"
    return {
        label: files_of(ts.probe(store, label, out / label, **QUICK).path)
        for label in ("fine", "coarse", "some")
    }


def test_together_is_alone_byte_for_byte_and_words_are_read_once(
    store, alone, tmp_path, monkeypatch
):
    fit, fitted = layerwise.fit_many, []

    def counted(features, problems, **options):
        fitted.append([len(problems), *options["parts"]])
        return fit(features, problems, **options)

    monkeypatch.setattr(layerwise, "fit_many", counted)
    found = ts.probe_columns(store, {name: tmp_path / name for name in alone}, **QUICK)
    assert {name: files_of(probes.path) for name, probes in found.items()} == alone
    # Two columns of the same words in one fit a layer, the third, of other words, by itself.
    assert fitted == [[8, 4, 4]] * 3 + [[4, 4]] * 3


def test_an_interrupted_run_goes_on_with_what_is_missing(store, alone, tmp_path, monkeypatch):
    folders = {name: tmp_path / name for name in alone}
    ts.probe(store, "coarse", folders["coarse"], **QUICK)
    fit, fitted = layerwise.fit_many, []

    def dies_at_the_third(*args, **options):
        fitted.append(options["parts"])
        if len(fitted) == 3:
            raise KeyboardInterrupt
        return fit(*args, **options)

    monkeypatch.setattr(layerwise, "fit_many", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        ts.probe_columns(store, folders, **QUICK)
    found = ts.probe_columns(store, folders, **QUICK)
    assert {name: files_of(probes.path) for name, probes in found.items()} == alone
    assert fitted == [[4]] * 7, "something done was fitted again"
    ts.probe_columns(store, folders, **QUICK)
    assert len(fitted) == 7


def test_columns_that_do_not_fit_the_memory_together_come_out_the_same(
    store, alone, tmp_path, monkeypatch
):
    monkeypatch.setattr(solver, "STATE", 14 * 4 * 13 * 36 + 1)  # the widest column and no more
    found = ts.probe_columns(store, {name: tmp_path / name for name in alone}, **QUICK)
    assert {name: files_of(probes.path) for name, probes in found.items()} == alone


def test_splits_and_control_labels_are_made_once_for_all_models(
    store, words, tmp_path, monkeypatch
):
    make, seen = columns_module.ProbingTask, []

    def counted(store, label, *args, **options):
        seen.append(label)
        return make(store, label, *args, **options)

    monkeypatch.setattr(columns_module, "ProbingTask", counted)
    other = made(words, tmp_path / "store", "two", 2)
    tasks, labels = Tasks(), ("fine", "coarse")
    for number, each in enumerate((store, other)):
        folders = {name: tmp_path / f"{number}" / name for name in labels}
        shared = ts.probe_columns(each, folders, tasks=tasks, **QUICK)
    assert seen == ["fine", "coarse"]
    fresh = ts.probe(other, "fine", tmp_path / "fresh", **QUICK)
    assert files_of(fresh.path) == files_of(shared["fine"].path)
    # Another seed, or other words, are another task.
    before = len(seen)
    tasks.of(store, "fine", np.arange(store.n_words), ts_step(seed=1))
    tasks.of(store, "fine", np.arange(store.n_words - 8), ts_step())
    assert len(seen) == before + 2


def ts_step(**options):
    from tunescope.steps import Probe

    return Probe(**{**QUICK, **options})


def test_a_column_at_fault_is_said_before_anything_is_fitted(store, tmp_path):
    with pytest.raises(InputError, match="no label column 'fin'"):
        ts.probe_columns(store, {"coarse": tmp_path / "a", "fin": tmp_path / "b"}, **QUICK)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_pass_is_that_of_autograd(dtype):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(700, 6)).astype(dtype)
    features = Features(x)
    problems = [[Problem(rng.permutation(np.arange(700) % k), 1, 1) for _ in range(2)]
                for k in (2, 5)]  # fmt: skip
    parts = []
    for group in problems:
        batch = make_batch(features, group, "squared")
        noise = torch.from_numpy(rng.normal(size=(7, 2, group[0].width)).astype(dtype))
        parts.append((batch, first_weights(features, batch) + noise))
    values = torch.cat([block for _, block in features.blocks()])
    close = {"rtol": 1e-4, "atol": 1e-3} if dtype is np.float32 else {"rtol": 1e-9, "atol": 1e-9}
    for (batch, weights), gradient, point in zip(
        parts, gradients(features, parts), evaluate(features, parts), strict=True
    ):
        w = weights.clone().requires_grad_()
        scores = torch.einsum("nd,dpk->npk", values, w[:-1]) + w[-1]
        loss = -scores.log_softmax(2).gather(2, batch.labels(slice(0, 700))).sum((0, 2))
        [truth] = torch.autograd.grad(loss.sum(), w)
        p = scores.detach().softmax(2)
        torch.testing.assert_close(gradient, truth, **close)
        torch.testing.assert_close(point.gradient, truth, **close)
        torch.testing.assert_close(point.loss, loss.detach().double(), **close)
        torch.testing.assert_close(point.entropy, torch.special.entr(p).sum(0).double(), **close)
        torch.testing.assert_close(point.spread, (p * (1 - p)).sum(0), **close)


def test_parts_are_the_lengths_of_the_problems():
    x = np.random.default_rng(0).normal(size=(60, 3))
    problems = [Problem(np.arange(60) % 2, 1, 1), Problem(np.arange(60) % 3, 1, 1)]
    apart = fit_many(Features(x), problems, parts=[1, 1])
    for fit, problem in zip(apart, problems, strict=True):
        [own] = fit_many(Features(x), [problem])
        assert (fit.coefficients == own.coefficients).all() and fit.gap == own.gap
    for wrong in ([1], [1, 1, 1], [2, 0]):
        with pytest.raises(InputError, match="not the lengths of 2 problems"):
            fit_many(Features(x), problems, parts=wrong)
