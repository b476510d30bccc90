"""How many neurons are needed: accuracy against their number, ablation, minimal sets, selectivity.

After arXiv 2010.02695, with what the follow-up (arXiv 2206.13288) sets
beside them: random and bottom neurons, retrained.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from tunescope.report.figures.neurons import (
    ALL,
    KEPT,
    MAJORITY,
    MOST_POINTS,
    ORDERS,
    SCALINGS,
    Frame,
    choose,
    look,
    names_axis,
    number_axis,
    order_look,
    over_seeds,
    ranking_lines,
    rankings,
    rule_dashes,
    scaling_look,
    stacked,
)
from tunescope.report.figures.style import BLUE, GREEN, GREY, ORANGE, styled, value_axis

SETS = {"all": GREY, "top N": BLUE, "random N": ORANGE, "bottom N": ORDERS["bottom"][0]}
SET_SHAPES = ("cross", "circle", "diamond", "square")
FORMATS = {"share": ".1%", "points": "+.1%"}


def curve_rows(curve: Frame, ranking: str) -> Frame:
    """Return the rows of one ranking, with random neurons from wherever the table has them."""
    own = choose(curve, ranking=ranking)
    if "random" in set(own["order"]):
        return own
    drawn = choose(curve, order="random")
    if not len(drawn):
        drawn = choose(curve, ranking="random", order="top").assign(order="random")
    return stacked([own, drawn])


def curve(
    table: Frame,
    *,
    value: str = "test_accuracy",
    oracle: float | None = None,
    majority: float | None = None,
    total: int | None = None,
) -> Any:
    """Draw accuracy, or selectivity, against the number of neurons kept.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `curve` for one scaling, ranking and classifier (`curve_rows`).
    value : {"test_accuracy", "selectivity"}
        Column that is drawn. Bands are drawn for the accuracy, whose interval `low` and `high` are.
    oracle, majority : float, optional
        Accuracy (or selectivity) with all neurons, drawn dashed; of the most frequent label,
        dotted.
    total : int, optional
        Neurons there are.

    Returns
    -------
    altair.LayerChart
    """
    rows = table if value == "test_accuracy" else table.assign(low=np.nan, high=np.nan)
    frame = over_seeds(rows, ["order", "n"], value).assign(measure=KEPT)
    x, encoded = number_axis(frame["n"], total=total), order_look(frame["order"])
    rules, dash = _rules({ALL: oracle, MAJORITY: majority})
    if value == "test_accuracy":
        y = value_axis(f"{value}:Q", "Words labelled correctly", domain=[0, 1])
    else:
        y = value_axis(f"{value}:Q", "Selectivity")
    tip = [alt.Tooltip("order:N"), alt.Tooltip("n:Q", format=",d"), alt.Tooltip("seeds:Q")]
    tip += [alt.Tooltip(f"{name}:Q", format=".1%") for name in (value, "low", "high")]
    chart, layers = alt.Chart(frame), []
    if frame["low"].notna().any():
        band = chart.mark_area(opacity=0.2)
        layers.append(band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=encoded["color"]))
    layers.append(chart.mark_line().encode(x=x, y=y, color=encoded["color"], strokeDash=dash))
    layers += rules
    few = frame["n"].nunique() <= MOST_POINTS
    points = chart.mark_point(filled=True, size=50 if few else 18, opacity=1)
    layers.append(points.encode(x=x, y=y, tooltip=tip, **encoded))
    return styled(alt.layer(*layers))


def ranking_curves(table: Frame, total: int | None = None) -> Any:
    """Draw accuracy with the top neurons of every ranking.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `curve` for one scaling and classifier.
    total : int, optional
        Neurons there are.

    Returns
    -------
    altair.Chart
    """
    top = choose(table, order="top")
    if "random" not in set(top["ranking"]):
        drawn = choose(table, order="random").assign(ranking="random")
        top = stacked([top, drawn])
    frame = over_seeds(top, ["ranking", "n"], "test_accuracy")
    tip = [alt.Tooltip("ranking:N"), alt.Tooltip("n:Q", format=",d")]
    tip += [alt.Tooltip(f"{name}:Q", format=".1%") for name in ("test_accuracy", "low", "high")]
    y = value_axis("test_accuracy:Q", "Words labelled correctly", zero=False)
    return styled(
        alt.Chart(frame)
        .mark_line(strokeWidth=2)
        .encode(
            x=number_axis(frame["n"], total=total), y=y, tooltip=tip,
            **ranking_lines(rankings(frame)),
        ),
        height=280,
    )  # fmt: skip


def ablation(table: Frame, *, oracle: float | None = None, majority: float | None = None) -> Any:
    """Draw accuracy with a share of the neurons kept: top, random and bottom.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `ablation` for one scaling, ranking, `within` and `how`. The axis starts at 0
        where a majority is given, else near the points.
    oracle, majority : float, optional
        Accuracy with all neurons, and of the most frequent label.

    Returns
    -------
    altair.LayerChart
    """
    parts = pd.DataFrame(table[table["order"].isin(list(ORDERS))])
    frame = over_seeds(parts, ["share", "order"], "accuracy")
    frame["kept"] = [f"{100 * share:g}%" for share in frame["share"]]
    shown = frame.sort_values("share")
    return _points(
        shown, "kept", "accuracy", "Words labelled correctly", order_look(frame["order"]), "order",
        title="Neurons kept", rules={ALL: oracle, MAJORITY: majority},
        scale=None if majority is None else {"domain": [0, 1]},
    )  # fmt: skip


def minimal_accuracy(table: Frame) -> Any:
    """Draw the accuracy of minimal sets beside all neurons, and as many random and bottom ones.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `minimal` for one scaling and ranking.

    Returns
    -------
    altair.LayerChart
    """
    frame = _sets(
        table,
        {
            "all": ("oracle_accuracy", None, None),
            "top N": ("accuracy", "low", "high"),
            "random N": ("random_accuracy", "random_low", "random_high"),
            "bottom N": ("bottom_accuracy", "bottom_low", "bottom_high"),
        },
    )
    return _points(frame, "within", "value", "Words labelled correctly", _set_look(frame), "set")


def selectivity(table: Frame) -> Any:
    """Draw the selectivity of minimal sets beside that of all neurons.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `minimal` for one scaling and ranking.

    Returns
    -------
    altair.LayerChart
    """
    frame = _sets(
        table,
        {
            "all": ("selectivity_all", None, None),
            "top N": ("selectivity", "selectivity_low", "selectivity_high"),
        },
    )
    return _points(
        frame,
        "within",
        "value",
        "Selectivity",
        _set_look(frame),
        "set",
        scale={"zero": True},
        height=200,
    )


def sizes(table: Frame, row: str, colour: str) -> Any:
    """Draw how many neurons a minimal set needs.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows of `minimal` for one ranking; with a column `label` for several label columns.
    row : {"delta", "label"}
        What stands on the y axis.
    colour : {"scaling", "delta"}
        What tells bars of one row apart.

    Returns
    -------
    altair.LayerChart
    """
    frame: Any = table[["n", "share", "reached"]]
    frame = frame.assign(
        row=[f"{delta:g} point{'s' * (delta != 1)}" for delta in table["delta"]]
        if row == "delta"
        else table[row],
        group=_within(table["delta"])
        if colour == "delta"
        else [SCALINGS.get(name, name) for name in table[colour]],
    )
    frame["written"] = [
        f"{n:,} ({100 * share:.1f}%)" if reached else "not reached"
        for n, share, reached in zip(frame["n"], frame["share"], frame["reached"], strict=True)
    ]
    frame["drawn"] = frame["n"].where(frame["reached"].astype(bool), 0)
    names, groups = (list(dict.fromkeys(frame[name])) for name in ("row", "group"))
    if colour == "scaling":
        colours = scaling_look(groups)
    else:
        colours = dict(zip(groups, (BLUE, ORANGE, GREEN, GREY), strict=False))
    words = "Within … points of all neurons" if colour == "delta" else None
    shown = alt.Legend(title=words, titleLimit=300) if len(groups) > 1 else None
    scale = alt.Scale(domain=groups, range=[colours[group] for group in groups])
    y = names_axis("row", names)
    offset = alt.YOffset("group:N", sort=groups)
    most = max(int(frame["drawn"].max()), 1)
    # Room for the numbers at the end of the bars, on a narrow screen too.
    x = alt.X(
        "drawn:Q", title="Neurons in the set",
        axis=alt.Axis(format=",d", tickCount=4),
        scale=alt.Scale(domain=[0, 1.6 * most], nice=False),
    )  # fmt: skip
    base = alt.Chart(frame).encode(y=y, yOffset=offset)
    tip = [alt.Tooltip(f"{name}:N") for name in ("row", "group", "written")]
    bars = base.mark_bar().encode(
        x=x, color=alt.Color("group:N", scale=scale, legend=shown), tooltip=tip
    )
    text = base.mark_text(align="left", dx=4, fontSize=11, color="currentColor")
    height = len(names) * (12 + 20 * len(groups))
    return styled(alt.layer(bars, text.encode(x=x, text="written:N")), height=max(height, 60))


def _within(deltas: Any) -> list[str]:
    return [f"{delta:g}" for delta in deltas]


def _sets(table: Frame, columns: dict[str, tuple[str, str | None, str | None]]) -> Any:
    """Put one kind of set after the other, each with value and interval, if it is there."""
    parts = []
    for name, found in columns.items():
        value, low, high = (table[c] if c in table.columns else np.nan for c in found)
        part = pd.DataFrame({"delta": table["delta"], "n": table["n"], "set": name})
        parts.append(part.assign(value=value, low=low, high=high))
    frame = stacked(parts).dropna(subset=["value"]).sort_values("delta")
    return frame.assign(within=_within(frame["delta"]))


def _set_look(frame: Frame) -> dict[str, Any]:
    there = set(frame["set"])
    colours = {name: colour for name, colour in SETS.items() if name in there}
    shapes = [shape for shape, name in zip(SET_SHAPES, SETS, strict=True) if name in there]
    return look("set", colours, shapes)


def _rules(at: dict[str, float | None]) -> tuple[list[Any], Any]:
    """Return a line across for each accuracy that is known, and the encoding of their dashes."""
    known = {name: value for name, value in at.items() if value is not None and value == value}
    dash = rule_dashes(list(known)) if known else alt.value([1, 0])
    rules = []
    for name, value in known.items():
        rule = alt.Chart(pd.DataFrame({"measure": [name], "at": [value]}))
        rule = rule.mark_rule(color=GREY, strokeWidth=1.5)
        rules.append(rule.encode(y=alt.Y("at:Q"), strokeDash=dash))
    return rules, dash


def _points(
    frame: Frame,
    x: str,
    value: str,
    axis: str,
    encoded: dict[str, Any],
    group: str,
    *,
    title: str = "Within … points of all neurons",
    rules: dict[str, float | None] | None = None,
    height: int = 230,
    scale: dict[str, Any] | None = None,
) -> Any:
    """Draw points with their intervals beside each other for each of a few conditions."""
    names = encoded["color"].to_dict()["scale"]["domain"]
    band = alt.Scale(paddingInner=0.25, paddingOuter=0.15)
    across = alt.X(
        f"{x}:N", sort=list(dict.fromkeys(frame[x])), scale=band,
        axis=alt.Axis(title=title, labelAngle=0, grid=False),
    )  # fmt: skip
    offset = alt.XOffset(f"{group}:N", sort=names)
    y = value_axis(f"{value}:Q", axis, **(scale or {"zero": False}))
    tip = [alt.Tooltip(f"{name}:N") for name in (x, group)]
    tip += [alt.Tooltip(f"{name}:Q", format=".1%") for name in (value, "low", "high")]
    base = alt.Chart(frame).encode(x=across, xOffset=offset)
    span = base.mark_rule(strokeWidth=2)
    layers = [span.encode(y=alt.Y("low:Q"), y2="high:Q", color=encoded["color"])]
    layers += _rules(rules or {})[0]
    marks = base.mark_point(filled=True, size=70, opacity=1)
    layers.append(marks.encode(y=y, tooltip=tip, **encoded))
    return styled(alt.layer(*layers), height=height)
