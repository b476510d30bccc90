"""A figure of the page: charts, what they show, how they were made, and the numbers behind them."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import vl_convert
from markupsafe import Markup

from tunescope.files import atomic_file, hash_json
from tunescope.report.figures.style import specification
from tunescope.report.terminal import as_text

PRINT_WIDTH = 560
PNG_SCALE = 2.0


@dataclass(frozen=True, eq=False)
class Figure:
    """One or several charts over the same numbers, with a caption.

    Parameters
    ----------
    name : str
        Names its files and its place on the page.
    title : str
        Headline: what is drawn.
    caption : str
        What the figure shows, beside which baseline, of how many, with which interval.
    charts : dict of str to altair chart
        Charts by what each shows; they stand below each other.
    table : pandas.DataFrame
        The numbers drawn.
    source : str
        Steps and parameters that produced the numbers.
    beside : bool
        Whether charts stand beside each other where there is room.
    shown : pandas.DataFrame, optional
        A table to be read as it stands, below the charts or instead of them.
    written : Markup, optional
        The same as a piece of page, in which all text is escaped already.
    """

    name: str
    title: str
    caption: str
    charts: dict[str, Any]
    table: pd.DataFrame
    source: str
    beside: bool = False
    shown: pd.DataFrame | None = None
    written: Markup | None = None

    def csv(self) -> str:
        """Return the table as CSV."""
        buffer = io.StringIO()
        self.table.to_csv(buffer, index=False)
        return buffer.getvalue()

    def csv_link(self) -> str:
        """Return the table as a `data:` link."""
        return "data:text/csv;charset=utf-8," + quote(self.csv())

    def rows(self) -> list[list[str]]:
        """Return the cells of the table as text."""
        return _cells(self.table)

    def shown_rows(self) -> list[list[str]]:
        """Return the cells of the table that is shown as text."""
        return [] if self.shown is None else _cells(self.shown)

    def save(self, out: Path) -> None:
        """Write the charts as SVG and PNG into `out/figures`, the table into `out/tables`.

        Parameters
        ----------
        out : Path
            Folder of the page.
        """
        with atomic_file(out / "tables" / f"{self.name}.csv") as temporary:
            temporary.write_text(self.csv(), encoding="utf-8")
        for number, chart in enumerate(self.charts.values()):
            name = self.name if len(self.charts) == 1 else f"{self.name}-{'abcdefgh'[number]}"
            svg = vl_convert.vegalite_to_svg(specification(chart, PRINT_WIDTH))
            with atomic_file(out / "figures" / f"{name}.svg") as temporary:
                temporary.write_text(svg, encoding="utf-8")
            with atomic_file(out / "figures" / f"{name}.png") as temporary:
                temporary.write_bytes(vl_convert.svg_to_png(svg, scale=PNG_SCALE))


def _cells(table: pd.DataFrame) -> list[list[str]]:
    columns = [table[name] for name in table.columns]
    return [[as_text(value) for value in row] for row in zip(*columns, strict=True)]


def slug(*parts: str) -> str:
    """Join parts to a name for files and anchors.

    Parameters
    ----------
    *parts : str
        Any text. What is not a letter of ASCII, a digit, `.`, `_` or `-` is replaced, and a hash
        keeps different parts different.
    """
    made = []
    for part in parts:
        clean = re.sub(r"[^A-Za-z0-9._-]+", "_", part)
        made.append(clean if clean == part else f"{clean}.{hash_json(part)[:6]}")
    return "-".join(made)
