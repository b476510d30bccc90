"""The words of a corpus that were clustered, type by type: the same for all its models and layers.

Pages about concepts share them: a page names the places of its words in the order of types, and
loads the contexts of a block of places when they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.naming.plain import shortened
from tunescope.concepts.selection import type_codes
from tunescope.corpus.table import Corpus

LONGEST_WORD = 60
"""Characters of a word that are shown: some are whole documents."""
WINDOW = 12
"""Words of a sentence shown on either side."""
BLOCK = 256
"""Places whose contexts are in one file."""


class Context(NamedTuple):
    """A word in its sentence.

    Parameters
    ----------
    before, word, after : str
        What is shown of the sentence.
    of_class : int
        Number of the sentence's class in `CorpusWords.classes`; -1 without one.
    """

    before: str
    word: str
    after: str
    of_class: int


@dataclass(frozen=True, eq=False)
class CorpusWords:
    """Words, with their types numbered in order of first appearance.

    Parameters
    ----------
    corpus : Corpus
        The words that were clustered; its sentences are whole.
    """

    corpus: Corpus

    @cached_property
    def types(self) -> np.ndarray:
        """Number of each word's type, shape (n_words,)."""
        return type_codes(self.corpus)

    @cached_property
    def forms(self) -> list[str]:
        """Each type as it is shown."""
        _, first = np.unique(self.types, return_index=True)
        return [shortened(form, LONGEST_WORD) for form in self.corpus.values("form")[first]]

    @cached_property
    def counts(self) -> np.ndarray:
        """Words of each type, shape (n_types,)."""
        return np.bincount(self.types)

    @cached_property
    def order(self) -> np.ndarray:
        """Word at each place: words of one type lie together, shape (n_words,)."""
        return np.argsort(self.types, kind="stable")

    @cached_property
    def place(self) -> np.ndarray:
        """Place of each word, shape (n_words,)."""
        found = np.empty(len(self.order), np.int64)
        found[self.order] = np.arange(len(found))
        return found

    @property
    def n_blocks(self) -> int:
        """Number of files that the contexts are in."""
        return -(-len(self.order) // BLOCK)

    @cached_property
    def sentences(self) -> np.ndarray:
        """Sentence of each word, shape (n_words,)."""
        return self.corpus.words["sentence"].to_numpy()

    @cached_property
    def _positions(self) -> np.ndarray:
        return self.corpus.words["position"].to_numpy()

    @cached_property
    def gold(self) -> Codes:
        """Class of each sentence."""
        return Codes.of(self.corpus.of_sentence("class"))

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the sentences, sorted; empty where they have none."""
        return self.gold.names

    def context(self, row: int) -> Context:
        """Return a word in its sentence.

        Parameters
        ----------
        row : int
            Number of the word.
        """
        number, at = int(self.sentences[row]), int(self._positions[row])
        sentence = self.corpus.sentence_words(number)
        low, high = max(0, at - WINDOW), at + WINDOW + 1
        shown = [shortened(word, LONGEST_WORD) for word in sentence[low:high]]
        before = (["…"] if low else []) + shown[: at - low]
        after = shown[at - low + 1 :] + (["…"] if high < len(sentence) else [])
        code = int(self.gold.codes[number])
        return Context(" ".join(before), shown[at - low], " ".join(after), code)

    def block(self, number: int) -> list[Context]:
        """Return the contexts of the words at one block of places.

        Parameters
        ----------
        number : int
            From 0 to `n_blocks` - 1.
        """
        rows = self.order[number * BLOCK : (number + 1) * BLOCK]
        return [self.context(row) for row in rows.tolist()]
