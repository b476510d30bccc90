"""Labels of words, where a word may carry several or none: n-grams, affixes, word lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class LabelSets:
    """Which labels each word carries.

    Parameters
    ----------
    names : tuple of str
        The different labels, sorted.
    table : scipy.sparse.csr_array of bool, shape (n_words, n_labels)
        True where a word carries a label.
    complete : bool
        Whether a word without a label is known to carry none, as with labels that are computed
        from the word. In a column of annotations it has not been labelled, and counts for nothing.
    """

    names: tuple[str, ...]
    table: csr_array
    complete: bool = False

    @classmethod
    def of(cls, values: Iterable[str | None]) -> LabelSets:
        """Make sets of a column with one label a word, or None."""
        return cls.of_sets([() if value is None else (value,) for value in values])

    @classmethod
    def of_sets(cls, sets: Sequence[Iterable[str]], *, complete: bool = False) -> LabelSets:
        """Make them of the labels of each word, in any order; repeated ones count once."""
        unique = [sorted(set(labels)) for labels in sets]
        names = tuple(sorted({label for labels in unique for label in labels}))
        number = {name: i for i, name in enumerate(names)}
        columns = np.array([number[label] for labels in unique for label in labels], np.int64)
        starts = np.cumsum([0, *map(len, unique)])
        ones = np.ones(len(columns), bool)
        table = csr_array((ones, columns, starts), shape=(len(unique), len(names)))
        return cls(names, table, complete)

    @cached_property
    def known(self) -> np.ndarray:
        """Return of which words the labels are known, bool, shape (n_words,).

        That is all of them if the sets are complete, else those with a label.
        """
        if self.complete:
            return np.ones(len(self.table.indptr) - 1, bool)
        return np.diff(self.table.indptr) > 0

    def take(self, rows: np.ndarray) -> LabelSets:
        """Return the sets of some words, or of word types spread over their occurrences.

        Parameters
        ----------
        rows : numpy.ndarray of int, shape (n,)
            Rows of the table, in any order and any number of times.
        """
        table: Any = self.table
        return replace(self, table=csr_array(table[rows]))

    def values(self) -> np.ndarray:
        """Return the labels as a column, shape (n_words,), None where a word has none.

        Raises
        ------
        ValueError
            If a word carries several.
        """
        counts = np.diff(self.table.indptr)
        if counts.max(initial=0) > 1:
            raise ValueError("a word carries several labels: they fit into no column")
        column = np.full(len(counts), None, object)
        column[counts > 0] = np.array([*self.names, None], object)[self.table.indices]
        return column
