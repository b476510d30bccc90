"""What the words of each concept carry: labels of each column, and classes of their sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.annotation import COMPOSITION, Codes, composition_frame
from tunescope.concepts.alignment.labels import Labelling, compose
from tunescope.concepts.alignment.polarity import SentenceClasses
from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.clustering import Clustering
from tunescope.concepts.label_sets import LabelSets
from tunescope.corpus.table import Corpus
from tunescope.steps import Align

COLOURS = 6
"""Colours that labels and classes have."""
OTHER = "other"
"""The colour of all further ones."""


class Share(NamedTuple):
    """A label or class of a concept.

    Parameters
    ----------
    value : str
        Untrusted text.
    n : int
        Words of the concept that carry it.
    share : float
        Of its words whose label is known.
    aligned : bool
        Whether the concept follows it: enough of its words carry it, and it counts as a concept.
    tone : str
        Class of the style sheet that gives its colour.
    """

    value: str
    n: int
    share: float
    aligned: bool
    tone: str


@dataclass(frozen=True, eq=False)
class Shares:
    """Labels of one column, or classes, of the concepts of one layer.

    Parameters
    ----------
    name : str
        Of the column.
    of : list of list of Share
        Of each concept, the largest share first.
    tones : dict of str to str
        Colours of the first labels, by their name.
    """

    name: str
    of: list[list[Share]]
    tones: dict[str, str]


def label_shares(here: Clustering, words: Corpus, alignment: Alignment | None) -> list[Shares]:
    """Return the composition of the concepts of a layer, for each label column.

    Parameters
    ----------
    here : Clustering
        The concepts; its role is that in the alignment.
    words : Corpus
        The words.
    alignment : Alignment, optional
        Where the labels were looked at, computed kinds among them; else the columns of the words.
    """
    if alignment is not None:
        names, rows = alignment.manifest.facts["labels"], alignment.composition
        frame = pd.DataFrame(rows[(rows["role"] == here.role) & (rows["layer"] == here.layer)])
    else:
        names = list(words.labels)
        kinds = [Labelling(name, LabelSets.of(words.values(name))) for name in names]
        parts = [composition_frame(here, kind, Align()) for kind in kinds]
        frame = pd.concat([pd.DataFrame(columns=COMPOSITION), *parts])
    found = []
    for name in names:
        rows = frame[frame["label"] == name]
        columns = [rows[c].tolist() for c in ("concept", "value", "count", "share", "aligned")]
        tones = tones_of(_often(columns[1], columns[2]))
        of: list[list[Share]] = [[] for _ in here.sizes]
        for concept, value, count, share, aligned in zip(*columns, strict=True):
            of[concept].append(Share(value, count, share, aligned, tones.get(value, OTHER)))
        found.append(Shares(name, of, tones))
    return found


def _often(values: Iterable[str], counts: Iterable[int]) -> list[str]:
    """Return the labels of a column, the most frequent first."""
    totals: Counter[str] = Counter()
    for value, count in zip(values, counts, strict=True):
        totals[value] += count
    return sorted(totals, key=lambda value: (-totals[value], value))


def tones_of(names: Sequence[str]) -> dict[str, str]:
    """Return the colour of the first labels or classes, by name."""
    return {name: f"c{n}" for n, name in enumerate(names[:COLOURS])}


def class_shares(
    here: Clustering, classes: SentenceClasses, polarised: Sequence[bool] | None = None
) -> Shares:
    """Return from sentences of which classes the words of each concept come.

    Parameters
    ----------
    here : Clustering
        The concepts.
    classes : SentenceClasses
        As annotated, or as predicted.
    polarised : sequence of bool, optional
        Which concepts follow the class that most of their words have.
    """
    made = compose(here.labels, classes.labelling, classes.sentences)
    found: list[list[Share]] = [[] for _ in here.sizes]
    tones = tones_of(classes.names)
    order = np.lexsort((made.labels, -made.counts, made.concepts))
    columns = (made.concepts, made.labels, made.counts, made.shares)
    for concept, label, count, share in zip(*(c[order].tolist() for c in columns), strict=True):
        follows = bool(polarised is not None and not found[concept] and polarised[concept])
        value = classes.names[label]
        found[concept].append(Share(value, count, share, follows, tones.get(value, OTHER)))
    return Shares(classes.by, found, tones)


def codes_of(values: np.ndarray, names: Sequence[str]) -> Codes:
    """Return a column as numbers of names that are given in their order."""
    number = {name: n for n, name in enumerate(names)}
    return Codes(tuple(names), np.array([number.get(value, -1) for value in values], np.int64))
