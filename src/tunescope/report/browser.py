"""What the page's concept browser shows, as plain values: each thing once, the rest as numbers.

Words refer to types and sentences by number, concepts to words by an array per layer. Names that
come from data are values in lists, never keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.alignment.result import Alignment
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.corpus.table import Corpus
from tunescope.study.result import Run

FATES = ("", "retained", "lost", "survived", "born")


def browser_data(run: Run) -> dict[str, Any]:
    """Collect everything the concept browser shows.

    Parameters
    ----------
    run : Run
        Results of a study.

    Returns
    -------
    dict
        `fates`; `corpora` (words, types, sentences, classes); `clusterings` (concept of every word
        at every layer, by corpus and model); `views` (what can be looked at: a corpus, a model,
        and the alignment its fates come from, with one entry per layer). Empty lists where a run
        has no concepts.
    """
    corpora: list[dict[str, Any]] = []
    clusterings: list[dict[str, Any]] = []
    numbers: dict[tuple[str, str], int] = {}
    places: dict[str, int] = {}
    for (corpus, model), concepts in run.concepts.items():
        if corpus not in places:
            places[corpus] = len(corpora)
            corpora.append(_corpus(corpus, concepts.words))
        numbers[corpus, model] = len(clusterings)
        clusterings.append(_clustering(places[corpus], model, concepts))
    views = []
    aligned: set[tuple[str, str]] = set()
    for (corpus, base, tuned), alignment in run.alignments.items():
        names = [("base", base), ("tuned", tuned)]
        if any((corpus, model) not in numbers for _, model in names):
            continue
        group = len(views)
        for offset, (role, model) in enumerate(names):
            aligned.add((corpus, model))
            views.append(
                {
                    "clustering": numbers[corpus, model],
                    "other": group + 1 - offset,
                    "pair": f"{base} → {tuned}",
                    "layers": _fates(alignment, role),
                    "labels": alignment.manifest.facts["labels"],
                }
            )
    for key in [key for key in numbers if key not in aligned]:
        alone = {"pair": key[1], "other": None, "layers": None, "labels": []}
        views.append({"clustering": numbers[key], **alone})
    return {"fates": FATES, "corpora": corpora, "clusterings": clusterings, "views": views}


def _corpus(name: str, words: Corpus) -> dict[str, Any]:
    """Return the words clustered, their types, and the sentences they are in."""
    rows = words.words["sentence"].to_numpy()
    used, sentence = np.unique(rows, return_inverse=True)
    types = Codes.of(words.values("form"))
    classes = Codes.of(words.of_sentence("class"))
    return {
        "name": name,
        "types": types.names,
        "type": types.codes.tolist(),
        "sentence": sentence.tolist(),
        "position": words.words["position"].to_pylist(),
        "sentences": words.sentences["words"].take(used).to_pylist(),
        "classes": classes.names,
        "class": classes.codes[used].tolist(),
    }


def _clustering(corpus: int, model: str, concepts: LayerConcepts) -> dict[str, Any]:
    return {
        "corpus": corpus,
        "model": model,
        "minTypes": concepts.step.min_types,
        "layers": concepts.layers,
        "concepts": [concepts.labels(layer).tolist() for layer in concepts.layers],
    }


def _fates(alignment: Alignment, role: str) -> list[dict[str, Any]]:
    """Return, for each layer, the columns of its concepts."""
    frame = alignment.concepts
    frame = pd.DataFrame(frame[frame["role"] == role])
    layers = []
    for _, rows in frame.groupby("layer", sort=True):
        rows = rows.sort_values("concept")
        labels = alignment.manifest.facts["labels"]
        layers.append(
            {
                "fate": [FATES.index(fate) for fate in rows["fate"]],
                "match": rows["best_match"].tolist(),
                "overlap": _shares(rows["overlap"]),
                "class": _texts(rows["class_label"]),
                "classShare": _shares(rows["class_share"]),
                "polarised": rows["polarised"].astype(int).tolist(),
                "label": [_texts(rows[f"{name}_label"]) for name in labels],
                "labelShare": [_shares(rows[f"{name}_share"]) for name in labels],
                "aligned": [rows[f"{name}_aligned"].astype(int).tolist() for name in labels],
            }
        )
    return layers


def _shares(values: Iterable[float]) -> list[float | None]:
    return [None if math.isnan(value) else round(value, 3) for value in values]


def _texts(values: Iterable[object]) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in values]
