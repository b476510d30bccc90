"""The front page: what tuning did, where the evidence is, what was compared, what is not done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from tunescope.report import provenance
from tunescope.report.concepts import page as concept_page
from tunescope.report.concepts import tuning_runs
from tunescope.report.figure import Figure
from tunescope.report.finding import Evidence, Finding, headlines, verdict
from tunescope.report.findings import findings
from tunescope.report.neurons import findings as neuron_findings
from tunescope.report.neurons.inputs import facts_of
from tunescope.report.transfer import findings as transfer_findings
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.paths import ALL_LAYERS, FRONT, alignment_path, layers_path, triggers_path
from tunescope.viewer.places import Places
from tunescope.viewer.summaries.compared import compared
from tunescope.viewer.summaries.created import created_figure
from tunescope.viewer.summaries.jobs import jobs_figures, open_jobs
from tunescope.viewer.summaries.layers import layers_figure
from tunescope.viewer.summaries.pairs import pairs_figure

FEW = 2
"""So many pairs of models have a section each; more stand in one table."""
MOST_STUDIES = 4
"""So many findings about neurons are shown at once; more are unfolded."""
MOST_LINKS = 12
"""Pages of one kind that are named; the others are reached from these."""


class Overview(FigurePages):
    """The page that a site opens with."""

    folder, title = "", "Overview"

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """One page."""
        return {Link(FRONT, self.title): self._front}

    def _front(self) -> FigurePage:
        run, places = self.site.run, Places(self.site)
        found = {pair: findings(run, *pair) for pair in run.pairs}
        groups = []
        if len(found) > FEW:
            said = transfer_findings.findings(run)
            links = [Link(ALL_LAYERS, "All tuned models side by side, layer by layer")]
            summary = transfer_findings.verdict(said) if said else ""
            table = [pairs_figure(run, found, places)]
            groups.append(Group("models-tuned", "What tuning did", table, verdict=summary))
            groups.append(
                Group("together", "Over all tuned models", [], headlines(said), "", links)
            )
        groups += [
            self._pair(pair, claims, places, few=len(found) <= FEW)
            for pair, claims in found.items()
            if claims or len(found) <= FEW
        ]
        if (neurons := self._neurons()) is not None:
            groups.append(neurons)
        groups.append(Group("compared", "What was compared", compared(run, places)))
        steps = jobs_figures(run)
        lead = "" if steps else f"tunescope info {run.path.name} says what of the study is done."
        groups.append(Group("steps-run", "What was run", steps, lead=lead))
        left = [job for job in open_jobs(run.jobs) if job.state != "skipped"]
        listed = {f"{job.step} {job.what}" for job in run.jobs}
        values = {
            "description": run.about["description"],
            "left": left,
            "failed": [(job, why) for job, why in run.failed.items() if job not in listed],
            "cautions": provenance.cautions(run),
            "facts": provenance.facts(run),
            "timings": provenance.timings(run),
            "study": run.study.text,
            "elsewhere": self._elsewhere(),
        }
        return FigurePage(run.about["name"], groups, template="overview.html.j2", values=values)

    def _pair(
        self, pair: tuple[str, str], claims: list[Finding], places: Places, *, few: bool
    ) -> Group:
        """Say what tuning did to one model, with tables of it where there is room."""
        run, (base, tuned) = self.site.run, pair
        shown = headlines(claims)
        keys = concept_page.keys(run, base, tuned)
        figures = []
        if few:
            tables = [layers_figure(run, base, tuned, places), *self._created(keys, places)]
            figures = [made for made in tables if made is not None]
        more = len(claims) - len(shown)
        text = "Layer by layer" + (f", and {more} more findings" if more else "")
        links = [Link(layers_path(base, tuned), text)]
        for key in keys:
            links.append(Link(alignment_path(key), f"Concepts kept, lost and born ({key[0]})"))
            if key in run.latent.triggers:
                text = f"Triggers: what concepts do to predictions ({key[0]})"
                links.append(Link(triggers_path(key), text))
        said = verdict(claims) if claims else "Nothing is compared yet."
        return Group(
            f"pair-{run.pairs.index(pair)}", f"{base} → {tuned}", figures, shown, said, links,
            tuning_runs.said(run, tuned) if keys else "", folded=not few,
        )  # fmt: skip

    def _created(self, keys: list[concept_page.Key], places: Places) -> list[Figure]:
        """Show what was created where that follows a class; else in the first corpus."""
        made = [created_figure(self.site.run, key, places) for key in keys]
        there = [figure for figure in made if figure is not None]
        of_task = [figure for figure in there if any(figure.table["polarised"])]
        return of_task or there[:1]

    def _neurons(self) -> Group | None:
        """Say of each label column and model how few neurons carry it."""
        kind, neurons = self.site.kind("neurons"), self.site.run.neurons
        said = []
        for key, sets in neurons.sets.items():
            facts = facts_of(neurons.rankings[key], "")
            claim = neuron_findings.small({"minimal": sets.frame("minimal")}, facts)
            if claim is not None:
                corpus, label, model = key
                at = Evidence("neurons", key, f"minimal-{facts.name}")
                topic = f"{label} in {corpus}: {model}"
                said.append(Finding(topic, claim.text, claim.holds, at))
        if kind is None or not said:
            return None
        many = len(said) > MOST_STUDIES
        holds = sum(finding.holds for finding in said)
        summary = (
            f"Small sets of neurons do as well as all of them for {holds} of {len(said)} label "
            "columns and models."
        )
        lead = (
            "A neuron is one number of a layer’s vector. How many of all layers’ are needed to "
            "read a label off, nearly as well as with all of them?"
        )
        return Group(
            "neurons", "Which neurons carry it", [], said, summary, kind.links()[:1], lead, many
        )

    def _elsewhere(self) -> list[tuple[str, list[Link], int]]:
        """Return the other kinds of pages, with where to enter and how many more there are."""
        kinds = [kind for kind in self.site.kinds if kind.title and kind is not self]
        listed = [(kind.title, kind.links()) for kind in kinds]
        return [
            (name, links[:MOST_LINKS], len(links[MOST_LINKS:])) for name, links in listed if links
        ]
