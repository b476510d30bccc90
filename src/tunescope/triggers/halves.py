"""Which texts triggers are chosen on, and which they are reported on."""

from __future__ import annotations

import numpy as np

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.tasks.data import TaskData


def halves(gold: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Draw the texts that triggers are chosen on, the same share of each class.

    Parameters
    ----------
    gold : numpy.ndarray of int, shape (n_texts,)
        Class of each text.
    share : float
        Share of the texts.
    seed : int
        Seed of the draw.

    Returns
    -------
    numpy.ndarray of bool, shape (n_texts,)

    Raises
    ------
    InputError
        If one of the two would have no text.
    """
    rng = np.random.default_rng(seed)
    choosing = np.zeros(len(gold), bool)
    for number in np.unique(gold):
        rows = rng.permutation(np.flatnonzero(gold == number))
        choosing[rows[: round(share * len(rows))]] = True
    if choosing.all() or not choosing.any():
        raise InputError(f"{len(gold)} texts are too few to choose on some and report on others")
    return choosing


def unseen(data: TaskData, words: Corpus) -> tuple[TaskData, int]:
    """Leave out texts one part of which is a sentence that concepts were found in.

    Polarity is counted over those sentences; a trigger would be reported on what it was made from.

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
    seen = {" ".join(sentence) for sentence in words.sentences["words"].to_pylist()}
    kept = [
        row
        for row, text in enumerate(data.texts)
        if not any(" ".join(part.split()) in seen for part in text)
    ]
    if not kept:
        raise InputError(
            f"all {len(data)} texts are sentences of corpus {words.name!r}, in which the concepts "
            "were found: give others, or set keep_seen"
        )
    return data.take(np.array(kept)), len(data) - len(kept)
