"""The search for penalties scores what the paper's formula says, on dev words alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons import search as module
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.orders import n_of_share
from tunescope.neurons.rankings.lca import lca_order
from tunescope.neurons.search import sample_sentences, search_lambdas
from tunescope.neurons.words import UNSEEN, LabelledWords, Part
from tunescope.probes.problem import Fit, Problem

PROVEN = LinearClassifier(solver="fista", tolerance=1e-7, max_iterations=600)
GRID = [(1e-2, 1e-3), (0.0, 0.3), (0.05, 0.0)]
D, K = 10, 3


def part(n: int, seed: int) -> Part:
    """Columns 2, 5 and 8 tell the three labels, ever less clearly; the rest is noise."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(K, size=n)
    x = rng.normal(size=(n, D))
    for column, clear in ((2, 2.0), (5, 1.5), (8, 1.0)):
        x[:, column] += clear * (targets == column // 3)
    halves = np.split(x.astype(np.float32), [4], axis=1)
    forms = np.array([f"w{i}" for i in range(n)], object)
    return Part(WordMatrix(halves, np.arange(n)), targets, np.zeros((0, n), int), forms,
                np.arange(n) // 5)  # fmt: skip


@pytest.fixture(scope="module")
def words() -> LabelledWords:
    nan = WordMatrix([np.full((1, D), np.nan, np.float32)], np.arange(1))
    test = replace(part(1, 9), x=nan)  # a search that reads test words fails
    return LabelledWords("c", "l", "m", ("a", "b", "c"), part(300, 0), part(150, 1), test)


def accuracy(part: Part, coefficients: np.ndarray, intercepts: np.ndarray) -> float:
    scores = np.asarray(part.x) @ coefficients.T + intercepts
    return float((scores.argmax(1) == part.targets).mean())


def by_hand(words: LabelledWords, l1: float, l2: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit one probe by another solver: scikit-learn's, of the loss summed over words."""
    n, both = len(words.train), l1 + 2 * l2
    settings: dict[str, Any] = (
        {"C": 1 / (n * both), "l1_ratio": l1 / both} if both else {"C": np.inf}
    )
    if both:
        settings |= {"solver": "saga", "penalty": "elasticnet"}
    found = LogisticRegression(tol=1e-8, max_iter=20_000, **settings)
    found.fit(np.asarray(words.train.x, np.float64), words.train.targets)
    return found.coef_, np.asarray(found.intercept_)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("how", ["masked", "retrained"])
def test_the_score_is_the_papers(words, how):
    share, found = 0.3, {}
    m = n_of_share(share, D)
    assert m == 3
    plain = accuracy(words.dev, *by_hand(words, 0, 0))
    for point in GRID:
        coefficients, intercepts = by_hand(words, *point)
        order = lca_order(np.where(np.abs(coefficients) < 1e-6, 0, coefficients))[0]
        parts = {}
        for name, kept in (("top", order[:m]), ("bottom", order[-m:])):
            only = np.isin(np.arange(D), kept)
            if how == "masked":
                parts[name] = accuracy(words.dev, coefficients * only, intercepts)
            else:
                alone = replace(words, train=replace(words.train, x=words.train.x.columns(kept)))
                fit = by_hand(alone, *point)
                dev = replace(words.dev, x=words.dev.x.columns(kept))
                parts[name] = accuracy(dev, *fit)
        whole = accuracy(words.dev, coefficients, intercepts)
        score = 0.5 * (parts["top"] - parts["bottom"]) - 0.5 * (plain - whole)
        found[point] = (score, whole, parts["top"], parts["bottom"])
    table = search_lambdas(words, GRID, PROVEN, share=share, how=how).table
    assert [*zip(table["l1"], table["l2"], strict=True)] == GRID, "(0, 0) is not of the grid"
    named = table[["score", "accuracy", "top", "bottom"]].to_numpy()
    # Solvers differ in the last digits, so that a word or two may fall on the other side.
    np.testing.assert_allclose(named, [found[point] for point in GRID], atol=2.01 / 150)
    assert table["unregularised"].tolist() == pytest.approx([plain] * 3, abs=2.01 / 150)
    exact = 0.5 * (table["top"] - table["bottom"]) - 0.5 * (
        table["unregularised"] - table["accuracy"]
    )
    np.testing.assert_allclose(table["score"], exact)
    assert table["chosen"].tolist() == (table["score"] == table["score"].max()).tolist()
    assert table["zeros"].iloc[2] > 0.5
    assert table["zeros"].iloc[1] == 0
    assert table["gap"].max() < 1e-6


def test_masked_keeps_a_trained_probe_and_retrained_trains_anew(words):
    """A neuron that only corrects another is worth something kept together, nothing alone."""
    masked, again = (
        search_lambdas(words, [(0.0, 1e-3)], PROVEN, share=0.3, how=how).table.iloc[0]
        for how in ("masked", "retrained")
    )
    assert masked["accuracy"] == again["accuracy"]
    assert masked["bottom"] != again["bottom"]
    assert again["top"] >= again["bottom"] + 0.3


def with_fits(monkeypatch, coefficients: dict[tuple[float, float], np.ndarray], n: int) -> None:
    """Let each point have the coefficients given."""

    def made(_features, problems: list[Problem], **_options) -> list[Fit]:
        points = [(round(p.l1 / n, 9), round(p.l2 / n, 9)) for p in problems]
        return [Fit(coefficients[point], np.zeros(K), n * 1.5, 0.0, 1, True) for point in points]

    monkeypatch.setattr(module, "fit_many", made)


def test_among_equal_scores_the_largest_penalties_win(words, monkeypatch):
    """Penalties that cost nothing are for the better: fewer neurons have weight."""
    same = np.eye(K, D)
    grid = [(0.1, 0.0), (0.1, 0.2), (0.0, 0.5), (0.05, 0.9)]
    with_fits(monkeypatch, dict.fromkeys([(0.0, 0.0), *grid], same), len(words.train))
    found = search_lambdas(words, grid, PROVEN)
    assert (found.l1, found.l2) == (0.1, 0.2)
    assert found.table["chosen"].tolist() == [False, True, False, False]
    assert found.table["objective"].tolist() == [1.5] * 4
    assert found.table["zeros"].tolist() == pytest.approx([1 - K / (K * D)] * 4)


def test_no_penalties_are_a_point_where_the_grid_has_them_and_a_baseline_anyway(words):
    without = search_lambdas(words, [(0.05, 0.0)], PROVEN).table
    both = search_lambdas(words, [(0.05, 0.0), (0.0, 0.0), (0.05, 0.0)], PROVEN).table
    assert both[["l1", "l2"]].to_numpy().tolist() == [[0, 0], [0.05, 0]], "each once"
    assert without["unregularised"].iloc[0] == both["accuracy"].iloc[0]
    assert without["score"].iloc[0] == both["score"].iloc[1]
    assert both["score"].iloc[0] == 0.5 * (both["top"].iloc[0] - both["bottom"].iloc[0])


def test_words_of_labels_not_seen_in_training_count_as_wrong(words):
    unseen = np.where(np.arange(150) % 3 == 0, UNSEEN, words.dev.targets)
    hidden = replace(words, dev=replace(words.dev, targets=unseen))
    table = search_lambdas(hidden, [(1e-3, 0.0)], PROVEN).table
    known = search_lambdas(replace(words, dev=words.dev.take(unseen >= 0)), [(1e-3, 0.0)], PROVEN)
    assert table["accuracy"].iloc[0] == pytest.approx(known.table["accuracy"].iloc[0] * 2 / 3)


def test_the_sample_is_of_whole_sentences(words):
    train = words.train
    sample = sample_sentences(train, 52, 3)
    assert len(sample) == 50, "50 words are ten sentences of five; an eleventh is too much"
    assert (np.unique(sample.sentences, return_counts=True)[1] == 5).all()
    assert sample.forms.tolist() == train.forms[np.isin(train.sentences, sample.sentences)].tolist()
    np.testing.assert_array_equal(np.asarray(sample.x), np.asarray(train.x)[sample.x.rows])
    np.testing.assert_array_equal(sample.targets, train.targets[sample.x.rows])
    assert np.array_equal(sample_sentences(train, 52, 3).sentences, sample.sentences)
    assert not np.array_equal(sample_sentences(train, 52, 4).sentences, sample.sentences)
    assert sample_sentences(train, None, 0) is sample_sentences(train, 300, 0) is train
    assert len(sample_sentences(train, 2, 0)) == 5, "one sentence, even if it is longer"


def test_only_the_sample_is_fitted(words):
    sample = sample_sentences(words.train, 60, 5)
    by_sample = search_lambdas(replace(words, train=sample), GRID, PROVEN).table
    assert search_lambdas(words, GRID, PROVEN, max_words=60, seed=5).table.equals(by_sample)
    assert not search_lambdas(words, GRID, PROVEN).table.equals(by_sample)


def test_a_class_that_the_sample_lacks_is_never_predicted(words):
    targets = np.where(words.train.sentences == 7, 2, words.train.targets % 2)
    rare = replace(words, train=replace(words.train, targets=targets))
    seed = next(s for s in range(99) if 7 not in sample_sentences(rare.train, 30, s).sentences)
    found = search_lambdas(rare, GRID, PROVEN, max_words=30, seed=seed)
    third = (words.dev.targets == 2).mean()
    assert found.table["accuracy"].max() <= 1 - third
    assert found.table["score"].notna().all()


def test_the_same_search_finds_the_same(words):
    quick = LinearClassifier(seed=4)
    assert search_lambdas(words, GRID, quick).table.equals(search_lambdas(words, GRID, quick).table)


def test_progress_is_passed_on(words):
    said = []
    search_lambdas(words, GRID, LinearClassifier(), progress=lambda *step: said.append(step))
    assert said


def test_what_cannot_be_searched_is_said(words):
    with pytest.raises(InputError, match="needs dev words; set dev_share, or give l1 and l2"):
        search_lambdas(replace(words, dev=words.dev.take(slice(0))), GRID, PROVEN)
    with pytest.raises(InputError, match="grid of penalties is empty"):
        search_lambdas(words, [], PROVEN)
    with pytest.raises(InputError, match="above 0 and at most 1"):
        search_lambdas(words, GRID, PROVEN, share=0.0)
