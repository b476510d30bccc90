"""Figures of study 2 draw what the tables say, and say of a missing cell why it is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import vl_convert

from tunescope.report.figures import neuron_shift, transfer
from tunescope.report.figures.style import specification


def made(rows: tuple[str, ...] = ("sst", "mnli"), layers: int = 5) -> pd.DataFrame:
    cells = [
        {"row": row, "layer": layer, "difference": d, "low": d - 0.01, "high": d + 0.01,
         "p_holm": 0.01 if d < -0.04 else 0.9, "label": "upos"}
        for n, row in enumerate(rows) for layer in range(layers) for d in [-0.03 * n * layer]
    ]  # fmt: skip
    return pd.DataFrame(cells)


def drawn(chart: Any) -> str:
    """The chart as SVG: a specification that Vega-Lite refuses is an error here."""
    return vl_convert.vegalite_to_svg(specification(chart, 560))


def test_cells_have_points_and_their_significance():
    cells = transfer.cells_of(made())
    sure = cells.set_index(["row", "layer"])
    assert sure.loc[("mnli", 4), "points"] == "−12"
    assert sure.loc[("mnli", 2), "points"] == "−6.0"
    assert sure.loc[("sst", 3), "points"] == "0"
    assert sure["significant"].sum() == 3
    assert cells["row"].tolist() == ["sst"] * 5 + ["mnli"] * 5


def test_what_is_missing_is_hatched_and_says_why():
    failed: dict[str, Any] = dict.fromkeys(("layer", "difference", "low", "high", "p_holm"), np.nan)
    table = pd.concat(
        [made().drop(index=7), pd.DataFrame([{"row": "rte", "reason": "out of memory", **failed}])]
    )
    cells = transfer.cells_of(table)
    assert len(cells) == 15
    rte = cells[cells["row"] == "rte"]
    assert rte["layer"].tolist() == [0, 1, 2, 3, 4] and set(rte["reason"]) == {"out of memory"}
    gone = cells[(cells["row"] == "mnli") & (cells["layer"] == 2)]
    assert gone["reason"].tolist() == ["not there"]
    assert cells[cells["difference"].notna()]["reason"].isna().all()
    assert drawn(transfer.matrix(table)).count(transfer.HATCH) == 6


def test_a_panel_of_nothing_but_failures_is_drawn():
    table = pd.DataFrame([{"row": "rte", "layer": np.nan, "difference": np.nan, "low": np.nan,
                           "high": np.nan, "p_holm": np.nan, "reason": "no"}])  # fmt: skip
    assert transfer.HATCH in drawn(transfer.matrix(table))


def test_panels_share_their_colours():
    other = made().assign(label="sem", difference=lambda t: 3 * t["difference"])
    panels = transfer.matrices(pd.concat([made(), other]), "label")
    assert list(panels) == ["upos", "sem"]
    ends = {
        name: chart().to_dict()["layer"][0]["encoding"]["color"]["scale"]["domain"]
        for name, chart in panels.items()
    }
    assert ends["upos"] == ends["sem"] == pytest.approx([-0.36, 0, 0.36])


def test_numbers_are_left_out_where_cells_are_too_narrow():
    wide = drawn(transfer.matrix(made()))
    many = drawn(transfer.matrix(made(layers=25)))
    assert "−6.0" in wide and "−6.0" not in many


def test_all_tasks_of_a_base_are_drawn_with_the_base_first():
    curves = pd.DataFrame(
        [
            {"model": model, "layer": layer, "accuracy": 0.9, "low": 0.88, "high": 0.92,
             "majority": 0.2}
            for model in ("bert-sst2", "bert", "bert-mnli") for layer in range(3)
        ]
    )  # fmt: skip
    chart = transfer.curves(curves, "bert", tasks={"bert-sst2": "SST-2"})
    [domain] = {tuple(part["encoding"]["color"]["scale"]["domain"])
                for part in chart.to_dict()["layer"]}  # fmt: skip
    assert domain == ("bert", "SST-2", "bert-mnli")
    assert "SST-2" in drawn(chart)


def test_neurons_are_drawn_by_layer_shift_and_overlap():
    layers = pd.DataFrame(
        {"base": "b", "tuned": "t", "layer": range(3), "base_selected": [1, 4, 5],
         "tuned_selected": [5.0, 4.0, 1.0], "seed_sd": [2.0, 0.5, 1.5], "chance": 1 / 3}
    )  # fmt: skip
    chart = neuron_shift.by_layer(layers).to_dict()
    assert drawn(neuron_shift.by_layer(layers)) != drawn(
        neuron_shift.by_layer(layers.assign(seed_sd=np.nan))
    )
    lows = [row["low"] for data in chart["datasets"].values() for row in data
            if row.get("low") is not None]  # fmt: skip
    assert min(lows) == 0, "a number of neurons is never below 0"
    columns = ["tag", "base_layer", "tuned_layer", "shift", "low", "high"]
    shift = pd.DataFrame([("N", 1.5, 1.0, -0.5, -1.0, 0.0), ("V", *[np.nan] * 5)], columns=columns)
    assert ">N<" in drawn(neuron_shift.shifts(shift)) and ">V<" not in drawn(
        neuron_shift.shifts(shift)
    )
    rows = [
        {"pair": pair, "n_a": n, "overlap": 0.3, "chance": 0.01, "chance_high": 0.02,
         "layer_chance": 0.05, "layer_chance_high": 0.08, "layer_p": 0.001}
        for n in (1000, 50) for pair in ("base-tuned", "tuned-tuned")
    ]  # fmt: skip
    picture = drawn(neuron_shift.overlap(pd.DataFrame(rows)))
    assert picture.index(">50<") < picture.index(">1,000<")
    assert "two tuning runs" in picture
