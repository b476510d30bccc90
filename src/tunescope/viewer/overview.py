"""The front page: what was compared, what was found and where the evidence is, what is not done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from tunescope.report import provenance
from tunescope.report.concepts import page as concept_page
from tunescope.report.findings import findings
from tunescope.viewer.alignment import alignment_path
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.layers import layers_path


class Overview(FigurePages):
    """The page that a site opens with."""

    folder, title = "", "Overview"

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """One page."""
        return {Link("index.html", "Overview"): self._front}

    def _front(self) -> FigurePage:
        run = self.site.run
        groups = []
        for base, tuned in run.pairs:
            links = [Link(layers_path(base, tuned), "Layer by layer")]
            links += [
                Link(alignment_path(key), f"Concepts in {key[0]}")
                for key in concept_page.keys(run, base, tuned)
            ]
            found = findings(run, base, tuned)
            groups.append(Group(f"pair-{len(groups)}", f"{base} → {tuned}", [], found, links=links))
        values = {
            "description": run.about["description"],
            "warnings": provenance.warnings(run),
            "facts": provenance.facts(run),
            "timings": provenance.timings(run),
            "study": run.study.text,
        }
        return FigurePage(run.about["name"], groups, template="overview.html.j2", values=values)
