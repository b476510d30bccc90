"""Tables of sentence and class: TSV as in GLUE, and CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from tunescope.corpus.lines import read_lines
from tunescope.corpus.records import Record, read_records
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
    yield from read_records(_records(rows, header, path), source, f"{path}, line")


def _records(
    rows: Iterable[tuple[int, list[str]]], header: bool, path: Path
) -> Iterator[tuple[int, Record]]:
    """Name the fields of rows, by the header and by number."""
    names: list[str] | None = None
    width = 0
    for number, row in rows:
        if not width:
            width = len(row)
            names = row if header else None
            if header:
                continue
        if len(row) != width:
            raise InputError(
                f"{path}, line {number}: {len(row)} columns where the first line has {width}"
            )
        yield number, {**dict(zip(names or (), row, strict=False)), **dict(enumerate(row))}


def _plain_rows(
    path: Path, source: CorpusSource, delimiter: str
) -> Iterator[tuple[int, list[str]]]:
    for number, line in read_lines(path, source.encoding):
        if line.strip(" "):
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
