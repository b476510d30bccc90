"""Shards of whole sentences: the unit in which extraction writes and resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tunescope.activations.store import layer_folder
from tunescope.files import TEMPORARY, write_json


def plan_shards(sentence: np.ndarray, shard_words: int) -> np.ndarray:
    """Cut the word table at sentence boundaries into shards of at least `shard_words` words.

    Parameters
    ----------
    sentence : numpy.ndarray of int, shape (n_words,)
        Sentence of each word, sorted.
    shard_words : int
        A shard ends with the sentence in which this many words are reached.

    Returns
    -------
    numpy.ndarray of int, shape (n_shards + 1,)
        First word of each shard, then the number of words.
    """
    boundaries = np.append(np.flatnonzero(np.diff(sentence)) + 1, len(sentence))
    starts = [0]
    while starts[-1] < len(sentence):
        enough = np.searchsorted(boundaries, starts[-1] + shard_words)
        starts.append(int(boundaries[min(enough, len(boundaries) - 1)]))
    return np.array(starts)


class Shard:
    """One shard of every layer: temporary memory-mapped files, renamed when it is complete.

    Parameters
    ----------
    store : Path
        Folder of the store.
    number : int
        Of the shard.
    start, stop : int
        Its words.
    dtype : str
        Number format on disk.
    """

    def __init__(self, store: Path, number: int, start: int, stop: int, dtype: str):
        self.start, self.stop = int(start), int(stop)
        self._store, self._number, self._dtype = store, number, np.dtype(dtype)
        self._layers: list[np.memmap] = []
        self._written = np.zeros(self.stop - self.start, bool)

    def _path(self, layer: int, prefix: str = "") -> Path:
        return self._store / layer_folder(layer) / f"{prefix}{self._number:05d}.npy"

    def put(self, rows: np.ndarray, vectors: list[np.ndarray]) -> None:
        """Put the vectors of some words (rows of the store) in their place.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
            Between `start` and `stop`.
        vectors : list of numpy.ndarray, each of shape (n, d)
            One array for each layer, the embedding layer first; layers may differ in d.
        """
        if not self._layers:
            self._layers = [self._open(n, values.shape[1]) for n, values in enumerate(vectors)]
        for layer, values in zip(self._layers, vectors, strict=True):
            layer[rows - self.start] = values
        self._written[rows - self.start] = True

    def _open(self, layer: int, width: int) -> np.memmap:
        path = self._path(layer, TEMPORARY)
        path.parent.mkdir(exist_ok=True)
        shape = (self.stop - self.start, width)
        return np.lib.format.open_memmap(path, "w+", self._dtype, shape)

    def save(self, counted: dict[str, Any]) -> None:
        """Sync and rename the layers, then write what was counted: now the shard is complete.

        Words that were never put in are NaN, not zero.
        """
        for number, layer in enumerate(self._layers):
            layer[~self._written] = np.nan
            layer.flush()
            self._path(number, TEMPORARY).replace(self._path(number))
        counted = {"n_layers": len(self._layers), **counted}
        write_json(done_file(self._store, self._number), counted)


def done_file(store: Path, number: int) -> Path:
    """Return the file that says a shard is complete."""
    return store / "shards" / f"{number:05d}.json"
