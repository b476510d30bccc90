"""What layer-wise probes found, and where on disk it is.

A folder written by `probe` has `manifest.json` and, for each layer, `layer_03/` with
`probe.safetensors` (coefficients, intercepts), `words.parquet` (every test word: row in the
corpus, sentence, right or wrong) and `facts.json` (the layer's line in `table()`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from tunescope.activations.store import layer_folder
from tunescope.errors import InputError
from tunescope.files import read_json, read_table
from tunescope.results import StepResult
from tunescope.steps import Probe, Step

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

COLUMNS = (
    "corpus", "label", "model", "layer", "n_train", "n_test", "n_classes", "accuracy",
    "accuracy_low", "accuracy_high", "dev_accuracy", "majority", "control_accuracy", "selectivity",
    "selectivity_low", "selectivity_high", "zeros", "converged",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LayerProbes(StepResult):
    """Probes of one label column on every layer of one model.

    Parameters
    ----------
    path : Path
        Folder written by `probe`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Probe

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.manifest.inputs["corpus"]

    @property
    def label(self) -> str:
        """The label column."""
        return self.manifest.inputs["label"]

    @property
    def model(self) -> str:
        """The model's display name."""
        return self.manifest.inputs["model"]

    @property
    def layers(self) -> tuple[int, ...]:
        """Layer numbers; 0 is the embedding layer."""
        return tuple(self.manifest.facts["layers"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels seen in training, sorted; the order of coefficients."""
        return tuple(self.manifest.facts["classes"])

    def _folder(self, layer: int) -> Path:
        if layer not in self.layers:
            raise InputError(
                f"{self.path} has layers {self.layers[0]} to {self.layers[-1]}, not {layer!r}"
            )
        return self.path / layer_folder(layer)

    def coefficients(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Read a probe: coefficients, shape (n_classes, d), and intercepts, shape (n_classes,)."""
        from safetensors.numpy import load_file

        tensors = load_file(self._folder(layer) / "probe.safetensors")
        return tensors["coefficients"], tensors["intercepts"]

    def words(self, layer: int) -> pa.Table:
        """Read what became of every test word.

        Returns
        -------
        pyarrow.Table, shape (n_test, 4 + control_seeds)
            Columns `word` (row in the corpus), `sentence`, `predicted`, `correct`, and for each
            control task `control_0`, ...: whether its prediction was right.
        """
        return read_table(self._folder(layer) / "words.parquet")

    @cached_property
    def facts(self) -> list[dict[str, Any]]:
        """What is known about each layer's probe: the columns of `table()` and how it was fitted.

        Beyond the table: `objective`, `gap` (proven upper bound of its relative distance from the
        optimum), `iterations`, `control_converged`, and `n_unseen`, the test words whose label no
        training word has; they count as wrong.
        """
        return [read_json(self._folder(layer) / "facts.json") for layer in self.layers]

    def headline(self) -> str:
        """Return model, label and the best layer."""
        best = max(self.facts, key=lambda fact: fact["accuracy"])
        line = (
            f"Probes of {self.label!r} on {self.model}, corpus {self.corpus!r}: best at layer "
            f"{best['layer']}, accuracy {best['accuracy']:.3f}"
        )
        unseen = self.facts[0]["n_unseen"]
        return f"{line} ({unseen} test words have a label unseen in training)" if unseen else line

    def table(self) -> pd.DataFrame:
        """Return one row per layer.

        Columns: corpus, label, model, layer, n_train, n_test, n_classes, accuracy with its
        interval, dev_accuracy, majority (test accuracy of the most frequent training label),
        control_accuracy (mean over control tasks), selectivity with its interval, zeros (share of
        coefficients that are exactly zero) and converged (whether the layer's probes all did).
        """
        import pandas as pd

        about = {"corpus": self.corpus, "label": self.label, "model": self.model}
        frame = pd.DataFrame([about | fact for fact in self.facts], columns=list(COLUMNS))
        numbers = frame.columns[7:-1]
        return frame.astype(dict.fromkeys(numbers, float))
