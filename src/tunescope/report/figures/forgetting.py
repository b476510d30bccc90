"""Figures that sum up what tuning took: loss in the upper layers, what neurons still do."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import Frame, names_axis
from tunescope.report.figures.style import BLUE, GREY, models, styled

ROW = 28
"""Pixels for each row of names."""
PLACES = {"all": 0, "top": 1, "random": 2, "bottom": 3, "overall": 0, "layer": 1}
"""Orders of neurons, and where they are taken from, as they stand below each other."""


def upper_loss(table: Frame) -> Any:
    """Draw the mean change of accuracy over the top third of the layers, one row per model.

    Parameters
    ----------
    table : pandas.DataFrame
        `ProbeComparison.forgetting` of tuned models, with row (the name shown).

    Returns
    -------
    altair.LayerChart
    """
    frame = table.assign(
        since=["none" if pd.isna(layer) else f"layer {layer:.0f}" for layer in table["onset"]]
    )
    axis = alt.Axis(labelExpr="datum.value ? format(100 * datum.value, '+.2~f') : '0'", tickCount=5)
    x = alt.X("difference:Q", title="Tuned − base, mean of the top third (points)", axis=axis)
    y = names_axis("row", list(dict.fromkeys(frame["row"])))
    tip = [alt.Tooltip("tuned:N", title="model")]
    tip += [alt.Tooltip(f"{c}:Q", format="+.1%") for c in ("difference", "low", "high")]
    tip += [alt.Tooltip("since:N", title="worse from"), alt.Tooltip("retained:Q", format=".0%")]
    base = alt.Chart(frame).encode(y=y)
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=GREY)
    return styled(
        alt.layer(
            zero.encode(x=alt.X("zero:Q")),
            base.mark_rule(color=BLUE, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(x=x, tooltip=tip),
        ),
        height=max(60, ROW * frame["row"].nunique()),
    )


def kept_neurons(table: Frame) -> Any:
    """Draw how well top, random and bottom neurons do, base against tuned, overall and by layer.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `transfer_ablation` of one scaling, ranking, share and way (masked, retrained), with
        base and tuned (names).

    Returns
    -------
    altair.LayerChart
    """
    names = [table["base"].iloc[0], table["tuned"].iloc[0]]
    table = table.sort_values(["order", "within"], key=lambda c: c.map(PLACES))
    where = {"overall": "all layers", "layer": "per layer"}
    rows = [
        "all neurons" if order == "all" else f"{order}, {where[within]}"
        for order, within in zip(table["order"], table["within"], strict=True)
    ]
    frame = pd.concat(
        [
            table[[f"{role}_accuracy"]]
            .set_axis(["accuracy"], axis=1)
            .assign(model=name, row=rows)
            .drop_duplicates(["model", "row"])
            for role, name in zip(("base", "tuned"), names, strict=True)
        ],
        ignore_index=True,
    )
    look = models(names)
    x = alt.X(
        "accuracy:Q", title="Words labelled correctly",
        scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(format="%", tickCount=5),
    )  # fmt: skip
    base = alt.Chart(frame).encode(y=names_axis("row", list(dict.fromkeys(rows))))
    tip = ["row:N", "model:N", alt.Tooltip("accuracy:Q", format=".1%")]
    return styled(
        alt.layer(
            base.mark_rule(color=GREY).encode(x=alt.X("min(accuracy):Q"), x2="max(accuracy):Q"),
            base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=tip, **look),
        ),
        height=max(60, ROW * len(set(rows))),
    )
