"""What all figures share: colours, the layer axis, the look.

Colours are Okabe and Ito's, which colour-blind readers can tell apart; a model is told apart by
shape too. Text and lines are `currentColor`: a page decides whether it is dark, a saved image is
black on white.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW, GREY = "#E69F00", "#56B4E9", "#F0E442", "#808080"
MODELS = (BLUE, VERMILLION)
CATEGORIES = (GREEN, PURPLE, ORANGE, SKY, BLUE, VERMILLION, YELLOW, GREY)
SHAPES = ("circle", "square")
TICKS = 6
"""Labels of a y axis, about; axes end at such a value."""
SOLID, DASHED, DOTTED = [1, 0], [6, 3], [2, 3]
AXIS_WIDTH = 46
"""Pixels for the labels of every y axis, so that figures below each other are aligned."""


def models(names: Sequence[str]) -> dict[str, Any]:
    """Return colour and shape encodings of models: the base first, then the tuned one.

    Parameters
    ----------
    names : sequence of str
        Display names, in the order of the colours.
    """
    domain, n = list(names), len(names)
    shown = alt.Legend(title=None, symbolOpacity=1)
    return {
        "color": alt.Color(
            "model:N", scale=alt.Scale(domain=domain, range=list(MODELS[:n])), legend=shown
        ),
        "shape": alt.Shape(
            "model:N", scale=alt.Scale(domain=domain, range=list(SHAPES[:n])), legend=shown
        ),
    }


def dashes(names: Sequence[str]) -> alt.StrokeDash:
    """Return an encoding of the field `measure` by solid, dashed and dotted lines."""
    styles = [SOLID, DASHED, DOTTED][: len(names)]
    scale = alt.Scale(domain=list(names), range=styles)
    # Drawn as lines: the default symbol is too short to tell dashes apart.
    legend = alt.Legend(
        title=None, symbolType="stroke", symbolSize=500, symbolStrokeWidth=2,
        symbolStrokeColor="currentColor",
    )  # fmt: skip
    return alt.StrokeDash("measure:N", scale=scale, legend=legend)


def layer_axis(layers: Iterable[int]) -> alt.X:
    """Return the x axis for lines over layers."""
    ticks = sorted(set(layers))
    low, high = ticks[0], ticks[-1]
    return alt.X(
        "layer:Q",
        scale=alt.Scale(domain=[low - 0.3, high + 0.3], nice=False, zero=False),
        axis=alt.Axis(
            title="Layer (0 = embeddings)", values=ticks, tickCount=len(ticks), format="d",
            grid=False, labelOverlap="greedy",
        ),
    )  # fmt: skip


def value_axis(field: str, title: str, unit: str = "share", **scale: Any) -> alt.Y:
    """Return a y axis as wide as that of the other figures.

    Parameters
    ----------
    field : str
        Field and type, as in `share:Q`.
    title : str
        The axis's title.
    unit : {"share", "points", "count"}
        How ticks are written: per cent, percentage points with their sign, or whole numbers.
    **scale
        Properties of the scale.
    """
    ticks: dict[str, Any] = {
        "share": {"format": "%"},
        "points": {"labelExpr": "datum.value ? format(100 * datum.value, '+.2~f') : '0'"},
        # Vega puts ticks between whole numbers, whatever tickMinStep says, where there are few.
        "count": {"labelExpr": "datum.value % 1 ? '' : format(datum.value, ',d')"},
    }[unit]
    properties: dict[str, Any] = {"nice": TICKS} | scale
    axis = alt.Axis(title=title, minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH, **ticks)
    return alt.Y(field, axis=axis, scale=alt.Scale(**properties))


def linked(chart: Any, frame: pd.DataFrame, field: str, addresses: Mapping[int, str] | None) -> Any:
    """Let a click on a mark of a chart lead somewhere.

    Parameters
    ----------
    chart : altair.Chart
        A chart of `frame`.
    frame : pandas.DataFrame
        One row per mark.
    field : str
        Column with the layer that a mark is about.
    addresses : mapping of int to str or None
        By layer; a mark of another one leads nowhere.
    """
    if not addresses:
        return chart
    told = frame.assign(
        href=[addresses.get(layer) for layer in frame[field]],
        leads=[f"layer {layer}: its concepts" for layer in frame[field]],
    )
    return chart.properties(data=told).encode(href="href:N", description="leads:N")


def styled(chart: Any, width: int | str = "container", height: int = 260) -> Any:
    """Give a chart its size and the look of all figures.

    Parameters
    ----------
    chart : altair.Chart or altair.LayerChart
        The chart.
    width : int or "container"
        Pixels, or as wide as what it is put in.
    height : int
        Pixels of the plot, without axes and legends.
    """
    return (
        chart.properties(width=width, height=height)
        .configure(
            font="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif",
            background="transparent",
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
            padding={"left": 2, "right": 6, "top": 4, "bottom": 2},
        )
        .configure_view(stroke=None)
        .configure_axis(
            labelColor="currentColor", titleColor="currentColor", labelFontSize=12,
            titleFontSize=12, titleFontWeight="normal", titlePadding=8, domainColor="currentColor",
            domainOpacity=0.5, tickColor="currentColor", tickOpacity=0.5, gridColor="currentColor",
            gridOpacity=0.12, tickCount=TICKS,
        )
        .configure_legend(
            orient="top", labelColor="currentColor", titleColor="currentColor", labelFontSize=12,
            labelLimit=190, symbolSize=80, offset=10, columnPadding=10, titleFontWeight="normal",
            titleFontSize=12, titleLimit=320,
        )
    )  # fmt: skip


def specification(chart: Any, width: int | None = None) -> dict[str, Any]:
    """Return the Vega-Lite specification of a styled chart.

    Parameters
    ----------
    chart : altair.Chart or altair.LayerChart
        A chart made by a function of this package.
    width : int, optional
        Pixels, for an image on white; on a page, the chart is as wide as what it is put in.
    """
    spec = chart.to_dict()
    # Altair turns what is missing into null in columns of numbers, not in those of objects.
    for name, rows in spec.get("datasets", {}).items():
        spec["datasets"][name] = [
            {key: None if value != value else value for key, value in row.items()} for row in rows
        ]
    if width is not None:
        spec |= {"width": width, "background": "white"}
        for layer in spec.get("layer", [spec]):  # addresses hold within a site only
            layer.get("encoding", {}).pop("href", None)
    # Legends below each other, so that they fit a narrow screen. Altair's schema lacks the key.
    place = {"direction": "vertical", "anchor": "start", "margin": 4}
    spec["config"]["legend"]["layout"] = {"top": place}
    return spec
