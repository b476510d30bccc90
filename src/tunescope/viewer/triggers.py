"""Triggers made from concepts: what they flip, beside baselines, and texts before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial

from tunescope.report.concepts import triggers
from tunescope.report.concepts.page import Key
from tunescope.report.concepts.tuning_runs import said
from tunescope.report.provenance import source
from tunescope.viewer.concepts.paths import layer_folder
from tunescope.viewer.content import Content, Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.frame import script
from tunescope.viewer.paths import triggers_path
from tunescope.viewer.places import Places
from tunescope.viewer.trigger_tables import beside_figure, linked_figures, where_concepts
from tunescope.viewer.triggers_tried import spot, tried_data, tried_frame
from tunescope.viewer.tryout.form import try_form

DATA, CSV = "tried.js", "tried.csv"
PATTERN = (
    "Words of concepts that follow a class make triggers (Durrani et al. 2022). That shows where, "
    "towards every class, the best trigger of a concept flips more texts it was not chosen on than "
    "the best of as many random triggers."
)


def concept_triggers_path(key: Key, layer: int, concept: int) -> str:
    """Return the address of the triggers that were made from one concept.

    Parameters
    ----------
    key : tuple of str
        Corpus, base and tuned model, of triggers that are there.
    layer, concept : int
        The concept, of the tuned model.
    """
    return f"{triggers_path(key)}#all&concept={layer}-{concept}"


class Triggers(FigurePages):
    """A page for each corpus and pair of models, and beside it all that was tried."""

    folder, title = "triggers", "Triggers"

    @cached_property
    def makers(self) -> Mapping[Link, Callable[[], FigurePage]]:
        """Each search for triggers of the run."""
        return {
            Link(triggers_path(key), f"Triggers in {key[0]}: {key[1]} → {key[2]}"): partial(
                self._triggers, key
            )
            for key in self.site.run.latent.triggers
        }

    def paths(self) -> Iterator[str]:
        """Return pages and the files of their figures, and of each all triggers tried."""
        yield from super().paths()
        for key in self.site.run.latent.triggers:
            above = triggers_path(key).removesuffix("index.html")
            yield from (f"{above}{DATA}", f"{above}{CSV}")

    def get(self, path: str) -> Content | None:
        """Return a page or a file."""
        above, _, name = path.rpartition("/")
        if name not in (DATA, CSV):
            return super().get(path)
        of = {triggers_path(key): key for key in self.site.run.latent.triggers}
        key = of.get(f"{above}/index.html")
        if key is None:
            return None
        found = self.site.run.latent.triggers[key]
        if name == CSV:
            return Content.of(path, tried_frame(found).to_csv(index=False))
        return Content.of(path, script("data", tried_data(found)))

    def _triggers(self, key: Key) -> FigurePage:
        run, (corpus, base, tuned) = self.site.run, key
        found = run.latent.triggers[key]
        where = where_concepts(Places(self.site), key)
        claim = triggers.finding(found, corpus)
        beside = beside_figure(run, key, where)
        shown, texts = linked_figures(run, key, where)
        groups = [
            Group(
                "found",
                "What was found",
                [beside] if beside else [],
                [claim] if claim else [],
                PATTERN if claim else "",
            ),
            Group("triggers", "The best triggers", shown),
            Group("texts", "Texts before and after", texts),
        ]
        places = found.tried[triggers.PLACE].drop_duplicates().to_numpy().tolist()
        concepts = run.concepts.get((corpus, tuned))
        form = try_form(self.site, key)
        values = {
            "found": found,
            "tuned": tuned,
            "runs": said(run, tuned),
            "wheres": [spot(position, part, found.facts["n_parts"]) for position, part in places],
            "folders": {n: layer_folder(corpus, tuned, n) for n in concepts.layers}
            if concepts
            else {},
            "source": source(run, "triggers", found.manifest.parameters),
            "form": form,
        }
        scripts = ("triggers.js", *(("tryout.js",) if form.here else ()))
        return FigurePage(
            f"Triggers in {corpus}: {base} → {tuned}",
            [group for group in groups if group.figures or group.findings],
            template="triggers.html.j2", scripts=scripts, styles=("triggers.css",), values=values,
        )  # fmt: skip
