"""The first and the last word of a sentence, by position in the whole sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tunescope.concepts.human.kind import HumanConcept
from tunescope.concepts.label_sets import LabelSets

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


@dataclass(frozen=True)
class FirstWord(HumanConcept):
    """The word a sentence begins with carries `first`, every other word no label.

    Parameters
    ----------
    skip_punctuation
        Whether words without a letter or digit do not count as first.
    """

    name: ClassVar[str] = "first_word"
    skip_punctuation: bool = False

    def __call__(self, words: Corpus) -> LabelSets:
        """Compare each word's position with that of its sentence's first word."""
        return _at(words, _ends(words, self.skip_punctuation)[0], "first")


@dataclass(frozen=True)
class LastWord(HumanConcept):
    """The word a sentence ends with carries `last`, every other word no label.

    Parameters
    ----------
    skip_punctuation
        Whether words without a letter or digit do not count as last: else it is mostly the full
        stop.
    """

    name: ClassVar[str] = "last_word"
    skip_punctuation: bool = False

    def __call__(self, words: Corpus) -> LabelSets:
        """Compare each word's position with that of its sentence's last word."""
        return _at(words, _ends(words, self.skip_punctuation)[1], "last")


def _at(words: Corpus, wanted: np.ndarray, label: str) -> LabelSets:
    """Label the words at one position of each sentence; -1 is at none."""
    here = words.words["position"].to_numpy() == wanted[words.words["sentence"].to_numpy()]
    sets = LabelSets.of_sets([(), (label,)], complete=True)
    return sets.take(here.astype(np.int64))


def _ends(words: Corpus, skip_punctuation: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the position of the first and of the last word of each sentence, (n_sentences,)."""
    texts = words.sentences["words"].combine_chunks()
    lengths = texts.value_lengths().to_numpy().astype(np.int64)
    if not skip_punctuation:
        return np.zeros(len(lengths), np.int64), lengths - 1
    encoded = texts.flatten().dictionary_encode()
    spoken = [any(map(str.isalnum, form)) for form in encoded.dictionary.to_pylist()]
    rows = np.flatnonzero(np.array(spoken, bool)[encoded.indices.to_numpy()])
    starts = np.cumsum(lengths) - lengths
    sentence = np.repeat(np.arange(len(lengths)), lengths)[rows]
    first, last = np.full(len(lengths), -1), np.full(len(lengths), -1)
    last[sentence] = rows - starts[sentence]  # of several, the last one written stays
    first[sentence[::-1]] = (rows - starts[sentence])[::-1]
    return first, last
