"""Ablation finds planted neurons, and does not take a layer of noise for their rank."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons.ablation import ablation, right_when_masked
from tunescope.neurons.classifiers import LinearClassifier
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap, pool_seeds
from tunescope.neurons.words import LabelledWords, Part

FEW = Bootstrap(resamples=100)
PROBE = LinearClassifier(l1=1e-3, l2=1e-3)
WIDTH, K = 20, 4
STRENGTH = np.concatenate([np.linspace(2, 0.3, WIDTH), np.linspace(2, 0.3, WIDTH), np.zeros(WIDTH)])
"""How far apart the classes lie in each neuron; the last of three layers is noise."""


@pytest.fixture(scope="module")
def words() -> LabelledWords:
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], size=(K, 3 * WIDTH))
    offset = rng.normal(scale=3, size=3 * WIDTH)
    parts = {}
    for name, n in {"train": 1200, "dev": 200, "test": 600}.items():
        targets = rng.integers(K, size=n)
        x = rng.normal(size=(n, 3 * WIDTH)) + STRENGTH / 2 * signs[targets] + offset
        layers = np.split(x.astype(np.float32), 3, axis=1)
        none = np.zeros((0, n), np.int64)
        forms, sentences = np.full(n, "w", object), np.arange(n) // 8
        parts[name] = Part(WordMatrix(layers, np.arange(n)), targets, none, forms, sentences)
    return LabelledWords("made", "tag", "model", tuple("abcd"), **parts).zscored()


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return Ranking.of_scores("made", STRENGTH, np.tile(STRENGTH, (K, 1)))


@pytest.fixture(scope="module")
def table(words, ranking):
    return ablation(words, [ranking], PROBE, bootstrap=FEW)


def test_every_choice_has_its_row(table):
    rest = table[table["order"] != "all"]
    keys = ["share", "within", "order", "how", "seed"]
    assert not rest.duplicated(keys).any()
    assert len(rest) == 3 * 2 * (1 + 3 + 1) * 2
    assert rest.groupby("share")["n"].unique().map(list).to_dict() == {0.1: [6], 0.15: [9],
                                                                       0.2: [12]}  # fmt: skip
    [whole] = table[table["order"] == "all"].to_dict("records")
    assert whole["n"] == 3 * WIDTH
    assert whole["accuracy"] > 0.95
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()
    assert set(table["scaling"]) == {"zscored"}


def test_top_holds_more_than_random_and_random_more_than_bottom(table):
    pooled = pool_seeds(table).set_index(["within", "how", "share", "order"])["accuracy"]
    for how in ("masked", "retrained"):
        for share in (0.1, 0.15, 0.2):
            top, random, bottom = (
                pooled["overall", how, share, order] for order in ("top", "random", "bottom")
            )
            assert top > random + 0.1
            assert random > bottom + 0.05
            assert bottom < 0.35, "noise of the last layer: chance is a quarter"


def test_bottom_within_layers_is_not_the_layer_of_noise(table):
    found = table[(table["order"] == "bottom") & (table["how"] == "retrained")]
    found = found.set_index(["share", "within"])["accuracy"]
    for share in (0.1, 0.15, 0.2):
        assert found[share, "layer"] > found[share, "overall"] + 0.05


def test_rows_of_random_neurons_are_pooled_with_the_draw_in_the_interval(table):
    pooled = pool_seeds(table)
    assert len(pooled) == len(table) - 2 * len(pooled[pooled["order"] == "random"])
    one = (table["order"] == "random") & (table["how"] == "masked") & (table["share"] == 0.1)
    rows = table[one & (table["within"] == "overall")]
    assert rows["seed"].tolist() == [0, 1, 2]
    drawn = pooled[(pooled["order"] == "random") & (pooled["how"] == "masked")]
    [row] = drawn[(drawn["share"] == 0.1) & (drawn["within"] == "overall")].to_dict("records")
    assert row["seeds"] == 3
    assert row["accuracy"] == pytest.approx(rows["accuracy"].mean())
    # Student's t for three draws: 4.30 standard errors on either side.
    spread = 4.3027 * rows["accuracy"].std() / 3**0.5
    half = row["accuracy"] - rows["low"].mean()
    low = max(0, row["accuracy"] - np.hypot(half, spread))
    assert row["low"] == pytest.approx(low, abs=1e-4)
    top = pooled[pooled["order"] == "top"].drop(columns="seeds")
    again = table[table["order"] == "top"].drop(columns="seed")
    assert top.reset_index(drop=True)[again.columns].equals(again.reset_index(drop=True))


def test_masking_is_zeroing_the_activations(words):
    [probe] = PROBE.fit(words, [np.arange(3 * WIDTH)], tasks="task")
    kept = np.array([40, 3, 4])
    x = np.asarray(words.test.x)
    zeroed = np.zeros_like(x)
    zeroed[:, kept] = x[:, kept]
    predicted = (zeroed @ probe.coefficients[0].T + probe.intercepts[0]).argmax(1)
    [right, none] = right_when_masked(probe, words.test, [kept, np.zeros(0, int)])
    assert np.array_equal(right, predicted == words.test.targets)
    assert np.array_equal(none, words.test.targets == probe.intercepts[0].argmax())


def test_a_given_probe_is_not_fitted_again(words, ranking, table):
    class Counting(LinearClassifier):
        def fit(self, *args, **options):
            raise AssertionError("fitted")

    [probe] = PROBE.fit(words, [np.arange(3 * WIDTH)], tasks="task")
    masked = ablation(words, [ranking, ranking], Counting(), oracle=probe, how=("masked",),
                      bootstrap=FEW)  # fmt: skip
    expected = table[table["how"] == "masked"].reset_index(drop=True)
    assert masked.iloc[: len(expected)].equals(expected)
    assert len(masked) == 2 * len(expected)
    [part] = PROBE.fit(words, [np.arange(5)], tasks="task")
    with pytest.raises(InputError, match="not the 60 neurons"):
        ablation(words, [ranking], PROBE, oracle=part)
