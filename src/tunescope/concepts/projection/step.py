"""The project step: words of base and tuned model in one picture, layer by layer."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from tunescope.activations.store import ActivationStore, common_words
from tunescope.concepts.alignment.annotation import Codes
from tunescope.concepts.comparable import shared_layers
from tunescope.concepts.layer_concepts import LayerConcepts
from tunescope.concepts.projection.picture import enough, need_umap
from tunescope.concepts.projection.result import Projection
from tunescope.concepts.projection.units import PARTS, draw_layers, join_layers
from tunescope.corpus.table import Corpus
from tunescope.errors import InputError, MismatchError
from tunescope.files import hash_json, read_frame, write_frame
from tunescope.manifest import begin, finish, only_looking
from tunescope.parameters import step_function
from tunescope.steps import Project


@step_function(Project)
def project(
    base: ActivationStore | Path | str,
    tuned: ActivationStore | Path | str | None,
    out: Path | str,
    *,
    base_concepts: LayerConcepts | Path | str | None = None,
    tuned_concepts: LayerConcepts | Path | str | None = None,
    words: Corpus | None = None,
    n_jobs: int | None = None,
    step: Project,
) -> Projection:
    """Put words of every layer into two dimensions, to be looked at.

    Parameters
    ----------
    base : ActivationStore or path
        Activations of the base model.
    tuned : ActivationStore or path, or None
        Those of the tuned model over the same corpus, of the same width: both models' vectors of
        the same words are put into one picture. With None, `base` is drawn alone.
    out : path
        Folder for the result. A finished one for the same inputs is returned as it is; an
        interrupted one goes on with the layers that are missing.
    base_concepts, tuned_concepts : LayerConcepts or path, optional
        Concepts of each model, of the same words; words are then drawn of every concept.
    words : Corpus, optional
        Words of the stores' corpus to draw from; those of the concepts when not given, and without
        concepts all that have activations in both stores. May be the words of the concepts with
        other labels or classes than when they were clustered.
    n_jobs : int, optional
        Layers drawn at once, each in a process; as many as processors and memory allow when not
        given. The result does not depend on it.
    step : Project
        The parameters; they may be given as keywords instead.

    Returns
    -------
    Projection

    Raises
    ------
    InputError
        If there are too few words, the models differ in width, vectors are not finite, or a package
        is missing.
    MismatchError
        If stores, concepts and words do not belong together.
    """
    stores = {
        role: given if isinstance(given, ActivationStore) else ActivationStore.load(given)
        for role, given in (("base", base), ("tuned", tuned))
        if given is not None
    }
    concepts = {
        role: given if isinstance(given, LayerConcepts) else LayerConcepts.load(given)
        for role, given in (("base", base_concepts), ("tuned", tuned_concepts))
        if given is not None
    }
    words = _words_of(stores, concepts, words)
    layers = _layers(stores, concepts, step)
    classes = Codes.of(words.of_sentence("class")).codes
    inputs = {
        "stores": {role: store.key for role, store in stores.items()},
        "concepts": {role: found.key for role, found in concepts.items()},
        "words": words.word_hash,
        "classes": hash_json(classes.tolist()),
    }
    out = Path(out)
    if begin(out, step, inputs) is None:
        enough(min(step.n_words, words.n_words) * len(stores), step)
        if step.method == "umap":
            need_umap()
        draw_layers(stores, concepts, words, classes, layers, out, step, n_jobs)
        points, frame = join_layers(out, layers, axes=step.method == "pca")
        write_frame(out / "points.parquet", points)
        write_frame(out / "layers.parquet", frame)
        _drawn(words, stores["base"].corpus, points).write(out)
        facts = {
            "corpus": words.name,
            "models": {role: store.model for role, store in stores.items()},
            "layers": layers,
            "n_available": words.n_words,
        }
        finish(out, step, inputs, facts)
        shutil.rmtree(out / PARTS, ignore_errors=True)
    elif not only_looking():
        points = read_frame(out / "points.parquet")
        _drawn(words, stores["base"].corpus, points).refresh(out)
    return Projection.load(out)


def _words_of(
    stores: Mapping[str, ActivationStore],
    concepts: Mapping[str, LayerConcepts],
    words: Corpus | None,
) -> Corpus:
    """Return the words to draw from, all of them with activations; check that all is of them."""
    for role, found in concepts.items():
        if role not in stores or found.manifest.inputs.get("store") != stores[role].key:
            raise MismatchError(f"{found.path} is not made from the activations of the model")
        words = found.words if words is None else words
        if found.words.word_hash != words.word_hash:
            raise MismatchError(
                f"{found.path} has concepts of other words than those drawn from: give both models "
                "the same selection"
            )
    base, common = stores["base"], common_words(*stores.values())
    if words is None:
        return base.corpus.select(common)
    without = np.setdiff1d(words.rows_in(base.corpus), common)
    if len(without):
        raise InputError(
            f"{len(without):,} of {words.n_words:,} words have no activations in all of "
            f"{', '.join(str(store.path) for store in stores.values())}: select among the rows "
            "that `common_words` returns"
        )
    return words


def _layers(
    stores: Mapping[str, ActivationStore], concepts: Mapping[str, LayerConcepts], step: Project
) -> list[int]:
    """Return the layers to draw, in which all models have vectors of one width."""
    layers = shared_layers(
        *(found.layers for found in (*stores.values(), *concepts.values())),
        what="activations and concepts",
    )
    for layer in step.layers or ():
        if layer not in layers:
            raise InputError(f"there is no layer {layer!r} in all models: they share {layers}")
    layers = layers if step.layers is None else sorted(set(step.layers))
    for layer in layers:
        widths = [store[layer].shape[1] for store in stores.values()]
        if len(set(widths)) > 1:
            raise InputError(
                f"layer {layer} has {widths[0]} neurons in one model and {widths[1]} in the other: "
                "their vectors share no space; draw each model alone"
            )
    return layers


def _drawn(words: Corpus, whole: Corpus, points: pd.DataFrame) -> Corpus:
    """Return the words that are drawn, with their sentences alone."""
    rows = np.unique(points["row"].to_numpy())
    kept = words.select(np.flatnonzero(np.isin(words.rows_in(whole), rows)))
    column = kept.words["sentence"]
    used, place = np.unique(column.to_numpy(), return_inverse=True)
    number = kept.words.column_names.index("sentence")
    table = kept.words.set_column(number, "sentence", pa.array(place, column.type))
    return Corpus(kept.sentences.take(used), table, kept.name)
