"""What the figures of study 1 share: names and colours of orders and scalings, axes, heat maps.

The figures themselves are in `neurons_sets` (how many neurons are needed), `neurons_layers` (where
they sit), `neurons_agreement` (how rankings differ) and `neurons_use` (the search for lambda, what
is redundant, what the model itself uses).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from tunescope.neurons.selectivity import Bootstrap
from tunescope.report.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    dashes,
    styled,
)

Frame = Any
"""A pandas.DataFrame: of what its methods return, a type checker knows only unions."""

ORDERS = {"top": (BLUE, "circle"), "random": (ORANGE, "diamond"), "bottom": (PURPLE, "square")}
SCALINGS = {"raw": "raw", "zscored": "z-scored"}
SCALING_COLOURS = {"raw": BLUE, "z-scored": ORANGE}
LINES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
SHAPES = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross")
KEPT, ALL, MAJORITY = "N neurons", "all neurons", "majority"
NAME_LENGTH, NAME_WIDTH = 19, 130
"""Characters, and pixels, of the longest name on an axis; of longer ones the middle is left out."""
MOST_COLUMNS, MOST_CELLS = 14, 260
"""Numbers are written into a heat map up to so many columns and cells."""
MOST_POINTS = 25
"""A line with more points is drawn without marks."""
LOG_FROM = 10
"""Numbers of neurons that span a larger factor are drawn on a logarithmic axis."""


def choose(table: Frame, **where: Any) -> Frame:
    """Return the rows with the given values; a column that the table lacks chooses nothing."""
    for column, value in where.items():
        if column in table.columns:
            table = pd.DataFrame(table[table[column] == value])
    return table


def stacked(parts: Iterable[Frame]) -> Frame:
    """Put tables below each other."""
    return pd.concat(list(parts), ignore_index=True)


def scalings(table: Frame) -> list[str]:
    """Return the scalings of a table, raw first."""
    found = set(table["scaling"])
    return [name for name in SCALINGS if name in found] + sorted(found - set(SCALINGS))


def rankings(table: Frame) -> list[str]:
    """Return the rankings of a table in their order, a random one last."""
    names = list(dict.fromkeys(table["ranking"]))
    return sorted(names, key=lambda name: name == "random")


def over_seeds(table: Frame, keys: Sequence[str], value: str) -> Frame:
    """Put the rows that differ only in their seed together.

    Parameters
    ----------
    table : pandas.DataFrame
        With columns `keys`, `value`, and low and high if there are intervals; their level is
        `attrs["confidence"]`, 0.95 when not given.
    keys : sequence of str
        Columns that tell points apart.
    value : str
        Column that is averaged.

    Returns
    -------
    pandas.DataFrame
        `keys`, `value`, `low`, `high`, `seeds` (how many). Halves of an interval hold the mean
        half over words and, added in squares, Student's t over the seeds, as in
        `tunescope.neurons.selectivity.pool_seeds`.
    """
    rows = []
    bootstrap = Bootstrap(confidence=table.attrs.get("confidence", 0.95))
    table = table.dropna(subset=[value])
    for key, group in table.groupby(list(keys), sort=False, observed=True):
        middle = float(group[value].mean())
        spread = bootstrap.between(group[value].tolist())
        ends = {}
        for end, sign in (("low", -1), ("high", 1)):
            there = float(group[end].mean()) if end in group.columns else math.nan
            ends[end] = middle + sign * math.hypot(there - middle, spread)
        named = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
        rows.append({**named, value: middle, **ends, "seeds": len(group)})
    return pd.DataFrame(rows, columns=[*keys, value, "low", "high", "seeds"])


def look(field: str, colours: Mapping[str, str], shapes: Sequence[str] = SHAPES) -> dict[str, Any]:
    """Return colour and shape encodings of a few names, with one legend for both.

    Parameters
    ----------
    field : str
        The column with the names.
    colours : mapping of str to str
        Colour of each name, in the order of the legend.
    shapes : sequence of str
        Vega's names of shapes, as many as there are colours.
    """
    names = list(colours)
    legend = alt.Legend(title=None, symbolOpacity=1)
    shape = alt.Scale(domain=names, range=list(shapes[: len(names)]))
    color = alt.Scale(domain=names, range=list(colours.values()))
    return {
        "color": alt.Color(f"{field}:N", scale=color, legend=legend),
        "shape": alt.Shape(f"{field}:N", scale=shape, legend=legend),
    }


def order_look(names: Iterable[str], field: str = "order") -> dict[str, Any]:
    """Return colour and shape encodings of the orders (top, random, bottom) that are there."""
    there = set(names)
    shown = {name: ORDERS[name] for name in ORDERS if name in there}
    colours = {name: colour for name, (colour, _) in shown.items()}
    return look(field, colours, [shape for _, shape in shown.values()])


def scaling_look(names: Iterable[str]) -> dict[str, str]:
    """Return the colours of scalings by their names in figures."""
    return {name: SCALING_COLOURS.get(name, GREY) for name in names}


def ranking_lines(names: Sequence[str]) -> dict[str, Any]:
    """Return colour and dash encodings of rankings: past six colours dashed, random dotted grey."""
    colours, dashes = [], []
    for place, name in enumerate(names):
        colours.append(GREY if name == "random" else LINES[place % len(LINES)])
        dashes.append([2, 3] if name == "random" else [[1, 0], [6, 3]][place // len(LINES) % 2])
    # Two columns, so that the longest names fit a narrow screen.
    legend = alt.Legend(
        title=None, columns=2, symbolType="stroke", symbolSize=400, symbolStrokeWidth=2.5,
        symbolOpacity=1,
    )  # fmt: skip
    color = alt.Scale(domain=list(names), range=colours)
    dash = alt.Scale(domain=list(names), range=dashes)
    return {
        "color": alt.Color("ranking:N", scale=color, legend=legend),
        "strokeDash": alt.StrokeDash("ranking:N", scale=dash, legend=legend),
    }


def rule_dashes(names: Sequence[str]) -> alt.StrokeDash:
    """Return an encoding of `measure`: lines solid, all neurons dashed, the majority dotted.

    Parameters
    ----------
    names : sequence of str
        Those of `ALL` and `MAJORITY` that are drawn; the legend shows these.
    """
    encoded = dashes([KEPT, ALL, MAJORITY])
    encoded["legend"]["values"] = list(names)
    return encoded


def number_axis(
    numbers: Iterable[int], field: str = "n:Q", title: str = "Neurons", total: int | None = None
) -> alt.X:
    """Return the x axis for numbers of neurons, logarithmic where they span a large factor.

    Parameters
    ----------
    numbers : iterable of int
        What is drawn; at least 1 each for a logarithmic axis.
    field : str
        Field and type.
    title : str
        The axis's title.
    total : int, optional
        Neurons there are, for the title.
    """
    low, high = min(numbers), max(numbers)
    title += f" (of {total:,})" if total else ""
    if low < 1 or high < LOG_FROM * low:
        axis = alt.Axis(title=title, format=",d", grid=False, tickMinStep=1)
        return alt.X(field, axis=axis, scale=alt.Scale(nice=False, zero=False, padding=8))
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high < 2000 * low else (1,)
    ticks = [step * 10**decade for decade in decades for step in steps]
    return alt.X(
        field,
        scale=alt.Scale(type="log", nice=False, padding=8),
        axis=alt.Axis(
            title=f"{title}, log scale", format=",d", grid=False,
            values=[tick for tick in ticks if low <= tick <= high], labelOverlap="greedy",
        ),
    )  # fmt: skip


def names_axis(field: str, names: Sequence[str], title: str | None = None) -> alt.Y:
    """Return a y axis of names, in the order given."""
    # The middle goes, not the end: CCG categories and names of models often start alike.
    half = NAME_LENGTH // 2
    short = f"slice(datum.label, 0, {half}) + '…' + slice(datum.label, -{half})"
    axis = alt.Axis(
        labelExpr=f"length(datum.label) > {NAME_LENGTH} ? {short} : datum.label",
        labelLimit=NAME_WIDTH, labelFontSize=11, labelOverlap=False, grid=False,
    )  # fmt: skip
    return alt.Y(f"{field}:N", sort=list(names), title=title, axis=axis)


def cells(
    table: Frame,
    x: alt.X,
    y: alt.Y,
    value: str,
    legend: str,
    *,
    written: str,
    domain: tuple[float, float] | None = None,
    unit: str = "%",
    row_height: int = 22,
) -> Any:
    """Draw a heat map, with its numbers where they can be read.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per cell; rows without a value are left out.
    x, y : altair.X, altair.Y
        The axes, over columns of `table`.
    value : str
        Column that colours the cells.
    legend : str
        Title of the legend.
    written : str
        Column with the text of each cell.
    domain : tuple of float, optional
        Ends of the colours; those of the values when not given.
    unit : str
        Format of the legend's numbers.
    row_height : int
        Pixels of a row.
    """
    frame = table.dropna(subset=[value])
    low, high = domain or (float(frame[value].min()), float(frame[value].max()))
    if not high > low:
        high = low + 1e-9
    places: list[Any] = [x.to_dict(), y.to_dict()]
    column, row = (place["field"] for place in places)
    scale = alt.Scale(scheme="cividis", domain=[low, high])
    shown = alt.Legend(title=legend, format=unit, gradientLength=180, tickCount=3)
    base = alt.Chart(frame).encode(x=x, y=y)
    tip = [alt.Tooltip(f"{name}:N") for name in (row, column, written)]
    rects = base.mark_rect().encode(
        color=alt.Color(f"{value}:Q", scale=scale, legend=shown), tooltip=tip
    )
    layers = [rects]
    if frame[column].nunique() <= MOST_COLUMNS and len(frame) <= MOST_CELLS:
        dark = f"datum[{value!r}] < {low + 0.55 * (high - low)}"
        layers.append(
            base.mark_text(fontSize=10).encode(
                text=f"{written}:N",
                color=alt.condition(dark, alt.value("white"), alt.value("black")),
            )
        )
    height = row_height * frame[row].nunique()
    return styled(alt.layer(*layers), height=max(height, 60))


def percents(shares: Any) -> pd.Series:
    """Write shares as whole per cent without the sign; nothing for what rounds to 0."""
    return shares.map(lambda share: f"{100 * share:.0f}" if share >= 0.005 else "")
