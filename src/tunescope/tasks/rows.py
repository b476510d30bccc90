"""Rows of a table, objects of JSON Lines or of a data set become texts with targets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

from tunescope.corpus.datasets import dataset_records, load
from tunescope.corpus.jsonl import json_records
from tunescope.corpus.lines import CONTROL
from tunescope.corpus.records import Record, first_of, is_kept, scalar, value_of
from tunescope.corpus.tsv import table_records
from tunescope.errors import InputError
from tunescope.tasks.data import TaskData, Text
from tunescope.tasks.glue import dataset_splits
from tunescope.tasks.source import TaskSource

PAIRS = (
    ("sentence1", "sentence2"), ("premise", "hypothesis"), ("question", "sentence"),
    ("question1", "question2"), ("sentence_A", "sentence_B"),
)  # fmt: skip
SINGLE = ("words", "tokens", "sentence", "text", "content")
TARGETS = {
    "classification": ("class", "label", "score"),
    "regression": ("score", "class", "label"),
}
TABLE = ("header", "delimiter", "quotes", "extra_columns")
HUB = ("dataset_config", "dataset_revision")
SURROGATE = re.compile("[\ud800-\udfff]")
"""What no encoding can write; JSON may hold it."""


@dataclass
class Rows:
    """Makes texts with targets of the records of one task.

    Parameters
    ----------
    source : TaskSource
        Which columns hold what.
    where : str
        The task, for messages.
    n_skipped : int
        Rows passed over so far: without a target, or known to be broken.
    """

    source: TaskSource
    where: str
    n_skipped: int = 0

    def of_file(self, path: Path) -> TaskData:
        """Read one split from its file."""
        source = self.source
        kind = source.file_format(path)
        _check_options(source, kind)
        if kind == "jsonl":
            return self._collect(json_records(path, source.encoding), f"{path}, line")
        records = table_records(
            path,
            header=self._header(),
            encoding=source.encoding,
            delimiter=source.delimiter,
            quotes=source.quotes,
            extra=source.extra_columns,
            on_broken=self._skip if source.preset and source.preset.broken_rows else None,
        )
        return self._collect(records, f"{path}, line")

    def of_dataset(self, found: Any, relative_to: Path | None) -> dict[str, TaskData]:
        """Read the splits of a Hugging Face data set, given or to be loaded."""
        source = self.source
        _check_options(source, "datasets")
        if found is None:
            found = load(
                source.path,
                relative_to,
                config=source.dataset_config or source.glue,
                revision=source.dataset_revision,
            )
        names = dataset_splits(source.glue, source.glue_dev)
        splits = {
            split or "train": self._collect(records, origin)
            for split, origin, records in dataset_records(found, str(source.path), None, names)
        }
        if "train" not in splits:
            raise InputError(f"{self.where}: the data set has no split train")
        return splits

    def _header(self) -> bool | tuple[str, ...]:
        source = self.source
        if source.header is not None:
            return source.header
        if source.columns() is not None:
            return not any(isinstance(column, int) for column in source.columns() or ())
        preset = source.preset
        if preset is None or not preset.numbers:
            return True
        return (*preset.texts, preset.label, *preset.fields, "label")

    def _collect(self, records: Iterable[tuple[int, Record]], origin: str) -> TaskData:
        found = list(islice(self._rows(records, origin), self.source.max_texts))
        if not found:
            why = f" with {self.source.where}" if self.source.where else ""
            raise InputError(f"{origin} 1: there is no text with a target{why}")
        texts, targets = zip(*found, strict=True)
        if self.source.resolved_kind() == "classification":
            _check_classes(targets, origin)
        return TaskData(texts, targets)

    def _rows(
        self, records: Iterable[tuple[int, Record]], origin: str
    ) -> Iterator[tuple[Text, str | float]]:
        columns: tuple[tuple[Any, ...], Any] | None = None
        lenient = self.source.preset is not None and self.source.preset.broken_rows
        for number, record in records:
            place = f"{origin} {number}"
            if not is_kept(record, self.source.where, place):
                continue
            columns = columns or self._find(record, place)
            target = scalar(record, columns[1], place)
            parts = [value_of(record, column, place) for column in columns[0]]
            if target is None or (lenient and not all(parts)):
                self._skip(number)
                continue
            text = tuple(
                self._text(part, column, place)
                for part, column in zip(parts, columns[0], strict=True)
            )
            yield text, self._target(target, columns[1], place)

    def _skip(self, line: int) -> None:
        self.n_skipped += 1

    def _find(self, record: Record, place: str) -> tuple[tuple[Any, ...], Any]:
        """Return the columns of the texts and of the target: those given, GLUE's, or the usual."""
        source, preset = self.source, self.source.preset
        texts, target = source.columns(), source.class_column
        if preset is not None:
            layouts = ((*preset.texts, preset.label), (*preset.fields, "label"), preset.numbers)
            fits = next((one for one in layouts if all(c in record for c in one)), None)
            if fits:
                texts = texts or fits[:-1]
                target = fits[-1] if target is None else target
        if texts is None:
            texts = next((pair for pair in PAIRS if all(c in record for c in pair)), None)
        if texts is None:
            one = first_of(SINGLE, record)
            texts = None if one is None else (one,)
        if target is None:
            target = first_of(TARGETS[source.resolved_kind()], record)
        for found, option in ((texts, "sentence_column"), (target, "class_column")):
            if found is None:
                names = ", ".join(name for name in record if isinstance(name, str))
                raise InputError(
                    f"{place}: no column has a usual name; set {option}, to a number where the "
                    f"file has no header. Columns: {shorten(names, 100, placeholder=' ...')}"
                )
        for column in (*(texts or ()), target):
            value_of(record, column, place)
        return texts or (), target

    def _text(self, value: Any, column: Any, place: str) -> str:
        if isinstance(value, list) and all(isinstance(word, str) for word in value):
            value = " ".join(value)
        if not isinstance(value, str):
            raise InputError(f"{place}: {column!r} is neither text nor a list of words")
        if self.source.control_characters == "space":
            value = CONTROL.sub(" ", value)
        if not value or value.isspace():
            raise InputError(f"{place}: the text in {column!r} is blank; remove the row")
        if SURROGATE.search(value):
            raise InputError(f"{place}: the text in {column!r} holds half of a surrogate pair")
        return value

    def _target(self, target: str, column: Any, place: str) -> str | float:
        if self.source.resolved_kind() == "classification":
            return target
        number = _as_number(target)
        if number is None:
            raise InputError(
                f"{place}: {column!r} = {target!r} is no number; the targets of a regression are"
            )
        return number


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _check_classes(targets: tuple[str, ...], origin: str) -> None:
    """Refuse measurements that were taken for names of classes."""
    numbers = {_as_number(name) for name in set(targets)}
    if None not in numbers and any(not number.is_integer() for number in numbers if number):
        example = next(name for name in targets if not float(name).is_integer())
        raise InputError(
            f"{origin[:-6] if origin.endswith(', line') else origin}: the classes are numbers such "
            f'as {example}; set kind = "regression"'
        )


def _check_options(source: TaskSource, kind: str) -> None:
    """Refuse options that the format does not use."""
    unused = {
        "tsv": HUB, "jsonl": (*TABLE, *HUB), "datasets": (*TABLE, "encoding"),
    }[kind]  # fmt: skip
    for option in source.given():
        if option in unused:
            raise InputError(f"task: {option} is not an option of format {kind!r}; leave it out")
    if source.glue_dev != "matched" and source.glue_name != "mnli":
        raise InputError("task: glue_dev is of use for mnli only; leave it out")
