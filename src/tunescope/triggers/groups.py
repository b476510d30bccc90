"""The polarity concepts whose words become triggers, with what sets them apart from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from tunescope.activations.store import ActivationStore
from tunescope.concepts.alignment.polarity import align_classes
from tunescope.concepts.centroids import blocks
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, nearest
from tunescope.steps.triggers import Triggers

NO_LAYER = -1
TRAITS = ("class_share", "size", "n_types", "layer", "spread", "distance")
"""What the strength of a concept's triggers is held against."""
GROUPS = ["towards", "layer", "concept", "size", "n_types", "class_share", "spread", "distance"]


@dataclass(frozen=True)
class Group:
    """Words that triggers are made of.

    Parameters
    ----------
    towards : str
        The class that they are to flip predictions to.
    layer, concept : int
        Where they come from; -1 for what is no concept.
    words : tuple of str
        Different words, in the order in which they are used.
    mirrors : int
        Of a baseline, the layer of the concept it stands beside; -1 for none.
    """

    towards: str
    layer: int
    concept: int
    words: tuple[str, ...]
    mirrors: int = NO_LAYER


def polarity_groups(
    concepts: LayerConcepts,
    words: Corpus,
    classes: Sequence[str],
    step: Triggers,
    activations: ActivationStore | None = None,
) -> tuple[list[Group], pd.DataFrame]:
    """Find the polarity concepts of all layers and order the words of each.

    Parameters
    ----------
    concepts : LayerConcepts
        Of the model under attack, or of another one.
    words : Corpus
        The words that were clustered; their sentences have classes.
    classes : sequence of str
        Names of the model's classes.
    step : Triggers
        The parameters.
    activations : ActivationStore, optional
        What was clustered: for the order `central`, and for `spread` and `distance`.

    Returns
    -------
    list of Group
        By class, layer and concept.
    pandas.DataFrame
        Columns `GROUPS`, one row per group, in the same order. `spread` is the root mean square
        distance of a concept's occurrences from its centroid, `distance` that of its centroid from
        the mean of all words, both in units of the root mean square distance of the layer's words
        from their mean; not a number without activations.

    Raises
    ------
    InputError
        If a layer is not there, sentences have no class, or `central` is asked for without
        activations.
    """
    column = "class" if step.polarity == "gold" else "predicted"
    if step.choice == "central" and activations is None:
        raise InputError("choice = 'central' needs the activations that were clustered: give them")
    code = {name: number for number, name in enumerate(classes)}
    of_sentence = np.array([code.get(name, -1) for name in words.of_sentence(column)], np.int64)
    if (of_sentence < 0).all():
        raise InputError(
            f"corpus {words.name!r}: no sentence has a class that the model knows in {column!r}; "
            + nearest(str(words.of_sentence(column)[0]), classes)
        )
    sentences = words.words["sentence"].to_numpy()
    rows = None if activations is None else words.rows_in(activations.corpus)
    groups, table = [], []
    for layer in _layers(concepts, step):
        labels = concepts.labels(layer)
        found = align_classes(
            labels, sentences, of_sentence, len(classes), theta=step.theta_classes,
            max_unknown=step.max_unknown,
        )  # fmt: skip
        x = None if activations is None else activations[layer][rows]
        there = _Layer(concepts, labels, x)
        enough = there.n_types >= getattr(concepts.step, "min_types", 1)
        taken = np.zeros(len(classes), np.int64)
        for concept in np.flatnonzero(found.aligned & enough):  # by decreasing size
            towards = int(found.best[concept])
            taken[towards] += 1
            if step.max_concepts is not None and taken[towards] > step.max_concepts:
                continue
            order = there.words(int(concept), step)
            groups.append(Group(classes[towards], layer, int(concept), order))
            share = float(found.share[concept])
            table.append(
                (classes[towards], layer, int(concept), int(there.sizes[concept]))
                + (int(there.n_types[concept]), share)
                + there.where(int(concept))
            )
    order = sorted(range(len(groups)), key=lambda i: code[groups[i].towards])  # stable
    frame = pd.DataFrame([table[i] for i in order], columns=GROUPS)
    return [groups[i] for i in order], frame


def _layers(concepts: LayerConcepts, step: Triggers) -> tuple[int, ...]:
    for layer in step.layers or ():
        if layer not in concepts.layers:
            raise InputError(f"layers: {concepts.path} has {concepts.layers}, not {layer}")
    return concepts.layers if step.layers is None else step.layers


class _Layer:
    """The concepts of one layer."""

    def __init__(self, concepts: LayerConcepts, labels: np.ndarray, x: np.ndarray | None):
        self._labels, self._x, self._types = labels, x, concepts.types
        self._forms = concepts.words.values("form")
        self.sizes = np.bincount(labels)
        ones = np.ones(len(labels), np.int64)
        table = csr_array((ones, (labels, concepts.types)))
        table.sum_duplicates()
        self.n_types = np.diff(table.indptr)
        if x is not None:
            self._mean = x.mean(0, dtype=np.float64)
            squares = sum(np.square(x[rows] - self._mean).sum() for rows in blocks(*x.shape))
            self._unit = float(np.sqrt(squares / len(x)))

    def words(self, concept: int, step: Triggers) -> tuple[str, ...]:
        """Return the word types of a concept in the order they are tried, ties by the corpus."""
        here = np.flatnonzero(self._labels == concept)
        types, first, inverse, counts = np.unique(
            self._types[here], return_index=True, return_inverse=True, return_counts=True
        )
        if step.choice == "random":
            rng = np.random.default_rng([step.seed, concept, int(self.sizes[concept])])
            order = rng.permutation(len(types))
        elif step.choice == "central":
            far = self._distances(here)
            order = np.lexsort((first, np.bincount(inverse, far) / counts))
        else:
            order = np.lexsort((first, -counts))
        return tuple(str(self._forms[here[first[i]]]) for i in order)

    def where(self, concept: int) -> tuple[float, float]:
        """Return spread and distance of a concept."""
        if self._x is None:
            return float("nan"), float("nan")
        here = np.flatnonzero(self._labels == concept)
        spread = float(np.sqrt((self._distances(here) ** 2).mean()))
        distance = float(np.linalg.norm(self._x[here].mean(0, dtype=np.float64) - self._mean))
        unit = self._unit or 1.0
        return spread / unit, distance / unit

    def _distances(self, here: np.ndarray) -> np.ndarray:
        assert self._x is not None
        vectors = self._x[here].astype(np.float64)
        return np.linalg.norm(vectors - vectors.mean(0), axis=1)
