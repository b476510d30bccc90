"""Figures of tuning itself: how well tuned models do their task, and when their layers change."""

from __future__ import annotations

from typing import Any

import altair as alt

from tunescope.report.figures.neurons import Frame, names_axis
from tunescope.report.figures.style import BLUE, GREY, layer_axis, styled

ROW = 30
"""Pixels for each row of names."""


def scores(table: Frame) -> Any:
    """Draw the dev score of every tuned model with its interval, beside the baseline (a tick).

    Parameters
    ----------
    table : pandas.DataFrame
        One row per tuned model: model, task, metric, seeds, score, low, high, baseline; rows
        without a score are left out.

    Returns
    -------
    altair.LayerChart
    """
    frame = table.dropna(subset=["score"])
    names, metrics = (list(dict.fromkeys(frame[name])) for name in ("model", "metric"))
    axis, scale = alt.Axis(tickCount=5, format="~g"), alt.Scale(zero=False, padding=12)
    x = alt.X("score:Q", title=f"Score on dev ({', '.join(metrics)})", scale=scale, axis=axis)
    y = names_axis("model", names)
    base = alt.Chart(frame).encode(y=y)
    tip = ["model:N", "task:N", "metric:N", alt.Tooltip("seeds:Q", title="tuning runs")]
    tip += [alt.Tooltip(f"{c}:Q", format=".3f") for c in ("score", "low", "high", "baseline")]
    return styled(
        alt.layer(
            base.mark_tick(color=GREY, thickness=3).encode(x=alt.X("baseline:Q")),
            base.mark_rule(color=BLUE, strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
            base.mark_point(color=BLUE, filled=True, size=70, opacity=1).encode(x=x, tooltip=tip),
        ),
        height=max(60, ROW * len(names)),
    )


def alike(table: Frame, title: str | None = None) -> Any:
    """Draw how alike base and tuned are, one row per model or checkpoint, one column per layer.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns row (a name), layer, value (1 is alike), low, high.
    title : str, optional
        What the rows are.

    Returns
    -------
    altair.LayerChart
    """
    frame, rows = table, list(dict.fromkeys(table["row"]))
    base = alt.Chart(frame).encode(
        x=alt.X("layer:O", axis=alt.Axis(title="Layer (0 = embeddings)", labelAngle=0, grid=False)),
        y=names_axis("row", rows, title),
    )
    scale = alt.Scale(scheme="cividis", domain=[0, 1], clamp=True)
    tip = [
        "layer:O",
        "row:N",
        *(alt.Tooltip(f"{c}:Q", format=".3f") for c in ("value", "low", "high")),
    ]
    cells = base.mark_rect().encode(
        color=alt.Color(
            "value:Q", scale=scale, legend=alt.Legend(title="Linear CKA", gradientLength=180)
        ),
        tooltip=tip,
    )
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("value:Q", format=".2f"),
        color=alt.condition("datum.value < 0.55", alt.value("white"), alt.value("black")),
    )
    few = frame["layer"].nunique() <= 14
    return styled(alt.layer(cells, *([text] if few else [])), height=max(60, 26 * len(rows)))


def half_way(table: Frame) -> Any:
    """Draw at which share of the tuning each layer had changed half as much as at the end.

    Parameters
    ----------
    table : pandas.DataFrame
        The second table of `tunescope.geometry.trajectory.trajectory`; layers that have not
        changed are left out.

    Returns
    -------
    altair.LayerChart
    """
    frame = table.dropna(subset=["half"])
    x = layer_axis(table["layer"])
    scale = alt.Scale(domain=[0, max(0.1, float(frame["half"].max()) * 1.1 if len(frame) else 1.0)])
    y = alt.Y("half:Q", title="Half of its change by", axis=alt.Axis(format="%"), scale=scale)
    tip = [
        alt.Tooltip("layer:Q"),
        alt.Tooltip("half:Q", format=".0%", title="share of the tuning"),
        alt.Tooltip("change:Q", format=".3f", title="1 - CKA at the end"),
    ]
    chart = alt.Chart(frame)
    return styled(
        alt.layer(
            chart.mark_line(color=BLUE, strokeWidth=1.5).encode(x=x, y=y),
            chart.mark_point(color=BLUE, filled=True, size=60, opacity=1).encode(
                x=x, y=y, tooltip=tip
            ),
        ),
        height=150,
    )


def share(fraction: float) -> str:
    """Write a share of the tuning."""
    return "end" if fraction == 1 else f"{100 * fraction:g}%"
