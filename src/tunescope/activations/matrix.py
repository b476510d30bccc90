"""Some words by some neurons of all layers side by side, read from disk when indexed.

Durrani et al. 2020 (arXiv 2010.02695, section 3) concatenate every layer, the embeddings included:
9,984 columns for 13 layers of 768. The columns stay in the layers' own files here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tunescope.activations.neuron import NeuronId
from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError

BLOCK_VALUES = 1 << 23
"""Values in one block: 32 MiB in float32."""


class WordMatrix:
    """Activations of chosen words (rows) and neurons (columns), shape (n, d), float32.

    Parameters
    ----------
    layers : sequence of array-like, each of shape (n_words, width)
        Layers of a store, or arrays.
    rows : numpy.ndarray of int, shape (n,)
        Words, as rows of the layers.
    columns : numpy.ndarray of int, shape (d,), optional
        Neurons, as columns of all layers side by side; all when not given.
    numbers : sequence of int, optional
        The layers' own numbers; 0, 1, ... when not given.
    mean, scale : numpy.ndarray, shape (d,), optional
        Subtracted from the columns; then what they are divided by.

    Attributes
    ----------
    layer_of, index_of : numpy.ndarray of int, shape (d,)
        Layer of each column, and its place in the layer.
    """

    def __init__(
        self,
        layers: Sequence[Any],
        rows: np.ndarray,
        columns: np.ndarray | None = None,
        *,
        numbers: Sequence[int] | None = None,
        mean: np.ndarray | None = None,
        scale: np.ndarray | None = None,
    ):
        self._layers, self.rows = list(layers), np.asarray(rows)
        self._numbers = list(range(len(self._layers)) if numbers is None else numbers)
        widths = [layer.shape[1] for layer in self._layers]
        place = np.repeat(np.arange(len(widths)), widths)
        index = np.concatenate([np.arange(width) for width in widths])
        self._columns = np.arange(len(place)) if columns is None else np.asarray(columns)
        self._place, self.index_of = place[self._columns], index[self._columns]
        self.layer_of = np.array(self._numbers)[self._place]
        self._mean, self._scale = mean, scale
        self.dtype = np.dtype(np.float32)

    @classmethod
    def of_store(
        cls, store: ActivationStore, rows: np.ndarray, layers: Sequence[int] | None = None
    ) -> WordMatrix:
        """Take words of a store at all its layers, or at some."""
        chosen = list(store.layers if layers is None else layers)
        return cls([store[layer] for layer in chosen], rows, numbers=chosen)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, d)."""
        return len(self.rows), len(self._columns)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"WordMatrix(shape={self.shape}, layers={len(self._layers)})"

    def __getitem__(self, which: Any) -> np.ndarray:
        """Read words into memory: a slice, an integer array or a mask; shape (len(which), d)."""
        rows = self.rows[which]
        span = _as_slice(rows)
        out = np.empty((len(rows), len(self._columns)), np.float32)
        for number in np.unique(self._place):
            here = np.flatnonzero(self._place == number)
            index, target = self.index_of[here], _as_slice(here)
            values = self._layers[number][rows if span is None else span]
            inside = _as_slice(index)
            out[:, here if target is None else target] = values[
                :, index if inside is None else inside
            ]
        if self._mean is not None:
            out -= self._mean
        if self._scale is not None:
            out /= self._scale
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("activations on disk cannot be viewed as an array without a copy")
        whole = self[:]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def blocks(self, size: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (slice of the rows, their values) in order.

        Parameters
        ----------
        size : int, optional
            Rows of a block; about 32 MiB when not given.
        """
        size = size or max(256, BLOCK_VALUES // max(self.shape[1], 1))
        for start in range(0, len(self), size):
            part = slice(start, min(start + size, len(self)))
            yield part, self[part]

    def columns(self, which: Any) -> WordMatrix:
        """Return the matrix with only these columns, in this order, nothing read."""
        mean, scale = (None if v is None else v[which] for v in (self._mean, self._scale))
        return WordMatrix(
            self._layers, self.rows, self._columns[which], numbers=self._numbers,
            mean=mean, scale=scale,
        )  # fmt: skip

    def take(self, which: Any) -> WordMatrix:
        """Return the matrix with only these rows, nothing read."""
        return WordMatrix(
            self._layers, self.rows[which], self._columns, numbers=self._numbers,
            mean=self._mean, scale=self._scale,
        )  # fmt: skip

    def scaled(self, mean: np.ndarray, scale: np.ndarray) -> WordMatrix:
        """Return the matrix with `(x - mean) / scale` for its columns, nothing read."""
        if self._mean is not None or self._scale is not None:
            raise InputError("the activations are scaled already: scale those as stored")
        return WordMatrix(
            self._layers, self.rows, self._columns, numbers=self._numbers,
            mean=mean.astype(np.float32), scale=scale.astype(np.float32),
        )  # fmt: skip

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the columns, float64, each of shape (d,)."""
        n, d = self.shape
        total, square = np.zeros(d), np.zeros(d)
        for _, block in self.blocks():
            total += block.sum(axis=0, dtype=np.float64)
        mean = total / n
        for _, block in self.blocks():
            square += np.square(block - mean).sum(axis=0, dtype=np.float64)
        deviation = np.sqrt(square / n)
        # Rounding alone gives a constant column some deviation.
        return mean, np.where(deviation > 1e-6 * np.abs(mean), deviation, 0.0)

    def neuron(self, column: int) -> NeuronId:
        """Return the address of a column."""
        return NeuronId(int(self.layer_of[column]), int(self.index_of[column]))

    def column_of(self, neuron: NeuronId) -> int:
        """Return the column of a neuron.

        Raises
        ------
        InputError
            If the matrix has no such neuron.
        """
        found = np.flatnonzero((self.layer_of == neuron.layer) & (self.index_of == neuron.index))
        if not len(found):
            raise InputError(
                f"no neuron {neuron}: layers {self.layer_of.min()} to {self.layer_of.max()}, "
                f"indices 0 to {self.index_of.max()}"
            )
        return int(found[0])


def _as_slice(numbers: np.ndarray) -> slice | None:
    """Return consecutive numbers as a slice, which is read without a copy; None for others."""
    if len(numbers) and numbers.dtype.kind in "iu" and (np.diff(numbers) == 1).all():
        return slice(int(numbers[0]), int(numbers[-1]) + 1)
    return None
