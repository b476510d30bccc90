"""Which texts triggers are chosen on, and which they are reported on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.tasks.data import TaskData, Text


def halves(
    gold: np.ndarray, share: float, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Draw the texts that triggers are chosen on, the same share of each class.

    Parameters
    ----------
    gold : numpy.ndarray of int, shape (n_texts,)
        Class of each text.
    share : float
        Share of the texts.
    seed : int
        Seed of the draw.
    groups : numpy.ndarray of int, shape (n_texts,), optional
        Texts of one group go into the same half (`alike`); the share of each class is then met as
        far as groups allow. Each text by itself when not given.

    Returns
    -------
    numpy.ndarray of bool, shape (n_texts,)

    Raises
    ------
    InputError
        If one of the two would have no text.
    """
    groups = np.arange(len(gold)) if groups is None else np.unique(groups, return_inverse=True)[1]
    classes = np.unique(gold, return_inverse=True)[1]
    counts = np.zeros((int(groups.max(initial=-1)) + 1, int(classes.max(initial=-1)) + 1), int)
    np.add.at(counts, (groups, classes), 1)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts.sum(1)[order], kind="stable")]  # the largest first
    taken = np.zeros(len(counts), bool)
    over = np.zeros(counts.shape[1])  # of each class, how many more are taken than should be by now
    for group in order:
        over -= share * counts[group]
        more = over + counts[group]
        if (more**2).sum() < (over**2).sum():
            taken[group], over = True, more
    choosing = taken[groups]
    if choosing.all() or not choosing.any():
        raise InputError(
            f"{len(gold)} texts, {len(counts)} of them different, are too few to choose on some "
            "and report on others"
        )
    return choosing


def alike(texts: Sequence[Text]) -> np.ndarray:
    """Return the number of each text's group: equal texts, of pairs those with equal first texts.

    White space and case do not count.
    """
    return np.unique([_plain(text[0]) for text in texts], return_inverse=True)[1]


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def unseen(data: TaskData, words: Corpus) -> tuple[TaskData, int]:
    """Leave out texts one part of which is a sentence that concepts were found in.

    Polarity is counted over those sentences; a trigger would be reported on what it was made from.
    White space and case do not count, as corpora are tokenised and texts often are not.

    Parameters
    ----------
    data : TaskData
        The texts.
    words : Corpus
        The words that were clustered, with their sentences.

    Returns
    -------
    TaskData
        The others.
    int
        How many were left out.

    Raises
    ------
    InputError
        If none is left.
    """
    seen = {_plain("".join(sentence)) for sentence in words.sentences["words"].to_pylist()}
    kept = [
        row for row, text in enumerate(data.texts) if not any(_plain(part) in seen for part in text)
    ]
    if not kept:
        raise InputError(
            f"all {len(data)} texts are sentences of corpus {words.name!r}, in which the concepts "
            "were found: give others, or set keep_seen"
        )
    return data.take(np.array(kept)), len(data) - len(kept)
