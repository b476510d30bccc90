"""Minimal sets have as many neurons as were planted; curves hold every combination once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons.classifiers import LinearClassifier, PlainClassifier, nested_groups
from tunescope.neurons.curves import accuracy_curves
from tunescope.neurons.minimal import candidate_sizes, minimal_sets, search
from tunescope.neurons.orders import arrange, n_of_share
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.rankings.gaussian_model import GaussianClassifier
from tunescope.neurons.selectivity import Bootstrap
from tunescope.neurons.words import LabelledWords, Part

FEW = Bootstrap(resamples=100)
PROBE = LinearClassifier(l1=1e-4, l2=1e-4)
SIZES = {"train": 800, "dev": 200, "test": 400}
BITS, COPIES, D = 3, 3, 30


def coded_words(controls: int = 2) -> LabelledWords:
    """Eight classes; columns 0-2 hold bit 0, 3-5 bit 1, 6-8 bit 2; the rest is noise."""
    rng = np.random.default_rng(0)
    parts = {}
    for name, n in SIZES.items():
        targets = rng.integers(1 << BITS, size=n)
        x = rng.normal(size=(n, D))
        bits = targets[:, None] >> np.arange(BITS) & 1
        x[:, : BITS * COPIES] = 2 * bits.repeat(COPIES, axis=1) - 1
        x += 0.2 * rng.normal(size=x.shape)
        layers = np.split(x.astype(np.float32), 3, axis=1)
        parts[name] = Part(
            WordMatrix(layers, np.arange(n)), targets, rng.integers(1 << BITS, size=(controls, n)),
            np.full(n, "w", object), np.arange(n) // 8,
        )  # fmt: skip
    return LabelledWords("made", "code", "model", tuple("abcdefgh"), **parts)


@pytest.fixture(scope="module")
def words() -> LabelledWords:
    return coded_words()


def ranked(name: str, first: list[int]) -> Ranking:
    """Rank some neurons first, in this order, and the others as they come."""
    order = np.array(first + [column for column in range(D) if column not in first])
    scores = np.empty(D)
    scores[order] = np.arange(D)[::-1]
    return Ranking.of_scores(name, scores, np.tile(scores, (8, 1)))


CLEAN = ranked("clean", [0, 3, 6])
COPIED = ranked("copied", [0, 1, 2, 3, 4, 5, 6])


def test_the_minimal_set_has_as_many_neurons_as_the_label_has_bits(words):
    table = minimal_sets(words, [CLEAN, COPIED], PROBE, increment=1, bootstrap=FEW)
    assert table["ranking"].tolist() == ["clean"] * 3 + ["copied"] * 3
    assert table["delta"].tolist() == [0.5, 1, 2] * 2
    # Copies are ranked as high as what they copy, and add nothing.
    assert table["n"].tolist() == [3] * 3 + [7] * 3
    assert table["reached"].all()
    np.testing.assert_allclose(table["share"], table["n"] / D)
    assert (table["dev_accuracy"] >= table["oracle_dev"] - table["delta"] / 100).all()
    assert (table["accuracy"] > 0.97).all()
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()
    assert (table["random_accuracy"] < 0.8).all()
    assert (table["random_low"] < table["random_accuracy"]).all()
    assert (table["bottom_accuracy"] < 0.3).all(), "the bottom is noise: chance is 1 in 8"
    # Control labels are drawn word by word here: only chance is to be had from any neurons.
    assert (table["selectivity"] > 0.7).all()
    assert (table["selectivity_low"] < table["selectivity"]).all()
    assert minimal_sets(words, [CLEAN, COPIED], PROBE, increment=1, bootstrap=FEW).equals(table)


def test_a_demand_that_no_small_set_meets_takes_all_neurons(words):
    last = ranked("last", [c for c in range(D) if c % 3 or c > 6] + [0, 3, 6])
    oracle = PROBE.judge(words, [np.arange(D)])[0]
    perfect = replace(oracle, dev=np.ones_like(oracle.dev))
    worse = replace(words.train, targets=np.random.default_rng(1).permutation(words.train.targets))
    table = minimal_sets(replace(words, train=worse), [last], PROBE, oracle=perfect,
                         increment=0.2, deltas=(1,), seeds=(0,), bootstrap=FEW)  # fmt: skip
    row = table.iloc[0]
    assert not row["reached"]
    assert row["n"] == D
    assert row["accuracy"] == row["random_accuracy"] == row["bottom_accuracy"] == oracle.accuracy
    assert row["selectivity"] == pytest.approx(row["selectivity_all"])


def test_relative_deltas_are_shares_of_the_oracle(words):
    half = replace(words.dev, targets=np.where(np.arange(200) % 2, words.dev.targets, -1))
    halved = replace(words, dev=half)
    wide = minimal_sets(halved, [CLEAN], PROBE, deltas=(60,), relative=True, increment=1,
                        seeds=(0,), bootstrap=FEW)  # fmt: skip
    assert wide["oracle_dev"].iloc[0] == pytest.approx(0.5, abs=0.02)
    # 40 % of the oracle's one half is 0.2; two bits of three give half of that half.
    assert wide["n"].tolist() == [2]
    points = minimal_sets(halved, [CLEAN], PROBE, deltas=(20,), increment=1, seeds=(0,),
                          bootstrap=FEW)  # fmt: skip
    assert points["n"].tolist() == [3]


def test_the_search_stops_at_the_first_set_that_is_good_enough(words):
    tried = search(words, CLEAN, PROBE, list(range(1, D)), 0.95)
    assert list(tried) == [1, 2, 3]
    assert tried[2].dev_accuracy < 0.95 <= tried[3].dev_accuracy


def test_sizes_grow_by_a_share_or_a_number():
    assert candidate_sizes(200, 0.01) == list(range(2, 200, 2))
    assert candidate_sizes(10, 4) == [4, 8]
    assert candidate_sizes(1000, 0.25) == [250, 500, 750]
    assert candidate_sizes(30, 0.01) == list(range(1, 30))
    with pytest.raises(InputError, match="above 0"):
        candidate_sizes(10, 0)


def test_what_cannot_be_searched_is_said(words):
    with pytest.raises(InputError, match="raise dev_share"):
        minimal_sets(replace(words, dev=words.dev.take(slice(0))), [CLEAN], PROBE)
    with pytest.raises(InputError, match="at least one delta"):
        minimal_sets(words, [CLEAN], PROBE, deltas=())


def test_sets_that_hold_each_other_are_fitted_together_and_come_out_the_same(words):
    order = arrange(CLEAN, words.layer_of)
    other = np.array([20, 21, 22])
    sets = [order[:6], order[:2], other, order[:3], order[:29]]
    assert nested_groups(sets) == [[1, 3, 0], [2], [4]]
    together = PROBE.judge(words, sets)
    for columns, outcome in zip(sets, together, strict=True):
        alone = PROBE.judge(words, [columns])[0]
        assert (outcome.test == alone.test).mean() > 0.99
        assert (outcome.controls == alone.controls).mean() > 0.97
        task = PROBE.judge(words, [columns], tasks="task")[0]
        assert (task.test == alone.test).mean() > 0.99
        assert task.controls.shape == (0, 400)
        controls = PROBE.judge(words, [columns], tasks="controls")[0]
        assert controls.controls.shape == (2, 400)
        assert not len(controls.test)


def test_a_fit_uses_its_own_neurons_in_the_order_of_its_columns(words):
    columns = np.array([6, 20, 0, 3])
    [fit] = PROBE.fit(words, [columns], tasks="task")
    assert fit.columns.tolist() == columns.tolist()
    assert fit.coefficients.shape == (1, 8, 4)
    scores = words.test.x[:][:, columns] @ fit.coefficients[0].T + fit.intercepts[0]
    assert np.array_equal(scores.argmax(1) == words.test.targets, fit.judge(words).test)
    assert np.abs(fit.coefficients[0][:, 1]).max() < 0.1 * np.abs(fit.coefficients[0]).max()


def test_control_labels_may_lack_a_class(words):
    controls = words.train.controls.copy()
    controls[controls == 5] = 4
    lacking = replace(words, train=replace(words.train, controls=controls))
    [fit] = PROBE.fit(lacking, [np.arange(4)])
    assert not fit.coefficients[1:, 5].any()
    assert fit.coefficients[0, 5].any()
    scores = words.test.x[:][:, :4] @ fit.coefficients[1].T + fit.intercepts[1]
    assert not (scores.argmax(1) == 5).any()


class Centroids:
    """A stand-in for any other classifier: the class with the nearest mean."""

    def fit(self, x: np.ndarray, targets: np.ndarray, n_classes: int) -> Centroids:
        self.means = np.stack([x[targets == k].mean(0) for k in range(n_classes)])
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.square(x[:, None] - self.means).sum(2).argmin(1)


def test_gaussians_of_nested_sets_are_fitted_once_and_come_out_the_same(words):
    order = arrange(COPIED, words.layer_of)
    sets = [order[:4], np.array([20, 3]), order[:12], order[:8]]
    gaussian = PlainClassifier(GaussianClassifier)
    for columns, outcome in zip(sets, gaussian.judge(words, sets), strict=True):
        alone = gaussian.judge(words, [columns])[0]
        assert np.array_equal(outcome.test, alone.test)
        assert np.array_equal(outcome.controls, alone.controls)
        own = GaussianClassifier().fit(words.train.x[:][:, columns], words.train.targets, 8)
        predicted = own.predict(words.test.x[:][:, columns])
        assert np.array_equal(outcome.test, predicted == words.test.targets)


def test_curves_hold_every_ranking_classifier_order_and_seed(words):
    classifiers = [PROBE, PlainClassifier(Centroids, "centroids")]
    said = []
    table = accuracy_curves(words, [CLEAN, COPIED], classifiers, sizes=(3, 9, 31), seeds=(0, 1, 2),
                            bootstrap=FEW, progress=said.append)  # fmt: skip
    keys = ["ranking", "classifier", "order", "seed", "n"]
    assert not table.duplicated(keys).any()
    assert len(table) == 2 * 2 * (1 + 3 + 1) * 2, "31 neurons are more than there are"
    assert len(said) == 20
    table = table.set_index(keys).sort_index()
    for classifier in ("linear", "centroids"):
        accuracy = table["test_accuracy"]
        assert accuracy["clean", classifier, "top", 0, 3] > 0.97
        assert accuracy["copied", classifier, "top", 0, 3] < 0.4
        assert accuracy["copied", classifier, "top", 0, 9] > 0.97
        assert accuracy["clean", classifier, "bottom", 0, 9] < 0.3
        same = [table.loc[name, classifier, "random"] for name in ("clean", "copied")]
        assert same[0].equals(same[1]), "a random order does not depend on the ranking"
    np.testing.assert_allclose(
        table["selectivity"], table["test_accuracy"] - table["control_accuracy"]
    )
    without = accuracy_curves(coded_words(controls=0), [CLEAN], classifiers, sizes=(3,),
                              orders=("top",), bootstrap=FEW)  # fmt: skip
    assert without[["control_accuracy", "selectivity"]].isna().all(axis=None)
    with pytest.raises(InputError, match="at least 1 neuron"):
        accuracy_curves(words, [CLEAN], classifiers, sizes=(0,))


def test_orders_are_nested_and_within_layers_take_the_same_share_of_each():
    layer_of = np.repeat([0, 1, 2], [10, 20, 40])
    scores = np.arange(70.0)  # the last layer is best
    ranking = Ranking.of_scores("made", scores, scores[None])
    assert arrange(ranking, layer_of)[:3].tolist() == [69, 68, 67]
    assert arrange(ranking, layer_of, "bottom")[:3].tolist() == [0, 1, 2]
    for order in ("top", "random", "bottom"):
        within = arrange(ranking, layer_of, order, within="layer", seed=3)
        assert sorted(within) == list(range(70))
        for n in (7, 14, 35):
            found = np.bincount(layer_of[within[:n]], minlength=3)
            assert (np.abs(found - n * np.array([1, 2, 4]) / 7) <= 1).all()
    top = arrange(ranking, layer_of, within="layer")[:7]
    assert sorted(top) == [9, 28, 29, 66, 67, 68, 69]
    one, two = (arrange(ranking, layer_of, "random", seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, two)
    assert np.array_equal(one, arrange(ranking, layer_of, "random", seed=0))
    assert n_of_share(0.1, 2688) == 269
    assert n_of_share(1e-6, 2688) == 1
    with pytest.raises(InputError, match="did you mean 'bottom'"):
        arrange(ranking, layer_of, "botom")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="70 neurons, the words have 3"):
        arrange(ranking, np.zeros(3, int))
    with pytest.raises(InputError, match="share"):
        n_of_share(1.5, 10)
