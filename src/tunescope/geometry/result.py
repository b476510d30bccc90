"""How alike base and tuned are: what `geometry` found, and where on disk it is.

A folder written by `geometry` has `manifest.json`, `layers.parquet`, `matrix.parquet` and
`within.parquet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Geometry, Step

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class LayerGeometry(StepResult):
    """Geometry of a base and a tuned model over the words of one corpus.

    Parameters
    ----------
    path : Path
        Folder written by `geometry`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Geometry

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.manifest.inputs["corpus"]

    @property
    def base(self) -> str:
        """Display name of the base model."""
        return self.manifest.inputs["base_model"]

    @property
    def tuned(self) -> str:
        """Display name of the tuned model."""
        return self.manifest.inputs["tuned_model"]

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row per layer that both models have and measure.

        Columns corpus, base, tuned, layer, measure ("cka", "procrustes", "neighbours"), value, low
        and high (its interval), chance (what words paired at random are expected to give),
        permuted (what one random pairing gave) and n (words it is a figure of).
        """
        return self._named("layers")

    @cached_property
    def matrix(self) -> pd.DataFrame:
        """One row per base layer and tuned layer: columns base_layer, tuned_layer, cka."""
        return self._named("matrix")

    @cached_property
    def within(self) -> pd.DataFrame:
        """One row per role ("base", "tuned") and two layers of it: layer, other_layer, cka."""
        return self._named("within")

    def _named(self, name: str) -> pd.DataFrame:
        frame = read_frame(self.path / f"{name}.parquet")
        for place, about in enumerate(("corpus", "base", "tuned")):
            frame.insert(place, about, getattr(self, about))
        return frame

    def headline(self) -> str:
        """Return models, corpus, and the layer that differs most."""
        line = f"Geometry of {self.base} and {self.tuned} on {self.corpus!r}"
        line += f" ({self.manifest.facts['n_words']:,} words)"
        name = self.step.measures[0]
        columns = (self.layers[column].tolist() for column in ("measure", "value", "layer"))
        found = [(v, layer) for m, v, layer in zip(*columns, strict=True) if m == name and v == v]
        if not found:
            return line
        value, layer = max(found) if name == "procrustes" else min(found)
        return f"{line}: {name} of layer {layer} is {value:.3f}, the least alike"

    def table(self) -> pd.DataFrame:
        """Return `layers` without the columns that are the same in all rows."""
        return self.layers.drop(columns=["corpus", "base", "tuned"])
