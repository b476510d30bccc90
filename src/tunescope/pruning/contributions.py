"""How alike the input and the output of each block are (Sajjad et al. 2023, section 3).

A block that hardly changes what it is given contributes little, and is dropped first by
`contribution:K`. The paper takes the cosine similarity of one vector of a sentence before and after
each block; here it is the mean over words of the cosine similarity of the word's vector, which
needs no token that stands for the sentence (a decoder has none) and no text beyond that of the
store. The output of the last block is taken as stored: behind the last norm, where there is one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.probes.statistics import mean_interval


def block_similarities(
    store: ActivationStore, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> pa.Table:
    """Measure the cosine similarity of each block's input and output.

    Parameters
    ----------
    store : ActivationStore
        Activations of the model; all layers are read once.
    resamples : int
        Bootstrap resamples of sentences.
    confidence : float
        Level of the intervals.
    seed : int
        Seed of the resampling.

    Returns
    -------
    pyarrow.Table, shape (n_blocks, 5)
        Columns `block` (from 1), `similarity` (mean over words; a vector of zeros is like none),
        `low`, `high` and `n_words`.

    Raises
    ------
    InputError
        If no word has activations.
    """
    valid = store.valid
    if not valid.any():
        raise InputError(f"{store.path}: no word has activations")
    alike = np.concatenate([_of_shard(shard) for shard in _shards(store)], axis=1)[:, valid]
    sentences = store.corpus.words["sentence"].to_numpy()[valid]
    rows = []
    for n, values in enumerate(alike):
        low, high = mean_interval(
            values, sentences, resamples=resamples, confidence=confidence, seed=seed
        )
        found = {"similarity": float(values.mean()), "low": low, "high": high}
        rows.append({"block": n + 1, **found, "n_words": len(values)})
    return pa.Table.from_pylist(rows)


def _shards(store: ActivationStore):
    yield from zip(*(store[layer].blocks() for layer in store.layers), strict=True)


def _of_shard(layers: tuple[np.ndarray, ...]) -> np.ndarray:
    """Cosine similarity of each word's vector before and after each block, (n_blocks, n_words)."""
    alike = np.empty((len(layers) - 1, len(layers[0])))
    before = _unit(layers[0])
    for n, layer in enumerate(layers[1:]):
        after = _unit(layer)
        alike[n] = np.einsum("ij,ij->i", before, after)
        before = after
    return alike


def _unit(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
