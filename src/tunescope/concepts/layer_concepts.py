"""The concepts of one model: its words, and a clustering per layer, read back from disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tunescope.activations.store import layer_folder
from tunescope.concepts.contingency import type_counts
from tunescope.concepts.dendrogram import Dendrogram
from tunescope.concepts.partition import Partition
from tunescope.concepts.selection import type_codes
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.results import StepResult
from tunescope.steps import Concepts, Step
from tunescope.steps.concepts import TREELESS

if TYPE_CHECKING:
    import pandas as pd

TOP_WORDS = 8


def linkage_path(folder: Path, layer: int) -> Path:
    """Where the merges of a layer are, of methods that have a tree."""
    return folder / layer_folder(layer) / "linkage.npy"


def clusters_path(folder: Path, layer: int, method: str) -> Path:
    """Where the clustering of a layer is: its merges, or the labels of methods without a tree."""
    name = "labels.npy" if method in TREELESS else "linkage.npy"
    return linkage_path(folder, layer).with_name(name)


@dataclass(frozen=True, eq=False)
class LayerConcepts(StepResult):
    """Latent concepts of one model at every layer.

    Parameters
    ----------
    path : Path
        Folder written by `concepts`.
    manifest : Manifest
        How it was made.
    """

    made_by: ClassVar[type[Step]] = Concepts

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Open the folder of a finished `concepts` step.

        Raises
        ------
        InputError
            If the folder is none.
        MismatchError
            If its word table is not the one that was clustered.
        """
        found = super().load(path)
        if "method" not in found.manifest.parameters:
            raise InputError(f"{path} was written by an earlier version: cluster again")
        if found.words.word_hash != found.manifest.inputs["words"]:
            raise MismatchError(f"{path}: the word table was changed after clustering; run again")
        return found

    @property
    def model(self) -> str:
        """The model's display name."""
        return self.manifest.facts["model"]

    @property
    def model_hash(self) -> str | None:
        """Hash of the model (`ModelRef.hash`); None where it is not known, as of imported ones."""
        return self.manifest.facts.get("model_hash")

    @cached_property
    def words(self) -> Corpus:
        """The words that were clustered; point i of every clustering is word i."""
        return Corpus.load(self.path)

    @cached_property
    def types(self) -> np.ndarray:
        """Number of each word's type, shape (n_words,)."""
        return type_codes(self.words)

    @property
    def layers(self) -> tuple[int, ...]:
        """Layer numbers; 0 is the embedding layer."""
        return tuple(self.manifest.facts["layers"])

    def clusters(self, layer: int) -> Dendrogram | Partition:
        """Read the clustering of one layer, whatever the method: both kinds have `cut(k)`.

        Raises
        ------
        InputError
            If there is no such layer.
        """
        if layer not in self.layers:
            raise InputError(
                f"{self.path} has layers {self.layers[0]} to {self.layers[-1]}, not {layer!r}"
            )
        path = clusters_path(self.path, layer, self.step.method)
        if self.step.method in TREELESS:
            return Partition.load(path, self.step.n_clusters)
        return Dendrogram.load(path)

    def dendrogram(self, layer: int) -> Dendrogram:
        """Read the dendrogram of one layer.

        Raises
        ------
        InputError
            If there is no such layer, or the method leaves no tree.
        """
        found = self.clusters(layer)
        if isinstance(found, Partition):
            raise InputError(
                f"{self.path} was clustered by method {self.step.method!r}, which leaves no "
                "dendrogram: cluster with 'ward' or 'leaders'"
            )
        return found

    def labels(self, layer: int, k: int | None = None) -> np.ndarray:
        """Return the concept of every word at one layer.

        Parameters
        ----------
        layer : int
            Layer number.
        k : int, optional
            Number of concepts; `n_clusters` of the step when not given.

        Returns
        -------
        numpy.ndarray of int64, shape (n_words,)
            Concepts are numbered from 0 by decreasing size, ties by their first word. K-means may
            leave fewer than `n_clusters`.

        Raises
        ------
        InputError
            If there is no such layer, or the method does not give this number of concepts: K-means
            gives `n_clusters` alone, leaders at most as many as there are leaders.
        """
        return self.clusters(layer).cut(self.step.n_clusters if k is None else k)

    def headline(self) -> str:
        """Return model, corpus and shape."""
        return (
            f"Concepts of {self.model} on {self.words.name!r}: {len(self.layers)} layers x "
            f"{self.step.n_clusters:,} concepts of {self.words.n_words:,} words "
            f"({self.step.method})"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per layer and concept: size, number of word types, frequent words."""
        import pandas as pd

        frames = []
        for layer in self.layers:
            labels = self.labels(layer)
            frames.append(
                pd.DataFrame(
                    {
                        "layer": layer,
                        "concept": np.arange(labels.max() + 1),
                        "size": np.bincount(labels),
                        "n_types": type_counts(labels, self.types),
                        "words": self.top_words(labels),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def top_words(self, labels: np.ndarray, n: int = TOP_WORDS) -> list[str]:
        """Return the most frequent word types of each concept, joined by spaces.

        Parameters
        ----------
        labels : numpy.ndarray of int, shape (n_words,)
            The concept of every word, as `labels` returns it.
        n : int
            Number of types of each concept.

        Returns
        -------
        list of str
            One entry per concept; ties in the order of the corpus.
        """
        _, first = np.unique(self.types, return_index=True)
        forms = self.words.values("form")[first]
        pairs, counts = np.unique(np.stack([labels, self.types]), axis=1, return_counts=True)
        order = np.lexsort((pairs[1], -counts, pairs[0]))
        concepts, types = pairs[:, order]
        starts = np.searchsorted(concepts, np.arange(labels.max() + 2))
        return [
            " ".join(forms[types[start : min(start + n, stop)]])
            for start, stop in zip(starts[:-1], starts[1:], strict=True)
        ]
