"""Our concepts in ConceptX's files, for its viewer and for what was built on it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from tunescope.concepts.conceptx.importing import conceptx_numbers
from tunescope.concepts.conceptx.lines import SEPARATOR
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError
from tunescope.files import atomic_file

SENTENCES = "corpus-sentences.json"


def export_conceptx(
    concepts: LayerConcepts | Path | str,
    folder: Path | str,
    layers: Sequence[int] | None = None,
    k: int | Sequence[int] | None = None,
    *,
    space: str | None = None,
) -> Path:
    """Write concepts as ConceptX does.

    `layerN/clusters-K.txt` has one line `word|||occurrence|||sentence|||token|||cluster` for each
    word; occurrences of a type are counted over the whole sentences, from 1, sentences and tokens
    from 0. `corpus-sentences.json` is a list of texts, words joined by a blank.

    Parameters
    ----------
    concepts : LayerConcepts or path
        Concepts of one model.
    folder : path
        Where to write. Files that are there are replaced, others stay.
    layers : sequence of int, optional
        Layer numbers; all when not given.
    k : int or sequence of int, optional
        Numbers of concepts, a file for each; that of the step when not given.
    space : str, optional
        Written for a blank within a word, such as "_": ConceptX takes words apart at blanks.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If there is no such layer or number of concepts, or a word holds a blank.
    """
    concepts = concepts if isinstance(concepts, LayerConcepts) else LayerConcepts.load(concepts)
    folder = Path(folder)
    numbers = concepts.step.n_clusters if k is None else k
    numbers = [numbers] if isinstance(numbers, int) else list(numbers)
    corpus = concepts.words
    _check_blanks(corpus, space)
    # Cut first: a layer or number that is not there is an error before anything is written.
    cuts: dict[tuple[int, int], np.ndarray] = {}
    for layer in concepts.layers if layers is None else layers:
        original = conceptx_numbers(concepts, layer)
        for n in numbers:
            labels = concepts.labels(layer, n)
            cuts[layer, n] = labels if original is None else original[labels]
    texts = [" ".join(_spaced(words, space)) for words in corpus.sentences["words"].to_pylist()]
    with atomic_file(folder / SENTENCES) as part, part.open("w", encoding="utf-8") as file:
        json.dump(texts, file, ensure_ascii=False)
    heads = _heads(corpus, space)
    for (layer, n), labels in cuts.items():
        _write_clusters(folder / f"layer{layer}" / f"clusters-{n}.txt", heads, labels)
    return folder


def _spaced(words: Sequence[str], space: str | None) -> list[str]:
    return list(words) if space is None else [word.replace(" ", space) for word in words]


def _check_blanks(corpus: Corpus, space: str | None) -> None:
    if space is not None:
        if not space.strip() or " " in space:
            raise InputError(f"space = {space!r} must be text without blanks, such as '_'")
        return
    for number, words in enumerate(corpus.sentences["words"].to_pylist()):
        for word in words:
            if " " in word:
                raise InputError(
                    f"corpus {corpus.name!r}, sentence {number}: the word {word!r} holds a blank, "
                    "at which ConceptX takes words apart: give space='_'"
                )


def _heads(corpus: Corpus, space: str | None) -> list[str]:
    """Return the part of each word's line that is the same at every layer."""
    seen: Counter[str] = Counter()
    occurrence = []
    sentences = [_spaced(words, space) for words in corpus.sentences["words"].to_pylist()]
    for word in chain.from_iterable(sentences):
        seen[word] += 1
        occurrence.append(seen[word])
    starts = np.cumsum([0, *map(len, sentences)])
    places = zip(
        corpus.words["sentence"].to_pylist(), corpus.words["position"].to_pylist(), strict=True
    )
    return [
        SEPARATOR.join((sentences[s][p], str(occurrence[starts[s] + p]), str(s), str(p)))
        for s, p in places
    ]


def _write_clusters(path: Path, heads: list[str], labels: np.ndarray) -> None:
    """Write cluster by cluster, in the order of their first word, as ConceptX does."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(first[inverse], kind="stable").tolist()
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{heads[row]}{SEPARATOR}{labels[row]}\n" for row in order)
