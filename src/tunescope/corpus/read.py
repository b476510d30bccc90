"""Read a corpus in any of the formats: the table of formats, and what they have in common."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tunescope.corpus.build import build_corpus
from tunescope.corpus.conll import read_conll
from tunescope.corpus.conllu import read_conllu
from tunescope.corpus.datasets import dataset_parts, is_dataset, load
from tunescope.corpus.jsonl import read_jsonl
from tunescope.corpus.parallel import read_parallel
from tunescope.corpus.pmb import read_pmb
from tunescope.corpus.sentence import Part, Sentence
from tunescope.corpus.source import CorpusSource
from tunescope.corpus.table import RESERVED, Corpus
from tunescope.corpus.text import read_text
from tunescope.corpus.tsv import read_tsv
from tunescope.errors import InputError
from tunescope.parameters import make

COMMON = ("encoding", "max_sentences")
COLUMNS = (*COMMON, "labels", "columns")
RECORDS = ("sentence_column", "class_column", "id_column", "where", "control_characters")


@dataclass(frozen=True)
class Format:
    """How one file in a format is read, and which options of `CorpusSource` it uses."""

    read: Callable[[CorpusSource], Iterator[Sentence]]
    options: tuple[str, ...]


FORMATS = {
    "conllu": Format(read_conllu, (*COMMON, "labels")),
    "conll": Format(read_conll, COLUMNS),
    "pmb": Format(read_pmb, COLUMNS),
    "parallel": Format(read_parallel, (*COMMON, "labels", "label_files")),
    "jsonl": Format(read_jsonl, (*COMMON, "labels", *RECORDS)),
    "tsv": Format(read_tsv, (*COMMON, *RECORDS, "header", "delimiter", "quotes")),
    "text": Format(read_text, (*COMMON, "control_characters")),
}
DATASET = ("dataset_split", "max_sentences", "labels", *RECORDS)
HUB = ("dataset_config", "dataset_revision", *DATASET)


def read_corpus(path: Any, *, name: str | None = None, **options: Any) -> Corpus:
    """Read a corpus.

    Parameters
    ----------
    path : str, pathlib.Path, dict or datasets.Dataset
        One file, or a dictionary from split (`train`, `dev`, `test`) to file, or a `Dataset` or
        `DatasetDict` of Hugging Face's `datasets`.
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

    Examples
    --------
    >>> line = '{"words": ["Time", "flies"], "upos": ["NOUN", "VERB"], "class": "short"}'
    >>> _ = Path("proverbs.jsonl").write_text(line)
    >>> read_corpus("proverbs.jsonl", labels=["upos"]).headline()
    "Corpus 'proverbs': 1 sentences, 2 words"
    """
    where = "read_corpus()"
    if is_dataset(path):
        name = name or "dataset"
        source = make(CorpusSource, {"path": name, "format": "datasets", **options}, where)
        if source.format != "datasets":
            raise InputError(f"{where}: format = {source.format!r}, but path is a dataset")
        _check_options(source, "a dataset", DATASET)
        return _collect(dataset_parts(path, source), source, name)
    if isinstance(path, dict):
        files = {split: os.fspath(file) for split, file in path.items()}
    elif isinstance(path, str | Path):
        files = os.fspath(path)
    else:
        raise InputError(
            f"{where}: path is a {type(path).__name__}; give a file, a dictionary from split to "
            "file or a Hugging Face dataset, or make a corpus with Corpus.from_sentences"
        )
    return read_source(make(CorpusSource, {"path": files, **options}, where), name)


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
    name = name or _default_name(source)
    folder = source.saved(relative_to)
    if folder is not None:
        _check_options(source, "a saved corpus", ("labels",))
        return _saved(folder, source, name)
    kind = source.resolved_format()
    if kind == "datasets":
        _check_options(source, f"format {kind!r}", HUB)
        found = load(
            source.path,
            relative_to,
            config=source.dataset_config,
            revision=source.dataset_revision,
        )
        return _collect(dataset_parts(found, source), source, name)
    _check_options(source, f"format {kind!r}", FORMATS[kind].options)
    parts = (
        Part(split, f"{single.path}, line", FORMATS[kind].read(single))
        for split, single in source.by_split(relative_to).items()
    )
    return _collect(parts, source, name)


def _saved(folder: Path, source: CorpusSource, name: str) -> Corpus:
    """Read a saved corpus, with the label columns asked for."""
    found = Corpus.load(folder)
    kept = source.chosen_labels(found.labels, found.labels)
    words = found.words.select([*RESERVED, *kept])
    return Corpus(found.sentences, words, name)


def _check_options(source: CorpusSource, kind: str, options: tuple[str, ...]) -> None:
    for option in source.given():
        if option not in options:
            listing = ", ".join(options)
            raise InputError(f"corpus: {option} is not an option of {kind}; valid: {listing}")


def _collect(parts: Iterable[Part], source: CorpusSource, name: str) -> Corpus:
    """Put the parts together; the checks of `build_corpus` then speak of files and lines."""
    sentences: list[Sentence] = []
    splits: list[str | None] = []
    origins: list[str] = []
    for part in parts:
        found = list(islice(part.sentences, source.max_sentences))
        if not found:
            why = "" if source.where is None else f" with {source.where}"
            raise InputError(f"{part.origin} 1: there is no sentence{why}")
        sentences += found
        splits += [part.split] * len(found)
        origins += [part.origin] * len(found)

    def where(sentence: int, word: int | None) -> str:
        return f"{origins[sentence]} {sentences[sentence].line_of(word)}"

    columns = list(dict.fromkeys(label for sentence in sentences for label in sentence.labels))
    for i, sentence in enumerate(sentences):
        for label in columns:
            if label not in sentence.labels:
                raise InputError(f"{where(i, None)}: label column {label!r} is missing here")
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
