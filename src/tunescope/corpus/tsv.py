"""Tables of sentence and class: TSV as in GLUE, and CSV."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator
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
    header = source.header
    if header is None:
        header = not isinstance(source.sentence_column, int)
    records = table_records(
        path,
        header=header,
        encoding=source.encoding,
        delimiter=source.delimiter,
        quotes=source.quotes,
    )
    yield from read_records(records, source, f"{path}, line")


def table_records(
    path: Path,
    *,
    header: bool | Collection[str],
    encoding: str = "utf-8",
    delimiter: str | None = None,
    quotes: bool | None = None,
    extra: bool = False,
    on_broken: Callable[[int], None] | None = None,
) -> Iterator[tuple[int, Record]]:
    """Yield the rows of a table with their lines, fields by name and by number from 0.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    header : bool or collection of str
        Whether the first line names the columns; of names, whether it holds one of them.
    encoding : str
        Of the file.
    delimiter : str, optional
        Between columns; a comma in a `.csv` file and else a tab when not given.
    quotes : bool, optional
        Whether a field may stand in double quotes; not between tabs when not given.
    extra : bool
        Whether a row may have more columns than the first; these have numbers only.
    on_broken : callable (line), optional
        Called for a row with another number of columns, which is then passed over.

    Raises
    ------
    InputError
        If rows have different numbers of columns or a quote is not closed.
    """
    delimiter = delimiter or ("," if path.suffix.lower() == ".csv" else "\t")
    quotes = delimiter != "\t" if quotes is None else quotes
    rows = (_quoted_rows if quotes else _plain_rows)(path, encoding, delimiter)
    names: list[str] | None = None
    width = 0
    for number, row in rows:
        if not width:
            width = len(row)
            named = header if isinstance(header, bool) else not set(header).isdisjoint(row)
            names = row if named else None
            if named:
                continue
        if len(row) != width and not (extra and len(row) > width):
            if on_broken is not None:
                on_broken(number)
                continue
            raise InputError(
                f"{path}, line {number}: {len(row)} columns where the first line has {width}"
            )
        yield number, {**dict(zip(names or (), row, strict=False)), **dict(enumerate(row))}


def _plain_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in read_lines(path, encoding):
        if line.strip(" "):
            yield number, line.split(delimiter)


def _quoted_rows(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    lines = (line + "\n" for _, line in read_lines(path, encoding))
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
