"""What a probe is to learn: labelled words split by sentence, and control labels for them."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np

from tunescope.activations.store import ActivationStore
from tunescope.errors import InputError
from tunescope.files import hash_json
from tunescope.probes.control import control_task
from tunescope.probes.splits import split_by_sentence


class ProbingTask:
    """Words, splits, labels and control labels: all that is the same for every layer and neuron.

    Parameters
    ----------
    store : ActivationStore
        Activations; words without one are left out.
    label : str
        Label column of its corpus.
    rows : numpy.ndarray of int
        Words to use.
    dev_share, test_share : float
        Shares of sentences, where the corpus does not define splits.
    control_seeds : int
        Number of control tasks.
    seed : int
        Seed of the split and of the control labels.
    need_dev : bool
        Take dev words from the training words of a corpus that has train and test only.

    Attributes
    ----------
    split : Split
        Rows of the words in each part.
    rows : numpy.ndarray of int, shape (n,)
        Training words, then dev, then test words.
    train : numpy.ndarray of bool, shape (n,)
        Which of `rows` are training words.
    classes : numpy.ndarray of object, shape (K,)
        Labels of the training words, sorted.
    forms : numpy.ndarray of object, shape (n,)
        The words.
    labels : list of numpy.ndarray of object, each of shape (n,)
        The labels, then those of each control task.
    sentences : numpy.ndarray of int, shape (n_test,)
        Sentence of each test word.

    Raises
    ------
    InputError
        If the column is missing or has one class only, train or test is empty, or there are no
        more training words than classes.
    """

    def __init__(
        self,
        store: ActivationStore,
        label: str,
        rows: np.ndarray,
        *,
        dev_share: float,
        test_share: float,
        control_seeds: int,
        seed: int,
        need_dev: bool = False,
    ):
        corpus = store.corpus
        rows = np.asarray(rows)
        self.split = split_by_sentence(
            corpus,
            label,
            rows[store.valid[rows]],
            dev_share=dev_share,
            test_share=test_share,
            seed=seed,
            need_dev=need_dev,
        )
        self.rows = np.concatenate([self.split.train, self.split.dev, self.split.test])
        self.train = np.arange(len(self.rows)) < len(self.split.train)
        task = corpus.values(label)[self.rows]
        self.forms = corpus.values("form")[self.rows]
        self.classes = np.unique(task[self.train].astype(str)).astype(object)
        self._check(corpus.name, label)
        self.labels = [task]
        for number in range(control_seeds):
            drawn = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
            self.labels.append(control_task(self.forms, task, self.train, drawn))
        self.sentences = corpus.words["sentence"].to_numpy()[self.split.test]

    def _check(self, corpus: str, label: str) -> None:
        n_train, n_classes = len(self.split.train), len(self.classes)
        where = f"corpus {corpus!r}, column {label!r}"
        if n_classes < 2:
            raise InputError(
                f"{where}: all {n_train} training words have the label {self.classes[0]!r}; "
                "a probe needs two"
            )
        if n_train <= n_classes:
            raise InputError(
                f"{where}: {n_train} training words for {n_classes} classes; give more words, or "
                "a column with fewer labels"
            )

    @cached_property
    def codes(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For the labels and each control task: sorted labels of the training words, and codes.

        The codes, shape (n,), are places among these labels; -1 where no training word has it.
        """
        coded = []
        for labels in self.labels:
            known = np.unique(labels[self.train].astype(str))
            every = labels.astype(str)
            places = np.searchsorted(known, every).clip(max=len(known) - 1)
            coded.append((known, np.where(known[places] == every, places, -1)))
        return coded

    def hash(self) -> str:
        """Hash of the words, their splits and their labels."""
        return self._hash

    @cached_property
    def _hash(self) -> str:
        digest = hashlib.sha256()
        for part in (self.split.train, self.split.dev, self.split.test):
            digest.update(part.astype("<i8").tobytes() + b"|")
        return hash_json([digest.hexdigest(), self.labels[0].tolist()])
