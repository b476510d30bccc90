"""Rows with named fields (of TSV, JSONL, Hugging Face datasets) become sentences."""

from __future__ import annotations

import json
from collections.abc import Iterable
from textwrap import shorten
from typing import Any

from tunescope.corpus.lines import split_words
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.errors import InputError, nearest

Record = dict[str | int, Any]

SENTENCE = ("words", "tokens", "sentence", "text", "content")
CLASS = ("class", "label")
ID = ("id",)


class RecordReader:
    """Turns records into sentences; which field holds what is settled by the first record.

    Parameters
    ----------
    source : CorpusSource
        Names of the fields, or None to look for the usual names.
    """

    def __init__(self, source: CorpusSource) -> None:
        self.source = source
        self._fields: tuple[str | int, str | int | None, str | int | None] | None = None
        self._labels: list[str] = []

    def sentence(self, record: Record, number: int, place: str) -> Sentence | None:
        """Return the sentence of one record, None where `where` leaves it out.

        Parameters
        ----------
        record : dict
            Field name (or column number) to value.
        number : int
            Line of the record.
        place : str
            File and line, for messages.

        Raises
        ------
        InputError
            If a field is missing, the sentence is blank or neither text nor a list of words, or a
            class or label is neither text nor a number.
        """
        for column, wanted in (self.source.where or {}).items():
            if _scalar(_field(record, column, place), column, place) != wanted:
                return None
        if self._fields is None:
            self._settle(record, place)
        assert self._fields is not None
        sentence, class_, identity = self._fields
        words = self._words(_field(record, sentence, place), sentence, place)
        labels = {
            label: _labels(_field(record, label, place), label, len(words), place)
            for label in self._labels
        }
        return Sentence(
            words,
            number,
            labels,
            None if class_ is None else _scalar(record.get(class_), class_, place),
            None if identity is None else _scalar(_field(record, identity, place), identity, place),
        )

    def _settle(self, record: Record, place: str) -> None:
        source = self.source
        sentence = source.sentence_column
        if sentence is None:
            sentence = _first(SENTENCE, record)
        if sentence is None:
            raise InputError(
                f"{place}: no column is named {', '.join(SENTENCE)}; set sentence_column, to a "
                f"number where the file has no header. Columns: {_names(record)}"
            )
        class_ = source.class_column
        if class_ is None:
            found = _first(CLASS, record)
            class_ = None if found is None or isinstance(record[found], list) else found
        else:
            _field(record, class_, place)
        identity = _first(ID, record) if source.id_column is None else source.id_column
        self._fields = (sentence, class_, identity)
        words = record.get(sentence)
        lists = [
            name
            for name, value in record.items()
            if isinstance(name, str) and name != sentence and isinstance(value, list)
        ]
        aligned = [
            name for name in lists if isinstance(words, list) and len(record[name]) == len(words)
        ]
        self._labels = source.chosen_labels(lists, aligned)

    def _words(self, value: Any, name: str | int, place: str) -> list[str]:
        if isinstance(value, str):
            words = split_words(value, self.source.control_characters)
        elif isinstance(value, list):
            words = value
        else:
            raise InputError(f"{place}: {name!r} is neither text nor a list of words")
        if not words:
            raise InputError(f"{place}: the sentence in {name!r} is blank; remove the row")
        return words


def _first(names: Iterable[str], record: Record) -> str | None:
    return next((name for name in names if name in record), None)


def _names(record: Record) -> str:
    names = sorted(name for name in record if isinstance(name, str))
    return shorten(", ".join(names), 100, placeholder=" ...")


def _field(record: Record, name: str | int, place: str) -> Any:
    if name not in record:
        hint = nearest(str(name), [field for field in record if isinstance(field, str)])
        raise InputError(f"{place}: there is no column {name!r}; {hint}")
    return record[name]


def _scalar(value: Any, name: str | int, place: str) -> str | None:
    """Return a class or label as text; blank text and null are None."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float):
        return json.dumps(value)
    raise InputError(f"{place}: {name!r} = {value!r} is neither text nor a number")


def _labels(values: Any, name: str, n_words: int, place: str) -> list[str | None]:
    if not isinstance(values, list):
        raise InputError(f"{place}: {name!r} is not a list; it needs one label per word")
    if len(values) != n_words:
        raise InputError(f"{place}: {len(values)} labels in {name!r} for {n_words} words")
    return [_scalar(value, name, place) for value in values]
