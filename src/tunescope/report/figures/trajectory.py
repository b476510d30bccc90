"""Concepts over checkpoints: where words flow, what is there when, what is lost without tuning."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tunescope.report.figures.neurons import Frame
from tunescope.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    layer_axis,
    styled,
    value_axis,
)

GROUPS = {
    "kept": GREEN,
    "merged": SKY,
    "absorbed": BLUE,
    "split": ORANGE,
    "carved": YELLOW,
    "vanished": "#7F3C8D",
    "new": PURPLE,
    "polarised": VERMILLION,
    "small": GREY,
}
"""Colours of groups of concepts, in their order from top to bottom."""

GAP, NODE = 0.014, 0.09
"""Between the nodes of a column, in shares of all words; half the width of a node, in columns."""
SMALLEST = 0.002
"""Flows of a smaller share of the words are not drawn."""
LABELLED = 0.035
"""Nodes of at least this share of the words say how many concepts they are."""
BEND = np.linspace(0, 1, 17)
MEASURES = {
    "retained": "Base concepts found again",
    "present": "Tuned concepts there already",
    "polarised": "Concepts that follow a class",
    "predicted_polarised": "Concepts that follow a predicted class",
}


def fraction_name(fraction: float) -> str:
    """Write a share of the tuning as the name of a model on the way."""
    return {0.0: "base", 1.0: "tuned"}.get(float(fraction), f"{100 * fraction:g}%")


def flow(flows: Frame, groups: Frame, points: Frame) -> Any:
    """Draw how words go from group to group over the checkpoints, for one layer.

    Parameters
    ----------
    flows, groups : pandas.DataFrame
        Rows of `ConceptTrace.flows` and `.groups` for one layer.
    points : pandas.DataFrame
        `ConceptTrace.points`.

    Returns
    -------
    altair.LayerChart
        A column for each point, ribbons in the colour of where words go to.
    """
    nodes = _nodes(groups)
    names = [fraction_name(fraction) for fraction in points.sort_values("point")["fraction"]]
    used = [group for group in GROUPS if group in set(nodes["group"])]
    scale = alt.Scale(domain=used, range=[GROUPS[group] for group in used])
    colour = alt.Color("group:N", scale=scale, legend=alt.Legend(title=None, symbolOpacity=1))
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[-0.2, len(names) - 0.8], nice=False, zero=False),
        axis=alt.Axis(
            title="Share of the tuning done", values=list(range(len(names))), grid=False,
            labelExpr=f"{names!r}[datum.value]", labelAngle=0, labelOverlap=False,
        ),
    )  # fmt: skip
    top = float(nodes["high"].max())
    axis = alt.Axis(title="Words", labels=False, ticks=False, grid=False, domain=False)
    y = alt.Y("low:Q", scale=alt.Scale(domain=[top, 0], nice=False), axis=axis)
    tip = [
        "group:N",
        alt.Tooltip("concepts:Q"),
        alt.Tooltip("words:Q", format=","),
        *(alt.Tooltip(f"{c}:Q", format=".1%") for c in ("share", "from", "to")),
    ]
    passing = [
        alt.Tooltip("source:N"),
        alt.Tooltip("group:N", title="target"),
        alt.Tooltip("words:Q", format=","),
        alt.Tooltip("share:Q", format=".1%"),
        alt.Tooltip("expected:Q", format=".1%", title="by chance"),
    ]
    ribbons = (
        alt.Chart(_ribbons(flows, nodes))
        .mark_area(opacity=0.42, line=False)
        .encode(x=x, y=y, y2="high:Q", color=colour, detail="ribbon:N", tooltip=passing)
    )
    boxes = alt.Chart(nodes).mark_rect(opacity=1)
    boxes = boxes.encode(x=x, x2="right:Q", y=y, y2="high:Q", color=colour, tooltip=tip)
    told = nodes[nodes["share"] >= LABELLED]
    text = alt.Chart(told).mark_text(fontSize=11, fontWeight="bold", color="black")
    text = text.encode(x=alt.X("middle:Q"), y=alt.Y("centre:Q"), text="concepts:Q")
    return styled(alt.layer(ribbons, boxes, text), height=340)


def _nodes(groups: Frame) -> Frame:
    """Place the groups of each point above each other."""
    order = {group: number for number, group in enumerate(GROUPS)}
    frame = groups.assign(order=groups["group"].map(order)).sort_values(["point", "order"])
    frame = frame.rename(columns={"low": "from", "high": "to"})
    by_point = frame.groupby("point")
    low = by_point["share"].cumsum() - frame["share"] + GAP * by_point.cumcount()
    return frame.assign(
        low=low,
        high=low + frame["share"],
        centre=low + frame["share"] / 2,
        middle=frame["point"].astype(float),
        x=frame["point"] - NODE,
        right=frame["point"] + NODE,
    ).drop(columns=["order", "corpus"], errors="ignore")


def _ribbons(flows: Frame, nodes: Frame) -> Frame:
    """Make each flow a ribbon: rows along it, with its two edges."""
    order = {group: number for number, group in enumerate(GROUPS)}
    starts = zip(nodes["point"], nodes["group"], nodes["low"], strict=True)
    left = {(point, group): low for point, group, low in starts}
    right = dict(left)
    rows = flows[["point", "source", "target", "words", "share", "expected"]].to_dict("records")
    rows.sort(key=lambda row: (row["point"], order[row["source"]], order[row["target"]]))
    for row in rows:
        row["begin"] = left[row["point"], row["source"]]
        left[row["point"], row["source"]] += row["share"]
    for row in sorted(rows, key=lambda r: (r["point"], order[r["target"]], order[r["source"]])):
        row["end"] = right[row["point"] + 1, row["target"]]
        right[row["point"] + 1, row["target"]] += row["share"]
    bend = BEND**2 * (3 - 2 * BEND)
    parts = []
    for number, row in enumerate(rows):
        if row["share"] < SMALLEST:
            continue
        low = row["begin"] + (row["end"] - row["begin"]) * bend
        columns = {
            "x": row["point"] + NODE + BEND * (1 - 2 * NODE),
            "low": low,
            "high": low + row["share"],
            "ribbon": number,
            "group": row["target"],
            **{name: row[name] for name in ("source", "words", "share", "expected")},
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def there(counts: Frame, points: Frame, measure: str = "retained") -> Any:
    """Draw the share of concepts that are there, or polarised, at each layer and checkpoint.

    Parameters
    ----------
    counts : pandas.DataFrame
        `ConceptTrace.counts`.
    points : pandas.DataFrame
        `ConceptTrace.points`.
    measure : str
        One of its measures.

    Returns
    -------
    altair.LayerChart
        Cells say the share; what chance would give is in their tooltips.
    """
    frame = counts[counts["measure"] == measure].merge(points[["point", "fraction"]], on="point")
    frame = frame.assign(
        row=frame["fraction"].map(fraction_name),
        chance=frame["null_high"] / frame["n_concepts"].clip(lower=1),
    ).drop(columns="corpus", errors="ignore")
    names = [fraction_name(fraction) for fraction in sorted(set(frame["fraction"]))]
    base = alt.Chart(frame).encode(
        x=alt.X("layer:O", axis=alt.Axis(title="Layer (0 = embeddings)", labelAngle=0, grid=False)),
        y=alt.Y("row:N", sort=names, axis=alt.Axis(title="Tuning done", grid=False, minExtent=46)),
    )
    tip = ["layer:O", "row:N", "count:Q", "n_concepts:Q", "changed:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("share", "low", "high", "chance")]
    legend = alt.Legend(title=MEASURES[measure], format="%", gradientLength=180)
    scale = alt.Scale(scheme="cividis", domain=[0, 1])
    cells = base.mark_rect().encode(
        color=alt.Color("share:Q", scale=scale, legend=legend), tooltip=tip
    )
    height = max(60, 26 * len(names))
    if frame["layer"].nunique() > 14:
        return styled(alt.layer(cells), height=height)
    dark = "datum.share < 0.55"
    text = base.mark_text(fontSize=11).encode(
        text=alt.Text("share:Q", format=".0%"),
        color=alt.condition(dark, alt.value("white"), alt.value("black")),
    )
    return styled(alt.layer(cells, text), height=height)


def noise(summary: Frame) -> Any:
    """Draw the share of concepts found again without tuning, beside that after tuning.

    Parameters
    ----------
    summary : pandas.DataFrame
        `ConceptStability.summary`.

    Returns
    -------
    altair.LayerChart
    """
    names = list(dict.fromkeys(summary["comparison"]))
    colours = [GREEN, ORANGE, VERMILLION, PURPLE, BLUE, SKY, YELLOW, GREY][: len(names)]
    legend = alt.Legend(title=None, labelLimit=260, symbolOpacity=1)
    scale = alt.Scale(domain=names, range=colours)
    colour = alt.Color("comparison:N", scale=scale, legend=legend)
    x, y = (
        layer_axis(summary["layer"]),
        value_axis("share:Q", "Concepts found again", domain=[0, 1]),
    )
    tip = ["comparison:N", "layer:Q"]
    tip += [alt.Tooltip(f"{c}:Q", format=".1%") for c in ("share", "low", "high", "null_share")]
    tip.append(alt.Tooltip("ari:Q", format=".2f", title="adjusted Rand"))
    base = alt.Chart(summary)
    return styled(
        alt.layer(
            base.mark_area(opacity=0.1).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
            base.mark_line().encode(x=x, y=y, color=colour),
            base.mark_point(filled=True, size=50, opacity=1).encode(
                x=x, y=y, color=colour, tooltip=tip
            ),
        )
    )
