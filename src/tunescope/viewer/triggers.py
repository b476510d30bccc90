"""Triggers made from concepts: what they flip, beside baselines, and texts before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

from tunescope.report.concepts import triggers
from tunescope.report.concepts.page import Key
from tunescope.viewer.content import Link
from tunescope.viewer.figure_pages import FigurePage, FigurePages, Group
from tunescope.viewer.paths import triggers_path


class Triggers(FigurePages):
    """A page for each corpus and pair of models."""

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

    def _triggers(self, key: Key) -> FigurePage:
        run, (corpus, base, tuned) = self.site.run, key
        found = run.latent.triggers[key]
        claim = triggers.finding(found, corpus)
        groups = [Group("found", "What was found", [], [claim])] if claim else []
        shown = triggers.figures(run, corpus, found)
        groups.append(Group("triggers", "Do their words flip predictions", shown))
        return FigurePage(f"Triggers in {corpus}: {base} → {tuned}", groups)
