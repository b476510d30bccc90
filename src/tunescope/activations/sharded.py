"""One layer of a store as an array over memory-mapped shards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tunescope.errors import InputError


class ShardedArray:
    """Activations of one layer, shape (n_words, d), read from disk when indexed.

    Parameters
    ----------
    shards : list of Path
        The layer's .npy files, in order.
    starts : numpy.ndarray, shape (n_shards + 1,)
        First word of each shard, then the number of words.
    """

    def __init__(self, shards: list[Path], starts: np.ndarray):
        try:
            self._parts = [np.load(path, mmap_mode="r", allow_pickle=False) for path in shards]
        except (FileNotFoundError, ValueError) as error:
            raise InputError(f"activation shard unreadable ({error}): extract again") from None
        self._starts = starts
        lengths = [len(part) for part in self._parts]
        if lengths != np.diff(starts).tolist():
            raise InputError(f"{shards[0].parent}: shards have {lengths} words: extract again")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_words, d)."""
        return int(self._starts[-1]), self._parts[0].shape[1]

    @property
    def dtype(self) -> np.dtype:
        """Number format on disk."""
        return self._parts[0].dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"ShardedArray(shape={self.shape}, dtype={self.dtype}, shards={len(self._parts)})"

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the memory-mapped shards in order, each of shape (n_words_of_shard, d)."""
        yield from self._parts

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Copy rows into memory: an index, a slice, an integer array or a boolean mask."""
        if isinstance(rows, int | np.integer):
            return self[np.array([rows])][0]
        rows = np.arange(len(self))[rows]
        shard_of = np.searchsorted(self._starts, rows, side="right") - 1
        out = np.empty((len(rows), self.shape[1]), self.dtype)
        for number in np.unique(shard_of):
            here = shard_of == number
            out[here] = self._parts[number][rows[here] - self._starts[number]]
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a sharded array cannot be viewed as one array without a copy")
        whole = np.concatenate(self._parts)
        return whole if dtype is None else whole.astype(dtype, copy=False)
