"""A task: what it is called, what is predicted, how that is scored, and its texts."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from tunescope.errors import InputError, nearest
from tunescope.files import (
    atomic_directory,
    hash_json,
    read_json,
    read_table,
    write_json,
    write_table,
)
from tunescope.results import Result
from tunescope.tasks.data import TaskData
from tunescope.tasks.kinds import METRICS_OF, Kind, MetricName

if TYPE_CHECKING:
    import pandas as pd

    from tunescope.corpus.table import Corpus

SPLITS = ("train", "dev")


@dataclass(frozen=True, eq=False)
class Task(Result):
    """What a model is tuned on and scored by.

    Parameters
    ----------
    name : str
        For messages and pages.
    kind : {"classification", "regression"}
        What the head predicts.
    metric : {"accuracy", "f1", "matthews", "pearson", "spearman"}
        What it is scored by.
    train : TaskData
        Texts to tune on.
    dev : TaskData, optional
        Texts to score on; `held_out` takes some of the others for it.
    positive : str, optional
        The class that `f1` counts where there are two; the second, sorted, when not given.
    n_skipped : int
        Rows of the files that are no part of it: without a target, or known to be broken.

    Raises
    ------
    InputError
        If a split is empty, the metric is not of this kind, there are fewer than two classes, or
        dev has a class that train lacks.
    """

    name: str
    kind: Kind
    metric: MetricName
    train: TaskData
    dev: TaskData | None = None
    positive: str | None = None
    n_skipped: int = 0

    def __post_init__(self) -> None:
        where = f"task {self.name!r}"
        if self.kind not in get_args(Kind):
            raise InputError(f"{where}: {nearest(self.kind, get_args(Kind))}")
        if self.metric not in METRICS_OF[self.kind]:
            listing = nearest(self.metric, METRICS_OF[self.kind])
            raise InputError(f"{where}: {self.metric!r} is no metric of a {self.kind}; {listing}")
        for split in SPLITS:
            data = getattr(self, split)
            if data is not None and not len(data):
                raise InputError(f"{where} has no texts in {split}")
        if self.dev is not None and len(self.dev.texts[0]) != self.n_parts:
            raise InputError(f"{where}: texts of train and dev differ in their number of parts")
        self._check_targets(where)

    def _check_targets(self, where: str) -> None:
        if self.kind == "regression":
            if self.positive is not None:
                raise InputError(f"{where}: positive is of no use without classes")
            if len(set(self.train.targets)) < 2:
                raise InputError(f"{where}: all numbers of train are the same; need others")
            return
        if len(self.classes) < 2:
            raise InputError(f"{where} has one class only, {self.classes}; need two")
        if self.dev is not None and (unknown := set(self.dev.classes) - set(self.classes)):
            raise InputError(f"{where}: class {min(unknown)!r} is in dev but not in train")
        if self.positive is not None and self.positive not in self.classes:
            raise InputError(f"{where}: positive: {nearest(self.positive, self.classes)}")

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that occur in train, sorted; none for a regression."""
        return self.train.classes if self.kind == "classification" else ()

    @property
    def scoring(self) -> dict[str, Any]:
        """What the functions of `tunescope.tasks.metrics` have to know to score it, as keywords."""
        return {"positive": self.positive, "classes": self.classes or None}

    @property
    def n_parts(self) -> int:
        """Texts in each of its texts: 1, or 2 for pairs."""
        return len(self.train.texts[0])

    @property
    def hash(self) -> str:
        """SHA-256 of texts and targets, kind, metric and the class that F1 counts."""
        dev = None if self.dev is None else self.dev.hash
        return hash_json([self.kind, self.metric, self.positive, self.train.hash, dev])

    def held_out(self, share: float, seed: int) -> Task:
        """Return the task with a dev set: its own, or else a random share of the train set.

        Parameters
        ----------
        share : float
            Share of the training texts, from 0 to 1; at least one text is taken.
        seed : int
            Seed of the draw.

        Raises
        ------
        InputError
            If all texts of a class are held out.
        """
        if self.dev is not None:
            return self
        order = np.random.default_rng(seed).permutation(len(self.train))
        n_dev = max(1, round(share * len(self.train)))
        train, dev = (self.train.take(np.sort(r)) for r in (order[n_dev:], order[:n_dev]))
        return dataclasses.replace(self, train=train, dev=dev)

    @classmethod
    def from_corpus(cls, corpus: Corpus, metric: MetricName = "accuracy") -> Task:
        """Take the sentences of a corpus that have a class; words are joined by blanks.

        A dev split of the corpus is the task's, its train split the texts to tune on; without a
        dev split that is `held_out` of these. A test split is never looked at.

        Parameters
        ----------
        corpus : Corpus
            Its sentences have classes.
        metric : str
            What the task is scored by.

        Raises
        ------
        InputError
            If no sentence has a class, or all have the same.
        """
        splits = set(corpus.of_sentence("split").tolist())
        train = _of_corpus(corpus, "train" if splits & set(SPLITS) else None)
        dev = _of_corpus(corpus, "dev") if "dev" in splits else None
        return cls(corpus.name, "classification", metric, train, dev)

    def save(self, path: Path | str) -> None:
        """Write `train.parquet`, `dev.parquet` and `task.json` as a folder of their own, `path`."""
        with atomic_directory(Path(path)) as folder:
            self.write(folder)

    def write(self, folder: Path) -> None:
        """Write its files beside others in `folder`."""
        import pyarrow as pa

        for split in SPLITS:
            data = getattr(self, split)
            if data is not None:
                columns = dict(
                    zip(_names(self.n_parts), zip(*data.texts, strict=True), strict=True)
                )
                table = pa.table({**columns, "target": data.targets})
                write_table(folder / f"{split}.parquet", table)
        fields = ("name", "kind", "metric", "positive", "n_skipped")
        write_json(folder / "task.json", {name: getattr(self, name) for name in fields})

    @classmethod
    def load(cls, path: Path | str) -> Task:
        """Read a task written by `save`.

        Raises
        ------
        InputError
            If `path` holds none.
        """
        facts = read_json(Path(path) / "task.json")
        dev = Path(path) / "dev.parquet"
        train = _read(Path(path) / "train.parquet")
        return cls(train=train, dev=_read(dev) if dev.exists() else None, **facts)

    def headline(self) -> str:
        """Return name, what it is, and its size."""
        what = "pairs of texts" if self.n_parts == 2 else "texts"
        dev = "no dev set" if self.dev is None else f"{len(self.dev):,} for dev"
        of = f"{len(self.classes)} classes" if self.classes else "numbers"
        return f"Task {self.name!r}: {len(self.train):,} {what} to tune on, {dev}; {of}"

    def table(self) -> pd.DataFrame:
        """Return one row per split: how many texts, how many words in them, and the targets.

        Of classes their shares, the most frequent first; of numbers mean and range.
        """
        import pandas as pd

        rows = []
        for split in SPLITS:
            data = getattr(self, split)
            if data is not None:
                words = np.mean([len(" ".join(text).split()) for text in data.texts])
                rows.append((split, len(data), float(words), _summary(data.targets)))
        return pd.DataFrame(rows, columns=["split", "texts", "words (mean)", "targets"])


def _of_corpus(corpus: Corpus, split: str | None) -> TaskData:
    classes, splits = corpus.of_sentence("class"), corpus.of_sentence("split")
    chosen = [
        i
        for i in range(corpus.n_sentences)
        if classes[i] is not None and (split is None or splits[i] == split)
    ]
    if not chosen:
        where = f" in split {split!r}" if split else ""
        raise InputError(f"task {corpus.name!r}: no sentence has a class{where}")
    words = corpus.sentences["words"].take(chosen).to_pylist()
    texts = tuple((" ".join(sentence),) for sentence in words)
    return TaskData(texts, tuple(str(classes[i]) for i in chosen))


def _names(n_parts: int) -> list[str]:
    return ["text"] if n_parts == 1 else ["text1", "text2"]


def _read(path: Path) -> TaskData:
    columns: dict[str, list[Any]] = read_table(path).to_pydict()
    targets = tuple(columns.pop("target"))
    return TaskData(tuple(zip(*columns.values(), strict=True)), targets)


def _summary(targets: tuple[Any, ...]) -> str:
    if not isinstance(targets[0], str):
        return f"mean {np.mean(targets):.3g}, {min(targets):.3g} to {max(targets):.3g}"
    counts = {name: targets.count(name) for name in sorted(set(targets))}
    most = sorted(counts.items(), key=lambda item: -item[1])
    shown = ", ".join(f"{name} ({count / len(targets):.1%})" for name, count in most[:5])
    return shown + (f", {len(most) - 5} more" if len(most) > 5 else "")
