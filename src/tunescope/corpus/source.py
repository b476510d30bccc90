"""Where a corpus comes from and how to read it: a study file's `[corpora.NAME]` table.

The same fields are the command line's corpus flags and the options of `read_corpus`. This module
imports nothing heavy, so that `tunescope --help` stays instant.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tunescope.corpus.table import SPLITS, WORDS
from tunescope.errors import InputError, nearest
from tunescope.parameters import check_types
from tunescope.paths import resolve_path

SUFFIXES = {
    ".conllu": "conllu",
    ".conll": "conll",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tsv": "tsv",
    ".csv": "tsv",
}


@dataclass(frozen=True)
class CorpusSource:
    """A corpus on disk or on the Hugging Face hub, and how to read it.

    An option that the format does not use is an error, never ignored.

    Parameters
    ----------
    path
        One file, or a table from split (`train`, `dev`, `test`) to file. Relative paths start at
        the study file; `package:PACKAGE/inside/path` is a file inside an installed package. For
        `datasets` an id on the hub or a local folder.
    format
        `conllu`, `conll` (columns), `pmb`, `parallel` (token and label files), `jsonl`, `tsv`
        (CSV too), `text`, `datasets`, or `saved`, a folder that `Corpus.save`, `tunescope
        annotate` or `tunescope tag` wrote. `auto` knows such a folder, and else decides by the
        file's suffix, then by `label_files` (`parallel`) or `columns` (`conll`).
    encoding
        Text encoding of the files; a byte-order mark is skipped.
    max_sentences
        Read only this many sentences, the first of each file.
    labels
        Label columns to take. When not given: for `conllu` upos, xpos and deprel (lemma, feats and
        a single feature such as `feats.Number` are there on request), elsewhere all there are.
    columns
        For `conll` and `pmb`: name to number, counted from 0, or from the end when negative.
        `form` is the word, every other name a label column.
    label_files
        For `parallel`: label column to file (or, as for `path`, to a table from split to file).
    sentence_column
        For `tsv`, `jsonl` and `datasets`: where the sentence is; text is split at white space, a
        list holds the words as they are. A name, or for `tsv` a number counted from 0. When not
        given: words, tokens, sentence, text or content, whichever comes first.
    class_column
        Where the sentence's class is. When not given: class or label, where there is one.
    id_column
        Where the sentence's id is. When not given: id, where there is one.
    where
        For `tsv`, `jsonl` and `datasets`: keep only rows with these values, column to value.
    header
        For `tsv`: whether the first line names the columns. When not given: no when
        `sentence_column` is a number, else yes.
    delimiter
        For `tsv`: the character between columns. When not given: a comma in a `.csv` file, else a
        tab.
    quotes
        For `tsv`: whether a field in double quotes may hold delimiters and line ends, as in CSV.
        When not given: not where the delimiter is a tab, where quotes are ordinary characters.
    control_characters
        For sentences given as text: a control character in a word is an `error`, or stands for a
        `space` (what is left of cp1252 dashes in some review corpora).
    dataset_config
        For `datasets`: the configuration's name.
    dataset_split
        For `datasets`: read only this split. When not given, `train`, `dev` (or `validation`) and
        `test` become the corpus's splits.
    dataset_revision
        For `datasets`: commit or tag on the hub.

    Raises
    ------
    InputError
        If a value has the wrong type, or a split is not train, dev or test.
    """

    path: str | dict[str, str]
    format: Literal[
        "auto", "conllu", "conll", "pmb", "parallel", "jsonl", "tsv", "text", "datasets", "saved"
    ] = "auto"
    encoding: str = "utf-8"
    max_sentences: int | None = None
    labels: list[str] | None = None
    columns: dict[str, int] | None = None
    label_files: dict[str, str | dict[str, str]] | None = None
    sentence_column: int | str | None = None
    class_column: int | str | None = None
    id_column: int | str | None = None
    where: dict[str, str] | None = None
    header: bool | None = None
    delimiter: str | None = None
    quotes: bool | None = None
    control_characters: Literal["error", "space"] = "error"
    dataset_config: str | None = None
    dataset_split: str | None = None
    dataset_revision: str | None = None

    def __post_init__(self) -> None:
        check_types(self, "corpus")
        if self.max_sentences is not None and self.max_sentences < 1:
            raise InputError(f"corpus: max_sentences = {self.max_sentences} must be at least 1")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise InputError(f"corpus: delimiter = {self.delimiter!r} must be one character")
        if self.columns is not None and "form" not in self.columns:
            raise InputError('corpus: columns has no "form", the column of the words; add it')
        for files in (self.path, *(self.label_files or {}).values()):
            for split in files if isinstance(files, dict) else ():
                if split not in SPLITS:
                    raise InputError(f"corpus: unknown split {split!r}; {nearest(split, SPLITS)}")
        if not self.path:
            raise InputError("corpus: path is empty; give a file, or a table from split to file")

    def given(self) -> dict[str, Any]:
        """Options that differ from their defaults, `path` and `format` apart."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("path", "format") and getattr(self, field.name) != field.default
        }

    def by_split(self, relative_to: Path | None = None) -> dict[str | None, CorpusSource]:
        """Return, for each split, the source of its one file, with all paths resolved.

        Parameters
        ----------
        relative_to : pathlib.Path, optional
            Folder that relative paths start from.

        Returns
        -------
        dict
            The key is None where the corpus has no splits.

        Raises
        ------
        InputError
            If `label_files` lacks a split that `path` has.
        """
        sources: dict[str | None, CorpusSource] = {}
        splits = list(self.path) if isinstance(self.path, dict) else [None]
        for split in splits:
            path = str(resolve_path(_of_split(self.path, split, "path"), relative_to))
            labels = {
                label: str(resolve_path(_of_split(files, split, label), relative_to))
                for label, files in (self.label_files or {}).items()
            }
            sources[split] = dataclasses.replace(self, path=path, label_files=labels or None)
        return sources

    def saved(self, relative_to: Path | None = None) -> Path | None:
        """Return the folder of a saved corpus; None where `path` is something else."""
        if self.format not in ("auto", "saved") or not isinstance(self.path, str):
            return None
        folder = resolve_path(self.path, relative_to)
        return folder if self.format == "saved" or (folder / WORDS).exists() else None

    def chosen_labels(self, offered: Iterable[str], default: Iterable[str]) -> list[str]:
        """Return the label columns to read: `labels`, or else `default`.

        Raises
        ------
        InputError
            If a label column was asked for that is not on offer.
        """
        if self.labels is None:
            return list(default)
        offered = list(offered)
        for label in self.labels:
            if label not in offered:
                raise InputError(
                    f"{self.path}: there is no label column {label!r}; {nearest(label, offered)}"
                )
        return list(self.labels)

    def resolved_format(self) -> str:
        """Return the format; `auto` decides by the files' suffixes, then by the options given.

        Raises
        ------
        InputError
            If the suffixes do not say, with what to set instead.
        """
        if self.format != "auto":
            return self.format
        paths = self.path.values() if isinstance(self.path, dict) else [self.path]
        suffixes = {Path(path).suffix.lower() for path in paths}
        formats = {SUFFIXES.get(suffix) for suffix in suffixes}
        known = formats.pop() if len(formats) == 1 else None
        if known is not None:
            return known
        if self.label_files is not None:
            return "parallel"
        if self.columns is not None:
            return "conll"
        choices = "conllu, conll, pmb, parallel, jsonl, tsv, text or datasets"
        found = ", ".join(sorted(repr(suffix) for suffix in suffixes))
        raise InputError(
            f"{', '.join(map(str, paths))}: the suffix {found} does not say what is in the file; "
            f"set format to {choices} (text: one sentence a line)"
        )


def _of_split(files: str | dict[str, str], split: str | None, what: str) -> str:
    if isinstance(files, str) and split is None:
        return files
    if isinstance(files, dict) and split in files:
        return files[split]
    raise InputError(f"corpus: {what!r} must name a file for the same splits as path")
