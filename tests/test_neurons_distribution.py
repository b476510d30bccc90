"""Counts of selected neurons are exact, and localisation has its extremes where it should."""

from __future__ import annotations

import numpy as np
import pytest

from tunescope.activations.matrix import WordMatrix
from tunescope.errors import InputError
from tunescope.neurons.distribution import layer_table, sharing_table, tag_sets, tag_table
from tunescope.neurons.localisation import MEASURES, concentration, gini, jaccard, localisation
from tunescope.neurons.ranking import Ranking
from tunescope.neurons.selectivity import Bootstrap
from tunescope.neurons.words import LabelledWords, Part


def words(widths: list[int], classes: str = "abc") -> LabelledWords:
    """Words whose activations do not matter here."""
    layers = [np.zeros((1, width), np.float32) for width in widths]
    none = np.zeros(0, np.int64)
    part = Part(WordMatrix(layers, none), none, none.reshape(0, 0), none.astype(object), none)
    return LabelledWords("made", "tag", "model", tuple(classes), part, part, part)


def ranked(tag_scores: np.ndarray) -> Ranking:
    tag_scores = np.asarray(tag_scores, float)
    return Ranking.of_scores("made", tag_scores.sum(0), tag_scores)


def as_lists(sets: list[np.ndarray]) -> list[list[int]]:
    return [columns.tolist() for columns in sets]


def test_top_neurons_of_a_tag_hold_the_mass_asked_for():
    # Two of NeuroX's published cases.
    assert as_lists(tag_sets(ranked([[5, 1, 1], [1, 10, 1]]), mass=0.5)) == [[0], [1]]
    scores = ranked([[4, 3, 2, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0.3, 0.6, 0.1]])
    assert as_lists(tag_sets(scores, mass=0.7)) == [[0, 1], [], [3, 2]]
    assert as_lists(tag_sets(scores, mass=1)) == [[0, 1, 2, 3], [], [3, 2, 4]]
    assert as_lists(tag_sets(scores, n=2)) == [[0, 1], [], [3, 2]]
    # Coefficients that are zero do not make a neuron one of the top.
    assert as_lists(tag_sets(scores, n=5)) == [[0, 1, 2, 3], [], [3, 2, 4]]
    for wrong in ({}, {"n": 1, "mass": 0.5}, {"n": 0}, {"mass": 0.0}, {"mass": 1.2}):
        with pytest.raises(InputError):
            tag_sets(scores, **wrong)


def test_neurons_are_counted_per_layer_beside_what_chance_gives():
    made = words([2, 4, 2])
    ranking = ranked(np.tile([8, 1, 7, 6, 2, 3, 4, 5], (3, 1)))
    table = layer_table(made, ranking, ranking.top(4))
    assert table["layer"].tolist() == [0, 1, 2]
    assert table["selected"].tolist() == [1, 2, 1]
    assert table["share"].tolist() == [0.25, 0.5, 0.25]
    assert table["chance"].tolist() == [0.25, 0.5, 0.25]
    assert set(table["scaling"]) == {"raw"}


def test_neurons_are_counted_per_tag_and_layer_and_by_how_many_tags_share_them():
    made = words([2, 2, 2])
    sets = [np.array([0, 1, 2]), np.array([1, 2]), np.array([2])]
    ranking = ranked(np.ones((3, 6)))
    table = tag_table(made, ranking, sets)
    wide = table.pivot(index="tag", columns="layer", values="selected")
    assert wide.to_numpy().tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
    shared = sharing_table(made, ranking, sets)
    assert shared["n_tags"].tolist() == [1, 2, 3]
    assert shared["neurons"].tolist() == [1, 1, 1]
    assert not len(sharing_table(made, ranking, [np.zeros(0, int)] * 3).query("neurons > 0"))
    with pytest.raises(InputError, match="2 sets of neurons for 3 labels"):
        tag_table(made, ranking, sets[:2])


def values(table) -> dict[str, float]:
    return dict(zip(table["index"], table["value"], strict=True))


def planted(layer_of_tag: list[int], *, shared: bool, width: int = 50) -> Ranking:
    """Ten neurons for each tag, in the layer of the tag; the same for all tags, or their own."""
    scores = np.zeros((len(layer_of_tag), 4 * width))
    for tag, layer in enumerate(layer_of_tag):
        start = layer * width + (0 if shared else 10 * tag)
        scores[tag, start : start + 10] = np.arange(10, 0, -1)
    return ranked(scores)


def test_localisation_has_its_extremes_where_it_should():
    made = words([50] * 4, "abcd")
    share = 10 / 200
    together = localisation(made, planted([2] * 4, shared=True), share=share)
    assert together["index"].tolist() == list(MEASURES)
    found = values(together)
    assert found["layer_concentration"] == found["tag_layer_concentration"] == 1
    assert found["disjointness"] == 0
    # A layer for each tag: each is concentrated, all of them are not.
    own = values(localisation(made, planted([0, 1, 2, 3], shared=True), share=share))
    assert own["layer_concentration"] == pytest.approx(0)
    assert own["tag_layer_concentration"] == 1
    assert own["disjointness"] == 1
    side = values(localisation(made, planted([2] * 4, shared=False), share=share))
    assert side["disjointness"] == 1
    assert side["layer_concentration"] == 1


def test_neurons_that_are_random_measure_what_chance_measures():
    rng = np.random.default_rng(0)
    made = words([100] * 5, "abcdefghijkl")
    table = localisation(made, ranked(np.abs(rng.normal(size=(12, 500)))), share=0.1, draws=50)
    assert (np.abs(table["value"] - table["chance"]) < 0.02).all()
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert table["high"].max() <= 1
    again = localisation(made, ranked(np.abs(np.random.default_rng(0).normal(size=(12, 500)))),
                         share=0.1, draws=50)  # fmt: skip
    assert again.equals(table)


def test_a_localised_model_is_told_from_a_spread_one():
    rng = np.random.default_rng(1)
    made = words([100] * 5, "abcdefgh")
    noise = np.abs(rng.normal(size=(8, 500)))
    common = ranked(noise + 5 * (rng.random(500) < 0.02))
    localised = noise.copy()
    for tag in range(8):
        localised[tag, 200 + 10 * tag : 210 + 10 * tag] += 20
    spread, sharp = (
        localisation(made, ranking, share=0.02).set_index("index")
        for ranking in (common, ranked(localised))
    )
    assert (sharp["low"] > spread["high"]).all()
    assert spread.loc["disjointness", "value"] < spread.loc["disjointness", "chance"]


def test_tags_without_any_neuron_do_not_count():
    made = words([50] * 4, "abcde")
    four = planted([0, 1, 2, 3], shared=True)
    five = ranked(np.concatenate([four.tag_scores, np.zeros((1, 200))]))
    assert values(localisation(made, five, share=0.05)) == values(
        localisation(made, four, share=0.05)
    )
    with pytest.raises(InputError, match="for 1 tags; overlap needs two"):
        localisation(made, ranked(np.stack([four.tag_scores[0], np.zeros(200)])))


def test_the_coefficients_behind_the_measures():
    assert concentration(np.array([[1, 1], [2, 0], [3, 1]]))[:2].tolist() == [0, 1]
    three = 1 + (0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2)
    assert concentration(np.array([[3, 1]]))[0] == pytest.approx(three)
    assert concentration(np.array([[7]])).tolist() == [1]
    assert gini(np.array([[1, 1, 1, 1], [0, 0, 5, 0], [0, 0, 0, 0]])).tolist() == [0, 0.75, 0]
    normal = np.abs(np.random.default_rng(0).normal(size=(1, 100_000)))
    assert gini(normal)[0] == pytest.approx(2**0.5 - 1, abs=0.003)
    overlap = jaccard([np.array([0, 1]), np.array([1, 2, 3]), np.array([5])], 6)
    np.testing.assert_allclose(overlap, [[1, 0.25, 0], [0.25, 1, 0], [0, 0, 1]])


def test_two_tags_have_values_but_no_interval():
    made = words([50] * 4, "ab")
    table = localisation(made, planted([0, 1], shared=True), share=0.05,
                         bootstrap=Bootstrap(resamples=50))  # fmt: skip
    assert table["value"].notna().all()
    assert table[["low", "high"]].isna().all(axis=None)
