"""Rank, select, reduce and intervene on neurons that are known: what comes out."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
import pytest

import tunescope as ts
from neuron_steps import (
    KINDS,
    TELLING,
)
from planted import (
    PLANTED,
    TAGS,
    WIDTH,
    planted_columns,
)
from tunescope.errors import InputError
from tunescope.neurons.rankings import RANKINGS
from tunescope.neurons.result import (
    NeuronRankings,
    NeuronSets,
)
from tunescope.steps.neurons import RankingName

# --- what comes out ------------------------------------------------------------------------------


def test_the_names_of_rankings_are_those_that_parameters_take():
    assert get_args(RankingName) == tuple(RANKINGS)


@pytest.mark.parametrize("scaling", ["raw", "zscored"])
@pytest.mark.parametrize("name", TELLING)
def test_planted_neurons_lead_every_ranking(made, name, scaling):
    ranking = made["rank"].ranking(name, scaling)
    assert sorted(ranking.top(6)) == planted_columns()
    assert sorted(ranking.order) == list(range(3 * WIDTH))


@pytest.mark.parametrize("name", ["mean_select", "average_precision", "iou"])
def test_planted_neurons_lead_for_their_label(made, name):
    ranking, classes = made["rank"].ranking(name), made["rank"].facts["classes"]
    for place, neurons in PLANTED.items():
        order = ranking.tag_orders[classes.index(TAGS[place])]
        assert {f"{c // WIDTH}:{c % WIDTH}" for c in order[:2]} == set(neurons)


def test_a_random_ranking_does_not_know_them(made):
    assert len(np.intersect1d(made["rank"].ranking("random").top(6), planted_columns())) < 4


def test_tables_of_a_ranking_count_the_planted_neurons(made):
    ranked = made["rank"]
    layers = ranked.frame("layers").query("ranking == 'lca' and scaling == 'raw'")
    assert layers["selected"].tolist() == [0, 3, 3]
    tags = ranked.frame("tags").query("ranking == 'mean_select' and scaling == 'raw'")
    found = tags.pivot(index="tag", columns="layer", values="selected")
    assert found.loc[list(TAGS)].to_numpy().tolist() == [[0, 1, 1], [0, 2, 0], [0, 0, 2]]
    sharing = ranked.frame("sharing").query("ranking == 'mean_select' and scaling == 'raw'")
    assert sharing.loc[sharing["n_tags"] == 1, "neurons"].tolist() == [6]
    places = ranked.frame("localisation")
    assert len(places) and places[["low", "high"]].isna().all(axis=None), "only three tags"
    summary = ranked.frame("agreement_summary").query("s == 10 and scaling == 'raw'")
    voted = summary.set_index("ranking")["neuron_vote"]
    assert voted.drop("random").min() > voted["random"]


def test_the_search_chose_one_point_and_the_probe_has_it(made):
    ranked = made["rank"]
    for scaling in ("raw", "zscored"):
        table = ranked.search(scaling)
        assert len(table) == 9
        assert table["chosen"].sum() == 1
        point = table.loc[table["chosen"], ["l1", "l2"]].to_dict("records")
        found = ranked.facts["probe"][scaling]
        assert point == [{"l1": found["l1"], "l2": found["l2"]}]
        assert found["gap"] is None or found["gap"] > 0
        assert not found["converged"]
        coefficients, intercepts = ranked.probe(scaling)
        assert coefficients.shape == (2, 3, 3 * WIDTH)
        assert intercepts.shape == (2, 3)
        words = ranked.words(ts.ActivationStore.load(ranked.path.parent / "store"))
        words = words.zscored() if scaling == "zscored" else words
        scores = np.asarray(words.test.x) @ coefficients[0].T + intercepts[0]
        accuracy = np.mean(scores.argmax(1) == words.test.targets)
        whole = made["select"].frame("ablation").query("order == 'all' and scaling == @scaling")
        assert whole["accuracy"].tolist() == [accuracy]


def test_the_minimal_set_is_a_few_planted_neurons(made):
    table = made["select"].frame("minimal")
    assert table["scaling"].tolist() == ["raw"] * 2 + ["zscored"] * 2
    assert table["delta"].tolist() == [1, 3] * 2
    assert table["n"].between(2, 6).all()
    assert table["reached"].all()
    assert (table["dev_accuracy"] >= table["oracle_dev"] - table["delta"] / 100).all()
    assert (table["accuracy"] > table["random_high"]).all()
    assert (table["random_accuracy"] > table["bottom_accuracy"] - 0.15).all()


def test_keeping_the_top_is_better_than_keeping_others(made):
    table = made["select"].frame("ablation").query("within == 'overall' and share == 0.2")
    mean = table.groupby(["scaling", "how", "order"])["accuracy"].mean()
    for scaling in ("raw", "zscored"):
        for how in ("masked", "retrained"):
            of = mean[scaling, how]
            assert of["top"] > 0.9
            assert of["top"] > of["random"] + 0.1
            assert of["random"] > of["bottom"] - 0.05


def test_curves_have_every_ranking_and_classifier(made):
    table = made["select"].frame("curve")
    assert set(table["ranking"]) == {*TELLING, "random"}
    assert set(table["classifier"]) == {"linear", "gaussian"}
    at = table.query("order == 'top' and n == 6").groupby("ranking")["test_accuracy"].min()
    assert at.drop("random").min() > 0.9 > at["random"]


def test_selectivity_compares_all_with_the_sets(made):
    table = made["select"].frame("selectivity")
    seeds = sorted({name[-1] for name in table["set"] if name.startswith("random")})
    sets = ["all"]
    for delta in (1, 3):
        sets.append(f"top, delta {delta}")
        sets += [f"random, delta {delta}, seed {seed}" for seed in seeds]
    assert table.query("scaling == 'raw'")["set"].tolist() == sets
    np.testing.assert_allclose(
        table["selectivity"], table["accuracy"] - table["control_accuracy"], atol=1e-9
    )


def test_what_is_left_of_a_model_is_where_the_label_is(made):
    table = made["reduce"].frame("redundancy")
    assert table["stage"].tolist() == ["oracle", "layers", "clusters", "features"]
    assert table["neurons"].is_monotonic_decreasing
    assert table["neurons"].iloc[0] == 3 * WIDTH
    kept = made["reduce"].facts["neurons"]
    assert len(kept) == table["neurons"].iloc[-1]
    named = {neuron for neurons in PLANTED.values() for neuron in neurons}
    assert set(kept) <= named


def test_effects_are_of_top_and_random_neurons(made):
    table = made["intervene"].frame("effects")
    assert set(table["neurons"]) == {"none", "top", "random"}
    assert set(table["k"]) == {0, 2, 6}
    assert made["intervene"].facts["kind"] == "masked"
    assert made["intervene"].facts["n_sentences"] == 10
    source, target = made["intervene"].facts["direction"]
    assert {source, target} < set(TAGS)
    against = made["intervene"].frame("against_random")
    assert against["p"].min() == pytest.approx(1 / 3), "two draws can say no more"


def test_measured_sentences_are_of_the_ranking_s_test_words(made):
    """Neurons are chosen on training and dev words: their effect is to be seen on others."""
    ranked = made["rank"]
    words = ranked.words(ts.ActivationStore.load(ranked.path.parent / "store"))
    units = made["intervene"].facts
    assert units["n_sentences"] <= len(np.unique(words.test.sentences))


# --- results as objects --------------------------------------------------------------------------


@pytest.mark.parametrize("step", KINDS)
def test_results_come_back_from_their_folder(made, step):
    result = made[step]
    again = KINDS[step].load(str(result.path))
    assert type(result) is KINDS[step]
    assert again.manifest == result.manifest
    assert again.names == result.names
    for name in result.names:
        pd.testing.assert_frame_equal(again.frame(name), result.frame(name))
        assert len(result.frame(name))
    for title, table in result.tables().items():
        assert title in result.shown
        pd.testing.assert_frame_equal(table, result.frame(title))
    assert result.table().equals(result.frame(next(iter(result.tables()))))
    assert (result.corpus, result.label, result.model) == ("planted", "tag", "made")


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("rank", "Rankings of 96 neurons for 'tag' in 'planted', made (8 methods; raw: l1 = "),
        ("select", "%) of 96 by lca come within 1 of all (test accuracy "),
        ("reduce", " layers and 2 neurons keep an accuracy of 0.9"),
        ("intervene", "for 'tag' in 'planted', made: the model predicts masked words"),
    ],
)
def test_results_show_themselves(made, step, said):
    result = made[step]
    assert said in result.headline()
    assert "\n" not in result.headline()
    assert repr(result) == f"<{KINDS[step].__name__}: {result.headline()}>"
    text, html = str(result), result._repr_html_()
    for title in result.tables():
        assert f"\n{title}\n" in text
        assert f"<h4>{title}</h4>" in html
    assert "<b>" not in html, "labels are text"


def test_views_are_of_the_top_neurons_of_every_label(made):
    ranked = made["rank"]
    ranking = ranked.ranking("lca")
    best = {int(ranking.order[0]), *ranking.tag_orders[:, 0].tolist()}
    views = ranked.views()
    assert {view.neuron.layer * WIDTH + view.neuron.index for view in views} == best
    rows = np.load(ranked.path / "rows.npy")
    assert {view.n_words for view in views} == {len(rows)}
    assert {view.labels[0] for view in views} == {"tag"}


def test_what_is_not_there_is_named_with_what_is_near(made, tmp_path):
    ranked = made["rank"]
    with pytest.raises(InputError, match="no ranking 'probless'; did you mean 'probeless'"):
        ranked.ranking("probless")
    for ask in (ranked.search, ranked.probe, lambda scaling: ranked.ranking("lca", scaling)):
        with pytest.raises(InputError, match="'zscore'; did you mean 'zscored'"):
            ask("zscore")
    for step, wrong, near in (
        ("rank", "layer", "layers"), ("select", "minimum", "minimal"),
        ("reduce", "redundant", "redundancy"), ("intervene", "effect", "effects"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"no table '{wrong}'; did you mean '{near}'"):
            made[step].frame(wrong)
    with pytest.raises(InputError, match="written by step 'rank'; give a folder of 'select'"):
        NeuronSets.load(ranked.path)
    with pytest.raises(InputError, match="is missing"):
        NeuronRankings.load(tmp_path)
