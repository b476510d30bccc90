"""Layers, clusters and features: what is planted is kept, and nothing is fitted twice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons.ccfs import ccfs, select_features
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.layer_selector import select_layers
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap
from tunescope.neurons.words import LabelledWords, Part

WIDTH = 8
SIZES = (900, 400, 400)
QUICK = Bootstrap(resamples=100)


def layers(signal: tuple[float, ...], seed: int = 0) -> LabelledWords:
    """Layers of noise; neurons 0 to 2 of each tell the label with some strength."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(3, size=sum(SIZES))
    values = [
        rng.normal(size=(len(targets), WIDTH)) + s * np.eye(3, WIDTH)[targets] for s in signal
    ]
    return words_of(values, targets)


def words_of(values: list[np.ndarray], targets: np.ndarray) -> LabelledWords:
    parts, start = [], 0
    for size in SIZES:
        rows = np.arange(start, start + size)
        sentences = rows // 8
        forms = rows.astype(str).astype(object)
        controls = np.zeros((0, size), np.int64)
        parts.append(Part(WordMatrix(values, rows), targets[rows], controls, forms, sentences))
        start += size
    return LabelledWords("made", "tag", "planted", ("A", "B", "C"), *parts)


@dataclass(frozen=True)
class Counting(LinearClassifier):
    """Keeps the sets it has fitted, by the number of neurons of the words and their places."""

    fitted: list[tuple[int, frozenset[int]]] = field(default_factory=list)

    def fit(self, words, sets, *, tasks="both"):
        self.fitted.extend((words.n_neurons, frozenset(map(int, columns))) for columns in sets)
        return super().fit(words, sets, tasks=tasks)


def planted_first(evidence) -> Ranking:
    """Stand in for LCA: neurons 0 to 2 of a layer first."""
    assert evidence.coefficients.shape == (3, evidence.words.n_neurons)
    scores = (evidence.words.train.x.index_of < 3).astype(float)
    return Ranking.of_scores("planted", scores, np.tile(scores, (3, 1)))


@pytest.mark.parametrize(("signal", "kept"), [((4, 4, 4), 1), ((0, 4, 4), 2), ((0, 0.5, 4), 3)])
def test_the_lowest_layers_that_suffice_are_kept(signal, kept):
    words, classifier = layers(signal), Counting()
    found = select_layers(words, classifier)
    assert found.n_layers == kept
    assert found.columns.tolist() == list(range(WIDTH * kept))
    assert found.demand == pytest.approx(0.98 * found.oracle.dev_accuracy)
    table = found.table()
    assert table["layers"].tolist() == sorted({*range(1, kept + 1), 3})
    assert table["neurons"].tolist() == (WIDTH * table["layers"]).tolist()
    assert np.all(table.loc[table["layers"] < kept, "dev_accuracy"] < found.demand)
    assert table.loc[table["kept"], "layers"].tolist() == [kept]
    assert len(classifier.fitted) == len(set(classifier.fitted)) == len(table)


def test_an_oracle_that_is_known_is_not_fitted_again():
    words, classifier = layers((0, 0.5, 4)), Counting()
    first = select_layers(words, classifier)
    classifier.fitted.clear()
    second = select_layers(words, classifier, oracle=first.oracle)
    assert [len(columns) for _, columns in classifier.fitted] == [WIDTH, 2 * WIDTH]
    assert second.outcome is first.oracle
    assert second.fit is None
    assert second.table().equals(first.table())


def test_a_wide_tolerance_needs_the_embedding_layer_alone():
    assert select_layers(layers((0.5, 1, 4)), tolerance=0.9).n_layers == 1


def test_the_smallest_set_of_top_neurons_is_kept():
    words, classifier = layers((6, 0)), Counting()
    found = select_features(words, classifier, rank=planted_first, increment=1)
    # Neurons 8 to 10, of the second layer, are ranked as high and tell nothing.
    assert found.ranking.order[:6].tolist() == [0, 1, 2, 8, 9, 10]
    assert found.columns.tolist() in ([0, 1], [0, 1, 2])  # two of three contrasts give the third
    assert found.outcome.dev_accuracy >= found.demand
    smaller = [o for n, o in found.tried.items() if n < len(found.columns)]
    assert smaller
    assert all(o.dev_accuracy < found.demand for o in smaller)
    assert len(classifier.fitted) == len(set(classifier.fitted))


def test_all_neurons_are_kept_where_none_can_go():
    words, classifier = layers((1,)), Counting()
    found = select_features(words, classifier, rank=planted_first, increment=100)
    assert sorted(found.columns.tolist()) == list(range(WIDTH))
    assert len(classifier.fitted) == 1


@pytest.fixture(scope="module")
def repeated() -> LabelledWords:
    """Layer 1 repeats five neurons of layer 0 with other signs and adds two; layer 2 is noise."""
    rng = np.random.default_rng(3)
    targets = rng.integers(3, size=sum(SIZES))
    lowest = rng.normal(size=(len(targets), WIDTH))
    lowest[:, :2] += 2.5 * np.eye(3, 2)[targets]
    middle = -lowest + 1e-2 * rng.normal(size=lowest.shape)
    middle[:, 3:6] = rng.normal(size=(len(targets), 3))
    middle[:, 3:5] += 3 * np.eye(3)[targets][:, 1:]
    return words_of([lowest, middle, rng.normal(size=lowest.shape)], targets)


def test_three_stages_leave_few_neurons_that_do_as_well(repeated):
    classifier = Counting()
    result = ccfs(repeated, classifier, increment=1, bootstrap=QUICK)
    table = result.table()
    assert table["stage"].tolist() == ["oracle", "layers", "clusters", "features"]
    assert table["layers"].tolist() == [3, 2, 2, 2]
    assert table["neurons"].tolist()[:3] == [24, 16, 11]
    assert 2 <= table["neurons"].iloc[3] < 8
    assert table["dev_accuracy"].min() >= 0.96 * table["dev_accuracy"].iloc[0]
    assert np.all(table["low"] < table["accuracy"])
    assert np.all(table["accuracy"] < table["high"])
    assert table["random_accuracy"].iloc[0] == table["accuracy"].iloc[0]
    assert table["random_high"].iloc[3] >= table["random_accuracy"].iloc[3]
    assert table["accuracy"].iloc[3] > table["random_accuracy"].iloc[3] + 0.1
    sets = classifier.fitted
    assert len(sets) == len(set(sets)), "a set was fitted twice"
    assert len(result.neurons) == table["neurons"].iloc[3]
    assert np.isin(result.neurons, result.layers.columns[result.clusters.representatives]).all()
    signalling = {0, 1, 8, 9, 11, 12}
    assert set(result.neurons[:2].tolist()) <= signalling
    assert "of 24 neurons, from 2 of 3 layers" in result.headline()


def test_the_neurons_kept_have_the_accuracy_reported(repeated):
    classifier = LinearClassifier(1e-5, 1e-5)
    result = ccfs(repeated, increment=1, bootstrap=QUICK, seeds=[0])
    for neurons, row in ((result.neurons, 3), (result.layers.columns, 1)):
        [outcome] = classifier.judge(repeated, [neurons], tasks="task")
        assert outcome.accuracy == pytest.approx(result.stages["accuracy"].iloc[row], abs=0.01)
    drawn = np.random.default_rng(0).permutation(24)[: len(result.neurons)]
    [outcome] = classifier.judge(repeated, [drawn], tasks="task")
    random = result.stages["random_accuracy"].iloc[3]
    assert outcome.accuracy == pytest.approx(random, abs=0.01)


def test_the_same_seed_gives_the_same_table(repeated):
    options = {"choose": "random", "increment": 4, "bootstrap": QUICK, "seeds": (5,), "seed": 4}
    first, second = (ccfs(repeated, **options) for _ in range(2))
    assert first.table().equals(second.table())
    assert first.neurons.tolist() == second.neurons.tolist()
    other = ccfs(repeated, **{**options, "seed": 1})
    assert other.layers.columns.tolist() == first.layers.columns.tolist()
    assert other.clusters.representatives.tolist() != first.clusters.representatives.tolist()


def test_nothing_correlated_nothing_fitted_again():
    classifier = Counting()
    result = ccfs(layers((4, 4)), classifier, rank=planted_first, increment=4, bootstrap=QUICK)
    assert result.stages["neurons"].tolist()[:3] == [16, 8, 8]
    assert result.stages["accuracy"].iloc[1] == result.stages["accuracy"].iloc[2]
    assert classifier.fitted.count((16, frozenset(range(8)))) == 1


def test_what_cannot_be_selected_is_said(repeated):
    without = replace(repeated, dev=repeated.dev.take(slice(0, 0)))
    for function in (select_layers, select_features, ccfs):
        with pytest.raises(InputError, match="no dev words; raise dev_share"):
            function(without)
    with pytest.raises(InputError, match="tolerance = 2"):
        select_layers(repeated, tolerance=2)
    with pytest.raises(InputError, match="tolerance = 1"):
        ccfs(repeated, feature_tolerance=1)
    with pytest.raises(InputError, match="at least one seed"):
        ccfs(repeated, seeds=())
