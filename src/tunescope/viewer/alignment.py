"""Concepts of two models in one corpus: kept, lost and born, what they follow, when, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from tunescope.report.concepts import page as concept_page
from tunescope.report.concepts.page import Key
from tunescope.report.concepts.tuning_runs import said
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.paths import alignment_path, layers_path, triggers_path
from tunescope.viewer.places import Places


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
        claims = concept_page.aligned(run, key) + concept_page.findings(run, key)
        claims += concept_page.faithful(run, base, tuned)
        places = Places(self.site)
        links = [Link(triggers_path(key), f"Triggers made from concepts in {corpus}")]
        lead = (
            "A concept is a cluster of words in context whose vectors in a layer are alike. Each "
            f"concept of {base} is looked for among those of {tuned} on the same words: it is "
            "retained when one of them holds most of it, else lost; one of the tuned model that "
            f"none of the base model holds is born. {said(run, tuned)}"
        ).rstrip()
        groups = [
            Group(
                "found", "What was found", [], claims,
                links=[link for link in links if places.there(link.path)], lead=lead,
            )
        ]  # fmt: skip
        groups += [
            Group(part.name, part.title, part.figures)
            for part in concept_page.parts(run, key, places.opens(alignment_path(key)))
            if part.name != "triggers"
        ]
        crumbs = [Link(layers_path(base, tuned), f"{base} → {tuned}")]
        return FigurePage(f"Alignment of concepts in {corpus}: {base} → {tuned}", groups, crumbs)
