"""The concept mapper: from a word's vector to the concept it belongs to, with a probability.

LACOAT's ConceptMapper (Yu et al. 2024, arXiv 2404.12545, section 3.3): a logistic regression at
every layer, fitted to the words that were clustered. Read without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunescope.activations.store import layer_folder
from tunescope.errors import InputError
from tunescope.files import read_frame, read_tensors
from tunescope.results import StepResult
from tunescope.steps import MapConcepts, Step

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class ConceptMapper(StepResult):
    """Logistic regressions from vectors to the concepts of one model, one for each layer.

    Parameters
    ----------
    path : Path
        Folder written by `map_concepts`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = MapConcepts

    @property
    def model(self) -> str:
        """The model's display name."""
        return self.manifest.facts["model"]

    @property
    def layers(self) -> tuple[int, ...]:
        """Layer numbers; 0 is the embedding layer."""
        return tuple(self.manifest.facts["layers"])

    @property
    def n_concepts(self) -> int:
        """Number of concepts of a layer."""
        return self.manifest.facts["n_concepts"]

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients, shape (n_concepts, width), and intercepts, shape (n_concepts,).

        Raises
        ------
        InputError
            If there is no such layer.
        """
        if layer not in self.layers:
            listed = ", ".join(map(str, self.layers))
            raise InputError(f"{self.path} maps layers {listed}, not {layer!r}")
        known = self._weights
        if layer not in known:
            found = read_tensors(self.path / layer_folder(layer) / "mapper.safetensors")
            known[layer] = found["coefficients"], found["intercepts"]
        return known[layer]

    @cached_property
    def _weights(self) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        return {}

    def predict_proba(self, layer: int, vectors: Any) -> np.ndarray:
        """Return the probability of every concept.

        Parameters
        ----------
        layer : int
            Layer that the vectors come from.
        vectors : array-like, shape (n, width)
            Of words, pooled as in the activations the mapper was fitted to.

        Returns
        -------
        numpy.ndarray of float64, shape (n, n_concepts)
        """
        from scipy.special import softmax

        coefficients, intercepts = self.weights(layer)
        vectors = np.asarray(vectors, np.float64)
        if vectors.ndim != 2 or vectors.shape[1] != coefficients.shape[1]:
            raise InputError(
                f"vectors of shape {vectors.shape} for a mapper of {coefficients.shape[1]} neurons"
            )
        return softmax(vectors @ coefficients.T.astype(np.float64) + intercepts, axis=1)

    def map(self, layer: int, vectors: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the most probable concept of each vector, and its probability, both (n,)."""
        found = self.predict_proba(layer, vectors)
        best = found.argmax(axis=1)
        return best, found[np.arange(len(best)), best]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """How well words held out are mapped, in long format.

        Columns `corpus`, `model`, `layer`; `words` ("all", or "new": of types that no word fitted
        to has); `method` ("mapper", "nearest_centroid", "majority"); `measure` ("top1", "top2",
        "top5": shares of words whose concept is among so many best; of the mapper also "accepted",
        the share of words mapped with the probability asked for, and "top1_accepted", the share of
        those that are right); `value` with `low` and `high`, its confidence interval over
        sentences; `n`, the number of words.
        """
        import pandas as pd

        frames = [
            read_frame(self.path / layer_folder(layer) / "scores.parquet") for layer in self.layers
        ]
        return pd.concat(frames, ignore_index=True)

    def headline(self) -> str:
        """Return model, corpus, shape and on what it was measured."""
        facts = self.manifest.facts
        return (
            f"Concept mapper of {self.model} on {facts['corpus']!r}: {len(self.layers)} layers, "
            f"{self.n_concepts:,} concepts, fitted to {facts['n_train']:,} words, measured on "
            f"{facts['n_test']:,} others"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per layer: accuracy beside both baselines, and what is accepted."""
        whole = self.scores.query("words == 'all'")
        wide = whole.pivot(index="layer", columns=["method", "measure"], values="value")
        columns = {
            "top1": ("mapper", "top1"), "top2": ("mapper", "top2"), "top5": ("mapper", "top5"),
            "nearest centroid": ("nearest_centroid", "top1"), "majority": ("majority", "top1"),
            "accepted": ("mapper", "accepted"), "top1 accepted": ("mapper", "top1_accepted"),
        }  # fmt: skip
        table = wide[list(columns.values())].set_axis(list(columns), axis=1).reset_index()
        first = whole.query("method == 'mapper' and measure == 'top1'")
        for place, end in ((2, "low"), (3, "high")):
            table.insert(place, end, first[end].tolist())
        return table
