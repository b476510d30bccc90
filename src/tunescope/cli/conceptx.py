"""Commands for ConceptX's files."""

from __future__ import annotations

import sys
from pathlib import Path

from tunescope.cli.app import app, show


@app.command
def export_concepts(
    concepts: Path,
    folder: Path,
    *,
    layers: tuple[int, ...] | None = None,
    k: tuple[int, ...] | None = None,
    space: str | None = None,
) -> None:
    """Write concepts in ConceptX's format: word|||occurrence|||sentence|||token|||cluster.

    Parameters
    ----------
    concepts
        Folder written by `tunescope concepts`.
    folder
        Folder for the files.
    layers
        Layer numbers; all when not given.
    k
        Numbers of concepts, a file for each; that of the step when not given.
    space
        Written for a blank within a word, such as _.
    """
    from tunescope.concepts.conceptx.exporting import export_conceptx as do

    sys.stdout.write(f"{do(concepts, folder, layers, k, space=space)}\n")


@app.command
def import_concepts(
    clusters: Path,
    out: Path,
    *,
    sentences: Path | None = None,
    corpus: Path | None = None,
    layer: int | None = None,
    k: int | None = None,
    model: str = "ConceptX",
    min_types: int = 6,
) -> None:
    """Read concepts in ConceptX's format, to align, name or show them.

    Parameters
    ----------
    clusters
        Folder with clusters-K.txt files in folders named after their layer, or one such file.
    out
        Folder for the concepts.
    sentences
        Sentence file: a JSON list, or one sentence a line; found in the folder when not given.
    corpus
        Folder of the same corpus with labels and classes (a run's corpora/NAME, or activations).
    layer
        The layer, where no folder or file name says it (as layer12 does), or not clearly.
    k
        Which file to take where a layer has several.
    model
        The model's display name.
    min_types
        Word types that a concept needs to count.
    """
    from tunescope.concepts.conceptx.importing import import_conceptx as do
    from tunescope.corpus.table import Corpus

    known = Corpus.load(corpus) if corpus is not None else None
    show(
        do(
            clusters,
            out,
            sentences=sentences,
            corpus=known,
            layer=layer,
            k=k,
            model=model,
            min_types=min_types,
        )
    )
