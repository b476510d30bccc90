"""Shards of whole sentences: the unit in which extraction writes and resumes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tunescope.activations.store import layer_folder
from tunescope.files import TEMPORARY


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


class ShardWriter:
    """Write one shard of every layer to memory-mapped temporary files, then rename them.

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
        self._store, self._name, self._dtype = store, f"{number:05d}.npy", dtype
        self._open: dict[int, np.memmap] = {}

    def _path(self, layer: int) -> Path:
        return self._store / layer_folder(layer) / f"{TEMPORARY}{self._name}"

    def write(self, layer: int, rows: np.ndarray, vectors: np.ndarray) -> None:
        """Put the vectors of some words (rows of the store) in their place.

        Parameters
        ----------
        layer : int
            0 is the embedding layer.
        rows : numpy.ndarray of int, shape (n,)
            Between `start` and `stop`.
        vectors : numpy.ndarray, shape (n, d)
            Layers may differ in d.
        """
        if layer not in self._open:
            path = self._path(layer)
            path.parent.mkdir(exist_ok=True)
            shape = (self.stop - self.start, vectors.shape[1])
            array = np.lib.format.open_memmap(path, "w+", np.dtype(self._dtype), shape)
            array[:] = np.nan
            self._open[layer] = array
        self._open[layer][rows - self.start] = vectors

    def close(self) -> int:
        """Sync and rename the files of all layers; return how many layers there were."""
        for layer, array in self._open.items():
            array.flush()
            path = self._path(layer)
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(path.with_name(self._name))
        n_layers = len(self._open)
        self._open.clear()
        return n_layers
