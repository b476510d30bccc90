"""Columns as in the CoNLL shared tasks: a word a line, a blank line between sentences.

By default the three columns of CoNLL-2000 (Tjong Kim Sang and Buchholz 2000): word, part of speech
and chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tunescope.corpus.lines import read_lines, split_tokens
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError

COLUMNS = {"form": 0, "pos": 1, "chunk": 2}
DOCUMENT = ["-DOCSTART-"]


def read_conll(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a column file; `-DOCSTART-` lines (CoNLL-2003) are no sentences.

    Raises
    ------
    InputError
        If rows have different numbers of columns or a named column is not there.
    """
    for sentence in read_columns(source, COLUMNS):
        if sentence.words != DOCUMENT:
            yield sentence


def read_columns(
    source: CorpusSource,
    default: dict[str, int],
    is_comment: Callable[[str], bool] = lambda line: False,
) -> Iterator[Sentence]:
    """Yield sentences of rows separated by tabs (if the first row has one) or else by blanks.

    Parameters
    ----------
    source : CorpusSource
        Its `columns`, or else `default`, name the columns; `_` means that a word has no label.
    default : dict
        Name to column number, `form` among them.
    is_comment : callable
        Whether a line is not a row.

    Raises
    ------
    InputError
        If rows have different numbers of columns or a named column is not there.
    """
    path = Path(str(source.path))
    columns = source.columns or default
    offered = [name for name in columns if name != "form"]
    wanted = ["form", *source.chosen_labels(offered, offered)]
    rows: list[list[str]] = []
    numbers: list[int] = []
    width = 0
    tabs = False
    for number, line in read_lines(path, source.encoding):
        if is_comment(line):
            continue
        if not line.strip(" "):
            if rows:
                yield _sentence(rows, numbers, columns, wanted)
            rows, numbers = [], []
            continue
        tabs = tabs or (not width and "\t" in line)
        row = line.split("\t") if tabs else split_tokens(line)
        if not width:
            width = len(row)
            _check_columns(columns, wanted, width, f"{path}, line {number}")
        if len(row) != width:
            comments = "; lines with # are rows here, comments in conllu and pmb"
            hint = comments if "#" in (line[0], (rows or [row])[0][0][0]) else ""
            raise InputError(
                f"{path}, line {number}: {len(row)} columns where the first row has {width}{hint}"
            )
        rows.append(row)
        numbers.append(number)
    if rows:
        yield _sentence(rows, numbers, columns, wanted)


def _check_columns(columns: dict[str, int], wanted: list[str], width: int, place: str) -> None:
    for name in wanted:
        if not -width <= columns[name] < width:
            raise InputError(
                f"{place}: {width} columns, so there is no column {columns[name]} for {name!r}; "
                "set columns (from 0), such as {form = 0, pos = 1}, and format if this is not a "
                "column file"
            )


def _sentence(
    rows: list[list[str]], numbers: list[int], columns: dict[str, int], wanted: list[str]
) -> Sentence:
    words, *labels = ([row[columns[name]] for row in rows] for name in wanted)
    known = [[None if label == "_" else label for label in column] for column in labels]
    return Sentence(words, numbers, dict(zip(wanted[1:], known, strict=True)))
