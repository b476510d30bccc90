"""Look at neurons: read their activations layer by layer, and sum up what they answer to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tunescope.activations.matrix import WordMatrix
from tunescope.activations.neuron import NeuronId
from tunescope.activations.store import ActivationStore
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.neurons.tag_values import QUANTILES, Tagged, tag_values
from tunescope.neurons.top_words import THRESHOLD, WordTypes, top_words, zscores
from tunescope.neurons.view import NeuronView, load_views, save_views, typed

__all__ = ["NeuronView", "load_views", "look_at", "save_views"]


def look_at(
    store: ActivationStore,
    neurons: Sequence[NeuronId | str],
    labels: Sequence[str] | None = None,
    *,
    rows: np.ndarray | None = None,
    n_words: int | None = 50,
    threshold: float = THRESHOLD,
    min_count: int = 1,
    prior: float = 0.0,
    n_contexts: int = 8,
    one_per_type: bool = True,
) -> list[NeuronView]:
    """Sum up what neurons answer to. Each layer is read once, however many neurons it has.

    Parameters
    ----------
    store : ActivationStore
        Activations.
    neurons : sequence of NeuronId or str
        Which, as `layer:index` or `NeuronId`.
    labels : sequence of str, optional
        Label columns of the corpus; all when not given.
    rows : numpy.ndarray of int, optional
        Words to look at, as rows of the store; all when not given. Words without an activation are
        left out.
    n_words : int or None
        Top words to keep; None keeps all above the threshold.
    threshold, min_count, prior : float, int, float
        As in `top_words`; the defaults are NeuroX's definition. In a corpus, `min_count` = 3 or
        `prior` = 3 keeps words that occur once from leading.
    n_contexts : int
        Contexts to keep on each side.
    one_per_type : bool
        Take at most one context of each word type.

    Returns
    -------
    list of NeuronView
        In the order of `neurons`. Memory: words x neurons of one layer x 4 bytes.

    Raises
    ------
    InputError
        If an address is none, there is no such neuron or label column, or no word is left.
    """
    wanted = [n if isinstance(n, NeuronId) else NeuronId.parse(n) for n in neurons]
    for neuron in wanted:
        _check(store, neuron)
    texts = _Texts(store, labels, rows)
    options = {
        "threshold": threshold, "min_count": min_count, "prior": prior, "most": n_words,
    }  # fmt: skip
    found: dict[NeuronId, NeuronView] = {}
    for layer in sorted({neuron.layer for neuron in wanted}):
        here = sorted({neuron for neuron in wanted if neuron.layer == layer})
        whole = WordMatrix([store[layer]], np.arange(store.n_words))
        columns = np.array([neuron.index for neuron in here])
        # Word by word on disk, neuron by neuron from here on.
        values = np.ascontiguousarray(_read(whole.columns(columns)).T)
        for neuron, of_neuron in zip(here, values, strict=True):
            found[neuron] = _view(
                store, texts, neuron, of_neuron, options, n_contexts, one_per_type
            )
    return [found[neuron] for neuron in wanted]


def _check(store: ActivationStore, neuron: NeuronId) -> None:
    if neuron.layer not in store.layers:
        raise InputError(
            f"{store.model} has no neuron {neuron}: its layers are 0 to {store.layers[-1]}"
        )
    if neuron.index >= (width := store[neuron.layer].shape[1]):
        raise InputError(
            f"{store.model} has no neuron {neuron}: layer {neuron.layer} has 0 to {width - 1}"
        )


class _Texts:
    """What all neurons share: the words looked at, their types, labels and sentences."""

    def __init__(
        self, store: ActivationStore, labels: Sequence[str] | None, rows: np.ndarray | None
    ):
        self.corpus: Corpus = store.corpus
        chosen = np.arange(store.n_words) if rows is None else np.unique(rows)
        self.rows = chosen[store.valid[chosen]]
        if not len(self.rows):
            raise InputError(f"{store.path}: no word to look at has an activation; give other rows")
        self.types = WordTypes.of(self.corpus.values("form")[self.rows])
        names = self.corpus.labels if labels is None else labels
        self.tags = {name: Tagged.of(self.corpus.values(name)[self.rows]) for name in names}
        self.sentence = self.corpus.words["sentence"].to_numpy()
        self.position = self.corpus.words["position"].to_numpy()

    def context(self, row: int, values: np.ndarray) -> dict[str, Any]:
        """Return the sentence around a word, with the activation of every word of it."""
        sentence = int(self.sentence[row])
        words = self.corpus.sentence_words(sentence)
        start, stop = np.searchsorted(self.sentence, [sentence, sentence + 1])
        activations = np.full(len(words), np.nan)
        activations[self.position[start:stop]] = values[start:stop]
        position = int(self.position[row])
        return {
            "word": words[position], "activation": float(values[row]), "sentence": sentence,
            "position": position, "words": words, "activations": activations.tolist(),
        }  # fmt: skip


def _read(matrix: WordMatrix) -> np.ndarray:
    """Read a matrix block by block: the layer's other columns never lie in memory together."""
    out = np.empty(matrix.shape, np.float32)
    # A block holds whole rows of the layer while it is read.
    for part, block in matrix.blocks(4096):
        out[part] = block
    return out


def _view(
    store: ActivationStore,
    texts: _Texts,
    neuron: NeuronId,
    values: np.ndarray,
    options: dict[str, Any],
    n_contexts: int,
    one_per_type: bool,
) -> NeuronView:
    """Sum up one neuron, whose activations of all words of the store are `values`."""
    seen = values[texts.rows].astype(np.float64)
    constant = not zscores(seen).any()
    contexts = []
    for side, sign in () if constant else (("highest", 1), ("lowest", -1)):
        if one_per_type:
            chosen = texts.types.highest(sign * seen, n_contexts)
        else:
            chosen = np.argsort(-sign * seen, kind="stable")[:n_contexts]
        contexts += [
            {"side": side, "rank": rank, **texts.context(int(row), values)}
            for rank, row in enumerate(texts.rows[chosen], start=1)
        ]
    words = top_words(seen, texts.types, **options)
    rising = np.argsort(seen)
    tables = [
        tag_values(seen, tags, rising=rising).assign(label=name)
        for name, tags in texts.tags.items()
    ]
    by_tag = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return NeuronView(
        neuron, store.model, store.corpus.name, store.key, len(seen), len(texts.types.names),
        float(seen.mean()), 0.0 if constant else float(seen.std()), float(seen.min()),
        float(seen.max()), tuple(np.quantile(seen, QUANTILES).tolist()),
        words=typed(words, "words"),
        contexts=typed(contexts, "contexts"),
        values=typed(by_tag, "values"),
    )  # fmt: skip
