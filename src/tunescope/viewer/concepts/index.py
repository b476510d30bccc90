"""The words of every concept of one layer, by frequency: arrays that pages read slices of."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from tunescope.viewer.concepts.words import CorpusWords

TOP_WORDS = 6
"""Words that stand for a concept without a name."""


class ConceptIndex:
    """Concepts of one layer of one model.

    Parameters
    ----------
    labels : numpy.ndarray of int64, shape (n_words,)
        Concept of every word, numbered from 0.
    words : CorpusWords
        The words.
    """

    def __init__(self, labels: np.ndarray, words: CorpusWords):
        self.labels, self.words = labels, words
        self.sizes = np.bincount(labels)
        self.n = len(self.sizes)
        pair = labels * len(words.forms) + words.types
        self._order = np.argsort(pair, kind="stable")  # words by concept, then by type
        self._starts = np.searchsorted(labels[self._order], np.arange(self.n + 1))
        ordered = pair[self._order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        counts = np.diff(first, append=len(pair))
        concept, kind = np.divmod(ordered[first], len(words.forms))
        frequent = np.lexsort((kind, -counts, concept))
        self._first, self._count, self._type = first[frequent], counts[frequent], kind[frequent]
        self._type_starts = np.searchsorted(concept[frequent], np.arange(self.n + 1))

    @cached_property
    def n_types(self) -> np.ndarray:
        """Word types in each concept, shape (n,)."""
        return np.diff(self._type_starts)

    def types(self, concept: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the types of a concept and how many words each has, the most frequent first."""
        part = slice(*self._type_starts[concept : concept + 2])
        return self._type[part], self._count[part]

    def rows(self, concept: int) -> np.ndarray:
        """Return the words of a concept, type by type."""
        return self._order[slice(*self._starts[concept : concept + 2])]

    def rows_of_types(self, concept: int) -> list[np.ndarray]:
        """Return the words of each type of a concept, in the order of `types`."""
        part = slice(*self._type_starts[concept : concept + 2])
        pairs = zip(self._first[part].tolist(), self._count[part].tolist(), strict=True)
        return [self._order[first : first + count] for first, count in pairs]

    def top(self, concept: int, n: int = TOP_WORDS) -> list[str]:
        """Return the most frequent words of a concept."""
        start, stop = self._type_starts[concept : concept + 2].tolist()
        return [self.words.forms[t] for t in self._type[start : min(stop, start + n)].tolist()]

    def table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return concept, type and number of words of every type of every concept."""
        concept = np.repeat(np.arange(self.n), self.n_types)
        return concept, self._type, self._count
