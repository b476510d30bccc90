"""What a study of transfer found: the sentences say what the numbers say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tunescope.report.figures.forgetting import kept_neurons, upper_loss
from tunescope.report.figures.training import alike, half_way, scores
from tunescope.report.transfer import findings
from tunescope.report.transfer.inputs import over_runs, short


def forgetting(*rows: tuple[str, float, float | None, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "base": "b", "tuned": f"b-{task}", "row": task, "difference": difference,
                "low": difference - 0.01, "high": difference + 0.01, "onset": onset,
                "kept_depth": kept, "retained": 0.9,
            }
            for task, difference, onset, kept in rows
        ]
    )  # fmt: skip


def test_the_task_that_forgets_most_and_the_one_that_forgets_least_are_named():
    table = forgetting(("rte", -0.002, None, 1.0), ("sst2", -0.08, 4, 4 / 7))
    found = findings.forgotten(table, "upos in ewt")
    assert found.holds
    assert found.text == (
        "b-sst2 changes by −8.0 points (95% CI −9.0 to −7.0) in the top third of the layers, worse "
        "from layer 4 on; b-rte by −0.2 points (95% CI −1.2 to +0.8), worse from no layer on. 1 of "
        "2 tuned models are worse from some layer up."
    )


@pytest.mark.parametrize(
    "row", [("sst2", -0.08, 0, 0.0), ("sst2", -0.08, None, 1.0), ("sst2", 0.02, None, 1.0)]
)
def test_losing_everywhere_or_nowhere_is_not_the_pattern(row):
    assert not findings.forgotten(forgetting(row), "upos").holds


def test_the_base_that_keeps_deepest_comes_first():
    table = pd.concat(
        [
            forgetting(("a", -0.1, 2, 0.25), ("b", -0.1, 4, 0.5)).assign(base="xlnet"),
            forgetting(("a", -0.1, 6, 0.75), ("b", 0.0, None, 1.0)).assign(base="bert"),
        ]
    )
    found = findings.deepest(table, "upos")
    assert found.text.endswith("mean over tasks: 87.5% in bert, 37.5% in xlnet.") and found.holds


def alike_rows(*values: float) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "tuned": "t", "row": "t", "layer": n, "value": v, "low": v - 0.01, "high": v + 0.01,
                "chance": 0.0,
            }
            for n, v in enumerate(values)
        ]
    )  # fmt: skip


def test_geometry_must_fall_beyond_the_intervals():
    assert findings.geometry(alike_rows(1.0, 0.9, 0.5), "ewt").holds
    assert not findings.geometry(alike_rows(1.0, 0.5, 0.99), "ewt").holds
    assert "t 1.00 to 0.50" in findings.geometry(alike_rows(1.0, 0.9, 0.5), "ewt").text


def test_the_order_in_which_layers_change():
    halves = pd.DataFrame({"layer": range(4), "change": 0.5, "half": [np.nan, 0.6, 0.4, 0.2]})
    found = findings.order(halves, "t")
    assert found.holds and found.text.startswith(
        "Layer 3 has changed half as much as at the end after 20% of the tuning, before all "
        "others; layer 1 last, after 60%."
    )
    assert not findings.order(halves.assign(half=[0.1, 0.6, 0.4, 0.2]), "t").holds
    assert not findings.order(halves.assign(half=np.nan), "t").holds


def test_names_with_hyphens_stay_as_they_are_beside_minus_signs():
    rows = {"tuned": ["bert-sst2"], "shift": [-0.5], "low": [-0.7], "high": [-0.2]}
    found = findings.moved(pd.DataFrame(rows), "upos")
    assert "bert-sst2 −0.50 layers (95% CI −0.70 to −0.20)" in found.text and found.holds


def test_pruning_compares_as_many_top_and_bottom_blocks():
    def rows(rule: str, *scores: float) -> list[dict]:
        return [
            {"task": f"t{n}", "metric": "accuracy", "rule": rule, "score": s, "low": s - 0.05,
             "high": s + 0.05}
            for n, s in enumerate(scores)
        ]  # fmt: skip

    table = pd.DataFrame(
        rows("none", 0.9, 0.9) + rows("top:6", 0.8, 0.85) + rows("bottom:6", 0.7, 0.8)
    )
    [found] = findings.pruned(table, "layers of b")
    assert found.holds and found.topic == "layers of b, 6"
    other = pd.DataFrame(rows("top:6", 0.8, 0.85) + rows("bottom:6", 0.7, 0.9))
    assert not findings.pruned(other, "layers of b")[0].holds
    assert findings.pruned(pd.DataFrame(rows("top:3", 0.8) + rows("bottom:half", 0.7)), "b") == []


def test_of_several_runs_the_mean_is_shown_and_the_widest_interval():
    runs = [
        pd.DataFrame(
            {"corpus": "c", "base": "b", "tuned": name, "layer": [0, 1], "measure": "cka",
             "value": [1.0, v], "low": [0.9, v - 0.1], "high": [1.0, v + 0.1], "chance": 0.0,
             "permuted": 0.0, "n": 9}
        )
        for name, v in (("t", 0.4), ("t.seed1", 0.6))
    ]  # fmt: skip
    row = over_runs(runs).iloc[1]
    assert (row["value"], row["low"], row["high"]) == pytest.approx((0.5, 0.3, 0.7))
    assert row["tuned"] == "t" and over_runs(runs[:1]) is runs[0]


def test_short_names():
    assert short("bert", "bert-sst2") == "sst2"
    assert short("bert", "mine") == "mine" and short("bert", "bert-") == "bert-"


def values(chart) -> list[dict]:
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows]


def test_figures_draw_the_numbers_and_leave_out_what_is_not_there():
    table = pd.DataFrame(
        {"model": ["b-x", "b-y"], "task": ["x", "y"], "metric": ["accuracy", None],
         "seeds": [3, None], "score": [0.8, None], "low": [0.7, None], "high": [0.9, None],
         "baseline": [0.5, None]}
    )  # fmt: skip
    assert {row["model"] for row in values(scores(table))} == {"b-x"}
    drawn = values(upper_loss(forgetting(("x", -0.1, None, 1.0), ("y", -0.2, 3, 0.5))))
    assert {row["since"] for row in drawn if "since" in row} == {"none", "layer 3"}
    assert {row["value"] for row in values(alike(alike_rows(1.0, 0.5)))} == {1.0, 0.5}
    halves = pd.DataFrame({"layer": [0, 1], "change": [0.0, 0.5], "half": [np.nan, 0.4]})
    assert [row["layer"] for row in values(half_way(halves))] == [1]


def test_neurons_of_all_layers_and_of_each_layer_are_rows_of_their_own():
    rows = [
        {"order": order, "within": within, "base_accuracy": 0.9, "tuned_accuracy": 0.8, "base": "b",
         "tuned": "t"}
        for order, within in (("bottom", "layer"), ("top", "overall"), ("all", "overall"),
                              ("bottom", "overall"))
    ]  # fmt: skip
    drawn = values(kept_neurons(pd.DataFrame(rows)))
    shown = list(dict.fromkeys(row["row"] for row in drawn))
    assert shown == ["all neurons", "top, all layers", "bottom, all layers", "bottom, per layer"]
