"""What a map draws, as plain values: words once for all layers, points and concepts of each."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.naming.plain import shortened
from tunescope.concepts.projection.result import Projection
from tunescope.viewer.concepts.layer import ConceptLayer
from tunescope.viewer.concepts.shelf import Shelf
from tunescope.viewer.concepts.words import LONGEST_WORD, CorpusWords

GRID = 10_000
"""Places across a map that points are put on: coordinates are whole numbers."""


class Key(NamedTuple):
    """Names in the study.

    Parameters
    ----------
    corpus, base : str
        Corpus and base model, or the only one.
    tuned : str or None
        Tuned model, where there is one.
    """

    corpus: str
    base: str
    tuned: str | None

    @property
    def models(self) -> dict[str, str]:
        """Names by role."""
        return {"base": self.base} | ({"tuned": self.tuned} if self.tuned else {})


def words_data(found: Projection) -> dict[str, Any]:
    """Return all words that any layer draws.

    Parameters
    ----------
    found : Projection
        The map.

    Returns
    -------
    dict
        `contexts`: before, word and after of each; `columns`: name and title of each label column
        and kind of class, the values it has, the most frequent first, and of each word the number
        of its value, -1 without one.
    """
    words = CorpusWords(found.words)
    contexts = [words.context(row)[:3] for row in range(found.words.n_words)]
    columns = []
    for name, title in (("class", "class"), ("predicted", "predicted class")):
        if name in found.words.sentences.column_names:
            of_sentence = found.words.of_sentence(name)[words.sentences]
            columns.append(_column(name, title, of_sentence))
    for label in found.words.labels:
        columns.append(_column(f"label:{label}", label, found.words.values(label)))
    return {"contexts": contexts, "columns": [column for column in columns if column["names"]]}


def _column(name: str, title: str, values: np.ndarray) -> dict[str, Any]:
    codes = Codes.of(values)
    order = np.argsort(-np.bincount(codes.codes[codes.codes >= 0], minlength=len(codes.names)),
                       kind="stable")  # fmt: skip
    place = np.append(np.argsort(order), -1)  # a code of -1 takes the last
    names = [shortened(codes.names[code], LONGEST_WORD) for code in order.tolist()]
    return {"name": name, "title": title, "names": names, "codes": place[codes.codes].tolist()}


def layer_data(found: Projection, shelf: Shelf, key: Key, layer: int) -> dict[str, Any]:
    """Return the points of a layer, and its concepts.

    Parameters
    ----------
    found : Projection
        The map.
    shelf : Shelf
        Where concepts are.
    key : Key
        What it is a map of.
    layer : int
        Number of the layer.

    Returns
    -------
    dict
        `word`: of each word drawn, its number in `words_data`; `models`: for each model `role`,
        `name`, `x` and `y` of each word (0 to `GRID`, y upwards), `concept` of each, and
        `concepts` (see `concepts_data`).
    """
    rows = found.points[found.points["layer"] == layer]
    parts = {role: pd.DataFrame(rows[rows["role"] == role]) for role in key.models}
    xy = np.asarray(rows[["x", "y"]], np.float64)
    half = 1.03 * float(np.abs(xy).max(initial=0)) or 1.0
    models = []
    for role, name in key.models.items():
        part = parts[role]
        x, y = ((part[axis].to_numpy() / half + 1) * (GRID / 2) for axis in ("x", "y"))
        model = {
            "role": role,
            "name": name,
            "x": np.rint(x).astype(int).tolist(),
            "y": np.rint(y).astype(int).tolist(),
            "concept": part["concept"].tolist(),
        }
        there = shelf.has(key.corpus, name, layer) and bool(np.all(part["concept"] >= 0))
        concepts = concepts_data(shelf.layer(key.corpus, name, layer), key) if there else None
        models.append(model | {"concepts": concepts})
    return {
        "word": np.searchsorted(found.rows, parts["base"]["row"].to_numpy()).tolist(),
        "models": models,
    }


def concepts_data(layer: ConceptLayer, key: Key) -> dict[str, Any]:
    """Return what a map says of the concepts of one model.

    Parameters
    ----------
    layer : ConceptLayer
        The concepts.
    key : Key
        What it is a map of.

    Returns
    -------
    dict
        `folder` of their pages, from the top of the site; of each concept `title` and `size`; with
        a counterpart `fate`, `match` and `overlap` (see `Side`), else None.
    """
    side = next((side for side in layer.sides if side.key == tuple(key)), None)
    return {
        "folder": layer.folder,
        "title": [shortened(layer.title(c), 2 * LONGEST_WORD) for c in range(layer.n)],
        "size": layer.index.sizes.tolist(),
        "counts": [int(counts) for counts in layer.counts],
        "fate": side.fates if side else None,
        "match": side.matches if side else None,
        "overlap": [None if math.isnan(o) else round(o, 3) for o in side.overlaps]
        if side
        else None,
    }


def fates_of(shelf: Shelf, key: Key, layer: int) -> dict[str, list[str]]:
    """Return the fate of each concept of a layer, by role; nothing where models are not aligned."""
    found = {}
    for role, name in key.models.items():
        if shelf.has(key.corpus, name, layer):
            sides = shelf.layer(key.corpus, name, layer).sides
            for side in sides:
                if side.key == tuple(key):
                    found[role] = side.fates
    return found if len(found) == len(key.models) else {}
