"""Plain text: one sentence a line, split at white space and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tunescope.corpus.lines import read_lines, split_words
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource


def read_text(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the lines of a text file as sentences; blank lines are skipped."""
    for number, line in read_lines(Path(str(source.path)), source.encoding):
        words = split_words(line, source.control_characters)
        if words:
            yield Sentence(words, number)
