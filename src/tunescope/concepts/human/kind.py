"""What every human-defined concept is: a frozen dataclass of options, called with the words.

Most labels follow from the form alone. They are made once for each word type and spread over its
occurrences, so that 200,000 words cost what their 15,000 types cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tunescope.concepts.label_sets import LabelSets
from tunescope.errors import InputError
from tunescope.parameters import check_types

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


@dataclass(frozen=True)
class HumanConcept:
    """Base of the kinds; checks the types of the options when made.

    Attributes
    ----------
    name : str
        As in `HUMAN`.
    argument : str or None
        The option that may be written behind the name: `words:lexicon.tsv`.
    complete : bool
        Whether a word without a label is known to carry none (`LabelSets.complete`).
    """

    name: ClassVar[str]
    argument: ClassVar[str | None] = None
    complete: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_types(self, f"concept {self.name!r}")

    @property
    def single(self) -> bool:
        """Whether a word carries one label at most, so that the labels fit into a column."""
        return True

    def __call__(self, words: Corpus) -> LabelSets:
        """Return the labels of all words, shape (n_words, n_labels)."""
        raise NotImplementedError(f"concept {self.name!r} cannot be called")

    def at_least(self, option: str, low: int) -> None:
        """Raise InputError if an option is below its bound."""
        value = getattr(self, option)
        if value < low:
            raise InputError(f"concept {self.name!r}: {option} = {value!r} must be at least {low}")


@dataclass(frozen=True)
class OfForm(HumanConcept):
    """Base of the kinds with at most one label, which follows from the form."""

    def __call__(self, words: Corpus) -> LabelSets:
        """Label each word type once."""
        forms, codes = types_of(words)
        return self.spread(
            [() if (x := self.label(form)) is None else (x,) for form in forms], codes
        )

    def label(self, form: str) -> str | None:
        """Return the label of a form, or None."""
        raise NotImplementedError(f"concept {self.name!r} labels no form")

    def spread(self, sets: Sequence[Iterable[str]], codes: np.ndarray) -> LabelSets:
        """Give each occurrence the labels of its type."""
        return LabelSets.of_sets(sets, complete=self.complete).take(codes)


def types_of(words: Corpus) -> tuple[list[str], np.ndarray]:
    """Return the different forms, and the number of each word's, int64 of shape (n_words,)."""
    encoded = words.words["form"].combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def split_by(codes: np.ndarray, further: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give a number to each pair of a type and something else that its labels depend on.

    Parameters
    ----------
    codes, further : numpy.ndarray of int, shape (n_words,)
        Both from 0.

    Returns
    -------
    codes, further : numpy.ndarray of int64, shape (n_pairs,)
        The different pairs, sorted.
    numbers : numpy.ndarray of int64, shape (n_words,)
        The pair of each word.
    """
    width = int(further.max(initial=0)) + 1
    pairs, numbers = np.unique(codes * width + further, return_inverse=True)
    return pairs // width, pairs % width, numbers.astype(np.int64)


def frequent(parts: Mapping[Any, Iterable[str]], min_types: int) -> set[str]:
    """Return the labels that at least `min_types` word types carry.

    Parameters
    ----------
    parts : mapping
        The labels of each type.
    min_types : int
        The bound.
    """
    counts = Counter(label for labels in parts.values() for label in set(labels))
    return {label for label, count in counts.items() if count >= min_types}
