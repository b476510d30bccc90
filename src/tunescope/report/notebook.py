"""A figure as HTML that needs no style sheet and no script: for notebooks.

Charts are images within the page, white underneath: their letters are dark and are read as well in
a dark notebook, all other text has the notebook's own colours. Every word is text, never markup.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from markupsafe import Markup

from tunescope.results import without_math

if TYPE_CHECKING:
    from tunescope.report.figure import Figure

TITLE = Markup('<h4 style="margin:.6em 0 .4em">{}</h4>')
CHARTS = Markup('<div style="display:flex;gap:.4em 1em;{}">{}</div>')
BESIDE, BELOW = "flex-wrap:wrap", "flex-direction:column;align-items:flex-start"
CHART = Markup(
    '<div style="max-width:100%"><p style="margin:.2em 0">{}</p><img alt="{}" '
    'src="data:image/svg+xml;base64,{}" style="display:block;max-width:100%;height:auto;'
    'box-sizing:border-box;padding:6px;background:#fff;border-radius:4px"></div>'
)
TABLE = Markup(
    '<div style="overflow-x:auto"><table><thead>{}</thead><tbody>{}</tbody></table></div>'
)
CELL = Markup('<{tag} style="text-align:start;white-space:normal">{text}</{tag}>')
LINK = re.compile(r"</?a\b[^>]*>")
"""Links lead to other pages of a site, which are not beside a notebook."""
CAPTION = Markup('<p style="max-width:46em;margin:.5em 0;line-height:1.4"><small>{}</small></p>')
SOURCE = Markup(
    "<details><summary><small>How it was made</small></summary>"
    '<pre style="white-space:pre-wrap;margin:.4em 0">{}</pre></details>'
)


def as_html(figure: Figure) -> str:
    """Return title, charts, caption and source of a figure.

    Parameters
    ----------
    figure : Figure
        Its charts are drawn now.
    """
    parts = [TITLE.format(figure.title)]
    if figure.charts:
        arranged = BESIDE if figure.beside else BELOW
        parts.append(CHARTS.format(arranged, Markup().join(_charts(figure))))
    if figure.written is not None:
        parts.append(Markup(LINK.sub("", figure.written)))
    if figure.shown is not None:
        head = _row("th", map(str, figure.shown.columns))
        body = Markup().join(_row("td", cells) for cells in figure.shown_rows())
        parts.append(TABLE.format(head, body))
    return without_math([*parts, CAPTION.format(figure.caption), SOURCE.format(figure.source)])


def _charts(figure: Figure) -> Iterator[Markup]:
    several = len(figure.charts) > 1
    for name, file in zip(figure.charts, figure.image_names, strict=True):
        svg = b64encode(figure.image(file, "svg")).decode("ascii")
        yield CHART.format(name if several else "", f"{figure.title}: {name}", svg)


def _row(tag: str, cells: Iterable[str]) -> Markup:
    return Markup("<tr>{}</tr>").format(
        Markup().join(CELL.format(tag=tag, text=text) for text in cells)
    )
