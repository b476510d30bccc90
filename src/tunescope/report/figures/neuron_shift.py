"""Where the selected neurons of base and tuned models sit, and how many are the same.

After arXiv 2105.15179, figure 4 (neurons per layer, base against tuned); overlap beside chance is
ours.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import Frame, names_axis
from tunescope.report.figures.style import (
    GREY,
    MODELS,
    SHAPES,
    layer_axis,
    models,
    styled,
    value_axis,
)


def by_layer(table: Frame) -> Any:
    """Draw the selected neurons of every layer, base against tuned.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `NeuronShift.layers` for one scaling and ranking.

    Returns
    -------
    altair.LayerChart
        Lines as in the paper; a bar is the standard deviation over tuning runs, a dotted line what
        neurons drawn at random would have.
    """
    names = [table["base"].iloc[0], table["tuned"].iloc[0]]
    total = float(table["base_selected"].sum())
    points = pd.concat(
        [
            table[["layer"]].assign(model=names[0], selected=table["base_selected"], low=None),
            table[["layer"]].assign(
                model=names[1],
                selected=table["tuned_selected"],
                low=(table["tuned_selected"] - table["seed_sd"]).clip(lower=0),
                high=table["tuned_selected"] + table["seed_sd"],
            ),
        ]
    )
    look, x = models(names), layer_axis(table["layer"])
    y = value_axis("selected:Q", "Selected neurons", "count")
    chance = table[["layer"]].assign(expected=table["chance"] * total)
    tip: list[Any] = [alt.Tooltip("model:N"), alt.Tooltip("layer:Q"),
                      alt.Tooltip("selected:Q", format=".1~f")]  # fmt: skip
    parts: list[Any] = [
        alt.Chart(chance)
        .mark_line(color=GREY, strokeDash=[2, 3])
        .encode(x=x, y=alt.Y("expected:Q"))
    ]
    spread = points.dropna(subset=["low"])
    if len(spread):
        parts.append(
            alt.Chart(spread)
            .mark_rule(strokeWidth=1.5)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=look["color"])
        )
    chart = alt.Chart(points)
    parts += [
        chart.mark_line(strokeWidth=2).encode(x=x, y=y, color=look["color"]),
        chart.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, tooltip=tip, **look),
    ]
    return styled(alt.layer(*parts), height=220)


def shifts(table: Frame, row: str = "tag") -> Any:
    """Draw the mean layer of the selected neurons, from base to tuned, one row each.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `NeuronShift.shift`, of one scaling and ranking, or of one for each task.
    row : str
        Column that names the rows: a tag, a ranking or a tuned model.

    Returns
    -------
    altair.LayerChart
        A thick line leads from base to tuned; the thin one is the interval of the shift.
    """
    frame = table.dropna(subset=["shift"]).copy()
    frame["row"] = frame[row].astype(str)
    frame["from"] = frame["base_layer"] + frame["low"]
    frame["to"] = frame["base_layer"] + frame["high"]
    names = ["base", "tuned"]
    points = pd.concat(
        [frame[["row"]].assign(model=name, at=frame[f"{name}_layer"]) for name in names]
    )
    look = models(names)
    axis = alt.Axis(title="Mean layer of the selected neurons", tickCount=6)
    scale = alt.Scale(zero=False, nice=True)
    y = names_axis("row", list(dict.fromkeys(frame["row"])))
    tip: list[Any] = [alt.Tooltip("row:N")]
    tip += [alt.Tooltip(f"{name}:Q", format="+.2f") for name in ("shift", "low", "high")]
    chart = alt.Chart(frame).encode(y=y)
    return styled(
        alt.layer(
            chart.mark_rule(strokeWidth=1.5, color=GREY).encode(
                x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q", tooltip=tip
            ),
            chart.mark_rule(strokeWidth=4, color=GREY, opacity=0.6).encode(
                x=alt.X("base_layer:Q"), x2="tuned_layer:Q", tooltip=tip
            ),
            alt.Chart(points)
            .mark_point(filled=True, size=70, opacity=1)
            .encode(x=alt.X("at:Q"), y=y, **look),
        ),
        height=max(60, 22 * frame["row"].nunique()),
    )


def overlap(table: Frame) -> Any:
    """Draw the overlap of two selections by their size, beside both kinds of chance.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `NeuronShift.overlap` of the overall orders (tag missing), for one scaling and
        ranking.

    Returns
    -------
    altair.LayerChart
        Points are runs. The grey bars reach from the expectation to the upper end of chance, of
        random neurons and of random neurons of the same layers.
    """
    frame = table.assign(neurons=[f"{n:,}" for n in table["n_a"]])
    sizes = list(dict.fromkeys(frame.sort_values("n_a")["neurons"]))
    kinds = {"base-tuned": "base and tuned", "tuned-tuned": "two tuning runs"}
    frame["kind"] = [kinds[name] for name in frame["pair"]]
    there = [name for name in kinds.values() if name in set(frame["kind"])]
    first = frame[frame["pair"] == "base-tuned"].drop_duplicates("neurons")
    nulls = pd.concat(
        [
            first[["neurons"]].assign(null=name, chance=first[low], high=first[high])
            for name, low, high in (
                ("any layer", "chance", "chance_high"),
                ("same layers", "layer_chance", "layer_chance_high"),
            )
        ]
    )
    order = ["any layer", "same layers", *there]
    frame["offset"], nulls["offset"] = frame["kind"], nulls["null"]
    x = alt.X(
        "neurons:N", sort=sizes,
        axis=alt.Axis(title="Top neurons of each model", labelAngle=0, grid=False),
    )  # fmt: skip
    offset = alt.XOffset("offset:N", sort=order, scale=alt.Scale(domain=order))
    y = value_axis("overlap:Q", "Overlap", zero=True)
    look = {
        "color": alt.Color("kind:N", scale=alt.Scale(domain=there, range=list(MODELS[::-1])),
                           legend=alt.Legend(title=None)),
        "shape": alt.Shape("kind:N", scale=alt.Scale(domain=there, range=list(SHAPES[::-1])),
                           legend=alt.Legend(title=None)),
    }  # fmt: skip
    grey = alt.Opacity(
        "null:O", sort=order[:2], scale=alt.Scale(domain=order[:2], range=[0.45, 0.9]),
        legend=alt.Legend(title="Chance", symbolType="square", symbolFillColor=GREY,
                          symbolStrokeWidth=0),
    )  # fmt: skip
    tip: list[Any] = [alt.Tooltip("kind:N"), alt.Tooltip("neurons:N")]
    tip += [alt.Tooltip(f"{name}:Q", format=".1%")
            for name in ("overlap", "chance", "layer_chance")]  # fmt: skip
    tip.append(alt.Tooltip("layer_p:Q", format=".3f", title="p (same layers)"))
    base = alt.Chart(nulls).encode(x=x, xOffset=offset)
    return styled(
        alt.layer(
            base.mark_bar(color=GREY, size=10).encode(
                y=alt.Y("chance:Q"), y2="high:Q", opacity=grey
            ),
            base.mark_tick(color="currentColor", thickness=2, size=12).encode(y=alt.Y("chance:Q")),
            alt.Chart(frame)
            .mark_point(filled=True, size=70, opacity=1)
            .encode(x=x, xOffset=offset, y=y, tooltip=tip, **look),
        ).resolve_scale(opacity="independent"),
        height=220,
    )
