"""Results as text in a terminal."""

from __future__ import annotations

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
        for block in blocks(frame.head(max_rows or len(frame)), console.width):
            console.print(as_table(block))
        if max_rows is not None and len(frame) > max_rows:
            console.print(f"... {len(frame) - max_rows:,} more rows")


def blocks(frame: pd.DataFrame, width: int) -> list[pd.DataFrame]:
    """Cut a table that is too wide into some that fit, all with the layer or the first column.

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
    for name in others:
        if widths[name] > room and found[-1] != [first]:
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
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return str(value)
