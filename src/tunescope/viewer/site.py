"""A run as a site: one way from an address to its content, whether served or exported.

Addresses are file paths, links between pages are relative, and what a page chooses (filters,
colours, thresholds) is behind the `#`: so a link to a view works in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tunescope.study.result import Run
from tunescope.viewer.annotations.store import Annotations
from tunescope.viewer.assets import Assets
from tunescope.viewer.content import Content, Link, Pages
from tunescope.viewer.frame import Frame
from tunescope.viewer.pages import page_kinds

INDEX = "index.html"


@dataclass(frozen=True)
class Served:
    """What a server offers beside the pages; an exported site has none of it.

    Parameters
    ----------
    live : bool
        Whether there is a server.
    annotate : bool
        Whether concepts may be annotated.
    """

    live: bool = False
    annotate: bool = False


class Site:
    """All pages of a run.

    Parameters
    ----------
    run : Run
        Results of a study.
    served : Served
        What a server offers beside the pages.
    """

    def __init__(self, run: Run, served: Served | None = None):
        self.run, self.served = run, served or Served()
        self.annotations = Annotations(run, self.served.annotate)
        self.kinds: list[Pages] = [*page_kinds(self), Assets()]
        self._by_folder = {pages.folder: pages for pages in self.kinds}

    @cached_property
    def frame(self) -> Frame:
        """What stands around every page."""
        navigation = [
            Link(pages.links()[0].path, pages.title)
            for pages in self.kinds
            if pages.title and pages.links()
        ]
        return Frame(self.run.about, navigation, self.served.live)

    def kind(self, folder: str) -> Pages | None:
        """Return the pages that lie in a folder, or None where the site has none there."""
        return self._by_folder.get(folder)

    def paths(self) -> Iterator[str]:
        """Return every address: what an export writes."""
        for pages in self.kinds:
            yield from pages.paths()

    def get(self, path: str) -> Content | None:
        """Return what is at an address, or None where there is nothing.

        Parameters
        ----------
        path : str
            From the top of the site, without a slash in front; that of a folder is of its index.
        """
        path = path + INDEX if path.endswith("/") or not path else path
        folder = path.split("/", 1)[0] if "/" in path else ""
        pages = self.kind(folder)
        return None if pages is None else pages.get(path)
