"""Batches of similar length within a token budget, as tensors for the forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tunescope.activations.pooling import Spans
from tunescope.activations.subwords import Template

FILLED = 0.95
"""A batch goes on as long as its pieces have this share of the longest one's length, ..."""
SMALLEST = 32
"""... and in any case up to this fraction of the token budget."""


@dataclass(frozen=True)
class Encoded:
    """One piece of a sentence, ready for a batch.

    Parameters
    ----------
    ids : numpy.ndarray of int, shape (length,)
        Subwords, special tokens included.
    rows : numpy.ndarray of int, shape (n_words,)
        Rows of the store that take a vector from here.
    first, last : numpy.ndarray of int, shape (n_words,)
        Position in `ids` of the words' first and last subword.
    """

    ids: np.ndarray
    rows: np.ndarray
    first: np.ndarray
    last: np.ndarray


def encode_piece(
    words: Sequence[tuple[int, ...]], wanted: np.ndarray, rows: np.ndarray, template: Template
) -> Encoded:
    """Put special tokens around the subwords of some words.

    Parameters
    ----------
    words : sequence of tuple of int
        Subword ids of each word.
    wanted : numpy.ndarray of int, shape (n_wanted,)
        Which of the words are to be pooled.
    rows : numpy.ndarray of int, shape (n_wanted,)
        Their rows in the store.
    template : Template
        The special tokens.
    """
    lengths = np.fromiter((len(ids) for ids in words), int, len(words))
    ends = np.cumsum(lengths) + len(template.prefix)
    body = [subword for ids in words for subword in ids]
    ids = np.array([*template.prefix, *body, *template.suffix], dtype=np.int64)
    return Encoded(ids, rows, (ends - lengths)[wanted], ends[wanted] - 1)


@dataclass(frozen=True)
class Batch:
    """Input tensors and where the words are.

    Parameters
    ----------
    inputs : dict of str to torch.Tensor, each of shape (sentences, positions)
        `input_ids`, `attention_mask` and, for models that take them, `token_type_ids`.
    spans : Spans
        Words in the flattened grid.
    rows : numpy.ndarray of int, shape (n_words,)
        Their rows in the store.
    """

    inputs: dict[str, torch.Tensor]
    spans: Spans
    rows: np.ndarray


def make_batches(
    pieces: Sequence[Encoded], template: Template, pad_id: int, budget: int
) -> Iterator[Batch]:
    """Sort pieces by length and cut the row of them by the token budget and by padding.

    Longest first, so that a budget too large for the memory fails at once and not after hours.
    """
    order = np.argsort([-len(piece.ids) for piece in pieces], kind="stable")
    lengths = np.array([len(pieces[i].ids) for i in order])
    start = 0
    while start < len(order):
        longest = lengths[start]
        fitting = max(1, budget // longest)
        # a little padding is worth a larger batch, a lot of it is not
        similar = np.searchsorted(-lengths, -FILLED * longest, side="right") - start
        size = min(fitting, max(similar, fitting // SMALLEST))
        yield _collate([pieces[i] for i in order[start : start + size]], template, pad_id)
        start += size


def _collate(pieces: list[Encoded], template: Template, pad_id: int) -> Batch:
    width = len(pieces[0].ids)
    ids = np.full((len(pieces), width), pad_id, np.int64)
    mask = np.zeros((len(pieces), width), np.int64)
    types = np.zeros((len(pieces), width), np.int64)
    for number, piece in enumerate(pieces):
        length = len(piece.ids)
        ids[number, :length] = piece.ids
        mask[number, :length] = 1
        if template.types is not None:
            before, inside, after = template.types
            middle = [inside] * (length - template.size)
            types[number, :length] = [*before, *middle, *after]
    inputs = {"input_ids": ids, "attention_mask": mask}
    if template.types is not None:
        inputs["token_type_ids"] = types
    shift = [number * width for number in range(len(pieces))]
    first = [piece.first + s for piece, s in zip(pieces, shift, strict=True)]
    last = [piece.last + s for piece, s in zip(pieces, shift, strict=True)]
    return Batch(
        {name: torch.from_numpy(grid) for name, grid in inputs.items()},
        Spans(np.concatenate(first), np.concatenate(last)),
        np.concatenate([piece.rows for piece in pieces]),
    )
