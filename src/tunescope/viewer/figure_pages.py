"""Pages of figures: a folder with the page, and beside it each figure as image and as numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tunescope.report.figure import Figure
from tunescope.report.finding import Finding, verdict
from tunescope.viewer.assets import VEGA
from tunescope.viewer.content import Content, Link
from tunescope.viewer.frame import script
from tunescope.viewer.places import Places

if TYPE_CHECKING:
    from tunescope.viewer.site import Site

INDEX = "index.html"


@dataclass(frozen=True)
class Group:
    """Findings and figures under one heading.

    Parameters
    ----------
    name : str
        Of the group, for links.
    heading : str
        What it is about.
    figures : sequence of Figure
        May be empty.
    findings : sequence of Finding
        Sentences computed from the numbers.
    verdict : str, optional
        What the findings come to; by default how often the reported pattern shows.
    links : sequence of Link
        Where more is.
    lead : str
        A sentence before all else.
    folded : bool
        Whether findings and links are shown when asked for.
    """

    name: str
    heading: str
    figures: Sequence[Figure] = ()
    findings: Sequence[Finding] = ()
    verdict: str | None = None
    links: Sequence[Link] = ()
    lead: str = ""
    folded: bool = False

    @property
    def said(self) -> str:
        """The verdict on the findings; "" where there is nothing to say."""
        if self.verdict is not None:
            return self.verdict
        return verdict(self.findings) if self.findings else ""


@dataclass(frozen=True)
class FigurePage:
    """One page of figures.

    Parameters
    ----------
    title : str
        Its heading.
    groups : sequence of Group
        From top to bottom.
    crumbs : sequence of Link
        The way to it.
    template : str
        Extends `figures.html.j2`, for what stands between and behind the groups.
    scripts, styles : tuple of str
        What that asks for, beside what figures need.
    values : dict
        What the template asks for.
    """

    title: str
    groups: Sequence[Group]
    crumbs: Sequence[Link] = ()
    template: str = "figures.html.j2"
    scripts: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """All figures, by name."""
        return {figure.name: figure for group in self.groups for figure in group.figures}


class FigurePages(ABC):
    """All pages of figures of one kind.

    Parameters
    ----------
    site : Site
        The site they are in.
    """

    folder: str
    title: str

    def __init__(self, site: Site):
        self.site = site
        self._made: dict[str, FigurePage] = {}

    @cached_property
    @abstractmethod
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """How each page is made, by its address and title; made when looked at."""

    def links(self) -> list[Link]:
        """Return all pages."""
        return list(self.makers)

    def page(self, path: str) -> FigurePage | None:
        """Return a page, made once, by its address."""
        if path not in self._made:
            maker = next((make for link, make in self.makers.items() if link.path == path), None)
            if maker is None:
                return None
            self._made[path] = maker()
        return self._made[path]

    def paths(self) -> Iterator[str]:
        """Return pages, and beside each the files of its figures."""
        for link in self.makers:
            yield link.path
            page = self.page(link.path)
            assert page is not None
            above = link.path.removesuffix(INDEX)
            for figure in page.figures.values():
                yield f"{above}{figure.name}.csv"
                if figure.charts:
                    yield f"{above}{figure.name}.js"
                for name in figure.image_names:
                    yield from (f"{above}{name}.svg", f"{above}{name}.png")

    def get(self, path: str) -> Content | None:
        """Return a page or a file of one of its figures."""
        above, _, name = path.rpartition("/")
        page = self.page(f"{above}/{INDEX}" if above else INDEX)
        if page is None:
            return None
        return self.render(path, page) if name == INDEX else _file(page, name)

    def render(self, path: str, page: FigurePage) -> Content:
        """Fill the page's template."""
        vega = (VEGA,) if any(figure.charts for figure in page.figures.values()) else ()
        return self.site.frame.render(
            path, page.template, title=page.title, crumbs=page.crumbs, groups=page.groups,
            scripts=(*vega, *page.scripts), styles=page.styles,
            evidence=Places(self.site).evidence, **page.values,
        )  # fmt: skip


def _file(page: FigurePage, name: str) -> Content | None:
    stem, _, kind = name.rpartition(".")
    if kind in ("csv", "js"):
        figure = page.figures.get(stem)
        if figure is None:
            return None
        made = figure.csv() if kind == "csv" else script("data", figure.specifications())
        return Content.of(name, made)
    if kind in ("svg", "png"):
        for figure in page.figures.values():
            if stem in figure.image_names:
                return Content.of(name, figure.image(stem, kind))
    return None
