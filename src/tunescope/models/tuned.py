"""A fine-tuned checkpoint as a result: read without torch or transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
        Folder: an ordinary Hugging Face checkpoint, with a manifest beside it.
    manifest : Manifest
        Parameters, inputs, and dev accuracy with its confidence interval.
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
    def dev_accuracy(self) -> float:
        """Share of dev sentences classified rightly."""
        return self.manifest.facts["dev_accuracy"]

    def headline(self) -> str:
        """Return task, dev accuracy and the majority baseline."""
        facts = self.manifest.facts
        return (
            f"{facts['base']} tuned on {facts['task']!r}: dev accuracy {self.dev_accuracy:.3f} "
            f"[{facts['dev_low']:.3f}, {facts['dev_high']:.3f}], "
            f"majority class {facts['dev_majority']:.3f}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per fact."""
        import pandas as pd

        facts = {
            name: ", ".join(value) if isinstance(value, list) else str(value)
            for name, value in self.manifest.facts.items()
        }
        return pd.DataFrame(facts.items(), columns=["fact", "value"])
