"""The page about all annotations, and their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tunescope.viewer.annotations.summary import annotations_csv, tallies, tallies_csv
from tunescope.viewer.concepts.paths import concept_path, list_path
from tunescope.viewer.content import Content, Link

if TYPE_CHECKING:
    from tunescope.viewer.site import Site

FOLDER = "annotations"
ANNOTATIONS = f"{FOLDER}/index.html"
ALL_CSV, TALLIES_CSV = f"{FOLDER}/annotations.csv", f"{FOLDER}/meaningful.csv"
MOST_SHOWN = 500
"""Annotations on the page; all are in the CSV."""


class AnnotationPages:
    """One page, where concepts are annotated or can be.

    Parameters
    ----------
    site : Site
        The site it is in.
    """

    folder, title = FOLDER, "Annotations"

    def __init__(self, site: Site):
        self._site = site

    def links(self) -> list[Link]:
        """Return the page."""
        return [Link(ANNOTATIONS, "Annotations of concepts")] if self._there() else []

    def paths(self) -> Iterator[str]:
        """Return the page and its files."""
        if self._there():
            yield from (ANNOTATIONS, ALL_CSV, TALLIES_CSV)

    def get(self, path: str) -> Content | None:
        """Return the page or a file."""
        if not self._there():
            return None
        kept, run = self._site.annotations, self._site.run
        if path == ALL_CSV:
            return Content.of(path, annotations_csv(kept.current(), kept.earlier()))
        if path == TALLIES_CSV:
            return Content.of(path, tallies_csv(tallies(run, kept.current())))
        return self._page() if path == ANNOTATIONS else None

    def _there(self) -> bool:
        kept = self._site.annotations
        return bool(kept.all()) or (kept.editable and bool(self._site.run.concepts))

    def _page(self) -> Content:
        kept = self._site.annotations
        current = sorted(kept.current(), key=lambda one: one.time, reverse=True)
        return self._site.frame.render(
            ANNOTATIONS,
            "annotations.html.j2",
            title="Annotations of concepts",
            styles=("annotate.css",),
            editable=kept.editable,
            tallies=tallies(self._site.run, kept.current()),
            shown=current[:MOST_SHOWN],
            n=len(current),
            earlier=kept.earlier(),
            list_path=list_path,
            concept_path=concept_path,
            source=f"tunescope view {self._site.run.path.name} --annotate",
        )
