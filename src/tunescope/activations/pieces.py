"""Sentences longer than the model takes: cut off (and counted), or split into windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Piece:
    """Consecutive words that go through the model together.

    Parameters
    ----------
    start, stop : int
        Words of the sentence.
    take : numpy.ndarray of bool, shape (stop - start,)
        The words whose vector is taken from here.
    """

    start: int
    stop: int
    take: np.ndarray


def split_sentence(
    lengths: np.ndarray, capacity: int, long: Literal["truncate", "windows"]
) -> list[Piece]:
    """Plan the pieces of one sentence.

    With `windows`, neighbouring windows overlap by up to half their length, and each word is taken
    from the window in which its nearer edge is farthest away (the sentence's own ends count as
    no edge).

    Parameters
    ----------
    lengths : numpy.ndarray of int, shape (n_words,)
        Subwords of each word.
    capacity : int
        Subwords that fit, special tokens not counted.
    long : {"truncate", "windows"}
        What to do with a longer sentence.

    Returns
    -------
    list of Piece
        Words in no piece were cut off: with `truncate` the rest of the sentence, with `windows`
        only single words longer than `capacity`.
    """
    ends = np.cumsum(lengths)
    if ends[-1] <= capacity:
        return [Piece(0, len(lengths), np.ones(len(lengths), bool))]
    if long == "truncate":
        fitting = int(np.searchsorted(ends, capacity, side="right"))
        return [Piece(0, fitting, np.ones(fitting, bool))] if fitting else []
    windows = _windows(lengths, ends, capacity)
    starts = ends - lengths
    best = np.full(len(lengths), -1)
    room = np.full(len(lengths), -1.0)
    for number, (first, stop) in enumerate(windows):
        words = slice(first, stop)
        left = starts[words] - starts[first] if first > 0 else np.inf
        right = ends[stop - 1] - ends[words] if stop < len(lengths) else np.inf
        context = np.minimum(left, right) + np.zeros(stop - first)
        better = context > room[words]
        best[words] = np.where(better, number, best[words])
        room[words] = np.where(better, context, room[words])
    pieces = [Piece(a, b, best[a:b] == number) for number, (a, b) in enumerate(windows)]
    return [piece for piece in pieces if piece.take.any()]


def _windows(lengths: np.ndarray, ends: np.ndarray, capacity: int) -> list[tuple[int, int]]:
    """Greedy windows of whole words; a word longer than the capacity separates them."""
    windows: list[tuple[int, int]] = []
    first, n_words = 0, len(lengths)
    while first < n_words:
        if lengths[first] > capacity:
            first += 1
            continue
        begin = ends[first] - lengths[first]
        stop = int(np.searchsorted(ends, begin + capacity, side="right"))
        windows.append((first, stop))
        if stop == n_words:
            break
        if lengths[stop] > capacity:
            first = stop + 1
            continue
        # Step back by half a window, but always on from the last start.
        back = int(np.searchsorted(ends, ends[stop - 1] - capacity // 2, side="right"))
        first = max(first + 1, min(back, stop))
    return windows
