"""What the align step left in its folder: frames of every count, and of every match."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import pandas as pd

from tunescope.errors import InputError, nearest
from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Align, Step

FRAMES = (
    "retention",
    "matrix",
    "sweep",
    "matches",
    "labels",
    "scores",
    "composition",
    "polarity",
    "difference",
    "concepts",
)


@dataclass(frozen=True, eq=False)
class Alignment(StepResult):
    """Concepts of a base model aligned with those of a tuned one, with labels and with classes.

    Every frame has a first column `corpus`; `role` is "base" or "tuned". Those between models hold
    both levels, occurrences and types: the properties `retention` and `matrix` give the rows of
    the step's `overlap`, and `frame` all of them. In the same way `polarity` is by gold class.

    Parameters
    ----------
    path : Path
        Folder written by `align`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Align

    def frame(self, name: str) -> pd.DataFrame:
        """Return a whole frame, at both levels and by all kinds of classes.

        Parameters
        ----------
        name : str
            One of `retention`, `matrix`, `sweep`, `matches`, `labels`, `scores`, `composition`,
            `polarity`, `difference`, `concepts`.

        Raises
        ------
        InputError
            If there is no such frame.
        """
        if name not in FRAMES:
            raise InputError(f"an alignment has no frame {name!r}; {nearest(name, FRAMES)}")
        return read_frame(self.path / f"{name}.parquet")

    @cached_property
    def retention(self) -> pd.DataFrame:
        """One row per layer of both models: concepts retained, lost and born, and the null."""
        return self._where("retention", "level", self.step.overlap)

    @cached_property
    def matrix(self) -> pd.DataFrame:
        """One row per base layer and tuned layer: base concepts retained, interval and null."""
        return self._where("matrix", "level", self.step.overlap)

    @cached_property
    def sweep(self) -> pd.DataFrame:
        """One row per role, layer, level and theta: concepts matched, with interval and null.

        Of the base, matched is retained; of the tuned model, survived.
        """
        return self.frame("sweep")

    @cached_property
    def matches(self) -> pd.DataFrame:
        """Every match of every concept, over all pairs of layers (see `alignment.matches`)."""
        return self.frame("matches")

    @cached_property
    def labels(self) -> pd.DataFrame:
        """One row per model, layer and label column: concepts aligned, labels covered, null."""
        return self.frame("labels")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per model, layer, label column and measure: `aligned`, `covered`, `score`."""
        return self.frame("scores")

    @cached_property
    def composition(self) -> pd.DataFrame:
        """One row per model, layer, concept and label that it has much of."""
        return self.frame("composition")

    @cached_property
    def polarity(self) -> pd.DataFrame:
        """One row per model, layer and gold class ("" for all): polarised concepts, null."""
        return self._where("polarity", "by", "gold")

    @cached_property
    def predicted_polarity(self) -> pd.DataFrame:
        """The same as `polarity` by predicted class; empty where no model was asked."""
        return self._where("polarity", "by", "predicted")

    @cached_property
    def difference(self) -> pd.DataFrame:
        """One row per model, layer and class: concepts polarised by predicted less by gold."""
        return self.frame("difference")

    @cached_property
    def concepts(self) -> pd.DataFrame:
        """One row per model, layer and concept (see `alignment.fates`)."""
        return self.frame("concepts")

    @cached_property
    def changes(self) -> pd.DataFrame:
        """One row per role, layer and `change`: how many concepts (see `alignment.changes`)."""
        rows = self.concepts[self.concepts["change"] != ""]
        grouped = rows.groupby(["role", "layer", "change"], as_index=False, sort=True)
        return pd.DataFrame(grouped.size()).rename(columns={"size": "concepts"})

    def counterpart(
        self, role: str, layer: int, concept: int, other_layer: int | None = None
    ) -> pd.DataFrame:
        """Return which concepts of the other model one became, or came from.

        Parameters
        ----------
        role : {"base", "tuned"}
            The model of the concept asked about.
        layer, concept : int
            Its layer and number.
        other_layer : int, optional
            Layer of the other model that is looked in; the same layer when not given.

        Returns
        -------
        pandas.DataFrame
            Rows of `matches`, the largest share of this concept first; none where no concept holds
            the step's `floor` of it.

        Raises
        ------
        InputError
            If there is no such concept, or no other model.
        """
        if self.manifest.facts["tuned"] is None:
            raise InputError(f"{self.path} aligns a single model: there is no counterpart")
        known = self.concepts
        here = known[(known["role"] == role) & (known["layer"] == layer)]
        if concept not in set(here["concept"]):
            raise InputError(f"{self.path} has no concept {concept!r} at layer {layer!r} of {role}")
        rows, other = self.matches, layer if other_layer is None else other_layer
        chosen = (rows["role"] == role) & (rows["layer"] == layer) & (rows["concept"] == concept)
        found = pd.DataFrame(rows[chosen & (rows["other_layer"] == other)])
        share = "share" if self.step.overlap == "occurrences" else "type_share"
        return found.sort_values(share, ascending=False, kind="stable").reset_index(drop=True)

    def _where(self, name: str, column: str, value: str) -> pd.DataFrame:
        frame = self.frame(name)
        return pd.DataFrame(frame[frame[column] == value]).reset_index(drop=True)

    def headline(self) -> str:
        """Return which models, which corpus, at which threshold."""
        facts, step = self.manifest.facts, self.manifest.parameters
        models = f"{facts['base']} with {facts['tuned']}" if facts["tuned"] else facts["base"]
        return (
            f"Alignment of {models} on {facts['corpus']!r}: theta = {step['theta']:g} by "
            f"{step['overlap']}, {step['permutations']} permutations"
        )

    def table(self) -> pd.DataFrame:
        """Return, per layer, the fate of concepts beside the polarised ones of both models.

        Of a single model: the label table, or without labels the polarity table.
        """
        if self.retention.empty:
            return self.polarity if self.labels.empty else self.labels
        columns = ["layer", "n_base", "retained", "retained_share", "retained_low", "retained_high"]
        columns += ["lost", "n_tuned", "born", "null_mean", "p"]
        table = pd.DataFrame(self.retention[columns])
        total = self.polarity[self.polarity["class"] == ""]
        for role in ("base", "tuned"):
            new = {"polarised": f"polarised_{role}", "null_high": f"null_high_{role}"}
            part = pd.DataFrame(total[total["role"] == role]).rename(columns=new)
            table = table.merge(part[["layer", *new.values()]], on="layer", how="left")
        return table

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table, and by title what else there is to see of it at a glance."""
        found = {"": self.table()}
        scores = self.scores[self.scores["measure"] == "score"]
        if len(scores):
            found["Score of labels: half of concepts aligned, half of labels covered"] = (
                scores.pivot_table("value", ["role", "layer"], "label", sort=False).reset_index()
            )
        if len(self.changes):
            found["What became of concepts"] = (
                self.changes.pivot_table("concepts", ["role", "layer"], "change", fill_value=0)
                .astype(int)
                .reset_index()
            )
        total = self.difference[self.difference["class"] == ""]
        if len(total):
            columns = ["role", "layer", "gold", "predicted", "difference", "low", "high", "p"]
            found["Polarity by gold and by predicted class"] = pd.DataFrame(total[columns])
        return found
