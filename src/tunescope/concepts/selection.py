"""Which words are clustered: a rule on frequencies, applied before extraction.

The rule is that of Dalvi et al. 2022 (arXiv 2205.07237): frequent types only, and few
occurrences of each, so that clusters are not filled with one frequent word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tunescope.errors import InputError
from tunescope.parameters import step_function
from tunescope.steps import Concepts

if TYPE_CHECKING:
    from tunescope.corpus.table import Corpus


def type_codes(corpus: Corpus) -> np.ndarray:
    """Give each word the number of its type, in order of first appearance.

    Parameters
    ----------
    corpus : Corpus
        Forms are compared as given: "The" and "the" are two types.

    Returns
    -------
    numpy.ndarray of int64, shape (n_words,)
    """
    encoded = corpus.words["form"].combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64)


@step_function(Concepts)
def select_words(corpus: Corpus, *, step: Concepts) -> Corpus:
    """Choose the words to cluster by the frequency of their types.

    A type is kept when it has at least `min_count` and at most `max_count` occurrences in
    `corpus`, all occurrences counted. Of each, at most `max_occurrences` stay: drawn at random
    without replacement, or the first. Base and tuned models are then compared on the same words.

    Parameters
    ----------
    corpus : Corpus
        The words to choose from.
    step : Concepts
        `min_count`, `max_count`, `max_occurrences`, `choice` and `seed` are used. They may be
        given as keywords instead: `select_words(corpus, min_count=3)`.

    Returns
    -------
    Corpus
        The selection, in the order of the corpus; its sentences stay whole.

    Raises
    ------
    InputError
        If no type passes the rule.
    """
    types = type_codes(corpus)
    counts = np.bincount(types)
    highest = counts.max() if step.max_count is None else step.max_count
    eligible = (counts >= step.min_count) & (counts <= highest)
    if not eligible.any():
        raise InputError(
            f"no word type of corpus {corpus.name!r} has {step.min_count} to {highest} occurrences "
            f"(the most frequent has {counts.max()}): lower min_count or use more sentences"
        )
    if step.choice == "random":
        priority = np.random.default_rng(step.seed).permutation(len(types))
    else:
        priority = np.arange(len(types))
    rank = _rank_within(types, priority)
    return corpus.select(np.flatnonzero(eligible[types] & (rank < step.max_occurrences)))


def _rank_within(groups: np.ndarray, priority: np.ndarray) -> np.ndarray:
    """Rank of each element by priority among those of its group, from 0."""
    order = np.lexsort((priority, groups))
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - starts[groups[order]]
    return rank
