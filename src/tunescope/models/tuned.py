"""A fine-tuned checkpoint as a result: read without torch or transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunescope.files import read_frame
from tunescope.manifest import Manifest
from tunescope.results import Result

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TunedModel(Result):
    """A fine-tuned checkpoint on disk and how well it does its task.

    Parameters
    ----------
    path : Path
        Folder: an ordinary Hugging Face checkpoint or PEFT adapter, with a manifest beside it.
    manifest : Manifest
        Parameters, inputs, and the dev score with its confidence interval.
    """

    path: Path
    manifest: Manifest

    @classmethod
    def load(cls, path: Path | str) -> TunedModel:
        """Open a checkpoint written by `finetune`.

        Raises
        ------
        InputError
            If there is none.
        """
        return cls(Path(path), Manifest.load(Path(path)))

    @property
    def metric(self) -> str:
        """What the task is scored by: a key of `tunescope.tasks.metrics.METRICS`."""
        return self.manifest.facts["metric"]

    @property
    def dev_score(self) -> float:
        """Score on the dev texts, by the task's metric."""
        return self.manifest.facts["dev_score"]

    @property
    def checkpoints(self) -> list[tuple[float, Path]]:
        """Share of the training that was done, and the checkpoint's folder, in this order."""
        kept = self.manifest.facts["checkpoints"]
        return [(known["fraction"], self.path / known["folder"]) for known in kept]

    def predictions(self) -> pd.DataFrame:
        """Return what the model said of each dev text, in the order of the task's dev set.

        Columns are `target` and `predicted`, and for classes `logit_CLASS` for each of them.
        """
        return read_frame(self.path / "predictions.parquet")

    def trajectory(self) -> pd.DataFrame:
        """Return the dev score during training: one row per checkpoint kept, and the end.

        Columns are `fraction` of the training, `step` (updates), and `dev_score`.
        """
        import pandas as pd

        facts = self.manifest.facts
        rows = [(known["fraction"], known["step"], known["dev_score"])
                for known in facts["checkpoints"]]  # fmt: skip
        rows.append((1.0, facts["n_updates"], facts["dev_score"]))
        return pd.DataFrame(rows, columns=["fraction", "step", "dev_score"])

    def headline(self) -> str:
        """Return task, dev score and the baseline."""
        facts = self.manifest.facts
        simplest = "majority class" if facts["classes"] else "mean"
        return (
            f"{facts['base']} tuned on {facts['task']!r}: dev {self.metric} {self.dev_score:.3f} "
            f"[{facts['dev_low']:.3f}, {facts['dev_high']:.3f}], "
            f"{simplest} {facts['dev_baseline']:.3f}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per fact."""
        import pandas as pd

        facts = dict(self.manifest.facts)
        kept = facts.pop("checkpoints")
        values = facts.pop("dev_scores")
        facts["classes"] = ", ".join(facts["classes"])
        facts |= {f"dev {name}": f"{value:.4f}" for name, value in values.items()}
        for known in kept:
            facts[f"dev_score at {known['fraction']:g}"] = f"{known['dev_score']:.4f}"
        rows = [(name, str(value)) for name, value in facts.items() if value is not None]
        return pd.DataFrame(rows, columns=["fact", "value"])
