"""Which task forgets what, and how deep: matrices of tasks by layers, and all tasks of one base.

After arXiv 2105.15179, figures 1 to 3. Losses and gains are told apart by brown and teal, which
colour-blind readers can; what is not significant is written and drawn paler, and a cell without a
result is hatched and says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import altair as alt
import pandas as pd

from tunescope.report.figures.neurons import Frame, choose, names_axis
from tunescope.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    layer_axis,
    styled,
    value_axis,
)

SIGNIFICANT = 0.05
LEAST = 0.02
"""Ends of the colours at least: 2 points, so that noise alone is not drawn as strong colours."""
LOSS, NONE, GAIN = "#8C510A", "#F6F6F6", "#01665E"
"""ColorBrewer's brown and teal."""
HATCH, HATCHED = "╱╱╱", "#D0D0D0"
MOST_COLUMNS, CELL = 14, 30
"""Numbers are written up to so many layers, and where a cell has so many pixels; else significant
cells have a dot."""
TASKS = (VERMILLION, BLUE, GREEN, PURPLE, ORANGE, SKY)
SHAPES = ("square", "diamond", "triangle-up", "triangle-down", "cross", "circle")


def matrix(table: Frame, *, written: bool = True, limit: float | None = None) -> Any:
    """Draw the change of accuracy, tasks by layers, as one panel.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per tuned model and layer: row (name shown), layer, difference, low, high, p_holm;
        and, where a cell has no result, NaN as difference and the reason as reason. A tuned model
        that has none at all may be one row with NaN as layer: all layers of the panel are hatched.
    written : bool
        Write percentage points into the cells, where they can be read.
    limit : float, optional
        Change at the ends of the colours: the same for panels that stand side by side. The largest
        of the table when not given, and at least 2 points.

    Returns
    -------
    altair.LayerChart
    """
    frame = cells_of(table)
    there = frame.dropna(subset=["difference"])
    end = max(LEAST, float(there["difference"].abs().max()) if len(there) else 0.0)
    end = end if limit is None else limit
    layers = sorted(set(frame["layer"]))
    x = alt.X(
        "layer:O", sort=layers,
        axis=alt.Axis(title="Layer (0 = embeddings)", labelAngle=0, grid=False,
                      labelOverlap="greedy", labelSeparation=3),
    )  # fmt: skip
    y = names_axis("row", list(dict.fromkeys(frame["row"])))
    colour = alt.Color(
        "difference:Q",
        scale=alt.Scale(domain=[-end, 0, end], range=[LOSS, NONE, GAIN], clamp=True),
        legend=alt.Legend(
            title="Tuned − base (points)", gradientLength=180, values=[-end, 0, end],
            labelExpr="datum.value ? format(100 * datum.value, '+.1f') : '0'",
        ),
    )  # fmt: skip
    tip: list[Any] = [alt.Tooltip("row:N", title="model"), alt.Tooltip("layer:O")]
    tip += [alt.Tooltip(f"{name}:Q", format="+.1%") for name in ("difference", "low", "high")]
    tip.append(alt.Tooltip("p_holm:Q", format=".3f", title="p (Holm)"))
    parts: list[Any] = [alt.Chart(there).mark_rect().encode(x=x, y=y, color=colour, tooltip=tip)]
    missing = frame[frame["difference"].isna()]
    if len(missing):
        why = [alt.Tooltip("row:N", title="model"), alt.Tooltip("layer:O"), alt.Tooltip("reason:N")]
        cell = alt.Chart(missing).encode(x=x, y=y, tooltip=why)
        parts += [
            cell.mark_rect(color=HATCHED),
            cell.mark_text(text=HATCH, color=GREY, fontSize=10, clip=True),
        ]
    room = f"width >= {CELL * len(layers)}"
    if not (written and len(layers) <= MOST_COLUMNS):
        room = "false"
    else:
        parts += [_numbers(there, x, y, end, sure, room) for sure in (True, False)]
    dots = alt.Chart(there[there["significant"]]).mark_point(
        filled=True, size=12, opacity=alt.ExprRef(f"{room} ? 0 : 1"), color="black"
    )
    parts.append(dots.encode(x=x, y=y))
    return styled(alt.layer(*parts), height=max(60, 24 * frame["row"].nunique()))


def _numbers(there: Frame, x: alt.X, y: alt.Y, end: float, sure: bool, room: str) -> Any:
    """Write points where there is room: bold where significant, and else smaller and in grey."""
    frame = there[there["significant"] == sure]
    strong = f"abs(datum.difference) > {0.6 * end}"
    ink = alt.condition(strong, alt.value("white"), alt.value("black" if sure else "#6A6A6A"))
    style: dict[str, Any] = {"fontSize": 11, "fontWeight": "bold"} if sure else {"fontSize": 10}
    return (
        alt.Chart(frame)
        .mark_text(**style, opacity=alt.ExprRef(f"{room} ? 1 : 0"))
        .encode(x=x, y=y, text="points:N", color=ink)
    )


def cells_of(table: Frame) -> Frame:
    """Return one row per cell of a panel, with what is written into it.

    Parameters
    ----------
    table : pandas.DataFrame
        As for `matrix`.
    """
    frame: Any = table.copy()
    if "reason" not in frame:
        frame["reason"] = None
    layers = sorted(set(frame["layer"].dropna())) or [0]
    whole = frame["layer"].isna()
    spread = [
        {**row, "layer": layer} for row in frame[whole].to_dict("records") for layer in layers
    ]
    order = list(dict.fromkeys(frame["row"]))
    frame = pd.concat([frame[~whole], pd.DataFrame(spread, columns=frame.columns)])
    seen = set(zip(frame["row"], frame["layer"], strict=True))
    absent = [{"row": row, "layer": layer, "reason": "not there"} for row in order
              for layer in layers if (row, layer) not in seen]  # fmt: skip
    if absent:
        frame = pd.concat([frame, pd.DataFrame(absent)])
    frame["layer"] = frame["layer"].astype(int)
    numbers = ["difference", "low", "high", "p_holm"]
    frame = frame.astype(dict.fromkeys(numbers, float))
    frame["significant"] = frame["p_holm"] < SIGNIFICANT
    frame["points"] = [_points(value) for value in frame["difference"]]
    frame["reason"] = frame["reason"].where(frame["difference"].isna())
    frame["place"] = [order.index(name) for name in frame["row"]]
    return frame.sort_values(["place", "layer"], kind="stable").drop(columns="place")


def _points(difference: float) -> str:
    """Write percentage points as short as a cell: one decimal below 10."""
    if pd.isna(difference):
        return ""
    points = 100 * difference
    text = f"{points:+.0f}" if abs(points) >= 9.95 else f"{points:+.1f}"
    return "0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def matrices(table: Frame, panel: str = "label", **options: Any) -> dict[str, Any]:
    """Draw one matrix for each base or label, with the same colours.

    Parameters
    ----------
    table : pandas.DataFrame
        As for `matrix`, with a column that says the panel.
    panel : str
        That column.
    **options
        As for `matrix`.

    Returns
    -------
    dict of str to a function that draws an altair.LayerChart
    """
    limit = max([LEAST, *(abs(float(value)) for value in table["difference"].dropna())])
    names = dict.fromkeys(table[panel])
    return {
        str(name): partial(matrix, choose(table, **{panel: name}), **{"limit": limit, **options})
        for name in names
    }


def curves(table: Frame, base: str, *, tasks: Mapping[str, str] | None = None) -> Any:
    """Draw accuracy over layers of one base and all models tuned from it, with bands.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per model and layer: model, layer, accuracy, low, high (its interval), and majority
        where it is to be drawn.
    base : str
        Name of the base model, which is drawn in black.
    tasks : mapping of str to str, optional
        What a tuned model is called in the legend.

    Returns
    -------
    altair.LayerChart
    """
    frame = table.assign(shown=[(tasks or {}).get(name, name) for name in table["model"]])
    first = (tasks or {}).get(base, base)
    names = [first, *(name for name in dict.fromkeys(frame["shown"]) if name != first)]
    own, tuned = frame[frame["shown"] == first], frame[frame["shown"] != first]
    look = _look(names)
    x = layer_axis(frame["layer"])
    y = value_axis("accuracy:Q", "Words labelled correctly", zero=False)
    tip: list[Any] = [alt.Tooltip("shown:N", title="model"), alt.Tooltip("layer:Q")]
    tip += [alt.Tooltip(f"{name}:Q", format=".1%") for name in ("accuracy", "low", "high")]
    chart = alt.Chart(frame)
    parts: list[Any] = [
        chart.mark_area(opacity=0.14).encode(
            x=x, y=alt.Y("low:Q"), y2="high:Q", color=look["color"]
        ),
        # The base lies below, and is wider, so that it can be seen where a tuned model equals it.
        *(alt.Chart(lines).mark_line(strokeWidth=wide, opacity=opaque).encode(
            x=x, y=y, color=look["color"]) for lines, wide, opaque in ((own, 5, 0.45),
                                                                       (tuned, 2, 1))),
        alt.Chart(own).mark_point(filled=True, size=110, opacity=1).encode(
            x=x, y=y, tooltip=tip, **look),
        alt.Chart(tuned).mark_point(filled=True, size=45, opacity=1).encode(
            x=x, y=y, tooltip=tip, **look),
    ]  # fmt: skip
    if "majority" in frame and frame["majority"].notna().any():
        most = frame.dropna(subset=["majority"]).drop_duplicates("layer")
        lowest = float(frame["low"].min())
        if float(most["majority"].max()) > lowest - 0.15:  # else it would flatten all curves
            line = alt.Chart(most).mark_line(color=GREY, strokeDash=[2, 3])
            parts.insert(0, line.encode(x=x, y=alt.Y("majority:Q")))
    return styled(alt.layer(*parts))


def _look(names: Sequence[str]) -> dict[str, Any]:
    """Return colour and shape of models: the base in the text's colour, then the tasks."""
    tuned = len(names) - 1
    scale = {
        "color": ["currentColor", *(TASKS[n % len(TASKS)] for n in range(tuned))],
        "shape": ["circle", *(SHAPES[n // len(TASKS) % len(SHAPES)] for n in range(tuned))],
    }
    if tuned <= len(TASKS):
        scale["shape"] = ["circle", *SHAPES[:tuned]]
    legend = alt.Legend(title=None, symbolOpacity=1, columns=2)
    return {
        "color": alt.Color("shown:N", scale=alt.Scale(domain=list(names), range=scale["color"]),
                           legend=legend),
        "shape": alt.Shape("shown:N", scale=alt.Scale(domain=list(names), range=scale["shape"]),
                           legend=legend),
    }  # fmt: skip
