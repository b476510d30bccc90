"""One layer of one model cut into concepts, with what every alignment needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from tunescope.concepts.alignment.kernels import grouped
from tunescope.concepts.contingency import cross_counts, type_counts
from tunescope.concepts.layer_concepts import LayerConcepts


@dataclass(frozen=True, eq=False)
class Clustering:
    """The concepts of one layer.

    Parameters
    ----------
    model : str
        Display name of the model.
    role : str
        "base" or "tuned".
    layer : int
        Layer number.
    labels : numpy.ndarray of int, shape (n_words,)
        Concept of each occurrence, numbered from 0 without gaps.
    types : numpy.ndarray of int, shape (n_words,)
        Word type of each occurrence.
    min_types : int
        Word types that a concept needs to count.
    """

    model: str
    role: str
    layer: int
    labels: np.ndarray
    types: np.ndarray
    min_types: int

    @cached_property
    def sizes(self) -> np.ndarray:
        """Occurrences in each concept, shape (n_concepts,)."""
        return np.bincount(self.labels)

    @cached_property
    def n_types(self) -> np.ndarray:
        """Word types in each concept, shape (n_concepts,)."""
        return type_counts(self.labels, self.types)

    @cached_property
    def counts(self) -> np.ndarray:
        """Which concepts have enough word types to count, bool, shape (n_concepts,)."""
        return self.n_types >= self.min_types

    @cached_property
    def grouped(self) -> tuple[np.ndarray, np.ndarray]:
        """Occurrences by concept (`alignment.kernels.grouped`)."""
        return grouped(self.labels, len(self.sizes))

    @cached_property
    def held_types(self) -> csr_array:
        """Which types each concept has: ones, shape (n_concepts, n_types)."""
        table = cross_counts(self.labels, self.types)
        table.data[:] = 1
        return table

    def measure(self, level: str) -> np.ndarray:
        """Return the size of each concept in "occurrences" or in "types"."""
        return self.sizes if level == "occurrences" else self.n_types


def clusterings(concepts: LayerConcepts, role: str) -> dict[int, Clustering]:
    """Cut every layer of a model, with the step's own K; keys are layers.

    Parameters
    ----------
    concepts : LayerConcepts
        The model's concepts.
    role : str
        "base" or "tuned".
    """
    return {
        layer: Clustering(
            concepts.model,
            role,
            layer,
            concepts.labels(layer),
            concepts.types,
            concepts.step.min_types,
        )
        for layer in concepts.layers
    }
