"""Make small activation stores on disk from arrays, so that later steps are tested alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tunescope.activations.store import ActivationStore, layer_folder
from tunescope.corpus.table import Corpus
from tunescope.manifest import begin, finish
from tunescope.steps import Extract


def store_from_arrays(
    path: Path, corpus: Corpus, layers: list[np.ndarray], model: str = "made", shards: int = 2
) -> ActivationStore:
    """Write `layers` (each (n_words, d)) as a store over `corpus` and open it."""
    step = Extract()
    digest = [float(np.nansum(layer)) for layer in layers]
    inputs = {"words": corpus.word_hash, "model": f"{model}-{digest}"}
    begin(path, step, inputs)
    corpus.write(path)
    np.save(path / "valid.npy", np.isfinite(layers[0]).all(axis=1))
    starts = np.linspace(0, corpus.n_words, shards + 1).astype(int)
    for number, layer in enumerate(layers):
        folder = path / layer_folder(number)
        folder.mkdir()
        for shard, (start, stop) in enumerate(zip(starts[:-1], starts[1:], strict=True)):
            np.save(folder / f"{shard:05d}.npy", layer[start:stop].astype(np.float32))
    facts = {"model": model, "n_layers": len(layers), "shard_starts": starts.tolist()}
    finish(path, step, inputs, facts)
    return ActivationStore.load(path)
