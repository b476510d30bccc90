"""Which words are measured, in which groups of sentences, and what is drawn of them at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tunescope.corpus.table import Corpus
from tunescope.errors import InputError


@dataclass(frozen=True, eq=False)
class WordSample:
    """Words, ordered by their group of sentences.

    Parameters
    ----------
    rows : numpy.ndarray of int, shape (n,)
        Rows of the stores.
    sizes : numpy.ndarray of int, shape (G,)
        Words of each group; groups follow each other in `rows`.
    queries : numpy.ndarray of int, shape (q,)
        Places in `rows` of the words whose neighbours are looked up, ascending.
    permutation : numpy.ndarray of int, shape (n,)
        A random order of the words: what they are paired with by chance.
    types : numpy.ndarray of int, shape (n,)
        Word type of each word, upper and lower case taken together; numbered from 0.
    """

    rows: np.ndarray
    sizes: np.ndarray
    queries: np.ndarray
    permutation: np.ndarray
    types: np.ndarray

    @property
    def group_of(self) -> np.ndarray:
        """Group of each word, shape (n,)."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


def draw_words(
    corpus: Corpus, rows: np.ndarray, *, max_words: int, groups: int, queries: int, seed: int
) -> WordSample:
    """Draw whole sentences, deal them into groups and draw what is random in the baselines.

    Parameters
    ----------
    corpus : Corpus
        What the rows are words of.
    rows : numpy.ndarray of int, shape (n_rows,)
        Words that may be used.
    max_words : int
        Sentences are drawn while they have no more words than this together.
    groups : int
        Number of groups; fewer where there are fewer sentences.
    queries : int
        Words to look up neighbours of.
    seed : int
        Seed of all draws.

    Raises
    ------
    InputError
        If there are fewer than two sentences, or too few words to leave some out.
    """
    rows = np.unique(rows)
    sentences, place = np.unique(corpus.words["sentence"].to_numpy()[rows], return_inverse=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(sentences))
    fitting = int((np.cumsum(np.bincount(place)[order]) <= max_words).sum())
    order = order[: max(fitting, 2)]
    n_groups = min(groups, len(order))
    if n_groups < 2:
        raise InputError(
            f"corpus {corpus.name!r}: {len(order)} sentences with words in both models are too "
            "few for intervals: give at least 2, better 20"
        )
    group = np.full(len(sentences), -1)
    group[order] = np.arange(len(order)) % n_groups
    of_word = group[place]
    sorted_ = np.argsort(of_word, kind="stable")
    chosen = sorted_[(of_word < 0).sum() :]
    sizes = np.bincount(of_word[chosen], minlength=n_groups)
    if len(chosen) - sizes.max() < 4:
        raise InputError(
            f"corpus {corpus.name!r}: {len(chosen)} words are too few to compare representations"
        )
    rows = rows[chosen]
    n = len(rows)
    forms = corpus.values("form")[rows]
    _, types = np.unique([form.casefold() for form in forms], return_inverse=True)
    drawn = np.sort(rng.permutation(n)[:queries])
    return WordSample(rows, sizes, drawn, rng.permutation(n), types)
