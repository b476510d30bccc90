"""The result of the stability step, read back from disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Stability, Step

if TYPE_CHECKING:
    import pandas as pd


BASE, TUNED = "base and base", "tuned and tuned"
BETWEEN, SAME = "base and tuned", "base and tuned, same sentences"
"""What is compared."""


@dataclass(frozen=True, eq=False)
class ConceptStability(StepResult):
    """How alike clusterings of the same words are, with and without tuning between them.

    Parameters
    ----------
    path : Path
        Folder written by `concept_stability`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Stability

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """One row per layer, comparison and division of the sentences.

        Columns `corpus`, `layer`, `comparison`, `repeat` and those of `stability.agreement`.
        """
        return read_frame(self.path / "agreement.parquet")

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per layer and comparison: means over the divisions.

        Divisions share their sentences, so more of them make no interval narrower: ends of
        intervals are averaged like the rest. Columns `layer`, `comparison`, `repeats`, `n_words`,
        `n_concepts`, `ari`, `ari_low`, `ari_high`, `share`, `low`, `high`, `null_share`.
        """
        import pandas as pd

        frame = self.agreement
        columns = ["n_words", "n_concepts", "ari", "ari_low", "ari_high", "share", "low", "high"]
        values = pd.DataFrame(frame[["layer", "comparison", *columns]]).assign(
            null_share=frame["null_high"] / frame["n_concepts"].clip(lower=1)
        )
        by = values.groupby(["layer", "comparison"], sort=False)
        found = pd.DataFrame(by.mean()).reset_index()
        found.insert(2, "repeats", by.size().to_numpy())
        return found

    def headline(self) -> str:
        """Return which models, which corpus, and what is compared."""
        facts, step = self.manifest.facts, self.manifest.parameters
        models = f"{facts['base']} and {facts['tuned']}" if facts["tuned"] else facts["base"]
        ways = {
            "shared": "words that two thirds and two thirds of the sentences share",
            "centroids": "half of the sentences, beside the nearest centroids of the other half",
        }
        return (
            f"Stability of concepts of {models} on {facts['corpus']!r}: "
            f"{ways[step['compare']]}, {step['repeats']} divisions"
        )

    def table(self) -> pd.DataFrame:
        """Return, per layer, the share retained and the adjusted Rand index of each comparison."""
        import pandas as pd

        parts = []
        for value in ("share", "ari"):
            wide = self.summary.pivot(index="layer", columns="comparison", values=value)
            wide = wide[list(dict.fromkeys(self.summary["comparison"]))]
            wide.columns = [f"{value}: {name}" for name in wide.columns]
            parts.append(wide)
        return pd.concat(parts, axis=1).reset_index()
