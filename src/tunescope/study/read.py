"""Read a study's corpora and tasks once, keep them in the run, and again when files change."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tunescope.corpus.read import read_source
from tunescope.corpus.source import CorpusSource
from tunescope.corpus.table import SENTENCES, WORDS, Corpus
from tunescope.errors import InputError
from tunescope.files import hash_file
from tunescope.manifest import begin, finish
from tunescope.steps import Step
from tunescope.tasks.read import read_task as read_texts
from tunescope.tasks.source import TaskSource
from tunescope.tasks.table import Task


@dataclass(frozen=True)
class Read(Step):
    """Read a corpus; all there is to say of it stands in its `CorpusSource`."""

    name: ClassVar[str] = "corpus"


@dataclass(frozen=True)
class ReadTask(Step):
    """Read a task; all there is to say of it stands in its `TaskSource`."""

    name: ClassVar[str] = "task"


def read(source: CorpusSource, name: str, folder: Path, out: Path) -> Corpus:
    """Return the corpus, from `out` where it was read before from the same files.

    Parameters
    ----------
    source : CorpusSource
        Where it is and how to read it.
    name : str
        Of the corpus.
    folder : Path
        Where relative paths start.
    out : Path
        Folder that keeps it.

    Raises
    ------
    InputError
        If a file is missing or malformed.
    """
    inputs = {"source": dataclasses.asdict(source), "files": _file_hashes(source, folder)}
    if begin(out, Read(), inputs) is None:
        corpus = read_source(source, name, folder)
        corpus.write(out)
        facts: dict[str, Any] = {"sentences": corpus.n_sentences, "words": corpus.n_words}
        finish(out, Read(), inputs, {**facts, "labels": list(corpus.labels)})
    return Corpus.load(out)


def read_task(source: TaskSource, name: str, folder: Path, out: Path) -> Task:
    """Return a task, from `out` where it was read before from the same files.

    Parameters
    ----------
    source : TaskSource
        Where it is and how to read it.
    name : str
        Of the task.
    folder : Path
        Where relative paths start.
    out : Path
        Folder that keeps it.

    Raises
    ------
    InputError
        If a file is missing or malformed.
    """
    files = source.files(folder) or {}  # a data set on the hub counts as its id and revision
    hashes = {split: _hash(path, "task") for split, path in files.items()}
    inputs = {"source": dataclasses.asdict(source), "files": hashes}
    if begin(out, ReadTask(), inputs) is None:
        task = read_texts(source, name, folder)
        task.write(out)
        sizes = {"train": len(task.train), "dev": 0 if task.dev is None else len(task.dev)}
        finish(out, ReadTask(), inputs, {**sizes, "skipped": task.n_skipped, "kind": task.kind})
    return Task.load(out)


def _file_hashes(source: CorpusSource, folder: Path) -> dict[str, str]:
    """Hash the files; a data set on the hub has none here and counts as its id and revision."""
    if (saved := source.saved(folder)) is not None:
        return {path.name: _hash(path, "corpus") for path in (saved / WORDS, saved / SENTENCES)}
    if source.resolved_format() == "datasets":
        return {}
    hashes = {}
    for split, single in source.by_split(folder).items():
        for what, path in {"": single.path, **(single.label_files or {})}.items():
            hashes[f"{split or ''}/{what}"] = _hash(Path(str(path)), "corpus")
    return hashes


def _hash(path: Path, of: str) -> str:
    try:
        return hash_file(path)
    except OSError as error:
        raise InputError(f"{of} file {path}: {error.strerror}; check the path") from None
