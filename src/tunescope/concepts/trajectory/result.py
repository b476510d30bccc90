"""The result of tracing concepts over checkpoints, read back from disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from tunescope.errors import InputError
from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Step, Trace

if TYPE_CHECKING:
    import pandas as pd

FRAMES = ("points", "counts", "fates", "concepts", "groups", "flows")


@dataclass(frozen=True, eq=False)
class ConceptTrace(StepResult):
    """Concepts of a base model followed over checkpoints to the tuned model.

    Every frame has a first column `corpus`; `point` numbers the models, 0 being the base.

    Parameters
    ----------
    path : Path
        Folder written by `trace_concepts`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Trace

    @cached_property
    def points(self) -> pd.DataFrame:
        """One row per point: model, fraction of the training, updates, texts seen, dev score."""
        return self._frame("points")

    @cached_property
    def counts(self) -> pd.DataFrame:
        """One row per layer, point and measure (see `trajectory.layer.count_frame`)."""
        return self._frame("counts")

    @cached_property
    def fates(self) -> pd.DataFrame:
        """One row per layer and concept of base and tuned model: when lost, born, polarised."""
        return self._frame("fates")

    @cached_property
    def concepts(self) -> pd.DataFrame:
        """One row per layer, point and concept, with its best match before and after."""
        return self._frame("concepts")

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row per layer, point and group of concepts: concepts, words."""
        return self._frame("groups")

    @cached_property
    def flows(self) -> pd.DataFrame:
        """One row per layer, point, group and group at the next point: words that go there."""
        return self._frame("flows")

    def _frame(self, name: str) -> pd.DataFrame:
        return read_frame(self.path / f"{name}.parquet")

    def chain(self, layer: int, concept: int, point: int = 0) -> pd.DataFrame:
        """Follow one concept by best matches, back to the base and on to the tuned model.

        Parameters
        ----------
        layer : int
            Layer number.
        concept : int
            Number of the concept.
        point : int
            The point it is a concept of.

        Returns
        -------
        pandas.DataFrame
            Rows of `concepts`, one per point, with a column `share`: how much of the concept one
            step nearer to the start of the search this one holds; 1 for the start itself.

        Raises
        ------
        InputError
            If there is no such concept.
        """
        import pandas as pd

        here = self.concepts[self.concepts["layer"] == layer].set_index(["point", "concept"])
        if (point, concept) not in here.index:
            raise InputError(
                f"{self.path} has no concept {concept} at point {point}, layer {layer}"
            )
        rows = [(point, concept, 1.0)]
        for direction, step in (("previous", -1), ("next", 1)):
            at, number = point, concept
            while (following := int(here.at[(at, number), direction])) >= 0:
                share = float(here.at[(at, number), f"{direction}_share"])
                at, number = at + step, following
                rows.append((at, number, share))
        rows.sort()
        found = pd.DataFrame(rows, columns=["point", "concept", "share"])
        return found.merge(here.reset_index(), on=["point", "concept"])

    def headline(self) -> str:
        """Return which models, which corpus, at which threshold."""
        facts, step = self.manifest.facts, self.manifest.parameters
        return (
            f"Concepts of {facts['base']} on their way to {facts['tuned']} on {facts['corpus']!r}: "
            f"{facts['n_points'] - 2} checkpoints between, theta = {step['theta']:g}, "
            f"{step['permutations']} permutations"
        )

    def table(self) -> pd.DataFrame:
        """Return, per layer, the share retained and the polarised concepts at each fraction."""
        import pandas as pd

        counts = self.counts.merge(self.points[["point", "fraction"]], on="point")
        parts = []
        for measure, value in (("retained", "share"), ("polarised", "count")):
            rows = counts[counts["measure"] == measure]
            if rows.empty:
                continue
            wide = rows.pivot(index="layer", columns="fraction", values=value)
            wide.columns = [f"{measure} {fraction:g}" for fraction in wide.columns]
            parts.append(wide)
        return pd.concat(parts, axis=1).reset_index()
