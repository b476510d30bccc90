"""Figures and findings of study 1, from made tables with known contents."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import vl_convert

from neuron_tables import (
    FACTS,
    LAYERS,
    NEURONS,
    RANKINGS,
    UPOS,
    made_tables,
    nothing_reached,
    one_ranking,
)
from tunescope.neurons.selectivity import pool_seeds
from tunescope.report.figures import neurons_agreement as draw_agreement
from tunescope.report.figures import neurons_layers as draw_layers
from tunescope.report.figures import neurons_sets as draw_sets
from tunescope.report.figures import neurons_use as draw_use
from tunescope.report.figures.neurons import choose, number_axis
from tunescope.report.figures.style import specification
from tunescope.report.neurons import findings
from tunescope.report.neurons.inputs import facts_of, tables_of
from tunescope.report.neurons.sections import across, figures
from tunescope.viewer.frame import embedded_json


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return made_tables()


def rows(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart."""
    return [row for part in specification(chart)["datasets"].values() for row in part]


# --- all figures ---------------------------------------------------------------------------------


def test_every_figure_says_what_it_shows(tables: dict[str, pd.DataFrame]) -> None:
    made = figures(tables, FACTS)
    names = [figure.name for figure in made]
    assert len(set(names)) == len(names) == 20
    for figure in made:
        assert len(figure.caption) > 60
        assert figure.source == FACTS.source
        assert len(figure.table) == len(figure.rows()) > 0
        assert 1 <= len(figure.charts) <= 8
        for spec in figure.specifications():
            assert all(spec["datasets"].values())
            embedded_json(spec)  # the page takes no NaN
    spoken = " ".join(figure.caption for figure in made)
    for word in ("25,000 test words", "95% confidence", "3 draws", "Dotted", "By chance", "0.05%"):
        assert word in spoken


def test_charts_become_images_of_print_and_of_narrow_width(tables: dict[str, pd.DataFrame]) -> None:
    chart = draw_layers.by_layer(choose(tables["layers"], ranking="lca"))
    for width in (560, 340):
        svg = vl_convert.vegalite_to_svg(specification(chart, width))
        assert f'width="{width}"' in svg
        assert len(vl_convert.svg_to_png(svg)) > 1000


def _no(table: str, **where: Any) -> Any:
    def change(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        column, value = next(iter(where.items()))
        return {table: made[table][made[table][column] != value]}

    return change


def _no_controls(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    gone = dict.fromkeys(("selectivity", "selectivity_low", "selectivity_high"), np.nan)
    return {
        "minimal": made["minimal"].assign(**gone, selectivity_all=np.nan),
        "curve": made["curve"].assign(control_accuracy=np.nan, selectivity=np.nan),
    }


def _one_size(made: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {
        "curve": choose(made["curve"], n=100),
        "effects": choose(made["effects"], k=100),
        "minimal": choose(made["minimal"], delta=1.0),
    }


@pytest.mark.parametrize(
    "change",
    [
        _no("curve", order="bottom"),
        _no("curve", order="random"),
        _no("ablation", order="bottom"),
        _no("ablation", order="random"),
        _no("ablation", order="all"),
        _no("ablation", within="layer"),
        _no("ablation", how="masked"),
        _no("effects", neurons="random"),
        nothing_reached,
        _no_controls,
        _one_size,
        lambda made: {},
        lambda made: {name: table[:0] for name, table in made.items()},
    ],
)
def test_figures_and_findings_do_without_what_is_missing(change: Any) -> None:
    made = change(one_ranking())
    found = figures(made, dataclasses.replace(FACTS, majority=None, ranking="none", tag_counts={}))
    for figure in found:
        for spec in figure.specifications():
            embedded_json(spec)
    assert len(findings.findings(made, FACTS)) <= 8
    assert bool(found) == any(len(table) for table in made.values())


def test_one_model_and_one_label_compare_nothing(tables: dict[str, pd.DataFrame]) -> None:
    assert across([(FACTS, tables)]) == []
    assert findings.findings_across([(FACTS, tables)]) == []


# --- single figures ------------------------------------------------------------------------------


def test_curve_pools_random_draws_and_draws_the_baselines(tables: dict[str, pd.DataFrame]) -> None:
    table = choose(tables["curve"], scaling="raw", classifier="linear", ranking="lca")
    drawn = rows(draw_sets.curve(table, oracle=0.96, majority=0.17))
    at = {row["measure"]: row["at"] for row in drawn if "at" in row}
    assert at == {"all neurons": 0.96, "majority": 0.17}
    random = {row["n"]: row for row in drawn if row.get("order") == "random"}
    pooled = pool_seeds(choose(table, order="random"), "test_accuracy").set_index("n")
    assert len(random) == len(pooled)
    for n, row in random.items():
        assert row["seeds"] == 3
        for name in ("test_accuracy", "low", "high"):
            assert row[name] == pytest.approx(pooled.loc[n, name])


@pytest.mark.parametrize("where", [{"ranking": "lca"}, {"ranking": "random", "order": "top"}])
def test_random_neurons_are_found_wherever_they_stand(where: dict[str, str]) -> None:
    start = {"n": 5, "test_accuracy": 0.5, "seed": 0}
    own = {"ranking": "probeless", "order": "top", **start}
    table = pd.DataFrame([own, {"order": "random", **start, **where}])
    assert set(draw_sets.curve_rows(table, "probeless")["order"]) == {"top", "random"}


def test_axis_is_logarithmic_where_numbers_span_much() -> None:
    assert number_axis([10, 9984]).to_dict()["scale"]["type"] == "log"
    assert "type" not in number_axis([100, 200]).to_dict()["scale"]
    assert "type" not in number_axis([0, 9984]).to_dict()["scale"]


def test_ablation_draws_all_neurons_as_a_line(tables: dict[str, pd.DataFrame]) -> None:
    table = choose(tables["ablation"], scaling="raw", ranking="lca", within="overall", how="masked")
    drawn = rows(draw_sets.ablation(table, oracle=0.96))
    assert [row["at"] for row in drawn if "at" in row] == [0.96]
    points = {(row["kept"], row["order"]) for row in drawn if "kept" in row}
    shares = ("10%", "15%", "20%")
    assert points == {(s, o) for s in shares for o in ("top", "random", "bottom")}


def test_sizes_say_what_was_not_reached() -> None:
    table = choose(one_ranking()["minimal"], ranking="lca").assign(reached=[False, True, True])
    written = [row["written"] for row in rows(draw_sets.sizes(table, "delta", "scaling"))]
    assert written == ["not reached", "330 (3.3%)", "180 (1.8%)"]


def test_layer_figure_shows_shares_beside_chance(tables: dict[str, pd.DataFrame]) -> None:
    drawn = rows(draw_layers.by_layer(choose(tables["layers"], ranking="lca")))
    bars = pd.DataFrame([row for row in drawn if "scaled" in row]).drop_duplicates()
    assert bars.groupby("scaled")["share"].sum().tolist() == pytest.approx([1, 1])
    assert set(bars["chance"]) == {1 / LAYERS}


def test_hundreds_of_tags_are_cut_to_the_most_frequent() -> None:
    counts = {f"(S\\NP{n})/NP": n for n in range(300)}
    made = one_ranking(tags=counts)
    facts = dataclasses.replace(FACTS, tag_counts=counts, n_labels=300)
    found = {figure.name.split("-")[0]: figure for figure in figures({"tags": made["tags"]}, facts)}
    (draw,) = found["tags"].charts.values()
    chart = draw()
    assert {row["tag"] for row in rows(chart)} == {f"(S\\NP{n})/NP" for n in range(260, 300)}
    assert "the 40 most frequent tags of 300" in found["tags"].caption
    assert len(specification(chart)["layer"]) == 1  # too many cells for numbers


def test_tags_stand_from_low_layers_to_high_ones() -> None:
    table = pd.DataFrame({"tag": list("aabbcc"), "layer": [0, 1] * 3})
    table = table.assign(selected=[1, 3, 4, 0, 2, 2], scaling="raw", ranking="lca")
    chart = draw_layers.by_tag_and_layer(table).to_dict()
    assert chart["layer"][0]["encoding"]["y"]["sort"] == ["b", "c", "a"]


def test_sharing_puts_many_tags_together() -> None:
    table = pd.DataFrame({"scaling": "raw", "n_tags": range(1, 31), "neurons": 1})
    drawn = {row["tags"]: row["neurons"] for row in rows(draw_layers.sharing(table))}
    assert drawn["15+"] == 16
    assert sum(drawn.values()) == 30


def test_matrix_is_whole_from_half_of_its_pairs() -> None:
    table = pd.DataFrame({"a": ["x", "x", "y"], "b": ["y", "random", "random"],
                          "overlap": [0.5, 0.0, 0.1]})  # fmt: skip
    drawn = {(row["a"], row["b"]): row["percent"] for row in rows(draw_agreement.matrix(table))}
    assert drawn[("x", "y")] == drawn[("y", "x")] == "50"
    assert drawn[("random", "x")] == "0"
    assert len(drawn) == 6


def test_search_frames_the_point_chosen(tables: dict[str, pd.DataFrame]) -> None:
    spec = draw_use.search(tables["search"]).to_dict()
    framed = spec["datasets"][spec["layer"][-1]["data"]["name"]]
    best = tables["search"]["score"].max()
    assert [row["score"] for row in framed] == [best]


def test_effects_leave_the_unedited_model_out(tables: dict[str, pd.DataFrame]) -> None:
    table = choose(tables["effects"], measure="accuracy")
    drawn = rows(draw_use.effects(table[table["action"].isin(["none", "zero"])], shares=True))
    assert {row["neurons"] for row in drawn if "neurons" in row} == {"top", "random"}
    scaled = draw_use.by_amount(choose(table, action="scale"))
    assert [amount for amount, _ in scaled] == [0.5, 2.0]
    assert draw_use.strongest(choose(table, action="scale")) == 2.0
    assert draw_use.is_share("accuracy")
    assert not draw_use.is_share("log_probability")


def test_tables_and_facts_come_from_results(tables: dict[str, pd.DataFrame]) -> None:
    known = {"n_neurons": NEURONS, "layers": list(range(LAYERS)), "classes": list(UPOS),
             "words": {"train": 200000, "dev": 20000, "test": 25000}, "majority": 0.17}  # fmt: skip
    made = {"confidence": 0.95, "resamples": 1000, "control_seeds": 3, "selected": 0.04,
            "tag_neurons": 50}  # fmt: skip
    ranked: Any = SimpleNamespace(
        model="bert", corpus="news", label="upos", facts=known, rankings=RANKINGS,
        manifest=SimpleNamespace(parameters=made), scalings=("raw", "zscored"),
        search=lambda scaling: tables["search"], names=("layers", "tags"), frame=tables.get,
    )  # fmt: skip
    asked = {"kind": "masked", "n_units": 600, "n_sentences": 500, "direction": ["NOUN", "VERB"]}
    effects: Any = SimpleNamespace(names=("effects",), frame=tables.get, facts=asked)
    found = tables_of(ranked, effects, None)
    assert set(found) == {"layers", "tags", "effects", "search"}
    facts = facts_of(ranked, FACTS.source, effects, UPOS)
    assert dataclasses.replace(facts, selected="", of_tag="", asked="", direction=()) == (
        dataclasses.replace(FACTS, selected="", of_tag="")
    )
    captions = {figure.name: figure.caption for figure in figures(found, facts)}
    assert "the first 4% of a ranking" in captions["layers-bert-news-upos"]
    effect = captions["effects-accuracy-bert-news-upos"]
    assert "moved from the mean of NOUN towards that of VERB" in effect
    assert "600 hidden subwords of 500 sentences" in effect
    assert "zscored" not in captions["search-bert-news-upos"]
    assert "raw l1 = 0.0001, l2 = 0; z-scored" in captions["search-bert-news-upos"]


def test_the_ranking_shown_is_the_one_asked_for(tables: dict[str, pd.DataFrame]) -> None:
    assert FACTS.main(tables["curve"]) == "lca"
    assert dataclasses.replace(FACTS, ranking="iou").main(tables["curve"]) == "iou"
    assert dataclasses.replace(FACTS, ranking="none").main(tables["curve"]) == RANKINGS[0]
