"""JSON Lines (https://jsonlines.org): an object a line, with words or text, labels and class."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tunescope.corpus.lines import read_lines
from tunescope.corpus.records import Record, read_records
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError


def read_jsonl(source: CorpusSource) -> Iterator[Sentence]:
    """Yield the sentences of a JSON Lines file; blank lines are skipped.

    Raises
    ------
    InputError
        If a line is not a JSON object or lacks a field.
    """
    path = Path(str(source.path))
    yield from read_records(json_records(path, source.encoding), source, f"{path}, line")


def json_records(path: Path, encoding: str = "utf-8") -> Iterator[tuple[int, Record]]:
    """Yield the objects of a JSON Lines file with their lines.

    Raises
    ------
    InputError
        If a line is not a JSON object.
    """
    for number, line in read_lines(path, encoding):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: not JSON ({error}); each line must be one object") from None
        if not isinstance(record, dict):
            raise InputError(f"{place}: each line must be one JSON object, such as {{...}}")
        yield number, record
