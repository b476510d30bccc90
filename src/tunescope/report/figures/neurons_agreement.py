"""How rankings of neurons differ: overlap of their top neurons, and a vote (Fan et al. 2023)."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import (
    SHAPES,
    Frame,
    cells,
    look,
    names_axis,
    percents,
    stacked,
)
from tunescope.report.figures.style import BLUE, GREEN, ORANGE, PURPLE, styled

MEASURES = {"avg_overlap": "Mean overlap with the other rankings", "neuron_vote": "Neuron vote"}


def matrix(table: Frame) -> Any:
    """Draw the overlap of the top neurons of every two rankings.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `agreement` for one scaling and s; pairs in one direction or in both, with the
        diagonal or without.

    Returns
    -------
    altair.LayerChart
    """
    pairs = pd.DataFrame(table[table["a"] != table["b"]])
    back = pairs.rename(columns={"a": "b", "b": "a"})
    frame = stacked([pairs, back]).drop_duplicates(["a", "b"])
    names = sorted(dict.fromkeys([*table["a"], *table["b"]]), key=lambda name: name == "random")
    frame["percent"] = percents(frame["overlap"]).replace("", "0")
    axis = alt.Axis(labelAngle=-45, grid=False, labelLimit=110, labelFontSize=11)
    return cells(
        frame, alt.X("b:N", sort=names, title=None, axis=axis), names_axis("a", names), "overlap",
        "Overlap", written="percent", domain=(0, max(float(frame["overlap"].max()), 0.01)),
        row_height=24,
    )  # fmt: skip


def summary(table: Frame, measure: str) -> Any:
    """Draw how far each ranking agrees with the others, at each number of top neurons.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `agreement_summary` for one scaling.
    measure : {"avg_overlap", "neuron_vote"}
        Column that is drawn.

    Returns
    -------
    altair.Chart
    """
    frame = table.dropna(subset=[measure]).copy()
    frame["top"] = [f"top {s}" for s in frame["s"]]
    groups = [f"top {s}" for s in sorted(set(frame["s"]))]
    mean = frame.groupby("ranking")[measure].mean()
    names = sorted(mean.index, key=lambda name: (-mean[name], name))
    colours = dict(zip(groups, (BLUE, ORANGE, GREEN, PURPLE), strict=False))
    axis = alt.Axis(format="%", tickCount=5)
    return styled(
        alt.Chart(frame)
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            x=alt.X(f"{measure}:Q", title=MEASURES[measure], axis=axis, scale=alt.Scale(zero=True)),
            y=names_axis("ranking", names),
            tooltip=["ranking:N", "top:N", alt.Tooltip(f"{measure}:Q", format=".1%")],
            **look("top", colours, SHAPES),
        ),
        height=max(80, 22 * len(names)),
    )
