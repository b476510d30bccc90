"""Concepts of two models in one corpus: kept, lost and born, what they follow, when, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from tunescope.report.concepts import page as concept_page
from tunescope.report.concepts.page import Key
from tunescope.report.figure import slug
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group


def alignment_path(key: Key) -> str:
    """Return the address of the page about the concepts of two models in one corpus."""
    return f"alignment/{slug(*key)}/index.html"


class Alignments(FigurePages):
    """A page for each corpus and pair of models."""

    folder, title = "alignment", "Alignment"

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """Each alignment of the run."""
        return {
            Link(alignment_path(key), f"Concepts in {key[0]}: {key[1]} → {key[2]}"): partial(
                self._alignment, key
            )
            for key in self.site.run.alignments
        }

    def _alignment(self, key: Key) -> FigurePage:
        run, (corpus, base, tuned) = self.site.run, key
        claims = concept_page.findings(run, key) + concept_page.faithful(run, tuned)
        groups = [Group("found", "What was found", [], claims)] if claims else []
        groups += [
            Group(part.name, part.title, part.figures)
            for part in concept_page.parts(run, key)
            if part.name != "triggers"
        ]
        return FigurePage(f"Concepts in {corpus}: {base} → {tuned}", groups)
