"""All pages about individual neurons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

from tunescope.activations.neuron import NeuronId
from tunescope.report.figure import slug
from tunescope.report.neurons import findings as neuron_findings
from tunescope.report.neurons import page as neuron_page
from tunescope.report.neurons import sections as neuron_sections
from tunescope.report.transfer.pair import shift_figures
from tunescope.study.neuron_results import Key
from tunescope.viewer.content import Content, Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.neurons.one import beside, number, of_view
from tunescope.viewer.neurons.paths import (
    ENTRY,
    neuron_path,
    ranking_path,
    read_neuron_path,
    study_path,
)
from tunescope.viewer.neurons.rankings import ranking_csv, ranking_data
from tunescope.viewer.neurons.views import MOST_RANKS, NeuronViews

if TYPE_CHECKING:
    from tunescope.viewer.site import Site


class Neurons(FigurePages):
    """An entry page, a page for each label column and model, and one for each neuron."""

    folder, title = "neurons", "Neurons"

    def __init__(self, site: Site):
        super().__init__(site)
        self.views = NeuronViews(site.run)

    @cached_property
    def studies(self) -> dict[Key, neuron_page.Study]:
        """Facts and tables of each label column and model."""
        return neuron_page.studies(self.site.run)

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """The entry, then each label column and model."""
        keys = list(self.site.run.neurons.rankings)
        if not keys:
            return {}
        made: dict[Link, Callable[[], FigurePage]] = {Link(ENTRY, "Neurons"): self._entry}
        for key in keys:
            corpus, label, model = key
            made[Link(study_path(key), f"{label} in {corpus}: {model}")] = partial(self._study, key)
        return made

    def paths(self) -> Iterator[str]:
        """Return these, the rankings, and the page of each neuron."""
        yield from super().paths()
        yield from map(ranking_path, self.site.run.neurons.rankings)
        for (corpus, model), neurons in self.views.listed.items():
            for neuron in neurons:
                yield neuron_path(corpus, model, neuron)

    def get(self, path: str) -> Content | None:
        """Return a page, or a file of a figure."""
        found = read_neuron_path(path)
        if found is None:
            csv = {ranking_path(key): key for key in self.site.run.neurons.rankings}.get(path)
            made = super().get(path) if csv is None else ranking_csv(self.views, csv)
            return Content.of(path, made) if isinstance(made, str) else made
        for corpus, model in self.views.listed:
            if slug(corpus, model) == found[0]:
                return self._neuron(path, corpus, model, found[1])
        return None

    def _entry(self) -> FigurePage:
        claims = neuron_findings.findings_across(list(self.studies.values()))
        group = Group(
            "across", "All label columns and models side by side",
            neuron_sections.across(list(self.studies.values())), claims,
            neuron_findings.verdict(claims) if claims else "",
            [link for link in self.makers if link.path != ENTRY],
            "A neuron is one number of a layer’s vector. Of each label column and model there is a "
            "page: which neurons say most about its labels, how few of them suffice, where they "
            "lie, and what each answers to.",
        )  # fmt: skip
        return FigurePage("Neurons", [group])

    def _study(self, key: Key) -> FigurePage:
        run, (corpus, label, model), study = self.site.run, key, self.studies[key]
        claims = neuron_page.findings(study)
        groups = [
            Group("found", "What was found", [], claims, neuron_findings.verdict(claims)),
            Group("figures", "How many neurons, which, and where", neuron_page.figures(study)),
        ]
        for base, tuned in run.pairs:
            if model in (base, tuned) and (shift := shift_figures(run, corpus, label, base, tuned)):
                other = tuned if model == base else base
                links = [Link(study_path((corpus, label, other)), f"The same page for {other}")]
                name, heading = f"shift-{slug(tuned)}", f"Before and after tuning: {base} → {tuned}"
                groups.insert(1, Group(name, heading, shift, links=links))
        data = ranking_data(self.views, key, all_pages=self.site.served.live)
        return FigurePage(
            f"Neurons for {label} in {corpus}: {model}", groups, [Link(ENTRY, "Neurons")],
            "neurons.html.j2", ("neurons.js",), ("neurons.css",),
            {"data": data, "source": study[0].source, "models": self._models(key), "key": key},
        )  # fmt: skip

    def _models(self, key: Key) -> list[tuple[str, str]]:
        """Return where the same label column of the same corpus is looked at in each model."""
        keys = self.site.run.neurons.rankings
        return [(other[2], study_path(other)) for other in keys if other[:2] == key[:2]]

    def _neuron(self, path: str, corpus: str, model: str, neuron: NeuronId) -> Content | None:
        view = self.views.view(corpus, model, neuron)
        if view is None:
            return None
        listed = self.views.listed[corpus, model]
        at = listed.index(neuron) if neuron in listed else -1
        before, after = (
            neuron_path(corpus, model, listed[i]) if at >= 0 and 0 <= i < len(listed) else None
            for i in (at - 1, at + 1)
        )
        others = []
        for name in self.views.partners.get(model, []):
            other = self.views.view(corpus, name, neuron)
            if other is not None:
                link = Link(neuron_path(corpus, name, neuron), name)
                compared = beside(view, other)
                others.append({"link": link, "compared": compared, **of_view(other)})
        above = [
            Link(study_path(key), f"{key[1]}: {model}")
            for key in self.site.run.neurons.rankings
            if key[::2] == (corpus, model)
        ]
        shown = of_view(view)
        columns = [(model, shown), *((one["link"].text, one) for one in others)]
        if model in (tuned for _, tuned in self.site.run.pairs):
            columns = [*columns[1:], columns[0]]  # the base model stands first
        return self.site.frame.render(
            path, "neuron.html.j2", title=f"Neuron {neuron} of {model} ({corpus})",
            crumbs=[Link(ENTRY, "Neurons"), *above],
            scripts=("steps.js",), styles=("neurons.css",),
            shown=shown, columns=columns, number=number,
            chosen=self.views.chosen(corpus, model, neuron), most=MOST_RANKS, before=before,
            n_listed=len(listed), place=at + 1,
            after=after, others=others, neuron=neuron, model=model, corpus=corpus,
            source=self.site.run.about["command"],
            command=f"tunescope neuron activations/{corpus}/{model} {neuron}",
        )  # fmt: skip
