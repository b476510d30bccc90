"""Concepts retained, aligned and polarised over layers (arXiv 2210.12696, figures 2 to 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import (
    AXIS_WIDTH,
    CATEGORIES,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    dashes,
    layer_axis,
    linked,
    models,
    styled,
    value_axis,
)

MOST_CELLS = 260
"""A heat map with more cells shows colours alone: the numbers would be too small to read."""


def retention(table: pd.DataFrame) -> Any:
    """Draw the share of base concepts retained, with its interval, beside the null.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.retention`.

    Returns
    -------
    altair.LayerChart
    """
    n = table["n_base"].clip(lower=1)
    names = ["retained", "by chance (upper end)"]
    columns = {"layer": table["layer"], "retained": table["retained"], "n": table["n_base"]}
    found = pd.DataFrame(columns).assign(
        measure=names[0],
        share=table["retained_share"],
        low=table["retained_low"],
        high=table["retained_high"],
    )
    null = pd.DataFrame(columns).assign(measure=names[1], share=table["null_high"] / n)
    x, dash = layer_axis(found["layer"]), dashes(names)
    y = value_axis("share:Q", "Base concepts retained", domain=[0, 1])
    tip = [alt.Tooltip(f"{c}:Q") for c in ("layer", "retained", "n")]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("share", "low", "high")]
    return styled(
        alt.layer(
            alt.Chart(found)
            .mark_area(opacity=0.18, color=GREEN)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
            alt.Chart(null).mark_line(color=GREY).encode(x=x, y=y, strokeDash=dash),
            alt.Chart(found).mark_line(color=GREEN).encode(x=x, y=y, strokeDash=dash),
            alt.Chart(found)
            .mark_point(filled=True, size=55, opacity=1, color=GREEN)
            .encode(x=x, y=y, tooltip=tip),
        )
    )


def lost_and_born(table: pd.DataFrame) -> Any:
    """Draw how many base concepts are retained and lost, and how many tuned ones are born.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.retention`.

    Returns
    -------
    altair.Chart
    """
    fates = {"retained": GREEN, "lost": PURPLE, "born": ORANGE}
    frame = pd.DataFrame(table[["layer", *fates]]).melt(
        "layer", var_name="fate", value_name="concepts"
    )
    scale = alt.Scale(domain=list(fates), range=list(fates.values()))
    return styled(
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("layer:O", axis=alt.Axis(title="Layer (0 = embeddings)", labelAngle=0)),
            xOffset=alt.XOffset("fate:N", sort=list(fates)),
            y=value_axis("concepts:Q", "Concepts", "count"),
            color=alt.Color("fate:N", scale=scale, legend=alt.Legend(title=None)),
            tooltip=["layer:O", "fate:N", "concepts:Q"],
        ),
        height=180,
    )


def matrix(table: pd.DataFrame, addresses: Mapping[int, str] | None = None) -> Any:
    """Draw the share of every base layer's concepts retained in every tuned layer.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.matrix`.
    addresses : mapping of int to str, optional
        Where a click on a cell leads, by layer of the tuned model.

    Returns
    -------
    altair.LayerChart
    """
    told = {"retained_share": ".1%", "retained_low": ".1%", "retained_high": ".1%"}
    told = {name: form for name, form in {**told, "null_high": ".1f"}.items() if name in table}
    frame = pd.DataFrame(table[["base_layer", "tuned_layer", *told]])
    rows = len(set(frame["base_layer"]))
    percent = alt.Axis(labelAngle=0, grid=False)
    legend = alt.Legend(title="Base concepts retained", format="%", gradientLength=180)
    base = alt.Chart(frame).encode(
        x=alt.X("tuned_layer:O", axis=percent, title="Layer of the tuned model"),
        y=alt.Y(
            "base_layer:O", sort="descending", title="Layer of the base model",
            axis=alt.Axis(minExtent=AXIS_WIDTH, maxExtent=AXIS_WIDTH),
        ),
    )  # fmt: skip
    cells = (
        linked(base, frame, "tuned_layer", addresses)
        .mark_rect()
        .encode(
            color=alt.Color(
                "retained_share:Q", scale=alt.Scale(scheme="cividis", domain=[0, 1]), legend=legend
            ),
            tooltip=[
                "base_layer:O",
                "tuned_layer:O",
                *(alt.Tooltip(f"{name}:Q", format=form) for name, form in told.items()),
            ],
        )
    )
    height = max(160, min(26 * rows, 560))
    if len(frame) > MOST_CELLS:
        return styled(alt.layer(cells), height=height)
    dark = "datum.retained_share < 0.55"
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("retained_share:Q", format=".0%"),
        color=alt.condition(dark, alt.value("white"), alt.value("black")),
    )
    return styled(alt.layer(cells, text), height=height)


def aligned(table: pd.DataFrame) -> Any:
    """Draw how many concepts align with a label column, base and tuned, beside the null.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `Alignment.labels` for one label column.

    Returns
    -------
    altair.LayerChart
    """
    return _counts(table, "aligned", "Concepts aligned")


def polarised(table: pd.DataFrame) -> Any:
    """Draw how many concepts are polarised to any class, base and tuned, beside the null.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.polarity`.

    Returns
    -------
    altair.LayerChart
    """
    return _counts(
        pd.DataFrame(table[table["class"] == ""]), "polarised", "Concepts that follow a class"
    )


def classes(table: pd.DataFrame, role: str, most: float | None = None) -> Any:
    """Draw how many concepts of one model are polarised to each class.

    Parameters
    ----------
    table : pandas.DataFrame
        `Alignment.polarity`.
    role : {"base", "tuned"}
        Which model.
    most : float, optional
        Upper end of the axis, to make figures comparable.

    Returns
    -------
    altair.LayerChart
    """
    of_model = pd.DataFrame(table[table["role"] == role])
    total = of_model[of_model["class"] == ""][["layer", "null_high"]]
    frame = of_model[of_model["class"] != ""][["layer", "class", "polarised", "null_high"]]
    frame = pd.DataFrame(frame).rename(columns={"class": "towards"})
    names = sorted(set(frame["towards"]))
    colours = [CATEGORIES[n % len(CATEGORIES)] for n in range(len(names))]
    x = alt.X("layer:O", axis=alt.Axis(title="Layer (0 = embeddings)", labelAngle=0))
    domain = {} if most is None else {"domain": [0, max(most, 1)]}
    bars = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=x,
            y=value_axis("polarised:Q", "Concepts that follow it", "count", **domain),
            color=alt.Color(
                "towards:N",
                scale=alt.Scale(domain=names, range=colours),
                legend=alt.Legend(title=None),
            ),
            tooltip=["layer:O", "towards:N", "polarised:Q", "null_high:Q"],
        )
    )
    chance = alt.Chart(total).mark_tick(color="currentColor", thickness=2, strokeDash=[3, 2])
    return styled(alt.layer(bars, chance.encode(x=x, y=alt.Y("null_high:Q"))), height=200)


def _counts(table: pd.DataFrame, column: str, title: str) -> Any:
    """Draw a count per layer of both models, with its interval, beside the null's upper end."""
    names = ["found", "by chance (upper end)"]
    kept = pd.DataFrame(table[["layer", "model", "n_concepts", "p"]])
    ends = {end: table[f"{column}_{end}"] for end in ("low", "high")}
    found = kept.assign(measure=names[0], concepts=table[column], **ends)
    null = kept.assign(measure=names[1], concepts=table["null_high"])
    look = models(list(dict.fromkeys(table["model"])))
    x, dash = layer_axis(kept["layer"]), dashes(names)
    y = value_axis("concepts:Q", title, "count")
    tip = [alt.Tooltip(f"{c}") for c in ("model:N", "layer:Q", "concepts:Q", "n_concepts:Q")]
    tip += [alt.Tooltip(f"{end}:Q", format=".1f") for end in ends]
    tip.append(alt.Tooltip("p:Q", format=".3f"))
    line = {"x": x, "y": y, "strokeDash": dash, "color": look["color"]}
    return styled(
        alt.layer(
            alt.Chart(found)
            .mark_area(opacity=0.15)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=look["color"]),
            alt.Chart(null).mark_line(strokeWidth=1.5).encode(**line),
            alt.Chart(found).mark_line(strokeWidth=2).encode(**line),
            alt.Chart(found)
            .mark_point(filled=True, size=55, opacity=1)
            .encode(x=x, y=y, tooltip=tip, **look),
        )
    )
