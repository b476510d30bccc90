"""The align step: everything said about one base and one tuned model over one corpus.

A unit of work is one tuned layer with every base layer, or one layer of a model with its labels and
classes; finished ones are kept when a run is interrupted.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from tunescope.concepts.alignment.frames import Frames, layer_frames, pair_frames
from tunescope.concepts.alignment.labels import Labelling
from tunescope.concepts.alignment.polarity import SentenceClasses, class_codes
from tunescope.concepts.alignment.result import FRAMES, Alignment
from tunescope.concepts.clustering import clusterings
from tunescope.concepts.comparable import check_clustered_alike, shared_layers
from tunescope.concepts.label_sets import LabelSets
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_json, kept_frames, write_frame
from tunescope.manifest import begin, finish
from tunescope.parameters import step_function
from tunescope.steps import Align

PARTS = "parts"
"""Folder of what is done of a run that is not finished."""


@step_function(Align)
def align(
    base: LayerConcepts | Path | str,
    tuned: LayerConcepts | Path | str | None,
    out: Path | str,
    *,
    words: Corpus | None = None,
    step: Align,
) -> Alignment:
    """Align the concepts of a base model with a tuned one, with labels and with classes.

    Parameters
    ----------
    base : LayerConcepts or path
        Concepts of the base model.
    tuned : LayerConcepts or path, or None
        Concepts of the tuned model, of the same words and with the same parameters. With None,
        `base` is aligned with labels and classes alone.
    out : path
        Folder for the result. A finished one for the same inputs is returned as it is; an
        interrupted one goes on with the layers that are missing.
    words : Corpus, optional
        The same words with other labels or classes than when they were clustered. A sentence column
        `predicted` adds polarity by predicted class.
    step : Align
        The parameters; they may be given as keywords instead.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        If a label column or computed kind is not there, or two have one name.
    MismatchError
        If the two models' concepts are of different words, or were made with different parameters.
    """
    base = base if isinstance(base, LayerConcepts) else LayerConcepts.load(base)
    if tuned is not None and not isinstance(tuned, LayerConcepts):
        tuned = LayerConcepts.load(tuned)
    words = base.words if words is None else words
    _check_comparable(base, tuned, words)
    labels = labellings(words, step)
    sentences = words.words["sentence"].to_numpy().astype(np.int32)
    classes = {
        by: SentenceClasses(by, codes.names, codes.codes, sentences)
        for by, codes in class_codes(words).items()
    }
    inputs = {
        "corpus": words.name,
        "base": base.key,
        "tuned": tuned.key if tuned is not None else None,
        "words": words.word_hash,
        "annotation": hash_json(
            [_content(kind) for kind in labels]
            + [[by, of.names, of.codes.tolist()] for by, of in classes.items()]
        ),
    }
    out = Path(out)
    if begin(out, step, inputs) is None:
        frames = _frames(base, tuned, labels, classes, sentences, out / PARTS, step)
        for name in FRAMES:
            frames[name].insert(0, "corpus", words.name)
            write_frame(out / f"{name}.parquet", frames[name])
        facts = {
            "base": base.model,
            "tuned": tuned.model if tuned is not None else None,
            "corpus": words.name,
            "labels": [kind.name for kind in labels],
            "classes": list(classes["gold"].names) if "gold" in classes else [],
            "predicted": "predicted" in classes,
        }
        finish(out, step, inputs, facts)
        shutil.rmtree(out / PARTS, ignore_errors=True)
    return Alignment.load(out)


def _frames(
    base: LayerConcepts,
    tuned: LayerConcepts | None,
    labels: list[Labelling],
    classes: dict[str, SentenceClasses],
    sentences: np.ndarray,
    parts: Path,
    step: Align,
) -> Frames:
    """Compute every frame of `Alignment`, without the column `corpus`; keep units in `parts`."""
    of_base = clusterings(base, "base")
    of_tuned = clusterings(tuned, "tuned") if tuned is not None else {}
    every = [(here, of_tuned.get(layer)) for layer, here in of_base.items()]
    every += [(here, of_base.get(layer)) for layer, here in of_tuned.items()]
    with tqdm(desc="align", total=len(of_tuned) + len(every), unit="layer") as bar:

        def keep(name: str, unit: Callable[[], Frames]) -> Frames:
            found = kept_frames(parts / name, unit)
            bar.update()
            return found

        between = pair_frames(list(of_base.values()), list(of_tuned.values()), step, keep)
        return between | layer_frames(every, labels, classes, sentences, step, keep)


def labellings(words: Corpus, step: Align) -> list[Labelling]:
    """Return the labels that concepts are aligned with: label columns, then computed kinds.

    Parameters
    ----------
    words : Corpus
        The words that were clustered.
    step : Align
        `labels` and `computed` are used.

    Raises
    ------
    InputError
        If a column or kind is not there, or two have one name.
    """
    from tunescope.concepts.human import column_of, human_labels

    columns = words.labels if step.labels is None else step.labels
    computed = step.computed or ()
    names = [*columns, *map(column_of, computed)]
    sources = [f"column {name!r}" for name in columns] + [f"computed {kind!r}" for kind in computed]
    for name in names:
        mine = [source for made, source in zip(names, sources, strict=True) if made == name]
        if name in CLASS_KINDS:
            raise InputError(
                f"labels {name!r}, from {mine[0]}: the name stands for the classes of sentences; "
                "rename the column or file, or leave it out"
            )
        if len(mine) > 1:
            raise InputError(
                f"labels {name!r} are there twice, from {mine[0]} and {mine[1]}: rename the column "
                "or file, or leave one out"
            )
    found = [Labelling(name, LabelSets.of(words.values(name))) for name in columns]
    made = zip(names[len(columns) :], computed, strict=True)
    return [*found, *(Labelling(name, human_labels(words, kind)) for name, kind in made)]


def _content(kind: Labelling) -> list[Any]:
    table = kind.sets.table
    return [
        kind.name,
        kind.sets.names,
        kind.sets.complete,
        table.indptr.tolist(),
        table.indices.tolist(),
    ]


def _check_comparable(base: LayerConcepts, tuned: LayerConcepts | None, words: Corpus) -> None:
    if words.word_hash != base.words.word_hash:
        raise MismatchError(
            f"the words given are not those of {base.path}: give the selection that was clustered"
        )
    if tuned is None:
        return
    if tuned.words.word_hash != base.words.word_hash:
        raise MismatchError(
            f"{base.path} and {tuned.path} are concepts of different words: "
            "give both models the same selection"
        )
    check_clustered_alike(base, tuned)
    shared_layers(base.layers, tuned.layers, what=f"{base.path} and {tuned.path}")


CLASS_KINDS = ("class", "predicted")
"""Names of columns of concepts that label columns must not have."""
