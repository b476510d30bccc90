"""Tables of sentence and class: TSV as in GLUE, and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from tunescope.corpus.lines import read_lines
from tunescope.corpus.records import Record, RecordReader
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError


def read_tsv(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a table with a class column; blank lines are skipped.

    Raises
    ------
    InputError
        If rows have different numbers of columns, a column is missing or a quote is not closed.
    """
    path = Path(str(source.path))
    delimiter = source.delimiter or ("," if path.suffix.lower() == ".csv" else "\t")
    quotes = delimiter != "\t" if source.quotes is None else source.quotes
    rows = _quoted_rows(path, source, delimiter) if quotes else _plain_rows(path, source, delimiter)
    header = source.header
    if header is None:
        header = not isinstance(source.sentence_column, int)
    names: list[str] | None = None
    reader = RecordReader(source)
    for number, row in rows:
        if names is None:
            names = row if header else [str(column) for column in range(len(row))]
            if header:
                continue
        if len(row) != len(names):
            raise InputError(
                f"{path}, line {number}: {len(row)} columns where the first line has {len(names)}"
            )
        record: Record = dict(zip(names, row, strict=True))
        record.update(enumerate(row))
        sentence = reader.sentence(record, number, f"{path}, line {number}")
        if sentence is not None:
            yield sentence


def _plain_rows(
    path: Path, source: CorpusSource, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    for number, line in read_lines(path, source.encoding):
        if line.strip():
            yield number, line.split(delimiter)


def _quoted_rows(
    path: Path, source: CorpusSource, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    lines = (line + "\n" for _, line in read_lines(path, source.encoding))
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    first = 1
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise InputError(f"{path}, line {first}: {error}; check the quotes") from None
        if row is None:
            return
        if row:
            yield first, row
        first = rows.line_num + 1
