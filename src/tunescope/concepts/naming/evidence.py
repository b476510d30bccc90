"""What a language model is shown of a concept: its frequent words, and some in their sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tunescope.concepts.contingency import type_counts
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.naming.plain import shortened
from tunescope.corpus.table import Corpus
from tunescope.steps import Name

WINDOW = 20
"""Words of a sentence shown on either side."""
LONGEST_WORD = 60
"""Characters of a word that are shown: words are untrusted, and some are whole documents."""
HELD_OUT = 10
"""Word types kept from naming for the check, at most; and no more than a third of the concept's."""


@dataclass(frozen=True)
class Evidence:
    """What is shown of one concept.

    Parameters
    ----------
    layer, concept : int
        Which concept.
    words : tuple of str
        Word types, the most frequent first, ties in the order of the corpus.
    contexts : tuple of str
        Occurrences within their sentence, marked with [[ ]].
    unseen : tuple of str
        Word types not shown, for the check.
    """

    layer: int
    concept: int
    words: tuple[str, ...]
    contexts: tuple[str, ...]
    unseen: tuple[str, ...]


def counted(concepts: LayerConcepts, layer: int) -> np.ndarray:
    """Return the concepts of a layer with enough word types to count, the largest first."""
    n_types = type_counts(concepts.labels(layer), concepts.types)
    return np.flatnonzero(n_types >= concepts.step.min_types)


def gather(
    concepts: LayerConcepts, layer: int, chosen: Sequence[int], step: Name
) -> Iterator[Evidence]:
    """Yield what is shown of each chosen concept of one layer.

    Parameters
    ----------
    concepts : LayerConcepts
        Concepts of one model.
    layer : int
        Layer number.
    chosen : sequence of int
        Concepts of that layer.
    step : Name
        `n_words`, `n_contexts`, `check` and `seed` are used.
    """
    labels, types, corpus = concepts.labels(layer), concepts.types, concepts.words
    _, first = np.unique(types, return_index=True)
    forms = corpus.values("form")[first].tolist()
    pairs, counts = np.unique(labels * len(forms) + types, return_counts=True)
    of_pair, type_of_pair = np.divmod(pairs, len(forms))
    by_concept = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[by_concept], np.arange(labels.max() + 2))
    for concept in chosen:
        low, high = np.searchsorted(of_pair, [concept, concept + 1])
        mine, frequent = type_of_pair[low:high], np.argsort(-counts[low:high], kind="stable")
        rng = np.random.default_rng([step.seed, layer, concept])
        n_held = min(HELD_OUT, len(mine) // 3) if step.check else 0
        held = rng.choice(mine, n_held, replace=False)
        shown = [t for t in mine[frequent] if t not in held]
        rows = by_concept[starts[concept] : starts[concept + 1]]
        rows = rows[~np.isin(types[rows], held)]
        picked = _varied(rng.permutation(rows), types)[: step.n_contexts]
        yield Evidence(
            layer,
            int(concept),
            tuple(shortened(forms[t], LONGEST_WORD) for t in shown[: step.n_words]),
            tuple(context(corpus, int(row)) for row in picked),
            tuple(shortened(forms[t], LONGEST_WORD) for t in held),
        )


def context(corpus: Corpus, row: int) -> str:
    """Return a word with those around it in its sentence, the word marked with [[ ]].

    Parameters
    ----------
    corpus : Corpus
        The words.
    row : int
        Row of its word table.
    """
    sentence = corpus.sentence_words(corpus.words["sentence"][row].as_py())
    at = corpus.words["position"][row].as_py()
    low, high = max(0, at - WINDOW), at + WINDOW + 1
    words = [shortened(word, LONGEST_WORD) for word in sentence[low:high]]
    words[at - low] = f"[[{words[at - low]}]]"
    before, after = ["…"] if low else [], ["…"] if high < len(sentence) else []
    return " ".join([*before, *words, *after])


def _varied(rows: np.ndarray, types: np.ndarray) -> np.ndarray:
    """Put one occurrence of each type first, then a second one of each, and so on."""
    seen: dict[int, int] = {}
    rank = []
    for kind in types[rows].tolist():
        rank.append(seen.get(kind, 0))
        seen[kind] = rank[-1] + 1
    return rows[np.argsort(np.array(rank, np.int64), kind="stable")]
