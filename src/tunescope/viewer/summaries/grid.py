"""Tables for reading: cells with links, intervals and bars, under headings with groups."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from tunescope.viewer.frame import fragment


class Cell(NamedTuple):
    """What stands in a cell; all text is untrusted and escaped.

    Parameters
    ----------
    text : str
        What it says.
    href : str
        Where it leads, from the page.
    note : str
        In small behind it: an interval, a baseline.
    bar : float, optional
        Drawn behind the text: from the left for a share of 0 to 1, from the middle for a change
        of -1 to 1 in a column that is `signed`.
    tone : {"", "base", "tuned", "yes", "no"}
        Its colour; never the only sign.
    """

    text: str
    href: str = ""
    note: str = ""
    bar: float | None = None
    tone: str = ""

    @property
    def width(self) -> str:
        """Length of its bar in per cent of the cell, or of half the cell."""
        return f"{100 * min(1.0, abs(self.bar or 0.0)):.1f}%"


class Column(NamedTuple):
    """A heading.

    Parameters
    ----------
    heading : str
        Of the column.
    group : str
        Over it and its neighbours of the same group.
    href : str
        Where the group's heading leads.
    signed : bool
        Whether bars start in the middle.
    numbers : bool
        Whether cells stand to the right.
    """

    heading: str
    group: str = ""
    href: str = ""
    signed: bool = False
    numbers: bool = False


def grid(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Markup:
    """Return a table as a piece of page.

    Parameters
    ----------
    name : str
        What the table is called for who cannot see it.
    columns : sequence of Column
        Headings. The first column names the rows.
    rows : sequence of sequence of Cell
        As many cells as columns each.
    """
    over = groupby(columns, key=lambda column: (column.group, column.href))
    groups = [(group, href, len(list(members))) for (group, href), members in over]
    starts = {0} | {sum(width for *_, width in groups[:n]) for n in range(len(groups))}
    return fragment(
        "grid.html.j2", name=name, columns=columns, rows=rows, starts=starts,
        groups=groups if any(group for group, *_ in groups) else [],
    )  # fmt: skip
