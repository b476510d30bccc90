"""Read a corpus in any of the formats: the table of formats, and what they have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tunescope.corpus.build import build_corpus
from tunescope.corpus.conllu import read_conllu
from tunescope.corpus.sentence import Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.corpus.table import Corpus
from tunescope.corpus.tsv import read_tsv
from tunescope.errors import InputError
from tunescope.steps import make


@dataclass(frozen=True)
class Format:
    """How one format is read, and which options of `CorpusSource` it uses."""

    read: Callable[[CorpusSource], Iterator[Sentence]]
    options: tuple[str, ...]


COMMON = ("encoding", "max_sentences")
RECORDS = ("sentence_column", "class_column", "id_column", "where", "control_characters")
FORMATS = {
    "conllu": Format(read_conllu, (*COMMON, "labels")),
    "tsv": Format(read_tsv, (*COMMON, *RECORDS, "header", "delimiter", "quotes")),
}


def read_corpus(
    path: str | Path | dict[str, str | Path], *, name: str | None = None, **options: Any
) -> Corpus:
    """Read a corpus from files.

    Parameters
    ----------
    path : str, pathlib.Path or dict
        One file, or a dictionary from split (`train`, `dev`, `test`) to file.
    name : str, optional
        For messages and pages; by default the file's name, or the folder's when there are splits.
    **options
        The other fields of `tunescope.corpus.source.CorpusSource`: `format`, `encoding`,
        `max_sentences`, `labels` and those of single formats.

    Returns
    -------
    Corpus
        Sentences in the order of the files, splits in the order given.

    Raises
    ------
    InputError
        If an option is unknown or not for this format, or the input is malformed; the message
        names file and line.
    """
    files = (
        {split: os.fspath(file) for split, file in path.items()}
        if isinstance(path, dict)
        else os.fspath(path)
    )
    source = make(CorpusSource, {"path": files, **options}, "read_corpus()")
    return read_source(source, name)


def read_source(
    source: CorpusSource, name: str | None = None, relative_to: Path | None = None
) -> Corpus:
    """Read a corpus as a study file describes it.

    Parameters
    ----------
    source : CorpusSource
        Where it is and how to read it.
    name : str, optional
        For messages and pages; by default the file's name, or the folder's when there are splits.
    relative_to : pathlib.Path, optional
        Folder that relative paths start from: the study file's.

    Raises
    ------
    InputError
        If an option is not for this format, or the input is malformed; the message names file and
        line.
    """
    kind = source.resolved_format()
    format_ = FORMATS[kind]
    for option in source.given():
        if option not in format_.options:
            listing = ", ".join(format_.options)
            raise InputError(
                f"corpus: {option} is not an option of format {kind!r}; it has {listing}"
            )
    sentences: list[Sentence] = []
    splits: list[str | None] = []
    origins: list[str] = []
    for split, single in source.by_split(relative_to).items():
        found = list(islice(format_.read(single), source.max_sentences))
        if not found:
            why = "" if source.where is None else f" where {source.where}"
            raise InputError(f"{single.path}, line 1: no sentence in the file{why}")
        sentences += found
        splits += [split] * len(found)
        origins += [f"{single.path}, line"] * len(found)
    return _collect(sentences, splits, origins, name or _default_name(source))


def _collect(
    sentences: list[Sentence], splits: list[str | None], origins: list[str], name: str
) -> Corpus:
    def where(sentence: int, word: int | None) -> str:
        return f"{origins[sentence]} {sentences[sentence].line_of(word)}"

    columns = list(dict.fromkeys(label for sentence in sentences for label in sentence.labels))
    for i, sentence in enumerate(sentences):
        if len(sentence.labels) < len(columns):
            missing = next(label for label in columns if label not in sentence.labels)
            raise InputError(f"{where(i, None)}: label column {missing!r} is missing here")
    return build_corpus(
        [sentence.words for sentence in sentences],
        {label: [sentence.labels[label] for sentence in sentences] for label in columns},
        classes=[sentence.class_ for sentence in sentences],
        splits=splits,
        ids=[str(i) if s.id is None else s.id for i, s in enumerate(sentences)],
        name=name,
        where=where,
    )


def _default_name(source: CorpusSource) -> str:
    if isinstance(source.path, str):
        return Path(source.path).stem
    return Path(next(iter(source.path.values()))).parent.name or "corpus"
