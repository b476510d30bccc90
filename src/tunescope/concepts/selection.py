"""Which words are clustered: a rule on frequencies, applied before extraction.

The rule is that of Dalvi et al. 2022 (arXiv 2205.07237): frequent types only, and few
occurrences of each, so that clusters are not filled with one frequent word. The values of several
publications are presets (`steps.concepts.PRESETS`). The published code keeps the first
occurrences of a type, and only after all activations were written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

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
    `corpus`, all occurrences counted, in sentences of at most `max_sentence_words` words. Of each,
    at most `max_occurrences` stay: drawn at random without replacement, or the first. Base and
    tuned models are then compared on the same words.

    Parameters
    ----------
    corpus : Corpus
        The words to choose from.
    step : Concepts
        `preset`, `min_count`, `max_count`, `max_occurrences`, `max_sentence_words`, `choice` and
        `seed` are used. They may be given as keywords instead: `select_words(corpus,
        preset="lacoat")`.

    Returns
    -------
    Corpus
        The selection, in the order of the corpus; its sentences stay whole.

    Raises
    ------
    InputError
        If no type passes the rule.
    """
    assert step.min_count is not None and step.max_occurrences is not None  # by the preset
    types = type_codes(corpus)
    short = _in_short_sentences(corpus, step.max_sentence_words)
    counts = np.bincount(types[short], minlength=int(types.max()) + 1)
    highest = counts.max() if step.max_count is None else step.max_count
    eligible = (counts >= step.min_count) & (counts <= highest)
    if not eligible.any():
        raise InputError(
            f"no word type of corpus {corpus.name!r} has {step.min_count} to {highest} occurrences "
            f"in sentences of up to {step.max_sentence_words} words (the most frequent has "
            f"{counts.max()}): lower min_count or use more sentences"
        )
    if step.choice == "random":
        priority = np.random.default_rng(step.seed).permutation(len(types))
    else:
        priority = np.arange(len(types))
    rows = np.flatnonzero(short & eligible[types])
    rank = rank_within(types[rows], priority[rows])
    return corpus.select(rows[rank < step.max_occurrences])


def _in_short_sentences(corpus: Corpus, most: int) -> np.ndarray:
    """Which words stand in sentences of at most so many words (selected or not), bool."""
    lengths = pc.list_value_length(corpus.sentences["words"]).to_numpy()  # pyright: ignore[reportAttributeAccessIssue]
    return lengths[corpus.words["sentence"].to_numpy()] <= most


def rank_within(groups: np.ndarray, priority: np.ndarray) -> np.ndarray:
    """Rank of each element by priority among those of its group, from 0."""
    order = np.lexsort((priority, groups))
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - starts[groups[order]]
    return rank
