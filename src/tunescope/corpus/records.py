"""Rows with named fields (of TSV, JSONL, Hugging Face datasets) become sentences."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from tunescope.corpus.lines import split_words
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError, nearest

Record = dict[Any, Any]
"""Field name to value; a row of a table has its column numbers as well."""

SENTENCE = ("words", "tokens", "sentence", "text", "content")
CLASS = ("class", "label")


@dataclass(frozen=True)
class Fields:
    """Which field of a record holds what; None where nothing does."""

    sentence: str | int
    class_: str | int | None
    id: str | int | None
    labels: list[str]


def read_records(
    records: Iterable[tuple[int, Record]], source: CorpusSource, origin: str
) -> Iterator[Sentence]:
    """Yield the sentences of records; the first one settles which field holds what.

    Parameters
    ----------
    records : iterable of (int, dict)
        Lines (or rows of a dataset) and their fields.
    source : CorpusSource
        Names of the fields, and which records to keep.
    origin : str
        Where the records come from, up to the number of the line.

    Raises
    ------
    InputError
        If a field is missing, a sentence is blank or neither text nor a list of words, a class or
        label is neither text nor a number, or a sentence has not one label per word.
    """
    fields: Fields | None = None
    for number, record in records:
        place = f"{origin} {number}"
        if not is_kept(record, source.where, place):
            continue
        if fields is None:
            fields = _find_fields(record, source, place)
        words = _words(record, fields.sentence, source.control_characters, place)
        yield Sentence(
            words,
            number,
            {label: _labels(record, label, len(words), place) for label in fields.labels},
            # A row without class is a sentence whose class is unknown.
            scalar(record, fields.class_, place) if fields.class_ in record else None,
            None if fields.id is None else scalar(record, fields.id, place),
        )


def _find_fields(record: Record, source: CorpusSource, place: str) -> Fields:
    sentence = source.sentence_column
    if sentence is None:
        sentence = first_of(SENTENCE, record)
    if sentence is None:
        names = ", ".join(name for name in record if isinstance(name, str))
        raise InputError(
            f"{place}: no column is named {', '.join(SENTENCE)}; set sentence_column, to a number "
            f"where the file has no header. Columns: {shorten(names, 100, placeholder=' ...')}"
        )
    class_ = source.class_column
    if class_ is None:
        class_ = first_of(CLASS, {name for name in record if not isinstance(record[name], list)})
    else:
        value_of(record, class_, place)
    identity = first_of(("id",), record) if source.id_column is None else source.id_column
    lists = [n for n, value in record.items() if isinstance(value, list) and n != sentence]
    labels = [
        name
        for name in lists
        if name not in SENTENCE and _is_aligned(record[name], record.get(sentence))
    ]
    return Fields(sentence, class_, identity, source.chosen_labels(lists, labels))


def _is_aligned(labels: Sequence[Any], words: Any) -> bool:
    nested = any(isinstance(label, list | dict) for label in labels)
    return isinstance(words, list) and len(labels) == len(words) and not nested


def is_kept(record: Record, where: Mapping[str, str] | None, place: str) -> bool:
    """Whether a record has the values asked for, field to value."""
    return all(scalar(record, field, place) == value for field, value in (where or {}).items())


def first_of(names: Iterable[str], found: Container[Any]) -> str | None:
    """Return the first of some names that is among those found."""
    return next((name for name in names if name in found), None)


def value_of(record: Record, field: Any, place: str) -> Any:
    """Return a field; one that is not there is an InputError with the nearest that is."""
    if field not in record:
        hint = nearest(str(field), map(str, record))
        raise InputError(f"{place}: there is no column {field!r}; {hint}")
    return record[field]


def _words(record: Record, field: str | int, control_characters: str, place: str) -> list[str]:
    value = value_of(record, field, place)
    if isinstance(value, str):
        value = split_words(value, control_characters)
    if not isinstance(value, list):
        raise InputError(f"{place}: {field!r} is neither text nor a list of words")
    if not value:
        raise InputError(f"{place}: the sentence in {field!r} is blank; remove the row")
    return value


def _labels(record: Record, field: str, n_words: int, place: str) -> list[str | None]:
    values = value_of(record, field, place)
    if not isinstance(values, list):
        raise InputError(f"{place}: {field!r} is not a list; it needs one label per word")
    if len(values) != n_words:
        raise InputError(f"{place}: {len(values)} labels in {field!r} for {n_words} words")
    return [_text(value, field, place) for value in values]


def scalar(record: Record, field: Any, place: str) -> str | None:
    """Return a class or id as text; blank text and null are None."""
    return _text(value_of(record, field, place), field, place)


def _text(value: Any, field: Any, place: str) -> str | None:
    """Return a class or label as text; blank text and null are None."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float):
        return json.dumps(value)
    raise InputError(f"{place}: {field!r} = {value!r} is neither text nor a number")
