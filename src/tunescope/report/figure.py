"""A figure of the page: charts, what they show, how they were made, and the numbers behind them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import vl_convert
from markupsafe import Markup

from tunescope.files import hash_json
from tunescope.report.figures.style import specification
from tunescope.report.terminal import as_text

PRINT_WIDTH = 560
PNG_SCALE = 2.0
Opens = Callable[[str, str, int], str | None]
"""Address, from the page, of the concepts of a layer, by corpus, model and layer; or None."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


CELL = "A cell leads to the concepts of its tuned layer."


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
    charts : dict of str to a function that makes an altair chart
        Charts by what each shows; they stand below each other. Made when they are drawn: a page
        that only names them is written in no time.
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
    opens : dict of str to sequence of (str, str)
        Where marks of the charts lead, for who has no mouse: by what stands before the links, text
        and address of each, relative to the page.
    clicked : str
        What a click on a mark does, said where there is something to click.
    """

    name: str
    title: str
    caption: str
    charts: Mapping[str, Callable[[], Any]]
    table: pd.DataFrame
    source: str
    beside: bool = False
    shown: pd.DataFrame | None = None
    written: Markup | None = None
    opens: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    clicked: str = ""

    def csv(self) -> str:
        """Return the table as CSV."""
        buffer = io.StringIO()
        self.table.to_csv(buffer, index=False)
        return buffer.getvalue()

    def rows(self, most: int | None = None) -> list[list[str]]:
        """Return the cells of the table, or of its first rows, as text."""
        return _cells(self.table if most is None else self.table.head(most))

    def shown_rows(self) -> list[list[str]]:
        """Return the cells of the table that is shown as text."""
        return [] if self.shown is None else _cells(self.shown)

    def specifications(self) -> list[dict[str, Any]]:
        """Return the Vega-Lite specification of each chart, as wide as what it is put in."""
        return [specification(draw()) for draw in self.charts.values()]

    @property
    def image_names(self) -> list[str]:
        """Names of its image files, without an ending, in the order of the charts."""
        n = len(self.charts)
        return [self.name] * n if n < 2 else [f"{self.name}-{letter}" for letter in LETTERS[:n]]

    def image(self, name: str, kind: str) -> bytes:
        """Return a chart on white, as a file for a paper.

        Parameters
        ----------
        name : str
            One of `image_names`.
        kind : str
            `svg` or `png`.
        """
        draw = list(self.charts.values())[self.image_names.index(name)]
        svg = vl_convert.vegalite_to_svg(specification(draw(), PRINT_WIDTH))
        return vl_convert.svg_to_png(svg, scale=PNG_SCALE) if kind == "png" else svg.encode()

    def __repr__(self) -> str:
        return f"<Figure {self.name!r}: {self.title}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Return the figure for a notebook: as HTML, and in short for a terminal.

        Charts are images in SVG, no specification of Vega-Lite is given along: a notebook would
        show that instead of the HTML, without title and caption, and only where it has a renderer
        of the same major version; where it has none, Altair's own loads one from the network.
        `charts` has the Altair charts, to be changed and drawn otherwise.
        """
        from tunescope.report.notebook import as_html

        return {"text/plain": repr(self), "text/html": as_html(self)}


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


def layers_of(
    opens: Opens | None, corpus: str, model: str, layers: Iterable[int]
) -> list[tuple[str, str]]:
    """Return number and address of the layers whose concepts are somewhere.

    Parameters
    ----------
    opens : callable or None
        Where they are.
    corpus, model : str
        Which words, of which model.
    layers : iterable of int
        Numbers of layers.
    """
    found = ((layer, opens(corpus, model, layer) if opens else None) for layer in layers)
    return [(str(layer), address) for layer, address in found if address is not None]
