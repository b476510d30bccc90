"""One sentence on its way from a file to the corpus, with the lines it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sentence:
    """What a format's reader yields.

    Parameters
    ----------
    words
        The words as they stand in the file.
    lines
        Line of the sentence, counted from 1, or one line per word.
    labels
        Label column to labels, one per word, None where unknown.
    class_
        The task's label of the sentence.
    id
        The sentence's name in the file.
    """

    words: list[str]
    lines: int | list[int]
    labels: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    class_: str | None = None
    id: str | None = None

    def line_of(self, word: int | None = None) -> int:
        """Line of a word, or the first line of the sentence."""
        return self.lines if isinstance(self.lines, int) else self.lines[word or 0]


@dataclass(frozen=True)
class Part:
    """Sentences of one file, or of one split of a dataset.

    Parameters
    ----------
    split
        train, dev, test or None.
    origin
        Where they come from, up to the number of the line: `dev.conllu, line`.
    sentences
        Read as they are asked for.
    """

    split: str | None
    origin: str
    sentences: Iterator[Sentence]
