"""Layer by layer: what tuning changed in one model, and in all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from tunescope.report.concepts import page as concept_page
from tunescope.report.figure import slug
from tunescope.report.findings import findings
from tunescope.report.sections import Pair, figures, pairs
from tunescope.report.transfer import findings as transfer_findings
from tunescope.report.transfer.pair import figures as pair_figures
from tunescope.report.transfer.sections import figures as transfer_figures
from tunescope.viewer.alignment import alignment_path
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group

ALL = Link("layers/index.html", "All tuned models")


def layers_path(base: str, tuned: str | None) -> str:
    """Return the address of the page about one pair of models, or one model."""
    return f"layers/{slug(base, *([tuned] if tuned else []))}/index.html"


class Layers(FigurePages):
    """A page for each pair of models and each model that stands alone; one for all of them."""

    folder, title = "layers", "Layers"

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """Each pair, then each model alone; before them all together, where there are several."""
        made: dict[Link, Callable[[], FigurePage]] = {}
        if len(self.site.run.pairs) > 1:
            made[ALL] = self._all
        for base, tuned in pairs(self.site.run):
            title = f"{base} → {tuned}" if tuned else base
            link = Link(layers_path(base, tuned), title)
            made[link] = partial(self._pair, link, (base, tuned))
        return made

    def _all(self) -> FigurePage:
        run = self.site.run
        claims = transfer_findings.findings(run)
        group = Group(
            "transfer", "What tuning changed, task by task", transfer_figures(run), claims,
            transfer_findings.verdict(claims) if claims else "",
            [Link(layers_path(*pair), f"{pair[0]} → {pair[1]}") for pair in run.pairs],
        )  # fmt: skip
        return FigurePage("All tuned models side by side", [group])

    def _pair(self, link: Link, pair: Pair) -> FigurePage:
        run, (base, tuned) = self.site.run, pair
        crumbs = [ALL] if len(run.pairs) > 1 else []
        known = figures(run, pair)
        groups = [Group("knowledge", "Which linguistic knowledge was kept", known)] if known else []
        if tuned is None:
            return FigurePage(link.text, groups, crumbs)
        found = findings(run, base, tuned)
        groups.insert(0, Group("found", "What was found", [], found))
        for key in concept_page.keys(run, base, tuned):
            front = concept_page.front(concept_page.parts(run, key))
            more = [Link(alignment_path(key), f"All about the concepts in {key[0]}")]
            groups.append(
                Group(f"concepts-{slug(key[0])}", f"Concepts in {key[0]}", front, links=more)
            )
        if changed := pair_figures(run, base, tuned):
            groups.append(Group("change", "How the layers changed", changed))
        return FigurePage(link.text, groups, crumbs)
