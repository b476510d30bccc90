"""One vector per word from the hidden states of its subwords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch


@dataclass(frozen=True)
class Spans:
    """Where the words of a batch are, in the flattened (sentences x positions) grid.

    Parameters
    ----------
    first, last : numpy.ndarray of int, shape (n_words,)
        Flat index of each word's first and last subword (adjoining, in one sentence).
    """

    first: np.ndarray
    last: np.ndarray


class WordPooler:
    """Pool the hidden states of one batch, the same way for every layer.

    Parameters
    ----------
    spans : Spans
        Where the words are.
    pooling : {"last", "first", "mean"}
        Which subwords count.
    device : torch.device
        Where the hidden states are.
    """

    def __init__(
        self, spans: Spans, pooling: Literal["last", "first", "mean"], device: torch.device
    ):
        self._pooling = pooling
        index = spans.first if pooling == "first" else spans.last
        if pooling == "mean":
            counts = spans.last - spans.first + 1
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            index = np.repeat(spans.first, counts) + within
            self._counts = torch.from_numpy(counts).to(device)
        self._index = torch.from_numpy(index).to(device)

    def __call__(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return word vectors, shape (n_words, d), from hidden states (sentences, positions, d)."""
        rows = hidden.reshape(-1, hidden.shape[-1])[self._index]
        if self._pooling == "mean":
            # segment_reduce has a fixed order of summation, index_add has none on a GPU
            return torch.segment_reduce(rows.float(), "mean", lengths=self._counts, axis=0)
        return rows
