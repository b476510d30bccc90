"""A layer's concepts as one alignment sees them: what became of each, and its counterpart."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.contingency import cross_counts
from tunescope.report.concepts.page import Key
from tunescope.viewer.concepts.index import ConceptIndex

MOST_PARTS = 4
"""Concepts of the other model that are named as holding parts of one."""


class Part(NamedTuple):
    """What a concept of the other model holds of one.

    Parameters
    ----------
    concept : int
        Of the other model.
    shared : int
        Words in both.
    share, other_share : float
        Of the words of the one, and of the other.
    """

    concept: int
    shared: int
    share: float
    other_share: float


@dataclass(frozen=True, eq=False)
class Side:
    """One model's concepts of one layer in an alignment with another model.

    Parameters
    ----------
    key : tuple of str
        Corpus, base, tuned.
    role : {"base", "tuned"}
        Which of the two this model is.
    alignment : Alignment
        The alignment.
    layer : int
        Number of the layer.
    here, other : ConceptIndex
        The concepts of this model, and of the other at the same layer.
    """

    key: Key
    role: str
    alignment: Alignment
    layer: int
    here: ConceptIndex
    other: ConceptIndex

    @property
    def model(self) -> str:
        """Name of the other model."""
        return self.key[2] if self.role == "base" else self.key[1]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Rows of `Alignment.concepts`, by number of the concept."""
        rows = self.alignment.concepts
        chosen = (rows["role"] == self.role) & (rows["layer"] == self.layer)
        return pd.DataFrame(rows[chosen]).sort_values(by="concept", ignore_index=True)

    @cached_property
    def fates(self) -> list[str]:
        """Retained or lost, survived or born; "" of what has too few word types to count."""
        return self.frame["fate"].tolist()

    @cached_property
    def changes(self) -> list[str]:
        """What became of each, or what it came from (see `alignment.changes`)."""
        return self.frame["change"].tolist()

    @cached_property
    def matches(self) -> list[int]:
        """Concept of the other model that holds most of each; -1 without one."""
        return self.frame["best_match"].tolist()

    @cached_property
    def overlaps(self) -> list[float]:
        """How much of each that one holds."""
        return self.frame["overlap"].tolist()

    def polarised(self, by: str) -> list[bool]:
        """Which concepts follow a class.

        Parameters
        ----------
        by : {"gold", "predicted"}
            The class of sentences as annotated, or as the tuned model predicts it.
        """
        column = "polarised" if by == "gold" else "predicted_polarised"
        return self.frame[column].tolist() if column in self.frame else [False] * len(self.frame)

    @cached_property
    def _shared(self) -> np.ndarray:
        return cross_counts(self.here.labels, self.other.labels).toarray()

    def parts(self, concept: int) -> list[Part]:
        """Return which concepts of the other model hold the words of one, the most first."""
        shared = self._shared[concept]
        order = np.argsort(-shared, kind="stable")[:MOST_PARTS]
        size, sizes = int(self.here.sizes[concept]), self.other.sizes
        found = ((int(at), int(shared[at])) for at in order)
        return [Part(at, n, n / size, n / int(sizes[at])) for at, n in found if n]
