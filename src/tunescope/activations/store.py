"""The activation store: read it with neither the model nor the data set at hand.

On disk: `words.parquet` and `sentences.parquet` (the corpus the rows belong to), `valid.npy`,
`manifest.json`, and `layer_00/00000.npy`, ... memory-mapped shards of whole sentences.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tunescope.activations.sharded import ShardedArray
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.results import StepResult
from tunescope.steps import Extract, Step

if TYPE_CHECKING:
    import pandas as pd


def layer_folder(layer: int) -> str:
    """Name of a layer's folder, the same in every step."""
    return f"layer_{layer:02d}"


@dataclass(frozen=True, eq=False)
class ActivationStore(StepResult):
    """Activations of every word of a corpus at every layer of one model.

    Parameters
    ----------
    path : Path
        Folder written by `extract`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Extract

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open a finished store.

        Raises
        ------
        InputError
            If the folder is no finished store.
        MismatchError
            If its word table is not the one the activations were made from (invariant 1).
        """
        store = super().load(path)
        if store.corpus.word_hash != store.manifest.inputs["words"]:
            raise MismatchError(
                f"{path}: the word table was changed after extraction; extract again"
            )
        return store

    @property
    def model(self) -> str:
        """The model's display name."""
        return self.manifest.facts["model"]

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus whose word i is row i."""
        return Corpus.load(self.path)

    @cached_property
    def valid(self) -> np.ndarray:
        """Which words have activations, bool, shape (n_words,); rows of the others are NaN."""
        return np.load(self.path / "valid.npy", allow_pickle=False)

    @property
    def layers(self) -> tuple[int, ...]:
        """Layer numbers; 0 is the embedding layer."""
        return tuple(range(self.manifest.facts["n_layers"]))

    @property
    def n_words(self) -> int:
        """Number of rows."""
        return len(self.valid)

    def __getitem__(self, layer: int) -> ShardedArray:
        """Activations of one layer, shape (n_words, d)."""
        if layer not in self.layers:
            raise InputError(f"{self.path} has layers 0 to {len(self.layers) - 1}, not {layer!r}")
        folder = self.path / layer_folder(layer)
        starts = np.array(self.manifest.facts["shard_starts"])
        return ShardedArray([folder / f"{n:05d}.npy" for n in range(len(starts) - 1)], starts)

    def headline(self) -> str:
        """Return model, corpus and shape."""
        n, d = self[0].shape
        name = self.corpus.name
        return f"Activations of {self.model} on {name!r}: {len(self.layers)} layers x {n:,} x {d:,}"

    def table(self) -> pd.DataFrame:
        """Return what was counted during extraction."""
        import pandas as pd

        skipped = ("shard_starts", "model")
        facts = {key: str(v) for key, v in self.manifest.facts.items() if key not in skipped}
        return pd.DataFrame(facts.items(), columns=["fact", "value"])


def common_words(*stores: ActivationStore) -> np.ndarray:
    """Rows that are valid in every store, so that models are compared on the same words.

    Parameters
    ----------
    *stores : ActivationStore
        Stores over one corpus.

    Returns
    -------
    numpy.ndarray of int, shape (n_common,)

    Raises
    ------
    MismatchError
        If the stores are over different words.
    """
    first = stores[0]
    for other in stores[1:]:
        if other.corpus.word_hash != first.corpus.word_hash:
            raise MismatchError(
                f"{first.path} and {other.path} are over different words: extract both models "
                "from the same corpus"
            )
    return np.flatnonzero(np.logical_and.reduce([store.valid for store in stores]))
