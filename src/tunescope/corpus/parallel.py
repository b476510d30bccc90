"""Parallel text files: one sentence a line, its words in one file, their labels in others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from tunescope.corpus.lines import read_lines, split_tokens
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError


def read_parallel(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a token file with its label files; lines blank in all are skipped.

    Words and labels are separated by any number of blanks or tabs.

    Raises
    ------
    InputError
        If a line has not one label per word, or one of the files is shorter.
    """
    if not source.label_files:
        raise InputError(
            f"{source.path}: set label_files to a table from label column to file; for sentences "
            'without labels set format = "text"'
        )
    chosen = source.chosen_labels(source.label_files, source.label_files)
    paths = [Path(str(source.path)), *(Path(str(source.label_files[name])) for name in chosen)]
    files = [read_lines(path, source.encoding) for path in paths]
    for number, lines in enumerate(zip_longest(*files), 1):
        words, *labels = ([] if line is None else split_tokens(line[1]) for line in lines)
        for path, label_line, found in zip(paths[1:], lines[1:], labels, strict=True):
            ended = paths[0] if lines[0] is None else path if label_line is None else None
            if ended is not None and len(found) != len(words):
                other = path if ended == paths[0] else paths[0]
                raise InputError(
                    f"{ended} ends before line {number}, where {other} goes on: the files must "
                    "have the same number of lines"
                )
            if len(found) != len(words):
                raise InputError(
                    f"{path}, line {number}: {len(found)} labels for the {len(words)} words in "
                    f"{paths[0]}"
                )
        if words:
            yield Sentence(words, number, dict(zip(chosen, labels, strict=True)))
