"""Words of a layer in two dimensions, and how far such pictures are to be believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import (
    AXIS_WIDTH,
    BLUE,
    DOTTED,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    layer_axis,
    styled,
)

TONES = (GREEN, PURPLE, ORANGE, SKY, BLUE, VERMILLION, "#333333")
SHAPES = (
    "circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right",
)  # fmt: skip
OTHER = (GREY, "circle")
"""Colour and shape of what is grouped as other, or has no value."""
FATES = {
    "retained": (GREEN, "circle"),
    "survived": (GREEN, "circle"),
    "lost": (VERMILLION, "triangle-down"),
    "born": (BLUE, "triangle-up"),
}
RANDOM = "points at random"
SIZE = 420
"""Pixels of a picture, up."""


def words(points: pd.DataFrame, look: Mapping[str, tuple[str, str]], half: float) -> Any:
    """Draw the words of one model.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns x, y, form, shown (category).
    look : mapping of str to (str, str)
        Colour and shape of each category, in the order of the legend.
    half : float
        How far the picture reaches to each side of its middle.

    Returns
    -------
    altair.Chart
    """
    frame = pd.DataFrame(points[["x", "y", "form", "shown"]])
    names, legend = list(look), alt.Legend(title=None, symbolOpacity=1)
    colours = alt.Scale(domain=names, range=[colour for colour, _ in look.values()])
    shapes = alt.Scale(domain=names, range=[shape for _, shape in look.values()])
    scale = alt.Scale(domain=[-half, half], nice=False, zero=False)
    chart = (
        alt.Chart(frame)
        .mark_point(filled=True, size=22, opacity=0.75)
        .encode(
            x=alt.X("x:Q", axis=None, scale=scale),
            y=alt.Y("y:Q", axis=None, scale=scale),
            color=alt.Color("shown:N", scale=colours, legend=legend),
            shape=alt.Shape("shown:N", scale=shapes, legend=legend),
        )
    )
    return styled(chart, height=SIZE)


def trustworthiness(layers: pd.DataFrame, models: Mapping[str, str]) -> Any:
    """Draw the trustworthiness of each layer's picture, beside that of points put at random.

    Parameters
    ----------
    layers : pandas.DataFrame
        `Projection.layers`.
    models : mapping of str to str
        Name of the model of each role.

    Returns
    -------
    altair.LayerChart
    """
    alone = {f"{name} alone": f"trustworthiness_{role}" for role, name in models.items()}
    columns = {"all points": "trustworthiness"} | (alone if len(models) > 1 else {})
    n, columns = len(columns), columns | {RANDOM: "random"}
    parts = [
        pd.DataFrame({"layer": layers["layer"], "of": name, "value": layers[column]})
        for name, column in columns.items()
    ]
    frame = pd.concat(parts, ignore_index=True).dropna()
    tones = [GREEN, BLUE, VERMILLION][:n] + [GREY]
    marks = ["diamond", "circle", "square"][:n] + ["cross"]
    legend = alt.Legend(title=None, symbolOpacity=1)
    color = alt.Color("of:N", scale=alt.Scale(domain=list(columns), range=tones), legend=legend)
    shape = alt.Shape("of:N", scale=alt.Scale(domain=list(columns), range=marks), legend=legend)
    low = min([0.5, *frame["value"]])
    y = alt.Y(
        "value:Q",
        axis=alt.Axis(
            title="Trustworthiness (1 = faithful)", format=".1f", minExtent=AXIS_WIDTH,
            maxExtent=AXIS_WIDTH,
        ),
        scale=alt.Scale(domain=[low - 0.02, 1], nice=False, zero=False),
    )  # fmt: skip
    x, chart = layer_axis(frame["layer"]), alt.Chart(frame)
    tip = ["of:N", "layer:Q", alt.Tooltip("value:Q", format=".3f")]
    return styled(
        alt.layer(
            chart.transform_filter(f"datum.of != '{RANDOM}'")
            .mark_line(strokeWidth=2)
            .encode(x=x, y=y, color=color),
            chart.transform_filter(f"datum.of == '{RANDOM}'")
            .mark_line(strokeWidth=1.5, strokeDash=DOTTED)
            .encode(x=x, y=y, color=color),
            chart.mark_point(filled=True, size=55, opacity=1).encode(
                x=x, y=y, color=color, shape=shape, tooltip=tip
            ),
        )
    )
