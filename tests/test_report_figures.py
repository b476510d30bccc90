"""Figures of probes and concepts draw the numbers of the results."""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert

from tunescope.report.figure import Figure
from tunescope.report.figures import concepts as concept_figures
from tunescope.report.figures import probes as probe_figures
from tunescope.report.figures.style import layer_axis, specification, styled, value_axis
from tunescope.report.sections import figures
from tunescope.study.result import Run

PAIR = ("base", "tuned")


def values(chart: Any) -> list[dict[str, Any]]:
    """Every row of data in a chart."""
    return [row for rows in specification(chart)["datasets"].values() for row in rows]


def test_accuracy_figure_draws_probe_control_and_majority(tiny_run: Run) -> None:
    tables = [tiny_run.probes["odd", "upos", model].table() for model in PAIR]
    rows = values(probe_figures.accuracy(pd.concat(tables)))
    for table, model in zip(tables, PAIR, strict=True):
        drawn = [r for r in rows if r["measure"] == "probe" and r["model"] == model]
        assert [r["accuracy"] for r in drawn] == pytest.approx(table["accuracy"].tolist())
        assert [r["low"] for r in drawn] == pytest.approx(table["accuracy_low"].tolist())
        control = [r for r in rows if r["measure"] == "control task" and r["model"] == model]
        drawn = [r["accuracy"] for r in control]
        assert drawn == pytest.approx(table["control_accuracy"].tolist())
    assert {r["measure"] for r in rows} == {"probe", "control task", "majority"}


def test_accuracy_figure_without_control_tasks(tiny_run: Run) -> None:
    table = tiny_run.probes["odd", "upos", "base"].table().assign(control_accuracy=np.nan)
    assert {row["measure"] for row in values(probe_figures.accuracy(table))} == {
        "probe",
        "majority",
    }


def test_difference_figure_fills_what_is_significant() -> None:
    table = pd.DataFrame(
        {
            "layer": [0, 1],
            "difference": [0.0, -0.1],
            "low": [-0.1, -0.2],
            "high": [0.1, -0.01],
            "p_holm": [0.05, 0.04],
        }
    )
    rows = [row for row in values(probe_figures.difference(table)) if "change" in row]
    assert [row["change"] for row in rows] == ["not significant", "p < 0.05"]


def test_retention_figure_draws_share_interval_and_null(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].retention
    rows = values(concept_figures.retention(table))
    found = [row for row in rows if row["measure"] == "retained"]
    assert [row["share"] for row in found] == pytest.approx(table["retained_share"].tolist())
    assert [row["high"] for row in found] == pytest.approx(table["retained_high"].tolist())
    null = [row["share"] for row in rows if row["measure"] != "retained"]
    assert null == pytest.approx((table["null_high"] / table["n_base"]).tolist())


def test_fates_figure_counts(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].retention
    rows = values(concept_figures.lost_and_born(table))
    for fate in ("retained", "lost", "born"):
        assert [r["concepts"] for r in rows if r["fate"] == fate] == table[fate].tolist()


def test_matrix_figure_has_every_pair_of_layers(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].matrix
    rows = values(concept_figures.matrix(table))
    drawn = {(row["base_layer"], row["tuned_layer"]): row["retained_share"] for row in rows}
    expected = table.set_index(["base_layer", "tuned_layer"])["retained_share"].to_dict()
    assert drawn == pytest.approx(expected)
    assert len(drawn) == 9


def test_a_large_matrix_has_no_numbers() -> None:
    layers = [(b, t, 0.5) for b in range(25) for t in range(25)]
    table = pd.DataFrame(layers, columns=["base_layer", "tuned_layer", "retained_share"])
    marks = [layer["mark"]["type"] for layer in concept_figures.matrix(table).to_dict()["layer"]]
    assert marks == ["rect"]


def test_polarity_figures_separate_models_and_classes(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].polarity
    whole = table[table["class"] == ""]
    rows = values(concept_figures.polarised(table))
    found = [row["concepts"] for row in rows if row["measure"] == "found"]
    assert found == whole["polarised"].tolist()
    for end in ("low", "high"):
        drawn = [row[end] for row in rows if row["measure"] == "found"]
        assert drawn == pytest.approx(whole[f"polarised_{end}"].tolist())
    null = [row["concepts"] for row in rows if row["measure"] != "found"]
    assert null == pytest.approx(whole["null_high"].tolist())
    rows = [row for row in values(concept_figures.classes(table, "tuned")) if "towards" in row]
    expected = table[(table["role"] == "tuned") & (table["class"] != "")]
    assert [row["towards"] for row in rows] == expected["class"].tolist()
    assert [row["polarised"] for row in rows] == expected["polarised"].tolist()


def test_label_figure_shows_both_models_beside_the_null(tiny_run: Run) -> None:
    table = tiny_run.alignments["odd", *PAIR].labels
    rows = values(concept_figures.aligned(table))
    found = [row["concepts"] for row in rows if row["measure"] == "found"]
    assert found == table["aligned"].tolist()


# --- findings ------------------------------------------------------------------------------------


def test_few_counts_are_labelled_with_whole_numbers_once() -> None:
    table = pd.DataFrame({"layer": [0, 1], "n": [0, 2]})
    y = value_axis("n:Q", "Concepts", "count")
    chart = styled(alt.Chart(table).mark_line().encode(layer_axis([0, 1]), y))
    svg = vl_convert.vegalite_to_svg(specification(chart, 300))
    labels = re.findall(r"<text[^>]*text-anchor=\"end\"[^>]*>([^<]*)</text>", svg)
    assert [label for label in labels if label] == ["0", "1", "2"]


def test_figure_of_one_model_alone(tiny_run: Run) -> None:
    made = figures(tiny_run, ("base", None))
    assert [figure.name.split("-")[0] for figure in made] == ["accuracy", "selectivity"] * 2
    assert all(isinstance(figure, Figure) for figure in made)
