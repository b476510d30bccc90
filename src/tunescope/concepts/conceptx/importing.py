"""Concepts that ConceptX found, as if they were our own: for alignment, names and pages.

Its files hold the clusters and no tree, so what is imported has one number of concepts, as K-means
has.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tunescope.concepts.conceptx.finding import find_clusters, find_sentences
from tunescope.concepts.conceptx.lines import ClusterLines, read_clusters
from tunescope.concepts.conceptx.sentences import read_sentences
from tunescope.concepts.dendrogram import number_by_size
from tunescope.concepts.layer_concepts import LayerConcepts, clusters_path
from tunescope.concepts.partition import Partition
from tunescope.concepts.selection import type_codes
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_file, write_array
from tunescope.manifest import begin, finish, only_looking
from tunescope.steps import Concepts

METHOD = "imported"
"""The method of the manifest. How the clusters were found, no file says."""
NUMBERS = "numbers.npy"


def import_conceptx(
    clusters: Path | str | Mapping[int, Path | str],
    out: Path | str,
    *,
    sentences: Path | str | None = None,
    corpus: Corpus | None = None,
    layer: int | None = None,
    k: int | None = None,
    model: str = "ConceptX",
    min_types: int = 6,
) -> LayerConcepts:
    """Import the concepts in ConceptX's files.

    Parameters
    ----------
    clusters : path, or mapping of int to path
        A folder with `clusters-K.txt` files in folders named after their layer (`layer12`), one
        such file, or one for each layer.
    out : path
        Folder for the concepts; finished ones of the same files are returned as they are.
    sentences : path, optional
        The sentence file: a JSON list of texts, or one sentence a line. When not given, the
        `...sentences.json` in the folder.
    corpus : Corpus, optional
        The same sentences, with labels and classes, which ConceptX's files do not have. The
        sentence file is then not read.
    layer : int, optional
        The layer, where no folder or file name says it, or not clearly.
    k : int, optional
        Which file to take where a layer has several.
    model : str
        The model's display name.
    min_types : int
        Word types that a concept needs to count.

    Returns
    -------
    LayerConcepts
        Concepts are numbered by size, as always; `conceptx_numbers` gives those of the files. No
        dendrogram, and no other K than the files'.

    Raises
    ------
    InputError
        If files or their layers are missing or ambiguous, or a line is malformed or does not fit
        the sentences: with file and line.
    MismatchError
        If layers hold different words.
    """
    files = find_clusters(clusters, layer, k)
    whole = corpus
    if whole is None:
        path = Path(sentences) if sentences is not None else find_sentences(clusters)
        whole = read_sentences(path, path.stem.removesuffix("-sentences") or "corpus")
    texts = whole.sentences["words"].to_pylist()
    found = {number: read_clusters(path, texts) for number, path in files.items()}
    _check_same_words(list(found.values()))
    words = _words_of(next(iter(found.values())), whole)
    counts = [len(np.unique(lines.cluster)) for lines in found.values()]
    step = Concepts(n_clusters=max(2, *counts), method=METHOD, min_types=min_types)
    inputs = {
        "words": words.word_hash,
        "conceptx": {str(number): hash_file(path) for number, path in files.items()},
        "model": model,
    }
    out = Path(out)
    if begin(out, step, inputs) is None:
        for number, lines in found.items():
            labels = number_by_size(lines.cluster)
            place = clusters_path(out, number, step.method)
            Partition(labels, step.n_clusters).save(place)
            numbers = np.empty(labels.max() + 1, np.int64)
            numbers[labels] = lines.cluster
            write_array(place.with_name(NUMBERS), numbers)
        words.write(out)
        facts = {
            "model": model,
            "layers": list(files),
            "n_words": words.n_words,
            "n_types": int(type_codes(words).max()) + 1,
            "imported": {str(number): path.name for number, path in files.items()},
        }
        finish(out, step, inputs, facts)
    elif not only_looking():
        words.refresh(out)
    return LayerConcepts.load(out)


def conceptx_numbers(concepts: LayerConcepts, layer: int) -> np.ndarray | None:
    """Return the number that ConceptX's file gave each concept, shape (n_concepts,).

    Parameters
    ----------
    concepts : LayerConcepts
        Any concepts.
    layer : int
        Layer number.

    Returns
    -------
    numpy.ndarray of int64, or None
        None for concepts that were not imported.
    """
    path = clusters_path(concepts.path, layer, concepts.step.method).with_name(NUMBERS)
    return np.load(path, allow_pickle=False) if path.exists() else None


def _check_same_words(found: list[ClusterLines]) -> None:
    first = found[0]
    for other in found[1:]:
        lacking = [(first, other), (other, first)]
        for here, there in lacking:
            if len(rows := np.flatnonzero(~np.isin(here.keys, there.keys))):
                row = rows[np.argmin(here.line[rows])]
                raise MismatchError(
                    f"{there.path} lacks {len(rows):,} words of {here.path}; the first is on its "
                    f"line {here.line[row]}: import layers of the same words"
                )


def _words_of(lines: ClusterLines, whole: Corpus) -> Corpus:
    """Select the words of the lines from a corpus."""
    sentence = whole.words["sentence"].to_numpy().astype(np.int64)
    known = sentence * 2**32 + whole.words["position"].to_numpy()
    rows = np.searchsorted(known, lines.keys)
    without = np.append(known, -1)[rows] != lines.keys
    if without.any():
        raise InputError(
            f"{lines.path}, line {lines.line[without].min()}: the word is not among those of "
            f"corpus {whole.name!r}: give the whole corpus, not a selection"
        )
    return whole.select(rows)
