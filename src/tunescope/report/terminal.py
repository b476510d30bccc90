"""Results as text in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tunescope.results import Result

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 60
TEXT_WIDTH = 40  # of a column of text, in deciding whether a table fits
GAP = 2  # blanks between columns


def show(
    result: Result, console: Console | None = None, *, max_rows: int | None = MAX_ROWS
) -> None:
    """Print a result's headline and table.

    Parameters
    ----------
    result : Result
        Any result.
    console : rich.console.Console, optional
        Where to print; standard output when not given.
    max_rows : int or None
        Rows of a table that are printed; None prints all.
    """
    console = console or Console(highlight=False)
    console.print(Text(result.headline()))
    for title, frame in result.tables().items():
        if title:
            console.print(Text(f"\n{title}", style="bold"))
        left, zero = without_zeros(frame, console.width)
        for block in blocks(left.head(max_rows or len(frame)), console.width):
            console.print(as_table(block))
        if zero:
            console.print(Text(f"0 in all rows: {', '.join(zero)}"))
        if max_rows is not None and len(frame) > max_rows:
            console.print(f"... {len(frame) - max_rows:,} more rows")


def without_zeros(frame: pd.DataFrame, width: int) -> tuple[pd.DataFrame, list[str]]:
    """Take columns of nothing but zeros from a table that is too wide for a line.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table.
    width : int
        Characters in a line.

    Returns
    -------
    pandas.DataFrame
        The other columns, or all where they fit.
    list of str
        What was taken away, by the word that headings begin with: neighbours with the same one.
    """
    if sum(_width(frame[name]) for name in frame.columns) <= width:
        return frame, []
    zero = [
        names
        for names in _together(frame.columns)
        if len(names) > 1 and (frame.loc[:, names] == 0).all(axis=None)
    ]
    left = [name for name in frame.columns if name not in sum(zero, [])]
    return frame.loc[:, left], [_first_word(names[0]) for names in zero]


def _together(names: Iterable[str]) -> list[list[str]]:
    """Neighbours whose headings begin with the same word."""
    return [list(group) for _, group in groupby(names, key=_first_word)]


def _first_word(name: str) -> str:
    return str(name).split(" ")[0]


def blocks(frame: pd.DataFrame, width: int) -> list[pd.DataFrame]:
    """Cut a table that is too wide into some that fit, all with the layer or the first column.

    Neighbours whose headings begin with the same word stay together where they fit a line.

    Parameters
    ----------
    frame : pandas.DataFrame
        Any table; none comes of an empty one.
    width : int
        Characters in a line. Columns of text are folded; numbers never are.
    """
    if not len(frame):
        return []
    first = "layer" if "layer" in frame.columns else frame.columns[0]
    others = [name for name in frame.columns if name != first]
    widths = {name: _width(frame[name]) for name in frame.columns}
    found, room = [[first]], width - widths[first]
    for names in _together(others):
        together = sum(widths[name] for name in names)
        for name in names:
            needed = (
                together if name == names[0] and together <= width - widths[first] else widths[name]
            )
            if needed > room and found[-1] != [first]:
                found.append([first])
                room = width - widths[first]
            found[-1].append(name)
            room -= widths[name]
    return [frame.loc[:, names] for names in found]


def _width(column: Any) -> int:
    """Characters that a column needs, the blanks behind it included."""
    texts = [as_text(value) for value in column]
    heading = str(column.name)
    if column.dtype.kind in "ifu":
        return max(map(len, [*texts, *heading.split()])) + GAP
    return min(max(map(len, [*texts, heading])), TEXT_WIDTH) + GAP


def as_table(frame: pd.DataFrame) -> Table:
    """Turn a data frame into a rich table; numbers to the right, shares with three digits."""
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold underline")
    columns = [frame[name] for name in frame.columns]
    for column in columns:
        numbers = column.dtype.kind in "ifu"
        heading = str(column.name)
        table.add_column(
            Text(heading.replace(" ", "\n") if numbers else heading),
            justify="right" if numbers else "left",
            no_wrap=numbers,  # a number is never cut in two
            overflow="fold",
        )
    for row in zip(*columns, strict=True):
        table.add_row(*(Text(as_text(value)) for value in row))
    return table


def as_text(value: Any) -> str:
    """Return a cell as text: shares with three digits, nothing for what is missing."""
    import pandas as pd

    if pd.isna(value) is True:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return str(value)
