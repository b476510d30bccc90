"""What is shown of a concept: its frequent words, its class, its labels, and a few contexts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.result import ConceptNames
from tunescope.errors import MismatchError

if TYPE_CHECKING:
    import pandas as pd

WORDS = 12
"""Frequent words of a concept."""
CLASSES = ("class", "predicted")
"""Columns of `Alignment.concepts` about the classes of sentences, gold and predicted."""


@dataclass(frozen=True)
class Context:
    """One occurrence of a concept's word in its sentence.

    Parameters
    ----------
    words : tuple of str
        The sentence.
    position : int
        Place of the word, from 0.
    """

    words: tuple[str, ...]
    position: int


@dataclass(frozen=True)
class Share:
    """A label, or a class, and the share of a concept that has it.

    Parameters
    ----------
    kind : str
        The label column; "class" or "predicted" for classes of sentences.
    name : str
        The most frequent label.
    share : float
        Of the concept's occurrences that have any.
    aligned : bool
        Whether the alignment counts the concept as aligned with it (of a class: polarised).
    """

    kind: str
    name: str
    share: float
    aligned: bool


@dataclass(frozen=True)
class Card:
    """A concept.

    Parameters
    ----------
    layer, concept : int
        Its address.
    size, n_types : int
        Occurrences, and word types.
    counts : bool
        Whether it has enough word types to count in any figure.
    words : tuple of (str, int)
        Its most frequent word types, and how often each occurs in it.
    affinity : tuple of Share
        Classes of the sentences it occurs in: by gold class, and where known as predicted.
    labels : tuple of Share
        Its label in each column of an alignment.
    fate : str
        What an alignment says became of it (retained, lost, survived, born); "" without one.
    name : str
        A name given to it; "" without one.
    contexts : tuple of Context
        One occurrence of each of its most frequent words.
    """

    layer: int
    concept: int
    size: int
    n_types: int
    counts: bool
    words: tuple[tuple[str, int], ...]
    affinity: tuple[Share, ...]
    labels: tuple[Share, ...]
    fate: str
    name: str
    contexts: tuple[Context, ...]


class Cards:
    """Makes cards of the concepts of one model.

    Parameters
    ----------
    concepts : LayerConcepts
        The concepts.
    alignment : Alignment, optional
        Says which labels and classes they carry, and what became of them. Without one, classes are
        counted from the words' own sentences.
    names : ConceptNames, optional
        Names of the concepts.

    Raises
    ------
    MismatchError
        If the alignment or the names are of other concepts.
    """

    def __init__(
        self,
        concepts: LayerConcepts,
        alignment: Alignment | None = None,
        names: ConceptNames | None = None,
    ):
        self._concepts = concepts
        self._names: dict[tuple[int, int], str] = {}
        if names is not None:
            names.check_of(concepts)
            self._names = names.lookup()
        self._labels: dict[int, np.ndarray] = {}
        self._facts: dict[tuple[int, int], dict[str, Any]] = {}
        if alignment is not None:
            self._facts = _facts(alignment.concepts, _role(alignment, concepts))
        words = concepts.words
        self._forms = words.values("form")
        self._sentence = words.words["sentence"].to_numpy()
        self._position = words.words["position"].to_numpy()
        classes = words.of_sentence("class")[self._sentence]
        self._class = np.array(["" if name is None else name for name in classes], object)

    def card(self, layer: int, concept: int, n_contexts: int = 3) -> Card:
        """Return the card of one concept, with so many contexts."""
        if layer not in self._labels:
            self._labels[layer] = self._concepts.labels(layer)
        rows = np.flatnonzero(self._labels[layer] == concept)
        types, first, counts = np.unique(
            self._concepts.types[rows], return_index=True, return_counts=True
        )
        order = np.lexsort((types, -counts))
        frequent = [(str(self._forms[rows[first[i]]]), int(counts[i])) for i in order[:WORDS]]
        facts = self._facts.get((layer, concept), {})
        return Card(
            layer, concept, len(rows), len(types),
            len(types) >= self._concepts.step.min_types, tuple(frequent),
            _shares(facts, CLASSES) if facts else self._own_classes(rows),
            _shares(facts, [key[:-6] for key in facts
                            if key.endswith("_label") and key[:-6] not in CLASSES]),
            facts.get("fate") or "",
            self._names.get((layer, concept), ""),
            tuple(self._context(int(rows[first[i]])) for i in order[:n_contexts]),
        )  # fmt: skip

    def _own_classes(self, rows: np.ndarray) -> tuple[Share, ...]:
        known = self._class[rows][self._class[rows] != ""].astype(str)
        if not len(known):
            return ()
        names, counts = np.unique(known, return_counts=True)
        best = int(counts.argmax())
        return (Share("class", str(names[best]), float(counts[best] / len(known)), False),)

    def _context(self, row: int) -> Context:
        words = self._concepts.words.sentence_words(int(self._sentence[row]))
        return Context(tuple(words), int(self._position[row]))


def _role(alignment: Alignment, concepts: LayerConcepts) -> str:
    inputs = alignment.manifest.inputs
    for role in ("tuned", "base"):
        if inputs[role] == concepts.key:
            return role
    raise MismatchError(
        f"{alignment.path} aligns other concepts than those in {concepts.path}: give the alignment "
        "of these"
    )


def _facts(frame: pd.DataFrame, role: str) -> dict[tuple[int, int], dict[str, Any]]:
    records: list[Any] = frame[frame["role"] == role].to_dict("records")  # pyright: ignore[reportCallIssue]
    return {(record["layer"], record["concept"]): record for record in records}


def _shares(facts: dict[str, Any], kinds: Any) -> tuple[Share, ...]:
    found = []
    for kind in kinds:
        name, share = facts.get(f"{kind}_label"), facts.get(f"{kind}_share")
        if isinstance(name, str) and share is not None and not math.isnan(share):
            flag = {"class": "polarised", "predicted": "predicted_polarised"}.get(kind)
            aligned = bool(facts.get(flag or f"{kind}_aligned"))
            found.append(Share(kind, name, float(share), aligned))
    return tuple(found)
