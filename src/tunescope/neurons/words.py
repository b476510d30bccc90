"""The labelled words that neurons are ranked and tested on, with all layers side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from tunescope.activations.matrix import WordMatrix
from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.files import hash_json
from tunescope.probes.task import ProbingTask

UNSEEN = -1
"""Target of a word whose label no training word has; a prediction for it is always wrong."""


@dataclass(frozen=True, eq=False)
class Part:
    """Words of one split.

    Parameters
    ----------
    x : WordMatrix, shape (n, d)
        Activations.
    targets : numpy.ndarray of int64, shape (n,)
        Place of the label in `LabelledWords.classes`, or `UNSEEN`.
    controls : numpy.ndarray of int64, shape (n_controls, n)
        The same for each control task.
    forms : numpy.ndarray of object, shape (n,)
        The words.
    sentences : numpy.ndarray of int, shape (n,)
        Sentence of each word, a row of the corpus's sentence table.
    """

    x: WordMatrix
    targets: np.ndarray
    controls: np.ndarray
    forms: np.ndarray
    sentences: np.ndarray

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, which: Any) -> Part:
        """Return only these words, an integer array or a mask."""
        return Part(
            self.x.take(which),
            self.targets[which],
            self.controls[:, which],
            self.forms[which],
            self.sentences[which],
        )


@dataclass(frozen=True, eq=False)
class LabelledWords:
    """Words of a corpus that have a label, split by sentence, with their activations.

    Parameters
    ----------
    corpus, label, model : str
        Names: of the corpus, its label column, the model.
    classes : tuple of str
        Labels of the training words, sorted; K of them.
    train, dev, test : Part
        Words of each split; dev may be empty.
    scaling : {"raw", "zscored"}
        Whether activations are as the model made them, or have mean 0 and variance 1 over the
        training words.
    """

    corpus: str
    label: str
    model: str
    classes: tuple[str, ...]
    train: Part
    dev: Part
    test: Part
    scaling: str = "raw"

    @classmethod
    def from_arrays(
        cls,
        train: tuple[np.ndarray, np.ndarray],
        dev: tuple[np.ndarray, np.ndarray],
        test: tuple[np.ndarray, np.ndarray] | None = None,
        *,
        widths: Sequence[int] | None = None,
        names: tuple[str, str, str] = ("arrays", "label", "model"),
    ) -> LabelledWords:
        """Make labelled words from arrays, for rankings outside of a study.

        Parameters
        ----------
        train, dev, test : tuple of (array, shape (n, d); array, shape (n,))
            Activations and labels of each split; without `test`, dev words stand for it.
        widths : sequence of int, optional
            Neurons of each layer, in the order of the columns; one layer when not given.
        names : tuple of str
            Of corpus, label and model.

        Raises
        ------
        InputError
            If lengths or widths do not fit, or a value is not finite.
        """
        parts, classes = {}, np.unique(np.asarray(train[1]).astype(str))
        for name, (x, y) in {"train": train, "dev": dev, "test": test or dev}.items():
            x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
            if not np.isfinite(x).all():
                raise InputError(f"{name}: activations are not finite: leave out such words")
            ends = np.cumsum(widths or [x.shape[1]])
            if len(x) != len(y) or ends[-1] != x.shape[1]:
                raise InputError(
                    f"{name}: {len(x)} words of {x.shape[1]} neurons for {len(y)} labels and "
                    f"layers of {ends[-1]} neurons together"
                )
            layers = np.split(x, ends[:-1], axis=1)
            n = len(x)
            parts[name] = Part(
                WordMatrix(layers, np.arange(n)),
                _places(classes, y),
                np.empty((0, n), np.int64),
                np.array([""] * n, dtype=object),
                np.arange(n),
            )
        return cls(*names, tuple(classes), **parts)

    @property
    def n_neurons(self) -> int:
        """Columns of the activations, d."""
        return self.train.x.shape[1]

    @property
    def n_classes(self) -> int:
        """Number of labels, K."""
        return len(self.classes)

    @property
    def layer_of(self) -> np.ndarray:
        """Layer of each neuron, shape (d,)."""
        return self.train.x.layer_of

    @cached_property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of every neuron over the training words, float64."""
        return self.train.x.moments()

    def zscored(self) -> LabelledWords:
        """Return the same words with z-scored activations (statistics of the training words)."""
        mean, deviation = self.moments
        scale = np.where(deviation > 0, deviation, 1.0)
        parts = {
            name: replace(part, x=part.x.scaled(mean, scale))
            for name, part in (("train", self.train), ("dev", self.dev), ("test", self.test))
        }
        return replace(self, **parts, scaling="zscored")

    def hash(self) -> str:
        """Hash of the words, their splits, labels and control labels."""
        digest = hashlib.sha256()
        for part in (self.train, self.dev, self.test):
            for numbers in (part.x.rows, part.targets, part.controls):
                digest.update(numbers.astype("<i8").tobytes() + b"|")
        return hash_json([digest.hexdigest(), list(self.classes)])

    def columns(self, which: np.ndarray | Sequence[int]) -> LabelledWords:
        """Return the same words with only these neurons, in this order."""
        parts = {
            name: replace(part, x=part.x.columns(np.asarray(which)))
            for name, part in (("train", self.train), ("dev", self.dev), ("test", self.test))
        }
        return replace(self, **parts)


def label_words(
    store: ActivationStore,
    label: str,
    *,
    rows: np.ndarray | None = None,
    dev_share: float = 0.1,
    test_share: float = 0.2,
    control_seeds: int = 3,
    seed: int = 0,
) -> LabelledWords:
    """Split the labelled words of a store and put all its layers side by side.

    Parameters
    ----------
    store : ActivationStore
        Activations of a corpus.
    label : str
        Label column of the corpus.
    rows : numpy.ndarray of int, optional
        Words to use, all valid ones when not given.
    dev_share, test_share : float
        Shares of sentences, where the corpus does not define splits; of a corpus with train and
        test only, `dev_share` of the training sentences become dev.
    control_seeds : int
        Number of control tasks (Hewitt and Liang 2019).
    seed : int
        Seed of the split and of the control labels.

    Returns
    -------
    LabelledWords
        Nothing is read from the store yet.

    Raises
    ------
    InputError
        If the column is missing or has one class only, train or test is empty, or there are no
        more training words than classes.
    """
    task = ProbingTask(
        store, label, np.arange(store.n_words) if rows is None else rows, dev_share=dev_share,
        test_share=test_share, control_seeds=control_seeds, seed=seed, need_dev=dev_share > 0,
    )  # fmt: skip
    coded = [_places(task.classes, labels) for labels in task.labels]
    sentences = store.corpus.words["sentence"].to_numpy()[task.rows]
    whole = Part(
        WordMatrix.of_store(store, task.rows),
        coded[0],
        np.array(coded[1:], np.int64).reshape(control_seeds, len(task.rows)),
        task.forms,
        sentences,
    )
    n_train, n_test = len(task.split.train), len(task.split.test)
    train, dev, test = (
        whole.take(which)
        for which in (
            slice(n_train),
            slice(n_train, len(task.rows) - n_test),
            slice(len(task.rows) - n_test, None),
        )
    )
    names = store.corpus.name, label, store.model
    return LabelledWords(*names, tuple(task.classes), train, dev, test)


def _places(classes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the place of each label among the sorted classes, UNSEEN where it is none."""
    labels = labels.astype(str)
    places = np.searchsorted(classes.astype(str), labels).clip(0, len(classes) - 1)
    return np.where(classes.astype(str)[places] == labels, places, UNSEEN).astype(np.int64)


def sample_sentences(part: Part, max_words: int | None, seed: int) -> Part:
    """Return at most so many words of a part, as whole sentences drawn at random, in order."""
    if max_words is None or len(part) <= max_words:
        return part
    sentences, place, sizes = np.unique(part.sentences, return_inverse=True, return_counts=True)
    drawn = np.random.default_rng(seed).permutation(len(sentences))
    fitting = np.cumsum(sizes[drawn]) <= max_words
    fitting[0] = True
    return part.take(np.flatnonzero(np.isin(place, drawn[fitting])))
