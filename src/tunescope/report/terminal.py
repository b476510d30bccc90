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


def show(result: Result, console: Console | None = None) -> None:
    """Print a result's headline and table.

    Parameters
    ----------
    result : Result
        Any result.
    console : rich.console.Console, optional
        Where to print; standard output when not given.
    """
    console = console or Console(highlight=False)
    console.print(Text(result.headline()))
    frame = result.table()
    if len(frame):
        console.print(as_table(frame.head(MAX_ROWS)))
    if len(frame) > MAX_ROWS:
        console.print(f"... {len(frame) - MAX_ROWS:,} more rows")


def as_table(frame: pd.DataFrame) -> Table:
    """Turn a data frame into a rich table; numbers to the right, shares with three digits."""
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    columns = [frame[name] for name in frame.columns]
    for column in columns:
        kind = "right" if column.dtype.kind in "ifu" else "left"
        table.add_column(Text(str(column.name)), justify=kind, overflow="fold")
    for row in zip(*columns, strict=True):
        table.add_row(*(Text(as_text(value)) for value in row))
    return table


def as_text(value: Any) -> str:
    """Return a cell as text: nothing for what is missing, four digits for what is tiny."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.0e}"
    return str(value)
