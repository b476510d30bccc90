"""What a model is tuned on: texts with targets.

Today a task classifies single sentences. A pair of sentences is a text of two parts, and a
regression has numbers for targets: both fit the type, and only `from_corpus` has to grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import hash_json


@dataclass(frozen=True)
class TaskData:
    """Texts and what a model should say of them.

    Parameters
    ----------
    name : str
        For messages and pages.
    texts : tuple of tuple of str
        Each text has one part.
    targets : tuple of str
        The class of each text.
    kind : {"classification"}
        What the head predicts.
    """

    name: str
    texts: tuple[tuple[str, ...], ...]
    targets: tuple[str, ...]
    kind: Literal["classification"] = "classification"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that occur, sorted."""
        return tuple(sorted(set(self.targets)))

    @property
    def hash(self) -> str:
        """SHA-256 of texts and targets."""
        return hash_json([self.kind, self.texts, self.targets])

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: np.ndarray) -> TaskData:
        """Return some of the texts, in the order of `rows`."""
        texts = tuple(self.texts[i] for i in rows)
        return TaskData(self.name, texts, tuple(self.targets[i] for i in rows), self.kind)

    @classmethod
    def from_corpus(cls, corpus: Corpus, split: str | None = None) -> TaskData:
        """Take the sentences of one split that have a class.

        Parameters
        ----------
        corpus : Corpus
            Its sentences have classes.
        split : str, optional
            Only sentences of this split; all when not given.

        Raises
        ------
        InputError
            If no sentence has a class.
        """
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
        return cls(corpus.name, texts, tuple(str(classes[i]) for i in chosen))


def train_and_dev(corpus: Corpus, dev_share: float, seed: int) -> tuple[TaskData, TaskData]:
    """Split a task's sentences into train and dev.

    The corpus's own splits count where it has a dev split; its test split is never used. Else a
    seeded random share is held out.

    Raises
    ------
    InputError
        If there are fewer than two classes, or dev has a class that train lacks.
    """
    splits = set(corpus.of_sentence("split").tolist())
    if "dev" in splits:
        train, dev = (TaskData.from_corpus(corpus, split) for split in ("train", "dev"))
    else:
        whole = TaskData.from_corpus(corpus, "train" if "train" in splits else None)
        order = np.random.default_rng(seed).permutation(len(whole))
        n_dev = max(1, round(dev_share * len(whole)))
        dev, train = whole.take(np.sort(order[:n_dev])), whole.take(np.sort(order[n_dev:]))
    if len(train.classes) < 2:
        raise InputError(f"task {corpus.name!r} has one class only, {train.classes}; need two")
    if unknown := sorted(set(dev.classes) - set(train.classes)):
        raise InputError(f"task {corpus.name!r}: class {unknown[0]!r} is in dev but not in train")
    return train, dev
