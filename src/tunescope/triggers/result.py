"""What the step `triggers` found, read back from disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Step, Triggers

if TYPE_CHECKING:
    import pandas as pd

FRAMES = ("tried", "best", "comparisons", "concepts", "correlations", "examples", "said")


@dataclass(frozen=True, eq=False)
class TriggerTable(StepResult):
    """Triggers towards each class: what was tried, what the best do, and to which texts.

    In every frame `towards` is the class that predictions are flipped to, `position` and `part`
    say where the trigger stands, `method` where its words come from.

    Parameters
    ----------
    path : Path
        Folder written by `find_triggers`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Triggers

    @property
    def facts(self) -> dict[str, Any]:
        """Counts of texts, the classes, methods that were left out and why."""
        return self.manifest.facts

    @cached_property
    def tried(self) -> pd.DataFrame:
        """One row per trigger tried, with its flip rate on the choosing half.

        Columns `towards`, `position`, `part`, `method`, `layer` and `concept` (-1: none),
        `mirrors` (of a baseline, the layer of the concept whose place it takes; -1: none), `group`
        (number of the concept, or of what mirrors it), `draw`, `trigger`, `n` (texts predicted to
        be of another class), `flipped`, `flip_rate`, `probability` (mean, of the class).
        """
        return self._frame("tried")

    @cached_property
    def best(self) -> pd.DataFrame:
        """Two rows per chosen trigger (`by` predicted and gold class), on the held-out half.

        Columns `towards`, `position`, `part`, `method`, `scope` (`all`, or `layer` for the best of
        a layer's concepts, or of the groups of a baseline that mirror them), `layer`, `concept`,
        `trigger`, `tried` (of how many different triggers it is the best), `choosing_rate`, `by`,
        `n_texts`, `n` (could flip), `flipped`, `flip_rate`, `flip_low`, `flip_high`,
        `accuracy_before`, `accuracy_after`, `drop`, `drop_low`, `drop_high`.
        """
        return self._frame("best")

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """One row per class, place, scope and baseline: concepts beside it, with tests.

        Concepts of a layer are beside the groups that mirror them; HotFlip is beside all only.

        Columns `towards`, `position`, `part`, `scope`, `layer`, `baseline`, `trigger`,
        `baseline_trigger`, `n`, `flip_rate`, `baseline_rate`, `difference`, `low`, `high`, `p`,
        `p_holm` (the chosen triggers on the held-out half), `tried`, `baseline_tried`, `mean`,
        `baseline_mean`, `mean_difference`, `mean_low`, `mean_high`, `mean_p`, `mean_p_holm` (all
        triggers, on the choosing half), `units`, `baseline_units` (what was exchanged: groups that
        share words are one). `p_holm` and `mean_p_holm` are corrected over the rows that
        `findings` uses, all layers beside random words, and not a number in the others.
        """
        return self._frame("comparisons")

    @cached_property
    def concepts(self) -> pd.DataFrame:
        """One row per place and polarity concept: traits and the strength of its triggers.

        Columns `towards`, `layer`, `concept`, `size`, `n_types`, `class_share`, `spread`,
        `distance`, `position`, `part`, `n_triggers`, `mean_rate`, `best_rate`, `trigger`, `unit`
        (of one class and place, concepts whose triggers share words have the same number).
        """
        return self._frame("concepts")

    @cached_property
    def correlations(self) -> pd.DataFrame:
        """One row per class ("" for all), place and trait: Spearman's rho with its interval.

        Columns `towards`, `position`, `part`, `trait`, `strength`, `n`, `rho`, `low`, `high`.
        """
        return self._frame("correlations")

    @cached_property
    def examples(self) -> pd.DataFrame:
        """Held-out texts before and with the best trigger of each class, with probabilities.

        Columns `towards`, `position`, `part`, `method`, `layer`, `concept`, `trigger`, `text` (row
        among the texts given), `gold`, `predicted`, `predicted_with`, `probability`,
        `probability_with` (of `towards`), `before`, `with_trigger` (texts; of pairs both parts,
        separated by " | ").
        """
        return self._frame("examples")

    @cached_property
    def said(self) -> pd.DataFrame:
        """One row per chosen trigger and held-out text: what was predicted without and with it."""
        return self._frame("said")

    def _frame(self, name: str) -> pd.DataFrame:
        return read_frame(self.path / f"{name}.parquet")

    def findings(self) -> list[str]:
        """Return in plain sentences whether concepts make better triggers than random words."""
        from tunescope.triggers.findings import findings

        return findings(self)

    def headline(self) -> str:
        """Return the model, the texts and how many triggers were tried."""
        facts = self.facts
        return (
            f"Triggers against {facts['model']}: {facts['n_tried']:,} tried on "
            f"{facts['n_choosing']:,} texts, the best reported on {facts['n_held_out']:,} others"
        )

    def table(self) -> pd.DataFrame:
        """Return the best trigger of each class, place and method, by predicted class."""
        import pandas as pd

        frame = self.best
        chosen = (frame["scope"] == "all") & (frame["by"] == "predicted")
        columns = ["towards", "position", "part", "method", "trigger", "layer", "concept", "tried"]
        columns += ["choosing_rate", "n", "flip_rate", "flip_low", "flip_high", "drop"]
        return pd.DataFrame(frame.loc[chosen, columns]).reset_index(drop=True)
