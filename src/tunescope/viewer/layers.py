"""Layer by layer: what tuning changed in one model, and in all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from tunescope.report.concepts import page as concept_page
from tunescope.report.concepts.tuning_runs import said
from tunescope.report.figure import slug
from tunescope.report.findings import findings
from tunescope.report.sections import Pair, figures, pairs
from tunescope.report.transfer import findings as transfer_findings
from tunescope.report.transfer.inputs import reason
from tunescope.report.transfer.pair import parts as pair_parts
from tunescope.report.transfer.sections import figures as transfer_figures
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.paths import ALL_LAYERS, alignment_path, layers_path
from tunescope.viewer.places import Places

ALL = Link(ALL_LAYERS, "All tuned models")


class Layers(FigurePages):
    """A page for each pair of models and each model that stands alone; one for all of them."""

    folder, title = "layers", "Layers"

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """Each pair, then each model alone; before them all together, where there is something."""
        made: dict[Link, Callable[[], FigurePage]] = {}
        if self._together:
            made[ALL] = self._all
        for base, tuned in pairs(self.site.run):
            title = f"{base} → {tuned}" if tuned else base
            link = Link(layers_path(base, tuned), title)
            made[link] = partial(self._pair, link, (base, tuned))
        return made

    @cached_property
    def _together(self) -> bool:
        """Whether there is a page about all tuned models: several, or pruned ones."""
        return len(self.site.run.pairs) > 1 or bool(self.site.run.transfer.pruning)

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
        crumbs = [ALL] if self._together else []
        known = Group(
            "knowledge", "Which linguistic knowledge was kept", figures(run, pair),
            lead="A linear probe is trained on the vectors of each layer to tell the label of a "
            "word. What it gets right beyond the control task, in which labels are dealt out to "
            "word types at random, the layer knows.",
        )  # fmt: skip
        if tuned is None:
            return FigurePage(f"Layers: {link.text}", [known] if known.figures else [], crumbs)
        opens = Places(self.site).opens(link.path)
        parts = pair_parts(run, base, tuned, opens)
        groups = [
            Group("found", "What was found", [], findings(run, base, tuned)),
            known,
            Group(
                "geometry", "How alike the layers are", parts["geometry"],
                lead="The same words in both models, compared without labels.",
            ),
            *(self._concepts(key) for key in concept_page.keys(run, base, tuned)),
            Group("way", "When on the way of tuning", parts["way"]),
            Group("neurons", "Which neurons", parts["neurons"]),
        ]  # fmt: skip
        if not groups[0].findings:
            why = f"There are no results that compare the two: {reason(run, tuned)}."
            groups[0] = Group("found", "Nothing is compared yet", lead=why)
        kept = [group for group in groups if group.figures or group.findings or group is groups[0]]
        return FigurePage(f"Layers: {link.text}", kept, crumbs)

    def _concepts(self, key: concept_page.Key) -> Group:
        opens = Places(self.site).opens(layers_path(key[1], key[2]))
        front = concept_page.front(concept_page.parts(self.site.run, key, opens))
        more = [Link(alignment_path(key), f"All about the concepts in {key[0]}")]
        return Group(
            f"concepts-{slug(key[0])}", f"Concepts in {key[0]}", front, links=more,
            lead="A concept is a cluster of words in context whose vectors in a layer are alike. "
            f"Those of {key[1]} and of {key[2]} are compared on the same words. "
            f"{said(self.site.run, key[2])}".rstrip(),
        )  # fmt: skip
