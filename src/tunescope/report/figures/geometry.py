"""How alike base and tuned are at each layer, and layers with layers."""

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
    PURPLE,
    TICKS,
    layer_axis,
    linked,
    styled,
)

CKA, PROCRUSTES, NEIGHBOURS = "linear CKA", "Procrustes similarity", "shared neighbours"
MEASURES = {"cka": CKA, "procrustes": PROCRUSTES, "neighbours": NEIGHBOURS}
LOOK = {CKA: (BLUE, "circle"), PROCRUSTES: (GREEN, "square"), NEIGHBOURS: (PURPLE, "diamond")}
MOST_CELLS = 200
"""With more cells than this, the matrix has no numbers in them."""


def similarity_frame(layers: pd.DataFrame) -> pd.DataFrame:
    """Bring all measures of one pair of models onto one scale, on which 1 is alike.

    Parameters
    ----------
    layers : pandas.DataFrame
        `LayerGeometry.layers` of one pair of models.

    Returns
    -------
    pandas.DataFrame
        Columns layer, measure, similarity, low, high, chance. The Procrustes distance becomes
        1 - distance / 2, the cosine of the two layers after the best turn.
    """
    columns = ["layer", "measure", "value", "low", "high", "chance"]
    frame = pd.DataFrame(layers[columns]).set_axis(
        [*columns[:2], "similarity", *columns[3:]], axis=1
    )
    distance = frame["measure"] == "procrustes"
    turned = pd.DataFrame(frame[distance])
    frame = pd.concat(
        [
            frame[~distance],
            turned.assign(
                similarity=1 - turned["similarity"] / 2,
                low=1 - turned["high"] / 2,
                high=1 - turned["low"] / 2,
                chance=1 - turned["chance"] / 2,
            ),
        ],
        ignore_index=True,
    )
    frame["measure"] = [MEASURES[name] for name in frame["measure"]]
    return pd.DataFrame(frame).dropna(subset="similarity")


def similarity(layers: pd.DataFrame) -> Any:
    """Draw every measure over layers with its interval, beside what chance gives (dotted).

    Parameters
    ----------
    layers : pandas.DataFrame
        `LayerGeometry.layers` of one pair of models.

    Returns
    -------
    altair.LayerChart
    """
    frame = similarity_frame(layers)
    names = [name for name in MEASURES.values() if name in set(frame["measure"])]
    legend = alt.Legend(title=None, symbolOpacity=1)
    colours = alt.Scale(domain=names, range=[LOOK[name][0] for name in names])
    shapes = alt.Scale(domain=names, range=[LOOK[name][1] for name in names])
    color = alt.Color("measure:N", scale=colours, legend=legend)
    shape = alt.Shape("measure:N", scale=shapes, legend=legend)
    x = layer_axis(frame["layer"])
    low = min(0.0, *frame["low"], *frame["chance"])
    y = alt.Y(
        "similarity:Q",
        title="Alike (1 = the same)",
        axis=alt.Axis(format=".1f", minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH),
        scale=alt.Scale(domain=[low, 1], nice=TICKS),
    )
    tip = [
        alt.Tooltip("measure:N"),
        alt.Tooltip("layer:Q"),
        *(alt.Tooltip(f"{c}:Q", format=".3f") for c in ("similarity", "low", "high", "chance")),
    ]
    chart = alt.Chart(frame)
    return styled(
        alt.layer(
            chart.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=color),
            chart.mark_line(strokeWidth=1.5, strokeDash=DOTTED).encode(
                x=x, y=alt.Y("chance:Q"), color=color
            ),
            chart.mark_line(strokeWidth=2).encode(x=x, y=y, color=color),
            chart.mark_point(filled=True, size=55, opacity=1).encode(
                x=x, y=y, color=color, shape=shape, tooltip=tip
            ),
        )
    )


def cka_matrix(matrix: pd.DataFrame, addresses: Mapping[int, str] | None = None) -> Any:
    """Draw the CKA of every base layer with every tuned layer.

    Parameters
    ----------
    matrix : pandas.DataFrame
        `LayerGeometry.matrix` of one pair of models.
    addresses : mapping of int to str, optional
        Where a click on a cell leads, by layer of the tuned model.

    Returns
    -------
    altair.LayerChart
    """
    frame = pd.DataFrame(matrix[["base_layer", "tuned_layer", "cka"]])
    titles = ("Layer of the tuned model", "Layer of the base model")
    return _heat_map(frame, ("tuned_layer", "base_layer"), titles, addresses)


def cka_within(within: pd.DataFrame) -> Any:
    """Draw the CKA of the layers of one model with each other.

    Parameters
    ----------
    within : pandas.DataFrame
        Rows of `LayerGeometry.within` of one role.

    Returns
    -------
    altair.LayerChart
    """
    frame = pd.DataFrame(within[["layer", "other_layer", "cka"]])
    return _heat_map(frame, ("other_layer", "layer"), ("Layer", "Layer"))


def _heat_map(
    frame: pd.DataFrame,
    fields: tuple[str, str],
    titles: tuple[str, str],
    addresses: Mapping[int, str] | None = None,
) -> Any:
    """Draw cells of the first field (across) and the second (up), one for each row with a value."""
    x, y = fields
    frame = frame.dropna(subset=["cka"])
    base = alt.Chart(frame).encode(
        x=alt.X(f"{x}:O", axis=alt.Axis(grid=False, labelAngle=0), title=titles[0]),
        y=alt.Y(
            f"{y}:O", sort="descending", title=titles[1],
            axis=alt.Axis(grid=False, minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH),
        ),
    )  # fmt: skip
    scale = alt.Scale(scheme="cividis", domain=[0, 1], clamp=True)
    legend = alt.Legend(title="Linear CKA", gradientLength=180)
    cells = (
        linked(base, frame, x, addresses)
        .mark_rect()
        .encode(
            color=alt.Color("cka:Q", scale=scale, legend=legend),
            tooltip=[f"{y}:O", f"{x}:O", alt.Tooltip("cka:Q", format=".3f")],
        )
    )
    height = max(160, min(26 * len(set(frame[y])), 560))
    if len(frame) > MOST_CELLS:
        return styled(alt.layer(cells), height=height)
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("cka:Q", format=".2f"),
        color=alt.condition("datum.cka < 0.55", alt.value("white"), alt.value("black")),
    )
    return styled(alt.layer(cells, text), height=height)
