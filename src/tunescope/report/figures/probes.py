"""Accuracy, its change and selectivity over layers (arXiv 2105.15179, figures 1 to 3)."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.style import GREY, dashes, layer_axis, models, styled, value_axis

PROBE, CONTROL, MAJORITY = "probe", "control task", "majority"
SIGNIFICANT = 0.05


def accuracy_frame(probes: pd.DataFrame) -> pd.DataFrame:
    """Bring the table of probes into the form of the figure.

    Parameters
    ----------
    probes : pandas.DataFrame
        Rows of `LayerProbes.table()`, of one model or of several.

    Returns
    -------
    pandas.DataFrame
        Columns layer, model, measure, accuracy, low, high: one row per point of a line.
    """
    kept = probes[["layer", "model"]]
    parts = [
        kept.assign(
            measure=PROBE,
            accuracy=probes["accuracy"],
            low=probes["accuracy_low"],
            high=probes["accuracy_high"],
        )
    ]
    for measure, column in ((CONTROL, "control_accuracy"), (MAJORITY, "majority")):
        parts.append(kept.assign(measure=measure, accuracy=probes[column]))
    return pd.concat(parts, ignore_index=True).dropna(subset="accuracy")


def accuracy(probes: pd.DataFrame) -> Any:
    """Draw accuracy over layers beside control task and majority class.

    Parameters
    ----------
    probes : pandas.DataFrame
        Rows of `LayerProbes.table()`: of the base model, then of the tuned one.

    Returns
    -------
    altair.LayerChart
    """
    frame = accuracy_frame(probes)
    names = list(dict.fromkeys(frame["model"]))
    measures = [m for m in (PROBE, CONTROL, MAJORITY) if m in set(frame["measure"])]
    look = models(names)
    x, dash = layer_axis(frame["layer"]), dashes(measures)
    y = value_axis("accuracy:Q", "Words labelled correctly", domain=[0, 1])
    tip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("measure:N"),
        alt.Tooltip("layer:Q"),
        alt.Tooltip("accuracy:Q", format=".1%"),
        alt.Tooltip("low:Q", format=".1%"),
        alt.Tooltip("high:Q", format=".1%"),
    ]
    probe, control, majority = (frame[frame["measure"] == m] for m in (PROBE, CONTROL, MAJORITY))
    majority = majority[majority["model"] == names[0]]
    line = {"x": x, "y": y, "strokeDash": dash}
    return styled(
        alt.layer(
            alt.Chart(probe)
            .mark_area(opacity=0.18)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=look["color"]),
            alt.Chart(majority).mark_line(color=GREY, strokeWidth=1.5).encode(**line),
            alt.Chart(control).mark_line(strokeWidth=1.5).encode(**line, color=look["color"]),
            alt.Chart(probe).mark_line(strokeWidth=2).encode(**line, color=look["color"]),
            alt.Chart(probe)
            .mark_point(filled=True, size=55, opacity=1)
            .encode(x=x, y=y, tooltip=tip, **look),
        )
    )


def difference(comparison: pd.DataFrame) -> Any:
    """Draw the change of accuracy at each layer; filled where it is significant.

    Parameters
    ----------
    comparison : pandas.DataFrame
        `ProbeComparison.table()`.

    Returns
    -------
    altair.LayerChart
    """
    columns = ["layer", "difference", "low", "high", "p_holm"]
    frame = pd.DataFrame(comparison[columns])
    labels = [f"p < {SIGNIFICANT:g}", "not significant"]
    frame["change"] = [labels[0] if p < SIGNIFICANT else labels[1] for p in frame["p_holm"]]
    x = layer_axis(frame["layer"])
    y = value_axis("difference:Q", "Tuned − base (points)", "points")
    fill = alt.Scale(domain=labels, range=["currentColor", "transparent"])
    tip = [
        alt.Tooltip("layer:Q"),
        *(alt.Tooltip(f"{c}:Q", format="+.1%") for c in columns[1:4]),
        alt.Tooltip("p_holm:Q", format=".3f", title="p (Holm)"),
    ]
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=GREY)
    return styled(
        alt.layer(
            zero.encode(y=alt.Y("zero:Q")),
            alt.Chart(frame)
            .mark_rule(color="currentColor", strokeWidth=1.5)
            .encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
            alt.Chart(frame)
            .mark_point(stroke="currentColor", size=60, opacity=1, strokeWidth=1.5)
            .encode(
                x=x,
                y=y,
                fill=alt.Fill("change:N", scale=fill, legend=alt.Legend(title=None)),
                tooltip=tip,
            ),
        ),
        height=150,
    )


def selectivity(probes: pd.DataFrame) -> Any:
    """Draw selectivity, accuracy minus that of the control task, over layers.

    Parameters
    ----------
    probes : pandas.DataFrame
        Rows of `LayerProbes.table()`: of the base model, then of the tuned one.

    Returns
    -------
    altair.LayerChart
    """
    columns = ["layer", "model", "selectivity", "selectivity_low", "selectivity_high"]
    frame = pd.DataFrame(probes[columns])
    frame.columns = ["layer", "model", "selectivity", "low", "high"]
    look = models(list(dict.fromkeys(frame["model"])))
    x = layer_axis(frame["layer"])
    y = value_axis("selectivity:Q", "Selectivity")
    tip = [
        alt.Tooltip("model:N"),
        alt.Tooltip("layer:Q"),
        *(alt.Tooltip(f"{c}:Q", format=".1%") for c in ("selectivity", "low", "high")),
    ]
    chart = alt.Chart(frame)
    return styled(
        alt.layer(
            chart.mark_area(opacity=0.18).encode(
                x=x, y=alt.Y("low:Q"), y2="high:Q", color=look["color"]
            ),
            chart.mark_line(strokeWidth=2).encode(x=x, y=y, color=look["color"]),
            chart.mark_point(filled=True, size=55, opacity=1).encode(x=x, y=y, tooltip=tip, **look),
        ),
        height=150,
    )
