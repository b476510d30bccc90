"""What the page's neuron browser shows, as plain values: each thing once, the rest as numbers.

Activations are whole hundredths of a standard deviation from the neuron's mean: the page colours by
them, and mean and deviation give back the activation. Names that come from data are values in
lists, never keys.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from tunescope.neurons.coloured import FULL, HIGH, LOW, STRONGEST
from tunescope.neurons.tag_values import QUANTILE_NAMES
from tunescope.neurons.view import NeuronView
from tunescope.writing import direction

Chosen = Mapping[tuple[str, str, str], Sequence[tuple[str, str, int]]]
"""By corpus, model and address of a neuron: label column, tag, and its rank for it, from 1."""


def neuron_data(
    views: Sequence[NeuronView],
    chosen: Chosen | None = None,
    *,
    n_words: int = 40,
    n_contexts: int = 6,
) -> dict[str, Any]:
    """Collect everything the neuron browser shows.

    Parameters
    ----------
    views : sequence of NeuronView
        Neurons, of any number of corpora and models.
    chosen : mapping, optional
        For which tags a ranking chose a neuron. Without it a neuron is listed under the tag of each
        label column that it tells apart best.
    n_words, n_contexts : int
        At most so many top words, and contexts on each side.

    Returns
    -------
    dict
        `scale` (colours); `corpora` (names and sentences); `groups` (a corpus and a model, with
        label columns, tags and neurons). Empty lists where there are no views.
    """
    corpora: list[_Sentences] = []
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    names: dict[tuple[str, str], dict[str, _Names]] = {}
    places: dict[str, int] = {}
    for view in views:
        if view.corpus not in places:
            places[view.corpus] = len(corpora)
            corpora.append(_Sentences(view.corpus))
        key = (view.corpus, view.model)
        group = groups.setdefault(
            key, {"corpus": places[view.corpus], "model": view.model, "neurons": []}
        )
        tags = names.setdefault(key, {})
        for label in view.labels:
            tags.setdefault(label, _Names())
        ranked = None if chosen is None else chosen.get((*key, str(view.neuron)), ())
        sentences = corpora[places[view.corpus]]
        group["neurons"].append(_neuron(view, tags, sentences, ranked, n_words, n_contexts))
    for key, group in groups.items():
        group["labels"] = list(names[key])
        group["tags"] = [found.names for found in names[key].values()]
    scale = {"full": FULL, "strongest": STRONGEST, "high": HIGH, "low": LOW}
    return {
        "scale": scale,
        "corpora": [sentences.plain() for sentences in corpora],
        "groups": list(groups.values()),
    }


class _Names:
    """Names in the order they come, each once."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}

    def place(self, name: str) -> int:
        return self.places.setdefault(name, len(self.places))

    @property
    def names(self) -> list[str]:
        return list(self.places)


class _Sentences:
    """Sentences of a corpus that are shown, each once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places: dict[int, int] = {}
        self.words: list[list[str]] = []

    def place(self, sentence: int, words: list[str]) -> int:
        if sentence not in self.places:
            self.places[sentence] = len(self.words)
            self.words.append(words)
        return self.places[sentence]

    def plain(self) -> dict[str, Any]:
        rtl = [int(direction(words) == "rtl") for words in self.words]
        return {"name": self.name, "sentences": self.words, "rtl": rtl}


def _neuron(
    view: NeuronView,
    tags: dict[str, _Names],
    sentences: _Sentences,
    ranked: Sequence[tuple[str, str, int]] | None,
    n_words: int,
    n_contexts: int,
) -> dict[str, Any]:
    words = view.words.head(n_words)
    columns = (words["word"], words["count"].tolist(), _hundredths(words["z"]))
    labels = list(tags)
    if ranked is None:
        best = [(label, view.of_label(label).iloc[0]) for label in view.labels]
        ranked = [(name, row["tag"], 0) for name, row in best if row["separation"] > row["chance"]]
    return {
        "layer": view.neuron.layer,
        "index": view.neuron.index,
        "n": view.n_words,
        "types": view.n_types,
        "mean": _digits(view.mean),
        "sd": _digits(view.deviation),
        "words": [list(row) for row in zip(*columns, strict=True)],
        "contexts": [
            _contexts(view, side, sentences, n_contexts) for side in ("highest", "lowest")
        ],
        "values": [_values(view, label, tags[label]) for label in labels],
        "for": [
            [labels.index(label), tags[label].place(tag), rank]
            for label, tag, rank in ranked
            if label in tags
        ],
    }


def _contexts(view: NeuronView, side: str, sentences: _Sentences, most: int) -> list[list[Any]]:
    """Return for each context its sentence, the place of the word, and all words' deviations."""
    rows = view.side(side).head(most)
    columns = [rows[name] for name in ("sentence", "words", "position", "activations")]
    return [
        [sentences.place(number, words), place, _hundredths(view.z(activations))]
        for number, words, place, activations in zip(*columns, strict=True)
    ]


def _values(view: NeuronView, label: str, names: _Names) -> list[list[Any]]:
    """Return for each tag its number, words, quantiles, AUC in thousandths, and where it lies."""
    rows = []
    for row in view.of_label(label).to_dict("records"):
        quantiles = _hundredths(view.z([row[name] for name in QUANTILE_NAMES]))
        known = not math.isnan(row["auc"])
        lies = {"higher": 1, "lower": -1}[row["direction"]] if _beyond_chance(row) else 0
        auc = round(1000 * row["auc"]) if known else None
        rows.append([names.place(row["tag"]), row["n"], *quantiles, auc, lies])
    return rows


def _beyond_chance(row: dict[Any, Any]) -> bool:
    return bool(row["separation"] > row["chance"])


def _hundredths(values: Iterable[float] | pd.Series) -> list[int | None]:
    return [round(100 * value) if math.isfinite(value) else None for value in values]


def _digits(value: float) -> float:
    """Return a number with five digits: enough to give back an activation."""
    return float(f"{value:.5g}")
