"""One layer's vectors of the words measured, moved to their mean, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.geometry.cka import BLOCK_ROWS


class LayerWords:
    """Vectors of some words at one layer of a store, float32, shape (n, d).

    Their mean is taken away: that changes no measure, and keeps precise what is left where some
    neurons are far from zero in all words.

    Parameters
    ----------
    store : ActivationStore
        Where they are.
    layer : int
        Number of the layer.
    rows : numpy.ndarray of int, shape (n,)
        The words.
    """

    def __init__(self, store: ActivationStore, layer: int, rows: np.ndarray):
        self._values, self._rows = store[layer], rows
        self.where = f"{store.path}, layer {layer}"

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return len(self._rows), self._values.shape[1]

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def _mean(self) -> np.ndarray:
        total = np.zeros(self.shape[1])
        for part in parts(0, len(self)):
            total += self._values[self._rows[part]].sum(axis=0, dtype=np.float64)
        if not np.isfinite(total).all():
            raise InputError(
                f"{self.where}: some activations of valid words are not finite; extract with "
                "dtype = 'float32'"
            )
        return (total / len(self)).astype(np.float32)

    def __getitem__(self, which: slice | np.ndarray) -> np.ndarray:
        """Read words into memory, centred."""
        values = self._values[self._rows[which]].astype(np.float32, copy=False)
        values -= self._mean
        return values

    def as_stored(self) -> np.ndarray:
        """Read all words into memory, not centred."""
        return self._values[self._rows].astype(np.float32, copy=False)

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
        """Yield the words from `start` to `stop` in blocks, centred."""
        for part in parts(start, len(self) if stop is None else stop):
            yield self[part]


def parts(start: int, stop: int, size: int = BLOCK_ROWS) -> Iterator[slice]:
    """Yield slices of at most `size` that cover a range."""
    for first in range(start, stop, size):
        yield slice(first, min(first + size, stop))
