"""Which words a probe is trained, tuned and tested on: whole sentences, never parts of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunescope.corpus.table import SPLITS, Corpus
from tunescope.errors import InputError


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the word table in each part.

    Parameters
    ----------
    train, dev, test : numpy.ndarray of int, shape (n_train,), (n_dev,), (n_test,)
        Sorted rows; dev may be empty.
    """

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def split_by_sentence(
    corpus: Corpus,
    label: str,
    rows: np.ndarray,
    *,
    dev_share: float = 0.1,
    test_share: float = 0.2,
    seed: int = 0,
    need_dev: bool = False,
) -> Split:
    """Split words by sentence: by the corpus's own splits if it has them, else at random.

    Parameters
    ----------
    corpus : Corpus
        The words.
    label : str
        Label column; words without a label are left out.
    rows : numpy.ndarray of int
        The words to use, for instance those that are valid in all stores compared.
    dev_share, test_share : float
        Shares of sentences, where not every sentence used has a split of its own.
    seed : int
        Seed of the random split.
    need_dev : bool
        Where the corpus's own splits have no dev words, take `dev_share` of the training sentences
        for it.

    Raises
    ------
    InputError
        If no word has a label, or train or test is empty.
    """
    labels = corpus.values(label)
    rows = np.unique(rows)
    rows = rows[[value is not None for value in labels[rows]]]
    if len(rows) == 0:
        raise InputError(
            f"corpus {corpus.name!r}: no usable word has a label in column {label!r}; "
            "take another column"
        )
    sentence_of = corpus.words["sentence"].to_numpy()[rows]
    sentences, place = np.unique(sentence_of, return_inverse=True)
    part = corpus.of_sentence("split")[sentences]
    if any(value is None for value in part):
        part = _random_parts(len(sentences), dev_share, test_share, seed)
    elif need_dev and not (part == "dev").any():
        train = np.flatnonzero(part == "train")
        n_dev = min(max(1, round(dev_share * len(train))), len(train) - 1)
        part = part.copy()
        part[np.random.default_rng(seed).permutation(train)[: max(n_dev, 0)]] = "dev"
    train, dev, test = (rows[(part == name)[place]] for name in SPLITS)
    for name, found in (("train", train), ("test", test)):
        if len(found) == 0:
            raise InputError(
                f"corpus {corpus.name!r}: the {name} split has no word with a label in column "
                f"{label!r} ({len(sentences)} sentences have one); give more sentences or "
                "other splits"
            )
    return Split(train, dev, test)


def _random_parts(n_sentences: int, dev_share: float, test_share: float, seed: int) -> np.ndarray:
    """Draw the part of each sentence; test gets at least one, and so does dev if it has a share."""
    n_test = max(1, round(test_share * n_sentences))
    n_dev = max(1, round(dev_share * n_sentences)) if dev_share else 0
    part = np.full(n_sentences, "train", dtype=object)
    order = np.random.default_rng(seed).permutation(n_sentences)
    part[order[:n_test]] = "test"
    part[order[n_test : n_test + n_dev]] = "dev"
    return part
