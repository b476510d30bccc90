"""Neurons over hostile words and right-to-left sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runs import HOSTILE, LABELS
from stores import store_from_arrays
from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus

HEBREW = ["BERT", "הוא", "מודל", "שפה", ",", "כתב", "John", "Smith", "בשנת", "2020", "."]
ARABIC = ["قال", "محمد", "إن", "اللغة", "العربية", "جميلة", "!"]
SENTENCES = [HEBREW, ARABIC, list(HOSTILE), ["The", "dog", "sees", "the", "other", "dog", "."]]


def hostile_store(folder: Path, model: str = "<i>base</i>", seed: int = 0) -> ActivationStore:
    """Two layers of five neurons; neuron 0:4 never changes, 1:0 follows the label."""
    labels = [[LABELS[k % 3] for k in range(len(words))] for words in SENTENCES]
    other = [[word[:1] for word in words] for words in SENTENCES]
    corpus = Corpus.from_sentences(SENTENCES, {"upos": labels, "<b>x": other}, name="<b>odd</b>")
    rng = np.random.default_rng(seed)
    layers = [rng.normal(size=(corpus.n_words, 5)) for _ in range(2)]
    layers[0][:, 4] = 0.3
    layers[1][:, 0] += 5 * (corpus.values("upos") == "NOUN")
    return store_from_arrays(folder, corpus, layers, model)
