"""What became of pruned models: scores by rule and seed, beside the whole model.

A folder written by `prune` has `manifest.json` and `scores.parquet`, `summary.parquet` and, where
a rule looks at them, `similarities.parquet`; and for each rule and seed a folder such as
`top-6/seed-0/` with `predictions.parquet` (every dev text), `facts.json` and, if asked for, the
checkpoint in `model/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tunescope.errors import InputError, nearest
from tunescope.files import read_frame
from tunescope.results import StepResult
from tunescope.steps import Prune, Step
from tunescope.steps.prune import parse_rule

if TYPE_CHECKING:
    import pandas as pd

SCORES, SUMMARY, SIMILARITIES = "scores.parquet", "summary.parquet", "similarities.parquet"
PREDICTIONS, FACTS, WEIGHTS = "predictions.parquet", "facts.json", "model"


def unit_folder(rule: str, seed: int) -> str:
    """Name of the folder of one rule and seed below the step's."""
    read = parse_rule(rule)
    if read.kind == "layers":
        name = "layers-" + "-".join(str(layer) for layer in read.layers)
    else:
        name = rule.replace(" ", "").replace(":", "-")
    return f"{name}/seed-{seed}"


@dataclass(frozen=True, eq=False)
class PrunedScores(StepResult):
    """Scores of a base model fine-tuned on one task with blocks dropped.

    Parameters
    ----------
    path : Path
        Folder written by `prune`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Prune

    @property
    def model(self) -> str:
        """The base model's display name."""
        return self.manifest.facts["model"]

    @property
    def task(self) -> str:
        """The task's name."""
        return self.manifest.facts["task"]

    @property
    def metric(self) -> str:
        """What the task is scored by."""
        return self.manifest.facts["metric"]

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules, as they were given."""
        return tuple(self.manifest.parameters["drop"])

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of fine-tuning."""
        return tuple(self.manifest.parameters["seeds"])

    def unit(self, rule: str, seed: int) -> Path:
        """Folder of one rule and seed.

        Raises
        ------
        InputError
            If there is no such rule or seed.
        """
        if rule not in self.rules:
            raise InputError(f"{self.path}: no rule {rule!r}; {nearest(rule, self.rules)}")
        if seed not in self.seeds:
            raise InputError(f"{self.path}: no seed {seed}; there are {self.seeds}")
        return self.path / unit_folder(rule, seed)

    def predictions(self, rule: str, seed: int) -> pd.DataFrame:
        """Read what was said of every dev text.

        Returns
        -------
        pandas.DataFrame
            Columns `target`, `predicted` and, for classes, one with the logit of each.
        """
        return read_frame(self.unit(rule, seed) / PREDICTIONS)

    def table(self) -> pd.DataFrame:
        """Return one row per rule and seed.

        Columns: model, task, metric, rule, dropped (numbers of blocks, as text), blocks (how many
        are kept), parameters (kept, without the head), seed, score on dev with its interval (low,
        high), and baseline (score of the most frequent training class, or of one number for all).
        """
        return read_frame(self.path / SCORES)

    def summary(self) -> pd.DataFrame:
        """Return one row per rule, over its seeds.

        Columns: model, task, metric, rule, dropped, blocks, parameters, seeds (how many), score
        (mean) with its interval over texts and seeds (low, high), sd (over seeds; not a number with
        one), baseline, and, where `none` is among the rules, difference from it with its interval,
        p (paired, on the same dev texts) and p_holm (corrected for the number of rules).
        """
        return read_frame(self.path / SUMMARY)

    def similarities(self) -> pd.DataFrame | None:
        """Return how alike input and output of each block are, where a rule looked at it.

        Columns: block, similarity, low, high, n_words.
        """
        path = self.path / SIMILARITIES
        return read_frame(path) if path.exists() else None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what to show: the summary, every seed, and similarities of blocks."""
        about = ["model", "task", "metric"]
        shown = {"": self.summary().drop(columns=about)}
        if len(self.seeds) > 1:
            shown["By seed"] = self.table().drop(columns=about)
        alike = self.similarities()
        if alike is not None:
            shown["Similarity of input and output"] = alike
        return shown

    def headline(self) -> str:
        """Return model, task, the whole model's score and the pruned model that lost least."""
        rows = self.summary().to_dict("records")
        pruned = [row for row in rows if row["rule"] != "none"]
        start = f"{self.model} on {self.task!r}, {self.metric}"
        parts = [f"whole {row['score']:.3f}" for row in rows if row["rule"] == "none"]
        if pruned:
            best = max(pruned, key=lambda row: row["score"])
            name = f"{best['rule']} ({best['blocks']} of {self.manifest.facts['n_blocks']} blocks)"
            parts.append(f"best without blocks {best['score']:.3f} with {name}")
        return f"{start}: {', '.join(parts)}; baseline {rows[0]['baseline']:.3f}"
