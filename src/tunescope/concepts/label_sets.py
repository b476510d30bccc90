"""Labels of words, where a word may carry several or none: n-grams, affixes, word lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

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
    """

    names: tuple[str, ...]
    table: csr_array

    @classmethod
    def of(cls, values: Iterable[str | None]) -> LabelSets:
        """Make sets of a column with one label a word, or None."""
        return cls.of_sets([() if value is None else (value,) for value in values])

    @classmethod
    def of_sets(cls, sets: Sequence[Iterable[str]]) -> LabelSets:
        """Make them of the labels of each word, in any order; repeated ones count once."""
        unique = [sorted(set(labels)) for labels in sets]
        names = tuple(sorted({label for labels in unique for label in labels}))
        number = {name: i for i, name in enumerate(names)}
        columns = np.array([number[label] for labels in unique for label in labels], np.int64)
        starts = np.cumsum([0, *map(len, unique)])
        ones = np.ones(len(columns), bool)
        return cls(names, csr_array((ones, columns, starts), shape=(len(unique), len(names))))

    @cached_property
    def known(self) -> np.ndarray:
        """Which words carry a label, bool, shape (n_words,)."""
        return np.diff(self.table.indptr) > 0
