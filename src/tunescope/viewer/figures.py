"""The figures of a run's pages by name: for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tunescope.errors import InputError, nearest
from tunescope.report.figure import Figure
from tunescope.results import without_math
from tunescope.study.result import Run
from tunescope.viewer.figure_pages import FigurePage, FigurePages
from tunescope.viewer.site import Site

PAGE = Markup("<details{}><summary>{}</summary>{}</details>")
HEADING = Markup('<p style="margin:.6em 0 .2em"><b>{}</b></p>')
ROW = Markup(
    '<div style="padding-inline-start:1.2em">{}<br><code style="opacity:.75">{}</code></div>'
)


class Figures(Mapping[str, Figure]):
    """Figures of a run by name, in the order of its pages.

    Tables are computed page by page, when a figure of the page is asked for; charts are drawn when
    a figure is shown. Shown itself, it lists names and titles under the headings of the pages.

    Parameters
    ----------
    run : Run
        Results of a study.
    """

    def __init__(self, run: Run):
        self.run = run
        self._kinds = [kind for kind in Site(run).kinds if isinstance(kind, FigurePages)]

    def pages(self) -> Iterator[tuple[str, FigurePage]]:
        """Return the pages with figures, each with what the navigation calls its kind."""
        for kind in self._kinds:
            for link in kind.links():
                page = kind.page(link.path)
                if page is not None and page.figures:
                    yield kind.title, page

    @cached_property
    def _all(self) -> dict[str, Figure]:
        """All figures; one that stands on several pages comes where it stands first."""
        found: dict[str, Figure] = {}
        for _, page in self.pages():
            found |= {n: figure for n, figure in page.figures.items() if n not in found}
        return found

    def __getitem__(self, name: str) -> Figure:
        for _, page in self.pages():
            if name in page.figures:
                return page.figures[name]
        raise InputError(f"{self.run.path} has no figure {name!r}; {nearest(name, self)}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, name: object) -> bool:
        return name in self._all

    def get(self, name: str, default: Any = None) -> Any:
        """Return a figure, or something else where there is none of the name."""
        return self._all.get(name, default)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def _listing(self) -> Iterator[tuple[str, list[tuple[str, list[Figure]]]]]:
        """Return for each page its title, and for each of its groups heading and figures."""
        for title, page in self.pages():
            groups = [(group.heading, [*group.figures]) for group in page.groups if group.figures]
            yield f"{title}: {page.title}", groups

    def _headline(self) -> str:
        return f"{len(self)} figures of {self.run.about['name']!r}: {self.run.path}"

    def __repr__(self) -> str:
        lines = [self._headline()]
        for title, groups in self._listing():
            lines += ["", title]
            for heading, figures in groups:
                lines.append(f"  {heading}")
                lines += [f"    {figure.name}: {figure.title}" for figure in figures]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [Markup("<p>{}</p>").format(self._headline())]
        for number, (title, groups) in enumerate(self._listing()):
            inside = Markup()
            for heading, figures in groups:
                inside += HEADING.format(heading)
                inside += Markup().join(ROW.format(f.title, f.name) for f in figures)
            parts.append(PAGE.format(Markup("" if number else " open"), title, inside))
        return without_math(parts)


def figures(run: Run | Path | str) -> Figures:
    """Return the figures of a run's pages, for a notebook or a script.

    Parameters
    ----------
    run : Run, Path or str
        Results of a study, or the run's folder; also of an unfinished one.

    Returns
    -------
    Figures
        By name. A `Figure` shows itself in a notebook; its `table` is what is drawn, `charts` are
        functions that make Altair charts, `image` makes a file for a paper.

    Raises
    ------
    InputError
        If `run` is no run's folder; by the mapping, if there is no figure of a name.
    """
    return Figures(run if isinstance(run, Run) else Run.load(run))
