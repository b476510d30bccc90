"""A store whose telling neurons are known, of the size of the tiny BERT."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stores import store_from_arrays
from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus

TAGS = ("__proto__", "<b>N</b>", "a/b c")
"""Labels with odd names."""

PLANTED = {0: ("1:3", "2:30"), 1: ("1:8", "1:9"), 2: ("2:0", "2:17")}
"""Neurons that are higher for one label, by its place."""

LAYERS, WIDTH = 3, 32
WORDS = ("fox", "dog", "lazy", "quick", "over", "sleep", "ideas", "green", "costs", "dollars",
         "said", "stop", "need", "words", "many", "brown", "jumps", "well")  # fmt: skip


def planted_corpus(n: int = 80, tags: int = 3, seed: int = 0, label: str = "tag") -> Corpus:
    """Sentences of eight words; six word types have each label."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(WORDS), size=(n, 8))
    forms = [[WORDS[i] for i in row] for row in drawn]
    labels = {label: [[TAGS[i % tags] for i in row] for row in drawn]}
    return Corpus.from_sentences(forms, labels, name="planted")


def planted_layers(
    corpus: Corpus, label: str = "tag", signal: float = 4.0, seed: int = 0, layers: int = LAYERS
) -> list[np.ndarray]:
    """Make noise, in which a label lifts its own neurons by `signal` deviations."""
    rng = np.random.default_rng(seed)
    found = [rng.normal(size=(corpus.n_words, WIDTH)) for _ in range(layers)]
    tags = corpus.values(label)
    for place, neurons in PLANTED.items():
        for neuron in neurons:
            layer, index = map(int, neuron.split(":"))
            if layer < layers:
                found[layer][:, index] += signal * (tags == TAGS[place])
    return found


def planted_columns() -> list[int]:
    """Return the planted neurons as columns of all layers side by side."""
    places = [map(int, n.split(":")) for neurons in PLANTED.values() for n in neurons]
    return sorted(layer * WIDTH + index for layer, index in places)


def planted_store(path: Path, corpus: Corpus | None = None, **options) -> ActivationStore:
    """Write a planted store and open it."""
    corpus = corpus or planted_corpus()
    return store_from_arrays(path, corpus, planted_layers(corpus, **options))
