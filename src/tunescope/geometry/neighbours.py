"""Which words a word's vector lies nearest to, and how many of them two models share.

The share of common nearest neighbours looks at the neighbourhood alone, where CKA and Procrustes
look at the whole cloud. By angle, neighbours are those by distance between vectors of length 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from tunescope.errors import InputError

Metric = Literal["cosine", "euclidean"]
BLOCK_SCORES = 1 << 23
"""Similarities held at once: 32 MiB."""


def nearest(
    x: Any,
    queries: np.ndarray,
    k: int,
    *,
    metric: Metric = "cosine",
    types: np.ndarray | None = None,
) -> np.ndarray:
    """Find the k nearest neighbours of some words among all words.

    Parameters
    ----------
    x : array-like, shape (n, d)
        All words' vectors.
    queries : numpy.ndarray of int, shape (q,)
        Rows whose neighbours are sought. A word is not its own neighbour.
    k : int
        Number of neighbours.
    metric : {"cosine", "euclidean"}
        By the angle or by the distance between vectors.
    types : numpy.ndarray of int, shape (n,), optional
        The word type of each row; when given, words of the query's own type are no neighbours.

    Returns
    -------
    numpy.ndarray of int, shape (q, k)
        Rows, sorted by row. Of words equally near, lower rows come first; words with identical
        vectors are equally near, whatever rounding does.

    Raises
    ------
    InputError
        If a word has fewer than k words to be its neighbours.
    """
    short = candidates(len(x), queries, types).min(initial=len(x))
    if short < k:
        raise InputError(
            f"k = {k} nearest neighbours, but a word has only {short} others to choose from: "
            "give more words or a smaller k"
        )
    vectors, half = _prepare(x, metric)
    unique, place = _distinct(vectors)
    columns = np.ascontiguousarray(vectors[unique].T)
    half = half[unique]
    found = np.empty((len(queries), k), np.int64)
    kinds = None if types is None else types.astype(np.int32)
    for part in _parts(len(queries), len(vectors)):
        rows = queries[part]
        scores = vectors[rows] @ columns
        scores -= half
        if len(unique) < len(vectors):
            scores = scores[:, place]
        if kinds is None:
            scores[np.arange(len(rows)), rows] = -np.inf
        else:
            np.copyto(scores, -np.inf, where=kinds[rows][:, None] == kinds)
        found[part] = _largest(scores, k)
    return found


def overlap(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return each word's share of common neighbours, shape (q,), of two results of `nearest`."""
    both = np.sort(np.concatenate([left, right], axis=1), axis=1)
    return (both[:, 1:] == both[:, :-1]).sum(axis=1) / left.shape[1]


def candidates(n: int, queries: np.ndarray, types: np.ndarray | None = None) -> np.ndarray:
    """Return how many words can be a neighbour of each query, int, shape (q,).

    By chance two sets of k out of m neighbours have k / m of them in common.
    """
    if types is None:
        return np.full(len(queries), n - 1)
    return n - np.bincount(types)[types[queries]]


def _prepare(x: Any, metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """Return v and h such that v_i v_j - h_j falls as j gets further from i; both float32."""
    vectors = np.array(x[:], dtype=np.float32)
    if metric == "cosine":
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        vectors /= np.where(norms > 0, norms, 1)[:, None].astype(np.float32)
    # Distances stay; without a large common part their differences survive float32.
    vectors -= vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    half = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64) / 2
    return vectors, half.astype(np.float32)


def _distinct(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that are the first of their kind, and for each row its place among them.

    In embeddings without position all occurrences of a word are one vector; a product may round
    them apart, and each model in another way.
    """
    whole = np.dtype((np.void, vectors.dtype.itemsize * vectors.shape[1]))
    keys = np.ascontiguousarray(vectors + np.float32(0)).view(whole).ravel()  # -0.0 becomes 0.0
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    if len(first) == len(vectors):  # in their own order, so that no scores need be copied
        first = place = np.arange(len(vectors))
    return first, place


def _parts(n_queries: int, n_words: int) -> Iterator[slice]:
    size = max(1, BLOCK_SCORES // n_words)
    for start in range(0, n_queries, size):
        yield slice(start, min(start + size, n_queries))


def _largest(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the columns of the k largest scores of each row, sorted; lower columns win ties.

    The columns are dealt into blocks. The k blocks with the largest maxima hold k scores that reach
    the k-th of these maxima, so that no smaller score is among the k largest: few are left to sort.
    """
    n_rows, n = scores.shape
    width = max(1, n // max(16 * k, 256))
    n_blocks = n // width
    maxima = scores[:, : width * n_blocks].reshape(n_rows, width, n_blocks).max(axis=1)
    least = np.partition(maxima, n_blocks - k, axis=1)[:, n_blocks - k]
    row, column = np.nonzero(scores >= least[:, None])
    order = np.lexsort((column, -scores[row, column], row))
    first = np.searchsorted(row, np.arange(n_rows))
    return np.sort(column[order[first[:, None] + np.arange(k)]], axis=1)
